#include "openflow/wire_test.h"

static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6 };

static void
packet_in(struct of_message *msg)
{
    *msg = (struct of_message) { .type = OFT_PACKET_IN };
    msg->packet_in = (struct of_packet_in) {
        .buffer_id = OF_NO_BUFFER, .total_len = 100,
        .reason = REASON_APPLY_ACTION, .table = 7, .cookie = htobe64(0x77),
        .data = { frame, sizeof frame },
    };
    CHECK(!match_parse("in_port=3", NULL, &msg->packet_in.match, NULL));
}

TEST(packet_ins_come_back_in_each_format)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        for (int format = 0; format <= PACKET_IN_NXT2; format++) {
            struct of_protocol p = { .version = versions[i],
                                     .packet_in_format = format };
            bool is_plain = versions[i] == OF10 && !format;
            struct str printed = STR_INIT;
            struct of_message msg, out;
            struct buf buf = BUF_INIT;

            packet_in(&msg);
            round_trip(&p, &msg, &buf, &out);
            CHECK(out.packet_in.total_len == 100);
            CHECK(out.packet_in.data.len == sizeof frame);
            CHECK(match_equal(&out.packet_in.match, &msg.packet_in.match));
            CHECK(is_plain || (out.packet_in.table == 7
                               && out.packet_in.cookie == htobe64(0x77)));
            ovs_parse(&buf, &printed);
            CHECK_SAYS(&printed, "in_port=3 (via action) data_len=60");
            CHECK_SAYS(&printed, "total_len=100");
            CHECK_SAYS(&printed, is_plain ? "" : "table_id=7 cookie=0x77");
            str_fini(&printed);
            buf_fini(&buf);
        }
    }
}

TEST(a_packet_in_tells_registers_and_tunnel)
{
    struct flow flow = { .metadata = htobe64(5) };
    struct match match;
    struct str s = STR_INIT;

    flow.key.in_port = htobe32(9);
    flow.key.tun_id = htobe64(7);
    flow.regs[3] = htobe32(1);
    of_packet_in_match(&flow, &match);
    match_format(&match, &s);
    assert_string_equal(str_text(&s),
                        "in_port=9,tun_id=0x7,metadata=0x5,reg3=0x1");
    str_fini(&s);
}

/* As tunnel ports fill it in; their TTL and TOS have no code on the wire. */
TEST(what_came_by_a_tunnel_is_told_by_what_has_a_code)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_protocol p = { .version = versions[i],
                                 .packet_in_format = PACKET_IN_NXT2 };
        struct flow flow = { .metadata = htobe64(5) };
        struct of_message msg, out;
        struct str s = STR_INIT;
        struct buf buf = BUF_INIT;

        flow.key.in_port = htobe32(9);
        flow.key.tun_family = 4;
        flow.key.tun_id = htobe64(7);
        flow.key.tun_src4 = htobe32(0xc0000201);
        flow.key.tun_dst4 = htobe32(0xc0000202);
        flow.key.tun_ttl = 64;
        flow.key.tun_tos = 3;
        flow.key.tun_flags = htobe16(4);
        packet_in(&msg);
        of_packet_in_match(&flow, &msg.packet_in.match);
        round_trip(&p, &msg, &buf, &out);
        match_format(&out.packet_in.match, &s);
        assert_string_equal(str_text(&s), "in_port=9,tun_id=0x7,"
                            "tun_flags=csum,tun_src=192.0.2.1,"
                            "tun_dst=192.0.2.2,metadata=0x5");
        str_fini(&s);
        buf_fini(&buf);
    }
}

/* Only the second of Nicira's forms has room for them, and a resume, which is
 * the same message the other way. */
TEST(userdata_and_continuation_come_back)
{
    static const uint8_t userdata[] = { 1, 2, 3 };

    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_protocol p = { .version = versions[i],
                                 .packet_in_format = PACKET_IN_NXT2 };
        struct of_message msg, out;
        struct str printed = STR_INIT;
        struct buf buf = BUF_INIT;

        packet_in(&msg);
        msg.packet_in.userdata = (struct of_bytes) { userdata, 3 };
        msg.packet_in.continuation = (struct of_continuation) { true, 77,
                                                                0x123456789 };
        round_trip(&p, &msg, &buf, &out);
        CHECK(out.packet_in.userdata.len == 3
              && !memcmp(out.packet_in.userdata.data, userdata, 3));
        CHECK(out.packet_in.continuation.is_there
              && out.packet_in.continuation.id == 77
              && out.packet_in.continuation.token == 0x123456789);
        ovs_parse(&buf, &printed);
        CHECK_SAYS(&printed, "userdata=01.02.03");
        msg.type = OFT_NX_RESUME;
        buf_clear(&buf);
        round_trip(&p, &msg, &buf, &out);
        CHECK(out.type == OFT_NX_RESUME && out.packet_in.continuation.id == 77);
        str_fini(&printed);
        buf_fini(&buf);
    }
}

