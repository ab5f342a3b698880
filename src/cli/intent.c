/* weft apply, plan, confirm, rollback, export, edit; and what all nouns of
 * intents have in common: list, show, create, set, delete. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "cli/intent.h"
#include "cli/table.h"
#include "cli/uplink.h"
#include "intent/diag.h"
#include "intent/parse.h"
#include "intent/schema.h"

enum {
    MAX_FILE = 900 * 1024,        /* of what the API takes */
    WAIT_TRIES = 250, WAIT_USEC = 10000,
};

const struct noun *
intent_of_command(const struct cli_command *command)
{
    static const char *const verbs[] = { "create", "add", "set" };

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (!command->verb || strcmp(command->verb, verbs[i])) {
            continue;
        }
        for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
            if (!strcmp(command->noun,
                        intent_kind_noun((enum intent_kind) k))) {
                return intent_noun((enum intent_kind) k);
            }
        }
    }
    return NULL;
}

/* ---- What changed ---- */

/* In words, and that it is to be confirmed. */
static void
print_changes(const json_t *answer, bool is_plan)
{
    fputs(json_string_value(json_object_get(answer, "text")), stdout);
    if (!is_plan && json_integer_value(json_object_get(answer, "deadline"))) {
        puts("this is taken back unless: weft confirm");
    }
}

/* Nothing is left to be done for the intents on this host. */
static bool
is_in_force(const json_t *controller)
{
    return json_is_true(json_object_get(controller, "synced"))
           && !json_integer_value(json_object_get(controller,
                                                  "ports_missing"));
}

/* What was kept comes into force at once, but devices take their time; some may
 * not be there yet, and are waited for by the daemon alone. */
static void
wait_until_in_force(struct cli *cli)
{
    bool was_quiet = cli->is_quiet, is_done = false;

    cli->is_quiet = true;
    for (int i = 0; i < WAIT_TRIES && !is_done; i++) {
        struct answer answer;

        usleep(WAIT_USEC);
        is_done = client_try(cli, "GET", "/v1/controller", NULL, &answer)
                  != CLI_DONE || is_in_force(answer.json);
        answer_fini(&answer);
    }
    cli->is_quiet = was_quiet;
}

static void
print_waiting(struct cli *cli)
{
    struct answer answer;
    json_t *port;
    size_t i;

    if (client_try(cli, "GET", "/v1/host", NULL, &answer) == CLI_DONE) {
        json_array_foreach (json_object_get(answer.json, "ports"), i, port) {
            const char *error = json_string_value(
                json_object_get(port, "error"));

            if (error) {
                printf("port %s is not there yet: %s\n",
                       json_string_value(json_object_get(port, "name")),
                       error);
            }
        }
    }
    answer_fini(&answer);
}

static enum cli_status
send_change(struct cli *cli, const char *method, const char *path,
            json_t *body, bool is_plan)
{
    struct answer answer;
    enum cli_status status = client_ask(cli, method, path, body, &answer);

    if (status == CLI_DONE && !is_plan) {
        wait_until_in_force(cli);
    }
    if (status == CLI_DONE) {
        if (!cli_shown_as_json(cli, &answer.body)) {
            print_changes(answer.json, is_plan);
            if (!is_plan) {
                print_waiting(cli);
            }
        }
        answer_fini(&answer);
    }
    return status;
}

/* "60s", "5m": seconds, at least one.  False: `cli_fail` said why. */
static bool
take_time(struct cli *cli, const char *text, json_int_t *seconds)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    unsigned long unit = !*end || !strcmp(end, "s") ? 1
                         : !strcmp(end, "m")        ? 60
                         : !strcmp(end, "h")        ? 3600
                                                    : 0;

    if (end == text || !n || !unit || n > 86400) {
        cli_fail(cli, CLI_USAGE, "--confirm", "like 60s or 5m",
                 "'%s' is not a time", text);
        return false;
    }
    *seconds = (json_int_t) (n * unit);
    return true;
}

/* ---- Files ---- */

