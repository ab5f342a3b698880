#include "controller/isolation_rig.h"

#include "controller/desired.h"
#include "controller/random_intents.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "packet/eth.h"
#include "port/ring.h"
#include "unit.h"

static void
add_port(struct rig *rig, const char *name, uint32_t number)
{
    struct port_config config = { .type = "ring" };
    struct switch_port *added;

    snprintf(config.name, sizeof config.name, "%s", name);
    CHECK(!switch_add_port(rig->sw, &config, number, &added, NULL));
}

static void
port_name(uint32_t number, char name[16])
{
    if (number >= UPLINK) {
        static const char *const names[] = { "lan0", "weft-wan", "out0" };

        snprintf(name, 16, "%s", names[number - UPLINK]);
    } else {
        snprintf(name, 16, "p%u", number - 1);
    }
}

static void
install(struct rig *rig, const struct desired *desired)
{
    struct flow_rule *rule;
    struct port_meter *meter;
    unsigned int missing = rig->is_broken
                           ? rng_below(&rig->rng, desired->flows.n)
                           : UINT32_MAX;
    unsigned int i = 0;
    struct str why = STR_INIT;

    ID_MAP_FOR_EACH (meter, &desired->meters) {
        struct meter_mod mod;

        port_meter_to_mod(meter, METER_MOD_ADD, &mod);
        CHECK(!switch_meter_mod(rig->sw, &mod, rig->now, &why));
    }
    FLOW_SET_FOR_EACH (rule, &desired->flows) {
        struct flow_mod mod;

        flow_rule_to_mod(rule, &mod);
        if (i++ != missing) {
            CHECK_MSG(!switch_flow_mod(rig->sw, &mod, rig->now, &why), "%s",
                      str_text(&why));
        }
    }
    str_fini(&why);
    switch_barrier(rig->sw);
}

void
rig_init(struct rig *rig, unsigned int seed)
{
    struct switch_config config = {
        .name = "br0", .fail_mode = FAIL_SECURE,
        .datapath = { .inline_only = true },
    };
    struct topology_config topology;
    struct unit_set units = { 0, 0, NULL, 0, NULL };
    struct random_intents intents;
    struct desired desired;

    memset(rig, 0, sizeof *rig);
    rig->rng.state = seed;
    rig->is_broken = seed % 2;
    rig->now = clock_msec();
    rig->pool = packet_pool_create(256, 0);
    rig->sw = switch_create(&config, rig->now);
    rig->ipam = ipam_create(NULL);
    topology = (struct topology_config) { .ipam = rig->ipam };
    rig->topology = topology_create(&topology);
    random_intents_init(&intents, &rig->rng, N_PORTS);
    rig->intent = random_intents_seal(&intents, rig->intent);
    topology_set_intent(rig->topology, rig->intent, &units);
    for (uint32_t n = 1; n <= N_ALL; n++) {
        char name[16];

        port_name(n, name);
        add_port(rig, name, n);
        topology_set_switch_port(rig->topology, name, n, true, &units);
        topology_set_switch_mac(rig->topology, name,
                                (struct eth_addr) { { 2, 9, 9, 9, 9,
                                                      (uint8_t) n } },
                                &units);
    }
    unit_set_clear(&units);
    topology_units(rig->topology, &units);
    desired_init(&desired);
    desired_update(&desired, rig->topology, &units, NULL);
    install(rig, &desired);
    desired_fini(&desired);
    unit_set_fini(&units);
}

void
rig_fini(struct rig *rig)
{
    topology_destroy(rig->topology);
    ipam_destroy(rig->ipam);
    intent_unref(rig->intent);
    switch_destroy(rig->sw);
    CHECK(packet_pool_in_use(rig->pool) == 0);
    packet_pool_destroy(rig->pool);
}

static void
read_frame(const uint8_t *p, uint32_t port, struct got *got)
{
    uint16_t type = be16toh(get_be16(p + 12));

    *got = (struct got) { .port = port };
    if (eth_type_is_vlan(type)) {
        got->tag = be16toh(get_be16(p + 14)) & VLAN_VID_MASK;
        got->tpid = type;
        p += VLAN_TAG_LEN;
        type = be16toh(get_be16(p + 12));
    }
    if (type == ETH_TYPE_IP) {
        got->ip_src = get_be32(p + 26);
        got->ip_proto = p[23];
        got->sport = get_be16(p + 34);
    } else if (type == ETH_TYPE_IPV6) {
        memcpy(got->ip6_src.b, p + 22, 16);
    }
}

static void
collect(struct rig *rig)
{
    rig->n_got = 0;
    for (uint32_t n = 1; n <= N_ALL; n++) {
        struct batch batch = { .n = 0 };

        ring_pop(switch_port_by_number(rig->sw, n)->port, &batch);
        for (unsigned int i = 0; i < batch.n; i++) {
            CHECK(rig->n_got < MAX_GOT);
            read_frame(batch.pkts[i]->data, n, &rig->got[rig->n_got++]);
        }
        batch_free_all(&batch);
    }
}

void
rig_send(struct rig *rig, uint32_t in_port, const uint8_t *bytes,
         uint32_t len)
{
    struct packet *pkt = packet_alloc(rig->pool, len);

    memcpy(pkt->data, bytes, len);
    pkt->len = len;
    CHECK(ring_push(switch_port_by_number(rig->sw, in_port)->port, &pkt, 1)
          == 1);
    while (datapath_poll_once(switch_datapath(rig->sw))) {
    }
    collect(rig);
    switch_run(rig->sw, rig->now);
    rcu_quiescent();
}

const struct intent_port *
rig_port(const struct rig *rig, uint32_t number)
{
    char name[16];

    port_name(number, name);
    return number >= UPLINK
           ? NULL
           : intent_port_cast(intent_find(rig->intent, INTENT_PORT, name));
}
