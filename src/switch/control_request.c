/* What is done with each type of message. */
#include <stdlib.h>

#include "lib/log.h"
#include "switch/control_impl.h"

static void
reply_plain(struct session *s, enum of_type type)
{
    of_plain_encode(session_out(s), session_protocol(s), type, s->xid);
    session_sent(s);
}

static void
reply(struct session *s, struct of_message *message, enum of_type type)
{
    message->version = session_protocol(s)->version;
    message->type = type;
    message->xid = s->xid;
    session_send(s, message);
}

/* ---- Features, config ---- */

static enum of_error
take_features_request(struct session *s, const struct of_message *m UNUSED,
                      struct str *why UNUSED)
{
    struct switch_ *sw = s->control->sw;
    struct of_port_desc *ports = NULL;
    struct switch_port *port = NULL;
    struct of_message answer = {
        .features = {
            .datapath_id = switch_config(sw)->datapath_id,
            .n_tables = N_TABLES,
            .auxiliary_id = s->auxiliary_id,
            .capabilities = CAP_FLOW_STATS | CAP_TABLE_STATS | CAP_PORT_STATS
                            | CAP_GROUP_STATS | CAP_QUEUE_STATS
                            | CAP_ARP_MATCH_IP | CAP_BUNDLES
                            | CAP_FLOW_MONITORING,
        },
    };
    unsigned int n = 0;

    if (session_protocol(s)->version == OF10) {
        while ((port = switch_next_port(sw, port))) {
            ports = xrealloc(ports, (n + 1) * sizeof *ports);
            control_describe_port(port, &ports[n++]);
        }
        answer.features.ports = ports;
        answer.features.n_ports = n;
    }
    reply(s, &answer, OFT_FEATURES_REPLY);
    free(ports);
    return OF_OK;
}

static const uint32_t invalid_ttl_bit = 1u << REASON_INVALID_TTL;

static enum of_error
take_get_config(struct session *s, const struct of_message *m UNUSED,
                struct str *why UNUSED)
{
    struct of_message answer = {
        .config = { .frag = s->control->frag,
                    .miss_send_len = session_channel(s)->miss_send_len },
    };
    uint32_t wanted = session_channel(s)->async.mask[0][ASYNC_PACKET_IN];

    answer.config.invalid_ttl = session_protocol(s)->version == OF10
                                && wanted & invalid_ttl_bit;

    reply(s, &answer, OFT_GET_CONFIG_REPLY);
    return OF_OK;
}

static void
want_invalid_ttl(struct session *s, bool wanted)
{
    uint32_t *reasons = &s->async.mask[0][ASYNC_PACKET_IN];

    *reasons = (*reasons & ~invalid_ttl_bit) | (wanted ? invalid_ttl_bit : 0);
}

static enum of_error
take_set_config(struct session *s, const struct of_message *m,
                struct str *why UNUSED)
{
    struct control *control = s->control;
    uint16_t frag = m->config.frag;

    /* Nothing puts datagrams together again. */
    if (frag == FRAG_REASM || frag > FRAG_NX_MATCH) {
        return OF_SWITCH_CONFIG_FAILED_BAD_FLAGS;
    }
    if (session_channel(s)->role != ROLE_SLAVE && frag != control->frag) {
        control->frag = frag;
        switch_set_fragments(control->sw, (enum of_frag) frag);
    }
    session_channel(s)->miss_send_len = m->config.miss_send_len;
    if (session_protocol(s)->version == OF10) {
        want_invalid_ttl(session_channel(s), m->config.invalid_ttl);
    }
    control_update_unasked(s->control);
    return OF_OK;
}

/* ---- Changes ---- */

static enum of_error
take_change(struct session *s, const struct of_message *m, struct str *why)
{
    enum of_error error = control_apply(s, m, why);

    if (!error) {
        control_forward(s, m);
    }
    return error;
}

