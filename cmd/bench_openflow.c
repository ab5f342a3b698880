/* Any OpenFlow switch from outside, as a controller meets it.
 *
 *     weft-bench openflow METHOD flows [--entries=N] [--bundle=N] [--probes=N]
 *     weft-bench openflow METHOD packet-outs [--count=N] [--port=N]
 *     weft-bench openflow METHOD packet-ins [--ms=N]
 *     weft-bench openflow METHOD changes [--rate=N] [--ms=N]
 *
 *     --version=N     of the wire: 4 (1.3), 5 (1.4) or 6 (1.5); 4
 *
 * METHOD is tcp:HOST:PORT or unix:PATH (a switch's management socket).
 *
 *   flows        entries of five fields come one by one and are not waited
 *                for; in between, and when all are there, single ones are, with
 *                a barrier.  Then a list of all, and all go; then as many as
 *                asked for come in one bundle
 *   packet-outs  as fast as they are taken
 *   packet-ins   of packets that somebody else sends: counted
 *   changes      a new entry, and an old one away, at a steady rate
 *
 * Everything to be sent is encoded before the clock starts.  The switch's
 * entries are deleted, before and after. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "lib/clock.h"
#include "openflow/method.h"
#include "openflow/openflow.h"

enum {
    READ_SIZE = 1 << 20,
    PATIENCE = 120000,            /* msec without a word: the switch is lost */
    BLOCKS = 100,                 /* pauses while a table grows */
    KEPT = 1000,                  /* entries that `changes` leaves standing */
    /* On the wire alike in 1.3 to 1.5. */
    WIRE_ERROR = 1, WIRE_ECHO_REQUEST = 2, WIRE_ECHO_REPLY = 3,
    WIRE_PACKET_IN = 10, WIRE_MULTIPART_REPLY = 19, WIRE_BARRIER_REPLY = 21,
};

struct client {
    int fd;
    struct of_protocol protocol;
    struct buf in, out;
    uint32_t xid;
    /* What has come. */
    uint32_t barrier_xid;         /* the last barrier that was answered */
    bool has_hello, is_list_complete;
    uint64_t n_listed, n_packet_ins;
    size_t n_listed_bytes;
};

static uint16_t
get_u16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

static uint32_t
get_u32(const uint8_t *p)
{
    return (uint32_t) get_u16(p) << 16 | get_u16(p + 2);
}

/* ---- To and fro ---- */

static void
count_list(struct client *c, const uint8_t *msg, size_t len)
{
    for (size_t ofs = 16; ofs + 2 <= len; ) {
        uint16_t item = get_u16(msg + ofs);

        if (!item) {
            break;
        }
        c->n_listed++;
        ofs += item;
    }
    c->n_listed_bytes += len;
    c->is_list_complete = !(get_u16(msg + 10) & 1);
}

static int
take_message(struct client *c, const uint8_t *msg, size_t len)
{
    switch (msg[1]) {
    case 0:
        c->has_hello = true;
        return 0;
    case WIRE_ERROR:
        fprintf(stderr, "weft-bench: the switch refuses: type %u, code %u\n",
                len >= 12 ? get_u16(msg + 8) : 0,
                len >= 12 ? get_u16(msg + 10) : 0);
        return -EIO;
    case WIRE_ECHO_REQUEST:
        buf_put(&c->out, msg, len);
        c->out.data[c->out.len - len + 1] = WIRE_ECHO_REPLY;
        return 0;
    case WIRE_PACKET_IN:
        c->n_packet_ins++;
        return 0;
    case WIRE_MULTIPART_REPLY:
        if (len >= 16) {
            count_list(c, msg, len);
        }
        return 0;
    case WIRE_BARRIER_REPLY:
        c->barrier_xid = get_u32(msg + 4);
        return 0;
    default:
        return 0;
    }
}

