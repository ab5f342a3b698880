/* OpenFlow messages, version-neutral, and their way to and from the wire.
 *
 * Bytes and structs.  A decoded message owns what it holds (actions, buckets);
 * only the bytes marked `borrowed` lie in the buffer that was decoded.
 * of_message_fini() frees.
 *
 * Where versions disagree about a number (ports, commands, reasons, flags), the
 * structs have the newest one's meaning and widest form. */
#ifndef WEFT_OPENFLOW_MESSAGE_H
#define WEFT_OPENFLOW_MESSAGE_H

#include "openflow/buf.h"
#include "openflow/flow_mod.h"

enum of_version { OF10 = 1, OF13 = 4, OF14 = 5, OF15 = 6 };
enum { OF_VERSION_BITMAP = 1 << OF10 | 1 << OF13 | 1 << OF14 | 1 << OF15 };

enum { OF_HEADER_LEN = 8, OF_MAX_LEN = 0xffff };
#define OF_NO_BUFFER UINT32_C(0xffffffff)
#define OFPQ_ALL UINT32_C(0xffffffff)

/* "OpenFlow10" for OF10. */
const char *of_version_name(enum of_version);

enum of_packet_in_format { PACKET_IN_STANDARD, PACKET_IN_NXT,
                           PACKET_IN_NXT2 };

/* How the two ends of a connection agreed to talk. */
struct of_protocol {
    enum of_version version;          /* 0 until the hellos have met */
    /* Only what Nicira's extensions changed; all false at first. */
    bool nxm_flows;                   /* 1.0: flow-removed with NXM matches */
    bool flow_mod_table_id;           /* 1.0: the command's high byte is the
                                         flow-mod's table */
    enum of_packet_in_format packet_in_format;
};

/* Bytes of the buffer that was decoded. */
struct of_bytes {
    const uint8_t *data;
    size_t len;
};

/* ---- Families ---- */

struct of_hello {
    uint32_t versions;                /* bit 1 << version for each */
};

struct of_error_msg {
    enum of_error error;              /* N_OF_ERRORS: not one of ours */
    uint32_t experimenter;            /* as on the wire (struct of_error_wire);*/
    uint16_t type, code;              /* only decoded */
    struct of_bytes request;          /* borrowed: how the culprit began */
};

enum of_port_config {                 /* 1.0's bits and 1.3's do not collide */
    PORT_CONFIG_DOWN = 1 << 0, PORT_CONFIG_NO_STP = 1 << 1,
    PORT_CONFIG_NO_RECV = 1 << 2, PORT_CONFIG_NO_RECV_STP = 1 << 3,
    PORT_CONFIG_NO_FLOOD = 1 << 4, PORT_CONFIG_NO_FWD = 1 << 5,
    PORT_CONFIG_NO_PACKET_IN = 1 << 6,
};
enum of_port_state { PORT_STATE_LINK_DOWN = 1, PORT_STATE_BLOCKED = 2,
                     PORT_STATE_LIVE = 4 };
enum of_port_features {               /* link speeds and modes, as in 1.3 */
    PORT_10MB_HD = 1 << 0, PORT_10MB_FD = 1 << 1, PORT_100MB_HD = 1 << 2,
    PORT_100MB_FD = 1 << 3, PORT_1GB_HD = 1 << 4, PORT_1GB_FD = 1 << 5,
    PORT_10GB_FD = 1 << 6, PORT_40GB_FD = 1 << 7, PORT_100GB_FD = 1 << 8,
    PORT_1TB_FD = 1 << 9, PORT_OTHER = 1 << 10, PORT_COPPER = 1 << 11,
    PORT_FIBER = 1 << 12, PORT_AUTONEG = 1 << 13, PORT_PAUSE = 1 << 14,
    PORT_PAUSE_ASYM = 1 << 15,
};

struct of_port_desc {
    uint32_t number;
    struct eth_addr hw_addr;
    char name[16];                    /* 15 bytes and NUL */
    uint32_t config;                  /* enum of_port_config */
    uint32_t state;                   /* enum of_port_state */
    uint32_t curr, advertised, supported, peer;     /* of_port_features */
    uint32_t curr_speed, max_speed;   /* kb/s */
};

