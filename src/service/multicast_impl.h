/* What multicast.c (who hears what) and multicast_querier.c (who asks) share.
 * Nobody else includes this. */
#ifndef WEFT_SERVICE_MULTICAST_IMPL_H
#define WEFT_SERVICE_MULTICAST_IMPL_H

#include <stdatomic.h>

#include "lib/hash.h"
#include "service/multicast.h"

/* RFC 3376, 8, and RFC 3810, 9; msec. */
enum {
    ROBUSTNESS = 2,
    QUERY_INTERVAL = 125000,
    QUERY_RESPONSE = 10000,
    STARTUP_INTERVAL = QUERY_INTERVAL / 4,
    OTHER_PRESENT = ROBUSTNESS * QUERY_INTERVAL + QUERY_RESPONSE / 2,
    LAST_MEMBER_INTERVAL = 1000,
    MAX_INTERVAL = 3600000,       /* that we believe a querier on the LAN */
    /* A port that is new is given less time, and hears all meanwhile. */
    NEW_RESPONSE = 2000,
    NEW_UNTIL = NEW_RESPONSE + 1000,
    /* Until everybody has been asked twice and had time to answer. */
    ASKED_AFTER = STARTUP_INTERVAL + QUERY_RESPONSE + 5000,
};

/* A port that has spoken. */
struct multicast_port {
    uint64_t id;
    unsigned int n_groups;
    msec router_until;            /* 0: there is no querier behind it */
    msec new_until;               /* 0: it had time to answer */
    uint64_t tokens;              /* thousandths of records */
    msec refilled;
};

/* Who asks, in one family. */
struct querier {
    struct ip6_addr other;
    msec other_until;             /* then we do; 0: we do */
    msec interval;                /* at which is asked */
    msec next;                    /* we ask; INT64_MAX: there is nobody to */
    unsigned int n_startup;       /* questions left of a new network's */
    unsigned int n_groups;
};

struct multicast_network {
    struct hmap_node node;        /* in multicast.networks */
    struct multicast_network_config config;
    unsigned int n_ports, size;
    struct multicast_port *ports; /* in order of id */
    struct querier queriers[2];   /* IPv4's, IPv6's */
};

struct multicast {
    struct multicast_limits limits;
    struct multicast_watch watch;
    struct hash_key key;
    struct hmap networks, by_address, by_id;
    uint64_t last_id;
    _Atomic uint64_t n_events[N_MULTICAST_EVENTS];    /* one writer */
};

/* The port's entry, made when new. */
struct multicast_port *network_port(struct multicast_network *, uint64_t id);

/* NULL: it is not snooped. */
struct multicast_network *network_find(const struct multicast *, uint64_t id);
/* The port, which did not, hears that group, whatever the limits; the watch is the
 * caller's to call. */
struct multicast_member *group_join(struct multicast *,
                                    struct multicast_network *,
                                    struct multicast_port *,
                                    const struct ip6_addr *address, msec now,
                                    struct multicast_group **joined);
/* No more; the group goes with its last member. */
void group_leave(struct multicast *, struct multicast_network *,
                 struct multicast_group *, struct multicast_member *);

/* ---- multicast_querier.c ---- */

void querier_init(struct querier *, msec now);
/* Somebody may hear something: from now on it is asked. */
void querier_has_listeners(struct querier *, msec now);
/* How long a report holds. */
msec querier_membership(const struct querier *, msec now);
void querier_hear(struct multicast *, struct multicast_network *,
                  const struct multicast_origin *,
                  const struct membership_message *, msec now);
static inline bool
port_hears_all(const struct multicast_port *port)
{
    return port->router_until || port->new_until;
}

/* About all groups; port 0: all ports. */
void querier_ask_all(struct multicast *, const struct multicast_network *,
                     uint64_t port);
/* About one group, to a port of it. */
void querier_ask(struct multicast *, const struct multicast_network *,
                 const struct ip6_addr *group, uint64_t port);
/* Does what is due; when it is next. */
msec querier_run(struct multicast *, struct multicast_network *, msec now);

#endif
