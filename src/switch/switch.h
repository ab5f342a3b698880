/* The switch: the forwarding half's front door.
 *
 * Owns ports, flow tables, the learning table of NORMAL (fdb) and the data path;
 * turns requests into versions of the tables and misses into cache entries.
 *
 *     control thread:  switch_* below -> tables -> publish -> invalidate caches
 *     workers:         upcall -> pipeline.c -> translate.c (-> normal.c, fdb.c)
 *     revalidator:     revalidate.c: ages cache entries, pushes counters
 *
 * Threads: every function is for the control thread unless it says otherwise.
 * That thread is registered with RCU (lib/rcu.h), and offline while it sleeps.
 * Changes become visible in batches: at switch_barrier(), or SWITCH_PUBLISH_MS
 * after the first (call switch_run()). */
#ifndef WEFT_SWITCH_SWITCH_H
#define WEFT_SWITCH_SWITCH_H

#include "datapath/datapath.h"
#include "switch/connections.h"
#include "switch/fdb.h"
#include "switch/packet_in.h"
#include "switch/port_map.h"
#include "switch/revalidate.h"
#include "switch/tables.h"
#include "switch/tlv_map.h"
#include "switch/trace.h"

struct switch_;

enum { SWITCH_PUBLISH_MS = 1 };

enum fail_mode { FAIL_STANDALONE, FAIL_SECURE };

struct switch_config {
    char name[32];                      /* "br0" */
    uint32_t max_flows;                 /* of all tables; 0: as tables.h says */
    unsigned int n_limits;              /* of single tables, at first */
    const struct switch_limit {
        uint8_t table;
        struct table_policy policy;
    } *limits;
    uint64_t datapath_id;               /* 0: made from the name */
    enum fail_mode fail_mode;           /* secure: starts with empty tables */
    struct datapath_config datapath;
    struct helper *helper;              /* NULL: devices opened directly */
    struct port_registry *registry;     /* where patch ports of several switches
                                           meet; NULL: the switch's own */
    msec fdb_age;                       /* default 300 s */
    uint32_t fdb_max;                   /* default 64k */
    uint32_t fdb_max_per_port;          /* default a quarter */
    uint32_t fdb_max_moves;             /* in 10 s, until a port is held
                                           (port_hold.h); 0: any number */
    /* Something that cannot wait for the time that switch_run() gave waits for
     * it now.  Called on any thread; NULL: nobody asks. */
    void (*wake)(void *aux);
    void *wake_aux;
};

struct switch_port {
    struct port *port;
    uint32_t number;                    /* OpenFlow number == datapath id */
    msec added;
    struct port_vlan vlan;
    bool is_protected;
    bool no_flood, no_fwd, no_packet_in, admin_down;
    bool no_recv;                       /* but spanning tree's frames */
    bool no_recv_stp;                   /* those */
    bool is_up;                         /* its device is there, with a link; as
                                           translation knows it */
    bool is_held;                       /* port_hold.h */
};

struct switch_ *switch_create(const struct switch_config *, msec now);
void switch_destroy(struct switch_ *);

/* Periodic work: publishes, expires, checks ports.  Returns when to call again
 * (msec of the clock). */
msec switch_run(struct switch_ *, msec now);
/* Which packets go to the controller though no action says so (enum unasked);
 * those that missed with PACKET_IN_NO_COOKIE. */
void switch_set_unasked(struct switch_ *, unsigned int what);
/* Everything requested before is visible to every later packet when it
 * returns. */
void switch_barrier(struct switch_ *);

/* Number 0: LOCAL if it is called as the switch, else the lowest that is free.
 * Errors: -EEXIST, -EINVAL, those of open(). */
int switch_add_port(struct switch_ *, const struct port_config *,
                    uint32_t number, struct switch_port **,
                    struct str *error);
int switch_delete_port(struct switch_ *, uint32_t number);
struct switch_port *switch_port_by_number(const struct switch_ *, uint32_t);
struct switch_port *switch_port_by_name(const struct switch_ *, const char *);
/* In order of number; NULL ends. */
struct switch_port *switch_next_port(const struct switch_ *,
                                     const struct switch_port *);
/* Changed settings become visible like table changes. */
int switch_set_port_vlan(struct switch_ *, struct switch_port *,
                         const struct port_vlan *);
int switch_set_port_flags(struct switch_ *, struct switch_port *,
                          bool is_protected, bool no_flood, bool no_recv,
                          bool no_recv_stp, bool no_fwd, bool no_packet_in,
                          bool admin_down);

/* What becomes of fragments that ports receive: they are dropped, or go through
 * the tables, which see their ports (if it is the first one; FRAG_NX_MATCH) or
 * zero in place of them (FRAG_NORMAL). */
void switch_set_fragments(struct switch_ *, enum of_frag);

/* Requests, as a controller or the operator makes them. */
/* A bundle: what is asked for between begin and commit becomes visible together,
 * or after a discard never.  Learning and expiry wait until it is over, and its
 * owner has others wait who read the newest state or change it. */
