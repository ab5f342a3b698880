/* A bond: several links that are one uplink.
 *
 *     active-backup   one member is used, the others wait.  It stays until its
 *                     link is lost; then the primary, or the first that has a
 *                     link, takes over.  A primary that has had its link for the
 *                     fail-back delay is gone back to.
 *     LACP            all members are used on which the partner agrees
 *                     (lacp.h), and one where nobody answers.
 *
 * Frames are taken only from members that are in use: what comes by another is
 * a second copy, or our own broadcast come back.
 *
 *     a member comes, goes      bond_set_member()
 *     a frame for the bond      bond_receive()
 *     time goes by              bond_run()
 *     who is used               bond_state()
 *
 * Pure: time is a parameter.  One thread. */
#ifndef WEFT_SERVICE_BOND_H
#define WEFT_SERVICE_BOND_H

#include "service/lacp.h"

enum { BOND_MAX_MEMBERS = LACP_MAX_LINKS, BOND_NO_MEMBER = BOND_MAX_MEMBERS };

struct bond;

struct bond_config {
    bool is_lacp;
    unsigned int n_members;
    unsigned int primary;         /* BOND_NO_MEMBER: none; not with LACP */
    msec fail_back;               /* how long a primary has its link before it
                                     is used again */
    struct lacp_config lacp;      /* n_links is set here */
};

/* What the switch says of a member. */
struct bond_member {
    uint32_t number;              /* 0: it does not have it */
    bool has_link;
    struct eth_addr mac;
};

/* Members, by their place in the bond. */
struct bond_state {
    unsigned int n_rx, n_tx;
    uint8_t rx[BOND_MAX_MEMBERS];
    /* To be sent by: any of them (is_spread), else the first that has a link. */
    uint8_t tx[BOND_MAX_MEMBERS];
    bool is_spread;
};

struct bond *bond_create(const struct bond_config *,
                         const struct lacp_watch *);
/* Accepts NULL. */
void bond_destroy(struct bond *);

void bond_set_member(struct bond *, unsigned int member,
                     const struct bond_member *, msec now);
void bond_receive(struct bond *, unsigned int member, const void *frame,
                  size_t len, msec now);
/* After each of these, and when the last one asked for it: does what is due;
 * returns when to come again, INT64_MAX: never. */
msec bond_run(struct bond *, msec now);

void bond_state(const struct bond *, struct bond_state *);
/* False: it does not speak LACP. */
bool bond_lacp_status(const struct bond *, unsigned int member,
                      struct lacp_link_status *);

#endif
