/* Topology: who is where, as the stages read it.
 *
 *     intents (what is wanted)          \
 *     the switch's ports (what is there) > networks, their members, uplinks
 *     addresses chosen (ipam.h)         /
 *
 * A *member* is a port in a network: an access port is one, a trunk port one in
 * every network that it carries.  The switch's number of a port is 0 while the
 * switch does not have it; then nothing is done for it, but its addresses stay
 * its own.
 *
 * Ports at other hosts are *away*: they have no number, and the switch is told
 * by which tunnel they are reached.  Where a port is, and which addresses it has
 * there, hosts say themselves (remote.h); else it is where the file says.
 *
 * A change names the units of flows (flow_unit.h) that may look different after
 * it, and no others: that is what makes a change to one of 5,000 ports cheap.
 *
 * One thread. */
#ifndef WEFT_CONTROLLER_TOPOLOGY_H
#define WEFT_CONTROLLER_TOPOLOGY_H

#include "controller/id_map.h"
#include "controller/ipam.h"
#include "controller/flow_unit.h"
#include "controller/number_set.h"
#include "controller/remote.h"
#include "intent/intent.h"
#include "service/multicast.h"
#include "service/next_hops.h"

enum {
    MEMBER_MAX_BOUND = 16,        /* addresses beside the planned ones */
    MEMBER_MAX_ADDRESSES6 = 2 + 2 * MEMBER_MAX_BOUND, /* link-local, the
                                                         network's; both
                                                         kinds of bound ones */
    /* Up to so many members a network's floods are one entry each; above, they
     * are cut into chunks, so that a member's change touches one of them. */
    FLOOD_MAX_DIRECT = 32,
    FLOOD_N_CHUNKS = 128,
};

/* How a port came to an address that is not planned. */
enum bound_kind { BOUND_LEASED, BOUND_ANNOUNCED, N_BOUND_KINDS };

/* Which of the switch's ports an uplink uses. */
struct uplink_links {
    unsigned int n_rx, n_tx;
    uint32_t rx[UPLINK_MAX_MEMBERS];        /* what others bring is dropped */
    uint32_t tx[UPLINK_MAX_MEMBERS];
    bool is_spread;               /* flows go by any of `tx`; else all by the
                                     first that has a link */
};

/* What stands for a bond where stages name a port: in reg14 and reg15. */
#define BOND_NUMBER UINT32_C(0x80000000)

/* A host of the file. */
struct topology_host {
    const struct intent_host *intent;
    uint64_t id;
    bool is_here;
};

/* Another host that is in a network. */
struct network_host {
    const struct topology_host *host;
    bool is_gateway;              /* its uplink is joined with the network */
    unsigned int n_members;
    unsigned int n_unknown;       /* of those: behind which may be anybody */
    unsigned int n_asked;         /* whose addresses are not planned */
    bool hears_all;               /* groups: a router is there, or it does not
                                     say who listens */
};

struct topology_uplink {
    const struct intent_uplink *intent;
    uint64_t id;
    uint32_t number;              /* of its port; BOND_NUMBER; 0: none is in
                                     use */
    unsigned int n_ports;         /* members that the switch has */
    uint32_t ports[UPLINK_MAX_MEMBERS];
    unsigned int up;              /* a bond's: bit i, member i has a link */
    struct uplink_links links;    /* a bond's: serve_bond.h */
    /* The host's own leg, which stands in for the device: a station of the LAN,
     * in the untagged network.  0: none.  (Of `host: true`, there is nobody but
     * the host: only its MAC.) */
    uint32_t host_number;
    struct eth_addr host_mac;
    struct uplink_nat *nat;       /* of transits; else NULL */
};

/* What inside ports a protocol's source NAT leaves to forwards. */
enum nat_protocol { NAT_TCP, NAT_UDP, NAT_SCTP, N_NAT_PROTOCOLS };

