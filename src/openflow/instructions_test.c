#include "unit.h"

#include "openflow/flow_mod.h"

/* The verdict over "MATCH" and "ACTIONS" as text. */
static enum of_error
check_as(enum actions_context context, const char *match_text,
         const char *text)
{
    struct str error = STR_INIT;
    struct actions actions = { 0 };
    struct match match;
    enum of_error verdict;

    CHECK_MSG(!match_parse(match_text, NULL, &match, &error), "%s: %s",
              match_text, str_text(&error));
    CHECK_MSG(!actions_parse(text, NULL, &actions, &error), "%s: %s", text,
              str_text(&error));
    verdict = actions_check(actions_list(&actions), context, &match, &error);
    CHECK((verdict == OF_OK) == !error.len);
    actions_fini(&actions);
    str_fini(&error);
    return verdict;
}

static enum of_error
check(const char *match_text, const char *text)
{
    return check_as(ACTIONS_APPLY, match_text, text);
}

TEST(a_field_can_be_set_where_the_match_requires_it)
{
    CHECK(check("ip", "set_field:10.0.0.1->nw_dst") == OF_OK);
    CHECK(check("", "set_field:10.0.0.1->nw_dst")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("udp", "set_field:1->tcp_src")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("tcp6", "set_field:1->tcp_src") == OF_OK);
    CHECK(check("tcp", "move:NXM_OF_TCP_SRC[]->NXM_NX_REG0[0..15]") == OF_OK);
    CHECK(check("", "move:NXM_OF_TCP_SRC[]->NXM_NX_REG0[0..15]")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("", "push:NXM_OF_IP_SRC[]")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("arp", "set_field:2->arp_op") == OF_OK);
}

TEST(the_mark_of_a_connection_is_not_the_packet_s)
{
    CHECK(check("", "set_field:1->ct_mark")
          == OF_BAD_ACTION_BAD_SET_ARGUMENT);
    CHECK(check("", "move:NXM_NX_REG0[]->NXM_NX_CT_MARK[]")
          == OF_BAD_ACTION_BAD_SET_ARGUMENT);
}

