/* /v1/leases: which address DHCP gave to whom, and for how long. */

#include "api/routes.h"
#include "controller/controller.h"
#include "packet/address.h"
#include "service/lease.h"

struct list {
    struct api_reply *reply;
    const char *network;          /* NULL: all */
};

static const char *
state_name(enum lease_state state)
{
    static const char *const names[] = {
        [LEASE_OFFERED] = "offered", [LEASE_BOUND] = "bound",
        [LEASE_PAST] = "past", [LEASE_DECLINED] = "declined",
    };

    return names[state];
}

static void
add_lease(void *aux, const char *network, const struct lease_record *lease,
          int64_t seconds_left)
{
    struct list *list = aux;
    char address[ADDRESS_TEXT_SIZE], mac[ADDRESS_TEXT_SIZE];

    if (list->network && strcmp(list->network, network)) {
        return;
    }
    /* What clients call themselves may be any bytes. */
    api_list_add(list->reply, json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:s, s:o}",
        "network", network, "address", ip4_format(lease->addr, address),
        "state", state_name(lease->state), "port", lease->port, "hostname",
        json_string(lease->hostname) ?: json_null(), "mac",
        eth_addr_format(lease->mac, mac), "seconds_left",
        seconds_left == INT64_MAX ? json_null()
                                  : json_integer((json_int_t) seconds_left)));
}

void
leases_list(struct api *api, struct api_request *request, msec now UNUSED,
            struct api_reply *reply)
{
    struct list list = { reply, api_request_param(request, "network") };

    if (!api->controller) {
        api_fail(reply, API_REFUSED, NULL, NULL,
                 "this daemon has no controller of its own");
        return;
    }
    api_list_begin(reply, "leases");
    controller_visit_leases(api->controller, add_lease, &list);
    api_list_end(reply);
}
