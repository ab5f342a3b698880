/* NAT in: what comes by an uplink, and is sent to one of its addresses.
 *
 * Whoever asks for an echo of the uplink's own address gets it.  A floating
 * address is its guest's, both ways: what comes for it becomes the guest's
 * connection at once.  All else may be an answer. */
#include "controller/stage_nat.h"
#include "packet/address.h"
#include "packet/ip.h"

enum { PRIORITY_ECHO_INSIDE = 310, PRIORITY_ECHO = 300, PRIORITY_LINK = 290,
       PRIORITY_PORT = 260, PRIORITY_FLOATING = 250, PRIORITY_TRACK = 200,
       PRIORITY_REST = 10 };

enum { ECHO_REPLY = 0, ECHO_REQUEST = 8, ECHO6_REQUEST = 128,
       ECHO6_REPLY = 129, REPLY_TTL = 64 };

static void
begin(struct writer *w, uint16_t priority, uint64_t cookie,
      const struct topology_uplink *uplink)
{
    nat_begin(w, STAGE_NAT_IN, priority, cookie, uplink);
    writer_match_eth(w, FIELD_ETH_DST, uplink->intent->mac);
}

static void
track(struct writer *w, const struct topology_uplink *uplink)
{
    uint32_t mark = writer_begin_ct(w, uplink->nat->zone, STAGE_NAT_IN_STATE,
                                    CT_LOOK);

    writer_nat_again(w);
    writer_end_ct(w, mark);
    writer_end(w);
}

/* The request becomes its answer. */
static void
echo(struct writer *w, const struct ip6_addr *own)
{
    if (ip6_is_mapped4(own)) {
        writer_set(w, FIELD_ICMPV4_TYPE, ECHO_REPLY);
        writer_move(w, FIELD_IPV4_SRC, FIELD_IPV4_DST);
    } else {
        writer_set(w, FIELD_ICMPV6_TYPE, ECHO6_REPLY);
        writer_move(w, FIELD_IPV6_SRC, FIELD_IPV6_DST);
    }
    nat_set(w, true, own);
    writer_set(w, FIELD_IP_TTL, REPLY_TTL);
}

static void
match_echo(struct writer *w, const struct ip6_addr *own)
{
    if (ip6_is_mapped4(own)) {
        writer_match_icmp(w, ECHO_REQUEST);
    } else {
        writer_match_icmp6(w, ECHO6_REQUEST);
    }
    nat_match(w, false, own);
    writer_match(w, FIELD_IP_FRAG, 0);
}

static void
ping(struct writer *w, const struct topology_uplink *uplink,
     const struct ip6_addr *own)
{
    /* Who is inside has the answer translated back to him. */
    begin(w, PRIORITY_ECHO_INSIDE, uplink->id, uplink);
    match_echo(w, own);
    writer_match(w, FIELD_REG8, NAT_HAIRPIN);
    echo(w, own);
    track(w, uplink);

    begin(w, PRIORITY_ECHO, uplink->id, uplink);
    match_echo(w, own);
    echo(w, own);
    writer_move(w, FIELD_ETH_SRC, FIELD_ETH_DST);
    writer_set_eth(w, FIELD_ETH_SRC, uplink->intent->mac);
    stage_send_back(w);
    writer_end(w);
}

/* Of those who speak of the link itself, arp-nd has heard who had to. */
static void
of_the_link(struct writer *w, const struct topology_uplink *uplink)
{
    enum { ROUTER_SOLICIT = 133, REDIRECT = 137 };

    for (unsigned int type = ROUTER_SOLICIT; type <= REDIRECT; type++) {
        begin(w, PRIORITY_LINK, uplink->id, uplink);
        writer_match_icmp6(w, (uint8_t) type);
        writer_end(w);
    }
}

static void
uplink_flows(struct writer *w, const struct topology_uplink *uplink)
{
    struct ip6_addr own = ip6_of_ip4(intent_uplink_external(uplink->intent));
    struct ip6_addr own6 = intent_uplink_external6(uplink->intent);

    if (intent_uplink_external(uplink->intent)) {
        ping(w, uplink, &own);
        begin(w, PRIORITY_TRACK, uplink->id, uplink);
        writer_match_ip(w);
        track(w, uplink);
    }
    if (ip6_addr_is_set(own6)) {
        ping(w, uplink, &own6);
        of_the_link(w, uplink);
        begin(w, PRIORITY_TRACK, uplink->id, uplink);
        writer_match_ipv6(w);
        track(w, uplink);
    }
    nat_begin(w, STAGE_NAT_IN, PRIORITY_REST, uplink->id, uplink);
    writer_end(w);
}

static void
floating(struct writer *w, const struct topology_forward *forward)
{
    struct ip6_addr arrival = intent_forward_arrival(forward->intent);
    uint32_t mark;

    begin(w, PRIORITY_FLOATING, forward->id, forward->uplink);
    nat_match(w, false, &arrival);
    writer_set(w, FIELD_REG8, NAT_LED);
    mark = writer_begin_ct(w, forward->network->zone, STAGE_NAT_IN_STATE,
                           CT_COMMIT);
    writer_nat(w, NAT_DST, &forward->target, NULL);
    writer_set(w, FIELD_CT_MARK, forward->network->mark);
    writer_end_ct(w, mark);
    writer_end(w);
}

/* Ports of an address that floats: those of this forward do not. */
static void
ports(struct writer *w, const struct topology_forward *forward)
{
    const struct forward_listen *listen = &forward->intent->listen;
    struct ip6_addr arrival = intent_forward_arrival(forward->intent);
    struct port_block blocks[NAT_MAX_BLOCKS];
    unsigned int n = nat_port_blocks(listen->first, listen->last, blocks);

    for (unsigned int i = 0; i < n; i++) {
        begin(w, PRIORITY_PORT, forward->id, forward->uplink);
        nat_match(w, false, &arrival);
        nat_match_ports(w, forward->intent, blocks[i]);
        track(w, forward->uplink);
    }
}

static void
forward_flows(struct writer *w, const struct topology_forward *forward)
{
    if (!ip6_addr_is_set(forward->target)) {
        return;
    }
    if (intent_forward_is_floating(forward->intent)) {
        floating(w, forward);
    } else {
        ports(w, forward);
    }
}

void
stage_nat_in(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        stage_else(w, STAGE_NAT_IN, STAGE_ROUTING);
    } else if (subject->kind == SUBJECT_UPLINK && subject->uplink->nat) {
        uplink_flows(w, subject->uplink);
    } else if (subject->kind == SUBJECT_FORWARD) {
        forward_flows(w, subject->forward);
    }
}
