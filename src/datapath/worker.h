/* A forwarding worker: polls its ports, looks packets up, carries out.
 *
 * Inside datapath/ only; datapath.h is the front door.
 *
 * A worker's turn:
 *     commands (new set of ports, injected packets, housekeeping)
 *     each active source: rx -> flow_key_extract -> cache -> actions -> tx
 *     RCU quiescent state
 * When nothing came it sleeps in epoll until a device, a timer or another thread
 * wakes it. */
#ifndef WEFT_DATAPATH_WORKER_H
#define WEFT_DATAPATH_WORKER_H

#include <pthread.h>

#include "datapath/flow_cache.h"
#include "datapath/meter.h"
#include "lib/rng.h"
#include "port/underlay.h"

/* A capture: who wants copies. */
struct port_tap {
    datapath_tap *tap;
    void *aux;
};

/* A port as one worker sees it.  Made when the id is first used, kept for good:
 * cached actions may name it after the port is gone. */
struct worker_port {
    _Atomic(struct port *) port;        /* NULL: no such port now */
    _Atomic(const struct port_tap *) tap;
    pthread_mutex_t *tx_lock;           /* NULL: this worker's own tx queue */
    unsigned int txq;
    _Atomic uint32_t underlay;          /* a tunnel's: the port that carries its
                                           packets, or 0 */
    uint32_t id;
    bool is_dirty;                      /* `out` has packets */
    struct batch out;
    nsec upcall_tat;                    /* token bucket of its misses (GCRA) */
    _Atomic uint64_t drops[N_DROP_REASONS];     /* of what came in by it */
};

/* One rx queue that this worker polls. */
struct source {
    struct port *port;
    struct worker_port *wp;
    unsigned int queue;
    struct underlay *underlay;          /* tunnels may take what it brings */
    int fd;                             /* -1: polled, or by time */
    bool is_active;                     /* polled in every turn */
    bool is_watched;                    /* by epoll, when it has a device */
    uint8_t n_empty;                    /* turns without a packet */
};

/* The set of sources, in order of port and queue; replaced whole by the control
 * thread. */
struct sources {
    unsigned int n;
    struct source list[];
};

/* A packet-out on its way to the worker, or a packet that was held. */
struct inject {
    struct inject *next;
    struct packet pkt;            /* its bytes lie behind the actions */
    uint32_t actions_len;
    uint64_t bytes[];             /* the actions, then the frame */
};

struct worker_counters {
#define X(NAME, TEXT) _Atomic uint64_t NAME;
    DATAPATH_COUNTERS(X)
#undef X
};

struct worker {
    struct datapath *dp;
    unsigned int index;
    struct packet_pool *pool;
    struct worker_port **ports;         /* by id; entries appear, never go */
    struct flow_cache cache;
    struct worker_counters counters;

    nsec now;                           /* of this turn */
    msec now_ms;
    /* Ports with packets to send; a tunnel's underlay again when it was before
     * the tunnel. */
    uint32_t dirty[2 * DP_MAX_PORTS];
    unsigned int n_dirty;

    /* At most half of the time for misses while there are hits. */
    nsec window_start, window_miss;
    unsigned int window_n_misses;
    nsec window_cpu;              /* the thread's time when it began */
    bool window_has_hits;

    struct sources *sources;            /* in use */
    int epoll_fd, event_fd;
    unsigned int since_epoll;
    nsec last_work;                     /* the latest turn with packets */
    nsec spin;                          /* then look on for so long */

    /* Written by other threads. */
    _Atomic(struct sources *) new_sources;      /* to adopt, or NULL */
    _Atomic(struct inject *) injects;           /* last in, first out */
    _Atomic uint32_t n_injects;
    _Atomic bool stop;
    _Atomic bool is_paused;                     /* receives nothing */
    _Atomic uint64_t n_invalidated;
    /* Read by other threads. */
    _Atomic uint64_t turns;
    _Atomic bool is_sleeping;
    pthread_t thread;

    struct rng rng;                     /* which packets are samples */
    msec swept;                         /* when it looked for connections that
                                           are over */

    struct flow_key keys[DP_MAX_RECIRC][BATCH_MAX];
};

/* Packets that go through an action list together, with the keys they came
 * by.  `n` shrinks as packets are dropped. */
struct run {
    unsigned int n;
    struct packet *pkts[BATCH_MAX];
    const struct flow_key *keys[BATCH_MAX];
};

static inline void
count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed)
                          + n, memory_order_relaxed);
}

/* datapath.c */
const struct datapath_calls *datapath_calls(const struct datapath *);
const struct datapath_config *datapath_config(const struct datapath *);
struct dp_meter *datapath_meter(const struct datapath *, uint32_t slot);

/* worker.c */
int worker_init(struct worker *, struct datapath *, unsigned int index);
void worker_fini(struct worker *);
int worker_start(struct worker *);
void worker_stop(struct worker *);
void worker_wake(struct worker *);
/* One turn without sleeping; returns packets received. */
unsigned int worker_turn(struct worker *);
/* Looks packets up and carries out what is found; takes the batch. */
void worker_process(struct worker *, struct batch *, unsigned int depth);
void worker_drop(struct worker *, struct packet *, enum drop_reason);
struct worker_port *worker_port(struct worker *, uint32_t id);

/* output.c */
/* Queues a packet for a port; takes it. */
void output_packet(struct worker *, uint32_t port, struct packet *);
/* Sends copies now; the run keeps its packets. */
void output_copies(struct worker *, uint32_t port, struct run *);
void output_flush(struct worker *);

/* execute.c */
/* Carries out a list; takes all packets of the run. */
void execute(struct worker *, struct run *, struct dp_action_list,
             unsigned int depth);

/* act_ct.c */
/* Those whose connections there is no room for are dropped. */
void act_ct(struct worker *, struct run *, const struct dp_action_ct *);
void act_ct_clear(struct run *);
/* Ends some connections whose time is over; once a millisecond. */
void act_ct_sweep(struct worker *);

#endif
