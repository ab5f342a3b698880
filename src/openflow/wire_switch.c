/* What a switch is and how a controller wants it: features, configuration,
 * roles, asynchronous messages, and Nicira's settings of a connection. */
#include "openflow/wire_multipart.h"

#include <stdlib.h>

enum { OF10_PORT_LEN = 48 };

static uint32_t
capabilities(enum of_version version)
{
    uint32_t all = CAP_FLOW_STATS | CAP_TABLE_STATS | CAP_PORT_STATS
                   | CAP_IP_REASM | CAP_QUEUE_STATS;

    if (version == OF10) {
        return all | CAP_ARP_MATCH_IP;
    }
    all |= CAP_GROUP_STATS | CAP_PORT_BLOCKED;
    return version == OF13 ? all : all | CAP_BUNDLES | CAP_FLOW_MONITORING;
}

enum of_error
features_decode(const struct of_protocol *p, struct cursor *c,
                struct of_message *msg, struct str *why UNUSED)
{
    struct of_features *f = &msg->features;
    size_t n;

    f->datapath_id = cursor_u64(c);
    f->n_buffers = cursor_u32(c);
    f->n_tables = cursor_u8(c);
    f->auxiliary_id = cursor_u8(c);
    cursor_skip(c, 2);
    f->capabilities = cursor_u32(c) & capabilities(p->version);
    f->actions = cursor_u32(c);
    if (p->version != OF10) {
        f->actions = 0;
        return OF_OK;
    }
    f->auxiliary_id = 0;
    n = cursor_left(c) / OF10_PORT_LEN;
    f->ports = n ? xcalloc(n, sizeof *f->ports) : NULL;
    while (f->n_ports < n) {
        port_desc_decode(OF10, c, &f->ports[f->n_ports++]);
    }
    return OF_OK;
}

int
features_encode(struct buf *buf, const struct of_protocol *p,
                const struct of_message *msg)
{
    const struct of_features *f = &msg->features;
    bool is_10 = p->version == OF10;

    buf_put_u64(buf, f->datapath_id);
    buf_put_u32(buf, f->n_buffers);
    buf_put_u8(buf, f->n_tables);
    buf_put_u8(buf, is_10 ? 0 : f->auxiliary_id);
    buf_put_u16(buf, 0);
    buf_put_u32(buf, f->capabilities & capabilities(p->version));
    buf_put_u32(buf, !is_10 ? 0 : f->actions ? f->actions : OF10_ACTIONS);
    for (unsigned int i = 0; is_10 && i < f->n_ports; i++) {
        port_desc_encode(buf, OF10, &f->ports[i]);
    }
    return 0;
}

/* Later versions left this flag to the asynchronous messages' setting. */
enum { INVALID_TTL = 1 << 2 };

enum of_error
config_decode(const struct of_protocol *p, struct cursor *c,
              struct of_message *msg, struct str *why UNUSED)
{
    uint16_t flags = cursor_u16(c);

    msg->config.invalid_ttl = p->version == OF10 && flags & INVALID_TTL;
    msg->config.frag = flags & ~(msg->config.invalid_ttl ? INVALID_TTL : 0);
    msg->config.miss_send_len = cursor_u16(c);
    return OF_OK;
}

int
config_encode(struct buf *buf, const struct of_protocol *p UNUSED,
              const struct of_message *msg)
{
    buf_put_u16(buf, msg->config.frag
                     | (msg->config.invalid_ttl ? INVALID_TTL : 0));
    buf_put_u16(buf, msg->config.miss_send_len);
    return 0;
}

/* ---- Roles ---- */

static enum of_error
check_role(uint32_t role, struct str *why)
{
    if (role > ROLE_SLAVE) {
        str_setf(why, "unknown role %u", role);
        return OF_ROLE_REQUEST_FAILED_BAD_ROLE;
    }
    return OF_OK;
}

enum of_error
role_decode(const struct of_protocol *p, struct cursor *c,
            struct of_message *msg, struct str *why)
{
    uint16_t short_id;

    msg->role.role = cursor_u32(c);
    short_id = cursor_u16(c);
    cursor_skip(c, 2);
    msg->role.short_id = p->version >= OF15 ? short_id : 0;
    msg->role.generation_id = cursor_u64(c);
    msg->role.has_generation = true;
    return check_role(msg->role.role, why);
}

