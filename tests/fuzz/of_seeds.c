/* Seeds for the fuzzers of OpenFlow: messages of every type in every version,
 * as our own encoder says them, one by one and as conversations.
 *
 *     of_seeds CORPUS        writes CORPUS/of_message/seed-*,
 *                            CORPUS/of_session/seed-* and, what a switch
 *                            answers, CORPUS/of_reply/seed-*
 *
 * What is inside flow-mods and group-mods is random, with fixed seeds, over all
 * that can be said (random_mods_test.h): new actions are in by themselves. */
#include <stdio.h>
#include <stdlib.h>

#include "openflow/openflow.h"
#include "openflow/random_mods_test.h"

enum { XID = 7, N_FLOW_MODS = 48, N_GROUP_MODS = 16 };

static const enum of_version versions[] = { OF10, OF13, OF14, OF15 };

/* One version's messages go to a file each, and into a conversation. */
struct seeds {
    const char *dir;
    unsigned int version;         /* its place in versions[] */
    struct of_protocol protocol;
    unsigned int n[N_OF_TYPES];   /* files of each type */
    bool is_talk_only;            /* no file each */
    bool is_other;                /* the other peer says it */
    struct buf talk;              /* of_session_fuzz.c says how */
};

static void
write_file(const struct seeds *seeds, const char *target, const char *name,
           const struct buf *bytes)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s/seed-%s-%s", seeds->dir, target,
             of_version_name(seeds->protocol.version), name);
    f = fopen(path, "w");
    if (!f || fwrite(bytes->data, bytes->len, 1, f) != 1 || fclose(f)) {
        perror(path);
        exit(1);
    }
}

/* Turns of the conversation: what a session says, and other events. */
static void
talk_event(struct seeds *seeds, uint8_t op)
{
    buf_put_u8(&seeds->talk, op);
}

static void
talk_message(struct seeds *seeds, const uint8_t *message, size_t len)
{
    talk_event(seeds, seeds->is_other ? 0x10 : 0);
    buf_put_u8(&seeds->talk, message[1]);
    buf_put_u16(&seeds->talk, (uint16_t) (len - OF_HEADER_LEN));
    buf_put(&seeds->talk, message + OF_HEADER_LEN, len - OF_HEADER_LEN);
}

static void
seed_bytes(struct seeds *seeds, enum of_type type, const struct buf *message)
{
    const struct of_protocol *p = &seeds->protocol;
    struct buf bytes = BUF_INIT;
    char numbered[64];

    talk_message(seeds, message->data, message->len);
    if (seeds->is_talk_only) {
        return;
    }
    buf_put_u8(&bytes, (uint8_t) (seeds->version | (p->nxm_flows ? 4 : 0)
                                  | (p->flow_mod_table_id ? 8 : 0)
                                  | p->packet_in_format << 4));
    buf_put(&bytes, message->data, message->len);
    snprintf(numbered, sizeof numbered, "%s-%02u", of_type_name(type),
             seeds->n[type]++);
    write_file(seeds, "of_message", numbered, &bytes);
    buf_fini(&bytes);
}

/* What the version cannot say is left out. */
static void
seed(struct seeds *seeds, struct of_message *m)
{
    struct buf out = BUF_INIT;

    m->version = seeds->protocol.version;
    m->xid = XID;
    if (!of_message_encode(&out, &seeds->protocol, m)) {
        seed_bytes(seeds, m->type, &out);
    }
    buf_fini(&out);
}

/* ---- By family ---- */

static void
seed_plain(struct seeds *seeds)
{
    static const enum of_type types[] = {
        OFT_ECHO_REQUEST, OFT_FEATURES_REQUEST, OFT_GET_CONFIG_REQUEST,
        OFT_BARRIER_REQUEST, OFT_BARRIER_REPLY, OFT_GET_ASYNC_REQUEST,
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        seed(seeds, &(struct of_message) { .type = types[i] });
    }
}

