#include "packet/dhcp.h"

#include "packet/cursor.h"

enum {
    COOKIE = 0x63825363,
    SNAME_OFS = 44, FILE_OFS = 108,
    OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2,
    OVERLOAD_LEN = 3,             /* the option itself */
};

/* The fields that can hold options. */
struct areas {
    struct cursor c[3];           /* in the order in which pieces join */
    unsigned int n;
};

static bool
has(const struct dhcp_options *o, uint8_t code)
{
    return o->present[code / 64] >> code % 64 & 1;
}

/* Steps over one option; false at the end, or where it runs past it. */
static bool
next_option(struct cursor *c, uint8_t *code, struct dhcp_value *v)
{
    do {
        if (!cursor_left(c)) {
            return false;
        }
        *code = cursor_u8(c);
    } while (*code == DHCP_OPT_PAD);
    if (*code == DHCP_OPT_END) {
        return false;
    }
    v->len = cursor_u8(c);
    v->p = cursor_take(c, v->len);
    return !cursor_overrun(c);
}

static int
find_areas(const uint8_t *data, size_t len, struct areas *areas)
{
    struct cursor walk;
    struct dhcp_value v;
    uint8_t code, overload = 0;

    areas->n = 0;
    walk = cursor_init(data + DHCP_OPTIONS_OFS, len - DHCP_OPTIONS_OFS);
    areas->c[areas->n++] = walk;
    while (next_option(&walk, &code, &v)) {
        if (code == DHCP_OPT_OVERLOAD) {
            if (v.len != 1 || !*v.p || *v.p > 3) {
                return -EBADMSG;
            }
            overload = *v.p;
        }
    }
    if (cursor_overrun(&walk)) {
        return -EBADMSG;
    }
    if (overload & OVERLOAD_FILE) {
        areas->c[areas->n++] = cursor_init(data + FILE_OFS, 128);
    }
    if (overload & OVERLOAD_SNAME) {
        areas->c[areas->n++] = cursor_init(data + SNAME_OFS, 64);
    }
    return 0;
}

/* How long each option is when its pieces are joined. */
static int
measure_options(const struct areas *areas, struct dhcp_options *o)
{
    size_t total = 0;

    for (unsigned int i = 0; i < areas->n; i++) {
        struct cursor walk = areas->c[i];
        struct dhcp_value v;
        uint8_t code;

        while (next_option(&walk, &code, &v)) {
            if (!has(o, code)) {
                o->present[code / 64] |= UINT64_C(1) << code % 64;
                o->at[code].len = 0;
            }
            total += v.len;
            if (total > sizeof o->bytes) {
                return -EMSGSIZE;
            }
            o->at[code].len = (uint16_t) (o->at[code].len + v.len);
        }
        if (cursor_overrun(&walk)) {
            return -EBADMSG;
        }
    }
    return 0;
}

static void
join_options(const struct areas *areas, struct dhcp_options *o)
{
    uint16_t ofs = 0;

    for (unsigned int i = 0; i < 4; i++) {
        for (uint64_t left = o->present[i]; left; left &= left - 1) {
            unsigned int code = i * 64 + (unsigned int) __builtin_ctzll(left);

            o->at[code].ofs = ofs;
            ofs = (uint16_t) (ofs + o->at[code].len);
            o->at[code].len = 0;
        }
    }
    for (unsigned int i = 0; i < areas->n; i++) {
        struct cursor walk = areas->c[i];
        struct dhcp_value v;
        uint8_t code;

        while (next_option(&walk, &code, &v)) {
            memcpy(o->bytes + o->at[code].ofs + o->at[code].len, v.p, v.len);
            o->at[code].len = (uint16_t) (o->at[code].len + v.len);
        }
    }
}

