#include "api/http.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/capture.h"
#include "api/snoop.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"

enum {
    MAX_CONNECTIONS = 64,
    TIMEOUT_S = 20,               /* a client that neither sends nor reads */
    MEMORY_PER_CONNECTION = 32768,    /* request line and headers */
    STREAM_BLOCK = 65536,
    HANGUP_PERIOD = 25,           /* stream turns between looks for it */
    MAX_GROUPS = 256,
};

/* A request's way.  MHD's thread owns it in RECEIVING and ANSWERED, the control
 * thread of its lane (or its job) in between, while the connection is
 * suspended. */
enum http_state { RECEIVING, QUEUED, HANDLED, ANSWERED };

/* A thread whose handlers answer, and what waits for it. */
struct http_lane {
    struct http *http;
    uv_loop_t *loop; /* NULL: closed, or not in this daemon */
    uv_async_t async;
    unsigned int n_jobs;                      /* on the pool */
    unsigned int n_deferred;                  /* replies that handlers owe, and
                                                 requests that wait for one */
    struct http_request *queue, **queue_tail; /* http->mutex */
};

struct http_request {
    struct http *http;
    struct http_lane *lane; /* once queued */
    struct MHD_Connection *connection;        /* NULL: from within: */
    http_answered *answered;
    void *aux;
    enum http_state state;
    struct api_request request;
    struct api_reply reply;
    struct str body;
    bool is_too_large, has_too_many_params;
    uv_work_t work;
    struct switch_waiter waiter;
    struct http_request *next; /* in lane->queue, or http->streams */
};

struct http {
    struct http_config config;
    struct MHD_Daemon *daemon;
    uv_timer_t stream_timer;
    unsigned int hangup_turn;

    pthread_mutex_t mutex;        /* for what follows */
    struct http_lane lanes[N_API_OWNERS];
    struct http_request *streams;
};

/* ---- MHD's thread ---- */

static bool
is_in_group(int fd, const struct ucred *peer, gid_t gid)
{
    gid_t groups[MAX_GROUPS];
    socklen_t len = sizeof groups;

    if (gid == (gid_t) -1) {
        return false;
    }
    if (peer->gid == gid) {
        return true;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len)) {
        return false;
    }
    for (size_t i = 0; i < len / sizeof groups[0]; i++) {
        if (groups[i] == gid) {
            return true;
        }
    }
    return false;
}

static int
connection_fd(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info ? info->connect_fd : -1;
}

static bool
may_ask(const struct http *http, struct MHD_Connection *connection)
{
    int fd = connection_fd(connection);
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len)) {
        return false;
    }
    return peer.uid == 0 || peer.uid == geteuid()
           || is_in_group(fd, &peer, http->config.gid);
}

static struct http_request *
request_create(struct http *http, struct MHD_Connection *connection,
               const char *path, const char *method)
{
    struct http_request *r = xzalloc(sizeof *r);

    r->http = http;
    r->connection = connection;
    /* Both live as long as the request; those from within have copies. */
    r->request.path = path;
    r->request.method = method;
    return r;
}

/* What a request from within brought with it. */
static void
free_copies(struct http_request *r)
{
    for (unsigned int i = 0; i < r->request.n_params; i++) {
        free((void *) (uintptr_t) r->request.params[i].name);
        free((void *) (uintptr_t) r->request.params[i].value);
    }
    free((void *) (uintptr_t) r->request.path);
}

static void
request_destroy(struct http_request *r)
{
    if (!r->connection) {
        free_copies(r);
    }
    api_reply_fini(&r->reply);
    str_fini(&r->body);
    free(r);
}

static enum MHD_Result
take_param(void *aux, enum MHD_ValueKind kind UNUSED, const char *name,
           const char *value)
{
    struct http_request *r = aux;

    if (r->request.n_params == API_MAX_PARAMS) {
        r->has_too_many_params = true;
        return MHD_NO;
    }
    r->request.params[r->request.n_params++] = (struct api_param) {
        name, value ? value : "",
    };
    return MHD_YES;
}

static void
take_body(struct http_request *r, const char *data, size_t len)
{
    if (r->is_too_large || len > API_MAX_BODY - r->body.len) {
        /* The rest is read and forgotten, so that the client gets to read the
         * refusal. */
        r->is_too_large = true;
        str_fini(&r->body);
        return;
    }
    str_add_bytes(&r->body, data, len);
}

