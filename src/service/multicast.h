/* Multicast: which ports of a network hear which groups, found by listening to
 * IGMP and MLD (RFC 4541).
 *
 *     report, leave, query       a frame from a port       multicast_hear()
 *     who hears what             told by the watch         group(), routers()
 *     who must be asked          the same                  ask()
 *     time goes by                                         multicast_run()
 *
 * A *group* here is one address in one network, with the ports that hear it:
 *
 *     not there -- a report --> heard until `expires`, which each further
 *                               report puts off (260 s)
 *               -- a leave ---> with one host behind the port: gone at once;
 *                               else it is asked twice, a second apart, and
 *                               gone a second later unless one answers
 *
 * Sources are read as far as forwarding needs them: a port hears a group or it
 * does not, whomever it wants to hear it from; what it does not want its host
 * drops.  A report that names sources is a report; "no more from these" is a
 * leave that has to be asked about; "from nobody" is a leave.
 *
 * A *router port* has a querier behind it.  It hears all groups, and the reports
 * of others.  A port that is new hears all groups, too, until it was asked and
 * had time to answer: its guest may be older than the port, or we younger than
 * both.
 *
 * Somebody must ask, or memberships expire.  The network's gateway does, unless
 * there is another: the lowest address wins (RFC 3376, 6.6.2; RFC 3810, 7.6.2);
 * one on the LAN always does, since it does not hear ours; and ours without an
 * address gives way to any.  It asks while there are listeners; and each port
 * when it is new, and once more half a minute after its network.
 *
 * A guest that talks too much costs itself: its records are limited per second,
 * its groups in number, and so are its network's.  What is over a limit is
 * counted and not obeyed.
 *
 * Ports are numbers of the caller's, 0 is none.  Pure: time is a parameter.  One
 * thread. */
#ifndef WEFT_SERVICE_MULTICAST_H
#define WEFT_SERVICE_MULTICAST_H

#include "lib/hmap.h"
#include "packet/membership.h"

struct multicast;

/* X(ID, name, what happened) */
#define MULTICAST_EVENTS(X)                                                  \
    X(MULTICAST_JOINED, "joined", "a port hears a group from now on")        \
    X(MULTICAST_STAYED, "stayed", "a port said again that it hears one")     \
    X(MULTICAST_LEFT, "left", "a port hears a group no more")                \
    X(MULTICAST_MAY_LEAVE, "may-leave",                                      \
      "one of a port's hosts left; the others are asked")                    \
    X(MULTICAST_EXPIRED, "expired", "nobody said again that it hears it")    \
    X(MULTICAST_FOR_ALL, "for-all",                                          \
      "about a group that everybody is given (RFC 4541, 2.1.2)")             \
    X(MULTICAST_OUTSIDE, "outside", "a report from the LAN")                 \
    X(MULTICAST_QUERY, "query", "somebody asked who hears what")             \
    X(MULTICAST_ODD_QUERY, "odd-query",                                      \
      "a query that gives more time than memberships last")                  \
    X(MULTICAST_FOREIGN, "foreign", "no message of IGMP or MLD")             \
    X(MULTICAST_MALFORMED, "malformed", "lengths or addresses contradict")   \
    X(MULTICAST_CHECKSUM, "checksum", "the checksum is wrong")               \
    X(MULTICAST_NOT_LOCAL, "not-local",                                      \
      "it came by way of a router, or without its mark")                     \
    X(MULTICAST_TOO_FAST, "too-fast", "a port says too much; not obeyed")    \
    X(MULTICAST_PORT_FULL, "port-full",                                      \
      "a port hears as many groups as it may; not obeyed")                   \
    X(MULTICAST_NETWORK_FULL, "network-full",                                \
      "a network has as many groups as it may; not obeyed")

enum multicast_event {
#define X(ID, NAME, TEXT) ID,
    MULTICAST_EVENTS(X)
#undef X
    N_MULTICAST_EVENTS
};

const char *multicast_event_name(enum multicast_event);

/* A port that hears a group. */
struct multicast_member {
    uint64_t port;
    msec expires;
    msec ask_at;                  /* again; INT64_MAX: not */
    msec version1_until;          /* an old host is there, which does not say
                                     when it leaves (RFC 2236, 4) */
};

