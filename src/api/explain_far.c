#include "api/explain_far.h"

#include <stdlib.h>

#include "api/http.h"
#include "controller/controller.h"
#include "peer/peer_mesh.h"

/* ---- We ask ---- */

struct far {
    struct api_reply *reply;
    json_t *answer;
    char host[INTENT_NAME_MAX];
};

static const char *
text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text ? text : "";
}

static void
add_note(json_t *answer, const char *host, const char *reason)
{
    struct str note = STR_INIT;

    str_addf(&note, "host '%s' was not asked what it makes of it: %s", host,
             reason);
    json_array_append_new(json_object_get(answer, "notes"),
                          json_string(str_text(&note)));
    str_fini(&note);
}

/* Nothing passes that it stops.  What it does not know, nobody knows. */
static void
merge(json_t *answer, const char *host, const json_t *said)
{
    static const char *const members[] = { "fix", "stage", "origin" };
    const char *verdict = text_of(said, "verdict");
    struct str why = STR_INIT;

    if (strcmp(text_of(answer, "verdict"), "yes")
        || !strcmp(verdict, "yes")) {
        return;
    }
    str_addf(&why, "host '%s' says: %s", host, text_of(said, "why"));
    json_object_set_new(answer, "verdict",
                        json_string(!strcmp(verdict, "no") ? "no"
                                                           : "unknown"));
    json_object_set_new(answer, "passes", json_false());
    json_object_set_new(answer, "why", json_string(str_text(&why)));
    json_object_set(answer, "decided", json_object_get(said, "decided"));
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        json_object_set(answer, members[i],
                        json_object_get(said, members[i]));
    }
    str_fini(&why);
}

/* `said` NULL: nothing, for that reason. */
static void
conclude(json_t *answer, const char *host, const json_t *said,
         const char *reason, struct api_reply *reply)
{
    const char *refused = text_of(json_object_get(said, "error"), "what");

    if (said && !*refused && *text_of(said, "verdict")) {
        merge(answer, host, said);
        json_object_set_new(answer, "far", json_pack(
            "{s:s, s:s, s:O?, s:O?, s:O?}", "host", host, "verdict",
            text_of(said, "verdict"), "why", json_object_get(said, "why"),
            "there", json_object_get(said, "there"), "back",
            json_object_get(said, "back")));
    } else {
        add_note(answer, host, *refused ? refused : reason);
    }
    api_reply_json(reply, 200, answer);
}

static void
on_answered(void *far_, const json_t *body, const char *reason)
{
    struct far *far = far_;

    conclude(far->answer, far->host, body, body ? "it says nothing" : reason,
             far->reply);
    api_reply_finish(far->reply);
    free(far);
}

static json_t *
question_json(const struct explain *e)
{
    return json_pack("{s:s, s:s, s:s}", "from", str_text(&e->from.text), "to",
                     str_text(&e->to.text), "what", str_text(&e->what));
}

/* What it says is the answer; the refusal stays if it says nothing. */
static void
on_answered_instead(void *far_, const json_t *body, const char *reason UNUSED)
{
    struct far *far = far_;

    if (body && *text_of(body, "verdict")) {
        json_t *answer = json_deep_copy(body);
        struct str note = STR_INIT;

        str_addf(&note, "host '%s' says so, where '%s' is", far->host,
                 text_of(json_object_get(body, "from"), "text"));
        json_array_append_new(json_object_get(answer, "notes"),
                              json_string(str_text(&note)));
        str_fini(&note);
        api_reply_json(far->reply, 200, answer);
    }
    api_reply_finish(far->reply);
    free(far);
}

void
explain_ask_instead(struct api *api, const struct api_request *request,
                    const struct explain *e, struct api_reply *reply)
{
    struct far *far;

    if (!api->mesh || !e->from.host[0] || api_request_param(request, "far")) {
        return;
    }
    far = xzalloc(sizeof *far);
    far->reply = reply;
    memcpy(far->host, e->from.host, sizeof far->host);
    if (peer_mesh_ask(api->mesh, far->host, question_json(e),
                      on_answered_instead, far)) {
        reply->is_deferred = true;
    } else {
        free(far);
    }
}

void
explain_ask_far(struct api *api, const struct api_request *request,
                const struct explain *e, json_t *answer,
                struct api_reply *reply)
{
    const struct explain_side *away = e->to.is_away ? &e->to : &e->from;
    struct far *far;

    json_object_set_new(answer, "far", json_null());
    if (!away->is_away || api_request_param(request, "far")) {
        api_reply_json(reply, 200, answer);
        return;
    }
    far = xzalloc(sizeof *far);
    far->reply = reply;
    far->answer = answer;
    memcpy(far->host, away->host, sizeof far->host);
    if (api->mesh
        && peer_mesh_ask(api->mesh, away->host, question_json(e),
                         on_answered, far)) {
        reply->is_deferred = true;
        return;
    }
    free(far);
    conclude(answer, away->host, NULL, "there is no channel to it", reply);
}

/* ---- We are asked ---- */

static void
on_reply(void *question, const struct api_reply *reply)
{
    json_t *body = json_loadb(str_text(&reply->body), reply->body.len, 0,
                              NULL);

    peer_question_answer(question, body ? body : json_object());
}

void
explain_answer_far(struct http *http, const json_t *body,
                   struct peer_question *question)
{
    const struct api_param params[] = {
        { "from", text_of(body, "from") }, { "to", text_of(body, "to") },
        { "what", text_of(body, "what") }, { "far", "yes" },
    };

    if (!http_ask(http, "/v1/explain", params, ARRAY_SIZE(params), on_reply,
                  question)) {
        peer_question_answer(question, json_object());
    }
}
