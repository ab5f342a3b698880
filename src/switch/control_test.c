#include "switch/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/rcu.h"
#include "unit.h"

/* A switch without ports or threads, and its sessions' other ends. */
struct rig {
    struct switch_ *sw;
    struct control *control;
    msec now;
};

struct peer {
    struct rig *rig;
    struct session *session;
    int fd;
    struct of_protocol protocol;
    struct buf in;
    size_t pos;                   /* of the first message not heard yet */
    uint32_t xid;
};

static void
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

static void
rig_fini(struct rig *rig)
{
    control_destroy(rig->control);
    switch_destroy(rig->sw);
    rcu_thread_end();
}

/* What came is carried out; nobody is removed. */
static msec
turn(struct rig *rig)
{
    struct session *s = NULL;

    while ((s = control_next_session(rig->control, s))) {
        session_on_ready(s, OF_READ | OF_WRITE, rig->now);
    }
    return control_run(rig->control, rig->now);
}

static void
settle(struct rig *rig)
{
    for (unsigned int i = 0; i < 10000 && turn(rig) <= rig->now; i++) {
    }
}

static void
say(struct peer *peer, struct of_message *m)
{
    struct buf out = BUF_INIT;

    m->version = peer->protocol.version;
    m->xid = ++peer->xid;
    CHECK(!of_message_encode(&out, &peer->protocol, m));
    CHECK(write(peer->fd, out.data, out.len) == (ssize_t) out.len);
    buf_fini(&out);
}

static void
say_plain(struct peer *peer, enum of_type type)
{
    struct buf out = BUF_INIT;

    of_plain_encode(&out, &peer->protocol, type, ++peer->xid);
    CHECK(write(peer->fd, out.data, out.len) == (ssize_t) out.len);
    buf_fini(&out);
}

/* Reads what has come; false: nothing whole is there. */
static bool
hear(struct peer *peer, struct of_message *m)
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

/* Past everything else; false: none has come. */
static bool
hear_type(struct peer *peer, enum of_type type)
{
    struct of_message m;
    bool is_heard = false;

    while (!is_heard && hear(peer, &m)) {
        is_heard = m.type == type;
        if (m.type != N_OF_TYPES) {
            of_message_fini(&m);
        }
    }
    return is_heard;
}

static void
hear_error(struct peer *peer, enum of_error error)
{
    struct of_message m;

    settle(peer->rig);
    CHECK(hear(peer, &m));
    CHECK(m.type == OFT_ERROR && m.error.error == error);
    of_message_fini(&m);
}

static void
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
    say(peer, &hello);
    settle(rig);
    CHECK(session_is_open(peer->session));
    CHECK(hear_type(peer, OFT_HELLO));
}

static void
peer_fini(struct peer *peer)
{
    control_remove_session(peer->session);
    close(peer->fd);
    buf_fini(&peer->in);
}

static void
add_flows(struct rig *rig, uint32_t n)
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

static void
ask_for_flows(struct peer *peer, enum of_multipart_type type)
{
    struct of_message m = {
        .type = OFT_MULTIPART_REQUEST,
        .multipart = { .type = type, .table = OFPTT_ALL,
                       .out_port = OFPP_ANY, .out_group = OFPG_ANY },
    };

    match_init(&m.multipart.match);
    say(peer, &m);
}

TEST(a_list_of_many_holds_nobody_up)
{
    enum { N = 50000 };
    static const enum of_multipart_type types[] = { MP_FLOW, MP_AGGREGATE };
    struct rig rig;
    struct peer a, b;

    rig_init(&rig, FAIL_SECURE);
    add_flows(&rig, N);
    peer_init(&a, &rig, SESSION_TOOL, OF13, NULL);
    peer_init(&b, &rig, SESSION_TOOL, OF13, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct of_message m;
        unsigned int n_turns = 0, n_messages = 0;

        ask_for_flows(&a, types[i]);
        while (!n_messages) {
            say_plain(&b, OFT_BARRIER_REQUEST);
            turn(&rig);
            CHECK(hear_type(&b, OFT_BARRIER_REPLY));
            n_messages += hear(&a, &m);
            n_turns++;
        }
        CHECK(n_turns > 10);
        while (turn(&rig) <= rig.now || hear(&a, &m)) {
        }
        CHECK(!session_is_closed(a.session));
    }
    peer_fini(&a);
    peer_fini(&b);
    rig_fini(&rig);
}

