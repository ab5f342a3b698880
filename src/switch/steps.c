#include "switch/steps.h"

#define MEMBER(M) offsetof(struct flow, M), sizeof(((struct flow *) 0)->M)

/* Bytes [ofs, ofs + size) belong to this step; rows of one step lie together.
 * What no row names belongs to the last step. */
struct row {
    enum {
        WHERE, REGISTERS, TUNNEL, CONNECTION, KIND, ETH_DST, ETH_SRC, MPLS,
        DST_8, DST_16, DST_24, DST_32, SRC_16, SRC_32,
        DST6_32, DST6_48, DST6_64, DST6_128, SRC6_48, SRC6_64, SRC6_128,
        NEIGHBOUR, NETWORK, TRANSPORT, N_STEPS,
    } step;
    size_t ofs;
    size_t size;
};
static_assert((int) N_STEPS <= (int) MAX_STEPS, "more steps: grow MAX_STEPS");

static const struct row rows[] = {
    { WHERE, MEMBER(key.in_port) },
    { WHERE, MEMBER(key.recirc_id) },
    { WHERE, MEMBER(metadata) },
    { WHERE, MEMBER(packet_type) },
    { REGISTERS, MEMBER(regs) },
    { REGISTERS, MEMBER(conj_id) },
    { REGISTERS, MEMBER(actset_output) },
    { REGISTERS, MEMBER(skb_priority) },
    { TUNNEL, offsetof(struct flow, key.tun_id),
      offsetof(struct flow, key.ct_state) - offsetof(struct flow, key.tun_id) },
    { TUNNEL, MEMBER(key.tun_metadata) },
    { CONNECTION, offsetof(struct flow, key.ct_state),
      offsetof(struct flow, key.tun_metadata)
      - offsetof(struct flow, key.ct_state) },
    { CONNECTION, MEMBER(key.pkt_mark) },
    { KIND, MEMBER(key.eth_type) },
    { KIND, MEMBER(key.vlan_tci) },
    { KIND, MEMBER(key.vlan_tpid) },
    { KIND, MEMBER(key.vlan_inner) },
    { KIND, MEMBER(key.nw_proto) },
    { KIND, MEMBER(key.nw_frag) },
    { ETH_DST, MEMBER(key.eth_dst) },
    { ETH_SRC, MEMBER(key.eth_src) },
    { MPLS, MEMBER(key.mpls_lse) },
    { DST_8, offsetof(struct flow, key.nw_dst), 1 },
    { DST_16, offsetof(struct flow, key.nw_dst) + 1, 1 },
    { DST_24, offsetof(struct flow, key.nw_dst) + 2, 1 },
    { DST_32, offsetof(struct flow, key.nw_dst) + 3, 1 },
    { SRC_16, offsetof(struct flow, key.nw_src), 2 },
    { SRC_32, offsetof(struct flow, key.nw_src) + 2, 2 },
    { DST6_32, offsetof(struct flow, key.ipv6_dst), 4 },
    { DST6_48, offsetof(struct flow, key.ipv6_dst) + 4, 2 },
    { DST6_64, offsetof(struct flow, key.ipv6_dst) + 6, 2 },
    { DST6_128, offsetof(struct flow, key.ipv6_dst) + 8, 8 },
    { SRC6_48, offsetof(struct flow, key.ipv6_src), 6 },
    { SRC6_64, offsetof(struct flow, key.ipv6_src) + 6, 2 },
    { SRC6_128, offsetof(struct flow, key.ipv6_src) + 8, 8 },
    { NEIGHBOUR, MEMBER(key.nd_target) },
    { NEIGHBOUR, MEMBER(key.arp_sha) },
    { NEIGHBOUR, MEMBER(key.arp_tha) },
    { NETWORK, MEMBER(key.nw_tos) },
    { NETWORK, MEMBER(key.nw_ttl) },
    { NETWORK, MEMBER(key.ipv6_label) },
    { TRANSPORT, MEMBER(key.tp_src) },
    { TRANSPORT, MEMBER(key.tp_dst) },
    { TRANSPORT, MEMBER(key.tcp_flags) },
};

void
steps_init(struct steps *steps)
{
    struct flow_mask left;

    memset(steps, 0, sizeof *steps);
    memset(&left, 0xff, sizeof left);
    steps->n = N_STEPS;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        memset((char *) &steps->list[rows[i].step] + rows[i].ofs, 0xff,
               rows[i].size);
        memset((char *) &left + rows[i].ofs, 0, rows[i].size);
    }
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        steps->list[N_STEPS - 1].bits.w[i] |= left.bits.w[i];
    }
}