enum of_capabilities {                /* as in 1.3+; ARP_MATCH_IP is 1.0's */
    CAP_FLOW_STATS = 1 << 0, CAP_TABLE_STATS = 1 << 1,
    CAP_PORT_STATS = 1 << 2, CAP_GROUP_STATS = 1 << 3, CAP_IP_REASM = 1 << 5,
    CAP_QUEUE_STATS = 1 << 6, CAP_ARP_MATCH_IP = 1 << 7,
    CAP_PORT_BLOCKED = 1 << 8, CAP_BUNDLES = 1 << 9,
    CAP_FLOW_MONITORING = 1 << 10,
};

struct of_features {
    uint64_t datapath_id;
    uint32_t n_buffers;
    uint8_t n_tables;
    uint8_t auxiliary_id;
    uint32_t capabilities;            /* enum of_capabilities */
    uint32_t actions;                 /* 1.0: bit per action; encode: 0 for
                                         all that the codec knows */
    /* 1.0 only (others ask for PORT_DESC); owned when decoded. */
    unsigned int n_ports;
    struct of_port_desc *ports;
};

enum of_frag { FRAG_NORMAL, FRAG_DROP, FRAG_REASM, FRAG_NX_MATCH };

struct of_config {
    uint16_t frag;                    /* enum of_frag; a bigger number is
                                         something unknown */
    uint16_t miss_send_len;
    bool invalid_ttl;                 /* 1.0: packets whose TTL is used up are
                                         wanted (later: async) */
};

/* Which paused packet it is; the controller gives it back as it came. */
struct of_continuation {
    bool is_there;
    uint32_t id;
    uint64_t token;
};

/* A tunnel's option, and the field tun_metadata<index> that it is. */
struct of_tlv {
    uint16_t class;
    uint8_t type;
    uint8_t len;                      /* bytes of the option's value */
    uint16_t index;
};

enum { OF_TLV_MAX = 64 };
enum of_tlv_command { TLV_ADD, TLV_DELETE, TLV_CLEAR };

struct of_tlv_table {
    uint16_t command;                 /* enum of_tlv_command; of a mod */
    uint32_t max_space;               /* of a reply: bytes, fields */
    uint16_t max_fields;
    unsigned int n;
    struct of_tlv entries[OF_TLV_MAX];
};

/* Which connections to forget; what is not given, any. */
struct of_ct_tuple {
    uint8_t parts;                    /* bit per member, in their order */
    struct ip6_addr src, dst;
    uint16_t src_port, dst_port, icmp_id;
    uint8_t icmp_type, icmp_code;
};

struct of_ct_flush {
    uint8_t ip_proto;
    bool has_zone;
    uint16_t zone;
    struct of_ct_tuple tuples[2];     /* of the original direction, the reply */
};

struct of_packet_in {
    uint32_t buffer_id;               /* OF_NO_BUFFER */
    uint32_t total_len;
    uint8_t reason;                   /* enum packet_in_reason */
    uint8_t table;
    be64 cookie;                      /* all ones: unknown */
    struct match match;               /* in_port and the pipeline's fields */
    struct of_bytes data;             /* borrowed; how much of the packet */
    /* Nicira's second form only; also of a resume. */
    struct of_bytes userdata;         /* borrowed: of the action */
    struct of_continuation continuation;
};

struct of_packet_out {
    uint32_t buffer_id;
    uint32_t in_port;                 /* OFPP_CONTROLLER, ... */
    struct match match;               /* 1.5: pipeline fields besides in_port */
    struct actions actions;
    struct of_bytes data;             /* borrowed */
};

struct of_flow_removed {
    struct match match;
    be64 cookie;
    uint16_t priority;
    uint8_t reason;                   /* OpenFlow 1.4 section 7.4.2: 0 idle,
                                         1 hard timeout, 2 delete, 3 group,
                                         4 meter, 5 eviction */
    uint8_t table;
    uint32_t duration_sec, duration_nsec;
    uint16_t idle_timeout, hard_timeout;
    uint64_t packets, bytes;
};