TEST(older_actions_ask_nothing_of_the_match)
{
    CHECK(check("", "mod_nw_dst:10.0.0.1,mod_tp_dst:80,mod_vlan_vid:5,"
                "mod_nw_tos:4,pop_vlan,dec_ttl") == OF_OK);
    /* Nothing was written into an IPv6 packet, so it still is no IPv4. */
    CHECK(check("ipv6", "mod_nw_dst:10.0.0.1,set_field:10.0.0.1->nw_src")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
}

TEST(vlan_tags_come_and_go)
{
    CHECK(check("", "set_field:5->vlan_vid")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("", "push_vlan:0x8100,set_field:5->vlan_vid,"
                "set_field:3->vlan_pcp") == OF_OK);
    CHECK(check("", "mod_vlan_vid:5,set_field:3->vlan_pcp") == OF_OK);
    CHECK(check("dl_vlan=4", "pop_vlan,set_field:3->vlan_pcp")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("dl_vlan=4",
                "push_vlan:0x88a8,pop_vlan,set_field:3->vlan_pcp") == OF_OK);
}

TEST(mpls_changes_what_the_packet_is)
{
    CHECK(check("ip", "push_mpls:0x8847,set_field:5->mpls_label,"
                "dec_mpls_ttl,copy_ttl_out") == OF_OK);
    CHECK(check("ip", "push_mpls:0x8847,set_field:10.0.0.1->nw_dst")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("mpls", "pop_mpls:0x0800,set_field:10.0.0.1->nw_dst")
          == OF_OK);
    CHECK(check("tcp", "push_mpls:0x8847,pop_mpls:0x0800,"
                "set_field:1->tcp_src") == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("ip", "pop_mpls:0x0800")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("ip", "dec_mpls_ttl") == OF_BAD_ACTION_MATCH_INCONSISTENT);
}

TEST(what_a_clone_does_to_its_packet_is_over_behind_it)
{
    CHECK(check("", "clone(push_vlan:0x8100,set_field:3->vlan_pcp)")
          == OF_OK);
    CHECK(check("", "clone(push_vlan:0x8100),set_field:3->vlan_pcp")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
}

TEST(ports_must_be_ports)
{
    CHECK(check("", "1,LOCAL,NORMAL,4294967039") == OF_OK);
    CHECK(check("", "output:0") == OF_BAD_ACTION_BAD_OUT_PORT);
    CHECK(check("", "output:ANY") == OF_BAD_ACTION_BAD_OUT_PORT);
    CHECK(check("", "output:4294967287") == OF_BAD_ACTION_BAD_OUT_PORT);
    CHECK(check("", "output:TABLE") == OF_BAD_ACTION_BAD_OUT_PORT);
    CHECK(check_as(ACTIONS_PACKET_OUT, "", "output:TABLE") == OF_OK);
    CHECK(check("", "group:4294967295") == OF_BAD_ACTION_BAD_OUT_GROUP);
    CHECK(check("", "meter:0") == OF_BAD_ACTION_BAD_METER);
}

TEST(action_sets_hold_what_has_a_place_in_their_order)
{
    CHECK(check_as(ACTIONS_SET, "ip", "output:1,group:2,dec_ttl,pop_vlan,"
                   "set_queue:3,set_field:10.0.0.1->nw_dst") == OF_OK);
    CHECK(check_as(ACTIONS_SET, "", "exit") == OF_BAD_ACTION_BAD_TYPE);
    CHECK(check_as(ACTIONS_SET, "", "push:NXM_NX_REG0[]")
          == OF_BAD_ACTION_BAD_TYPE);
}

TEST(a_bucket_is_not_judged_by_a_match)
{
    CHECK(check_as(ACTIONS_BUCKET, "", "set_field:10.0.0.1->nw_dst,"
                   "dec_mpls_ttl,pop_mpls:0x0800,output:1") == OF_OK);
    CHECK(check_as(ACTIONS_BUCKET, "", "output:0")
          == OF_BAD_ACTION_BAD_OUT_PORT);
}

TEST(a_clause_does_nothing_else)
{
    struct instructions in = { .has_goto = true, .goto_table = 3 };
    struct actions a = { 0 };
    struct match any;

    CHECK(check("", "conjunction(1,1/2),conjunction(2,2/2),note:01")
          == OF_OK);
    CHECK(check("", "conjunction(1,1/2),output:1")
          == OF_BAD_ACTION_BAD_CONJUNCTION);
    CHECK(check("", "clone(conjunction(1,1/2))")
          == OF_BAD_ACTION_BAD_CONJUNCTION);
    CHECK(check_as(ACTIONS_SET, "", "conjunction(1,1/2)")
          == OF_BAD_ACTION_BAD_TYPE);
    CHECK(check_as(ACTIONS_BUCKET, "", "conjunction(1,1/2)")
          == OF_BAD_ACTION_BAD_CONJUNCTION);
    match_init(&any);
    CHECK(!actions_parse("conjunction(1,1/2)", NULL, &a, NULL));
    in.apply = actions_list(&a);
    CHECK(instructions_check(&in, &any, 0, NULL)
          == OF_BAD_ACTION_BAD_CONJUNCTION);
    actions_fini(&a);
}

TEST(what_is_learned_makes_sense)
{
    CHECK(check("tcp", "learn(eth_type=0x800,nw_proto=6,tcp_dst=tcp_src)")
          == OF_OK);
    CHECK(check("", "learn(eth_type=0x800,nw_proto=6,tcp_dst=tcp_src)")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("tcp", "learn(tcp_dst=tcp_src)")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("tcp", "learn(NXM_OF_ETH_TYPE[],NXM_OF_IP_PROTO[],"
                "tcp_dst=tcp_src)") == OF_OK);
    CHECK(check("", "learn(load:5->NXM_OF_ETH_TYPE[])")
          == OF_BAD_ACTION_BAD_SET_TYPE);
    CHECK(check("", "learn(load:5->NXM_OF_IP_DST[])")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("", "learn(result_dst=NXM_OF_ETH_TYPE[0])")
          == OF_BAD_ACTION_BAD_SET_TYPE);
}

TEST(members_are_ports_that_can_be_sent_to)
{
    CHECK(check("", "bundle(eth_src,0,hrw,ofport,members:1,LOCAL,ANY)")
          == OF_OK);
    CHECK(check("", "bundle(eth_src,0,hrw,ofport,members:CONTROLLER)")
          == OF_BAD_ACTION_BAD_OUT_PORT);
    CHECK(check("", "bundle(eth_src,0,hrw,ofport,members:0)")
          == OF_BAD_ACTION_BAD_OUT_PORT);
    CHECK(check("", "bundle(eth_src,0,hrw,ofport,members:TABLE)")
          == OF_BAD_ACTION_BAD_OUT_PORT);
    CHECK(check("", "multipath(eth_src,0,hrw,2,0,NXM_OF_IP_SRC[])")
          == OF_BAD_ACTION_MATCH_INCONSISTENT);
    CHECK(check("", "check_pkt_larger(9)->NXM_OF_ETH_TYPE[0]")
          == OF_BAD_ACTION_BAD_SET_TYPE);
}

/* What only a wire codec could say. */
TEST(nonsense_in_memory_is_refused)
{
    struct actions a = { 0 };
    struct action_set_field *set;
    struct action_push *push;
    struct action_move *move;
    struct match match;

    match_init(&match);
    set = actions_add(&a, ACTION_SET_FIELD, sizeof *set);
    set->field = FIELD_ETH_TYPE;
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_BAD_SET_TYPE);
    set->field = N_FIELDS;
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_BAD_SET_TYPE);
    set->field = FIELD_REG0;
    set->mask[0] = set->value[0] = UINT64_MAX;
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_BAD_SET_ARGUMENT);
    set->field = FIELD_VLAN_VID;
    set->mask[0] = 0x1fff;
    set->value[0] = 5;
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_BAD_SET_ARGUMENT);

    actions_clear(&a);
    push = actions_add(&a, ACTION_PUSH_VLAN, sizeof *push);
    push->eth_type = 0x0800;
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_BAD_TAG);
    actions_clear(&a);
    push = actions_add(&a, ACTION_PUSH_MPLS, sizeof *push);
    push->eth_type = 0x8100;
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_BAD_TAG);

    actions_clear(&a);
    move = actions_add(&a, ACTION_MOVE, sizeof *move);
    move->src = (struct subfield) { FIELD_REG0, 0, 4 };
    move->dst = (struct subfield) { FIELD_REG1, 0, 5 };
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_BAD_SET_ARGUMENT);
    move->dst = (struct subfield) { FIELD_REG1, 30, 4 };
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_BAD_SET_ARGUMENT);
    move->dst = (struct subfield) { FIELD_CT_STATE, 0, 4 };
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_BAD_SET_TYPE);
    actions_fini(&a);
}

