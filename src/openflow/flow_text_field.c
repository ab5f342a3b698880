/* Actions that work on fields: set_field, load, move, push, pop, and the older
 * ones that name a field in their own name (mod_dl_src...). */
#include "openflow/flow_text.h"

#include <inttypes.h>

#include "packet/eth.h"

static struct action_set_field *
add_set_field(struct actions *actions, const struct field *field, u128 value,
              u128 mask)
{
    uint32_t at = actions->len;

    actions_add_set_field(actions, field->id, value, mask);
    return (struct action_set_field *) (void *) (actions->data + at);
}

/* set_field:VALUE[/MASK]->FIELD */
int
parse_set_field(struct flow_text *ft, const struct item *item,
                uint32_t type UNUSED, struct actions *actions)
{
    const struct field *field;
    struct span from, to;
    u128 value, mask;
    int err = flow_text_arrow(ft, item->value, &from, &to);

    err = err ? err : flow_text_writable(ft, to, &field);
    err = err ? err : flow_text_value(ft, field, from, &value, &mask);
    if (err) {
        return err;
    }
    if (mask != field_ones(field) && !(field->flags & FIELD_MASKABLE)) {
        return flow_text_fail(ft, from.s, "%s can only be set as a whole",
                              field->name);
    }
    if (field->id == FIELD_VLAN_VID && mask == field_ones(field)) {
        value |= FLOW_VLAN_PRESENT;         /* 5 is written for 0x1005 */
    }
    add_set_field(actions, field, value, mask);
    return 0;
}

int
parse_set_tunnel(struct flow_text *ft, const struct item *item,
                 uint32_t is_64, struct actions *actions)
{
    uint64_t id;
    int err = flow_text_number(ft, item->value, "set_tunnel", UINT64_MAX, &id);

    if (!err) {
        struct action_set_field *set = add_set_field(
            actions, field_by_id(FIELD_TUN_ID), id, UINT64_MAX);

        set->is_mod = true;
        set->is_64 = is_64 || id > UINT32_MAX;
    }
    return err;
}

static u128
ones(unsigned int n_bits)
{
    return n_bits == 128 ? ~(u128) 0 : ((u128) 1 << n_bits) - 1;
}

static int
want_writable(const struct flow_text *ft, struct span span,
              const struct subfield *sub)
{
    const struct field *field = field_by_id(sub->field);

    if (!(field->flags & FIELD_WRITABLE)) {
        return flow_text_fail(ft, span.s, "%s cannot be written", field->name);
    }
    return 0;
}

/* load:NUMBER->FIELD[a..b] */
int
parse_load(struct flow_text *ft, const struct item *item,
           uint32_t type UNUSED, struct actions *actions)
{
    struct span from, to;
    struct subfield dst;
    u128 value;
    int err = flow_text_arrow(ft, item->value, &from, &to);

    err = err ? err : flow_text_subfield(ft, to, &dst);
    err = err ? err : want_writable(ft, to, &dst);
    err = err ? err : flow_text_u128(ft, from, "load", &value);
    if (err) {
        return err;
    }
    if (value & ~ones(dst.n_bits)) {
        return flow_text_fail(ft, from.s, "%.*s is wider than %u bits",
                              (int) MIN(from.len, 40u), from.s, dst.n_bits);
    }
    add_set_field(actions, field_by_id(dst.field), value << dst.ofs,
                  ones(dst.n_bits) << dst.ofs)->is_load = true;
    return 0;
}

/* move:FIELD[a..b]->FIELD[c..d] */
int
parse_move(struct flow_text *ft, const struct item *item,
           uint32_t type UNUSED, struct actions *actions)
{
    struct action_move *move;
    struct subfield src, dst;
    struct span from, to;
    int err = flow_text_arrow(ft, item->value, &from, &to);

    err = err ? err : flow_text_subfield(ft, from, &src);
    err = err ? err : flow_text_subfield(ft, to, &dst);
    err = err ? err : want_writable(ft, to, &dst);
    if (err) {
        return err;
    }
    if (src.n_bits != dst.n_bits) {
        return flow_text_fail(ft, item->value.s, "move from %u bits to %u "
                              "bits", src.n_bits, dst.n_bits);
    }
    move = actions_add(actions, ACTION_MOVE, sizeof *move);
    move->src = src;
    move->dst = dst;
    return 0;
}

