#include "intent/diag.h"

#include <stdlib.h>

struct diagnostics *
diag_create(void)
{
    return xzalloc(sizeof(struct diagnostics));
}

void
diag_destroy(struct diagnostics *diagnostics)
{
    if (!diagnostics) {
        return;
    }
    for (unsigned int i = 0; i < diagnostics->n; i++) {
        struct diagnostic *d = &diagnostics->list[i];

        free((char *) (uintptr_t) d->place.file);
        free(d->path);
        free(d->what);
    }
    free(diagnostics);
}

void
diag_addv(struct diagnostics *diagnostics, const struct place *place,
          const char *path, const char *format, va_list args)
{
    struct str what = STR_INIT;
    struct diagnostic *d;

    if (diagnostics->n == DIAG_MAX) {
        diagnostics->n_more++;
        return;
    }
    d = &diagnostics->list[diagnostics->n];
    d->order = diagnostics->n++;
    if (place) {
        d->place = *place;
        d->place.file = place->file ? xstrdup(place->file) : NULL;
    }
    d->path = path ? xstrdup(path) : NULL;
    str_addv(&what, format, args);
    d->what = str_steal(&what);
}

void
diag_add(struct diagnostics *diagnostics, const struct place *place,
         const char *path, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_addv(diagnostics, place, path, format, args);
    va_end(args);
}

void
diag_add_related(struct str *text, const struct place *here,
                 const struct place *other)
{
    if (!other || !other->line) {
        return;
    }
    if (here && here->file && other->file
        && !strcmp(here->file, other->file)) {
        str_addf(text, " (line %u)", other->line);
    } else {
        str_addf(text, " (%s:%u)", other->file ? other->file : "line",
                 other->line);
    }
}

void
diag_add_nearest(struct str *text, const char *word, const char *const *names)
{
    const char *near = str_nearest(word, names);

    if (near) {
        str_addf(text, "; did you mean '%s'?", near);
    }
}

static int
compare_places(const void *a, const void *b)
{
    const struct diagnostic *x = a, *y = b;
    const struct place *p = &x->place, *q = &y->place;
    int files = strcmp(p->file ? p->file : "", q->file ? q->file : "");

    return files ? files
           : p->line != q->line ? (p->line < q->line ? -1 : 1)
           : p->column != q->column ? (p->column < q->column ? -1 : 1)
           : x->order < y->order ? -1 : 1;
}

static void
sort(struct diagnostics *diagnostics)
{
    qsort(diagnostics->list, diagnostics->n, sizeof diagnostics->list[0],
          compare_places);
}

void
diag_format(struct diagnostics *diagnostics, struct str *text)
{
    sort(diagnostics);
    for (unsigned int i = 0; i < diagnostics->n; i++) {
        const struct diagnostic *d = &diagnostics->list[i];

        if (d->place.file) {
            str_addf(text, "%s:", d->place.file);
        }
        if (d->place.line) {
            str_addf(text, "%u:%u:", d->place.line, d->place.column);
        }
        if (!d->place.line && d->path) {
            str_addf(text, "%s%s:", d->place.file ? " " : "", d->path);
        }
        str_addf(text, "%s%s\n",
                 d->place.file || d->place.line || d->path ? " " : "",
                 d->what);
    }
    if (diagnostics->n_more) {
        str_addf(text, "(and %u more)\n", diagnostics->n_more);
    }
}

json_t *
diag_json(struct diagnostics *diagnostics)
{
    json_t *list = json_array();

    sort(diagnostics);
    for (unsigned int i = 0; i < diagnostics->n; i++) {
        const struct diagnostic *d = &diagnostics->list[i];
        json_t *row = json_object();

        if (d->place.file) {
            json_object_set_new(row, "file", json_string(d->place.file));
        }
        if (d->place.line) {
            json_object_set_new(row, "line", json_integer(d->place.line));
            json_object_set_new(row, "column", json_integer(d->place.column));
        }
        if (d->path) {
            json_object_set_new(row, "path", json_string(d->path));
        }
        json_object_set_new(row, "what", json_string(d->what));
        json_array_append_new(list, row);
    }
    return list;
}
