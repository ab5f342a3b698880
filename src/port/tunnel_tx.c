/* Sending: from packets to datagrams.
 *
 * Frames that follow each other to one far end, of one flow and one size, are a
 * *train*: one system call, which the kernel or the NIC cuts up (UDP_SEGMENT).
 * A super-frame is a train, too: its segments are written here, headers and
 * complete checksums.  GRE has no such thing: each frame is a message, many of
 * which go by one call.
 *
 * Tunnel headers are put in front of frames, and segments behind each other: what
 * the kernel is given in few pieces costs it less than what that costs us.
 *
 * By an underlay (underlay.h) a train becomes a frame, of which it is the payload;
 * what cannot leaves by the socket, as ever.
 *
 * The flow chooses the socket, and with it the outer source port. */
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>

#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/ecn.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/mss.h"
#include "packet/offload.h"
#include "packet/outer.h"
#include "port/gso.h"
#include "port/host_route.h"
#include "port/tunnel_endpoint.h"
#include "port/underlay.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
    TRAIN_MAX = 64,               /* segments; the kernel's bound */
    TRAIN_BYTES = 65507 - 40,     /* UDP's payload in one IP packet, less what
                                     IPv6 needs */
    TRAIN_ROOM = PACKET_HEADROOM + PACKET_MAX_LEN + ENCAP_MAX_LEN,
};
static_assert((int) TRAIN_ROOM >= (int) TRAIN_BYTES, "a train fits");

/* What the outer header is to say. */
struct outward {
    struct sockaddr_in6 to;
    socklen_t to_len;
    bool is_ip6, df;
    uint8_t tos, ttl;
    uint32_t flow;                /* its hash */
};

struct outward_control {
    union {
        uint8_t bytes[3 * CMSG_SPACE(sizeof(int))];
        size_t align;
    };
    size_t len;
};

struct tunnel_tx {
    /* What the options make of what was said of a packet (packet->tun, without
     * Geneve's options): the same for all of which the same is said. */
    bool is_told;                 /* else nothing of it is known */
    struct tunnel_key told;
    struct ip6_addr remote;
    uint8_t tos;                  /* of those that inherit none */
    uint32_t header_len;
    uint8_t header[ENCAP_MAX_LEN];

    /* The train, or GRE's messages.  All are for `outward`. */
    struct outward outward;
    unsigned int n;               /* segments */
    unsigned int n_pieces;
    uint32_t n_bytes;             /* tunnel headers included */
    uint32_t n_frame_bytes;
    uint32_t segment;             /* the first one's size */
    bool is_ended;                /* a shorter one is always the last */
    /* Where they lie: in their packets, or in `bytes`.  A piece is one segment or
     * several, of GRE always one. */
    struct iovec pieces[TRAIN_MAX];
    uint32_t n_used;              /* of `bytes` */
    uint8_t bytes[TRAIN_ROOM];
    struct mmsghdr messages[TRAIN_MAX];   /* GRE's */
    struct outward_control control;
    const struct port_carrier *carrier;   /* NULL: by sockets */
    uint16_t next_id;             /* IPv4's identification */
};

struct tunnel_tx *
tunnel_tx_create(void)
{
    return xzalloc(sizeof(struct tunnel_tx));
}

void
tunnel_tx_destroy(struct tunnel_tx *tx)
{
    free(tx);
}

/* ---- What the outer header says ---- */

/* The packet inside, by its version. */
struct inner {
    const uint8_t *ip;            /* NULL: it is none of IP */
    const uint8_t *end;
    bool is_ip6;
    uint8_t proto;
};

