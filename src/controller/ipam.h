/* IPAM: which address a port without one in its intent gets.
 *
 * A choice stays: it is handed to `changed` to be kept in the store, given back
 * by ipam_keep() at the next start, and forgotten when its port leaves the
 * network.  A new one begins at a place that the port's id decides and takes
 * the first free address from there, all of them of this host's share
 * (address_share.h).
 *
 * Always true:
 *   - a choice lies in the network's ranges, and is not the subnet's own
 *     address, its broadcast address or the gateway;
 *   - it is nobody else's: an address that an intent gives to a port takes a
 *     choice away, which is then made anew.
 *
 * One thread. */
#ifndef WEFT_CONTROLLER_IPAM_H
#define WEFT_CONTROLLER_IPAM_H

#include "controller/address_share.h"

struct ipam;

struct ipam_watch {
    /* 0: the choice is forgotten.  May be NULL. */
    void (*changed)(void *aux, uint64_t network, uint64_t port,
                    be32 address);
    void *aux;
};

struct ipam *ipam_create(const struct ipam_watch *);
void ipam_destroy(struct ipam *);

/* A choice made earlier.  Whether it still holds is seen when it is used. */
void ipam_keep(struct ipam *, uint64_t network, uint64_t port,
               be32 address);
/* The choice as it stands; 0: none. */
be32 ipam_find(const struct ipam *, uint64_t network, uint64_t port);

/* One network anew: who wants an address, and which are given by intents. */
struct ipam_want {
    uint64_t port;
    be32 address;                 /* 0: choose; filled in, or left 0 when all
                                     are used up */
};
void ipam_assign(struct ipam *, const struct intent_network *,
                 struct address_share, struct ipam_want *, unsigned int n);
/* Its choices are forgotten. */
void ipam_forget(struct ipam *, uint64_t network);

/* May a port of the network be given this address? */
bool ipam_is_in_range(const struct intent_network *, be32 address);

#endif
