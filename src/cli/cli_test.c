#include "cli/cli.h"

#include "unit.h"

enum { MAX_WORDS = 16 };

struct parsed {
    struct cli cli;
    struct cli_args args;
    struct str error, hint;
    enum cli_status status;
    char *words[MAX_WORDS];
};

/* Parses "a b c" as a shell would hand it over. */
static void
parse(struct parsed *p, const char *line)
{
    static char copy[256];
    char *save = NULL;
    int n = 0;

    memset(p, 0, sizeof *p);
    strncpy(copy, line, sizeof copy - 1);
    for (char *word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        p->words[n++] = word;
    }
    p->status = cli_parse(n, p->words, &p->cli, &p->args, &p->error,
                          &p->hint);
}

static void
forget(struct parsed *p)
{
    str_fini(&p->error);
    str_fini(&p->hint);
}

static void
check_usage(const char *line, const char *error, const char *hint)
{
    struct parsed p;

    parse(&p, line);
    CHECK_MSG(p.status == CLI_USAGE, "%s: accepted", line);
    CHECK_MSG(strstr(str_text(&p.error), error), "%s: %s", line,
              str_text(&p.error));
    CHECK_MSG(strstr(str_text(&p.hint), hint), "%s: %s", line,
              str_text(&p.hint));
    forget(&p);
}

TEST(a_noun_and_a_verb_find_their_command)
{
    struct parsed p;

    parse(&p, "port show web");
    CHECK(p.status == CLI_DONE);
    CHECK(!strcmp(p.cli.command->noun, "port"));
    CHECK(!strcmp(p.cli.command->verb, "show"));
    CHECK(p.args.n == 1 && !strcmp(p.args.words[0], "web"));
    forget(&p);
}

TEST(options_may_stand_anywhere)
{
    static const char *const lines[] = {
        "-j --run-dir /r flow list --table 3 tcp",
        "flow list tcp --table=3 --run-dir=/r --json",
        "--run-dir=/r flow list --table 3 -j -- tcp",
    };

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct parsed p;

        parse(&p, lines[i]);
        CHECK_MSG(p.status == CLI_DONE, "%s: %s", lines[i],
                  str_text(&p.error));
        CHECK(p.cli.is_json);
        CHECK(!strcmp(p.cli.run_dir, "/r"));
        CHECK(!strcmp(p.args.options[0], "3"));
        CHECK(!p.args.options[1]);
        CHECK(p.args.n == 1 && !strcmp(p.args.words[0], "tcp"));
        forget(&p);
    }
}

TEST(a_dash_is_a_word_and_so_is_all_behind_two)
{
    struct parsed p;

    parse(&p, "capture 1 -w - -- --rx");
    CHECK(p.status == CLI_DONE);
    CHECK(!strcmp(p.args.options[0], "-"));
    CHECK(!p.args.options[2]);
    CHECK(p.args.n == 2 && !strcmp(p.args.words[1], "--rx"));
    forget(&p);
}

TEST(misspelt_words_are_answered_by_the_nearest)
{
    check_usage("prot list", "no command 'prot'", "'port'");
    check_usage("port lsit", "no command 'port lsit'", "'port list'");
    check_usage("flow add --fiel x", "unknown option '--fiel'", "'--file'");
    check_usage("flow list --tabel=1", "unknown option '--tabel'",
                "'--table'");
    check_usage("--jsno status", "unknown option '--jsno'", "'--json'");
    check_usage("qqqqqq", "no command 'qqqqqq'", "known are: status");
}

TEST(too_few_and_too_many_words_are_usage_errors)
{
    check_usage("", "what shall be done", "help");
    check_usage("port", "needs a verb", "list");
    check_usage("port show", "too few", "usage: weft port show PORT");
    check_usage("port show a b", "too many", "usage: weft port show PORT");
    check_usage("capture 1 -c", "-c needs a value", "");
    check_usage("flow add x --file", "--file needs a value", "");
    check_usage("trace 1 tcp --learn=yes", "takes no value", "");
}

TEST(json_is_asked_for_even_by_a_wrong_line)
{
    struct parsed p;

    parse(&p, "prot -j");
    CHECK(p.status == CLI_USAGE && p.cli.is_json);
    forget(&p);
    parse(&p, "prot -- -j");
    CHECK(p.status == CLI_USAGE && !p.cli.is_json);
    forget(&p);
}

TEST(help_is_about_the_command_that_it_was_asked_of)
{
    struct parsed p;

    parse(&p, "fdb list -h");
    CHECK(p.status == CLI_DONE);
    CHECK(!strcmp(p.cli.command->noun, "help"));
    CHECK(p.args.n == 2 && !strcmp(p.args.words[0], "fdb")
          && !strcmp(p.args.words[1], "list"));
    forget(&p);
    parse(&p, "fdb --help");
    CHECK(p.status == CLI_DONE);
    CHECK(!strcmp(p.cli.command->noun, "help"));
    CHECK(p.args.n == 1 && !strcmp(p.args.words[0], "fdb"));
    forget(&p);
}

TEST(every_command_has_a_summary_and_sorted_nouns)
{
    const char *noun = "";

    for (const struct cli_command *c = cli_commands(); c->noun; c++) {
        CHECK_MSG(c->run && *c->summary, "%s", c->noun);
        /* Verbs of one noun stand together: suggestions rely on it. */
        for (const struct cli_command *d = cli_commands();
             strcmp(c->noun, noun) && d != c; d++) {
            CHECK_MSG(strcmp(d->noun, c->noun), "%s", c->noun);
        }
        noun = c->noun;
    }
}

TESTS(
    RUN(a_noun_and_a_verb_find_their_command),
    RUN(options_may_stand_anywhere),
    RUN(a_dash_is_a_word_and_so_is_all_behind_two),
    RUN(misspelt_words_are_answered_by_the_nearest),
    RUN(too_few_and_too_many_words_are_usage_errors),
    RUN(json_is_asked_for_even_by_a_wrong_line),
    RUN(help_is_about_the_command_that_it_was_asked_of),
    RUN(every_command_has_a_summary_and_sorted_nouns),
)
