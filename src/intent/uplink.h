/* uplink: the way out.
 *
 *     lan: {device: eth1}                          bridged
 *     lan: {bond: [eth1, eth2], mode: lacp}
 *     wan: {host: true}                            through the host's own stack
 *     out: {device: eth2, address: 203.0.113.5/24, gateway: 203.0.113.1}
 *     dc:  {device: eth1, at: h1}                  of one host only
 *
 * A bridged uplink carries networks by their segment.  The device of a host's
 * only NIC gives its addresses to an internal port while it is ours.
 *
 * One with an address of its own, and the host's stack, is a way out for
 * networks with `nat` (network.h): routed, and translated.  Between the switch
 * and the host's stack there is a link of two stations (transfer.h). */
#ifndef WEFT_INTENT_UPLINK_H
#define WEFT_INTENT_UPLINK_H

#include "intent/object.h"
#include "intent/transfer.h"

enum bond_mode { BOND_ACTIVE_BACKUP, BOND_LACP };
enum lacp_rate { LACP_FAST, LACP_SLOW };

enum { UPLINK_MAX_MEMBERS = 8 };

struct intent_uplink {
    struct intent_object object;
    char at[INTENT_NAME_MAX];     /* the host that has it; empty: every one */
    bool is_host;                 /* no device: the host's own stack */
    unsigned int n_members;       /* 1, or a bond's */
    struct uplink_member {
        char device[16];
        char switch_name[16];     /* in PORT_DESC */
    } members[UPLINK_MAX_MEMBERS];
    /* The device, and the switch's port, that stands in for a NIC of the host;
     * empty: none may. */
    char host_leg[16];
    bool is_bond;
    enum bond_mode mode;
    char primary[16];             /* active-backup: a member's device; "" */
    uint32_t fail_back;           /* seconds until it is used again */
    enum lacp_rate lacp_rate;     /* how often the partner shall speak */
    bool keep_addresses;          /* take-over: false: the device's addresses
                                     are not moved to the internal port */

    struct subnet4 address;       /* our own there, host bits set */
    struct subnet6 address6;
    be32 gateway;                 /* 0: none */
    struct ip6_addr gateway6;
    struct eth_addr mac;          /* by which we are known there: of the
                                     object's id */
    struct subnet4 transfer_subnet;       /* as written */
    struct transfer transfer;     /* host: true */
};

static inline const struct intent_uplink *
intent_uplink_cast(const struct intent_object *object)
{
    return object ? CONTAINER_OF(object, const struct intent_uplink, object)
                  : NULL;
}

/* Is it an uplink of the host of that name? */
static inline bool
intent_uplink_is_at(const struct intent_uplink *uplink, const char *host)
{
    return !uplink->at[0] || (host && !strcmp(uplink->at, host));
}

/* Do networks leave by it, routed and translated? */
static inline bool
intent_uplink_is_transit(const struct intent_uplink *uplink)
{
    return uplink->is_host || uplink->address.is_set
           || uplink->address6.is_set;
}

/* What inside addresses become on the way out by it: its own, or our end of the
 * transfer link.  0, all zero: it has none of that family. */
static inline be32
intent_uplink_external(const struct intent_uplink *uplink)
{
    return uplink->is_host ? uplink->transfer.ours : uplink->address.addr;
}

static inline struct ip6_addr
intent_uplink_external6(const struct intent_uplink *uplink)
{
    return uplink->is_host ? uplink->transfer.ours6 : uplink->address6.addr;
}

/* Who is asked to carry what leaves by it; 0: nobody beyond the link. */
static inline be32
intent_uplink_next_hop(const struct intent_uplink *uplink)
{
    return uplink->is_host ? uplink->transfer.host : uplink->gateway;
}

static inline struct ip6_addr
intent_uplink_next_hop6(const struct intent_uplink *uplink)
{
    return uplink->is_host ? uplink->transfer.host6 : uplink->gateway6;
}

#endif
