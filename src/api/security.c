/* /v1/security-groups: what security groups say, and what they did.
 *
 * Rules are the controller's, counters are the switch's:
 *
 *     security_groups_show()    controller
 *     read_counts()             switch       if it is ours
 *     give_groups()             controller */

#include "api/security.h"

#include <stdlib.h>

#include "api/routes.h"
#include "controller/controller.h"
#include "intent/schema.h"
#include "intent/security_rule.h"

/* ---- What the switch counted ---- */

/* Of what it commits; 0: it commits nothing. */
static uint32_t
committed_label(const struct flow_entry *entry)
{
    ACTION_FOR_EACH (a, &entry->instructions.apply) {
        struct action_list nested;

        if (a->type != ACTION_CT) {
            continue;
        }
        nested = action_ct_list((const struct action_ct *) (const void *) a);
        ACTION_FOR_EACH (b, &nested) {
            const struct action_set_field *set = (const void *) b;

            if (b->type == ACTION_SET_FIELD && set->field == FIELD_CT_LABEL) {
                return (uint32_t) action_u128(set->value);
            }
        }
    }
    return 0;
}

static bool
add_entry(void *aux, const struct flow_entry *entry)
{
    struct security_counts *counts = aux;
    struct security_count count = {
        .is_in = entry->table == controller_security_table(true),
        .cookie = be64toh(entry->cookie),
        .rule = controller_security_rule(committed_label(entry)),
        .packets = atomic_load_explicit(&entry->credit.packets,
                                        memory_order_relaxed),
    };
    struct match match;

    if (count.cookie >> 60 == INTENT_PORT + 1) {
        flow_entry_match(entry, &match);
        count.port = (uint32_t) field_get(
            field_by_id(count.is_in ? FIELD_REG15 : FIELD_IN_PORT),
            &match.value);
        count.is_audit = entry->instructions.has_goto;
        count.rule = 0;
    } else if (!count.rule) {
        return true;
    }
    if (counts->n == counts->size) {
        counts->size = MAX(32u, counts->size * 2);
        counts->list = xrealloc(counts->list,
                                counts->size * sizeof *counts->list);
    }
    counts->list[counts->n++] = count;
    return true;
}

static int
compare_counts(const void *a, const void *b)
{
    const struct security_count *x = a, *y = b;

    return x->cookie != y->cookie ? (x->cookie < y->cookie ? -1 : 1)
           : x->rule != y->rule   ? (x->rule < y->rule ? -1 : 1)
           : x->port != y->port   ? (x->port < y->port ? -1 : 1)
           : x->is_in != y->is_in ? x->is_in - y->is_in
                                  : x->is_audit - y->is_audit;
}

/* A rule is several flows, and what an audit counts is, too. */
static void
merge(struct security_counts *counts)
{
    unsigned int n = 0;

    if (counts->n) {
        qsort(counts->list, counts->n, sizeof counts->list[0],
              compare_counts);
    }
    for (unsigned int i = 0; i < counts->n; i++) {
        if (n && !compare_counts(&counts->list[n - 1], &counts->list[i])) {
            counts->list[n - 1].packets += counts->list[i].packets;
        } else {
            counts->list[n++] = counts->list[i];
        }
    }
    counts->n = n;
}

void
security_counts_read(struct api *api, struct security_counts *counts)
{
    struct tables *tables = switch_tables(api->sw);

    *counts = (struct security_counts) { 0, 0, NULL };
    switch_refresh_counters(api->sw);
    tables_visit(tables, controller_security_table(false), NULL, add_entry,
                 counts);
    tables_visit(tables, controller_security_table(true), NULL, add_entry,
                 counts);
    merge(counts);
}

void
security_counts_fini(struct security_counts *counts)
{
    free(counts->list);
}

/* ---- The groups ---- */

struct groups_inquiry {
    bool is_known;                /* there is a switch to ask */
    struct security_counts counts;
};

static void
inquiry_destroy(void *inquiry_)
{
    struct groups_inquiry *inquiry = inquiry_;

    security_counts_fini(&inquiry->counts);
    free(inquiry);
}

