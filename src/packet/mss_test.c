#include "packet/mss.h"

#include "packet/checksum.h"
#include "unit.h"

/* A SYN of 10.0.0.1 or fd00::1 with these options of TCP. */
static struct packet *
make_syn(struct packet_pool *pool, bool is_ip6, const uint8_t *options,
         uint32_t len)
{
    struct packet *pkt = packet_alloc(pool, 200);
    uint8_t *ip = pkt->data + 14, *tcp = ip + (is_ip6 ? 40 : 20);
    uint32_t sum;

    memset(pkt->data, 0, 200);
    memcpy(pkt->data + 12, is_ip6 ? "\x86\xdd" : "\x08\x00", 2);
    memcpy(tcp + 12, (uint8_t[2]) { (uint8_t) ((20 + len) / 4 << 4), 2 }, 2);
    memcpy(tcp + 20, options, len);
    pkt->len = (uint32_t) (tcp - pkt->data) + 20 + len;
    if (is_ip6) {
        ip[0] = 0x60;
        ip[5] = (uint8_t) (20 + len);
        ip[6] = 6;
        sum = checksum_pseudo6(ip + 8, ip + 24, 6, 20 + len);
    } else {
        memcpy(ip, (uint8_t[10]) { 0x45, 0, 0, (uint8_t) (40 + len), 0, 0, 0,
                                   0, 64, 6 }, 10);
        sum = checksum_pseudo4(get_be32(ip + 12), get_be32(ip + 16), 6,
                               (uint16_t) (20 + len));
    }
    put_be16(tcp + 16, checksum_fold(checksum_add(sum, tcp, 20 + len)));
    return pkt;
}

static bool
is_intact(const struct packet *pkt, bool is_ip6)
{
    const uint8_t *ip = pkt->data + 14, *tcp = ip + (is_ip6 ? 40 : 20);
    uint32_t len = pkt->len - (uint32_t) (tcp - pkt->data);
    uint32_t sum = is_ip6 ? checksum_pseudo6(ip + 8, ip + 24, 6, len)
                          : checksum_pseudo4(get_be32(ip + 12),
                                             get_be32(ip + 16), 6,
                                             (uint16_t) len);

    return !checksum_fold(checksum_add(sum, tcp, len));
}

static unsigned int
clamped(struct packet_pool *pool, bool is_ip6, const uint8_t *options,
        uint32_t len, uint32_t at, uint32_t mtu)
{
    struct packet *pkt = make_syn(pool, is_ip6, options, len);
    unsigned int mss;

    CHECK(is_intact(pkt, is_ip6));
    packet_clamp_mss(pkt, mtu);
    CHECK(is_intact(pkt, is_ip6));
    mss = be16toh(get_be16(pkt->data + (is_ip6 ? 74 : 54) + at));
    packet_free(pkt);
    return mss;
}

TEST(what_is_too_large_is_held_down)
{
    static const uint8_t first[] = { 2, 4, 0x05, 0xb4, 1, 1, 4, 2 };
    static const uint8_t odd[] = { 1, 2, 4, 0x05, 0xb4, 1, 1, 0 };
    static const uint8_t last[] = { 3, 3, 7, 1, 2, 4, 0x05, 0xb4 };
    struct packet_pool *pool = packet_pool_create(16, 2);

    CHECK(clamped(pool, false, first, 8, 2, 1450) == 1410);
    CHECK(clamped(pool, true, first, 8, 2, 1450) == 1390);
    CHECK(clamped(pool, false, odd, 8, 3, 1450) == 1410);
    CHECK(clamped(pool, true, odd, 8, 3, 1450) == 1390);
    CHECK(clamped(pool, false, last, 8, 6, 1000) == 960);
    CHECK(clamped(pool, false, first, 8, 2, 1500) == 1460);
    CHECK(clamped(pool, false, first, 8, 2, 9000) == 1460);
    packet_pool_destroy(pool);
}

TEST(nonsense_is_left_alone)
{
    static const uint8_t bad[][8] = {
        { 0, 2, 4, 0x05, 0xb4, 0, 0, 0 }, { 3, 0, 2, 4, 0x05, 0xb4, 0, 0 },
        { 2, 6, 0x05, 0xb4, 0, 0, 0, 0 }, { 3, 200, 2, 4, 0x05, 0xb4, 0, 0 },
        { 1, 1, 1, 1, 1, 1, 2, 4 },
    };
    struct packet_pool *pool = packet_pool_create(16, 2);

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct packet *pkt = make_syn(pool, false, bad[i], 8);

        packet_clamp_mss(pkt, 600);
        CHECK(!memcmp(pkt->data + 54, bad[i], 8));
        for (; pkt->len; pkt->len--) {
            packet_clamp_mss(pkt, 600);
        }
        packet_free(pkt);
    }
    packet_pool_destroy(pool);
}

TESTS(
    RUN(what_is_too_large_is_held_down),
    RUN(nonsense_is_left_alone),
)
