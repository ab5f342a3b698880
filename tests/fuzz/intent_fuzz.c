/* Intents: any bytes as a file.
 *
 * Beyond not crashing:
 *   - what is refused has a reason, and what is right has none;
 *   - a set that holds together is exported as a text that says the same, and
 *     is exported the same again; JSON says the same as YAML;
 *   - an object that is replaced by its like changes nothing, whoever names it;
 *     one that is removed leaves a set that holds together, or says why not;
 *   - a plan from nothing to the set names every object.
 * What is JSON is read as a request, too.
 *
 * Covers: src/intent/node.c src/intent/parse.c src/intent/schema.c
 * Covers: src/intent/value.c src/intent/value_address.c
 * Covers: src/intent/dhcp_value.c src/intent/network.c src/intent/port.c
 * Covers: src/intent/port_value.c src/intent/uplink.c src/intent/intent.c
 * Covers: src/intent/validate.c src/intent/router.c
 * Covers: src/intent/security_group.c
 * Covers: src/intent/security_rule.c
 * Covers: src/intent/export.c src/packet/address.c */
#include <stdio.h>
#include <stdlib.h>

#include "intent/diff.h"
#include "intent/export.h"
#include "intent/parse.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What depends on no input. */
int
LLVMFuzzerInitialize(int *argc UNUSED, char ***argv UNUSED)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();

    if (intent_parse_file(set, "/dev/null", diagnostics)) {
        abort();
    }
    intent_unref(set);
    diag_destroy(diagnostics);
    json_decref(intent_schema());
    return 0;
}

static void
require(bool holds, const char *what, const char *text)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n%s\n", what, text);
        abort();
    }
}

/* Destroys the diagnostics. */
static void
check_reason(bool is_good, struct diagnostics *diagnostics)
{
    struct str said = STR_INIT;

    diag_format(diagnostics, &said);
    require(is_good == !said.len, "a refusal has a reason", str_text(&said));
    json_decref(diag_json(diagnostics));
    diag_destroy(diagnostics);
    str_fini(&said);
}

/* NULL: refused. */
static struct intent *
read_set(const void *text, size_t len, const json_t *json)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    bool good = (json ? intent_parse_json(set, json, diagnostics)
                      : intent_parse(set, "t", text, len, diagnostics))
                && intent_seal(set, diagnostics);

    check_reason(good, diagnostics);
    if (!good) {
        intent_unref(set);
        return NULL;
    }
    return set;
}

/* What was read from an export of `set`. */
static void
check_same(const struct intent *set, const struct intent *again,
           const char *text)
{
    struct str twice = STR_INIT;
    struct diff *diff;

    require(again != NULL, "what is exported is right", text);
    diff = diff_create(set, again);
    intent_export(again, &twice);
    require(!diff->n_changes, "an export changes nothing", text);
    require(!strcmp(text, str_text(&twice)), "it is exported the same again",
            str_text(&twice));
    diff_destroy(diff);
    intent_unref(again);
    str_fini(&twice);
}

/* Takes its turn with every object. */
static void
check_changes(const struct intent *set, enum intent_kind kind,
              const struct intent_object *object)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *changed = intent_copy(set);
    json_t *members = intent_object_json(object);
    struct intent_object *like = intent_parse_object(kind, object->name,
                                                     members, diagnostics);
    struct str text = STR_INIT;

    require(intent_find_id(set, object->id) == object,
            "an object is found by its id", object->name);
    require(like != NULL, "an object is read again", object->name);
    intent_set(changed, like);
    require(intent_seal(changed, diagnostics),
            "its like can take an object's place", object->name);
    intent_export(set, &text);
    check_same(set, changed, str_text(&text));
    json_decref(members);
    json_decref(intent_object_effective(object));

    changed = intent_copy(set);
    require(intent_remove(changed, kind, object->name),
            "an object can be removed", object->name);
    check_reason(intent_seal(changed, diagnostics), diagnostics);
    intent_unref(changed);
    str_fini(&text);
}

static void
check_all_changes(const struct intent *set)
{
    enum { AT_MOST = 16 };
    unsigned int n = 0;

    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        const struct intent_object *object = NULL;

        while ((object = intent_next(set, (enum intent_kind) kind, object))
               && n++ < AT_MOST) {
            check_changes(set, (enum intent_kind) kind, object);
        }
    }
}

/* A value of a command, and a request. */
static void
check_other_ways(const uint8_t *data, size_t size)
{
    struct diagnostics *diagnostics = diag_create();
    char *text = xmalloc(size + 1);
    json_t *value, *request;

    memcpy(text, data, size);
    text[size] = '\0';
    value = intent_parse_value(text, diagnostics);
    check_reason(value != NULL, diagnostics);
    json_decref(value);
    request = json_loadb(text, size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
                         NULL);
    if (request) {
        intent_unref(read_set(NULL, 0, request));
    }
    json_decref(request);
    free(text);
}

static void
check_plan(const struct intent *set)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *nothing = intent_create();
    struct str text = STR_INIT;
    unsigned int n = 0;
    struct diff *diff;

    require(intent_seal(nothing, diagnostics), "nothing is right", "");
    diff = diff_create(nothing, set);
    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        n += intent_count(set, (enum intent_kind) kind);
    }
    diff_format(diff, &text);
    require(diff->n_changes == n, "a plan has every object",
            str_text(&text));
    json_decref(diff_json(diff));
    diff_destroy(diff);
    intent_unref(nothing);
    diag_destroy(diagnostics);
    str_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct intent *set = read_set(data, size, NULL);
    struct str text = STR_INIT;
    json_t *json;

    check_other_ways(data, size);
    if (!set) {
        return 0;
    }
    intent_export(set, &text);
    check_same(set, read_set(str_text(&text), text.len, NULL),
               str_text(&text));
    json = intent_json(set);
    check_same(set, read_set(NULL, 0, json), str_text(&text));
    check_all_changes(set);
    check_plan(set);
    json_decref(json);
    intent_unref(set);
    str_fini(&text);
    return 0;
}
