/* What a network may say. */

#include <stdlib.h>

#include "intent/dhcp6_value.h"
#include "intent/dhcp_value.h"
#include "intent/validate.h"
#include "intent/value.h"
#include "packet/address.h"
#include "packet/npt6.h"

/* ---- dns: servers of both families in one list ---- */

static bool
add_server(struct intent_network *network, const struct node *node,
           struct diagnostics *diagnostics)
{
    struct ip6_addr ip6;
    be32 ip4;

    if (!value_is_scalar(node, "an address", diagnostics)) {
        return false;
    }
    if (ip4_parse(node->text, &ip4) && ip4) {
        if (network->n_dns < NETWORK_MAX_SERVERS) {
            network->dns[network->n_dns++] = ip4;
            return true;
        }
    } else if (ip6_parse(node->text, &ip6) && ip6_addr_is_set(ip6)) {
        if (network->n_dns6 < NETWORK_MAX_SERVERS) {
            network->dns6[network->n_dns6++] = ip6;
            return true;
        }
    } else {
        return value_wrong(node, "an address", diagnostics);
    }
    node_error(node, diagnostics, "more than %d servers of one family",
               NETWORK_MAX_SERVERS);
    return false;
}

static bool
parse_dns(const struct member *member UNUSED, const struct node *node,
          void *value, struct diagnostics *diagnostics)
{
    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        if (!add_server(value, item, diagnostics)) {
            return false;
        }
    }
    return true;
}

static json_t *
format_dns(const struct member *member UNUSED, const void *value)
{
    const struct intent_network *network = value;
    char text[ADDRESS_TEXT_SIZE];
    json_t *list;

    if (!network->n_dns && !network->n_dns6) {
        return NULL;
    }
    list = json_array();
    for (unsigned int i = 0; i < network->n_dns; i++) {
        json_array_append_new(list, json_string(
            ip4_format(network->dns[i], text)));
    }
    for (unsigned int i = 0; i < network->n_dns6; i++) {
        json_array_append_new(list, json_string(
            ip6_format(network->dns6[i], text)));
    }
    return list;
}

static json_t *
schema_dns(const struct member *member UNUSED)
{
    return schema_list(schema_text(PATTERN_IP4 "|" PATTERN_IP6),
                       2 * NETWORK_MAX_SERVERS);
}

static const struct value_type value_dns = {
    "a list of addresses", parse_dns, format_dns, schema_dns,
};

/* ---- The table ---- */

static const char *const ra_words[] = {
    [RA_SLAAC] = "slaac", [RA_STATEFUL] = "stateful", [RA_OFF] = "off", NULL,
};

static const char *const nat6_words[] = {
    [NAT6_NONE] = "none", [NAT6_MASQUERADE] = "masquerade",
    [NAT6_PREFIX] = "prefix", NULL,
};

static const char *const multicast_words[] = {
    [MULTICAST_SNOOP] = "snoop", [MULTICAST_FLOOD] = "flood", NULL,
};

#define AT(M) MEMBER_AT(intent_network, M)

