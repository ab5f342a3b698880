/* weft security-group list, show: with what they did.  add-rule, remove-rule:
 * one rule of many.
 *
 *     weft security-group add-rule web in protocol=tcp port=443
 *     weft security-group remove-rule web in 2
 *
 * A rule is written as the intent file has it, KEY=VALUE for each member. */

#include <stdio.h>
#include <stdlib.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "intent/diag.h"
#include "intent/export.h"
#include "intent/parse.h"
#include "intent/security_rule.h"
#include "intent/value.h"

/* ---- A rule out of words ---- */

/* NULL: said why. */
static json_t *
rule_of_words(const struct cli *cli, char **words, int n)
{
    json_t *rule = json_object();

    for (int i = 0; i < n; i++) {
        const char *equals = strchr(words[i], '=');

        if (!equals || equals == words[i]) {
            cli_fail(cli, CLI_USAGE, words[i],
                     "as in protocol=tcp port=443 from=10.0.0.0/8",
                     "is not KEY=VALUE");
            json_decref(rule);
            return NULL;
        }
        json_object_setn_new(rule, words[i], (size_t) (equals - words[i]),
                             json_string(equals + 1));
    }
    return rule;
}

/* As the daemon writes it, so that it can be compared; takes `rule`.  NULL: it
 * is none, said why. */
static json_t *
canonical(const struct cli *cli, const char *group, const char *direction,
          json_t *rule)
{
    json_t *members = json_pack("{s:[o]}", direction, rule), *found = NULL;
    struct diagnostics *diag = diag_create();
    struct intent_object *object = intent_parse_object(
        INTENT_SECURITY_GROUP, group, members, diag);

    if (object) {
        json_t *all = intent_object_json(object);

        found = json_incref(json_array_get(json_object_get(all, direction),
                                           0));
        json_decref(all);
    } else {
        struct str text = STR_INIT;

        diag_format(diag, &text);
        str_chomp(&text, "\n");
        cli_fail(cli, CLI_USAGE, NULL, NULL, "%s", str_text(&text));
        str_fini(&text);
    }
    intent_object_unref(object);
    diag_destroy(diag);
    json_decref(members);
    return found;
}

static bool
check_direction(const struct cli *cli, const char *text)
{
    if (!strcmp(text, "in") || !strcmp(text, "out")) {
        return true;
    }
    cli_fail(cli, CLI_USAGE, text, NULL, "is neither in nor out");
    return false;
}

static bool
check_name(const struct cli *cli, const char *name)
{
    const char *why;

    if (intent_name_is_valid(name, &why)) {
        return true;
    }
    cli_fail(cli, CLI_USAGE, name, NULL, "cannot be a name: %s", why);
    return false;
}

/* A new reference to the list as it is; NULL: said why. */
static json_t *
ask_for_rules(struct cli *cli, const struct cli_args *args,
              enum cli_status *status)
{
    struct answer answer;
    json_t *list;

    *status = object_ask(cli, args->words[0], &answer);
    if (*status != CLI_DONE) {
        return NULL;
    }
    list = json_incref(json_object_get(json_object_get(answer.json, "members"),
                                       args->words[1]));
    answer_fini(&answer);
    return list ? list : json_array();
}

static enum cli_status
send_rules(struct cli *cli, const struct cli_args *args, json_t *list)
{
    return object_patch(cli, args->words[0],
                        json_pack("{s:o}", args->words[1], list),
                        args->options[0]);
}

enum cli_status
security_group_add_rule(struct cli *cli, const struct cli_args *args)
{
    enum cli_status status;
    json_t *rule, *list;

    if (!check_name(cli, args->words[0])
        || !check_direction(cli, args->words[1])
        || !(rule = rule_of_words(cli, args->words + 2, args->n - 2))
        || !(rule = canonical(cli, args->words[0], args->words[1], rule))) {
        return CLI_USAGE;
    }
    list = ask_for_rules(cli, args, &status);
    if (!list) {
        json_decref(rule);
        return status;
    }
    json_array_append_new(list, rule);
    return send_rules(cli, args, list);
}

