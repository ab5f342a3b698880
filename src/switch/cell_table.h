/* A hash table of 64-bit cells: one writer, readers under RCU.
 *
 * A cell is a tag, some bits of the key's hash, and a payload; which of the upper
 * 32 bits are the tag is the user's choice, but a tag is never zero.  A cell with payload
 * zero is dead: nobody finds anything in it, and the next insert may take it.
 * An empty cell is zero altogether.
 *
 * Cells lie in lines of 8, one cache line each; a lookup reads one line, rarely
 * two.  Lines lie in segments of at most CELL_SEGMENT_LINES; a directory indexed
 * by the top bits of the hash leads to them (extendible hashing).  A full
 * segment is split by itself, so that no single insert pays for the growth of
 * the whole table: the control channel never pauses for longer than a segment's
 * split.
 *
 * Which bits of a hash do what: the top `depth` choose the segment, bits 33 to
 * 40 the line.  Payloads change in place; segments and directories are
 * replaced, the old ones freed after a grace period. */
#ifndef WEFT_SWITCH_CELL_TABLE_H
#define WEFT_SWITCH_CELL_TABLE_H

#include <stdatomic.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "lib/rcu.h"

enum { CELL_LINE_CELLS = 8, CELL_SEGMENT_LINES = 256 };

struct cell_segment {
    struct rcu_later later;
    uint32_t n_lines;             /* a power of two */
    uint32_t depth;
    /* The writer's: cells that are not empty, and not dead. */
    uint32_t n_used, n_live;
    uint64_t pad[3];
    _Atomic uint64_t cells[];     /* on a cache line */
};
static_assert(offsetof(struct cell_segment, cells) == CACHE_LINE,
              "cells begin on a cache line");

struct cell_dir {
    struct rcu_later later;
    uint32_t depth;
    uint32_t pad;
    /* Addresses, and in their lower bits the logarithm of n_lines: a lookup
     * reads no header. */
    _Atomic uintptr_t segments[];
};

struct cell_table {
    _Atomic(struct cell_dir *) dir;       /* NULL: empty */
    uint64_t tag_mask;
    /* The hash that a live cell was inserted with, at least its bits above 32:
     * a split needs them. */
    uint64_t (*hash)(const void *aux, uint64_t cell);
    const void *aux;
    uint32_t fetch_ofs;                   /* payloads are pointers, and hash()
                                             reads there; 0: they are not */
    uint64_t n_live;
    uint64_t memory;                      /* bytes */
};

void cell_table_init(struct cell_table *, uint64_t tag_mask,
                     uint64_t (*hash)(const void *aux, uint64_t cell),
                     const void *aux);
/* Gives the memory back, after a grace period. */
void cell_table_fini(struct cell_table *);

/* Adds a cell; there is none for that key.  Payload is not zero. */
void cell_table_insert(struct cell_table *, uint64_t hash, uint64_t cell);
/* Makes a cell found before dead. */
void cell_table_remove(struct cell_table *, uint64_t hash,
                       _Atomic uint64_t *cell);

/* Visits live cells in no order; the writer, or under RCU. */
void cell_table_visit(const struct cell_table *,
                      bool (*visit)(void *aux, uint64_t cell), void *aux);

static inline uint32_t
cell_first_line(uint64_t hash, uint32_t n_lines)
{
    return (uint32_t) (hash >> 33) & (n_lines - 1);
}

static inline uintptr_t
cell_segment_word(const struct cell_dir *dir, uint64_t hash)
{
    return atomic_load_explicit(&dir->segments[hash >> 1
                                               >> (63 - dir->depth)],
                                memory_order_acquire);
}

static inline struct cell_segment *
cell_segment(uintptr_t word)
{
    return (struct cell_segment *) (word & ~(uintptr_t) (CACHE_LINE - 1));
}

