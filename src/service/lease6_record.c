#include "service/lease6_record.h"

#include "packet/cursor.h"
#include "service/record_bytes.h"

size_t
lease6_record_encode(const struct lease6_record *r,
                     uint8_t out[LEASE6_RECORD_MAX])
{
    be64 expires = htobe64((uint64_t) r->expires);
    uint8_t *p = out;

    *p++ = LEASE6_RECORD_VERSION;
    *p++ = (uint8_t) r->state;
    memcpy(p, &r->addr, sizeof r->addr);
    memcpy(p + 16, &expires, sizeof expires);
    memcpy(p + 24, r->mac.b, sizeof r->mac.b);
    put_be32(p + 30, htobe32(r->iaid));
    p = record_put_bytes(p + 34, r->port, strlen(r->port));
    p = record_put_bytes(p, r->hostname, strlen(r->hostname));
    p = record_put_bytes(p, r->client.bytes, r->client.len);
    return (size_t) (p - out);
}

int
lease6_record_decode(const void *data, size_t len, struct lease6_record *out)
{
    struct cursor c = cursor_init(data, len);
    uint8_t version = cursor_u8(&c);
    struct lease6_record r = { .state = cursor_u8(&c) };
    const uint8_t *p;

    if (version != LEASE6_RECORD_VERSION) {
        return len ? -EPROTO : -EBADMSG;
    }
    p = cursor_take(&c, sizeof r.addr);
    if (!p || r.state > LEASE_DECLINED) {
        return -EBADMSG;
    }
    memcpy(&r.addr, p, sizeof r.addr);
    r.expires = (unix_sec) cursor_u64(&c);
    p = cursor_take(&c, sizeof r.mac.b);
    if (!p) {
        return -EBADMSG;
    }
    memcpy(r.mac.b, p, sizeof r.mac.b);
    r.iaid = cursor_u32(&c);
    if (!record_take_text(&c, r.port, sizeof r.port)
        || !record_take_text(&c, r.hostname, sizeof r.hostname)) {
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
