/* From what the switch said to a verdict, in words. */
#include "controller/explain.h"

#include "controller/explain_end.h"
#include "controller/stage.h"

static const struct {
    const char *name, *text;
    bool is_back;                 /* the second one sends it */
} legs[N_EXPLAIN_LEGS] = {
#define X(ID, NAME, TEXT, IS_BACK) [ID] = { NAME, TEXT, IS_BACK },
    EXPLAIN_LEGS(X)
#undef X
};

/* What is looked at first: what fails by itself, before what was asked for its
 * sake. */
static const enum explain_leg_id order[] = {
    LEG_THERE, LEG_ASK, LEG_TELL, LEG_BACK, LEG_ASK_BACK, LEG_TELL_BACK,
};

const char *
explain_leg_name(enum explain_leg_id id)
{
    return legs[id].name;
}

const struct explain_side *
explain_sender(const struct explain *e, enum explain_leg_id id)
{
    return legs[id].is_back ? &e->to : &e->from;
}

const struct explain_side *
explain_receiver(const struct explain *e, enum explain_leg_id id)
{
    return legs[id].is_back ? &e->from : &e->to;
}

/* ---- What became of a leg ---- */

static bool
arrives(const struct explain_leg *leg, const struct explain_outcome *outcome)
{
    /* Behind the services' own stages, the controller only tells the sender
     * why a packet goes no further. */
    if ((leg->may_be_ours && outcome->to_controller
         && strcmp(str_text(&leg->stage), stage_name(STAGE_ROUTING)))
        || (leg->may_be_asked && outcome->to_controller
            && !strcmp(str_text(&leg->stage), stage_name(STAGE_NEXT_HOP)))
        || (leg->may_be_anywhere && outcome->n_outputs)) {
        return true;
    }
    for (unsigned int i = 0; i < outcome->n_outputs; i++) {
        uint32_t number = outcome->outputs[i];

        if (number && (number == leg->ends[0] || number == leg->ends[1])) {
            return true;
        }
    }
    return false;
}

void
explain_add_outcome(struct explain *e, enum explain_leg_id id,
                    const struct explain_outcome *outcome,
                    explain_origin *origin, void *aux)
{
    struct explain_leg *leg = &e->legs[id];

    leg->is_traced = true;
    str_setf(&leg->verdict, "%s", outcome->verdict);
    for (unsigned int i = 0; i < outcome->n_entries; i++) {
        const struct explain_entry *entry = &outcome->entries[i];
        const char *stage = stage_name(entry->table);

        leg->cookie = entry->cookie;
        str_clear(&leg->stage);
        str_clear(&leg->origin);
        if (stage) {
            str_add(&leg->stage, stage);
        } else {
            str_addf(&leg->stage, "table %u", entry->table);
        }
        origin(aux, entry->cookie, &leg->origin);
        str_addf(&leg->path, "%s\t%s\n", str_text(&leg->stage),
                 str_text(&leg->origin));
    }
    leg->passes = arrives(leg, outcome);
}

/* ---- Why, and what would change it ---- */

typedef void reason(struct explain *, const struct explain_leg *,
                    const struct explain_side *sender,
                    const struct explain_side *receiver);

static void
say(struct explain *e, const char *why)
{
    str_addf(&e->why, "%s", why);
}

static void
allow(struct explain *e, const struct explain_side *sender,
      const char *address)
{
    if (sender->port[0]) {
        str_addf(&e->fix, "weft port set %s --allow %s", sender->port,
                 address);
    }
}

static void
why_ingress(struct explain *e, const struct explain_leg *leg UNUSED,
            const struct explain_side *sender,
            const struct explain_side *receiver UNUSED)
{
    say(e, "no network takes what it sends");
    if (sender->port[0]) {
        str_addf(&e->fix, "weft port set %s --network NETWORK", sender->port);
    }
}

static void
why_mac(struct explain *e, const struct explain_leg *leg UNUSED,
        const struct explain_side *sender,
        const struct explain_side *receiver UNUSED)
{
    say(e, "the Ethernet address that it sends from is not its own");
    allow(e, sender, "MAC");
}

