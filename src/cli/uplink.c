#include "cli/uplink.h"

#include "cli/table.h"

static void
begin_table(struct table *table)
{
    table_add_column(table, "UPLINK", 0);
    table_add_column(table, "MODE", 0);
    table_add_column(table, "DEVICE", 0);
    table_add_column(table, "USE", 0);
    table_add_column(table, "LACP", 0);
    table_add_column(table, "PARTNER", 0);
}

/* "port 2 of 02:00:00:00:00:09", as long as one is heard of. */
static void
add_partner(struct table *table, const json_t *lacp)
{
    const char *system = json_string_value(json_object_get(lacp, "partner"));
    json_int_t port = json_integer_value(json_object_get(lacp,
                                                         "partner_port"));

    if (!system || !port) {
        table_add_text(table, "-");
    } else {
        table_addf(table, "port %lld of %s", (long long) port, system);
    }
}

static void
add_link(struct table *table, const json_t *link)
{
    const json_t *lacp = json_object_get(link, "lacp");

    table_add_json(table, link, "uplink");
    table_add_json(table, link, "mode");
    table_add_json(table, link, "device");
    table_add_json(table, link, "use");
    table_add_json(table, lacp, "state");
    add_partner(table, lacp);
}

static bool
is_of(const json_t *link, const char *uplink)
{
    const char *name = json_string_value(json_object_get(link, "uplink"));

    return name && !strcmp(name, uplink);
}

/* How many there are. */
static unsigned int
add_links(struct table *table, const json_t *links, const char *uplink)
{
    unsigned int n = 0;
    json_t *link;
    size_t i;

    json_array_foreach (links, i, link) {
        if (is_of(link, uplink)) {
            add_link(table, link);
            n++;
        }
    }
    return n;
}

/* By the host's own stack, or nobody knows. */
static void
add_plain(struct table *table, const json_t *uplink)
{
    const json_t *members = json_object_get(uplink, "members");

    table_add_json(table, uplink, "name");
    table_add_text(table, json_object_get(members, "host") ? "host"
                          : json_object_get(members, "bond") ? "bond"
                          : "device");
    table_add_json(table, members, "device");
    table_add_text(table, "");
    table_add_text(table, "");
    table_add_text(table, "");
}

void
uplink_print_all(struct cli *cli, const json_t *uplinks)
{
    struct table *table = table_create();
    struct answer answer;
    json_t *uplink;
    size_t i;

    client_try(cli, "GET", "/v1/controller/uplinks", NULL, &answer);
    begin_table(table);
    json_array_foreach (uplinks, i, uplink) {
        const char *name = json_string_value(json_object_get(uplink, "name"));

        if (name && !add_links(table, json_object_get(answer.json, "links"),
                               name)) {
            add_plain(table, uplink);
        }
    }
    table_print(table);
    table_destroy(table);
    answer_fini(&answer);
}

void
uplink_print_links(struct cli *cli, const char *name)
{
    struct table *table = table_create();
    struct answer answer;

    client_try(cli, "GET", "/v1/controller/uplinks", NULL, &answer);
    begin_table(table);
    if (add_links(table, json_object_get(answer.json, "links"), name)) {
        putchar('\n');
        table_print(table);
    }
    table_destroy(table);
    answer_fini(&answer);
}
