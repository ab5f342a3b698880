/* Requests against a switch without threads, sockets or devices. */

#include "api/routes.h"

#include "lib/rcu.h"
#include "unit.h"

struct fixture {
    struct api api;
    struct api_reply reply;
    json_t *json;                 /* the last answer */
};

static void
setup(struct fixture *f)
{
    struct switch_config config = {
        .name = "br0",
        .fail_mode = FAIL_STANDALONE,
        .datapath = { .inline_only = true },
    };

    memset(f, 0, sizeof *f);
    rcu_thread_begin();
    f->api.version = "test";
    f->api.sw = switch_create(&config, 0);
    CHECK(f->api.sw);
}

static void
teardown(struct fixture *f)
{
    json_decref(f->json);
    api_reply_fini(&f->reply);
    switch_destroy(f->api.sw);
    rcu_thread_end();
}

/* Asks "METHOD /path?name=value&..."; the answer is f->json. */
static unsigned int
ask(struct fixture *f, const char *line, const char *body)
{
    static char copy[512];
    struct api_request request = { .body = body };
    char *save = NULL, *query;

    strncpy(copy, line, sizeof copy - 1);
    request.method = strtok_r(copy, " ", &save);
    request.path = strtok_r(NULL, "?", &save);
    request.body_len = body ? strlen(body) : 0;
    while ((query = strtok_r(NULL, "&", &save))) {
        char *eq = strchr(query, '=');

        *eq = '\0';
        request.params[request.n_params++] = (struct api_param) {
            query, eq + 1,
        };
    }

    json_decref(f->json);
    api_reply_fini(&f->reply);
    memset(&f->reply, 0, sizeof f->reply);
    api_dispatch(&f->api, &request, 1000, &f->reply);
    if (f->reply.job) {
        api_run_job(&f->reply);
    }
    f->json = json_loadb(str_text(&f->reply.body), f->reply.body.len, 0,
                         NULL);
    return f->reply.status;
}

/* A member of the last answer, by "name.name[n].name". */
static const json_t *
get(const struct fixture *f, const char *path)
{
    const json_t *json = f->json;
    char name[64];

    while (*path && json) {
        size_t len = strcspn(path, ".[");

        memcpy(name, path, len);
        name[len] = '\0';
        json = json_object_get(json, name);
        path += len;
        if (*path == '[') {
            char *end;

            json = json_array_get(json, strtoul(path + 1, &end, 10));
            path = end + 1;
        }
        path += *path == '.';
    }
    return json;
}

static const char *
text(const struct fixture *f, const char *path)
{
    const char *string = json_string_value(get(f, path));

    return string ? string : "";
}

static long long
number(const struct fixture *f, const char *path)
{
    return json_integer_value(get(f, path));
}

TEST(every_route_answers_and_no_other_does)
{
    struct fixture f;

    setup(&f);
    for (const struct api_route *r = api_routes(); r->method; r++) {
        struct str line = STR_INIT;

        str_addf(&line, "%s %s", r->method, r->path);
        CHECK_MSG(ask(&f, str_text(&line), NULL), "%s", str_text(&line));
        CHECK(f.reply.status != 405);
        CHECK(f.json || !strcmp(r->path, "/v1/metrics"));
        str_fini(&line);
    }
    CHECK(ask(&f, "GET /v1/nothing", NULL) == 404);
    CHECK(ask(&f, "PUT /v1/ports", NULL) == 405);
    CHECK(ask(&f, "GET /v1/ports/a/b", NULL) == 404);
    CHECK(ask(&f, "GET /v1/flows?tabel=1", NULL) == 400);
    CHECK(!strcmp(text(&f, "error.hint"), "table"));
    teardown(&f);
}