static json_t *
rule_connections(const struct groups_inquiry *inquiry, uint64_t group,
                 uint32_t rule)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < inquiry->counts.n; i++) {
        const struct security_count *count = &inquiry->counts.list[i];

        sum += count->rule == rule && count->cookie == group ? count->packets
                                                             : 0;
    }
    return inquiry->is_known ? json_integer((json_int_t) sum) : json_null();
}

static void
add_rules(const struct groups_inquiry *inquiry,
          const struct intent_security_group *group,
          const struct security_rules *rules, bool is_in, json_t *list)
{
    for (unsigned int i = 0; i < rules->n; i++) {
        const struct security_rule *rule = &rules->list[i];
        struct str text = STR_INIT;

        security_rule_format(rule, &text);
        json_array_append_new(list, json_pack(
            "{s:s, s:i, s:s, s:o}", "direction", is_in ? "in" : "out",
            "number", (int) i + 1, "rule", str_text(&text), "connections",
            rule_connections(inquiry, group->object.id, rule->id)));
        str_fini(&text);
    }
}

static bool
names(const struct intent_port *port,
      const struct intent_security_group *group)
{
    for (unsigned int i = 0; i < port->n_security_groups; i++) {
        if (port->security_groups[i].id == group->object.id) {
            return true;
        }
    }
    return false;
}

static json_t *
port_packets(const struct groups_inquiry *inquiry, uint64_t port, bool is_in,
             bool is_audit)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < inquiry->counts.n; i++) {
        const struct security_count *count = &inquiry->counts.list[i];

        sum += !count->rule && count->cookie == port && count->is_in == is_in
               && count->is_audit == is_audit ? count->packets : 0;
    }
    return inquiry->is_known ? json_integer((json_int_t) sum) : json_null();
}

static json_t *
group_json(const struct groups_inquiry *inquiry, const struct intent *set,
           const struct intent_security_group *group)
{
    json_t *rules = json_array(), *ports = json_array();

    add_rules(inquiry, group, &group->in, true, rules);
    add_rules(inquiry, group, &group->out, false, rules);
    INTENT_FOR_EACH_PORT (port, set) {
        if (names(port, group)) {
            uint64_t id = port->object.id;

            json_array_append_new(ports, json_pack(
                "{s:s, s:o, s:o, s:o, s:o}", "name", port->object.name,
                "dropped_in", port_packets(inquiry, id, true, false),
                "dropped_out", port_packets(inquiry, id, false, false),
                "audited_in", port_packets(inquiry, id, true, true),
                "audited_out", port_packets(inquiry, id, false, true)));
        }
    }
    return json_pack("{s:s, s:b, s:b, s:o, s:o}", "name", group->object.name,
                     "audit", group->is_audit, "limits_out",
                     group->out.is_given, "rules", rules, "ports", ports);
}

static void
give_groups(struct api *api, struct api_request *request UNUSED,
            msec now UNUSED, struct api_reply *reply)
{
    const struct groups_inquiry *inquiry = reply->relay.state;
    const struct intent *set = controller_intent(api->controller);

    api_list_begin(reply, "security-groups");
    if (set) {
        INTENT_FOR_EACH_SECURITY_GROUP (group, set) {
            api_list_add(reply, group_json(inquiry, set, group));
        }
    }
    api_list_end(reply);
}

static void
read_counts(struct api *api, struct api_request *request UNUSED,
            msec now UNUSED, struct api_reply *reply)
{
    struct groups_inquiry *inquiry = reply->relay.state;

    if (api->sw) {
        inquiry->is_known = true;
        security_counts_read(api, &inquiry->counts);
    }
    api_relay(reply, API_CONTROLLER, give_groups);
}

void
security_groups_show(struct api *api, struct api_request *request UNUSED,
                     msec now UNUSED, struct api_reply *reply)
{
    if (!api_has_controller(api, reply)) {
        return;
    }
    reply->relay.state = xzalloc(sizeof(struct groups_inquiry));
    reply->relay.destroy = inquiry_destroy;
    api_relay(reply, API_SWITCH, read_counts);
}
