/* Reads bytes from outside, and remembers running out.
 *
 * A read past the end returns zeros (or NULL) and makes cursor_overrun() true
 * for good, so that a decoder reads first and asks once.  Values are returned
 * in host order.  Nothing here can read outside [start, end). */
#ifndef WEFT_PACKET_CURSOR_H
#define WEFT_PACKET_CURSOR_H

#include "lib/types.h"

struct cursor {
    const uint8_t *p;
    const uint8_t *end;
    bool overrun;
};

/* `data` may be NULL when there is nothing. */
static inline struct cursor
cursor_init(const void *data, size_t len)
{
    const uint8_t *p = data;

    /* Even + 0 is not defined for NULL. */
    return (struct cursor) { p, len ? p + len : p, false };
}

static inline bool
cursor_overrun(const struct cursor *c)
{
    return c->overrun;
}

static inline size_t
cursor_left(const struct cursor *c)
{
    return (size_t) (c->end - c->p);
}

/* The next `len` bytes, and steps over them; NULL when there are not so many
 * (then nothing is left). */
static inline const uint8_t *
cursor_take(struct cursor *c, size_t len)
{
    const uint8_t *p = c->p;

    if (UNLIKELY(len > cursor_left(c))) {
        c->overrun = true;
        c->p = c->end;
        return NULL;
    }
    c->p += len;
    return p;
}

static inline uint8_t
cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 1);

    return p ? *p : 0;
}

static inline uint16_t
cursor_u16(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 2);

    return p ? be16toh(get_be16(p)) : 0;
}

static inline uint32_t
cursor_u32(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);

    return p ? be32toh(get_be32(p)) : 0;
}

static inline uint64_t
cursor_u64(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 8);

    return p ? be64toh(get_be64(p)) : 0;
}

static inline void
cursor_skip(struct cursor *c, size_t len)
{
    cursor_take(c, len);
}

/* A cursor over the next `len` bytes, which are stepped over. */
static inline struct cursor
cursor_sub(struct cursor *c, size_t len)
{
    const uint8_t *p = cursor_take(c, len);

    return p ? cursor_init(p, len) : (struct cursor) { c->end, c->end, true };
}

#endif
