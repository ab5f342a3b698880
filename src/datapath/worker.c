#include "datapath/worker.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "lib/rcu.h"

#include "lib/clock.h"

enum {
    POOL_SMALL = 8192,
    POOL_BIG = 1024,
    EMPTY_TURNS = 2,              /* a source leaves the active ones after */
    EPOLL_INTERVAL = 8,           /* busy turns between looks at the others */
};

/* Epoll's number of the event fd; port 0 has no device. */
static const uint64_t EVENT_SOURCE = 0;

static const nsec MISS_WINDOW = 10 * 1000 * 1000;
enum { MISS_WINDOW_MIN = 32 };
/* How long a worker looks for work before it sleeps: what a wake-up costs both
 * sides, on a virtual machine several times as much as on a real one. */
static const nsec SPIN_MIN = 10 * 1000, SPIN_MAX = 50 * 1000;
static const nsec SOON = 100 * 1000;    /* the same, and the wake-up itself */

struct worker_port *
worker_port(struct worker *w, uint32_t id)
{
    return LIKELY(id < DP_MAX_PORTS)
           ? __atomic_load_n(&w->ports[id], __ATOMIC_ACQUIRE) : NULL;
}

void
worker_drop(struct worker *w, struct packet *pkt, enum drop_reason reason)
{
    struct worker_port *wp = worker_port(w, pkt->in_port);

    /* Port 0 stands for packets without a port (packet-out). */
    count(&(wp ? wp : w->ports[0])->drops[reason], packet_n_wire(pkt));
    packet_free(pkt);
}

/* ---- A miss ---- */

static void
entry_gone(void *w_, struct cache_entry *e)
{
    struct worker *w = w_;
    const struct datapath_calls *calls = datapath_calls(w->dp);

    calls->credit_done(calls->aux, e->credit, e->packets, e->bytes, e->used);
}

/* While there are hits to serve, all misses together get at most half of the
 * time: the thread's own, for a translation during which it had to wait for a
 * processor took nothing from anybody.  A few are always allowed: the first ones
 * of all meet memory that was never touched, and one of them may take long. */
static bool
misses_take_too_much(const struct worker *w)
{
    return w->window_has_hits && w->window_n_misses >= MISS_WINDOW_MIN
           && w->window_miss > MISS_WINDOW / 2
           && clock_thread_nsec() - w->window_cpu > MISS_WINDOW / 2;
}

/* May this port have another translation now?  A token bucket of a tenth of a
 * second for each port. */
static bool
upcall_allowed(struct worker *w, struct worker_port *wp)
{
    uint32_t rate = datapath_config(w->dp)->upcalls_per_second;
    nsec cost, next;

    if (!rate) {
        return true;
    }
    if (misses_take_too_much(w)) {
        return false;
    }
    cost = 1000000000 / rate;
    next = MAX(wp->upcall_tat, w->now) + cost;
    if (next - w->now > 100 * 1000 * 1000 + cost) {
        return false;
    }
    wp->upcall_tat = next;
    return true;
}

/* Tables may have changed while they were read: then the writer either saw the
 * entry and marked it, or we see its version here.  (It stores the version, then
 * loads the slots; we store the slot, then load the version; all four in the one
 * order of sequential consistency.) */
static void
check_version(struct worker *w, struct cache_entry *e,
              const struct upcall *upcall)
{
    const struct datapath_calls *calls = datapath_calls(w->dp);

    if (UNLIKELY(calls->version(calls->aux) != upcall->version)) {
        atomic_fetch_or_explicit(&e->flags, CACHE_STALE,
                                 memory_order_relaxed);
        count(&w->counters.races, 1);
    }
}

