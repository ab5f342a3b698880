#include "intent/forward_value.h"

#include <netinet/in.h>
#include <stdio.h>

#include "intent/value.h"
#include "packet/address.h"

static const struct protocol {
    const char *name;
    uint8_t number;
} protocols[] = {
    { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP },
};

const char *
forward_protocol_name(uint8_t protocol)
{
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (protocols[i].number == protocol) {
            return protocols[i].name;
        }
    }
    return "";
}

enum { LISTEN_TEXT_SIZE = 128 };

/* "443" or "8000-8010". */
static bool
ports_parse(const char *text, uint16_t *first, uint16_t *last)
{
    char from[LISTEN_TEXT_SIZE];
    const char *dash = strchr(text, '-');
    size_t len = dash ? (size_t) (dash - text) : strlen(text);
    uint64_t a, b;

    if (len >= sizeof from) {
        return false;
    }
    memcpy(from, text, len);
    from[len] = '\0';
    if (!number_parse(from, UINT16_MAX, &a)
        || !number_parse(dash ? dash + 1 : from, UINT16_MAX, &b) || !a
        || b < a) {
        return false;
    }
    *first = (uint16_t) a;
    *last = (uint16_t) b;
    return true;
}

static void
ports_format(uint16_t first, uint16_t last, char text[VALUE_TEXT_SIZE])
{
    if (first == last) {
        snprintf(text, VALUE_TEXT_SIZE, "%u", first);
    } else {
        snprintf(text, VALUE_TEXT_SIZE, "%u-%u", first, last);
    }
}

/* ---- listen ---- */

static bool
address_parse(const char *text, struct ip6_addr *address)
{
    be32 ip4;

    if (ip4_parse(text, &ip4) && ip4) {
        *address = ip6_of_ip4(ip4);
        return true;
    }
    return ip6_parse(text, address) && ip6_addr_is_set(*address);
}

/* Cuts the text into address, ports, protocol; each may be NULL. */
static bool
listen_split(char *text, char **address, char **ports, char **protocol)
{
    char *slash = strrchr(text, '/'), *colon;

    *address = *ports = *protocol = NULL;
    if (slash) {
        *slash = '\0';
        *protocol = slash + 1;
    }
    if (text[0] == '[') {
        char *end = strchr(text, ']');

        if (!end) {
            return false;
        }
        *end = '\0';
        *address = text + 1;
        if (end[1] == ':') {
            *ports = end + 2;
        }
        return end[1] == ':' || !end[1];
    }
    colon = strchr(text, ':');
    if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
        *address = text;
        *ports = colon + 1;
    } else if (colon || strchr(text, '.')) {
        *address = text;
    } else {
        *ports = text;
    }
    return true;
}

static const struct protocol *
protocol_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (!strcmp(protocols[i].name, name)) {
            return &protocols[i];
        }
    }
    return NULL;
}

static bool
parse_listen(const struct member *member, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    const char *what = member->type->what;
    char text[LISTEN_TEXT_SIZE], *address, *ports, *protocol;
    struct forward_listen listen = { .protocol = 0 };
    const struct protocol *found;

    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if (strlen(node->text) >= sizeof text) {
        return value_wrong(node, what, diagnostics);
    }
    strcpy(text, node->text);
    if (!listen_split(text, &address, &ports, &protocol)
        || (address && !address_parse(address, &listen.address))
        || (ports && !ports_parse(ports, &listen.first, &listen.last))) {
        return value_wrong(node, what, diagnostics);
    }
    if (ports && !protocol) {
        node_error(node, diagnostics,
                   "'%s' does not say of which protocol: %s/tcp, %s/udp",
                   node->text, node->text, node->text);
        return false;
    }
    if (protocol) {
        found = protocol_find(protocol);
        if (!found) {
            node_error(node, diagnostics, "'%s' is none of tcp, udp, sctp",
                       protocol);
            return false;
        }
        if (!ports) {
            node_error(node, diagnostics, "'%s' has no port", node->text);
            return false;
        }
        listen.protocol = found->number;
    }
    memcpy(value, &listen, sizeof listen);
    return true;
}

static json_t *
format_listen(const struct member *member UNUSED, const void *value)
{
    const struct forward_listen *listen = value;
    char address[ADDRESS_TEXT_SIZE] = "", ports[VALUE_TEXT_SIZE];
    bool is_ip4 = ip6_is_mapped4(&listen->address), is_there;
    const char *name = forward_protocol_name(listen->protocol);

    is_there = ip6_addr_is_set(listen->address);
    if (is_ip4) {
        ip4_format(get_be32(&listen->address.b[12]), address);
    } else if (is_there) {
        ip6_format(listen->address, address);
    }
    if (!listen->protocol) {
        return is_there ? json_string(address) : NULL;
    }
    ports_format(listen->first, listen->last, ports);
    return !is_there ? json_sprintf("%s/%s", ports, name)
           : is_ip4 ? json_sprintf("%s:%s/%s", address, ports, name)
                    : json_sprintf("[%s]:%s/%s", address, ports, name);
}

#define PATTERN_PORTS "[0-9]{1,5}(-[0-9]{1,5})?"

static json_t *
schema_listen(const struct member *member UNUSED)
{
    return schema_text(PATTERN_IP4 "|" PATTERN_IP6 "|"
                       "(((" PATTERN_IP4 ")|\\[(" PATTERN_IP6 ")\\]):)?"
                       PATTERN_PORTS "/(tcp|udp|sctp)");
}

const struct value_type value_listen = {
    "like 203.0.113.5:443/tcp, 443/tcp, or an address",
    parse_listen, format_listen, schema_listen,
};

/* ---- to ---- */

static bool
parse_target(const struct member *member, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    const char *what = member->type->what, *why;
    struct forward_target target = { .first = 0 };
    char text[LISTEN_TEXT_SIZE], *colon;

    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if (strlen(node->text) >= sizeof text) {
        return value_wrong(node, what, diagnostics);
    }
    strcpy(text, node->text);
    colon = strchr(text, ':');
    if (colon) {
        *colon = '\0';
        if (!ports_parse(colon + 1, &target.first, &target.last)) {
            return value_wrong(node, what, diagnostics);
        }
    }
    if (!intent_name_is_valid(text, &why)) {
        node_error(node, diagnostics, "'%s' cannot be a port's name: %s",
                   text, why);
        return false;
    }
    strcpy(target.port_name, text);
    memcpy(value, &target, sizeof target);
    return true;
}

static json_t *
format_target(const struct member *member UNUSED, const void *value)
{
    const struct forward_target *target = value;
    char ports[VALUE_TEXT_SIZE];

    if (!*target->port_name) {
        return NULL;
    }
    if (!target->first) {
        return json_string(target->port_name);
    }
    ports_format(target->first, target->last, ports);
    return json_sprintf("%s:%s", target->port_name, ports);
}

static json_t *
schema_target(const struct member *member UNUSED)
{
    return schema_text("[a-z0-9]([a-z0-9-]*[a-z0-9])?(:" PATTERN_PORTS ")?");
}

const struct value_type value_target = {
    "a port's name, or like web:8443", parse_target, format_target,
    schema_target,
};
