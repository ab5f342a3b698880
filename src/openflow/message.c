#include "openflow/wire.h"

#include <stdlib.h>

static wire_decode empty_decode;
static wire_encode empty_encode;

/* How a message is written, one row for each form.  Of several forms that a
 * version has, the first is used whose `use` agrees. */
struct form {
    enum of_type type;
    uint8_t first, last;          /* versions */
    uint8_t wire_type;
    uint32_t experimenter;        /* with wire_type TYPE_EXPERIMENTER */
    uint32_t exp_type;
    wire_decode *decode;
    wire_encode *encode;
    bool (*use)(const struct of_protocol *, const struct of_message *);
};

enum { TYPE_EXPERIMENTER = 4 };

#define ALL OF10, OF15
#define ONLY10 OF10, OF10
#define ONLY13 OF13, OF13
#define FROM13 OF13, OF15
#define FROM14 OF14, OF15
#define STANDARD(TYPE) TYPE, 0, 0
#define NICIRA(TYPE) TYPE_EXPERIMENTER, EXPERIMENTER_NICIRA, TYPE
#define ONF(TYPE) TYPE_EXPERIMENTER, EXPERIMENTER_ONF, TYPE
#define EMPTY empty_decode, empty_encode, NULL
#define BY(NAME) NAME##_decode, NAME##_encode, NULL