static enum of_error
take_table_mod(struct session *s, const struct of_message *m,
               struct str *why)
{
    return control_table_mod(s, &m->table_mod, why);
}

static enum of_error
packet_out(struct session *s, const struct of_packet_out *out,
           struct str *why)
{
    struct control *control = s->control;
    struct action_list actions = actions_list(&out->actions);
    struct match packet;
    enum of_error error;

    if (out->buffer_id != OF_NO_BUFFER) {
        return OF_BAD_REQUEST_BUFFER_UNKNOWN;
    }
    if (out->in_port && !port_number_is_valid(out->in_port)
        && out->in_port != OFPP_CONTROLLER && out->in_port != OFPP_ANY) {
        return OF_BAD_REQUEST_BAD_PORT;
    }
    match_init(&packet);
    if (switch_flow_of_frame(out->data.data, (uint32_t) out->data.len,
                             out->in_port, &packet.value)) {
        return OF_BAD_REQUEST_BAD_PACKET;
    }
    error = actions_check(actions, ACTIONS_PACKET_OUT, &packet, why);
    if (!error) {
        error = tables_check_actions(switch_tables(control->sw), actions, why);
    }
    if (error) {
        return error;
    }
    s->is_held = !switch_has_packet_out_room(control->sw);
    return switch_packet_out(control->sw, out->in_port, &out->match, actions,
                             out->data.data, (uint32_t) out->data.len)
           ? OF_BAD_REQUEST_BAD_PACKET : OF_OK;
}

/* A paused packet goes on, with what its controller made of it. */
static enum of_error
take_resume(struct session *s, const struct of_message *m, struct str *why)
{
    const struct of_packet_in *pin = &m->packet_in;
    struct switch_ *sw = s->control->sw;
    int err;

    if (!pin->continuation.is_there) {
        str_setf(why, "a resume without continuation");
        return OF_BAD_PROPERTY_BAD_VALUE;
    }
    s->is_held = !switch_has_packet_out_room(sw);
    err = switch_resume(sw, pin->continuation.id, pin->continuation.token,
                        &pin->match, pin->data.data,
                        (uint32_t) pin->data.len);
    return err == -ESTALE ? OF_RESUME_STALE
           : err ? OF_BAD_REQUEST_BAD_PACKET : OF_OK;
}

static enum of_error
apply(struct session *s, const struct of_message *m, struct str *why)
{
    struct control *control = s->control;

    switch (m->type) {
    case OFT_FLOW_MOD:
        return switch_flow_mod(control->sw, &m->flow_mod, control->now, why);
    case OFT_GROUP_MOD:
        return switch_group_mod(control->sw, &m->group_mod, control->now,
                                why);
    case OFT_METER_MOD:
        return switch_meter_mod(control->sw, &m->meter_mod, control->now,
                                why);
    case OFT_PORT_MOD:
        return control_port_mod(control, m->version, &m->port_mod);
    case OFT_PACKET_OUT:
        return packet_out(s, &m->packet_out, why);
    default:
        return OF_BAD_REQUEST_BAD_TYPE;
    }
}

enum of_error
control_apply(struct session *s, const struct of_message *m, struct str *why)
{
    struct control *control = s->control;
    struct table_origin origin = {
        .who = s->serial, .request = ++control->n_changes, .xid = m->xid,
    };
    const struct table_origin nobody = { 0 };
    enum of_error error;

    tables_set_origin(switch_tables(control->sw), &origin);
    error = apply(s, m, why);
    tables_set_origin(switch_tables(control->sw), &nobody);
    return error;
}

static enum of_error
take_barrier(struct session *s, const struct of_message *m UNUSED,
             struct str *why UNUSED)
{
    switch_barrier(s->control->sw);
    reply_plain(s, OFT_BARRIER_REPLY);
    return OF_OK;
}

/* ---- Roles ---- */

