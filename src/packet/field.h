/* The one table of fields.
 *
 * Everything that can be matched or set has one row in FIELDS: its names, its
 * codes on the wire (NXM, OXM), width, place in struct flow, prerequisites, how
 * it is written in text.  Wire codec, flow text, classifier, set-field, trace
 * and tests derive from it; adding a field is adding a row (and its writer in
 * packet/edit.c when packets carry it).
 *
 * A field's value is an unsigned integer of up to 128 bits in host order. */
#ifndef WEFT_PACKET_FIELD_H
#define WEFT_PACKET_FIELD_H

#include "lib/str.h"
#include "packet/flow.h"

__extension__ typedef unsigned __int128 u128;

/* An address as a field's value. */
static inline u128
ip6_value(const struct ip6_addr *address)
{
    u128 value = 0;

    for (size_t i = 0; i < sizeof address->b; i++) {
        value = value << 8 | address->b[i];
    }
    return value;
}

/* What a packet must be before the field exists. */
enum field_prereq {
    PREREQ_NONE,
    PREREQ_VLAN,          /* vlan_tci present */
    PREREQ_ARP,           /* eth_type 0x0806 (or 0x8035 RARP) */
    PREREQ_IPV4,
    PREREQ_IPV6,
    PREREQ_IP,            /* IPv4 or IPv6 */
    PREREQ_MPLS,          /* eth_type 0x8847, 0x8848 */
    PREREQ_PBB,           /* eth_type 0x88e7 */
    PREREQ_TCP, PREREQ_UDP, PREREQ_SCTP, PREREQ_ICMPV4,   /* not a later */
    PREREQ_ICMPV6,                                       /* fragment */
    PREREQ_ND,            /* ICMPv6 type 135 or 136, code 0 */
    PREREQ_ND_SOLICIT, PREREQ_ND_ADVERT,
};

enum field_format {
    FORMAT_DECIMAL, FORMAT_HEX, FORMAT_ETH, FORMAT_IPV4, FORMAT_IPV6,
    FORMAT_PORT,          /* OpenFlow port: number or reserved name */
    FORMAT_FRAG, FORMAT_TCP_FLAGS, FORMAT_CT_STATE, FORMAT_TUN_FLAGS,
    FORMAT_PACKET_TYPE, FORMAT_EXTHDR,
};

enum field_flags {
    FIELD_WRITABLE = 1,   /* set-field, load and move may write it */
    FIELD_MASKABLE = 2,   /* arbitrary bit masks in a match */
    FIELD_WIRE = 4,       /* lies in the packet's bytes: set-field edits them */
    FIELD_PIPELINE = 8,   /* in struct flow only, never in struct flow_key */
};

/* NXM and OXM headers without length: class << 16 | field << 9.  0: none. */
#define NXM0(F) (UINT32_C(0x0000) << 16 | (F) << 9)
#define NXM1(F) (UINT32_C(0x0001) << 16 | (F) << 9)
#define OXM(F) (UINT32_C(0x8000) << 16 | (F) << 9)
#define OXM_REG(F) (UINT32_C(0x8001) << 16 | (F) << 9)
/* Ericsson's class, of two fields that Open vSwitch knows. */
#define OXM_ERICSSON(F) (UINT32_C(0x1000) << 16 | (F) << 9)
/* OXM classes that carry an experimenter id are known by that too. */
#define OXM_ONF(F) (UINT32_C(0xffff) << 16 | (F) << 9)
#define OXM_NONE UINT32_C(0)

/* X(ID, name, alias or NULL, member of struct flow, bits, shift,
 *   prerequisite, format, flags, NXM header, OXM header)
 *
 * `bits` wide, `shift` bits above the member's least significant bit. */