static void
read_header(struct cursor *c, struct dhcp_header *h)
{
    h->op = cursor_u8(c);
    h->htype = cursor_u8(c);
    h->hlen = cursor_u8(c);
    h->hops = cursor_u8(c);
    h->xid = cursor_u32(c);
    h->secs = cursor_u16(c);
    h->flags = cursor_u16(c);
    h->ciaddr = htobe32(cursor_u32(c));
    h->yiaddr = htobe32(cursor_u32(c));
    h->siaddr = htobe32(cursor_u32(c));
    h->giaddr = htobe32(cursor_u32(c));
    memcpy(h->chaddr, cursor_take(c, sizeof h->chaddr), sizeof h->chaddr);
    memcpy(h->sname, cursor_take(c, sizeof h->sname), sizeof h->sname);
    memcpy(h->file, cursor_take(c, sizeof h->file), sizeof h->file);
}

int
dhcp_decode(const void *data, size_t len, struct dhcp_message *msg)
{
    struct cursor c = cursor_init(data, len);
    struct areas areas;
    int err;

    if (len < DHCP_OPTIONS_OFS) {
        return -EPROTO;
    }
    read_header(&c, &msg->header);
    if (cursor_u32(&c) != COOKIE) {
        return -EPROTO;
    }
    memset(msg->options.present, 0, sizeof msg->options.present);
    err = find_areas(data, len, &areas);
    if (!err) {
        err = measure_options(&areas, &msg->options);
    }
    if (!err) {
        join_options(&areas, &msg->options);
    }
    return err;
}

/* --- Values ------------------------------------------------------------- */

bool
dhcp_option_is_there(const struct dhcp_message *msg, uint8_t code)
{
    return has(&msg->options, code);
}

struct dhcp_value
dhcp_option_find(const struct dhcp_message *msg, uint8_t code)
{
    const struct dhcp_options *o = &msg->options;

    if (!has(o, code)) {
        return (struct dhcp_value) { NULL, 0 };
    }
    return (struct dhcp_value) { o->bytes + o->at[code].ofs,
                                 o->at[code].len };
}

bool
dhcp_option_u8(const struct dhcp_message *msg, uint8_t code, uint8_t *out)
{
    struct dhcp_value v = dhcp_option_find(msg, code);

    if (!v.p || v.len != 1) {
        return false;
    }
    *out = *v.p;
    return true;
}

bool
dhcp_option_u16(const struct dhcp_message *msg, uint8_t code, uint16_t *out)
{
    struct dhcp_value v = dhcp_option_find(msg, code);

    if (!v.p || v.len != 2) {
        return false;
    }
    *out = be16toh(get_be16(v.p));
    return true;
}

bool
dhcp_option_u32(const struct dhcp_message *msg, uint8_t code, uint32_t *out)
{
    be32 value;

    if (!dhcp_option_ip4(msg, code, &value)) {
        return false;
    }
    *out = be32toh(value);
    return true;
}

bool
dhcp_option_ip4(const struct dhcp_message *msg, uint8_t code, be32 *out)
{
    struct dhcp_value v = dhcp_option_find(msg, code);

    if (!v.p || v.len != 4) {
        return false;
    }
    *out = get_be32(v.p);
    return true;
}

struct dhcp_value
dhcp_sub_option_find(struct dhcp_value outer, uint8_t wanted)
{
    struct cursor c = cursor_init(outer.p, outer.len);

    while (cursor_left(&c)) {
        uint8_t code = cursor_u8(&c), len = cursor_u8(&c);
        const uint8_t *p = cursor_take(&c, len);

        if (cursor_overrun(&c)) {
            break;
        }
        if (code == wanted) {
            return (struct dhcp_value) { p, len };
        }
    }
    return (struct dhcp_value) { NULL, 0 };
}

/* --- Writing ------------------------------------------------------------ */

/* A field that options go into.  The byte for its end option is not in it. */
struct room {
    uint8_t *p;
    size_t left;
};

/* Bytes in a message, with a header for each piece of 255. */
static size_t
item_size(const struct dhcp_item *item)
{
    size_t n_pieces = item->len ? (item->len + 254u) / 255 : 1;

    return item->len + 2 * n_pieces;
}

