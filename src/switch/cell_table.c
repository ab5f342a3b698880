#include "switch/cell_table.h"

#include <stdlib.h>

#include "lib/str.h"

/* Beyond this the directory does not grow: a segment of equal hashes would
 * never split. */
enum { MAX_DEPTH = 26 };

static size_t
segment_size(const struct cell_segment *segment)
{
    return sizeof *segment + (size_t) segment->n_lines * CELL_LINE_CELLS
                                 * sizeof segment->cells[0];
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
    struct cell_segment *segment =
        xzalloc_aligned(sizeof *segment + (size_t) n_lines * CACHE_LINE);

    segment->n_lines = n_lines;
    segment->depth = depth;
    table->memory += segment_size(segment);
    return segment;
}

static void
segment_retire(struct cell_table *table, struct cell_segment *segment)
{
    table->memory -= segment_size(segment);
    rcu_free(&segment->later);
}

static struct cell_dir *
dir_create(struct cell_table *table, uint32_t depth)
{
    struct cell_dir *dir = xzalloc(dir_size(depth));

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
    atomic_init(&table->dir, NULL);
    table->tag_mask = tag_mask;
    table->hash = hash;
    table->aux = aux;
    table->fetch_ofs = 0;
    table->n_live = 0;
    table->memory = 0;
}

static uintptr_t
segment_word(const struct cell_segment *segment)
{
    return (uintptr_t) segment
           | (unsigned int) __builtin_ctz(segment->n_lines);
}

static struct cell_segment *
segment_of(const struct cell_dir *dir, uint64_t hash)
{
    return cell_segment(cell_segment_word(dir, hash));
}

static struct cell_dir *
writers_dir(const struct cell_table *table)
{
    return atomic_load_explicit(&table->dir, memory_order_relaxed);
}

void
cell_table_fini(struct cell_table *table)
{
    struct cell_dir *dir = writers_dir(table);
    struct cell_segment *last = NULL;

    if (!dir) {
        return;
    }
    atomic_store_explicit(&table->dir, NULL, memory_order_release);
    for (size_t i = 0; i < (size_t) 1 << dir->depth; i++) {
        struct cell_segment *segment = cell_segment(dir->segments[i]);

        if (segment != last) {
            segment_retire(table, segment);
            last = segment;
        }
    }
    dir_retire(table, dir);
    table->n_live = 0;
}

static bool
is_live(const struct cell_table *table, uint64_t cell)
{
    return (cell & ~table->tag_mask) != 0;
}

static void
segment_insert(const struct cell_table *table, struct cell_segment *segment,
               uint64_t hash, uint64_t new)
{
    uint32_t line = cell_first_line(hash, segment->n_lines);

    for (;;) {
        _Atomic uint64_t *cells = &segment->cells[line * CELL_LINE_CELLS];

        for (unsigned int i = 0; i < CELL_LINE_CELLS; i++) {
            uint64_t cell = atomic_load_explicit(&cells[i],
                                                 memory_order_relaxed);

            if (!is_live(table, cell)) {
                segment->n_used += !cell;
                segment->n_live++;
                atomic_store_explicit(&cells[i], new, memory_order_release);
                return;
            }
        }
        line = (line + 1) & (segment->n_lines - 1);
    }
}

/* Copies the live cells into one segment, or by the next bit into two.  What
 * the table's hash() reads may be cold: fetch ahead. */
static void
segment_copy(const struct cell_table *table, const struct cell_segment *from,
             struct cell_segment *to[2])
{
    enum { AHEAD = 16 };
    uint32_t n_cells = from->n_lines * CELL_LINE_CELLS;
    uint64_t payload_mask = ~table->tag_mask;