void
format_move(const struct action *action,
            const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_move *move = (const void *) action;

    str_add(s, "move:");
    flow_text_format_subfield(&move->src, s);
    str_add(s, "->");
    flow_text_format_subfield(&move->dst, s);
}

/* push:FIELD[a..b], pop:FIELD[a..b] */
int
parse_stack(struct flow_text *ft, const struct item *item, uint32_t type,
            struct actions *actions)
{
    struct action_stack *stack;
    struct subfield sub;
    int err = flow_text_want_value(ft, item);

    err = err ? err : flow_text_subfield(ft, item->value, &sub);
    if (!err && type == ACTION_STACK_POP) {
        err = want_writable(ft, item->value, &sub);
    }
    if (err) {
        return err;
    }
    stack = actions_add(actions, type, sizeof *stack);
    stack->sub = sub;
    return 0;
}

void
format_stack(const struct action *action,
             const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_stack *stack = (const void *) action;

    str_add(s, action->type == ACTION_STACK_PUSH ? "push:" : "pop:");
    flow_text_format_subfield(&stack->sub, s);
}

/* delete_field:FIELD, which only tunnel options can be */
int
parse_delete_field(struct flow_text *ft, const struct item *item,
                   uint32_t type UNUSED, struct actions *actions)
{
    struct action_field *out;
    const struct field *field;
    int err = flow_text_want_value(ft, item);

    err = err ? err : flow_text_writable(ft, item->value, &field);
    if (!err) {
        out = actions_add(actions, ACTION_DELETE_FIELD, sizeof *out);
        out->field = (uint16_t) field->id;
    }
    return err;
}

void
format_delete_field(const struct action *action,
                    const struct flow_text_names *names UNUSED, struct str *s)
{
    str_addf(s, "delete_field:%s",
             field_by_id(((const struct action_field *) action)->field)
                 ->name);
}

/* ---- mod_* ---- */

/* A whole field, or some bits of one with others that are always set.  The text
 * has the value shifted left by text_shift. */
static const struct mod {
    const char *word;
    enum field_id field;
    uint16_t bits;                /* 0: all */
    uint16_t extra;
    uint8_t shift;
    uint8_t text_shift;
} mods[] = {
    { "mod_dl_src", FIELD_ETH_SRC, 0, 0, 0, 0 },
    { "mod_dl_dst", FIELD_ETH_DST, 0, 0, 0, 0 },
    { "mod_vlan_vid", FIELD_VLAN_TCI, VLAN_VID_MASK, FLOW_VLAN_PRESENT, 0, 0 },
    { "mod_vlan_pcp", FIELD_VLAN_TCI, 7 << VLAN_PCP_SHIFT, FLOW_VLAN_PRESENT,
      VLAN_PCP_SHIFT, 0 },
    { "mod_nw_src", FIELD_IPV4_SRC, 0, 0, 0, 0 },
    { "mod_nw_dst", FIELD_IPV4_DST, 0, 0, 0, 0 },
    { "mod_nw_tos", FIELD_IP_DSCP, 0, 0, 0, 2 },
    { "mod_nw_ecn", FIELD_IP_ECN, 0, 0, 0, 0 },
    { "mod_nw_ttl", FIELD_IP_TTL, 0, 0, 0, 0 },
    { "mod_tp_src", FIELD_TCP_SRC, 0, 0, 0, 0 },
    { "mod_tp_dst", FIELD_TCP_DST, 0, 0, 0, 0 },
    { "set_mpls_label", FIELD_MPLS_LABEL, 0, 0, 0, 0 },
    { "set_mpls_tc", FIELD_MPLS_TC, 0, 0, 0, 0 },
    { "set_mpls_ttl", FIELD_MPLS_TTL, 0, 0, 0, 0 },
};

static u128
mod_mask(const struct mod *mod)
{
    return mod->bits ? mod->bits | mod->extra
                     : field_ones(field_by_id(mod->field));
}

