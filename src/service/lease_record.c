#include "service/lease_record.h"

#include "packet/cursor.h"
#include "service/record_bytes.h"

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
    p = record_put_bytes(p + 18, r->port, strlen(r->port));
    p = record_put_bytes(p, r->hostname, strlen(r->hostname));
    p = record_put_bytes(p, r->client.bytes, r->client.len);
    return (size_t) (p - out);
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
