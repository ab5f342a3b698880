#include "datapath/meter.h"

#include "packet/edit.h"
#include "packet/eth.h"
#include "packet/field.h"

struct dp_meter *
dp_meter_create(const struct dp_meter_config *config)
{
    struct dp_meter *m = xzalloc(sizeof *m);

    m->config = *config;
    return m;
}

/* Takes the packet's share of the band's tokens.  False: there are not enough,
 * and none are taken.
 *
 * Example: 1000 packets/s, burst 10: a packet moves the arrival time by 1 ms; it
 * conforms while that is at most 10 ms ahead of now. */
static bool
band_conforms(struct dp_meter *m, unsigned int i, uint64_t units, nsec now)
{
    const struct dp_band_config *band = &m->config.bands[i];
    uint64_t rate = MAX(band->rate, 1u);
    uint64_t burst = band->burst;
    nsec cost, depth, tat, next;

    if (!m->config.is_pktps) {
        rate *= 1000;             /* kb/s: units are bits */
        burst *= 1000;
    }
    if (!burst || !m->config.has_burst) {
        /* Unset: what the rate gives in a tenth of a second, and at least one
         * large frame. */
        burst = MAX(rate / 10, m->config.is_pktps ? 1u : 8u * 65536);
    }
    cost = (nsec) ((u128) units * 1000000000 / rate);
    depth = (nsec) ((u128) burst * 1000000000 / rate);
    tat = atomic_load_explicit(&m->tat[i], memory_order_relaxed);
    do {
        next = MAX(tat, now) + cost;
        if (next - now > depth) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
                 &m->tat[i], &tat, next, memory_order_relaxed,
                 memory_order_relaxed));
    return true;
}

/* RFC 2597: raises the drop precedence of an assured forwarding class. */
static void
remark(struct packet *pkt, uint8_t prec_level)
{
    const uint8_t *ip = pkt->data + pkt->l3_ofs;
    uint8_t tos, dscp, precedence;

    if (pkt->l3_ofs == PACKET_NO_OFS || pkt->l3_ofs + 2u > pkt->len) {
        return;
    }
    if (ip[0] >> 4 == 4) {
        tos = ip[1];
    } else if (ip[0] >> 4 == 6) {
        tos = (uint8_t) (ip[0] << 4 | ip[1] >> 4);
    } else {
        return;
    }
    dscp = tos >> 2;
    precedence = dscp >> 1 & 3;
    if (dscp & 1 || !precedence || dscp >> 3 == 0 || dscp >> 3 > 4) {
        return;                   /* not an AF code point */
    }
    precedence = (uint8_t) MIN(precedence + prec_level, 3);
    packet_set_field(pkt, FIELD_IP_DSCP,
                     (dscp & 0x38u) | (unsigned int) precedence << 1, 0x3f);
}

bool
dp_meter_pass(struct dp_meter *m, struct packet *pkt, nsec now)
{
    uint32_t n = packet_n_wire(pkt);
    uint64_t bytes = packet_wire_bytes(pkt);
    uint64_t units = m->config.is_pktps ? n : bytes * 8;
    int hit = -1;

    atomic_fetch_add_explicit(&m->packets, n, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->bytes, bytes, memory_order_relaxed);
    for (unsigned int i = 0; i < m->config.n_bands; i++) {
        if (!band_conforms(m, i, units, now)
            && (hit < 0
                || m->config.bands[i].rate > m->config.bands[hit].rate)) {
            hit = (int) i;
        }
    }
    if (hit < 0) {
        return true;
    }
    atomic_fetch_add_explicit(&m->band_packets[hit], n, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->band_bytes[hit], bytes,
                              memory_order_relaxed);
    if (!m->config.bands[hit].is_dscp_remark) {
        return false;
    }
    remark(pkt, m->config.bands[hit].prec_level);
    return true;
}
