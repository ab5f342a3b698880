#include "controller/port_meter.h"

#include "controller/stage.h"

enum { BURST_MIN_KBIT = 1536 };   /* three super-frames */

/* The strictest of its networks: a port has one meter for all of them. */
static uint32_t
storm_cap(const struct topology_port *port)
{
    uint32_t cap = 0;

    for (unsigned int i = 0; i < port->n_members; i++) {
        uint32_t one = port->members[i].network->intent->storm_cap;

        cap = one && (!cap || one < cap) ? one : cap;
    }
    return cap;
}

/* What may go round gets little at once: a loop is to be cut before it has
 * multiplied a thousand frames. */
static struct port_meter
storm_meter(uint32_t number, uint32_t cap, bool may_go_round)
{
    return (struct port_meter) {
        METER_STORM + number, METER_PKTPS | METER_BURST, cap,
        may_go_round ? MAX(cap / 5, 1u) : cap,
    };
}

static struct port_meter
rate_meter(uint32_t id, uint64_t bits)
{
    uint64_t kbit = MAX(bits / 1000, (uint64_t) 1);

    kbit = MIN(kbit, (uint64_t) UINT32_MAX);
    return (struct port_meter) {
        id, METER_KBPS | METER_BURST, (uint32_t) kbit,
        (uint32_t) MAX(kbit / 10, (uint64_t) BURST_MIN_KBIT),
    };
}

unsigned int
port_meters(const struct topology_port *port,
               struct port_meter out[PORT_MAX_METERS])
{
    uint32_t cap = storm_cap(port);
    unsigned int n = 0;

    if (!port->number) {
        return 0;
    }
    if (cap) {
        out[n++] = storm_meter(port->number, cap, port->intent->is_spoof_ok);
    }
    if (port->intent->rate_out) {
        out[n++] = rate_meter(METER_RATE_OUT + port->number,
                              port->intent->rate_out);
    }
    if (port->intent->rate_in) {
        out[n++] = rate_meter(METER_RATE_IN + port->number,
                              port->intent->rate_in);
    }
    return n;
}

unsigned int
uplink_meters(const struct topology_uplink *uplink,
              struct port_meter out[PORT_MAX_METERS])
{
    if (!uplink->number) {
        return 0;
    }
    out[0] = storm_meter(uplink->number, UPLINK_STORM_CAP, true);
    return 1;
}

static_assert((int) PORT_MAX_METERS
              >= (int) N_SEGMENT_TYPES - (int) SEGMENT_VXLAN,
              "each type of tunnel has a meter: tunnel_meters()");

unsigned int
tunnel_meters(const struct topology *t,
              struct port_meter out[PORT_MAX_METERS])
{
    unsigned int n = 0;

    for (enum segment_type type = SEGMENT_VXLAN; type < N_SEGMENT_TYPES;
         type++) {
        uint32_t number = topology_tunnel(t, type);

        if (number) {
            out[n++] = (struct port_meter) {
                METER_PROBE + number, METER_PKTPS | METER_BURST, PROBE_CAP,
                PROBE_CAP,
            };
        }
    }
    return n;
}

bool
port_meter_equal(const struct port_meter *a, const struct port_meter *b)
{
    return a->id == b->id && a->flags == b->flags && a->rate == b->rate
           && a->burst == b->burst;
}

void
port_meter_to_mod(const struct port_meter *meter,
                  enum meter_mod_command command, struct meter_mod *mod)
{
    *mod = (struct meter_mod) {
        .command = command, .id = meter->id, .flags = meter->flags,
        .n_bands = 1,
        .bands = { { .type = METER_BAND_DROP, .rate = meter->rate,
                     .burst_size = meter->burst } },
    };
}

struct port_meter
port_meter_from_mod(const struct meter_mod *mod)
{
    /* Whether it counts is the switch's own matter. */
    struct port_meter meter = {
        .id = mod->id, .flags = mod->flags & ~(unsigned int) METER_STATS,
    };

    if (mod->n_bands == 1 && mod->bands[0].type == METER_BAND_DROP) {
        meter.rate = mod->bands[0].rate;
        meter.burst = mod->bands[0].burst_size;
    }
    return meter;
}
