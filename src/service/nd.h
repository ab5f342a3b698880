/* A network's gateway in IPv6: who it is, and how guests get addresses.
 *
 *     solicitation about the gateway's address  -> advertisement (RFC 4861 7.2)
 *     router solicitation                       -> router advertisement (6.2.6)
 *
 * The advertisement says the prefix and whether guests choose their addresses
 * in it (SLAAC) or are given them (DHCPv6; in either case it knows names and
 * servers), the MTU, and the name server with
 * its search domain (RFC 8106).  Its lifetime as a router is 0 where nothing is
 * routed: guests learn addresses and names and no way out.
 *
 * Lifetimes are the long ones of RFC 4861 section 6.2.1.  Unasked, everybody
 * hears the same now and then (nd_advertise).
 *
 * Pure: a frame in, a frame out. */
#ifndef WEFT_SERVICE_ND_H
#define WEFT_SERVICE_ND_H

#include "lib/types.h"

enum { ND_FRAME_MAX = 512, ND_MAX_SERVERS = 4 };

struct nd_gateway {
    struct eth_addr mac;
    struct ip6_addr link_local;
    struct ip6_addr address;      /* the gateway's in the subnet */
    struct ip6_addr prefix;
    uint8_t prefix_len;
    bool is_slaac;                /* guests choose their addresses */
    bool is_stateful;             /* or DHCPv6 gives them */
    uint16_t router_lifetime;     /* seconds; 0: no router */
    uint32_t mtu;
    unsigned int n_servers;
    struct ip6_addr servers[ND_MAX_SERVERS];
    const char *domain;           /* "" or NULL: none */
};

struct nd_reply {
    size_t len;                   /* 0: none */
    uint8_t frame[ND_FRAME_MAX];
};

/* X(ID, name, what happened) */
#define ND_EVENTS(X)                                                         \
    X(ND_ANSWERED, "answered", "the gateway said who it is")                 \
    X(ND_ADVERTISED, "advertised", "a guest was told about its network")     \
    X(ND_NOT_OURS, "not-ours", "a question about somebody else")             \
    X(ND_SHORT, "short", "the frame ends too early")                         \
    X(ND_HOP_LIMIT, "hop-limit", "it came by way of a router")               \
    X(ND_CHECKSUM, "checksum", "the checksum is wrong")                      \
    X(ND_OPTIONS, "options", "an option that may not be, or has no length")

enum nd_event {
#define X(ID, NAME, TEXT) ID,
    ND_EVENTS(X)
#undef X
    N_ND_EVENTS
};

const char *nd_event_name(enum nd_event);

/* `frame` is untagged Ethernet.  Fills the reply in, or leaves it empty. */
enum nd_event nd_answer(const struct nd_gateway *, const void *frame,
                        size_t len, struct nd_reply *);
/* Does a guest ask whether nobody has this address (RFC 4862, 5.4.2), because
 * it is about to use it?  And whose frame is it? */
bool nd_announced(const void *frame, size_t len, struct eth_addr *,
                  struct ip6_addr *);
/* The router advertisement that all nodes hear unasked (RFC 4861, 6.2.4). */
void nd_advertise(const struct nd_gateway *, struct nd_reply *);

#endif
