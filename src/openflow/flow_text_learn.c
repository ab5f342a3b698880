/* The action "learn": entries that packets make. */
#include "openflow/flow_text.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_SPECS = (ACTION_MAX_LEN - sizeof(struct action_learn))
                   / sizeof(struct learn_spec) };

/* One learn(...) while it is read. */
struct learn_text {
    struct learn_spec *specs;     /* head.n_specs of them */
    struct action_learn head;
};

static u128
ones(unsigned int n_bits)
{
    return n_bits == 128 ? ~(u128) 0 : ((u128) 1 << n_bits) - 1;
}

/* A source that is not a value is a field by its name. */
static bool
names_field(struct span span)
{
    const char *bracket = memchr(span.s, '[', span.len);

    if (bracket) {
        span.len = (size_t) (bracket - span.s);
    }
    return flow_text_field(span) != NULL;
}

static void
set_value(struct learn_spec *spec, u128 value)
{
    spec->is_immediate = true;
    spec->value[0] = (uint64_t) value;
    spec->value[1] = (uint64_t) (value >> 64);
}

/* A number, or what the field's values look like if it is the whole field. */
static int
parse_immediate(const struct flow_text *ft, struct span span,
                struct learn_spec *spec, bool as_field)
{
    const struct field *field = field_by_id(spec->dst.field);
    u128 value, mask = field_ones(field);
    int err = as_field ? flow_text_value(ft, field, span, &value, &mask)
              : flow_text_u128(ft, span, "learn", &value);

    if (err) {
        return err;
    }
    if (mask != field_ones(field)) {
        return flow_text_fail(ft, span.s, "learn takes no masks");
    }
    if (spec->dst.n_bits < field->n_bits && field->format == FORMAT_PORT) {
        value &= value >= OFPP_MAX ? 0xffff : ~(u128) 0;
    }
    if (value & ~ones(spec->dst.n_bits)) {
        return flow_text_fail(ft, span.s, "%.*s is wider than %u bits",
                              (int) MIN(span.len, 40u), span.s,
                              spec->dst.n_bits);
    }
    set_value(spec, value);
    return 0;
}

static int
parse_source(const struct flow_text *ft, struct span span,
             struct learn_spec *spec)
{
    int err = flow_text_subfield(ft, span, &spec->src);

    if (!err && spec->src.n_bits != spec->dst.n_bits) {
        return flow_text_fail(ft, span.s, "%u bits into %u bits",
                              spec->src.n_bits, spec->dst.n_bits);
    }
    return err;
}

/* load:SRC->DST */
static int
parse_spec_load(const struct flow_text *ft, const struct item *item,
                struct learn_spec *spec)
{
    struct span from, to;
    int err = flow_text_arrow(ft, item->value, &from, &to);

    spec->dst_kind = LEARN_LOAD;
    err = err ? err : flow_text_subfield(ft, to, &spec->dst);
    if (err) {
        return err;
    }
    return names_field(from) ? parse_source(ft, from, spec)
           : parse_immediate(ft, from, spec, false);
}

/* DST, DST=SRC, DST=VALUE */
static int
parse_spec_match(const struct flow_text *ft, const struct item *item,
                 struct learn_spec *spec)
{
    int err = flow_text_subfield(ft, item->word, &spec->dst);

    spec->dst_kind = LEARN_MATCH;
    if (err) {
        return err;
    }
    if (!item->mark) {
        spec->src = spec->dst;
        return 0;
    }
    return names_field(item->value) ? parse_source(ft, item->value, spec)
           : parse_immediate(ft, item->value, spec,
                             flow_text_is_whole(&spec->dst));
}

static int
parse_spec(const struct flow_text *ft, const struct item *item,
           struct learn_text *learn)
{
    struct learn_spec spec;
    int err;

    memset(&spec, 0, sizeof spec);
    if (learn->head.n_specs == MAX_SPECS) {
        return flow_text_fail(ft, item->word.s, "learn: too many fields");
    }
    if (span_is(item->word, "load")) {
        err = parse_spec_load(ft, item, &spec);
    } else if (span_is(item->word, "output")) {
        spec.dst_kind = LEARN_OUTPUT;
        err = flow_text_subfield(ft, item->value, &spec.src);
    } else {
        err = parse_spec_match(ft, item, &spec);
    }
    if (!err) {
        learn->specs = xrealloc(learn->specs, (learn->head.n_specs + 1)
                                                  * sizeof spec);
        learn->specs[learn->head.n_specs++] = spec;
    }
    return err;
}

static int
parse_result_dst(const struct flow_text *ft, const struct item *item,
                 struct subfield *dst)
{
    int err = flow_text_subfield(ft, item->value, dst);

    if (!err && dst->n_bits != 1) {
        return flow_text_fail(ft, item->value.s, "result_dst is a single "
                              "bit");
    }
    return err;
}

