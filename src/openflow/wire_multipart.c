#include "openflow/wire_multipart.h"

#include <stdlib.h>

#include "openflow/wire_match.h"

enum { TYPE_EXPERIMENTER = 0xffff, FLAG_MORE = 1 };

/* What experimenters say where the version itself cannot. */
static const struct exp_kind {
    enum of_multipart_type type;
    uint8_t version;
    uint32_t experimenter, exp_type;
} exp_kinds[] = {
    { MP_FLOW, OF10, EXPERIMENTER_NICIRA, 0 },
    { MP_AGGREGATE, OF10, EXPERIMENTER_NICIRA, 1 },
    { MP_GROUP_STATS, OF10, EXPERIMENTER_NICIRA, 7 },
    { MP_GROUP_DESC, OF10, EXPERIMENTER_NICIRA, 8 },
    { MP_GROUP_FEATURES, OF10, EXPERIMENTER_NICIRA, 9 },
    { MP_FLOW_MONITOR, OF10, EXPERIMENTER_NICIRA, 2 },
    { MP_FLOW_MONITOR, OF13, EXPERIMENTER_ONF, 1870 },
};

/* Type on the wire, the same in all versions that have it. */
static const struct kind {
    uint8_t first;                /* version */
    uint16_t wire_type;
} kinds[N_MULTIPARTS] = {
    [MP_DESC] = { OF10, 0 }, [MP_FLOW] = { OF10, 1 },
    [MP_AGGREGATE] = { OF10, 2 }, [MP_TABLE] = { OF10, 3 },
    [MP_PORT_STATS] = { OF10, 4 }, [MP_QUEUE_STATS] = { OF10, 5 },
    [MP_GROUP_STATS] = { OF13, 6 }, [MP_GROUP_DESC] = { OF13, 7 },
    [MP_GROUP_FEATURES] = { OF13, 8 }, [MP_METER_STATS] = { OF13, 9 },
    [MP_METER_CONFIG] = { OF13, 10 }, [MP_METER_FEATURES] = { OF13, 11 },
    [MP_TABLE_FEATURES] = { OF13, 12 },
    [MP_PORT_DESC] = { OF10, 13 },          /* in 1.0 it is Nicira's gift */
    [MP_TABLE_DESC] = { OF14, 14 }, [MP_QUEUE_DESC] = { OF14, 15 },
    [MP_FLOW_MONITOR] = { OF14, 16 }, [MP_FLOW_STATS] = { OF15, 17 },
    [MP_CONTROLLER_STATUS] = { OF15, 18 },
    [MP_BUNDLE_FEATURES] = { OF15, 19 },
};

/* ---- Requests ---- */

static enum of_error
decode_flow(enum of_version version, struct cursor *c,
            struct of_multipart_request *r, struct str *why)
{
    enum of_error error;

    if (version == OF10) {
        error = match_of10_decode(c, &r->match, why);
        r->table = cursor_u8(c);
        cursor_skip(c, 1);
        r->out_port = port_number_decode(OF10, c);
        return error;
    }
    r->table = cursor_u8(c);
    cursor_skip(c, 3);
    r->out_port = cursor_u32(c);
    r->out_group = cursor_u32(c);
    cursor_skip(c, 4);
    r->cookie = htobe64(cursor_u64(c));
    r->cookie_mask = htobe64(cursor_u64(c));
    r->cookie &= r->cookie_mask;
    return match_oxm_decode(c, true, &r->match, why);
}

static enum of_error
decode_nicira_flow(struct cursor *c, struct of_multipart_request *r,
                   struct str *why)
{
    struct match_cookie cookie = { 0, 0 };
    enum of_error error;
    uint16_t len;

    r->out_port = port_number_decode(OF10, c);
    len = cursor_u16(c);
    r->table = cursor_u8(c);
    cursor_skip(c, 3);
    error = match_nxm_decode(c, len, &r->match, &cookie, why);
    r->cookie = cookie.cookie;
    r->cookie_mask = cookie.mask;
    return error;
}

/* What 1.0 lacks, Nicira says as 1.5 does. */
static enum of_version
nicira_as(enum of_version version)
{
    return version == OF10 ? OF15 : version;
}

