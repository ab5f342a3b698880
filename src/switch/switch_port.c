/* The switch's ports: numbers, names, settings, links. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "switch/port_hold.h"
#include "switch/switch_impl.h"

enum { LINKS_PER_CHECK = 64 };

static struct own_port *
own(const struct switch_ *sw, uint32_t number)
{
    return port_number_is_valid(number) ? sw->ports[port_id(number)] : NULL;
}

struct switch_port *
switch_port_by_number(const struct switch_ *sw, uint32_t number)
{
    struct own_port *port = own(sw, number);

    return port ? &port->public : NULL;
}

struct switch_port *
switch_next_port(const struct switch_ *sw, const struct switch_port *after)
{
    for (uint32_t i = after ? port_id(after->number) + 1 : 1;
         i < DP_MAX_PORTS; i++) {
        if (sw->ports[i]) {
            return &sw->ports[i]->public;
        }
    }
    return NULL;
}

struct switch_port *
switch_port_by_name(const struct switch_ *sw, const char *name)
{
    struct switch_port *port = NULL;

    while ((port = switch_next_port(sw, port))) {
        if (!strcmp(port->port->config.name, name)) {
            return port;
        }
    }
    return NULL;
}

/* ---- Settings ---- */

static void
publish_port(struct switch_ *sw, struct own_port *port)
{
    const struct switch_port *p = &port->public;
    struct port_settings settings = {
        .number = p->number, .vlan = p->vlan,
        .is_protected = p->is_protected,
        .is_tunnel = p->port->class->is_tunnel, .no_flood = p->no_flood,
        .no_recv = p->no_recv, .no_recv_stp = p->no_recv_stp,
        .no_fwd = p->no_fwd,
        .no_packet_in = p->no_packet_in, .admin_down = p->admin_down,
        .is_up = p->is_up,
    };

    snprintf(settings.name, sizeof settings.name, "%s",
             p->port->config.name);
    port_maps_set(&sw->port_maps, p->number, &settings);
    port->is_dirty = false;
}

void
switch_publish_ports(struct switch_ *sw)
{
    for (uint32_t i = 1; i < DP_MAX_PORTS; i++) {
        if (sw->ports[i] && sw->ports[i]->is_dirty) {
            publish_port(sw, sw->ports[i]);
        }
    }
    if (port_maps_get(&sw->port_maps)->fragments != sw->fragments) {
        port_maps_set_fragments(&sw->port_maps, sw->fragments);
    }
    sw->ports_dirty = false;
}

void
switch_set_fragments(struct switch_ *sw, enum of_frag fragments)
{
    sw->fragments = fragments;
    sw->ports_dirty = true;
    switch_stage(sw, sw->now);
}

static void
mark_dirty(struct switch_ *sw, struct switch_port *port)
{
    CONTAINER_OF(port, struct own_port, public)->is_dirty = true;
    sw->ports_dirty = true;
    switch_stage(sw, sw->now);
}

static bool
vid_is_valid(uint16_t vid)
{
    return vid >= 1 && vid <= 4094;
}

int
switch_set_port_vlan(struct switch_ *sw, struct switch_port *port,
                     const struct port_vlan *vlan)
{
    if (vlan->mode == VLAN_ACCESS ? vlan->vid && !vid_is_valid(vlan->vid)
        : vlan->mode != VLAN_TRUNK && !vid_is_valid(vlan->vid)) {
        return -EINVAL;
    }
    port->vlan = *vlan;
    mark_dirty(sw, port);
    /* Its stations are to be learned in their new VLANs. */
    fdb_flush(sw->fdb, port_id(port->number), -1, NULL);
    return 0;
}

/* As OpenFlow sees it. */
static bool
looks_same(const struct switch_port *a, const struct switch_port *b)
{
    return a->no_flood == b->no_flood && a->no_recv == b->no_recv
           && a->no_recv_stp == b->no_recv_stp && a->no_fwd == b->no_fwd
           && a->no_packet_in == b->no_packet_in
           && a->admin_down == b->admin_down;
}

int
switch_set_port_flags(struct switch_ *sw, struct switch_port *port,
                      bool is_protected, bool no_flood, bool no_recv,
                      bool no_recv_stp, bool no_fwd, bool no_packet_in,
                      bool admin_down)
{
    const struct switch_port old = *port;

    port->is_protected = is_protected;
    port->no_flood = no_flood;
    port->no_recv = no_recv;
    port->no_recv_stp = no_recv_stp;
    port->no_fwd = no_fwd;
    port->no_packet_in = no_packet_in;
    port->admin_down = admin_down;
    mark_dirty(sw, port);
    if (!looks_same(&old, port)) {
        switch_tell_port(sw, SWITCH_PORT_CHANGED,
                         CONTAINER_OF(port, struct own_port, public));
    }
    return 0;
}

