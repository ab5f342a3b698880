/* What the naive switch finds by number, and by a match. */
#include "switch/naive_switch.h"

const struct port_settings *
naive_port(const struct naive_switch *sw, uint32_t number)
{
    for (unsigned int i = 0; number && i < NAIVE_MAX_PORTS; i++) {
        if (sw->ports[i].number == number) {
            return &sw->ports[i];
        }
    }
    return NULL;
}

const struct group_mod *
naive_group(const struct naive_switch *sw, uint32_t id)
{
    for (unsigned int i = 0; i < sw->n_groups; i++) {
        if (sw->groups[i]->id == id) {
            return sw->groups[i];
        }
    }
    return NULL;
}

bool
naive_bucket_is_live(const struct naive_switch *sw, const struct bucket *b)
{
    const struct port_settings *port = naive_port(sw, b->watch_port);
    const struct group_mod *group;

    if (b->watch_port == OFPP_ANY && b->watch_group == OFPG_ANY) {
        return true;
    }
    if (port && port->is_up && !port->admin_down) {
        return true;
    }
    group = naive_group(sw, b->watch_group);
    for (unsigned int i = 0; group && i < group->n_buckets; i++) {
        if (naive_bucket_is_live(sw, &group->buckets[i])) {
            return true;
        }
    }
    return false;
}

bool
naive_member_is_live(const void *sw, uint32_t number)
{
    const struct port_settings *port = naive_port(sw, number);

    return (number >= OFPP_IN_PORT && number <= OFPP_ALL)
           || (port && port->is_up && !port->admin_down);
}

/* ---- Rules ---- */

static bool
meets(const struct flow_mod *rule, uint8_t table, const struct flow *flow,
      bool is_clause)
{
    return rule->table == table && match_holds(&rule->match, flow)
           && action_list_is_clause(rule->instructions.apply) == is_clause;
}

/* Clauses are left aside. */
static const struct flow_mod *
best_rule(const struct naive_switch *sw, uint8_t table,
          const struct flow *flow)
{
    const struct flow_mod *best = NULL;

    for (unsigned int i = 0; i < sw->n_rules; i++) {
        const struct flow_mod *rule = sw->rules[i];

        if ((!best || rule->priority > best->priority)
            && meets(rule, table, flow, false)) {
            best = rule;
        }
    }
    return best;
}

/* Does the rule say that it is this clause? */
static bool
is_clause_of(const struct flow_mod *rule, uint32_t id, unsigned int clause,
             unsigned int n_clauses)
{
    ACTION_FOR_EACH (action, &rule->instructions.apply) {
        const struct action_conjunction *a = (const void *) action;

        if (action->type == ACTION_CONJUNCTION && a->id == id
            && a->clause == clause && a->n_clauses == n_clauses) {
            return true;
        }
    }
    return false;
}

static bool
is_complete(const struct naive_switch *sw, uint8_t table,
            const struct flow *flow, int priority, uint32_t id,
            unsigned int n_clauses)
{
    for (unsigned int clause = 0; clause < n_clauses; clause++) {
        bool has = false;

        for (unsigned int i = 0; i < sw->n_rules; i++) {
            has |= sw->rules[i]->priority == priority
                   && meets(sw->rules[i], table, flow, true)
                   && is_clause_of(sw->rules[i], id, clause, n_clauses);
        }
        if (!has) {
            return false;
        }
    }
    return true;
}

/* The rule that the conjunctions of this priority lead to. */
static const struct flow_mod *
conjunctive_rule(const struct naive_switch *sw, uint8_t table,
                 const struct flow *flow, int priority)
{
    const struct flow_mod *best = NULL;

    for (uint32_t id = 0; id < NAIVE_MAX_CONJUNCTION; id++) {
        for (unsigned int n = CONJUNCTION_MIN_CLAUSES; n < 5; n++) {
            struct flow with_id = *flow;
            const struct flow_mod *rule;

            if (!is_complete(sw, table, flow, priority, id, n)) {
                continue;
            }
            with_id.conj_id = htobe32(id);
            rule = best_rule(sw, table, &with_id);
            if (rule && (!best || rule->priority > best->priority)) {
                best = rule;
            }
        }
    }
    return best;
}

const struct flow_mod *
naive_lookup(struct naive_switch *sw, uint8_t table, const struct flow *flow)
{
    const struct flow_mod *best = best_rule(sw, table, flow), *rule;
    int bound = INT_MAX;

    for (;;) {
        int priority = best ? best->priority : -1, highest = -1;

        for (unsigned int i = 0; i < sw->n_rules; i++) {
            int p = sw->rules[i]->priority;

            if (p < bound && p > highest
                && meets(sw->rules[i], table, flow, true)) {
                highest = p;
            }
        }
        if (highest <= priority) {
            return best;
        }
        rule = conjunctive_rule(sw, table, flow, highest);
        if (rule) {
            sw->conjunctive = true;
            return rule;
        }
        bound = highest;
    }
}
