#include "peer/peer_mesh.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "peer/peer_listener.h"
#include "peer/peer_mesh_impl.h"

enum {                            /* msec */
    GATHER = 5,
    BACK_OFF_MIN = 200,
    BACK_OFF_MAX = 15000,
};

static const char *const states[] = {
#define X(ID, WORD) [ID] = WORD,
    PEER_STATES(X)
#undef X
};

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

static uv_timer_t *
make_timer(uv_loop_t *loop, void *data)
{
    uv_timer_t *timer = xzalloc(sizeof *timer);

    timer->data = data;
    uv_timer_init(loop, timer);
    return timer;
}

static void
start_timer(uv_timer_t *timer, uv_timer_cb call, msec after)
{
    uv_update_time(timer->loop);
    uv_timer_start(timer, call, (uint64_t) after, 0);
}

/* ---- Peers ---- */

static void
set_state(struct peer *peer, enum peer_state state)
{
    if (peer->state != state) {
        peer->state = state;
        peer->since = clock_msec();
    }
}

static struct peer *
find_peer(const struct peer_mesh *mesh, const char *name)
{
    for (unsigned int i = 0; i < mesh->n_peers; i++) {
        if (!strcmp(mesh->peers[i]->name, name)) {
            return mesh->peers[i];
        }
    }
    return NULL;
}

/* Whose session it is; NULL: nobody's yet. */
static struct peer *
peer_of(const struct peer_mesh *mesh, const struct peer_session *session)
{
    for (unsigned int i = 0; i < mesh->n_peers; i++) {
        if (mesh->peers[i]->session == session) {
            return mesh->peers[i];
        }
    }
    return NULL;
}

static const struct peer *
find_fingerprint(const struct peer_mesh *mesh,
                 const uint8_t fingerprint[PEER_FINGERPRINT_SIZE])
{
    for (unsigned int i = 0; i < mesh->n_peers; i++) {
        if (mesh->peers[i]->state != PEER_NO_CERTIFICATE
            && !memcmp(mesh->peers[i]->fingerprint, fingerprint,
                       PEER_FINGERPRINT_SIZE)) {
            return mesh->peers[i];
        }
    }
    return NULL;
}

static bool
knows(const void *mesh, const uint8_t fingerprint[PEER_FINGERPRINT_SIZE])
{
    return find_fingerprint(mesh, fingerprint) != NULL;
}

/* ---- Sessions ---- */

static void call_later(struct peer *);

static bool
is_caller(const struct peer *peer)
{
    return strcmp(peer->mesh->config.host, peer->name) < 0;
}

/* Of who called and has not said who it is. */
static bool
forget_guest(struct peer_mesh *mesh, const struct peer_session *session)
{
    for (unsigned int i = 0; i < mesh->n_guests; i++) {
        if (mesh->guests[i] == session) {
            mesh->guests[i] = mesh->guests[--mesh->n_guests];
            return true;
        }
    }
    return false;
}

/* The session is destroyed; the peer is called again, or awaited. */
static void
lose_session(struct peer *peer, const char *reason)
{
    if (peer->state == PEER_UP) {
        log_warn("peer", "host '%s': %s; its ports stay as it said last",
                 peer->name, reason);
    }
    snprintf(peer->reason, sizeof peer->reason, "%s", reason);
    peer_session_destroy(peer->session);
    peer->session = NULL;
    peer_mesh_drop_questions(peer->mesh, peer, reason);
    set_state(peer, is_caller(peer) ? PEER_CALLING : PEER_AWAITED);
    if (is_caller(peer)) {
        call_later(peer);
    }
}

/* A caller is who its certificate says; who was called must be that one. */
static bool
on_identified(void *mesh_, struct peer_session *session,
              const uint8_t fingerprint[PEER_FINGERPRINT_SIZE])
{
    struct peer_mesh *mesh = mesh_;
    const struct peer *found = find_fingerprint(mesh, fingerprint);
    struct peer *peer = peer_of(mesh, session);

    if (peer) {
        return found == peer;
    }
    peer = found ? find_peer(mesh, found->name) : NULL;
    if (!peer || is_caller(peer)) {
        return false;
    }
    forget_guest(mesh, session);
    /* It called again: it has given the old session up. */
    if (peer->session) {
        lose_session(peer, "it called again");
    }
    peer->session = session;
    return true;
}

