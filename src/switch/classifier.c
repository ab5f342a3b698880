#include "switch/classifier.h"

#include <stdlib.h>

#include "lib/str.h"
#include "switch/mask_tree.h"
#include "switch/prefixes.h"
#include "switch/steps.h"

/* ---- Tuples ---- */

static uint64_t
entry_cell(uint64_t hash, const struct entry *entry)
{
    return classifier_cell(hash, entry->priority, entry);
}

static uint64_t
tuple_hash(const struct tuple *tuple, const uint64_t *values)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < tuple->mask->n; i++) {
        hash += hash_term(&tuple->cls->keys[tuple->mask->list[i].word],
                          values[i]);
    }
    return hash;
}

/* The hashes at the inner nodes of the tuple's path, where its entries count;
 * returns how many.  Has the counters fetched. */
static unsigned int
tuple_prefixes(const struct tuple *tuple, const uint64_t *values,
               uint64_t hashes[MAX_STEPS])
{
    const struct cell_table *prefixes = &tuple->cls->prefixes;
    unsigned int n = tuple->n_levels ? tuple->n_levels - 1 : 0;
    const struct path_word *step = tuple->steps;
    struct cell_probe probe;
    uint64_t hash = 0;

    for (unsigned int i = 0; i < n; i++) {
        hash += tuple->levels[i].salt;
        for (uint32_t j = 0; j < tuple->levels[i].n; j++, step++) {
            hash += hash_term(&tuple->cls->keys[step->word],
                              values[step->value] & step->bits);
        }
        hashes[i] = hash;
        probe = cell_table_probe(prefixes, hash);
        cell_probe_fetch(&probe);
        cell_probe_fetch_cells(&probe);
    }
    return n;
}

static uint64_t
tuple_cell_hash(const void *tuple, uint64_t cell)
{
    return tuple_hash(tuple, classifier_cell_entry(cell)->values);
}

/* A path under construction. */
struct path {
    struct mask_node *node;
    uint32_t n_steps, n_levels;
    struct path_word steps[2 * FLOW_WORDS + MAX_STEPS];
    struct tuple_level levels[MAX_STEPS];
};

/* One step down, along the bits of the mask that belong to this step. */
static void
path_step(struct path *path, struct classifier *cls,
          const struct mask_words *mask, const struct flow *step_bits)
{
    struct mask_word bits[FLOW_WORDS];
    uint32_t values[FLOW_WORDS];
    struct mask_node *child;
    uint32_t n = 0;

    for (uint32_t i = 0; i < mask->n; i++) {
        uint32_t word = mask->list[i].word;
        uint64_t both = mask->list[i].bits & step_bits->w[word];

        if (both) {
            values[n] = i;
            bits[n++] = (struct mask_word) { both, word, 0 };
        }
    }
    if (!n) {
        return;
    }
    child = mask_node_find_child(path->node, bits, n);
    if (!child) {
        child = mask_node_create(cls, path->node, bits, n);
        mask_node_add_child(path->node, child);
    }
    path->levels[path->n_levels++] =
        (struct tuple_level) { path->n_steps, n, child->salt };
    for (uint32_t i = 0; i < n; i++) {
        path->steps[path->n_steps++] =
            (struct path_word) { bits[i].bits, bits[i].word, values[i] };
    }
    path->node = child;
}

static void
fetch_values(uint64_t cell)
{
    const struct entry *entry = classifier_cell_entry(cell);

    /* An empty cell has none. */
    if (entry) {
        __builtin_prefetch(entry->values);
    }
}