static void
seed_hello_and_errors(struct seeds *seeds)
{
    static const uint8_t request[] = { 4, 14, 0, 16, 0, 0, 0, 7, 1, 2 };
    struct of_message hello = { .type = OFT_HELLO,
                                .hello.versions = 1u << OF10 | 1u << OF15 };

    seed(seeds, &hello);
    for (unsigned int e = OF_OK + 1; e < N_OF_ERRORS; e += 9) {
        struct buf out = BUF_INIT;

        of_error_encode(&out, seeds->protocol.version, (enum of_error) e,
                        request, sizeof request,
                        e == OF_HELLO_FAILED_INCOMPATIBLE ? "no" : NULL);
        seed_bytes(seeds, OFT_ERROR, &out);
        buf_fini(&out);
    }
}

static void
seed_switch(struct seeds *seeds)
{
    struct of_port_desc port = { .number = 1, .name = "port",
                                 .curr_speed = 1000, .state = 4 };
    struct of_message features = {
        .type = OFT_FEATURES_REPLY,
        .features = { .datapath_id = 5, .n_tables = 9, .n_ports = 1,
                      .ports = &port },
    };
    struct of_message config = { .type = OFT_SET_CONFIG,
                                 .config.miss_send_len = 128 };
    struct of_message async = { .type = OFT_SET_ASYNC };

    seed(seeds, &features);
    seed(seeds, &config);
    config.type = OFT_GET_CONFIG_REPLY;
    seed(seeds, &config);
    for (unsigned int i = 0; i < N_ASYNC; i++) {
        async.async.present[0] |= 1u << i;
        async.async.present[1] |= 1u << i;
        async.async.mask[0][i] = async.async.mask[1][i] = 3;
    }
    seed(seeds, &async);
    async.type = OFT_GET_ASYNC_REPLY;
    seed(seeds, &async);
    for (unsigned int role = ROLE_NOCHANGE; role <= ROLE_SLAVE; role++) {
        struct of_message m = {
            .type = OFT_ROLE_REQUEST,
            .role = { .role = role, .generation_id = 3,
                      .has_generation = true },
        };

        seed(seeds, &m);
        m.type = OFT_ROLE_REPLY;
        seed(seeds, &m);
        m.type = OFT_ROLE_STATUS;
        seed(seeds, &m);
    }
    seed(seeds, &(struct of_message) { .type = OFT_NX_SET_CONTROLLER_ID,
                                       .controller_id = 0 });
    seed(seeds, &(struct of_message) {
        .type = OFT_ROLE_REQUEST,
        .role = { .role = ROLE_EQUAL, .has_generation = true,
                  .short_id = 9 } });
}

static void
seed_ports(struct seeds *seeds)
{
    struct of_message status = { .type = OFT_PORT_STATUS,
                                 .port_status.desc = { .number = 3,
                                                       .name = "x" } };
    struct of_message mod = {
        .type = OFT_PORT_MOD,
        .port_mod = { .number = 1, .config = PORT_CONFIG_NO_FLOOD,
                      .mask = PORT_CONFIG_NO_FLOOD },
    };
    struct of_message table = { .type = OFT_TABLE_MOD,
                                .table_mod.table = 3 };

    seed(seeds, &status);
    seed(seeds, &mod);
    mod.port_mod.config = mod.port_mod.mask = PORT_CONFIG_NO_RECV;
    seed(seeds, &mod);
    mod.port_mod.advertise = PORT_1GB_FD;
    seed(seeds, &mod);
    mod.port_mod.mask = PORT_CONFIG_NO_STP;
    seed(seeds, &mod);
    mod.port_mod.hw_addr.b[5] = 1;
    seed(seeds, &mod);
    mod.port_mod.number = 77;
    seed(seeds, &mod);
    seed(seeds, &table);
    table.table_mod.has_eviction = true;
    table.table_mod.eviction_flags = 1;
    table.table_mod.config = TABLE_CONFIG_EVICTION;
    seed(seeds, &table);
    table.table_mod.has_vacancy = true;
    table.table_mod.vacancy_down = 10;
    table.table_mod.vacancy_up = 20;
    seed(seeds, &table);
    seed(seeds, &(struct of_message) {
        .type = OFT_QUEUE_GET_CONFIG_REQUEST, .queue_port = 1 });
    seed(seeds, &(struct of_message) {
        .type = OFT_QUEUE_GET_CONFIG_REPLY, .queue_port = 1 });
}

