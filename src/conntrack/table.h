/* Where connections are kept.
 *
 * Connections lie in slabs and are named by 32-bit ids; a slab is made when it is
 * needed and stays until the end, so that an id always leads to a connection,
 * though perhaps to another one than it was.  IPv4's are CT_CONN4_SIZE bytes,
 * IPv6's CT_CONN6_SIZE.
 *
 * Each is found by two tuples, one per direction.  A tuple's hash chooses a bucket,
 * which is a chain of links, each an id and a direction.  There are as many buckets
 * as there may be links, from the start: a table that grows would stop everybody
 * while it does.  Neighbouring buckets share a lock: they are a shard.
 *
 *   - A shard's lock is held to link and unlink, never while waiting for a
 *     connection's lock.
 *   - A lookup takes neither: it walks the chain, takes the lock of the one
 *     connection whose hash fits, and only then compares the tuple: what it finds
 *     under the lock is true.  What it does not find counts only if the shard's
 *     sequence number did not move meanwhile (an unlinked entry may lead the walk
 *     into another chain).
 *   - What the tuples say is written before a connection is linked and stays until
 *     it is unlinked.
 *
 * A connection's life: FREE -> (filled in, linked) ALIVE -> DYING (nobody finds
 * it) -> unlinked, another generation, FREE.  Who sets DYING unlinks. */
#ifndef WEFT_CONNTRACK_TABLE_H
#define WEFT_CONNTRACK_TABLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "conntrack/conntrack.h"
#include "lib/hash.h"

enum {
    CT_CONN4_SIZE = 128,
    CT_CONN6_SIZE = 192,
    CT_SLAB = 1024,               /* connections */
};

enum ct_life { CT_FREE, CT_ALIVE, CT_DYING };

/* One end of a connection, as its protocol needs it. */
struct ct_peer {
    union {
        uint32_t end;             /* TCP: behind the last byte it sent */
        be32 tag;                 /* SCTP: that packets to it carry; 0: unknown */
    };
    uint32_t limit;               /* TCP: it may send up to here */
    uint16_t window;              /* TCP: the largest it announced, unscaled */
    uint8_t scale;                /* enum tcp_scale, and the shift */
    uint8_t state;                /* enum tcp_state, enum sctp_state */
};

struct ct_conn {
    /* What a lookup and the sweep read: one cache line. */
    _Atomic uint8_t lock;
    _Atomic uint8_t life;         /* enum ct_life */
    uint8_t family;               /* of the slab: never changes, as id */
    uint8_t proto;
    uint32_t id;
    _Atomic uint32_t generation;
    _Atomic uint32_t next[2];     /* link behind this one, by direction */
    _Atomic uint32_t hash[2];     /* which bucket, by direction */
    uint16_t zone;
    bool is_answered;
    uint8_t nat;                  /* FLOW_CT_SNAT, FLOW_CT_DNAT: what it does to
                                     packets of the original direction */
    _Atomic msec expires;
    be16 ports[2][2];             /* by direction: source, destination */
    be32 addrs4[2][2];            /* the same; IPv4's */

    struct ct_peer peers[2];      /* who began it, the other one */
    uint32_t mark;
    uint32_t mapping;             /* of NAT (nat.h); 0: none */
    struct ip6_addr label;
    uint64_t bytes[2];
    struct ip6_addr addrs6[];     /* IPv6's, in the same order */
};
static_assert(sizeof(struct ct_conn) <= CT_CONN4_SIZE,
              "connections grew: revisit CT_CONN4_SIZE and CT_CONN6_SIZE");
static_assert(CT_CONN4_SIZE + 4 * sizeof(struct ip6_addr) <= CT_CONN6_SIZE,
              "the same");

struct ct_table;

struct ct_table *ct_table_create(uint32_t max, unsigned int n_slots,
                                 struct hash_key);
/* Nobody uses it any more. */
void ct_table_destroy(struct ct_table *);

uint64_t ct_table_hash(const struct ct_table *, const struct ct_tuple *);
void ct_table_prefetch(const struct ct_table *, uint64_t hash);
/* Then: what the walk of ct_table_find() meets first. */
void ct_table_prefetch_conn(const struct ct_table *, uint64_t hash);

/* The live connection that has this tuple in direction `*dir`, locked; NULL: there
 * is none.  It may be over (see ct_conn.expires). */
struct ct_conn *ct_table_find(struct ct_table *, const struct ct_tuple *,
                              uint64_t hash, unsigned int *dir);
/* That connection, locked, if it still is the same; NULL. */
struct ct_conn *ct_table_get(struct ct_table *, uint32_t id,
                             uint32_t generation);
void ct_conn_unlock(struct ct_conn *);

/* A new one to be filled in, locked by the caller, with its tuples; NULL: the
 * table is full. */
struct ct_conn *ct_table_alloc(struct ct_table *, unsigned int slot,
                               const struct ct_tuple *original,
                               const struct ct_tuple *reply);
/* Puts it in place; it stays locked.  False: there is a connection with one of the
 * tuples already; the new one is given back. */
bool ct_table_insert(struct ct_table *, unsigned int slot, struct ct_conn *,
                     uint64_t hash, uint64_t reply_hash);
/* Is there a live connection of this tuple? */
bool ct_table_has(struct ct_table *, const struct ct_tuple *, uint64_t hash);

/* Ends a connection that the caller has locked and found alive; unlocks it. */
void ct_table_remove(struct ct_table *, unsigned int slot, struct ct_conn *);

struct ct_tuple ct_conn_tuple(const struct ct_conn *, unsigned int dir);

/* Places in all, and what lies there; NULL: no connection is alive. */
uint32_t ct_table_n_places(const struct ct_table *);
struct ct_conn *ct_table_place(const struct ct_table *, uint32_t id);
void ct_conn_lock(struct ct_conn *);

/* Numbers that nobody outside can guess. */
uint32_t ct_table_random(struct ct_table *, unsigned int slot);

uint64_t ct_table_memory(const struct ct_table *);
uint64_t ct_table_retries(const struct ct_table *);

#endif
