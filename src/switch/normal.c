#include "switch/normal.h"

#include <inttypes.h>

#include "packet/eth.h"
#include "switch/port_hold.h"
#include "switch/translate_ctx.h"

/* How a frame stands in its VLAN: what the tag says, as it came. */
struct frame {
    const struct port_settings *in;     /* NULL: a packet-out */
    struct eth_addr src, dst;
    bool is_tagged;                     /* has a tag, perhaps with VID 0 */
    uint16_t tag_vid;
    uint16_t vid;                       /* of the VLAN; 0: none */
};

#define MAC_FORMAT "%02x:%02x:%02x:%02x:%02x:%02x"
#define MAC_BYTES(MAC)                                                       \
    (MAC).b[0], (MAC).b[1], (MAC).b[2], (MAC).b[3], (MAC).b[4], (MAC).b[5]

static struct eth_addr
mac_of(u128 value)
{
    struct eth_addr mac;

    for (int i = 5; i >= 0; i--, value >>= 8) {
        mac.b[i] = (uint8_t) value;
    }
    return mac;
}

static void
read_frame(struct translation *t, struct frame *f)
{
    struct flow_view *v = &t->view;
    uint16_t tci = (uint16_t) flow_view_get_bits(
        v, &t->looks, FIELD_VLAN_TCI, FLOW_VLAN_PRESENT | VLAN_VID_MASK);

    f->in = port_map_find(t->ports, flow_view_in_port(v));
    f->src = mac_of(flow_view_get(v, &t->looks, FIELD_ETH_SRC));
    f->dst = mac_of(flow_view_get(v, &t->looks, FIELD_ETH_DST));
    f->is_tagged = tci & FLOW_VLAN_PRESENT;
    f->tag_vid = tci & VLAN_VID_MASK;
}

/* The VLAN that the port puts the frame into; false when it takes no such
 * frames.  A tag with VID 0 only carries a priority (802.1Q section 6.9.1). */
static bool
classify(struct translation *t, struct frame *f)
{
    const struct port_vlan *vlan = f->in ? &f->in->vlan : NULL;

    f->vid = f->tag_vid;
    if (!vlan) {
        return true;
    }
    if (!f->tag_vid && vlan->mode != VLAN_TRUNK) {
        f->vid = vlan->vid;
    }
    if (vlan->mode == VLAN_ACCESS && f->tag_vid) {
        DROP(t, DROP_VLAN, "dropped: a frame of VLAN %u on access port %s",
             f->tag_vid, f->in->name);
        return false;
    }
    if (!port_vlan_carries(vlan, f->vid)) {
        DROP(t, DROP_VLAN, "dropped: port %s does not carry VLAN %u",
             f->in->name, f->vid);
        return false;
    }
    return true;
}

