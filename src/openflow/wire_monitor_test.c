/* Flow monitors on the wire: each version's form. */
#include "openflow/wire_test.h"

static void
one_monitor(enum of_version version, struct of_flow_monitor *m)
{
    *m = (struct of_flow_monitor) {
        .id = 7, .table = 3, .out_port = 2, .out_group = OFPG_ANY,
        .flags = MONITOR_INITIAL | MONITOR_REMOVED | MONITOR_NO_ABBREV,
    };
    if (version >= OF14) {
        m->command = MONITOR_MODIFY;
        m->flags |= MONITOR_ONLY_OWN;
        m->out_group = 9;
    }
    CHECK(!match_parse("tcp,tp_dst=80", NULL, &m->match, NULL));
}

static bool
monitor_equal(const struct of_flow_monitor *a,
              const struct of_flow_monitor *b)
{
    return a->id == b->id && a->command == b->command && a->flags == b->flags
           && a->table == b->table && a->out_port == b->out_port
           && a->out_group == b->out_group
           && match_equal(&a->match, &b->match);
}

TEST(requests_come_back_and_are_read_by_ovs_ofctl)
{
    for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
        struct of_protocol p = { .version = versions[v] };
        struct of_message msg = { .type = OFT_MULTIPART_REQUEST }, out;
        struct buf body = BUF_INIT, buf = BUF_INIT;
        struct of_flow_monitor m, second, back;
        struct str printed = STR_INIT;
        struct of_bytes rest;

        one_monitor(versions[v], &m);
        second = m;
        second.id = 8;
        msg.multipart.type = MP_FLOW_MONITOR;
        msg.multipart.is_nicira = versions[v] < OF14;
        CHECK(of_flow_monitor_put(&body, &p, msg.multipart.is_nicira, &m));
        CHECK(of_flow_monitor_put(&body, &p, msg.multipart.is_nicira,
                                  &second));
        msg.multipart.body = (struct of_bytes) { body.data, body.len };
        round_trip(&p, &msg, &buf, &out);
        rest = out.multipart.body;
        CHECK(of_flow_monitor_next(&p, &out.multipart, &rest, &back)
              && monitor_equal(&back, &m));
        CHECK(of_flow_monitor_next(&p, &out.multipart, &rest, &back)
              && monitor_equal(&back, &second));
        CHECK(!of_flow_monitor_next(&p, &out.multipart, &rest, &back));
        /* Open vSwitch takes NO_ABBREV for a mistake. */
        buf_clear(&body);
        buf_clear(&buf);
        m.flags &= ~(unsigned int) (MONITOR_NO_ABBREV | MONITOR_ONLY_OWN);
        CHECK(of_flow_monitor_put(&body, &p, msg.multipart.is_nicira, &m));
        msg.multipart.body = (struct of_bytes) { body.data, body.len };
        CHECK(!of_message_encode(&buf, &p, &msg));
        ovs_parse(&buf, &printed);
        CHECK_SAYS(&printed, "FLOW_MONITOR request");
        CHECK_SAYS(&printed, "out_port=2");
        CHECK_SAYS(&printed, "tp_dst=80");
        buf_fini(&body);
        buf_fini(&buf);
        str_fini(&printed);
    }
}

TEST(what_open_vswitch_means_by_only_own)
{
    static const char hex[] = "0012000000000001 00100000 00000000"
        "00000001 ffffffff ffffffff 005f ff00 0001000400000000";
    struct of_protocol p = { .version = OF14 };
    struct buf buf = BUF_INIT;
    struct of_flow_monitor m;
    struct of_message msg;
    struct of_bytes rest;

    CHECK(!decode_hex(OF14, hex, &msg, &buf));
    rest = msg.multipart.body;
    CHECK(of_flow_monitor_next(&p, &msg.multipart, &rest, &m));
    CHECK(m.flags & MONITOR_NO_ABBREV && !(m.flags & MONITOR_ONLY_OWN));
    buf_fini(&buf);
}