static struct tuple *
tuple_create(struct classifier *cls, const struct mask_words *mask)
{
    size_t size = sizeof(struct tuple) + mask_words_size(mask->n);
    struct tuple *tuple = xzalloc_aligned(size);
    struct path path = { .node = cls->root };

    for (unsigned int i = 0; i < cls->steps->n; i++) {
        path_step(&path, cls, mask, &cls->steps->list[i].bits);
    }
    tuple->cls = cls;
    tuple->mask = (void *) (tuple + 1);
    memcpy(tuple->mask, mask, mask_words_size(mask->n));
    tuple->mask_hash = mask_words_hash(cls->key, mask);
    tuple->node = path.node;
    tuple->n_levels = path.n_levels;
    tuple->levels = xmemdup(path.levels,
                            path.n_levels * sizeof path.levels[0]);
    tuple->steps = xmemdup(path.steps, path.n_steps * sizeof path.steps[0]);
    tuple->memory = size + path.n_levels * sizeof path.levels[0]
                    + path.n_steps * sizeof path.steps[0];
    cell_table_init(&tuple->cells, CLASSIFIER_TAG_MASK, tuple_cell_hash, tuple);
    tuple->cells.fetch = fetch_values;
    cls->memory += tuple->memory;
    tuple->node->tuple = tuple;
    mask_node_count(tuple->node, 1);
    mask_node_touch(cls, tuple->node);
    return tuple;
}

static uint64_t
tuple_by_mask_hash(const void *aux UNUSED, uint64_t cell)
{
    const struct tuple *tuple = classifier_cell_address(cell);

    return tuple->mask_hash;
}

static bool
tuple_has_mask(const void *mask, uint64_t cell)
{
    const struct tuple *tuple = classifier_cell_address(cell);

    return mask_words_equal(tuple->mask, mask);
}

static _Atomic uint64_t *
find_tuple_cell(const struct classifier *cls, const struct mask_words *mask,
                uint64_t hash)
{
    _Atomic uint64_t *place;

    return cell_table_find(&cls->tuples, hash, classifier_tag(hash),
                           tuple_has_mask, mask, &place) ? place : NULL;
}

struct tuple *
classifier_find_tuple(struct classifier *cls, const struct mask_words *mask)
{
    _Atomic uint64_t *cell;

    if (cls->last && mask_words_equal(cls->last->mask, mask)) {
        return cls->last;
    }
    cell = find_tuple_cell(cls, mask, mask_words_hash(cls->key, mask));
    if (!cell) {
        return NULL;
    }
    cls->last = classifier_cell_address(*cell);
    return cls->last;
}

struct tuple *
classifier_get_tuple(struct classifier *cls, const struct mask_words *mask)
{
    struct tuple *tuple = classifier_find_tuple(cls, mask);

    if (!tuple) {
        tuple = tuple_create(cls, mask);
        cell_table_insert(&cls->tuples, tuple->mask_hash,
                          classifier_cell(tuple->mask_hash, 0, tuple));
        cls->n_tuples++;
        cls->last = tuple;
    }
    return tuple;
}

static void
tuple_free(struct rcu_later *later)
{
    struct tuple *tuple = CONTAINER_OF(later, struct tuple, later);

    free(tuple->steps);
    free(tuple->levels);
    free(tuple);
}

static void
tuple_remove(struct classifier *cls, struct tuple *tuple)
{
    _Atomic uint64_t *cell = find_tuple_cell(cls, tuple->mask,
                                             tuple->mask_hash);

    cell_table_remove(&cls->tuples, tuple->mask_hash, cell);
    tuple->node->tuple = NULL;
    mask_node_count(tuple->node, -1);
    mask_node_prune(cls, tuple->node);
    cls->memory -= tuple->memory;
    cls->n_tuples--;
    if (cls->last == tuple) {
        cls->last = NULL;
    }
}

/* Takes what is empty out of the tree, into a list by `next_empty`. */
static void
tidy_tuples(struct classifier *cls, struct tuple **empty)
{
    struct tuple *tuple, *next;

    for (tuple = cls->untidy; tuple; tuple = next) {
        next = tuple->next_untidy;
        tuple->is_untidy = false;
        if (!tuple->priorities.n) {
            tuple_remove(cls, tuple);
            tuple->next_untidy = *empty;
            *empty = tuple;
        }
    }
    cls->untidy = NULL;
}

