/* The store's content in memory, in order of key: a skip list.
 *
 * The loop changes it between two groups; while an engine writes a group,
 * nobody does, so that the engine may read it from the pool.
 *
 * An entry may be there for a change to come: version 0 then, and not shown.
 * Between two groups there are no such entries. */
#ifndef WEFT_STORE_IMAGE_H
#define WEFT_STORE_IMAGE_H

#include "lib/rng.h"
#include "store/store.h"

enum { IMAGE_LEVELS = 20 };

struct image_entry {
    struct store_entry shown;     /* version 0: not there */
    const struct store_txn *staged;       /* the group's last to change it */
    bool staged_delete;
    uint64_t looked_at;           /* by which transaction's check */
    uint64_t sum;                 /* the engine's; 0: it keeps no such row */
    struct image_entry *next[];
};

struct image {
    struct image_entry *head[IMAGE_LEVELS];
    struct rng rng;
    uint64_t n_entries;           /* those that are shown */
    uint64_t n_bytes;
};

void image_init(struct image *);
void image_fini(struct image *);

struct image_entry *image_find(const struct image *, const char *key);
/* Makes one that is not shown, if need be. */
struct image_entry *image_insert(struct image *, const char *key);
/* The first at or after `key`, shown or not. */
struct image_entry *image_seek(const struct image *, const char *key);

/* Takes `value`, which was malloc'd. */
void image_put(struct image *, struct image_entry *, void *value,
               size_t value_size, uint64_t version);
void image_delete(struct image *, struct image_entry *);
/* Forgets the entry if it is neither shown nor waited for. */
void image_tidy(struct image *, struct image_entry *);

#endif