static enum of_error
decode_request(enum of_version version, struct cursor *c,
               struct of_multipart_request *r, struct str *why)
{
    switch (r->type) {
    case MP_FLOW: case MP_AGGREGATE: case MP_FLOW_STATS:
        return decode_flow(version, c, r, why);
    case MP_PORT_STATS:
        r->port = port_number_decode(version, c);
        cursor_skip(c, version == OF10 ? 6 : 4);
        return OF_OK;
    case MP_QUEUE_STATS: case MP_QUEUE_DESC:
        r->port = port_number_decode(version, c);
        if (version == OF10 && r->port == OFPP_ALL) {
            r->port = OFPP_ANY;             /* 1.0 says it so */
        }
        cursor_skip(c, version == OF10 ? 2 : 0);
        r->queue = cursor_u32(c);
        return OF_OK;
    case MP_PORT_DESC:
        if (version >= OF15) {
            r->port = cursor_u32(c);
            cursor_skip(c, 4);
        }
        return OF_OK;
    case MP_GROUP_STATS:
        r->group = cursor_u32(c);
        cursor_skip(c, 4);
        return OF_OK;
    case MP_GROUP_DESC:
        if (version >= OF15) {
            r->group = cursor_u32(c);
            cursor_skip(c, 4);
        }
        return OF_OK;
    case MP_METER_STATS: case MP_METER_CONFIG:
        r->meter = cursor_u32(c);
        cursor_skip(c, 4);
        return OF_OK;
    case MP_TABLE_FEATURES:
        r->body = wire_rest(c);
        return OF_OK;
    case MP_FLOW_MONITOR:
        return monitor_request_decode(version, false, c, &r->body, why);
    case MP_BUNDLE_FEATURES:
        return bundle_features_decode(c, &r->bundle_flags, why);
    case MP_DESC: case MP_TABLE: case MP_GROUP_FEATURES:
    case MP_METER_FEATURES: case MP_TABLE_DESC: case MP_CONTROLLER_STATUS:
    case N_MULTIPARTS:
        break;
    }
    return OF_OK;
}

static enum of_error
decode_experimenter(enum of_version version, struct cursor *c,
                    struct of_multipart_request *r, struct str *why)
{
    uint32_t experimenter = cursor_u32(c), exp_type = cursor_u32(c);
    const struct exp_kind *kind = NULL;

    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    for (size_t i = 0; i < ARRAY_SIZE(exp_kinds); i++) {
        if (exp_kinds[i].version == version
            && exp_kinds[i].experimenter == experimenter
            && exp_kinds[i].exp_type == exp_type) {
            kind = &exp_kinds[i];
        }
    }
    if (!kind) {
        str_setf(why, "statistics %u of the experimenter 0x%08x", exp_type,
                 experimenter);
        return experimenter == EXPERIMENTER_NICIRA
               || experimenter == EXPERIMENTER_ONF
                   ? OF_BAD_REQUEST_BAD_EXP_TYPE
                   : OF_BAD_REQUEST_BAD_EXPERIMENTER;
    }
    cursor_skip(c, version == OF10 ? 4 : 0);
    r->type = kind->type;
    r->is_nicira = true;
    if (r->type == MP_FLOW_MONITOR) {
        return monitor_request_decode(version, true, c, &r->body, why);
    }
    return r->type == MP_FLOW || r->type == MP_AGGREGATE
           ? decode_nicira_flow(c, r, why)
           : decode_request(nicira_as(version), c, r, why);
}

static const struct of_multipart_request all_of_it = {
    .table = OFPTT_ALL, .out_port = OFPP_ANY, .out_group = OFPG_ANY,
    .port = OFPP_ANY, .queue = OFPQ_ALL, .group = OFPG_ALL,
    .meter = OFPM_ALL,
};

bool
multipart_type_decode(enum of_version version, uint16_t wire_type,
                      enum of_multipart_type *type)
{
    for (unsigned int i = 0; i < N_MULTIPARTS; i++) {
        if (kinds[i].wire_type == wire_type && version >= kinds[i].first) {
            *type = i;
            return true;
        }
    }
    return false;
}