TEST(ports_are_added_shown_set_and_deleted)
{
    struct fixture f;

    setup(&f);
    CHECK(ask(&f, "POST /v1/ports", "{\"port\": \"5=a=null:,tag=7\"}") == 201);
    CHECK(number(&f, "number") == 5);
    CHECK(ask(&f, "POST /v1/ports", "{\"port\": \"b=null:\"}") == 201);
    CHECK(number(&f, "number") == 1);
    CHECK(ask(&f, "POST /v1/ports", "{\"port\": \"b=null:\"}") == 409);
    CHECK(ask(&f, "POST /v1/ports", "{\"port\": \"1=c=null:\"}") == 409);
    CHECK(ask(&f, "POST /v1/ports", "{\"port\": \"c=nul:\"}") == 400);
    CHECK(!strcmp(text(&f, "error.hint"), "did you mean 'null'?"));

    CHECK(ask(&f, "GET /v1/ports", NULL) == 200);
    CHECK(json_array_size(get(&f, "ports")) == 2);
    CHECK(!strcmp(text(&f, "ports[1].name"), "a"));
    CHECK(number(&f, "ports[1].tag") == 7);
    CHECK(ask(&f, "PATCH /v1/ports/5", "{\"tag\": null, \"protected\": true}")
          == 200);
    CHECK(ask(&f, "GET /v1/ports/a", NULL) == 200);
    CHECK(json_is_null(get(&f, "tag")) && json_is_true(get(&f, "protected")));
    CHECK(!strcmp(text(&f, "vlan_mode"), "trunk"));
    CHECK(ask(&f, "PATCH /v1/ports/5", "{\"tag\": []}") == 400);
    CHECK(ask(&f, "PATCH /v1/ports/5", "{\"tga\": 1}") == 400);

    CHECK(ask(&f, "DELETE /v1/ports/a", NULL) == 200);
    CHECK(ask(&f, "DELETE /v1/ports/a", NULL) == 404);
    CHECK(ask(&f, "DELETE /v1/ports/b", NULL) == 200);
    teardown(&f);
}

TEST(flows_of_one_request_are_all_or_none)
{
    struct fixture f;

    setup(&f);
    CHECK(ask(&f, "POST /v1/flows",
              "{\"flows\": [\"priority=5,tcp,actions=drop\","
              " \"priority=6,udp,actions=drop\"]}") == 200);
    CHECK(number(&f, "flows") == 2);
    CHECK(ask(&f, "GET /v1/flows", NULL) == 200);
    CHECK(json_array_size(get(&f, "flows")) == 3);
    CHECK(number(&f, "flows[0].priority") == 6);
    CHECK(!strcmp(text(&f, "flows[0].match"), "udp"));
    CHECK(!strcmp(text(&f, "flows[0].actions"), "drop"));

    CHECK(ask(&f, "POST /v1/flows",
              "{\"flows\": [\"priority=7,tcp,actions=drop\","
              " \"priority=8,tcq,actions=drop\"]}") == 400);
    CHECK(!strcmp(text(&f, "error.where"), "flows[1]"));
    CHECK(ask(&f, "POST /v1/flows",
              "{\"flows\": [\"priority=7,tcp,actions=drop\","
              " \"priority=8,actions=group:9\"]}") == 422);
    CHECK(ask(&f, "GET /v1/flows", NULL) == 200);
    CHECK(json_array_size(get(&f, "flows")) == 3);

    CHECK(ask(&f, "POST /v1/flows",
              "{\"command\": \"modify\", \"flows\":"
              " [\"tcp,actions=NORMAL\"]}") == 200);
    CHECK(ask(&f, "GET /v1/flows?match=tcp", NULL) == 200);
    CHECK(json_array_size(get(&f, "flows")) == 1);
    CHECK(!strcmp(text(&f, "flows[0].actions"), "NORMAL"));
    CHECK(ask(&f, "POST /v1/flows",
              "{\"command\": \"mod\", \"flows\": []}") == 400);

    CHECK(ask(&f, "DELETE /v1/flows?flow=tcp", NULL) == 200);
    CHECK(number(&f, "deleted") == 1);
    CHECK(ask(&f, "DELETE /v1/flows?flow=priority=6,udp&strict=yes", NULL)
          == 200);
    CHECK(number(&f, "deleted") == 1);
    CHECK(ask(&f, "DELETE /v1/flows?flow=tcq", NULL) == 400);
    CHECK(ask(&f, "DELETE /v1/flows", NULL) == 200);
    CHECK(number(&f, "deleted") == 1);
    teardown(&f);
}