int
role_encode(struct buf *buf, const struct of_protocol *p,
            const struct of_message *msg)
{
    buf_put_u32(buf, msg->role.role);
    buf_put_u16(buf, p->version >= OF15 ? msg->role.short_id : 0);
    buf_put_u16(buf, 0);
    buf_put_u64(buf, msg->role.has_generation ? msg->role.generation_id
                                              : UINT64_MAX);
    return 0;
}

/* Nicira's numbers have no "no change". */
enum of_error
role_nx_decode(const struct of_protocol *p UNUSED, struct cursor *c,
               struct of_message *msg, struct str *why)
{
    uint32_t role = cursor_u32(c);

    msg->role.role = role < UINT32_MAX ? role + ROLE_EQUAL : role;
    return check_role(msg->role.role, why);
}

int
role_nx_encode(struct buf *buf, const struct of_protocol *p UNUSED,
               const struct of_message *msg)
{
    if (msg->role.role == ROLE_NOCHANGE) {
        return -EOPNOTSUPP;
    }
    buf_put_u32(buf, msg->role.role - ROLE_EQUAL);
    return 0;
}

enum of_error
role_status_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                   struct of_message *msg, struct str *why)
{
    msg->role.role = cursor_u32(c);
    msg->role.reason = cursor_u8(c);
    cursor_skip(c, 3);
    msg->role.generation_id = cursor_u64(c);
    msg->role.has_generation = true;
    cursor_skip(c, cursor_left(c));         /* experimenters' properties */
    return check_role(msg->role.role, why);
}

int
role_status_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                   const struct of_message *msg)
{
    buf_put_u32(buf, msg->role.role);
    buf_put_u8(buf, msg->role.reason);
    buf_put_zeros(buf, 3);
    buf_put_u64(buf, msg->role.has_generation ? msg->role.generation_id
                                              : UINT64_MAX);
    return 0;
}

/* ---- What others do ---- */

enum of_error
requestforward_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                      struct of_message *msg, struct str *why UNUSED)
{
    msg->forwarded = wire_rest(c);
    return msg->forwarded.len < OF_HEADER_LEN ? OF_BAD_REQUEST_BAD_LEN
                                              : OF_OK;
}

int
requestforward_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                      const struct of_message *msg)
{
    buf_put(buf, msg->forwarded.data, msg->forwarded.len);
    return 0;
}

enum { PROPERTY_URI = 0 };

static enum of_error
decode_uri(struct cursor *c, struct of_controller_status *status)
{
    struct wire_property prop;
    enum of_error error;

    while (wire_next_property(c, &prop, &error)) {
        if (prop.type == PROPERTY_URI) {
            size_t len = MIN(cursor_left(&prop.body),
                             sizeof status->uri - 1);

            memcpy(status->uri, cursor_take(&prop.body, len), len);
        }
    }
    return error;
}