TEST(nesting_and_length_are_bounded)
{
    uint32_t marks[ACTIONS_MAX_DEPTH + 1];
    struct actions a = { 0 };
    struct match match;

    match_init(&match);
    for (unsigned int i = 0; i <= ACTIONS_MAX_DEPTH; i++) {
        marks[i] = actions_begin_clone(&a);
    }
    for (unsigned int i = ACTIONS_MAX_DEPTH + 1; i-- > 0; ) {
        CHECK(actions_end(&a, marks[i]));
    }
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_TOO_MANY);

    actions_clear(&a);
    while (a.len <= ACTIONS_MAX_LEN) {
        actions_add_output(&a, 1);
    }
    CHECK(actions_check(actions_list(&a), ACTIONS_APPLY, &match, NULL)
          == OF_BAD_ACTION_TOO_MANY);
    actions_fini(&a);
}

TEST(goto_leads_forward)
{
    struct instructions in = { .has_goto = true, .goto_table = 3 };
    struct match match;

    match_init(&match);
    CHECK(instructions_check(&in, &match, 2, NULL) == OF_OK);
    CHECK(instructions_check(&in, &match, 3, NULL)
          == OF_BAD_INSTRUCTION_BAD_TABLE_ID);
    CHECK(instructions_check(&in, &match, OFPTT_ALL, NULL) == OF_OK);
    in.goto_table = 255;
    CHECK(instructions_check(&in, &match, 2, NULL)
          == OF_BAD_INSTRUCTION_BAD_TABLE_ID);
    in.has_goto = false;
    in.meter = 0xffff0001;
    CHECK(instructions_check(&in, &match, 2, NULL)
          == OF_BAD_ACTION_BAD_METER);
}

TESTS(
    RUN(a_field_can_be_set_where_the_match_requires_it),
    RUN(the_mark_of_a_connection_is_not_the_packet_s),
    RUN(older_actions_ask_nothing_of_the_match),
    RUN(vlan_tags_come_and_go),
    RUN(mpls_changes_what_the_packet_is),
    RUN(what_a_clone_does_to_its_packet_is_over_behind_it),
    RUN(ports_must_be_ports),
    RUN(action_sets_hold_what_has_a_place_in_their_order),
    RUN(a_bucket_is_not_judged_by_a_match),
    RUN(a_clause_does_nothing_else),
    RUN(what_is_learned_makes_sense),
    RUN(members_are_ports_that_can_be_sent_to),
    RUN(nonsense_in_memory_is_refused),
    RUN(nesting_and_length_are_bounded),
    RUN(goto_leads_forward),
)
