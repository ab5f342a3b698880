/* Flow keys: what a packet is, as far as switching is concerned.
 *
 * `struct flow_key` holds only what a packet brings: its headers, where it came
 * in, its tunnel and its connection.  It is a row of 64-bit words and a map that
 * says which of them are present; a word that is not present reads as zero and
 * may hold garbage.  flow_key_extract() writes the present words and nothing
 * else.
 *
 * `struct flow` (packet/flow.h) is a whole key, absent words zeroed, plus what
 * the OpenFlow pipeline adds (registers, metadata...).
 *
 * All members are in network byte order unless they say otherwise.  Bytes that
 * have no meaning for a packet are zero, so that keys compare by words.
 *
 * What is where, by protocol:
 *   ARP        arp_op where others have nw_tos and nw_proto, so that
 *              nw_proto is its low byte; nw_src/nw_dst = SPA/TPA,
 *              arp_sha/arp_tha
 *   ICMP(v6)   tp_src = type, tp_dst = code
 *   ND         nd_target, arp_sha = source link-layer option (nd_sll),
 *              arp_tha = target link-layer option (nd_tll)
 *   fragments  nw_frag; ports only in the first
 *   VLAN       tci with FLOW_VLAN_PRESENT set; [0] is the outer tag
 *   MPLS       up to three label stack entries, outermost first; nothing is
 *              parsed below them
 *   PBB        pbb_itag where others have mpls_lse[0]: the tag control
 *              information of 802.1ah's I-TAG; nothing is parsed below it
 *   IPv6       ipv6_exthdr says which extension headers there are
 *   802.3      eth_type = FLOW_ETH_TYPE_NONE unless SNAP carries one */
#ifndef WEFT_PACKET_FLOW_KEY_H
#define WEFT_PACKET_FLOW_KEY_H

#include "lib/hash.h"
#include "packet/packet.h"

enum {
    FLOW_VLAN_PRESENT = 0x1000,     /* in vlan_tci: the tag is there */
    FLOW_ETH_TYPE_NONE = 0x05ff,    /* OpenFlow's value for "no Ethertype" */
    FLOW_MAX_VLANS = 2,
    FLOW_MAX_MPLS = 3,
};

enum flow_ct_state {                /* in ct_state */
    FLOW_CT_NEW = 0x01, FLOW_CT_EST = 0x02, FLOW_CT_REL = 0x04,
    FLOW_CT_RPL = 0x08, FLOW_CT_INV = 0x10, FLOW_CT_TRK = 0x20,
    FLOW_CT_SNAT = 0x40, FLOW_CT_DNAT = 0x80,
};

enum flow_ext {                     /* in ipv6_exthdr; as OpenFlow has it */
    FLOW_EXT_NONEXT = 0x001, FLOW_EXT_ESP = 0x002, FLOW_EXT_AUTH = 0x004,
    FLOW_EXT_DEST = 0x008, FLOW_EXT_FRAG = 0x010, FLOW_EXT_ROUTER = 0x020,
    FLOW_EXT_HOP = 0x040,
    FLOW_EXT_UNREP = 0x080,         /* one repeats that should not */
    FLOW_EXT_UNSEQ = 0x100,         /* not in the order of RFC 8200 */
};

enum flow_frag {
    FLOW_FRAG_ANY = 1,              /* the packet is a fragment */
    FLOW_FRAG_LATER = 2,            /* and not the first one */
};

struct flow_vlan {
    be16 tpid;
    be16 tci;
};

/* An IPv6 address, or an IPv4 one as its v4-mapped form (RFC 4291 2.5.5.2). */
#define FLOW_IP46(NAME)                                                      \
    union {                                                                  \
        struct ip6_addr NAME;                                                \
        struct {                                                             \
            uint8_t NAME##_prefix[12];                                       \
            be32 NAME##4;                                                    \
        };                                                                   \
    }

