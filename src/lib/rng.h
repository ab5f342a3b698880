/* A small seeded random number generator (splitmix64) for tests, benchmarks
 * and the impair port: same seed, same sequence.  Not for secrets. */
#ifndef WEFT_LIB_RNG_H
#define WEFT_LIB_RNG_H

#include "lib/types.h"

struct rng {
    uint64_t state;
};

static inline uint64_t
rng_u64(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static inline uint32_t
rng_u32(struct rng *rng)
{
    return (uint32_t) (rng_u64(rng) >> 32);
}

/* 0 <= result < n; n > 0. */
static inline uint32_t
rng_below(struct rng *rng, uint32_t n)
{
    return (uint32_t) (((uint64_t) rng_u32(rng) * n) >> 32);
}

/* True once in `n` calls on average. */
static inline bool
rng_one_in(struct rng *rng, uint32_t n)
{
    return rng_below(rng, n) == 0;
}

#endif
