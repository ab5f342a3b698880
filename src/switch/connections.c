#include "switch/connections.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"

enum { BACKOFF_MIN = 1000, BACKOFF_MAX = 8000 };      /* msec */

/* A session's descriptor on the loop. */
struct link {
    uv_poll_t poll;
    struct connections *openflow;
    struct session *session;
    struct target *target;        /* NULL: came by a listener */
    unsigned int watched;         /* enum of_events */
};

/* A controller that we keep connected to.
 *
 *     waiting for next_try -> connecting (poll) -> a session (link)
 *           ^------------------------+--------------------' */
struct target {
    const struct connection_method *method;
    struct connections *openflow;
    struct link *link;
    uv_poll_t *connecting;
    msec next_try, backoff;
};

struct listener {
    uv_poll_t poll;
    struct connections *openflow;
    enum session_kind kind;
    int fd;
};

struct connections {
    struct connections_config config;
    struct control *control;
    unsigned int n_listeners;
    struct listener **listeners;
    struct target *targets;
};

static void
free_handle(uv_handle_t *handle)
{
    free(handle->data);
}

/* ---- Sessions ---- */

static unsigned int
events_of(int status, int events)
{
    if (status < 0) {
        return OF_READ | OF_WRITE;    /* and it finds out why */
    }
    return (events & UV_READABLE ? OF_READ : 0u)
           | (events & UV_WRITABLE ? OF_WRITE : 0u);
}

static void
on_session(uv_poll_t *poll, int status, int events)
{
    struct link *link = poll->data;
    struct connections *of = link->openflow;

    rcu_online();
    session_on_ready(link->session, events_of(status, events), clock_msec());
    rcu_offline();
    of->config.turn(of->config.aux);
}

static struct link *
add_link(struct connections *of, int fd, enum session_kind kind,
         struct target *target, msec now)
{
    struct link *link = xzalloc(sizeof *link);
    const struct session_config config = {
        .kind = kind, .owner = link, .is_server = !target,
    };

    link->session = control_add_session(of->control, fd, &config, now);
    if (!link->session) {
        log_limited(LOG_LEVEL_WARN, "openflow",
                    "there are %d sessions already", CONTROL_MAX_SESSIONS);
        free(link);
        return NULL;
    }
    link->openflow = of;
    link->target = target;
    uv_poll_init(of->config.loop, &link->poll, fd);
    link->poll.data = link;
    return link;
}

static void
end_link(struct link *link, msec now)
{
    struct target *target = link->target;

    if (target) {
        log_info("openflow", "controller %s: %s", target->method->text,
                 session_reason(link->session));
        if (session_is_open(link->session)) {
            target->backoff = BACKOFF_MIN;
        }
        target->link = NULL;
        target->next_try = now + target->backoff;
        target->backoff = MIN(2 * target->backoff, BACKOFF_MAX);
    }
    uv_poll_stop(&link->poll);
    control_remove_session(link->session);
    uv_close((uv_handle_t *) &link->poll, free_handle);
}

static void
watch_link(struct link *link)
{
    unsigned int wants = session_wants(link->session);

    if (wants == link->watched) {
        return;
    }
    link->watched = wants;
    if (!wants) {
        uv_poll_stop(&link->poll);
        return;
    }
    uv_poll_start(&link->poll,
                  (wants & OF_READ ? UV_READABLE : 0)
                      | (wants & OF_WRITE ? UV_WRITABLE : 0),
                  on_session);
}

/* ---- Controllers ---- */

/* The descriptor is the caller's again. */
static int
stop_connecting(struct target *target)
{
    uv_os_fd_t fd = -1;

    uv_fileno((uv_handle_t *) target->connecting, &fd);
    uv_poll_stop(target->connecting);
    target->connecting->data = target->connecting;
    uv_close((uv_handle_t *) target->connecting, free_handle);
    target->connecting = NULL;
    return fd;
}

static void
connecting_failed(struct target *target, int err, msec now)
{
    log_limited(LOG_LEVEL_INFO, "openflow", "controller %s: %s",
                target->method->text, strerror(-err));
    target->next_try = now + target->backoff;
    target->backoff = MIN(2 * target->backoff, BACKOFF_MAX);
}

static void
connected(struct target *target, int fd, msec now)
{
    log_info("openflow", "controller %s: connected", target->method->text);
    target->link = add_link(target->openflow, fd, SESSION_CONTROLLER, target,
                            now);
    if (!target->link) {
        connecting_failed(target, -EMFILE, now);
    }
}

static void
on_connecting(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
    struct target *target = poll->data;
    struct connections *of = target->openflow;
    msec now = clock_msec();
    socklen_t len = sizeof(int);
    int fd = stop_connecting(target);
    int error = 0;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    rcu_online();
    if (error) {
        close(fd);
        connecting_failed(target, -error, now);
    } else {
        connected(target, fd, now);
    }
    rcu_offline();
    of->config.turn(of->config.aux);
}

