/* What a tunnel port costs, in memory: all that it does between a packet and the
 * socket, and nothing of the socket.
 *
 *     weft-bench tunnel [--bursts=2000] [--only=vxlan/4/64]
 *
 * The ports are real ones, by their front door; but the calls by which they send
 * and receive are answered here (the linker puts __wrap_ names in their places).
 * What the kernel does of a tunnel, the outer IP and UDP headers, is not in these
 * figures.  Each line has, in cycles a packet,
 *
 *     encap, decap          frames of one flow: one call for the batch, and what
 *                           is received was joined by the kernel
 *     encap_n, decap_n      each of another flow: a call, or message, each
 *
 * GRE, which knows neither joining nor segments, has the same in both.  A line of
 * a `null` port is for what any port costs: the packet, its counters. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "bench.h"
#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/encap.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "port/port.h"
#include "port/registry.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    TURNS = 4,                    /* batches in a burst */
    UDP_PORT = 14789,             /* that a switch of this host does not use */
    KEY = 5001,
    MAX_DATAGRAM = 2048,
};

/* What arrives, over and over. */
struct arrival {
    uint8_t datagram[MAX_DATAGRAM];   /* as the socket gives it */
    uint32_t len;
    bool is_ip6, is_raw;
    unsigned int n_joined;            /* datagrams in each message */
    unsigned int n_left;              /* datagrams in this turn */
    unsigned int n_written;           /* message buffers that have them */
};

/* The calls below have no argument to find it by. */
static struct arrival *arrival;

/* ---- Instead of the kernel ---- */

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags,
                    struct timespec *timeout);
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags);
int __real_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags,
                    struct timespec *timeout);

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    return arrival ? 1 : __real_sendmsg(fd, msg, flags);
}

int
__wrap_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags)
{
    return arrival ? (int) n : __real_sendmmsg(fd, msgs, n, flags);
}

static void
add_control(struct msghdr *msg, size_t *len, int level, int type,
            const void *value, size_t value_len)
{
    struct cmsghdr *c = (void *) ((uint8_t *) msg->msg_control + *len);

    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(value_len);
    memcpy(CMSG_DATA(c), value, value_len);
    *len += CMSG_SPACE(value_len);
}

static void
write_control(const struct arrival *a, struct msghdr *msg)
{
    struct in_pktinfo info4 = { .ipi_addr = { htobe32(INADDR_LOOPBACK) } };
    struct in6_pktinfo info6 = { .ipi6_addr = IN6ADDR_LOOPBACK_INIT };
    int tos = 0, ttl = 64, segment = (int) a->len;
    uint8_t tos4 = 0;
    size_t len = 0;

    if (a->is_ip6) {
        add_control(msg, &len, SOL_IPV6, IPV6_TCLASS, &tos, sizeof tos);
        add_control(msg, &len, SOL_IPV6, IPV6_HOPLIMIT, &ttl, sizeof ttl);
        add_control(msg, &len, SOL_IPV6, IPV6_PKTINFO, &info6, sizeof info6);
    } else if (!a->is_raw) {
        add_control(msg, &len, SOL_IP, IP_TOS, &tos4, sizeof tos4);
        add_control(msg, &len, SOL_IP, IP_TTL, &ttl, sizeof ttl);
        add_control(msg, &len, SOL_IP, IP_PKTINFO, &info4, sizeof info4);
    }
    if (a->n_joined > 1) {
        add_control(msg, &len, SOL_UDP, UDP_GRO, &segment, sizeof segment);
    }
    msg->msg_controllen = len;
}

static void
write_from(const struct arrival *a, struct msghdr *msg)
{
    if (a->is_ip6) {
        *(struct sockaddr_in6 *) msg->msg_name = (struct sockaddr_in6) {
            .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT,
        };
    } else {
        *(struct sockaddr_in *) msg->msg_name = (struct sockaddr_in) {
            .sin_family = AF_INET,
            .sin_addr = { htobe32(INADDR_LOOPBACK) },
        };
    }
}

/* The port only reads its buffers: what was written once is there again. */
static void
write_bytes(struct arrival *a, unsigned int i, const struct iovec *iov)
{
    if (i < a->n_written) {
        return;
    }
    for (unsigned int k = 0; k < a->n_joined; k++) {
        memcpy((uint8_t *) iov->iov_base + k * a->len, a->datagram, a->len);
    }
    a->n_written = i + 1;
}

int
__wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags,
                struct timespec *timeout)
{
    unsigned int i = 0;

