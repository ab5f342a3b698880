/* Isolation across hosts: who hears whom is what the file says, wherever they
 * are.
 *
 * Random files of one to three hosts and overlays of every kind.  Each host has a
 * topology and a switch in memory; what leaves one by a tunnel arrives at the
 * host whose end it is for.  Who hears a frame is judged from the intents alone.
 * In half of the runs one flow is missing at each host: who hears then may only
 * be fewer. */
#include <inttypes.h>
#include <stdlib.h>

#include "controller/desired.h"
#include "controller/random_intents.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "packet/address.h"
#include "packet/eth.h"
#include "port/ring.h"
#include "switch/random_tunnels.h"
#include "switch/switch.h"
#include "unit.h"

enum { N_HOSTS = 3, N_PORTS = 8, N_NETWORKS = 4, N_TUNNELS = 3,
       FIRST_TUNNEL = 100, N_RUNS = 48, N_FRAMES = 120, MAX_HOPS = 64,
       FRAME_LEN = 60, TEST_TYPE = 0x88b5 };

static const struct eth_addr everybody = { { 255, 255, 255, 255, 255, 255 } };
static const char *const tunnels[N_TUNNELS] = { "vxlan", "gre", "geneve" };

struct host {
    struct ip6_addr end;
    struct switch_ *sw;
    struct ipam *ipam;
    struct topology *topology;
};

struct rig {
    struct rng rng;
    bool is_broken;
    unsigned int n_hosts;
    struct host hosts[N_HOSTS];
    struct packet_pool *pool;
    struct intent *intent;
    msec now;
    unsigned int heard;           /* bit i: port p<i> got a frame */
    unsigned int n_hops;          /* frames between hosts, of this one */
    uint64_t n_crossed;
};

/* ---- The file ---- */

static void
write_file(struct rig *rig, struct str *text)
{
    struct rng *rng = &rig->rng;
    bool is_ip6 = rng_one_in(rng, 2);

    str_add(text, "version: 1\nhosts:\n");
    for (unsigned int i = 0; i < rig->n_hosts; i++) {
        str_addf(text, "  h%u: {tunnel: \"%s%u\"}\n", i,
                 is_ip6 ? "2001:db8::" : "192.0.2.", i + 1);
    }
    str_add(text, "networks:\n");
    for (unsigned int i = 0; i < N_NETWORKS; i++) {
        /* Some have the key of another one, of another kind. */
        str_addf(text, "  n%u: {subnet: 10.%u.0.0/24, segment: {%s: %u}}\n",
                 i, i, tunnels[i % N_TUNNELS], 77 + i / N_TUNNELS);
    }
    str_add(text, "ports:\n");
    for (unsigned int i = 0; i < N_PORTS; i++) {
        str_addf(text, "  p%u: {tap: p%u, network: n%u, host: h%u%s%s}\n", i,
                 i, rng_below(rng, N_NETWORKS), rng_below(rng, rig->n_hosts),
                 rng_one_in(rng, 4) ? ", isolated: true" : "",
                 rng_one_in(rng, 6) ? ", anti-spoof: false" : "");
    }
}

static const struct intent_port *
port_of(const struct rig *rig, unsigned int i)
{
    char name[8];

    snprintf(name, sizeof name, "p%u", i);
    return intent_port_cast(intent_find(rig->intent, INTENT_PORT, name));
}

static unsigned int
host_of(const struct intent_port *port)
{
    return (unsigned int) (port->host[1] - '0');
}

/* ---- Hosts ---- */

static void
add_port(struct host *host, const char *name, uint32_t number)
{
    struct port_config config = { .type = "ring" };
    struct unit_set units = { 0, 0, NULL, 0, NULL };
    struct switch_port *added;

    snprintf(config.name, sizeof config.name, "%s", name);
    CHECK(!switch_add_port(host->sw, &config, number, &added, NULL));
    if (number >= FIRST_TUNNEL) {
        added->port->class = &random_tunnel_class;
    }
    /* Tells the data path what kind it is. */
    switch_set_port_flags(host->sw, added, false, false, false, false, false,
                          false, false);
    topology_set_switch_port(host->topology, name, number, true, &units);
    unit_set_fini(&units);
}

