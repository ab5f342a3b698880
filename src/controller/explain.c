#include "controller/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/explain_nat.h"
#include "controller/explain_security.h"
#include "controller/explain_tunnel.h"
#include "controller/stage.h"
#include "packet/address.h"
#include "packet/ip.h"

enum { CLIENT_PORT = 40000,       /* of the one who asks */
       PROTO_ANY = 253 };         /* nobody treats it specially (RFC 3692) */

/* ---- What is asked ---- */

enum family { ANY_FAMILY, ONLY_4, ONLY_6 };

/* Words of a match, by IPv4 and by IPv6; NULL: there is no such. */
static const struct kind {
    const char *name;
    enum family family;
    bool has_port, is_ask_only;
    uint8_t protocol;             /* that forwards know; 0 */
    const char *there[2], *back[2];
} kinds[] = {
    { "icmp", ANY_FAMILY, false, false, 0,
      { "icmp,icmp_type=8,icmp_code=0", "icmp6,icmp_type=128,icmp_code=0" },
      { "icmp,icmp_type=0,icmp_code=0", "icmp6,icmp_type=129,icmp_code=0" } },
    { "tcp", ANY_FAMILY, true, false, IP_PROTO_TCP,
      { "tcp", "tcp6" }, { "tcp", "tcp6" } },
    { "udp", ANY_FAMILY, true, false, IP_PROTO_UDP,
      { "udp", "udp6" }, { "udp", "udp6" } },
    { "sctp", ANY_FAMILY, true, false, IP_PROTO_SCTP, { "sctp", "sctp6" },
      { "sctp", "sctp6" } },
    /* A protocol that nobody treats specially (RFC 3692). */
    { "any", ANY_FAMILY, false, false, 0, { "ip,nw_proto=253",
                                         "ipv6,nw_proto=253" },
      { "ip,nw_proto=253", "ipv6,nw_proto=253" } },
    { "arp", ONLY_4, false, true, 0, { NULL, NULL }, { NULL, NULL } },
    { "nd", ONLY_6, false, true, 0, { NULL, NULL }, { NULL, NULL } },
};

struct traffic {
    const struct kind *kind;
    enum family family;
    unsigned int number;          /* of the service's port; 0: has none */
};

static int
wrong_traffic(const char *text, struct str *error)
{
    str_setf(error, "'%s' is not like tcp/443, udp/53, sctp/9, icmp, any or "
             "arp, nor tcp6/443, icmp6, any6 or nd", text);
    return -EINVAL;
}

static int
parse_traffic(const char *text, struct traffic *traffic, struct str *error)
{
    size_t len = strcspn(text, "/");
    bool is_v6 = len > 1 && text[len - 1] == '6';
    unsigned long number = 0;
    char *end;

    *traffic = (struct traffic) { NULL, ANY_FAMILY, 0 };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strlen(kinds[i].name) == len - is_v6
            && !strncmp(kinds[i].name, text, len - is_v6)
            && !(is_v6 && kinds[i].family)) {
            traffic->kind = &kinds[i];
            traffic->family = is_v6 ? ONLY_6 : kinds[i].family;
        }
    }
    if (!traffic->kind) {
        return wrong_traffic(text, error);
    }
    if (text[len]) {
        number = strtoul(text + len + 1, &end, 10);
        if (text[len + 1] < '0' || text[len + 1] > '9' || *end || !number
            || number > 65535) {
            return wrong_traffic(text, error);
        }
    }
    if (traffic->kind->has_port != !!number) {
        return wrong_traffic(text, error);
    }
    traffic->number = (unsigned int) number;
    return 0;
}

static int
choose_family(const struct traffic *traffic, const struct explain_end *from,
              const struct explain_end *to, bool *is_v6, struct str *error)
{
    bool says_v6 = (from->has_literal && from->is_v6)
                   || (to->has_literal && to->is_v6);
    bool says_v4 = (from->has_literal && !from->is_v6)
                   || (to->has_literal && !to->is_v6);

    if ((says_v6 && (says_v4 || traffic->family == ONLY_4))
        || (says_v4 && traffic->family == ONLY_6)) {
        str_setf(error, "one says IPv4, another says IPv6");
        return -EINVAL;
    }
    *is_v6 = traffic->family == ONLY_6 || says_v6
             || (traffic->family == ANY_FAMILY && !says_v4
                 && !explain_ends_have(from, to, false)
                 && explain_ends_have(from, to, true));
    return 0;
}

