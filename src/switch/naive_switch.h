/* A naive twin of the switch, for tests: what the tables mean for one packet.
 *
 * No masks, no cache, no tricks: entries are searched from first to last, edits
 * are made to the packet's bytes at once, and the packet is parsed anew whenever
 * a field is needed.  Slow and plain; the property test compares the data path
 * with it. */
#ifndef WEFT_SWITCH_NAIVE_SWITCH_H
#define WEFT_SWITCH_NAIVE_SWITCH_H

#include "switch/translate.h"

enum {
    NAIVE_MAX_RULES = 512,
    NAIVE_MAX_GROUPS = 16,
    NAIVE_MAX_PORTS = 16,
    NAIVE_MAX_STATIONS = 256,
    NAIVE_MAX_OUTPUTS = 512,
    NAIVE_MAX_DEPTH = 256,        /* tables within each other; the switch's
                                     bound is below */
};

/* A frame that left, or went to the controller (then port is 0). */
struct naive_output {
    uint32_t port;
    uint32_t len;
    uint8_t *bytes;
    /* Of a packet-in. */
    uint8_t reason, table;
    uint16_t controller_id, userdata_len;
    uint8_t userdata[16];         /* the action's: the test's are short */
    be64 cookie, metadata;
    be32 regs[FLOW_N_REGS];
    /* To a port that is a tunnel: how it is to leave.  Else family 0. */
    struct tunnel_key tun;
};

enum { NAIVE_MAX_CONJUNCTION = 4 };  /* ids are below */

struct naive_switch {
    const struct translate_env *env;    /* for the choice among live buckets */
    struct packet_pool *pool;
    struct conntrack *ct;         /* of its own */
    msec now;
    unsigned int n_rules, n_groups;
    struct flow_mod *rules[NAIVE_MAX_RULES];
    struct group_mod *groups[NAIVE_MAX_GROUPS];
    struct port_settings ports[NAIVE_MAX_PORTS];    /* number 0: none; in
                                                       their order */
    unsigned int unasked;         /* enum unasked */
    unsigned int first_egress;    /* N_TABLES: none */
    unsigned int n_lookups;       /* of the last run */
    unsigned int depth;           /* tables within each other, so far */
    enum of_frag fragments;
    struct tunnel_option_map options;   /* which are tun_metadata fields */

    unsigned int n_stations;
    struct naive_station {
        struct fdb_key key;
        uint32_t port;
    } stations[NAIVE_MAX_STATIONS];

    /* Of the last run. */
    unsigned int n_outputs;
    struct naive_output outputs[NAIVE_MAX_OUTPUTS];
    bool hit;                     /* some entry above priority 0 matched, */
    bool conjunctive;             /* a conjunction led there */
    bool overflow;                /* too much happened to be compared */
};

/* `tun`: what outer headers said; NULL: it came by no tunnel. */
void naive_run(struct naive_switch *, const void *frame, uint32_t len,
               uint32_t in_port, const struct tunnel_key *tun);
void naive_clear(struct naive_switch *);
/* ---- naive_lookup.c ---- */

/* The rule of highest priority that the flow meets. */
const struct flow_mod *naive_lookup(struct naive_switch *, uint8_t table,
                                    const struct flow *);
const struct port_settings *naive_port(const struct naive_switch *,
                                       uint32_t number);
const struct group_mod *naive_group(const struct naive_switch *, uint32_t id);
bool naive_bucket_is_live(const struct naive_switch *, const struct bucket *);
/* `sw` is a struct naive_switch: for balance_member(). */
bool naive_member_is_live(const void *sw, uint32_t port);

#endif