enum of_error
multipart_request_decode(const struct of_protocol *p, struct cursor *c,
                         struct of_message *msg, struct str *why)
{
    struct of_multipart_request *r = &msg->multipart;
    uint16_t type = cursor_u16(c);

    *r = all_of_it;
    r->more = cursor_u16(c) & FLAG_MORE;
    cursor_skip(c, p->version == OF10 ? 0 : 4);
    if (type == TYPE_EXPERIMENTER) {
        return decode_experimenter(p->version, c, r, why);
    }
    if (multipart_type_decode(p->version, type, &r->type)) {
        return decode_request(p->version, c, r, why);
    }
    str_setf(why, "statistics of type %u", type);
    return cursor_overrun(c) ? OF_BAD_REQUEST_BAD_LEN
           : OF_BAD_REQUEST_BAD_MULTIPART;
}

static int
encode_port(struct buf *buf, enum of_version version, uint32_t port,
            size_t padding)
{
    uint16_t port10;

    if (version != OF10) {
        buf_put_u32(buf, port);
        return 0;
    }
    if (!port_to_of10(port, &port10)) {
        return -EOPNOTSUPP;
    }
    buf_put_u16(buf, port10);
    buf_put_zeros(buf, padding);
    return 0;
}

static int
encode_flow(struct buf *buf, enum of_version version,
            const struct of_multipart_request *r)
{
    if (version == OF10) {
        if (r->cookie_mask || r->out_group != OFPG_ANY
            || !match_of10_encode(buf, &r->match)) {
            return -EOPNOTSUPP;
        }
        buf_put_u8(buf, r->table);
        buf_put_u8(buf, 0);
        return encode_port(buf, OF10, r->out_port, 0);
    }
    buf_put_u8(buf, r->table);
    buf_put_zeros(buf, 3);
    buf_put_u32(buf, r->out_port);
    buf_put_u32(buf, r->out_group);
    buf_put_u32(buf, 0);
    buf_put_u64(buf, be64toh(r->cookie));
    buf_put_u64(buf, be64toh(r->cookie_mask));
    return match_oxm_encode(buf, version, &r->match) ? 0 : -EOPNOTSUPP;
}

static int
encode_nicira_flow(struct buf *buf, const struct of_multipart_request *r)
{
    struct match_cookie cookie = { r->cookie, r->cookie_mask };
    int err = encode_port(buf, OF10, r->out_port, 0);
    size_t len_ofs = buf->len;

    buf_put_u16(buf, 0);
    buf_put_u8(buf, r->table);
    buf_put_zeros(buf, 3);
    return match_nxm_encode(buf, len_ofs, &r->match, &cookie) || err
           ? -EOPNOTSUPP : 0;
}

static int
encode_request(struct buf *buf, enum of_version version,
               const struct of_multipart_request *r)
{
    int err;

    switch (r->type) {
    case MP_FLOW: case MP_AGGREGATE: case MP_FLOW_STATS:
        return encode_flow(buf, version, r);
    case MP_PORT_STATS:
        err = encode_port(buf, version, r->port, 6);
        buf_put_zeros(buf, version == OF10 ? 0 : 4);
        return err;
    case MP_QUEUE_STATS: case MP_QUEUE_DESC:
        err = encode_port(buf, version,
                          version == OF10 && r->port == OFPP_ANY
                              ? OFPP_ALL : r->port, 2);
        buf_put_u32(buf, r->queue);
        return err;
    case MP_PORT_DESC: case MP_GROUP_DESC:
        if (version >= OF15) {
            buf_put_u32(buf, r->type == MP_PORT_DESC ? r->port : r->group);
            buf_put_u32(buf, 0);
        }
        return 0;
    case MP_GROUP_STATS: case MP_METER_STATS: case MP_METER_CONFIG:
        buf_put_u32(buf, r->type == MP_GROUP_STATS ? r->group : r->meter);
        buf_put_u32(buf, 0);
        return 0;
    case MP_BUNDLE_FEATURES:
        buf_put_u32(buf, r->bundle_flags);
        buf_put_u32(buf, 0);
        return 0;
    case MP_TABLE_FEATURES: case MP_FLOW_MONITOR:
        buf_put(buf, r->body.data, r->body.len);
        return 0;
    case MP_DESC: case MP_TABLE: case MP_GROUP_FEATURES:
    case MP_METER_FEATURES: case MP_TABLE_DESC: case MP_CONTROLLER_STATUS:
    case N_MULTIPARTS:
        break;
    }
    return 0;
}