static void
seed_packets(struct seeds *seeds)
{
    static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
                                       0x08, 0x06 };
    struct of_message in = {
        .type = OFT_PACKET_IN,
        .packet_in = { .buffer_id = OF_NO_BUFFER, .total_len = 100,
                       .reason = REASON_APPLY_ACTION, .table = 2,
                       .cookie = htobe64(5),
                       .data = { frame, sizeof frame } },
    };
    struct of_message out = {
        .type = OFT_PACKET_OUT,
        .packet_out = { .buffer_id = OF_NO_BUFFER, .in_port = 1,
                        .data = { frame, sizeof frame } },
    };
    struct of_message removed = {
        .type = OFT_FLOW_REMOVED,
        .flow_removed = { .cookie = htobe64(1), .priority = 5, .packets = 3,
                          .bytes = 180, .idle_timeout = 9 },
    };

    match_init(&in.packet_in.match);
    match_set(&in.packet_in.match, FIELD_IN_PORT, 1, UINT32_MAX);
    match_set(&in.packet_in.match, FIELD_METADATA, 9, UINT64_MAX);
    seed(seeds, &in);
    in.packet_in.userdata = (struct of_bytes) { frame, 9 };
    in.packet_in.continuation = (struct of_continuation) { true, 3, 4 };
    seed(seeds, &in);
    in.type = OFT_NX_RESUME;
    seed(seeds, &in);
    match_init(&out.packet_out.match);
    actions_add_output(&out.packet_out.actions, 2);
    seed(seeds, &out);
    actions_fini(&out.packet_out.actions);
    match_init(&removed.flow_removed.match);
    match_set(&removed.flow_removed.match, FIELD_ETH_TYPE, 0x800, 0xffff);
    seed(seeds, &removed);
}

/* Nothing stands in their way. */
static void
seed_plain_flow_mods(struct seeds *seeds)
{
    static const enum flow_mod_command commands[] = {
        FLOW_MOD_ADD, FLOW_MOD_ADD, FLOW_MOD_MODIFY, FLOW_MOD_DELETE_STRICT,
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++) {
        struct of_message m = { .type = OFT_FLOW_MOD };

        flow_mod_init(&m.flow_mod);
        m.flow_mod.command = commands[i];
        m.flow_mod.priority = (uint16_t) (i & 1);
        m.flow_mod.flags = FLOW_MOD_SEND_FLOW_REM;
        match_set(&m.flow_mod.match, FIELD_IN_PORT, 1, UINT32_MAX);
        actions_add_output(&m.flow_mod.storage[0], 1 + (i >> 1));
        flow_mod_seal(&m.flow_mod);
        seed(seeds, &m);
        flow_mod_fini(&m.flow_mod);
    }
}

static void
seed_flow_mods(struct seeds *seeds)
{
    struct rng rng = { seeds->version + 1 };

    seed_plain_flow_mods(seeds);

    for (unsigned int i = 0; i < N_FLOW_MODS; i++) {
        struct of_message m = { .type = OFT_FLOW_MOD };

        random_flow_mod(&rng, i % 4 == 3 ? i / 4 % 5 : FLOW_MOD_ADD,
                        &m.flow_mod);
        m.flow_mod.table %= 16;   /* most actions want the others to exist */
        seed(seeds, &m);
        flow_mod_fini(&m.flow_mod);
    }
}

static void
choose_by_hash(struct group_mod *gm)
{
    gm->type = GROUP_SELECT;
    gm->selection = (struct group_selection) {
        .method = "hash", .param = 9, .n_fields = 2,
        .fields = { { FIELD_IPV4_SRC, 0xffffff00 },
                    { FIELD_TCP_DST, 0xffff } },
    };
}

static void
seed_groups_and_meters(struct seeds *seeds)
{
    struct rng rng = { seeds->version + 1 };

    for (unsigned int i = 0; i < N_GROUP_MODS; i++) {
        struct of_message m = { .type = OFT_GROUP_MOD };

        random_group_mod(&rng, &m.group_mod);
        if (i % 4 == 0 && m.group_mod.command < GROUP_MOD_DELETE) {
            choose_by_hash(&m.group_mod);
        }
        seed(seeds, &m);
        group_mod_fini(&m.group_mod);
    }
    for (unsigned int command = METER_MOD_ADD; command <= METER_MOD_DELETE;
         command++) {
        struct of_message m = {
            .type = OFT_METER_MOD,
            .meter_mod = {
                .command = command, .id = 4, .n_bands = 2,
                .flags = METER_KBPS | METER_BURST | METER_STATS,
                .bands = { { .type = METER_BAND_DROP, .rate = 100,
                             .burst_size = 10 },
                           { .type = METER_BAND_DSCP_REMARK, .rate = 50,
                             .burst_size = 10, .prec_level = 1 } },
            },
        };

        seed(seeds, &m);
    }
}

