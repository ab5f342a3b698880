/* What a packet is.
 *
 * A `struct packet` owns a buffer with headroom in front of the data (for
 * tunnel and VLAN headers) and remembers what is still owed on it: the offload
 * state, which mirrors the virtio-net header (virtio 1.2, section 5.1.6).  A
 * 64 KB super-frame of TCP stays one packet until an output cannot take it.
 *
 * Always true:
 *   - data points into [buf, buf + buf_size), and data + len does too;
 *   - at least PACKET_HEADROOM bytes lie before data when a port has just
 *     received the packet;
 *   - offload.csum_start, hdr_len and the l*_ofs offsets count from data;
 *     whoever moves data (push, pop) moves them.
 *
 * Buffers come from a pool.  A pool belongs to one thread (the forwarding
 * worker); packet_free() may be called from any thread, the buffer finds its
 * way home.  Exactly one owner at a time: a function whose name says send, drop
 * or insert takes the packet over, others borrow it. */
#ifndef WEFT_PACKET_PACKET_H
#define WEFT_PACKET_PACKET_H

#include "lib/types.h"
#include "packet/tunnel.h"

enum {
    PACKET_HEADROOM = 256,          /* before data, at receive */
    PACKET_SMALL_ROOM = 1792,       /* data bytes of a small buffer */
    PACKET_MAX_LEN = 65536 + 128,   /* longest frame: 64 KB of IP and tags */
    PACKET_NO_OFS = UINT16_MAX,     /* this header is not there */
};

/* Values are those of struct virtio_net_hdr, so that a port copies them. */
enum offload_flags {
    OFFLOAD_NEEDS_CSUM = 1,   /* the checksum at csum_start + csum_offset holds
                                 only the pseudo-header sum */
    OFFLOAD_DATA_VALID = 2,   /* checksums were verified by who gave it to us */
};

enum gso_type {
    GSO_NONE = 0,
    GSO_TCPV4 = 1,
    GSO_TCPV6 = 4,
    GSO_UDP_L4 = 5,           /* USO: UDP payloads of gso_size each */
    GSO_ECN = 0x80,           /* flag: TCP has CWR set on its first segment */
};

struct offload {
    uint8_t flags;            /* enum offload_flags */
    uint8_t gso_type;         /* enum gso_type, perhaps with GSO_ECN */
    uint16_t hdr_len;         /* bytes before the payload, with GSO */
    uint16_t gso_size;        /* payload bytes per segment */
    uint16_t csum_start;
    uint16_t csum_offset;
};

/* What a connection tracker made of the packet (conntrack/conntrack.h).  Of no
 * meaning while the packet's ct_state is 0. */
struct packet_ct {
    uint32_t conn;            /* which connection, for who tracks it again; */
    uint32_t generation;      /* 0: none */
    uint32_t mark;
    uint16_t zone;
    bool is_reply, is_related;
    /* The original direction's addresses (IPv4 as v4-mapped IPv6), protocol (0:
     * not known) and ports, or ICMP's type and code. */
    uint8_t proto;
    be16 tp_src, tp_dst;
    be16 met_port;            /* destination port (ICMP: identifier) before NAT
                                 changed it; of no connection yet */
    struct ip6_addr label;
    struct ip6_addr src, dst;
};

struct packet_pool;

struct packet {
    uint8_t *data;
    uint32_t len;
    uint32_t in_port;         /* datapath port id it came in by */
    uint16_t l2_5_ofs;        /* MPLS label stack, or PACKET_NO_OFS */
    uint16_t l3_ofs;          /* set by flow_key_extract() */
    uint16_t l4_ofs;
    uint16_t pad_len;         /* bytes of Ethernet padding after the L3 length */
    struct offload offload;
    uint8_t ct_state;         /* enum flow_ct_state; 0: was not tracked */
    uint8_t unused;
    uint32_t recirc_id;       /* 0 on receive */
    uint32_t hash;            /* of the flow key; 0 when not computed */
    uint32_t n_trunc;         /* output only the first n bytes; 0 = all */

