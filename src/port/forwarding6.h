/* Forwarding of IPv6, and what it costs the host: a kernel that forwards takes no
 * more router advertisements, and loses the default route that it has from one,
 * unless the device says that it wants them all the same (accept_ra=2).
 *
 * Of the namespace the caller is in.  Helper only. */
#ifndef WEFT_PORT_FORWARDING6_H
#define WEFT_PORT_FORWARDING6_H

#include "lib/types.h"

enum { FORWARDING6_RA_SIZE = 48 };

/* What was before us; `forwarding` '\0': nothing was changed. */
struct forwarding6 {
    char forwarding;              /* '0', '1' */
    char ra[FORWARDING6_RA_SIZE]; /* "2,7": devices which said 1, by ifindex */
};

/* Reads how it is now, and which devices switching it on would bereave. */
void forwarding6_look(struct forwarding6 *);
/* -ENOENT: this kernel has no IPv6. */
int forwarding6_switch_on(const struct forwarding6 *);
void forwarding6_restore(const struct forwarding6 *);

#endif
