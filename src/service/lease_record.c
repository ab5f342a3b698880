#include "service/lease_record.h"

#include "packet/cursor.h"

static uint8_t *
put_bytes(uint8_t *p, const void *bytes, size_t len)
{
    *p++ = (uint8_t) len;
    memcpy(p, bytes, len);
    return p + len;
}

size_t
lease_record_encode(const struct lease_record *r,
                    uint8_t out[LEASE_RECORD_MAX])
{
    be64 expires = htobe64((uint64_t) r->expires);
    uint8_t *p = out;

    *p++ = LEASE_RECORD_VERSION;
    *p++ = (uint8_t) r->state;
    put_be32(p, r->addr);
    memcpy(p + 4, &expires, sizeof expires);
    memcpy(p + 12, r->mac.b, sizeof r->mac.b);
    p = put_bytes(p + 18, r->port, strlen(r->port));
    p = put_bytes(p, r->hostname, strlen(r->hostname));
    p = put_bytes(p, r->client.bytes, r->client.len);
    return (size_t) (p - out);
}

/* A text of printable bytes that fits. */
static bool
take_text(struct cursor *c, char *text, size_t size)
{
    size_t len = cursor_u8(c);
    const uint8_t *p = cursor_take(c, len);

    if (!p || len >= size) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (p[i] <= ' ' || p[i] > '~') {
            return false;
        }
    }
    memcpy(text, p, len);
    text[len] = '\0';
    return true;
}

int
lease_record_decode(const void *data, size_t len, struct lease_record *out)
{
    struct cursor c = cursor_init(data, len);
    uint8_t version = cursor_u8(&c);
    struct lease_record r = { .state = cursor_u8(&c) };
    const uint8_t *p;

    if (version != LEASE_RECORD_VERSION) {
        return len ? -EPROTO : -EBADMSG;
    }
    r.addr = htobe32(cursor_u32(&c));
    r.expires = (unix_sec) cursor_u64(&c);
    p = cursor_take(&c, sizeof r.mac.b);
    if (!p || r.state > LEASE_DECLINED) {
        return -EBADMSG;
    }
    memcpy(r.mac.b, p, sizeof r.mac.b);
    if (!take_text(&c, r.port, sizeof r.port)
        || !take_text(&c, r.hostname, sizeof r.hostname)) {
        return -EBADMSG;
    }
    r.client.len = cursor_u8(&c);
    p = cursor_take(&c, r.client.len);
    if (!p || cursor_overrun(&c) || cursor_left(&c)) {
        return -EBADMSG;
    }
    memcpy(r.client.bytes, p, r.client.len);
    *out = r;
    return 0;
}
