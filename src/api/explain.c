/* /v1/explain: can one reach the other, and what decides.
 *
 * Names are the controller's, translation is the switch's: the question goes
 * from the one thread to the other and back (controller/explain.h).
 *
 *     explain_show()    controller   which packets
 *     ask_switch()      switch       what becomes of them, and of the ports
 *     give_answer()     controller   the verdict; without a switch of ours by
 *     give_plan()                    the plan alone
 *     explain_ask_far() controller   what another host says of its half */

#include <stdlib.h>

#include "api/explain_far.h"
#include "api/routes.h"
#include "controller/controller.h"
#include "host/host.h"

struct inquiry {
    struct explain question;
    json_t *reached;              /* the names of ports that hear it */
    bool is_traced[N_EXPLAIN_LEGS];
    struct trace traces[N_EXPLAIN_LEGS];
};

static void
inquiry_destroy(void *inquiry_)
{
    struct inquiry *inquiry = inquiry_;

    for (unsigned int i = 0; i < N_EXPLAIN_LEGS; i++) {
        if (inquiry->is_traced[i]) {
            trace_fini(&inquiry->traces[i]);
        }
    }
    json_decref(inquiry->reached);
    explain_fini(&inquiry->question);
    free(inquiry);
}

/* ---- The answer ---- */

static json_t *
path_json(const struct explain_leg *leg)
{
    json_t *path = json_array();
    const char *line = str_text(&leg->path);

    while (*line) {
        size_t stage = strcspn(line, "\t"), rest = strcspn(line, "\n");

        json_array_append_new(path, json_pack(
            "{s:s%, s:s%}", "stage", line, stage, "origin", line + stage + 1,
            rest - stage - 1));
        line += rest + 1;
    }
    return path;
}

static json_t *
leg_json(const struct explain_leg *leg)
{
    if (!leg->is_traced) {
        return json_null();
    }
    return json_pack("{s:b, s:s, s:s, s:s, s:s, s:o}", "passes", leg->passes,
                     "stage", str_text(&leg->stage), "origin",
                     str_text(&leg->origin), "verdict",
                     str_text(&leg->verdict), "packet",
                     str_text(&leg->packet), "path", path_json(leg));
}

static json_t *
notes_json(const struct explain *e)
{
    json_t *notes = json_array();
    const char *line = str_text(&e->notes);

    while (*line) {
        size_t len = strcspn(line, "\n");

        json_array_append_new(notes, json_stringn(line, len));
        line += len + 1;
    }
    return notes;
}

static json_t *
side_json(const struct explain_side *side)
{
    return json_pack("{s:s, s:s?, s:s?, s:s?}", "text",
                     str_text(&side->text), "port",
                     side->port[0] ? side->port : NULL, "network",
                     side->network[0] ? side->network : NULL, "address",
                     side->address.len ? str_text(&side->address) : NULL);
}

static json_t *
text_json(const struct str *text)
{
    return text->len ? json_string(str_text(text)) : json_null();
}

static json_t *
explain_json(const struct inquiry *inquiry)
{
    const struct explain *e = &inquiry->question;
    static const char *const words[] = {
        [EXPLAIN_PASSES] = "yes", [EXPLAIN_FAILS] = "no",
        [EXPLAIN_UNKNOWN] = "unknown",
    };
    const struct explain_leg *leg = e->decided >= 0 ? &e->legs[e->decided]
                                                    : NULL;
    json_t *json = json_pack(
        "{s:o, s:o, s:s, s:s, s:b, s:o, s:o, s:s?, s:o, s:o, s:o}", "from",
        side_json(&e->from), "to", side_json(&e->to), "what",
        str_text(&e->what), "verdict", words[e->verdict], "passes",
        e->verdict == EXPLAIN_PASSES, "why", text_json(&e->why), "fix",
        text_json(&e->fix), "decided",
        leg ? explain_leg_name((enum explain_leg_id) e->decided) : NULL,
        "stage", leg ? text_json(&leg->stage) : json_null(), "origin",
        text_json(leg ? &leg->origin : &e->origin), "notes", notes_json(e));

    json_object_set_new(json, "reached", inquiry->reached
                                             ? json_incref(inquiry->reached)
                                             : json_null());
    for (unsigned int i = 0; i < N_EXPLAIN_LEGS; i++) {
        json_object_set_new(json, explain_leg_name((enum explain_leg_id) i),
                            leg_json(&e->legs[i]));
    }
    return json;
}

static void
give_answer(struct api *api, struct api_request *request,
            msec now UNUSED, struct api_reply *reply)
{
    struct inquiry *inquiry = reply->relay.state;
    struct explain *e = &inquiry->question;

    for (unsigned int i = 0; i < N_EXPLAIN_LEGS; i++) {
        const struct trace *trace = &inquiry->traces[i];
        struct explain_entry *entries;

        if (!inquiry->is_traced[i]) {
            continue;
        }
        entries = xcalloc(trace->n_entries + 1, sizeof *entries);
        for (unsigned int k = 0; k < trace->n_entries; k++) {
            entries[k] = (struct explain_entry) { trace->entries[k].table,
                                                  trace->entries[k].cookie };
        }
        controller_explain_add(api->controller, e, (enum explain_leg_id) i,
                               &(struct explain_outcome) {
            .n_entries = trace->n_entries, .entries = entries,
            .n_outputs = trace->n_outputs, .outputs = trace->outputs,
            .to_controller = trace->to_controller,
            .verdict = str_text(&trace->verdict),
        });
        free(entries);
    }
    controller_explain_decide(api->controller, e);
    explain_ask_far(api, request, e, explain_json(inquiry), reply);
}