/* All of it; false: said why. */
static bool
read_file(struct cli *cli, const char *path, struct str *text)
{
    bool is_stdin = !strcmp(path, "-");
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    char block[16384];
    size_t n;

    if (!file) {
        cli_fail(cli, CLI_USAGE, path, NULL, "%s", strerror(errno));
        return false;
    }
    while ((n = fread(block, 1, sizeof block, file)) > 0
           && text->len <= MAX_FILE) {
        str_add_bytes(text, block, n);
    }
    if (!is_stdin) {
        fclose(file);
    }
    if (text->len > MAX_FILE) {
        cli_fail(cli, CLI_USAGE, path, NULL, "is larger than %d bytes",
                 MAX_FILE);
        return false;
    }
    return true;
}

static enum cli_status
apply_text(struct cli *cli, const char *file, const char *text,
           const char *confirm, bool is_plan)
{
    json_t *body = json_pack("{s:s, s:s, s:b}", "file", file, "text", text,
                             "dry_run", is_plan);
    json_int_t seconds;

    if (!body) {
        return cli_fail(cli, CLI_USAGE, file, NULL, "is not UTF-8");
    }
    if (confirm) {
        if (!take_time(cli, confirm, &seconds)) {
            json_decref(body);
            return CLI_USAGE;
        }
        json_object_set_new(body, "confirm", json_integer(seconds));
    }
    return send_change(cli, "PUT", "/v1/intents", body, is_plan);
}

static enum cli_status
apply_file(struct cli *cli, const char *path, const char *confirm,
           bool is_plan)
{
    struct str text = STR_INIT;
    enum cli_status status = CLI_USAGE;

    if (read_file(cli, path, &text)) {
        status = apply_text(cli, strcmp(path, "-") ? path : "standard input",
                            str_text(&text), confirm, is_plan);
    }
    str_fini(&text);
    return status;
}

enum cli_status
apply_command(struct cli *cli, const struct cli_args *args)
{
    return apply_file(cli, args->words[0], args->options[0],
                      args->options[1]);
}

enum cli_status
plan_command(struct cli *cli, const struct cli_args *args)
{
    return apply_file(cli, args->words[0], NULL, true);
}

static enum cli_status
end_waiting(struct cli *cli, const char *path, const char *done)
{
    struct answer answer;
    enum cli_status status = client_ask(cli, "POST", path, NULL, &answer);

    if (status == CLI_DONE) {
        if (!cli_shown_as_json(cli, &answer.body)) {
            puts(done);
        }
        answer_fini(&answer);
    }
    return status;
}

enum cli_status
confirm_command(struct cli *cli, const struct cli_args *args UNUSED)
{
    return end_waiting(cli, "/v1/intents/confirm", "kept");
}

enum cli_status
rollback_command(struct cli *cli, const struct cli_args *args UNUSED)
{
    return end_waiting(cli, "/v1/intents/rollback", "taken back");
}

static enum cli_status
ask_for_file(struct cli *cli, struct answer *answer)
{
    return client_ask(cli, "GET", cli->is_json ? "/v1/intents"
                                               : "/v1/intents?format=yaml",
                      NULL, answer);
}

enum cli_status
export_command(struct cli *cli, const struct cli_args *args UNUSED)
{
    struct answer answer;
    enum cli_status status = ask_for_file(cli, &answer);

    if (status == CLI_DONE) {
        fwrite(str_text(&answer.body), 1, answer.body.len, stdout);
        answer_fini(&answer);
    }
    return status;
}

/* ---- Edit ---- */

