#include "openflow/message_text.h"

enum { MULTIPART_REPLY_10 = 17, MULTIPART_REPLY = 19,
       MULTIPART_EXPERIMENTER = 0xffff, FLAG_MORE = 1 };

/* By the number on the wire, which is the same in all versions. */
static const char *const multipart_names[] = {
    "desc", "flow", "aggregate", "table", "port-stats", "queue", "group",
    "group-desc", "group-features", "meter", "meter-config",
    "meter-features", "table-features", "port-desc", "table-desc",
    "queue-desc", "flow-monitor",
};

static void describe_bytes(const struct of_protocol *, struct of_bytes,
                           struct str *);

static const char *
multipart_name(uint16_t number)
{
    return number < ARRAY_SIZE(multipart_names) ? multipart_names[number]
           : number == MULTIPART_EXPERIMENTER ? "experimenter" : "unknown";
}

static bool
is_multipart_reply(const struct of_protocol *protocol, const uint8_t *message)
{
    return message[1] == (protocol->version == OF10 ? MULTIPART_REPLY_10
                                                    : MULTIPART_REPLY);
}

/* ---- By type ---- */

static void
add_hello(const struct of_message *m, struct str *out)
{
    str_add(out, "speaks");
    for (unsigned int v = 0; v < 32; v++) {
        if (m->hello.versions >> v & 1) {
            str_addf(out, " %s", of_version_name((enum of_version) v));
        }
    }
}

static void
add_error(const struct of_message *m, struct str *out)
{
    const struct of_error_msg *e = &m->error;

    if (e->error < N_OF_ERRORS) {
        str_addf(out, "%s (%u/%u)", of_error_text(e->error), e->type,
                 e->code);
    } else {
        str_addf(out, "type %u code %u", e->type, e->code);
    }
    if (e->request.len >= OF_HEADER_LEN) {
        str_addf(out, ", of a message with xid 0x%x",
                 be32toh(get_be32(e->request.data + 4)));
    }
}

static void
add_port(const struct of_port_desc *port, struct str *out)
{
    str_addf(out, "port %u(%s) config 0x%x state 0x%x", port->number,
             port->name, port->config, port->state);
}

static void
add_packet_in(const struct of_message *m, struct str *out)
{
    static const char *const reasons[] = { "no match", "action",
                                           "invalid ttl", "action set",
                                           "group", "packet-out" };
    const struct of_packet_in *p = &m->packet_in;

    str_addf(out, "%u bytes, %s, table %u, ", p->total_len,
             p->reason < ARRAY_SIZE(reasons) ? reasons[p->reason] : "?",
             p->table);
    match_format(&p->match, out);
}

static void
add_port_number(uint32_t port, struct str *out)
{
    switch (port) {
    case OFPP_CONTROLLER: str_add(out, "CONTROLLER"); break;
    case OFPP_LOCAL: str_add(out, "LOCAL"); break;
    case OFPP_ANY: str_add(out, "ANY"); break;
    default: str_addf(out, "%u", port);
    }
}

static void
add_packet_out(const struct of_message *m, struct str *out)
{
    str_addf(out, "%zu bytes, in_port=", m->packet_out.data.len);
    add_port_number(m->packet_out.in_port, out);
    str_add(out, " actions=");
    action_list_format(actions_list(&m->packet_out.actions), out);
}

static void
add_flow_mod(const struct of_message *m, struct str *out)
{
    static const char *const commands[] = {
        [FLOW_MOD_ADD] = "add", [FLOW_MOD_MODIFY] = "modify",
        [FLOW_MOD_MODIFY_STRICT] = "modify strict",
        [FLOW_MOD_DELETE] = "delete",
        [FLOW_MOD_DELETE_STRICT] = "delete strict",
    };

    str_addf(out, "%s ", commands[m->flow_mod.command]);
    flow_mod_format(&m->flow_mod, out);
}

static void
add_group_mod(const struct of_message *m, struct str *out)
{
    static const char *const commands[] = {
        [GROUP_MOD_ADD] = "add", [GROUP_MOD_MODIFY] = "modify",
        [GROUP_MOD_DELETE] = "delete",
        [GROUP_MOD_INSERT_BUCKET] = "insert bucket",
        [GROUP_MOD_REMOVE_BUCKET] = "remove bucket",
    };

    str_addf(out, "%s ", commands[m->group_mod.command]);
    group_mod_format(&m->group_mod, out);
}

static void
add_meter_mod(const struct of_message *m, struct str *out)
{
    static const char *const commands[] = {
        [METER_MOD_ADD] = "add", [METER_MOD_MODIFY] = "modify",
        [METER_MOD_DELETE] = "delete",
    };

    str_addf(out, "%s ", commands[m->meter_mod.command]);
    meter_mod_format(&m->meter_mod, out);
}

static void
add_flow_removed(const struct of_message *m, struct str *out)
{
    static const char *const reasons[] = { "idle", "hard timeout", "delete",
                                           "group delete", "meter delete",
                                           "eviction" };
    const struct of_flow_removed *f = &m->flow_removed;

    str_addf(out, "%s, table %u, priority %u, ",
             f->reason < ARRAY_SIZE(reasons) ? reasons[f->reason] : "?",
             f->table, f->priority);
    match_format(&f->match, out);
    str_addf(out, ", %llu packets, %llu bytes",
             (unsigned long long) f->packets, (unsigned long long) f->bytes);
}

