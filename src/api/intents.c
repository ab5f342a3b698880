/* /v1/intents and /v1/intent/KIND: what the operator asked for.
 *
 * Every change is the same: a copy of the set in force is changed and sealed,
 * what differs is said, and unless the request only wanted to know that, the
 * set is kept; the reply comes when it is durable. */

#include <stdlib.h>

#include "api/body.h"
#include "api/routes.h"
#include "intent/diff.h"
#include "intent/export.h"
#include "intent/parse.h"
#include "intent/schema.h"
#include "store/intents.h"

static bool
has_intents(const struct api *api, struct api_reply *reply)
{
    if (!api->intents) {
        api_fail(reply, API_REFUSED, NULL, NULL,
                 "this daemon is a switch only: it keeps no intents");
        return false;
    }
    return true;
}

/* All that is wrong; the first is the refusal's own text. */
static void
refuse(struct api_reply *reply, struct diagnostics *diag)
{
    struct str text = STR_INIT;
    json_t *error;

    diag_format(diag, &text);
    str_chomp(&text, "\n");
    error = json_pack("{s:{s:s, s:s, s:n, s:n, s:o}}", "error", "code",
                      "refused", "what", str_text(&text), "where", "hint",
                      "diagnostics", diag_json(diag));
    api_reply_json(reply, 422, error);
    str_fini(&text);
}

/* ---- Changes ---- */

struct request_change {
    struct api *api;
    struct api_reply *reply;
    struct diff *diff;            /* owned; NULL: none to speak of */
};

static void
answer_change(const struct request_change *change)
{
    struct intents *intents = change->api->intents;
    struct str text = STR_INIT;

    if (change->diff) {
        diff_format(change->diff, &text);
    }
    api_reply_json(change->reply, 200, json_pack(
        "{s:o, s:s, s:I, s:I}", "changes",
        change->diff ? diff_json(change->diff) : json_null(), "text",
        str_text(&text), "generation",
        (json_int_t) intents_generation(intents), "deadline",
        (json_int_t) intents_deadline(intents)));
    str_fini(&text);
}

static void
change_destroy(struct request_change *change)
{
    diff_destroy(change->diff);
    free(change);
}

static void
change_done(void *aux, int err, const char *text)
{
    struct request_change *change = aux;
    struct api_reply *reply = change->reply;

    if (err) {
        api_fail(reply, err == -ENOSPC ? API_FULL : API_INTERNAL, NULL, NULL,
                 "it could not be kept, and nothing was changed: %s", text);
    } else {
        answer_change(change);
    }
    change_destroy(change);
    api_reply_finish(reply);
}

static void
refuse_errno(struct api_reply *reply, int err)
{
    switch (err) {
    case -EAGAIN:
        api_fail(reply, API_CONFLICT, NULL, "weft confirm, or weft rollback",
                 "a change waits to be confirmed");
        break;
    case -ENOENT:
        api_fail(reply, API_CONFLICT, NULL, NULL,
                 "no change waits to be confirmed");
        break;
    default:
        api_fail(reply, API_BUSY, NULL, "try again",
                 "another change is being written");
    }
}

/* Takes `diff`. */
static struct request_change *
change_create(struct api *api, struct api_reply *reply, struct diff *diff)
{
    struct request_change *change = xzalloc(sizeof *change);

    change->api = api;
    change->reply = reply;
    change->diff = diff;
    reply->is_deferred = true;
    return change;
}

/* It did not begin. */
static void
change_drop(struct request_change *change, int err)
{
    change->reply->is_deferred = false;
    if (err) {
        refuse_errno(change->reply, err);
    } else {
        answer_change(change);
    }
    change_destroy(change);
}

/* Open vSwitch tracks all networks of an uplink alike: which of two with the
 * same addresses an answer is for, it could not tell. */
static bool
fits_switch(const struct api *api, const struct intent *next,
            struct diagnostics *diag)
{
    bool fits = true;

    if (api->sw) {
        return true;
    }
    INTENT_FOR_EACH_NETWORK (network, next) {
        INTENT_FOR_EACH_NETWORK (other, next) {
            if (other == network) {
                break;
            }
            if (network->nat && network->nat == other->nat
                && intent_networks_overlap(network, other)) {
                object_error(&network->object, "nat", diag,
                             "network '%s' has the same addresses and leaves "
                             "by '%s', too: this switch cannot tell their "
                             "answers apart", other->object.name,
                             network->nat->object.name);
                fits = false;
            }
        }
    }
    return fits;
}