static int
take_bytes(struct client *c)
{
    size_t used = c->in.len, at = 0;
    ssize_t n;
    int err = 0;

    buf_put_zeros(&c->in, READ_SIZE);
    n = read(c->fd, c->in.data + used, READ_SIZE);
    c->in.len = used + (n > 0 ? (size_t) n : 0);
    if (!n || (n < 0 && errno != EAGAIN)) {
        fputs("weft-bench: the switch closed the connection\n", stderr);
        return -EPIPE;
    }
    while (!err) {
        int len = of_frame_len(c->in.data + at, c->in.len - at);

        if (len <= 0 || (size_t) len > c->in.len - at) {
            err = len < 0 ? len : 0;
            break;
        }
        err = take_message(c, c->in.data + at, (size_t) len);
        at += (size_t) len;
    }
    buf_pull(&c->in, at);
    return err;
}

/* Sends, and takes what comes meanwhile; without bytes to send, waits for one
 * reading.  At most `timeout` msec of silence. */
static int
exchange(struct client *c, const uint8_t *data, size_t len, int timeout)
{
    do {
        struct pollfd pfd = { c->fd, POLLIN, 0 };
        int err;

        pfd.events = (short) (POLLIN | (len ? POLLOUT : 0));
        if (poll(&pfd, 1, timeout) <= 0) {
            return -ETIMEDOUT;
        }
        if (pfd.revents & POLLOUT) {
            ssize_t n = write(c->fd, data, len);

            if (n < 0 && errno != EAGAIN) {
                perror("weft-bench: write");
                return -errno;
            }
            data += MAX(n, 0);
            len -= (size_t) MAX(n, 0);
        }
        if (pfd.revents & (POLLIN | POLLHUP | POLLERR)) {
            err = take_bytes(c);
            if (err) {
                return err;
            }
        }
    } while (len);
    return 0;
}

static int
send_buf(struct client *c, struct buf *buf)
{
    int err = exchange(c, buf->data, buf->len, PATIENCE);

    buf_clear(buf);
    return err;
}

static int
send_out(struct client *c)
{
    return c->out.len ? send_buf(c, &c->out) : 0;
}

static int
encode(struct client *c, struct buf *buf, struct of_message *msg)
{
    msg->xid = ++c->xid;
    if (of_message_encode(buf, &c->protocol, msg)) {
        fprintf(stderr, "weft-bench: %s cannot be said in %s\n",
                of_type_name(msg->type),
                of_version_name(c->protocol.version));
        return -EOPNOTSUPP;
    }
    return 0;
}

/* Sends what is in c->out and a barrier, and waits for its reply. */
static int
barrier(struct client *c)
{
    uint32_t xid = ++c->xid;
    int err;

    of_plain_encode(&c->out, &c->protocol, OFT_BARRIER_REQUEST, xid);
    err = send_out(c);
    while (!err && c->barrier_xid != xid) {
        err = exchange(c, NULL, 0, PATIENCE);
        if (!err) {
            err = send_out(c);
        }
    }
    if (err == -ETIMEDOUT) {
        fputs("weft-bench: no answer to a barrier\n", stderr);
    }
    return err;
}

static int
greet(struct client *c)
{
    struct of_message hello = {
        .type = OFT_HELLO,
        .hello.versions = 1u << c->protocol.version,
    };
    int err = encode(c, &c->out, &hello);

    if (!err) {
        err = send_out(c);
    }
    while (!err && !c->has_hello) {
        err = exchange(c, NULL, 0, PATIENCE);
    }
    return err;
}

static int
client_open(struct client *c, const char *text, enum of_version version)
{
    struct of_method method;
    struct str error = STR_INIT;
    int err = of_method_parse(text, &method, &error);

    *c = (struct client) { .fd = -1, .protocol.version = version };
    if (!err && (method.is_passive || method.is_tls)) {
        str_setf(&error, "%s: neither passive nor TLS here", text);
        err = -EINVAL;
    }
    if (!err) {
        c->fd = of_method_open(&method);
        if (c->fd < 0) {
            err = c->fd;
            str_setf(&error, "%s: %s", text, strerror(-err));
        }
    }
    if (err) {
        fprintf(stderr, "weft-bench: %s\n", str_text(&error));
    }
    str_fini(&error);
    return err ? err : greet(c);
}

