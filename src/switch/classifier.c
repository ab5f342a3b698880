#include "switch/classifier.h"

#include <stdlib.h>

#include "lib/str.h"
#include "switch/steps.h"

/* ---- Hashes ----
 *
 * The hash of some masked words is the sum of one keyed term for each: terms do
 * not wait for each other, and the hash of a longer path is that of the shorter
 * one plus what was added.  Every word of every node and tuple has random
 * factors of its own. */

static void
keyed_word_init(struct keyed_word *kw, struct classifier *cls, uint64_t bits,
                uint32_t word, uint32_t value)
{
    kw->bits = bits;
    kw->key = hash_u64(cls->key, ++cls->n_keys);
    kw->factor = hash_u64(cls->key, ++cls->n_keys) | 1;
    kw->word = word;
    kw->value = value;
}

static inline uint64_t
hash_term(const struct keyed_word *kw, uint64_t word)
{
    __extension__ unsigned __int128 product =
        (unsigned __int128) ((word & kw->bits) ^ kw->key) * kw->factor;

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint64_t
hash_flow(const struct keyed_word *words, uint32_t n, const struct flow *flow)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < n; i++) {
        hash += hash_term(&words[i], flow->w[words[i].word]);
    }
    return hash;
}

static inline uint64_t
hash_values(const struct keyed_word *words, uint32_t n, const uint64_t *values)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < n; i++) {
        hash += hash_term(&words[i], values[words[i].value]);
    }
    return hash;
}

/* ---- Nodes ---- */

struct child {
    _Atomic int max_priority;     /* of all entries from there on down */
    struct mask_node *node;
    _Atomic(struct tuple *) lone; /* the only one there, if it is */
};

/* Replaced as a whole, but for priorities that rise: `is_sorted` is false
 * from then on until the next tidying. */
struct children {
    struct rcu_later later;
    _Atomic bool is_sorted;       /* by falling priority */
    uint32_t n;
    struct child list[];
};

struct mask_node {
    struct rcu_later later;
    _Atomic(struct tuple *) tuple;        /* that ends here */
    _Atomic(struct children *) children;
    struct mask_node *parent;
    uint32_t n_tuples;            /* here and further down */
    int max_priority;
    bool is_untidy;               /* here or further down */
    uint32_t n;
    struct keyed_word bits[];     /* that this node adds */
};

/* What a node on the way of a tuple adds: words of tuple->steps. */
struct tuple_level {
    uint32_t first, n;
};

static struct children *
node_children(const struct mask_node *node)
{
    return atomic_load_explicit(&node->children, memory_order_acquire);
}

static struct tuple *
node_tuple(const struct mask_node *node)
{
    return atomic_load_explicit(&node->tuple, memory_order_acquire);
}

static size_t
node_size(uint32_t n)
{
    return sizeof(struct mask_node) + n * sizeof(struct keyed_word);
}

static struct mask_node *
node_create(struct classifier *cls, struct mask_node *parent,
            const struct mask_word *bits, uint32_t n)
{
    struct mask_node *node = xzalloc(node_size(n));

    node->parent = parent;
    node->max_priority = -1;
    node->n = n;
    for (uint32_t i = 0; i < n; i++) {
        keyed_word_init(&node->bits[i], cls, bits[i].bits, bits[i].word, 0);
    }
    cls->memory += node_size(n);
    return node;
}

static struct children *
children_create(uint32_t n)
{
    struct children *children = xzalloc(sizeof *children
                                        + n * sizeof children->list[0]);

    children->n = n;
    return children;
}

static void
children_copy(struct child *to, const struct child *from)
{
    to->node = from->node;
    atomic_init(&to->max_priority,
                atomic_load_explicit(&from->max_priority,
                                     memory_order_relaxed));
    atomic_init(&to->lone, atomic_load_explicit(&from->lone,
                                                memory_order_relaxed));
}

