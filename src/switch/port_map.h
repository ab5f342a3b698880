/* What translation knows of the ports.
 *
 * An immutable map from number to settings, replaced as a whole under RCU when
 * a port comes, goes, changes its settings or its link.  The control thread is
 * the only writer; it drops cached answers after each change.
 *
 * A port has two numbers.  Its *number* is OpenFlow's: tables, translation and
 * everybody who controls the switch know it by that.  Its *id* is the data
 * path's, which wants small ones: it stands in flow keys, packets, cached
 * answers, and in the fdb.  They differ for one port only, the switch's own,
 * OFPP_LOCAL, and are turned into each other where a packet enters translation
 * and where an action leaves it. */
#ifndef WEFT_SWITCH_PORT_MAP_H
#define WEFT_SWITCH_PORT_MAP_H

#include <stdatomic.h>

#include "datapath/datapath.h"
#include "lib/rcu.h"
#include "openflow/message.h"

/* 01:80:c2:00:00:00: to bridges, about the spanning tree. */
#define STP_ADDRESS UINT64_C(0x0180c2000000)

/* The id of OFPP_LOCAL, which no other port gets. */
enum { PORT_ID_LOCAL = DP_MAX_PORTS - 1 };

static inline uint32_t
port_id(uint32_t number)
{
    return number == OFPP_LOCAL ? (uint32_t) PORT_ID_LOCAL : number;
}

static inline uint32_t
port_number(uint32_t id)
{
    return id == PORT_ID_LOCAL ? (uint32_t) OFPP_LOCAL : id;
}

/* May a port have the number? */
static inline bool
port_number_is_valid(uint32_t number)
{
    return (number && number < PORT_ID_LOCAL) || number == OFPP_LOCAL;
}

/* A packet's key, as translation sees it. */
static inline void
port_map_flow(struct flow *flow, const struct flow_key *key)
{
    flow_from_key(flow, key);
    flow->key.in_port = htobe32(port_number(flow_in_port(flow)));
}

/* How a port takes part in NORMAL. */
enum vlan_mode { VLAN_TRUNK, VLAN_ACCESS, VLAN_NATIVE_TAGGED,
                 VLAN_NATIVE_UNTAGGED };
struct port_vlan {
    enum vlan_mode mode;
    uint16_t vid;                       /* access or native; 0: none */
    uint64_t trunks[64];                /* bitmap of 4096; all zero: all */
};

struct port_settings {
    uint32_t number;
    char name[PORT_NAME_MAX];
    struct port_vlan vlan;
    bool is_protected;
    bool is_tunnel;               /* outputs say where the tunnel leads */
    bool no_flood, no_fwd, no_packet_in, admin_down;
    bool no_recv;                 /* but spanning tree's frames */
    bool no_recv_stp;             /* those */
    bool is_up;
};

/* Does the port carry this VLAN (0: untagged)? */
bool port_vlan_carries(const struct port_vlan *, uint16_t vid);

struct port_map {
    struct rcu_later later;
    enum of_frag fragments;             /* that any port receives */
    const struct port_settings *local;
    uint32_t n;                         /* the others' numbers are below */
    const struct port_settings *by_number[];
};

static inline const struct port_settings *
port_map_find(const struct port_map *map, uint32_t number)
{
    return number < map->n ? map->by_number[number]
           : number == OFPP_LOCAL ? map->local : NULL;
}

/* For messages: the number, or LOCAL. */
struct port_text {
    char text[12];
};
struct port_text port_number_text(uint32_t number);
/* The name, or "?". */
const char *port_map_name(const struct port_map *, uint32_t number);

/* In order of number. */
#define PORT_MAP_FOR_EACH(P, MAP)                                            \
    for (uint32_t i_##P = 0; i_##P <= (MAP)->n; i_##P++)                     \
        for (const struct port_settings *P = i_##P == (MAP)->n               \
                                             ? (MAP)->local                  \
                                             : (MAP)->by_number[i_##P];      \
             P; P = NULL)

struct port_maps {
    _Atomic(struct port_map *) map;
};

void port_maps_init(struct port_maps *);
/* Nobody reads it any more. */
void port_maps_fini(struct port_maps *);
/* Sets a port, or with NULL takes it away. */
void port_maps_set(struct port_maps *, uint32_t number,
                   const struct port_settings *);
void port_maps_set_fragments(struct port_maps *, enum of_frag);

/* Reader, under RCU. */
static inline const struct port_map *
port_maps_get(struct port_maps *maps)
{
    return atomic_load_explicit(&maps->map, memory_order_acquire);
}

#endif