TEST(who_does_not_read_has_its_list_wait)
{
    enum { N = 50000 };
    struct rig rig;
    struct peer a, b;
    struct session_info info;

    rig_init(&rig, FAIL_SECURE);
    add_flows(&rig, N);
    peer_init(&a, &rig, SESSION_TOOL, OF13, NULL);
    peer_init(&b, &rig, SESSION_TOOL, OF13, NULL);
    ask_for_flows(&a, MP_FLOW);
    settle(&rig);
    session_describe(a.session, &info);
    CHECK(info.backlog >= OF_CONN_OUT_LIMIT);
    CHECK(info.backlog < OF_CONN_OUT_LIMIT + 512 * 128);
    say_plain(&b, OFT_BARRIER_REQUEST);
    turn(&rig);
    CHECK(hear_type(&b, OFT_BARRIER_REPLY));
    peer_fini(&a);
    peer_fini(&b);
    rig_fini(&rig);
}

static void
ask_for_role(struct peer *peer, enum of_role_type role, uint64_t generation)
{
    struct of_message m = {
        .type = OFT_ROLE_REQUEST,
        .role = { .role = role, .has_generation = true,
                  .generation_id = generation },
    };

    say(peer, &m);
    settle(peer->rig);
}

static enum of_role_type
role_of(const struct peer *peer)
{
    struct session_info info;

    session_describe(peer->session, &info);
    return info.role;
}

TEST(an_auxiliary_connection_has_its_main_ones_role_and_end)
{
    struct rig rig;
    struct peer main, aux, other;

    rig_init(&rig, FAIL_SECURE);
    peer_init(&main, &rig, SESSION_CONTROLLER, OF13, NULL);
    CHECK(session_may_have_auxiliary(main.session));
    peer_init(&aux, &rig, SESSION_CONTROLLER, OF13, main.session);
    CHECK(!session_may_have_auxiliary(aux.session));
    peer_init(&other, &rig, SESSION_CONTROLLER, OF14, NULL);

    ask_for_role(&aux, ROLE_MASTER, 1);
    CHECK(role_of(&main) == ROLE_MASTER && role_of(&aux) == ROLE_MASTER);
    ask_for_role(&other, ROLE_MASTER, 2);
    CHECK(role_of(&main) == ROLE_SLAVE && role_of(&aux) == ROLE_SLAVE);
    CHECK(hear_type(&aux, OFT_ROLE_REPLY));
    say_plain(&aux, OFT_FEATURES_REQUEST);
    settle(&rig);
    CHECK(hear_type(&aux, OFT_FEATURES_REPLY));
    ask_for_role(&aux, ROLE_MASTER, 1);
    hear_error(&aux, OF_ROLE_REQUEST_FAILED_STALE);

    control_remove_session(main.session);
    close(main.fd);
    buf_fini(&main.in);
    CHECK(session_is_closed(aux.session));
    CHECK(!session_is_closed(other.session));
    peer_fini(&aux);
    peer_fini(&other);
    rig_fini(&rig);
}

static bool
count_flows(void *n, const struct flow_entry *e UNUSED)
{
    ++*(unsigned int *) n;
    return true;
}

static unsigned int
n_flows(const struct rig *rig)
{
    unsigned int n = 0;

    tables_visit(switch_tables(rig->sw), OFPTT_ALL, NULL, count_flows, &n);
    return n;
}

TEST(a_bridge_is_there_while_no_controller_is)
{
    struct rig rig;
    struct peer a, b, tool;

    rig_init(&rig, FAIL_STANDALONE);
    CHECK(n_flows(&rig) == 1);
    peer_init(&tool, &rig, SESSION_TOOL, OF13, NULL);
    CHECK(n_flows(&rig) == 1);
    peer_init(&a, &rig, SESSION_CONTROLLER, OF13, NULL);
    CHECK(n_flows(&rig) == 0);
    peer_init(&b, &rig, SESSION_CONTROLLER, OF10, NULL);
    peer_fini(&a);
    CHECK(n_flows(&rig) == 0);
    peer_fini(&b);
    CHECK(n_flows(&rig) == 1);
    control_set_fail_mode(rig.control, FAIL_SECURE, rig.now);
    CHECK(n_flows(&rig) == 0);
    control_set_fail_mode(rig.control, FAIL_STANDALONE, rig.now);
    CHECK(n_flows(&rig) == 1);
    peer_fini(&tool);
    rig_fini(&rig);
}

