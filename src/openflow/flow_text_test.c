#include "unit.h"

#include "openflow/flow_mod.h"

static uint32_t
port_number(void *aux, const char *name)
{
    (void) aux;
    return !strcmp(name, "eth0") ? 7 : !strcmp(name, "odd name") ? 8 : 0;
}

static const struct flow_text_names names = { .port_number = port_number };

/* Reads `in` as the command and expects it to be written as `out`, which must
 * read back and be written the same again. */
static void
check_flow(enum flow_mod_command command, const char *in, const char *out)
{
    struct str text = STR_INIT, again = STR_INIT;
    struct flow_mod fm;

    CHECK_MSG(!flow_mod_parse(in, command, &names, &fm, &text), "%s: %s", in,
              str_text(&text));
    str_clear(&text);
    flow_mod_format(&fm, &text);
    flow_mod_fini(&fm);
    assert_string_equal(str_text(&text), out);

    CHECK(!flow_mod_parse(out, command, NULL, &fm, NULL));
    flow_mod_format(&fm, &again);
    flow_mod_fini(&fm);
    assert_string_equal(str_text(&again), out);
    str_fini(&text);
    str_fini(&again);
}

static void
check_match(const char *in, const char *out)
{
    struct str text = STR_INIT;
    struct match match;

    CHECK_MSG(!match_parse(in, &names, &match, &text), "%s: %s", in,
              str_text(&text));
    str_clear(&text);
    match_format(&match, &text);
    assert_string_equal(str_text(&text), out);
    str_fini(&text);
}

static void
check_actions(const char *in, const char *out)
{
    struct str text = STR_INIT, again = STR_INIT;
    struct actions actions = { 0 };

    CHECK_MSG(!actions_parse(in, &names, &actions, &text), "%s: %s", in,
              str_text(&text));
    str_clear(&text);
    action_list_format(actions_list(&actions), &text);
    assert_string_equal(str_text(&text), out);
    actions_clear(&actions);
    CHECK(!actions_parse(out, NULL, &actions, NULL));
    action_list_format(actions_list(&actions), &again);
    assert_string_equal(str_text(&again), out);
    actions_fini(&actions);
    str_fini(&text);
    str_fini(&again);
}

static void
check_error(enum flow_mod_command command, const char *in, const char *error)
{
    struct str text = STR_INIT;
    struct flow_mod fm;

    CHECK_MSG(flow_mod_parse(in, command, &names, &fm, &text) == -EINVAL,
              "accepted: %s", in);
    assert_string_equal(str_text(&text), error);
    str_fini(&text);
}

TEST(protocols_have_shorthands)
{
    check_match("", "");
    check_match("dl_type=0x800", "ip");
    check_match("ip6", "ipv6");
    check_match("eth_type=0x86dd,ip_proto=6", "tcp6");
    check_match("nw_proto=6,ip", "tcp");
    check_match("ip,nw_proto=47", "ip,nw_proto=47");
    check_match("dl_type=0x88cc", "dl_type=0x88cc");
    check_match("arp arp_op=2", "arp,arp_op=2");
    check_match("arp,nw_proto=2,nw_src=10.0.0.1,nw_dst=10.0.0.2",
                "arp,arp_op=2,arp_spa=10.0.0.1,arp_tpa=10.0.0.2");
    check_match("rarp", "rarp");
    check_match("mplsm,mpls_label=3,mpls_tc=1,mpls_bos=1,mpls_ttl=9",
                "mplsm,mpls_label=3,mpls_tc=1,mpls_bos=1,mpls_ttl=9");
    check_match("udp,tp_src=1,tp_dst=2", "udp,tp_src=1,tp_dst=2");
    check_match("sctp6,sctp_dst=3", "sctp6,tp_dst=3");
    check_match("icmp6,icmp_type=135,nd_target=fe80::1,"
                "nd_sll=02:00:00:00:00:01",
                "icmp6,icmp_type=135,nd_target=fe80::1,"
                "nd_sll=02:00:00:00:00:01");
    check_match("icmp,icmp_type=3,icmpv4_code=1",
                "icmp,icmp_type=3,icmp_code=1");
}

TEST(fields_come_in_any_order)
{
    check_match("tp_dst=80,nw_dst=10.0.0.1,tcp",
                "tcp,nw_dst=10.0.0.1,tp_dst=80");
    check_match("tcp,tcp,tcp_dst=80,tp_dst=80", "tcp,tp_dst=80");
    check_match("  in_port=1 \t,, tcp\n", "tcp,in_port=1");
    check_match("dl_dst=*", "");
}