void
control_set_default_role(struct session *s)
{
    s->role = ROLE_EQUAL;
    /* 1.3.5 section 7.3.2.  Tools are silent until they ask. */
    s->miss_send_len = s->kind == SESSION_CONTROLLER ? 128 : 0;
}

static void
demote_master(struct session *new_master)
{
    struct control *control = new_master->control;

    for (struct session *s = control->sessions; s; s = s->next) {
        struct of_message status = { .type = OFT_ROLE_STATUS };

        if (s == new_master || s->main || s->role != ROLE_MASTER) {
            continue;
        }
        status.version = session_protocol(s)->version;
        status.role.role = ROLE_SLAVE;
        status.role.has_generation = control->has_generation;
        status.role.generation_id = control->generation_id;
        /* The old master is told as the master that it was. */
        if (status.version >= OF14
            && session_wants_async(s, ASYNC_ROLE_STATUS, 0)) {
            session_send(s, &status);
        }
        s->role = ROLE_SLAVE;
        control_controller_event(s, CONTROLLER_ROLE);
    }
}

static enum of_error
take_role_request(struct session *s, const struct of_message *m,
                  struct str *why UNUSED)
{
    struct control *control = s->control;
    struct session *channel = session_channel(s);
    struct of_message answer = { 0 };
    const struct of_role *role = &m->role;
    enum of_role_type before = channel->role;

    if (!control_short_id_is_free(channel, role->short_id)) {
        return OF_ROLE_REQUEST_FAILED_ID_IN_USE;
    }
    if (role->role == ROLE_MASTER || role->role == ROLE_SLAVE) {
        if (role->has_generation) {
            if (control->has_generation
                && (int64_t) (role->generation_id - control->generation_id)
                       < 0) {
                return OF_ROLE_REQUEST_FAILED_STALE;
            }
            control->has_generation = true;
            control->generation_id = role->generation_id;
        }
    }
    if (role->role == ROLE_MASTER) {
        demote_master(channel);
    }
    if (role->role != ROLE_NOCHANGE) {
        channel->role = (enum of_role_type) role->role;
    }
    control_update_unasked(control);
    if (channel->role != before) {
        control_controller_event(channel, CONTROLLER_ROLE);
    }
    if (role->short_id && role->short_id != channel->short_id) {
        channel->short_id = role->short_id;
        control_controller_event(channel, CONTROLLER_SHORT_ID);
    }
    answer.role.role = channel->role;
    answer.role.short_id = channel->short_id;
    answer.role.has_generation = role->has_generation;
    answer.role.generation_id = control->has_generation
                                    ? control->generation_id : UINT64_MAX;
    reply(s, &answer, OFT_ROLE_REPLY);
    return OF_OK;
}

/* ---- What is sent without being asked for ---- */

static enum of_error
take_get_async(struct session *s, const struct of_message *m UNUSED,
               struct str *why UNUSED)
{
    struct of_message answer = { .async = session_channel(s)->async };

    reply(s, &answer, OFT_GET_ASYNC_REPLY);
    return OF_OK;
}

static enum of_error
take_set_async(struct session *s, const struct of_message *m,
               struct str *why UNUSED)
{
    struct of_async *async = &session_channel(s)->async;

    for (unsigned int slave = 0; slave < 2; slave++) {
        for (unsigned int type = 0; type < N_ASYNC; type++) {
            if (m->async.present[slave] >> type & 1) {
                async->mask[slave][type] = m->async.mask[slave][type];
            }
        }
    }
    control_update_unasked(s->control);
    return OF_OK;
}

static enum of_error
take_controller_id(struct session *s, const struct of_message *m,
                   struct str *why UNUSED)
{
    session_channel(s)->controller_id = m->controller_id;
    return OF_OK;
}

static enum of_error
take_monitor_cancel(struct session *s, const struct of_message *m,
                    struct str *why UNUSED)
{
    return control_monitor_cancel(s, m->monitor_id);
}