static void
insert(struct worker *w, const struct flow_key *key, uint64_t hash,
       const struct upcall *upcall, struct packet *pkt)
{
    unsigned int n_evicted = 0;
    struct cache_entry *e = NULL;
    bool is_exact = false;

    if (!upcall->no_cache && !datapath_config(w->dp)->no_cache) {
        e = flow_cache_insert(&w->cache, key, hash, upcall, entry_gone, w,
                              &n_evicted, &is_exact);
        count(&w->counters.evictions, n_evicted);
    }
    if (e) {
        e->packets = packet_n_wire(pkt);
        e->bytes = packet_wire_bytes(pkt);
        count(&w->counters.inserts, 1);
        count(&w->counters.inserts_exact, is_exact);
        check_version(w, e, upcall);
    } else {
        const struct datapath_calls *calls = datapath_calls(w->dp);

        calls->credit_done(calls->aux, upcall->credit, packet_n_wire(pkt),
                           packet_wire_bytes(pkt), w->now_ms);
    }
}

/* `stale`: the entry that it had before tables changed, or NULL. */
static void
miss(struct worker *w, struct packet *pkt, const struct flow_key *key,
     uint64_t hash, struct cache_entry *stale, unsigned int depth)
{
    const struct datapath_calls *calls = datapath_calls(w->dp);
    struct worker_port *wp = worker_port(w, pkt->in_port);
    struct run run = { 1, { pkt }, { key } };
    struct upcall upcall = {
        .pkt = pkt, .key = key, .worker = w->index, .now = w->now_ms,
    };
    nsec start = clock_nsec();

    if (stale) {
        count(&w->counters.revalidations, 1);
        /* The new one may have another mask and would not replace it. */
        flow_cache_remove(&w->cache, stale, entry_gone, w);
    } else {
        count(&w->counters.misses, 1);
        if (wp && !upcall_allowed(w, wp)) {
            worker_drop(w, pkt, DROP_UPCALL_BUDGET);
            return;
        }
    }
    count(&w->counters.upcalls, 1);
    calls->upcall(calls->aux, &upcall);
    insert(w, key, hash, &upcall, pkt);
    /* An entry that tables outdated belongs to traffic that is served. */
    if (!stale) {
        w->window_miss += clock_nsec() - start;
        w->window_n_misses++;
    }
    if (upcall.is_held) {
        packet_free(pkt);
    } else {
        execute(w, &run, dp_actions_list(&upcall.actions), depth);
    }
    dp_actions_fini(&upcall.actions);
}

/* ---- A batch ---- */

static struct cache_entry *
lookup_slowly(struct worker *w, const struct flow_key *key, uint64_t hash)
{
    struct cache_entry *e = flow_cache_lookup_l1(&w->cache, key, hash);
    unsigned int n_probed = 0;

    if (e) {
        count(&w->counters.hits_l1, 1);
        return e;
    }
    e = flow_cache_lookup_l2(&w->cache, key, &n_probed);
    count(&w->counters.masks_probed, n_probed);
    if (e) {
        count(&w->counters.hits_l2, 1);
        flow_cache_insert_l1(&w->cache, e, hash);
    }
    return e;
}

static void
hit(struct worker *w, struct cache_entry *e, const struct packet *pkt)
{
    count(&e->packets, packet_n_wire(pkt));
    count(&e->bytes, packet_wire_bytes(pkt));
    atomic_store_explicit(&e->used, w->now_ms, memory_order_relaxed);
}

/* Carries out a complex entry on this packet and those right behind it that
 * share the entry; returns how many.  The action list is copied: a packet that
 * recirculates can have the entry evicted under our feet. */
static unsigned int
execute_entry(struct worker *w, struct cache_entry *e, struct batch *batch,
              const struct flow_key *keys, const uint64_t *hashes,
              unsigned int i, unsigned int depth)
{
    struct dp_action_list list = cache_entry_actions(e);
    uint64_t copy[CACHE_ACTIONS_INLINE / 8 + 60];
    struct run run = { 1, { batch->pkts[i] }, { &keys[i] } };
    unsigned int n = 1;
    void *big = NULL;

    while (i + n < batch->n
           && flow_cache_lookup_l1(&w->cache, &keys[i + n], hashes[i + n])
              == e) {
        count(&w->counters.hits_l1, 1);
        hit(w, e, batch->pkts[i + n]);
        run.pkts[run.n] = batch->pkts[i + n];
        run.keys[run.n++] = &keys[i + n];
        n++;
    }
    if (list.len <= sizeof copy) {
        if (list.len) {
            memcpy(copy, list.first, list.len);
        }
        list.first = (const struct dp_action *) copy;
    } else {
        list.first = big = xmemdup(list.first, list.len);
    }
    execute(w, &run, list, depth);
    free(big);
    return n;
}

