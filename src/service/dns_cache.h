/* Upstreams' answers, for as long as they say.
 *
 * A fixed number of places, four of which may hold a given question; when all
 * four are taken, the one that ends soonest goes.  Each network has a cache of
 * its own in it: what one asked, another cannot tell.
 *
 * What is kept is a message as dns_forward.c made it: no EDNS, TTLs as of when
 * it came. */
#ifndef WEFT_SERVICE_DNS_CACHE_H
#define WEFT_SERVICE_DNS_CACHE_H

#include "packet/dns.h"

enum {
    DNS_CACHE_MAX_TTL = 3600,     /* seconds */
    DNS_CACHE_MAX_NEGATIVE_TTL = 300,
    DNS_CACHE_MESSAGE_MAX = 2048,
};

struct dns_cache;

/* What an answer depends on. */
struct dns_cache_key {
    uint64_t network;
    uint16_t type;
    bool dnssec_ok;
    bool checking_disabled;
    struct dns_name name;
};

/* `n` places, rounded up; 0: it keeps nothing. */
struct dns_cache *dns_cache_create(unsigned int n);
void dns_cache_destroy(struct dns_cache *);

void dns_cache_put(struct dns_cache *, const struct dns_cache_key *,
                   const void *message, size_t len, msec now,
                   uint32_t ttl);
/* NULL: nothing, or too old.  Good until the next put; `*age` in seconds. */
const uint8_t *dns_cache_get(const struct dns_cache *,
                             const struct dns_cache_key *, msec now,
                             size_t *len, uint32_t *age);
void dns_cache_clear(struct dns_cache *);

#endif
