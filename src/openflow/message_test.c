#include "openflow/wire_test.h"

#include "lib/rng.h"

static void
check_messages(const struct of_message *msg, enum of_version first,
               enum of_version last)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_protocol protocol = { .version = versions[i] };
        struct buf buf = BUF_INIT;
        struct of_message out;

        if (versions[i] < first || versions[i] > last) {
            CHECK(of_message_encode(&buf, &protocol, msg) == -EOPNOTSUPP);
            CHECK(!buf.len);
            buf_fini(&buf);
            continue;
        }
        round_trip(&protocol, msg, &buf, &out);
        of_message_fini(&out);
        buf_fini(&buf);
    }
}

TEST(plain_messages_come_back)
{
    static const enum of_type types[] = {
        OFT_FEATURES_REQUEST, OFT_GET_CONFIG_REQUEST, OFT_BARRIER_REQUEST,
        OFT_BARRIER_REPLY,
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        check_messages(&(struct of_message) { .type = types[i], .xid = 77 },
                       OF10, OF15);
    }
    check_messages(&(struct of_message) { .type = OFT_GET_ASYNC_REQUEST },
                   OF13, OF15);
}

TEST(a_hello_tells_all_versions)
{
    static const uint8_t future[] = { 9, 0, 0, 8, 0, 0, 0, 1 };
    struct of_protocol none = { .version = 0 }, of15 = { .version = OF15 };
    struct of_message msg = { .type = OFT_HELLO, .xid = 1 }, out;
    struct buf buf = BUF_INIT;

    msg.hello.versions = OF_VERSION_BITMAP;
    CHECK(!of_message_encode(&buf, &of15, &msg));
    CHECK(of_message_decode(&none, buf.data, buf.len, &out, NULL) == OF_OK);
    CHECK(out.hello.versions == OF_VERSION_BITMAP);
    /* A second one later, of whatever version, harms nothing. */
    CHECK(of_message_decode(&(struct of_protocol) { .version = OF10 },
                            buf.data, buf.len, &out, NULL) == OF_OK);
    /* Without a bitmap: the header's version and what came before. */
    CHECK(of_message_decode(&none, future, sizeof future, &out, NULL)
          == OF_OK);
    CHECK(out.hello.versions == 0x3fe);
    /* Elements that nobody knows, and one that is cut off. */
    CHECK(decode_hex(OF13, "00000000 00000001 00090005ff000000 0001000800000012"
                     "0001", &out, &buf) == OF_OK);
    CHECK(out.hello.versions == 0x12);
    buf_fini(&buf);
}

TEST(frames_are_found_in_a_stream)
{
    CHECK(of_frame_len("\1\2\0", 3) == 0);
    CHECK(of_frame_len("\1\2\0\10", 4) == 8);
    CHECK(of_frame_len("\6\2\1\0xxxx", 8) == 256);
    CHECK(of_frame_len("\1\2\0\7", 4) == -EPROTO);
    CHECK(of_frame_len("\0\2\0\10", 4) == -EPROTO);
}

TEST(what_is_unknown_gets_the_error_that_says_so)
{
    struct of_protocol of13 = { .version = OF13 };
    struct buf buf = BUF_INIT;
    struct of_message msg;

    CHECK(of_message_decode(&of13, "\1\5\0\10\0\0\0\0", 8, &msg, NULL)
          == OF_BAD_REQUEST_BAD_VERSION);
    CHECK(decode_hex(OF13, "00630000 00000001", &msg, &buf)
          == OF_BAD_REQUEST_BAD_TYPE);
    CHECK(decode_hex(OF10, "001e0000 00000001", &msg, &buf)
          == OF_BAD_REQUEST_BAD_TYPE);
    CHECK(decode_hex(OF13, "00040000 00000001 12345678 00000001", &msg, &buf)
          == OF_BAD_REQUEST_BAD_EXPERIMENTER);
    CHECK(decode_hex(OF13, "00040000 00000001 00002320 0000ffff", &msg, &buf)
          == OF_BAD_REQUEST_BAD_EXP_TYPE);
    CHECK(decode_hex(OF13, "00040000 00000001 00002320", &msg, &buf)
          == OF_BAD_REQUEST_BAD_LEN);
    CHECK(decode_hex(OF13, "00050000 00000001 00", &msg, &buf)
          == OF_BAD_REQUEST_BAD_LEN);
    CHECK(decode_hex(OF13, "00090000 00000001 0000", &msg, &buf)
          == OF_BAD_REQUEST_BAD_LEN);
    buf_fini(&buf);
}

