#include "port/coalesce.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/offload.h"

enum {
    TCP_SEQ = 4, TCP_ACK = 8, TCP_OFFSET = 12, TCP_FLAGS = 13,
    TCP_WINDOW = 14, TCP_URGENT = 18,
    FLAG_PSH = 0x08, FLAG_ACK = 0x10,
    /* Deeper, as in a provider's backbone, kernels cannot segment. */
    MAX_L3 = ETH_HEADER_LEN + 2 * VLAN_TAG_LEN,
};

static struct packet *
packet_of(const struct coalesce *c)
{
    return *c->slot;
}

/* ---- Checksums ---- */

static uint32_t
pseudo_sum(const struct coalesce *c, const uint8_t *frame, uint32_t l4_len)
{
    const uint8_t *ip = frame + c->l3;

    return c->is_ip6
           ? checksum_pseudo6(ip + offsetof(struct ip6_header, src),
                              ip + offsetof(struct ip6_header, dst),
                              IP_PROTO_TCP, l4_len)
           : checksum_pseudo4(get_be32(ip + offsetof(struct ip4_header, src)),
                              get_be32(ip + offsetof(struct ip4_header, dst)),
                              IP_PROTO_TCP, (uint16_t) l4_len);
}

/* Right, or owed as offload_find_owed() knows it.  The payload is copied, right or
 * not, if `to` is set. */
static bool
is_tcp_right(const struct coalesce *c, const uint8_t *frame, uint32_t len,
             uint8_t *to)
{
    const uint8_t *tcp = frame + c->l4, *payload = frame + c->hdr_len;
    uint32_t n = len - c->hdr_len, sum = pseudo_sum(c, frame, len - c->l4);
    be16 owed = checksum_reduce(sum);

    sum = checksum_add(sum, tcp, c->hdr_len - c->l4);
    sum = to ? checksum_copy(sum, to, payload, n)
             : checksum_add(sum, payload, n);
    return get_be16(tcp + TCP_CSUM_OFS) == owed || !checksum_fold(sum);
}

static bool
is_ip_right(const struct coalesce *c, const uint8_t *frame)
{
    return c->is_ip6
           || !checksum_fold(checksum_add(0, frame + c->l3,
                                          sizeof(struct ip4_header)));
}

/* ---- The first one ---- */

static bool
read_ip4(struct coalesce *c, const uint8_t *frame, uint32_t len)
{
    const struct ip4_header *ip = (const void *) (frame + c->l3);

    if (c->l3 + sizeof *ip > len || ip->ver_ihl != 0x45
        || ip->frag & htobe16(IP4_FRAG_MORE | IP4_FRAG_OFS)
        || ip->proto != IP_PROTO_TCP
        || be16toh(ip->total_len) != len - c->l3) {
        return false;
    }
    c->is_ip6 = false;
    c->l4 = c->l3 + (uint32_t) sizeof *ip;
    c->next_id = (uint16_t) (be16toh(ip->id) + 1);
    return true;
}

static bool
read_ip6(struct coalesce *c, const uint8_t *frame, uint32_t len)
{
    const struct ip6_header *ip = (const void *) (frame + c->l3);

    if (c->l3 + sizeof *ip > len || frame[c->l3] >> 4 != 6
        || ip->next != IP_PROTO_TCP
        || be16toh(ip->payload_len) != len - c->l3 - sizeof *ip) {
        return false;
    }
    c->is_ip6 = true;
    c->l4 = c->l3 + (uint32_t) sizeof *ip;
    return true;
}

static bool
read_first(struct coalesce *c, const struct packet *pkt)
{
    const uint8_t *frame = pkt->data, *tcp;
    uint16_t type;

    c->l3 = offload_l3_ofs(pkt, pkt->len);
    if (!c->l3 || c->l3 > MAX_L3 || pkt->offload.gso_size) {
        return false;
    }
    type = be16toh(get_be16(frame + c->l3 - 2));
    if (!(type == ETH_TYPE_IP     ? read_ip4(c, frame, pkt->len)
          : type == ETH_TYPE_IPV6 ? read_ip6(c, frame, pkt->len)
                                  : false)
        || c->l4 + TCP_HEADER_LEN > pkt->len) {
        return false;
    }
    tcp = frame + c->l4;
    c->hdr_len = c->l4 + (tcp[TCP_OFFSET] >> 4) * 4u;
    if (c->hdr_len < c->l4 + TCP_HEADER_LEN || c->hdr_len >= pkt->len
        || tcp[TCP_FLAGS] != FLAG_ACK || tcp[TCP_OFFSET] & 0xf
        || get_be16(tcp + TCP_URGENT)) {
        return false;
    }
    c->segment = pkt->len - c->hdr_len;
    c->next_seq = be32toh(get_be32(tcp + TCP_SEQ)) + c->segment;
    return true;
}

void
coalesce_begin(struct coalesce *c, struct packet **slot)
{
    coalesce_end(c);
    if (read_first(c, *slot)) {
        c->slot = slot;
        c->n = 1;
    }
}

/* ---- The next one ---- */

static bool
goes_on_ip4(const struct coalesce *c, const uint8_t *first,
            const uint8_t *frame, uint32_t len)
{
    const struct ip4_header *a = (const void *) (first + c->l3);
    const struct ip4_header *b = (const void *) (frame + c->l3);
    uint16_t id = be16toh(b->id);

    /* Who forbids fragments needs no identification (RFC 6864). */
    return a->ver_ihl == b->ver_ihl && a->tos == b->tos
           && be16toh(b->total_len) == len - c->l3
           && (id == c->next_id || (!id && !a->id
                                    && b->frag & htobe16(IP4_FRAG_DONT)))
           && a->frag == b->frag && a->ttl == b->ttl && a->proto == b->proto
           && !memcmp(a->src, b->src, sizeof a->src + sizeof a->dst);
}

