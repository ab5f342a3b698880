/* Packets one after another at one tracker with NAT.
 *
 * The input is steps.  A step is a byte of flags, one that says how (zone, NAT), a
 * length and so many bytes of an IP packet, which gets a right header checksum and
 * counts as verified.  Flags: commit, force, some time passes, much time passes,
 * track what the last one became once more, turn it round (addresses and ports)
 * first, mark it, sweep.
 *
 * Always: a packet is tracked, or it waits; +inv goes with nothing else; its length
 * stays; what NAT made of it still has a right header checksum; and in the end
 * nothing is left of connections, zones' counts, mappings, packets.
 *
 * Covers: src/conntrack/conntrack.c src/conntrack/tuple.c src/conntrack/tcp.c
 *         src/conntrack/sctp.c src/conntrack/state.c src/conntrack/nat.c
 *         src/conntrack/rewrite.c src/conntrack/fragments.c */
#include <stdlib.h>

#include "conntrack/conntrack.h"
#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/eth.h"
#include "packet/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COMMIT = 1, FORCE = 2, WAIT = 4, WAIT_LONG = 8, AGAIN = 16, TURN = 32,
       MARK = 64, SWEEP = 128 };

/* Two inside, one outside. */
static const uint16_t zones[4] = { 0, 1, 0xf001, 0xf001 };

struct rig {
    struct conntrack *ct;
    struct packet_pool *pool;
    struct packet *last;
    msec now;
};

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void
swap(uint8_t *a, uint8_t *b, size_t len)
{
    uint8_t keep[16];

    memcpy(keep, a, len);
    memcpy(a, b, len);
    memcpy(b, keep, len);
}

static void
settle(struct packet *pkt)
{
    uint8_t *ip = pkt->data + ETH_HEADER_LEN;
    struct flow_key key;

    if (pkt->len >= ETH_HEADER_LEN + 20u && ip[0] >> 4 == 4
        && pkt->len >= ETH_HEADER_LEN + (ip[0] & 0xf) * 4u) {
        put_be16(ip + 10, 0);
        put_be16(ip + 10, checksum_fold(checksum_add(0, ip,
                                                     (ip[0] & 0xf) * 4u)));
    }
    flow_key_extract(pkt, &key);
}

static void
turn_round(struct packet *pkt)
{
    uint8_t *ip = pkt->data + ETH_HEADER_LEN;

    if (pkt->len < ETH_HEADER_LEN + 40u) {
        return;
    }
    if (ip[0] >> 4 == 4) {
        swap(ip + 12, ip + 16, 4);
    } else {
        swap(ip + 8, ip + 24, 16);
    }
    if (pkt->l4_ofs != PACKET_NO_OFS && pkt->len >= pkt->l4_ofs + 4u) {
        swap(pkt->data + pkt->l4_ofs, pkt->data + pkt->l4_ofs + 2, 2);
    }
    pkt->ct_state = 0;
    settle(pkt);
}

static struct packet *
read_packet(struct rig *rig, struct cursor *c)
{
    uint8_t len = cursor_u8(c);
    struct cursor bytes = cursor_sub(c, MIN(len, cursor_left(c)));
    struct packet *pkt = packet_alloc(rig->pool, 512);
    size_t n = cursor_left(&bytes);

    if (!pkt) {
        return NULL;
    }
    memset(pkt->data, 0, ETH_HEADER_LEN);
    memcpy(pkt->data + ETH_HEADER_LEN, bytes.p, n);
    pkt->len = (uint32_t) (ETH_HEADER_LEN + n);
    put_be16(pkt->data + 12, htobe16(n && pkt->data[ETH_HEADER_LEN] >> 4 == 6
                                     ? ETH_TYPE_IPV6 : ETH_TYPE_IP));
    pkt->offload.flags = OFFLOAD_DATA_VALID;
    settle(pkt);
    return pkt;
}

static void
free_list(struct packet *list)
{
    while (list) {
        struct packet *next = list->next;

        packet_free(list);
        list = next;
    }
}

