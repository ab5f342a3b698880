/* Packet-in, packet-out and flow-removed. */
#include "openflow/wire_action.h"
#include "openflow/wire_match.h"
#include "openflow/wire_oxs.h"

void
of_packet_in_match(const struct flow *flow, struct match *match)
{
    match_init(match);
    match_set(match, FIELD_IN_PORT, flow_in_port(flow), ~(u128) 0);
    for (unsigned int i = 0; i < N_FIELDS; i++) {
        bool is_tunnel = field_is_of_tunnel(i);
        const struct field *field = field_by_id(i);
        u128 value;

        /* What has no code on the wire, such as a tunnel's TTL, cannot be
         * told. */
        if (!field_is_shown(i) || field_words_are_zero(i, flow)
            || (field->nxm == OXM_NONE && field->oxm == OXM_NONE)) {
            continue;
        }
        /* An IPv4 tunnel's addresses lie within an IPv6 one's. */
        if (is_tunnel && flow->key.tun_family != 6
            && (i == FIELD_TUN_IPV6_SRC || i == FIELD_TUN_IPV6_DST)) {
            continue;
        }
        if (is_tunnel && flow->key.tun_family == 6
            && (i == FIELD_TUN_SRC || i == FIELD_TUN_DST)) {
            continue;
        }
        value = field_get(field, flow);
        if (value) {
            match_set(match, i, value, ~(u128) 0);
        }
    }
}

static uint32_t
in_port_of(const struct match *match)
{
    const struct field *field = field_by_id(FIELD_IN_PORT);

    return field_get(field, &match->mask.bits)
           ? (uint32_t) field_get(field, &match->value) : OFPP_ANY;
}

/* ---- Packet-in ---- */

/* Before 1.4 what an action sends is one reason, whatever list it was in. */
static uint8_t
reason_to_wire(enum of_version version, uint8_t reason)
{
    bool is_action = reason >= REASON_ACTION_SET
                     || (version == OF10 && reason == REASON_INVALID_TTL);

    return version < OF14 && is_action ? REASON_APPLY_ACTION : reason;
}

enum of_error
packet_in_of10_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                      struct of_message *msg, struct str *why UNUSED)
{
    struct of_packet_in *pin = &msg->packet_in;

    pin->buffer_id = cursor_u32(c);
    pin->total_len = cursor_u16(c);
    match_set(&pin->match, FIELD_IN_PORT, port_number_decode(OF10, c),
              ~(u128) 0);
    pin->reason = cursor_u8(c);
    cursor_skip(c, 1);
    pin->cookie = UINT64_MAX;
    pin->data = wire_rest(c);
    return OF_OK;
}

int
packet_in_of10_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                      const struct of_message *msg)
{
    const struct of_packet_in *pin = &msg->packet_in;
    uint16_t port;

    if (!port_to_of10(in_port_of(&pin->match), &port)) {
        return -EOPNOTSUPP;
    }
    buf_put_u32(buf, pin->buffer_id);
    buf_put_u16(buf, (uint16_t) MIN(pin->total_len, 0xffffu));
    buf_put_u16(buf, port);
    buf_put_u8(buf, reason_to_wire(OF10, pin->reason));
    buf_put_u8(buf, 0);
    buf_put(buf, pin->data.data, pin->data.len);
    return 0;
}

enum of_error
packet_in_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                 struct of_message *msg, struct str *why)
{
    struct of_packet_in *pin = &msg->packet_in;
    enum of_error error;

    pin->buffer_id = cursor_u32(c);
    pin->total_len = cursor_u16(c);
    pin->reason = cursor_u8(c);
    pin->table = cursor_u8(c);
    pin->cookie = htobe64(cursor_u64(c));
    error = match_oxm_decode(c, false, &pin->match, why);
    cursor_skip(c, 2);
    pin->data = wire_rest(c);
    return error;
}