/* To be looked at, at the next tidying. */
static void
tuple_touch(struct classifier *cls, struct tuple *tuple)
{
    mask_node_touch(cls, tuple->node);
    if (!tuple->is_untidy) {
        tuple->is_untidy = true;
        tuple->next_untidy = cls->untidy;
        cls->untidy = tuple;
    }
}

void
classifier_tidy(struct classifier *cls)
{
    struct tuple *empty = NULL, *next;

    if (!cls->is_untidy) {
        return;
    }
    cls->is_untidy = false;
    tidy_tuples(cls, &empty);
    mask_tree_publish(cls);
    /* No new lookup finds them from now on. */
    for (; empty; empty = next) {
        next = empty->next_untidy;
        cell_table_fini(&empty->cells);
        rcu_call(&empty->later, tuple_free);
    }
    cls->is_untidy = false;
}

/* ---- Entries ---- */

struct values_ref {
    const struct tuple *tuple;
    const uint64_t *values;
};

static bool
entry_has_values(const void *ref_, uint64_t cell)
{
    const struct values_ref *ref = ref_;

    return !memcmp(classifier_cell_entry(cell)->values, ref->values,
                   ref->tuple->mask->n * sizeof ref->values[0]);
}

static _Atomic uint64_t *
find_entry_cell(const struct tuple *tuple, const uint64_t *values,
                uint64_t hash)
{
    struct values_ref ref = { tuple, values };
    _Atomic uint64_t *place;

    return cell_table_find(&tuple->cells, hash, classifier_tag(hash),
                           entry_has_values, &ref, &place) ? place : NULL;
}

struct entry *
tuple_find(const struct tuple *tuple, const uint64_t *values)
{
    _Atomic uint64_t *cell = find_entry_cell(tuple, values,
                                             tuple_hash(tuple, values));

    return cell ? classifier_cell_entry(*cell) : NULL;
}

static struct entry *
entry_next(const struct entry *entry)
{
    return atomic_load_explicit(&entry->next, memory_order_acquire);
}

/* Puts it before the first of the chain that has no higher priority. */
static void
chain_insert(_Atomic uint64_t *cell, uint64_t hash, struct entry *entry)
{
    struct entry *prev = NULL;
    struct entry *next = classifier_cell_entry(*cell);

    while (next && next->priority > entry->priority) {
        prev = next;
        next = entry_next(next);
    }
    atomic_init(&entry->next, next);
    if (prev) {
        atomic_store_explicit(&prev->next, entry, memory_order_release);
    } else {
        atomic_store_explicit(cell, entry_cell(hash, entry),
                              memory_order_release);
    }
}

void
classifier_insert(struct classifier *cls, struct entry *entry)
{
    struct tuple *tuple = entry->tuple;
    uint64_t hash = tuple_hash(tuple, entry->values);
    uint64_t prefixes[MAX_STEPS];
    unsigned int n = tuple_prefixes(tuple, entry->values, prefixes);
    _Atomic uint64_t *cell = find_entry_cell(tuple, entry->values, hash);

    if (entry->priority > tuple_max_priority(tuple)) {
        mask_node_touch(cls, tuple->node);
    }
    priority_counts_add(&tuple->priorities, entry->priority);
    for (unsigned int i = 0; i < n; i++) {
        prefixes_add(&cls->prefixes, prefixes[i]);
    }
    if (cell) {
        chain_insert(cell, hash, entry);
    } else {
        atomic_init(&entry->next, NULL);
        cell_table_insert(&tuple->cells, hash, entry_cell(hash, entry));
    }
    cls->n_entries++;
}

