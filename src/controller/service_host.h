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
    void *aux;
};

static inline bool
service_send(const struct service_host *host,
             const struct topology_member *member, const void *frame,
             size_t len)
{
    return host->send(host->aux, member, frame, len);
}

#endif