static const struct member members[] = {
    { .name = "subnet", .type = &value_subnet4, AT(subnet),
      .effect = EFFECT_CUT, .doc = "IPv4 network of its ports" },
    { .name = "gateway", .type = &value_ip4_or_none, AT(gateway),
      .effect = EFFECT_CUT, .fallback = "the subnet's first address",
      .doc = "the network's own address, where services answer" },
    { .name = "subnet6", .type = &value_subnet6, AT(subnet6),
      .effect = EFFECT_CUT, .may_begin = true,
      .doc = "IPv6 network of its ports" },
    { .name = "gateway6", .type = &value_ip6_or_none, AT(gateway6),
      .effect = EFFECT_CUT, .may_begin = true, .fallback = "the subnet's first address",
      .doc = "the network's own IPv6 address" },
    { .name = "segment", .type = &value_segment, AT(segment),
      .effect = EFFECT_CUT, .fallback = "local",
      .doc = "how it spans hosts, or joins a LAN" },
    { .name = "nat", .type = &value_name, AT(nat_name),
      .effect = EFFECT_CUT, .may_begin = true,
      .doc = "the uplink by which its gateway leads out; sources become the "
             "uplink's address" },
    { .name = "nat6", .type = &value_choice, AT(nat6), .words = nat6_words,
      .effect = EFFECT_CUT, .fallback = "none",
      .doc = "what becomes of IPv6 sources on that way: they stay (none), "
             "become the uplink's address (masquerade), or each one of "
             "prefix6 (prefix)" },
    { .name = "prefix6", .type = &value_subnet6, AT(prefix6),
      .effect = EFFECT_CUT, .may_begin = true,
      .doc = "the prefix that its IPv6 addresses have outside, routed to the "
             "uplink's address6 (RFC 6296)" },
    { .name = "mtu", .type = &value_number, AT(mtu), .min = 576, .max = 65535,
      .effect = EFFECT_FLOWS, .fallback = "1500; of an overlay what fits",
      .doc = "largest packet, as guests are told" },
    { .name = "domain", .type = &value_domain, AT(domain),
      .effect = EFFECT_FLOWS, .fallback = "NAME.weft",
      .doc = "domain of its ports' names" },
    { .name = "dns", .type = &value_dns, .effect = EFFECT_FLOWS,
      .fallback = "the gateway answers",
      .doc = "name servers that guests are told" },
    { .name = "dhcp", .type = &value_dhcp, AT(dhcp), .effect = EFFECT_FLOWS,
      .fallback = "the whole subnet", .doc = "how addresses are handed out" },
    { .name = "dhcp6", .type = &value_dhcp6, AT(dhcp6),
      .effect = EFFECT_FLOWS,
      .doc = "what guests are told by DHCPv6: {lease: 1h, ntp: [fd00::5]}" },
    { .name = "ra", .type = &value_choice, AT(ra), .words = ra_words,
      .effect = EFFECT_FLOWS, .fallback = "slaac",
      .doc = "IPv6 guests choose addresses (slaac), are given them "
             "(stateful), or neither (off)" },
    { .name = "multicast", .type = &value_choice, AT(multicast),
      .words = multicast_words, .effect = EFFECT_FLOWS, .fallback = "snoop",
      .doc = "groups reach who asks for them (snoop), or everybody (flood)" },
    { .name = "storm-cap", .type = &value_number, AT(storm_cap), .min = 1,
      .max = 1000000, .effect = EFFECT_FLOWS, .fallback = "500",
      .doc = "broadcasts and multicasts per second from one port" },
    { 0 },
};

static void
fill_gateways(struct intent_network *network)
{
    if (network->subnet.is_set && !object_has(&network->object, "gateway")) {
        network->gateway = htobe32(be32toh(network->subnet.addr) + 1);
    }
    if (network->subnet6.is_set && !object_has(&network->object, "gateway6")) {
        network->gateway6 = network->subnet6.addr;
        network->gateway6.b[15] |= 1;
    }
}

static void
fill(struct intent_object *object)
{
    struct intent_network *network
        = CONTAINER_OF(object, struct intent_network, object);
    size_t name_len = strlen(object->name);

    fill_gateways(network);
    network->gateway_mac = intent_object_mac(object);
    if (!object_has(&network->object, "mtu")) {
        network->mtu = intent_network_default_mtu(network);
    }
    if (!object_has(&network->object, "domain")) {
        memcpy(network->domain, object->name, name_len);
        memcpy(network->domain + name_len, ".weft", sizeof ".weft");
    }
    if (!object_has(&network->object, "storm-cap")) {
        network->storm_cap = 500;
    }
    dhcp_value_fill(&network->dhcp);
    dhcp6_value_fill(&network->dhcp6);
}

static bool
follow(struct intent_object *object, const struct intent_underlay *underlay)
{
    struct intent_network *network
        = CONTAINER_OF(object, struct intent_network, object);
    unsigned int room = intent_underlay_room(underlay, &network->segment);

    if (room == network->room) {
        return false;
    }
    if (!object->is_sealed) {
        network->room = (uint16_t) room;
    }
    return true;
}

static void
fini(struct intent_object *object)
{
    free(CONTAINER_OF(object, struct intent_network, object)->dhcp.options);
}

