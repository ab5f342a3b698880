/* What a router may say. */

#include "intent/router.h"

#include <stdlib.h>

#include "intent/network.h"
#include "intent/validate.h"
#include "intent/value.h"
#include "packet/address.h"

/* ---- networks: [blue, red] ---- */

static int
compare_networks(const void *a, const void *b)
{
    return strcmp(((const struct router_network *) a)->name,
                  ((const struct router_network *) b)->name);
}

static bool
parse_network(struct intent_router *router, const struct node *node,
              struct diagnostics *diagnostics)
{
    static const struct member name = {
        .type = &value_name, .size = sizeof router->networks[0].name,
    };
    struct router_network *network = &router->networks[router->n_networks];

    if (!value_name.parse(&name, node, network->name, diagnostics)) {
        return false;
    }
    for (unsigned int i = 0; i < router->n_networks; i++) {
        if (!strcmp(router->networks[i].name, network->name)) {
            node_error(node, diagnostics, "'%s' is there twice",
                       network->name);
            return false;
        }
    }
    router->n_networks++;
    return true;
}

static bool
parse_networks(const struct member *member UNUSED, const struct node *node,
               void *value, struct diagnostics *diagnostics)
{
    struct intent_router *router = value;
    bool good = true;

    router->networks = xcalloc(ROUTER_MAX_NETWORKS,
                               sizeof router->networks[0]);
    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        if (router->n_networks == ROUTER_MAX_NETWORKS) {
            node_error(item, diagnostics, "more than %d networks",
                       ROUTER_MAX_NETWORKS);
            return false;
        }
        good &= parse_network(router, item, diagnostics);
    }
    qsort(router->networks, router->n_networks, sizeof router->networks[0],
          compare_networks);
    return good;
}

static json_t *
format_networks(const struct member *member UNUSED, const void *value)
{
    const struct intent_router *router = value;
    json_t *list = json_array();

    for (unsigned int i = 0; i < router->n_networks; i++) {
        json_array_append_new(list, json_string(router->networks[i].name));
    }
    return list;
}

static json_t *
schema_networks(const struct member *member UNUSED)
{
    return schema_list(json_pack("{s:s}", "$ref", "#/$defs/name"),
                       ROUTER_MAX_NETWORKS);
}

static const struct value_type value_networks = {
    "a list of networks like [blue, red]", parse_networks, format_networks,
    schema_networks,
};

/* ---- routes: [{to: 10.9.0.0/16, via: 10.1.0.77}] ---- */

struct route_value {
    uint64_t given;
    struct router_route to, via;
};

static bool
parse_to(const struct member *member, const struct node *node, void *value,
         struct diagnostics *diagnostics)
{
    struct router_route *route = value;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    return strchr(node->text, ':')
           ? value_subnet6.parse(member, node, &route->to6, diagnostics)
           : value_subnet4.parse(member, node, &route->to, diagnostics);
}

static json_t *
format_to(const struct member *member, const void *value)
{
    const struct router_route *route = value;

    return route->to.is_set ? value_subnet4.format(member, &route->to)
                            : value_subnet6.format(member, &route->to6);
}

static json_t *
schema_to(const struct member *member UNUSED)
{
    return schema_text(PATTERN_IP4 "/[0-9]{1,2}|" PATTERN_IP6 "/[0-9]{1,3}");
}

static const struct value_type value_to = {
    "a network like 10.9.0.0/16 or fd00:9::/48", parse_to, format_to,
    schema_to,
};

static bool
parse_via(const struct member *member, const struct node *node, void *value,
          struct diagnostics *diagnostics)
{
    struct router_route *route = value;

    if (!value_is_scalar(node, member->type->what, diagnostics)) {
        return false;
    }
    return strchr(node->text, ':')
           ? value_ip6.parse(member, node, &route->via6, diagnostics)
           : value_ip4.parse(member, node, &route->via, diagnostics);
}

static json_t *
format_via(const struct member *member, const void *value)
{
    const struct router_route *route = value;

    return route->via ? value_ip4.format(member, &route->via)
                      : value_ip6.format(member, &route->via6);
}

static json_t *
schema_via(const struct member *member UNUSED)
{
    return schema_text(PATTERN_IP4 "|" PATTERN_IP6);
}

static const struct value_type value_via = {
    "an address", parse_via, format_via, schema_via,
};

static const struct member route_members[] = {
    { .name = "to", .type = &value_to, MEMBER_AT(route_value, to),
      .is_required = true, .doc = "network that the route leads to" },
    { .name = "via", .type = &value_via, MEMBER_AT(route_value, via),
      .is_required = true,
      .doc = "the next router, an address within a network that is joined" },
    { 0 },
};