/* A transit: an uplink by which networks leave, routed and translated. */
struct uplink_nat {
    uint16_t zone;                /* what comes from there is tracked in */
    uint32_t number;              /* in reg10: on the way out by it */
    /* As packets come to us: our own first (if any), then forwards'; each once;
     * IPv4 as ::ffff:a.b.c.d. */
    unsigned int n_addresses;
    struct ip6_addr *addresses;
    unsigned int n_forwards;
    struct topology_forward **forwards;
    struct { uint16_t first, last; } ports[N_NAT_PROTOCOLS];  /* 0: any */
};

struct topology_forward {
    const struct intent_forward *intent;
    uint64_t id;
    struct topology_uplink *uplink;
    struct topology_network *network;       /* in which its target is */
    /* The target's address; all zero: it is not planned, or not on this host,
     * and nothing is led there. */
    struct ip6_addr target;
};

/* Ports with the same security groups: their rules are written once.  Flows
 * know it by a number, and its id is made of the groups'. */
struct topology_security {
    uint64_t id;
    uint32_t number;              /* one of NUMBER_SECURITY; 0: there are too
                                     many, and nothing is let in */
    unsigned int n_groups;
    const struct intent_security_group *groups[PORT_MAX_SECURITY_GROUPS];
    bool limits_out;              /* one of them says what may leave */
    bool is_audit;                /* all of them only count */
    /* Rules of some group let in, or out to, one of these. */
    bool is_peer_in, is_peer_out;
    uint64_t peers;               /* made of the classes that its rules name */
};

struct topology_network {
    const struct intent_network *intent;
    uint64_t id;
    struct topology_uplink *uplink;         /* bridged ones; NULL */
    struct topology_router *router;         /* that joins it to others; NULL */
    struct topology_uplink *nat;  /* where it leads out; NULL: nowhere */
    uint16_t zone;                /* its connections are tracked in, if so */
    uint32_t mark;                /* of connections, by which what comes back
                                     finds it */
    struct address_share share;   /* of its addresses, that is ours to choose
                                     from */
    unsigned int n_members;
    struct topology_member **members;       /* in order of their ports' names */
    unsigned int n_aways;
    struct topology_member **aways;         /* at other hosts, the same way; of
                                               overlays that concern us */
    unsigned int n_hosts;
    struct network_host *hosts;   /* other ones that are in it */
    unsigned int n_strangers_away;          /* there: whose addresses are not
                                               planned */
    unsigned int n_isolated;
    unsigned int n_unknown;       /* members behind which may be anybody */
    unsigned int n_asked;         /* members whose addresses are not planned */
    unsigned int n_secured;       /* members with security groups */
};

struct topology_router {
    const struct intent_router *intent;
    uint64_t id;
    unsigned int n_networks;
    struct topology_network **networks;     /* in order of name */
};

struct topology_member {
    struct topology_port *port;
    struct topology_network *network;
    uint16_t vid;                 /* 0: untagged */
    be32 address;                 /* 0: not planned */
    unsigned int n_planned6, n_addresses6;    /* the planned ones first */
    unsigned int n_bound6[N_BOUND_KINDS];     /* then these, in order */
    struct ip6_addr addresses6[MEMBER_MAX_ADDRESSES6];
};

struct topology_port {
    const struct intent_port *intent;
    uint64_t id;
    const struct topology_host *host;       /* where it is; NULL: here */
    uint32_t number;              /* 0: the switch does not have it */
    const struct topology_port *mirror;     /* NULL: none */
    const struct topology_security *security;         /* NULL: none */
    uint32_t zone;                /* with security: of its connections */
    bool is_mirror;               /* of some other */
    unsigned int n_members;
    struct topology_member *members;
};

struct topology;

struct topology_config {
    const char *host;             /* our name; NULL: ports that name a host are
                                     not ours */
    struct ipam *ipam;            /* borrowed */
    const struct multicast *multicast;      /* borrowed: who hears which group;
                                               NULL: nobody does */
    const struct next_hops *next_hops;      /* borrowed: stations that are not
                                               planned; NULL: none is known */
    const struct remote *remote;  /* borrowed: what other hosts say of ports;
                                     NULL: nobody says anything */
    bool names_are_devices;       /* the switch calls a port like its device, as
                                     Open vSwitch does */
    struct number_set *numbers;   /* borrowed; NULL: its own */
};

