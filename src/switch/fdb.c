#include "switch/fdb.h"

#include <stdlib.h>
#include <urcu/urcu-qsbr.h>
#include <urcu/rculfhash.h>

#include "lib/hash.h"
#include "lib/rcu.h"
#include "lib/str.h"

enum {
    DEFAULT_AGE = 300 * 1000,
    DEFAULT_MAX = 64 * 1024,
    SWEEP_INTERVAL = 1000,      /* at least, or the age when that is less */
    SWEEPS_PER_AGE = 30,        /* a sweep reads every bucket, used or not */
};

struct station {
    struct cds_lfht_node node;
    uint64_t key;                 /* vid above the address */
    _Atomic uint32_t port;        /* 0: unlinked from the table */
    _Atomic msec used;

    /* Its moves since `first_move`, which was away from `home`. */
    _Atomic uint32_t n_moves, home;
    _Atomic msec first_move, last_move;

    /* On the list of changes while `listed`.  Whoever turns it on pushes. */
    struct station *next_change;
    atomic_bool listed;
    atomic_bool moved;            /* since it was listed last */

    struct station *next_removed;
};

struct fdb {
    struct fdb_config config;
    struct hash_key hash_key;
    struct cds_lfht *table;
    _Atomic uint32_t n;
    _Atomic uint32_t n_by_port[DP_MAX_PORTS];
    _Atomic uint32_t generation;
    msec next_sweep;

    /* A stack that many push to and the control thread takes whole. */
    _Atomic(struct station *) changes;
    struct station *taken;        /* control thread: taken, not handed out */
    struct fdb_change *removed;   /* control thread: gone, not handed out */
    unsigned int n_removed, removed_size;

    struct {
#define X(NAME, TEXT) _Atomic uint64_t NAME;
        FDB_COUNTERS(X)
#undef X
    } counters;
};

static uint64_t
pack(struct fdb_key key)
{
    uint64_t v = key.vid;

    for (int i = 0; i < 6; i++) {
        v = v << 8 | key.mac.b[i];
    }
    return v;
}

static struct fdb_key
unpack(uint64_t v)
{
    struct fdb_key key = { .vid = (uint16_t) (v >> 48) };

    for (int i = 5; i >= 0; i--, v >>= 8) {
        key.mac.b[i] = (uint8_t) v;
    }
    return key;
}

static void
count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

struct fdb *
fdb_create(const struct fdb_config *config)
{
    struct fdb *fdb = xzalloc_aligned(sizeof *fdb);
    unsigned long n_buckets = 64;

    fdb->config = *config;
    fdb->config.age = config->age ? config->age : DEFAULT_AGE;
    fdb->config.max = config->max ? config->max : DEFAULT_MAX;
    if (!config->max_per_port) {
        fdb->config.max_per_port = MAX(1u, fdb->config.max / 4);
    }
    fdb->hash_key = hash_key_random();

    /* All buckets at once: resizing would need a thread of its own. */
    while (n_buckets < fdb->config.max) {
        n_buckets *= 2;
    }
    fdb->table = cds_lfht_new_flavor(n_buckets, n_buckets, n_buckets, 0,
                                     &urcu_qsbr_flavor, NULL);
    if (!fdb->table) {
        free(fdb);
        return NULL;
    }
    return fdb;
}

void
fdb_destroy(struct fdb *fdb)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;
    struct station *station;

    if (!fdb) {
        return;
    }
    cds_lfht_for_each (fdb->table, &iter, node) {
        station = CONTAINER_OF(node, struct station, node);
        cds_lfht_del(fdb->table, &station->node);
        free(station);
    }
    cds_lfht_destroy(fdb->table, NULL);
    free(fdb->removed);
    free(fdb);
}

static int
station_is(struct cds_lfht_node *node, const void *key)
{
    const struct station *station = CONTAINER_OF(node, struct station, node);

    rcu_take_over(station);
    return station->key == *(const uint64_t *) key;
}

static struct station *
find(const struct fdb *fdb, uint64_t key)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;

    cds_lfht_lookup(fdb->table, hash_u64(fdb->hash_key, key), station_is,
                    &key, &iter);
    node = cds_lfht_iter_get_node(&iter);
    return node ? CONTAINER_OF(node, struct station, node) : NULL;
}

/* Tells the control thread that answers about this station are wrong now. */
static void
list_change(struct fdb *fdb, struct station *station)
{
    struct station *first;

    if (atomic_exchange(&station->listed, true)) {
        return;
    }
    first = atomic_load(&fdb->changes);
    do {
        station->next_change = first;
    } while (!atomic_compare_exchange_weak(&fdb->changes, &first, station));
    if (!first && fdb->config.changed) {
        fdb->config.changed(fdb->config.aux);
    }
}

uint32_t
fdb_lookup(const struct fdb *fdb, struct fdb_key key)
{
    const struct station *station = find(fdb, pack(key));

    return station ? atomic_load(&station->port) : 0;
}

