/* Sending: from an output action to a port's tx.
 *
 * A port is sent batches.  Packets gather in worker_port.out and leave at the
 * end of the turn, or when 32 are there.  What the consumer behind the port
 * cannot take is completed here and nowhere earlier: checksums that are still
 * owed, super-frames. */
#include "datapath/worker.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "port/gso.h"

struct carriage {
    struct worker *w;
    uint32_t underlay;
};

static void
send_by_underlay(void *carriage_, struct packet *pkt)
{
    const struct carriage *carriage = carriage_;

    output_packet(carriage->w, carriage->underlay, pkt);
}

/* A tunnel's packets leave as frames of another port, when that is up. */
static void
send_batch(struct worker *w, struct worker_port *wp, struct port *port)
{
    uint32_t id = atomic_load_explicit(&wp->underlay, memory_order_relaxed);
    const struct worker_port *other = id ? worker_port(w, id) : NULL;
    struct carriage carriage = { w, id };
    struct port_carrier carrier = {
        .port = other ? atomic_load_explicit(&other->port,
                                             memory_order_acquire) : NULL,
        .pool = w->pool, .send = send_by_underlay, .aux = &carriage,
    };

    if (UNLIKELY(carrier.port != NULL && port_is_up(carrier.port))) {
        port_tx_by(port, wp->txq, &wp->out, &carrier);
    } else {
        port_tx(port, wp->txq, &wp->out, false);
    }
}

static void
flush_port(struct worker *w, struct worker_port *wp)
{
    struct port *port = atomic_load_explicit(&wp->port, memory_order_acquire);
    const struct port_tap *tap;

    if (!wp->out.n) {
        return;
    }
    if (!port || !port_is_up(port)) {
        for (unsigned int i = 0; i < wp->out.n; i++) {
            worker_drop(w, wp->out.pkts[i], DROP_PORT_DOWN);
        }
        wp->out.n = 0;
        return;
    }
    tap = atomic_load_explicit(&wp->tap, memory_order_acquire);
    if (UNLIKELY(tap != NULL)) {
        for (unsigned int i = 0; i < wp->out.n; i++) {
            tap->tap(tap->aux, wp->out.pkts[i], true);
        }
    }
    if (wp->tx_lock) {
        pthread_mutex_lock(wp->tx_lock);
    }
    send_batch(w, wp, port);
    if (wp->tx_lock) {
        pthread_mutex_unlock(wp->tx_lock);
    }
    wp->out.n = 0;
}

void
output_flush(struct worker *w)
{
    for (unsigned int i = 0; i < w->n_dirty; i++) {
        struct worker_port *wp = w->ports[w->dirty[i]];

        flush_port(w, wp);
        wp->is_dirty = false;
    }
    w->n_dirty = 0;
}

static void
enqueue(struct worker *w, struct worker_port *wp, struct packet *pkt)
{
    if (UNLIKELY(batch_is_full(&wp->out))) {
        flush_port(w, wp);
    }
    batch_add(&wp->out, pkt);
    if (!wp->is_dirty) {
        wp->is_dirty = true;
        w->dirty[w->n_dirty++] = wp->id;
    }
}

/* Clients that read with raw sockets look at UDP checksums of DHCP themselves
 * and take a partial one for an error. */
static bool
is_dhcp(const struct packet *pkt)
{
    const struct offload *ol = &pkt->offload;
    const uint8_t *udp = pkt->data + ol->csum_start;
    uint16_t src, dst;

    if (ol->csum_offset != UDP_CSUM_OFS
        || ol->csum_start + (uint32_t) UDP_HEADER_LEN > pkt->len) {
        return false;
    }
    src = be16toh(get_be16(udp));
    dst = be16toh(get_be16(udp + 2));
    return src == 67 || src == 68 || dst == 67 || dst == 68
           || src == 546 || src == 547 || dst == 546 || dst == 547;
}

static bool
needs_completing(const struct port *port, const struct packet *pkt)
{
    if (LIKELY(!(pkt->offload.flags & OFFLOAD_NEEDS_CSUM)
               && !pkt->offload.gso_size)) {
        return false;
    }
    return !gso_is_taken(pkt, port->features) || is_dhcp(pkt);
}