#define W FIELD_WRITABLE
#define M FIELD_MASKABLE
#define P FIELD_WIRE
#define L FIELD_PIPELINE
#define FIELDS(X)                                                             \
 X(IN_PORT, "in_port", NULL, key.in_port, 32, 0,                              \
   NONE, PORT, W, NXM0(0), OXM(0))                                            \
 X(IN_PHY_PORT, "in_phy_port", NULL, key.in_port, 32, 0,                      \
   NONE, PORT, 0, OXM_NONE, OXM(1))                                           \
 X(ETH_DST, "dl_dst", "eth_dst", key.eth_dst, 48, 0,                          \
   NONE, ETH, W|M|P, NXM0(1), OXM(3))                                         \
 X(ETH_SRC, "dl_src", "eth_src", key.eth_src, 48, 0,                          \
   NONE, ETH, W|M|P, NXM0(2), OXM(4))                                         \
 X(ETH_TYPE, "dl_type", "eth_type", key.eth_type, 16, 0,                      \
   NONE, HEX, 0, NXM0(3), OXM(5))                                             \
 X(VLAN_TCI, "vlan_tci", NULL, key.vlan_tci, 16, 0,                           \
   NONE, HEX, W|M|P, NXM0(4), OXM_NONE)                                       \
 X(VLAN_VID, "vlan_vid", NULL, key.vlan_tci, 13, 0,                           \
   NONE, HEX, W|M|P, OXM_NONE, OXM(6))                                        \
 X(VLAN_PCP, "vlan_pcp", "dl_vlan_pcp", key.vlan_tci, 3, 13,                  \
   VLAN, DECIMAL, W|P, OXM_NONE, OXM(7))                                      \
 X(MPLS_LABEL, "mpls_label", NULL, key.mpls_lse[0], 20, 12,                   \
   MPLS, DECIMAL, W|P, OXM_NONE, OXM(34))                                     \
 X(MPLS_TC, "mpls_tc", NULL, key.mpls_lse[0], 3, 9,                           \
   MPLS, DECIMAL, W|P, OXM_NONE, OXM(35))                                     \
 X(MPLS_BOS, "mpls_bos", NULL, key.mpls_lse[0], 1, 8,                         \
   MPLS, DECIMAL, 0, OXM_NONE, OXM(36))                                       \
 X(MPLS_TTL, "mpls_ttl", NULL, key.mpls_lse[0], 8, 0,                         \
   MPLS, DECIMAL, W|P, NXM1(30), OXM_NONE)                                    \
 X(PBB_ISID, "pbb_isid", NULL, key.pbb_itag, 24, 0,                           \
   PBB, HEX, W|M|P, OXM_NONE, OXM(37))                                        \
 X(PBB_UCA, "pbb_uca", NULL, key.pbb_itag, 1, 27,                             \
   PBB, DECIMAL, W|P, OXM_NONE, OXM(41))                                      \
 X(IPV4_SRC, "nw_src", "ip_src", key.nw_src, 32, 0,                           \
   IPV4, IPV4, W|M|P, NXM0(7), OXM(11))                                       \
 X(IPV4_DST, "nw_dst", "ip_dst", key.nw_dst, 32, 0,                           \
   IPV4, IPV4, W|M|P, NXM0(8), OXM(12))                                       \
 X(IPV6_SRC, "ipv6_src", NULL, key.ipv6_src, 128, 0,                          \
   IPV6, IPV6, W|M|P, NXM1(19), OXM(26))                                      \
 X(IPV6_DST, "ipv6_dst", NULL, key.ipv6_dst, 128, 0,                          \
   IPV6, IPV6, W|M|P, NXM1(20), OXM(27))                                      \
 X(IPV6_LABEL, "ipv6_label", NULL, key.ipv6_label, 20, 0,                     \
   IPV6, HEX, W|M|P, NXM1(27), OXM(28))                                       \
 X(IPV6_EXTHDR, "ipv6_exthdr", NULL, key.ipv6_exthdr, 9, 0,                   \
   IPV6, EXTHDR, M, OXM_NONE, OXM(39))                                        \
 X(IP_PROTO, "nw_proto", "ip_proto", key.nw_proto, 8, 0,                      \
   IP, DECIMAL, 0, NXM0(6), OXM(10))                                          \
 X(IP_DSCP, "ip_dscp", NULL, key.nw_tos, 6, 2,                                \
   IP, DECIMAL, W|P, OXM_NONE, OXM(8))                                        \
 X(NW_TOS, "nw_tos", NULL, key.nw_tos, 8, 0,                                  \
   IP, DECIMAL, W|P, NXM0(5), OXM_NONE)                                       \
 X(IP_ECN, "nw_ecn", "ip_ecn", key.nw_tos, 2, 0,                              \
   IP, DECIMAL, W|P, NXM1(28), OXM(9))                                        \
 X(IP_TTL, "nw_ttl", NULL, key.nw_ttl, 8, 0,                                  \
   IP, DECIMAL, W|P, NXM1(29), OXM_NONE)                                      \
 X(IP_FRAG, "ip_frag", "nw_frag", key.nw_frag, 2, 0,                          \
   IP, FRAG, M, NXM1(26), OXM_NONE)                                           \
 X(ARP_OP, "arp_op", NULL, key.arp_op, 16, 0,                                 \
   ARP, DECIMAL, W|P, NXM0(15), OXM(21))                                      \
 X(ARP_SPA, "arp_spa", NULL, key.nw_src, 32, 0,                               \
   ARP, IPV4, W|M|P, NXM0(16), OXM(22))                                       \
 X(ARP_TPA, "arp_tpa", NULL, key.nw_dst, 32, 0,                               \
   ARP, IPV4, W|M|P, NXM0(17), OXM(23))                                       \
 X(ARP_SHA, "arp_sha", NULL, key.arp_sha, 48, 0,                              \
   ARP, ETH, W|M|P, NXM1(17), OXM(24))                                        \
 X(ARP_THA, "arp_tha", NULL, key.arp_tha, 48, 0,                              \
   ARP, ETH, W|M|P, NXM1(18), OXM(25))                                        \
 X(TCP_SRC, "tcp_src", "tp_src", key.tp_src, 16, 0,                           \
   TCP, DECIMAL, W|M|P, NXM0(9), OXM(13))                                     \
 X(TCP_DST, "tcp_dst", "tp_dst", key.tp_dst, 16, 0,                           \
   TCP, DECIMAL, W|M|P, NXM0(10), OXM(14))                                    \
 X(TCP_FLAGS, "tcp_flags", NULL, key.tcp_flags, 12, 0,                        \
   TCP, TCP_FLAGS, M, NXM1(34), OXM(42))                                      \
 X(UDP_SRC, "udp_src", NULL, key.tp_src, 16, 0,                               \
   UDP, DECIMAL, W|M|P, NXM0(11), OXM(15))                                    \
 X(UDP_DST, "udp_dst", NULL, key.tp_dst, 16, 0,                               \
   UDP, DECIMAL, W|M|P, NXM0(12), OXM(16))                                    \
 X(SCTP_SRC, "sctp_src", NULL, key.tp_src, 16, 0,                             \
   SCTP, DECIMAL, W|M|P, OXM_NONE, OXM(17))                                   \
 X(SCTP_DST, "sctp_dst", NULL, key.tp_dst, 16, 0,                             \
   SCTP, DECIMAL, W|M|P, OXM_NONE, OXM(18))                                   \
 X(ICMPV4_TYPE, "icmp_type", "icmpv4_type", key.tp_src, 8, 0,                 \
   ICMPV4, DECIMAL, W|P, NXM0(13), OXM(19))                                   \
 X(ICMPV4_CODE, "icmp_code", "icmpv4_code", key.tp_dst, 8, 0,                 \
   ICMPV4, DECIMAL, W|P, NXM0(14), OXM(20))                                   \
 X(ICMPV6_TYPE, "icmpv6_type", NULL, key.tp_src, 8, 0,                        \
   ICMPV6, DECIMAL, W|P, NXM1(21), OXM(29))                                   \
 X(ICMPV6_CODE, "icmpv6_code", NULL, key.tp_dst, 8, 0,                        \
   ICMPV6, DECIMAL, W|P, NXM1(22), OXM(30))                                   \
 X(ND_TARGET, "nd_target", NULL, key.nd_target, 128, 0,                       \
   ND, IPV6, W|M|P, NXM1(23), OXM(31))                                        \
 X(ND_SLL, "nd_sll", NULL, key.arp_sha, 48, 0,                                \
   ND_SOLICIT, ETH, W|M|P, NXM1(24), OXM(32))                                 \
 X(ND_TLL, "nd_tll", NULL, key.arp_tha, 48, 0,                                \
   ND_ADVERT, ETH, W|M|P, NXM1(25), OXM(33))                                  \
 X(ND_RESERVED, "nd_reserved", NULL, key.nd_reserved, 32, 0,                  \
   ND, DECIMAL, W|M|P, OXM_NONE, OXM_ERICSSON(1))                             \
 X(ND_OPTIONS_TYPE, "nd_options_type", NULL, key.nd_options_type, 8, 0,       \
   ND, DECIMAL, M, OXM_NONE, OXM_ERICSSON(2))                                 \
 X(TUN_ID, "tun_id", "tunnel_id", key.tun_id, 64, 0,                          \
   NONE, HEX, W|M, NXM1(16), OXM(38))                                         \
 X(TUN_TOS, "tun_tos", NULL, key.tun_tos, 8, 0,                               \
   NONE, DECIMAL, W|M, OXM_NONE, OXM_NONE)                                    \
 X(TUN_TTL, "tun_ttl", NULL, key.tun_ttl, 8, 0,                               \
   NONE, DECIMAL, W|M, OXM_NONE, OXM_NONE)                                    \
 X(TUN_FLAGS, "tun_flags", NULL, key.tun_flags, 16, 0,                        \
   NONE, TUN_FLAGS, W|M, NXM1(104), OXM_NONE)                                 \
 X(TUN_SRC, "tun_src", NULL, key.tun_src4, 32, 0,                             \
   NONE, IPV4, W|M, NXM1(31), OXM_NONE)                                       \
 X(TUN_DST, "tun_dst", NULL, key.tun_dst4, 32, 0,                             \
   NONE, IPV4, W|M, NXM1(32), OXM_NONE)                                       \
 X(TUN_IPV6_SRC, "tun_ipv6_src", NULL, key.tun_src, 128, 0,                   \
   NONE, IPV6, W|M, NXM1(109), OXM_NONE)                                      \
 X(TUN_IPV6_DST, "tun_ipv6_dst", NULL, key.tun_dst, 128, 0,                   \
   NONE, IPV6, W|M, NXM1(110), OXM_NONE)                                      \
 X(TUN_GBP_ID, "tun_gbp_id", NULL, key.tun_gbp_id, 16, 0,                     \
   NONE, HEX, W|M, NXM1(38), OXM_NONE)                                        \
 X(TUN_GBP_FLAGS, "tun_gbp_flags", NULL, key.tun_gbp_flags, 8, 0,             \
   NONE, HEX, W|M, NXM1(39), OXM_NONE)                                        \
 FIELD_TUN_OPTS(X)                                                            \
 X(PKT_MARK, "pkt_mark", NULL, key.pkt_mark, 32, 0,                           \
   NONE, HEX, W|M, NXM1(33), OXM_NONE)                                        \
 X(CT_STATE, "ct_state", NULL, key.ct_state, 32, 0,                           \
   NONE, CT_STATE, M, NXM1(105), OXM_NONE)                                    \
 X(CT_ZONE, "ct_zone", NULL, key.ct_zone, 16, 0,                              \
   NONE, DECIMAL, 0, NXM1(106), OXM_NONE)                                     \
 X(CT_MARK, "ct_mark", NULL, key.ct_mark, 32, 0,                              \
   NONE, HEX, W|M, NXM1(107), OXM_NONE)                                       \
 X(CT_LABEL, "ct_label", NULL, key.ct_label, 128, 0,                          \
   NONE, HEX, W|M, NXM1(108), OXM_NONE)                                       \
 X(CT_NW_PROTO, "ct_nw_proto", NULL, key.ct_nw_proto, 8, 0,                   \
   IP, DECIMAL, 0, NXM1(119), OXM_NONE)                                       \
 X(CT_NW_SRC, "ct_nw_src", NULL, key.ct_src4, 32, 0,                          \
   IPV4, IPV4, M, NXM1(120), OXM_NONE)                                        \
 X(CT_NW_DST, "ct_nw_dst", NULL, key.ct_dst4, 32, 0,                          \
   IPV4, IPV4, M, NXM1(121), OXM_NONE)                                        \
 X(CT_IPV6_SRC, "ct_ipv6_src", NULL, key.ct_src, 128, 0,                      \
   IPV6, IPV6, M, NXM1(122), OXM_NONE)                                        \
 X(CT_IPV6_DST, "ct_ipv6_dst", NULL, key.ct_dst, 128, 0,                      \
   IPV6, IPV6, M, NXM1(123), OXM_NONE)                                        \
 X(CT_TP_SRC, "ct_tp_src", NULL, key.ct_tp_src, 16, 0,                        \
   IP, DECIMAL, M, NXM1(124), OXM_NONE)                                       \
 X(CT_TP_DST, "ct_tp_dst", NULL, key.ct_tp_dst, 16, 0,                        \
   IP, DECIMAL, M, NXM1(125), OXM_NONE)                                       \
 X(METADATA, "metadata", NULL, metadata, 64, 0,                               \
   NONE, HEX, W|M|L, OXM_NONE, OXM(2))                                        \
 FIELD_REGS(X)                                                                \
 X(CONJ_ID, "conj_id", NULL, conj_id, 32, 0,                                  \
   NONE, DECIMAL, L, NXM1(37), OXM_NONE)                                      \
 X(ACTSET_OUTPUT, "actset_output", NULL, actset_output, 32, 0,                \
   NONE, PORT, L, OXM_NONE, OXM(43))                                          \
 X(SKB_PRIORITY, "skb_priority", NULL, skb_priority, 32, 0,                   \
   NONE, HEX, L, OXM_NONE, OXM_NONE)                                          \
 X(PACKET_TYPE, "packet_type", NULL, packet_type, 32, 0,                      \
   NONE, PACKET_TYPE, L, OXM_NONE, OXM(44))