enum of_port_reason { PORT_ADDED, PORT_DELETED, PORT_MODIFIED };

struct of_port_status {
    enum of_port_reason reason;
    struct of_port_desc desc;
};

struct of_port_mod {
    uint32_t number;
    struct eth_addr hw_addr;
    uint32_t config, mask;            /* enum of_port_config */
    uint32_t advertise;               /* of_port_features; 0: no change */
};

enum of_table_config { TABLE_CONFIG_EVICTION = 1 << 2,
                       TABLE_CONFIG_VACANCY = 1 << 3 };

/* How tables choose what gives way. */
enum of_eviction_flags { EVICTION_OTHER = 1, EVICTION_IMPORTANCE = 2,
                         EVICTION_LIFETIME = 4 };

/* Of a table-mod, and of a table's description. */
struct of_table_mod {
    uint8_t table;                    /* OFPTT_ALL */
    uint32_t config;                  /* 1.3: deprecated bits as they came */
    bool has_vacancy, has_eviction;   /* properties that came along (1.4+) */
    uint32_t eviction_flags;
    uint8_t vacancy_down, vacancy_up, vacancy;
};

enum of_table_reason { TABLE_VACANCY_DOWN = 3, TABLE_VACANCY_UP = 4 };

struct of_table_status {
    enum of_table_reason reason;
    struct of_table_mod desc;
};

enum of_role_type { ROLE_NOCHANGE, ROLE_EQUAL, ROLE_MASTER, ROLE_SLAVE };

struct of_role {
    uint32_t role;                    /* enum of_role_type, checked */
    bool has_generation;              /* Nicira's 1.0 form has none */
    uint64_t generation_id;
    uint8_t reason;                   /* of a role status (1.4+) */
    uint16_t short_id;                /* 1.5; 0: none */
};

/* What 1.5 says of a controller. */
enum of_controller_reason {
    CONTROLLER_REQUESTED, CONTROLLER_CHANNEL, CONTROLLER_ROLE,
    CONTROLLER_ADDED, CONTROLLER_REMOVED, CONTROLLER_SHORT_ID,
};

struct of_controller_status {
    uint16_t short_id;
    uint32_t role;                    /* enum of_role_type */
    uint8_t reason;                   /* enum of_controller_reason */
    bool is_down;
    char uri[80];                     /* "tcp:127.0.0.1:6653" */
};

enum of_async_type { ASYNC_PACKET_IN, ASYNC_PORT_STATUS, ASYNC_FLOW_REMOVED,
                     ASYNC_ROLE_STATUS, ASYNC_TABLE_STATUS,
                     ASYNC_REQUESTFORWARD, ASYNC_FLOW_STATS,
                     ASYNC_CONTROLLER_STATUS,
                     N_ASYNC };
enum of_flow_stats_reason { FLOW_STATS_REQUEST, FLOW_STATS_TRIGGER };
enum of_forward_reason { FORWARD_GROUP_MOD, FORWARD_METER_MOD };

struct of_async {
    uint32_t present[2];              /* which of the masks are given */
    uint32_t mask[2][N_ASYNC];        /* [slave][type]: bit per reason */
};

enum of_bundle_control_type {
    BUNDLE_OPEN_REQUEST, BUNDLE_OPEN_REPLY, BUNDLE_CLOSE_REQUEST,
    BUNDLE_CLOSE_REPLY, BUNDLE_COMMIT_REQUEST, BUNDLE_COMMIT_REPLY,
    BUNDLE_DISCARD_REQUEST, BUNDLE_DISCARD_REPLY,
};
enum of_bundle_flags { BUNDLE_ATOMIC = 1, BUNDLE_ORDERED = 2 };

struct of_bundle_control {
    uint32_t id;
    uint16_t type;                    /* enum of_bundle_control_type */
    uint16_t flags;                   /* enum of_bundle_flags */
};

struct of_bundle_add {
    uint32_t id;
    uint16_t flags;
    struct of_bytes message;          /* borrowed: a whole message, its header
                                         checked (version, length, xid) */
};