static void
on_opened(void *mesh_, struct peer_session *session)
{
    struct peer_mesh *mesh = mesh_;
    struct peer *peer = peer_of(mesh, session);
    struct str all = STR_INIT;

    log_info("peer", "host '%s' is there", peer->name);
    peer->back_off = BACK_OFF_MIN;
    peer->reason[0] = 0;
    set_state(peer, PEER_UP);
    peer_own_add_all(mesh->own, &all);
    peer_session_send_bytes(session, all.text, all.len);
    str_fini(&all);
}

static void
on_message(void *mesh_, struct peer_session *session,
           const struct peer_message *message)
{
    struct peer_mesh *mesh = mesh_;
    struct peer *peer = peer_of(mesh, session);
    bool is_news;

    if (message->type == PEER_ASK) {
        peer_mesh_asked(mesh, peer, message);
    } else if (message->type == PEER_ANSWER) {
        peer_mesh_answered(mesh, peer, message);
    } else if (peer_said_take(peer->said, message, &is_news)) {
        peer_session_fail(session, "it says more than we remember");
    } else if (is_news) {
        mesh->config.heard(mesh->config.aux,
                           message->type == PEER_LISTENING);
    }
}

static void
on_closed(void *mesh_, struct peer_session *session, const char *reason)
{
    struct peer_mesh *mesh = mesh_;
    struct peer *peer = peer_of(mesh, session);

    if (peer) {
        lose_session(peer, reason);
        return;
    }
    log_limited(LOG_LEVEL_WARN, "peer", "somebody called: %s", reason);
    forget_guest(mesh, session);
    peer_session_destroy(session);
}

/* NULL: out of memory; the descriptor is closed. */
static struct peer_session *
open_session(struct peer_mesh *mesh, int fd, bool is_server)
{
    return peer_session_create(&(struct peer_session_config) {
        .loop = mesh->config.loop, .fd = fd, .tls = mesh->tls,
        .is_server = is_server, .host = mesh->config.host,
        .identified = on_identified, .opened = on_opened,
        .message = on_message, .closed = on_closed, .aux = mesh });
}

static void
on_call(void *mesh_, int fd)
{
    struct peer_mesh *mesh = mesh_;
    struct peer_session *session;

    if (mesh->n_guests == PEER_MESH_MAX_GUESTS) {
        close(fd);
        return;
    }
    session = open_session(mesh, fd, true);
    if (session) {
        mesh->guests[mesh->n_guests++] = session;
    }
}

/* ---- Calling ---- */

/* Negative errno: it cannot even be begun. */
static int
begin_call(const struct peer *peer)
{
    struct sockaddr_storage address;
    socklen_t len = peer_sockaddr(peer->address, peer->port, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK
                                       | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *) &address, len)
        && errno != EINPROGRESS) {
        int err = -errno;

        close(fd);
        return err;
    }
    return fd >= 0 ? fd : -errno;
}

static void
call(uv_timer_t *timer)
{
    struct peer *peer = timer->data;
    int fd = begin_call(peer);

    if (fd < 0) {
        snprintf(peer->reason, sizeof peer->reason, "%s", strerror(-fd));
        call_later(peer);
        return;
    }
    peer->session = open_session(peer->mesh, fd, false);
    if (!peer->session) {
        call_later(peer);
    }
}

/* Not all at the same moment, when all were lost at once. */
static void
call_later(struct peer *peer)
{
    uint64_t random = hash_key_random().seed;

    start_timer(peer->timer, call, peer->back_off
                                   + (msec) (random % (uint64_t)
                                             (peer->back_off / 2 + 1)));
    peer->back_off = MIN(2 * peer->back_off, (msec) BACK_OFF_MAX);
}

/* ---- Which peers there are ---- */

static struct peer *
create_peer(struct peer_mesh *mesh, const char *name)
{
    struct peer *peer = xzalloc(sizeof *peer);

    snprintf(peer->name, sizeof peer->name, "%s", name);
    peer->mesh = mesh;
    peer->state = N_PEER_STATES;
    peer->timer = make_timer(mesh->config.loop, peer);
    peer->said = peer_said_create(mesh->config.remote,
                                  intent_object_id(INTENT_HOST, name));
    return peer;
}

static void
destroy_peer(struct peer *peer)
{
    peer_session_destroy(peer->session);
    peer->session = NULL;
    peer_mesh_drop_questions(peer->mesh, peer,
                             "the file does not have it any more");
    peer_said_destroy(peer->said);
    uv_close((uv_handle_t *) peer->timer, free_handle);
    free(peer);
}

