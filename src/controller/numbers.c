#include "controller/numbers.h"

#include <stdlib.h>

#include "controller/id_map.h"
#include "lib/str.h"

struct numbered {
    uint64_t id;
    uint32_t number;
};

struct numbers {
    uint32_t first, last, next;
    struct numbers_watch watch;
    struct id_map by_id;          /* struct numbered; by_number has the same */
    struct id_map by_number;
};

struct numbers *
numbers_create(uint32_t first, uint32_t last,
               const struct numbers_watch *watch)
{
    struct numbers *n = xzalloc(sizeof *n);

    assert(first && first <= last);
    n->first = n->next = first;
    n->last = last;
    if (watch) {
        n->watch = *watch;
    }
    id_map_init(&n->by_id);
    id_map_init(&n->by_number);
    return n;
}

void
numbers_destroy(struct numbers *n)
{
    struct numbered *one;

    if (!n) {
        return;
    }
    ID_MAP_FOR_EACH (one, &n->by_id) {
        free(one);
    }
    id_map_fini(&n->by_id);
    id_map_fini(&n->by_number);
    free(n);
}

static void
insert(struct numbers *n, uint64_t id, uint32_t number)
{
    struct numbered *one = xmemdup(&(struct numbered) { id, number },
                                   sizeof *one);

    id_map_set(&n->by_id, id, one);
    id_map_set(&n->by_number, number, one);
}

/* What is given out next comes behind all that were. */
void
numbers_keep(struct numbers *n, uint64_t id, uint32_t number)
{
    if (number >= n->first && number <= n->last
        && !id_map_find(&n->by_id, id)
        && !id_map_find(&n->by_number, number)) {
        insert(n, id, number);
        n->next = MAX(n->next, number == n->last ? n->first : number + 1);
    }
}

uint32_t
numbers_find(const struct numbers *n, uint64_t id)
{
    const struct numbered *one = id_map_find(&n->by_id, id);

    return one ? one->number : 0;
}

uint32_t
numbers_assign(struct numbers *n, uint64_t id)
{
    uint32_t number = numbers_find(n, id);

    for (uint32_t i = 0; !number && i <= n->last - n->first; i++) {
        uint32_t candidate = n->next;

        n->next = candidate == n->last ? n->first : candidate + 1;
        if (!id_map_find(&n->by_number, candidate)) {
            number = candidate;
            insert(n, id, number);
            if (n->watch.changed) {
                n->watch.changed(n->watch.aux, id, number);
            }
        }
    }
    return number;
}

void
numbers_forget(struct numbers *n, uint64_t id)
{
    struct numbered *one = id_map_remove(&n->by_id, id);

    if (one) {
        id_map_remove(&n->by_number, one->number);
        free(one);
        if (n->watch.changed) {
            n->watch.changed(n->watch.aux, id, 0);
        }
    }
}

void
numbers_sweep(struct numbers *n,
              bool (*is_used)(const void *aux, uint64_t id), const void *aux)
{
    struct numbered *one;
    uint64_t *gone = NULL;
    unsigned int n_gone = 0;

    ID_MAP_FOR_EACH (one, &n->by_id) {
        if (!is_used(aux, one->id)) {
            gone = xrealloc(gone, (n_gone + 1) * sizeof *gone);
            gone[n_gone++] = one->id;
        }
    }
    for (unsigned int i = 0; i < n_gone; i++) {
        numbers_forget(n, gone[i]);
    }
    free(gone);
}
