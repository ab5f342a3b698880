/* Actions that send packets somewhere: output, controller, resubmit. */
#include "openflow/flow_text.h"

#include <stdlib.h>
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
format_output(const struct action *action, const struct flow_text_names *names,
              struct str *s)
{
    const struct action_output *output = (const void *) action;

    if (output->trunc) {
        str_add(s, "output(port=");
        flow_text_format_port(output->port, names, s);
        str_addf(s, ",max_len=%u)", output->trunc);
        return;
    }
    if (output->port < OFPP_MAX || output->port == OFPP_ANY) {
        str_add(s, "output:");
    }
    flow_text_format_port(output->port, names, s);
}

void
format_output_reg(const struct action *action,
                  const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_output_reg *reg = (const void *) action;

    str_add(s, "output:");
    flow_text_format_subfield(&reg->src, s);
}

/* enqueue:PORT:QUEUE or enqueue(PORT,QUEUE) */
int
parse_enqueue(struct flow_text *ft, const struct item *item,
              uint32_t type UNUSED, struct actions *actions)
{
    const char *end = item->value.s + item->value.len;
    const char *mark = item->value.s;
    struct action_enqueue *out;
    struct span port_text, queue_text;
    uint64_t queue;
    uint32_t port;
    int err;

    while (mark < end && *mark != ',' && *mark != ':') {
        mark++;
    }
    if (!item->mark || mark == end) {
        return flow_text_fail(ft, item->word.s, "write enqueue:PORT:QUEUE");
    }
    port_text = (struct span) { item->value.s,
                                (size_t) (mark - item->value.s) };
    queue_text = (struct span) { mark + 1, (size_t) (end - mark - 1) };
    err = flow_text_port(ft, port_text, &port);
    err = err ? err : flow_text_number(ft, queue_text, "queue", UINT32_MAX,
                                       &queue);
    if (err) {
        return err;
    }
    out = actions_add(actions, ACTION_ENQUEUE, sizeof *out);
    out->port = port;
    out->queue = (uint32_t) queue;
    return 0;
}

