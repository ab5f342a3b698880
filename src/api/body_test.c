#include "api/body.h"

#include "unit.h"

static struct api_request
request_of(const char *body)
{
    return (struct api_request) {
        .method = "POST",
        .path = "/",
        .body = body,
        .body_len = strlen(body),
    };
}

/* What the refusal says; "" when there is none. */
static const char *
said(const struct api_reply *reply)
{
    return str_text(&reply->body);
}

static void
check_refused(bool accepted, struct api_reply *reply, const char *where,
              const char *what)
{
    struct str member = STR_INIT;

    CHECK_MSG(!accepted, "accepted, but %s", what);
    CHECK(reply->status == 400);
    str_addf(&member, "\"where\":\"%s\"", where);
    CHECK_MSG(strstr(said(reply), str_text(&member)), "%s lacks %s",
              said(reply), str_text(&member));
    CHECK_MSG(strstr(said(reply), what), "%s lacks %s", said(reply), what);
    str_fini(&member);
    api_reply_fini(reply);
}

static void
check_trace_refused(const char *text, const char *where, const char *what)
{
    struct api_request request = request_of(text);
    struct api_reply reply = { 0 };
    struct trace_body body;

    check_refused(trace_body_parse(&request, &body, &reply), &reply, where,
                  what);
}

TEST(members_find_their_place)
{
    struct api_request request = request_of(
        "{\"packet\": \"tcp\", \"port\": \"web\", \"learn\": true}");
    struct api_reply reply = { 0 };
    struct trace_body body;

    CHECK(trace_body_parse(&request, &body, &reply));
    CHECK(!strcmp(body.port, "web"));
    CHECK(!strcmp(body.packet, "tcp"));
    CHECK(body.learn);
    json_decref(body.root);
}

TEST(settings_of_controllers_that_are_left_out_stay)
{
    struct api_request request = request_of(
        "{\"controllers\": [\"tcp:192.0.2.1\"], \"auxiliary\": 2}");
    struct api_request wrong = request_of("{\"controllers\": [1]}");
    struct controllers_body body = { .probe_interval = 5, .auxiliary = 1 };
    struct api_reply reply = { 0 };

    CHECK(controllers_body_parse(&request, &body, &reply));
    CHECK(json_array_size(body.controllers) == 1 && !body.fail_mode);
    CHECK(body.probe_interval == 5 && body.auxiliary == 2);
    json_decref(body.root);
    check_refused(controllers_body_parse(&wrong, &body, &reply), &reply,
                  "controllers", "a list of strings");
}

TEST(what_may_be_left_out_has_a_default)
{
    struct api_request request = request_of("{\"port\": \"web\"}");
    struct api_reply reply = { 0 };
    struct port_add_body add;
    struct trace_body trace;

    CHECK(trace_body_parse(&request, &trace, &reply));
    CHECK(!strcmp(trace.packet, "") && !trace.learn);
    json_decref(trace.root);
    CHECK(port_add_body_parse(&request, &add, &reply));
    CHECK(!add.number);
    json_decref(add.root);
}

TEST(a_change_is_a_command_and_a_list_named_by_its_noun)
{
    struct api_request request = request_of(
        "{\"command\": \"modify\", \"meters\": [\"a\", \"b\"]}");
    struct api_reply reply = { 0 };
    struct change_body body;

    CHECK(change_body_parse(&request, "meters", &body, &reply));
    CHECK(!strcmp(body.command, "modify"));
    CHECK(json_array_size(body.list) == 2);
    json_decref(body.root);

    check_refused(change_body_parse(&request, "flows", &body, &reply),
                  &reply, "meters", "unknown member");
}

TEST(lists_hold_strings_only)
{
    struct api_request request = request_of("{\"flows\": [\"a\", 1]}");
    struct api_reply reply = { 0 };
    struct change_body body;

    check_refused(change_body_parse(&request, "flows", &body, &reply),
                  &reply, "flows", "must be a list of strings");
}

TEST(refusals_say_what_and_where)
{
    check_trace_refused("", "body", "no body");
    check_trace_refused("[]", "body", "a JSON object is expected");
    check_trace_refused("{\"port\": \"a\"", "body:1:12", "not JSON");
    check_trace_refused("{\"prot\": \"a\"}", "prot", "did you mean 'port'?");
    check_trace_refused("{\"qqqqqqq\": 1}", "qqqqqqq",
                        "known are: port packet learn");
    check_trace_refused("{}", "port", "'port' is missing");
    check_trace_refused("{\"port\": 1}", "port", "must be a string");
    check_trace_refused("{\"port\": \"a\", \"learn\": 1}", "learn",
                        "must be true or false");
    check_trace_refused("{\"port\": \"a\", \"port\": \"b\"}", "body:1:20",
                        "duplicate");
    check_trace_refused("{\"port\": \"a\\u0000b\"}", "body:1:19",
                        "not JSON");
}