/* ---- Packets ---- */

struct question {
    const struct topology *topology;
    const struct traffic *traffic;
    const struct explain_end *from, *to;
    bool is_v6;
};

/* Does what `from` sends to `to` stay in the network? */
static bool
is_direct(const struct question *q, const struct explain_end *from,
          const struct explain_end *to)
{
    const struct intent_network *n = from->network->intent;

    if (to->is_group || to->network == from->network) {
        return true;
    }
    return q->is_v6 ? n->subnet6.is_set
                      && ip6_addr_eq(ip6_masked(to->address6,
                                                n->subnet6.len),
                                     ip6_masked(n->subnet6.addr,
                                                n->subnet6.len))
                    : n->subnet.is_set
                      && ip4_is_within(to->address, n->subnet.addr,
                                       n->subnet.len);
}

/* What a tag looks like where it sends. */
static void
add_tag(const struct question *q, const struct explain_end *from,
        struct str *out)
{
    uint16_t vid = explain_is_away(from) ? 0
                   : from->member ? from->member->vid
                   : from->uplink ? from->network->intent->segment.vid : 0;

    if (vid) {
        str_addf(out, ",dl_vlan=%u", vid);
    }
    explain_tunnel_add(q->topology, from, from == q->to ? q->from : q->to,
                       out);
}

static void
add_macs(struct eth_addr from, struct eth_addr to, struct str *out)
{
    char src[ADDRESS_TEXT_SIZE], dst[ADDRESS_TEXT_SIZE];

    str_addf(out, ",dl_src=%s,dl_dst=%s", eth_addr_format(from, src),
             eth_addr_format(to, dst));
}

static void
add_addresses(const struct question *q, const struct explain_end *from,
              const struct explain_end *to, struct str *out)
{
    char src[ADDRESS_TEXT_SIZE], dst[ADDRESS_TEXT_SIZE];

    if (q->is_v6) {
        str_addf(out, ",ipv6_src=%s,ipv6_dst=%s",
                 ip6_format(from->address6, src),
                 ip6_format(to->address6, dst));
    } else {
        str_addf(out, ",nw_src=%s,nw_dst=%s", ip4_format(from->address, src),
                 ip4_format(to->address, dst));
    }
}

/* The stations of a packet; from another host it comes as routed there. */
static void
add_stations(const struct question *q, const struct explain_end *from,
             const struct explain_end *to, struct str *out)
{
    bool is_here = !explain_is_away(from);

    add_macs(is_here || to->network == from->network
                 ? from->mac : to->network->intent->gateway_mac,
             !is_here || is_direct(q, from, to)
                 ? to->mac : from->network->intent->gateway_mac, out);
}

static bool
has_security(const struct explain_end *end)
{
    return end->port && end->port->security;
}

static void
format_packet(const struct question *q, const struct explain_end *from,
              const struct explain_end *to, struct str *out)
{
    const struct traffic *traffic = q->traffic;
    bool is_back = from == q->to;

    str_add(out, (is_back ? traffic->kind->back
                          : traffic->kind->there)[q->is_v6]);
    add_stations(q, from, to, out);
    add_addresses(q, from, to, out);
    str_add(out, ",nw_ttl=64");
    if (traffic->number) {
        str_addf(out, ",tp_src=%u,tp_dst=%u",
                 is_back ? traffic->number : CLIENT_PORT,
                 is_back ? CLIENT_PORT : traffic->number);
    }
    if (is_back && (has_security(from) || has_security(to))) {
        str_add(out, "," EXPLAIN_ANSWER);
    }
    add_tag(q, from, out);
}

