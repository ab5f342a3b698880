/* The addresses that may be handed out, and which of them nobody has.
 *
 * Ranges without exclusions, and a bit for each address with a tree of "all of
 * these 64 are taken" above: the next free one is found in four steps, of 16
 * million addresses too, however few are left.  Memory is touched where bits
 * are.
 *
 * It knows nothing of leases: who takes an address also gives it back. */
#ifndef WEFT_SERVICE_ADDRESS_POOL_H
#define WEFT_SERVICE_ADDRESS_POOL_H

#include "lib/types.h"

enum { ADDRESS_POOL_MAX = 1 << 24 };      /* addresses: a /8 */

struct address_pool;

struct address_span {
    be32 first, last;             /* both belong to it; first <= last */
};

/* All are free.  Spans may overlap and come in any order; what lies beyond
 * ADDRESS_POOL_MAX addresses is left out. */
struct address_pool *address_pool_create(const struct address_span *ranges,
                                         unsigned int n_ranges,
                                         const struct address_span *exclusions,
                                         unsigned int n_exclusions);
void address_pool_destroy(struct address_pool *);

uint32_t address_pool_size(const struct address_pool *);
uint32_t address_pool_n_free(const struct address_pool *);
bool address_pool_has(const struct address_pool *, be32);
/* For addresses that are not in the pool too: nothing happens. */
void address_pool_take(struct address_pool *, be32);
void address_pool_give_back(struct address_pool *, be32);

/* The first free one from place `start` (of all; any number) on, and around.
 * False: all are taken. */
bool address_pool_find(const struct address_pool *, uint64_t start, be32 *);

#endif