static void
seed_multiparts(struct seeds *seeds)
{
    for (unsigned int type = 0; type < N_MULTIPARTS; type++) {
        for (unsigned int is_nicira = 0; is_nicira < 2; is_nicira++) {
            struct of_message m = {
                .type = OFT_MULTIPART_REQUEST,
                .multipart = {
                    .type = type, .is_nicira = is_nicira,
                    .table = OFPTT_ALL, .out_port = OFPP_ANY,
                    .out_group = OFPG_ANY, .port = OFPP_ANY,
                    .queue = OFPQ_ALL, .group = OFPG_ALL,
                    .meter = OFPM_ALL,
                },
            };

            match_init(&m.multipart.match);
            seed(seeds, &m);
            m.multipart.more = true;
            match_set(&m.multipart.match, FIELD_ETH_TYPE, 0x800, 0xffff);
            seed(seeds, &m);
        }
    }
}

static void
seed_monitors(struct seeds *seeds)
{
    for (unsigned int form = 0; form < 6; form++) {
        struct of_flow_monitor monitor = {
            .id = 5 + form / 2, .table = form == 3 ? 3 : OFPTT_ALL,
            .flags = MONITOR_INITIAL | MONITOR_ADDED | MONITOR_REMOVED
                     | MONITOR_MODIFIED | MONITOR_INSTRUCTIONS
                     | (form & 1 ? MONITOR_NO_ABBREV : 0),
            .command = form >= 4 ? MONITOR_MODIFY : MONITOR_ADD,
            .out_port = form >= 4 ? 2 : OFPP_ANY, .out_group = OFPG_ANY,
        };
        struct of_message m = {
            .type = OFT_MULTIPART_REQUEST,
            .multipart = { .type = MP_FLOW_MONITOR,
                           .is_nicira = form & 1 },
        };
        struct buf body = BUF_INIT;

        match_init(&monitor.match);
        if (form >= 4) {
            match_set(&monitor.match, FIELD_ETH_TYPE, 0x800, 0xffff);
        }
        if (of_flow_monitor_put(&body, &seeds->protocol,
                                m.multipart.is_nicira, &monitor)) {
            m.multipart.body = (struct of_bytes) { body.data, body.len };
            seed(seeds, &m);
        }
        buf_fini(&body);
        /* Something to tell of. */
        seeds->is_talk_only = true;
        seeds->is_other = form & 1;
        seed_flow_mods(seeds);
        seeds->is_talk_only = seeds->is_other = false;
    }
    seed(seeds, &(struct of_message) { .type = OFT_FLOW_MONITOR_CANCEL,
                                       .monitor_id = 5 });
    seed(seeds, &(struct of_message) { .type = OFT_FLOW_MONITOR_PAUSED });
}

/* A message in a bundle, which may not be such that bundles may hold. */
static void
seed_bundled(struct seeds *seeds, uint32_t id, uint16_t flags,
             struct of_message *m)
{
    struct buf inner = BUF_INIT;

    m->version = seeds->protocol.version;
    m->xid = XID;
    if (!of_message_encode(&inner, &seeds->protocol, m)) {
        struct of_message add = {
            .type = OFT_BUNDLE_ADD,
            .bundle_add = { .id = id, .flags = flags,
                            .message = { inner.data, inner.len } },
        };

        seed(seeds, &add);
    }
    buf_fini(&inner);
}

static void
seed_bundle_control(struct seeds *seeds, uint32_t id, uint16_t type,
                    uint16_t flags)
{
    seed(seeds, &(struct of_message) {
        .type = OFT_BUNDLE_CONTROL,
        .bundle_control = { .id = id, .type = type, .flags = flags } });
}

