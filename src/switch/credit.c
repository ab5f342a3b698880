#include "switch/credit.h"

#include <stdlib.h>

#include "lib/rcu.h"
#include "lib/str.h"
#include "switch/learn.h"

/* A credit's number: worker above, index + 1 below. */
enum {
    CHUNK = 256,                  /* records */
    MAX_CHUNKS = 16384,           /* of one worker: 4M records */
    INDEX_BITS = 32,
};

struct record {
    _Atomic uint64_t packets, bytes;    /* passed on so far */
    unsigned int n;
    struct credit_target *targets;

    struct shard *shard;
    uint32_t index;
    struct record *next_free;
    struct rcu_later later;
};

struct shard {
    _Atomic(struct record *) chunks[MAX_CHUNKS];
    uint32_t n_chunks;            /* owner */
    struct record *free;          /* owner */
    _Atomic(struct record *) returned;    /* pushed by anybody */
    _Atomic uint64_t n_living;
} __attribute__((aligned(CACHE_LINE)));

struct credits {
    struct tables *tables;
    struct fdb *fdb;
    struct recirc *recirc;
    struct learning *learning;
    struct shard shards[DP_MAX_WORKERS];
};

void
credit_list_fini(struct credit_list *list)
{
    free(list->targets);
    *list = (struct credit_list) { 0 };
}

void
credit_list_add(struct credit_list *list, enum credit_kind kind, uint64_t a,
                uint64_t b)
{
    if (list->n == list->size) {
        list->size = MAX(8u, list->size * 2);
        list->targets = xrealloc(list->targets,
                                 list->size * sizeof *list->targets);
    }
    list->targets[list->n++] = (struct credit_target) { kind, a, b };
}

static uint64_t
pack_station(struct fdb_key key)
{
    uint64_t v = 0;

    memcpy(&v, key.mac.b, sizeof key.mac.b);
    return v | (uint64_t) key.vid << 48;
}

static struct fdb_key
unpack_station(uint64_t v)
{
    struct fdb_key key = { .vid = (uint16_t) (v >> 48) };

    memcpy(key.mac.b, &v, sizeof key.mac.b);
    return key;
}

void
credit_list_add_station(struct credit_list *list, struct fdb_key key,
                        uint32_t port, uint32_t generation)
{
    credit_list_add(list, CREDIT_STATION, pack_station(key),
                    (uint64_t) generation << 32 | port);
}

struct credits *
credits_create(struct tables *tables, struct fdb *fdb, struct recirc *recirc,
               struct learning *learning)
{
    struct credits *credits = xzalloc_aligned(sizeof *credits);

    credits->tables = tables;
    credits->fdb = fdb;
    credits->recirc = recirc;
    credits->learning = learning;
    return credits;
}

void
credits_destroy(struct credits *credits)
{
    if (!credits) {
        return;
    }
    rcu_flush();
    for (unsigned int w = 0; w < DP_MAX_WORKERS; w++) {
        struct shard *shard = &credits->shards[w];

        for (uint32_t i = 0; i < shard->n_chunks; i++) {
            struct record *chunk = atomic_load(&shard->chunks[i]);

            for (unsigned int k = 0; k < CHUNK; k++) {
                free(chunk[k].targets);
            }
            free(chunk);
        }
    }
    free(credits);
}

static bool
grow(struct shard *shard)
{
    struct record *chunk;

    if (shard->n_chunks == MAX_CHUNKS) {
        return false;
    }
    chunk = xcalloc(CHUNK, sizeof *chunk);
    for (uint32_t i = CHUNK; i-- > 0;) {
        chunk[i].shard = shard;
        chunk[i].index = shard->n_chunks * CHUNK + i;
        chunk[i].next_free = shard->free;
        shard->free = &chunk[i];
    }
    atomic_store(&shard->chunks[shard->n_chunks++], chunk);
    return true;
}

