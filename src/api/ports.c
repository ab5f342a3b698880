/* /v1/ports: list, add, show, set, delete. */

#include "api/body.h"
#include "api/capture.h"
#include "api/port_setting.h"
#include "api/routes.h"
#include "host/host.h"

#include <stdio.h>

static json_t *
counters_json(const struct port *port)
{
    json_t *json = json_object();

#define X(NAME)                                                              \
    json_object_set_new(                                                     \
        json, #NAME,                                                         \
        json_integer((json_int_t) atomic_load_explicit(                      \
            &port->counters.NAME, memory_order_relaxed)));
    PORT_COUNTERS(X)
#undef X
    return json;
}

static json_t *
options_json(const struct port_config *config)
{
    json_t *json = json_object();

    for (unsigned int i = 0; i < config->n_options; i++) {
        json_object_set_new(json, config->options[i].key,
                            json_string(config->options[i].value));
    }
    return json;
}

static json_t *
drops_json(const struct api *api, const struct port *port)
{
    uint64_t drops[N_DROP_REASONS] = { 0 };
    json_t *json = json_object();

    datapath_read_drops(switch_datapath(api->sw), port, drops);
    for (unsigned int i = 0; i < N_DROP_REASONS; i++) {
        if (drops[i]) {
            json_object_set_new(json, drop_reason_name(i),
                                json_integer((json_int_t) drops[i]));
        }
    }
    return json;
}

/* Why a port does not carry frames, or JSON null. */
static json_t *
error_json(const struct switch_port *sp)
{
    int error = atomic_load(&sp->port->error);

    if (port_is_up(sp->port) || !error) {
        return json_null();
    }
    return json_string(strerror(-error));
}

/* Why NORMAL leaves it out, or JSON null. */
static json_t *
held_json(const struct api *api, const struct switch_port *sp, msec now)
{
    struct str text = STR_INIT;
    msec until = switch_port_hold(api->sw, sp->number, &text);
    json_t *json = json_null();

    if (until) {
        json = json_pack("{s:s, s:f}", "why", str_text(&text),
                         "seconds_left", (double) MAX(0, until - now) / 1000);
    }
    str_fini(&text);
    return json;
}

static json_t *
port_json(const struct api *api, const struct switch_port *sp, msec now)
{
    const struct port *port = sp->port;
    struct port_setting_values settings;
    char mac[18];
    json_t *json;

    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", port->mac.b[0],
             port->mac.b[1], port->mac.b[2], port->mac.b[3], port->mac.b[4],
             port->mac.b[5]);
    json = json_pack("{s:I, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:I, s:I, s:s, "
                     "s:o}",
                     "number", (json_int_t) sp->number,
                     "name", port->config.name,
                     "type", port->config.type,
                     "device", port->config.device,
                     "options", options_json(&port->config),
                     "state", !port_is_up(port) ? "down"
                              : sp->is_held     ? "held" : "up",
                     "error", error_json(sp),
                     "held", held_json(api, sp, now),
                     "mtu", (json_int_t) port->mtu,
                     "speed_mbps", (json_int_t) port->speed_mbps,
                     "mac", mac,
                     "counters", counters_json(port));
    port_settings_read(&settings, sp);
    port_settings_to_json(&settings, json);
    return json;
}

/* A port with what only one port's page shows. */
static json_t *
port_page_json(const struct api *api, const struct switch_port *sp,
               msec now)
{
    const struct port *port = sp->port;
    json_t *json = port_json(api, sp, now);
    struct str details = STR_INIT;

    if (port->class->describe && port->is_open) {
        port->class->describe(port, &details);
    }
    json_object_set_new(json, "drops", drops_json(api, port));
    json_object_set_new(json, "queues",
                        json_pack("{s:i, s:i}", "rx", (int) port->n_rxq, "tx",
                                  (int) port->n_txq));
    json_object_set_new(json, "details",
                        json_string(details.len
                                    ? str_text(&details)
                                          + strspn(str_text(&details), ", ")
                                    : ""));
    str_fini(&details);
    return json;
}

/* One of a switch that is another program: what we know is how far it is. */
static void
add_foreign_port(void *reply, const struct host_port_info *info)
{
    api_list_add(reply, json_pack(
        "{s:n, s:s, s:s, s:s?}", "number", "name", info->switch_name,
        "state", info->state == HOST_PLUGGED ? "up"
                                             : host_state_text(info->state),
        "error", *info->error ? info->error : NULL));
}

void
ports_list(struct api *api, struct api_request *request UNUSED,
           msec now, struct api_reply *reply)
{
    api_list_begin(reply, "ports");
    if (!api->sw) {
        if (api->host) {
            host_for_each_port(api->host, add_foreign_port, reply);
        }
        api_list_end(reply);
        return;
    }
    for (const struct switch_port *sp = switch_next_port(api->sw, NULL); sp;
         sp = switch_next_port(api->sw, sp)) {
        api_list_add(reply, port_json(api, sp, now));
    }
    api_list_end(reply);
}

void
ports_show(struct api *api, struct api_request *request, msec now,
           struct api_reply *reply)
{
    const struct switch_port *sp = api_find_port(api, request->name, "port",
                                                 reply);

    if (sp) {
        api_reply_json(reply, 200, port_page_json(api, sp, now));
    }
}

