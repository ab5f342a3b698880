#include "datapath/datapath.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "datapath/worker.h"
#include "lib/rcu.h"

/* Which options of tunnels are fields, as workers read it. */
struct options {
    struct rcu_later later;
    struct tunnel_option_map map;
};

struct datapath {
    struct datapath_config config;
    struct datapath_calls calls;
    unsigned int n_workers;
    struct worker *workers[DP_MAX_WORKERS];
    struct port *ports[DP_MAX_PORTS];
    pthread_mutex_t *tx_locks[DP_MAX_PORTS];    /* when queues are shared */
    struct port_tap *taps[DP_MAX_PORTS];
    _Atomic(struct dp_meter *) meters[DP_MAX_METERS];
    struct conntrack *ct;
    _Atomic(struct options *) options;
};

const struct datapath_calls *
datapath_calls(const struct datapath *dp)
{
    return &dp->calls;
}

const struct datapath_config *
datapath_config(const struct datapath *dp)
{
    return &dp->config;
}

struct dp_meter *
datapath_meter(const struct datapath *dp, uint32_t slot)
{
    return slot < DP_MAX_METERS
           ? atomic_load_explicit(&dp->meters[slot], memory_order_acquire)
           : NULL;
}

struct conntrack *
datapath_conntrack(const struct datapath *dp)
{
    return dp->ct;
}

/* Behind those of the workers. */
unsigned int
datapath_ct_slot(const struct datapath *dp)
{
    return dp->config.n_workers;
}

static void
fill_defaults(struct datapath_config *config)
{
    if (!config->n_workers) {
        config->n_workers = 1;
    }
    config->n_workers = MIN(config->n_workers, DP_MAX_WORKERS);
    if (config->inline_only) {
        config->n_workers = 1;
    }
    if (!config->max_entries) {
        config->max_entries = 256 * 1024;
    }
    if (!config->max_masks) {
        config->max_masks = 512;
    }
    if (!config->port_share) {
        config->port_share = 4;
    }
}

struct datapath *
datapath_create(const struct datapath_config *config,
                const struct datapath_calls *calls)
{
    struct datapath *dp = xzalloc(sizeof *dp);

    dp->config = *config;
    dp->calls = *calls;
    fill_defaults(&dp->config);
    dp->config.ct.n_slots = dp->config.n_workers + 1;
    dp->ct = conntrack_create(&dp->config.ct);
    while (dp->n_workers < dp->config.n_workers) {
        struct worker *w = xzalloc_aligned(sizeof *w);

        if (worker_init(w, dp, dp->n_workers)) {
            free(w);
            goto destroy;
        }
        if (!dp->config.inline_only && worker_start(w)) {
            worker_fini(w);
            free(w);
            goto destroy;
        }
        dp->workers[dp->n_workers++] = w;
    }
    return dp;

destroy:
    datapath_destroy(dp);
    return NULL;
}

void
datapath_destroy(struct datapath *dp)
{
    if (!dp) {
        return;
    }
    if (!dp->config.inline_only) {
        for (unsigned int i = 0; i < dp->n_workers; i++) {
            worker_stop(dp->workers[i]);
        }
    }
    conntrack_destroy(dp->ct);    /* packets that wait there go home */
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        worker_fini(dp->workers[i]);
        free(dp->workers[i]);
    }
    for (unsigned int i = 0; i < DP_MAX_PORTS; i++) {
        assert(!dp->ports[i]);
        free(dp->tx_locks[i]);
    }
    for (unsigned int i = 0; i < DP_MAX_METERS; i++) {
        free(dp->meters[i]);
    }
    free(dp->options);
    free(dp);
}

/* ---- Waiting for workers ---- */

static void
pause_briefly(void)
{
    struct timespec ts = { 0, 20 * 1000 };

    nanosleep(&ts, NULL);
}

void
datapath_quiesce(struct datapath *dp)
{
    uint64_t turns[DP_MAX_WORKERS];

    for (unsigned int i = 0; i < dp->n_workers; i++) {
        turns[i] = atomic_load(&dp->workers[i]->turns);
    }
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        struct worker *w = dp->workers[i];

        for (unsigned int n = 0; !atomic_load(&w->is_sleeping)
                                 && atomic_load(&w->turns) == turns[i]; n++) {
            if (n < 4) {
                sched_yield();
            } else {
                pause_briefly();
            }
        }
    }
}

static void
set_paused(struct datapath *dp, bool is_paused)
{
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        atomic_store(&dp->workers[i]->is_paused, is_paused);
        worker_wake(dp->workers[i]);
    }
}