static void
node_set_children(struct mask_node *node, struct children *new)
{
    struct children *old = node_children(node);

    atomic_store_explicit(&node->children, new, memory_order_release);
    if (old) {
        rcu_free(&old->later);
    }
}

static void
node_add_child(struct mask_node *node, struct mask_node *child)
{
    struct children *old = node_children(node);
    uint32_t n = old ? old->n : 0;
    struct children *new = children_create(n + 1);

    for (uint32_t i = 0; i < n; i++) {
        children_copy(&new->list[i], &old->list[i]);
    }
    new->list[n].node = child;
    atomic_init(&new->list[n].max_priority, child->max_priority);
    atomic_init(&new->is_sorted, false);
    node_set_children(node, new);
}

static void
node_remove_child(struct mask_node *node, const struct mask_node *child)
{
    struct children *old = node_children(node);
    struct children *new = NULL;

    if (old->n > 1) {
        uint32_t n = 0;

        new = children_create(old->n - 1);
        for (uint32_t i = 0; i < old->n; i++) {
            if (old->list[i].node != child) {
                children_copy(&new->list[n++], &old->list[i]);
            }
        }
        atomic_init(&new->is_sorted, atomic_load(&old->is_sorted));
    }
    node_set_children(node, new);
}

static bool
node_adds(const struct mask_node *node, const struct mask_word *bits,
          uint32_t n)
{
    bool same = node->n == n;

    for (uint32_t i = 0; same && i < n; i++) {
        same = node->bits[i].bits == bits[i].bits &&
               node->bits[i].word == bits[i].word;
    }
    return same;
}

static struct mask_node *
node_find_child(const struct mask_node *node, const struct mask_word *bits,
                uint32_t n)
{
    const struct children *children = node_children(node);

    for (uint32_t i = 0; children && i < children->n; i++) {
        if (node_adds(children->list[i].node, bits, n)) {
            return children->list[i].node;
        }
    }
    return NULL;
}

/* The only tuple from this node on down, or NULL. */
static struct tuple *
node_lone_tuple(const struct mask_node *node)
{
    if (node->n_tuples != 1) {
        return NULL;
    }
    while (!node_tuple(node)) {
        node = node_children(node)->list[0].node;
    }
    return node_tuple(node);
}

/* One tuple more or less at `node`.  Who is not alone any more is not looked up
 * as if it were; who is again alone waits for the next tidying. */
static void
count_tuple(struct mask_node *node, int change)
{
    for (; node; node = node->parent) {
        const struct children *siblings =
            node->parent ? node_children(node->parent) : NULL;

        node->n_tuples = (uint32_t) ((int) node->n_tuples + change);
        for (uint32_t i = 0; siblings && i < siblings->n; i++) {
            struct child *child =
                (struct child *) (uintptr_t) &siblings->list[i];

            if (child->node == node && node->n_tuples != 1) {
                atomic_store_explicit(&child->lone, NULL,
                                      memory_order_release);
            }
        }
    }
}

/* ---- Priorities ---- */

static void
children_set_priority(struct children *children, const struct mask_node *node,
                      int priority)
{
    for (uint32_t i = 0; i < children->n; i++) {
        if (children->list[i].node == node) {
            atomic_store_explicit(&children->is_sorted, false,
                                  memory_order_release);
            atomic_store_explicit(&children->list[i].max_priority, priority,
                                  memory_order_release);
            return;
        }
    }
}

/* Nothing of the tuple's path may be skipped for a priority below. */
static void
raise_priority(struct classifier *cls, struct tuple *tuple, int priority)
{
    struct mask_node *node = tuple->node;

    if (priority <= tuple->max_priority) {
        return;
    }
    atomic_store_explicit(&tuple->max_priority, priority,
                          memory_order_release);
    for (; node && priority > node->max_priority; node = node->parent) {
        node->max_priority = priority;
        if (node->parent) {
            children_set_priority(node_children(node->parent), node, priority);
        }
    }
    /* What lies above is untidy, too, up to the root. */
    for (node = tuple->node; node; node = node->parent) {
        node->is_untidy = true;
    }
    cls->is_untidy = true;
}

