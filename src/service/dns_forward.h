/* Questions that are not ours: who waits for what, and whom it was asked.
 *
 *     dns_forward_query()   a client's --> from the cache: reply
 *                                      --> joins one that is being asked
 *                                      --> ask(upstream, source, id)
 *     dns_forward_answer()  an upstream's --> reply to all who wait
 *     dns_forward_expire()  nobody answered --> ask the next one, or give up
 *
 * An answer counts only if it comes from the upstream that was asked, to the
 * source it was asked from, with the id and the question that it was asked by;
 * ids are random, and so is the choice among the sources (sockets with ports
 * that the kernel chose at random).  One question is asked once at a time for a
 * network, however many wait for it, so that nobody can raise the odds of a
 * guess.  Every try has a new id and a new source.
 *
 * Always true: each client's question that was taken is answered exactly once:
 * relayed, or SERVFAIL after the last try.  The table is bounded, and so is
 * what one port may have in it; over that the answer is SERVFAIL at once.
 *
 * Pure: sockets are somebody else's, time and randomness are given.  One
 * thread. */
#ifndef WEFT_SERVICE_DNS_FORWARD_H
#define WEFT_SERVICE_DNS_FORWARD_H

#include "service/dns.h"
#include "service/dns_event.h"

enum {
    DNS_FORWARD_TIMEOUT = 1500,   /* msec, of one try */
    DNS_FORWARD_TRIES = 3,        /* a client's resolver waits five seconds */
    DNS_FORWARD_MAX_UPSTREAMS = 8,
};

/* Who asked; nothing of it is looked at but for being the same. */
struct dns_client {
    uint64_t network;
    uint64_t port;                /* the switch's, for quotas */
    struct eth_addr mac;
    uint16_t udp_port;
    struct ip6_addr ip;           /* v4 as mapped */
    struct ip6_addr server;       /* the address that was asked */
};

struct dns_forward_options {
    unsigned int n_upstreams;
    unsigned int n_sources;       /* >= 1 */
    unsigned int max_pending;     /* questions; 0: 1024 */
    unsigned int max_per_port;    /* clients' queries; 0: 64 */
    unsigned int cache_size;      /* answers */
    uint32_t (*random)(void *aux);
    /* Sends to a client. */
    void (*reply)(const struct dns_client *, const struct dns_reply *,
                  void *aux);
    /* Sends to upstream number `upstream` from source number `source`. */
    void (*ask)(unsigned int upstream, unsigned int source, const void *data,
                size_t len, void *aux);
    void *aux;
    struct dns_counters *counters;
};

struct dns_forward;

struct dns_forward *dns_forward_create(const struct dns_forward_options *);
/* Nobody who waits is told. */
void dns_forward_destroy(struct dns_forward *);

/* A query for which dns_answer() said DNS_FORWARD. */
enum dns_event dns_forward_query(struct dns_forward *,
                                 const struct dns_query *,
                                 const struct dns_client *, msec now);
/* Something arrived from an upstream (n_upstreams: from nobody that we know) at
 * one of the sources. */
enum dns_event dns_forward_answer(struct dns_forward *, unsigned int upstream,
                                  unsigned int source, const void *data,
                                  size_t len, msec now);
/* Does what is due; returns when to call again, INT64_MAX: no need. */
msec dns_forward_expire(struct dns_forward *, msec now);
/* Other resolvers from now on: what waits is asked anew, what was cached is
 * forgotten. */
void dns_forward_set_upstreams(struct dns_forward *, unsigned int n,
                               msec now);
/* Questions that are being asked. */
unsigned int dns_forward_n_pending(const struct dns_forward *);

#endif