TEST(every_error_is_said_and_understood)
{
    struct buf all = BUF_INIT;
    struct str printed = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_protocol protocol = { .version = versions[i] };
        unsigned int n_same = 0;

        for (enum of_error e = OF_OK + 1; e < N_OF_ERRORS; e++) {
            struct buf buf = BUF_INIT;
            struct of_message out;
            struct of_error_wire wire = of_error_to_wire(e, versions[i]);

            of_error_encode(&buf, versions[i], e,
                            "\4\5\0\10\0\0\0\7", 8, NULL);
            CHECK(!of_message_decode(&protocol, buf.data, buf.len, &out,
                                     NULL));
            CHECK(out.type == OFT_ERROR && out.xid == 7);
            CHECK(out.error.request.len == 8);
            CHECK(out.error.code == wire.code);
            /* Another of ours may look the same there; then it looks so. */
            if (out.error.error != N_OF_ERRORS) {
                struct of_error_wire again =
                    of_error_to_wire(out.error.error, versions[i]);

                CHECK(again.experimenter == wire.experimenter
                      && again.code == wire.code);
            }
            n_same += out.error.error == e;
            buf_put(&all, buf.data, buf.len);
            buf_fini(&buf);
        }
        CHECK_MSG(n_same > (versions[i] == OF10 ? 55 : 100), "%s: %u",
                  of_version_name(versions[i]), n_same);
    }
    ovs_parse(&all, &printed);
    CHECK_SAYS(&printed, "OFPFMFC_OVERLAP");
    CHECK_SAYS(&printed, "OFPBMC_BAD_PREREQ");
    CHECK_SAYS(&printed, "OFPBFC_MSG_FAILED");
    CHECK_SAYS(&printed, "OFPMMFC_UNKNOWN_METER");
    buf_fini(&all);
    str_fini(&printed);
}

TEST(a_switch_describes_itself_in_every_version)
{
    struct of_port_desc port = {
        .number = 3, .hw_addr = { { 2, 0, 0, 0, 0, 9 } }, .name = "veth1",
        .config = PORT_CONFIG_NO_FWD, .state = PORT_STATE_LINK_DOWN,
        .curr = PORT_10GB_FD | PORT_COPPER, .supported = PORT_AUTONEG,
    };
    struct of_message msg = { .type = OFT_FEATURES_REPLY, .xid = 5 };
    struct str printed = STR_INIT;
    struct buf all = BUF_INIT;

    msg.features = (struct of_features) {
        .datapath_id = 0x123456789, .n_tables = 254,
        .capabilities = CAP_FLOW_STATS | CAP_PORT_STATS | CAP_ARP_MATCH_IP
                        | CAP_BUNDLES,
    };
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_protocol protocol = { .version = versions[i] };
        struct buf buf = BUF_INIT;
        struct of_message out;

        msg.features.ports = &port;
        msg.features.n_ports = versions[i] == OF10;
        round_trip(&protocol, &msg, &buf, &out);
        CHECK(out.features.datapath_id == 0x123456789);
        CHECK(out.features.n_ports == msg.features.n_ports);
        CHECK(!out.features.n_ports
              || !memcmp(out.features.ports, &port, sizeof port));
        of_message_fini(&out);
        buf_put(&all, buf.data, buf.len);
        buf_fini(&buf);
    }
    ovs_parse(&all, &printed);
    CHECK_SAYS(&printed, "dpid:0000000123456789");
    CHECK_SAYS(&printed, "3(veth1): addr:02:00:00:00:00:09");
    CHECK_SAYS(&printed, "10GB-FD COPPER");
    buf_fini(&all);
    str_fini(&printed);
}