/* Has the line fetched that a lookup will read. */
static inline void
cell_table_prefetch(const struct cell_table *table, uint64_t hash)
{
    const struct cell_dir *dir =
        atomic_load_explicit(&table->dir, memory_order_acquire);

    if (dir) {
        uintptr_t word = cell_segment_word(dir, hash);
        uint32_t n_lines = UINT32_C(1) << (word & (CACHE_LINE - 1));
        uint32_t line = cell_first_line(hash, n_lines);

        __builtin_prefetch((const void *) &cell_segment(word)
                               ->cells[line * CELL_LINE_CELLS]);
    }
}

/* Which cells of a line have that tag, as bits: the plain way, and the one that
 * is used.  No branch for each cell: nearly always none or one has it. */
static inline unsigned int
cell_candidates_plain(const _Atomic uint64_t *cells, uint64_t tag_mask,
                      uint64_t tag)
{
    unsigned int candidates = 0;

    for (unsigned int i = 0; i < CELL_LINE_CELLS; i++) {
        uint64_t cell = atomic_load_explicit(&cells[i], memory_order_relaxed);

        candidates |= (unsigned int) ((cell & tag_mask) == tag) << i;
    }
    return candidates;
}

#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
/* Looks at the upper halves of the cells.  A cell that changes meanwhile is read
 * before or after: its finder reads it once more. */
static inline unsigned int
cell_candidates(const _Atomic uint64_t *cells, uint64_t tag_mask,
                uint64_t tag)
{
    const __m128 *line = (const __m128 *) (const void *) cells;
    __m128i mask = _mm_set1_epi32((int) (tag_mask >> 32));
    __m128i want = _mm_set1_epi32((int) (tag >> 32));
    __m128i low = _mm_castps_si128(_mm_shuffle_ps(line[0], line[1], 0xdd));
    __m128i high = _mm_castps_si128(_mm_shuffle_ps(line[2], line[3], 0xdd));
    int in_low, in_high;

    low = _mm_cmpeq_epi32(_mm_and_si128(low, mask), want);
    high = _mm_cmpeq_epi32(_mm_and_si128(high, mask), want);
    in_low = _mm_movemask_ps(_mm_castsi128_ps(low));
    in_high = _mm_movemask_ps(_mm_castsi128_ps(high));
    return (unsigned int) (in_low | in_high << 4);
}
#else
#define cell_candidates cell_candidates_plain
#endif

/* The live cell of that hash and tag for which `same` holds, or 0; `same` NULL:
 * the first.  `place`, unless NULL, says where, for the writer; a reader takes
 * the value that `same` saw, as the place may be given to another. */
static inline __attribute__((always_inline)) uint64_t
cell_table_find(const struct cell_table *table, uint64_t hash, uint64_t tag,
                bool (*same)(const void *aux, uint64_t cell), const void *aux,
                _Atomic uint64_t **place)
{
    const struct cell_dir *dir =
        atomic_load_explicit(&table->dir, memory_order_acquire);
    uint64_t tag_mask = table->tag_mask;
    struct cell_segment *segment;
    uint32_t line, n_lines;
    uintptr_t word;

    if (!dir) {
        return 0;
    }
    word = cell_segment_word(dir, hash);
    segment = cell_segment(word);
    n_lines = UINT32_C(1) << (word & (CACHE_LINE - 1));
    line = cell_first_line(hash, n_lines);
    for (uint32_t n = n_lines; n > 0; n--) {
        _Atomic uint64_t *cells = &segment->cells[line * CELL_LINE_CELLS];
        unsigned int candidates = cell_candidates(cells, tag_mask, tag);

        for (; candidates; candidates &= candidates - 1) {
            unsigned int i = (unsigned int) __builtin_ctz(candidates);
            uint64_t found = atomic_load_explicit(&cells[i],
                                                  memory_order_acquire);

            if ((found & tag_mask) == tag && found != tag &&
                (!same || same(aux, found))) {
                if (place) {
                    *place = &cells[i];
                }
                return found;
            }
        }
        /* Cells of a line fill from the first: the last is empty when nothing
         * had to go elsewhere. */
        if (LIKELY(!atomic_load_explicit(&cells[CELL_LINE_CELLS - 1],
                                         memory_order_relaxed))) {
            return 0;
        }
        line = (line + 1) & (n_lines - 1);
    }
    return 0;
}

#endif
