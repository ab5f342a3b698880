/* Receiving: from the endpoint's sockets to packets.
 *
 * One receive call brings up to TUNNEL_N_MESSAGES buffers; the kernel may have
 * joined datagrams of one sender in each (UDP_GRO), all of one size but the
 * last.  What does not fit into the batch stays for the next call. */
#include "packet/address.h"
#include "packet/ecn.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/mss.h"
#include "packet/offload.h"
#include "packet/outer.h"
#include "port/coalesce.h"
#include "port/tunnel_endpoint.h"

enum {
    /* What is behind a tunnel carries packets of at least so much. */
    SEGMENT_MTU = 1400,
};

/* What is said of all datagrams of a message. */
struct arrival {
    struct ip6_addr src, dst;
    uint8_t tos, ttl;
    bool was_in_pieces;
    uint32_t segment;             /* bytes of each but the last; 0: one */
    const uint8_t *bytes;         /* behind the outer IP or UDP header */
    uint32_t len;
};

/* A turn of reading: where frames go. */
struct reading {
    struct tunnel_endpoint *endpoint;
    struct tunnel *reader;        /* NULL: frames of an underlay */
    struct tunnel *counts;        /* what is no port's */
    struct packet_pool *pool;
    struct batch *batch;          /* the reader's */
    struct tunnel *other;         /* whose these are: */
    struct batch others;
    struct coalesce last;         /* the packet that came last, and whose it */
    struct tunnel *last_to;       /* is */
};

/* ---- Control messages ---- */

static int
read_int(const struct cmsghdr *c)
{
    int value = 0;

    memcpy(&value, CMSG_DATA(c), MIN(sizeof value,
                                     c->cmsg_len - CMSG_LEN(0)));
    return value;
}

static void
read_ip4(const struct cmsghdr *c, struct arrival *outer)
{
    struct in_pktinfo info;

    switch (c->cmsg_type) {
    case IP_TOS: outer->tos = *(const uint8_t *) CMSG_DATA(c); break;
    case IP_TTL: outer->ttl = (uint8_t) read_int(c); break;
    case IP_RECVFRAGSIZE: outer->was_in_pieces = read_int(c); break;
    case IP_PKTINFO:
        memcpy(&info, CMSG_DATA(c), sizeof info);
        outer->dst = ip6_of_ip4(info.ipi_addr.s_addr);
        break;
    default: break;
    }
}

static void
read_ip6(const struct cmsghdr *c, struct arrival *outer)
{
    struct in6_pktinfo info;

    switch (c->cmsg_type) {
    case IPV6_TCLASS: outer->tos = (uint8_t) read_int(c); break;
    case IPV6_HOPLIMIT: outer->ttl = (uint8_t) read_int(c); break;
    case IPV6_RECVFRAGSIZE: outer->was_in_pieces = read_int(c); break;
    case IPV6_PKTINFO:
        memcpy(&info, CMSG_DATA(c), sizeof info);
        memcpy(outer->dst.b, &info.ipi6_addr, sizeof outer->dst.b);
        break;
    default: break;
    }
}

/* A raw socket of IPv4 has the IP header in front. */
static bool
read_raw_ip4(struct arrival *outer)
{
    const struct ip4_header *ip = (const void *) outer->bytes;
    uint32_t len;

    if (outer->len < sizeof *ip) {
        return false;
    }
    len = ip4_header_len(ip);
    outer->tos = ip->tos;
    outer->ttl = ip->ttl;
    outer->dst = ip6_of_ip4(get_be32(ip->dst));
    outer->bytes += len;
    outer->len -= MIN(len, outer->len);
    return true;
}

static bool
read_outer(const struct tunnel_endpoint *endpoint, struct mmsghdr *header,
           const struct tunnel_message *message, struct arrival *outer)
{
    struct msghdr *msg = &header->msg_hdr;

    *outer = (struct arrival) {
        .src = tunnel_address_of(&message->from),
        .dst = endpoint->spec.local,
        .bytes = message->bytes, .len = header->msg_len,
    };
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_IP) {
            read_ip4(c, outer);
        } else if (c->cmsg_level == SOL_IPV6) {
            read_ip6(c, outer);
        } else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            outer->segment = (uint32_t) read_int(c);
        }
    }
    return !endpoint->spec.is_gre || endpoint->spec.is_ip6
           || read_raw_ip4(outer);
}

/* ---- One frame ---- */

