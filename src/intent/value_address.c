/* Values that are addresses. */

#include "intent/value.h"
#include "packet/address.h"

static bool
parse_ip4(const struct member *member, const struct node *node, void *value,
          struct diagnostics *diagnostics)
{
    const char *what = member->type->what;
    be32 addr;

    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if (member->type == &value_ip4_or_none && !strcmp(node->text, "none")) {
        addr = 0;
    } else if (!ip4_parse(node->text, &addr) || !addr) {
        return value_wrong(node, what, diagnostics);
    }
    *(be32 *) value = addr;
    return true;
}

static json_t *
format_ip4(const struct member *member, const void *value)
{
    char text[ADDRESS_TEXT_SIZE];
    be32 addr = *(const be32 *) value;

    return addr ? json_string(ip4_format(addr, text))
           : member->type == &value_ip4_or_none ? json_string("none")
           : NULL;
}

static json_t *
schema_ip4(const struct member *member)
{
    return schema_text(member->type == &value_ip4_or_none
                       ? "none|" PATTERN_IP4 : PATTERN_IP4);
}

const struct value_type value_ip4 = {
    "an IPv4 address", parse_ip4, format_ip4, schema_ip4,
};
const struct value_type value_ip4_or_none = {
    "an IPv4 address, or none", parse_ip4, format_ip4, schema_ip4,
};

static bool
parse_ip6(const struct member *member, const struct node *node, void *value,
          struct diagnostics *diagnostics)
{
    struct ip6_addr addr = { { 0 } };
    const char *what = member->type->what;

    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if ((member->type != &value_ip6_or_none || strcmp(node->text, "none"))
        && (!ip6_parse(node->text, &addr) || !ip6_addr_is_set(addr))) {
        return value_wrong(node, what, diagnostics);
    }
    memcpy(value, &addr, sizeof addr);
    return true;
}

static json_t *
format_ip6(const struct member *member, const void *value)
{
    char text[ADDRESS_TEXT_SIZE];
    struct ip6_addr addr;

    memcpy(&addr, value, sizeof addr);
    return ip6_addr_is_set(addr) ? json_string(ip6_format(addr, text))
           : member->type == &value_ip6_or_none ? json_string("none")
           : NULL;
}

static json_t *
schema_ip6(const struct member *member)
{
    return schema_text(member->type == &value_ip6_or_none
                       ? "none|" PATTERN_IP6 : PATTERN_IP6);
}

const struct value_type value_ip6 = {
    "an IPv6 address", parse_ip6, format_ip6, schema_ip6,
};
const struct value_type value_ip6_or_none = {
    "an IPv6 address, or none", parse_ip6, format_ip6, schema_ip6,
};

static bool
parse_ip(const struct member *member UNUSED, const struct node *node,
         void *value, struct diagnostics *diagnostics)
{
    static const char what[] = "an address";
    struct ip6_addr addr;

    if (!value_is_scalar(node, what, diagnostics)) {
        return false;
    }
    if (!ip_parse(node->text, &addr)) {
        return value_wrong(node, what, diagnostics);
    }
    memcpy(value, &addr, sizeof addr);
    return true;
}

static json_t *
format_ip(const struct member *member UNUSED, const void *value)
{
    char text[ADDRESS_TEXT_SIZE];
    struct ip6_addr addr;

    memcpy(&addr, value, sizeof addr);
    return ip6_addr_is_set(addr) ? json_string(ip_format(addr, text)) : NULL;
}

static json_t *
schema_ip(const struct member *member UNUSED)
{
    return schema_text(PATTERN_IP4 "|" PATTERN_IP6);
}

const struct value_type value_ip = {
    "an address", parse_ip, format_ip, schema_ip,
};

static bool
parse_mac(const struct member *member, const struct node *node, void *value,
          struct diagnostics *diagnostics)
{
    struct eth_addr mac;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    if (!eth_addr_parse(node->text, &mac)) {
        return value_wrong(node, member->type->what, diagnostics);
    }
    if (eth_addr_is_group(mac) || !eth_addr_is_set(mac)) {
        node_error(node, diagnostics, "'%s' is no station's address: %s",
                   node->text, eth_addr_is_set(mac)
                   ? "the lowest bit of its first byte says that it is a "
                     "group's" : "it is all zero");
        return false;
    }
    memcpy(value, &mac, sizeof mac);
    return true;
}

