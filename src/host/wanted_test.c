/* What each of several hosts plugs in, that were all given one file. */
#include "host/wanted.h"

#include "intent/intent_lab.h"
#include "unit.h"

#define HOSTS(H1, H2)                                                        \
    "version: 1\n"                                                           \
    "hosts:\n  h1: {tunnel: " H1 "}\n  h2: {tunnel: " H2 ", mtu: 1400}\n"

/* "web=tap:eth0,...", a line each, in order. */
static void
wants_of(const char *text, const char *host, unsigned int n_workers,
         const char *expected)
{
    struct intent *intent = lab_sealed(text);
    struct wanted wanted;
    struct str said = STR_INIT;

    wanted_init(&wanted, intent, host, n_workers, NULL);
    for (unsigned int i = 0; i < wanted.n; i++) {
        str_addf(&said, "%s=%s", wanted.list[i].switch_name,
                 wanted.list[i].spec);
        wanted_add_inside(&wanted.list[i], 0, &said);
        str_add(&said, "\n");
    }
    assert_string_equal(said.len ? str_text(&said) : "", expected);
    str_fini(&said);
    wanted_fini(&wanted);
    intent_unref(intent);
}

static void
wants(const char *text, const char *host, const char *expected)
{
    wants_of(text, host, 1, expected);
}

TEST(each_kind_of_overlay_has_one_port)
{
    static const char text[] = HOSTS("192.0.2.1", "192.0.2.2")
        "networks:\n"
        "  a: {segment: {vxlan: 1}}\n"
        "  b: {segment: {vxlan: 2}}\n"
        "  c: {segment: {gre: 3}}\n";

    wants(text, "h1",
          "gre=gre:local=192.0.2.1,remote=flow,key=flow,mtu=1358\n"
          "vxlan=vxlan:local=192.0.2.1,remote=flow,key=flow,mtu=1350\n");
    wants(text, "h2",
          "gre=gre:local=192.0.2.2,remote=flow,key=flow,mtu=1358\n"
          "vxlan=vxlan:local=192.0.2.2,remote=flow,key=flow,mtu=1350\n");
    wants(text, "elsewhere", "");
    wants(HOSTS("\"fd00::1\"", "\"fd00::2\"")
          "networks: {a: {segment: {geneve: 1}}}\n", "h1",
          "geneve=geneve:local=fd00::1,remote=flow,key=flow,mtu=1330\n");
}

/* A port has 8 queues at most. */
TEST(each_worker_has_a_queue)
{
    static const char text[] = HOSTS("192.0.2.1", "192.0.2.2")
        "networks: {a: {segment: {vxlan: 1}}}\n";

    wants_of(text, "h1", 4, "vxlan=vxlan:local=192.0.2.1,remote=flow,"
             "key=flow,queues=4,mtu=1350\n");
    wants_of(text, "h1", 16, "vxlan=vxlan:local=192.0.2.1,remote=flow,"
             "key=flow,queues=8,mtu=1350\n");
}

TEST(groups_are_joined_once_each)
{
    wants(HOSTS("192.0.2.1", "192.0.2.2")
          "networks:\n"
          "  a: {segment: {vxlan: 1, group: 239.1.1.2}}\n"
          "  b: {segment: {vxlan: 2, group: 239.1.1.1}}\n"
          "  c: {segment: {vxlan: 3, group: 239.1.1.2}}\n"
          "  d: {segment: {vxlan: 4}}\n", "h1",
          "vxlan=vxlan:local=192.0.2.1,remote=flow,key=flow,mtu=1350,"
          "groups=239.1.1.2+239.1.1.1\n");
}