static bool
raise_to_entry(void *max, struct entry *entry)
{
    *(int *) max = MAX(*(int *) max, entry->priority);
    return true;
}

static int
child_compare(const void *a_, const void *b_)
{
    const struct child *a = a_;
    const struct child *b = b_;
    int pa = atomic_load_explicit(&a->max_priority, memory_order_relaxed);
    int pb = atomic_load_explicit(&b->max_priority, memory_order_relaxed);

    return pa < pb ? 1 : pa > pb ? -1 : 0;
}

static void
node_sort_children(struct mask_node *node)
{
    struct children *old = node_children(node);
    struct children *new = children_create(old->n);

    for (uint32_t i = 0; i < old->n; i++) {
        new->list[i].node = old->list[i].node;
        atomic_init(&new->list[i].max_priority,
                    old->list[i].node->max_priority);
        atomic_init(&new->list[i].lone, node_lone_tuple(old->list[i].node));
    }
    qsort(new->list, new->n, sizeof new->list[0], child_compare);
    atomic_init(&new->is_sorted, true);
    node_set_children(node, new);
}

/* Looking for the new highest priority costs a pass over the tuple: only after
 * a part of it went. */
static void
tuple_tidy(struct tuple *tuple)
{
    int max = -1;

    if (!tuple->max_is_stale || tuple->n_unlinked < tuple->n_entries / 4) {
        return;
    }
    tuple_visit(tuple, raise_to_entry, &max);
    atomic_store_explicit(&tuple->max_priority, max, memory_order_release);
    tuple->max_is_stale = false;
    tuple->n_unlinked = 0;
}

static void
node_tidy(struct mask_node *node)
{
    const struct children *children = node_children(node);
    struct tuple *tuple = node_tuple(node);

    if (!node->is_untidy) {
        return;
    }
    node->is_untidy = false;
    node->max_priority = -1;
    if (tuple) {
        tuple_tidy(tuple);
        node->max_priority = tuple->max_priority;
    }
    for (uint32_t i = 0; children && i < children->n; i++) {
        node_tidy(children->list[i].node);
        node->max_priority = MAX(node->max_priority,
                                 children->list[i].node->max_priority);
    }
    if (children) {
        node_sort_children(node);
    }
}

void
classifier_tidy(struct classifier *cls)
{
    if (cls->is_untidy) {
        cls->is_untidy = false;
        node_tidy(cls->root);
    }
}

/* ---- Tuples ---- */

/* Cells of a tuple: tag in the upper 16 bits, of the hash's lower ones; below,
 * the address of an entry. */
static const uint64_t ENTRY_TAG_MASK = UINT64_C(0xffff) << 48;

static uint64_t
entry_tag(uint64_t hash)
{
    return (hash | 1) << 48;
}

static struct entry *
cell_entry(uint64_t cell)
{
    return (struct entry *) (uintptr_t) (cell & ~ENTRY_TAG_MASK);
}

static uint64_t
entry_cell(uint64_t hash, const struct entry *entry)
{
    return entry_tag(hash) | (uintptr_t) entry;
}

static uint64_t
tuple_hash(const struct tuple *tuple, const uint64_t *values)
{
    return hash_values(tuple->words, tuple->mask->n, values);
}

/* The hashes at the inner nodes of the tuple's path, where its entries count;
 * returns how many. */
static unsigned int
tuple_prefixes(const struct tuple *tuple, const uint64_t *values,
               uint64_t hashes[MAX_STEPS])
{
    unsigned int n = tuple->n_levels ? tuple->n_levels - 1 : 0;
    uint64_t hash = 0;

    for (unsigned int i = 0; i < n; i++) {
        hash += hash_values(tuple->steps + tuple->levels[i].first,
                            tuple->levels[i].n, values);
        hashes[i] = hash;
    }
    return n;
}

