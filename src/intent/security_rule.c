#include "intent/security_rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "intent/value.h"
#include "lib/hash.h"
#include "packet/address.h"

/* ---- protocol: tcp ---- */

static const struct {
    const char *name;
    uint8_t protocol;
} protocols[] = {
    { "tcp", SECURITY_TCP }, { "udp", SECURITY_UDP },
    { "sctp", SECURITY_SCTP }, { "icmp", SECURITY_ICMP },
    { "icmp6", SECURITY_ICMP6 },
};

static void
protocol_wrong(const struct node *node, const char *what,
               struct diagnostics *diagnostics)
{
    const char *names[ARRAY_SIZE(protocols) + 2] = { "any" };
    struct str text = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        names[i + 1] = protocols[i].name;
    }
    str_add(&text, what);
    diag_add_nearest(&text, node->text, names);
    value_wrong(node, str_text(&text), diagnostics);
    str_fini(&text);
}

static bool
parse_protocol(const struct member *member, const struct node *node,
               void *value, struct diagnostics *diagnostics)
{
    struct security_rule *rule = value;
    uint64_t number;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    rule->is_any = !strcmp(node->text, "any");
    if (rule->is_any) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (!strcmp(node->text, protocols[i].name)) {
            rule->protocol = protocols[i].protocol;
            return true;
        }
    }
    if (!number_parse(node->text, 255, &number)) {
        protocol_wrong(node, member->type->what, diagnostics);
        return false;
    }
    rule->protocol = (uint8_t) number;
    return true;
}

const char *
security_protocol_format(bool is_any, uint8_t protocol, char text[8])
{
    snprintf(text, 8, "%u", protocol);
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (protocols[i].protocol == protocol) {
            strcpy(text, protocols[i].name);
        }
    }
    return is_any ? "any" : text;
}

static json_t *
format_protocol(const struct member *member UNUSED, const void *value)
{
    const struct security_rule *rule = value;
    char text[8];

    return json_string(security_protocol_format(rule->is_any, rule->protocol,
                                                text));
}

static json_t *
schema_protocol(const struct member *member UNUSED)
{
    return schema_either(schema_text("any|tcp|udp|sctp|icmp|icmp6|[0-9]{1,3}"),
                         json_pack("{s:s, s:i, s:i}", "type", "integer",
                                   "minimum", 0, "maximum", 255));
}

static const struct value_type value_protocol = {
    "any, tcp, udp, sctp, icmp, icmp6 or a number from 0 to 255",
    parse_protocol, format_protocol, schema_protocol,
};

/* ---- port: 443, or 8000-8080 ---- */

static bool
parse_ports(const struct member *member, const struct node *node, void *value,
            struct diagnostics *diagnostics)
{
    struct security_rule *rule = value;
    char first[8];
    const char *dash;
    uint64_t from, to;
    size_t len;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    dash = strchr(node->text, '-');
    len = dash ? (size_t) (dash - node->text) : strlen(node->text);
    snprintf(first, sizeof first, "%.*s", (int) MIN(len, sizeof first - 1),
             node->text);
    if (!number_parse(first, UINT16_MAX, &from)
        || !number_parse(dash ? dash + 1 : first, UINT16_MAX, &to)) {
        return value_wrong(node, member->type->what, diagnostics);
    }
    if (from > to) {
        node_error(node, diagnostics, "'%s' ends before it begins",
                   node->text);
        return false;
    }
    rule->has_ports = true;
    rule->first_port = (uint16_t) from;
    rule->last_port = (uint16_t) to;
    return true;
}

static json_t *
format_ports(const struct member *member UNUSED, const void *value)
{
    const struct security_rule *rule = value;

    return !rule->has_ports ? NULL
           : rule->first_port == rule->last_port
           ? json_integer(rule->first_port)
           : json_sprintf("%u-%u", rule->first_port, rule->last_port);
}

static json_t *
schema_ports(const struct member *member UNUSED)
{
    return schema_either(schema_text("[0-9]{1,5}(-[0-9]{1,5})?"),
                         json_pack("{s:s, s:i, s:i}", "type", "integer",
                                   "minimum", 0, "maximum", UINT16_MAX));
}

