/* The controller: what it can say of ports, leases, groups and links, and of who
 * can reach whom. */
#include "controller/controller_impl.h"

#include "controller/acl.h"
#include "controller/service_counters.h"
#include "controller/stage.h"
#include "intent/security_rule.h"
#include "packet/address.h"
#include "service/lease.h"

be32
controller_port_address(const struct controller *c, const char *name)
{
    const struct topology_port *port = topology_port(
        c->topology, intent_object_id(INTENT_PORT, name));

    for (unsigned int i = 0; port && i < port->n_members; i++) {
        if (!port->members[i].vid) {
            return port->members[i].address;
        }
    }
    return 0;
}

/* The texts live in `buf`. */
static struct controller_port
describe_port(const struct topology_port *port,
              char buf[3][ADDRESS_TEXT_SIZE])
{
    struct controller_port info = {
        .intent = port->intent, .number = port->number,
        .address = "", .address6 = "", .held = "",
        .mac = eth_addr_format(port->intent->mac, buf[2]),
    };

    for (unsigned int i = 0; i < port->n_members; i++) {
        const struct topology_member *member = &port->members[i];

        if (member->vid) {
            continue;
        }
        if (member->address) {
            info.address = ip4_format(member->address, buf[0]);
        }
        /* The first is the link-local one. */
        if (member->n_addresses6 > 1) {
            info.address6 = ip6_format(member->addresses6[1], buf[1]);
        }
    }
    return info;
}

void
controller_visit_ports(const struct controller *c,
                       void (*visit)(void *aux,
                                     const struct controller_port *),
                       void *aux)
{
    const struct intent *intent = topology_intent(c->topology);

    if (!intent) {
        return;
    }
    INTENT_FOR_EACH_PORT (wanted, intent) {
        const struct topology_port *port = topology_port(c->topology,
                                                         wanted->object.id);
        char buf[3][ADDRESS_TEXT_SIZE];

        if (port) {
            struct controller_port info = describe_port(port, buf);
            struct str held = STR_INIT;

            if (serve_loop_reason(c->loops, wanted->object.name, &held)) {
                info.held = str_text(&held);
            }
            visit(aux, &info);
            str_fini(&held);
        }
    }
}

const char *
controller_stage_name(uint8_t table)
{
    return stage_name(table);
}

void
controller_visit_counters(const struct controller *c,
                          service_counter_visitor *visit, void *aux)
{
    const struct services services = {
        &c->packet_ins, c->dhcp, c->dhcp6, &c->nd, c->bindings, c->dns,
        c->multicast, &c->route, serve_next_hop_state(c->next_hops),
        c->probes,
    };

    service_counters_visit(&services, visit, aux);
}

struct lease_visit {
    void (*visit)(void *aux, const struct controller_lease *);
    void *aux;
};

static const char *
lease_state_name(enum lease_state state)
{
    static const char *const names[] = {
        [LEASE_OFFERED] = "offered", [LEASE_BOUND] = "bound",
        [LEASE_PAST] = "past", [LEASE_DECLINED] = "declined",
    };

    return names[state];
}

static void
visit_lease(void *aux, const char *network, const struct lease_record *lease,
            int64_t seconds_left)
{
    const struct lease_visit *v = aux;
    char address[ADDRESS_TEXT_SIZE], mac[ADDRESS_TEXT_SIZE];

    v->visit(v->aux, &(struct controller_lease) {
        .network = network,
        .address = ip4_format(lease->addr, address),
        .mac = eth_addr_format(lease->mac, mac),
        .state = lease_state_name(lease->state),
        .port = lease->port,
        .hostname = lease->hostname,
        .seconds_left = seconds_left,
    });
}

static void
visit_lease6(void *aux, const char *network,
             const struct lease6_record *lease, int64_t seconds_left)
{
    const struct lease_visit *v = aux;
    char address[ADDRESS_TEXT_SIZE], mac[ADDRESS_TEXT_SIZE];

    v->visit(v->aux, &(struct controller_lease) {
        .network = network,
        .address = ip6_format(lease->addr, address),
        .mac = eth_addr_format(lease->mac, mac),
        .state = lease_state_name(lease->state),
        .port = lease->port,
        .hostname = lease->hostname,
        .seconds_left = seconds_left,
    });
}

void
controller_visit_leases(const struct controller *c,
                        void (*visit)(void *aux,
                                      const struct controller_lease *),
                        void *aux)
{
    struct lease_visit v = { visit, aux };

    serve_dhcp_visit(c->dhcp, visit_lease, &v);
    serve_dhcp6_visit(c->dhcp6, visit_lease6, &v);
}

