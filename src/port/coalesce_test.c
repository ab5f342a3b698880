/* Whatever goes in comes out again when what came out is segmented. */
#include "port/coalesce.h"

#include "lib/rng.h"
#include "packet/checksum.h"
#include "packet/offload.h"
#include "port/gso.h"
#include "unit.h"

enum { MAX_FRAMES = 64, MAX_LEN = 1600 };

struct frames {
    unsigned int n;
    uint32_t len[MAX_FRAMES];
    uint8_t bytes[MAX_FRAMES][MAX_LEN];
};

/* A super-frame of `n` segments of TCP, of an IPv4 or IPv6 packet behind a tag or
 * none, with `options` bytes of TCP's. */
static struct packet *
make_super(struct packet_pool *pool, struct rng *rng, bool is_ip6,
           unsigned int n, uint32_t segment)
{
    uint32_t l3 = rng_one_in(rng, 2) ? 14 : 18, l4 = l3 + (is_ip6 ? 40 : 20);
    uint32_t options = 4 * rng_below(rng, 4), hdr_len = l4 + 20 + options;
    uint32_t len = hdr_len + (n - 1) * segment + 1 + rng_below(rng, segment);
    struct packet *pkt = packet_alloc(pool, len);
    uint8_t *p = pkt->data;

    for (uint32_t i = 0; i < len; i++) {
        p[i] = (uint8_t) rng_u32(rng);
    }
    pkt->len = len;
    if (l3 == 18) {
        memcpy(p + 12, "\x81\x00", 2);
    }
    memcpy(p + l3 - 2, is_ip6 ? "\x86\xdd" : "\x08\x00", 2);
    if (is_ip6) {
        p[l3] = 0x60;
        put_be16(p + l3 + 4, htobe16((uint16_t) (len - l4)));
        p[l3 + 6] = 6;
    } else {
        p[l3] = 0x45;
        put_be16(p + l3 + 2, htobe16((uint16_t) (len - l3)));
        put_be16(p + l3 + 6, rng_one_in(rng, 2) ? htobe16(0x4000) : 0);
        p[l3 + 9] = 6;
    }
    p[l4 + 12] = (uint8_t) ((20 + options) / 4 << 4);
    p[l4 + 13] = rng_one_in(rng, 2) ? 0x10 : 0x18;
    put_be16(p + l4 + 18, 0);
    put_be16(p + l4 + 16, checksum_reduce(
        is_ip6 ? checksum_pseudo6(p + l3 + 8, p + l3 + 24, 6, len - l4)
               : checksum_pseudo4(get_be32(p + l3 + 12),
                                  get_be32(p + l3 + 16), 6,
                                  (uint16_t) (len - l4))));
    pkt->offload = (struct offload) {
        .flags = OFFLOAD_NEEDS_CSUM, .gso_type = is_ip6 ? GSO_TCPV6
                                                        : GSO_TCPV4,
        .hdr_len = (uint16_t) hdr_len, .gso_size = (uint16_t) segment,
        .csum_start = (uint16_t) l4, .csum_offset = 16,
    };
    return pkt;
}

static void
cut(const struct packet *pkt, struct frames *frames)
{
    struct gso gso;

    if (!pkt->offload.gso_size) {
        frames->len[frames->n] = pkt->len;
        memcpy(frames->bytes[frames->n++], pkt->data, pkt->len);
        return;
    }
    CHECK(gso_begin(&gso, pkt, true));
    while (gso_n_left(&gso)) {
        frames->len[frames->n] = gso_write(&gso, frames->bytes[frames->n]);
        frames->n++;
    }
}

/* Puts them together; returns how many packets there are. */
static unsigned int
join(struct packet_pool *pool, const struct frames *in,
     struct packet *pkts[MAX_FRAMES])
{
    struct coalesce c = { .slot = NULL };
    unsigned int n = 0;

    for (unsigned int i = 0; i < in->n; i++) {
        if (!coalesce_append(&c, pool, in->bytes[i], in->len[i])) {
            pkts[n] = packet_alloc(pool, in->len[i]);
            memcpy(pkts[n]->data, in->bytes[i], in->len[i]);
            pkts[n]->len = in->len[i];
            coalesce_begin(&c, &pkts[n++]);
        }
    }
    coalesce_end(&c);
    return n;
}

static void
check_same(struct packet *pkts[], unsigned int n, const struct frames *in)
{
    static struct frames out;

    out.n = 0;
    for (unsigned int i = 0; i < n; i++) {
        CHECK(!pkts[i]->offload.gso_size || offload_validate(pkts[i]));
        cut(pkts[i], &out);
        packet_free(pkts[i]);
    }
    CHECK(out.n == in->n);
    for (unsigned int i = 0; i < in->n; i++) {
        CHECK(out.len[i] == in->len[i]);
        CHECK(!memcmp(out.bytes[i], in->bytes[i], in->len[i]));
    }
}

