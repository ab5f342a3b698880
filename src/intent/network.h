/* network: one isolated Ethernet segment, with at most one IPv4 and one IPv6
 * subnet.
 *
 *     blue: {subnet: 10.1.0.0/24}
 *     red:  {subnet: 10.2.0.0/24, subnet6: fd00:2::/64,
 *            segment: {vlan: 20, uplink: lan}}
 *     flat: {segment: {vlan: 0, uplink: lan}}   addresses come from the LAN
 *     wide: {subnet: 10.3.0.0/24, segment: {vxlan: 5001}}    spans the hosts
 *
 *     green: {subnet: 10.1.0.0/24, nat: wan}    leads outside, translated
 *
 * No feature depends on the segment's type. */
#ifndef WEFT_INTENT_NETWORK_H
#define WEFT_INTENT_NETWORK_H

#include "intent/segment.h"
#include "packet/address.h"

struct intent_uplink;

enum { NETWORK_MAX_RANGES = 16, NETWORK_MAX_SERVERS = 4,
       NETWORK_MAX_OPTIONS = 32, NETWORK_MAX_ROUTES = 16,
       NETWORK_MAX_RELAYS = 15, NETWORK_DEFAULT_MTU = 1500 };

struct address_range {
    be32 first, last;
};

enum dhcp_option_form { OPTION_TEXT, OPTION_HEX, OPTION_ADDRESSES };

/* An option of DHCPv4 by number, value as on the wire. */
struct dhcp_option {
    uint8_t code;
    uint8_t form;                 /* how it was written */
    uint8_t len;
    uint8_t value[255];
};

struct dhcp_route {               /* RFC 3442 */
    struct subnet4 destination;
    be32 gateway;
};

/* A subnet behind a relay agent: what is not said here is the network's. */
struct dhcp_relay {
    uint64_t given;               /* as an object's */
    struct subnet4 subnet;
    be32 router;                  /* default: the subnet's first; 0: none */
    struct address_range range;   /* 0: the whole subnet */
};

struct network_dhcp {
    uint64_t given;               /* as an object's */
    bool is_off;
    unsigned int n_ranges;        /* 0: the whole subnet */
    struct address_range ranges[NETWORK_MAX_RANGES];
    uint32_t lease_time;          /* seconds; default 3600 */
    uint32_t per_port;            /* leases; default 1024 */
    unsigned int n_ntp;
    be32 ntp[NETWORK_MAX_SERVERS];
    unsigned int n_routes;
    struct dhcp_route routes[NETWORK_MAX_ROUTES];
    char boot_server[64];         /* PXE: options 66 and 67 */
    char boot_file[128];
    unsigned int n_relays;
    struct dhcp_relay relays[NETWORK_MAX_RELAYS];
    unsigned int n_options;
    struct dhcp_option *options;  /* owned */
};

struct network_dhcp6 {
    uint64_t given;               /* as an object's */
    uint32_t lease_time;          /* seconds; default 3600 */
    unsigned int n_ntp;
    struct ip6_addr ntp[NETWORK_MAX_SERVERS];
    char boot_file[256];          /* a URL */
    uint32_t refresh_time;        /* seconds; default 86400 */
};

/* Who hears a multicast group: who says so (IGMP, MLD), or everybody. */
enum multicast_mode { MULTICAST_SNOOP, MULTICAST_FLOOD };

/* What becomes of IPv6 on the way out. */
enum nat6_mode { NAT6_NONE, NAT6_MASQUERADE, NAT6_PREFIX };

enum ra_mode { RA_SLAAC, RA_STATEFUL, RA_OFF };

struct intent_network {
    struct intent_object object;
    struct subnet4 subnet;        /* network address, host bits 0 */
    struct subnet6 subnet6;
    be32 gateway;                 /* default: the subnet's first; 0: no subnet,
                                     or `none` */
    struct ip6_addr gateway6;     /* default: ...::1; all zero: none */
    struct eth_addr gateway_mac;  /* of the object's id: the same everywhere */
    struct segment segment;
    char nat_name[INTENT_NAME_MAX];
    const struct intent_uplink *nat;      /* once sealed: where its gateway leads
                                             out, translated; NULL: nowhere */
    enum nat6_mode nat6;
    struct subnet6 prefix6;       /* NAT6_PREFIX: of its addresses outside */
    uint16_t mtu;                 /* what guests are told; default: what fits,
                                     intent_network_default_mtu() */
    uint16_t room;                /* what fits through the hosts' tunnels; of the
                                     set as a whole; 0: it has none */
    char domain[128];             /* default NAME.weft */
    unsigned int n_dns;           /* 0: the gateway answers */
    be32 dns[NETWORK_MAX_SERVERS];
    unsigned int n_dns6;
    struct ip6_addr dns6[NETWORK_MAX_SERVERS];
    struct network_dhcp dhcp;
    struct network_dhcp6 dhcp6;
    enum ra_mode ra;
    enum multicast_mode multicast;
    uint32_t storm_cap;           /* broadcasts and multicasts per second and
                                     port; default 500 */
};

/* Have they an address in common?  Of IPv4? */
bool intent_networks_overlap4(const struct intent_network *,
                              const struct intent_network *);
bool intent_networks_overlap(const struct intent_network *,
                             const struct intent_network *);

/* NAT6_PREFIX: where its addresses are outside.  Networks with subnets of their
 * own can have one prefix of up to 48 bits, as a site has. */
struct subnet6 intent_network_outside6(const struct intent_network *);

static inline const struct intent_network *
intent_network_cast(const struct intent_object *object)
{
    return object ? CONTAINER_OF(object, const struct intent_network, object)
                  : NULL;
}

/* What connections that leave it by NAT are marked with, of its id. */
static inline uint32_t
intent_network_mark(uint64_t id)
{
    return (uint32_t) id;
}

/* Does it span hosts by tunnels? */
static inline bool
intent_network_is_overlay(const struct intent_network *network)
{
    return segment_is_overlay(&network->segment);
}

/* Do others than hosts of ours have an end of its tunnels? */
static inline bool
intent_network_has_foreign_ends(const struct intent_network *network)
{
    const struct segment *segment = &network->segment;

    return segment->n_remotes || ip6_addr_is_set(segment->group);
}

/* Bridged: others than us are on the segment, with addresses of their own. */
static inline bool
intent_network_is_bridged(const struct intent_network *network)
{
    return *network->segment.uplink_name
           || intent_network_has_foreign_ends(network);
}

/* The most that its guests can send each other, wherever they are: what `mtu`
 * is when nobody says it. */
static inline uint16_t
intent_network_default_mtu(const struct intent_network *network)
{
    return network->room ? network->room : NETWORK_DEFAULT_MTU;
}

#endif
