#include "switch/connections.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "port/helper.h"
#include "switch/connections_impl.h"

void
connections_free_handle(uv_handle_t *handle)
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
    struct connections *c = link->connections;

    rcu_online();
    session_on_ready(link->session, events_of(status, events), clock_msec());
    rcu_offline();
    c->config.turn(c->config.aux);
}

/* Who came: its address, or by which Unix user. */
static void
describe_peer(int fd, char *out, size_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage storage;
    } address;
    socklen_t len = sizeof address;
    struct ucred who;
    char host[INET6_ADDRSTRLEN] = "?";

    if (!getpeername(fd, &address.any, &len)
        && address.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address.in.sin_addr, host, sizeof host);
        snprintf(out, size, "%s:%u", host, be16toh(address.in.sin_port));
        return;
    }
    if (address.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address.in6.sin6_addr, host, sizeof host);
        snprintf(out, size, "[%s]:%u", host, be16toh(address.in6.sin6_port));
        return;
    }
    len = sizeof who;
    if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len)) {
        snprintf(out, size, "process %d of uid %u", who.pid, who.uid);
    } else {
        snprintf(out, size, "unknown");
    }
}

struct link *
link_create(struct connections *c, int fd,
            const struct session_config *config, struct leg *leg,
            struct listener *listener, msec now)
{
    struct session_config with_owner = *config;
    struct link *link = xzalloc(sizeof *link);

    link->connections = c;
    link->leg = leg;
    link->listener = listener;
    if (leg) {
        target_name(leg, link->peer, sizeof link->peer);
    } else {
        describe_peer(fd, link->peer, sizeof link->peer);
    }
    with_owner.owner = link;
    link->session = control_add_session(c->control, fd, &with_owner, now);
    if (!link->session) {
        log_limited(LOG_LEVEL_WARN, "openflow",
                    "there are %d sessions already", CONTROL_MAX_SESSIONS);
        free(link);
        return NULL;
    }
    uv_poll_init(c->config.loop, &link->poll, fd);
    link->poll.data = link;
    return link;
}

void
link_destroy(struct link *link)
{
    uv_poll_stop(&link->poll);
    control_remove_session(link->session);
    uv_close((uv_handle_t *) &link->poll, connections_free_handle);
}

/* Who came by a listener and never got to talk is an operator's business; who
 * leaves again is not. */
static void
say_refused(const struct link *link, msec now)
{
    struct listener *listener = link->listener;
    const char *reason = session_reason(link->session);

    if (session_was_open(link->session)) {
        return;
    }
    log_limited(LOG_LEVEL_INFO, "openflow", "%s at %s: %s", link->peer,
                listener->text, reason);
    snprintf(listener->last_error, sizeof listener->last_error, "%s: %s",
             link->peer, reason);
    listener->last_error_at = now;
}

static void
link_ended(struct link *link, msec now)
{
    if (link->leg) {
        target_lost(link->leg, now);
    } else {
        say_refused(link, now);
    }
    link_destroy(link);
}

static void
say_connected(struct link *link)
{
    if (link->leg && !link->is_announced && session_is_open(link->session)) {
        link->is_announced = true;
        target_connected(link->leg);
    }
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
    uv_poll_start(&link->poll, (wants & OF_READ ? UV_READABLE : 0)
                                   | (wants & OF_WRITE ? UV_WRITABLE : 0),
                  on_session);
}

/* ---- TLS ---- */

struct of_tls *
connections_tls(struct connections *c, const char *method, struct str *error)
{
    struct str why = STR_INIT;

    if (!c->tls) {
        str_setf(error, "TLS needs --private-key, --certificate and "
                        "--ca-cert");
        return NULL;
    }
    if (of_tls_refresh(c->tls, &why)) {
        log_warn("openflow", "%s: %s; going on with what was read before",
                 method, str_text(&why));
    }
    str_fini(&why);
    return c->tls;
}

static int
read_tls(struct connections *c, struct str *error)
{
    const struct of_tls_files *files = &c->config.tls;

    if (!files->private_key) {
        return 0;
    }
    c->tls = of_tls_create(files, error);
    return c->tls ? 0 : -EINVAL;
}

