/* Ethernet II, 802.1Q/802.1ad tags, MPLS label stack entries (RFC 3032) and
 * ARP (RFC 826) on the wire. */
#ifndef WEFT_PACKET_ETH_H
#define WEFT_PACKET_ETH_H

#include "lib/types.h"

enum {
    ETH_HEADER_LEN = 14,
    ETH_MIN_LEN = 60,             /* without FCS (802.3 section 3.2.8) */
    ETH_TYPE_MIN = 0x0600,        /* below: a length (802.3) */
    ETH_TYPE_IP = 0x0800,
    ETH_TYPE_ARP = 0x0806,
    ETH_TYPE_TEB = 0x6558,        /* transparent Ethernet bridging (GRE) */
    ETH_TYPE_RARP = 0x8035,
    ETH_TYPE_VLAN = 0x8100,
    ETH_TYPE_IPV6 = 0x86dd,
    ETH_TYPE_SLOW = 0x8809,       /* LACP */
    ETH_TYPE_MPLS = 0x8847,
    ETH_TYPE_MPLS_MCAST = 0x8848,
    ETH_TYPE_QINQ = 0x88a8,
    ETH_TYPE_PBB = 0x88e7,        /* 802.1ah's I-TAG */

    VLAN_TAG_LEN = 4,
    VLAN_VID_MASK = 0x0fff,
    VLAN_PCP_SHIFT = 13,

    MPLS_LSE_LEN = 4,
    MPLS_BOS = 0x100,             /* bottom of stack, in a label stack entry */

    /* Behind the Ethertype: control information, then the customer's frame,
     * which begins with its own addresses. */
    PBB_TCI_LEN = 4,
    PBB_ISID_MASK = 0xffffff,     /* in the control information */
    PBB_PCP_SHIFT = 29,
};

static inline bool
eth_type_is_vlan(uint16_t type)
{
    return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

static inline bool
eth_type_is_mpls(uint16_t type)
{
    return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MCAST;
}

/* Ethernet over IPv4; all byte arrays, so that it may lie anywhere. */
struct arp_header {
    be16 htype;
    be16 ptype;
    uint8_t hlen;
    uint8_t plen;
    uint8_t op[2];
    uint8_t sha[6];
    uint8_t spa[4];
    uint8_t tha[6];
    uint8_t tpa[4];
} __attribute__((packed));
static_assert(sizeof(struct arp_header) == 28, "RFC 826");

static inline bool
arp_is_sound(const struct arp_header *arp, size_t left)
{
    return left >= sizeof *arp && arp->htype == htobe16(1)
           && arp->ptype == htobe16(ETH_TYPE_IP) && arp->hlen == 6
           && arp->plen == 4;
}

#endif
