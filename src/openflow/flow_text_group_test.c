/* Text of groups and meters. */
#include "unit.h"

#include "openflow/flow_mod.h"

static void
check_group(enum group_mod_command command, const char *in, const char *out)
{
    struct str text = STR_INIT, again = STR_INIT;
    struct group_mod gm;

    CHECK_MSG(!group_mod_parse(in, command, NULL, &gm, &text), "%s: %s", in,
              str_text(&text));
    str_clear(&text);
    group_mod_format(&gm, &text);
    group_mod_fini(&gm);
    assert_string_equal(str_text(&text), out);

    CHECK(!group_mod_parse(out, command, NULL, &gm, NULL));
    group_mod_format(&gm, &again);
    group_mod_fini(&gm);
    assert_string_equal(str_text(&again), out);
    str_fini(&text);
    str_fini(&again);
}

static void
check_group_error(enum group_mod_command command, const char *in,
                  const char *error)
{
    struct str text = STR_INIT;
    struct group_mod gm;

    CHECK_MSG(group_mod_parse(in, command, NULL, &gm, &text) == -EINVAL,
              "accepted: %s", in);
    assert_string_equal(str_text(&text), error);
    str_fini(&text);
}

TEST(buckets_have_words_and_actions)
{
    check_group(GROUP_MOD_ADD, "group_id=1,type=all",
                "group_id=1,type=all");
    check_group(GROUP_MOD_ADD,
                "group_id=1 type=select bucket=weight:5,watch_port=3,"
                "actions=set_field:5->vlan_vid,1,bucket=weight=0,2,"
                "bucket=bucket_id:9,output:3",
                "group_id=1,type=select,bucket=weight:5,watch_port:3,"
                "actions=set_field:0x1005->vlan_vid,output:1,"
                "bucket=weight:0,actions=output:2,"
                "bucket=bucket_id:9,actions=output:3");
    check_group(GROUP_MOD_ADD,
                "group_id=2,type=ff,bucket=watch_group:4,drop",
                "group_id=2,type=fast_failover,"
                "bucket=watch_group:4,actions=drop");
    check_group(GROUP_MOD_ADD, "group_id=3,type=indirect,bucket=actions=1",
                "group_id=3,type=indirect,bucket=actions=output:1");
    check_group(GROUP_MOD_ADD, "group_id=3,type=all,bucket=,bucket=1",
                "group_id=3,type=all,bucket=actions=drop,"
                "bucket=actions=output:1");
}

TEST(select_groups_have_methods)
{
    check_group(GROUP_MOD_ADD,
                "group_id=1,type=select,selection_method=dp_hash",
                "group_id=1,type=select,selection_method=dp_hash");
    check_group(GROUP_MOD_ADD,
                "group_id=1,fields(ip_src,ipv6_dst=0x10000000000000000),"
                "selection_method=hash,selection_method_param=9,type=select",
                "group_id=1,type=select,selection_method=hash,"
                "selection_method_param=9,"
                "fields(nw_src,ipv6_dst=0x10000000000000000)");
    check_group_error(GROUP_MOD_ADD,
                      "group_id=1,type=select,selection_method=has",
                      "at 41: unknown selection method 'has'; did you mean "
                      "'hash'?");
    check_group_error(GROUP_MOD_ADD,
                      "group_id=1,type=all,selection_method=hash",
                      "at 1: selection_method=... means nothing here");
    check_group_error(GROUP_MOD_ADD, "group_id=1,type=select,fields(ip_src)",
                      "at 1: selection_method=... is missing");
    check_group_error(GROUP_MOD_ADD, "group_id=1,type=select,"
                      "selection_method=dp_hash,fields(ip_src)",
                      "at 1: only selection_method=hash takes fields");
    check_group_error(GROUP_MOD_ADD, "group_id=1,type=select,"
                      "selection_method=hash,fields(nix)",
                      "at 53: unknown field");
}

