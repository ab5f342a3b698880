/* Changes that are staged in several turns, and who waits for their end. */
#include "switch/switch_impl.h"

void
switch_begin_bundle(struct switch_ *sw)
{
    /* So that what is visible is all that there is beside the bundle. */
    switch_publish(sw);
    tables_begin(sw->tables);
}

void
switch_commit_bundle(struct switch_ *sw)
{
    tables_commit(sw->tables);
    switch_barrier(sw);
}

bool
switch_discard_bundle(struct switch_ *sw, size_t budget)
{
    return tables_discard_some(sw->tables, budget);
}

bool
switch_has_bundle(const struct switch_ *sw)
{
    return tables_has_bundle(sw->tables);
}

void
switch_wait_for_bundle(struct switch_ *sw, struct switch_waiter *waiter)
{
    struct switch_waiter **last = &sw->waiters;

    while (*last) {
        last = &(*last)->next;
    }
    waiter->next = NULL;
    *last = waiter;
}

void
switch_wake_waiters(struct switch_ *sw)
{
    while (sw->waiters && !tables_has_bundle(sw->tables)) {
        struct switch_waiter *waiter = sw->waiters;

        sw->waiters = waiter->next;
        waiter->go_on(waiter);
    }
}
