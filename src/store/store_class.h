/* What an engine of the store offers, and what it is given.
 *
 * store.c knows (the image, versions, queue, watches); an engine keeps.  It is
 * opened on the loop's thread; commit() and close() run on the pool, one at a
 * time, and during them nobody changes the image or the transactions. */
#ifndef WEFT_STORE_STORE_CLASS_H
#define WEFT_STORE_STORE_CLASS_H

#include "store/image.h"
#include "store/store.h"

struct store_op {
    char *key;
    void *value;                  /* NULL: a delete */
    size_t value_size;
    uint64_t if_version;
    struct image_entry *entry;    /* from the check on */
};

struct store_txn {
    struct store_txn *next;
    struct store_op *ops;
    size_t n_ops;
    size_t n_ops_room;
    size_t n_bytes;
    enum store_durability durability;
    int err;                      /* refused: not for the engine */
    const char *text;
    const char *key;
    uint64_t version;             /* set by the engine */
    store_done *done;
    void *aux;
};

/* What is to be written in one go: transactions without `err`. */
struct store_group {
    struct store_txn *first;
    enum store_durability durability;     /* the highest that was asked */
};

struct store_engine {
    const struct store_class *class;
    struct image *image;
    uint64_t revision;
    struct str error;             /* why the last commit failed */
    struct str set_aside;         /* a damaged file is now here */
    struct str set_aside_reason;
};

struct store_class {
    /* Creates the engine; fills the (empty) image and the revision. */
    int (*open)(const char *path, struct image *, struct store_engine **,
                struct str *error);
    /* Writes the group, all of it or nothing, and numbers its transactions.
     * Returns 0 or a negative errno with engine->error. */
    int (*commit)(struct store_engine *, const struct store_group *);
    void (*close)(struct store_engine *);
};

extern const struct store_class store_sqlite;
extern const struct store_class store_memory;

/* Those of a group that are not refused, in order. */
#define STORE_GROUP_FOR_EACH(TXN, GROUP)                                     \
    for (struct store_txn *TXN = (GROUP)->first; TXN; TXN = TXN->next)       \
        if (!TXN->err)

void store_engine_init(struct store_engine *, const struct store_class *,
                       struct image *);
void store_engine_fini(struct store_engine *);
/* Also of what was read from a file. */
bool store_key_is_valid(const char *key);

#endif
