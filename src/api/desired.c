/* /v1/controller, its ports, and /v1/host: how far what was asked for is in
 * force. */

#include "api/routes.h"
#include "controller/controller.h"
#include "host/host.h"
#include "intent/port_value.h"

bool
api_has_controller(const struct api *api, struct api_reply *reply)
{
    if (!api->controller) {
        api_fail(reply, API_REFUSED, NULL, NULL,
                 "this daemon has no controller of its own");
    }
    return api->controller;
}

void
controller_show(struct api *api, struct api_request *request UNUSED, msec now,
                struct api_reply *reply)
{
    struct controller_status s;

    if (!api_has_controller(api, reply)) {
        return;
    }
    controller_status(api->controller, &s);
    api_reply_json(reply, 200, json_pack(
        "{s:b, s:b, s:s?, s:I, s:I, s:o, s:i, s:i, s:i, s:i, s:I, s:I, s:i}",
        "connected", s.is_connected, "synced", s.is_synced, "reason",
        s.is_connected ? NULL : s.reason, "generation",
        (json_int_t) s.generation, "synced_generation",
        (json_int_t) s.synced_generation, "synced_age",
        s.synced_at ? json_real((double) (now - s.synced_at) / 1000)
                    : json_null(),
        "flows_desired", (int) s.n_flows_desired, "flows_installed",
        (int) s.n_flows_installed, "meters", (int) s.n_meters,
        "flows_refused", (int) s.n_refused, "bundles",
        (json_int_t) s.n_bundles, "flow_mods", (json_int_t) s.n_flow_mods,
        "ports_missing", (int) s.n_ports_missing));
}

static json_t *
text_or_null(const char *text)
{
    return *text ? json_string(text) : json_null();
}

static void
add_planned_port(void *reply, const struct controller_port *port)
{
    const struct intent_port *intent = port->intent;
    struct str where = STR_INIT;

    str_addf(&where, "%s %s", attach_word(intent->attach), intent->device);
    api_list_add(reply, json_pack(
        "{s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:s, s:s, s:o}", "name",
        intent->object.name, "switch_name", intent->switch_name, "number",
        port->number ? json_integer(port->number) : json_null(), "network",
        text_or_null(intent->network_name), "trunk", (int) intent->n_trunk,
        "address", text_or_null(port->address), "address6",
        text_or_null(port->address6), "mac", port->mac,
        "where", str_text(&where), "held", text_or_null(port->held)));
    str_fini(&where);
}

void
controller_ports(struct api *api, struct api_request *request UNUSED,
                 msec now UNUSED, struct api_reply *reply)
{
    if (!api_has_controller(api, reply)) {
        return;
    }
    api_list_begin(reply, "ports");
    controller_visit_ports(api->controller, add_planned_port, reply);
    api_list_end(reply);
}

static void
add_port(void *reply, const struct host_port_info *info)
{
    api_list_add(reply, json_pack(
        "{s:s, s:s, s:s, s:s?}", "name", info->name, "switch_name",
        info->switch_name, "state", host_state_text(info->state), "error",
        *info->error ? info->error : NULL));
}

void
host_show(struct api *api, struct api_request *request UNUSED,
          msec now UNUSED, struct api_reply *reply)
{
    if (!api->host) {
        api_fail(reply, API_REFUSED, NULL, NULL,
                 "this daemon keeps no intents");
        return;
    }
    api_list_begin(reply, "ports");
    host_for_each_port(api->host, add_port, reply);
    api_list_end(reply);
}