static void
why_address(struct explain *e, const struct explain_leg *leg UNUSED,
            const struct explain_side *sender,
            const struct explain_side *receiver UNUSED)
{
    str_addf(&e->why, "%s is not an address of port '%s'",
             str_text(&sender->address), sender->port);
    allow(e, sender, str_text(&sender->address));
}

static void
why_guard(struct explain *e, const struct explain_leg *leg UNUSED,
          const struct explain_side *sender UNUSED,
          const struct explain_side *receiver UNUSED)
{
    say(e, "guests are no routers, no DHCP servers and not the gateway");
}

static void
no_router(struct explain *e, const struct explain_side *sender,
          const struct explain_side *receiver)
{
    if (e->is_joined) {
        str_addf(&e->why, "no-route: network '%s' or '%s' has no gateway of "
                 "IPv%s", sender->network, receiver->network,
                 e->is_v6 ? "6" : "4");
        return;
    }
    if (e->way.len) {
        str_addf(&e->why, "no-route: network '%s' does not lead outside",
                 sender->network);
        str_addf(&e->fix, "%s", str_text(&e->way));
        return;
    }
    str_addf(&e->why, "no-route: no router joins network '%s' with ",
             sender->network);
    if (receiver->network[0]) {
        str_addf(&e->why, "network '%s'", receiver->network);
    } else {
        str_addf(&e->why, "%s", str_text(&receiver->address));
    }
    if (e->join.len) {
        str_addf(&e->fix, "%s", str_text(&e->join));
    } else if (receiver->port[0]) {
        str_addf(&e->fix, "weft port set %s --network %s", receiver->port,
                 sender->network);
    }
}

static void
why_routing(struct explain *e, const struct explain_leg *leg UNUSED,
            const struct explain_side *sender,
            const struct explain_side *receiver)
{
    if (receiver->is_gateway) {
        say(e, "the gateway answers pings and questions for names and "
               "addresses, nothing else");
    } else {
        no_router(e, sender, receiver);
    }
}

static void
closed(struct explain *e)
{
    str_addf(&e->why, "closed from outside: no forward of uplink '%s' leads "
             "there", e->uplink);
    str_addf(&e->fix, "%s", str_text(&e->open));
}

static void
why_closed(struct explain *e, const struct explain_leg *leg UNUSED,
           const struct explain_side *sender UNUSED,
           const struct explain_side *receiver UNUSED)
{
    if (e->forward[0]) {
        str_addf(&e->why, "forward '%s' does not lead there: there is no room "
                 "for its connection", e->forward);
        str_add(&e->fix, "weft connection count");
    } else {
        closed(e);
    }
}

static void
why_untranslated(struct explain *e, const struct explain_leg *leg UNUSED,
                 const struct explain_side *sender UNUSED,
                 const struct explain_side *receiver UNUSED)
{
    str_addf(&e->why, "there is no address of uplink '%s' by which it could "
             "leave", e->uplink);
    str_add(&e->fix, "weft connection count");
}

static void
why_mtu(struct explain *e, const struct explain_leg *leg UNUSED,
        const struct explain_side *sender UNUSED,
        const struct explain_side *receiver)
{
    str_addf(&e->why, "it is larger than the MTU of network '%s'",
             receiver->network);
}

/* Who is asked for may be there and answer, or not. */
static void
why_next_hop(struct explain *e, const struct explain_leg *leg UNUSED,
             const struct explain_side *sender UNUSED,
             const struct explain_side *receiver)
{
    if (receiver->network[0]) {
        str_addf(&e->why, "nobody in network '%s' is known to have that "
                 "address", receiver->network);
    } else {
        str_addf(&e->why, "the next router towards %s is not known to be "
                 "there", str_text(&receiver->address));
    }
    str_add(&e->fix, "weft port list");
}

static void
why_lookup(struct explain *e, const struct explain_leg *leg UNUSED,
           const struct explain_side *sender,
           const struct explain_side *receiver)
{
    if (receiver->network[0] && strcmp(receiver->network, sender->network)) {
        no_router(e, sender, receiver);
        return;
    }
    str_addf(&e->why, "nobody in network '%s' has that address",
             sender->network);
    str_add(&e->fix, "weft port list");
}

static void
why_multicast(struct explain *e, const struct explain_leg *leg UNUSED,
              const struct explain_side *sender UNUSED,
              const struct explain_side *receiver UNUSED)
{
    say(e, "nobody asked for that group");
    str_add(&e->fix, "weft multicast list");
}