TEST(who_dies_in_a_bundle_changes_nothing)
{
    struct rig rig;
    struct peer peer;
    struct buf inner = BUF_INIT;
    struct of_message mod = { .type = OFT_FLOW_MOD, .version = OF14 };
    struct of_message add = {
        .type = OFT_BUNDLE_ADD, .bundle_add = { .id = 7 },
    };

    rig_init(&rig, FAIL_SECURE);
    peer_init(&peer, &rig, SESSION_CONTROLLER, OF14, NULL);
    flow_mod_init(&mod.flow_mod);
    flow_mod_seal(&mod.flow_mod);
    mod.xid = peer.xid + 1;
    CHECK(!of_message_encode(&inner, &peer.protocol, &mod));
    flow_mod_fini(&mod.flow_mod);
    add.bundle_add.message = (struct of_bytes) { inner.data, inner.len };
    say(&peer, &add);
    settle(&rig);
    CHECK(n_flows(&rig) == 0);
    peer_fini(&peer);
    CHECK(n_flows(&rig) == 0);
    buf_fini(&inner);
    rig_fini(&rig);
}

/* Puts a packet into a port's queue, as a worker would. */
static void
packet_comes(struct rig *rig, uint32_t port, uint8_t mark)
{
    uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
    struct packet pkt = {
        .data = frame, .buf = frame, .len = sizeof frame, .in_port = port,
        .buf_size = sizeof frame,
    };
    struct dp_action_controller action = {
        .max_len = OFPCML_NO_BUFFER, .reason = REASON_APPLY_ACTION,
    };
    const struct packet_in_extra nothing = { 0 };
    struct flow_key key;

    frame[14] = mark;
    flow_key_extract(&pkt, &key);
    packet_in_put(switch_packet_ins(rig->sw), &pkt, &key, &nothing, &action,
                  0);
}

TEST(a_flood_of_packets_waits_behind_requests_and_is_bounded)
{
    struct rig rig;
    struct peer deaf, other;
    struct control_counters counters;
    struct session_info info;
    struct of_message m = { .type = OFT_FLOW_MOD };

    rig_init(&rig, FAIL_SECURE);
    peer_init(&deaf, &rig, SESSION_CONTROLLER, OF13, NULL);
    peer_init(&other, &rig, SESSION_CONTROLLER, OF13, NULL);
    for (unsigned int i = 0; i < 5000; i++) {
        for (uint32_t port = 1; port <= 4; port++) {
            packet_comes(&rig, port, (uint8_t) i);
        }
        if (i % 50 == 0) {
            flow_mod_init(&m.flow_mod);
            m.flow_mod.priority = (uint16_t) i;
            flow_mod_seal(&m.flow_mod);
            say(&other, &m);
            flow_mod_fini(&m.flow_mod);
            say_plain(&other, OFT_BARRIER_REQUEST);
            turn(&rig);
            CHECK(hear_type(&other, OFT_BARRIER_REPLY));
            CHECK(n_flows(&rig) == i / 50 + 1);
        }
        turn(&rig);
    }
    session_describe(deaf.session, &info);
    CHECK(info.backlog < 128 * 1024);
    CHECK(info.counters.packet_ins_dropped > 5000);
    session_describe(other.session, &info);
    CHECK(info.counters.packet_ins > 5000);
    control_read_counters(rig.control, &counters);
    CHECK(counters.packet_ins_dropped >= 5000);
    peer_fini(&deaf);
    peer_fini(&other);
    rig_fini(&rig);
}

TESTS(
    RUN(a_list_of_many_holds_nobody_up),
    RUN(who_does_not_read_has_its_list_wait),
    RUN(an_auxiliary_connection_has_its_main_ones_role_and_end),
    RUN(a_bridge_is_there_while_no_controller_is),
    RUN(who_dies_in_a_bundle_changes_nothing),
    RUN(a_flood_of_packets_waits_behind_requests_and_is_bounded),
)