void
datapath_pause(struct datapath *dp)
{
    set_paused(dp, true);
    if (!dp->config.inline_only) {
        datapath_quiesce(dp);
    }
}

void
datapath_resume(struct datapath *dp)
{
    set_paused(dp, false);
}

/* The port that carries this one's packets; 0: none. */
static uint32_t
find_underlay(const struct datapath *dp, const struct port *port)
{
    const char *name = underlay_of(port);

    for (uint32_t id = 1; name && id < DP_MAX_PORTS; id++) {
        const struct port *other = dp->ports[id];

        if (other && !other->class->is_tunnel
            && !strcmp(other->config.name, name)) {
            return id;
        }
    }
    return 0;
}

static void
connect_underlays(struct datapath *dp)
{
    for (uint32_t id = 1; id < DP_MAX_PORTS; id++) {
        const struct port *port = dp->ports[id];
        uint32_t underlay;

        if (!port || !port->class->is_tunnel) {
            continue;
        }
        underlay = find_underlay(dp, port);
        for (unsigned int i = 0; i < dp->n_workers; i++) {
            atomic_store(&dp->workers[i]->ports[id]->underlay, underlay);
        }
    }
}

/* Gives each worker its share of the rx queues, and waits until all have
 * adopted it. */
static void
distribute(struct datapath *dp)
{
    connect_underlays(dp);
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        struct worker *w = dp->workers[i];
        struct sources *sources;
        unsigned int n = 0;

        for (unsigned int id = 0; id < DP_MAX_PORTS; id++) {
            n += dp->ports[id] ? dp->ports[id]->n_rxq : 0;
        }
        sources = xzalloc(sizeof *sources + n * sizeof sources->list[0]);
        for (unsigned int id = 0; id < DP_MAX_PORTS; id++) {
            struct port *port = dp->ports[id];

            for (unsigned int q = 0; port && port_is_up(port)
                                     && q < port->n_rxq; q++) {
                if ((id + q) % dp->n_workers != i) {
                    continue;
                }
                sources->list[sources->n++] = (struct source) {
                    .port = port, .wp = w->ports[id], .queue = q,
                    .underlay = underlay_find(port),
                    .fd = port->class->rx_fd ? port->class->rx_fd(port, q)
                                             : -1,
                };
            }
        }
        atomic_store(&w->new_sources, sources);
        if (dp->config.inline_only) {
            worker_turn(w);
        } else {
            worker_wake(w);
        }
        while (atomic_load(&w->new_sources)) {
            pause_briefly();
        }
    }
}

/* ---- Ports ---- */

static void
set_worker_port(struct datapath *dp, struct worker *w, struct port *port)
{
    struct worker_port *wp = w->ports[port->id];

    if (!wp) {
        wp = xzalloc_aligned(sizeof *wp);
        wp->id = port->id;
    }
    wp->txq = port->n_txq ? w->index % port->n_txq : 0;
    if (port->n_txq < dp->n_workers && !dp->tx_locks[port->id]) {
        dp->tx_locks[port->id] = xmalloc(sizeof *dp->tx_locks[0]);
        pthread_mutex_init(dp->tx_locks[port->id], NULL);
    }
    wp->tx_lock = port->n_txq < dp->n_workers ? dp->tx_locks[port->id] : NULL;
    atomic_store(&wp->underlay, 0);       /* the id may have been a tunnel's */
    atomic_store_explicit(&wp->port, port, memory_order_release);
    __atomic_store_n(&w->ports[port->id], wp, __ATOMIC_RELEASE);
}

int
datapath_add_port(struct datapath *dp, struct port *port)
{
    if (!port->id || port->id >= DP_MAX_PORTS) {
        return -ERANGE;
    }
    if (dp->ports[port->id]) {
        return -EEXIST;
    }
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        set_worker_port(dp, dp->workers[i], port);
    }
    dp->ports[port->id] = port;
    distribute(dp);
    return 0;
}

void
datapath_remove_port(struct datapath *dp, struct port *port)
{
    dp->ports[port->id] = NULL;
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        atomic_store(&dp->workers[i]->ports[port->id]->port, NULL);
    }
    distribute(dp);
    datapath_set_tap(dp, port, NULL, NULL);
    datapath_invalidate_all(dp);
    datapath_quiesce(dp);
}