/* Its switch is another program. */
static void
give_plan(struct api *api, struct api_request *request,
          msec now UNUSED, struct api_reply *reply)
{
    struct inquiry *inquiry = reply->relay.state;

    controller_explain_by_plan(api->controller, &inquiry->question);
    explain_ask_far(api, request, &inquiry->question, explain_json(inquiry),
                    reply);
}

/* ---- What the switch's thread knows ---- */

static void
trace_leg(struct api *api, struct explain_leg *leg, struct trace *trace,
          bool *is_traced)
{
    struct str error = STR_INIT;
    struct match packet;

    match_init(&packet);
    if (match_parse(str_text(&leg->packet), switch_names(api->sw), &packet,
                    &error)) {
        str_fini(&error);
        return;
    }
    api_set_ttls(&packet);
    packet.value.key.in_port = htobe32(leg->in_port);
    *is_traced = !switch_trace(api->sw, &packet.value, false, trace, &error);
    str_fini(&error);
}

/* To a group: those who hear it, the LAN's port among them. */
static json_t *
reached_json(struct api *api, const struct trace *trace)
{
    json_t *ports = json_array();

    for (unsigned int i = 0; i < trace->n_outputs; i++) {
        const struct switch_port *port = switch_port_by_number(
            api->sw, trace->outputs[i]);

        if (port) {
            json_array_append_new(ports,
                                  json_string(port->port->config.name));
        }
    }
    return ports;
}

/* Is its port away?  Then it is told why. */
static void
look_at_side(struct api *api, struct explain_side *side)
{
    const struct switch_port *port;
    struct host_port_info info;
    const char *error = "";

    if (!side->switch_name[0]) {
        return;
    }
    port = api->sw ? switch_port_by_name(api->sw, side->switch_name) : NULL;
    if (port && port_is_up(port->port) && !port->is_held) {
        return;
    }
    if (api->host && host_port_info(api->host, side->switch_name, &info)) {
        error = info.error;
    }
    if (!api->sw && !*error) {
        return;
    }
    if (!side->trouble.len) {
        str_addf(&side->trouble, "port '%s' is %s",
                 side->port[0] ? side->port : side->switch_name,
                 port && port->is_held ? "held" : "down");
    }
    if (*error) {
        str_addf(&side->trouble, ": %s", error);
    }
}

static void
read_meters(struct api *api, struct explain *e)
{
    for (unsigned int i = 0; i < e->n_meters; i++) {
        struct dp_meter_stats stats = { 0 };

        if (switch_meter_stats(api->sw, e->meters[i].id, &stats)) {
            e->meters[i].n_dropped = stats.bands[0].packets;
        }
    }
}

static void
ask_switch(struct api *api, struct api_request *request UNUSED,
           msec now UNUSED, struct api_reply *reply)
{
    struct inquiry *inquiry = reply->relay.state;
    struct explain *e = &inquiry->question;

    look_at_side(api, &e->from);
    look_at_side(api, &e->to);
    if (api->sw) {
        read_meters(api, e);
    }
    for (unsigned int i = 0; api->sw && i < N_EXPLAIN_LEGS; i++) {
        if (e->legs[i].is_asked && e->legs[i].in_port) {
            trace_leg(api, &e->legs[i], &inquiry->traces[i],
                      &inquiry->is_traced[i]);
        }
    }
    if (e->to.is_group && inquiry->is_traced[LEG_THERE]) {
        inquiry->reached = reached_json(api, &inquiry->traces[LEG_THERE]);
    }
    api_relay(reply, API_CONTROLLER, api->sw ? give_answer : give_plan);
}

/* ---- The question ---- */

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
explain_show(struct api *api, struct api_request *request, msec now UNUSED,
            struct api_reply *reply)
{
    const char *what = api_request_param(request, "what");
    struct str error = STR_INIT;
    struct inquiry *inquiry;
    const char *from, *to;
    int err;

    if (!api_has_controller(api, reply)
        || !(from = required(request, "from", reply))
        || !(to = required(request, "to", reply))) {
        return;
    }
    inquiry = xzalloc(sizeof *inquiry);
    reply->relay.state = inquiry;
    reply->relay.destroy = inquiry_destroy;
    err = controller_explain_ask(api->controller, from, to,
                                 what && *what ? what : "icmp",
                                 &inquiry->question, &error);
    if (err) {
        api_fail(reply, err == -ENOENT    ? API_NOT_FOUND
                        : err == -ENODATA ? API_CONFLICT
                                          : API_BAD_REQUEST,
                 NULL, err == -EINVAL ? NULL : "weft port list", "%s",
                 str_text(&error));
        explain_ask_instead(api, request, &inquiry->question, reply);
    } else {
        api_relay(reply, API_SWITCH, ask_switch);
    }
    str_fini(&error);
}
