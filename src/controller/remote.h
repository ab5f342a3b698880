/* Remote: what hosts say of the ports that they have, and of who listens there.
 *
 * A port's place is planned (`host:` of the file); the port itself may have
 * moved, and its host knows addresses that nobody planned.  So every host
 * publishes its ports, each with a generation: of two hosts that both say that
 * they have a port, the higher generation is right; of equal ones the host with
 * the lower id.  Our own host is one of them.
 *
 * What is said is kept until it is taken back, also while nothing is heard of
 * that host: a lost channel changes nothing.  It may be of ports, networks or
 * hosts that our file does not have, or not yet; then it is only remembered.  A
 * host that has never said who listens is taken to hear every group.
 *
 * One thread. */
#ifndef WEFT_CONTROLLER_REMOTE_H
#define WEFT_CONTROLLER_REMOTE_H

#include "controller/id_map.h"
#include "intent/object.h"

enum {
    REMOTE_MAX_PORTS = 16384,     /* of a host; more are not remembered */
    REMOTE_MAX_MEMBERS = 65,      /* networks of a port: its own, a trunk's */
    REMOTE_MAX_ADDRESSES6 = 34,   /* of a port in one network */
    REMOTE_MAX_NETWORKS = 4096,   /* in which a host has listeners */
    REMOTE_MAX_GROUPS = 8192,     /* of one network */
};

/* A port in one of its networks. */
struct remote_member {
    uint64_t network;             /* its object's id */
    be32 address;                 /* 0: none */
    unsigned int n_addresses6;
    struct ip6_addr addresses6[REMOTE_MAX_ADDRESSES6];
};

struct remote_port {
    uint64_t port;                /* its object's id */
    uint64_t generation;
    unsigned int n_members;
    const struct remote_member *members;
};

/* Who listens at a host in one network. */
struct remote_listening {
    uint64_t network;
    bool hears_all;               /* a router, or somebody not yet asked */
    unsigned int n_groups;
    const struct ip6_addr *groups;          /* IPv4: mapped; each once */
};

struct remote;

struct remote *remote_create(void);
/* Accepts NULL. */
void remote_destroy(struct remote *);

/* The host has the port.  1: that is news; 0: it was known.  -ENOSPC, -EINVAL: too
 * much is said. */
int remote_set_port(struct remote *, uint64_t host,
                    const struct remote_port *);
/* It has it no more.  It need not have had it.  What its addresses were is
 * remembered while there is room: whoever has it next goes on with them. */
void remote_remove_port(struct remote *, uint64_t host, uint64_t port);
/* All that the host said is forgotten. */
void remote_forget_host(struct remote *, uint64_t host);
/* Who listens there now, network by network; the first such says that the
 * others have no listeners.  1, 0, -ENOSPC, -EINVAL as above. */
int remote_set_listening(struct remote *, uint64_t host,
                         const struct remote_listening *);

/* Which host has the port, of those that `is_host` knows; 0: none says so. */
typedef bool remote_is_host(const void *aux, uint64_t host);
uint64_t remote_place(const struct remote *, uint64_t port,
                      remote_is_host *is_host, const void *aux);
/* The highest generation that anybody said of the port; 0: nobody did. */
uint64_t remote_generation(const struct remote *, uint64_t port);
/* The port's address in that network as some other host than `except` said it,
 * or used to say it; 0: none. */
be32 remote_last_address(const struct remote *, uint64_t except,
                         uint64_t port, uint64_t network);
/* What that host said of the port in that network; NULL: nothing. */
const struct remote_member *remote_member(const struct remote *,
                                          uint64_t host, uint64_t port,
                                          uint64_t network);
bool remote_hears(const struct remote *, uint64_t host, uint64_t network,
                  const struct ip6_addr *group);
/* The host hears all groups of the network. */
bool remote_hears_all(const struct remote *, uint64_t host,
                      uint64_t network);
/* What it said of the network; NULL: nothing. */
const struct remote_listening *remote_listening(const struct remote *,
                                                uint64_t host,
                                                uint64_t network);

#endif