    if (!arrival) {
        return __real_recvmmsg(fd, msgs, n, flags, timeout);
    }
    for (; i < n && arrival->n_left; i++) {
        struct msghdr *msg = &msgs[i].msg_hdr;

        write_control(arrival, msg);
        write_from(arrival, msg);
        write_bytes(arrival, i, msg->msg_iov);
        msgs[i].msg_len = arrival->len * arrival->n_joined;
        arrival->n_left -= arrival->n_joined;
    }
    if (!i) {
        errno = EAGAIN;
        return -1;
    }
    return (int) i;
}

/* ---- Packets ---- */

/* UDP without a checksum, of flow `i`. */
static void
write_frame(uint8_t *frame, uint32_t len, unsigned int i)
{
    struct ip4_header *ip = (void *) (frame + ETH_HEADER_LEN);
    uint8_t *udp = frame + ETH_HEADER_LEN + sizeof *ip;
    uint32_t l3_len = len - ETH_HEADER_LEN;

    memset(frame, 0, len);
    frame[0] = frame[6] = 2;
    frame[5] = 1;
    put_be16(frame + 12, htobe16(ETH_TYPE_IP));
    ip->ver_ihl = 0x45;
    ip->total_len = htobe16((uint16_t) l3_len);
    ip->ttl = 64;
    ip->proto = IP_PROTO_UDP;
    ip->src[0] = ip->dst[0] = 10;
    ip->src[3] = 1;
    ip->dst[3] = 2;
    ip->csum = checksum_fold(checksum_add(0, ip, sizeof *ip));
    put_be16(udp, htobe16((uint16_t) (1024 + i)));
    put_be16(udp + 2, htobe16(1024));
    put_be16(udp + 4, htobe16((uint16_t) (l3_len - sizeof *ip)));
}

struct row {
    const char *type;
    int family;
    uint32_t frame_len;
};

struct bench {
    struct packet_pool *pool;
    struct port *port;
    struct tunnel_key key;        /* as a flow entry sets it */
    struct arrival arrival;
    const struct row *row;
};

static void
make_arrival(struct bench *b, unsigned int n_joined)
{
    struct arrival *a = &b->arrival;
    bool is_vxlan = !strcmp(b->row->type, "vxlan");
    uint8_t *p = a->datagram;

    *a = (struct arrival) {
        .is_ip6 = b->row->family == 6,
        .is_raw = !strcmp(b->row->type, "gre"),
    };
    a->n_joined = a->is_raw ? 1 : n_joined;
    if (a->is_raw && !a->is_ip6) {
        struct ip4_header *ip = (void *) p;

        *ip = (struct ip4_header) {
            .ver_ihl = 0x45, .ttl = 64, .proto = IP_PROTO_GRE,
            .src = { 127, 0, 0, 1 }, .dst = { 127, 0, 0, 1 },
        };
        p += sizeof *ip;
    }
    if (a->is_raw) {
        p += gre_encode(&b->key, &(struct encap_gre) { .has_key = true }, p);
    } else {
        p += is_vxlan ? vxlan_encode(&b->key, p)
                      : geneve_encode(&b->key, p);
    }
    write_frame(p, b->row->frame_len, 0);
    a->len = (uint32_t) (p - a->datagram) + b->row->frame_len;
}

/* ---- Bursts ---- */

/* Cycles of one burst; how many packets in `*n`. */
typedef uint64_t burst(struct bench *, bool is_one_flow, unsigned int *n);

static uint64_t
burst_encap(struct bench *b, bool is_one_flow, unsigned int *n)
{
    struct batch batches[TURNS];
    uint64_t begin;

    for (unsigned int t = 0; t < TURNS; t++) {
        batches[t].n = 0;
        for (unsigned int i = 0; i < BATCH_MAX; i++) {
            struct packet *pkt = packet_alloc(b->pool, b->row->frame_len);

            packet_arrive(pkt, 1);
            pkt->offload = (struct offload) { 0 };
            pkt->len = b->row->frame_len;
            write_frame(pkt->data, pkt->len, is_one_flow ? 0 : i);
            batch_add(&batches[t], pkt);
        }
    }
    begin = bench_ticks();
    for (unsigned int t = 0; t < TURNS; t++) {
        /* What the action before the output does. */
        for (unsigned int i = 0; i < BATCH_MAX; i++) {
            tunnel_key_copy(&batches[t].pkts[i]->tun, &b->key);
        }
        port_tx(b->port, 0, &batches[t], false);
    }
    *n = TURNS * BATCH_MAX;
    return bench_ticks() - begin;
}

static bool
is_null(const struct row *row)
{
    return !row->family;
}

