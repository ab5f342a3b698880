#include "unit.h"

#include "lib/rng.h"
#include "frames.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/offload.h"

/* A frame of `payload` bytes over TCP or UDP, with `n_tags` VLAN tags. */
static struct packet *
make(struct packet_pool *pool, bool v6, uint8_t proto, unsigned int n_tags,
     uint32_t payload)
{
    uint32_t l3 = ETH_HEADER_LEN + n_tags * VLAN_TAG_LEN;
    uint32_t l4 = l3 + (v6 ? 40 : 20);
    uint32_t hdr = proto == IP_PROTO_TCP ? 20 : 8;
    struct packet *pkt = packet_alloc(pool, l4 + hdr + payload);
    uint8_t *p = pkt->data;

    pkt->len = l4 + hdr + payload;
    memset(p, 0, pkt->len);
    for (unsigned int i = 0; i < n_tags; i++) {
        put_be16(p + 12 + 4 * i, htobe16(ETH_TYPE_VLAN));
    }
    put_be16(p + l3 - 2, htobe16(v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP));
    if (v6) {
        p[l3] = 0x60;
        put_be16(p + l3 + 4, htobe16((uint16_t) (hdr + payload)));
        p[l3 + 6] = proto;
    } else {
        p[l3] = 0x45;
        put_be16(p + l3 + 2, htobe16((uint16_t) (20 + hdr + payload)));
        p[l3 + 9] = proto;
    }
    if (proto == IP_PROTO_TCP) {
        p[l4 + 12] = 0x50;
    }
    pkt->offload = (struct offload) {
        .flags = OFFLOAD_NEEDS_CSUM,
        .csum_start = (uint16_t) l4,
        .csum_offset = proto == IP_PROTO_TCP ? 16 : 6,
    };
    return pkt;
}

TEST(honest_frames_pass_and_get_their_header_length)
{
    struct packet_pool *pool = packet_pool_create(4, 4);

    for (unsigned int i = 0; i < 24; i++) {
        bool v6 = i & 1, tcp = i & 2, gso = i & 4;
        struct packet *pkt = make(pool, v6, tcp ? IP_PROTO_TCP : IP_PROTO_UDP,
                                  i / 8, 5000);

        if (gso) {
            pkt->offload.gso_type = !tcp ? GSO_UDP_L4
                                    : v6 ? GSO_TCPV6 : GSO_TCPV4;
            pkt->offload.gso_size = 1000;
            pkt->offload.hdr_len = 3;
        }
        CHECK(offload_validate(pkt));
        CHECK(pkt->offload.hdr_len
              == (gso ? pkt->offload.csum_start + (tcp ? 20 : 8) : 0));
        CHECK(packet_n_wire(pkt) == (gso ? 5 : 1));
        packet_free(pkt);
    }
    packet_pool_destroy(pool);
}

TEST(one_segment_is_no_super_frame)
{
    struct packet_pool *pool = packet_pool_create(1, 0);
    struct packet *pkt = make(pool, false, IP_PROTO_TCP, 0, 100);

    pkt->offload.gso_type = GSO_TCPV4;
    pkt->offload.gso_size = 100;
    CHECK(offload_validate(pkt));
    CHECK(pkt->offload.gso_size == 0 && pkt->offload.gso_type == GSO_NONE);
    packet_free(pkt);
    packet_pool_destroy(pool);
}

static bool
spoilt(void (*spoil)(struct packet *))
{
    struct packet_pool *pool = packet_pool_create(0, 1);
    struct packet *pkt = make(pool, false, IP_PROTO_TCP, 0, 60000);
    bool ok;

    pkt->offload.gso_type = GSO_TCPV4;
    pkt->offload.gso_size = 1000;
    spoil(pkt);
    ok = offload_validate(pkt);
    packet_free(pkt);
    packet_pool_destroy(pool);
    return !ok;
}

static void in_ip_header(struct packet *p) { p->offload.csum_start = 20; }
static void in_wrong_field(struct packet *p) { p->offload.csum_offset = 0; }
static void behind_end(struct packet *p) { p->offload.csum_start = 60060; }
static void no_csum(struct packet *p) { p->offload.flags = 0; }
static void wrong_version(struct packet *p)
{
    p->offload.gso_type = GSO_TCPV6;
}
static void wrong_proto(struct packet *p) { p->offload.gso_type = GSO_UDP_L4; }
static void unknown_type(struct packet *p) { p->offload.gso_type = 3; }
static void tiny_segments(struct packet *p) { p->offload.gso_size = 1; }
static void no_size(struct packet *p) { p->offload.gso_size = 0; }
static void fragment(struct packet *p) { p->data[20] = 0x20; }
static void not_ip(struct packet *p) { p->data[12] = 0x12; }
static void long_tcp_header(struct packet *p)
{
    p->data[34 + 12] = 0xf0;
    p->len = 34 + 40;
}
static void cut(struct packet *p) { p->len = 30; }

