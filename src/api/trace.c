/* /v1/trace: what would become of a packet, told by the real translation. */

#include "api/body.h"
#include "api/routes.h"

enum { DEFAULT_TTL = 64 };

static json_t *
steps_json(const struct trace *trace)
{
    json_t *steps = json_array();

    for (unsigned int i = 0; i < trace->n_steps; i++) {
        json_array_append_new(steps,
                              json_pack("{s:i, s:s}",
                                        "depth", (int) trace->steps[i].depth,
                                        "text", trace->steps[i].text));
    }
    return steps;
}

static json_t *
trace_json(const struct trace *trace)
{
    return json_pack("{s:o, s:s, s:b, s:s?, s:s, s:s}",
                     "steps", steps_json(trace),
                     "verdict", str_text(&trace->verdict),
                     "forwarded", !trace->is_dropped,
                     "drop_reason", trace->is_dropped
                         ? drop_reason_name(trace->drop_reason) : NULL,
                     "match", str_text(&trace->megaflow),
                     "actions", str_text(&trace->actions));
}

void
api_set_ttls(struct match *packet)
{
    static const enum field_id ttls[] = { FIELD_IP_TTL, FIELD_MPLS_TTL };

    for (unsigned int i = 0; i < ARRAY_SIZE(ttls); i++) {
        const struct field *ttl = field_by_id(ttls[i]);

        if (field_prereq_met(ttl, &packet->value)
            && !field_get(ttl, &packet->mask.bits)) {
            field_set(ttl, &packet->value, DEFAULT_TTL, field_ones(ttl));
        }
    }
}

void
trace_run(struct api *api, struct api_request *request, msec now UNUSED,
          struct api_reply *reply)
{
    const struct switch_port *sp;
    struct str error = STR_INIT;
    struct trace trace = { 0 };
    struct trace_body body;
    struct match packet;
    int err;

    if (!trace_body_parse(request, &body, reply)) {
        return;
    }
    sp = api_find_port(api, body.port, "port", reply);
    if (!sp) {
        goto free_body;
    }
    match_init(&packet);
    if (*body.packet
        && match_parse(body.packet, switch_names(api->sw), &packet,
                       &error)) {
        api_fail(reply, API_BAD_REQUEST, "packet", NULL, "%s",
                 str_text(&error));
        goto free_body;
    }

    api_set_ttls(&packet);
    packet.value.key.in_port = htobe32(sp->number);
    err = switch_trace(api->sw, &packet.value, body.learn, &trace, &error);
    if (err) {
        api_fail_errno(reply, err, "packet", str_text(&error));
        goto free_body;
    }
    api_reply_json(reply, 200, trace_json(&trace));
    trace_fini(&trace);

free_body:
    json_decref(body.root);
    str_fini(&error);
}