TEST(groups_and_meters_come_and_go)
{
    struct fixture f;

    setup(&f);
    CHECK(ask(&f, "POST /v1/groups",
              "{\"groups\": [\"group_id=1,type=all,bucket=output:2\"]}")
          == 200);
    CHECK(ask(&f, "POST /v1/groups",
              "{\"groups\": [\"group_id=1,type=all,bucket=output:2\"]}")
          == 409);
    CHECK(ask(&f, "GET /v1/groups", NULL) == 200);
    CHECK(number(&f, "groups[0].id") == 1);
    CHECK(ask(&f, "DELETE /v1/groups?group=1", NULL) == 200);
    CHECK(number(&f, "deleted") == 1);

    CHECK(ask(&f, "POST /v1/meters",
              "{\"meters\": [\"meter=1 pktps bands=type=drop rate=9\"]}")
          == 200);
    CHECK(ask(&f, "GET /v1/meters", NULL) == 200);
    CHECK(number(&f, "meters[0].id") == 1);
    CHECK(json_array_size(get(&f, "meters[0].bands")) == 1);
    CHECK(ask(&f, "DELETE /v1/meters", NULL) == 200);
    CHECK(number(&f, "deleted") == 1);
    teardown(&f);
}

TEST(a_trace_says_what_would_happen)
{
    struct fixture f;

    setup(&f);
    CHECK(ask(&f, "POST /v1/ports", "{\"port\": \"a=null:\"}") == 201);
    CHECK(ask(&f, "POST /v1/ports", "{\"port\": \"b=null:\"}") == 201);
    CHECK(ask(&f, "POST /v1/flows",
              "{\"flows\": [\"tcp,actions=output:2\", \"udp,actions=drop\"]}")
          == 200);
    CHECK(ask(&f, "POST /v1/trace",
              "{\"port\": \"a\", \"packet\": \"tcp,tp_dst=80\"}") == 200);
    CHECK(json_is_true(get(&f, "forwarded")));
    CHECK(json_array_size(get(&f, "steps")));
    CHECK(strstr(text(&f, "actions"), "b"));
    CHECK(ask(&f, "POST /v1/trace",
              "{\"port\": \"1\", \"packet\": \"udp\"}") == 200);
    CHECK(!json_is_true(get(&f, "forwarded")));
    CHECK(!strcmp(text(&f, "drop_reason"), "drop-action"));
    CHECK(ask(&f, "POST /v1/trace", "{\"port\": \"c\"}") == 404);
    CHECK(ask(&f, "POST /v1/trace",
              "{\"port\": \"a\", \"packet\": \"tcq\"}") == 400);
    teardown(&f);
}

TEST(metrics_have_a_family_for_every_sample)
{
    struct fixture f;
    char *save = NULL, family[128] = "";

    setup(&f);
    CHECK(ask(&f, "POST /v1/ports", "{\"port\": \"a=null:\"}") == 201);
    CHECK(ask(&f, "GET /v1/metrics", NULL) == 200);
    CHECK(strstr(str_text(&f.reply.body), "weft_port_up{port=\"a\"} 1\n"));
    for (char *line = strtok_r(f.reply.body.text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        if (!strncmp(line, "# TYPE ", 7)) {
            memcpy(family, line + 7, strcspn(line + 7, " ") + 1);
            family[strcspn(line + 7, " ")] = '\0';
        } else if (line[0] != '#') {
            CHECK_MSG(!strncmp(line, family, strlen(family)), "%s", line);
        }
    }
    teardown(&f);
}

TESTS(
    RUN(every_route_answers_and_no_other_does),
    RUN(ports_are_added_shown_set_and_deleted),
    RUN(flows_of_one_request_are_all_or_none),
    RUN(groups_and_meters_come_and_go),
    RUN(a_trace_says_what_would_happen),
    RUN(metrics_have_a_family_for_every_sample),
)