static bool
is_same(const struct peer *peer, const struct intent_host *host,
        bool has_channel)
{
    return (peer->state != PEER_NO_CERTIFICATE) == has_channel
           && peer->state != N_PEER_STATES && peer->port == host->peer.port
           && ip6_addr_eq(peer->address, host->peer.address)
           && !memcmp(peer->fingerprint, host->certificate,
                      sizeof peer->fingerprint);
}

static void
follow_host(struct peer *peer, const struct intent_host *host,
            bool has_channel)
{
    if (is_same(peer, host, has_channel)) {
        return;
    }
    peer_session_destroy(peer->session);
    peer->session = NULL;
    peer_mesh_drop_questions(peer->mesh, peer, "the file was changed");
    uv_timer_stop(peer->timer);
    peer->address = host->peer.address;
    peer->port = host->peer.port;
    memcpy(peer->fingerprint, host->certificate, sizeof peer->fingerprint);
    peer->reason[0] = 0;
    peer->back_off = BACK_OFF_MIN;
    if (!has_channel) {
        set_state(peer, PEER_NO_CERTIFICATE);
    } else if (is_caller(peer)) {
        set_state(peer, PEER_CALLING);
        start_timer(peer->timer, call, 0);
    } else {
        set_state(peer, PEER_AWAITED);
    }
}

static bool
has_certificates(const struct intent *intent)
{
    INTENT_FOR_EACH_HOST (host, intent) {
        if (intent_host_has_certificate(host)) {
            return true;
        }
    }
    return false;
}

/* What is wrong with how the file has us.  A file without any certificates wants
 * no channels. */
static void
look_at_us(struct peer_mesh *mesh, const struct intent *intent,
           const struct intent_host *we)
{
    char text[PEER_FINGERPRINT_TEXT_SIZE];
    bool has_other = we && intent_host_has_certificate(we);

    str_clear(&mesh->complaint);
    if (we && has_certificates(intent)
        && memcmp(we->certificate,
                  peer_certificate_fingerprint(mesh->config.certificate),
                  PEER_FINGERPRINT_SIZE)) {
        str_addf(&mesh->complaint,
                 "%s: host '%s' has %s certificate, so other hosts do not "
                 "let us in; this host's is %s",
                 we->object.place.file ? we->object.place.file : "intents",
                 we->object.name, has_other ? "another" : "no",
                 peer_fingerprint_format(
                     peer_certificate_fingerprint(mesh->config.certificate),
                     text));
        if (has_other) {
            log_warn("peer", "%s", str_text(&mesh->complaint));
        }
    }
}

/* Peers that the file has no more go; the others are put in its order. */
static void
follow_hosts(struct peer_mesh *mesh, const struct intent *intent,
             bool are_channels)
{
    struct peer **peers = xcalloc(
        (intent ? intent_count(intent, INTENT_HOST) : 0) + 1, sizeof *peers);
    struct peer **old = mesh->peers;
    unsigned int n = 0, n_old = mesh->n_peers;

    if (intent) {
        INTENT_FOR_EACH_HOST (host, intent) {
            struct peer *peer = find_peer(mesh, host->object.name);

            if (strcmp(host->object.name, mesh->config.host)) {
                peers[n++] = peer ? peer
                                  : create_peer(mesh, host->object.name);
            }
        }
    }
    mesh->peers = peers;
    mesh->n_peers = n;
    for (unsigned int i = 0; i < n_old; i++) {
        if (find_peer(mesh, old[i]->name) != old[i]) {
            destroy_peer(old[i]);
        }
    }
    free(old);
    for (unsigned int i = 0; i < n; i++) {
        const struct intent_host *host = intent_host_cast(
            intent_find(intent, INTENT_HOST, peers[i]->name));

        follow_host(peers[i], host,
                    are_channels && intent_host_has_certificate(host));
    }
}

void
peer_mesh_set_hosts(struct peer_mesh *mesh, const struct intent *intent)
{
    const struct intent_host *we
        = intent ? intent_host_cast(intent_find(intent, INTENT_HOST,
                                                mesh->config.host)) : NULL;

    look_at_us(mesh, intent, we);
    follow_hosts(mesh, intent, we != NULL);
    peer_listener_move(mesh->listener,
                       we && mesh->n_peers ? we->peer.address
                                           : (struct ip6_addr) { { 0 } },
                       we ? we->peer.port : 0);
}

