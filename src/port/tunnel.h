/* Tunnel ports: frames in IP packets to other hosts.
 *
 *     vxlan:remote=192.0.2.2,key=5001      a line to one far end
 *     vxlan:remote=flow,key=flow           one port for all of them: entries set
 *                                          and match tun_src, tun_dst, tun_id
 *     gre:... geneve:...                   the same
 *
 * Options: what they are and mean is in weftd(8).  Ports of one kind, UDP port
 * and local address share an endpoint (tunnel_endpoint.h): its sockets, and what
 * decides whose an arriving frame is.
 *
 * On receive packet->tun says what the outer headers said: src is the far end.
 * On sending packet->tun is what flow entries said; an option that is fixed wins
 * over it.  Super-frames are taken whole, and cut up on the way out (tunnel_tx.c).
 *
 * Private to src/port/tunnel*.c. */
#ifndef WEFT_PORT_TUNNEL_H
#define WEFT_PORT_TUNNEL_H

#include "packet/encap.h"
#include "packet/outer.h"
#include "port/mailbox.h"
#include "port/port.h"
#include "port/tunnel_socket.h"

enum { TUNNEL_MAX_GROUPS = 16, TUNNEL_TTL = 64 };

enum tunnel_kind { TUNNEL_VXLAN, TUNNEL_GENEVE, TUNNEL_GRE };

/* Where a field of the outer header comes from. */
enum tunnel_source { TUNNEL_FIXED, TUNNEL_BY_FLOW, TUNNEL_INHERITED };

/* The options of one port; constant while it is open, but for the groups. */
struct tunnel_options {
    enum tunnel_kind kind;
    struct tunnel_socket_spec sockets;
    bool is_remote_by_flow;
    struct ip6_addr remote;       /* perhaps a group */
    bool has_key, is_key_by_flow; /* VXLAN and Geneve always have one */
    uint32_t key;
    enum tunnel_source ttl_source, tos_source, df_source;
    uint8_t ttl, tos;
    bool df;
    bool has_csum, has_seq;
    uint32_t mtu;                 /* 0: unlimited */
    const char *underlay;         /* a port's name; NULL: none.  The
                                     configuration's */
    unsigned int n_groups;
    struct ip6_addr groups[TUNNEL_MAX_GROUPS];
};

struct tunnel {
    struct port port;
    struct tunnel_options options;
    struct tunnel_endpoint *endpoint;
    struct tunnel *next;          /* of the endpoint's */
    /* Frames that the endpoint's reader had for us. */
    struct mailbox *inbox;
    int rx_fds[TUNNEL_MAX_QUEUES];
    struct tunnel_tx *tx[TUNNEL_MAX_QUEUES];
    _Atomic uint32_t next_seq;    /* GRE's, to be sent */
    _Atomic uint64_t last_seq;    /* received, and bit 32: there was one */
};

static inline struct tunnel *
tunnel_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct tunnel, port);
}

/* -EINVAL with `error`. */
int tunnel_options_parse(const struct port *, struct tunnel_options *,
                         struct str *error);

/* ---- tunnel_rx.c ---- */

int tunnel_rx(struct port *, unsigned int queue, struct packet_pool *,
              struct batch *);

/* Worker: frames that the underlay received, of which those with `proto` 0 are
 * nobody's.  Takes the endpoint's, and leaves NULL in their places.  Under a
 * lock of the underlay. */
void tunnel_take(struct tunnel_endpoint *, struct packet_pool *,
                 struct batch *, const struct outer outers[BATCH_MAX]);

/* Is it of that kind, and to that address? */
bool tunnel_is_to(const struct tunnel_socket_spec *, const struct outer *);

/* ---- tunnel_tx.c ---- */

struct tunnel_tx *tunnel_tx_create(void);
void tunnel_tx_destroy(struct tunnel_tx *);
void tunnel_tx(struct port *, unsigned int queue, struct batch *,
               bool borrow);
void tunnel_tx_by(struct port *, unsigned int queue, struct batch *,
                  const struct port_carrier *);

/* Is the frame itself one of this kind of tunnel, to that outer address?  Then
 * it goes in circles. */
bool tunnel_is_nested(const struct tunnel_options *, const struct packet *,
                      const struct ip6_addr *outer_dst);

#endif
