/* Whatever is sent by a tunnel, in whatever order, comes out of another one: over
 * the loopback device, wire frame by wire frame. */
#include "lib/rng.h"
#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/encap.h"
#include "port/gso.h"
#include "port/nic_lab_test.h"
#include "port/registry.h"

enum { MAX_FRAMES = 640, MAX_LEN = 1600, MAX_PACKETS = 8, ROUNDS = 150 };

/* What is on a wire, in order. */
struct frames {
    unsigned int n;
    struct {
        struct tunnel_key tun;
        uint32_t len;
        uint8_t bytes[MAX_LEN];
    } list[MAX_FRAMES];
};

static struct frames sent, come;

static void
add_frames(struct frames *frames, struct packet *pkt)
{
    struct gso gso;

    if (!pkt->offload.gso_size) {
        CHECK(frames->n < MAX_FRAMES && pkt->len <= MAX_LEN);
        CHECK(packet_complete_checksum(pkt));
        frames->list[frames->n].tun = pkt->tun;
        frames->list[frames->n].len = pkt->len;
        memcpy(frames->list[frames->n++].bytes, pkt->data, pkt->len);
        return;
    }
    CHECK(gso_begin(&gso, pkt, true));
    while (gso_n_left(&gso)) {
        CHECK(frames->n < MAX_FRAMES);
        frames->list[frames->n].tun = pkt->tun;
        frames->list[frames->n].len
            = gso_write(&gso, frames->list[frames->n].bytes);
        frames->n++;
    }
}

/* IPv4 from one of three ports. */
static void
write_ip4(struct packet *pkt, struct rng *rng, uint8_t proto)
{
    uint8_t *ip = pkt->data + 14;

    memcpy(pkt->data + 12, "\x08\x00", 2);
    memcpy(ip, "\x45\0\0\0\0\1\x40\0\x40\0\0\0\x0a\0\0\1\x0a\0\0\2", 20);
    put_be16(ip + 2, htobe16((uint16_t) (pkt->len - 14)));
    ip[9] = proto;
    put_be16(ip + 10, checksum_fold(checksum_add(0, ip, 20)));
    put_be16(ip + 20, htobe16((uint16_t) (1024 + rng_below(rng, 3))));
}

static void
write_udp(struct packet *pkt, struct rng *rng)
{
    write_ip4(pkt, rng, 17);
    put_be16(pkt->data + 38, htobe16((uint16_t) (pkt->len - 34)));
    put_be16(pkt->data + 40, 0);
}

static void
write_tcp(struct packet *pkt, struct rng *rng, uint32_t segment)
{
    uint8_t *tcp = pkt->data + 34;

    write_ip4(pkt, rng, 6);
    memcpy(tcp + 12, "\x50\x10\1\0\0\0\0\0", 8);
    put_be16(tcp + 16, checksum_reduce(checksum_pseudo4(
        get_be32(pkt->data + 26), get_be32(pkt->data + 30), 6,
        (uint16_t) (pkt->len - 34))));
    pkt->offload = (struct offload) {
        .flags = 1, .csum_start = 34, .csum_offset = 16,
    };
    if (pkt->len > 54 + segment) {
        pkt->offload.gso_type = GSO_TCPV4;
        pkt->offload.gso_size = (uint16_t) segment;
        pkt->offload.hdr_len = 54;
    }
}

