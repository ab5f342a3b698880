#include "packet/mss.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/offload.h"

enum {
    TCP_FLAGS_OFS = 13, TCP_SYN = 0x02,
    OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_MSS_LEN = 4,
};

/* Where the TCP header of a packet that is whole begins; 0: there is none. */
static uint32_t
find_tcp(const struct packet *pkt, bool *is_ip6)
{
    uint32_t ofs = offload_l3_ofs(pkt, pkt->len), left = pkt->len - ofs;
    const struct ip6_header *ip6 = (const void *) (pkt->data + ofs);
    const struct ip4_header *ip4 = (const void *) ip6;

    if (!ofs) {
        return 0;
    }
    *is_ip6 = pkt->data[ofs] >> 4 == 6;
    if (*is_ip6) {
        return left >= sizeof *ip6 && ip6->next == IP_PROTO_TCP
               ? ofs + (uint32_t) sizeof *ip6 : 0;
    }
    return left >= sizeof *ip4 && ip4->proto == IP_PROTO_TCP
           && ip4_header_len(ip4) >= sizeof *ip4
           && !(ip4->frag & htobe16(IP4_FRAG_OFS))
           ? ofs + ip4_header_len(ip4) : 0;
}

static uint8_t *
find_option(uint8_t *options, uint32_t len)
{
    for (uint32_t at = 0; at + OPTION_MSS_LEN <= len;) {
        if (options[at] == OPTION_NOP) {
            at++;
        } else if (options[at] == OPTION_END || options[at + 1] < 2) {
            return NULL;
        } else if (options[at] == OPTION_MSS) {
            return options[at + 1] == OPTION_MSS_LEN ? &options[at] : NULL;
        } else {
            at += options[at + 1];
        }
    }
    return NULL;
}

/* The checksum changes with two bytes that may lie at an odd place. */
static void
write_mss(const struct packet *pkt, uint8_t *tcp, uint8_t *value,
          uint16_t mss)
{
    uint32_t at = (uint32_t) (value - tcp) & ~1u;
    uint8_t was[4];
    be16 csum = get_be16(tcp + TCP_CSUM_OFS);

    memcpy(was, tcp + at, sizeof was);
    put_be16(value, htobe16(mss));
    if (!(pkt->offload.flags & OFFLOAD_NEEDS_CSUM)) {
        put_be16(tcp + TCP_CSUM_OFS,
                 checksum_update_bytes(csum, was, tcp + at, sizeof was));
    }
}

void
packet_clamp_mss(struct packet *pkt, uint32_t mtu)
{
    bool is_ip6 = false;
    uint32_t ofs = find_tcp(pkt, &is_ip6), len;
    uint32_t headers = (is_ip6 ? sizeof(struct ip6_header)
                               : sizeof(struct ip4_header)) + TCP_HEADER_LEN;
    uint8_t *tcp = pkt->data + ofs, *option;

    if (!ofs || ofs + TCP_HEADER_LEN > pkt->len
        || !(tcp[TCP_FLAGS_OFS] & TCP_SYN) || mtu <= headers) {
        return;
    }
    len = (tcp[12] >> 4) * 4u;
    if (len <= TCP_HEADER_LEN || ofs + len > pkt->len) {
        return;
    }
    option = find_option(tcp + TCP_HEADER_LEN, len - TCP_HEADER_LEN);
    if (option && be16toh(get_be16(option + 2)) > mtu - headers) {
        write_mss(pkt, tcp, option + 2, (uint16_t) (mtu - headers));
    }
}