/* A tunnel's options (Geneve's TLVs), as the switch maps them to fields: 256
 * bytes in all, of which the first fields get more.  Shorter options lie at the
 * end of their field. */
#define FIELD_TUN_OPT(X, N, OFS, BITS)                                       \
 X(TUN_METADATA##N, "tun_metadata" #N, NULL, key.tun_metadata[OFS], BITS, 0,  \
   NONE, HEX, W|M, NXM1(40 + N), OXM_NONE)
#define FIELD_TUN_OPTS(X)                                                     \
 FIELD_TUN_OPT(X, 0, 0, 128) FIELD_TUN_OPT(X, 1, 16, 128)                     \
 FIELD_TUN_OPT(X, 2, 32, 128) FIELD_TUN_OPT(X, 3, 48, 128)                    \
 FIELD_TUN_OPT(X, 4, 64, 128) FIELD_TUN_OPT(X, 5, 80, 128)                    \
 FIELD_TUN_OPT(X, 6, 96, 128) FIELD_TUN_OPT(X, 7, 112, 128)                   \
 FIELD_TUN_OPT(X, 8, 128, 64) FIELD_TUN_OPT(X, 9, 136, 64)                    \
 FIELD_TUN_OPT(X, 10, 144, 64) FIELD_TUN_OPT(X, 11, 152, 64)                  \
 FIELD_TUN_OPT(X, 12, 160, 64) FIELD_TUN_OPT(X, 13, 168, 64)                  \
 FIELD_TUN_OPT(X, 14, 176, 64) FIELD_TUN_OPT(X, 15, 184, 64)                  \
 FIELD_TUN_OPT(X, 16, 192, 32) FIELD_TUN_OPT(X, 17, 196, 32)                  \
 FIELD_TUN_OPT(X, 18, 200, 32) FIELD_TUN_OPT(X, 19, 204, 32)                  \
 FIELD_TUN_OPT(X, 20, 208, 32) FIELD_TUN_OPT(X, 21, 212, 32)                  \
 FIELD_TUN_OPT(X, 22, 216, 32) FIELD_TUN_OPT(X, 23, 220, 32)                  \
 FIELD_TUN_OPT(X, 24, 224, 32) FIELD_TUN_OPT(X, 25, 228, 32)                  \
 FIELD_TUN_OPT(X, 26, 232, 32) FIELD_TUN_OPT(X, 27, 236, 32)                  \
 FIELD_TUN_OPT(X, 28, 240, 32) FIELD_TUN_OPT(X, 29, 244, 32)                  \
 FIELD_TUN_OPT(X, 30, 248, 32) FIELD_TUN_OPT(X, 31, 252, 32)
