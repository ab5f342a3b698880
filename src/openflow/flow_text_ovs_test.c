/* What ovs-ofctl's users write means the same to us: its own parser prints the
 * same for a text and for what we make of that text.  Skipped where ovs-ofctl
 * is not installed. */
#include "unit.h"

#include <unistd.h>

#include "openflow/flow_mod.h"

static const char *const nxm_flows[] = {
    "actions=drop",
    "actions=NORMAL",
    "in_port=1,actions=output:2,3,in_port,local,all,flood",
    "in_port=LOCAL,actions=controller,controller:100",
    "actions=controller(max_len=5,reason=no_match,id=3)",
    "actions=output(port=1,max_len=100),output:NXM_NX_REG0[0..15]",
    "priority=7,cookie=0x12,idle_timeout=5,hard_timeout=7,send_flow_rem,"
    "check_overlap,actions=1",
    "cookie=0x1, duration=5s, table=3, n_packets=1, n_bytes=2, ip "
    "actions=NORMAL",
    "ip,nw_src=10.1.2.3/8,nw_dst=10.0.0.1/255.255.0.255,actions=1",
    "dl_type=0x800,nw_proto=6,tp_dst=80,actions=1",
    "tcp,tp_src=0x50/0xfff0,tcp_flags=+syn-ack,actions=1",
    "tcp,tcp_flags=0x12,actions=1",
    "udp,udp_src=1,tp_dst=2,nw_ttl=64,nw_ecn=1,nw_tos=63,actions=1",
    "ip,nw_frag=not_later,ip_dscp=3,actions=1",
    "ip,ip_frag=first,actions=1",
    "sctp,tp_dst=3,actions=1",
    "icmp,icmp_type=3,icmp_code=1,actions=1",
    "icmp6,icmp_type=135,nd_target=fe80::1,nd_sll=02:00:00:00:00:01,"
    "actions=1",
    "ipv6,ipv6_src=fd00::/8,ipv6_dst=::1/::1,ipv6_label=5,actions=1",
    "tcp6,tp_dst=80,actions=1",
    "arp,arp_spa=10.0.0.0/8,arp_tpa=1.2.3.4,arp_op=2,"
    "arp_sha=02:00:00:00:00:01,"
    "arp_tha=ff:ff:ff:ff:ff:ff/01:00:00:00:00:00,actions=1",
    "arp,nw_src=10.0.0.1,nw_proto=2,actions=1",
    "rarp,actions=1",
    "dl_type=0x88cc,actions=1",
    "dl_src=02:00:00:00:00:01,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,"
    "actions=1",
    "dl_vlan=5,actions=1",
    "dl_vlan=5,dl_vlan_pcp=3,actions=1",
    "dl_vlan=0xffff,actions=1",
    "dl_vlan_pcp=3,actions=1",
    "vlan_tci=0x1123,actions=1",
    "vlan_tci=0/0x1fff,actions=1",
    "vlan_tci=5/0xfff,actions=1",
    "vlan_tci=0x2000/0x2000,actions=1",
    "vlan_tci=0x1000/0x1000,actions=1",
    "reg0=1,reg15=0x5/0xf,xreg1=7,xxreg2=9,actions=1",
    "tun_id=5/0xff,tun_src=10.0.0.1,tun_dst=10.0.0.0/8,tun_flags=+oam,"
    "actions=1",
    "tun_ipv6_src=fd00::1,tun_gbp_id=5,tun_gbp_flags=1,actions=1",
    "pkt_mark=3,ct_state=+trk+est-new,ct_zone=3,ct_mark=5/7,"
    "ct_label=0x12/0xff,actions=1",
    "conj_id=5,actions=1",
    "actions=mod_dl_src:02:00:00:00:00:01,mod_dl_dst:02:00:00:00:00:02,"
    "mod_vlan_vid:5,mod_vlan_pcp:3,strip_vlan,pop_vlan",
    "tcp,actions=mod_nw_src:10.0.0.1,mod_nw_dst:10.0.0.2,mod_nw_tos:8,"
    "mod_tp_src:1,mod_tp_dst:2,mod_nw_ecn:1,mod_nw_ttl:3,dec_ttl",
    "ip,actions=set_field:10.0.0.1->nw_dst,set_field:5->reg0,"
    "set_field:1/3->reg0,load:5->NXM_NX_REG0[3..7],load:1->reg1[4]",
    "actions=move:NXM_OF_ETH_SRC[]->eth_dst[],push:reg0[],"
    "pop:NXM_NX_REG1[0..31],load:6->tun_id[]",
    "mpls,actions=dec_mpls_ttl,set_mpls_ttl:5,pop_mpls:0x0800",
    "ip,actions=push_mpls:0x8847,set_mpls_label:5,set_mpls_tc:3",
    "actions=resubmit:1,resubmit(,2),resubmit(1,3),exit",
    "actions=note:01.02.ff,set_queue:5,pop_queue",
    "actions=clone(1,2,clone(strip_vlan,3)),4",
    "actions=controller(userdata=01.02ff,pause,meter_id=3,max_len=5,id=7),"
    "controller(pause),controller(meter_id=1),controller()",
    "ip,actions=dec_ttl(1,2,65535),dec_ttl,enqueue:3:4,enqueue(local,5),"
    "delete_field:tun_metadata3",
    "ip,ct_state=+trk-inv,actions=ct(),ct_clear,ct(commit),ct(nat),"
    "resubmit(1,2,ct),resubmit(,7,ct)",
    "tcp,actions=ct(commit,force,zone=NXM_NX_REG0[0..15],table=3,"
    "nat(src=10.0.0.1-10.0.0.9:5-7,random,persistent),"
    "exec(set_field:5->ct_mark,load:1->NXM_NX_CT_LABEL[0..63],"
    "move:NXM_NX_REG0[]->NXM_NX_CT_MARK[]))",
    "ipv6,actions=ct(commit,nat(dst=[fe80::1]-[fe80::9]:80,hash),zone=65535),"
    "ct(commit,table=0,nat(src=fd00::5)),ct(commit,nat(src))",
    "udp,actions=ct(commit,nat(dst=1.2.3.4))",
    "ip,ct_nw_src=10.0.0.0/8,ct_nw_dst=1.2.3.4,ct_nw_proto=6,ct_tp_src=1,"
    "ct_tp_dst=0x10/0xf0,ct_state=+trk+est,actions=1",
    "ipv6,ct_ipv6_src=fd00::/8,ct_ipv6_dst=::1,ct_nw_proto=17,ct_tp_dst=5,"
    "ct_state=-inv+trk+rpl+rel+snat+dnat,actions=1",
    "table=0,actions=learn(table=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]="
    "NXM_OF_ETH_SRC[],load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],"
    "output:NXM_OF_IN_PORT[])",
    "actions=learn(eth_type=0x800,nw_dst=10.0.0.1,nw_proto=6,reg1[3..5]=5,"
    "reg1=7,load:5->reg2[0..7],load:0x10->NXM_NX_REG3[],idle_timeout=5,"
    "hard_timeout=6,priority=9,cookie=0x5,send_flow_rem,delete_learned,"
    "limit=7,result_dst=reg0[3],fin_idle_timeout=3,fin_hard_timeout=4,"
    "eth_dst=eth_src,output:in_port)",
    "actions=learn(),learn(delete_learned=1),learn(in_port=LOCAL)",
    "tcp,actions=learn(eth_type=0x800,nw_proto=6,tcp_dst=tcp_src,"
    "nw_src=nw_dst,in_port_oxm=5,vlan_tci=0x1005,vlan_tci[0..11]=5)",
    "actions=load:5->NXM_OF_IN_PORT[],move:in_port->reg0[0..15],"
    "move:in_port_oxm[]->reg1[]",
    "actions=conjunction(5,1/2),note:01,conjunction(0x6,2/64)",
    "actions=conjunction(-1,2/2)",
    "actions=multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[])",
    "actions=multipath(symmetric_l3l4+udp, 50, hrw, 65535, 65535, "
    "reg0[0..15]),multipath(symmetric_l3,50,iter_hash,12,0,reg0[0..3])",
    "actions=multipath(nw_dst,50,hash_threshold,65536,0,reg0[]),"
    "multipath(symmetric_l4,1,modulo_n,2,0,reg0[0..7]),"
    "multipath(symmetric_l3l4,1,modulo_n,2,0,reg0[0..7]),"
    "multipath(nw_src,1,modulo_n,2,0,reg0[0..7])",
    "actions=bundle(eth_src,50,active_backup,ofport,slaves:4,8),"
    "bundle(symmetric_l4,60,hrw,ofport,members:5,9,LOCAL,none)",
    "actions=bundle_load(eth_src,7,hrw,ofport,NXM_NX_REG0[],slaves:),"
    "bundle(nw_src,6,hrw,ofport,slaves: 1, 2)",
    "actions=check_pkt_larger(1500)->reg0[0],1",
    "actions=check_pkt_larger:1500->NXM_NX_XXREG0[7],1",
    "actions=sample(probability=12345,collector_set_id=23456,"
    "obs_domain_id=34567,obs_point_id=45678)",
    "actions=sample(probability=1,sampling_port=LOCAL,ingress),"
    "sample(probability=65535,sampling_port=56789,egress)",
    "tcp,actions=fin_timeout(idle_timeout=5,hard_timeout=15),"
    "fin_timeout(idle_timeout=5),fin_timeout()",
};

