#include "switch/mask_tree.h"

#include <stdlib.h>

#include "lib/str.h"

uint64_t
classifier_random(struct classifier *cls)
{
    return hash_u64(cls->key, ++cls->n_random);
}

/* ---- Nodes ---- */

static size_t
node_size(uint32_t n)
{
    return sizeof(struct mask_node) + n * sizeof(struct mask_word);
}

struct mask_node *
mask_node_create(struct classifier *cls, struct mask_node *parent,
                 const struct mask_word *bits, uint32_t n)
{
    struct mask_node *node = xzalloc(node_size(n));

    node->parent = parent;
    node->depth = parent ? parent->depth + 1 : 0;
    node->max_priority = -1;
    node->salt = classifier_random(cls);
    node->n = n;
    if (n) {
        memcpy(node->bits, bits, n * sizeof bits[0]);
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
ways_size(uint32_t n, uint32_t n_words)
{
    return sizeof(struct ways) + n * sizeof(struct way)
           + n_words * sizeof(struct mask_word);
}

/* Lookups reach it until the root's new ways are published. */
static void
retire_ways(struct classifier *cls, struct mask_node *node)
{
    if (node->ways) {
        cls->memory -= ways_size(node->ways->n, node->ways->n_words);
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

/* A list of ways in the making, from a node on. */
struct collection {
    struct classifier *cls;
    const struct mask_node *from;
    uint32_t n, size;
    struct collected_way {
        struct way way;
        const struct mask_node *gate;   /* NULL: leads to a tuple */
    } *list;
    uint64_t settled[FLOW_WORDS];       /* zero: that word is not */
    uint32_t n_words, size_words;
    struct mask_word *words;
};

static void
add_way(struct collection *to, struct way way, const struct mask_node *gate)
{
    if (to->n == to->size) {
        to->size = MAX(to->size * 2, 8u);
        to->list = xrealloc(to->list, to->size * sizeof *to->list);
    }
    to->list[to->n++] = (struct collected_way) { way, gate };
}

static void
add_tuple_way(struct collection *to, const struct tuple *tuple)
{
    add_way(to, (struct way) {
        .max_priority = tuple_max_priority(tuple),
        .n_levels = tuple->n_levels,
        .tuple = tuple,
    }, NULL);
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
add_gate_way(struct collection *to, struct mask_node *gate)
{
    struct way way = { .max_priority = -1, .n_levels = gate->depth };

    for (uint32_t i = 0; i < gate->n_children; i++) {
        way.max_priority = MAX(way.max_priority,
                               gate->children[i]->max_priority);
    }
    way.tuple = any_tuple(gate->children[0]);
    way.below = make_ways(to->cls, gate);
    add_way(to, way, gate);
}

static void
add_ways(struct collection *to, struct mask_node *node)
{
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
    add_gate_way(to, node);
}

static int
compare_ways(const void *a_, const void *b_)
{
    const struct collected_way *a = a_;
    const struct collected_way *b = b_;

    return a->way.max_priority < b->way.max_priority   ? 1
           : a->way.max_priority > b->way.max_priority ? -1 : 0;
}

static void
add_word(struct collection *to, struct mask_word word)
{
    if (to->n_words == to->size_words) {
        to->size_words = MAX(to->size_words * 2, 16u);
        to->words = xrealloc(to->words,
                             to->size_words * sizeof to->words[0]);
    }
    to->words[to->n_words++] = word;
}

/* Words of the path that no tuple of the list has more bits of. */
static void
settle_words(struct collection *to)
{
    for (const struct mask_node *n = to->from; n; n = n->parent) {
        for (uint32_t i = 0; i < n->n; i++) {
            to->settled[n->bits[i].word] |= n->bits[i].bits;
        }
    }
    for (uint32_t i = 0; i < to->n; i++) {
        const struct mask_words *mask = to->list[i].way.tuple->mask;

        for (uint32_t j = 0; !to->list[i].gate && j < mask->n; j++) {
            if (mask->list[j].bits != to->settled[mask->list[j].word]) {
                to->settled[mask->list[j].word] = 0;
            }
        }
    }
    for (uint32_t i = 0; i < FLOW_WORDS; i++) {
        if (to->settled[i]) {
            add_word(to, (struct mask_word) { to->settled[i], i, 0 });
        }
    }
}

static void
add_words_of(struct collection *to, struct collected_way *c)
{
    const struct mask_words *mask = c->way.tuple->mask;

    c->way.first = to->n_words;
    if (c->gate) {
        for (const struct mask_node *n = c->gate; n != to->from;
             n = n->parent) {
            c->way.salt += n->salt;
            for (uint32_t i = 0; i < n->n; i++) {
                add_word(to, n->bits[i]);
            }
        }
    } else {
        for (uint32_t i = 0; i < mask->n; i++) {
            if (!to->settled[mask->list[i].word]) {
                add_word(to, mask->list[i]);
            }
        }
    }
    c->way.n = to->n_words - c->way.first;
}

static struct ways *
ways_create(struct collection *from)
{
    struct ways *ways;

    if (from->n) {
        qsort(from->list, from->n, sizeof *from->list, compare_ways);
    }
    settle_words(from);
    for (uint32_t i = 0; i < from->n; i++) {
        add_words_of(from, &from->list[i]);
    }
    ways = xmalloc(ways_size(from->n, from->n_words));
    ways->n = from->n;
    ways->n_words = from->n_words;
    ways->n_settled = from->n ? from->list[0].way.first : 0;
    ways->words = (void *) &ways->list[from->n];
    for (uint32_t i = 0; i < from->n; i++) {
        ways->list[i] = from->list[i].way;
    }
    if (from->n_words) {
        memcpy(&ways->list[from->n], from->words,
               from->n_words * sizeof from->words[0]);
    }
    from->cls->memory += ways_size(ways->n, ways->n_words);
    return ways;
}

static const struct ways *
make_ways(struct classifier *cls, struct mask_node *node)
{
    struct collection c = { .cls = cls, .from = node };

    if (node->ways && !node->is_untidy) {
        return node->ways;
    }
    if (!node->parent && node->tuple) {
        add_tuple_way(&c, node->tuple);
    }
    for (uint32_t i = 0; i < node->n_children; i++) {
        add_ways(&c, node->children[i]);
    }
    retire_ways(cls, node);
    node->ways = ways_create(&c);
    free(c.words);
    free(c.list);
    return node->ways;
}

static void
set_priorities(struct mask_node *node)
{
    if (!node->is_untidy) {
        return;
    }
    node->max_priority = node->tuple ? tuple_max_priority(node->tuple) : -1;
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
