/* Actions and instructions, version-neutral.
 *
 * Actions lie one behind another in memory, each a struct that begins with
 * struct action (type and length, a multiple of 8); a list is a span of them.
 * The codec of each version, the text parser and translation all use this form.
 *
 * Ports and groups are OpenFlow numbers of 32 bits; reserved ports have their
 * 1.1+ values (enum of_port). */
#ifndef WEFT_OPENFLOW_ACTION_H
#define WEFT_OPENFLOW_ACTION_H

#include "openflow/error.h"
#include "packet/field.h"

enum of_port {
    OFPP_MAX = 0xffffff00,
    OFPP_UNSET = 0xfffffff7,
    OFPP_IN_PORT = 0xfffffff8,
    OFPP_TABLE = 0xfffffff9,
    OFPP_NORMAL = 0xfffffffa,
    OFPP_FLOOD = 0xfffffffb,
    OFPP_ALL = 0xfffffffc,
    OFPP_CONTROLLER = 0xfffffffd,
    OFPP_LOCAL = 0xfffffffe,
    OFPP_ANY = 0xffffffff,
};

enum {
    OFPG_MAX = 0xffffff00,
    OFPG_ALL = 0xfffffffc,
    OFPTT_MAX = 254,              /* last table a flow entry can be in */
    OFPTT_ALL = 0xff,
    OFPCML_NO_BUFFER = 0xffff,
};
#define OFPG_ANY UINT32_C(0xffffffff)

/* X(ID, text name, struct)  The name is the keyword of flow text where one
 * keyword stands for the action. */
#define ACTIONS(X)                                                           \
    X(OUTPUT, "output", action_output)                                       \
    X(CONTROLLER, "controller", action_controller)                           \
    X(OUTPUT_REG, "output_reg", action_output_reg)                           \
    X(SET_FIELD, "set_field", action_set_field)                              \
    X(MOVE, "move", action_move)                                             \
    X(PUSH_VLAN, "push_vlan", action_push)                                   \
    X(POP_VLAN, "pop_vlan", action_plain)                                    \
    X(PUSH_MPLS, "push_mpls", action_push)                                   \
    X(POP_MPLS, "pop_mpls", action_push)                                     \
    X(PUSH_PBB, "push_pbb", action_push)                                     \
    X(POP_PBB, "pop_pbb", action_plain)                                      \
    X(DEC_TTL, "dec_ttl", action_plain)                                      \
    X(DEC_TTL_IDS, "dec_ttl", action_ids)                                    \
    X(DEC_MPLS_TTL, "dec_mpls_ttl", action_plain)                            \
    X(COPY_TTL_OUT, "copy_ttl_out", action_plain)                            \
    X(COPY_TTL_IN, "copy_ttl_in", action_plain)                              \
    X(GROUP, "group", action_number)                                         \
    X(METER, "meter", action_number)                                         \
    X(SET_QUEUE, "set_queue", action_number)                                 \
    X(POP_QUEUE, "pop_queue", action_plain)                                  \
    X(ENQUEUE, "enqueue", action_enqueue)                                    \
    X(RESUBMIT, "resubmit", action_resubmit)                                 \
    X(CLONE, "clone", action_clone)                                          \
    X(STACK_PUSH, "push", action_stack)                                      \
    X(STACK_POP, "pop", action_stack)                                        \
    X(DELETE_FIELD, "delete_field", action_field)                            \
    X(CT, "ct", action_ct)                                                   \
    X(NAT, "nat", action_nat)                                                \
    X(CT_CLEAR, "ct_clear", action_plain)                                    \
    X(EXIT, "exit", action_plain)                                            \
    X(NOTE, "note", action_note)                                             \
    X(LEARN, "learn", action_learn)                                          \
    X(CONJUNCTION, "conjunction", action_conjunction)                        \
    X(MULTIPATH, "multipath", action_multipath)                              \
    X(BUNDLE, "bundle", action_bundle)                                       \
    X(CHECK_PKT_LARGER, "check_pkt_larger", action_check_pkt_larger)         \
    X(SAMPLE, "sample", action_sample)                                       \
    X(FIN_TIMEOUT, "fin_timeout", action_fin_timeout)                        \
    X(STAT_TRIGGER, "stat_trigger", action_stat_trigger)

enum action_type {
#define X(ID, NAME, STRUCT) ACTION_##ID,
    ACTIONS(X)
#undef X
    N_ACTIONS
};

struct action {
    uint16_t type;                /* enum action_type */
    uint16_t len;                 /* with this header and padding */
    uint32_t pad;
};

struct action_plain {
    struct action h;
};

struct action_number {            /* group, meter, queue id */
    struct action h;
    uint32_t number;
    uint32_t pad;
};

