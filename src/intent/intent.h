/* Intents: what the operator asked for.
 *
 * The operator's nouns (network, port, uplink, router, forward, security group,
 * host), one struct and one header each, and a set of them: the whole of what
 * one file says, or what the store holds.
 *
 *     YAML file  --parse.c--\                            /--> host/
 *                            node.h -> object -> intent --
 *     JSON (API) --parse.c--/    (schema.c)      |       \--> controller/
 *                                                |
 *            validate.c: does it hold together?  | diff.c: what changes?
 *
 * What a noun's members are called, what they may be and what they mean is one
 * table per noun (schema.h); parser, export, JSON Schema, the manual page and
 * "did you mean" all follow from it.  The way down, step by step, is in
 * doc/intent-path.md.
 *
 * Always true of a sealed set:
 *   - It never changes again; whoever holds a reference may read it on any
 *     thread.  A change is a new set that shares the objects which stayed.
 *   - Every name that an object mentions was looked up: pointers between
 *     objects (port -> network) are set and point into the same set.
 *   - Objects are in order of kind and name.
 *   - Defaults are filled in; `given` says which members the operator wrote.
 */
#ifndef WEFT_INTENT_INTENT_H
#define WEFT_INTENT_INTENT_H

#include "intent/forward.h"
#include "intent/host.h"
#include "intent/network.h"
#include "intent/object.h"
#include "intent/port.h"
#include "intent/router.h"
#include "intent/security_group.h"
#include "intent/uplink.h"

struct intent;
struct diagnostics;
struct str;

/* An empty set, to be filled. */
struct intent *intent_create(void);
struct intent *intent_ref(const struct intent *);
/* Accepts NULL; any thread. */
void intent_unref(const struct intent *);

/* Takes the object over; replaces one of that kind and name.  Before sealing
 * only. */
void intent_set(struct intent *, struct intent_object *);
/* False: there was none. */
bool intent_remove(struct intent *, enum intent_kind, const char *name);
/* A set of the same objects, to be changed. */
struct intent *intent_copy(const struct intent *);
/* Objects that say what those of a sealed set say, at the same places, are
 * replaced by those: who compares two sets by their objects sees at once what
 * is new.  Before sealing only. */
void intent_share(struct intent *, const struct intent *sealed);
/* Looks names up, fills defaults in, validates.  False: it does not hold
 * together, `diagnostics` say why, and the set may only be unref'd. */
bool intent_seal(struct intent *, struct diagnostics *);

const struct intent_object *intent_find(const struct intent *,
                                        enum intent_kind, const char *name);
/* By object_id(): from a flow's cookie back to what asked for it. */
const struct intent_object *intent_find_id(const struct intent *, uint64_t id);
/* The one after it in order of name; of NULL, the first; NULL ends. */
const struct intent_object *intent_next(const struct intent *,
                                        enum intent_kind,
                                        const struct intent_object *);
unsigned int intent_count(const struct intent *, enum intent_kind);
/* Who names it, as in "port 'db', port 'web' and 7 more"; how many. */
unsigned int intent_users(const struct intent *, const struct intent_object *,
                          struct str *);

/* Those of a kind in order of name, by their places; NULL: there are not so
 * many. */
const struct intent_object *intent_at(const struct intent *,
                                      enum intent_kind, unsigned int i);

/* The outer loop is there for the sake of its variable; it runs once. */
#define INTENT_FOR_EACH(TYPE, O, SET, KIND)                                  \
    for (unsigned int O##_at = 0, O##_once = 1; O##_once; O##_once = 0)      \
        for (const struct intent_##TYPE *O;                                  \
             (O = intent_##TYPE##_cast(intent_at(SET, KIND, O##_at)));       \
             O##_at++)
#define INTENT_FOR_EACH_NETWORK(N, SET)                                      \
    INTENT_FOR_EACH(network, N, SET, INTENT_NETWORK)
#define INTENT_FOR_EACH_PORT(P, SET)                                         \
    INTENT_FOR_EACH(port, P, SET, INTENT_PORT)
#define INTENT_FOR_EACH_SECURITY_GROUP(G, SET)                               \
    INTENT_FOR_EACH(security_group, G, SET, INTENT_SECURITY_GROUP)
#define INTENT_FOR_EACH_UPLINK(U, SET)                                       \
    INTENT_FOR_EACH(uplink, U, SET, INTENT_UPLINK)
#define INTENT_FOR_EACH_ROUTER(R, SET)                                       \
    INTENT_FOR_EACH(router, R, SET, INTENT_ROUTER)
#define INTENT_FOR_EACH_FORWARD(F, SET)                                      \
    INTENT_FOR_EACH(forward, F, SET, INTENT_FORWARD)
#define INTENT_FOR_EACH_HOST(H, SET)                                         \
    INTENT_FOR_EACH(host, H, SET, INTENT_HOST)

#endif
