#include "intent/dhcp_value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "intent/value.h"
#include "packet/address.h"

/* ---- range: 10.1.0.100-10.1.0.200, or several ---- */

static bool
parse_range(const struct node *node, struct address_range *range,
            struct diagnostics *diagnostics)
{
    static const char what[] = "a range like 10.1.0.100-10.1.0.200";
    char first[ADDRESS_TEXT_SIZE];
    const char *dash;
    size_t len;

    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    dash = strchr(node->text, '-');
    len = dash ? (size_t) (dash - node->text) : 0;
    if (!dash || len >= sizeof first) {
        return value_wrong(node, what, diagnostics);
    }
    memcpy(first, node->text, len);
    first[len] = '\0';
    if (!ip4_parse(first, &range->first)
        || !ip4_parse(dash + 1, &range->last)) {
        return value_wrong(node, what, diagnostics);
    }
    if (be32toh(range->first) > be32toh(range->last)) {
        node_error(node, diagnostics, "'%s' ends before it begins",
                   node->text);
        return false;
    }
    return true;
}

static bool
overlap(const struct address_range *a, const struct address_range *b)
{
    return be32toh(a->first) <= be32toh(b->last)
           && be32toh(b->first) <= be32toh(a->last);
}

static bool
parse_ranges(const struct member *member UNUSED, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    struct network_dhcp *dhcp = value;

    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        struct address_range range;

        if (dhcp->n_ranges == NETWORK_MAX_RANGES) {
            node_error(item, diagnostics, "more than %d ranges",
                       NETWORK_MAX_RANGES);
            return false;
        }
        if (!parse_range(item, &range, diagnostics)) {
            return false;
        }
        for (unsigned int i = 0; i < dhcp->n_ranges; i++) {
            if (overlap(&range, &dhcp->ranges[i])) {
                node_error(item, diagnostics,
                           "'%s' overlaps the range before it", item->text);
                return false;
            }
        }
        dhcp->ranges[dhcp->n_ranges++] = range;
    }
    return true;
}

static json_t *
format_ranges(const struct member *member UNUSED, const void *value)
{
    const struct network_dhcp *dhcp = value;
    json_t *list = json_array();

    for (unsigned int i = 0; i < dhcp->n_ranges; i++) {
        char first[ADDRESS_TEXT_SIZE], last[ADDRESS_TEXT_SIZE];

        json_array_append_new(list, json_sprintf(
            "%s-%s", ip4_format(dhcp->ranges[i].first, first),
            ip4_format(dhcp->ranges[i].last, last)));
    }
    if (json_array_size(list) == 1) {
        json_t *only = json_incref(json_array_get(list, 0));

        json_decref(list);
        return only;
    }
    return list;
}

static json_t *
schema_ranges(const struct member *member UNUSED)
{
    return schema_list(schema_text(PATTERN_IP4 "-" PATTERN_IP4),
                       NETWORK_MAX_RANGES);
}

static const struct value_type value_ranges = {
    "a range like 10.1.0.100-10.1.0.200, or a list of them", parse_ranges,
    format_ranges, schema_ranges,
};

/* ---- ntp ---- */

static const struct member ip4_item = {
    .type = &value_ip4, .size = sizeof(be32),
};

static bool
parse_ntp(const struct member *member UNUSED, const struct node *node,
          void *value, struct diagnostics *diagnostics)
{
    struct network_dhcp *dhcp = value;

    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        if (dhcp->n_ntp == NETWORK_MAX_SERVERS) {
            node_error(item, diagnostics, "more than %d servers",
                       NETWORK_MAX_SERVERS);
            return false;
        }
        if (!value_ip4.parse(&ip4_item, item, &dhcp->ntp[dhcp->n_ntp],
                             diagnostics)) {
            return false;
        }
        dhcp->n_ntp++;
    }
    return true;
}

static json_t *
format_ntp(const struct member *member UNUSED, const void *value)
{
    const struct network_dhcp *dhcp = value;
    json_t *list = json_array();

    for (unsigned int i = 0; i < dhcp->n_ntp; i++) {
        json_array_append_new(list, value_ip4.format(&ip4_item,
                                                     &dhcp->ntp[i]));
    }
    return list;
}

static json_t *
schema_ntp(const struct member *member UNUSED)
{
    return schema_list(schema_text(PATTERN_IP4), NETWORK_MAX_SERVERS);
}