/* ---- What we say ---- */

struct publishing {
    struct peer_own *own;
    struct str *news;
};

static void
add_own(void *publishing_, const struct controller_own *port)
{
    struct publishing *p = publishing_;

    peer_own_port(p->own, port, p->news);
}

static void
add_listening(void *publishing_, const struct controller_listening *listening)
{
    struct publishing *p = publishing_;

    peer_own_listening(p->own, listening, p->news);
}

static void
find_news(struct peer_mesh *mesh, struct str *news)
{
    struct publishing publishing = { mesh->own, news };

    if (mesh->are_ports_other) {
        peer_own_begin(mesh->own);
        mesh->config.visit_own(mesh->config.aux, add_own, &publishing);
        peer_own_end(mesh->own, news);
    }
    if (mesh->is_listening_other) {
        peer_own_begin_listening(mesh->own);
        mesh->config.visit_listening(mesh->config.aux, add_listening,
                                     &publishing);
        peer_own_end_listening(mesh->own, news);
    }
    mesh->are_ports_other = mesh->is_listening_other = false;
}

static void
on_publish(uv_timer_t *timer)
{
    struct peer_mesh *mesh = timer->data;
    struct str news = STR_INIT;

    find_news(mesh, &news);
    for (unsigned int i = 0; i < mesh->n_peers && news.len; i++) {
        struct peer *peer = mesh->peers[i];

        if (peer->session && peer_session_is_open(peer->session)) {
            peer_session_send_bytes(peer->session, news.text, news.len);
        }
    }
    str_fini(&news);
}

static void
publish_soon(struct peer_mesh *mesh)
{
    if (!uv_is_active((const uv_handle_t *) mesh->publish)) {
        start_timer(mesh->publish, on_publish, GATHER);
    }
}

void
peer_mesh_publish(struct peer_mesh *mesh)
{
    mesh->are_ports_other = true;
    publish_soon(mesh);
}

void
peer_mesh_publish_listening(struct peer_mesh *mesh)
{
    mesh->is_listening_other = true;
    publish_soon(mesh);
}

/* ---- Being looked at ---- */

void
peer_mesh_visit(const struct peer_mesh *mesh,
                void (*visit)(void *aux, const struct peer_info *), void *aux)
{
    for (unsigned int i = 0; i < mesh->n_peers; i++) {
        const struct peer *peer = mesh->peers[i];

        visit(aux, &(struct peer_info) {
            .host = peer->name, .state = states[peer->state],
            .reason = peer->reason, .since = peer->since,
            .n_ports = peer_said_count(peer->said),
            .rtt = peer->session ? peer_session_rtt(peer->session) : 0 });
    }
}

const char *
peer_mesh_complaint(const struct peer_mesh *mesh)
{
    return str_text(&mesh->complaint);
}

const char *
peer_mesh_host(const struct peer_mesh *mesh)
{
    return mesh->config.host;
}

const char *
peer_mesh_fingerprint(const struct peer_mesh *mesh)
{
    return mesh->fingerprint;
}

/* ---- Making and ending ---- */

struct peer_mesh *
peer_mesh_create(const struct peer_mesh_config *config, struct str *error)
{
    struct peer_mesh *mesh = xzalloc(sizeof *mesh);

    mesh->config = *config;
    mesh->tls = peer_tls_create(config->certificate, knows, mesh, error);
    if (!mesh->tls) {
        free(mesh);
        return NULL;
    }
    peer_fingerprint_format(peer_certificate_fingerprint(config->certificate),
                            mesh->fingerprint);
    mesh->own = peer_own_create();
    mesh->publish = make_timer(config->loop, mesh);
    mesh->listener = peer_listener_create(config->loop, on_call, mesh);
    return mesh;
}

void
peer_mesh_destroy(struct peer_mesh *mesh)
{
    if (!mesh) {
        return;
    }
    for (unsigned int i = 0; i < mesh->n_peers; i++) {
        destroy_peer(mesh->peers[i]);
    }
    free(mesh->peers);
    for (unsigned int i = 0; i < mesh->n_guests; i++) {
        peer_session_destroy(mesh->guests[i]);
    }
    peer_mesh_forget_asked(mesh);
    peer_listener_destroy(mesh->listener);
    uv_close((uv_handle_t *) mesh->publish, free_handle);
    peer_own_destroy(mesh->own);
    of_tls_destroy(mesh->tls);
    str_fini(&mesh->complaint);
    free(mesh);
}
