#include "store/image.h"

#include <stdlib.h>

void
image_init(struct image *image)
{
    *image = (struct image) { .rng = { 1 } };
}

void
image_fini(struct image *image)
{
    struct image_entry *next;

    for (struct image_entry *e = image->head[0]; e; e = next) {
        next = e->next[0];
        free((void *) e->shown.value);
        free(e);
    }
    image_init(image);
}

/* Fills `links` with what points to the first entry at or after `key`, on each
 * level. */
static struct image_entry *
seek(const struct image *image, const char *key,
     struct image_entry **links[IMAGE_LEVELS])
{
    struct image_entry *const *at = image->head;

    for (int level = IMAGE_LEVELS - 1; level >= 0; level--) {
        while (at[level] && strcmp(at[level]->shown.key, key) < 0) {
            at = at[level]->next;
        }
        if (links) {
            links[level] = (struct image_entry **) &at[level];
        }
    }
    return at[0];
}

struct image_entry *
image_seek(const struct image *image, const char *key)
{
    return seek(image, key, NULL);
}

struct image_entry *
image_find(const struct image *image, const char *key)
{
    struct image_entry *e = seek(image, key, NULL);

    return e && !strcmp(e->shown.key, key) ? e : NULL;
}

/* One entry in four reaches the next level. */
static int
draw_levels(struct image *image)
{
    int n = 1;

    while (n < IMAGE_LEVELS && rng_one_in(&image->rng, 4)) {
        n++;
    }
    return n;
}

struct image_entry *
image_insert(struct image *image, const char *key)
{
    struct image_entry **links[IMAGE_LEVELS];
    struct image_entry *e = seek(image, key, links);
    size_t size, key_size = strlen(key) + 1;
    int n_levels;

    if (e && !strcmp(e->shown.key, key)) {
        return e;
    }
    n_levels = draw_levels(image);
    size = sizeof *e + (size_t) n_levels * sizeof *e->next;
    e = xzalloc(size + key_size);
    memcpy((char *) e + size, key, key_size);
    e->shown.key = (char *) e + size;
    for (int level = 0; level < n_levels; level++) {
        e->next[level] = *links[level];
        *links[level] = e;
    }
    return e;
}

void
image_put(struct image *image, struct image_entry *e, void *value,
          size_t value_size, uint64_t version)
{
    image_delete(image, e);
    e->shown.value = value;
    e->shown.value_size = value_size;
    e->shown.version = version;
    image->n_entries++;
    image->n_bytes += strlen(e->shown.key) + value_size;
}

void
image_delete(struct image *image, struct image_entry *e)
{
    if (!e->shown.version) {
        return;
    }
    image->n_entries--;
    image->n_bytes -= strlen(e->shown.key) + e->shown.value_size;
    free((void *) e->shown.value);
    e->shown.value = NULL;
    e->shown.value_size = 0;
    e->shown.version = 0;
}

void
image_tidy(struct image *image, struct image_entry *e)
{
    struct image_entry **links[IMAGE_LEVELS];

    if (e->shown.version || e->staged) {
        return;
    }
    seek(image, e->shown.key, links);
    for (int level = 0; level < IMAGE_LEVELS && *links[level] == e; level++) {
        *links[level] = e->next[level];
    }
    free(e);
}
