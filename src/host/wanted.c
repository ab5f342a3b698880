#include "host/wanted.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/uplink_nat.h"
#include "packet/address.h"
#include "port/port.h"

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
add_ip4(struct str *s, be32 address)
{
    char text[ADDRESS_TEXT_SIZE];

    str_add(s, ip4_format(address, text));
}

static void
add_ip6(struct str *s, struct ip6_addr address)
{
    char text[ADDRESS_TEXT_SIZE];

    str_add(s, ip6_format(address, text));
}

/* The network's servers, or else its gateway: DNS answers there. */
static void
add_dns(const struct intent_network *network, bool has_v6, struct str *s)
{
    const char *separator = ",dns=";

    for (unsigned int i = 0; i < network->n_dns; i++, separator = "+") {
        str_add(s, separator);
        add_ip4(s, network->dns[i]);
    }
    for (unsigned int i = 0; i < network->n_dns6; i++, separator = "+") {
        str_add(s, separator);
        add_ip6(s, network->dns6[i]);
    }
    if (!network->n_dns && network->gateway) {
        str_add(s, separator);
        add_ip4(s, network->gateway);
        separator = "+";
    }
    if (!network->n_dns6 && has_v6 && ip6_addr_is_set(network->gateway6)) {
        str_add(s, separator);
        add_ip6(s, network->gateway6);
    }
}

/* Of IPv6 only a planned address: others come by router advertisements, from
 * which a kernel needs nobody's help. */
static void
want_inside(const struct intent_port *port, struct wanted_inside *inside)
{
    const struct intent_network *network = port->network;
    struct str address6 = STR_INIT, gateways = STR_INIT;
    struct str resolver = STR_INIT;
    bool has_v6 = ip6_addr_is_set(port->address6) && network->subnet6.is_set;

    inside->is_wanted = true;
    inside->address = network->subnet.is_set ? port->address : 0;
    inside->prefix_len = network->subnet.len;
    if (has_v6) {
        add_ip6(&address6, port->address6);
        str_addf(&address6, "/%u", network->subnet6.len);
    }
    if (network->gateway) {
        add_ip4(&gateways, network->gateway);
    }
    if (has_v6 && ip6_addr_is_set(network->gateway6)) {
        str_add(&gateways, gateways.len ? "+" : "");
        add_ip6(&gateways, network->gateway6);
    }
    inside->address6 = str_steal(&address6);
    inside->gateways = str_steal(&gateways);
    add_dns(network, has_v6, &resolver);
    if (network->domain[0]) {
        str_addf(&resolver, ",search=%s", network->domain);
    }
    inside->resolver = str_steal(&resolver);
}

void
wanted_add_inside(const struct wanted_port *port, be32 chosen,
                  struct str *spec)
{
    const struct wanted_inside *inside = &port->inside;
    be32 address = inside->address ? inside->address : chosen;

    if (port->mtu) {
        str_addf(spec, ",mtu=%u", port->mtu);
    }
    if (port->groups) {
        str_addf(spec, ",groups=%s", port->groups);
    }
    if (!inside->is_wanted || !(address || inside->address6[0])) {
        return;
    }
    str_add(spec, ",addr=");
    if (address) {
        add_ip4(spec, address);
        str_addf(spec, "/%u%s", inside->prefix_len,
                 inside->address6[0] ? "+" : "");
    }
    str_add(spec, inside->address6);
    if (inside->gateways[0]) {
        str_addf(spec, ",gateway=%s", inside->gateways);
    }
    str_add(spec, inside->resolver);
}

static char *
missing_text(const char *what, const char *name)
{
    struct str text = STR_INIT;

    str_addf(&text, "%s '%s' is not there", what, name);
    return str_steal(&text);
}

static struct wanted_port *
add_slot(struct wanted *wanted)
{
    if (!(wanted->n & (wanted->n - 1))) {
        wanted->list = xrealloc(wanted->list, MAX(1, 2 * wanted->n)
                                                  * sizeof *wanted->list);
    }
    return &wanted->list[wanted->n++];
}

static struct wanted_port *
append(struct wanted *wanted, const char *switch_name, struct str *name,
       struct str *spec)
{
    struct wanted_port *port = add_slot(wanted);

    *port = (struct wanted_port) {
        .name = str_steal(name),
        .spec = str_steal(spec),
    };
    snprintf(port->switch_name, sizeof port->switch_name, "%s",
             switch_name);
    return port;
}

