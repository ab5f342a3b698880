/* Overlays: what their segment may say, and what that means with the hosts. */
#include "intent/intent_lab.h"
#include "unit.h"

#define HOSTS                                                                \
    "version: 1\n"                                                           \
    "hosts:\n"                                                               \
    "  h1: {tunnel: 192.0.2.1}\n"                                            \
    "  h2: {tunnel: 192.0.2.2, mtu: 1400}\n"                                 \
    "uplinks:\n"                                                             \
    "  lan: {device: eth1}\n"                                                \
    "  dc: {device: eth2, at: h1}\n"

static void
said(const char *rows, const char *expected)
{
    struct str text = STR_INIT;

    str_addf(&text, HOSTS "networks:\n%s", rows);
    lab_check_said(str_text(&text), expected);
    str_fini(&text);
}

TEST(an_overlay_has_one_key)
{
    said("  n: {segment: {vxlan: 5001}}\n  m: {segment: {gre: 5001}}\n"
         "  o: {segment: {geneve: 16777214}}\n"
         "  p: {segment: {gre: 4294967295}}\n", "");
    said("  n: {segment: {vxlan: 0}}\n",
         "t:9:24: vxlan: '0' is not a number from 1 to 16777214\n");
    said("  n: {segment: {gre: 16777215}}\n", "t:9:22: gre: 16777215 is kept "
         "for what hosts ask each other\n");
    said("  n: {segment: {vxlan: 5, gre: 6}}\n", "t:9:32: gre: a segment has "
         "one of vxlan, gre, geneve; here it has vxlan, too\n");
    said("  n: {segment: {vxlan: 5}}\n  m: {segment: {vxlan: 5}}\n",
         "t:10:16: segment: vxlan 5 is already used by "
         "network 'n' (line 9)\n");
}

TEST(groups_and_remotes_are_for_those_who_are_no_hosts)
{
    said("  n: {segment: {vxlan: 5, group: 239.1.1.1}}\n"
         "  m: {segment: {gre: 6, remotes: [192.0.2.9, 192.0.2.10]}}\n", "");
    said("  n: {segment: {gre: 5, group: 239.1.1.1}}\n",
         "t:9:16: segment: only vxlan has a group\n");
    said("  n: {segment: {vxlan: 5, group: 192.0.2.9}}\n", "t:9:16: segment: "
         "group: 192.0.2.9 is no multicast group's\n");
    said("  n: {segment: {vxlan: 5, remotes: [192.0.2.2]}}\n", "t:9:16: "
         "segment: remotes: 192.0.2.2 is host 'h2', which is on the network "
         "anyway\n");
    said("  n: {segment: {vxlan: 5, remotes: [\"fd00::9\"]}}\n", "t:9:16: "
         "segment: remotes: fd00::9 cannot be reached: the hosts' tunnels are "
         "of IPv4\n");
    said("  n: {segment: {vxlan: 5, remotes: [239.1.1.1]}}\n", "t:9:37: "
         "remotes: 239.1.1.1 is a group's; that is 'group'\n");
}

/* A tunnel port joins them all. */
TEST(groups_are_few)
{
    struct str rows = STR_INIT;

    for (unsigned int i = 0; i < 2 * SEGMENT_MAX_GROUPS; i++) {
        str_addf(&rows, "  n%02u: {segment: {vxlan: %u, group: 239.1.1.%u}}\n",
                 i, i + 1, i % SEGMENT_MAX_GROUPS);
    }
    said(str_text(&rows), "");
    str_add(&rows, "  n99: {segment: {vxlan: 99, group: 239.2.2.2}}\n");
    said(str_text(&rows), "t:41:18: segment: group: a host joins 16 groups at "
         "most\n");
    str_fini(&rows);
}

TEST(a_gateway_is_at_one_host)
{
    said("  n: {segment: {vxlan: 5, vlan: 20, uplink: dc}}\n", "");
    said("  n: {segment: {vxlan: 5, vlan: 20, uplink: lan}}\n", "t:9:16: "
         "segment: uplink 'lan' is one of every host, and two that join a "
         "VLAN with vxlan 5 are a loop: say where it is by 'at' of the "
         "uplink\n");
}

/* 14 of Ethernet, 20 of IPv4, 8 of UDP, 8 of VXLAN; GRE with its key is 8. */
TEST(the_mtu_is_what_the_smallest_host_leaves)
{
    struct intent *set = lab_sealed(HOSTS "networks:\n"
        "  a: {segment: {vxlan: 1}}\n  b: {segment: {gre: 1}}\n"
        "  c: {segment: {geneve: 1}, mtu: 1300}\n  d: {}\n");

    CHECK(intent_network_cast(intent_find(set, INTENT_NETWORK, "a"))->mtu
          == 1350);
    CHECK(intent_network_cast(intent_find(set, INTENT_NETWORK, "b"))->mtu
          == 1358);
    CHECK(intent_network_cast(intent_find(set, INTENT_NETWORK, "c"))->mtu
          == 1300);
    CHECK(intent_network_cast(intent_find(set, INTENT_NETWORK, "d"))->mtu
          == 1500);
    intent_unref(set);
    said("  n: {segment: {vxlan: 5}, mtu: 1351}\n", "t:9:33: mtu: 1351 does "
         "not fit: 1400 between the hosts less 50 bytes of vxlan leaves "
         "1350\n");
}

TEST(an_overlay_joins_hosts)
{
    lab_check_said("version: 1\nnetworks:\n  n: {segment: {vxlan: 5}}\n",
             "t:3:16: segment: vxlan joins hosts, and the file has none: "
             "'hosts: {NAME: {tunnel: ADDRESS}}'\n");
    said("  n: {segment: {vxlan: 5}}\nports:\n  p: {network: n, tap: t1}\n",
         "t:11:16: network: network 'n' spans 2 hosts: port 'p' needs "
         "'host'\n");
    said("  n: {segment: {vxlan: 5}}\nports:\n"
         "  p: {network: n, tap: t1, host: h3}\n",
         "t:11:34: host: there is no host 'h3'; did you mean 'h1'?\n");
    /* Elsewhere any name will do, while there are no hosts. */
    lab_check_said("version: 1\nnetworks:\n  n: {}\nports:\n"
             "  p: {network: n, tap: t1, host: h3}\n", "");
}

TESTS(
    RUN(an_overlay_has_one_key),
    RUN(groups_and_remotes_are_for_those_who_are_no_hosts),
    RUN(groups_are_few),
    RUN(a_gateway_is_at_one_host),
    RUN(the_mtu_is_what_the_smallest_host_leaves),
    RUN(an_overlay_joins_hosts),
)
