/* ICMP errors, with whatever is inside of them, about connections that are translated.
 *
 * The input is a byte of flags (IPv6, from inside, a wrong checksum, without NAT,
 * committed), the type, the code, and what follows the ICMP header.  There is a
 * connection each of UDP, TCP, SCTP, GRE and ping, by IPv4 and IPv6, from an inside
 * zone.
 *
 * Always: the length stays; what belongs to none is not touched; what belongs to one
 * has right sums and is about an inside address when it goes in, and about none when
 * it goes out; the connections stay.
 *
 * Covers: src/conntrack/rewrite.c src/conntrack/tuple.c src/conntrack/nat.c */
#include <stdlib.h>

#include "conntrack/tuple.h"
#include "packet/checksum.h"
#include "packet/eth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IP6 = 1, FROM_INSIDE = 2, BAD_SUM = 4, NO_NAT = 8, COMMIT = 16 };
enum { INSIDE_ZONE = 1, OUTSIDE_ZONE = 0xf001, MAX_INNER = 1200, ROOM = 1536,
       N_CONNECTIONS = 10 };

struct ends {
    uint8_t inside[16], router[16], outside[16], external[16];
};

static const struct ends ends4 = {
    { 10, 0, 0, 1 }, { 10, 0, 0, 9 }, { 203, 0, 113, 5 }, { 198, 51, 100, 1 },
}, ends6 = {
    { 0xfd, [15] = 1 }, { 0xfd, [15] = 9 },
    { 0x20, 1, 0x0d, 0xb8, [15] = 5 }, { 0x20, 1, 0x0d, 0xb8, 1, [15] = 1 },
};

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* An IP header; returns where it ends. */
static uint8_t *
put_ip(struct packet *pkt, bool is_ip6, uint8_t proto, const uint8_t *src,
       const uint8_t *dst, size_t len)
{
    uint8_t *ip = pkt->data + ETH_HEADER_LEN;

    memset(pkt->data, 0, ETH_HEADER_LEN + 40);
    put_be16(pkt->data + 12, htobe16(is_ip6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP));
    if (is_ip6) {
        ip[0] = 0x60;
        put_be16(ip + 4, htobe16((uint16_t) len));
        ip[6] = proto;
        ip[7] = 64;
        memcpy(ip + 8, src, 16);
        memcpy(ip + 24, dst, 16);
        pkt->len = (uint32_t) (ETH_HEADER_LEN + 40 + len);
        return ip + 40;
    }
    ip[0] = 0x45;
    put_be16(ip + 2, htobe16((uint16_t) (20 + len)));
    ip[8] = 64;
    ip[9] = proto;
    memcpy(ip + 12, src, 4);
    memcpy(ip + 16, dst, 4);
    put_be16(ip + 10, checksum_fold(checksum_add(0, ip, 20)));
    pkt->len = (uint32_t) (ETH_HEADER_LEN + 20 + len);
    return ip + 20;
}

static void
track(struct conntrack *ct, struct packet *pkt, const struct ct_request *req,
      enum ct_verdict *verdict)
{
    struct flow_key key;

    flow_key_extract(pkt, &key);
    require(!conntrack_execute(ct, 0, &pkt, 1, req, 1000, verdict));
}

static void
begin_one(struct conntrack *ct, struct packet *pkt, bool is_ip6, uint8_t proto)
{
    const struct ends *e = is_ip6 ? &ends6 : &ends4;
    uint8_t *l4 = put_ip(pkt, is_ip6, proto, e->inside, e->outside, 32);
    struct ct_request req = {
        .zone = INSIDE_ZONE, .commit = true,
        .nat = { .kind = CT_NAT_SRC, .family = is_ip6 ? 6 : 4 },
    };
    enum ct_verdict verdict;

    memcpy(req.nat.min.b, e->external, is_ip6 ? 16 : 4);
    req.nat.max = req.nat.min;
    memset(l4, 0, 32);
    put_be16(l4, htobe16(5000));
    put_be16(l4 + 2, htobe16(53));
    if (proto == IP_PROTO_TCP) {
        l4[12] = 5 << 4;
        l4[13] = 2;
    } else if (proto == IP_PROTO_SCTP) {
        l4[12] = 1;               /* INIT */
        put_be16(l4 + 14, htobe16(20));
        l4[19] = 7;
    } else if (proto == IP_PROTO_UDP) {
        put_be16(l4 + 4, htobe16(32));
    } else if (ct_proto_is_icmp(proto)) {
        put_be16(l4, htobe16(is_ip6 ? 0x8000 : 0x0800));
        put_be16(l4 + 4, htobe16(5000));
    }
    pkt->ct_state = 0;
    pkt->offload.flags = OFFLOAD_DATA_VALID;
    track(ct, pkt, &req, &verdict);
    require(verdict == CT_PASS && pkt->ct_state & FLOW_CT_SNAT);
}

