#include "host/plug.h"

#include "switch/switch.h"

static int
plug_in(void *sw, const struct port_config *config, struct str *error)
{
    struct switch_port *port;

    return switch_add_port(sw, config, 0, &port, error);
}

static int
plug_out(void *sw, const char *name)
{
    const struct switch_port *port = switch_port_by_name(sw, name);

    return port ? switch_delete_port(sw, port->number) : -ENOENT;
}

static int
plug_check(void *sw, const char *name, struct str *why UNUSED)
{
    const struct switch_port *port = switch_port_by_name(sw, name);

    if (!port) {
        return -ENOENT;
    }
    /* A leg of the host that was set down stands in for nothing. */
    return port_is_up(port->port)
           && (port_has_link(port->port)
               || strcmp(port->port->config.type, "internal"))
           ? 0 : -ENODEV;
}

static int
plug_configure(void *sw, const struct port_config *config, struct str *error)
{
    const struct switch_port *port = switch_port_by_name(sw, config->name);

    return port ? port_configure(port->port, config, error) : -ENOENT;
}

struct plug
plug_switch(struct switch_ *sw)
{
    return (struct plug) { plug_in, plug_out, plug_check, plug_configure,
                           sw, switch_config(sw)->datapath.n_workers };
}
