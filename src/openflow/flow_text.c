#include "openflow/flow_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { MAX_VALUE = 160 };         /* bytes of one value, its mask included */

int
flow_text_fail(const struct flow_text *ft, const char *at,
               const char *format, ...)
{
    va_list args;

    if (ft->error) {
        str_clear(ft->error);
        str_addf(ft->error, "at %zu: ", (size_t) (at - ft->start) + 1);
        va_start(args, format);
        str_addv(ft->error, format, args);
        va_end(args);
    }
    return -EINVAL;
}

int
flow_text_unknown(const struct flow_text *ft, struct span word,
                  const char *kind, const char *const *names)
{
    const char *nearest;
    char copy[32];

    snprintf(copy, sizeof copy, "%.*s", (int) MIN(word.len, sizeof copy - 1),
             word.s);
    nearest = str_nearest(copy, names);
    if (nearest) {
        return flow_text_fail(ft, word.s, "unknown %s '%s'; did you mean "
                              "'%s'?", kind, copy, nearest);
    }
    return flow_text_fail(ft, word.s, "unknown %s '%s'", kind, copy);
}

bool
span_is(struct span span, const char *text)
{
    return strlen(text) == span.len && !memcmp(span.s, text, span.len);
}

bool
span_is_nocase(struct span span, const char *text)
{
    return strlen(text) == span.len && !strncasecmp(span.s, text, span.len);
}

static bool
is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cuts off what goes on until a separator, or a closing bracket, outside of
 * brackets and quotes.  False when those do not close; `value` ends where that
 * shows. */
static bool
cut_value(struct span rest, bool until_bracket, struct span *value)
{
    unsigned int depth = 0;
    bool is_quoted = false;

    *value = (struct span) { rest.s, 0 };
    for (; value->len < rest.len; value->len++) {
        char c = rest.s[value->len];

        if (is_quoted) {
            is_quoted = c != '"';
        } else if (c == '"') {
            is_quoted = true;
        } else if (c == '(') {
            depth++;
        } else if (c == ')') {
            if (!depth) {
                return until_bracket;
            }
            depth--;
        } else if (!depth && !until_bracket && is_separator(c)) {
            return true;
        }
    }
    return !depth && !is_quoted && !until_bracket;
}

static void
skip(struct span *span, size_t n)
{
    span->s += n;
    span->len -= n;
}

/* A word ends at a separator or at the mark of a value; quotes protect. */
static size_t
word_len(struct span rest)
{
    bool is_quoted = false;
    size_t i;

    for (i = 0; i < rest.len; i++) {
        char c = rest.s[i];

        if (c == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && (is_separator(c) || strchr("=:()", c))) {
            break;
        }
    }
    return i;
}

int
flow_text_next(const struct flow_text *ft, struct span *rest,
               struct item *item)
{
    while (rest->len && is_separator(*rest->s)) {
        skip(rest, 1);
    }
    if (!rest->len) {
        return 0;
    }
    *item = (struct item) { .word = { rest->s, word_len(*rest) } };
    if (!item->word.len) {
        return flow_text_fail(ft, rest->s, "a word is missing before '%c'",
                              *rest->s);
    }
    skip(rest, item->word.len);
    item->value.s = rest->s;
    if (!rest->len || is_separator(*rest->s)) {
        return 1;
    }
    item->mark = *rest->s;
    skip(rest, 1);
    if (!cut_value(*rest, item->mark == '(', &item->value)
        || item->mark == ')') {
        return flow_text_fail(ft, item->value.s + item->value.len,
                              "brackets or quotes do not match");
    }
    skip(rest, item->value.len);
    if (item->mark == '(') {
        skip(rest, 1);
        if (rest->len > 2 && !memcmp(rest->s, "->", 2)
            && span_is_nocase(item->word, "check_pkt_larger")) {
            skip(rest, 2);
            cut_value(*rest, false, &item->to);
            skip(rest, item->to.len);
        }
        if (rest->len && !is_separator(*rest->s)) {
            return flow_text_fail(ft, rest->s, "a comma is missing after ')'");
        }
    }
    return 1;
}

int
flow_text_want_value(const struct flow_text *ft, const struct item *item)
{
    if (!item->mark || !item->value.len) {
        return flow_text_fail(ft, item->word.s, "%.*s needs a value",
                              (int) item->word.len, item->word.s);
    }
    return 0;
}

