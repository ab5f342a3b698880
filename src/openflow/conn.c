#include "openflow/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/str.h"

enum {
    READ_SIZE = 64 * 1024,        /* at a time: one message always fits */
    SEND_SIZE = 16 * 1024,        /* what waits is sent at once from here on */
    TYPE_HELLO = 0, TYPE_ERROR = 1, TYPE_ECHO_REQUEST = 2, TYPE_ECHO_REPLY = 3,
};

struct of_conn {
    struct of_stream *stream;
    enum of_conn_state state;
    struct of_conn_config config;
    struct of_protocol protocol;
    char reason[OF_REASON_SIZE];
    uint32_t version_offered;     /* highest, in our hello */

    /* Received: [in_pos, in_len) waits to be taken. */
    uint8_t *in;
    size_t in_pos, in_len, in_size;

    struct buf out;
    size_t out_pos;               /* before it all is sent */
    size_t out_watched;           /* before it all was shown to `watch` */

    msec started, last_heard;
    bool probe_sent;
};

static void
end(struct of_conn *conn, const char *reason)
{
    if (conn->state != OF_CONN_CLOSED) {
        conn->state = OF_CONN_CLOSED;
        snprintf(conn->reason, sizeof conn->reason, "%s", reason);
    }
}

/* ---- Sending ---- */

size_t
of_conn_backlog(const struct of_conn *conn)
{
    return conn->out.len - conn->out_pos;
}

bool
of_conn_has_room(const struct of_conn *conn)
{
    return of_conn_backlog(conn) < OF_CONN_OUT_LIMIT;
}

static void
flush(struct of_conn *conn)
{
    while (of_conn_backlog(conn) && conn->state != OF_CONN_CLOSED) {
        ssize_t n = of_stream_write(conn->stream,
                                    conn->out.data + conn->out_pos,
                                    of_conn_backlog(conn));

        if (n >= 0) {
            conn->out_pos += (size_t) n;
        } else if (n == -EAGAIN) {
            break;
        } else {
            end(conn, of_stream_reason(conn->stream));
        }
    }
    /* Moving what is left pays off only when it is the smaller part. */
    if (conn->out_pos && conn->out_pos >= conn->out.len / 2) {
        buf_pull(&conn->out, conn->out_pos);
        conn->out_watched -= conn->out_pos;
        conn->out_pos = 0;
    }
}

struct buf *
of_conn_begin_send(struct of_conn *conn)
{
    return &conn->out;
}

void
of_conn_end_send(struct of_conn *conn)
{
    while (conn->out_watched < conn->out.len) {
        const uint8_t *message = conn->out.data + conn->out_watched;
        size_t len = (size_t) of_frame_len(message, conn->out.len
                                                        - conn->out_watched);

        if (conn->config.watch) {
            conn->config.watch(conn->config.aux, true, message, len);
        }
        conn->out_watched += len;
    }
    if (of_conn_backlog(conn) >= SEND_SIZE) {
        flush(conn);
    }
}

void
of_conn_flush(struct of_conn *conn)
{
    if (of_conn_backlog(conn) && of_stream_is_ready(conn->stream)) {
        flush(conn);
    }
}

/* What it was told last, the peer should get. */
void
of_conn_close(struct of_conn *conn, const char *reason)
{
    of_conn_flush(conn);
    end(conn, reason);
}

/* An echo's type, length and form are the same in every version. */
static void
send_echo(struct of_conn *conn, uint8_t type, const void *request, size_t len)
{
    struct buf *out = of_conn_begin_send(conn);
    size_t start = out->len;

    if (request) {
        buf_put(out, request, len);
    } else {
        buf_put_zeros(out, OF_HEADER_LEN);
        buf_patch_u16(out, start + 2, OF_HEADER_LEN);
    }
    out->data[start] = (uint8_t) conn->protocol.version;
    out->data[start + 1] = type;
    of_conn_end_send(conn);
}

static void
send_hello(struct of_conn *conn)
{
    const struct of_message hello = {
        .version = conn->version_offered,
        .type = OFT_HELLO,
        .hello.versions = conn->config.versions,
    };
    const struct of_protocol protocol = { .version = hello.version };

    of_message_encode(of_conn_begin_send(conn), &protocol, &hello);
    of_conn_end_send(conn);
}

/* ---- Hello ---- */

static enum of_version
highest_version(uint32_t versions)
{
    return (enum of_version) (31 - __builtin_clz(versions));
}

