/* Groups, meters and bundles. */
#include "openflow/wire_test.h"

#include "openflow/random_mods_test.h"

TEST(any_group_mod_comes_back_from_the_wire)
{
    struct rng rng = { 40 };
    unsigned int n_said = 0, n_equal = 0;

    for (unsigned int i = 0; i < 10000; i++) {
        struct of_message msg = { .type = OFT_GROUP_MOD };

        random_group_mod(&rng, &msg.group_mod);
        for (size_t v = 1; v < ARRAY_SIZE(versions); v++) {
            struct of_protocol p = { .version = versions[v] };
            struct of_message out;
            struct buf buf = BUF_INIT;

            if (!of_message_encode(&buf, &p, &msg)) {
                buf_clear(&buf);
                round_trip(&p, &msg, &buf, &out);
                n_said++;
                n_equal += versions[v] == OF15
                           && group_mod_equal(&msg.group_mod,
                                              &out.group_mod);
                of_message_fini(&out);
            }
            buf_fini(&buf);
        }
        group_mod_fini(&msg.group_mod);
    }
    CHECK_MSG(n_said > 8000 && n_equal > 4000, "%u, %u", n_said, n_equal);
}

TEST(groups_are_read_by_ovs_ofctl)
{
    for (size_t v = 1; v < ARRAY_SIZE(versions); v++) {
        struct of_protocol p = { .version = versions[v] };
        struct of_message msg = { .type = OFT_GROUP_MOD };
        struct of_multipart_request request = { .type = MP_GROUP_DESC };
        struct of_counter counters[2] = { { 1, 2 }, { 3, 4 } };
        struct str printed = STR_INIT;
        struct buf buf = BUF_INIT;
        struct of_reply r;

        CHECK(!group_mod_parse("group_id=5,type=select,bucket=weight=7,"
                               "actions=output:2,bucket=weight=1,"
                               "watch_port=3,actions=output:3",
                               GROUP_MOD_ADD, NULL, &msg.group_mod, NULL));
        CHECK(!of_message_encode(&buf, &p, &msg));
        of_reply_begin(&r, &buf, &p, 1, &request);
        of_reply_group_desc(&r, &msg.group_mod);
        of_reply_end(&r);
        request.type = MP_GROUP_STATS;
        of_reply_begin(&r, &buf, &p, 1, &request);
        of_reply_group_stats(&r, &(struct of_group_stats) {
            .id = 5, .ref_count = 9, .total = { 4, 6 }, .n_buckets = 2,
            .buckets = counters });
        of_reply_end(&r);
        request.type = MP_GROUP_FEATURES;
        of_reply_begin(&r, &buf, &p, 1, &request);
        of_reply_group_features(&r, &(struct of_group_features) {
            .types = 0xf, .max_groups = { 77, 77, 77, 77 },
            .actions = { ~UINT64_C(0) } });
        of_reply_end(&r);
        ovs_parse(&buf, &printed);
        CHECK_SAYS(&printed, "ADD group_id=5,type=select");
        CHECK_SAYS(&printed, "weight:7");
        CHECK_SAYS(&printed, "watch_port:3,actions=output:3");
        CHECK_SAYS(&printed, "ref_count=9,packet_count=4,byte_count=6");
        CHECK_SAYS(&printed, "bucket1:packet_count=3,byte_count=4");
        CHECK_SAYS(&printed, "max_groups=0x4d");
        group_mod_fini(&msg.group_mod);
        buf_fini(&buf);
        str_fini(&printed);
    }
}

TEST(selection_methods_come_back_in_the_forms_that_know_them)
{
    static const char text[] =
        "group_id=5,type=select,selection_method=hash,"
        "selection_method_param=7,fields(ip_src,eth_dst=0xff),"
        "bucket=weight:1,output:1";

    for (size_t v = 0; v < ARRAY_SIZE(versions); v += 3) {
        struct of_protocol p = { .version = versions[v] };
        struct of_message msg = { .type = OFT_GROUP_MOD }, out;
        struct str printed = STR_INIT, was = STR_INIT, is = STR_INIT;
        struct buf buf = BUF_INIT;

        CHECK(!group_mod_parse(text, GROUP_MOD_ADD, NULL, &msg.group_mod,
                               NULL));
        round_trip(&p, &msg, &buf, &out);
        group_mod_format(&msg.group_mod, &was);
        group_mod_format(&out.group_mod, &is);
        assert_string_equal(str_text(&was), str_text(&is));
        ovs_parse(&buf, &printed);
        CHECK_SAYS(&printed, "selection_method=hash");
        CHECK_SAYS(&printed, "selection_method_param=7");
        group_mod_fini(&msg.group_mod);
        group_mod_fini(&out.group_mod);
        buf_fini(&buf);
        str_fini(&printed);
        str_fini(&was);
        str_fini(&is);
    }
}