int
flow_text_want_none(const struct flow_text *ft, const struct item *item)
{
    if (item->mark) {
        return flow_text_fail(ft, item->value.s, "%.*s takes no value",
                              (int) item->word.len, item->word.s);
    }
    return 0;
}

static bool
parse_u128(struct span span, u128 *value)
{
    static const char digits[] = "0123456789abcdef";
    bool is_hex = span.len > 2 && span.s[0] == '0'
                  && (span.s[1] == 'x' || span.s[1] == 'X');
    unsigned int base = is_hex ? 16 : 10;
    u128 v = 0;

    if (is_hex) {
        skip(&span, 2);
    }
    if (!span.len) {
        return false;
    }
    for (; span.len; skip(&span, 1)) {
        const char *digit = memchr(digits, tolower((unsigned char) *span.s),
                                   base);
        unsigned int d;

        if (!digit) {
            return false;
        }
        d = (unsigned int) (digit - digits);
        /* No division by what is not constant: 128 bits make it slow. */
        if (is_hex ? v >> 124 != 0
                   : v >= ~(u128) 0 / 10 && (v > ~(u128) 0 / 10 || d > 5)) {
            return false;
        }
        v = v * base + d;
    }
    *value = v;
    return true;
}

static unsigned int
hex_digit(char c)
{
    return c <= '9' ? (unsigned int) (c - '0')
           : (unsigned int) (tolower((unsigned char) c) - 'a' + 10);
}

int
flow_text_u128(const struct flow_text *ft, struct span span,
               const char *what, u128 *value)
{
    if (!parse_u128(span, value)) {
        return flow_text_fail(ft, span.s, "%s: '%.*s' is not a number", what,
                              (int) MIN(span.len, 40u), span.s);
    }
    return 0;
}

int
flow_text_number(const struct flow_text *ft, struct span span,
                 const char *what, uint64_t max, uint64_t *value)
{
    u128 v;
    int err = flow_text_u128(ft, span, what, &v);

    if (err) {
        return err;
    }
    if (v > max) {
        return flow_text_fail(ft, span.s, "%s: %.*s is more than %" PRIu64,
                              what, (int) MIN(span.len, 40u), span.s, max);
    }
    *value = (uint64_t) v;
    return 0;
}

static int
number_or_ones(const struct flow_text *ft, struct span span, const char *what,
               uint64_t *value)
{
    if (span_is(span, "-1")) {
        *value = UINT64_MAX;
        return 0;
    }
    return flow_text_number(ft, span, what, UINT64_MAX, value);
}

int
flow_text_masked(const struct flow_text *ft, struct span span,
                 const char *what, uint64_t *value, uint64_t *mask,
                 bool *has_mask)
{
    const char *slash = memchr(span.s, '/', span.len);
    uint64_t v, m = UINT64_MAX;
    int err;

    if (slash) {
        struct span after = { slash + 1,
                              span.len - (size_t) (slash + 1 - span.s) };

        err = number_or_ones(ft, after, what, &m);
        if (err) {
            return err;
        }
        span.len = (size_t) (slash - span.s);
    }
    err = number_or_ones(ft, span, what, &v);
    if (err) {
        return err;
    }
    *value = v;
    *mask = m;
    *has_mask = slash;
    return 0;
}

int
flow_text_hex(const struct flow_text *ft, struct span span, const char *what,
              size_t max, uint8_t **bytes, size_t *n_bytes)
{
    uint8_t *out = xmalloc(span.len / 2 + 1);
    size_t n = 0;

    for (size_t i = 0; i < span.len; i++) {
        if (span.s[i] != '.') {
            struct span pair = { span.s + i, 2 };

            if (++i >= span.len || n == max
                || !isxdigit((unsigned char) pair.s[0])
                || !isxdigit((unsigned char) pair.s[1])) {
                free(out);
                return flow_text_fail(ft, span.s, "%s is pairs of hex digits, "
                                      "such as 01.02.ff", what);
            }
            out[n++] = (uint8_t) (hex_digit(pair.s[0]) << 4
                                  | hex_digit(pair.s[1]));
        }
    }
    *bytes = out;
    *n_bytes = n;
    return 0;
}