#define FIELD_REG(X, N)                                                       \
 X(REG##N, "reg" #N, NULL, regs[N], 32, 0, NONE, HEX, W|M|L, NXM1(N),         \
   OXM_NONE)
#define FIELD_XREG(X, N, FIRST)                                               \
 X(XREG##N, "xreg" #N, NULL, regs[FIRST], 64, 0, NONE, HEX, W|M|L, OXM_NONE,  \
   OXM_REG(N))
#define FIELD_XXREG(X, N, FIRST)                                              \
 X(XXREG##N, "xxreg" #N, NULL, regs[FIRST], 128, 0, NONE, HEX, W|M|L,         \
   NXM1(111 + N), OXM_NONE)
#define FIELD_REGS(X)                                                         \
 FIELD_REG(X, 0) FIELD_REG(X, 1) FIELD_REG(X, 2) FIELD_REG(X, 3)              \
 FIELD_REG(X, 4) FIELD_REG(X, 5) FIELD_REG(X, 6) FIELD_REG(X, 7)              \
 FIELD_REG(X, 8) FIELD_REG(X, 9) FIELD_REG(X, 10) FIELD_REG(X, 11)            \
 FIELD_REG(X, 12) FIELD_REG(X, 13) FIELD_REG(X, 14) FIELD_REG(X, 15)          \
 FIELD_XREG(X, 0, 0) FIELD_XREG(X, 1, 2) FIELD_XREG(X, 2, 4)                  \
 FIELD_XREG(X, 3, 6) FIELD_XREG(X, 4, 8) FIELD_XREG(X, 5, 10)                 \
 FIELD_XREG(X, 6, 12) FIELD_XREG(X, 7, 14)                                    \
 FIELD_XXREG(X, 0, 0) FIELD_XXREG(X, 1, 4) FIELD_XXREG(X, 2, 8)               \
 FIELD_XXREG(X, 3, 12)

