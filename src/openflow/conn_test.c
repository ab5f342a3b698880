#include "openflow/conn.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/str.h"
#include "unit.h"

/* A connection and the other end of its stream. */
struct rig {
    struct of_conn *conn;
    int peer;
    msec now;
    unsigned int n_watched;
};

static void
count_watched(void *rig_, bool is_sent UNUSED, const void *message,
              size_t len)
{
    struct rig *rig = rig_;

    CHECK((size_t) of_frame_len(message, len) == len);
    rig->n_watched++;
}

static void
rig_init(struct rig *rig, uint32_t versions, msec probe_interval)
{
    struct of_conn_config config = {
        .versions = versions, .probe_interval = probe_interval,
        .watch = count_watched, .aux = rig,
    };
    int fds[2];

    memset(rig, 0, sizeof *rig);
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    rig->now = 1000;
    rig->peer = fds[1];
    rig->conn = of_conn_create(fds[0], &config, rig->now);
}

static void
rig_fini(struct rig *rig)
{
    of_conn_destroy(rig->conn);
    close(rig->peer);
}

static void
say(struct rig *rig, const void *bytes, size_t len)
{
    CHECK(write(rig->peer, bytes, len) == (ssize_t) len);
    of_conn_on_ready(rig->conn, OF_READ, rig->now);
}

static void
say_hello(struct rig *rig, uint8_t version)
{
    const uint8_t hello[] = { version, 0, 0, 8, 0, 0, 0, 1 };
    size_t len;

    say(rig, hello, sizeof hello);
    CHECK(!of_conn_next(rig->conn, &len));
}

/* The type of the next message at the peer, -1 when there is none. */
static int
hear(struct rig *rig)
{
    uint8_t header[8], rest[256];
    size_t len;

    of_conn_flush(rig->conn);
    if (read(rig->peer, header, 8) != 8) {
        return -1;
    }
    len = (size_t) (header[2] << 8 | header[3]) - 8;
    CHECK(len <= sizeof rest);
    CHECK(read(rig->peer, rest, len) == (ssize_t) len);
    return header[1];
}

TEST(the_highest_version_in_common_is_spoken)
{
    static const struct { uint8_t peer, agreed; } cases[] = {
        { 1, 1 }, { 4, 4 }, { 5, 5 }, { 6, 6 }, { 9, 6 },
    };
    struct rig rig;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        rig_init(&rig, 0, 0);
        CHECK(hear(&rig) == 0);
        CHECK(of_conn_state(rig.conn) == OF_CONN_HELLO);
        say_hello(&rig, cases[i].peer);
        CHECK(of_conn_state(rig.conn) == OF_CONN_OPEN);
        CHECK(of_conn_protocol(rig.conn)->version == cases[i].agreed);
        rig_fini(&rig);
    }
}

TEST(without_a_version_in_common_there_is_an_error_and_an_end)
{
    struct rig rig;

    rig_init(&rig, 1u << OF13, 0);
    CHECK(hear(&rig) == 0);
    say_hello(&rig, 1);
    CHECK(of_conn_state(rig.conn) == OF_CONN_CLOSED);
    CHECK(hear(&rig) == 1);
    rig_fini(&rig);
}

TEST(a_message_arrives_whole_however_it_is_cut)
{
    const uint8_t barrier[] = { 4, 20, 0, 8, 0, 0, 0, 7 };
    struct rig rig;
    size_t len;

    rig_init(&rig, 0, 0);
    say_hello(&rig, 4);
    for (size_t cut = 0; cut < sizeof barrier; cut++) {
        const uint8_t *message;

        say(&rig, barrier, cut);
        CHECK(!of_conn_next(rig.conn, &len));
        say(&rig, barrier + cut, sizeof barrier - cut);
        message = of_conn_next(rig.conn, &len);
        CHECK(message && len == sizeof barrier
              && !memcmp(message, barrier, len));
        CHECK(!of_conn_next(rig.conn, &len));
    }
    rig_fini(&rig);
}

TEST(echoes_are_answered_and_other_versions_refused)
{
    const uint8_t echo[] = { 4, 2, 0, 12, 0, 0, 0, 9, 'w', 'e', 'f', 't' };
    const uint8_t other[] = { 1, 5, 0, 8, 0, 0, 0, 9 };
    struct rig rig;
    size_t len;

    rig_init(&rig, 0, 0);
    CHECK(hear(&rig) == 0);
    say_hello(&rig, 4);
    say(&rig, echo, sizeof echo);
    CHECK(!of_conn_next(rig.conn, &len));
    CHECK(hear(&rig) == 3);
    say(&rig, other, sizeof other);
    CHECK(!of_conn_next(rig.conn, &len));
    CHECK(hear(&rig) == 1);
    CHECK(of_conn_state(rig.conn) == OF_CONN_OPEN);
    /* Each of the hellos, the echoes, the odd request and its error. */
    CHECK(rig.n_watched == 6);
    rig_fini(&rig);
}

