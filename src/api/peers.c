/* /v1/peers: our channels to other hosts, and who we are to them. */

#include "api/routes.h"
#include "peer/peer_mesh.h"

struct list {
    json_t *peers;
    msec now;
};

static void
add_peer(void *list_, const struct peer_info *peer)
{
    struct list *list = list_;

    json_array_append_new(list->peers, json_pack(
        "{s:s, s:s, s:s, s:f, s:I, s:o}", "host", peer->host, "state",
        peer->state, "reason", peer->reason, "seconds",
        (double) (list->now - peer->since) / 1000, "ports",
        (json_int_t) peer->n_ports, "rtt_ms",
        peer->rtt ? json_real((double) peer->rtt / 1000) : json_null()));
}

void
peers_show(struct api *api, struct api_request *request UNUSED, msec now,
           struct api_reply *reply)
{
    struct list list = { NULL, now };

    if (!api_has_controller(api, reply)) {
        return;
    }
    if (!api->mesh) {
        api_fail(reply, API_REFUSED, NULL,
                 "its log says why, when weftd starts",
                 "this host has no channel to others");
        return;
    }
    list.peers = json_array();
    peer_mesh_visit(api->mesh, add_peer, &list);
    api_reply_json(reply, 200, json_pack(
        "{s:s, s:s, s:s, s:o}", "host", peer_mesh_host(api->mesh),
        "certificate", peer_mesh_fingerprint(api->mesh), "complaint",
        peer_mesh_complaint(api->mesh), "peers", list.peers));
}
