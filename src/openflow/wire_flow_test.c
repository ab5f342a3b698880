#include "openflow/wire_test.h"

#include "openflow/random_mods_test.h"

enum { N_CASES = 20000 };

/* Random flow-mods of all kinds: whatever a version can say comes back, and
 * each says a good part of them. */
TEST(any_flow_mod_comes_back_from_the_wire)
{
    struct rng rng = { 30 };
    unsigned int n_said[OF15 + 1] = { 0 }, n_equal[OF15 + 1] = { 0 };

    for (unsigned int i = 0; i < N_CASES; i++) {
        struct of_message msg = { .type = OFT_FLOW_MOD, .xid = i };
        enum flow_mod_command command = rng_below(&rng, 5);

        random_flow_mod(&rng, command, &msg.flow_mod);
        for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
            struct of_protocol p = { .version = versions[v],
                                     .flow_mod_table_id = true };
            struct buf buf = BUF_INIT;
            struct of_message out;

            if (!of_message_encode(&buf, &p, &msg)) {
                buf_clear(&buf);
                round_trip(&p, &msg, &buf, &out);
                n_said[versions[v]]++;
                n_equal[versions[v]] += flow_mod_equal(&msg.flow_mod,
                                                       &out.flow_mod);
                of_message_fini(&out);
            }
            CHECK(buf.size || !buf.len);
            buf_fini(&buf);
        }
        flow_mod_fini(&msg.flow_mod);
    }
    for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
        print_message("%s: %u said, %u of them the same\n",
                      of_version_name(versions[v]), n_said[versions[v]],
                      n_equal[versions[v]]);
        CHECK(n_said[versions[v]] > N_CASES / 8);
        CHECK(n_equal[versions[v]] > n_said[versions[v]] / 2);
    }
}

/* Text, through our codec, read by ovs-ofctl, against what that makes of the
 * text itself. */
static const char *const flows[] = {
    "priority=7,tcp,in_port=3,nw_src=10.0.0.0/8,tp_dst=80 actions=output:2",
    "cookie=0x12,idle_timeout=5,hard_timeout=7,send_flow_rem,udp,tp_src=53 "
    "actions=output:3,output:1",
    "arp,arp_op=2,arp_spa=10.0.0.1 actions=CONTROLLER:128",
    "icmp,icmp_type=8 actions=IN_PORT",
    "dl_vlan=5,dl_vlan_pcp=3 actions=strip_vlan,output:1",
    "dl_src=02:00:00:00:00:01,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 "
    "actions=NORMAL",
    "reg0=0x1,reg3=0x5/0xf actions=resubmit(,4),resubmit:3,exit",
    "tun_id=0x5,ipv6,ipv6_dst=fd00::/8 actions=load:0x3->NXM_NX_REG1[4..7],"
    "move:NXM_NX_REG0[]->NXM_NX_REG1[]",
    "ip actions=push:NXM_NX_REG0[],pop:NXM_NX_REG1[0..31],dec_ttl,"
    "note:01.02.03.04.05.06",
    "tcp,tcp_flags=+syn-ack actions=output:NXM_NX_REG0[0..15],"
    "set_queue:3,pop_queue",
    "mpls actions=dec_mpls_ttl,set_mpls_ttl(5),pop_mpls:0x0800",
    "ip actions=push_mpls:0x8847,clone(output:1,clone(output:2))",
    "actions=output(port=1,max_len=100),controller(reason=no_match,id=3)",
    "tcp actions=learn(table=3,idle_timeout=5,hard_timeout=6,"
    "fin_idle_timeout=3,fin_hard_timeout=4,priority=9,send_flow_rem,"
    "delete_learned,cookie=0x5,limit=7,result_dst=NXM_NX_REG0[3],"
    "eth_type=0x800,nw_proto=6,NXM_OF_TCP_DST[]=NXM_OF_TCP_SRC[],"
    "NXM_NX_REG1[3..5]=0x5,load:0x5->NXM_NX_REG2[0..7],"
    "load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],output:NXM_OF_IN_PORT[])",
    "actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]),"
    "load:0x5->NXM_OF_IN_PORT[],move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]",
    "actions=conjunction(5,1/2),conjunction(6,2/64)",
    "actions=multipath(symmetric_l3,50,iter_hash,12,7,NXM_NX_REG0[0..3])",
    "actions=bundle(eth_src,50,active_backup,ofport,members:4,8),"
    "bundle_load(symmetric_l4,60,hrw,ofport,NXM_NX_REG0[],members:5,LOCAL)",
    "actions=check_pkt_larger(1500)->NXM_NX_REG0[3],"
    "sample(probability=5,collector_set_id=1,obs_domain_id=2,"
    "obs_point_id=3),sample(probability=5,collector_set_id=1,"
    "obs_domain_id=2,obs_point_id=3,sampling_port=7),"
    "sample(probability=5,collector_set_id=1,obs_domain_id=2,"
    "obs_point_id=3,sampling_port=7,egress)",
    "tcp actions=fin_timeout(idle_timeout=5,hard_timeout=15)",
    "actions=set_field:0x5->reg1,set_field:0x10/0xf0->reg2",
    "pkt_mark=0x3,ct_state=+est+trk,ct_zone=3 actions=drop",
    "actions=set_field:5->in_port,set_field:LOCAL->in_port",
};
static const char *const later_flows[] = {
    "table=3,metadata=0x5/0xff actions=write_metadata:0x3/0xf,goto_table:4",
    "dl_vlan=5 actions=set_field:4101->vlan_vid,push_vlan:0x88a8,pop_vlan",
    "tcp actions=set_field:80->tcp_dst,set_field:10.0.0.1->nw_dst,"
    "set_field:0x5->reg0,output:1",
    "sctp6,sctp_dst=4,ipv6_label=0x5 actions=group:7",
    "ip actions=clear_actions,write_actions(output:2,group:3)",
};

