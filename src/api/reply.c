#include "api/reply.h"

#include <stdlib.h>

enum {
    DUMP_FLAGS = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY,
};

static const struct {
    const char *code;
    unsigned int status;
} errors[N_API_ERRORS] = {
#define X(ID, CODE, STATUS) [ID] = { CODE, STATUS },
    API_ERRORS(X)
#undef X
};

void
api_reply_fini(struct api_reply *reply)
{
    if (reply->job) {
        reply->job->destroy(reply->job);
        reply->job = NULL;
    }
    if (reply->relay.destroy) {
        reply->relay.destroy(reply->relay.state);
        reply->relay.destroy = NULL;
    }
    str_fini(&reply->body);
}

void
api_relay(struct api_reply *reply, unsigned int owner,
          void (*go_on)(struct api *, struct api_request *, msec now,
                        struct api_reply *))
{
    reply->relay.owner = owner;
    reply->relay.go_on = go_on;
}

void
api_reply_finish(struct api_reply *reply)
{
    reply->is_deferred = false;
    if (reply->finish) {
        reply->finish(reply);
    }
}

static int
add_bytes(const char *bytes, size_t size, void *body)
{
    str_add_bytes(body, bytes, size);
    return 0;
}

/* False: there was no memory for it. */
static bool
add_json(struct str *body, json_t *json)
{
    bool ok = json && !json_dump_callback(json, add_bytes, body, DUMP_FLAGS);

    json_decref(json);
    return ok;
}

void
api_reply_json(struct api_reply *reply, unsigned int status, json_t *json)
{
    str_clear(&reply->body);
    if (!add_json(&reply->body, json)) {
        str_clear(&reply->body);
        api_fail(reply, API_INTERNAL, NULL, NULL, "out of memory");
        return;
    }
    str_add_char(&reply->body, '\n');
    reply->status = status;
    reply->content_type = "application/json";
}

void
api_reply_done(struct api_reply *reply)
{
    api_reply_json(reply, 200, json_object());
}

/* What came from outside may not be UTF-8, which JSON texts are: its other
 * bytes are shown as '?'. */
static json_t *
text_json(const char *text)
{
    json_t *json;
    char *copy;

    if (!text) {
        return json_null();
    }
    json = json_string(text);
    if (json) {
        return json;
    }
    copy = xstrdup(text);
    for (char *p = copy; *p; p++) {
        if ((unsigned char) *p >= 0x80) {
            *p = '?';
        }
    }
    json = json_string(copy);
    free(copy);
    return json;
}

void
api_fail(struct api_reply *reply, enum api_error error, const char *where,
         const char *hint, const char *format, ...)
{
    struct str what = STR_INIT;
    json_t *json;
    va_list args;

    va_start(args, format);
    str_addv(&what, format, args);
    va_end(args);

    json = json_pack("{s:{s:s, s:o, s:o, s:o}}", "error",
                     "code", errors[error].code,
                     "what", text_json(str_text(&what)),
                     "where", text_json(where),
                     "hint", text_json(hint));
    str_clear(&reply->body);
    if (!add_json(&reply->body, json)) {
        str_clear(&reply->body);
        str_add(&reply->body, "{\"error\":{\"code\":\"internal\"}}");
    }
    str_add_char(&reply->body, '\n');
    reply->status = errors[error].status;
    reply->content_type = "application/json";
    str_fini(&what);
}

void
api_list_begin(struct api_reply *reply, const char *name)
{
    str_clear(&reply->body);
    str_addf(&reply->body, "{\"%s\":[", name);
    reply->status = 200;
    reply->content_type = "application/json";
}

void
api_list_add(struct api_reply *reply, json_t *json)
{
    size_t len = reply->body.len;

    if (reply->body.text[len - 1] != '[') {
        str_add_char(&reply->body, ',');
    }
    if (!add_json(&reply->body, json)) {
        /* The reader must not take a list cut short for a whole one. */
        reply->status = 500;
    }
}

void
api_list_end(struct api_reply *reply)
{
    str_add(&reply->body, "]}\n");
    if (reply->status != 200) {
        api_fail(reply, API_INTERNAL, NULL, NULL, "out of memory");
    }
}
