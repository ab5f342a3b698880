#include "controller/number_set.h"

#include <stdlib.h>

#include "lib/str.h"

static const struct {
    uint32_t first, last;
} ranges[N_NUMBER_KINDS] = {
#define X(ID, FIRST, LAST, WORD, IS_ZONE) [ID] = { FIRST, LAST },
    NUMBER_KINDS(X)
#undef X
};

struct number_set *
number_set_create(const struct numbers_watch *watches)
{
    struct number_set *set = xzalloc(sizeof *set);

    for (unsigned int i = 0; i < N_NUMBER_KINDS; i++) {
        set->of[i] = numbers_create(ranges[i].first, ranges[i].last,
                                    watches ? &watches[i] : NULL);
    }
    return set;
}

void
number_set_destroy(struct number_set *set)
{
    if (set) {
        for (unsigned int i = 0; i < N_NUMBER_KINDS; i++) {
            numbers_destroy(set->of[i]);
        }
        free(set);
    }
}
