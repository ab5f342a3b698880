#include "host/wanted.h"

#include <stdio.h>
#include <stdlib.h>

/* A NIC inside a namespace: we make it, so its address is ours to say. */
static void
want_nic(const struct intent_port *port, struct str *spec)
{
    const uint8_t *mac = port->mac.b;

    str_addf(spec, "%s:%s,netns=%s,mac=%02x:%02x:%02x:%02x:%02x:%02x",
             port->use_veth ? "veth" : "tap", port->nic, port->device,
             mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void
want_tap(const struct intent_port *port, struct str *spec)
{
    str_addf(spec, "tap:%s,vm=yes", port->device);
    if (port->user[0]) {
        str_addf(spec, ",user=%s", port->user);
    }
    if (port->group[0]) {
        str_addf(spec, ",group=%s", port->group);
    }
}

static void
want_tun(const struct intent_port *port, struct str *spec)
{
    str_addf(spec, "tun:%s", port->device);
}

static void
want_device(const struct intent_port *port, struct str *spec)
{
    str_addf(spec, "netdev:%s", port->device);
}

static void (*const want[])(const struct intent_port *, struct str *) = {
    [ATTACH_NETNS] = want_nic,
    [ATTACH_TAP] = want_tap,
    [ATTACH_TUN] = want_tun,
    [ATTACH_DEVICE] = want_device,
};

static void
append(struct wanted *wanted, const char *switch_name, struct str *name,
       struct str *spec)
{
    struct wanted_port *port;

    if (!(wanted->n & (wanted->n - 1))) {
        wanted->list = xrealloc(wanted->list, MAX(1, 2 * wanted->n)
                                                  * sizeof *wanted->list);
    }
    port = &wanted->list[wanted->n++];
    snprintf(port->switch_name, sizeof port->switch_name, "%s",
             switch_name);
    port->name = str_steal(name);
    port->spec = str_steal(spec);
}

static void
add_port(struct wanted *wanted, const struct intent_port *port)
{
    struct str name = STR_INIT, spec = STR_INIT;

    if (port->attach == ATTACH_NONE) {
        return;
    }
    str_add(&name, port->object.name);
    want[port->attach](port, &spec);
    /* A device that exists has a size of its own; of ours we say it. */
    if (port->attach != ATTACH_DEVICE && port->network) {
        str_addf(&spec, ",mtu=%u", port->network->mtu);
    }
    if (port->n_queues > 1) {
        str_addf(&spec, ",queues=%u", port->n_queues);
    }
    append(wanted, port->switch_name, &name, &spec);
}

static void
add_uplink(struct wanted *wanted, const struct intent_uplink *uplink)
{
    for (unsigned int i = 0; i < uplink->n_members; i++) {
        const struct uplink_member *member = &uplink->members[i];
        struct str name = STR_INIT, spec = STR_INIT;

        str_addf(&name, "%s/%s", uplink->object.name, member->device);
        str_addf(&spec, "netdev:%s", member->device);
        append(wanted, member->switch_name, &name, &spec);
    }
}

static int
compare(const void *a_, const void *b_)
{
    const struct wanted_port *a = a_, *b = b_;

    return strcmp(a->switch_name, b->switch_name);
}

void
wanted_init(struct wanted *wanted, const struct intent *intent,
            const char *host_name)
{
    *wanted = (struct wanted) { 0 };
    INTENT_FOR_EACH_UPLINK (uplink, intent) {
        add_uplink(wanted, uplink);
    }
    INTENT_FOR_EACH_PORT (port, intent) {
        if (!port->host[0] || !strcmp(port->host, host_name)) {
            add_port(wanted, port);
        }
    }
    if (wanted->n) {
        qsort(wanted->list, wanted->n, sizeof *wanted->list, compare);
    }
}

void
wanted_fini(struct wanted *wanted)
{
    for (unsigned int i = 0; i < wanted->n; i++) {
        free(wanted->list[i].name);
        free(wanted->list[i].spec);
    }
    free(wanted->list);
    *wanted = (struct wanted) { 0 };
}

static int
compare_name(const void *name, const void *port_)
{
    const struct wanted_port *port = port_;

    return strcmp(name, port->switch_name);
}

const struct wanted_port *
wanted_find(const struct wanted *wanted, const char *switch_name)
{
    return wanted->n ? bsearch(switch_name, wanted->list, wanted->n,
                               sizeof *wanted->list, compare_name)
                     : NULL;
}
