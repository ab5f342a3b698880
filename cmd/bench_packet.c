/* What each step costs that touches a packet, warm in the cache.
 *
 *     weft-bench packet [--bursts=4000]
 *
 * Short bursts, and the median of many: what interrupts a burst does not
 * count. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "port/coalesce.h"
#include "port/gso.h"
#include "packet/checksum.h"
#include "packet/edit.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/offload.h"
#include "port/port.h"

enum { TURNS = 16 };              /* batches in a burst */

struct bench {
    struct packet_pool *pool;
    struct batch batch;           /* of alike packets */
    struct batch segments;        /* of the first, if it is a super-frame */
    struct port *port;
    struct flow_key keys[BATCH_MAX];
};

/* One turn over the batch; returns how many packets that was. */
typedef unsigned int turn(struct bench *);

static unsigned int
turn_alloc(struct bench *b)
{
    struct packet *pkts[BATCH_MAX];

    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        pkts[i] = packet_alloc(b->pool, 64);
    }
    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        packet_free(pkts[i]);
    }
    return BATCH_MAX;
}

static unsigned int
turn_extract(struct bench *b)
{
    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        flow_key_extract(b->batch.pkts[i], &b->keys[i]);
    }
    return BATCH_MAX;
}

static unsigned int
turn_route(struct bench *b)
{
    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        struct packet *pkt = b->batch.pkts[i];

        packet_set_field(pkt, FIELD_ETH_SRC, 0x020000000001 + i, ~(u128) 0);
        packet_set_field(pkt, FIELD_ETH_DST, 0x020000000002 + i, ~(u128) 0);
        if (!packet_dec_ttl(pkt)) {
            packet_set_field(pkt, FIELD_IP_TTL, 255, 255);
        }
    }
    return BATCH_MAX;
}

static unsigned int
turn_nat(struct bench *b)
{
    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        struct packet *pkt = b->batch.pkts[i];
        uint32_t now = be32toh(get_be32(pkt->data + 26));

        packet_set_field(pkt, FIELD_IPV4_SRC, now + 1, ~(u128) 0);
        packet_set_field(pkt, FIELD_TCP_SRC, now & 0xffff, 0xffff);
    }
    return BATCH_MAX;
}

static unsigned int
turn_vlan(struct bench *b)
{
    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        packet_vlan_push(b->batch.pkts[i], ETH_TYPE_VLAN, 5);
    }
    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        packet_vlan_pop(b->batch.pkts[i]);
    }
    return BATCH_MAX;
}

static unsigned int
turn_null(struct bench *b)
{
    struct batch batch = { .n = 0 };
    unsigned int n;

    port_rx(b->port, 0, b->pool, &batch);
    n = batch.n;
    port_tx(b->port, 0, &batch, false);
    return n;
}

static unsigned int
turn_segment(struct bench *b)
{
    struct batch segments = { .n = 0 };
    unsigned int n;
    struct gso gso;

    gso_begin(&gso, b->batch.pkts[0], true);
    n = (unsigned int) gso_next(&gso, b->pool, &segments);
    batch_free_all(&segments);
    return n;
}

/* As a tunnel does it: from the socket's buffer to a packet. */
static unsigned int
turn_coalesce(struct bench *b)
{
    struct packet *super = NULL;
    struct coalesce c = { .slot = NULL };

    for (unsigned int i = 0; i < b->segments.n; i++) {
        const struct packet *seg = b->segments.pkts[i];

        if (!super) {
            super = packet_alloc(b->pool, seg->len);
            memcpy(super->data, seg->data, seg->len);
            super->len = seg->len;
            coalesce_begin(&c, &super);
        } else if (!coalesce_append(&c, b->pool, seg->data, seg->len)) {
            abort();
        }
    }
    coalesce_end(&c);
    packet_free(super);
    return b->segments.n;
}

static double
measure(struct bench *b, turn *t, long n_bursts)
{
    double *costs = malloc((size_t) n_bursts * sizeof *costs), median;

    for (long i = 0; i < n_bursts; i++) {
        uint64_t begin = bench_ticks();
        unsigned int n = 0;

        for (int j = 0; j < TURNS; j++) {
            n += t(b);
        }
        costs[i] = (double) (bench_ticks() - begin) / n;
    }
    median = bench_median(costs, (unsigned int) n_bursts);
    free(costs);
    return median;
}

struct kind {
    bool is_ip6;
    uint8_t proto;
    unsigned int n_vlans;
    uint32_t payload;
};

