/* Leases: who holds which IPv4 address of a network, and until when.
 *
 * dhcp_server.c decides what to answer; this file only remembers, and picks.
 *
 * A holder is a client behind a port: its client identifier, or its hardware
 * address if it sends none (RFC 2131, 4.2), and the port it is plugged into.
 * Two clones of one disk image have one identifier and two ports: they are two
 * holders.
 *
 *              lease_offer            lease_bind
 *     (none) ------------> OFFERED ---------------> BOUND <-+ lease_bind
 *       ^                   |   ^                     |  |  |
 *       +--- OFFER_HOLD ----+   | lease_offer         |  +--+
 *            is over            |                     | expired, lease_release
 *                              PAST <-----------------+
 *     OFFERED, BOUND -- lease_decline --> DECLINED -- DECLINE_HOLD --> PAST
 *
 *   OFFERED    kept aside for LEASE_OFFER_HOLD; no store knows of it
 *   BOUND      the holder may use it until `expires`
 *   PAST       nobody may, but who held it gets it again if it asks before the
 *              address is needed for somebody else; the oldest goes first
 *   DECLINED   somebody uses it without a lease (RFC 2131, 3.1, step 5): left
 *              alone for LEASE_DECLINE_HOLD
 *
 * Always true:
 *   - An address has at most one holder, and a holder at most one address.
 *   - A reserved address goes to nobody but who it is reserved for, and who has
 *     a reservation gets no other address while that one can be had.
 *   - An address outside of the ranges, or excluded, goes to nobody unless it
 *     is reserved.
 *   - A port has at most `max_per_port` offers, leases and declined addresses:
 *     one guest cannot use up the network.
 *
 * Durability.  A change is in the table at once, and described in a struct
 * lease_change that the caller puts into its store, under the address as key,
 * before it sends the answer.  Then either
 *   - the store has it, and the answer goes out; or
 *   - the store failed: the caller sends nothing and calls lease_undo() with
 *     the changes, the newest first.  What was there before is there again,
 *     unless a newer change to the address was made meanwhile: that one stays,
 *     for its own commit to confirm or undo.  The worst that is left over is an
 *     address kept aside in memory until it expires, for a client that was told
 *     nothing and will ask again.
 * At the next start lease_import() takes the store's records.
 *
 * Time is in seconds since 1970, because it outlives the process.  It should
 * not jump: read the wall clock once and let the monotonic clock move it on.
 *
 * Owned by one thread.  There is no locking inside. */
#ifndef WEFT_SERVICE_LEASE_H
#define WEFT_SERVICE_LEASE_H

#include "lib/hash.h"
#include "service/address_pool.h"

typedef int64_t unix_sec;

#define LEASE_FOREVER INT64_MAX

enum {
    LEASE_OFFER_HOLD = 60,        /* clients retransmit for as long */
    LEASE_DECLINE_HOLD = 3600,
    LEASE_CLIENT_MAX = 255,       /* bytes of an identifier */
    LEASE_PORT_MAX = 64,          /* names, with NUL */
    LEASE_HOSTNAME_MAX = 64,
};

enum lease_state { LEASE_OFFERED, LEASE_BOUND, LEASE_PAST, LEASE_DECLINED };

struct lease_client {
    uint8_t len;                  /* 0: nobody */
    uint8_t bytes[LEASE_CLIENT_MAX];
};

/* Who asks. */
struct lease_holder {
    const char *port;
    const struct lease_client *client;
    struct eth_addr mac;
};

struct lease_record {
    be32 addr;
    enum lease_state state;
    unix_sec expires;
    struct eth_addr mac;
    char port[LEASE_PORT_MAX];
    char hostname[LEASE_HOSTNAME_MAX];    /* as the client calls itself */
    struct lease_client client;   /* nobody: declined, or gone elsewhere */
};

/* Something that the store must know: the record under its address is now this,
 * or is no more. */
struct lease_change {
    bool is_removal;
    struct lease_record record;
    /* For lease_undo(). */
    bool was_there, was_stored;
    struct lease_record was;
    uint64_t serial;
};

enum { LEASE_MAX_CHANGES = 2 };   /* that one call makes */

struct lease_changes {
    unsigned int n;
    struct lease_change at[LEASE_MAX_CHANGES];
};

typedef void lease_changed(const struct lease_change *, void *aux);

struct lease_table;

struct lease_options {
    struct hash_key key;
    unsigned int max_leases;      /* all states; 0: 1,000,000 */
    unsigned int max_per_port;    /* 0: no limit (relays, perfdhcp) */
};

struct lease_table *lease_table_create(const struct lease_options *);
void lease_table_destroy(struct lease_table *);