int
packet_in_encode(struct buf *buf, const struct of_protocol *p,
                 const struct of_message *msg)
{
    const struct of_packet_in *pin = &msg->packet_in;

    buf_put_u32(buf, pin->buffer_id);
    buf_put_u16(buf, (uint16_t) MIN(pin->total_len, 0xffffu));
    buf_put_u8(buf, reason_to_wire(p->version, pin->reason));
    buf_put_u8(buf, pin->table);
    buf_put_u64(buf, be64toh(pin->cookie));
    if (!match_oxm_encode(buf, p->version, &pin->match)) {
        return -EOPNOTSUPP;
    }
    buf_put_u16(buf, 0);
    buf_put(buf, pin->data.data, pin->data.len);
    return 0;
}

/* Nicira's first form. */
bool
packet_in_wants_nxt(const struct of_protocol *p,
                    const struct of_message *msg UNUSED)
{
    return p->packet_in_format == PACKET_IN_NXT;
}

enum of_error
packet_in_nxt_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                     struct of_message *msg, struct str *why)
{
    struct of_packet_in *pin = &msg->packet_in;
    struct match_cookie unused;
    enum of_error error;
    uint16_t match_len;

    pin->buffer_id = cursor_u32(c);
    pin->total_len = cursor_u16(c);
    pin->reason = cursor_u8(c);
    pin->table = cursor_u8(c);
    pin->cookie = htobe64(cursor_u64(c));
    match_len = cursor_u16(c);
    cursor_skip(c, 6);
    error = match_nxm_decode(c, match_len, &pin->match, &unused, why);
    cursor_skip(c, 2);
    pin->data = wire_rest(c);
    return error;
}

int
packet_in_nxt_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                     const struct of_message *msg)
{
    const struct of_packet_in *pin = &msg->packet_in;
    size_t len_ofs;
    int err;

    buf_put_u32(buf, pin->buffer_id);
    buf_put_u16(buf, (uint16_t) MIN(pin->total_len, 0xffffu));
    buf_put_u8(buf, pin->reason);
    buf_put_u8(buf, pin->table);
    buf_put_u64(buf, be64toh(pin->cookie));
    len_ofs = buf->len;
    buf_put_u16(buf, 0);
    buf_put_zeros(buf, 6);
    err = match_nxm_encode(buf, len_ofs, &pin->match, NULL);
    if (err) {
        return err;
    }
    buf_put_u16(buf, 0);
    buf_put(buf, pin->data.data, pin->data.len);
    return 0;
}

/* Nicira's second: properties. */
enum { PIN_PACKET = 0, PIN_FULL_LEN = 1, PIN_BUFFER_ID = 2, PIN_TABLE_ID = 3,
       PIN_COOKIE = 4, PIN_REASON = 5, PIN_METADATA = 6, PIN_USERDATA = 7,
       PIN_CONTINUATION = 8 };

/* In a continuation, whose content is its switch's business, one of ours: a
 * type that Open vSwitch's tools pass over when they print theirs. */
enum { CONTINUATION_WEFT = 0x7701 };

bool
packet_in_wants_nxt2(const struct of_protocol *p,
                     const struct of_message *msg UNUSED)
{
    return p->packet_in_format == PACKET_IN_NXT2;
}

static enum of_error
decode_continuation(struct cursor *c, struct of_continuation *continuation)
{
    struct wire_property prop;
    enum of_error error;

    cursor_skip(c, 4);
    while (wire_next_property(c, &prop, &error)) {
        if (prop.type == CONTINUATION_WEFT) {
            cursor_skip(&prop.body, 4);
            continuation->id = cursor_u32(&prop.body);
            cursor_skip(&prop.body, 4);
            continuation->token = cursor_u64(&prop.body);
            continuation->is_there = true;
        }
        if (cursor_overrun(&prop.body)) {
            return OF_BAD_PROPERTY_BAD_LEN;
        }
    }
    return error;
}

