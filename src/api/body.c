#include "api/body.h"

#include <stdlib.h>

enum { MAX_MEMBERS = 5 };

/* One member of a body: where its value goes, and what it must be. */
enum member_type { MEMBER_TEXT, MEMBER_NUMBER, MEMBER_BOOL, MEMBER_TEXTS,
                   MEMBER_OBJECT };

struct member {
    const char *name;
    enum member_type type;
    bool is_required;
    void *value;                  /* const char *, uint32_t, bool, json_t * */
};

static json_t *
parse_object(const struct api_request *request, struct api_reply *reply)
{
    json_error_t error;
    json_t *root;

    if (!request->body_len) {
        api_fail(reply, API_BAD_REQUEST, "body", NULL,
                 "the request has no body; a JSON object is expected");
        return NULL;
    }
    root = json_loadb(request->body, request->body_len,
                      JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        struct str where = STR_INIT;

        str_addf(&where, "body:%d:%d", error.line, error.column);
        api_fail(reply, API_BAD_REQUEST, str_text(&where), NULL,
                 "not JSON: %s", error.text);
        str_fini(&where);
        return NULL;
    }
    if (!json_is_object(root)) {
        api_fail(reply, API_BAD_REQUEST, "body", NULL,
                 "a JSON object is expected");
        json_decref(root);
        return NULL;
    }
    return root;
}

static bool
texts_are_texts(const json_t *list)
{
    size_t i;
    json_t *item;

    json_array_foreach (list, i, item) {
        if (!json_is_string(item)) {
            return false;
        }
    }
    return true;
}

/* Puts the value where it goes; NULL, or what was expected. */
static const char *
take_value(const struct member *member, json_t *json)
{
    switch (member->type) {
    case MEMBER_TEXT:
        if (!json_is_string(json)) {
            return "a string";
        }
        *(const char **) member->value = json_string_value(json);
        return NULL;
    case MEMBER_NUMBER:
        if (!json_is_integer(json) || json_integer_value(json) < 0
            || json_integer_value(json) > UINT32_MAX) {
            return "a number of 32 bits";
        }
        *(uint32_t *) member->value = (uint32_t) json_integer_value(json);
        return NULL;
    case MEMBER_OBJECT:
        if (!json_is_object(json)) {
            return "an object";
        }
        *(json_t **) member->value = json;
        return NULL;
    case MEMBER_BOOL:
        if (!json_is_boolean(json)) {
            return "true or false";
        }
        *(bool *) member->value = json_is_true(json);
        return NULL;
    case MEMBER_TEXTS:
        if (!json_is_array(json) || !texts_are_texts(json)) {
            return "a list of strings";
        }
        *(json_t **) member->value = json;
        return NULL;
    }
    return "nothing";
}

static const struct member *
find_member(const struct member *members, unsigned int n, const char *name)
{
    for (unsigned int i = 0; i < n; i++) {
        if (!strcmp(members[i].name, name)) {
            return &members[i];
        }
    }
    return NULL;
}

static void
fail_unknown(const struct member *members, unsigned int n, const char *name,
             struct api_reply *reply)
{
    const char *names[MAX_MEMBERS + 1] = { 0 };
    struct str hint = STR_INIT;
    const char *near;

    for (unsigned int i = 0; i < n; i++) {
        names[i] = members[i].name;
    }
    near = str_nearest(name, names);
    if (near) {
        str_addf(&hint, "did you mean '%s'?", near);
    } else {
        str_add(&hint, "known are:");
        for (unsigned int i = 0; i < n; i++) {
            str_addf(&hint, " %s", names[i]);
        }
    }
    api_fail(reply, API_BAD_REQUEST, name, str_text(&hint),
             "unknown member '%s'", name);
    str_fini(&hint);
}

/* The values point into the object that is returned; NULL: `reply` failed. */
static json_t *
parse_members(const struct api_request *request, const struct member *members,
              unsigned int n, struct api_reply *reply)
{
    json_t *root = parse_object(request, reply);
    const char *name;
    json_t *json;

    if (!root) {
        return NULL;
    }
    json_object_foreach (root, name, json) {
        const struct member *member = find_member(members, n, name);
        const char *expected;

        if (!member) {
            fail_unknown(members, n, name, reply);
            goto free_root;
        }
        expected = take_value(member, json);
        if (expected) {
            api_fail(reply, API_BAD_REQUEST, name, NULL,
                     "'%s' must be %s", name, expected);
            goto free_root;
        }
    }
    for (unsigned int i = 0; i < n; i++) {
        if (members[i].is_required
            && !json_object_get(root, members[i].name)) {
            api_fail(reply, API_BAD_REQUEST, members[i].name, NULL,
                     "'%s' is missing", members[i].name);
            goto free_root;
        }
    }
    return root;

free_root:
    json_decref(root);
    return NULL;
}