static uint64_t
tuple_cell_hash(const void *tuple, uint64_t cell)
{
    return tuple_hash(tuple, cell_entry(cell)->values);
}

/* A path under construction. */
struct path {
    struct mask_node *node;
    uint32_t n_steps, n_levels;
    struct keyed_word steps[2 * FLOW_WORDS + MAX_STEPS];
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
    child = node_find_child(path->node, bits, n);
    if (!child) {
        child = node_create(cls, path->node, bits, n);
        node_add_child(path->node, child);
    }
    path->levels[path->n_levels++] =
        (struct tuple_level) { path->n_steps, n };
    for (uint32_t i = 0; i < n; i++) {
        struct keyed_word *step = &path->steps[path->n_steps++];

        *step = child->bits[i];
        step->value = values[i];
    }
    path->node = child;
}

static struct tuple *
tuple_create(struct classifier *cls, const struct mask_words *mask)
{
    size_t words_size = mask->n * sizeof(struct keyed_word);
    size_t size = sizeof(struct tuple) + words_size + mask_words_size(mask->n);
    struct tuple *tuple = xzalloc_aligned(size);
    struct path path = { .node = cls->root };

    for (unsigned int i = 0; i < cls->steps->n; i++) {
        path_step(&path, cls, mask, &cls->steps->list[i].bits);
    }
    tuple->mask = (void *) ((char *) tuple->words + words_size);
    memcpy(tuple->mask, mask, mask_words_size(mask->n));
    tuple->mask_hash = mask_words_hash(cls->key, mask);
    tuple->node = path.node;
    tuple->n_levels = path.n_levels;
    tuple->levels = xmemdup(path.levels,
                            path.n_levels * sizeof path.levels[0]);
    tuple->steps = xmemdup(path.steps, path.n_steps * sizeof path.steps[0]);
    for (uint32_t i = 0; i < mask->n; i++) {
        keyed_word_init(&tuple->words[i], cls, mask->list[i].bits,
                        mask->list[i].word, i);
    }
    tuple->memory = size + path.n_levels * sizeof path.levels[0]
                    + path.n_steps * sizeof path.steps[0];
    atomic_init(&tuple->max_priority, -1);
    cell_table_init(&tuple->cells, ENTRY_TAG_MASK, tuple_cell_hash, tuple);
    tuple->cells.fetch_ofs = offsetof(struct entry, values);
    cls->memory += tuple->memory;
    atomic_store_explicit(&tuple->node->tuple, tuple, memory_order_release);
    count_tuple(tuple->node, 1);
    return tuple;
}

static uint64_t
tuple_by_mask_hash(const void *aux UNUSED, uint64_t cell)
{
    const struct tuple *tuple = (const void *) (uintptr_t)
                                (cell & ~ENTRY_TAG_MASK);

    return tuple->mask_hash;
}

static bool
tuple_has_mask(const void *mask, uint64_t cell)
{
    const struct tuple *tuple = (const void *) (uintptr_t)
                                (cell & ~ENTRY_TAG_MASK);

    return mask_words_equal(tuple->mask, mask);
}