void
format_enqueue(const struct action *action,
               const struct flow_text_names *names, struct str *s)
{
    const struct action_enqueue *enqueue = (const void *) action;

    str_add(s, "enqueue:");
    flow_text_format_port(enqueue->port, names, s);
    str_addf(s, ":%u", enqueue->queue);
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

struct controller_text {
    uint8_t *userdata;
    struct action_controller a;
};

static int
parse_userdata(const struct flow_text *ft, struct span value,
               struct controller_text *text)
{
    size_t n;

    free(text->userdata);
    text->userdata = NULL;
    if (flow_text_hex(ft, value, "userdata",
                      ACTION_MAX_LEN - sizeof text->a - 64, &text->userdata,
                      &n)) {
        return -EINVAL;
    }
    text->a.userdata_len = (uint16_t) n;
    return 0;
}

static int
parse_controller_arg(const struct flow_text *ft, const struct item *arg,
                     struct controller_text *text)
{
    static const char *const words[] = { "max_len", "reason", "id",
                                         "userdata", "pause", "meter_id",
                                         NULL };
    struct action_controller *c = &text->a;
    uint64_t number = 0;
    int err;

    if (span_is(arg->word, "reason")) {
        return parse_reason(ft, arg->value, &c->reason);
    }
    if (span_is(arg->word, "userdata")) {
        return parse_userdata(ft, arg->value, text);
    }
    if (span_is(arg->word, "pause")) {
        c->pause = true;
        return flow_text_want_none(ft, arg);
    }
    if (span_is(arg->word, "max_len")) {
        err = flow_text_number(ft, arg->value, "max_len", 0xffff, &number);
        c->max_len = (uint16_t) number;
    } else if (span_is(arg->word, "id")) {
        err = flow_text_number(ft, arg->value, "id", 0xffff, &number);
        c->controller_id = (uint16_t) number;
    } else if (span_is(arg->word, "meter_id")) {
        err = flow_text_number(ft, arg->value, "meter_id", UINT32_MAX,
                               &number);
        c->meter = (uint32_t) number;
    } else {
        err = flow_text_unknown(ft, arg->word, "argument", words);
    }
    return err;
}

static int
parse_controller_args(const struct flow_text *ft, struct span rest,
                      struct controller_text *text)
{
    struct item arg;
    int err;

    while ((err = flow_text_next(ft, &rest, &arg)) > 0) {
        err = parse_controller_arg(ft, &arg, text);
        if (err) {
            return err;
        }
    }
    return err;
}

int
parse_controller(struct flow_text *ft, const struct item *item,
                 uint32_t type UNUSED, struct actions *actions)
{
    struct controller_text text = {
        .a = { .max_len = 0xffff, .reason = REASON_APPLY_ACTION },
    };
    struct action_controller *out;
    uint64_t max_len;
    int err = 0;

    if (item->mark == '(') {
        err = parse_controller_args(ft, item->value, &text);
    } else if (item->mark) {
        err = flow_text_number(ft, item->value, "max_len", 0xffff, &max_len);
        text.a.max_len = err ? 0 : (uint16_t) max_len;
    }
    if (!err) {
        out = actions_add_userdata(actions, text.userdata,
                                   text.a.userdata_len);
        text.a.h = out->h;
        *out = text.a;
    }
    free(text.userdata);
    return err;
}

void
format_controller(const struct action *action,
                  const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_controller *c = (const void *) action;

    if (action_controller_is_plain(c)) {
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
    if (c->userdata_len) {
        str_add(s, "userdata=");
        flow_text_format_hex(c->userdata, c->userdata_len, s);
        str_add_char(s, ',');
    }
    if (c->pause) {
        str_add(s, "pause,");
    }
    if (c->meter) {
        str_addf(s, "meter_id=%u,", c->meter);
    }
    str_chomp(s, ",");
    str_add_char(s, ')');
}

/* ---- Resubmit ---- */

/* Takes ",ct" off the end. */
static bool
cut_ct(struct span *table)
{
    bool has_ct = table->len >= 3
                  && !memcmp(table->s + table->len - 3, ",ct", 3);

    table->len -= has_ct ? 3 : 0;
    return has_ct;
}

/* resubmit:PORT, or resubmit(PORT,TABLE[,ct]) where port or table may be left
 * out. */
int
parse_resubmit(struct flow_text *ft, const struct item *item,
               uint32_t type UNUSED, struct actions *actions)
{
    struct span port_text = item->value, table_text = { item->word.s, 0 };
    const char *comma = memchr(item->value.s, ',', item->value.len);
    struct action_resubmit *resubmit;
    uint32_t port = OFPP_IN_PORT;
    uint64_t table = OFPTT_ALL;
    bool with_ct = false;
    int err = flow_text_want_value(ft, item);

    if (err) {
        return err;
    }
    if (item->mark == '(' && comma) {
        port_text.len = (size_t) (comma - port_text.s);
        table_text = (struct span) { comma + 1,
                                     item->value.len - port_text.len - 1 };
        with_ct = cut_ct(&table_text);
    }
    if (!port_text.len && !table_text.len && !with_ct) {
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
    resubmit->with_ct = with_ct;
    return 0;
}

void
format_resubmit(const struct action *action,
                const struct flow_text_names *names, struct str *s)
{
    const struct action_resubmit *resubmit = (const void *) action;

    if (resubmit->table == OFPTT_ALL && !resubmit->with_ct) {
        str_add(s, "resubmit:");
        flow_text_format_port(resubmit->in_port, names, s);
        return;
    }
    str_add(s, "resubmit(");
    if (resubmit->in_port != OFPP_IN_PORT) {
        flow_text_format_port(resubmit->in_port, names, s);
    }
    str_add_char(s, ',');
    if (resubmit->table != OFPTT_ALL) {
        str_addf(s, "%u", resubmit->table);
    }
    str_add(s, resubmit->with_ct ? ",ct)" : ")");
}