static const struct value_type value_ports = {
    "a port like 443, or several like 8000-8080", parse_ports, format_ports,
    schema_ports,
};

/* ---- from, to: the other end ---- */

static bool
parse_peer(const struct member *member, const struct node *node, void *value,
           struct diagnostics *diagnostics)
{
    struct security_rule *rule = value;
    struct subnet4 *four = &rule->subnet;
    struct subnet6 *six = &rule->subnet6;
    char text[ADDRESS_TEXT_SIZE];

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    if (ip4_prefix_parse(node->text, &four->addr, &four->len)) {
        four->is_set = true;
        if (four->addr & ~ip4_mask(four->len)) {
            node_error(node, diagnostics, "'%s' is an address within the "
                       "network %s/%u", node->text,
                       ip4_format(four->addr & ip4_mask(four->len), text),
                       four->len);
            return false;
        }
    } else if (ip6_prefix_parse(node->text, &six->addr, &six->len)) {
        six->is_set = true;
        if (!ip6_addr_eq(six->addr, ip6_masked(six->addr, six->len))) {
            node_error(node, diagnostics, "'%s' is an address within the "
                       "network %s/%u", node->text,
                       ip6_format(ip6_masked(six->addr, six->len), text),
                       six->len);
            return false;
        }
    } else if (intent_name_is_valid(node->text, NULL)) {
        strcpy(rule->peer_name, node->text);
    } else {
        return value_wrong(node, member->type->what, diagnostics);
    }
    return true;
}

static json_t *
format_peer(const struct member *member UNUSED, const void *value)
{
    const struct security_rule *rule = value;
    char text[ADDRESS_TEXT_SIZE];

    if (rule->subnet.is_set) {
        ip4_format(rule->subnet.addr, text);
        return rule->subnet.len == 32
               ? json_string(text)
               : json_sprintf("%s/%u", text, rule->subnet.len);
    }
    if (rule->subnet6.is_set) {
        ip6_format(rule->subnet6.addr, text);
        return rule->subnet6.len == 128
               ? json_string(text)
               : json_sprintf("%s/%u", text, rule->subnet6.len);
    }
    return *rule->peer_name ? json_string(rule->peer_name) : NULL;
}

static json_t *
schema_peer(const struct member *member UNUSED)
{
    return schema_text(PATTERN_IP4 "(/[0-9]{1,2})?|"
                       PATTERN_IP6 "(/[0-9]{1,3})?|"
                       "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
}

static const struct value_type value_peer = {
    "an address, a network or a security group", parse_peer, format_peer,
    schema_peer,
};

/* ---- type, code ---- */

#define AT(M) MEMBER_AT(security_rule, M)

static const struct member rule_members[] = {
    { .name = "protocol", .type = &value_protocol, .fallback = "any",
      .doc = "tcp, udp, sctp, icmp, icmp6, any, or an IP protocol's number" },
    { .name = "port", .type = &value_ports,
      .doc = "destination port of tcp, udp, sctp: 443, or 8000-8080" },
    { .name = "type", .type = &value_number, AT(icmp_type), .max = 255,
      .doc = "type of an ICMP message: 8 asks for an echo, in IPv6 128" },
    { .name = "code", .type = &value_number, AT(icmp_code), .max = 255,
      .doc = "the code of such a message" },
    { .name = "from", .type = &value_peer,
      .doc = "in: who may: an address, a network, or a security group, which "
             "stands for its members" },
    { .name = "to", .type = &value_peer,
      .doc = "out: whom it may reach, written like that" },
    { .name = "cut", .type = &value_bool, AT(is_cut), .fallback = "false",
      .doc = "when the rule is taken away, what it alone allowed ends" },
    { 0 },
};

/* ---- A rule ---- */

static bool
has(const struct security_rule *rule, const char *name)
{
    return rule->given >> member_index(rule_members, name) & 1;
}

static bool
wrong_at(const struct node *map, const char *key, const char *what,
         struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, key);

    node_error(node ? node : map, diagnostics, "%s", what);
    return false;
}