static void
why_output(struct explain *e, const struct explain_leg *leg,
           const struct explain_side *sender,
           const struct explain_side *receiver)
{
    if (!sender->is_isolated || !receiver->is_isolated) {
        say(e, str_text(&leg->verdict));
        return;
    }
    say(e, "both are isolated, and isolated ports do not hear each other");
    str_addf(&e->fix, "weft port set %s --isolated=", receiver->port);
}

static void
give_closed(struct explain *e, const struct explain_leg *leg,
            const struct explain_closed *closed)
{
    if (closed->why.len) {
        str_addf(&e->why, "%s", str_text(&closed->why));
        str_addf(&e->fix, "%s", str_text(&closed->fix));
    } else {
        say(e, str_text(&leg->verdict));
    }
}

static void
why_acl_out(struct explain *e, const struct explain_leg *leg,
            const struct explain_side *sender UNUSED,
            const struct explain_side *receiver UNUSED)
{
    give_closed(e, leg, &e->closed_out);
}

static void
why_acl_in(struct explain *e, const struct explain_leg *leg,
           const struct explain_side *sender UNUSED,
           const struct explain_side *receiver UNUSED)
{
    give_closed(e, leg, &e->closed_in);
}

static const struct {
    enum stage_table table;
    reason *why;
} reasons[] = {
    { STAGE_INGRESS, why_ingress },
    { STAGE_PORT_SECURITY, why_mac },
    { STAGE_ADDRESS_SECURITY, why_address },
    { STAGE_ND_SECURITY, why_address },
    { STAGE_GUARD, why_guard },
    { STAGE_ACL_OUT_STATE, why_acl_out },
    { STAGE_ACL_OUT_RULES, why_acl_out },
    { STAGE_ACL_IN, why_acl_in },
    { STAGE_ACL_IN_STATE, why_acl_in },
    { STAGE_ACL_IN_RULES, why_acl_in },
    { STAGE_NAT_IN, why_closed },
    { STAGE_NAT_IN_STATE, why_closed },
    { STAGE_FORWARD, why_closed },
    { STAGE_ROUTING, why_routing },
    { STAGE_NAT_OUT, why_untranslated },
    { STAGE_NAT_OUT_STATE, why_untranslated },
    { STAGE_MTU, why_mtu },
    { STAGE_NEXT_HOP, why_next_hop },
    { STAGE_L2_LOOKUP, why_lookup },
    { STAGE_TUNNEL_TO, why_mtu },
    { STAGE_FOREIGN, why_lookup },
    { STAGE_ARP_ND, why_lookup },
    { STAGE_MULTICAST, why_multicast },
    { STAGE_FLOOD, why_lookup },
    { STAGE_OUTPUT, why_output },
};

static void
give_reason(struct explain *e, enum explain_leg_id id)
{
    const struct explain_leg *leg = &e->legs[id];

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (!strcmp(stage_name((uint8_t) reasons[i].table),
                    str_text(&leg->stage))) {
            reasons[i].why(e, leg, explain_sender(e, id),
                           explain_receiver(e, id));
            return;
        }
    }
    say(e, str_text(&leg->verdict));
}

/* ---- The verdict ---- */

static void
note_meters(struct explain *e)
{
    for (unsigned int i = 0; i < e->n_meters; i++) {
        const struct explain_meter *meter = &e->meters[i];

        if (meter->n_dropped) {
            str_addf(&e->notes, "the %s of port '%s' has dropped %llu packets "
                     "so far\n", meter->what,
                     meter->is_to ? e->to.port : e->from.port,
                     (unsigned long long) meter->n_dropped);
        }
    }
}

/* A port that is away: whatever the tables say, nothing comes or goes. */
static bool
has_trouble(struct explain *e)
{
    const struct explain_side *side = e->from.trouble.len ? &e->from : &e->to;

    if (!side->trouble.len) {
        return false;
    }
    e->verdict = EXPLAIN_FAILS;
    say(e, str_text(&side->trouble));
    if (side->port[0] && !e->fix.len) {
        str_addf(&e->fix, "weft port show %s", side->port);
    }
    return true;
}

