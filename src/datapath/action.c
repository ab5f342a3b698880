#include "datapath/action.h"

#include <stdlib.h>

void
dp_actions_fini(struct dp_actions *actions)
{
    free(actions->data);
    *actions = (struct dp_actions) { 0 };
}

void *
dp_actions_add(struct dp_actions *actions, enum dp_action_type type,
               size_t len)
{
    struct dp_action *a;

    len = (len + 7) / 8 * 8;
    if (actions->too_long || actions->len + len > DP_ACTIONS_MAX_LEN) {
        actions->too_long = true;
        return NULL;
    }
    if (actions->len + len > actions->size) {
        actions->size = MAX(actions->size * 2, 256u);
        actions->data = xrealloc(actions->data, actions->size);
    }
    a = (struct dp_action *) (actions->data + actions->len);
    memset(a, 0, len);
    a->type = (uint16_t) type;
    a->len = (uint16_t) len;
    actions->len += (uint32_t) len;
    return a;
}

static_assert(sizeof(struct dp_action_clone) == sizeof(struct dp_action_ttl),
              "actions with nested ones: revisit dp_actions_begin()");

uint32_t
dp_actions_begin(struct dp_actions *actions, enum dp_action_type type)
{
    uint32_t mark = actions->len;

    dp_actions_add(actions, type, sizeof(struct dp_action_clone));
    return mark;
}

void
dp_actions_end(struct dp_actions *actions, uint32_t mark)
{
    if (!actions->too_long) {
        struct dp_action *a = (struct dp_action *) (actions->data + mark);

        a->len = (uint16_t) (actions->len - mark);
    }
}

struct dp_action_list
dp_actions_list(const struct dp_actions *actions)
{
    return (struct dp_action_list) { (const void *) actions->data,
                                     actions->len };
}

struct dp_action_list
dp_action_nested(const struct dp_action *outer)
{
    const struct dp_action_clone *c = (const void *) outer;

    return (struct dp_action_list) { (const void *) (c + 1),
                                     c->h.len - (uint32_t) sizeof *c };
}

/* ---- Text ---- */

struct names {
    const char *(*port)(void *aux, uint32_t id);
    void *aux;
};

static void format_list(struct dp_action_list, const struct names *,
                        struct str *);

static void
format_set_field(const struct dp_action_set_field *a, struct str *s)
{
    const struct field *f = field_by_id((enum field_id) a->field);

    str_addf(s, "set_field(%s=", f->name);
    field_format(f, (u128) a->value[1] << 64 | a->value[0],
                 (u128) a->mask[1] << 64 | a->mask[0], s);
    str_add_char(s, ')');
}

static void
format_action(const struct dp_action *a, const struct names *names,
              struct str *s)
{
    switch ((enum dp_action_type) a->type) {
    case DP_ACTION_OUTPUT: {
        const struct dp_action_output *o = (const void *) a;
        const char *name = names->port ? names->port(names->aux, o->port)
                                       : NULL;

        if (name) {
            str_addf(s, "output(%s)", name);
        } else {
            str_addf(s, "output(%u)", o->port);
        }
        return;
    }
    case DP_ACTION_SET_FIELD:
        format_set_field((const void *) a, s);
        return;
    case DP_ACTION_PUSH_VLAN: {
        const struct dp_action_push_vlan *v = (const void *) a;

        str_addf(s, "push_vlan(vid=%u,pcp=%u", v->tci & 0xfff, v->tci >> 13);
        if (v->tpid != 0x8100) {
            str_addf(s, ",tpid=0x%04x", v->tpid);
        }
        str_add_char(s, ')');
        return;
    }
    case DP_ACTION_PUSH_MPLS: {
        const struct dp_action_mpls *m = (const void *) a;

        str_addf(s, "push_mpls(0x%04x,label=%u,tc=%u,ttl=%u,bos=%u)",
                 m->eth_type, m->lse >> 12, m->lse >> 9 & 7, m->lse & 0xff,
                 m->lse >> 8 & 1);
        return;
    }
    case DP_ACTION_POP_MPLS: {
        const struct dp_action_mpls *m = (const void *) a;

        str_addf(s, "pop_mpls(0x%04x)", m->eth_type);
        return;
    }
    case DP_ACTION_TRUNC: {
        const struct dp_action_trunc *t = (const void *) a;

        str_addf(s, "trunc(%u)", t->max_len);
        return;
    }
    case DP_ACTION_CLONE:
        str_add(s, "clone(");
        format_list(dp_action_nested(a), names, s);
        str_add_char(s, ')');
        return;
    case DP_ACTION_METER: {
        const struct dp_action_meter *m = (const void *) a;

        str_addf(s, "meter(%u)", m->meter);
        return;
    }
    case DP_ACTION_CONTROLLER: {
        const struct dp_action_controller *c = (const void *) a;

        str_addf(s, "controller(max_len=%u,reason=%u)", c->max_len,
                 c->reason);
        return;
    }
    case DP_ACTION_RECIRC: {
        const struct dp_action_recirc *r = (const void *) a;

        str_addf(s, "recirc(%u)", r->id);
        return;
    }
    case DP_ACTION_RECIRC_BY_LEN: {
        const struct dp_action_recirc_by_len *r = (const void *) a;

        str_addf(s, "recirc_by_len(longer than %u: pass %u, "
                 "else pass %u)", r->max_len,
                 r->id_longer, r->id);
        return;
    }
    case DP_ACTION_SAMPLE: {
        const struct dp_action_sample *p = (const void *) a;

        str_addf(s, "sample(%u/65535)", p->probability);
        return;
    }
    case DP_ACTION_DROP: {
        const struct dp_action_drop *d = (const void *) a;

        str_addf(s, "drop(%s)",
                 drop_reason_name((enum drop_reason) d->reason));
        return;
    }
    case DP_ACTION_POP_VLAN: str_add(s, "pop_vlan"); return;
    case DP_ACTION_DEC_TTL: str_add(s, "dec_ttl"); return;
    case DP_ACTION_DEC_MPLS_TTL: str_add(s, "dec_mpls_ttl"); return;
    case DP_ACTION_COPY_TTL_OUT: str_add(s, "copy_ttl_out"); return;
    case DP_ACTION_COPY_TTL_IN: str_add(s, "copy_ttl_in"); return;
    case N_DP_ACTIONS: break;
    }
}

static void
format_list(struct dp_action_list list, const struct names *names,
            struct str *s)
{
    const char *separator = "";

    DP_ACTION_FOR_EACH (a, &list) {
        str_add(s, separator);
        format_action(a, names, s);
        separator = ",";
    }
    if (!list.len) {
        str_add(s, "drop");
    }
}

void
dp_action_list_format(struct dp_action_list list,
                      const char *(*port_name)(void *aux, uint32_t id),
                      void *aux, struct str *s)
{
    struct names names = { port_name, aux };

    format_list(list, &names, s);
}