/* Takes `next`, which is not sealed. */
static void
apply(struct api *api, struct intent *next, struct diagnostics *diag,
      uint32_t confirm, bool dry_run, struct api_reply *reply)
{
    const struct intent *current = intents_current(api->intents);
    struct request_change *change;
    int err = 0;

    if (diag_any(diag) || !intent_seal(next, diag)
        || !fits_switch(api, next, diag)) {
        refuse(reply, diag);
        intent_unref(next);
        return;
    }
    change = change_create(api, reply, diff_create(current, next));
    if (dry_run || !change->diff->n_changes
        || (err = intents_apply(api->intents, next,
                                confirm * INT64_C(1000), change_done,
                                change))) {
        change_drop(change, err);
    }
    intent_unref(next);
}

void
intents_put(struct api *api, struct api_request *request, msec now UNUSED,
            struct api_reply *reply)
{
    struct diagnostics *diag;
    struct intents_body body;
    struct intent *next;

    if (!has_intents(api, reply)
        || !intents_body_parse(request, &body, reply)) {
        return;
    }
    diag = diag_create();
    next = intent_create();
    intent_parse(next, body.file, body.text, strlen(body.text), diag);
    intent_share(next, intents_current(api->intents));
    apply(api, next, diag, body.confirm, body.dry_run, reply);
    diag_destroy(diag);
    json_decref(body.root);
}

static void
end_waiting(struct api *api, struct api_reply *reply,
            int (*end)(struct intents *, intents_done *, void *))
{
    struct request_change *change;
    int err;

    if (!has_intents(api, reply)) {
        return;
    }
    change = change_create(api, reply, NULL);
    err = end(api->intents, change_done, change);
    if (err) {
        change_drop(change, err);
    }
}

void
intents_confirm_post(struct api *api, struct api_request *request UNUSED,
                     msec now UNUSED, struct api_reply *reply)
{
    end_waiting(api, reply, intents_confirm);
}

void
intents_rollback_post(struct api *api, struct api_request *request UNUSED,
                      msec now UNUSED, struct api_reply *reply)
{
    end_waiting(api, reply, intents_roll_back);
}

/* ---- All of them ---- */

void
intents_show(struct api *api, struct api_request *request, msec now UNUSED,
             struct api_reply *reply)
{
    const char *format = api_request_param(request, "format");

    if (!has_intents(api, reply)) {
        return;
    }
    if (!format || !strcmp(format, "json")) {
        api_reply_json(reply, 200,
                       intent_json(intents_current(api->intents)));
    } else if (!strcmp(format, "yaml")) {
        intent_export(intents_current(api->intents), &reply->body);
        reply->status = 200;
        reply->content_type = "application/yaml";
    } else {
        api_fail(reply, API_BAD_REQUEST, "format", NULL,
                 "expected json or yaml");
    }
}

/* ---- One of them ---- */

/* "/v1/intent/port/web" is about a port. */
static bool
find_kind(const struct api *api, const struct api_request *request,
          enum intent_kind *kind, struct api_reply *reply)
{
    const char *noun = request->path + strlen("/v1/intent/");
    size_t len = strcspn(noun, "/");

    for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
        const char *known = intent_kind_noun((enum intent_kind) k);

        if (strlen(known) == len && !strncmp(known, noun, len)) {
            *kind = (enum intent_kind) k;
            return has_intents(api, reply);
        }
    }
    api_fail(reply, API_NOT_FOUND, "path", NULL, "there is no such noun");
    return false;
}

static json_t *
object_json(const struct intent_object *object)
{
    json_t *json = json_pack("{s:s, s:o}", "name", object->name, "members",
                             intent_object_json(object));

    if (object->place.file) {
        struct str place = STR_INIT;

        str_addf(&place, "%s:%u", object->place.file, object->place.line);
        json_object_set_new(json, "place", json_string(str_text(&place)));
        str_fini(&place);
    }
    return json;
}

void
intent_list(struct api *api, struct api_request *request, msec now UNUSED,
            struct api_reply *reply)
{
    enum intent_kind kind;

    if (!find_kind(api, request, &kind, reply)) {
        return;
    }
    api_list_begin(reply, intent_kind_section(kind));
    for (const struct intent_object *o = NULL;
         (o = intent_next(intents_current(api->intents), kind, o));) {
        api_list_add(reply, object_json(o));
    }
    api_list_end(reply);
}

