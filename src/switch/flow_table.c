/* Flow-mods (OpenFlow 1.3.5 section 6.4, 1.0 section 4.6): which entries a
 * request is about, and what becomes of them.  staging.c makes it so. */
#include <stdlib.h>

#include "lib/str.h"
#include "switch/tables_state.h"

/* ---- What actions name must exist ---- */

enum { MAX_USES = 16384 };        /* of groups and meters, in one list */

struct check {
    const struct tables *t;
    struct str *why;
    enum of_error error;
    unsigned int n_uses;
};

static void
check_use(void *check_, uint32_t id, bool is_meter)
{
    struct check *check = check_;

    if (check->error) {
        return;
    }
    if (++check->n_uses > MAX_USES) {
        check->error = OF_BAD_ACTION_TOO_MANY;
    } else if (is_meter && !object_table_newest(&check->t->meters, id)) {
        check->error = OF_BAD_ACTION_BAD_METER;
        str_setf(check->why, "there is no meter %u", id);
    } else if (!is_meter && !object_table_newest(&check->t->groups, id)) {
        check->error = OF_BAD_ACTION_BAD_OUT_GROUP;
        str_setf(check->why, "there is no group %u", id);
    }
}

static enum of_error
check_ports(const struct tables *t, struct action_list list, struct str *why)
{
    enum of_error error = OF_OK;

    ACTION_FOR_EACH (a, &list) {
        const struct action_output *output = (const void *) a;

        if (a->type == ACTION_OUTPUT && output->port < OFPP_MAX &&
            !t->config.port_exists(t->config.aux, output->port)) {
            str_setf(why, "there is no port %u", output->port);
            error = OF_BAD_ACTION_BAD_OUT_PORT;
        } else if (a->type == ACTION_CLONE) {
            error = check_ports(t, action_clone_list((const void *) a), why);
        }
        if (error) {
            break;
        }
    }
    return error;
}

enum of_error
flow_table_check_actions(const struct tables *t, struct action_list list,
                         struct str *why)
{
    struct check check = { t, why, OF_OK, 0 };

    action_list_uses(list, check_use, &check);
    if (!check.error && t->config.port_exists) {
        check.error = check_ports(t, list, why);
    }
    return check.error;
}

static unsigned int
newest_first_egress(const struct tables *t)
{
    return tables_first_egress(t, TABLES_NEWEST);
}

static enum of_error
check_instructions(const struct tables *t, const struct flow_mod *fm,
                   uint8_t table, struct str *why)
{
    const struct instructions *in = &fm->instructions;
    enum of_error error = instructions_check(in, &fm->match, table, why);

    if (!error) {
        error = flow_table_check_actions(t, in->apply, why);
    }
    if (!error) {
        error = flow_table_check_actions(t, in->write, why);
    }
    if (!error && in->meter &&
        !object_table_newest(&t->meters, in->meter)) {
        str_setf(why, "there is no meter %u", in->meter);
        error = OF_BAD_ACTION_BAD_METER;
    }
    return error;
}

/* ---- Which entries ---- */

static void
select_entry(struct tables *t, struct entry *entry)
{
    if (t->n_selected == t->size_selected) {
        t->size_selected = MAX(t->size_selected * 2, (size_t) 64);
        t->selected = xrealloc(t->selected,
                               t->size_selected * sizeof *t->selected);
    }
    t->selected[t->n_selected++] = entry;
}

static bool
takes_entry(const struct flow_mod *fm, const struct entry *entry)
{
    const struct flow_entry *e = &entry->e;

    if ((e->cookie ^ fm->cookie) & fm->cookie_mask) {
        return false;
    }
    if (fm->command != FLOW_MOD_DELETE &&
        fm->command != FLOW_MOD_DELETE_STRICT) {
        return true;
    }
    return (fm->out_port == OFPP_ANY ||
            action_list_outputs(e->instructions.apply, fm->out_port) ||
            action_list_outputs(e->instructions.write, fm->out_port)) &&
           (fm->out_group == OFPG_ANY ||
            action_list_groups(e->instructions.apply, fm->out_group) ||
            action_list_groups(e->instructions.write, fm->out_group));
}

/* The masks of a request and of a tuple, word by word. */
struct common {
    uint32_t n;
    bool covers;                  /* the tuple looks at all of the request's */
    bool is_within;               /* and the other way round */
    struct {
        uint64_t bits;            /* that both look at */
        uint32_t entry;           /* index into an entry's values */
        uint32_t request;         /* into the request's */
    } list[FLOW_WORDS];
};