TEST(vlans_are_matched_in_four_ways)
{
    check_match("dl_vlan=5", "dl_vlan=5");
    check_match("dl_vlan=5,dl_vlan_pcp=3", "dl_vlan=5,dl_vlan_pcp=3");
    check_match("dl_vlan=0xffff", "vlan_tci=0x0");
    check_match("vlan_pcp=0", "dl_vlan_pcp=0");
    check_match("vlan_vid=0x1000/0x1000", "vlan_vid=0x1000/0x1000");
    check_match("vlan_vid=0x1005", "dl_vlan=5");
    check_match("vlan_vid=0", "vlan_vid=0x0");
    check_match("vlan_vid=5/0xf", "vlan_vid=0x5/0xf");
    check_match("vlan_tci=0x1123", "dl_vlan=291,dl_vlan_pcp=0");
    check_match("vlan_tci=0x2000/0x2000", "vlan_tci=0x2000/0x2000");
}

TEST(values_have_masks_where_fields_allow_them)
{
    check_match("ip,nw_src=10.1.2.3/8,nw_dst=10.0.0.1/255.255.0.255",
                "ip,nw_src=10.0.0.0/8,nw_dst=10.0.0.1/255.255.0.255");
    check_match("ipv6,ipv6_src=fd00::/8,ipv6_label=5",
                "ipv6,ipv6_src=fd00::/8,ipv6_label=0x5");
    check_match("tcp,tcp_flags=+syn-ack,tp_dst=0x50/0xfff0",
                "tcp,tp_dst=80/0xfff0,tcp_flags=+syn-ack");
    check_match("metadata=0x5/0xf,reg1=3,xreg1=0x500000007",
                "metadata=0x5/0xf,reg1=0x3,reg2=0x5,reg3=0x7");
    check_match("ip,nw_tos=63,nw_ecn=2,nw_ttl=64,nw_frag=later",
                "ip,nw_tos=60,nw_ecn=2,nw_ttl=64,nw_frag=later");
    check_match("ct_state=+trk-new,ct_zone=3,ct_mark=5,ct_label=1/1,"
                "pkt_mark=2",
                "pkt_mark=0x2,ct_state=-new+trk,ct_zone=3,ct_mark=0x5,"
                "ct_label=0x1/0x1");
    check_match("tun_id=5,tun_src=10.0.0.1,tun_flags=+oam",
                "tun_id=0x5,tun_flags=+oam,tun_src=10.0.0.1");
    check_match("tun_ipv6_dst=::a00:1", "tun_ipv6_dst=::10.0.0.1");
}

TEST(ports_have_numbers_and_names)
{
    check_match("in_port=LOCAL", "in_port=LOCAL");
    check_match("in_port=eth0", "in_port=7");
    check_match("in_port=\"odd name\"", "in_port=8");
    check_actions("eth0", "output:7");
    check_actions("\"odd name\",output:\"odd name\"", "output:8,output:8");
}