static bool
parse_routes(const struct member *member UNUSED, const struct node *node,
             void *value, struct diagnostics *diagnostics)
{
    struct intent_router *router = value;

    router->routes = xcalloc(ROUTER_MAX_ROUTES, sizeof router->routes[0]);
    for (const struct node *item = value_first_item(node); item;
         item = value_next_item(node, item)) {
        struct route_value route = { 0 };

        if (router->n_routes == ROUTER_MAX_ROUTES) {
            node_error(item, diagnostics, "more than %d routes",
                       ROUTER_MAX_ROUTES);
            return false;
        }
        if (!members_parse(route_members, "a route", item, &route,
                           &route.given, NULL, diagnostics)) {
            return false;
        }
        if (route.to.to.is_set != (route.via.via != 0)) {
            node_error(item, diagnostics,
                       "'to' and 'via' are of one family, IPv4 or IPv6");
            return false;
        }
        router->routes[router->n_routes++] = (struct router_route) {
            route.to.to, route.to.to6, route.via.via, route.via.via6,
        };
    }
    return true;
}

static json_t *
format_routes(const struct member *member UNUSED, const void *value)
{
    const struct intent_router *router = value;
    json_t *list;

    if (!router->n_routes) {
        return NULL;
    }
    list = json_array();
    for (unsigned int i = 0; i < router->n_routes; i++) {
        struct route_value route = { 3, router->routes[i],
                                     router->routes[i] };

        json_array_append_new(list, members_format(route_members, &route,
                                                   route.given));
    }
    return list;
}

static json_t *
schema_routes(const struct member *member UNUSED)
{
    return schema_list(members_schema(route_members), ROUTER_MAX_ROUTES);
}

static const struct value_type value_routes = {
    "a list like [{to: 10.9.0.0/16, via: 10.1.0.77}]", parse_routes,
    format_routes, schema_routes,
};

/* ---- The table ---- */

static const struct member members[] = {
    { .name = "networks", .type = &value_networks, .effect = EFFECT_FLOWS,
      .is_required = true,
      .doc = "networks that it joins: their ports reach each other" },
    { .name = "routes", .type = &value_routes, .effect = EFFECT_FLOWS,
      .doc = "what is reached by another router, like "
             "{to: 10.9.0.0/16, via: 10.1.0.77}" },
    { 0 },
};

static void
fini(struct intent_object *object)
{
    struct intent_router *router = CONTAINER_OF(object, struct intent_router,
                                                object);

    free(router->networks);
    free(router->routes);
}

static void
unshare(struct intent_object *object)
{
    struct intent_router *router = CONTAINER_OF(object, struct intent_router,
                                                object);

    if (router->networks) {
        router->networks = xmemdup(router->networks,
                                   MAX(router->n_networks, 1u)
                                   * sizeof router->networks[0]);
    }
    if (router->routes) {
        router->routes = xmemdup(router->routes,
                                 MAX(router->n_routes, 1u)
                                 * sizeof router->routes[0]);
    }
}

static unsigned int
references(struct intent_object *object,
           struct reference found[NOUN_MAX_REFERENCES])
{
    struct intent_router *router = CONTAINER_OF(object, struct intent_router,
                                                object);

    static_assert((int) ROUTER_MAX_NETWORKS <= (int) NOUN_MAX_REFERENCES,
                  "all of them are named");
    for (unsigned int i = 0; i < router->n_networks; i++) {
        found[i] = (struct reference) {
            INTENT_NETWORK, router->networks[i].name,
            &router->networks[i].network, "networks",
        };
    }
    return router->n_networks;
}

/* ---- Does it hold together? ---- */

static bool
has_gateway6(const struct intent_network *network)
{
    return ip6_addr_is_set(network->gateway6);
}

static void
check_pair(const struct intent_router *router, const struct intent_network *a,
           const struct intent_network *b, struct validation *v)
{
    bool is_v4 = intent_networks_overlap4(a, b);
    char one[ADDRESS_TEXT_SIZE], other[ADDRESS_TEXT_SIZE];

    if (!intent_networks_overlap(a, b)) {
        return;
    }
    if (is_v4) {
        ip4_format(a->subnet.addr, one);
        ip4_format(b->subnet.addr, other);
    } else {
        ip6_format(a->subnet6.addr, one);
        ip6_format(b->subnet6.addr, other);
    }
    validation_error(v, &router->object, "networks",
                     "%s/%u of network '%s' overlaps %s/%u of network '%s'",
                     one, is_v4 ? a->subnet.len : a->subnet6.len,
                     a->object.name, other,
                     is_v4 ? b->subnet.len : b->subnet6.len,
                     b->object.name);
}