/* What bundles are not for. */
static void
seed_wrong_bundles(struct seeds *seeds)
{
    struct of_message barrier = { .type = OFT_BARRIER_REQUEST };
    struct of_message nowhere = { .type = OFT_FLOW_MOD };

    flow_mod_init(&nowhere.flow_mod);
    actions_add_output(&nowhere.flow_mod.storage[0], 65000);
    flow_mod_seal(&nowhere.flow_mod);
    seed_bundle_control(seeds, 50, BUNDLE_OPEN_REQUEST, 8);
    seed_bundled(seeds, 51, 0, &barrier);
    seed_bundled(seeds, 52, 8, &nowhere);
    seed_bundled(seeds, 53, 0, &nowhere);
    seed_bundle_control(seeds, 53, BUNDLE_COMMIT_REQUEST, 0);
    seed_bundled(seeds, 54, 0, &nowhere);
    seed_bundle_control(seeds, 54, BUNDLE_CLOSE_REQUEST, 1);
    seed_bundled(seeds, 55, 0, &nowhere);
    seed_bundle_control(seeds, 55, BUNDLE_CLOSE_REQUEST, 0);
    seed_bundled(seeds, 55, 0, &nowhere);
    seed_bundled(seeds, 56, 0, &nowhere);
    seed_bundled(seeds, 56, 1, &nowhere);
    flow_mod_fini(&nowhere.flow_mod);
    seeds->is_talk_only = true;
    for (uint32_t id = 0; id < 40; id++) {
        seed_bundle_control(seeds, 100 + id, BUNDLE_OPEN_REQUEST, 0);
    }
    seeds->is_talk_only = false;
}

static void
seed_bundles(struct seeds *seeds)
{
    seed_wrong_bundles(seeds);
    for (unsigned int round = 0; round < 2; round++) {
        struct of_message m = { .type = OFT_BUNDLE_CONTROL };
        struct of_message mod = { .type = OFT_FLOW_MOD };
        struct buf inner = BUF_INIT;

        m.bundle_control.id = round;
        m.bundle_control.type = BUNDLE_OPEN_REQUEST;
        seed(seeds, &m);

        flow_mod_init(&mod.flow_mod);
        flow_mod_seal(&mod.flow_mod);
        mod.version = seeds->protocol.version;
        mod.xid = XID;
        if (!of_message_encode(&inner, &seeds->protocol, &mod)) {
            struct of_message add = {
                .type = OFT_BUNDLE_ADD,
                .bundle_add = { .id = round,
                                .message = { inner.data, inner.len } },
            };

            seed(seeds, &add);
        }
        flow_mod_fini(&mod.flow_mod);
        buf_fini(&inner);

        m.bundle_control.type = BUNDLE_CLOSE_REQUEST;
        seed(seeds, &m);
        m.bundle_control.type = round ? BUNDLE_COMMIT_REQUEST
                                      : BUNDLE_DISCARD_REQUEST;
        seed(seeds, &m);
        m.bundle_control.type++;
        seed(seeds, &m);
    }
}

static void
seed_extensions(struct seeds *seeds)
{
    seed(seeds, &(struct of_message) { .type = OFT_NX_FLOW_MOD_TABLE_ID,
                                       .flow_mod_table_id = true });
    seed(seeds, &(struct of_message) { .type = OFT_NX_SET_FLOW_FORMAT,
                                       .nxm_flows = true });
    for (unsigned int format = PACKET_IN_STANDARD; format <= PACKET_IN_NXT2;
         format++) {
        seed(seeds, &(struct of_message) {
            .type = OFT_NX_SET_PACKET_IN_FORMAT,
            .packet_in_format = format });
    }
}

/* Options of tunnels, and connections to forget. */
static void
seed_options(struct seeds *seeds)
{
    struct of_message table = {
        .type = OFT_NX_TLV_TABLE_MOD,
        .tlv_table = { .command = TLV_ADD, .n = 2,
                       .entries = { { 0x102, 0x80, 4, 0 },
                                    { 0xffff, 1, 16, 7 } } },
    };
    struct of_message flush = {
        .type = OFT_NX_CT_FLUSH,
        .ct_flush = { .ip_proto = 6, .has_zone = true, .zone = 5,
                      .tuples = { { .parts = 0x7f, .src_port = 80 },
                                  { .parts = 0x03 } } },
    };

    seed(seeds, &table);
    seed(seeds, &(struct of_message) { .type = OFT_NX_TLV_TABLE_REQUEST });
    table.type = OFT_NX_TLV_TABLE_REPLY;
    table.tlv_table.max_space = 256;
    seed(seeds, &table);
    seed(seeds, &flush);
    flush.type = OFT_NX_CT_FLUSH_ZONE;
    seed(seeds, &flush);
}

