/* uplink: the way out.
 *
 *     lan: {device: eth1}                          bridged
 *     lan: {bond: [eth1, eth2], mode: lacp}
 *     wan: {host: true}                            through the host's own stack
 *
 * A bridged uplink carries networks by their segment.  The device of a host's
 * only NIC gives its addresses to an internal port while it is ours. */
#ifndef WEFT_INTENT_UPLINK_H
#define WEFT_INTENT_UPLINK_H

#include "intent/object.h"

enum bond_mode { BOND_ACTIVE_BACKUP, BOND_LACP };
enum lacp_rate { LACP_FAST, LACP_SLOW };

enum { UPLINK_MAX_MEMBERS = 8 };

struct intent_uplink {
    struct intent_object object;
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
};

static inline const struct intent_uplink *
intent_uplink_cast(const struct intent_object *object)
{
    return object ? CONTAINER_OF(object, const struct intent_uplink, object)
                  : NULL;
}

#endif
