/* What controllers hear of each other: requests that changed groups and meters
 * (1.4 section 7.4.7), and who controls the switch (1.5 section 7.4.8). */
#include <stdio.h>

#include "switch/control_stats.h"

/* Each in the version of who hears it. */
void
control_forward(struct session *from, const struct of_message *m)
{
    unsigned int reason = m->type == OFT_METER_MOD ? FORWARD_METER_MOD
                                                   : FORWARD_GROUP_MOD;

    if (m->type != OFT_METER_MOD && m->type != OFT_GROUP_MOD) {
        return;
    }
    for (struct session *s = from->control->sessions; s; s = s->next) {
        struct of_message told = { .type = OFT_REQUESTFORWARD,
                                   .xid = m->xid };
        struct buf request = BUF_INIT;

        if (s != session_channel(from)
            && session_wants_async(s, ASYNC_REQUESTFORWARD, reason)
            && !of_message_encode(&request, session_protocol(s), m)) {
            told.forwarded = (struct of_bytes) { request.data, request.len };
            session_tell(s, &told);
        }
        buf_fini(&request);
    }
}

/* ---- Controllers ---- */

/* Tools come and go, and control nothing for long. */
static bool
is_controller(const struct session *s)
{
    return s->is_open && s->kind == SESSION_CONTROLLER && !s->main;
}

static void
describe(const struct session *s, enum of_controller_reason reason,
         struct of_controller_status *status)
{
    *status = (struct of_controller_status) {
        .short_id = s->short_id, .role = s->role, .reason = (uint8_t) reason,
        .is_down = session_is_closed(s),
    };
    snprintf(status->uri, sizeof status->uri, "%s", s->uri);
}

void
control_controller_event(struct session *about,
                         enum of_controller_reason reason)
{
    struct of_message m = { .type = OFT_CONTROLLER_STATUS };

    if (!is_controller(about)) {
        return;
    }
    describe(about, reason, &m.controller_status);
    for (struct session *s = about->control->sessions; s; s = s->next) {
        if (session_wants_async(s, ASYNC_CONTROLLER_STATUS, reason)) {
            m.version = session_protocol(s)->version;
            session_tell(s, &m);
        }
    }
}

enum of_error
stats_controllers(struct stats_request *r)
{
    for (const struct session *s = r->control->sessions; s; s = s->next) {
        struct of_controller_status status;

        if (is_controller(s)) {
            describe(s, CONTROLLER_REQUESTED, &status);
            of_reply_controller_status(&r->reply, &status);
        }
    }
    return OF_OK;
}

bool
control_short_id_is_free(const struct session *s, uint16_t short_id)
{
    for (const struct session *i = s->control->sessions; i; i = i->next) {
        if (i != s && short_id && i->short_id == short_id) {
            return false;
        }
    }
    return true;
}
