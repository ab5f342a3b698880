#include "controller/explain_tunnel.h"

#include "packet/address.h"

void
explain_tunnel_add(const struct topology *t, const struct explain_end *from,
                   const struct explain_end *to, struct str *out)
{
    const struct topology_network *network = to->network ? to->network
                                                         : from->network;
    const struct ip6_addr *own = topology_own_end(t);
    char src[ADDRESS_TEXT_SIZE], dst[ADDRESS_TEXT_SIZE];
    const char *family;

    if (!explain_is_away(from) || !own) {
        return;
    }
    family = ip6_is_mapped4(own) ? "" : "ipv6_";
    str_addf(out, ",tun_id=%u,tun_%ssrc=%s,tun_%sdst=%s",
             network->intent->segment.key, family,
             ip_format(from->port->host->intent->tunnel, src), family,
             ip_format(*own, dst));
}

void
explain_tunnel_note(const struct topology *t, const struct explain_end *end,
                    struct str *notes)
{
    const struct ip6_addr *own = topology_own_end(t);
    char here[ADDRESS_TEXT_SIZE], there[ADDRESS_TEXT_SIZE];
    const struct segment *segment;

    if (!explain_is_away(end) || !own) {
        return;
    }
    segment = &end->network->intent->segment;
    str_addf(notes, "port '%s' is at host '%s', by %s %u from %s to %s\n",
             end->port->intent->object.name,
             end->port->host->intent->object.name,
             segment_type_word(segment->type), segment->key,
             ip_format(*own, here),
             ip_format(end->port->host->intent->tunnel, there));
}
