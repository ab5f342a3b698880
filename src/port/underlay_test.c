/* Tunnels' packets past the kernel, beside what the kernel itself makes of them.
 *
 *     [far: eth0 192.0.2.2] ---- [host: dev0 192.0.2.1] ---- the tunnel's route
 *
 * The underlay is a port of which only the address and the MTU are known: what
 * it is to send is kept. */
#include "port/underlay.h"

#include <unistd.h>

#include "lib/rcu.h"
#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/outer.h"
#include "port/gso.h"
#include "port/host_route.h"
#include "port/netlink.h"
#include "port/nic_lab_test.h"
#include "port/registry.h"
#include "port/tunnel.h"

enum { PATIENCE = 5000 };         /* turns of a millisecond */

static const char far_mac[] = "02:00:00:00:00:77";
static const struct port_class underlay_class = { .type = "underlay" };
static struct port underlay;
static struct batch carried;

static void
keep(void *aux UNUSED, struct packet *pkt)
{
    batch_add(&carried, pkt);
}

static void
free_carried(void)
{
    batch_free_all(&carried);
    carried.n = 0;
}

static void
make_street(void)
{
    struct netlink *nl;
    struct link_info link;

    lab_make_veth();
    lab_run("ip link set dev0 up mtu 1500");
    lab_run("echo 0 > /proc/sys/net/ipv6/conf/dev0/disable_ipv6");
    lab_run("ip addr add 192.0.2.1/24 dev dev0");
    lab_run("ip addr add 2001:db8::1/64 dev dev0 nodad");
    lab_run("ip neigh add 192.0.2.2 lladdr %s dev dev0", far_mac);
    lab_run("ip neigh add 2001:db8::2 lladdr %s dev dev0", far_mac);
    CHECK(!netlink_open(&nl) && !link_get(nl, "dev0", &link));
    netlink_close(nl);
    underlay = (struct port) {
        .class = &underlay_class, .registry = lab.env.registry,
        .config.name = "eth0", .id = 7, .mtu = 1500, .mac = link.mac,
    };
}

/* Sends it past the kernel: `true`, or by a socket. */
static bool
send_frame(struct port *port, const struct packet *frame)
{
    const struct port_carrier carrier = { &underlay, lab.pool, keep, NULL };
    struct batch batch = { 0 };
    unsigned int n = carried.n;

    batch_add(&batch, packet_clone(lab.pool, frame));
    port_tx_by(port, 0, &batch, &carrier);
    return carried.n > n;
}

/* The way is known soon after it was asked for. */
static void
send_frame_when_known(struct port *port, const struct packet *frame)
{
    for (int i = 0; i < PATIENCE && !send_frame(port, frame); i++) {
        usleep(1000);
    }
    CHECK(carried.n);
}

static struct packet *
make_frame(uint32_t len)
{
    static struct lab_frame frame;
    struct packet *pkt = packet_alloc(lab.pool, len);

    lab_make_frame(&frame, len);
    memcpy(pkt->data, frame.data, len);
    pkt->len = len;
    pkt->offload = (struct offload) { 0 };
    packet_arrive(pkt, 1);
    return pkt;
}

/* What a station on the link hears of the tunnel. */
static void
hear_outer(int sock, uint16_t type, uint8_t proto, struct packet *heard,
           struct outer *outer)
{
    static struct lab_frame frame;

    do {
        CHECK(lab_hear(sock, &frame, type, 1000));
        heard->len = frame.len;
        memcpy(heard->data, frame.data, frame.len);
        heard->offload = (struct offload) { 0 };
    } while (!vnet_decode(&frame.vnet, heard) || !outer_parse(heard, outer)
             || outer->proto != proto);
}

/* ---- Sending ---- */

static const struct {
    const char *spec, *local, *remote;
    uint8_t proto;
} kinds[] = {
    { "vxlan", "192.0.2.1", "192.0.2.2", IP_PROTO_UDP },
    { "geneve", "192.0.2.1", "192.0.2.2", IP_PROTO_UDP },
    { "gre", "192.0.2.1", "192.0.2.2", IP_PROTO_GRE },
    { "vxlan", "2001:db8::1", "2001:db8::2", IP_PROTO_UDP },
    { "geneve", "2001:db8::1", "2001:db8::2", IP_PROTO_UDP },
    { "gre", "2001:db8::1", "2001:db8::2", IP_PROTO_GRE },
};

/* All but what is each sender's own to choose: the source port, IPv4's
 * identification, IPv6's label. */