/* NULL: `reply` failed, naming the nearest. */
static const struct intent_object *
find_object(struct api *api, const struct api_request *request,
            struct api_reply *reply)
{
    const struct intent_object *object;
    const struct intent *set;
    struct str hint = STR_INIT;
    enum intent_kind kind;
    const char **names;
    unsigned int n = 0;

    if (!find_kind(api, request, &kind, reply)) {
        return NULL;
    }
    set = intents_current(api->intents);
    object = intent_find(set, kind, request->name);
    if (object) {
        return object;
    }
    names = xcalloc(intent_count(set, kind) + 1, sizeof *names);
    for (const struct intent_object *o = NULL;
         (o = intent_next(set, kind, o));) {
        names[n++] = o->name;
    }
    diag_add_nearest(&hint, request->name, names);
    api_fail(reply, API_NOT_FOUND, intent_kind_noun(kind), NULL,
             "there is no %s '%s'%s", intent_kind_noun(kind), request->name,
             str_text(&hint));
    str_fini(&hint);
    free(names);
    return NULL;
}

void
intent_show(struct api *api, struct api_request *request, msec now UNUSED,
            struct api_reply *reply)
{
    const struct intent_object *object = find_object(api, request, reply);

    if (object) {
        api_reply_json(reply, 200, object_json(object));
    }
}

static void
set_object(struct api *api, const struct api_request *request,
           enum intent_kind kind, json_t *members,
           const struct object_body *body, struct api_reply *reply)
{
    struct diagnostics *diag = diag_create();
    struct intent *next = intent_copy(intents_current(api->intents));
    struct intent_object *object;

    object = intent_parse_object(kind, request->name, members, diag);
    if (object) {
        intent_set(next, object);
    }
    apply(api, next, diag, body->confirm, body->dry_run, reply);
    diag_destroy(diag);
}

/* Makes one; PUT of one that is there is a conflict. */
void
intent_create_one(struct api *api, struct api_request *request,
                  msec now UNUSED, struct api_reply *reply)
{
    struct object_body body;
    enum intent_kind kind;

    if (!find_kind(api, request, &kind, reply)
        || !object_body_parse(request, &body, reply)) {
        return;
    }
    if (intent_find(intents_current(api->intents), kind, request->name)) {
        struct str hint = STR_INIT;

        str_addf(&hint, "weft %s set %s ... changes it",
                 intent_kind_noun(kind), request->name);
        api_fail(reply, API_CONFLICT, intent_kind_noun(kind),
                 str_text(&hint), "there is a %s '%s' already",
                 intent_kind_noun(kind), request->name);
        str_fini(&hint);
    } else {
        set_object(api, request, kind, body.members, &body, reply);
    }
    json_decref(body.root);
}

/* Changes members; null takes one away. */
void
intent_change(struct api *api, struct api_request *request, msec now UNUSED,
              struct api_reply *reply)
{
    const struct intent_object *object = find_object(api, request, reply);
    struct object_body body;
    json_t *members, *value;
    const char *name;

    if (!object || !object_body_parse(request, &body, reply)) {
        return;
    }
    members = intent_object_json(object);
    json_object_foreach (body.members, name, value) {
        if (json_is_null(value)) {
            json_object_del(members, name);
        } else {
            json_object_set(members, name, value);
        }
    }
    set_object(api, request, object->kind, members, &body, reply);
    json_decref(members);
    json_decref(body.root);
}

static bool
is_unused(const struct api *api, const struct intent_object *object,
          struct api_reply *reply)
{
    struct str users = STR_INIT;
    unsigned int n = intent_users(intents_current(api->intents), object,
                                  &users);

    if (n) {
        api_fail(reply, API_CONFLICT, NULL,
                 "delete or change those first, or apply a file without "
                 "them", "%s '%s' is used by %s",
                 intent_kind_noun(object->kind), object->name,
                 str_text(&users));
    }
    str_fini(&users);
    return !n;
}

void
intent_delete(struct api *api, struct api_request *request, msec now UNUSED,
              struct api_reply *reply)
{
    const struct intent_object *object = find_object(api, request, reply);
    struct diagnostics *diag;
    struct intent *next;

    if (!object || !is_unused(api, object, reply)) {
        return;
    }
    diag = diag_create();
    next = intent_copy(intents_current(api->intents));
    intent_remove(next, object->kind, object->name);
    apply(api, next, diag, 0, false, reply);
    diag_destroy(diag);
}
