#include "switch/table_limit.h"

#include <stdlib.h>

#include "lib/str.h"
#include "switch/tables_state.h"

/* ---- The heap ---- */

static bool
goes_first(const struct candidate *a, const struct candidate *b)
{
    if (a->importance != b->importance) {
        return a->importance < b->importance;
    }
    return a->created != b->created ? a->created < b->created : a->id < b->id;
}

static void
swap(struct candidate *a, struct candidate *b)
{
    struct candidate t = *a;

    *a = *b;
    *b = t;
}

static void
sink(struct table_limit *limit, size_t i)
{
    for (;;) {
        size_t first = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
            if (child < limit->n
                && goes_first(&limit->heap[child], &limit->heap[first])) {
                first = child;
            }
        }
        if (first == i) {
            return;
        }
        swap(&limit->heap[i], &limit->heap[first]);
        i = first;
    }
}

void
table_limit_note(struct table_limit *limit, const struct flow_entry *e)
{
    size_t i = limit->n++;

    if (limit->n > limit->size) {
        limit->size = MAX(limit->size * 2, (size_t) 64);
        limit->heap = xrealloc(limit->heap,
                               limit->size * sizeof *limit->heap);
    }
    limit->heap[i] = (struct candidate) { e->importance, e->created, e->id };
    while (i && goes_first(&limit->heap[i], &limit->heap[(i - 1) / 2])) {
        swap(&limit->heap[i], &limit->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void
take_first(struct table_limit *limit)
{
    limit->heap[0] = limit->heap[--limit->n];
    sink(limit, 0);
}

/* What the candidate became, if it still is. */
static struct entry *
still_there(const struct candidate *c, const struct tables *t, uint8_t table)
{
    struct entry *entry = flow_table_newest(t, c->id);

    return entry && entry->e.table == table
           && entry->e.importance == c->importance
           && entry->e.created == c->created ? entry : NULL;
}

struct entry *
table_limit_victim(struct table_limit *limit, const struct tables *t,
                   uint8_t table, uint16_t importance)
{
    while (limit->n) {
        struct entry *entry = still_there(&limit->heap[0], t, table);

        if (entry) {
            return entry->e.importance <= importance ? entry : NULL;
        }
        take_first(limit);
    }
    return NULL;
}

uint8_t
table_limit_vacancy(uint32_t max, uint32_t n)
{
    return max > n ? (uint8_t) ((uint64_t) (max - n) * 100 / max) : 0;
}
