/* /v1/fdb: which address was learned where. */

#include "api/routes.h"

#include <stdio.h>

enum { ANY_VLAN = 4096 };

struct fdb_query {
    struct api *api;
    struct api_reply *reply;
    msec now;
    uint32_t port;                /* 0: all */
    uint64_t vlan;                /* ANY_VLAN: all */
};

static bool
parse_query(struct api *api, struct api_request *request,
            struct fdb_query *query, struct api_reply *reply)
{
    const char *name = api_request_param(request, "port");

    query->vlan = ANY_VLAN;
    if (!api_request_number(request, "vlan", 4095, &query->vlan, reply)) {
        return false;
    }
    if (name) {
        const struct switch_port *sp = api_find_port(api, name, "port",
                                                     reply);

        if (!sp) {
            return false;
        }
        query->port = sp->number;
    }
    return true;
}

static bool
add_station(void *aux, const struct fdb_info *station)
{
    struct fdb_query *query = aux;
    const struct switch_port *sp;
    char mac[18];

    if ((query->port && station->port != query->port)
        || (query->vlan != ANY_VLAN && station->key.vid != query->vlan)) {
        return true;
    }
    sp = switch_port_by_number(query->api->sw, station->port);
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x",
             station->key.mac.b[0], station->key.mac.b[1], station->key.mac.b[2],
             station->key.mac.b[3], station->key.mac.b[4], station->key.mac.b[5]);
    api_list_add(query->reply,
                 json_pack("{s:s, s:i, s:I, s:s?, s:f}",
                           "mac", mac,
                           "vlan", station->key.vid,
                           "number", (json_int_t) station->port,
                           "port", sp ? sp->port->config.name : NULL,
                           "age", (double) (query->now - station->used)
                                      / 1000));
    return true;
}

void
fdb_list(struct api *api, struct api_request *request, msec now,
         struct api_reply *reply)
{
    struct fdb_query query = { .api = api, .reply = reply, .now = now };

    if (!parse_query(api, request, &query, reply)) {
        return;
    }
    api_list_begin(reply, "fdb");
    fdb_visit(switch_fdb(api->sw), add_station, &query);
    api_list_end(reply);
}

void
fdb_flush_some(struct api *api, struct api_request *request, msec now UNUSED,
               struct api_reply *reply)
{
    struct fdb_query query = { 0 };
    unsigned int n;

    if (!parse_query(api, request, &query, reply)) {
        return;
    }
    n = fdb_flush(switch_fdb(api->sw), query.port,
                  query.vlan == ANY_VLAN ? -1 : (int) query.vlan, NULL);
    switch_barrier(api->sw);
    api_reply_json(reply, 200, json_pack("{s:I}", "flushed", (json_int_t) n));
}