static void
common_init(struct common *common, const struct mask_words *request,
            const struct mask_words *tuple)
{
    uint32_t i = 0, j = 0;

    common->n = 0;
    common->covers = common->is_within = true;
    while (i < request->n || j < tuple->n) {
        const struct mask_word *a = &request->list[i];
        const struct mask_word *b = &tuple->list[j];
        bool in_a = i < request->n && (j == tuple->n || a->word <= b->word);
        bool in_b = j < tuple->n && (i == request->n || b->word <= a->word);

        common->covers &= !in_a || (in_b && !(a->bits & ~b->bits));
        common->is_within &= !in_b || (in_a && !(b->bits & ~a->bits));
        if (in_a && in_b && (a->bits & b->bits)) {
            common->list[common->n].bits = a->bits & b->bits;
            common->list[common->n].entry = j;
            common->list[common->n].request = i;
            common->n++;
        }
        i += in_a;
        j += in_b;
    }
}

static bool
common_agrees(const struct common *common, const uint64_t *entry,
              const uint64_t *request)
{
    uint64_t differ = 0;

    for (uint32_t i = 0; i < common->n; i++) {
        differ |= (entry[common->list[i].entry]
                   ^ request[common->list[i].request]) & common->list[i].bits;
    }
    return !differ;
}

struct search {
    struct tables *t;
    const struct flow_mod *fm;
    struct mask_words mask;
    uint64_t values[FLOW_WORDS];
    struct common common;         /* with the tuple at hand */
};

static void
search_init(struct search *search, struct tables *t, const struct flow_mod *fm)
{
    search->t = t;
    search->fm = fm;
    mask_words_init(&search->mask, &fm->match.mask);
    mask_words_take(&search->mask, &fm->match.value, search->values);
    t->n_selected = 0;
}

static struct entry *
entry_behind(const struct entry *entry)
{
    return atomic_load_explicit(&entry->next, memory_order_relaxed);
}

/* The writer's entry of this very match and priority. */
static struct entry *
find_strict(struct search *search, uint8_t table, uint16_t priority)
{
    struct classifier *cls = tables_classifier(search->t, table);
    struct tuple *tuple = cls ? classifier_find_tuple(cls, &search->mask)
                              : NULL;
    struct entry *entry = tuple ? tuple_find(tuple, search->values) : NULL;

    while (entry && entry->priority > priority) {
        entry = entry_behind(entry);
    }
    while (entry && entry->priority == priority && !entry_alive(entry)) {
        entry = entry_behind(entry);
    }
    return entry && entry->priority == priority ? entry : NULL;
}

static bool
select_if_covered(void *search_, struct entry *entry)
{
    struct search *search = search_;

    if (entry_alive(entry) &&
        common_agrees(&search->common, entry->values, search->values) &&
        takes_entry(search->fm, entry)) {
        select_entry(search->t, entry);
    }
    return true;
}

static bool
select_in_tuple(void *search_, struct tuple *tuple)
{
    struct search *search = search_;

    common_init(&search->common, &search->mask, tuple->mask);
    if (!search->common.covers) {
        return true;
    }
    if (search->common.is_within) {
        struct entry *entry = tuple_find(tuple, search->values);

        for (; entry; entry = entry_behind(entry)) {
            select_if_covered(search, entry);
        }
    } else {
        tuple_visit(tuple, select_if_covered, search);
    }
    return true;
}

static void
select_in_table(struct search *search, uint8_t table)
{
    const struct flow_mod *fm = search->fm;
    struct classifier *cls = tables_classifier(search->t, table);

    if (!cls || !search->t->stats[table].n_entries) {
        return;
    }
    if (fm->command == FLOW_MOD_MODIFY || fm->command == FLOW_MOD_DELETE) {
        classifier_visit_tuples(cls, select_in_tuple, search);
    } else {
        struct entry *entry = find_strict(search, table, fm->priority);

        if (entry && takes_entry(fm, entry)) {
            select_entry(search->t, entry);
        }
    }
}

static void
select_entries(struct search *search)
{
    uint8_t table = search->fm->table;

    if (table != OFPTT_ALL) {
        select_in_table(search, table);
        return;
    }
    for (unsigned int i = 0; i < N_TABLES; i++) {
        select_in_table(search, (uint8_t) i);
    }
}

/* ---- Overlap ---- */

struct overlap {
    struct search *search;
    bool found;
};

static bool
note_overlap(void *overlap_, struct entry *entry)
{
    struct overlap *overlap = overlap_;
    struct search *search = overlap->search;

    overlap->found |= entry_alive(entry) &&
                      entry->priority == search->fm->priority &&
                      common_agrees(&search->common, entry->values,
                                    search->values);
    return !overlap->found;
}

