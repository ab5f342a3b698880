#include "api/routes.h"

#include <stdlib.h>

static const struct api_route routes[] = {
    { API_SWITCH, "GET",   "/v1/status",    status_show, { 0 } },
    { API_SWITCH, "GET",   "/v1/metrics",   metrics_show, { 0 } },
    { API_SWITCH, "GET",   "/v1/switch",    switch_show, { 0 } },
    { API_SWITCH, "POST",  "/v1/barrier",   barrier_post, { 0 } },

    { API_SWITCH, "GET",   "/v1/ports",     ports_list, { 0 } },
    { API_SWITCH, "POST",  "/v1/ports",     ports_add, { 0 } },
    { API_SWITCH, "GET",   "/v1/ports/*",   ports_show, { 0 } },
    { API_SWITCH, "PATCH", "/v1/ports/*",   ports_set, { 0 } },
    { API_SWITCH, "DELETE", "/v1/ports/*",   ports_delete, { 0 } },

    { API_SWITCH, "GET",   "/v1/flows",     flows_list,
      { "table", "match", "names" } },
    { API_SWITCH, "POST",  "/v1/flows",     flows_change, { 0 } },
    { API_SWITCH, "DELETE", "/v1/flows",     flows_delete,
      { "flow", "strict" } },
    { API_SWITCH, "GET",   "/v1/groups",    groups_list, { "names" } },
    { API_SWITCH, "POST",  "/v1/groups",    groups_change, { 0 } },
    { API_SWITCH, "DELETE", "/v1/groups",    groups_delete, { "group" } },
    { API_SWITCH, "GET",   "/v1/meters",    meters_list, { 0 } },
    { API_SWITCH, "POST",  "/v1/meters",    meters_change, { 0 } },
    { API_SWITCH, "DELETE", "/v1/meters",    meters_delete, { "meter" } },

    { API_SWITCH, "GET",   "/v1/controllers", controllers_list, { 0 } },
    { API_SWITCH, "PATCH", "/v1/controllers", controllers_set, { 0 } },
    { API_SWITCH, "DELETE", "/v1/controllers", controllers_delete,
      { "controller" } },

    { API_SWITCH, "GET",   "/v1/fdb",       fdb_list, { "port", "vlan" } },
    { API_SWITCH, "DELETE", "/v1/fdb",       fdb_flush_some,
      { "port", "vlan" } },
    { API_SWITCH, "GET",   "/v1/connections", connections_list,
      { "zone", "address", "protocol", "limit" } },
    { API_SWITCH, "DELETE", "/v1/connections", connections_flush,
      { "zone", "address", "protocol" } },
    { API_SWITCH, "GET",   "/v1/connections/count", connections_count,
      { "zone" } },
    { API_SWITCH, "GET",   "/v1/cache",     cache_list, { "port", "limit" } },
    { API_SWITCH, "GET",   "/v1/drops",     drops_show, { "port" } },
    { API_SWITCH, "POST",  "/v1/trace",     trace_run, { 0 } },
    { API_SWITCH, "GET",   "/v1/capture",   capture_begin,
      { "port", "direction" } },
    { API_SWITCH, "GET",   "/v1/snoop",     snoop_begin, { 0 } },
    { API_SWITCH, "GET",   "/v1/host",      host_show, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/controller", controller_show, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/controller/ports", controller_ports, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/controller/uplinks", controller_uplinks,
      { 0 } },
    { API_CONTROLLER, "GET",  "/v1/controller/tunnels", controller_tunnels,
      { 0 } },
    { API_CONTROLLER, "GET",  "/v1/leases", leases_list, { "network" } },
    { API_CONTROLLER, "GET",  "/v1/multicast", multicast_list, { "network" } },
    { API_CONTROLLER, "GET",  "/v1/peers", peers_show, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/explain", explain_show,
      { "from", "to", "what", "far" } },
    { API_CONTROLLER, "GET",  "/v1/security-groups", security_groups_show,
      { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intents", intents_show, { "format" } },
    { API_CONTROLLER, "PUT",  "/v1/intents", intents_put, { 0 } },
    { API_CONTROLLER, "POST", "/v1/intents/confirm", intents_confirm_post,
      { 0 } },
    { API_CONTROLLER, "POST", "/v1/intents/rollback", intents_rollback_post,
      { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/network", intent_list, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/network/*", intent_show, { 0 } },
    { API_CONTROLLER, "PUT",  "/v1/intent/network/*", intent_create_one, { 0 } },
    { API_CONTROLLER, "PATCH", "/v1/intent/network/*", intent_change, { 0 } },
    { API_CONTROLLER, "DELETE", "/v1/intent/network/*", intent_delete, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/uplink", intent_list, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/uplink/*", intent_show, { 0 } },
    { API_CONTROLLER, "PUT",  "/v1/intent/uplink/*", intent_create_one, { 0 } },
    { API_CONTROLLER, "PATCH", "/v1/intent/uplink/*", intent_change, { 0 } },
    { API_CONTROLLER, "DELETE", "/v1/intent/uplink/*", intent_delete, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/security-group", intent_list,
      { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/security-group/*", intent_show,
      { 0 } },
    { API_CONTROLLER, "PUT",  "/v1/intent/security-group/*",
      intent_create_one, { 0 } },
    { API_CONTROLLER, "PATCH", "/v1/intent/security-group/*", intent_change,
      { 0 } },
    { API_CONTROLLER, "DELETE", "/v1/intent/security-group/*", intent_delete,
      { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/port", intent_list, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/port/*", intent_show, { 0 } },
    { API_CONTROLLER, "PUT",  "/v1/intent/port/*", intent_create_one, { 0 } },
    { API_CONTROLLER, "PATCH", "/v1/intent/port/*", intent_change, { 0 } },
    { API_CONTROLLER, "DELETE", "/v1/intent/port/*", intent_delete, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/router", intent_list, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/router/*", intent_show, { 0 } },
    { API_CONTROLLER, "PUT",  "/v1/intent/router/*", intent_create_one, { 0 } },
    { API_CONTROLLER, "PATCH", "/v1/intent/router/*", intent_change, { 0 } },
    { API_CONTROLLER, "DELETE", "/v1/intent/router/*", intent_delete, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/forward", intent_list, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/forward/*", intent_show, { 0 } },
    { API_CONTROLLER, "PUT",  "/v1/intent/forward/*", intent_create_one, { 0 } },
    { API_CONTROLLER, "PATCH", "/v1/intent/forward/*", intent_change, { 0 } },
    { API_CONTROLLER, "DELETE", "/v1/intent/forward/*", intent_delete, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/host", intent_list, { 0 } },
    { API_CONTROLLER, "GET",  "/v1/intent/host/*", intent_show, { 0 } },
    { API_CONTROLLER, "PUT",  "/v1/intent/host/*", intent_create_one, { 0 } },
    { API_CONTROLLER, "PATCH", "/v1/intent/host/*", intent_change, { 0 } },
    { API_CONTROLLER, "DELETE", "/v1/intent/host/*", intent_delete, { 0 } },
    { API_SWITCH, NULL, NULL, NULL, { 0 } },
};

/* Those that change tables: not while a bundle does. */
static api_handler *const table_changers[] = {
    flows_change, flows_delete, groups_change, groups_delete,
    meters_change, meters_delete,
};

const struct api_route *
api_routes(void)
{
    return routes;
}

/* Does `path` fit the route's?  Its variable part, if any, goes to `name`. */
static bool
path_fits(const struct api_route *route, const char *path,
          char name[API_MAX_NAME])
{
    size_t len = strlen(route->path);
    const char *rest;

    if (route->path[len - 1] != '*') {
        name[0] = '\0';
        return !strcmp(route->path, path);
    }
    if (strncmp(route->path, path, len - 1)) {
        return false;
    }
    rest = path + len - 1;
    if (!*rest || strchr(rest, '/') || strlen(rest) >= API_MAX_NAME) {
        return false;
    }
    strcpy(name, rest);
    return true;
}

/* What a daemon answers whose switch is another program; and for the rest, who
 * does.  %s is the switch's name. */
static api_handler *const without_switch[] = {
    status_show, ports_list, host_show,
};
static const struct {
    const char *path;             /* begins so */
    const char *command;
} elsewhere[] = {
    { "/v1/trace", "ovs-appctl ofproto/trace %s in_port=PORT,..." },
    { "/v1/flows", "ovs-ofctl -O OpenFlow15 dump-flows %s" },
    { "/v1/groups", "ovs-ofctl -O OpenFlow15 dump-groups %s" },
    { "/v1/meters", "ovs-ofctl -O OpenFlow15 dump-meters %s" },
    { "/v1/ports", "ovs-ofctl -O OpenFlow15 dump-ports %s" },
    { "/v1/capture", "ovs-tcpdump -i PORT" },
    { "/v1/snoop", "ovs-ofctl -O OpenFlow15 snoop %s" },
    { "/v1/fdb", "ovs-appctl fdb/show %s" },
    { "/v1/cache", "ovs-appctl dpctl/dump-flows" },
    { "/v1/drops", "ovs-appctl coverage/show" },
    { "/v1/controllers", "ovs-vsctl get-controller %s" },
    { "/v1/", "ovs-vsctl list bridge %s" },
};

static bool
needs_switch(const struct api_route *route)
{
    for (size_t i = 0; i < ARRAY_SIZE(without_switch); i++) {
        if (without_switch[i] == route->handle) {
            return false;
        }
    }
    return route->owner == API_SWITCH;
}

static void
fail_elsewhere(const struct api *api, const char *path,
               struct api_reply *reply)
{
    struct str hint = STR_INIT;
    const char *hole;
    size_t i = 0;

    while (strncmp(path, elsewhere[i].path, strlen(elsewhere[i].path))) {
        i++;
    }
    hole = strstr(elsewhere[i].command, "%s");
    str_add_bytes(&hint, elsewhere[i].command,
                  hole ? (size_t) (hole - elsewhere[i].command)
                       : strlen(elsewhere[i].command));
    str_addf(&hint, "%s%s", hole ? api->switch_name : "",
             hole ? hole + 2 : "");
    api_fail(reply, API_REFUSED, NULL, str_text(&hint),
             "this daemon drives switch %s, which is another program: ask it",
             api->switch_name);
    str_fini(&hint);
}

static bool
changes_tables(api_handler *handle)
{
    for (size_t i = 0; i < ARRAY_SIZE(table_changers); i++) {
        if (table_changers[i] == handle) {
            return true;
        }
    }
    return false;
}

bool
api_must_wait(const struct api *api, const struct api_request *request)
{
    char name[API_MAX_NAME];

    for (const struct api_route *r = routes; r->method; r++) {
        if (changes_tables(r->handle) && !strcmp(r->method, request->method)
            && path_fits(r, request->path, name)) {
            return api->sw && switch_has_bundle(api->sw);
        }
    }
    return false;
}

enum api_owner
api_owner(const char *path)
{
    char name[API_MAX_NAME];

    for (const struct api_route *r = routes; r->method; r++) {
        if (path_fits(r, path, name)) {
            return r->owner;
        }
    }
    return API_SWITCH;
}

static bool
params_known(const struct api_route *route, const struct api_request *request,
             struct api_reply *reply)
{
    for (unsigned int i = 0; i < request->n_params; i++) {
        const char *name = request->params[i].name;
        bool is_known = false;

        for (unsigned int j = 0; route->params[j]; j++) {
            is_known |= !strcmp(name, route->params[j]);
        }
        if (!is_known) {
            const char *near = str_nearest(name, route->params);

            api_fail(reply, API_BAD_REQUEST, name, near,
                     "%s has no parameter '%s'", route->path, name);
            return false;
        }
    }
    return true;
}

void
api_dispatch(struct api *api, struct api_request *request, msec now,
             struct api_reply *reply)
{
    bool path_exists = false;

    if (reply->relay.go_on) {
        api_handler *go_on = reply->relay.go_on;

        reply->relay.go_on = NULL;
        go_on(api, request, now, reply);
        return;
    }
    for (const struct api_route *r = routes; r->method; r++) {
        if (!path_fits(r, request->path, request->name)) {
            continue;
        }
        path_exists = true;
        if (strcmp(r->method, request->method)) {
            continue;
        }
        if (!api->sw && needs_switch(r)) {
            fail_elsewhere(api, r->path, reply);
        } else if (params_known(r, request, reply)) {
            r->handle(api, request, now, reply);
        }
        return;
    }
    if (path_exists) {
        api_fail(reply, API_BAD_METHOD, "method", NULL,
                 "%s cannot be used on %s", request->method, request->path);
    } else {
        api_fail(reply, API_NOT_FOUND, "path", "weft help",
                 "there is nothing at %s", request->path);
    }
}

void
api_run_job(struct api_reply *reply)
{
    struct api_job *job = reply->job;

    job->run(job, reply);
    reply->job = NULL;
    job->destroy(job);
}

struct switch_port *
api_find_port(struct api *api, const char *text, const char *where,
              struct api_reply *reply)
{
    size_t n_digits = strspn(text, "0123456789");
    struct switch_port *port = NULL;
    struct str hint = STR_INIT;
    const char **names;
    const char *near;
    size_t n = 0;

    if (*text && !text[n_digits] && n_digits < 6) {
        port = switch_port_by_number(api->sw,
                                     (uint32_t) strtoul(text, NULL, 10));
    } else {
        port = switch_port_by_name(api->sw, text);
    }
    if (!port && !strcasecmp(text, "LOCAL")) {
        port = switch_port_by_number(api->sw, OFPP_LOCAL);
    }
    if (port) {
        return port;
    }

    names = xcalloc(DP_MAX_PORTS + 1, sizeof *names);
    for (const struct switch_port *p = switch_next_port(api->sw, NULL);
         p && n < DP_MAX_PORTS; p = switch_next_port(api->sw, p)) {
        names[n++] = p->port->config.name;
    }
    near = str_nearest(text, names);
    if (near) {
        str_addf(&hint, "did you mean '%s'?", near);
    } else {
        str_add(&hint, "weft port list");
    }
    api_fail(reply, API_NOT_FOUND, where, str_text(&hint),
             "there is no port '%s'", text);
    str_fini(&hint);
    free(names);
    return NULL;
}

void
api_fail_of(struct api_reply *reply, enum of_error error, const char *where,
            const char *why)
{
    static const struct {
        enum of_error of;
        enum api_error api;
    } others[] = {
        { OF_FLOW_MOD_FAILED_TABLE_FULL, API_FULL },
        { OF_GROUP_MOD_FAILED_OUT_OF_GROUPS, API_FULL },
        { OF_METER_MOD_FAILED_OUT_OF_METERS, API_FULL },
        { OF_FLOW_MOD_FAILED_OVERLAP, API_CONFLICT },
        { OF_GROUP_MOD_FAILED_GROUP_EXISTS, API_CONFLICT },
        { OF_GROUP_MOD_FAILED_BUCKET_EXISTS, API_CONFLICT },
        { OF_GROUP_MOD_FAILED_CHAINED_GROUP, API_CONFLICT },
        { OF_METER_MOD_FAILED_METER_EXISTS, API_CONFLICT },
        { OF_GROUP_MOD_FAILED_UNKNOWN_GROUP, API_NOT_FOUND },
        { OF_METER_MOD_FAILED_UNKNOWN_METER, API_NOT_FOUND },
    };
    enum api_error code = API_REFUSED;

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (others[i].of == error) {
            code = others[i].api;
        }
    }
    if (*why) {
        api_fail(reply, code, where, NULL, "%s: %s", of_error_text(error),
                 why);
    } else {
        api_fail(reply, code, where, NULL, "%s", of_error_text(error));
    }
}

void
api_fail_errno(struct api_reply *reply, int err, const char *where,
               const char *why)
{
    enum api_error code = err == -EINVAL ? API_BAD_REQUEST
                          : err == -EEXIST || err == -EBUSY ? API_CONFLICT
                          : err == -ENOMEM ? API_INTERNAL
                                           : API_REFUSED;

    api_fail(reply, code, where, NULL, "%s", *why ? why : strerror(-err));
}

void
port_names_init(struct port_names *names, struct api *api)
{
    unsigned int size = 0;

    names->n = 0;
    names->list = NULL;
    for (const struct switch_port *p = switch_next_port(api->sw, NULL); p;
         p = switch_next_port(api->sw, p)) {
        if (names->n == size) {
            size = size ? size * 2 : 64;
            names->list = xrealloc(names->list, size * sizeof *names->list);
        }
        names->list[names->n].id = port_id(p->number);
        memcpy(names->list[names->n].name, p->port->config.name,
               PORT_NAME_MAX);
        names->n++;
    }
}

void
port_names_fini(struct port_names *names)
{
    free(names->list);
    names->list = NULL;
}

static int
compare_ids(const void *key, const void *entry)
{
    uint32_t id = *(const uint32_t *) key;
    uint32_t other = ((const struct port_name *) entry)->id;

    return id < other ? -1 : id > other;
}

const char *
port_names_find(void *aux, uint32_t id)
{
    const struct port_names *names = aux;
    const struct port_name *found;

    if (!names->n) {
        return NULL;
    }
    found = bsearch(&id, names->list, names->n, sizeof *names->list,
                    compare_ids);
    return found ? found->name : NULL;
}
