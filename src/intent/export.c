#include "intent/export.h"

#include <ctype.h>
#include <stdlib.h>

#include "intent/parse.h"
#include "intent/schema.h"

enum { LINE_MAX_LEN = 79 };

/* ---- JSON ---- */

json_t *
intent_object_json(const struct intent_object *object)
{
    return members_format(intent_noun(object->kind)->members, object,
                          object->given);
}

json_t *
intent_object_effective(const struct intent_object *object)
{
    return members_format(intent_noun(object->kind)->members, object,
                          UINT64_MAX);
}

json_t *
intent_json(const struct intent *set)
{
    json_t *root = json_pack("{s:i}", "version", INTENT_VERSION);

    for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
        enum intent_kind kind = (enum intent_kind) k;
        const struct intent_object *object = NULL;
        json_t *section;

        if (!intent_count(set, kind)) {
            continue;
        }
        section = json_object();
        while ((object = intent_next(set, kind, object)) != NULL) {
            json_object_set_new(section, object->name,
                                intent_object_json(object));
        }
        json_object_set_new(root, intent_kind_section(kind), section);
    }
    return root;
}

/* ---- YAML ---- */

static bool
is_word_of_yaml(const char *text)
{
    static const char *const words[] = {
        "true", "false", "yes", "no", "on", "null", NULL,
    };

    for (size_t i = 0; words[i]; i++) {
        if (!strcasecmp(text, words[i])) {
            return true;
        }
    }
    return false;
}

/* To some reader of YAML, perhaps of another version: 12, 1e3, 0x1f, 1_000, and
 * 12:34:56, which is sixty-based. */
static bool
may_be_number(const char *text)
{
    char *end;

    strtod(text, &end);
    return !*end || !text[strspn(text, "0123456789:_")]
           || (text[0] == '0' && strchr("xob", text[1]));
}

static bool
is_plain(const char *text)
{
    size_t len = strlen(text);

    if (!len || (!isalnum((unsigned char) text[0]) && text[0] != '/')
        || text[len - 1] == ':' || is_word_of_yaml(text)
        || may_be_number(text)) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if (!isalnum((unsigned char) *p) && !strchr("._/:-", *p)) {
            return false;
        }
    }
    return true;
}

/* Texts of intents are printable ASCII. */
static void
add_text(struct str *out, const char *text)
{
    if (is_plain(text)) {
        str_add(out, text);
        return;
    }
    str_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            str_add_char(out, '\\');
        }
        str_add_char(out, *text);
    }
    str_add_char(out, '"');
}

static void
add_key(struct str *out, const char *key)
{
    /* Numbers are keys of ours that need no quotes. */
    if (is_plain(key) || !key[strspn(key, "0123456789")]) {
        str_add(out, key);
    } else {
        add_text(out, key);
    }
}

void
intent_value_format(const json_t *value, struct str *out)
{
    const char *key, *separator = "";
    json_t *child;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        str_add_char(out, '{');
        json_object_foreach ((json_t *) (uintptr_t) value, key, child) {
            str_add(out, separator);
            add_key(out, key);
            str_add(out, ": ");
            intent_value_format(child, out);
            separator = ", ";
        }
        str_add_char(out, '}');
        break;
    case JSON_ARRAY:
        str_add_char(out, '[');
        json_array_foreach (value, i, child) {
            str_add(out, separator);
            intent_value_format(child, out);
            separator = ", ";
        }
        str_add_char(out, ']');
        break;
    case JSON_INTEGER:
        str_addf(out, "%lld", (long long) json_integer_value(value));
        break;
    case JSON_STRING:
        add_text(out, json_string_value(value));
        break;
    default:
        str_add(out, json_is_true(value) ? "true" : "false");
        break;
    }
}

/* "name: value" when it fits on a line, else its parts on lines of their
 * own. */
static void
add_entry(struct str *out, int indent, const char *key, const json_t *value)
{
    struct str line = STR_INIT;
    const char *name;
    json_t *child;
    size_t i;

    intent_value_format(value, &line);
    str_addf(out, "%*s", indent, "");
    add_key(out, key);
    str_add_char(out, ':');
    if ((size_t) indent + strlen(key) + 2 + line.len <= LINE_MAX_LEN
        || !(json_is_object(value) || json_is_array(value))) {
        str_addf(out, " %s\n", str_text(&line));
    } else if (json_is_object(value)) {
        str_add_char(out, '\n');
        json_object_foreach ((json_t *) (uintptr_t) value, name, child) {
            add_entry(out, indent + 2, name, child);
        }
    } else {
        str_add_char(out, '\n');
        json_array_foreach (value, i, child) {
            str_addf(out, "%*s- ", indent + 2, "");
            intent_value_format(child, out);
            str_add_char(out, '\n');
        }
    }
    str_fini(&line);
}

void
intent_export(const struct intent *set, struct str *out)
{
    str_addf(out, "version: %d\n", INTENT_VERSION);
    for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
        enum intent_kind kind = (enum intent_kind) k;
        const struct intent_object *object = NULL;

        if (intent_count(set, kind)) {
            str_addf(out, "%s:\n", intent_kind_section(kind));
        }
        while ((object = intent_next(set, kind, object)) != NULL) {
            json_t *members = intent_object_json(object);

            add_entry(out, 2, object->name, members);
            json_decref(members);
        }
    }
}

/* ---- JSON Schema ---- */

/* An object or section of which nothing is said is null in YAML. */
static void
or_null(json_t *schema)
{
    json_object_set_new(schema, "type", json_pack("[s, s]", "object", "null"));
}

static json_t *
section_schema(enum intent_kind kind)
{
    json_t *object = members_schema(intent_noun(kind)->members);
    json_t *section;

    or_null(object);
    section = json_pack("{s:s, s:{s:s}, s:o}", "description",
                        intent_noun(kind)->doc, "propertyNames", "$ref",
                        "#/$defs/name", "additionalProperties", object);
    or_null(section);
    return section;
}

json_t *
intent_schema(void)
{
    json_t *properties = json_pack("{s:{s:i}}", "version", "const",
                                   INTENT_VERSION);

    for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
        enum intent_kind kind = (enum intent_kind) k;

        json_object_set_new(properties, intent_kind_section(kind),
                            section_schema(kind));
    }
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:[s], s:b, s:{s:{s:s, s:s, s:i}}}",
        "$schema", "https://json-schema.org/draft/2020-12/schema",
        "title", "Weft intent", "type", "object", "properties", properties,
        "required", "version", "additionalProperties", 0, "$defs", "name",
        "type", "string", "pattern", "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        "maxLength", INTENT_NAME_MAX - 1);
}
