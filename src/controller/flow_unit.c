#include "controller/flow_unit.h"

#include <stdlib.h>

#include "lib/str.h"

enum { MIN_INDEX = 32 };

static uint32_t *
slot_of(const struct unit_set *set, struct unit unit)
{
    uint64_t key = unit_key(unit);
    unsigned int i = (unsigned int) (key ^ key >> 32)
                     & (set->index_size - 1);

    while (set->index[i] && !unit_equal(set->units[set->index[i] - 1],
                                        unit)) {
        i = (i + 1) & (set->index_size - 1);
    }
    return &set->index[i];
}

static void
grow_index(struct unit_set *set)
{
    free(set->index);
    set->index_size = MAX((unsigned int) MIN_INDEX, set->index_size * 2);
    set->index = xcalloc(set->index_size, sizeof *set->index);
    for (unsigned int i = 0; i < set->n; i++) {
        *slot_of(set, set->units[i]) = i + 1;
    }
}

void
unit_set_add(struct unit_set *set, struct unit unit)
{
    uint32_t *slot;

    if (set->n * 2 >= set->index_size) {
        grow_index(set);
    }
    slot = slot_of(set, unit);
    if (*slot) {
        return;
    }
    if (set->n == set->size) {
        set->size = MAX(16u, set->size * 2);
        set->units = xrealloc(set->units, set->size * sizeof *set->units);
    }
    set->units[set->n++] = unit;
    *slot = set->n;
}

void
unit_set_clear(struct unit_set *set)
{
    set->n = 0;
    if (set->index_size) {
        memset(set->index, 0, set->index_size * sizeof *set->index);
    }
}

void
unit_set_fini(struct unit_set *set)
{
    free(set->units);
    free(set->index);
    *set = (struct unit_set) { 0, 0, NULL, 0, NULL };
}
