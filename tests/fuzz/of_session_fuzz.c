/* Whole conversations: two peers and a switch in memory.
 *
 * The first byte says which versions the peers speak and what they are, then
 * come events, each a byte (its low half says what, bit 4 which peer) and what
 * it needs:
 *
 *     0-7  the peer sends a message: type, length of the body (2 bytes), body;
 *          version, length and xid are made to fit, so that the fuzzer gets
 *          past them
 *     8    it stops reading, or begins again
 *     9    time passes: half a second times the top three bits
 *     10   a packet for controllers comes in by port 1 or 2
 *     11   the peer sends bytes as they are: length (2 bytes), bytes
 *     12   it hangs up, and comes again
 *     13   a port changes
 *     14   the other fail mode
 *     15   nothing: a turn goes by
 *
 * What the switch says is looked at: whole messages of the version agreed on,
 * every barrier of who reads answered before the next event, and never more
 * waiting than a bound.
 *
 * Covers: src/openflow/conn.c src/openflow/message.c
 * Covers: src/openflow/wire_group.c src/openflow/wire_meter.c
 * Covers: src/openflow/wire_monitor.c src/openflow/wire_multipart.c
 * Covers: src/openflow/wire_oxs.c src/openflow/wire_table.c
 * Covers: src/openflow/wire_group_selection.c src/openflow/wire_controller.c
 * Covers: src/switch/control_async.c src/switch/control_bundle.c
 * Covers: src/switch/control_flows.c src/switch/control_group_meter.c
 * Covers: src/switch/control_multipart.c src/switch/control_port.c
 * Covers: src/switch/control_request.c */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/rcu.h"
#include "packet/cursor.h"
#include "switch/control.h"

enum {
    N_PEERS = 2, N_PORTS = 2, XID = 7, MAX_EVENTS = 400,
    TYPE_BARRIER_10 = 18, TYPE_BARRIER = 20,
    BACKLOG_MAX = 4 << 20,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
    struct session *session;      /* NULL: hung up */
    int fd;
    uint8_t version;
    enum session_kind kind;
    bool is_deaf;
    unsigned int n_barriers;      /* asked and not answered */
    uint8_t in[1 << 17];
    size_t n_in;
};

struct world {
    struct switch_ *sw;
    struct control *control;
    struct peer peers[N_PEERS];
    msec now;
};

