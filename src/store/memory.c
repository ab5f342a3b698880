/* The engine that keeps nothing: for tests, and for who goes on without. */
#include <stdlib.h>

#include "store/store_class.h"

static int
memory_open(const char *path UNUSED, struct image *image,
            struct store_engine **result, struct str *error UNUSED)
{
    *result = xzalloc(sizeof **result);
    store_engine_init(*result, &store_memory, image);
    return 0;
}

static int
memory_commit(struct store_engine *engine, const struct store_group *group)
{
    STORE_GROUP_FOR_EACH (txn, group) {
        txn->version = ++engine->revision;
    }
    return 0;
}

static void
memory_close(struct store_engine *engine)
{
    store_engine_fini(engine);
    free(engine);
}

const struct store_class store_memory = {
    .open = memory_open,
    .commit = memory_commit,
    .close = memory_close,
};
