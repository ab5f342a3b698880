/* traffic: the ends of a benchmark, and the limit of what a tap can do.
 *
 *     traffic count PORT SECONDS             receive UDP; datagrams per second
 *     traffic send ADDRESS PORT SECONDS [BYTES]       UDP as fast as it goes
 *     traffic pong PORT                      TCP, answers each byte by one
 *     traffic ping ADDRESS PORT SECONDS      one byte to and fro; microseconds
 *     traffic accept PORT                    TCP on so many ports from there on
 *     traffic connect ADDRESS PORT SECONDS   connects, a byte to and fro, ends;
 *                                            connections per second
 *     traffic relay NETNS NETNS              two taps named eth0; read here,
 *                                            write there, nothing in between
 *     traffic flood DEVICE MAC KIND SECONDS RATE       frames to MAC, of KIND:
 *         stations   a new source address each
 *         flows      a new 5-tuple each
 *         bits       5-tuples that differ from what a policy allows in one
 *                    chosen bit of each field: the worst for tuple space
 *         syns       TCP that begins with a new 5-tuple each
 *         pings      an echo request of a new identifier and source each
 *         fragments  of which no first one ever comes
 *
 * Prints one line: numbers that the scripts beside this file read. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    BURST = 64,                 /* messages per system call */
    FRAME_LEN = 60,             /* 64 with the checksum of Ethernet */
    FRAME_MAX = 65536 + 128,
    SOCKET_BUFFER = 8 << 20,
    MAX_SAMPLES = 1 << 21,
};

/* ---- What all share ---- */

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void
die(const char *what)
{
    fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in
address_of(const char *ip, const char *port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t) atoi(port)),
    };

    if (ip && !inet_aton(ip, &a.sin_addr)) {
        errno = EINVAL;
        die(ip);
    }
    return a;
}

static int
open_socket(int family, int type, int protocol)
{
    int fd = socket(family, type, protocol);
    int one = 1, size = SOCKET_BUFFER;

    if (fd < 0) {
        die("socket");
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    return fd;
}

/* Many messages for one system call, `stride` bytes apart. */
struct burst {
    struct mmsghdr msgs[BURST];
    struct iovec iovs[BURST];
};

static void
burst_init(struct burst *b, uint8_t *bytes, size_t len, size_t stride)
{
    memset(b, 0, sizeof *b);
    for (unsigned int i = 0; i < BURST; i++) {
        b->iovs[i].iov_base = bytes + i * stride;
        b->iovs[i].iov_len = len;
        b->msgs[i].msg_hdr.msg_iov = &b->iovs[i];
        b->msgs[i].msg_hdr.msg_iovlen = 1;
    }
}

/* ---- UDP ---- */

static int
do_count(char **argv)
{
    static uint8_t bytes[BURST][2048];
    struct sockaddr_in a = address_of(NULL, argv[0]);
    struct timeval patience = { 0, 100000 };
    int fd = open_socket(AF_INET, SOCK_DGRAM, 0);
    double first = 0, last = 0, end = now() + atof(argv[1]);
    uint64_t n = 0;
    struct burst b;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (bind(fd, (struct sockaddr *) &a, sizeof a)) {
        die("bind");
    }
    burst_init(&b, bytes[0], sizeof bytes[0], sizeof bytes[0]);
    while (now() < end) {
        int got = recvmmsg(fd, b.msgs, BURST, MSG_WAITFORONE, NULL);

        if (got > 0) {
            last = now();
            first = n ? first : last;
            n += (uint64_t) got;
        }
    }
    printf("%.0f\n", last > first ? (double) n / (last - first) : 0);
    return 0;
}

static int
do_send(char **argv)
{
    static uint8_t bytes[65536];
    struct sockaddr_in a = address_of(argv[0], argv[1]);
    /* 18 bytes of payload make a frame of 64. */
    size_t len = argv[3] ? (size_t) atoi(argv[3]) : 18;
    int fd = open_socket(AF_INET, SOCK_DGRAM, 0);
    double start = now(), end = start + atof(argv[2]), t;
    uint64_t n = 0;
    struct burst b;

    if (connect(fd, (struct sockaddr *) &a, sizeof a)) {
        die("connect");
    }
    burst_init(&b, bytes, len, 0);
    while ((t = now()) < end) {
        int sent = sendmmsg(fd, b.msgs, BURST, 0);

        n += sent > 0 ? (uint64_t) sent : 0;
    }
    printf("%.0f\n", (double) n / (t - start));
    return 0;
}

/* ---- TCP request and response ---- */

__attribute__((noreturn)) static int
do_pong(char **argv)
{
    struct sockaddr_in a = address_of(NULL, argv[0]);
    int listener = open_socket(AF_INET, SOCK_STREAM, 0), one = 1;

    if (bind(listener, (struct sockaddr *) &a, sizeof a)
        || listen(listener, 16)) {
        die("listen");
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        char byte;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1) {
            continue;
        }
        close(fd);
    }
}

