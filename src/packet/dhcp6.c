#include "packet/dhcp6.h"

/* --- Reading ------------------------------------------------------------ */

bool
dhcp6_options_are_sound(struct dhcp6_options options)
{
    struct cursor c = cursor_init(options.p, options.len);

    while (cursor_left(&c)) {
        cursor_skip(&c, 2);
        cursor_skip(&c, cursor_u16(&c));
    }
    return !cursor_overrun(&c);
}

bool
dhcp6_options_next(struct dhcp6_options *left, struct dhcp6_option *option)
{
    struct cursor c = cursor_init(left->p, left->len);

    if (!cursor_left(&c)) {
        return false;
    }
    option->code = cursor_u16(&c);
    option->value.len = cursor_u16(&c);
    option->value.p = cursor_take(&c, option->value.len);
    *left = (struct dhcp6_options) { c.p, cursor_left(&c) };
    return !cursor_overrun(&c);
}

struct dhcp6_options
dhcp6_option_find(struct dhcp6_options options, uint16_t code)
{
    struct dhcp6_option option;

    while (dhcp6_options_next(&options, &option)) {
        if (option.code == code) {
            return option.value;
        }
    }
    return (struct dhcp6_options) { NULL, 0 };
}

static bool
is_relays(uint8_t type)
{
    return type == DHCP6_RELAY_FORW || type == DHCP6_RELAY_REPL;
}

/* What is left of it: a chain of options. */
static bool
take_options(struct cursor *c, struct dhcp6_options *options)
{
    *options = (struct dhcp6_options) { c->p, cursor_left(c) };
    return !cursor_overrun(c) && dhcp6_options_are_sound(*options);
}

int
dhcp6_decode(const void *data, size_t len, struct dhcp6_message *out)
{
    struct cursor c = cursor_init(data, len);
    uint32_t word = cursor_u32(&c);
    struct dhcp6_message m = { .type = (uint8_t) (word >> 24),
                               .xid = word & 0xffffff };

    if (is_relays(m.type)) {
        return -EPROTO;
    }
    if (!take_options(&c, &m.options)) {
        return -EBADMSG;
    }
    *out = m;
    return 0;
}

static struct ip6_addr
take_address(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, sizeof(struct ip6_addr));
    struct ip6_addr addr = { { 0 } };

    if (p) {
        memcpy(&addr, p, sizeof addr);
    }
    return addr;
}

int
dhcp6_relay_decode(const void *data, size_t len, struct dhcp6_relay *out)
{
    struct cursor c = cursor_init(data, len);
    struct dhcp6_relay r = { .type = cursor_u8(&c) };

    if (len && !is_relays(r.type)) {
        return -EPROTO;
    }
    r.hops = cursor_u8(&c);
    r.link = take_address(&c);
    r.peer = take_address(&c);
    if (!take_options(&c, &r.options)) {
        return -EBADMSG;
    }
    *out = r;
    return 0;
}

bool
dhcp6_ia_decode(struct dhcp6_options value, struct dhcp6_ia *out)
{
    struct cursor c = cursor_init(value.p, value.len);
    struct dhcp6_ia ia = { .iaid = cursor_u32(&c) };

    ia.t1 = cursor_u32(&c);
    ia.t2 = cursor_u32(&c);
    if (!take_options(&c, &ia.options)) {
        return false;
    }
    *out = ia;
    return true;
}

bool
dhcp6_address_decode(struct dhcp6_options value, struct dhcp6_address *out)
{
    struct cursor c = cursor_init(value.p, value.len);
    struct dhcp6_address a = { .addr = take_address(&c) };

    a.preferred = cursor_u32(&c);
    a.valid = cursor_u32(&c);
    if (!take_options(&c, &a.options)) {
        return false;
    }
    *out = a;
    return true;
}

bool
dhcp6_is_wanted(struct dhcp6_options oro, uint16_t code)
{
    struct cursor c = cursor_init(oro.p, oro.len);

    while (cursor_left(&c) >= 2) {
        if (cursor_u16(&c) == code) {
            return true;
        }
    }
    return false;
}

/* --- Writing ------------------------------------------------------------ */

void
dhcp6_writer_init(struct dhcp6_writer *w, uint8_t *p, size_t size)
{
    *w = (struct dhcp6_writer) { .p = p, .size = size };
}

void
dhcp6_put(struct dhcp6_writer *w, const void *data, size_t len)
{
    if (w->is_full || len > w->size - w->len) {
        w->is_full = true;
        return;
    }
    if (len) {
        memcpy(w->p + w->len, data, len);
        w->len += len;
    }
}

void
dhcp6_put_u8(struct dhcp6_writer *w, uint8_t value)
{
    dhcp6_put(w, &value, sizeof value);
}

void
dhcp6_put_u16(struct dhcp6_writer *w, uint16_t value)
{
    be16 wire = htobe16(value);

    dhcp6_put(w, &wire, sizeof wire);
}

void
dhcp6_put_u32(struct dhcp6_writer *w, uint32_t value)
{
    be32 wire = htobe32(value);

    dhcp6_put(w, &wire, sizeof wire);
}

size_t
dhcp6_begin(struct dhcp6_writer *w, uint16_t code)
{
    size_t start = w->len;

    if (!w->depth++) {
        w->outermost = start;
    }
    dhcp6_put_u16(w, code);
    dhcp6_put_u16(w, 0);
    return start;
}

void
dhcp6_end(struct dhcp6_writer *w, size_t start)
{
    size_t len = w->len - start - DHCP6_OPTION_HEADER_LEN;

    w->depth--;
    if (!w->is_full && len <= UINT16_MAX) {
        put_be16(w->p + start + 2, htobe16((uint16_t) len));
        return;
    }
    w->is_full = true;
    if (!w->depth) {
        w->len = w->outermost;
        w->is_full = false;
        w->n_left_out++;
    }
}

void
dhcp6_put_option(struct dhcp6_writer *w, uint16_t code, const void *value,
                 size_t len)
{
    size_t start = dhcp6_begin(w, code);

    dhcp6_put(w, value, len);
    dhcp6_end(w, start);
}

void
dhcp6_put_status(struct dhcp6_writer *w, enum dhcp6_status status,
                 const char *text)
{
    size_t start = dhcp6_begin(w, DHCP6_OPT_STATUS);

    dhcp6_put_u16(w, (uint16_t) status);
    dhcp6_put(w, text, strlen(text));
    dhcp6_end(w, start);
}

bool
dhcp6_put_name(struct dhcp6_writer *w, const char *name)
{
    enum { MAX_LABEL = 63, MAX_NAME = 253 };

    if (!*name || strlen(name) > MAX_NAME) {
        return false;
    }
    for (const char *label = name; *label;) {
        size_t n = strcspn(label, ".");

        if (!n || n > MAX_LABEL) {
            return false;
        }
        label += n + (label[n] == '.');
    }
    while (*name) {
        size_t n = strcspn(name, ".");

        dhcp6_put_u8(w, (uint8_t) n);
        dhcp6_put(w, name, n);
        name += n + (name[n] == '.');
    }
    dhcp6_put_u8(w, 0);
    return true;
}
