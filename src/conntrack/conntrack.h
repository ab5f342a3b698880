/* Connections: who talks to whom, and how far they are.
 *
 * Packets and the time go in; what the packet is to its connection comes out, in
 * the packet's own metadata (struct packet_ct), where the next pass through the
 * flow tables matches it.  What the states mean is what Open vSwitch means by
 * them (ovs-fields(7)):
 *
 *     +new   not committed, or committed and never answered
 *     +est   of a committed connection
 *     +rpl   against the direction of its first packet
 *     +rel   an ICMP error about one of its packets
 *     +inv   belongs to none and cannot begin one
 *     +trk   always, once it was here
 *
 * One entry holds both directions of a connection; a lookup takes no lock, the
 * work on one connection takes that connection's own, and a new one locks the
 * two buckets' shards (table.h).  Connections end when their time is over: at
 * the next lookup, or when the sweep comes by.
 *
 *     conntrack.c   what a packet is to its connection
 *     tuple.c       whose packet it is: addresses, ports, errors' inner headers
 *     table.c       where connections are kept
 *     nat.c         what a connection is translated to; nat_map.c nat_ports.c
 *                   who has which external port; rewrite.c does it to packets
 *     fragments.c   of which only the first says whose it is
 *     tcp.c sctp.c  how far a connection is, by protocol; others in state.c
 *     zones.c       limits and counts per zone
 *     snapshot.c    connections outlive the process
 *     list.c        for who wants to see or flush them
 *
 * Zones are worlds of their own, unless the configuration has outside zones.  Then
 * all zones share the ports of each external address; and what belongs to no
 * connection in the outside zone where it is tracked is tracked where its
 * destination's mapping is from instead, as if it had been asked for there.  So
 * tenants with the same inside addresses can leave by the same outside one, and
 * what comes back need not know whose it is; its ct_zone says so afterwards.
 *
 * Threads: execute, sweep and flush may run on any number of threads at once, each
 * with a slot number of its own; everything else says so itself.  There are no
 * threads and no clock inside. */
#ifndef WEFT_CONNTRACK_CONNTRACK_H
#define WEFT_CONNTRACK_CONNTRACK_H

#include "packet/flow_key.h"
#include "packet/packet.h"

struct conntrack;

/* X(ID, name, default in seconds, when) */
#define CT_TIMEOUTS(X)                                                       \
    X(TCP_OPENING, "tcp-opening", 240, "a SYN was seen, no answer yet")      \
    X(TCP_ESTABLISHED, "tcp-established", 86400, "both sides have spoken")   \
    X(TCP_CLOSING, "tcp-closing", 900, "one side has ended")                 \
    X(TCP_TIME_WAIT, "tcp-time-wait", 240, "both sides have ended")          \
    X(TCP_RESET, "tcp-reset", 30, "a side has reset it")                     \
    X(UDP_NEW, "udp-new", 120, "not answered yet")                           \
    X(UDP_ESTABLISHED, "udp-established", 300, "answered")                   \
    X(ICMP_NEW, "icmp-new", 60, "a request without its reply")               \
    X(ICMP_REPLIED, "icmp-replied", 60, "requests and replies")              \
    X(SCTP_OPENING, "sctp-opening", 60, "not set up yet")                    \
    X(SCTP_ESTABLISHED, "sctp-established", 9000, "set up")                  \
    X(SCTP_CLOSED, "sctp-closed", 30, "shut down or aborted")                \
    X(OTHER_NEW, "other-new", 120, "another protocol, not answered yet")     \
    X(OTHER_ESTABLISHED, "other-established", 600, "answered")

enum ct_timeout {
#define X(ID, NAME, SECONDS, TEXT) CT_TIMEOUT_##ID,
    CT_TIMEOUTS(X)
#undef X
    N_CT_TIMEOUTS
};

const char *ct_timeout_name(enum ct_timeout);
/* N_CT_TIMEOUTS: none is called so. */
enum ct_timeout ct_timeout_by_name(const char *);

struct ct_config {
    unsigned int n_slots;             /* threads; 0: 1 */
    uint32_t max_connections;         /* rounded up to the next thousand or so;
                                         0: 1M */
    uint32_t zone_limit;              /* of each zone; 0: none */
    uint16_t outside_zone_min;        /* outside zones (below) begin here;
                                         0: there are none */
    bool no_pickup;                   /* TCP begins with a SYN or not at all */
    bool no_fragments;                /* they belong to no connection */
    msec timeouts[N_CT_TIMEOUTS];     /* 0: as above */
    uint64_t hash_seed;               /* tests; 0: drawn at random */
};

/* What becomes of a packet besides its metadata. */
enum ct_verdict {
    CT_PASS,
    CT_FULL,                  /* to be dropped: there is no room to commit it, */
    CT_ZONE_FULL,             /* its zone has as many as it may, */
    CT_NAT_NO_PORT,           /* every external port is in use, */
    CT_NAT_FAILED,            /* a header to translate is cut short, */
    CT_FRAGMENT_BAD,          /* a fragment that overlaps, or came before, */
    CT_FRAGMENT_FULL,         /* or for which there is no room */
    CT_WAITS,                 /* taken: a fragment waits for the first one */
};

/* What becomes of addresses and ports (nat.h says more). */
enum ct_nat_kind { CT_NAT_NONE, CT_NAT_EXISTING, CT_NAT_SRC, CT_NAT_DST };

struct ct_nat {
    uint8_t kind;             /* enum ct_nat_kind */
    uint8_t family;           /* of the addresses; 0: none are given */
    bool has_ports;
    bool is_random;           /* another port, even if its own is free */
    uint16_t port_min, port_max;
    struct ip6_addr min, max; /* as tuples have them */
};