static int
compare_floats(const void *a_, const void *b_)
{
    float a = *(const float *) a_, b = *(const float *) b_;

    return a < b ? -1 : a > b;
}

static int
do_ping(char **argv)
{
    struct sockaddr_in a = address_of(argv[0], argv[1]);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    float *samples = malloc(MAX_SAMPLES * sizeof *samples);
    struct timeval patience = { 2, 0 };
    double start, end, t;
    size_t n = 0;

    if (fd < 0 || !samples || connect(fd, (struct sockaddr *) &a, sizeof a)) {
        die("connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    start = t = now();
    end = start + atof(argv[2]);
    while (t < end && n < MAX_SAMPLES) {
        double before = t;
        char byte = 0;

        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1) {
            die("no answer");
        }
        t = now();
        samples[n++] = (float) ((t - before) * 1e6);
    }
    qsort(samples, n, sizeof *samples, compare_floats);
    printf("%.0f %.2f %.2f\n", (double) n / (t - start), samples[n / 2],
           samples[n * 99 / 100]);
    return 0;
}

/* ---- TCP connections, one after the other ---- */

enum { ENDS = 8 };              /* processes, each with a port of its own */

__attribute__((noreturn)) static void
accept_all(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    int listener = open_socket(AF_INET, SOCK_STREAM, 0), one = 1;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *) &a, sizeof a)
        || listen(listener, 128)) {
        die("listen");
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        char byte;

        if (fd >= 0 && read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1) {
            /* Who connected ends first: the port is free again at once here. */
            while (read(fd, &byte, 1) > 0) {
                continue;
            }
        }
        close(fd);
    }
}

__attribute__((noreturn)) static int
do_accept(char **argv)
{
    for (int i = 1; i < ENDS; i++) {
        if (!fork()) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            accept_all((uint16_t) (atoi(argv[0]) + i));
        }
    }
    accept_all((uint16_t) atoi(argv[0]));
}

static uint64_t
connect_until(struct sockaddr_in a, double end)
{
    struct timeval patience = { 1, 0 };
    uint64_t n = 0;

    while (now() < end) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        char byte = 0;

        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        n += !connect(fd, (struct sockaddr *) &a, sizeof a)
             && write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1;
        close(fd);
    }
    return n;
}

static int
do_connect(char **argv)
{
    struct sockaddr_in a = address_of(argv[0], argv[1]);
    double start = now(), end = start + atof(argv[2]);
    uint64_t sum = 0, n;
    int fds[2];

    if (pipe(fds)) {
        die("pipe");
    }
    for (unsigned int i = 0; i < ENDS; i++) {
        a.sin_port = htons((uint16_t) (atoi(argv[1]) + (int) i));
        if (!fork()) {
            n = connect_until(a, end);
            _exit(write(fds[1], &n, sizeof n) != sizeof n);
        }
    }
    for (unsigned int i = 0; i < ENDS; i++) {
        if (read(fds[0], &n, sizeof n) != sizeof n) {
            die("read");
        }
        sum += n;
    }
    printf("%.0f\n", (double) sum / (now() - start));
    return 0;
}

/* ---- The limit: a relay between two taps ---- */

static int
open_tap(const char *netns)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    char path[256];
    int fd;

    snprintf(path, sizeof path, "/run/netns/%s", netns);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET)) {
        die(path);
    }
    close(fd);

    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    strcpy(ifr.ifr_name, "eth0");
    if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr)
        || ioctl(fd, TUNSETOFFLOAD,
                 TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)) {
        die("/dev/net/tun");
    }
    return fd;
}

