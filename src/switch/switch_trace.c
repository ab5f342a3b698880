/* Trace: drives the translation through all passes of a packet. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/rcu.h"
#include "packet/address.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/outer.h"
#include "port/underlay.h"
#include "switch/switch_impl.h"

/* Passes that are still to be traced. */
struct passes {
    struct switch_ *sw;
    struct trace *trace;
    unsigned int n, done;
    struct flow flows[DP_MAX_RECIRC];
    bool asks_len;                /* of two passes one is taken */
    struct flow_key_fields assumed;       /* what connections are said to be:
                                             ct_state 0, nothing is */
};

static void
add_pass(void *passes_, uint32_t id UNUSED, const struct flow *flow)
{
    struct passes *passes = passes_;

    if (passes->n < DP_MAX_RECIRC) {
        passes->flows[passes->n++] = *flow;
    }
}

/* ---- What the connection tracker would say ---- */

/* ICMP's identifier is not part of a flow: no echo finds its connection. */
static bool
tuple_of(const struct flow *flow, uint16_t zone, struct ct_tuple *t)
{
    const struct flow_key_fields *k = &flow->key;

    memset(t, 0, sizeof *t);
    t->zone = zone;
    t->proto = k->nw_proto;
    t->src_port = k->tp_src;
    t->dst_port = k->tp_dst;
    if (k->eth_type == htobe16(ETH_TYPE_IP)) {
        t->family = 4;
        put_be32(t->src.b, k->nw_src);
        put_be32(t->dst.b, k->nw_dst);
        return t->proto != IP_PROTO_ICMP;
    }
    t->family = 6;
    t->src = k->ipv6_src;
    t->dst = k->ipv6_dst;
    return k->eth_type == htobe16(ETH_TYPE_IPV6)
           && t->proto != IP_PROTO_ICMPV6;
}

static struct ip6_addr
mapped(const struct ct_tuple *t, const struct ip6_addr *addr)
{
    struct ip6_addr out = *addr;

    if (t->family == 4) {
        memset(out.b, 0, 10);
        memset(out.b + 10, 0xff, 2);
        memcpy(out.b + 12, addr->b, 4);
    }
    return out;
}

static void
show_original(struct flow *flow, const struct ct_tuple *t)
{
    flow->key.ct_nw_proto = t->proto;
    flow->key.ct_tp_src = t->src_port;
    flow->key.ct_tp_dst = t->dst_port;
    flow->key.ct_src = mapped(t, &t->src);
    flow->key.ct_dst = mapped(t, &t->dst);
}

/* What a connection makes of a packet that goes the other way of `t`. */
static void
turn_round(const struct ct_tuple *t, struct flow *flow)
{
    struct flow_key_fields *k = &flow->key;

    if (t->family == 4) {
        k->nw_src = get_be32(t->dst.b);
        k->nw_dst = get_be32(t->src.b);
    } else {
        k->ipv6_src = t->dst;
        k->ipv6_dst = t->src;
    }
    k->tp_src = t->dst_port;
    k->tp_dst = t->src_port;
}

/* Which port of those that it may be; its own if it is one. */
static be16
some_port(const struct ct_nat *nat, be16 own)
{
    bool is_one = be16toh(own) >= nat->port_min
                  && be16toh(own) <= nat->port_max;

    return !nat->has_ports || is_one ? own : htobe16(nat->port_min);
}

/* The first that it may become: which one it would, only the packet shows. */
static void
translate_new(const struct ct_nat *nat, struct flow *flow)
{
    struct flow_key_fields *k = &flow->key;
    bool is_src = nat->kind == CT_NAT_SRC, has_ports = k->tp_src || k->tp_dst;

    if (nat->kind != CT_NAT_SRC && nat->kind != CT_NAT_DST) {
        return;
    }
    if (nat->family == 4) {
        *(is_src ? &k->nw_src : &k->nw_dst) = get_be32(nat->min.b);
    } else if (nat->family == 6) {
        *(is_src ? &k->ipv6_src : &k->ipv6_dst) = nat->min;
    }
    if (has_ports && k->nw_proto != IP_PROTO_ICMP
        && k->nw_proto != IP_PROTO_ICMPV6) {
        be16 *port = is_src ? &k->tp_src : &k->tp_dst;

        *port = some_port(nat, *port);
    }
}