static void
unshare(struct intent_object *object)
{
    struct network_dhcp *dhcp
        = &CONTAINER_OF(object, struct intent_network, object)->dhcp;

    if (dhcp->options) {
        dhcp->options = xmemdup(dhcp->options, dhcp->n_options
                                               * sizeof dhcp->options[0]);
    }
}

static unsigned int
references(struct intent_object *object,
           struct reference found[NOUN_MAX_REFERENCES])
{
    struct intent_network *network = CONTAINER_OF(object,
                                                  struct intent_network,
                                                  object);
    struct segment *segment = &network->segment;

    found[0] = (struct reference) { INTENT_UPLINK, network->nat_name,
                                    &network->nat, "nat" };
    found[1] = (struct reference) { INTENT_UPLINK, segment->uplink_name,
                                    &segment->uplink, "segment" };
    return 2;
}

bool
intent_networks_overlap4(const struct intent_network *a,
                         const struct intent_network *b)
{
    return a->subnet.is_set && b->subnet.is_set
           && ip4_is_within(a->subnet.addr, b->subnet.addr,
                            MIN(a->subnet.len, b->subnet.len));
}

bool
intent_networks_overlap(const struct intent_network *a,
                        const struct intent_network *b)
{
    return intent_networks_overlap4(a, b)
           || (a->subnet6.is_set && b->subnet6.is_set
               && ip6_is_within(a->subnet6.addr, b->subnet6.addr,
                                MIN(a->subnet6.len, b->subnet6.len)));
}

/* ---- Does it hold together? ---- */

enum {
    SUBNET_MIN_LEN = 8,
    SUBNET_MAX_LEN = 30,
    SUBNET6_MIN_LEN = 16,
    SUBNET6_MAX_LEN = 126,
    SLAAC_LEN = 64,
    IP6_MIN_MTU = 1280
};

/* Neither the network's own address nor the broadcast. */
static bool
is_host_address(const struct subnet4 *subnet, be32 addr)
{
    be32 host = addr & ~ip4_mask(subnet->len);

    return ip4_is_within(addr, subnet->addr, subnet->len) && host
           && host != ~ip4_mask(subnet->len);
}

static void
check_subnet(const struct intent_network *network, struct validation *v)
{
    const struct subnet4 *subnet = &network->subnet;
    unsigned int first_byte = be32toh(subnet->addr) >> 24;
    char text[ADDRESS_TEXT_SIZE];

    if (subnet->len < SUBNET_MIN_LEN || subnet->len > SUBNET_MAX_LEN) {
        validation_error(v, &network->object, "subnet",
                         "a prefix has %d to %d bits here, not %u",
                         SUBNET_MIN_LEN, SUBNET_MAX_LEN, subnet->len);
    } else if (!first_byte || first_byte == 127 || first_byte >= 224) {
        validation_error(v, &network->object, "subnet", "%s is not for guests",
                         ip4_format(subnet->addr, text));
    } else if (network->gateway && !is_host_address(subnet, network->gateway)) {
        validation_error(v, &network->object, "gateway",
                         "%s is no host's address within the subnet",
                         ip4_format(network->gateway, text));
    }
}

static void
check_subnet6(const struct intent_network *network, struct validation *v)
{
    const struct intent_object *object = &network->object;
    const struct subnet6 *subnet = &network->subnet6;
    char text[ADDRESS_TEXT_SIZE];

    if (subnet->len < SUBNET6_MIN_LEN || subnet->len > SUBNET6_MAX_LEN) {
        validation_error(v, object, "subnet6",
                         "a prefix has %d to %d bits here, not %u",
                         SUBNET6_MIN_LEN, SUBNET6_MAX_LEN, subnet->len);
    } else if (subnet->addr.b[0] == 0xff
               || (subnet->addr.b[0] == 0xfe && subnet->addr.b[1] >= 0x80)
               || !subnet->addr.b[0]) {
        validation_error(v, object, "subnet6", "%s is not for guests",
                         ip6_format(subnet->addr, text));
    } else if (network->ra == RA_SLAAC && subnet->len != SLAAC_LEN) {
        validation_error(v, object, "subnet6",
                         "guests choose their own address only "
                         "in a /%d: say 'ra: stateful'",
                         SLAAC_LEN);
    }
    if (ip6_addr_is_set(network->gateway6)
        && (!ip6_is_within(network->gateway6, subnet->addr, subnet->len)
            || ip6_addr_eq(network->gateway6, subnet->addr))) {
        validation_error(v, object, "gateway6",
                         "%s is no host's address within the subnet",
                         ip6_format(network->gateway6, text));
    }
    if (network->mtu < IP6_MIN_MTU) {
        validation_error(v, object, "mtu", "IPv6 needs %d at least",
                         IP6_MIN_MTU);
    }
}