/* The key of a packet; false: it was dropped. */
static inline bool
extract(struct worker *w, struct packet *pkt, struct flow_key *key)
{
    if (UNLIKELY(flow_key_extract(pkt, key))) {
        worker_drop(w, pkt, DROP_TRUNCATED);
        return false;
    }
    if (UNLIKELY(pkt->tun.family && pkt->tun.n_options)
        && !tunnel_key_extract_options(&pkt->tun,
                                       datapath_tunnel_options(w->dp), key)) {
        worker_drop(w, pkt, DROP_TUNNEL_OPTION);
        return false;
    }
    return true;
}

void
worker_process(struct worker *w, struct batch *batch, unsigned int depth)
{
    struct flow_key *keys = w->keys[depth];
    struct cache_entry *entries[BATCH_MAX];
    uint64_t hashes[BATCH_MAX];
    unsigned int n = 0, n_first = 0;

    for (unsigned int i = 0; i < batch->n; i++) {       /* What is it? */
        struct packet *pkt = batch->pkts[i];

        if (LIKELY(extract(w, pkt, &keys[n]))) {
            batch->pkts[n++] = pkt;
        }
    }
    batch->n = n;
    /* In loops of their own: the hash reads what extraction has just written,
     * and each prefetch gets the time of the others to finish. */
    for (unsigned int i = 0; i < n; i++) {
        hashes[i] = flow_cache_hash(&w->cache, &keys[i]);
        flow_cache_prefetch(&w->cache, hashes[i]);
    }
    for (unsigned int i = 0; i < n; i++) {
        entries[i] = flow_cache_candidate(&w->cache, hashes[i]);
    }
    for (unsigned int i = 0; i < n;) {                  /* Seen it before? */
        struct packet *pkt = batch->pkts[i];
        struct cache_entry *e = entries[i];

        if (LIKELY(e && cache_entry_is_alive(e)
                   && cache_entry_holds(e, &keys[i]))) {
            n_first++;
        } else {
            e = lookup_slowly(w, &keys[i], hashes[i]);
        }
        if (UNLIKELY(!e || cache_entry_is_stale(e))) {
            miss(w, pkt, &keys[i], hashes[i], e, depth);
            i++;
            continue;
        }
        hit(w, e, pkt);
        if (LIKELY(e->is_output)) {                     /* Do as decided. */
            output_packet(w, e->out_port, pkt);
            i++;
        } else {
            i += execute_entry(w, e, batch, keys, hashes, i, depth);
        }
    }
    count(&w->counters.packets, n);
    count(&w->counters.hits_l1, n_first);
    batch->n = 0;
}

/* ---- A turn ---- */

static unsigned int
poll_source(struct worker *w, struct source *s)
{
    struct batch batch = { .n = 0 };
    const struct port_tap *tap;
    int n;

    if (UNLIKELY(!port_is_up(s->port))) {
        s->is_active = s->fd < 0;
        return 0;
    }
    n = port_rx(s->port, s->queue, w->pool, &batch);
    if (n <= 0) {
        if (n < 0) {
            port_fail(s->port, n);
        }
        if (s->fd >= 0 && ++s->n_empty >= EMPTY_TURNS) {
            s->is_active = false;
        }
        return 0;
    }
    s->n_empty = 0;
    tap = atomic_load_explicit(&s->wp->tap, memory_order_acquire);
    if (UNLIKELY(tap != NULL)) {
        for (unsigned int i = 0; i < batch.n; i++) {
            tap->tap(tap->aux, batch.pkts[i], false);
        }
    }
    if (UNLIKELY(s->underlay != NULL)) {
        underlay_take(s->underlay, s->port, s->queue, w->pool, &batch);
    }
    worker_process(w, &batch, 0);
    output_flush(w);
    return (unsigned int) n;
}

