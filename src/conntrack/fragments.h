/* Fragments: what the first one is, the others are.
 *
 * Only the first fragment of a datagram says whose it is.  So its verdict is kept, by
 * zone, addresses, protocol and identification, and later fragments inherit it; one
 * that comes before the first waits for it.  Nothing is put together.
 *
 *   - Fragments that overlap end the datagram (RFC 5722, RFC 8200 section 4.5); the
 *     same one once more is dropped alone.
 *   - A first fragment must hold its transport's whole header.
 *   - Datagrams, packets that wait, and the time they do, are bounded; who comes
 *     when there is no room is dropped.
 *
 * Any thread; a lock is held for one fragment's sake at a time. */
#ifndef WEFT_CONNTRACK_FRAGMENTS_H
#define WEFT_CONNTRACK_FRAGMENTS_H

#include "conntrack/tuple.h"
#include "lib/hash.h"

enum {
    FRAGMENTS_MAX = 4096,         /* datagrams at a time */
    FRAGMENTS_WAITING = 512,      /* packets that wait, in all, */
    FRAGMENTS_EACH = 8,           /* and of one datagram */
    FRAGMENTS_RANGES = 64,        /* fragments of one datagram */
    FRAGMENTS_TIME = 30 * 1000,   /* msec until the rest is not waited for */
    FRAGMENTS_LINGER = 1000,      /* and after the last one */
};

/* What the first one turned out to be. */
struct fragment_verdict {
    uint8_t state;            /* enum flow_ct_state */
    bool is_reply;
    uint32_t conn, generation;
    struct ct_tuple tuple;    /* as it came */
    struct ip6_addr src, dst; /* as it left */
};

enum fragment_fate {
    FRAGMENT_FOUND,           /* the verdict is there */
    FRAGMENT_WAITS,           /* the packet was taken */
    FRAGMENT_BAD,             /* overlaps, or is there already */
    FRAGMENT_FULL,            /* no room */
};

struct fragments;

struct fragments *fragments_create(struct hash_key);
/* Frees packets that wait. */
void fragments_destroy(struct fragments *);

/* A first fragment comes: may it be tracked?  (FRAGMENT_FOUND: yes.)  `again`: it
 * was here before, on its way through the tables. */
enum fragment_fate fragments_first(struct fragments *,
                                   const struct ct_packet *, bool again,
                                   msec now);
/* It was: this is its verdict.  Returns who waited for it, a list by `next`. */
struct packet *fragments_decided(struct fragments *, const struct ct_packet *,
                                 const struct fragment_verdict *, msec now);
/* A later one. */
enum fragment_fate fragments_later(struct fragments *,
                                   const struct ct_packet *, struct packet *,
                                   bool again, msec now,
                                   struct fragment_verdict *);

/* Packets that have waited long enough, a list by `next`; looks at some. */
struct packet *fragments_expire(struct fragments *, msec now);
unsigned int fragments_n_waiting(const struct fragments *);

#endif