TEST(selection_methods_in_disorder_are_refused)
{
    /* A select group without buckets, and the property from its length on. */
    static const struct {
        const char *property;
        enum of_error error;
    } cases[] = {
        { "0028 0000154d 00000001 00000000 68617368000000000000000000000000"
          "0000000000000000", OF_OK },
        { "0028 00001550 00000001 00000000 68617368000000000000000000000000"
          "0000000000000000", OF_BAD_PROPERTY_BAD_EXPERIMENTER },
        { "0028 0000154d 00000002 00000000 68617368000000000000000000000000"
          "0000000000000000", OF_BAD_PROPERTY_BAD_EXP_TYPE },
        { "0028 0000154d 00000001 00000000 62617368000000000000000000000000"
          "0000000000000000", OF_BAD_PROPERTY_BAD_VALUE },
        { "0010 0000154d 00000001 00000000", OF_BAD_PROPERTY_BAD_LEN },
        { "0030 0000154d 00000001 00000000 68617368000000000000000000000000"
          "0000000000000000 8000ff04 ffffffff", OF_BAD_PROPERTY_BAD_VALUE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf buf = BUF_INIT;
        struct of_message msg;
        char hex[400];
        enum of_error error;

        snprintf(hex, sizeof hex, "000f000000000001 0000 01 00 00000001"
                 "0000 0000 ffffffff ffff%s", cases[i].property);
        error = decode_hex(OF15, hex, &msg, &buf);
        CHECK_MSG(error == cases[i].error, "case %zu: %s", i,
                  of_error_name(error));
        buf_fini(&buf);
    }
}

TEST(groups_in_disorder_are_refused)
{
    static const struct hex_case cases[] = {
        { "000f000000000001 0009 00 00 00000001",
          OF_GROUP_MOD_FAILED_BAD_COMMAND },
        { "000f000000000001 0003 00 00 00000001",
          OF_GROUP_MOD_FAILED_BAD_COMMAND },
        { "000f000000000001 0000 09 00 00000001",
          OF_GROUP_MOD_FAILED_BAD_TYPE },
        { "000f000000000001 0000 00 00 00000001 0007 0000 00000000",
          OF_GROUP_MOD_FAILED_BAD_BUCKET },
        { "000f000000000001 0000 00 00 00000001 0018 0000 00000000"
          "ffffffff 00000000", OF_GROUP_MOD_FAILED_BAD_BUCKET },
        { "000f000000000001 0000 00 00 00000001 0018 0000 ffffffff"
          "ffffffff 00000000 00630008 00000000", OF_BAD_ACTION_BAD_TYPE },
        { "000f000000000001 0000 00", OF_BAD_REQUEST_BAD_LEN },
    };
    static const struct hex_case of15[] = {
        /* Added, but behind bucket 1. */
        { "000f000000000001 0000 00 00 00000001 0000 0000 00000001",
          OF_GROUP_MOD_FAILED_BAD_BUCKET },
        /* Bucket 1 is removed, and given. */
        { "000f000000000001 0005 00 00 00000001 0008 0000 00000001"
          "0008 0000 00000001", OF_GROUP_MOD_FAILED_BAD_BUCKET },
    };

    check_hex(OF13, cases, ARRAY_SIZE(cases));
    check_hex(OF15, of15, ARRAY_SIZE(of15));
}

/* ---- Meters ---- */

TEST(meters_come_back_and_are_read_by_ovs_ofctl)
{
    for (size_t v = 1; v < ARRAY_SIZE(versions); v++) {
        struct of_protocol p = { .version = versions[v] };
        struct of_message msg = { .type = OFT_METER_MOD }, out;
        struct of_multipart_request request = { .type = MP_METER_CONFIG };
        struct str printed = STR_INIT;
        struct buf buf = BUF_INIT;
        struct of_reply r;

        CHECK(!meter_mod_parse("meter=3,kbps,burst,stats,bands=type=drop,"
                               "rate=1000,burst_size=50,type=dscp_remark"
                               ",rate=5,burst_size=6,prec_level=2",
                               METER_MOD_ADD, &msg.meter_mod, NULL));
        round_trip(&p, &msg, &buf, &out);
        CHECK(!memcmp(&out.meter_mod, &msg.meter_mod, sizeof out.meter_mod));
        of_reply_begin(&r, &buf, &p, 1, &request);
        of_reply_meter_config(&r, &msg.meter_mod);
        of_reply_end(&r);
        request.type = MP_METER_STATS;
        of_reply_begin(&r, &buf, &p, 1, &request);
        of_reply_meter_stats(&r, &(struct of_meter_stats) {
            .id = 3, .in = { 10, 20 }, .n_bands = 1,
            .bands = { { 30, 40 } } });
        of_reply_end(&r);
        request.type = MP_METER_FEATURES;
        of_reply_begin(&r, &buf, &p, 1, &request);
        of_reply_meter_features(&r, &(struct of_meter_features) {
            .max_meters = 999, .band_types = 6, .flags = 0xf,
            .max_bands = 8 });
        of_reply_end(&r);
        ovs_parse(&buf, &printed);
        CHECK_SAYS(&printed, "ADD meter=3 kbps burst stats");
        CHECK_SAYS(&printed, "type=drop rate=1000 burst_size=50");
        CHECK_SAYS(&printed, "packet_in_count:10 byte_in_count:20");
        CHECK_SAYS(&printed, "0: packet_count:30 byte_count:40");
        CHECK_SAYS(&printed, "max_meter:999 max_bands:8");
        buf_fini(&buf);
        str_fini(&printed);
    }
}

TEST(meters_in_disorder_are_refused)
{
    static const struct hex_case cases[] = {
        { "001d000000000001 0009 0001 00000001",
          OF_METER_MOD_FAILED_BAD_COMMAND },
        { "001d000000000001 0000 0003 00000001",
          OF_METER_MOD_FAILED_BAD_FLAGS },
        { "001d000000000001 0000 0101 00000001",
          OF_METER_MOD_FAILED_BAD_FLAGS },
        { "001d000000000001 0000 0001 00000001 0009 0010 00000001 00000001"
          "00000000", OF_METER_MOD_FAILED_BAD_BAND },
        { "001d000000000001 0000 0001 00000001 0001 0020 00000001 00000001"
          "00000000", OF_BAD_REQUEST_BAD_LEN },
        { "001d000000000001 0000", OF_BAD_REQUEST_BAD_LEN },
    };

    check_hex(OF13, cases, ARRAY_SIZE(cases));
}

/* ---- Bundles ---- */

TEST(bundles_come_back_and_are_read_by_ovs_ofctl)
{
    for (size_t v = 1; v < ARRAY_SIZE(versions); v++) {
        struct of_protocol p = { .version = versions[v] };
        struct of_message msg = { .type = OFT_BUNDLE_CONTROL, .xid = 6 }, out;
        struct of_message inner = { .type = OFT_PORT_MOD, .xid = 6 };
        struct buf buf = BUF_INIT, inner_buf = BUF_INIT, all = BUF_INIT;
        struct str printed = STR_INIT;

        msg.bundle_control = (struct of_bundle_control) {
            .id = 9, .type = BUNDLE_COMMIT_REQUEST,
            .flags = BUNDLE_ATOMIC | BUNDLE_ORDERED };
        round_trip(&p, &msg, &buf, &out);
        CHECK(!memcmp(&out.bundle_control, &msg.bundle_control,
                      sizeof out.bundle_control));
        buf_put(&all, buf.data, buf.len);
        buf_clear(&buf);
        CHECK(!of_message_encode(&inner_buf, &p, &inner));
        msg = (struct of_message) { .type = OFT_BUNDLE_ADD, .xid = 6 };
        msg.bundle_add = (struct of_bundle_add) {
            .id = 9, .flags = BUNDLE_ATOMIC,
            .message = { inner_buf.data, inner_buf.len } };
        round_trip(&p, &msg, &buf, &out);
        CHECK(out.bundle_add.message.len == inner_buf.len);
        buf_put(&all, buf.data, buf.len);
        ovs_parse(&all, &printed);
        CHECK_SAYS(&printed, "bundle_id=0x9 type=COMMIT_REQUEST "
                   "flags=atomic ordered");
        CHECK_SAYS(&printed, "bundle_id=0x9 flags=atomic");
        buf_fini(&buf);
        buf_fini(&inner_buf);
        buf_fini(&all);
        str_fini(&printed);
    }
}

TEST(bundles_in_disorder_are_refused)
{
    static const struct hex_case cases[] = {
        { "0021000000000001 00000001 0009 0001", OF_BUNDLE_FAILED_BAD_TYPE },
        { "0021000000000001 00000001 0000 0009", OF_BUNDLE_FAILED_BAD_FLAGS },
        { "0021000000000001 00000001 0004 0001 00010018 00000000"
          "0000000000000000 0000000000000000",
          OF_BUNDLE_FAILED_SCHED_NOT_SUPPORTED },
        { "0022000000000001 00000001 0000 0001 06140007 00000001",
          OF_BUNDLE_FAILED_MSG_BAD_LEN },
        { "0022000000000001 00000001 0000 0001 06140009 00000001",
          OF_BUNDLE_FAILED_MSG_BAD_LEN },
        { "0022000000000001 00000001 0000 0001 06140008 00000002",
          OF_BUNDLE_FAILED_MSG_BAD_XID },
        { "0022000000000001 00000001 0000 0001 04140008 00000001",
          OF_BUNDLE_FAILED_MSG_UNSUP },
        { "0022000000000001 00000001 0000 0001 06140008 00000001", OF_OK },
    };

    check_hex(OF15, cases, ARRAY_SIZE(cases));
}

TESTS(
    RUN(any_group_mod_comes_back_from_the_wire),
    RUN(groups_are_read_by_ovs_ofctl),
    RUN(selection_methods_come_back_in_the_forms_that_know_them),
    RUN(selection_methods_in_disorder_are_refused),
    RUN(groups_in_disorder_are_refused),
    RUN(meters_come_back_and_are_read_by_ovs_ofctl),
    RUN(meters_in_disorder_are_refused),
    RUN(bundles_come_back_and_are_read_by_ovs_ofctl),
    RUN(bundles_in_disorder_are_refused),
)