static void
format_arp(const struct question *q, const struct explain_end *from,
           be32 asked, struct str *out)
{
    static const struct eth_addr everybody = { { 255, 255, 255, 255, 255,
                                                 255 } };
    char mac[ADDRESS_TEXT_SIZE], own[ADDRESS_TEXT_SIZE];
    char target[ADDRESS_TEXT_SIZE];

    str_addf(out, "arp,arp_op=1,arp_spa=%s,arp_tpa=%s,arp_sha=%s",
             ip4_format(from->address, own), ip4_format(asked, target),
             eth_addr_format(from->mac, mac));
    add_macs(from->mac, everybody, out);
    add_tag(q, from, out);
}

/* To the group of those whose addresses end alike (RFC 4291 section 2.7.1). */
static void
format_solicit(const struct question *q, const struct explain_end *from,
               struct ip6_addr asked, struct str *out)
{
    struct ip6_addr group = { { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff,
                                asked.b[13], asked.b[14], asked.b[15] } };
    struct eth_addr mac = { { 0x33, 0x33, 0xff, asked.b[13], asked.b[14],
                              asked.b[15] } };
    char own[ADDRESS_TEXT_SIZE], target[ADDRESS_TEXT_SIZE];
    char dst[ADDRESS_TEXT_SIZE], sll[ADDRESS_TEXT_SIZE];

    str_addf(out, "icmp6,icmp_type=%u,icmp_code=0,nw_ttl=255,ipv6_src=%s,"
             "ipv6_dst=%s,nd_target=%s,nd_sll=%s", ND_SOLICIT,
             ip6_format(from->address6, own), ip6_format(group, dst),
             ip6_format(asked, target), eth_addr_format(from->mac, sll));
    add_macs(from->mac, mac, out);
    add_tag(q, from, out);
}

static void
format_advert(const struct question *q, const struct explain_end *from,
              const struct explain_end *to, struct str *out)
{
    char target[ADDRESS_TEXT_SIZE], tll[ADDRESS_TEXT_SIZE];

    str_addf(out, "icmp6,icmp_type=%u,icmp_code=0,nw_ttl=255,nd_target=%s,"
             "nd_tll=%s", ND_ADVERT, ip6_format(from->address6, target),
             eth_addr_format(from->mac, tll));
    add_addresses(q, from, to, out);
    add_macs(from->mac, to->mac, out);
    add_tag(q, from, out);
}

/* ---- Legs ---- */

/* Does the gateway ask for such stations, when they are needed? */
static bool
is_asked_for(const struct explain_end *from, const struct explain_end *to)
{
    const struct topology_router *router
        = from->network ? from->network->router : NULL;

    for (unsigned int i = 0; router && !to->port && !to->is_gateway
                             && i < router->n_networks; i++) {
        if (to->network ? to->network == router->networks[i]
                          && topology_has_strangers(to->network)
                        : topology_has_strangers(router->networks[i])) {
            return true;
        }
    }
    return false;
}

static struct explain_leg *
begin_leg(struct explain *e, enum explain_leg_id id,
          const struct explain_end *from, const struct explain_end *to)
{
    struct explain_leg *leg = &e->legs[id];

    leg->is_asked = true;
    leg->in_port = explain_end_number(from);
    leg->ends[0] = to->is_gateway ? leg->in_port : explain_end_number(to);
    leg->may_be_ours = to->is_gateway;
    leg->may_be_asked = is_asked_for(from, to);
    /* Nobody is planned there: whoever it is, is behind a port that may be
     * anybody's. */
    leg->may_be_anywhere = to->is_group
                           || (!to->port && !to->uplink && !to->is_gateway
                               && to->network && to->network->n_unknown);
    return leg;
}

static void
ask(const struct question *q, struct explain *e, enum explain_leg_id id,
    const struct explain_end *from, const struct explain_end *to)
{
    const struct intent_network *n = from->network->intent;
    bool is_direct_ = is_direct(q, from, to);
    struct explain_leg *leg = begin_leg(e, id, from, to);

    /* The plan answers for the others, and we for the gateway. */
    leg->ends[1] = q->is_v6 && is_direct_ ? 0 : leg->in_port;
    leg->may_be_ours |= !is_direct_;
    if (q->is_v6) {
        format_solicit(q, from, is_direct_ ? to->address6 : n->gateway6,
                       &leg->packet);
    } else {
        format_arp(q, from, is_direct_ ? to->address : n->gateway,
                   &leg->packet);
    }
}

