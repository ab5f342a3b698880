/* Ports that NORMAL leaves out for a while, because a station will not stay
 * where it is.
 *
 * A loop shows as stations that move to and fro between the ports that it joins,
 * as fast as frames go round; so do two stations with one address.  The fdb
 * counts (fdb.h), and the port that the station was not behind at first is held:
 * what comes from it is dropped as port-held and nothing is sent to it by NORMAL,
 * until its time is over.  If it begins again, the port is held for twice as
 * long, up to a limit; after a quiet time it is as new.
 *
 * Workers begin a hold, which counts from the next frame on; the control thread
 * says so, drops cached answers and ends it.  At most PORT_HOLD_MAX at a time:
 * beyond, ports stay as they are. */
#ifndef WEFT_SWITCH_PORT_HOLD_H
#define WEFT_SWITCH_PORT_HOLD_H

#include "switch/fdb.h"

enum {
    PORT_HOLD_MAX = 256,
    PORT_HOLD_FIRST_MS = 5 * 1000,
    PORT_HOLD_LONGEST_MS = 320 * 1000,
    PORT_HOLD_QUIET_MS = 60 * 1000,     /* since the end of the last one */
};

struct port_holds;

/* Why a port is held. */
struct port_hold {
    uint32_t port, kept;          /* ids: the other one stays */
    struct fdb_key station;
    msec until;
    msec length;
    bool is_over;                 /* what port_holds_run() tells: it ended */
};

struct port_holds *port_holds_create(void);
void port_holds_destroy(struct port_holds *);

/* ---- Any thread ---- */

bool port_holds_has(const struct port_holds *, uint32_t port);
/* False: it is held already, or too many are. */
bool port_holds_begin(struct port_holds *, uint32_t port, uint32_t kept,
                      struct fdb_key station);

/* ---- Control thread ---- */

/* Tells what began and what is over; returns when to call again at the
 * latest. */
msec port_holds_run(struct port_holds *, msec now,
                    void (*tell)(void *aux, const struct port_hold *),
                    void *aux);
/* Why it is held; NULL: it is not, or the control thread does not know yet. */
const struct port_hold *port_holds_find(const struct port_holds *,
                                        uint32_t port);
/* The port is another one now. */
void port_holds_forget(struct port_holds *, uint32_t port);

#endif
