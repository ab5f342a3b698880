#include "controller/isolation_frames.h"

#include "controller/isolation_model.h"
#include "controller/random_intents.h"
#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "unit.h"

static struct eth_addr
some_mac(struct rig *rig)
{
    const struct intent_port *port
        = rig_port(rig, 1 + rng_below(&rig->rng, N_PORTS));
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
        = rig_port(rig, 1 + rng_below(&rig->rng, N_PORTS));
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

void
send_some_frame(struct rig *rig, unsigned int run, unsigned int i)
{
    uint32_t in_port = 1 + rng_below(&rig->rng, N_ALL);
    const struct intent_port *from = rig_port(rig, in_port);
    struct eth_addr src = from && !rng_one_in(&rig->rng, 4)
                          ? from->mac : some_mac(rig);
    struct eth_addr dst = some_destination(rig);
    int tag = some_tag(rig);
    struct sent sent = { .from = from,
                         .network = model_network(rig, in_port, tag) };
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
        dst = model_uplink(rig, in_port)->mac;
        sent.uplink = model_uplink(rig, in_port);
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
    rig_send(rig, in_port, frame, MAX(at, 60u));
    snprintf(what, sizeof what, "run %u frame %u from port %u, tag %d", run,
             i, in_port, tag);
    sent.what = what;
    sent.is_rightful = sent.uplink || in_port > UPLINK
                       || (sent.network
                           && (!from || model_may_send_as(from, src)));
    sent.is_to_gateway = sent.network
                         && eth_addr_eq(dst, sent.network->gateway_mac);
    model_judge(rig, &sent);
}