static void
begin_all(struct conntrack *ct, struct packet *pkt)
{
    static const uint8_t protos[] = { IP_PROTO_UDP, IP_PROTO_TCP,
                                      IP_PROTO_SCTP, IP_PROTO_GRE };

    for (unsigned int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
        for (unsigned int i = 0; i < ARRAY_SIZE(protos); i++) {
            begin_one(ct, pkt, is_ip6, protos[i]);
        }
        begin_one(ct, pkt, is_ip6, is_ip6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP);
    }
    pkt->offload.flags = 0;
    require(conntrack_count(ct) == N_CONNECTIONS);
}

static uint16_t
icmp_sum(const struct packet *pkt, bool is_ip6, const uint8_t *l4)
{
    uint32_t len = pkt->len - (uint32_t) (l4 - pkt->data);
    const uint8_t *ip = pkt->data + ETH_HEADER_LEN;
    uint32_t sum = is_ip6 ? checksum_reduce(checksum_pseudo6(
                                ip + 8, ip + 24, IP_PROTO_ICMPV6, len)) : 0;

    return checksum_fold(checksum_add(sum, l4, len));
}

static void
check_related(const struct packet *pkt, bool is_ip6, bool from_inside,
              const uint8_t *l4)
{
    const struct ends *e = is_ip6 ? &ends6 : &ends4;
    size_t len = is_ip6 ? 16 : 4;
    const uint8_t *outer = pkt->data + ETH_HEADER_LEN + (is_ip6 ? 8 : 12);
    const uint8_t *inner = l4 + 8 + (is_ip6 ? 8 : 12);

    require(!icmp_sum(pkt, is_ip6, l4));
    require(is_ip6 || !checksum_fold(checksum_add(
                          0, pkt->data + ETH_HEADER_LEN, 20)));
    if (from_inside) {
        require(!memcmp(outer, e->external, len));
        require(!memcmp(inner + len, e->external, len));
    } else {
        require(!memcmp(outer + len, e->inside, len));
        require(!memcmp(inner, e->inside, len));
    }
}

static bool
is_error(bool is_ip6, uint8_t type)
{
    return is_ip6 ? type < 128
                  : type != 0 && type != 8 && (type < 13 || type > 16);
}

static void
try(struct conntrack *ct, struct packet *pkt, const uint8_t *data, size_t size)
{
    bool is_ip6 = data[0] & IP6, from_inside = data[0] & FROM_INSIDE;
    const struct ends *e = is_ip6 ? &ends6 : &ends4;
    struct ct_request req = {
        .zone = from_inside ? INSIDE_ZONE : OUTSIDE_ZONE,
        .commit = data[0] & COMMIT,
        .nat.kind = data[0] & NO_NAT ? CT_NAT_NONE : CT_NAT_EXISTING,
    };
    size_t len = MIN(size - 3, (size_t) MAX_INNER);
    uint8_t *l4 = put_ip(pkt, is_ip6,
                         is_ip6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP,
                         from_inside ? e->router : e->outside,
                         from_inside ? e->outside : e->external, 8 + len);
    uint8_t before[ROOM];
    enum ct_verdict verdict;
    uint32_t total = pkt->len;

    memset(l4, 0, 8);
    l4[0] = data[1];
    l4[1] = data[2];
    memcpy(l4 + 8, data + 3, len);
    put_be16(l4 + 2, icmp_sum(pkt, is_ip6, l4));
    l4[2] ^= data[0] & BAD_SUM ? 0x55 : 0;
    memcpy(before, pkt->data, total);
    pkt->ct_state = 0;
    track(ct, pkt, &req, &verdict);

    require(pkt->len == total && verdict != CT_WAITS);
    if (verdict != CT_PASS) {
        return;
    }
    require(pkt->ct_state & FLOW_CT_TRK);
    if (pkt->ct_state & FLOW_CT_REL) {
        require(is_error(is_ip6, data[1]) && !(data[0] & BAD_SUM));
        if (req.nat.kind) {
            check_related(pkt, is_ip6, from_inside, l4);
        }
    } else if (is_error(is_ip6, data[1])) {
        require(pkt->ct_state & FLOW_CT_INV);
        require(!memcmp(before, pkt->data, total));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct packet_pool *pool;
    static struct conntrack *ct;
    static struct packet *pkt;

    if (!ct) {
        struct ct_config config = { .max_connections = 4096, .hash_seed = 1,
                                    .outside_zone_min = 0xf000 };

        ct = conntrack_create(&config);
        pool = packet_pool_create(1, 0);
        pkt = packet_alloc(pool, ROOM);
        begin_all(ct, pkt);
    }
    if (size >= 3) {
        try(ct, pkt, data, size);
        /* Pings may have begun more. */
        require(conntrack_count(ct) >= N_CONNECTIONS);
        if (conntrack_count(ct) > N_CONNECTIONS) {
            conntrack_flush(ct, 0, 1000, NULL, NULL);
            begin_all(ct, pkt);
        }
    }
    return 0;
}
