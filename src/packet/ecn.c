#include "packet/ecn.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/offload.h"

enum { TC_SHIFT = 4 };            /* of the traffic class, in the second byte */

/* The IP header, or NULL.  Its version must be its Ethertype's; behind labels
 * there is none (nor does a last label look like one: bit 8 is set there). */
static uint8_t *
find_ip(const struct packet *pkt)
{
    uint32_t ofs = offload_l3_ofs(pkt, pkt->len);
    uint8_t *ip = pkt->data + ofs;
    uint32_t min_len;
    uint8_t version;
    be16 type;

    if (!ofs) {
        return NULL;
    }
    version = ip[0] >> 4;
    type = get_be16(ip - sizeof type);
    if ((version != 4 || type == htobe16(ETH_TYPE_IPV6))
        && (version != 6 || type == htobe16(ETH_TYPE_IP))) {
        return NULL;
    }
    min_len = version == 4 ? sizeof(struct ip4_header)
                           : sizeof(struct ip6_header);
    return ofs + min_len <= pkt->len ? ip : NULL;
}

static uint8_t
tos_of(const uint8_t *ip)
{
    return ip[0] >> 4 == 4 ? ip[1]
                           : (uint8_t) (ip[0] << 4 | ip[1] >> TC_SHIFT);
}

uint8_t
packet_ip_tos(const struct packet *pkt)
{
    const uint8_t *ip = find_ip(pkt);

    return ip ? tos_of(ip) : 0;
}

static void
set_ecn(uint8_t *ip, uint8_t ecn)
{
    if (ip[0] >> 4 == 4) {
        be16 was = get_be16(ip), csum = get_be16(ip + 10);

        ip[1] = (uint8_t) ((ip[1] & ~ECN_MASK) | ecn);
        put_be16(ip + 10, checksum_update16(csum, was, get_be16(ip)));
    } else {
        ip[1] = (uint8_t) ((ip[1] & ~(ECN_MASK << TC_SHIFT))
                           | ecn << TC_SHIFT);
    }
}

bool
packet_ecn_decapsulate(struct packet *pkt, uint8_t outer_tos)
{
    uint8_t outer = outer_tos & ECN_MASK, inner;
    uint8_t *ip;

    if (LIKELY(outer == ECN_NOT || outer == ECN_ECT0)) {
        return true;
    }
    ip = find_ip(pkt);
    inner = ip ? tos_of(ip) & ECN_MASK : ECN_NOT;
    if (outer == ECN_CE && inner == ECN_NOT) {
        return !ip;
    }
    if (outer == ECN_CE || inner == ECN_ECT0) {
        set_ecn(ip, outer);
    }
    return true;
}
