#include "intent/port_value.h"

#include <stdio.h>
#include <stdlib.h>

#include "intent/value.h"
#include "packet/address.h"

/* ---- netns, tap, tun, device: what is plugged in ---- */

static const char *const attach_words[] = {
    [ATTACH_NETNS] = "netns", [ATTACH_TAP] = "tap", [ATTACH_TUN] = "tun",
    [ATTACH_DEVICE] = "device",
};

const char *
attach_word(enum attach_type attach)
{
    return attach_words[attach];
}

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
                   attach_word(port->attach));
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

const struct value_type value_attach = {
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

const struct value_type value_allow = {
    "a list of addresses, networks and MACs", parse_allow, format_allow,
    schema_allow,
};

/* ---- security-groups: [web, ssh] ---- */

static bool
parse_security_groups(const struct member *member UNUSED,
                      const struct node *node, void *value,
                      struct diagnostics *diagnostics)
{
    static const struct member name = {
        .type = &value_name, .size = INTENT_NAME_MAX,
    };
    struct intent_port *port = value;
    struct port_security_group *groups = xcalloc(PORT_MAX_SECURITY_GROUPS,
                                                 sizeof *groups);

    port->security_groups = groups;
    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        unsigned int n = port->n_security_groups;

        if (n == PORT_MAX_SECURITY_GROUPS) {
            node_error(item, diagnostics, "more than %d security groups",
                       PORT_MAX_SECURITY_GROUPS);
            return false;
        }
        if (!value_name.parse(&name, item, groups[n].name, diagnostics)) {
            return false;
        }
        groups[n].id = intent_object_id(INTENT_SECURITY_GROUP,
                                        groups[n].name);
        for (unsigned int i = 0; i < n; i++) {
            if (!strcmp(groups[i].name, groups[n].name)) {
                node_error(item, diagnostics, "'%s' is there twice",
                           groups[n].name);
                return false;
            }
        }
        port->n_security_groups++;
    }
    return true;
}

static json_t *
format_security_groups(const struct member *member UNUSED, const void *value)
{
    const struct intent_port *port = value;
    json_t *list;

    if (!port->n_security_groups) {
        return NULL;
    }
    list = json_array();
    for (unsigned int i = 0; i < port->n_security_groups; i++) {
        json_array_append_new(list,
                              json_string(port->security_groups[i].name));
    }
    return list;
}

static json_t *
schema_security_groups(const struct member *member UNUSED)
{
    json_t *name = json_pack("{s:s}", "$ref", "#/$defs/name");

    return schema_list(name, PORT_MAX_SECURITY_GROUPS);
}

const struct value_type value_security_groups = {
    "a list of security groups", parse_security_groups,
    format_security_groups, schema_security_groups,
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

const struct value_type value_trunk = {
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

const struct value_type value_rate = {
    "a rate like 100M, or {in: 1G, out: 100M}", parse_rate, format_rate,
    schema_rate,
};
