/* Translation: from a packet and the tables to an action list and the mask of
 * the bits it depended on.
 *
 *     translate.c         the pipeline: tables, instructions, the action set
 *     translate_action.c  one function per action
 *     translate_group.c   groups and their buckets
 *     translate_egress.c  egress tables, before an output
 *     translate_tunnel.c  what tells a packet by which tunnel it leaves
 *     translate_balance.c multipath and bundle
 *     translate_ct.c      connection tracking
 *     translate_learn.c   learn and fin_timeout
 *     translate_freeze.c  what is left to do after another pass
 *     normal.c            the learning bridge
 *     flow_view.c         every read of the flow, and so the mask
 *
 * Runs on workers (RCU-online; takes no lock and does not wait) and, for trace,
 * on the control thread.  It changes nothing but the fdb (learning), and not
 * even that without effects. */
#ifndef WEFT_SWITCH_TRANSLATE_H
#define WEFT_SWITCH_TRANSLATE_H

#include "lib/hash.h"
#include "switch/credit.h"
#include "switch/fdb.h"
#include "switch/meter_map.h"
#include "switch/packet_in.h"
#include "switch/port_map.h"
#include "switch/recirc.h"
#include "switch/tables.h"
#include "switch/trace.h"

/* Bounds of one packet's translation, over all its passes where it says so;
 * beyond, the packet is dropped as DROP_TRANSLATE_LIMIT. */
enum {
    TRANSLATE_MAX_LOOKUPS = 4096,       /* all passes */
    TRANSLATE_MAX_DEPTH = 64,           /* resubmits, groups, clones nested */
    TRANSLATE_MAX_STACK = 64,           /* pushed values */
    TRANSLATE_MAX_SET = 16384,          /* bytes of action set */
    TRANSLATE_MAX_LEAVING = 16,         /* ports: egress inside of egress */
};

/* In upcall.tables: this answer asked the fdb.  No table has the number. */
enum { TABLE_OF_NORMAL = N_TABLES };

struct learning;
struct learn_list;

struct translate_env {
    struct tables *tables;
    const struct learning *learning;
    struct fdb *fdb;
    struct port_holds *holds;
    struct recirc *recirc;
    struct port_maps *ports;
    const struct meter_map *meters;
    const struct datapath *dp;          /* NULL: no options of tunnels */
    struct hash_key group_key;          /* which bucket of a select group */
    atomic_uint unasked;                /* enum unasked */
};

struct translate_options {
    msec now;
    bool no_effects;
    struct trace *trace;                /* NULL: none */
    /* What the packet is to learn first; NULL: it was learned (or will not
     * be). */
    struct learn_list *learns;
    /* Actions of a packet-out instead of table 0. */
    const struct action_list *packet_out;
    /* A paused packet that goes on; the flow has what its controller made of
     * registers, metadata and tunnel. */
    const struct recirc_state *resumed;
    /* The packet goes through again under this id; then it may be (as far as is
     * known) this flow. */
    /* Trace: what the connection tracker may make of the flow, in its ct_
     * fields; NULL: nobody knows. */
    void (*track)(void *aux, const struct ct_request *, struct flow *);
    void (*recirculated)(void *aux, uint32_t id, const struct flow *);
    void *aux;
};

/* Fills in the upcall's answer, but for version and credit, and adds to the list
 * whom the packets are credited to. */
void translate(const struct translate_env *, const struct translate_options *,
               const struct flow *, struct upcall *, struct credit_list *);

/* The bucket of a select group that a flow with this hash takes, -1: none is
 * live.  (For the property test's naive twin.) */
int translate_pick_bucket(const struct translate_env *, const struct group *,
                          uint64_t version, uint64_t flow_hash);

/* Can this member of a bundle be sent to?  (For the same.) */
bool translate_member_is_live(const void *env, uint32_t port);

#endif
