#include "intent/node.h"

#include <stdlib.h>
#include <yaml.h>

/* ---- The tree ---- */

static struct node *
node_create(enum node_kind kind, const struct place *place)
{
    struct node *node = xzalloc(sizeof *node);

    node->kind = kind;
    node->place = *place;
    return node;
}

void
node_destroy(struct node *node)
{
    struct node *next;

    if (!node) {
        return;
    }
    for (struct node *child = node->first; child; child = next) {
        next = child->next;
        node_destroy(child);
    }
    free(node->text);
    free(node->key);
    free(node);
}

static void
append(struct node *parent, struct node *child)
{
    child->parent = parent;
    if (parent->last) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
    parent->n++;
}

const struct node *
node_find(const struct node *map, const char *key)
{
    NODE_FOR_EACH (child, map) {
        if (child->key && !strcmp(child->key, key)) {
            return child;
        }
    }
    return NULL;
}

/* ---- What is wrong with it ---- */

static void
add_path(const struct node *node, struct str *path)
{
    if (node->parent) {
        add_path(node->parent, path);
    }
    if (node->key) {
        str_addf(path, "%s%s", path->len ? "." : "", node->key);
    }
}

/* The name of the member whose value, or a part of it, this is: items of lists
 * have none themselves. */
static const char *
member_name(const struct node *node)
{
    for (; node; node = node->parent) {
        if (node->key) {
            return node->key;
        }
    }
    return NULL;
}

void
node_error(const struct node *node, struct diagnostics *diagnostics,
           const char *format, ...)
{
    struct str path = STR_INIT, what = STR_INIT;
    const char *name = member_name(node);
    va_list args;

    add_path(node, &path);
    va_start(args, format);
    str_addv(&what, format, args);
    va_end(args);
    if (name && node->place.line) {
        diag_add(diagnostics, &node->place, str_text(&path), "%s: %s", name,
                 str_text(&what));
    } else {
        diag_add(diagnostics, &node->place,
                 path.len ? str_text(&path) : NULL, "%s", str_text(&what));
    }
    str_fini(&path);
    str_fini(&what);
}

void
node_key_error(const struct node *node, struct diagnostics *diagnostics,
               const char *format, ...)
{
    struct str path = STR_INIT;
    va_list args;

    add_path(node, &path);
    va_start(args, format);
    diag_addv(diagnostics, &node->key_place, str_text(&path), format, args);
    va_end(args);
    str_fini(&path);
}

/* ---- YAML ---- */

struct reader {
    yaml_parser_t parser;
    const char *file;
    unsigned int n_nodes;
    struct diagnostics *diagnostics;
};

static struct place
place_of(const struct reader *r, const yaml_mark_t *mark)
{
    return (struct place) { r->file, (uint32_t) mark->line + 1,
                            (uint32_t) mark->column + 1 };
}

static void
refuse(struct reader *r, const struct place *place, const char *what)
{
    diag_add(r->diagnostics, place, NULL, "%s", what);
}

/* libyaml says what is wrong, and where it began to be. */
static void
refuse_syntax(struct reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    struct place place = place_of(r, &parser->problem_mark);
    const char *problem = parser->problem ? parser->problem
                                          : "cannot be read";

    if (parser->error == YAML_READER_ERROR) {
        diag_add(r->diagnostics, &(struct place) { r->file, 0, 0 }, NULL,
                 "this is no YAML: byte %zu: %s", parser->problem_offset,
                 problem);
    } else if (parser->context) {
        diag_add(r->diagnostics, &place, NULL, "this is no YAML: %s (%s that "
                 "began in line %zu)", problem, parser->context,
                 parser->context_mark.line + 1);
    } else {
        diag_add(r->diagnostics, &place, NULL, "this is no YAML: %s", problem);
    }
}

static bool
next_event(struct reader *r, yaml_event_t *event)
{
    if (!yaml_parser_parse(&r->parser, event)) {
        refuse_syntax(r);
        return false;
    }
    return true;
}

/* What YAML can do and an intent must not. */
static const char *
refusal(const yaml_event_t *event)
{
    static const char anchors[] = "anchors and aliases are not used in "
                                  "intents: write it out";
    static const char tags[] = "tags are not used in intents";

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return anchors;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor ? anchors
               : event->data.scalar.tag ? tags
               : strlen((char *) event->data.scalar.value)
                 != event->data.scalar.length ? "a NUL within a text"
               : NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor ? anchors
               : event->data.sequence_start.tag ? tags
               : NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor ? anchors
               : event->data.mapping_start.tag ? tags
               : NULL;
    default:
        return NULL;
    }
}

static bool
is_null(const char *text)
{
    return !*text || !strcmp(text, "~") || !strcmp(text, "null");
}

