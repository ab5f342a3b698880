/* security group: who may open connections to the ports that name it, and to
 * whom those may.
 *
 *     web: {in: [{protocol: tcp, port: 443}, {from: lb}]}
 *     db:  {in: [{protocol: tcp, port: 5432, from: web}], out: [], audit: true}
 *
 * A list of what is allowed; what belongs to a connection that was allowed
 * passes in both directions.  A port with security groups hears what a rule of
 * one of them lets in.  It may send anything, unless one of them says `out`:
 * then only what a rule lets out. */
#ifndef WEFT_INTENT_SECURITY_GROUP_H
#define WEFT_INTENT_SECURITY_GROUP_H

#include "intent/object.h"

struct security_rule;

enum {
    SECURITY_GROUP_MAX_RULES = 1024,          /* each way */
    SECURITY_GROUP_MAX_PEERS = 64,            /* other groups in its rules */
};

struct security_rules {
    bool is_given;                /* a list, though it may be empty */
    unsigned int n;
    struct security_rule *list;   /* owned; in order as written */
};

struct intent_security_group {
    struct intent_object object;
    struct security_rules in, out;
    bool is_audit;                /* counts what it would drop, and drops
                                     nothing */
    /* Those that its rules name, each once. */
    unsigned int n_peers;
    struct security_peer {
        char name[INTENT_NAME_MAX];
        uint64_t id;              /* of the object */
    } *peers;                     /* owned */
};

static inline const struct intent_security_group *
intent_security_group_cast(const struct intent_object *object)
{
    return object ? CONTAINER_OF(object, const struct intent_security_group,
                                 object) : NULL;
}

#endif