static bool
goes_on_ip6(const struct coalesce *c, const uint8_t *first,
            const uint8_t *frame, uint32_t len)
{
    const struct ip6_header *a = (const void *) (first + c->l3);
    const struct ip6_header *b = (const void *) (frame + c->l3);

    return a->ver_tc_label == b->ver_tc_label
           && be16toh(b->payload_len) == len - c->l3 - sizeof *b
           && a->next == b->next && a->hop_limit == b->hop_limit
           && !memcmp(a->src, b->src, sizeof a->src + sizeof a->dst);
}

static bool
goes_on_tcp(const struct coalesce *c, const uint8_t *a, const uint8_t *b)
{
    return get_be32(a) == get_be32(b)             /* ports */
           && be32toh(get_be32(b + TCP_SEQ)) == c->next_seq
           && get_be32(a + TCP_ACK) == get_be32(b + TCP_ACK)
           && a[TCP_OFFSET] == b[TCP_OFFSET]
           && (b[TCP_FLAGS] & ~FLAG_PSH) == FLAG_ACK
           && get_be16(a + TCP_WINDOW) == get_be16(b + TCP_WINDOW)
           && get_be16(a + TCP_URGENT) == get_be16(b + TCP_URGENT)
           && !memcmp(a + TCP_HEADER_LEN, b + TCP_HEADER_LEN,
                      c->hdr_len - c->l4 - TCP_HEADER_LEN);
}

static bool
goes_on(const struct coalesce *c, const uint8_t *frame, uint32_t len)
{
    const struct packet *pkt = packet_of(c);
    const uint8_t *first = pkt->data;

    return len > c->hdr_len && len - c->hdr_len <= c->segment
           && pkt->len + (len - c->hdr_len) - c->l3 <= UINT16_MAX
           && c->n < OFFLOAD_MAX_SEGMENTS
           && !memcmp(first, frame, c->l3)
           && (c->is_ip6 ? goes_on_ip6 : goes_on_ip4)(c, first, frame, len)
           && goes_on_tcp(c, first + c->l4, frame + c->l4);
}

/* Room for `len` more; the packet may become another. */
static bool
make_room(struct coalesce *c, struct packet_pool *pool, uint32_t len)
{
    struct packet *pkt = packet_of(c), *big;

    if (packet_tailroom(pkt) >= len) {
        return true;
    }
    big = packet_alloc(pool, PACKET_MAX_LEN);
    if (!big) {
        return false;
    }
    memcpy(big->data, pkt->data, pkt->len);
    big->len = pkt->len;
    packet_copy_metadata(big, pkt);
    *c->slot = big;
    packet_free(pkt);
    return packet_tailroom(big) >= len;
}

bool
coalesce_append(struct coalesce *c, struct packet_pool *pool,
                const uint8_t *frame, uint32_t len)
{
    uint32_t payload = len - c->hdr_len;
    struct packet *pkt;

    if (!c->slot || !goes_on(c, frame, len) || !is_ip_right(c, frame)) {
        return false;
    }
    pkt = packet_of(c);
    if (!c->is_verified && (!is_ip_right(c, pkt->data)
                            || !is_tcp_right(c, pkt->data, pkt->len, NULL))) {
        c->slot = NULL;
        return false;
    }
    c->is_verified = true;
    if (!make_room(c, pool, payload)) {
        return false;
    }
    /* What is wrong stays behind the packet's end. */
    pkt = packet_of(c);
    if (!is_tcp_right(c, frame, len, pkt->data + pkt->len)) {
        return false;
    }
    pkt->len += payload;
    c->next_seq += payload;
    c->next_id++;
    c->n++;
    if (frame[c->l4 + TCP_FLAGS] & FLAG_PSH || payload < c->segment) {
        pkt->data[c->l4 + TCP_FLAGS] |= frame[c->l4 + TCP_FLAGS] & FLAG_PSH;
        coalesce_end(c);
    }
    return true;
}

/* ---- The end ---- */

static void
finish_ip(const struct coalesce *c, struct packet *pkt)
{
    if (c->is_ip6) {
        struct ip6_header *ip = (void *) (pkt->data + c->l3);

        ip->payload_len = htobe16((uint16_t) (pkt->len - c->l4));
    } else {
        struct ip4_header *ip = (void *) (pkt->data + c->l3);

        ip->total_len = htobe16((uint16_t) (pkt->len - c->l3));
        ip->csum = 0;
        ip->csum = checksum_fold(checksum_add(0, ip, sizeof *ip));
    }
}

void
coalesce_end(struct coalesce *c)
{
    struct packet *pkt = c->slot ? packet_of(c) : NULL;

    if (pkt && c->n > 1) {
        finish_ip(c, pkt);
        put_be16(pkt->data + c->l4 + TCP_CSUM_OFS,
                 checksum_reduce(pseudo_sum(c, pkt->data,
                                            pkt->len - c->l4)));
        pkt->offload = (struct offload) {
            .flags = OFFLOAD_NEEDS_CSUM,
            .gso_type = c->is_ip6 ? GSO_TCPV6 : GSO_TCPV4,
            .hdr_len = (uint16_t) c->hdr_len,
            .gso_size = (uint16_t) c->segment,
            .csum_start = (uint16_t) c->l4, .csum_offset = TCP_CSUM_OFS,
        };
    }
    *c = (struct coalesce) { .slot = NULL };
}