static bool
put_item(struct room *room, const struct dhcp_item *item)
{
    const uint8_t *value = item->value;
    size_t left = item->len;

    if (item_size(item) > room->left) {
        return false;
    }
    room->left -= item_size(item);
    do {
        uint8_t len = (uint8_t) MIN(left, (size_t) 255);

        *room->p++ = item->code;
        *room->p++ = len;
        if (len) {
            memcpy(room->p, value, len);
            value += len;
        }
        room->p += len;
        left -= len;
    } while (left);
    return true;
}

static void
write_header(uint8_t *out, const struct dhcp_header *h)
{
    out[0] = h->op;
    out[1] = h->htype;
    out[2] = h->hlen;
    out[3] = h->hops;
    put_be32(out + 4, htobe32(h->xid));
    put_be16(out + 8, htobe16(h->secs));
    put_be16(out + 10, htobe16(h->flags));
    put_be32(out + 12, h->ciaddr);
    put_be32(out + 16, h->yiaddr);
    put_be32(out + 20, h->siaddr);
    put_be32(out + 24, h->giaddr);
    memcpy(out + 28, h->chaddr, sizeof h->chaddr);
    memcpy(out + SNAME_OFS, h->sname, sizeof h->sname);
    memcpy(out + FILE_OFS, h->file, sizeof h->file);
    put_be32(out + DHCP_HEADER_LEN, htobe32(COOKIE));
}

/* Takes `n` bytes off for what comes last. */
static bool
set_aside(struct room *room, size_t n)
{
    if (n > room->left) {
        return false;
    }
    room->left -= n;
    return true;
}

size_t
dhcp_encode(const struct dhcp_header *h, const struct dhcp_item *items,
            unsigned int n, uint8_t *out, size_t max_len,
            unsigned int *n_left_out)
{
    struct room options = { out + DHCP_OPTIONS_OFS,
                            max_len - DHCP_OPTIONS_OFS - 1 };
    struct room file = { out + FILE_OFS, h->file[0] ? 0 : 127 };
    struct room sname = { out + SNAME_OFS, h->sname[0] ? 0 : 63 };
    const struct dhcp_item *relay = NULL;
    uint8_t overload = 0;
    size_t size = 0, len;
    bool may_overload;

    *n_left_out = 0;
    write_header(out, h);
    for (unsigned int i = 0; i < n; i++) {
        size += item_size(&items[i]);
        if (items[i].code == DHCP_OPT_RELAY) {
            relay = &items[i];
        }
    }
    if (relay && !set_aside(&options, item_size(relay))) {
        relay = NULL;
        ++*n_left_out;
    }
    may_overload = size > max_len - DHCP_OPTIONS_OFS - 1
                   && set_aside(&options, OVERLOAD_LEN);

    for (unsigned int i = 0; i < n; i++) {
        if (items[i].code == DHCP_OPT_RELAY
            || put_item(&options, &items[i])) {
            continue;
        }
        if (may_overload && put_item(&file, &items[i])) {
            overload |= OVERLOAD_FILE;
        } else if (may_overload && put_item(&sname, &items[i])) {
            overload |= OVERLOAD_SNAME;
        } else {
            ++*n_left_out;
        }
    }
    if (overload & OVERLOAD_FILE) {
        *file.p = DHCP_OPT_END;
    }
    if (overload & OVERLOAD_SNAME) {
        *sname.p = DHCP_OPT_END;
    }
    if (overload) {
        options.left += OVERLOAD_LEN;
        put_item(&options, &(struct dhcp_item) { DHCP_OPT_OVERLOAD, 1,
                                                 &overload });
    }
    if (relay) {
        options.left += item_size(relay);
        put_item(&options, relay);
    }
    *options.p++ = DHCP_OPT_END;
    len = (size_t) (options.p - out);
    if (len < DHCP_MIN_LEN) {
        memset(options.p, DHCP_OPT_PAD, DHCP_MIN_LEN - len);
        len = DHCP_MIN_LEN;
    }
    return len;
}
