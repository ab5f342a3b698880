/* Texts and bytes within records of the store: a length, and what it counts. */
#ifndef WEFT_SERVICE_RECORD_BYTES_H
#define WEFT_SERVICE_RECORD_BYTES_H

#include "packet/cursor.h"

/* `len` is at most 255; returns where the next one goes. */
static inline uint8_t *
record_put_bytes(uint8_t *p, const void *bytes, size_t len)
{
    *p++ = (uint8_t) len;
    memcpy(p, bytes, len);
    return p + len;
}

/* A text of printable bytes without blanks that fits, NUL and all. */
static inline bool
record_take_text(struct cursor *c, char *text, size_t size)
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

#endif