void
explain_decide(struct explain *e)
{
    const struct explain_closed *closed;
    bool is_all = true;

    note_meters(e);
    if (has_trouble(e)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        const struct explain_leg *leg = &e->legs[order[i]];

        is_all &= leg->is_traced || !leg->is_asked;
        if (leg->is_traced && !leg->passes) {
            e->verdict = EXPLAIN_FAILS;
            e->decided = (int) order[i];
            if (order[i] != LEG_THERE && order[i] != LEG_BACK) {
                str_addf(&e->why, "%s fails: ", legs[order[i]].text);
            }
            give_reason(e, order[i]);
            return;
        }
    }
    /* What happens at another host is not in our switch's tables. */
    closed = e->from.is_away && e->closed_out.is_closed ? &e->closed_out
             : e->to.is_away && e->closed_in.is_closed ? &e->closed_in : NULL;
    if (closed) {
        e->verdict = EXPLAIN_FAILS;
        give_closed(e, NULL, closed);
        return;
    }
    e->verdict = is_all ? EXPLAIN_PASSES : EXPLAIN_UNKNOWN;
    if (!is_all) {
        say(e, "the switch could not be asked");
    }
}

/* ---- Without a switch ---- */

/* May the port send as what the question says? */
static bool
is_own(const struct topology_port *port, const struct explain_side *side)
{
    struct explain_end end = { .port = port };

    if (!side->is_spoofed || port->intent->is_spoof_ok) {
        return true;
    }
    return explain_end_owns(&end, str_text(&side->address));
}

/* What the gateway answers (stage_routing.c, stage_service.c). */
static bool
is_for_gateway(const char *what)
{
    static const char *const answered[] = {
        "icmp", "icmp6", "arp", "nd", "udp/53", "udp6/53", "tcp/53",
        "tcp6/53", "udp/67",
    };

    for (size_t i = 0; i < ARRAY_SIZE(answered); i++) {
        if (!strcmp(answered[i], what)) {
            return true;
        }
    }
    return false;
}

void
explain_by_plan(const struct topology *t, struct explain *e,
                explain_origin *origin, void *aux)
{
    struct explain_side *sides[] = { &e->from, &e->to };
    const struct topology_port *ports[2];
    const struct explain_closed *groups
        = e->closed_out.is_closed  ? &e->closed_out
          : e->closed_in.is_closed ? &e->closed_in : NULL;
    uint64_t decider = 0;

    str_add(&e->notes, "by the plan alone: the switch is another program\n");
    if (has_trouble(e)) {
        return;
    }
    e->verdict = EXPLAIN_FAILS;
    for (unsigned int i = 0; i < 2; i++) {
        ports[i] = sides[i]->port[0]
                   ? topology_port(t, intent_object_id(INTENT_PORT,
                                                       sides[i]->port))
                   : NULL;
        if (ports[i] && !is_own(ports[i], sides[i])) {
            decider = ports[i]->id;
            why_address(e, NULL, sides[i], sides[!i]);
            origin(aux, decider, &e->origin);
            return;
        }
    }
    if (e->needs_forward && !e->forward[0]) {
        decider = intent_object_id(INTENT_UPLINK, e->uplink);
        closed(e);
    } else if (e->uplink[0] && groups) {
        decider = groups->origin;
        give_closed(e, NULL, groups);
    } else if (e->uplink[0]) {
        e->verdict = EXPLAIN_PASSES;
        return;
    } else if (strcmp(e->from.network, e->to.network) && !e->is_joined) {
        decider = intent_object_id(INTENT_NETWORK, e->from.network);
        no_router(e, &e->from, &e->to);
    } else if (e->from.is_isolated && e->to.is_isolated) {
        decider = ports[1]->id;
        why_output(e, NULL, &e->from, &e->to);
    } else if (e->to.is_gateway ? !is_for_gateway(str_text(&e->what))
                                : !e->to.switch_name[0]
                                  && !e->to.is_group) {
        decider = intent_object_id(INTENT_NETWORK, e->from.network);
        (e->to.is_gateway ? why_routing : why_lookup)(e, NULL, &e->from,
                                                      &e->to);
    } else if (groups) {
        decider = groups->origin;
        give_closed(e, NULL, groups);
    } else {
        e->verdict = EXPLAIN_PASSES;
        return;
    }
    origin(aux, decider, &e->origin);
}