struct action_output {
    struct action h;
    uint32_t port;
    uint32_t trunc;               /* only the first n bytes; 0: all.  (To
                                     OFPP_CONTROLLER use action_controller.) */
};

enum packet_in_reason {           /* OpenFlow 1.5 section 7.4.1 */
    REASON_TABLE_MISS, REASON_APPLY_ACTION, REASON_INVALID_TTL,
    REASON_ACTION_SET, REASON_GROUP, REASON_PACKET_OUT,
};
/* The cookie of a packet-in that no entry caused: a table without a match. */
#define PACKET_IN_NO_COOKIE ((be64) UINT64_MAX)

struct action_controller {
    struct action h;
    uint16_t max_len;
    uint16_t controller_id;
    uint8_t reason;               /* enum packet_in_reason */
    bool pause;                   /* what is left waits for a resume */
    uint16_t userdata_len;        /* bytes that the packet-in repeats */
    uint32_t meter;               /* that packet-ins pass; 0: none */
    uint8_t userdata[];
};

/* Part of a field: bits [ofs, ofs + n_bits). */
struct subfield {
    uint16_t field;               /* enum field_id */
    uint8_t ofs;
    uint8_t n_bits;
};

struct action_output_reg {
    struct action h;
    struct subfield src;
    uint16_t max_len;
    uint16_t pad;
};

/* Setting vlan_tci with FLOW_VLAN_PRESENT in value and mask tags a packet that
 * has no tag (mod_vlan_vid is 0x1000|vid under 0x1fff, mod_vlan_pcp is
 * pcp << 13 | 0x1000 under 0xf000); setting that bit to 0 takes the tag off. */
struct action_set_field {
    struct action h;
    uint16_t field;               /* enum field_id */
    bool is_load;                 /* written as load:VALUE->SUBFIELD */
    bool is_mod;                  /* OpenFlow 1.0's mod_*: nothing happens to
                                     packets that lack the field, so the match
                                     need not require it; tcp_src and tcp_dst
                                     stand for any transport's; tun_id is
                                     written as set_tunnel */
    bool is_64;                   /* or as set_tunnel64 */
    uint8_t pad[3];
    uint64_t value[2];            /* u128, low half first */
    uint64_t mask[2];
};

struct action_move {
    struct action h;
    struct subfield src, dst;
};

struct action_push {              /* push_vlan, push_mpls, pop_mpls, push_pbb */
    struct action h;
    uint16_t eth_type;            /* host order */
    uint16_t pad[3];
};

struct action_resubmit {
    struct action h;
    uint32_t in_port;             /* OFPP_IN_PORT: as it is */
    uint8_t table;                /* 0xff: the current one */
    bool with_ct;                 /* addresses and ports are those of the
                                     connection's first packet */
    uint8_t pad[2];
};

struct action_enqueue {           /* OpenFlow 1.0's output to a queue */
    struct action h;
    uint32_t port;
    uint32_t queue;
};

struct action_ids {               /* controllers that hear of used-up TTLs */
    struct action h;
    uint16_t n;
    uint16_t ids[];
};

struct action_field {
    struct action h;
    uint16_t field;               /* enum field_id */
    uint16_t pad[3];
};

enum { CT_NO_TABLE = 0xff, ALG_FTP = 21, ALG_TFTP = 69 };

/* Through the connection tracker. */
struct action_ct {
    struct action h;
    struct subfield zone_src;     /* n_bits 0: the zone is a number */
    uint16_t zone;
    uint16_t alg;                 /* port of a protocol whose data connections
                                     are related: 21, 69; 0: none */
    uint8_t table;                /* where a tracked copy goes; CT_NO_TABLE */
    bool commit, force;
    uint8_t pad[5];
    /* nested actions follow: nat first, then what sets mark and label */
};

enum nat_flags {                  /* as on the wire */
    NAT_SRC = 1 << 0, NAT_DST = 1 << 1, NAT_PERSISTENT = 1 << 2,
    NAT_HASH = 1 << 3, NAT_RANDOM = 1 << 4,
};

/* In ct only.  Ranges have both ends; a single value is both. */
struct action_nat {
    struct action h;
    uint16_t flags;
    uint8_t family;               /* 4, 6, or 0: no address is given */
    bool has_ports;
    uint16_t port_min, port_max;
    struct ip6_addr addr_min, addr_max;     /* IPv4: the first four bytes */
};

struct action_clone {
    struct action h;
    /* nested actions follow: h.len - sizeof h bytes */
};

struct action_stack {
    struct action h;
    struct subfield sub;
    uint32_t pad;
};

struct action_note {
    struct action h;
    uint16_t n_bytes;
    uint8_t bytes[];
};