static void
client_close(struct client *c)
{
    buf_fini(&c->in);
    buf_fini(&c->out);
    if (c->fd >= 0) {
        close(c->fd);
    }
}

/* ---- Entries ---- */

/* One entry, number `i`. */
static int
encode_flow(struct client *c, struct buf *buf, enum flow_mod_command command,
            uint64_t i)
{
    struct of_message msg = { .type = OFT_FLOW_MOD };
    struct flow_mod *fm = &msg.flow_mod;
    int err;

    flow_mod_init(fm);
    bench_make_5tuple(fm, i);
    fm->command = command;
    if (command == FLOW_MOD_ADD) {
        actions_add_output(&fm->storage[0], 2);
    }
    flow_mod_seal(fm);
    err = encode(c, buf, &msg);
    flow_mod_fini(fm);
    return err;
}

static int
delete_all(struct client *c)
{
    struct of_message msg = { .type = OFT_FLOW_MOD };
    int err;

    flow_mod_init(&msg.flow_mod);
    msg.flow_mod.command = FLOW_MOD_DELETE;
    msg.flow_mod.table = OFPTT_ALL;
    flow_mod_seal(&msg.flow_mod);
    err = encode(c, &c->out, &msg);
    flow_mod_fini(&msg.flow_mod);
    return err ? err : barrier(c);
}

struct probes {
    double *us;                   /* of a flow-mod and its barrier */
    unsigned int n;
};

static int
probe(struct client *c, struct probes *probes, unsigned int n, uint64_t *next)
{
    int err = 0;

    for (unsigned int i = 0; i < n && !err; i++) {
        nsec start;

        err = encode_flow(c, &c->out, FLOW_MOD_ADD, (*next)++);
        start = clock_nsec();
        err = err ? err : barrier(c);
        probes->us[probes->n++] = (double) (clock_nsec() - start) / 1e3;
    }
    return err;
}

static void
print_probes(const char *what, struct probes *probes)
{
    double median;

    if (!probes->n) {
        return;
    }
    median = bench_median(probes->us, probes->n);
    printf("RESULT openflow %s p50_us=%.1f p99_us=%.1f max_us=%.1f\n", what,
           median, bench_percentile(probes->us, probes->n, 0.99),
           probes->us[probes->n - 1]);
    probes->n = 0;
}

/* `*seconds` adds up the time from the first to the answer after the last. */
static int
add_block(struct client *c, uint64_t *next, uint64_t n, double *seconds)
{
    struct buf block = BUF_INIT;
    nsec start;
    int err = 0;

    for (uint64_t i = 0; i < n && !err; i++) {
        err = encode_flow(c, &block, FLOW_MOD_ADD, (*next)++);
    }
    start = clock_nsec();
    err = err ? err : send_buf(c, &block);
    err = err ? err : barrier(c);
    *seconds += (double) (clock_nsec() - start) / 1e9;
    buf_fini(&block);
    return err;
}

static int
add_one_by_one(struct client *c, uint64_t n, unsigned int n_probes)
{
    struct probes probes = { xcalloc(n_probes + 1, sizeof(double)), 0 };
    uint64_t next = 0, n_added = 0;
    double seconds = 0;
    int err = 0;

    for (unsigned int i = 0; i < BLOCKS && !err; i++) {
        uint64_t goal = n * (i + 1) / BLOCKS;

        err = add_block(c, &next, goal - n_added, &seconds);
        n_added = goal;
        if (!err) {
            err = probe(c, &probes, n_probes / BLOCKS, &next);
        }
    }
    if (!err) {
        printf("RESULT openflow one-by-one per_second=%.0f\n",
               (double) n / seconds);
        print_probes("barrier-while-growing", &probes);
        err = probe(c, &probes, n_probes, &next);
        print_probes("barrier-when-full", &probes);
    }
    fflush(stdout);
    free(probes.us);
    return err;
}