/* Their replies must find their way by subnet. */
static void
check_relays(const struct intent_network *network, struct validation *v)
{
    const struct intent_object *object = &network->object;
    const struct network_dhcp *dhcp = &network->dhcp;
    char text[ADDRESS_TEXT_SIZE];

    for (unsigned int i = 0; i < dhcp->n_relays; i++) {
        const struct dhcp_relay *relay = &dhcp->relays[i];
        const struct subnet4 *subnet = &relay->subnet, *other;
        bool overlaps = false;

        for (unsigned int j = 0; j <= i; j++) {
            other = j < i ? &dhcp->relays[j].subnet : &network->subnet;
            overlaps |= ip4_is_within(subnet->addr, other->addr,
                                      MIN(subnet->len, other->len));
        }
        ip4_format(subnet->addr, text);
        if (overlaps) {
            validation_error(v, object, "dhcp",
                             "relays: %s/%u overlaps another subnet of the "
                             "network", text, subnet->len);
        } else if (subnet->len < SUBNET_MIN_LEN
                   || subnet->len > SUBNET_MAX_LEN) {
            validation_error(v, object, "dhcp",
                             "relays: a prefix has %d to %d bits here, not "
                             "%u", SUBNET_MIN_LEN, SUBNET_MAX_LEN,
                             subnet->len);
        } else if ((relay->router && !is_host_address(subnet, relay->router))
                   || (relay->range.first
                       && (!is_host_address(subnet, relay->range.first)
                           || !is_host_address(subnet, relay->range.last)))) {
            validation_error(v, object, "dhcp",
                             "relays: router and range of %s/%u are hosts' "
                             "addresses within it", text, subnet->len);
        }
    }
}

static void
check_dhcp(const struct intent_network *network, struct validation *v)
{
    const struct intent_object *object = &network->object;
    const struct subnet4 *subnet = &network->subnet;
    const struct network_dhcp *dhcp = &network->dhcp;
    char text[ADDRESS_TEXT_SIZE];

    for (unsigned int i = 0; i < dhcp->n_ranges; i++) {
        const struct address_range *range = &dhcp->ranges[i];
        be32 outside = !is_host_address(subnet, range->first)  ? range->first
                       : !is_host_address(subnet, range->last) ? range->last
                                                               : 0;

        if (outside) {
            validation_error(v, object, "dhcp",
                             "range: %s is no host's address "
                             "within the subnet",
                             ip4_format(outside, text));
        }
    }
    for (unsigned int i = 0; i < dhcp->n_routes; i++) {
        if (!is_host_address(subnet, dhcp->routes[i].gateway)) {
            validation_error(v, object, "dhcp",
                             "routes: %s is no host's address "
                             "within the subnet",
                             ip4_format(dhcp->routes[i].gateway, text));
        }
    }
}

static void
check_vlan(const struct intent_network *network, struct validation *v)
{
    const struct segment *segment = &network->segment;
    const char *name = segment->uplink_name;

    if (!*name) {
        return;
    }
    if (segment->uplink && segment->uplink->is_host) {
        validation_error(v, &network->object, "segment",
                         "uplink '%s' has no device "
                         "that could carry it",
                         name);
    }
    if (!segment->vid) {
        validation_claim(v, &network->object, "segment",
                         "untagged of uplink '%s'", name);
    } else {
        /* Flow entries see the number of a tag and not its protocol: 9 is one
         * network, as a service tag or not. */
        validation_claim(v, &network->object, "segment",
                         "VLAN %u of uplink '%s'", segment->vid, name);
    }
}

/* Can this family's tunnels lead there? */
static bool
check_end(const struct intent_network *network, const char *member,
          struct ip6_addr end, struct validation *v)
{
    bool is_ip6 = validation_underlay(v)->is_ip6;
    char text[ADDRESS_TEXT_SIZE];