/* ---- Flow monitors ---- */

enum of_monitor_command { MONITOR_ADD, MONITOR_MODIFY, MONITOR_DELETE };

/* As in 1.4.  Open vSwitch's tools set ONLY_OWN without NO_ABBREV and mean by it
 * that everybody's changes come, and their own in full; so ONLY_OWN is one of
 * ours only beside NO_ABBREV. */
enum of_monitor_flags {
    MONITOR_INITIAL = 1 << 0,         /* what is there */
    MONITOR_ADDED = 1 << 1, MONITOR_REMOVED = 1 << 2,
    MONITOR_MODIFIED = 1 << 3,
    MONITOR_INSTRUCTIONS = 1 << 4,
    MONITOR_NO_ABBREV = 1 << 5,       /* own changes in full, not by xid */
    MONITOR_ONLY_OWN = 1 << 6,        /* nobody else's */
};

struct of_flow_monitor {
    uint32_t id;
    enum of_monitor_command command;  /* before 1.4: always add */
    unsigned int flags;               /* enum of_monitor_flags */
    uint8_t table;                    /* OFPTT_ALL */
    uint32_t out_port, out_group;     /* OFPP_ANY, OFPG_ANY: no filter */
    struct match match;
};

enum of_update_event { UPDATE_INITIAL, UPDATE_ADDED, UPDATE_REMOVED,
                       UPDATE_MODIFIED };

struct of_flow_update {
    enum of_update_event event;
    uint8_t table;
    uint8_t reason;                   /* removed: as in of_flow_removed */
    uint16_t priority, idle_timeout, hard_timeout;
    be64 cookie;
    const struct match *match;
    const struct instructions *instructions;    /* NULL: not wanted */
};

/* ---- Multipart ---- */

#define OF_MULTIPARTS(X)                                                     \
    X(DESC) X(FLOW) X(AGGREGATE) X(TABLE) X(PORT_STATS) X(QUEUE_STATS)       \
    X(GROUP_STATS) X(GROUP_DESC) X(GROUP_FEATURES) X(METER_STATS)            \
    X(METER_CONFIG) X(METER_FEATURES) X(TABLE_FEATURES) X(PORT_DESC)         \
    X(TABLE_DESC) X(QUEUE_DESC) X(FLOW_MONITOR)        \
    X(FLOW_STATS) X(CONTROLLER_STATUS) X(BUNDLE_FEATURES)

enum of_multipart_type {
#define X(ID) MP_##ID,
    OF_MULTIPARTS(X)
#undef X
    N_MULTIPARTS
};

struct of_multipart_request {
    enum of_multipart_type type;
    bool more;                        /* another part follows */
    bool is_nicira;                   /* asked in an experimenter's form that
                                         the version lacks (1.0: NXST_FLOW...),
                                         and to be answered so */
    /* What is asked for; each where its type has it. */
    uint8_t table;                    /* flow, aggregate; OFPTT_ALL */
    uint32_t out_port, out_group;     /* OFPP_ANY, OFPG_ANY: no filter */
    be64 cookie, cookie_mask;
    struct match match;
    uint32_t port;                    /* port, queue; OFPP_ANY: all */
    uint32_t queue;                   /* OFPQ_ALL */
    uint32_t group;                   /* OFPG_ALL */
    uint32_t meter;                   /* OFPM_ALL */
    uint32_t bundle_flags;            /* bundle features: what is of interest */
    struct of_bytes body;             /* borrowed: table features, empty when
                                         only a question; flow monitors, to be
                                         read by of_flow_monitor_next() */
};

struct of_desc {                      /* NUL-terminated, cut to fit */
    char manufacturer[256], hardware[256], software[256], serial[32];
    char datapath[256];
};

struct of_flow_stats {
    uint8_t reason;                   /* enum of_flow_stats_reason */
    uint8_t table;
    uint16_t priority, idle_timeout, hard_timeout, importance;
    unsigned int flags;               /* enum flow_mod_flags */
    be64 cookie;
    uint32_t duration_sec, duration_nsec;
    uint32_t idle_sec;                /* since the last packet; only Nicira's
                                         and 1.5's form can say */
    uint32_t modified_sec;            /* since the last modification; only
                                         Nicira's can */
    uint64_t packets, bytes;
    const struct match *match;
    const struct instructions *instructions;
};

