/* weft explain: can one reach the other, by name, and what decides.
 *
 * The controller turns names into packets there and back, and the questions for
 * addresses that come before them; the switch traces them all (the real
 * translation), and each flow entry on the way is led back to what asked for
 * it. */

#include "cli/client.h"
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>

/* What a stage that drops is about, and what would change it; %s is the port
 * that sends. */
static const struct {
    const char *stage;
    const char *why;
    const char *fix;
} reasons[] = {
    { "ingress", "no network takes what it sends",
      "weft port set %s --network NETWORK" },
    { "port-security", "the Ethernet address is not the port's own",
      "weft port set %s --allow MAC" },
    { "address-security", "the address is not the port's own",
      "weft port set %s --allow ADDRESS" },
    { "nd-security", "it speaks for an address that is not its own",
      "weft port set %s --allow ADDRESS" },
    { "guard", "guests are no routers and no DHCP servers", NULL },
    { "routing", "no router joins the networks", "put both into one network" },
    { "multicast", "nobody asked for that group", "weft multicast list" },
    { "l2-lookup", "nobody in the network has that address",
      "weft port list" },
    { "output", "they may not hear each other",
      "weft port set %s --isolated=" },
};

struct leg {
    bool passes;                  /* and ends where it should */
    json_t *reached;              /* ports that it goes out by */
    struct str path;              /* one stage a line */
    struct str stage, origin;     /* of the entry that decided */
    struct str verdict;
};

static void
leg_fini(struct leg *leg)
{
    str_fini(&leg->path);
    str_fini(&leg->stage);
    str_fini(&leg->origin);
    str_fini(&leg->verdict);
    json_decref(leg->reached);
}

/* "table 8: priority 50 ip,... (cookie 0x12)": false for other steps. */
static bool
parse_step(const char *text, unsigned int *table, const char **cookie,
           int *cookie_len)
{
    const char *at = strstr(text, "(cookie ");
    int priority;

    if (!at || (sscanf(text, "table %u: priority %d", table, &priority) != 2
                && sscanf(text, "egress table %u: priority %d", table,
                          &priority) != 2)) {
        return false;
    }
    *cookie = at + strlen("(cookie ");
    *cookie_len = (int) strcspn(*cookie, ")");
    return true;
}

static void
look_up(struct cli *cli, unsigned int table, const char *cookie,
        int cookie_len, struct leg *leg)
{
    struct str path = STR_INIT;
    struct answer answer;

    str_addf(&path, "/v1/cookie/%.*s?table=%u", cookie_len, cookie, table);
    if (client_try(cli, "GET", str_text(&path), NULL, &answer) == CLI_DONE) {
        const char *stage = json_string_value(json_object_get(answer.json,
                                                              "stage"));
        const char *origin = json_string_value(json_object_get(answer.json,
                                                               "origin"));

        str_setf(&leg->stage, "%s", stage ? stage : "");
        str_setf(&leg->origin, "%s", origin ? origin : "");
        if (!stage) {
            str_addf(&leg->stage, "table %u", table);
        }
        str_addf(&leg->path, "  %-17s %s\n", str_text(&leg->stage),
                 str_text(&leg->origin));
    }
    answer_fini(&answer);
    str_fini(&path);
}

/* The ports of "...,output(web),push_vlan(...),output(lan0)". */
static json_t *
outputs(const json_t *trace)
{
    static const char output[] = "output(";
    const char *at = json_string_value(json_object_get(trace, "actions"));
    json_t *ports = json_array();

    while (at && (at = strstr(at, output)) != NULL) {
        at += strlen(output);
        json_array_append_new(ports, json_stringn(at, strcspn(at, ")")));
    }
    return ports;
}

/* Does the trace end at that port of the switch?  NULL: at any. */
static bool
ends_at(const json_t *ports, const char *name)
{
    json_t *port;
    size_t i;

    json_array_foreach (ports, i, port) {
        if (!name || !strcmp(json_string_value(port), name)) {
            return true;
        }
    }
    return false;
}

static enum cli_status
run_leg(struct cli *cli, const char *port, const char *packet,
        const char *end, const char *other_end, struct leg *leg)
{
    json_t *body = json_pack("{s:s, s:s}", "port", port, "packet", packet);
    struct answer answer;
    enum cli_status status;
    json_t *step;
    size_t i;

    status = client_ask(cli, "POST", "/v1/trace", body, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    json_array_foreach (json_object_get(answer.json, "steps"), i, step) {
        const char *text = json_string_value(json_object_get(step, "text"));
        unsigned int table;
        const char *cookie;
        int len;

        if (text && parse_step(text, &table, &cookie, &len)) {
            look_up(cli, table, cookie, len, leg);
        }
    }
    leg->reached = outputs(answer.json);
    leg->passes = json_is_true(json_object_get(answer.json, "forwarded"))
                  && (ends_at(leg->reached, end)
                      || ends_at(leg->reached, other_end));
    str_addf(&leg->verdict, "%s",
             json_string_value(json_object_get(answer.json, "verdict")));
    answer_fini(&answer);
    return CLI_DONE;
}

static void
add_reason(const struct leg *leg, const char *sender, struct str *why,
           struct str *fix)
{
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (strcmp(reasons[i].stage, str_text(&leg->stage))) {
            continue;
        }
        str_addf(why, "%s", reasons[i].why);
        if (reasons[i].fix) {
            const char *hole = strstr(reasons[i].fix, "%s");

            str_add_bytes(fix, reasons[i].fix,
                          hole ? (size_t) (hole - reasons[i].fix)
                               : strlen(reasons[i].fix));
            str_addf(fix, "%s%s", hole ? sender : "", hole ? hole + 2 : "");
        }
        return;
    }
    str_addf(why, "%s", str_text(&leg->verdict));
}