void
controller_visit_links(const struct controller *c,
                       void (*visit)(void *aux,
                                     const struct controller_link *),
                       void *aux)
{
    serve_bond_visit(c->bonds, visit, aux);
}

void
controller_visit_tunnels(const struct controller *c,
                         void (*visit)(void *aux,
                                       const struct controller_tunnel *),
                         void *aux)
{
    serve_probe_visit(c->probes, visit, aux);
}

struct listener_visit {
    void (*visit)(void *aux, const struct controller_listener *);
    void *aux;
};

static void
visit_listener(void *aux, const struct multicast_row *row)
{
    const struct listener_visit *v = aux;
    char group[ADDRESS_TEXT_SIZE];
    const struct ip6_addr *address = row->group;

    v->visit(v->aux, &(struct controller_listener) {
        .network = row->network->intent->object.name,
        .group = !address ? NULL
                 : ip6_is_mapped4(address)
                 ? ip4_format(get_be32(&address->b[12]), group)
                 : ip6_format(*address, group),
        .port = row->port,
        .seconds_left = row->left == INT64_MAX ? INT64_MAX
                                               : (row->left + 999) / 1000,
    });
}

void
controller_visit_listeners(const struct controller *c,
                           void (*visit)(void *aux,
                                         const struct controller_listener *),
                           void *aux)
{
    struct listener_visit v = { visit, aux };

    serve_multicast_visit(c->multicast, visit_listener, &v);
}

/* ---- Explain ---- */

int
controller_explain_ask(const struct controller *c, const char *from,
                       const char *to, const char *what, struct explain *e,
                       struct str *error)
{
    return explain_ask(c->topology, from, to, what, e, error);
}

static void
add_origin(void *c, uint64_t cookie, struct str *out)
{
    controller_explain_cookie(c, cookie, out);
}

void
controller_explain_add(const struct controller *c, struct explain *e,
                       enum explain_leg_id leg,
                       const struct explain_outcome *outcome)
{
    explain_add_outcome(e, leg, outcome, add_origin,
                        (void *) (uintptr_t) c);
}

struct lease_search {
    const char *network, *address;
    bool is_bound;
};

static void
look_at_lease(void *aux, const struct controller_lease *lease)
{
    struct lease_search *search = aux;

    search->is_bound |= !strcmp(lease->network, search->network)
                        && !strcmp(lease->address, search->address)
                        && !strcmp(lease->state, "bound");
}

/* A guest that has not asked for its address yet does not answer to it. */
static void
note_lease(const struct controller *c, const struct explain_side *side,
           struct explain *e)
{
    const struct topology_port *port = topology_port(
        c->topology, intent_object_id(INTENT_PORT, side->port));
    const struct topology_network *network = topology_network(
        c->topology, intent_object_id(INTENT_NETWORK, side->network));
    struct lease_search search = { side->network, str_text(&side->address),
                                   false };

    if (!port || !network || e->is_v6 || side->is_spoofed
        || port->intent->configure || !network->intent->subnet.is_set
        || network->intent->dhcp.is_off) {
        return;
    }
    controller_visit_leases(c, look_at_lease, &search);
    if (!search.is_bound) {
        str_addf(&e->notes, "port '%s' has not asked for its address %s yet "
                 "(no DHCP lease)\n", side->port, search.address);
    }
}

static void
note_leases(const struct controller *c, struct explain *e)
{
    note_lease(c, &e->from, e);
    if (strcmp(e->from.port, e->to.port)) {
        note_lease(c, &e->to, e);
    }
}

/* Is the way to its host known to carry anything? */
static void
note_tunnel(const struct controller *c, const struct explain_side *side,
            struct explain *e)
{
    const struct topology_port *port = topology_away(
        c->topology, intent_object_id(INTENT_PORT, side->port));

    if (port && port->n_members) {
        serve_probe_note(c->probes, port->host->id,
                         port->members[0].network->intent->segment.type,
                         &e->notes);
    }
}

static void
note_state(const struct controller *c, struct explain *e)
{
    note_leases(c, e);
    note_tunnel(c, &e->from, e);
    note_tunnel(c, &e->to, e);
}

void
controller_explain_decide(const struct controller *c, struct explain *e)
{
    explain_decide(e);
    note_state(c, e);
}

void
controller_explain_by_plan(const struct controller *c, struct explain *e)
{
    explain_by_plan(c->topology, e, add_origin, (void *) (uintptr_t) c);
    note_state(c, e);
}

uint8_t
controller_security_table(bool is_in)
{
    return is_in ? acl_in.rules : acl_out.rules;
}

uint32_t
controller_security_rule(uint32_t label)
{
    uint32_t id = label & ~(ACL_LABEL_CUT | ACL_LABEL_OURS);

    return id <= SECURITY_RULE_ID_MAX ? id : 0;
}
