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

bool
explain_tunnel_apart(const struct topology *t, const char *from_text,
                     const char *to_text, struct explain *e)
{
    const struct intent *intent = topology_intent(t);
    const struct topology_port *from = topology_port(
        t, intent_object_id(INTENT_PORT, from_text));
    const struct intent_port *to
        = intent ? intent_port_cast(intent_find(intent, INTENT_PORT, to_text))
                 : NULL;
    const struct topology_network *own, *other;

    if (!from || !from->intent->network || !to || !to->network
        || topology_port(t, to->object.id)
        || topology_away(t, to->object.id)) {
        return false;
    }
    own = topology_network(t, from->intent->network->object.id);
    other = topology_network(t, to->network->object.id);
    if (own == other || (own->router && own->router == other->router)) {
        return false;
    }
    str_addf(&e->from.text, "%s", from_text);
    strcpy(e->from.port, from->intent->object.name);
    strcpy(e->from.network, from->intent->network->object.name);
    str_addf(&e->to.text, "%s", to_text);
    strcpy(e->to.port, to->object.name);
    strcpy(e->to.network, to->network->object.name);
    str_addf(&e->to.trouble, "port '%s' is at host '%s', in network '%s', "
             "which no router joins with '%s'", to_text, to->host,
             e->to.network, e->from.network);
    return true;
}
