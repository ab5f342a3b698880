/* /v1/explain and /v1/cookie: from names to packets to be traced, and from flow
 * entries back to what asked for them. */

#include <inttypes.h>
#include <stdlib.h>

#include "api/routes.h"
#include "controller/controller.h"

static bool
has_controller(const struct api *api, struct api_reply *reply)
{
    if (!api->controller) {
        api_fail(reply, API_REFUSED, NULL, "weft trace",
                 "this daemon knows no names: it is a switch only");
        return false;
    }
    return true;
}

/* NULL: `reply` failed. */
static const char *
required(const struct api_request *request, const char *name,
         struct api_reply *reply)
{
    const char *value = api_request_param(request, name);

    if (!value || !*value) {
        api_fail(reply, API_BAD_REQUEST, name, NULL, "it is not given");
        return NULL;
    }
    return value;
}

void
explain_ask(struct api *api, struct api_request *request, msec now UNUSED,
            struct api_reply *reply)
{
    const char *what = api_request_param(request, "what");
    struct controller_question question;
    struct str error = STR_INIT;
    const char *from, *to;
    int err;

    if (!has_controller(api, reply)
        || !(from = required(request, "from", reply))
        || !(to = required(request, "to", reply))) {
        return;
    }
    err = controller_question(api->controller, from, to,
                              what && *what ? what : "icmp", &question,
                              &error);
    if (err) {
        api_fail(reply, err == -ENOENT    ? API_NOT_FOUND
                        : err == -ENODATA ? API_CONFLICT
                                          : API_BAD_REQUEST,
                 NULL, err == -EINVAL ? NULL : "weft port list", "%s",
                 str_text(&error));
    } else {
        api_reply_json(reply, 200, json_pack(
            "{s:s, s:s?, s:s, s:s?, s:b, s:b, s:b, s:s, s:s?, s:s, s:s?}",
            "from",
            question.from, "to", question.to, "from_network",
            question.from_network, "to_network", question.to_network,
            "plugged", question.is_plugged, "gateway", question.is_gateway,
            "group", question.is_group,
            "there", str_text(&question.there), "back",
            question.to ? str_text(&question.back) : NULL, "ask_there",
            str_text(&question.ask_there), "ask_back",
            question.to ? str_text(&question.ask_back) : NULL));
    }
    controller_question_fini(&question);
    str_fini(&error);
}

void
cookie_show(struct api *api, struct api_request *request, msec now UNUSED,
            struct api_reply *reply)
{
    const char *text = api_request_param(request, "table");
    struct str origin = STR_INIT;
    const char *stage;
    uint64_t cookie;
    bool is_ours;
    char *end;

    if (!has_controller(api, reply)) {
        return;
    }
    cookie = strtoull(request->name, &end, 0);
    if (*end) {
        api_fail(reply, API_BAD_REQUEST, "cookie", NULL,
                 "'%s' is not a number", request->name);
        return;
    }
    stage = text ? controller_stage_name((uint8_t) strtoul(text, NULL, 10))
                 : NULL;
    is_ours = controller_explain_cookie(api->controller, cookie, &origin);
    api_reply_json(reply, 200, json_pack("{s:s?, s:s, s:b}", "stage", stage,
                                         "origin", str_text(&origin), "ours",
                                         is_ours));
    str_fini(&origin);
}