bool
tunnel_is_nested(const struct tunnel_options *options,
                 const struct packet *pkt, const struct ip6_addr *outer_dst)
{
    uint32_t ofs = offload_l3_ofs(pkt, pkt->len), l4;
    const struct ip4_header *ip4 = (const void *) (pkt->data + ofs);
    const struct ip6_header *ip6 = (const void *) ip4;
    uint8_t proto;

    if (!ofs) {
        return false;
    }
    if (ip6_is_mapped4(outer_dst)) {
        if (!ip4_is_sound(ip4, pkt->len - ofs)
            || memcmp(ip4->dst, &outer_dst->b[12], sizeof ip4->dst)) {
            return false;
        }
        proto = ip4->proto;
        l4 = ofs + ip4_header_len(ip4);
    } else {
        if (!ip6_is_sound(ip6, pkt->len - ofs)
            || memcmp(ip6->dst, outer_dst, sizeof ip6->dst)) {
            return false;
        }
        proto = ip6->next;
        l4 = ofs + (uint32_t) sizeof *ip6;
    }
    return options->sockets.is_gre
           ? proto == IP_PROTO_GRE
           : proto == IP_PROTO_UDP && l4 + 4 <= pkt->len
             && get_be16(pkt->data + l4 + 2) == htobe16(options->sockets.port);
}

static _Atomic uint64_t *
counter_of(struct port *port, int fault)
{
    switch (fault) {
    case -ENCAP_SHORT: return &port->counters.rx_bad_length;
    case -ENCAP_CHECKSUM: return &port->counters.rx_bad_checksum;
    default: return &port->counters.rx_bad_header;
    }
}

static int
decode(enum tunnel_kind kind, const uint8_t *p, uint32_t len,
       struct tunnel_key *key, struct encap_gre *gre)
{
    switch (kind) {
    case TUNNEL_VXLAN: return vxlan_decode(p, len, key);
    case TUNNEL_GENEVE: return geneve_decode(p, len, key);
    default: return gre_decode(p, len, key, gre);
    }
}

/* RFC 2890, 2.2: what comes after its successor, or twice, is discarded. */
static bool
is_in_order(struct tunnel *tunnel, const struct encap_gre *gre)
{
    const uint64_t known = UINT64_C(1) << 32;
    uint64_t last;

    if (!tunnel->options.has_seq || !gre->has_seq) {
        return true;
    }
    last = atomic_load_explicit(&tunnel->last_seq, memory_order_relaxed);
    if (last & known && (int32_t) (gre->seq - (uint32_t) last) <= 0) {
        return false;
    }
    atomic_store_explicit(&tunnel->last_seq, gre->seq | known,
                          memory_order_relaxed);
    return true;
}

static void
flush_others(struct reading *r)
{
    unsigned int n;

    coalesce_end(&r->last);
    n = r->others.n ? mailbox_push(r->other->inbox, r->others.pkts,
                                   r->others.n) : 0;

    for (; n < r->others.n; n++) {
        port_drop_rx(&r->other->port, packet_n_wire(r->others.pkts[n]),
                     &r->other->port.counters.rx_full);
        packet_free(r->others.pkts[n]);
    }
    r->others.n = 0;
}

static void
hand_over(struct reading *r, struct tunnel *to, struct packet *pkt)
{
    r->last_to = to;
    if (to == r->reader) {
        batch_add(r->batch, pkt);
        coalesce_begin(&r->last, &r->batch->pkts[r->batch->n - 1]);
        return;
    }
    if (to != r->other || batch_is_full(&r->others)) {
        flush_others(r);
        r->other = to;
    }
    batch_add(&r->others, pkt);
    coalesce_begin(&r->last, &r->others.pkts[r->others.n - 1]);
}

/* Does the frame go on where the last packet ended?  What a mark on the way makes
 * of it (RFC 6040) is each packet's own. */
static bool
goes_on(struct reading *r, const struct tunnel *to,
        const struct tunnel_key *key, const uint8_t *frame, uint32_t len)
{
    const struct tunnel_key *last;

    if (!r->last.slot || r->last_to != to || key->tos & ECN_ECT1) {
        return false;
    }
    last = &(*r->last.slot)->tun;
    return last->id == key->id && last->flags == key->flags
           && last->tos == key->tos && last->ttl == key->ttl
           && ip6_addr_eq(last->src, key->src)
           && ip6_addr_eq(last->dst, key->dst)
           && last->n_options == key->n_options
           && !memcmp(last->options, key->options, key->n_options)
           && coalesce_append(&r->last, r->pool, frame, len);
}