/* One direction: from who begins it to the other. */
static void
go(const struct question *q, struct explain *e, bool is_back)
{
    const struct explain_end *from = is_back ? q->to : q->from;
    const struct explain_end *to = is_back ? q->from : q->to;

    /* At its host the plan answers. */
    if (!to->is_group && !explain_is_away(from)) {
        ask(q, e, is_back ? LEG_ASK_BACK : LEG_ASK, from, to);
    }
    if (q->is_v6 && explain_end_number(to) && is_direct(q, from, to)) {
        format_advert(q, to, from,
                      &begin_leg(e, is_back ? LEG_TELL_BACK : LEG_TELL, to,
                                 from)->packet);
    }
    if (!q->traffic->kind->is_ask_only) {
        format_packet(q, from, to,
                      &begin_leg(e, is_back ? LEG_BACK : LEG_THERE, from,
                                 to)->packet);
    }
}

/* ---- By an uplink ---- */

static void
add_way(const struct topology *t, const struct topology_network *network,
        struct str *out)
{
    INTENT_FOR_EACH_UPLINK (uplink, topology_intent(t)) {
        if (intent_uplink_is_transit(uplink) && !out->len) {
            str_addf(out, "weft network set %s --nat %s",
                     network->intent->object.name, uplink->object.name);
        }
    }
}

/* `weft forward add` of what was asked, where somebody can be meant. */
static void
add_opening(const struct question *q, const struct topology_uplink *uplink,
            struct str *out)
{
    const struct explain_end *to = q->to;
    char text[ADDRESS_TEXT_SIZE];

    if (!q->traffic->kind->protocol || q->is_v6) {
        return;
    }
    str_add(out, "weft forward add ");
    if (to->has_literal && !to->port && !explain_nat_is_own(uplink, to)) {
        str_addf(out, "%s:", ip4_format(to->address, text));
    }
    str_addf(out, "%u/%s %s", q->traffic->number, q->traffic->kind->name,
             to->port ? to->port->intent->object.name : "PORT");
}

/* Where what is sent to an address of the uplink's goes.  `leg` may be NULL. */
static void
follow_forward(const struct question *q, const struct topology_uplink *uplink,
               struct explain *e, struct explain_leg *leg)
{
    const struct topology_forward *forward = explain_nat_forward(
        uplink, q->to, q->is_v6, q->traffic->kind->protocol,
        (uint16_t) q->traffic->number);
    const struct intent_port *target = forward ? forward->intent->to.port
                                               : NULL;

    add_opening(q, uplink, &e->open);
    if (!forward) {
        return;
    }
    strcpy(e->forward, forward->intent->object.name);
    str_addf(&e->notes, "forward '%s' leads it to port '%s'", e->forward,
             target->object.name);
    if (forward->intent->to.first) {
        str_addf(&e->notes, ", %u", intent_forward_port(
            forward->intent, (uint16_t) q->traffic->number));
    }
    str_add_char(&e->notes, '\n');
    leg->ends[0] = 0;
    INTENT_FOR_EACH_PORT (port, topology_intent(q->topology)) {
        const struct topology_port *there
            = port == target ? topology_port(q->topology, port->object.id)
                             : NULL;

        leg->ends[0] = there ? there->number : leg->ends[0];
    }
}

/* The uplink answers them itself. */
static bool
is_ping_of(const struct question *q, const struct topology_uplink *uplink)
{
    return !q->to->port && explain_nat_is_own(uplink, q->to)
           && strstr(q->traffic->kind->there[q->is_v6], "icmp");
}