enum field_id {
#define X(ID, ...) FIELD_##ID,
    FIELDS(X)
#undef X
    N_FIELDS
};
#undef W
#undef M
#undef P
#undef L

struct field {
    enum field_id id;
    const char *name;
    const char *alias;            /* NULL: none */
    uint16_t ofs;                 /* of the member, in struct flow */
    uint8_t n_bytes;              /* of the member */
    uint8_t n_bits;
    uint8_t shift;
    enum field_prereq prereq;
    enum field_format format;
    unsigned int flags;           /* enum field_flags */
    uint32_t nxm;                 /* header without length, OXM_NONE: none */
    uint32_t oxm;
};

const struct field *field_by_id(enum field_id);
/* By name or alias, also in the wire names' spelling ("NXM_OF_ETH_DST",
 * "OXM_OF_ETH_DST", "NXM_NX_REG0"); NULL. */
const struct field *field_by_name(const char *name);
/* The wire name: "NXM_OF_ETH_DST", "OXM_OF_METADATA"; the plain name of a field
 * that is in no class. */
void field_format_wire_name(const struct field *, struct str *);

static inline u128
field_ones(const struct field *field)
{
    return field->n_bits == 128 ? ~(u128) 0 : ((u128) 1 << field->n_bits) - 1;
}

