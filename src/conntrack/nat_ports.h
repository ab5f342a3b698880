/* Ports of external addresses: who has which.
 *
 * A pool is 65,536 ports of one (zone, protocol, address), made when it is first
 * asked for and kept.  A port is claimed by one atomic operation on the word of 64
 * that it lies in; nothing is locked.  Each port leads to the mapping that has it
 * (nat_map.h), so a packet from outside finds its inside without a search. */
#ifndef WEFT_CONNTRACK_NAT_PORTS_H
#define WEFT_CONNTRACK_NAT_PORTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "conntrack/conntrack.h"
#include "lib/hash.h"

enum { NAT_MAX_POOLS = 4096 };

struct nat_pool {
    uint16_t zone;
    uint8_t family, proto;
    struct ip6_addr addr;
    _Atomic uint32_t n_used;
    _Atomic uint64_t words[65536 / 64];
    _Atomic uint32_t owners[65536];       /* mapping ids; 0: none (yet) */
};

struct nat_ports {
    struct hash_key key;
    pthread_mutex_t lock;                 /* to add a pool */
    _Atomic uint32_t n_pools;
    struct nat_pool *_Atomic *pools;      /* open addressing */
};

void nat_ports_init(struct nat_ports *, struct hash_key);
void nat_ports_fini(struct nat_ports *);

/* NULL: there is none (and, if it was to be made, are too many). */
struct nat_pool *nat_ports_pool(struct nat_ports *, uint16_t zone,
                                uint8_t family, uint8_t proto,
                                const struct ip6_addr *, bool make);

/* Claims `wanted` if it is free and `is_kept`, else a port of min..max: of the same
 * parity while there is one (RFC 4787 section 4.2.2), searched from where `start`
 * says.  False: every port is taken. */
bool nat_pool_claim(struct nat_pool *, uint16_t wanted, bool is_kept,
                    uint16_t min, uint16_t max, uint32_t start,
                    uint16_t *port);
void nat_pool_release(struct nat_pool *, uint16_t port);

#endif