struct multicast_group {
    struct hmap_node by_address, by_id;
    uint64_t id;                  /* never used again */
    uint64_t network;
    struct ip6_addr address;      /* IPv4: mapped */
    unsigned int n, size;         /* 0: it is about to go */
    struct multicast_member *members;     /* in order of their ports */
    msec next;                    /* no member changes by itself before */
};

struct multicast_watch {
    /* The port (0: each) hears the group from now on, or no more; group->n may
     * be 0. */
    void (*group)(void *aux, const struct multicast_group *, uint64_t port);
    /* The port hears all groups from now on, or no more; or its reports. */
    void (*hearer)(void *aux, uint64_t network, uint64_t port);
    /* The query shall be sent to the port; 0: to all of the network's. */
    void (*ask)(void *aux, uint64_t network, uint64_t port,
                const struct membership_query *);
    /* Somebody asked about one group: its members shall hear the frame. */
    void (*pass)(void *aux, const struct multicast_group *, uint64_t from,
                 const void *frame, size_t len);
    void *aux;
};

struct multicast_limits {
    unsigned int per_port, per_network;   /* groups */
    unsigned int rate, burst;             /* records of a port, per second */
};

extern const struct multicast_limits multicast_default_limits;

struct multicast *multicast_create(const struct multicast_limits *,
                                   const struct multicast_watch *);
/* Accepts NULL.  The watch hears nothing of it. */
void multicast_destroy(struct multicast *);

/* A network whose groups are told apart. */
struct multicast_network_config {
    uint64_t id;
    struct eth_addr mac;          /* of our queries */
    be32 address;                 /* 0: we have none */
    struct ip6_addr link_local;
};

/* New, or with other addresses. */
void multicast_set_network(struct multicast *,
                           const struct multicast_network_config *, msec now);
/* With its groups.  It need not be there. */
void multicast_remove_network(struct multicast *, uint64_t network);
/* The port is there: it is new, or may have another guest.  `is_asked`: it will
 * be, with all others. */
void multicast_add_port(struct multicast *, uint64_t network, uint64_t port,
                        bool is_asked, msec now);
/* Asks all ports of a network that is snooped. */
void multicast_ask(struct multicast *, uint64_t network);
/* The port is gone from the network. */
void multicast_remove_port(struct multicast *, uint64_t network,
                           uint64_t port);

struct multicast_origin {
    uint64_t network, port;
    bool is_single;               /* one host is behind it, at most */
    bool is_lan;                  /* an uplink */
};

/* An untagged frame with IGMP or MLD, or what passes for it. */
void multicast_hear(struct multicast *, const struct multicast_origin *,
                    const void *frame, size_t len, msec now);

/* Listeners that others tell us of, under a number that is no port's: these
 * groups (each once), and no others.  They stay until the next call.  Limits are
 * kept where they are. */
void multicast_set_away(struct multicast *, uint64_t network, uint64_t away,
                        const struct ip6_addr *groups, unsigned int n,
                        msec now);
/* What was so before we were: it stays for as long as the first questions need,
 * and longer if they are answered.  `address` NULL: a router port. */
void multicast_adopt(struct multicast *, uint64_t network, uint64_t port,
                     const struct ip6_addr *address, msec now);
/* We heard nothing for a while: nothing expires before everybody was asked. */
void multicast_resume(struct multicast *, msec now);

/* Does what is due; when it wants to be called next. */
msec multicast_run(struct multicast *, msec now);

/* ---- What is so ---- */

bool multicast_is_snooped(const struct multicast *, uint64_t network);
bool multicast_hears(const struct multicast_group *, uint64_t port);
/* NULL: there is none. */
const struct multicast_group *multicast_find(const struct multicast *,
                                             uint64_t network,
                                             const struct ip6_addr *address);
const struct multicast_group *multicast_by_id(const struct multicast *,
                                              uint64_t id);
/* In no particular order; NULL begins and ends. */
const struct multicast_group *multicast_next(const struct multicast *,
                                             const struct multicast_group *);
bool multicast_hears_all(const struct multicast *, uint64_t network,
                         uint64_t port);

/* A port that hears all groups. */
struct multicast_hearer {
    uint64_t port;
    msec router_until;            /* 0: it is no router port */
};
/* The network's from *i on, in order of their ports. */
bool multicast_next_hearer(const struct multicast *, uint64_t network,
                           unsigned int *i, struct multicast_hearer *);
/* Any thread. */
uint64_t multicast_count(const struct multicast *, enum multicast_event);

#endif