static void
refuse_hello(struct of_conn *conn, enum of_error error, const void *message,
             size_t len)
{
    struct str text = STR_INIT;

    str_add(&text, "this end speaks");
    for (unsigned int v = 0; v < 32; v++) {
        if (conn->config.versions >> v & 1) {
            str_addf(&text, " %s", of_version_name((enum of_version) v));
        }
    }
    of_error_encode(of_conn_begin_send(conn),
                    (enum of_version) conn->version_offered, error, message,
                    len, str_text(&text));
    of_conn_end_send(conn);
    str_fini(&text);
    of_conn_close(conn, of_error_text(error));
}

static void
take_hello(struct of_conn *conn, const void *message, size_t len)
{
    const struct of_protocol unknown = { 0 };
    struct of_message hello;
    enum of_error error = of_message_decode(&unknown, message, len, &hello,
                                            NULL);
    uint32_t common;

    if (error) {
        refuse_hello(conn, error, message, len);
        return;
    }
    if (hello.type != OFT_HELLO) {
        of_message_fini(&hello);
        of_conn_close(conn, "the peer refused our hello");
        return;
    }
    common = hello.hello.versions & conn->config.versions;
    of_message_fini(&hello);
    if (!common) {
        refuse_hello(conn, OF_HELLO_FAILED_INCOMPATIBLE, message, len);
        return;
    }
    conn->protocol.version = highest_version(common);
    conn->state = OF_CONN_OPEN;
}

/* ---- Receiving ---- */

/* Bytes of the whole message at in_pos; 0: there is none yet. */
static size_t
whole_message(const struct of_conn *conn)
{
    size_t have = conn->in_len - conn->in_pos;
    int len = have ? of_frame_len(conn->in + conn->in_pos, have) : 0;

    return len > 0 && (size_t) len <= have ? (size_t) len : 0;
}

/* A length can be anything, so who greets with something else than a hello (or
 * an error) is not waited for. */
static void
refuse_garbage(struct of_conn *conn)
{
    size_t have = conn->in_len - conn->in_pos;
    const uint8_t *in = have ? conn->in + conn->in_pos : NULL;

    if (have && (of_frame_len(in, have) < 0
                 || (conn->state == OF_CONN_HELLO && have >= 2
                     && in[1] > TYPE_ERROR))) {
        of_conn_close(conn, "the peer sent what is not OpenFlow");
    }
}

bool
of_conn_has_next(const struct of_conn *conn)
{
    return conn->state != OF_CONN_CLOSED && of_conn_has_room(conn)
           && (whole_message(conn) || of_stream_has_pending(conn->stream));
}

/* Is it dealt with here? */
static bool
is_own(const struct of_conn *conn, const uint8_t *message)
{
    return conn->state == OF_CONN_HELLO
           || message[0] != conn->protocol.version
           || message[1] == TYPE_HELLO || message[1] == TYPE_ECHO_REPLY
           || message[1] == TYPE_ECHO_REQUEST;
}

static void
take_own(struct of_conn *conn, const uint8_t *message, size_t len)
{
    if (conn->state == OF_CONN_HELLO) {
        take_hello(conn, message, len);
    } else if (message[0] != conn->protocol.version) {
        of_error_encode(of_conn_begin_send(conn), conn->protocol.version,
                        OF_BAD_REQUEST_BAD_VERSION, message, len, NULL);
        of_conn_end_send(conn);
    } else if (message[1] == TYPE_ECHO_REQUEST) {
        send_echo(conn, TYPE_ECHO_REPLY, message, len);
    }
    /* Late hellos say nothing new; an echo reply is there to be heard. */
}

/* Takes the message of `len` bytes at in_pos from what came. */
static const uint8_t *
advance(struct of_conn *conn, size_t len)
{
    const uint8_t *message = conn->in + conn->in_pos;

    conn->in_pos += len;
    if (conn->config.watch) {
        conn->config.watch(conn->config.aux, false, message, len);
    }
    return message;
}

/* Makes room for at least one message behind what waits. */
static void
make_room(struct of_conn *conn)
{
    if (conn->in_pos) {
        memmove(conn->in, conn->in + conn->in_pos,
                conn->in_len - conn->in_pos);
        conn->in_len -= conn->in_pos;
        conn->in_pos = 0;
    }
    if (!conn->in) {
        conn->in_size = READ_SIZE;
        conn->in = xmalloc(conn->in_size);
    }
}

/* What waits is less than a whole message, or nothing may be read. */
static bool
may_read(const struct of_conn *conn)
{
    return of_conn_has_room(conn) && !whole_message(conn);
}

static void
receive(struct of_conn *conn, msec now)
{
    ssize_t n;

    if (!may_read(conn)) {
        return;
    }
    make_room(conn);
    n = of_stream_read(conn->stream, conn->in + conn->in_len,
                       conn->in_size - conn->in_len);
    if (n >= 0) {
        conn->in_len += (size_t) n;
        conn->last_heard = now;
        conn->probe_sent = false;
        refuse_garbage(conn);
    } else if (n != -EAGAIN) {
        of_conn_close(conn, of_stream_reason(conn->stream));
    }
}