/* A table's features as we give them ourselves, with what a request sets. */
static void
seed_table_features(struct seeds *seeds, uint8_t command, uint32_t max,
                    uint32_t features)
{
    enum { REPLY_HEADER = 16, COMMAND = 3, MAX_ENTRIES = 60, FIXED = 64 };
    const struct of_multipart_request what = { .type = MP_TABLE_FEATURES };
    struct of_message m = { .type = OFT_MULTIPART_REQUEST,
                            .multipart.type = MP_TABLE_FEATURES };
    struct buf buf = BUF_INIT;
    struct of_reply reply;

    of_reply_begin(&reply, &buf, &seeds->protocol, XID, &what);
    of_reply_table_features(&reply, &(struct of_table_features) {
        .table = 2, .first_egress = OFPTT_ALL,
        .features = features,
        .config = TABLE_CONFIG_EVICTION | TABLE_CONFIG_VACANCY });
    of_reply_end(&reply);
    buf.data[REPLY_HEADER + COMMAND] = command;
    for (unsigned int i = 0; i < 4; i++) {
        buf.data[REPLY_HEADER + MAX_ENTRIES + i]
            = (uint8_t) (max >> (24 - 8 * i));
    }
    m.multipart.body = (struct of_bytes) { buf.data + REPLY_HEADER,
                                           buf.len - REPLY_HEADER };
    seed(seeds, &m);
    buf_patch_u16(&buf, REPLY_HEADER, FIXED);
    m.multipart.body.len = FIXED;
    seed(seeds, &m);
    buf_fini(&buf);
}

/* A table that is limited, evicts and tells; and what only switches say. */
static void
seed_tables(struct seeds *seeds)
{
    static const uint8_t request[] = { 5, 15, 0, 16, 0, 0, 0, 7,
                                       0, 2, 0, 0, 0, 0, 0, 1 };
    struct of_message status = {
        .type = OFT_TABLE_STATUS,
        .table_status = {
            .reason = TABLE_VACANCY_DOWN,
            .desc = { .table = 2, .config = TABLE_CONFIG_VACANCY,
                      .has_eviction = true, .has_vacancy = true },
        },
    };
    struct of_message mod = {
        .type = OFT_TABLE_MOD,
        .table_mod = { .table = OFPTT_ALL, .has_vacancy = true,
                       .config = TABLE_CONFIG_EVICTION
                                 | TABLE_CONFIG_VACANCY,
                       .vacancy_down = 40, .vacancy_up = 60 },
    };

    for (uint8_t command = 0; command <= TABLE_DISABLE + 1; command++) {
        seed_table_features(seeds, command, 10, TABLE_INGRESS);
    }
    seed_table_features(seeds, TABLE_MODIFY, 0, TABLE_INGRESS);
    seed_table_features(seeds, TABLE_MODIFY, 10,
                        TABLE_EGRESS | TABLE_FIRST_EGRESS);
    seed(seeds, &mod);
    seeds->is_talk_only = true;
    seed_flow_mods(seeds);
    seeds->is_talk_only = false;
    seed(seeds, &status);
    seed(seeds, &(struct of_message) {
        .type = OFT_REQUESTFORWARD,
        .forwarded = { request, sizeof request } });
    seed(seeds, &(struct of_message) {
        .type = OFT_CONTROLLER_STATUS,
        .controller_status = { .short_id = 3, .role = ROLE_MASTER,
                               .uri = "tcp:127.0.0.1" } });
    seed(seeds, &(struct of_message) { .type = OFT_FLOW_MONITOR_CANCEL,
                                       .monitor_id = 5 });
}

/* ---- All of them ---- */

/* A conversation of one session, while another one listens. */
static void
begin_talk(struct seeds *seeds)
{
    static const uint8_t hellos[] = { 0, 0, 0, 0, 0x10, 0, 0, 0 };

    buf_clear(&seeds->talk);
    talk_event(seeds, (uint8_t) (seeds->version | seeds->version << 2));
    buf_put(&seeds->talk, hellos, sizeof hellos);
}

