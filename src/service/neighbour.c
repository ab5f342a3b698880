#include "service/neighbour.h"

#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/nd.h"

enum { ARP_ETHERNET = 1, ARP_REQUEST = 1, ARP_REPLY = 2, HOP_LIMIT = 255,
       SOLICIT_LEN = ND_HEADER_LEN + 8 };

static void
put_eth(const struct neighbour_asker *asker, struct eth_addr to,
        uint16_t type, uint8_t *frame)
{
    memcpy(frame, to.b, 6);
    memcpy(frame + 6, asker->mac.b, 6);
    put_be16(frame + 12, htobe16(type));
}

static size_t
ask4(const struct neighbour_asker *asker, const struct ip6_addr *who,
     const struct eth_addr *alone, uint8_t *frame)
{
    static const struct eth_addr all = { { 255, 255, 255, 255, 255, 255 } };
    struct arp_header arp = {
        htobe16(ARP_ETHERNET), htobe16(ETH_TYPE_IP), 6, 4,
        { 0, ARP_REQUEST }, { 0 }, { 0 }, { 0 }, { 0 },
    };

    memset(frame, 0, ETH_MIN_LEN);
    put_eth(asker, alone ? *alone : all, ETH_TYPE_ARP, frame);
    memcpy(arp.sha, asker->mac.b, sizeof arp.sha);
    memcpy(arp.spa, &asker->address, sizeof arp.spa);
    memcpy(arp.tpa, &who->b[12], sizeof arp.tpa);
    memcpy(frame + ETH_HEADER_LEN, &arp, sizeof arp);
    return ETH_MIN_LEN;
}

/* To the group of those whose addresses end alike (RFC 4291 2.7.1). */
static size_t
ask6(const struct neighbour_asker *asker, const struct ip6_addr *who,
     const struct eth_addr *alone, uint8_t *frame)
{
    const struct eth_addr group_mac = { { 0x33, 0x33, 0xff, who->b[13],
                                          who->b[14], who->b[15] } };
    const struct ip6_addr group = { { 0xff, 2, [11] = 1, [12] = 0xff,
                                      who->b[13], who->b[14], who->b[15] } };
    struct ip6_header ip = {
        .ver_tc_label = htobe32(UINT32_C(6) << 28),
        .payload_len = htobe16(SOLICIT_LEN), .next = IP_PROTO_ICMPV6,
        .hop_limit = HOP_LIMIT,
    };
    uint8_t *icmp = frame + ETH_HEADER_LEN + sizeof ip;

    put_eth(asker, alone ? *alone : group_mac, ETH_TYPE_IPV6, frame);
    memcpy(ip.src, asker->address6.b, sizeof ip.src);
    memcpy(ip.dst, alone ? who->b : group.b, sizeof ip.dst);
    memcpy(frame + ETH_HEADER_LEN, &ip, sizeof ip);
    memset(icmp, 0, SOLICIT_LEN);
    icmp[0] = ND_SOLICIT;
    memcpy(icmp + ND_TARGET_OFS, who->b, sizeof who->b);
    icmp[ND_HEADER_LEN] = ND_OPTION_SLL;
    icmp[ND_HEADER_LEN + 1] = 1;
    memcpy(icmp + ND_HEADER_LEN + 2, asker->mac.b, 6);
    put_be16(icmp + ICMP_CSUM_OFS, checksum_fold(checksum_add(
        checksum_pseudo6(ip.src, ip.dst, IP_PROTO_ICMPV6, SOLICIT_LEN), icmp,
        SOLICIT_LEN)));
    return ETH_HEADER_LEN + sizeof ip + SOLICIT_LEN;
}

size_t
neighbour_ask(const struct neighbour_asker *asker, const struct ip6_addr *who,
              const struct eth_addr *alone,
              uint8_t frame[NEIGHBOUR_FRAME_MAX])
{
    static_assert((int) ETH_MIN_LEN <= (int) NEIGHBOUR_FRAME_MAX, "ask4()");
    return (ip6_is_mapped4(who) ? ask4 : ask6)(asker, who, alone, frame);
}

/* ---- Answers ---- */

static bool
is_station(struct eth_addr mac)
{
    return eth_addr_is_set(mac) && !(mac.b[0] & 1);
}

static bool
told4(const uint8_t *p, size_t len, struct ip6_addr *who,
      struct eth_addr *mac)
{
    struct arp_header arp;
    be32 address;

    if (len < sizeof arp) {
        return false;
    }
    memcpy(&arp, p, sizeof arp);
    if (!arp_is_sound(&arp, len) || arp.op[0] || arp.op[1] != ARP_REPLY) {
        return false;
    }
    memcpy(&address, arp.spa, sizeof address);
    memcpy(mac->b, arp.sha, sizeof mac->b);
    *who = ip6_of_ip4(address);
    return address && is_station(*mac);
}

/* RFC 4861 section 7.1.2.  Who is asked alone may leave its MAC out. */
static bool
told6(const uint8_t *p, size_t len, struct eth_addr src,
      struct ip6_addr *who, struct eth_addr *mac)
{
    const uint8_t *icmp = p + sizeof(struct ip6_header);
    struct nd_options options;
    struct ip6_header ip;
    size_t icmp_len;

    if (!ip6_is_sound((const struct ip6_header *) (const void *) p, len)) {
        return false;
    }
    memcpy(&ip, p, sizeof ip);
    icmp_len = be16toh(ip.payload_len);
    if (ip.next != IP_PROTO_ICMPV6 || ip.hop_limit != HOP_LIMIT
        || icmp_len < ND_HEADER_LEN || icmp[0] != ND_ADVERT || icmp[1]
        || icmp[ND_TARGET_OFS] == 0xff
        || checksum_fold(checksum_add(
               checksum_pseudo6(ip.src, ip.dst, IP_PROTO_ICMPV6,
                                (uint32_t) icmp_len), icmp, icmp_len))
        || !nd_options_decode(&options, icmp + ND_HEADER_LEN,
                              icmp_len - ND_HEADER_LEN)) {
        return false;
    }
    memcpy(who->b, icmp + ND_TARGET_OFS, sizeof who->b);
    memcpy(mac->b, options.tll ? options.tll : src.b, sizeof mac->b);
    return !ip6_is_mapped4(who) && is_station(*mac);
}

bool
neighbour_told(const void *frame, size_t len, struct ip6_addr *who,
               struct eth_addr *mac)
{
    const uint8_t *f = frame, *p = f + ETH_HEADER_LEN;
    struct eth_addr src;
    be16 type;

    if (len < ETH_HEADER_LEN) {
        return false;
    }
    type = get_be16(f + 12);
    memcpy(src.b, f + 6, sizeof src.b);
    return type == htobe16(ETH_TYPE_ARP)
           ? told4(p, len - ETH_HEADER_LEN, who, mac)
           : type == htobe16(ETH_TYPE_IPV6)
             && told6(p, len - ETH_HEADER_LEN, src, who, mac);
}
