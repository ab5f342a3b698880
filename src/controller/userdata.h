/* What a packet-in says of itself: which service it is for, and which object's.
 *
 * Twelve bytes in the controller action, which the switch repeats. */
#ifndef WEFT_CONTROLLER_USERDATA_H
#define WEFT_CONTROLLER_USERDATA_H

#include "lib/types.h"

/* X(ID, name)  In the order of their numbers on the wire. */
#define SERVICES(X)                                                          \
    X(SERVICE_DHCP, "dhcp")                                                  \
    X(SERVICE_DHCP6, "dhcp6")                                                \
    X(SERVICE_RA, "ra")                                                      \
    X(SERVICE_ND, "nd")                                                      \
    X(SERVICE_DNS, "dns")                                                    \
    X(SERVICE_IGMP, "igmp")                                                  \
    X(SERVICE_MLD, "mld")                                                    \
    X(SERVICE_BINDING, "binding")                                            \
    X(SERVICE_LOOP, "loop")                                                  \
    X(SERVICE_LACP, "lacp")                                                  \
    X(SERVICE_EXPIRED, "expired")                                            \
    X(SERVICE_NO_ROUTE, "no-route")                                          \
    X(SERVICE_CLOSED, "closed")                                              \
    X(SERVICE_TOO_BIG, "too-big")                                            \
    X(SERVICE_TOO_LONG, "too-long")                                          \
    X(SERVICE_NEXT_HOP, "next-hop")                                          \
    X(SERVICE_NEIGHBOUR, "neighbour")                                        \
    X(SERVICE_PROBE, "probe")

enum service_id {
#define X(ID, NAME) ID,
    SERVICES(X)
#undef X
    N_SERVICES
};

enum { USERDATA_VERSION = 1, USERDATA_LEN = 12 };

struct userdata {
    enum service_id service;
    uint64_t object;              /* the network's id; LACP: the uplink's;
                                     probes: 0 */
};

void userdata_encode(const struct userdata *, uint8_t out[USERDATA_LEN]);
/* False: it is not ours. */
bool userdata_decode(const void *data, size_t len, struct userdata *);
const char *service_name(enum service_id);

#endif