TEST(segments_become_what_they_were)
{
    struct packet_pool *pool = packet_pool_create(128, 32);
    static struct frames in;
    struct packet *pkts[MAX_FRAMES];
    struct rng rng = { 1 };

    for (unsigned int i = 0; i < 400; i++) {
        struct packet *super = make_super(pool, &rng, i & 1,
                                          2 + rng_below(&rng, 40),
                                          1 + rng_below(&rng, 1448));
        unsigned int n;

        in.n = 0;
        cut(super, &in);
        packet_free(super);
        n = join(pool, &in, pkts);
        CHECK(n == 1 && pkts[0]->offload.gso_size);
        check_same(pkts, n, &in);
    }
    packet_pool_destroy(pool);
}

/* Lost, repeated, damaged, out of order, of two flows: nothing changes, only less
 * is put together. */
TEST(what_does_not_go_on_is_left_alone)
{
    struct packet_pool *pool = packet_pool_create(256, 64);
    static struct frames a, in;
    struct packet *pkts[MAX_FRAMES];
    struct rng rng = { 2 };
    unsigned int n_joined = 0;

    for (unsigned int i = 0; i < 1000; i++) {
        a.n = in.n = 0;
        for (unsigned int k = 0; k < 2; k++) {
            struct packet *super = make_super(pool, &rng, i & 1,
                                              2 + rng_below(&rng, 10), 500);

            cut(super, &a);
            packet_free(super);
        }
        while (in.n < a.n + 8) {
            unsigned int from = rng_one_in(&rng, 4) ? rng_below(&rng, a.n)
                                                    : in.n % a.n;

            in.len[in.n] = a.len[from];
            memcpy(in.bytes[in.n], a.bytes[from], a.len[from]);
            if (rng_one_in(&rng, 4)) {
                in.bytes[in.n][rng_below(&rng, a.len[from])]
                    ^= (uint8_t) (1 << rng_below(&rng, 8));
            }
            in.n++;
        }
        n_joined += in.n;
        in.n = MIN(in.n, (unsigned int) MAX_FRAMES);
        {
            unsigned int n = join(pool, &in, pkts);

            n_joined -= n;
            check_same(pkts, n, &in);
        }
    }
    CHECK_MSG(n_joined > 2000, "%u", n_joined);
    packet_pool_destroy(pool);
}

TEST(there_is_an_end_to_it)
{
    struct packet_pool *pool = packet_pool_create(128, 8);
    struct rng rng = { 3 };
    static struct frames in;
    struct packet *pkts[MAX_FRAMES];
    struct packet *super = make_super(pool, &rng, false, 44, 1448);
    unsigned int n;

    in.n = 0;
    cut(super, &in);
    packet_free(super);
    n = join(pool, &in, pkts);
    CHECK(n == 1 && pkts[0]->len <= PACKET_MAX_LEN);
    check_same(pkts, n, &in);
    packet_pool_destroy(pool);
}

/* What belongs to nobody's super-frame: `change` spoils four segments, all in
 * the same way, the checksums of TCP stay right. */
static void
check_none_joined(bool is_ip6, void (*change)(struct frames *, uint32_t l3))
{
    struct packet_pool *pool = packet_pool_create(128, 8);
    static struct frames in;
    struct packet *pkts[MAX_FRAMES];
    struct rng rng = { 4 };

    for (unsigned int i = 0; i < 20; i++) {
        struct packet *super = make_super(pool, &rng, is_ip6, 4, 100);
        uint32_t l3 = offload_l3_ofs(super, super->len);
        unsigned int n;

        in.n = 0;
        cut(super, &in);
        packet_free(super);
        change(&in, l3);
        n = join(pool, &in, pkts);
        CHECK_MSG(n == in.n, "%u of %u", n, in.n);
        check_same(pkts, n, &in);
    }
    packet_pool_destroy(pool);
}

static void
spoil_version(struct frames *in, uint32_t l3)
{
    for (unsigned int i = 0; i < in->n; i++) {
        in->bytes[i][l3] ^= 0x20;
    }
}

TEST(what_is_no_ip_is_left_alone)
{
    check_none_joined(true, spoil_version);
    check_none_joined(false, spoil_version);
}

/* Puts the frame as the payload of a backbone's, or behind more tags. */
static void
wrap(struct frames *in, const void *header, uint32_t n)
{
    for (unsigned int i = 0; i < in->n; i++) {
        memmove(in->bytes[i] + 12 + n, in->bytes[i] + 12, in->len[i] - 12);
        memcpy(in->bytes[i] + 12, header, n);
        in->len[i] += n;
    }
}