static bool
note_overlap_in_tuple(void *overlap_, struct tuple *tuple)
{
    struct overlap *overlap = overlap_;
    struct search *search = overlap->search;

    if (tuple_max_priority(tuple) < search->fm->priority) {
        return true;
    }
    common_init(&search->common, &search->mask, tuple->mask);
    if (search->common.is_within) {
        uint64_t values[FLOW_WORDS];
        struct entry *entry;

        mask_words_take(tuple->mask, &search->fm->match.value, values);
        entry = tuple_find(tuple, values);
        while (entry && note_overlap(overlap, entry)) {
            entry = entry_behind(entry);
        }
    } else {
        tuple_visit(tuple, note_overlap, overlap);
    }
    return !overlap->found;
}

static bool
overlaps(struct search *search, struct classifier *cls)
{
    struct overlap overlap = { search, false };

    classifier_visit_tuples(cls, note_overlap_in_tuple, &overlap);
    return overlap.found;
}

/* ---- Add ---- */

static struct classifier *
get_classifier(struct tables *t, uint8_t table)
{
    struct classifier *cls = tables_classifier(t, table);

    if (!cls) {
        cls = xmalloc(sizeof *cls);
        classifier_init(cls, &t->steps, t->key);
        atomic_store_explicit(&t->classifiers[table], cls,
                              memory_order_release);
    }
    return cls;
}

static void
credit_init(struct credit *credit, msec now)
{
    atomic_init(&credit->packets, 0);
    atomic_init(&credit->bytes, 0);
    atomic_init(&credit->used, now);
}

struct entry *
flow_table_newest(const struct tables *t, uint64_t id)
{
    struct entry *entry = entry_index_find(&t->index, id);
    struct entry *newest;

    if (!entry || entry_alive(entry)) {
        return entry;
    }
    newest = tuple_find(entry->tuple, entry->values);
    while (newest && !(newest->e.id == id && entry_alive(newest))) {
        newest = entry_behind(newest);
    }
    return newest;
}

/* False: the table is full and keeps what it has. */
static bool
make_room(struct tables *t, uint8_t table, uint16_t importance)
{
    struct table_limit *limit = &t->limits[table];
    uint32_t max = tables_max_entries(t, table);

    while (t->stats[table].n_entries >= max
           || t->n_entries >= t->config.max_entries) {
        struct entry *victim =
            limit->policy.evicts ? table_limit_victim(limit, t, table,
                                                      importance) : NULL;

        if (!victim) {
            return false;
        }
        staging_remove_entry(t, victim, REMOVED_EVICTION, NULL);
    }
    return true;
}

static enum of_error
add_entry(struct search *search, uint8_t table, msec now, struct str *why)
{
    struct tables *t = search->t;
    const struct flow_mod *fm = search->fm;
    struct entry *old = find_strict(search, table, fm->priority);
    bool keeps_counters = old && !(fm->flags & FLOW_MOD_RESET_COUNTS);
    struct classifier *cls = get_classifier(t, table);
    struct entry *entry;
    struct tuple *tuple;
    uint64_t id;

    if (fm->flags & FLOW_MOD_CHECK_OVERLAP && overlaps(search, cls)) {
        str_setf(why, "an entry of priority %u overlaps", fm->priority);
        return OF_FLOW_MOD_FAILED_OVERLAP;
    }
    if (!old && !make_room(t, table, fm->importance)) {
        str_setf(why, "there are %u entries already",
                 t->stats[table].n_entries);
        return OF_FLOW_MOD_FAILED_TABLE_FULL;
    }
    id = keeps_counters ? old->e.id : entry_index_alloc(&t->index);
    if (!id) {
        str_setf(why, "entries that were deleted are still in use");
        return OF_FLOW_MOD_FAILED_TABLE_FULL;
    }

    tuple = classifier_get_tuple(cls, &search->mask);
    entry = entry_create(tuple, search->values, &fm->instructions,
                         fm->idle_timeout || fm->hard_timeout);
    entry->priority = fm->priority;
    entry->e.id = id;
    entry->e.table = table;
    entry->e.priority = fm->priority;
    entry->e.idle_timeout = fm->idle_timeout;
    entry->e.hard_timeout = fm->hard_timeout;
    entry->e.importance = fm->importance;
    entry->e.flags = (uint16_t) fm->flags;
    entry->e.cookie = fm->cookie;
    entry->e.stamp = ++t->stamps;
    entry->e.created = entry->e.modified = now;
    credit_init(&entry->e.credit, now);

    staging_replaces(t, entry, old);
    if (old) {
        staging_remove_entry(t, old, keeps_counters ? REMOVED_REPLACED
                                                    : REMOVED_RESET,
                             keeps_counters ? entry : NULL);
    }
    staging_add_entry(t, entry);
    return OF_OK;
}

