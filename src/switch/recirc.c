#include "switch/recirc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <urcu/urcu-qsbr.h>
#include <urcu/rculfhash.h>

#include "lib/hash.h"
#include "lib/rcu.h"
#include "lib/str.h"

/* Life of a node: refs >= 0 alive; DEAD: being unlinked, never alive again. */
enum { DEAD = -1 };

struct node {
    struct rcu_later later;       /* first: rcu_free() */
    struct cds_lfht_node by_id, by_data;
    _Atomic int64_t refs;
    _Atomic msec used, told;      /* told: 0, never */
    struct recirc_state state;    /* last: its data follow */
};

struct recirc {
    struct hash_key hash_key;
    struct cds_lfht *by_id, *by_data;
    _Atomic uint32_t next_id;
    _Atomic uint32_t n;
};

static struct cds_lfht *
make_table(void)
{
    struct cds_lfht *table = cds_lfht_new_flavor(
        RECIRC_MAX / 4, RECIRC_MAX / 4, RECIRC_MAX / 4, 0, &urcu_qsbr_flavor,
        NULL);

    if (!table) {
        abort();
    }
    return table;
}

struct recirc *
recirc_create(void)
{
    struct recirc *recirc = xzalloc(sizeof *recirc);

    recirc->hash_key = hash_key_random();
    recirc->by_id = make_table();
    recirc->by_data = make_table();
    atomic_init(&recirc->next_id, 1);
    return recirc;
}

void
recirc_destroy(struct recirc *recirc)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *n;
    struct node *node;

    if (!recirc) {
        return;
    }
    cds_lfht_for_each (recirc->by_id, &iter, n) {
        node = CONTAINER_OF(n, struct node, by_id);
        cds_lfht_del(recirc->by_id, &node->by_id);
        cds_lfht_del(recirc->by_data, &node->by_data);
        free(node);
    }
    cds_lfht_destroy(recirc->by_id, NULL);
    cds_lfht_destroy(recirc->by_data, NULL);
    free(recirc);
}

static int
has_id(struct cds_lfht_node *n, const void *id)
{
    const struct node *node = CONTAINER_OF(n, struct node, by_id);

    rcu_take_over(node);
    return node->state.id == *(const uint32_t *) id;
}

struct bytes {
    const void *data;
    uint32_t len;
};

static int
has_data(struct cds_lfht_node *n, const void *key)
{
    const struct node *node = CONTAINER_OF(n, struct node, by_data);
    const struct bytes *bytes = key;

    rcu_take_over(node);
    return node->state.len == bytes->len
           && !memcmp(node->state.data, bytes->data, bytes->len)
           && atomic_load(&node->refs) != DEAD;
}

static struct node *
find(const struct recirc *recirc, uint32_t id)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *n;

    cds_lfht_lookup(recirc->by_id, hash_u64(recirc->hash_key, id), has_id,
                    &id, &iter);
    n = cds_lfht_iter_get_node(&iter);
    return n ? CONTAINER_OF(n, struct node, by_id) : NULL;
}

static bool
try_ref(struct node *node)
{
    int64_t refs = atomic_load(&node->refs);

    do {
        if (refs == DEAD) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&node->refs, &refs, refs + 1));
    return true;
}

/* A later time wins, so that a reference that is dropped late keeps it. */
static void
touch(_Atomic msec *when, msec now)
{
    msec was = atomic_load(when);

    while (was < now && !atomic_compare_exchange_weak(when, &was, now)) {
    }
}

static void
drop_ref(struct node *node, msec now)
{
    touch(&node->used, now);
    atomic_fetch_sub(&node->refs, 1);
}

static struct node *
make(struct recirc *recirc, const struct bytes *bytes, msec now)
{
    struct node *node;

    if (atomic_fetch_add(&recirc->n, 1) >= RECIRC_MAX) {
        atomic_fetch_sub(&recirc->n, 1);
        return NULL;
    }
    node = xzalloc(sizeof *node + bytes->len);
    atomic_init(&node->refs, 0);
    atomic_init(&node->used, now);
    node->state.len = bytes->len;
    memcpy(node->state.data, bytes->data, bytes->len);
    do {
        node->state.id = atomic_fetch_add(&recirc->next_id, 1);
    } while (!node->state.id || find(recirc, node->state.id));
    rcu_hand_over(node);
    cds_lfht_add(recirc->by_id, hash_u64(recirc->hash_key, node->state.id),
                 &node->by_id);
    return node;
}

uint32_t
recirc_id(struct recirc *recirc, const void *data, uint32_t len, msec now)
{
    struct bytes bytes = { data, len };
    uint64_t hash = hash_bytes(recirc->hash_key, data, len);
    struct cds_lfht_iter iter;
    struct cds_lfht_node *n;
    struct node *node;

    cds_lfht_lookup(recirc->by_data, hash, has_data, &bytes, &iter);
    n = cds_lfht_iter_get_node(&iter);
    if (n) {
        node = CONTAINER_OF(n, struct node, by_data);
        if (try_ref(node)) {
            drop_ref(node, now);
            return node->state.id;
        }
    }

    /* Two workers may make the same state at once; then there are two ids for
     * a while, which is no error. */
    node = make(recirc, &bytes, now);
    if (!node) {
        return 0;
    }
    cds_lfht_add(recirc->by_data, hash, &node->by_data);
    return node->state.id;
}

const struct recirc_state *
recirc_find(const struct recirc *recirc, uint32_t id)
{
    const struct node *node = find(recirc, id);

    return node ? &node->state : NULL;
}

uint64_t
recirc_token(const struct recirc *recirc, const struct recirc_state *state)
{
    return hash_bytes(recirc->hash_key, state->data, state->len)
           + state->id;
}

bool
recirc_ref(struct recirc *recirc, uint32_t id)
{
    struct node *node = find(recirc, id);

    return node && try_ref(node);
}

void
recirc_unref(struct recirc *recirc, uint32_t id, msec now)
{
    struct node *node = find(recirc, id);

    /* What is referred to is never removed. */
    assert(node);
    drop_ref(node, now);
}

void
recirc_tell(struct recirc *recirc, uint32_t id, msec now)
{
    struct node *node = find(recirc, id);

    if (node) {
        touch(&node->told, now);
    }
}

/* Who makes many packets pause must not take the room of those that only go
 * through again. */
static bool
is_kept(const struct recirc *recirc, const struct node *node, msec now)
{
    msec told = atomic_load(&node->told);

    return now - atomic_load(&node->used) < RECIRC_LINGER
           || (told && now - told < RECIRC_TOLD
               && recirc_count(recirc) <= RECIRC_MAX / 2);
}

unsigned int
recirc_expire(struct recirc *recirc, msec now)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *n;
    struct node *node;
    unsigned int n_ended = 0;

    cds_lfht_for_each (recirc->by_id, &iter, n) {
        int64_t unused = 0;

        node = CONTAINER_OF(n, struct node, by_id);
        rcu_take_over(node);
        if (is_kept(recirc, node, now)
            || !atomic_compare_exchange_strong(&node->refs, &unused, DEAD)) {
            continue;
        }
        cds_lfht_del(recirc->by_id, &node->by_id);
        cds_lfht_del(recirc->by_data, &node->by_data);
        atomic_fetch_sub(&recirc->n, 1);
        rcu_free(&node->later);
        n_ended++;
    }
    return n_ended;
}

unsigned int
recirc_count(const struct recirc *recirc)
{
    return atomic_load(&recirc->n);
}