struct of_aggregate {
    uint64_t packets, bytes;
    uint32_t flows;
};

struct of_table_stats {
    uint8_t table;
    char name[32];                    /* 1.0 */
    uint32_t max_entries;             /* 1.0 */
    uint32_t active;
    uint64_t lookups, matched;
};

struct of_port_stats {
    uint32_t number;
    uint32_t duration_sec, duration_nsec;
    /* All ones where it is not counted. */
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped,
             tx_dropped, rx_errors, tx_errors, rx_frame_err, rx_over_err,
             rx_crc_err, collisions;
};

struct of_queue_stats {
    uint32_t port, queue;
    uint64_t tx_bytes, tx_packets, tx_errors;
    uint32_t duration_sec, duration_nsec;
};

struct of_counter {
    uint64_t packets, bytes;
};

struct of_group_stats {
    uint32_t id, ref_count;
    struct of_counter total;
    uint32_t duration_sec, duration_nsec;
    unsigned int n_buckets;
    const struct of_counter *buckets;
};

struct of_group_features {
    uint32_t types;                   /* bit per enum group_type */
    uint32_t capabilities;            /* 1 weights, 2 liveness, 4 chaining,
                                         8 checks for loops */
    uint32_t max_groups[4];
    uint64_t actions[4];              /* bit per enum action_type */
};

struct of_meter_stats {
    uint32_t id, ref_count;
    struct of_counter in;
    uint32_t duration_sec, duration_nsec;
    unsigned int n_bands;
    struct of_counter bands[METER_MAX_BANDS];
};

struct of_meter_features {
    uint32_t max_meters, band_types;  /* bit 1 << enum meter_band_type */
    uint32_t flags;                   /* enum meter_flags */
    uint8_t max_bands, max_color;
};

/* One table: all of Weft can do the same, but for where egress begins. */
struct of_table_features {
    uint8_t table;
    uint8_t first_egress;             /* of all tables; OFPTT_ALL: none */
    char name[32];
    uint32_t max_entries;
    uint32_t config;                  /* enum of_table_config: can be set */
    /* Of a request of 1.5, which may set some. */
    uint8_t command;                  /* enum of_table_command */
    uint32_t features;                /* enum of_table_feature */
    uint64_t metadata_match, metadata_write;
    bool has_others;                  /* properties that are not as ours */
};

enum of_table_command { TABLES_REPLACE, TABLE_MODIFY, TABLE_ENABLE,
                        TABLE_DISABLE };
/* What it can be, and (from 1.5 on) whether egress begins here. */
enum of_table_feature { TABLE_INGRESS = 1 << 0, TABLE_EGRESS = 1 << 1,
                        TABLE_FIRST_EGRESS = 1 << 4 };

/* ---- A message ---- */

/* In which versions, and how: message.c. */
#define OF_MESSAGES(X)                                                       \
    X(HELLO) X(ERROR) X(ECHO_REQUEST) X(ECHO_REPLY) X(FEATURES_REQUEST)      \
    X(FEATURES_REPLY) X(GET_CONFIG_REQUEST) X(GET_CONFIG_REPLY)              \
    X(SET_CONFIG) X(PACKET_IN) X(FLOW_REMOVED) X(PORT_STATUS) X(PACKET_OUT)  \
    X(FLOW_MOD) X(GROUP_MOD) X(PORT_MOD) X(TABLE_MOD) X(MULTIPART_REQUEST)   \
    X(MULTIPART_REPLY) X(BARRIER_REQUEST) X(BARRIER_REPLY)                   \
    X(QUEUE_GET_CONFIG_REQUEST) X(QUEUE_GET_CONFIG_REPLY) X(ROLE_REQUEST)    \
    X(ROLE_REPLY) X(GET_ASYNC_REQUEST) X(GET_ASYNC_REPLY) X(SET_ASYNC)       \
    X(METER_MOD) X(ROLE_STATUS) X(TABLE_STATUS)       \
    X(REQUESTFORWARD) X(CONTROLLER_STATUS) X(BUNDLE_CONTROL) X(BUNDLE_ADD)              \
    /* Nicira's, in all versions. */                                         \
    X(FLOW_MONITOR_CANCEL) X(FLOW_MONITOR_PAUSED) X(FLOW_MONITOR_RESUMED)    \
    X(NX_FLOW_MOD_TABLE_ID) X(NX_SET_FLOW_FORMAT)                            \
    X(NX_SET_PACKET_IN_FORMAT) X(NX_SET_CONTROLLER_ID) X(NX_RESUME)          \
    X(NX_TLV_TABLE_MOD) X(NX_TLV_TABLE_REQUEST) X(NX_TLV_TABLE_REPLY)        \
    X(NX_CT_FLUSH_ZONE) X(NX_CT_FLUSH)

