#include "intent/diff.h"

#include <stdlib.h>

#include "intent/export.h"

/* ---- Objects ---- */

static void
add_member(struct object_change *change, const struct member_change *member)
{
    change->members = xrealloc(change->members,
                               (change->n_members + 1)
                               * sizeof change->members[0]);
    change->members[change->n_members++] = *member;
    change->effect = MAX(change->effect, member->effect);
}

/* Every member that differs, or of which only one of the two says something. */
static void
compare_objects(const struct intent_object *a, const struct intent_object *b,
                struct object_change *change)
{
    const struct member *members = intent_noun(a->kind)->members;

    for (unsigned int i = 0; members[i].name; i++) {
        struct member_change one = { .member = &members[i] };

        if (!member_is_same(&members[i], a, b)) {
            one.before = member_json(&members[i], a);
            one.after = member_json(&members[i], b);
            one.effect = members[i].effect;
            if (members[i].may_begin && !one.before) {
                one.effect = MIN(one.effect, EFFECT_FLOWS);
            }
        } else if ((a->given ^ b->given) >> i & 1) {
            one.before = member_json(&members[i], a);
            one.after = json_incref(one.before);
            one.effect = EFFECT_NOTHING;
        } else {
            continue;
        }
        add_member(change, &one);
    }
}

static void
add_change(struct diff *diff, const struct object_change *change)
{
    if (!(diff->n_changes & (diff->n_changes - 1))) {
        diff->changes = xrealloc(diff->changes,
                                 MAX(diff->n_changes * 2, 1u)
                                 * sizeof diff->changes[0]);
    }
    diff->changes[diff->n_changes++] = *change;
}

static void
compare_pair(struct diff *diff, const struct intent_object *a,
             const struct intent_object *b)
{
    struct object_change change = {
        .change = !a ? CHANGE_ADD : !b ? CHANGE_REMOVE : CHANGE_MODIFY,
        .before = a, .after = b,
    };

    if (a && b) {
        if (a == b) {
            return;
        }
        compare_objects(a, b, &change);
        if (!change.n_members) {
            return;
        }
    }
    add_change(diff, &change);
}

