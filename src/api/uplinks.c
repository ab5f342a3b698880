/* /v1/controller/uplinks: the links of uplinks, and which are in use. */

#include "api/routes.h"
#include "controller/controller.h"

static json_t *
flags_json(uint8_t flags)
{
    json_t *names = json_array();

    for (unsigned int bit = 0; bit < 8; bit++) {
        if (flags >> bit & 1) {
            json_array_append_new(names, json_string(
                controller_link_flag_name(bit)));
        }
    }
    return names;
}

static json_t *
lacp_json(const struct controller_link *link)
{
    if (!link->lacp) {
        return json_null();
    }
    return json_pack(
        "{s:s, s:s, s:i, s:i, s:o, s:o, s:I, s:I}", "state", link->lacp,
        "partner", link->partner, "partner_key", (int) link->partner_key,
        "partner_port", (int) link->partner_port, "actor_flags",
        flags_json(link->actor_flags), "partner_flags",
        flags_json(link->partner_flags), "received",
        (json_int_t) link->n_received, "sent", (json_int_t) link->n_sent);
}

static void
add_link(void *aux, const struct controller_link *link)
{
    api_list_add(aux, json_pack(
        "{s:s, s:s, s:s, s:o, s:b, s:s, s:o}", "uplink", link->uplink,
        "device", link->device, "mode", link->mode, "number",
        link->number ? json_integer(link->number) : json_null(), "has_link",
        (int) link->has_link, "use", link->use, "lacp", lacp_json(link)));
}

void
controller_uplinks(struct api *api, struct api_request *request UNUSED,
                   msec now UNUSED, struct api_reply *reply)
{
    if (!api_has_controller(api, reply)) {
        return;
    }
    api_list_begin(reply, "links");
    controller_visit_links(api->controller, add_link, reply);
    api_list_end(reply);
}