TEST(actions_are_written_in_the_field_s_words)
{
    static const char *const same[] = {
        "output:1", "IN_PORT", "NORMAL", "FLOOD", "ALL", "LOCAL", "TABLE",
        "CONTROLLER:65535", "CONTROLLER:128",
        "controller(reason=no_match,max_len=5,id=3)",
        "controller(reason=group)", "output(port=1,max_len=100)",
        "output:NXM_NX_REG0[0..15]", "group:3", "meter:4", "set_queue:9",
        "pop_queue", "push_vlan:0x8100", "pop_vlan", "push_mpls:0x8848",
        "pop_mpls:0x0800", "dec_ttl", "dec_mpls_ttl", "copy_ttl_out",
        "copy_ttl_in", "resubmit:4", "resubmit:IN_PORT", "resubmit(,3)",
        "resubmit(4,3)", "clone(output:1,clone(drop))", "exit",
        "note:00.00.00.00.00.00", "note:01.02.ff.00.00.00",
        "push:NXM_NX_REG0[]", "pop:NXM_OF_ETH_SRC[0..7]",
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
        "move:NXM_NX_REG0[3]->OXM_OF_METADATA[9]",
        "load:0x5->NXM_NX_REG0[0..7]", "load:0x1->NXM_NX_XXREG0[]",
        "load:0x1ffffffffffffffff->NXM_NX_XXREG0[0..64]",
        "set_field:02:00:00:00:00:01->eth_dst",
        "set_field:02:00:00:00:00:00/03:00:00:00:00:00->eth_src",
        "set_field:10.0.0.1->ip_dst", "set_field:fd00::1->ipv6_src",
        "set_field:0x5/0xf->reg3", "set_field:0x1005->vlan_vid",
        "set_field:3->vlan_pcp", "set_field:80->tcp_dst",
        "set_field:0x7->tun_id", "set_field:5->mpls_label",
        "mod_dl_src:02:00:00:00:00:01", "mod_dl_dst:02:00:00:00:00:01",
        "mod_vlan_vid:5", "mod_vlan_pcp:3", "mod_nw_src:10.0.0.1",
        "mod_nw_dst:10.0.0.1", "mod_nw_tos:252", "mod_nw_ecn:1",
        "mod_nw_ttl:3", "mod_tp_src:1", "mod_tp_dst:65535",
        "set_mpls_label:7", "set_mpls_tc:7", "set_mpls_ttl:7",
        "learn(table=1)", "conjunction(7,2/3)",
        "learn(table=0,idle_timeout=1,hard_timeout=2,fin_idle_timeout=3,"
        "fin_hard_timeout=4,priority=5,send_flow_rem,delete_learned,"
        "cookie=0x6,limit=7,result_dst=NXM_NX_REG0[8],in_port=9,"
        "eth_dst=02:00:00:00:00:01,NXM_OF_ETH_SRC[],"
        "NXM_NX_REG1[0..7]=NXM_NX_REG2[8..15],NXM_NX_REG3[1..2]=0x3,"
        "load:0x1ffffffffffffffff->NXM_NX_XXREG0[0..64],"
        "load:NXM_NX_REG4[]->NXM_NX_REG5[],output:NXM_OF_IN_PORT[])",
        "multipath(symmetric_l4,1,hrw,4,5,NXM_NX_REG0[0..1])",
        "bundle(nw_dst,0,hrw,ofport,members:)",
        "bundle_load(nw_src,0,active_backup,ofport,NXM_NX_REG0[0..15],"
        "members:1,LOCAL,ANY)",
        "check_pkt_larger(1500)->NXM_NX_REG0[9]",
        "sample(probability=1,collector_set_id=2,obs_domain_id=3,"
        "obs_point_id=4)", "fin_timeout()",
        "fin_timeout(idle_timeout=1,hard_timeout=2)",
    };

    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        check_actions(same[i], same[i]);
    }
}

TEST(actions_have_other_spellings)
{
    check_actions("", "drop");
    check_actions("drop", "drop");
    check_actions("1 2,,3,", "output:1,output:2,output:3");
    check_actions("OUTPUT:1,Normal", "output:1,NORMAL");
    check_actions("controller", "CONTROLLER:65535");
    check_actions("controller()", "CONTROLLER:65535");
    check_actions("output:controller", "CONTROLLER:65535");
    check_actions("strip_vlan,set_tunnel:5,set_tunnel64:6",
                  "pop_vlan,set_tunnel:0x5,set_tunnel64:0x6");
    check_actions("set_field:5->vlan_vid", "set_field:0x1005->vlan_vid");
    check_actions("load:7->reg0,move:eth_src[]->metadata[0..47]",
                  "load:0x7->NXM_NX_REG0[],"
                  "move:NXM_OF_ETH_SRC[]->OXM_OF_METADATA[0..47]");
    check_actions("resubmit(3,)", "resubmit:3");
    check_actions("clone()", "clone(drop)");
    check_actions("note:0102", "note:01.02.00.00.00.00");
    check_actions("load:0x10->OXM_OF_PKT_REG0[4..11]",
                  "load:0x10->OXM_OF_PKT_REG0[4..11]");
}