static void
check_same_bytes(struct packet *a, const struct outer *oa, struct packet *b,
                 const struct outer *ob)
{
    CHECK(a->len == b->len);
    CHECK(eth_addr_eq(oa->eth_dst, ob->eth_dst)
          && eth_addr_eq(oa->eth_src, ob->eth_src)
          && ip6_addr_eq(oa->src, ob->src) && ip6_addr_eq(oa->dst, ob->dst)
          && oa->tos == ob->tos && oa->ttl == ob->ttl && oa->df == ob->df
          && oa->has_csum == ob->has_csum && oa->dst_port == ob->dst_port
          && oa->ofs == ob->ofs && oa->len == ob->len);
    CHECK(!memcmp(a->data + oa->ofs, b->data + ob->ofs, oa->len));
    CHECK(outer_is_intact(a, oa) && outer_is_intact(b, ob));
}

TEST(frames_are_what_the_kernel_would_have_made)
{
    static const char *const more[] = {
        "", ",ttl=33,tos=184", ",df=no,csum=no",
    };

    make_street();
    for (size_t i = 0; i < 3 * ARRAY_SIZE(kinds); i++) {
        size_t k = i / 3;
        struct packet *frame = make_frame(200), *heard = make_frame(2000);
        struct port *port = lab_plug(
            "t=%s:local=%s,remote=%s,key=5001,underlay=eth0%s",
            kinds[k].spec, kinds[k].local, kinds[k].remote, more[i % 3]);
        int sock = lab_station(lab.netns_fd, "eth0");
        struct batch batch = { 0 };
        struct outer by_kernel, by_us;

        batch_add(&batch, packet_clone(lab.pool, frame));
        port_tx(port, 0, &batch, false);
        hear_outer(sock, strchr(kinds[k].local, ':') ? ETH_TYPE_IPV6
                                                     : ETH_TYPE_IP,
                   kinds[k].proto, heard, &by_kernel);
        send_frame_when_known(port, frame);
        CHECK(outer_parse(carried.pkts[0], &by_us));
        CHECK(packet_n_wire(carried.pkts[0]) == 1);
        /* The kernel leaves what is owed to the veth; so do we. */
        CHECK(by_us.proto != IP_PROTO_UDP || !by_us.has_csum
              || packet_complete_checksum(carried.pkts[0]));
        if (heard->offload.flags & OFFLOAD_NEEDS_CSUM) {
            CHECK(packet_complete_checksum(heard));
        }
        check_same_bytes(heard, &by_kernel, carried.pkts[0], &by_us);
        CHECK(port->counters.tx_underlay == 1);
        free_carried();
        packet_free(frame);
        packet_free(heard);
        port_destroy(port);
        close(sock);
    }
    CHECK(!packet_pool_in_use(lab.pool));
    lab_run("ip link del dev0");
}

/* Of TCP over IPv4, with everything owed. */
static struct packet *
make_super_frame(uint32_t len)
{
    struct packet *pkt = make_frame(len);
    uint8_t *p = pkt->data;

    put_be16(p + 12, htobe16(ETH_TYPE_IP));
    memset(p + 14, 0, 40);
    p[14] = 0x45;
    put_be16(p + 16, htobe16((uint16_t) (len - 14)));
    p[22] = 64;
    p[23] = IP_PROTO_TCP;
    put_be32(p + 26, htobe32(0x0a000001));
    put_be32(p + 30, htobe32(0x0a000002));
    p[46] = 0x50;
    put_be16(p + 50, checksum_reduce(checksum_pseudo4(
        get_be32(p + 26), get_be32(p + 30), IP_PROTO_TCP,
        (uint16_t) (len - 34))));
    pkt->offload = (struct offload) {
        .flags = OFFLOAD_NEEDS_CSUM, .gso_type = GSO_TCPV4, .gso_size = 1400,
        .hdr_len = 54, .csum_start = 34, .csum_offset = TCP_CSUM_OFS,
    };
    return pkt;
}

