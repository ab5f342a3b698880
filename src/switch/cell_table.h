/* A hash table of 64-bit cells: one writer, readers under RCU.
 *
 * A cell is never zero.  It carries what its user likes; those of its bits that
 * `tag_mask` names are known from the key, and are compared before the user is
 * asked.
 *
 * Cells lie in lines of 8, one cache line each.  Beside the lines lies a byte
 * for each cell, of the key's hash: a lookup reads the 8 bytes of one line,
 * rarely of two, and hardly ever a cell of another key.  Where one packet is
 * looked up in hundreds of tables, this is what counts: the bytes of half a
 * million cells stay in the CPU's cache, the cells do not.
 *
 * Lines lie in segments of at most CELL_SEGMENT_LINES; a directory indexed
 * by the top bits of the hash leads to them (extendible hashing).  A full
 * segment is split by itself, so that no single insert pays for the growth of
 * the whole table: the control channel never pauses for longer than a segment's
 * split.
 *
 * Which bits of a hash do what: the top `depth` choose the segment, bits 33 to
 * 40 the line, 41 to 48 are the byte.  Cells change in place; segments and
 * directories are replaced, the old ones freed after a grace period. */
#ifndef WEFT_SWITCH_CELL_TABLE_H
#define WEFT_SWITCH_CELL_TABLE_H

#include <stdatomic.h>

#include "lib/rcu.h"

enum { CELL_LINE_CELLS = 8, CELL_SEGMENT_LINES = 256 };

/* Bytes of cells that never were, and of those that went: nobody finds anything
 * there, and the next insert may take it. */
enum { CELL_BYTE_EMPTY, CELL_BYTE_DEAD, N_CELL_BYTES_FREE };

struct cell_segment {
    struct rcu_later later;
    uint32_t n_lines;             /* a power of two */
    uint32_t depth;
    /* The writer's: cells that are not empty, and not dead. */
    uint32_t n_used, n_live;
    uint64_t pad[3];
    /* The bytes of each line, its first cell's the lowest; on the next cache
     * line come the cells. */
    _Atomic uint64_t bytes[];
};
static_assert(offsetof(struct cell_segment, bytes) == CACHE_LINE,
              "bytes begin on a cache line");

struct cell_dir {
    struct rcu_later later;
    uint32_t depth;
    uint32_t pad;
    _Atomic uintptr_t segments[];
};

/* What leads a lookup on is an address of whole cache lines, and in the bits
 * that this leaves a number: to a segment, the logarithm of its n_lines; to a
 * directory, its depth.  So no header is read on the way. */
enum { CELL_NUMBER_MASK = 31, CELL_IS_SEGMENT = 32 };

struct cell_table {
    _Atomic uintptr_t root;               /* the directory; if that has depth
                                             zero, the segment; 0: empty */
    uint64_t tag_mask;
    /* The hash that a live cell was inserted with, at least its bits above 32:
     * a split needs them. */
    uint64_t (*hash)(const void *aux, uint64_t cell);
    const void *aux;
    void (*fetch)(uint64_t cell);         /* what hash() will read; or NULL */
    uint64_t n_live;
    uint64_t memory;                      /* bytes */
    struct cell_dir *dir;                 /* the writer's; NULL: empty */
};

void cell_table_init(struct cell_table *, uint64_t tag_mask,
                     uint64_t (*hash)(const void *aux, uint64_t cell),
                     const void *aux);
/* Gives the memory back, after a grace period. */
void cell_table_fini(struct cell_table *);

/* Adds a cell, not zero; there is none for that key. */
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

static inline void *
cell_word_address(uintptr_t word)
{
    return (void *) (word & ~(uintptr_t) (CACHE_LINE - 1));
}

/* Below a root that is not zero. */
static inline uintptr_t
cell_segment_word(uintptr_t root, uint64_t hash)
{
    const struct cell_dir *dir = cell_word_address(root);
    unsigned int depth = root & CELL_NUMBER_MASK;

    if (root & CELL_IS_SEGMENT) {
        return root;
    }
    return atomic_load_explicit(&dir->segments[hash >> 1 >> (63 - depth)],
                                memory_order_acquire);
}

static inline _Atomic uint64_t *
cell_segment_cells(struct cell_segment *segment, uint32_t n_lines)
{
    return &segment->bytes[MAX(n_lines, (uint32_t) CELL_LINE_CELLS)];
}

static inline uint64_t
cell_byte(uint64_t hash)
{
    uint64_t byte = hash >> 41 & 0xff;

    return byte < N_CELL_BYTES_FREE ? byte + N_CELL_BYTES_FREE : byte;
}

