/* /v1/controllers: who drives the switch, and how it is when nobody does. */

#include "api/body.h"
#include "api/routes.h"

static const char *const fail_modes[] = { "secure", "standalone", NULL };

static bool
has_connections(const struct api *api, struct api_reply *reply)
{
    if (!api->connections) {
        api_fail(reply, API_REFUSED, NULL, NULL, "no OpenFlow here");
        return false;
    }
    return true;
}

/* ---- List ---- */

struct list {
    json_t *json;
    msec now;
};

static double
seconds(msec time)
{
    return (double) time / 1000;
}

static json_t *
text_or_null(const char *text)
{
    return *text ? json_string(text) : json_null();
}

static void
add_connection(void *list_, const struct connection_info *info)
{
    static const char *const kinds[] = {
        [CONNECTION_CONTROLLER] = "controller", [CONNECTION_TOOL] = "tool",
        [CONNECTION_SNOOP] = "snoop", [CONNECTION_LISTENER] = "listener",
    };
    struct list *list = list_;
    json_t *json = json_pack(
        "{s:s, s:s, s:i, s:s, s:f, s:o, s:o, s:o, s:o, s:I}",
        "name", info->name,
        "kind", kinds[info->kind],
        "auxiliary_id", (int) info->auxiliary_id,
        "state", info->state,
        "since", seconds(MAX(list->now - info->since, 0)),
        "version", text_or_null(info->version),
        "role", text_or_null(info->role),
        "tls", text_or_null(info->tls),
        "last_error", text_or_null(info->last_error),
        "backlog", (json_int_t) info->backlog);

#define X(NAME, TEXT)                                                        \
    json_object_set_new(json, #NAME,                                         \
                        json_integer((json_int_t) info->counters.NAME));
    CONTROL_COUNTERS(X)
#undef X
    if (*info->last_error) {
        json_object_set_new(json, "last_error_age",
                            json_real(seconds(MAX(
                                list->now - info->last_error_at, 0))));
    }
    json_array_append_new(list->json, json);
}

void
controllers_list(struct api *api, struct api_request *request UNUSED,
                 msec now, struct api_reply *reply)
{
    struct connection_settings settings;
    struct list list = { .now = now };

    if (!has_connections(api, reply)) {
        return;
    }
    connections_get_settings(api->connections, &settings);
    list.json = json_array();
    connections_visit(api->connections, add_connection, &list);
    api_reply_json(
        reply, 200,
        json_pack("{s:s, s:f, s:i, s:I, s:o}",
                  "fail_mode", fail_modes[settings.is_standalone],
                  "probe_interval", seconds(settings.probe_interval),
                  "auxiliary", (int) settings.n_auxiliary,
                  "packet_ins_per_second",
                  (json_int_t) settings.packet_in_rate,
                  "controllers", list.json));
}

/* ---- Changes ---- */

/* What the body says beside the list of controllers. */
static bool
take_settings(const struct controllers_body *body,
              struct connection_settings *settings, struct api_reply *reply)
{
    enum { MAX_PROBE = 1000000 };

    if (body->fail_mode) {
        settings->is_standalone = !strcmp(body->fail_mode, "standalone");
        if (!settings->is_standalone && strcmp(body->fail_mode, "secure")) {
            api_fail(reply, API_BAD_REQUEST, "fail_mode",
                     "secure or standalone", "unknown fail mode '%s'",
                     body->fail_mode);
            return false;
        }
    }
    if (body->probe_interval > MAX_PROBE) {
        api_fail(reply, API_BAD_REQUEST, "probe_interval", NULL,
                 "at most %d seconds", MAX_PROBE);
        return false;
    }
    if (body->auxiliary > CONNECTIONS_MAX_AUXILIARY) {
        api_fail(reply, API_BAD_REQUEST, "auxiliary", NULL,
                 "at most %d auxiliary connections",
                 CONNECTIONS_MAX_AUXILIARY);
        return false;
    }
    settings->probe_interval = (msec) body->probe_interval * 1000;
    settings->n_auxiliary = body->auxiliary;
    settings->packet_in_rate = body->packet_ins_per_second;
    return true;
}

static bool
take_controllers(struct api *api, const json_t *list, struct api_reply *reply)
{
    const char *methods[CONNECTIONS_MAX_TARGETS];
    struct str error = STR_INIT;
    size_t i;
    json_t *method;
    bool ok;

    if (json_array_size(list) > ARRAY_SIZE(methods)) {
        api_fail(reply, API_FULL, "controllers", NULL,
                 "at most %d controllers", CONNECTIONS_MAX_TARGETS);
        return false;
    }
    json_array_foreach (list, i, method) {
        methods[i] = json_string_value(method);
    }
    ok = !connections_set_controllers(api->connections,
                                      (unsigned int) json_array_size(list),
                                      methods, &error);
    if (!ok) {
        api_fail(reply, API_BAD_REQUEST, "controllers",
                 "like tcp:192.0.2.1:6653", "%s", str_text(&error));
    }
    str_fini(&error);
    return ok;
}

void
controllers_set(struct api *api, struct api_request *request, msec now,
                struct api_reply *reply)
{
    struct connection_settings settings;
    struct controllers_body body;

    if (!has_connections(api, reply)) {
        return;
    }
    connections_get_settings(api->connections, &settings);
    body = (struct controllers_body) {
        .probe_interval = (uint32_t) (settings.probe_interval / 1000),
        .auxiliary = settings.n_auxiliary,
        .packet_ins_per_second = settings.packet_in_rate,
    };
    if (!controllers_body_parse(request, &body, reply)) {
        return;
    }
    if (take_settings(&body, &settings, reply)
        && (!body.controllers
            || take_controllers(api, body.controllers, reply))) {
        connections_set_settings(api->connections, &settings, now);
        api_reply_done(reply);
    }
    json_decref(body.root);
}

void
controllers_delete(struct api *api, struct api_request *request,
                   msec now UNUSED, struct api_reply *reply)
{
    const char *method = api_request_param(request, "controller");
    int err;

    if (!has_connections(api, reply)) {
        return;
    }
    err = method ? connections_delete_controller(api->connections, method)
                 : connections_set_controllers(api->connections, 0, NULL,
                                               NULL);
    if (err) {
        api_fail(reply, API_NOT_FOUND, "controller", "weft controller list",
                 "there is no controller '%s'", method);
    } else {
        api_reply_done(reply);
    }
}