static struct node *
scalar_node(const yaml_event_t *event, const struct place *place)
{
    const char *text = (const char *) event->data.scalar.value;
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct node *node;

    if (is_plain && is_null(text)) {
        return node_create(NODE_NULL, place);
    }
    node = node_create(NODE_SCALAR, place);
    node->is_plain = is_plain;
    node->text = xstrdup(text);
    return node;
}

static int
compare_keys(const void *a, const void *b)
{
    const struct node *x = *(const struct node *const *) a;
    const struct node *y = *(const struct node *const *) b;
    int order = strcmp(x->key, y->key);

    return order ? order
           : x->key_place.line != y->key_place.line
           ? (x->key_place.line < y->key_place.line ? -1 : 1)
           : x->key_place.column < y->key_place.column ? -1 : 1;
}

static bool
check_keys(struct reader *r, const struct node *map)
{
    const struct node **keys = xcalloc(map->n, sizeof keys[0]);
    unsigned int n = 0;
    bool good = true;

    NODE_FOR_EACH (child, map) {
        keys[n++] = child;
    }
    qsort(keys, n, sizeof keys[0], compare_keys);
    for (unsigned int i = 1; i < n; i++) {
        if (!strcmp(keys[i - 1]->key, keys[i]->key)) {
            node_key_error(keys[i], r->diagnostics,
                           "'%s' is there twice (line %u)", keys[i]->key,
                           keys[i - 1]->key_place.line);
            good = false;
        }
    }
    free(keys);
    return good;
}

static struct node *read_node(struct reader *, const yaml_event_t *,
                              unsigned int depth);

static bool
read_items(struct reader *r, struct node *list, unsigned int depth)
{
    for (;;) {
        yaml_event_t event;
        struct node *item;

        if (!next_event(r, &event)) {
            return false;
        }
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        item = read_node(r, &event, depth + 1);
        yaml_event_delete(&event);
        if (!item) {
            return false;
        }
        append(list, item);
    }
}

static bool
read_entry(struct reader *r, struct node *map, const yaml_event_t *key,
           unsigned int depth)
{
    struct place place = place_of(r, &key->start_mark);
    const char *why = refusal(key);
    yaml_event_t event;
    struct node *value;

    if (why || key->type != YAML_SCALAR_EVENT || !key->data.scalar.length) {
        refuse(r, &place, why ? why : "a key must be a word");
        return false;
    }
    if (!next_event(r, &event)) {
        return false;
    }
    value = read_node(r, &event, depth + 1);
    yaml_event_delete(&event);
    if (!value) {
        return false;
    }
    value->key = xstrdup((const char *) key->data.scalar.value);
    value->key_place = place;
    append(map, value);
    return true;
}

static bool
read_entries(struct reader *r, struct node *map, unsigned int depth)
{
    for (;;) {
        yaml_event_t key;
        bool is_end, good;

        if (!next_event(r, &key)) {
            return false;
        }
        is_end = key.type == YAML_MAPPING_END_EVENT;
        good = is_end || read_entry(r, map, &key, depth);
        yaml_event_delete(&key);
        if (!good) {
            return false;
        }
        if (is_end) {
            return check_keys(r, map);
        }
    }
}

static struct node *
read_node(struct reader *r, const yaml_event_t *event, unsigned int depth)
{
    struct place place = place_of(r, &event->start_mark);
    const char *why = refusal(event);
    struct node *node;
    bool good;

    if (!why && depth > NODE_MAX_DEPTH) {
        why = "nested too deeply";
    } else if (!why && ++r->n_nodes > NODE_MAX_NODES) {
        why = "too much for one file";
    }
    if (why) {
        refuse(r, &place, why);
        return NULL;
    }
    if (event->type == YAML_SCALAR_EVENT) {
        return scalar_node(event, &place);
    }
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        node = node_create(NODE_LIST, &place);
        good = read_items(r, node, depth);
    } else {
        node = node_create(NODE_MAP, &place);
        good = read_entries(r, node, depth);
    }
    if (!good) {
        node_destroy(node);
        return NULL;
    }
    return node;
}

/* The next event must be of that type; else it is what `why` says. */
static bool
expect(struct reader *r, yaml_event_type_t type, const char *why)
{
    yaml_event_t event;
    struct place place;
    bool good;

    if (!next_event(r, &event)) {
        return false;
    }
    good = event.type == type;
    if (!good) {
        place = place_of(r, &event.start_mark);
        refuse(r, &place, why);
    }
    yaml_event_delete(&event);
    return good;
}

static struct node *
read_document(struct reader *r)
{
    yaml_event_t event;
    struct node *node;

    if (!expect(r, YAML_STREAM_START_EVENT, "there is nothing")
        || !expect(r, YAML_DOCUMENT_START_EVENT, "there is nothing in it")
        || !next_event(r, &event)) {
        return NULL;
    }
    node = read_node(r, &event, 0);
    yaml_event_delete(&event);
    if (node
        && (!expect(r, YAML_DOCUMENT_END_EVENT, "the document does not end")
            || !expect(r, YAML_STREAM_END_EVENT,
                       "a second document: an intent is one"))) {
        node_destroy(node);
        return NULL;
    }
    return node;
}