TEST(what_is_not_openflow_ends_the_connection)
{
    static const uint8_t garbage[][8] = {
        { 'G', 'E', 'T', ' ', '/', ' ', 'H', 'T' },
        { 0, 0, 0, 8, 0, 0, 0, 1 },
        { 4, 0, 0, 7, 0, 0, 0, 1 },
    };
    struct rig rig;
    size_t len;

    /* The first is a long message that never ends: time ends it. */
    for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
        rig_init(&rig, 0, 0);
        say(&rig, garbage[i], sizeof garbage[i]);
        CHECK(!of_conn_next(rig.conn, &len));
        of_conn_tick(rig.conn, rig.now + OF_CONN_HELLO_TIMEOUT);
        CHECK(of_conn_state(rig.conn) == OF_CONN_CLOSED);
        CHECK(*of_conn_reason(rig.conn));
        rig_fini(&rig);
    }
    /* Behind good messages as well. */
    rig_init(&rig, 0, 0);
    say_hello(&rig, 4);
    say(&rig, garbage[2], sizeof garbage[2]);
    CHECK(!of_conn_next(rig.conn, &len));
    CHECK(of_conn_state(rig.conn) == OF_CONN_CLOSED);
    rig_fini(&rig);
}

TEST(messages_of_one_turn_go_together)
{
    struct rig rig;
    uint8_t bytes[64];

    rig_init(&rig, 0, 0);
    CHECK(hear(&rig) == 0);
    say_hello(&rig, 4);
    for (unsigned int i = 0; i < 2; i++) {
        of_plain_encode(of_conn_begin_send(rig.conn),
                        of_conn_protocol(rig.conn), OFT_BARRIER_REPLY, i);
        of_conn_end_send(rig.conn);
        CHECK(read(rig.peer, bytes, sizeof bytes) == -1 && errno == EAGAIN);
    }
    of_conn_flush(rig.conn);
    CHECK(read(rig.peer, bytes, sizeof bytes) == 16);
    /* A peer that is told why, is told before the end. */
    of_plain_encode(of_conn_begin_send(rig.conn),
                    of_conn_protocol(rig.conn), OFT_BARRIER_REPLY, 3);
    of_conn_end_send(rig.conn);
    of_conn_close(rig.conn, "enough");
    CHECK(read(rig.peer, bytes, sizeof bytes) == 8);
    rig_fini(&rig);
}

TEST(silence_is_probed_and_then_ends_it)
{
    const uint8_t answer[] = { 4, 3, 0, 8, 0, 0, 0, 0 };
    struct rig rig;
    size_t len;

    rig_init(&rig, 0, 5000);
    CHECK(hear(&rig) == 0);
    say_hello(&rig, 4);
    CHECK(of_conn_tick(rig.conn, 1000) == 6000);
    CHECK(hear(&rig) == -1);
    CHECK(of_conn_tick(rig.conn, 6000) == 11000);
    CHECK(hear(&rig) == 2);
    rig.now = 7000;
    say(&rig, answer, sizeof answer);
    CHECK(!of_conn_next(rig.conn, &len));
    CHECK(of_conn_tick(rig.conn, 11000) == 12000);
    of_conn_tick(rig.conn, 12000);
    CHECK(of_conn_state(rig.conn) == OF_CONN_OPEN);
    of_conn_tick(rig.conn, 17000);
    CHECK(of_conn_state(rig.conn) == OF_CONN_CLOSED);
    rig_fini(&rig);
}

/* A peer that asks and does not read the answers is not listened to any more,
 * and heard again when it has read. */
TEST(a_peer_that_does_not_read_waits)
{
    static uint8_t echo[60000] = { 4, 2, 60000 >> 8, 60000 & 255 };
    uint8_t sink[65536];
    struct rig rig;
    size_t len;
    unsigned int n_asked = 0;

    rig_init(&rig, 0, 0);
    say_hello(&rig, 4);
    for (unsigned int i = 0; i < 100; i++) {
        if (write(rig.peer, echo, sizeof echo) != (ssize_t) sizeof echo) {
            break;
        }
        n_asked++;
        for (unsigned int k = 0; k < 4; k++) {
            of_conn_on_ready(rig.conn, OF_READ, rig.now);
            CHECK(!of_conn_next(rig.conn, &len));
        }
    }
    CHECK(n_asked > 2 && n_asked < 100);
    CHECK(!(of_conn_wants(rig.conn) & OF_READ));
    CHECK(of_conn_wants(rig.conn) & OF_WRITE);
    CHECK(of_conn_backlog(rig.conn) < OF_CONN_OUT_LIMIT + sizeof echo);
    CHECK(of_conn_tick(rig.conn, rig.now) == INT64_MAX);

    for (unsigned int i = 0; i < 1000; i++) {
        while (read(rig.peer, sink, sizeof sink) > 0) {
        }
        of_conn_on_ready(rig.conn, OF_READ | OF_WRITE, rig.now);
        CHECK(!of_conn_next(rig.conn, &len));
    }
    CHECK(!of_conn_backlog(rig.conn));
    CHECK(of_conn_state(rig.conn) == OF_CONN_OPEN);
    rig_fini(&rig);
}

TEST(a_peer_that_goes_is_noticed)
{
    struct rig rig;

    rig_init(&rig, 0, 0);
    say_hello(&rig, 4);
    close(rig.peer);
    rig.peer = open("/dev/null", O_RDONLY);
    of_conn_on_ready(rig.conn, OF_READ, rig.now);
    CHECK(of_conn_state(rig.conn) == OF_CONN_CLOSED);
    rig_fini(&rig);
}

TESTS(
    RUN(the_highest_version_in_common_is_spoken),
    RUN(without_a_version_in_common_there_is_an_error_and_an_end),
    RUN(a_message_arrives_whole_however_it_is_cut),
    RUN(echoes_are_answered_and_other_versions_refused),
    RUN(what_is_not_openflow_ends_the_connection),
    RUN(messages_of_one_turn_go_together),
    RUN(silence_is_probed_and_then_ends_it),
    RUN(a_peer_that_does_not_read_waits),
    RUN(a_peer_that_goes_is_noticed),
)