enum of_type {
#define X(ID) OFT_##ID,
    OF_MESSAGES(X)
#undef X
    N_OF_TYPES
};

/* "FLOW_MOD" */
const char *of_type_name(enum of_type);

struct of_message {
    enum of_version version;
    enum of_type type;
    uint32_t xid;
    union {
        struct of_hello hello;
        struct of_error_msg error;
        struct of_bytes echo;         /* borrowed; request and reply */
        struct of_features features;
        struct of_config config;      /* get reply, set */
        struct of_packet_in packet_in;    /* and resume */
        struct of_tlv_table tlv_table;    /* mod, reply */
        struct of_ct_flush ct_flush;      /* also of a zone */
        struct of_packet_out packet_out;
        struct of_flow_removed flow_removed;
        struct of_port_status port_status;
        struct flow_mod flow_mod;
        struct group_mod group_mod;
        struct meter_mod meter_mod;
        struct of_port_mod port_mod;
        struct of_table_mod table_mod;
        struct of_table_status table_status;
        struct of_multipart_request multipart;
        uint32_t queue_port;          /* queue config: of this port, or
                                         OFPP_ANY; the reply has no queues */
        struct of_role role;          /* request, reply, status */
        struct of_controller_status controller_status;
        struct of_bytes forwarded;    /* borrowed: a whole message */
        struct of_async async;        /* get reply, set */
        struct of_bundle_control bundle_control;
        struct of_bundle_add bundle_add;
        bool flow_mod_table_id;
        bool nxm_flows;               /* set flow format */
        enum of_packet_in_format packet_in_format;
        uint16_t controller_id;
        uint32_t monitor_id;          /* cancel */
    };
};

/* How long is the message that `data` begins with?  0 when too few bytes are
 * there to say; it may be more than `len`: then the rest must come first.
 * -EPROTO: this is not OpenFlow, and the connection is lost. */
int of_frame_len(const void *data, size_t len);

/* Decodes one whole message.  With version 0 in the protocol only a hello or an
 * error is understood, of any version.  On failure nothing needs to be freed,
 * `why` (may be NULL) says more; answer with of_error_encode(). */
enum of_error of_message_decode(const struct of_protocol *, const void *data,
                                size_t len, struct of_message *,
                                struct str *why);
void of_message_fini(struct of_message *);

/* Appends it (its version is the protocol's).  0, or -EOPNOTSUPP: the version
 * has no such message or cannot say this; then the buffer is as before. */
int of_message_encode(struct buf *, const struct of_protocol *,
                      const struct of_message *);

/* A message that has nothing but its header: requests for features, barriers
 * and their replies, ... */
void of_plain_encode(struct buf *, const struct of_protocol *, enum of_type,
                     uint32_t xid);

/* The answer to a request that failed; `request` are its bytes, whose xid is
 * answered.  OF_HELLO_FAILED_INCOMPATIBLE comes with a sentence, `text`; else
 * NULL. */
void of_error_encode(struct buf *, enum of_version, enum of_error,
                     const void *request, size_t request_len,
                     const char *text);
