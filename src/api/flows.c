/* /v1/flows: flow entries as text, listed, added, changed and deleted.
 *
 * A request's flows are one bundle: all of them become visible at once, or, with
 * the first that is refused, none. */

#include "api/body.h"
#include "api/routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- List: a job ---- */

struct flows_job {
    struct api_job job;
    struct tables *tables;
    uint8_t table;
    bool has_match;
    struct match match;
    msec now;
    struct port_names ports;      /* if they are to be shown */
    struct flow_text_names names;
    struct api_reply *reply;      /* while it runs */
};

static double
seconds(msec duration)
{
    return (double) duration / 1000;
}

static bool
add_entry(void *aux, const struct flow_entry *entry)
{
    struct flows_job *job = aux;
    msec used = atomic_load_explicit(&entry->credit.used,
                                     memory_order_relaxed);
    struct str flow = STR_INIT, match_text = STR_INIT, actions = STR_INIT;
    struct match match;
    char cookie[24];

    flow_entry_format(entry, &job->names, &flow);
    flow_entry_match(entry, &match);
    match_format_names(&match, &job->names, &match_text);
    instructions_format_names(&entry->instructions, &job->names, &actions);
    snprintf(cookie, sizeof cookie, "0x%" PRIx64, be64toh(entry->cookie));

    api_list_add(
        job->reply,
        json_pack("{s:i, s:i, s:s, s:I, s:I, s:f, s:f, s:i, s:i, s:s, s:s, "
                  "s:s}",
                  "table", entry->table,
                  "priority", entry->priority,
                  "cookie", cookie,
                  "packets", (json_int_t) atomic_load_explicit(
                      &entry->credit.packets, memory_order_relaxed),
                  "bytes", (json_int_t) atomic_load_explicit(
                      &entry->credit.bytes, memory_order_relaxed),
                  "age", seconds(job->now - entry->created),
                  "idle", seconds(job->now - MAX(used, entry->created)),
                  "idle_timeout", entry->idle_timeout,
                  "hard_timeout", entry->hard_timeout,
                  "match", str_text(&match_text),
                  "actions", str_text(&actions),
                  "flow", str_text(&flow)));
    str_fini(&flow);
    str_fini(&match_text);
    str_fini(&actions);
    return true;
}

static void
flows_job_run(struct api_job *base, struct api_reply *reply)
{
    struct flows_job *job = CONTAINER_OF(base, struct flows_job, job);

    job->reply = reply;
    api_list_begin(reply, "flows");
    tables_visit(job->tables, job->table,
                 job->has_match ? &job->match : NULL, add_entry, job);
    api_list_end(reply);
}

static void
flows_job_destroy(struct api_job *base)
{
    struct flows_job *job = CONTAINER_OF(base, struct flows_job, job);

    port_names_fini(&job->ports);
    free(job);
}

void
flows_list(struct api *api, struct api_request *request, msec now,
           struct api_reply *reply)
{
    const char *text = api_request_param(request, "match");
    uint64_t table = OFPTT_ALL;
    bool has_names = false;
    struct str error = STR_INIT;
    struct flows_job *job;

    if (!api_request_number(request, "table", OFPTT_MAX, &table, reply)
        || !api_request_bool(request, "names", &has_names, reply)) {
        return;
    }
    job = xzalloc(sizeof *job);
    job->job.run = flows_job_run;
    job->job.destroy = flows_job_destroy;
    job->tables = switch_tables(api->sw);
    job->table = (uint8_t) table;
    job->now = now;
    if (text && *text) {
        if (match_parse(text, switch_names(api->sw), &job->match, &error)) {
            api_fail(reply, API_BAD_REQUEST, "match", NULL, "%s",
                     str_text(&error));
            str_fini(&error);
            free(job);
            return;
        }
        job->has_match = true;
    }
    if (has_names) {
        port_names_init(&job->ports, api);
        job->names.port_name = port_names_find;
        job->names.aux = &job->ports;
    }
    switch_refresh_counters(api->sw);
    reply->job = &job->job;
}

