#include "conntrack/table.h"

#include <sched.h>
#include <stdlib.h>

#include "lib/huge.h"
#include "lib/str.h"

enum {
    MIN_BUCKETS = 4096,
    MAX_SHARDS = 4096,
    SLOT_FREE = 512,              /* ids that a slot keeps for itself, */
    SLOT_SHARE = 256,             /* and gives or takes at once */
    MAX_WALK = 128,               /* steps before the walk asks for the lock */
    MAX_TRIES = 8,
};

/* Links are an id and a direction, plus one; 0 ends a chain. */
static uint32_t
make_link(uint32_t id, unsigned int dir)
{
    return (id << 1 | dir) + 1;
}

struct shard {
    pthread_mutex_t lock;
    _Atomic uint32_t sequence;    /* moves before a link is taken out */
} __attribute__((aligned(CACHE_LINE)));

/* Of one thread: free ids that it may use without asking. */
struct slot {
    struct {
        uint32_t n;
        uint32_t fresh, fresh_end;        /* never used: of a new slab */
        uint32_t ids[SLOT_FREE];
    } sizes[2];                   /* IPv4's, IPv6's */
    _Atomic uint64_t n_retries;
    uint64_t n_random;
} __attribute__((aligned(CACHE_LINE)));

struct ct_table {
    struct hash_key key;
    unsigned int shift;           /* top bits of a hash: the bucket, */
    unsigned int shard_shift;     /* and of these, the shard */
    uint32_t n_shards, n_buckets;
    struct shard *shards;
    _Atomic uint32_t *heads;
    unsigned int n_slots;
    struct slot *slots;

    pthread_mutex_t lock;         /* of what follows: taken once in hundreds */
    uint32_t max_slabs;
    struct {
        uint8_t *memory;          /* of max_slabs slabs, touched as needed */
        uint32_t n;
    } arenas[2];
    _Atomic uint32_t n_slabs;
    _Atomic uintptr_t *slabs;     /* address; lowest bit: IPv6's */
    _Atomic uint64_t memory;
    struct {
        uint32_t n, size;
        uint32_t *ids;
    } shared[2];
};

static unsigned int
size_of_family(uint8_t family)
{
    return family == 6;
}

/* ---- Slabs ---- */

static size_t
slab_size(unsigned int size)
{
    return CT_SLAB * (size ? CT_CONN6_SIZE : CT_CONN4_SIZE);
}

static struct ct_conn *
conn_at(const struct ct_table *t, uint32_t id)
{
    uintptr_t slab = atomic_load_explicit(&t->slabs[id / CT_SLAB],
                                          memory_order_acquire);
    size_t size = slab & 1 ? CT_CONN6_SIZE : CT_CONN4_SIZE;

    return (struct ct_conn *) ((slab & ~(uintptr_t) 1) + id % CT_SLAB * size);
}

static bool
add_slab(struct ct_table *t, struct slot *slot, unsigned int size)
{
    size_t bytes = size ? CT_CONN6_SIZE : CT_CONN4_SIZE;
    uint32_t n = atomic_load(&t->n_slabs);
    uint8_t *memory;

    if (n == t->max_slabs) {
        return false;
    }
    memory = t->arenas[size].memory + t->arenas[size].n * slab_size(size);
    t->arenas[size].n++;
    for (uint32_t i = 0; i < CT_SLAB; i++) {
        struct ct_conn *conn = (struct ct_conn *) (void *) (memory + i * bytes);

        conn->id = n * CT_SLAB + i;
        conn->family = size ? 6 : 4;
        atomic_init(&conn->generation, 1);     /* odd for good: never 0 */
    }
    atomic_store_explicit(&t->slabs[n], (uintptr_t) memory | size,
                          memory_order_release);
    atomic_store(&t->n_slabs, n + 1);
    atomic_fetch_add(&t->memory, slab_size(size));
    slot->sizes[size].fresh = n * CT_SLAB;
    slot->sizes[size].fresh_end = (n + 1) * CT_SLAB;
    return true;
}

