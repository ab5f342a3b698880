/* /v1/connections: who talks to whom, and what NAT makes of it. */

#include "api/routes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_LIMIT = 1000, MAX_LIMIT = 10 * 1000 * 1000, ANY = UINT16_MAX + 1,
       MAX_CROWDED = 256 };

static const struct {
    const char *name;
    uint8_t proto;
} protocols[] = {
    { "icmp", 1 }, { "tcp", 6 }, { "udp", 17 }, { "icmpv6", 58 },
    { "sctp", 132 },
};

/* Which connections are asked for. */
struct query {
    uint64_t zone, proto;         /* ANY: all */
    uint8_t family;               /* of the address; 0: any */
    struct ip6_addr addr;
};

/* ---- Query ---- */

static bool
parse_protocol(struct api_request *request, struct query *query,
               struct api_reply *reply)
{
    const char *text = api_request_param(request, "protocol");

    for (size_t i = 0; text && i < ARRAY_SIZE(protocols); i++) {
        if (!strcmp(text, protocols[i].name)) {
            query->proto = protocols[i].proto;
            return true;
        }
    }
    return api_request_number(request, "protocol", UINT8_MAX, &query->proto,
                              reply);
}

static bool
parse_query(struct api_request *request, struct query *query,
            struct api_reply *reply)
{
    const char *addr = api_request_param(request, "address");

    *query = (struct query) { .zone = ANY, .proto = ANY };
    if (!api_request_number(request, "zone", UINT16_MAX, &query->zone, reply)
        || !parse_protocol(request, query, reply)) {
        return false;
    }
    if (addr) {
        query->family = inet_pton(AF_INET, addr, query->addr.b) == 1 ? 4
                        : inet_pton(AF_INET6, addr, query->addr.b) == 1 ? 6
                        : 0;
        if (!query->family) {
            api_fail(reply, API_BAD_REQUEST, "address", NULL,
                     "'%s' is no IP address", addr);
            return false;
        }
    }
    return true;
}

static bool
has_address(const struct ct_tuple *t, const struct query *query)
{
    return t->family == query->family
           && (!memcmp(&t->src, &query->addr, sizeof t->src)
               || !memcmp(&t->dst, &query->addr, sizeof t->dst));
}

static bool
is_asked_for(void *query_, const struct ct_info *info)
{
    const struct query *query = query_;

    return (query->zone == ANY || query->zone == info->original.zone)
           && (query->proto == ANY || query->proto == info->original.proto)
           && (!query->family || has_address(&info->original, query)
               || has_address(&info->reply, query));
}

/* ---- List: a job ---- */

struct list_job {
    struct api_job job;
    struct conntrack *ct;
    struct query query;
    uint64_t left;
    msec now;
    struct api_reply *reply;      /* while it runs */
};

/* ICMP's identifier, type and code are no ports. */
static bool
is_icmp(const struct ct_tuple *t)
{
    return t->proto == 1 || t->proto == 58;
}

static json_t *
tuple_json(const struct ct_tuple *t)
{
    int family = t->family == 4 ? AF_INET : AF_INET6;
    char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
    uint16_t src_port = be16toh(t->src_port), dst_port = be16toh(t->dst_port);
    json_t *json;

    inet_ntop(family, t->src.b, src, sizeof src);
    inet_ntop(family, t->dst.b, dst, sizeof dst);
    json = json_pack("{s:s, s:s}", "source", src, "destination", dst);
    if (is_icmp(t)) {
        json_object_set_new(json, "icmp_id", json_integer(src_port));
        json_object_set_new(json, "icmp_type", json_integer(dst_port >> 8));
    } else if (t->src_port || t->dst_port) {
        json_object_set_new(json, "source_port", json_integer(src_port));
        json_object_set_new(json, "destination_port",
                            json_integer(dst_port));
    }
    return json;
}

static json_t *
protocol_json(uint8_t proto)
{
    char number[4];

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (protocols[i].proto == proto) {
            return json_string(protocols[i].name);
        }
    }
    snprintf(number, sizeof number, "%u", proto);
    return json_string(number);
}

static json_t *
label_json(const struct ip6_addr *label)
{
    char text[2 + 2 * sizeof label->b + 1] = "0x";

    for (size_t i = 0; i < sizeof label->b; i++) {
        snprintf(text + 2 + 2 * i, 3, "%02x", label->b[i]);
    }
    return json_string(text);
}

