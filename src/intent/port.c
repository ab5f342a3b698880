/* What a port may say. */

#include <stdio.h>
#include <stdlib.h>

#include "intent/validate.h"
#include "intent/value.h"
#include "packet/address.h"

/* ---- netns, tap, tun, device: what is plugged in ---- */

static const char *const attach_words[] = {
    [ATTACH_NETNS] = "netns", [ATTACH_TAP] = "tap", [ATTACH_TUN] = "tun",
    [ATTACH_DEVICE] = "device",
};

static bool
netns_is_valid(const char *text)
{
    uint64_t pid;

    if (!strncmp(text, "pid:", 4)) {
        return number_parse(text + 4, INT32_MAX, &pid) && pid;
    }
    if (text[0] == '/') {
        return text[1];
    }
    return *text && !strchr(text, '/') && strcmp(text, ".")
           && strcmp(text, "..");
}

/* The row's `min` says which of the four. */
static bool
parse_attach(const struct member *member, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    static const char netns[] = "a namespace: a name, a path or pid:N";
    const struct member text = {
        .type = &value_text, .size = sizeof(((struct intent_port *) 0)->device),
    };
    bool is_netns = member->min == ATTACH_NETNS;
    struct intent_port *port = value;

    if (port->attach) {
        node_error(node, diagnostics, "a port has one of netns, tap, tun, "
                   "device; here it has '%s', too",
                   attach_words[port->attach]);
        return false;
    }
    if (!text.type->parse(&text, node, port->device, diagnostics)) {
        return false;
    }
    if (is_netns ? !netns_is_valid(node->text)
                 : !device_name_is_valid(node->text)) {
        return value_wrong(node, is_netns ? netns
                           : "the name of a network device", diagnostics);
    }
    port->attach = (enum attach_type) member->min;
    return true;
}

static json_t *
format_attach(const struct member *member, const void *value)
{
    const struct intent_port *port = value;

    return port->attach == (enum attach_type) member->min
           ? json_string(port->device) : NULL;
}

static json_t *
schema_attach(const struct member *member)
{
    return member->min == ATTACH_NETNS
           ? schema_text("pid:[1-9][0-9]*|/.+|[^/]+")
           : value_device.schema(member);
}

static const struct value_type value_attach = {
    "a device or namespace", parse_attach, format_attach, schema_attach,
};

/* ---- allow: who else may send from here ---- */

struct allow_value {
    uint64_t given;
    struct eth_addr mac;
    struct port_allow allow;
};

/* An address, with or without a prefix, of either family. */
static bool
parse_prefix(const struct member *member, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    struct port_allow *allow = value;
    struct subnet4 *four = &allow->subnet;
    struct subnet6 *six = &allow->subnet6;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    if (ip4_prefix_parse(node->text, &four->addr, &four->len)) {
        four->is_set = true;
        four->addr &= ip4_mask(four->len);
    } else if (ip6_prefix_parse(node->text, &six->addr, &six->len)) {
        six->is_set = true;
        six->addr = ip6_masked(six->addr, six->len);
    } else {
        return value_wrong(node, member->type->what, diagnostics);
    }
    return true;
}

static json_t *
format_prefix(const struct member *member UNUSED, const void *value)
{
    const struct port_allow *allow = value;
    char text[ADDRESS_TEXT_SIZE];

    if (allow->subnet.is_set) {
        ip4_format(allow->subnet.addr, text);
        return allow->subnet.len == 32
               ? json_string(text)
               : json_sprintf("%s/%u", text, allow->subnet.len);
    }
    if (allow->subnet6.is_set) {
        ip6_format(allow->subnet6.addr, text);
        return allow->subnet6.len == 128
               ? json_string(text)
               : json_sprintf("%s/%u", text, allow->subnet6.len);
    }
    return NULL;
}

static json_t *
schema_prefix(const struct member *member UNUSED)
{
    return schema_text(PATTERN_IP4 "(/[0-9]{1,2})?|"
                       PATTERN_IP6 "(/[0-9]{1,3})?");
}

static const struct value_type value_prefix = {
    "an address or network", parse_prefix, format_prefix, schema_prefix,
};

static const struct member allow_members[] = {
    { .name = "mac", .type = &value_mac, MEMBER_AT(allow_value, mac),
      .doc = "MAC address that may send" },
    { .name = "address", .type = &value_prefix, MEMBER_AT(allow_value, allow),
      .doc = "address or network that it may use" },
    { 0 },
};

static bool
parse_allow_item(const struct node *node, struct port_allow *allow,
                 struct diagnostics *diagnostics)
{
    static const char what[] = "an address, a network, a MAC or a map like "
                               "{mac: 02:00:00:00:00:01, address: 10.1.0.9}";
    struct allow_value item = { 0 };

