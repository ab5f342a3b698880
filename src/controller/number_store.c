#include "controller/number_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/str.h"

struct change {
    uint64_t id;
    uint32_t number;              /* 0: forgotten */
};

struct number_store {
    struct store *store;
    const char *kind;
    unsigned int n, size;
    struct change *changes;
};

struct number_store *
number_store_create(struct store *store, const char *kind)
{
    struct number_store *s = xzalloc(sizeof *s);

    s->store = store;
    s->kind = kind;
    return s;
}

void
number_store_destroy(struct number_store *s)
{
    if (s) {
        free(s->changes);
        free(s);
    }
}

static void
on_change(void *aux, uint64_t id, uint32_t number)
{
    struct number_store *s = aux;

    if (!s->store) {
        return;
    }
    if (s->n == s->size) {
        s->size = MAX(16u, s->size * 2);
        s->changes = xrealloc(s->changes, s->size * sizeof *s->changes);
    }
    s->changes[s->n++] = (struct change) { id, number };
}

struct numbers_watch
number_store_watch(struct number_store *s)
{
    return (struct numbers_watch) { on_change, s };
}

void
number_store_load(const struct number_store *s, struct numbers *numbers)
{
    char prefix[32];

    if (!s->store) {
        return;
    }
    snprintf(prefix, sizeof prefix, "number/%s/", s->kind);
    STORE_FOR_EACH (entry, s->store, prefix) {
        char *end;
        uint64_t id = strtoull(entry->key + strlen(prefix), &end, 16);
        uint32_t number;

        if (!*end && entry->value_size == sizeof number) {
            memcpy(&number, entry->value, sizeof number);
            numbers_keep(numbers, id, number);
        } else {
            log_limited(LOG_LEVEL_WARN, "controller",
                        "the store's '%s' is not understood", entry->key);
        }
    }
}

static void
on_done(const struct store_result *result, void *aux UNUSED)
{
    if (result->err) {
        log_limited(LOG_LEVEL_ERROR, "controller",
                    "numbers of objects are not kept: %s", result->text);
    }
}

void
number_store_commit(struct number_store *s)
{
    struct store_txn *txn;

    if (!s->n) {
        return;
    }
    txn = store_txn_create(STORE_PROCESS);
    for (unsigned int i = 0; i < s->n; i++) {
        const struct change *change = &s->changes[i];
        char key[64];

        snprintf(key, sizeof key, "number/%s/%016llx", s->kind,
                 (unsigned long long) change->id);
        if (change->number) {
            store_txn_put(txn, key, &change->number, sizeof change->number,
                          STORE_ANY);
        } else {
            store_txn_delete(txn, key, STORE_ANY);
        }
    }
    s->n = 0;
    if (store_commit(s->store, txn, on_done, NULL)) {
        log_limited(LOG_LEVEL_ERROR, "controller",
                    "numbers of objects are not kept: the store is busy");
    }
}
