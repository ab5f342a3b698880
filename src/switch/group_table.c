/* Groups (OpenFlow 1.3.5 section 6.5, 1.5 for single buckets).
 *
 * A version of a group is never changed: a modify makes another.  The counters
 * of the group, and of buckets that keep their id, are shared by its
 * versions. */
#include <stdlib.h>

#include "lib/str.h"
#include "switch/tables_state.h"

enum { MAX_BUCKETS = 4096 };

/* Counters that several versions of a group may share.  The count is the
 * writer's. */
struct shared_credit {
    struct credit credit;
    unsigned int n_refs;
};

struct group_version {
    struct object o;
    struct group g;
    struct group_bucket buckets[];
};

static struct group_version *
group_cast(const struct object *o)
{
    return (struct group_version *) (uintptr_t) o;
}

/* ---- Versions ---- */

static struct credit *
credit_create(msec now)
{
    struct shared_credit *shared = xzalloc(sizeof *shared);

    atomic_init(&shared->credit.used, now);
    shared->n_refs = 1;
    return &shared->credit;
}

static struct credit *
credit_ref(struct credit *credit)
{
    CONTAINER_OF(credit, struct shared_credit, credit)->n_refs++;
    return credit;
}

static void
credit_unref(struct credit *credit)
{
    struct shared_credit *shared =
        CONTAINER_OF(credit, struct shared_credit, credit);

    if (!--shared->n_refs) {
        free(shared);
    }
}

void
group_version_destroy(struct object *o)
{
    struct group_version *version = group_cast(o);

    for (unsigned int i = 0; i < version->g.n_buckets; i++) {
        credit_unref(version->buckets[i].credit);
        free((void *) (uintptr_t) version->buckets[i].actions.first);
    }
    credit_unref(version->g.credit);
    free(version);
}

static const struct group_bucket *
find_bucket(const struct group *group, uint32_t id)
{
    for (unsigned int i = 0; i < group->n_buckets; i++) {
        if (group->buckets[i].id == id) {
            return &group->buckets[i];
        }
    }
    return NULL;
}

/* What a version is made of; both kinds of buckets are borrowed. */
struct blueprint {
    uint32_t id;
    enum group_type type;
    const struct group_selection *selection;
    unsigned int n;
    struct group_bucket *buckets; /* credit: NULL */
};

static struct group_version *
version_create(const struct blueprint *plan, const struct group *old, msec now)
{
    struct group_version *version =
        xzalloc(sizeof *version + plan->n * sizeof version->buckets[0]);

    version->o.id = plan->id;
    version->g.id = plan->id;
    version->g.type = plan->type;
    version->g.selection = *plan->selection;
    version->g.n_buckets = plan->n;
    version->g.buckets = version->buckets;
    version->g.created = old ? old->created : now;
    version->g.credit = old ? credit_ref(old->credit) : credit_create(now);
    for (unsigned int i = 0; i < plan->n; i++) {
        struct group_bucket *bucket = &version->buckets[i];
        const struct group_bucket *was;

        *bucket = plan->buckets[i];
        was = old ? find_bucket(old, bucket->id) : NULL;
        bucket->credit = was ? credit_ref(was->credit) : credit_create(now);
        bucket->actions.first =
            bucket->actions.len
            ? xmemdup(bucket->actions.first, bucket->actions.len) : NULL;
    }
    return version;
}

struct target_count {
    struct tables *t;
    int n;
};

static void
count_target(void *count_, uint32_t id, bool is_meter)
{
    const struct target_count *count = count_;

    if (!is_meter) {
        object_table_count_group(&count->t->groups, id, count->t->n_searches,
                                 count->n);
    }
}

void
group_count_targets(struct tables *t, const struct object *o, int n)
{
    const struct group *group = &group_cast(o)->g;
    struct target_count count = { t, n };

    t->n_searches++;
    for (unsigned int i = 0; i < group->n_buckets; i++) {
        action_list_uses(group->buckets[i].actions, count_target, &count);
    }
}

/* ---- Checks ---- */

