#include "controller/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "packet/address.h"

enum { CLIENT_PORT = 40000 };     /* of the one who asks */

/* One end of the question. */
struct end {
    const struct topology_port *port;     /* NULL: an address only */
    const struct topology_member *member; /* NULL: the same */
    be32 address;
    struct ip6_addr group6;       /* all zero: not one of IPv6 */
    struct eth_addr mac;
};

/* What is asked for, as the words of a match. */
struct traffic {
    const char *there, *back;     /* "tcp", "icmp,icmp_type=8" */
    const char *there6;
    unsigned int number;          /* of the service's port; 0: has none */
};

static const struct {
    const char *name;
    bool has_port;
    struct traffic traffic;
} kinds[] = {
    { "icmp", false, { "icmp,icmp_type=8", "icmp,icmp_type=0",
                       "icmp6,icmp_type=128", 0 } },
    { "tcp", true, { "tcp", "tcp", "tcp6", 0 } },
    { "udp", true, { "udp", "udp", "udp6", 0 } },
    { "sctp", true, { "sctp", "sctp", "sctp6", 0 } },
};

static int
parse_traffic(const char *text, struct traffic *traffic, struct str *error)
{
    size_t len = strcspn(text, "/");
    char *end;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        unsigned long number;

        if (strlen(kinds[i].name) != len
            || strncmp(kinds[i].name, text, len)) {
            continue;
        }
        *traffic = kinds[i].traffic;
        if (!text[len] && !kinds[i].has_port) {
            return 0;
        }
        number = text[len] ? strtoul(text + len + 1, &end, 10) : 0;
        if (!kinds[i].has_port || !number || number > 65535 || *end) {
            break;
        }
        traffic->number = (unsigned int) number;
        return 0;
    }
    str_setf(error, "'%s' is not like tcp/443, udp/53, sctp/9 or icmp", text);
    return -EINVAL;
}

static const struct topology_member *
access_member(const struct topology_port *port)
{
    for (unsigned int i = 0; i < port->n_members; i++) {
        if (!port->members[i].vid) {
            return &port->members[i];
        }
    }
    return port->n_members ? &port->members[0] : NULL;
}

static int
find_port(const struct topology *t, const char *name, struct end *end,
          struct str *error)
{
    const struct topology_port *port = topology_port(
        t, intent_object_id(INTENT_PORT, name));
    const struct topology_member *member = port ? access_member(port) : NULL;

    if (!member) {
        str_setf(error, "there is no port '%s' in any network", name);
        return -ENOENT;
    }
    *end = (struct end) { .port = port, .member = member,
                          .address = member->address,
                          .mac = port->intent->mac };
    return 0;
}

/* A multicast group, of either family, and its MAC (RFC 1112, 2464). */
static bool
parse_group(const char *text, struct end *end)
{
    struct ip6_addr group;
    be32 group4;

    if (ip4_parse(text, &group4)) {
        group = ip6_of_ip4(group4);
        end->address = group4;
    } else if (ip6_parse(text, &group)) {
        end->group6 = group;
    } else {
        return false;
    }
    end->mac = (struct eth_addr) { { 0x33, 0x33, group.b[12], group.b[13],
                                     group.b[14], group.b[15] } };
    if (end->address) {
        end->mac = (struct eth_addr) { { 1, 0, 0x5e, group.b[13] & 0x7f,
                                         group.b[14], group.b[15] } };
    }
    return ip6_is_group(&group);
}

/* The network's station with that address, as its ARP answers say. */
static const struct topology_member *
find_station(const struct topology_network *network, be32 address)
{
    for (unsigned int i = 0; i < network->n_members; i++) {
        if (network->members[i]->address == address) {
            return network->members[i];
        }
    }
    return NULL;
}

/* Where the one who asks sends what is for `address`: to a station of its own
 * network, or to the gateway. */
static struct eth_addr
next_hop(const struct end *from, be32 address, struct eth_addr otherwise)
{
    const struct topology_network *network = from->member->network;
    const struct intent_network *intent = network->intent;
    const struct topology_member *station;

    if (address == intent->gateway
        || (intent->subnet.is_set
            && !ip4_is_within(address, intent->subnet.addr,
                              intent->subnet.len))) {
        return intent->gateway_mac;
    }
    station = find_station(network, address);
    return station ? station->port->intent->mac : otherwise;
}

