/* Random intents for tests: a file of networks and ports, and edits of it.
 *
 * Few names, so that edits meet: ports come and go, move, get addresses, are
 * isolated, allowed more, carried in trunks, forwarded to; networks get subnets,
 * tags, IPv6, routers that join them, and ways out: `wan` through the host's
 * stack (weft-wan), `out` by out0. */
#ifndef WEFT_CONTROLLER_RANDOM_INTENTS_H
#define WEFT_CONTROLLER_RANDOM_INTENTS_H

#include "intent/intent.h"
#include "lib/rng.h"
#include "lib/str.h"

enum { RANDOM_MAX_NETWORKS = 5, RANDOM_MAX_PORTS = 96,
       RANDOM_MAX_ROUTERS = 2, RANDOM_MAX_GROUPS = 4,
       RANDOM_MAX_RULES = 4 };

struct random_intents {
    struct rng *rng;
    unsigned int n_ports;         /* how many there may be */
    struct random_network {
        bool is_there, has_subnet, has_subnet6, dhcp_off;
        int vid;                  /* -1: local; else bridged by uplink lan */
        bool is_service_tag;
        int router;               /* that joins it; -1: none does */
        bool has_route;           /* by a station of it, in the router */
        bool is_small;            /* its packets are */
        bool floods;
        int nat;                  /* 0: none, 1: wan, 2: out */
        bool is_masqueraded;      /* IPv6 */
        unsigned int storm_cap;
    } networks[RANDOM_MAX_NETWORKS];
    struct random_port {
        bool is_there, is_isolated, is_spoof_ok, has_address, has_allow;
        int network;              /* -1: none */
        int trunk[2];             /* -1: none; with VLAN 100 + index */
        int mirror;               /* -1 */
        int forward;              /* 0: none, 1: a port, 2: some ports, 3: an
                                     address floats */
        unsigned int rate;
        unsigned int groups;      /* bit i: security group i, if there are
                                     any */
    } ports[RANDOM_MAX_PORTS];
    /* Security groups are written only if asked for: they forbid what other
     * tests are promised. */
    bool has_groups;
    struct random_group {
        bool is_audit, has_out;
        unsigned int n_rules;
        struct random_rule {
            bool is_out, is_cut;
            unsigned int kind;    /* of what; below */
            int peer;             /* a group; -1: none */
        } rules[RANDOM_MAX_RULES];
    } groups[RANDOM_MAX_GROUPS];
};

void random_intents_init(struct random_intents *, struct rng *,
                         unsigned int n_ports);
/* One thing becomes different. */
void random_intents_edit(struct random_intents *);
/* The file. */
void random_intents_format(const struct random_intents *, struct str *);
/* A sealed set; the test ends when it is refused.  What `last` (may be NULL) says
 * alike is shared with it, as when a file is applied again. */
struct intent *random_intents_seal(const struct random_intents *,
                                   const struct intent *last);

/* A sealed set of a file's text; the test ends when it is refused. */
struct intent *intent_of_text(const char *text);

#endif