/* Out of a network: as what, and does it come back in by a forward? */
static void
follow_out(const struct question *q, struct explain *e)
{
    const struct topology_uplink *uplink = q->to->outside;
    const struct topology_forward *floating = NULL;
    struct ip6_addr source = q->is_v6
                             ? intent_uplink_external6(uplink->intent)
                             : ip6_of_ip4(intent_uplink_external(
                                 uplink->intent));
    struct explain_end own = { .port = q->from->port };
    char text[ADDRESS_TEXT_SIZE];

    strcpy(e->uplink, uplink->intent->object.name);
    floating = explain_nat_forward(uplink, &own, q->is_v6, 0, 0);
    source = floating ? intent_forward_arrival(floating->intent)
             : q->is_v6 ? explain_nat_source6(uplink, q->from) : source;
    if (!q->is_v6 || q->from->network->intent->nat6 != NAT6_NONE) {
        str_addf(&e->notes, "it leaves by uplink '%s' as %s\n", e->uplink,
                 ip6_is_mapped4(&source)
                 ? ip4_format(get_be32(&source.b[12]), text)
                 : ip6_format(source, text));
    }
    if (is_ping_of(q, uplink)) {
        /* Its answer is the connection's, too. */
        e->legs[LEG_THERE].is_asked = false;
        str_clear(&e->legs[LEG_THERE].packet);
        str_addf(&e->notes, "uplink '%s' answers pings itself\n", e->uplink);
    } else if (explain_nat_is_own(uplink, q->to)
        || explain_nat_forward(uplink, q->to, q->is_v6,
                               q->traffic->kind->protocol,
                               (uint16_t) q->traffic->number)) {
        struct explain_leg *leg = &e->legs[LEG_THERE];

        e->needs_forward = true;
        leg->ends[0] = leg->ends[1] = leg->in_port;
        follow_forward(q, uplink, e, leg);
    }
}

/* As somebody outside would send it: to the address that the forward listens
 * at, when a port of ours was named. */
static void
come_in(const struct question *q, struct explain *e)
{
    const struct topology_uplink *uplink = q->from->outside;
    const struct topology_forward *forward = explain_nat_forward(
        uplink, q->to, q->is_v6, q->traffic->kind->protocol,
        (uint16_t) q->traffic->number);
    struct explain_leg *leg;
    struct explain_end to = *q->to;

    e->needs_forward = !is_ping_of(q, uplink);
    strcpy(e->uplink, uplink->intent->object.name);
    leg = begin_leg(e, LEG_THERE, q->from, &to);
    leg->may_be_anywhere = false;
    if (to.port && forward) {
        struct ip6_addr address = intent_forward_arrival(forward->intent);

        to.address = get_be32(&address.b[12]);
        to.address6 = address;
    } else if (to.port) {
        to.address = intent_uplink_external(uplink->intent);
        to.address6 = intent_uplink_external6(uplink->intent);
    }
    if (is_ping_of(q, uplink)) {
        leg->ends[1] = leg->in_port;
    }
    follow_forward(q, uplink, e, leg);
    str_add(&leg->packet, q->traffic->kind->there[q->is_v6]);
    add_macs(q->from->mac, uplink->intent->mac, &leg->packet);
    add_addresses(q, q->from, &to, &leg->packet);
    str_add(&leg->packet, ",nw_ttl=64");
    if (q->traffic->number) {
        str_addf(&leg->packet, ",tp_src=%u,tp_dst=%u", CLIENT_PORT,
                 q->traffic->number);
    }
}

/* ---- The question's own copies ---- */

static const char *
uplink_switch_name(const struct topology_uplink *uplink)
{
    return uplink->intent->is_host ? uplink->intent->transfer.port
           : uplink->intent->n_members ? uplink->intent->members[0].switch_name
                                     : "";
}

static void
fill_side(const struct explain_end *end, bool is_v6,
          struct explain_side *side)
{
    char text[ADDRESS_TEXT_SIZE];