static _Atomic uint64_t *
find_tuple_cell(const struct classifier *cls, const struct mask_words *mask,
                uint64_t hash)
{
    _Atomic uint64_t *place;

    return cell_table_find(&cls->tuples, hash, entry_tag(hash),
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
    cls->last = (struct tuple *) (uintptr_t) (*cell & ~ENTRY_TAG_MASK);
    return cls->last;
}

struct tuple *
classifier_get_tuple(struct classifier *cls, const struct mask_words *mask)
{
    struct tuple *tuple = classifier_find_tuple(cls, mask);

    if (!tuple) {
        tuple = tuple_create(cls, mask);
        cell_table_insert(&cls->tuples, tuple->mask_hash,
                          entry_tag(tuple->mask_hash) | (uintptr_t) tuple);
        cls->n_tuples++;
        cls->last = tuple;
    }
    return tuple;
}

/* Nodes that lead nowhere any more go. */
static void
prune(struct classifier *cls, struct mask_node *node)
{
    while (node->parent && !node_tuple(node) && !node_children(node)) {
        struct mask_node *parent = node->parent;

        node_remove_child(parent, node);
        cls->memory -= node_size(node->n);
        rcu_free(&node->later);
        node = parent;
    }
    for (; node; node = node->parent) {
        node->is_untidy = true;
    }
    cls->is_untidy = true;
}

static void
tuple_free(struct rcu_later *later)
{
    free(CONTAINER_OF(later, struct tuple, later));
}

static void
tuple_retire(struct classifier *cls, struct tuple *tuple)
{
    _Atomic uint64_t *cell = find_tuple_cell(cls, tuple->mask,
                                             tuple->mask_hash);

    cell_table_remove(&cls->tuples, tuple->mask_hash, cell);
    atomic_store_explicit(&tuple->node->tuple, NULL, memory_order_release);
    count_tuple(tuple->node, -1);
    prune(cls, tuple->node);
    cell_table_fini(&tuple->cells);
    cls->memory -= tuple->memory;
    cls->n_tuples--;
    if (cls->last == tuple) {
        cls->last = NULL;
    }
    free(tuple->steps);
    free(tuple->levels);
    rcu_call(&tuple->later, tuple_free);
}

bool
classifier_drop_tuple(struct classifier *cls, struct tuple *tuple)
{
    if (tuple->n_entries) {
        return false;
    }
    tuple_retire(cls, tuple);
    return true;
}

/* ---- Prefixes: how many entries lie below a node, by value ---- */

static const uint64_t PREFIX_TAG_MASK = UINT64_C(0xffffffff) << 32;

static uint64_t
prefix_tag(uint64_t hash)
{
    return (hash | UINT64_C(1) << 32) & PREFIX_TAG_MASK;
}

static uint64_t
prefix_cell_hash(const void *aux UNUSED, uint64_t cell)
{
    return cell;
}

static bool
prefix_has(const struct classifier *cls, uint64_t hash)
{
    return cell_table_find(&cls->prefixes, hash, prefix_tag(hash), NULL, NULL,
                           NULL) != 0;
}

static void
prefix_add(struct classifier *cls, uint64_t hash)
{
    _Atomic uint64_t *place;
    uint64_t cell = cell_table_find(&cls->prefixes, hash, prefix_tag(hash),
                                    NULL, NULL, &place);

    if (cell) {
        atomic_store_explicit(place, cell + 1, memory_order_relaxed);
    } else {
        cell_table_insert(&cls->prefixes, hash, prefix_tag(hash) | 1);
    }
}

static void
prefix_remove(struct classifier *cls, uint64_t hash)
{
    _Atomic uint64_t *place;
    uint64_t cell = cell_table_find(&cls->prefixes, hash, prefix_tag(hash),
                                    NULL, NULL, &place);

    if ((uint32_t) cell == 1) {
        cell_table_remove(&cls->prefixes, hash, place);
    } else {
        atomic_store_explicit(place, cell - 1, memory_order_relaxed);
    }
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

    return !memcmp(cell_entry(cell)->values, ref->values,
                   ref->tuple->mask->n * sizeof ref->values[0]);
}

static _Atomic uint64_t *
find_entry_cell(const struct tuple *tuple, const uint64_t *values,
                uint64_t hash)
{
    struct values_ref ref = { tuple, values };
    _Atomic uint64_t *place;

    return cell_table_find(&tuple->cells, hash, entry_tag(hash),
                           entry_has_values, &ref, &place) ? place : NULL;
}

struct entry *
tuple_find(const struct tuple *tuple, const uint64_t *values)
{
    _Atomic uint64_t *cell = find_entry_cell(tuple, values,
                                             tuple_hash(tuple, values));

    return cell ? cell_entry(*cell) : NULL;
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
    struct entry *next = cell_entry(*cell);

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

    raise_priority(cls, tuple, entry->priority);
    for (unsigned int i = 0; i < n; i++) {
        prefix_add(cls, prefixes[i]);
    }
    if (cell) {
        chain_insert(cell, hash, entry);
    } else {
        atomic_init(&entry->next, NULL);
        cell_table_insert(&tuple->cells, hash, entry_cell(hash, entry));
    }
    tuple->n_entries++;
    cls->n_entries++;
}

static void
chain_remove(struct tuple *tuple, _Atomic uint64_t *cell, uint64_t hash,
             const struct entry *entry)
{
    struct entry *prev = cell_entry(*cell);
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
        prefix_remove(cls, prefixes[i]);
    }
    cls->n_entries--;
    tuple->n_unlinked++;
    if (!--tuple->n_entries) {
        tuple_retire(cls, tuple);
    } else if (entry->priority >= tuple->max_priority) {
        tuple->max_is_stale = true;
        cls->is_untidy = true;
        for (struct mask_node *node = tuple->node; node; node = node->parent) {
            node->is_untidy = true;
        }
    }
}

