/* Where the naive switch sends a packet: out of ports, to the controller, over
 * the bridge. */
#include "switch/naive_walk.h"

#include "packet/address.h"
#include "packet/edit.h"
#include "packet/eth.h"

/* ---- Leaving ---- */

static struct naive_output *
add_output(struct walk *w, uint32_t port, uint32_t max_len)
{
    struct naive_output *out;

    if (w->sw->n_outputs == NAIVE_MAX_OUTPUTS) {
        w->sw->overflow = true;
        return NULL;
    }
    out = &w->sw->outputs[w->sw->n_outputs++];
    memset(out, 0, sizeof *out);
    out->port = port;
    out->len = max_len ? MIN(max_len, w->pkt->len) : w->pkt->len;
    out->bytes = xmemdup(w->pkt->data, out->len);
    return out;
}

/* ---- By tunnels ---- */

static struct ip6_addr
address_of(uint8_t family, const struct ip6_addr *address)
{
    be32 ip4 = get_be32(&address->b[12]);

    /* Entries write 4 of 16 bytes: those are the address. */
    return family != 4 ? *address
           : ip4 ? ip6_of_ip4(ip4) : (struct ip6_addr) { { 0 } };
}

static bool
is_any_set(const uint8_t *bytes, unsigned int len)
{
    for (unsigned int i = 0; i < len; i++) {
        if (bytes[i]) {
            return true;
        }
    }
    return false;
}

/* An option leaves that has a value, or to which one was written, though 0. */
static void
add_options(struct walk *w, const struct flow *flow, struct tunnel_key *tun)
{
    for (unsigned int i = 0; i < TUNNEL_N_FIELDS; i++) {
        const struct tunnel_option *o = &w->sw->options.options[i];
        const uint8_t *value = &flow->key.tun_metadata[o->ofs];
        uint8_t *p = &tun->options[tun->n_options];

        if (!(w->sw->options.mapped >> i & 1)
            || (!is_any_set(value, o->len)
                && !is_any_set(&w->written.key.tun_metadata[o->ofs],
                               o->len))) {
            continue;
        }
        put_be16(p, htobe16(o->class));
        p[2] = o->type;
        p[3] = o->len / 4;
        memcpy(p + TUNNEL_OPTION_HEADER, value, o->len);
        tun->n_options = (uint8_t) (tun->n_options + TUNNEL_OPTION_HEADER
                                    + o->len);
    }
}

static void
say_tunnel(struct walk *w, struct tunnel_key *tun)
{
    struct flow flow = walk_flow(w);
    uint8_t family = flow.key.tun_family;

    *tun = (struct tunnel_key) {
        .family = family ? family : TUNNEL_NO_ADDRESS,
        .tos = flow.key.tun_tos, .ttl = flow.key.tun_ttl,
        .flags = flow.key.tun_flags, .gbp_id = flow.key.tun_gbp_id,
        .gbp_flags = flow.key.tun_gbp_flags, .id = flow.key.tun_id,
        .src = address_of(family, &flow.key.tun_src),
        .dst = address_of(family, &flow.key.tun_dst),
    };
    add_options(w, &flow, tun);
}

static void
leave(struct walk *w, const void *output)
{
    walk_egress(w, output);
}

static void
send(struct walk *w, uint32_t number, uint32_t max_len)
{
    const struct port_settings *port = naive_port(w->sw, number);

    if (!port || port->no_fwd || port->admin_down) {
        return;
    }
    if (w->sw->first_egress == N_TABLES || walk_is_leaving(w, number)) {
        struct naive_output *out = add_output(w, number, max_len);

        if (out && port->is_tunnel) {
            say_tunnel(w, &out->tun);
        }
    } else {
        walk_in_copy(w, leave, &(struct action_output) {
            .h = { .type = ACTION_OUTPUT,
                   .len = sizeof(struct action_output) },
            .port = number, .trunc = max_len });
    }
}

struct naive_output *
walk_to_controller(struct walk *w, uint16_t max_len, uint16_t id,
                   uint8_t reason)
{
    const struct port_settings *from = naive_port(w->sw, walk_in_port(w));
    struct flow flow = walk_flow(w);
    struct naive_output *out;

    if (from && from->no_packet_in
        && (reason == REASON_APPLY_ACTION ? w->origin : reason)
               == REASON_TABLE_MISS) {
        return NULL;
    }
    out = add_output(w, 0, 0);
    if (out) {
        if (max_len != OFPCML_NO_BUFFER) {
            out->len = MIN(out->len, max_len);
        }
        out->reason = reason == REASON_APPLY_ACTION ? w->origin : reason;
        out->controller_id = id;
        out->table = w->table;
        out->cookie = w->cookie;
        out->metadata = flow.metadata;
        memcpy(out->regs, flow.regs, sizeof out->regs);
    }
    return out;
}

void
walk_controller(struct walk *w, const struct action_controller *a)
{
    struct naive_output *out = walk_to_controller(
        w, a->max_len, a->controller_id, a->reason);

    if (out) {
        assert(a->userdata_len <= sizeof out->userdata);
        memcpy(out->userdata, a->userdata, a->userdata_len);
        out->userdata_len = a->userdata_len;
    }
}

