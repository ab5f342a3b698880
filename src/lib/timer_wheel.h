/* Timers by the million: a hierarchical wheel.
 *
 * Arming and disarming cost a list operation; a turn costs what is due.  Timers
 * are intrusive and fire up to one tick late, never early.  Three wheels of 256
 * slots: 256 ticks, 65,536 ticks, 16.7 million ticks; what is due later than
 * that waits in the last slot and is looked at again.
 *
 * One thread. */
#ifndef WEFT_LIB_TIMER_WHEEL_H
#define WEFT_LIB_TIMER_WHEEL_H

#include "lib/types.h"

enum { TIMER_LEVELS = 3, TIMER_SLOTS = 256, TIMER_TICK_MSEC = 100 };

struct timer {
    struct timer *next;
    struct timer **link;          /* what points to us; NULL: not armed */
    msec due;
};

struct timer_wheel {
    int64_t tick;                 /* all before it are done */
    uint64_t n;
    struct timer *slots[TIMER_LEVELS][TIMER_SLOTS];
};

void timer_wheel_init(struct timer_wheel *, msec now);

void timer_arm(struct timer_wheel *, struct timer *, msec due);
/* May be called for one that is not armed. */
void timer_disarm(struct timer_wheel *, struct timer *);

/* Takes one timer that is due off the wheel; NULL when there is none, or when
 * `*budget` list steps were used up. */
struct timer *timer_wheel_expire(struct timer_wheel *, msec now,
                                 unsigned int *budget);
/* No timer is due before; INT64_MAX: none at all. */
msec timer_wheel_next(const struct timer_wheel *);

#endif