    str_addf(&side->text, "%s", end->text);
    if (end->port) {
        strcpy(side->port, end->port->intent->object.name);
        strcpy(side->switch_name, end->port->intent->switch_name);
        side->is_isolated = end->port->intent->is_isolated;
    } else if (end->uplink || end->outside) {
        strcpy(side->switch_name, uplink_switch_name(
            end->uplink ? end->uplink : end->outside));
    }
    if (end->network) {
        strcpy(side->network, end->network->intent->object.name);
    }
    str_addf(&side->address, "%s", is_v6 ? ip6_format(end->address6, text)
                                         : ip4_format(end->address, text));
    side->is_gateway = end->is_gateway;
    side->is_group = end->is_group;
    side->is_spoofed = end->is_spoofed;
    side->is_away = explain_is_away(end);
    if (side->is_away) {
        strcpy(side->host, end->port->host->intent->object.name);
        strcpy(side->switch_name, segment_type_word(
            end->network->intent->segment.type));
    }
    if (side->is_away && !end->tunnel) {
        str_addf(&side->trouble, "port '%s' is at host '%s', and there is no "
                 "tunnel to it", side->port,
                 end->port->host->intent->object.name);
        return;
    }
    if ((end->port || end->uplink || end->outside)
        && !explain_end_number(end)) {
        str_addf(&side->trouble, "%s '%s' is not plugged in",
                 end->port ? "port" : "uplink",
                 end->port ? side->port
                 : (end->uplink ? end->uplink : end->outside)
                   ->intent->object.name);
    }
}

static void
add_meter(struct explain *e, uint32_t id, bool is_to, const char *what)
{
    e->meters[e->n_meters++] = (struct explain_meter) { id, is_to, what, 0 };
}

static void
add_meters(struct explain *e, const struct explain_end *end, bool is_to)
{
    uint32_t number = end->port ? end->port->number : 0;

    if (!number) {
        return;
    }
    if (end->network->intent->storm_cap) {
        add_meter(e, METER_STORM + number, is_to, "storm cap");
    }
    if (end->port->intent->rate_out) {
        add_meter(e, METER_RATE_OUT + number, is_to, "rate from it");
    }
    if (end->port->intent->rate_in) {
        add_meter(e, METER_RATE_IN + number, is_to, "rate towards it");
    }
}

static void
note_stand_in(struct explain *e, const struct explain_end *end)
{
    char text[ADDRESS_TEXT_SIZE];

    if (end->is_stand_in) {
        str_addf(&e->notes, "network '%s' has no plan of addresses: %s stands "
                 "in for that of %s\n", end->network->intent->object.name,
                 ip4_format(end->address, text), end->text);
    }
}

/* The command that would join the two networks; nothing when they are, or when
 * no router could. */
static void
fill_join(const struct topology_network *from,
          const struct topology_network *to, struct str *join)
{
    const struct topology_router *router = from->router ? from->router
                                                        : to->router;
    const struct topology_network *other = from->router ? to : from;
    const char *a = from->intent->object.name, *b = to->intent->object.name;

    if ((from->router && to->router)
        || intent_networks_overlap(from->intent, to->intent)
        || !topology_is_gateway(from) || !topology_is_gateway(to)) {
        return;
    }
    if (!router) {
        str_addf(join, "weft router create %.30s-%.30s --networks '[%s, %s]'",
                 a, b, a, b);
        return;
    }
    str_addf(join, "weft router set %s --networks '[",
             router->intent->object.name);
    for (unsigned int i = 0; i < router->n_networks; i++) {
        const struct intent_network *network = router->networks[i]->intent;

        if (intent_networks_overlap(network, other->intent)) {
            str_clear(join);
            return;
        }
        str_addf(join, "%s, ", network->object.name);
    }
    str_addf(join, "%s]'", other->intent->object.name);
}

/* From outside, a port's groups are asked about what a forward makes of it. */
static void
lead_in(const struct topology *t, const struct question *q,
        struct explain_end *to, struct explain_protocol *asked)
{
    const struct topology_forward *forward = explain_nat_forward(
        q->from->outside, q->to, q->is_v6, asked->protocol, asked->port);

    if (forward) {
        to->port = topology_port(t, intent_object_id(
            INTENT_PORT, forward->intent->to.port_name));
        if (forward->intent->to.first) {
            asked->port = forward->intent->to.first;
        }
    }
}

static void
ask_security(const struct topology *t, const struct question *q,
             struct explain *e)
{
    const struct kind *kind = q->traffic->kind;
    struct explain_protocol asked = {
        .protocol = !strcmp(kind->name, "any") ? PROTO_ANY : kind->protocol,
        .port = (uint16_t) q->traffic->number,
        .is_v6 = q->is_v6, .what = str_text(&e->what),
    };
    struct explain_end to = *q->to;

