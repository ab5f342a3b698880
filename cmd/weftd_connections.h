/* Tracked connections, from one weftd to the next.
 *
 * When weftd ends (SIGTERM, or SIGHUP for another start), nobody tracks any more, and
 * all connections go to a file in the state directory: the next start has them
 * before it forwards.  For who is killed, the file is also written from time to time
 * while there are any, by a thread of the loop's pool: every so many seconds, but
 * never more than a hundredth of the time, however many there are.  What began since
 * is then lost, and of each TCP the first packet says how far it is.
 *
 * Owned by the switch thread, whose loop it is. */
#ifndef WEFT_CMD_WEFTD_CONNECTIONS_H
#define WEFT_CMD_WEFTD_CONNECTIONS_H

#include <uv.h>

#include "switch/switch.h"
#include "weftd_options.h"

struct weftd_connections {
    struct switch_ *sw;
    char *path;
    msec interval;            /* 0: at the end only */
    uv_timer_t timer;
    uv_work_t work;
    uv_sem_t done;            /* with the work */
    bool is_busy, is_empty;   /* the file */
    _Atomic bool is_over;
    int err, told;            /* of the work; and what was logged of it */
    msec took;
};

/* How many there may be, and which zones are outside. */
void weftd_connections_configure(const struct weftd_options *,
                                 struct ct_config *);
/* Reads what the last one left; no port is there yet. */
void weftd_connections_start(struct weftd_connections *,
                             const struct weftd_options *, uv_loop_t *,
                             struct switch_ *);
/* Workers are paused.  The loop must run once more before it is closed, and until
 * then this must stay. */
void weftd_connections_stop(struct weftd_connections *);

#endif
