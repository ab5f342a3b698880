/* Quiet: how many of the frames that guests send to everybody leave the host.
 *
 * A cloud of 500 hosts with 22,500 ports; the flows of one host go into a real
 * switch in memory, and each of its guests asks for everybody.  The measure is
 * flood-and-learn with head-end replication, where each of these frames leaves
 * once for each other host of its network. */
#include <stdlib.h>
#include <string.h>

#include "controller/desired.h"
#include "controller/random_intents.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "packet/address.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "port/ring.h"
#include "switch/switch.h"
#include "unit.h"

/* As many networks as hosts, each at five hosts next to each other, with nine
 * ports at each. */
enum { N_HOSTS = 500, SPAN = 5, PER_HOST = 9, PER_NETWORK = SPAN * PER_HOST,
       N_HERE = SPAN * PER_HOST, TUNNEL = 1000 };

/* Addresses: that of a network's port, and one that nobody has. */
#define GATEWAY UINT32_C(0x0a000001)
#define MEMBER UINT32_C(0x0a000101)
#define NOBODY UINT32_C(0x0a00c801)

struct rig {
    struct switch_ *sw;
    struct packet_pool *pool;
    struct ipam *ipam;
    struct topology *topology;
    struct unit_set dirty;
    msec now;
    unsigned int n_here;
    const struct topology_member *here[N_HERE];
    unsigned int n_sent;          /* copies, if all were flooded */
    unsigned int n_left;          /* frames that did leave */
    unsigned int n_back;          /* answers, to who had asked */
};

/* Of the last port in each network no address is known to others. */
static void
write_cloud(struct str *text)
{
    str_add(text, "version: 1\nhosts:\n");
    for (unsigned int i = 0; i < N_HOSTS; i++) {
        str_addf(text, "  h%u: {tunnel: 192.0.%u.%u}\n", i, i / 250,
                 i % 250 + 1);
    }
    str_add(text, "networks:\n");
    for (unsigned int i = 0; i < N_HOSTS; i++) {
        str_addf(text, "  n%u: {subnet: 10.0.0.0/16, segment: {vxlan: %u}}\n",
                 i, i + 1);
    }
    str_add(text, "ports:\n");
    for (unsigned int i = 0; i < N_HOSTS * PER_NETWORK; i++) {
        unsigned int network = i / PER_NETWORK, nth = i % PER_NETWORK;

        str_addf(text, "  p%u: {network: n%u, tap: t%u, host: h%u", i,
                 network, i, (network + nth / PER_HOST) % N_HOSTS);
        if (nth < PER_NETWORK - 1) {
            str_addf(text, ", address: 10.0.1.%u", nth + 1);
        }
        str_add(text, "}\n");
    }
}

static void
add_port(struct rig *rig, const char *name, uint32_t number)
{
    struct port_config config = { .type = "ring" };
    struct switch_port *added;

    snprintf(config.name, sizeof config.name, "%s", name);
    CHECK(!switch_add_port(rig->sw, &config, number, &added, NULL));
    topology_set_switch_port(rig->topology, name, number, true, &rig->dirty);
}

static void
add_ports(struct rig *rig)
{
    uint32_t number = 0;

    add_port(rig, "vxlan", TUNNEL);
    INTENT_FOR_EACH_PORT (port, topology_intent(rig->topology)) {
        if (!strcmp(port->host, "h0")) {
            add_port(rig, port->switch_name, ++number);
        }
    }
    CHECK(number == N_HERE);
    INTENT_FOR_EACH_PORT (port, topology_intent(rig->topology)) {
        if (!strcmp(port->host, "h0")) {
            rig->here[rig->n_here++]
                = &topology_port(rig->topology, port->object.id)->members[0];
        }
    }
}

static void
install(struct rig *rig)
{
    struct desired desired;
    struct unit_set units = { 0, 0, NULL, 0, NULL };
    struct flow_rule *rule;
    struct port_meter *meter;
    struct str why = STR_INIT;

    topology_units(rig->topology, &units);
    desired_init(&desired);
    desired_update(&desired, rig->topology, &units, NULL);
    ID_MAP_FOR_EACH (meter, &desired.meters) {
        struct meter_mod mod;

        port_meter_to_mod(meter, METER_MOD_ADD, &mod);
        CHECK(!switch_meter_mod(rig->sw, &mod, rig->now, &why));
    }
    FLOW_SET_FOR_EACH (rule, &desired.flows) {
        struct flow_mod mod;

        flow_rule_to_mod(rule, &mod);
        CHECK_MSG(!switch_flow_mod(rig->sw, &mod, rig->now, &why), "%s",
                  str_text(&why));
    }
    switch_barrier(rig->sw);
    str_fini(&why);
    desired_fini(&desired);
    unit_set_fini(&units);
}

