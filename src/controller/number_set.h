/* All small numbers that the controller gives out, each kind in a range of its
 * own (numbers.h).
 *
 * Zones of the connection tracker are three of them: of a port with security
 * groups, of a network that leads out, of an uplink.  Weft's switch looks for
 * connections of the last ones in all zones. */
#ifndef WEFT_CONTROLLER_NUMBER_SET_H
#define WEFT_CONTROLLER_NUMBER_SET_H

#include "controller/numbers.h"

/* X(ID, first, last, what it is called in the store, is it a zone?) */
#define NUMBER_KINDS(X)                                                      \
    X(NUMBER_PORT_ZONE, 1, 0xdfff, "zone", true)                             \
    X(NUMBER_NETWORK_ZONE, 0xe000, 0xefff, "network-zone", true)             \
    X(NUMBER_UPLINK_ZONE, 0xf000, 0xfffe, "uplink-zone", true)               \
    X(NUMBER_SECURITY, 1, 0x7fff, "security", false)

enum number_kind {
#define X(ID, FIRST, LAST, WORD, IS_ZONE) ID,
    NUMBER_KINDS(X)
#undef X
    N_NUMBER_KINDS
};

enum number_range {
#define X(ID, FIRST, LAST, WORD, IS_ZONE) FIRST_##ID = FIRST, LAST_##ID = LAST,
    NUMBER_KINDS(X)
#undef X
};

struct number_set {
    struct numbers *of[N_NUMBER_KINDS];
};

/* One watch for each kind; NULL: nobody watches. */
struct number_set *number_set_create(const struct numbers_watch *);
/* Accepts NULL. */
void number_set_destroy(struct number_set *);

#endif