static void
drop(struct tunnel *tunnel, struct packet *pkt, _Atomic uint64_t *reason)
{
    port_drop_rx(&tunnel->port, 1, reason);
    packet_free(pkt);
}

static void
accept_frame(struct reading *r, struct tunnel *to, const struct arrival *outer,
             const struct tunnel_key *key, const uint8_t *frame, uint32_t len)
{
    struct port_counters *counters = &to->port.counters;
    struct packet *pkt;
    uint32_t mtu;

    if (UNLIKELY(len < ETH_HEADER_LEN)) {
        port_drop_rx(&to->port, 1, &counters->rx_bad_length);
        return;
    }
    pkt = packet_alloc(r->pool, len);
    if (UNLIKELY(!pkt)) {
        port_drop_rx(&to->port, 1, &counters->rx_no_buffer);
        return;
    }
    memcpy(pkt->data, frame, len);
    pkt->len = len;
    packet_arrive(pkt, to->port.id);
    tunnel_key_copy(&pkt->tun, key);
    if (UNLIKELY(tunnel_is_nested(&to->options, pkt, &outer->dst))) {
        drop(to, pkt, &counters->rx_nested);
        return;
    }
    if (UNLIKELY(!packet_ecn_decapsulate(pkt, outer->tos))) {
        drop(to, pkt, &counters->rx_congested);
        return;
    }
    mtu = __atomic_load_n(&to->port.mtu, __ATOMIC_RELAXED);
    offload_find_owed(pkt, mtu ? mtu : SEGMENT_MTU);
    if (mtu) {
        packet_clamp_mss(pkt, mtu);
    }
    hand_over(r, to, pkt);
}

static void
accept_datagram(struct reading *r, const struct arrival *outer,
                const uint8_t *bytes, uint32_t len)
{
    struct port *port = &r->counts->port;
    struct tunnel_key key;
    struct encap_gre gre = { .has_seq = false };
    int n = decode(r->endpoint->kind, bytes, len, &key, &gre);
    struct tunnel *to;

    if (UNLIKELY(n < 0)) {
        port_drop_rx(port, 1, counter_of(port, n));
        return;
    }
    to = tunnel_endpoint_find(r->endpoint, key.flags & htobe16(TUNNEL_F_KEY),
                              (uint32_t) be64toh(key.id), &outer->src);
    if (UNLIKELY(!to)) {
        port_drop_rx(port, 1, &port->counters.rx_unknown_key);
        return;
    }
    if (UNLIKELY(!is_in_order(to, &gre))) {
        port_drop_rx(&to->port, 1, &to->port.counters.rx_out_of_order);
        return;
    }
    if (!r->reader) {
        port_count(&to->port.counters.rx_underlay, 1);
    }
    key.family = ip6_is_mapped4(&outer->src) ? 4 : 6;
    key.tos = outer->tos;
    key.ttl = outer->ttl;
    key.gbp_id = 0;
    key.gbp_flags = 0;
    key.src = outer->src;
    key.dst = outer->dst;
    if (!goes_on(r, to, &key, bytes + n, len - (uint32_t) n)) {
        accept_frame(r, to, outer, &key, bytes + n, len - (uint32_t) n);
    }
}

/* ---- Messages ---- */

static void
receive(struct tunnel_arrivals *arrivals, int fd, bool is_group)
{
    int n;

    for (unsigned int i = 0; i < TUNNEL_N_MESSAGES; i++) {
        struct tunnel_message *message = &arrivals->messages[i];

        arrivals->headers[i].msg_hdr = (struct msghdr) {
            .msg_name = &message->from, .msg_namelen = sizeof message->from,
            .msg_iov = &message->iov, .msg_iovlen = 1,
            .msg_control = message->control.bytes,
            .msg_controllen = sizeof message->control.bytes,
        };
    }
    n = recvmmsg(fd, arrivals->headers, TUNNEL_N_MESSAGES, MSG_DONTWAIT,
                 NULL);
    arrivals->n = n > 0 ? (unsigned int) n : 0;
    arrivals->next = arrivals->pos = 0;
    arrivals->is_group = is_group;
}

