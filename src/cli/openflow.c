/* weft openflow snoop: what controllers, tools and the switch say, live. */

#include "cli/client.h"
#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { OPTION_COUNT };

struct snoop {
    struct cli *cli;
    struct str line;              /* what came of the next one */
    unsigned long n_max, n_shown;
    bool is_bad;
};

/* Set by the handler of SIGINT and SIGTERM. */
static volatile bool is_over;

static void
end_snoop(int signo UNUSED)
{
    is_over = true;
}

static const char *
member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "?";
}

static void
print_message(const json_t *m)
{
    double time = json_real_value(json_object_get(m, "time"));
    time_t seconds = (time_t) time;
    bool is_sent = !strcmp(member(m, "direction"), "sent");
    const char *text = member(m, "text");
    struct tm tm;
    char clock[16];

    localtime_r(&seconds, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    printf("%s.%06ld %s %s %s %s xid 0x%llx%s%s\n", clock,
           (long) ((time - (double) seconds) * 1e6), member(m, "peer"),
           is_sent ? "<" : ">", member(m, "version"), member(m, "type"),
           (unsigned long long) json_integer_value(json_object_get(m, "xid")),
           *text ? ": " : "", text);
}

/* One whole line; false: enough. */
static bool
take_line(struct snoop *snoop)
{
    json_t *json = json_loadb(str_text(&snoop->line), snoop->line.len, 0,
                              NULL);
    const json_t *lost = json_object_get(json, "lost");

    if (!json) {
        snoop->is_bad = true;
        return false;
    }
    if (snoop->cli->is_json) {
        puts(str_text(&snoop->line));
    } else if (lost) {
        printf("(%lld messages came too fast)\n",
               (long long) json_integer_value(lost));
    } else {
        print_message(json);
    }
    snoop->n_shown += !lost;
    json_decref(json);
    str_clear(&snoop->line);
    return !snoop->n_max || snoop->n_shown < snoop->n_max;
}

static bool
take_bytes(void *snoop_, const void *data, size_t len)
{
    struct snoop *snoop = snoop_;
    const char *p = data, *end = p + len;
    bool goes_on = true;

    while (goes_on && p < end) {
        const char *newline = memchr(p, '\n', (size_t) (end - p));
        size_t part = (size_t) ((newline ? newline : end) - p);

        str_add_bytes(&snoop->line, p, part);
        p += part + 1;
        if (newline) {
            goes_on = take_line(snoop);
        }
    }
    return !fflush(stdout) && goes_on;
}

enum cli_status
openflow_snoop(struct cli *cli, const struct cli_args *args)
{
    const struct sigaction action = { .sa_handler = end_snoop };
    const char *count = args->options[OPTION_COUNT];
    struct snoop snoop = { .cli = cli };
    enum cli_status status;

    if (count) {
        char *end;

        snoop.n_max = strtoul(count, &end, 10);
        if (*count < '0' || *count > '9' || *end || !snoop.n_max) {
            return cli_fail(cli, CLI_USAGE, "-c", NULL,
                            "'%s' is not a number of messages", count);
        }
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    status = client_stream(cli, "/v1/snoop", take_bytes, &snoop, &is_over);
    str_fini(&snoop.line);
    if (snoop.is_bad) {
        return cli_fail(cli, CLI_REFUSED, NULL, NULL,
                        "the daemon's stream cannot be understood");
    }
    return status;
}
