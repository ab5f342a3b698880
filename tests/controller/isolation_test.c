/* Isolation: no frame reaches a port that the intents do not allow.
 *
 * Random intents become flows, the flows go into a real switch in memory, and
 * random frames come in by its ports: rightful ones, forged ones, with any tag.
 * Who may hear a frame is judged from the intents alone (isolation_model.h),
 * never from flows.  In half of the runs one flow is missing: whatever one it
 * is, what is forbidden stays so.
 *
 * And what the intents promise arrives: a frame between two ports of a network
 * comes out by exactly that port, with its tag. */
#include "controller/isolation_frames.h"
#include "controller/isolation_model.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "unit.h"

TEST(no_frame_reaches_a_port_that_the_intents_do_not_allow)
{
    unsigned int n_left = 0, n_led = 0;

    for (unsigned int run = 1; run <= N_RUNS; run++) {
        struct rig rig;

        rig_init(&rig, run);
        for (unsigned int i = 0; i < N_FRAMES; i++) {
            send_some_frame(&rig, run, i);
        }
        n_left += rig.n_left;
        n_led += rig.n_led;
        rig_fini(&rig);
    }
    CHECK_MSG(n_left > 100 && n_led > 100, "%u left, %u came in", n_left,
              n_led);
}

/* ---- What is promised ---- */

static bool
has_got(const struct rig *rig, uint32_t port)
{
    for (unsigned int i = 0; i < rig->n_got; i++) {
        if (rig->got[i].port == port) {
            return true;
        }
    }
    return false;
}

static int
tag_of(const struct intent_port *port, const struct intent_network *network)
{
    for (unsigned int i = 0; i < port->n_trunk; i++) {
        if (port->trunk[i].network == network) {
            return port->trunk[i].vid;
        }
    }
    return -1;
}

static void
check_pair(struct rig *rig, uint32_t a, uint32_t b, unsigned int run)
{
    const struct intent_port *from = rig_port(rig, a), *to = rig_port(rig, b);
    uint8_t frame[64] = { 0 };
    unsigned int at = 12;
    int tag;

    if (!from || !to || a == b) {
        return;
    }
    INTENT_FOR_EACH_NETWORK (network, rig->intent) {
        if (!model_is_member(from, network) || !model_is_member(to, network)) {
            continue;
        }
        tag = tag_of(from, network);
        memcpy(frame, to->mac.b, 6);
        memcpy(frame + 6, from->mac.b, 6);
        at = 12;
        if (tag >= 0) {
            put_be16(&frame[at], htobe16(ETH_TYPE_VLAN));
            put_be16(&frame[at + 2], htobe16((uint16_t) tag));
            at += 4;
        }
        put_be16(&frame[at], htobe16(0x88b5));
        rig_send(rig, a, frame, sizeof frame);
        CHECK_MSG(has_got(rig, b) || !model_may_hear(from, to, network),
                  "run %u: port %u does not reach %u", run, a, b);
    }
}

TEST(ports_of_a_network_reach_each_other)
{
    for (unsigned int run = 2; run <= N_RUNS; run += 2) {
        struct rig rig;

        rig_init(&rig, run);
        for (uint32_t a = 1; a <= N_PORTS; a++) {
            for (uint32_t b = 1; b <= N_PORTS; b++) {
                check_pair(&rig, a, b, run);
            }
        }
        rig_fini(&rig);
    }
}

/* ---- What routers promise ---- */

static const struct topology_member *
member_in(const struct rig *rig, uint32_t number,
          const struct intent_network *network)
{
    return topology_member(rig->topology, network->object.id, number);
}

/* Does another port speak for that address, too? */
static bool
is_ambiguous(const struct rig *rig, be32 address)
{
    INTENT_FOR_EACH_PORT (port, rig->intent) {
        for (unsigned int i = 0; i < port->n_allow; i++) {
            if (port->allow[i].subnet.is_set
                && ip4_is_within(address, port->allow[i].subnet.addr,
                                 port->allow[i].subnet.len)) {
                return true;
            }
        }
    }
    return false;
}

/* From a port of `n` by its gateway to a port of `m`. */
static unsigned int
check_routed(struct rig *rig, uint32_t a, const struct intent_network *n,
             uint32_t b, const struct intent_network *m, unsigned int run)
{
    const struct topology_member *from = member_in(rig, a, n);
    const struct topology_member *to = member_in(rig, b, m);
    struct ip4_header ip = { .ver_ihl = 0x45, .total_len = htobe16(28),
                             .ttl = 2, .proto = IP_PROTO_UDP };
    uint8_t frame[64] = { 0 };
    unsigned int at = 12;

    if (!from || !to || !from->address || !to->address
        || is_ambiguous(rig, to->address)
        || (n == m && from->port->intent->is_isolated
            && to->port->intent->is_isolated)) {
        return 0;
    }
    memcpy(frame, n->gateway_mac.b, 6);
    memcpy(frame + 6, from->port->intent->mac.b, 6);
    if (from->vid) {
        put_be16(&frame[at], htobe16(ETH_TYPE_VLAN));
        put_be16(&frame[at + 2], htobe16(from->vid));
        at += 4;
    }
    put_be16(&frame[at], htobe16(ETH_TYPE_IP));
    memcpy(ip.src, &from->address, 4);
    memcpy(ip.dst, &to->address, 4);
    memcpy(&frame[at + 2], &ip, sizeof ip);
    put_be16(&frame[at + 2 + 24], htobe16(8));
    rig_send(rig, a, frame, sizeof frame);
    CHECK_MSG(has_got(rig, b), "run %u: port %u does not reach %u by way of "
              "%s", run, a, b, n->object.name);
    return 1;
}

TEST(networks_that_a_router_joins_reach_each_other)
{
    unsigned int n_checked = 0;

    for (unsigned int run = 2; run <= N_RUNS; run += 2) {
        struct rig rig;

        rig_init(&rig, run);
        INTENT_FOR_EACH_ROUTER (router, rig.intent) {
            for (unsigned int i = 0; i < router->n_networks
                                               * router->n_networks; i++) {
                for (uint32_t a = 0; a < N_PORTS * N_PORTS; a++) {
                    n_checked += check_routed(
                        &rig, 1 + a / N_PORTS,
                        router->networks[i / router->n_networks].network,
                        1 + a % N_PORTS,
                        router->networks[i % router->n_networks].network,
                        run);
                }
            }
        }
        rig_fini(&rig);
    }
    CHECK(n_checked > 200);
}

TESTS(
    RUN(networks_that_a_router_joins_reach_each_other),
    RUN(no_frame_reaches_a_port_that_the_intents_do_not_allow),
    RUN(ports_of_a_network_reach_each_other),
)