static void
try_to_connect(struct target *target, msec now)
{
    int fd = of_method_open(&target->method->method);

    if (fd < 0) {
        connecting_failed(target, fd, now);
        return;
    }
    target->next_try = INT64_MAX;
    target->connecting = xzalloc(sizeof *target->connecting);
    uv_poll_init(target->openflow->config.loop, target->connecting, fd);
    target->connecting->data = target;
    uv_poll_start(target->connecting, UV_WRITABLE, on_connecting);
}

/* ---- Listeners ---- */

static void
on_listener(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
    struct listener *listener = poll->data;
    struct connections *of = listener->openflow;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        rcu_online();
        add_link(of, fd, listener->kind, NULL, clock_msec());
        rcu_offline();
        of->config.turn(of->config.aux);
    }
}

static void
add_listener(struct connections *of, int fd, enum session_kind kind)
{
    struct listener *listener = xzalloc(sizeof *listener);

    listener->openflow = of;
    listener->kind = kind;
    listener->fd = fd;
    uv_poll_init(of->config.loop, &listener->poll, fd);
    listener->poll.data = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_listener);
    of->listeners = xrealloc(of->listeners, (of->n_listeners + 1)
                                                * sizeof *of->listeners);
    of->listeners[of->n_listeners++] = listener;
}

/* <run>/<switch>.<suffix>, which the helper makes and takes away. */
static int
listen_local(struct connections *of, const char *suffix, enum session_kind kind,
             struct str *error)
{
    char name[64];
    int fd;

    snprintf(name, sizeof name, "%s.%s",
             switch_config(of->config.sw)->name, suffix);
    fd = helper_listen_unix(of->config.helper, name, 0600, error);
    if (fd < 0) {
        return fd;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    add_listener(of, fd, kind);
    return 0;
}

static int
listen_all(struct connections *of, struct str *error)
{
    int err = listen_local(of, "mgmt", SESSION_TOOL, error);

    if (!err) {
        err = listen_local(of, "snoop", SESSION_SNOOP, error);
    }
    for (unsigned int i = 0; !err && i < of->config.n_listeners; i++) {
        const struct connection_method *m = &of->config.listeners[i];
        int fd = of_method_open(&m->method);

        if (fd < 0) {
            str_setf(error, "--listen %s: %s", m->text, strerror(-fd));
            err = fd;
        } else {
            add_listener(of, fd, SESSION_TOOL);
        }
    }
    return err;
}

/* ---- Front door ---- */

int
connections_start(const struct connections_config *config,
               struct connections **result, struct str *error)
{
    const struct control_config control = {
        .sw = config->sw, .versions = config->versions,
        .probe_interval = config->probe_interval,
    };
    struct connections *of = xzalloc(sizeof *of);
    int err;

    of->config = *config;
    of->control = control_create(&control);
    of->targets = xcalloc(MAX(config->n_controllers, 1u),
                          sizeof *of->targets);
    for (unsigned int i = 0; i < config->n_controllers; i++) {
        of->targets[i] = (struct target) {
            .method = &config->controllers[i], .openflow = of,
            .backoff = BACKOFF_MIN,
        };
    }
    err = listen_all(of, error);
    if (err) {
        connections_stop(of);
        return err;
    }
    *result = of;
    return 0;
}

void
connections_stop(struct connections *of)
{
    struct session *s;

    for (unsigned int i = 0; i < of->config.n_controllers; i++) {
        if (of->targets[i].connecting) {
            close(stop_connecting(&of->targets[i]));
        }
    }
    while ((s = control_next_session(of->control, NULL))) {
        struct link *link = session_owner(s);

        link->target = NULL;
        end_link(link, 0);
    }
    for (unsigned int i = 0; i < of->n_listeners; i++) {
        struct listener *listener = of->listeners[i];

        uv_poll_stop(&listener->poll);
        close(listener->fd);
        uv_close((uv_handle_t *) &listener->poll, free_handle);
    }
    control_destroy(of->control);
    free(of->listeners);
    free(of->targets);
    free(of);
}

msec
connections_run(struct connections *of, msec now)
{
    msec next = INT64_MAX;

    for (unsigned int i = 0; i < of->config.n_controllers; i++) {
        struct target *target = &of->targets[i];

        if (target->link || target->connecting) {
            continue;
        }
        if (now >= target->next_try) {
            try_to_connect(target, now);
        }
        next = MIN(next, target->next_try);
    }
    return MIN(next, control_run(of->control, now));
}

void
connections_watch(struct connections *of, msec now)
{
    struct session *s, *following;

    for (s = control_next_session(of->control, NULL); s; s = following) {
        following = control_next_session(of->control, s);
        if (session_is_closed(s)) {
            end_link(session_owner(s), now);
        } else {
            watch_link(session_owner(s));
        }
    }
}
