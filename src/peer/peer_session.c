#include "peer/peer_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "openflow/stream.h"

enum {
    READ_SIZE = 17 * 1024,        /* a TLS record fits */
    READS_PER_TURN = 16,
    TICK = 1000,                  /* msec */
};

enum state { CONNECTING, SHAKING_HANDS, IDENTIFIED, OPEN, OVER };

struct peer_session {
    struct peer_session_config config;
    enum state state;
    struct of_stream *stream;
    uv_poll_t *poll;
    uv_timer_t *timer;
    msec began;                   /* setting up; then, the last ping */
    msec heard;
    uint64_t ping;                /* number of the last one */
    nsec pinged;
    uint64_t rtt;
    struct str in, out;
    size_t n_sent;                /* of `out` */
    char reason[OF_REASON_SIZE];
};

static void on_poll(uv_poll_t *, int status, int events);

/* ---- Ending ---- */

static void
on_over(uv_timer_t *timer)
{
    struct peer_session *s = timer->data;

    s->config.closed(s->config.aux, s, s->reason);
}

void
peer_session_fail(struct peer_session *s, const char *reason)
{
    if (s->state != OVER) {
        s->state = OVER;
        snprintf(s->reason, sizeof s->reason, "%s", reason);
        uv_poll_stop(s->poll);
        uv_timer_start(s->timer, on_over, 0, 0);
    }
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
peer_session_destroy(struct peer_session *s)
{
    if (!s) {
        return;
    }
    uv_poll_stop(s->poll);
    uv_close((uv_handle_t *) s->poll, free_handle);
    uv_close((uv_handle_t *) s->timer, free_handle);
    of_stream_destroy(s->stream);
    str_fini(&s->in);
    str_fini(&s->out);
    free(s);
}

/* ---- Sending ---- */

static void
watch(struct peer_session *s)
{
    unsigned int wants = OF_READ;

    if (s->state == OVER) {
        return;
    }
    if (s->state == CONNECTING) {
        wants = OF_WRITE;
    } else if (s->state == SHAKING_HANDS) {
        wants = of_stream_wants(s->stream);
    } else if (s->n_sent < s->out.len) {
        wants |= OF_WRITE;
    }
    uv_poll_start(s->poll, (wants & OF_READ ? UV_READABLE : 0)
                           | (wants & OF_WRITE ? UV_WRITABLE : 0), on_poll);
}

static void
flush(struct peer_session *s)
{
    while (s->n_sent < s->out.len) {
        ssize_t n = of_stream_write(s->stream, s->out.text + s->n_sent,
                                    s->out.len - s->n_sent);

        if (n == -EAGAIN) {
            return;
        }
        if (n < 0) {
            peer_session_fail(s, of_stream_reason(s->stream));
            return;
        }
        s->n_sent += (size_t) n;
    }
    str_clear(&s->out);
    s->n_sent = 0;
}

void
peer_session_send_bytes(struct peer_session *s, const void *bytes, size_t len)
{
    if (s->state != IDENTIFIED && s->state != OPEN) {
        return;
    }
    if (s->out.len - s->n_sent + len > PEER_MAX_UNSENT) {
        peer_session_fail(s, "it does not read what it is sent");
        return;
    }
    str_add_bytes(&s->out, bytes, len);
    flush(s);
    watch(s);
}

void
peer_session_send(struct peer_session *s, const struct peer_message *message)
{
    struct str bytes = STR_INIT;

    if (!peer_message_encode(message, &bytes)) {
        peer_session_send_bytes(s, bytes.text, bytes.len);
    }
    str_fini(&bytes);
}

static void
send_ping(struct peer_session *s)
{
    struct peer_message ping = { .type = PEER_PING };

    ping.talk.id = ++s->ping;
    s->began = clock_msec();
    s->pinged = clock_nsec();
    peer_session_send(s, &ping);
}

/* ---- Receiving ---- */

static void
take_hello(struct peer_session *s, const struct peer_message *message)
{
    if (message->type != PEER_HELLO) {
        peer_session_fail(s, "its first message is no hello");
    } else if (message->hello.version < PEER_VERSION) {
        peer_session_fail(s, "its version is too old");
    } else {
        s->state = OPEN;
        s->config.opened(s->config.aux, s);
        send_ping(s);
    }
}

static void
take(struct peer_session *s, const struct peer_message *message)
{
    s->heard = clock_msec();
    if (s->state == IDENTIFIED) {
        take_hello(s, message);
    } else if (message->type == PEER_PING) {
        struct peer_message pong = { .type = PEER_PONG };

        pong.talk.id = message->talk.id;
        peer_session_send(s, &pong);
    } else if (message->type == PEER_PONG) {
        if (message->talk.id == s->ping && s->pinged) {
            s->rtt = MAX((uint64_t) (clock_nsec() - s->pinged) / 1000,
                         (uint64_t) 1);
            s->pinged = 0;
        }
    } else if (message->type != PEER_UNKNOWN && message->type != PEER_HELLO) {
        s->config.message(s->config.aux, s, message);
    }
}

/* How many bytes of what came are used up by a whole message; 0: there is none
 * yet. */
static size_t
take_one(struct peer_session *s, const char *bytes, size_t len)
{
    struct peer_message message;
    struct str why = STR_INIT;
    char reason[OF_REASON_SIZE];
    int size;

    if (len < PEER_HEADER_SIZE) {
        return 0;
    }
    size = peer_message_body_size((const uint8_t *) bytes);
    if (size < 0) {
        peer_session_fail(s, "a message of an impossible length");
        return 0;
    }
    if (len < PEER_HEADER_SIZE + (size_t) size) {
        return 0;
    }
    if (peer_message_decode(bytes + PEER_HEADER_SIZE, (size_t) size, &message,
                            &why)) {
        snprintf(reason, sizeof reason, "a message that is not understood: %s",
                 str_text(&why));
        peer_session_fail(s, reason);
    } else {
        take(s, &message);
        peer_message_fini(&message);
    }
    str_fini(&why);
    return PEER_HEADER_SIZE + (size_t) size;
}

static void
take_all(struct peer_session *s)
{
    size_t at = 0, n;

    while (s->state != OVER
           && (n = take_one(s, s->in.text + at, s->in.len - at)) > 0) {
        at += n;
    }
    memmove(s->in.text, s->in.text + at, s->in.len - at);
    s->in.len -= at;
}

static void
receive(struct peer_session *s)
{
    char buf[READ_SIZE];

    for (unsigned int i = 0; i < READS_PER_TURN && s->state != OVER; i++) {
        ssize_t n = of_stream_read(s->stream, buf, sizeof buf);

        if (n == -EAGAIN) {
            return;
        }
        if (n < 0) {
            peer_session_fail(s, of_stream_reason(s->stream));
            return;
        }
        str_add_bytes(&s->in, buf, (size_t) n);
        take_all(s);
    }
}

/* ---- Setting up ---- */

static void
say_hello(struct peer_session *s)
{
    struct peer_message hello = { .type = PEER_HELLO };

    hello.hello.version = PEER_VERSION;
    snprintf(hello.hello.host, sizeof hello.hello.host, "%s", s->config.host);
    peer_session_send(s, &hello);
}

static void
identify(struct peer_session *s)
{
    const struct x509_st *shown = of_stream_peer(s->stream);
    uint8_t fingerprint[PEER_FINGERPRINT_SIZE];

    s->state = IDENTIFIED;
    s->heard = clock_msec();
    if (!shown || !peer_fingerprint_of(shown, fingerprint)
        || !s->config.identified(s->config.aux, s, fingerprint)) {
        peer_session_fail(s, "another host than expected answers there");
        return;
    }
    say_hello(s);
}

static void
shake_hands(struct peer_session *s)
{
    int err = of_stream_shake_hands(s->stream);

    if (!err) {
        identify(s);
    } else if (err != -EAGAIN) {
        peer_session_fail(s, of_stream_reason(s->stream));
    }
}

static void
connected(struct peer_session *s)
{
    socklen_t len = sizeof(int);
    int err = 0;

    getsockopt(of_stream_fd(s->stream), SOL_SOCKET, SO_ERROR, &err, &len);
    if (err) {
        peer_session_fail(s, strerror(err));
        return;
    }
    s->state = SHAKING_HANDS;
    shake_hands(s);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
    struct peer_session *s = poll->data;

    if (s->state == CONNECTING) {
        connected(s);
    } else if (s->state == SHAKING_HANDS) {
        shake_hands(s);
    }
    /* Reading says what is wrong with it in better words. */
    if ((s->state == IDENTIFIED || s->state == OPEN)
        && (events & UV_READABLE || status < 0)) {
        receive(s);
    }
    if (status < 0) {
        peer_session_fail(s, uv_strerror(status));
    }
    if (s->state == IDENTIFIED || s->state == OPEN) {
        flush(s);
    }
    watch(s);
}

/* ---- Time ---- */

static void
on_tick(uv_timer_t *timer)
{
    struct peer_session *s = timer->data;
    msec now = clock_msec();

    if (s->state == OPEN) {
        if (now - s->heard > PEER_SILENCE) {
            peer_session_fail(s, "it says nothing any more");
        } else if (now - s->began >= PEER_PING_INTERVAL) {
            send_ping(s);
        }
    } else if (now - s->began > PEER_SETUP_TIMEOUT) {
        peer_session_fail(s, s->state == CONNECTING ? "it does not answer"
                             : "it does not finish its greeting");
    }
}

bool
peer_session_is_open(const struct peer_session *s)
{
    return s->state == OPEN;
}

uint64_t
peer_session_rtt(const struct peer_session *s)
{
    return s->rtt;
}

struct peer_session *
peer_session_create(const struct peer_session_config *config)
{
    struct peer_session *s = xzalloc(sizeof *s);

    s->config = *config;
    s->state = config->is_server ? SHAKING_HANDS : CONNECTING;
    s->stream = of_stream_create(config->fd, config->tls, config->is_server);
    if (!s->stream) {
        free(s);
        return NULL;
    }
    s->poll = xzalloc(sizeof *s->poll);
    s->timer = xzalloc(sizeof *s->timer);
    s->poll->data = s->timer->data = s;
    uv_poll_init(config->loop, s->poll, config->fd);
    uv_timer_init(config->loop, s->timer);
    uv_timer_start(s->timer, on_tick, TICK, TICK);
    s->began = clock_msec();
    watch(s);
    return s;
}