static void
chain_remove(struct tuple *tuple, _Atomic uint64_t *cell, uint64_t hash,
             const struct entry *entry)
{
    struct entry *prev = classifier_cell_entry(*cell);
    struct entry *next = entry_next(entry);

    if (prev != entry) {
        while (entry_next(prev) != entry) {
            prev = entry_next(prev);
        }
        atomic_store_explicit(&prev->next, next, memory_order_release);
    } else if (next) {
        atomic_store_explicit(cell, entry_cell(hash, next),
                              memory_order_release);
    } else {
        cell_table_remove(&tuple->cells, hash, cell);
    }
}

void
classifier_unlink(struct classifier *cls, struct entry *entry)
{
    struct tuple *tuple = entry->tuple;
    uint64_t hash = tuple_hash(tuple, entry->values);
    uint64_t prefixes[MAX_STEPS];
    unsigned int n = tuple_prefixes(tuple, entry->values, prefixes);

    chain_remove(tuple, find_entry_cell(tuple, entry->values, hash), hash,
                 entry);
    for (unsigned int i = 0; i < n; i++) {
        prefixes_remove(&cls->prefixes, prefixes[i]);
    }
    cls->n_entries--;
    priority_counts_remove(&tuple->priorities, entry->priority);
    if (tuple_max_priority(tuple) < entry->priority) {
        tuple_touch(cls, tuple);
    }
}

/* ---- The whole ---- */

void
classifier_init(struct classifier *cls, const struct steps *steps,
                struct hash_key key)
{
    memset(cls, 0, sizeof *cls);
    cls->key = key;
    cls->steps = steps;
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        cls->keys[i].key = classifier_random(cls);
        cls->keys[i].factor = classifier_random(cls) | 1;
    }
    cls->root = mask_node_create(cls, NULL, NULL, 0);
    mask_tree_publish(cls);
    prefixes_init(&cls->prefixes);
    cell_table_init(&cls->tuples, CLASSIFIER_TAG_MASK, tuple_by_mask_hash, NULL);
}

void
classifier_fini(struct classifier *cls)
{
    assert(!cls->n_entries);
    classifier_tidy(cls);
    cell_table_fini(&cls->prefixes);
    cell_table_fini(&cls->tuples);
    mask_tree_fini(cls);
}

struct visit_tuples {
    bool (*visit)(void *aux, struct tuple *);
    void *aux;
    bool is_done;
};

static bool
visit_tuple_cell(void *v_, uint64_t cell)
{
    struct visit_tuples *v = v_;

    v->is_done = !v->visit(v->aux, classifier_cell_address(cell));
    return !v->is_done;
}

bool
classifier_visit_tuples(const struct classifier *cls,
                        bool (*visit)(void *aux, struct tuple *), void *aux)
{
    struct visit_tuples v = { visit, aux, false };

    cell_table_visit(&cls->tuples, visit_tuple_cell, &v);
    return !v.is_done;
}

struct visit_entries {
    bool (*visit)(void *aux, struct entry *);
    void *aux;
    bool is_done;
};

static bool
visit_entry_cell(void *v_, uint64_t cell)
{
    struct visit_entries *v = v_;

    for (struct entry *entry = classifier_cell_entry(cell), *next; entry; entry = next) {
        next = entry_next(entry);
        if (!v->visit(v->aux, entry)) {
            v->is_done = true;
            return false;
        }
    }
    return true;
}

bool
tuple_visit(const struct tuple *tuple,
            bool (*visit)(void *aux, struct entry *), void *aux)
{
    struct visit_entries v = { visit, aux, false };

    cell_table_visit(&tuple->cells, visit_entry_cell, &v);
    return !v.is_done;
}

static bool
add_tuple_memory(void *sum, struct tuple *tuple)
{
    *(size_t *) sum += tuple->cells.memory + tuple->priorities.memory;
    return true;
}

size_t
classifier_memory(const struct classifier *cls)
{
    size_t sum = cls->memory + cls->prefixes.memory + cls->tuples.memory;

    classifier_visit_tuples(cls, add_tuple_memory, &sum);
    return sum;
}
