/* /v1/controller/tunnels: the ways to other hosts, as probes find them. */

#include "api/routes.h"
#include "controller/controller.h"

static json_t *
known(int64_t value, bool is_known)
{
    return is_known ? json_integer(value) : json_null();
}

static void
add_tunnel(void *aux, const struct controller_tunnel *t)
{
    api_list_add(aux, json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:i, s:o, s:I, s:I}",
        "host", t->host, "type", t->type, "address", t->address,
        "state", t->state, "seconds", (json_int_t) t->seconds,
        "rtt_us", known(t->rtt, t->rtt),
        "rtt_smoothed_us", known(t->rtt_smoothed, t->rtt_smoothed),
        "loss_percent", known(t->loss, t->loss >= 0),
        "mtu", known(t->mtu, t->mtu), "mtu_wanted", (int) t->mtu_wanted,
        "underlay_mtu", known(t->underlay_mtu, t->underlay_mtu),
        "sent", (json_int_t) t->n_sent, "heard", (json_int_t) t->n_heard));
}

void
controller_tunnels(struct api *api, struct api_request *request UNUSED,
                   msec now UNUSED, struct api_reply *reply)
{
    if (!api_has_controller(api, reply)) {
        return;
    }
    api_list_begin(reply, "tunnels");
    controller_visit_tunnels(api->controller, add_tunnel, reply);
    api_list_end(reply);
}