static const struct form forms[] = {
    { OFT_HELLO, ALL, STANDARD(0), BY(hello) },
    { OFT_ERROR, ALL, STANDARD(1), BY(error) },
    { OFT_ECHO_REQUEST, ALL, STANDARD(2), BY(echo) },
    { OFT_ECHO_REPLY, ALL, STANDARD(3), BY(echo) },
    { OFT_FEATURES_REQUEST, ALL, STANDARD(5), EMPTY },
    { OFT_FEATURES_REPLY, ALL, STANDARD(6), BY(features) },
    { OFT_GET_CONFIG_REQUEST, ALL, STANDARD(7), EMPTY },
    { OFT_GET_CONFIG_REPLY, ALL, STANDARD(8), BY(config) },
    { OFT_SET_CONFIG, ALL, STANDARD(9), BY(config) },
    { OFT_PACKET_IN, ALL, NICIRA(30), packet_in_nxt2_decode,
      packet_in_nxt2_encode, packet_in_wants_nxt2 },
    { OFT_PACKET_IN, ALL, NICIRA(17), packet_in_nxt_decode,
      packet_in_nxt_encode, packet_in_wants_nxt },
    { OFT_PACKET_IN, ONLY10, STANDARD(10), BY(packet_in_of10) },
    { OFT_PACKET_IN, FROM13, STANDARD(10), BY(packet_in) },
    { OFT_FLOW_REMOVED, ONLY10, STANDARD(11), flow_removed_of10_decode,
      flow_removed_of10_encode, flow_removed_fits_of10 },
    { OFT_FLOW_REMOVED, ONLY10, NICIRA(14), BY(flow_removed_nxm) },
    { OFT_FLOW_REMOVED, OF13, OF14, STANDARD(11), BY(flow_removed) },
    { OFT_FLOW_REMOVED, OF15, OF15, STANDARD(11), BY(flow_removed_of15) },
    { OFT_PACKET_OUT, ALL, STANDARD(13), BY(packet_out) },
    { OFT_PORT_STATUS, ALL, STANDARD(12), BY(port_status) },
    { OFT_FLOW_MOD, ONLY10, STANDARD(14), flow_mod_of10_decode,
      flow_mod_of10_encode, flow_mod_fits_of10 },
    { OFT_FLOW_MOD, ONLY10, NICIRA(13), BY(flow_mod_nxm) },
    { OFT_FLOW_MOD, FROM13, STANDARD(14), BY(flow_mod) },
    { OFT_PORT_MOD, ONLY10, STANDARD(15), BY(port_mod) },
    { OFT_PORT_MOD, FROM13, STANDARD(16), BY(port_mod) },
    { OFT_GROUP_MOD, FROM13, STANDARD(15), BY(group_mod) },
    { OFT_GROUP_MOD, ONLY10, NICIRA(31), BY(group_mod_nx) },
    { OFT_METER_MOD, FROM13, STANDARD(29), BY(meter_mod) },
    { OFT_BUNDLE_CONTROL, FROM14, STANDARD(33), BY(bundle_control) },
    { OFT_BUNDLE_CONTROL, ONLY13, ONF(2300), BY(bundle_control) },
    { OFT_BUNDLE_ADD, FROM14, STANDARD(34), BY(bundle_add) },
    { OFT_BUNDLE_ADD, ONLY13, ONF(2301), BY(bundle_add) },
    { OFT_TABLE_MOD, FROM13, STANDARD(17), BY(table_mod) },
    { OFT_MULTIPART_REQUEST, ONLY10, STANDARD(16), BY(multipart_request) },
    { OFT_MULTIPART_REQUEST, FROM13, STANDARD(18), BY(multipart_request) },
    { OFT_TABLE_STATUS, FROM14, STANDARD(31), BY(table_status) },
    { OFT_REQUESTFORWARD, FROM14, STANDARD(32), BY(requestforward) },
    { OFT_CONTROLLER_STATUS, OF15, OF15, STANDARD(35),
      BY(controller_status) },
    { OFT_BARRIER_REQUEST, ONLY10, STANDARD(18), EMPTY },
    { OFT_BARRIER_REQUEST, FROM13, STANDARD(20), EMPTY },
    { OFT_BARRIER_REPLY, ONLY10, STANDARD(19), EMPTY },
    { OFT_BARRIER_REPLY, FROM13, STANDARD(21), EMPTY },
    { OFT_QUEUE_GET_CONFIG_REQUEST, ONLY10, STANDARD(20), BY(queue_config) },
    { OFT_QUEUE_GET_CONFIG_REQUEST, ONLY13, STANDARD(22), BY(queue_config) },
    { OFT_QUEUE_GET_CONFIG_REPLY, ONLY10, STANDARD(21),
      BY(queue_config_reply) },
    { OFT_QUEUE_GET_CONFIG_REPLY, ONLY13, STANDARD(23),
      BY(queue_config_reply) },
    { OFT_ROLE_REQUEST, FROM13, STANDARD(24), BY(role) },
    { OFT_ROLE_REQUEST, ONLY10, NICIRA(10), BY(role_nx) },
    { OFT_ROLE_REPLY, FROM13, STANDARD(25), BY(role) },
    { OFT_ROLE_REPLY, ONLY10, NICIRA(11), BY(role_nx) },
    { OFT_ROLE_STATUS, FROM14, STANDARD(30), BY(role_status) },
    { OFT_GET_ASYNC_REQUEST, FROM13, STANDARD(26), EMPTY },
    { OFT_GET_ASYNC_REPLY, ONLY13, STANDARD(27), BY(async) },
    { OFT_GET_ASYNC_REPLY, FROM14, STANDARD(27), BY(async_properties) },
    { OFT_SET_ASYNC, ONLY13, STANDARD(28), BY(async) },
    { OFT_SET_ASYNC, FROM14, STANDARD(28), BY(async_properties) },
    { OFT_SET_ASYNC, ALL, NICIRA(19), BY(async) },
    { OFT_SET_ASYNC, ALL, NICIRA(27), BY(async_properties) },
    { OFT_FLOW_MONITOR_CANCEL, ONLY10, NICIRA(21), BY(monitor_cancel) },
    { OFT_FLOW_MONITOR_CANCEL, ONLY13, ONF(1870), BY(monitor_cancel) },
    { OFT_FLOW_MONITOR_PAUSED, ONLY10, NICIRA(22), EMPTY },
    { OFT_FLOW_MONITOR_PAUSED, ONLY13, ONF(1871), EMPTY },
    { OFT_FLOW_MONITOR_RESUMED, ONLY10, NICIRA(23), EMPTY },
    { OFT_FLOW_MONITOR_RESUMED, ONLY13, ONF(1872), EMPTY },
    { OFT_NX_SET_FLOW_FORMAT, ALL, NICIRA(12), BY(flow_format) },
    { OFT_NX_FLOW_MOD_TABLE_ID, ALL, NICIRA(15), BY(flow_mod_table_id) },
    { OFT_NX_SET_PACKET_IN_FORMAT, ALL, NICIRA(16), BY(packet_in_format) },
    { OFT_NX_TLV_TABLE_MOD, ALL, NICIRA(24), BY(tlv_mod) },
    { OFT_NX_TLV_TABLE_REQUEST, ALL, NICIRA(25), EMPTY },
    { OFT_NX_TLV_TABLE_REPLY, ALL, NICIRA(26), BY(tlv_reply) },
    { OFT_NX_CT_FLUSH_ZONE, ALL, NICIRA(29), BY(ct_flush_zone) },
    { OFT_NX_CT_FLUSH, ALL, NICIRA(32), BY(ct_flush) },
    { OFT_NX_RESUME, ALL, NICIRA(28), packet_in_nxt2_decode,
      packet_in_nxt2_encode, NULL },
    { OFT_NX_SET_CONTROLLER_ID, ALL, NICIRA(20), BY(controller_id) },
};

