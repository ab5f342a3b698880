#include "controller/stage_nat.h"

#include "packet/address.h"
#include "packet/ip.h"

void
nat_begin(struct writer *w, enum stage_table table, uint16_t priority,
          uint64_t cookie, const struct topology_uplink *uplink)
{
    writer_begin(w, (uint8_t) table, priority, cookie);
    writer_match(w, FIELD_METADATA, uplink->id);
}

void
nat_match(struct writer *w, bool is_source, const struct ip6_addr *address)
{
    if (ip6_is_mapped4(address)) {
        writer_match_ip(w);
        writer_match_ip4(w, is_source ? FIELD_IPV4_SRC : FIELD_IPV4_DST,
                         get_be32(&address->b[12]));
    } else {
        writer_match_ipv6(w);
        writer_match_ip6(w, is_source ? FIELD_IPV6_SRC : FIELD_IPV6_DST,
                         address);
    }
}

void
nat_set(struct writer *w, bool is_source, const struct ip6_addr *address)
{
    if (ip6_is_mapped4(address)) {
        writer_set_ip4(w, is_source ? FIELD_IPV4_SRC : FIELD_IPV4_DST,
                       get_be32(&address->b[12]));
    } else {
        writer_set_ip6(w, is_source ? FIELD_IPV6_SRC : FIELD_IPV6_DST,
                       address);
    }
}

void
nat_hairpin(struct writer *w, const struct topology_uplink *uplink)
{
    writer_set_eth(w, FIELD_ETH_SRC, uplink->intent->mac);
    writer_set_eth(w, FIELD_ETH_DST, uplink->intent->mac);
    writer_set(w, FIELD_REG8, NAT_HAIRPIN);
    writer_set(w, FIELD_REG10, 0);
    /* It is another connection's from here on. */
    writer_ct_clear(w);
    writer_resubmit(w, STAGE_NAT_IN);
    writer_end(w);
}

unsigned int
nat_port_blocks(uint16_t first, uint16_t last,
                struct port_block blocks[NAT_MAX_BLOCKS])
{
    uint32_t at = first;
    unsigned int n = 0;

    while (at <= last) {
        uint32_t size = 1;

        while (!(at & size) && at + 2 * size - 1 <= last) {
            size *= 2;
        }
        blocks[n++] = (struct port_block) { (uint16_t) at,
                                            (uint16_t) ~(size - 1) };
        at += size;
    }
    return n;
}

void
nat_match_ports(struct writer *w, const struct intent_forward *forward,
                struct port_block block)
{
    enum field_id field = forward->listen.protocol == IP_PROTO_TCP
                          ? FIELD_TCP_DST
                          : forward->listen.protocol == IP_PROTO_UDP
                            ? FIELD_UDP_DST : FIELD_SCTP_DST;

    writer_match(w, FIELD_IP_PROTO, forward->listen.protocol);
    writer_match_masked(w, field, block.value, block.mask);
}
