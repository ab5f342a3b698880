/* A string that grows.
 *
 * Always NUL-terminated once anything was added; `str_text` is never NULL.
 * Out of memory aborts (as everywhere in Weft for small control-plane
 * allocations; data path memory is allocated up front and checked). */
#ifndef WEFT_LIB_STR_H
#define WEFT_LIB_STR_H

#include <stdarg.h>

#include "lib/types.h"

struct str {
    char *text;
    size_t len;
    size_t size;
};

#define STR_INIT { NULL, 0, 0 }

void str_fini(struct str *);
void str_clear(struct str *);
void str_add(struct str *, const char *text);
void str_add_char(struct str *, char c);
void str_add_bytes(struct str *, const void *data, size_t len);
void str_addf(struct str *, const char *format, ...) PRINTF_FORMAT(2, 3);
void str_addv(struct str *, const char *format, va_list) PRINTF_FORMAT(2, 0);
/* Replaces the content; for error texts.  `s` may be NULL (nobody asks). */
void str_setf(struct str *, const char *format, ...) PRINTF_FORMAT(2, 3);
/* Cuts trailing characters that occur in `set`. */
void str_chomp(struct str *, const char *set);
/* Hands the text over to the caller (free()); the string is empty then. */
char *str_steal(struct str *);

static inline const char *
str_text(const struct str *s)
{
    return s->text ? s->text : "";
}

/* The nearest of `names` (NULL-terminated) to a misspelt `word`, or NULL when
 * none is near: for "unknown field 'nw_dts'; did you mean 'nw_dst'?". */
const char *str_nearest(const char *word, const char *const *names);

/* malloc and friends that abort instead of failing. */
void *xmalloc(size_t size);
void *xzalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *, size_t size);
void *xmemdup(const void *, size_t size);
char *xstrdup(const char *);
/* Zeroed and aligned to a cache line; free(). */
void *xzalloc_aligned(size_t size);

#endif
