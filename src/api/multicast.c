/* /v1/multicast: which ports hear which groups. */

#include "api/routes.h"
#include "controller/controller.h"

struct list {
    struct api_reply *reply;
    const char *network;          /* NULL: all */
};

static void
add_listener(void *aux, const struct controller_listener *listener)
{
    struct list *list = aux;

    if (!list->network || !strcmp(list->network, listener->network)) {
        api_list_add(list->reply, json_pack(
            "{s:s, s:s?, s:s, s:b, s:o}", "network", listener->network,
            "group", listener->group, "port", listener->port, "router",
            !listener->group, "seconds_left",
            listener->seconds_left == INT64_MAX
                ? json_null()
                : json_integer((json_int_t) listener->seconds_left)));
    }
}

void
multicast_list(struct api *api, struct api_request *request, msec now UNUSED,
               struct api_reply *reply)
{
    struct list list = { reply, api_request_param(request, "network") };

    if (!api_has_controller(api, reply)) {
        return;
    }
    api_list_begin(reply, "listeners");
    controller_visit_listeners(api->controller, add_listener, &list);
    api_list_end(reply);
}