static int
list_all(struct client *c)
{
    struct of_message msg = {
        .type = OFT_MULTIPART_REQUEST,
        .multipart = { .type = MP_FLOW, .table = OFPTT_ALL,
                       .out_port = OFPP_ANY, .out_group = OFPG_ANY },
    };
    nsec start = clock_nsec();
    int err = encode(c, &c->out, &msg);

    c->is_list_complete = false;
    c->n_listed = c->n_listed_bytes = 0;
    err = err ? err : send_out(c);
    while (!err && !c->is_list_complete) {
        err = exchange(c, NULL, 0, PATIENCE);
        err = err ? err : send_out(c);
    }
    if (!err) {
        printf("RESULT openflow list entries=%llu seconds=%.3f MB=%.1f\n",
               (unsigned long long) c->n_listed,
               (double) (clock_nsec() - start) / 1e9,
               (double) c->n_listed_bytes / 1e6);
    }
    return err;
}

static int
encode_bundle_control(struct client *c, uint16_t type)
{
    struct of_message msg = {
        .type = OFT_BUNDLE_CONTROL,
        .bundle_control = { .id = 1, .type = type, .flags = BUNDLE_ATOMIC },
    };

    return encode(c, &c->out, &msg);
}

static int
add_bundle(struct client *c, uint64_t n)
{
    struct buf all = BUF_INIT, one = BUF_INIT;
    nsec start;
    int err = 0;

    for (uint64_t i = 0; i < n && !err; i++) {
        struct of_message msg = {
            .type = OFT_BUNDLE_ADD,
            .bundle_add = { .id = 1, .flags = BUNDLE_ATOMIC },
        };

        buf_clear(&one);
        err = encode_flow(c, &one, FLOW_MOD_ADD, i);
        msg.bundle_add.message = (struct of_bytes) { one.data, one.len };
        c->xid--;                 /* the two have the same */
        err = err ? err : encode(c, &all, &msg);
    }
    start = clock_nsec();
    err = err ? err : encode_bundle_control(c, BUNDLE_OPEN_REQUEST);
    err = err ? err : send_out(c);
    err = err ? err : send_buf(c, &all);
    err = err ? err : encode_bundle_control(c, BUNDLE_COMMIT_REQUEST);
    err = err ? err : barrier(c);
    if (!err) {
        printf("RESULT openflow bundle per_second=%.0f\n",
               (double) n * 1e9 / (double) (clock_nsec() - start));
    }
    buf_fini(&all);
    buf_fini(&one);
    return err;
}

static int
measure_flows(struct client *c, int argc, char **argv)
{
    long n = bench_option(argc, argv, "entries", 100000);
    long n_bundle = bench_option(argc, argv, "bundle", 100000);
    long n_probes = bench_option(argc, argv, "probes", 1000);
    nsec start;
    int err = delete_all(c);

    err = err ? err : add_one_by_one(c, (uint64_t) n, (unsigned int) n_probes);
    err = err ? err : list_all(c);
    start = clock_nsec();
    err = err ? err : delete_all(c);
    if (!err) {
        printf("RESULT openflow delete-all seconds=%.3f\n",
               (double) (clock_nsec() - start) / 1e9);
    }
    err = err ? err : add_bundle(c, (uint64_t) n_bundle);
    return err ? err : delete_all(c);
}

