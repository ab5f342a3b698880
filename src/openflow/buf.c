#include "openflow/buf.h"

#include <stdlib.h>

#include "lib/str.h"

void
buf_fini(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf) BUF_INIT;
}

void
buf_clear(struct buf *buf)
{
    buf->len = 0;
}

void
buf_pull(struct buf *buf, size_t n)
{
    assert(n <= buf->len);
    buf->len -= n;
    if (buf->len) {
        memmove(buf->data, buf->data + n, buf->len);
    }
}

uint8_t *
buf_steal(struct buf *buf, size_t *len)
{
    uint8_t *data = buf->data;

    *len = buf->len;
    *buf = (struct buf) BUF_INIT;
    return data;
}

static uint8_t *
extend(struct buf *buf, size_t n)
{
    uint8_t *p;

    if (buf->size - buf->len < n) {
        buf->size = MAX(buf->size * 2, buf->len + n + 64);
        buf->data = xrealloc(buf->data, buf->size);
    }
    p = buf->data + buf->len;
    buf->len += n;
    return p;
}

uint8_t *
buf_put_zeros(struct buf *buf, size_t n)
{
    return memset(extend(buf, n), 0, n);
}

void
buf_put(struct buf *buf, const void *data, size_t n)
{
    if (n) {
        memcpy(extend(buf, n), data, n);
    }
}

void
buf_put_u8(struct buf *buf, uint8_t v)
{
    *extend(buf, 1) = v;
}

void
buf_put_u16(struct buf *buf, uint16_t v)
{
    put_be16(extend(buf, 2), htobe16(v));
}

void
buf_put_u32(struct buf *buf, uint32_t v)
{
    put_be32(extend(buf, 4), htobe32(v));
}

void
buf_put_u64(struct buf *buf, uint64_t v)
{
    be64 be = htobe64(v);

    buf_put(buf, &be, sizeof be);
}

void
buf_pad8(struct buf *buf, size_t start)
{
    size_t over = (buf->len - start) % 8;

    if (over) {
        buf_put_zeros(buf, 8 - over);
    }
}

void
buf_patch_u16(struct buf *buf, size_t ofs, uint16_t v)
{
    put_be16(buf->data + ofs, htobe16(v));
}

void
buf_patch_u32(struct buf *buf, size_t ofs, uint32_t v)
{
    put_be32(buf->data + ofs, htobe32(v));
}
