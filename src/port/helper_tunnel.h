/* The helper's half of the requests about tunnels' sockets: it keeps them for the
 * next main, so that a restart loses nothing of what arrives.  For
 * helper_server.c. */
#ifndef WEFT_PORT_HELPER_TUNNEL_H
#define WEFT_PORT_HELPER_TUNNEL_H

#include "port/helper_proto.h"

struct helper_tunnels;

struct helper_tunnels *helper_tunnels_create(void);
void helper_tunnels_destroy(struct helper_tunnels *);

/* A new main begins to ask. */
void helper_tunnels_begin(struct helper_tunnels *);
/* fds and n_fds of the result are those that are kept here. */
int helper_tunnels_open(struct helper_tunnels *,
                        const struct tunnel_socket_spec *,
                        struct helper_device *result, struct str *error);
int helper_tunnels_release(struct helper_tunnels *, uint32_t handle);
/* What this main has not asked for goes. */
void helper_tunnels_settle(struct helper_tunnels *);

#endif
