/* What a port may say. */

#include <stdlib.h>

#include "intent/port_value.h"
#include "intent/segment.h"
#include "intent/validate.h"
#include "intent/value.h"
#include "packet/address.h"

/* ---- The table ---- */

#define AT(M) MEMBER_AT(intent_port, M)

static const struct member members[] = {
    { .name = "network", .type = &value_name, AT(network_name),
      .effect = EFFECT_CUT, .doc = "the network that it is plugged into" },
    { .name = "netns", .type = &value_attach, .min = ATTACH_NETNS,
      .effect = EFFECT_REOPEN,
      .doc = "namespace of a container: a name, a path or pid:N" },
    { .name = "tap", .type = &value_attach, .min = ATTACH_TAP,
      .effect = EFFECT_REOPEN,
      .doc = "TAP device that we make and a VM manager opens" },
    { .name = "tun", .type = &value_attach, .min = ATTACH_TUN,
      .effect = EFFECT_REOPEN,
      .doc = "TUN device: a layer 3 NIC, without Ethernet" },
    { .name = "device", .type = &value_attach, .min = ATTACH_DEVICE,
      .effect = EFFECT_REOPEN, .doc = "network device that exists already" },
    { .name = "nic", .type = &value_device, AT(nic), .effect = EFFECT_REOPEN,
      .fallback = "eth0", .doc = "netns: what the device is called inside" },
    { .name = "veth", .type = &value_bool, AT(use_veth),
      .effect = EFFECT_REOPEN, .fallback = "false",
      .doc = "netns: a veth instead of a TAP" },
    { .name = "configure", .type = &value_bool, AT(configure),
      .effect = EFFECT_NOTHING, .fallback = "false",
      .doc = "netns: set address, route and resolver inside, without DHCP" },
    { .name = "user", .type = &value_text, AT(user), .effect = EFFECT_REOPEN,
      .doc = "tap, tun: who may open it" },
    { .name = "group", .type = &value_text, AT(group),
      .effect = EFFECT_REOPEN, .doc = "tap, tun: which group may open it" },
    { .name = "queues", .type = &value_number, AT(n_queues), .min = 1,
      .max = 16, .effect = EFFECT_REOPEN, .fallback = "1",
      .doc = "queues of the device" },
    { .name = "mac", .type = &value_mac, AT(mac), .effect = EFFECT_CUT,
      .fallback = "made from the name", .doc = "MAC address of the guest" },
    { .name = "address", .type = &value_ip4, AT(address),
      .effect = EFFECT_CUT, .fallback = "chosen from the subnet",
      .doc = "IPv4 address of the guest" },
    { .name = "address6", .type = &value_ip6, AT(address6),
      .effect = EFFECT_CUT, .fallback = "made from the MAC",
      .doc = "IPv6 address of the guest" },
    { .name = "allow", .type = &value_allow, .effect = EFFECT_FLOWS,
      .doc = "who else may send from here: addresses, networks, MACs" },
    { .name = "anti-spoof", .type = &value_not, AT(is_spoof_ok),
      .effect = EFFECT_FLOWS, .fallback = "true",
      .doc = "drop what is not from the port's own addresses" },
    { .name = "isolated", .type = &value_bool, AT(is_isolated),
      .effect = EFFECT_FLOWS, .fallback = "false",
      .doc = "apart from the network's other isolated ports" },
    { .name = "security-groups", .type = &value_security_groups,
      .effect = EFFECT_FLOWS, .fallback = "none: the network is open",
      .doc = "what may open connections to it, and from it: names of security "
             "groups" },
    { .name = "trunk", .type = &value_trunk, .effect = EFFECT_CUT,
      .doc = "a guest that tags: its VLANs and their networks" },
    { .name = "rate", .type = &value_rate, .effect = EFFECT_FLOWS,
      .doc = "bits per second: 100M, or {in: 1G, out: 100M}" },
    { .name = "mirror", .type = &value_name, AT(mirror_name),
      .effect = EFFECT_FLOWS, .doc = "port that gets a copy of everything" },
    { .name = "host", .type = &value_name, AT(host), .effect = EFFECT_REOPEN,
      .fallback = "this one", .doc = "the host where it is" },
    { 0 },
};

/* A long name becomes its beginning and 40 bits of its id in base 32; so does
 * one by which the switch calls a port of its own. */
static void
fill_switch_name(struct intent_port *port)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    enum { KEPT = 6 };
    uint64_t id = port->object.id;
    char *p = port->switch_name;

    if (strlen(port->object.name) < sizeof port->switch_name
        && !segment_name_is_reserved(port->object.name)) {
        strcpy(port->switch_name, port->object.name);
        return;
    }
    memcpy(p, port->object.name, strnlen(port->object.name, KEPT));
    p += strnlen(port->object.name, KEPT);
    *p++ = '-';
    while (p < port->switch_name + sizeof port->switch_name - 1) {
        *p++ = digits[id & 31];
        id >>= 5;
    }
    *p = '\0';
}