static struct record *
take_free(struct shard *shard)
{
    struct record *record;

    if (!shard->free) {
        shard->free = atomic_exchange(&shard->returned, NULL);
    }
    if (!shard->free && !grow(shard)) {
        return NULL;
    }
    record = shard->free;
    shard->free = record->next_free;
    return record;
}

uint64_t
credit_begin(struct credits *credits, unsigned int worker,
             struct credit_list *list)
{
    struct shard *shard = &credits->shards[worker];
    struct record *record = take_free(shard);

    if (!record) {
        credit_list_fini(list);
        return 0;
    }
    for (unsigned int i = 0; i < list->n; i++) {
        struct credit_target *t = &list->targets[i];

        if (t->kind == CREDIT_RECIRC
            && !recirc_ref(credits->recirc, (uint32_t) t->a)) {
            t->a = 0;
        }
    }
    atomic_store_explicit(&record->packets, 0, memory_order_relaxed);
    atomic_store_explicit(&record->bytes, 0, memory_order_relaxed);
    record->n = list->n;
    record->targets = list->targets;
    *list = (struct credit_list) { 0 };
    atomic_fetch_add_explicit(&shard->n_living, 1, memory_order_relaxed);
    return (uint64_t) worker << INDEX_BITS | (record->index + 1);
}

static struct record *
record_of(struct credits *credits, uint64_t credit)
{
    struct shard *shard = &credits->shards[credit >> INDEX_BITS];
    uint32_t index = (uint32_t) credit - 1;

    return atomic_load(&shard->chunks[index / CHUNK]) + index % CHUNK;
}

static void
add(struct credit *credit, uint64_t packets, uint64_t bytes, msec used)
{
    msec old = atomic_load_explicit(&credit->used, memory_order_relaxed);

    atomic_fetch_add_explicit(&credit->packets, packets,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&credit->bytes, bytes, memory_order_relaxed);
    while (old < used
           && !atomic_compare_exchange_weak_explicit(
                  &credit->used, &old, used, memory_order_relaxed,
                  memory_order_relaxed)) {
    }
}

/* A group may have been replaced by another of that number: only the one that
 * was used is credited. */
static void
add_group(struct credits *credits, const struct credit_target *t,
          uint64_t packets, uint64_t bytes, msec used)
{
    const struct group *group
        = tables_group(credits->tables, (uint32_t) t->a,
                       tables_version(credits->tables));
    const struct credit *wanted = (const void *) (uintptr_t) t->b;

    if (!group) {
        return;
    }
    if (t->kind == CREDIT_GROUP) {
        if (group->credit == wanted) {
            add(group->credit, packets, bytes, used);
        }
        return;
    }
    for (unsigned int i = 0; i < group->n_buckets; i++) {
        if (group->buckets[i].credit == wanted) {
            add(group->buckets[i].credit, packets, bytes, used);
            return;
        }
    }
}

/* False: it is not the entry any more that the packets teach. */
static bool
refresh_learned(struct credits *credits, const struct credit_target *t,
                msec used)
{
    struct flow_entry *entry = tables_entry(credits->tables, t->a);

    if (!entry || entry->stamp != t->b
        || !tables_entry_is_visible(entry,
                                    tables_version(credits->tables))) {
        return false;
    }
    tables_refresh(entry, used);
    return true;
}

/* Passed on once: an entry that has come down does not come down further. */
static void
finish_connection(struct credits *credits, const struct credit_target *t)
{
    const struct flow_entry *entry = tables_entry(credits->tables, t->a);
    uint16_t idle = (uint16_t) (t->b >> 16), hard = (uint16_t) t->b;

    if (entry
        && ((idle && (!entry->idle_timeout || entry->idle_timeout > idle))
            || (hard && (!entry->hard_timeout
                         || entry->hard_timeout > hard)))) {
        learning_finish(credits->learning, t->a, idle, hard);
    }
}