static enum of_error
decode_property(struct wire_property *prop, struct of_packet_in *pin,
                bool *has_len, struct str *why)
{
    struct cursor *c = &prop->body;
    enum of_error error = OF_OK;

    switch (prop->type) {
    case PIN_PACKET:
        pin->data = wire_rest(c);
        break;
    case PIN_FULL_LEN:
        pin->total_len = cursor_u32(c);
        *has_len = true;
        break;
    case PIN_BUFFER_ID: pin->buffer_id = cursor_u32(c); break;
    case PIN_TABLE_ID: pin->table = cursor_u8(c); break;
    case PIN_COOKIE:
        cursor_skip(c, 4);
        pin->cookie = htobe64(cursor_u64(c));
        break;
    case PIN_REASON: pin->reason = cursor_u8(c); break;
    case PIN_METADATA:
        error = match_fields_decode(c, false, &pin->match, why);
        break;
    case PIN_USERDATA:
        pin->userdata = wire_rest(c);
        break;
    case PIN_CONTINUATION:
        error = decode_continuation(c, &pin->continuation);
        break;
    default: return wire_unknown_property(prop, why);
    }
    return error ? error
           : cursor_overrun(c) ? OF_BAD_PROPERTY_BAD_LEN : OF_OK;
}

enum of_error
packet_in_nxt2_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                      struct of_message *msg, struct str *why)
{
    struct of_packet_in *pin = &msg->packet_in;
    struct wire_property prop;
    bool has_len = false;
    enum of_error error;

    pin->buffer_id = OF_NO_BUFFER;
    pin->cookie = UINT64_MAX;
    while (wire_next_property(c, &prop, &error)) {
        enum of_error bad = decode_property(&prop, pin, &has_len, why);

        if (bad) {
            return bad;
        }
    }
    if (!has_len) {
        pin->total_len = (uint32_t) pin->data.len;
    }
    return error;
}

static void
encode_continuation(struct buf *buf, const struct of_continuation *c)
{
    size_t outer = wire_begin_property(buf, PIN_CONTINUATION), mark;

    buf_put_u32(buf, 0);
    mark = wire_begin_property(buf, CONTINUATION_WEFT);
    buf_put_u32(buf, 0);
    buf_put_u32(buf, c->id);
    buf_put_u32(buf, 0);
    buf_put_u64(buf, c->token);
    wire_end_property(buf, mark);
    wire_end_property(buf, outer);
}

int
packet_in_nxt2_encode(struct buf *buf, const struct of_protocol *p,
                      const struct of_message *msg)
{
    const struct of_packet_in *pin = &msg->packet_in;
    enum of_version version = p->version == OF10 ? OF10 : p->version;
    size_t mark = wire_begin_property(buf, PIN_PACKET);

    buf_put(buf, pin->data.data, pin->data.len);
    wire_end_property(buf, mark);
    if (pin->total_len != pin->data.len) {
        mark = wire_begin_property(buf, PIN_FULL_LEN);
        buf_put_u32(buf, pin->total_len);
        wire_end_property(buf, mark);
    }
    mark = wire_begin_property(buf, PIN_TABLE_ID);
    buf_put_u8(buf, pin->table);
    wire_end_property(buf, mark);
    if (pin->cookie != UINT64_MAX) {
        mark = wire_begin_property(buf, PIN_COOKIE);
        buf_put_u32(buf, 0);
        buf_put_u64(buf, be64toh(pin->cookie));
        wire_end_property(buf, mark);
    }
    mark = wire_begin_property(buf, PIN_REASON);
    buf_put_u8(buf, pin->reason);
    wire_end_property(buf, mark);
    mark = wire_begin_property(buf, PIN_METADATA);
    if (!match_fields_encode(buf, version, &pin->match)) {
        return -EOPNOTSUPP;
    }
    wire_end_property(buf, mark);
    if (pin->userdata.len) {
        mark = wire_begin_property(buf, PIN_USERDATA);
        buf_put(buf, pin->userdata.data, pin->userdata.len);
        wire_end_property(buf, mark);
    }
    if (pin->continuation.is_there) {
        encode_continuation(buf, &pin->continuation);
    }
    return 0;
}