static void
end_talk(struct seeds *seeds, const char *name)
{
    /* Packets, time, the bridge; the other peer comes again and greets in no
     * version that there is. */
    static const uint8_t events[] = {
        0x0a, 0x1a, 0x29, 0x0e, 0x79, 0x79, 0x0d, 0x0c, 0x0f,
        0x1c, 0x1b, 0, 16, 2, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 4,
    };

    buf_put(&seeds->talk, events, sizeof events);
    write_file(seeds, "of_session", name, &seeds->talk);
}

static void
seed_version(struct seeds *seeds)
{
    static const struct {
        const char *name;
        void (*seed)(struct seeds *);
    } families[] = {
        { "switch", seed_switch }, { "ports", seed_ports },
        { "packets", seed_packets }, { "flows", seed_flow_mods },
        { "groups", seed_groups_and_meters }, { "bundles", seed_bundles },
        { "monitors", seed_monitors },
        { "plain", seed_plain }, { "errors", seed_hello_and_errors },
    };

    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        begin_talk(seeds);
        families[i].seed(seeds);
        /* What was set up is asked about. */
        seeds->is_talk_only = true;
        seed_multiparts(seeds);
        seeds->is_talk_only = false;
        end_talk(seeds, families[i].name);
    }
}

/* ---- Replies, for who asks ---- */

static void
seed_reply(struct seeds *seeds, enum of_multipart_type type,
           const char *name)
{
    struct of_multipart_request request = { .type = type };
    struct of_port_desc port = { .number = 3, .name = "web" };
    struct meter_mod meter = { .id = 7, .flags = METER_KBPS | METER_BURST };
    struct flow_mod flow;
    struct of_flow_stats stats;
    struct buf bytes = BUF_INIT;
    struct of_reply reply;

    meter.bands[meter.n_bands++]
        = (struct meter_band) { METER_BAND_DROP, 1000, 50, 0 };
    if (flow_mod_parse("table=4,tcp,reg0=1/1,tp_dst=80,actions=meter:7,"
                       "set_field:5->reg15,output:2,goto_table:60",
                       FLOW_MOD_ADD, NULL, &flow, NULL)) {
        abort();
    }
    stats = (struct of_flow_stats) {
        .table = flow.table, .match = &flow.match,
        .instructions = &flow.instructions,
    };
    buf_put_u8(&bytes, (uint8_t) seeds->version);
    of_reply_begin(&reply, &bytes, &seeds->protocol, XID, &request);
    for (unsigned int i = 0; i < 2; i++) {
        switch (type) {
        case MP_FLOW: of_reply_flow(&reply, &stats); break;
        case MP_PORT_DESC: of_reply_port_desc(&reply, &port); break;
        default: of_reply_meter_config(&reply, &meter); break;
        }
    }
    of_reply_end(&reply);
    write_file(seeds, "of_reply", name, &bytes);
    flow_mod_fini(&flow);
    buf_fini(&bytes);
}

static void
seed_replies(struct seeds *seeds)
{
    seed_reply(seeds, MP_PORT_DESC, "ports");
    if (seeds->protocol.version > OF10) {
        seed_reply(seeds, MP_FLOW, "flows");
        seed_reply(seeds, MP_METER_CONFIG, "meters");
    }
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: of_seeds CORPUS\n");
        return 2;
    }
    for (unsigned int v = 0; v < ARRAY_SIZE(versions); v++) {
        struct seeds seeds = { .dir = argv[1], .version = v,
                               .protocol.version = versions[v] };

        seed_version(&seeds);
        seed_replies(&seeds);
        seed_multiparts(&seeds);
        begin_talk(&seeds);
        seed_extensions(&seeds);
    seed_options(&seeds);
        seeds.protocol.nxm_flows = true;
        seeds.protocol.flow_mod_table_id = true;
        seeds.protocol.packet_in_format = PACKET_IN_NXT2;
        seed_packets(&seeds);
        seed_groups_and_meters(&seeds);
        seed_multiparts(&seeds);
        end_talk(&seeds, "extended");
        seeds.protocol = (struct of_protocol) { .version = versions[v] };
        begin_talk(&seeds);
        seed_tables(&seeds);
        end_talk(&seeds, "tables");
        buf_fini(&seeds.talk);
    }
    return 0;
}
