#include "cli/host.h"

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/intent.h"
#include "cli/table.h"
#include "intent/host.h"

/* Of a channel; NULL: there is none. */
static const json_t *
find_peer(const json_t *peers, const char *name)
{
    const json_t *peer;
    size_t i;

    json_array_foreach (peers, i, peer) {
        const char *host = json_string_value(json_object_get(peer, "host"));

        if (name && host && !strcmp(host, name)) {
            return peer;
        }
    }
    return NULL;
}

static void
add_state(struct table *table, const json_t *peer)
{
    const char *state = json_string_value(json_object_get(peer, "state"));
    const char *reason = json_string_value(json_object_get(peer, "reason"));

    if (reason && *reason) {
        table_addf(table, "%s (%s)", state, reason);
    } else {
        table_add_text(table, state ? state : "-");
    }
}

static void
add_host(struct table *table, const json_t *host, const json_t *about,
         const json_t *counts)
{
    const char *own = json_string_value(json_object_get(about, "host"));
    const json_t *members = json_object_get(host, "members");
    const json_t *mtu = json_object_get(members, "mtu");
    const char *name = json_string_value(json_object_get(host, "name"));

    table_add_json(table, host, "name");
    if (name && own && !strcmp(name, own)) {
        table_add_text(table, "here");
    } else {
        add_state(table, find_peer(json_object_get(about, "peers"), name));
    }
    table_add_json(table, members, "tunnel");
    table_addf(table, "%lld", mtu ? (long long) json_integer_value(mtu)
                                  : (long long) HOST_DEFAULT_MTU);
    table_addf(table, "%lld", (long long) json_integer_value(
        json_object_get(counts, name)));
    table_add_json(table, host, "place");
}

void
host_print_all(struct cli *cli, const json_t *hosts)
{
    struct table *table = table_create();
    json_t *counts = intent_count_ports(cli, "host");
    struct answer about;
    const char *complaint;
    json_t *host;
    size_t i;

    client_try(cli, "GET", "/v1/peers", NULL, &about);
    table_add_column(table, "HOST", 0);
    table_add_column(table, "STATE", 0);
    table_add_column(table, "TUNNEL", 0);
    table_add_column(table, "MTU", COLUMN_RIGHT);
    table_add_column(table, "PORTS", COLUMN_RIGHT);
    table_add_column(table, "WHERE", 0);
    json_array_foreach (hosts, i, host) {
        add_host(table, host, about.json, counts);
    }
    table_print(table);
    table_destroy(table);
    complaint = json_string_value(json_object_get(about.json, "complaint"));
    if (complaint && *complaint) {
        printf("\n%s\n", complaint);
    }
    json_decref(counts);
    answer_fini(&about);
}

enum cli_status
host_certificate(struct cli *cli, const struct cli_args *args UNUSED)
{
    struct answer answer;
    enum cli_status status = client_ask(cli, "GET", "/v1/peers", NULL,
                                        &answer);

    if (status != CLI_DONE) {
        return status;
    }
    if (!cli_shown_as_json(cli, &answer.body)) {
        printf("%s\n", json_string_value(json_object_get(answer.json,
                                                         "certificate")));
    }
    answer_fini(&answer);
    return CLI_DONE;
}
