#include "switch/cell_table.h"

#include <stdlib.h>

#include "lib/str.h"

/* Beyond this the directory does not grow: a segment of equal hashes would
 * never split. */
enum { MAX_DEPTH = 26 };

static size_t
segment_size(uint32_t n_lines)
{
    return sizeof(struct cell_segment)
           + (MAX(n_lines, (uint32_t) CELL_LINE_CELLS)
              + (size_t) n_lines * CELL_LINE_CELLS) * sizeof(uint64_t);
}

static _Atomic uint64_t *
cells_of(struct cell_segment *segment)
{
    return cell_segment_cells(segment, segment->n_lines);
}

static size_t
dir_size(uint32_t depth)
{
    struct cell_dir *dir;

    return sizeof *dir + sizeof dir->segments[0] * ((size_t) 1 << depth);
}

static struct cell_segment *
segment_create(struct cell_table *table, uint32_t n_lines, uint32_t depth)
{
    struct cell_segment *segment = xzalloc_aligned(segment_size(n_lines));

    segment->n_lines = n_lines;
    segment->depth = depth;
    table->memory += segment_size(segment->n_lines);
    return segment;
}

static void
segment_retire(struct cell_table *table, struct cell_segment *segment)
{
    table->memory -= segment_size(segment->n_lines);
    rcu_free(&segment->later);
}

static struct cell_dir *
dir_create(struct cell_table *table, uint32_t depth)
{
    struct cell_dir *dir = xzalloc_aligned(dir_size(depth));

    dir->depth = depth;
    table->memory += dir_size(depth);
    return dir;
}

static void
dir_retire(struct cell_table *table, struct cell_dir *dir)
{
    table->memory -= dir_size(dir->depth);
    rcu_free(&dir->later);
}

void
cell_table_init(struct cell_table *table, uint64_t tag_mask,
                uint64_t (*hash)(const void *aux, uint64_t cell),
                const void *aux)
{
    atomic_init(&table->root, 0);
    table->dir = NULL;
    table->tag_mask = tag_mask;
    table->hash = hash;
    table->aux = aux;
    table->fetch = NULL;
    table->n_live = 0;
    table->memory = 0;
}

static uintptr_t
segment_word(const struct cell_segment *segment)
{
    return (uintptr_t) segment | CELL_IS_SEGMENT
           | (unsigned int) __builtin_ctz(segment->n_lines);
}

static struct cell_segment *
segment_at(const struct cell_dir *dir, size_t i)
{
    return cell_word_address(atomic_load_explicit(&dir->segments[i],
                                                  memory_order_relaxed));
}

static size_t
dir_index(const struct cell_dir *dir, uint64_t hash)
{
    return hash >> 1 >> (63 - dir->depth);
}

static struct cell_segment *
segment_of(const struct cell_table *table, uint64_t hash)
{
    return segment_at(table->dir, dir_index(table->dir, hash));
}

/* The directory, or what it leads to, is another. */
static void
publish_root(struct cell_table *table)
{
    const struct cell_dir *dir = table->dir;
    uintptr_t root = !dir ? 0
                     : !dir->depth ? segment_word(segment_at(dir, 0))
                     : (uintptr_t) dir | dir->depth;

    atomic_store_explicit(&table->root, root, memory_order_release);
}

void
cell_table_fini(struct cell_table *table)
{
    struct cell_dir *dir = table->dir;
    struct cell_segment *last = NULL;

    if (!dir) {
        return;
    }
    table->dir = NULL;
    publish_root(table);
    for (size_t i = 0; i < (size_t) 1 << dir->depth; i++) {
        struct cell_segment *segment = segment_at(dir, i);

        if (segment != last) {
            segment_retire(table, segment);
            last = segment;
        }
    }
    dir_retire(table, dir);
    table->n_live = 0;
}

static void
set_byte(struct cell_segment *segment, uint32_t i, uint64_t byte)
{
    _Atomic uint64_t *bytes = &segment->bytes[i / CELL_LINE_CELLS];
    unsigned int shift = i % CELL_LINE_CELLS * 8;
    uint64_t others = atomic_load_explicit(bytes, memory_order_relaxed)
                      & ~(UINT64_C(0xff) << shift);

    atomic_store_explicit(bytes, others | byte << shift, memory_order_release);
}

/* Bit 7 of the first byte that is empty or dead, or 0. */
static uint64_t
first_free(uint64_t bytes)
{
    uint64_t equal = cell_bytes_equal(bytes & ~(UINT64_C(0x0101010101010101)),
                                      0);

    return equal & -equal;
}
static_assert(CELL_BYTE_EMPTY == 0 && CELL_BYTE_DEAD == 1,
              "first_free() looks for bytes without upper bits");

static void
segment_insert(struct cell_segment *segment, uint64_t hash, uint64_t new)
{
    uint32_t line = cell_first_line(hash, segment->n_lines);

    for (;;) {
        uint64_t bytes = atomic_load_explicit(&segment->bytes[line],
                                              memory_order_relaxed);
        uint64_t free_bit = first_free(bytes);

        if (free_bit) {
            uint32_t shift = (uint32_t) __builtin_ctzll(free_bit) & ~7u;
            uint32_t i = line * CELL_LINE_CELLS + shift / 8;

            segment->n_used += (bytes >> shift & 0xff) == CELL_BYTE_EMPTY;
            segment->n_live++;
            atomic_store_explicit(&cells_of(segment)[i], new,
                                  memory_order_release);
            set_byte(segment, i, cell_byte(hash));
            return;
        }
        line = (line + 1) & (segment->n_lines - 1);
    }
}

