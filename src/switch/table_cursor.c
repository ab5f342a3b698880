#include "switch/table_cursor.h"

#include <stdlib.h>

#include "lib/str.h"
#include "switch/flow_entry.h"
#include "switch/tables_state.h"

/* What decides an entry's place: table, falling priority, when it was made, then
 * id. */
struct place {
    uint64_t order;
    uint64_t id;
};

/* Places that one collect found, sorted: [pos, end) of the list are left. */
struct run {
    size_t pos, end;
};

struct table_cursor {
    const struct tables *tables;
    uint8_t table;
    bool has_match;
    struct match match;
    uint32_t slot;                /* of the index: looked at next */
    bool is_collected;

    struct place *places;
    size_t n_places, size_places;
    /* While collecting in order; then a heap, the run with the first place at
     * its top. */
    struct run *runs;
    size_t n_runs, size_runs;
};

struct table_cursor *
table_cursor_create(const struct tables *tables, uint8_t table,
                    const struct match *match)
{
    struct table_cursor *cursor = xzalloc(sizeof *cursor);
    struct match any;

    match_init(&any);
    cursor->tables = tables;
    cursor->table = table;
    if (match && !match_equal(match, &any)) {
        cursor->has_match = true;
        cursor->match = *match;
    }
    return cursor;
}

void
table_cursor_destroy(struct table_cursor *cursor)
{
    if (cursor) {
        free(cursor->places);
        free(cursor->runs);
        free(cursor);
    }
}

/* ---- Collect ---- */

static struct place
place_of(const struct flow_entry *e)
{
    const uint64_t when = (uint64_t) e->created & ((UINT64_C(1) << 40) - 1);

    return (struct place) {
        .order = (uint64_t) e->table << 56
                 | (uint64_t) (UINT16_MAX - e->priority) << 40 | when,
        .id = e->id,
    };
}

static int
compare_places(const void *a_, const void *b_)
{
    const struct place *a = a_, *b = b_;

    if (a->order != b->order) {
        return a->order < b->order ? -1 : 1;
    }
    return a->id < b->id ? -1 : a->id > b->id;
}

static bool
is_asked_for(const struct table_cursor *cursor, const struct entry *entry)
{
    struct match match;

    if (!entry_visible(entry, tables_version(cursor->tables))
        || (cursor->table != OFPTT_ALL && entry->e.table != cursor->table)) {
        return false;
    }
    if (!cursor->has_match) {
        return true;
    }
    flow_entry_match(&entry->e, &match);
    return match_covers(&cursor->match, &match);
}

static void
keep(struct table_cursor *cursor, const struct flow_entry *e)
{
    if (cursor->n_places == cursor->size_places) {
        cursor->size_places = MAX(cursor->size_places * 2, (size_t) 64);
        cursor->places = xrealloc(cursor->places, cursor->size_places
                                                  * sizeof *cursor->places);
    }
    cursor->places[cursor->n_places++] = place_of(e);
}

static void
end_run(struct table_cursor *cursor, size_t first)
{
    if (cursor->n_places == first) {
        return;
    }
    qsort(cursor->places + first, cursor->n_places - first,
          sizeof *cursor->places, compare_places);
    if (cursor->n_runs == cursor->size_runs) {
        cursor->size_runs = MAX(cursor->size_runs * 2, (size_t) 8);
        cursor->runs = xrealloc(cursor->runs, cursor->size_runs
                                              * sizeof *cursor->runs);
    }
    cursor->runs[cursor->n_runs++] = (struct run) { first, cursor->n_places };
}

/* ---- The heap ---- */

static const struct place *
first_of(const struct table_cursor *cursor, size_t run)
{
    return &cursor->places[cursor->runs[run].pos];
}

/* Puts the run at `i` where it belongs among those below it. */
static void
sink(struct table_cursor *cursor, size_t i)
{
    struct run run;

    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
            if (child < cursor->n_runs
                && compare_places(first_of(cursor, child),
                                  first_of(cursor, least)) < 0) {
                least = child;
            }
        }
        if (least == i) {
            return;
        }
        run = cursor->runs[i];
        cursor->runs[i] = cursor->runs[least];
        cursor->runs[least] = run;
        i = least;
    }
}

static void
make_heap(struct table_cursor *cursor)
{
    for (size_t i = cursor->n_runs / 2; i-- > 0;) {
        sink(cursor, i);
    }
}

static struct place
take_first(struct table_cursor *cursor)
{
    struct run *top = &cursor->runs[0];
    struct place place = cursor->places[top->pos++];

    if (top->pos == top->end) {
        *top = cursor->runs[--cursor->n_runs];
    }
    if (cursor->n_runs > 1) {
        sink(cursor, 0);
    }
    return place;
}

/* ---- Front door ---- */

bool
table_cursor_collect(struct table_cursor *cursor, uint32_t budget,
                     flow_entry_visit *choose, void *aux)
{
    const struct entry_index *index = &cursor->tables->index;
    size_t first = cursor->n_places;

    if (cursor->is_collected) {
        return true;
    }
    for (; budget && cursor->slot < index->n_slots; budget--) {
        const struct entry *entry = entry_index_at(index, cursor->slot++);

        if (entry && is_asked_for(cursor, entry)
            && choose(aux, &entry->e)) {
            keep(cursor, &entry->e);
        }
    }
    end_run(cursor, first);
    if (cursor->slot >= index->n_slots) {
        cursor->is_collected = true;
        make_heap(cursor);
    }
    return cursor->is_collected;
}

const struct flow_entry *
table_cursor_next(struct table_cursor *cursor, uint32_t *budget)
{
    while (cursor->n_runs && *budget) {
        const struct flow_entry *e
            = tables_entry(cursor->tables, take_first(cursor).id);

        --*budget;
        if (e && entry_visible(entry_cast(e),
                               tables_version(cursor->tables))) {
            return e;
        }
    }
    return NULL;
}

bool
table_cursor_is_done(const struct table_cursor *cursor)
{
    return cursor->is_collected && !cursor->n_runs;
}