/* ---- Which one? ---- */

/* `cut` says how it goes away, not what it lets pass. */
static bool
is_same_rule(const json_t *a, const json_t *b)
{
    json_t *x = json_copy((json_t *) (uintptr_t) a);
    json_t *y = json_copy((json_t *) (uintptr_t) b);
    bool is_same;

    json_object_del(x, "cut");
    json_object_del(y, "cut");
    is_same = json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return is_same;
}

/* From 0; -1: said why. */
static int
find_rule(struct cli *cli, const struct cli_args *args, const json_t *list)
{
    size_t n = json_array_size(list);
    uint64_t number;
    json_t *rule;

    if (args->n == 3 && number_parse(args->words[2], INT32_MAX, &number)) {
        if (!number || number > n) {
            cli_fail(cli, CLI_REFUSED, NULL, NULL, "it has %zu '%s' rules",
                     n, args->words[1]);
            return -1;
        }
        return (int) number - 1;
    }
    rule = rule_of_words(cli, args->words + 2, args->n - 2);
    rule = rule ? canonical(cli, args->words[0], args->words[1], rule) : NULL;
    for (size_t i = 0; rule && i < n; i++) {
        if (is_same_rule(json_array_get(list, i), rule)) {
            json_decref(rule);
            return (int) i;
        }
    }
    if (rule) {
        struct str hint = STR_INIT;

        str_addf(&hint, "weft security-group show %s", args->words[0]);
        cli_fail(cli, CLI_REFUSED, NULL, str_text(&hint),
                 "security group '%s' has no such '%s' rule", args->words[0],
                 args->words[1]);
        str_fini(&hint);
        json_decref(rule);
    }
    return -1;
}

enum cli_status
security_group_remove_rule(struct cli *cli, const struct cli_args *args)
{
    enum cli_status status;
    json_t *list;
    int i;

    if (!check_name(cli, args->words[0])
        || !check_direction(cli, args->words[1])) {
        return CLI_USAGE;
    }
    list = ask_for_rules(cli, args, &status);
    if (!list) {
        return status;
    }
    i = find_rule(cli, args, list);
    if (i < 0) {
        json_decref(list);
        return CLI_REFUSED;
    }
    json_array_remove(list, (size_t) i);
    return send_rules(cli, args, list);
}

/* ---- What they are, and did ---- */

/* NULL: said why.  To be finished with answer_fini(). */
static const json_t *
ask_for_groups(struct cli *cli, struct answer *answer,
               enum cli_status *status)
{
    *status = client_ask(cli, "GET", "/v1/security-groups", NULL, answer);
    return *status == CLI_DONE
           ? json_object_get(answer->json, "security-groups") : NULL;
}

/* Of all its ports; -1: it is not known. */
static json_int_t
sum_of(const json_t *ports, const char *in, const char *out)
{
    json_int_t sum = 0;
    json_t *port;
    size_t i;

    json_array_foreach (ports, i, port) {
        if (json_is_null(json_object_get(port, in))) {
            return -1;
        }
        sum += json_integer_value(json_object_get(port, in))
               + json_integer_value(json_object_get(port, out));
    }
    return sum;
}

static void
add_sum(struct table *table, json_int_t sum)
{
    if (sum < 0) {
        table_add_text(table, "-");
    } else {
        table_addf(table, "%lld", (long long) sum);
    }
}

static int
count_rules(const json_t *rules, const char *direction)
{
    json_t *rule;
    int n = 0;
    size_t i;

    json_array_foreach (rules, i, rule) {
        n += !strcmp(json_string_value(json_object_get(rule, "direction")),
                     direction);
    }
    return n;
}