/* ---- Change ---- */

static bool
command_from_name(const char *name, enum flow_mod_command *command,
                  struct api_reply *reply)
{
    static const struct {
        const char *name;
        enum flow_mod_command command;
    } commands[] = {
        { "add", FLOW_MOD_ADD },
        { "modify", FLOW_MOD_MODIFY },
        { "modify_strict", FLOW_MOD_MODIFY_STRICT },
        { "delete", FLOW_MOD_DELETE },
        { "delete_strict", FLOW_MOD_DELETE_STRICT },
    };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(name, commands[i].name)) {
            *command = commands[i].command;
            return true;
        }
    }
    api_fail(reply, API_BAD_REQUEST, "command",
             "add, modify, modify_strict, delete or delete_strict",
             "unknown command '%s'", name);
    return false;
}

/* Stages one flow-mod; false: `reply` failed, and `where` named the culprit. */
static bool
stage(struct api *api, const char *text, enum flow_mod_command command,
      const char *where, msec now, struct api_reply *reply)
{
    struct str error = STR_INIT;
    struct flow_mod mod;
    enum of_error refused;

    if (flow_mod_parse(text, command, switch_names(api->sw), &mod, &error)) {
        api_fail(reply, API_BAD_REQUEST, where, NULL, "%s",
                 str_text(&error));
        str_fini(&error);
        return false;
    }
    refused = switch_flow_mod(api->sw, &mod, now, &error);
    if (refused != OF_OK) {
        api_fail_of(reply, refused, where, str_text(&error));
    }
    flow_mod_fini(&mod);
    str_fini(&error);
    return refused == OF_OK;
}

static void
change(struct api *api, json_t *list, enum flow_mod_command command, msec now,
       struct api_reply *reply)
{
    size_t i;
    json_t *item;

    switch_begin_bundle(api->sw);
    json_array_foreach (list, i, item) {
        char where[32];

        snprintf(where, sizeof where, "flows[%zu]", i);
        if (!stage(api, json_string_value(item), command, where, now,
                   reply)) {
            switch_discard_bundle(api->sw, SIZE_MAX);
            return;
        }
    }
    switch_commit_bundle(api->sw);
    api_reply_json(reply, 200,
                   json_pack("{s:I}", "flows",
                             (json_int_t) json_array_size(list)));
}

void
flows_change(struct api *api, struct api_request *request, msec now,
             struct api_reply *reply)
{
    enum flow_mod_command command;
    struct change_body body;

    if (!change_body_parse(request, "flows", &body, reply)) {
        return;
    }
    if (command_from_name(body.command, &command, reply)) {
        change(api, body.list, command, now, reply);
    }
    json_decref(body.root);
}

/* Says how many entries went: the text may match none, or more than thought. */
void
flows_delete(struct api *api, struct api_request *request, msec now,
             struct api_reply *reply)
{
    const char *text = api_request_param(request, "flow");
    struct tables *tables = switch_tables(api->sw);
    uint64_t n_before = 0, n_after = 0;
    bool is_strict = false;

    if (!api_request_bool(request, "strict", &is_strict, reply)) {
        return;
    }
    for (unsigned int i = 0; i < N_TABLES; i++) {
        n_before += tables_stats(tables, (uint8_t) i)->n_entries;
    }
    if (!stage(api, text ? text : "",
               is_strict ? FLOW_MOD_DELETE_STRICT : FLOW_MOD_DELETE, "flow",
               now, reply)) {
        return;
    }
    switch_barrier(api->sw);
    for (unsigned int i = 0; i < N_TABLES; i++) {
        n_after += tables_stats(tables, (uint8_t) i)->n_entries;
    }
    api_reply_json(reply, 200,
                   json_pack("{s:I}", "deleted",
                             (json_int_t) (n_before - n_after)));
}
