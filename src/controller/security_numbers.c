#include "controller/security_numbers.h"

#include <stdlib.h>

#include "controller/number_store.h"
#include "controller/topology.h"
#include "lib/str.h"

struct security_numbers {
    struct numbers *zones, *classes;
    struct number_store *zone_store, *class_store;
    struct numbers_watch keep_zone;
    unsigned int n_fresh, size;
    uint16_t *fresh;
};

static void
on_zone(void *aux, uint64_t id, uint32_t number)
{
    struct security_numbers *s = aux;

    s->keep_zone.changed(s->keep_zone.aux, id, number);
    if (!number) {
        return;
    }
    if (s->n_fresh == s->size) {
        s->size = MAX(16u, s->size * 2);
        s->fresh = xrealloc(s->fresh, s->size * sizeof *s->fresh);
    }
    s->fresh[s->n_fresh++] = (uint16_t) number;
}

struct security_numbers *
security_numbers_create(struct store *store)
{
    struct security_numbers *s = xzalloc(sizeof *s);
    struct numbers_watch watch = { on_zone, s };
    struct numbers_watch keep_class;

    s->zone_store = number_store_create(store, "zone");
    s->class_store = number_store_create(store, "security");
    s->keep_zone = number_store_watch(s->zone_store);
    keep_class = number_store_watch(s->class_store);
    s->zones = numbers_create(1, SECURITY_MAX_ZONE, &watch);
    s->classes = numbers_create(1, SECURITY_MAX_NUMBER, &keep_class);
    number_store_load(s->zone_store, s->zones);
    number_store_load(s->class_store, s->classes);
    return s;
}

void
security_numbers_destroy(struct security_numbers *s)
{
    if (s) {
        numbers_destroy(s->zones);
        numbers_destroy(s->classes);
        number_store_destroy(s->zone_store);
        number_store_destroy(s->class_store);
        free(s->fresh);
        free(s);
    }
}

struct numbers *
security_numbers_zones(struct security_numbers *s)
{
    return s->zones;
}

struct numbers *
security_numbers_classes(struct security_numbers *s)
{
    return s->classes;
}

void
security_numbers_commit(struct security_numbers *s)
{
    number_store_commit(s->zone_store);
    number_store_commit(s->class_store);
}

uint16_t
security_numbers_next_fresh(struct security_numbers *s)
{
    return s->n_fresh ? s->fresh[--s->n_fresh] : 0;
}
