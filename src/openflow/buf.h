/* Bytes for the wire: a buffer that grows at its end.
 *
 * Numbers go in in host order and lie there in network order.  What is only
 * known later (a length) is patched at an offset; offsets stay valid while the
 * buffer grows, pointers do not. */
#ifndef WEFT_OPENFLOW_BUF_H
#define WEFT_OPENFLOW_BUF_H

#include "lib/types.h"

struct buf {
    uint8_t *data;
    size_t len;
    size_t size;
};

#define BUF_INIT { NULL, 0, 0 }

void buf_fini(struct buf *);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *);
/* Takes the first `n` bytes off: they were sent. */
void buf_pull(struct buf *, size_t n);
/* Hands the bytes over to the caller (free()); the buffer is empty then. */
uint8_t *buf_steal(struct buf *, size_t *len);

/* `n` zeroed bytes at the end, valid until the next call. */
uint8_t *buf_put_zeros(struct buf *, size_t n);
void buf_put(struct buf *, const void *, size_t n);
void buf_put_u8(struct buf *, uint8_t);
void buf_put_u16(struct buf *, uint16_t);
void buf_put_u32(struct buf *, uint32_t);
void buf_put_u64(struct buf *, uint64_t);
/* Zeros until what began at `start` is a multiple of 8 bytes long. */
void buf_pad8(struct buf *, size_t start);

void buf_patch_u16(struct buf *, size_t ofs, uint16_t);
void buf_patch_u32(struct buf *, size_t ofs, uint32_t);

#endif