TEST(super_frames_stay_whole_where_they_can)
{
    struct packet *super = make_super_frame(54 + 10 * 1400 + 77);
    struct packet *frame = make_frame(64);
    struct outer outer;
    struct port *port;

    make_street();
    port = lab_plug("t=vxlan:local=192.0.2.1,remote=192.0.2.2,key=5,"
                    "underlay=eth0");
    send_frame_when_known(port, frame);
    free_carried();
    CHECK(send_frame(port, super));
    CHECK(carried.n == 1 && packet_n_wire(carried.pkts[0]) == 11);
    CHECK(outer_parse(carried.pkts[0], &outer)
          && outer.segment == 8 + 54 + 1400);
    free_carried();
    port_destroy(port);

    /* UDP without a checksum, and GRE: one by one. */
    port = lab_plug("t=gre:local=192.0.2.1,remote=192.0.2.2,key=5,"
                    "underlay=eth0");
    send_frame_when_known(port, frame);
    free_carried();
    CHECK(send_frame(port, super));
    CHECK(carried.n == 11 && carried.pkts[10]->len == 34 + 8 + 54 + 77);
    free_carried();
    port_destroy(port);
    packet_free(super);
    packet_free(frame);
    CHECK(!packet_pool_in_use(lab.pool));
    lab_run("ip link del dev0");
}

TEST(what_is_not_plain_goes_by_sockets)
{
    struct packet *fits = make_frame(1464), *long_one = make_frame(1465);
    struct port *port;

    make_street();
    port = lab_plug("t=vxlan:local=192.0.2.1,remote=192.0.2.2,key=5,"
                    "underlay=eth0");
    send_frame_when_known(port, fits);
    CHECK(!port->counters.tx_too_long);
    CHECK(!send_frame(port, long_one));
    CHECK(port->counters.tx_too_long == 1);

    /* A route by another device than that whose address the underlay has. */
    underlay.mac.b[5] ^= 1;
    CHECK(!send_frame(port, fits));
    underlay.mac.b[5] ^= 1;
    CHECK(send_frame(port, fits));
    free_carried();
    port_destroy(port);

    port = lab_plug("t=vxlan:local=192.0.2.1,remote=239.1.1.1,key=5,"
                    "underlay=eth0");
    CHECK(!send_frame(port, fits) && !send_frame(port, fits));
    CHECK(!port->counters.tx_underlay && port->counters.tx_packets == 2);
    port_destroy(port);
    packet_free(fits);
    packet_free(long_one);
    CHECK(!packet_pool_in_use(lab.pool));
    lab_run("ip link del dev0");
}

/* ---- Receiving ---- */

/* The far end's frame around `len` bytes behind a VXLAN header. */
static struct packet *
arrive(const char *dst, uint32_t vni, uint32_t len)
{
    struct outer outer = {
        .eth_dst = underlay.mac, .proto = IP_PROTO_UDP, .ttl = 60, .df = true,
        .has_csum = true, .src_port = 50000, .dst_port = 4789,
    };
    struct packet *pkt = make_frame(len);

    CHECK(ip_parse("192.0.2.2", &outer.src) && ip_parse(dst, &outer.dst));
    pkt->data -= 8;
    pkt->len += 8;
    put_be32(pkt->data, htobe32(0x08000000));
    put_be32(pkt->data + 4, htobe32(vni << 8));
    outer_push(&outer, pkt);
    packet_arrive(pkt, underlay.id);
    return pkt;
}

static void
take(struct batch *batch)
{
    CHECK(underlay_find(&underlay));
    underlay_take(underlay_find(&underlay), &underlay, 0, lab.pool, batch);
}

TEST(what_is_a_tunnels_is_taken_off)
{
    struct packet *frame = make_frame(300), *other = make_frame(100);
    struct batch batch = { 0 }, got = { 0 };
    struct port *port;

    make_street();
    port = lab_plug("t=vxlan:local=192.0.2.1,remote=flow,key=5,"
                    "underlay=eth0");
    batch_add(&batch, arrive("192.0.2.1", 5, 300));
    batch_add(&batch, other);
    batch_add(&batch, arrive("192.0.2.1", 6, 300));      /* nobody's key */
    batch_add(&batch, arrive("192.0.2.9", 5, 300));      /* not to us */
    take(&batch);
    CHECK(batch.n == 2 && batch.pkts[0] == other
          && batch.pkts[1]->len == 300 + 50);
    CHECK(port->counters.rx_underlay == 1
          && port->counters.rx_unknown_key == 1);
    CHECK(port_rx(port, 0, lab.pool, &got) == 1);
    CHECK(got.pkts[0]->len == 300 && got.pkts[0]->in_port == port->id
          && !memcmp(got.pkts[0]->data, frame->data, 300)
          && got.pkts[0]->tun.family == 4 && got.pkts[0]->tun.ttl == 60
          && got.pkts[0]->tun.id == htobe64(5));
    CHECK(port->counters.rx_packets == 1);
    batch_free_all(&batch);
    batch_free_all(&got);
    packet_free(frame);
    port_destroy(port);

    /* Nobody is there to take it. */
    batch.n = 0;
    batch_add(&batch, arrive("192.0.2.1", 5, 300));
    take(&batch);
    CHECK(batch.n == 1);
    batch_free_all(&batch);
    CHECK(!packet_pool_in_use(lab.pool));
    lab_run("ip link del dev0");
}

