#include "service/icmp_error.h"

#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/ip6_ext.h"

enum { QUOTE_MAX = 576 - 20 - 8, QUOTE6_MAX = 1280 - 40 - 8, TTL = 64,
       TOS_INTERNETWORK = 0xc0 };
/* Types of ICMP that ask or answer, and so are no errors. */
enum { ECHO_REPLY = 0, ECHO = 8, ROUTER_ADVERT = 9, ROUTER_SOLICIT = 10,
       TIMESTAMP = 13, TIMESTAMP_REPLY = 14, ADDRESS_MASK_REPLY = 18,
       ICMP6_INFORMATION = 128, ICMP6_REDIRECT = 137 };

static const char *const trouble_names[N_ICMP_TROUBLES] = {
#define X(ID, NAME) [ID] = NAME,
    ICMP_TROUBLES(X)
#undef X
};
static const char *const verdict_names[N_ICMP_VERDICTS] = {
#define X(ID, NAME, TEXT) [ID] = NAME,
    ICMP_VERDICTS(X)
#undef X
};

const char *
icmp_trouble_name(enum icmp_trouble trouble)
{
    return trouble_names[trouble];
}

const char *
icmp_verdict_name(enum icmp_verdict verdict)
{
    return verdict_names[verdict];
}

/* ---- What may be told ---- */

static const struct code {
    uint8_t type, code, type6, code6;
} codes[N_ICMP_TROUBLES] = {
    [ICMP_EXPIRED] = { 11, 0, 3, 0 },
    [ICMP_NO_ROUTE] = { 3, 0, 1, 0 },
    [ICMP_NO_ANSWER] = { 3, 1, 1, 3 },
    [ICMP_CLOSED] = { 3, 3, 1, 4 },
    [ICMP_TOO_BIG] = { 3, 4, 2, 0 },
};

/* No net of ours, no loop, no group, nobody's: 0/8, 127/8, 224/3. */
static bool
is_station4(const uint8_t address[4])
{
    return address[0] && address[0] != 127 && address[0] < 224;
}

static bool
is_station6(const uint8_t address[16])
{
    struct ip6_addr addr;

    memcpy(&addr, address, sizeof addr);
    return ip6_addr_is_set(addr) && address[0] != 0xff;
}

static bool
is_error4(uint8_t type)
{
    return type != ECHO_REPLY && type != ECHO && type != ROUTER_ADVERT
           && type != ROUTER_SOLICIT
           && (type < TIMESTAMP || type > ADDRESS_MASK_REPLY);
}

static enum icmp_verdict
judge4(const uint8_t *packet, size_t len, enum icmp_trouble trouble)
{
    struct ip4_header ip;
    size_t header_len;

    if (!ip4_is_sound((const struct ip4_header *) (const void *) packet,
                      len)) {
        return ICMP_SHORT;
    }
    memcpy(&ip, packet, sizeof ip);
    header_len = ip4_header_len(&ip);
    if (!is_station4(ip.src)) {
        return ICMP_ABOUT_NOBODY;
    }
    if (!is_station4(ip.dst)) {
        return ICMP_ABOUT_GROUP;
    }
    if (be16toh(ip.frag) & IP4_FRAG_OFS) {
        return ICMP_ABOUT_FRAGMENT;
    }
    if (ip.proto == IP_PROTO_ICMP
        && (be16toh(ip.total_len) <= header_len
            || is_error4(packet[header_len]))) {
        return ICMP_ABOUT_ERROR;
    }
    /* Only datagrams have ports that can be closed in this way. */
    return trouble == ICMP_CLOSED && ip.proto != IP_PROTO_UDP
           ? ICMP_ABOUT_OTHER : ICMP_TOLD;
}

static enum icmp_verdict
judge6(const uint8_t *packet, size_t len, enum icmp_trouble trouble)
{
    struct ip6_header ip;
    struct ip6_chain chain;
    struct cursor c;
    int proto;

    if (!ip6_is_sound((const struct ip6_header *) (const void *) packet,
                      len)) {
        return ICMP_SHORT;
    }
    memcpy(&ip, packet, sizeof ip);
    if (!is_station6(ip.src)) {
        return ICMP_ABOUT_NOBODY;
    }
    if (ip.dst[0] == 0xff) {
        return ICMP_ABOUT_GROUP;
    }
    c = cursor_init(packet + sizeof ip, be16toh(ip.payload_len));
    proto = ip6_skip_extensions(&c, ip.next, &chain);
    if (proto < 0) {
        return ICMP_SHORT;
    }
    if (chain.frag & FLOW_FRAG_LATER) {
        return ICMP_ABOUT_FRAGMENT;
    }
    if (proto == IP_PROTO_ICMPV6) {
        uint8_t type = cursor_u8(&c);

        if (cursor_overrun(&c) || type < ICMP6_INFORMATION
            || type == ICMP6_REDIRECT) {
            return ICMP_ABOUT_ERROR;
        }
    }
    return trouble == ICMP_CLOSED && proto != IP_PROTO_UDP ? ICMP_ABOUT_OTHER
                                                           : ICMP_TOLD;
}

/* ---- Telling ---- */