/* Copies the live cells into one segment, or by the next bit into two.  What
 * the table's hash() reads may be cold: fetch ahead. */
static void
segment_copy(const struct cell_table *table, struct cell_segment *from,
             struct cell_segment *to[2])
{
    enum { AHEAD = 16 };
    uint32_t n_cells = from->n_lines * CELL_LINE_CELLS;
    const _Atomic uint64_t *cells = cells_of(from);

    for (uint32_t i = 0; i < n_cells; i++) {
        uint64_t cell = atomic_load_explicit(&cells[i], memory_order_relaxed);

        if (i + AHEAD < n_cells && table->fetch) {
            table->fetch(atomic_load_explicit(&cells[i + AHEAD],
                                              memory_order_relaxed));
        }
        if (cell) {
            uint64_t hash = table->hash(table->aux, cell);
            unsigned int half = to[1] ? hash >> (63 - from->depth) & 1 : 0;

            segment_insert(to[half], hash, cell);
        }
    }
}

/* Points every directory entry of `old` to new[0], or to new[0] and new[1] by
 * halves. */
static void
dir_replace(struct cell_dir *dir, uint64_t hash, uint32_t old_depth,
            struct cell_segment *new[2])
{
    size_t span = (size_t) 1 << (dir->depth - old_depth);
    size_t first = dir_index(dir, hash) & ~(span - 1);

    for (size_t i = 0; i < span; i++) {
        bool upper = new[1] && i >= span / 2;

        atomic_store_explicit(&dir->segments[first + i],
                              segment_word(new[upper ? 1 : 0]),
                              memory_order_release);
    }
}

static void
dir_double(struct cell_table *table, struct cell_dir *old)
{
    struct cell_dir *dir = dir_create(table, old->depth + 1);

    for (size_t i = 0; i < (size_t) 1 << dir->depth; i++) {
        atomic_init(&dir->segments[i],
                    atomic_load_explicit(&old->segments[i / 2],
                                         memory_order_relaxed));
    }
    table->dir = dir;
}

/* Makes room in the segment of `hash`: clears out dead cells, doubles it, or
 * splits it. */
static void
segment_make_room(struct cell_table *table, uint64_t hash)
{
    struct cell_dir *old_dir = table->dir;
    struct cell_segment *old = segment_of(table, hash);
    struct cell_segment *new[2] = { NULL, NULL };
    uint32_t n_cells = old->n_lines * CELL_LINE_CELLS;

    if (old->n_live < n_cells / 2) {
        new[0] = segment_create(table, old->n_lines, old->depth);
    } else if (old->n_lines < CELL_SEGMENT_LINES || old->depth >= MAX_DEPTH) {
        new[0] = segment_create(table, old->n_lines * 2, old->depth);
    } else {
        if (old->depth == old_dir->depth) {
            dir_double(table, old_dir);
        }
        new[0] = segment_create(table, old->n_lines, old->depth + 1);
        new[1] = segment_create(table, old->n_lines, old->depth + 1);
    }
    segment_copy(table, old, new);
    dir_replace(table->dir, hash, old->depth, new);
    publish_root(table);
    segment_retire(table, old);
    if (table->dir != old_dir) {
        dir_retire(table, old_dir);
    }
}

void
cell_table_insert(struct cell_table *table, uint64_t hash, uint64_t cell)
{
    struct cell_segment *segment;

    if (!table->dir) {
        table->dir = dir_create(table, 0);
        atomic_init(&table->dir->segments[0],
                    segment_word(segment_create(table, 1, 0)));
        publish_root(table);
    }
    for (;;) {
        segment = segment_of(table, hash);
        if (segment->n_used < segment->n_lines * (CELL_LINE_CELLS * 3 / 4)) {
            break;
        }
        segment_make_room(table, hash);
    }
    segment_insert(segment, hash, cell);
    table->n_live++;
}

void
cell_table_remove(struct cell_table *table, uint64_t hash,
                  _Atomic uint64_t *cell)
{
    struct cell_segment *segment = segment_of(table, hash);

    set_byte(segment, (uint32_t) (cell - cells_of(segment)), CELL_BYTE_DEAD);
    atomic_store_explicit(cell, 0, memory_order_release);
    segment->n_live--;
    if (!--table->n_live) {
        cell_table_fini(table);
    }
}

static bool
segment_visit(struct cell_segment *segment,
              bool (*visit)(void *aux, uint64_t cell), void *aux)
{
    uint32_t n_cells = segment->n_lines * CELL_LINE_CELLS;

    for (uint32_t i = 0; i < n_cells; i++) {
        uint64_t cell = atomic_load_explicit(&cells_of(segment)[i],
                                             memory_order_acquire);

        if (cell && !visit(aux, cell)) {
            return false;
        }
    }
    return true;
}

void
cell_table_visit(const struct cell_table *table,
                 bool (*visit)(void *aux, uint64_t cell), void *aux)
{
    uintptr_t root = atomic_load_explicit(&table->root, memory_order_acquire);
    const struct cell_dir *dir = cell_word_address(root);
    size_t n = !root ? 0 : root & CELL_IS_SEGMENT ? 1
               : (size_t) 1 << (root & CELL_NUMBER_MASK);
    uintptr_t last = 0;

    for (size_t i = 0; i < n; i++) {
        uintptr_t word = root & CELL_IS_SEGMENT ? root
                         : atomic_load_explicit(&dir->segments[i],
                                                memory_order_acquire);

        if (word != last && !segment_visit(cell_word_address(word), visit,
                                           aux)) {
            return;
        }
        last = word;
    }
}
