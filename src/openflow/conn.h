/* Connections: OpenFlow messages over a byte stream.
 *
 * Takes a connected, non-blocking descriptor and turns it into whole messages
 * both ways.  There is no event loop inside: who has one watches of_conn_fd()
 * for what of_conn_wants() says and calls of_conn_on_ready() and
 * of_conn_tick().
 *
 *     HELLO    the TLS handshake, if any, goes on; then our hello is on its
 *              way and the other's is awaited.  Nothing else is sent; any
 *              other message or HELLO_TIMEOUT ends it.
 *     OPEN     a version is agreed on: messages travel.  Echo requests are
 *              answered here; silence longer than the probe interval is
 *              probed, and a second one ends it.
 *     CLOSED   for good; of_conn_reason() says why.
 *
 * Back-pressure.  What is to be sent waits in one queue.  While more than
 * OF_CONN_OUT_LIMIT bytes wait, nothing more is read, so a peer that asks and
 * does not read the answers waits, and costs a bounded amount of memory.
 * of_conn_has_room() tells the same to those who send without being asked:
 * they drop or wait.
 *
 * Owned by one thread. */
#ifndef WEFT_OPENFLOW_CONN_H
#define WEFT_OPENFLOW_CONN_H

#include "openflow/openflow.h"
#include "openflow/stream.h"

enum {
    OF_CONN_OUT_LIMIT = 256 * 1024,
    OF_CONN_HELLO_TIMEOUT = 10000,          /* msec */
    OF_CONN_PROBE_DEFAULT = 5000,
};

enum of_conn_state { OF_CONN_HELLO, OF_CONN_OPEN, OF_CONN_CLOSED };

struct of_conn_config {
    uint32_t versions;            /* offered: bit 1 << version; 0: all */
    msec probe_interval;          /* 0: no probes */
    struct of_tls *tls;           /* NULL: plain */
    bool is_server;               /* the peer connected to us */
    /* Sees every whole message, sent or received.  May be NULL. */
    void (*watch)(void *aux, bool is_sent, const void *message, size_t len);
    void *aux;
};

struct of_conn;

/* Takes the descriptor over.  NULL: no memory for TLS (it is closed). */
struct of_conn *of_conn_create(int fd, const struct of_conn_config *,
                               msec now);
void of_conn_destroy(struct of_conn *);

int of_conn_fd(const struct of_conn *);
enum of_conn_state of_conn_state(const struct of_conn *);
/* Why it is closed: "the peer closed the connection". */
const char *of_conn_reason(const struct of_conn *);
/* As of_stream_describe(). */
bool of_conn_describe_tls(const struct of_conn *, struct str *);
/* What the descriptor is to be watched for: enum of_events. */
unsigned int of_conn_wants(const struct of_conn *);
/* Its version is 0 until OPEN; extensions are set by who carries out the
 * requests for them. */
struct of_protocol *of_conn_protocol(struct of_conn *);

void of_conn_set_probe_interval(struct of_conn *, msec);

/* Reads once and writes what can be written. */
void of_conn_on_ready(struct of_conn *, unsigned int events, msec now);
/* Timers: probes and time-outs.  Returns when to call again. */
msec of_conn_tick(struct of_conn *, msec now);

/* The next message for the owner, which stays valid until the next call of
 * this or of_conn_on_ready(); NULL when there is none, or none is taken because
 * too much waits to be sent. */
const void *of_conn_next(struct of_conn *, size_t *len);
/* The same, but it stays the next one: for who may have to wait.  Echo requests
 * before it are answered. */
const void *of_conn_peek(struct of_conn *, size_t *len);
/* True when of_conn_next() would have work. */
bool of_conn_has_next(const struct of_conn *);

/* Where messages to be sent are appended, whole ones only, between begin and
 * end.  They are sent together, when enough wait, by of_conn_flush(), or when
 * the descriptor is writable. */
struct buf *of_conn_begin_send(struct of_conn *);
void of_conn_end_send(struct of_conn *);
/* Sends as much of what waits as can be; at the end of a turn. */
void of_conn_flush(struct of_conn *);
/* Is less than the limit waiting to be sent? */
bool of_conn_has_room(const struct of_conn *);
size_t of_conn_backlog(const struct of_conn *);

void of_conn_close(struct of_conn *, const char *reason);

#endif