static void
install(struct rig *rig, struct host *host, const struct desired *desired)
{
    unsigned int missing = rig->is_broken
                           ? rng_below(&rig->rng, desired->flows.n)
                           : UINT32_MAX;
    struct str why = STR_INIT;
    struct flow_rule *rule;
    struct port_meter *meter;
    unsigned int i = 0;

    ID_MAP_FOR_EACH (meter, &desired->meters) {
        struct meter_mod mod;

        port_meter_to_mod(meter, METER_MOD_ADD, &mod);
        CHECK(!switch_meter_mod(host->sw, &mod, rig->now, &why));
    }
    FLOW_SET_FOR_EACH (rule, &desired->flows) {
        struct flow_mod mod;

        flow_rule_to_mod(rule, &mod);
        if (i++ != missing) {
            CHECK_MSG(!switch_flow_mod(host->sw, &mod, rig->now, &why), "%s",
                      str_text(&why));
        }
    }
    str_fini(&why);
    switch_barrier(host->sw);
}

static void
host_init(struct rig *rig, unsigned int n)
{
    struct switch_config config = {
        .name = "br0", .fail_mode = FAIL_SECURE,
        .datapath = { .inline_only = true },
    };
    struct host *host = &rig->hosts[n];
    char name[16];
    struct topology_config topology = { .host = name };
    struct unit_set units = { 0, 0, NULL, 0, NULL };
    struct desired desired;

    snprintf(name, sizeof name, "h%u", n);
    host->end = intent_host_cast(intent_find(rig->intent, INTENT_HOST,
                                             name))->tunnel;
    host->sw = switch_create(&config, rig->now);
    host->ipam = topology.ipam = ipam_create(NULL);
    host->topology = topology_create(&topology);
    topology_set_intent(host->topology, rig->intent, &units);
    for (unsigned int i = 0; i < N_TUNNELS; i++) {
        add_port(host, tunnels[i], FIRST_TUNNEL + i);
    }
    for (unsigned int i = 0; i < N_PORTS; i++) {
        if (host_of(port_of(rig, i)) == n) {
            add_port(host, port_of(rig, i)->switch_name, i + 1);
        }
    }
    unit_set_clear(&units);
    topology_units(host->topology, &units);
    desired_init(&desired);
    desired_update(&desired, host->topology, &units, NULL);
    install(rig, host, &desired);
    desired_fini(&desired);
    unit_set_fini(&units);
}

static void
rig_init(struct rig *rig, unsigned int seed)
{
    struct str text = STR_INIT;

    memset(rig, 0, sizeof *rig);
    rig->rng.state = seed;
    rig->is_broken = seed % 2;
    rig->n_hosts = 1 + seed / 2 % N_HOSTS;
    rig->now = clock_msec();
    rig->pool = packet_pool_create(256, 0);
    write_file(rig, &text);
    rig->intent = intent_of_text(str_text(&text));
    str_fini(&text);
    for (unsigned int i = 0; i < rig->n_hosts; i++) {
        host_init(rig, i);
    }
}

static void
rig_fini(struct rig *rig)
{
    for (unsigned int i = 0; i < rig->n_hosts; i++) {
        topology_destroy(rig->hosts[i].topology);
        ipam_destroy(rig->hosts[i].ipam);
        switch_destroy(rig->hosts[i].sw);
    }
    intent_unref(rig->intent);
    CHECK(packet_pool_in_use(rig->pool) == 0);
    packet_pool_destroy(rig->pool);
}

/* ---- Frames ---- */

static void deliver(struct rig *, unsigned int host, uint32_t number,
                    const uint8_t *, const struct tunnel_key *);