static const struct exp_kind *
find_exp_kind(enum of_version version, enum of_multipart_type type)
{
    for (size_t i = 0; i < ARRAY_SIZE(exp_kinds); i++) {
        if (exp_kinds[i].version == version && exp_kinds[i].type == type) {
            return &exp_kinds[i];
        }
    }
    return NULL;
}

static void
put_kind(struct buf *buf, enum of_version version,
         enum of_multipart_type type, bool is_nicira, bool more)
{
    const struct exp_kind *kind = is_nicira ? find_exp_kind(version, type)
                                            : NULL;

    buf_put_u16(buf, kind ? TYPE_EXPERIMENTER : kinds[type].wire_type);
    buf_put_u16(buf, more ? FLAG_MORE : 0);
    buf_put_zeros(buf, version == OF10 ? 0 : 4);
    if (kind) {
        buf_put_u32(buf, kind->experimenter);
        buf_put_u32(buf, kind->exp_type);
        buf_put_zeros(buf, version == OF10 ? 4 : 0);
    }
}

int
multipart_request_encode(struct buf *buf, const struct of_protocol *p,
                         const struct of_message *msg)
{
    const struct of_multipart_request *r = &msg->multipart;

    if ((unsigned int) r->type >= N_MULTIPARTS
        || (r->is_nicira ? !find_exp_kind(p->version, r->type)
                         : p->version < kinds[r->type].first)) {
        return -EOPNOTSUPP;
    }
    put_kind(buf, p->version, r->type, r->is_nicira, r->more);
    if (r->is_nicira && (r->type == MP_FLOW || r->type == MP_AGGREGATE)) {
        return encode_nicira_flow(buf, r);
    }
    return encode_request(buf, r->is_nicira ? nicira_as(p->version)
                                            : p->version, r);
}

/* ---- Replies: the frame ---- */

static void
open_message(struct of_reply *r)
{
    enum of_version version = r->protocol->version;

    r->start = r->buf->len;
    r->is_open = true;
    buf_put_u8(r->buf, (uint8_t) version);
    buf_put_u8(r->buf, version == OF10 ? 17 : 19);
    buf_put_u16(r->buf, 0);
    buf_put_u32(r->buf, r->xid);
    put_kind(r->buf, version, r->type, r->is_nicira, false);
}

static void
close_message(struct of_reply *r, bool more)
{
    buf_patch_u16(r->buf, r->start + 2, (uint16_t) (r->buf->len - r->start));
    buf_patch_u16(r->buf, r->start + 10, more ? FLAG_MORE : 0);
    r->is_open = false;
}

void
of_reply_begin(struct of_reply *r, struct buf *buf,
               const struct of_protocol *protocol, uint32_t xid,
               const struct of_multipart_request *request)
{
    *r = (struct of_reply) {
        .buf = buf, .protocol = protocol, .xid = xid, .type = request->type,
        .is_nicira = request->is_nicira,
    };
}

void
of_reply_pause(struct of_reply *r)
{
    if (r->is_open) {
        close_message(r, true);
    }
}

void
of_reply_end(struct of_reply *r)
{
    if (!r->is_open) {
        open_message(r);
    }
    close_message(r, false);
}

size_t
reply_begin_item(struct of_reply *r)
{
    if (!r->is_open) {
        open_message(r);
    }
    return r->buf->len;
}

void
reply_end_item(struct of_reply *r, size_t mark)
{
    size_t len = r->buf->len - mark, header;
    uint8_t *item;

    if (r->buf->len - r->start <= OF_MAX_LEN) {
        return;
    }
    item = xmemdup(r->buf->data + mark, len);
    r->buf->len = mark;
    close_message(r, true);
    open_message(r);
    header = r->buf->len - r->start;
    if (header + len <= OF_MAX_LEN) {       /* else nothing can say it */
        buf_put(r->buf, item, len);
    }
    free(item);
}
