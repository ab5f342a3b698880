/* What learning needs of the tables: entries that are found, counted and
 * refreshed, and those that go with who taught them. */
#include <stdlib.h>

#include "switch/tables_state.h"

bool
tables_entry_is_visible(const struct flow_entry *e, uint64_t version)
{
    return entry_visible(entry_cast(e), version);
}

/* ---- How many of a cookie ---- */

struct count {
    be64 cookie;
    uint64_t version;
    uint32_t n;
};

static bool
count_entry(void *count_, struct entry *entry)
{
    struct count *count = count_;

    count->n += entry->e.cookie == count->cookie
                && entry_visible(entry, count->version);
    return true;
}

static bool
count_in_tuple(void *count, struct tuple *tuple)
{
    return tuple_visit(tuple, count_entry, count);
}

/* By looking at all of them. */
static uint32_t
count_all(const struct tables *t, uint8_t table, be64 cookie,
          uint64_t version)
{
    const struct classifier *cls = tables_classifier(t, table);
    struct count count = { cookie, version, 0 };

    if (cls) {
        classifier_visit_tuples(cls, count_in_tuple, &count);
    }
    return count.n;
}

uint32_t
tables_count_cookie(const struct tables *t, uint8_t table, be64 cookie,
                    uint64_t version)
{
    uint32_t n;

    return cookie_counts_read(&t->cookie_counts, table, cookie,
                              version == TABLES_NEWEST, &n)
           ? n : count_all(t, table, cookie, version);
}

/* An entry is there that asks for it, or went. */
static void
ask_for_count(struct tables *t, const struct action_learn *a, int n)
{
    struct cookie_counts *counts = &t->cookie_counts;

    if (n < 0) {
        cookie_counts_unask(counts, a->table, a->cookie);
    } else if (cookie_counts_ask(counts, a->table, a->cookie)) {
        cookie_counts_set(counts, a->table, a->cookie,
                          count_all(t, a->table, a->cookie, TABLES_NEWEST),
                          count_all(t, a->table, a->cookie,
                                    tables_version(t)));
    }
}

/* ---- Time ---- */

static void
raise_to(_Atomic msec *time, msec now)
{
    msec old = atomic_load_explicit(time, memory_order_relaxed);

    while (old < now
           && !atomic_compare_exchange_weak_explicit(time, &old, now,
                                                     memory_order_relaxed,
                                                     memory_order_relaxed)) {
    }
}

void
tables_refresh(const struct flow_entry *e, msec now)
{
    struct entry *entry = entry_cast(e);

    raise_to(&entry->e.credit.used, now);
    if (entry->has_timer) {
        raise_to(entry_refreshed(entry), now);
    }
}

static uint16_t
reduced(uint16_t timeout, uint16_t max)
{
    return max && (!timeout || timeout > max) ? max : timeout;
}

bool
tables_reduce_timeouts(struct tables *t, uint64_t id, uint16_t idle_timeout,
                       uint16_t hard_timeout)
{
    struct entry *old = entry_index_find(&t->index, id), *new;
    uint16_t idle, hard;

    if (!old || !entry_alive(old) || t->staging.has_bundle) {
        return false;
    }
    idle = reduced(old->e.idle_timeout, idle_timeout);
    hard = reduced(old->e.hard_timeout, hard_timeout);
    if (idle == old->e.idle_timeout && hard == old->e.hard_timeout) {
        return false;
    }
    new = entry_create(old->tuple, old->values, &old->e.instructions, true);
    flow_table_inherit(new, old);
    new->e.idle_timeout = idle;
    new->e.hard_timeout = hard;
    new->e.stamp = old->e.stamp;
    if (old->has_timer) {
        raise_to(entry_refreshed(new), atomic_load(entry_refreshed(old)));
    }
    staging_replaces(t, new, old);
    staging_remove_entry(t, old, REMOVED_REPLACED, new);
    staging_add_entry(t, new);
    return true;
}

/* ---- delete_learned ---- */

static struct learned_cookie *
find_cookie(struct learned_cookies *cookies, uint8_t table, be64 cookie)
{
    for (size_t i = 0; i < cookies->n; i++) {
        struct learned_cookie *c = &cookies->list[i];

        if (c->cookie == cookie && c->table == table) {
            return c;
        }
    }
    return NULL;
}

static void
count_teacher(struct tables *t, const struct action_learn *a, int n)
{
    struct learned_cookies *cookies = &t->learned;
    struct learned_cookie *c = find_cookie(cookies, a->table, a->cookie);

    if (!c) {
        if (cookies->n == cookies->size) {
            cookies->size = MAX(2 * cookies->size, (size_t) 8);
            cookies->list = xrealloc(cookies->list, cookies->size
                                                    * sizeof *cookies->list);
        }
        c = &cookies->list[cookies->n++];
        *c = (struct learned_cookie) { a->cookie, 0, a->table };
    }
    c->n_teachers += (uint32_t) n;
    cookies->has_orphans |= !c->n_teachers;
}

static void
count_teachers(struct tables *t, struct action_list list, int n)
{
    ACTION_FOR_EACH (action, &list) {
        const struct action_learn *learn = (const void *) action;

        if (action->type == ACTION_CLONE) {
            count_teachers(t, action_clone_list((const void *) action), n);
        } else if (action->type == ACTION_LEARN) {
            if (learn->flags & LEARN_DELETE_LEARNED) {
                count_teacher(t, learn, n);
            }
            if (learn->limit) {
                ask_for_count(t, learn, n);
            }
        }
    }
}

void
learned_count_teacher(struct tables *t, const struct entry *entry, int n)
{
    if (UNLIKELY(entry->is_teacher)) {
        count_teachers(t, entry->e.instructions.apply, n);
    }
}

void
learned_delete_orphans(struct tables *t)
{
    struct learned_cookies *cookies = &t->learned;

    while (cookies->has_orphans) {
        cookies->has_orphans = false;
        for (size_t i = cookies->n; i-- > 0;) {
            struct learned_cookie c = cookies->list[i];
            struct flow_mod mod;

            if (c.n_teachers) {
                continue;
            }
            cookies->list[i] = cookies->list[--cookies->n];
            flow_mod_init(&mod);
            mod.command = FLOW_MOD_DELETE;
            mod.table = c.table;
            mod.cookie = c.cookie;
            mod.cookie_mask = UINT64_MAX;
            flow_table_mod(t, &mod, 0, NULL);
            flow_mod_fini(&mod);
        }
    }
}
