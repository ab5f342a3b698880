#include "openflow/wire_test.h"

static void
tcp_match(struct match *match)
{
    CHECK(!match_parse("tcp,nw_dst=10.0.0.0/8,tp_dst=80", NULL, match, NULL));
}

TEST(requests_come_back)
{
    for (unsigned int type = 0; type < N_MULTIPARTS; type++) {
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
            struct of_protocol p = { .version = versions[i] };
            struct of_message msg = { .type = OFT_MULTIPART_REQUEST }, out;
            struct buf buf = BUF_INIT;
            bool has = type <= MP_QUEUE_STATS || type == MP_PORT_DESC
                       || versions[i] >= OF15
                       || (versions[i] == OF14 && type < MP_FLOW_STATS)
                       || (versions[i] == OF13 && type < MP_TABLE_DESC);

            msg.multipart.type = type;
            msg.multipart.table = 3;
            msg.multipart.out_port = 7;
            msg.multipart.out_group = OFPG_ANY;
            msg.multipart.port = 9;
            msg.multipart.queue = OFPQ_ALL;
            tcp_match(&msg.multipart.match);
            if (!has) {
                CHECK(of_message_encode(&buf, &p, &msg) == -EOPNOTSUPP);
                buf_fini(&buf);
                continue;
            }
            round_trip(&p, &msg, &buf, &out);
            CHECK(out.multipart.type == type);
            if (type == MP_FLOW || type == MP_AGGREGATE) {
                CHECK(out.multipart.table == 3 && out.multipart.out_port == 7);
                CHECK(match_equal(&out.multipart.match,
                                  &msg.multipart.match));
            }
            CHECK((type != MP_PORT_STATS && type != MP_QUEUE_STATS)
                  || out.multipart.port == 9);
            buf_fini(&buf);
        }
    }
}

TEST(niciras_flow_requests_come_back)
{
    struct of_protocol p = { .version = OF10 };
    struct of_message msg = { .type = OFT_MULTIPART_REQUEST }, out;
    struct buf buf = BUF_INIT;

    msg.multipart = (struct of_multipart_request) {
        .type = MP_FLOW, .is_nicira = true, .table = OFPTT_ALL,
        .out_port = OFPP_ANY, .cookie = 0x12, .cookie_mask = 0xff,
    };
    CHECK(!match_parse("reg0=3", NULL, &msg.multipart.match, NULL));
    round_trip(&p, &msg, &buf, &out);
    CHECK(out.multipart.cookie == 0x12 && out.multipart.cookie_mask == 0xff);
    CHECK(match_equal(&out.multipart.match, &msg.multipart.match));
    buf_fini(&buf);
}

TEST(unknown_statistics_are_refused)
{
    struct buf buf = BUF_INIT;
    struct of_message msg;

    CHECK(decode_hex(OF13, "0012000000000001 00630000 00000000", &msg, &buf)
          == OF_BAD_REQUEST_BAD_MULTIPART);
    CHECK(decode_hex(OF10, "0010000000000001 000c0000", &msg, &buf)
          == OF_BAD_REQUEST_BAD_MULTIPART);
    CHECK(decode_hex(OF13, "0012000000000001 ffff0000 00000000 12345678"
                     "00000001", &msg, &buf)
          == OF_BAD_REQUEST_BAD_EXPERIMENTER);
    CHECK(decode_hex(OF10, "0010000000000001 ffff0000 00002320 00000063"
                     "00000000", &msg, &buf) == OF_BAD_REQUEST_BAD_EXP_TYPE);
    CHECK(decode_hex(OF13, "0012000000000001 00000000 00000000 00", &msg,
                     &buf) == OF_BAD_REQUEST_BAD_LEN);
    CHECK(decode_hex(OF13, "0012000000000001 00040000 00000000 0001", &msg,
                     &buf) == OF_BAD_REQUEST_BAD_LEN);
    buf_fini(&buf);
}

/* ---- Replies, as ovs-ofctl reads them ---- */

