/* weft connection list, count, flush. */

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "intent/network.h"

#include <stdio.h>

/* In the order of the options. */
static const char *const params[] = { "zone", "address", "protocol", "limit" };

static void
connection_path(struct str *path, const char *base,
                const struct cli_args *args, size_t n)
{
    char separator = '?';

    str_add(path, base);
    for (size_t i = 0; i < n; i++) {
        if (args->options[i]) {
            str_addf(path, "%c%s=", separator, params[i]);
            client_escape(path, args->options[i]);
            separator = '&';
        }
    }
}

/* "10.0.0.1:80", "[fd00::1]:80", "10.0.0.1 id 7"... */
static void
end_format(const json_t *tuple, const char *addr, const char *port,
           struct str *s)
{
    const char *text = json_string_value(json_object_get(tuple, addr));
    const json_t *number = json_object_get(tuple, port);
    const json_t *id = json_object_get(tuple, "icmp_id");

    str_clear(s);
    if (number && text && strchr(text, ':')) {
        str_addf(s, "[%s]", text);
    } else {
        str_add(s, text ? text : "?");
    }
    if (number) {
        str_addf(s, ":%lld", (long long) json_integer_value(number));
    } else if (id) {
        str_addf(s, " id %lld", (long long) json_integer_value(id));
    }
}

/* Answers come from the destination, to the source, unless it is translated. */
static void
add_translation(struct table *table, const json_t *connection)
{
    const json_t *original = json_object_get(connection, "original");
    const json_t *reply = json_object_get(connection, "reply");
    struct str was = STR_INIT, is = STR_INIT, text = STR_INIT;

    end_format(original, "source", "source_port", &was);
    end_format(reply, "destination", "destination_port", &is);
    if (strcmp(str_text(&was), str_text(&is))) {
        str_addf(&text, "from %s", str_text(&is));
    }
    end_format(original, "destination", "destination_port", &was);
    end_format(reply, "source", "source_port", &is);
    if (strcmp(str_text(&was), str_text(&is))) {
        str_addf(&text, "%sto %s", text.len ? " " : "", str_text(&is));
    }
    table_add_text(table, text.len ? str_text(&text) : "-");
    str_fini(&was);
    str_fini(&is);
    str_fini(&text);
}

/* Those that are tracked for NAT are marked with their network. */
static const char *
network_of(const json_t *connection, const json_t *networks)
{
    enum { FIRST_NAT_ZONE = 0xe000 };
    json_int_t mark = json_integer_value(json_object_get(connection, "mark"));
    json_t *network;
    size_t i;

    if (json_integer_value(json_object_get(connection, "zone"))
        < FIRST_NAT_ZONE) {
        return "-";
    }
    json_array_foreach ((json_t *) (uintptr_t) networks, i, network) {
        const char *name = json_string_value(json_object_get(network,
                                                             "name"));

        if (name && mark == (json_int_t) intent_network_mark(
                                intent_object_id(INTENT_NETWORK, name))) {
            return name;
        }
    }
    return "-";
}

static void
print_connections(const json_t *connections, const json_t *networks)
{
    struct table *table = table_create();
    struct str s = STR_INIT;
    size_t i;
    json_t *c;

    table_add_column(table, "ZONE", COLUMN_RIGHT);
    table_add_column(table, "PROTO", 0);
    table_add_column(table, "SOURCE", 0);
    table_add_column(table, "DESTINATION", 0);
    table_add_column(table, "TRANSLATED", 0);
    table_add_column(table, "STATE", 0);
    table_add_column(table, "MARK", COLUMN_RIGHT);
    table_add_column(table, "NETWORK", 0);
    table_add_column(table, "ENDS", COLUMN_RIGHT);
    json_array_foreach (connections, i, c) {
        const json_t *original = json_object_get(c, "original");

        table_add_json(table, c, "zone");
        table_add_json(table, c, "protocol");
        end_format(original, "source", "source_port", &s);
        table_add_text(table, str_text(&s));
        end_format(original, "destination", "destination_port", &s);
        table_add_text(table, str_text(&s));
        add_translation(table, c);
        table_add_json(table, c, "state");
        table_add_json(table, c, "mark");
        table_add_text(table, network_of(c, networks));
        table_add_seconds(table,
                          json_real_value(json_object_get(c, "expires")));
    }
    table_print(table);
    table_destroy(table);
    str_fini(&s);
}

enum cli_status
connection_list(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    connection_path(&path, "/v1/connections", args, 4);
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        struct answer networks;

        client_try(cli, "GET", "/v1/intent/network", NULL, &networks);
        print_connections(json_object_get(answer.json, "connections"),
                          json_object_get(networks.json, "networks"));
        answer_fini(&networks);
    }
    answer_fini(&answer);
    return CLI_DONE;
}

enum cli_status
connection_flush(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    connection_path(&path, "/v1/connections", args, 3);
    status = client_ask(cli, "DELETE", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        printf("%lld ended\n",
               (long long) json_integer_value(
                   json_object_get(answer.json, "flushed")));
    }
    answer_fini(&answer);
    return CLI_DONE;
}

static void
print_count(const json_t *count)
{
    const json_t *counters = json_object_get(count, "counters"), *value;
    const json_t *zone;
    size_t i;
    const char *name;

    printf("connections %lld\n",
           (long long) json_integer_value(json_object_get(count,
                                                          "connections")));
    if (!counters) {
        return;
    }
    printf("max %lld\n",
           (long long) json_integer_value(json_object_get(count, "max")));
    json_array_foreach (json_object_get(count, "crowded_zones"), i, zone) {
        printf("zone %lld: %lld of %lld\n",
               (long long) json_integer_value(json_object_get(zone, "zone")),
               (long long) json_integer_value(json_object_get(zone,
                                                              "connections")),
               (long long) json_integer_value(json_object_get(zone,
                                                              "limit")));
    }
    printf("mappings %lld\n",
           (long long) json_integer_value(json_object_get(count,
                                                          "mappings")));
    json_object_foreach ((json_t *) (uintptr_t) counters, name, value) {
        printf("%s %lld\n", name, (long long) json_integer_value(value));
    }
}

enum cli_status
connection_count(struct cli *cli, const struct cli_args *args)
{
    struct str path = STR_INIT;
    enum cli_status status;
    struct answer answer;

    connection_path(&path, "/v1/connections/count", args, 1);
    status = client_ask(cli, "GET", str_text(&path), NULL, &answer);
    str_fini(&path);
    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        print_count(answer.json);
    }
    answer_fini(&answer);
    return CLI_DONE;
}
