/* The controller: from intents to what a switch must do.  The front door.
 *
 *     intent/ ----\                                        store/
 *                  topology.c   who is where  <- ipam.c ----/
 *     PORT_STATUS -/    |
 *                       |  units that may look different now (flow_unit.h)
 *                  stage.c, stage_*.c      one flow table each: the network on
 *                       |                  a page
 *                  desired.c     the flows that there shall be, unit by unit
 *                       |
 *                  reconcile.c   compared with those that there are
 *                       |
 *                  switch_session.c        one bundle, by OpenFlow
 *                       |
 *                     switch   Weft's own, or Open vSwitch
 *
 *     switch -> packet_in.c -> service/ -> packet-out
 *
 * What happens when:
 *
 *     a new set of intents   topology_set_intent() names the units it touches;
 *                            they are computed, compared, and the difference is
 *                            one bundle.  A file that says the same sends
 *                            nothing.
 *     a port comes or goes   the same, with that port's units.  What happens in
 *                            one turn of the loop, or while a bundle is on its
 *                            way, is gathered into the next.
 *     a connection           the switch is asked for all that it has, and
 *                            everything is compared.  What is right is not
 *                            touched; what is not ours goes.  Established
 *                            traffic notices neither a restart of the
 *                            controller nor a lost connection.
 *     the switch refuses     that flow is left out, said with its intent, and
 *                            tried again with the next set of intents; all else
 *                            is in force.
 *
 * A flow's cookie is the id of the intent object it came from:
 * controller_explain_cookie().
 *
 * One thread, the loop's; nothing is global and nothing is shared.  Intents are
 * immutable, so that a set may come from anywhere. */
#ifndef WEFT_CONTROLLER_CONTROLLER_H
#define WEFT_CONTROLLER_CONTROLLER_H

#include <uv.h>

#include "controller/explain.h"
#include "controller/remote.h"
#include "intent/intent.h"
#include "lib/str.h"

struct controller;
struct of_tls;
struct store;

struct controller_config {
    uv_loop_t *loop;
    const char *method;           /* of the switch: "unix:/run/weft/br0.mgmt";
                                     NULL: `fd` */
    int fd;                       /* a connected socket; taken over */
    struct of_tls *tls;           /* borrowed; NULL: none */
    bool names_are_devices;       /* the switch calls a port like its device */
    /* NULL: always.  Is the switch one that may be given flow entries?  Asked
     * before each attempt to connect. */
    bool (*may_connect)(const void *aux);
    const void *may_connect_aux;
    const char *host;             /* our name; NULL: we are the only one */
    struct store *store;          /* borrowed; where chosen addresses are kept;
                                     NULL: they are not */
    msec probe_interval;          /* of other hosts (serve_probe.h); 0: they are
                                     not asked */
    const char *resolv_conf;      /* which resolvers DNS asks:
                                     "/etc/resolv.conf"; NULL: none */
    /* May be NULL.  The set of this generation is in force (as far as the
     * switch took it: n_refused of the status). */
    void (*synced)(void *aux, uint64_t generation);
    /* May be NULL.  What controller_visit_own() says may be another; and what
     * controller_visit_listening() does. */
    void (*own_changed)(void *aux);
    void (*listening_changed)(void *aux);
    void *aux;
};

/* NULL with `error`. */
struct controller *controller_create(const struct controller_config *,
                                     struct str *error);
/* Accepts NULL.  Handles are closed by the loop's next turns.  The switch keeps
 * what it has. */
void controller_destroy(struct controller *);

/* Takes a reference to a sealed set; returns its generation, from 1. */
uint64_t controller_set_intent(struct controller *, const struct intent *);
/* NULL: there is none yet. */
const struct intent *controller_intent(const struct controller *);

struct controller_status {
    bool is_connected;            /* and what the switch has is known */
    bool is_synced;               /* nothing is left to be sent */
    const char *reason;           /* why it was lost the last time */
    uint64_t datapath_id;
    uint64_t generation, synced_generation;
    msec synced_at;               /* of the monotonic clock; 0: never */
    unsigned int n_flows_desired, n_flows_installed, n_meters;
    unsigned int n_refused;       /* flows that the switch would not take */
    uint64_t n_bundles, n_flow_mods;        /* sent so far */
    unsigned int n_ports_missing; /* of intents, that the switch has not */
};

void controller_status(const struct controller *, struct controller_status *);

/* What other hosts say of their ports, and of who listens there.  Whoever hears
 * them writes it there and then calls controller_heard(): it is in force a
 * moment later. */
struct remote *controller_remote(struct controller *);
void controller_heard(struct controller *);
/* Only of who listens. */
void controller_heard_listening(struct controller *);

/* What this host is to say: a port that is here by our file. */
struct controller_own {
    const struct intent_port *intent;
    uint64_t generation;
    /* Its networks that are overlays, with what is not planned of it there. */
    unsigned int n_members;
    const struct intent_network *const *networks;
    const struct remote_member *members;
};
/* Who listens here in an overlay that concerns this host. */
struct controller_listening {
    const struct intent_network *network;
    bool hears_all;
    unsigned int n_groups;
    const struct ip6_addr *groups;          /* IPv4: mapped */
};
void controller_visit_listening(const struct controller *,
                                void (*visit)(
                                    void *aux,
                                    const struct controller_listening *),
                                void *aux);

