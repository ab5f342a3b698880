#include "controller/kept_numbers.h"

#include <stdlib.h>

#include "controller/number_store.h"
#include "lib/str.h"

static const struct {
    const char *word;
    bool is_zone;
} kinds[N_NUMBER_KINDS] = {
#define X(ID, FIRST, LAST, WORD, IS_ZONE) [ID] = { WORD, IS_ZONE },
    NUMBER_KINDS(X)
#undef X
};

struct kept_numbers {
    struct number_set *set;
    struct kept {
        struct kept_numbers *all;
        struct number_store *store;
        struct numbers_watch keep;
        bool is_zone;
    } kept[N_NUMBER_KINDS];
    unsigned int n_fresh, size;
    uint16_t *fresh;
};

static void
on_change(void *aux, uint64_t id, uint32_t number)
{
    struct kept *kept = aux;
    struct kept_numbers *k = kept->all;

    kept->keep.changed(kept->keep.aux, id, number);
    if (!number || !kept->is_zone) {
        return;
    }
    if (k->n_fresh == k->size) {
        k->size = MAX(16u, k->size * 2);
        k->fresh = xrealloc(k->fresh, k->size * sizeof *k->fresh);
    }
    k->fresh[k->n_fresh++] = (uint16_t) number;
}

struct kept_numbers *
kept_numbers_create(struct store *store)
{
    struct kept_numbers *k = xzalloc(sizeof *k);
    struct numbers_watch watches[N_NUMBER_KINDS];

    for (unsigned int i = 0; i < N_NUMBER_KINDS; i++) {
        struct number_store *kept = number_store_create(store, kinds[i].word);

        k->kept[i] = (struct kept) { k, kept, number_store_watch(kept),
                                     kinds[i].is_zone };
        watches[i] = (struct numbers_watch) { on_change, &k->kept[i] };
    }
    k->set = number_set_create(watches);
    for (unsigned int i = 0; i < N_NUMBER_KINDS; i++) {
        number_store_load(k->kept[i].store, k->set->of[i]);
    }
    return k;
}

void
kept_numbers_destroy(struct kept_numbers *k)
{
    if (k) {
        number_set_destroy(k->set);
        for (unsigned int i = 0; i < N_NUMBER_KINDS; i++) {
            number_store_destroy(k->kept[i].store);
        }
        free(k->fresh);
        free(k);
    }
}

struct number_set *
kept_numbers_set(struct kept_numbers *k)
{
    return k->set;
}

void
kept_numbers_commit(struct kept_numbers *k)
{
    for (unsigned int i = 0; i < N_NUMBER_KINDS; i++) {
        number_store_commit(k->kept[i].store);
    }
}

uint16_t
kept_numbers_next_fresh(struct kept_numbers *k)
{
    return k->n_fresh ? k->fresh[--k->n_fresh] : 0;
}
