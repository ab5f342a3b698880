#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "frames.h"
#include "lib/clock.h"
#include "port/pcap_file.h"
#include "port/port.h"
#include "unit.h"

/* A directory of its own for each test. */
struct dir {
    char path[32];
    struct packet_pool *pool;
    struct str error;
};

static struct dir
dir_create(void)
{
    struct dir dir = { .path = "/tmp/pcap_test.XXXXXX" };

    CHECK(mkdtemp(dir.path));
    dir.pool = packet_pool_create(128, 4);
    return dir;
}

static void
dir_destroy(struct dir *dir)
{
    static const char *const names[] = { "a.pcap", "b.pcap" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char path[64];

        snprintf(path, sizeof path, "%s/%s", dir->path, names[i]);
        unlink(path);
    }
    CHECK(!rmdir(dir->path));
    CHECK(!packet_pool_in_use(dir->pool));
    packet_pool_destroy(dir->pool);
    str_fini(&dir->error);
}

/* "in" and "out" in the text get the directory in front of their value. */
static int
try_port(struct dir *dir, const char *text, struct port **port)
{
    struct port_config config;

    CHECK(!port_config_parse(text, &config, &dir->error));
    for (unsigned int i = 0; i < config.n_options; i++) {
        struct port_option *option = &config.options[i];
        char value[128];

        if (!strcmp(option->key, "in") || !strcmp(option->key, "out")) {
            snprintf(value, sizeof value, "%s/%.64s", dir->path,
                     option->value);
            strcpy(option->value, value);
        }
    }
    return port_create(&config, 3, NULL, port, &dir->error);
}

static struct port *
make_port(struct dir *dir, const char *text)
{
    struct port *port;

    CHECK_MSG(!try_port(dir, text, &port), "%s", str_text(&dir->error));
    return port;
}

/* Sends `n` random frames by the port and returns how many bytes they had. */
static size_t
send_frames(struct dir *dir, struct port *port, unsigned int n, uint64_t seed)
{
    struct rng rng = { seed };
    size_t n_bytes = 0;

    while (n) {
        struct batch batch = { 0 };

        for (; n && !batch_is_full(&batch); n--) {
            struct frame_spec spec = frame_random_spec(&rng);
            struct packet *pkt = packet_alloc(dir->pool, 1500);

            pkt->len = (uint32_t) frame_build(pkt->data, &spec, &rng);
            n_bytes += pkt->len;
            batch_add(&batch, pkt);
        }
        port_tx(port, 0, &batch, false);
    }
    return n_bytes;
}

/* Receives until the file is at its end; checks against send_frames(). */
static unsigned int
receive_frames(struct dir *dir, struct port *port, uint64_t seed)
{
    struct rng rng = { seed };
    unsigned int n = 0;

    while (port->class->next_rx(port, 0) != INT64_MAX) {
        struct batch batch = { 0 };

        CHECK(port_rx(port, 0, dir->pool, &batch) >= 0);
        for (unsigned int i = 0; i < batch.n; i++) {
            struct frame_spec spec = frame_random_spec(&rng);
            uint8_t frame[1500];
            size_t len = frame_build(frame, &spec, &rng);

            CHECK(batch.pkts[i]->len == len);
            CHECK(batch.pkts[i]->in_port == 3);
            CHECK(!memcmp(batch.pkts[i]->data, frame, len));
            n++;
        }
        batch_free_all(&batch);
    }
    return n;
}

TEST(what_was_recorded_is_replayed)
{
    struct dir dir = dir_create();
    struct port *out = make_port(&dir, "p=pcap:out=a.pcap"), *in;
    struct batch batch = { 0 };

    CHECK(!(out->features & PORT_F_CSUM));
    send_frames(&dir, out, 100, 7);
    CHECK(port_rx(out, 0, dir.pool, &batch) == 0);

    /* Already there while the recording goes on. */
    in = make_port(&dir, "q=pcap:in=a.pcap");
    CHECK(receive_frames(&dir, in, 7) == 100);
    CHECK(in->counters.rx_packets == 100);
    port_destroy(in);
    port_destroy(out);
    dir_destroy(&dir);
}

TEST(a_file_is_replayed_in_a_loop)
{
    struct dir dir = dir_create();
    struct port *out = make_port(&dir, "p=pcap:out=a.pcap"), *in;
    struct batch batch = { 0 };

    send_frames(&dir, out, 10, 7);
    port_destroy(out);
    in = make_port(&dir, "q=pcap:in=a.pcap,loop=yes");
    for (int i = 0; i < 5; i++) {
        CHECK(in->class->next_rx(in, 0) <= 1);
        CHECK(port_rx(in, 0, dir.pool, &batch) == BATCH_MAX);
        CHECK(batch.pkts[0]->len == batch.pkts[30]->len);
        batch_free_all(&batch);
    }
    port_destroy(in);
    dir_destroy(&dir);
}

