#include "weftd_options.h"

#include "intent/object.h"

#include "openflow/openflow.h"
#include "unit.h"

enum { MAX_WORDS = 32 };

/* Parses "a b c" as a shell would hand it over; weftd comes by itself, and
 * --switch-only where no other mode is asked for. */
static int
parse(const char *line, struct weftd_options *options, struct str *error)
{
    static char copy[512];
    char *words[MAX_WORDS] = {
        (char *) (uintptr_t) "weftd", (char *) (uintptr_t) "--switch-only",
    };
    char *save = NULL;
    int n = strstr(line, "--controller-only") ? 1 : 2;

    strncpy(copy, line, sizeof copy - 1);
    for (char *word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        words[n++] = word;
    }
    return weftd_options_parse(n, words, options, error);
}

static void
check_refused(const char *line, const char *why)
{
    struct weftd_options options;
    struct str error = STR_INIT;

    CHECK_MSG(parse(line, &options, &error) == -EINVAL, "%s", line);
    CHECK_MSG(strstr(str_text(&error), why), "%s: %s", line,
              str_text(&error));
    str_fini(&error);
}

TEST(tables_can_be_limited)
{
    struct weftd_options options;
    struct str error = STR_INIT;

    CHECK_MSG(!parse("--flow-limit 5000 --flow-limit 3=10 "
                     "--flow-limit 254=7:evict", &options, &error),
              "%s", str_text(&error));
    CHECK(options.sw.max_flows == 5000 && options.sw.n_limits == 2);
    CHECK(options.sw.limits[0].table == 3
          && options.sw.limits[0].policy.max_entries == 10
          && !options.sw.limits[0].policy.evicts);
    CHECK(options.sw.limits[1].table == 254
          && options.sw.limits[1].policy.max_entries == 7
          && options.sw.limits[1].policy.evicts);
    weftd_options_fini(&options);

    check_refused("--flow-limit 255=1", "from 0 to 254");
    check_refused("--flow-limit 3=", "from 1 to");
    check_refused("--flow-limit 0", "from 1 to");
    check_refused("--flow-limit 5:evict", "from 1 to");
}

TEST(connections_can_be_limited)
{
    struct weftd_options options;
    struct str error = STR_INIT;

    CHECK_MSG(!parse("--max-connections 5000 --zone-connections 100 "
                     "--connection-timeout udp-new=7", &options, &error),
              "%s", str_text(&error));
    CHECK(options.sw.datapath.ct.max_connections == 5000);
    CHECK(options.zone_connections == 100);
    CHECK(options.sw.datapath.ct.timeouts[CT_TIMEOUT_UDP_NEW] == 7000);
    weftd_options_fini(&options);

    check_refused("--connection-timeout udp=7", "tcp-opening");
    check_refused("--connection-timeout udp-new", "NAME=SECONDS");
    check_refused("--connection-timeout udp-new=0", "from 1 to");
    check_refused("--max-connections 1", "from 1024");
}

TEST(controllers_and_listeners_are_methods)
{
    struct weftd_options options;
    struct str error = STR_INIT;

    CHECK_MSG(!parse("--controller tcp:127.0.0.1:6653 --controller unix:/c "
                     "--listen ptcp:6634:127.0.0.1 --probe-interval 7 "
                     "--openflow OpenFlow10,OpenFlow13", &options, &error),
              "%s", str_text(&error));
    CHECK(options.n_controllers == 2 && options.n_listeners == 1);
    CHECK(!strcmp(options.controllers[1], "unix:/c"));
    CHECK(options.openflow_versions == (1u << OF10 | 1u << OF13));
    CHECK(options.connections.probe_interval == 7000);
    weftd_options_fini(&options);

    check_refused("--controller ptcp:1", "expected tcp:, tls: or unix:");
    check_refused("--controller tcp:nowhere", "no IP address");
    check_refused("--controller ssl:127.0.0.1",
                  "ssl:127.0.0.1 needs --private-key");
    check_refused("--private-key a --certificate b", "go together");
    check_refused("--tls-check-address", "needs --private-key");
    check_refused("--listen tcp:127.0.0.1", "expected ptcp:, ptls: or punix:");
    check_refused("--openflow OpenFlow11", "expected a list of");
}

TEST(a_lab_switch_is_one_line)
{
    struct weftd_options options;
    struct str error = STR_INIT;

    CHECK_MSG(!parse("--switch sw1 --datapath-id=00000000000000ff "
                     "--port 1=netdev:veth1 --port 2=tap:tap1,tag=20 "
                     "--port web=tap:web0,netns=web "
                     "--fail-mode secure --workers 2 --fdb-age 10 "
                     "--run-dir /tmp/x",
                     &options, &error),
              "%s", str_text(&error));
    CHECK(!strcmp(options.sw.name, "sw1"));
    CHECK(options.sw.datapath_id == 0xff);
    CHECK(options.sw.fail_mode == FAIL_SECURE);
    CHECK(options.sw.datapath.n_workers == 2);
    CHECK(options.sw.fdb_age == 10000);
    CHECK(!strcmp(options.run_dir, "/tmp/x"));
    CHECK(options.n_ports == 3);
    CHECK(options.ports[0].number == 1);
    CHECK(!strcmp(options.ports[0].config.name, "veth1"));
    CHECK(options.ports[1].settings.vlan.mode == VLAN_ACCESS);
    CHECK(options.ports[1].settings.vlan.vid == 20);
    CHECK(!options.ports[2].number);
    CHECK(!strcmp(options.ports[2].config.name, "web"));
    weftd_options_fini(&options);
}

