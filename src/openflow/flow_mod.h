/* Requests that change a switch, version-neutral: flow-mod, group-mod,
 * meter-mod (OpenFlow 1.3.5 sections 6.4 to 6.6, 1.5 for bundles).  Wire codecs
 * and text parsers make them, the switch carries them out. */
#ifndef WEFT_OPENFLOW_FLOW_MOD_H
#define WEFT_OPENFLOW_FLOW_MOD_H

#include "openflow/action.h"
#include "openflow/match.h"

enum flow_mod_command { FLOW_MOD_ADD, FLOW_MOD_MODIFY, FLOW_MOD_MODIFY_STRICT,
                        FLOW_MOD_DELETE, FLOW_MOD_DELETE_STRICT };

enum flow_mod_flags {
    FLOW_MOD_SEND_FLOW_REM = 1 << 0,
    FLOW_MOD_CHECK_OVERLAP = 1 << 1,
    FLOW_MOD_RESET_COUNTS = 1 << 2,
    FLOW_MOD_NO_PKT_COUNTS = 1 << 3,
    FLOW_MOD_NO_BYT_COUNTS = 1 << 4,
};

enum { FLOW_DEFAULT_PRIORITY = 0x8000 };

struct flow_mod {
    enum flow_mod_command command;
    struct match match;
    be64 cookie, cookie_mask;     /* mask: which entries modify/delete take */
    bool modify_cookie;           /* modify also sets the cookie (1.0): */
    be64 new_cookie;              /* to this */
    bool add_if_absent;           /* a modify that finds nothing adds (1.0) */
    uint8_t table;                /* OFPTT_ALL: all (delete), 0 (add) */
    uint16_t priority;
    uint16_t idle_timeout;        /* seconds; 0: never */
    uint16_t hard_timeout;
    uint16_t importance;
    uint32_t out_port;            /* delete filter, OFPP_ANY: none */
    uint32_t out_group;           /* OFPG_ANY: none */
    unsigned int flags;           /* enum flow_mod_flags */
    struct instructions instructions;   /* lists borrowed from `storage` */
    struct actions storage[2];    /* apply, write */
};

/* An add into table 0 with default priority and no instructions. */
void flow_mod_init(struct flow_mod *);
void flow_mod_fini(struct flow_mod *);
/* After storage[] was filled: points the instructions at it. */
void flow_mod_seal(struct flow_mod *);

/* The field's usual text, as ovs-ofctl's users write it:
 *     table=0,priority=100,tcp,nw_dst=10.0.0.1,tp_dst=80,actions=output:2
 *     add|modify|delete... come from the caller as `command`.
 * `port_number` turns a port's name into its number (may be NULL; returns 0 when
 * unknown).  Deletes need no actions.  On failure `error` says what, where
 * (byte position) and what was nearest. */
struct flow_text_names {
    uint32_t (*port_number)(void *aux, const char *name);
    const char *(*port_name)(void *aux, uint32_t number);
    void *aux;
};
int flow_mod_parse(const char *text, enum flow_mod_command,
                   const struct flow_text_names *, struct flow_mod *,
                   struct str *error);
/* Only a packet or match: "tcp,nw_dst=10.0.0.2,tp_dst=80".  */
int match_parse(const char *text, const struct flow_text_names *,
                struct match *, struct str *error);
int actions_parse(const char *text, const struct flow_text_names *,
                  struct actions *, struct str *error);
/* One line that flow_mod_parse() reads back to the same thing. */
void flow_mod_format(const struct flow_mod *, struct str *);
/* With names of ports, where they have some; read back by the same names. */
void flow_mod_format_names(const struct flow_mod *,
                           const struct flow_text_names *, struct str *);

enum group_type { GROUP_ALL, GROUP_SELECT, GROUP_INDIRECT,
                  GROUP_FAST_FAILOVER };

struct bucket {
    uint32_t id;                  /* 1.5; else its position */
    uint16_t weight;
    uint32_t watch_port;          /* OFPP_ANY: none */
    uint32_t watch_group;         /* OFPG_ANY: none */
    struct actions actions;       /* executed as a set, in the set's order */
};

/* How a select group chooses a bucket: by "hash" of the fields that are named,
 * or by "dp_hash", of the packet's addresses and ports.  An empty method: as the
 * switch likes, which is like dp_hash. */
enum { GROUP_METHOD_LEN = 16, GROUP_MAX_FIELDS = 32 };

struct group_selection {
    char method[GROUP_METHOD_LEN];      /* NUL-terminated */
    uint64_t param;                     /* the hash begins with it */
    unsigned int n_fields;
    struct group_field {
        enum field_id id;
        u128 mask;                      /* bits that count */
    } fields[GROUP_MAX_FIELDS];
};

enum group_mod_command { GROUP_MOD_ADD, GROUP_MOD_MODIFY, GROUP_MOD_DELETE,
                         GROUP_MOD_ADD_OR_MODIFY, GROUP_MOD_INSERT_BUCKET,
                         GROUP_MOD_REMOVE_BUCKET };

enum {
    BUCKET_FIRST = 0xfffffffd, BUCKET_LAST = 0xfffffffe,
    BUCKET_ALL = 0xffffffff,
};

struct group_mod {
    enum group_mod_command command;
    enum group_type type;
    uint32_t id;                  /* OFPG_ALL: all (delete) */
    uint32_t command_bucket;      /* insert/remove: where */
    struct group_selection selection;
    unsigned int n_buckets;
    struct bucket *buckets;
};

void group_mod_fini(struct group_mod *);
int group_mod_parse(const char *text, enum group_mod_command,
                    const struct flow_text_names *, struct group_mod *,
                    struct str *error);
void group_mod_format(const struct group_mod *, struct str *);
void group_mod_format_names(const struct group_mod *,
                            const struct flow_text_names *, struct str *);

enum meter_band_type { METER_BAND_DROP = 1, METER_BAND_DSCP_REMARK = 2 };
enum meter_flags { METER_KBPS = 1, METER_PKTPS = 2, METER_BURST = 4,
                   METER_STATS = 8 };

struct meter_band {
    enum meter_band_type type;
    uint32_t rate;                /* kb/s or packets/s */
    uint32_t burst_size;          /* kb or packets */
    uint8_t prec_level;           /* dscp_remark */
};

enum meter_mod_command { METER_MOD_ADD, METER_MOD_MODIFY, METER_MOD_DELETE };
enum { METER_MAX_BANDS = 8, OFPM_MAX = 0xffff0000 };
/* Virtual meters: packets that are translated (nothing passes it here), and
 * packet-ins whose action names no meter. */
#define OFPM_SLOWPATH UINT32_C(0xfffffffd)
#define OFPM_CONTROLLER UINT32_C(0xfffffffe)
#define OFPM_ALL UINT32_C(0xffffffff)

struct meter_mod {
    enum meter_mod_command command;
    uint32_t id;
    unsigned int flags;           /* enum meter_flags */
    unsigned int n_bands;
    struct meter_band bands[METER_MAX_BANDS];
};

int meter_mod_parse(const char *text, enum meter_mod_command,
                    struct meter_mod *, struct str *error);
void meter_mod_format(const struct meter_mod *, struct str *);

#endif