/* As the tracker would have it, which is asked and not changed. */
static void
track(void *passes_, const struct ct_request *req, struct flow *flow)
{
    struct passes *passes = passes_;
    struct switch_ *sw = passes->sw;
    uint32_t state = FLOW_CT_TRK | FLOW_CT_NEW;
    struct ct_tuple tuple;
    struct ct_info info;
    unsigned int dir;

    flow->key.ct_zone = htobe16(req->zone);
    flow->key.ct_mark = 0;
    memset(&flow->key.ct_label, 0, sizeof flow->key.ct_label);
    if (tuple_of(flow, req->zone, &tuple)
        && conntrack_find(datapath_conntrack(sw->dp), &tuple, sw->now, &info,
                          &dir)) {
        trace_say(passes->trace, 1, "it belongs to a connection of zone %u, "
                  "%s, seen from its %s", req->zone, info.state,
                  dir ? "other end" : "first end");
        if (dir || info.is_answered) {
            state = FLOW_CT_TRK | FLOW_CT_EST | (dir ? FLOW_CT_RPL : 0);
        }
        flow->key.ct_mark = htobe32(info.mark);
        flow->key.ct_label = info.label;
        tuple = info.original;
        if (req->nat.kind != CT_NAT_NONE) {
            turn_round(dir ? &info.original : &info.reply, flow);
        }
    } else if (passes->assumed.ct_state) {
        trace_say(passes->trace, 1, "it is taken to belong to a connection of "
                  "zone %u, as was said", req->zone);
        state = be32toh(passes->assumed.ct_state);
        flow->key.ct_mark = passes->assumed.ct_mark;
        flow->key.ct_label = passes->assumed.ct_label;
    } else {
        trace_say(passes->trace, 1, "it belongs to no connection of zone %u: "
                  "taken to be new", req->zone);
    }
    show_original(flow, &tuple);
    if (state & FLOW_CT_NEW) {
        translate_new(&req->nat, flow);
    }
    flow->key.ct_state = htobe32(state);
    flow->key.ct_mark = htobe32((be32toh(flow->key.ct_mark) & ~req->mark_mask)
                                | (req->commit ? req->mark : 0));
    for (unsigned int i = 0; i < sizeof req->label.b; i++) {
        uint8_t *label = &flow->key.ct_label.b[i];

        *label = (uint8_t) ((*label & ~req->label_mask.b[i])
                            | req->label.b[i]);
    }
}

static const char *
name_of(void *sw, uint32_t id)
{
    const struct switch_port *port = switch_port_by_number(sw,
                                                           port_number(id));

    return port ? port->port->config.name : NULL;
}

/* What is left of the packet's lives while a list is carried out.  Translation
 * does not look at them, so that a cache entry serves every TTL. */
struct ttls {
    uint8_t ip, mpls;
};

enum { TTL_UNKNOWN = UINT8_MAX }; /* of a header that labels hid: lives on */

static void
set_ttl(struct ttls *ttls, const struct dp_action_set_field *set)
{
    uint8_t *ttl = set->field == FIELD_IP_TTL ? &ttls->ip
                   : set->field == FIELD_MPLS_TTL ? &ttls->mpls : NULL;

    if (ttl) {
        *ttl = (uint8_t) ((*ttl & ~set->mask[0]) | set->value[0]);
    }
}

static bool
dec_ttl(uint8_t *ttl, struct trace *trace)
{
    if (*ttl > 1) {
        *ttl -= *ttl != TTL_UNKNOWN;
        return true;
    }
    trace_say(trace, 0, "its TTL is used up: what follows does not happen");
    trace->drop_reason = DROP_TTL_EXPIRED;
    return false;
}