static void
put_in_backbone(struct frames *in, uint32_t l3 UNUSED)
{
    wrap(in, "\x88\xe7\0\0\0\1\2\0\0\0\0\1\2\0\0\0\0\2", 18);
}

static void
tag_three_times(struct frames *in, uint32_t l3 UNUSED)
{
    wrap(in, "\x88\xa8\0\5\x81\0\0\6\x81\0\0\7", 12);
}

/* Kernels cannot segment it. */
TEST(what_is_deep_inside_is_left_alone)
{
    check_none_joined(true, put_in_backbone);
    check_none_joined(false, tag_three_times);
}

/* A checksum of TCP that is owed says nothing of IP's. */
static void
owe_and_spoil_ip(struct frames *in, uint32_t l3)
{
    for (unsigned int i = 0; i < in->n; i++) {
        uint8_t *ip = in->bytes[i] + l3;
        uint32_t l4_len = in->len[i] - l3 - 20;

        put_be16(ip + 20 + 16, checksum_reduce(checksum_pseudo4(
            get_be32(ip + 12), get_be32(ip + 16), 6, (uint16_t) l4_len)));
    }
    in->bytes[0][l3 + 10] ^= 1;
}

TEST(a_wrong_checksum_of_ip_stays_wrong)
{
    struct packet_pool *pool = packet_pool_create(128, 8);
    static struct frames in;
    struct coalesce c = { .slot = NULL };
    struct rng rng = { 5 };
    struct packet *super = make_super(pool, &rng, false, 3, 100), *pkt;
    uint32_t l3 = offload_l3_ofs(super, super->len);

    in.n = 0;
    cut(super, &in);
    packet_free(super);
    owe_and_spoil_ip(&in, l3);
    pkt = packet_alloc(pool, in.len[0]);
    memcpy(pkt->data, in.bytes[0], in.len[0]);
    pkt->len = in.len[0];
    pkt->offload = (struct offload) { 0 };
    offload_find_owed(pkt, 1400);
    CHECK(pkt->offload.flags & OFFLOAD_NEEDS_CSUM);
    coalesce_begin(&c, &pkt);
    CHECK(!coalesce_append(&c, pool, in.bytes[1], in.len[1]));
    coalesce_end(&c);
    CHECK(pkt->len == in.len[0] && !memcmp(pkt->data, in.bytes[0], pkt->len));
    packet_free(pkt);
    packet_pool_destroy(pool);
}

/* As many as a guest may give us, of the least payload. */
TEST(a_super_frame_has_a_greatest_number_of_segments)
{
    struct packet_pool *pool = packet_pool_create(16, 8);
    static struct frames in;
    struct packet *super, *pkt;
    struct coalesce c = { .slot = NULL };
    struct rng rng = { 6 };
    struct gso gso;
    uint8_t segment[MAX_LEN];
    unsigned int n = 1;

    super = make_super(pool, &rng, true, OFFLOAD_MAX_SEGMENTS + 10, 8);
    CHECK(gso_begin(&gso, super, true));
    in.len[0] = gso_write(&gso, segment);
    pkt = packet_alloc(pool, in.len[0]);
    memcpy(pkt->data, segment, in.len[0]);
    pkt->len = in.len[0];
    pkt->offload = (struct offload) { 0 };
    coalesce_begin(&c, &pkt);
    while (coalesce_append(&c, pool, segment, gso_write(&gso, segment))) {
        n++;
    }
    coalesce_end(&c);
    CHECK_MSG(n == OFFLOAD_MAX_SEGMENTS, "%u", n);
    CHECK(offload_validate(pkt) && packet_n_wire(pkt) == n);
    packet_free(pkt);
    packet_free(super);
    packet_pool_destroy(pool);
}

/* Without a large buffer frames stay as they came. */
TEST(without_room_nothing_is_lost)
{
    struct packet_pool *pool = packet_pool_create(128, 1);
    static struct frames in;
    struct packet *pkts[MAX_FRAMES], *super, *taken;
    struct rng rng = { 7 };
    unsigned int n;

    super = make_super(pool, &rng, false, 8, 1400);
    in.n = 0;
    cut(super, &in);
    packet_free(super);
    taken = packet_alloc(pool, PACKET_MAX_LEN);
    CHECK(taken);
    n = join(pool, &in, pkts);
    CHECK(n >= 7);
    check_same(pkts, n, &in);
    packet_free(taken);
    packet_pool_destroy(pool);
}

TESTS(
    RUN(segments_become_what_they_were),
    RUN(what_does_not_go_on_is_left_alone),
    RUN(there_is_an_end_to_it),
    RUN(what_is_no_ip_is_left_alone),
    RUN(what_is_deep_inside_is_left_alone),
    RUN(a_wrong_checksum_of_ip_stays_wrong),
    RUN(a_super_frame_has_a_greatest_number_of_segments),
    RUN(without_room_nothing_is_lost),
)
