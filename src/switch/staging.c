#include "switch/staging.h"

#include <stdlib.h>

#include "lib/str.h"
#include "switch/tables_state.h"

/* ---- Stages ---- */

static void
dying_add(struct dying_list *dying, struct dying what)
{
    if (dying->n == dying->size) {
        dying->size = MAX(dying->size * 2, (size_t) 16);
        dying->list = xrealloc(dying->list,
                               dying->size * sizeof *dying->list);
    }
    dying->list[dying->n++] = what;
}

static void
stage_note(struct stage *stage, struct entry *entry)
{
    uint8_t table = entry->e.table;

    stage->is_used = true;
    stage->tables[table / 64] |= UINT64_C(1) << (table % 64);
    if (stage->n_changed == STAGING_MAX_CHANGES) {
        stage->overflowed = true;
        return;
    }
    if (stage->n_changed == stage->size_changed) {
        stage->size_changed = MAX(stage->size_changed * 2, (size_t) 64);
        stage->changed = xrealloc(stage->changed, stage->size_changed
                                                  * sizeof *stage->changed);
    }
    stage->changed[stage->n_changed++] = entry;
}

/* Empty again; memory of the lists is kept unless there was much. */
static void
stage_clear(struct stage *stage)
{
    stage->is_used = stage->everything = stage->overflowed = false;
    stage->n_changed = 0;
    stage->dying = (struct dying_list) { NULL, 0, 0 };
    stage->events.n = 0;
    memset(stage->tables, 0, sizeof stage->tables);
}

static void
event_add(struct stage_events *events, const struct stage_event *event)
{
    if (events->n == events->size) {
        events->size = MAX(events->size * 2, (size_t) 64);
        events->list = xrealloc(events->list,
                                events->size * sizeof *events->list);
    }
    events->list[events->n++] = *event;
}