/* Both are in order of name. */
static void
compare_kind(struct diff *diff, enum intent_kind kind)
{
    const struct intent_object *a, *b;
    unsigned int i = 0, k = 0;

    while (a = intent_at(diff->before, kind, i),
           b = intent_at(diff->after, kind, k), a || b) {
        int order = a == b ? 0 : !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

        compare_pair(diff, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
        i += order <= 0;
        k += order >= 0;
    }
}

/* ---- Ports ---- */

static const struct object_change *
find_change(const struct diff *diff, const struct intent_object *object)
{
    unsigned int low = 0, high = diff->n_changes;

    while (low < high) {
        unsigned int middle = low + (high - low) / 2;
        const struct object_change *c = &diff->changes[middle];
        const struct intent_object *at = c->after ? c->after : c->before;
        int order = at->kind != object->kind
                    ? (at->kind < object->kind ? -1 : 1)
                    : strcmp(at->name, object->name);

        if (!order) {
            return c;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* What a port meets, from several objects: the worst, and who is to blame. */
struct impact {
    enum effect effect;
    bool is_any;
    struct str why;
};

static void
add_impact(const struct diff *diff, struct impact *impact,
           const struct intent_object *object, bool is_itself)
{
    const struct object_change *change = find_change(diff, object);
    const char *separator = "";
    unsigned int n = 0;

    if (!change || change->change != CHANGE_MODIFY
        || (impact->is_any && change->effect <= impact->effect)) {
        return;
    }
    impact->is_any = true;
    impact->effect = change->effect;
    str_clear(&impact->why);
    if (!is_itself) {
        str_addf(&impact->why, "%s '%s': ", intent_kind_noun(object->kind),
                 object->name);
    }
    for (unsigned int i = 0; i < change->n_members; i++) {
        if (change->members[i].effect == change->effect) {
            str_addf(&impact->why, "%s%s", separator,
                     change->members[i].member->name);
            separator = ", ";
            n++;
        }
    }
    str_add(&impact->why, n == 1 ? " changes" : " change");
    if (impact->effect == EFFECT_REOPEN && is_itself) {
        str_add(&impact->why, "; its NIC is taken away and comes back");
    }
}

static const struct intent_router *
router_of(const struct intent *set, const char *network)
{
    INTENT_FOR_EACH_ROUTER (router, set) {
        for (unsigned int i = 0; i < router->n_networks; i++) {
            if (!strcmp(router->networks[i].name, network)) {
                return router;
            }
        }
    }
    return NULL;
}

/* Whom the network's ports reached, they may reach no more. */
static void
add_router_impact(const struct diff *diff, struct impact *impact,
                  const struct intent_network *network)
{
    const char *name = network->object.name;
    const struct intent_router *before = router_of(diff->before, name);
    const struct intent_router *after = router_of(diff->after, name);

    if (!before || before == after
        || (impact->is_any && impact->effect >= EFFECT_CUT)) {
        return;
    }
    for (unsigned int i = 0; i < before->n_networks; i++) {
        const char *other = before->networks[i].name;

        if (strcmp(other, name)
            && (!after || router_of(diff->after, other) != after)) {
            impact->is_any = true;
            impact->effect = EFFECT_CUT;
            str_clear(&impact->why);
            str_addf(&impact->why, "network '%s' is no longer joined with "
                     "'%s'", name, other);
            return;
        }
    }
    add_impact(diff, impact, &before->object, false);
}

static void
add_network_impact(const struct diff *diff, struct impact *impact,
                   const struct intent_network *network)
{
    add_impact(diff, impact, &network->object, false);
    if (network->segment.uplink) {
        add_impact(diff, impact, &network->segment.uplink->object, false);
    }
    add_router_impact(diff, impact, network);
    if (network->nat) {
        add_impact(diff, impact, &network->nat->object, false);
    }
}

static void
add_port(struct diff *diff, const struct intent_port *port,
         enum effect effect, char *why)
{
    if (!(diff->n_ports & (diff->n_ports - 1))) {
        diff->ports = xrealloc(diff->ports, MAX(diff->n_ports * 2, 1u)
                                            * sizeof diff->ports[0]);
    }
    diff->ports[diff->n_ports++] = (struct port_change) { port, effect, why };
    diff->n_interrupted += effect_interrupts(effect);
}

static void
compare_ports(struct diff *diff)
{
    INTENT_FOR_EACH_PORT (old, diff->before) {
        const struct intent_port *port = intent_port_cast(
            intent_find(diff->after, INTENT_PORT, old->object.name));
        struct impact impact = { .why = STR_INIT };

        if (!port) {
            add_port(diff, old, EFFECT_REOPEN, xstrdup("goes away"));
            continue;
        }
        add_impact(diff, &impact, &port->object, true);
        if (port->network) {
            add_network_impact(diff, &impact, port->network);
        }
        for (unsigned int i = 0; i < port->n_trunk; i++) {
            add_network_impact(diff, &impact, port->trunk[i].network);
        }
        for (unsigned int i = 0; i < port->n_security_groups; i++) {
            add_impact(diff, &impact,
                       intent_find_id(diff->after,
                                      port->security_groups[i].id), false);
        }
        if (impact.is_any) {
            add_port(diff, port, impact.effect, str_steal(&impact.why));
        }
        str_fini(&impact.why);
    }
}

struct diff *
diff_create(const struct intent *before, const struct intent *after)
{
    struct diff *diff = xzalloc(sizeof *diff);

    diff->before = intent_ref(before);
    diff->after = intent_ref(after);
    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        compare_kind(diff, (enum intent_kind) kind);
    }
    if (diff->n_changes) {
        compare_ports(diff);
    }
    return diff;
}

void
diff_destroy(struct diff *diff)
{
    if (!diff) {
        return;
    }
    for (unsigned int i = 0; i < diff->n_changes; i++) {
        struct object_change *change = &diff->changes[i];

        for (unsigned int k = 0; k < change->n_members; k++) {
            json_decref(change->members[k].before);
            json_decref(change->members[k].after);
        }
        free(change->members);
    }
    for (unsigned int i = 0; i < diff->n_ports; i++) {
        free(diff->ports[i].why);
    }
    free(diff->changes);
    free(diff->ports);
    intent_unref(diff->before);
    intent_unref(diff->after);
    free(diff);
}

/* ---- In words ---- */

static void
add_value(struct str *out, const json_t *value)
{
    if (value) {
        intent_value_format(value, out);
    } else {
        str_add(out, "nothing");
    }
}

static void
format_member(const struct member_change *change, bool is_now_given,
              struct str *out)
{
    str_addf(out, "    %s: ", change->member->name);
    if (change->before == change->after) {
        add_value(out, change->after);
        str_add(out, is_now_given ? ", as it was by default\n"
                                  : ", from now on by default\n");
        return;
    }
    add_value(out, change->before);
    str_add(out, " -> ");
    add_value(out, change->after);
    str_add_char(out, '\n');
}

static void
format_change(const struct object_change *change, struct str *out)
{
    static const char signs[] = {
        [CHANGE_ADD] = '+', [CHANGE_MODIFY] = '~', [CHANGE_REMOVE] = '-',
    };
    const struct intent_object *object = change->after ? change->after
                                                       : change->before;
    const struct member *members = intent_noun(object->kind)->members;

    str_addf(out, "%c %s %s", signs[change->change],
             intent_kind_noun(object->kind), object->name);
    if (change->change == CHANGE_ADD) {
        json_t *given = intent_object_json(object);

        str_add(out, ": ");
        intent_value_format(given, out);
        json_decref(given);
    }
    str_add_char(out, '\n');
    for (unsigned int i = 0; i < change->n_members; i++) {
        const struct member_change *member = &change->members[i];

        format_member(member, object->given >> (member->member - members) & 1,
                      out);
    }
}

static void
format_ports(const struct diff *diff, bool is_interrupted, struct str *out)
{
    for (unsigned int i = 0; i < diff->n_ports; i++) {
        const struct port_change *port = &diff->ports[i];

        if (effect_interrupts(port->effect) == is_interrupted) {
            str_addf(out, "  %s: %s\n", port->port->object.name, port->why);
        }
    }
}

void
diff_format(const struct diff *diff, struct str *out)
{
    unsigned int n_before = intent_count(diff->before, INTENT_PORT);
    unsigned int n_calm = diff->n_ports - diff->n_interrupted;

    if (!diff->n_changes) {
        str_add(out, "Nothing changes.\n");
        return;
    }
    for (unsigned int i = 0; i < diff->n_changes; i++) {
        format_change(&diff->changes[i], out);
    }
    str_addf(out, "\nInterrupted: %u of %u ports%s\n", diff->n_interrupted,
             n_before, diff->n_interrupted ? ":" : ".");
    format_ports(diff, true, out);
    if (n_calm) {
        str_addf(out, "Changed without interruption: %u\n", n_calm);
        format_ports(diff, false, out);
    }
    if (n_before > diff->n_ports) {
        str_addf(out, "Not touched: %u\n", n_before - diff->n_ports);
    }
}

/* ---- As JSON ---- */

static const char *const effect_words[] = {
    [EFFECT_NOTHING] = "nothing", [EFFECT_FLOWS] = "flows",
    [EFFECT_CUT] = "cut", [EFFECT_REOPEN] = "reopen",
};

static json_t *
change_json(const struct object_change *change)
{
    static const char *const words[] = {
        [CHANGE_ADD] = "add", [CHANGE_MODIFY] = "modify",
        [CHANGE_REMOVE] = "remove",
    };
    const struct intent_object *object = change->after ? change->after
                                                       : change->before;
    json_t *row = json_pack("{s:s, s:s, s:s}", "change",
                            words[change->change], "kind",
                            intent_kind_noun(object->kind), "name",
                            object->name);
    json_t *members;

    if (change->change != CHANGE_MODIFY) {
        json_object_set_new(row, "members", intent_object_json(object));
        return row;
    }
    members = json_array();
    json_object_set_new(row, "effect",
                        json_string(effect_words[change->effect]));
    json_object_set_new(row, "members", members);
    for (unsigned int i = 0; i < change->n_members; i++) {
        const struct member_change *member = &change->members[i];

        json_array_append_new(members, json_pack(
            "{s:s, s:s, s:O?, s:O?}", "name", member->member->name, "effect",
            effect_words[member->effect], "before", member->before, "after",
            member->after));
    }
    return row;
}

json_t *
diff_json(const struct diff *diff)
{
    json_t *changes = json_array(), *ports = json_array();

    for (unsigned int i = 0; i < diff->n_changes; i++) {
        json_array_append_new(changes, change_json(&diff->changes[i]));
    }
    for (unsigned int i = 0; i < diff->n_ports; i++) {
        const struct port_change *port = &diff->ports[i];

        json_array_append_new(ports, json_pack(
            "{s:s, s:b, s:s, s:s}", "name", port->port->object.name,
            "interrupted", effect_interrupts(port->effect), "effect",
            effect_words[port->effect], "why", port->why));
    }
    return json_pack("{s:o, s:o, s:i}", "changes", changes, "ports", ports,
                     "interrupted", (int) diff->n_interrupted);
}