struct ct_request {
    uint16_t zone;
    bool commit;
    bool force;               /* a packet against the direction begins anew */
    uint32_t mark, mark_mask;             /* bits to set in the connection */
    struct ip6_addr label, label_mask;
    struct ct_nat nat;
};

struct conntrack *conntrack_create(const struct ct_config *);
void conntrack_destroy(struct conntrack *);

/* Tracks packets, whose offsets flow_key_extract() has set.  A verdict for each;
 * the packets stay the caller's, but for CT_WAITS.  Those that had waited for one of
 * these are tracked too, and returned: a list by `next`. */
struct packet *conntrack_execute(struct conntrack *, unsigned int slot,
                                 struct packet *const *, unsigned int n,
                                 const struct ct_request *, msec now,
                                 enum ct_verdict *);
/* Some packets that have waited too long, a list by `next`: to be dropped. */
struct packet *conntrack_give_up(struct conntrack *, msec now);

/* Looks at `budget` places for connections that are over; returns how many it
 * ended. */
unsigned int conntrack_sweep(struct conntrack *, unsigned int slot,
                             unsigned int budget, msec now);

/* ---- Settings; any thread, at any time ---- */

void conntrack_set_timeout(struct conntrack *, enum ct_timeout, msec);
msec conntrack_timeout(const struct conntrack *, enum ct_timeout);
/* 0: as the configuration says. */
void conntrack_set_zone_limit(struct conntrack *, uint16_t zone,
                              uint32_t limit);

/* ---- What there is ---- */

/* X(NAME, text) */
#define CT_COUNTERS(X)                                                       \
    X(packets, "packets tracked")                                            \
    X(created, "connections committed")                                      \
    X(expired, "connections whose time was over")                            \
    X(ended, "connections ended by force, flush or a new one's first packet")\
    X(invalid, "packets that belong to none")                                \
    X(full, "packets dropped: the table is full")                            \
    X(zone_full, "packets dropped: their zone has as many as it may")        \
    X(no_port, "packets dropped: every external port is in use")             \
    X(waited, "fragments that waited for their datagram's first")            \
    X(retries, "lookups repeated because the table changed")                 \
    X(swept, "places the sweep looked at")

struct ct_counters {
#define X(NAME, TEXT) uint64_t NAME;
    CT_COUNTERS(X)
#undef X
};
void conntrack_read_counters(const struct conntrack *, struct ct_counters *);

uint32_t conntrack_count(const struct conntrack *);
uint32_t conntrack_zone_count(const struct conntrack *, uint16_t zone);
/* Mappings of inside to external ports that have sessions. */
uint32_t conntrack_n_mappings(const struct conntrack *);
/* Memory that connections and mappings take, in bytes. */
uint64_t conntrack_memory(const struct conntrack *);

uint32_t conntrack_max(const struct conntrack *);
/* 0: any number. */
uint32_t conntrack_zone_limit(const struct conntrack *, uint16_t zone);
/* Zones that have been above 80 % of their limit and not yet below 60 % again, at
 * most `n`. */
unsigned int conntrack_crowded(const struct conntrack *, uint16_t *zones,
                               unsigned int n);
/* Zones that went above 80 % of their limit since the last call, at most `n`. */
unsigned int conntrack_take_alarms(struct conntrack *, uint16_t *zones,
                                   unsigned int n);

/* One direction's addresses.  IPv4: the first four bytes, the rest zero.
 * ICMP's identifier is the source port, its type and code the destination's. */
struct ct_tuple {
    struct ip6_addr src, dst;
    be16 src_port, dst_port;
    uint16_t zone;
    uint8_t family;           /* 4 or 6 */
    uint8_t proto;
};

/* A connection as it was at one moment. */
struct ct_info {
    struct ct_tuple original, reply;
    uint32_t id, generation;
    uint32_t mark;
    struct ip6_addr label;
    bool is_answered;
    const char *state;        /* "established", "syn-sent"... */
    msec expires;
    uint64_t bytes[2];        /* by direction */
};

/* Calls `visit` for each connection that is alive, until it returns false.  Those
 * that come or go meanwhile may be seen or not.  Any thread. */
void conntrack_visit(struct conntrack *, msec now,
                     bool (*visit)(void *aux, const struct ct_info *),
                     void *aux);
/* The same, and ends those for which it returns true; returns how many. */
unsigned int conntrack_flush(struct conntrack *, unsigned int slot, msec now,
                             bool (*is_it)(void *aux, const struct ct_info *),
                             void *aux);
/* The connection that a packet of this tuple belongs to; `*dir` is 1 for a
 * reply.  Changes nothing. */
bool conntrack_find(struct conntrack *, const struct ct_tuple *, msec now,
                    struct ct_info *, unsigned int *dir);

/* ---- From one process to the next ---- */

/* Writes all that are alive, in pieces; what changes meanwhile may be in or not.
 * `goes_on`: packets will be tracked after that, so that how far each TCP is will
 * no longer be true when it is read; the first packet of each says so then.  Returns
 * 0, or what `write` returned that is not 0.  Any thread. */
int conntrack_save(struct conntrack *, bool goes_on, msec now,
                   int (*write)(void *aux, const void *, size_t), void *aux);
/* Reads that back: connections that have time left after `down` msec in which nobody
 * tracked, and whose external ports are free.  `n` is how many that were.  Returns 0,
 * or -EBADMSG when the bytes are damaged or of another version: nothing is changed
 * then.  Callers are as those of execute. */
int conntrack_load(struct conntrack *, unsigned int slot, const void *,
                   size_t size, msec down, msec now, uint32_t *n);

#endif
