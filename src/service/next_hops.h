/* Next hops that nobody planned: which MAC has this address?
 *
 * Asked for when a packet needs it, by ARP or ND, and remembered.  Much is as
 * in RFC 4861 section 7.3: three questions a second apart, then it does not
 * answer; what is known is asked again now and then, the station alone first.
 * What is wanted for good (the next hop of a static route, the gateway of an uplink) is
 * asked for before anybody sends, and goes on being asked for; the rest is
 * forgotten after a while, since nobody sees here whether it is in use.
 *
 * A *place* is a network or an uplink, by its object's id.  An address of IPv4
 * is mapped (ip6_of_ip4).
 *
 * While a station is being asked for, a few packets for it wait.
 *
 * Pure but for the watch.  One thread. */
#ifndef WEFT_SERVICE_NEXT_HOPS_H
#define WEFT_SERVICE_NEXT_HOPS_H

#include "lib/types.h"

enum { NEXT_HOP_MAX_WAITING = 4 };

enum next_hop_state {
    NEXT_HOP_ASKED,               /* for the first time */
    NEXT_HOP_KNOWN,
    NEXT_HOP_PROBED,              /* known, and asked again */
    NEXT_HOP_SILENT,              /* does not answer */
};

/* A packet that waits: what it takes to send it on. */
struct next_hop_packet {
    size_t len;
    uint8_t *frame;               /* of malloc() */
    uint64_t from;                /* as the caller likes: who is to be told */
};

struct next_hop {
    uint64_t id;                  /* of place and address */
    uint64_t place;
    struct ip6_addr address;
    struct eth_addr mac;          /* in all states but ASKED and SILENT */
    enum next_hop_state state;
    bool is_kept;                 /* wanted for good */
};

struct next_hops;

struct next_hops_watch {
    /* "Who has it?"  To that station alone, or (NULL) to all. */
    void (*ask)(void *aux, const struct next_hop *, const struct eth_addr *);
    /* Its MAC is known now, another one, or no more; or it is wanted for good,
     * and does not answer. */
    void (*changed)(void *aux, const struct next_hop *);
    /* A packet that waited can go, or (the hop is silent) cannot. */
    void (*release)(void *aux, const struct next_hop *,
                    const struct next_hop_packet *);
    void *aux;
};

struct next_hops_limits {
    unsigned int max;             /* of all */
    unsigned int max_of_place;
    size_t max_waiting_size;      /* of all packets that wait, bytes */
};

extern const struct next_hops_limits next_hops_default_limits;

/* X(ID, name) */
#define NEXT_HOPS_EVENTS(X)                                                  \
    X(NEXT_HOPS_ASKED, "asked")                                              \
    X(NEXT_HOPS_LEARNED, "learned")                                          \
    X(NEXT_HOPS_SILENT, "silent")                                            \
    X(NEXT_HOPS_FORGOTTEN, "forgotten")                                      \
    X(NEXT_HOPS_FULL, "full")                                                \
    X(NEXT_HOPS_QUEUE_FULL, "queue-full")

enum next_hops_event {
#define X(ID, NAME) ID,
    NEXT_HOPS_EVENTS(X)
#undef X
    N_NEXT_HOPS_EVENTS
};

const char *next_hops_event_name(enum next_hops_event);

struct next_hops *next_hops_create(const struct next_hops_limits *,
                                   const struct next_hops_watch *);
/* Nothing is released any more. */
void next_hops_destroy(struct next_hops *);

/* Somebody sends there.  Copies the frame when it waits.  False: there is no
 * room for one more hop. */
bool next_hops_send(struct next_hops *, uint64_t place,
                    const struct ip6_addr *, const void *frame, size_t len,
                    uint64_t from, msec now);
/* It is wanted for good, or no more so. */
void next_hops_keep(struct next_hops *, uint64_t place,
                    const struct ip6_addr *, bool is_kept, msec now);
/* A station said that it has the address.  Only what was asked for counts. */
void next_hops_heard(struct next_hops *, uint64_t place,
                     const struct ip6_addr *, struct eth_addr, msec now);
/* Somebody knew before us who has it: it is asked alone whether it is so. */
void next_hops_adopt(struct next_hops *, uint64_t place,
                     const struct ip6_addr *, struct eth_addr, msec now);
/* Questions could not be sent until now: what was asked for is asked again. */
void next_hops_again(struct next_hops *, msec now);
/* The place is no more, or another. */
void next_hops_forget_place(struct next_hops *, uint64_t place);
/* What is due; when there will be more (INT64_MAX: never). */
msec next_hops_run(struct next_hops *, msec now);

/* NULL: nobody asked for it. */
const struct next_hop *next_hops_find(const struct next_hops *,
                                      uint64_t place,
                                      const struct ip6_addr *);
const struct next_hop *next_hops_by_id(const struct next_hops *,
                                       uint64_t id);
/* Any after this one, in no order; NULL begins and ends. */
const struct next_hop *next_hops_next(const struct next_hops *,
                                      const struct next_hop *);
uint64_t next_hops_count(const struct next_hops *, enum next_hops_event);

/* Is its MAC known? */
static inline bool
next_hop_is_known(const struct next_hop *hop)
{
    return hop->state == NEXT_HOP_KNOWN || hop->state == NEXT_HOP_PROBED;
}

#endif