/* ---- How this connection talks ---- */

static enum of_error
take_packet_in_format(struct session *s, const struct of_message *m,
                      struct str *why UNUSED)
{
    session_protocol(s)->packet_in_format = m->packet_in_format;
    return OF_OK;
}

static enum of_error
take_flow_format(struct session *s, const struct of_message *m,
                 struct str *why UNUSED)
{
    session_protocol(s)->nxm_flows = m->nxm_flows;
    return OF_OK;
}

static enum of_error
take_flow_mod_table_id(struct session *s, const struct of_message *m,
                       struct str *why UNUSED)
{
    session_protocol(s)->flow_mod_table_id = m->flow_mod_table_id;
    return OF_OK;
}

/* ---- The rest ---- */

/* ---- Options of tunnels, connections ---- */

static enum of_error
take_tlv_mod(struct session *s, const struct of_message *m, struct str *why)
{
    return switch_tlv_mod(s->control->sw, &m->tlv_table, why);
}

static enum of_error
take_tlv_request(struct session *s, const struct of_message *m UNUSED,
                 struct str *why UNUSED)
{
    struct of_message answer = { 0 };

    tlv_map_read(switch_tlv_map(s->control->sw), &answer.tlv_table);
    reply(s, &answer, OFT_NX_TLV_TABLE_REPLY);
    return OF_OK;
}

static enum of_error
take_queue_config(struct session *s, const struct of_message *m,
                  struct str *why UNUSED)
{
    struct of_message answer = { .queue_port = m->queue_port };

    if ((m->queue_port != OFPP_ANY || m->version == OF10)
        && !switch_port_by_number(s->control->sw, m->queue_port)) {
        return OF_QUEUE_OP_FAILED_BAD_PORT;
    }
    reply(s, &answer, OFT_QUEUE_GET_CONFIG_REPLY);
    return OF_OK;
}

static enum of_error
take_multipart(struct session *s, const struct of_message *m,
               struct str *why UNUSED)
{
    return control_multipart(s, m);
}

static enum of_error
take_bundle_control(struct session *s, const struct of_message *m,
                    struct str *why)
{
    return control_bundle(s, &m->bundle_control, why);
}

static enum of_error
take_bundle_add(struct session *s, const struct of_message *m,
                struct str *why)
{
    return control_bundle_add(s, &m->bundle_add, why);
}

static enum of_error
take_error(struct session *s UNUSED, const struct of_message *m,
           struct str *why UNUSED)
{
    log_limited(LOG_LEVEL_DEBUG, "control", "a peer reports error %u/%u",
                m->error.type, m->error.code);
    return OF_OK;
}

/* What a type of message leads to; the rest is a switch's to say, not to
 * hear. */
enum {
    IS_CHANGE = 1 << 0,           /* not for slaves */
    MAY_BUNDLE = 1 << 1,
    ON_TABLES = 1 << 2,           /* reads their newest state, or changes it */
};

