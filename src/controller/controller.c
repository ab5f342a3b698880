#include "controller/controller.h"

#include <stdlib.h>

#include "controller/address_store.h"
#include "controller/packet_in.h"
#include "controller/reconcile.h"
#include "controller/serve_binding.h"
#include "controller/serve_bond.h"
#include "controller/serve_dhcp.h"
#include "controller/serve_dhcp6.h"
#include "controller/serve_dns.h"
#include "controller/serve_loop.h"
#include "controller/serve_multicast.h"
#include "controller/serve_nd.h"
#include "controller/service_counters.h"
#include "controller/stage.h"
#include "controller/switch_session.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "packet/address.h"
#include "service/lease.h"

enum { RETRY_MIN = 1000, RETRY_MAX = 60000 };         /* msec */

struct controller {
    struct controller_config config;
    struct address_store *addresses;
    struct ipam *ipam;
    struct topology *topology;
    struct desired desired;
    struct installed installed;
    struct switch_session *session;
    struct packet_in_table packet_ins;
    struct service_host services;
    struct serve_nd nd;
    struct serve_dns *dns;
    struct serve_loop *loops;
    struct serve_dhcp *dhcp;
    struct serve_dhcp6 *dhcp6;
    struct serve_binding *bindings;
    struct serve_multicast *multicast;
    struct serve_bond *bonds;

    struct unit_set dirty;        /* to be computed anew */
    struct desired_touched touched;     /* computed, to be compared */
    uint64_t generation;          /* of the topology's intents */
    uint64_t writing;             /* of those on their way */
    uint64_t synced;
    msec synced_at;
    uint64_t n_bundles, n_flow_mods;

    uv_timer_t *timer;            /* gathers a turn's changes; retries */
    msec retry;
};

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

/* ---- From changes to bundles ---- */

static void
say_synced(struct controller *c, uint64_t generation)
{
    bool is_news = generation != c->synced;

    c->synced = generation;
    c->synced_at = clock_msec();
    c->retry = RETRY_MIN;
    if (is_news && generation && c->config.synced) {
        c->config.synced(c->config.aux, generation);
    }
}

static void
compute(struct controller *c)
{
    serve_bond_follow(c->bonds);
    serve_multicast_follow(c->multicast);
    desired_update(&c->desired, c->topology, &c->dirty, &c->touched);
    unit_set_clear(&c->dirty);
}

static void
forget_touched(struct controller *c)
{
    desired_touched_fini(&c->touched);
    desired_touched_init(&c->touched);
}

static void
send_changes(struct controller *c, struct changes *changes)
{
    forget_touched(c);
    if (changes_are_none(changes)) {
        changes_fini(changes);
        say_synced(c, c->generation);
        return;
    }
    c->writing = c->generation;
    c->n_bundles++;
    c->n_flow_mods += changes->n;
    switch_session_write(c->session, changes);
}

/* What was touched since the last time. */
static void
sync_touched(struct controller *c)
{
    struct changes changes;

    compute(c);
    changes_init(&changes);
    reconcile_touched(&c->desired, &c->installed, &c->touched, &changes);
    send_changes(c, &changes);
}

/* Everything, when it was just read what the switch has. */
static void
sync_all(struct controller *c)
{
    struct changes changes;

    compute(c);
    changes_init(&changes);
    reconcile_all(&c->desired, &c->installed, &changes);
    send_changes(c, &changes);
}

static void
on_timer(uv_timer_t *timer)
{
    struct controller *c = timer->data;

    if (switch_session_state(c->session) != SWITCH_READY) {
        return;                   /* it goes on when it is */
    }
    if (c->retry > RETRY_MIN) {
        switch_session_read(c->session);
    } else {
        sync_touched(c);
    }
}

static void
schedule(struct controller *c)
{
    if (c->retry == RETRY_MIN
        && switch_session_state(c->session) == SWITCH_READY) {
        uv_timer_start(c->timer, on_timer, 0, 0);
    }
}

/* ---- What the session tells ---- */

static void
on_port(void *aux, const struct of_port_desc *desc, bool is_gone)
{
    struct controller *c = aux;

    topology_set_switch_port(c->topology, desc->name,
                             is_gone ? 0 : desc->number,
                             !(desc->state & PORT_STATE_LINK_DOWN),
                             &c->dirty);
    topology_set_switch_mac(c->topology, desc->name, desc->hw_addr,
                            &c->dirty);
    if (c->dirty.n) {
        schedule(c);
    }
}

static void
on_ready(void *aux)
{
    struct controller *c = aux;

    serve_multicast_ready(c->multicast, &c->installed.flows);
    sync_all(c);
}

/* Another switch may answer next time. */
static void
on_lost(void *aux)
{
    struct controller *c = aux;

    uv_timer_stop(c->timer);
    c->retry = RETRY_MIN;
    serve_multicast_lost(c->multicast);
    topology_clear_switch_ports(c->topology, &c->dirty);
    installed_clear(&c->installed);
    installed_forgive(&c->installed);
}

