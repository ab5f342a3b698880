#include "controller/stage_tunnel.h"

#include "packet/address.h"

uint32_t
tunnel_of(const struct topology *t, const struct topology_network *network)
{
    return topology_concerns_us(network)
           ? topology_tunnel(t, network->intent->segment.type) : 0;
}

void
tunnel_aim(struct writer *w, const struct topology_network *network,
           const struct ip6_addr *end)
{
    writer_set(w, FIELD_TUN_ID, network->intent->segment.key);
    if (ip6_is_mapped4(end)) {
        writer_set_ip4(w, FIELD_TUN_DST, get_be32(&end->b[12]));
    } else {
        writer_set_ip6(w, FIELD_TUN_IPV6_DST, end);
    }
}

void
tunnel_copy_to(struct writer *w, uint32_t number,
               const struct topology_network *network,
               const struct ip6_addr *end)
{
    tunnel_aim(w, network, end);
    writer_output(w, number);
}

void
tunnel_to_member(struct writer *w, uint32_t number,
                 const struct topology_member *member)
{
    tunnel_aim(w, member->network, &member->port->host->intent->tunnel);
    writer_output(w, number);
    writer_end(w);
}

void
tunnel_match_end(struct writer *w, const struct ip6_addr *end)
{
    if (ip6_is_mapped4(end)) {
        writer_match_ip4(w, FIELD_TUN_SRC, get_be32(&end->b[12]));
    } else {
        writer_match_ip6(w, FIELD_TUN_IPV6_SRC, end);
    }
}
