/* segment: how a network spans hosts, or joins a LAN.
 *
 *     local                                 within one host
 *     {vlan: 20, uplink: lan}               a VLAN of a LAN
 *     {vxlan: 5001}  {gre: 77}  {geneve: 9} an overlay: over any IP network,
 *                                           between the hosts of `hosts:`
 *     {vxlan: 5002, group: 239.1.1.1}       what goes to all goes to a group
 *                                           of the underlay
 *     {vxlan: 5003, remotes: [192.0.2.9]}   others than Weft are on it, too
 *     {vxlan: 5001, vlan: 20, uplink: lan}  a gateway: VLAN and overlay are one
 *                                           network
 *
 * An overlay's key (VNI, GRE key) tells its frames from those of others; one of
 * them, SEGMENT_PROBE_KEY, is kept for what hosts ask each other.  Addresses
 * are of either family, IPv4 in its v4-mapped form. */
#ifndef WEFT_INTENT_SEGMENT_H
#define WEFT_INTENT_SEGMENT_H

#include "intent/object.h"

struct intent_uplink;
struct value_type;

enum segment_type {
    SEGMENT_LOCAL, SEGMENT_VLAN, SEGMENT_VXLAN, SEGMENT_GRE, SEGMENT_GENEVE,
    N_SEGMENT_TYPES
};

enum {
    SEGMENT_MAX_REMOTES = 32,
    SEGMENT_MAX_GROUPS = 16,          /* of all networks; of IPv6: 6 */
    SEGMENT_MAX_GROUPS6 = 6,
    SEGMENT_MAX_KEY = 0xfffffe,       /* GRE: 32 bits */
    SEGMENT_PROBE_KEY = 0xffffff,     /* of every type */
};

struct segment {
    uint64_t given;               /* as an object's */
    enum segment_type type;       /* with a key, that of the overlay */

    /* An overlay. */
    uint32_t key;                 /* from 1 */
    struct ip6_addr group;        /* all zero: frames to all are copied */
    unsigned int n_remotes;
    struct ip6_addr remotes[SEGMENT_MAX_REMOTES];

    /* SEGMENT_VLAN, or the VLAN that an overlay is joined with. */
    char uplink_name[INTENT_NAME_MAX];    /* empty: none */
    const struct intent_uplink *uplink;   /* once sealed */
    uint16_t vid;                 /* 0: untagged */
    bool is_service_tag;          /* 802.1ad: the tag is 0x88a8, and guests' own
                                     tags pass through inside of it */
};

/* In struct intent_network. */
extern const struct value_type value_segment;

/* "vxlan": as written, and what the switch calls the tunnel port of that type. */
const char *segment_type_word(enum segment_type);
/* Is that what the switch calls a tunnel port of its own? */
bool segment_name_is_reserved(const char *switch_name);

static inline bool
segment_type_is_overlay(enum segment_type type)
{
    return type >= SEGMENT_VXLAN;
}

static inline bool
segment_is_overlay(const struct segment *segment)
{
    return segment_type_is_overlay(segment->type);
}

/* Bytes that a tunnel puts before the packet of a guest, the guest's Ethernet
 * header among them. */
unsigned int segment_overhead(enum segment_type, bool is_ip6);

#endif