/* ---- Packet-out ---- */

static enum of_error
check_in_port(uint32_t port, struct str *why)
{
    bool is_special = port == OFPP_LOCAL || port == OFPP_CONTROLLER
                      || port == OFPP_ANY;

    if (port >= OFPP_MAX && !is_special) {
        str_setf(why, "packet-out from port 0x%x", port);
        return OF_BAD_REQUEST_BAD_PORT;
    }
    return OF_OK;
}

static bool
is_pipeline_field(const struct field *field)
{
    return field->flags & FIELD_PIPELINE || field->id == FIELD_IN_PORT
           || field_is_of_tunnel(field->id)
           || field->id == FIELD_PKT_MARK;
}

/* 1.5: the match has in_port, and only what a packet does not bring. */
static enum of_error
decode_out_match(struct cursor *c, struct of_packet_out *po, struct str *why)
{
    enum of_error error = match_oxm_decode(c, false, &po->match, why);
    struct match_field fields[N_FIELDS];
    unsigned int n;

    if (error) {
        return error;
    }
    n = match_fields(&po->match, fields);
    for (unsigned int i = 0; i < n; i++) {
        if (!is_pipeline_field(fields[i].field)) {
            str_setf(why, "packet-out with %s", fields[i].field->name);
            return OF_BAD_REQUEST_PIPELINE_FIELDS_ONLY;
        }
    }
    if (!field_get(field_by_id(FIELD_IN_PORT), &po->match.mask.bits)) {
        str_setf(why, "packet-out without in_port");
        return OF_BAD_REQUEST_BAD_PORT;
    }
    po->in_port = in_port_of(&po->match);
    return OF_OK;
}

enum of_error
packet_out_decode(const struct of_protocol *p, struct cursor *c,
                  struct of_message *msg, struct str *why)
{
    struct of_packet_out *po = &msg->packet_out;
    enum of_error error = OF_OK;
    struct cursor actions;
    uint16_t len;

    po->buffer_id = cursor_u32(c);
    if (p->version >= OF15) {
        len = cursor_u16(c);
        cursor_skip(c, 2);
        error = decode_out_match(c, po, why);
    } else {
        po->in_port = port_number_decode(p->version, c);
        len = cursor_u16(c);
        cursor_skip(c, p->version == OF10 ? 0 : 6);
        match_set(&po->match, FIELD_IN_PORT, po->in_port, ~(u128) 0);
    }
    actions = cursor_sub(c, len);
    if (cursor_overrun(c)) {
        return error ? error : OF_BAD_REQUEST_BAD_LEN;
    }
    error = error ? error : check_in_port(po->in_port, why);
    error = error ? error : actions_decode(p->version, &actions, &po->actions,
                                           NULL, why);
    po->data = wire_rest(c);
    return error;
}

int
packet_out_encode(struct buf *buf, const struct of_protocol *p,
                  const struct of_message *msg)
{
    const struct of_packet_out *po = &msg->packet_out;
    size_t len_ofs, actions_ofs;
    uint16_t port;

    buf_put_u32(buf, po->buffer_id);
    len_ofs = buf->len;
    if (p->version >= OF15) {
        struct match match = po->match;

        match_set(&match, FIELD_IN_PORT, po->in_port, ~(u128) 0);
        buf_put_u32(buf, 0);
        if (!match_oxm_encode(buf, p->version, &match)) {
            return -EOPNOTSUPP;
        }
    } else if (p->version == OF10) {
        if (!port_to_of10(po->in_port, &port)) {
            return -EOPNOTSUPP;
        }
        buf_put_u16(buf, port);
        len_ofs = buf->len;
        buf_put_u16(buf, 0);
    } else {
        buf_put_u32(buf, po->in_port);
        len_ofs = buf->len;
        buf_put_zeros(buf, 8);
    }
    actions_ofs = buf->len;
    if (!actions_encode(buf, p->version, actions_list(&po->actions))
        || buf->len - actions_ofs > UINT16_MAX) {
        return -EOPNOTSUPP;
    }
    buf_patch_u16(buf, len_ofs, (uint16_t) (buf->len - actions_ofs));
    buf_put(buf, po->data.data, po->data.len);
    return 0;
}

