/* weft trace. */

#include "cli/client.h"
#include "cli/commands.h"

#include <stdio.h>

static const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text && *text ? text : "-";
}

static void
print_trace(const json_t *trace)
{
    size_t i;
    json_t *step;

    json_array_foreach (json_object_get(trace, "steps"), i, step) {
        printf("%*s%s\n",
               2 * (int) json_integer_value(json_object_get(step, "depth")),
               "", text_of(step, "text"));
    }
    printf("\nverdict   %s\n", text_of(trace, "verdict"));
    printf("actions   %s\n", text_of(trace, "actions"));
    printf("cached    %s\n", text_of(trace, "match"));
}

/* A dropped packet is the answer "no". */
enum cli_status
trace_command(struct cli *cli, const struct cli_args *args)
{
    json_t *body = json_pack("{s:s, s:s, s:b}", "port", args->words[0],
                             "packet", args->n > 1 ? args->words[1] : "",
                             "learn", args->options[0] != NULL);
    enum cli_status status;
    struct answer answer;

    if (!body) {
        return cli_fail(cli, CLI_USAGE, NULL, NULL, "not UTF-8");
    }
    status = client_ask(cli, "POST", "/v1/trace", body, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_trace(answer.json);
    }
    if (!json_is_true(json_object_get(answer.json, "forwarded"))) {
        status = CLI_NEGATIVE;
    }
    answer_fini(&answer);
    return status;
}