static void
format_packet(const struct traffic *traffic, bool is_back,
              const struct end *from, const struct end *to, struct str *out)
{
    char src_mac[ADDRESS_TEXT_SIZE], dst_mac[ADDRESS_TEXT_SIZE];
    char src[ADDRESS_TEXT_SIZE], dst[ADDRESS_TEXT_SIZE];

    str_addf(out, "%s,dl_src=%s,dl_dst=%s,nw_src=%s,nw_dst=%s",
             is_back ? traffic->back : traffic->there,
             eth_addr_format(from->mac, src_mac),
             eth_addr_format(next_hop(from, to->address, to->mac), dst_mac),
             ip4_format(from->address, src), ip4_format(to->address, dst));
    if (traffic->number) {
        str_addf(out, ",tp_src=%u,tp_dst=%u",
                 is_back ? traffic->number : CLIENT_PORT,
                 is_back ? CLIENT_PORT : traffic->number);
    }
    if (from->member->vid) {
        str_addf(out, ",dl_vlan=%u", from->member->vid);
    }
}

/* The address that is asked for before anything is sent. */
static void
format_ask(const struct end *from, const struct end *to, struct str *out)
{
    const struct intent_network *network = from->member->network->intent;
    char mac[ADDRESS_TEXT_SIZE], own[ADDRESS_TEXT_SIZE];
    char asked[ADDRESS_TEXT_SIZE];
    be32 hop = to->address;

    if (network->subnet.is_set
        && !ip4_is_within(hop, network->subnet.addr, network->subnet.len)) {
        hop = network->gateway;
    }
    str_addf(out, "arp,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_spa=%s,"
             "arp_tpa=%s,", ip4_format(from->address, own),
             ip4_format(hop, asked));
    eth_addr_format(from->mac, mac);
    str_addf(out, "dl_src=%s,arp_sha=%s", mac, mac);
    if (from->member->vid) {
        str_addf(out, ",dl_vlan=%u", from->member->vid);
    }
}

static void
format_to_group(const struct traffic *traffic, const struct end *from,
                const struct end *to, struct str *out)
{
    const struct topology_member *member = from->member;
    char src_mac[ADDRESS_TEXT_SIZE], dst_mac[ADDRESS_TEXT_SIZE];
    char src[ADDRESS_TEXT_SIZE], dst[ADDRESS_TEXT_SIZE];

    str_addf(out, "%s,dl_src=%s,dl_dst=%s",
             to->address ? traffic->there : traffic->there6,
             eth_addr_format(from->mac, src_mac),
             eth_addr_format(to->mac, dst_mac));
    if (to->address) {
        str_addf(out, ",nw_src=%s,nw_dst=%s", ip4_format(from->address, src),
                 ip4_format(to->address, dst));
    } else {
        str_addf(out, ",ipv6_src=%s,ipv6_dst=%s",
                 ip6_format(member->addresses6[member->n_planned6 - 1],
                            src),
                 ip6_format(to->group6, dst));
    }
    if (traffic->number) {
        str_addf(out, ",tp_src=%u,tp_dst=%u", CLIENT_PORT, traffic->number);
    }
    if (member->vid) {
        str_addf(out, ",dl_vlan=%u", member->vid);
    }
}

static int
check_address(const struct end *end, const char *name, struct str *error)
{
    if (end->address) {
        return 0;
    }
    str_setf(error, "nobody knows the IPv4 address of '%s'", name);
    return -ENODATA;
}

int
explain_question(const struct topology *t, const char *from_name,
                 const char *to_name, const char *what,
                 struct controller_question *question, struct str *error)
{
    struct traffic traffic = { NULL, NULL, NULL, 0 };
    struct end from = { .port = NULL }, to = { .port = NULL };
    int err = parse_traffic(what, &traffic, error);

    if (!err) {
        err = find_port(t, from_name, &from, error);
    }
    if (!err && parse_group(to_name, &to)) {
        question->from = from.port->intent->switch_name;
        question->from_network = from.member->network->intent->object.name;
        question->is_plugged = from.port->number;
        question->is_group = true;
        format_to_group(&traffic, &from, &to, &question->there);
        return 0;
    }
    to = (struct end) { .port = NULL };
    if (!err && !ip4_parse(to_name, &to.address)) {
        if (strcmp(to_name, "gateway")) {
            err = find_port(t, to_name, &to, error);
        } else {
            to.address = from.member->network->intent->gateway;
        }
    }
    if (err || (err = check_address(&from, from_name, error))
        || (err = check_address(&to, to_name, error))) {
        return err;
    }
    question->from = from.port->intent->switch_name;
    question->from_network = from.member->network->intent->object.name;
    question->is_plugged = from.port->number && (!to.port || to.port->number);
    question->is_gateway = to.address
                           == from.member->network->intent->gateway;
    format_packet(&traffic, false, &from, &to, &question->there);
    format_ask(&from, &to, &question->ask_there);
    if (to.port) {
        question->to = to.port->intent->switch_name;
        question->to_network = to.member->network->intent->object.name;
        format_packet(&traffic, true, &to, &from, &question->back);
        format_ask(&to, &from, &question->ask_back);
    }
    return 0;
}

void
controller_question_fini(struct controller_question *question)
{
    str_fini(&question->there);
    str_fini(&question->back);
    str_fini(&question->ask_there);
    str_fini(&question->ask_back);
}
