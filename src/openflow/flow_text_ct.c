/* ct(...) and the nat(...) in it. */
#include "openflow/flow_text.h"

#include <arpa/inet.h>

static const struct {
    const char *name;
    uint16_t port;
} algs[] = { { "ftp", ALG_FTP }, { "tftp", ALG_TFTP } };

/* ---- nat ---- */

static const struct {
    const char *name;
    uint16_t flag;
} nat_flag_names[] = {
    { "persistent", NAT_PERSISTENT }, { "hash", NAT_HASH },
    { "random", NAT_RANDOM },
};

/* Cuts `span` at the first `c`; what is behind it, or nothing, is `after`. */
static bool
cut(struct span *span, char c, struct span *after)
{
    const char *at = memchr(span->s, c, span->len);

    if (!at) {
        return false;
    }
    *after = (struct span) { at + 1, span->len - (size_t) (at + 1 - span->s) };
    span->len = (size_t) (at - span->s);
    return true;
}

static int
parse_address(const struct flow_text *ft, struct span span,
              struct action_nat *nat, struct ip6_addr *addr)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t family = 0;

    if (span.len && span.s[0] == '[' && span.s[span.len - 1] == ']') {
        span.s++;
        span.len -= 2;
    }
    if (span.len < sizeof text && !memchr(span.s, '\0', span.len)) {
        memcpy(text, span.s, span.len);
        text[span.len] = '\0';
        family = inet_pton(AF_INET, text, addr->b) == 1 ? 4
                 : inet_pton(AF_INET6, text, addr->b) == 1 ? 6 : 0;
    }
    if (!family || (nat->family && nat->family != family)) {
        return flow_text_fail(ft, span.s, "nat: '%.*s' is not %s",
                              (int) MIN(span.len, 40u), span.s,
                              family ? "of the first address' kind"
                              : "an address");
    }
    nat->family = family;
    return 0;
}

/* Where do the ports begin?  IPv6 addresses with ports stand in brackets. */
static bool
cut_ports(struct span *range, struct span *ports)
{
    const char *bracket = memrchr(range->s, ']', range->len);
    const char *colon = memrchr(range->s, ':', range->len);

    if (!colon || (bracket ? colon < bracket
                   : colon != memchr(range->s, ':', range->len))) {
        return false;
    }
    *ports = (struct span) { colon + 1,
                             range->len - (size_t) (colon + 1 - range->s) };
    range->len = (size_t) (colon - range->s);
    return true;
}

static int
parse_range(const struct flow_text *ft, struct span range,
            struct action_nat *nat)
{
    struct span ports = { range.s, 0 }, last;
    uint64_t min, max;
    int err = 0;

    nat->has_ports = cut_ports(&range, &ports);
    if (range.len) {
        struct span first = range;
        bool is_range = cut(&first, '-', &last);

        err = parse_address(ft, first, nat, &nat->addr_min);
        nat->addr_max = nat->addr_min;
        if (!err && is_range) {
            err = parse_address(ft, last, nat, &nat->addr_max);
        }
    }
    if (!err && nat->has_ports) {
        struct span first = ports;
        bool is_range = cut(&first, '-', &last);

        err = flow_text_number(ft, first, "nat port", 0xffff, &min);
        max = err ? 0 : min;
        if (!err && is_range) {
            err = flow_text_number(ft, last, "nat port", 0xffff, &max);
        }
        nat->port_min = err ? 0 : (uint16_t) min;
        nat->port_max = (uint16_t) max;
    }
    return err;
}

static int
parse_nat_arg(const struct flow_text *ft, const struct item *arg,
              struct action_nat *nat)
{
    static const char *const words[] = { "src", "dst", "persistent", "hash",
                                         "random", NULL };

    if (span_is(arg->word, "src") || span_is(arg->word, "dst")) {
        nat->flags |= span_is(arg->word, "src") ? NAT_SRC : NAT_DST;
        return arg->mark ? parse_range(ft, arg->value, nat) : 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(nat_flag_names); i++) {
        if (span_is(arg->word, nat_flag_names[i].name)) {
            nat->flags |= nat_flag_names[i].flag;
            return flow_text_want_none(ft, arg);
        }
    }
    return flow_text_unknown(ft, arg->word, "argument", words);
}