/* Bit 7 of each byte in `bytes` that equals `byte`; rarely of one above such a
 * byte, too. */
static inline uint64_t
cell_bytes_equal(uint64_t bytes, uint64_t byte)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t differ = bytes ^ byte * ones;

    return (differ - ones) & ~differ & ones << 7;
}

/* Lines fill from the first cell: does the last say that some had to go on to
 * the next line? */
static inline bool
cell_line_is_full(uint64_t bytes)
{
    return bytes >> 56 != CELL_BYTE_EMPTY;
}

/* Where a hash leads to. */
struct cell_probe {
    struct cell_segment *segment;         /* NULL: the table is empty */
    uint32_t n_lines;
    uint32_t line;
    uint64_t byte;
};

static inline struct cell_probe
cell_table_probe(const struct cell_table *table, uint64_t hash)
{
    uintptr_t root = atomic_load_explicit(&table->root, memory_order_acquire);
    struct cell_probe probe = { NULL, 0, 0, cell_byte(hash) };

    if (LIKELY(root != 0)) {
        uintptr_t word = cell_segment_word(root, hash);

        probe.segment = cell_word_address(word);
        probe.n_lines = UINT32_C(1) << (word & CELL_NUMBER_MASK);
        probe.line = cell_first_line(hash, probe.n_lines);
    }
    return probe;
}

/* Has the bytes fetched that come next. */
static inline void
cell_probe_fetch(const struct cell_probe *probe)
{
    if (probe->segment) {
        __builtin_prefetch((const void *) &probe->segment->bytes[probe->line]);
    }
}

/* For the writer, who will change a cell there or add one. */
static inline void
cell_probe_fetch_cells(const struct cell_probe *probe)
{
    if (probe->segment) {
        __builtin_prefetch((const void *)
            &cell_segment_cells(probe->segment, probe->n_lines)
                 [probe->line * CELL_LINE_CELLS], 1);
    }
}

/* False: the key is not in the table.  True: likely it is, and the cell is
 * being fetched. */
static inline bool
cell_probe_looks_good(const struct cell_probe *probe)
{
    uint32_t line = probe->line;

    for (uint32_t n = probe->n_lines; n > 0; n--) {
        uint64_t bytes = atomic_load_explicit(&probe->segment->bytes[line],
                                              memory_order_acquire);

        if (cell_bytes_equal(bytes, probe->byte)) {
            __builtin_prefetch((const void *)
                &cell_segment_cells(probe->segment, probe->n_lines)
                     [line * CELL_LINE_CELLS]);
            return true;
        }
        if (LIKELY(!cell_line_is_full(bytes))) {
            return false;
        }
        line = (line + 1) & (probe->n_lines - 1);
    }
    return false;
}

/* The live cell of that tag for which `same` holds, or 0; `same` NULL: the
 * first.  `place`, unless NULL, says where, for the writer; a reader takes
 * the value that `same` saw, as the place may be given to another. */
static inline __attribute__((always_inline)) uint64_t
cell_probe_find(const struct cell_probe *probe, uint64_t tag_mask,
                uint64_t tag, bool (*same)(const void *aux, uint64_t cell),
                const void *aux, _Atomic uint64_t **place)
{
    uint32_t line = probe->line;

    for (uint32_t n = probe->n_lines; n > 0; n--) {
        uint64_t bytes = atomic_load_explicit(&probe->segment->bytes[line],
                                              memory_order_acquire);
        uint64_t equal = cell_bytes_equal(bytes, probe->byte);

        for (; equal; equal &= equal - 1) {
            uint32_t i = line * CELL_LINE_CELLS
                         + ((uint32_t) __builtin_ctzll(equal) >> 3);
            _Atomic uint64_t *cell =
                &cell_segment_cells(probe->segment, probe->n_lines)[i];
            uint64_t found = atomic_load_explicit(cell, memory_order_acquire);

            if (found && (found & tag_mask) == tag &&
                (!same || same(aux, found))) {
                if (place) {
                    *place = cell;
                }
                return found;
            }
        }
        if (LIKELY(!cell_line_is_full(bytes))) {
            return 0;
        }
        line = (line + 1) & (probe->n_lines - 1);
    }
    return 0;
}

static inline __attribute__((always_inline)) uint64_t
cell_table_find(const struct cell_table *table, uint64_t hash, uint64_t tag,
                bool (*same)(const void *aux, uint64_t cell), const void *aux,
                _Atomic uint64_t **place)
{
    struct cell_probe probe = cell_table_probe(table, hash);

    return cell_probe_find(&probe, table->tag_mask, tag, same, aux, place);
}

#endif