static void
rig_init(struct rig *rig)
{
    struct switch_config config = {
        .name = "br0", .fail_mode = FAIL_SECURE,
        .datapath = { .inline_only = true },
    };
    struct topology_config topology = { .host = "h0" };
    struct str text = STR_INIT;
    struct intent *intent;

    memset(rig, 0, sizeof *rig);
    rig->now = clock_msec();
    rig->pool = packet_pool_create(256, 0);
    rig->sw = switch_create(&config, rig->now);
    rig->ipam = topology.ipam = ipam_create(NULL);
    rig->topology = topology_create(&topology);
    write_cloud(&text);
    intent = intent_of_text(str_text(&text));
    topology_set_intent(rig->topology, intent, &rig->dirty);
    intent_unref(intent);
    str_fini(&text);
    add_ports(rig);
    install(rig);
}

static void
rig_fini(struct rig *rig)
{
    unit_set_fini(&rig->dirty);
    topology_destroy(rig->topology);
    ipam_destroy(rig->ipam);
    switch_destroy(rig->sw);
    CHECK(packet_pool_in_use(rig->pool) == 0);
    packet_pool_destroy(rig->pool);
}

static unsigned int
pop(struct rig *rig, uint32_t number)
{
    struct batch batch = { .n = 0 };
    unsigned int n;

    ring_pop(switch_port_by_number(rig->sw, number)->port, &batch);
    n = batch.n;
    batch_free_all(&batch);
    return n;
}

static void
ask(struct rig *rig, const struct topology_member *from, uint32_t target)
{
    const struct topology_port *port = from->port;
    be32 tpa = htobe32(target);
    struct packet *pkt = packet_alloc(rig->pool, 60);
    uint8_t *p = pkt->data;

    memset(p, 0, 60);
    memset(p, 0xff, 6);
    memcpy(p + 6, port->intent->mac.b, 6);
    memcpy(p + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(p + 22, port->intent->mac.b, 6);
    memcpy(p + 28, &from->address, 4);
    memcpy(p + 38, &tpa, 4);
    pkt->len = 60;
    CHECK(ring_push(switch_port_by_number(rig->sw, port->number)->port, &pkt,
                    1) == 1);
    while (datapath_poll_once(switch_datapath(rig->sw))) {
    }
    switch_run(rig->sw, rig->now);
    rcu_quiescent();
    rig->n_sent += from->network->n_hosts;
    rig->n_left += pop(rig, TUNNEL);
    rig->n_back += pop(rig, port->number);
    for (unsigned int i = 0; i < N_HERE; i++) {
        pop(rig, rig->here[i]->port->number);
    }
}

TEST(a_question_that_the_plan_answers_stays_at_its_host)
{
    struct rig *rig = malloc(sizeof *rig);

    rig_init(rig);
    for (unsigned int i = 0; i < N_HERE; i++) {
        const struct topology_member *from = rig->here[i];

        CHECK(from->network->n_hosts == SPAN - 1);
        for (unsigned int k = 0; k < PER_NETWORK - 1; k++) {
            unsigned int n_left = rig->n_left, n_back = rig->n_back;

            if (htobe32(MEMBER + k) == from->address) {
                continue;
            }
            ask(rig, from, MEMBER + k);
            CHECK_MSG(rig->n_left == n_left && rig->n_back == n_back + 1,
                      "port %u for %u: %u left, %u answers", i, k,
                      rig->n_left - n_left, rig->n_back - n_back);
        }
        ask(rig, from, GATEWAY);
        ask(rig, from, be32toh(from->address));
        ask(rig, from, NOBODY);
    }
    rig_fini(rig);
    CHECK_MSG(rig->n_left > 0 && rig->n_left * 100 < rig->n_sent,
              "%u of %u frames left", rig->n_left, rig->n_sent);
    free(rig);
}

TESTS(
    RUN(a_question_that_the_plan_answers_stays_at_its_host),
)
