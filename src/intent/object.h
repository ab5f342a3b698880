/* What every intent object has: a kind, a name, the place where it was written.
 *
 * An object is immutable once its set is sealed (intent.h), and shared by the
 * sets that did not change it. */
#ifndef WEFT_INTENT_OBJECT_H
#define WEFT_INTENT_OBJECT_H

#include "lib/types.h"
#include "packet/packet.h"

/* X(ID, the noun, the file's section, its table)  In the order of a file, to
 * which new nouns are appended: their numbers are part of ids, which never
 * change.  A new noun is a row here, and a file with its `struct noun`
 * (schema.h). */
#define INTENT_KINDS(X)                                                      \
    X(INTENT_UPLINK, "uplink", "uplinks", uplink_noun)                       \
    X(INTENT_NETWORK, "network", "networks", network_noun)                   \
    X(INTENT_PORT, "port", "ports", port_noun)                               \
    X(INTENT_ROUTER, "router", "routers", router_noun)                       \
    X(INTENT_FORWARD, "forward", "forwards", forward_noun)                   \
    X(INTENT_SECURITY_GROUP, "security-group", "security-groups",            \
      security_group_noun)                                                   \
    X(INTENT_HOST, "host", "hosts", host_noun)

enum intent_kind {
#define X(ID, NOUN, SECTION, TABLE) ID,
    INTENT_KINDS(X)
#undef X
    N_INTENT_KINDS
};

enum {
    INTENT_NAME_MAX = 64,         /* with the NUL.  [a-z0-9]([a-z0-9-]*[a-z0-9])?
                                     a DNS label, since it becomes one */
};

/* Where something was written.  No file: by a command or the API. */
struct place {
    const char *file;             /* borrowed, but for an object's own */
    uint32_t line, column;        /* from 1; 0: unknown */
};

/* The same, within the file of the object. */
struct member_place {
    uint32_t line, column;
};

struct intent_object {
    enum intent_kind kind;
    bool is_sealed;               /* was in a sealed set: changes no more */
    unsigned int n_refs;          /* by sets; atomic */
    uint64_t id;                  /* of kind and name: the same on every host
                                     and after every restart; the top four bits
                                     are the kind + 1, so that it is never 0 */
    uint64_t given;               /* bit i: member i of the kind's table was
                                     written by the operator */
    char name[INTENT_NAME_MAX];
    struct place place;           /* of the name; the file's name is its own */
    struct member_place *places;  /* by member; owned; NULL: from no file */
};

const char *intent_kind_noun(enum intent_kind);
const char *intent_kind_section(enum intent_kind);
uint64_t intent_object_id(enum intent_kind, const char *name);

/* A station's address made of the id: unicast, locally administered. */
struct eth_addr intent_object_mac(const struct intent_object *);

/* May it be called that?  `why` (may be NULL) gets what is wrong. */
bool intent_name_is_valid(const char *name, const char **why);

/* An object of which nothing is known but its name; for intent_set(). */
struct intent_object *intent_object_create(enum intent_kind,
                                           const char *name);
struct intent_object *intent_object_ref(const struct intent_object *);
/* Accepts NULL; any thread. */
void intent_object_unref(const struct intent_object *);

/* An address with a prefix; len 0 with is_set false: none. */
struct subnet4 {
    bool is_set;
    uint8_t len;
    be32 addr;                    /* as written; host bits may be set */
};

struct subnet6 {
    bool is_set;
    uint8_t len;
    struct ip6_addr addr;
};

#endif