static void
touch(struct station *station, msec now)
{
    msec used = atomic_load_explicit(&station->used, memory_order_relaxed);

    while (used < now
           && !atomic_compare_exchange_weak_explicit(
                  &station->used, &used, now, memory_order_relaxed,
                  memory_order_relaxed)) {
    }
}

/* Takes a place in the table and among those of the port, or nothing. */
static bool
reserve(struct fdb *fdb, uint32_t port)
{
    if (atomic_fetch_add(&fdb->n, 1) >= fdb->config.max) {
        atomic_fetch_sub(&fdb->n, 1);
        return false;
    }
    if (atomic_fetch_add(&fdb->n_by_port[port], 1)
        >= fdb->config.max_per_port) {
        atomic_fetch_sub(&fdb->n_by_port[port], 1);
        atomic_fetch_sub(&fdb->n, 1);
        return false;
    }
    return true;
}

static void
release(struct fdb *fdb, uint32_t port)
{
    atomic_fetch_sub(&fdb->n_by_port[port], 1);
    atomic_fetch_sub(&fdb->n, 1);
}

static enum fdb_learned insert(struct fdb *, uint64_t key, uint32_t port,
                               msec now);

/* Workers that see it at once may count one move for two: it is a bound, not
 * a figure. */
static void
count_move(struct fdb *fdb, struct station *station, uint32_t from,
           uint32_t to, msec now)
{
    uint32_t home;

    if (!fdb->config.max_moves) {
        return;
    }
    atomic_store(&station->last_move, now);
    if (!atomic_load(&station->n_moves)
        || now - atomic_load(&station->first_move) > FDB_MOVE_WINDOW_MS) {
        atomic_store(&station->first_move, now);
        atomic_store(&station->home, from);
        atomic_store(&station->n_moves, 0);
    }
    if (atomic_fetch_add(&station->n_moves, 1) < fdb->config.max_moves) {
        return;
    }
    atomic_store(&station->n_moves, 0);
    home = atomic_load(&station->home);
    fdb->config.restless(fdb->config.aux, unpack(station->key),
                         to == home ? from : to, home);
}

static enum fdb_learned
move(struct fdb *fdb, struct station *station, uint32_t port, msec now)
{
    uint32_t old = atomic_load(&station->port);

    do {
        if (old == port) {
            return FDB_KNOWN;     /* another worker saw it first */
        }
        if (!old) {
            return insert(fdb, station->key, port, now);
        }
    } while (!atomic_compare_exchange_weak(&station->port, &old, port));

    /* A move may exceed the port's limit: the station counts already. */
    atomic_fetch_sub(&fdb->n_by_port[old], 1);
    atomic_fetch_add(&fdb->n_by_port[port], 1);
    count(&fdb->counters.moved);
    atomic_store(&station->moved, true);
    list_change(fdb, station);
    count_move(fdb, station, old, port, now);
    return FDB_MOVED;
}

static enum fdb_learned
insert(struct fdb *fdb, uint64_t key, uint32_t port, msec now)
{
    struct cds_lfht_node *node;
    struct station *station;

    if (!reserve(fdb, port)) {
        count(&fdb->counters.refused);
        return FDB_REFUSED;
    }
    station = xzalloc(sizeof *station);
    station->key = key;
    atomic_init(&station->port, port);
    atomic_init(&station->used, now);
    rcu_hand_over(station);
    node = cds_lfht_add_unique(fdb->table, hash_u64(fdb->hash_key, key),
                               station_is, &key, &station->node);
    if (node != &station->node) {
        free(station);
        release(fdb, port);
        station = CONTAINER_OF(node, struct station, node);
        touch(station, now);
        return move(fdb, station, port, now);
    }
    count(&fdb->counters.learned);
    list_change(fdb, station);
    return FDB_LEARNED;
}

static bool
is_unsettled(const struct station *station, msec now)
{
    return atomic_load_explicit(&station->n_moves, memory_order_relaxed)
           && now - atomic_load(&station->last_move) < FDB_SETTLE_MS;
}

enum fdb_learned
fdb_learn(struct fdb *fdb, struct fdb_key key, uint32_t port, msec now)
{
    struct station *station = find(fdb, pack(key));

    assert(port && port < DP_MAX_PORTS);
    if (!station) {
        return insert(fdb, pack(key), port, now);
    }
    touch(station, now);
    if (atomic_load(&station->port) != port) {
        return move(fdb, station, port, now);
    }
    return is_unsettled(station, now) ? FDB_UNSETTLED : FDB_KNOWN;
}

uint32_t
fdb_generation(const struct fdb *fdb)
{
    return atomic_load(&fdb->generation);
}

void
fdb_refresh(struct fdb *fdb, struct fdb_key key, uint32_t port,
            uint32_t generation, msec used)
{
    struct station *station = find(fdb, pack(key));

    if (station) {
        /* Frames counted late must not pull back a station that moved. */
        if (atomic_load(&station->port) == port) {
            touch(station, used);
        }
    } else if (generation == fdb_generation(fdb)) {
        insert(fdb, pack(key), port, used);
    }
}