/* ---- Lookup ---- */

struct lookup {
    const struct classifier *cls;
    const struct flow *flow;
    struct flow_mask *wc;
    uint64_t version;
    const struct entry *best;
    int best_priority;
    unsigned int n_refine;        /* probes left for shorter reasons */
};

struct match_ref {
    const struct mask_words *mask;
    const struct flow *flow;
};

static bool
entry_matches(const void *ref_, uint64_t cell)
{
    const struct match_ref *ref = ref_;

    return mask_words_hold(ref->mask, cell_entry(cell)->values, ref->flow);
}

/* Did every bit of the tuple's mask decide? */
static bool
lookup_tuple(struct lookup *l, const struct tuple *tuple, uint64_t hash)
{
    struct match_ref ref = { tuple->mask, l->flow };
    uint64_t cell = cell_table_find(&tuple->cells, hash, entry_tag(hash),
                                    entry_matches, &ref, NULL);
    const struct entry *entry;

    if (!cell) {
        return false;
    }
    entry = cell_entry(cell);
    while (entry && entry->priority > l->best_priority) {
        if (entry_visible(entry, l->version)) {
            l->best = entry;
            l->best_priority = entry->priority;
            break;
        }
        entry = entry_next(entry);
    }
    return true;
}

static uint64_t
tuple_hash_flow(const struct tuple *tuple, const struct flow *flow)
{
    return hash_flow(tuple->words, tuple->mask->n, flow);
}

static void
mark_node(struct flow_mask *wc, const struct mask_node *node)
{
    for (uint32_t i = 0; i < node->n; i++) {
        wc->bits.w[node->bits[i].word] |= node->bits[i].bits;
    }
}

/* The whole path. */
static void
mark_tuple(struct flow_mask *wc, const struct tuple *tuple)
{
    for (uint32_t i = 0; i < tuple->mask->n; i++) {
        wc->bits.w[tuple->mask->list[i].word] |= tuple->mask->list[i].bits;
    }
}

static bool
is_marked(const struct flow_mask *wc, const struct mask_node *node)
{
    for (uint32_t i = 0; i < node->n; i++) {
        if (node->bits[i].bits & ~wc->bits.w[node->bits[i].word]) {
            return false;
        }
    }
    return true;
}

/* The next node where there is nothing to choose; NULL: the path ends, at a
 * tuple or where it branches. */
static const struct mask_node *
only_way(const struct mask_node *node)
{
    const struct children *children = node_children(node);

    return node_tuple(node) || !children || children->n > 1
           ? NULL : children->list[0].node;
}

