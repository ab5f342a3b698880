#include "controller/controller_impl.h"

#include <stdlib.h>

#include "controller/stage.h"
#include "lib/clock.h"
#include "lib/log.h"

enum { RETRY_MIN = 1000, RETRY_MAX = 60000 };         /* msec */

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
    if (is_news) {
        serve_next_hop_synced(c->next_hops);
    }
    if (is_news && generation && c->config.synced) {
        c->config.synced(c->config.aux, generation);
    }
}

static void
compute(struct controller *c)
{
    serve_bond_follow(c->bonds);
    serve_multicast_follow(c->multicast);
    serve_probe_touched(c->probes);
    desired_update(&c->desired, c->topology, &c->dirty, &c->touched);
    unit_set_clear(&c->dirty);
}

static void
forget_touched(struct controller *c)
{
    desired_touched_fini(&c->touched);
    desired_touched_init(&c->touched);
}

/* Before any flow uses them. */
static void
flush_fresh_zones(struct controller *c)
{
    uint16_t zone;

    while ((zone = kept_numbers_next_fresh(c->numbers)) != 0) {
        switch_session_flush_zone(c->session, zone);
    }
}

static void
send_changes(struct controller *c, struct changes *changes)
{
    flush_fresh_zones(c);
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

void
controller_schedule(struct controller *c)
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
        controller_schedule(c);
    }
}

static void
on_ready(void *aux)
{
    struct controller *c = aux;

    serve_multicast_ready(c->multicast, &c->installed.flows);
    serve_next_hop_ready(c->next_hops, &c->installed.flows);
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
            controller_schedule(c);
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
        controller_schedule(c);
        controller_say_own_changed(c);
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

static bool
send_tunnel(void *aux, uint32_t number, uint32_t key,
            const struct ip6_addr *end, const void *frame, size_t len)
{
    struct controller *c = aux;

    return packet_in_send_tunnel(&c->packet_ins, c->session, number, key, end,
                                 frame, len);
}

static bool
inject(void *aux, const struct packet_in_entry *at, const void *frame,
       size_t len)
{
    struct controller *c = aux;

    return packet_in_inject(&c->packet_ins, c->session, at, frame, len);
}

static void
set_links(void *aux, uint64_t uplink, const struct uplink_links *links)
{
    struct controller *c = aux;

    topology_set_links(c->topology, uplink, links, &c->dirty);
}

/* By a service: it may be that who listens is another. */
static void
on_touched(void *aux)
{
    controller_say_listening_changed(aux);
    controller_schedule(aux);
}

static void
hold_port(void *aux, const struct topology_port *port, bool is_held)
{
    struct controller *c = aux;

    topology_hold_port(c->topology, port, is_held, &c->dirty);
    if (c->dirty.n) {
        controller_schedule(c);
    }
}

static void
open_services(struct controller *c)
{
    c->services = (struct service_host) {
        .loop = c->config.loop, .topology = c->topology,
        .packet_ins = &c->packet_ins, .send = send_frame, .bind6 = bind6,
        .hold = hold_port, .send_by = send_by, .set_links = set_links,
        .inject = inject, .send_tunnel = send_tunnel,
        .dirty = &c->dirty, .touched = on_touched, .aux = c,
    };
    /* Open vSwitch 3.1 loses what it tracks of frames from its controller; a
     * bridge of it always has a port of its own. */
    c->packet_ins.entrance = c->config.names_are_devices ? OFPP_LOCAL
                                                         : OFPP_CONTROLLER;
    serve_nd_init(&c->nd, &c->services);
    c->loops = serve_loop_create(&c->services);
    c->dns = serve_dns_create(&c->services, c->config.resolv_conf);
    c->dhcp = serve_dhcp_create(&c->services, c->config.store);
    c->dhcp6 = serve_dhcp6_create(&c->services, c->config.store);
    c->bindings = serve_binding_create(&c->services, c->config.store);
    serve_multicast_open(c->multicast, &c->services);
    c->bonds = serve_bond_create(&c->services);
    serve_route_init(&c->route, &c->services);
    serve_next_hop_open(c->next_hops, &c->services, &c->route);
    c->probes = serve_probe_create(&c->services, c->config.probe_interval);
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

static uv_timer_t *
make_timer(struct controller *c)
{
    uv_timer_t *timer = xzalloc(sizeof *timer);

    timer->data = c;
    uv_timer_init(c->config.loop, timer);
    return timer;
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
    c->next_hops = serve_next_hop_create();
    c->numbers = kept_numbers_create(config->store);
    c->remote = remote_create();
    c->placement = placement_create(config->store, c->remote);
    topology = (struct topology_config) {
        .host = config->host, .ipam = c->ipam,
        .multicast = serve_multicast_state(c->multicast),
        .next_hops = serve_next_hop_state(c->next_hops),
        .remote = c->remote,
        .names_are_devices = config->names_are_devices,
        .numbers = kept_numbers_set(c->numbers),
    };
    c->topology = topology_create(&topology);
    open_services(c);
    desired_init(&c->desired);
    desired_touched_init(&c->touched);
    unit_set_add(&c->dirty, (struct unit) { 0, UNIT_BASE, 0 });
    c->retry = RETRY_MIN;
    c->timer = make_timer(c);
    c->heard = make_timer(c);
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
    serve_next_hop_destroy(c->next_hops);
    serve_probe_destroy(c->probes);
    switch_session_destroy(c->session);
    uv_close((uv_handle_t *) c->timer, free_handle);
    uv_close((uv_handle_t *) c->heard, free_handle);
    topology_destroy(c->topology);
    placement_destroy(c->placement);
    remote_destroy(c->remote);
    serve_multicast_destroy(c->multicast);
    ipam_destroy(c->ipam);
    kept_numbers_destroy(c->numbers);
    address_store_destroy(c->addresses);
    desired_fini(&c->desired);
    installed_fini(&c->installed);
    desired_touched_fini(&c->touched);
    unit_set_fini(&c->dirty);
    free(c);
}

/* ---- The front door ---- */

/* The model is another, and so may everything be that services made of it. */
static void
follow_model(struct controller *c)
{
    serve_nd_changed(&c->nd);
    serve_dns_changed(c->dns);
    serve_loop_changed(c->loops);
    serve_dhcp_changed(c->dhcp);
    serve_dhcp6_changed(c->dhcp6);
    serve_binding_changed(c->bindings);
    serve_multicast_changed(c->multicast);
    serve_bond_changed(c->bonds);
    serve_next_hop_changed(c->next_hops);
    serve_probe_changed(c->probes);
    if (c->config.store) {
        address_store_commit(c->addresses);
        kept_numbers_commit(c->numbers);
    }
    controller_schedule(c);
    controller_say_own_changed(c);
    controller_say_listening_changed(c);
}

uint64_t
controller_set_intent(struct controller *c, const struct intent *intent)
{
    c->generation++;
    placement_follow(c->placement, intent, c->config.host);
    topology_set_intent(c->topology, intent, &c->dirty);
    installed_forgive(&c->installed);
    c->retry = RETRY_MIN;
    follow_model(c);
    return c->generation;
}

void
controller_rebuild(struct controller *c)
{
    topology_set_intent(c->topology, topology_intent(c->topology), &c->dirty);
    follow_model(c);
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
