#include "switch/mask_tree.h"

#include <stdlib.h>

#include "lib/str.h"

void
keyed_word_init(struct keyed_word *kw, struct classifier *cls, uint64_t bits,
                uint32_t word, uint32_t value)
{
    kw->bits = bits;
    kw->key = hash_u64(cls->key, ++cls->n_keys);
    kw->factor = hash_u64(cls->key, ++cls->n_keys) | 1;
    kw->word = word;
    kw->value = value;
}

/* ---- Nodes ---- */

static size_t
node_size(uint32_t n)
{
    return sizeof(struct mask_node) + n * sizeof(struct keyed_word);
}

struct mask_node *
mask_node_create(struct classifier *cls, struct mask_node *parent,
                 const struct mask_word *bits, uint32_t n)
{
    struct mask_node *node = xzalloc(node_size(n));

    node->parent = parent;
    node->depth = parent ? parent->depth + 1 : 0;
    node->max_priority = -1;
    node->n = n;
    for (uint32_t i = 0; i < n; i++) {
        keyed_word_init(&node->bits[i], cls, bits[i].bits, bits[i].word, 0);
    }
    cls->memory += node_size(n);
    return node;
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

struct mask_node *
mask_node_find_child(const struct mask_node *node,
                     const struct mask_word *bits, uint32_t n)
{
    for (uint32_t i = 0; i < node->n_children; i++) {
        if (node_adds(node->children[i], bits, n)) {
            return node->children[i];
        }
    }
    return NULL;
}

void
mask_node_add_child(struct mask_node *node, struct mask_node *child)
{
    if (node->n_children == node->size_children) {
        node->size_children = MAX(node->size_children * 2, 2u);
        node->children = xrealloc(node->children, node->size_children
                                                  * sizeof *node->children);
    }
    node->children[node->n_children++] = child;
}

static void
remove_child(struct mask_node *node, const struct mask_node *child)
{
    for (uint32_t i = 0; i < node->n_children; i++) {
        if (node->children[i] == child) {
            node->children[i] = node->children[--node->n_children];
            return;
        }
    }
}

void
mask_node_count(struct mask_node *node, int change)
{
    for (; node; node = node->parent) {
        node->n_tuples = (uint32_t) ((int) node->n_tuples + change);
    }
}

void
mask_node_touch(struct classifier *cls, struct mask_node *node)
{
    for (; node && !node->is_untidy; node = node->parent) {
        node->is_untidy = true;
    }
    cls->is_untidy = true;
}

static size_t
ways_size(uint32_t n)
{
    return sizeof(struct ways) + n * sizeof(struct way);
}

/* Lookups reach it until the root's new ways are published. */
static void
retire_ways(struct classifier *cls, struct mask_node *node)
{
    if (node->ways) {
        cls->memory -= ways_size(node->ways->n);
        node->ways->next_retired = cls->retired;
        cls->retired = node->ways;
        node->ways = NULL;
    }
}

static void
free_retired(struct classifier *cls)
{
    struct ways *ways, *next;

    for (ways = cls->retired; ways; ways = next) {
        next = ways->next_retired;
        rcu_free(&ways->later);
    }
    cls->retired = NULL;
}

void
mask_node_prune(struct classifier *cls, struct mask_node *node)
{
    while (node->parent && !node->tuple && !node->n_children) {
        struct mask_node *parent = node->parent;

        remove_child(parent, node);
        retire_ways(cls, node);
        cls->memory -= node_size(node->n);
        free(node->children);
        free(node);
        node = parent;
    }
    mask_node_touch(cls, node);
}

/* ---- Ways ---- */

struct collection {
    struct classifier *cls;
    uint32_t n, size;
    struct way *list;
};

static void
add_way(struct collection *to, struct way way)
{
    if (to->n == to->size) {
        to->size = MAX(to->size * 2, 8u);
        to->list = xrealloc(to->list, to->size * sizeof *to->list);
    }
    to->list[to->n++] = way;
}

static void
add_tuple_way(struct collection *to, const struct tuple *tuple)
{
    add_way(to, (struct way) { tuple->max_priority, tuple->n_levels, tuple,
                               NULL });
}

static void
add_all_tuples(struct collection *to, const struct mask_node *node)
{
    if (node->tuple) {
        add_tuple_way(to, node->tuple);
    }
    for (uint32_t i = 0; i < node->n_children; i++) {
        add_all_tuples(to, node->children[i]);
    }
}

static const struct tuple *
any_tuple(const struct mask_node *node)
{
    while (!node->tuple) {
        node = node->children[0];
    }
    return node->tuple;
}

/* Where ways meet: not where there is only one way on. */
static bool
is_gate(const struct mask_node *node)
{
    return !node->parent ||
           (node->n_tuples > WAYS_FEW &&
            (node->tuple || node->n_children > 1));
}

static const struct ways *make_ways(struct classifier *, struct mask_node *);

static void
add_ways(struct collection *to, struct mask_node *node)
{
    int max = -1;

    if (node->n_tuples <= WAYS_FEW) {
        add_all_tuples(to, node);
        return;
    }
    while (!is_gate(node)) {
        node = node->children[0];
    }
    if (node->tuple) {
        add_tuple_way(to, node->tuple);
    }
    for (uint32_t i = 0; i < node->n_children; i++) {
        max = MAX(max, node->children[i]->max_priority);
    }
    add_way(to, (struct way) { max, node->depth,
                               any_tuple(node->children[0]),
                               make_ways(to->cls, node) });
}

static int
compare_ways(const void *a_, const void *b_)
{
    const struct way *a = a_;
    const struct way *b = b_;

    return a->max_priority < b->max_priority   ? 1
           : a->max_priority > b->max_priority ? -1 : 0;
}

static const struct ways *
make_ways(struct classifier *cls, struct mask_node *node)
{
    struct collection c = { .cls = cls };
    struct ways *ways;

    if (node->ways && !node->is_untidy) {
        return node->ways;
    }
    if (!node->parent && node->tuple) {
        add_tuple_way(&c, node->tuple);
    }
    for (uint32_t i = 0; i < node->n_children; i++) {
        add_ways(&c, node->children[i]);
    }
    ways = xmalloc(ways_size(c.n));
    ways->n = c.n;
    if (c.n) {
        qsort(c.list, c.n, sizeof *c.list, compare_ways);
        memcpy(ways->list, c.list, c.n * sizeof *c.list);
    }
    free(c.list);
    retire_ways(cls, node);
    cls->memory += ways_size(ways->n);
    node->ways = ways;
    return ways;
}

static void
set_priorities(struct mask_node *node)
{
    if (!node->is_untidy) {
        return;
    }
    node->max_priority = node->tuple ? node->tuple->max_priority : -1;
    for (uint32_t i = 0; i < node->n_children; i++) {
        set_priorities(node->children[i]);
        node->max_priority = MAX(node->max_priority,
                                 node->children[i]->max_priority);
    }
}

static void
settle(struct classifier *cls, struct mask_node *node)
{
    if (!node->is_untidy) {
        return;
    }
    node->is_untidy = false;
    if (!is_gate(node)) {
        retire_ways(cls, node);
    }
    for (uint32_t i = 0; i < node->n_children; i++) {
        settle(cls, node->children[i]);
    }
}

void
mask_tree_publish(struct classifier *cls)
{
    set_priorities(cls->root);
    atomic_store_explicit(&cls->ways, make_ways(cls, cls->root),
                          memory_order_release);
    settle(cls, cls->root);
    free_retired(cls);
}

void
mask_tree_fini(struct classifier *cls)
{
    retire_ways(cls, cls->root);
    free_retired(cls);
    free(cls->root->children);
    free(cls->root);
}
