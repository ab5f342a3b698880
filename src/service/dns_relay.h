/* An upstream's answer, cleaned: only what was asked for, written anew.
 *
 * Of the answer section those records stay that the question leads to, along
 * CNAMEs (and the DNAMEs they come from); of the authority section what proves
 * that there is nothing; of the rest nothing.  An upstream cannot slip in a
 * name that nobody asked for, and how it laid its message out does not show. */
#ifndef WEFT_SERVICE_DNS_RELAY_H
#define WEFT_SERVICE_DNS_RELAY_H

#include "service/dns.h"
#include "service/dns_cache.h"

struct dns_clean {
    unsigned int rcode;
    uint32_t ttl;                 /* how long it may be kept; 0: not at all */
    unsigned int n_ignored;
    size_t len;
    uint8_t data[DNS_CACHE_MESSAGE_MAX];
};

/* `r` is at the first record, its question is `asked`'s.  -EBADMSG. */
int dns_clean(struct dns_reader *r, const struct dns_query *asked,
              struct dns_clean *);
/* The reply to one client from a cleaned message that is `age` seconds old. */
void dns_relay(const void *message, size_t len, uint32_t age,
               const struct dns_query *query, struct dns_reply *reply);

#endif