    if (ip6_is_mapped4(&end) == !is_ip6) {
        return true;
    }
    validation_error(v, &network->object, "segment",
                     "%s: %s cannot be reached: the hosts' tunnels are of "
                     "IPv%d", member, ip_format(end, text), is_ip6 ? 6 : 4);
    return false;
}

static void
check_remotes(const struct intent_network *network, struct validation *v)
{
    const struct segment *segment = &network->segment;
    char text[ADDRESS_TEXT_SIZE];

    for (unsigned int i = 0; i < segment->n_remotes; i++) {
        if (!check_end(network, "remotes", segment->remotes[i], v)) {
            return;
        }
        INTENT_FOR_EACH_HOST (host, validation_intent(v)) {
            if (ip6_addr_eq(host->tunnel, segment->remotes[i])) {
                validation_error(v, &network->object, "segment",
                                 "remotes: %s is host '%s', which is on the "
                                 "network anyway",
                                 ip_format(host->tunnel, text),
                                 host->object.name);
            }
        }
    }
}

/* A tunnel port joins them all, and their text is an option of it. */
static void
check_group(const struct intent_network *network, struct validation *v)
{
    struct ip6_addr group = network->segment.group, seen[SEGMENT_MAX_GROUPS];
    unsigned int n = 0, i;
    unsigned int max = validation_underlay(v)->is_ip6 ? SEGMENT_MAX_GROUPS6
                                                      : SEGMENT_MAX_GROUPS;
    char text[ADDRESS_TEXT_SIZE];

    if (!ip6_addr_is_set(group) || !check_end(network, "group", group, v)) {
        return;
    }
    if (!ip6_is_group(&group)) {
        validation_error(v, &network->object, "segment", "group: %s is no "
                         "multicast group's", ip_format(group, text));
        return;
    }
    INTENT_FOR_EACH_NETWORK (other, validation_intent(v)) {
        const struct ip6_addr *theirs = &other->segment.group;

        if (ip6_addr_eq(*theirs, group)) {
            return;
        }
        for (i = 0; i < n && !ip6_addr_eq(seen[i], *theirs); i++) {
            continue;
        }
        if (i == n && ip6_addr_is_set(*theirs)) {
            seen[n++] = *theirs;
        }
        if (n == max) {
            validation_error(v, &network->object, "segment", "group: a host "
                             "joins %u groups at most", max);
            return;
        }
    }
}

static void
check_overlay(const struct intent_network *network, struct validation *v)
{
    const struct intent_underlay *underlay = validation_underlay(v);
    const struct intent_object *object = &network->object;
    const struct segment *segment = &network->segment;
    const char *type = segment_type_word(segment->type);

    validation_claim(v, object, "segment", "%s %u", type, segment->key);
    if (!underlay->n_hosts) {
        validation_error(v, object, "segment", "%s joins hosts, and the file "
                         "has none: 'hosts: {NAME: {tunnel: ADDRESS}}'",
                         type);
        return;
    }
    check_group(network, v);
    check_remotes(network, v);
    if (segment->uplink && !*segment->uplink->at && underlay->n_hosts > 1) {
        validation_error(v, object, "segment",
                         "uplink '%s' is one of every host, and two that join "
                         "a VLAN with %s %u are a loop: say where it is by "
                         "'at' of the uplink", segment->uplink_name, type,
                         segment->key);
    }
    if (object_has(object, "mtu") && network->mtu > network->room) {
        validation_error(v, object, "mtu", "%u does not fit: %u between the "
                         "hosts less %u bytes of %s leaves %u",
                         network->mtu, underlay->mtu,
                         underlay->mtu - network->room, type, network->room);
    }
}

struct subnet6
intent_network_outside6(const struct intent_network *network)
{
    enum { SITE_LEN = 48, LINK_LEN = 64 };
    struct subnet6 outside = network->prefix6;
    struct ip6_addr any = network->subnet6.addr;

    any.b[sizeof any.b - 1] |= 1;
    if (network->prefix6.len <= SITE_LEN && network->subnet6.len >= LINK_LEN
        && npt6_map(any, network->prefix6.addr, network->prefix6.len, &any)) {
        outside.addr = ip6_masked(any, LINK_LEN);
        outside.len = LINK_LEN;
    }
    return outside;
}