TEST(each_group_command_has_its_words)
{
    check_group(GROUP_MOD_DELETE, "group_id=all", "group_id=all");
    check_group(GROUP_MOD_DELETE, "group_id=4", "group_id=4");
    check_group(GROUP_MOD_INSERT_BUCKET,
                "group_id=1,command_bucket_id=first,bucket=actions=3",
                "group_id=1,command_bucket_id=first,bucket=actions=output:3");
    check_group(GROUP_MOD_REMOVE_BUCKET, "group_id=1,command_bucket_id=7",
                "group_id=1,command_bucket_id=7");
    check_group_error(GROUP_MOD_ADD, "type=all",
                      "at 1: group_id=... is missing");
    check_group_error(GROUP_MOD_ADD, "group_id=1",
                      "at 1: type=... is missing");
    check_group_error(GROUP_MOD_ADD, "group_id=all,type=all",
                      "at 10: group_id: 'all' is not a number");
    check_group_error(GROUP_MOD_ADD, "group_id=1,type=indirect",
                      "at 1: an indirect group has one bucket");
    check_group_error(GROUP_MOD_ADD, "group_id=1,type=selct",
                      "at 17: unknown group type 'selct'; did you mean "
                      "'select'?");
    check_group_error(GROUP_MOD_ADD, "group_id=1,type=all,bucket=weigth:5",
                      "at 28: unknown action 'weigth'; did you mean "
                      "'weight'?");
    check_group_error(GROUP_MOD_ADD, "group_id=1,typ=all",
                      "at 12: unknown field 'typ'; did you mean 'type'?");
    check_group_error(GROUP_MOD_DELETE, "group_id=1,bucket=1",
                      "at 1: bucket=... means nothing here");
    check_group_error(GROUP_MOD_INSERT_BUCKET, "group_id=1,bucket=1",
                      "at 1: command_bucket_id=... is missing");
    check_group_error(GROUP_MOD_ADD, "group_id=1,type=all,bucket=output:0",
                      "at 28: output: 0 is not a port");
}

static void
check_meter(enum meter_mod_command command, const char *in, const char *out)
{
    struct str text = STR_INIT, again = STR_INIT;
    struct meter_mod mm;

    CHECK_MSG(!meter_mod_parse(in, command, &mm, &text), "%s: %s", in,
              str_text(&text));
    str_clear(&text);
    meter_mod_format(&mm, &text);
    assert_string_equal(str_text(&text), out);
    CHECK(!meter_mod_parse(out, command, &mm, NULL));
    meter_mod_format(&mm, &again);
    assert_string_equal(str_text(&again), out);
    str_fini(&text);
    str_fini(&again);
}

static void
check_meter_error(enum meter_mod_command command, const char *in,
                  const char *error)
{
    struct str text = STR_INIT;
    struct meter_mod mm;

    CHECK_MSG(meter_mod_parse(in, command, &mm, &text) == -EINVAL,
              "accepted: %s", in);
    assert_string_equal(str_text(&text), error);
    str_fini(&text);
}

TEST(meters_have_flags_and_bands)
{
    check_meter(METER_MOD_ADD, "meter=1 bands=type=drop rate=1000",
                "meter=1,kbps,bands=type=drop,rate=1000");
    check_meter(METER_MOD_ADD,
                "meter=2,pktps,burst,stats,band=type=drop,rate=10,"
                "burst_size=3,type=dscp_remark,rate=5,prec_level=1",
                "meter=2,pktps,burst,stats,bands=type=drop,rate=10,"
                "burst_size=3,type=dscp_remark,rate=5,prec_level=1");
    check_meter(METER_MOD_DELETE, "meter=all", "meter=all");
    check_meter(METER_MOD_DELETE, "meter=3", "meter=3");
}

TEST(bad_meters_are_refused)
{
    check_meter_error(METER_MOD_ADD, "meter=0,bands=type=drop",
                      "at 7: meters count from 1");
    check_meter_error(METER_MOD_ADD, "kbps,bands=type=drop",
                      "at 1: meter=... is missing");
    check_meter_error(METER_MOD_ADD, "meter=1",
                      "at 1: bands=type=... is missing");
    check_meter_error(METER_MOD_ADD, "meter=1,bands=rate=5",
                      "at 15: a band begins with type=...");
    check_meter_error(METER_MOD_ADD, "meter=1,kbps,pktps,bands=type=drop",
                      "at 1: kbps or pktps, not both");
    check_meter_error(METER_MOD_ADD, "meter=1,bands=type=drip",
                      "at 20: unknown band type 'drip'; did you mean "
                      "'drop'?");
    check_meter_error(METER_MOD_ADD, "meter=1,bands=type=drop,rat=5",
                      "at 25: unknown field of a band 'rat'; did you mean "
                      "'rate'?");
    check_meter_error(METER_MOD_ADD, "meter=1,kbs,bands=type=drop",
                      "at 9: unknown field 'kbs'; did you mean 'kbps'?");
    check_meter_error(METER_MOD_DELETE, "meter=1,kbps",
                      "at 1: a delete names only the meter");
    check_meter_error(METER_MOD_ADD,
                      "meter=1,bands=type=drop,type=drop,type=drop,type=drop,"
                      "type=drop,type=drop,type=drop,type=drop,type=drop",
                      "at 100: more than 8 bands");
}

TESTS(
    RUN(buckets_have_words_and_actions),
    RUN(select_groups_have_methods),
    RUN(each_group_command_has_its_words),
    RUN(meters_have_flags_and_bands),
    RUN(bad_meters_are_refused),
)