static void
add_port(struct wanted *wanted, const struct intent_port *port)
{
    struct str name = STR_INIT, spec = STR_INIT;
    struct wanted_port *result;

    if (port->attach == ATTACH_NONE) {
        return;
    }
    str_add(&name, port->object.name);
    want[port->attach](port, &spec);
    if (port->n_queues > 1) {
        str_addf(&spec, ",queues=%u", port->n_queues);
    }
    result = append(wanted, port->switch_name, &name, &spec);
    result->port = port;
    /* A device that exists has a size of its own; of ours we say it. */
    if (port->attach != ATTACH_DEVICE && port->network) {
        result->mtu = port->network->mtu;
    }
    result->missing = missing_text(port->attach == ATTACH_NETNS
                                       ? "namespace" : "device",
                                   port->device);
    if (port->attach == ATTACH_NETNS && port->configure && port->network) {
        want_inside(port, &result->inside);
    }
}

/* What it was, when it is the same object.  Its place in the list has most
 * likely not changed much: `at` is where the last one was. */
static bool
keep_port(struct wanted *wanted, const struct intent_port *port,
          struct wanted *last, unsigned int *at)
{
    struct wanted_port *was;

    if (*at >= last->n || last->list[*at].port != port) {
        const struct wanted_port *found = wanted_find(last,
                                                      port->switch_name);

        if (!found || found->port != port) {
            return false;
        }
        *at = (unsigned int) (found - last->list);
    }
    was = &last->list[(*at)++];
    *add_slot(wanted) = *was;
    was->name = was->spec = was->missing = was->groups = NULL;
    was->inside = (struct wanted_inside) { .is_wanted = false };
    return true;
}

/* What stands in for the device, if the host has addresses there. */
static void
add_host_leg(struct wanted *wanted, const struct intent_uplink *uplink)
{
    const char *device = uplink->members[0].device;
    struct str name = STR_INIT, spec = STR_INIT, missing = STR_INIT;
    struct wanted_port *leg;

    str_addf(&name, "%s/host", uplink->object.name);
    str_addf(&spec, "internal:%s,from=%s", uplink->host_leg, device);
    str_addf(&missing, "contact was lost when this host's addresses moved "
             "there: they are on '%s' again", device);
    leg = append(wanted, uplink->host_leg, &name, &spec);
    leg->missing = str_steal(&missing);
    leg->is_optional = true;
}

/* The host's end of the link to its own stack. */
static void
add_transfer(struct wanted *wanted, const struct intent *intent,
             const struct intent_uplink *uplink)
{
    const struct transfer *transfer = &uplink->transfer;
    struct str name = STR_INIT, spec = STR_INIT, missing = STR_INIT;
    struct str address6 = STR_INIT;
    struct wanted_port *port;

    if (uplink_nat_has_ipv6(intent, uplink)) {
        add_ip6(&address6, transfer->host6);
        str_addf(&address6, "/%d", TRANSFER_LEN6);
    }
    str_addf(&name, "%s/host", uplink->object.name);
    str_addf(&spec, "internal:%s", transfer->port);
    str_addf(&missing, "device '%s' is not there", transfer->port);
    port = append(wanted, transfer->port, &name, &spec);
    port->missing = str_steal(&missing);
    port->is_leg = true;
    port->inside = (struct wanted_inside) {
        .is_wanted = true, .address = transfer->host,
        .prefix_len = TRANSFER_LEN, .address6 = str_steal(&address6),
        .gateways = xstrdup(""), .resolver = xstrdup(""),
    };
}

static void
add_uplink(struct wanted *wanted, const struct intent *intent,
           const struct intent_uplink *uplink)
{
    if (uplink->is_host && uplink_nat_is_used(intent, uplink)) {
        add_transfer(wanted, intent, uplink);
    }
    if (uplink->host_leg[0] && uplink->n_members) {
        add_host_leg(wanted, uplink);
    }
    for (unsigned int i = 0; i < uplink->n_members; i++) {
        const struct uplink_member *member = &uplink->members[i];
        struct str name = STR_INIT, spec = STR_INIT;

        str_addf(&name, "%s/%s", uplink->object.name, member->device);
        str_addf(&spec, "netdev:%s%s", member->device,
                 uplink->keep_addresses ? "" : ",bare=yes");
        append(wanted, member->switch_name, &name, &spec)->missing
            = missing_text("device", member->device);
    }
}

