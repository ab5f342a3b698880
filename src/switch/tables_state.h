/* What tables.c, flow_table.c, group_table.c, meter_table.c and staging.c share.
 * For nobody else. */
#ifndef WEFT_SWITCH_TABLES_STATE_H
#define WEFT_SWITCH_TABLES_STATE_H

#include "switch/classifier.h"
#include "switch/cookie_count.h"
#include "switch/egress.h"
#include "switch/entry_index.h"
#include "switch/object_table.h"
#include "switch/staging.h"
#include "switch/steps.h"
#include "switch/table_limit.h"
#include "switch/tables.h"

/* Entries that learn, and whose learned entries go with the last of them: how
 * many there are for each table and cookie. */
struct learned_cookie {
    be64 cookie;
    uint32_t n_teachers;
    uint8_t table;
};

struct learned_cookies {
    struct learned_cookie *list;
    size_t n, size;
    bool has_orphans;             /* some n_teachers is 0 */
};

struct tables {
    struct tables_config config;
    struct hash_key key;
    struct steps steps;
    struct staging staging;
    struct entry_index index;
    struct timer_wheel wheel;
    bool wheel_runs;              /* set to the time at the first timer */
    struct stat_triggers triggers;

    /* Made when first used; NULL before. */
    _Atomic(struct classifier *) classifiers[N_TABLES];
    struct table_stats stats[N_TABLES];
    struct table_limit limits[N_TABLES];
    struct egress_first egress;
    unsigned int n_vacancy;       /* tables that tell of it */
    uint32_t n_entries;           /* alive for the writer */
    uint64_t entry_memory;

    struct object_table groups;
    struct object_table meters;
    uint64_t n_searches;          /* marks of object slots */

    uint32_t stamps;              /* of entries, given out so far */
    struct learned_cookies learned;
    struct cookie_counts cookie_counts;     /* for learn's limits */

    /* Entries that a request is about; kept to be used again. */
    struct entry **selected;
    size_t n_selected, size_selected;
};

static inline struct classifier *
tables_classifier(const struct tables *t, uint8_t table)
{
    return table < N_TABLES
           ? atomic_load_explicit(&t->classifiers[table],
                                  memory_order_acquire)
           : NULL;
}

/* ---- flow_table.c ---- */

enum of_error flow_table_mod(struct tables *, const struct flow_mod *,
                             msec now, struct str *why);
/* The newest staged form of the entry with this id; NULL: none. */
struct entry *flow_table_newest(const struct tables *, uint64_t id);
/* The port, groups and meters that actions name must exist. */
enum of_error flow_table_check_actions(const struct tables *,
                                       struct action_list, struct str *why);

/* All that a successor takes over, counters excepted. */
void flow_table_inherit(struct entry *, const struct entry *from);

/* ---- flow_table_learn.c ---- */

/* An entry is alive for the writer (1), or not any more (-1). */
void learned_count_teacher(struct tables *, const struct entry *, int n);
/* Before a publish: what was learned goes where its teachers went. */
void learned_delete_orphans(struct tables *);

/* ---- group_table.c, meter_table.c: of the versions of objects ---- */

void group_version_destroy(struct object *);
/* The group is alive for the writer (1), or not any more (-1): so are its
 * references to others. */
void group_count_targets(struct tables *, const struct object *, int n);
void meter_version_destroy(struct object *);

#endif