/* One thing that a learned entry gets: a part of its match, or an action. */
enum learn_dst { LEARN_MATCH, LEARN_LOAD, LEARN_OUTPUT };

struct learn_spec {
    uint8_t dst_kind;             /* enum learn_dst */
    bool is_immediate;            /* from `value`; else from `src` */
    uint8_t pad[2];
    struct subfield src;
    struct subfield dst;          /* (LEARN_OUTPUT: none); as wide as the
                                     source */
    uint32_t pad2;
    uint64_t value[2];            /* u128, low half first */
};

enum learn_flags { LEARN_SEND_FLOW_REM = 1, LEARN_DELETE_LEARNED = 2 };

struct action_learn {
    struct action h;
    uint16_t idle_timeout, hard_timeout;
    uint16_t fin_idle_timeout, fin_hard_timeout;
    uint16_t priority;
    uint8_t table;
    uint8_t flags;                /* enum learn_flags */
    uint32_t limit;               /* entries of this cookie in that table; 0:
                                     any number */
    be64 cookie;
    struct subfield result_dst;   /* 1 when there is the entry, 0 when the limit
                                     forbids it; n_bits 0: nowhere */
    uint32_t n_specs;
    struct learn_spec specs[];
};

/* The entry is one clause of a conjunction (see conjunction.h of the switch). */
enum { CONJUNCTION_MIN_CLAUSES = 2, CONJUNCTION_MAX_CLAUSES = 64 };

struct action_conjunction {
    struct action h;
    uint32_t id;
    uint8_t clause;               /* from 0 */
    uint8_t n_clauses;
    uint16_t pad;
};

/* What a flow's hash is made of; numbers as on the wire. */
enum hash_fields { HASH_ETH_SRC, HASH_SYMMETRIC_L4, HASH_SYMMETRIC_L3L4,
                   HASH_SYMMETRIC_L3L4_UDP, HASH_NW_SRC, HASH_NW_DST,
                   HASH_SYMMETRIC_L3, N_HASH_FIELDS };
enum multipath_algorithm { MULTIPATH_MODULO_N, MULTIPATH_HASH_THRESHOLD,
                           MULTIPATH_HRW, MULTIPATH_ITER_HASH,
                           N_MULTIPATH_ALGORITHMS };

/* The number of a link, chosen by the flow's hash, goes into a register. */
struct action_multipath {
    struct action h;
    uint16_t fields;              /* enum hash_fields */
    uint16_t basis;
    uint16_t algorithm;           /* enum multipath_algorithm */
    uint16_t max_link;            /* links are 0 to this one */
    uint32_t arg;
    struct subfield dst;
};

enum bundle_algorithm { BUNDLE_ACTIVE_BACKUP, BUNDLE_HRW,
                        N_BUNDLE_ALGORITHMS };
enum { BUNDLE_MAX_MEMBERS = 2048 };

/* One live port of these: packets go there, or its number into a register. */
struct action_bundle {
    struct action h;
    uint16_t fields;              /* enum hash_fields */
    uint16_t basis;
    uint16_t algorithm;           /* enum bundle_algorithm */
    uint16_t n_members;
    struct subfield dst;          /* n_bits 0: output */
    uint32_t pad;
    uint32_t members[];           /* ports */
};

/* One bit: is the packet longer, its Ethernet header included? */
struct action_check_pkt_larger {
    struct action h;
    struct subfield dst;
    uint16_t pkt_len;
    uint16_t pad;
};

enum sample_direction { SAMPLE_DEFAULT, SAMPLE_INGRESS, SAMPLE_EGRESS };

struct action_sample {
    struct action h;
    uint16_t probability;         /* of 65535 packets; never 0 */
    uint8_t direction;            /* enum sample_direction */
    uint8_t pad;
    uint32_t collector_set, obs_domain, obs_point;
    uint32_t sampling_port;       /* OFPP_ANY: none */
    uint32_t pad2;
};

/* A TCP connection ends: the entry's timeouts come down to these. */
struct action_fin_timeout {
    struct action h;
    uint16_t idle_timeout;        /* 0: stays as it is */
    uint16_t hard_timeout;
    uint32_t pad;
};

/* 1.5's instruction: controllers hear of the entry when its counters cross a
 * threshold (switch/stat_trigger.h).  It is kept among the actions, in which few
 * entries have one, and does nothing to a packet. */
enum stat_threshold { STAT_DURATION, STAT_PACKETS, STAT_BYTES,
                      N_STAT_THRESHOLDS };

struct action_stat_trigger {
    struct action h;
    bool is_periodic;             /* at each multiple */
    bool only_first;              /* the one that is crossed first is the only
                                     one from then on */
    uint8_t present;              /* bit per enum stat_threshold */
    uint8_t pad[5];
    uint64_t threshold[N_STAT_THRESHOLDS];  /* the duration in ns */
};