/* In order of name. */
void controller_visit_own(const struct controller *,
                          void (*visit)(void *aux,
                                        const struct controller_own *),
                          void *aux);

/* What asked for a flow: "port 'web' (cloud.yaml:12)", or the stage of those
 * that hold for all.  False: it is none of ours. */
bool controller_explain_cookie(const struct controller *, uint64_t cookie,
                               struct str *);
/* The plan's address of a port in its own network; 0: none. */
be32 controller_port_address(const struct controller *, const char *port);

/* A port of ours, as it was planned. */
struct controller_port {
    const struct intent_port *intent;
    uint32_t number;              /* the switch's; 0: it does not have it */
    const char *address;          /* in its own network; "": none */
    const char *address6;         /* the network's, not the link-local one */
    const char *mac;
    const char *held;             /* why it is (serve_loop.h); "": it is not */
};
/* In order of name; those of other hosts are left out. */
void controller_visit_ports(const struct controller *,
                            void (*visit)(void *aux,
                                          const struct controller_port *),
                            void *aux);
/* NULL: the controller has no stage there. */
const char *controller_stage_name(uint8_t table);

/* A DHCP lease or offer in words, for people and the API. */
struct controller_lease {
    const char *network, *address, *mac;
    const char *state;            /* "offered", "bound", "past", "declined" */
    const char *port;
    const char *hostname;         /* the client's word, maybe no UTF-8 */
    int64_t seconds_left;         /* INT64_MAX: for ever */
};
/* As they stand, by network and address. */
void controller_visit_leases(const struct controller *,
                             void (*visit)(void *aux,
                                           const struct controller_lease *),
                             void *aux);

/* What became of the packets that services saw.  Counters of one family come
 * behind each other. */
struct controller_counter {
    const char *family, *help;    /* "weft_dhcp_messages_total" */
    const char *label, *value;    /* result="leased" */
    uint64_t n;
};
typedef void service_counter_visitor(void *aux,
                                     const struct controller_counter *);
void controller_visit_counters(const struct controller *,
                               service_counter_visitor *, void *aux);

/* A port that hears a multicast group, in words. */
struct controller_listener {
    const char *network;
    const char *group;            /* an address; NULL: a router port, all */
    const char *port;             /* or the uplink, or another host */
    int64_t seconds_left;         /* unless it says so again; INT64_MAX: until it
                                     says otherwise */
};
/* By network and group, router ports first. */
void controller_visit_listeners(const struct controller *,
                                void (*visit)(void *aux,
                                              const struct controller_listener
                                              *),
                                void *aux);

/* A link of an uplink, in words. */
struct controller_link {
    const char *uplink, *device;
    const char *mode;             /* "device", "active-backup", "lacp" */
    uint32_t number;              /* the switch's; 0: it does not have it */
    bool has_link;
    const char *use;              /* "in use", "receives", "standby", "no link",
                                     "missing" */
    /* With LACP; NULL: without. */
    const char *lacp;             /* "current", "expired", "no-partner",
                                     "down" */
    const char *partner;          /* its system's address */
    uint16_t partner_key, partner_port;
    uint8_t actor_flags, partner_flags;     /* bit by bit, by name: */
    uint64_t n_received, n_sent;  /* LACPDUs */
};
const char *controller_link_flag_name(unsigned int bit);
/* In order of uplinks and their devices; the host's own stack has none. */
void controller_visit_links(const struct controller *,
                            void (*visit)(void *aux,
                                          const struct controller_link *),
                            void *aux);

/* The way to another host by tunnels of a type, in words. */
struct controller_tunnel {
    const char *host, *type;
    const char *address;          /* its end */
    const char *state;            /* "unknown", "up", "mtu-too-small", "down" */
    int64_t seconds;              /* since it is so */
    usec rtt, rtt_smoothed;       /* 0: not measured yet */
    int loss;                     /* percent; -1: not known */
    unsigned int mtu;             /* of guests' packets, that passes; 0: not
                                     known */
    unsigned int mtu_wanted;      /* what guests were told */
    unsigned int underlay_mtu;    /* `mtu` with what the tunnel adds */
    uint64_t n_sent, n_heard;     /* probes, and answers */
};
/* In order of hosts and types; none where hosts are not asked. */
void controller_visit_tunnels(const struct controller *,
                              void (*visit)(void *aux,
                                            const struct controller_tunnel *),
                              void *aux);

/* The table whose flow entries are the rules of security groups, and the id of
 * the rule in whose name a connection was committed with that label; 0: of
 * none. */
uint8_t controller_security_table(bool is_in);
uint32_t controller_security_rule(uint32_t label);

/* "Can web reach db by tcp/443?" (explain.h): what to trace, then what became of
 * it, then the verdict; a switch that cannot be asked leaves the plan. */
int controller_explain_ask(const struct controller *, const char *from,
                           const char *to, const char *what,
                           struct explain *, struct str *error);
void controller_explain_add(const struct controller *, struct explain *,
                            enum explain_leg_id,
                            const struct explain_outcome *);
void controller_explain_decide(const struct controller *, struct explain *);
void controller_explain_by_plan(const struct controller *, struct explain *);

#endif