TEST(packet_outs_come_back)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_protocol p = { .version = versions[i] };
        struct of_message msg = { .type = OFT_PACKET_OUT }, out;
        struct str printed = STR_INIT;
        struct buf buf = BUF_INIT;

        msg.packet_out = (struct of_packet_out) {
            .buffer_id = OF_NO_BUFFER, .in_port = OFPP_CONTROLLER,
            .data = { frame, sizeof frame },
        };
        CHECK(!actions_parse("strip_vlan,output:5", NULL,
                             &msg.packet_out.actions, NULL));
        round_trip(&p, &msg, &buf, &out);
        CHECK(out.packet_out.in_port == OFPP_CONTROLLER);
        CHECK(out.packet_out.data.len == sizeof frame);
        CHECK(action_list_equal(actions_list(&out.packet_out.actions),
                                actions_list(&msg.packet_out.actions)));
        ovs_parse(&buf, &printed);
        CHECK_SAYS(&printed, "in_port=CONTROLLER");
        CHECK_SAYS(&printed, "output:5 data_len=60");
        of_message_fini(&msg);
        of_message_fini(&out);
        str_fini(&printed);
        buf_fini(&buf);
    }
}

TEST(packet_outs_in_disorder_are_refused)
{
    struct buf buf = BUF_INIT;
    struct of_message msg;

    CHECK(decode_hex(OF13, "000d000000000001 ffffffff 00000001 0010"
                     "000000000000 00000010 00000002", &msg, &buf)
          == OF_BAD_REQUEST_BAD_LEN);
    CHECK(decode_hex(OF13, "000d000000000001 ffffffff ffffff01 0000"
                     "000000000000", &msg, &buf) == OF_BAD_REQUEST_BAD_PORT);
    CHECK(decode_hex(OF15, "000d000000000001 ffffffff 0000 0000 0001000a"
                     "80000a02 0800 000000000000", &msg, &buf)
          == OF_BAD_REQUEST_PIPELINE_FIELDS_ONLY);
    CHECK(decode_hex(OF15, "000d000000000001 ffffffff 0000 0000 00010004"
                     "00000000", &msg, &buf) == OF_BAD_REQUEST_BAD_PORT);
    CHECK(decode_hex(OF10, "000d000000000001 ffffffff 0001 0008"
                     "00630008 00000000", &msg, &buf)
          == OF_BAD_ACTION_BAD_TYPE);
    buf_fini(&buf);
}

static void
check_removed(const char *text, enum of_version version, bool nxm)
{
    struct of_protocol p = { .version = version, .nxm_flows = nxm };
    struct of_message msg = { .type = OFT_FLOW_REMOVED }, out;
    struct str printed = STR_INIT;
    struct buf buf = BUF_INIT;

    msg.flow_removed = (struct of_flow_removed) {
        .cookie = htobe64(0x12), .priority = 99, .reason = 1, .table = 3,
        .duration_sec = 5, .idle_timeout = 6, .packets = 7, .bytes = 800,
    };
    CHECK(!match_parse(text, NULL, &msg.flow_removed.match, NULL));
    round_trip(&p, &msg, &buf, &out);
    CHECK(match_equal(&out.flow_removed.match, &msg.flow_removed.match));
    CHECK(out.flow_removed.packets == 7 && out.flow_removed.reason == 1);
    ovs_parse(&buf, &printed);
    CHECK_SAYS(&printed, "reason=hard");
    CHECK_SAYS(&printed, "cookie:0x12 duration5s idle6");
    CHECK_SAYS(&printed, "pkts7 bytes800");
    str_fini(&printed);
    buf_fini(&buf);
}

TEST(flow_removed_come_back)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        check_removed("tcp,tp_dst=80", versions[i], false);
        check_removed("tcp,reg0=3", versions[i], false);
    }
    check_removed("tcp,tp_dst=80", OF10, true);
}

TESTS(
    RUN(packet_ins_come_back_in_each_format),
    RUN(a_packet_in_tells_registers_and_tunnel),
    RUN(what_came_by_a_tunnel_is_told_by_what_has_a_code),
    RUN(userdata_and_continuation_come_back),
    RUN(packet_outs_come_back),
    RUN(packet_outs_in_disorder_are_refused),
    RUN(flow_removed_come_back),
)