static void
set_nat(struct ct_nat *nat, uint8_t how)
{
    nat->kind = how & 3;
    nat->is_random = how & 4;
    if (nat->kind == CT_NAT_SRC || nat->kind == CT_NAT_DST) {
        nat->family = how & 8 ? 6 : 4;
        nat->min = (struct ip6_addr) { { 198, 51, 100 } };
        nat->min.b[nat->family == 4 ? 3 : 15] = 1;
        nat->max = nat->min;
        nat->max.b[nat->family == 4 ? 3 : 15] += how >> 4 & 1;
        nat->has_ports = how & 32;
        nat->port_min = nat->has_ports ? 1000 : 0;
        nat->port_max = nat->has_ports ? 1001 : 0;
    }
}

static void
check(const struct packet *pkt, uint32_t len)
{
    const uint8_t *ip = pkt->data + ETH_HEADER_LEN;

    require(pkt->len == len && pkt->ct_state & FLOW_CT_TRK);
    if (pkt->ct_state & FLOW_CT_INV) {
        require(!(pkt->ct_state & (FLOW_CT_NEW | FLOW_CT_EST | FLOW_CT_REL)));
    } else if (ip[0] >> 4 == 4) {
        require(!checksum_fold(checksum_add(0, ip, (ip[0] & 0xf) * 4u)));
    }
}

static void
track(struct rig *rig, struct packet *pkt, uint8_t flags, uint8_t how)
{
    struct ct_request req = {
        .zone = zones[how >> 6], .commit = flags & COMMIT,
        .force = (flags & (COMMIT | FORCE)) == (COMMIT | FORCE),
        .mark = flags & MARK, .mark_mask = flags & MARK,
    };
    enum ct_verdict verdict;
    uint32_t len = pkt->len;

    set_nat(&req.nat, how);
    free_list(conntrack_execute(rig->ct, 0, &pkt, 1, &req, rig->now,
                                &verdict));
    if (verdict == CT_WAITS) {
        return;
    }
    if (verdict == CT_PASS) {
        check(pkt, len);
    }
    if (rig->last) {
        packet_free(rig->last);
    }
    rig->last = pkt;
}

static void
step(struct rig *rig, struct cursor *c)
{
    uint8_t flags = cursor_u8(c), how = cursor_u8(c);
    struct packet *pkt = NULL;

    rig->now += flags & WAIT_LONG ? 200 * 1000 : flags & WAIT ? 1000 : 1;
    if (flags & SWEEP) {
        conntrack_sweep(rig->ct, 0, 2048, rig->now);
        free_list(conntrack_give_up(rig->ct, rig->now));
    }
    if (flags & AGAIN && rig->last) {
        pkt = packet_clone(rig->pool, rig->last);
        if (pkt && flags & TURN) {
            turn_round(pkt);
        }
    } else {
        pkt = read_packet(rig, c);
    }
    if (pkt) {
        track(rig, pkt, flags, how);
    }
}

/* One tracker for all inputs, since it takes long to make: each leaves nothing
 * behind, and the next one comes when all its fragments are too old. */
static void
end(struct rig *rig)
{
    if (rig->last) {
        packet_free(rig->last);
        rig->last = NULL;
    }
    conntrack_flush(rig->ct, 0, 0, NULL, NULL);
    rig->now += 1000 * 1000;
    while (packet_pool_in_use(rig->pool)) {
        free_list(conntrack_give_up(rig->ct, rig->now));
    }
    require(!conntrack_count(rig->ct) && !conntrack_n_mappings(rig->ct));
    for (unsigned int i = 0; i < ARRAY_SIZE(zones); i++) {
        require(!conntrack_zone_count(rig->ct, zones[i]));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;
    struct cursor c = cursor_init(data, size);

    if (!rig.ct) {
        struct ct_config config = { .max_connections = 1024, .hash_seed = 1,
                                    .outside_zone_min = 0xf000 };

        rig.ct = conntrack_create(&config);
        rig.pool = packet_pool_create(600, 0);
        rig.now = 1000;
    }
    while (cursor_left(&c) >= 2) {
        step(&rig, &c);
    }
    end(&rig);
    return 0;
}