/* Everything in the message was looked at. */
static bool
read_message(struct reading *r, struct tunnel_arrivals *arrivals)
{
    struct mmsghdr *header = &arrivals->headers[arrivals->next];
    const struct tunnel_message *message
        = &arrivals->messages[arrivals->next];
    struct port *port = &r->reader->port;
    struct arrival outer;
    uint32_t segment;

    if (!read_outer(r->endpoint, header, message, &outer)
        || header->msg_hdr.msg_flags & MSG_TRUNC) {
        port_drop_rx(port, 1, &port->counters.rx_bad_length);
        return true;
    }
    if (outer.was_in_pieces) {
        port_drop_rx(port, 1, &port->counters.rx_fragment);
        return true;
    }
    /* Other addresses of this host are not the tunnel's. */
    if (arrivals->is_group && !ip6_is_group(&outer.dst)) {
        port_drop_rx(port, 1, &port->counters.rx_not_ours);
        return true;
    }
    segment = outer.segment ? outer.segment : outer.len;
    do {
        uint32_t len = MIN(segment, outer.len - arrivals->pos);

        if (batch_is_full(r->batch)) {
            return false;
        }
        accept_datagram(r, &outer, outer.bytes + arrivals->pos, len);
        arrivals->pos += len;
    } while (arrivals->pos < outer.len);
    return true;
}

static void
read_arrivals(struct reading *r, struct tunnel_arrivals *arrivals)
{
    while (arrivals->next < arrivals->n && read_message(r, arrivals)) {
        arrivals->next++;
        arrivals->pos = 0;
    }
}

int
tunnel_rx(struct port *port, unsigned int queue, struct packet_pool *pool,
          struct batch *batch)
{
    struct tunnel *tunnel = tunnel_cast(port);
    struct tunnel_endpoint *endpoint = tunnel->endpoint;
    struct tunnel_arrivals *arrivals = &endpoint->arrivals[queue];
    struct reading r = {
        .endpoint = endpoint, .reader = tunnel, .counts = tunnel,
        .pool = pool, .batch = batch,
    };
    unsigned int first = batch->n;

    if (atomic_load_explicit(&endpoint->reader, memory_order_relaxed)
        == tunnel) {
        pthread_mutex_lock(&arrivals->lock);
        read_arrivals(&r, arrivals);
        if (arrivals->next == arrivals->n && !batch_is_full(batch)) {
            receive(arrivals, endpoint->fds[queue], false);
            read_arrivals(&r, arrivals);
        }
        if (!queue && endpoint->group_fd >= 0
            && arrivals->next == arrivals->n && !batch_is_full(batch)) {
            receive(arrivals, endpoint->group_fd, true);
            read_arrivals(&r, arrivals);
        }
        flush_others(&r);
        pthread_mutex_unlock(&arrivals->lock);
    }
    if (!queue && !batch_is_full(batch)) {
        mailbox_pop(tunnel->inbox, batch);
    }
    return (int) (batch->n - first);
}

/* ---- By an underlay ---- */

bool
tunnel_is_to(const struct tunnel_socket_spec *spec, const struct outer *outer)
{
    return spec->is_gre ? outer->proto == IP_PROTO_GRE
                          && ip6_addr_eq(outer->dst, spec->local)
                        : outer->proto == IP_PROTO_UDP
                          && outer->dst_port == spec->port
                          && ip6_addr_eq(outer->dst, spec->local);
}

static void
read_frame(struct reading *r, const struct packet *pkt,
           const struct outer *frame)
{
    const struct arrival outer = {
        .src = frame->src, .dst = frame->dst,
        .tos = frame->tos, .ttl = frame->ttl,
    };
    const uint8_t *bytes = pkt->data + frame->ofs;
    uint32_t segment = frame->segment ? frame->segment : frame->len, pos = 0;

    do {
        uint32_t len = MIN(segment, frame->len - pos);

        accept_datagram(r, &outer, bytes + pos, len);
        pos += len;
    } while (pos < frame->len);
}

void
tunnel_take(struct tunnel_endpoint *endpoint, struct packet_pool *pool,
            struct batch *batch, const struct outer outers[BATCH_MAX])
{
    struct reading r = {
        .endpoint = endpoint, .counts = endpoint->members, .pool = pool,
    };

    for (unsigned int i = 0; r.counts && i < batch->n; i++) {
        struct packet *pkt = batch->pkts[i];

        if (pkt && tunnel_is_to(&endpoint->spec, &outers[i])
            && outer_is_intact(pkt, &outers[i])) {
            read_frame(&r, pkt, &outers[i]);
            packet_free(pkt);
            batch->pkts[i] = NULL;
        }
    }
    flush_others(&r);
}