static const struct value_type value_ntp = {
    "a list of IPv4 addresses", parse_ntp, format_ntp, schema_ntp,
};

/* ---- routes: [{to: 10.9.0.0/16, via: 10.1.0.5}] ---- */

struct route_value {
    uint64_t given;
    struct subnet4 to;
    be32 via;
};

#define ROUTE_AT(M) MEMBER_AT(route_value, M)

static const struct member route_members[] = {
    { .name = "to", .type = &value_subnet4, ROUTE_AT(to), .is_required = true,
      .doc = "network that the route leads to" },
    { .name = "via", .type = &value_ip4, ROUTE_AT(via), .is_required = true,
      .doc = "the router, an address within the subnet" },
    { 0 },
};

static bool
parse_routes(const struct member *member UNUSED, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    struct network_dhcp *dhcp = value;

    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        struct route_value route = { 0 };

        if (dhcp->n_routes == NETWORK_MAX_ROUTES) {
            node_error(item, diagnostics, "more than %d routes",
                       NETWORK_MAX_ROUTES);
            return false;
        }
        if (!members_parse(route_members, "a route", item, &route,
                           &route.given, NULL, diagnostics)) {
            return false;
        }
        dhcp->routes[dhcp->n_routes++] = (struct dhcp_route) {
            route.to, route.via,
        };
    }
    return true;
}

static json_t *
format_routes(const struct member *member UNUSED, const void *value)
{
    const struct network_dhcp *dhcp = value;
    json_t *list = json_array();

    for (unsigned int i = 0; i < dhcp->n_routes; i++) {
        struct route_value route = {
            .given = 3,
            .to = dhcp->routes[i].destination,
            .via = dhcp->routes[i].gateway,
        };

        json_array_append_new(list, members_format(route_members, &route,
                                                   route.given));
    }
    return list;
}

static json_t *
schema_routes(const struct member *member UNUSED)
{
    return schema_list(members_schema(route_members), NETWORK_MAX_ROUTES);
}

static const struct value_type value_routes = {
    "a list like [{to: 10.9.0.0/16, via: 10.1.0.5}]", parse_routes,
    format_routes, schema_routes,
};

/* ---- relays: [{subnet: 10.9.0.0/24, range: 10.9.0.10-10.9.0.99}] ---- */

static bool
parse_one_range(const struct member *member UNUSED, const struct node *node,
                void *value, struct diagnostics *diagnostics)
{
    return parse_range(node, value, diagnostics);
}

static json_t *
format_one_range(const struct member *member UNUSED, const void *value)
{
    const struct address_range *range = value;
    char first[ADDRESS_TEXT_SIZE], last[ADDRESS_TEXT_SIZE];

    return json_sprintf("%s-%s", ip4_format(range->first, first),
                        ip4_format(range->last, last));
}

static json_t *
schema_one_range(const struct member *member UNUSED)
{
    return schema_text(PATTERN_IP4 "-" PATTERN_IP4);
}

static const struct value_type value_range = {
    "a range like 10.9.0.100-10.9.0.200", parse_one_range, format_one_range,
    schema_one_range,
};

#define RELAY_AT(M) MEMBER_AT(dhcp_relay, M)

static const struct member relay_members[] = {
    { .name = "subnet", .type = &value_subnet4, RELAY_AT(subnet),
      .is_required = true, .doc = "subnet that the relay stands in" },
    { .name = "router", .type = &value_ip4_or_none, RELAY_AT(router),
      .fallback = "the subnet's first address",
      .doc = "the way out that its clients are told" },
    { .name = "range", .type = &value_range, RELAY_AT(range),
      .fallback = "the whole subnet",
      .doc = "addresses to hand out there: FIRST-LAST" },
    { 0 },
};

static bool
parse_relays(const struct member *member UNUSED, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    struct network_dhcp *dhcp = value;

    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        struct dhcp_relay *relay = &dhcp->relays[dhcp->n_relays];

        if (dhcp->n_relays == NETWORK_MAX_RELAYS) {
            node_error(item, diagnostics, "more than %d relayed subnets",
                       NETWORK_MAX_RELAYS);
            return false;
        }
        if (!members_parse(relay_members, "a relayed subnet", item, relay,
                           &relay->given, NULL, diagnostics)) {
            return false;
        }
        if (!(relay->given >> member_index(relay_members, "router") & 1)) {
            relay->router = htobe32(be32toh(relay->subnet.addr) + 1);
        }
        dhcp->n_relays++;
    }
    return true;
}

