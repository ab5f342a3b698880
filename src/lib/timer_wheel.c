#include "lib/timer_wheel.h"

enum { SLOT_BITS = 8 };
static_assert(TIMER_SLOTS == 1 << SLOT_BITS, "slots are a power of two");

/* The tick after which a timer may fire. */
static int64_t
tick_of(msec when)
{
    return (when + TIMER_TICK_MSEC - 1) / TIMER_TICK_MSEC;
}

void
timer_wheel_init(struct timer_wheel *wheel, msec now)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->tick = now / TIMER_TICK_MSEC;
}

static struct timer **
slot_for(struct timer_wheel *wheel, msec due)
{
    int64_t tick = MAX(tick_of(due), wheel->tick);
    int64_t ahead = tick - wheel->tick;
    unsigned int level = 0;

    while (level < TIMER_LEVELS - 1 &&
           ahead >= INT64_C(1) << (SLOT_BITS * (level + 1))) {
        level++;
    }
    if (ahead >= INT64_C(1) << (SLOT_BITS * TIMER_LEVELS)) {
        tick = wheel->tick + (INT64_C(1) << (SLOT_BITS * TIMER_LEVELS)) - 1;
    }
    return &wheel->slots[level][tick >> (SLOT_BITS * level)
                                & (TIMER_SLOTS - 1)];
}

static void
link_timer(struct timer **slot, struct timer *timer)
{
    timer->next = *slot;
    timer->link = slot;
    if (timer->next) {
        timer->next->link = &timer->next;
    }
    *slot = timer;
}

static void
unlink_timer(struct timer *timer)
{
    *timer->link = timer->next;
    if (timer->next) {
        timer->next->link = timer->link;
    }
    timer->link = NULL;
}

void
timer_arm(struct timer_wheel *wheel, struct timer *timer, msec due)
{
    timer_disarm(wheel, timer);
    timer->due = due;
    link_timer(slot_for(wheel, due), timer);
    wheel->n++;
}

void
timer_disarm(struct timer_wheel *wheel, struct timer *timer)
{
    if (timer->link) {
        unlink_timer(timer);
        wheel->n--;
    }
}

/* At a tick that begins a slot of an upper level, that slot's timers go down a
 * level.  False: the budget ended first. */
static bool
cascade(struct timer_wheel *wheel, unsigned int *budget)
{
    for (unsigned int level = 1; level < TIMER_LEVELS; level++) {
        unsigned int shift = SLOT_BITS * level;
        struct timer **slot =
            &wheel->slots[level][wheel->tick >> shift & (TIMER_SLOTS - 1)];

        if (wheel->tick & ((INT64_C(1) << shift) - 1)) {
            break;
        }
        while (*slot) {
            struct timer *timer = *slot;
            struct timer **to;

            if (!*budget) {
                return false;
            }
            --*budget;
            unlink_timer(timer);
            to = slot_for(wheel, timer->due);
            link_timer(to, timer);
        }
    }
    return true;
}

struct timer *
timer_wheel_expire(struct timer_wheel *wheel, msec now, unsigned int *budget)
{
    int64_t now_tick = now / TIMER_TICK_MSEC;

    if (!wheel->n) {
        wheel->tick = MAX(wheel->tick, now_tick);
        return NULL;
    }
    while (wheel->tick <= now_tick) {
        struct timer **slot =
            &wheel->slots[0][wheel->tick & (TIMER_SLOTS - 1)];

        if (!cascade(wheel, budget)) {
            return NULL;
        }
        if (*slot) {
            struct timer *timer = *slot;

            if (!*budget) {
                return NULL;
            }
            --*budget;
            timer_disarm(wheel, timer);
            return timer;
        }
        if (wheel->tick == now_tick) {
            break;
        }
        wheel->tick++;
    }
    return NULL;
}

msec
timer_wheel_next(const struct timer_wheel *wheel)
{
    if (!wheel->n) {
        return INT64_MAX;
    }
    for (unsigned int level = 0; level < TIMER_LEVELS; level++) {
        unsigned int shift = SLOT_BITS * level;
        int64_t tick = wheel->tick >> shift;

        /* The present slot of an upper level holds timers only while they are
         * being sent down, or a whole turn ahead. */
        for (int64_t i = 0; i < TIMER_SLOTS; i++) {
            if (wheel->slots[level][(tick + i) & (TIMER_SLOTS - 1)]) {
                return MAX((tick + i) << shift, wheel->tick)
                       * TIMER_TICK_MSEC;
            }
        }
    }
    return wheel->tick * TIMER_TICK_MSEC;
}
