/* Actions that send packets somewhere: output, controller, resubmit. */
#include "openflow/flow_text.h"

#include <strings.h>

enum { TRUNC_MIN = 14 };          /* an Ethernet header must stay */

static void
add_output(struct actions *actions, uint32_t port, uint32_t trunc)
{
    struct action_output *output;

    if (port == OFPP_CONTROLLER) {
        actions_add_controller(actions, (uint16_t) MIN(trunc ? trunc : 0xffff,
                                                       0xffffu),
                               REASON_APPLY_ACTION);
        return;
    }
    output = actions_add(actions, ACTION_OUTPUT, sizeof *output);
    output->port = port;
    output->trunc = trunc;
}

int
parse_reserved(struct flow_text *ft, const struct item *item, uint32_t port,
               struct actions *actions)
{
    int err = flow_text_want_none(ft, item);

    if (!err) {
        add_output(actions, port, 0);
    }
    return err;
}

/* output(port=PORT,max_len=N) */
static int
parse_output_trunc(struct flow_text *ft, const struct item *item,
                   struct actions *actions)
{
    struct span rest = item->value;
    bool has_port = false;
    uint64_t max_len = 0;
    uint32_t port = 0;
    struct item arg;
    int more;

    while ((more = flow_text_next(ft, &rest, &arg)) > 0) {
        int err;

        if (span_is(arg.word, "port")) {
            has_port = true;
            err = flow_text_port(ft, arg.value, &port);
        } else if (span_is(arg.word, "max_len")) {
            err = flow_text_number(ft, arg.value, "max_len", UINT32_MAX,
                                   &max_len);
        } else {
            static const char *const words[] = { "port", "max_len", NULL };

            err = flow_text_unknown(ft, arg.word, "argument", words);
        }
        if (err) {
            return err;
        }
    }
    if (more < 0) {
        return more;
    }
    if (!has_port || max_len < TRUNC_MIN) {
        return flow_text_fail(ft, item->word.s, "write output(port=PORT,"
                              "max_len=N) with N of %d at least", TRUNC_MIN);
    }
    add_output(actions, port, (uint32_t) max_len);
    return 0;
}

static int
parse_output_reg(struct flow_text *ft, struct span value,
                 struct actions *actions)
{
    struct action_output_reg *reg;
    struct subfield src;
    int err = flow_text_subfield(ft, value, &src);

    if (err) {
        return err;
    }
    reg = actions_add(actions, ACTION_OUTPUT_REG, sizeof *reg);
    reg->src = src;
    reg->max_len = 0xffff;
    return 0;
}

int
parse_output(struct flow_text *ft, const struct item *item,
             uint32_t arg UNUSED, struct actions *actions)
{
    int err = flow_text_want_value(ft, item);
    uint32_t port;

    if (err) {
        return err;
    }
    if (item->mark == '(') {
        return parse_output_trunc(ft, item, actions);
    }
    if (flow_text_try_port(ft, item->value, &port)) {
        add_output(actions, port, 0);
        return 0;
    }
    if (memchr(item->value.s, '[', item->value.len)) {
        return parse_output_reg(ft, item->value, actions);
    }
    return flow_text_port(ft, item->value, &port);
}

void
format_output(const struct action *action, struct str *s)
{
    const struct action_output *output = (const void *) action;

    if (output->trunc) {
        str_add(s, "output(port=");
        flow_text_format_port(output->port, s);
        str_addf(s, ",max_len=%u)", output->trunc);
        return;
    }
    if (output->port < OFPP_MAX || output->port == OFPP_ANY) {
        str_add(s, "output:");
    }
    flow_text_format_port(output->port, s);
}

void
format_output_reg(const struct action *action, struct str *s)
{
    const struct action_output_reg *reg = (const void *) action;

    str_add(s, "output:");
    flow_text_format_subfield(&reg->src, s);
}

/* ---- Controller ---- */

static const char *const reasons[] = {
    [REASON_TABLE_MISS] = "no_match",
    [REASON_APPLY_ACTION] = "action",
    [REASON_INVALID_TTL] = "invalid_ttl",
    [REASON_ACTION_SET] = "action_set",
    [REASON_GROUP] = "group",
    [REASON_PACKET_OUT] = "packet_out",
};

static int
parse_reason(const struct flow_text *ft, struct span value, uint8_t *reason)
{
    const char *names[ARRAY_SIZE(reasons) + 1] = { NULL };

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (span_is(value, reasons[i])) {
            *reason = (uint8_t) i;
            return 0;
        }
        names[i] = reasons[i];
    }
    return flow_text_unknown(ft, value, "reason", names);
}

