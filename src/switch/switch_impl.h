/* Inside of the switch: what its files share.  See switch.h. */
#ifndef WEFT_SWITCH_SWITCH_IMPL_H
#define WEFT_SWITCH_SWITCH_IMPL_H

#include "switch/learn.h"
#include "switch/pipeline.h"
#include "switch/revalidate.h"
#include "switch/switch.h"

struct own_port {
    struct switch_port public;    /* first */
    bool is_dirty;                /* settings wait for the next publish */
};

struct switch_ {
    struct switch_config config;
    struct flow_text_names names;
    struct port_env port_env;
    struct port_registry *own_registry;
    struct tables *tables;
    struct fdb *fdb;
    struct port_holds *holds;
    struct recirc *recirc;
    struct port_maps port_maps;
    struct meter_map meters;
    struct tlv_map tlv_map;
    struct pipeline pipeline;
    struct datapath *dp;
    struct revalidator *revalidator;
    struct learning *learning;

    struct own_port *ports[DP_MAX_PORTS];
    enum of_frag fragments;
    bool ports_dirty;             /* some port is, or fragments are treated
                                     otherwise */
    uint32_t link_asked;          /* the port that was asked last for its link */
    bool meters_changed;         /* slots wait for the next publish */

    struct switch_watch watch;
    struct switch_waiter *waiters;          /* for the end of a bundle */

    bool is_staged;               /* something waits for a publish since: */
    msec staged_since;
    msec next_expire, next_port_check, next_link_check, next_sweep;
    msec now;                     /* of the last call that said so */

    /* Set by any thread; taken by switch_run(). */
    atomic_bool fdb_changed;
};

/* ---- switch.c ---- */

void switch_stage(struct switch_ *, msec now);
/* Everything staged becomes visible, then what was cached from before it is
 * dropped. */
void switch_publish(struct switch_ *);
/* What was decided before is not used any more, whatever it was about. */
void switch_drop_answers(struct switch_ *);
/* Drops the answers that the fdb's changes made wrong. */
void switch_apply_fdb_changes(struct switch_ *);

void switch_tell_port(struct switch_ *, enum switch_port_event,
                      const struct own_port *);

/* ---- switch_meter.c ---- */

/* Meter slots that were given up are free when no packet can meet them. */
void switch_settle_meters(struct switch_ *);

/* ---- switch_bundle.c ---- */

void switch_wake_waiters(struct switch_ *);

/* ---- switch_learn.c ---- */

/* What packets that wait are to teach becomes visible, and they go on; after a
 * bundle, if there is one. */
void switch_learn(struct switch_ *, msec now);
void switch_apply_learns(struct switch_ *, const struct learn_list *,
                         msec now);

/* ---- switch_hold.c ---- */

/* A station moves too often: fdb_config. */
void switch_hold_port(void *sw, struct fdb_key, uint32_t port, uint32_t home);
/* Says what is held and what no more; returns when to call again. */
msec switch_run_holds(struct switch_ *, msec now);

/* ---- switch_tlv.c ---- */

/* Is what a request says of tunnels' options mapped? */
enum of_error switch_check_options(const struct switch_ *,
                                   const struct flow_mod *, struct str *why);
enum of_error switch_check_bucket_options(const struct switch_ *,
                                          const struct group_mod *,
                                          struct str *why);

/* ---- switch_port.c ---- */

/* Makes dirty settings visible to translation. */
void switch_publish_ports(struct switch_ *);
/* Looks whether links went up or down; at long intervals also for devices that
 * came back. */
void switch_check_ports(struct switch_ *, bool devices);

/* switch_ct.c */
/* When to call again. */
msec switch_sweep_connections(struct switch_ *, msec now);

#endif
