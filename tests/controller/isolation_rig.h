/* A switch in memory with the flows of random intents, for isolation tests.
 *
 * In every other run one flow is missing, whatever one it is.  Ports 1 to N_PORTS
 * are those of the intents, if there are such; then come the uplinks'. */
#ifndef WEFT_TESTS_CONTROLLER_ISOLATION_RIG_H
#define WEFT_TESTS_CONTROLLER_ISOLATION_RIG_H

#include "controller/topology.h"
#include "intent/intent.h"
#include "lib/rng.h"
#include "switch/switch.h"

enum { N_PORTS = 10, UPLINK = N_PORTS + 1, WAN = N_PORTS + 2,
       OUT = N_PORTS + 3, N_ALL = OUT, N_RUNS = 40, N_FRAMES = 400,
       MAX_GOT = 64 };

/* A frame that left. */
struct got {
    uint32_t port;
    uint16_t tag;                 /* of 12 bits; 0: none */
    uint16_t tpid;
    be32 ip_src;                  /* 0: no IPv4 */
    struct ip6_addr ip6_src;      /* all zero: no IPv6 */
    uint8_t ip_proto;
    be16 sport;
};

/* Where a network's guest was seen outside: who sends there reaches the guest
 * (RFC 4787, endpoint-independent).  Which port it is, is drawn. */
struct mapping {
    const struct intent_network *network;
    be32 address;
    uint8_t ip_proto;
    be16 port;
};

enum { MAX_MAPPINGS = 2 * N_FRAMES };

struct rig {
    struct rng rng;
    struct switch_ *sw;
    struct packet_pool *pool;
    struct ipam *ipam;
    struct topology *topology;
    struct intent *intent;
    msec now;
    bool is_broken;               /* a flow is missing */
    unsigned int n_left, n_led;   /* frames that left by NAT, and came in */
    unsigned int n_got;
    struct got got[MAX_GOT];
    unsigned int n_mappings;
    struct mapping mappings[MAX_MAPPINGS];
};

void rig_init(struct rig *, unsigned int seed);
void rig_fini(struct rig *);
/* The frames that leave are in `got` then. */
void rig_send(struct rig *, uint32_t in_port, const uint8_t *bytes,
              uint32_t len);
/* The intents' port of that number; NULL: it has none. */
const struct intent_port *rig_port(const struct rig *, uint32_t number);

#endif
