/* Questions for neighbours, and which answers count. */
#include "service/neighbour.h"

#include <stdlib.h>

#include "frames.h"
#include "lib/str.h"
#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/nd.h"
#include "unit.h"

static const struct neighbour_asker asker = {
    { { 2, 0, 0, 0, 0, 1 } }, 0x0100010a, { { 0xfe, 0x80, [15] = 1 } },
};
static const struct eth_addr station = { { 2, 0, 0, 0, 0, 9 } };
static const struct ip6_addr who6 = { { 0xfd, [13] = 1, 2, 3 } };

enum { ICMP_OFS = 54, TARGET_OFS = ICMP_OFS + ND_TARGET_OFS };

TEST(all_are_asked_or_one)
{
    struct ip6_addr who4 = ip6_of_ip4(htobe32(0x0a010009));
    uint8_t frame[NEIGHBOUR_FRAME_MAX];
    size_t len = neighbour_ask(&asker, &who4, NULL, frame);

    CHECK(len == ETH_MIN_LEN && frame[0] == 255 && frame[21] == 1);
    CHECK(!memcmp(frame + 38, "\x0a\x01\x00\x09", 4));
    CHECK(!memcmp(frame + 28, &asker.address, 4));
    neighbour_ask(&asker, &who4, &station, frame);
    CHECK(!memcmp(frame, station.b, 6));

    len = neighbour_ask(&asker, &who6, NULL, frame);
    CHECK(!memcmp(frame, "\x33\x33\xff\x01\x02\x03", 6));
    CHECK(frame_is_whole(frame, len, NULL));
    CHECK(frame[ICMP_OFS] == ND_SOLICIT && frame[21] == 255);
    CHECK(!memcmp(frame + TARGET_OFS, who6.b, 16));
    CHECK(frame[38] == 0xff);
    len = neighbour_ask(&asker, &who6, &station, frame);
    CHECK(!memcmp(frame, station.b, 6) && frame_is_whole(frame, len, NULL));
    CHECK(!memcmp(frame + 38, who6.b, 16));
}

static size_t
arp_reply(uint8_t *frame)
{
    struct arp_header arp = { htobe16(1), htobe16(ETH_TYPE_IP), 6, 4,
                              { 0, 2 }, { 2, 0, 0, 0, 0, 9 }, { 10, 1, 0, 9 },
                              { 0 }, { 0 } };

    memset(frame, 0, ETH_MIN_LEN);
    put_be16(frame + 12, htobe16(ETH_TYPE_ARP));
    memcpy(frame + 14, &arp, sizeof arp);
    return ETH_MIN_LEN;
}

TEST(an_arp_reply_counts)
{
    uint8_t frame[ETH_MIN_LEN];
    size_t len = arp_reply(frame);
    struct ip6_addr who;
    struct eth_addr mac;

    CHECK(neighbour_told(frame, len, &who, &mac));
    CHECK(eth_addr_eq(mac, station));
    CHECK(ip6_addr_eq(who, ip6_of_ip4(htobe32(0x0a010009))));
    for (size_t n = 0; n < 42; n++) {
        uint8_t *cut = xmemdup(frame, n);

        CHECK(!neighbour_told(cut, n, &who, &mac));
        free(cut);
    }
    frame[21] = 1;
    CHECK(!neighbour_told(frame, len, &who, &mac));
    arp_reply(frame);
    frame[22] = 3;                /* a group's MAC */
    CHECK(!neighbour_told(frame, len, &who, &mac));
}

static size_t
advert(uint8_t *frame, bool has_tll, uint8_t hop_limit)
{
    size_t icmp_len = ND_HEADER_LEN + (has_tll ? 8 : 0);
    struct ip6_header ip = {
        .ver_tc_label = htobe32(UINT32_C(6) << 28),
        .payload_len = htobe16((uint16_t) icmp_len),
        .next = IP_PROTO_ICMPV6, .hop_limit = hop_limit, .src = { 0xfd },
        .dst = { 0xfe, 0x80 },
    };
    uint8_t *icmp = frame + ICMP_OFS;

    memset(frame, 0, 128);
    memcpy(frame + 6, station.b, 6);
    put_be16(frame + 12, htobe16(ETH_TYPE_IPV6));
    memcpy(frame + 14, &ip, sizeof ip);
    icmp[0] = ND_ADVERT;
    memcpy(frame + TARGET_OFS, who6.b, 16);
    if (has_tll) {
        icmp[ND_HEADER_LEN] = ND_OPTION_TLL;
        icmp[ND_HEADER_LEN + 1] = 1;
        memcpy(icmp + ND_HEADER_LEN + 2, "\x02\0\0\0\0\x07", 6);
    }
    put_be16(icmp + 2, checksum_fold(checksum_add(
        checksum_pseudo6(ip.src, ip.dst, IP_PROTO_ICMPV6,
                         (uint32_t) icmp_len), icmp, icmp_len)));
    return ICMP_OFS + icmp_len;
}

TEST(an_advertisement_counts)
{
    uint8_t frame[128];
    size_t len = advert(frame, true, 255);
    struct ip6_addr who;
    struct eth_addr mac;

    CHECK(neighbour_told(frame, len, &who, &mac));
    CHECK(ip6_addr_eq(who, who6) && mac.b[5] == 7);
    for (size_t n = 0; n < len; n++) {
        uint8_t *cut = xmemdup(frame, n);

        CHECK(!neighbour_told(cut, n, &who, &mac));
        free(cut);
    }
    frame[len - 1] ^= 1;
    CHECK(!neighbour_told(frame, len, &who, &mac));
    len = advert(frame, true, 64);
    CHECK(!neighbour_told(frame, len, &who, &mac));
    len = advert(frame, false, 255);
    CHECK(neighbour_told(frame, len, &who, &mac));
    CHECK(eth_addr_eq(mac, station));
}

TESTS(
    RUN(all_are_asked_or_one),
    RUN(an_arp_reply_counts),
    RUN(an_advertisement_counts),
)
