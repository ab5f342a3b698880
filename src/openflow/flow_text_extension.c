/* Extension actions of few words: conjunction, check_pkt_larger, sample,
 * fin_timeout; and stat_trigger. */
#include <inttypes.h>

#include "openflow/flow_text.h"

/* ---- conjunction(ID,CLAUSE/CLAUSES) ---- */

static int
parse_clause(const struct flow_text *ft, struct span span,
             struct action_conjunction *a)
{
    const char *slash = memchr(span.s, '/', span.len);
    uint64_t clause = 0, n_clauses = 0;
    int err;

    if (!slash) {
        return flow_text_fail(ft, span.s, "write CLAUSE/CLAUSES");
    }
    err = flow_text_number(ft, (struct span) { span.s,
                                               (size_t) (slash - span.s) },
                           "clause", CONJUNCTION_MAX_CLAUSES, &clause);
    err = err ? err : flow_text_number(
        ft, (struct span) { slash + 1,
                            span.len - (size_t) (slash + 1 - span.s) },
        "clauses", CONJUNCTION_MAX_CLAUSES, &n_clauses);
    if (err) {
        return err;
    }
    if (n_clauses < CONJUNCTION_MIN_CLAUSES || !clause || clause > n_clauses) {
        return flow_text_fail(ft, span.s, "a conjunction has %d clauses at "
                              "least, counted from 1",
                              CONJUNCTION_MIN_CLAUSES);
    }
    a->clause = (uint8_t) (clause - 1);
    a->n_clauses = (uint8_t) n_clauses;
    return 0;
}

int
parse_conjunction(struct flow_text *ft, const struct item *item,
                  uint32_t type UNUSED, struct actions *actions)
{
    struct span rest = item->value;
    struct action_conjunction a = { .id = 0 }, *out;
    struct item id, clause;
    bool has_mask;
    uint64_t number, mask;
    int err;

    if (item->mark != '(' || flow_text_next(ft, &rest, &id) <= 0 || id.mark
        || flow_text_next(ft, &rest, &clause) <= 0 || clause.mark) {
        return flow_text_fail(ft, item->word.s, "write conjunction(ID,"
                              "CLAUSE/CLAUSES)");
    }
    err = flow_text_masked(ft, id.word, "conjunction", &number, &mask,
                           &has_mask);
    if (!err && (has_mask || (number > UINT32_MAX && number != UINT64_MAX))) {
        err = flow_text_fail(ft, id.word.s, "an id has 32 bits");
    }
    err = err ? err : parse_clause(ft, clause.word, &a);
    if (!err) {
        out = actions_add(actions, ACTION_CONJUNCTION, sizeof *out);
        out->id = (uint32_t) number;
        out->clause = a.clause;
        out->n_clauses = a.n_clauses;
    }
    return err;
}

void
format_conjunction(const struct action *action,
                   const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_conjunction *a = (const void *) action;

    str_addf(s, "conjunction(%u,%u/%u)", a->id, a->clause + 1u,
             a->n_clauses);
}

/* ---- check_pkt_larger(BYTES)->BIT, also with a colon ---- */

int
parse_check_pkt_larger(struct flow_text *ft, const struct item *item,
                       uint32_t type UNUSED, struct actions *actions)
{
    struct span from = item->value, to = item->to;
    struct action_check_pkt_larger *out;
    struct subfield dst;
    uint64_t len;
    int err = item->mark == '(' ? 0 : flow_text_arrow(ft, item->value, &from,
                                                      &to);

    if (!err && !to.s) {
        return flow_text_fail(ft, from.s + from.len,
                              "check_pkt_larger(BYTES) needs '->BIT'");
    }
    err = err ? err : flow_text_number(ft, from, "check_pkt_larger", 0xffff,
                                       &len);
    err = err ? err : flow_text_subfield(ft, to, &dst);
    if (err) {
        return err;
    }
    if (dst.n_bits != 1) {
        return flow_text_fail(ft, to.s, "the result is a single bit");
    }
    out = actions_add(actions, ACTION_CHECK_PKT_LARGER, sizeof *out);
    out->pkt_len = (uint16_t) len;
    out->dst = dst;
    return 0;
}

void
format_check_pkt_larger(const struct action *action,
                        const struct flow_text_names *names UNUSED,
                        struct str *s)
{
    const struct action_check_pkt_larger *a = (const void *) action;

