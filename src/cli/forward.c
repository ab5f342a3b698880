/* weft forward add, list: what comes in from outside, and where it goes. */

#include <stdio.h>

#include "cli/commands.h"
#include "cli/intent.h"
#include "cli/table.h"

/* "web-443-tcp" of 203.0.113.5:443/tcp and web:8443; "web-203-0-113-7" of an
 * address.  Names have only letters, digits and hyphens. */
static void
make_name(const char *listen, const char *to, struct str *name)
{
    const char *slash = strrchr(listen, '/');
    const char *colon = slash ? strrchr(listen, ':') : NULL;
    const char *what = colon ? colon + 1 : listen;

    str_add_bytes(name, to, strcspn(to, ":"));
    str_add_char(name, '-');
    for (const char *p = what; *p; p++) {
        bool is_plain = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');

        if (is_plain) {
            str_add_char(name, *p);
        } else if (name->text[name->len - 1] != '-') {
            str_add_char(name, '-');
        }
    }
    str_chomp(name, "-");
}

enum cli_status
forward_add(struct cli *cli, const struct cli_args *args)
{
    const char *given = intent_option(cli, args, "--name");
    json_t *members = intent_take_members(cli, args);
    struct str name = STR_INIT;
    enum cli_status status;

    if (!members) {
        return CLI_USAGE;
    }
    json_object_set_new(members, "listen", json_string(args->words[0]));
    json_object_set_new(members, "to", json_string(args->words[1]));
    if (given) {
        str_add(&name, given);
    } else {
        make_name(args->words[0], args->words[1], &name);
    }
    status = intent_send_object(cli, "PUT", str_text(&name), members, args);
    str_fini(&name);
    return status;
}

void
forward_print_all(const json_t *forwards)
{
    struct table *table = table_create();
    json_t *forward;
    size_t i;

    table_add_column(table, "FORWARD", 0);
    table_add_column(table, "LISTEN", 0);
    table_add_column(table, "TO", 0);
    table_add_column(table, "UPLINK", 0);
    table_add_column(table, "WHERE", 0);
    json_array_foreach (forwards, i, forward) {
        const json_t *members = json_object_get(forward, "members");

        table_add_json(table, forward, "name");
        table_add_json(table, members, "listen");
        table_add_json(table, members, "to");
        table_add_json(table, members, "uplink");
        table_add_json(table, forward, "place");
    }
    table_print(table);
    table_destroy(table);
}
