/* A map from 64-bit ids to pointers: intent objects by id, ports by number.
 *
 * One thread.  Neither owns nor looks at what it points to. */
#ifndef WEFT_CONTROLLER_ID_MAP_H
#define WEFT_CONTROLLER_ID_MAP_H

#include "lib/hash.h"

struct id_map {
    struct hash_key key;
    unsigned int n;
    unsigned int size;            /* slots: 0 or a power of two */
    struct id_slot {
        uint64_t id;
        void *value;              /* NULL: free */
    } *slots;
};

void id_map_init(struct id_map *);
void id_map_fini(struct id_map *);
/* Room for so many. */
void id_map_reserve(struct id_map *, unsigned int n);
/* Replaces.  `value` is not NULL. */
void id_map_set(struct id_map *, uint64_t id, void *value);
/* NULL: it is not there. */
void *id_map_find(const struct id_map *, uint64_t id);
/* Returns what was there, or NULL. */
void *id_map_remove(struct id_map *, uint64_t id);
/* The next value from slot *i on; NULL ends. */
void *id_map_next(const struct id_map *, unsigned int *i);

#define ID_MAP_FOR_EACH(VALUE, MAP)                                          \
    for (unsigned int i__ = 0; ((VALUE) = id_map_next(MAP, &i__));)

#endif
