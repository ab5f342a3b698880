/* What a noun's members are called, what they may be and what they mean: one
 * table per noun (network.c, port.c, uplink.c).
 *
 * From the table follow what a file may say and what is wrong with one that
 * says something else, the export, JSON in and out, the published JSON Schema
 * (doc/intent.schema.json), what the manual page must name, and what a change
 * interrupts (diff.h). */
#ifndef WEFT_INTENT_SCHEMA_H
#define WEFT_INTENT_SCHEMA_H

#include "intent/intent.h"
#include "intent/node.h"

struct member;

/* One kind of value (value.h has the common ones). */
struct value_type {
    const char *what;             /* "an IPv4 address" */

    /* Reads `node` into the member of the struct.  False: `diagnostics` say
     * why. */
    bool (*parse)(const struct member *, const struct node *, void *value,
                  struct diagnostics *);
    /* As it would be written; NULL: there is nothing to write. */
    json_t *(*format)(const struct member *, const void *value);
    json_t *(*schema)(const struct member *);
};

/* What changing a member does to ports, from the least on.  A port meets what
 * changes of itself, and of its networks. */
enum effect {
    EFFECT_NOTHING,               /* no packet notices */
    EFFECT_FLOWS,                 /* flow entries are replaced in one step;
                                     what stays allowed goes on */
    EFFECT_CUT,                   /* what ran under the old value ends */
    EFFECT_REOPEN,                /* the NIC is taken away and comes back */
};

/* A row.  `given` of the struct has bit i for row i. */
struct member {
    const char *name;
    const struct value_type *type;
    size_t offset, size;          /* in the struct; size 0: no one field */
    enum effect effect;
    bool may_begin;               /* where there was none, a first value cuts
                                     nobody off */
    bool is_required;
    const char *fallback;         /* what it is when not given; NULL: nothing */
    const char *doc;              /* one line */

    /* What some types need to know. */
    int64_t min, max;
    const char *const *words;     /* NULL-terminated, in order of the enum */
};

enum { SCHEMA_MAX_MEMBERS = 64 };

/* offset and size of field M of struct S. */
#define MEMBER_AT(S, M) .offset = offsetof(struct S, M),                     \
                        .size = sizeof(((struct S *) 0)->M)

/* A name that an object mentions. */
struct reference {
    enum intent_kind kind;
    const char *name;             /* empty: none */
    void *target;                 /* the pointer that the object found goes to:
                                     a const struct intent_KIND *.  NULL: it
                                     only has to be there, and a change of it
                                     is none of who names it */
    const char *member;           /* whose value the name is, or is part of */
};

enum {
    NOUN_MAX_REFERENCES = PORT_MAX_TRUNK + PORT_MAX_SECURITY_GROUPS + 3,
};
static_assert(SECURITY_GROUP_MAX_PEERS <= (int) NOUN_MAX_REFERENCES,
              "references() of security_group.c");

struct validation;

struct noun {
    const char *doc;              /* one line */
    size_t size;                  /* of its struct; the object is its first
                                     member */
    const struct member *members; /* a NULL name ends */
    bool is_free_name;            /* others may mention any name while there is
                                     no such object at all: their `check` says
                                     what is wrong with it, by
                                     validation_name() */

    /* Frees what it owns besides itself; NULL: nothing. */
    void (*fini)(struct intent_object *);
    /* After a copy byte for byte: what it owns becomes its own. */
    void (*unshare)(struct intent_object *);
    /* Fills in what was not given. */
    void (*fill)(struct intent_object *);
    /* What follows from the set as a whole: whether it is something else than
     * `object` has.  Writes it there when `object` is not sealed.  Comes before
     * fill(), by whose defaults objects of that kind do not go.  NULL: nothing
     * does. */
    bool (*follow)(struct intent_object *, const struct intent_underlay *);
    /* The names that it mentions; returns how many.  NULL: none. */
    unsigned int (*references)(struct intent_object *,
                               struct reference[NOUN_MAX_REFERENCES]);
    /* What does not hold, by the functions of validate.h; NULL: nothing. */
    void (*check)(const struct intent_object *, struct validation *);
};

extern const struct noun uplink_noun, network_noun, security_group_noun,
                         port_noun, router_noun, forward_noun, host_noun;

const struct noun *intent_noun(enum intent_kind);

/* What the member of the struct `base` holds; NULL: nothing. */
json_t *member_json(const struct member *, const void *base);
/* Do two structs hold the same there? */
bool member_is_same(const struct member *, const void *a, const void *b);

/* -1: there is none. */
int member_index(const struct member *, const char *name);

/* Reads the members of `map` into the struct `base`.  `places` may be NULL;
 * `whose` is "a network". */
bool members_parse(const struct member *, const char *whose,
                   const struct node *map, void *base, uint64_t *given,
                   struct member_place *places, struct diagnostics *);
/* The object {"name": value...} of the members in `which`. */
json_t *members_format(const struct member *, const void *base,
                       uint64_t which);
/* {"type": "object", "properties": ...} */
json_t *members_schema(const struct member *);

/* At the place of the member (NULL, or not given: of the object's name). */
void object_error(const struct intent_object *, const char *member,
                  struct diagnostics *, const char *format, ...)
    PRINTF_FORMAT(4, 5);
/* Where a member was written; without one, the name. */
struct place object_place(const struct intent_object *, const char *member);
/* Did the operator say it? */
bool object_has(const struct intent_object *, const char *member);

#endif
