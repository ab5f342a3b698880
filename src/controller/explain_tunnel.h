/* Ends of a question that are at other hosts (explain.h).
 *
 * Here it is asked what our own switch does: what goes there leaves by a tunnel,
 * what comes from there enters by it, with what that host has made of it.  What
 * security groups say at the other end is in the plan. */
#ifndef WEFT_CONTROLLER_EXPLAIN_TUNNEL_H
#define WEFT_CONTROLLER_EXPLAIN_TUNNEL_H

#include "controller/explain.h"
#include "controller/explain_end.h"

static inline bool
explain_is_away(const struct explain_end *end)
{
    return end->port && end->port->host;
}

/* What the outer header of a packet from there says: ",tun_id=5001,...". */
void explain_tunnel_add(const struct topology *, const struct explain_end *from,
                        const struct explain_end *to, struct str *out);
/* Where an end is, if it is away. */
void explain_tunnel_note(const struct topology *, const struct explain_end *,
                         struct str *notes);

/* Does a port of ours ask for one of a network that is nothing to this host?  If
 * a router joined the two, it would be something: that is the answer, and the two
 * sides and the trouble are filled in. */
bool explain_tunnel_apart(const struct topology *, const char *from,
                          const char *to, struct explain *);

#endif