/* 0: no limit.  Who has more keeps them. */
void lease_set_max_per_port(struct lease_table *, unsigned int);

/* Which addresses may be handed out.  Who holds another keeps it until it
 * expires, or asks again and is refused. */
void lease_set_ranges(struct lease_table *, const struct address_span *ranges,
                      unsigned int n_ranges,
                      const struct address_span *exclusions,
                      unsigned int n_exclusions);

/* --- Reservations ------------------------------------------------------- */

/* Of all that is given, all must be true of who asks; something must be given.
 * With a port: whoever asks by it (and has the MAC, if one is given) is the
 * holder, so that a boot ROM and the system it loads get one address. */
struct lease_reservation {
    be32 addr;                    /* in the ranges or not */
    char port[LEASE_PORT_MAX];    /* empty: any */
    struct eth_addr mac;          /* all zero: any */
    struct lease_client client;   /* len 0: any */
};

/* Whoever else has the address loses it at once, which `changed` is told.
 * -EEXIST: it is reserved already; -EINVAL: for nobody. */
int lease_reserve(struct lease_table *, const struct lease_reservation *,
                  lease_changed *changed, void *aux);
/* -ENOENT: there is none.  A lease that was given stays until it expires. */
int lease_unreserve(struct lease_table *, be32 addr);
/* The address reserved for this client; 0: none. */
be32 lease_reserved_for(const struct lease_table *,
                        const struct lease_holder *);

/* --- What the server does ----------------------------------------------- */

/* Picks an address and keeps it aside: the one reserved, else the one held now
 * or before, else `wanted` (0: none) if it is free, else any.  -ENOSPC: all are
 * in use; -EDQUOT: the port has its share.  A change is made only when it had
 * another address, which it can have no more. */
int lease_offer(struct lease_table *, const struct lease_holder *,
                be32 wanted, unix_sec now, be32 *addr,
                struct lease_changes *);
/* It chose another server: its offer, if there is one, is free again. */
void lease_withdraw(struct lease_table *, const struct lease_holder *);

/* Gives it the address until `expires`, whether offered before or not.
 * -EADDRNOTAVAIL: it is none that this client could have; -EADDRINUSE: somebody
 * else's; -EDQUOT, -ENOSPC as above.  `hostname` may be NULL. */
int lease_bind(struct lease_table *, const struct lease_holder *, be32 addr,
               const char *hostname, unix_sec now, unix_sec expires,
               struct lease_changes *);
/* -ENOENT: it does not hold that address.  No changes are made for what was
 * only offered. */
int lease_release(struct lease_table *, const struct lease_holder *,
                  be32 addr, unix_sec now, struct lease_changes *);
/* A reserved address is not put into quarantine: the operator's word counts,
 * and the client will be given it again. */
int lease_decline(struct lease_table *, const struct lease_holder *,
                  be32 addr, unix_sec now, struct lease_changes *);

/* The store failed: see above.  In any order of calls, the newest change of one
 * call first. */
void lease_undo(struct lease_table *, const struct lease_change *);

/* --- What the caller does ----------------------------------------------- */

/* The port is gone: so is all it held. */
void lease_release_port(struct lease_table *, const char *port,
                        lease_changed *changed, void *aux);
/* What has expired is free, and what need not be remembered leaves the store.
 * At most `budget` leases are looked at.  Call it now and then; the answers do
 * not depend on it. */
void lease_sweep(struct lease_table *, unix_sec now, unsigned int budget,
                 lease_changed *changed, void *aux);
/* A record that the store had.  -EINVAL: no such state, address or port;
 * -EEXIST: the address has one already; -ENOSPC. */
int lease_import(struct lease_table *, const struct lease_record *,
                 unix_sec now);

/* --- Looking ------------------------------------------------------------ */

/* A lease that is over by `now` shows as PAST.  False: nothing is known. */
bool lease_lookup(const struct lease_table *, be32 addr, unix_sec now,
                  struct lease_record *);
bool lease_of(const struct lease_table *, const struct lease_holder *,
              unix_sec now, struct lease_record *);
/* In no particular order; the table must not change meanwhile. */
void lease_for_each(const struct lease_table *, unix_sec now,
                    void (*each)(const struct lease_record *, void *aux),
                    void *aux);

struct lease_counts {
    uint32_t n_addresses;         /* that the ranges have */
    uint32_t n_untouched;         /* of them never held, nor reserved */
    uint32_t n_leases, n_offered, n_bound, n_declined, n_past;
    uint32_t n_reserved;
};
struct lease_counts lease_table_counts(const struct lease_table *);

/* For tests: is all true that is always true? */
bool lease_table_is_sound(const struct lease_table *);

#endif
