#include "intent/schema.h"

static const struct noun *const nouns[] = {
#define X(ID, NOUN, SECTION, TABLE) [ID] = &TABLE,
    INTENT_KINDS(X)
#undef X
};

const struct noun *
intent_noun(enum intent_kind kind)
{
    return nouns[kind];
}

json_t *
member_json(const struct member *member, const void *base)
{
    return member->type->format(member, (const char *) base + member->offset);
}

/* The bytes often tell; else what would be written does (pointers, padding, and
 * what is no one field). */
bool
member_is_same(const struct member *member, const void *a, const void *b)
{
    json_t *x, *y;
    bool is_same;

    if (member->size && !memcmp((const char *) a + member->offset,
                                (const char *) b + member->offset,
                                member->size)) {
        return true;
    }
    x = member_json(member, a);
    y = member_json(member, b);
    is_same = x && y ? json_equal(x, y) : x == y;
    json_decref(x);
    json_decref(y);
    return is_same;
}

int
member_index(const struct member *members, const char *name)
{
    for (int i = 0; members[i].name; i++) {
        if (!strcmp(members[i].name, name)) {
            return i;
        }
    }
    return -1;
}

/* ---- In ---- */

static void
unknown_member(const struct member *members, const char *whose,
               const struct node *node, struct diagnostics *diagnostics)
{
    const char *names[SCHEMA_MAX_MEMBERS + 1] = { 0 };
    struct str hint = STR_INIT;

    for (size_t i = 0; members[i].name; i++) {
        names[i] = members[i].name;
    }
    diag_add_nearest(&hint, node->key, names);
    if (!hint.len) {
        str_add(&hint, "; it has");
        for (size_t i = 0; names[i]; i++) {
            str_addf(&hint, "%s %s", i ? "," : "", names[i]);
        }
    }
    node_key_error(node, diagnostics, "%s has no '%s'%s", whose, node->key,
                   str_text(&hint));
    str_fini(&hint);
}

static bool
check_required(const struct member *members, const char *whose,
               const struct node *map, uint64_t seen,
               struct diagnostics *diagnostics)
{
    bool good = true;

    for (size_t i = 0; members[i].name; i++) {
        if (members[i].is_required && !(seen >> i & 1)) {
            node_error(map, diagnostics, "%s needs '%s'", whose,
                       members[i].name);
            good = false;
        }
    }
    return good;
}

bool
members_parse(const struct member *members, const char *whose,
              const struct node *map, void *base, uint64_t *given,
              struct member_place *places, struct diagnostics *diagnostics)
{
    uint64_t seen = 0;
    bool good = true;

    if (map->kind != NODE_MAP && map->kind != NODE_NULL) {
        node_error(map, diagnostics, "%s is a map, like {%s: ...}", whose,
                   members[0].name);
        return false;
    }
    NODE_FOR_EACH (node, map) {
        int i = member_index(members, node->key);
        const struct member *member;

        if (i < 0) {
            unknown_member(members, whose, node, diagnostics);
            good = false;
            continue;
        }
        member = &members[i];
        seen |= UINT64_C(1) << i;
        if (places) {
            places[i] = (struct member_place) { node->place.line,
                                                node->place.column };
        }
        if (!member->type->parse(member, node, (char *) base + member->offset,
                                 diagnostics)) {
            good = false;
        }
    }
    *given = seen;
    return check_required(members, whose, map, seen, diagnostics) && good;
}

/* ---- Out ---- */

json_t *
members_format(const struct member *members, const void *base, uint64_t which)
{
    json_t *object = json_object();

    for (size_t i = 0; members[i].name; i++) {
        const struct member *member = &members[i];
        json_t *value;

        if (!(which >> i & 1)) {
            continue;
        }
        value = member->type->format(member,
                                     (const char *) base + member->offset);
        if (value) {
            json_object_set_new(object, member->name, value);
        }
    }
    return object;
}

/* The sentence that a member's row is, for people who read the schema. */
static json_t *
description(const struct member *member)
{
    return member->fallback
           ? json_sprintf("%s (default: %s)", member->doc, member->fallback)
           : json_string(member->doc);
}

json_t *
members_schema(const struct member *members)
{
    json_t *properties = json_object(), *required = json_array();
    json_t *schema = json_pack("{s:s, s:o, s:b}", "type", "object",
                               "properties", properties,
                               "additionalProperties", 0);

    for (size_t i = 0; members[i].name; i++) {
        json_t *row = members[i].type->schema(&members[i]);

        json_object_set_new(row, "description", description(&members[i]));
        json_object_set_new(properties, members[i].name, row);
        if (members[i].is_required) {
            json_array_append_new(required, json_string(members[i].name));
        }
    }
    if (json_array_size(required)) {
        json_object_set(schema, "required", required);
    }
    json_decref(required);
    return schema;
}

/* ---- Where ---- */

bool
object_has(const struct intent_object *object, const char *member)
{
    int i = member_index(intent_noun(object->kind)->members, member);

    return i >= 0 && object->given >> i & 1;
}

struct place
object_place(const struct intent_object *object, const char *member)
{
    struct place place = object->place;
    int i = member && object->places
            ? member_index(intent_noun(object->kind)->members, member) : -1;

    if (i >= 0 && object->places[i].line) {
        place.line = object->places[i].line;
        place.column = object->places[i].column;
    }
    return place;
}

void
object_error(const struct intent_object *object, const char *member,
             struct diagnostics *diagnostics, const char *format, ...)
{
    struct place place = object_place(object, member);
    struct str path = STR_INIT, what = STR_INIT;
    va_list args;

    str_addf(&path, "%s.%s", intent_kind_section(object->kind), object->name);
    if (member) {
        str_addf(&path, ".%s", member);
    }
    va_start(args, format);
    str_addv(&what, format, args);
    va_end(args);
    if (member && place.line) {
        diag_add(diagnostics, &place, str_text(&path), "%s: %s", member,
                 str_text(&what));
    } else {
        diag_add(diagnostics, &place, str_text(&path), "%s",
                 str_text(&what));
    }
    str_fini(&path);
    str_fini(&what);
}