TEST(updates_are_read_by_ovs_ofctl)
{
    for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
        struct of_protocol p = { .version = versions[v] };
        struct of_multipart_request request = {
            .type = MP_FLOW_MONITOR, .is_nicira = versions[v] < OF14,
        };
        struct str printed = STR_INIT;
        struct buf buf = BUF_INIT;
        struct flow_mod fm;
        struct of_reply r;
        struct of_flow_update update = {
            .event = UPDATE_MODIFIED, .table = 5, .priority = 77,
            .idle_timeout = 3, .hard_timeout = 4, .cookie = htobe64(0x99),
        };

        CHECK(!flow_mod_parse("udp,tp_dst=53,actions=output:3", FLOW_MOD_ADD,
                              NULL, &fm, NULL));
        update.match = &fm.match;
        update.instructions = &fm.instructions;
        of_reply_begin(&r, &buf, &p, 0, &request);
        of_reply_flow_update(&r, &update);
        update.event = UPDATE_REMOVED;
        update.reason = 1;
        update.instructions = NULL;
        of_reply_flow_update(&r, &update);
        of_reply_flow_update_own(&r, 0x1234);
        of_reply_end(&r);
        of_monitor_state_encode(&buf, &p, false);
        of_monitor_state_encode(&buf, &p, true);
        ovs_parse(&buf, &printed);
        CHECK_SAYS(&printed, "event=MODIFIED table=5");
        CHECK_SAYS(&printed, "cookie=0x99");
        CHECK_SAYS(&printed, "tp_dst=53 actions=output:3");
        CHECK_SAYS(&printed, "event=DELETED reason=hard");
        CHECK_SAYS(&printed, "event=ABBREV xid=0x1234");
        CHECK_SAYS(&printed, "PAUSED");
        CHECK_SAYS(&printed, "RESUMED");
        flow_mod_fini(&fm);
        buf_fini(&buf);
        str_fini(&printed);
    }
}

TEST(requests_in_disorder_are_refused)
{
    static const struct {
        enum of_version version;
        const char *hex;
        enum of_error error;
    } cases[] = {
        { OF14, "0012000000000001 00100000 00000000 00000001 ffffffff"
          "ffffffff 0080 ff00 0001000400000000",
          OF_FLOW_MONITOR_FAILED_BAD_FLAGS },
        { OF14, "0012000000000001 00100000 00000000 00000001 ffffffff"
          "ffffffff 0001 ff03 0001000400000000",
          OF_FLOW_MONITOR_FAILED_BAD_COMMAND },
        { OF15, "0012000000000001 00100000 00000000 00000001 ffffffff"
          "ffffffff 0001", OF_BAD_REQUEST_BAD_LEN },
        { OF15, "0012000000000001 00100000 00000000 00000001 ffffffff"
          "ffffffff 0001 ff00 0002000400000000", OF_BAD_MATCH_BAD_TYPE },
        { OF10, "0010000000000001 ffff0000 00002320 00000002 00000000"
          "00000001 0040 ffff 0000 ff 0000000000",
          OF_FLOW_MONITOR_FAILED_BAD_FLAGS },
        { OF10, "0010000000000001 ffff0000 00002320 00000002 00000000"
          "00000001 0001 ffff 0008 ff 0000000000", OF_BAD_MATCH_BAD_LEN },
        { OF13, "0012000000000001 ffff0000 00000000 00002320 00000002"
          "00000001 0001 ffff 0000 ff 0000000000",
          OF_BAD_REQUEST_BAD_EXP_TYPE },
        { OF13, "0012000000000001 00100000 00000000",
          OF_BAD_REQUEST_BAD_MULTIPART },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf buf = BUF_INIT;
        struct of_message msg;
        enum of_error error = decode_hex(cases[i].version, cases[i].hex,
                                         &msg, &buf);

        CHECK_MSG(error == cases[i].error, "case %zu: %s", i,
                  of_error_name(error));
        buf_fini(&buf);
    }
}

TESTS(
    RUN(requests_come_back_and_are_read_by_ovs_ofctl),
    RUN(what_open_vswitch_means_by_only_own),
    RUN(updates_are_read_by_ovs_ofctl),
    RUN(requests_in_disorder_are_refused),
)
