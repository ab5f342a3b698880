#include "packet/outer.h"

#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "unit.h"

static struct packet_pool *pool;

static struct outer
make_outer(const char *src, const char *dst, uint8_t proto)
{
    struct outer outer = {
        .eth_dst = { { 2, 0, 0, 0, 0, 2 } },
        .eth_src = { { 2, 0, 0, 0, 0, 1 } },
        .proto = proto, .tos = 0x2a, .ttl = 61, .df = true,
        .has_csum = proto == IP_PROTO_UDP,
        .src_port = proto == IP_PROTO_UDP ? 50000 : 0,
        .dst_port = proto == IP_PROTO_UDP ? 4789 : 0,
    };

    CHECK(ip_parse(src, &outer.src) && ip_parse(dst, &outer.dst));
    return outer;
}

static struct packet *
make_payload(uint32_t len)
{
    struct packet *pkt = packet_alloc(pool, len);

    for (uint32_t i = 0; i < len; i++) {
        pkt->data[i] = (uint8_t) (i * 7 + 1);
    }
    pkt->len = len;
    pkt->offload = (struct offload) { 0 };
    return pkt;
}

/* Written by hand, from RFC 791 and RFC 768. */
TEST(bytes_of_the_standards)
{
    static const uint8_t expected[] = {
        2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00,
        0x45, 0x2a, 0, 32, 0x01, 0x02, 0x40, 0, 61, 17, 0xb8, 0x9d,
        192, 0, 2, 1, 192, 0, 2, 2,
        0xc3, 0x50, 0x12, 0xb5, 0, 12, 0, 0,
        1, 8, 15, 22,
    };
    struct outer outer = make_outer("192.0.2.1", "192.0.2.2", IP_PROTO_UDP);
    struct packet *pkt = make_payload(4);

    outer.has_csum = false;
    outer.id = 0x0102;
    outer_push(&outer, pkt);
    CHECK(pkt->len == sizeof expected && outer_len(&outer) == 42);
    CHECK(!memcmp(pkt->data, expected, sizeof expected));
    CHECK(!pkt->offload.flags);
    packet_free(pkt);
}

static void
check_same(const struct outer *a, const struct outer *b)
{
    CHECK(eth_addr_eq(a->eth_dst, b->eth_dst)
          && eth_addr_eq(a->eth_src, b->eth_src)
          && ip6_addr_eq(a->src, b->src) && ip6_addr_eq(a->dst, b->dst)
          && a->proto == b->proto && a->tos == b->tos && a->ttl == b->ttl
          && a->df == b->df && a->has_csum == b->has_csum && a->id == b->id
          && a->src_port == b->src_port && a->dst_port == b->dst_port
          && a->label == b->label && a->segment == b->segment);
}

static const struct {
    const char *src, *dst;
    uint8_t proto;
} cases[] = {
    { "192.0.2.1", "192.0.2.2", IP_PROTO_UDP },
    { "192.0.2.1", "192.0.2.2", IP_PROTO_GRE },
    { "2001:db8::1", "2001:db8::2", IP_PROTO_UDP },
    { "2001:db8::1", "2001:db8::2", IP_PROTO_GRE },
};

TEST(what_is_written_is_read)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct outer outer = make_outer(cases[i].src, cases[i].dst,
                                        cases[i].proto), read;
        struct packet *pkt = make_payload(101);

        if (outer.src.b[0]) {
            outer.label = 0xabcde;
        } else {
            outer.id = 77;
        }
        outer_push(&outer, pkt);
        CHECK(outer_parse(pkt, &read) && outer_is_intact(pkt, &read));
        check_same(&outer, &read);
        CHECK(read.ofs == outer_len(&outer) && read.len == 101);

        /* Finished, and with one bit wrong. */
        if (outer.proto == IP_PROTO_UDP) {
            CHECK(pkt->offload.flags == OFFLOAD_NEEDS_CSUM);
            CHECK(packet_complete_checksum(pkt));
            CHECK(outer_parse(pkt, &read) && outer_is_intact(pkt, &read));
            pkt->data[pkt->len - 1] ^= 1;
            CHECK(outer_parse(pkt, &read) && !outer_is_intact(pkt, &read));
            pkt->offload.flags = OFFLOAD_DATA_VALID;
            CHECK(outer_is_intact(pkt, &read));
        }
        packet_free(pkt);
    }
}

TEST(trains)
{
    struct outer outer = make_outer("192.0.2.1", "192.0.2.2", IP_PROTO_UDP);
    struct packet *pkt = make_payload(3000);
    struct outer read;

    outer.segment = 1400;
    outer_push(&outer, pkt);
    CHECK(pkt->offload.gso_type == GSO_UDP_L4 && packet_n_wire(pkt) == 3
          && packet_wire_len(pkt) == 1442);
    CHECK(outer_parse(pkt, &read) && read.segment == 1400
          && read.len == 3000);
    pkt->offload.gso_type = GSO_TCPV4;
    CHECK(!outer_parse(pkt, &read));
    packet_free(pkt);
}

/* Each is one byte away from what is read. */
TEST(what_is_odd_is_left_alone)
{
    static const struct {
        uint32_t ofs;
        uint8_t value;
        bool is_parsed;
    } changes[] = {
        { 12, 0x81, false },      /* another type */
        { 14, 0x46, false },      /* options */
        { 14, 0x55, false },
        { 20, 0x60, false },      /* more fragments */
        { 21, 1, false },         /* the second one */
        { 23, IP_PROTO_TCP, false },
        { 17, 200, false },       /* longer than the frame */
        { 39, 200, false },
        { 39, 11, false },        /* UDP's length is not IP's */
        { 24, 0xff, true },       /* IP's checksum */
        { 40, 0xff, true },
    };
    struct outer outer = make_outer("192.0.2.1", "192.0.2.2", IP_PROTO_UDP);

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        struct packet *pkt = make_payload(4);
        struct outer read;

        outer_push(&outer, pkt);
        CHECK(packet_complete_checksum(pkt));
        CHECK(outer_parse(pkt, &read) && outer_is_intact(pkt, &read));
        pkt->data[changes[i].ofs] = changes[i].value;
        CHECK_MSG(outer_parse(pkt, &read) == changes[i].is_parsed, "%zu", i);
        CHECK(!changes[i].is_parsed || !outer_is_intact(pkt, &read));
        packet_free(pkt);
    }
    for (uint32_t len = 0; len < 42; len++) {
        struct packet *pkt = make_payload(4);
        struct outer read;

        outer_push(&outer, pkt);
        pkt->len = len;
        CHECK(!outer_parse(pkt, &read));
        packet_free(pkt);
    }
}

TEST(none_is_needed)
{
    struct outer outer = make_outer("2001:db8::1", "2001:db8::2",
                                    IP_PROTO_UDP), read;
    struct packet *pkt = make_payload(4);

    outer.has_csum = false;
    outer_push(&outer, pkt);
    CHECK(outer_parse(pkt, &read) && !read.has_csum
          && outer_is_intact(pkt, &read));
    packet_free(pkt);
}

static int
set_up(void **state UNUSED)
{
    pool = packet_pool_create(16, 16);
    return 0;
}

static int
tear_down(void **state UNUSED)
{
    CHECK(!packet_pool_in_use(pool));
    packet_pool_destroy(pool);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(bytes_of_the_standards),
        RUN(what_is_written_is_read),
        RUN(trains),
        RUN(what_is_odd_is_left_alone),
        RUN(none_is_needed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