struct flow_key_fields {
    /* 0 */
    be32 in_port;                   /* datapath port id */
    uint32_t recirc_id;             /* host order; 0 from a port */
    /* 1, 2 */
    struct eth_addr eth_dst;
    struct eth_addr eth_src;
    be16 eth_type;                  /* below VLAN tags */
    be16 vlan_tci;                  /* outer tag; 0: untagged */
    /* 3 */
    be16 vlan_tpid;                 /* of the outer tag */
    struct flow_vlan vlan_inner;    /* second tag */
    uint16_t zero1;
    /* 4 */
    be32 nw_src;
    be32 nw_dst;
    /* 5 */
    union {
        struct {
            uint8_t nw_tos;         /* DSCP and ECN; IPv6 traffic class */
            uint8_t nw_proto;
        };
        be16 arp_op;
    };
    uint8_t nw_ttl;
    uint8_t nw_frag;                /* enum flow_frag */
    be16 tp_src;
    be16 tp_dst;
    /* 6 */
    be32 ipv6_label;                /* 20 bits */
    be16 tcp_flags;                 /* 12 bits */
    be16 ipv6_exthdr;               /* enum flow_ext */
    /* 7..10 */
    struct ip6_addr ipv6_src;
    struct ip6_addr ipv6_dst;
    /* 11, 12 */
    struct ip6_addr nd_target;
    /* 13 */
    struct eth_addr arp_sha;
    uint8_t nd_options_type;        /* of the first that is decoded */
    uint8_t zero3;
    /* 14 */
    struct eth_addr arp_tha;
    uint16_t zero4;
    /* 15 */
    be32 nd_reserved;
    uint32_t zero5;
    /* 16, 17 */
    union {
        be32 mpls_lse[FLOW_MAX_MPLS];
        be32 pbb_itag;
    };
    be32 pkt_mark;
    /* 18 */
    be64 tun_id;
    /* 19..22 */
    FLOW_IP46(tun_src);
    FLOW_IP46(tun_dst);
    /* 23 */
    uint8_t tun_tos;
    uint8_t tun_ttl;
    be16 tun_flags;
    be16 tun_gbp_id;
    uint8_t tun_gbp_flags;
    uint8_t tun_family;             /* 0 not from a tunnel, 4 or 6 */
    /* 24 */
    be32 ct_state;
    be16 ct_zone;
    uint8_t ct_nw_proto;
    uint8_t zero6;
    /* 25 */
    be32 ct_mark;
    be16 ct_tp_src;
    be16 ct_tp_dst;
    /* 26, 27 */
    struct ip6_addr ct_label;       /* just 128 bits */
    /* 28..31 */
    FLOW_IP46(ct_src);
    FLOW_IP46(ct_dst);
    /* 32..63 */
    uint8_t tun_metadata[256];
};

enum { FLOW_KEY_WORDS = 64 };
static_assert(sizeof(struct flow_key_fields) == FLOW_KEY_WORDS * 8,
              "flow key layout changed: revisit flow_key_extract, field.c");

struct flow_key {
    uint64_t map;                   /* bit i: w[i] is present */
    union {
        uint64_t w[FLOW_KEY_WORDS];
        struct flow_key_fields f;
    };
};

/* Index of the word that holds a member of struct flow_key_fields. */
#define FLOW_WORD(MEMBER) (offsetof(struct flow_key_fields, MEMBER) / 8)
#define FLOW_WORD_BIT(MEMBER) (UINT64_C(1) << FLOW_WORD(MEMBER))

/* (Fields of a tunnel's options are tunnel_key_extract_options()'s, who has to
 * know which they are.)
 *
 * Parses the packet and sets its l2_5_ofs, l3_ofs, l4_ofs and pad_len.  Any
 * bytes are accepted: where a header is cut short or contradicts itself, the key
 * ends there (addresses without ports, Ethertype without addresses...).  Returns
 * 0, or -EBADMSG when not even the Ethernet header is there. */
int flow_key_extract(struct packet *, struct flow_key *);

static inline uint64_t
flow_key_word(const struct flow_key *key, unsigned int i)
{
    return key->w[i] & -(key->map >> i & 1);
}

#endif
