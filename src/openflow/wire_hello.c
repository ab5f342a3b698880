/* Hello, error, echo: what either side says in any version. */
#include "openflow/wire.h"

enum { HELLO_VERSION_BITMAP = 1 };

/* Elements of unknown type are for a later version; one that is broken ends
 * the list (OpenFlow 1.3.5 section 7.5.1: a switch copes with any content). */
static uint32_t
read_version_bitmap(struct cursor *c)
{
    uint32_t versions = 0;

    while (cursor_left(c) >= 4) {
        uint16_t type = cursor_u16(c);
        uint16_t len = cursor_u16(c);
        struct cursor body;

        if (len < 4 || len - 4u > cursor_left(c)) {
            break;
        }
        body = cursor_sub(c, len - 4u);
        cursor_skip(c, MIN(-len & 7u, cursor_left(c)));
        if (type == HELLO_VERSION_BITMAP) {
            versions = cursor_u32(&body);
        }
    }
    cursor_skip(c, cursor_left(c));
    return versions;
}

/* Without a bitmap the sender speaks its header's version and, as far as it can
 * know, the earlier ones. */
enum of_error
hello_decode(const struct of_protocol *p, struct cursor *c,
             struct of_message *msg, struct str *why UNUSED)
{
    unsigned int version = MIN((unsigned int) p->version, 31u);

    msg->hello.versions = read_version_bitmap(c);
    if (!msg->hello.versions) {
        msg->hello.versions = (uint32_t) ((UINT64_C(2) << version) - 2);
    }
    return OF_OK;
}

int
hello_encode(struct buf *buf, const struct of_protocol *p UNUSED,
             const struct of_message *msg)
{
    buf_put_u16(buf, HELLO_VERSION_BITMAP);
    buf_put_u16(buf, 8);
    buf_put_u32(buf, msg->hello.versions);
    return 0;
}

enum of_error
echo_decode(const struct of_protocol *p UNUSED, struct cursor *c,
            struct of_message *msg, struct str *why UNUSED)
{
    msg->echo = wire_rest(c);
    return OF_OK;
}

int
echo_encode(struct buf *buf, const struct of_protocol *p UNUSED,
            const struct of_message *msg)
{
    buf_put(buf, msg->echo.data, msg->echo.len);
    return 0;
}

/* ---- Errors ---- */

/* Nicira's errors in 1.0 have a type of their own, and the real type and code
 * after it. */
enum { TYPE_NICIRA_10 = 0xb0c2, TYPE_EXPERIMENTER_ERROR = 0xffff };

/* 64 bytes would do; but tools print requests that they have whole. */
enum { REQUEST_QUOTED = OF_MAX_LEN - 64 };

static void
put_error(struct buf *buf, enum of_version version, enum of_error error)
{
    struct of_error_wire wire = of_error_to_wire(error, version);

    if (wire.experimenter && version == OF10) {
        buf_put_u16(buf, TYPE_NICIRA_10);
        buf_put_u16(buf, 0);
        buf_put_u32(buf, wire.experimenter);
        buf_put_u16(buf, wire.type);
        buf_put_u16(buf, wire.code);
    } else if (wire.experimenter) {
        buf_put_u16(buf, TYPE_EXPERIMENTER_ERROR);
        buf_put_u16(buf, wire.code);
        buf_put_u32(buf, wire.experimenter);
    } else {
        buf_put_u16(buf, wire.type);
        buf_put_u16(buf, wire.code);
    }
}

enum of_error
error_decode(const struct of_protocol *p, struct cursor *c,
             struct of_message *msg, struct str *why UNUSED)
{
    struct of_error_wire wire = { .experimenter = 0 };

    wire.type = cursor_u16(c);
    wire.code = cursor_u16(c);
    if (wire.type == TYPE_NICIRA_10 && p->version == OF10) {
        wire.experimenter = cursor_u32(c);
        wire.type = cursor_u16(c);
        wire.code = cursor_u16(c);
    } else if (wire.type == TYPE_EXPERIMENTER_ERROR && p->version != OF10) {
        wire.experimenter = cursor_u32(c);
    }
    msg->error.error = of_error_from_wire(wire, p->version);
    msg->error.experimenter = wire.experimenter;
    msg->error.type = wire.type;
    msg->error.code = wire.code;
    msg->error.request = wire_rest(c);
    return OF_OK;
}

int
error_encode(struct buf *buf, const struct of_protocol *p,
             const struct of_message *msg)
{
    if (msg->error.error == OF_OK || msg->error.error >= N_OF_ERRORS) {
        return -EOPNOTSUPP;
    }
    put_error(buf, p->version, msg->error.error);
    buf_put(buf, msg->error.request.data, msg->error.request.len);
    return 0;
}

void
of_error_encode(struct buf *buf, enum of_version version, enum of_error error,
                const void *request, size_t request_len, const char *text)
{
    struct of_protocol protocol = { .version = version };
    struct cursor c = cursor_init(request, request_len);
    struct of_message msg = { .type = OFT_ERROR };
    int err;

    cursor_skip(&c, 4);
    msg.xid = cursor_u32(&c);
    msg.error.error = error;
    msg.error.request = (struct of_bytes) {
        request, MIN(request_len, (size_t) REQUEST_QUOTED)
    };
    if (text) {
        msg.error.request = (struct of_bytes) { (const void *) text,
                                                strlen(text) };
    }
    err = of_message_encode(buf, &protocol, &msg);
    assert(!err);
    (void) err;
}
