/* Prefixes: how many entries lie below a node of the tree of masks, by the value
 * of the bits up to there.
 *
 * Keyed by the hash of that path; 32 bits of it tell values apart, so that now
 * and then two share a counter: a lookup then goes on in vain, never wrong. */
#ifndef WEFT_SWITCH_PREFIXES_H
#define WEFT_SWITCH_PREFIXES_H

#include "switch/cell_table.h"

static const uint64_t PREFIX_TAG_MASK = UINT64_C(0xffffffff) << 32;

static inline uint64_t
prefix_tag(uint64_t hash)
{
    return (hash | UINT64_C(1) << 32) & PREFIX_TAG_MASK;
}

static inline bool
prefixes_have(const struct cell_table *prefixes, uint64_t hash)
{
    return cell_table_find(prefixes, hash, prefix_tag(hash), NULL, NULL, NULL)
           != 0;
}

void prefixes_init(struct cell_table *prefixes);
void prefixes_add(struct cell_table *prefixes, uint64_t hash);
void prefixes_remove(struct cell_table *prefixes, uint64_t hash);

#endif