void
datapath_check_ports(struct datapath *dp,
                     void (*changed)(void *aux, struct port *), void *aux)
{
    for (unsigned int id = 1; id < DP_MAX_PORTS; id++) {
        struct port *port = dp->ports[id];

        if (!port) {
            continue;
        }
        port_check_device(port);
        if (!port_is_up(port) && port->is_open) {
            /* Nobody may be inside the device when it is closed. */
            distribute(dp);
            datapath_quiesce(dp);
            port_close_failed(port);
            changed(aux, port);
        }
        if (!port_is_up(port)) {
            if (port_poll_device(port)) {
                for (unsigned int i = 0; i < dp->n_workers; i++) {
                    set_worker_port(dp, dp->workers[i], port);
                }
                distribute(dp);
                changed(aux, port);
            }
        }
    }
}

int
datapath_set_tap(struct datapath *dp, struct port *port, datapath_tap *tap,
                 void *aux)
{
    struct port_tap *new = NULL, *old = dp->taps[port->id];

    if (tap) {
        if (old) {
            return -EBUSY;
        }
        new = xmalloc(sizeof *new);
        *new = (struct port_tap) { tap, aux };
    }
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        atomic_store(&dp->workers[i]->ports[port->id]->tap, new);
    }
    dp->taps[port->id] = new;
    if (old) {
        datapath_quiesce(dp);
        free(old);
    }
    return 0;
}

int
datapath_inject_packet(struct datapath *dp, const struct packet *pkt,
                       struct dp_action_list actions)
{
    struct worker *w = dp->workers[0];
    struct inject *inject;

    if (pkt->len > PACKET_MAX_LEN) {
        return -EMSGSIZE;
    }
    inject = xmalloc(sizeof *inject + actions.len + pkt->len);
    memset(inject, 0, sizeof *inject);
    packet_copy_metadata(&inject->pkt, pkt);
    if (inject->pkt.in_port >= DP_MAX_PORTS) {
        inject->pkt.in_port = 0;
    }
    inject->pkt.buf = (uint8_t *) inject->bytes + actions.len;
    inject->pkt.data = inject->pkt.buf;
    inject->pkt.len = inject->pkt.buf_size = pkt->len;
    inject->actions_len = actions.len;
    if (actions.len) {
        memcpy(inject->bytes, actions.first, actions.len);
    }
    memcpy(inject->pkt.buf, pkt->data, pkt->len);
    atomic_fetch_add(&w->n_injects, 1);
    inject->next = atomic_load_explicit(&w->injects, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
               &w->injects, &inject->next, inject, memory_order_seq_cst,
               memory_order_relaxed)) {
        /* inject->next was reloaded. */
    }
    if (atomic_load(&w->is_sleeping)) {
        worker_wake(w);
    }
    return 0;
}

int
datapath_inject(struct datapath *dp, const void *frame, uint32_t len,
                uint32_t in_port, struct dp_action_list actions)
{
    struct packet pkt = {
        .data = (uint8_t *) (uintptr_t) frame, .len = len, .in_port = in_port,
    };

    return datapath_inject_packet(dp, &pkt, actions);
}

enum { INJECT_ROOM = 1024 };

bool
datapath_has_inject_room(const struct datapath *dp)
{
    return atomic_load(&dp->workers[0]->n_injects) < INJECT_ROOM;
}

/* ---- Consistency ---- */

void
datapath_invalidate(struct datapath *dp, const struct datapath_change *changes,
                    unsigned int n)
{
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        struct worker *w = dp->workers[i];
        unsigned int n_stale = flow_cache_invalidate(&w->cache, changes, n);

        atomic_fetch_add(&w->n_invalidated, n_stale);
    }
}

void
datapath_invalidate_all(struct datapath *dp)
{
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        struct worker *w = dp->workers[i];

        atomic_fetch_add(&w->n_invalidated,
                         flow_cache_invalidate_all(&w->cache));
    }
}

/* ---- Tunnels ---- */

void
datapath_set_tunnel_options(struct datapath *dp,
                            const struct tunnel_option_map *map)
{
    struct options *new = NULL, *old;

    if (map && map->mapped) {
        new = xzalloc(sizeof *new);
        new->map = *map;
    }
    old = atomic_exchange(&dp->options, new);
    if (old) {
        rcu_free(&old->later);
    }
    datapath_invalidate_all(dp);
}

const struct tunnel_option_map *
datapath_tunnel_options(const struct datapath *dp)
{
    const struct options *options
        = atomic_load_explicit(&dp->options, memory_order_acquire);

    return options ? &options->map : NULL;
}

/* ---- Meters ---- */

