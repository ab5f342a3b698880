#include "controller/address_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/str.h"

#define PREFIX "address/"

struct change {
    uint64_t network, port;
    be32 address;                 /* 0: forgotten */
};

struct address_store {
    struct store *store;
    unsigned int n, size;
    struct change *changes;
};

struct address_store *
address_store_create(struct store *store)
{
    struct address_store *a = xzalloc(sizeof *a);

    a->store = store;
    return a;
}

void
address_store_destroy(struct address_store *a)
{
    if (a) {
        free(a->changes);
        free(a);
    }
}

static void
on_change(void *aux, uint64_t network, uint64_t port, be32 address)
{
    struct address_store *a = aux;

    if (a->n == a->size) {
        a->size = MAX(16u, a->size * 2);
        a->changes = xrealloc(a->changes, a->size * sizeof *a->changes);
    }
    a->changes[a->n++] = (struct change) { network, port, address };
}

struct ipam_watch
address_store_watch(struct address_store *a)
{
    return (struct ipam_watch) { on_change, a };
}

void
address_store_load(const struct address_store *a, struct ipam *ipam)
{
    STORE_FOR_EACH (entry, a->store, PREFIX) {
        unsigned long long network, port;
        be32 address;

        if (sscanf(entry->key, PREFIX "%16llx/%16llx", &network, &port) == 2
            && entry->value_size == sizeof address) {
            memcpy(&address, entry->value, sizeof address);
            ipam_keep(ipam, network, port, address);
        } else {
            log_limited(LOG_LEVEL_WARN, "controller",
                        "the store's '%s' is not understood", entry->key);
        }
    }
}

static void
put(struct store_txn *txn, const struct change *change)
{
    char key[64];

    snprintf(key, sizeof key, PREFIX "%016llx/%016llx",
             (unsigned long long) change->network,
             (unsigned long long) change->port);
    if (change->address) {
        store_txn_put(txn, key, &change->address, sizeof change->address,
                      STORE_ANY);
    } else {
        store_txn_delete(txn, key, STORE_ANY);
    }
}

static void
on_done(const struct store_result *result, void *aux UNUSED)
{
    if (result->err) {
        log_limited(LOG_LEVEL_ERROR, "controller",
                    "chosen addresses are not kept: %s", result->text);
    }
}

void
address_store_commit(struct address_store *a)
{
    struct store_txn *txn;

    if (!a->n) {
        return;
    }
    txn = store_txn_create(STORE_PROCESS);
    for (unsigned int i = 0; i < a->n; i++) {
        put(txn, &a->changes[i]);
    }
    a->n = 0;
    if (store_commit(a->store, txn, on_done, NULL)) {
        log_limited(LOG_LEVEL_ERROR, "controller",
                    "chosen addresses are not kept: the store is busy");
    }
}