static enum of_error
check_watch(const struct tables *t, const struct group_mod *gm,
            const struct group_bucket *bucket, struct str *why)
{
    if (gm->type != GROUP_FAST_FAILOVER) {
        return OF_OK;
    }
    if (bucket->watch_port == OFPP_ANY && bucket->watch_group == OFPG_ANY) {
        str_setf(why, "bucket %u watches neither a port nor a group",
                 bucket->id);
        return OF_GROUP_MOD_FAILED_BAD_WATCH;
    }
    if (bucket->watch_group != OFPG_ANY &&
        (bucket->watch_group == gm->id ||
         !object_table_newest(&t->groups, bucket->watch_group))) {
        str_setf(why, "bucket %u watches group %u", bucket->id,
                 bucket->watch_group);
        return OF_GROUP_MOD_FAILED_BAD_WATCH;
    }
    return OF_OK;
}

static int
compare_ids(const void *a_, const void *b_)
{
    uint32_t a = *(const uint32_t *) a_;
    uint32_t b = *(const uint32_t *) b_;

    return a < b ? -1 : a > b;
}

static bool
has_double_id(const struct blueprint *plan)
{
    uint32_t *ids = xcalloc(MAX(plan->n, 1u), sizeof *ids);
    bool is_double = false;

    for (unsigned int i = 0; i < plan->n; i++) {
        ids[i] = plan->buckets[i].id;
    }
    qsort(ids, plan->n, sizeof *ids, compare_ids);
    for (unsigned int i = 1; i < plan->n; i++) {
        is_double |= ids[i] == ids[i - 1];
    }
    free(ids);
    return is_double;
}

/* A search through the groups that groups lead to, with a list of its own: a
 * chain of 65,536 must not use up the stack. */
struct search {
    struct tables *t;
    uint32_t target;
    bool found;
    size_t n, size;
    uint32_t *todo;
};

static void
search_add(void *search_, uint32_t id, bool is_meter)
{
    struct search *search = search_;
    struct object_slot *slot;

    if (is_meter) {
        return;
    }
    search->found |= id == search->target;
    slot = object_table_slot(&search->t->groups, id);
    if (!slot || slot->mark == search->t->n_searches) {
        return;
    }
    slot->mark = search->t->n_searches;
    if (search->n == search->size) {
        search->size = MAX(search->size * 2, (size_t) 16);
        search->todo = xrealloc(search->todo,
                                search->size * sizeof *search->todo);
    }
    search->todo[search->n++] = id;
}

static bool
leads_back(struct tables *t, const struct blueprint *plan)
{
    struct search search = { .t = t, .target = plan->id };

    t->n_searches++;
    for (unsigned int i = 0; i < plan->n; i++) {
        action_list_uses(plan->buckets[i].actions, search_add, &search);
    }
    while (search.n && !search.found) {
        const struct object *o =
            object_table_newest(&t->groups, search.todo[--search.n]);
        const struct group *group = o ? &group_cast(o)->g : NULL;

        for (unsigned int i = 0; group && i < group->n_buckets; i++) {
            action_list_uses(group->buckets[i].actions, search_add, &search);
        }
    }
    free(search.todo);
    return search.found;
}

static enum of_error
check_plan(struct tables *t, const struct group_mod *gm,
           const struct blueprint *plan, struct str *why)
{
    if (gm->type > GROUP_FAST_FAILOVER) {
        return OF_GROUP_MOD_FAILED_BAD_TYPE;
    }
    if (plan->n > MAX_BUCKETS) {
        str_setf(why, "a group has at most %d buckets", MAX_BUCKETS);
        return OF_GROUP_MOD_FAILED_OUT_OF_BUCKETS;
    }
    if (gm->type == GROUP_INDIRECT && plan->n != 1) {
        str_setf(why, "an indirect group has exactly one bucket");
        return OF_GROUP_MOD_FAILED_INVALID_GROUP;
    }
    if (has_double_id(plan)) {
        str_setf(why, "two buckets have the same number");
        return OF_GROUP_MOD_FAILED_BUCKET_EXISTS;
    }
    /* Before what the buckets name: leading to itself, a new group would name
     * what does not exist. */
    if (leads_back(t, plan)) {
        str_setf(why, "group %u would lead to itself", plan->id);
        return OF_GROUP_MOD_FAILED_LOOP;
    }
    for (unsigned int i = 0; i < plan->n; i++) {
        const struct group_bucket *bucket = &plan->buckets[i];
        enum of_error error = check_watch(t, gm, bucket, why);

        if (!error) {
            error = flow_table_check_actions(t, bucket->actions, why);
        }
        if (error) {
            return error;
        }
    }
    return OF_OK;
}

/* ---- Requests ---- */

