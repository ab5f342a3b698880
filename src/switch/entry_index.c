#include "switch/entry_index.h"

#include <stdlib.h>

#include "lib/str.h"
#include "switch/flow_entry.h"

enum {
    MAX_SLOTS = 1 << ENTRY_SLOT_BITS,
    PAGE_SLOTS = 1 << ENTRY_PAGE_BITS,
    MAX_PAGES = MAX_SLOTS / PAGE_SLOTS,
};

void
entry_index_init(struct entry_index *index)
{
    memset(index, 0, sizeof *index);
}

void
entry_index_fini(struct entry_index *index)
{
    for (unsigned int i = 0; i < MAX_PAGES; i++) {
        free(atomic_load(&index->pages[i]));
    }
    free(index->free);
}

static _Atomic uintptr_t *
slot_of(const struct entry_index *index, uint64_t id)
{
    uint32_t slot = id & (MAX_SLOTS - 1);
    struct entry_page *page =
        atomic_load_explicit(&index->pages[slot >> ENTRY_PAGE_BITS],
                             memory_order_acquire);

    return page ? &page->slots[slot & (PAGE_SLOTS - 1)] : NULL;
}

uint64_t
entry_index_alloc(struct entry_index *index)
{
    _Atomic uintptr_t *place;
    uint32_t slot;
    uint64_t use;

    if (index->n_free) {
        slot = index->free[--index->n_free];
    } else if (index->n_slots < MAX_SLOTS) {
        slot = index->n_slots++;
        if (!(slot & (PAGE_SLOTS - 1))) {
            atomic_store_explicit(&index->pages[slot >> ENTRY_PAGE_BITS],
                                  xzalloc(sizeof(struct entry_page)),
                                  memory_order_release);
        }
    } else {
        return 0;
    }
    place = slot_of(index, slot);
    use = MAX(atomic_load_explicit(place, memory_order_relaxed) >> 1, 1u);
    atomic_store_explicit(place, use << 1 | 1, memory_order_relaxed);
    return use << ENTRY_SLOT_BITS | slot;
}

void
entry_index_set(struct entry_index *index, uint64_t id, struct entry *entry)
{
    atomic_store_explicit(slot_of(index, id), (uintptr_t) entry,
                          memory_order_release);
}

void
entry_index_release(struct entry_index *index, uint64_t id)
{
    uint64_t use = id >> ENTRY_SLOT_BITS;

    atomic_store_explicit(slot_of(index, id), (use + 1) << 1 | 1,
                          memory_order_release);
    if (index->n_free == index->size_free) {
        index->size_free = MAX(index->size_free * 2, 64u);
        index->free = xrealloc(index->free,
                               index->size_free * sizeof *index->free);
    }
    index->free[index->n_free++] = id & (MAX_SLOTS - 1);
}

struct entry *
entry_index_find(const struct entry_index *index, uint64_t id)
{
    _Atomic uintptr_t *place = slot_of(index, id);
    uintptr_t value = place ? atomic_load_explicit(place, memory_order_acquire)
                            : 0;
    struct entry *entry = (struct entry *) value;

    return value && !(value & 1) && entry->e.id == id ? entry : NULL;
}

struct entry *
entry_index_at(const struct entry_index *index, uint32_t slot)
{
    uintptr_t value = atomic_load_explicit(slot_of(index, slot),
                                           memory_order_acquire);

    return value & 1 ? NULL : (struct entry *) value;
}

size_t
entry_index_memory(const struct entry_index *index)
{
    size_t n_pages = ((size_t) index->n_slots + PAGE_SLOTS - 1) / PAGE_SLOTS;

    return n_pages * sizeof(struct entry_page)
           + index->size_free * sizeof *index->free;
}