static const char *const of15_flows[] = {
    "importance=5,reset_counts,no_packet_counts,no_byte_counts,actions=drop",
    "actions=meter:1,1,clear_actions,write_actions(2,group:3),"
    "write_metadata:0x5/0xf,goto_table:3",
    "table=3,metadata=5/0xff,actions=write_metadata:3,goto_table:4",
    "dl_vlan=5,actions=set_field:4101->vlan_vid,set_field:3->vlan_pcp,"
    "push_vlan:0x88a8,pop_vlan",
    "vlan_vid=0x1000/0x1000,actions=1",
    "vlan_vid=0x1005,vlan_pcp=3,actions=1",
    "mpls,mpls_label=5,mpls_tc=3,mpls_bos=1,mpls_ttl=64,"
    "actions=set_field:6->mpls_label,set_field:1->mpls_tc",
    "tcp,actions=set_field:3->tcp_src,set_field:3->tp_dst,"
    "set_field:1.2.3.4->ip_src,set_field:3->ip_dscp,set_field:1->nw_ecn,"
    "set_field:9->nw_ttl",
    "ipv6,actions=set_field:fd00::1->ipv6_src,set_field:5->ipv6_label",
    "actions=load:5->NXM_NX_XXREG0[100..127],load:3->metadata[],"
    "load:1->xreg0[3],set_field:5->tun_id,set_field:4->metadata,"
    "set_field:7/0xf->xxreg3",
    "actions=move:xxreg0[]->xxreg1[],move:reg0[0..7]->metadata[8..15]",
    "actset_output=3,actions=1",
    "packet_type=(1,0x800),actions=1",
    "actions=group:1,controller(reason=group)",
    "sctp6,sctp_dst=4,tun_id=5,actions=1",
};