static void
run_injects(struct worker *w)
{
    struct inject *list, *next, *ordered = NULL;
    uint32_t n = 0;

    if (LIKELY(!atomic_load_explicit(&w->injects, memory_order_relaxed))) {
        return;
    }
    list = atomic_exchange_explicit(&w->injects, NULL, memory_order_acquire);
    for (; list; list = next) {
        next = list->next;
        list->next = ordered;
        ordered = list;
    }
    for (; ordered; ordered = next) {
        struct packet *pkt = packet_clone(w->pool, &ordered->pkt);
        struct flow_key *key = &w->keys[0][0];

        next = ordered->next;
        if (pkt) {
            struct run run = { 1, { pkt }, { key } };

            flow_key_extract(pkt, key);
            if (pkt->tun.family) {
                tunnel_key_extract_options(
                    &pkt->tun, datapath_tunnel_options(w->dp), key);
            }
            execute(w, &run, (struct dp_action_list) {
                                 (const void *) ordered->bytes,
                                 ordered->actions_len }, 0);
        } else {
            count(&w->ports[0]->drops[DROP_NO_BUFFER], 1);
        }
        free(ordered);
        n++;
    }
    atomic_fetch_sub(&w->n_injects, n);
    output_flush(w);
}

/* Sources are known to epoll by port and queue: places in the list change. */
static uint64_t
source_event(const struct source *s)
{
    return (uint64_t) s->wp->id << 32 | s->queue;
}

static void
watch_source(const struct worker *w, const struct source *s, int op)
{
    struct epoll_event event = { .events = EPOLLIN,
                                 .data.u64 = source_event(s) };

    if (s->fd >= 0) {
        /* A closed device left the set by itself. */
        epoll_ctl(w->epoll_fd, op, s->fd, &event);
    }
}

/* The first source at or above, in order of port and queue. */
static struct source *
lower_bound(struct sources *sources, uint64_t event)
{
    unsigned int low = 0, high = sources->n;

    while (low < high) {
        unsigned int middle = low + (high - low) / 2;

        if (source_event(&sources->list[middle]) < event) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return &sources->list[low];
}

static bool
is_same_source(const struct source *a, const struct source *b)
{
    return a->port == b->port && a->wp == b->wp && a->queue == b->queue
           && a->fd == b->fd;
}

/* Of two lists in the same order: one port more among thousands costs one
 * system call, and no look at the others' devices.  (A device that was closed
 * and opened again has been missing from a list between.) */
static void
carry_over(struct worker *w, struct sources *new)
{
    struct sources *old = w->sources;
    unsigned int i = 0, k = 0;

    for (i = 0; i < new->n; i++) {
        new->list[i].is_active = true;
    }
    for (i = 0; i < old->n; i++) {
        struct source *s = &old->list[i];

        while (k < new->n
               && source_event(&new->list[k]) < source_event(s)) {
            k++;
        }
        if (k < new->n && is_same_source(s, &new->list[k])) {
            new->list[k].is_active = s->is_active;
            new->list[k].n_empty = s->n_empty;
            new->list[k].is_watched = true;
        } else {
            watch_source(w, s, EPOLL_CTL_DEL);
        }
    }
    for (i = 0; i < new->n; i++) {
        if (!new->list[i].is_watched) {
            watch_source(w, &new->list[i], EPOLL_CTL_ADD);
            new->list[i].is_watched = true;
        }
    }
}

static void
adopt_sources(struct worker *w)
{
    struct sources *new;

    new = atomic_load_explicit(&w->new_sources, memory_order_acquire);
    if (LIKELY(!new)) {
        return;
    }
    carry_over(w, new);
    free(w->sources);
    w->sources = new;
    atomic_store_explicit(&w->new_sources, NULL, memory_order_release);
}

static void
begin_turn(struct worker *w)
{
    w->now = clock_nsec();
    w->now_ms = w->now / 1000000;
    if (w->now - w->window_start > MISS_WINDOW) {
        w->window_start = w->now;
        w->window_cpu = clock_thread_nsec();
        w->window_miss = 0;
        w->window_n_misses = 0;
        w->window_has_hits = false;
    }
    count(&w->counters.polls, 1);
    adopt_sources(w);
    run_injects(w);
}

static unsigned int
poll_sources(struct worker *w)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < w->sources->n; i++) {
        struct source *s = &w->sources->list[i];

        if (s->is_active) {
            n += poll_source(w, s);
        } else if (s->port->class->next_rx && port_is_up(s->port)
                   && s->port->class->next_rx(s->port, s->queue)
                      <= w->now / 1000) {
            n += poll_source(w, s);
        }
    }
    return n;
}