/* Few lengths, that trains may come to be. */
static struct packet *
make_packet(struct rng *rng)
{
    static const uint32_t lengths[] = { 60, 400, 1454 };
    uint32_t len = lengths[rng_below(rng, 3)], kind = rng_below(rng, 4);
    uint32_t segment = len - 54;
    struct packet *pkt;

    if (kind == 0 && segment > 100) {
        len = 55 + rng_below(rng, rng_one_in(rng, 4) ? 60000 : 4 * segment);
        len = MIN(len, 54 + 60 * segment);
    }
    pkt = packet_alloc(lab.pool, len);
    pkt->len = len;
    for (uint32_t i = 0; i < len; i++) {
        pkt->data[i] = (uint8_t) rng_u32(rng);
    }
    memcpy(pkt->data, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5", 14);
    packet_arrive(pkt, 1);
    pkt->offload = (struct offload) { 0 };
    if (kind == 0) {
        write_tcp(pkt, rng, MAX(segment, 100u));
    } else if (kind == 1) {
        write_udp(pkt, rng);
    }
    if (rng_one_in(rng, 4) && len < 1500) {
        /* Nothing fits in front of it. */
        memmove(pkt->buf + 2, pkt->data, len);
        pkt->data = pkt->buf + 2;
    }
    return pkt;
}

/* What a flow entry says; `is_told` not: something old. */
static void
say(struct packet *pkt, struct rng *rng, const struct ip6_addr *remote,
    bool is_told, bool has_options)
{
    struct tunnel_key *tun = &pkt->tun;

    tun->family = TUNNEL_NONE;
    tun->n_options = 0;
    tun->id = htobe64(5 + rng_below(rng, 2));
    tun->flags = htobe16(TUNNEL_F_KEY);
    tun->tos = tun->ttl = 0;
    tun->dst = *remote;
    if (!is_told) {
        tun->n_options = (uint8_t) rng_u32(rng);
        tun->dst.b[15] = (uint8_t) rng_u32(rng);
        return;
    }
    tun->family = ip6_is_mapped4(remote) ? 4 : 6;
    if (has_options && rng_one_in(rng, 2)) {
        static const uint8_t option[] = { 0, 9, 7, 1, 1, 2, 3, 4 };

        tun->n_options = sizeof option;
        memcpy(tun->options, option, sizeof option);
        tun->options[7] = (uint8_t) rng_below(rng, 2);
    }
}

static void
receive(struct port *port)
{
    come.n = 0;
    while (come.n < sent.n && lab_wait_readable(port, 0, 1000)) {
        struct batch batch = { 0 };

        port_rx(port, 0, lab.pool, &batch);
        for (unsigned int i = 0; i < batch.n; i++) {
            add_frames(&come, batch.pkts[i]);
        }
        batch_free_all(&batch);
    }
}

static void
check_same(const char *kind, unsigned int round, bool is_told)
{
    CHECK_MSG(come.n == sent.n, "%s, round %u: %u of %u frames", kind, round,
              come.n, sent.n);
    for (unsigned int i = 0; i < sent.n; i++) {
        const struct tunnel_key *a = &sent.list[i].tun, *b
            = &come.list[i].tun;

        CHECK_MSG(sent.list[i].len == come.list[i].len
                  && !memcmp(sent.list[i].bytes, come.list[i].bytes,
                             sent.list[i].len), "%s, round %u: frame %u of %u",
                  kind, round, i, sent.n);
        CHECK_MSG(b->id == (is_told ? a->id : htobe64(5)), "%s, round %u: "
                  "key of frame %u", kind, round, i);
        CHECK_MSG(!is_told || (a->n_options == b->n_options
                               && !memcmp(a->options, b->options,
                                          a->n_options)),
                  "%s, round %u: options of frame %u", kind, round, i);
    }
}

static void
check_kind(const char *kind, bool is_ip6, bool is_told)
{
    const char *here = is_ip6 ? "::1" : "127.0.0.1";
    const char *there = is_ip6 ? "::2" : "127.0.0.2";
    struct port *from = lab_plug("a=%s:local=%s,remote=%s,key=%s", kind, here,
                                 is_told ? "flow" : there,
                                 is_told ? "flow" : "5");
    struct port *to = lab_plug("b=%s:local=%s,remote=flow,key=flow", kind,
                               there);
    struct rng rng = { 1 + is_ip6 + 2 * (uint64_t) is_told };
    struct ip6_addr remote;

    ip_parse(there, &remote);
    for (unsigned int round = 0; round < ROUNDS; round++) {
        unsigned int n = 1 + rng_below(&rng, MAX_PACKETS);
        struct batch batch = { 0 };

        sent.n = 0;
        for (unsigned int i = 0; i < n; i++) {
            struct packet *pkt = make_packet(&rng);

            say(pkt, &rng, &remote, is_told, !strcmp(kind, "geneve"));
            if (sent.n + packet_n_wire(pkt) > MAX_FRAMES / 4) {
                packet_free(pkt);         /* no queue is without end */
                continue;
            }
            batch_add(&batch, pkt);
            /* The copy is what is compared, whatever becomes of this one. */
            pkt = packet_clone(lab.pool, pkt);
            add_frames(&sent, pkt);
            packet_free(pkt);
        }
        port_tx(from, 0, &batch, false);
        receive(to);
        check_same(kind, round, is_told);
    }
    port_destroy(from);
    port_destroy(to);
}

TEST(whatever_is_sent_arrives)
{
    static const char *const kinds[] = { "vxlan", "geneve", "gre" };

    lab_run("ip link set lo up");
    lab_run("ip addr add ::2/128 dev lo nodad");
    lab.env.registry = port_registry_create();
    for (unsigned int i = 0; i < 4 * ARRAY_SIZE(kinds); i++) {
        check_kind(kinds[i / 4], i & 1, i & 2);
    }
    port_registry_destroy(lab.env.registry);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(whatever_is_sent_arrives),
    };

    return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
