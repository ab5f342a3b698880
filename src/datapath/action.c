#include "datapath/action.h"

#include <stdlib.h>

#include "packet/address.h"
#include "packet/eth.h"

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
    uint32_t len = actions->len - mark;

    if (len > UINT16_MAX) {
        actions->too_long = true;
    }
    if (!actions->too_long) {
        struct dp_action *a = (struct dp_action *) (actions->data + mark);

        a->len = (uint16_t) len;
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
format_output(const struct dp_action *action, const struct names *names,
              struct str *s)
{
    const struct dp_action_output *a = (const void *) action;
    const char *name = names->port ? names->port(names->aux, a->port) : NULL;

    if (name) {
        str_addf(s, "(%s)", name);
    } else {
        str_addf(s, "(%u)", a->port);
    }
}

static void
format_set_field(const struct dp_action *action,
                 const struct names *names UNUSED, struct str *s)
{
    const struct dp_action_set_field *a = (const void *) action;
    const struct field *f = field_by_id((enum field_id) a->field);

    str_addf(s, "(%s=", f->name);
    field_format(f, (u128) a->value[1] << 64 | a->value[0],
                 (u128) a->mask[1] << 64 | a->mask[0], s);
    str_add_char(s, ')');
}

static void
format_set_tunnel(const struct dp_action *action,
                  const struct names *names UNUSED, struct str *s)
{
    str_add_char(s, '(');
    tunnel_key_format(&((const struct dp_action_set_tunnel *) action)->key,
                      s);
    str_add_char(s, ')');
}

static void
format_push_vlan(const struct dp_action *action,
                 const struct names *names UNUSED, struct str *s)
{
    const struct dp_action_push_vlan *a = (const void *) action;

    str_addf(s, "(vid=%u,pcp=%u", a->tci & 0xfff, a->tci >> 13);
    if (a->tpid != 0x8100) {
        str_addf(s, ",tpid=0x%04x", a->tpid);
    }
    str_add_char(s, ')');
}

static void
format_push_mpls(const struct dp_action *action,
                 const struct names *names UNUSED, struct str *s)
{
    const struct dp_action_mpls *a = (const void *) action;

    str_addf(s, "(0x%04x,label=%u,tc=%u,ttl=%u,bos=%u)", a->eth_type,
             a->lse >> 12, a->lse >> 9 & 7, a->lse & 0xff, a->lse >> 8 & 1);
}

static void
format_pop_mpls(const struct dp_action *action,
                const struct names *names UNUSED, struct str *s)
{
    str_addf(s, "(0x%04x)", ((const struct dp_action_mpls *) action)->eth_type);
}

static void
format_push_pbb(const struct dp_action *action,
                const struct names *names UNUSED, struct str *s)
{
    const struct dp_action_pbb *a = (const void *) action;

    str_addf(s, "(isid=0x%x,pcp=%u)", a->tci & PBB_ISID_MASK,
             a->tci >> PBB_PCP_SHIFT);
}

static void
format_trunc(const struct dp_action *action,
             const struct names *names UNUSED, struct str *s)
{
    str_addf(s, "(%u)", ((const struct dp_action_trunc *) action)->max_len);
}

static void
format_clone(const struct dp_action *action, const struct names *names,
             struct str *s)
{
    str_add_char(s, '(');
    format_list(dp_action_nested(action), names, s);
    str_add_char(s, ')');
}

static void
format_meter(const struct dp_action *action,
             const struct names *names UNUSED, struct str *s)
{
    str_addf(s, "(%u)", ((const struct dp_action_meter *) action)->meter);
}

static void
format_controller(const struct dp_action *action,
                  const struct names *names UNUSED, struct str *s)
{
    const struct dp_action_controller *a = (const void *) action;

    str_addf(s, "(max_len=%u,reason=%u)", a->max_len, a->reason);
}

static void
format_recirc(const struct dp_action *action,
              const struct names *names UNUSED, struct str *s)
{
    str_addf(s, "(%u)", ((const struct dp_action_recirc *) action)->id);
}

static void
format_recirc_by_len(const struct dp_action *action,
                     const struct names *names UNUSED, struct str *s)
{
    const struct dp_action_recirc_by_len *a = (const void *) action;

    str_addf(s, "(longer than %u: pass %u, else pass %u)", a->max_len,
             a->id_longer, a->id);
}

static void
format_sample(const struct dp_action *action,
              const struct names *names UNUSED, struct str *s)
{
    const struct dp_action_sample *a = (const void *) action;

    str_addf(s, "(%u/65535)", a->probability);
}

static void
format_label(const struct ct_request *r, struct str *s)
{
    const struct field *f = field_by_id(FIELD_CT_LABEL);
    struct flow value = { .w = { 0 } }, mask = { .w = { 0 } };

    value.key.ct_label = r->label;
    mask.key.ct_label = r->label_mask;
    if (field_get(f, &mask)) {
        str_add(s, ",label=");
        field_format(f, field_get(f, &value), field_get(f, &mask), s);
    }
}

static void
format_nat_address(const struct ct_nat *nat, const struct ip6_addr *addr,
                   struct str *s)
{
    char text[ADDRESS_TEXT_SIZE];

    if (nat->family == 4) {
        str_add(s, ip4_format(get_be32(addr->b), text));
    } else {
        str_addf(s, "[%s]", ip6_format(*addr, text));
    }
}

static void
format_nat(const struct ct_nat *nat, struct str *s)
{
    if (nat->kind == CT_NAT_EXISTING) {
        return;
    }
    str_add(s, nat->kind == CT_NAT_SRC ? "(src" : "(dst");
    if (nat->family) {
        str_add_char(s, '=');
        format_nat_address(nat, &nat->min, s);
        if (memcmp(&nat->min, &nat->max, sizeof nat->min)) {
            str_add_char(s, '-');
            format_nat_address(nat, &nat->max, s);
        }
    }
    if (nat->has_ports) {
        str_addf(s, ":%u-%u", nat->port_min, nat->port_max);
    }
    str_add_char(s, ')');
}

static void
format_ct(const struct dp_action *action, const struct names *names UNUSED,
          struct str *s)
{
    const struct ct_request *r
        = &((const struct dp_action_ct *) action)->request;

    str_addf(s, "(%szone=%u", !r->commit ? "" : r->force ? "force,commit,"
                                                         : "commit,",
             r->zone);
    if (r->mark_mask) {
        str_addf(s, ",mark=0x%x/0x%x", r->mark, r->mark_mask);
    }
    format_label(r, s);
    if (r->nat.kind) {
        str_add(s, ",nat");
        format_nat(&r->nat, s);
    }
    str_add_char(s, ')');
}

static void
format_drop(const struct dp_action *action,
            const struct names *names UNUSED, struct str *s)
{
    const struct dp_action_drop *a = (const void *) action;

    str_addf(s, "(%s)", drop_reason_name((enum drop_reason) a->reason));
}

static const char *const names_of_types[N_DP_ACTIONS] = {
#define X(ID, NAME, STRUCT) [DP_ACTION_##ID] = NAME,
    DP_ACTIONS(X)
#undef X
};

/* Adds what stands behind the name. */
typedef void format_details(const struct dp_action *, const struct names *,
                            struct str *);

static format_details *const details[N_DP_ACTIONS] = {
    [DP_ACTION_OUTPUT] = format_output,
    [DP_ACTION_SET_FIELD] = format_set_field,
    [DP_ACTION_SET_TUNNEL] = format_set_tunnel,
    [DP_ACTION_PUSH_VLAN] = format_push_vlan,
    [DP_ACTION_PUSH_MPLS] = format_push_mpls,
    [DP_ACTION_POP_MPLS] = format_pop_mpls,
    [DP_ACTION_PUSH_PBB] = format_push_pbb,
    [DP_ACTION_TRUNC] = format_trunc,
    [DP_ACTION_CLONE] = format_clone,
    [DP_ACTION_METER] = format_meter,
    [DP_ACTION_CONTROLLER] = format_controller,
    [DP_ACTION_RECIRC] = format_recirc,
    [DP_ACTION_RECIRC_BY_LEN] = format_recirc_by_len,
    [DP_ACTION_SAMPLE] = format_sample,
    [DP_ACTION_CT] = format_ct,
    [DP_ACTION_DROP] = format_drop,
};

static void
format_action(const struct dp_action *a, const struct names *names,
              struct str *s)
{
    str_add(s, names_of_types[a->type]);
    if (details[a->type]) {
        details[a->type](a, names, s);
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