const char *
of_version_name(enum of_version version)
{
    switch (version) {
    case OF10: return "OpenFlow10";
    case OF13: return "OpenFlow13";
    case OF14: return "OpenFlow14";
    case OF15: return "OpenFlow15";
    }
    return "unknown";
}

const char *
of_type_name(enum of_type type)
{
    static const char *const names[N_OF_TYPES] = {
#define X(ID) #ID,
        OF_MESSAGES(X)
#undef X
    };

    return (unsigned int) type < N_OF_TYPES ? names[type] : "unknown";
}

int
of_frame_len(const void *data, size_t len)
{
    struct cursor c = cursor_init(data, len);
    uint8_t version = cursor_u8(&c);
    uint16_t total;

    cursor_skip(&c, 1);
    total = cursor_u16(&c);
    if (cursor_overrun(&c)) {
        return 0;
    }
    return version && total >= OF_HEADER_LEN ? total : -EPROTO;
}

static enum of_error
empty_decode(const struct of_protocol *p UNUSED, struct cursor *c UNUSED,
             struct of_message *msg UNUSED, struct str *why UNUSED)
{
    return OF_OK;
}

static int
empty_encode(struct buf *buf UNUSED, const struct of_protocol *p UNUSED,
             const struct of_message *msg UNUSED)
{
    return 0;
}

/* ---- Decode ---- */

static bool
has_version(const struct form *form, enum of_version version)
{
    return form->first <= version && version <= form->last;
}

static enum of_error
find_form(enum of_version version, uint8_t type, struct cursor *c,
          const struct form **form)
{
    bool is_exp = type == TYPE_EXPERIMENTER, is_known = false;
    uint32_t experimenter = is_exp ? cursor_u32(c) : 0;
    uint32_t exp_type = is_exp ? cursor_u32(c) : 0;

    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        const struct form *f = &forms[i];

        if (f->wire_type == type && f->experimenter == experimenter) {
            is_known = true;
            if (f->exp_type == exp_type && has_version(f, version)) {
                *form = f;
                return OF_OK;
            }
        }
    }
    return !is_exp ? OF_BAD_REQUEST_BAD_TYPE
           : is_known ? OF_BAD_REQUEST_BAD_EXP_TYPE
           : OF_BAD_REQUEST_BAD_EXPERIMENTER;
}

static enum of_error
decode_body(const struct of_protocol *protocol, const struct form *form,
            struct cursor *c, struct of_message *msg, struct str *why)
{
    enum of_error error = form->decode(protocol, c, msg, why);

    if (!error && (cursor_overrun(c) || cursor_left(c))) {
        str_setf(why, "%s: the body is too %s", of_type_name(form->type),
                 cursor_overrun(c) ? "short" : "long");
        error = OF_BAD_REQUEST_BAD_LEN;
    }
    return error;
}

enum of_error
of_message_decode(const struct of_protocol *protocol, const void *data,
                  size_t len, struct of_message *msg, struct str *why)
{
    struct cursor c = cursor_init(data, len);
    struct of_protocol actual = *protocol;
    uint8_t version = cursor_u8(&c), type = cursor_u8(&c);
    uint16_t total = cursor_u16(&c);
    const struct form *form = NULL;
    bool is_greeting;
    enum of_error error;

    memset(msg, 0, sizeof *msg);
    msg->xid = cursor_u32(&c);
    if (cursor_overrun(&c) || total != len) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    /* A hello may have any version, now or later, and an error of the first
     * moment that of whoever sends it. */
    is_greeting = type == 0 || (type == 1 && !protocol->version);
    if (!is_greeting && version != protocol->version) {
        str_setf(why, "version 0x%02x, agreed was 0x%02x", version,
                 (unsigned int) protocol->version);
        return OF_BAD_REQUEST_BAD_VERSION;
    }
    msg->version = actual.version = (enum of_version) version;
    error = find_form(is_greeting ? OF10 : actual.version, type, &c, &form);
    if (error) {
        str_setf(why, "message of type %u is not known in %s", type,
                 of_version_name(actual.version));
        return error;
    }
    msg->type = form->type;
    error = decode_body(&actual, form, &c, msg, why);
    if (error) {
        of_message_fini(msg);
    }
    return error;
}

