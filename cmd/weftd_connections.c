#include "weftd_connections.h"

#include <stdlib.h>

#include "controller/number_set.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "switch/connection_file.h"

enum { REST = 99 };           /* times as long as writing took */

static void on_timer(uv_timer_t *);

static void
wait_for_the_next(struct weftd_connections *c)
{
    uv_timer_start(&c->timer, on_timer,
                   (uint64_t) MAX(c->interval, c->took * REST), 0);
}

/* On a thread of the pool. */
static void
save(uv_work_t *work)
{
    struct weftd_connections *c = work->data;
    msec now = clock_msec();

    c->err = connection_file_save(switch_conntrack(c->sw), c->path, true,
                                  &c->is_over, now);
    c->took = clock_msec() - now;
    uv_sem_post(&c->done);
}

static void
saved(uv_work_t *work, int status UNUSED)
{
    struct weftd_connections *c = work->data;

    if (atomic_load(&c->is_over)) {
        return;
    }
    uv_sem_wait(&c->done);
    c->is_busy = false;
    if (c->err && c->err != c->told) {
        log_warn("weftd", "%s: %s: connections would not outlive a crash",
                 c->path, strerror(-c->err));
    }
    c->told = c->err;
    wait_for_the_next(c);
}

static void
on_timer(uv_timer_t *timer)
{
    struct weftd_connections *c = timer->data;
    bool is_empty = !conntrack_count(switch_conntrack(c->sw));

    if (is_empty && c->is_empty) {
        wait_for_the_next(c);
        return;
    }
    c->is_empty = is_empty;
    c->is_busy = true;
    c->work.data = c;
    uv_queue_work(timer->loop, &c->work, save, saved);
}

static void
load(struct weftd_connections *c)
{
    msec now = clock_msec();
    uint32_t n = 0;
    int err = switch_load_connections(c->sw, c->path, now, &n);

    if (!err && n) {
        log_info("weftd", "%u connections go on, read in %lld ms", n,
                 (long long) (clock_msec() - now));
    } else if (err == -EBADMSG) {
        log_error("weftd", "%s is damaged: connections of the last run are "
                  "lost; the file is now %s.damaged", c->path, c->path);
    } else if (err && err != -ENOENT) {
        log_error("weftd", "%s: %s: connections of the last run are lost",
                  c->path, strerror(-err));
    }
}

/* A tenant who floods leaves room for the others.  Zones of a foreign controller
 * may be few and large, and are worlds of their own. */
void
weftd_connections_configure(const struct weftd_options *options,
                            struct ct_config *ct)
{
    enum { DEFAULT_MAX = 1000000, TENANTS_SHARE = 4 };
    uint32_t max = ct->max_connections ? ct->max_connections : DEFAULT_MAX;

    if (!options->is_switch_only) {
        ct->outside_zone_min = FIRST_NUMBER_UPLINK_ZONE;
        ct->zone_limit = max / TENANTS_SHARE;
    }
    if (options->zone_connections != UINT32_MAX) {
        ct->zone_limit = options->zone_connections;
    }
}

void
weftd_connections_start(struct weftd_connections *c,
                        const struct weftd_options *options, uv_loop_t *loop,
                        struct switch_ *sw)
{
    struct str path = STR_INIT;

    str_setf(&path, "%s/connections", options->state_dir);
    *c = (struct weftd_connections) {
        .sw = sw, .path = xstrdup(str_text(&path)), .is_empty = true,
        .interval = (msec) options->save_connections * 1000,
    };
    str_fini(&path);
    uv_sem_init(&c->done, 0);
    uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    load(c);
    if (c->interval) {
        /* What was read is in no file now. */
        uv_timer_start(&c->timer, on_timer, 1, 0);
    }
}

void
weftd_connections_stop(struct weftd_connections *c)
{
    int err;

    if (!c->sw) {
        return;
    }
    atomic_store(&c->is_over, true);
    if (c->is_busy) {
        uv_sem_wait(&c->done);
    }
    uv_close((uv_handle_t *) &c->timer, NULL);
    err = connection_file_save(switch_conntrack(c->sw), c->path, false, NULL,
                               clock_msec());
    if (err) {
        log_error("weftd", "%s: %s: connections will not be known to the "
                  "next start", c->path, strerror(-err));
    }
    uv_sem_destroy(&c->done);
    free(c->path);
}