void
flow_text_format_hex(const uint8_t *bytes, size_t n, struct str *s)
{
    for (size_t i = 0; i < n; i++) {
        str_addf(s, "%s%02x", i ? "." : "", bytes[i]);
    }
}

/* ---- Ports ---- */

static const struct {
    const char *name;
    uint32_t port;
} reserved_ports[] = {
    { "IN_PORT", OFPP_IN_PORT }, { "TABLE", OFPP_TABLE },
    { "NORMAL", OFPP_NORMAL }, { "FLOOD", OFPP_FLOOD }, { "ALL", OFPP_ALL },
    { "CONTROLLER", OFPP_CONTROLLER }, { "LOCAL", OFPP_LOCAL },
    { "ANY", OFPP_ANY }, { "NONE", OFPP_ANY },
};

bool
flow_text_try_port(const struct flow_text *ft, struct span span,
                   uint32_t *port)
{
    char name[64];
    u128 number;

    if (parse_u128(span, &number)) {
        *port = (uint32_t) number;
        return number <= UINT32_MAX;
    }
    for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
        if (span_is_nocase(span, reserved_ports[i].name)) {
            *port = reserved_ports[i].port;
            return true;
        }
    }
    if (span.len >= 2 && span.s[0] == '"' && span.s[span.len - 1] == '"') {
        skip(&span, 1);
        span.len--;
    }
    if (!ft->names || !ft->names->port_number || span.len >= sizeof name) {
        return false;
    }
    snprintf(name, sizeof name, "%.*s", (int) span.len, span.s);
    *port = ft->names->port_number(ft->names->aux, name);
    return *port != 0;
}

int
flow_text_port(const struct flow_text *ft, struct span span, uint32_t *port)
{
    if (!flow_text_try_port(ft, span, port)) {
        return flow_text_fail(ft, span.s, "'%.*s' is not a port",
                              (int) MIN(span.len, 40u), span.s);
    }
    return 0;
}

/* Can the name stand where a port may, and mean nothing else? */
static bool
is_plain(const char *name)
{
    const struct span span = { name, strlen(name) };
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
        if (span_is_nocase(span, reserved_ports[i].name)) {
            return false;
        }
    }
    return len && !name[len] && !isdigit((unsigned char) name[0])
           && name[0] != '-' && name[0] != '.' && !flow_text_field(span);
}

void
flow_text_format_port(uint32_t port, const struct flow_text_names *names,
                      struct str *s)
{
    const char *name = names && names->port_name
                       ? names->port_name(names->aux, port) : NULL;

    if (name && is_plain(name)) {
        str_add(s, name);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
        if (port == reserved_ports[i].port) {
            str_add(s, reserved_ports[i].name);
            return;
        }
    }
    str_addf(s, "%u", port);
}

/* ---- Fields ---- */

int
flow_text_value(const struct flow_text *ft, const struct field *field,
                struct span span, u128 *value, u128 *mask)
{
    struct str why = STR_INIT;
    char copy[MAX_VALUE];
    uint32_t port;
    int err;

    if (field->format == FORMAT_PORT
        && flow_text_try_port(ft, span, &port)) {
        *value = port;
        *mask = field_ones(field);
        return 0;
    }
    if (span.len >= sizeof copy || memchr(span.s, '\0', span.len)) {
        return flow_text_fail(ft, span.s, "%s: the value is too long",
                              field->name);
    }
    memcpy(copy, span.s, span.len);
    copy[span.len] = '\0';
    err = field_parse(field, copy, value, mask, &why);
    if (err) {
        flow_text_fail(ft, span.s, "%s", str_text(&why));
    }
    str_fini(&why);
    return err;
}

const struct field *
flow_text_field(struct span span)
{
    char name[48];

    if (!span.len || span.len >= sizeof name
        || memchr(span.s, '\0', span.len)) {
        return NULL;
    }
    memcpy(name, span.s, span.len);
    name[span.len] = '\0';
    return field_by_name(name);
}

/* Ports have 16 bits where NXM names them; reserved ones are those of OpenFlow
 * 1.0 there. */
static unsigned int
width(const struct field *field, bool is_nxm)
{
    return field->id == FIELD_IN_PORT && is_nxm ? 16 : field->n_bits;
}

static bool
fits_nxm(const struct subfield *sub)
{
    return sub->ofs + sub->n_bits <= 16;
}

