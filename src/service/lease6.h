/* Leases of IPv6: which identity association (IA) holds which address.
 *
 * dhcp6_server.c decides what to answer; this file remembers, and picks.
 *
 * A holder is an IA of a client (DUID and IAID) behind a port.  It has one
 * address.  Which one is not drawn but follows from who asks, so that it comes
 * back without being remembered:
 *
 *     the port's planned address, for the first IA behind the port that asks
 *     the one that it holds
 *     one that a hash of port, DUID and IAID leads to
 *
 *              lease6_bind
 *     (none) --------------> BOUND <-+ lease6_bind
 *       ^                     |  |   |
 *       |                     |  +---+
 *       +-- expired, release -+
 *       |                     | lease6_decline
 *       +-- DECLINE_HOLD -- DECLINED
 *
 * Always true:
 *   - An address has at most one holder, and a holder at most one address.
 *   - A planned address goes to nobody behind another port.
 *   - A port has at most `max_per_port` of them, and each station behind it at
 *     most `max_per_station`.
 *
 * Durability: as with IPv4 (lease.h).  A change is in the table at once; the
 * caller stores it before it sends the answer, and calls lease6_undo() if the
 * store fails.
 *
 * Owned by one thread. */
#ifndef WEFT_SERVICE_LEASE6_H
#define WEFT_SERVICE_LEASE6_H

#include "service/lease.h"

struct lease6_holder {
    const char *port;
    const struct lease_client *client;        /* its DUID */
    uint32_t iaid;
    struct eth_addr mac;          /* all zero: behind a relay */
};

struct lease6_record {
    struct ip6_addr addr;
    enum lease_state state;       /* LEASE_BOUND, LEASE_DECLINED */
    unix_sec expires;
    struct eth_addr mac;          /* all zero: behind a relay */
    uint32_t iaid;
    char port[LEASE_PORT_MAX];
    char hostname[LEASE_HOSTNAME_MAX];
    struct lease_client client;   /* its DUID; nobody: declined */
};

struct lease6_change {
    bool is_removal, was_there;
    struct lease6_record record, was;
    uint64_t serial;
};

/* An old address goes, somebody else's lease of it ends, a new one comes. */
enum { LEASE6_CHANGES_PER_CALL = 3 };

enum { LEASE6_MAX_CHANGES = 8 * LEASE6_CHANGES_PER_CALL };

struct lease6_changes {
    unsigned int n;
    struct lease6_change at[LEASE6_MAX_CHANGES];
};

typedef void lease6_changed(const struct lease6_change *, void *aux);

struct lease6_table;

struct lease6_options {
    struct hash_key key;
    unsigned int max_per_port, max_per_station;
};

struct lease6_table *lease6_table_create(const struct lease6_options *);
void lease6_table_destroy(struct lease6_table *);

/* Where addresses are picked. */
struct lease6_subnet {
    struct ip6_addr prefix;
    uint8_t len;
    struct ip6_addr gateway;      /* all zero: none */
    struct ip6_addr planned;      /* for the port that asks; all zero: none */
    uint64_t seed;                /* one that stays */
    /* Is it planned for some port? */
    bool (*is_planned)(void *aux, const struct ip6_addr *);
    void *aux;
};

/* -ENOSPC: none is free; -EDQUOT: the port, or the station, has its share.
 * Nothing changes. */
int lease6_choose(const struct lease6_table *, const struct lease6_holder *,
                  const struct lease6_subnet *, unix_sec now,
                  struct ip6_addr *);
/* Gives it the address that was chosen, whoever had it. */
void lease6_bind(struct lease6_table *, const struct lease6_holder *,
                 const struct lease6_record *, struct lease6_changes *);
/* -ENOENT: it does not hold that address. */
int lease6_release(struct lease6_table *, const struct lease6_holder *,
                   const struct ip6_addr *, unix_sec now,
                   struct lease6_changes *);
int lease6_decline(struct lease6_table *, const struct lease6_holder *,
                   const struct ip6_addr *, unix_sec now,
                   struct lease6_changes *);
/* The newest change of one call first. */
void lease6_undo(struct lease6_table *, const struct lease6_change *);

/* The port is gone: so is all it held. */
void lease6_release_port(struct lease6_table *, const char *port,
                         lease6_changed *, void *aux);
/* What has expired is free. */
void lease6_sweep(struct lease6_table *, unix_sec now, lease6_changed *,
                  void *aux);
/* A record that a store had.  -EINVAL: no such state, address or port; -EEXIST:
 * the address has one already. */
int lease6_import(struct lease6_table *, const struct lease6_record *);

/* False: it holds none. */
bool lease6_of(const struct lease6_table *, const struct lease6_holder *,
               unix_sec now, struct lease6_record *);
unsigned int lease6_count(const struct lease6_table *);
/* What the port holds, by whatever station. */
void lease6_for_port(const struct lease6_table *, const char *port,
                     unix_sec now,
                     void (*each)(const struct lease6_record *, void *aux),
                     void *aux);
/* In no particular order; the table must not change meanwhile. */
void lease6_for_each(const struct lease6_table *, unix_sec now,
                     void (*each)(const struct lease6_record *, void *aux),
                     void *aux);

#endif
