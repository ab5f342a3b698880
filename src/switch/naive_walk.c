/* What a packet on its way through the naive switch carries. */
#include "switch/naive_walk.h"

#include "packet/edit.h"
#include "packet/eth.h"
#include "switch/action_set.h"

bool
walk_is_stopped(const struct walk *w)
{
    return w->is_dead || w->exit;
}

struct flow
walk_flow(struct walk *w)
{
    struct flow_key key;
    struct flow flow;

    flow_key_extract(w->pkt, &key);
    if (w->pkt->tun.family) {
        tunnel_key_extract_options(&w->pkt->tun, &w->sw->options, &key);
    }
    port_map_flow(&flow, &key);
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        flow.w[i] = (flow.w[i] & ~w->written.w[i])
                    | (w->extra.w[i] & w->written.w[i]);
    }
    flow.actset_output = htobe32(action_set_output(actions_list(&w->set)));
    return flow;
}

u128
walk_get(struct walk *w, enum field_id id)
{
    struct flow flow = walk_flow(w);

    return field_get(field_by_id(id), &flow);
}

bool
walk_has(struct walk *w, enum field_id id)
{
    struct flow flow = walk_flow(w);

    return field_prereq_met(field_by_id(id), &flow);
}

uint32_t
walk_in_port(struct walk *w)
{
    return (uint32_t) walk_get(w, FIELD_IN_PORT);
}

/* ---- Copies ---- */

void
walk_in_copy(struct walk *w, void (*body)(struct walk *, const void *),
             const void *aux)
{
    struct walk copy = *w;

    if (w->is_dead || w->exit) {
        return;
    }
    copy.pkt = packet_clone(w->sw->pool, w->pkt);
    copy.set = (struct actions) { 0 };
    copy.is_copy = true;
    body(&copy, aux);
    actions_fini(&copy.set);
    packet_free(copy.pkt);
}

/* ---- Fields ---- */

void
walk_edit(struct walk *w, bool done)
{
    w->is_dead |= !done;
}

void
walk_set_vlan(struct walk *w, uint16_t tci, uint16_t mask)
{
    bool is_tagged = walk_get(w, FIELD_VLAN_TCI);

    if (mask & FLOW_VLAN_PRESENT && !(tci & FLOW_VLAN_PRESENT)) {
        if (is_tagged) {
            walk_edit(w, packet_vlan_pop(w->pkt));
        }
    } else if (is_tagged) {
        walk_edit(w, packet_set_field(w->pkt, FIELD_VLAN_TCI,
                                      tci & mask & 0xefff, mask & 0xefff));
    } else if (mask & FLOW_VLAN_PRESENT) {
        walk_edit(w, packet_vlan_push(w->pkt, ETH_TYPE_VLAN,
                                      tci & mask & 0xefff));
    }
}

void
walk_set(struct walk *w, enum field_id id, u128 value, u128 mask)
{
    const struct field *field = field_by_id(id);

    value &= mask;
    if (id == FIELD_VLAN_TCI || id == FIELD_VLAN_VID) {
        walk_set_vlan(w, (uint16_t) value, (uint16_t) mask);
    } else if (!walk_has(w, id)) {
        return;
    } else if (field->flags & FIELD_WIRE) {
        walk_edit(w, packet_set_field(w->pkt, id, value, mask));
    } else {
        field_set(field, &w->extra, value, mask);
        field_set(field, &w->written, mask, mask);
        if (field_tun_family(field)) {
            w->extra.key.tun_family = field_tun_family(field);
            w->written.key.tun_family = UINT8_MAX;
        }
    }
}

static u128
ones(unsigned int n)
{
    return n == 128 ? ~(u128) 0 : ((u128) 1 << n) - 1;
}

u128
walk_get_sub(struct walk *w, const struct subfield *sub)
{
    return walk_get(w, sub->field) >> sub->ofs & ones(sub->n_bits);
}

void
walk_set_sub(struct walk *w, const struct subfield *sub, u128 value)
{
    walk_set(w, sub->field, value << sub->ofs, ones(sub->n_bits) << sub->ofs);
}
