/* Hashing, always keyed: what outsiders choose never decides a bucket.
 *
 * `struct hash_key` is drawn once per process or table from the kernel's
 * random numbers (hash_key_random) or fixed by a test. */
#ifndef WEFT_LIB_HASH_H
#define WEFT_LIB_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/types.h"

struct hash_key {
    uint64_t seed;
};

struct hash_key hash_key_random(void);

static inline uint64_t
hash_bytes(struct hash_key key, const void *data, size_t len)
{
    return XXH3_64bits_withSeed(data, len, key.seed);
}

static inline uint64_t
hash_u64(struct hash_key key, uint64_t value)
{
    return hash_bytes(key, &value, sizeof value);
}

/* An incremental hash: begin with a random `h`, add words in order.  One folded
 * multiplication each; both factors hide behind the key, so that nobody who
 * lacks it can pick a word that forces the product. */
static inline uint64_t
hash_step(struct hash_key key, uint64_t h, uint64_t word)
{
    __extension__ unsigned __int128 product =
        (unsigned __int128) (word ^ key.seed)
        * (h ^ UINT64_C(0x9e3779b97f4a7c15));

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

#endif
