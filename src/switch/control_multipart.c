/* Statistics and descriptions (1.3.5 section 7.3.5): those that are short and go
 * out at once.  Of flow entries there can be many: control_flows.c. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "switch/control_stats.h"

void
stats_age(const struct stats_request *r, msec created, uint32_t *sec,
          uint32_t *rest)
{
    msec age = MAX(r->control->now - created, 0);

    *sec = (uint32_t) (age / 1000);
    *rest = (uint32_t) (age % 1000) * 1000000;
}

/* ---- The switch and its ports ---- */

static enum of_error
answer_desc(struct stats_request *r)
{
    const struct switch_config *config = switch_config(r->control->sw);
    struct of_desc desc = { .manufacturer = "Weft", .serial = "None" };
    struct utsname host;

    snprintf(desc.hardware, sizeof desc.hardware, "userspace switch");
    if (!uname(&host)) {
        snprintf(desc.hardware, sizeof desc.hardware, "userspace switch, %s",
                 host.machine);
    }
    snprintf(desc.software, sizeof desc.software, "weftd");
    snprintf(desc.datapath, sizeof desc.datapath, "%s", config->name);
    of_reply_desc(&r->reply, &desc);
    return OF_OK;
}

static void
add_port_desc(struct stats_request *r, const struct switch_port *port)
{
    struct of_port_desc desc;

    control_describe_port(port, &desc);
    of_reply_port_desc(&r->reply, &desc);
}

static void
add_port_stats(struct stats_request *r, const struct switch_port *port)
{
    struct of_port_stats stats;

    control_port_stats(port, &stats);
    stats_age(r, port->added, &stats.duration_sec, &stats.duration_nsec);
    of_reply_port_stats(&r->reply, &stats);
}

static enum of_error
for_ports(struct stats_request *r,
          void (*add)(struct stats_request *, const struct switch_port *))
{
    struct switch_port *port = NULL;

    if (r->what->port != OFPP_ANY) {
        port = switch_port_by_number(r->control->sw, r->what->port);
        if (!port) {
            return OF_BAD_REQUEST_BAD_PORT;
        }
        add(r, port);
        return OF_OK;
    }
    while ((port = switch_next_port(r->control->sw, port))) {
        add(r, port);
    }
    return OF_OK;
}

static enum of_error
answer_port_desc(struct stats_request *r)
{
    return for_ports(r, add_port_desc);
}

static enum of_error
answer_port_stats(struct stats_request *r)
{
    return for_ports(r, add_port_stats);
}

/* There are no queues. */
static enum of_error
answer_queues(struct stats_request *r)
{
    if (r->what->port != OFPP_ANY
        && !switch_port_by_number(r->control->sw, r->what->port)) {
        return OF_QUEUE_OP_FAILED_BAD_PORT;
    }
    return r->what->queue == OFPQ_ALL ? OF_OK : OF_QUEUE_OP_FAILED_BAD_QUEUE;
}

/* ---- All of them ---- */

static const struct {
    stats_answer *answer;
    bool is_on_tables;            /* reads their newest state, or changes it */
} types[N_MULTIPARTS] = {
    [MP_DESC] = { answer_desc, false },
    [MP_FLOW] = { stats_flows, true },
    [MP_AGGREGATE] = { stats_aggregate, true },
    [MP_TABLE] = { stats_tables, true },
    [MP_PORT_STATS] = { answer_port_stats, false },
    [MP_QUEUE_STATS] = { answer_queues, false },
    [MP_GROUP_STATS] = { stats_group_stats, true },
    [MP_GROUP_DESC] = { stats_group_desc, true },
    [MP_GROUP_FEATURES] = { stats_group_features, false },
    [MP_METER_STATS] = { stats_meter_stats, true },
    [MP_METER_CONFIG] = { stats_meter_config, true },
    [MP_METER_FEATURES] = { stats_meter_features, false },
    [MP_TABLE_FEATURES] = { stats_table_features, true },
    [MP_PORT_DESC] = { answer_port_desc, false },
    [MP_TABLE_DESC] = { stats_table_desc, true },
    [MP_QUEUE_DESC] = { answer_queues, false },
    [MP_FLOW_MONITOR] = { stats_flow_monitor, true },
    [MP_FLOW_STATS] = { stats_flows, true },
    [MP_CONTROLLER_STATUS] = { stats_controllers, false },
    [MP_BUNDLE_FEATURES] = { stats_bundle_features, false },
};

bool
control_multipart_is_on_tables(enum of_multipart_type type)
{
    return types[type].is_on_tables;
}

enum of_error
control_multipart(struct session *s, const struct of_message *m)
{
    struct stats_request r = { .s = s, .control = s->control,
                         .what = &m->multipart };
    struct buf *out = session_out(s);
    size_t start = out->len;
    enum of_error error;

    /* No request that we answer needs a second part. */
    if (r.what->more) {
        return OF_BAD_REQUEST_MULTIPART_OVERFLOW;
    }
    if (!types[r.what->type].answer) {
        return OF_BAD_REQUEST_BAD_MULTIPART;
    }
    of_reply_begin(&r.reply, out, session_protocol(s), s->xid, r.what);
    error = types[r.what->type].answer(&r);
    if (error) {
        out->len = start;
        return error;
    }
    if (!s->dump.is_active) {
        of_reply_end(&r.reply);
        session_sent(s);
    }
    return OF_OK;
}
