/* Probes: is there a way to the other hosts, and does it carry what guests were
 * told that it does?
 *
 * A path is another host and a type of tunnel by which networks reach it that
 * are here, too.  Each is asked in rounds (service/path_probe.h) by frames that
 * take the way that guests' take: a packet-out to the tunnel, to that host, in
 * the overlay that is kept for it, not to be fragmented.  What the others ask
 * is answered: by the same tunnel, to the host that the frame came from.
 *
 *     ask      we -> packet-out -> tunnel ~~~> its tunnel-in -> its controller
 *     answer   here <- tunnel-in <- tunnel <~~~ packet-out <-----'
 *
 * A frame from an end that is no host of the file does not get here; an answer
 * counts only with the token of the round, which nobody else has seen.
 *
 * What is found out is told where it changes: a line in the log that says what
 * to do.  No flow depends on it. */
#ifndef WEFT_CONTROLLER_SERVE_PROBE_H
#define WEFT_CONTROLLER_SERVE_PROBE_H

#include "controller/controller.h"
#include "controller/service_host.h"
#include "lib/str.h"
#include "service/path_probe.h"

/* X(ID, name)  What became of frames. */
#define PROBE_RESULTS(X)                                                     \
    X(PROBE_ASKED, "asked")       /* by us */                                \
    X(PROBE_UNSENT, "unsent")     /* there was no room */                    \
    X(PROBE_HEARD, "heard")       /* of those: answered */                   \
    X(PROBE_ANSWERED, "answered") /* others', by us */                       \
    X(PROBE_UNASKED, "unasked")   /* too late, or nothing of ours */         \
    X(PROBE_STRANGE, "strange")   /* from nobody that we know */             \
    X(PROBE_MALFORMED, "malformed")

enum probe_result {
#define X(ID, NAME) ID,
    PROBE_RESULTS(X)
#undef X
    N_PROBE_RESULTS
};

const char *probe_result_name(enum probe_result);

/* Paths whose rounds begin in one turn of the loop. */
enum { PROBE_MAX_AT_ONCE = 8 };

struct serve_probe;

/* Registers itself.  The host is borrowed.  `interval`: of a path's rounds, as
 * long as nothing is in doubt; 0: others are answered, and not asked. */
struct serve_probe *serve_probe_create(const struct service_host *,
                                       msec interval);
/* Accepts NULL.  Handles are closed by the loop's next turns. */
void serve_probe_destroy(struct serve_probe *);

/* Another set of intents is in the topology. */
void serve_probe_changed(struct serve_probe *);
/* Something else is: perhaps ports are at other hosts.  Cheap. */
void serve_probe_touched(struct serve_probe *);

/* Every path, in order of hosts' names. */
void serve_probe_visit(const struct serve_probe *,
                       void (*visit)(void *aux,
                                     const struct controller_tunnel *),
                       void *aux);
/* What is known of one, in a sentence with its newline; nothing, if nothing
 * is. */
void serve_probe_note(const struct serve_probe *, uint64_t host,
                      enum segment_type, struct str *);
uint64_t serve_probe_count(const struct serve_probe *, enum probe_result);
uint64_t serve_probe_count_event(const struct serve_probe *, enum path_event);

#endif
