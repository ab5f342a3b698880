/* The data path: what almost every packet meets.
 *
 *     port rx -> flow key -> flow cache -> actions -> port tx
 *                               | miss
 *                               v
 *                         upcall (translate) -> cache entry + actions
 *
 * A worker (worker.c) owns a set of (port, rx queue) pairs, a packet pool and a
 * flow cache; it sleeps in epoll when idle and polls while busy.  A miss calls
 * the upcall function that the switch handed down; the answer is an action list
 * and the mask of the bits it depended on, which become a cache entry.
 *
 * Consistency.  The switch publishes a change and then calls
 * datapath_invalidate(): when it returns, no cache entry that the change can
 * touch is used any more; when datapath_quiesce() returns, no packet is in
 * flight that was looked up before.  An entry made from older tables while the
 * change was published notices by its version and is thrown away.
 *
 * Threads: everything here but the upcall runs on the control thread unless it
 * says otherwise; the upcall runs on workers, RCU-online (liburcu QSBR). */
#ifndef WEFT_DATAPATH_DATAPATH_H
#define WEFT_DATAPATH_DATAPATH_H

#include "datapath/action.h"
#include "datapath/drop.h"
#include "packet/flow.h"
#include "port/port.h"

enum {
    DP_MAX_PORTS = 16384,             /* port ids are below */
    DP_MAX_WORKERS = 16,
    DP_MAX_METERS = 16384,
    DP_MAX_RECIRC = 8,                /* passes of one packet */
};

struct datapath;

/* A miss, and its answer. */
struct upcall {
    /* Question.  Packet and key are borrowed; pkt's offsets are set. */
    const struct packet *pkt;
    const struct flow_key *key;
    unsigned int worker;
    msec now;

    /* Answer.  Starts empty: mask of nothing, no actions. */
    struct flow_mask mask;            /* bits of the key it depended on; the
                                         pipeline's part is ignored */
    struct dp_actions actions;
    uint64_t version;                 /* tables_version() it was made from */
    uint64_t tables[4];               /* bitmap: which tables were looked into */
    uint64_t rewritten;               /* key words that were changed before some
                                         lookup: invalidation ignores them */
    uint64_t credit;                  /* what the entry's packets are credited
                                         to; the switch's number, 0: nothing */
    bool no_cache;                    /* good for this packet only */
    bool is_held;                     /* nothing is done: the switch has taken a
                                         copy, which goes on later */
};

/* What the switch hands down.  Called on workers, must not block. */
struct datapath_calls {
    void (*upcall)(void *aux, struct upcall *);
    /* A packet for the controller; borrowed.  False: the queue is full (counted
     * as DROP_CONTROLLER_QUEUE). */
    bool (*packet_in)(void *aux, const struct packet *,
                      const struct flow_key *,
                      const struct dp_action_controller *);
    /* An entry is gone; its final counters.  Also for packets that ran without
     * an entry (no_cache). */
    void (*credit_done)(void *aux, uint64_t credit, uint64_t packets,
                        uint64_t bytes, msec used);
    uint64_t (*version)(void *aux);   /* tables_version(), read with
                                         sequential consistency */
    void *aux;
};

struct datapath_config {
    unsigned int n_workers;           /* default 1 */
    uint32_t max_entries;             /* per switch; default 256k */
    uint32_t max_masks;               /* per switch; default 512 */
    uint32_t port_share;              /* a port may have 1/n of each; 4 */
    uint32_t upcalls_per_second;      /* per port; default 100k, 0: no limit */
    struct ct_config ct;              /* of the connection tracker; slots are
                                         given out here */
    bool no_cache;                    /* every packet climbs (tests) */
    bool inline_only;                 /* no threads: datapath_poll_once() */
};

#define DATAPATH_COUNTERS(X)                                                 \
    X(packets, "packets looked up")                                          \
    X(hits_l1, "found by signature")                                         \
    X(hits_l2, "found under a mask")                                         \
    X(misses, "not in the cache")                                            \
    X(masks_probed, "masks looked under")                                    \
    X(upcalls, "translations")                                               \
    X(revalidations, "translations of stale entries")                        \
    X(inserts, "cache entries made")                                         \
    X(inserts_exact, "of these exact ones, over the mask quota")             \
    X(evictions, "cache entries that made room")                             \
    X(invalidations, "cache entries made stale by changes")                  \
    X(races, "entries thrown away because tables changed meanwhile")         \
    X(recirculations, "packets that went through again")                     \
    X(samples, "packets that sample actions took")                           \
    X(polls, "turns of the worker's loop")                                   \
    X(sleeps, "times the worker slept")

struct datapath_counters {
#define X(NAME, TEXT) uint64_t NAME;
    DATAPATH_COUNTERS(X)
#undef X
};

struct datapath *datapath_create(const struct datapath_config *,
                                 const struct datapath_calls *);
/* Ports must have been removed. */
void datapath_destroy(struct datapath *);