static json_t *
format_relays(const struct member *member UNUSED, const void *value)
{
    const struct network_dhcp *dhcp = value;
    json_t *list = json_array();

    for (unsigned int i = 0; i < dhcp->n_relays; i++) {
        json_array_append_new(list, members_format(relay_members,
                                                   &dhcp->relays[i],
                                                   dhcp->relays[i].given));
    }
    return list;
}

static json_t *
schema_relays(const struct member *member UNUSED)
{
    return schema_list(members_schema(relay_members), NETWORK_MAX_RELAYS);
}

static const struct value_type value_relays = {
    "a list like [{subnet: 10.9.0.0/24}]", parse_relays, format_relays,
    schema_relays,
};

/* ---- boot: {server: 10.1.0.5, file: pxelinux.0} ---- */

struct boot_value {
    uint64_t given;
    char server[64];
    char file[128];
};

#define BOOT_AT(M) MEMBER_AT(boot_value, M)

static const struct member boot_members[] = {
    { .name = "server", .type = &value_text, BOOT_AT(server),
      .is_required = true, .doc = "address or name of the TFTP server" },
    { .name = "file", .type = &value_text, BOOT_AT(file), .is_required = true,
      .doc = "what to load from it" },
    { 0 },
};

static bool
parse_boot(const struct member *member UNUSED, const struct node *node,
           void *value, struct diagnostics *diagnostics)
{
    struct network_dhcp *dhcp = value;
    struct boot_value boot = { 0 };

    if (!members_parse(boot_members, "'boot'", node, &boot, &boot.given, NULL,
                       diagnostics)) {
        return false;
    }
    memcpy(dhcp->boot_server, boot.server, sizeof dhcp->boot_server);
    memcpy(dhcp->boot_file, boot.file, sizeof dhcp->boot_file);
    return true;
}

static json_t *
format_boot(const struct member *member UNUSED, const void *value)
{
    const struct network_dhcp *dhcp = value;

    return json_pack("{s:s, s:s}", "server", dhcp->boot_server, "file",
                     dhcp->boot_file);
}

static json_t *
schema_boot(const struct member *member UNUSED)
{
    return members_schema(boot_members);
}

static const struct value_type value_boot = {
    "a map like {server: 10.1.0.5, file: pxelinux.0}", parse_boot,
    format_boot, schema_boot,
};

/* ---- options: {43: "hex:0104c0a80001", 150: [10.1.0.5]} ---- */

/* What the server decides, or another member says. */
static const struct {
    uint8_t code;
    const char *instead;          /* NULL: the server's own */
} own_options[] = {
    { 1, "subnet" }, { 3, "gateway" }, { 6, "dns" }, { 15, "domain" },
    { 26, "mtu" }, { 42, "ntp" }, { 50, NULL }, { 51, "lease" }, { 52, NULL },
    { 53, NULL }, { 54, NULL }, { 55, NULL }, { 57, NULL }, { 61, NULL },
    { 66, "boot" }, { 67, "boot" }, { 82, NULL }, { 121, "routes" },
};

static bool
parse_code(const struct node *node, uint8_t *code,
           struct diagnostics *diagnostics)
{
    uint64_t n;

    if (!number_parse(node->key, 254, &n) || !n) {
        node_key_error(node, diagnostics,
                       "'%s' is not a DHCP option from 1 to 254", node->key);
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(own_options); i++) {
        if (own_options[i].code != n) {
            continue;
        }
        if (own_options[i].instead) {
            node_key_error(node, diagnostics, "option %s is what '%s' says",
                           node->key, own_options[i].instead);
        } else {
            node_key_error(node, diagnostics,
                           "option %s is the server's own", node->key);
        }
        return false;
    }
    *code = (uint8_t) n;
    return true;
}

static bool
append_byte(struct dhcp_option *option, uint8_t byte)
{
    if (option->len == sizeof option->value) {
        return false;
    }
    option->value[option->len++] = byte;
    return true;
}

