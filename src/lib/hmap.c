#include "lib/hmap.h"

#include <stdlib.h>

#include "lib/str.h"

enum { MIN_BUCKETS = 16 };

void
hmap_fini(struct hmap *map)
{
    free(map->buckets);
    *map = (struct hmap) HMAP_INIT;
}

static void
grow(struct hmap *map)
{
    size_t n_old = map->buckets ? map->mask + 1 : 0;
    size_t n_new = n_old ? 2 * n_old : MIN_BUCKETS;
    struct hmap_node **buckets = xcalloc(n_new, sizeof *buckets);

    for (size_t i = 0; i < n_old; i++) {
        for (struct hmap_node *node = map->buckets[i], *next; node;
             node = next) {
            struct hmap_node **bucket = &buckets[node->hash & (n_new - 1)];

            next = node->next;
            node->next = *bucket;
            *bucket = node;
        }
    }
    free(map->buckets);
    map->buckets = buckets;
    map->mask = n_new - 1;
}

void
hmap_insert(struct hmap *map, struct hmap_node *node, uint64_t hash)
{
    struct hmap_node **bucket;

    if (!map->buckets || map->n > map->mask) {
        grow(map);
    }
    bucket = &map->buckets[hash & map->mask];
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
    map->n++;
}

void
hmap_remove(struct hmap *map, struct hmap_node *node)
{
    struct hmap_node **link = &map->buckets[node->hash & map->mask];

    while (*link != node) {
        link = &(*link)->next;
    }
    *link = node->next;
    map->n--;
}

struct hmap_node *
hmap_next(const struct hmap *map, const struct hmap_node *node)
{
    size_t i = 0;

    if (!map->buckets) {
        return NULL;
    }
    if (node) {
        if (node->next) {
            return node->next;
        }
        i = (node->hash & map->mask) + 1;
    }
    for (; i <= map->mask; i++) {
        if (map->buckets[i]) {
            return map->buckets[i];
        }
    }
    return NULL;
}