static inline struct inner
inner_of(const struct packet *pkt)
{
    uint32_t l3 = offload_l3_ofs(pkt, pkt->len);
    const uint8_t *ip = pkt->data + l3;
    struct inner inner = { .end = pkt->data + pkt->len };

    if (l3 && ip[0] >> 4 == 4
        && l3 + sizeof(struct ip4_header) <= pkt->len) {
        inner.ip = ip;
        inner.proto = ((const struct ip4_header *) ip)->proto;
    } else if (l3 && ip[0] >> 4 == 6
               && l3 + sizeof(struct ip6_header) <= pkt->len) {
        inner.ip = ip;
        inner.is_ip6 = true;
        inner.proto = ((const struct ip6_header *) ip)->next;
    }
    return inner;
}

/* The same for all packets of a connection. */
static uint32_t
flow_hash(const struct packet *pkt, const struct inner *inner)
{
    static const struct hash_key key = { UINT64_C(0x6a09e667f3bcc908) };
    uint64_t h = key.seed, ports = 0;
    bool has_ports = inner->proto == IP_PROTO_TCP
                     || inner->proto == IP_PROTO_UDP
                     || inner->proto == IP_PROTO_SCTP;
    const uint8_t *l4;

    if (!inner->ip) {
        return (uint32_t) hash_bytes(key, pkt->data,
                                     MIN(pkt->len, ETH_HEADER_LEN));
    }
    if (inner->is_ip6) {
        l4 = inner->ip + sizeof(struct ip6_header);
        h = hash_bytes(key, inner->ip + 8, 32);
    } else {
        const struct ip4_header *ip4 = (const void *) inner->ip;

        l4 = inner->ip + ip4_header_len(ip4);
        h = hash_step(key, h, get_be64(ip4->src));    /* and dst */
        has_ports &= !(ip4->frag & htobe16(IP4_FRAG_MORE | IP4_FRAG_OFS));
    }
    if (has_ports && l4 + 4 <= inner->end) {
        ports = get_be32(l4);
    }
    return (uint32_t) hash_step(key, h, ports << 8 | inner->proto);
}

/* Most of what leaves does not: cheaper than to ask whether it is nested. */
static bool
goes_to(const struct inner *inner, const struct ip6_addr *remote)
{
    if (!inner->ip) {
        return false;
    }
    return inner->is_ip6
           ? !memcmp(inner->ip + offsetof(struct ip6_header, dst), remote,
                     sizeof *remote)
           : !memcmp(inner->ip + offsetof(struct ip4_header, dst),
                     &remote->b[12], sizeof(be32));
}

static bool
find_remote(const struct tunnel_options *o, const struct packet *pkt,
            struct ip6_addr *remote)
{
    *remote = o->remote;
    if (o->is_remote_by_flow) {
        if (pkt->tun.family != 4 && pkt->tun.family != 6) {
            return false;
        }
        *remote = pkt->tun.dst;
    }
    return ip6_addr_is_set(*remote);
}

static uint8_t
choose_tos(const struct tunnel_options *o, const struct tunnel_tx *tx,
           const struct packet *pkt)
{
    uint8_t inner = packet_ip_tos(pkt);
    uint8_t tos = o->tos_source == TUNNEL_INHERITED ? inner : tx->tos;

    return (uint8_t) ((tos & ~ECN_MASK) | (inner & ECN_MASK));
}

static void
add_control(struct outward_control *control, int level, int type, int value)
{
    struct cmsghdr *c = (void *) (control->bytes + control->len);

    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(sizeof value);
    memcpy(CMSG_DATA(c), &value, sizeof value);
    control->len += CMSG_SPACE(sizeof value);
}

static void
write_control(struct outward_control *control, const struct outward *out)
{
    control->len = 0;
    if (out->is_ip6) {
        add_control(control, SOL_IPV6, IPV6_TCLASS, out->tos);
        add_control(control, SOL_IPV6, IPV6_HOPLIMIT, out->ttl);
    } else {
        add_control(control, SOL_IP, IP_TOS, out->tos);
        add_control(control, SOL_IP, IP_TTL, out->ttl);
    }
}

/* ---- What the tunnel's header says ---- */