/* The refusal when the class says no: with the nearest known type. */
static void
fail_add(int err, const struct port_spec *spec, const char *why,
         struct api_reply *reply)
{
    const char *near = NULL;
    struct str hint = STR_INIT;

    if (!port_class_find(spec->config.type)) {
        near = str_nearest(spec->config.type, port_class_names());
        if (near) {
            str_addf(&hint, "did you mean '%s'?", near);
        } else {
            str_add(&hint, "types are:");
            for (const char *const *name = port_class_names(); *name;
                 name++) {
                str_addf(&hint, " %s", *name);
            }
        }
        api_fail(reply, API_BAD_REQUEST, "port", str_text(&hint),
                 "there is no port type '%s'", spec->config.type);
        str_fini(&hint);
        return;
    }
    api_fail_errno(reply, err, "port", why);
}

void
ports_add(struct api *api, struct api_request *request, msec now,
          struct api_reply *reply)
{
    struct str error = STR_INIT;
    struct port_add_body body;
    struct port_spec spec;
    struct switch_port *sp;
    int err;

    if (!port_add_body_parse(request, &body, reply)) {
        return;
    }
    if (port_spec_parse(body.port, &spec, &error)) {
        api_fail(reply, API_BAD_REQUEST, "port", NULL, "%s",
                 str_text(&error));
        goto free_body;
    }
    if (body.number) {
        spec.number = body.number;
    }
    if (spec.number && !port_number_is_valid(spec.number)) {
        api_fail(reply, API_BAD_REQUEST, "number", NULL,
                 "a port's number is 1 to %d, or LOCAL's", PORT_ID_LOCAL - 1);
        goto free_body;
    }
    if (switch_port_by_name(api->sw, spec.config.name)) {
        api_fail(reply, API_CONFLICT, "port", "weft port list",
                 "there is a port '%s' already", spec.config.name);
        goto free_body;
    }

    err = switch_add_port(api->sw, &spec.config, spec.number, &sp, &error);
    if (err) {
        fail_add(err, &spec, str_text(&error), reply);
        goto free_body;
    }
    err = port_settings_apply(api->sw, sp, &spec.settings);
    if (err) {
        switch_delete_port(api->sw, sp->number);
        api_fail_errno(reply, err, "port", "");
        goto free_body;
    }
    switch_barrier(api->sw);
    api_reply_json(reply, 201, port_page_json(api, sp, now));

free_body:
    json_decref(body.root);
    str_fini(&error);
}

/* A setting's value as text: numbers and truth values may be written so. */
static bool
setting_text(const json_t *json, struct str *text)
{
    str_clear(text);
    if (json_is_string(json)) {
        str_add(text, json_string_value(json));
    } else if (json_is_boolean(json)) {
        str_add(text, json_is_true(json) ? "yes" : "no");
    } else if (json_is_integer(json)) {
        str_addf(text, "%lld", (long long) json_integer_value(json));
    } else if (json_is_null(json)) {
        str_add(text, "none");
    } else {
        return false;
    }
    return true;
}

static bool
settings_from_json(struct port_setting_values *settings, json_t *root,
                   struct api_reply *reply)
{
    struct str text = STR_INIT, error = STR_INIT;
    const char *name;
    json_t *json;
    bool ok = true;

    json_object_foreach (root, name, json) {
        if (!port_setting_exists(name)) {
            api_fail(reply, API_BAD_REQUEST, name,
                     str_nearest(name, port_setting_names()),
                     "a port has no setting '%s'", name);
            ok = false;
        } else if (!setting_text(json, &text)) {
            api_fail(reply, API_BAD_REQUEST, name, NULL,
                     "'%s' must be a single value", name);
            ok = false;
        } else if (port_settings_set(settings, name, str_text(&text),
                                     &error)) {
            api_fail(reply, API_BAD_REQUEST, name, NULL, "%s",
                     str_text(&error));
            ok = false;
        }
        if (!ok) {
            goto done;
        }
    }
    if (port_settings_check(settings, &error)) {
        api_fail(reply, API_BAD_REQUEST, "body", NULL, "%s",
                 str_text(&error));
        ok = false;
    }

done:
    str_fini(&text);
    str_fini(&error);
    return ok;
}

void
ports_set(struct api *api, struct api_request *request, msec now,
          struct api_reply *reply)
{
    struct switch_port *sp = api_find_port(api, request->name, "port", reply);
    struct port_setting_values settings;
    struct port_set_body body;
    int err;

    if (!sp || !port_set_body_parse(request, &body, reply)) {
        return;
    }
    port_settings_read(&settings, sp);
    if (settings_from_json(&settings, body.root, reply)) {
        err = port_settings_apply(api->sw, sp, &settings);
        if (err) {
            api_fail_errno(reply, err, "port", "");
        } else {
            switch_barrier(api->sw);
            api_reply_json(reply, 200, port_page_json(api, sp, now));
        }
    }
    json_decref(body.root);
}

void
ports_delete(struct api *api, struct api_request *request, msec now UNUSED,
             struct api_reply *reply)
{
    struct switch_port *sp = api_find_port(api, request->name, "port", reply);
    int err;

    if (!sp) {
        return;
    }
    if (api->captures) {
        captures_end_port(api->captures, sp->port);
    }
    err = switch_delete_port(api->sw, sp->number);
    if (err) {
        api_fail_errno(reply, err, "port", "");
        return;
    }
    api_reply_done(reply);
}
