/* Intents: what the operator asked for.
 *
 * The operator's nouns (network, port, uplink; later router, security group,
 * forward, host), one struct and one header each, and a set of them: the whole
 * of what one file says, or what the store holds.
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

#include "intent/network.h"
#include "intent/object.h"
#include "intent/port.h"
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
/* Looks names up, fills defaults in, validates.  False: it does not hold
 * together, `diagnostics` say why, and the set may only be unref'd. */
bool intent_seal(struct intent *, struct diagnostics *);

const struct intent_object *intent_find(const struct intent *,
                                        enum intent_kind, const char *name);
/* By object_id(): from a flow's cookie back to what asked for it. */
const struct intent_object *intent_find_id(const struct intent *, uint64_t id);
/* Those of a kind in order of name; NULL ends. */
const struct intent_object *intent_next(const struct intent *,
                                        enum intent_kind,
                                        const struct intent_object *);
unsigned int intent_count(const struct intent *, enum intent_kind);
/* Who names it, as in "port 'db', port 'web' and 7 more"; how many. */
unsigned int intent_users(const struct intent *, const struct intent_object *,
                          struct str *);

#define INTENT_FOR_EACH_NETWORK(N, SET)                                      \
    for (const struct intent_network *N = NULL;                              \
         (N = intent_network_cast(intent_next(SET, INTENT_NETWORK,           \
                                              N ? &N->object : NULL)));)
#define INTENT_FOR_EACH_PORT(P, SET)                                         \
    for (const struct intent_port *P = NULL;                                 \
         (P = intent_port_cast(intent_next(SET, INTENT_PORT,                 \
                                           P ? &P->object : NULL)));)
#define INTENT_FOR_EACH_UPLINK(U, SET)                                       \
    for (const struct intent_uplink *U = NULL;                               \
         (U = intent_uplink_cast(intent_next(SET, INTENT_UPLINK,             \
                                             U ? &U->object : NULL)));)

#endif
