/* A tree of maps, lists and scalars, each with the place where it was written:
 * what YAML and JSON have in common.
 *
 * From YAML the least that is useful: no anchors, aliases, tags, merge keys or
 * second documents, no duplicate keys, and every scalar stays the text that was
 * written.  What it means is decided by the member that it is the value of, so
 * that `off` is never false and 1.20 never 1.2 by accident.
 *
 * Bytes from outside: depth, size and number of nodes are bounded. */
#ifndef WEFT_INTENT_NODE_H
#define WEFT_INTENT_NODE_H

#include <jansson.h>

#include "intent/diag.h"

enum {
    NODE_MAX_DEPTH = 16,
    NODE_MAX_NODES = 1 << 20,
    NODE_MAX_BYTES = 32 << 20,
};

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    bool is_plain;                /* a scalar without quotes; in JSON, a number,
                                     true or false */
    struct place place;
    char *text;                   /* NODE_SCALAR; without NULs inside */
    char *key;                    /* in a map; else NULL */
    struct place key_place;
    struct node *parent, *next;
    struct node *first, *last;    /* of a list or map, in order */
    unsigned int n;               /* how many */
};

/* NULL: `diagnostics` say why.  `file` is what places are called by; it must
 * outlive the tree. */
struct node *node_parse_yaml(const char *file, const void *text, size_t len,
                             struct diagnostics *);
struct node *node_from_json(const json_t *, struct diagnostics *);
/* Accepts NULL. */
void node_destroy(struct node *);
/* Scalars become texts, whatever they look like. */
json_t *node_to_json(const struct node *);

#define NODE_FOR_EACH(CHILD, NODE)                                           \
    for (const struct node *CHILD = (NODE)->first; CHILD; CHILD = CHILD->next)

/* NULL: not there. */
const struct node *node_find(const struct node *map, const char *key);

/* At the node's place.  What a diagnostic says begins with the name of the
 * member that the node is the value of. */
void node_error(const struct node *, struct diagnostics *,
                const char *format, ...) PRINTF_FORMAT(3, 4);
/* At the place of its key, and without that name. */
void node_key_error(const struct node *, struct diagnostics *,
                    const char *format, ...) PRINTF_FORMAT(3, 4);

#endif