void switch_begin_bundle(struct switch_ *);
/* And a barrier. */
void switch_commit_bundle(struct switch_ *);
/* Takes back at most `budget` changes; false: there are more. */
bool switch_discard_bundle(struct switch_ *, size_t budget);
bool switch_has_bundle(const struct switch_ *);
/* While there is one: `go_on` is called by switch_run() after it. */
struct switch_waiter {
    void (*go_on)(struct switch_waiter *);
    struct switch_waiter *next;
};
void switch_wait_for_bundle(struct switch_ *, struct switch_waiter *);

enum of_error switch_flow_mod(struct switch_ *, const struct flow_mod *,
                              msec now, struct str *why);
enum of_error switch_group_mod(struct switch_ *, const struct group_mod *,
                               msec now, struct str *why);
enum of_error switch_meter_mod(struct switch_ *, const struct meter_mod *,
                               msec now, struct str *why);

/* What a packet that came in as these bytes is to the tables.  -EBADMSG: not even
 * an Ethernet header; -EMSGSIZE. */
int switch_flow_of_frame(const void *frame, uint32_t len, uint32_t in_port,
                         struct flow *);
/* Carries out actions on a frame, as if it had come in by `in_port` (which may be
 * OFPP_CONTROLLER); output to TABLE sends it through the tables, as the changes
 * before it left them.  `fields` (NULL: none) are metadata, registers, tunnel that
 * it begins with.  -EBADMSG: not even an Ethernet header; -EMSGSIZE. */
int switch_packet_out(struct switch_ *, uint32_t in_port,
                      const struct match *fields, struct action_list,
                      const void *frame, uint32_t len);
/* False: so many frames wait to be carried out that no more should be asked. */
bool switch_has_packet_out_room(const struct switch_ *);
/* A packet that a controller action paused goes on from there; `fields` are
 * in_port, registers, metadata and tunnel as the controller left them.  -ESTALE:
 * its state is gone (or was never there), -EBADMSG, -EMSGSIZE. */
int switch_resume(struct switch_ *, uint32_t id, uint64_t token,
                  const struct match *fields, const void *frame,
                  uint32_t len);
/* The first of the tables that see what leaves (egress.h), N_TABLES: none.  It
 * is so when it returns.  Not while there is a bundle. */
enum of_error switch_set_first_egress(struct switch_ *, unsigned int table);
/* Options of tunnels as fields. */
enum of_error switch_tlv_mod(struct switch_ *, const struct of_tlv_table *,
                             struct str *why);
const struct tlv_map *switch_tlv_map(const struct switch_ *);
/* Who wants to know what happens; one watcher. */
enum switch_port_event { SWITCH_PORT_ADDED, SWITCH_PORT_DELETED,
                         SWITCH_PORT_CHANGED };
struct switch_watch {
    void (*flow_removed)(void *aux, const struct flow_entry *,
                         enum flow_removed_reason);
    /* Its counters crossed a threshold. */
    void (*triggered)(void *aux, const struct flow_entry *);
    /* While tables_watch() is on. */
    void (*entry_changed)(void *aux, const struct table_event *);
    void (*vacancy)(void *aux, uint8_t table, bool is_tight);
    void (*port_event)(void *aux, enum switch_port_event,
                       const struct switch_port *);
    void *aux;
};
void switch_set_watch(struct switch_ *, const struct switch_watch *);

/* False: there is no such meter. */
bool switch_meter_stats(const struct switch_ *, uint32_t meter,
                        struct dp_meter_stats *);

/* Connections (conntrack.h says what there is to ask); those for which `is_it`
 * returns true end, NULL: all.  Returns how many. */
struct conntrack *switch_conntrack(const struct switch_ *);
unsigned int switch_flush_connections(struct switch_ *,
                                      bool (*is_it)(void *aux,
                                                    const struct ct_info *),
                                      void *aux);

/* Those that an earlier process left in a file (connection_file.h). */
int switch_load_connections(struct switch_ *, const char *path, msec now,
                            uint32_t *n);

const struct switch_config *switch_config(const struct switch_ *);
/* Who keeps the sessions (control.h) sees to the entries. */
void switch_set_fail_mode(struct switch_ *, enum fail_mode);
struct tables *switch_tables(const struct switch_ *);
struct datapath *switch_datapath(const struct switch_ *);
struct fdb *switch_fdb(const struct switch_ *);
/* Until when NORMAL leaves a port out, and why, in a sentence; 0: it does
 * not. */
msec switch_port_hold(const struct switch_ *, uint32_t number, struct str *);
/* Packets for the controller; who speaks OpenFlow takes them out. */
struct packet_in_queue *switch_packet_ins(const struct switch_ *);
void switch_read_revalidator(const struct switch_ *,
                             struct revalidate_counters *);
/* Pushes the cache's counters to the entries now (before a list). */
void switch_refresh_counters(struct switch_ *);
const struct flow_text_names *switch_names(const struct switch_ *);

/* ---- Trace: the real translation, telling what it does (trace.h) ---- */

/* Traces a packet that port `in_port` would receive.  Recirculation is followed.
 * Nothing is changed unless `with_effects` (fdb learning).  A packet whose state
 * is tracked comes as any other does; where the connection tracker knows nothing
 * of it, it is told that state, mark and label. */
int switch_trace(struct switch_ *, const struct flow *, bool with_effects,
                 struct trace *, struct str *error);

#endif