TEST(ports_and_uplinks_are_where_they_say)
{
    static const char text[] = HOSTS("192.0.2.1", "192.0.2.2")
        "uplinks:\n"
        "  dc: {device: eth2, at: h1}\n"
        "  lan: {device: eth1}\n"
        "  wan: {host: true, transfer: 169.254.0.0/30, at: h1}\n"
        "networks: {n: {subnet: 10.1.0.0/24, nat: wan}}\n"
        "ports:\n"
        "  a: {tap: t1, network: n, host: h1}\n"
        "  b: {tap: t2, network: n, host: h2}\n"
        "  c: {tap: t3, network: n}\n";

    wants(text, "h2",
          "b=tap:t2,vm=yes,mtu=1500\n"
          "c=tap:t3,vm=yes,mtu=1500\n"
          "eth1=netdev:eth1,bare=yes\n"
          "weft-lan=internal:weft-lan,from=eth1\n");
    wants(text, "h1",
          "a=tap:t1,vm=yes,mtu=1500\n"
          "c=tap:t3,vm=yes,mtu=1500\n"
          "eth1=netdev:eth1,bare=yes\n"
          "eth2=netdev:eth2,bare=yes\n"
          "weft-dc=internal:weft-dc,from=eth2\n"
          "weft-lan=internal:weft-lan,from=eth1\n"
          "weft-wan=internal:weft-wan,addr=169.254.0.1/30\n");
}

TEST(tunnels_are_past_the_kernel_where_its_nic_is_ours)
{
#define UPLINKS(TEXT) HOSTS("192.0.2.1", "192.0.2.2") "uplinks: {" TEXT "}\n"  \
    "networks: {a: {segment: {vxlan: 1}}}\n"
    wants(UPLINKS("lan: {device: eth1, at: h1}"), "h1",
          "eth1=netdev:eth1,bare=yes\n"
          "vxlan=vxlan:local=192.0.2.1,remote=flow,key=flow,underlay=eth1,"
          "mtu=1350\n"
          "weft-lan=internal:weft-lan,from=eth1\n");
    wants(UPLINKS("lan: {device: eth1, at: h1}"), "h2",
          "vxlan=vxlan:local=192.0.2.2,remote=flow,key=flow,mtu=1350\n");
    /* Which of two it is nobody has said. */
    wants(UPLINKS("lan: {device: eth1}, dc: {device: eth2}"), "h1",
          "eth1=netdev:eth1,bare=yes\n"
          "eth2=netdev:eth2,bare=yes\n"
          "vxlan=vxlan:local=192.0.2.1,remote=flow,key=flow,mtu=1350\n"
          "weft-dc=internal:weft-dc,from=eth2\n"
          "weft-lan=internal:weft-lan,from=eth1\n");
#undef UPLINKS
}

/* A tunnel's groups and room follow its intents without a new socket. */
TEST(what_changes_while_open_is_no_other_port)
{
    struct intent *before = lab_sealed(HOSTS("192.0.2.1", "192.0.2.2")
        "networks: {a: {segment: {vxlan: 1}}}\n");
    struct intent *after = lab_sealed(HOSTS("192.0.2.1", "192.0.2.2")
        "networks: {a: {segment: {vxlan: 1, group: 239.1.1.1}}}\n");
    struct wanted was, is;

    wanted_init(&was, before, "h1", 1, NULL);
    wanted_init(&is, after, "h1", 1, &was);
    CHECK(was.n == 1 && is.n == 1);
    assert_string_equal(was.list[0].spec, is.list[0].spec);
    CHECK(!was.list[0].groups);
    assert_string_equal(is.list[0].groups, "239.1.1.1");
    wanted_fini(&was);
    wanted_fini(&is);
    intent_unref(before);
    intent_unref(after);
}

TESTS(
    RUN(each_kind_of_overlay_has_one_port),
    RUN(each_worker_has_a_queue),
    RUN(groups_are_joined_once_each),
    RUN(ports_and_uplinks_are_where_they_say),
    RUN(tunnels_are_past_the_kernel_where_its_nic_is_ours),
    RUN(what_changes_while_open_is_no_other_port),
)