/* Nothing was found from `node`, down the only way, to its end: marks as much of
 * that way as suffices to say so.  `hash` is that of the path above. */
static void
mark_reason(struct lookup *l, const struct mask_node *node, uint64_t hash)
{
    while (node) {
        const struct mask_node *next = only_way(node);
        bool was_marked = is_marked(l->wc, node);

        hash += hash_flow(node->bits, node->n, l->flow);
        mark_node(l->wc, node);
        /* Of what is marked already, only the last tells something new. */
        if (next && l->n_refine > 0 &&
            !(was_marked && is_marked(l->wc, next))) {
            l->n_refine--;
            if (!prefix_has(l->cls, hash)) {
                return;
            }
        }
        node = next;
    }
}

static void
mark_way(struct lookup *l, const struct mask_node *node)
{
    for (; node; node = only_way(node)) {
        mark_node(l->wc, node);
    }
}

/* A tuple that is alone below `node`: no need to go down there. */
static bool
lookup_lone(struct lookup *l, const struct child *child,
            const struct tuple *tuple, uint64_t tuple_hash_, uint64_t above)
{
    if (lookup_tuple(l, tuple, tuple_hash_)) {
        if (l->wc) {
            mark_tuple(l->wc, tuple);
        }
    } else if (l->wc && l->n_refine > 0) {
        if (!mask_words_within(tuple->mask, l->wc)) {
            mark_reason(l, child->node, above);
        }
    } else if (l->wc) {
        mark_tuple(l->wc, tuple);
    }
    return true;
}

static bool
can_beat(const struct child *child, int priority)
{
    return atomic_load_explicit(&child->max_priority, memory_order_acquire)
           > priority;
}

static bool
any_can_beat(const struct children *children, int priority)
{
    if (atomic_load_explicit(&children->is_sorted, memory_order_acquire)) {
        return can_beat(&children->list[0], priority);
    }
    for (uint32_t i = 0; i < children->n; i++) {
        if (can_beat(&children->list[i], priority)) {
            return true;
        }
    }
    return false;
}

static bool lookup_children(struct lookup *, const struct children *,
                            uint64_t hash);

/* Looks for entries from this node on down; the priority says that there may be
 * a better one.  `above` is the hash of the path so far.  Did the answer depend
 * on that path? */
static bool
lookup_node(struct lookup *l, const struct mask_node *first, uint64_t above)
{
    const struct mask_node *node = first, *next = first;
    const struct children *children;
    const struct tuple *tuple;
    uint64_t hash = above;
    bool has_looked = false;
    bool is_decided = false;

    for (; next; next = only_way(next)) {
        node = next;
        hash += hash_flow(node->bits, node->n, l->flow);
    }
    tuple = node_tuple(node);
    children = node_children(node);

    if (tuple && atomic_load_explicit(&tuple->max_priority,
                                      memory_order_acquire)
                     > l->best_priority) {
        has_looked = true;
        is_decided = lookup_tuple(l, tuple, tuple_hash_flow(tuple, l->flow));
    }
    if (children && any_can_beat(children, l->best_priority)) {
        if (!prefix_has(l->cls, hash)) {
            has_looked = true;
        } else if (lookup_children(l, children, hash)) {
            is_decided = true;
        }
    }
    if (l->wc && is_decided) {
        mark_way(l, first);
    } else if (l->wc && has_looked) {
        mark_reason(l, first, above);
    }
    return has_looked || is_decided;
}

static struct tuple *
child_lone(const struct child *child)
{
    return atomic_load_explicit(&child->lone, memory_order_acquire);
}

/* Of a tuple that is alone: what there is to hash with. */
static void
prefetch_tuple(const struct child *child)
{
    const struct tuple *tuple = child_lone(child);

    if (tuple) {
        __builtin_prefetch(tuple);
        __builtin_prefetch(tuple->words);
        __builtin_prefetch((const char *) tuple->words + CACHE_LINE);
    }
}