/* Returns how many frames it moved. */
static unsigned int
relay_some(int from, int to)
{
    static uint8_t frame[FRAME_MAX];
    unsigned int n = 0;
    ssize_t len;

    while (n < BURST / 2 && (len = read(from, frame, sizeof frame)) > 0) {
        if (write(to, frame, (size_t) len) < 0) {
            /* Full: lost, as on any wire. */
        }
        n++;
    }
    return n;
}

__attribute__((noreturn)) static int
do_relay(char **argv)
{
    struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };

    fds[0].fd = open_tap(argv[0]);
    fds[1].fd = open_tap(argv[1]);
    puts("ready");
    fflush(stdout);
    for (;;) {
        unsigned int n = relay_some(fds[0].fd, fds[1].fd)
                         + relay_some(fds[1].fd, fds[0].fd);

        if (!n) {
            poll(fds, 2, -1);
        }
    }
}

/* ---- Frames from an attacker, or from many stations ---- */

enum flood_kind { STATIONS, FLOWS, BITS, SYNS, PINGS, FRAGMENTS, N_KINDS };

static const char *const kinds[N_KINDS] = {
    "stations", "flows", "bits", "syns", "pings", "fragments",
};

/* What victim.py allows; the attack stays one bit beside it. */
static const uint32_t allowed_ip = 0x0a00000a;
static const uint16_t allowed_src = 12345, allowed_dst = 80;

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void
put16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t) (value >> 8);
    p[1] = (uint8_t) value;
}

static void
put32(uint8_t *p, uint32_t value)
{
    put16(p, (uint16_t) (value >> 16));
    put16(p + 2, (uint16_t) value);
}

/* Equal to `allowed` above bit `bit`, different in it, random below. */
static uint32_t
differ_at(uint32_t allowed, unsigned int bit, uint32_t noise)
{
    uint32_t below = (1u << bit) - 1;

    return ((allowed ^ 1u << bit) & ~below) | (noise & below);
}

