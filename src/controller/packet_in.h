/* Packet-ins: from the switch to the service that an entry named, and back.
 *
 * A packet that a stage sends up says in its userdata which service it is for
 * (userdata.h), in its metadata which network it is in, and in reg14 by which
 * port it came.  A service is a function in a table; what it answers leaves by
 * that port, with the tag that the port's VLAN has.  Or it enters the tables
 * again, at some stage, and finds its way. */
#ifndef WEFT_CONTROLLER_PACKET_IN_H
#define WEFT_CONTROLLER_PACKET_IN_H

#include "controller/switch_session.h"
#include "controller/topology.h"
#include "controller/userdata.h"

struct packet_in {
    const struct topology_network *network;
    const struct topology_member *member;     /* who sent it; NULL: the LAN */
    const struct topology_uplink *uplink;     /* of what is for an uplink, not
                                                 for a network; then there is
                                                 neither of these */
    uint32_t in_port;             /* by which it came into its network */
    const struct flow *flow;      /* metadata and registers */
    const uint8_t *frame;         /* without its port's VLAN tag */
    size_t len;
};

typedef void packet_in_function(void *aux, const struct packet_in *);

struct packet_in_counters {
    uint64_t n_seen[N_SERVICES];
    uint64_t n_foreign;           /* not of our entries */
    uint64_t n_stale;             /* network or port is gone since */
    uint64_t n_unserved;          /* nobody does that service */
    uint64_t n_out, n_out_lost;   /* replies; for which there was no room */
};

struct packet_in_table {
    struct {
        packet_in_function *function;
        void *aux;
        bool is_lan_served, is_all_served;
    } services[N_SERVICES];
    struct packet_in_counters counters;
    uint32_t entrance;            /* by which port frames of ours enter */
};

void packet_in_serve(struct packet_in_table *, enum service_id,
                     packet_in_function *, void *aux);
/* What the LAN says, too. */
void packet_in_serve_lan(struct packet_in_table *, enum service_id);
/* Whoever sent it, into whichever network or uplink. */
void packet_in_serve_all(struct packet_in_table *, enum service_id,
                         packet_in_function *, void *aux);
void packet_in_dispatch(struct packet_in_table *, const struct topology *,
                        const struct of_packet_in *);

/* Sends a frame by a port of the switch, tagged unless `vid` is 0.  False: it
 * could not be sent, and was counted. */
bool packet_in_send_by(struct packet_in_table *, struct switch_session *,
                       uint32_t number, uint16_t tpid, uint16_t vid,
                       const void *frame, size_t len);
/* Sends a frame by a tunnel's port, in that overlay, to that end.  False: it
 * could not be sent, and was counted. */
bool packet_in_send_tunnel(struct packet_in_table *, struct switch_session *,
                           uint32_t number, uint32_t key,
                           const struct ip6_addr *end, const void *frame,
                           size_t len);
/* Where a frame of ours enters the tables, as if it had come so far. */
struct packet_in_entry {
    uint8_t table;
    uint64_t place;               /* the network's id, or the uplink's */
    uint32_t flood;               /* enum flood_kind; 0: none */
    uint32_t port;                /* that it is to leave by; 0: not yet said */
};

/* False: it could not be sent, and was counted. */
bool packet_in_inject(struct packet_in_table *, struct switch_session *,
                      const struct packet_in_entry *, const void *frame,
                      size_t len);
/* Sends a frame to a member.  False: it could not be sent, and was counted. */
bool packet_in_send(struct packet_in_table *, struct switch_session *,
                    const struct topology_member *, const void *frame,
                    size_t len);

#endif