static int
parse_mod(const struct flow_text *ft, const struct item *item,
          const struct mod *mod, struct actions *actions)
{
    const struct field *field = field_by_id(mod->field);
    u128 value, mask = mod_mask(mod);
    uint64_t number;
    int err = flow_text_want_value(ft, item);

    if (err) {
        return err;
    }
    if (field->format == FORMAT_ETH || field->format == FORMAT_IPV4) {
        err = flow_text_value(ft, field, item->value, &value, &mask);
        if (!err && mask != field_ones(field)) {
            return flow_text_fail(ft, item->value.s, "%s takes no mask",
                                  mod->word);
        }
    } else {
        uint64_t max = (uint64_t) ((mask & ~(u128) mod->extra) >> mod->shift)
                       << mod->text_shift;

        err = flow_text_number(ft, item->value, mod->word, max, &number);
        if (!err && number & ((1u << mod->text_shift) - 1)) {
            return flow_text_fail(ft, item->value.s, "%s is a multiple of %u",
                                  mod->word, 1u << mod->text_shift);
        }
        value = err ? 0 : (number >> mod->text_shift << mod->shift)
                          | mod->extra;
    }
    if (!err) {
        add_set_field(actions, field, value, mask)->is_mod = true;
    }
    return err;
}

int
mod_text_item(const struct flow_text *ft, const struct item *item,
              struct actions *actions)
{
    for (size_t i = 0; i < ARRAY_SIZE(mods); i++) {
        if (span_is_nocase(item->word, mods[i].word)) {
            int err = parse_mod(ft, item, &mods[i], actions);

            return err ? err : 1;
        }
    }
    return 0;
}

size_t
mod_text_words(const char **words, size_t max)
{
    size_t n = MIN(max, ARRAY_SIZE(mods));

    for (size_t i = 0; i < n; i++) {
        words[i] = mods[i].word;
    }
    return n;
}

static bool
format_mod(const struct action_set_field *set, struct str *s)
{
    const struct field *field = field_by_id(set->field);

    if (field->id == FIELD_TUN_ID && set->mask[0] == UINT64_MAX) {
        str_addf(s, "set_tunnel%s:0x%" PRIx64, set->is_64 ? "64" : "",
                 set->value[0]);
        return true;
    }

    for (size_t i = 0; i < ARRAY_SIZE(mods); i++) {
        const struct mod *mod = &mods[i];
        u128 value = action_u128(set->value);

        if (mod->field != set->field || mod_mask(mod) != action_u128(set->mask)
            || (value & mod->extra) != mod->extra) {
            continue;
        }
        str_addf(s, "%s:", mod->word);
        if (field->format == FORMAT_ETH || field->format == FORMAT_IPV4) {
            field_format(field, value, field_ones(field), s);
        } else {
            value &= ~(u128) mod->extra;
            str_addf(s, "%u", (unsigned int) (value >> mod->shift)
                              << mod->text_shift);
        }
        return true;
    }
    return false;
}

/* ---- Format of set_field in its three spellings ---- */

/* A load covers one run of bits. */
static bool
format_load(const struct action_set_field *set, struct str *s)
{
    u128 value = action_u128(set->value), mask = action_u128(set->mask);
    struct subfield dst = { .field = set->field };
    uint64_t high;

    for (; mask && !(mask & 1); mask >>= 1, value >>= 1) {
        dst.ofs++;
    }
    for (; mask & 1; mask >>= 1) {
        dst.n_bits++;
    }
    if (mask || !dst.n_bits) {
        return false;
    }
    high = (uint64_t) (value >> 64);
    if (high) {
        str_addf(s, "load:0x%llx%016llx->", (unsigned long long) high,
                 (unsigned long long) value);
    } else {
        str_addf(s, "load:0x%llx->", (unsigned long long) value);
    }
    flow_text_format_subfield(&dst, s);
    return true;
}

const char *
flow_text_field_name(const struct field *field)
{
    switch (field->id) {
    case FIELD_ETH_DST: case FIELD_ETH_SRC: case FIELD_IPV4_SRC:
    case FIELD_IPV4_DST:
        return field->alias;
    default:
        return field->name;
    }
}

void
format_set_field(const struct action *action,
                 const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_set_field *set = (const void *) action;
    const struct field *field = field_by_id(set->field);

    if ((set->is_load && format_load(set, s))
        || (set->is_mod && format_mod(set, s))) {
        return;
    }
    str_add(s, "set_field:");
    field_format(field, action_u128(set->value), action_u128(set->mask), s);
    str_addf(s, "->%s", flow_text_field_name(field));
}