static uint16_t
checksum(const uint8_t *p, unsigned int len, uint32_t sum)
{
    for (unsigned int i = 0; i < len; i += 2) {
        sum += (uint32_t) (p[i] << 8 | p[i + 1]);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

/* What follows the IP header of a new 5-tuple, by protocol. */
static void
make_begin(uint8_t *f, enum flood_kind kind, uint64_t r)
{
    enum { L4_LEN = FRAME_LEN - 34 };
    uint8_t *l4 = f + 34;

    memset(l4, 0, L4_LEN);
    put32(f + 26, 0x0a000000 | (uint32_t) (r >> 40));
    if (kind == FRAGMENTS) {
        put16(f + 18, (uint16_t) r);
        put16(f + 20, (uint16_t) (0x2000 | 100));
        put16(f + 16, 20 + 24);           /* in units of 8 bytes */
        f[23] = IPPROTO_UDP;
    } else if (kind == SYNS) {
        f[23] = IPPROTO_TCP;
        put16(l4, (uint16_t) r);
        put16(l4 + 2, (uint16_t) (r >> 16));
        put32(l4 + 4, (uint32_t) (r >> 8));
        l4[12] = 6 << 4;
        l4[13] = 2;
        put16(l4 + 14, 65535);
        l4[20] = l4[21] = l4[22] = l4[23] = 1;
        put16(f + 16, 20 + 24);
        /* With the pseudo-header: addresses, protocol, length. */
        put16(l4 + 16, checksum(l4, 24, (uint32_t) (uint16_t) ~checksum(
                                            f + 26, 8, IPPROTO_TCP + 24)));
    } else {
        f[23] = IPPROTO_ICMP;
        l4[0] = 8;
        put16(l4 + 4, (uint16_t) r);
        put16(l4 + 2, checksum(l4, L4_LEN, 0));
    }
}

static void
make_frame(uint8_t *f, enum flood_kind kind, uint64_t n, uint64_t *seed)
{
    uint64_t r = next_random(seed);
    uint32_t src = allowed_ip;
    uint16_t sport = 1024, dport = 9;

    if (kind == STATIONS) {
        put32(f + 8, (uint32_t) r);
    } else if (kind == FLOWS) {
        src = 0x0a000000 | (uint32_t) (r >> 40);
        sport = (uint16_t) r;
        dport = (uint16_t) (r >> 16);
    } else if (kind >= SYNS) {
        make_begin(f, kind, r);
        put16(f + 24, 0);
        put16(f + 24, checksum(f + 14, 20, 0));
        return;
    } else {
        src = differ_at(allowed_ip, n % 32, (uint32_t) r);
        sport = (uint16_t) differ_at(allowed_src, n / 32 % 16,
                                     (uint32_t) (r >> 32));
        dport = (uint16_t) differ_at(allowed_dst, n / 512 % 16,
                                     (uint32_t) (r >> 48));
    }
    put32(f + 26, src);
    put16(f + 34, sport);
    put16(f + 36, dport);
    put16(f + 24, 0);
    put16(f + 24, checksum(f + 14, 20, 0));
}

static void
make_template(uint8_t *f, const char *mac)
{
    unsigned int b[6];

    memset(f, 0, FRAME_LEN);
    if (sscanf(mac, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4],
               &b[5]) != 6) {
        errno = EINVAL;
        die(mac);
    }
    for (unsigned int i = 0; i < 6; i++) {
        f[i] = (uint8_t) b[i];
    }
    f[6] = 2;
    put16(f + 12, ETH_P_IP);
    f[14] = 0x45;
    put16(f + 16, FRAME_LEN - 14);
    f[22] = 64;
    f[23] = IPPROTO_UDP;
    put32(f + 30, 0x0a0000fe);
    put16(f + 38, FRAME_LEN - 34);
}

static int
open_device(const char *device)
{
    struct sockaddr_ll a = {
        .sll_family = AF_PACKET,
        .sll_ifindex = (int) if_nametoindex(device),
    };
    int fd = open_socket(AF_PACKET, SOCK_RAW, 0), one = 1;

    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    if (bind(fd, (struct sockaddr *) &a, sizeof a)) {
        die(device);
    }
    return fd;
}

static int
do_flood(char **argv)
{
    static uint8_t frames[BURST][FRAME_LEN + 4];
    enum flood_kind kind = STATIONS;
    double rate = atof(argv[4]);
    int fd = open_device(argv[0]);
    double start = now(), end = start + atof(argv[3]), t;
    uint64_t n = 0, n_made = 0, seed = 88172645463325252u;
    struct burst b;

    while (strcmp(argv[2], kinds[kind]) && kind < N_KINDS - 1) {
        kind++;
    }
    for (unsigned int i = 0; i < BURST; i++) {
        make_template(frames[i], argv[1]);
    }
    burst_init(&b, frames[0], FRAME_LEN, sizeof frames[0]);
    while ((t = now()) < end) {
        double due = rate > 0 ? (t - start) * rate - (double) n : BURST;
        unsigned int n_due = due > BURST ? BURST : (unsigned int) due;
        int sent;

        if (n_due < BURST / 4) {
            usleep(200);
            continue;
        }
        for (unsigned int i = 0; i < n_due; i++) {
            make_frame(frames[i], kind, n_made++, &seed);
        }
        sent = sendmmsg(fd, b.msgs, n_due, 0);
        n += sent > 0 ? (uint64_t) sent : 0;
    }
    printf("%.0f\n", (double) n / (t - start));
    return 0;
}

/* ---- */

static const struct {
    const char *name;
    int min_args, max_args;
    int (*run)(char **argv);
} verbs[] = {
    { "count", 2, 2, do_count }, { "send", 3, 4, do_send },
    { "pong", 1, 1, do_pong },   { "ping", 3, 3, do_ping },
    { "accept", 1, 1, do_accept }, { "connect", 3, 3, do_connect },
    { "relay", 2, 2, do_relay }, { "flood", 5, 5, do_flood },
};

int
main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!strcmp(argv[1], verbs[i].name) && argc - 2 >= verbs[i].min_args
            && argc - 2 <= verbs[i].max_args) {
            return verbs[i].run(argv + 2);
        }
    }
    fputs("usage: see the top of traffic.c\n", stderr);
    return 2;
}
