/* Networks that span hosts: what one of the hosts pays for them, and that a
 * change comes to what the whole would be. */
#include "controller/desired.h"

#include <stdio.h>

#include "controller/random_intents.h"
#include "controller/stage.h"
#include "unit.h"

struct host {
    struct ipam *ipam;
    struct topology *topology;
    struct desired desired;
    struct unit_set dirty;
};

static void
host_init(struct host *host, const char *name)
{
    struct topology_config config = { .host = name };

    memset(host, 0, sizeof *host);
    host->ipam = config.ipam = ipam_create(NULL);
    host->topology = topology_create(&config);
    desired_init(&host->desired);
    unit_set_add(&host->dirty, (struct unit) { 0, UNIT_BASE, 0 });
    topology_set_switch_port(host->topology, "vxlan", 1000, true,
                             &host->dirty);
    topology_set_switch_port(host->topology, "weft-wan", 1001, true,
                             &host->dirty);
}

static void
host_fini(struct host *host)
{
    desired_fini(&host->desired);
    unit_set_fini(&host->dirty);
    topology_destroy(host->topology);
    ipam_destroy(host->ipam);
}

static void
host_set(struct host *host, const char *text)
{
    struct intent *set = intent_of_text(text);

    topology_set_intent(host->topology, set, &host->dirty);
    intent_unref(set);
    INTENT_FOR_EACH_PORT (port, topology_intent(host->topology)) {
        if (!strcmp(port->host, "h0")) {
            topology_set_switch_port(host->topology, port->switch_name,
                                     (uint32_t) (port->object.id % 900) + 1,
                                     true, &host->dirty);
        }
    }
}

static void
host_sync(struct host *host)
{
    desired_update(&host->desired, host->topology, &host->dirty, NULL);
    unit_set_clear(&host->dirty);
}

/* ---- Cost ---- */

enum { PER_NETWORK = 9, SPAN = 5 };

/* As many networks as hosts, each at five hosts next to each other, with nine
 * ports at each: 45 ports a host. */
static void
write_cloud(struct str *text, unsigned int n_hosts)
{
    str_add(text, "version: 1\nhosts:\n");
    for (unsigned int i = 0; i < n_hosts; i++) {
        str_addf(text, "  h%u: {tunnel: 192.0.%u.%u}\n", i, i / 250,
                 i % 250 + 1);
    }
    str_add(text, "networks:\n");
    for (unsigned int i = 0; i < n_hosts; i++) {
        str_addf(text, "  n%u: {subnet: 10.0.0.0/16, segment: {vxlan: %u}}\n",
                 i, i + 1);
    }
    str_add(text, "ports:\n");
    for (unsigned int i = 0; i < n_hosts * SPAN * PER_NETWORK; i++) {
        unsigned int network = i / (SPAN * PER_NETWORK);
        unsigned int at = i / PER_NETWORK % SPAN;

        str_addf(text, "  p%u: {network: n%u, tap: t%u, host: h%u, "
                 "address: 10.0.1.%u}\n", i, network, i,
                 (network + at) % n_hosts, i % (SPAN * PER_NETWORK) + 1);
    }
}

static unsigned int
flows_of_a_host(unsigned int n_hosts)
{
    struct str text = STR_INIT;
    struct host host;
    unsigned int n;

    write_cloud(&text, n_hosts);
    host_init(&host, "h0");
    host_set(&host, str_text(&text));
    host_sync(&host);
    n = host.desired.flows.n;
    host_fini(&host);
    str_fini(&text);
    return n;
}

TEST(a_host_pays_for_what_it_talks_to)
{
    unsigned int few = flows_of_a_host(50), many = flows_of_a_host(500);

    /* One entry for each host that is let in, and nothing else. */
    CHECK_MSG(many == few + 450, "%u and %u flows", few, many);
    CHECK_MSG(few < 6000, "%u flows", few);
}

/* ---- Changes ---- */

#define HEAD "version: 1\nhosts:\n  h0: {tunnel: 192.0.2.1}\n"               \
             "  h1: {tunnel: 192.0.2.2}\n  h2: {tunnel: 192.0.2.3}\n"

