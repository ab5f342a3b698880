#include "port/helper_tunnel.h"

#include <stdlib.h>
#include <unistd.h>

static_assert((int) PORT_MAX_QUEUES >= (int) TUNNEL_MAX_QUEUES
              && (int) PORT_MAX_QUEUES >= (int) TUNNEL_GRE_N,
              "they travel together");

struct held_tunnel {
    struct held_tunnel *next;
    unsigned int generation;      /* of the main that asked for it */
    struct tunnel_socket_spec spec;
    struct helper_device opened;
};

struct helper_tunnels {
    struct held_tunnel *list;
    unsigned int generation;
    uint32_t last_handle;
};

struct helper_tunnels *
helper_tunnels_create(void)
{
    return xzalloc(sizeof(struct helper_tunnels));
}

static void
drop(struct held_tunnel **place)
{
    struct held_tunnel *tunnel = *place;

    *place = tunnel->next;
    for (unsigned int i = 0; i < tunnel->opened.n_fds; i++) {
        close(tunnel->opened.fds[i]);
    }
    free(tunnel);
}

void
helper_tunnels_destroy(struct helper_tunnels *tunnels)
{
    while (tunnels->list) {
        drop(&tunnels->list);
    }
    free(tunnels);
}

void
helper_tunnels_begin(struct helper_tunnels *tunnels)
{
    tunnels->generation++;
}

void
helper_tunnels_settle(struct helper_tunnels *tunnels)
{
    struct held_tunnel **place = &tunnels->list;

    while (*place) {
        if ((*place)->generation != tunnels->generation) {
            drop(place);
        } else {
            place = &(*place)->next;
        }
    }
}

static const char *
find_fault(const struct tunnel_socket_spec *spec)
{
    return spec->is_gre > 1 || spec->is_ip6 > 1 || spec->is_group > 1
             ? "kind of tunnel"
           : !spec->n_queues || spec->n_queues > TUNNEL_MAX_QUEUES
             ? "number of queues"
           /* The others are services' of the host, not a tunnel's. */
           : !spec->is_gre && spec->port < IPPORT_RESERVED ? "port" : NULL;
}

/* The sockets of the very same request, if they are an earlier main's. */
static struct held_tunnel *
find_inherited(struct helper_tunnels *tunnels,
               const struct tunnel_socket_spec *spec)
{
    struct held_tunnel *tunnel = tunnels->list;

    while (tunnel && (tunnel->generation == tunnels->generation
                      || memcmp(&tunnel->spec, spec, sizeof *spec))) {
        tunnel = tunnel->next;
    }
    return tunnel;
}

int
helper_tunnels_open(struct helper_tunnels *tunnels,
                    const struct tunnel_socket_spec *spec,
                    struct helper_device *result, struct str *error)
{
    const char *fault = find_fault(spec);
    struct held_tunnel *tunnel;
    int err;

    if (fault) {
        str_setf(error, "bad %s", fault);
        return -EINVAL;
    }
    tunnel = find_inherited(tunnels, spec);
    if (!tunnel) {
        tunnel = xzalloc(sizeof *tunnel);
        err = tunnel_sockets_open(spec, tunnel->opened.fds, error);
        if (err) {
            free(tunnel);
            return err;
        }
        tunnel->spec = *spec;
        tunnel->opened.n_fds = tunnel_sockets_count(spec);
        tunnel->opened.handle = ++tunnels->last_handle;
        tunnel->next = tunnels->list;
        tunnels->list = tunnel;
    }
    tunnel->generation = tunnels->generation;
    *result = tunnel->opened;
    return 0;
}

int
helper_tunnels_release(struct helper_tunnels *tunnels, uint32_t handle)
{
    for (struct held_tunnel **place = &tunnels->list; *place;
         place = &(*place)->next) {
        if ((*place)->opened.handle == handle) {
            drop(place);
            return 0;
        }
    }
    return -ENOENT;
}
