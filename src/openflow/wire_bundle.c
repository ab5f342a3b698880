/* Bundles: 1.4's and later ones', and the ONF's for 1.3, which are the same
 * after the header. */
#include "openflow/wire_multipart.h"

static enum of_error
check_flags(uint16_t flags, struct str *why)
{
    if (flags & ~(BUNDLE_ATOMIC | BUNDLE_ORDERED)) {
        str_setf(why, "bundle flags 0x%x", flags);
        return OF_BUNDLE_FAILED_BAD_FLAGS;
    }
    return OF_OK;
}

enum { PROPERTY_TIME = 1 };

/* Only 1.5's schedule is known, to be refused. */
static enum of_error
check_properties(enum of_version version, struct cursor *c, struct str *why)
{
    struct wire_property prop;
    enum of_error error;

    while (wire_next_property(c, &prop, &error)) {
        if (prop.type == PROPERTY_TIME && version >= OF15) {
            str_setf(why, "bundles are not scheduled");
            return OF_BUNDLE_FAILED_SCHED_NOT_SUPPORTED;
        }
        return wire_unknown_property(&prop, why);
    }
    return error;
}

enum of_error
bundle_control_decode(const struct of_protocol *p, struct cursor *c,
                      struct of_message *msg, struct str *why)
{
    struct of_bundle_control *bc = &msg->bundle_control;
    enum of_error error;

    bc->id = cursor_u32(c);
    bc->type = cursor_u16(c);
    bc->flags = cursor_u16(c);
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if (bc->type > BUNDLE_DISCARD_REPLY) {
        str_setf(why, "bundle control of type %u", bc->type);
        return OF_BUNDLE_FAILED_BAD_TYPE;
    }
    error = check_flags(bc->flags, why);
    return error ? error : check_properties(p->version, c, why);
}

int
bundle_control_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                      const struct of_message *msg)
{
    buf_put_u32(buf, msg->bundle_control.id);
    buf_put_u16(buf, msg->bundle_control.type);
    buf_put_u16(buf, msg->bundle_control.flags);
    return 0;
}

/* The inner message's header is checked here, its body when it is decoded. */
enum of_error
bundle_add_decode(const struct of_protocol *p, struct cursor *c,
                  struct of_message *msg, struct str *why)
{
    struct of_bundle_add *ba = &msg->bundle_add;
    struct cursor inner;
    enum of_error error;
    uint8_t version;
    uint16_t len;

    ba->id = cursor_u32(c);
    cursor_skip(c, 2);
    ba->flags = cursor_u16(c);
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    inner = *c;
    version = cursor_u8(&inner);
    cursor_skip(&inner, 1);
    len = cursor_u16(&inner);
    if (len < OF_HEADER_LEN || len > cursor_left(c)) {
        str_setf(why, "a message of %u bytes in a bundle", len);
        return OF_BUNDLE_FAILED_MSG_BAD_LEN;
    }
    if (version != p->version) {
        str_setf(why, "a message of another version in a bundle");
        return OF_BUNDLE_FAILED_MSG_UNSUP;
    }
    if (cursor_u32(&inner) != msg->xid) {
        return OF_BUNDLE_FAILED_MSG_BAD_XID;
    }
    ba->message = (struct of_bytes) { cursor_take(c, len), len };
    error = check_flags(ba->flags, why);
    if (cursor_left(c)) {
        cursor_skip(c, MIN(-len & 7u, cursor_left(c)));
    }
    return error ? error : check_properties(p->version, c, why);
}

int
bundle_add_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                  const struct of_message *msg)
{
    const struct of_bundle_add *ba = &msg->bundle_add;

    buf_put_u32(buf, ba->id);
    buf_put_u16(buf, 0);
    buf_put_u16(buf, ba->flags);
    buf_put(buf, ba->message.data, ba->message.len);
    return 0;
}

/* ---- Features (1.5) ---- */

enum { FEATURE_TIMESTAMP = 1, FEATURE_SCHEDULE = 2 };

enum of_error
bundle_features_decode(struct cursor *c, uint32_t *flags, struct str *why)
{
    struct wire_property prop;
    enum of_error error;

    *flags = cursor_u32(c);
    cursor_skip(c, 4);
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if (*flags & ~(uint32_t) (FEATURE_TIMESTAMP | FEATURE_SCHEDULE)) {
        str_setf(why, "bundle feature flags 0x%x", *flags);
        return OF_BUNDLE_FAILED_BAD_FLAGS;
    }
    /* A schedule to be set, and what the time is there: not for us. */
    if (*flags & FEATURE_SCHEDULE) {
        str_setf(why, "bundles are not scheduled");
        return OF_BUNDLE_FAILED_SCHED_NOT_SUPPORTED;
    }
    while (wire_next_property(c, &prop, &error)) {
        if (prop.type != PROPERTY_TIME) {
            return wire_unknown_property(&prop, why);
        }
    }
    return error;
}

void
of_reply_bundle_features(struct of_reply *r, uint16_t flags)
{
    size_t mark = reply_begin_item(r);

    buf_put_u16(r->buf, flags);
    buf_put_zeros(r->buf, 6);
    reply_end_item(r, mark);
}