TEST(a_rate_is_kept)
{
    struct dir dir = dir_create();
    struct port *out = make_port(&dir, "p=pcap:out=a.pcap"), *in;
    usec begin = clock_usec();

    send_frames(&dir, out, 41, 7);
    port_destroy(out);
    in = make_port(&dir, "q=pcap:in=a.pcap,rate=1000");
    CHECK(receive_frames(&dir, in, 7) == 41);
    CHECK(clock_usec() - begin >= 40000);
    port_destroy(in);
    dir_destroy(&dir);
}

/* A file in the classic format, its header in this machine's byte order. */
static void
write_file(const struct dir *dir, const void *bytes, size_t len)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "%s/a.pcap", dir->path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, bytes, len) == (ssize_t) len);
    close(fd);
}

static void
header_init(uint32_t *w, uint32_t link_type)
{
    const uint32_t header[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535,
                                 link_type };

    memcpy(w, header, sizeof header);
}

TEST(the_gaps_of_a_file_are_kept)
{
    struct dir dir = dir_create();
    uint32_t w[6 + 3 * 8] = { 0 };
    static const uint32_t usecs[] = { 900000, 920000, 910000 };
    struct batch batch = { 0 };
    struct port *in;
    usec begin;

    header_init(w, 1);
    for (int i = 0; i < 3; i++) {
        w[6 + 8 * i] = 5;
        w[7 + 8 * i] = usecs[i];
        w[8 + 8 * i] = w[9 + 8 * i] = 16;
    }
    write_file(&dir, w, sizeof w);
    in = make_port(&dir, "q=pcap:in=a.pcap,timing=yes");
    begin = clock_usec();
    CHECK(port_rx(in, 0, dir.pool, &batch) == 1);
    CHECK(in->class->next_rx(in, 0) >= begin + 20000);
    CHECK(in->class->next_rx(in, 0) < begin + 5000000);
    while (clock_usec() < in->class->next_rx(in, 0)) {
        poll(NULL, 0, 1);
    }
    /* The third is older than the second: it comes at once. */
    CHECK(port_rx(in, 0, dir.pool, &batch) == 2);
    batch_free_all(&batch);
    port_destroy(in);
    dir_destroy(&dir);
}

TEST(a_corrupt_file_is_named_with_the_reason)
{
    struct dir dir = dir_create();
    uint32_t w[6 + 4 + 4] = { 0 };
    struct port *port = NULL;

    CHECK(try_port(&dir, "p=pcap:in=a.pcap", &port) == -ENOENT);
    CHECK(strstr(str_text(&dir.error), "a.pcap: No such file"));

    write_file(&dir, "not a capture file at all", 25);
    CHECK(try_port(&dir, "p=pcap:in=a.pcap", &port) == -EBADMSG);
    CHECK(strstr(str_text(&dir.error), "a.pcap is no capture file: "));

    write_file(&dir, w, 0);
    CHECK(try_port(&dir, "p=pcap:in=a.pcap", &port) == -EBADMSG);

    header_init(w, 113);
    write_file(&dir, w, sizeof w);
    CHECK(try_port(&dir, "p=pcap:in=a.pcap", &port) == -EPROTONOSUPPORT);
    CHECK(strstr(str_text(&dir.error), "LINUX_SLL, not of Ethernet"));

    header_init(w, 1);
    w[8] = w[9] = 16;
    write_file(&dir, w, sizeof w - 1);
    CHECK(try_port(&dir, "p=pcap:in=a.pcap", &port) == -EBADMSG);
    CHECK(strstr(str_text(&dir.error), "is corrupt after 0 frames: "));

    w[8] = w[9] = 0x7fffffff;
    write_file(&dir, w, sizeof w);
    CHECK(try_port(&dir, "p=pcap:in=a.pcap", &port) == -EBADMSG);
    CHECK(!port);
    dir_destroy(&dir);
}

TEST(frames_that_are_not_whole_are_skipped)
{
    struct dir dir = dir_create();
    uint32_t w[6 + 3 * 8] = { 0 };
    struct str text = STR_INIT;
    struct batch batch = { 0 };
    struct port *in;

    header_init(w, 1);
    w[8] = 16;
    w[9] = 1000;                  /* cut short by the capture */
    w[16] = 16;
    w[17] = 16;
    w[24] = w[25] = 13;           /* shorter than Ethernet */
    write_file(&dir, w, 24 + 2 * 32 + 16 + 13);
    in = make_port(&dir, "q=pcap:in=a.pcap");
    CHECK(port_rx(in, 0, dir.pool, &batch) == 1);
    CHECK(port_rx(in, 0, dir.pool, &batch) == 0);
    in->class->describe(in, &text);
    CHECK(!strcmp(str_text(&text), ", frames 1, skipped 2"));
    batch_free_all(&batch);
    str_fini(&text);
    port_destroy(in);
    dir_destroy(&dir);
}

