/* What changes, and whom it interrupts. */
#include "intent/diff.h"

#include "intent/intent_lab.h"
#include "unit.h"

static struct diff *
diff_of(const char *before, const char *after)
{
    struct intent *a = lab_sealed(before), *b = lab_sealed(after);
    struct diff *diff = diff_create(a, b);

    intent_unref(a);
    intent_unref(b);
    return diff;
}

static void
check_plan(const char *before, const char *after, const char *expected)
{
    struct diff *diff = diff_of(before, after);
    struct str text = STR_INIT;

    diff_format(diff, &text);
    CHECK_MSG(!strcmp(str_text(&text), expected), "%s--- not:\n%s",
              str_text(&text), expected);
    str_fini(&text);
    diff_destroy(diff);
}

#define UPLINKS "version: 1\nuplinks: {lan: {device: eth1}, " \
                "dmz: {device: eth2}}\n"
#define NETWORKS "networks:\n" \
                 "  blue: {subnet: 10.1.0.0/24}\n" \
                 "  red: {subnet: 10.2.0.0/24, " \
                 "segment: {vlan: 20, uplink: lan}}\n"
#define PORTS "ports:\n" \
              "  db: {network: red, netns: db}\n" \
              "  fw: {tap: fw, trunk: {5: red, 6: blue}}\n" \
              "  web: {network: blue, netns: web, address: 10.1.0.20}\n"

TEST(the_same_file_changes_nothing)
{
    check_plan(UPLINKS NETWORKS PORTS, UPLINKS NETWORKS PORTS,
               "Nothing changes.\n");
}

TEST(the_way_it_is_written_is_no_change)
{
    check_plan(UPLINKS NETWORKS PORTS, PORTS UPLINKS
               "networks:\n"
               "  red:\n"
               "    segment: {uplink: lan, protocol: 802.1q, vlan: 20}\n"
               "    subnet: \"10.2.0.0/24\"\n"
               "  blue: {subnet: 10.1.0.0/24}\n",
               "Nothing changes.\n");
}

/* The mtu of an overlay follows from the hosts, also of networks that were
 * there before. */
TEST(a_host_that_carries_less_changes_overlays)
{
    check_plan("version: 1\nhosts: {a: {tunnel: 192.0.2.1}}\n"
               "networks: {n: {segment: {vxlan: 5}}, m: {}}\n",
               "version: 1\nhosts: {a: {tunnel: 192.0.2.1}, "
               "b: {tunnel: 192.0.2.2, mtu: 1400}}\n"
               "networks: {n: {segment: {vxlan: 5}}, m: {}}\n",
               "~ network n\n    mtu: 1450 -> 1350\n"
               "+ host b: {tunnel: 192.0.2.2, mtu: 1400}\n\n"
               "Interrupted: 0 of 0 ports.\n");
}

TEST(a_way_out_where_there_was_none_interrupts_nobody)
{
    const char *ways = "uplinks: {wan: {host: true}, out: {device: eth1, "
                       "address: 203.0.113.5/24}}\n"
                       "ports: {web: {network: blue, netns: web}}\n";
    const char *none = "networks: {blue: {subnet: 10.1.0.0/24}}\n";
    const char *wan = "networks: {blue: {subnet: 10.1.0.0/24, nat: wan}}\n";
    const char *out = "networks: {blue: {subnet: 10.1.0.0/24, nat: out}}\n";
    struct str a = STR_INIT, b = STR_INIT, c = STR_INIT;

    str_addf(&a, "version: 1\n%s%s", ways, none);
    str_addf(&b, "version: 1\n%s%s", ways, wan);
    str_addf(&c, "version: 1\n%s%s", ways, out);
    check_plan(str_text(&a), str_text(&b),
               "~ network blue\n"
               "    nat: nothing -> wan\n"
               "\n"
               "Interrupted: 0 of 1 ports.\n"
               "Changed without interruption: 1\n"
               "  web: network 'blue': nat changes\n");
    check_plan(str_text(&b), str_text(&c),
               "~ network blue\n"
               "    nat: wan -> out\n"
               "\n"
               "Interrupted: 1 of 1 ports:\n"
               "  web: network 'blue': nat changes\n");
    str_fini(&a);
    str_fini(&b);
    str_fini(&c);
}