static bool
add_connection(void *job_, const struct ct_info *info)
{
    struct list_job *job = job_;

    if (!is_asked_for(&job->query, info)) {
        return true;
    }
    if (!job->left) {
        return false;
    }
    job->left--;
    api_list_add(job->reply, json_pack(
        "{s:i, s:o, s:o, s:o, s:s, s:b, s:I, s:o, s:f, s:I, s:I}",
        "zone", info->original.zone,
        "protocol", protocol_json(info->original.proto),
        "original", tuple_json(&info->original),
        "reply", tuple_json(&info->reply),
        "state", info->state,
        "answered", info->is_answered,
        "mark", (json_int_t) info->mark,
        "label", label_json(&info->label),
        "expires", (double) MAX(info->expires - job->now, 0) / 1000,
        "bytes_original", (json_int_t) info->bytes[0],
        "bytes_reply", (json_int_t) info->bytes[1]));
    return true;
}

static void
list_job_run(struct api_job *base, struct api_reply *reply)
{
    struct list_job *job = CONTAINER_OF(base, struct list_job, job);

    job->reply = reply;
    api_list_begin(reply, "connections");
    conntrack_visit(job->ct, job->now, add_connection, job);
    api_list_end(reply);
}

static void
list_job_destroy(struct api_job *base)
{
    free(CONTAINER_OF(base, struct list_job, job));
}

void
connections_list(struct api *api, struct api_request *request, msec now,
                 struct api_reply *reply)
{
    uint64_t limit = DEFAULT_LIMIT;
    struct list_job *job;
    struct query query;

    if (!parse_query(request, &query, reply)
        || !api_request_number(request, "limit", MAX_LIMIT, &limit, reply)) {
        return;
    }
    job = xzalloc(sizeof *job);
    job->job.run = list_job_run;
    job->job.destroy = list_job_destroy;
    job->ct = switch_conntrack(api->sw);
    job->query = query;
    job->left = limit;
    job->now = now;
    reply->job = &job->job;
}

/* ---- Flush, count ---- */

void
connections_flush(struct api *api, struct api_request *request,
                  msec now UNUSED, struct api_reply *reply)
{
    struct query query;

    if (parse_query(request, &query, reply)) {
        unsigned int n = switch_flush_connections(api->sw, is_asked_for,
                                                  &query);

        api_reply_json(reply, 200, json_pack("{s:I}", "flushed",
                                             (json_int_t) n));
    }
}

/* Zones that have nearly as many as they may. */
static json_t *
crowded_json(const struct conntrack *ct)
{
    uint16_t zones[MAX_CROWDED];
    unsigned int n = conntrack_crowded(ct, zones, MAX_CROWDED);
    json_t *json = json_array();

    for (unsigned int i = 0; i < n; i++) {
        json_array_append_new(json, json_pack(
            "{s:i, s:I, s:I}", "zone", zones[i], "connections",
            (json_int_t) conntrack_zone_count(ct, zones[i]), "limit",
            (json_int_t) conntrack_zone_limit(ct, zones[i])));
    }
    return json;
}

void
connections_count(struct api *api, struct api_request *request,
                  msec now UNUSED, struct api_reply *reply)
{
    struct conntrack *ct = switch_conntrack(api->sw);
    uint64_t zone = ANY;
    struct ct_counters c;
    json_t *counters;

    if (!api_request_number(request, "zone", UINT16_MAX, &zone, reply)) {
        return;
    }
    if (zone != ANY) {
        api_reply_json(reply, 200, json_pack(
            "{s:I, s:I}", "zone", (json_int_t) zone, "connections",
            (json_int_t) conntrack_zone_count(ct, (uint16_t) zone)));
        return;
    }
    conntrack_read_counters(ct, &c);
    counters = json_object();
#define X(NAME, TEXT)                                                        \
    json_object_set_new(counters, #NAME, json_integer((json_int_t) c.NAME));
    CT_COUNTERS(X)
#undef X
    api_reply_json(reply, 200, json_pack(
        "{s:I, s:I, s:o, s:I, s:I, s:o}",
        "connections", (json_int_t) conntrack_count(ct),
        "max", (json_int_t) conntrack_max(ct),
        "crowded_zones", crowded_json(ct),
        "mappings", (json_int_t) conntrack_n_mappings(ct),
        "memory", (json_int_t) conntrack_memory(ct),
        "counters", counters));
}