/* Notes what the list sends.  False when the TTL ends it. */
static bool
look_through(struct dp_action_list list, struct ttls ttls,
             struct passes *passes, struct trace *trace)
{
    DP_ACTION_FOR_EACH (a, &list) {
        const void *p = a;

        switch (a->type) {
        case DP_ACTION_OUTPUT:
            trace_add_output(trace, port_number(
                ((const struct dp_action_output *) p)->port));
            break;
        case DP_ACTION_CONTROLLER:
            trace->to_controller = true;
            break;
        case DP_ACTION_CLONE:
            look_through(dp_action_nested(a), ttls, passes, trace);
            break;
        case DP_ACTION_RECIRC_BY_LEN:
            passes->asks_len = true;
            break;
        case DP_ACTION_DROP:
            trace->drop_reason = (enum drop_reason)
                ((const struct dp_action_drop *) p)->reason;
            break;
        case DP_ACTION_SET_FIELD:
            set_ttl(&ttls, p);
            break;
        case DP_ACTION_PUSH_MPLS:
            ttls.mpls = (uint8_t) ((const struct dp_action_mpls *) p)->lse;
            break;
        case DP_ACTION_POP_MPLS: case DP_ACTION_COPY_TTL_OUT:
            ttls.mpls = TTL_UNKNOWN;
            break;
        case DP_ACTION_POP_PBB:
            ttls.ip = ttls.mpls = TTL_UNKNOWN;
            break;
        case DP_ACTION_COPY_TTL_IN:
            ttls.ip = TTL_UNKNOWN;
            break;
        case DP_ACTION_DEC_TTL:
        case DP_ACTION_DEC_MPLS_TTL:
            if (!dec_ttl(a->type == DP_ACTION_DEC_TTL ? &ttls.ip : &ttls.mpls,
                         trace)) {
                look_through(dp_action_nested(a), ttls, passes, trace);
                return false;
            }
            break;
        default:
            break;
        }
    }
    return true;
}

static void
format_megaflow(const struct flow *flow, struct trace *trace)
{
    struct match match;

    match.mask = trace->mask;
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        if (i >= FLOW_KEY_WORDS) {
            match.mask.bits.w[i] = 0;
        }
        match.value.w[i] = flow->w[i] & match.mask.bits.w[i];
    }
    match_format(&match, &trace->megaflow);
}

static void
trace_pass(struct switch_ *sw, const struct translate_options *opt,
           const struct flow *flow, struct passes *passes)
{
    struct credit_list credits = { 0 };
    struct trace *trace = opt->trace;
    struct upcall up = { .now = opt->now };
    struct learn_list learns = { 0, NULL };
    struct translate_options with_learns = *opt;
    struct ttls ttls = { flow->key.nw_ttl,
                         (uint8_t) be32toh(flow->key.mpls_lse[0]) };
    unsigned int n_before = passes->n;
    struct dp_action_list list;

    with_learns.learns = opt->no_effects ? NULL : &learns;
    translate(&sw->pipeline.env, &with_learns, flow, &up, &credits);
    switch_apply_learns(sw, &learns, opt->now);
    learn_list_fini(&learns);
    list = dp_actions_list(&up.actions);
    if (!look_through(list, ttls, passes, trace)) {
        passes->n = n_before;     /* Going through again comes last. */
    }
    if (!flow->key.recirc_id) {
        trace->mask = up.mask;
        format_megaflow(flow, trace);
    } else {
        str_addf(&trace->actions, ", then pass 0x%x: ", flow->key.recirc_id);
    }
    dp_action_list_format(list, name_of, sw, &trace->actions);
    credit_list_fini(&credits);
    dp_actions_fini(&up.actions);
}

static void
give_verdict(struct switch_ *sw, const struct passes *passes,
             struct trace *trace)
{
    struct str *s = &trace->verdict;