/* Sets a request's refusal that needs no handler; false: there is none. */
static bool
refuse_early(struct http_request *r)
{
    if (!may_ask(r->http, r->connection)) {
        api_fail(&r->reply, API_FORBIDDEN, NULL,
                 "become root, or a member of the socket's group",
                 "you may not talk to this daemon");
    } else if (r->is_too_large) {
        api_fail(&r->reply, API_TOO_LARGE, "body", NULL,
                 "a request has at most %d bytes", API_MAX_BODY);
    } else if (r->has_too_many_params) {
        api_fail(&r->reply, API_BAD_REQUEST, "query", NULL,
                 "a request has at most %d parameters", API_MAX_PARAMS);
    } else {
        return false;
    }
    return true;
}

/* Hands the request to the thread that answers such; false: the daemon is about
 * to end. */
static bool
queue_request(struct http_request *r, enum api_owner owner)
{
    struct http *http = r->http;
    struct http_lane *lane = &http->lanes[owner];
    bool is_queued;

    pthread_mutex_lock(&http->mutex);
    is_queued = lane->loop != NULL;
    if (is_queued) {
        if (r->state == RECEIVING && r->connection) {
            /* Before that thread can see it, or it might resume first. */
            MHD_suspend_connection(r->connection);
        }
        r->state = QUEUED;
        r->lane = lane;
        r->next = NULL;
        *lane->queue_tail = r;
        lane->queue_tail = &r->next;
        /* With the lock: the lane cannot be closed meanwhile. */
        uv_async_send(&lane->async);
    }
    pthread_mutex_unlock(&http->mutex);
    return is_queued;
}

static void
refuse_ending(struct http_request *r)
{
    api_fail(&r->reply, API_BUSY, NULL, NULL,
             "nobody answers that: the daemon begins, or ends");
}

