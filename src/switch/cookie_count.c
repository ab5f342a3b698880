#include "switch/cookie_count.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <urcu/urcu-qsbr.h>
#include <urcu/rculfhash.h>

#include "lib/rcu.h"
#include "lib/str.h"

enum { N_BUCKETS = 1024 };        /* that grow would need a thread */

struct cookie_count {
    struct rcu_later later;       /* first: rcu_free() */
    struct cds_lfht_node node;
    be64 cookie;
    uint8_t table;
    bool is_changed;              /* in the list of those */
    bool is_gone;                 /* from the table: freed by that list */
    uint32_t n_askers;
    uint32_t n_newest;            /* the writer's only */
    _Atomic uint32_t n_visible;
    struct cookie_count *next_changed;
};

struct key {
    uint8_t table;
    be64 cookie;
};

void
cookie_counts_init(struct cookie_counts *counts, struct hash_key key)
{
    *counts = (struct cookie_counts) { .key = key };
}

void
cookie_counts_fini(struct cookie_counts *counts)
{
    struct cds_lfht *table = atomic_load(&counts->table);
    struct cds_lfht_iter iter;
    struct cds_lfht_node *n;

    cookie_counts_publish(counts);
    if (!table) {
        return;
    }
    cds_lfht_for_each (table, &iter, n) {
        cds_lfht_del(table, n);
        free(CONTAINER_OF(n, struct cookie_count, node));
    }
    cds_lfht_destroy(table, NULL);
}

static uint64_t
hash_of(const struct cookie_counts *counts, const struct key *key)
{
    return hash_u64(counts->key, key->cookie ^ (uint64_t) key->table << 32);
}

static int
is_of(struct cds_lfht_node *n, const void *key_)
{
    const struct cookie_count *count = CONTAINER_OF(n, struct cookie_count,
                                                    node);
    const struct key *key = key_;

    rcu_take_over(count);
    return count->cookie == key->cookie && count->table == key->table;
}

static struct cookie_count *
find(const struct cookie_counts *counts, const struct key *key)
{
    struct cds_lfht *table = atomic_load_explicit(&counts->table,
                                                  memory_order_acquire);
    struct cds_lfht_iter iter;
    struct cds_lfht_node *n;

    if (!table) {
        return NULL;
    }
    cds_lfht_lookup(table, hash_of(counts, key), is_of, key, &iter);
    n = cds_lfht_iter_get_node(&iter);
    return n ? CONTAINER_OF(n, struct cookie_count, node) : NULL;
}

bool
cookie_counts_ask(struct cookie_counts *counts, uint8_t table, be64 cookie)
{
    const struct key key = { table, cookie };
    struct cookie_count *count = find(counts, &key);

    if (count) {
        count->n_askers++;
        return false;
    }
    if (!atomic_load(&counts->table)) {
        struct cds_lfht *made = cds_lfht_new_flavor(
            N_BUCKETS, N_BUCKETS, N_BUCKETS, 0, &urcu_qsbr_flavor, NULL);

        if (!made) {
            abort();
        }
        atomic_store_explicit(&counts->table, made, memory_order_release);
    }
    return true;
}

void
cookie_counts_set(struct cookie_counts *counts, uint8_t table, be64 cookie,
                  uint32_t n_newest, uint32_t n_visible)
{
    const struct key key = { table, cookie };
    struct cookie_count *count = xzalloc(sizeof *count);

    count->table = table;
    count->cookie = cookie;
    count->n_askers = 1;
    count->n_newest = n_newest;
    atomic_init(&count->n_visible, n_visible);
    rcu_hand_over(count);
    cds_lfht_add(atomic_load(&counts->table), hash_of(counts, &key),
                 &count->node);
    /* What was staged before becomes visible like what follows. */
    cookie_counts_add(counts, table, cookie, 0);
}

void
cookie_counts_unask(struct cookie_counts *counts, uint8_t table, be64 cookie)
{
    const struct key key = { table, cookie };
    struct cookie_count *count = find(counts, &key);

    if (--count->n_askers) {
        return;
    }
    cds_lfht_del(atomic_load(&counts->table), &count->node);
    if (count->is_changed) {
        count->is_gone = true;
    } else {
        rcu_free(&count->later);
    }
}

void
cookie_counts_add(struct cookie_counts *counts, uint8_t table, be64 cookie,
                  int n)
{
    const struct key key = { table, cookie };
    struct cookie_count *count = find(counts, &key);

    if (!count) {
        return;
    }
    count->n_newest += (uint32_t) n;
    if (!count->is_changed) {
        count->is_changed = true;
        count->next_changed = counts->changed;
        counts->changed = count;
    }
}

void
cookie_counts_publish(struct cookie_counts *counts)
{
    while (counts->changed) {
        struct cookie_count *count = counts->changed;

        counts->changed = count->next_changed;
        count->is_changed = false;
        atomic_store_explicit(&count->n_visible, count->n_newest,
                              memory_order_relaxed);
        if (count->is_gone) {
            rcu_free(&count->later);
        }
    }
}

bool
cookie_counts_read(const struct cookie_counts *counts, uint8_t table,
                   be64 cookie, bool is_newest, uint32_t *n)
{
    const struct key key = { table, cookie };
    const struct cookie_count *count = find(counts, &key);

    if (!count) {
        return false;
    }
    *n = is_newest ? count->n_newest
                   : atomic_load_explicit(&count->n_visible,
                                          memory_order_relaxed);
    return true;
}