static void
check(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* ---- Peers ---- */

static void
come(struct world *w, struct peer *peer)
{
    const struct session_config config = { .kind = peer->kind };
    int fds[2];

    check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    peer->fd = fds[1];
    peer->n_in = 0;
    peer->n_barriers = 0;
    peer->is_deaf = false;
    peer->session = control_add_session(w->control, fds[0], &config, w->now);
    check(peer->session);
}

static void
forget(struct peer *peer)
{
    if (peer->session) {
        control_remove_session(peer->session);
        peer->session = NULL;
        close(peer->fd);
    }
}

/* The switch finds out when it reads or writes. */
static void
hang_up(struct peer *peer)
{
    if (peer->session) {
        shutdown(peer->fd, SHUT_RDWR);
    }
}

static void
send_bytes(struct peer *peer, const void *bytes, size_t len)
{
    if (peer->session && write(peer->fd, bytes, len) < (ssize_t) len) {
        hang_up(peer);            /* it did not wait for room */
    }
}

static bool
is_barrier(const struct peer *peer, uint8_t type)
{
    return type == (peer->version == OF10 ? TYPE_BARRIER_10 : TYPE_BARRIER);
}

static void
send_message(struct peer *peer, uint8_t type, const uint8_t *body,
             uint16_t body_len)
{
    uint16_t len = (uint16_t) (OF_HEADER_LEN + body_len);
    uint8_t *bytes = xzalloc(len);

    bytes[0] = peer->version;
    bytes[1] = type;
    put_be16(bytes + 2, htobe16(len));
    bytes[7] = XID;
    if (body_len) {
        memcpy(bytes + OF_HEADER_LEN, body, body_len);
    }
    if (peer->session && session_is_open(peer->session)
        && is_barrier(peer, type) && !body_len) {
        peer->n_barriers++;
    }
    send_bytes(peer, bytes, len);
    free(bytes);
}

/* One whole message that the switch sent. */
static void
take_message(struct peer *peer, const uint8_t *message)
{
    const struct session *s = peer->session;

    if (s && session_is_open(s)) {
        check(message[0] == peer->version || message[1] == 0);
        if (is_barrier(peer, (uint8_t) (message[1] - 1)) && message[3] == 8
            && peer->n_barriers) {
            peer->n_barriers--;
        }
    }
}

static void
hear(struct peer *peer)
{
    ssize_t n;

    while (!peer->is_deaf
           && (n = read(peer->fd, peer->in + peer->n_in,
                        sizeof peer->in - peer->n_in)) > 0) {
        size_t pos = 0;
        int len;

        peer->n_in += (size_t) n;
        while ((len = of_frame_len(peer->in + pos, peer->n_in - pos)) > 0
               && (size_t) len <= peer->n_in - pos) {
            take_message(peer, peer->in + pos);
            pos += (size_t) len;
        }
        check(len >= 0);
        memmove(peer->in, peer->in + pos, peer->n_in - pos);
        peer->n_in -= pos;
    }
}

/* ---- Turns ---- */

static bool
turn(struct world *w)
{
    struct session *s = NULL;
    bool has_more;

    while ((s = control_next_session(w->control, s))) {
        session_on_ready(s, session_wants(s), w->now);
    }
    has_more = control_run(w->control, w->now) <= w->now;
    switch_run(w->sw, w->now);
    for (unsigned int i = 0; i < N_PEERS; i++) {
        struct peer *peer = &w->peers[i];
        struct session_info info;

        if (!peer->session) {
            continue;
        }
        hear(peer);
        session_describe(peer->session, &info);
        check(info.backlog <= BACKLOG_MAX);
        if (session_is_closed(peer->session)) {
            check(*session_reason(peer->session));
            forget(peer);
        }
    }
    return has_more;
}

/* Until nothing moves; then who reads has its answers. */
static void
settle(struct world *w)
{
    for (unsigned int i = 0; i < 1000 && turn(w); i++) {
    }
    turn(w);
    for (unsigned int i = 0; i < N_PEERS; i++) {
        const struct peer *peer = &w->peers[i];

        check(!peer->session || peer->is_deaf || !peer->n_barriers);
    }
}

/* ---- Events ---- */

static void
packet_comes(struct world *w, uint32_t port)
{
    uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
    struct packet pkt = {
        .data = frame, .buf = frame, .len = sizeof frame,
        .buf_size = sizeof frame, .in_port = port,
    };
    const struct dp_action_controller action = {
        .max_len = OFPCML_NO_BUFFER, .reason = REASON_APPLY_ACTION,
    };
    const struct packet_in_extra nothing = { 0 };
    struct flow_key key;

    flow_key_extract(&pkt, &key);
    packet_in_put(switch_packet_ins(w->sw), &pkt, &key, &nothing, &action, 0);
}

static void
change_port(struct world *w)
{
    struct switch_port *sp = switch_port_by_number(w->sw, 1);

    switch_set_port_flags(w->sw, sp, false, !sp->no_flood, false, false,
                          false, false, false);
}

static void
other_fail_mode(struct world *w)
{
    bool is_secure = switch_config(w->sw)->fail_mode == FAIL_SECURE;

    control_set_fail_mode(w->control, is_secure ? FAIL_STANDALONE
                                                : FAIL_SECURE, w->now);
}

static void
come_again(struct world *w, struct peer *peer)
{
    hang_up(peer);
    turn(w);
    forget(peer);
    come(w, peer);
}

static void
happen(struct world *w, uint8_t op, struct cursor *c)
{
    struct peer *peer = &w->peers[op >> 4 & 1];
    const uint8_t *bytes;
    uint8_t type;
    uint16_t len;

    switch (op & 15) {
    default:
        type = cursor_u8(c);
        len = cursor_u16(c);
        len = MIN(len, OF_MAX_LEN - OF_HEADER_LEN);
        bytes = cursor_take(c, len);
        if (bytes) {
            send_message(peer, type, bytes, len);
        }
        break;
    case 8:
        peer->is_deaf = !peer->is_deaf;
        break;
    case 9:
        w->now += (op >> 5) * 500;
        break;
    case 10:
        packet_comes(w, 1 + (op >> 4 & 1));
        break;
    case 11:
        len = cursor_u16(c);
        bytes = cursor_take(c, len);
        if (bytes) {
            /* Who knows what is asked for there: no answer is waited for. */
            send_bytes(peer, bytes, len);
            peer->n_barriers = 0;
            turn(w);
            come_again(w, peer);
        }
        break;
    case 12:
        come_again(w, peer);
        break;
    case 13:
        change_port(w);
        break;
    case 14:
        other_fail_mode(w);
        break;
    case 15:
        break;
    }
    settle(w);
}

/* ---- The world ---- */

static struct switch_ *
new_switch(void)
{
    const struct switch_config config = {
        .name = "br0", .fail_mode = FAIL_SECURE,
        .datapath = { .inline_only = true },
    };
    struct switch_ *sw = switch_create(&config, 1000);

    check(sw);
    for (unsigned int i = 1; i <= N_PORTS; i++) {
        struct port_config port = { .type = "ring" };
        struct switch_port *added;

        port.name[0] = (char) ('a' + i);
        check(!switch_add_port(sw, &port, i, &added, NULL));
    }
    switch_barrier(sw);
    return sw;
}

/* As a new one, nearly. */
static void
clear_switch(struct switch_ *sw)
{
    const struct group_mod groups = { .command = GROUP_MOD_DELETE,
                                      .id = OFPG_ALL };
    const struct meter_mod meters = { .command = METER_MOD_DELETE,
                                      .id = OFPM_ALL };
    struct flow_mod flows;

    flow_mod_init(&flows);
    flows.command = FLOW_MOD_DELETE;
    flows.table = OFPTT_ALL;
    flow_mod_seal(&flows);
    check(!switch_flow_mod(sw, &flows, 0, NULL));
    flow_mod_fini(&flows);
    check(!switch_group_mod(sw, &groups, 0, NULL));
    check(!switch_meter_mod(sw, &meters, 0, NULL));
    for (unsigned int i = 1; i <= N_PORTS; i++) {
        switch_set_port_flags(sw, switch_port_by_number(sw, i), false, false,
                              false, false, false, false, false);
    }
    switch_set_fail_mode(sw, FAIL_SECURE);
    switch_barrier(sw);
}

/* To end a switch takes grace periods, so that one serves many worlds. */
static struct switch_ *
next_switch(void)
{
    enum { WORLDS = 500 };
    static struct switch_ *sw;
    static unsigned int n;

    if (n++ % WORLDS == 0) {
        if (sw) {
            switch_destroy(sw);
        } else {
            rcu_thread_begin();
        }
        sw = new_switch();
    }
    clear_switch(sw);
    return sw;
}

static void
world_init(struct world *w, uint8_t how)
{
    static const uint8_t versions[] = { OF10, OF13, OF14, OF15 };
    struct control_config control = { .probe_interval = 5000 };

    w->now = 1000;
    w->sw = next_switch();
    control.sw = w->sw;
    w->control = control_create(&control);
    if (how & 0x40) {
        other_fail_mode(w);
    }
    for (unsigned int i = 0; i < N_PEERS; i++) {
        w->peers[i].version = versions[how >> 2 * i & 3];
        w->peers[i].kind = how >> (4 + i) & 1 ? SESSION_TOOL
                                              : SESSION_CONTROLLER;
        come(w, &w->peers[i]);
    }
}

static void
world_fini(struct world *w)
{
    for (unsigned int i = 0; i < N_PEERS; i++) {
        forget(&w->peers[i]);
    }
    control_destroy(w->control);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w;
    struct cursor c;

    if (!size) {
        return 0;
    }
    w = xzalloc(sizeof *w);
    world_init(w, data[0]);
    c = cursor_init(data + 1, size - 1);
    for (unsigned int i = 0; i < MAX_EVENTS && cursor_left(&c); i++) {
        happen(w, cursor_u8(&c), &c);
    }
    world_fini(w);
    free(w);
    rcu_quiescent();
    return 0;
}
