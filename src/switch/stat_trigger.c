#include "switch/stat_trigger.h"

#include "switch/flow_entry.h"

void
stat_trigger_link(struct stat_triggers *all, struct stat_trigger *trigger)
{
    trigger->is_armed = false;
    trigger->considered = trigger->action->present;
    trigger->next = NULL;
    trigger->prev = all->last;
    *(all->last ? &all->last->next : &all->first) = trigger;
    all->last = trigger;
    if (!all->n++) {
        all->next_look = 0;
    }
}

void
stat_trigger_unlink(struct stat_triggers *all, struct stat_trigger *trigger)
{
    *(trigger->prev ? &trigger->prev->next : &all->first) = trigger->next;
    *(trigger->next ? &trigger->next->prev : &all->last) = trigger->prev;
    all->n--;
}

/* How often the value has passed the threshold: what counts are multiples, or
 * just the first. */
static uint64_t
times(const struct action_stat_trigger *a, unsigned int which, uint64_t value)
{
    uint64_t n = a->threshold[which] ? value / a->threshold[which] : 0;

    return a->is_periodic ? n : MIN(n, 1u);
}

bool
stat_trigger_crosses(struct stat_trigger *trigger, uint64_t packets,
                     uint64_t bytes, msec age)
{
    const uint64_t values[N_STAT_THRESHOLDS] = {
        [STAT_DURATION] = (uint64_t) age * 1000000,
        [STAT_PACKETS] = packets, [STAT_BYTES] = bytes,
    };
    unsigned int crossed = 0;

    for (unsigned int i = 0; i < N_STAT_THRESHOLDS; i++) {
        uint64_t n = times(trigger->action, i, values[i]);

        if (trigger->is_armed && n > trigger->told[i]
            && trigger->considered >> i & 1) {
            crossed |= 1u << i;
        }
        trigger->told[i] = n;
    }
    trigger->is_armed = true;
    if (crossed && trigger->action->only_first) {
        trigger->considered = crossed & -crossed;
    }
    return crossed;
}

/* The one that was looked at waits behind the others. */
static void
to_the_end(struct stat_triggers *all, struct stat_trigger *trigger)
{
    if (trigger != all->last) {
        all->first = trigger->next;
        all->first->prev = NULL;
        trigger->prev = all->last;
        trigger->next = NULL;
        all->last->next = trigger;
        all->last = trigger;
    }
}

msec
stat_triggers_look(struct stat_triggers *all, uint64_t version, msec now,
                   void (*crossed)(void *aux, const struct flow_entry *),
                   void *aux)
{
    if (!all->n) {
        return INT64_MAX;
    }
    if (now < all->next_look) {
        return all->next_look;
    }
    for (uint32_t i = MIN(all->n, (uint32_t) STAT_TRIGGER_TURN); i > 0; i--) {
        struct stat_trigger *trigger = all->first;
        const struct flow_entry *e = &trigger->entry->e;

        to_the_end(all, trigger);
        if (entry_visible(trigger->entry, version)
            && stat_trigger_crosses(trigger,
                                    atomic_load(&e->credit.packets),
                                    atomic_load(&e->credit.bytes),
                                    MAX(now - e->created, 0))) {
            crossed(aux, e);
        }
    }
    all->next_look = now + (all->n > STAT_TRIGGER_TURN
                            ? STAT_TRIGGER_TURN_MS : STAT_TRIGGER_INTERVAL);
    return all->next_look;
}
