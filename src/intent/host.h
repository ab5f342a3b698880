/* host: a machine that runs Weft, as the others know it.
 *
 *     h1: {tunnel: 192.0.2.1, certificate: "sha256:9f86d0..."}
 *     h2: {tunnel: 192.0.2.2, mtu: 9000, peer: "198.51.100.2:7000"}
 *
 * Every host is given the same file and finds itself in it by its name (weftd
 * --host).  Networks whose segment is an overlay (segment.h) span the hosts that
 * are listed; a port says where it is by `host:`. */
#ifndef WEFT_INTENT_HOST_H
#define WEFT_INTENT_HOST_H

#include "intent/object.h"

struct intent;
struct segment;

enum {
    HOST_PEER_PORT = 6650,        /* TCP */
    HOST_DEFAULT_MTU = 1500,
    HOST_CERTIFICATE_SIZE = 32,
};

/* Addresses of either family, IPv4 in its v4-mapped form. */
struct intent_host {
    struct intent_object object;
    struct ip6_addr tunnel;       /* its end of all tunnels */
    uint16_t mtu;                 /* largest packet of the underlay there */
    struct host_peer {            /* where its weftd listens for the others' */
        struct ip6_addr address;  /* default: `tunnel` */
        uint16_t port;
    } peer;
    /* SHA-256 of the certificate that it shows; all zero: not said. */
    uint8_t certificate[HOST_CERTIFICATE_SIZE];
};

static inline const struct intent_host *
intent_host_cast(const struct intent_object *object)
{
    return object ? CONTAINER_OF(object, const struct intent_host, object)
                  : NULL;
}

bool intent_host_has_certificate(const struct intent_host *);

/* What the hosts of a set have in common. */
struct intent_underlay {
    unsigned int n_hosts;
    bool is_ip6;                  /* all tunnels are of one family */
    uint16_t mtu;                 /* the smallest of the hosts' */
};

struct intent_underlay intent_underlay(const struct intent *);

/* The largest packet of a guest that fits through a tunnel between any two
 * hosts; 0: the segment has none. */
unsigned int intent_underlay_room(const struct intent_underlay *,
                                  const struct segment *);

#endif