static int
parse_nat(struct flow_text *ft, const struct item *item,
          struct actions *actions)
{
    struct action_nat nat = { .h = { .len = 0 } }, *out;
    struct span rest = item->value;
    struct item arg;
    int err = 0;

    if (item->mark && item->mark != '(') {
        return flow_text_fail(ft, item->word.s, "write nat or nat(...)");
    }
    while (item->mark && (err = flow_text_next(ft, &rest, &arg)) > 0) {
        err = parse_nat_arg(ft, &arg, &nat);
        if (err) {
            break;
        }
    }
    if (err) {
        return err;
    }
    out = actions_add(actions, ACTION_NAT, sizeof *out);
    nat.h = out->h;
    *out = nat;
    return 0;
}

static void
format_address(const struct action_nat *nat, const struct ip6_addr *addr,
               struct str *s)
{
    bool is_ip6 = nat->family == 6;
    char text[INET6_ADDRSTRLEN];

    inet_ntop(is_ip6 ? AF_INET6 : AF_INET, addr->b, text, sizeof text);
    str_addf(s, is_ip6 && nat->has_ports ? "[%s]" : "%s", text);
}

void
format_nat(const struct action *action,
           const struct flow_text_names *names UNUSED, struct str *s)
{
    const struct action_nat *nat = (const void *) action;

    str_add(s, "nat");
    if (!(nat->flags & (NAT_SRC | NAT_DST))) {
        return;
    }
    str_add(s, nat->flags & NAT_SRC ? "(src" : "(dst");
    if (nat->family || nat->has_ports) {
        str_add_char(s, '=');
    }
    if (nat->family) {
        format_address(nat, &nat->addr_min, s);
        if (memcmp(&nat->addr_min, &nat->addr_max, sizeof nat->addr_min)) {
            str_add_char(s, '-');
            format_address(nat, &nat->addr_max, s);
        }
    }
    if (nat->has_ports) {
        str_addf(s, ":%u", nat->port_min);
        if (nat->port_max != nat->port_min) {
            str_addf(s, "-%u", nat->port_max);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(nat_flag_names); i++) {
        if (nat->flags & nat_flag_names[i].flag) {
            str_addf(s, ",%s", nat_flag_names[i].name);
        }
    }
    str_add_char(s, ')');
}

/* ---- ct ---- */

/* What is parsed so far: nat and exec are kept apart, as nat comes first. */
struct ct_text {
    struct action_ct ct;
    struct actions nat, exec;
};

static int
parse_alg(const struct flow_text *ft, struct span value, uint16_t *alg)
{
    const char *names[ARRAY_SIZE(algs) + 1] = { NULL };

    for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
        if (span_is(value, algs[i].name)) {
            *alg = algs[i].port;
            return 0;
        }
        names[i] = algs[i].name;
    }
    return flow_text_unknown(ft, value, "alg", names);
}

static int
parse_zone(const struct flow_text *ft, struct span value,
           struct action_ct *ct)
{
    uint64_t number;
    int err;

    if (value.len && value.s[0] >= '0' && value.s[0] <= '9') {
        err = flow_text_number(ft, value, "zone", 0xffff, &number);
        ct->zone = err ? 0 : (uint16_t) number;
        return err;
    }
    err = flow_text_subfield(ft, value, &ct->zone_src);
    if (!err && ct->zone_src.n_bits != 16) {
        return flow_text_fail(ft, value.s, "a zone has 16 bits");
    }
    return err;
}

static int
parse_exec(struct flow_text *ft, const struct item *item,
           struct actions *exec)
{
    int err;

    if (item->mark != '(') {
        return flow_text_fail(ft, item->word.s, "write exec(ACTIONS)");
    }
    if (ft->depth == ACTIONS_MAX_DEPTH) {
        return flow_text_fail(ft, item->word.s, "actions are nested deeper "
                              "than %d", ACTIONS_MAX_DEPTH);
    }
    ft->depth++;
    err = action_text_list(ft, item->value, exec);
    ft->depth--;
    return err;
}

