#include "switch/control_rig_test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/rcu.h"

void
rig_init(struct rig *rig, enum fail_mode fail_mode)
{
    const struct switch_config config = {
        .name = "br0", .fail_mode = fail_mode,
        .datapath = { .inline_only = true },
    };
    struct control_config control = { 0 };

    rcu_thread_begin();
    rig->now = 1000;
    rig->sw = switch_create(&config, rig->now);
    control.sw = rig->sw;
    rig->control = control_create(&control);
}

void
rig_fini(struct rig *rig)
{
    control_destroy(rig->control);
    switch_destroy(rig->sw);
    rcu_thread_end();
}

msec
rig_turn(struct rig *rig)
{
    struct session *s = NULL;

    while ((s = control_next_session(rig->control, s))) {
        session_on_ready(s, OF_READ | OF_WRITE, rig->now);
    }
    return control_run(rig->control, rig->now);
}

void
rig_settle(struct rig *rig)
{
    for (unsigned int i = 0; i < 10000 && rig_turn(rig) <= rig->now; i++) {
    }
}

void
peer_say(struct peer *peer, struct of_message *m)
{
    struct buf out = BUF_INIT;

    m->version = peer->protocol.version;
    m->xid = ++peer->xid;
    CHECK(!of_message_encode(&out, &peer->protocol, m));
    CHECK(write(peer->fd, out.data, out.len) == (ssize_t) out.len);
    buf_fini(&out);
}

void
peer_say_plain(struct peer *peer, enum of_type type)
{
    struct buf out = BUF_INIT;

    of_plain_encode(&out, &peer->protocol, type, ++peer->xid);
    CHECK(write(peer->fd, out.data, out.len) == (ssize_t) out.len);
    buf_fini(&out);
}

bool
peer_hear(struct peer *peer, struct of_message *m)
{
    static uint8_t bytes[1 << 18];
    ssize_t n = read(peer->fd, bytes, sizeof bytes);
    int len;

    if (n > 0) {
        buf_pull(&peer->in, peer->pos);
        peer->pos = 0;
        buf_put(&peer->in, bytes, (size_t) n);
    }
    len = of_frame_len(peer->in.data + peer->pos, peer->in.len - peer->pos);
    if (len <= 0 || (size_t) len > peer->in.len - peer->pos) {
        return false;
    }
    memset(m, 0, sizeof *m);
    m->type = N_OF_TYPES;         /* a reply, which only its sender encodes */
    if (of_message_decode(&peer->protocol, peer->in.data + peer->pos,
                          (size_t) len, m, NULL)) {
        m->type = N_OF_TYPES;
    }
    peer->pos += (size_t) len;
    return true;
}

bool
peer_hear_type(struct peer *peer, enum of_type type)
{
    struct of_message m;
    bool is_heard = false;

    while (!is_heard && peer_hear(peer, &m)) {
        is_heard = m.type == type;
        if (m.type != N_OF_TYPES) {
            of_message_fini(&m);
        }
    }
    return is_heard;
}

void
peer_hear_error(struct peer *peer, enum of_error error)
{
    struct of_message m;

    rig_settle(peer->rig);
    CHECK(peer_hear(peer, &m));
    CHECK(m.type == OFT_ERROR && m.error.error == error);
    of_message_fini(&m);
}

void
peer_init(struct peer *peer, struct rig *rig, enum session_kind kind,
          enum of_version version, struct session *main)
{
    const struct session_config config = {
        .kind = kind, .main = main, .auxiliary_id = main ? 1 : 0,
        .owner = peer,
    };
    struct of_message hello = { .type = OFT_HELLO,
                                .hello.versions = 1u << version };
    int fds[2];

    memset(peer, 0, sizeof *peer);
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    peer->rig = rig;
    peer->fd = fds[1];
    peer->session = control_add_session(rig->control, fds[0], &config,
                                        rig->now);
    CHECK(peer->session);
    peer->protocol.version = version;
    peer_say(peer, &hello);
    rig_settle(rig);
    CHECK(session_is_open(peer->session));
    CHECK(peer_hear_type(peer, OFT_HELLO));
}

void
peer_fini(struct peer *peer)
{
    control_remove_session(peer->session);
    close(peer->fd);
    buf_fini(&peer->in);
}

void
rig_add_flows(struct rig *rig, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct flow_mod fm;

        flow_mod_init(&fm);
        match_set(&fm.match, FIELD_METADATA, i, UINT64_MAX);
        flow_mod_seal(&fm);
        CHECK(!switch_flow_mod(rig->sw, &fm, rig->now, NULL));
        flow_mod_fini(&fm);
    }
    switch_barrier(rig->sw);
}

static bool
count_flows(void *n, const struct flow_entry *e UNUSED)
{
    ++*(unsigned int *) n;
    return true;
}

unsigned int
rig_n_flows(const struct rig *rig)
{
    unsigned int n = 0;

    tables_visit(switch_tables(rig->sw), OFPTT_ALL, NULL, count_flows, &n);
    return n;
}
