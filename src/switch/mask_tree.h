/* The tree of masks: the writer's tree, and the ways that lookups take.
 *
 * The writer keeps one node for every distinct beginning of a mask.  Lookups
 * never see the nodes: at each tidying, lists of ways are made of what changed
 * and published together.  A way leads either to one tuple or, where more than
 * WAYS_FEW tuples lie below, to a gate: a node whose prefix is looked for before
 * the ways below it are tried.  Ways lie by falling priority, so that a lookup
 * stops at the first that cannot beat what it has.
 *
 * Lists are never changed, only replaced from the root on, and freed after a
 * grace period. */
#ifndef WEFT_SWITCH_MASK_TREE_H
#define WEFT_SWITCH_MASK_TREE_H

#include "switch/classifier.h"
#include "switch/steps.h"

/* Up to here, probing tuples one by one is cheaper than a gate. */
enum { WAYS_FEW = 3 };

/* What a lookup needs to decide whether to go there lies together. */
struct way {
    int max_priority;             /* of all entries there */
    uint32_t n_levels;            /* where it leads to: so far down the path */
    uint32_t first, n;            /* words: of a tuple's mask those that the
                                     list has not settled, or what the path to
                                     a gate adds to that of the list */
    uint64_t salt;
    const struct tuple *tuple;    /* this one; or any below the gate */
    const struct ways *below;     /* the gate's; NULL: leads to the tuple */
};

struct ways {
    struct rcu_later later;
    struct ways *next_retired;
    uint32_t n, n_words;
    uint32_t n_settled;                 /* words, the first: whose bits all
                                           tuples of the list mask alike, and
                                           lie in the path to the list */
    const struct mask_word *words;      /* behind the list */
    struct way list[];
};

struct mask_node {
    struct mask_node *parent;
    struct tuple *tuple;          /* that ends here, or NULL */
    struct mask_node **children;
    uint32_t n_children, size_children;
    uint32_t n_tuples;            /* here and further down */
    uint32_t depth;               /* levels above and here */
    int max_priority;
    bool is_untidy;               /* here or further down */
    struct ways *ways;            /* if it is a gate, or the root */
    uint64_t salt;
    uint32_t n;
    struct mask_word bits[];      /* that this node adds */
};

struct mask_node *mask_node_create(struct classifier *,
                                   struct mask_node *parent,
                                   const struct mask_word *, uint32_t n);
struct mask_node *mask_node_find_child(const struct mask_node *,
                                       const struct mask_word *, uint32_t n);
void mask_node_add_child(struct mask_node *, struct mask_node *child);
/* A tuple more (1) or less (-1) ends here. */
void mask_node_count(struct mask_node *, int change);
/* Something changed here; the way to the root is tidied next time. */
void mask_node_touch(struct classifier *, struct mask_node *);
/* Frees nodes that lead nowhere any more, from this one upwards. */
void mask_node_prune(struct classifier *, struct mask_node *);

/* Different ones, and nobody outside knows them. */
uint64_t classifier_random(struct classifier *);

/* Makes the ways anew of what was touched, and publishes them. */
void mask_tree_publish(struct classifier *);
void mask_tree_fini(struct classifier *);

/* ---- Hashes ----
 *
 * The hash of some masked words is the sum of one keyed term for each: terms do
 * not wait for each other, and the hash of a longer path is that of the shorter
 * one plus what was added.  A node's salt keeps its values apart from those of
 * another node that has other bits of the same words. */

static inline uint64_t
hash_term(const struct word_key *key, uint64_t value)
{
    __extension__ unsigned __int128 product =
        (unsigned __int128) (value ^ key->key) * key->factor;

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint64_t
hash_flow(const struct classifier *cls, const struct mask_word *words,
          uint32_t n, const struct flow *flow)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t word = words[i].word;

        hash += hash_term(&cls->keys[word], flow->w[word] & words[i].bits);
    }
    return hash;
}

static inline uint64_t
hash_level(const struct tuple *tuple, uint32_t level, const struct flow *flow)
{
    const struct tuple_level *l = &tuple->levels[level];
    uint64_t hash = l->salt;

    for (uint32_t i = 0; i < l->n; i++) {
        const struct path_word *step = &tuple->steps[l->first + i];

        hash += hash_term(&tuple->cls->keys[step->word],
                          flow->w[step->word] & step->bits);
    }
    return hash;
}

#endif