TEST(a_default_written_down_is_noticed_by_no_packet)
{
    check_plan(UPLINKS NETWORKS PORTS, UPLINKS PORTS
               "networks:\n"
               "  blue: {subnet: 10.1.0.0/24, gateway: 10.1.0.1, mtu: 1500}\n"
               "  red: {subnet: 10.2.0.0/24, "
               "segment: {vlan: 20, uplink: lan}}\n",
               "~ network blue\n"
               "    gateway: 10.1.0.1, as it was by default\n"
               "    mtu: 1500, as it was by default\n"
               "\nInterrupted: 0 of 3 ports.\n"
               "Changed without interruption: 2\n"
               "  fw: network 'blue': gateway, mtu change\n"
               "  web: network 'blue': gateway, mtu change\n"
               "Not touched: 1\n");
}

TEST(a_new_port_interrupts_nobody)
{
    check_plan(UPLINKS NETWORKS PORTS, UPLINKS NETWORKS PORTS
               "  api: {network: blue, tap: api0, rate: 100M}\n",
               "+ port api: {network: blue, tap: api0, rate: 100M}\n"
               "\nInterrupted: 0 of 3 ports.\n"
               "Not touched: 3\n");
}

TEST(a_port_that_goes_is_interrupted)
{
    check_plan(UPLINKS NETWORKS PORTS
               "  old: {network: blue, tap: old}\n",
               UPLINKS NETWORKS PORTS,
               "- port old\n"
               "\nInterrupted: 1 of 4 ports:\n"
               "  old: goes away\n"
               "Not touched: 3\n");
}

TEST(a_port_meets_what_changes_of_itself)
{
    check_plan(UPLINKS NETWORKS PORTS, UPLINKS NETWORKS
               "ports:\n"
               "  db: {network: red, netns: db, nic: net0, isolated: true}\n"
               "  fw: {tap: fw, trunk: {5: red, 6: blue}, "
               "rate: {out: 1G}}\n"
               "  web: {network: blue, netns: web, address: 10.1.0.21, "
               "configure: true}\n",
               "~ port db\n"
               "    nic: eth0 -> net0\n"
               "    isolated: false -> true\n"
               "~ port fw\n"
               "    rate: nothing -> {out: 1G}\n"
               "~ port web\n"
               "    configure: false -> true\n"
               "    address: 10.1.0.20 -> 10.1.0.21\n"
               "\nInterrupted: 2 of 3 ports:\n"
               "  db: nic changes; its NIC is taken away and comes back\n"
               "  web: address changes\n"
               "Changed without interruption: 1\n"
               "  fw: rate changes\n");
}

TEST(a_port_meets_what_changes_of_its_networks)
{
    check_plan(UPLINKS NETWORKS PORTS, UPLINKS PORTS
               "networks:\n"
               "  blue: {subnet: 10.1.0.0/24, mtu: 1400}\n"
               "  red: {subnet: 10.2.0.0/24, "
               "segment: {vlan: 30, uplink: lan}}\n",
               "~ network blue\n"
               "    mtu: 1500 -> 1400\n"
               "~ network red\n"
               "    segment: {vlan: 20, uplink: lan} -> "
               "{vlan: 30, uplink: lan}\n"
               "\nInterrupted: 2 of 3 ports:\n"
               "  db: network 'red': segment changes\n"
               "  fw: network 'red': segment changes\n"
               "Changed without interruption: 1\n"
               "  web: network 'blue': mtu changes\n");
}

TEST(a_port_meets_whom_it_reaches_no_more)
{
    static const char joined[] = UPLINKS NETWORKS PORTS
        "routers:\n  r: {networks: [blue, red]}\n";

    check_plan(joined, UPLINKS NETWORKS PORTS,
               "- router r\n"
               "\nInterrupted: 3 of 3 ports:\n"
               "  db: network 'red' is no longer joined with 'blue'\n"
               "  fw: network 'red' is no longer joined with 'blue'\n"
               "  web: network 'blue' is no longer joined with 'red'\n");
    check_plan(UPLINKS NETWORKS PORTS, joined,
               "+ router r: {networks: [blue, red]}\n"
               "\nInterrupted: 0 of 3 ports.\n"
               "Not touched: 3\n");
    check_plan(joined, UPLINKS NETWORKS PORTS
               "routers:\n  r: {networks: [blue, red], routes: {to: "
               "10.9.0.0/16, via: 10.1.0.9}}\n",
               "~ router r\n"
               "    routes: nothing -> [{to: 10.9.0.0/16, via: 10.1.0.9}]\n"
               "\nInterrupted: 0 of 3 ports.\n"
               "Changed without interruption: 3\n"
               "  db: router 'r': routes changes\n"
               "  fw: router 'r': routes changes\n"
               "  web: router 'r': routes changes\n");
}

