#include "switch/tables.h"

#include <stdlib.h>

#include "lib/str.h"
#include "switch/conjunction.h"
#include "switch/tables_state.h"

enum {
    DEFAULT_MAX_ENTRIES = 2 * 1000 * 1000,
    EXPIRE_TURN = 2048,           /* timers looked at in one turn */
    BURY_MSEC = 10,               /* how soon to look for what waits */
};

struct tables *
tables_create(const struct tables_config *config)
{
    struct tables *t = xzalloc(sizeof *t);

    t->config = *config;
    if (!t->config.max_entries) {
        t->config.max_entries = DEFAULT_MAX_ENTRIES;
    }
    t->key = hash_key_random();
    steps_init(&t->steps);
    staging_init(&t->staging);
    egress_first_init(&t->egress);
    cookie_counts_init(&t->cookie_counts, t->key);
    entry_index_init(&t->index);
    object_table_init(&t->groups, t->key);
    object_table_init(&t->meters, t->key);
    return t;
}

/* ---- The end: no reader is left ---- */

static bool
collect_entry(void *t_, struct entry *entry)
{
    struct tables *t = t_;

    if (t->n_selected == t->size_selected) {
        t->size_selected = MAX(t->size_selected * 2, (size_t) 64);
        t->selected = xrealloc(t->selected,
                               t->size_selected * sizeof *t->selected);
    }
    t->selected[t->n_selected++] = entry;
    return true;
}

static bool
collect_tuple(void *t, struct tuple *tuple)
{
    return tuple_visit(tuple, collect_entry, t);
}

static bool
remove_group(void *t_, struct object_slot *slot)
{
    struct tables *t = t_;
    struct object *group = object_slot_alive(slot);

    if (group) {
        group_count_targets(t, group, -1);
        object_table_unlink(&t->groups, group);
        group_version_destroy(group);
    }
    return true;
}

static bool
remove_meter(void *t_, struct object_slot *slot)
{
    struct tables *t = t_;
    struct object *meter = object_slot_alive(slot);

    if (meter) {
        object_table_unlink(&t->meters, meter);
        meter_version_destroy(meter);
    }
    return true;
}

void
tables_destroy(struct tables *t)
{
    if (!t) {
        return;
    }
    staging_fini(t);
    for (unsigned int i = 0; i < N_TABLES; i++) {
        struct classifier *cls = tables_classifier(t, (uint8_t) i);

        free(t->limits[i].heap);
        if (!cls) {
            continue;
        }
        t->n_selected = 0;
        classifier_visit_tuples(cls, collect_tuple, t);
        for (size_t j = 0; j < t->n_selected; j++) {
            staging_drop_entry(t, t->selected[j]);
        }
        classifier_fini(cls);
        free(cls);
    }
    object_table_visit(&t->groups, remove_group, t);
    object_table_visit(&t->meters, remove_meter, t);
    object_table_fini(&t->groups);
    object_table_fini(&t->meters);
    entry_index_fini(&t->index);
    cookie_counts_fini(&t->cookie_counts);
    rcu_flush();
    free(t->learned.list);
    free(t->selected);
    free(t);
}

/* ---- Writer ---- */

enum of_error
tables_flow_mod(struct tables *t, const struct flow_mod *fm, msec now,
                struct str *why)
{
    return flow_table_mod(t, fm, now, why);
}

enum of_error
tables_check_actions(const struct tables *t, struct action_list list,
                     struct str *why)
{
    return flow_table_check_actions(t, list, why);
}

msec
tables_look_at_triggers(struct tables *t, msec now)
{
    return t->config.triggered
           ? stat_triggers_look(&t->triggers, tables_version(t), now,
                                t->config.triggered, t->config.aux)
           : INT64_MAX;
}

void
tables_watch(struct tables *t, bool is_watched)
{
    t->staging.is_watched = is_watched && t->config.changed;
}

void
tables_set_origin(struct tables *t, const struct table_origin *origin)
{
    t->staging.origin = *origin;
}

