/* tunnel_views TUN_FD PORT...: what tunnel ports make of packets that come by a
 * device.
 *
 * Run by test_tunnel_views.py, which has scapy say the same.  It reads requests
 * (struct request and an IP packet) and answers each with a struct answer, the
 * Geneve options, the frame and what left when that frame was sent back the way it
 * came.  Packets go through the kernel's IP and the sockets of real ports: the
 * network namespace is the caller's.
 *
 * All integers are the host's, but for what packet/ says is not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/rcu.h"
#include "packet/flow.h"
#include "packet/ip.h"
#include "port/port.h"
#include "port/registry.h"

enum { MAX_PORTS = 16, MAX_PACKET = 65535, KEY_WORDS = 18 };

struct request {
    uint32_t len;
    uint8_t tos, ttl, df;         /* of what is sent back */
    uint8_t unused;
};

/* Which counter rose; test_tunnel_views.py has the same list. */
enum verdict { NOTHING, FRAME, FIRST_REASON };

struct answer {
    uint8_t verdict, port;
    uint8_t family, tos, ttl;
    uint8_t n_options;
    uint8_t is_owed;              /* a checksum of the frame's */
    uint8_t has_unknown_critical;
    uint16_t flags;
    uint16_t l3_ofs, l4_ofs, pad_len;
    uint64_t id;
    struct ip6_addr src, dst;
    uint64_t key[KEY_WORDS];
    uint8_t metadata[32];
    uint32_t len;                 /* of the frame */
    uint32_t sent_len;            /* of the packet that left; 0: none did */
};

static const struct tunnel_option_map option_map = {
    .mapped = 0x3, .options = { { 0x0102, 0x03, 4, 12 },
                                { 0x0102, 0x84, 16, 16 } },
};

struct views {
    int tun;
    struct port_registry *registry;
    struct packet_pool *pool;
    unsigned int n_ports;
    struct port *ports[MAX_PORTS];
};

/* ---- Requests and answers ---- */

static bool
read_all(void *bytes, size_t len)
{
    return fread(bytes, 1, len, stdin) == len;
}

static void
write_all(const void *bytes, size_t len)
{
    if (fwrite(bytes, 1, len, stdout) != len) {
        exit(1);
    }
}

/* ---- The device ---- */

/* A packet of a tunnel's kind that left; the kernel sends others, too. */
static uint32_t
read_device(const struct views *v, uint8_t *bytes)
{
    ssize_t n;

    while ((n = read(v->tun, bytes, MAX_PACKET)) > 0) {
        uint8_t proto = bytes[0] >> 4 == 4 ? bytes[9] : bytes[6];

        if (proto == IP_PROTO_UDP || proto == IP_PROTO_GRE) {
            return (uint32_t) n;
        }
    }
    return 0;
}

/* ---- Ports ---- */

static void
open_port(struct views *v, const char *text)
{
    struct port_env env = { .registry = v->registry };
    struct port_config config;
    struct str error = STR_INIT;

    if (port_config_parse(text, &config, &error)
        || port_create(&config, v->n_ports + 1, &env, &v->ports[v->n_ports],
                       &error)
        || !port_is_up(v->ports[v->n_ports])) {
        fprintf(stderr, "%s: %s\n", text, str_text(&error));
        exit(1);
    }
    v->n_ports++;
    str_fini(&error);
}

/* One of the reasons why frames are dropped, or none. */
static uint8_t
find_reason(const struct views *v, unsigned int *port)
{
    for (unsigned int i = 0; i < v->n_ports; i++) {
        struct port_counters *c = &v->ports[i]->counters;
        _Atomic uint64_t *const reasons[] = {
            &c->rx_bad_length, &c->rx_bad_header, &c->rx_bad_checksum,
            &c->rx_unknown_key, &c->rx_fragment, &c->rx_nested,
            &c->rx_congested, &c->rx_out_of_order,
        };

        for (uint8_t k = 0; k < ARRAY_SIZE(reasons); k++) {
            if (*reasons[k]) {
                *reasons[k] = 0;
                *port = i;
                return (uint8_t) (FIRST_REASON + k);
            }
        }
    }
    return NOTHING;
}