struct reply_test {
    struct of_protocol protocol;
    struct of_reply reply;
    struct buf buf;
};

static void
begin(struct reply_test *t, enum of_version version,
      enum of_multipart_type type, bool is_nicira)
{
    struct of_multipart_request request = { .type = type,
                                            .is_nicira = is_nicira };

    t->protocol = (struct of_protocol) { .version = version };
    t->buf = (struct buf) BUF_INIT;
    of_reply_begin(&t->reply, &t->buf, &t->protocol, 5, &request);
}

static void
check_says(struct reply_test *t, const char *const *words, size_t n)
{
    struct str printed = STR_INIT;

    of_reply_end(&t->reply);
    ovs_parse(&t->buf, &printed);
    for (size_t i = 0; i < n; i++) {
        CHECK_SAYS(&printed, words[i]);
    }
    str_fini(&printed);
    buf_fini(&t->buf);
}

#define SAYS(T, ...)                                                         \
    check_says(T, (const char *const[]) { __VA_ARGS__ },                     \
               sizeof((const char *const[]) { __VA_ARGS__ })                 \
               / sizeof(char *))

static void
add_flow(struct of_reply *r)
{
    struct flow_mod fm;
    struct of_flow_stats stats;

    CHECK(!flow_mod_parse("table=2,priority=9,tcp,nw_dst=10.0.0.0/8,tp_dst=80"
                          ",cookie=0x12,idle_timeout=60,actions=output:2,"
                          "set_field:5->reg1", FLOW_MOD_ADD, NULL, &fm, NULL));
    stats = (struct of_flow_stats) {
        .table = fm.table, .priority = fm.priority, .cookie = fm.cookie,
        .idle_timeout = fm.idle_timeout, .duration_sec = 7,
        .idle_sec = 3, .modified_sec = 4, .packets = 11, .bytes = 1234,
        .match = &fm.match, .instructions = &fm.instructions,
    };
    of_reply_flow(r, &stats);
    flow_mod_fini(&fm);
}

TEST(flows_are_listed)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct reply_test t;

        begin(&t, versions[i], MP_FLOW, false);
        add_flow(&t.reply);
        add_flow(&t.reply);
        SAYS(&t, "cookie=0x12", "table=2", "n_packets=11", "n_bytes=1234",
             "idle_timeout=60", "priority=9,tcp,nw_dst=10.0.0.0/8,tp_dst=80",
             "actions=output:2,", "duration=7");
    }
}

TEST(flows_are_listed_in_niciras_form)
{
    struct reply_test t;

    begin(&t, OF10, MP_FLOW, true);
    add_flow(&t.reply);
    SAYS(&t, "NXST_FLOW reply", "idle_age=3", "hard_age=4", "n_packets=11",
         "priority=9,tcp,nw_dst=10.0.0.0/8,tp_dst=80");
}

/* Many flows become several messages, each whole. */
TEST(long_replies_are_cut_between_items)
{
    struct reply_test t;
    unsigned int n_messages = 0;
    size_t ofs = 0;

    begin(&t, OF13, MP_FLOW, false);
    for (unsigned int i = 0; i < 2000; i++) {
        add_flow(&t.reply);
        if (i == 1000) {
            of_reply_pause(&t.reply);
        }
    }
    of_reply_end(&t.reply);
    while (ofs < t.buf.len) {
        int len = of_frame_len(t.buf.data + ofs, t.buf.len - ofs);
        bool more = t.buf.data[ofs + 11] & 1;

        CHECK(len > 16 && ofs + (size_t) len <= t.buf.len);
        ofs += (size_t) len;
        CHECK(more == (ofs < t.buf.len));
        n_messages++;
    }
    CHECK(n_messages > 3 && n_messages < 10);
    buf_fini(&t.buf);
}