TEST(what_open_vswitch_adds_has_its_own_errors)
{
    static const struct {
        const char *actions, *error;
    } cases[] = {
        { "learn", "write learn(ARGUMENTS)" },
        { "learn(table=255)", "table: 255 is more than 254" },
        { "learn(result_dst=reg0)", "result_dst is a single bit" },
        { "learn(load:reg0[]->reg1[0..3])", "32 bits into 4 bits" },
        { "learn(load:16->reg1[0..3])", "16 is wider than 4 bits" },
        { "learn(ipv6_dst=::1/64)", "learn takes no masks" },
        { "learn(in_prt=1)", "unknown field 'in_prt'; did you mean "
                             "'in_port'?" },
        { "conjunction(5,0/2)", "a conjunction has 2 clauses at least, "
                                "counted from 1" },
        { "conjunction(5,1/65)", "clauses: 65 is more than 64" },
        { "conjunction(5)", "write conjunction(ID,CLAUSE/CLAUSES)" },
        { "multipath(eth_src,0,modulo_n,3,0,reg0[0])",
          "1 bits do not hold the number of one of 3 links" },
        { "multipath(eth_source,0,modulo_n,3,0,reg0[])",
          "unknown hash 'eth_source'; did you mean 'eth_src'?" },
        { "multipath(eth_src,0,modulo_n,3,0)",
          "the destination is missing" },
        { "bundle(eth_src,0,hrw,ofport)", "write members:PORT,..." },
        { "check_pkt_larger(9)->reg0[0..1]",
          "the result is a single bit" },
        { "sample(collector_set_id=1)",
          "sample needs a probability of 1 to 65535" },
        { "fin_timeout(idle=1)", "unknown argument 'idle'" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct actions actions = { 0 };
        struct str error = STR_INIT;

        CHECK(actions_parse(cases[i].actions, NULL, &actions, &error));
        CHECK_MSG(strstr(str_text(&error), cases[i].error), "%s: %s",
                  cases[i].actions, str_text(&error));
        str_fini(&error);
        actions_fini(&actions);
    }
}

TEST(a_flow_mod_is_one_line)
{
    check_flow(FLOW_MOD_ADD, "actions=", "table=0,actions=drop");
    check_flow(FLOW_MOD_ADD,
               "table=3,priority=100,cookie=0x12,idle_timeout=5,"
               "hard_timeout=7,importance=1,send_flow_rem,check_overlap,"
               "reset_counts,no_packet_counts,no_byte_counts,tcp,"
               "tp_dst=80 actions=output:2",
               "table=3,cookie=0x12,priority=100,idle_timeout=5,"
               "hard_timeout=7,importance=1,send_flow_rem,check_overlap,"
               "reset_counts,no_packet_counts,no_byte_counts,tcp,tp_dst=80,"
               "actions=output:2");
    check_flow(FLOW_MOD_ADD,
               " cookie=0x0, duration=5.2s, table=0, n_packets=3, n_bytes=9, "
               "idle_age=5, priority=0 actions=NORMAL",
               "table=0,priority=0,actions=NORMAL");
    check_flow(FLOW_MOD_MODIFY, "cookie=5,ip,actions=1",
               "cookie=0x5,ip,actions=output:1");
    check_flow(FLOW_MOD_MODIFY, "cookie=5/7,table=1,ip,actions=1",
               "table=1,cookie=0x5/0x7,ip,actions=output:1");
    check_flow(FLOW_MOD_DELETE, "", "");
    check_flow(FLOW_MOD_DELETE, "cookie=0x5/-1,out_port=3,out_group=4,arp",
               "cookie=0x5/-1,out_port=3,out_group=4,arp");
    check_flow(FLOW_MOD_DELETE_STRICT, "table=2,priority=3",
               "table=2,priority=3");
}

TEST(instructions_stand_in_their_order)
{
    check_flow(FLOW_MOD_ADD,
               "actions=meter:1,1,clear_actions,write_actions(2,group:3),"
               "write_metadata:0x5/0xf,goto_table:3",
               "table=0,actions=meter:1,output:1,clear_actions,"
               "write_actions(output:2,group:3),write_metadata:0x5/0xf,"
               "goto_table:3");
    check_flow(FLOW_MOD_ADD, "actions=1,meter:2",
               "table=0,actions=output:1,meter:2");
    check_flow(FLOW_MOD_ADD, "actions=write_actions(drop)",
               "table=0,actions=drop");
    check_error(FLOW_MOD_ADD, "actions=goto_table:2,1",
                "at 22: 1 comes too late: the order is meter, actions, "
                "clear_actions, write_actions, write_metadata, goto_table");
    check_error(FLOW_MOD_ADD, "actions=goto_table:2,goto_table:3",
                "at 22: goto_table is there already");
    check_error(FLOW_MOD_ADD, "table=2,actions=goto_table:2",
                "at 9: goto_table:2 does not lead to a table after 2");
}

TEST(errors_say_what_where_and_what_was_nearest)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        { "priority=1,ip,nw_dts=10.0.0.1,actions=drop",
          "at 15: unknown field 'nw_dts'; did you mean 'nw_dst'?" },
        { "actions=ouput:1",
          "at 9: unknown action 'ouput'; did you mean 'output'?" },
        { "actions=goto_tabel:1",
          "at 9: unknown action 'goto_tabel'; did you mean 'goto_table'?" },
        { "in_port=1", "at 10: actions=... is missing" },
        { "tp_dst=80,actions=drop",
          "at 1: tp_dst needs tcp, udp or sctp (or tcp6, udp6, sctp6), and "
          "not later fragments" },
        { "udp,tcp_dst=80,actions=drop",
          "at 5: tcp_dst needs tcp or tcp6, and not later fragments" },
        { "ip,ipv6,actions=drop",
          "at 4: ipv6 contradicts what the match says before" },
        { "in_port=1,in_port=2,actions=drop",
          "at 11: in_port contradicts what the match says before" },
        { "ip,nw_src=10.0.0.1/33,actions=drop",
          "at 11: nw_src: '10.0.0.1/33' is not an IPv4 address such as "
          "10.0.0.1" },
        { "in_port=eth9,actions=drop",
          "at 9: in_port: 'eth9' is not a port number" },
        { "dl_type=0x800/0xff00,actions=drop",
          "at 9: dl_type cannot be masked" },
        { "nw_dst,actions=drop", "at 1: nw_dst needs a value" },
        { "tun_ipv6_dst=fd00::1,tun_src=10.0.0.1,actions=drop",
          "at 22: tun_src contradicts what the match says before" },
        { "tun_ipv6_dst=::,tun_src=10.0.0.1,actions=drop",
          "at 1: a tunnel has IPv4 or IPv6 addresses, not both" },
        { "actions=apply_actions(1)",
          "at 9: write the actions themselves: they are applied" },
        { "tcp=3,actions=drop", "at 5: tcp takes no value" },
        { "priority=65536,actions=drop",
          "at 10: priority: 65536 is more than 65535" },
        { "table=255,actions=drop",
          "at 7: an entry goes into one table, 0 to 254" },
        { "actions=drop,1", "at 9: drop must stand alone" },
        { "actions=clone(1", "at 16: brackets or quotes do not match" },
        { "actions=1)", "at 10: brackets or quotes do not match" },
        { "actions=set_field:5->reg99",
          "at 22: unknown field 'reg99'; did you mean 'reg9'?" },
        { "actions=set_field:5->dl_type", "at 22: dl_type cannot be written" },
        { "actions=load:256->reg0[0..7]", "at 14: 256 is wider than 8 bits" },
        { "actions=load:1->reg0[32]",
          "at 22: reg0 has no bits 32..32, it is 32 bits wide" },
        { "actions=move:reg0[0..3]->reg1[0..4]",
          "at 14: move from 4 bits to 5 bits" },
        { "actions=set_field:10.0.0.1->nw_dst",
          "at 1: set_field: nw_dst needs ip here" },
        { "actions=push_vlan:0x8101", "at 19: push_vlan takes 0x8100 or "
          "0x88a8" },
        { "actions=note:1", "at 14: a note is pairs of hex digits, such as "
          "01.02.ff" },
        { "actions=resubmit()", "at 9: resubmit needs a value" },
        { "cookie=5/7,actions=drop", "at 8: an add takes no cookie mask" },
        { "out_port=3,actions=drop", "at 1: out_port means nothing to an "
          "add" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        check_error(FLOW_MOD_ADD, cases[i].text, cases[i].error);
    }
    check_error(FLOW_MOD_DELETE, "priority=5",
                "at 1: priority means nothing to a delete");
    check_error(FLOW_MOD_DELETE, "cookie=5",
                "at 8: write cookie=COOKIE/-1 to delete by cookie");
}

TESTS(
    RUN(protocols_have_shorthands),
    RUN(fields_come_in_any_order),
    RUN(vlans_are_matched_in_four_ways),
    RUN(values_have_masks_where_fields_allow_them),
    RUN(ports_have_numbers_and_names),
    RUN(actions_are_written_in_the_field_s_words),
    RUN(actions_have_other_spellings),
    RUN(what_open_vswitch_adds_has_its_own_errors),
    RUN(a_flow_mod_is_one_line),
    RUN(instructions_stand_in_their_order),
    RUN(errors_say_what_where_and_what_was_nearest),
)
