#include "switch/revalidate.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/rcu.h"
#include "lib/str.h"

struct revalidator {
    struct datapath *dp;
    struct credits *credits;
    struct recirc *recirc;

    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock;         /* of `stop` */
    pthread_cond_t wake;
    bool stop;

    struct {
#define X(NAME, TEXT) _Atomic uint64_t NAME;
        REVALIDATE_COUNTERS(X)
#undef X
    } counters;
};

struct round {
    struct revalidator *r;
    msec now, idle;
    uint64_t n_removed;
};

/* Passes its counts on; an entry whose answer is not right any more goes. */
static bool
push_entry(void *revalidator, const struct dp_entry_view *view)
{
    struct revalidator *r = revalidator;

    if (!credit_push(r->credits, view->credit, view->packets, view->bytes,
                     view->used)) {
        datapath_remove_entry(r->dp, view->worker, view->entry);
        atomic_fetch_add(&r->counters.asked_again, 1);
    }
    return true;
}

static bool
visit_entry(void *round_, const struct dp_entry_view *view)
{
    struct round *round = round_;

    push_entry(round->r, view);
    if (round->now - view->used >= round->idle) {
        datapath_remove_entry(round->r->dp, view->worker, view->entry);
        round->n_removed++;
    }
    return true;
}

/* From half full on, idle entries have less and less time. */
static msec
idle_limit(const struct dp_cache_size *size)
{
    uint32_t half = size->max_entries / 2;

    if (size->n_entries <= half) {
        return REVALIDATE_IDLE;
    }
    if (size->n_entries >= size->max_entries) {
        return REVALIDATE_IDLE_FULL;
    }
    return REVALIDATE_IDLE - (msec) (REVALIDATE_IDLE - REVALIDATE_IDLE_FULL)
                             * (size->n_entries - half)
                             / (size->max_entries - half);
}

void
revalidate_push(struct revalidator *r)
{
    datapath_visit_entries(r->dp, false, push_entry, r);
}

void
revalidate_once(struct revalidator *r, msec now)
{
    struct dp_cache_size size;
    struct round round = { .r = r, .now = now };

    datapath_cache_size(r->dp, &size);
    round.idle = idle_limit(&size);
    datapath_visit_entries(r->dp, false, visit_entry, &round);
    atomic_fetch_add(&r->counters.rounds, 1);
    atomic_fetch_add(&r->counters.idle_removed, round.n_removed);
    atomic_fetch_add(&r->counters.states_expired,
                     recirc_expire(r->recirc, now));
}

/* Sleeps, RCU-offline.  False: it is time to end. */
static bool
sleep_until(struct revalidator *r, msec when)
{
    struct timespec ts = { .tv_sec = when / 1000,
                           .tv_nsec = when % 1000 * 1000000 };
    bool stop;

    rcu_offline();
    pthread_mutex_lock(&r->lock);
    while (!r->stop
           && pthread_cond_timedwait(&r->wake, &r->lock, &ts) != ETIMEDOUT) {
    }
    stop = r->stop;
    pthread_mutex_unlock(&r->lock);
    rcu_online();
    return !stop;
}

static void *
revalidator_main(void *revalidator)
{
    struct revalidator *r = revalidator;
    msec next = clock_msec() + REVALIDATE_INTERVAL;

    rcu_thread_begin();
    while (sleep_until(r, next)) {
        msec now = clock_msec();

        revalidate_once(r, now);
        rcu_quiescent();
        next = MAX(now, clock_msec() - REVALIDATE_INTERVAL / 2)
               + REVALIDATE_INTERVAL;
    }
    rcu_thread_end();
    return NULL;
}

struct revalidator *
revalidator_create(struct datapath *dp, struct credits *credits,
                   struct recirc *recirc, bool with_thread)
{
    struct revalidator *r = xzalloc(sizeof *r);
    pthread_condattr_t attr;

    r->dp = dp;
    r->credits = credits;
    r->recirc = recirc;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wake, &attr);
    pthread_condattr_destroy(&attr);

    if (with_thread) {
        r->has_thread = !pthread_create(&r->thread, NULL, revalidator_main,
                                        r);
        if (!r->has_thread) {
            revalidator_destroy(r);
            return NULL;
        }
    }
    return r;
}

void
revalidator_destroy(struct revalidator *r)
{
    if (!r) {
        return;
    }
    if (r->has_thread) {
        pthread_mutex_lock(&r->lock);
        r->stop = true;
        pthread_cond_signal(&r->wake);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->thread, NULL);
    }
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

void
revalidate_read_counters(const struct revalidator *r,
                         struct revalidate_counters *counters)
{
#define X(NAME, TEXT) counters->NAME = atomic_load(&r->counters.NAME);
    REVALIDATE_COUNTERS(X)
#undef X
}
