#include "host/ovsdb.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"

enum {
    RETRY_MIN_MS = 250,
    RETRY_MAX_MS = 8000,
    READ_SIZE = 65536,
    MONITOR_ID = 0,               /* transactions count on from here */
};

enum state { IDLE, READING, READY };

struct ovsdb {
    struct ovsdb_config config;
    json_t *monitored;
    enum state state;
    int fd;
    uv_poll_t *poll;              /* while connected; both are freed by the */
    uv_timer_t *timer;            /* loop when it has closed them */
    unsigned int retry;
    struct str in, out;
    json_int_t last_id;
    bool is_busy;
    struct str reason;
};

static void on_readable(uv_poll_t *, int status, int events);

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

/* ---- The connection ---- */

static void
close_poll(struct ovsdb *db)
{
    if (db->poll) {
        uv_poll_stop(db->poll);
        uv_close((uv_handle_t *) db->poll, free_handle);
        db->poll = NULL;
    }
    if (db->fd >= 0) {
        close(db->fd);
        db->fd = -1;
    }
}

static void on_retry(uv_timer_t *);

static void
lose(struct ovsdb *db, const char *why)
{
    close_poll(db);
    if (strcmp(str_text(&db->reason), why)) {
        log_warn("ovsdb", "%s: %s", db->config.path, why);
    }
    str_setf(&db->reason, "%s", why);
    db->state = IDLE;
    db->is_busy = false;
    str_clear(&db->in);
    str_clear(&db->out);
    uv_timer_start(db->timer, on_retry, db->retry, 0);
    db->retry = MIN(2 * db->retry, RETRY_MAX_MS);
    db->config.woken(db->config.aux);
}

static void
watch(struct ovsdb *db)
{
    uv_poll_start(db->poll, UV_READABLE | (db->out.len ? UV_WRITABLE : 0),
                  on_readable);
}

/* As much as the socket takes. */
static int
flush(struct ovsdb *db)
{
    size_t sent = 0;

    while (sent < db->out.len) {
        ssize_t n = send(db->fd, db->out.text + sent, db->out.len - sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno != EAGAIN) {
            return -errno;
        }
        if (n < 0) {
            break;
        }
        sent += (size_t) n;
    }
    if (sent) {
        memmove(db->out.text, db->out.text + sent, db->out.len - sent + 1);
        db->out.len -= sent;
    }
    return 0;
}

/* Takes `message` over.  What goes wrong is seen by the next read. */
static void
queue(struct ovsdb *db, json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);

    json_decref(message);
    str_add(&db->out, text);
    free(text);
    flush(db);
    watch(db);
}

static void
ask_for_tables(struct ovsdb *db)
{
    queue(db, json_pack("{s:s, s:[s, n, O], s:i}", "method", "monitor",
                        "params", db->config.database, db->monitored, "id",
                        MONITOR_ID));
}

static void
connect_it(struct ovsdb *db)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int err = 0;

    strncpy(address.sun_path, db->config.path, sizeof address.sun_path - 1);
    db->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (db->fd < 0
        || connect(db->fd, (struct sockaddr *) &address, sizeof address)) {
        lose(db, strerror(errno));
        return;
    }
    db->poll = xzalloc(sizeof *db->poll);
    err = uv_poll_init(db->config.loop, db->poll, db->fd);
    if (err) {
        free(db->poll);
        db->poll = NULL;
        lose(db, uv_strerror(err));
        return;
    }
    db->poll->data = db;
    db->state = READING;
    ask_for_tables(db);
}

static void
on_retry(uv_timer_t *timer)
{
    connect_it(timer->data);
}

/* ---- What is said ---- */

static void
take_tables(struct ovsdb *db, const json_t *result)
{
    if (!json_is_object(result)) {
        lose(db, "it refuses to show its tables");
        return;
    }
    log_info("ovsdb", "%s: connected", db->config.path);
    str_clear(&db->reason);
    db->retry = RETRY_MIN_MS;
    db->state = READY;
    db->config.begin(db->config.aux);
    db->config.update(db->config.aux, result);
}

/* The first of the operations that failed says why. */
static const char *
transaction_error(const json_t *message)
{
    const json_t *error = json_object_get(message, "error");
    const json_t *result;
    size_t i;

    json_array_foreach (json_object_get(message, "result"), i, result) {
        const char *text = json_string_value(json_object_get(result,
                                                             "error"));
        const char *details = json_string_value(json_object_get(result,
                                                                "details"));

        if (text) {
            return details ? details : text;
        }
    }
    return !error || json_is_null(error) ? NULL : "the database refused";
}