enum of_error
controller_status_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                         struct of_message *msg, struct str *why)
{
    enum { BEFORE_PROPERTIES = 16 };
    struct of_controller_status *status = &msg->controller_status;
    uint16_t len = cursor_u16(c);
    enum of_error error;

    status->short_id = cursor_u16(c);
    status->role = cursor_u32(c);
    status->reason = cursor_u8(c);
    status->is_down = cursor_u8(c);
    cursor_skip(c, 6);
    if (cursor_overrun(c) || len < BEFORE_PROPERTIES
        || len - (size_t) BEFORE_PROPERTIES > cursor_left(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    error = check_role(status->role, why);
    return error ? error : decode_uri(c, status);
}

static void
put_controller_status(struct buf *buf,
                      const struct of_controller_status *status)
{
    size_t start = buf->len, mark;

    buf_put_u16(buf, 0);
    buf_put_u16(buf, status->short_id);
    buf_put_u32(buf, status->role);
    buf_put_u8(buf, status->reason);
    buf_put_u8(buf, status->is_down);
    buf_put_zeros(buf, 6);
    mark = wire_begin_property(buf, PROPERTY_URI);
    buf_put(buf, status->uri, strlen(status->uri));
    wire_end_property(buf, mark);
    buf_patch_u16(buf, start, (uint16_t) (buf->len - start));
}

int
controller_status_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                         const struct of_message *msg)
{
    put_controller_status(buf, &msg->controller_status);
    return 0;
}

void
of_reply_controller_status(struct of_reply *r,
                           const struct of_controller_status *status)
{
    size_t mark = reply_begin_item(r);

    put_controller_status(r->buf, status);
    reply_end_item(r, mark);
}

/* ---- Asynchronous messages ---- */

enum {
    N_ASYNC_13 = 3,               /* packet-in, port status, flow removed */
    N_ASYNC_14 = ASYNC_FLOW_STATS,
};

/* 1.3 and Nicira's: the masks in pairs, for master and slave. */
enum of_error
async_decode(const struct of_protocol *p UNUSED, struct cursor *c,
             struct of_message *msg, struct str *why UNUSED)
{
    for (unsigned int type = 0; type < N_ASYNC_13; type++) {
        for (unsigned int slave = 0; slave < 2; slave++) {
            msg->async.mask[slave][type] = cursor_u32(c);
            msg->async.present[slave] |= 1u << type;
        }
    }
    return OF_OK;
}

int
async_encode(struct buf *buf, const struct of_protocol *p UNUSED,
             const struct of_message *msg)
{
    for (unsigned int type = 0; type < N_ASYNC_13; type++) {
        for (unsigned int slave = 0; slave < 2; slave++) {
            buf_put_u32(buf, msg->async.mask[slave][type]);
        }
    }
    return 0;
}

/* 1.4+: a property for each; the slave's number is even. */
enum of_error
async_properties_decode(const struct of_protocol *p, struct cursor *c,
                        struct of_message *msg, struct str *why)
{
    struct wire_property prop;
    enum of_error error;

    while (wire_next_property(c, &prop, &error)) {
        unsigned int type = prop.type / 2, slave = !(prop.type & 1);

        if (type >= (p->version >= OF15 ? N_ASYNC : N_ASYNC_14)) {
            return wire_unknown_property(&prop, why);
        }
        msg->async.mask[slave][type] = cursor_u32(&prop.body);
        msg->async.present[slave] |= 1u << type;
        if (cursor_overrun(&prop.body) || cursor_left(&prop.body)) {
            return OF_BAD_PROPERTY_BAD_LEN;
        }
    }
    return error;
}

int
async_properties_encode(struct buf *buf, const struct of_protocol *p,
                        const struct of_message *msg)
{
    unsigned int n = p->version >= OF15 ? N_ASYNC : N_ASYNC_14;

    for (unsigned int i = 0; i < 2 * n; i++) {
        unsigned int type = i / 2, slave = !(i & 1);

        if (msg->async.present[slave] & 1u << type) {
            size_t mark = wire_begin_property(buf, (uint16_t) i);

            buf_put_u32(buf, msg->async.mask[slave][type]);
            wire_end_property(buf, mark);
        }
    }
    return 0;
}

/* ---- Nicira's settings of a connection ---- */

enum { FLOW_FORMAT_OPENFLOW10 = 0, FLOW_FORMAT_NXM = 2 };

enum of_error
flow_format_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                   struct of_message *msg, struct str *why)
{
    uint32_t format = cursor_u32(c);

    if (format != FLOW_FORMAT_OPENFLOW10 && format != FLOW_FORMAT_NXM) {
        str_setf(why, "unknown flow format %u", format);
        return OF_BAD_REQUEST_EPERM;
    }
    msg->nxm_flows = format == FLOW_FORMAT_NXM;
    return OF_OK;
}

int
flow_format_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                   const struct of_message *msg)
{
    buf_put_u32(buf, msg->nxm_flows ? FLOW_FORMAT_NXM
                                    : FLOW_FORMAT_OPENFLOW10);
    return 0;
}

enum of_error
flow_mod_table_id_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                         struct of_message *msg, struct str *why UNUSED)
{
    msg->flow_mod_table_id = cursor_u8(c);
    cursor_skip(c, 7);
    return OF_OK;
}

int
flow_mod_table_id_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                         const struct of_message *msg)
{
    buf_put_u8(buf, msg->flow_mod_table_id);
    buf_put_zeros(buf, 7);
    return 0;
}

enum of_error
packet_in_format_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                        struct of_message *msg, struct str *why)
{
    uint32_t format = cursor_u32(c);

    if (format > PACKET_IN_NXT2) {
        str_setf(why, "unknown packet-in format %u", format);
        return OF_BAD_REQUEST_EPERM;
    }
    msg->packet_in_format = format;
    return OF_OK;
}

int
packet_in_format_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                        const struct of_message *msg)
{
    buf_put_u32(buf, msg->packet_in_format);
    return 0;
}

enum of_error
controller_id_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                     struct of_message *msg, struct str *why UNUSED)
{
    cursor_skip(c, 6);
    msg->controller_id = cursor_u16(c);
    return OF_OK;
}

int
controller_id_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                     const struct of_message *msg)
{
    buf_put_zeros(buf, 6);
    buf_put_u16(buf, msg->controller_id);
    return 0;
}
