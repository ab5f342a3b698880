/* An intrusive hash map: chains of nodes that lie inside the objects.
 *
 *     struct station { struct hmap_node by_mac; struct eth_addr mac; };
 *
 *     HMAP_FOR_EACH_WITH_HASH (node, hash, &map) {
 *         struct station *s = CONTAINER_OF(node, struct station, by_mac);
 *         if (eth_addr_eq(s->mac, mac)) ...
 *     }
 *
 * The map never looks into an object: who inserts gives the hash (keyed, where
 * outsiders choose what is hashed: lib/hash.h), who looks up compares.  It
 * grows by itself and stays grown.  Nodes do not move.
 *
 * One thread. */
#ifndef WEFT_LIB_HMAP_H
#define WEFT_LIB_HMAP_H

#include "lib/types.h"

struct hmap_node {
    uint64_t hash;
    struct hmap_node *next;
};

struct hmap {
    struct hmap_node **buckets;   /* NULL: nothing was ever inserted */
    size_t mask;
    size_t n;
};

#define HMAP_INIT { NULL, 0, 0 }

/* What is still inside is the owner's. */
void hmap_fini(struct hmap *);
void hmap_insert(struct hmap *, struct hmap_node *, uint64_t hash);
/* It must be inside. */
void hmap_remove(struct hmap *, struct hmap_node *);
/* Any node after `node` in no particular order; NULL begins and ends.  `node`
 * must be inside. */
struct hmap_node *hmap_next(const struct hmap *,
                            const struct hmap_node *node);

static inline struct hmap_node *
hmap_first_with_hash(const struct hmap *map, uint64_t hash)
{
    struct hmap_node *node;

    node = map->buckets ? map->buckets[hash & map->mask] : NULL;
    while (node && node->hash != hash) {
        node = node->next;
    }
    return node;
}

static inline struct hmap_node *
hmap_next_with_hash(const struct hmap_node *node)
{
    uint64_t hash = node->hash;
    struct hmap_node *next = node->next;

    while (next && next->hash != hash) {
        next = next->next;
    }
    return next;
}

#define HMAP_FOR_EACH_WITH_HASH(NODE, HASH, MAP)                             \
    for (struct hmap_node *NODE = hmap_first_with_hash(MAP, HASH); NODE;     \
         NODE = hmap_next_with_hash(NODE))

/* The node may be removed (and its object freed) meanwhile. */
#define HMAP_FOR_EACH_SAFE(NODE, MAP)                                        \
    for (struct hmap_node *NODE = hmap_next(MAP, NULL), *NODE##_next;        \
         NODE && (NODE##_next = hmap_next(MAP, NODE), true);                 \
         NODE = NODE##_next)

#endif