    str_addf(s, "check_pkt_larger(%u)->", a->pkt_len);
    flow_text_format_subfield(&a->dst, s);
}

/* ---- sample(probability=N,...) ---- */

static int
parse_sample_argument(const struct flow_text *ft, const struct item *arg,
                      struct action_sample *a)
{
    static const char *const words[] = {
        "probability", "collector_set_id", "obs_domain_id", "obs_point_id",
        "sampling_port", "ingress", "egress", NULL,
    };
    uint32_t *const numbers[] = { NULL, &a->collector_set, &a->obs_domain,
                                  &a->obs_point };
    uint64_t number = 0;
    int err;

    if (span_is(arg->word, "ingress") || span_is(arg->word, "egress")) {
        a->direction = span_is(arg->word, "ingress") ? SAMPLE_INGRESS
                                                     : SAMPLE_EGRESS;
        return 0;
    }
    if (span_is(arg->word, "sampling_port")) {
        return flow_text_port(ft, arg->value, &a->sampling_port);
    }
    if (span_is(arg->word, "probability")) {
        err = flow_text_number(ft, arg->value, "probability", 0xffff,
                               &number);
        a->probability = (uint16_t) number;
        return err;
    }
    for (size_t i = 1; i < ARRAY_SIZE(numbers); i++) {
        if (span_is(arg->word, words[i])) {
            err = flow_text_number(ft, arg->value, words[i], UINT32_MAX,
                                   &number);
            *numbers[i] = (uint32_t) number;
            return err;
        }
    }
    return flow_text_unknown(ft, arg->word, "argument", words);
}

int
parse_sample(struct flow_text *ft, const struct item *item,
             uint32_t type UNUSED, struct actions *actions)
{
    struct action_sample a = { .sampling_port = OFPP_ANY }, *out;
    struct span rest = item->value;
    struct item arg;
    int err;

    while ((err = flow_text_next(ft, &rest, &arg)) > 0) {
        err = parse_sample_argument(ft, &arg, &a);
        if (err) {
            return err;
        }
    }
    if (!err && !a.probability) {
        err = flow_text_fail(ft, item->word.s, "sample needs a probability "
                             "of 1 to 65535");
    }
    if (!err) {
        out = actions_add(actions, ACTION_SAMPLE, sizeof *out);
        a.h = out->h;
        *out = a;
    }
    return err;
}

void
format_sample(const struct action *action, const struct flow_text_names *names,
              struct str *s)
{
    const struct action_sample *a = (const void *) action;

    str_addf(s, "sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,"
             "obs_point_id=%u", a->probability, a->collector_set,
             a->obs_domain, a->obs_point);
    if (a->sampling_port != OFPP_ANY) {
        str_add(s, ",sampling_port=");
        flow_text_format_port(a->sampling_port, names, s);
    }
    if (a->direction != SAMPLE_DEFAULT) {
        str_add(s, a->direction == SAMPLE_EGRESS ? ",egress" : ",ingress");
    }
    str_add_char(s, ')');
}

/* ---- fin_timeout(idle_timeout=N,hard_timeout=N) ---- */

int
parse_fin_timeout(struct flow_text *ft, const struct item *item,
                  uint32_t type UNUSED, struct actions *actions)
{
    static const char *const words[] = { "idle_timeout", "hard_timeout",
                                         NULL };
    struct action_fin_timeout *out;
    struct span rest = item->value;
    uint64_t timeouts[2] = { 0, 0 };
    struct item arg;
    int err;

    while ((err = flow_text_next(ft, &rest, &arg)) > 0) {
        bool is_hard = span_is(arg.word, "hard_timeout");

        err = is_hard || span_is(arg.word, "idle_timeout")
              ? flow_text_number(ft, arg.value, words[is_hard], 0xffff,
                                 &timeouts[is_hard])
              : flow_text_unknown(ft, arg.word, "argument", words);
        if (err) {
            return err;
        }
    }
    if (!err) {
        out = actions_add(actions, ACTION_FIN_TIMEOUT, sizeof *out);
        out->idle_timeout = (uint16_t) timeouts[0];
        out->hard_timeout = (uint16_t) timeouts[1];
    }
    return err;
}