    for (uint32_t i = 0; i < n_cells; i++) {
        uint64_t cell = atomic_load_explicit(&from->cells[i],
                                             memory_order_relaxed);

        if (i + AHEAD < n_cells && table->fetch_ofs) {
            const char *next = (const char *) (uintptr_t)
                (atomic_load_explicit(&from->cells[i + AHEAD],
                                      memory_order_relaxed) & payload_mask);

            __builtin_prefetch(next + table->fetch_ofs);
        }
        if (is_live(table, cell)) {
            uint64_t hash = table->hash(table->aux, cell);
            unsigned int half = to[1] ? hash >> (63 - from->depth) & 1 : 0;

            segment_insert(table, to[half], hash, cell);
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
    size_t first = (hash >> 1 >> (63 - dir->depth)) & ~(span - 1);

    for (size_t i = 0; i < span; i++) {
        bool upper = new[1] && i >= span / 2;

        atomic_store_explicit(&dir->segments[first + i],
                              segment_word(new[upper ? 1 : 0]),
                              memory_order_release);
    }
}

static struct cell_dir *
dir_double(struct cell_table *table, struct cell_dir *old)
{
    struct cell_dir *dir = dir_create(table, old->depth + 1);

    for (size_t i = 0; i < (size_t) 1 << dir->depth; i++) {
        atomic_init(&dir->segments[i],
                    atomic_load_explicit(&old->segments[i / 2],
                                         memory_order_relaxed));
    }
    atomic_store_explicit(&table->dir, dir, memory_order_release);
    dir_retire(table, old);
    return dir;
}

/* Makes room in the segment of `hash`: clears out dead cells, doubles it, or
 * splits it. */
static void
segment_make_room(struct cell_table *table, uint64_t hash)
{
    struct cell_dir *dir = writers_dir(table);
    struct cell_segment *old = segment_of(dir, hash);
    struct cell_segment *new[2] = { NULL, NULL };
    uint32_t n_cells = old->n_lines * CELL_LINE_CELLS;

    if (old->n_live < n_cells / 2) {
        new[0] = segment_create(table, old->n_lines, old->depth);
    } else if (old->n_lines < CELL_SEGMENT_LINES || old->depth >= MAX_DEPTH) {
        new[0] = segment_create(table, old->n_lines * 2, old->depth);
    } else {
        if (old->depth == dir->depth) {
            dir = dir_double(table, dir);
        }
        new[0] = segment_create(table, old->n_lines, old->depth + 1);
        new[1] = segment_create(table, old->n_lines, old->depth + 1);
    }
    segment_copy(table, old, new);
    dir_replace(dir, hash, old->depth, new);
    segment_retire(table, old);
}

void
cell_table_insert(struct cell_table *table, uint64_t hash, uint64_t cell)
{
    struct cell_dir *dir = writers_dir(table);
    struct cell_segment *segment;

    if (!dir) {
        dir = dir_create(table, 0);
        atomic_init(&dir->segments[0],
                    segment_word(segment_create(table, 1, 0)));
        atomic_store_explicit(&table->dir, dir, memory_order_release);
    }
    for (;;) {
        segment = segment_of(writers_dir(table), hash);
        if (segment->n_used < segment->n_lines * (CELL_LINE_CELLS * 3 / 4)) {
            break;
        }
        segment_make_room(table, hash);
    }
    segment_insert(table, segment, hash, cell);
    table->n_live++;
}

void
cell_table_remove(struct cell_table *table, uint64_t hash,
                  _Atomic uint64_t *cell)
{
    struct cell_segment *segment = segment_of(writers_dir(table), hash);
    uint64_t tag = atomic_load_explicit(cell, memory_order_relaxed)
                   & table->tag_mask;

    atomic_store_explicit(cell, tag, memory_order_release);
    segment->n_live--;
    if (!--table->n_live) {
        cell_table_fini(table);
    }
}

void
cell_table_visit(const struct cell_table *table,
                 bool (*visit)(void *aux, uint64_t cell), void *aux)
{
    const struct cell_dir *dir = atomic_load_explicit(&table->dir,
                                                      memory_order_acquire);
    const struct cell_segment *last = NULL;

    for (size_t i = 0; dir && i < (size_t) 1 << dir->depth; i++) {
        const struct cell_segment *segment =
            cell_segment(atomic_load_explicit(&dir->segments[i],
                                              memory_order_acquire));
        uint32_t n_cells = segment->n_lines * CELL_LINE_CELLS;

        if (segment == last) {
            continue;
        }
        last = segment;
        for (uint32_t j = 0; j < n_cells; j++) {
            uint64_t cell = atomic_load_explicit(&segment->cells[j],
                                                 memory_order_acquire);

            if (is_live(table, cell) && !visit(aux, cell)) {
                return;
            }
        }
    }
}