/* NULL: none came. */
static struct packet *
receive(const struct views *v, unsigned int *port)
{
    struct batch batch = { .n = 0 };

    /* Frames of others come by the mailbox of whom they are for. */
    for (unsigned int i = 0; i < 2 * v->n_ports && !batch.n; i++) {
        *port = i % v->n_ports;
        port_rx(v->ports[*port], 0, v->pool, &batch);
    }
    assert(batch.n < 2);
    return batch.n ? batch.pkts[0] : NULL;
}

static uint32_t
send_back(const struct views *v, struct packet *pkt, unsigned int port,
          const struct request *request, uint8_t *sent)
{
    struct batch batch = { .n = 1, .pkts = { pkt } };

    while (read_device(v, sent)) {
    }
    pkt->tun.dst = pkt->tun.src;
    memset(&pkt->tun.src, 0, sizeof pkt->tun.src);
    pkt->tun.tos = request->tos;
    pkt->tun.ttl = request->ttl;
    if (request->df) {
        pkt->tun.flags |= htobe16(TUNNEL_F_DF);
    }
    port_tx(v->ports[port], 0, &batch, false);
    return read_device(v, sent);
}

static void
describe(struct packet *pkt, struct answer *answer)
{
    struct flow_key key;
    struct flow flow;

    flow_key_extract(pkt, &key);
    answer->has_unknown_critical
        = !tunnel_key_extract_options(&pkt->tun, &option_map, &key);
    flow_from_key(&flow, &key);
    memcpy(answer->key, flow.w, sizeof answer->key);
    memcpy(answer->metadata, flow.key.tun_metadata, sizeof answer->metadata);
    answer->family = pkt->tun.family;
    answer->tos = pkt->tun.tos;
    answer->ttl = pkt->tun.ttl;
    answer->n_options = pkt->tun.n_options;
    answer->flags = be16toh(pkt->tun.flags);
    answer->id = be64toh(pkt->tun.id);
    answer->src = pkt->tun.src;
    answer->dst = pkt->tun.dst;
    answer->is_owed = pkt->offload.flags & OFFLOAD_NEEDS_CSUM;
    answer->l3_ofs = pkt->l3_ofs;
    answer->l4_ofs = pkt->l4_ofs;
    answer->pad_len = pkt->pad_len;
    answer->len = pkt->len;
}

static void
answer_one(const struct views *v, const struct request *request,
           const uint8_t *bytes)
{
    static uint8_t frame[PACKET_MAX_LEN], sent[MAX_PACKET];
    struct answer answer = { .verdict = NOTHING };
    struct tunnel_key tun;
    struct packet *pkt;
    unsigned int port = 0;

    /* The kernel refuses what is no IP packet at all. */
    if (write(v->tun, bytes, request->len) < 0 && errno != EINVAL) {
        perror("write to the device");
        exit(1);
    }
    pkt = receive(v, &port);
    if (pkt) {
        answer.verdict = FRAME;
        describe(pkt, &answer);
        tunnel_key_copy(&tun, &pkt->tun);
        memcpy(frame, pkt->data, pkt->len);
        answer.sent_len = send_back(v, pkt, port, request, sent);
    } else {
        answer.verdict = find_reason(v, &port);
    }
    answer.port = (uint8_t) port;
    write_all(&answer, sizeof answer);
    write_all(tun.options, answer.n_options);
    write_all(frame, answer.len);
    write_all(sent, answer.sent_len);
    rcu_quiescent();
}

int
main(int argc, char **argv)
{
    struct views v = { .registry = port_registry_create(),
                       .pool = packet_pool_create(64, 4) };
    static uint8_t bytes[MAX_PACKET];
    struct request request;

    if (argc < 2) {
        fprintf(stderr, "usage: tunnel_views TUN_FD PORT...\n");
        return 2;
    }
    v.tun = atoi(argv[1]);
    fcntl(v.tun, F_SETFL, O_NONBLOCK);
    for (int i = 2; i < argc && v.n_ports < MAX_PORTS; i++) {
        open_port(&v, argv[i]);
    }
    rcu_thread_begin();
    while (read_all(&request, sizeof request)
           && request.len <= sizeof bytes
           && read_all(bytes, request.len)) {
        answer_one(&v, &request, bytes);
    }
    rcu_thread_end();
    while (v.n_ports) {
        port_destroy(v.ports[--v.n_ports]);
    }
    port_registry_destroy(v.registry);
    packet_pool_destroy(v.pool);
    return 0;
}
