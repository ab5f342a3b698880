/* Nicira's two ways to send a packet to the controller, both directions. */
#include "openflow/wire_action_impl.h"

enum { MAX_LEN, ID, REASON, USERDATA, PAUSE, METER_ID };

/* ---- Decode ---- */

static enum of_error
add_controller(struct action_decoder *d, const struct action_controller *from,
               const void *userdata)
{
    struct action_controller *a;

    if (from->reason > REASON_PACKET_OUT) {
        str_setf(d->why, "controller: unknown reason %u", from->reason);
        return OF_BAD_ACTION_BAD_ARGUMENT;
    }
    a = actions_add_userdata(d->out, userdata, from->userdata_len);
    a->max_len = from->max_len;
    a->controller_id = from->controller_id;
    a->reason = from->reason;
    a->pause = from->pause;
    a->meter = from->meter;
    return OF_OK;
}

enum of_error
nx_controller(struct action_decoder *d, struct cursor *c)
{
    struct action_controller a = { .h = { .len = 0 } };

    a.max_len = cursor_u16(c);
    a.controller_id = cursor_u16(c);
    a.reason = cursor_u8(c);
    cursor_skip(c, 1);
    return add_controller(d, &a, NULL);
}

enum of_error
nx_controller2(struct action_decoder *d, struct cursor *c)
{
    struct action_controller a = { .max_len = OFPCML_NO_BUFFER,
                                   .reason = REASON_APPLY_ACTION };
    const uint8_t *userdata = NULL;
    struct wire_property prop;
    enum of_error error;

    cursor_skip(c, 6);
    while (wire_next_property(c, &prop, &error)) {
        switch (prop.type) {
        case MAX_LEN: a.max_len = cursor_u16(&prop.body); break;
        case ID: a.controller_id = cursor_u16(&prop.body); break;
        case REASON: a.reason = cursor_u8(&prop.body); break;
        case USERDATA:
            a.userdata_len = (uint16_t) cursor_left(&prop.body);
            userdata = cursor_take(&prop.body, a.userdata_len);
            break;
        case PAUSE: a.pause = true; break;
        case METER_ID: a.meter = cursor_u32(&prop.body); break;
        default: return wire_unknown_property(&prop, d->why);
        }
        if (cursor_overrun(&prop.body)) {
            return OF_BAD_PROPERTY_BAD_LEN;
        }
    }
    return error ? error : add_controller(d, &a, userdata);
}

/* ---- Encode ---- */

static bool
put_second(struct buf *buf, const struct action_controller *a)
{
    size_t mark = begin_nx(buf, NX_CONTROLLER2), prop;

    buf_put_zeros(buf, 6);
    if (a->max_len != OFPCML_NO_BUFFER) {
        prop = wire_begin_property(buf, MAX_LEN);
        buf_put_u16(buf, a->max_len);
        wire_end_property(buf, prop);
    }
    if (a->controller_id) {
        prop = wire_begin_property(buf, ID);
        buf_put_u16(buf, a->controller_id);
        wire_end_property(buf, prop);
    }
    if (a->reason != REASON_APPLY_ACTION) {
        prop = wire_begin_property(buf, REASON);
        buf_put_u8(buf, a->reason);
        wire_end_property(buf, prop);
    }
    if (a->userdata_len) {
        prop = wire_begin_property(buf, USERDATA);
        buf_put(buf, a->userdata, a->userdata_len);
        wire_end_property(buf, prop);
    }
    if (a->pause) {
        wire_end_property(buf, wire_begin_property(buf, PAUSE));
    }
    if (a->meter) {
        prop = wire_begin_property(buf, METER_ID);
        buf_put_u32(buf, a->meter);
        wire_end_property(buf, prop);
    }
    return buf->len - mark <= ACTION_MAX_LEN && put_plain(buf, mark);
}

bool
put_nx_controller(struct buf *buf, const struct action_controller *a)
{
    size_t mark;

    if (a->userdata_len || a->pause || a->meter) {
        return put_second(buf, a);
    }
    mark = begin_nx(buf, NX_CONTROLLER);
    buf_put_u16(buf, a->max_len);
    buf_put_u16(buf, a->controller_id);
    buf_put_u8(buf, a->reason);
    return put_plain(buf, mark);
}