/* A new entry and the oldest one away, in steps of a millisecond. */
static int
measure_changes(struct client *c, int argc, char **argv)
{
    long rate = bench_option(argc, argv, "rate", 10000);
    long ms = bench_option(argc, argv, "ms", 2000);
    uint64_t n = (uint64_t) rate * (uint64_t) ms / 1000, sent = 0;
    nsec start = clock_nsec(), took;
    int err = 0;

    while (sent < n && !err) {
        uint64_t due = (uint64_t) (clock_nsec() - start) * (uint64_t) rate
                       / 1000000000;

        for (; sent < MIN(due, n) && !err; sent++) {
            uint64_t i = sent / 2;

            err = sent % 2 == 0 ? encode_flow(c, &c->out, FLOW_MOD_ADD, i)
                  : i < KEPT ? 0
                  : encode_flow(c, &c->out, FLOW_MOD_DELETE_STRICT, i - KEPT);
        }
        err = err ? err : send_out(c);
        if (!err && exchange(c, NULL, 0, 1) == -EPIPE) {
            err = -EPIPE;
        }
    }
    err = err ? err : barrier(c);
    took = clock_nsec() - start;
    if (!err) {
        printf("RESULT openflow changes per_second=%.0f\n",
               (double) n * 1e9 / (double) took);
    }
    return err;
}

/* ---- Packets ---- */

static int
measure_packet_outs(struct client *c, int argc, char **argv)
{
    static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1,
                                       0x08, 0x00 };
    long n = bench_option(argc, argv, "count", 200000);
    long port = bench_option(argc, argv, "port", 2);
    struct of_message msg = {
        .type = OFT_PACKET_OUT,
        .packet_out = {
            .buffer_id = OF_NO_BUFFER, .in_port = OFPP_CONTROLLER,
            .data = { frame, sizeof frame },
        },
    };
    struct buf all = BUF_INIT;
    nsec start;
    int err = 0;

    actions_add_output(&msg.packet_out.actions, (uint32_t) port);
    for (long i = 0; i < n && !err; i++) {
        err = encode(c, &all, &msg);
    }
    actions_fini(&msg.packet_out.actions);
    start = clock_nsec();
    err = err ? err : send_buf(c, &all);
    err = err ? err : barrier(c);
    if (!err) {
        printf("RESULT openflow packet-outs per_second=%.0f\n",
               (double) n * 1e9 / (double) (clock_nsec() - start));
    }
    buf_fini(&all);
    return err;
}

static int
measure_packet_ins(struct client *c, int argc, char **argv)
{
    nsec end, start;
    struct of_message msg = {
        .type = OFT_SET_CONFIG, .config.miss_send_len = 128,
    };
    int err = encode(c, &c->out, &msg);

    err = err ? err : barrier(c);
    if (err) {
        return err;
    }
    puts("ready");
    fflush(stdout);
    start = clock_nsec();
    end = start + bench_option(argc, argv, "ms", 2000) * 1000000;
    while (!err && clock_nsec() < end) {
        err = exchange(c, NULL, 0, 100);
        err = err == -ETIMEDOUT ? 0 : err;
        err = err ? err : send_out(c);
    }
    printf("RESULT openflow packet-ins per_second=%.0f\n",
           (double) c->n_packet_ins * 1e9 / (double) (clock_nsec() - start));
    return err;
}

static const struct {
    const char *name;
    int (*run)(struct client *, int argc, char **argv);
} measurements[] = {
    { "flows", measure_flows },
    { "changes", measure_changes },
    { "packet-outs", measure_packet_outs },
    { "packet-ins", measure_packet_ins },
};

int
bench_openflow(int argc, char **argv)
{
    long version = bench_option(argc, argv, "version", OF13);
    struct client client;
    int err = -EINVAL;

    if (argc < 3 || version < OF13 || version > OF15) {
        fputs("usage: weft-bench openflow METHOD flows|changes|packet-outs|"
              "packet-ins [--version=4|5|6] ...\n", stderr);
        return 2;
    }
    if (!client_open(&client, argv[1], (enum of_version) version)) {
        for (size_t i = 0; i < ARRAY_SIZE(measurements); i++) {
            if (!strcmp(argv[2], measurements[i].name)) {
                err = measurements[i].run(&client, argc, argv);
            }
        }
        if (err == -EINVAL) {
            fprintf(stderr, "weft-bench openflow: there is no '%s'\n",
                    argv[2]);
        }
    }
    client_close(&client);
    return err ? 1 : 0;
}
