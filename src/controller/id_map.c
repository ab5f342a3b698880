#include "controller/id_map.h"

#include <stdlib.h>

#include "lib/str.h"

enum { MIN_SLOTS = 16 };

void
id_map_init(struct id_map *map)
{
    *map = (struct id_map) { .key = hash_key_random() };
}

void
id_map_fini(struct id_map *map)
{
    free(map->slots);
    map->slots = NULL;
    map->n = map->size = 0;
}

static unsigned int
home(const struct id_map *map, uint64_t id)
{
    return (unsigned int) hash_u64(map->key, id) & (map->size - 1);
}

/* The slot that has the id, or the free one where it belongs. */
static struct id_slot *
slot_of(const struct id_map *map, uint64_t id)
{
    unsigned int i = home(map, id);

    while (map->slots[i].value && map->slots[i].id != id) {
        i = (i + 1) & (map->size - 1);
    }
    return &map->slots[i];
}

static void
resize(struct id_map *map, unsigned int size)
{
    struct id_slot *old = map->slots;
    unsigned int n_old = map->size;

    map->size = size;
    map->slots = xcalloc(map->size, sizeof *map->slots);
    for (unsigned int i = 0; i < n_old; i++) {
        if (old[i].value) {
            *slot_of(map, old[i].id) = old[i];
        }
    }
    free(old);
}

void
id_map_reserve(struct id_map *map, unsigned int n)
{
    unsigned int size = MAX((unsigned int) MIN_SLOTS, map->size);

    while (n * 4 >= size * 3) {
        size *= 2;
    }
    if (size > map->size) {
        resize(map, size);
    }
}

void
id_map_set(struct id_map *map, uint64_t id, void *value)
{
    struct id_slot *slot;

    if (map->n * 4 >= map->size * 3) {
        resize(map, MAX((unsigned int) MIN_SLOTS, map->size * 2));
    }
    slot = slot_of(map, id);
    map->n += !slot->value;
    *slot = (struct id_slot) { id, value };
}

void *
id_map_find(const struct id_map *map, uint64_t id)
{
    return map->size ? slot_of(map, id)->value : NULL;
}

void *
id_map_remove(struct id_map *map, uint64_t id)
{
    unsigned int mask = map->size - 1, gap;
    struct id_slot *slot;
    void *value;

    if (!map->size) {
        return NULL;
    }
    slot = slot_of(map, id);
    value = slot->value;
    if (!value) {
        return NULL;
    }
    gap = (unsigned int) (slot - map->slots);
    for (unsigned int i = (gap + 1) & mask; map->slots[i].value;
         i = (i + 1) & mask) {
        if (((i - home(map, map->slots[i].id)) & mask)
            >= ((i - gap) & mask)) {
            map->slots[gap] = map->slots[i];
            gap = i;
        }
    }
    map->slots[gap].value = NULL;
    map->n--;
    return value;
}

void *
id_map_next(const struct id_map *map, unsigned int *i)
{
    while (*i < map->size) {
        void *value = map->slots[(*i)++].value;

        if (value) {
            return value;
        }
    }
    return NULL;
}
