/* What clients send to the API: bodies, parameters, ports and settings.
 *
 * Covers: src/api/body.c src/api/request.c src/api/port_setting.c
 *
 * The first byte chooses the parser, the rest is what it gets. */

#include "api/body.h"
#include "api/port_setting.h"

#include <stdlib.h>

static void
check(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* A refusal is always one JSON object with an error in it. */
static void
check_refusal(const struct api_reply *reply)
{
    json_t *json = json_loadb(str_text(&reply->body), reply->body.len, 0,
                              NULL);

    check(json_is_string(json_object_get(json_object_get(json, "error"),
                                         "what")));
    check(reply->status >= 400);
    json_decref(json);
}

static void
parse_body(unsigned int which, const char *text, size_t len)
{
    const struct api_request request = { .body = text, .body_len = len };
    struct api_reply reply = { 0 };
    struct port_add_body add = { 0 };
    struct port_set_body set = { 0 };
    struct change_body change = { 0 };
    struct trace_body trace = { 0 };
    struct controllers_body controllers = { 0 };
    json_t *root = NULL;
    bool ok = false;

    switch (which) {
    case 0:
        ok = port_add_body_parse(&request, &add, &reply);
        root = add.root;
        break;
    case 1:
        ok = port_set_body_parse(&request, &set, &reply);
        root = set.root;
        break;
    case 2:
        ok = change_body_parse(&request, "flows", &change, &reply);
        root = change.root;
        break;
    case 3:
        ok = trace_body_parse(&request, &trace, &reply);
        root = trace.root;
        break;
    case 6:
        ok = controllers_body_parse(&request, &controllers, &reply);
        root = controllers.root;
        break;
    }
    check(ok == (root != NULL));
    if (!ok) {
        check_refusal(&reply);
    }
    json_decref(root);
    api_reply_fini(&reply);
}

static void
parse_params(const char *text)
{
    const struct api_request request = {
        .n_params = 1,
        .params = { { "x", text } },
    };
    struct api_reply reply = { 0 };
    uint64_t number = 0;
    bool truth = false;

    if (!api_request_number(&request, "x", 1000, &number, &reply)) {
        check_refusal(&reply);
    }
    check(number <= 1000);
    if (!api_request_bool(&request, "x", &truth, &reply)) {
        check_refusal(&reply);
    }
    check(api_request_bool(&request, "y", &truth, &reply));
    api_reply_fini(&reply);
}

/* What a setting shows, it reads back to the same. */
static void
check_settings(const struct port_setting_values *values)
{
    struct port_setting_values again = *values;
    json_t *object = json_object();
    const char *name;
    json_t *json;

    port_settings_to_json(values, object);
    json_object_foreach (object, name, json) {
        if (json_is_string(json)) {
            check(!port_settings_set(&again, name, json_string_value(json),
                                     NULL));
        }
    }
    again.is_mode_given = values->is_mode_given;
    for (const char *const *n = port_setting_names(); *n; n++) {
        check(json_object_get(object, *n));
    }
    check(port_settings_set(&again, "", "", NULL) == -EINVAL);
    check(!memcmp(&again, values, sizeof again));
    json_decref(object);
}

static void
parse_port(const char *text)
{
    struct str error = STR_INIT;
    struct port_spec spec;

    if (port_spec_parse(text, &spec, &error)) {
        check(error.len > 0);
    } else {
        check_settings(&spec.settings);
    }
    str_fini(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    unsigned int which;
    char *text;

    if (!len) {
        return 0;
    }
    text = xmalloc(len);
    memcpy(text, data + 1, len - 1);
    text[len - 1] = '\0';
    which = (unsigned int) (uint8_t) (data[0] - '0') % 7;
    switch (which) {
    case 4:
        parse_params(text);
        break;
    case 5:
        parse_port(text);
        break;
    default:
        parse_body(which, text, len - 1);
    }
    free(text);
    return 0;
}