void
fdb_visit(const struct fdb *fdb,
          bool (*visit)(void *aux, const struct fdb_info *), void *aux)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;
    struct station *station;

    cds_lfht_for_each (fdb->table, &iter, node) {
        struct fdb_info info;

        station = CONTAINER_OF(node, struct station, node);
        rcu_take_over(station);
        info.key = unpack(station->key);
        info.port = atomic_load(&station->port);
        info.used = atomic_load(&station->used);
        if (!visit(aux, &info)) {
            return;
        }
    }
}

/* ---- Control thread ---- */

static void
take_changes(struct fdb *fdb)
{
    if (!fdb->taken) {
        fdb->taken = atomic_exchange(&fdb->changes, NULL);
    }
}

unsigned int
fdb_changes(struct fdb *fdb, struct fdb_change *changes, unsigned int max)
{
    unsigned int n = 0;

    while (n < max && fdb->n_removed) {
        changes[n++] = fdb->removed[--fdb->n_removed];
    }
    take_changes(fdb);
    while (n < max && fdb->taken) {
        struct station *station = fdb->taken;

        fdb->taken = station->next_change;
        changes[n].mac = unpack(station->key).mac;
        /* From here on a change lists it anew. */
        atomic_store(&station->listed, false);
        changes[n++].is_new = !atomic_exchange(&station->moved, false);
        take_changes(fdb);
    }
    return n;
}

static void
note_removed(struct fdb *fdb, struct eth_addr mac)
{
    if (fdb->n_removed == fdb->removed_size) {
        fdb->removed_size = MAX(64u, fdb->removed_size * 2);
        fdb->removed = xrealloc(fdb->removed, fdb->removed_size
                                                  * sizeof *fdb->removed);
    }
    fdb->removed[fdb->n_removed++] = (struct fdb_change) { mac, false };
}

/* Unlinks a station; false when it is unlinked already. */
static bool
unlink_station(struct fdb *fdb, struct station *station,
               struct station **removed)
{
    if (cds_lfht_del(fdb->table, &station->node)) {
        return false;
    }
    /* Who still holds it learns it anew. */
    release(fdb, atomic_exchange(&station->port, 0));
    note_removed(fdb, unpack(station->key).mac);
    station->next_removed = *removed;
    *removed = station;
    return true;
}

/* Frees what was unlinked.  A worker may still list one of them as changed until
 * the grace period is over, so the list is emptied behind it. */
static void
free_removed(struct fdb *fdb, struct station *removed)
{
    if (!removed) {
        return;
    }
    rcu_synchronize();

    for (take_changes(fdb); fdb->taken; take_changes(fdb)) {
        struct station *listed = fdb->taken;

        fdb->taken = listed->next_change;
        note_removed(fdb, unpack(listed->key).mac);
        atomic_store(&listed->listed, false);
    }
    while (removed) {
        struct station *station = removed;

        removed = station->next_removed;
        free(station);
    }
    if (fdb->config.changed) {
        fdb->config.changed(fdb->config.aux);
    }
}

msec
fdb_expire(struct fdb *fdb, msec now)
{
    struct station *station, *removed = NULL;
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;

    if (now < fdb->next_sweep) {
        return fdb->next_sweep;
    }
    fdb->next_sweep = now + MAX(MIN(fdb->config.age, SWEEP_INTERVAL),
                                fdb->config.age / SWEEPS_PER_AGE);

    cds_lfht_for_each (fdb->table, &iter, node) {
        station = CONTAINER_OF(node, struct station, node);
        rcu_take_over(station);
        if (now - atomic_load(&station->used) >= fdb->config.age
            && unlink_station(fdb, station, &removed)) {
            count(&fdb->counters.aged);
        }
    }
    free_removed(fdb, removed);
    return fdb->next_sweep;
}

unsigned int
fdb_flush(struct fdb *fdb, uint32_t port, int vid, const struct eth_addr *mac)
{
    struct station *station, *removed = NULL;
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;
    unsigned int n = 0;

    atomic_fetch_add(&fdb->generation, 1);
    cds_lfht_for_each (fdb->table, &iter, node) {
        struct fdb_key key;

        station = CONTAINER_OF(node, struct station, node);
        rcu_take_over(station);
        key = unpack(station->key);
        if ((!port || atomic_load(&station->port) == port)
            && (vid < 0 || key.vid == vid)
            && (!mac || eth_addr_eq(key.mac, *mac))
            && unlink_station(fdb, station, &removed)) {
            count(&fdb->counters.flushed);
            n++;
        }
    }
    free_removed(fdb, removed);
    return n;
}

uint32_t
fdb_count(const struct fdb *fdb)
{
    return atomic_load(&fdb->n);
}

const struct fdb_config *
fdb_get_config(const struct fdb *fdb)
{
    return &fdb->config;
}

void
fdb_read_counters(const struct fdb *fdb, struct fdb_counters *counters)
{
#define X(NAME, TEXT) counters->NAME = atomic_load(&fdb->counters.NAME);
    FDB_COUNTERS(X)
#undef X
}
