/* Credits: whom the packets of a cached answer count for.
 *
 * A cache entry carries a credit number and counts its packets.  The number
 * names a record here that lists what its packets are credited to: flow
 * entries, groups and buckets, tables, a station of the fdb, frozen states.
 *
 * Counts are exact: a record remembers how much of the entry's count was passed
 * on; pushers raise that mark by compare-and-swap, and who raised it from a to b
 * passes on b - a.  So the revalidator and the worker (when the entry goes) may
 * push the same entry at once.
 *
 * Life: made by the worker that translates, ended by credit_end() when the entry
 * is gone; the memory is used again after a grace period.  Each worker owns a
 * shard; ended records come home by a lock-free stack. */
#ifndef WEFT_SWITCH_CREDIT_H
#define WEFT_SWITCH_CREDIT_H

#include "switch/fdb.h"
#include "switch/recirc.h"
#include "switch/tables.h"

struct credits;

enum credit_kind {
    CREDIT_ENTRY,                 /* a: flow entry id */
    CREDIT_TABLE_MATCHED,         /* a: table */
    CREDIT_TABLE_MISSED,          /* a: table */
    CREDIT_GROUP,                 /* a: group id, b: its credit */
    CREDIT_BUCKET,                /* a: group id, b: the bucket's credit */
    CREDIT_STATION,               /* a: mac and vid, b: port, generation */
    CREDIT_RECIRC,                /* a: recirculation id (a reference) */
    CREDIT_LEARNED,               /* a: id of the entry that the packets teach,
                                     b: its stamp */
    CREDIT_RECHECK,               /* the answer holds for a while only */
    CREDIT_FINISHED,              /* a: entry id, b: idle timeout above the hard
                                     one: a connection of it ended */
};

struct credit_target {
    enum credit_kind kind;
    uint64_t a, b;
};

/* A list under construction. */
struct credit_list {
    unsigned int n, size;
    struct credit_target *targets;
};

void credit_list_fini(struct credit_list *);
void credit_list_add(struct credit_list *, enum credit_kind, uint64_t a,
                     uint64_t b);
void credit_list_add_station(struct credit_list *, struct fdb_key,
                             uint32_t port, uint32_t generation);

struct learning;
struct credits *credits_create(struct tables *, struct fdb *,
                               struct recirc *, struct learning *);
/* Nobody uses it any more; waits for a grace period. */
void credits_destroy(struct credits *);

/* Worker `worker`: a record of the list (whose memory it takes over).  0: there
 * are too many records; nobody is credited. */
uint64_t credit_begin(struct credits *, unsigned int worker,
                      struct credit_list *);
/* Any RCU reader that knows of a living cache entry: it counted so much so
 * far.  False: what it depends on has changed (an entry that its packets teach
 * is gone), and it is time to ask again. */
bool credit_push(struct credits *, uint64_t credit, uint64_t packets,
                 uint64_t bytes, msec used);
/* The entry is gone, its final counts.  Once per record. */
void credit_end(struct credits *, uint64_t credit, uint64_t packets,
                uint64_t bytes, msec used);
/* For an answer that is used once and not kept: passes on, and frees the list.
 * Any RCU reader. */
void credit_once(struct credits *, struct credit_list *, uint64_t packets,
                 uint64_t bytes, msec used);
/* How many records live: for leak checks. */
uint64_t credits_count(const struct credits *);

#endif