TEST(the_environment_stands_in_for_options)
{
    struct weftd_options options;

    setenv("WEFT_RUN_DIR", "/tmp/from-env", 1);
    CHECK(!parse("", &options, NULL));
    CHECK(!strcmp(options.run_dir, "/tmp/from-env"));
    weftd_options_fini(&options);
    CHECK(!parse("--run-dir /tmp/from-line", &options, NULL));
    CHECK(!strcmp(options.run_dir, "/tmp/from-line"));
    weftd_options_fini(&options);
    unsetenv("WEFT_RUN_DIR");
}

TEST(an_instance_is_named_like_its_switch)
{
    struct weftd_options options;

    CHECK(!parse("--switch Blue1", &options, NULL));
    CHECK(!strcmp(options.instance, "blue1"));
    weftd_options_fini(&options);
}

TEST(mistakes_are_told_with_what_was_meant)
{
    check_refused("--swich br0", "did you mean '--switch'?");
    check_refused("--fail-mod=secure", "did you mean '--fail-mode'?");
    check_refused("--qqqq", "weftd --help");
    check_refused("br0", "unexpected word 'br0'");
    check_refused("--port", "--port needs a value");
    check_refused("--switch-only=yes", "takes no value");
    check_refused("--fail-mode sure", "expected secure or standalone");
    check_refused("--workers 0", "expected a number from 1");
    check_refused("--workers many", "expected a number from 1");
    check_refused("--datapath-id xyz", "hexadecimal");
    check_refused("--datapath-id 00000000000000001", "hexadecimal");
    check_refused("--switch a/b", "letters, digits");
    check_refused("--log-level loud", "expected error, warn");
    check_refused("--port 1=tap:a --port 1=tap:b", "twice");
    check_refused("--port tap:a --port 2=tap:a", "twice");
    check_refused("--port 0=tap:a", "a port's number is 1 to");
    check_refused("--port 1=tap:a,tag=5000", "a VLAN from 1 to 4094");
}

TEST(with_a_controller_of_its_own_a_switch_starts_empty)
{
    char *bare[] = { "weftd", NULL };
    char *asked[] = { "weftd", "--fail-mode", "standalone", "--host", "h1",
                      NULL };
    struct weftd_options options;
    struct str error = STR_INIT;

    CHECK(!weftd_options_parse(1, bare, &options, &error));
    CHECK(!options.is_switch_only && options.sw.fail_mode == FAIL_SECURE);
    CHECK(intent_name_is_valid(options.host, NULL));
    weftd_options_fini(&options);
    CHECK(!weftd_options_parse(5, asked, &options, &error));
    CHECK(options.sw.fail_mode == FAIL_STANDALONE);
    CHECK(!strcmp(options.host, "h1"));
    weftd_options_fini(&options);
    str_fini(&error);
}

TEST(how_often_other_hosts_are_asked_is_a_time)
{
    static const struct { const char *line; msec interval; } rows[] = {
        { "", 10000 }, { "--tunnel-probe-interval 200ms", 200 },
        { "--tunnel-probe-interval 30s", 30000 },
        { "--tunnel-probe-interval=1s", 1000 },
        { "--tunnel-probe-interval 0", 0 },
    };
    static const char *const wrong[] = {
        "10", "s", "", "99ms", "4000s", "18446744073709551615s", "-1s", "1m",
        "1 s", "0x10s", "0sec",
    };
    struct weftd_options options;
    struct str line = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(!parse(rows[i].line, &options, NULL));
        CHECK(options.tunnel_probe_interval == rows[i].interval);
        weftd_options_fini(&options);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        str_setf(&line, "--tunnel-probe-interval=%s", wrong[i]);
        if (!strchr(wrong[i], ' ')) {
            check_refused(str_text(&line), "a time like 10s");
        }
    }
    str_fini(&line);
}

TEST(a_controller_without_a_switch_drives_open_vswitch)
{
    struct weftd_options options;

    CHECK(!parse("--controller-only --ovsdb unix:/tmp/ovs/db.sock "
                 "--switch cloud", &options, NULL));
    CHECK(!strcmp(options.ovsdb, "/tmp/ovs/db.sock"));
    CHECK(!strcmp(options.drives, "unix:/tmp/ovs/cloud.mgmt"));
    weftd_options_fini(&options);
    CHECK(!parse("--controller-only --ovsdb none --drive tcp:192.0.2.1:6653",
                 &options, NULL));
    CHECK(!options.ovsdb && !strcmp(options.drives, "tcp:192.0.2.1:6653"));
    weftd_options_fini(&options);
    check_refused("--controller-only --port tap:a", "--port does not go");
    check_refused("--controller-only --listen ptcp:6653", "--listen does not");
    check_refused("--controller-only --ovsdb none", "needs --drive");
    check_refused("--controller-only --ovsdb db.sock", "unix:PATH");
    check_refused("--controller-only --drive ptcp:6653", "expected tcp:IP");
    check_refused("--drive unix:/tmp/x", "needs --controller-only");
}

TESTS(
    RUN(tables_can_be_limited),
    RUN(connections_can_be_limited),
    RUN(controllers_and_listeners_are_methods),
    RUN(a_lab_switch_is_one_line),
    RUN(the_environment_stands_in_for_options),
    RUN(an_instance_is_named_like_its_switch),
    RUN(mistakes_are_told_with_what_was_meant),
    RUN(with_a_controller_of_its_own_a_switch_starts_empty),
    RUN(how_often_other_hosts_are_asked_is_a_time),
    RUN(a_controller_without_a_switch_drives_open_vswitch),
)