void
tables_begin(struct tables *t)
{
    staging_begin(t);
}

void
tables_commit(struct tables *t)
{
    staging_commit(t);
}

void
tables_discard(struct tables *t)
{
    staging_discard(t, SIZE_MAX);
}

bool
tables_discard_some(struct tables *t, size_t budget)
{
    return staging_discard(t, budget);
}

bool
tables_has_bundle(const struct tables *t)
{
    return t->staging.has_bundle;
}

bool
tables_pending(const struct tables *t)
{
    return staging_pending(t);
}

static void
tell_vacancy(struct tables *t, uint8_t table)
{
    struct table_limit *limit = &t->limits[table];
    const struct table_policy *policy = &limit->policy;
    uint8_t vacancy = tables_vacancy(t, table);
    bool turns = limit->is_tight ? vacancy > policy->vacancy_up
                                 : vacancy < policy->vacancy_down;

    if (policy->tells_vacancy && turns) {
        limit->is_tight = !limit->is_tight;
        if (t->config.vacancy) {
            t->config.vacancy(t->config.aux, table, limit->is_tight);
        }
    }
}

void
tables_publish(struct tables *t, struct table_changes *changes)
{
    if (!t->staging.has_bundle) {
        learned_delete_orphans(t);
    }
    staging_publish(t, changes);
    for (unsigned int i = 0; t->n_vacancy && i < N_TABLES; i++) {
        tell_vacancy(t, (uint8_t) i);
    }
}

/* ---- Limits of single tables ---- */

uint32_t
tables_max_entries(const struct tables *t, uint8_t table)
{
    uint32_t max = t->limits[table].policy.max_entries;

    return max ? MIN(max, t->config.max_entries) : t->config.max_entries;
}

uint32_t
tables_max_of_all(const struct tables *t)
{
    return t->config.max_entries;
}

uint8_t
tables_vacancy(const struct tables *t, uint8_t table)
{
    return table_limit_vacancy(tables_max_entries(t, table),
                               t->stats[table].n_entries);
}

const struct table_policy *
tables_policy(const struct tables *t, uint8_t table)
{
    return &t->limits[table].policy;
}

static bool
note_candidate(void *limit, struct entry *entry)
{
    if (entry_alive(entry)) {
        table_limit_note(limit, &entry->e);
    }
    return true;
}

static bool
note_candidates(void *limit, struct tuple *tuple)
{
    return tuple_visit(tuple, note_candidate, limit);
}

void
tables_set_policy(struct tables *t, uint8_t table,
                  const struct table_policy *policy)
{
    struct table_limit *limit = &t->limits[table];
    struct classifier *cls = tables_classifier(t, table);
    bool evicted = limit->policy.evicts;

    t->n_vacancy -= limit->policy.tells_vacancy;
    t->n_vacancy += policy->tells_vacancy;
    limit->policy = *policy;
    limit->is_tight = tables_vacancy(t, table) < policy->vacancy_up;
    if (!policy->evicts) {
        free(limit->heap);
        limit->heap = NULL;
        limit->n = limit->size = 0;
    } else if (!evicted && cls) {
        classifier_visit_tuples(cls, note_candidates, limit);
    }
}

msec
tables_expire(struct tables *t, msec now)
{
    unsigned int budget = EXPIRE_TURN;
    struct timer *timer;
    msec next;

    staging_bury(t, STAGING_GRAVE_TURN);
    if (t->wheel_runs && !t->staging.has_bundle) {
        while ((timer = timer_wheel_expire(&t->wheel, now, &budget))) {
            staging_expire_entry(t, entry_of_timer(timer), now);
        }
    }
    next = t->wheel_runs ? timer_wheel_next(&t->wheel) : INT64_MAX;
    if (t->staging.graves || t->staging.has_bundle) {
        next = MIN(next, now + BURY_MSEC);
    }
    return MAX(next, now + 1);
}

/* ---- Readers ---- */

uint64_t
tables_version(const struct tables *t)
{
    return atomic_load_explicit(&t->staging.visible, memory_order_acquire);
}