void
of_message_fini(struct of_message *msg)
{
    switch (msg->type) {
    case OFT_FLOW_MOD:
        flow_mod_fini(&msg->flow_mod);
        return;
    case OFT_GROUP_MOD:
        group_mod_fini(&msg->group_mod);
        return;
    case OFT_PACKET_OUT:
        actions_fini(&msg->packet_out.actions);
        return;
    case OFT_FEATURES_REPLY:
        free(msg->features.ports);
        msg->features.ports = NULL;
        return;
    default:
        return;
    }
}

/* ---- Encode ---- */

static size_t
begin(struct buf *buf, const struct of_protocol *protocol,
      const struct form *form, uint32_t xid)
{
    size_t start = buf->len;

    buf_put_u8(buf, (uint8_t) protocol->version);
    buf_put_u8(buf, form->wire_type);
    buf_put_u16(buf, 0);
    buf_put_u32(buf, xid);
    if (form->wire_type == TYPE_EXPERIMENTER) {
        buf_put_u32(buf, form->experimenter);
        buf_put_u32(buf, form->exp_type);
    }
    return start;
}

static const struct form *
choose_form(const struct of_protocol *protocol, const struct of_message *msg)
{
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (forms[i].type == msg->type
            && has_version(&forms[i], protocol->version)
            && (!forms[i].use || forms[i].use(protocol, msg))) {
            return &forms[i];
        }
    }
    return NULL;
}

int
of_message_encode(struct buf *buf, const struct of_protocol *protocol,
                  const struct of_message *msg)
{
    const struct form *form = choose_form(protocol, msg);
    size_t start = buf->len;
    int err;

    if (!form) {
        return -EOPNOTSUPP;
    }
    begin(buf, protocol, form, msg->xid);
    err = form->encode(buf, protocol, msg);
    if (!err && buf->len - start > OF_MAX_LEN) {
        err = -EOPNOTSUPP;
    }
    if (err) {
        buf->len = start;
        return err;
    }
    buf_patch_u16(buf, start + 2, (uint16_t) (buf->len - start));
    return 0;
}

void
of_plain_encode(struct buf *buf, const struct of_protocol *protocol,
                enum of_type type, uint32_t xid)
{
    struct of_message msg = { .type = type, .xid = xid };
    int err = of_message_encode(buf, protocol, &msg);

    assert(!err);
    (void) err;
}

/* ---- Helpers of the families ---- */

void
wire_text_decode(struct cursor *c, char *out, size_t size)
{
    const uint8_t *p = cursor_take(c, size);

    if (p) {
        memcpy(out, p, size - 1);
        out[size - 1] = '\0';
    }
}

void
wire_text_encode(struct buf *buf, const char *text, size_t size)
{
    size_t len = strnlen(text, size - 1);
    uint8_t *p = buf_put_zeros(buf, size);

    memcpy(p, text, len);
}

bool
wire_next_property(struct cursor *c, struct wire_property *property,
                   enum of_error *error)
{
    uint16_t len;

    *error = OF_OK;
    if (!cursor_left(c)) {
        return false;
    }
    property->type = cursor_u16(c);
    len = cursor_u16(c);
    if (cursor_overrun(c) || len < 4 || len - 4u > cursor_left(c)) {
        *error = OF_BAD_PROPERTY_BAD_LEN;
        return false;
    }
    property->body = cursor_sub(c, len - 4u);
    cursor_skip(c, MIN(-len & 7u, cursor_left(c)));
    return true;
}

enum of_error
wire_unknown_property(const struct wire_property *property, struct str *why)
{
    struct cursor c = property->body;

    if (property->type >= 0xfffe) {
        str_setf(why, "a property of the unknown experimenter 0x%08x",
                 cursor_u32(&c));
        return cursor_overrun(&c) ? OF_BAD_PROPERTY_BAD_LEN
               : OF_BAD_PROPERTY_BAD_EXPERIMENTER;
    }
    str_setf(why, "unknown property of type %u", property->type);
    return OF_BAD_PROPERTY_BAD_TYPE;
}

size_t
wire_begin_property(struct buf *buf, uint16_t type)
{
    size_t mark = buf->len;

    buf_put_u16(buf, type);
    buf_put_u16(buf, 0);
    return mark;
}

void
wire_end_property(struct buf *buf, size_t mark)
{
    buf_patch_u16(buf, mark + 2, (uint16_t) (buf->len - mark));
    buf_pad8(buf, mark);
}