TEST(a_snaplen_cuts_what_is_recorded)
{
    struct dir dir = dir_create();
    struct port *out = make_port(&dir, "p=pcap:out=a.pcap,snaplen=64,"
                                       "offload=yes"), *in;
    char path[64];
    struct pcap_file file;
    size_t n_bytes;
    FILE *stream;

    CHECK(out->features & PORT_F_TSO4);
    CHECK(out->features & PORT_F_TX_BORROWS);
    n_bytes = send_frames(&dir, out, 30, 9);
    CHECK(n_bytes > 30 * 64);
    port_destroy(out);
    snprintf(path, sizeof path, "%s/a.pcap", dir.path);
    stream = fopen(path, "r");
    CHECK(!fseek(stream, 0, SEEK_END));
    CHECK(ftell(stream) <= 24 + 30 * (16 + 64));
    rewind(stream);
    CHECK(!pcap_file_load(stream, &file, NULL));
    CHECK(file.n_frames + file.n_skipped == 30 && file.n_skipped > 0);
    pcap_file_fini(&file);
    in = make_port(&dir, "q=pcap:in=a.pcap,out=b.pcap");
    port_destroy(in);
    dir_destroy(&dir);
}

TEST(a_disk_that_is_full_from_the_start_is_an_error)
{
    struct dir dir = dir_create();
    struct port_config config;
    struct port *port = NULL;

    if (access("/dev/full", W_OK)) {
        skip();
    }
    CHECK(!port_config_parse("p=pcap:out=/dev/full", &config, NULL));
    CHECK(port_create(&config, 1, NULL, &port, &dir.error) == -ENOSPC);
    CHECK(!port && strstr(str_text(&dir.error), "/dev/full: No space"));
    dir_destroy(&dir);
}

TEST(a_disk_that_fills_up_stops_the_recording)
{
    struct dir dir = dir_create();
    struct port *port = make_port(&dir, "p=pcap:out=a.pcap");
    struct rlimit was, limit;
    struct str text = STR_INIT;

    send_frames(&dir, port, 32, 1);
    CHECK(port->counters.tx_packets == 32);
    signal(SIGXFSZ, SIG_IGN);
    CHECK(!getrlimit(RLIMIT_FSIZE, &was));
    limit = was;
    limit.rlim_cur = 100;
    CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
    send_frames(&dir, port, 40, 1);
    CHECK(!setrlimit(RLIMIT_FSIZE, &was));
    CHECK(port->counters.tx_dropped == 40 && port->counters.tx_refused == 40);
    CHECK(port->counters.tx_packets == 32);
    port->class->describe(port, &text);
    CHECK(strstr(str_text(&text), "recording failed"));
    port_destroy(port);
    str_fini(&text);
    dir_destroy(&dir);
}

TEST(bad_options_are_refused_with_a_reason)
{
    static const char *const rows[][2] = {
        { "p=pcap:", "needs in=FILE or out=FILE" },
        { "p=pcap:in=a.pcap,rate=0", "rate=0" },
        { "p=pcap:in=a.pcap,rate=5,timing=yes", "exclude each other" },
        { "p=pcap:out=a.pcap,snaplen=13", "snaplen=13" },
        { "p=pcap:in=a.pcap,loop=2", "loop=2 is not yes or no" },
    };
    struct dir dir = dir_create();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct port *port = NULL;

        CHECK(try_port(&dir, rows[i][0], &port) == -EINVAL && !port);
        CHECK_MSG(strstr(str_text(&dir.error), rows[i][1]), "%s: %s",
                  rows[i][0], str_text(&dir.error));
    }
    dir_destroy(&dir);
}

TESTS(
    RUN(what_was_recorded_is_replayed),
    RUN(a_file_is_replayed_in_a_loop),
    RUN(a_rate_is_kept),
    RUN(the_gaps_of_a_file_are_kept),
    RUN(a_corrupt_file_is_named_with_the_reason),
    RUN(frames_that_are_not_whole_are_skipped),
    RUN(a_snaplen_cuts_what_is_recorded),
    RUN(a_disk_that_is_full_from_the_start_is_an_error),
    RUN(a_disk_that_fills_up_stops_the_recording),
    RUN(bad_options_are_refused_with_a_reason),
)
