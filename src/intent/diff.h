/* What changes between two sets, member by member, and what that does to
 * traffic: the plan that an operator reads before it happens.
 *
 *     ~ network red
 *         segment: {vlan: 20, uplink: lan} -> {vlan: 30, uplink: lan}
 *     + port api: {network: red, netns: api}
 *     - port old
 *
 *     Interrupted: 2 of 7 ports
 *       old  goes away
 *       db   network 'red' changes: segment
 *
 * A port is interrupted when a member of its own, of one of its networks or of
 * their uplink changes whose row says so (schema.h).  Values are compared as
 * they hold, defaults filled in; that somebody now writes a default down is a
 * change that no packet notices. */
#ifndef WEFT_INTENT_DIFF_H
#define WEFT_INTENT_DIFF_H

#include "intent/schema.h"

enum change { CHANGE_ADD, CHANGE_MODIFY, CHANGE_REMOVE };

struct member_change {
    const struct member *member;
    enum effect effect;           /* nothing, when the values are the same */
    json_t *before, *after;       /* NULL: nothing */
};

struct object_change {
    enum change change;
    const struct intent_object *before, *after;   /* one may be NULL */
    enum effect effect;           /* the worst of the members' */
    unsigned int n_members;
    struct member_change *members;
};

struct port_change {
    const struct intent_port *port;       /* the old one, when it goes away */
    enum effect effect;
    char *why;                            /* "address changes" */
};

struct diff {
    const struct intent *before, *after;  /* references */
    unsigned int n_changes;
    struct object_change *changes;        /* in order of kind and name */
    /* Ports that were there and meet a change, in order of name. */
    unsigned int n_ports;
    struct port_change *ports;
    unsigned int n_interrupted;           /* of them */
};

/* Both sets are sealed. */
struct diff *diff_create(const struct intent *before,
                         const struct intent *after);
/* Accepts NULL. */
void diff_destroy(struct diff *);

/* In words; an empty diff says that nothing changes. */
void diff_format(const struct diff *, struct str *);
json_t *diff_json(const struct diff *);

static inline bool
effect_interrupts(enum effect effect)
{
    return effect >= EFFECT_CUT;
}

#endif
