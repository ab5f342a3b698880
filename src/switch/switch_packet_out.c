/* Packets from controllers: sent, or on through the tables. */
#include "switch/switch_impl.h"

/* Reads the key of a frame that is in no packet pool. */
int
switch_flow_of_frame(const void *frame, uint32_t len, uint32_t in_port,
                     struct flow *flow)
{
    struct packet pkt = {
        .data = (uint8_t *) (uintptr_t) frame, .len = len,
        .buf = (uint8_t *) (uintptr_t) frame, .buf_size = len,
        .in_port = in_port,
    };
    struct flow_key key;
    int err = flow_key_extract(&pkt, &key);

    if (!err) {
        flow_from_key(flow, &key);
    }
    return err;
}

/* By which tunnel it came, as its controller says.  RCU-online. */
static void
take_tunnel(const struct switch_ *sw, const struct flow *flow,
            struct packet *pkt)
{
    if (flow->key.tun_family) {
        tunnel_key_from_fields(&flow->key, datapath_tunnel_options(sw->dp),
                               UINT32_MAX, &pkt->tun);
    }
}

/* Translates and carries out, for a frame that no port brought.  RCU-online. */
static int
send_frame(struct switch_ *sw, const struct translate_options *opt,
           const struct flow *flow, const void *frame, uint32_t len)
{
    struct learn_list learns = { 0, NULL };
    struct translate_options first = *opt;
    struct credit_list credits = { 0 };
    struct upcall up = { .now = sw->now };
    struct packet pkt = {
        .data = (uint8_t *) (uintptr_t) frame, .len = len,
        .in_port = port_id(flow_in_port(flow)),
    };
    int err;

    first.learns = &learns;
    translate(&sw->pipeline.env, &first, flow, &up, &credits);
    if (learns.n) {
        switch_apply_learns(sw, &learns, sw->now);
        switch_publish(sw);
        up.actions.len = 0;
        credits.n = 0;
        translate(&sw->pipeline.env, opt, flow, &up, &credits);
        learn_list_fini(&learns);
    }
    take_tunnel(sw, flow, &pkt);
    err = datapath_inject_packet(sw->dp, &pkt, dp_actions_list(&up.actions));
    credit_once(sw->pipeline.credits, &credits, 1, len, sw->now);
    dp_actions_fini(&up.actions);
    return err;
}

/* What a packet-in shows besides the packet, put back. */
static void
take_fields(const struct match *match, struct flow *flow)
{
    for (unsigned int i = 0; i < N_FIELDS; i++) {
        const struct field *field = field_by_id(i);

        if (field_is_shown(i)) {
            field_set(field, flow, field_get(field, &match->value),
                      field_get(field, &match->mask.bits));
        }
    }
    flow->key.tun_family = match->value.key.tun_family;
}

int
switch_packet_out(struct switch_ *sw, uint32_t in_port,
                  const struct match *fields, struct action_list actions,
                  const void *frame, uint32_t len)
{
    struct translate_options opt = { .now = sw->now, .packet_out = &actions };
    bool was_online = rcu_is_online();
    struct flow flow;
    int err = switch_flow_of_frame(frame, len, in_port, &flow);

    if (err) {
        return err;
    }
    if (fields) {
        take_fields(fields, &flow);
    }
    /* What was asked for before it, it meets. */
    if (sw->is_staged) {
        switch_publish(sw);
    }
    if (!was_online) {
        rcu_online();
    }
    err = send_frame(sw, &opt, &flow, frame, len);
    if (!was_online) {
        rcu_offline();
    }
    return err;
}

int
switch_resume(struct switch_ *sw, uint32_t id, uint64_t token,
              const struct match *fields, const void *frame, uint32_t len)
{
    struct translate_options opt = { .now = sw->now };
    bool was_online = rcu_is_online();
    struct flow flow;
    int err = switch_flow_of_frame(frame, len, 0, &flow);

    if (err) {
        return err;
    }
    take_fields(fields, &flow);
    if (sw->is_staged) {
        switch_publish(sw);
    }
    if (!was_online) {
        rcu_online();
    }
    opt.resumed = recirc_find(sw->recirc, id);
    err = opt.resumed && recirc_token(sw->recirc, opt.resumed) == token
          ? send_frame(sw, &opt, &flow, frame, len) : -ESTALE;
    if (!was_online) {
        rcu_offline();
    }
    return err;
}

bool
switch_has_packet_out_room(const struct switch_ *sw)
{
    return datapath_has_inject_room(sw->dp);
}