/* What ovs-ofctl prints for these texts; skips the test where it cannot. */
static void
ovs_print(const char *versions, const struct str *texts, struct str *out)
{
    char path[] = "/tmp/flow_text_XXXXXX", command[160], line[4096];
    int fd = mkstemp(path);
    FILE *pipe;

    CHECK(fd >= 0);
    CHECK(write(fd, texts->text, texts->len) == (ssize_t) texts->len);
    close(fd);
    snprintf(command, sizeof command, "ovs-ofctl -O %s parse-flows %s 2>&1",
             versions, path);
    pipe = popen(command, "r");
    CHECK(pipe);
    while (fgets(line, sizeof line, pipe)) {
        str_add(out, line);
    }
    CHECK_MSG(!pclose(pipe), "%s", str_text(out));
    unlink(path);
}

static bool
names_table(const char *flow)
{
    const char *table = strstr(flow, "table=");

    return table && table < strstr(flow, "actions=");
}

/* The texts are too long to be shown as a whole. */
static void
check_lines(const char *a, const char *b)
{
    while (*a || *b) {
        int n = (int) strcspn(a, "\n"), m = (int) strcspn(b, "\n");

        CHECK_MSG(n == m && !memcmp(a, b, (size_t) n), "%.*s\nthen %.*s", n,
                  a, m, b);
        a += a[n] ? n + 1 : n;
        b += b[m] ? m + 1 : m;
    }
}

static void
check_same(const char *versions, const char *const *flows, size_t n)
{
    struct str theirs = STR_INIT, ours = STR_INIT;
    struct str printed = STR_INIT, printed_ours = STR_INIT;

    if (system("ovs-ofctl --version >/dev/null 2>&1")) {
        skip();
    }
    for (size_t i = 0; i < n; i++) {
        struct str error = STR_INIT;
        struct flow_mod fm;

        CHECK_MSG(!flow_mod_parse(flows[i], FLOW_MOD_ADD, NULL, &fm, &error),
                  "%s: %s", flows[i], str_text(&error));
        flow_mod_format(&fm, &ours);
        str_add_char(&ours, '\n');
        flow_mod_fini(&fm);
        /* Without a table its switch chooses; ours is 0 then. */
        str_addf(&theirs, "%s%s\n",
                 names_table(flows[i]) ? "" : "table=0,", flows[i]);
        str_fini(&error);
    }
    ovs_print(versions, &theirs, &printed);
    ovs_print(versions, &ours, &printed_ours);
    check_lines(str_text(&printed), str_text(&printed_ours));
    str_fini(&theirs);
    str_fini(&ours);
    str_fini(&printed);
    str_fini(&printed_ours);
}

TEST(flows_of_the_older_kind_mean_the_same)
{
    check_same("OpenFlow10", nxm_flows, ARRAY_SIZE(nxm_flows));
}

TEST(flows_of_openflow_1_5_mean_the_same)
{
    check_same("OpenFlow15", of15_flows, ARRAY_SIZE(of15_flows));
}

TESTS(
    RUN(flows_of_the_older_kind_mean_the_same),
    RUN(flows_of_openflow_1_5_mean_the_same),
)