/* Runs $VISUAL or $EDITOR on the file; false: it failed. */
static bool
run_editor(const char *path)
{
    const char *editor = getenv("VISUAL");
    int status;
    pid_t pid;

    editor = editor && *editor ? editor : getenv("EDITOR");
    editor = editor && *editor ? editor : "vi";
    pid = fork();
    if (!pid) {
        /* It may have arguments of its own. */
        execl("/bin/sh", "sh", "-c", "exec $0 \"$1\"", editor, path,
              (char *) NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
           && !WEXITSTATUS(status);
}

static bool
write_file(const char *path, const struct str *text)
{
    FILE *file = fopen(path, "we");
    bool is_written = file
                      && fwrite(str_text(text), 1, text->len, file)
                             == text->len;

    return file && !fclose(file) && is_written;
}

enum cli_status
edit_command(struct cli *cli, const struct cli_args *args)
{
    char path[] = "/tmp/weft-XXXXXX.yaml";
    struct str text = STR_INIT;
    struct answer answer;
    enum cli_status status;
    int fd;

    cli->is_json = false;
    status = ask_for_file(cli, &answer);
    if (status != CLI_DONE) {
        return status;
    }
    fd = mkstemps(path, 5);
    if (fd < 0) {
        status = cli_fail(cli, CLI_REFUSED, path, NULL, "%s",
                          strerror(errno));
        goto free_answer;
    }
    close(fd);
    if (!write_file(path, &answer.body) || !run_editor(path)) {
        status = cli_fail(cli, CLI_REFUSED, NULL, "VISUAL or EDITOR says "
                          "which", "the editor failed; nothing was changed");
        unlink(path);
    } else if (!read_file(cli, path, &text)) {
        status = CLI_REFUSED;
    } else if (!strcmp(str_text(&text), str_text(&answer.body))) {
        puts("nothing changes");
        unlink(path);
    } else {
        status = apply_text(cli, path, str_text(&text), args->options[0],
                            false);
        if (status == CLI_DONE) {
            unlink(path);
        } else {
            fprintf(stderr, "      what you wrote is in %s\n", path);
        }
    }
    str_fini(&text);

free_answer:
    answer_fini(&answer);
    return status;
}

/* ---- One object ---- */

static void
object_path(const struct cli *cli, const char *name, struct str *path)
{
    str_addf(path, "/v1/intent/%s", cli->command->noun);
    if (name) {
        str_add_char(path, '/');
        client_escape(path, name);
    }
}

json_t *
intent_take_members(struct cli *cli, const struct cli_args *args)
{
    json_t *members = json_object();

    for (int i = 0; i < args->n_members; i++) {
        const struct cli_member *member = &args->members[i];
        struct diagnostics *diag = diag_create();
        json_t *value = *member->value
                        ? intent_parse_value(member->value, diag)
                        : json_null();

        if (!value) {
            struct str text = STR_INIT, where = STR_INIT;

            diag_format(diag, &text);
            str_chomp(&text, "\n");
            str_addf(&where, "--%s", member->name);
            cli_fail(cli, CLI_USAGE, str_text(&where), NULL, "%s",
                     str_text(&text));
            str_fini(&text);
            str_fini(&where);
            diag_destroy(diag);
            json_decref(members);
            return NULL;
        }
        diag_destroy(diag);
        json_object_set_new(members, member->name, value);
    }
    return members;
}

const char *
intent_option(const struct cli *cli, const struct cli_args *args,
              const char *name)
{
    for (int i = 0; i < CLI_MAX_OPTIONS && cli->command->options[i].name;
         i++) {
        if (!strcmp(cli->command->options[i].name, name)) {
            return args->options[i];
        }
    }
    return NULL;
}

enum cli_status
intent_send_object(struct cli *cli, const char *method, const char *name,
                   json_t *members, const struct cli_args *args)
{
    const char *confirm = intent_option(cli, args, "--confirm");
    bool is_dry = intent_option(cli, args, "--dry-run");
    struct str path = STR_INIT;
    enum cli_status status;
    json_int_t seconds = 0;

    if (confirm && !take_time(cli, confirm, &seconds)) {
        json_decref(members);
        return CLI_USAGE;
    }
    object_path(cli, name, &path);
    status = send_change(cli, method, str_text(&path),
                         json_pack("{s:o, s:I, s:b}", "members", members,
                                   "confirm", seconds, "dry_run", is_dry),
                         is_dry);
    str_fini(&path);
    return status;
}

static enum cli_status
send_object(struct cli *cli, const char *method, const struct cli_args *args)
{
    json_t *members = intent_take_members(cli, args);

    return members ? intent_send_object(cli, method, args->words[0], members,
                                        args)
                   : CLI_USAGE;
}

enum cli_status
object_create(struct cli *cli, const struct cli_args *args)
{
    return send_object(cli, "PUT", args);
}

enum cli_status
object_change(struct cli *cli, const struct cli_args *args)
{
    if (!args->n_members) {
        return cli_fail(cli, CLI_USAGE, NULL, "weft help",
                        "there is nothing to set");
    }
    return send_object(cli, "PATCH", args);
}

enum cli_status
object_delete(struct cli *cli, const struct cli_args *args)
{
    enum cli_status status = CLI_DONE;

    for (int i = 0; i < args->n && status == CLI_DONE; i++) {
        struct str path = STR_INIT;

        object_path(cli, args->words[i], &path);
        status = send_change(cli, "DELETE", str_text(&path), NULL, false);
        str_fini(&path);
    }
    return status;
}

enum cli_status
object_ask(struct cli *cli, const char *name, struct answer *answer)
{
    struct str path = STR_INIT;
    enum cli_status status;

    object_path(cli, name, &path);
    status = client_ask(cli, "GET", str_text(&path), NULL, answer);
    str_fini(&path);
    return status;
}

enum cli_status
object_patch(struct cli *cli, const char *name, json_t *members, bool is_dry)
{
    struct str path = STR_INIT;
    enum cli_status status;

    object_path(cli, name, &path);
    status = send_change(cli, "PATCH", str_text(&path),
                         json_pack("{s:o, s:b}", "members", members,
                                   "dry_run", is_dry),
                         is_dry);
    str_fini(&path);
    return status;
}

/* "subnet: 10.1.0.0/24, segment: {vlan: 20, uplink: lan}" */
static void
members_text(const json_t *members, struct str *text)
{
    const char *name;
    json_t *value;

    json_object_foreach ((json_t *) (uintptr_t) members, name, value) {
        char *dump = json_is_string(value)
                     ? xstrdup(json_string_value(value))
                     : json_dumps(value, JSON_ENCODE_ANY);

        str_addf(text, "%s%s: %s", text->len ? ", " : "", name,
                 dump ? dump : "");
        free(dump);
    }
}

json_t *
intent_count_ports(struct cli *cli, const char *member)
{
    json_t *counts = json_object();
    struct answer answer;
    json_t *port;
    size_t i;

    if (client_try(cli, "GET", "/v1/intent/port", NULL, &answer)
        == CLI_DONE) {
        json_array_foreach (json_object_get(answer.json, "ports"), i, port) {
            const char *name = json_string_value(json_object_get(
                json_object_get(port, "members"), member));

            if (name) {
                json_object_set_new(counts, name, json_integer(
                    json_integer_value(json_object_get(counts, name)) + 1));
            }
        }
    }
    answer_fini(&answer);
    return counts;
}

/* "local", "vlan 20 on lan", "vxlan 5001", "vxlan 5001, vlan 20 on lan" */
static void
add_segment(struct table *table, const json_t *segment)
{
    const char *uplink = json_string_value(json_object_get(segment,
                                                           "uplink"));
    json_int_t vlan = json_integer_value(json_object_get(segment, "vlan"));
    struct str text = STR_INIT;

    for (enum segment_type type = 0; type < N_SEGMENT_TYPES; type++) {
        const char *word = segment_type_word(type);
        const json_t *key = json_object_get(segment, word);

        if (segment_type_is_overlay(type) && key) {
            str_addf(&text, "%s %lld", word,
                     (long long) json_integer_value(key));
        }
    }
    if (uplink && text.len) {
        str_add(&text, ", ");
    }
    if (uplink && vlan) {
        str_addf(&text, "vlan %lld on %s", (long long) vlan, uplink);
    } else if (uplink) {
        str_addf(&text, "untagged on %s", uplink);
    }
    table_add_text(table, text.len ? str_text(&text) : "local");
    str_fini(&text);
}

static void
print_networks(struct cli *cli, const json_t *networks)
{
    struct table *table = table_create();
    json_t *counts = intent_count_ports(cli, "network");
    json_t *network;
    size_t i;

    table_add_column(table, "NETWORK", 0);
    table_add_column(table, "SUBNET", 0);
    table_add_column(table, "SUBNET6", 0);
    table_add_column(table, "SEGMENT", 0);
    table_add_column(table, "PORTS", COLUMN_RIGHT);
    table_add_column(table, "WHERE", 0);
    json_array_foreach (networks, i, network) {
        const json_t *members = json_object_get(network, "members");

        table_add_json(table, network, "name");
        table_add_json(table, members, "subnet");
        table_add_json(table, members, "subnet6");
        add_segment(table, json_object_get(members, "segment"));
        table_addf(table, "%lld", (long long) json_integer_value(
            json_object_get(counts, json_string_value(
                json_object_get(network, "name")))));
        table_add_json(table, network, "place");
    }
    table_print(table);
    table_destroy(table);
    json_decref(counts);
}

static void
print_routers(const json_t *routers)
{
    struct table *table = table_create();
    json_t *router;
    size_t i;

    table_add_column(table, "ROUTER", 0);
    table_add_column(table, "NETWORKS", COLUMN_CUT);
    table_add_column(table, "ROUTES", COLUMN_RIGHT);
    table_add_column(table, "WHERE", 0);
    json_array_foreach (routers, i, router) {
        const json_t *members = json_object_get(router, "members");
        struct str names = STR_INIT;
        json_t *name;
        size_t k;

        json_array_foreach (json_object_get(members, "networks"), k, name) {
            str_addf(&names, "%s%s", k ? ", " : "", json_string_value(name));
        }
        table_add_json(table, router, "name");
        table_add_text(table, str_text(&names));
        table_addf(table, "%zu", json_array_size(json_object_get(members,
                                                                 "routes")));
        table_add_json(table, router, "place");
        str_fini(&names);
    }
    table_print(table);
    table_destroy(table);
}

static void
print_objects(const json_t *objects)
{
    struct table *table = table_create();
    json_t *object;
    size_t i;

    table_add_column(table, "NAME", 0);
    table_add_column(table, "WHAT WAS ASKED FOR", COLUMN_CUT);
    table_add_column(table, "WHERE", 0);
    json_array_foreach (objects, i, object) {
        struct str text = STR_INIT;

        members_text(json_object_get(object, "members"), &text);
        table_add_json(table, object, "name");
        table_add_text(table, str_text(&text));
        table_add_json(table, object, "place");
        str_fini(&text);
    }
    table_print(table);
    table_destroy(table);
}

enum cli_status
object_list(struct cli *cli, const struct cli_args *args UNUSED)
{
    struct str path = STR_INIT;
    struct answer answer;
    enum cli_status status;

    object_path(cli, NULL, &path);
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status == CLI_DONE) {
        const json_t *objects = json_object_iter_value(
            json_object_iter(answer.json));

        if (cli_shown_as_json(cli, &answer.body)) {
            /* Nothing is left to print. */
        } else if (!strcmp(cli->command->noun, "network")) {
            print_networks(cli, objects);
        } else if (!strcmp(cli->command->noun, "uplink")) {
            uplink_print_all(cli, objects);
        } else if (!strcmp(cli->command->noun, "router")) {
            print_routers(objects);
        } else if (!strcmp(cli->command->noun, "host")) {
            host_print_all(cli, objects);
        } else if (!strcmp(cli->command->noun, "forward")) {
            forward_print_all(objects);
        } else {
            print_objects(objects);
        }
        answer_fini(&answer);
    }
    return status;
}

enum cli_status
object_show(struct cli *cli, const struct cli_args *args)
{
    struct answer answer;
    enum cli_status status = object_ask(cli, args->words[0], &answer);

    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        const char *name;
        json_t *value;

        json_object_foreach (json_object_get(answer.json, "members"), name,
                             value) {
            struct str text = STR_INIT;

            if (json_is_object(value) || json_is_array(value)) {
                char *dump = json_dumps(value, 0);

                str_add(&text, dump ? dump : "");
                free(dump);
            } else {
                json_format(value, &text);
            }
            printf("%-16s %s\n", name, str_text(&text));
            str_fini(&text);
        }
        if (!strcmp(cli->command->noun, "uplink")) {
            uplink_print_links(cli, args->words[0]);
        }
    }
    answer_fini(&answer);
    return CLI_DONE;
}
