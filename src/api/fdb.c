/* /v1/fdb: which address was learned where. */

#include "api/routes.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANY_VLAN = 4096 };

/* Which stations are asked for. */
struct fdb_query {
    uint32_t port;                /* its id; 0: all */
    uint64_t vlan;                /* ANY_VLAN: all */
};

static bool
parse_query(struct api *api, struct api_request *request,
            struct fdb_query *query, struct api_reply *reply)
{
    const char *name = api_request_param(request, "port");

    query->vlan = ANY_VLAN;
    if (!api_request_number(request, "vlan", 4095, &query->vlan, reply)) {
        return false;
    }
    if (name) {
        const struct switch_port *sp = api_find_port(api, name, "port",
                                                     reply);

        if (!sp) {
            return false;
        }
        query->port = port_id(sp->number);
    }
    return true;
}

/* ---- List: a job ---- */

struct fdb_job {
    struct api_job job;
    const struct fdb *fdb;
    struct fdb_query query;
    struct port_names names;
    msec now;
    struct fdb_info *list;        /* while it runs */
    size_t n, size;
};

static bool
take_station(void *aux, const struct fdb_info *station)
{
    struct fdb_job *job = aux;
    const struct fdb_query *query = &job->query;

    if ((query->port && station->port != query->port)
        || (query->vlan != ANY_VLAN && station->key.vid != query->vlan)) {
        return true;
    }
    if (job->n == job->size) {
        job->size = job->size ? job->size * 2 : 256;
        job->list = xrealloc(job->list, job->size * sizeof *job->list);
    }
    job->list[job->n++] = *station;
    return true;
}

/* By port, VLAN and address. */
static int
compare_stations(const void *a_, const void *b_)
{
    const struct fdb_info *a = a_, *b = b_;

    if (a->port != b->port) {
        return a->port < b->port ? -1 : 1;
    }
    if (a->key.vid != b->key.vid) {
        return a->key.vid < b->key.vid ? -1 : 1;
    }
    return memcmp(a->key.mac.b, b->key.mac.b, sizeof a->key.mac.b);
}

static json_t *
station_json(struct fdb_job *job, const struct fdb_info *station)
{
    const uint8_t *b = station->key.mac.b;
    char mac[18];

    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1],
             b[2], b[3], b[4], b[5]);
    return json_pack("{s:s, s:i, s:I, s:s?, s:f}",
                     "mac", mac,
                     "vlan", station->key.vid,
                     "number", (json_int_t) port_number(station->port),
                     "port", port_names_find(&job->names, station->port),
                     "age", (double) MAX(job->now - station->used, 0) / 1000);
}

static void
fdb_job_run(struct api_job *base, struct api_reply *reply)
{
    struct fdb_job *job = CONTAINER_OF(base, struct fdb_job, job);

    fdb_visit(job->fdb, take_station, job);
    if (job->n) {
        qsort(job->list, job->n, sizeof *job->list, compare_stations);
    }
    api_list_begin(reply, "fdb");
    for (size_t i = 0; i < job->n; i++) {
        api_list_add(reply, station_json(job, &job->list[i]));
    }
    api_list_end(reply);
}

static void
fdb_job_destroy(struct api_job *base)
{
    struct fdb_job *job = CONTAINER_OF(base, struct fdb_job, job);

    port_names_fini(&job->names);
    free(job->list);
    free(job);
}

void
fdb_list(struct api *api, struct api_request *request, msec now,
         struct api_reply *reply)
{
    struct fdb_query query = { 0 };
    struct fdb_job *job;

    if (!parse_query(api, request, &query, reply)) {
        return;
    }
    job = xzalloc(sizeof *job);
    job->job.run = fdb_job_run;
    job->job.destroy = fdb_job_destroy;
    job->fdb = switch_fdb(api->sw);
    job->query = query;
    job->now = now;
    port_names_init(&job->names, api);
    reply->job = &job->job;
}

/* ---- Flush ---- */

void
fdb_flush_some(struct api *api, struct api_request *request, msec now UNUSED,
               struct api_reply *reply)
{
    struct fdb_query query = { 0 };
    unsigned int n;

    if (!parse_query(api, request, &query, reply)) {
        return;
    }
    n = fdb_flush(switch_fdb(api->sw), query.port,
                  query.vlan == ANY_VLAN ? -1 : (int) query.vlan, NULL);
    switch_barrier(api->sw);
    api_reply_json(reply, 200, json_pack("{s:I}", "flushed", (json_int_t) n));
}
