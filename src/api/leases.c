/* /v1/leases: which address DHCP gave to whom, and for how long. */

#include "api/routes.h"
#include "controller/controller.h"

struct list {
    struct api_reply *reply;
    const char *network;          /* NULL: all */
};

static void
add_lease(void *aux, const struct controller_lease *lease)
{
    struct list *list = aux;

    if (list->network && strcmp(list->network, lease->network)) {
        return;
    }
    /* What clients call themselves may be any bytes. */
    api_list_add(list->reply, json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:s, s:o}",
        "network", lease->network, "address", lease->address, "state",
        lease->state, "port", lease->port, "hostname",
        json_string(lease->hostname) ?: json_null(), "mac", lease->mac,
        "seconds_left",
        lease->seconds_left == INT64_MAX
            ? json_null()
            : json_integer((json_int_t) lease->seconds_left)));
}

void
leases_list(struct api *api, struct api_request *request, msec now UNUSED,
            struct api_reply *reply)
{
    struct list list = { reply, api_request_param(request, "network") };

    if (!api_has_controller(api, reply)) {
        return;
    }
    api_list_begin(reply, "leases");
    controller_visit_leases(api->controller, add_lease, &list);
    api_list_end(reply);
}
