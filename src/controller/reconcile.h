/* Reconcile: the difference between what is desired and what is installed.
 *
 * Pure.  What is the same is not spoken of, so that established traffic does
 * not notice; nothing is ever cleared to be added again.  Flow changes fit in
 * one bundle in any order: each is about one identity.  Meters do not fit in a
 * bundle (Open vSwitch's take flows and groups): those that are new or
 * different come before it, those that are no more needed after it. */
#ifndef WEFT_CONTROLLER_RECONCILE_H
#define WEFT_CONTROLLER_RECONCILE_H

#include "controller/desired.h"

/* What the switch has, as far as we know. */
struct installed {
    struct flow_set flows;
    struct id_map meters;         /* struct port_meter, owned, by id */
    unsigned int n_groups;        /* none of them ours */
    /* What the switch would not take is not asked for again, nor are flows
     * that need such a meter. */
    struct flow_set refused;
    struct id_map refused_meters; /* by id; any value */
};

void installed_init(struct installed *);
void installed_fini(struct installed *);
/* Nothing is known to be there.  What was refused stays refused. */
void installed_clear(struct installed *);
/* Until now. */
void installed_forgive(struct installed *);
void installed_add_meter(struct installed *, const struct port_meter *);
void installed_refuse_meter(struct installed *, uint32_t id);

struct flow_change {
    enum flow_mod_command command;      /* add (also in the place of another),
                                           modify strictly, delete strictly */
    struct flow_rule *rule;             /* a reference */
};

struct changes {
    unsigned int n, size;
    struct flow_change *flows;
    unsigned int n_meters, meters_size;
    struct meter_mod *meters;           /* the first ones before the flows */
    unsigned int n_meters_before;
    bool groups;                        /* all groups are to be deleted */
};

void changes_init(struct changes *);
void changes_fini(struct changes *);
static inline bool
changes_are_none(const struct changes *changes)
{
    return !changes->n && !changes->n_meters && !changes->groups;
}

/* Of all, or only of what was touched. */
void reconcile_all(const struct desired *, const struct installed *,
                   struct changes *);
void reconcile_touched(const struct desired *, const struct installed *,
                       const struct desired_touched *, struct changes *);

/* The switch carried the changes out. */
void installed_apply(struct installed *, const struct changes *);

#endif
