/* Addresses that a guest chose by itself, as its own announcements tell (RFC
 * 6620): who asks first whether an address is free, has it.
 *
 * A list for each port, of bounded length.  The address that was announced
 * longest ago makes room for a new one, but not within BINDING_HOLD: so many
 * new addresses in that time are no privacy (RFC 8981), and each costs flow
 * entries.
 *
 * Pure. */
#ifndef WEFT_SERVICE_BINDING_H
#define WEFT_SERVICE_BINDING_H

#include "service/lease.h"

enum { BINDING_MAX = 16, BINDING_HOLD = 60 };         /* seconds */

struct binding {
    struct ip6_addr addr;
    unix_sec announced;           /* the last time */
};

struct binding_list {
    unsigned int n;
    struct binding at[BINDING_MAX];
};

/* X(ID, name, what happened) */
#define BINDING_RESULTS(X)                                                   \
    X(BINDING_NEW, "new", "a guest uses an address that it chose itself")    \
    X(BINDING_KNOWN, "known", "a guest's own address, announced again")      \
    X(BINDING_PLANNED, "planned", "an address that the port has anyway")     \
    X(BINDING_TAKEN, "taken", "an address of somebody else")                 \
    X(BINDING_OUTSIDE, "outside", "an address that nobody here may choose")  \
    X(BINDING_TOO_MANY, "too-many", "more new addresses than a port may "    \
      "have")                                                                \
    X(BINDING_NOT_OWN, "not-own", "no announcement, or for another station")

enum binding_result {
#define X(ID, NAME, TEXT) ID,
    BINDING_RESULTS(X)
#undef X
    N_BINDING_RESULTS
};

const char *binding_result_name(enum binding_result);

/* BINDING_NEW, BINDING_KNOWN or BINDING_TOO_MANY. */
enum binding_result binding_announce(struct binding_list *,
                                     const struct ip6_addr *, unix_sec now);
/* May a guest choose this one in the network?  Any link-local one; where guests
 * choose, any of the prefix but the routers' (RFC 4291, 2.6.1). */
bool binding_is_choice(const struct ip6_addr *, const struct ip6_addr *prefix,
                       uint8_t prefix_len, bool is_slaac);

enum { BINDING_BYTES_MAX = BINDING_MAX * 24 };

/* For a store: address and time, one behind the other. */
size_t binding_encode(const struct binding_list *,
                      uint8_t out[BINDING_BYTES_MAX]);
/* -EBADMSG: it is no such thing. */
int binding_decode(const void *, size_t len, struct binding_list *);

#endif