TEST(nonsense_is_refused)
{
    CHECK(spoilt(in_ip_header));
    CHECK(spoilt(in_wrong_field));
    CHECK(spoilt(behind_end));
    CHECK(spoilt(no_csum));
    CHECK(spoilt(wrong_version));
    CHECK(spoilt(wrong_proto));
    CHECK(spoilt(unknown_type));
    CHECK(spoilt(tiny_segments));
    CHECK(spoilt(no_size));
    CHECK(spoilt(fragment));
    CHECK(spoilt(not_ip));
    CHECK(spoilt(long_tcp_header));
    CHECK(spoilt(cut));
}

/* The checksum of something inside is made at once, by RFC 1071. */
TEST(a_checksum_inside_a_tunnel_packet_is_completed)
{
    struct packet_pool *pool = packet_pool_create(1, 0);
    struct packet *pkt = make(pool, false, IP_PROTO_UDP, 0, 100);
    uint32_t start = 14 + 20 + 8 + 50;

    memset(pkt->data + start, 0x5a, pkt->len - start);
    pkt->offload.csum_start = (uint16_t) start;
    pkt->offload.csum_offset = 16;
    CHECK(offload_validate(pkt));
    CHECK(!pkt->offload.flags);
    CHECK((frame_sum(pkt->data + start, pkt->len - start) + 0x5a5a) % 0xffff
          == 0);
    packet_free(pkt);
    packet_pool_destroy(pool);
}

/* Who opens the tunnel finds what is owed inside; nothing is changed. */
TEST(segments_inside_a_tunnel_are_one_long_packet)
{
    struct packet_pool *pool = packet_pool_create(1, 1);

    for (unsigned int i = 0; i < 4; i++) {
        bool v6 = i & 1;
        struct packet *pkt = make(pool, v6, IP_PROTO_UDP, 0, 9000);
        uint32_t udp = pkt->offload.csum_start, tcp = udp + 8 + 8 + 14 + 20;
        uint32_t len = pkt->len;

        memset(pkt->data + udp + 8, 0x5a, len - udp - 8);
        pkt->offload.gso_type = GSO_TCPV4;
        pkt->offload.gso_size = 1400;
        pkt->offload.csum_start = (uint16_t) tcp;
        pkt->offload.csum_offset = TCP_CSUM_OFS;
        if (i & 2) {              /* in the middle of nothing */
            pkt->offload.csum_start = (uint16_t) (len - 10);
            CHECK(!offload_validate(pkt));
        } else {
            CHECK(offload_validate(pkt));
            CHECK(pkt->offload.flags == OFFLOAD_DATA_VALID
                  && packet_n_wire(pkt) == 1 && pkt->len == len
                  && get_be16(pkt->data + tcp + TCP_CSUM_OFS) == 0x5a5a);
        }
        packet_free(pkt);
    }
    packet_pool_destroy(pool);
}

TEST(an_sctp_checksum_is_made_by_its_own_rule)
{
    struct rng rng = { 6 };
    struct frame_spec spec = { .proto = IP_PROTO_SCTP, .payload_len = 77 };
    uint8_t frame[512], was[512];
    size_t len = frame_build(frame, &spec, &rng);
    struct packet pkt = {
        .data = frame, .len = (uint32_t) len,
        .offload = { .flags = OFFLOAD_NEEDS_CSUM, .csum_start = 34,
                     .csum_offset = SCTP_CSUM_OFS },
    };

    memcpy(was, frame, len);
    memset(frame + 34 + SCTP_CSUM_OFS, 0, 4);
    CHECK(offload_validate(&pkt));
    CHECK(!pkt.offload.flags);
    CHECK(!memcmp(frame, was, len));
}

TEST(padding_behind_an_owed_checksum_is_cut)
{
    struct rng rng = { 8 };
    struct frame_spec spec = { .proto = IP_PROTO_UDP, .pad_len = 7 };
    uint8_t frame[512];
    size_t len = frame_build(frame, &spec, &rng);
    struct packet pkt = { .data = frame, .len = (uint32_t) len };

    frame_owe_checksum(&pkt);
    CHECK(offload_validate(&pkt));
    CHECK(pkt.len == len - 7);
    CHECK(packet_complete_checksum(&pkt));
    CHECK(frame_is_whole(frame, pkt.len, NULL));
}

/* Whatever the bytes, what passes can be completed, and that changes nothing by
 * which the packet was judged. */