static bool
fits(const struct security_rule *rule, bool is_in, const struct node *map,
     struct diagnostics *diagnostics)
{
    const char *peer = is_in ? "from" : "to";
    bool is_icmp = !rule->is_any && rule->protocol == SECURITY_ICMP;
    bool is_icmp6 = !rule->is_any && rule->protocol == SECURITY_ICMP6;
    bool has_l4 = !rule->is_any && (rule->protocol == SECURITY_TCP
                                    || rule->protocol == SECURITY_UDP
                                    || rule->protocol == SECURITY_SCTP);

    if (has(rule, is_in ? "to" : "from")) {
        return wrong_at(map, is_in ? "to" : "from", is_in
                        ? "an 'in' rule has 'from'"
                        : "an 'out' rule has 'to'", diagnostics);
    }
    if (!rule->given) {
        node_error(map, diagnostics, "this rule says nothing; one that lets "
                   "everything pass is {protocol: any}");
        return false;
    }
    if (rule->has_ports && !has_l4) {
        return wrong_at(map, "port", "only tcp, udp and sctp have ports",
                        diagnostics);
    }
    if (rule->has_type && !is_icmp && !is_icmp6) {
        return wrong_at(map, "type", "only icmp and icmp6 have types",
                        diagnostics);
    }
    if (rule->has_code && !rule->has_type) {
        return wrong_at(map, "code", "means nothing without a type",
                        diagnostics);
    }
    if (is_icmp && rule->subnet6.is_set) {
        return wrong_at(map, peer, "is IPv6, where there is icmp6",
                        diagnostics);
    }
    if (is_icmp6 && rule->subnet.is_set) {
        return wrong_at(map, peer, "is IPv4, where there is icmp",
                        diagnostics);
    }
    return true;
}

bool
security_rule_parse(const struct node *node, bool is_in,
                    struct security_rule *rule,
                    struct diagnostics *diagnostics)
{
    *rule = (struct security_rule) {
        .is_any = true,
        .place = { node->place.line, node->place.column },
    };
    if (!members_parse(rule_members,
                       is_in ? "an 'in' rule" : "an 'out' rule", node, rule,
                       &rule->given, NULL, diagnostics)) {
        return false;
    }
    rule->has_type = has(rule, "type");
    rule->has_code = has(rule, "code");
    return fits(rule, is_in, node, diagnostics);
}

json_t *
security_rule_json(const struct security_rule *rule)
{
    return members_format(rule_members, rule, rule->given);
}

json_t *
security_rule_schema(bool is_in)
{
    json_t *schema = members_schema(rule_members);

    json_object_del(json_object_get(schema, "properties"),
                    is_in ? "to" : "from");
    return schema;
}

void
security_rule_format(const struct security_rule *rule, struct str *text)
{
    json_t *json = security_rule_json(rule);
    const char *name, *separator = "";
    json_t *value;

    json_object_foreach (json, name, value) {
        str_addf(text, "%s%s=", separator, name);
        if (json_is_string(value)) {
            str_add(text, json_string_value(value));
        } else if (json_is_boolean(value)) {
            str_add(text, json_is_true(value) ? "true" : "false");
        } else {
            str_addf(text, "%lld", (long long) json_integer_value(value));
        }
        separator = " ";
    }
    json_decref(json);
}

uint32_t
security_rule_id(const struct security_rule *rule, bool is_in,
                 const char *group)
{
    static const struct hash_key key = { UINT64_C(0x776566742d72756c) };
    uint64_t cut = UINT64_C(1) << member_index(rule_members, "cut");
    struct str text = STR_INIT;
    json_t *json = members_format(rule_members, rule,
                                  rule->given & ~cut);
    char *dump = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    uint64_t hash;

    str_addf(&text, "%s %s %s", group, is_in ? "in" : "out", dump);
    hash = hash_bytes(key, str_text(&text), text.len);
    free(dump);
    json_decref(json);
    str_fini(&text);
    return (uint32_t) (hash % SECURITY_RULE_ID_MAX) + 1;
}
