/* Multipart replies: what a switch tells who asked. */
#include "openflow/reply.h"
#include "openflow/wire_action.h"
#include "openflow/wire_match.h"
#include "openflow/wire_multipart.h"
#include "openflow/wire_oxs.h"

enum { WIRE_REPLY_OF10 = 17, WIRE_REPLY = 19, FLAG_MORE = 1 };

bool
of_is_multipart_reply(const struct of_protocol *p, const void *data,
                      size_t len)
{
    const uint8_t *bytes = data;

    return len >= OF_HEADER_LEN && p->version
           && bytes[1] == (p->version == OF10 ? WIRE_REPLY_OF10
                                              : WIRE_REPLY);
}

enum of_error
of_multipart_reply_decode(const struct of_protocol *p, const void *data,
                          size_t len, struct of_multipart_reply *reply,
                          struct str *why)
{
    struct cursor c = cursor_init(data, len);
    uint16_t type;

    memset(reply, 0, sizeof *reply);
    cursor_skip(&c, 4);
    reply->xid = cursor_u32(&c);
    type = cursor_u16(&c);
    reply->more = cursor_u16(&c) & FLAG_MORE;
    cursor_skip(&c, p->version == OF10 ? 0 : 4);
    reply->body = wire_rest(&c);
    if (cursor_overrun(&c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if (!multipart_type_decode(p->version, type, &reply->type)) {
        str_setf(why, "statistics of type %u", type);
        return OF_BAD_REQUEST_BAD_MULTIPART;
    }
    return OF_OK;
}

static struct cursor
cursor_of(const struct of_bytes *body)
{
    return cursor_init(body->data, body->len);
}

static void
take_off(struct of_bytes *body, const struct cursor *c)
{
    size_t left = cursor_left(c);

    body->data += body->len - left;
    body->len = left;
}

bool
of_next_port(const struct of_protocol *p, struct of_bytes *body,
             struct of_port_desc *desc, enum of_error *error)
{
    struct cursor c = cursor_of(body);

    *error = OF_OK;
    if (!body->len) {
        return false;
    }
    *error = port_desc_decode(p->version, &c, desc);
    if (!*error && cursor_overrun(&c)) {
        *error = OF_BAD_REQUEST_BAD_LEN;
    }
    take_off(body, &c);
    return !*error;
}

/* A part of the body that begins with its length in 16 bits, which are read.
 * False: there is none so long. */
static bool
take_item(struct of_bytes *body, size_t min, struct cursor *item,
          enum of_error *error)
{
    struct cursor c = cursor_of(body);
    uint16_t len;

    *error = OF_OK;
    if (!body->len) {
        return false;
    }
    len = cursor_u16(&c);
    if (cursor_overrun(&c) || len < min || len - 2u > cursor_left(&c)) {
        *error = OF_BAD_REQUEST_BAD_LEN;
        return false;
    }
    *item = cursor_sub(&c, len - 2u);
    take_off(body, &c);
    return true;
}

bool
of_next_meter(const struct of_protocol *p UNUSED, struct of_bytes *body,
              struct meter_mod *mod, enum of_error *error)
{
    struct cursor c;

    if (!take_item(body, 8, &c, error)) {
        return false;
    }
    memset(mod, 0, sizeof *mod);
    mod->flags = cursor_u16(&c);
    mod->id = cursor_u32(&c);
    /* A kind of band that we do not know makes it a meter that is not ours. */
    meter_bands_decode(&c, mod, NULL);
    return true;
}

static void
head_of13(enum of_version version, struct cursor *c, struct flow_mod *mod)
{
    mod->table = cursor_u8(c);
    cursor_skip(c, 9);
    mod->priority = cursor_u16(c);
    mod->idle_timeout = cursor_u16(c);
    mod->hard_timeout = cursor_u16(c);
    mod->flags = cursor_u16(c);
    mod->importance = cursor_u16(c);
    mod->importance = version >= OF14 ? mod->importance : 0;
    cursor_skip(c, 2);
    mod->cookie = htobe64(cursor_u64(c));
    cursor_skip(c, 16);
}

static void
head_of15(struct cursor *c, struct flow_mod *mod)
{
    cursor_skip(c, 2);
    mod->table = cursor_u8(c);
    cursor_skip(c, 1);
    mod->priority = cursor_u16(c);
    mod->idle_timeout = cursor_u16(c);
    mod->hard_timeout = cursor_u16(c);
    mod->flags = cursor_u16(c);
    mod->importance = cursor_u16(c);
    mod->cookie = htobe64(cursor_u64(c));
}

static enum of_error
decode_flow(enum of_version version, struct cursor *c, struct flow_mod *mod,
            bool *is_whole)
{
    enum of_error error;
    struct oxs stats;

    if (version >= OF15) {
        head_of15(c, mod);
    } else {
        head_of13(version, c, mod);
    }
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    error = match_oxm_decode(c, false, &mod->match, NULL);
    if (!error && version >= OF15) {
        error = oxs_decode(c, &stats);
    }
    if (error) {
        return error;
    }
    *is_whole = !instructions_decode(version, c, mod, NULL);
    flow_mod_seal(mod);
    return OF_OK;
}

bool
of_next_flow(const struct of_protocol *p, struct of_bytes *body,
             struct flow_mod *mod, bool *is_whole, enum of_error *error)
{
    struct cursor c;

    if (!take_item(body, 8, &c, error)) {
        return false;
    }
    flow_mod_init(mod);
    *error = p->version == OF10 ? OF_BAD_REQUEST_BAD_VERSION
             : decode_flow(p->version, &c, mod, is_whole);
    if (*error) {
        flow_mod_fini(mod);
    }
    return !*error;
}
