/* Fragments in any order, on their way through NAT.
 *
 * The input is steps of four bytes: which of eight datagrams, in which of three
 * zones, what time passes before; where the fragment begins, in units of eight bytes;
 * how many of these it has, whether more follow, what is asked for; and how many
 * bytes more it has than whole units.
 *
 * Always, by a plain map of each datagram: no two fragments that overlap both pass,
 * before the datagram is whole or too old; what they carry is not touched; so many
 * wait and no more; and all that waited comes back.
 *
 * Covers: src/conntrack/fragments.c */
#include <stdlib.h>

#include "conntrack/fragments.h"
#include "packet/checksum.h"
#include "packet/eth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_IDS = 8, N_ZONES = 4, UNITS = 256 + 40, STEP = 4,
       PAYLOAD = ETH_HEADER_LEN + 20 };
enum { MORE = 0x20, NAT = 0x40, COMMIT = 0x80 };

static const uint16_t zones[N_ZONES] = { 0, 1, 0xf001, 0xf001 };

/* What of a datagram was taken. */
struct map {
    bool units[UNITS];
    bool is_whole;
    uint32_t n_bytes, len;
    msec began;
};

struct rig {
    struct conntrack *ct;
    struct packet_pool *pool;
    msec now;
    struct map maps[N_ZONES][N_IDS];
};

struct piece {
    uint8_t id, zone;
    uint32_t first, len;          /* bytes of the datagram */
    bool is_more;
};

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static uint8_t
byte_at(const struct piece *p, uint32_t i)
{
    return (uint8_t) (p->id * 31 + p->first + i);
}

static struct packet *
make(struct rig *rig, const struct piece *p)
{
    struct packet *pkt = packet_alloc(rig->pool, 512);
    uint8_t *ip = pkt->data + ETH_HEADER_LEN;
    struct flow_key key;

    memset(pkt->data, 0, PAYLOAD);
    put_be16(pkt->data + 12, htobe16(ETH_TYPE_IP));
    ip[0] = 0x45;
    put_be16(ip + 2, htobe16((uint16_t) (20 + p->len)));
    put_be16(ip + 4, htobe16(p->id));
    put_be16(ip + 6, htobe16((uint16_t) (p->first / 8
                                         | (p->is_more ? IP4_FRAG_MORE : 0))));
    ip[8] = 64;
    ip[9] = IP_PROTO_UDP;
    put_be32(ip + 12, htobe32(0x0a000001));
    put_be32(ip + 16, htobe32(0xcb007105));
    put_be16(ip + 10, checksum_fold(checksum_add(0, ip, 20)));
    for (uint32_t i = 0; i < p->len; i++) {
        pkt->data[PAYLOAD + i] = byte_at(p, i);
    }
    pkt->len = PAYLOAD + p->len;
    flow_key_extract(pkt, &key);
    return pkt;
}

static void
free_list(struct packet *list, bool is_tracked)
{
    while (list) {
        struct packet *next = list->next;

        require(!!(list->ct_state & FLOW_CT_TRK) == is_tracked);
        packet_free(list);
        list = next;
    }
}

/* Zones 2 and 3 are one. */
static struct map *
map_of(struct rig *rig, const struct piece *p)
{
    return &rig->maps[MIN(p->zone, 2)][p->id];
}

/* It was taken, or at least seen. */
static void
note(struct map *map, const struct piece *p, bool is_taken)
{
    uint32_t end = p->first + p->len;

    for (uint32_t i = p->first / 8; is_taken && i * 8 < end; i++) {
        require(!map->units[i]);
        map->units[i] = true;
    }
    map->n_bytes += p->len;
    if (!p->is_more) {
        map->len = end;
    }
    map->is_whole = map->len && map->n_bytes >= map->len;
}

static void
check_payload(const struct packet *pkt, const struct piece *p)
{
    require(pkt->len == PAYLOAD + p->len);
    /* Ports and checksum of the first one are NAT's. */
    for (uint32_t i = p->first ? 0 : 8; i < p->len; i++) {
        require(pkt->data[PAYLOAD + i] == byte_at(p, i));
    }
}

static void
send_piece(struct rig *rig, const struct piece *p, uint8_t how)
{
    struct ct_request req = { .zone = zones[p->zone],
                              .commit = how & COMMIT };
    struct map *map = map_of(rig, p);
    struct packet *pkt = make(rig, p);
    enum ct_verdict verdict;

    if (how & NAT) {
        req.nat.kind = req.commit ? CT_NAT_SRC : CT_NAT_EXISTING;
        req.nat.family = req.commit ? 4 : 0;
        req.nat.min = (struct ip6_addr) { { 198, 51, 100, 1 } };
        req.nat.max = req.nat.min;
    }
    if (map->is_whole || rig->now - map->began >= FRAGMENTS_TIME) {
        *map = (struct map) { .began = rig->now };
    }
    free_list(conntrack_execute(rig->ct, 0, &pkt, 1, &req, rig->now,
                                &verdict), true);
    if (verdict != CT_FRAGMENT_BAD) {
        note(map, p, verdict == CT_PASS || verdict == CT_WAITS);
    }
    if (verdict == CT_PASS) {
        check_payload(pkt, p);
    }
    if (verdict != CT_WAITS) {
        packet_free(pkt);
    }
    require(packet_pool_in_use(rig->pool) <= FRAGMENTS_WAITING);
}

static void
step(struct rig *rig, const uint8_t *b)
{
    struct piece p = {
        .id = b[0] & 7, .zone = b[0] >> 3 & 3, .first = b[1] * 8u,
        .len = (b[2] & 0x1fu) * 8 + 8, .is_more = b[2] & MORE,
    };

    if (b[0] & 0x80) {
        free_list(conntrack_give_up(rig->ct, rig->now), false);
        rig->now += b[0] & 0x40 ? 40 * 1000 : FRAGMENTS_LINGER + 1;
    }
    p.len += b[3] & 7;
    if (!p.first && !p.is_more) {
        return;                   /* not one of several */
    }
    send_piece(rig, &p, (b[2] & NAT) | (b[3] & COMMIT));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;        /* the tracker takes long to make */

    if (!rig.ct) {
        struct ct_config config = { .max_connections = 1024, .hash_seed = 1,
                                    .outside_zone_min = 0xf000 };

        rig.ct = conntrack_create(&config);
        rig.pool = packet_pool_create(FRAGMENTS_WAITING + 8, 0);
        rig.now = 1000;
    }
    for (size_t i = 0; i + STEP <= size; i += STEP) {
        step(&rig, data + i);
    }
    conntrack_flush(rig.ct, 0, 0, NULL, NULL);
    rig.now += 1000 * 1000;
    while (packet_pool_in_use(rig.pool)) {
        free_list(conntrack_give_up(rig.ct, rig.now), false);
    }
    memset(rig.maps, 0, sizeof rig.maps);
    require(!conntrack_count(rig.ct) && !conntrack_n_mappings(rig.ct));
    return 0;
}