static void
add_text(const char *text, enum of_version version, struct buf *all)
{
    struct of_protocol p = { .version = version, .flow_mod_table_id = true };
    struct of_message msg = { .type = OFT_FLOW_MOD };
    struct str error = STR_INIT;

    CHECK_MSG(!flow_mod_parse(text, FLOW_MOD_ADD, NULL, &msg.flow_mod,
                              &error), "%s: %s", text, str_text(&error));
    CHECK_MSG(!of_message_encode(all, &p, &msg), "%s in %s", text,
              of_version_name(version));
    flow_mod_fini(&msg.flow_mod);
}

/* ovs-ofctl's words for a message into flow text. */
static void
add_as_flow_text(struct str *s, const char *printed)
{
    static const struct {
        const char *theirs, *ours;
    } words[] = {
        { "cookie:", "cookie=" }, { "idle:", "idle_timeout=" },
        { "hard:", "hard_timeout=" }, { "table:", "table=" },
    };

    while (*printed) {
        bool found = false;

        for (size_t i = 0; i < ARRAY_SIZE(words) && !found; i++) {
            size_t len = strlen(words[i].theirs);

            if (!strncmp(printed, words[i].theirs, len)
                && (!s->len || s->text[s->len - 1] == ' ')) {
                str_add(s, words[i].ours);
                printed += len;
                found = true;
            }
        }
        if (!found) {
            str_add_char(s, *printed++);
        }
    }
}

