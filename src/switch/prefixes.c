#include "switch/prefixes.h"

static uint64_t
prefix_cell_hash(const void *aux UNUSED, uint64_t cell)
{
    return cell;
}

void
prefixes_init(struct cell_table *prefixes)
{
    cell_table_init(prefixes, PREFIX_TAG_MASK, prefix_cell_hash, NULL);
}

void
prefixes_add(struct cell_table *prefixes, uint64_t hash)
{
    _Atomic uint64_t *place;
    uint64_t cell = cell_table_find(prefixes, hash, prefix_tag(hash), NULL, NULL,
                                    &place);

    if (cell) {
        atomic_store_explicit(place, cell + 1, memory_order_relaxed);
    } else {
        cell_table_insert(prefixes, hash, prefix_tag(hash) | 1);
    }
}

void
prefixes_remove(struct cell_table *prefixes, uint64_t hash)
{
    _Atomic uint64_t *place;
    uint64_t cell = cell_table_find(prefixes, hash, prefix_tag(hash), NULL, NULL,
                                    &place);

    if ((uint32_t) cell == 1) {
        cell_table_remove(prefixes, hash, place);
    } else {
        atomic_store_explicit(place, cell - 1, memory_order_relaxed);
    }
}