    if (node->kind == NODE_MAP) {
        if (!members_parse(allow_members, "an item of 'allow'", node, &item,
                           &item.given, NULL, diagnostics)) {
            return false;
        }
        if (!item.given) {
            node_error(node, diagnostics, "should be %s", what);
            return false;
        }
    } else if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    } else if (eth_addr_parse(node->text, &item.mac)) {
        if (!value_mac.parse(&allow_members[0], node, &item.mac,
                             diagnostics)) {
            return false;
        }
    } else if (!parse_prefix(&allow_members[1], node, &item.allow,
                             diagnostics)) {
        return false;
    }
    *allow = item.allow;
    allow->mac = item.mac;
    allow->has_mac = eth_addr_is_set(item.mac);
    return true;
}

static bool
parse_allow(const struct member *member UNUSED, const struct node *node,
            void *value, struct diagnostics *diagnostics)
{
    struct intent_port *port = value;
    bool good = true;

    port->allow = xcalloc(PORT_MAX_ALLOW, sizeof port->allow[0]);
    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        if (port->n_allow == PORT_MAX_ALLOW) {
            node_error(item, diagnostics, "more than %d are allowed",
                       PORT_MAX_ALLOW);
            return false;
        }
        if (parse_allow_item(item, &port->allow[port->n_allow],
                             diagnostics)) {
            port->n_allow++;
        } else {
            good = false;
        }
    }
    return good;
}

static json_t *
format_allow(const struct member *member UNUSED, const void *value)
{
    const struct intent_port *port = value;
    json_t *list;

    if (!port->n_allow) {
        return NULL;
    }
    list = json_array();
    for (unsigned int i = 0; i < port->n_allow; i++) {
        struct allow_value item = {
            .given = 3, .mac = port->allow[i].mac, .allow = port->allow[i],
        };
        json_t *both = members_format(allow_members, &item, item.given);

        if (json_object_size(both) == 1) {
            json_t *only = json_object_iter_value(json_object_iter(both));

            json_array_append(list, only);
            json_decref(both);
        } else {
            json_array_append_new(list, both);
        }
    }
    return list;
}

static json_t *
schema_allow(const struct member *member UNUSED)
{
    json_t *text = schema_text(PATTERN_MAC "|" PATTERN_IP4 "(/[0-9]{1,2})?|"
                               PATTERN_IP6 "(/[0-9]{1,3})?");

    return schema_list(schema_either(text, members_schema(allow_members)),
                       PORT_MAX_ALLOW);
}

static const struct value_type value_allow = {
    "a list of addresses, networks and MACs", parse_allow, format_allow,
    schema_allow,
};

/* ---- trunk: {10: red, 20: blue} ---- */

static int
compare_trunk(const void *a, const void *b)
{
    return ((const struct port_trunk *) a)->vid
           - ((const struct port_trunk *) b)->vid;
}

static bool
parse_trunk_item(const struct node *node, struct port_trunk *trunk,
                 struct diagnostics *diagnostics)
{
    static const struct member name = {
        .type = &value_name, .size = sizeof trunk->network_name,
    };
    uint64_t vid;

    if (!number_parse(node->key, 4094, &vid) || !vid) {
        node_key_error(node, diagnostics, "'%s' is not a VLAN from 1 to 4094",
                       node->key);
        return false;
    }
    trunk->vid = (uint16_t) vid;
    return value_name.parse(&name, node, trunk->network_name, diagnostics);
}

static bool
parse_trunk(const struct member *member, const struct node *node, void *value,
            struct diagnostics *diagnostics)
{
    struct intent_port *port = value;
    bool good = true;

    if (node->kind != NODE_MAP || !node->n || node->n > PORT_MAX_TRUNK) {
        node_error(node, diagnostics, "should be %s, of at most %d",
                   member->type->what, PORT_MAX_TRUNK);
        return false;
    }
    port->trunk = xcalloc(node->n, sizeof port->trunk[0]);
    NODE_FOR_EACH (item, node) {
        if (parse_trunk_item(item, &port->trunk[port->n_trunk],
                             diagnostics)) {
            port->n_trunk++;
        } else {
            good = false;
        }
    }
    qsort(port->trunk, port->n_trunk, sizeof port->trunk[0], compare_trunk);
    return good;
}

static json_t *
format_trunk(const struct member *member UNUSED, const void *value)
{
    const struct intent_port *port = value;
    json_t *map;

    if (!port->n_trunk) {
        return NULL;
    }
    map = json_object();
    for (unsigned int i = 0; i < port->n_trunk; i++) {
        char vid[8];

        snprintf(vid, sizeof vid, "%u", port->trunk[i].vid);
        json_object_set_new(map, vid,
                            json_string(port->trunk[i].network_name));
    }
    return map;
}