/* The request's buckets, as a group has them. */
static void
plan_add_requested(struct blueprint *plan, const struct group_mod *gm)
{
    for (unsigned int i = 0; i < gm->n_buckets; i++) {
        const struct bucket *bucket = &gm->buckets[i];

        plan->buckets[plan->n++] = (struct group_bucket) {
            .id = bucket->id,
            .weight = bucket->weight,
            .watch_port = bucket->watch_port,
            .watch_group = bucket->watch_group,
            .actions = actions_list(&bucket->actions),
        };
    }
}

static void
plan_add_present(struct blueprint *plan, const struct group *group,
                 unsigned int first, unsigned int end)
{
    for (unsigned int i = first; i < end; i++) {
        plan->buckets[plan->n++] = group->buckets[i];
    }
}

static enum of_error
plan_insert(struct blueprint *plan, const struct group_mod *gm,
            const struct group *old, struct str *why)
{
    const struct group_bucket *after = find_bucket(old, gm->command_bucket);
    unsigned int at = gm->command_bucket == BUCKET_FIRST ? 0
                      : gm->command_bucket == BUCKET_LAST ? old->n_buckets
                      : after ? (unsigned int) (after - old->buckets) + 1 : 0;

    if (gm->command_bucket != BUCKET_FIRST &&
        gm->command_bucket != BUCKET_LAST && !after) {
        str_setf(why, "group %u has no bucket %u", old->id,
                 gm->command_bucket);
        return OF_GROUP_MOD_FAILED_UNKNOWN_BUCKET;
    }
    plan_add_present(plan, old, 0, at);
    plan_add_requested(plan, gm);
    plan_add_present(plan, old, at, old->n_buckets);
    return OF_OK;
}

static enum of_error
plan_remove(struct blueprint *plan, const struct group_mod *gm,
            const struct group *old, struct str *why)
{
    const struct group_bucket *bucket = find_bucket(old, gm->command_bucket);
    unsigned int n = old->n_buckets;
    unsigned int at;

    if (gm->command_bucket == BUCKET_ALL) {
        return OF_OK;
    }
    if (gm->command_bucket == BUCKET_FIRST && n) {
        at = 0;
    } else if (gm->command_bucket == BUCKET_LAST && n) {
        at = n - 1;
    } else if (bucket) {
        at = (unsigned int) (bucket - old->buckets);
    } else {
        str_setf(why, "group %u has no bucket %u", old->id,
                 gm->command_bucket);
        return OF_GROUP_MOD_FAILED_UNKNOWN_BUCKET;
    }
    plan_add_present(plan, old, 0, at);
    plan_add_present(plan, old, at + 1, n);
    return OF_OK;
}

static enum of_error
plan_make(struct blueprint *plan, const struct group_mod *gm,
          const struct group *old, struct str *why)
{
    switch (gm->command) {
    case GROUP_MOD_INSERT_BUCKET:
        return plan_insert(plan, gm, old, why);
    case GROUP_MOD_REMOVE_BUCKET:
        return plan_remove(plan, gm, old, why);
    default:
        plan_add_requested(plan, gm);
        return OF_OK;
    }
}

/* Makes the version that the request asks for, instead of `old`, if any. */
static enum of_error
put_group(struct tables *t, const struct group_mod *request,
          struct object *old_object, msec now, struct str *why)
{
    const struct group *old = old_object ? &group_cast(old_object)->g : NULL;
    bool is_about_buckets = request->command == GROUP_MOD_INSERT_BUCKET ||
                            request->command == GROUP_MOD_REMOVE_BUCKET;
    struct group_mod gm = *request;
    struct blueprint plan = { .id = gm.id };
    enum of_error error;

    if (is_about_buckets) {
        gm.type = old->type;      /* the request has none */
    }
    plan.type = gm.type;
    plan.selection = is_about_buckets ? &old->selection : &gm.selection;
    plan.buckets = xcalloc((old ? old->n_buckets : 0) + gm.n_buckets + 1,
                           sizeof *plan.buckets);
    error = plan_make(&plan, &gm, old, why);
    if (!error) {
        error = check_plan(t, &gm, &plan, why);
    }
    if (!error) {
        struct group_version *new = version_create(&plan, old, now);

        if (old) {
            staging_remove_object(t, DYING_GROUP, old_object);
            staging_touch_everything(t);
        }
        staging_add_object(t, DYING_GROUP, &new->o);
    }
    free(plan.buckets);
    return error;
}