/* ---- The bridge ---- */

static struct naive_station *
station(struct naive_switch *sw, struct fdb_key key)
{
    for (unsigned int i = 0; i < sw->n_stations; i++) {
        if (eth_addr_eq(sw->stations[i].key.mac, key.mac)
            && sw->stations[i].key.vid == key.vid) {
            return &sw->stations[i];
        }
    }
    return NULL;
}

struct bridged {
    uint16_t vid;
    uint32_t to;
};

/* As it is, without its tag, or with that of the VLAN: also the order in which
 * a flooded frame leaves, which those see who get copies of several. */
enum form { AS_IT_IS, UNTAGGED, TAGGED };

static enum form
form_for(struct walk *w, const struct bridged *b)
{
    const struct port_settings *out = naive_port(w->sw, b->to);
    bool untagged = out->vlan.mode == VLAN_ACCESS || !b->vid
                    || (out->vlan.mode == VLAN_NATIVE_UNTAGGED
                        && out->vlan.vid == b->vid);
    uint16_t tci = (uint16_t) walk_get(w, FIELD_VLAN_TCI);

    if (untagged) {
        return tci ? UNTAGGED : AS_IT_IS;
    }
    return tci && (tci & VLAN_VID_MASK) == b->vid ? AS_IT_IS : TAGGED;
}

static void
leave_bridge(struct walk *w, const void *aux)
{
    const struct bridged *b = aux;
    enum form form = form_for(w, b);

    if (form == UNTAGGED) {
        packet_vlan_pop(w->pkt);
    } else if (form == TAGGED && !walk_get(w, FIELD_VLAN_TCI)) {
        packet_vlan_push(w->pkt, ETH_TYPE_VLAN, b->vid);
    } else if (form == TAGGED) {
        packet_set_field(w->pkt, FIELD_VLAN_TCI, b->vid, VLAN_VID_MASK);
    }
    send(w, b->to, 0);
}

static bool
may_pass(const struct port_settings *in, const struct port_settings *out,
         uint16_t vid)
{
    return (!in || (in->number != out->number
                    && !(in->is_protected && out->is_protected)))
           && port_vlan_carries(&out->vlan, vid);
}

static void
bridge(struct walk *w)
{
    static const uint8_t reserved[5] = { 1, 0x80, 0xc2 };
    struct flow flow = walk_flow(w);
    struct eth_addr src = flow.key.eth_src, dst = flow.key.eth_dst;
    const struct port_settings *in = naive_port(w->sw, walk_in_port(w));
    uint16_t tci = be16toh(flow.key.vlan_tci), vid = tci & VLAN_VID_MASK;
    struct naive_station *s;

    if (in && in->vlan.mode == VLAN_ACCESS && vid) {
        return;
    }
    if (in && !vid && in->vlan.mode != VLAN_TRUNK) {
        vid = in->vlan.vid;
    }
    if ((in && !port_vlan_carries(&in->vlan, vid))
        || (!memcmp(dst.b, reserved, 5) && dst.b[5] < 16)
        || eth_addr_is_group(src)) {
        return;
    }

    s = station(w->sw, (struct fdb_key) { src, vid });
    if (in && !s) {
        assert(w->sw->n_stations < NAIVE_MAX_STATIONS);
        s = &w->sw->stations[w->sw->n_stations++];
        s->key = (struct fdb_key) { src, vid };
    }
    if (in) {
        s->port = in->number;
    }

    s = station(w->sw, (struct fdb_key) { dst, vid });
    for (unsigned int i = 0; i < 3 * NAIVE_MAX_PORTS; i++) {
        const struct port_settings *out = &w->sw->ports[i % NAIVE_MAX_PORTS];
        struct bridged b = { vid, out->number };
        bool known = !eth_addr_is_group(dst) && s
                     && naive_port(w->sw, s->port);

        if (out->number && may_pass(in, out, vid)
            && (known ? s->port == out->number : !out->no_flood)
            && form_for(w, &b) == i / NAIVE_MAX_PORTS) {
            walk_in_copy(w, leave_bridge, &b);
        }
    }
}

void
walk_output(struct walk *w, uint32_t port, uint32_t max_len)
{
    uint32_t in_port = walk_in_port(w);

    if (port == OFPP_IN_PORT) {
        send(w, in_port, max_len);
    } else if (port == OFPP_NORMAL) {
        bridge(w);
    } else if (port == OFPP_FLOOD || port == OFPP_ALL) {
        for (unsigned int i = 0; i < NAIVE_MAX_PORTS; i++) {
            const struct port_settings *p = &w->sw->ports[i];

            if (p->number && p->number != in_port
                && !(port == OFPP_FLOOD && p->no_flood)) {
                send(w, p->number, max_len);
            }
        }
    } else if (port == OFPP_CONTROLLER) {
        walk_to_controller(w,
                           max_len ? (uint16_t) max_len : OFPCML_NO_BUFFER,
                           0, REASON_APPLY_ACTION);
    } else if (port != in_port || walk_is_leaving(w, port)) {
        send(w, port, max_len);
    }
}
