/* Ports as OpenFlow describes them. */
#include <stdio.h>

#include "switch/control_impl.h"

static uint32_t
speed_feature(uint32_t mbps)
{
    static const struct {
        uint32_t mbps, feature;
    } speeds[] = {
        { 10, PORT_10MB_FD }, { 100, PORT_100MB_FD }, { 1000, PORT_1GB_FD },
        { 10000, PORT_10GB_FD }, { 40000, PORT_40GB_FD },
        { 100000, PORT_100GB_FD }, { 1000000, PORT_1TB_FD },
    };

    for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
        if (speeds[i].mbps == mbps) {
            return speeds[i].feature;
        }
    }
    return mbps ? PORT_OTHER : 0;
}

void
control_describe_port(const struct switch_port *sp, struct of_port_desc *desc)
{
    const struct port *port = sp->port;

    *desc = (struct of_port_desc) {
        .number = sp->number,
        .hw_addr = port->mac,
        .config = (sp->admin_down ? PORT_CONFIG_DOWN : 0u)
                  | (sp->no_recv ? PORT_CONFIG_NO_RECV : 0u)
                  | (sp->no_recv_stp ? PORT_CONFIG_NO_RECV_STP : 0u)
                  | (sp->no_flood ? PORT_CONFIG_NO_FLOOD : 0u)
                  | (sp->no_fwd ? PORT_CONFIG_NO_FWD : 0u)
                  | (sp->no_packet_in ? PORT_CONFIG_NO_PACKET_IN : 0u),
        .state = (sp->is_up ? PORT_STATE_LIVE : PORT_STATE_LINK_DOWN)
                 | (sp->is_held ? PORT_STATE_BLOCKED : 0u),
        .curr = speed_feature(port->speed_mbps),
        .curr_speed = port->speed_mbps * 1000,
        .max_speed = port->speed_mbps * 1000,
    };
    snprintf(desc->name, sizeof desc->name, "%.15s", port->config.name);
}

void
control_port_stats(const struct switch_port *sp, struct of_port_stats *stats)
{
    const struct port_counters *c = &sp->port->counters;

    *stats = (struct of_port_stats) {
        .number = sp->number,
        .rx_packets = atomic_load(&c->rx_packets),
        .tx_packets = atomic_load(&c->tx_packets),
        .rx_bytes = atomic_load(&c->rx_bytes),
        .tx_bytes = atomic_load(&c->tx_bytes),
        .rx_dropped = atomic_load(&c->rx_dropped),
        .tx_dropped = atomic_load(&c->tx_dropped),
        .rx_errors = atomic_load(&c->rx_errors),
        .tx_errors = atomic_load(&c->tx_errors),
        .rx_frame_err = UINT64_MAX, .rx_over_err = UINT64_MAX,
        .rx_crc_err = UINT64_MAX, .collisions = UINT64_MAX,
    };
}

/* 1.0 tells the spanning tree's frames apart, and knows no error for what a
 * switch cannot do; NO_STP is nothing to one that has no spanning tree. */
static uint32_t
of10_mask(uint32_t mask)
{
    return mask & ~(uint32_t) PORT_CONFIG_NO_STP;
}

/* Elsewhere NO_RECV is about every frame. */
static uint32_t
with_stp(uint32_t config)
{
    return config & PORT_CONFIG_NO_RECV ? config | PORT_CONFIG_NO_RECV_STP
                                        : config;
}

enum of_error
control_port_mod(struct control *control, enum of_version version,
                 const struct of_port_mod *mod)
{
    enum { SUPPORTED = PORT_CONFIG_DOWN | PORT_CONFIG_NO_RECV
                       | PORT_CONFIG_NO_RECV_STP | PORT_CONFIG_NO_FLOOD
                       | PORT_CONFIG_NO_FWD | PORT_CONFIG_NO_PACKET_IN };
    struct switch_port *sp = switch_port_by_number(control->sw, mod->number);
    uint32_t mask = version == OF10 ? of10_mask(mod->mask)
                                    : with_stp(mod->mask);
    uint32_t config = version == OF10 ? mod->config : with_stp(mod->config);
    struct of_port_desc now;

    if (!sp) {
        return OF_PORT_MOD_FAILED_BAD_PORT;
    }
    if (!eth_addr_eq(mod->hw_addr, sp->port->mac)) {
        return OF_PORT_MOD_FAILED_BAD_HW_ADDR;
    }
    if (mask & ~(uint32_t) SUPPORTED) {
        return OF_PORT_MOD_FAILED_BAD_CONFIG;
    }
    if (mod->advertise) {
        return OF_PORT_MOD_FAILED_BAD_ADVERTISE;
    }
    control_describe_port(sp, &now);
    config = (now.config & ~mask) | (config & mask);
    switch_set_port_flags(control->sw, sp, sp->is_protected,
                          config & PORT_CONFIG_NO_FLOOD,
                          config & PORT_CONFIG_NO_RECV,
                          config & PORT_CONFIG_NO_RECV_STP,
                          config & PORT_CONFIG_NO_FWD,
                          config & PORT_CONFIG_NO_PACKET_IN,
                          config & PORT_CONFIG_DOWN);
    return OF_OK;
}