/* 1: it was an argument of the whole, 0: it is none. */
static int
parse_argument(const struct flow_text *ft, const struct item *item,
               struct action_learn *a)
{
    static const char *const words[] = {
        "idle_timeout", "hard_timeout", "fin_idle_timeout",
        "fin_hard_timeout", "priority",
    };
    uint16_t *const numbers[] = {
        &a->idle_timeout, &a->hard_timeout, &a->fin_idle_timeout,
        &a->fin_hard_timeout, &a->priority,
    };
    uint64_t number = 0;
    int err;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (span_is(item->word, words[i])) {
            err = flow_text_number(ft, item->value, words[i], 0xffff,
                                   &number);
            *numbers[i] = (uint16_t) number;
            return err ? err : 1;
        }
    }
    if (span_is(item->word, "table")) {
        err = flow_text_number(ft, item->value, "table", OFPTT_MAX, &number);
        a->table = (uint8_t) number;
    } else if (span_is(item->word, "cookie")) {
        err = flow_text_number(ft, item->value, "cookie", UINT64_MAX,
                               &number);
        a->cookie = htobe64(number);
    } else if (span_is(item->word, "limit")) {
        err = flow_text_number(ft, item->value, "limit", UINT32_MAX, &number);
        a->limit = (uint32_t) number;
    } else if (span_is(item->word, "result_dst")) {
        err = parse_result_dst(ft, item, &a->result_dst);
    } else if (span_is(item->word, "send_flow_rem")) {
        a->flags |= LEARN_SEND_FLOW_REM;
        err = 0;
    } else if (span_is(item->word, "delete_learned")) {
        a->flags |= LEARN_DELETE_LEARNED;
        err = 0;
    } else {
        return 0;
    }
    return err ? err : 1;
}

int
parse_learn(struct flow_text *ft, const struct item *item,
            uint32_t type UNUSED, struct actions *actions)
{
    struct learn_text learn = {
        .head = { .table = 1, .priority = FLOW_DEFAULT_PRIORITY },
    };
    struct span rest = item->value;
    struct action_learn *out;
    struct item arg;
    size_t size;
    int err;

    if (item->mark != '(') {
        return flow_text_fail(ft, item->word.s, "write learn(ARGUMENTS)");
    }
    while ((err = flow_text_next(ft, &rest, &arg)) > 0) {
        err = parse_argument(ft, &arg, &learn.head);
        if (!err) {
            err = parse_spec(ft, &arg, &learn);
        }
        if (err < 0) {
            break;
        }
    }
    if (!err) {
        size = learn.head.n_specs * sizeof *learn.specs;
        out = actions_add(actions, ACTION_LEARN, sizeof *out + size);
        learn.head.h = out->h;
        *out = learn.head;
        if (size) {
            memcpy(out->specs, learn.specs, size);
        }
    }
    free(learn.specs);
    return err;
}

static void
format_hex(u128 value, struct str *s)
{
    if (value >> 64) {
        str_addf(s, "0x%" PRIx64 "%016" PRIx64, (uint64_t) (value >> 64),
                 (uint64_t) value);
    } else {
        str_addf(s, "0x%" PRIx64, (uint64_t) value);
    }
}

static void
format_match(const struct learn_spec *spec, struct str *s)
{
    const struct field *field = field_by_id(spec->dst.field);
    u128 value = action_u128(spec->value);

    if (spec->is_immediate && flow_text_is_whole(&spec->dst)) {
        str_addf(s, "%s=", field->id == FIELD_IN_PORT && spec->dst.n_bits > 16
                           ? "in_port_oxm" : flow_text_field_name(field));
        if (field->format == FORMAT_PORT && spec->dst.n_bits <= 16
            && value >= 0xff00) {
            value |= UINT32_C(0xffff0000);
        }
        field_format(field, value, field_ones(field), s);
        return;
    }
    flow_text_format_subfield(&spec->dst, s);
    if (spec->is_immediate) {
        str_add_char(s, '=');
        format_hex(value, s);
    } else if (spec->src.field != spec->dst.field
               || spec->src.ofs != spec->dst.ofs) {
        str_add_char(s, '=');
        flow_text_format_subfield(&spec->src, s);
    }
}

static void
format_spec(const struct learn_spec *spec, struct str *s)
{
    switch ((enum learn_dst) spec->dst_kind) {
    case LEARN_MATCH:
        format_match(spec, s);
        return;
    case LEARN_LOAD:
        str_add(s, "load:");
        if (spec->is_immediate) {
            format_hex(action_u128(spec->value), s);
        } else {
            flow_text_format_subfield(&spec->src, s);
        }
        str_add(s, "->");
        flow_text_format_subfield(&spec->dst, s);
        return;
    case LEARN_OUTPUT:
        str_add(s, "output:");
        flow_text_format_subfield(&spec->src, s);
        return;
    }
}

static void
format_timeouts(const struct action_learn *a, struct str *s)
{
    if (a->idle_timeout) {
        str_addf(s, ",idle_timeout=%u", a->idle_timeout);
    }
    if (a->hard_timeout) {
        str_addf(s, ",hard_timeout=%u", a->hard_timeout);
    }
    if (a->fin_idle_timeout) {
        str_addf(s, ",fin_idle_timeout=%u", a->fin_idle_timeout);
    }
    if (a->fin_hard_timeout) {
        str_addf(s, ",fin_hard_timeout=%u", a->fin_hard_timeout);
    }
}

void
format_learn(const struct action *action,
             const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_learn *a = (const void *) action;

    str_addf(s, "learn(table=%u", a->table);
    format_timeouts(a, s);
    if (a->priority != FLOW_DEFAULT_PRIORITY) {
        str_addf(s, ",priority=%u", a->priority);
    }
    if (a->flags & LEARN_SEND_FLOW_REM) {
        str_add(s, ",send_flow_rem");
    }
    if (a->flags & LEARN_DELETE_LEARNED) {
        str_add(s, ",delete_learned");
    }
    if (a->cookie) {
        str_addf(s, ",cookie=0x%" PRIx64, be64toh(a->cookie));
    }
    if (a->limit) {
        str_addf(s, ",limit=%u", a->limit);
    }
    if (a->result_dst.n_bits) {
        str_add(s, ",result_dst=");
        flow_text_format_subfield(&a->result_dst, s);
    }
    for (uint32_t i = 0; i < a->n_specs; i++) {
        str_add_char(s, ',');
        format_spec(&a->specs[i], s);
    }
    str_add_char(s, ')');
}