/* Starts or stops moving packets of a port (whose id is its place); remove
 * returns when no worker can still be inside it.  -EEXIST, -ERANGE. */
int datapath_add_port(struct datapath *, struct port *);
void datapath_remove_port(struct datapath *, struct port *);
/* Control thread, every second or on netlink news: closes failed ports and
 * opens those whose device came back.  Calls `changed` for each that turned. */
void datapath_check_ports(struct datapath *,
                          void (*changed)(void *aux, struct port *),
                          void *aux);

/* A change of tables: entries that looked into `table` and can hold packets of
 * value/mask must go (their next packet is translated anew). */
struct datapath_change {
    uint8_t table;
    const struct flow *value;         /* NULL: all that looked into table */
    const struct flow_mask *mask;
};
void datapath_invalidate(struct datapath *, const struct datapath_change *,
                         unsigned int n);
void datapath_invalidate_all(struct datapath *);
/* Returns when every worker has begun a batch after this call. */
void datapath_quiesce(struct datapath *);

/* Frames wait in the devices until datapath_resume(): for a start that has no
 * flow entries yet, and for an end whose successor will serve what comes.  What
 * was received before is sent when datapath_pause() returns. */
void datapath_pause(struct datapath *);
void datapath_resume(struct datapath *);

/* Sets or clears (NULL) the meter in `slot`: bands' token buckets start full.
 * Band counters: datapath_meter_stats. */
struct dp_meter_config {
    bool is_pktps, has_burst;
    unsigned int n_bands;
    struct dp_band_config {
        bool is_dscp_remark;
        uint8_t prec_level;
        uint32_t rate, burst;         /* kb/s and kb, or packets */
    } bands[8];
};
struct dp_meter_stats {
    uint64_t packets, bytes;
    struct {
        uint64_t packets, bytes;
    } bands[8];
};
int datapath_set_meter(struct datapath *, uint32_t slot,
                       const struct dp_meter_config *);
bool datapath_meter_stats(const struct datapath *, uint32_t slot,
                          struct dp_meter_stats *);

/* Which options of tunnels are fields of the key (copied; NULL: none). */
void datapath_set_tunnel_options(struct datapath *,
                                 const struct tunnel_option_map *);
/* Under RCU; NULL: none. */
const struct tunnel_option_map *
datapath_tunnel_options(const struct datapath *);

/* Runs actions on a packet outside of any batch (packet-out, learning packets
 * that waited): handed to a worker.  Takes the packet's bytes by copy. */
int datapath_inject(struct datapath *, const void *frame, uint32_t len,
                    uint32_t in_port, struct dp_action_list);
/* False: so many wait that who can wait, should.  (They are taken all the same:
 * what waits is bounded by who asks first.) */
bool datapath_has_inject_room(const struct datapath *);
/* The same, of a packet with what is known and owed about it (offloads, which
 * pass it is in). */
int datapath_inject_packet(struct datapath *, const struct packet *,
                           struct dp_action_list);

/* ---- Cache entries, for lists and the revalidator; under RCU ---- */

struct dp_entry_view {
    unsigned int worker;
    const void *entry;                /* for datapath_remove_entry */
    uint64_t credit;
    uint64_t packets, bytes;
    msec created, used;
    bool stale, exact;
    struct flow value;                /* key bits, masked */
    struct flow_mask mask;
    struct dp_action_list actions;    /* borrowed, under RCU */
};
/* `full` false: value, mask and actions are left out (fast). */
void datapath_visit_entries(struct datapath *, bool full,
                            bool (*visit)(void *aux,
                                          const struct dp_entry_view *),
                            void *aux);
/* Asks the worker to drop an entry (idle).  Any thread, under RCU. */
void datapath_remove_entry(struct datapath *, unsigned int worker,
                           const void *entry);

/* Its connections.  The control thread's slot is datapath_ct_slot(). */
struct conntrack *datapath_conntrack(const struct datapath *);
unsigned int datapath_ct_slot(const struct datapath *);

void datapath_read_counters(const struct datapath *,
                            struct datapath_counters *);
struct dp_cache_size {
    uint32_t n_entries, n_masks, max_entries, max_masks;
};
void datapath_cache_size(const struct datapath *, struct dp_cache_size *);
/* Drops by reason; of one port (as ingress), or NULL for all. */
void datapath_read_drops(const struct datapath *, const struct port *,
                         uint64_t drops[N_DROP_REASONS]);

/* Copies of what a port receives and sends, for `weft capture`: the worker
 * calls `tap` for each packet (borrowed) until it is removed (NULL). */
typedef void datapath_tap(void *aux, const struct packet *, bool is_tx);
int datapath_set_tap(struct datapath *, struct port *, datapath_tap *,
                     void *aux);

/* inline_only: one turn over all ports on the calling thread; returns how many
 * packets were received.  For benchmarks and tests. */
unsigned int datapath_poll_once(struct datapath *);

#endif