static void
fill(struct intent_object *object)
{
    struct intent_port *port = CONTAINER_OF(object, struct intent_port,
                                            object);

    fill_switch_name(port);
    if (!object_has(object, "mac")) {
        port->mac = intent_object_mac(object);
    }
    if (!object_has(object, "nic")) {
        strcpy(port->nic, "eth0");
    }
    if (!object_has(object, "queues")) {
        port->n_queues = 1;
    }
}

static void
fini(struct intent_object *object)
{
    struct intent_port *port = CONTAINER_OF(object, struct intent_port,
                                            object);

    free(port->allow);
    free(port->trunk);
    free(port->security_groups);
}

static void
unshare(struct intent_object *object)
{
    struct intent_port *port = CONTAINER_OF(object, struct intent_port,
                                            object);

    if (port->allow) {
        port->allow = xmemdup(port->allow,
                              MAX(port->n_allow, 1u) * sizeof port->allow[0]);
    }
    if (port->trunk) {
        port->trunk = xmemdup(port->trunk,
                              port->n_trunk * sizeof port->trunk[0]);
    }
    if (port->security_groups) {
        port->security_groups = xmemdup(
            port->security_groups,
            MAX(port->n_security_groups, 1u)
            * sizeof port->security_groups[0]);
    }
}

static unsigned int
references(struct intent_object *object,
           struct reference found[NOUN_MAX_REFERENCES])
{
    struct intent_port *port = CONTAINER_OF(object, struct intent_port,
                                            object);
    unsigned int n = 0;

    found[n++] = (struct reference) { INTENT_NETWORK, port->network_name,
                                      &port->network, "network" };
    found[n++] = (struct reference) { INTENT_PORT, port->mirror_name,
                                      &port->mirror, "mirror" };
    for (unsigned int i = 0; i < port->n_trunk; i++) {
        found[n++] = (struct reference) {
            INTENT_NETWORK, port->trunk[i].network_name,
            &port->trunk[i].network, "trunk",
        };
    }
    for (unsigned int i = 0; i < port->n_security_groups; i++) {
        found[n++] = (struct reference) {
            INTENT_SECURITY_GROUP, port->security_groups[i].name, NULL,
            "security-groups",
        };
    }
    found[n++] = (struct reference) { INTENT_HOST, port->host, NULL, "host" };
    return n;
}

/* ---- Does it hold together? ---- */

static void
check_address(const struct intent_port *port, struct validation *v)
{
    const struct intent_network *network = port->network;
    const struct subnet4 *subnet = &network->subnet;
    const struct intent_object *object = &port->object;
    char text[ADDRESS_TEXT_SIZE], base[ADDRESS_TEXT_SIZE];
    be32 host_mask = ~ip4_mask(subnet->len);

    ip4_format(port->address, text);
    if (!subnet->is_set) {
        /* Bridged: the LAN has a subnet that we do not know. */
        if (!intent_network_is_bridged(network)) {
            validation_error(v, object, "address", "network '%s' has no subnet",
                             network->object.name);
        }
    } else if (!ip4_is_within(port->address, subnet->addr, subnet->len)) {
        validation_error(v, object, "address",
                         "%s is not within %s/%u of network "
                         "'%s'",
                         text, ip4_format(subnet->addr, base), subnet->len,
                         network->object.name);
    } else if (port->address == network->gateway) {
        validation_error(v, object, "address",
                         "%s is the gateway of network '%s'", text,
                         network->object.name);
    } else if (!(port->address & host_mask)
               || (port->address & host_mask) == host_mask) {
        validation_error(
            v, object, "address", "%s is the %s address of network '%s'", text,
            port->address & host_mask ? "broadcast" : "network's own",
            network->object.name);
    }
    validation_claim(v, object, "address", "%s of network '%s'", text,
                     network->object.name);
}

static void
check_address6(const struct intent_port *port, struct validation *v)
{
    const struct intent_network *network = port->network;
    const struct subnet6 *subnet = &network->subnet6;
    const struct intent_object *object = &port->object;
    char text[ADDRESS_TEXT_SIZE], base[ADDRESS_TEXT_SIZE];

    ip6_format(port->address6, text);
    if (!subnet->is_set) {
        if (!intent_network_is_bridged(network)) {
            validation_error(v, object, "address6",
                             "network '%s' has no subnet6",
                             network->object.name);
        }
    } else if (!ip6_is_within(port->address6, subnet->addr, subnet->len)) {
        validation_error(v, object, "address6",
                         "%s is not within %s/%u of network "
                         "'%s'",
                         text, ip6_format(subnet->addr, base), subnet->len,
                         network->object.name);
    } else if (ip6_addr_eq(port->address6, network->gateway6)) {
        validation_error(v, object, "address6",
                         "%s is the gateway of network '%s'", text,
                         network->object.name);
    } else if (ip6_addr_eq(port->address6, subnet->addr)) {
        validation_error(v, object, "address6",
                         "%s is every router's address of "
                         "network '%s'",
                         text, network->object.name);
    }
    validation_claim(v, object, "address6", "%s of network '%s'", text,
                     network->object.name);
}