    if (!strcmp(kind->name, "icmp")) {
        asked.protocol = q->is_v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
        asked.icmp_type = q->is_v6 ? 128 : 8;
    }
    if (q->from->outside) {
        lead_in(t, q, &to, &asked);
    }
    explain_security(t, q->from, &to, &asked, e);
}

int
explain_ask(const struct topology *t, const char *from_text,
            const char *to_text, const char *what, struct explain *e,
            struct str *error)
{
    struct explain_end from, to;
    struct traffic traffic;
    struct question q = { t, &traffic, &from, &to, false };
    int err = parse_traffic(what, &traffic, error);

    *e = (struct explain) { .decided = -1 };
    if (!err && explain_tunnel_apart(t, from_text, to_text, e)) {
        str_addf(&e->what, "%s", what);
        fill_join(topology_network(t, intent_object_id(INTENT_NETWORK,
                                                       e->from.network)),
                  topology_network(t, intent_object_id(INTENT_NETWORK,
                                                       e->to.network)),
                  &e->fix);
        return 0;
    }
    if (!err) {
        err = explain_ends_parse(t, from_text, to_text, &from, &to, error);
    }
    if (!err && from.port && from.port == to.port) {
        str_setf(error, "that is port '%s' twice: what a guest says to itself "
                 "does not leave it", from.port->intent->object.name);
        err = -EINVAL;
    }
    if (!err) {
        err = choose_family(&traffic, &from, &to, &q.is_v6, error);
    }
    if (!err && !explain_ends_address(&from, &to, q.is_v6, error)) {
        err = -ENODATA;
    }
    if (err) {
        if (err == -ENODATA && from.elsewhere) {
            str_addf(&e->what, "%s", what);
            str_addf(&e->from.text, "%s", from_text);
            str_addf(&e->to.text, "%s", to_text);
            snprintf(e->from.host, sizeof e->from.host, "%s", from.elsewhere);
        }
        return err;
    }
    e->is_v6 = q.is_v6;
    str_addf(&e->what, "%s", what);
    fill_side(&from, q.is_v6, &e->from);
    fill_side(&to, q.is_v6, &e->to);
    if (to.network && from.network && to.network != from.network) {
        fill_join(from.network, to.network, &e->join);
    }
    e->is_joined = from.network && from.network->router && to.network
                   && to.network->router == from.network->router;
    note_stand_in(e, &from);
    note_stand_in(e, &to);
    explain_tunnel_note(t, &from, &e->notes);
    explain_tunnel_note(t, &to, &e->notes);
    ask_security(t, &q, e);
    add_meters(e, &from, false);
    add_meters(e, &to, true);
    if (from.outside) {
        come_in(&q, e);
        return 0;
    }
    go(&q, e, false);
    if (to.outside) {
        follow_out(&q, e);
    } else if (explain_end_number(&to)) {
        go(&q, e, true);
    } else if (!to.network && !to.is_group) {
        add_way(t, from.network, &e->way);
    }
    return 0;
}

void
explain_fini(struct explain *e)
{
    struct explain_side *sides[] = { &e->from, &e->to };

    for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
        str_fini(&sides[i]->text);
        str_fini(&sides[i]->address);
        str_fini(&sides[i]->trouble);
    }
    for (unsigned int i = 0; i < N_EXPLAIN_LEGS; i++) {
        str_fini(&e->legs[i].packet);
        str_fini(&e->legs[i].stage);
        str_fini(&e->legs[i].origin);
        str_fini(&e->legs[i].verdict);
        str_fini(&e->legs[i].path);
    }
    str_fini(&e->what);
    str_fini(&e->closed_out.why);
    str_fini(&e->closed_out.fix);
    str_fini(&e->closed_in.why);
    str_fini(&e->closed_in.fix);
    str_fini(&e->join);
    str_fini(&e->open);
    str_fini(&e->way);
    str_fini(&e->notes);
    str_fini(&e->why);
    str_fini(&e->fix);
    str_fini(&e->origin);
}
