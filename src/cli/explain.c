/* weft explain: can one reach the other, by name, and what decides.  The daemon
 * answers; here it is said. */

#include "cli/client.h"
#include "cli/commands.h"

#include <stdlib.h>

/* The parts of a conversation, as the answer names them; who sends. */
static const struct {
    const char *name;
    bool is_back;
} legs[] = {
    { "there", false }, { "back", true },
};

static const char *
text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text ? text : "";
}

static const char *
side_text(const json_t *answer, bool is_to)
{
    return text_of(json_object_get(answer, is_to ? "to" : "from"), "text");
}

static void
print_path(const json_t *answer, size_t leg)
{
    const json_t *way = json_object_get(answer, legs[leg].name);
    json_t *step;
    size_t i;

    if (!json_is_object(way)) {
        return;
    }
    printf("%s -> %s\n", side_text(answer, legs[leg].is_back),
           side_text(answer, !legs[leg].is_back));
    json_array_foreach (json_object_get(way, "path"), i, step) {
        printf("  %-17s %s\n", text_of(step, "stage"),
               text_of(step, "origin"));
    }
}

static void
print_reached(const json_t *answer)
{
    json_t *port;
    size_t i = 0;

    json_array_foreach (json_object_get(answer, "reached"), i, port) {
        printf("%s%s", i ? ", " : "    heard by ", json_string_value(port));
    }
    if (i) {
        putchar('\n');
    }
}

static void
print_verdict(const json_t *answer)
{
    const char *from = side_text(answer, false);
    const char *to = side_text(answer, true);
    const char *what = text_of(answer, "what");
    const char *verdict = text_of(answer, "verdict");
    const char *decided = text_of(answer, "decided");
    bool is_back = strstr(decided, "back") || !strcmp(decided, "tell");

    if (!strcmp(verdict, "yes")) {
        printf("yes: %s reaches %s by %s\n", from, to, what);
        print_reached(answer);
        return;
    }
    printf("%s: %s %s %s by %s: %s\n", verdict, from,
           is_back ? "is not answered by" : "does not reach", to, what,
           text_of(answer, "why"));
    if (*text_of(answer, "origin")) {
        printf("    decided at %s, by %s\n",
               *text_of(answer, "stage") ? text_of(answer, "stage")
                                         : "the plan",
               text_of(answer, "origin"));
    }
    if (*text_of(answer, "fix")) {
        printf("    %s\n", text_of(answer, "fix"));
    }
}

/* The host of the other end was asked, too. */
static void
print_far(const json_t *far)
{
    if (json_is_object(far)) {
        printf("    host '%s' was asked, too: %s\n", text_of(far, "host"),
               text_of(far, "verdict"));
    }
}

static void
print_answer(const json_t *answer)
{
    json_t *note;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(legs); i++) {
        print_path(answer, i);
    }
    putchar('\n');
    print_verdict(answer);
    print_far(json_object_get(answer, "far"));
    json_array_foreach (json_object_get(answer, "notes"), i, note) {
        printf("    note: %s\n", json_string_value(note));
    }
}

enum cli_status
explain_command(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;
    const char *verdict;

    str_add(&path, "/v1/explain?from=");
    client_escape(&path, args->words[0]);
    str_add(&path, "&to=");
    client_escape(&path, args->words[1]);
    str_add(&path, "&what=");
    client_escape(&path, args->n > 2 ? args->words[2] : "icmp");
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        /* Not "no": nobody knows. */
        return status == CLI_UNREACHABLE ? status : CLI_USAGE;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_answer(answer.json);
    }
    verdict = text_of(answer.json, "verdict");
    status = !strcmp(verdict, "yes")  ? CLI_DONE
             : !strcmp(verdict, "no") ? CLI_NEGATIVE
                                      : CLI_USAGE;
    answer_fini(&answer);
    return status;
}