TEST(bad_underlays_are_refused)
{
    static const char *const texts[] = {
        "t=vxlan:remote=flow,key=flow,underlay=eth0",
        "t=vxlan:local=192.0.2.1,remote=flow,key=flow,underlay=t",
        "t=vxlan:local=192.0.2.1,remote=flow,key=flow,underlay=eth1",
        "t=vxlan:local=192.0.2.1,remote=flow,key=flow",
    };
    struct port *port, *other;

    make_street();
    port = lab_plug("s=vxlan:local=192.0.2.1,remote=flow,key=5,"
                    "underlay=eth0");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct port_config config;
        struct str error = STR_INIT;

        CHECK(!port_config_parse(texts[i], &config, &error));
        CHECK(port_create(&config, 2, &lab.env, &other, &error) == -EINVAL);
        CHECK(strstr(str_text(&error), i ? "underlay" : "local"));
        str_fini(&error);
    }
    port_destroy(port);
    lab_run("ip link del dev0");
}

/* ---- Routes ---- */

static struct ip6_addr ours, theirs;

static bool
finds(struct host_routes *routes, bool wanted, const char *mac)
{
    struct host_route route;
    struct eth_addr expected = { { 0 } };

    CHECK(!mac || eth_addr_parse(mac, &expected));
    for (int i = 0; i < PATIENCE; i++) {
        if (host_route_find(routes, &ours, &theirs, &route) == wanted
            && (!wanted || eth_addr_eq(route.dst, expected))) {
            return true;
        }
        rcu_quiescent();
        usleep(1000);
    }
    return false;
}

TEST(routes_follow_the_kernel)
{
    struct host_routes *routes;
    struct host_route route;

    make_street();
    CHECK(ip_parse("192.0.2.1", &ours) && ip_parse("192.0.2.2", &theirs));
    CHECK(!host_routes_create(&routes));
    CHECK(!host_route_find(routes, &ours, &theirs, &route));
    CHECK(finds(routes, true, far_mac));
    CHECK(host_route_find(routes, &ours, &theirs, &route)
          && eth_addr_eq(route.src, underlay.mac));

    lab_run("ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:78 dev dev0");
    CHECK(finds(routes, true, "02:00:00:00:00:78"));

    /* By a gateway, and back. */
    lab_run("ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:79 dev dev0");
    lab_run("ip route add 192.0.2.2 via 192.0.2.9");
    CHECK(finds(routes, true, "02:00:00:00:00:79"));
    lab_run("ip route del 192.0.2.2");
    CHECK(finds(routes, true, "02:00:00:00:00:78"));

    /* One that was not heard of lately has to be asked for, once. */
    lab_run("ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:7a dev dev0"
            " nud stale");
    CHECK(finds(routes, false, NULL));
    CHECK(finds(routes, true, "02:00:00:00:00:7a"));

    lab_run("ip neigh del 192.0.2.2 dev dev0");
    CHECK(finds(routes, false, NULL));
    lab_run("ip neigh add 192.0.2.2 lladdr %s dev dev0", far_mac);
    CHECK(finds(routes, true, far_mac));
    lab_run("ip route add unreachable 192.0.2.2");
    CHECK(finds(routes, false, NULL));
    lab_run("ip route del unreachable 192.0.2.2");
    CHECK(finds(routes, true, far_mac));
    lab_run("ip link del dev0");
    CHECK(finds(routes, false, NULL));
    host_routes_destroy(routes);
}

static int
set_up(void **state)
{
    int err = lab_set_up(state);

    lab.env.registry = port_registry_create();
    rcu_thread_begin();           /* a worker, as to routes */
    return err;
}

static int
tear_down(void **state)
{
    rcu_thread_end();
    port_registry_destroy(lab.env.registry);
    return lab_tear_down(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(frames_are_what_the_kernel_would_have_made),
        RUN(super_frames_stay_whole_where_they_can),
        RUN(what_is_not_plain_goes_by_sockets),
        RUN(what_is_a_tunnels_is_taken_off),
        RUN(bad_underlays_are_refused),
        RUN(routes_follow_the_kernel),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