/* Puts all of `from` behind `to`. */
static void
stage_append(struct stage *to, struct stage *from)
{
    if (!to->is_used) {
        struct stage empty = *to;

        *to = *from;
        *from = empty;
        from->version = to->version;
        return;
    }
    to->version = from->version;
    to->is_used |= from->is_used;
    to->everything |= from->everything;
    to->overflowed |= from->overflowed;
    for (size_t i = 0; i < from->n_changed; i++) {
        stage_note(to, from->changed[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(to->tables); i++) {
        to->tables[i] |= from->tables[i];
    }
    for (size_t i = 0; i < from->dying.n; i++) {
        dying_add(&to->dying, from->dying.list[i]);
    }
    for (size_t i = 0; i < from->events.n; i++) {
        event_add(&to->events, &from->events.list[i]);
    }
    free(from->dying.list);
    stage_clear(from);
}

void
staging_init(struct staging *s)
{
    memset(s, 0, sizeof *s);
    atomic_init(&s->visible, 0);
    s->open.version = 1;
    s->last_grave = &s->graves;
}

static uint64_t
visible_version(const struct staging *s)
{
    return atomic_load_explicit(&s->visible, memory_order_relaxed);
}

static void
note_undo(struct staging *s, struct undo undo)
{
    if (!s->has_bundle) {
        return;
    }
    if (s->n_undo == s->size_undo) {
        s->size_undo = MAX(s->size_undo * 2, (size_t) 64);
        s->undo = xrealloc(s->undo, s->size_undo * sizeof *s->undo);
    }
    s->undo[s->n_undo++] = undo;
}

/* ---- Entries ---- */

static struct object_table *
objects(struct tables *t, bool is_meter)
{
    return is_meter ? &t->meters : &t->groups;
}

static msec
hard_due(const struct entry *entry)
{
    msec refreshed = atomic_load_explicit(
        entry_refreshed((struct entry *) (uintptr_t) entry),
        memory_order_relaxed);

    return MAX(entry->e.created, refreshed)
           + entry->e.hard_timeout * INT64_C(1000);
}

static msec
entry_due(const struct entry *entry)
{
    const struct flow_entry *e = &entry->e;
    msec used = atomic_load_explicit(&e->credit.used, memory_order_relaxed);
    msec due = INT64_MAX;

    if (e->hard_timeout) {
        due = hard_due(entry);
    }
    if (e->idle_timeout) {
        due = MIN(due, used + e->idle_timeout * INT64_C(1000));
    }
    return due;
}

/* What holds for entries that are alive for the writer. */
static void
entry_enliven(struct tables *t, struct entry *entry)
{
    struct entry_ref *refs = entry_refs(entry);

    for (unsigned int i = 0; i < entry->n_refs; i++) {
        object_table_link_ref(objects(t, refs[i].is_meter), &refs[i]);
    }
    if (entry->has_timer) {
        if (!t->wheel_runs) {
            timer_wheel_init(&t->wheel, entry->e.created);
            t->wheel_runs = true;
        }
        timer_arm(&t->wheel, entry_timer(entry), entry_due(entry));
    }
    if (entry->has_trigger) {
        stat_trigger_link(&t->triggers, entry_trigger(entry));
    }
    /* First itself: who begins to ask counts what is there. */
    cookie_counts_add(&t->cookie_counts, entry->e.table, entry->e.cookie, 1);
    learned_count_teacher(t, entry, 1);
    t->n_entries++;
    t->stats[entry->e.table].n_entries++;
    if (t->limits[entry->e.table].policy.evicts) {
        table_limit_note(&t->limits[entry->e.table], &entry->e);
    }
}

static void
entry_deaden(struct tables *t, struct entry *entry)
{
    struct entry_ref *refs = entry_refs(entry);

    for (unsigned int i = 0; i < entry->n_refs; i++) {
        object_table_unlink_ref(objects(t, refs[i].is_meter), &refs[i]);
    }
    if (entry->has_timer) {
        timer_disarm(&t->wheel, entry_timer(entry));
    }
    if (entry->has_trigger) {
        stat_trigger_unlink(&t->triggers, entry_trigger(entry));
    }
    cookie_counts_add(&t->cookie_counts, entry->e.table, entry->e.cookie, -1);
    learned_count_teacher(t, entry, -1);
    t->n_entries--;
    t->stats[entry->e.table].n_entries--;
}

static void
note_event(struct staging *s, struct entry *entry, bool is_removal)
{
    const struct stage_event event = { entry, is_removal, s->origin };

    if (s->is_watched) {
        event_add(&s->open.events, &event);
    }
}

void
staging_replaces(const struct tables *t, struct entry *entry,
                 const struct entry *old)
{
    entry->continues = old
                       && (old->continues
                           || old->add_version
                                  <= visible_version(&t->staging));
}

void
staging_add_entry(struct tables *t, struct entry *entry)
{
    struct staging *s = &t->staging;

    entry->add_version = s->open.version;
    classifier_insert(tables_classifier(t, entry->e.table), entry);
    if (!entry_index_find(&t->index, entry->e.id)) {
        entry_index_set(&t->index, entry->e.id, entry);
    }
    entry_enliven(t, entry);
    t->entry_memory += entry_size(entry);
    stage_note(&s->open, entry);
    note_event(s, entry, false);
    note_undo(s, (struct undo) { UNDO_ADD_ENTRY, DYING_ENTRY, entry });
}

void
staging_remove_entry(struct tables *t, struct entry *entry,
                     unsigned int reason, struct entry *successor)
{
    struct staging *s = &t->staging;

    entry->reason = (uint8_t) reason;
    atomic_store_explicit(&entry->remove_version, s->open.version,
                          memory_order_release);
    entry_deaden(t, entry);
    stage_note(&s->open, entry);
    dying_add(&s->open.dying,
              (struct dying) { DYING_ENTRY, entry, successor });
    if (reason < REMOVED_RESET) {
        note_event(s, entry, true);
    }
    note_undo(s, (struct undo) { UNDO_REMOVE_ENTRY, DYING_ENTRY, entry });
}

/* Out of the classifier and the index: nobody finds it any more. */
static void
entry_unlink(struct tables *t, struct entry *entry)
{
    t->entry_memory -= entry_size(entry);
    if (entry_index_find(&t->index, entry->e.id) == entry) {
        entry_index_release(&t->index, entry->e.id);
    }
    classifier_unlink(tables_classifier(t, entry->e.table), entry);
}

void
staging_expire_entry(struct tables *t, struct entry *entry, msec now)
{
    const struct flow_entry *e = &entry->e;
    msec due = entry_due(entry);
    bool is_hard = e->hard_timeout && hard_due(entry) <= now;

    if (due > now) {
        timer_arm(&t->wheel, entry_timer(entry), due);
    } else {
        staging_remove_entry(t, entry, is_hard ? REMOVED_HARD_TIMEOUT
                                               : REMOVED_IDLE_TIMEOUT, NULL);
    }
}

void
staging_drop_entry(struct tables *t, struct entry *entry)
{
    if (entry_alive(entry)) {
        entry_deaden(t, entry);
    }
    entry_unlink(t, entry);
    entry_destroy(entry);
}

/* ---- Objects ---- */

/* What holds for objects that are alive for the writer. */
static void
object_count(struct tables *t, enum dying_kind kind,
             const struct object *object, int n)
{
    objects(t, kind == DYING_METER)->n += (uint32_t) n;
    if (kind == DYING_GROUP) {
        group_count_targets(t, object, n);
    }
}

void
staging_add_object(struct tables *t, enum dying_kind kind,
                   struct object *object)
{
    struct staging *s = &t->staging;
    struct object_table *table = objects(t, kind == DYING_METER);

    object->add_version = s->open.version;
    object_table_insert(table, object);
    object_count(t, kind, object, 1);
    s->open.is_used = true;
    note_undo(s, (struct undo) { UNDO_ADD_OBJECT, kind, object });
}

void
staging_remove_object(struct tables *t, enum dying_kind kind,
                      struct object *object)
{
    struct staging *s = &t->staging;

    atomic_store_explicit(&object->remove_version, s->open.version,
                          memory_order_release);
    object_count(t, kind, object, -1);
    s->open.is_used = true;
    dying_add(&s->open.dying, (struct dying) { kind, object, NULL });
    note_undo(s, (struct undo) { UNDO_REMOVE_OBJECT, kind, object });
}

static void
object_destroy(enum dying_kind kind, struct object *object)
{
    if (kind == DYING_METER) {
        meter_version_destroy(object);
    } else {
        group_version_destroy(object);
    }
}

void
staging_touch_everything(struct tables *t)
{
    t->staging.open.everything = true;
    t->staging.open.is_used = true;
}

/* ---- Graves ---- */

static void
tidy_classifiers(struct tables *t)
{
    for (unsigned int i = 0; i < N_TABLES; i++) {
        struct classifier *cls = tables_classifier(t, (uint8_t) i);

        if (cls) {
            classifier_tidy(cls);
        }
    }
}

static void
grave_has_passed(struct rcu_later *later)
{
    struct grave *grave = CONTAINER_OF(later, struct grave, later);

    atomic_store_explicit(&grave->has_passed, true, memory_order_release);
}

static void
grave_wait(struct grave *grave)
{
    grave->pos = 0;
    atomic_store_explicit(&grave->has_passed, false, memory_order_relaxed);
    rcu_call(&grave->later, grave_has_passed);
}

/* Takes the list over. */
static void
grave_dig(struct staging *s, struct dying_list *dying, bool is_unlinked)
{
    struct grave *grave;

    if (!dying->n) {
        free(dying->list);
        *dying = (struct dying_list) { NULL, 0, 0 };
        return;
    }
    grave = xzalloc(sizeof *grave);
    grave->dying = *dying;
    grave->is_unlinked = is_unlinked;
    *dying = (struct dying_list) { NULL, 0, 0 };
    *s->last_grave = grave;
    s->last_grave = &grave->next;
    grave_wait(grave);
}

/* What still came in for the old object goes to the one with its id. */
static void
credit_move(struct credit *to, struct credit *from)
{
    msec used = atomic_load_explicit(&from->used, memory_order_relaxed);
    msec had = atomic_load_explicit(&to->used, memory_order_relaxed);

    atomic_fetch_add_explicit(&to->packets,
                              atomic_exchange_explicit(&from->packets, 0,
                                                       memory_order_relaxed),
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&to->bytes,
                              atomic_exchange_explicit(&from->bytes, 0,
                                                       memory_order_relaxed),
                              memory_order_relaxed);
    while (had < used &&
           !atomic_compare_exchange_weak_explicit(&to->used, &had, used,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed)) {
        continue;
    }
}

static void
bury_unlink(struct tables *t, const struct dying *dying)
{
    struct entry *entry = dying->what;

    if (dying->kind != DYING_ENTRY) {
        object_table_unlink(objects(t, dying->kind == DYING_METER),
                            dying->what);
        return;
    }
    if (entry->reason == REMOVED_REPLACED) {
        struct entry *successor = entry_index_find(&t->index, entry->e.id);

        if (successor && successor != entry) {
            credit_move(&successor->e.credit, &entry->e.credit);
        }
    }
    entry_unlink(t, entry);
}

static void
bury_free(const struct dying *dying)
{
    if (dying->kind == DYING_ENTRY) {
        entry_destroy(dying->what);
    } else {
        object_destroy(dying->kind, dying->what);
    }
}

void
staging_bury(struct tables *t, size_t budget)
{
    struct staging *s = &t->staging;
    struct grave **link = &s->graves;
    struct grave *grave;

    while ((grave = *link) && budget > 0) {
        size_t end = MIN(grave->dying.n, grave->pos + budget);

        if (!atomic_load_explicit(&grave->has_passed, memory_order_acquire)) {
            link = &grave->next;
            continue;
        }
        budget -= end - grave->pos;
        for (; grave->pos < end; grave->pos++) {
            const struct dying *dying = &grave->dying.list[grave->pos];

            if (grave->pos + 8 < grave->dying.n) {
                const char *next = dying[8].what;

                __builtin_prefetch(next);
                __builtin_prefetch(next + 2 * CACHE_LINE);
            }
            if (grave->is_unlinked) {
                bury_free(dying);
            } else {
                bury_unlink(t, dying);
            }
        }
        if (grave->pos < grave->dying.n) {
            break;
        }
        if (!grave->is_unlinked) {
            grave->is_unlinked = true;
            grave_wait(grave);
            link = &grave->next;
            continue;
        }
        *link = grave->next;
        if (!grave->next) {
            s->last_grave = link;
        }
        free(grave->dying.list);
        free(grave);
    }
    tidy_classifiers(t);
}

/* ---- Bundles ---- */

bool
staging_pending(const struct tables *t)
{
    const struct staging *s = &t->staging;

    return s->closed.is_used || (s->open.is_used && !s->has_bundle);
}

void
staging_begin(struct tables *t)
{
    struct staging *s = &t->staging;

    assert(!s->has_bundle);
    if (s->open.is_used) {
        stage_append(&s->closed, &s->open);
        s->open.version++;
    }
    s->has_bundle = true;
    s->n_undo = 0;
}

static void
undo_list_release(struct staging *s)
{
    free(s->undo);
    s->undo = NULL;
    s->n_undo = s->size_undo = 0;
    s->has_bundle = false;
}

void
staging_commit(struct tables *t)
{
    assert(t->staging.has_bundle);
    undo_list_release(&t->staging);
}

static void
undo_one(struct tables *t, const struct undo *undo, struct dying_list *freed)
{
    struct entry *entry = undo->what;
    struct object *object = undo->what;

    switch (undo->kind) {
    case UNDO_ADD_ENTRY:
        entry_deaden(t, entry);
        entry_unlink(t, entry);
        dying_add(freed, (struct dying) { DYING_ENTRY, entry, NULL });
        break;
    case UNDO_REMOVE_ENTRY:
        atomic_store_explicit(&entry->remove_version, VERSION_NEVER,
                              memory_order_release);
        entry_enliven(t, entry);
        break;
    case UNDO_ADD_OBJECT:
        object_count(t, undo->object, object, -1);
        object_table_unlink(objects(t, undo->object == DYING_METER), object);
        dying_add(freed, (struct dying) { undo->object, object, NULL });
        break;
    case UNDO_REMOVE_OBJECT:
        object_count(t, undo->object, object, 1);
        atomic_store_explicit(&object->remove_version, VERSION_NEVER,
                              memory_order_release);
        break;
    }
}

bool
staging_discard(struct tables *t, size_t budget)
{
    struct staging *s = &t->staging;

    assert(s->has_bundle);
    for (; s->n_undo && budget; budget--) {
        undo_one(t, &s->undo[--s->n_undo], &s->undone);
    }
    if (s->n_undo) {
        return false;
    }
    undo_list_release(s);
    free(s->open.dying.list);
    stage_clear(&s->open);
    grave_dig(s, &s->undone, true);
    return true;
}

/* ---- Publish ---- */

static void
list_changes(struct staging *s, const struct stage *stage,
             struct table_changes *changes)
{
    size_t n = stage->overflowed ? N_TABLES : stage->n_changed;

    if (n > s->size_changes) {
        s->size_changes = MAX(n, (size_t) 64);
        s->changes = xrealloc(s->changes,
                              s->size_changes * sizeof *s->changes);
        s->matches = xrealloc(s->matches,
                              s->size_changes * sizeof *s->matches);
    }
    changes->list = s->changes;
    if (stage->overflowed) {
        for (unsigned int i = 0; i < N_TABLES; i++) {
            if (stage->tables[i / 64] >> (i % 64) & 1) {
                changes->list[changes->n++] =
                    (struct table_change) { (uint8_t) i, NULL };
            }
        }
        return;
    }
    for (size_t i = 0; i < stage->n_changed; i++) {
        flow_entry_match(&stage->changed[i]->e, &s->matches[i]);
        changes->list[changes->n++] =
            (struct table_change) { stage->changed[i]->e.table,
                                    &s->matches[i] };
    }
}

static void
publish_dying(struct tables *t, const struct dying *dying)
{
    struct entry *entry = dying->what;

    if (dying->kind != DYING_ENTRY) {
        return;
    }
    if (dying->successor) {
        entry_index_set(&t->index, entry->e.id, dying->successor);
        if (entry->reason == REMOVED_REPLACED) {
            credit_move(&dying->successor->e.credit, &entry->e.credit);
        }
    } else if (entry->reason < REMOVED_RESET && t->config.removed) {
        t->config.removed(t->config.aux, &entry->e, entry->reason);
    }
}

/* What was made and taken away again before anybody could see it did not
 * happen.  `before` is what was visible until now. */
static void
publish_event(struct tables *t, const struct stage_event *event,
              uint64_t before)
{
    const struct entry *entry = event->entry;
    struct table_event told = { .entry = &entry->e, .origin = event->origin };

    if (event->is_removal) {
        if (entry->add_version > before && !entry->continues) {
            return;
        }
        told.kind = ENTRY_REMOVED;
        told.reason = (enum flow_removed_reason) entry->reason;
    } else {
        if (!entry_visible(entry, visible_version(&t->staging))) {
            return;
        }
        told.kind = entry->is_modified && entry->continues ? ENTRY_MODIFIED
                                                           : ENTRY_ADDED;
    }
    t->config.changed(t->config.aux, &told);
}

void
staging_publish(struct tables *t, struct table_changes *changes)
{
    uint64_t before = visible_version(&t->staging);
    struct staging *s = &t->staging;
    struct stage *stage = &s->closed;

    staging_bury(t, STAGING_GRAVE_TURN);
    if (!s->has_bundle && s->open.is_used) {
        stage_append(&s->closed, &s->open);
    }
    *changes = (struct table_changes) { .version = visible_version(s) };
    if (!stage->is_used) {
        return;
    }
    tidy_classifiers(t);
    atomic_store_explicit(&s->visible, stage->version, memory_order_release);
    s->open.version = stage->version + 1;

    if (!s->has_bundle) {
        for (unsigned int i = 0; i < N_TABLES; i++) {
            t->stats[i].n_visible = t->stats[i].n_entries;
        }
        cookie_counts_publish(&t->cookie_counts);
    }
    changes->version = stage->version;
    changes->everything = stage->everything;
    list_changes(s, stage, changes);
    for (size_t i = 0; i < stage->events.n; i++) {
        publish_event(t, &stage->events.list[i], before);
    }
    for (size_t i = 0; i < stage->dying.n; i++) {
        publish_dying(t, &stage->dying.list[i]);
    }
    grave_dig(s, &stage->dying, false);
    stage_clear(stage);
}

void
staging_fini(struct tables *t)
{
    struct staging *s = &t->staging;

    if (s->has_bundle) {
        staging_discard(t, SIZE_MAX);
    }
    grave_dig(s, &s->closed.dying, false);
    grave_dig(s, &s->open.dying, false);
    while (s->graves) {
        rcu_flush();
        staging_bury(t, SIZE_MAX / 2);
    }
    free(s->open.changed);
    free(s->closed.changed);
    free(s->open.events.list);
    free(s->closed.events.list);
    free(s->changes);
    free(s->matches);
}
