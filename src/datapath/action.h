/* What a cache entry tells to do: a flat list of data-path actions.
 *
 * Actions lie one behind another, 8-byte aligned, each beginning with struct
 * dp_action.  They name ports, meters and recirculation ids by small integers
 * and hold no pointers, so that a list can be handed to another executor.
 *
 * An empty list drops; translation ends it with DP_ACTION_DROP to give the
 * reason. */
#ifndef WEFT_DATAPATH_ACTION_H
#define WEFT_DATAPATH_ACTION_H

#include "conntrack/conntrack.h"
#include "datapath/drop.h"
#include "packet/field.h"

/* X(ID, name, struct) */
#define DP_ACTIONS(X)                                                        \
    X(OUTPUT, "output", dp_action_output)                                    \
    X(SET_FIELD, "set_field", dp_action_set_field)                           \
    X(SET_TUNNEL, "set_tunnel", dp_action_set_tunnel)                        \
    X(PUSH_VLAN, "push_vlan", dp_action_push_vlan)                           \
    X(POP_VLAN, "pop_vlan", dp_action_plain)                                 \
    X(PUSH_MPLS, "push_mpls", dp_action_mpls)                                \
    X(POP_MPLS, "pop_mpls", dp_action_mpls)                                  \
    X(PUSH_PBB, "push_pbb", dp_action_pbb)                                   \
    X(POP_PBB, "pop_pbb", dp_action_plain)                                   \
    X(DEC_TTL, "dec_ttl", dp_action_ttl)                                     \
    X(DEC_MPLS_TTL, "dec_mpls_ttl", dp_action_ttl)                           \
    X(COPY_TTL_OUT, "copy_ttl_out", dp_action_plain)                         \
    X(COPY_TTL_IN, "copy_ttl_in", dp_action_plain)                           \
    X(TRUNC, "trunc", dp_action_trunc)                                       \
    X(CLONE, "clone", dp_action_clone)                                       \
    X(METER, "meter", dp_action_meter)                                       \
    X(CONTROLLER, "controller", dp_action_controller)                        \
    X(RECIRC, "recirc", dp_action_recirc)                                    \
    X(RECIRC_BY_LEN, "recirc_by_len", dp_action_recirc_by_len)               \
    X(SAMPLE, "sample", dp_action_sample)                                    \
    X(CT, "ct", dp_action_ct)                                                \
    X(CT_CLEAR, "ct_clear", dp_action_plain)                                 \
    X(DROP, "drop", dp_action_drop)

enum dp_action_type {
#define X(ID, NAME, STRUCT) DP_ACTION_##ID,
    DP_ACTIONS(X)
#undef X
    N_DP_ACTIONS
};

struct dp_action {
    uint16_t type;                /* enum dp_action_type */
    uint16_t len;                 /* with this header */
};

struct dp_action_plain {
    struct dp_action h;
    uint32_t pad;
};

struct dp_action_output {
    struct dp_action h;
    uint32_t port;                /* datapath port id */
};

struct dp_action_set_field {
    struct dp_action h;
    uint32_t field;               /* enum field_id, a FIELD_WIRE one */
    uint64_t value[2], mask[2];   /* u128, low half first */
};

/* By which tunnel it is to leave: for ports that are tunnels. */
struct dp_action_set_tunnel {
    struct dp_action h;           /* len: with the key's options only */
    uint32_t pad;
    struct tunnel_key key;
};

struct dp_action_push_vlan {
    struct dp_action h;
    uint16_t tpid, tci;           /* host order; tci without present bit */
};

struct dp_action_mpls {
    struct dp_action h;
    uint16_t eth_type;            /* host order */
    uint16_t pad;
    uint32_t lse;                 /* push: label stack entry, host order */
    uint32_t pad2;
};

struct dp_action_pbb {
    struct dp_action h;
    uint32_t tci;                 /* of the I-TAG, host order */
};

/* A TTL that is not above 1 ends the list for that packet: the nested actions
 * are carried out with it as it is (they tell controllers), then it is dropped
 * as ttl-expired.  The cache entry need not match the TTL. */
struct dp_action_ttl {
    struct dp_action h;           /* len: with the nested actions */
    uint32_t pad;
};

/* For the next output only. */
struct dp_action_trunc {
    struct dp_action h;
    uint32_t max_len;
};

/* Nested actions follow and work on a copy; the list goes on behind them with
 * the packet as it was. */
struct dp_action_clone {
    struct dp_action h;           /* len: with the nested actions */
    uint32_t pad;
};

struct dp_action_meter {
    struct dp_action h;
    uint32_t meter;               /* slot in the datapath's meter table */
};

struct dp_action_controller {
    struct dp_action h;
    uint16_t max_len;
    uint16_t controller_id;
    uint8_t reason;               /* enum packet_in_reason */
    uint8_t table;
    uint8_t pad[2];
    uint32_t recirc;              /* frozen state that the message shows
                                     (registers, metadata), and from which a
                                     paused packet goes on; 0: none */
    be64 cookie;                  /* of the entry that sent it */
};

struct dp_action_recirc {
    struct dp_action h;
    uint32_t id;
};

/* Packets that are longer than max_len on the wire go one way, others the
 * other. */
struct dp_action_recirc_by_len {
    struct dp_action h;
    uint32_t max_len;
    uint32_t id_longer;
    uint32_t id;
};

/* Counts a packet with a probability of probability / 65535. */
struct dp_action_sample {
    struct dp_action h;
    uint32_t probability;
};

/* Through the connection tracker, as it is now. */
struct dp_action_ct {
    struct dp_action h;
    uint32_t pad;
    struct ct_request request;
};

struct dp_action_drop {
    struct dp_action h;
    uint32_t reason;              /* enum drop_reason */
};

struct dp_action_list {
    const struct dp_action *first;
    uint32_t len;
};

#define DP_ACTION_FOR_EACH(A, LIST)                                          \
    for (const struct dp_action *A = (LIST)->first;                          \
         (uintptr_t) A < (uintptr_t) (LIST)->first + (LIST)->len;            \
         A = (const struct dp_action *) ((const char *) A + A->len))

/* A list under construction, of bounded size: translation of a hostile table
 * must end (DP_ACTIONS_MAX_LEN bytes; add returns NULL beyond).  What is longer
 * than DP_ACTIONS_MAX_CACHED is good for its packet only, lest a few floods'
 * entries take all memory. */
enum { DP_ACTIONS_MAX_LEN = 524288, DP_ACTIONS_MAX_CACHED = 32768 };

struct dp_actions {
    char *data;
    uint32_t len, size;
    bool too_long;
};

void dp_actions_fini(struct dp_actions *);
/* Zeroed but for the header; NULL when the list is too long. */
void *dp_actions_add(struct dp_actions *, enum dp_action_type, size_t len);
/* Of an action in which others are nested, which has nothing but a header. */
uint32_t dp_actions_begin(struct dp_actions *, enum dp_action_type);
/* What is nested is at most 64 KB, or the list is too long. */
void dp_actions_end(struct dp_actions *, uint32_t mark);
struct dp_action_list dp_actions_list(const struct dp_actions *);
/* The actions inside of such an action. */
struct dp_action_list dp_action_nested(const struct dp_action *);

/* "output(2),push_vlan(vid=10),..."; `port_name` may be NULL. */
void dp_action_list_format(struct dp_action_list,
                           const char *(*port_name)(void *aux, uint32_t id),
                           void *aux, struct str *);

#endif