static uint32_t
write_header(const struct tunnel_options *o, const struct packet *pkt,
             uint8_t *bytes)
{
    struct tunnel_key key;

    key.id = htobe64(o->key);
    key.flags = 0;
    key.n_options = 0;
    if (pkt->tun.family != TUNNEL_NONE) {
        key.flags = pkt->tun.flags;
        key.n_options = pkt->tun.n_options;
        memcpy(key.options, pkt->tun.options, pkt->tun.n_options);
        key.id = o->is_key_by_flow ? pkt->tun.id : key.id;
    } else if (o->is_key_by_flow) {
        key.id = 0;
    }
    return o->kind == TUNNEL_VXLAN ? vxlan_encode(&key, bytes)
                                   : geneve_encode(&key, bytes);
}

/* The checksum is that of what follows, too: add_frame(). */
static uint32_t
write_gre(struct tunnel *tunnel, const struct packet *pkt, uint8_t *bytes)
{
    const struct tunnel_options *o = &tunnel->options;
    struct encap_gre gre = {
        .has_csum = o->has_csum, .has_key = o->has_key,
        .has_seq = o->has_seq,
    };
    struct tunnel_key key;

    key.id = htobe64(o->key);
    if (o->is_key_by_flow) {
        key.id = pkt->tun.family ? pkt->tun.id : 0;
    }
    if (o->has_seq) {
        gre.seq = atomic_fetch_add_explicit(&tunnel->next_seq, 1,
                                            memory_order_relaxed);
    }
    return gre_encode(&key, &gre, bytes);
}

/* ---- What is said of a packet ---- */

static bool
is_told_the_same(const struct tunnel_tx *tx, const struct packet *pkt)
{
    const struct tunnel_key *a = &tx->told, *b = &pkt->tun;

    return tx->is_told && a->family == b->family
           && (b->family == TUNNEL_NONE
               || (a->tos == b->tos && a->ttl == b->ttl && !b->n_options
                   && a->flags == b->flags && a->id == b->id
                   && ip6_addr_eq(a->dst, b->dst)));
}

/* NULL: it can go, and no train is under way.  Else the counter of why not. */
static _Atomic uint64_t *
take_up(struct tunnel *tunnel, struct tunnel_tx *tx,
        const struct packet *pkt)
{
    const struct tunnel_options *o = &tunnel->options;
    bool is_told = pkt->tun.family != TUNNEL_NONE;
    struct outward *out = &tx->outward;

    tx->is_told = false;
    if (!find_remote(o, pkt, &tx->remote)) {
        return &tunnel->port.counters.tx_no_remote;
    }
    out->to_len = tunnel_address(&tunnel->endpoint->spec, &tx->remote,
                                 o->sockets.is_gre ? 0 : o->sockets.port,
                                 &out->to);
    if (!out->to_len) {
        return &tunnel->port.counters.tx_no_remote;
    }
    out->is_ip6 = !ip6_is_mapped4(&tx->remote);
    out->ttl = o->ttl_source == TUNNEL_BY_FLOW && is_told && pkt->tun.ttl
               ? pkt->tun.ttl : o->ttl;
    out->df = o->df_source == TUNNEL_BY_FLOW
              ? is_told && pkt->tun.flags & htobe16(TUNNEL_F_DF) : o->df;
    tx->tos = o->tos_source == TUNNEL_FIXED ? o->tos
              : is_told ? pkt->tun.tos : 0;
    if (!o->sockets.is_gre) {
        tx->header_len = write_header(o, pkt, tx->header);
    } else if (!o->has_seq) {
        tx->header_len = write_gre(tunnel, pkt, tx->header);
    }
    tx->is_told = !is_told || !pkt->tun.n_options;
    if (tx->is_told) {
        memcpy(&tx->told, &pkt->tun, offsetof(struct tunnel_key, options));
    }
    return NULL;
}

/* ---- By sockets ---- */