static int
parse_controller_arg(const struct flow_text *ft, const struct item *arg,
                     struct action_controller *c)
{
    static const char *const words[] = { "max_len", "reason", "id", NULL };
    uint64_t number = 0;
    int err;

    if (span_is(arg->word, "reason")) {
        return parse_reason(ft, arg->value, &c->reason);
    }
    if (span_is(arg->word, "max_len")) {
        err = flow_text_number(ft, arg->value, "max_len", 0xffff, &number);
        c->max_len = (uint16_t) number;
    } else if (span_is(arg->word, "id")) {
        err = flow_text_number(ft, arg->value, "id", 0xffff, &number);
        c->controller_id = (uint16_t) number;
    } else {
        err = flow_text_unknown(ft, arg->word, "argument", words);
    }
    return err;
}

int
parse_controller(struct flow_text *ft, const struct item *item,
                 uint32_t type UNUSED, struct actions *actions)
{
    struct action_controller c = { .max_len = 0xffff,
                                   .reason = REASON_APPLY_ACTION };
    struct action_controller *out;
    struct span rest = item->value;
    struct item arg;
    int err = 0;

    if (item->mark == '(') {
        while ((err = flow_text_next(ft, &rest, &arg)) > 0) {
            err = parse_controller_arg(ft, &arg, &c);
            if (err) {
                return err;
            }
        }
    } else if (item->mark) {
        uint64_t max_len;

        err = flow_text_number(ft, item->value, "max_len", 0xffff, &max_len);
        c.max_len = err ? 0 : (uint16_t) max_len;
    }
    if (err) {
        return err;
    }
    out = actions_add(actions, ACTION_CONTROLLER, sizeof *out);
    out->max_len = c.max_len;
    out->reason = c.reason;
    out->controller_id = c.controller_id;
    return 0;
}

void
format_controller(const struct action *action, struct str *s)
{
    const struct action_controller *c = (const void *) action;

    if (c->reason == REASON_APPLY_ACTION && !c->controller_id) {
        str_addf(s, "CONTROLLER:%u", c->max_len);
        return;
    }
    str_add(s, "controller(");
    if (c->reason != REASON_APPLY_ACTION && c->reason < ARRAY_SIZE(reasons)) {
        str_addf(s, "reason=%s,", reasons[c->reason]);
    }
    if (c->max_len != 0xffff) {
        str_addf(s, "max_len=%u,", c->max_len);
    }
    if (c->controller_id) {
        str_addf(s, "id=%u,", c->controller_id);
    }
    str_chomp(s, ",");
    str_add_char(s, ')');
}

/* ---- Resubmit ---- */

/* resubmit:PORT, or resubmit(PORT,TABLE) where one may be left out. */
int
parse_resubmit(struct flow_text *ft, const struct item *item,
               uint32_t type UNUSED, struct actions *actions)
{
    struct span port_text = item->value, table_text = { item->word.s, 0 };
    const char *comma = memchr(item->value.s, ',', item->value.len);
    struct action_resubmit *resubmit;
    uint32_t port = OFPP_IN_PORT;
    uint64_t table = OFPTT_ALL;
    int err = flow_text_want_value(ft, item);

    if (err) {
        return err;
    }
    if (item->mark == '(' && comma) {
        port_text.len = (size_t) (comma - port_text.s);
        table_text = (struct span) { comma + 1,
                                     item->value.len - port_text.len - 1 };
    }
    if (!port_text.len && !table_text.len) {
        return flow_text_fail(ft, item->word.s, "resubmit needs a port or a "
                              "table");
    }
    if (port_text.len) {
        err = flow_text_port(ft, port_text, &port);
    }
    if (!err && table_text.len) {
        err = flow_text_number(ft, table_text, "table", OFPTT_ALL, &table);
    }
    if (err) {
        return err;
    }
    resubmit = actions_add(actions, ACTION_RESUBMIT, sizeof *resubmit);
    resubmit->in_port = port;
    resubmit->table = (uint8_t) table;
    return 0;
}

void
format_resubmit(const struct action *action, struct str *s)
{
    const struct action_resubmit *resubmit = (const void *) action;

    if (resubmit->table == OFPTT_ALL) {
        str_add(s, "resubmit:");
        flow_text_format_port(resubmit->in_port, s);
        return;
    }
    str_add(s, "resubmit(");
    if (resubmit->in_port != OFPP_IN_PORT) {
        flow_text_format_port(resubmit->in_port, s);
    }
    str_addf(s, ",%u)", resubmit->table);
}