static uint8_t *
put_eth(const struct icmp_gateway *gateway, uint16_t type, uint8_t *p)
{
    memcpy(p, gateway->mac.b, 6);
    memcpy(p + 6, gateway->mac.b, 6);
    put_be16(p + 12, htobe16(type));
    return p + ETH_HEADER_LEN;
}

static void
make4(const struct icmp_gateway *gateway, enum icmp_trouble trouble,
      uint16_t mtu, const uint8_t *packet, struct icmp_reply *reply)
{
    uint8_t *p = put_eth(gateway, ETH_TYPE_IP, reply->frame), *icmp;
    struct ip4_header about, ip = {
        .ver_ihl = 0x45, .tos = TOS_INTERNETWORK, .ttl = TTL,
        .proto = IP_PROTO_ICMP,
    };
    size_t quoted, icmp_len;

    memcpy(&about, packet, sizeof about);
    quoted = MIN((size_t) be16toh(about.total_len), (size_t) QUOTE_MAX);
    icmp_len = ICMP_HEADER_LEN + quoted;
    ip.total_len = htobe16((uint16_t) (sizeof ip + icmp_len));
    memcpy(ip.src, trouble == ICMP_CLOSED ? about.dst
                   : (const void *) &gateway->address, sizeof ip.src);
    memcpy(ip.dst, about.src, sizeof ip.dst);
    ip.csum = checksum_fold(checksum_add(0, &ip, sizeof ip));
    memcpy(p, &ip, sizeof ip);
    icmp = p + sizeof ip;
    memset(icmp, 0, ICMP_HEADER_LEN);
    icmp[0] = codes[trouble].type;
    icmp[1] = codes[trouble].code;
    if (trouble == ICMP_TOO_BIG) {
        put_be16(icmp + 6, htobe16(mtu));
    }
    memcpy(icmp + ICMP_HEADER_LEN, packet, quoted);
    put_be16(icmp + ICMP_CSUM_OFS,
             checksum_fold(checksum_add(0, icmp, icmp_len)));
    reply->len = ETH_HEADER_LEN + sizeof ip + icmp_len;
}

static void
make6(const struct icmp_gateway *gateway, enum icmp_trouble trouble,
      uint16_t mtu, const uint8_t *packet, struct icmp_reply *reply)
{
    uint8_t *p = put_eth(gateway, ETH_TYPE_IPV6, reply->frame), *icmp;
    struct ip6_header about, ip = {
        .ver_tc_label = htobe32(UINT32_C(6) << 28), .hop_limit = TTL,
        .next = IP_PROTO_ICMPV6,
    };
    size_t quoted, icmp_len;

    memcpy(&about, packet, sizeof about);
    quoted = MIN(sizeof about + be16toh(about.payload_len),
                 (size_t) QUOTE6_MAX);
    icmp_len = ICMP_HEADER_LEN + quoted;
    ip.payload_len = htobe16((uint16_t) icmp_len);
    memcpy(ip.src, trouble == ICMP_CLOSED ? about.dst
                                          : gateway->address6.b,
           sizeof ip.src);
    memcpy(ip.dst, about.src, sizeof ip.dst);
    memcpy(p, &ip, sizeof ip);
    icmp = p + sizeof ip;
    memset(icmp, 0, ICMP_HEADER_LEN);
    icmp[0] = codes[trouble].type6;
    icmp[1] = codes[trouble].code6;
    if (trouble == ICMP_TOO_BIG) {
        put_be16(icmp + 6, htobe16(mtu));
    }
    memcpy(icmp + ICMP_HEADER_LEN, packet, quoted);
    put_be16(icmp + ICMP_CSUM_OFS, checksum_fold(checksum_add(
        checksum_pseudo6(ip.src, ip.dst, IP_PROTO_ICMPV6,
                         (uint32_t) icmp_len), icmp, icmp_len)));
    reply->len = ETH_HEADER_LEN + sizeof ip + icmp_len;
}

enum icmp_verdict
icmp_error_make(const struct icmp_gateway *gateway, enum icmp_trouble trouble,
                uint16_t mtu, const void *frame, size_t len,
                struct icmp_reply *reply)
{
    const uint8_t *f = frame, *packet = f + ETH_HEADER_LEN;
    enum icmp_verdict verdict;
    be16 type;
    bool is_v6;

    reply->len = 0;
    if (len < ETH_HEADER_LEN) {
        return ICMP_SHORT;
    }
    type = get_be16(f + 12);
    is_v6 = type == htobe16(ETH_TYPE_IPV6);
    if (!is_v6 && type != htobe16(ETH_TYPE_IP)) {
        return ICMP_SHORT;
    }
    verdict = is_v6 ? judge6(packet, len - ETH_HEADER_LEN, trouble)
                    : judge4(packet, len - ETH_HEADER_LEN, trouble);
    if (verdict != ICMP_TOLD) {
        return verdict;
    }
    if (f[0] & 1) {
        return ICMP_ABOUT_GROUP;
    }
    if (is_v6 ? !ip6_addr_is_set(gateway->address6) : !gateway->address) {
        return ICMP_NO_ADDRESS;
    }
    (is_v6 ? make6 : make4)(gateway, trouble, mtu, packet, reply);
    return ICMP_TOLD;
}
