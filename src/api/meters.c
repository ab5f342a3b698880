/* /v1/meters: OpenFlow meters as text. */

#include "api/body.h"
#include "api/routes.h"

#include <stdio.h>

struct meters_list {
    struct api *api;
    struct api_reply *reply;
    msec now;
};

static bool
add_meter(void *aux, const struct meter *meter)
{
    struct meters_list *list = aux;
    struct meter_mod mod = {
        .command = METER_MOD_ADD,
        .id = meter->id,
        .flags = meter->flags,
        .n_bands = meter->n_bands,
    };
    struct dp_meter_stats stats = { 0 };
    struct str text = STR_INIT;
    json_t *bands = json_array();

    memcpy(mod.bands, meter->bands, sizeof mod.bands);
    meter_mod_format(&mod, &text);
    switch_meter_stats(list->api->sw, meter->id, &stats);
    for (unsigned int i = 0; i < meter->n_bands; i++) {
        json_array_append_new(
            bands, json_pack("{s:I, s:I}",
                             "packets", (json_int_t) stats.bands[i].packets,
                             "bytes", (json_int_t) stats.bands[i].bytes));
    }
    api_list_add(list->reply,
                 json_pack("{s:I, s:s, s:I, s:I, s:o, s:f}",
                           "id", (json_int_t) meter->id,
                           "meter", str_text(&text),
                           "packets", (json_int_t) stats.packets,
                           "bytes", (json_int_t) stats.bytes,
                           "bands", bands,
                           "age", (double) (list->now - meter->created)
                                      / 1000));
    str_fini(&text);
    return true;
}

void
meters_list(struct api *api, struct api_request *request UNUSED, msec now,
            struct api_reply *reply)
{
    struct meters_list list = { api, reply, now };

    api_list_begin(reply, "meters");
    tables_visit_meters(switch_tables(api->sw), add_meter, &list);
    api_list_end(reply);
}

static bool
carry_out(struct api *api, const char *text, enum meter_mod_command command,
          const char *where, msec now, struct api_reply *reply)
{
    struct str error = STR_INIT;
    struct meter_mod mod;
    enum of_error refused = OF_OK;

    if (meter_mod_parse(text, command, &mod, &error)) {
        api_fail(reply, API_BAD_REQUEST, where, NULL, "%s",
                 str_text(&error));
        str_fini(&error);
        return false;
    }
    refused = switch_meter_mod(api->sw, &mod, now, &error);
    if (refused != OF_OK) {
        api_fail_of(reply, refused, where, str_text(&error));
    }
    str_fini(&error);
    return refused == OF_OK;
}

/* Meters are not versioned like flows: what came before a refused one stays. */
void
meters_change(struct api *api, struct api_request *request, msec now,
              struct api_reply *reply)
{
    enum meter_mod_command command;
    struct change_body body;
    size_t i;
    json_t *item;

    if (!change_body_parse(request, "meters", &body, reply)) {
        return;
    }
    if (!strcmp(body.command, "add")) {
        command = METER_MOD_ADD;
    } else if (!strcmp(body.command, "modify")) {
        command = METER_MOD_MODIFY;
    } else {
        api_fail(reply, API_BAD_REQUEST, "command", "add or modify",
                 "unknown command '%s'", body.command);
        goto free_body;
    }

    json_array_foreach (body.list, i, item) {
        char where[32];

        snprintf(where, sizeof where, "meters[%zu]", i);
        if (!carry_out(api, json_string_value(item), command, where, now,
                       reply)) {
            goto free_body;
        }
    }
    switch_barrier(api->sw);
    api_reply_json(reply, 200,
                   json_pack("{s:I}", "meters",
                             (json_int_t) json_array_size(body.list)));

free_body:
    json_decref(body.root);
}

static bool
count_meter(void *aux, const struct meter *meter UNUSED)
{
    ++*(unsigned int *) aux;
    return true;
}

/* Without a number: all of them. */
void
meters_delete(struct api *api, struct api_request *request, msec now,
              struct api_reply *reply)
{
    struct tables *tables = switch_tables(api->sw);
    struct meter_mod mod = { .command = METER_MOD_DELETE };
    unsigned int n_before = 0, n_after = 0;
    uint64_t id = OFPM_ALL;
    struct str error = STR_INIT;
    enum of_error refused;

    if (!api_request_number(request, "meter", OFPM_MAX, &id, reply)) {
        return;
    }
    mod.id = (uint32_t) id;
    tables_visit_meters(tables, count_meter, &n_before);
    refused = switch_meter_mod(api->sw, &mod, now, &error);
    if (refused != OF_OK) {
        api_fail_of(reply, refused, "meter", str_text(&error));
    } else {
        switch_barrier(api->sw);
        tables_visit_meters(tables, count_meter, &n_after);
        api_reply_json(reply, 200,
                       json_pack("{s:I}", "deleted",
                                 (json_int_t) (n_before - n_after)));
    }
    str_fini(&error);
}
