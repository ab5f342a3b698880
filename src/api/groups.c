/* /v1/groups: OpenFlow groups as text. */

#include "api/body.h"
#include "api/routes.h"

#include <stdio.h>
#include <stdlib.h>

static void
group_text(const struct group *group, const struct flow_text_names *names,
           struct str *text)
{
    struct group_mod mod = {
        .command = GROUP_MOD_ADD,
        .type = group->type,
        .id = group->id,
        .n_buckets = group->n_buckets,
        .selection = group->selection,
        .buckets = xcalloc(group->n_buckets, sizeof *mod.buckets),
    };

    for (unsigned int i = 0; i < group->n_buckets; i++) {
        const struct group_bucket *bucket = &group->buckets[i];

        mod.buckets[i] = (struct bucket) {
            .id = bucket->id,
            .weight = bucket->weight,
            .watch_port = bucket->watch_port,
            .watch_group = bucket->watch_group,
            .actions = {
                /* Only read: it is formatted. */
                .data = (char *) bucket->actions.first,
                .len = bucket->actions.len,
                .size = bucket->actions.len,
            },
        };
    }
    group_mod_format_names(&mod, names, text);
    free(mod.buckets);
}

static json_t *
credit_json(const struct credit *credit)
{
    return json_pack("{s:I, s:I}",
                     "packets", (json_int_t) atomic_load_explicit(
                         &credit->packets, memory_order_relaxed),
                     "bytes", (json_int_t) atomic_load_explicit(
                         &credit->bytes, memory_order_relaxed));
}

struct groups_list {
    struct api_reply *reply;
    msec now;
    const struct flow_text_names *names;    /* NULL: numbers of ports */
};

static bool
add_group(void *aux, const struct group *group)
{
    static const char *const types[] = {
        [GROUP_ALL] = "all",
        [GROUP_SELECT] = "select",
        [GROUP_INDIRECT] = "indirect",
        [GROUP_FAST_FAILOVER] = "ff",
    };
    struct groups_list *list = aux;
    struct str text = STR_INIT;
    json_t *buckets = json_array();
    json_t *json;

    for (unsigned int i = 0; i < group->n_buckets; i++) {
        json_array_append_new(buckets, credit_json(group->buckets[i].credit));
    }
    group_text(group, list->names, &text);
    json = credit_json(group->credit);
    json_object_set_new(json, "id", json_integer(group->id));
    json_object_set_new(json, "type", json_string(types[group->type]));
    json_object_set_new(json, "age",
                        json_real((double) (list->now - group->created)
                                  / 1000));
    json_object_set_new(json, "buckets", buckets);
    json_object_set_new(json, "group", json_string(str_text(&text)));
    api_list_add(list->reply, json);
    str_fini(&text);
    return true;
}

void
groups_list(struct api *api, struct api_request *request, msec now,
            struct api_reply *reply)
{
    struct groups_list list = { reply, now, NULL };
    bool has_names = false;

    if (!api_request_bool(request, "names", &has_names, reply)) {
        return;
    }
    list.names = has_names ? switch_names(api->sw) : NULL;
    switch_refresh_counters(api->sw);
    api_list_begin(reply, "groups");
    tables_visit_groups(switch_tables(api->sw), add_group, &list);
    api_list_end(reply);
}

static bool
stage(struct api *api, const char *text, enum group_mod_command command,
      const char *where, msec now, struct api_reply *reply)
{
    struct str error = STR_INIT;
    struct group_mod mod;
    enum of_error refused;

    if (group_mod_parse(text, command, switch_names(api->sw), &mod, &error)) {
        api_fail(reply, API_BAD_REQUEST, where, NULL, "%s",
                 str_text(&error));
        str_fini(&error);
        return false;
    }
    refused = switch_group_mod(api->sw, &mod, now, &error);
    if (refused != OF_OK) {
        api_fail_of(reply, refused, where, str_text(&error));
    }
    group_mod_fini(&mod);
    str_fini(&error);
    return refused == OF_OK;
}

void
groups_change(struct api *api, struct api_request *request, msec now,
              struct api_reply *reply)
{
    enum group_mod_command command;
    struct change_body body;
    size_t i;
    json_t *item;

    if (!change_body_parse(request, "groups", &body, reply)) {
        return;
    }
    if (!strcmp(body.command, "add")) {
        command = GROUP_MOD_ADD;
    } else if (!strcmp(body.command, "modify")) {
        command = GROUP_MOD_MODIFY;
    } else {
        api_fail(reply, API_BAD_REQUEST, "command", "add or modify",
                 "unknown command '%s'", body.command);
        goto free_body;
    }

    switch_begin_bundle(api->sw);
    json_array_foreach (body.list, i, item) {
        char where[32];

        snprintf(where, sizeof where, "groups[%zu]", i);
        if (!stage(api, json_string_value(item), command, where, now,
                   reply)) {
            switch_discard_bundle(api->sw, SIZE_MAX);
            goto free_body;
        }
    }
    switch_commit_bundle(api->sw);
    api_reply_json(reply, 200,
                   json_pack("{s:I}", "groups",
                             (json_int_t) json_array_size(body.list)));

free_body:
    json_decref(body.root);
}

static bool
count_group(void *aux, const struct group *group UNUSED)
{
    ++*(unsigned int *) aux;
    return true;
}

/* Without a number: all of them. */
void
groups_delete(struct api *api, struct api_request *request, msec now,
              struct api_reply *reply)
{
    struct tables *tables = switch_tables(api->sw);
    struct group_mod mod = { .command = GROUP_MOD_DELETE };
    unsigned int n_before = 0, n_after = 0;
    uint64_t id = OFPG_ALL;
    struct str error = STR_INIT;
    enum of_error refused;

    if (!api_request_number(request, "group", OFPG_MAX, &id, reply)) {
        return;
    }
    mod.id = (uint32_t) id;
    tables_visit_groups(tables, count_group, &n_before);
    refused = switch_group_mod(api->sw, &mod, now, &error);
    if (refused != OF_OK) {
        api_fail_of(reply, refused, "group", str_text(&error));
    } else {
        switch_barrier(api->sw);
        tables_visit_groups(tables, count_group, &n_after);
        api_reply_json(reply, 200,
                       json_pack("{s:I}", "deleted",
                                 (json_int_t) (n_before - n_after)));
    }
    str_fini(&error);
}
