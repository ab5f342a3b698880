/* Mappings: which external address and port an inside one has.
 *
 * Mapping is endpoint-independent (RFC 4787 REQ-1): whomever the inside (zone,
 * protocol, address, port) talks to, it has one external (address, port), and has
 * it as long as one of its sessions lives.  What comes to that port from outside
 * finds the inside by it; whether it is let in is not decided here.
 *
 * A mapping is open once its inside has begun a session: strangers are led to it.
 * One that only keeps a port for sessions which flows lead to an inside is not.
 *
 * Each zone has external ports of its own, or all zones share them: then the outside
 * says in which zone the inside is.
 *
 * Mappings are found by their inside under the lock of one of many shards, and by
 * their outside through its pool (nat_ports.h). */
#ifndef WEFT_CONNTRACK_NAT_MAP_H
#define WEFT_CONNTRACK_NAT_MAP_H

#include "conntrack/nat_ports.h"

struct nat_inside {
    uint16_t zone;
    uint8_t family, proto;
    be16 port;
    struct ip6_addr addr;
};

/* External addresses and ports that may be chosen. */
struct nat_range {
    struct ip6_addr min, max;
    uint16_t port_min, port_max;
    bool is_port_kept;            /* where it is free */
};

struct nat_map;

struct nat_map *nat_map_create(uint32_t max, bool is_shared, struct hash_key);
void nat_map_destroy(struct nat_map *);

/* The mapping of that inside which lies in the range, made if there is none; one
 * reference more.  Returns its id and sets its outside; 0: every port is taken.
 * `hint` spreads threads over the ports. */
uint32_t nat_map_get(struct nat_map *, const struct nat_inside *,
                     const struct nat_range *, uint32_t hint,
                     struct ip6_addr *addr, be16 *port);
/* In which zone is the inside that has this external address and port?  False:
 * nobody has it.  Without a lock: it may end meanwhile. */
bool nat_map_zone(struct nat_map *, const struct nat_inside *outside,
                  uint16_t *zone);
/* Who, of that zone, has this external address and port in an open mapping.  One
 * reference more; 0: nobody. */
uint32_t nat_map_find(struct nat_map *, const struct nat_inside *outside,
                      struct ip6_addr *addr, be16 *port);
/* A mapping of just this outside, for a session from there to that inside.  If the
 * inside cannot have it, that of another of its zone: it says in which zone the
 * session is.  One reference more; 0: another zone has the port. */
uint32_t nat_map_hold(struct nat_map *, const struct nat_inside *,
                      const struct ip6_addr *addr, be16 port);
/* The inside's own, open, for a session that was there before (a snapshot). */
uint32_t nat_map_restore(struct nat_map *, const struct nat_inside *,
                         const struct ip6_addr *addr, be16 port);
/* Is the mapping, of which the caller has a reference, that inside's own, and open?
 */
bool nat_map_is_open(const struct nat_map *, uint32_t id,
                     const struct nat_inside *);
/* One reference less; the last one ends the mapping. */
void nat_map_put(struct nat_map *, uint32_t id);

/* Before nat_map_get(): the place where that begins to look; then what it meets there
 * first. */
void nat_map_prefetch(const struct nat_map *, const struct nat_inside *);
void nat_map_prefetch_mapping(const struct nat_map *,
                              const struct nat_inside *);

uint32_t nat_map_count(const struct nat_map *);
uint64_t nat_map_memory(const struct nat_map *);

#endif
