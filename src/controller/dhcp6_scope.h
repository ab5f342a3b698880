/* One network's DHCPv6: its server and leases, as its intent wants them. */
#ifndef WEFT_CONTROLLER_DHCP6_SCOPE_H
#define WEFT_CONTROLLER_DHCP6_SCOPE_H

#include "controller/topology.h"
#include "service/dhcp6_server.h"

struct dhcp6_scope_member {
    char name[INTENT_NAME_MAX];
    struct ip6_addr planned;      /* all zero: none */
};

struct dhcp6_scope {
    uint64_t id;
    char name[INTENT_NAME_MAX];
    struct dhcp6_server server;
    struct lease6_table *leases;
    unsigned int n_members;
    struct dhcp6_scope_member *members;     /* by name, each once */
    struct ip6_addr *planned;               /* of all of them, in order */
};

struct dhcp6_scope *dhcp6_scope_create(const struct topology_network *);
void dhcp6_scope_destroy(struct dhcp6_scope *);

/* What the intent says now; what is held by ports that are not there any more
 * is free, and what was held where addresses are not given any more. */
void dhcp6_scope_update(struct dhcp6_scope *, const struct topology_network *,
                        lease6_changed *, void *aux);
/* NULL: there is none of that name. */
const struct dhcp6_scope_member *
dhcp6_scope_member(const struct dhcp6_scope *, const char *name);

#endif
