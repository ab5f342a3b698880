/* The learning table of NORMAL: which port a station is behind, by VLAN.
 *
 * Workers learn and look up while they translate; the control thread removes
 * (ageing, flush); the revalidator refreshes stations whose packets do not
 * climb any more.  Nobody takes a lock: the table is a lock-free hash, an
 * entry's port and time are atomics, and what is removed is freed after a grace
 * period.
 *
 * A station that appears, moves or goes makes cached answers wrong.  It is put
 * on the list of changes, from which fdb_changes() hands it to the control
 * thread, which drops those answers.  Until then packets take the old path, as
 * they do while a frame is on its way to any bridge.
 *
 * Limits: at most `max` stations, `max_per_port` behind one port.  Beyond,
 * nothing new is learned (and counted as refused) until others age out;
 * frames to unknown stations are flooded. */
#ifndef WEFT_SWITCH_FDB_H
#define WEFT_SWITCH_FDB_H

#include <stdatomic.h>

#include "datapath/datapath.h"
#include "lib/types.h"

struct fdb;

enum {
    FDB_MOVE_WINDOW_MS = 10 * 1000,
    FDB_SETTLE_MS = 50,           /* after a move */
};

struct fdb_key {
    struct eth_addr mac;
    uint16_t vid;                 /* 0: none */
};

struct fdb_config {
    msec age;                     /* 0: 300 s */
    uint32_t max;                 /* 0: 64k */
    uint32_t max_per_port;        /* 0: a quarter of max */
    /* A station that moves more often than this within FDB_MOVE_WINDOW_MS has
     * no place: `restless` is called, with the port that it was behind before
     * (`home`) and the other one.  0: it is not counted.  Any thread. */
    uint32_t max_moves;
    void (*restless)(void *aux, struct fdb_key, uint32_t port, uint32_t home);
    /* There are changes now (and were none before).  Any thread. */
    void (*changed)(void *aux);
    void *aux;
};

#define FDB_COUNTERS(X)                                                      \
    X(learned, "stations learned")                                           \
    X(moved, "stations that moved to another port")                          \
    X(aged, "stations not heard of for the ageing time")                     \
    X(flushed, "stations removed with their port or by request")             \
    X(refused, "addresses not learned because a limit was reached")

struct fdb_counters {
#define X(NAME, TEXT) uint64_t NAME;
    FDB_COUNTERS(X)
#undef X
};

struct fdb_change {
    struct eth_addr mac;
    bool is_new;                  /* unknown before: frames from it are right */
};

struct fdb_info {
    struct fdb_key key;
    uint32_t port;
    msec used;
};

enum fdb_learned {
    FDB_KNOWN,                    /* was there, behind that port */
    FDB_UNSETTLED,                /* the same, but not for long: an answer must
                                     not be kept, or its moves are missed */
    FDB_LEARNED,
    FDB_MOVED,
    FDB_REFUSED,
};

struct fdb *fdb_create(const struct fdb_config *);
/* Nobody uses it any more.  Not from an RCU reader. */
void fdb_destroy(struct fdb *);

/* ---- Any thread that is an RCU reader ---- */

/* The port, or 0: unknown. */
uint32_t fdb_lookup(const struct fdb *, struct fdb_key);
enum fdb_learned fdb_learn(struct fdb *, struct fdb_key, uint32_t port,
                           msec now);
/* Changes with every flush: what was learned before is not to be refreshed. */
uint32_t fdb_generation(const struct fdb *);
/* Frames of the station were seen at `used`, by an answer of `generation`.
 * Learns it again if it was forgotten (or refused) meanwhile. */
void fdb_refresh(struct fdb *, struct fdb_key, uint32_t port,
                 uint32_t generation, msec used);
void fdb_visit(const struct fdb *,
               bool (*visit)(void *aux, const struct fdb_info *), void *aux);

/* ---- Control thread, registered with RCU and online; may wait for readers
 * ---- */

/* Removes stations not heard of for the ageing time; looks at the whole table
 * at most once per second.  Returns when to call again. */
msec fdb_expire(struct fdb *, msec now);
/* Of one port, one VLAN, one address, or (0, -1, NULL) all.  Returns how
 * many went. */
unsigned int fdb_flush(struct fdb *, uint32_t port, int vid,
                       const struct eth_addr *);
/* Takes up to `max` changes; 0: no more.  An address may occur more than
 * once. */
unsigned int fdb_changes(struct fdb *, struct fdb_change *, unsigned int max);

uint32_t fdb_count(const struct fdb *);
const struct fdb_config *fdb_get_config(const struct fdb *);
void fdb_read_counters(const struct fdb *, struct fdb_counters *);

#endif
