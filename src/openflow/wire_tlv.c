/* Which options of a tunnel are which fields, and the flushing of connections:
 * Nicira's messages of both. */
#include "openflow/wire.h"

/* ---- The map of options ---- */

enum { TLV_ENTRY_LEN = 8 };

static enum of_error
get_entries(struct cursor *c, struct of_tlv_table *table, struct str *why)
{
    size_t n = cursor_left(c) / TLV_ENTRY_LEN;

    if (cursor_left(c) % TLV_ENTRY_LEN || n > OF_TLV_MAX) {
        str_setf(why, "%zu bytes of options", cursor_left(c));
        return OF_BAD_REQUEST_BAD_LEN;
    }
    for (size_t i = 0; i < n; i++) {
        struct of_tlv *tlv = &table->entries[table->n++];

        tlv->class = cursor_u16(c);
        tlv->type = cursor_u8(c);
        tlv->len = cursor_u8(c);
        tlv->index = cursor_u16(c);
        cursor_skip(c, 2);
    }
    return OF_OK;
}

static void
put_entries(struct buf *buf, const struct of_tlv_table *table)
{
    for (unsigned int i = 0; i < table->n; i++) {
        const struct of_tlv *tlv = &table->entries[i];

        buf_put_u16(buf, tlv->class);
        buf_put_u8(buf, tlv->type);
        buf_put_u8(buf, tlv->len);
        buf_put_u16(buf, tlv->index);
        buf_put_u16(buf, 0);
    }
}

enum of_error
tlv_mod_decode(const struct of_protocol *p UNUSED, struct cursor *c,
               struct of_message *msg, struct str *why)
{
    msg->tlv_table.command = cursor_u16(c);
    cursor_skip(c, 6);
    return get_entries(c, &msg->tlv_table, why);
}

int
tlv_mod_encode(struct buf *buf, const struct of_protocol *p UNUSED,
               const struct of_message *msg)
{
    buf_put_u16(buf, msg->tlv_table.command);
    buf_put_zeros(buf, 6);
    put_entries(buf, &msg->tlv_table);
    return 0;
}

enum of_error
tlv_reply_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                 struct of_message *msg, struct str *why)
{
    msg->tlv_table.max_space = cursor_u32(c);
    msg->tlv_table.max_fields = cursor_u16(c);
    cursor_skip(c, 10);
    return get_entries(c, &msg->tlv_table, why);
}

int
tlv_reply_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                 const struct of_message *msg)
{
    buf_put_u32(buf, msg->tlv_table.max_space);
    buf_put_u16(buf, msg->tlv_table.max_fields);
    buf_put_zeros(buf, 10);
    put_entries(buf, &msg->tlv_table);
    return 0;
}

/* ---- Connections ---- */

enum of_error
ct_flush_zone_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                     struct of_message *msg, struct str *why)
{
    for (unsigned int i = 0; i < 6; i++) {
        if (cursor_u8(c)) {
            str_setf(why, "a flush with bits that must be zero");
            return OF_NX_MUST_BE_ZERO;
        }
    }
    msg->ct_flush.has_zone = true;
    msg->ct_flush.zone = cursor_u16(c);
    return OF_OK;
}

int
ct_flush_zone_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                     const struct of_message *msg)
{
    buf_put_zeros(buf, 6);
    buf_put_u16(buf, msg->ct_flush.zone);
    return 0;
}

/* Properties of a flush, and of the tuples in it. */
enum { FLUSH_ORIGINAL, FLUSH_REPLY, FLUSH_ZONE };
enum { TUPLE_SRC, TUPLE_DST, TUPLE_SRC_PORT, TUPLE_DST_PORT, TUPLE_ICMP_ID,
       TUPLE_ICMP_TYPE, TUPLE_ICMP_CODE };

