/* Explain: "can web reach db by tcp/443?", by name.
 *
 *     the controller:  explain_ask()     names -> the packets of that
 *                                        conversation, port by port (legs)
 *     the switch:                        what becomes of each (its own trace)
 *     the controller:  explain_answer()  -> a verdict, the intent that decided,
 *                                        the command that would change it
 *
 * The two threads hand the question on; what is in it is its own, for intents
 * may have changed on the way.  Where the switch cannot be asked (it is another
 * program), the answer comes from the plan alone.
 *
 * An end of the question is
 *
 *     web               a port
 *     blue/web          a port, in this network (of a trunk's)
 *     web@10.0.0.9      a port's guest, sending as somebody else
 *     10.1.0.20         an address, v4 or v6: the port that has it, a station of
 *                       the LAN, or whoever is behind the gateway
 *     lan/192.0.2.7     a station of the LAN behind that uplink
 *     wan/192.0.2.9     somebody outside, from where he comes in by NAT; or his
 *                       address alone, to an address that an uplink has
 *     239.1.2.3         a multicast group: whoever hears it
 *     gateway           of the other end's network
 *
 * and what is asked is tcp/N, udp/N, sctp/N, icmp, any, arp; with a 6 (tcp6/N,
 * icmp6, any6, nd) by IPv6, which is also taken when an address says so or when
 * the two have nothing else.
 *
 * Nothing here blocks; the controller's thread. */
#ifndef WEFT_CONTROLLER_EXPLAIN_H
#define WEFT_CONTROLLER_EXPLAIN_H

#include "intent/object.h"
#include "lib/str.h"

/* X(ID, name, "what it is", from the other end)  In the order of a
 * conversation. */
#define EXPLAIN_LEGS(X)                                                      \
    X(LEG_ASK, "ask", "its question for the address", false)                 \
    X(LEG_TELL, "tell", "the answer to its question for the address", true)  \
    X(LEG_THERE, "there", "what it sends", false)                            \
    X(LEG_ASK_BACK, "ask_back", "the other's question for the address",      \
      true)                                                                  \
    X(LEG_TELL_BACK, "tell_back",                                            \
      "the answer to the other's question for the address", false)           \
    X(LEG_BACK, "back", "the reply", true)

enum explain_leg_id {
#define X(ID, NAME, TEXT, IS_BACK) ID,
    EXPLAIN_LEGS(X)
#undef X
    N_EXPLAIN_LEGS
};

enum { EXPLAIN_MAX_METERS = 6 };

/* What the switch said of a leg; texts are owned by whoever filled it in. */
struct explain_outcome {
    unsigned int n_entries;       /* met on the way */
    const struct explain_entry {
        uint8_t table;
        uint64_t cookie;
    } *entries;
    unsigned int n_outputs;
    const uint32_t *outputs;      /* numbers of ports */
    bool to_controller;
    const char *verdict;          /* in its words */
};

/* A packet of the conversation. */
struct explain_leg {
    bool is_asked;                /* the conversation has it */
    uint32_t in_port;             /* the switch's number */
    uint32_t ends[2];             /* it arrives when it leaves by one; 0: none */
    bool may_be_ours;             /* or when the controller's services get it */
    bool may_be_anywhere;         /* or by whatever port */
    bool may_be_asked;            /* or when a station is asked for, that may
                                     be there */
    struct str packet;            /* as a match */

    bool is_traced;               /* once it was */
    bool passes;
    struct str stage, origin, verdict;    /* of what decided */
    uint64_t cookie;
    struct str path;              /* "stage\torigin\n" for each entry */
};

/* One of the two. */
struct explain_side {
    struct str text;              /* as it was written */
    char port[INTENT_NAME_MAX];   /* its intent's name; "": not a port */
    char switch_name[16];         /* of its port or uplink; "": none */
    char network[INTENT_NAME_MAX];
    struct str address;           /* "": none is known */
    struct str trouble;           /* why nothing can come or go; "": no such */
    bool is_gateway, is_group, is_spoofed, is_isolated;
    bool is_away;                 /* at another host: */
    char host[INTENT_NAME_MAX];
};

struct explain_meter {
    uint32_t id;
    bool is_to;                   /* of the second's port */
    const char *what;             /* "storm cap" */
    uint64_t n_dropped;           /* once asked */
};

/* No rule of an end's security groups lets it pass. */
struct explain_closed {
    bool is_closed;               /* false: or they only count */
    uint64_t origin;              /* of the group; once `why` is there */
    struct str why, fix;          /* "": a rule does, or there are no groups */
};

enum explain_verdict { EXPLAIN_PASSES, EXPLAIN_FAILS, EXPLAIN_UNKNOWN };

struct explain {
    struct explain_side from, to;
    struct str what;
    bool is_v6;
    bool is_joined;               /* a router joins their networks */
    struct explain_closed closed_out, closed_in;      /* from, to */
    struct str join;              /* the command by which one would; "": none */
    /* One is outside, beyond this uplink, by NAT; "": neither is. */
    char uplink[INTENT_NAME_MAX];
    bool needs_forward;           /* it goes to an address of the uplink's */
    char forward[INTENT_NAME_MAX];        /* that leads there; "": none */
    struct str open;              /* the command that would open it */
    struct str way;               /* of uplinks by which it could leave: the
                                     command; "": there is none */
    struct explain_leg legs[N_EXPLAIN_LEGS];
    unsigned int n_meters;
    struct explain_meter meters[EXPLAIN_MAX_METERS];
    struct str notes;             /* sentences, each with its newline */

    enum explain_verdict verdict;
    int decided;                  /* the leg; -1: none */
    struct str why, fix;
    struct str origin;            /* of what decided without a leg */
};

struct topology;

void explain_fini(struct explain *);
const char *explain_leg_name(enum explain_leg_id);
/* The one whose packet it is. */
const struct explain_side *explain_sender(const struct explain *,
                                          enum explain_leg_id);
const struct explain_side *explain_receiver(const struct explain *,
                                            enum explain_leg_id);

/* -EINVAL, -ENOENT, -ENODATA (nobody can know) with `error`; of the latter,
 * e->from.host is who can, if another host does. */
int explain_ask(const struct topology *, const char *from, const char *to,
                const char *what, struct explain *, struct str *error);

/* Whose flow it is: "port 'web' (cloud.yaml:12)". */
typedef void explain_origin(void *aux, uint64_t cookie, struct str *);
void explain_add_outcome(struct explain *, enum explain_leg_id,
                         const struct explain_outcome *, explain_origin *,
                         void *aux);
/* After all outcomes: the verdict. */
void explain_decide(struct explain *);
/* Without a switch to ask. */
void explain_by_plan(const struct topology *, struct explain *,
                     explain_origin *, void *aux);

#endif