    trace->is_dropped = !trace->n_outputs && !trace->to_controller;
    if (trace->is_dropped) {
        str_addf(s, "dropped (%s): %s", drop_reason_name(trace->drop_reason),
                 drop_reason_text(trace->drop_reason));
        return;
    }
    if (trace->n_outputs == 1) {
        uint32_t number = trace->outputs[0];
        const struct switch_port *port = switch_port_by_number(sw, number);

        str_addf(s, "sent to port %s (%s)",
                 port ? port->port->config.name : "?",
                 port_number_text(number).text);
        if (port && underlay_of(port->port)) {
            str_addf(s, ", whose underlay is %s", underlay_of(port->port));
        }
    } else if (trace->n_outputs) {
        str_addf(s, "sent to %u ports", trace->n_outputs);
    }
    if (trace->to_controller) {
        str_addf(s, "%ssent to the controller", s->len ? ", and " : "");
    }
    if (passes->asks_len) {
        str_add(s, ", as its length decides");
    }
}

/* What the flow looks like to who takes frames off for tunnels. */
static struct outer
outer_of(const struct flow_key_fields *k)
{
    struct outer outer = { .eth_dst = k->eth_dst };

    if (!k->vlan_tci && !k->nw_frag
        && (k->eth_type == htobe16(ETH_TYPE_IP)
            || k->eth_type == htobe16(ETH_TYPE_IPV6))) {
        outer.dst = k->eth_type == htobe16(ETH_TYPE_IP) ? ip6_of_ip4(k->nw_dst)
                                                       : k->ipv6_dst;
        outer.proto = k->nw_proto;
        outer.dst_port = be16toh(k->tp_dst);
    }
    return outer;
}

/* It never meets a table. */
static bool
is_taken_off(const struct switch_port *in, const struct flow *flow,
             struct trace *trace)
{
    const struct outer outer = outer_of(&flow->key);
    const struct port *taker = underlay_taker(in->port, &outer);

    if (taker) {
        trace_say(trace, 0, "a tunnel's packet: port %s is its underlay, and "
                  "no table sees it", in->port->config.name);
        str_addf(&trace->verdict, "taken off by the tunnels of port %s: what is "
                 "inside comes in there", taker->config.name);
    }
    return taker;
}

int
switch_trace(struct switch_ *sw, const struct flow *flow, bool with_effects,
             struct trace *trace, struct str *error)
{
    struct passes passes = { .sw = sw, .trace = trace, .n = 1,
                             .flows = { *flow } };
    struct translate_options opt = {
        .now = sw->now, .no_effects = !with_effects, .trace = trace,
        .track = track, .recirculated = add_pass, .aux = &passes,
    };
    bool was_online = rcu_is_online();

    if (!switch_port_by_number(sw, flow_in_port(flow))) {
        str_setf(error, "there is no port %s",
                 port_number_text(flow_in_port(flow)).text);
        return -ENODEV;
    }
    memset(trace, 0, sizeof *trace);
    if (is_taken_off(switch_port_by_number(sw, flow_in_port(flow)), flow,
                     trace)) {
        return 0;
    }
    trace->drop_reason = DROP_ACTIONS;
    passes.flows[0].key.recirc_id = 0;
    if (be32toh(flow->key.ct_state) & FLOW_CT_TRK) {
        passes.assumed = flow->key;
        passes.flows[0].key.ct_state = 0;
        passes.flows[0].key.ct_mark = 0;
        memset(&passes.flows[0].key.ct_label, 0,
               sizeof passes.flows[0].key.ct_label);
    }

    if (!was_online) {
        rcu_online();
    }
    while (passes.done < passes.n) {
        struct flow pass = passes.flows[passes.done++];

        /* What the pipeline added to it is kept in the frozen state. */
        memset(&pass.w[FLOW_KEY_WORDS], 0,
               sizeof pass - sizeof pass.w[0] * FLOW_KEY_WORDS);
        trace_pass(sw, &opt, &pass, &passes);
    }
    if (!was_online) {
        rcu_offline();
    }
    give_verdict(sw, &passes, trace);
    return 0;
}
