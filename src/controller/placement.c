#include "controller/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/log.h"
#include "lib/str.h"

struct entry {
    uint64_t port, generation;
    bool is_here, is_kept;
};

struct placement {
    struct store *store;
    struct remote *remote;
    uint64_t host;                /* 0: none */
    struct id_map entries;
};

static struct entry *
add(struct placement *p, uint64_t port, uint64_t generation)
{
    struct entry *entry = xzalloc(sizeof *entry);

    entry->port = port;
    entry->generation = generation;
    id_map_set(&p->entries, port, entry);
    return entry;
}

static void
load(struct placement *p)
{
    static const char prefix[] = "generation/";

    STORE_FOR_EACH (kept, p->store, prefix) {
        char *end;
        uint64_t port = strtoull(kept->key + strlen(prefix), &end, 16);
        uint64_t generation;

        if (!*end && kept->value_size == sizeof generation) {
            memcpy(&generation, kept->value, sizeof generation);
            add(p, port, generation)->is_kept = true;
        } else {
            log_limited(LOG_LEVEL_WARN, "controller",
                        "the store's '%s' is not understood", kept->key);
        }
    }
}

struct placement *
placement_create(struct store *store, struct remote *remote)
{
    struct placement *p = xzalloc(sizeof *p);

    p->store = store;
    p->remote = remote;
    id_map_init(&p->entries);
    if (store) {
        load(p);
    }
    return p;
}

void
placement_destroy(struct placement *p)
{
    struct entry *entry;

    if (!p) {
        return;
    }
    ID_MAP_FOR_EACH (entry, &p->entries) {
        free(entry);
    }
    id_map_fini(&p->entries);
    free(p);
}

static uint64_t
next_generation(const struct placement *p, uint64_t port)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return MAX((uint64_t) now.tv_sec * 1000
               + (uint64_t) now.tv_nsec / 1000000,
               remote_generation(p->remote, port) + 1);
}

/* ---- Keeping ---- */

static void
on_done(const struct store_result *result, void *aux UNUSED)
{
    if (result->err) {
        log_limited(LOG_LEVEL_ERROR, "controller",
                    "generations of ports are not kept: %s", result->text);
    }
}

static void
commit(struct placement *p, struct store_txn *txn)
{
    if (store_commit(p->store, txn, on_done, NULL)) {
        log_limited(LOG_LEVEL_ERROR, "controller",
                    "generations of ports are not kept: the store is busy");
    }
}

/* Puts those that are new, and deletes what is here no more. */
static void
keep(struct placement *p)
{
    uint64_t *gone = xcalloc(p->entries.n + 1, sizeof *gone);
    struct store_txn *txn = NULL;
    struct entry *entry;
    unsigned int n = 0;

    ID_MAP_FOR_EACH (entry, &p->entries) {
        char key[40];

        if (entry->is_here && entry->is_kept) {
            continue;
        }
        snprintf(key, sizeof key, "generation/%016llx",
                 (unsigned long long) entry->port);
        txn = txn || !p->store ? txn : store_txn_create(STORE_PROCESS);
        if (txn && entry->is_here) {
            store_txn_put(txn, key, &entry->generation,
                          sizeof entry->generation, STORE_ANY);
        } else if (txn) {
            store_txn_delete(txn, key, STORE_ANY);
        }
        entry->is_kept = true;
        if (!entry->is_here) {
            gone[n++] = entry->port;
        }
    }
    while (n--) {
        remote_remove_port(p->remote, p->host, gone[n]);
        free(id_map_remove(&p->entries, gone[n]));
    }
    free(gone);
    if (txn) {
        commit(p, txn);
    }
}

/* ---- Following ---- */

static void
mark(struct placement *p, uint64_t port)
{
    struct entry *entry = id_map_find(&p->entries, port);

    if (!entry) {
        entry = add(p, port, next_generation(p, port));
    }
    entry->is_here = true;
    remote_set_port(p->remote, p->host, &(struct remote_port) {
        port, entry->generation, 0, NULL });
}

void
placement_follow(struct placement *p, const struct intent *intent,
                 const char *host)
{
    struct entry *entry;

    p->host = host ? intent_object_id(INTENT_HOST, host) : 0;
    ID_MAP_FOR_EACH (entry, &p->entries) {
        entry->is_here = false;
    }
    if (intent && host) {
        INTENT_FOR_EACH_PORT (port, intent) {
            if (!strcmp(port->host, host)) {
                mark(p, port->object.id);
            }
        }
    }
    keep(p);
}

uint64_t
placement_generation(const struct placement *p, uint64_t port)
{
    const struct entry *entry = id_map_find(&p->entries, port);

    return entry ? entry->generation : 0;
}