static void
write_frame(struct packet *pkt, const struct kind *kind)
{
    uint32_t l3 = ETH_HEADER_LEN + kind->n_vlans * VLAN_TAG_LEN;
    uint32_t l4 = l3 + (kind->is_ip6 ? 40 : 20);
    bool is_tcp = kind->proto == IP_PROTO_TCP;
    uint32_t csum_offset = is_tcp ? TCP_CSUM_OFS : UDP_CSUM_OFS;

    pkt->len = l4 + (is_tcp ? TCP_HEADER_LEN : UDP_HEADER_LEN)
               + kind->payload;
    memset(pkt->data, 0, pkt->len);
    for (unsigned int i = 0; i < kind->n_vlans; i++) {
        put_be16(pkt->data + 12 + 4 * i, htobe16(ETH_TYPE_VLAN));
    }
    put_be16(pkt->data + l3 - 2, htobe16(kind->is_ip6 ? ETH_TYPE_IPV6
                                                      : ETH_TYPE_IP));
    if (kind->is_ip6) {
        pkt->data[l3] = 0x60;
        put_be16(pkt->data + l3 + 4, htobe16((uint16_t) (pkt->len - l4)));
        pkt->data[l3 + 6] = kind->proto;
    } else {
        pkt->data[l3] = 0x45;
        put_be16(pkt->data + l3 + 2, htobe16((uint16_t) (pkt->len - l3)));
        pkt->data[l3 + 8] = 64;
        pkt->data[l3 + 9] = kind->proto;
    }
    if (is_tcp) {
        pkt->data[l4 + 12] = 0x50;
        pkt->data[l4 + 13] = 0x10;              /* ACK */
    }
    put_be16(pkt->data + l4 + csum_offset, checksum_reduce(
        kind->is_ip6
        ? checksum_pseudo6(pkt->data + l3 + 8, pkt->data + l3 + 24,
                           kind->proto, pkt->len - l4)
        : checksum_pseudo4(0, 0, kind->proto, (uint16_t) (pkt->len - l4))));
    pkt->offload = (struct offload) {
        .flags = OFFLOAD_NEEDS_CSUM, .csum_start = (uint16_t) l4,
        .csum_offset = (uint16_t) csum_offset,
    };
}

static void
run(struct bench *b, const char *name, turn *t, const struct kind *kind,
    long n_bursts)
{
    b->batch.n = 0;
    for (unsigned int i = 0; i < BATCH_MAX; i++) {
        struct packet *pkt = packet_alloc(b->pool, 64 + kind->payload);

        write_frame(pkt, kind);
        if (kind->payload > 2000) {
            pkt->offload.gso_type = GSO_TCPV4;
            pkt->offload.gso_size = 1448;
            offload_validate(pkt);
        }
        flow_key_extract(pkt, &b->keys[i]);
        batch_add(&b->batch, pkt);
    }
    if (b->batch.pkts[0]->offload.gso_size) {
        struct gso gso;

        gso_begin(&gso, b->batch.pkts[0], true);
        gso_next(&gso, b->pool, &b->segments);
    }
    printf("RESULT packet %s: median %.1f cycles/packet\n", name,
           measure(b, t, n_bursts));
    batch_free_all(&b->batch);
    batch_free_all(&b->segments);
}

static struct port *
make_null_port(void)
{
    struct port_config config;
    struct port *port;

    if (port_config_parse("null", &config, NULL)
        || port_create(&config, 1, NULL, &port, NULL)) {
        abort();
    }
    return port;
}

int
bench_packet(int argc, char **argv)
{
    static const struct kind tcp4 = { .proto = IP_PROTO_TCP };
    static const struct kind udp4 = { .proto = IP_PROTO_UDP, .payload = 20 };
    static const struct kind tcp6 = { true, IP_PROTO_TCP, 0, 0 };
    static const struct kind vlan = { false, IP_PROTO_TCP, 1, 0 };
    static const struct kind super = { false, IP_PROTO_TCP, 0, 60000 };
    static const struct {
        const char *name;
        turn *turn;
        const struct kind *kind;
    } rows[] = {
        { "alloc and free", turn_alloc, &tcp4 },
        { "key of TCP/IPv4", turn_extract, &tcp4 },
        { "key of UDP/IPv4", turn_extract, &udp4 },
        { "key of TCP/IPv4 in a VLAN", turn_extract, &vlan },
        { "key of TCP/IPv6", turn_extract, &tcp6 },
        { "route: two addresses and the TTL", turn_route, &tcp4 },
        { "translate: IPv4 and TCP source", turn_nat, &tcp4 },
        { "push and pop of a tag", turn_vlan, &tcp4 },
        { "null port, rx and tx", turn_null, &tcp4 },
        { "segment of 1448 bytes, complete", turn_segment, &super },
        { "segment of 1448 bytes, put to others", turn_coalesce, &super },
    };
    long n_bursts = bench_option(argc, argv, "bursts", 4000);
    struct bench b = {
        .pool = packet_pool_create(256, BATCH_MAX + 1),
        .port = make_null_port(),
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        run(&b, rows[i].name, rows[i].turn, rows[i].kind, MAX(n_bursts, 1));
    }
    port_destroy(b.port);
    packet_pool_destroy(b.pool);
    return 0;
}