struct node *
node_parse_yaml(const char *file, const void *text, size_t len,
                struct diagnostics *diagnostics)
{
    struct reader r = { .file = file, .diagnostics = diagnostics };
    struct place place = { file, 0, 0 };
    struct node *node;

    if (len > NODE_MAX_BYTES) {
        refuse(&r, &place, "too much for one file");
        return NULL;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        refuse(&r, &place, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, text, len);
    node = read_document(&r);
    yaml_parser_delete(&r.parser);
    return node;
}

/* ---- JSON ---- */

static struct node *
from_json(const json_t *json, unsigned int depth, unsigned int *n_nodes,
          const char **why);

static void
set_textf(struct node *node, const char *format, ...) PRINTF_FORMAT(2, 3);

static void
set_textf(struct node *node, const char *format, ...)
{
    struct str text = STR_INIT;
    va_list args;

    va_start(args, format);
    str_addv(&text, format, args);
    va_end(args);
    node->is_plain = true;
    node->text = str_steal(&text);
}

static bool
add_json(struct node *parent, const char *key, const json_t *json,
         unsigned int depth, unsigned int *n_nodes, const char **why)
{
    struct node *child = from_json(json, depth, n_nodes, why);

    if (!child) {
        return false;
    }
    child->key = key ? xstrdup(key) : NULL;
    append(parent, child);
    return true;
}

static bool
add_members(struct node *node, const json_t *json, unsigned int depth,
            unsigned int *n_nodes, const char **why)
{
    const char *key;
    json_t *value;
    size_t i;

    if (node->kind == NODE_LIST) {
        json_array_foreach (json, i, value) {
            if (!add_json(node, NULL, value, depth + 1, n_nodes, why)) {
                return false;
            }
        }
        return true;
    }
    json_object_foreach ((json_t *) (uintptr_t) json, key, value) {
        if (!*key) {
            *why = "a key must be a word";
            return false;
        }
        if (!add_json(node, key, value, depth + 1, n_nodes, why)) {
            return false;
        }
    }
    return true;
}

static struct node *
from_json(const json_t *json, unsigned int depth, unsigned int *n_nodes,
          const char **why)
{
    static const enum node_kind kinds[] = {
        [JSON_OBJECT] = NODE_MAP,     [JSON_ARRAY] = NODE_LIST,
        [JSON_STRING] = NODE_SCALAR,  [JSON_INTEGER] = NODE_SCALAR,
        [JSON_REAL] = NODE_SCALAR,    [JSON_TRUE] = NODE_SCALAR,
        [JSON_FALSE] = NODE_SCALAR,   [JSON_NULL] = NODE_NULL,
    };
    static const struct place nowhere = { NULL, 0, 0 };
    struct node *node;

    if (depth > NODE_MAX_DEPTH) {
        *why = "nested too deeply";
        return NULL;
    }
    if (++*n_nodes > NODE_MAX_NODES) {
        *why = "too much for one request";
        return NULL;
    }
    node = node_create(kinds[json_typeof(json)], &nowhere);
    switch (json_typeof(json)) {
    case JSON_STRING:
        if (strlen(json_string_value(json)) != json_string_length(json)) {
            *why = "a NUL within a text";
            node_destroy(node);
            return NULL;
        }
        node->text = xstrdup(json_string_value(json));
        break;
    case JSON_INTEGER:
        set_textf(node, "%lld", (long long) json_integer_value(json));
        break;
    case JSON_REAL:
        set_textf(node, "%.15g", json_real_value(json));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        set_textf(node, "%s", json_is_true(json) ? "true" : "false");
        break;
    default:
        if (!add_members(node, json, depth, n_nodes, why)) {
            node_destroy(node);
            return NULL;
        }
        break;
    }
    return node;
}

struct node *
node_from_json(const json_t *json, struct diagnostics *diagnostics)
{
    unsigned int n_nodes = 0;
    const char *why = NULL;
    struct node *node = from_json(json, 0, &n_nodes, &why);

    if (!node) {
        diag_add(diagnostics, NULL, NULL, "%s", why);
    }
    return node;
}

json_t *
node_to_json(const struct node *node)
{
    json_t *json;

    switch (node->kind) {
    case NODE_NULL:
        return json_null();
    case NODE_SCALAR:
        return json_string(node->text);
    case NODE_LIST:
        json = json_array();
        NODE_FOR_EACH (child, node) {
            json_array_append_new(json, node_to_json(child));
        }
        return json;
    default:
        json = json_object();
        NODE_FOR_EACH (child, node) {
            json_object_set_new(json, child->key, node_to_json(child));
        }
        return json;
    }
}
