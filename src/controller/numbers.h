/* Numbers: small ones that objects keep, where an id does not fit: a zone of
 * the connection tracker has 16 bits, an id 60.
 *
 * A number stays: it is handed to `changed` to be kept in the store, given back
 * by numbers_keep() at the next start, and free again when its object is gone.
 * Free ones are given out in a circle, so that one is not used anew while
 * something may still be alive under it.
 *
 * One thread. */
#ifndef WEFT_CONTROLLER_NUMBERS_H
#define WEFT_CONTROLLER_NUMBERS_H

#include "lib/types.h"

struct numbers;

struct numbers_watch {
    /* Number 0: it is forgotten.  May be NULL. */
    void (*changed)(void *aux, uint64_t id, uint32_t number);
    void *aux;
};

/* From `first` (at least 1) to `last`; `watch` may be NULL. */
struct numbers *numbers_create(uint32_t first, uint32_t last,
                               const struct numbers_watch *);
/* Accepts NULL. */
void numbers_destroy(struct numbers *);

/* Given out earlier.  One that is somebody's already, or out of range, is not
 * taken. */
void numbers_keep(struct numbers *, uint64_t id, uint32_t number);
/* 0: it has none. */
uint32_t numbers_find(const struct numbers *, uint64_t id);
/* Its number, a new one if need be; 0: all are in use. */
uint32_t numbers_assign(struct numbers *, uint64_t id);
void numbers_forget(struct numbers *, uint64_t id);

/* Forgets all but those for which `is_used` says true. */
void numbers_sweep(struct numbers *, bool (*is_used)(const void *aux,
                                                     uint64_t id),
                   const void *aux);

#endif