/* ---- Tunnels ---- */

static bool
joins_before(const struct intent *intent, const struct intent_network *until)
{
    INTENT_FOR_EACH_NETWORK (network, intent) {
        if (network == until) {
            return false;
        }
        if (ip6_addr_eq(network->segment.group, until->segment.group)) {
            return true;
        }
    }
    return false;
}

/* NULL: no network is of that type.  Each group once. */
static const struct segment *
find_segment(const struct intent *intent, enum segment_type type,
             struct str *groups)
{
    const struct segment *any = NULL;
    char text[ADDRESS_TEXT_SIZE];

    INTENT_FOR_EACH_NETWORK (network, intent) {
        const struct segment *segment = &network->segment;

        if (segment->type != type) {
            continue;
        }
        any = segment;
        if (ip6_addr_is_set(segment->group)
            && !joins_before(intent, network)) {
            str_addf(groups, "%s%s", groups->len ? "+" : "",
                     ip_format(segment->group, text));
        }
    }
    return any;
}

/* The uplink that has taken this host's NIC over, if it is the only one: whether
 * tunnels leave by it is then the routes' to say (port/underlay.h). */
static const struct uplink_member *
find_underlay(const struct intent *intent, const char *host_name)
{
    const struct uplink_member *found = NULL;

    INTENT_FOR_EACH_UPLINK (uplink, intent) {
        if (!intent_uplink_is_at(uplink, host_name) || !uplink->host_leg[0]
            || !uplink->n_members) {
            continue;
        }
        if (found) {
            return NULL;
        }
        found = &uplink->members[0];
    }
    return found;
}

static void
add_tunnel(struct wanted *wanted, const struct intent *intent,
           const struct intent_host *host, unsigned int n_workers,
           enum segment_type type)
{
    const struct intent_underlay underlay = intent_underlay(intent);
    const char *word = segment_type_word(type);
    struct str name = STR_INIT, spec = STR_INIT, missing = STR_INIT;
    struct str groups = STR_INIT;
    const struct segment *segment = find_segment(intent, type, &groups);
    const struct uplink_member *leg = find_underlay(intent,
                                                    host->object.name);
    char local[ADDRESS_TEXT_SIZE];
    struct wanted_port *port;

    if (!segment) {
        return;
    }
    ip_format(host->tunnel, local);
    str_add(&name, word);
    str_addf(&spec, "%s:local=%s,remote=flow,key=flow", word, local);
    if (n_workers > 1) {
        str_addf(&spec, ",queues=%u", MIN(n_workers,
                                          (unsigned int) PORT_MAX_QUEUES));
    }
    if (leg) {
        str_addf(&spec, ",underlay=%s", leg->switch_name);
    }
    str_addf(&missing, "address %s is not there", local);
    port = append(wanted, word, &name, &spec);
    port->mtu = intent_underlay_room(&underlay, segment);
    port->groups = groups.len ? str_steal(&groups) : NULL;
    port->missing = str_steal(&missing);
    str_fini(&groups);
}

static void
add_tunnels(struct wanted *wanted, const struct intent *intent,
            const char *host_name, unsigned int n_workers)
{
    const struct intent_host *host = intent_host_cast(
        intent_find(intent, INTENT_HOST, host_name));

    for (enum segment_type type = 0; host && type < N_SEGMENT_TYPES; type++) {
        if (segment_type_is_overlay(type)) {
            add_tunnel(wanted, intent, host, n_workers, type);
        }
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
            const char *host_name, unsigned int n_workers,
            struct wanted *last)
{
    unsigned int at = 0;

    *wanted = (struct wanted) { 0 };
    INTENT_FOR_EACH_UPLINK (uplink, intent) {
        if (intent_uplink_is_at(uplink, host_name)) {
            add_uplink(wanted, intent, uplink);
        }
    }
    add_tunnels(wanted, intent, host_name, n_workers);
    INTENT_FOR_EACH_PORT (port, intent) {
        if ((!port->host[0] || !strcmp(port->host, host_name))
            && !(last && keep_port(wanted, port, last, &at))) {
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
        free(wanted->list[i].missing);
        free(wanted->list[i].groups);
        free(wanted->list[i].inside.address6);
        free(wanted->list[i].inside.gateways);
        free(wanted->list[i].inside.resolver);
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