static json_t *
format_mac(const struct member *member UNUSED, const void *value)
{
    char text[ADDRESS_TEXT_SIZE];
    struct eth_addr mac;

    memcpy(&mac, value, sizeof mac);
    return eth_addr_is_set(mac) ? json_string(eth_addr_format(mac, text))
                                : NULL;
}

static json_t *
schema_mac(const struct member *member UNUSED)
{
    return schema_text(PATTERN_MAC);
}

const struct value_type value_mac = {
    "a MAC address like 02:00:00:00:00:01", parse_mac, format_mac, schema_mac,
};

static bool
parse_subnet4(const struct member *member, const struct node *node,
              void *value, struct diagnostics *diagnostics)
{
    struct subnet4 *subnet = value;
    char text[ADDRESS_TEXT_SIZE];
    uint8_t len;
    be32 addr;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    if (!strchr(node->text, '/')
        || !ip4_prefix_parse(node->text, &addr, &len)) {
        return value_wrong(node, member->type->what, diagnostics);
    }
    if (member->type != &value_prefix4 && (addr & ~ip4_mask(len))) {
        node_error(node, diagnostics, "'%s' is an address within the network "
                   "%s/%u", node->text,
                   ip4_format(addr & ip4_mask(len), text), len);
        return false;
    }
    subnet->is_set = true;
    subnet->addr = addr;
    subnet->len = len;
    return true;
}

static json_t *
format_subnet4(const struct member *member UNUSED, const void *value)
{
    const struct subnet4 *subnet = value;
    char text[ADDRESS_TEXT_SIZE];

    return subnet->is_set ? json_sprintf("%s/%u",
                                         ip4_format(subnet->addr, text),
                                         subnet->len)
                          : NULL;
}

static json_t *
schema_subnet4(const struct member *member UNUSED)
{
    return schema_text(PATTERN_IP4 "/[0-9]{1,2}");
}

const struct value_type value_subnet4 = {
    "an IPv4 network like 10.1.0.0/24", parse_subnet4, format_subnet4,
    schema_subnet4,
};
const struct value_type value_prefix4 = {
    "an IPv4 address like 203.0.113.5/24", parse_subnet4, format_subnet4,
    schema_subnet4,
};

static bool
parse_subnet6(const struct member *member, const struct node *node,
              void *value, struct diagnostics *diagnostics)
{
    struct subnet6 *subnet = value;
    char text[ADDRESS_TEXT_SIZE];
    struct ip6_addr addr;
    uint8_t len;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    if (!strchr(node->text, '/')
        || !ip6_prefix_parse(node->text, &addr, &len)) {
        return value_wrong(node, member->type->what, diagnostics);
    }
    if (member->type != &value_prefix6
        && !ip6_addr_eq(addr, ip6_masked(addr, len))) {
        node_error(node, diagnostics, "'%s' is an address within the network "
                   "%s/%u", node->text,
                   ip6_format(ip6_masked(addr, len), text), len);
        return false;
    }
    subnet->is_set = true;
    subnet->addr = addr;
    subnet->len = len;
    return true;
}

static json_t *
format_subnet6(const struct member *member UNUSED, const void *value)
{
    const struct subnet6 *subnet = value;
    char text[ADDRESS_TEXT_SIZE];

    return subnet->is_set ? json_sprintf("%s/%u",
                                         ip6_format(subnet->addr, text),
                                         subnet->len)
                          : NULL;
}

static json_t *
schema_subnet6(const struct member *member UNUSED)
{
    return schema_text(PATTERN_IP6 "/[0-9]{1,3}");
}

const struct value_type value_subnet6 = {
    "an IPv6 network like fd00:1::/64", parse_subnet6, format_subnet6,
    schema_subnet6,
};
const struct value_type value_prefix6 = {
    "an IPv6 address like 2001:db8::5/64", parse_subnet6, format_subnet6,
    schema_subnet6,
};