const struct flow_entry *
tables_lookup_conjunction(const struct tables *t, uint8_t table,
                          uint64_t version, const struct flow *flow,
                          struct flow_mask *wc, struct conjunction *found)
{
    const struct classifier *cls = tables_classifier(t, table);
    const struct entry *entry;

    found->n_entries = 0;
    entry = cls ? conjunction_lookup(cls, version, flow, wc, found) : NULL;
    return entry ? &entry->e : NULL;
}

const struct flow_entry *
tables_lookup(const struct tables *t, uint8_t table, uint64_t version,
              const struct flow *flow, struct flow_mask *wc)
{
    struct conjunction found;

    return tables_lookup_conjunction(t, table, version, flow, wc, &found);
}

struct flow_entry *
tables_entry(const struct tables *t, uint64_t id)
{
    struct entry *entry = entry_index_find(&t->index, id);

    return entry ? &entry->e : NULL;
}

struct table_stats *
tables_stats(const struct tables *t, uint8_t table)
{
    /* Counters are for everybody to add to. */
    return (struct table_stats *) (uintptr_t) &t->stats[table];
}

/* ---- Lists ---- */

struct list {
    uint64_t version;
    const struct match *match;    /* NULL: any */
    struct mask_words mask;
    size_t n, size;
    const struct entry **entries;
};

static bool
list_entry(void *list_, struct entry *entry)
{
    struct list *list = list_;

    if (!entry_visible(entry, list->version)) {
        return true;
    }
    if (list->match) {
        struct match match;

        flow_entry_match(&entry->e, &match);
        if (!match_covers(list->match, &match)) {
            return true;
        }
    }
    if (list->n == list->size) {
        list->size = MAX(list->size * 2, (size_t) 64);
        list->entries = xrealloc(list->entries,
                                 list->size * sizeof *list->entries);
    }
    list->entries[list->n++] = entry;
    return true;
}

static bool
list_tuple(void *list_, struct tuple *tuple)
{
    return tuple_visit(tuple, list_entry, list_);
}

/* Falling priority, then age. */
static int
compare_entries(const void *a_, const void *b_)
{
    const struct entry *a = *(const struct entry *const *) a_;
    const struct entry *b = *(const struct entry *const *) b_;

    if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    if (a->e.created != b->e.created) {
        return a->e.created < b->e.created ? -1 : 1;
    }
    return a->e.id < b->e.id ? -1 : a->e.id > b->e.id;
}

static bool
visit_table(const struct tables *t, uint8_t table, struct list *list,
            flow_entry_visit *visit, void *aux)
{
    const struct classifier *cls = tables_classifier(t, table);
    bool goes_on = true;

    if (!cls) {
        return true;
    }
    list->n = 0;
    classifier_visit_tuples(cls, list_tuple, list);
    if (list->n) {
        qsort(list->entries, list->n, sizeof list->entries[0],
              compare_entries);
    }
    for (size_t i = 0; i < list->n && goes_on; i++) {
        goes_on = visit(aux, &list->entries[i]->e);
    }
    return goes_on;
}

void
tables_visit(const struct tables *t, uint8_t table, const struct match *match,
             flow_entry_visit *visit, void *aux)
{
    struct list list = { .version = tables_version(t), .match = match };

    if (table != OFPTT_ALL) {
        visit_table(t, table, &list, visit, aux);
    } else {
        for (unsigned int i = 0; i < N_TABLES; i++) {
            if (!visit_table(t, (uint8_t) i, &list, visit, aux)) {
                break;
            }
        }
    }
    free(list.entries);
}

size_t
tables_memory(const struct tables *t)
{
    size_t sum = t->entry_memory + entry_index_memory(&t->index);

    for (unsigned int i = 0; i < N_TABLES; i++) {
        const struct classifier *cls = tables_classifier(t, (uint8_t) i);

        sum += cls ? classifier_memory(cls) : 0;
    }
    return sum;
}
