/* Flow entries by id.
 *
 * An id is a slot (lower 24 bits) and how often the slot was used (above): it is
 * found with two loads, and never used again for another entry.  Slots lie in
 * pages that stay until the end.
 *
 * Threads: one writer; lookups under RCU. */
#ifndef WEFT_SWITCH_ENTRY_INDEX_H
#define WEFT_SWITCH_ENTRY_INDEX_H

#include <stdatomic.h>

#include "lib/types.h"

struct entry;

enum { ENTRY_SLOT_BITS = 24, ENTRY_PAGE_BITS = 12 };

struct entry_page {
    /* An entry's address; or when free, the slot's next use << 1 | 1. */
    _Atomic uintptr_t slots[1 << ENTRY_PAGE_BITS];
};

struct entry_index {
    _Atomic(struct entry_page *)
        pages[1 << (ENTRY_SLOT_BITS - ENTRY_PAGE_BITS)];
    uint32_t n_slots;             /* ever used */
    uint32_t n_free;
    uint32_t size_free;
    uint32_t *free;               /* last in, first out */
};

void entry_index_init(struct entry_index *);
void entry_index_fini(struct entry_index *);

/* A new id, leading nowhere until entry_index_set(); 0 when all are used. */
uint64_t entry_index_alloc(struct entry_index *);
void entry_index_set(struct entry_index *, uint64_t id, struct entry *);
/* From now on the id leads nowhere for ever. */
void entry_index_release(struct entry_index *, uint64_t id);

struct entry *entry_index_find(const struct entry_index *, uint64_t id);

/* What the slot leads to now, or NULL; below n_slots. */
struct entry *entry_index_at(const struct entry_index *, uint32_t slot);

size_t entry_index_memory(const struct entry_index *);

#endif