/* A frame on the underlay, to whose end it is for, from the host's own. */
static void
carry(struct rig *rig, unsigned int from, uint32_t number,
      const struct packet *pkt)
{
    struct tunnel_key tun = {
        .family = ip6_is_mapped4(&pkt->tun.dst) ? 4 : 6,
        .flags = htobe16(TUNNEL_F_KEY), .id = pkt->tun.id,
        .src = rig->hosts[from].end, .dst = pkt->tun.dst,
    };

    CHECK_MSG(++rig->n_hops < MAX_HOPS, "a frame goes round");
    rig->n_crossed++;
    for (unsigned int i = 0; i < rig->n_hosts; i++) {
        if (ip6_addr_eq(rig->hosts[i].end, tun.dst)) {
            CHECK_MSG(i != from, "a host sends to itself");
            deliver(rig, i, number, pkt->data, &tun);
            return;
        }
    }
    fail_msg("a frame goes to nobody's end");
}

static void
collect(struct rig *rig, unsigned int host, uint32_t number)
{
    struct switch_port *port = switch_port_by_number(rig->hosts[host].sw,
                                                     number);
    struct batch batch = { .n = 0 };

    if (!port) {
        return;
    }
    ring_pop(port->port, &batch);
    for (unsigned int i = 0; i < batch.n; i++) {
        if (number >= FIRST_TUNNEL) {
            carry(rig, host, number, batch.pkts[i]);
        } else {
            CHECK_MSG(!(rig->heard & 1u << (number - 1)),
                      "port %u hears it twice", number - 1);
            rig->heard |= 1u << (number - 1);
        }
    }
    batch_free_all(&batch);
}

static void
deliver(struct rig *rig, unsigned int host, uint32_t number,
        const uint8_t *bytes, const struct tunnel_key *tun)
{
    struct switch_ *sw = rig->hosts[host].sw;
    struct packet *pkt = packet_alloc(rig->pool, FRAME_LEN);

    memcpy(pkt->data, bytes, FRAME_LEN);
    pkt->len = FRAME_LEN;
    if (tun) {
        random_tunnel_arrive(pkt, tun);
    }
    CHECK(ring_push(switch_port_by_number(sw, number)->port, &pkt, 1) == 1);
    while (datapath_poll_once(switch_datapath(sw))) {
    }
    switch_run(sw, rig->now);
    rcu_quiescent();
    for (uint32_t n = 1; n <= N_PORTS; n++) {
        collect(rig, host, n);
    }
    for (uint32_t i = 0; i < N_TUNNELS; i++) {
        collect(rig, host, FIRST_TUNNEL + i);
    }
}

static void
write_frame(uint8_t *frame, struct eth_addr dst, struct eth_addr src)
{
    memset(frame, 0, FRAME_LEN);
    memcpy(frame, dst.b, 6);
    memcpy(frame + 6, src.b, 6);
    put_be16(frame + 12, htobe16(TEST_TYPE));
}

/* ---- What the file says ---- */

static bool
may_hear(const struct intent_port *from, const struct intent_port *to)
{
    return from != to && from->network == to->network
           && !(from->is_isolated && to->is_isolated);
}

/* The ports that hear what `from` sends to this address. */
static unsigned int
hearers(const struct rig *rig, const struct intent_port *from,
        struct eth_addr dst)
{
    unsigned int all = 0, known = 0, unknown = 0;
    bool is_known = false;

    for (unsigned int i = 0; i < N_PORTS; i++) {
        const struct intent_port *port = port_of(rig, i);

        if (port->network == from->network
            && eth_addr_eq(port->mac, dst)) {
            is_known = true;
        }
        if (may_hear(from, port)) {
            all |= 1u << i;
            known |= (unsigned int) eth_addr_eq(port->mac, dst) << i;
            unknown |= (unsigned int) port->is_spoof_ok << i;
        }
    }
    return eth_addr_is_group(dst) ? all : is_known ? known : unknown;
}

/* Who may say anything is still heard in its own network only.  Other hosts know
 * an isolated port by its MAC, and do not know one that has another. */
static unsigned int
forgers_hearers(const struct rig *rig, const struct intent_port *from)
{
    unsigned int all = hearers(rig, from, everybody);

    for (unsigned int i = 0; i < N_PORTS; i++) {
        const struct intent_port *port = port_of(rig, i);

        if (port->network == from->network
            && host_of(port) != host_of(from)) {
            all |= 1u << i;
        }
    }
    return all;
}