/* Segments or completes, and queues what results. */
static void
enqueue_completed(struct worker *w, struct worker_port *wp,
                  const struct port *port, struct packet *pkt)
{
    struct batch segments = { .n = 0 };
    struct gso gso;

    if (!pkt->offload.gso_size) {
        if (packet_complete_checksum(pkt)) {
            enqueue(w, wp, pkt);
        } else {
            worker_drop(w, pkt, DROP_OFFLOAD);
        }
        return;
    }
    if (!gso_begin(&gso, pkt, !(port->features & PORT_F_CSUM))) {
        worker_drop(w, pkt, DROP_OFFLOAD);
        return;
    }
    while (gso_n_left(&gso)) {
        int n = gso_next(&gso, w->pool, &segments);

        for (unsigned int i = 0; i < segments.n; i++) {
            enqueue(w, wp, segments.pkts[i]);
        }
        segments.n = 0;
        if (n < 0) {
            count(&worker_port(w, pkt->in_port)->drops[DROP_NO_BUFFER],
                  gso_n_left(&gso));
            break;
        }
    }
    packet_free(pkt);
}

static bool
fits_mtu(const struct port *port, const struct packet *pkt)
{
    uint32_t l2_len = pkt->l3_ofs != PACKET_NO_OFS ? pkt->l3_ofs
                                                   : ETH_HEADER_LEN;

    /* It may be changed under traffic. */
    uint32_t mtu = __atomic_load_n(&port->mtu, __ATOMIC_RELAXED);

    return !mtu || packet_wire_len(pkt) <= mtu + l2_len;
}

/* Cuts to n_trunc bytes; what was owed is completed first, so that the bytes
 * which remain are those of the wire. */
static bool
truncate_packet(struct packet *pkt)
{
    uint32_t max_len = pkt->n_trunc;

    pkt->n_trunc = 0;
    if (pkt->len > max_len) {
        if (!pkt->offload.gso_size && !packet_complete_checksum(pkt)) {
            return false;
        }
        pkt->offload = (struct offload) { 0 };
        pkt->len = MAX(max_len, (uint32_t) ETH_HEADER_LEN);
    }
    return true;
}

void
output_packet(struct worker *w, uint32_t id, struct packet *pkt)
{
    struct worker_port *wp = worker_port(w, id);
    struct port *port;

    port = wp ? atomic_load_explicit(&wp->port, memory_order_acquire) : NULL;
    if (UNLIKELY(!port)) {
        worker_drop(w, pkt, DROP_NO_PORT);
        return;
    }
    if (UNLIKELY(!port_is_up(port))) {
        worker_drop(w, pkt, DROP_PORT_DOWN);
        return;
    }
    if (UNLIKELY(pkt->n_trunc) && !truncate_packet(pkt)) {
        worker_drop(w, pkt, DROP_OFFLOAD);
        return;
    }
    if (UNLIKELY(!fits_mtu(port, pkt))) {
        worker_drop(w, pkt, DROP_MTU);
        return;
    }
    if (LIKELY(!needs_completing(port, pkt))) {
        enqueue(w, wp, pkt);
    } else {
        enqueue_completed(w, wp, port, pkt);
    }
}

static void
output_clone(struct worker *w, uint32_t id, struct packet *pkt)
{
    struct packet *copy = packet_clone(w->pool, pkt);

    if (copy) {
        output_packet(w, id, copy);
    } else {
        count(&worker_port(w, pkt->in_port)->drops[DROP_NO_BUFFER], 1);
    }
    pkt->n_trunc = 0;
}

void
output_copies(struct worker *w, uint32_t id, struct run *run)
{
    struct worker_port *wp = worker_port(w, id);
    struct port *port;
    bool lends;

    port = wp ? atomic_load_explicit(&wp->port, memory_order_acquire) : NULL;
    lends = port && port_is_up(port) && (port->features & PORT_F_TX_BORROWS)
            && !atomic_load_explicit(&wp->tap, memory_order_relaxed);
    if (lends) {
        /* Whole and untouched, they can be lent: no copy of 64 KB for each
         * port that a frame is flooded to. */
        struct batch batch = { .n = 0 };

        flush_port(w, wp);
        for (unsigned int i = 0; i < run->n; i++) {
            struct packet *pkt = run->pkts[i];

            if (pkt->n_trunc || !fits_mtu(port, pkt)
                || needs_completing(port, pkt)) {
                output_clone(w, id, pkt);
            } else {
                batch_add(&batch, pkt);
            }
        }
        if (batch.n) {
            if (wp->tx_lock) {
                pthread_mutex_lock(wp->tx_lock);
            }
            port_tx(port, wp->txq, &batch, true);
            if (wp->tx_lock) {
                pthread_mutex_unlock(wp->tx_lock);
            }
        }
        return;
    }
    for (unsigned int i = 0; i < run->n; i++) {
        output_clone(w, id, run->pkts[i]);
    }
}
