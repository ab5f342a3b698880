/* Controllers that we connect to, again and again. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "switch/connections_impl.h"

enum { BACKOFF_MIN = 1000, BACKOFF_MAX = 8000 };      /* msec */

struct target *
target_create(struct connections *c, const char *text, struct str *error)
{
    struct target *target = xzalloc(sizeof *target);

    if (of_method_parse(text, &target->method, error)) {
        goto free_target;
    }
    if (target->method.is_passive) {
        str_setf(error, "expected tcp:, tls: or unix:");
        goto free_target;
    }
    if (target->method.is_tls && !connections_tls(c, text, error)) {
        goto free_target;
    }
    target->connections = c;
    target->text = xstrdup(text);
    for (unsigned int i = 0; i < ARRAY_SIZE(target->legs); i++) {
        target->legs[i] = (struct leg) {
            .target = target, .auxiliary_id = i, .backoff = BACKOFF_MIN,
            .since = clock_msec(),
        };
    }
    return target;

free_target:
    free(target);
    return NULL;
}

/* The descriptor is the caller's again. */
static int
stop_connecting(struct leg *leg)
{
    uv_os_fd_t fd = -1;

    uv_fileno((uv_handle_t *) leg->connecting, &fd);
    uv_poll_stop(leg->connecting);
    leg->connecting->data = leg->connecting;
    uv_close((uv_handle_t *) leg->connecting, connections_free_handle);
    leg->connecting = NULL;
    return fd;
}

void
target_destroy(struct target *target)
{
    /* The main one last: the others hang on it. */
    for (unsigned int i = ARRAY_SIZE(target->legs); i-- > 0;) {
        struct leg *leg = &target->legs[i];

        if (leg->connecting) {
            close(stop_connecting(leg));
        }
        if (leg->link) {
            link_destroy(leg->link);
        }
    }
    free(target->text);
    free(target);
}

void
target_name(const struct leg *leg, char *buf, size_t size)
{
    if (!leg->auxiliary_id) {
        snprintf(buf, size, "%s", leg->target->text);
    } else {
        snprintf(buf, size, "%s, auxiliary connection %u", leg->target->text,
                 leg->auxiliary_id);
    }
}

/* The same for the log. */
static const char *
name_of(const struct leg *leg, char buf[160])
{
    target_name(leg, buf, 160);
    return buf;
}

static void
wait_and_retry(struct leg *leg, const char *reason, msec now)
{
    snprintf(leg->last_error, sizeof leg->last_error, "%s", reason);
    leg->last_error_at = leg->since = now;
    leg->next_try = now + leg->backoff;
    leg->backoff = MIN(2 * leg->backoff, BACKOFF_MAX);
}

void
target_connected(struct leg *leg)
{
    struct str tls = STR_INIT;
    char name[160];

    session_describe_tls(leg->link->session, &tls);
    log_info("openflow", "controller %s: connected%s%s", name_of(leg, name),
             tls.len ? ", " : "", str_text(&tls));
    leg->backoff = BACKOFF_MIN;
    str_fini(&tls);
}

void
target_lost(struct leg *leg, msec now)
{
    char name[160];

    log_info("openflow", "controller %s: %s", name_of(leg, name),
             session_reason(leg->link->session));
    wait_and_retry(leg, session_reason(leg->link->session), now);
    leg->link = NULL;
}

static void
connecting_failed(struct leg *leg, const char *reason, msec now)
{
    char name[160];

    log_limited(LOG_LEVEL_INFO, "openflow", "controller %s: %s",
                name_of(leg, name), reason);
    wait_and_retry(leg, reason, now);
}

/* The main connection's session, when it is such that others may stand beside
 * it. */
static struct session *
main_session(const struct target *target)
{
    struct link *link = target->legs[0].link;

    return link && session_may_have_auxiliary(link->session) ? link->session
                                                             : NULL;
}

static void
connected(struct leg *leg, int fd, msec now)
{
    struct connections *c = leg->target->connections;
    struct session_config config = {
        .kind = SESSION_CONTROLLER, .uri = leg->target->text,
        .auxiliary_id = (uint8_t) leg->auxiliary_id,
    };
    if (leg->auxiliary_id) {
        config.main = main_session(leg->target);
        if (!config.main) {
            close(fd);
            return;
        }
    }
    if (leg->target->method.is_tls) {
        config.tls = connections_tls(c, leg->target->text, NULL);
    }
    leg->link = link_create(c, fd, &config, leg, NULL, now);
    if (!leg->link) {
        connecting_failed(leg, "too many sessions", now);
    }
}

static void
on_connecting(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
    struct leg *leg = poll->data;
    struct connections *c = leg->target->connections;
    msec now = clock_msec();
    socklen_t len = sizeof(int);
    int fd = stop_connecting(leg);
    int error = 0;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    rcu_online();
    if (error) {
        close(fd);
        connecting_failed(leg, strerror(error), now);
    } else {
        connected(leg, fd, now);
    }
    rcu_offline();
    c->config.turn(c->config.aux);
}

static void
try_to_connect(struct leg *leg, msec now)
{
    int fd = of_method_open(&leg->target->method);

    if (fd < 0) {
        connecting_failed(leg, strerror(-fd), now);
        return;
    }
    leg->since = now;
    leg->next_try = INT64_MAX;
    leg->connecting = xzalloc(sizeof *leg->connecting);
    uv_poll_init(leg->target->connections->config.loop, leg->connecting, fd);
    leg->connecting->data = leg;
    uv_poll_start(leg->connecting, UV_WRITABLE, on_connecting);
}

msec
target_run(struct target *target, msec now)
{
    unsigned int n_auxiliary
        = main_session(target) ? target->connections->settings.n_auxiliary
                               : 0;
    msec next = INT64_MAX;

    for (unsigned int i = 0; i < ARRAY_SIZE(target->legs); i++) {
        struct leg *leg = &target->legs[i];

        if (i > n_auxiliary) {
            if (leg->link) {
                session_end(leg->link->session, "it is not wanted any more");
            }
        } else if (!leg->link && !leg->connecting) {
            if (now >= leg->next_try) {
                try_to_connect(leg, now);
            }
            next = MIN(next, leg->next_try);
        }
    }
    return next;
}

void
target_describe(const struct leg *leg, struct connection_info *info)
{
    info->kind = CONNECTION_CONTROLLER;
    info->name = leg->target->text;
    info->auxiliary_id = leg->auxiliary_id;
    info->last_error = leg->last_error;
    info->last_error_at = leg->last_error_at;
    info->since = leg->since;
    info->next_try = leg->next_try;
    info->state = leg->link || leg->connecting ? "connecting" : "waiting";
}