/* False: the answer is to be asked for again. */
static bool
add_target(struct credits *credits, const struct credit_target *t,
           uint64_t packets, uint64_t bytes, msec used)
{
    struct flow_entry *entry;

    switch (t->kind) {
    case CREDIT_ENTRY:
        entry = tables_entry(credits->tables, t->a);
        if (entry) {
            add(&entry->credit, packets, bytes, used);
        }
        return true;
    case CREDIT_TABLE_MATCHED:
        atomic_fetch_add_explicit(
            &tables_stats(credits->tables, (uint8_t) t->a)->matched, packets,
            memory_order_relaxed);
        /* fall through */
    case CREDIT_TABLE_MISSED:
        atomic_fetch_add_explicit(
            &tables_stats(credits->tables, (uint8_t) t->a)->lookups, packets,
            memory_order_relaxed);
        return true;
    case CREDIT_GROUP: case CREDIT_BUCKET:
        add_group(credits, t, packets, bytes, used);
        return true;
    case CREDIT_STATION:
        if (packets) {
            fdb_refresh(credits->fdb, unpack_station(t->a),
                        (uint32_t) t->b, (uint32_t) (t->b >> 32), used);
        }
        return true;
    case CREDIT_RECIRC:
        return true;
    case CREDIT_LEARNED:
        return refresh_learned(credits, t, used);
    case CREDIT_RECHECK:
        return false;
    case CREDIT_FINISHED:
        finish_connection(credits, t);
        return true;
    }
    return true;
}

/* Raises the mark to `to`; returns by how much it was us who did. */
static uint64_t
raise_to(_Atomic uint64_t *mark, uint64_t to)
{
    uint64_t from = atomic_load(mark);

    while (from < to) {
        if (atomic_compare_exchange_weak(mark, &from, to)) {
            return to - from;
        }
    }
    return 0;
}

bool
credit_push(struct credits *credits, uint64_t credit, uint64_t packets,
            uint64_t bytes, msec used)
{
    struct record *record;
    bool is_current = true;

    if (!credit) {
        return true;
    }
    record = record_of(credits, credit);
    packets = raise_to(&record->packets, packets);
    bytes = raise_to(&record->bytes, bytes);
    if (!packets && !bytes) {
        return true;
    }
    for (unsigned int i = 0; i < record->n; i++) {
        is_current &= add_target(credits, &record->targets[i], packets,
                                 bytes, used);
    }
    return is_current;
}

static void
come_home(struct rcu_later *later)
{
    struct record *record = CONTAINER_OF(later, struct record, later);
    struct shard *shard = record->shard;
    struct record *first = atomic_load(&shard->returned);

    free(record->targets);
    record->targets = NULL;
    record->n = 0;
    do {
        record->next_free = first;
    } while (!atomic_compare_exchange_weak(&shard->returned, &first, record));
}

void
credit_end(struct credits *credits, uint64_t credit, uint64_t packets,
           uint64_t bytes, msec used)
{
    struct record *record;

    if (!credit) {
        return;
    }
    credit_push(credits, credit, packets, bytes, used);
    record = record_of(credits, credit);
    for (unsigned int i = 0; i < record->n; i++) {
        const struct credit_target *t = &record->targets[i];

        if (t->kind == CREDIT_RECIRC && t->a) {
            recirc_unref(credits->recirc, (uint32_t) t->a, used);
        }
    }
    atomic_fetch_sub_explicit(&record->shard->n_living, 1,
                              memory_order_relaxed);
    rcu_call(&record->later, come_home);
}

void
credit_once(struct credits *credits, struct credit_list *list,
            uint64_t packets, uint64_t bytes, msec used)
{
    for (unsigned int i = 0; i < list->n; i++) {
        add_target(credits, &list->targets[i], packets, bytes, used);
    }
    credit_list_fini(list);
}

uint64_t
credits_count(const struct credits *credits)
{
    uint64_t n = 0;

    for (unsigned int w = 0; w < DP_MAX_WORKERS; w++) {
        n += atomic_load(&credits->shards[w].n_living);
    }
    return n;
}