TEST(config_roles_and_settings_come_back)
{
    struct of_message msg = { .type = OFT_SET_CONFIG, .xid = 9 };

    msg.config = (struct of_config) {
        .frag = FRAG_NX_MATCH, .miss_send_len = 128,
    };
    check_messages(&msg, OF10, OF15);
    msg.type = OFT_GET_CONFIG_REPLY;
    check_messages(&msg, OF10, OF15);
    msg = (struct of_message) { .type = OFT_ROLE_REQUEST };
    msg.role = (struct of_role) { .role = ROLE_MASTER, .has_generation = true,
                                  .generation_id = 44 };
    check_messages(&msg, OF10, OF15);
    msg.type = OFT_ROLE_REPLY;
    check_messages(&msg, OF10, OF15);
    msg.type = OFT_ROLE_STATUS;
    check_messages(&msg, OF14, OF15);
    msg = (struct of_message) { .type = OFT_NX_SET_FLOW_FORMAT };
    msg.nxm_flows = true;
    check_messages(&msg, OF10, OF15);
    msg = (struct of_message) { .type = OFT_NX_FLOW_MOD_TABLE_ID };
    msg.flow_mod_table_id = true;
    check_messages(&msg, OF10, OF15);
    msg = (struct of_message) { .type = OFT_NX_SET_PACKET_IN_FORMAT };
    msg.packet_in_format = PACKET_IN_NXT2;
    check_messages(&msg, OF10, OF15);
    msg = (struct of_message) { .type = OFT_NX_SET_CONTROLLER_ID };
    msg.controller_id = 7;
    check_messages(&msg, OF10, OF15);
    msg = (struct of_message) { .type = OFT_QUEUE_GET_CONFIG_REQUEST };
    msg.queue_port = OFPP_ANY;
    check_messages(&msg, OF10, OF13);
}

TEST(a_role_that_there_is_not_is_refused)
{
    struct buf buf = BUF_INIT;
    struct of_message msg;

    CHECK(decode_hex(OF13, "0018000000000001 00000004 00000000"
                     "0000000000000000", &msg, &buf)
          == OF_ROLE_REQUEST_FAILED_BAD_ROLE);
    CHECK(decode_hex(OF10, "0004000000000001 00002320 0000000a 00000003",
                     &msg, &buf) == OF_ROLE_REQUEST_FAILED_BAD_ROLE);
    buf_fini(&buf);
}

TEST(async_masks_come_back)
{
    struct of_message msg = { .type = OFT_SET_ASYNC };

    for (unsigned int i = 0; i < N_ASYNC; i++) {
        msg.async.mask[0][i] = i;
        msg.async.mask[1][i] = 10 * i;
    }
    msg.async.present[0] = msg.async.present[1] = 7;
    check_messages(&msg, OF10, OF15);
    msg.async.present[0] = 0x3f;
    check_messages(&msg, OF10, OF15);
}

TEST(port_messages_come_back)
{
    struct of_message msg = { .type = OFT_PORT_STATUS };

    msg.port_status.reason = PORT_MODIFIED;
    msg.port_status.desc = (struct of_port_desc) {
        .number = OFPP_LOCAL, .name = "br0", .state = PORT_STATE_LINK_DOWN,
        .config = PORT_CONFIG_DOWN, .peer = PORT_FIBER,
    };
    check_messages(&msg, OF10, OF15);
    msg = (struct of_message) { .type = OFT_PORT_MOD };
    msg.port_mod = (struct of_port_mod) {
        .number = 3, .config = PORT_CONFIG_DOWN, .mask = 0x61,
        .advertise = PORT_COPPER,
    };
    check_messages(&msg, OF10, OF15);
    msg.port_mod.mask = PORT_CONFIG_NO_FLOOD;
    check_messages(&msg, OF10, OF10);
    msg.port_mod.number = 70000;
    check_messages(&msg, OF15 + 1, OF15);
}

/* Whatever arrives is decoded or refused. */
TEST(cut_and_damaged_messages_are_refused_or_understood)
{
    struct rng rng = { 4 };

    for (unsigned int i = 0; i < 200000; i++) {
        uint8_t data[80] = { 0 };
        size_t len = 8 + rng_below(&rng, sizeof data - 8);
        struct of_protocol p = { .version = versions[rng_below(&rng, 4)] };
        struct of_message msg;

        for (size_t k = 8; k < len; k++) {
            data[k] = rng_one_in(&rng, 2) ? 0 : (uint8_t) rng_u32(&rng);
        }
        data[0] = (uint8_t) p.version;
        data[1] = (uint8_t) rng_below(&rng, 36);
        data[3] = (uint8_t) len;
        if (of_message_decode(&p, data, len, &msg, NULL) == OF_OK) {
            of_message_fini(&msg);
        }
    }
}

TESTS(
    RUN(plain_messages_come_back),
    RUN(a_hello_tells_all_versions),
    RUN(frames_are_found_in_a_stream),
    RUN(what_is_unknown_gets_the_error_that_says_so),
    RUN(every_error_is_said_and_understood),
    RUN(a_switch_describes_itself_in_every_version),
    RUN(config_roles_and_settings_come_back),
    RUN(a_role_that_there_is_not_is_refused),
    RUN(async_masks_come_back),
    RUN(port_messages_come_back),
    RUN(cut_and_damaged_messages_are_refused_or_understood),
)
