#include "service/path_frame.h"

#include "packet/cursor.h"

enum { MAGIC = 0x77654674, VERSION = 1, BODY_LEN = 17 };
static_assert((int) BODY_LEN <= (int) PATH_FRAME_MIN,
              "the smallest frame has room for all of it");

/* Nobody's, but of the kind that stations give themselves.  The index makes
 * each frame of a round a flow of its own, so that a tunnel never hands some of
 * them to the kernel as one: devices of software let a super-frame pass each of
 * whose segments they drop. */
static struct eth_addr
nobody(uint8_t index)
{
    return (struct eth_addr) { { 0x02, 'p', 'a', 't', 'h', index } };
}

int
path_frame_decode(const void *frame, size_t len, struct path_frame *out)
{
    struct cursor c = cursor_init(frame, len);
    struct path_frame f;
    uint32_t magic;
    uint16_t type;
    uint8_t version, kind;

    cursor_take(&c, 2 * sizeof(struct eth_addr));
    type = cursor_u16(&c);
    magic = cursor_u32(&c);
    version = cursor_u8(&c);
    kind = cursor_u8(&c);
    f.size = cursor_u16(&c);
    f.token = cursor_u64(&c);
    f.index = cursor_u8(&c);
    if (cursor_overrun(&c)) {
        return -EBADMSG;
    }
    if (type != PATH_FRAME_TYPE || magic != MAGIC || version != VERSION
        || (kind != PATH_FRAME_ASK && kind != PATH_FRAME_ANSWER)
        || f.size < PATH_FRAME_MIN || f.size > PATH_FRAME_MAX) {
        return -EPROTO;
    }
    f.kind = kind;
    if (kind == PATH_FRAME_ASK && len < (size_t) ETH_HEADER_LEN + f.size) {
        return -EBADMSG;
    }
    *out = f;
    return 0;
}

size_t
path_frame_encode(const struct path_frame *f, void *frame)
{
    size_t size = f->kind == PATH_FRAME_ASK ? f->size : PATH_FRAME_MIN;
    const struct eth_addr station = nobody(f->index);
    be64 token = htobe64(f->token);
    uint8_t *p = frame;

    memcpy(p, &station, sizeof station);
    memcpy(p + sizeof station, &station, sizeof station);
    put_be16(p + 2 * sizeof station, htobe16(PATH_FRAME_TYPE));
    p += ETH_HEADER_LEN;
    memset(p, 0, size);
    put_be32(p, htobe32(MAGIC));
    p[4] = VERSION;
    p[5] = (uint8_t) f->kind;
    put_be16(p + 6, htobe16(f->size));
    memcpy(p + 8, &token, sizeof token);
    p[16] = f->index;
    return ETH_HEADER_LEN + size;
}
