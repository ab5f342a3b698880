/* DNS at a network's gateway address: what is ours is answered here, what is
 * not is forwarded (dns_forward.h).
 *
 *     query -> dns_answer() -> a reply
 *                           -> DNS_FORWARD -> dns_forward_query() -> upstream
 *                           -> a drop, with its reason
 *
 * Ours is everything below the top domain (`weft`) and every reverse name
 * within a subnet in view: such questions never leave.  A view is what one
 * network may know: its own zone first, then those of networks joined with it.
 * A name of another network does not exist in it (NXDOMAIN), whether or not it
 * does elsewhere.
 *
 *   - Answers echo the question in the client's own mixture of capitals.
 *   - Negative answers carry the zone's SOA (RFC 2308); ANY gets HINFO
 *     (RFC 8482); other classes and zone transfers are refused.
 *   - A reply that does not fit the client's UDP size is cut at a record, with
 *     TC set.
 *
 * Pure: no sockets, no clock.  The server's name in SOA and NS is the zone's
 * host `gateway`, which the caller adds with the gateway's addresses. */
#ifndef WEFT_SERVICE_DNS_H
#define WEFT_SERVICE_DNS_H

#include "service/dns_event.h"
#include "service/dns_zone.h"

enum {
    DNS_TTL = 60,                 /* of our names */
    DNS_NEGATIVE_TTL = 10,        /* a machine may be there soon */
};

struct dns_view {
    struct dns_name top;          /* "weft" */
    unsigned int n_zones;         /* the first is the network's own */
    const struct dns_zone *const *zones;
};

struct dns_reply {
    size_t len;                   /* 0: none */
    uint8_t data[DNS_UDP_MAX];
};

/* Says what became of the message; `query` is good if that is DNS_FORWARD. */
enum dns_event dns_answer(const struct dns_view *, const void *data,
                          size_t len, struct dns_query *query,
                          struct dns_reply *reply);

/* For dns_forward.c.  Begins the reply to a query, leaving room for what
 * dns_reply_end() adds. */
void dns_reply_begin(struct dns_writer *, struct dns_reply *,
                     const struct dns_query *, unsigned int flags);
void dns_reply_end(struct dns_writer *, struct dns_reply *,
                   const struct dns_query *, unsigned int rcode);
/* A whole reply that is nothing but a result code. */
void dns_reply_error(struct dns_reply *, const struct dns_query *,
                     unsigned int rcode);

#endif