static const char *const clouds[] = {
    HEAD "networks:\n  a: {subnet: 10.1.0.0/24, segment: {vxlan: 1}}\n"
    "ports:\n  w: {network: a, tap: w, host: h0}\n"
    "  d: {network: a, tap: d, host: h1}\n",
    /* One moves, another comes, of which no address is known. */
    HEAD "networks:\n  a: {subnet: 10.1.0.0/24, segment: {vxlan: 1}}\n"
    "ports:\n  w: {network: a, tap: w, host: h0}\n"
    "  d: {network: a, tap: d, host: h2, address: 10.1.0.9}\n"
    "  e: {network: a, tap: e, host: h1, isolated: true, "
    "allow: [10.7.0.0/16]}\n",
    /* Nobody here is in it any more, but a router. */
    HEAD "networks:\n  a: {subnet: 10.1.0.0/24, segment: {vxlan: 1}}\n"
    "  b: {subnet: 10.2.0.0/24, segment: {vxlan: 2}}\n"
    "routers:\n  r: {networks: [a, b]}\n"
    "ports:\n  w: {network: b, tap: w, host: h0}\n"
    "  d: {network: a, tap: d, host: h2, address: 10.1.0.9}\n",
    /* Nor that. */
    HEAD "networks:\n  a: {subnet: 10.1.0.0/24, segment: {vxlan: 1}}\n"
    "ports:\n  d: {network: a, tap: d, host: h2, address: 10.1.0.9}\n",
    /* Others are on it; security groups; another end. */
    "version: 1\nhosts:\n  h0: {tunnel: 192.0.2.1}\n"
    "  h2: {tunnel: 192.0.2.7}\n"
    "networks:\n  a: {subnet: 10.1.0.0/24, segment: {vxlan: 3, remotes: "
    "[192.0.2.9]}}\n"
    "security-groups:\n  g: {in: [{protocol: tcp, from: g}]}\n"
    "ports:\n  w: {network: a, tap: w, host: h0, security-groups: [g]}\n"
    "  d: {network: a, tap: d, host: h2, address: 10.1.0.9, "
    "security-groups: [g]}\n",
    /* Who leaves by an uplink does not get to tunnels of these, and of those. */
    HEAD "uplinks:\n  wan: {host: true}\n"
    "networks:\n  a: {subnet: 10.1.0.0/24, nat: wan}\n"
    "ports:\n  w: {network: a, tap: w, host: h0}\n",
    "version: 1\nhosts:\n  h0: {tunnel: 192.0.2.1}\n"
    "  h2: {tunnel: 192.0.2.7}\n  h3: {tunnel: 192.0.2.8}\n"
    "uplinks:\n  wan: {host: true}\n"
    "networks:\n  a: {subnet: 10.1.0.0/24, nat: wan}\n"
    "ports:\n  w: {network: a, tap: w, host: h0}\n",
    /* Guests of a LAN are no ends of these, and of those. */
    HEAD "uplinks:\n  lan: {device: eth1}\n"
    "networks:\n  a: {segment: {vlan: 0, uplink: lan}}\n"
    "ports:\n  w: {network: a, tap: w, host: h0}\n",
    "version: 1\nhosts:\n  h0: {tunnel: 192.0.2.1}\n"
    "  h3: {tunnel: 192.0.2.8}\n"
    "uplinks:\n  lan: {device: eth1}\n"
    "networks:\n  a: {segment: {vlan: 0, uplink: lan}}\n"
    "ports:\n  w: {network: a, tap: w, host: h0}\n",
    "version: 1\n",
};

static void
check_like_new(const struct host *host, const char *text)
{
    struct unit_set units = { 0, 0, NULL, 0, NULL };
    struct desired whole;
    struct flow_rule *rule;

    topology_units(host->topology, &units);
    desired_init(&whole);
    desired_update(&whole, host->topology, &units, NULL);
    CHECK_MSG(whole.flows.n == host->desired.flows.n, "%u flows, not %u:\n%s",
              host->desired.flows.n, whole.flows.n, text);
    FLOW_SET_FOR_EACH (rule, &whole.flows) {
        struct flow_rule *other = flow_set_find(&host->desired.flows, rule);
        struct str said = STR_INIT;

        flow_rule_format(rule, &said);
        CHECK_MSG(other && flow_rule_same_effect(rule, other), "%s\n%s",
                  str_text(&said), text);
        str_fini(&said);
    }
    desired_fini(&whole);
    unit_set_fini(&units);
}

TEST(a_change_comes_to_what_the_whole_would_be)
{
    for (size_t i = 0; i < ARRAY_SIZE(clouds); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(clouds); k++) {
            struct host host;

            host_init(&host, "h0");
            host_set(&host, clouds[i]);
            host_sync(&host);
            host_set(&host, clouds[k]);
            host_sync(&host);
            check_like_new(&host, clouds[k]);
            /* The tunnel goes, and comes again. */
            topology_set_switch_port(host.topology, "vxlan", 0, false,
                                     &host.dirty);
            host_sync(&host);
            check_like_new(&host, clouds[k]);
            topology_set_switch_port(host.topology, "vxlan", 7000, true,
                                     &host.dirty);
            host_sync(&host);
            check_like_new(&host, clouds[k]);
            host_fini(&host);
        }
    }
}

TESTS(
    RUN(a_host_pays_for_what_it_talks_to),
    RUN(a_change_comes_to_what_the_whole_would_be),
)
