/* Isolation: no frame reaches a port that the intents do not allow.
 *
 * Random intents become flows, the flows go into a real switch in memory, and
 * random frames come in by its ports: rightful ones, forged ones, with any tag.
 * Who may hear a frame is judged from the intents alone (struct verdict below),
 * never from flows.  In half of the runs one flow is missing: whatever one it
 * is, what is forbidden stays so.
 *
 * And what the intents promise arrives: a frame between two ports of a network
 * comes out by exactly that port, with its tag. */
#include <stdlib.h>

#include "controller/desired.h"
#include "controller/random_intents.h"
#include "lib/clock.h"
#include "lib/rcu.h"
#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "port/ring.h"
#include "switch/switch.h"
#include "unit.h"

enum { N_PORTS = 10, UPLINK = N_PORTS + 1, WAN = N_PORTS + 2,
       OUT = N_PORTS + 3, N_ALL = OUT, N_RUNS = 40, N_FRAMES = 400,
       MAX_GOT = 64 };

/* A frame that left. */
struct got {
    uint32_t port;
    uint16_t tag;                 /* of 12 bits; 0: none */
    uint16_t tpid;
    be32 ip_src;                  /* 0: no IPv4 */
    struct ip6_addr ip6_src;      /* all zero: no IPv6 */
    uint8_t ip_proto;
    be16 sport;
};

/* Where a network's guest was seen outside: who sends there reaches the guest
 * (RFC 4787, endpoint-independent).  Which port it is, is drawn. */
struct mapping {
    const struct intent_network *network;
    be32 address;
    uint8_t ip_proto;
    be16 port;
};

enum { MAX_MAPPINGS = 2 * N_FRAMES };

struct rig {
    struct rng rng;
    struct switch_ *sw;
    struct packet_pool *pool;
    struct ipam *ipam;
    struct topology *topology;
    struct intent *intent;
    msec now;
    bool is_broken;               /* a flow is missing */
    unsigned int n_left, n_led;   /* frames that left by NAT, and came in */
    unsigned int n_got;
    struct got got[MAX_GOT];
    unsigned int n_mappings;
    struct mapping mappings[MAX_MAPPINGS];
};

/* ---- The switch ---- */

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

static void
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

static void
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

