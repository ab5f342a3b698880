#include "controller/flow_rule.h"

#include <stdlib.h>

static size_t
match_size(const struct flow_rule *rule)
{
    return 2 * sizeof(uint64_t) * rule->n_words;
}

static const struct action *
apply_of(const struct flow_rule *rule)
{
    return (const void *) &rule->data[2 * rule->n_words];
}

size_t
flow_rule_size(const struct flow_rule *rule)
{
    return sizeof *rule + match_size(rule) + rule->apply_len
           + rule->write_len;
}

static unsigned int
map_words(const struct flow_map *map)
{
    return (unsigned int) (__builtin_popcountll(map->map[0])
                           + __builtin_popcountll(map->map[1]));
}

static void
pack_match(struct flow_rule *rule, const struct match *match)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        if (flow_map_has(&rule->map, i)) {
            rule->data[n] = match->mask.bits.w[i];
            rule->data[rule->n_words + n] = match->value.w[i];
            n++;
        }
    }
}

struct flow_rule *
flow_rule_create(const struct flow_mod *mod)
{
    const struct instructions *in = &mod->instructions;
    struct flow_map map = flow_mask_map(&mod->match.mask);
    unsigned int n_words = map_words(&map);
    struct flow_rule *rule = xmalloc(sizeof *rule
                                     + 2 * sizeof(uint64_t) * n_words
                                     + in->apply.len + in->write.len);
    char *lists = (char *) &rule->data[2 * n_words];

    *rule = (struct flow_rule) {
        .n_refs = 1, .table = mod->table, .has_goto = in->has_goto,
        .clear = in->clear, .goto_table = in->has_goto ? in->goto_table : 0,
        .priority = mod->priority, .idle_timeout = mod->idle_timeout,
        .hard_timeout = mod->hard_timeout, .flags = (uint16_t) mod->flags,
        .n_words = (uint16_t) n_words, .cookie = be64toh(mod->cookie),
        .apply_len = in->apply.len, .write_len = in->write.len,
        .meter = in->meter, .metadata = in->metadata & in->metadata_mask,
        .metadata_mask = in->metadata_mask, .map = map,
    };
    pack_match(rule, &mod->match);
    if (in->apply.len) {
        memcpy(lists, in->apply.first, in->apply.len);
    }
    if (in->write.len) {
        memcpy(lists + in->apply.len, in->write.first, in->write.len);
    }
    return rule;
}

struct flow_rule *
flow_rule_ref(struct flow_rule *rule)
{
    rule->n_refs++;
    return rule;
}

void
flow_rule_unref(struct flow_rule *rule)
{
    if (rule && !--rule->n_refs) {
        free(rule);
    }
}

bool
flow_rule_same_identity(const struct flow_rule *a, const struct flow_rule *b)
{
    return a->table == b->table && a->priority == b->priority
           && a->map.map[0] == b->map.map[0]
           && a->map.map[1] == b->map.map[1]
           && !memcmp(a->data, b->data, match_size(a));
}

static int
compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int
flow_rule_compare_effect(const struct flow_rule *a,
                         const struct flow_rule *b)
{
    const uint64_t pairs[][2] = {
        { a->cookie, b->cookie }, { a->flags, b->flags },
        { a->idle_timeout, b->idle_timeout },
        { a->hard_timeout, b->hard_timeout }, { a->clear, b->clear },
        { a->has_goto, b->has_goto }, { a->goto_table, b->goto_table },
        { a->meter, b->meter }, { a->metadata, b->metadata },
        { a->metadata_mask, b->metadata_mask },
        { a->apply_len, b->apply_len }, { a->write_len, b->write_len },
    };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        int order = compare_u64(pairs[i][0], pairs[i][1]);

        if (order) {
            return order;
        }
    }
    return memcmp(apply_of(a), apply_of(b), a->apply_len + a->write_len);
}

bool
flow_rule_same_effect(const struct flow_rule *a, const struct flow_rule *b)
{
    return !flow_rule_compare_effect(a, b);
}

void
flow_rule_to_mod(const struct flow_rule *rule, struct flow_mod *mod)
{
    unsigned int n = 0;

    flow_mod_init(mod);
    mod->table = rule->table;
    mod->priority = rule->priority;
    mod->cookie = htobe64(rule->cookie);
    mod->idle_timeout = rule->idle_timeout;
    mod->hard_timeout = rule->hard_timeout;
    mod->flags = rule->flags;
    for (unsigned int i = 0; i < FLOW_WORDS; i++) {
        if (flow_map_has(&rule->map, i)) {
            mod->match.mask.bits.w[i] = rule->data[n];
            mod->match.value.w[i] = rule->data[rule->n_words + n];
            n++;
        }
    }
    mod->instructions = (struct instructions) {
        .apply = { apply_of(rule), rule->apply_len },
        .write = { (const void *) ((const char *) apply_of(rule)
                                   + rule->apply_len), rule->write_len },
        .metadata = rule->metadata, .metadata_mask = rule->metadata_mask,
        .meter = rule->meter, .clear = rule->clear,
        .has_goto = rule->has_goto, .goto_table = rule->goto_table,
    };
}

void
flow_rule_format(const struct flow_rule *rule, struct str *out)
{
    struct flow_mod mod;

    flow_rule_to_mod(rule, &mod);
    flow_mod_format(&mod, out);
}

void
flow_rules_add(struct flow_rules *list, struct flow_rule *rule)
{
    if (list->n == list->size) {
        list->size = MAX(16u, list->size * 2);
        list->rules = xrealloc(list->rules,
                               list->size * sizeof *list->rules);
    }
    list->rules[list->n++] = rule;
}

void
flow_rules_fini(struct flow_rules *list)
{
    for (unsigned int i = 0; i < list->n; i++) {
        flow_rule_unref(list->rules[i]);
    }
    free(list->rules);
    *list = (struct flow_rules) { 0, 0, NULL };
}