static void
judge(const struct rig *rig, unsigned int expected, const char *what,
      unsigned int run)
{
    CHECK_MSG(!(rig->heard & ~expected), "run %u, %s: heard by %#x, not only "
              "%#x", run, what, rig->heard, expected);
    CHECK_MSG(rig->is_broken || rig->heard == expected, "run %u, %s: heard by "
              "%#x, not %#x", run, what, rig->heard, expected);
}

static struct eth_addr
some_destination(struct rig *rig)
{
    switch (rng_below(&rig->rng, 4)) {
    case 0: return everybody;
    case 1: return (struct eth_addr) { { 2, 0, 0, 0, 7, 7 } };
    default:
        return port_of(rig, rng_below(&rig->rng, N_PORTS))->mac;
    }
}

static void
from_a_guest(struct rig *rig, unsigned int run)
{
    unsigned int n = rng_below(&rig->rng, N_PORTS);
    const struct intent_port *from = port_of(rig, n);
    struct eth_addr dst = some_destination(rig), src = from->mac;
    bool is_forged = rng_one_in(&rig->rng, 4);
    uint8_t frame[FRAME_LEN];
    char what[80];

    if (is_forged) {
        src = port_of(rig, (n + 1) % N_PORTS)->mac;
    }
    write_frame(frame, dst, src);
    snprintf(what, sizeof what, "port %u to %02x:..:%02x%s", n, dst.b[0],
             dst.b[5], is_forged ? ", forged" : "");
    rig->heard = rig->n_hops = 0;
    deliver(rig, host_of(from), n + 1, frame, NULL);
    if (is_forged && from->is_spoof_ok) {
        CHECK_MSG(!(rig->heard & ~forgers_hearers(rig, from)), "run %u, %s: "
                  "heard by %#x", run, what, rig->heard);
        return;
    }
    judge(rig, is_forged ? 0 : hearers(rig, from, dst), what, run);
}

/* From where no host is, or with a key that no network has, or with that of a
 * network of another kind. */
static void
from_a_stranger(struct rig *rig, unsigned int run)
{
    unsigned int host = rng_below(&rig->rng, rig->n_hosts);
    unsigned int tunnel = rng_below(&rig->rng, N_TUNNELS);
    bool is_host = rng_one_in(&rig->rng, 2);
    struct ip6_addr end = rig->hosts[host].end;
    struct tunnel_key tun = {
        .family = ip6_is_mapped4(&end) ? 4 : 6,
        .flags = htobe16(TUNNEL_F_KEY), .src = end, .dst = end,
        .id = htobe64(is_host ? 4000 : 77),
    };
    uint8_t frame[FRAME_LEN];

    tun.src.b[15] = 200;
    if (is_host) {
        if (rig->n_hosts == 1) {
            return;
        }
        tun.src = rig->hosts[(host + 1) % rig->n_hosts].end;
    }
    write_frame(frame, some_destination(rig),
                port_of(rig, rng_below(&rig->rng, N_PORTS))->mac);
    rig->heard = rig->n_hops = 0;
    deliver(rig, host, FIRST_TUNNEL + tunnel, frame, &tun);
    judge(rig, 0, is_host ? "an unknown key" : "an unknown end", run);
    CHECK(!rig->n_hops);
}

TEST(who_hears_whom_is_what_the_file_says)
{
    uint64_t n_crossed = 0;

    for (unsigned int run = 0; run < N_RUNS; run++) {
        struct rig rig;

        rig_init(&rig, run);
        for (unsigned int i = 0; i < N_FRAMES; i++) {
            if (rng_one_in(&rig.rng, 5)) {
                from_a_stranger(&rig, run);
            } else {
                from_a_guest(&rig, run);
            }
        }
        n_crossed += rig.n_crossed;
        rig_fini(&rig);
    }
    CHECK_MSG(n_crossed > 400, "%" PRIu64 " frames between hosts", n_crossed);
}

TESTS(
    RUN(who_hears_whom_is_what_the_file_says),
)