struct topology *topology_create(const struct topology_config *);
void topology_destroy(struct topology *);

/* Another set of intents (sealed; NULL: none). */
void topology_set_intent(struct topology *, const struct intent *,
                         struct unit_set *dirty);
const struct intent *topology_intent(const struct topology *);
/* NULL: none is known. */
const struct next_hops *topology_next_hops(const struct topology *);
/* NULL: nobody listens to groups. */
const struct multicast *topology_multicast(const struct topology *);
/* NULL: no host says anything. */
const struct remote *topology_remote(const struct topology *);
/* Hosts said otherwise who listens there. */
void topology_follow_listening(struct topology *, struct unit_set *dirty);
/* A host that is in the network; NULL. */
const struct network_host *
topology_network_host(const struct topology_network *, uint64_t host);

/* The switch has a port; number 0: no more.  With no link, an uplink's other
 * members are preferred. */
void topology_set_switch_port(struct topology *, const char *name,
                              uint32_t number, bool has_link,
                              struct unit_set *dirty);
/* What the switch says the MAC of such a port is. */
void topology_set_switch_mac(struct topology *, const char *name,
                             struct eth_addr, struct unit_set *dirty);
/* The port is treated as if the switch did not have it, or no more so. */
void topology_hold_port(struct topology *, const struct topology_port *,
                        bool is_held, struct unit_set *dirty);
/* What the switch told of its port of that name.  False: it has none. */
struct topology_switch_port {
    uint32_t number;
    bool has_link;
    struct eth_addr mac;
};
bool topology_switch_port(const struct topology *, const char *name,
                          struct topology_switch_port *);
/* A bond uses these; they are forgotten with the intents. */
void topology_set_links(struct topology *, uint64_t uplink,
                        const struct uplink_links *, struct unit_set *dirty);
/* The switch is another one: none of its ports are known. */
void topology_clear_switch_ports(struct topology *, struct unit_set *dirty);

/* By object id; NULL. */
const struct topology_network *topology_network(const struct topology *,
                                                uint64_t id);
const struct topology_port *topology_port(const struct topology *,
                                          uint64_t id);
const struct topology_uplink *topology_uplink(const struct topology *,
                                              uint64_t id);
const struct topology_forward *topology_forward(const struct topology *,
                                                uint64_t id);
const struct topology_router *topology_router(const struct topology *,
                                              uint64_t id);
/* A port at another host, in a network that concerns us; NULL. */
const struct topology_port *topology_away(const struct topology *,
                                          uint64_t id);
/* All that the file has. */
const struct topology_host *topology_hosts(const struct topology *,
                                           unsigned int *n);
/* Our end of tunnels; NULL: the file does not have us. */
const struct ip6_addr *topology_own_end(const struct topology *);
/* The switch's port by which tunnels of that type go; 0: none, or the file does
 * not have us. */
uint32_t topology_tunnel(const struct topology *, enum segment_type);
/* By its own id; NULL. */
const struct topology_security *topology_security(const struct topology *,
                                                  uint64_t id);
/* The classes that have this security group: the `i`th; NULL ends. */
const struct topology_security *topology_security_of(const struct topology *,
                                                     uint64_t group,
                                                     unsigned int i);
/* The networks whose ports reach those of this one: itself, and those that a
 * router joins to it; NULL ends. */
const struct topology_network *topology_reach(const struct topology_network *,
                                              unsigned int i);
/* Who sends by this port of the switch in this network; NULL. */
const struct topology_member *topology_member(const struct topology *,
                                              uint64_t network,
                                              uint32_t number);

/* The addresses of IPv6 that the port uses in the network besides its planned
 * ones: leased, or chosen by itself.  They are forgotten with the intents. */
void topology_set_bound(struct topology *, const struct topology_member *,
                        enum bound_kind, const struct ip6_addr *,
                        unsigned int n, struct unit_set *dirty);
bool topology_is_planned6(const struct topology_member *,
                          const struct ip6_addr *);

/* Ports of intents that the switch does not have. */
unsigned int topology_count_missing(const struct topology *);