static const struct {
    enum of_error (*take)(struct session *, const struct of_message *,
                          struct str *why);
    unsigned int flags;
} types[N_OF_TYPES] = {
    [OFT_ERROR] = { take_error, 0 },
    [OFT_FEATURES_REQUEST] = { take_features_request, 0 },
    [OFT_GET_CONFIG_REQUEST] = { take_get_config, 0 },
    [OFT_SET_CONFIG] = { take_set_config, 0 },
    [OFT_PACKET_OUT] = { take_change, IS_CHANGE | MAY_BUNDLE | ON_TABLES },
    [OFT_FLOW_MOD] = { take_change, IS_CHANGE | MAY_BUNDLE | ON_TABLES },
    [OFT_GROUP_MOD] = { take_change, IS_CHANGE | MAY_BUNDLE | ON_TABLES },
    [OFT_PORT_MOD] = { take_change, IS_CHANGE },
    [OFT_TABLE_MOD] = { take_table_mod, IS_CHANGE | ON_TABLES },
    [OFT_METER_MOD] = { take_change, IS_CHANGE | ON_TABLES },
    [OFT_MULTIPART_REQUEST] = { take_multipart, 0 },
    [OFT_BARRIER_REQUEST] = { take_barrier, 0 },
    [OFT_QUEUE_GET_CONFIG_REQUEST] = { take_queue_config, 0 },
    [OFT_ROLE_REQUEST] = { take_role_request, 0 },
    [OFT_GET_ASYNC_REQUEST] = { take_get_async, 0 },
    [OFT_SET_ASYNC] = { take_set_async, 0 },
    [OFT_BUNDLE_CONTROL] = { take_bundle_control, IS_CHANGE },
    [OFT_BUNDLE_ADD] = { take_bundle_add, IS_CHANGE },
    [OFT_FLOW_MONITOR_CANCEL] = { take_monitor_cancel, ON_TABLES },
    [OFT_NX_FLOW_MOD_TABLE_ID] = { take_flow_mod_table_id, 0 },
    [OFT_NX_SET_FLOW_FORMAT] = { take_flow_format, 0 },
    [OFT_NX_SET_PACKET_IN_FORMAT] = { take_packet_in_format, 0 },
    [OFT_NX_TLV_TABLE_MOD] = { take_tlv_mod, IS_CHANGE | ON_TABLES },
    [OFT_NX_TLV_TABLE_REQUEST] = { take_tlv_request, 0 },
    [OFT_NX_CT_FLUSH_ZONE] = { control_ct_flush, IS_CHANGE },
    [OFT_NX_CT_FLUSH] = { control_ct_flush, IS_CHANGE },
    [OFT_NX_RESUME] = { take_resume, IS_CHANGE | ON_TABLES },
    [OFT_NX_SET_CONTROLLER_ID] = { take_controller_id, 0 },
};

bool
control_may_bundle(enum of_type type)
{
    return types[type].flags & MAY_BUNDLE;
}

static bool
is_on_tables(const struct of_message *m)
{
    if (m->type == OFT_MULTIPART_REQUEST) {
        return control_multipart_is_on_tables(m->multipart.type);
    }
    if (m->type == OFT_BUNDLE_CONTROL) {
        return m->bundle_control.type == BUNDLE_COMMIT_REQUEST;
    }
    return types[m->type].flags & ON_TABLES;
}

bool
control_is_on_tables(struct session *s, const void *message, size_t len)
{
    struct of_message m;
    bool is;

    if (of_message_decode(session_protocol(s), message, len, &m, NULL)) {
        return false;             /* it is only refused */
    }
    is = is_on_tables(&m);
    of_message_fini(&m);
    return is;
}

static enum of_error
carry_out(struct session *s, const struct of_message *m, struct str *why)
{
    if (!types[m->type].take) {
        return OF_BAD_REQUEST_BAD_TYPE;
    }
    if (types[m->type].flags & IS_CHANGE
        && session_channel(s)->role == ROLE_SLAVE) {
        return OF_BAD_REQUEST_IS_SLAVE;
    }
    return types[m->type].take(s, m, why);
}

void
control_request(struct session *s, const void *message, size_t len)
{
    struct str why = STR_INIT;
    struct of_message m;
    enum of_error error;

    s->request = message;
    s->request_len = len;
    s->xid = be32toh(get_be32((const uint8_t *) message + 4));
    error = of_message_decode(session_protocol(s), message, len, &m, &why);
    if (!error) {
        error = carry_out(s, &m, &why);
        of_message_fini(&m);
    }
    if (error) {
        log_limited(LOG_LEVEL_DEBUG, "control", "refused: %s%s%s",
                    of_error_text(error), why.len ? ": " : "",
                    str_text(&why));
        session_refuse(s, error);
    }
    str_fini(&why);
}