static json_t *
schema_trunk(const struct member *member UNUSED)
{
    return json_pack("{s:s, s:{s:{s:s}}, s:b, s:i, s:i}", "type", "object",
                     "patternProperties", "^[1-9][0-9]{0,3}$", "$ref",
                     "#/$defs/name", "additionalProperties", 0,
                     "minProperties", 1, "maxProperties", PORT_MAX_TRUNK);
}

static const struct value_type value_trunk = {
    "a map from VLANs to networks like {10: red, 20: blue}", parse_trunk,
    format_trunk, schema_trunk,
};

/* ---- rate: 100M, or {in: 1G, out: 100M} ---- */

struct rate_value {
    uint64_t given;
    uint64_t in, out;
};

enum { RATE_MIN = 1000 };

static bool
parse_one_rate(const struct member *member, const struct node *node,
               void *value, struct diagnostics *diagnostics)
{
    uint64_t rate;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    if (!rate_parse(node->text, &rate)) {
        return value_wrong(node, member->type->what, diagnostics);
    }
    if (rate < RATE_MIN) {
        node_error(node, diagnostics, "'%s' is less than 1k bit a second",
                   node->text);
        return false;
    }
    *(uint64_t *) value = rate;
    return true;
}

static json_t *
format_one_rate(const struct member *member UNUSED, const void *value)
{
    uint64_t rate = *(const uint64_t *) value;
    char text[VALUE_TEXT_SIZE];

    if (!rate) {
        return NULL;
    }
    rate_format(rate, text);
    return json_string(text);
}

static json_t *
schema_one_rate(const struct member *member UNUSED)
{
    return schema_either(schema_text("[0-9]+(\\.[0-9]{1,3})?[kKMGT]?"),
                         json_pack("{s:s, s:i}", "type", "integer", "minimum",
                                   RATE_MIN));
}

static const struct value_type value_one_rate = {
    "bits per second like 500k, 100M or 1.5G", parse_one_rate,
    format_one_rate, schema_one_rate,
};

static const struct member rate_members[] = {
    { .name = "in", .type = &value_one_rate, MEMBER_AT(rate_value, in),
      .doc = "towards the guest" },
    { .name = "out", .type = &value_one_rate, MEMBER_AT(rate_value, out),
      .doc = "from the guest" },
    { 0 },
};

static bool
parse_rate(const struct member *member UNUSED, const struct node *node,
           void *value, struct diagnostics *diagnostics)
{
    struct intent_port *port = value;
    struct rate_value rate = { 0 };

    if (node->kind != NODE_MAP) {
        if (!parse_one_rate(&rate_members[0], node, &rate.in, diagnostics)) {
            return false;
        }
        rate.out = rate.in;
    } else if (!members_parse(rate_members, "'rate'", node, &rate,
                              &rate.given, NULL, diagnostics)) {
        return false;
    }
    port->rate_in = rate.in;
    port->rate_out = rate.out;
    return true;
}

static json_t *
format_rate(const struct member *member UNUSED, const void *value)
{
    const struct intent_port *port = value;
    struct rate_value rate = { 3, port->rate_in, port->rate_out };

    if (!rate.in && !rate.out) {
        return NULL;
    }
    return rate.in == rate.out
           ? format_one_rate(&rate_members[0], &rate.in)
           : members_format(rate_members, &rate, rate.given);
}

static json_t *
schema_rate(const struct member *member)
{
    return schema_either(schema_one_rate(member),
                         members_schema(rate_members));
}

static const struct value_type value_rate = {
    "a rate like 100M, or {in: 1G, out: 100M}", parse_rate, format_rate,
    schema_rate,
};

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

/* A long name becomes its beginning and 40 bits of its id in base 32. */
static void
fill_switch_name(struct intent_port *port)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    enum { KEPT = 6 };
    uint64_t id = port->object.id;
    char *p = port->switch_name;

    if (strlen(port->object.name) < sizeof port->switch_name) {
        strcpy(port->switch_name, port->object.name);
        return;
    }
    memcpy(p, port->object.name, KEPT);
    p += KEPT;
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
        validation_claim(v, object, attach_words[port->attach],
                         "device '%s'%s%s", port->device, at, port->host);
    }
    validation_claim(v, object, NULL, "the switch's port name '%s'%s%s",
                     port->switch_name, at, port->host);
}

static void
check(const struct intent_object *object, struct validation *v)
{
    const struct intent_port *port = intent_port_cast(object);

    check_attach(port, v);
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
