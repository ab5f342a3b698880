/* The switch's side of held ports: who is told, and what is forgotten. */
#include "lib/log.h"
#include "switch/port_hold.h"
#include "switch/switch_impl.h"

void
switch_hold_port(void *sw_, struct fdb_key station, uint32_t port,
                 uint32_t home)
{
    struct switch_ *sw = sw_;

    if (port_holds_begin(sw->holds, port, home, station)
        && sw->config.wake) {
        sw->config.wake(sw->config.wake_aux);
    }
}

static const char *
name_of(const struct switch_ *sw, uint32_t id)
{
    const struct switch_port *port = switch_port_by_number(sw,
                                                           port_number(id));

    return port ? port->port->config.name : "that is gone";
}

static void
format(const struct switch_ *sw, const struct port_hold *hold,
       struct str *text)
{
    const uint8_t *mac = hold->station.mac.b;

    str_addf(text, "port '%s' is held for %lld s: station %02x:%02x:%02x:%02x:"
             "%02x:%02x ", name_of(sw, hold->port),
             (long long) hold->length / 1000, mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    if (hold->station.vid) {
        str_addf(text, "of VLAN %u ", hold->station.vid);
    }
    str_addf(text, "moved more than %u times in %d s between it and port "
             "'%s'; there is a loop, or two stations have one address",
             sw->config.fdb_max_moves, FDB_MOVE_WINDOW_MS / 1000,
             name_of(sw, hold->kept));
}

static void
hold_changed(void *sw_, const struct port_hold *hold)
{
    struct switch_ *sw = sw_;
    struct own_port *port = sw->ports[hold->port];

    if (!port) {
        return;
    }
    port->public.is_held = !hold->is_over;
    if (hold->is_over) {
        log_info("switch", "port '%s' is not held any more",
                 name_of(sw, hold->port));
    } else {
        struct str text = STR_INIT;

        format(sw, hold, &text);
        log_warn("switch", "%s", str_text(&text));
        str_fini(&text);
        /* Frames went round: any station may seem to be where it is not. */
        fdb_flush(sw->fdb, 0, -1, NULL);
    }
    switch_drop_answers(sw);
    switch_tell_port(sw, SWITCH_PORT_CHANGED, port);
}

msec
switch_run_holds(struct switch_ *sw, msec now)
{
    return port_holds_run(sw->holds, now, hold_changed, sw);
}

msec
switch_port_hold(const struct switch_ *sw, uint32_t number, struct str *text)
{
    const struct port_hold *hold = port_holds_find(sw->holds,
                                                   port_id(number));

    if (!hold) {
        return 0;
    }
    format(sw, hold, text);
    return hold->until;
}