static void
send_bytes(struct rig *rig, uint32_t in_port, const uint8_t *bytes,
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

/* ---- What the intents say, and nothing else ---- */

static const struct intent_port *
port_of(const struct rig *rig, uint32_t number)
{
    char name[16];

    port_name(number, name);
    return number >= UPLINK
           ? NULL
           : intent_port_cast(intent_find(rig->intent, INTENT_PORT, name));
}

/* Which network a frame with this tag is in when it comes or leaves by this
 * port; NULL: none.  `tag` -1: untagged. */
static const struct intent_network *
network_of(const struct rig *rig, uint32_t number, int tag)
{
    const struct intent_port *port = port_of(rig, number);

    if (number > UPLINK) {
        return NULL;
    }
    if (number == UPLINK) {
        INTENT_FOR_EACH_NETWORK (network, rig->intent) {
            if (intent_network_is_bridged(network)
                && network->segment.vid == MAX(tag, 0)) {
                return network;
            }
        }
        return NULL;
    }
    for (unsigned int i = 0; port && tag > 0 && i < port->n_trunk; i++) {
        if (port->trunk[i].vid == tag) {
            return port->trunk[i].network;
        }
    }
    if (!port || !port->network
        || (tag > 0 && !port->network->segment.is_service_tag)) {
        return NULL;
    }
    return port->network;
}

static bool
may_send_as(const struct intent_port *port, struct eth_addr mac)
{
    if (port->is_spoof_ok || eth_addr_eq(mac, port->mac)) {
        return true;
    }
    for (unsigned int i = 0; i < port->n_allow; i++) {
        if (port->allow[i].has_mac && eth_addr_eq(mac, port->allow[i].mac)) {
            return true;
        }
    }
    return false;
}

static bool
is_member(const struct intent_port *port,
          const struct intent_network *network)
{
    for (unsigned int i = 0; i < port->n_trunk; i++) {
        if (port->trunk[i].network == network) {
            return true;
        }
    }
    return port->network == network;
}

/* Might `port` hear a frame of this network that `from` (NULL: the uplink) sent
 * rightfully? */
static bool
may_hear(const struct intent_port *from, const struct intent_port *port,
         const struct intent_network *network)
{
    return is_member(port, network)
           && !(from && from != port && from->is_isolated
                && port->is_isolated);
}

/* A frame as it was sent, and the network that it is in; NULL: none. */
struct sent {
    const struct intent_port *from;         /* NULL: the uplink */
    const struct intent_network *network;
    bool is_rightful;
    bool is_to_gateway;
    const struct intent_uplink *uplink;     /* from outside, by NAT, and sent
                                               to its MAC */
    uint32_t in_port;
    uint8_t ip_proto;
    uint16_t dport;
    be32 ip_dst;                  /* 0: no IPv4 */
    struct ip6_addr ip6_dst;      /* all zero: no IPv6 */
    const char *what;
};

static const struct intent_router *
router_of(const struct rig *rig, const struct intent_network *network)
{
    INTENT_FOR_EACH_ROUTER (router, rig->intent) {
        for (unsigned int i = 0; i < router->n_networks; i++) {
            if (router->networks[i].network == network) {
                return router;
            }
        }
    }
    return NULL;
}

/* Does some port of the network, or some route by a station of it, speak for
 * the address? */
static bool
has_address(const struct rig *rig, const struct intent_network *network,
            const struct sent *sent)
{
    const struct intent_router *router = router_of(rig, network);

    if (sent->ip_dst ? network->subnet.is_set
                       && ip4_is_within(sent->ip_dst, network->subnet.addr,
                                        network->subnet.len)
                     : network->subnet6.is_set
                       && ip6_is_within(sent->ip6_dst, network->subnet6.addr,
                                        network->subnet6.len)) {
        return true;
    }
    INTENT_FOR_EACH_PORT (port, rig->intent) {
        for (unsigned int i = 0; i < port->n_allow; i++) {
            if (is_member(port, network) && port->allow[i].subnet.is_set
                && ip4_is_within(sent->ip_dst, port->allow[i].subnet.addr,
                                 port->allow[i].subnet.len)) {
                return true;
            }
        }
    }
    for (unsigned int i = 0; router && i < router->n_routes; i++) {
        const struct router_route *route = &router->routes[i];

        if (router_network_of(router, route) == network
            && ip4_is_within(sent->ip_dst, route->to.addr, route->to.len)) {
            return true;
        }
    }
    return false;
}

/* May the frame come to be one of that network? */
static bool
may_enter(const struct rig *rig, const struct sent *sent,
          const struct intent_network *network)
{
    const struct intent_router *router = router_of(rig, network);
    bool is_joined = network == sent->network
                     || (router && router == router_of(rig, sent->network));

    return sent->is_to_gateway && is_joined
           && (sent->ip_dst || ip6_addr_is_set(sent->ip6_dst))
           && has_address(rig, network, sent);
}

/* Might `port` hear the frame, as one of this network? */
static bool
may_hear_in(const struct rig *rig, const struct sent *sent,
            const struct intent_port *port,
            const struct intent_network *network)
{
    if (network == sent->network) {
        return may_hear(sent->from, port, network);
    }
    return may_enter(rig, sent, network) && is_member(port, network);
}

/* ---- What is translated ---- */

static const struct intent_uplink *
uplink_of(const struct rig *rig, uint32_t number)
{
    const char *name = number == WAN ? "wan" : number == OUT ? "out" : "";

    return intent_uplink_cast(intent_find(rig->intent, INTENT_UPLINK, name));
}

static bool
is_address(struct ip6_addr address, be32 ip4)
{
    return ip4 && ip6_addr_eq(address, ip6_of_ip4(ip4));
}

/* The forward that may lead the frame to that port; NULL: none does.  From
 * inside it is called as from outside. */
static const struct intent_forward *
forward_to(const struct rig *rig, const struct sent *sent,
           const struct intent_port *port)
{
    const struct intent_uplink *uplink
        = sent->uplink ? sent->uplink
          : sent->is_to_gateway && sent->is_rightful ? sent->network->nat
                                                     : NULL;

    INTENT_FOR_EACH_FORWARD (forward, rig->intent) {
        bool is_at = is_address(intent_forward_arrival(forward), sent->ip_dst)
                     || is_address(intent_forward_address(forward),
                                   sent->ip_dst);

        if (uplink && forward->to.port == port && is_at
            && intent_forward_uplink(forward) == uplink
            && (intent_forward_is_floating(forward)
                || (forward->listen.protocol == sent->ip_proto
                    && sent->dport >= forward->listen.first
                    && sent->dport <= forward->listen.last))) {
            return forward;
        }
    }
    return NULL;
}

/* Is it an address by which something of ours is known out there? */
static bool
is_external(const struct rig *rig, const struct intent_uplink *uplink,
            const struct got *got)
{
    if (!got->ip_src) {
        return ip6_addr_eq(got->ip6_src, intent_uplink_external6(uplink));
    }
    if (got->ip_src == intent_uplink_external(uplink)) {
        return true;
    }
    INTENT_FOR_EACH_FORWARD (forward, rig->intent) {
        if (intent_forward_uplink(forward) == uplink
            && is_address(intent_forward_arrival(forward), got->ip_src)) {
            return true;
        }
    }
    return false;
}

/* May it have left there?  Somebody outside gets answers by his own way only. */
static bool
may_leave(const struct rig *rig, const struct sent *sent,
          const struct got *got)
{
    const struct intent_uplink *uplink = uplink_of(rig, got->port);
    const struct intent_network *network = sent->network;

    if (!network) {
        return sent->in_port == got->port;
    }
    return sent->is_rightful && sent->is_to_gateway && network->nat == uplink
           && !got->tag
           && (is_external(rig, uplink, got)
               || (!got->ip_src && network->nat6 == NAT6_NONE
                   && ip6_is_within(got->ip6_src, network->subnet6.addr,
                                    network->subnet6.len)));
}

/* The network of a guest on that port (NULL: behind the bridged uplink) that was
 * seen outside as what the frame is for; NULL: there is none. */
static const struct intent_network *
mapped_to(const struct rig *rig, const struct sent *sent,
          const struct intent_port *port)
{
    for (unsigned int i = 0; i < rig->n_mappings; i++) {
        const struct mapping *m = &rig->mappings[i];

        if (m->address == sent->ip_dst && m->ip_proto == sent->ip_proto
            && m->port == htobe16(sent->dport)
            && (port ? is_member(port, m->network)
                     : intent_network_is_bridged(m->network))) {
            return m->network;
        }
    }
    return NULL;
}

/* A copy for whoever watches the sender, or one who might hear it. */
static bool
is_watcher(const struct rig *rig, const struct sent *sent,
           const struct intent_port *port)
{
    if (sent->from && sent->from->mirror == port) {
        return true;
    }
    if (!sent->is_rightful) {
        return false;
    }
    INTENT_FOR_EACH_PORT (other, rig->intent) {
        if (other->mirror == port && (forward_to(rig, sent, other)
                                      || mapped_to(rig, sent, other))) {
            return true;
        }
        INTENT_FOR_EACH_NETWORK (network, rig->intent) {
            if (other->mirror == port
                && may_hear_in(rig, sent, other, network)) {
                return true;
            }
        }
    }
    return false;
}

/* The tag that a frame of the network has on that port. */
static bool
is_right_tag(const struct intent_port *port, const struct got *got,
             const struct intent_network *network)
{
    if (got->port == UPLINK) {
        return network->segment.vid == got->tag
               || (network->segment.is_service_tag && !network->segment.vid);
    }
    for (unsigned int i = 0; i < port->n_trunk; i++) {
        if (port->trunk[i].network == network) {
            return got->tag == port->trunk[i].vid;
        }
    }
    return !got->tag || network->segment.is_service_tag;
}

static bool
is_right(const struct rig *rig, const struct sent *sent,
         const struct got *got)
{
    const struct intent_port *port = port_of(rig, got->port);
    const struct intent_forward *forward = port ? forward_to(rig, sent, port)
                                                : NULL;
    const struct intent_network *seen = mapped_to(rig, sent, port);

    if (got->port > UPLINK) {
        return may_leave(rig, sent, got);
    }
    if ((forward
         && is_right_tag(port, got, intent_forward_network(forward)))
        || (seen && is_right_tag(port, got, seen))) {
        return true;
    }
    INTENT_FOR_EACH_NETWORK (network, rig->intent) {
        if (port ? may_hear_in(rig, sent, port, network)
                   && is_right_tag(port, got, network)
                 : intent_network_is_bridged(network)
                   && (network == sent->network
                       || may_enter(rig, sent, network))
                   && is_right_tag(port, got, network)) {
            return true;
        }
    }
    return false;
}

static void
count(struct rig *rig, const struct sent *sent, const struct got *got)
{
    const struct intent_port *port = port_of(rig, got->port);

    rig->n_left += sent->network && got->port > UPLINK;
    rig->n_led += !sent->network && port;
    if (sent->network && sent->network->nat && got->sport
        && is_external(rig, sent->network->nat, got)
        && rig->n_mappings < MAX_MAPPINGS) {
        rig->mappings[rig->n_mappings++] = (struct mapping) {
            sent->network, got->ip_src, got->ip_proto, got->sport,
        };
    }
}

static void
judge(struct rig *rig, const struct sent *sent)
{
    for (unsigned int i = 0; i < rig->n_got; i++) {
        const struct got *got = &rig->got[i];
        const struct intent_port *port = port_of(rig, got->port);

        if (port && is_watcher(rig, sent, port)) {
            continue;
        }
        CHECK_MSG(sent->is_rightful, "%s: heard by port %u", sent->what,
                  got->port);
        CHECK_MSG(is_right(rig, sent, got), "%s: heard by port %u with tag "
                  "%u", sent->what, got->port, got->tag);
        count(rig, sent, got);
    }
}

/* ---- Frames ---- */

static struct eth_addr
some_mac(struct rig *rig)
{
    const struct intent_port *port
        = port_of(rig, 1 + rng_below(&rig->rng, N_PORTS));
    struct eth_addr mac = { { 2, 0, 0, 0, 9, (uint8_t) rng_u32(&rig->rng) } };

    if (rng_one_in(&rig->rng, 8)) {
        INTENT_FOR_EACH_NETWORK (network, rig->intent) {
            if (rng_one_in(&rig->rng, 3)) {
                return network->gateway_mac;
            }
        }
    }
    return port && !rng_one_in(&rig->rng, 6) ? port->mac : mac;
}

static struct eth_addr
some_destination(struct rig *rig)
{
    switch (rng_below(&rig->rng, 6)) {
    case 0: return (struct eth_addr) { { 255, 255, 255, 255, 255, 255 } };
    case 1: return (struct eth_addr) { { 1, 0, 0x5e, 0, 0, 0xfb } };
    case 2: return (struct eth_addr) { { 0x33, 0x33, 0xff, 0, 0, 1 } };
    default: return some_mac(rig);
    }
}

/* An address of some port, a gateway or nobody. */
static void
put_address(struct rig *rig, uint8_t *p)
{
    const struct topology_port *port = topology_port(
        rig->topology, intent_object_id(INTENT_PORT, "p1"));
    const struct intent_port *intent
        = port_of(rig, 1 + rng_below(&rig->rng, N_PORTS));
    be32 address = htobe32(0x0a000001 | rng_below(&rig->rng, 5) << 16);

    if (intent) {
        port = topology_port(rig->topology, intent->object.id);
        address = port->n_members && port->members[0].address
                  ? port->members[0].address : address;
    }
    memcpy(p, &address, sizeof address);
}

/* One of those that are known outside, or might be. */
static void
put_outside(struct rig *rig, uint8_t *p)
{
    const uint32_t hosts[] = { 5, 6, 8, 100 + rng_below(&rig->rng, N_PORTS) };
    be32 address = htobe32(0xcb007100
                           | hosts[rng_below(&rig->rng, ARRAY_SIZE(hosts))]);

    if (rng_one_in(&rig->rng, 3)) {
        address = htobe32(0xa9fe0702);      /* of the transfer link */
    }
    memcpy(p, &address, sizeof address);
}

static uint16_t
some_forwarded_port(struct rig *rig, bool is_tcp)
{
    unsigned int i = rng_below(&rig->rng, N_PORTS);

    /* Below those that translation draws: who was seen outside under one may be
     * called there by anybody. */
    return (uint16_t) (is_tcp ? 1000 + i : 700 + 20 * i
                                           + rng_below(&rig->rng, 19));
}

static uint32_t
put_arp(struct rig *rig, uint8_t *p, struct eth_addr src)
{
    struct arp_header arp = { htobe16(1), htobe16(ETH_TYPE_IP), 6, 4,
                              { 0, 1 }, { 0 }, { 0 }, { 0 }, { 0 } };

    arp.op[1] = (uint8_t) (1 + rng_below(&rig->rng, 2));
    memcpy(arp.sha, src.b, 6);
    put_address(rig, arp.spa);
    put_address(rig, arp.tpa);
    memcpy(p, &arp, sizeof arp);
    return sizeof arp;
}

/* NULL: there is none. */
static const struct intent_forward *
some_forward(struct rig *rig)
{
    unsigned int n = intent_count(rig->intent, INTENT_FORWARD);

    return n ? intent_forward_cast(intent_at(rig->intent, INTENT_FORWARD,
                                             rng_below(&rig->rng, n)))
             : NULL;
}

/* Checksums are right, or no connection would be made.  28 bytes follow. */
static void
finish_ip4(uint8_t *p, const struct ip4_header *header)
{
    enum { L4_LEN = 28, TCP_CSUM = 36, ICMP_CSUM = 22 };
    struct ip4_header ip = *header;
    be32 src, dst;

    ip.csum = checksum_fold(checksum_add(0, &ip, sizeof ip));
    memcpy(p, &ip, sizeof ip);
    memcpy(&src, ip.src, 4);
    memcpy(&dst, ip.dst, 4);
    if (ip.proto == IP_PROTO_TCP) {
        put_be16(p + TCP_CSUM, checksum_fold(checksum_add(
            checksum_pseudo4(src, dst, IP_PROTO_TCP, L4_LEN), p + 20,
            L4_LEN)));
    } else if (ip.proto == IP_PROTO_ICMP) {
        put_be16(p + ICMP_CSUM, checksum_fold(checksum_add(0, p + 20,
                                                           L4_LEN)));
    }
}

/* `own`: from that address, and more often to one outside; 0: from some. */
static uint32_t
put_ip4(struct rig *rig, uint8_t *p, bool is_outside, be32 own)
{
    static const uint16_t ports[] = { 53, 67, 68, 80, 546, 547 };
    struct ip4_header ip = { .ver_ihl = 0x45, .total_len = htobe16(48),
                             .ttl = 9, .proto = IP_PROTO_UDP };
    be16 sport = htobe16(ports[rng_below(&rig->rng, ARRAY_SIZE(ports))]);
    be16 dport = htobe16(ports[rng_below(&rig->rng, ARRAY_SIZE(ports))]);

    if (rng_one_in(&rig->rng, 3)) {
        ip.proto = rng_one_in(&rig->rng, 2) ? IP_PROTO_ICMP : IP_PROTO_IGMP;
        sport = htobe16(0x0800);            /* an echo request */
        dport = 0;
    }
    put_address(rig, ip.src);
    put_address(rig, ip.dst);
    if (own) {
        memcpy(ip.src, &own, 4);
    }
    if (is_outside || rng_one_in(&rig->rng, own ? 2 : 3)) {
        const struct intent_forward *forward
            = rng_one_in(&rig->rng, 2) ? some_forward(rig) : NULL;
        bool is_tcp = forward && forward->listen.protocol
                      ? forward->listen.protocol == IP_PROTO_TCP
                      : rng_one_in(&rig->rng, 2);

        put_outside(rig, ip.dst);
        if (forward) {
            struct ip6_addr address = rng_one_in(&rig->rng, 2)
                                      ? intent_forward_arrival(forward)
                                      : intent_forward_address(forward);

            memcpy(ip.dst, &address.b[12], 4);
        }
        ip.proto = is_tcp ? IP_PROTO_TCP : IP_PROTO_UDP;
        sport = htobe16(4000);
        dport = htobe16(forward && forward->listen.protocol
                        ? forward->listen.first
                        : some_forwarded_port(rig, is_tcp));
        if (is_tcp) {
            p[32] = 0x50;                   /* no options */
            p[33] = 2;                      /* SYN */
        }
    }
    if (is_outside) {
        be32 stranger = htobe32(0xc633644d);

        memcpy(ip.src, &stranger, 4);
    }
    put_be16(p + 20, sport);
    put_be16(p + 22, dport);
    if (ip.proto == IP_PROTO_UDP) {
        put_be16(p + 24, htobe16(28));
    }
    finish_ip4(p, &ip);
    return 48;
}

/* An address in some network's subnet, of some port or of nobody. */
static struct ip6_addr
some_ip6(struct rig *rig)
{
    struct subnet6 subnet = { true, 64, { { 0xfd } } };

    subnet.addr.b[3] = (uint8_t) rng_below(&rig->rng, RANDOM_MAX_NETWORKS);
    return topology_slaac(&subnet, some_mac(rig));
}

static uint32_t
put_ip6(struct rig *rig, uint8_t *p, struct eth_addr src)
{
    static const uint8_t types[] = { 128, 133, 134, 135, 136, 137, 143 };
    struct ip6_header ip = { .ver_tc_label = htobe32(6u << 28),
                             .payload_len = htobe16(24), .hop_limit = 255,
                             .next = IP_PROTO_ICMPV6 };
    struct ip6_addr own = topology_link_local(src);
    struct ip6_addr other = topology_link_local(some_mac(rig));

    if (rng_one_in(&rig->rng, 2)) {
        own = some_ip6(rig);
        other = some_ip6(rig);
    }
    memcpy(ip.src, own.b, 16);
    memcpy(ip.dst, other.b, 16);
    memcpy(p, &ip, sizeof ip);
    memset(p + 40, 0, 24);
    p[40] = types[rng_below(&rig->rng, ARRAY_SIZE(types))];
    memcpy(p + 48, rng_one_in(&rig->rng, 2) ? other.b : own.b, 16);
    return 64;
}

static int
some_tag(struct rig *rig)
{
    return rng_one_in(&rig->rng, 2) ? -1
           : rng_one_in(&rig->rng, 3) ? 100 + (int) rng_below(&rig->rng, 2)
           : (int) rng_below(&rig->rng, 6);
}

static void
one_frame(struct rig *rig, unsigned int run, unsigned int i)
{
    uint32_t in_port = 1 + rng_below(&rig->rng, N_ALL);
    const struct intent_port *from = port_of(rig, in_port);
    struct eth_addr src = from && !rng_one_in(&rig->rng, 4)
                          ? from->mac : some_mac(rig);
    struct eth_addr dst = some_destination(rig);
    int tag = some_tag(rig);
    struct sent sent = { .from = from,
                         .network = network_of(rig, in_port, tag) };
    bool is_aimed = rng_one_in(&rig->rng, 3);
    uint8_t frame[128] = { 0 };
    uint32_t at = 12, length;
    be32 own = 0;
    char what[80];

    if (is_aimed && from && from->network) {
        const struct topology_port *port = topology_port(rig->topology,
                                                         from->object.id);

        tag = -1;
        src = from->mac;
        dst = from->network->gateway_mac;
        own = port->members[0].address;
        sent.network = from->network;
    }
    sent.in_port = in_port;
    if (in_port > UPLINK && !rng_one_in(&rig->rng, 4)) {
        tag = -1;
        dst = uplink_of(rig, in_port)->mac;
        sent.uplink = uplink_of(rig, in_port);
    }
    if (sent.network && rng_one_in(&rig->rng, 4)) {
        dst = sent.network->gateway_mac;
    }
    memcpy(frame, dst.b, 6);
    memcpy(frame + 6, src.b, 6);
    if (tag >= 0) {
        put_be16(&frame[at], htobe16(ETH_TYPE_VLAN));
        put_be16(&frame[at + 2], htobe16((uint16_t) tag));
        at += 4;
    }
    switch (is_aimed ? 1 : rng_below(&rig->rng, 4)) {
    case 0:
        put_be16(&frame[at], htobe16(ETH_TYPE_ARP));
        at += 2 + put_arp(rig, &frame[at + 2], src);
        break;
    case 1:
        put_be16(&frame[at], htobe16(ETH_TYPE_IP));
        at += 2;
        length = put_ip4(rig, &frame[at], in_port > UPLINK, own);
        memcpy(&sent.ip_dst, &frame[at + 16], 4);
        sent.ip_proto = frame[at + 9];
        sent.dport = be16toh(get_be16(&frame[at + 22]));
        at += length;
        break;
    case 2:
        put_be16(&frame[at], htobe16(ETH_TYPE_IPV6));
        at += 2;
        length = put_ip6(rig, &frame[at], src);
        memcpy(&sent.ip6_dst, &frame[at + 24], 16);
        at += length;
        break;
    default:
        put_be16(&frame[at], htobe16(0x88b5));
        break;
    }
    send_bytes(rig, in_port, frame, MAX(at, 60u));
    snprintf(what, sizeof what, "run %u frame %u from port %u, tag %d", run,
             i, in_port, tag);
    sent.what = what;
    sent.is_rightful = sent.uplink || in_port > UPLINK
                       || (sent.network && (!from || may_send_as(from, src)));
    sent.is_to_gateway = sent.network
                         && eth_addr_eq(dst, sent.network->gateway_mac);
    judge(rig, &sent);
}

TEST(no_frame_reaches_a_port_that_the_intents_do_not_allow)
{
    unsigned int n_left = 0, n_led = 0;

    for (unsigned int run = 1; run <= N_RUNS; run++) {
        struct rig rig;

        rig_init(&rig, run);
        for (unsigned int i = 0; i < N_FRAMES; i++) {
            one_frame(&rig, run, i);
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
    const struct intent_port *from = port_of(rig, a), *to = port_of(rig, b);
    uint8_t frame[64] = { 0 };
    unsigned int at = 12;
    int tag;

    if (!from || !to || a == b) {
        return;
    }
    INTENT_FOR_EACH_NETWORK (network, rig->intent) {
        if (!is_member(from, network) || !is_member(to, network)) {
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
        send_bytes(rig, a, frame, sizeof frame);
        CHECK_MSG(has_got(rig, b) || !may_hear(from, to, network),
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
    send_bytes(rig, a, frame, sizeof frame);
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