static void
on_written(void *aux, unsigned int n_refused)
{
    struct controller *c = aux;

    if (!n_refused) {
        say_synced(c, c->writing);
        if (c->dirty.n || c->touched.flows.n) {
            schedule(c);
        }
        return;
    }
    uv_timer_start(c->timer, on_timer, (uint64_t) c->retry, 0);
    c->retry = MIN(2 * c->retry, (msec) RETRY_MAX);
}

static void
on_refused(void *aux, const struct flow_change *change, enum of_error error)
{
    struct controller *c = aux;
    struct str flow = STR_INIT, origin = STR_INIT;

    flow_rule_format(change->rule, &flow);
    controller_explain_cookie(c, change->rule->cookie, &origin);
    log_limited(LOG_LEVEL_ERROR, "controller",
                "the switch refuses a flow of %s with %s: %s",
                str_text(&origin), error < N_OF_ERRORS ? of_error_name(error)
                                                       : "an error",
                str_text(&flow));
    flow_set_insert(&c->installed.refused, change->rule);
    str_fini(&flow);
    str_fini(&origin);
}

/* Flows that need it are left out: a storm cap is missing then, or a port that
 * has a rate is cut off. */
static void
on_refused_meter(void *aux, const struct meter_mod *mod, enum of_error error)
{
    struct controller *c = aux;

    log_limited(LOG_LEVEL_ERROR, "controller",
                "the switch refuses meter %u with %s: flows that need it are "
                "left out",
                mod->id, error < N_OF_ERRORS ? of_error_name(error)
                                             : "an error");
    installed_refuse_meter(&c->installed, mod->id);
}

static void
on_packet_in(void *aux, const struct of_packet_in *in)
{
    struct controller *c = aux;

    packet_in_dispatch(&c->packet_ins, c->topology, in);
}

/* ---- Making and ending ---- */

static bool
send_frame(void *aux, const struct topology_member *member,
           const void *frame, size_t len)
{
    struct controller *c = aux;

    return packet_in_send(&c->packet_ins, c->session, member, frame, len);
}

static void
bind6(void *aux, const struct topology_member *member, enum bound_kind kind,
      const struct ip6_addr *addresses, unsigned int n)
{
    struct controller *c = aux;

    topology_set_bound(c->topology, member, kind, addresses, n, &c->dirty);
    if (c->dirty.n) {
        schedule(c);
    }
}

static bool
send_by(void *aux, uint32_t number, uint16_t tpid, uint16_t vid,
        const void *frame, size_t len)
{
    struct controller *c = aux;

    return packet_in_send_by(&c->packet_ins, c->session, number, tpid, vid,
                             frame, len);
}

static void
set_links(void *aux, uint64_t uplink, const struct uplink_links *links)
{
    struct controller *c = aux;

    topology_set_links(c->topology, uplink, links, &c->dirty);
}

static void
on_touched(void *aux)
{
    schedule(aux);
}

static void
hold_port(void *aux, const struct topology_port *port, bool is_held)
{
    struct controller *c = aux;

    topology_hold_port(c->topology, port, is_held, &c->dirty);
    if (c->dirty.n) {
        schedule(c);
    }
}

static void
open_services(struct controller *c)
{
    c->services = (struct service_host) {
        .loop = c->config.loop, .topology = c->topology,
        .packet_ins = &c->packet_ins, .send = send_frame, .bind6 = bind6,
        .hold = hold_port, .send_by = send_by, .set_links = set_links,
        .dirty = &c->dirty, .touched = on_touched, .aux = c,
    };
    serve_nd_init(&c->nd, &c->services);
    c->loops = serve_loop_create(&c->services);
    c->dns = serve_dns_create(&c->services, c->config.resolv_conf);
    c->dhcp = serve_dhcp_create(&c->services, c->config.store);
    c->dhcp6 = serve_dhcp6_create(&c->services, c->config.store);
    c->bindings = serve_binding_create(&c->services, c->config.store);
    serve_multicast_open(c->multicast, &c->services);
    c->bonds = serve_bond_create(&c->services);
}

static void
open_addresses(struct controller *c)
{
    struct ipam_watch watch = { NULL, NULL };

    if (c->config.store) {
        c->addresses = address_store_create(c->config.store);
        watch = address_store_watch(c->addresses);
    }
    c->ipam = ipam_create(&watch);
    if (c->addresses) {
        address_store_load(c->addresses, c->ipam);
    }
}

static struct switch_session *
open_session(struct controller *c, struct str *error)
{
    struct switch_session_config config = {
        .loop = c->config.loop, .method = c->config.method,
        .fd = c->config.fd, .tls = c->config.tls,
        .may_connect = c->config.may_connect,
        .may_connect_aux = c->config.may_connect_aux,
        .port = on_port, .ready = on_ready, .lost = on_lost,
        .written = on_written, .packet_in = on_packet_in,
        .refused = on_refused, .refused_meter = on_refused_meter, .aux = c,
    };

    return switch_session_create(&config, &c->installed, error);
}

