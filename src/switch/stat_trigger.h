/* Triggers of statistics (OpenFlow 1.5.1 section 7.2.5): entries whose counters
 * are compared with thresholds, and told of when they cross one.
 *
 * The counters are those that the revalidator has pushed up, so a crossing is
 * told within a second or so and costs no packet anything.  An entry is told at
 * most once a look, however many thresholds or multiples it crossed.
 *
 * What an entry had counted when it came under a trigger (a modify keeps the
 * counters) crossed nothing; counters that begin anew arm it again.
 *
 * Control thread. */
#ifndef WEFT_SWITCH_STAT_TRIGGER_H
#define WEFT_SWITCH_STAT_TRIGGER_H

#include "openflow/action.h"

enum {
    STAT_TRIGGER_INTERVAL = 500,  /* msec between looks at an entry, */
    STAT_TRIGGER_TURN = 1024,     /* unless there are more than that: so many
                                     are looked at in a turn, */
    STAT_TRIGGER_TURN_MS = 25,    /* and then in the next one */
};

struct entry;
struct stat_trigger;
struct flow_entry;

/* All that are armed; zero is empty. */
struct stat_triggers {
    struct stat_trigger *first, *last;
    uint32_t n;
    msec next_look;
};

/* In the entry's memory, behind it. */
struct stat_trigger {
    struct stat_trigger *next, *prev;
    struct entry *entry;
    const struct action_stat_trigger *action;
    uint64_t told[N_STAT_THRESHOLDS];   /* multiples that were passed */
    unsigned int considered;            /* bit per threshold */
    bool is_armed;                      /* `told` was read off the counters */
};

void stat_trigger_link(struct stat_triggers *, struct stat_trigger *);
void stat_trigger_unlink(struct stat_triggers *, struct stat_trigger *);
/* The entry has counted that much: has it crossed a threshold since the last
 * look?  The first look never says so. */
bool stat_trigger_crosses(struct stat_trigger *, uint64_t packets,
                          uint64_t bytes, msec age);
/* Looks at some; calls `crossed` for those that are visible at `version` and
 * have.  Returns when to call again. */
msec stat_triggers_look(struct stat_triggers *, uint64_t version, msec now,
                        void (*crossed)(void *aux, const struct flow_entry *),
                        void *aux);

#endif
