/* /v1/cache: what the data path remembers, entry by entry. */

#include "api/routes.h"

#include <stdlib.h>

enum { DEFAULT_LIMIT = 10000, MAX_LIMIT = 1000000 };

struct cache_job {
    struct api_job job;
    struct datapath *dp;
    struct port_names names;
    uint32_t port;                /* its id; 0: all */
    uint64_t limit;
    msec now;
    uint64_t n;
    struct api_reply *reply;      /* while it runs */
};

static bool
add_entry(void *aux, const struct dp_entry_view *view)
{
    struct cache_job *job = aux;
    struct str match_text = STR_INIT, actions = STR_INIT;
    uint32_t id = flow_in_port(&view->value), number = port_number(id);
    struct match match;

    if (job->port && id != job->port) {
        return true;
    }
    match.value = view->value;
    match.mask = view->mask;
    match.value.key.in_port = htobe32(number);
    match_format(&match, &match_text);
    if (view->actions.len) {
        dp_action_list_format(view->actions, port_names_find, &job->names,
                              &actions);
    } else {
        str_add(&actions, "drop");
    }
    api_list_add(
        job->reply,
        json_pack("{s:i, s:I, s:s?, s:s, s:s, s:I, s:I, s:f, s:f, s:b, s:b}",
                  "worker", (int) view->worker,
                  "in_port", (json_int_t) number,
                  "port", port_names_find(&job->names, id),
                  "match", str_text(&match_text),
                  "actions", str_text(&actions),
                  "packets", (json_int_t) view->packets,
                  "bytes", (json_int_t) view->bytes,
                  "age", (double) (job->now - view->created) / 1000,
                  "idle", (double) (job->now - view->used) / 1000,
                  "stale", view->stale,
                  "exact", view->exact));
    str_fini(&match_text);
    str_fini(&actions);
    return ++job->n < job->limit;
}

static void
cache_job_run(struct api_job *base, struct api_reply *reply)
{
    struct cache_job *job = CONTAINER_OF(base, struct cache_job, job);

    job->reply = reply;
    api_list_begin(reply, "cache");
    datapath_visit_entries(job->dp, true, add_entry, job);
    api_list_end(reply);
}

static void
cache_job_destroy(struct api_job *base)
{
    struct cache_job *job = CONTAINER_OF(base, struct cache_job, job);

    port_names_fini(&job->names);
    free(job);
}

void
cache_list(struct api *api, struct api_request *request, msec now,
           struct api_reply *reply)
{
    const char *name = api_request_param(request, "port");
    const struct switch_port *sp = NULL;
    uint64_t limit = DEFAULT_LIMIT;
    struct cache_job *job;

    if (!api_request_number(request, "limit", MAX_LIMIT, &limit, reply)) {
        return;
    }
    if (name) {
        sp = api_find_port(api, name, "port", reply);
        if (!sp) {
            return;
        }
    }
    job = xzalloc(sizeof *job);
    job->job.run = cache_job_run;
    job->job.destroy = cache_job_destroy;
    job->dp = switch_datapath(api->sw);
    job->port = sp ? port_id(sp->number) : 0;
    job->limit = limit;
    job->now = now;
    port_names_init(&job->names, api);
    reply->job = &job->job;
}