/* Some of the ids that others gave back, or a new slab. */
static bool
refill(struct ct_table *t, struct slot *slot, unsigned int size)
{
    uint32_t n;
    bool done;

    pthread_mutex_lock(&t->lock);
    n = MIN(t->shared[size].n, (uint32_t) SLOT_SHARE);
    if (n) {
        t->shared[size].n -= n;
        memcpy(slot->sizes[size].ids, t->shared[size].ids + t->shared[size].n,
               n * sizeof(uint32_t));
    }
    slot->sizes[size].n = n;
    done = n || add_slab(t, slot, size);
    pthread_mutex_unlock(&t->lock);
    return done;
}

static bool
take_id(struct ct_table *t, struct slot *slot, unsigned int size, uint32_t *id)
{
    uint32_t n = slot->sizes[size].n;

    if (n) {
        *id = slot->sizes[size].ids[n - 1];
        slot->sizes[size].n = n - 1;
        if (n > 1) {
            /* The next one's, which nobody has used for long. */
            const uint8_t *next
                = (const void *) conn_at(t, slot->sizes[size].ids[n - 2]);

            __builtin_prefetch(next, 1);
            __builtin_prefetch(next + CACHE_LINE, 1);
        }
        return true;
    }
    if (slot->sizes[size].fresh == slot->sizes[size].fresh_end) {
        return refill(t, slot, size) && take_id(t, slot, size, id);
    }
    *id = slot->sizes[size].fresh++;
    return true;
}

static void
share(struct ct_table *t, struct slot *slot, unsigned int size)
{
    pthread_mutex_lock(&t->lock);
    if (t->shared[size].n + SLOT_SHARE > t->shared[size].size) {
        t->shared[size].size = MAX(t->shared[size].size * 2, 4096u);
        t->shared[size].ids = xrealloc(t->shared[size].ids,
                                       t->shared[size].size
                                           * sizeof(uint32_t));
    }
    memcpy(t->shared[size].ids + t->shared[size].n, slot->sizes[size].ids,
           SLOT_SHARE * sizeof(uint32_t));
    t->shared[size].n += SLOT_SHARE;
    pthread_mutex_unlock(&t->lock);
    slot->sizes[size].n -= SLOT_SHARE;
    memmove(slot->sizes[size].ids, slot->sizes[size].ids + SLOT_SHARE,
            slot->sizes[size].n * sizeof(uint32_t));
}

static void
give_id(struct ct_table *t, struct slot *slot, unsigned int size, uint32_t id)
{
    if (slot->sizes[size].n == SLOT_FREE) {
        share(t, slot, size);
    }
    slot->sizes[size].ids[slot->sizes[size].n++] = id;
}

/* ---- The whole ---- */

struct ct_table *
ct_table_create(uint32_t max, unsigned int n_slots, struct hash_key key)
{
    struct ct_table *t = xzalloc(sizeof *t);

    t->key = key;
    t->n_buckets = MIN_BUCKETS;
    while (t->n_buckets < 2 * (uint64_t) max) {
        t->n_buckets *= 2;
    }
    t->n_shards = MIN(t->n_buckets / 16, (uint32_t) MAX_SHARDS);
    t->shift = 64 - (unsigned int) __builtin_ctz(t->n_buckets);
    t->shard_shift = 64 - (unsigned int) __builtin_ctz(t->n_shards);
    t->heads = huge_zalloc(t->n_buckets * sizeof *t->heads);
    t->shards = xzalloc_aligned(t->n_shards * sizeof *t->shards);
    for (uint32_t i = 0; i < t->n_shards; i++) {
        pthread_mutex_init(&t->shards[i].lock, NULL);
    }
    t->n_slots = n_slots;
    t->slots = xzalloc_aligned(n_slots * sizeof *t->slots);
    pthread_mutex_init(&t->lock, NULL);
    t->max_slabs = max / CT_SLAB + (max % CT_SLAB != 0);
    t->slabs = xcalloc(t->max_slabs, sizeof *t->slabs);
    for (unsigned int i = 0; i < 2; i++) {
        t->arenas[i].memory = huge_zalloc(t->max_slabs * slab_size(i));
    }
    return t;
}

