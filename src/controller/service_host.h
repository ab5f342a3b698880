/* What services need of the controller: one small door. */
#ifndef WEFT_CONTROLLER_SERVICE_HOST_H
#define WEFT_CONTROLLER_SERVICE_HOST_H

#include <uv.h>

#include "controller/packet_in.h"

struct service_host {
    uv_loop_t *loop;
    const struct topology *topology;
    struct packet_in_table *packet_ins;     /* to be served */
    /* Sends a frame to a member. */
    bool (*send)(void *aux, const struct topology_member *,
                 const void *frame, size_t len);
    /* Sends a frame by one of the switch's ports, with a tag unless `vid` is
     * 0. */
    bool (*send_by)(void *aux, uint32_t number, uint16_t tpid, uint16_t vid,
                    const void *frame, size_t len);
    /* Sends a frame by the tunnel of that number, in the overlay of that key, to
     * that end. */
    bool (*send_tunnel)(void *aux, uint32_t number, uint32_t key,
                        const struct ip6_addr *end, const void *frame,
                        size_t len);
    /* A frame enters the tables. */
    bool (*inject)(void *aux, const struct packet_in_entry *,
                   const void *frame, size_t len);
    /* The addresses of IPv6 that a member uses beside its planned ones, at most
     * MEMBER_MAX_BOUND; they are forgotten with the intents. */
    void (*bind6)(void *aux, const struct topology_member *, enum bound_kind,
                  const struct ip6_addr *, unsigned int n);
    /* A port is taken for one that is not there, or no more so. */
    void (*hold)(void *aux, const struct topology_port *, bool is_held);
    /* Which links a bond uses (topology_set_links). */
    void (*set_links)(void *aux, uint64_t uplink,
                      const struct uplink_links *);
    struct unit_set *dirty;       /* whose flows shall be other ones */
    void (*touched)(void *aux);   /* there are some more */
    void *aux;
};

static inline bool
service_send(const struct service_host *host,
             const struct topology_member *member, const void *frame,
             size_t len)
{
    return host->send(host->aux, member, frame, len);
}

static inline bool
service_send_by(const struct service_host *host, uint32_t number,
                uint16_t tpid, uint16_t vid, const void *frame, size_t len)
{
    return host->send_by(host->aux, number, tpid, vid, frame, len);
}

static inline bool
service_send_tunnel(const struct service_host *host, uint32_t number,
                    uint32_t key, const struct ip6_addr *end,
                    const void *frame, size_t len)
{
    return host->send_tunnel(host->aux, number, key, end, frame, len);
}

static inline bool
service_inject(const struct service_host *host,
               const struct packet_in_entry *at, const void *frame,
               size_t len)
{
    return host->inject(host->aux, at, frame, len);
}

static inline void
service_bind6(const struct service_host *host,
              const struct topology_member *member, enum bound_kind kind,
              const struct ip6_addr *addresses, unsigned int n)
{
    host->bind6(host->aux, member, kind, addresses, n);
}

#endif