/* A borrowed span of actions. */
struct action_list {
    const struct action *first;
    uint32_t len;                 /* bytes */
};

#define ACTION_FOR_EACH(A, LIST)                                             \
    for (const struct action *A = (LIST)->first;                             \
         (uintptr_t) A < (uintptr_t) (LIST)->first + (LIST)->len;            \
         A = (const struct action *) ((const char *) A + A->len))

static inline struct action_list
action_ct_list(const struct action_ct *ct)
{
    return (struct action_list) { (const struct action *) (ct + 1),
                                  ct->h.len - (uint32_t) sizeof *ct };
}

/* Plain output to OFPP_CONTROLLER says as much. */
static inline bool
action_controller_is_plain(const struct action_controller *a)
{
    return a->reason == REASON_APPLY_ACTION && !a->controller_id
           && !a->userdata_len && !a->pause && !a->meter;
}

static inline struct action_list
action_clone_list(const struct action_clone *clone)
{
    return (struct action_list) { (const struct action *) (clone + 1),
                                  clone->h.len - (uint32_t) sizeof *clone };
}

static inline u128
action_u128(const uint64_t v[2])
{
    return (u128) v[1] << 64 | v[0];
}

enum {
    ACTION_MAX_LEN = 0xfff8,      /* of one action, what is nested included */
    ACTIONS_MAX_LEN = 0x10000,    /* of a whole list */
    ACTIONS_MAX_DEPTH = 16,       /* of clones in clones */
};

/* A list under construction. */
struct actions {
    char *data;
    uint32_t len;
    uint32_t size;
};

void actions_fini(struct actions *);
void actions_clear(struct actions *);
/* Appends a zeroed action of `len` bytes (rounded up to 8); valid until the
 * next append. */
void *actions_add(struct actions *, enum action_type, size_t len);
void actions_add_output(struct actions *, uint32_t port);
void actions_add_controller(struct actions *, uint16_t max_len,
                            enum packet_in_reason);
/* To the controller with bytes that the packet-in repeats; the rest is for the
 * caller to set. */
struct action_controller *actions_add_userdata(struct actions *,
                                               const void *userdata,
                                               uint16_t len);
void actions_add_set_field(struct actions *, enum field_id, u128 value,
                           u128 mask);
/* Nesting, in a clone or in another action of `len` bytes that begins at the
 * present length: begin returns a mark that end takes.  End says whether the
 * nested actions fit into an action's length (ACTION_MAX_LEN); if not, the outer
 * one is taken off again. */
uint32_t actions_begin_clone(struct actions *);
uint32_t actions_begin(struct actions *, enum action_type, size_t len);
bool actions_end(struct actions *, uint32_t mark);
struct action_list actions_list(const struct actions *);
bool action_list_equal(struct action_list, struct action_list);
/* The trigger that it has; NULL. */
const struct action_stat_trigger *action_list_trigger(struct action_list);
/* Does it say "conjunction"? */
bool action_list_is_clause(struct action_list);

/* What a flow entry tells to do.  Lists are borrowed where the struct is passed
 * in, owned where a container says so. */
struct instructions {
    struct action_list apply;
    struct action_list write;     /* for the action set */
    be64 metadata, metadata_mask;
    uint32_t meter;               /* 0: none */
    bool clear;
    bool has_goto;
    uint8_t goto_table;
};

/* Where a list of actions stands.  In a bucket nothing is known about the
 * packet, and what the actions need is judged when they are carried out. */
enum actions_context { ACTIONS_APPLY, ACTIONS_SET, ACTIONS_BUCKET,
                       ACTIONS_PACKET_OUT };
struct match;
enum of_error actions_check(struct action_list, enum actions_context,
                            const struct match *, struct str *why);

/* Do the actions make sense for packets of this match in this table?  (field
 * prerequisites at the point of each action, goto forward only, ports and tags
 * valid, nesting depth.)  References to groups and meters are checked by the
 * switch.  OF_OK or the error, with words in `why`. */
enum of_error instructions_check(const struct instructions *,
                                 const struct match *, uint8_t table,
                                 struct str *why);

/* "output:2,set_field:...": without "actions=". */
void action_list_format(struct action_list, struct str *);
/* This, and the like of others: with names of ports, where they have some. */
struct flow_text_names;
void action_list_format_names(struct action_list,
                              const struct flow_text_names *, struct str *);
/* All instructions: "clear_actions,write_actions(...),goto_table:1"; "drop"
 * when there is nothing. */
void instructions_format(const struct instructions *, struct str *);
void instructions_format_names(const struct instructions *,
                               const struct flow_text_names *, struct str *);

#endif