unsigned int
worker_turn(struct worker *w)
{
    uint64_t hits_before = w->counters.hits_l1;
    unsigned int n = 0;

    begin_turn(w);
    if (LIKELY(!atomic_load(&w->is_paused))) {
        n = poll_sources(w);
    }
    w->window_has_hits |= w->counters.hits_l1 != hits_before;
    flow_cache_housekeep(&w->cache, entry_gone, w);
    act_ct_sweep(w);
    atomic_fetch_add_explicit(&w->turns, 1, memory_order_seq_cst);
    return n;
}

/* ---- Sleeping ---- */

/* Nanoseconds until a source without a device has work; -1: none has. */
static nsec
next_timer(const struct worker *w)
{
    usec first = INT64_MAX;

    for (unsigned int i = 0; i < w->sources->n; i++) {
        const struct source *s = &w->sources->list[i];

        if (!port_is_up(s->port)) {
            continue;
        }
        if (s->port->class->next_rx) {
            first = MIN(first, s->port->class->next_rx(s->port, s->queue));
        } else if (s->fd < 0) {
            return 0;
        }
    }
    return first == INT64_MAX ? -1 : MAX(first * 1000 - clock_nsec(), 0);
}

static bool
has_commands(struct worker *w)
{
    return atomic_load(&w->new_sources) || atomic_load(&w->injects)
           || atomic_load(&w->stop)
           || atomic_load(&w->cache.has_requests) || w->cache.sweep;
}

/* After a sleep: would looking on have paid off?  While work returns soon, the
 * worker looks for it longer before it sleeps; when it stays away, not at all:
 * who is idle, or gets a packet now and then, sleeps at once. */
static void
adapt_spin(struct worker *w)
{
    if (clock_nsec() - w->last_work < SOON) {
        w->spin = MIN(MAX(2 * w->spin, SPIN_MIN), SPIN_MAX);
    } else {
        w->spin = w->spin > SPIN_MIN ? w->spin / 2 : 0;
    }
}

static void
set_active(struct worker *w, uint64_t event)
{
    struct source *s = lower_bound(w->sources, event);

    if (s < w->sources->list + w->sources->n && source_event(s) == event) {
        s->is_active = true;
        s->n_empty = 0;
    }
}

/* Marks ready sources active; sleeps first when `may_sleep`. */
static void
wait_for_work(struct worker *w, bool may_sleep)
{
    struct epoll_event events[64];
    struct timespec timeout = { 0, 0 }, *timeout_p = &timeout;
    int n;

    if (may_sleep) {
        nsec wait = next_timer(w);

        if (wait < 0) {
            timeout_p = NULL;
        } else {
            timeout.tv_sec = wait / 1000000000;
            timeout.tv_nsec = wait % 1000000000;
        }
        atomic_store(&w->is_sleeping, true);
        if (wait == 0 || has_commands(w)) {
            atomic_store(&w->is_sleeping, false);
            may_sleep = false;
            timeout = (struct timespec) { 0, 0 };
            timeout_p = &timeout;
        } else {
            count(&w->counters.sleeps, 1);
            rcu_offline();
        }
    }
    n = epoll_pwait2(w->epoll_fd, events, ARRAY_SIZE(events), timeout_p,
                     NULL);
    if (may_sleep) {
        rcu_online();
        atomic_store(&w->is_sleeping, false);
        adapt_spin(w);
    }
    for (int i = 0; i < n; i++) {
        uint64_t which = events[i].data.u64;
        uint64_t value;

        if (which == EVENT_SOURCE) {
            if (read(w->event_fd, &value, sizeof value) < 0) {
                /* Somebody else's wake-up was enough. */
            }
        } else {
            set_active(w, which);
        }
    }
}