void
ct_table_destroy(struct ct_table *t)
{
    if (!t) {
        return;
    }
    for (uint32_t i = 0; i < t->n_shards; i++) {
        pthread_mutex_destroy(&t->shards[i].lock);
    }
    for (unsigned int i = 0; i < 2; i++) {
        huge_free(t->arenas[i].memory, t->max_slabs * slab_size(i));
    }
    free(t->shared[0].ids);
    free(t->shared[1].ids);
    huge_free(t->heads, t->n_buckets * sizeof *t->heads);
    free(t->slabs);
    free(t->slots);
    free(t->shards);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

uint64_t
ct_table_memory(const struct ct_table *t)
{
    return atomic_load(&t->memory) + t->n_shards * sizeof *t->shards
           + t->n_buckets * sizeof *t->heads
           + t->n_slots * sizeof *t->slots
           + t->max_slabs * sizeof t->slabs[0];
}

uint32_t
ct_table_random(struct ct_table *t, unsigned int slot)
{
    uint64_t n = t->slots[slot].n_random++;

    return (uint32_t) hash_u64(t->key, n << 8 | slot);
}

uint64_t
ct_table_retries(const struct ct_table *t)
{
    uint64_t n = 0;

    for (unsigned int i = 0; i < t->n_slots; i++) {
        n += atomic_load(&t->slots[i].n_retries);
    }
    return n;
}

uint32_t
ct_table_n_places(const struct ct_table *t)
{
    return atomic_load(&t->n_slabs) * CT_SLAB;
}

struct ct_conn *
ct_table_place(const struct ct_table *t, uint32_t id)
{
    struct ct_conn *conn = conn_at(t, id);

    return atomic_load_explicit(&conn->life, memory_order_relaxed)
           == CT_ALIVE ? conn : NULL;
}

/* ---- Tuples ---- */

uint64_t
ct_table_hash(const struct ct_table *t, const struct ct_tuple *tuple)
{
    uint64_t rest = (uint64_t) tuple->src_port << 48
                    | (uint64_t) tuple->dst_port << 32
                    | (uint32_t) tuple->zone << 16 | tuple->proto;

    if (tuple->family == 4) {
        uint64_t words[2] = {
            (uint64_t) get_be32(tuple->src.b) << 32 | get_be32(tuple->dst.b),
            rest,
        };

        return hash_bytes(t->key, words, sizeof words);
    } else {
        struct {
            struct ip6_addr src, dst;
            uint64_t rest;
        } words = { tuple->src, tuple->dst, rest };

        return hash_bytes(t->key, &words, sizeof words);
    }
}

struct ct_tuple
ct_conn_tuple(const struct ct_conn *conn, unsigned int dir)
{
    struct ct_tuple t = {
        .family = conn->family, .proto = conn->proto, .zone = conn->zone,
        .src_port = conn->ports[dir][0], .dst_port = conn->ports[dir][1],
    };

    if (conn->family == 4) {
        put_be32(t.src.b, conn->addrs4[dir][0]);
        put_be32(t.dst.b, conn->addrs4[dir][1]);
    } else {
        t.src = conn->addrs6[dir * 2];
        t.dst = conn->addrs6[dir * 2 + 1];
    }
    return t;
}

static void
set_tuple(struct ct_conn *conn, unsigned int dir, const struct ct_tuple *t)
{
    conn->ports[dir][0] = t->src_port;
    conn->ports[dir][1] = t->dst_port;
    if (conn->family == 4) {
        conn->addrs4[dir][0] = get_be32(t->src.b);
        conn->addrs4[dir][1] = get_be32(t->dst.b);
    } else {
        conn->addrs6[dir * 2] = t->src;
        conn->addrs6[dir * 2 + 1] = t->dst;
    }
}

static bool
has_tuple(const struct ct_conn *conn, unsigned int dir,
          const struct ct_tuple *t)
{
    if (conn->ports[dir][0] != t->src_port
        || conn->ports[dir][1] != t->dst_port || conn->proto != t->proto
        || conn->zone != t->zone || conn->family != t->family) {
        return false;
    }
    if (t->family == 4) {
        return conn->addrs4[dir][0] == get_be32(t->src.b)
               && conn->addrs4[dir][1] == get_be32(t->dst.b);
    }
    return !memcmp(&conn->addrs6[dir * 2], &t->src, sizeof t->src)
           && !memcmp(&conn->addrs6[dir * 2 + 1], &t->dst, sizeof t->dst);
}

/* ---- Locks of connections ---- */

void
ct_conn_lock(struct ct_conn *conn)
{
    for (unsigned int n = 0; atomic_exchange_explicit(&conn->lock, 1,
                                                      memory_order_acquire);
         n++) {
        if (n > 100) {
            sched_yield();        /* who has it may not be running */
        }
    }
}

void
ct_conn_unlock(struct ct_conn *conn)
{
    atomic_store_explicit(&conn->lock, 0, memory_order_release);
}

/* ---- Lookup ---- */

static struct shard *
shard_of(const struct ct_table *t, uint64_t hash)
{
    return &t->shards[hash >> t->shard_shift];
}

static _Atomic uint32_t *
head_of(const struct ct_table *t, uint64_t hash)
{
    return &t->heads[hash >> t->shift];
}

void
ct_table_prefetch(const struct ct_table *t, uint64_t hash)
{
    __builtin_prefetch(head_of(t, hash));
}

void
ct_table_prefetch_conn(const struct ct_table *t, uint64_t hash)
{
    uint32_t link = atomic_load_explicit(head_of(t, hash),
                                         memory_order_acquire);

    if (link) {
        __builtin_prefetch(conn_at(t, (link - 1) >> 1));
    }
}

/* Walks a chain; returns the connection locked.  `*is_lost`: the walk was so long
 * that it may have gone astray. */
static struct ct_conn *
walk(struct ct_table *t, const struct ct_tuple *tuple, uint64_t hash,
     unsigned int *dir, bool *is_lost)
{
    uint32_t link = atomic_load_explicit(head_of(t, hash),
                                         memory_order_acquire);

    *is_lost = false;
    for (unsigned int n = 0; link; n++) {
        struct ct_conn *conn = conn_at(t, (link - 1) >> 1);
        unsigned int d = (link - 1) & 1;

        if (n == MAX_WALK) {
            *is_lost = true;
            return NULL;
        }
        if (atomic_load_explicit(&conn->hash[d], memory_order_relaxed)
            == (uint32_t) hash) {
            ct_conn_lock(conn);
            if (atomic_load_explicit(&conn->life, memory_order_relaxed)
                == CT_ALIVE && has_tuple(conn, d, tuple)) {
                *dir = d;
                return conn;
            }
            ct_conn_unlock(conn);
        }
        link = atomic_load_explicit(&conn->next[d], memory_order_acquire);
    }
    return NULL;
}

/* Any chain of a shard whose lock is held is whole.  Connections are compared
 * without their locks, since tuples of what is linked do not change. */
static struct ct_conn *
find_linked(struct ct_table *t, const struct ct_tuple *tuple, uint64_t hash,
            unsigned int *dir)
{
    uint32_t link = atomic_load_explicit(head_of(t, hash),
                                         memory_order_relaxed);

    while (link) {
        struct ct_conn *conn = conn_at(t, (link - 1) >> 1);
        unsigned int d = (link - 1) & 1;

        if (atomic_load_explicit(&conn->hash[d], memory_order_relaxed)
                == (uint32_t) hash
            && atomic_load_explicit(&conn->life, memory_order_relaxed)
               == CT_ALIVE && has_tuple(conn, d, tuple)) {
            *dir = d;
            return conn;
        }
        link = atomic_load_explicit(&conn->next[d], memory_order_relaxed);
    }
    return NULL;
}

/* The last resort of a lookup whose shard changes all the time: under its lock,
 * a connection cannot be unlinked, but it can die. */
static struct ct_conn *
find_slowly(struct ct_table *t, struct shard *shard,
            const struct ct_tuple *tuple, uint64_t hash, unsigned int *dir)
{
    struct ct_conn *conn;
    uint32_t generation = 0;

    pthread_mutex_lock(&shard->lock);
    conn = find_linked(t, tuple, hash, dir);
    if (conn) {
        generation = atomic_load(&conn->generation);
    }
    pthread_mutex_unlock(&shard->lock);
    return conn ? ct_table_get(t, conn->id, generation) : NULL;
}

struct ct_conn *
ct_table_find(struct ct_table *t, const struct ct_tuple *tuple, uint64_t hash,
              unsigned int *dir)
{
    struct shard *shard = shard_of(t, hash);

    for (unsigned int i = 0; i < MAX_TRIES; i++) {
        uint32_t before = atomic_load_explicit(&shard->sequence,
                                               memory_order_acquire);
        struct ct_conn *conn;
        bool is_lost;

        conn = walk(t, tuple, hash, dir, &is_lost);
        if (LIKELY(conn || (!is_lost
                            && atomic_load_explicit(&shard->sequence,
                                                    memory_order_acquire)
                               == before))) {
            return conn;
        }
        atomic_fetch_add_explicit(&t->slots[0].n_retries, 1,
                                  memory_order_relaxed);
        if (is_lost) {
            break;
        }
    }
    return find_slowly(t, shard, tuple, hash, dir);
}

bool
ct_table_has(struct ct_table *t, const struct ct_tuple *tuple, uint64_t hash)
{
    unsigned int dir;
    struct ct_conn *conn = ct_table_find(t, tuple, hash, &dir);

    if (conn) {
        ct_conn_unlock(conn);
    }
    return conn;
}

struct ct_conn *
ct_table_get(struct ct_table *t, uint32_t id, uint32_t generation)
{
    struct ct_conn *conn = conn_at(t, id);

    ct_conn_lock(conn);
    if (atomic_load_explicit(&conn->generation, memory_order_relaxed)
            == generation
        && atomic_load_explicit(&conn->life, memory_order_relaxed)
           == CT_ALIVE) {
        return conn;
    }
    ct_conn_unlock(conn);
    return NULL;
}

/* ---- Change ---- */

static void
put_link(const struct ct_table *t, _Atomic uint32_t *head, uint32_t link)
{
    struct ct_conn *conn = conn_at(t, (link - 1) >> 1);

    atomic_store_explicit(&conn->next[(link - 1) & 1],
                          atomic_load_explicit(head, memory_order_relaxed),
                          memory_order_release);
    atomic_store_explicit(head, link, memory_order_release);
}

static void
move_sequence(struct shard *shard)
{
    atomic_store_explicit(&shard->sequence,
                          atomic_load_explicit(&shard->sequence,
                                               memory_order_relaxed) + 1,
                          memory_order_release);
    atomic_thread_fence(memory_order_release);
}

static void
unlink_conn(struct ct_table *t, struct ct_conn *conn, uint64_t hash,
            unsigned int dir)
{
    struct shard *shard = shard_of(t, hash);
    uint32_t link = make_link(conn->id, dir);
    _Atomic uint32_t *at;

    pthread_mutex_lock(&shard->lock);
    at = head_of(t, hash);
    while (atomic_load_explicit(at, memory_order_relaxed) != link) {
        uint32_t other = atomic_load_explicit(at, memory_order_relaxed);

        assert(other);
        at = &conn_at(t, (other - 1) >> 1)->next[(other - 1) & 1];
    }
    move_sequence(shard);
    atomic_store_explicit(at, atomic_load_explicit(&conn->next[dir],
                                                   memory_order_relaxed),
                          memory_order_release);
    pthread_mutex_unlock(&shard->lock);
}

struct ct_conn *
ct_table_alloc(struct ct_table *t, unsigned int slot,
               const struct ct_tuple *original, const struct ct_tuple *reply)
{
    struct ct_conn *conn;
    uint32_t id;

    if (!take_id(t, &t->slots[slot], size_of_family(original->family), &id)) {
        return NULL;
    }
    conn = conn_at(t, id);
    ct_conn_lock(conn);
    conn->proto = original->proto;
    conn->zone = original->zone;
    conn->is_answered = false;
    conn->nat = 0;
    conn->mark = conn->mapping = 0;
    memset(&conn->label, 0, sizeof conn->label);
    memset(conn->peers, 0, sizeof conn->peers);
    conn->bytes[0] = conn->bytes[1] = 0;
    set_tuple(conn, 0, original);
    set_tuple(conn, 1, reply);
    return conn;
}

static void
give_back(struct ct_table *t, unsigned int slot, struct ct_conn *conn)
{
    uint32_t id = conn->id;
    unsigned int size = size_of_family(conn->family);

    atomic_fetch_add(&conn->generation, 2);
    atomic_store(&conn->life, CT_FREE);
    give_id(t, &t->slots[slot], size, id);
}

/* Both shards, the lower one first. */
static void
lock_two(struct shard *a, struct shard *b)
{
    pthread_mutex_lock(a < b ? &a->lock : &b->lock);
    if (a != b) {
        pthread_mutex_lock(a < b ? &b->lock : &a->lock);
    }
}

static void
unlock_two(struct shard *a, struct shard *b)
{
    pthread_mutex_unlock(&a->lock);
    if (a != b) {
        pthread_mutex_unlock(&b->lock);
    }
}

bool
ct_table_insert(struct ct_table *t, unsigned int slot, struct ct_conn *conn,
                uint64_t hash, uint64_t reply_hash)
{
    struct shard *a = shard_of(t, hash), *b = shard_of(t, reply_hash);
    struct ct_tuple original = ct_conn_tuple(conn, 0);
    struct ct_tuple reply = ct_conn_tuple(conn, 1);
    uint32_t id = conn->id;
    unsigned int dir;
    bool is_taken;

    lock_two(a, b);
    is_taken = find_linked(t, &original, hash, &dir)
               || find_linked(t, &reply, reply_hash, &dir);
    if (!is_taken) {
        atomic_store_explicit(&conn->hash[0], (uint32_t) hash,
                              memory_order_relaxed);
        atomic_store_explicit(&conn->hash[1], (uint32_t) reply_hash,
                              memory_order_relaxed);
        atomic_store_explicit(&conn->life, CT_ALIVE, memory_order_relaxed);
        put_link(t, head_of(t, hash), make_link(id, 0));
        put_link(t, head_of(t, reply_hash), make_link(id, 1));
    }
    unlock_two(a, b);
    if (is_taken) {
        ct_conn_unlock(conn);
        give_back(t, slot, conn);
    }
    return !is_taken;
}

void
ct_table_remove(struct ct_table *t, unsigned int slot, struct ct_conn *conn)
{
    struct ct_tuple tuples[2] = { ct_conn_tuple(conn, 0),
                                  ct_conn_tuple(conn, 1) };

    atomic_store(&conn->life, CT_DYING);
    ct_conn_unlock(conn);
    for (unsigned int dir = 0; dir < 2; dir++) {
        unlink_conn(t, conn, ct_table_hash(t, &tuples[dir]), dir);
    }
    give_back(t, slot, conn);
}