/* ---- Listeners ---- */

static void
accept_one(struct listener *listener, int fd, msec now)
{
    struct connections *c = listener->connections;
    struct session_config config = { .kind = listener->kind,
                                     .is_server = true };

    if (listener->is_tls) {
        config.tls = connections_tls(c, listener->text, NULL);
    }
    link_create(c, fd, &config, NULL, listener, now);
}

static void
on_listener(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
    struct listener *listener = poll->data;
    struct connections *c = listener->connections;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        rcu_online();
        accept_one(listener, fd, clock_msec());
        rcu_offline();
        c->config.turn(c->config.aux);
    }
}

static struct listener *
add_listener(struct connections *c, int fd, enum session_kind kind,
             const char *text)
{
    struct listener *listener = xzalloc(sizeof *listener);

    listener->connections = c;
    listener->kind = kind;
    listener->fd = fd;
    listener->text = xstrdup(text);
    listener->since = clock_msec();
    uv_poll_init(c->config.loop, &listener->poll, fd);
    listener->poll.data = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_listener);
    c->listeners = xrealloc(c->listeners, (c->n_listeners + 1)
                                              * sizeof(struct listener *));
    c->listeners[c->n_listeners++] = listener;
    return listener;
}

static void
remove_listener(struct listener *listener)
{
    uv_poll_stop(&listener->poll);
    close(listener->fd);
    free(listener->text);
    uv_close((uv_handle_t *) &listener->poll, connections_free_handle);
}

/* <run>/<switch>.<suffix>, which the helper makes and takes away. */
static int
listen_local(struct connections *c, const char *suffix,
             enum session_kind kind, struct str *error)
{
    char name[64];
    int fd;

