#include "controller/serve_route.h"

#include <stdlib.h>

#include "controller/stage.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "service/ip4_fragment.h"

/* Errors per second and port, and at once. */
enum { PER_SECOND = 100, BURST = 50 };

static bool
may_tell(struct serve_route *s, uint32_t in_port)
{
    msec now = clock_msec();
    msec passed;

    in_port %= ROUTE_BUCKETS;
    passed = now - s->buckets[in_port].at;
    if (!s->buckets[in_port].at || passed >= 1000) {
        s->buckets[in_port].left = BURST;
        s->buckets[in_port].at = now;
    } else if (passed >= 1000 / PER_SECOND) {
        unsigned int more = (unsigned int) passed * PER_SECOND / 1000;

        s->buckets[in_port].left = MIN(s->buckets[in_port].left + more,
                                       (unsigned int) BURST);
        s->buckets[in_port].at = now;
    }
    if (!s->buckets[in_port].left) {
        s->n_limited++;
        return false;
    }
    s->buckets[in_port].left--;
    return true;
}

void
serve_route_tell(struct serve_route *s, const struct topology_network *network,
                 uint32_t in_port, enum icmp_trouble trouble, uint16_t mtu,
                 const void *frame, size_t len)
{
    const struct intent_network *intent = network->intent;
    const struct icmp_gateway gateway = {
        intent->gateway_mac, intent->gateway, intent->gateway6,
    };
    const struct packet_in_entry at = { .table = STAGE_ROUTING,
                                        .place = network->id };
    struct icmp_reply reply;
    enum icmp_verdict verdict = icmp_error_make(&gateway, trouble, mtu, frame,
                                                len, &reply);

    s->n_verdicts[verdict]++;
    if (reply.len && may_tell(s, in_port)) {
        s->n_told[trouble]++;
        service_inject(s->host, &at, reply.frame, reply.len);
    }
}

void
serve_route_restore_ttl(uint8_t *frame, size_t len)
{
    enum { TTL_OFS = 22, CSUM_OFS = 24, HOP_LIMIT_OFS = 21 };
    be16 type = len >= ETH_HEADER_LEN + 20 ? get_be16(frame + 12) : 0;

    if (type == htobe16(ETH_TYPE_IP)) {
        be16 was = get_be16(frame + TTL_OFS);

        frame[TTL_OFS]++;
        put_be16(frame + CSUM_OFS,
                 checksum_update16(get_be16(frame + CSUM_OFS), was,
                                   get_be16(frame + TTL_OFS)));
    } else if (type == htobe16(ETH_TYPE_IPV6)) {
        frame[HOP_LIMIT_OFS]++;
    }
}

/* ---- Packets ---- */

static void
tell(struct serve_route *s, const struct packet_in *in,
     enum icmp_trouble trouble)
{
    if (in->network) {
        serve_route_tell(s, in->network, in->in_port, trouble, 0, in->frame,
                         in->len);
    }
}

static void
on_expired(void *aux, const struct packet_in *in)
{
    tell(aux, in, ICMP_EXPIRED);
}

static void
on_no_route(void *aux, const struct packet_in *in)
{
    tell(aux, in, ICMP_NO_ROUTE);
}

static void
on_closed(void *aux, const struct packet_in *in)
{
    tell(aux, in, ICMP_CLOSED);
}

struct cut {
    struct serve_route *s;
    struct packet_in_entry at;
};

static void
send_piece(void *aux, const void *frame, size_t len)
{
    struct cut *cut = aux;

    service_inject(cut->s->host, &cut->at, frame, len);
}

/* Goes on where routing begins, piece by piece, or the sender is told. */
static void
fit(struct serve_route *s, const struct packet_in *in, bool was_routed)
{
    uint16_t mtu = (uint16_t) (be32toh(in->flow->regs[11]) >> MTU_SHIFT);
    uint8_t *frame;

    if (!in->network || mtu < 68) {
        return;
    }
    frame = xmemdup(in->frame, in->len);
    if (was_routed) {
        serve_route_restore_ttl(frame, in->len);
    }
    if (ip4_may_fragment(frame, in->len)) {
        struct cut cut = { s, { .table = STAGE_ROUTING,
                                .place = in->network->id } };

        s->n_cut++;
        ip4_fragment(frame, in->len, mtu, send_piece, &cut);
    } else {
        serve_route_tell(s, in->network, in->in_port, ICMP_TOO_BIG, mtu,
                         frame, in->len);
    }
    free(frame);
}

/* What was routed once is routed again. */
static void
on_too_big(void *aux, const struct packet_in *in)
{
    fit(aux, in, true);
}

static void
on_too_long(void *aux, const struct packet_in *in)
{
    fit(aux, in, false);
}

void
serve_route_init(struct serve_route *s, const struct service_host *host)
{
    *s = (struct serve_route) { .host = host };
    packet_in_serve_all(host->packet_ins, SERVICE_EXPIRED, on_expired, s);
    packet_in_serve_all(host->packet_ins, SERVICE_NO_ROUTE, on_no_route, s);
    packet_in_serve_all(host->packet_ins, SERVICE_CLOSED, on_closed, s);
    packet_in_serve_all(host->packet_ins, SERVICE_TOO_BIG, on_too_big, s);
    packet_in_serve_all(host->packet_ins, SERVICE_TOO_LONG, on_too_long, s);
}