static void
check_networks(const struct intent_router *router, struct validation *v)
{
    const struct intent_object *object = &router->object;

    if (!router->n_networks) {
        validation_error(v, object, "networks",
                         "a router joins one network at least");
    }
    for (unsigned int i = 0; i < router->n_networks; i++) {
        const struct intent_network *network = router->networks[i].network;

        validation_claim(v, object, "networks", "network '%s'",
                         router->networks[i].name);
        if (!network) {
            continue;
        }
        if (!network->gateway && !has_gateway6(network)) {
            validation_error(v, object, "networks",
                             "network '%s' has no gateway: give it a subnet",
                             network->object.name);
        }
        for (unsigned int k = 0; k < i; k++) {
            if (router->networks[k].network) {
                check_pair(router, router->networks[k].network, network, v);
            }
        }
    }
}

static bool
is_in(const struct intent_network *network, const struct router_route *route)
{
    return route->via
           ? network->subnet.is_set && network->gateway
             && ip4_is_within(route->via, network->subnet.addr,
                              network->subnet.len)
           : network->subnet6.is_set && has_gateway6(network)
             && ip6_is_within(route->via6, network->subnet6.addr,
                              network->subnet6.len);
}

const struct intent_network *
router_network_of(const struct intent_router *router,
                  const struct router_route *route)
{
    for (unsigned int i = 0; i < router->n_networks; i++) {
        const struct intent_network *network = router->networks[i].network;

        if (network && is_in(network, route)) {
            return network;
        }
    }
    return NULL;
}

static bool
is_own(const struct intent_network *network, const struct router_route *route)
{
    return route->via ? network->subnet.is_set
                        && network->subnet.addr == route->to.addr
                        && network->subnet.len == route->to.len
                      : network->subnet6.is_set
                        && ip6_addr_eq(network->subnet6.addr,
                                       route->to6.addr)
                        && network->subnet6.len == route->to6.len;
}

static bool
is_same_way(const struct router_route *a, const struct router_route *b)
{
    return a->via ? b->via && a->to.addr == b->to.addr
                    && a->to.len == b->to.len
                  : !b->via && ip6_addr_eq(a->to6.addr, b->to6.addr)
                    && a->to6.len == b->to6.len;
}

static void
check_route(const struct intent_router *router, unsigned int i,
            struct validation *v)
{
    const struct intent_object *object = &router->object;
    const struct router_route *route = &router->routes[i];
    const struct intent_network *network = router_network_of(router, route);
    char to[ADDRESS_TEXT_SIZE], via[ADDRESS_TEXT_SIZE];
    unsigned int len = route->via ? route->to.len : route->to6.len;

    if (route->via) {
        ip4_format(route->to.addr, to);
        ip4_format(route->via, via);
    } else {
        ip6_format(route->to6.addr, to);
        ip6_format(route->via6, via);
    }
    if (!network) {
        validation_error(v, object, "routes",
                         "%s/%u: %s is in none of the router's networks", to,
                         len, via);
    } else if (route->via ? route->via == network->gateway
                          : ip6_addr_eq(route->via6, network->gateway6)) {
        validation_error(v, object, "routes",
                         "%s/%u: %s is the router itself, in network '%s'",
                         to, len, via, network->object.name);
    }
    for (unsigned int k = 0; k < i; k++) {
        if (is_same_way(&router->routes[k], route)) {
            validation_error(v, object, "routes", "%s/%u is there twice", to,
                             len);
        }
    }
    for (unsigned int k = 0; k < router->n_networks; k++) {
        const struct intent_network *own = router->networks[k].network;

        if (own && is_own(own, route)) {
            validation_error(v, object, "routes",
                             "%s/%u is network '%s', which the router joins",
                             to, len, own->object.name);
        }
    }
}

static void
check(const struct intent_object *object, struct validation *v)
{
    const struct intent_router *router = intent_router_cast(object);

    check_networks(router, v);
    for (unsigned int i = 0; i < router->n_routes; i++) {
        check_route(router, i, v);
    }
}

const struct noun router_noun = {
    .doc = "joins networks",
    .size = sizeof(struct intent_router),
    .members = members,
    .fini = fini,
    .unshare = unshare,
    .references = references,
    .check = check,
};