/* How a version says it.  Experimenter 0: by the standard's type and code, else
 * one of the experimenter's own errors, by its type (1.0) and code. */
struct of_error_wire {
    uint32_t experimenter;
    uint16_t type, code;
};
/* What a version lacks becomes its nearest relation. */
struct of_error_wire of_error_to_wire(enum of_error, enum of_version);
/* N_OF_ERRORS: not one of ours. */
enum of_error of_error_from_wire(struct of_error_wire, enum of_version);

/* The next table of a request for features to be set (1.5), while egress begins
 * at `first_egress`: takes it off `body`.  False at its end, or with *error. */
bool of_table_features_next(const struct of_protocol *, uint8_t first_egress,
                            struct of_bytes *body, struct of_table_features *,
                            enum of_error *);

/* Fills a packet-in's match from what is known about the packet: in_port,
 * tunnel, metadata and registers, each unless it is zero. */
void of_packet_in_match(const struct flow *, struct match *);

/* The next of a request's monitors: takes it off `body`.  The body was checked
 * when the request was decoded. */
bool of_flow_monitor_next(const struct of_protocol *,
                          const struct of_multipart_request *,
                          struct of_bytes *body, struct of_flow_monitor *);
/* Appends one to a request's body.  False: this version cannot say it. */
bool of_flow_monitor_put(struct buf *, const struct of_protocol *,
                         bool is_nicira, const struct of_flow_monitor *);
/* A monitor that may say only some of it: a message, in 1.4+ an update. */
void of_monitor_state_encode(struct buf *, const struct of_protocol *,
                             bool is_resumed);

/* ---- Multipart replies, item by item ----
 *
 * Messages end by themselves before 64 kB.  When enough is in the buffer,
 * of_reply_pause() ends the present message ("more follows"), the buffer may be
 * sent and emptied, and the next item begins another. */
struct of_reply {
    struct buf *buf;
    const struct of_protocol *protocol;
    uint32_t xid;
    enum of_multipart_type type;
    bool is_nicira;
    bool is_open;
    size_t start;                     /* of the message that is open */
};

void of_reply_begin(struct of_reply *, struct buf *,
                    const struct of_protocol *, uint32_t xid,
                    const struct of_multipart_request *);
void of_reply_pause(struct of_reply *);
void of_reply_end(struct of_reply *);

void of_reply_desc(struct of_reply *, const struct of_desc *);
void of_reply_flow(struct of_reply *, const struct of_flow_stats *);
/* 1.5's statistics without the rest. */
void of_reply_flow_only_stats(struct of_reply *,
                              const struct of_flow_stats *);
void of_reply_controller_status(struct of_reply *,
                                const struct of_controller_status *);
/* What a bundle can be: enum of_bundle_flags. */
void of_reply_bundle_features(struct of_reply *, uint16_t flags);
void of_reply_aggregate(struct of_reply *, const struct of_aggregate *);
void of_reply_table(struct of_reply *, const struct of_table_stats *);
void of_reply_port_stats(struct of_reply *, const struct of_port_stats *);
void of_reply_port_desc(struct of_reply *, const struct of_port_desc *);
void of_reply_queue_stats(struct of_reply *, const struct of_queue_stats *);
void of_reply_group_stats(struct of_reply *, const struct of_group_stats *);
/* Type, id and buckets count. */
void of_reply_group_desc(struct of_reply *, const struct group_mod *);
void of_reply_group_features(struct of_reply *,
                             const struct of_group_features *);
void of_reply_meter_stats(struct of_reply *, const struct of_meter_stats *);
/* Id, flags and bands count. */
void of_reply_meter_config(struct of_reply *, const struct meter_mod *);
void of_reply_meter_features(struct of_reply *,
                             const struct of_meter_features *);
void of_reply_table_features(struct of_reply *,
                             const struct of_table_features *);
void of_reply_flow_update(struct of_reply *, const struct of_flow_update *);
/* One's own change, by the xid of the request. */
void of_reply_flow_update_own(struct of_reply *, uint32_t xid);
void of_reply_table_desc(struct of_reply *, const struct of_table_mod *);

#endif