bool
port_add_body_parse(const struct api_request *request,
                    struct port_add_body *result, struct api_reply *reply)
{
    struct port_add_body body = { 0 };
    const struct member members[] = {
        { "port", MEMBER_TEXT, true, &body.port },
        { "number", MEMBER_NUMBER, false, &body.number },
    };

    body.root = parse_members(request, members, ARRAY_SIZE(members), reply);
    if (!body.root) {
        return false;
    }
    *result = body;
    return true;
}

bool
port_set_body_parse(const struct api_request *request,
                    struct port_set_body *result, struct api_reply *reply)
{
    json_t *root = parse_object(request, reply);

    if (!root) {
        return false;
    }
    if (!json_object_size(root)) {
        json_decref(root);
        api_fail(reply, API_BAD_REQUEST, "body", NULL,
                 "there is nothing to set");
        return false;
    }
    result->root = root;
    return true;
}

bool
change_body_parse(const struct api_request *request, const char *noun,
                  struct change_body *result, struct api_reply *reply)
{
    struct change_body body = { .command = "add" };
    const struct member members[] = {
        { "command", MEMBER_TEXT, false, &body.command },
        { noun, MEMBER_TEXTS, true, &body.list },
    };

    body.root = parse_members(request, members, ARRAY_SIZE(members), reply);
    if (!body.root) {
        return false;
    }
    *result = body;
    return true;
}

bool
trace_body_parse(const struct api_request *request, struct trace_body *result,
                 struct api_reply *reply)
{
    struct trace_body body = { .packet = "" };
    const struct member members[] = {
        { "port", MEMBER_TEXT, true, &body.port },
        { "packet", MEMBER_TEXT, false, &body.packet },
        { "learn", MEMBER_BOOL, false, &body.learn },
    };

    body.root = parse_members(request, members, ARRAY_SIZE(members), reply);
    if (!body.root) {
        return false;
    }
    *result = body;
    return true;
}

bool
controllers_body_parse(const struct api_request *request,
                       struct controllers_body *result,
                       struct api_reply *reply)
{
    struct controllers_body body = *result;
    const struct member members[] = {
        { "controllers", MEMBER_TEXTS, false, &body.controllers },
        { "fail_mode", MEMBER_TEXT, false, &body.fail_mode },
        { "probe_interval", MEMBER_NUMBER, false, &body.probe_interval },
        { "auxiliary", MEMBER_NUMBER, false, &body.auxiliary },
        { "packet_ins_per_second", MEMBER_NUMBER, false,
          &body.packet_ins_per_second },
    };

    body.root = parse_members(request, members, ARRAY_SIZE(members), reply);
    if (!body.root) {
        return false;
    }
    *result = body;
    return true;
}

bool
intents_body_parse(const struct api_request *request,
                   struct intents_body *result, struct api_reply *reply)
{
    struct intents_body body = { .file = "intents" };
    const struct member members[] = {
        { "file", MEMBER_TEXT, false, &body.file },
        { "text", MEMBER_TEXT, true, &body.text },
        { "confirm", MEMBER_NUMBER, false, &body.confirm },
        { "dry_run", MEMBER_BOOL, false, &body.dry_run },
    };

    body.root = parse_members(request, members, ARRAY_SIZE(members), reply);
    if (!body.root) {
        return false;
    }
    *result = body;
    return true;
}

bool
object_body_parse(const struct api_request *request,
                  struct object_body *result, struct api_reply *reply)
{
    struct object_body body = { 0 };
    const struct member members[] = {
        { "members", MEMBER_OBJECT, true, &body.members },
        { "confirm", MEMBER_NUMBER, false, &body.confirm },
        { "dry_run", MEMBER_BOOL, false, &body.dry_run },
    };

    body.root = parse_members(request, members, ARRAY_SIZE(members), reply);
    if (!body.root) {
        return false;
    }
    *result = body;
    return true;
}