struct controller *
controller_create(const struct controller_config *config, struct str *error)
{
    struct controller *c = xzalloc(sizeof *c);
    struct topology_config topology;

    c->config = *config;
    installed_init(&c->installed);
    c->session = open_session(c, error);
    if (!c->session) {
        installed_fini(&c->installed);
        free(c);
        return NULL;
    }
    open_addresses(c);
    c->multicast = serve_multicast_create(config->loop);
    topology = (struct topology_config) {
        config->host, c->ipam, serve_multicast_state(c->multicast),
        config->names_are_devices,
    };
    c->topology = topology_create(&topology);
    open_services(c);
    desired_init(&c->desired);
    desired_touched_init(&c->touched);
    unit_set_add(&c->dirty, (struct unit) { 0, UNIT_BASE, 0 });
    c->retry = RETRY_MIN;
    c->timer = xzalloc(sizeof *c->timer);
    c->timer->data = c;
    uv_timer_init(config->loop, c->timer);
    return c;
}

void
controller_destroy(struct controller *c)
{
    if (!c) {
        return;
    }
    serve_nd_fini(&c->nd);
    serve_dns_destroy(c->dns);
    serve_loop_destroy(c->loops);
    serve_dhcp_destroy(c->dhcp);
    serve_dhcp6_destroy(c->dhcp6);
    serve_binding_destroy(c->bindings);
    serve_bond_destroy(c->bonds);
    switch_session_destroy(c->session);
    uv_close((uv_handle_t *) c->timer, free_handle);
    topology_destroy(c->topology);
    serve_multicast_destroy(c->multicast);
    ipam_destroy(c->ipam);
    address_store_destroy(c->addresses);
    desired_fini(&c->desired);
    installed_fini(&c->installed);
    desired_touched_fini(&c->touched);
    unit_set_fini(&c->dirty);
    free(c);
}

/* ---- The front door ---- */

uint64_t
controller_set_intent(struct controller *c, const struct intent *intent)
{
    c->generation++;
    topology_set_intent(c->topology, intent, &c->dirty);
    serve_nd_changed(&c->nd);
    serve_dns_changed(c->dns);
    serve_loop_changed(c->loops);
    serve_dhcp_changed(c->dhcp);
    serve_dhcp6_changed(c->dhcp6);
    serve_binding_changed(c->bindings);
    serve_multicast_changed(c->multicast);
    serve_bond_changed(c->bonds);
    installed_forgive(&c->installed);
    c->retry = RETRY_MIN;
    if (c->config.store) {
        address_store_commit(c->addresses);
    }
    schedule(c);
    return c->generation;
}

const struct intent *
controller_intent(const struct controller *c)
{
    return topology_intent(c->topology);
}

void
controller_status(const struct controller *c,
                  struct controller_status *status)
{
    enum switch_session_state state = switch_session_state(c->session);

    *status = (struct controller_status) {
        .is_connected = state >= SWITCH_READY,
        .is_synced = state == SWITCH_READY && !c->dirty.n
                     && !c->touched.flows.n && c->synced == c->generation,
        .reason = switch_session_reason(c->session),
        .datapath_id = switch_session_datapath_id(c->session),
        .generation = c->generation, .synced_generation = c->synced,
        .synced_at = c->synced_at,
        .n_flows_desired = c->desired.flows.n,
        .n_flows_installed = c->installed.flows.n,
        .n_meters = c->installed.meters.n,
        .n_refused = c->installed.refused.n,
        .n_bundles = c->n_bundles, .n_flow_mods = c->n_flow_mods,
        .n_ports_missing = topology_count_missing(c->topology),
    };
}

bool
controller_explain_cookie(const struct controller *c, uint64_t cookie,
                          struct str *out)
{
    const struct intent *intent = topology_intent(c->topology);
    const struct intent_object *object
        = intent ? intent_find_id(intent, cookie) : NULL;
    const char *stage = stage_name((uint8_t) cookie);

    if (object) {
        str_addf(out, "%s '%s'", intent_kind_noun(object->kind),
                 object->name);
        if (object->place.file) {
            str_addf(out, " (%s:%u)", object->place.file,
                     object->place.line);
        }
        return true;
    }
    if ((cookie & ~UINT64_C(0xff)) == STAGE_COOKIE && stage) {
        str_addf(out, "the stage '%s'", stage);
        return true;
    }
    str_add(out, "somebody else");
    return false;
}

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
        c->multicast,
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
        .seconds_left = (row->left + 999) / 1000,
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

void
controller_explain_decide(const struct controller *c, struct explain *e)
{
    explain_decide(e);
    note_leases(c, e);
}

void
controller_explain_by_plan(const struct controller *c, struct explain *e)
{
    explain_by_plan(c->topology, e, add_origin, (void *) (uintptr_t) c);
    note_leases(c, e);
}
