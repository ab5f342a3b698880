/* What a gateway tells senders of packets that it does not send on
 * (service/icmp_error.h), and what it cuts into pieces that fit
 * (service/ip4_fragment.h).
 *
 * So much of it per second, for each port that packets come from: nobody is to
 * be flooded with errors (RFC 1812 4.3.2.8, RFC 4443 2.4 f). */
#ifndef WEFT_CONTROLLER_SERVE_ROUTE_H
#define WEFT_CONTROLLER_SERVE_ROUTE_H

#include "controller/service_host.h"
#include "service/icmp_error.h"

enum { ROUTE_BUCKETS = 256 };

struct serve_route {
    const struct service_host *host;
    struct {
        msec at;
        unsigned int left;
    } buckets[ROUTE_BUCKETS];     /* by the port's number */
    uint64_t n_verdicts[N_ICMP_VERDICTS];
    uint64_t n_told[N_ICMP_TROUBLES];
    uint64_t n_limited;           /* not told: too much of it */
    uint64_t n_cut;               /* into pieces */
};

/* Registers itself.  The host is borrowed. */
void serve_route_init(struct serve_route *, const struct service_host *);
/* Tells who sent this frame into the network by that port. */
void serve_route_tell(struct serve_route *, const struct topology_network *,
                      uint32_t in_port, enum icmp_trouble, uint16_t mtu,
                      const void *frame, size_t len);
/* One hop back: the TTL as it was before the frame was routed. */
void serve_route_restore_ttl(uint8_t *frame, size_t len);

#endif