/* ---- Flow-removed ---- */

enum { OFPRR_GROUP_DELETE = 3 };

enum of_error
flow_removed_of10_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                         struct of_message *msg, struct str *why)
{
    struct of_flow_removed *fr = &msg->flow_removed;
    enum of_error error = match_of10_decode(c, &fr->match, why);

    fr->cookie = htobe64(cursor_u64(c));
    fr->priority = cursor_u16(c);
    fr->reason = cursor_u8(c);
    cursor_skip(c, 1);
    fr->duration_sec = cursor_u32(c);
    fr->duration_nsec = cursor_u32(c);
    fr->idle_timeout = cursor_u16(c);
    cursor_skip(c, 2);
    fr->packets = cursor_u64(c);
    fr->bytes = cursor_u64(c);
    return error;
}

int
flow_removed_of10_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                         const struct of_message *msg)
{
    const struct of_flow_removed *fr = &msg->flow_removed;

    if (!match_of10_encode(buf, &fr->match)) {
        return -EOPNOTSUPP;
    }
    buf_put_u64(buf, be64toh(fr->cookie));
    buf_put_u16(buf, fr->priority);
    buf_put_u8(buf, MIN(fr->reason, (uint8_t) 2));
    buf_put_u8(buf, 0);
    buf_put_u32(buf, fr->duration_sec);
    buf_put_u32(buf, fr->duration_nsec);
    buf_put_u16(buf, fr->idle_timeout);
    buf_put_u16(buf, 0);
    buf_put_u64(buf, fr->packets);
    buf_put_u64(buf, fr->bytes);
    return 0;
}

/* 1.0 with NXM: what the plain form cannot say is said so as well. */
bool
flow_removed_fits_of10(const struct of_protocol *p,
                       const struct of_message *msg)
{
    struct buf buf = BUF_INIT;
    bool fits = !p->nxm_flows
                && match_of10_encode(&buf, &msg->flow_removed.match);

    buf_fini(&buf);
    return fits;
}

enum of_error
flow_removed_nxm_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                        struct of_message *msg, struct str *why)
{
    struct of_flow_removed *fr = &msg->flow_removed;
    struct match_cookie unused;
    uint16_t match_len;

    fr->cookie = htobe64(cursor_u64(c));
    fr->priority = cursor_u16(c);
    fr->reason = cursor_u8(c);
    fr->table = cursor_u8(c);
    fr->table -= fr->table ? 1 : 0;         /* 0: not said */
    fr->duration_sec = cursor_u32(c);
    fr->duration_nsec = cursor_u32(c);
    fr->idle_timeout = cursor_u16(c);
    match_len = cursor_u16(c);
    fr->packets = cursor_u64(c);
    fr->bytes = cursor_u64(c);
    return match_nxm_decode(c, match_len, &fr->match, &unused, why);
}

int
flow_removed_nxm_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                        const struct of_message *msg)
{
    const struct of_flow_removed *fr = &msg->flow_removed;
    size_t len_ofs;

    buf_put_u64(buf, be64toh(fr->cookie));
    buf_put_u16(buf, fr->priority);
    buf_put_u8(buf, fr->reason);
    buf_put_u8(buf, (uint8_t) (fr->table + 1));
    buf_put_u32(buf, fr->duration_sec);
    buf_put_u32(buf, fr->duration_nsec);
    buf_put_u16(buf, fr->idle_timeout);
    len_ofs = buf->len;
    buf_put_u16(buf, 0);
    buf_put_u64(buf, fr->packets);
    buf_put_u64(buf, fr->bytes);
    return match_nxm_encode(buf, len_ofs, &fr->match, NULL);
}