static void
compare_flows(const char *const *texts, size_t n, enum of_version version)
{
    struct buf all = BUF_INIT;
    struct str printed = STR_INIT, rest;
    struct str file = STR_INIT, theirs = STR_INIT;
    char *line, *save = NULL;
    size_t i = 0;

    for (i = 0; i < n; i++) {
        add_text(texts[i], version, &all);
    }
    ovs_parse(&all, &printed);
    i = 0;
    for (line = strtok_r(printed.text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        const char *flow = strstr(line, "ADD ");
        struct flow_mod ours, read;
        struct str error = STR_INIT;

        if (!flow) {
            continue;
        }
        rest = (struct str) STR_INIT;
        add_as_flow_text(&rest, flow + 4);
        CHECK(!flow_mod_parse(texts[i], FLOW_MOD_ADD, NULL, &ours, NULL));
        CHECK_MSG(!flow_mod_parse(str_text(&rest), FLOW_MOD_ADD, NULL, &read,
                                  &error), "%s: %s", str_text(&rest),
                  str_text(&error));
        CHECK_MSG(match_equal(&ours.match, &read.match)
                  && ours.priority == read.priority
                  && ours.cookie == read.cookie && ours.table == read.table,
                  "%s, read as %s", texts[i], line);
        flow_mod_format(&read, &theirs);
        str_clear(&file);
        flow_mod_format(&ours, &file);
        CHECK_MSG(!strcmp(str_text(&file), str_text(&theirs)),
                  "%s, read as %s (%s)", str_text(&file), str_text(&theirs),
                  line);
        str_clear(&theirs);
        flow_mod_fini(&ours);
        flow_mod_fini(&read);
        str_fini(&rest);
        i++;
    }
    CHECK_MSG(i == n, "%zu of %zu", i, n);
    buf_fini(&all);
    str_fini(&printed);
    str_fini(&file);
    str_fini(&theirs);
}

TEST(ovs_ofctl_reads_what_we_write_in_1_0)
{
    compare_flows(flows, ARRAY_SIZE(flows), OF10);
}

TEST(ovs_ofctl_reads_what_we_write_in_1_3)
{
    compare_flows(flows, ARRAY_SIZE(flows), OF13);
    compare_flows(later_flows, ARRAY_SIZE(later_flows), OF13);
}

TEST(ovs_ofctl_reads_what_we_write_in_1_4)
{
    compare_flows(flows, ARRAY_SIZE(flows), OF14);
    compare_flows(later_flows, ARRAY_SIZE(later_flows), OF14);
}

#define FM13 "000e000000000001 0000000000000000 0000000000000000 0000"         \
             "0000 0000 8000 ffffffff ffffffff ffffffff 0000 0000 "
#define NO_MATCH "00010004 00000000 "

TEST(copy_field_of_the_onf_is_a_move)
{
    static const char hex[] =
        "000e000000000001 0000000000000000 0000000000000000 00 00 0000 0000"
        "0005 ffffffff ffffffff ffffffff 0000 0000"
        "0001000a 80000a02 0800 000000000000"
        "0004 0028 00000000 ffff 0020 4f4e4600 %s 0000 0020 0000 0000 0000"
        "80001604 80001804 00000000";

    for (size_t v = 1; v < ARRAY_SIZE(versions); v++) {
        struct buf buf = BUF_INIT;
        struct str text = STR_INIT;
        struct of_message msg;
        char mod[300];

        snprintf(mod, sizeof mod, hex, "0c80");
        if (versions[v] == OF15) {
            CHECK(decode_hex(OF15, mod, &msg, &buf)
                  == OF_BAD_ACTION_BAD_EXP_TYPE);
            buf_fini(&buf);
            continue;
        }
        CHECK(!decode_hex(versions[v], mod, &msg, &buf));
        action_list_format(msg.flow_mod.instructions.apply, &text);
        assert_string_equal(str_text(&text),
                            "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]");
        of_message_fini(&msg);
        snprintf(mod, sizeof mod, hex, "0c81");
        CHECK(decode_hex(versions[v], mod, &msg, &buf)
              == OF_BAD_ACTION_BAD_EXP_TYPE);
        buf_fini(&buf);
        str_fini(&text);
    }
}

TEST(flow_mods_in_disorder_get_the_errors_of_the_specification)
{
    static const struct hex_case cases[] = {
        { FM13 NO_MATCH, OF_OK },
        /* Match: kind, length, unknown field, twice, without ip, masks. */
        { FM13 "00000004 00000000", OF_BAD_MATCH_BAD_TYPE },
        { FM13 "00010050 00000000", OF_BAD_MATCH_BAD_LEN },
        { FM13 "0001000a 8000ea02 0000 000000000000", OF_BAD_MATCH_BAD_FIELD },
        { FM13 "00010010 80000a02 0800 80000a02 0800",
          OF_BAD_MATCH_DUP_FIELD },
        { FM13 "0001000c 80001604 0a000001 00000000",
          OF_BAD_MATCH_BAD_PREREQ },
        { FM13 "0001000a 80000a03 0800 000000000000", OF_BAD_MATCH_BAD_LEN },
        { FM13 "0001000c 80000b04 0800 0fff 00000000",
          OF_BAD_MATCH_BAD_MASK },
        { FM13 "00010016 80000a02 0800 80001708 0a000001 ff000000"
          "0000", OF_BAD_MATCH_BAD_WILDCARDS },
        { FM13 "0001000b 80000a02 0800 80001001 40 000000 00 00",
          OF_BAD_MATCH_BAD_LEN },
        /* Instructions: unknown, twice, lengths. */
        { FM13 NO_MATCH "00ff0008 00000000", OF_BAD_INSTRUCTION_UNKNOWN_INST },
        { FM13 NO_MATCH "ffff0008 12345678",
          OF_BAD_INSTRUCTION_BAD_EXPERIMENTER },
        { FM13 NO_MATCH "00010008 01000000 00010008 02000000",
          OF_BAD_INSTRUCTION_DUP_INST },
        { FM13 NO_MATCH "00010010 01000000", OF_BAD_INSTRUCTION_BAD_LEN },
        { FM13 NO_MATCH "00020008 00000000", OF_BAD_INSTRUCTION_BAD_LEN },
        /* Actions: unknown, lengths, experimenters, fields. */
        { FM13 NO_MATCH "00040010 00000000 00630008 00000000",
          OF_BAD_ACTION_BAD_TYPE },
        { FM13 NO_MATCH "00040010 00000000 00000008 00000001",
          OF_BAD_ACTION_BAD_LEN },
        { FM13 NO_MATCH "00040010 00000000 0018000c 00000000",
          OF_BAD_ACTION_BAD_LEN },
        { FM13 NO_MATCH "00040018 00000000 ffff0010 12345678 0000000000000000",
          OF_BAD_ACTION_BAD_EXPERIMENTER },
        { FM13 NO_MATCH "00040018 00000000 ffff0010 00002320 7777000000000000",
          OF_BAD_ACTION_BAD_EXP_TYPE },
        { FM13 NO_MATCH "00040018 00000000 00190010 8000ea02 0000000000000000",
          OF_BAD_ACTION_BAD_SET_TYPE },
        { FM13 NO_MATCH "00040018 00000000 00190010 80001704 0a000000ff000000",
          OF_BAD_ACTION_BAD_SET_MASK },
        { FM13 NO_MATCH "00040018 00000000 00190010 80001606 0a00000000000000",
          OF_BAD_ACTION_BAD_SET_LEN },
        { FM13 NO_MATCH "00040018 00000000 00190010 80001001 ff00000000000000",
          OF_BAD_ACTION_BAD_SET_ARGUMENT },
        /* in_port is none of the headers that set_field is for. */
        { FM13 NO_MATCH "00040018 00000000 00190010 80000004 0000000100000000",
          OF_BAD_ACTION_BAD_SET_TYPE },
        { FM13 NO_MATCH "00040018 00000000 00190010 00000002 0001000000000000",
          OF_OK },
        { FM13 "0001000c 80000204 00000001 00000000",
          OF_BAD_MATCH_BAD_PREREQ },
        { FM13 "00010014 80000004 00000001 80000204 00000001 00000000",
          OF_OK },
        { FM13 NO_MATCH "00060008 00000000", OF_BAD_ACTION_BAD_METER },
        { "000e000000000001 00", OF_BAD_REQUEST_BAD_LEN },
        { "000e000000000001 0000000000000000 0000000000000000 0009"
          "0000 0000 8000 ffffffff ffffffff ffffffff 0000 0000" NO_MATCH,
          OF_FLOW_MOD_FAILED_BAD_COMMAND },
        { "000e000000000001 0000000000000000 0000000000000000 0000"
          "0000 0000 8000 ffffffff ffffffff ffffffff 8000 0000" NO_MATCH,
          OF_FLOW_MOD_FAILED_BAD_FLAGS },
        { "000e000000000001 0000000000000000 0000000000000000 0000"
          "0000 0000 8000 00000007 ffffffff ffffffff 0000 0000" NO_MATCH,
          OF_BAD_REQUEST_BUFFER_UNKNOWN },
    };

    check_hex(OF13, cases, ARRAY_SIZE(cases));
}

/* A byte changed, or the end cut off: refused or understood. */
TEST(damaged_flow_mods_are_refused_or_understood)
{
    struct rng rng = { 31 };
    unsigned int n_ok = 0;

    for (unsigned int i = 0; i < N_CASES; i++) {
        struct of_protocol p = { .version = versions[rng_below(&rng, 4)] };
        struct of_message msg = { .type = OFT_FLOW_MOD }, out;
        struct buf buf = BUF_INIT;
        uint8_t *exact;

        random_flow_mod(&rng, FLOW_MOD_ADD, &msg.flow_mod);
        if (!of_message_encode(&buf, &p, &msg)) {
            for (unsigned int n = rng_below(&rng, 4); n > 0; n--) {
                buf.data[8 + rng_below(&rng, (uint32_t) buf.len - 8)] =
                    (uint8_t) rng_u32(&rng);
            }
            if (rng_one_in(&rng, 3)) {
                buf.len = 8 + rng_below(&rng, (uint32_t) buf.len - 8);
                buf_patch_u16(&buf, 2, (uint16_t) buf.len);
            }
            exact = xmemdup(buf.data, buf.len);
            if (!of_message_decode(&p, exact, buf.len, &out, NULL)) {
                n_ok++;
                of_message_fini(&out);
            }
            free(exact);
        }
        flow_mod_fini(&msg.flow_mod);
        buf_fini(&buf);
    }
    CHECK(n_ok > N_CASES / 50);
}

TESTS(
    RUN(any_flow_mod_comes_back_from_the_wire),
    RUN(ovs_ofctl_reads_what_we_write_in_1_0),
    RUN(ovs_ofctl_reads_what_we_write_in_1_3),
    RUN(ovs_ofctl_reads_what_we_write_in_1_4),
    RUN(copy_field_of_the_onf_is_a_move),
    RUN(flow_mods_in_disorder_get_the_errors_of_the_specification),
    RUN(damaged_flow_mods_are_refused_or_understood),
)
