/* port: one NIC plugged into a network.
 *
 *     web: {network: blue, netns: web}
 *     db:  {network: blue, netns: "pid:4711", address: 10.1.0.20,
 *           configure: true}
 *     vm1: {network: red, tap: vm1, user: qemu, mac: 02:00:00:00:01:01}
 *     old: {network: red, device: tap7}
 *     fw:  {trunk: {10: red, 20: blue}, tap: fw0}
 *     api: {network: blue, netns: api, security-groups: [web, ssh]}
 *
 * Exactly one of netns, tap, tun, device says what is plugged in. */
#ifndef WEFT_INTENT_PORT_H
#define WEFT_INTENT_PORT_H

#include "intent/object.h"

struct intent_network;

enum attach_type { ATTACH_NONE, ATTACH_NETNS, ATTACH_TAP, ATTACH_TUN,
                   ATTACH_DEVICE };

enum {
    PORT_MAX_ALLOW = 16, PORT_MAX_TRUNK = 64, PORT_MAX_SECURITY_GROUPS = 8,
};

/* Who else may send from this port: a MAC, addresses, or both. */
struct port_allow {
    bool has_mac;
    struct eth_addr mac;
    struct subnet4 subnet;        /* host bits 0 */
    struct subnet6 subnet6;
};

struct port_trunk {
    uint16_t vid;
    char network_name[INTENT_NAME_MAX];
    const struct intent_network *network;     /* once sealed */
};

struct port_security_group {
    char name[INTENT_NAME_MAX];
    uint64_t id;                  /* of the object */
};

struct intent_port {
    struct intent_object object;
    char network_name[INTENT_NAME_MAX];       /* empty: only a trunk */
    const struct intent_network *network;     /* once sealed; may be NULL */
    char host[INTENT_NAME_MAX];   /* where it is; empty: here */

    enum attach_type attach;
    char device[256];             /* netns: a name, path or pid:N; else the
                                     device's name */
    char nic[16];                 /* netns: the device's name inside; "eth0" */
    bool use_veth;                /* netns: a veth instead of a tap */
    bool configure;               /* netns: we set address, route, resolver */
    char user[32], group[32];     /* tap: who may open it */
    uint8_t n_queues;

    struct eth_addr mac;          /* default: of the object's id */
    be32 address;                 /* 0: chosen from the network's subnet */
    struct ip6_addr address6;     /* all zero: SLAAC's of the MAC */
    unsigned int n_allow;
    struct port_allow *allow;     /* owned */
    bool is_spoof_ok;             /* anti-spoof: false */
    bool is_isolated;             /* reaches the gateway and uplinks, not the
                                     network's other isolated ports */
    unsigned int n_trunk;
    struct port_trunk *trunk;     /* owned; in order of vid */
    unsigned int n_security_groups;
    struct port_security_group *security_groups;      /* owned; as written */

    uint64_t rate_in, rate_out;   /* bits/s towards the guest, from it; 0: any */
    char mirror_name[INTENT_NAME_MAX];
    const struct intent_port *mirror;         /* gets a copy of all; or NULL */

    /* How the switch calls it: the name, or for long ones a stable short form;
     * what the controller looks for in PORT_DESC. */
    char switch_name[16];
};

static inline const struct intent_port *
intent_port_cast(const struct intent_object *object)
{
    return object ? CONTAINER_OF(object, const struct intent_port, object)
                  : NULL;
}

/* How its network device in the host is called, by a switch which names ports
 * like devices.  A container's is made for that switch, under our name. */
static inline const char *
intent_port_device(const struct intent_port *port)
{
    return port->attach == ATTACH_TAP || port->attach == ATTACH_DEVICE
           ? port->device : port->switch_name;
}

#endif