/* ---- Coming and going ---- */

static uint32_t
free_number(const struct switch_ *sw, const struct port_config *config)
{
    uint32_t number = 1;

    if (!strcmp(config->name, sw->config.name)) {
        return OFPP_LOCAL;
    }
    while (number < PORT_ID_LOCAL && sw->ports[number]) {
        number++;
    }
    return number;
}

static int
check_port(const struct switch_ *sw, const struct port_config *config,
           uint32_t number, struct str *error)
{
    const struct switch_port *same = switch_port_by_name(sw, config->name);

    if (!port_number_is_valid(number)) {
        str_setf(error, "port numbers are 1 to %u, and LOCAL",
                 PORT_ID_LOCAL - 1);
        return -EINVAL;
    }
    if (same) {
        str_setf(error, "there is a port '%s' already (%s)", config->name,
                 port_number_text(same->number).text);
        return -EEXIST;
    }
    if (own(sw, number)) {
        str_setf(error, "port number %s is taken by '%s'",
                 port_number_text(number).text,
                 own(sw, number)->public.port->config.name);
        return -EEXIST;
    }
    return 0;
}

int
switch_add_port(struct switch_ *sw, const struct port_config *config,
                uint32_t number, struct switch_port **result,
                struct str *error)
{
    struct own_port *port;
    int err;

    number = number ? number : free_number(sw, config);
    err = check_port(sw, config, number, error);
    if (err) {
        return err;
    }
    port = xzalloc(sizeof *port);
    port->public.number = number;
    port->public.added = clock_msec();
    err = port_create(config, port_id(number), &sw->port_env, &port->public.port,
                      error);
    if (err) {
        goto free_port;
    }

    /* Translation knows the port before its first packet comes. */
    sw->ports[port_id(number)] = port;
    port->public.is_up = port_has_link(port->public.port);
    publish_port(sw, port);
    switch_drop_answers(sw);
    err = datapath_add_port(sw->dp, port->public.port);
    if (err) {
        str_setf(error, "port '%s': %s", config->name, strerror(-err));
        goto forget_port;
    }
    *result = &port->public;
    switch_tell_port(sw, SWITCH_PORT_ADDED, port);
    return 0;

forget_port:
    sw->ports[port_id(number)] = NULL;
    port_maps_set(&sw->port_maps, number, NULL);
    switch_drop_answers(sw);
    port_destroy(port->public.port);
free_port:
    free(port);
    return err;
}

int
switch_delete_port(struct switch_ *sw, uint32_t number)
{
    struct own_port *port = own(sw, number);

    if (!port) {
        return -ENOENT;
    }
    sw->ports[port_id(number)] = NULL;
    port_maps_set(&sw->port_maps, number, NULL);
    switch_drop_answers(sw);
    datapath_remove_port(sw->dp, port->public.port);
    port_holds_forget(sw->holds, port_id(number));
    fdb_flush(sw->fdb, port_id(number), -1, NULL);
    switch_apply_fdb_changes(sw);
    switch_tell_port(sw, SWITCH_PORT_DELETED, port);
    port_destroy(port->public.port);
    free(port);
    return 0;
}

/* ---- Links ---- */

static void
device_returned(void *sw UNUSED, struct port *port UNUSED)
{
    /* switch_check_ports() sees it, like every change of a link. */
}

static void
set_up(struct switch_ *sw, struct own_port *port, bool is_up)
{
    port->public.is_up = is_up;
    publish_port(sw, port);
    switch_tell_port(sw, SWITCH_PORT_CHANGED, port);
    if (!is_up) {
        fdb_flush(sw->fdb, port_id(port->public.number), -1, NULL);
    }
}

/* A device that failed is seen at once.  Links are asked for, some of them each
 * time: with thousands of ports a change is seen later. */
void
switch_check_ports(struct switch_ *sw, bool devices)
{
    uint32_t last = sw->link_asked;
    unsigned int n_asked = 0;
    bool any = false;

    if (devices) {
        datapath_check_ports(sw->dp, device_returned, sw);
    }
    for (uint32_t n = 0; n < DP_MAX_PORTS; n++) {
        uint32_t number = (sw->link_asked + 1 + n) % DP_MAX_PORTS;
        struct own_port *port = sw->ports[number];
        bool is_up;

        if (!port) {
            continue;
        }
        is_up = port->public.is_up && port_is_up(port->public.port);
        if (n_asked < LINKS_PER_CHECK) {
            is_up = port_has_link(port->public.port);
            n_asked++;
            last = number;
        }
        if (is_up != port->public.is_up) {
            set_up(sw, port, is_up);
            any = true;
        }
    }
    sw->link_asked = last;
    if (any) {
        switch_drop_answers(sw);
        switch_apply_fdb_changes(sw);
    }
}
