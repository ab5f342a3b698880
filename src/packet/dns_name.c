#include "packet/dns.h"

static uint8_t
fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t) (c + 'a' - 'A') : c;
}

int
dns_name_parse(const char *text, struct dns_name *name)
{
    struct dns_name n = { .len = 0 };
    size_t len = strlen(text);

    if (!len) {
        return -EINVAL;
    }
    len -= text[len - 1] == '.';
    while (len) {
        const char *dot = memchr(text, '.', len);
        size_t label = dot ? (size_t) (dot - text) : len;

        if (!label || label > DNS_LABEL_MAX
            || n.len + label + 2 > DNS_NAME_MAX) {
            return -EINVAL;
        }
        n.wire[n.len++] = (uint8_t) label;
        memcpy(n.wire + n.len, text, label);
        n.len = (uint8_t) (n.len + label);
        text += label + (dot != NULL);
        len -= label + (dot != NULL);
    }
    n.wire[n.len++] = 0;
    *name = n;
    return 0;
}

void
dns_name_format(const struct dns_name *name, struct str *s)
{
    if (name->len == 1) {
        str_add_char(s, '.');
    }
    for (unsigned int at = 0; name->wire[at]; ) {
        unsigned int end = at + 1 + name->wire[at];

        str_add(s, at ? "." : "");
        for (at++; at < end; at++) {
            uint8_t c = name->wire[at];

            if (c > ' ' && c < 0x7f && c != '.' && c != '\\') {
                str_add_char(s, (char) c);
            } else {
                str_addf(s, "\\%03u", c);
            }
        }
    }
}

/* Lengths of labels are below 'A': folding whole names is right. */
static bool
wire_eq(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (fold(a[i]) != fold(b[i])) {
            return false;
        }
    }
    return true;
}

bool
dns_name_eq(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && wire_eq(a->wire, b->wire, a->len);
}

bool
dns_name_is_in(const struct dns_name *name, const struct dns_name *zone)
{
    unsigned int at = 0;

    while (name->len - at > zone->len) {
        at += 1u + name->wire[at];
    }
    return name->len - at == zone->len
           && wire_eq(name->wire + at, zone->wire, zone->len);
}

unsigned int
dns_name_n_labels(const struct dns_name *name)
{
    unsigned int n = 0;

    for (unsigned int at = 0; name->wire[at]; at += 1u + name->wire[at]) {
        n++;
    }
    return n;
}

struct dns_name
dns_name_parent(const struct dns_name *name, unsigned int n)
{
    struct dns_name parent = { .len = 0 };
    unsigned int at = 0;

    while (n-- && name->wire[at]) {
        at += 1u + name->wire[at];
    }
    parent.len = (uint8_t) (name->len - at);
    memcpy(parent.wire, name->wire + at, parent.len);
    return parent;
}

int
dns_name_prepend(struct dns_name *name, const char *label, size_t len)
{
    if (!len || len > DNS_LABEL_MAX || name->len + len + 1 > DNS_NAME_MAX) {
        return -EINVAL;
    }
    memmove(name->wire + len + 1, name->wire, name->len);
    name->wire[0] = (uint8_t) len;
    memcpy(name->wire + 1, label, len);
    name->len = (uint8_t) (name->len + len + 1);
    return 0;
}

void
dns_name_fold(struct dns_name *name)
{
    for (unsigned int i = 0; i < name->len; i++) {
        name->wire[i] = fold(name->wire[i]);
    }
}

/* A pointer must lead to before everything that was read of this name, so that
 * there is an end to them.  `limit` is where the last stretch began. */
int
dns_name_decode(struct cursor message, struct cursor *c,
                struct dns_name *name)
{
    struct cursor at = *c;
    const uint8_t *limit = at.p;
    struct dns_name n = { .len = 0 };
    bool jumped = false;

    for (;;) {
        unsigned int len = cursor_u8(&at);
        const uint8_t *label;

        if (len >= 0xc0) {
            size_t target = (len & 0x3f) << 8 | cursor_u8(&at);

            if (cursor_overrun(&at)
                || target >= (size_t) (limit - message.p)) {
                return -EBADMSG;
            }
            if (!jumped) {
                *c = at;
                jumped = true;
            }
            limit = message.p + target;
            at = (struct cursor) { limit, message.end, false };
            continue;
        }
        label = cursor_take(&at, len);
        if (len > DNS_LABEL_MAX || !label || cursor_overrun(&at)
            || n.len + len + 1 > DNS_NAME_MAX - (len ? 1 : 0)) {
            return -EBADMSG;
        }
        n.wire[n.len++] = (uint8_t) len;
        memcpy(n.wire + n.len, label, len);
        n.len = (uint8_t) (n.len + len);
        if (!len) {
            break;
        }
    }
    if (!jumped) {
        *c = at;
    }
    *name = n;
    return 0;
}