void
format_fin_timeout(const struct action *action,
                   const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_fin_timeout *a = (const void *) action;

    str_add(s, "fin_timeout(");
    if (a->idle_timeout) {
        str_addf(s, "idle_timeout=%u,", a->idle_timeout);
    }
    if (a->hard_timeout) {
        str_addf(s, "hard_timeout=%u,", a->hard_timeout);
    }
    str_chomp(s, ",");
    str_add_char(s, ')');
}

/* ---- stat_trigger(packets=N,bytes=N,duration=SECONDS,periodic,...) ---- */

enum { NS_DIGITS = 9 };
static const uint64_t second = 1000000000;

/* 5 or 0.25 */
static int
parse_seconds(const struct flow_text *ft, struct span span, uint64_t *ns)
{
    const char *dot = memchr(span.s, '.', span.len);
    size_t len = dot ? (size_t) (dot - span.s) : span.len;
    uint64_t sec = 0, rest = 0;
    int err = flow_text_number(ft, (struct span) { span.s, len }, "duration",
                               UINT32_MAX, &sec);

    if (err) {
        return err;
    }
    for (size_t i = 1; dot && i <= NS_DIGITS; i++) {
        char c = len + i < span.len ? dot[i] : '0';

        if (c < '0' || c > '9') {
            goto bad;
        }
        rest = rest * 10 + (uint64_t) (c - '0');
    }
    if (dot && span.len > len + 1 + NS_DIGITS) {
        goto bad;
    }
    *ns = sec * second + rest;
    return 0;

bad:
    return flow_text_fail(ft, span.s, "duration is seconds, with nine "
                          "decimals at most");
}

static int
parse_trigger_argument(const struct flow_text *ft, const struct item *arg,
                       struct action_stat_trigger *a)
{
    static const char *const words[] = { "duration", "packets", "bytes",
                                         "periodic", "only_first", NULL };
    int err = 0;

    if (span_is(arg->word, "periodic")) {
        a->is_periodic = true;
        return flow_text_want_none(ft, arg);
    }
    if (span_is(arg->word, "only_first")) {
        a->only_first = true;
        return flow_text_want_none(ft, arg);
    }
    for (unsigned int i = 0; i < N_STAT_THRESHOLDS; i++) {
        if (span_is(arg->word, words[i])) {
            a->present |= (uint8_t) (1u << i);
            err = i == STAT_DURATION
                  ? parse_seconds(ft, arg->value, &a->threshold[i])
                  : flow_text_number(ft, arg->value, words[i], UINT64_MAX,
                                     &a->threshold[i]);
            return err;
        }
    }
    return flow_text_unknown(ft, arg->word, "argument", words);
}

int
parse_stat_trigger(struct flow_text *ft, const struct item *item,
                   uint32_t type UNUSED, struct actions *actions)
{
    struct action_stat_trigger a = { .present = 0 }, *out;
    struct span rest = item->value;
    struct item arg;
    int err;

    while ((err = flow_text_next(ft, &rest, &arg)) > 0) {
        err = parse_trigger_argument(ft, &arg, &a);
        if (err) {
            return err;
        }
    }
    if (!err && !a.present) {
        err = flow_text_fail(ft, item->word.s, "stat_trigger needs packets, "
                             "bytes or duration");
    }
    if (!err) {
        out = actions_add(actions, ACTION_STAT_TRIGGER, sizeof *out);
        a.h = out->h;
        *out = a;
    }
    return err;
}

void
format_stat_trigger(const struct action *action,
                    const struct flow_text_names *names UNUSED,
                    struct str *s)
{
    const struct action_stat_trigger *a = (const void *) action;
    uint64_t ns = a->threshold[STAT_DURATION];

    str_add(s, "stat_trigger(");
    if (a->present >> STAT_DURATION & 1) {
        str_addf(s, "duration=%" PRIu64, ns / second);
        if (ns % second) {
            str_addf(s, ".%09" PRIu64, ns % second);
        }
        str_add_char(s, ',');
    }
    if (a->present >> STAT_PACKETS & 1) {
        str_addf(s, "packets=%" PRIu64 ",", a->threshold[STAT_PACKETS]);
    }
    if (a->present >> STAT_BYTES & 1) {
        str_addf(s, "bytes=%" PRIu64 ",", a->threshold[STAT_BYTES]);
    }
    str_addf(s, "%s%s", a->is_periodic ? "periodic," : "",
             a->only_first ? "only_first," : "");
    str_chomp(s, ",");
    str_add_char(s, ')');
}
