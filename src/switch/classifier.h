/* The classifier: finds the flow entry for a packet among a million.
 *
 * Entries that mask the same bits form a tuple; within a tuple the entry is
 * found by one hash.  What costs is the number of tuples, and what is precious
 * is every bit that a miss had to look at: it ends up in a cache entry.
 *
 * The tree of masks.  A mask is looked at in steps (steps.c), from what tells
 * traffic apart coarsely to what tells it apart finely: where the packet came
 * from, what kind it is, MAC addresses, IP addresses a few bits at a time,
 * ports.  Tuples whose masks agree on their first steps share the path from the
 * root that these steps make, and branch where they differ:
 *
 *     root -- eth_type -- nw_dst/8 -- nw_dst/16 -- [nw_dst/24]
 *          |           |                       \-- nw_src/16 -- [tp_dst]
 *          |           \- [arp_tpa]
 *          \- [in_port]                               [] ends a tuple
 *
 * One table of counters (prefixes.h) tells for every inner node which masked
 * values have entries further down.  Where many tuples lie below a node, it is
 * a gate: a lookup first asks the counter, and when it is zero none of them can
 * match, however many they are.  When tuples or gates fail, counters of the
 * nodes on the way there tell the shortest reason, and only the bits up to it
 * count as looked at.  This is what staged lookup and prefix tries do elsewhere,
 * once for all tuples instead of once for each.
 *
 * Bounded: a lookup does at most one probe per gate and tuple, REFINE_MAX more
 * for short reasons, and stops where priorities cannot beat what it has.  Hashes
 * are keyed; whoever chooses entries and packets does not choose buckets.  Under
 * hundreds of masks the memory's latency is what counts: ways are probed in
 * batches, reasons looked for together, and a probe reads eight bytes of hashes
 * (cell_table.h) before anything else.
 *
 * Versions: the classifier holds entries that are not visible yet and those
 * that are not visible any more; a lookup passes over them.  Until those that
 * went are unlinked, a grace period later, they still count as reasons, and
 * answers of that moment are narrower than they need be, never wrong.
 *
 * Two entries of the same priority that a packet matches both: either may be
 * found, but always the same one while the tables do not change, for all packets
 * that agree in the bits marked.
 *
 * Threads: one writer; lookups and visits under RCU. */
#ifndef WEFT_SWITCH_CLASSIFIER_H
#define WEFT_SWITCH_CLASSIFIER_H

#include "switch/cell_table.h"
#include "switch/flow_entry.h"
#include "switch/priority_counts.h"

enum { CLASSIFIER_REFINE_MAX = 48 };

struct mask_node;
struct ways;

/* What a word of a flow is hashed with. */
struct word_key {
    uint64_t key, factor;
};

/* A word of a path. */
struct path_word {
    uint64_t bits;
    uint32_t word;                      /* index into struct flow */
    uint32_t value;                     /* into the values of an entry */
};

/* What one level of a path adds: words of tuple->steps. */
struct tuple_level {
    uint32_t first, n;
    uint64_t salt;
};

/* The entries of one mask. */
struct tuple {
    struct cell_table cells;            /* entries; one per match, those of
                                           lower priority behind it */
    struct classifier *cls;
    struct mask_node *node;             /* where its path ends */
    struct rcu_later later;
    uint64_t mask_hash;
    size_t memory;
    struct priority_counts priorities;  /* of entries in the classifier,
                                           visible or not */
    bool is_untidy;                     /* on the classifier's list */
    struct tuple *next_untidy;
    /* The path: words of all nodes, and which are whose. */
    uint32_t n_levels;
    struct path_word *steps;
    struct tuple_level *levels;
    struct mask_words *mask;            /* lies behind */
};

/* No entry's is higher; -1: there are none. */
static inline int
tuple_max_priority(const struct tuple *tuple)
{
    return priority_counts_highest(&tuple->priorities);
}

/* Cells of a tuple: the priority of an entry, its address, and where that is
 * always zero some bits of the hash. */
#define CLASSIFIER_TAG_MASK UINT64_C(0xf)
#define CLASSIFIER_ADDRESS_MASK UINT64_C(0x0000fffffffffff0)

static inline uint64_t
classifier_tag(uint64_t hash)
{
    return hash & CLASSIFIER_TAG_MASK;
}

static inline uint64_t
classifier_cell(uint64_t hash, uint16_t priority, const void *address)
{
    return (uint64_t) priority << 48 | (uintptr_t) address
           | classifier_tag(hash);
}

static inline void *
classifier_cell_address(uint64_t cell)
{
    return (void *) (uintptr_t) (cell & CLASSIFIER_ADDRESS_MASK);
}

static inline int
classifier_cell_priority(uint64_t cell)
{
    return (int) (cell >> 48);
}

static inline struct entry *
classifier_cell_entry(uint64_t cell)
{
    return classifier_cell_address(cell);
}

struct classifier {
    struct hash_key key;
    struct word_key keys[FLOW_WORDS];
    const struct steps *steps;
    struct mask_node *root;             /* the writer's tree */
    _Atomic(const struct ways *) ways;  /* and what lookups see of it */
    struct cell_table prefixes;
    struct cell_table tuples;           /* by mask */
    uint32_t n_tuples;
    uint32_t n_entries;
    uint64_t n_random;                  /* numbers drawn so far */
    bool is_untidy;
    struct tuple *untidy;
    struct ways *retired;               /* until the next publish */
    size_t memory;                      /* of nodes and tuples */
    struct tuple *last;                 /* found last: flow-mods come in runs */
};

void classifier_init(struct classifier *, const struct steps *,
                     struct hash_key);
/* No readers any more; entries were unlinked. */
void classifier_fini(struct classifier *);

/* The tuple of a mask, NULL when there is none; `get` makes it. */
struct tuple *classifier_find_tuple(struct classifier *,
                                    const struct mask_words *);
struct tuple *classifier_get_tuple(struct classifier *,
                                   const struct mask_words *);

/* The first entry in the chain with these masked values, or NULL. */
struct entry *tuple_find(const struct tuple *, const uint64_t *values);

/* Adds an entry; entry->tuple is set. */
void classifier_insert(struct classifier *, struct entry *);
/* Takes it out, when no reader needs it any more; free it after another grace
 * period. */
void classifier_unlink(struct classifier *, struct entry *);
/* Before a publish: shows lookups the tuples that are new, sorts by priority what
 * changed, and lets go of tuples that are empty. */
void classifier_tidy(struct classifier *);

/* The visible entry of highest priority that matches and is no clause, NULL if
 * none; marks in `wc`, unless NULL, the bits that decided. */
const struct entry *classifier_lookup(const struct classifier *,
                                      uint64_t version, const struct flow *,
                                      struct flow_mask *wc);

/* The same; entries that are clauses of conjunctions are passed over, and those
 * that match and could beat what is returned are listed (conjunction.h). */
struct clauses {
    size_t n, size;
    const struct entry **list;          /* free() */
};
const struct entry *classifier_lookup_clauses(const struct classifier *,
                                              uint64_t version,
                                              const struct flow *,
                                              struct flow_mask *wc,
                                              struct clauses *);

/* Until `visit` returns false; in no order. */
bool classifier_visit_tuples(const struct classifier *,
                             bool (*visit)(void *aux, struct tuple *),
                             void *aux);
bool tuple_visit(const struct tuple *,
                 bool (*visit)(void *aux, struct entry *), void *aux);

size_t classifier_memory(const struct classifier *);

#endif
