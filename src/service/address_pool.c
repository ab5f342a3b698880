#include "service/address_pool.h"

#include <stdlib.h>

#include "lib/str.h"

enum { N_LEVELS = 4 };            /* 64^4 = ADDRESS_POOL_MAX */

/* In host order, apart from each other and in order. */
struct span {
    uint32_t first, last;
    uint32_t index;               /* of the first address */
};

struct address_pool {
    unsigned int n_spans;
    struct span *spans;
    uint32_t size, n_free;
    uint64_t *taken[N_LEVELS];    /* bit i of level k + 1: word i of level k is
                                     all ones */
};

static int
compare_spans(const void *a_, const void *b_)
{
    const struct span *a = a_, *b = b_;

    return a->first < b->first ? -1 : a->first > b->first;
}

/* Sorts and joins; returns how many there are. */
static unsigned int
tidy(struct span *spans, const struct address_span *given, unsigned int n)
{
    unsigned int n_kept = 0;

    for (unsigned int i = 0; i < n; i++) {
        spans[i] = (struct span) { be32toh(given[i].first),
                                   be32toh(given[i].last), 0 };
    }
    qsort(spans, n, sizeof *spans, compare_spans);
    for (unsigned int i = 0; i < n; i++) {
        struct span *last = n_kept ? &spans[n_kept - 1] : NULL;

        if (last && spans[i].first <= last->last) {
            last->last = MAX(last->last, spans[i].last);
        } else {
            spans[n_kept++] = spans[i];
        }
    }
    return n_kept;
}

/* Cuts at ADDRESS_POOL_MAX addresses. */
static void
add_span(struct address_pool *pool, uint64_t first, uint64_t last)
{
    uint64_t room = ADDRESS_POOL_MAX - pool->size;

    if (first > last || !room) {
        return;
    }
    last = MIN(last, first + room - 1);
    pool->spans[pool->n_spans++] = (struct span) {
        (uint32_t) first, (uint32_t) last, pool->size,
    };
    pool->size += (uint32_t) (last - first + 1);
}

static void
subtract(struct address_pool *pool, const struct span *ranges,
         unsigned int n_ranges, const struct span *holes, unsigned int n_holes)
{
    unsigned int hole = 0;

    for (unsigned int i = 0; i < n_ranges; i++) {
        uint64_t first = ranges[i].first;

        while (hole < n_holes && holes[hole].last < first) {
            hole++;
        }
        /* A hole may reach into the next range: it is not stepped over. */
        for (unsigned int h = hole;
             h < n_holes && holes[h].first <= ranges[i].last; h++) {
            if (holes[h].first > first) {
                add_span(pool, first, holes[h].first - 1);
            }
            first = (uint64_t) holes[h].last + 1;
        }
        add_span(pool, first, ranges[i].last);
    }
}

struct address_pool *
address_pool_create(const struct address_span *ranges, unsigned int n_ranges,
                    const struct address_span *exclusions,
                    unsigned int n_exclusions)
{
    struct address_pool *pool = xzalloc(sizeof *pool);
    struct span *r = xcalloc(n_ranges + 1, sizeof *r);
    struct span *x = xcalloc(n_exclusions + 1, sizeof *x);
    uint64_t n_bits;

    n_ranges = tidy(r, ranges, n_ranges);
    n_exclusions = tidy(x, exclusions, n_exclusions);
    pool->spans = xcalloc(n_ranges + n_exclusions + 1, sizeof *pool->spans);
    subtract(pool, r, n_ranges, x, n_exclusions);
    free(r);
    free(x);

    pool->n_free = pool->size;
    n_bits = pool->size;
    for (unsigned int k = 0; k < N_LEVELS; k++) {
        uint64_t n_words = n_bits / 64 + 1;

        pool->taken[k] = xcalloc(n_words, sizeof **pool->taken);
        /* Behind the last there is nothing free. */
        pool->taken[k][n_bits / 64] = ~UINT64_C(0) << n_bits % 64;
        n_bits = n_words;
        if (!(pool->taken[k][n_words - 1] + 1)) {
            n_bits--;
        }
    }
    return pool;
}

void
address_pool_destroy(struct address_pool *pool)
{
    if (pool) {
        for (unsigned int k = 0; k < N_LEVELS; k++) {
            free(pool->taken[k]);
        }
        free(pool->spans);
        free(pool);
    }
}

uint32_t
address_pool_size(const struct address_pool *pool)
{
    return pool->size;
}

uint32_t
address_pool_n_free(const struct address_pool *pool)
{
    return pool->n_free;
}

static bool
index_of(const struct address_pool *pool, be32 addr, uint32_t *index)
{
    uint32_t a = be32toh(addr);

    for (unsigned int i = 0; i < pool->n_spans; i++) {
        const struct span *s = &pool->spans[i];

        if (a >= s->first && a <= s->last) {
            *index = s->index + (a - s->first);
            return true;
        }
    }
    return false;
}

static be32
address_at(const struct address_pool *pool, uint32_t index)
{
    unsigned int i = pool->n_spans - 1;

    while (pool->spans[i].index > index) {
        i--;
    }
    return htobe32(pool->spans[i].first + (index - pool->spans[i].index));
}

bool
address_pool_has(const struct address_pool *pool, be32 addr)
{
    uint32_t index;

    return index_of(pool, addr, &index);
}

void
address_pool_take(struct address_pool *pool, be32 addr)
{
    uint32_t i;

    if (!index_of(pool, addr, &i) || pool->taken[0][i / 64] >> i % 64 & 1) {
        return;
    }
    pool->n_free--;
    for (unsigned int k = 0; k < N_LEVELS; k++, i /= 64) {
        pool->taken[k][i / 64] |= UINT64_C(1) << i % 64;
        if (~pool->taken[k][i / 64]) {
            break;
        }
    }
}

void
address_pool_give_back(struct address_pool *pool, be32 addr)
{
    uint32_t i;

    if (!index_of(pool, addr, &i)
        || !(pool->taken[0][i / 64] >> i % 64 & 1)) {
        return;
    }
    pool->n_free++;
    for (unsigned int k = 0; k < N_LEVELS; k++, i /= 64) {
        pool->taken[k][i / 64] &= ~(UINT64_C(1) << i % 64);
    }
}

/* The first free place >= `from`; needs one to be there. */
static uint32_t
next_free(const struct address_pool *pool, uint32_t from)
{
    uint32_t i = from;
    unsigned int k = 0;

    /* Up, until a word has something free at or behind the place ... */
    for (;;) {
        uint64_t open = ~pool->taken[k][i / 64] & ~UINT64_C(0) << i % 64;

        if (open) {
            i = i / 64 * 64 + (uint32_t) __builtin_ctzll(open);
            break;
        }
        i = i / 64 + 1;
        k++;
    }
    /* ... and down again to the first that it leads to. */
    while (k) {
        k--;
        i = i * 64 + (uint32_t) __builtin_ctzll(~pool->taken[k][i]);
    }
    return i;
}

bool
address_pool_find(const struct address_pool *pool, uint64_t start, be32 *addr)
{
    uint32_t from, highest;

    if (!pool->n_free) {
        return false;
    }
    from = (uint32_t) (start % pool->size);
    /* Is there one behind?  The last free place says. */
    highest = 0;
    for (unsigned int k = N_LEVELS; k-- > 0;) {
        uint64_t open = ~pool->taken[k][highest];

        highest = highest * 64 + 63 - (uint32_t) __builtin_clzll(open);
    }
    *addr = address_at(pool, next_free(pool, from <= highest ? from : 0));
    return true;
}
