/* Inside of the topology: what its files share.  See topology.h. */
#ifndef WEFT_CONTROLLER_TOPOLOGY_IMPL_H
#define WEFT_CONTROLLER_TOPOLOGY_IMPL_H

#include "controller/topology.h"

/* A port of the switch, as it told us. */
struct switch_port {
    char name[16];
    uint32_t number;
    bool has_link;
    bool is_held;                 /* as if the switch did not have it */
    struct eth_addr mac;
};

struct topology {
    char *host;
    struct ipam *ipam;
    const struct multicast *multicast;
    const struct next_hops *next_hops;
    const struct remote *remote;
    bool names_are_devices;
    struct intent *intent;        /* NULL: none */

    struct number_set *numbers;
    bool has_own_numbers;

    unsigned int n_hosts;
    struct topology_host *hosts;  /* in order of name */
    const struct topology_host *own_host;   /* NULL: the file does not have us */
    unsigned int n_aways;         /* behind the n_ports that are here */
    struct id_map by_away;        /* those, by object id */

    unsigned int n_networks, n_ports, n_uplinks, n_routers, n_securities;
    struct topology_network *networks;
    struct topology_port *ports;
    struct topology_uplink *uplinks;
    struct topology_router *routers;
    unsigned int n_forwards;
    struct topology_forward *forwards;
    struct topology_security *securities;
    struct id_map by_security;    /* securities, by id */
    struct id_map by_group;       /* struct security_users, by group's id */
    struct id_map by_id;          /* any of the four, by object id */
    struct id_map by_name;        /* ports, by their name on the switch */
    struct id_map by_number;      /* ports */
    struct id_map switch_ports;   /* by name */
};

/* Names of ports are ids here by their hash; a name that is not the one asked
 * for is not found. */
uint64_t topology_name_id(const char *name);
/* NULL: the switch has none of that name. */
const struct switch_port *topology_find_switch_port(const struct topology *,
                                                    const char *name);
/* 0: none, or it is held. */
uint32_t topology_number_of(const struct topology *, const char *name);
/* What the switch calls a port of ours. */
const char *topology_name_of(const struct topology *,
                             const struct intent_port *);
void topology_forget_switch_ports(struct topology *);

/* Which members the switch has, and what a plain device comes to. */
void topology_find_ports(const struct topology *, struct topology_uplink *);
/* The host, as a station there. */
void topology_find_host(const struct topology *, struct topology_uplink *);
/* What stands in for the uplink's device, if it has a link. */
const struct switch_port *topology_host_leg(const struct topology *,
                                            const struct intent_uplink *);

/* The hosts; where a port is (NULL: at none of them); and whether that is here. */
void topology_build_hosts(struct topology *);
const struct topology_host *topology_place(const struct topology *,
                                           const struct intent_port *);
bool topology_is_here(const struct topology *, const struct intent_port *);
/* What its host says of a member that is away. */
void topology_add_said(const struct topology *, struct topology_member *);
/* Once members are linked. */
void topology_build_network_hosts(struct topology *,
                                  struct topology_network *);
void topology_clear_hosts(struct topology *);
void topology_compare_hosts(const struct topology *was,
                            const struct topology *is, struct unit_set *dirty);
void topology_host_units(const struct topology *, struct unit_set *);
/* Tunnel ports came or went, or those whose frames they let in. */
void topology_touch_tunnels(const struct topology *, struct unit_set *dirty);
/* Units of a network. */
void topology_touch_network(const struct topology_network *,
                            struct unit_set *);
/* Addresses, tags and networks. */
bool topology_same_members(const struct topology_port *,
                           const struct topology_port *);
/* The classes of ports, once the ports are there; and what they have besides
 * the model. */
void topology_build_securities(struct topology *);
void topology_clear_securities(struct topology *);
bool topology_same_security(const struct topology_port *,
                            const struct topology_port *);
/* Which classes are others than they were. */
void topology_compare_securities(const struct topology *was,
                                 const struct topology *is,
                                 struct unit_set *dirty);
/* Numbers that nothing has any more are free. */
void topology_sweep_numbers(struct topology *);

/* Makes the model of a set of intents; what was there is forgotten. */
void topology_build(struct topology *, const struct intent *);
/* The rest of it: which way networks leave, and what comes in. */
void topology_build_nat(struct topology *);
void topology_clear_nat(struct topology *);
/* What looks different of that. */
void topology_compare_nat(const struct topology *was,
                          const struct topology *is, struct unit_set *dirty);
void topology_nat_units(const struct topology *, struct unit_set *);

/* Frees it. */
void topology_clear_model(struct topology *);

#endif
