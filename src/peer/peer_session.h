/* Peer session: one connection with another host, message by message.
 *
 *     connecting -> shaking hands -> identified -> open -> over
 *                                    (its certificate is a host's)
 *
 * Setting up takes at most PEER_SETUP_TIMEOUT; then both sides ping every
 * PEER_PING_INTERVAL, and whoever hears nothing for PEER_SILENCE hangs up.  A
 * message that is not as peer_message.h has it, or somebody who does not read
 * what he is sent, costs the session.
 *
 * closed() is called once, from the loop and never from within another call,
 * unless the session was destroyed before; then it is to be destroyed.
 *
 * One thread, the loop's. */
#ifndef WEFT_PEER_PEER_SESSION_H
#define WEFT_PEER_PEER_SESSION_H

#include <uv.h>

#include "openflow/tls.h"
#include "peer/peer_certificate.h"
#include "peer/peer_message.h"

enum {                            /* msec */
    PEER_SETUP_TIMEOUT = 10000,
    PEER_PING_INTERVAL = 5000,
    PEER_SILENCE = 16000,
};

enum { PEER_MAX_UNSENT = 32 << 20 };        /* bytes */

struct peer_session;

struct peer_session_config {
    uv_loop_t *loop;
    int fd;                       /* connecting or connected; taken over */
    struct of_tls *tls;           /* borrowed */
    bool is_server;
    const char *host;             /* our name, borrowed */
    /* It showed this certificate, which `tls` let in.  False: it is not who we
     * called. */
    bool (*identified)(void *aux, struct peer_session *,
                       const uint8_t fingerprint[PEER_FINGERPRINT_SIZE]);
    /* The other side said hello. */
    void (*opened)(void *aux, struct peer_session *);
    /* One of the other types, but for pings. */
    void (*message)(void *aux, struct peer_session *,
                    const struct peer_message *);
    void (*closed)(void *aux, struct peer_session *, const char *reason);
    void *aux;
};

/* NULL: out of memory. */
struct peer_session *peer_session_create(const struct peer_session_config *);
/* Accepts NULL. */
void peer_session_destroy(struct peer_session *);

bool peer_session_is_open(const struct peer_session *);
/* What does not get through is lost with the session: closed() tells. */
void peer_session_send(struct peer_session *, const struct peer_message *);
/* The same for messages that are encoded already. */
void peer_session_send_bytes(struct peer_session *, const void *, size_t len);
/* Ends it for that reason. */
void peer_session_fail(struct peer_session *, const char *reason);
/* Of the last ping that was answered, in microseconds; 0: none was yet. */
uint64_t peer_session_rtt(const struct peer_session *);

#endif