/* Paused, it is not to be woken by frames: epoll would say at once, and again,
 * that there are some. */
static void
wait_for_resume(struct worker *w)
{
    struct pollfd fd = { .fd = w->event_fd, .events = POLLIN };
    uint64_t value;

    atomic_store(&w->is_sleeping, true);
    if (!has_commands(w) && atomic_load(&w->is_paused)) {
        rcu_offline();
        poll(&fd, 1, -1);
        rcu_online();
    }
    atomic_store(&w->is_sleeping, false);
    if (read(w->event_fd, &value, sizeof value) < 0) {
        /* Nobody woke us: there was something to do already. */
    }
}

static void *
worker_main(void *w_)
{
    struct worker *w = w_;

    rcu_thread_begin();
    packet_pool_adopt(w->pool);
    /* Not only wait_for_work() may say so: a worker that is busy from its first
     * turn on never gets there, and must be waited for. */
    atomic_store(&w->is_sleeping, false);
    while (!atomic_load_explicit(&w->stop, memory_order_acquire)) {
        unsigned int n = worker_turn(w);

        rcu_quiescent();
        if (n) {
            w->last_work = w->now;
        }
        if (UNLIKELY(atomic_load_explicit(&w->is_paused,
                                          memory_order_relaxed))) {
            wait_for_resume(w);
        } else if (!n || ++w->since_epoll >= EPOLL_INTERVAL) {
            w->since_epoll = 0;
            wait_for_work(w, w->now - w->last_work > w->spin);
        }
    }
    atomic_store(&w->is_sleeping, true);
    rcu_thread_end();
    return NULL;
}

/* ---- Life ---- */

int
worker_init(struct worker *w, struct datapath *dp, unsigned int index)
{
    struct epoll_event event = { .events = EPOLLIN,
                                 .data.u64 = EVENT_SOURCE };
    int err;

    memset(w, 0, sizeof *w);
    w->dp = dp;
    w->index = index;
    w->rng.state = hash_key_random().seed;
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->epoll_fd < 0 || w->event_fd < 0
        || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->event_fd, &event)) {
        err = -errno;
        goto close_fds;
    }
    err = flow_cache_init(&w->cache, datapath_config(dp));
    if (err) {
        goto close_fds;
    }
    w->ports = xcalloc(DP_MAX_PORTS, sizeof *w->ports);
    w->ports[0] = xzalloc_aligned(sizeof *w->ports[0]);
    w->sources = xzalloc(sizeof *w->sources);
    w->pool = packet_pool_create(POOL_SMALL, POOL_BIG);
    atomic_store(&w->is_sleeping, true);
    return 0;

close_fds:
    if (w->epoll_fd >= 0) {
        close(w->epoll_fd);
    }
    if (w->event_fd >= 0) {
        close(w->event_fd);
    }
    return err;
}

void
worker_fini(struct worker *w)
{
    struct inject *inject = w->injects;

    while (inject) {
        struct inject *next = inject->next;

        free(inject);
        inject = next;
    }
    flow_cache_fini(&w->cache);
    for (unsigned int i = 0; i < DP_MAX_PORTS; i++) {
        free(w->ports[i]);
    }
    free(w->ports);
    free(w->sources);
    packet_pool_adopt(w->pool);
    packet_pool_destroy(w->pool);
    close(w->epoll_fd);
    close(w->event_fd);
}

int
worker_start(struct worker *w)
{
    return -pthread_create(&w->thread, NULL, worker_main, w);
}

void
worker_stop(struct worker *w)
{
    atomic_store(&w->stop, true);
    worker_wake(w);
    pthread_join(w->thread, NULL);
}

void
worker_wake(struct worker *w)
{
    uint64_t one = 1;

    if (write(w->event_fd, &one, sizeof one) < 0) {
        /* Full: it is awake. */
    }
}