/* Tuples that are alone are fetched ahead, first their words, then the line
 * where their entry would be: with hundreds of them the memory's latency would
 * be what counts. */
static bool
lookup_children(struct lookup *l, const struct children *children,
                uint64_t hash)
{
    enum { AHEAD = 8 };
    bool is_sorted = atomic_load_explicit(&children->is_sorted,
                                          memory_order_acquire);
    uint64_t hashes[AHEAD];
    const struct tuple *tuples[AHEAD] = { NULL };
    bool has_looked = false;

    for (uint32_t i = 0; i < children->n; i++) {
        const struct child *child = &children->list[i];
        const struct tuple *lone = tuples[i % AHEAD];
        uint64_t lone_hash = hashes[i % AHEAD];

        if (i + 2 * AHEAD < children->n) {
            prefetch_tuple(&children->list[i + 2 * AHEAD]);
        }
        if (i + AHEAD < children->n) {
            const struct child *ahead = &children->list[i + AHEAD];
            const struct tuple *tuple = can_beat(ahead, l->best_priority)
                                        ? child_lone(ahead) : NULL;

            tuples[i % AHEAD] = tuple;
            if (tuple) {
                hashes[i % AHEAD] = tuple_hash_flow(tuple, l->flow);
                cell_table_prefetch(&tuple->cells, hashes[i % AHEAD]);
            }
        } else {
            tuples[i % AHEAD] = NULL;
        }
        if (can_beat(child, l->best_priority)) {
            if (!lone && (lone = child_lone(child))) {
                lone_hash = tuple_hash_flow(lone, l->flow);
            }
            has_looked |= lone ? lookup_lone(l, child, lone, lone_hash, hash)
                               : lookup_node(l, child->node, hash);
        } else if (is_sorted) {
            break;
        }
    }
    return has_looked;
}

const struct entry *
classifier_lookup(const struct classifier *cls, uint64_t version,
                  const struct flow *flow, struct flow_mask *wc)
{
    const struct mask_node *root = cls->root;
    const struct tuple *tuple = node_tuple(root);
    const struct children *children = node_children(root);
    struct lookup l = {
        .cls = cls,
        .flow = flow,
        .wc = wc,
        .version = version,
        .best_priority = -1,
        .n_refine = CLASSIFIER_REFINE_MAX,
    };

    if (tuple) {
        lookup_tuple(&l, tuple, tuple_hash_flow(tuple, flow));
    }
    if (children) {
        lookup_children(&l, children, 0);
    }
    return l.best;
}

/* ---- The whole ---- */

void
classifier_init(struct classifier *cls, const struct steps *steps,
                struct hash_key key)
{
    memset(cls, 0, sizeof *cls);
    cls->key = key;
    cls->steps = steps;
    cls->root = node_create(cls, NULL, NULL, 0);
    cell_table_init(&cls->prefixes, PREFIX_TAG_MASK, prefix_cell_hash, NULL);
    cell_table_init(&cls->tuples, ENTRY_TAG_MASK, tuple_by_mask_hash, NULL);
}

void
classifier_fini(struct classifier *cls)
{
    assert(!cls->n_entries);
    cell_table_fini(&cls->prefixes);
    cell_table_fini(&cls->tuples);
    free(cls->root);
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

    v->is_done = !v->visit(v->aux, (struct tuple *) (uintptr_t)
                                   (cell & ~ENTRY_TAG_MASK));
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

    for (struct entry *entry = cell_entry(cell), *next; entry; entry = next) {
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
    *(size_t *) sum += tuple->cells.memory;
    return true;
}

size_t
classifier_memory(const struct classifier *cls)
{
    size_t sum = cls->memory + cls->prefixes.memory + cls->tuples.memory;

    classifier_visit_tuples(cls, add_tuple_memory, &sum);
    return sum;
}
