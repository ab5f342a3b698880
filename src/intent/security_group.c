/* What a security group may say. */

#include <stdlib.h>

#include "intent/security_rule.h"
#include "intent/value.h"

/* ---- in, out ---- */

/* 0: there are too many. */
static unsigned int
peer_number(struct intent_security_group *group, const char *name)
{
    unsigned int i = 0;

    while (i < group->n_peers && strcmp(group->peers[i].name, name)) {
        i++;
    }
    if (i == SECURITY_GROUP_MAX_PEERS) {
        return 0;
    }
    if (i == group->n_peers) {
        group->peers = xrealloc(group->peers,
                                (i + 1) * sizeof group->peers[0]);
        group->peers[i] = (struct security_peer) {
            .id = intent_object_id(INTENT_SECURITY_GROUP, name),
        };
        strcpy(group->peers[i].name, name);
        group->n_peers++;
    }
    return i + 1;
}

static bool
is_twice(const struct security_rules *rules, const struct security_rule *rule)
{
    for (unsigned int i = 0; i < rules->n; i++) {
        if (rules->list[i].id == rule->id) {
            return true;
        }
    }
    return false;
}

static bool
add_rule(struct intent_security_group *group, bool is_in,
         const struct node *node, struct diagnostics *diagnostics)
{
    struct security_rules *rules = is_in ? &group->in : &group->out;
    struct security_rule *rule = &rules->list[rules->n];

    if (!security_rule_parse(node, is_in, rule, diagnostics)) {
        return false;
    }
    rule->id = security_rule_id(rule, is_in, group->object.name);
    if (is_twice(rules, rule)) {
        node_error(node, diagnostics, "this rule is there twice");
        return false;
    }
    if (*rule->peer_name) {
        rule->peer = peer_number(group, rule->peer_name);
        if (!rule->peer) {
            node_error(node, diagnostics, "its rules name more than %d "
                       "security groups", SECURITY_GROUP_MAX_PEERS);
            return false;
        }
    }
    rules->n++;
    return true;
}

static bool
parse_rules(struct intent_security_group *group, bool is_in,
            const struct node *node, struct diagnostics *diagnostics)
{
    struct security_rules *rules = is_in ? &group->in : &group->out;
    unsigned int n = node->kind == NODE_LIST ? node->n : 1;
    bool good = true;

    if (node->kind == NODE_NULL) {
        node_error(node, diagnostics,
                   "nothing is said; no rule at all is []");
        return false;
    }
    if (n > SECURITY_GROUP_MAX_RULES) {
        node_error(node, diagnostics, "more than %d rules",
                   SECURITY_GROUP_MAX_RULES);
        return false;
    }
    rules->is_given = true;
    rules->list = xcalloc(MAX(n, 1u), sizeof rules->list[0]);
    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        good = add_rule(group, is_in, item, diagnostics) && good;
    }
    return good;
}

static json_t *
format_rules(const struct security_rules *rules)
{
    json_t *list;

    if (!rules->is_given) {
        return NULL;
    }
    list = json_array();
    for (unsigned int i = 0; i < rules->n; i++) {
        json_array_append_new(list, security_rule_json(&rules->list[i]));
    }
    return list;
}

static bool
parse_in(const struct member *member UNUSED, const struct node *node,
         void *value, struct diagnostics *diagnostics)
{
    return parse_rules(value, true, node, diagnostics);
}

static json_t *
format_in(const struct member *member UNUSED, const void *value)
{
    const struct intent_security_group *group = value;

    return format_rules(&group->in);
}

static json_t *
schema_in(const struct member *member UNUSED)
{
    return schema_list(security_rule_schema(true), SECURITY_GROUP_MAX_RULES);
}

static bool
parse_out(const struct member *member UNUSED, const struct node *node,
          void *value, struct diagnostics *diagnostics)
{
    return parse_rules(value, false, node, diagnostics);
}

static json_t *
format_out(const struct member *member UNUSED, const void *value)
{
    const struct intent_security_group *group = value;

    return format_rules(&group->out);
}

static json_t *
schema_out(const struct member *member UNUSED)
{
    return schema_list(security_rule_schema(false),
                       SECURITY_GROUP_MAX_RULES);
}

static const struct value_type value_in = {
    "a list of rules like {protocol: tcp, port: 443}", parse_in, format_in,
    schema_in,
};
static const struct value_type value_out = {
    "a list of rules like {protocol: tcp, port: 443}", parse_out, format_out,
    schema_out,
};

/* ---- The table ---- */

#define AT(M) MEMBER_AT(intent_security_group, M)

static const struct member members[] = {
    { .name = "in", .type = &value_in, .effect = EFFECT_FLOWS,
      .fallback = "[]",
      .doc = "rules: who may open what to a port of the group" },
    { .name = "out", .type = &value_out, .effect = EFFECT_FLOWS,
      .fallback = "anything",
      .doc = "rules: what a port of the group may open" },
    { .name = "audit", .type = &value_bool, AT(is_audit),
      .effect = EFFECT_FLOWS, .fallback = "false",
      .doc = "count what would be dropped, and drop nothing" },
    { 0 },
};

static void
fini(struct intent_object *object)
{
    struct intent_security_group *group = CONTAINER_OF(
        object, struct intent_security_group, object);

    free(group->in.list);
    free(group->out.list);
    free(group->peers);
}

static void
unshare_rules(struct security_rules *rules)
{
    if (rules->list) {
        rules->list = xmemdup(rules->list,
                              MAX(rules->n, 1u) * sizeof rules->list[0]);
    }
}

static void
unshare(struct intent_object *object)
{
    struct intent_security_group *group = CONTAINER_OF(
        object, struct intent_security_group, object);

    unshare_rules(&group->in);
    unshare_rules(&group->out);
    if (group->peers) {
        group->peers = xmemdup(group->peers,
                               group->n_peers * sizeof group->peers[0]);
    }
}

/* The member in whose rules the group is named. */
static const char *
named_in(const struct intent_security_group *group, unsigned int peer)
{
    for (unsigned int i = 0; i < group->in.n; i++) {
        if (group->in.list[i].peer == peer) {
            return "in";
        }
    }
    return "out";
}

static unsigned int
references(struct intent_object *object,
           struct reference found[NOUN_MAX_REFERENCES])
{
    struct intent_security_group *group = CONTAINER_OF(
        object, struct intent_security_group, object);

    for (unsigned int i = 0; i < group->n_peers; i++) {
        found[i] = (struct reference) {
            INTENT_SECURITY_GROUP, group->peers[i].name, NULL,
            named_in(group, i + 1),
        };
    }
    return group->n_peers;
}

const struct noun security_group_noun = {
    .doc = "what may open connections to a port, and from it",
    .size = sizeof(struct intent_security_group),
    .members = members,
    .fini = fini,
    .unshare = unshare,
    .references = references,
};