enum of_error
flow_removed_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                    struct of_message *msg, struct str *why)
{
    struct of_flow_removed *fr = &msg->flow_removed;

    fr->cookie = htobe64(cursor_u64(c));
    fr->priority = cursor_u16(c);
    fr->reason = cursor_u8(c);
    fr->table = cursor_u8(c);
    fr->duration_sec = cursor_u32(c);
    fr->duration_nsec = cursor_u32(c);
    fr->idle_timeout = cursor_u16(c);
    fr->hard_timeout = cursor_u16(c);
    fr->packets = cursor_u64(c);
    fr->bytes = cursor_u64(c);
    return match_oxm_decode(c, true, &fr->match, why);
}

/* 1.3 knows no eviction and no deletion of meters. */
int
flow_removed_encode(struct buf *buf, const struct of_protocol *p,
                    const struct of_message *msg)
{
    const struct of_flow_removed *fr = &msg->flow_removed;
    bool is_new = p->version < OF14 && fr->reason > OFPRR_GROUP_DELETE;

    buf_put_u64(buf, be64toh(fr->cookie));
    buf_put_u16(buf, fr->priority);
    buf_put_u8(buf, is_new ? 2 : fr->reason);
    buf_put_u8(buf, fr->table);
    buf_put_u32(buf, fr->duration_sec);
    buf_put_u32(buf, fr->duration_nsec);
    buf_put_u16(buf, fr->idle_timeout);
    buf_put_u16(buf, fr->hard_timeout);
    buf_put_u64(buf, fr->packets);
    buf_put_u64(buf, fr->bytes);
    return match_oxm_encode(buf, p->version, &fr->match) ? 0 : -EOPNOTSUPP;
}

/* 1.5's has its statistics at the end. */
enum of_error
flow_removed_of15_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                         struct of_message *msg, struct str *why)
{
    struct of_flow_removed *fr = &msg->flow_removed;
    enum of_error error;
    struct oxs stats;

    fr->table = cursor_u8(c);
    fr->reason = cursor_u8(c);
    fr->priority = cursor_u16(c);
    fr->idle_timeout = cursor_u16(c);
    fr->hard_timeout = cursor_u16(c);
    fr->cookie = htobe64(cursor_u64(c));
    error = match_oxm_decode(c, true, &fr->match, why);
    error = error ? error : oxs_decode(c, &stats);
    if (!error) {
        fr->duration_sec = stats.duration_sec;
        fr->duration_nsec = stats.duration_nsec;
        fr->packets = stats.packets;
        fr->bytes = stats.bytes;
    }
    return error;
}

int
flow_removed_of15_encode(struct buf *buf, const struct of_protocol *p,
                         const struct of_message *msg)
{
    const struct of_flow_removed *fr = &msg->flow_removed;
    struct oxs stats = {
        .present = OXS_DURATION | OXS_PACKETS | OXS_BYTES,
        .duration_sec = fr->duration_sec, .duration_nsec = fr->duration_nsec,
        .packets = fr->packets, .bytes = fr->bytes,
    };

    buf_put_u8(buf, fr->table);
    buf_put_u8(buf, fr->reason);
    buf_put_u16(buf, fr->priority);
    buf_put_u16(buf, fr->idle_timeout);
    buf_put_u16(buf, fr->hard_timeout);
    buf_put_u64(buf, be64toh(fr->cookie));
    if (!match_oxm_encode(buf, p->version, &fr->match)) {
        return -EOPNOTSUPP;
    }
    oxs_encode(buf, &stats);
    return 0;
}