TEST(numbers_stay_in_their_range)
{
    static const char *const bad[] = {
        "{\"port\": \"a\", \"number\": -1}",
        "{\"port\": \"a\", \"number\": 4294967296}",
        "{\"port\": \"a\", \"number\": 1.5}",
        "{\"port\": \"a\", \"number\": \"1\"}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct api_request request = request_of(bad[i]);
        struct api_reply reply = { 0 };
        struct port_add_body body;

        check_refused(port_add_body_parse(&request, &body, &reply), &reply,
                      "number", "a number of 32 bits");
    }
}

TEST(nothing_to_set_is_an_error)
{
    struct api_request request = request_of("{}");
    struct api_reply reply = { 0 };
    struct port_set_body body;

    check_refused(port_set_body_parse(&request, &body, &reply), &reply,
                  "body", "nothing to set");
}

TEST(refusals_show_hostile_texts_as_json)
{
    struct api_reply reply = { 0 };
    json_t *json;

    api_fail(&reply, API_NOT_FOUND, "\"\\", NULL, "bytes %s", "\xff\x01\"");
    CHECK(reply.status == 404);
    json = json_loads(said(&reply), 0, NULL);
    CHECK(json);
    CHECK(!strcmp(json_string_value(json_object_get(
                      json_object_get(json, "error"), "what")),
                  "bytes ?\x01\""));
    json_decref(json);
    api_reply_fini(&reply);
}

TEST(lists_are_written_piece_by_piece)
{
    struct api_reply reply = { 0 };

    api_list_begin(&reply, "x");
    api_list_end(&reply);
    CHECK(!strcmp(said(&reply), "{\"x\":[]}\n"));

    api_list_begin(&reply, "x");
    api_list_add(&reply, json_integer(1));
    api_list_add(&reply, json_string("["));
    api_list_add(&reply, json_null());
    api_list_end(&reply);
    CHECK(reply.status == 200);
    CHECK(!strcmp(said(&reply), "{\"x\":[1,\"[\",null]}\n"));

    api_list_begin(&reply, "x");
    api_list_add(&reply, NULL);
    api_list_end(&reply);
    CHECK(reply.status == 500);
    api_reply_fini(&reply);
}

TEST(parameters_are_numbers_and_truths_when_they_should_be)
{
    struct api_request request = {
        .n_params = 4,
        .params = {
            { "table", "12" }, { "strict", "yes" }, { "bad", "12x" },
            { "empty", "" },
        },
    };
    struct api_reply reply = { 0 };
    uint64_t number = 7;
    bool truth = false;

    CHECK(api_request_number(&request, "table", 254, &number, &reply));
    CHECK(number == 12);
    CHECK(api_request_number(&request, "absent", 254, &number, &reply));
    CHECK(number == 12);
    CHECK(api_request_bool(&request, "strict", &truth, &reply));
    CHECK(truth);
    check_refused(api_request_number(&request, "table", 11, &number, &reply),
                  &reply, "table", "up to 11");
    check_refused(api_request_number(&request, "bad", 254, &number, &reply),
                  &reply, "bad", "not a number");
    check_refused(api_request_number(&request, "empty", 254, &number,
                                     &reply),
                  &reply, "empty", "not a number");
    check_refused(api_request_bool(&request, "table", &truth, &reply),
                  &reply, "table", "neither yes nor no");
}

TESTS(
    RUN(members_find_their_place),
    RUN(settings_of_controllers_that_are_left_out_stay),
    RUN(what_may_be_left_out_has_a_default),
    RUN(a_change_is_a_command_and_a_list_named_by_its_noun),
    RUN(lists_hold_strings_only),
    RUN(refusals_say_what_and_where),
    RUN(numbers_stay_in_their_range),
    RUN(nothing_to_set_is_an_error),
    RUN(refusals_show_hostile_texts_as_json),
    RUN(lists_are_written_piece_by_piece),
    RUN(parameters_are_numbers_and_truths_when_they_should_be),
)