/* Pairs of digits, colons between them if one likes. */
static bool
read_hex(const char *text, struct dhcp_option *option)
{
    while (*text) {
        char pair[3] = { text[0], text[1], '\0' };

        if (!isxdigit((unsigned char) text[0])
            || !isxdigit((unsigned char) text[1])
            || !append_byte(option, (uint8_t) strtoul(pair, NULL, 16))) {
            return false;
        }
        text += 2;
        if (*text == ':' && text[1]) {
            text++;
        }
    }
    return option->len > 0;
}

static bool
read_addresses(const struct node *node, struct dhcp_option *option,
               struct diagnostics *diagnostics)
{
    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        be32 addr;

        if (!value_ip4.parse(&ip4_item, item, &addr, diagnostics)) {
            return false;
        }
        if (option->len + sizeof addr > sizeof option->value) {
            node_error(item, diagnostics, "more than %zu addresses",
                       sizeof option->value / sizeof addr);
            return false;
        }
        put_be32(option->value + option->len, addr);
        option->len = (uint8_t) (option->len + sizeof addr);
    }
    if (!option->len) {
        node_error(node, diagnostics, "the list is empty");
    }
    return option->len > 0;
}

static bool
read_text(const struct node *node, struct dhcp_option *option,
          struct diagnostics *diagnostics)
{
    size_t len = strlen(node->text);
    uint64_t n;

    if (node->is_plain && number_parse(node->text, UINT64_MAX, &n)) {
        node_error(node, diagnostics, "how many bytes is the number %s? Write "
                   "it as hex:..., or as a text in quotes", node->text);
        return false;
    }
    if (!len || len > sizeof option->value) {
        node_error(node, diagnostics, "is %zu bytes long, should be 1 to %zu",
                   len, sizeof option->value);
        return false;
    }
    for (const char *p = node->text; *p; p++) {
        if (!isprint((unsigned char) *p)) {
            node_error(node, diagnostics, "has a character that is no "
                       "printable ASCII: write hex:...");
            return false;
        }
    }
    memcpy(option->value, node->text, len);
    option->len = (uint8_t) len;
    return true;
}

static bool
parse_option(const struct node *node, struct dhcp_option *option,
             struct diagnostics *diagnostics)
{
    static const char what[] = "a text, hex:... or a list of addresses";
    be32 addr;

    if (!parse_code(node, &option->code, diagnostics)) {
        return false;
    }
    if (node->kind == NODE_LIST
        || (node->kind == NODE_SCALAR && ip4_parse(node->text, &addr))) {
        option->form = OPTION_ADDRESSES;
        return read_addresses(node, option, diagnostics);
    }
    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if (!strncmp(node->text, "hex:", 4)) {
        option->form = OPTION_HEX;
        if (!read_hex(node->text + 4, option)) {
            return value_wrong(node, "hex: and 1 to 255 pairs of digits",
                               diagnostics);
        }
        return true;
    }
    option->form = OPTION_TEXT;
    return read_text(node, option, diagnostics);
}

static int
compare_options(const void *a, const void *b)
{
    return ((const struct dhcp_option *) a)->code
           - ((const struct dhcp_option *) b)->code;
}

static bool
parse_options(const struct member *member, const struct node *node,
              void *value, struct diagnostics *diagnostics)
{
    struct network_dhcp *dhcp = value;
    bool good = true;

    if (node->kind != NODE_MAP || node->n > NETWORK_MAX_OPTIONS) {
        node_error(node, diagnostics, "should be %s, of at most %d",
                   member->type->what, NETWORK_MAX_OPTIONS);
        return false;
    }
    dhcp->options = xcalloc(node->n, sizeof dhcp->options[0]);
    NODE_FOR_EACH (item, node) {
        struct dhcp_option *option = &dhcp->options[dhcp->n_options];

        if (parse_option(item, option, diagnostics)) {
            dhcp->n_options++;
        } else {
            good = false;
        }
    }
    qsort(dhcp->options, dhcp->n_options, sizeof dhcp->options[0],
          compare_options);
    return good;
}

static json_t *
format_option(const struct dhcp_option *option)
{
    struct str text = STR_INIT;
    json_t *json;

    switch (option->form) {
    case OPTION_ADDRESSES:
        json = json_array();
        for (unsigned int i = 0; i + 4 <= option->len; i += 4) {
            char address[ADDRESS_TEXT_SIZE];

            json_array_append_new(json, json_string(
                ip4_format(get_be32(option->value + i), address)));
        }
        return json;
    case OPTION_HEX:
        str_add(&text, "hex:");
        for (unsigned int i = 0; i < option->len; i++) {
            str_addf(&text, "%02x", option->value[i]);
        }
        json = json_string(str_text(&text));
        str_fini(&text);
        return json;
    default:
        return json_stringn((const char *) option->value, option->len);
    }
}