/* What a NIC would have completed is known by its pseudo-header's sum. */
TEST(what_is_owed_without_a_word_is_found)
{
    struct packet_pool *pool = packet_pool_create(4, 4);

    for (unsigned int i = 0; i < 12; i++) {
        bool v6 = i & 1, tcp = i & 2;
        struct packet *pkt = make(pool, v6, tcp ? IP_PROTO_TCP : IP_PROTO_UDP,
                                  i / 4, 100);
        struct offload owed = pkt->offload;
        uint8_t *l4 = pkt->data + owed.csum_start;
        uint32_t len = pkt->len - owed.csum_start;
        uint32_t sum = v6 ? checksum_pseudo6(l4 - 32, l4 - 16, l4[-34], len)
                          : checksum_pseudo4(get_be32(l4 - 8),
                                             get_be32(l4 - 4), l4[-11],
                                             (uint16_t) len);

        memset(l4 + 30, 0x5a, 60);
        put_be16(l4 + owed.csum_offset, checksum_reduce(sum));
        pkt->offload = (struct offload) { 0 };
        offload_find_owed(pkt, 1500);
        CHECK(!memcmp(&pkt->offload, &owed, sizeof owed));
        CHECK(packet_complete_checksum(pkt));
        CHECK(!checksum_fold(checksum_add(sum, l4, len)));

        /* Complete, it owes nothing. */
        offload_find_owed(pkt, 1500);
        CHECK(!pkt->offload.flags);
        /* Longer than a link carries, TCP's is segments. */
        put_be16(l4 + owed.csum_offset, checksum_reduce(sum));
        offload_find_owed(pkt, 100);
        CHECK((pkt->offload.gso_size != 0) == tcp
              && (!tcp || (pkt->offload.gso_type == (v6 ? GSO_TCPV6
                                                        : GSO_TCPV4)
                           && pkt->offload.gso_size == 100 - (v6 ? 60 : 40)
                           && offload_validate(pkt))));
        /* Nor does a fragment. */
        if (!v6) {
            put_be16(l4 + owed.csum_offset, checksum_reduce(sum));
            put_be16(l4 - 14, htobe16(IP4_FRAG_MORE));
            pkt->offload = (struct offload) { 0 };
            offload_find_owed(pkt, 1500);
            CHECK(!pkt->offload.flags);
        }
        packet_free(pkt);
    }
    packet_pool_destroy(pool);
}

TEST(random_promises_never_change_a_flow_key)
{
    struct packet_pool *pool = packet_pool_create(2, 0);
    struct rng rng = { 5 };
    unsigned int n_passed = 0, n_owed = 0;

    for (unsigned int i = 0; i < 300000; i++) {
        struct packet *pkt = make(pool, rng_one_in(&rng, 2),
                                  rng_one_in(&rng, 2) ? IP_PROTO_TCP
                                                      : IP_PROTO_UDP,
                                  rng_below(&rng, 3), rng_below(&rng, 200));
        struct flow_key before, after;

        if (rng_one_in(&rng, 2)) {
            pkt->offload.csum_start = (uint16_t) rng_below(&rng, 300);
        }
        if (rng_one_in(&rng, 2)) {
            pkt->offload.csum_offset = (uint16_t) rng_below(&rng, 40);
        }
        if (rng_one_in(&rng, 3)) {
            pkt->data[rng_below(&rng, pkt->len)] = (uint8_t) rng_u32(&rng);
        }
        if (rng_one_in(&rng, 3)) {
            pkt->len = rng_below(&rng, pkt->len + 1);
        }
        if (offload_validate(pkt)) {
            n_passed++;
            n_owed += pkt->offload.flags;
            memset(&before, 0, sizeof before);
            memset(&after, 0, sizeof after);
            CHECK(!flow_key_extract(pkt, &before));
            CHECK(packet_complete_checksum(pkt));
            CHECK(!flow_key_extract(pkt, &after));
            CHECK(!memcmp(&before, &after, sizeof before));
        }
        packet_free(pkt);
    }
    CHECK(n_passed > 30000 && n_owed > 30000);
    packet_pool_destroy(pool);
}

TESTS(
    RUN(honest_frames_pass_and_get_their_header_length),
    RUN(one_segment_is_no_super_frame),
    RUN(nonsense_is_refused),
    RUN(a_checksum_inside_a_tunnel_packet_is_completed),
    RUN(segments_inside_a_tunnel_are_one_long_packet),
    RUN(an_sctp_checksum_is_made_by_its_own_rule),
    RUN(padding_behind_an_owed_checksum_is_cut),
    RUN(what_is_owed_without_a_word_is_found),
    RUN(random_promises_never_change_a_flow_key),
)