    uint8_t *buf;
    uint32_t buf_size;
    bool big;
    struct packet_pool *pool;
    struct packet *next;      /* pool's free list; else the owner's */
    uint64_t time;            /* ports that hold packets (impair, pcap): usec */
    struct packet_ct ct;
    struct tunnel_key tun;    /* that it came by, or is to leave by */
};

/* `n_small` buffers of PACKET_SMALL_ROOM, `n_big` of PACKET_MAX_LEN; memory is
 * reserved now and touched when used. */
struct packet_pool *packet_pool_create(unsigned int n_small,
                                       unsigned int n_big);
/* Every packet must have come home; the calling thread must be the owner. */
void packet_pool_destroy(struct packet_pool *);
/* The calling thread becomes the owner (a pool is often created elsewhere). */
void packet_pool_adopt(struct packet_pool *);
/* How many buffers are out: for leak checks. */
unsigned int packet_pool_in_use(const struct packet_pool *);

/* A packet with room for `room` data bytes and length 0, or NULL when the pool
 * is used up (count it as DROP_NO_BUFFER).  Owner thread only. */
struct packet *packet_alloc(struct packet_pool *, uint32_t room);
void packet_free(struct packet *);
/* A full copy, metadata included, from `pool`; NULL when used up. */
struct packet *packet_clone(struct packet_pool *, const struct packet *);

/* All that a packet is besides its bytes. */
static inline void
packet_copy_metadata(struct packet *to, const struct packet *from)
{
    to->in_port = from->in_port;
    to->l2_5_ofs = from->l2_5_ofs;
    to->l3_ofs = from->l3_ofs;
    to->l4_ofs = from->l4_ofs;
    to->pad_len = from->pad_len;
    to->offload = from->offload;
    to->recirc_id = from->recirc_id;
    to->hash = from->hash;
    to->n_trunc = from->n_trunc;
    to->time = from->time;
    to->ct_state = from->ct_state;
    if (UNLIKELY(from->ct_state)) {
        to->ct = from->ct;
    }
    to->tun.family = from->tun.family;
    if (UNLIKELY(from->tun.family)) {
        tunnel_key_copy(&to->tun, &from->tun);
    }
}

/* Makes a packet that was somewhere else already one that `in_port` has just
 * received (what was pushed in front of it stays there: less headroom). */
static inline void
packet_arrive(struct packet *pkt, uint32_t in_port)
{
    pkt->in_port = in_port;
    pkt->l2_5_ofs = pkt->l3_ofs = pkt->l4_ofs = PACKET_NO_OFS;
    pkt->pad_len = 0;
    pkt->recirc_id = 0;
    pkt->hash = 0;
    pkt->n_trunc = 0;
    pkt->ct_state = 0;
    pkt->tun.family = TUNNEL_NONE;
}

/* How many bytes can be put in front of, and behind, the data. */
static inline uint32_t
packet_headroom(const struct packet *pkt)
{
    return (uint32_t) (pkt->data - pkt->buf);
}

static inline uint32_t
packet_tailroom(const struct packet *pkt)
{
    return pkt->buf_size - packet_headroom(pkt) - pkt->len;
}

/* How many frames this packet is on a wire: 1, or its GSO segments. */
static inline uint32_t
packet_n_wire(const struct packet *pkt)
{
    const struct offload *ol = &pkt->offload;

    if (LIKELY(!ol->gso_size) || pkt->len <= ol->hdr_len) {
        return 1;
    }
    return (pkt->len - ol->hdr_len + ol->gso_size - 1) / ol->gso_size;
}

/* And how many bytes in all: every segment repeats the headers. */
static inline uint64_t
packet_wire_bytes(const struct packet *pkt)
{
    return pkt->len + (uint64_t) (packet_n_wire(pkt) - 1)
                      * pkt->offload.hdr_len;
}

/* The longest frame that it is on a wire, Ethernet header included. */
static inline uint32_t
packet_wire_len(const struct packet *pkt)
{
    const struct offload *ol = &pkt->offload;

    if (LIKELY(!ol->gso_size)
        || pkt->len <= (uint32_t) ol->hdr_len + ol->gso_size) {
        return pkt->len;
    }
    return (uint32_t) ol->hdr_len + ol->gso_size;
}

#endif