int
datapath_set_meter(struct datapath *dp, uint32_t slot,
                   const struct dp_meter_config *config)
{
    struct dp_meter *new = config ? dp_meter_create(config) : NULL;
    struct dp_meter *old;

    if (slot >= DP_MAX_METERS) {
        free(new);
        return -ERANGE;
    }
    old = atomic_exchange(&dp->meters[slot], new);
    if (old) {
        datapath_quiesce(dp);
        free(old);
    }
    return 0;
}

bool
datapath_meter_stats(const struct datapath *dp, uint32_t slot,
                     struct dp_meter_stats *stats)
{
    const struct dp_meter *m = datapath_meter(dp, slot);

    if (!m) {
        return false;
    }
    stats->packets = m->packets;
    stats->bytes = m->bytes;
    for (unsigned int i = 0; i < ARRAY_SIZE(stats->bands); i++) {
        stats->bands[i].packets = m->band_packets[i];
        stats->bands[i].bytes = m->band_bytes[i];
    }
    return true;
}

/* ---- Lists ---- */

static void
fill_view(const struct cache_entry *e, struct dp_entry_view *view)
{
    memset(&view->value, 0, sizeof view->value);
    memset(&view->mask, 0, sizeof view->mask);
    for (unsigned int i = 0; i < e->mask->n_words; i++) {
        view->value.w[e->mask->index[i]] = cache_entry_key(e, i);
        view->mask.bits.w[e->mask->index[i]] = e->mask->bits[i];
    }
    view->actions = cache_entry_actions(e);
}

void
datapath_visit_entries(struct datapath *dp, bool full,
                       bool (*visit)(void *aux, const struct dp_entry_view *),
                       void *aux)
{
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        struct flow_cache *cache = &dp->workers[i]->cache;
        bool go_on = true;
        uint32_t n;

        flow_cache_visit_begin(cache);
        n = atomic_load_explicit(&cache->n_slots, memory_order_acquire);
        for (uint32_t slot = 0; go_on && slot < n; slot++) {
            struct cache_entry *e = flow_cache_slot(cache, slot);
            struct dp_entry_view view;

            if (!e) {
                continue;
            }
            view.worker = i;
            view.entry = e;
            view.credit = e->credit;
            view.packets = e->packets;
            view.bytes = e->bytes;
            view.created = e->created;
            view.used = e->used;
            view.stale = atomic_load(&e->flags) & CACHE_STALE;
            view.exact = e->is_exact;
            if (full) {
                fill_view(e, &view);
            }
            go_on = visit(aux, &view);
        }
        flow_cache_visit_end(cache);
        if (!go_on) {
            return;
        }
    }
}

void
datapath_remove_entry(struct datapath *dp, unsigned int worker,
                      const void *entry)
{
    struct worker *w = dp->workers[worker];
    const struct cache_entry *e = entry;

    flow_cache_request_removal(&w->cache, e->slot);
    if (!dp->config.inline_only && atomic_load(&w->is_sleeping)) {
        worker_wake(w);
    }
}

void
datapath_read_counters(const struct datapath *dp, struct datapath_counters *c)
{
    *c = (struct datapath_counters) { 0 };
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        const struct worker *w = dp->workers[i];

#define X(NAME, TEXT) c->NAME += w->counters.NAME;
        DATAPATH_COUNTERS(X)
#undef X
        c->invalidations += w->n_invalidated;
    }
}

void
datapath_cache_size(const struct datapath *dp, struct dp_cache_size *size)
{
    *size = (struct dp_cache_size) {
        .max_entries = dp->config.max_entries,
        .max_masks = dp->config.max_masks,
    };
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        const struct flow_cache *cache = &dp->workers[i]->cache;

        size->n_entries += cache->n_entries;
        size->n_masks += cache->n_masks;
    }
}

void
datapath_read_drops(const struct datapath *dp, const struct port *port,
                    uint64_t drops[N_DROP_REASONS])
{
    memset(drops, 0, N_DROP_REASONS * sizeof drops[0]);
    for (unsigned int i = 0; i < dp->n_workers; i++) {
        for (unsigned int id = 0; id < DP_MAX_PORTS; id++) {
            const struct worker_port *wp = dp->workers[i]->ports[id];

            if (!wp || (port && port->id != id)) {
                continue;
            }
            for (unsigned int r = 0; r < N_DROP_REASONS; r++) {
                drops[r] += wp->drops[r];
            }
        }
    }
}

unsigned int
datapath_poll_once(struct datapath *dp)
{
    assert(dp->config.inline_only);
    return worker_turn(dp->workers[0]);
}
