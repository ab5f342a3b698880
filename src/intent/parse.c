#include "intent/parse.h"

#include <stdio.h>
#include <stdlib.h>

#include "intent/schema.h"
#include "intent/value.h"

/* `node` is what stands behind the name. */
static struct intent_object *
parse_object(enum intent_kind kind, const struct node *node,
             struct diagnostics *diagnostics)
{
    const struct noun *noun = intent_noun(kind);
    struct intent_object *object;
    struct str whose = STR_INIT;
    size_t n_members = 0;
    const char *why;
    bool good;

    if (!intent_name_is_valid(node->key, &why)) {
        node_key_error(node, diagnostics, "'%s' cannot be a name: %s",
                       node->key, why);
        return NULL;
    }
    object = intent_object_create(kind, node->key);
    object->place = node->key_place;
    if (object->place.file) {
        object->place.file = xstrdup(object->place.file);
        while (noun->members[n_members].name) {
            n_members++;
        }
        object->places = xcalloc(n_members, sizeof object->places[0]);
    }
    str_addf(&whose, "%s '%s'", intent_kind_noun(kind), node->key);
    good = members_parse(noun->members, str_text(&whose), node, object,
                         &object->given, object->places, diagnostics);
    str_fini(&whose);
    if (!good) {
        intent_object_unref(object);
        return NULL;
    }
    return object;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp((*(const struct intent_object *const *) a)->name,
                  (*(const struct intent_object *const *) b)->name);
}

/* In order of name, as a set takes them quickest. */
static void
add_objects(struct intent *set, struct intent_object **objects, unsigned int n)
{
    qsort(objects, n, sizeof objects[0], compare_names);
    for (unsigned int i = 0; i < n; i++) {
        intent_set(set, objects[i]);
    }
}

static bool
parse_section(struct intent *set, enum intent_kind kind,
              const struct node *section, struct diagnostics *diagnostics)
{
    struct intent_object **objects;
    unsigned int n = 0;

    if (section->kind == NODE_NULL) {
        return true;
    }
    if (section->kind != NODE_MAP) {
        node_error(section, diagnostics, "should be a map from names to %s",
                   intent_kind_section(kind));
        return false;
    }
    objects = xcalloc(section->n, sizeof objects[0]);
    NODE_FOR_EACH (node, section) {
        objects[n] = parse_object(kind, node, diagnostics);
        n += objects[n] != NULL;
    }
    add_objects(set, objects, n);
    free(objects);
    return n == section->n;
}

static bool
parse_version(const struct node *root, struct diagnostics *diagnostics)
{
    const struct node *node = node_find(root, "version");
    uint64_t version;

    if (!node) {
        node_error(root, diagnostics, "the file needs 'version: %d'",
                   INTENT_VERSION);
        return false;
    }
    if (!value_is_scalar(node, "a number", diagnostics)) {
        return false;
    }
    if (!number_parse(node->text, UINT32_MAX, &version)
        || version != INTENT_VERSION) {
        node_error(node, diagnostics, "this Weft knows version %d, not '%s'",
                   INTENT_VERSION, node->text);
        return false;
    }
    return true;
}

static void
unknown_section(const struct node *node, struct diagnostics *diagnostics)
{
    const char *names[N_INTENT_KINDS + 2] = { "version" };
    struct str hint = STR_INIT;

    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        names[kind + 1] = intent_kind_section((enum intent_kind) kind);
    }
    diag_add_nearest(&hint, node->key, names);
    if (!hint.len) {
        str_add(&hint, "; there are");
        for (unsigned int i = 0; names[i]; i++) {
            str_addf(&hint, "%s %s", i ? "," : "", names[i]);
        }
    }
    node_key_error(node, diagnostics, "unknown section '%s'%s", node->key,
                   str_text(&hint));
    str_fini(&hint);
}

static bool
parse_sections(struct intent *set, const struct node *root,
               struct diagnostics *diagnostics)
{
    bool good;

    if (root->kind != NODE_MAP) {
        node_error(root, diagnostics, "an intent is a map: version, uplinks, "
                   "networks, ports");
        return false;
    }
    good = parse_version(root, diagnostics);
    NODE_FOR_EACH (node, root) {
        unsigned int kind = 0;

        if (!strcmp(node->key, "version")) {
            continue;
        }
        while (kind < N_INTENT_KINDS
               && strcmp(node->key,
                         intent_kind_section((enum intent_kind) kind))) {
            kind++;
        }
        if (kind == N_INTENT_KINDS) {
            unknown_section(node, diagnostics);
            good = false;
        } else if (!parse_section(set, (enum intent_kind) kind, node,
                                  diagnostics)) {
            good = false;
        }
    }
    return good;
}

bool
intent_parse(struct intent *set, const char *file, const void *text,
             size_t len, struct diagnostics *diagnostics)
{
    struct node *root = node_parse_yaml(file, text, len, diagnostics);
    bool good = root && parse_sections(set, root, diagnostics);

    node_destroy(root);
    return good;
}

bool
intent_parse_file(struct intent *set, const char *path,
                  struct diagnostics *diagnostics)
{
    struct place place = { path, 0, 0 };
    bool is_stdin = !strcmp(path, "-"), good = false;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    struct str text = STR_INIT;
    char part[65536];
    size_t n;

    if (is_stdin) {
        place.file = "(standard input)";
    }
    if (!file) {
        diag_add(diagnostics, &place, NULL, "cannot be opened: %s",
                 strerror(errno));
        return false;
    }
    while (text.len <= NODE_MAX_BYTES
           && (n = fread(part, 1, sizeof part, file)) > 0) {
        str_add_bytes(&text, part, n);
    }
    if (ferror(file)) {
        diag_add(diagnostics, &place, NULL, "cannot be read: %s",
                 strerror(errno));
    } else {
        good = intent_parse(set, place.file, str_text(&text), text.len,
                            diagnostics);
    }
    if (!is_stdin) {
        fclose(file);
    }
    str_fini(&text);
    return good;
}

bool
intent_parse_json(struct intent *set, const json_t *json,
                  struct diagnostics *diagnostics)
{
    struct node *root = node_from_json(json, diagnostics);
    bool good = root && parse_sections(set, root, diagnostics);

    node_destroy(root);
    return good;
}

struct intent_object *
intent_parse_object(enum intent_kind kind, const char *name,
                    const json_t *members, struct diagnostics *diagnostics)
{
    struct node *node = node_from_json(members, diagnostics);
    struct intent_object *object;

    if (!node) {
        return NULL;
    }
    node->key = xstrdup(name);
    object = parse_object(kind, node, diagnostics);
    node_destroy(node);
    return object;
}

json_t *
intent_parse_value(const char *text, struct diagnostics *diagnostics)
{
    struct node *node = node_parse_yaml(NULL, text, strlen(text),
                                        diagnostics);
    json_t *json = node ? node_to_json(node) : NULL;

    node_destroy(node);
    return json;
}
