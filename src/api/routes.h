/* What can be asked: the API on one page, in routes.c. */
#ifndef WEFT_API_ROUTES_H
#define WEFT_API_ROUTES_H

#include "api/api.h"

typedef void api_handler(struct api *, struct api_request *, msec now,
                         struct api_reply *);

struct api_route {
    enum api_owner owner; /* whose thread handles it */
    const char *method;
    const char *path;             /* a last part "*" is request->name */
    api_handler *handle;
    const char *params[API_MAX_PARAMS];   /* known ones, NULL ends */
};

/* The row with a NULL method ends the table. */
const struct api_route *api_routes(void);

/* ---- Handlers, by file ---- */

api_handler ports_list, ports_add, ports_show, ports_set, ports_delete;
api_handler flows_list, flows_change, flows_delete;
api_handler groups_list, groups_change, groups_delete;
api_handler meters_list, meters_change, meters_delete;
api_handler controllers_list, controllers_set, controllers_delete;
api_handler fdb_list, fdb_flush_some;
api_handler connections_list, connections_flush, connections_count;
api_handler cache_list, drops_show;
api_handler status_show, switch_show, barrier_post, metrics_show;
api_handler leases_list, multicast_list, peers_show, controller_uplinks;
api_handler controller_tunnels;
api_handler controller_show, controller_ports, host_show;
api_handler explain_show, security_groups_show;
api_handler intents_show, intents_put, intents_confirm_post;
api_handler intents_rollback_post;
api_handler intent_list, intent_show, intent_create_one, intent_change;
api_handler intent_delete;
api_handler trace_run, capture_begin, snoop_begin;

/* ---- What several of them need ---- */

/* A port by number or name; NULL: `reply` failed, naming the nearest. */
struct switch_port *api_find_port(struct api *, const char *text,
                                  const char *where, struct api_reply *);
/* The refusal that an OpenFlow error is; `item` is what was refused. */
void api_fail_of(struct api_reply *, enum of_error, const char *where,
                 const char *why);
/* False: the refusal says that the daemon is a switch only. */
bool api_has_controller(const struct api *, struct api_reply *);
/* The refusal that an errno of a port's device is. */
void api_fail_errno(struct api_reply *, int err, const char *where,
                    const char *why);

/* Of a packet to be traced.  A TTL that is not written is nobody's question;
 * zero would end every trace at the first router. */
void api_set_ttls(struct match *packet);

/* Names of ports as they were when it was made: jobs cannot ask the switch. */
struct port_names {
    unsigned int n;
    struct port_name {
        uint32_t id;
        char name[PORT_NAME_MAX];
    } *list;                      /* by id */
};
void port_names_init(struct port_names *, struct api *);
void port_names_fini(struct port_names *);
/* NULL when there is none.  `aux` is a struct port_names. */
const char *port_names_find(void *aux, uint32_t id);

#endif
