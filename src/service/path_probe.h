/* Is there a path to another host, and how large a packet does it carry?
 *
 * Asked in rounds.  Each asks for an answer to a small packet and to one of the
 * size that is wanted.  It ends when all were answered, or after a while: what
 * was not is taken for lost.  In doubt the next one follows at once.
 *
 *     unknown        nothing was heard yet
 *     up             answers come
 *     mtu-too-small  small ones are answered, and PATH_LOST rounds long full
 *                    ones were not: what does pass is searched for, several
 *                    sizes a round, each twice, between the largest that passed
 *                    and the smallest that did not
 *     down           PATH_LOST rounds long nothing was answered
 *
 * When the size is found it goes on being asked for, with the next larger one
 * and the full one, so that a path that shrinks again or comes back is noticed;
 * a size that was lost by chance is found to pass after all.
 *
 * Sizes are those of guests' packets: bytes behind the Ethernet header.
 *
 *     a round is due    path_probe_begin()
 *     an answer         path_probe_hear()
 *     its end           path_probe_end(), after path_probe_patience() or when
 *                       path_probe_is_answered(); then the next one, if
 *                       path_probe_is_in_doubt()
 *
 * Pure: time and tokens are parameters.  One thread. */
#ifndef WEFT_SERVICE_PATH_PROBE_H
#define WEFT_SERVICE_PATH_PROBE_H

#include "service/path_frame.h"

enum {
    PATH_SEARCH_WIDTH = 6,        /* sizes of a search, a round */
    PATH_MAX_ASKED = 2 + 2 * PATH_SEARCH_WIDTH,
    PATH_LOST = 3,                /* rounds, until it is believed */
    PATH_HISTORY = 32,            /* rounds of which the loss is known */
    PATH_HURRY = 5,               /* a round lasts a fifth of the interval, */
};
/* but not less than this, unless the interval is shorter. */
#define PATH_LEAST_PATIENCE ((usec) 1000000)

/* X(ID, name) */
#define PATH_STATES(X)                                                       \
    X(PATH_UNKNOWN, "unknown")                                               \
    X(PATH_UP, "up")                                                         \
    X(PATH_TOO_SMALL, "mtu-too-small")                                       \
    X(PATH_DOWN, "down")

enum path_state {
#define X(ID, NAME) ID,
    PATH_STATES(X)
#undef X
};

/* X(ID, name)  What a round brought to light. */
#define PATH_EVENTS(X)                                                       \
    X(PATH_NO_EVENT, "nothing")                                              \
    X(PATH_WENT_DOWN, "went-down")                                           \
    X(PATH_CAME_BACK, "came-back")                                           \
    X(PATH_SHRANK, "shrank")      /* to another size than was said before */ \
    X(PATH_FITS_AGAIN, "fits-again")

enum path_event {
#define X(ID, NAME) ID,
    PATH_EVENTS(X)
#undef X
    N_PATH_EVENTS
};

struct path_probe {
    uint16_t wanted;
    enum path_state state;
    uint16_t mtu;                 /* what passes, up to `wanted`; 0: unknown */

    /* The search: the largest size that passed, the smallest that was lost. */
    uint16_t passed, lost;
    uint16_t said;                /* in the last event; 0: none, or it fits */
    /* Rounds in a row in which nothing, nothing full, or nothing of the size
     * that was found came back. */
    uint8_t n_silent, n_full_lost, n_found_lost;

    uint64_t token;               /* of this round */
    unsigned int n_asked;         /* 0: there is none */
    struct path_asked {
        uint16_t size;
        bool is_answered;
        usec at;
    } asked[PATH_MAX_ASKED];

    usec rtt, rtt_smoothed;       /* of small ones; 0: none was measured */
    uint32_t history;             /* of small ones, bit 0 the last: lost */
    unsigned int n_history;
    uint64_t n_sent, n_heard;
};

void path_probe_init(struct path_probe *, uint16_t wanted);
/* Another size is wanted: as if nothing were known of sizes. */
void path_probe_want(struct path_probe *, uint16_t wanted);

/* A round's sizes, by index: asks for an answer to each, which has to say the
 * token.  Returns how many. */
unsigned int path_probe_begin(struct path_probe *, uint64_t token, usec now,
                              uint16_t sizes[PATH_MAX_ASKED]);
/* False: it answers nothing that was asked in this round. */
bool path_probe_hear(struct path_probe *, const struct path_frame *answer,
                     usec now);

bool path_probe_is_answered(const struct path_probe *);
/* The round is over.  If there is none, nothing happens. */
enum path_event path_probe_end(struct path_probe *);

/* How long a round may last, if an interval lies between two beginnings as long
 * as nothing is in doubt. */
usec path_probe_patience(usec interval);
/* Never after a round that was answered whole. */
bool path_probe_is_in_doubt(const struct path_probe *);
/* Of small ones, in percent; -1: nothing is known. */
int path_probe_loss(const struct path_probe *);

const char *path_state_name(enum path_state);
const char *path_event_name(enum path_event);

#endif
