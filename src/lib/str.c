#include "lib/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static void *
check(void *p)
{
    if (!p) {
        fputs("weft: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *
xmalloc(size_t size)
{
    return check(malloc(size ? size : 1));
}

void *
xzalloc(size_t size)
{
    return xcalloc(1, size);
}

void *
xcalloc(size_t n, size_t size)
{
    return check(n && size ? calloc(n, size) : calloc(1, 1));
}

void *
xrealloc(void *p, size_t size)
{
    return check(realloc(p, size ? size : 1));
}

void *
xmemdup(const void *p, size_t size)
{
    void *copy = xmalloc(size);

    memcpy(copy, p, size);
    return copy;
}

char *
xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

void *
xzalloc_aligned(size_t size)
{
    size_t rounded = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void *p = check(aligned_alloc(CACHE_LINE, rounded));

    memset(p, 0, rounded);
    return p;
}

static void
reserve(struct str *s, size_t n)
{
    if (s->len + n + 1 > s->size) {
        s->size = MAX(s->size * 2, s->len + n + 32);
        s->text = xrealloc(s->text, s->size);
    }
}

void
str_fini(struct str *s)
{
    free(s->text);
    *s = (struct str) STR_INIT;
}

void
str_clear(struct str *s)
{
    s->len = 0;
    if (s->text) {
        s->text[0] = '\0';
    }
}

void
str_add_bytes(struct str *s, const void *data, size_t len)
{
    reserve(s, len);
    if (len) {
        memcpy(s->text + s->len, data, len);
    }
    s->len += len;
    s->text[s->len] = '\0';
}

void
str_add(struct str *s, const char *text)
{
    str_add_bytes(s, text, strlen(text));
}

void
str_add_char(struct str *s, char c)
{
    str_add_bytes(s, &c, 1);
}

void
str_addv(struct str *s, const char *format, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    reserve(s, 0);
    n = vsnprintf(s->text + s->len, s->size - s->len, format, args);
    if (n > 0 && (size_t) n >= s->size - s->len) {
        reserve(s, (size_t) n);
        n = vsnprintf(s->text + s->len, s->size - s->len, format, again);
    }
    if (n > 0) {
        s->len += (size_t) n;
    }
    va_end(again);
}

void
str_addf(struct str *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    str_addv(s, format, args);
    va_end(args);
}

void
str_setf(struct str *s, const char *format, ...)
{
    va_list args;

    if (!s) {
        return;
    }
    str_clear(s);
    va_start(args, format);
    str_addv(s, format, args);
    va_end(args);
}

void
str_chomp(struct str *s, const char *set)
{
    while (s->len && strchr(set, s->text[s->len - 1])) {
        s->text[--s->len] = '\0';
    }
}

char *
str_steal(struct str *s)
{
    char *text = s->text ? s->text : xstrdup("");

    *s = (struct str) STR_INIT;
    return text;
}

/* Levenshtein distance, words cut to 31 characters. */
static unsigned int
distance(const char *a, const char *b)
{
    size_t a_len = strnlen(a, 31), b_len = strnlen(b, 31);
    unsigned int row[32];

    for (size_t j = 0; j <= b_len; j++) {
        row[j] = (unsigned int) j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        unsigned int diagonal = row[0];

        row[0] = (unsigned int) i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned int change = diagonal + (a[i - 1] != b[j - 1]);
            unsigned int insert = MIN(row[j], row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = MIN(change, insert);
        }
    }
    return row[b_len];
}

const char *
str_nearest(const char *word, const char *const *names)
{
    const char *best = NULL;
    unsigned int best_distance = (unsigned int) strnlen(word, 31) / 3 + 1;

    for (; *names; names++) {
        unsigned int d = distance(word, *names);

        if (d <= best_distance && (!best || d < best_distance)) {
            best = *names;
            best_distance = d;
        }
    }
    return best;
}
