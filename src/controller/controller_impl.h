/* Inside of the controller: what its files share.  See controller.h. */
#ifndef WEFT_CONTROLLER_CONTROLLER_IMPL_H
#define WEFT_CONTROLLER_CONTROLLER_IMPL_H

#include "controller/address_store.h"
#include "controller/controller.h"
#include "controller/packet_in.h"
#include "controller/reconcile.h"
#include "controller/kept_numbers.h"
#include "controller/placement.h"
#include "controller/serve_binding.h"
#include "controller/serve_bond.h"
#include "controller/serve_dhcp.h"
#include "controller/serve_dhcp6.h"
#include "controller/serve_dns.h"
#include "controller/serve_loop.h"
#include "controller/serve_multicast.h"
#include "controller/serve_nd.h"
#include "controller/serve_next_hop.h"
#include "controller/serve_probe.h"
#include "controller/serve_route.h"
#include "controller/switch_session.h"

struct controller {
    struct controller_config config;
    struct address_store *addresses;
    struct ipam *ipam;
    struct kept_numbers *numbers;
    struct remote *remote;
    struct placement *placement;
    struct topology *topology;
    struct desired desired;
    struct installed installed;
    struct switch_session *session;
    struct packet_in_table packet_ins;
    struct service_host services;
    struct serve_nd nd;
    struct serve_dns *dns;
    struct serve_loop *loops;
    struct serve_dhcp *dhcp;
    struct serve_dhcp6 *dhcp6;
    struct serve_binding *bindings;
    struct serve_multicast *multicast;
    struct serve_bond *bonds;
    struct serve_route route;
    struct serve_next_hop *next_hops;
    struct serve_probe *probes;

    struct unit_set dirty;        /* to be computed anew */
    struct desired_touched touched;     /* computed, to be compared */
    uint64_t generation;          /* of the topology's intents */
    uint64_t writing;             /* of those on their way */
    uint64_t synced;
    msec synced_at;
    uint64_t n_bundles, n_flow_mods;

    uv_timer_t *timer;            /* gathers a turn's changes; retries */
    msec retry;
    uv_timer_t *heard;            /* gathers what other hosts say */
    bool are_ports_heard;         /* and not only who listens */
    msec rebuild_took;
};

/* Everything anew, of the same intents. */
void controller_rebuild(struct controller *);
void controller_schedule(struct controller *);
void controller_say_own_changed(const struct controller *);
void controller_say_listening_changed(const struct controller *);

#endif
