#include "controller/flow_set.h"

#include <stdlib.h>

#include "lib/str.h"

enum { MIN_SLOTS = 64 };

void
flow_set_init(struct flow_set *set)
{
    *set = (struct flow_set) { .key = hash_key_random() };
}

void
flow_set_fini(struct flow_set *set)
{
    for (unsigned int i = 0; i < set->size; i++) {
        flow_rule_unref(set->slots[i].rule);
    }
    free(set->slots);
    set->slots = NULL;
    set->n = set->size = 0;
}

static uint32_t
identity_hash(const struct flow_set *set, const struct flow_rule *rule)
{
    uint64_t h = hash_bytes(set->key, rule->data,
                            2 * sizeof(uint64_t) * rule->n_words);

    h = hash_step(set->key, h, rule->map.map[0]);
    h = hash_step(set->key, h, rule->map.map[1]);
    h = hash_step(set->key, h,
                  (uint64_t) rule->table << 16 | rule->priority);
    return (uint32_t) h;
}

static void
put(struct flow_set *set, uint32_t hash, struct flow_rule *rule)
{
    unsigned int i = hash & (set->size - 1);

    while (set->slots[i].rule) {
        i = (i + 1) & (set->size - 1);
    }
    set->slots[i] = (struct flow_slot) { hash, rule };
}

static void
grow(struct flow_set *set)
{
    struct flow_slot *old = set->slots;
    unsigned int n_old = set->size;

    set->size = MAX((unsigned int) MIN_SLOTS, n_old * 2);
    set->slots = xcalloc(set->size, sizeof *set->slots);
    for (unsigned int i = 0; i < n_old; i++) {
        if (old[i].rule) {
            put(set, old[i].hash, old[i].rule);
        }
    }
    free(old);
}

void
flow_set_insert(struct flow_set *set, struct flow_rule *rule)
{
    if (set->n * 4 >= set->size * 3) {
        grow(set);
    }
    put(set, identity_hash(set, rule), flow_rule_ref(rule));
    set->n++;
}

/* Entries behind a freed slot move up, so that no search ends too early. */
static void
close_gap(struct flow_set *set, unsigned int gap)
{
    unsigned int mask = set->size - 1;

    for (unsigned int i = (gap + 1) & mask; set->slots[i].rule;
         i = (i + 1) & mask) {
        unsigned int home = set->slots[i].hash & mask;

        if (((i - home) & mask) >= ((i - gap) & mask)) {
            set->slots[gap] = set->slots[i];
            gap = i;
        }
    }
    set->slots[gap].rule = NULL;
}

bool
flow_set_remove(struct flow_set *set, const struct flow_rule *rule)
{
    unsigned int mask = set->size - 1;

    if (!set->size) {
        return false;
    }
    for (unsigned int i = identity_hash(set, rule) & mask;
         set->slots[i].rule; i = (i + 1) & mask) {
        if (set->slots[i].rule == rule) {
            flow_rule_unref(set->slots[i].rule);
            close_gap(set, i);
            set->n--;
            return true;
        }
    }
    return false;
}

struct flow_rule *
flow_set_find(const struct flow_set *set, const struct flow_rule *identity)
{
    unsigned int mask = set->size - 1;
    struct flow_rule *best = NULL;
    uint32_t hash;

    if (!set->size) {
        return NULL;
    }
    hash = identity_hash(set, identity);
    for (unsigned int i = hash & mask; set->slots[i].rule;
         i = (i + 1) & mask) {
        struct flow_rule *rule = set->slots[i].rule;

        if (set->slots[i].hash == hash
            && flow_rule_same_identity(rule, identity)
            && (!best || flow_rule_compare_effect(rule, best) < 0)) {
            best = rule;
        }
    }
    return best;
}

struct flow_rule *
flow_set_next(const struct flow_set *set, unsigned int *i)
{
    while (*i < set->size) {
        struct flow_rule *rule = set->slots[(*i)++].rule;

        if (rule) {
            return rule;
        }
    }
    return NULL;
}