static void
add_role(const struct of_message *m, struct str *out)
{
    static const char *const roles[] = { "no change", "equal", "master",
                                         "slave" };

    str_add(out, m->role.role < ARRAY_SIZE(roles) ? roles[m->role.role]
                                                  : "?");
    if (m->role.has_generation) {
        str_addf(out, ", generation %llu",
                 (unsigned long long) m->role.generation_id);
    }
}

static void
add_multipart(const struct of_message *m, struct str *out)
{
    const struct of_multipart_request *r = &m->multipart;

    str_add(out, (size_t) r->type < ARRAY_SIZE(multipart_names)
                     ? multipart_names[r->type] : "unknown");
    if (r->type == MP_FLOW || r->type == MP_AGGREGATE) {
        if (r->table != OFPTT_ALL) {
            str_addf(out, ", table %u", r->table);
        }
        str_add(out, ", ");
        match_format(&r->match, out);
    }
    if (r->more) {
        str_add(out, ", more follows");
    }
}

static void
add_bundle_control(const struct of_message *m, struct str *out)
{
    static const char *const types[] = {
        "open", "opened", "close", "closed", "commit", "committed",
        "discard", "discarded",
    };
    const struct of_bundle_control *b = &m->bundle_control;

    str_addf(out, "%s bundle %u",
             b->type < ARRAY_SIZE(types) ? types[b->type] : "?", b->id);
}

static void
add_bundled(const struct of_protocol *protocol, const struct of_message *m,
            struct str *out)
{
    const struct of_bytes *inner = &m->bundle_add.message;

    str_addf(out, "bundle %u: ", m->bundle_add.id);
    describe_bytes(protocol, *inner, out);
}

static void
add_features(const struct of_message *m, struct str *out)
{
    str_addf(out, "datapath %016llx, %u tables, auxiliary %u",
             (unsigned long long) m->features.datapath_id,
             m->features.n_tables, m->features.auxiliary_id);
}

static void
describe(const struct of_protocol *protocol, const struct of_message *m,
         struct str *out)
{
    switch (m->type) {
    case OFT_HELLO: add_hello(m, out); break;
    case OFT_ERROR: add_error(m, out); break;
    case OFT_ECHO_REQUEST:
    case OFT_ECHO_REPLY:
        str_addf(out, "%zu bytes", m->echo.len);
        break;
    case OFT_FEATURES_REPLY: add_features(m, out); break;
    case OFT_SET_CONFIG:
    case OFT_GET_CONFIG_REPLY:
        str_addf(out, "frag %u, miss_send_len %u", m->config.frag,
                 m->config.miss_send_len);
        break;
    case OFT_PACKET_IN: add_packet_in(m, out); break;
    case OFT_PACKET_OUT: add_packet_out(m, out); break;
    case OFT_FLOW_REMOVED: add_flow_removed(m, out); break;
    case OFT_PORT_STATUS: add_port(&m->port_status.desc, out); break;
    case OFT_FLOW_MOD: add_flow_mod(m, out); break;
    case OFT_GROUP_MOD: add_group_mod(m, out); break;
    case OFT_METER_MOD: add_meter_mod(m, out); break;
    case OFT_PORT_MOD:
        str_addf(out, "port %u config 0x%x mask 0x%x", m->port_mod.number,
                 m->port_mod.config, m->port_mod.mask);
        break;
    case OFT_TABLE_MOD:
        str_addf(out, "table %u config 0x%x", m->table_mod.table,
                 m->table_mod.config);
        break;
    case OFT_MULTIPART_REQUEST: add_multipart(m, out); break;
    case OFT_ROLE_REQUEST:
    case OFT_ROLE_REPLY:
    case OFT_ROLE_STATUS:
        add_role(m, out);
        break;
    case OFT_BUNDLE_CONTROL: add_bundle_control(m, out); break;
    case OFT_BUNDLE_ADD: add_bundled(protocol, m, out); break;
    default: break;               /* its name says it all */
    }
}

/* ---- Front door ---- */

static void
describe_bytes(const struct of_protocol *protocol, struct of_bytes bytes,
               struct str *out)
{
    str_add(out, of_wire_type_name(protocol, bytes.data, bytes.len));
    str_add_char(out, ' ');
    of_message_describe(protocol, bytes.data, bytes.len, out);
}

const char *
of_wire_type_name(const struct of_protocol *protocol, const void *message,
                  size_t len)
{
    struct of_message m;
    const char *name;

    if (is_multipart_reply(protocol, message)) {
        return "MULTIPART_REPLY";
    }
    if (of_message_decode(protocol, message, len, &m, NULL)) {
        return "?";
    }
    name = of_type_name(m.type);
    of_message_fini(&m);
    return name;
}

void
of_message_describe(const struct of_protocol *protocol, const void *message,
                    size_t len, struct str *out)
{
    const uint8_t *bytes = message;
    struct str why = STR_INIT;
    struct of_message m;
    enum of_error error;

    if (is_multipart_reply(protocol, message)) {
        if (len >= OF_HEADER_LEN + 4) {
            str_addf(out, "%s, %zu bytes%s",
                     multipart_name(be16toh(get_be16(bytes + 8))), len,
                     be16toh(get_be16(bytes + 10)) & FLAG_MORE
                         ? ", more follows" : "");
        }
        return;
    }
    error = of_message_decode(protocol, message, len, &m, &why);
    if (error) {
        str_addf(out, "type %u, %zu bytes: %s%s%s", bytes[1], len,
                 of_error_text(error), why.len ? ": " : "", str_text(&why));
    } else {
        describe(protocol, &m, out);
        of_message_fini(&m);
    }
    str_fini(&why);
}