static void
take_answer(struct ovsdb *db, const json_t *message)
{
    json_int_t id = json_integer_value(json_object_get(message, "id"));

    if (db->state == READING && id == MONITOR_ID) {
        take_tables(db, json_object_get(message, "result"));
    } else if (db->is_busy && id == db->last_id) {
        db->is_busy = false;
        db->config.answered(db->config.aux, transaction_error(message));
    }
}

static void
take_message(struct ovsdb *db, json_t *message)
{
    const char *method = json_string_value(json_object_get(message,
                                                           "method"));
    json_t *params = json_object_get(message, "params");

    if (!method) {
        take_answer(db, message);
    } else if (!strcmp(method, "echo") && params) {
        queue(db, json_pack("{s:O, s:n, s:O?}", "result", params, "error",
                            "id", json_object_get(message, "id")));
    } else if (!strcmp(method, "update") && db->state == READY) {
        db->config.update(db->config.aux, json_array_get(params, 1));
    }
}

ssize_t
ovsdb_frame(const char *bytes, size_t len)
{
    unsigned int depth = 0;
    bool is_text = false;
    size_t i = 0;

    while (i < len && strchr(" \t\r\n", bytes[i]) && bytes[i]) {
        i++;
    }
    if (i < len && bytes[i] != '{') {
        return -EPROTO;
    }
    for (; i < len; i++) {
        char c = bytes[i];

        if (is_text) {
            i += c == '\\';       /* what it escapes is no end */
            is_text = c != '"';
        } else if (c == '"') {
            is_text = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && !--depth) {
            return (ssize_t) i + 1;
        }
    }
    return 0;
}

/* False: the connection was lost. */
static bool
take_messages(struct ovsdb *db)
{
    size_t done = 0;
    ssize_t n;

    while ((n = ovsdb_frame(db->in.text + done, db->in.len - done)) > 0) {
        json_t *message = json_loadb(db->in.text + done, (size_t) n, 0,
                                     NULL);

        if (!json_is_object(message)) {
            json_decref(message);
            n = -EPROTO;
            break;
        }
        done += (size_t) n;
        take_message(db, message);
        json_decref(message);
        if (db->state == IDLE) {
            return false;
        }
    }
    if (n < 0 || db->in.len - done > OVSDB_MAX_VALUE) {
        lose(db, "it does not speak JSON as RFC 7047 says");
        return false;
    }
    if (done) {
        memmove(db->in.text, db->in.text + done, db->in.len - done + 1);
        db->in.len -= done;
    }
    return true;
}

static void
on_readable(uv_poll_t *poll, int status, int events UNUSED)
{
    struct ovsdb *db = poll->data;
    char bytes[READ_SIZE];
    int err = status < 0 ? -EIO : flush(db);
    ssize_t n = err ? err : recv(db->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (n < 0 && !err && (errno == EAGAIN || errno == EINTR)) {
        watch(db);
        return;
    }
    if (n <= 0) {
        lose(db, !n ? "it closed the connection"
                    : strerror(err ? -err : errno));
        return;
    }
    str_add_bytes(&db->in, bytes, (size_t) n);
    if (take_messages(db)) {
        watch(db);
        db->config.woken(db->config.aux);
    }
}

/* ---- The front ---- */

struct ovsdb *
ovsdb_create(const struct ovsdb_config *config)
{
    struct ovsdb *db = xzalloc(sizeof *db);

    db->config = *config;
    db->monitored = json_deep_copy(config->monitored);
    db->fd = -1;
    db->retry = RETRY_MIN_MS;
    db->last_id = MONITOR_ID;
    db->timer = xzalloc(sizeof *db->timer);
    uv_timer_init(config->loop, db->timer);
    db->timer->data = db;
    uv_timer_start(db->timer, on_retry, 0, 0);
    return db;
}

void
ovsdb_destroy(struct ovsdb *db)
{
    if (!db) {
        return;
    }
    close_poll(db);
    uv_close((uv_handle_t *) db->timer, free_handle);
    str_fini(&db->in);
    str_fini(&db->out);
    str_fini(&db->reason);
    json_decref(db->monitored);
    free(db);
}

bool
ovsdb_is_ready(const struct ovsdb *db)
{
    return db->state == READY;
}

const char *
ovsdb_reason(const struct ovsdb *db)
{
    return str_text(&db->reason);
}

bool
ovsdb_is_busy(const struct ovsdb *db)
{
    return db->is_busy;
}

void
ovsdb_transact(struct ovsdb *db, json_t *operations)
{
    json_array_insert_new(operations, 0, json_string(db->config.database));
    db->is_busy = true;
    queue(db, json_pack("{s:s, s:o, s:I}", "method", "transact", "params",
                        operations, "id", ++db->last_id));
}