TEST(a_port_meets_what_changes_of_its_uplink)
{
    check_plan(UPLINKS NETWORKS PORTS,
               "version: 1\nuplinks: {lan: {bond: [eth1, eth3]}}\n" NETWORKS
               PORTS,
               "- uplink dmz\n"
               "~ uplink lan\n"
               "    device: eth1 -> nothing\n"
               "    bond: nothing -> [eth1, eth3]\n"
               "\nInterrupted: 2 of 3 ports:\n"
               "  db: uplink 'lan': device, bond change\n"
               "  fw: uplink 'lan': device, bond change\n"
               "Not touched: 1\n");
}

TEST(a_port_that_moves_to_another_kind_is_opened_anew)
{
    check_plan(UPLINKS NETWORKS PORTS, UPLINKS NETWORKS
               "ports:\n"
               "  db: {network: red, tap: db}\n"
               "  fw: {tap: fw, trunk: {6: blue}}\n"
               "  web: {network: blue, netns: web}\n",
               "~ port db\n"
               "    netns: db -> nothing\n"
               "    tap: nothing -> db\n"
               "~ port fw\n"
               "    trunk: {5: red, 6: blue} -> {6: blue}\n"
               "~ port web\n"
               "    address: 10.1.0.20 -> nothing\n"
               "\nInterrupted: 3 of 3 ports:\n"
               "  db: netns, tap change; its NIC is taken away and comes "
               "back\n"
               "  fw: trunk changes\n"
               "  web: address changes\n");
}

TEST(json_has_all_that_the_words_say)
{
    struct diff *diff = diff_of(UPLINKS NETWORKS PORTS, UPLINKS NETWORKS
                                "ports:\n"
                                "  api: {network: red, tap: api}\n"
                                "  db: {network: red, netns: db, rate: 1M}\n"
                                "  web: {network: blue, netns: web, "
                                "address: 10.1.0.21}\n");
    json_t *json = diff_json(diff);
    char *text = json_dumps(json, JSON_COMPACT);

    assert_string_equal(
        text,
        "{\"changes\":["
        "{\"change\":\"add\",\"kind\":\"port\",\"name\":\"api\","
        "\"members\":{\"network\":\"red\",\"tap\":\"api\"}},"
        "{\"change\":\"modify\",\"kind\":\"port\",\"name\":\"db\","
        "\"effect\":\"flows\",\"members\":[{\"name\":\"rate\","
        "\"effect\":\"flows\",\"before\":null,\"after\":\"1M\"}]},"
        "{\"change\":\"remove\",\"kind\":\"port\",\"name\":\"fw\","
        "\"members\":{\"tap\":\"fw\","
        "\"trunk\":{\"5\":\"red\",\"6\":\"blue\"}}},"
        "{\"change\":\"modify\",\"kind\":\"port\",\"name\":\"web\","
        "\"effect\":\"cut\",\"members\":[{\"name\":\"address\","
        "\"effect\":\"cut\",\"before\":\"10.1.0.20\","
        "\"after\":\"10.1.0.21\"}]}],"
        "\"ports\":["
        "{\"name\":\"db\",\"interrupted\":false,\"effect\":\"flows\","
        "\"why\":\"rate changes\"},"
        "{\"name\":\"fw\",\"interrupted\":true,\"effect\":\"reopen\","
        "\"why\":\"goes away\"},"
        "{\"name\":\"web\",\"interrupted\":true,\"effect\":\"cut\","
        "\"why\":\"address changes\"}],"
        "\"interrupted\":2}");
    free(text);
    json_decref(json);
    diff_destroy(diff);
}

TESTS(
    RUN(the_same_file_changes_nothing),
    RUN(the_way_it_is_written_is_no_change),
    RUN(a_default_written_down_is_noticed_by_no_packet),
    RUN(a_host_that_carries_less_changes_overlays),
    RUN(a_way_out_where_there_was_none_interrupts_nobody),
    RUN(a_new_port_interrupts_nobody),
    RUN(a_port_that_goes_is_interrupted),
    RUN(a_port_meets_what_changes_of_itself),
    RUN(a_port_meets_what_changes_of_its_networks),
    RUN(a_port_meets_whom_it_reaches_no_more),
    RUN(a_port_meets_what_changes_of_its_uplink),
    RUN(a_port_that_moves_to_another_kind_is_opened_anew),
    RUN(json_has_all_that_the_words_say),
)