static ssize_t
read_stream(void *aux, uint64_t pos UNUSED, char *buf, size_t max)
{
    struct http_request *r = aux;
    int n = stream_read(r->reply.stream, buf, max);

    if (n > 0) {
        return n;
    }
    if (n < 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    MHD_suspend_connection(r->connection);
    if (!stream_wait(r->reply.stream, r->connection)) {
        MHD_resume_connection(r->connection);
    }
    return 0;
}

static struct MHD_Response *
make_response(struct http_request *r)
{
    if (r->reply.stream) {
        return MHD_create_response_from_callback(
            MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, r, NULL);
    }
    return MHD_create_response_from_buffer(
        r->reply.body.len, (void *) (uintptr_t) str_text(&r->reply.body),
        MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result
answer(struct http_request *r)
{
    struct MHD_Response *response = make_response(r);
    enum MHD_Result result;

    r->state = ANSWERED;
    if (!response) {
        return MHD_NO;
    }
    if (r->reply.content_type) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                r->reply.content_type);
    }
    result = MHD_queue_response(r->connection, r->reply.status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
receive(void *aux, struct MHD_Connection *connection, const char *path,
        const char *method, const char *version UNUSED, const char *data,
        size_t *data_len, void **request)
{
    struct http_request *r = *request;

    if (!r) {
        *request = request_create(aux, connection, path, method);
        return MHD_YES;
    }
    if (r->state == HANDLED) {
        return answer(r);
    }
    if (*data_len) {
        take_body(r, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }

    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_param,
                              r);
    r->request.body = str_text(&r->body);
    r->request.body_len = r->body.len;
    if (refuse_early(r)) {
        return answer(r);
    }
    if (!queue_request(r, api_owner(r->request.path))) {
        refuse_ending(r);
        return answer(r);
    }
    return MHD_YES;
}

static void
forget_stream(struct http *http, struct http_request *r)
{
    struct http_request **p;

    pthread_mutex_lock(&http->mutex);
    for (p = &http->streams; *p && *p != r; p = &(*p)->next) {
        continue;
    }
    if (*p) {
        *p = r->next;
    }
    pthread_mutex_unlock(&http->mutex);
}

static void
completed(void *aux, struct MHD_Connection *connection UNUSED,
          void **request, enum MHD_RequestTerminationCode code UNUSED)
{
    struct http_request *r = *request;

    if (!r) {
        return;
    }
    if (r->reply.stream) {
        forget_stream(aux, r);
        stream_close(r->reply.stream);
    }
    request_destroy(r);
    *request = NULL;
}

PRINTF_FORMAT(2, 0) static void
log_mhd(void *aux UNUSED, const char *format, va_list args)
{
    struct str text = STR_INIT;

    str_addv(&text, format, args);
    str_chomp(&text, "\n");
    log_limited(LOG_LEVEL_DEBUG, "api", "%s", str_text(&text));
    str_fini(&text);
}

/* ---- The threads that answer ---- */

/* The reply is there: back to MHD's thread. */
static void
finish(struct http_request *r)
{
    struct http *http = r->http;

    r->state = HANDLED;
    if (!r->connection) {
        r->answered(r->aux, &r->reply);
        request_destroy(r);
        return;
    }
    if (r->reply.stream) {
        pthread_mutex_lock(&http->mutex);
        r->next = http->streams;
        http->streams = r;
        pthread_mutex_unlock(&http->mutex);
    }
    MHD_resume_connection(r->connection);
}

/* On the pool: its threads are not RCU readers between jobs. */
static void
run_job(uv_work_t *work)
{
    struct http_request *r = CONTAINER_OF(work, struct http_request, work);

    rcu_thread_begin();
    api_run_job(&r->reply);
    rcu_thread_end();
}

static void
job_done(uv_work_t *work, int status UNUSED)
{
    struct http_request *r = CONTAINER_OF(work, struct http_request, work);

    r->lane->n_jobs--;
    finish(r);
}

static void
finish_deferred(struct api_reply *reply)
{
    struct http_request *r = CONTAINER_OF(reply, struct http_request, reply);

    r->lane->n_deferred--;
    finish(r);
}

/* Is the client of a stream that waits for news still there?  MHD does not
 * look while a connection is suspended. */
static void
end_hung_up_streams(struct http *http)
{
    pthread_mutex_lock(&http->mutex);
    for (struct http_request *r = http->streams; r; r = r->next) {
        struct pollfd pfd = { .fd = connection_fd(r->connection) };

        if (poll(&pfd, 1, 0) > 0
            && (pfd.revents & (POLLHUP | POLLERR | POLLNVAL))) {
            stream_end(r->reply.stream);
        }
    }
    pthread_mutex_unlock(&http->mutex);
}

static void
wake_stream(void *connection)
{
    MHD_resume_connection(connection);
}

/* False: there is no stream left. */
static bool
run_owners(struct http *http)
{
    const struct api *api = http->config.api;
    bool is_any = api->captures && captures_run(api->captures, wake_stream);

    return (api->snoops && snoops_run(api->snoops, wake_stream)) || is_any;
}

static void
run_streams(uv_timer_t *timer)
{
    struct http *http = timer->data;

    rcu_online();
    if (++http->hangup_turn % HANGUP_PERIOD == 0) {
        end_hung_up_streams(http);
    }
    if (!run_owners(http)) {
        uv_timer_stop(timer);
    }
    rcu_offline();
}

static void handle(struct http_request *);

static void
handle_now(struct switch_waiter *waiter)
{
    struct http_request *r = CONTAINER_OF(waiter, struct http_request,
                                          waiter);

    r->lane->n_deferred--;
    handle(r);
}

static void
handle(struct http_request *r)
{
    struct http *http = r->http;

    r->lane->n_deferred++;
    if (api_must_wait(http->config.api, &r->request)) {
        r->waiter.go_on = handle_now;
        switch_wait_for_bundle(http->config.api->sw, &r->waiter);
        return;
    }
    r->reply.finish = finish_deferred;
    api_dispatch(http->config.api, &r->request, clock_msec(), &r->reply);
    if (r->reply.is_deferred) {
        return;
    }
    r->lane->n_deferred--;
    if (r->reply.relay.go_on) {
        if (queue_request(r, (enum api_owner) r->reply.relay.owner)) {
            return;
        }
        if (!r->connection) {
            request_destroy(r);   /* who asked is on a thread that is gone */
            return;
        }
        refuse_ending(r);
        finish(r);
        return;
    }
    if (r->reply.job) {
        r->lane->n_jobs++;
        uv_queue_work(r->lane->loop, &r->work, run_job, job_done);
        return;
    }
    if (r->reply.stream) {
        uv_timer_start(&http->stream_timer, run_streams, STREAM_PERIOD_MS,
                       STREAM_PERIOD_MS);
    }
    finish(r);
}

static struct http_request *
take_queue(struct http_lane *lane)
{
    struct http_request *list;

    pthread_mutex_lock(&lane->http->mutex);
    list = lane->queue;
    lane->queue = NULL;
    lane->queue_tail = &lane->queue;
    pthread_mutex_unlock(&lane->http->mutex);
    return list;
}

static void
handle_queue(uv_async_t *async)
{
    struct http_request *r = take_queue(async->data);

    rcu_online();
    while (r) {
        struct http_request *next = r->next;

        handle(r);
        r = next;
    }
    rcu_offline();
}

bool
http_ask(struct http *http, const char *path, const struct api_param *params,
         unsigned int n_params, http_answered *answered, void *aux)
{
    struct http_request *r = request_create(http, NULL, xstrdup(path), "GET");

    r->answered = answered;
    r->aux = aux;
    for (unsigned int i = 0; i < n_params; i++) {
        r->request.params[r->request.n_params++] = (struct api_param) {
            xstrdup(params[i].name), xstrdup(params[i].value),
        };
    }
    if (!queue_request(r, api_owner(path))) {
        request_destroy(r);
        return false;
    }
    return true;
}

int
http_open_lane(struct http *http, enum api_owner owner, uv_loop_t *loop)
{
    struct http_lane *lane = &http->lanes[owner];
    int err = uv_async_init(loop, &lane->async, handle_queue);

    if (err) {
        return err;
    }
    lane->async.data = lane;
    pthread_mutex_lock(&http->mutex);
    lane->loop = loop;
    pthread_mutex_unlock(&http->mutex);
    return 0;
}

static void
set_true(uv_handle_t *handle)
{
    *(bool *) handle->data = true;
}

void
http_close_lane(struct http *http, enum api_owner owner)
{
    struct http_lane *lane = &http->lanes[owner];
    uv_loop_t *loop = lane->loop;
    bool is_closed = false;

    if (!loop) {
        return;
    }
    pthread_mutex_lock(&http->mutex);
    lane->loop = NULL;
    pthread_mutex_unlock(&http->mutex);
    /* No connection may be suspended when MHD is stopped. */
    handle_queue(&lane->async);
    while (lane->n_jobs || lane->n_deferred) {
        uv_run(loop, UV_RUN_ONCE);
    }
    lane->async.data = &is_closed;
    uv_close((uv_handle_t *) &lane->async, set_true);
    while (!is_closed) {
        uv_run(loop, UV_RUN_ONCE);
    }
}

int
http_start(const struct http_config *config, struct http **result,
           struct str *error)
{
    struct http *http = xzalloc(sizeof *http);
    int err;

    http->config = *config;
    pthread_mutex_init(&http->mutex, NULL);
    for (unsigned int i = 0; i < N_API_OWNERS; i++) {
        http->lanes[i].http = http;
        http->lanes[i].queue_tail = &http->lanes[i].queue;
    }
    err = http_open_lane(http, API_SWITCH, config->loop);
    if (err) {
        str_setf(error, "cannot make the API's event: %s", uv_strerror(err));
        pthread_mutex_destroy(&http->mutex);
        free(http);
        close(config->listen_fd);
        return err;
    }
    uv_timer_init(config->loop, &http->stream_timer);
    http->stream_timer.data = http;

    http->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL
            | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, receive, http,
        MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL,
        MHD_OPTION_LISTEN_SOCKET, config->listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int) MAX_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int) TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) MEMORY_PER_CONNECTION,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, completed, http,
        MHD_OPTION_END);
    if (!http->daemon) {
        str_setf(error, "cannot start the API's HTTP server");
        http_stop(http);
        return -EIO;
    }
    *result = http;
    return 0;
}

void
http_stop(struct http *http)
{
    bool is_closed = false;

    if (!http) {
        return;
    }
    http_close_lane(http, API_SWITCH);
    rcu_online();
    uv_timer_stop(&http->stream_timer);
    if (http->config.api->captures) {
        captures_end_all(http->config.api->captures);
    }
    if (http->config.api->snoops) {
        snoops_end_all(http->config.api->snoops);
    }
    run_owners(http);
    if (http->daemon) {
        MHD_stop_daemon(http->daemon);
        run_owners(http);
    }

    http->stream_timer.data = &is_closed;
    uv_close((uv_handle_t *) &http->stream_timer, set_true);
    while (!is_closed) {
        uv_run(http->config.loop, UV_RUN_ONCE);
    }
    pthread_mutex_destroy(&http->mutex);
    free(http);
}