    snprintf(name, sizeof name, "%s.%s", switch_config(c->config.sw)->name,
             suffix);
    fd = helper_listen_unix(c->config.helper, name, 0600, error);
    if (fd < 0) {
        return fd;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    add_listener(c, fd, kind, name);
    return 0;
}

static int
listen_at(struct connections *c, const char *text, struct str *error)
{
    struct of_method method;
    struct str why = STR_INIT;
    int fd = of_method_parse(text, &method, &why);

    if (!fd && !method.is_passive) {
        str_setf(&why, "expected ptcp:, ptls: or punix:");
        fd = -EINVAL;
    } else if (!fd && method.is_tls && !connections_tls(c, text, &why)) {
        fd = -EINVAL;
    } else if (!fd) {
        fd = of_method_open(&method);
    }
    if (fd < 0) {
        str_setf(error, "--listen %s: %s", text,
                 why.len ? str_text(&why) : strerror(-fd));
    } else {
        add_listener(c, fd, SESSION_TOOL, text)->is_tls = method.is_tls;
    }
    str_fini(&why);
    return MIN(fd, 0);
}

static int
listen_all(struct connections *c, struct str *error)
{
    int err = listen_local(c, "mgmt", SESSION_TOOL, error);

    if (!err) {
        err = listen_local(c, "snoop", SESSION_SNOOP, error);
    }
    for (unsigned int i = 0; !err && i < c->config.n_listeners; i++) {
        err = listen_at(c, c->config.listeners[i], error);
    }
    return err;
}

/* ---- Changes ---- */

static struct target *
find_target(const struct connections *c, const char *method)
{
    for (unsigned int i = 0; i < c->n_targets; i++) {
        if (!strcmp(c->targets[i]->text, method)) {
            return c->targets[i];
        }
    }
    return NULL;
}

static bool
is_listed(unsigned int n, struct target *const *list, const char *method)
{
    while (n && strcmp(list[n - 1]->text, method)) {
        n--;
    }
    return n;
}

int
connections_set_controllers(struct connections *c, unsigned int n,
                            const char *const *methods, struct str *error)
{
    struct target *list[CONNECTIONS_MAX_TARGETS];
    unsigned int n_listed = 0;

    if (n > CONNECTIONS_MAX_TARGETS) {
        str_setf(error, "at most %d controllers", CONNECTIONS_MAX_TARGETS);
        return -ENOSPC;
    }
    for (; n_listed < n; n_listed++) {
        const char *method = methods[n_listed];
        struct target *target = find_target(c, method);
        struct str why = STR_INIT;

        if (is_listed(n_listed, list, method)) {
            str_setf(&why, "it is there twice");
            target = NULL;
        } else if (!target) {
            target = target_create(c, method, &why);
        }
        if (!target) {
            str_setf(error, "%s: %s", method, str_text(&why));
            str_fini(&why);
            goto forget_new;
        }
        list[n_listed] = target;
    }
    for (unsigned int i = 0; i < c->n_targets; i++) {
        if (!is_listed(n, list, c->targets[i]->text)) {
            target_destroy(c->targets[i]);
        }
    }
    memcpy(c->targets, list, n * sizeof *list);
    c->n_targets = n;
    return 0;

forget_new:
    while (n_listed--) {
        if (!find_target(c, list[n_listed]->text)) {
            target_destroy(list[n_listed]);
        }
    }
    return -EINVAL;
}

int
connections_delete_controller(struct connections *c, const char *method)
{
    struct target *target = find_target(c, method);

    if (!target) {
        return -ENOENT;
    }
    for (unsigned int i = 0; i < c->n_targets; i++) {
        if (c->targets[i] == target) {
            memmove(&c->targets[i], &c->targets[i + 1],
                    (c->n_targets - i - 1) * sizeof c->targets[0]);
            break;
        }
    }
    c->n_targets--;
    target_destroy(target);
    return 0;
}

void
connections_get_settings(const struct connections *c,
                         struct connection_settings *settings)
{
    *settings = c->settings;
}

void
connections_set_settings(struct connections *c,
                         const struct connection_settings *settings, msec now)
{
    c->settings = *settings;
    control_set_probe_interval(c->control, settings->probe_interval);
    packet_in_set_rate(switch_packet_ins(c->config.sw),
                       settings->packet_in_rate);
    control_set_fail_mode(c->control, settings->is_standalone
                                          ? FAIL_STANDALONE : FAIL_SECURE,
                          now);
}

/* ---- Who is there ---- */

static const char *
role_name(enum of_role_type role)
{
    static const char *const names[] = {
        [ROLE_NOCHANGE] = "", [ROLE_EQUAL] = "equal",
        [ROLE_MASTER] = "master", [ROLE_SLAVE] = "slave",
    };

    return names[role];
}

static void
describe_session(const struct link *link, struct connection_info *info,
                 struct str *tls)
{
    struct session_info session;