/* 01:80:c2:00:00:00 to :0f: for the bridge itself (802.1Q table 8-1). */
static bool
is_reserved(struct eth_addr mac)
{
    static const uint8_t prefix[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

    return !memcmp(mac.b, prefix, sizeof prefix) && mac.b[5] <= 0x0f;
}

static bool
admit(struct translation *t, struct frame *f)
{
    if (!classify(t, f)) {
        return false;
    }
    if (is_reserved(f->dst)) {
        DROP(t, DROP_RESERVED_MAC, "dropped: " MAC_FORMAT " is for the next "
             "bridge only", MAC_BYTES(f->dst));
        return false;
    }
    if (eth_addr_is_group(f->src)) {
        DROP(t, DROP_SRC_GROUP_MAC, "dropped: the source " MAC_FORMAT
             " is a group address", MAC_BYTES(f->src));
        return false;
    }
    return true;
}

static void
learn(struct translation *t, const struct frame *f)
{
    struct fdb_key key = { f->src, f->vid };
    struct fdb *fdb = t->env->fdb;
    uint32_t generation = fdb_generation(fdb);
    uint32_t port;

    if (!f->in) {
        return;
    }
    if (t->opt->no_effects) {
        port = port_number(fdb_lookup(fdb, key));
        SAY(t, "vlan %u, source " MAC_FORMAT " %s port %s (%s)",
            f->vid, MAC_BYTES(f->src),
            port == f->in->number ? "is known behind"
            : port ? "would move to" : "would be learned behind",
            f->in->name, port_number_text(f->in->number).text);
        return;
    }
    switch (fdb_learn(fdb, key, port_id(f->in->number), t->opt->now)) {
    case FDB_LEARNED:
        SAY(t, "vlan %u, source " MAC_FORMAT " learned behind port %s",
            f->vid, MAC_BYTES(f->src), f->in->name);
        break;
    case FDB_MOVED:
        /* So that each frame of a loop is counted. */
        t->up->no_cache = true;
        SAY(t, "vlan %u, source " MAC_FORMAT " moved to port %s", f->vid,
            MAC_BYTES(f->src), f->in->name);
        break;
    case FDB_REFUSED:
        SAY(t, "vlan %u, source " MAC_FORMAT " not learned: the table is full",
            f->vid, MAC_BYTES(f->src));
        break;
    case FDB_UNSETTLED:
        t->up->no_cache = true;
        break;
    case FDB_KNOWN:
        break;
    }
    credit_list_add_station(t->credits, key, port_id(f->in->number),
                            generation);
}

/* ---- Sending ---- */

/* The tag that the frame leaves by this port with; 0: none. */
static uint16_t
egress_vid(const struct port_settings *out, uint16_t vid)
{
    if (out->vlan.mode == VLAN_ACCESS
        || (out->vlan.mode == VLAN_NATIVE_UNTAGGED && vid == out->vlan.vid)) {
        return 0;
    }
    return vid;
}

/* May the frame leave by this port at all?  Otherwise the reason. */
static bool
may_leave(const struct translation *t, const struct frame *f,
          const struct port_settings *out, enum drop_reason *reason)
{
    if (f->in && out->number == f->in->number) {
        *reason = DROP_SAME_PORT;
    } else if (!port_vlan_carries(&out->vlan, f->vid)) {
        *reason = DROP_VLAN;
    } else if (f->in && f->in->is_protected && out->is_protected) {
        *reason = DROP_PROTECTED;
    } else if (port_holds_has(t->env->holds, port_id(out->number))) {
        *reason = DROP_PORT_HELD;
    } else if (out->no_fwd || out->admin_down) {
        *reason = DROP_PORT_BLOCKED;
    } else {
        return true;
    }
    return false;
}

/* The forms in which a frame can leave. */
enum form {
    FORM_AS_IT_IS,
    FORM_UNTAGGED,
    FORM_TAGGED,                  /* with the VLAN's VID */
    N_FORMS
};

static enum form
form_for(const struct frame *f, const struct port_settings *out)
{
    uint16_t vid = egress_vid(out, f->vid);

    if (vid) {
        return f->is_tagged && f->tag_vid == vid ? FORM_AS_IT_IS
                                                 : FORM_TAGGED;
    }
    return f->is_tagged ? FORM_UNTAGGED : FORM_AS_IT_IS;
}

static void
make_form(struct translation *t, const struct frame *f, enum form form)
{
    if (form == FORM_UNTAGGED) {
        translate_emit(t, DP_ACTION_POP_VLAN, sizeof(struct dp_action_plain));
        flow_view_pop_vlan(&t->view, &t->looks);
    } else if (form == FORM_TAGGED && f->is_tagged) {
        /* The priority stays. */
        struct dp_action_set_field *set
            = translate_emit(t, DP_ACTION_SET_FIELD, sizeof *set);

        set->field = FIELD_VLAN_TCI;
        set->value[0] = f->vid;
        set->mask[0] = VLAN_VID_MASK;
        flow_view_set(&t->view, &t->looks, FIELD_VLAN_TCI, f->vid,
                      VLAN_VID_MASK);
    } else if (form == FORM_TAGGED) {
        struct dp_action_push_vlan *push
            = translate_emit(t, DP_ACTION_PUSH_VLAN, sizeof *push);

        push->tpid = ETH_TYPE_VLAN;
        push->tci = f->vid;
        flow_view_push_vlan(&t->view, &t->looks, ETH_TYPE_VLAN, f->vid);
    }
}

/* One form of the frame, to one port or to all that flooding reaches. */
struct sending {
    const struct frame *frame;
    const struct port_settings *to;     /* NULL: flood */
    enum form form;
};

static bool
floods_to(const struct translation *t, const struct frame *f,
          const struct port_settings *out)
{
    enum drop_reason reason;

    return !out->no_flood && may_leave(t, f, out, &reason);
}

static void
send_form(struct translation *t, const void *aux)
{
    const struct sending *s = aux;

    make_form(t, s->frame, s->form);
    if (s->to) {
        translate_send(t, s->to, 0);
        return;
    }
    PORT_MAP_FOR_EACH (out, t->ports) {
        if (form_for(s->frame, out) == s->form
            && floods_to(t, s->frame, out)) {
            translate_send(t, out, 0);
        }
    }
}

static void
forward(struct translation *t, const struct frame *f,
        const struct port_settings *out)
{
    struct sending s = { f, out, form_for(f, out) };
    enum drop_reason reason;

    if (!may_leave(t, f, out, &reason)) {
        DROP(t, reason, "dropped: %s", drop_reason_text(reason));
    } else {
        translate_in_clone(t, send_form, &s);
    }
}

static void
flood(struct translation *t, const struct frame *f)
{
    unsigned int n[N_FORMS] = { 0 }, n_all = 0;

    PORT_MAP_FOR_EACH (out, t->ports) {
        if (floods_to(t, f, out)) {
            SAY(t, "to port %s", out->name);
            n[form_for(f, out)]++;
            n_all++;
        }
    }
    if (!n_all) {
        DROP(t, DROP_NO_OUTPUT, "dropped: no other port carries VLAN %u",
             f->vid);
    }
    for (enum form form = 0; form < N_FORMS; form++) {
        struct sending s = { f, NULL, form };

        if (n[form]) {
            translate_in_clone(t, send_form, &s);
        }
    }
}

void
normal_translate(struct translation *t)
{
    const struct port_settings *out;
    struct frame f;
    uint32_t number;

    read_frame(t, &f);
    if (!admit(t, &f)) {
        return;
    }

    /* From here on the answer depends on who is behind which port. */
    t->up->tables[TABLE_OF_NORMAL / 64]
        |= UINT64_C(1) << (TABLE_OF_NORMAL % 64);
    flow_view_asked(&t->view, &t->looks);
    if (f.in && port_holds_has(t->env->holds, port_id(f.in->number))) {
        DROP(t, DROP_PORT_HELD, "dropped: port %s is held, a station kept "
             "moving to it and away", f.in->name);
        return;
    }
    learn(t, &f);
    if (f.in && port_holds_has(t->env->holds, port_id(f.in->number))) {
        DROP(t, DROP_PORT_HELD, "dropped: port %s is held from now on",
             f.in->name);
        return;
    }

    if (eth_addr_is_group(f.dst)) {
        SAY(t, "vlan %u, destination " MAC_FORMAT " is a group: flooding",
            f.vid, MAC_BYTES(f.dst));
        flood(t, &f);
        return;
    }
    number = port_number(fdb_lookup(t->env->fdb,
                                    (struct fdb_key) { f.dst, f.vid }));
    out = port_map_find(t->ports, number);
    if (!out) {
        SAY(t, "vlan %u, destination " MAC_FORMAT " is unknown: flooding",
            f.vid, MAC_BYTES(f.dst));
        flood(t, &f);
        return;
    }
    SAY(t, "vlan %u, destination " MAC_FORMAT " is behind port %s (%s)", f.vid,
        MAC_BYTES(f.dst), out->name, port_number_text(number).text);
    forward(t, &f, out);
}