static int
parse_ct_arg(struct flow_text *ft, const struct item *arg,
             struct ct_text *text)
{
    static const char *const words[] = { "commit", "force", "table", "zone",
                                         "nat", "exec", "alg", NULL };
    uint64_t table;
    int err;

    if (span_is(arg->word, "commit")) {
        text->ct.commit = true;
        return flow_text_want_none(ft, arg);
    }
    if (span_is(arg->word, "force")) {
        text->ct.force = true;
        return flow_text_want_none(ft, arg);
    }
    if (span_is(arg->word, "table")) {
        err = flow_text_number(ft, arg->value, "table", OFPTT_MAX, &table);
        text->ct.table = err ? 0 : (uint8_t) table;
        return err;
    }
    if (span_is(arg->word, "zone")) {
        return parse_zone(ft, arg->value, &text->ct);
    }
    if (span_is(arg->word, "alg")) {
        return parse_alg(ft, arg->value, &text->ct.alg);
    }
    if (span_is(arg->word, "nat")) {
        return parse_nat(ft, arg, &text->nat);
    }
    if (span_is(arg->word, "exec")) {
        return parse_exec(ft, arg, &text->exec);
    }
    return flow_text_unknown(ft, arg->word, "argument", words);
}

static void
add_copies(struct actions *actions, struct action_list list)
{
    ACTION_FOR_EACH (a, &list) {
        memcpy(actions_add(actions, a->type, a->len), a, a->len);
    }
}

int
parse_ct(struct flow_text *ft, const struct item *item, uint32_t arg UNUSED,
         struct actions *actions)
{
    struct ct_text text = { .ct.table = CT_NO_TABLE };
    struct span rest = item->value;
    struct action_ct *out;
    struct item each;
    uint32_t mark;
    int err = 0;

    if (item->mark != '(') {
        return flow_text_fail(ft, item->word.s, "write ct(...)");
    }
    while ((err = flow_text_next(ft, &rest, &each)) > 0) {
        err = parse_ct_arg(ft, &each, &text);
        if (err) {
            break;
        }
    }
    if (!err) {
        mark = actions_begin(actions, ACTION_CT, sizeof *out);
        out = (struct action_ct *) (void *) (actions->data + mark);
        text.ct.h = out->h;
        *out = text.ct;
        add_copies(actions, actions_list(&text.nat));
        add_copies(actions, actions_list(&text.exec));
        if (!actions_end(actions, mark)) {
            err = flow_text_fail(ft, item->word.s, "too many actions");
        }
    }
    actions_fini(&text.nat);
    actions_fini(&text.exec);
    return err;
}

static void
format_nested(struct action_list list, const struct flow_text_names *names,
              struct str *s)
{
    if (list.len && list.first->type == ACTION_NAT) {
        uint32_t len = list.first->len;

        format_nat(list.first, names, s);
        str_add_char(s, ',');
        list.first = (const void *) ((const char *) list.first + len);
        list.len -= len;
    }
    if (list.len) {
        str_add(s, "exec(");
        action_list_format_names(list, names, s);
        str_add(s, "),");
    }
}

void
format_ct(const struct action *action, const struct flow_text_names *names,
          struct str *s)
{
    const struct action_ct *ct = (const void *) action;

    str_add(s, "ct(");
    if (ct->commit) {
        str_add(s, "commit,");
    }
    if (ct->force) {
        str_add(s, "force,");
    }
    if (ct->table != CT_NO_TABLE) {
        str_addf(s, "table=%u,", ct->table);
    }
    if (ct->zone_src.n_bits) {
        str_add(s, "zone=");
        flow_text_format_subfield(&ct->zone_src, s);
        str_add_char(s, ',');
    } else if (ct->zone) {
        str_addf(s, "zone=%u,", ct->zone);
    }
    format_nested(action_ct_list(ct), names, s);
    for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
        if (ct->alg == algs[i].port) {
            str_addf(s, "alg=%s,", algs[i].name);
        }
    }
    str_chomp(s, ",");
    str_add_char(s, ')');
}