    session_describe(link->session, &session);
    str_clear(tls);
    session_describe_tls(link->session, tls);
    info->tls = str_text(tls);
    if (session_is_open(link->session)) {
        info->state = "connected";
        info->since = session.opened;
        info->version = of_version_name(session.version);
        info->role = role_name(session.role);
    }
    info->counters = session.counters;
    info->backlog = session.backlog;
}

static void
visit_targets(const struct connections *c, connection_visit *visit, void *aux)
{
    struct str tls = STR_INIT;

    for (unsigned int i = 0; i < c->n_targets; i++) {
        for (unsigned int k = 0; k <= CONNECTIONS_MAX_AUXILIARY; k++) {
            const struct leg *leg = &c->targets[i]->legs[k];
            struct connection_info info = { .tls = "", .version = "",
                                            .role = "" };

            if (k && !leg->link) {
                continue;
            }
            target_describe(leg, &info);
            if (leg->link) {
                describe_session(leg->link, &info, &tls);
            }
            visit(aux, &info);
        }
    }
    str_fini(&tls);
}

static void
visit_others(const struct connections *c, connection_visit *visit, void *aux)
{
    struct str tls = STR_INIT;

    for (struct session *s = control_next_session(c->control, NULL); s;
         s = control_next_session(c->control, s)) {
        const struct link *link = session_owner(s);
        struct connection_info info = {
            .name = link->peer, .state = "connecting", .tls = "",
            .version = "", .role = "", .last_error = "",
        };

        if (link->leg) {
            continue;
        }
        info.kind = link->listener->kind == SESSION_SNOOP ? CONNECTION_SNOOP
                                                          : CONNECTION_TOOL;
        describe_session(link, &info, &tls);
        visit(aux, &info);
    }
    str_fini(&tls);
}

void
connections_visit(const struct connections *c, connection_visit *visit,
                  void *aux)
{
    visit_targets(c, visit, aux);
    for (unsigned int i = 0; i < c->n_listeners; i++) {
        const struct listener *listener = c->listeners[i];
        const struct connection_info info = {
            .kind = CONNECTION_LISTENER, .name = listener->text,
            .state = "listening", .since = listener->since,
            .tls = listener->is_tls ? "TLS" : "", .version = "", .role = "",
            .last_error = listener->last_error,
            .last_error_at = listener->last_error_at,
        };

        visit(aux, &info);
    }
    visit_others(c, visit, aux);
}

static void
see_message(void *connections, const struct session *s, bool is_sent,
            const void *message, size_t len)
{
    enum { TEXT_MAX = 8192 };
    struct connections *c = connections;
    const struct link *link = session_owner(s);
    struct str text = STR_INIT;
    struct session_message said = { .text = &text };
    struct connection_message m = { .peer = link->peer, .is_sent = is_sent,
                                    .len = len };

    session_describe_message(s, message, len, &said);
    if (text.len > TEXT_MAX) {
        text.text[TEXT_MAX] = '\0';
    }
    /* A peer's names are any bytes. */
    for (char *p = text.text; p && *p; p++) {
        if (*p < ' ' || *p > '~') {
            *p = '.';
        }
    }
    m.version = said.version;
    m.type = said.type;
    m.xid = said.xid;
    m.text = str_text(&text);
    c->watch(c->watch_aux, &m);
    str_fini(&text);
}

void
connections_set_watch(struct connections *c, connection_watch *watch,
                      void *aux)
{
    c->watch = watch;
    c->watch_aux = aux;
    control_set_watch(c->control, watch ? see_message : NULL, c);
}

void
connections_read_counters(const struct connections *c,
                          struct control_counters *counters)
{
    control_read_counters(c->control, counters);
}

/* ---- Front door ---- */

int
connections_start(const struct connections_config *config,
                  struct connections **result, struct str *error)
{
    const struct control_config control = {
        .sw = config->sw, .versions = config->versions,
    };
    struct connections *c = xzalloc(sizeof *c);
    int err;

    c->config = *config;
    c->control = control_create(&control);
    connections_set_settings(c, &config->settings, clock_msec());
    err = read_tls(c, error);
    if (!err) {
        err = listen_all(c, error);
    }
    if (!err) {
        err = connections_set_controllers(c, config->n_controllers,
                                          config->controllers, error);
    }
    if (err) {
        connections_stop(c);
        return err;
    }
    *result = c;
    return 0;
}

void
connections_stop(struct connections *c)
{
    struct session *s;

    for (unsigned int i = 0; i < c->n_targets; i++) {
        target_destroy(c->targets[i]);
    }
    while ((s = control_next_session(c->control, NULL))) {
        link_destroy(session_owner(s));
    }
    for (unsigned int i = 0; i < c->n_listeners; i++) {
        remove_listener(c->listeners[i]);
    }
    control_destroy(c->control);
    of_tls_destroy(c->tls);
    free(c->listeners);
    free(c);
}

msec
connections_run(struct connections *c, msec now)
{
    return control_run(c->control, now);
}

msec
connections_watch(struct connections *c, msec now)
{
    struct session *s = control_next_session(c->control, NULL);
    msec next = INT64_MAX;

    while (s) {
        struct session *following = control_next_session(c->control, s);

        if (session_is_closed(s)) {
            link_ended(session_owner(s), now);
        } else {
            say_connected(session_owner(s));
            watch_link(session_owner(s));
        }
        s = following;
    }
    for (unsigned int i = 0; i < c->n_targets; i++) {
        msec due = target_run(c->targets[i], now);

        next = MIN(next, due);
    }
    return next;
}