/* NULL, or who has the network's addresses already on the way out by its uplink,
 * where the switch cannot tell two such networks apart; then nothing leaves. */
const struct topology_network *
topology_nat_rival(const struct topology *, const struct topology_network *);

/* Every unit that there is. */
void topology_units(const struct topology *, struct unit_set *);

/* ---- What follows from a member or a network ---- */

/* Which part of its network's floods it is in. */
unsigned int topology_chunk(const struct topology_member *);
bool topology_is_chunked(const struct topology_network *);
/* Do its floods tell isolated senders from others?  Big networks' always do, so
 * that the first isolated port does not rewrite them all. */
bool topology_has_isolated(const struct topology_network *);
/* A group of so many is cut into chunks as floods are. */
bool topology_group_is_chunked(unsigned int n_members);
/* The member of that port in that network; NULL. */
const struct topology_member *topology_member_of(const struct topology *,
                                                 uint64_t network,
                                                 uint64_t port);

/* Anybody may be behind it: it hears what is for nobody we know. */
static inline bool
topology_is_unknown(const struct topology_member *member)
{
    return member->port->intent->is_spoof_ok;
}

static inline bool
topology_is_overlay(const struct topology_network *network)
{
    return intent_network_is_overlay(network->intent);
}

/* Are others than our hosts on the overlay? */
static inline bool
topology_is_foreign(const struct topology_network *network)
{
    return intent_network_has_foreign_ends(network->intent);
}

/* Are its groups sent to those of our hosts alone that have listeners?  (To ends
 * that say nothing of them all is sent.) */
static inline bool
topology_is_listened(const struct topology_network *network)
{
    return topology_is_overlay(network)
           && network->intent->multicast == MULTICAST_SNOOP
           && !intent_network_has_foreign_ends(network->intent);
}

/* May stations be in it that are not planned? */
static inline bool
topology_has_strangers(const struct topology_network *network)
{
    return network->uplink || network->n_unknown || network->n_strangers_away
           || topology_is_foreign(network);
}

/* An overlay, and: members of it are here, or a router leads there, or our uplink
 * is joined with it.  Of other overlays the switch is told nothing. */
bool topology_concerns_us(const struct topology_network *);

/* A frame can leave by one place and come back by another: behind both may be
 * anybody. */
static inline bool
topology_is_at_risk(const struct topology_network *network)
{
    return network->n_unknown + (network->uplink ? 1 : 0) > 1
           && network->n_unknown;
}

/* Its address is not planned: it hears who asks for one. */
static inline bool
topology_is_asked(const struct topology_member *member)
{
    return member->port->intent->is_spoof_ok || !member->address;
}

/* The switch's port by which the host itself is in this network; 0: it is not,
 * or behind the uplink. */
static inline uint32_t
topology_host_number(const struct topology_network *network)
{
    return network->uplink && !network->intent->segment.vid
           ? network->uplink->host_number : 0;
}

/* Do guests have a gateway of ours?  (An intent may say that there is none.) */
static inline bool
topology_has_gateway(const struct topology_network *network)
{
    return network->intent->gateway != 0;
}

bool topology_has_gateway6(const struct topology_network *);

/* A gateway of either family. */
static inline bool
topology_is_gateway(const struct topology_network *network)
{
    return topology_has_gateway(network) || topology_has_gateway6(network);
}

/* Has its gateway anywhere to send packets of IPv6 to? */
static inline bool
topology_leads_somewhere6(const struct topology_network *network)
{
    struct ip6_addr none = { { 0 } }, outside = none;

    if (network->nat) {
        outside = intent_uplink_external6(network->nat->intent);
    }
    return network->router || memcmp(&outside, &none, sizeof none);
}

/* May guests choose addresses of IPv6, so that their announcements count? */
static inline bool
topology_learns6(const struct intent_network *network)
{
    return network && network->subnet6.is_set;
}

/* The link-local address that goes with a MAC (RFC 4291 appendix A). */
struct ip6_addr topology_link_local(struct eth_addr);
/* A subnet's address with a MAC's interface identifier. */
struct ip6_addr topology_slaac(const struct subnet6 *, struct eth_addr);

#endif