static bool
get_tuple_part(struct wire_property *prop, struct of_ct_tuple *tuple)
{
    struct cursor *c = &prop->body;
    struct ip6_addr *addr = prop->type == TUPLE_SRC ? &tuple->src
                                                    : &tuple->dst;
    const uint8_t *p;

    switch (prop->type) {
    case TUPLE_SRC: case TUPLE_DST:
        p = cursor_take(c, sizeof addr->b);
        if (p) {
            memcpy(addr->b, p, sizeof addr->b);
        }
        break;
    case TUPLE_SRC_PORT: tuple->src_port = cursor_u16(c); break;
    case TUPLE_DST_PORT: tuple->dst_port = cursor_u16(c); break;
    case TUPLE_ICMP_ID: tuple->icmp_id = cursor_u16(c); break;
    case TUPLE_ICMP_TYPE: tuple->icmp_type = cursor_u8(c); break;
    case TUPLE_ICMP_CODE: tuple->icmp_code = cursor_u8(c); break;
    default: return false;
    }
    tuple->parts |= (uint8_t) (1u << prop->type);
    return true;
}

static enum of_error
get_tuple(struct cursor *c, struct of_ct_tuple *tuple, struct str *why)
{
    struct wire_property prop;
    enum of_error error;

    cursor_skip(c, 4);
    while (wire_next_property(c, &prop, &error)) {
        if (!get_tuple_part(&prop, tuple)) {
            return wire_unknown_property(&prop, why);
        }
        if (cursor_overrun(&prop.body)) {
            return OF_BAD_PROPERTY_BAD_LEN;
        }
    }
    return error;
}

enum of_error
ct_flush_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                struct of_message *msg, struct str *why)
{
    struct of_ct_flush *flush = &msg->ct_flush;
    struct wire_property prop;
    enum of_error error, bad = OF_OK;

    flush->ip_proto = cursor_u8(c);
    cursor_skip(c, 7);
    while (!bad && wire_next_property(c, &prop, &error)) {
        switch (prop.type) {
        case FLUSH_ORIGINAL: case FLUSH_REPLY:
            bad = get_tuple(&prop.body, &flush->tuples[prop.type], why);
            break;
        case FLUSH_ZONE:
            flush->has_zone = true;
            flush->zone = cursor_u16(&prop.body);
            break;
        default:
            return wire_unknown_property(&prop, why);
        }
        bad = bad ? bad : cursor_overrun(&prop.body) ? OF_BAD_PROPERTY_BAD_LEN
              : OF_OK;
    }
    return bad ? bad : error;
}

static void
put_u16_property(struct buf *buf, uint16_t type, uint16_t value)
{
    size_t mark = wire_begin_property(buf, type);

    buf_put_u16(buf, value);
    wire_end_property(buf, mark);
}

static void
put_tuple(struct buf *buf, uint16_t type, const struct of_ct_tuple *tuple)
{
    const struct ip6_addr *addresses[] = { &tuple->src, &tuple->dst };
    const uint16_t words[] = { tuple->src_port, tuple->dst_port,
                               tuple->icmp_id };
    const uint8_t bytes[] = { tuple->icmp_type, tuple->icmp_code };
    size_t outer = wire_begin_property(buf, type), mark;

    buf_put_u32(buf, 0);
    for (uint16_t i = TUPLE_SRC; i <= TUPLE_ICMP_CODE; i++) {
        if (!(tuple->parts >> i & 1)) {
            continue;
        }
        if (i >= TUPLE_SRC_PORT && i <= TUPLE_ICMP_ID) {
            put_u16_property(buf, i, words[i - TUPLE_SRC_PORT]);
            continue;
        }
        mark = wire_begin_property(buf, i);
        if (i <= TUPLE_DST) {
            buf_put(buf, addresses[i]->b, sizeof addresses[i]->b);
        } else {
            buf_put_u8(buf, bytes[i - TUPLE_ICMP_TYPE]);
        }
        wire_end_property(buf, mark);
    }
    wire_end_property(buf, outer);
}

int
ct_flush_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                const struct of_message *msg)
{
    const struct of_ct_flush *flush = &msg->ct_flush;

    buf_put_u8(buf, flush->ip_proto);
    buf_put_zeros(buf, 7);
    for (uint16_t i = FLUSH_ORIGINAL; i <= FLUSH_REPLY; i++) {
        if (flush->tuples[i].parts) {
            put_tuple(buf, i, &flush->tuples[i]);
        }
    }
    if (flush->has_zone) {
        put_u16_property(buf, FLUSH_ZONE, flush->zone);
    }
    return 0;
}
