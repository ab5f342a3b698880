#include "port/gso.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/offload.h"

enum {
    TCP_SEQ_OFS = 4,
    TCP_FLAGS_OFS = 13,
    TCP_FIN = 0x01,
    TCP_PSH = 0x08,
    TCP_CWR = 0x80,
};

bool
gso_is_taken(const struct packet *pkt, unsigned int features)
{
    const struct offload *ol = &pkt->offload;

    if (ol->flags & OFFLOAD_NEEDS_CSUM && !(features & PORT_F_CSUM)) {
        return false;
    }
    if (LIKELY(!ol->gso_size)) {
        return true;
    }
    if (pkt->l2_5_ofs != PACKET_NO_OFS) {
        return false;
    }
    switch (ol->gso_type & ~GSO_ECN) {
    case GSO_TCPV4: return features & PORT_F_TSO4;
    case GSO_TCPV6: return features & PORT_F_TSO6;
    default: return features & PORT_F_USO;
    }
}

/* A length in a pseudo-header, as words to sum. */
static uint32_t
length_words(uint32_t len)
{
    return (uint32_t) htobe16((uint16_t) len) + htobe16((uint16_t) (len >> 16));
}

bool
gso_begin(struct gso *gso, const struct packet *super,
          bool complete_checksums)
{
    const struct offload *ol = &super->offload;
    unsigned int csum_offset = ol->gso_type == GSO_UDP_L4 ? UDP_CSUM_OFS
                                                          : TCP_CSUM_OFS;
    uint32_t min_len = csum_offset == UDP_CSUM_OFS ? UDP_HEADER_LEN
                                                   : TCP_HEADER_LEN;
    uint32_t sum;

    *gso = (struct gso) { .super = super, .complete = complete_checksums };
    if (!(ol->flags & OFFLOAD_NEEDS_CSUM) || ol->csum_offset != csum_offset
        || ol->hdr_len < ol->csum_start + min_len || ol->hdr_len >= super->len
        || ol->csum_start < ETH_HEADER_LEN) {
        return false;
    }
    gso->l3_ofs = offload_l3_ofs(super, ol->csum_start);
    gso->is_tcp = ol->gso_type != GSO_UDP_L4;
    gso->is_ip6 = super->data[gso->l3_ofs] >> 4 == 6;
    if (!gso->l3_ofs
        || gso->l3_ofs + (gso->is_ip6 ? sizeof(struct ip6_header)
                                      : sizeof(struct ip4_header))
           > ol->csum_start) {
        return false;
    }
    /* What is owed is relative to the whole length; so stays a pseudo-header
     * right whose destination is in a routing header. */
    sum = get_be16(super->data + ol->csum_start + csum_offset);
    sum += (uint16_t) ~checksum_reduce(length_words(super->len
                                                    - ol->csum_start));
    gso->pseudo = checksum_reduce(sum);
    return true;
}

static void
set_ip_length(const struct gso *gso, uint8_t *seg, uint32_t seg_len)
{
    uint32_t len = seg_len - gso->l3_ofs;
    void *p = seg + gso->l3_ofs;

    if (gso->is_ip6) {
        struct ip6_header *ip = p;

        ip->payload_len = htobe16((uint16_t) (len - sizeof *ip));
    } else {
        struct ip4_header *ip = p;

        ip->total_len = htobe16((uint16_t) len);
        ip->id = htobe16((uint16_t) (be16toh(ip->id) + gso->n_done));
        ip->csum = 0;
        ip->csum = checksum_fold(checksum_add(
            0, ip, gso->super->offload.csum_start - gso->l3_ofs));
    }
}

static void
set_transport(const struct gso *gso, uint8_t *l4, uint32_t len, bool is_last)
{
    if (gso->is_tcp) {
        uint32_t seq = be32toh(get_be32(l4 + TCP_SEQ_OFS));

        put_be32(l4 + TCP_SEQ_OFS, htobe32(seq + gso->pos));
        if (!is_last) {
            l4[TCP_FLAGS_OFS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
        }
        if (gso->n_done) {
            /* RFC 3168: one reduction of the window is said once. */
            l4[TCP_FLAGS_OFS] &= (uint8_t) ~TCP_CWR;
        }
    } else {
        put_be16(l4 + 4, htobe16((uint16_t) len));
    }
    put_be16(l4 + gso->super->offload.csum_offset,
             checksum_reduce(gso->pseudo + length_words(len)));
}

/* The payload, and what is owed, over the whole of the transport's data: a UDP
 * checksum of zero would say that there is none. */
static void
copy_and_complete(const struct gso *gso, uint8_t *l4, uint8_t *to,
                  const uint8_t *payload, uint32_t len)
{
    const struct offload *ol = &gso->super->offload;
    uint32_t sum = checksum_add(0, l4, ol->hdr_len - ol->csum_start);
    be16 csum = checksum_fold(checksum_copy(sum, to, payload, len));

    put_be16(l4 + ol->csum_offset,
             !csum && !gso->is_tcp ? UINT16_MAX : csum);
}

uint32_t
gso_write(struct gso *gso, uint8_t *seg)
{
    const struct packet *super = gso->super;
    const struct offload *ol = &super->offload;
    uint32_t len = gso_next_len(gso), n = len - ol->hdr_len;
    const uint8_t *payload = super->data + ol->hdr_len + gso->pos;
    uint8_t *l4 = seg + ol->csum_start;

    memcpy(seg, super->data, ol->hdr_len);
    set_ip_length(gso, seg, len);
    set_transport(gso, l4, len - ol->csum_start, gso_n_left(gso) == 1);
    if (gso->complete) {
        copy_and_complete(gso, l4, seg + ol->hdr_len, payload, n);
    } else {
        memcpy(seg + ol->hdr_len, payload, n);
    }
    gso->pos += n;
    gso->n_done++;
    return len;
}

static struct packet *
cut_segment(struct gso *gso, struct packet_pool *pool)
{
    const struct packet *super = gso->super;
    const struct offload *ol = &super->offload;
    struct packet *seg = packet_alloc(pool, gso_next_len(gso));

    if (!seg) {
        return NULL;
    }
    packet_copy_metadata(seg, super);
    seg->offload = (struct offload) { 0 };
    if (!gso->complete) {
        seg->offload = (struct offload) {
            .flags = OFFLOAD_NEEDS_CSUM, .csum_start = ol->csum_start,
            .csum_offset = ol->csum_offset,
        };
    }
    seg->len = gso_write(gso, seg->data);
    return seg;
}

int
gso_next(struct gso *gso, struct packet_pool *pool, struct batch *batch)
{
    int n = 0;

    while (gso_n_left(gso) && !batch_is_full(batch)) {
        struct packet *seg = cut_segment(gso, pool);

        if (!seg) {
            return n ? n : -ENOBUFS;
        }
        batch_add(batch, seg);
        n++;
    }
    return n;
}
