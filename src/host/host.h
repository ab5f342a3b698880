/* Host: what this machine must have, so that the intents can work here.
 *
 * One of the two consumers of intents (the other is controller/, and they never
 * call each other).  For every port of ours, and every member of an uplink, it
 * makes or finds the device and plugs it into the switch under the name that the
 * controller will look for (intent_port.switch_name).
 *
 *     host_set_intent() -> wanted.c: what should be plugged in
 *                          uplink_nat.c: what the host's own stack should do
 *     host_run()        -> compares with what is, a slice at a time
 *                          -> plug.h: the switch's front door, or OVSDB
 *                          -> helper: nft, forwarding
 *
 * Always true:
 *   - What did not change is not touched: a port is plugged out and in again only
 *     when its device or how it is opened changed.
 *   - A failure is that port's: it is told (host_state), tried again with
 *     back-off, and everything else goes on.
 *   - Taking out comes before putting in, so that a device may move from one port
 *     to another.
 *   - host_run() works for at most HOST_SLICE_MS, then says that it has more.
 *
 * Owned by the switch's thread (without a switch of ours, by the main one). */
#ifndef WEFT_HOST_HOST_H
#define WEFT_HOST_HOST_H

#include "host/plug.h"
#include "intent/intent.h"
#include "port/host_nat.h"

struct helper;
struct host;

enum { HOST_SLICE_MS = 10, HOST_RETRY_MIN_MS = 250, HOST_RETRY_MAX_MS = 30000 };

/* X(ID, text, what it means) */
#define HOST_STATES(X)                                                       \
    X(HOST_PENDING, "pending", "not tried yet")                              \
    X(HOST_PLUGGED, "plugged", "its device is open")                         \
    X(HOST_WAITING, "waiting", "its device or namespace is not there yet")   \
    X(HOST_FAILED, "failed", "the error says why; tried again")

enum host_state {
#define X(ID, TEXT, MEANING) ID,
    HOST_STATES(X)
#undef X
    N_HOST_STATES
};

struct host_port_info {
    const char *name;             /* the intent's; an uplink's is "LAN/eth1" */
    const char *switch_name;
    enum host_state state;
    const char *error;            /* HOST_FAILED, HOST_WAITING; may be "" */
};

/* Takes none over.  `host_name`: ports with another `host:` are not ours. */
struct host *host_create(const struct plug *, const char *host_name,
                         struct helper *);
/* What was plugged in stays so. */
void host_destroy(struct host *);
/* What this host is called. */
const char *host_name(const struct host *);

/* Reads it now and keeps nothing of it. */
void host_set_intent(struct host *, const struct intent *);
/* The address that the controller chose for a port of ours which says none: what
 * `configure: true` gives it.  0: none any more. */
void host_set_address(struct host *, const char *switch_name, be32);
/* Does what is due; returns when to call again (`now` when there is more). */
msec host_run(struct host *, msec now);
/* Nothing is left to do or to try again. */
bool host_is_settled(const struct host *);

/* False: the host knows no such port.  Texts live until the next call of
 * anything else. */
bool host_port_info(const struct host *, const char *switch_name,
                    struct host_port_info *);
/* All of them, in order of switch_name. */
void host_for_each_port(const struct host *,
                        void (*take)(void *aux, const struct host_port_info *),
                        void *aux);
const char *host_state_text(enum host_state);
/* What the host's own stack does for uplinks, or should: then `error` says why it
 * does not ("": it does). */
const struct host_nat *host_nat(const struct host *, const char **error);

#endif