static void
check_mac(const struct intent_port *port, const struct intent_network *network,
          struct validation *v)
{
    char text[ADDRESS_TEXT_SIZE];

    eth_addr_format(port->mac, text);
    if (eth_addr_eq(port->mac, network->gateway_mac)) {
        validation_error(v, &port->object, "mac",
                         "%s is the gateway's of network "
                         "'%s'",
                         text, network->object.name);
    }
    validation_claim(v, &port->object, "mac", "%s of network '%s'", text,
                     network->object.name);
}

static void
check_networks(const struct intent_port *port, struct validation *v)
{
    const struct intent_object *object = &port->object;

    if (!*port->network_name && !port->n_trunk) {
        validation_error(v, object, NULL,
                         "port '%s' needs a network, or a trunk", object->name);
    }
    if (port->network) {
        check_mac(port, port->network, v);
    }
    for (unsigned int i = 0; i < port->n_trunk; i++) {
        const struct port_trunk *trunk = &port->trunk[i];
        bool is_twice = !strcmp(trunk->network_name, port->network_name);

        for (unsigned int j = 0; j < i; j++) {
            is_twice =
                is_twice
                || !strcmp(port->trunk[j].network_name, trunk->network_name);
        }
        if (is_twice) {
            validation_error(v, object, "trunk", "network '%s' is there twice",
                             trunk->network_name);
        } else if (trunk->network) {
            check_mac(port, trunk->network, v);
        }
    }
    if (port->n_trunk && port->attach == ATTACH_TUN) {
        validation_error(v, object, "trunk",
                         "a tun has no Ethernet that could be "
                         "tagged");
    }
    if (port->address && port->network) {
        check_address(port, v);
    } else if (port->address && !*port->network_name) {
        validation_error(v, object, "address", "without a network");
    }
    if (ip6_addr_is_set(port->address6) && port->network) {
        check_address6(port, v);
    } else if (ip6_addr_is_set(port->address6) && !*port->network_name) {
        validation_error(v, object, "address6", "without a network");
    }
}

static void
check_attach(const struct intent_port *port, struct validation *v)
{
    static const char *const of_netns[] = { "nic", "veth", "configure" };
    static const char *const of_tap[] = { "user", "group" };
    const struct intent_object *object = &port->object;
    const char *at = *port->host ? " of host " : "";

    if (!port->attach) {
        validation_error(v, object, NULL,
                         "port '%s' needs one of netns, tap, tun, device",
                         object->name);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(of_netns); i++) {
        if (port->attach != ATTACH_NETNS && object_has(object, of_netns[i])) {
            validation_error(v, object, of_netns[i], "only with netns");
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(of_tap); i++) {
        if (port->attach != ATTACH_TAP && port->attach != ATTACH_TUN
            && object_has(object, of_tap[i])) {
            validation_error(v, object, of_tap[i], "only with tap or tun");
        }
    }
    if (port->attach == ATTACH_NETNS) {
        validation_claim(v, object, "netns", "'%s' in namespace '%s'%s%s",
                         port->nic, port->device, at, port->host);
    } else {
        validation_claim(v, object, attach_word(port->attach),
                         "device '%s'%s%s", port->device, at, port->host);
    }
    validation_claim(v, object, NULL, "the switch's port name '%s'%s%s",
                     port->switch_name, at, port->host);
}

/* On a network that spans hosts: where is it? */
static void
check_host(const struct intent_port *port, struct validation *v)
{
    const struct intent_object *object = &port->object;
    const struct intent_network *wide = NULL;

    validation_name(v, object, "host", INTENT_HOST, port->host);
    if (*port->host || validation_underlay(v)->n_hosts < 2) {
        return;
    }
    if (port->network && intent_network_is_overlay(port->network)) {
        wide = port->network;
    }
    for (unsigned int i = 0; i < port->n_trunk && !wide; i++) {
        const struct intent_network *network = port->trunk[i].network;

        wide = network && intent_network_is_overlay(network) ? network : NULL;
    }
    if (wide) {
        validation_error(v, object, port->network == wide ? "network"
                                                          : "trunk",
                         "network '%s' spans %u hosts: port '%s' needs 'host'",
                         wide->object.name, validation_underlay(v)->n_hosts,
                         object->name);
    }
}

static void
check(const struct intent_object *object, struct validation *v)
{
    const struct intent_port *port = intent_port_cast(object);

    check_attach(port, v);
    check_host(port, v);
    check_networks(port, v);
    if (port->mirror == port) {
        validation_error(v, object, "mirror",
                         "a port cannot be its own mirror");
    } else if (port->mirror && port->mirror->mirror) {
        validation_error(v, object, "mirror",
                         "port '%s' has a mirror itself: copies "
                         "are not copied",
                         port->mirror_name);
    }
}

const struct noun port_noun = {
    .doc = "a NIC plugged into a network",
    .size = sizeof(struct intent_port),
    .members = members,
    .fini = fini,
    .unshare = unshare,
    .fill = fill,
    .references = references,
    .check = check,
};
