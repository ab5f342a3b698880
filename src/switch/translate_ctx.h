/* Inside of translation: what its files share.  See translate.h. */
#ifndef WEFT_SWITCH_TRANSLATE_CTX_H
#define WEFT_SWITCH_TRANSLATE_CTX_H

#include "openflow/action.h"
#include "switch/flow_view.h"
#include "switch/packet_in.h"
#include "switch/translate.h"

/* A step that is left to do after another pass: instructions of an entry (in
 * part), or just actions. */
struct frozen_step {
    uint8_t table;
    uint8_t origin;
    be64 cookie;
    uint64_t entry;
    struct instructions ins;      /* meter is done */
};

struct frozen_steps {
    unsigned int n, size;
    struct frozen_step *list;
};

struct translation {
    const struct translate_env *env;
    const struct translate_options *opt;
    const struct port_map *ports;
    uint64_t version;
    struct upcall *up;
    struct credit_list *credits;

    struct flow_view view;
    struct flow_looks looks;

    /* Where we are. */
    uint8_t table;
    be64 cookie;
    uint64_t entry;               /* its id; 0: none */
    uint8_t origin;               /* enum packet_in_reason of our actions */
    unsigned int depth;           /* resubmits and clones around us */
    unsigned int indent;          /* of what the trace says */
    uint32_t n_lookups;
    bool by_original;             /* the next lookup is of the first packet of
                                     the connection */

    struct actions set;           /* the action set, */
    uint8_t set_table;            /* and the entry that wrote to it last */
    be64 set_cookie;
    unsigned int n_stack;
    u128 stack[TRANSLATE_MAX_STACK];

    /* Why the loop over actions ends early. */
    bool exit;                    /* the action "exit" */
    bool dropped;                 /* the packet ended: no action set either */
    bool failed;                  /* a bound was exceeded */
    bool freezing;                /* unwinding: each level adds to `steps` */
    const struct action_controller *pause;      /* freezing because of it */
    uint32_t pause_ofs;           /* where the packet-in stands */
    bool no_action_set;           /* inside of a clone, or it runs: what is
                                     written to it is lost */

    unsigned int first_egress;    /* N_TABLES: none */
    unsigned int n_leaving;       /* ports for which egress processing is */
    uint32_t leaving[TRANSLATE_MAX_LEAVING];      /* going on, around us */
    uint16_t larger_than;         /* freezing because the packet's length
                                     decides: the first step is to load 1 */
    bool asks_len;
    struct frozen_steps steps;

    enum drop_reason drop;        /* why nothing is sent, if nothing is */
    char spare[192];              /* where actions beyond the bound go */
};

/* ---- translate.c ---- */

#define SAY(T, ...)                                                          \
    do {                                                                     \
        if (UNLIKELY((T)->opt->trace != NULL)) {                             \
            trace_say((T)->opt->trace, (T)->indent, __VA_ARGS__);             \
        }                                                                    \
    } while (0)

/* Why (so far) nothing is sent, and a sentence for the trace. */
#define DROP(T, REASON, ...)                                                 \
    do {                                                                     \
        (T)->drop = (REASON);                                                \
        SAY(T, __VA_ARGS__);                                                 \
    } while (0)

void *translate_emit(struct translation *, enum dp_action_type, size_t len);
/* One in which others are nested; dp_actions_end() takes the mark. */
uint32_t translate_begin(struct translation *, enum dp_action_type);
void translate_limit(struct translation *, const char *what);
/* Looks up a table and carries out what the entry says; `in_port` is what the
 * lookup takes for the port.  Returns false when no entry matched. */
bool translate_table(struct translation *, uint8_t table, uint32_t in_port);
/* From table 0 on, as a packet that comes in. */
void translate_pipeline(struct translation *);
/* From that table on, as goto_table does. */
void translate_from_table(struct translation *, uint8_t table);
void translate_instructions(struct translation *, const struct instructions *);
/* Carries out the action set, unless something has ended the packet. */
void translate_end(struct translation *);
/* Everything that `body` does, it does to a copy of the packet. */
void translate_in_clone(struct translation *,
                        void (*body)(struct translation *, const void *aux),
                        const void *aux);
static inline bool
translate_stopped(const struct translation *t)
{
    return t->exit || t->dropped || t->failed || t->freezing;
}

/* ---- translate_action.c ---- */

void translate_actions(struct translation *, struct action_list);
void translate_output(struct translation *, uint32_t port, uint32_t max_len);
void translate_meter(struct translation *, uint32_t id);
void translate_set_subfield(struct translation *, const struct subfield *,
                            u128 value);
/* To a port of the data path that exists, in_port or not; says why if not. */
bool translate_send(struct translation *, const struct port_settings *,
                    uint32_t max_len);

/* ---- translate_tunnel.c ---- */

/* The packet is told by which tunnel it is to leave: before an output to a port
 * that is one. */
void translate_tunnel(struct translation *);

/* ---- translate_egress.c ---- */

bool translate_is_leaving(const struct translation *, uint32_t number);
/* What the egress tables make of an output. */
void translate_egress(struct translation *, const struct port_settings *,
                      uint32_t max_len);

/* ---- translate_balance.c ---- */

void translate_multipath(struct translation *, const struct action *);
void translate_bundle(struct translation *, const struct action *);

/* ---- translate_ct.c ---- */

void translate_ct(struct translation *, const struct action *);
void translate_ct_clear(struct translation *, const struct action *);

/* ---- translate_learn.c ---- */

void translate_learn(struct translation *, const struct action *);
void translate_fin_timeout(struct translation *, const struct action *);

/* ---- translate_group.c ---- */

bool translate_port_is_live(const struct translate_env *, uint32_t number);
void translate_group(struct translation *, uint32_t id);
bool translate_group_needs_headers(const struct translation *, uint32_t id);
/* Of addresses, protocol and ports, so that packets of a connection have the
 * same; or of the fields that the group wants. */
uint64_t translate_flow_hash(struct hash_key, const struct group_selection *,
                             const struct flow_view *, struct flow_looks *);

/* ---- translate_freeze.c ---- */

/* Ends the list: what is behind goes on in another pass, with the bit set or
 * not. */
void translate_check_pkt_larger(struct translation *, const struct action *);
/* Adds what is left to do at this level. */
void translate_add_step(struct translation *, const struct instructions *);
/* A copy of the packet goes through again, from `table` on; `shown` is what it
 * may be then.  The packet itself goes on here. */
void translate_fork(struct translation *, uint8_t table,
                    const struct flow *shown);
/* Ends the list: freezes everything that is left, sends the packet through
 * again. */
void translate_freeze(struct translation *);
/* A frozen state that only shows something to the controller: pipeline fields,
 * the action's userdata (NULL: there is no such action); 0: there is nothing to
 * show (or there are too many states). */
uint32_t translate_freeze_shown(struct translation *,
                                const struct action_controller *);
/* Goes on where `state` was frozen. */
void translate_resume(struct translation *, const struct recirc_state *);
/* What a packet-in shows of a state. */
void translate_frozen_shown(const struct recirc_state *,
                            struct packet_in_extra *);

/* ---- translate_label.c ---- */

void translate_push_mpls(struct translation *, const struct action *);
void translate_pop_mpls(struct translation *, const struct action *);
void translate_push_pbb(struct translation *, const struct action *);
void translate_pop_pbb(struct translation *, const struct action *);
void translate_copy_ttl_out(struct translation *, const struct action *);
void translate_copy_ttl_in(struct translation *, const struct action *);
/* Says when it has no label. */
bool translate_is_mpls(struct translation *);

#endif