static uint64_t
burst_decap(struct bench *b, bool is_one_flow UNUSED, unsigned int *n)
{
    struct batch batches[TURNS];
    uint64_t begin, took;

    begin = bench_ticks();
    for (unsigned int t = 0; t < TURNS; t++) {
        batches[t].n = 0;
        b->arrival.n_left = BATCH_MAX;
        do {
            port_rx(b->port, 0, b->pool, &batches[t]);
        } while (b->arrival.n_left && !is_null(b->row));
    }
    took = bench_ticks() - begin;
    for (unsigned int t = 0; t < TURNS; t++) {
        *n += batches[t].n;
        batch_free_all(&batches[t]);
    }
    return took;
}

static double
measure(struct bench *b, burst *run, bool is_one_flow, unsigned int n_bursts)
{
    double *costs = xcalloc(n_bursts, sizeof *costs), median;

    make_arrival(b, is_one_flow ? BATCH_MAX : 1);
    arrival = &b->arrival;
    for (unsigned int i = 0; i < n_bursts; i++) {
        unsigned int n = 0;
        uint64_t took = run(b, is_one_flow, &n);

        if (n != TURNS * BATCH_MAX) {
            fprintf(stderr, "weft-bench: %u of %u packets came\n", n,
                    TURNS * BATCH_MAX);
            exit(1);
        }
        costs[i] = (double) took / n;
    }
    arrival = NULL;
    median = bench_median(costs, n_bursts);
    free(costs);
    return median;
}

/* ---- Rows ---- */

/* As the host makes them: one port for all far ends and keys. */
static int
open_port(const struct row *row, struct port_registry *registry,
          struct port **port)
{
    struct port_env env = { .registry = registry };
    struct str error = STR_INIT, spec = STR_INIT;
    struct port_config config;
    int err;

    if (is_null(row)) {
        str_setf(&spec, "t=null:frame=%u", row->frame_len);
    } else {
        str_setf(&spec, "t=%s:local=%s,remote=flow,key=flow,mtu=1450",
                 row->type, row->family == 6 ? "::1" : "127.0.0.1");
    }
    if (strcmp(row->type, "gre") && !is_null(row)) {
        str_addf(&spec, ",dst_port=%d", UDP_PORT);
    }
    err = port_config_parse(str_text(&spec), &config, &error);
    err = err ? err : port_create(&config, 1, &env, port, &error);
    if (err) {
        fprintf(stderr, "weft-bench: %s\n", str_text(&error));
    }
    str_fini(&error);
    str_fini(&spec);
    return err;
}

static int
run_row(const struct row *row, unsigned int n_bursts)
{
    struct port_registry *registry = port_registry_create();
    struct bench b = {
        .pool = packet_pool_create(2 * TURNS * BATCH_MAX, 1), .row = row,
        .key = {
            .family = (uint8_t) row->family, .id = htobe64(KEY),
            .flags = htobe16(TUNNEL_F_KEY), .ttl = 64,
        },
    };
    int err = open_port(row, registry, &b.port);

    ip_parse(row->family == 6 ? "::1" : "127.0.0.1", &b.key.dst);
    if (!err) {
        double encap = measure(&b, burst_encap, true, n_bursts);
        double decap = measure(&b, burst_decap, true, n_bursts);

        printf("RESULT tunnel %s/%d/%u encap=%.1f decap=%.1f", row->type,
               row->family, row->frame_len, encap, decap);
        printf(" encap_n=%.1f",
               measure(&b, burst_encap, false, n_bursts));
        printf(" decap_n=%.1f\n",
               measure(&b, burst_decap, false, n_bursts));
        fflush(stdout);
        port_destroy(b.port);
    }
    packet_pool_destroy(b.pool);
    port_registry_destroy(registry);
    return err;
}

int
bench_tunnel(int argc, char **argv)
{
    static const struct {
        const char *type;
        int family;
    } kinds[] = {
        { "null", 0 }, { "vxlan", 4 }, { "vxlan", 6 }, { "geneve", 4 },
        { "geneve", 6 }, { "gre", 4 }, { "gre", 6 },
    };
    static const uint32_t lengths[] = { 64, 512, 1400 };
    long n_bursts = MAX(bench_option(argc, argv, "bursts", 2000), 1);
    const char *only = bench_option_text(argc, argv, "only");
    int err = 0;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(lengths); k++) {
            struct row row = { kinds[i].type, kinds[i].family, lengths[k] };
            char name[32];

            snprintf(name, sizeof name, "%s/%d/%u", row.type, row.family,
                     row.frame_len);
            if (!only || !strcmp(only, name)) {
                err |= run_row(&row, (unsigned int) n_bursts);
            }
        }
    }
    return err ? 1 : 0;
}