/* Both ignore prerequisites; fields that a packet lacks read as zero. */
u128 field_get(const struct field *, const struct flow *);
/* Bits of `mask` (within the field's width) take those of `value`. */
void field_set(const struct field *, struct flow *, u128 value, u128 mask);

/* A tunnel's option?  And anything that describes the tunnel? */
static inline bool
field_is_tun_metadata(enum field_id id)
{
    return id >= FIELD_TUN_METADATA0 && id <= FIELD_TUN_METADATA31;
}

static inline bool
field_is_of_tunnel(enum field_id id)
{
    return id >= FIELD_TUN_ID && id <= FIELD_TUN_METADATA31;
}

/* What is known of a packet besides its bytes, as packet-ins show it. */
static inline bool
field_is_shown(enum field_id id)
{
    return id == FIELD_IN_PORT || id == FIELD_METADATA || id == FIELD_PKT_MARK
           || (id >= FIELD_REG0 && id <= FIELD_REG15)
           || field_is_of_tunnel(id);
}

/* 4 or 6 for a tunnel's address, which says of which family the tunnel is and
 * is a value of struct flow's tun_family; 0 for every other field. */
uint8_t field_tun_family(const struct field *);

/* Does `flow` have what the field requires? */
bool field_prereq_met(const struct field *, const struct flow *);
/* Marks in `mask` the bits that field_prereq_met() looks at. */
void field_prereq_mask(const struct field *, struct flow_mask *);
/* The words of struct flow that the field lies in: first and count (1 or 2). */
static inline unsigned int
field_word(const struct field *field)
{
    return field->ofs / 8;
}

/* The first and last of them, by id; small, for loops over all fields. */
extern const uint8_t field_words[N_FIELDS][2];

/* Are the words that the field lies in zero?  Then so is the field. */
static inline bool
field_words_are_zero(enum field_id id, const struct flow *flow)
{
    return !(flow->w[field_words[id][0]] | flow->w[field_words[id][1]]);
}

/* Text of a value: 10.0.0.1, 02:00:00:00:00:01, 0x1f, in_port names...  With a
 * mask other than all ones: VALUE/MASK, addresses as prefixes where they are. */
void field_format(const struct field *, u128 value, u128 mask, struct str *);
/* Parses VALUE or VALUE/MASK (for flag fields also +flag-flag, and flag|flag
 * for exactly these).  On failure
 * -EINVAL and a sentence in `error`. */
int field_parse(const struct field *, const char *text, u128 *value,
                u128 *mask, struct str *error);

#endif
