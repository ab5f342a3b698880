/* Loops through ports whose sources are not checked (anti-spoof: false).
 *
 * A frame comes back into a network only by a port behind which anybody may be,
 * or by its uplink: all others drop what is not from their own address.  So
 * where a network has two such places, a probe leaves by each of its unchecked
 * ports now and then; one that comes in again, by another of them or by the
 * uplink, has been round a loop, and the port that was plugged in later is held:
 * the switch takes nothing from it and sends nothing to it.  After a while it is
 * let go, probed at once, and held for twice as long if the loop is still there.
 *
 * Until then the network's storm cap bounds what goes round. */
#ifndef WEFT_CONTROLLER_SERVE_LOOP_H
#define WEFT_CONTROLLER_SERVE_LOOP_H

#include "controller/service_host.h"
#include "lib/str.h"

enum {
    LOOP_PROBE_MS = 300,
    LOOP_HOLD_FIRST_MS = 5 * 1000,
    LOOP_HOLD_LONGEST_MS = 320 * 1000,
    LOOP_QUIET_MS = 60 * 1000,    /* since the end of the last hold */
};

struct serve_loop;

/* Registers itself.  The host is borrowed. */
struct serve_loop *serve_loop_create(const struct service_host *);
/* Handles are closed by the loop's next turns.  Accepts NULL. */
void serve_loop_destroy(struct serve_loop *);

/* Another set of intents is in the topology. */
void serve_loop_changed(struct serve_loop *);
/* Why a port is held, in a sentence; false: it is not. */
bool serve_loop_reason(const struct serve_loop *, const char *port,
                       struct str *);

#endif