static void
count_failure(struct tunnel *tunnel, int err, unsigned int n, uint32_t bytes)
{
    struct port_counters *c = &tunnel->port.counters;

    port_drop_tx_part(&tunnel->port, n, bytes,
                      err == -EAGAIN || err == -ENOBUFS || err == -ENOMEM
                      ? &c->tx_full
                      : err == -EMSGSIZE || err == -EINVAL ? &c->tx_too_long
                      : err == -ENETUNREACH || err == -EHOSTUNREACH
                        || err == -ENETDOWN ? &c->tx_link_down
                      : &c->tx_refused);
}

static int
send_pieces(int fd, struct tunnel_tx *tx, struct iovec *pieces,
            unsigned int n_pieces, bool is_cut_up)
{
    struct outward_control control;
    struct msghdr msg = {
        .msg_name = &tx->outward.to, .msg_namelen = tx->outward.to_len,
        .msg_iov = pieces, .msg_iovlen = n_pieces,
    };

    write_control(&control, &tx->outward);
    if (is_cut_up) {
        struct cmsghdr *c = (void *) (control.bytes + control.len);
        uint16_t segment = (uint16_t) tx->segment;

        c->cmsg_level = SOL_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof segment);
        memcpy(CMSG_DATA(c), &segment, sizeof segment);
        control.len += CMSG_SPACE(sizeof segment);
    }
    msg.msg_control = control.bytes;
    msg.msg_controllen = control.len;
    return sendmsg(fd, &msg, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Where the kernel would have to make fragments of segments. */
static void
send_one_by_one(struct tunnel *tunnel, int fd, struct tunnel_tx *tx)
{
    for (unsigned int i = 0; i < tx->n_pieces; i++) {
        struct iovec left = tx->pieces[i];

        while (left.iov_len) {
            struct iovec one = { left.iov_base,
                                 MIN(left.iov_len, tx->segment) };
            int err = send_pieces(fd, tx, &one, 1, false);

            if (err) {
                count_failure(tunnel, err, 1,
                              (uint32_t) one.iov_len - tx->header_len);
            }
            left.iov_base = (uint8_t *) left.iov_base + one.iov_len;
            left.iov_len -= one.iov_len;
        }
    }
}

/* ---- By an underlay ---- */

/* The dynamic ports (RFC 6335, 6): what RFC 7348, section 5, advises. */
enum { FIRST_SRC_PORT = 49152, N_SRC_PORTS = 16384 };

/* False: this one goes by a socket. */
static bool
find_way(const struct tunnel *tunnel, const struct tunnel_tx *tx,
         struct outer *outer)
{
    const struct tunnel_endpoint *endpoint = tunnel->endpoint;
    const struct outward *out = &tx->outward;
    struct host_route route;

    *outer = (struct outer) {
        .src = endpoint->spec.local, .dst = tunnel_address_of(&out->to),
        .proto = endpoint->spec.is_gre ? IP_PROTO_GRE : IP_PROTO_UDP,
        .tos = out->tos, .ttl = out->ttl, .df = out->df,
        .has_csum = tunnel->options.has_csum,
        .src_port = (uint16_t) (FIRST_SRC_PORT + out->flow % N_SRC_PORTS),
        .dst_port = endpoint->spec.port, .label = out->flow,
    };
    if (ip6_is_group(&outer->dst)
        || !host_route_find(underlay_routes(endpoint->underlay), &outer->src,
                            &outer->dst, &route)
        || !eth_addr_eq(route.src, tx->carrier->port->mac)) {
        return false;
    }
    outer->eth_dst = route.dst;
    outer->eth_src = route.src;
    return true;
}

static bool
fits_underlay(const struct port *underlay, const struct outer *outer,
              uint32_t payload)
{
    uint32_t mtu = __atomic_load_n(&underlay->mtu, __ATOMIC_RELAXED);

    return !mtu || outer_len(outer) - ETH_HEADER_LEN + payload <= mtu;
}

/* Sends `n` segments, the first of which has `segment` bytes, as one frame: a
 * super-frame if they are many. */
static bool
carry(struct tunnel *tunnel, struct tunnel_tx *tx, struct outer *outer,
      unsigned int n, uint32_t segment, const struct iovec *pieces,
      unsigned int n_pieces)
{
    const struct port_carrier *carrier = tx->carrier;
    struct packet *pkt;
    uint32_t len = 0;

    for (unsigned int i = 0; i < n_pieces; i++) {
        len += (uint32_t) pieces[i].iov_len;
    }
    pkt = fits_underlay(carrier->port, outer, segment)
          ? packet_alloc(carrier->pool, len) : NULL;
    if (!pkt) {
        return false;
    }
    pkt->len = 0;
    for (unsigned int i = 0; i < n_pieces; i++) {
        memcpy(pkt->data + pkt->len, pieces[i].iov_base, pieces[i].iov_len);
        pkt->len += (uint32_t) pieces[i].iov_len;
    }
    packet_arrive(pkt, tunnel->port.id);
    outer->id = tx->next_id;
    outer->segment = n > 1 ? segment : 0;
    outer_push(outer, pkt);
    tx->next_id = (uint16_t) (tx->next_id + n);
    atomic_fetch_add_explicit(&tunnel->port.counters.tx_underlay, n,
                              memory_order_relaxed);
    carrier->send(carrier->aux, pkt);
    return true;
}

static bool
carry_train(struct tunnel *tunnel, struct tunnel_tx *tx)
{
    struct outer outer;

    return tx->carrier && find_way(tunnel, tx, &outer)
           && carry(tunnel, tx, &outer, tx->n, tx->segment, tx->pieces,
                    tx->n_pieces);
}

/* Those that can; the others are the first ones then, so many. */
static unsigned int
carry_messages(struct tunnel *tunnel, struct tunnel_tx *tx)
{
    unsigned int n_left = 0;
    struct outer outer;

    if (!tx->carrier || !find_way(tunnel, tx, &outer)) {
        return tx->n;
    }
    for (unsigned int i = 0; i < tx->n; i++) {
        if (!carry(tunnel, tx, &outer, 1, (uint32_t) tx->pieces[i].iov_len,
                   &tx->pieces[i], 1)) {
            /* The messages differ by their pieces only. */
            tx->pieces[n_left++] = tx->pieces[i];
        }
    }
    return n_left;
}

/* ---- Trains ---- */

static void
flush_train(struct tunnel *tunnel, unsigned int queue, struct tunnel_tx *tx)
{
    const struct tunnel_senders *senders
        = tunnel->endpoint->senders[queue][tx->outward.df]
                                   [tunnel->options.has_csum];
    int fd = senders->fds[tx->outward.flow % TUNNEL_N_SENDERS];
    int err = carry_train(tunnel, tx)
              ? 0 : send_pieces(fd, tx, tx->pieces, tx->n_pieces, tx->n > 1);

    if (UNLIKELY(err == -EMSGSIZE || err == -EINVAL) && tx->n > 1) {
        send_one_by_one(tunnel, fd, tx);
    } else if (UNLIKELY(err)) {
        count_failure(tunnel, err, tx->n, tx->n_frame_bytes);
    }
}

static void
flush_messages(struct tunnel *tunnel, struct tunnel_tx *tx)
{
    int fd = tunnel->endpoint->fds[tx->outward.df ? TUNNEL_GRE_TX_DF
                                                  : TUNNEL_GRE_TX];
    unsigned int i = 0;

    tx->n = carry_messages(tunnel, tx);
    while (i < tx->n) {
        int n = sendmmsg(fd, tx->messages + i, tx->n - i, MSG_DONTWAIT);

        if (n > 0) {
            i += (unsigned int) n;
        } else {
            /* It stopped at the first one. */
            count_failure(tunnel, -errno, 1,
                          (uint32_t) tx->pieces[i++].iov_len
                          - tx->header_len);
        }
    }
}

static void
flush(struct tunnel *tunnel, unsigned int queue, struct tunnel_tx *tx)
{
    if (tx->n && tunnel->options.sockets.is_gre) {
        flush_messages(tunnel, tx);
    } else if (tx->n) {
        flush_train(tunnel, queue, tx);
    }
    tx->n = tx->n_pieces = 0;
    tx->n_bytes = tx->n_frame_bytes = tx->n_used = 0;
}

/* Does a frame of that length fit behind what is there? */
static bool
fits(const struct tunnel *tunnel, const struct tunnel_tx *tx, uint32_t len)
{
    if (!tx->n) {
        return true;
    }
    if (tunnel->options.sockets.is_gre) {
        return tx->n < TRAIN_MAX
               && tx->n_used + GRE_MAX_HEADER_LEN + len <= TRAIN_ROOM;
    }
    /* UDP_SEGMENT needs a checksum. */
    return tx->n < TRAIN_MAX && !tx->is_ended && tunnel->options.has_csum
           && tx->header_len + len <= tx->segment
           && tx->n_bytes + tx->header_len + len <= TRAIN_BYTES;
}

/* Where a frame of `len` bytes may be written that add_frame() adds next. */
static uint8_t *
make_room(const struct tunnel *tunnel, struct tunnel_tx *tx, uint32_t len)
{
    uint32_t ofs = tx->n_used + (tunnel->options.sockets.is_gre
                                 ? GRE_MAX_HEADER_LEN : tx->header_len);

    tx->n_used = ofs + len;
    return tx->bytes + ofs;
}

/* The frame stays where it is until it is sent.  In front of it there is room for
 * the tunnel's header. */
static void
add_frame(struct tunnel *tunnel, struct tunnel_tx *tx,
          const struct packet *pkt, uint8_t *frame, uint32_t len)
{
    bool is_gre = tunnel->options.sockets.is_gre;
    struct iovec *last = tx->n_pieces ? &tx->pieces[tx->n_pieces - 1] : NULL;
    uint8_t *start;
    uint32_t total;

    if (UNLIKELY(tunnel->options.has_seq)) {
        tx->header_len = write_gre(tunnel, pkt, tx->header);
    }
    start = frame - tx->header_len;
    total = tx->header_len + len;
    if (LIKELY(tx->header_len == VXLAN_HEADER_LEN)) {
        memcpy(start, tx->header, VXLAN_HEADER_LEN);
    } else {
        memcpy(start, tx->header, tx->header_len);
    }
    if (is_gre && tunnel->options.has_csum) {
        gre_complete(start, total);
    }
    if (!is_gre && last
        && (uint8_t *) last->iov_base + last->iov_len == start) {
        last->iov_len += total;
    } else {
        tx->pieces[tx->n_pieces++] = (struct iovec) { start, total };
    }
    if (is_gre) {
        tx->messages[tx->n].msg_hdr = (struct msghdr) {
            .msg_name = &tx->outward.to, .msg_namelen = tx->outward.to_len,
            .msg_iov = &tx->pieces[tx->n], .msg_iovlen = 1,
            .msg_control = tx->control.bytes,
            .msg_controllen = tx->control.len,
        };
    }
    if (!tx->n) {
        tx->segment = total;
    }
    tx->is_ended = total < tx->segment;
    tx->n_bytes += total;
    tx->n_frame_bytes += len;
    tx->n++;
}

/* Makes what follows one of another far end or flow, if it is.  NULL: the packet
 * can go; else the counter of why not. */
static _Atomic uint64_t *
turn_to(struct tunnel *tunnel, unsigned int queue, struct tunnel_tx *tx,
        const struct packet *pkt, const struct inner *inner)
{
    const struct tunnel_options *o = &tunnel->options;
    _Atomic uint64_t *reason;
    uint32_t flow;
    uint8_t tos;

    if (UNLIKELY(!is_told_the_same(tx, pkt))) {
        flush(tunnel, queue, tx);
        reason = take_up(tunnel, tx, pkt);
        if (reason) {
            return reason;
        }
    }
    if (UNLIKELY(goes_to(inner, &tx->remote))
        && tunnel_is_nested(o, pkt, &tx->remote)) {
        return &tunnel->port.counters.tx_nested;
    }
    flow = o->sockets.is_gre ? 0 : flow_hash(pkt, inner);
    tos = choose_tos(o, tx, pkt);
    if (flow != tx->outward.flow || tos != tx->outward.tos) {
        flush(tunnel, queue, tx);
    }
    if (!tx->n) {
        tx->outward.flow = flow;
        tx->outward.tos = tos;
        write_control(&tx->control, &tx->outward);
    }
    return NULL;
}

static void
send_whole(struct tunnel *tunnel, unsigned int queue, struct tunnel_tx *tx,
           const struct packet *pkt)
{
    uint8_t *frame = pkt->data;

    if (!fits(tunnel, tx, pkt->len)) {
        flush(tunnel, queue, tx);
    }
    if (UNLIKELY(packet_headroom(pkt) < MAX(tx->header_len,
                                            (uint32_t) GRE_MAX_HEADER_LEN))) {
        frame = make_room(tunnel, tx, pkt->len);
        memcpy(frame, pkt->data, pkt->len);
    }
    add_frame(tunnel, tx, pkt, frame, pkt->len);
}

static void
send_super_frame(struct tunnel *tunnel, unsigned int queue,
                 struct tunnel_tx *tx, struct packet *pkt)
{
    struct gso gso;

    if (!gso_begin(&gso, pkt, true)) {
        port_drop_tx(&tunnel->port, pkt, &tunnel->port.counters.tx_refused);
        return;
    }
    while (gso_n_left(&gso)) {
        uint32_t len = gso_next_len(&gso);
        uint8_t *frame;

        if (!fits(tunnel, tx, len)) {
            flush(tunnel, queue, tx);
        }
        frame = make_room(tunnel, tx, len);
        gso_write(&gso, frame);
        add_frame(tunnel, tx, pkt, frame, len);
    }
}

void
tunnel_tx(struct port *port, unsigned int queue, struct batch *batch,
          bool borrow UNUSED)
{
    struct tunnel *tunnel = tunnel_cast(port);
    uint32_t mtu = __atomic_load_n(&port->mtu, __ATOMIC_RELAXED);
    struct tunnel_tx *tx = tunnel->tx[queue];

    for (unsigned int i = 0; i < batch->n; i++) {
        struct packet *pkt = batch->pkts[i];
        struct inner inner = inner_of(pkt);
        _Atomic uint64_t *reason = turn_to(tunnel, queue, tx, pkt, &inner);

        if (UNLIKELY(reason != NULL)) {
            port_drop_tx(port, pkt, reason);
            continue;
        }
        if (mtu && inner.proto == IP_PROTO_TCP) {
            packet_clamp_mss(pkt, mtu);
        }
        if (pkt->offload.gso_size) {
            send_super_frame(tunnel, queue, tx, pkt);
        } else if (!(pkt->offload.flags & OFFLOAD_NEEDS_CSUM)
                   || packet_complete_checksum(pkt)) {
            send_whole(tunnel, queue, tx, pkt);
        } else {
            port_drop_tx(port, pkt, &port->counters.tx_refused);
        }
    }
    flush(tunnel, queue, tx);
    batch_free_all(batch);
}

void
tunnel_tx_by(struct port *port, unsigned int queue, struct batch *batch,
             const struct port_carrier *carrier)
{
    struct tunnel_tx *tx = tunnel_cast(port)->tx[queue];

    tx->carrier = carrier;
    tunnel_tx(port, queue, batch, false);
    tx->carrier = NULL;
}
