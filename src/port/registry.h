/* The registry: where ports find those with whom they share something.
 *
 * One for all ports that may meet; port_env has it.  Control thread. */
#ifndef WEFT_PORT_REGISTRY_H
#define WEFT_PORT_REGISTRY_H

struct pair;
struct tunnel_endpoint;
struct underlay;

struct port_registry {
    struct pair *pairs;                   /* pair.h */
    struct tunnel_endpoint *endpoints;    /* tunnel_endpoint.h */
    struct underlay *underlays;           /* underlay.h */
};

struct port_registry *port_registry_create(void);
/* Every port must have left. */
void port_registry_destroy(struct port_registry *);

#endif