enum cli_status
security_group_list(struct cli *cli, const struct cli_args *args UNUSED)
{
    struct answer answer;
    enum cli_status status;
    const json_t *groups = ask_for_groups(cli, &answer, &status);
    struct table *table;
    json_t *group;
    size_t i;

    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        table = table_create();
        table_add_column(table, "SECURITY GROUP", 0);
        table_add_column(table, "IN", COLUMN_RIGHT);
        table_add_column(table, "OUT", COLUMN_RIGHT);
        table_add_column(table, "PORTS", COLUMN_RIGHT);
        table_add_column(table, "AUDIT", 0);
        table_add_column(table, "DROPPED", COLUMN_RIGHT);
        table_add_column(table, "AUDITED", COLUMN_RIGHT);
        json_array_foreach (groups, i, group) {
            const json_t *rules = json_object_get(group, "rules");
            const json_t *ports = json_object_get(group, "ports");

            table_add_json(table, group, "name");
            table_addf(table, "%d", count_rules(rules, "in"));
            if (json_is_true(json_object_get(group, "limits_out"))) {
                table_addf(table, "%d", count_rules(rules, "out"));
            } else {
                table_add_text(table, "any");
            }
            table_addf(table, "%zu", json_array_size(ports));
            table_add_json(table, group, "audit");
            add_sum(table, sum_of(ports, "dropped_in", "dropped_out"));
            add_sum(table, sum_of(ports, "audited_in", "audited_out"));
        }
        table_print(table);
        table_destroy(table);
    }
    answer_fini(&answer);
    return CLI_DONE;
}

static void
print_rules(const json_t *group)
{
    struct table *table = table_create();
    json_t *rule;
    size_t i;

    table_add_column(table, "DIRECTION", 0);
    table_add_column(table, "NUMBER", COLUMN_RIGHT);
    table_add_column(table, "RULE", 0);
    table_add_column(table, "CONNECTIONS", COLUMN_RIGHT);
    json_array_foreach (json_object_get(group, "rules"), i, rule) {
        table_add_json(table, rule, "direction");
        table_add_json(table, rule, "number");
        table_add_json(table, rule, "rule");
        table_add_json(table, rule, "connections");
    }
    table_print(table);
    table_destroy(table);
}

static void
print_ports(const json_t *group)
{
    struct table *table = table_create();
    json_t *port;
    size_t i;

    table_add_column(table, "PORT", 0);
    table_add_column(table, "DROPPED IN", COLUMN_RIGHT);
    table_add_column(table, "DROPPED OUT", COLUMN_RIGHT);
    table_add_column(table, "AUDITED IN", COLUMN_RIGHT);
    table_add_column(table, "AUDITED OUT", COLUMN_RIGHT);
    json_array_foreach (json_object_get(group, "ports"), i, port) {
        table_add_json(table, port, "name");
        table_add_json(table, port, "dropped_in");
        table_add_json(table, port, "dropped_out");
        table_add_json(table, port, "audited_in");
        table_add_json(table, port, "audited_out");
    }
    table_print(table);
    table_destroy(table);
}

/* The daemon says of which there are; a wrong name is told by the object. */
enum cli_status
security_group_show(struct cli *cli, const struct cli_args *args)
{
    struct answer object, answer;
    enum cli_status status = object_ask(cli, args->words[0], &object);
    json_t *group, *found = NULL;
    const json_t *groups;
    size_t i;

    if (status != CLI_DONE) {
        return status;
    }
    answer_fini(&object);
    groups = ask_for_groups(cli, &answer, &status);
    if (status != CLI_DONE) {
        return status;
    }
    json_array_foreach (groups, i, group) {
        const char *name = json_string_value(json_object_get(group, "name"));

        if (name && !strcmp(name, args->words[0])) {
            found = json_incref(group);
        }
    }
    json_decref(answer.json);
    answer.json = found;
    answer_take_json(&answer);
    if (found && !cli_shown_as_json(cli, &answer.body)) {
        printf("%s%s\n", args->words[0],
               json_is_true(json_object_get(found, "audit"))
               ? ": an audit, which drops nothing" : "");
        print_rules(found);
        print_ports(found);
    }
    answer_fini(&answer);
    return CLI_DONE;
}