static void
remove_group(struct tables *t, struct object *group)
{
    struct entry_ref *ref;

    while ((ref = group->slot->refs)) {
        staging_remove_entry(t, ref->entry, REMOVED_GROUP_DELETE, NULL);
    }
    staging_remove_object(t, DYING_GROUP, group);
    staging_touch_everything(t);
}

static bool
remove_slot(void *t, struct object_slot *slot)
{
    struct object *group = object_slot_alive(slot);

    if (group) {
        remove_group(t, group);
    }
    return true;
}

static bool
names_group(void *search_, struct object_slot *slot)
{
    struct search *search = search_;
    struct object *o = object_slot_alive(slot);
    const struct group *group = o ? &group_cast(o)->g : NULL;

    for (unsigned int i = 0; group && i < group->n_buckets; i++) {
        search->found |= action_list_groups(group->buckets[i].actions,
                                            search->target);
    }
    return !search->found;
}

static enum of_error
delete_groups(struct tables *t, uint32_t id, struct str *why)
{
    struct object *group = object_table_newest(&t->groups, id);
    struct search search = { .t = t, .target = id };

    if (id == OFPG_ALL) {
        object_table_visit(&t->groups, remove_slot, t);
        return OF_OK;
    }
    if (!group) {
        return OF_OK;
    }
    object_table_visit(&t->groups, names_group, &search);
    if (search.found) {
        str_setf(why, "another group leads to group %u", id);
        return OF_GROUP_MOD_FAILED_CHAINED_GROUP;
    }
    remove_group(t, group);
    return OF_OK;
}

static enum of_error
add_group(struct tables *t, const struct group_mod *gm, msec now,
          struct str *why)
{
    if (gm->id > OFPG_MAX) {
        str_setf(why, "%u is not a group number", gm->id);
        return OF_GROUP_MOD_FAILED_INVALID_GROUP;
    }
    if (t->groups.n >= TABLES_MAX_GROUPS) {
        str_setf(why, "there are %u groups already", t->groups.n);
        return OF_GROUP_MOD_FAILED_OUT_OF_GROUPS;
    }
    return put_group(t, gm, NULL, now, why);
}

enum of_error
tables_group_mod(struct tables *t, const struct group_mod *gm, msec now,
                 struct str *why)
{
    struct object *old = object_table_newest(&t->groups, gm->id);

    switch (gm->command) {
    case GROUP_MOD_DELETE:
        return delete_groups(t, gm->id, why);
    case GROUP_MOD_ADD:
        if (old) {
            str_setf(why, "group %u exists", gm->id);
            return OF_GROUP_MOD_FAILED_GROUP_EXISTS;
        }
        return add_group(t, gm, now, why);
    case GROUP_MOD_ADD_OR_MODIFY:
        return old ? put_group(t, gm, old, now, why)
                   : add_group(t, gm, now, why);
    case GROUP_MOD_MODIFY:
    case GROUP_MOD_INSERT_BUCKET:
    case GROUP_MOD_REMOVE_BUCKET:
        if (!old) {
            str_setf(why, "there is no group %u", gm->id);
            return OF_GROUP_MOD_FAILED_UNKNOWN_GROUP;
        }
        return put_group(t, gm, old, now, why);
    default:
        return OF_GROUP_MOD_FAILED_BAD_TYPE;
    }
}

/* ---- Reading ---- */

uint32_t
tables_group_users(const struct tables *t, uint32_t id)
{
    return object_table_n_users(&t->groups, id);
}

const struct group *
tables_group(const struct tables *t, uint32_t id, uint64_t version)
{
    const struct object *o = object_table_at(&t->groups, id, version);

    return o ? &group_cast(o)->g : NULL;
}

struct visit {
    const struct tables *t;
    uint64_t version;
    group_visit *visit;
    void *aux;
};

static bool
visit_slot(void *visit_, struct object_slot *slot)
{
    struct visit *visit = visit_;
    const struct object *o = object_table_at(&visit->t->groups, slot->id,
                                             visit->version);

    return !o || visit->visit(visit->aux, &group_cast(o)->g);
}

void
tables_visit_groups(const struct tables *t, group_visit *visit, void *aux)
{
    struct visit v = { t, tables_version(t), visit, aux };

    object_table_visit(&t->groups, visit_slot, &v);
}