bool
flow_text_is_whole(const struct subfield *sub)
{
    return !sub->ofs && sub->n_bits == width(field_by_id(sub->field),
                                             fits_nxm(sub));
}

static int
unknown_field(const struct flow_text *ft, struct span span)
{
    const char *names[2 * N_FIELDS + 1];
    size_t n = 0;

    for (unsigned int i = 0; i < N_FIELDS; i++) {
        const struct field *field = field_by_id(i);

        names[n++] = field->name;
        if (field->alias) {
            names[n++] = field->alias;
        }
    }
    names[n] = NULL;
    return flow_text_unknown(ft, span, "field", names);
}

/* "3", "0..15", or nothing for the whole field. */
static int
parse_range(const struct flow_text *ft, const struct field *field,
            unsigned int n_bits, struct span range, struct subfield *sub)
{
    const char *dots = memmem(range.s, range.len, "..", 2);
    struct span first = range, last = range;
    uint64_t a = 0, b = n_bits - 1u;
    int err = 0;

    if (dots) {
        first.len = (size_t) (dots - range.s);
        last = (struct span) { dots + 2, range.len - first.len - 2 };
    }
    if (range.len) {
        err = flow_text_number(ft, first, "bit", 127, &a);
        err = err ? err : flow_text_number(ft, last, "bit", 127, &b);
    }
    if (err) {
        return err;
    }
    if (b < a || b >= n_bits) {
        return flow_text_fail(ft, range.s, "%s has no bits %" PRIu64 "..%"
                              PRIu64 ", it is %u bits wide", field->name, a,
                              b, n_bits);
    }
    sub->field = (uint16_t) field->id;
    sub->ofs = (uint8_t) a;
    sub->n_bits = (uint8_t) (b - a + 1);
    return 0;
}

int
flow_text_subfield(const struct flow_text *ft, struct span span,
                   struct subfield *sub)
{
    const char *bracket = memchr(span.s, '[', span.len);
    struct span name = span, range = { span.s + span.len, 0 };
    const struct field *field;
    bool is_oxm;

    if (bracket) {
        name.len = (size_t) (bracket - span.s);
        range = (struct span) { bracket + 1, span.len - name.len - 1 };
        if (!range.len || range.s[range.len - 1] != ']') {
            return flow_text_fail(ft, bracket, "']' is missing");
        }
        range.len--;
    }
    is_oxm = span_is_nocase(name, "OXM_OF_IN_PORT")
             || span_is_nocase(name, "in_port_oxm");
    field = is_oxm ? field_by_id(FIELD_IN_PORT) : flow_text_field(name);
    if (!field) {
        return unknown_field(ft, name);
    }
    return parse_range(ft, field, width(field, !is_oxm), range, sub);
}

void
flow_text_format_subfield(const struct subfield *sub, struct str *s)
{
    const struct field *field = field_by_id(sub->field);

    if (field->id == FIELD_IN_PORT) {
        str_add(s, fits_nxm(sub) ? "NXM_OF_IN_PORT" : "OXM_OF_IN_PORT");
    } else {
        field_format_wire_name(field, s);
    }
    if (flow_text_is_whole(sub)) {
        str_add(s, "[]");
    } else if (sub->n_bits == 1) {
        str_addf(s, "[%u]", sub->ofs);
    } else {
        str_addf(s, "[%u..%u]", sub->ofs, sub->ofs + sub->n_bits - 1u);
    }
}

int
flow_text_writable(const struct flow_text *ft, struct span span,
                   const struct field **out)
{
    const struct field *field = flow_text_field(span);

    if (!field) {
        return unknown_field(ft, span);
    }
    if (!(field->flags & FIELD_WRITABLE)) {
        return flow_text_fail(ft, span.s, "%s cannot be written",
                              field->name);
    }
    *out = field;
    return 0;
}

int
flow_text_arrow(const struct flow_text *ft, struct span span,
                struct span *from, struct span *to)
{
    const char *arrow = memmem(span.s, span.len, "->", 2);

    if (!arrow) {
        return flow_text_fail(ft, span.s, "'->' is missing");
    }
    *from = (struct span) { span.s, (size_t) (arrow - span.s) };
    *to = (struct span) { arrow + 2, span.len - from->len - 2 };
    return 0;
}
