#include "openflow/wire_oxs.h"

enum { CLASS_OXS = 0x8002 };

static void
put_header(struct buf *buf, unsigned int field, uint8_t len)
{
    buf_put_u16(buf, CLASS_OXS);
    buf_put_u8(buf, (uint8_t) (field << 1));
    buf_put_u8(buf, len);
}

static void
put_time(struct buf *buf, unsigned int field, uint32_t sec, uint32_t part)
{
    put_header(buf, field, 8);
    buf_put_u32(buf, sec);
    buf_put_u32(buf, part);
}

void
oxs_encode(struct buf *buf, const struct oxs *oxs)
{
    size_t start = buf->len;

    buf_put_u32(buf, 0);
    if (oxs->present & OXS_DURATION) {
        put_time(buf, 0, oxs->duration_sec, oxs->duration_nsec);
    }
    if (oxs->present & OXS_IDLE_TIME) {
        put_time(buf, 1, oxs->idle_sec, 0);
    }
    if (oxs->present & OXS_FLOWS) {
        put_header(buf, 3, 4);
        buf_put_u32(buf, oxs->flows);
    }
    if (oxs->present & OXS_PACKETS) {
        put_header(buf, 4, 8);
        buf_put_u64(buf, oxs->packets);
    }
    if (oxs->present & OXS_BYTES) {
        put_header(buf, 5, 8);
        buf_put_u64(buf, oxs->bytes);
    }
    buf_patch_u16(buf, start + 2, (uint16_t) (buf->len - start));
    buf_pad8(buf, start);
}

static void
decode_field(unsigned int field, struct cursor *c, struct oxs *oxs)
{
    switch (field) {
    case 0:
        oxs->duration_sec = cursor_u32(c);
        oxs->duration_nsec = cursor_u32(c);
        break;
    case 1: oxs->idle_sec = cursor_u32(c); break;
    case 3: oxs->flows = cursor_u32(c); break;
    case 4: oxs->packets = cursor_u64(c); break;
    case 5: oxs->bytes = cursor_u64(c); break;
    default: return;
    }
    oxs->present |= 1u << field;
}

enum of_error
oxs_decode(struct cursor *c, struct oxs *oxs)
{
    struct cursor fields;
    uint16_t len;

    memset(oxs, 0, sizeof *oxs);
    cursor_skip(c, 2);
    len = cursor_u16(c);
    if (cursor_overrun(c) || len < 4
        || ((len + 7u) & ~7u) - 4u > cursor_left(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    fields = cursor_sub(c, len - 4u);
    cursor_skip(c, -len & 7u);
    while (cursor_left(&fields)) {
        uint32_t header = cursor_u32(&fields);
        struct cursor value = cursor_sub(&fields, header & 0xff);

        if (header >> 16 == CLASS_OXS) {
            decode_field(header >> 9 & 0x7f, &value, oxs);
        }
        if (cursor_overrun(&fields) || cursor_overrun(&value)) {
            return OF_BAD_REQUEST_BAD_LEN;
        }
    }
    return OF_OK;
}