/* Does nobody else have addresses of that prefix? */
static void
check_prefix6_is_free(const struct intent_network *network,
                      struct validation *v)
{
    const struct subnet6 *prefix = &network->prefix6;
    struct subnet6 outside = intent_network_outside6(network);
    const struct subnet6 *own = &network->nat->address6;
    char text[ADDRESS_TEXT_SIZE];

    if (!own->is_set) {
        validation_error(v, &network->object, "prefix6",
                         "uplink '%s' has no address6 by which it could be "
                         "reached", network->nat_name);
    } else if (ip6_is_within(own->addr, prefix->addr, prefix->len)) {
        validation_error(v, &network->object, "prefix6",
                         "%s is the address of uplink '%s'",
                         ip6_format(own->addr, text), network->nat_name);
    } else {
        validation_claim(v, &network->object, "prefix6", "prefix %s/%u",
                         ip6_format(outside.addr, text), outside.len);
    }
}

static void
check_prefix6(const struct intent_network *network, struct validation *v)
{
    const struct intent_object *object = &network->object;
    const struct subnet6 *prefix = &network->prefix6;

    if ((network->nat6 == NAT6_PREFIX) != prefix->is_set) {
        validation_error(v, object, prefix->is_set ? "prefix6" : "nat6",
                         "nat6: prefix and prefix6 go together");
    } else if (!prefix->is_set) {
        return;
    } else if (!network->subnet6.is_set) {
        validation_error(v, object, "prefix6", "network '%s' has no subnet6",
                         object->name);
    } else if (prefix->len > NPT6_MAX_LEN
               || prefix->len > network->subnet6.len) {
        validation_error(v, object, "prefix6",
                         "a prefix of %u bits leaves no room for the "
                         "addresses of a subnet of %u", prefix->len,
                         network->subnet6.len);
    } else if (network->nat) {
        check_prefix6_is_free(network, v);
    }
}

static void
check_nat(const struct intent_network *network, struct validation *v)
{
    const struct intent_object *object = &network->object;
    const struct intent_uplink *uplink = network->nat;

    if (object_has(object, "nat6") && !object_has(object, "nat")) {
        validation_error(v, object, "nat6",
                         "network '%s' has no nat: it leads nowhere",
                         object->name);
    }
    check_prefix6(network, v);
    if (!uplink) {
        return;
    }
    if (!intent_uplink_is_transit(uplink)) {
        validation_error(v, object, "nat",
                         "uplink '%s' has neither an address nor 'host: "
                         "true'", network->nat_name);
    }
    if (!network->gateway && !ip6_addr_is_set(network->gateway6)) {
        validation_error(v, object, "nat",
                         "network '%s' has no gateway that could lead there",
                         object->name);
    }
}

static void
check(const struct intent_object *object, struct validation *v)
{
    const struct intent_network *network = intent_network_cast(object);

    if (network->subnet.is_set) {
        check_subnet(network, v);
        check_dhcp(network, v);
        check_relays(network, v);
    } else {
        if (network->gateway) {
            validation_error(v, object, "gateway", "network '%s' has no subnet",
                             object->name);
        }
        if (object_has(object, "dhcp") && !network->dhcp.is_off) {
            validation_error(v, object, "dhcp", "network '%s' has no subnet",
                             object->name);
        }
    }
    if (network->subnet6.is_set) {
        check_subnet6(network, v);
    } else {
        if (ip6_addr_is_set(network->gateway6)) {
            validation_error(v, object, "gateway6",
                             "network '%s' has no subnet6", object->name);
        }
        if (object_has(object, "dhcp6")) {
            validation_error(v, object, "dhcp6",
                             "network '%s' has no subnet6", object->name);
        }
    }
    check_vlan(network, v);
    if (intent_network_is_overlay(network)) {
        check_overlay(network, v);
    }
    check_nat(network, v);
}

const struct noun network_noun = {
    .doc = "an isolated Ethernet segment with at most one subnet a family",
    .size = sizeof(struct intent_network),
    .members = members,
    .fini = fini,
    .unshare = unshare,
    .fill = fill,
    .follow = follow,
    .references = references,
    .check = check,
};
