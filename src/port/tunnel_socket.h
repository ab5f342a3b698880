/* The sockets of tunnel ports (tunnel.h).
 *
 * What is received comes by sockets that need privileges (their buffers, GRE's
 * raw ones) and that the helper keeps over a restart: what arrives meanwhile
 * waits in them.  What is sent over UDP leaves by sockets that need none, many of
 * them, because their ports are what routers spread flows by (RFC 7348, 5).
 *
 * All are non-blocking and in the namespace of the caller. */
#ifndef WEFT_PORT_TUNNEL_SOCKET_H
#define WEFT_PORT_TUNNEL_SOCKET_H

#include <netinet/in.h>
#include <netinet/udp.h>

#include "lib/str.h"
#include "lib/types.h"

/* Older headers do not have them. */
#ifndef IP_RECVFRAGSIZE
#define IP_RECVFRAGSIZE 25
#endif
#ifndef IPV6_RECVFRAGSIZE
#define IPV6_RECVFRAGSIZE 77
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    TUNNEL_MAX_QUEUES = 8,
    /* GRE's, by the places in fds[]. */
    TUNNEL_GRE_RX = 0, TUNNEL_GRE_TX = 1, TUNNEL_GRE_TX_DF = 2,
    TUNNEL_GRE_N = 3,
};

/* Which sockets; fixed size, no pointers, padding zero (helper_proto.h). */
struct tunnel_socket_spec {
    uint8_t is_gre;
    uint8_t is_ip6;               /* else IPv4.  IPv6 without `local` over UDP:
                                     both */
    uint8_t is_group;             /* the one that receives what is sent to the
                                     groups it joins */
    uint8_t unused;
    uint16_t port;                /* UDP: where they listen */
    uint16_t n_queues;            /* UDP: sockets that share what arrives */
    struct ip6_addr local;        /* IPv4: mapped; all zero: any of ours */
};

/* How many there are: UDP's receivers, or GRE's three, or one for groups. */
unsigned int tunnel_sockets_count(const struct tunnel_socket_spec *);
/* Opens them all, or none.  -ENODEV: `local` is no address of ours (yet). */
int tunnel_sockets_open(const struct tunnel_socket_spec *, int fds[],
                        struct str *error);
/* The socket for groups begins, or ends, to receive what is sent to this one. */
int tunnel_socket_join(const struct tunnel_socket_spec *, int fd,
                       const struct ip6_addr *group, bool join);
/* A sender of UDP with a source port of its own, that receives nothing.
 * `df`: what is too long is an error, not fragments. */
int tunnel_sender_open(const struct tunnel_socket_spec *, bool df,
                       bool has_csum, int *fd);

/* The address for a socket of the spec's family; returns its length, 0 when it
 * is of another. */
socklen_t tunnel_address(const struct tunnel_socket_spec *,
                         const struct ip6_addr *, uint16_t port,
                         struct sockaddr_in6 *);
/* And back: IPv4 as mapped. */
struct ip6_addr tunnel_address_of(const struct sockaddr_in6 *);

#endif
