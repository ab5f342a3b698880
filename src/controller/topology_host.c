/* Topology: other hosts, and who is there. */
#include <stdlib.h>

#include "controller/topology_impl.h"
#include "lib/str.h"

/* ---- Building ---- */

void
topology_build_hosts(struct topology *t)
{
    t->hosts = xcalloc(intent_count(t->intent, INTENT_HOST) + 1,
                       sizeof *t->hosts);
    INTENT_FOR_EACH_HOST (said, t->intent) {
        struct topology_host *host = &t->hosts[t->n_hosts++];

        *host = (struct topology_host) {
            .intent = said, .id = said->object.id,
            .is_here = t->host && !strcmp(t->host, said->object.name),
        };
        id_map_set(&t->by_id, host->id, host);
        if (host->is_here) {
            t->own_host = host;
        }
    }
}

void
topology_clear_hosts(struct topology *t)
{
    id_map_fini(&t->by_away);
    free(t->hosts);
}

static const struct topology_host *
find_host(const struct topology *t, uint64_t id)
{
    return id >> 60 == INTENT_HOST + 1 ? id_map_find(&t->by_id, id) : NULL;
}

static bool
is_host(const void *t, uint64_t id)
{
    return find_host(t, id) != NULL;
}

/* Who has it knows best: by the file it may have left already, or not yet have
 * come. */
const struct topology_host *
topology_place(const struct topology *t, const struct intent_port *port)
{
    uint64_t said = t->remote && port->host[0]
                    ? remote_place(t->remote, port->object.id, is_host, t)
                    : 0;

    return find_host(t, said ? said : intent_object_id(INTENT_HOST,
                                                       port->host));
}

bool
topology_is_here(const struct topology *t, const struct intent_port *port)
{
    const struct topology_host *host = port->host[0]
                                       ? topology_place(t, port) : NULL;

    return !port->host[0]
           || (host ? host->is_here : t->host && !strcmp(t->host, port->host));
}

static bool
has_address6(const struct topology_member *member,
             const struct ip6_addr *address)
{
    for (unsigned int i = 0; i < member->n_addresses6; i++) {
        if (ip6_addr_eq(member->addresses6[i], *address)) {
            return true;
        }
    }
    return false;
}

void
topology_add_said(const struct topology *t, struct topology_member *member)
{
    const struct remote_member *said
        = t->remote ? remote_member(t->remote, member->port->host->id,
                                    member->port->id, member->network->id)
                    : NULL;

    if (!said) {
        return;
    }
    member->address = member->address ? member->address : said->address;
    for (unsigned int i = 0; i < said->n_addresses6; i++) {
        if (member->n_addresses6 < MEMBER_MAX_ADDRESSES6
            && !has_address6(member, &said->addresses6[i])) {
            member->addresses6[member->n_addresses6++] = said->addresses6[i];
        }
    }
}

bool
topology_concerns_us(const struct topology_network *network)
{
    return topology_is_overlay(network)
           && (network->n_members || network->router || network->uplink);
}

/* The host's row among the network's, made when new. */
static struct network_host *
row_of(struct topology_network *network, const struct topology_host *host)
{
    for (unsigned int i = 0; i < network->n_hosts; i++) {
        if (network->hosts[i].host == host) {
            return &network->hosts[i];
        }
    }
    network->hosts[network->n_hosts]
        = (struct network_host) { .host = host };
    return &network->hosts[network->n_hosts++];
}

static void
find_gateway(const struct topology *t, struct topology_network *network)
{
    const struct intent_uplink *uplink = network->intent->segment.uplink;

    for (unsigned int i = 0; uplink && i < t->n_hosts; i++) {
        if (!t->hosts[i].is_here
            && !strcmp(t->hosts[i].intent->object.name, uplink->at)) {
            row_of(network, &t->hosts[i])->is_gateway = true;
            network->n_strangers_away++;
        }
    }
}

/* The LAN beyond a gateway counts as a router. */
static bool
hears_all(const struct topology *t, const struct topology_network *network,
          const struct network_host *row)
{
    return row->is_gateway || !t->remote
           || remote_hears_all(t->remote, row->host->id, network->id);
}

/* May it have addresses that are not known here?  A host that speaks says all. */
static bool
is_stranger(const struct topology *t, const struct topology_member *member)
{
    bool is_said = t->remote
                   && remote_member(t->remote, member->port->host->id,
                                    member->port->id, member->network->id);

    return topology_is_unknown(member)
           || (!member->address
               && (!is_said || member->network->intent->subnet.is_set));
}

void
topology_build_network_hosts(struct topology *t,
                             struct topology_network *network)
{
    if (!topology_concerns_us(network)) {
        return;
    }
    network->hosts = xcalloc(t->n_hosts + 1, sizeof *network->hosts);
    for (unsigned int i = 0; i < network->n_aways; i++) {
        const struct topology_member *member = network->aways[i];
        struct network_host *row = row_of(network, member->port->host);

        row->n_members++;
        row->n_unknown += topology_is_unknown(member);
        row->n_asked += topology_is_asked(member);
        network->n_strangers_away += is_stranger(t, member);
    }
    find_gateway(t, network);
    for (unsigned int i = 0; i < network->n_hosts; i++) {
        network->hosts[i].hears_all = hears_all(t, network,
                                                &network->hosts[i]);
    }
}