struct explanation {
    struct cli *cli;
    const char *from, *to, *what;
    const json_t *question;
    struct leg ask_there, there, ask_back, back;
    bool has_back;
};

static bool
is_about_group(const struct explanation *e)
{
    return json_is_true(json_object_get(e->question, "group"));
}

/* The leg that fails, or NULL; and who sends on it. */
static const struct leg *
failure(const struct explanation *e, const char **sender)
{
    *sender = e->from;
    if (!e->there.passes || !e->ask_there.passes) {
        return e->there.passes ? &e->ask_there : &e->there;
    }
    *sender = e->to;
    if (e->has_back && (!e->back.passes || !e->ask_back.passes)) {
        return e->back.passes ? &e->ask_back : &e->back;
    }
    return NULL;
}

/* A group: those who hear it, the LAN's port among them. */
static void
print_reached(const struct explanation *e)
{
    json_t *port;
    size_t i;

    if (!is_about_group(e)) {
        return;
    }
    json_array_foreach (e->there.reached, i, port) {
        printf("%s%s", i ? ", " : "    heard by ", json_string_value(port));
    }
    putchar('\n');
}

static void
print_explanation(const struct explanation *e)
{
    const char *sender;
    const struct leg *bad = failure(e, &sender);
    struct str why = STR_INIT, fix = STR_INIT;

    printf("%s -> %s\n%s", e->from, e->to, str_text(&e->there.path));
    if (e->has_back) {
        printf("%s -> %s\n%s", e->to, e->from, str_text(&e->back.path));
    }
    if (!bad) {
        printf("\nyes: %s reaches %s by %s\n", e->from, e->to, e->what);
        print_reached(e);
        return;
    }
    add_reason(bad, sender, &why, &fix);
    printf("\nno: %s %s %s by %s: %s%s\n", e->from,
           sender == e->from ? "does not reach" : "is not answered by",
           e->to, e->what,
           bad == &e->ask_there || bad == &e->ask_back
               ? "its question for the address fails: " : "",
           str_text(&why));
    printf("    decided at %s, by %s\n", str_text(&bad->stage),
           str_text(&bad->origin));
    if (fix.len) {
        printf("    %s\n", str_text(&fix));
    }
    str_fini(&why);
    str_fini(&fix);
}

static json_t *
leg_json(const struct leg *leg)
{
    return json_pack("{s:b, s:s, s:s, s:s}", "passes", leg->passes, "stage",
                     str_text(&leg->stage), "origin",
                     str_text(&leg->origin), "verdict",
                     str_text(&leg->verdict));
}

static void
print_json(const struct explanation *e)
{
    const char *sender;
    const struct leg *bad = failure(e, &sender);
    struct str why = STR_INIT, fix = STR_INIT;
    json_t *json;

    if (bad) {
        add_reason(bad, sender, &why, &fix);
    }
    json = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:o, s:o, s:O}", "from",
                     e->from, "to", e->to, "what", e->what, "passes", !bad,
                     "why", str_text(&why), "fix", str_text(&fix), "there",
                     leg_json(&e->there), "back",
                     e->has_back ? leg_json(&e->back) : json_null(),
                     "reached", e->there.reached);
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
    str_fini(&why);
    str_fini(&fix);
}

static const char *
text_of(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static enum cli_status
explain(struct explanation *e)
{
    const json_t *q = e->question;
    const char *from = text_of(q, "from"), *to = text_of(q, "to");
    const char *end = json_is_true(json_object_get(q, "gateway")) ? from : to;
    enum cli_status status;
    const char *sender;

    if (!json_is_true(json_object_get(q, "plugged"))) {
        return cli_fail(e->cli, CLI_USAGE, NULL, "weft doctor",
                        "unknown: one of them is not plugged in");
    }
    end = end || is_about_group(e) ? end : "";
    e->has_back = to && text_of(q, "back");
    if (is_about_group(e)) {
        e->ask_there.passes = true;
        status = CLI_DONE;
    } else {
        /* The plan answers, or the other does. */
        status = run_leg(e->cli, from, text_of(q, "ask_there"), from, end,
                         &e->ask_there);
    }
    if (status == CLI_DONE) {
        status = run_leg(e->cli, from, text_of(q, "there"), end, end,
                         &e->there);
    }
    if (status == CLI_DONE && e->has_back) {
        status = run_leg(e->cli, to, text_of(q, "ask_back"), to, from,
                         &e->ask_back);
    }
    if (status == CLI_DONE && e->has_back) {
        status = run_leg(e->cli, to, text_of(q, "back"), from, from,
                         &e->back);
    }
    if (status != CLI_DONE) {
        return status;
    }
    if (e->cli->is_json) {
        print_json(e);
    } else {
        print_explanation(e);
    }
    return failure(e, &sender) ? CLI_NEGATIVE : CLI_DONE;
}

enum cli_status
explain_command(struct cli *cli, const struct cli_args *args)
{
    struct explanation e = {
        .cli = cli, .from = args->words[0], .to = args->words[1],
        .what = args->n > 2 ? args->words[2] : "icmp",
    };
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    str_add(&path, "/v1/explain?from=");
    client_escape(&path, e.from);
    str_add(&path, "&to=");
    client_escape(&path, e.to);
    str_add(&path, "&what=");
    client_escape(&path, e.what);
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        /* Not "no": nobody knows. */
        return status == CLI_UNREACHABLE ? status : CLI_USAGE;
    }
    e.question = answer.json;
    status = explain(&e);
    leg_fini(&e.ask_there);
    leg_fini(&e.there);
    leg_fini(&e.ask_back);
    leg_fini(&e.back);
    answer_fini(&answer);
    return status;
}