TEST(other_statistics_are_listed)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        enum of_version v = versions[i];
        struct reply_test t;

        begin(&t, v, MP_AGGREGATE, false);
        of_reply_aggregate(&t.reply, &(struct of_aggregate) { 5, 600, 7 });
        SAYS(&t, "packet_count=5 byte_count=600 flow_count=7");
        begin(&t, v, MP_DESC, false);
        of_reply_desc(&t.reply, &(struct of_desc) {
            .manufacturer = "Weft", .software = "1.2", .datapath = "br0" });
        SAYS(&t, "Manufacturer: Weft", "Software: 1.2", "DP Description: br0");
        begin(&t, v, MP_TABLE, false);
        of_reply_table(&t.reply, &(struct of_table_stats) {
            .name = "classifier", .active = 3, .lookups = 40, .matched = 20 });
        SAYS(&t, "active=3, lookup=40, matched=20");
        begin(&t, v, MP_PORT_STATS, false);
        of_reply_port_stats(&t.reply, &(struct of_port_stats) {
            .number = 2, .rx_packets = 10, .tx_bytes = 77, .collisions = 3 });
        SAYS(&t, "port  2: rx pkts=10", "bytes=77", "coll=3");
        begin(&t, v, MP_PORT_DESC, false);
        of_reply_port_desc(&t.reply, &(struct of_port_desc) {
            .number = 4, .name = "veth4", .curr = PORT_10GB_FD });
        SAYS(&t, " 4(veth4): addr:00:00:00:00:00:00", "10GB-FD");
        begin(&t, v, MP_QUEUE_STATS, false);
        of_reply_queue_stats(&t.reply, &(struct of_queue_stats) {
            .port = 2, .queue = 6, .tx_packets = 8 });
        SAYS(&t, "port 2 queue 6", "pkts=8");
    }
}

TEST(tables_are_described)
{
    for (size_t i = 1; i < ARRAY_SIZE(versions); i++) {
        struct reply_test t;

        begin(&t, versions[i], MP_TABLE_FEATURES, false);
        for (unsigned int n = 0; n <= OFPTT_MAX; n++) {
            of_reply_table_features(&t.reply, &(struct of_table_features) {
                .table = (uint8_t) n, .name = "classifier",
                .first_egress = OFPTT_ALL, .features = TABLE_INGRESS,
                .max_entries = 1000000 });
        }
        SAYS(&t, "table 0 (\"classifier\")", "max_entries=1000000",
             versions[i] >= OF15 ? "instructions: apply_actions"
                                 : "instructions: meter apply_actions",
             "clear_actions write_actions write_metadata goto_table", "next tables: 1-254", "tun_{id,");
        if (versions[i] >= OF14) {
            begin(&t, versions[i], MP_TABLE_DESC, false);
            of_reply_table_desc(&t.reply, &(struct of_table_mod) {
                .table = 9, .config = TABLE_CONFIG_EVICTION });
            SAYS(&t, "table 9", "eviction=on");
        }
    }
}

TEST(table_mods_come_back)
{
    struct of_message msg = { .type = OFT_TABLE_MOD }, out;

    for (size_t i = 1; i < ARRAY_SIZE(versions); i++) {
        struct of_protocol p = { .version = versions[i] };
        struct buf buf = BUF_INIT;

        msg.table_mod = (struct of_table_mod) { .table = 3, .config = 2 };
        if (versions[i] >= OF14) {
            msg.table_mod = (struct of_table_mod) {
                .table = 3, .config = TABLE_CONFIG_VACANCY,
                .has_vacancy = true, .vacancy_up = 80, .vacancy_down = 20,
                .has_eviction = true, .eviction_flags = 1,
            };
        }
        round_trip(&p, &msg, &buf, &out);
        CHECK(!memcmp(&out.table_mod, &msg.table_mod, sizeof out.table_mod));
        buf_fini(&buf);
    }
}

TESTS(
    RUN(requests_come_back),
    RUN(niciras_flow_requests_come_back),
    RUN(unknown_statistics_are_refused),
    RUN(flows_are_listed),
    RUN(flows_are_listed_in_niciras_form),
    RUN(long_replies_are_cut_between_items),
    RUN(other_statistics_are_listed),
    RUN(tables_are_described),
    RUN(table_mods_come_back),
)