const void *
of_conn_peek(struct of_conn *conn, size_t *len)
{
    while (of_conn_has_next(conn)) {
        const uint8_t *message = conn->in + conn->in_pos;

        *len = whole_message(conn);
        if (!*len) {
            /* It came already: this is no news of the peer. */
            receive(conn, conn->last_heard);
        } else if (is_own(conn, message)) {
            take_own(conn, advance(conn, *len), *len);
        } else {
            return message;
        }
    }
    refuse_garbage(conn);
    return NULL;
}

const void *
of_conn_next(struct of_conn *conn, size_t *len)
{
    return of_conn_peek(conn, len) ? advance(conn, *len) : NULL;
}

/* ---- From the loop ---- */

/* Goes on shaking hands, if that is to be done; true when it is over. */
static bool
shake_hands(struct of_conn *conn)
{
    int err = of_stream_shake_hands(conn->stream);

    if (err && err != -EAGAIN) {
        of_conn_close(conn, of_stream_reason(conn->stream));
    }
    return !err;
}

struct of_conn *
of_conn_create(int fd, const struct of_conn_config *config, msec now)
{
    struct of_conn *conn;
    struct of_stream *stream = of_stream_create(fd, config->tls,
                                                config->is_server);

    if (!stream) {
        return NULL;
    }
    conn = xzalloc(sizeof *conn);
    conn->stream = stream;
    conn->config = *config;
    if (!conn->config.versions) {
        conn->config.versions = OF_VERSION_BITMAP;
    }
    conn->version_offered = highest_version(conn->config.versions);
    conn->started = conn->last_heard = now;
    shake_hands(conn);
    send_hello(conn);
    of_conn_flush(conn);
    return conn;
}

void
of_conn_destroy(struct of_conn *conn)
{
    if (conn) {
        of_stream_destroy(conn->stream);
        free(conn->in);
        buf_fini(&conn->out);
        free(conn);
    }
}

int
of_conn_fd(const struct of_conn *conn)
{
    return of_stream_fd(conn->stream);
}

bool
of_conn_describe_tls(const struct of_conn *conn, struct str *out)
{
    return of_stream_describe(conn->stream, out);
}

enum of_conn_state
of_conn_state(const struct of_conn *conn)
{
    return conn->state;
}

const char *
of_conn_reason(const struct of_conn *conn)
{
    return conn->reason;
}

struct of_protocol *
of_conn_protocol(struct of_conn *conn)
{
    return &conn->protocol;
}

void
of_conn_set_probe_interval(struct of_conn *conn, msec interval)
{
    conn->config.probe_interval = interval;
}

unsigned int
of_conn_wants(const struct of_conn *conn)
{
    if (!of_stream_is_ready(conn->stream)) {
        return of_stream_wants(conn->stream);
    }
    return (may_read(conn) ? OF_READ : 0u)
           | (of_conn_backlog(conn) ? OF_WRITE : 0u);
}

void
of_conn_on_ready(struct of_conn *conn, unsigned int events, msec now)
{
    if (conn->state == OF_CONN_CLOSED) {
        return;
    }
    if (!of_stream_is_ready(conn->stream)) {
        if (!shake_hands(conn)) {
            return;
        }
        events |= OF_WRITE;       /* our hello waits */
    }
    if (events & OF_WRITE) {
        flush(conn);
    }
    if (conn->state != OF_CONN_CLOSED && events & OF_READ) {
        receive(conn, now);
    }
}

msec
of_conn_tick(struct of_conn *conn, msec now)
{
    msec interval = conn->config.probe_interval;

    if (conn->state == OF_CONN_HELLO) {
        msec deadline = conn->started + OF_CONN_HELLO_TIMEOUT;

        if (now < deadline) {
            return deadline;
        }
        of_conn_close(conn, of_stream_is_ready(conn->stream)
                            ? "the peer said no hello"
                            : "the peer did not finish the TLS handshake");
    }
    if (conn->state == OF_CONN_CLOSED || !interval) {
        return INT64_MAX;
    }
    /* While we do not listen, silence is ours. */
    if (!may_read(conn)) {
        conn->last_heard = now;
    }
    if (now - conn->last_heard >= 2 * interval && conn->probe_sent) {
        of_conn_close(conn, "the peer did not answer a probe");
        return INT64_MAX;
    }
    if (now - conn->last_heard >= interval && !conn->probe_sent) {
        conn->probe_sent = true;
        send_echo(conn, TYPE_ECHO_REQUEST, NULL, 0);
    }
    return conn->last_heard + (conn->probe_sent ? 2 : 1) * interval;
}