static json_t *
format_options(const struct member *member UNUSED, const void *value)
{
    const struct network_dhcp *dhcp = value;
    json_t *map = json_object();

    for (unsigned int i = 0; i < dhcp->n_options; i++) {
        char code[8];

        snprintf(code, sizeof code, "%u", dhcp->options[i].code);
        json_object_set_new(map, code, format_option(&dhcp->options[i]));
    }
    return map;
}

static json_t *
schema_options(const struct member *member UNUSED)
{
    json_t *option = schema_either(
        json_pack("{s:s}", "type", "string"),
        json_pack("{s:s, s:o}", "type", "array", "items",
                  schema_text(PATTERN_IP4)));

    return json_pack("{s:s, s:{s:o}, s:b, s:i}", "type", "object",
                     "patternProperties", "^[1-9][0-9]{0,2}$", option,
                     "additionalProperties", 0, "maxProperties",
                     NETWORK_MAX_OPTIONS);
}

static const struct value_type value_options = {
    "a map from numbers to texts, hex:... or lists of addresses",
    parse_options, format_options, schema_options,
};

/* ---- The whole ---- */

/* Members without a field of their own get the whole struct. */
static const struct member dhcp_members[] = {
    { .name = "range", .type = &value_ranges,
      .fallback = "the whole subnet",
      .doc = "addresses to hand out: FIRST-LAST, or a list" },
    { .name = "lease", .type = &value_duration,
      MEMBER_AT(network_dhcp, lease_time), .min = 1, .max = 31536000,
      .fallback = "1h", .doc = "how long an address is granted" },
    { .name = "per-port", .type = &value_number,
      MEMBER_AT(network_dhcp, per_port), .min = 1, .max = 16000000,
      .fallback = "1024",
      .doc = "addresses that nested guests behind one port may hold" },
    { .name = "ntp", .type = &value_ntp, .doc = "time servers" },
    { .name = "routes", .type = &value_routes,
      .doc = "further routes of guests, like {to: 10.9.0.0/16, via: "
             "10.1.0.5}" },
    { .name = "relays", .type = &value_relays,
      .doc = "subnets behind DHCP relays of this network: [{subnet: "
             "10.9.0.0/24}]" },
    { .name = "boot", .type = &value_boot,
      .doc = "where guests boot from: {server: 10.1.0.5, file: pxelinux.0}" },
    { .name = "options", .type = &value_options,
      .doc = "any option by number: a text, hex:... or a list of addresses" },
    { 0 },
};

static bool
parse_dhcp(const struct member *member UNUSED, const struct node *node,
           void *value, struct diagnostics *diagnostics)
{
    struct network_dhcp *dhcp = value;

    /* Others read a bare `off` as false before they hand it on as JSON. */
    if (node->kind == NODE_SCALAR
        && (!strcmp(node->text, "off") || !strcmp(node->text, "false"))) {
        dhcp->is_off = true;
        return true;
    }
    if (node->kind == NODE_SCALAR) {
        return value_wrong(node, "off, or a map like {lease: 1h}",
                           diagnostics);
    }
    return members_parse(dhcp_members, "'dhcp'", node, dhcp, &dhcp->given,
                         NULL, diagnostics);
}

static json_t *
format_dhcp(const struct member *member UNUSED, const void *value)
{
    const struct network_dhcp *dhcp = value;

    return dhcp->is_off ? json_string("off")
                        : members_format(dhcp_members, dhcp, dhcp->given);
}

static json_t *
schema_dhcp(const struct member *member UNUSED)
{
    return schema_either(json_pack("{s:[s, b]}", "enum", "off", 0),
                         members_schema(dhcp_members));
}

const struct value_type value_dhcp = {
    "off, or a map", parse_dhcp, format_dhcp, schema_dhcp,
};

void
dhcp_value_fill(struct network_dhcp *dhcp)
{
    if (!(dhcp->given >> member_index(dhcp_members, "lease") & 1)) {
        dhcp->lease_time = 3600;
    }
    if (!(dhcp->given >> member_index(dhcp_members, "per-port") & 1)) {
        dhcp->per_port = 1024;
    }
}