static enum of_error
flow_add(struct search *search, msec now, struct str *why)
{
    const struct flow_mod *fm = search->fm;
    uint8_t table = fm->table == OFPTT_ALL ? 0 : fm->table;
    enum of_error error = check_instructions(search->t, fm, table, why);

    if (!error) {
        error = egress_check(newest_first_egress(search->t), table,
                             &fm->instructions, why);
    }
    return error ? error : add_entry(search, table, now, why);
}

/* ---- Modify ---- */

void
flow_table_inherit(struct entry *new, const struct entry *old)
{
    new->e.id = old->e.id;
    new->priority = new->e.priority = old->priority;
    new->e.table = old->e.table;
    new->e.idle_timeout = old->e.idle_timeout;
    new->e.hard_timeout = old->e.hard_timeout;
    new->e.importance = old->e.importance;
    new->e.flags = old->e.flags;
    new->e.cookie = old->e.cookie;
    new->e.created = old->e.created;
    new->e.modified = old->e.modified;
    credit_init(&new->e.credit,
                atomic_load_explicit(&old->e.credit.used,
                                     memory_order_relaxed));
}

static void
modify_entry(struct tables *t, struct entry *old, const struct flow_mod *fm,
             msec now)
{
    bool resets = fm->flags & FLOW_MOD_RESET_COUNTS;
    struct entry *new = entry_create(old->tuple, old->values,
                                     &fm->instructions, old->has_timer);

    flow_table_inherit(new, old);
    if (fm->modify_cookie) {
        new->e.cookie = fm->new_cookie;
    }
    new->e.stamp = ++t->stamps;
    new->e.modified = now;
    new->is_modified = true;
    staging_replaces(t, new, old);
    staging_remove_entry(t, old, resets ? REMOVED_RESET : REMOVED_REPLACED,
                         new);
    staging_add_entry(t, new);
}

static enum of_error
flow_modify(struct search *search, msec now, struct str *why)
{
    struct tables *t = search->t;
    const struct flow_mod *fm = search->fm;
    const struct instructions *in = &fm->instructions;
    enum of_error error =
        check_instructions(t, fm, fm->table == OFPTT_ALL ? 0 : fm->table,
                           why);

    if (error) {
        return error;
    }
    select_entries(search);
    if (!t->n_selected && fm->add_if_absent) {
        return flow_add(search, now, why);
    }
    for (size_t i = 0; i < t->n_selected; i++) {
        if (in->has_goto && in->goto_table <= t->selected[i]->e.table) {
            str_setf(why, "goto_table:%u is not after table %u",
                     in->goto_table, t->selected[i]->e.table);
            return OF_BAD_INSTRUCTION_BAD_TABLE_ID;
        }
        error = egress_check(newest_first_egress(t), t->selected[i]->e.table,
                             in, why);
        if (error) {
            return error;
        }
    }
    for (size_t i = 0; i < t->n_selected; i++) {
        modify_entry(t, t->selected[i], fm, now);
    }
    return OF_OK;
}

/* ---- Delete ---- */

static enum of_error
flow_delete(struct search *search)
{
    struct tables *t = search->t;

    select_entries(search);
    for (size_t i = 0; i < t->n_selected; i++) {
        if (i + 8 < t->n_selected) {
            __builtin_prefetch(t->selected[i + 8]);
            __builtin_prefetch((char *) t->selected[i + 8] + 2 * CACHE_LINE,
                               1);
        }
        staging_remove_entry(t, t->selected[i], REMOVED_DELETE, NULL);
    }
    return OF_OK;
}

/* A request that took a million entries leaves no list of that size behind. */
static void
forget_selection(struct tables *t)
{
    enum { KEEP = 4096 };

    t->n_selected = 0;
    if (t->size_selected > KEEP) {
        free(t->selected);
        t->selected = NULL;
        t->size_selected = 0;
    }
}

enum of_error
flow_table_mod(struct tables *t, const struct flow_mod *fm, msec now,
               struct str *why)
{
    struct search search;
    enum of_error error;

    search_init(&search, t, fm);
    switch (fm->command) {
    case FLOW_MOD_ADD:
        error = flow_add(&search, now, why);
        break;
    case FLOW_MOD_MODIFY:
    case FLOW_MOD_MODIFY_STRICT:
        error = flow_modify(&search, now, why);
        break;
    case FLOW_MOD_DELETE:
    case FLOW_MOD_DELETE_STRICT:
        error = flow_delete(&search);
        break;
    default:
        return OF_BAD_REQUEST_BAD_LEN;
    }
    forget_selection(t);
    return error;
}

const struct flow_entry *
tables_find(struct tables *t, const struct flow_mod *fm)
{
    struct search search;
    struct entry *entry;

    search_init(&search, t, fm);
    entry = find_strict(&search, fm->table, fm->priority);
    return entry ? &entry->e : NULL;
}