const struct network_host *
topology_network_host(const struct topology_network *network, uint64_t host)
{
    for (unsigned int i = 0; i < network->n_hosts; i++) {
        if (network->hosts[i].host->id == host) {
            return &network->hosts[i];
        }
    }
    return NULL;
}

/* ---- Changes ---- */

static void
add_port(const struct topology_port *port, struct unit_set *dirty)
{
    unit_set_add(dirty, (struct unit) { port->id, UNIT_PORT, 0 });
}

/* The topology compares planned ones alone: for ports that are here, the others
 * are set later. */
static bool
same_addresses6(const struct topology_port *a, const struct topology_port *b)
{
    for (unsigned int i = 0; i < a->n_members; i++) {
        const struct topology_member *x = &a->members[i];
        const struct topology_member *y = &b->members[i];

        if (x->n_addresses6 != y->n_addresses6
            || memcmp(x->addresses6, y->addresses6,
                      x->n_addresses6 * sizeof x->addresses6[0])) {
            return false;
        }
    }
    return true;
}

static bool
same_away(const struct topology_port *a, const struct topology_port *b)
{
    return b && a->intent == b->intent && a->host->id == b->host->id
           && a->host->intent == b->host->intent
           && topology_same_members(a, b) && same_addresses6(a, b)
           && topology_same_security(a, b);
}

static bool
same_hosts(const struct topology_network *a, const struct topology_network *b)
{
    if (a->n_hosts != b->n_hosts) {
        return false;
    }
    for (unsigned int i = 0; i < a->n_hosts; i++) {
        const struct network_host *x = &a->hosts[i], *y = &b->hosts[i];

        if (x->host->id != y->host->id || x->host->intent != y->host->intent
            || x->is_gateway != y->is_gateway
            || !x->n_unknown != !y->n_unknown
            || !x->n_asked != !y->n_asked || x->hears_all != y->hears_all) {
            return false;
        }
    }
    return true;
}

static const struct topology_port *
first_away(const struct topology *t)
{
    return t->ports + t->n_ports;
}

static void
compare_aways(const struct topology *a, const struct topology *b,
              struct unit_set *dirty)
{
    for (unsigned int i = 0; i < a->n_aways; i++) {
        const struct topology_port *port = &first_away(a)[i];

        if (!same_away(port, topology_away(b, port->id))) {
            add_port(port, dirty);
        }
    }
}

void
topology_follow_listening(struct topology *t, struct unit_set *dirty)
{
    for (unsigned int i = 0; i < t->n_networks; i++) {
        struct topology_network *network = &t->networks[i];

        for (unsigned int k = 0; k < network->n_hosts; k++) {
            struct network_host *row = &network->hosts[k];

            if (row->hears_all != hears_all(t, network, row)) {
                row->hears_all = !row->hears_all;
                /* Groups leave out who hears all. */
                topology_touch_network(network, dirty);
            }
        }
    }
}

/* Whose frames are let in by tunnels at all. */
static bool
same_ends(const struct topology *a, const struct topology *b)
{
    if (a->n_hosts != b->n_hosts || !a->own_host != !b->own_host) {
        return false;
    }
    for (unsigned int i = 0; i < a->n_hosts; i++) {
        if (a->hosts[i].intent != b->hosts[i].intent) {
            return false;
        }
    }
    return true;
}

void
topology_compare_hosts(const struct topology *was, const struct topology *is,
                       struct unit_set *dirty)
{
    compare_aways(was, is, dirty);
    compare_aways(is, was, dirty);
    for (unsigned int i = 0; i < is->n_networks; i++) {
        const struct topology_network *network = &is->networks[i];
        const struct topology_network *old = topology_network(was,
                                                              network->id);

        if (old && (!same_hosts(old, network)
                    || topology_concerns_us(old)
                       != topology_concerns_us(network))) {
            topology_touch_network(network, dirty);
        }
    }
    if (!same_ends(was, is)) {
        topology_touch_tunnels(is, dirty);
    }
}

void
topology_host_units(const struct topology *t, struct unit_set *units)
{
    for (unsigned int i = 0; i < t->n_aways; i++) {
        add_port(&first_away(t)[i], units);
    }
}

void
topology_touch_tunnels(const struct topology *t, struct unit_set *dirty)
{
    unit_set_add(dirty, (struct unit) { 0, UNIT_BASE, 0 });
    for (unsigned int i = 0; i < t->n_networks; i++) {
        if (topology_is_overlay(&t->networks[i]) || t->networks[i].uplink) {
            topology_touch_network(&t->networks[i], dirty);
        }
    }
    for (unsigned int i = 0; i < t->n_uplinks; i++) {
        unit_set_add(dirty, (struct unit) { t->uplinks[i].id, UNIT_UPLINK,
                                            0 });
    }
    topology_host_units(t, dirty);
}

/* ---- Look-ups ---- */

const struct topology_port *
topology_away(const struct topology *t, uint64_t id)
{
    return id_map_find(&t->by_away, id);
}

const struct topology_host *
topology_hosts(const struct topology *t, unsigned int *n)
{
    *n = t->n_hosts;
    return t->hosts;
}

const struct ip6_addr *
topology_own_end(const struct topology *t)
{
    return t->own_host ? &t->own_host->intent->tunnel : NULL;
}

uint32_t
topology_tunnel(const struct topology *t, enum segment_type type)
{
    return t->own_host && type >= SEGMENT_VXLAN
           ? topology_number_of(t, segment_type_word(type)) : 0;
}
