/* Tables: table-mod, descriptions and features. */
#include "openflow/wire_match.h"
#include "openflow/wire_multipart.h"

enum { PROPERTY_EVICTION = 2, PROPERTY_VACANCY = 3 };

static enum of_error
decode_properties(struct cursor *c, struct of_table_mod *tm, struct str *why)
{
    struct wire_property prop;
    enum of_error error;

    while (wire_next_property(c, &prop, &error)) {
        if (prop.type == PROPERTY_EVICTION) {
            tm->has_eviction = true;
            tm->eviction_flags = cursor_u32(&prop.body);
        } else if (prop.type == PROPERTY_VACANCY) {
            tm->has_vacancy = true;
            tm->vacancy_down = cursor_u8(&prop.body);
            tm->vacancy_up = cursor_u8(&prop.body);
            tm->vacancy = cursor_u8(&prop.body);
            cursor_skip(&prop.body, 1);
        } else {
            return wire_unknown_property(&prop, why);
        }
        if (cursor_overrun(&prop.body) || cursor_left(&prop.body)) {
            return OF_BAD_PROPERTY_BAD_LEN;
        }
    }
    return error;
}

enum of_error
table_mod_decode(const struct of_protocol *p, struct cursor *c,
                 struct of_message *msg, struct str *why)
{
    struct of_table_mod *tm = &msg->table_mod;
    uint32_t known = p->version == OF13 ? 3
                     : TABLE_CONFIG_EVICTION | TABLE_CONFIG_VACANCY;

    tm->table = cursor_u8(c);
    cursor_skip(c, 3);
    tm->config = cursor_u32(c);
    if (tm->config & ~known) {
        str_setf(why, "unknown table configuration 0x%x", tm->config);
        return OF_TABLE_MOD_FAILED_BAD_CONFIG;
    }
    return p->version == OF13 ? OF_OK : decode_properties(c, tm, why);
}

static void
put_properties(struct buf *buf, const struct of_table_mod *tm)
{
    size_t mark;

    if (tm->has_eviction) {
        mark = wire_begin_property(buf, PROPERTY_EVICTION);
        buf_put_u32(buf, tm->eviction_flags);
        wire_end_property(buf, mark);
    }
    if (tm->has_vacancy) {
        mark = wire_begin_property(buf, PROPERTY_VACANCY);
        buf_put_u8(buf, tm->vacancy_down);
        buf_put_u8(buf, tm->vacancy_up);
        buf_put_u8(buf, tm->vacancy);
        buf_put_u8(buf, 0);
        wire_end_property(buf, mark);
    }
}

int
table_mod_encode(struct buf *buf, const struct of_protocol *p,
                 const struct of_message *msg)
{
    const struct of_table_mod *tm = &msg->table_mod;

    buf_put_u8(buf, tm->table);
    buf_put_zeros(buf, 3);
    buf_put_u32(buf, tm->config);
    if (p->version >= OF14) {
        put_properties(buf, tm);
    }
    return 0;
}

void
of_reply_table_desc(struct of_reply *r, const struct of_table_mod *tm)
{
    size_t mark = reply_begin_item(r);

    buf_put_u16(r->buf, 0);
    buf_put_u8(r->buf, tm->table);
    buf_put_u8(r->buf, 0);
    buf_put_u32(r->buf, tm->config);
    put_properties(r->buf, tm);
    buf_patch_u16(r->buf, mark, (uint16_t) (r->buf->len - mark));
    reply_end_item(r, mark);
}

/* ---- Features: what every table can do ---- */

enum {
    FEATURE_INSTRUCTIONS = 0, FEATURE_NEXT_TABLES = 2,
    FEATURE_WRITE_ACTIONS = 4, FEATURE_APPLY_ACTIONS = 6,
    FEATURE_MATCH = 8, FEATURE_WILDCARDS = 10, FEATURE_WRITE_SET = 12,
    FEATURE_APPLY_SET = 14,
};

/* Types in 1.3+'s standard; 28 and 29 came with 1.5. */
static const uint16_t action_types[] = { 0, 11, 12, 15, 16, 17, 18, 19, 20,
                                         21, 22, 23, 24, 25, 28, 29 };

static void
put_ids(struct buf *buf, uint16_t property, const uint16_t *ids, size_t n)
{
    size_t mark = wire_begin_property(buf, property);

    for (size_t i = 0; i < n; i++) {
        buf_put_u16(buf, ids[i]);
        buf_put_u16(buf, 4);
    }
    wire_end_property(buf, mark);
}

static void
put_next_tables(struct buf *buf, uint8_t table)
{
    size_t mark = wire_begin_property(buf, FEATURE_NEXT_TABLES);

    for (unsigned int next = table + 1u; next <= OFPTT_MAX; next++) {
        buf_put_u8(buf, (uint8_t) next);
    }
    wire_end_property(buf, mark);
}

static void
put_fields(struct buf *buf, enum of_version version, uint16_t property,
           unsigned int flags, bool with_mask)
{
    size_t mark = wire_begin_property(buf, property);

    for (unsigned int i = 0; i < N_FIELDS; i++) {
        const struct field *field = field_by_id(i);
        size_t at = buf->len;

        if ((field->flags & flags) == flags
            && field_header_encode(buf, version, field) && with_mask
            && field->flags & FIELD_MASKABLE) {
            buf->data[at + 2] |= 1;
            buf->data[at + 3] = (uint8_t) (2 * buf->data[at + 3]);
        }
    }
    wire_end_property(buf, mark);
}

void
of_reply_table_features(struct of_reply *r,
                        const struct of_table_features *t)
{
    static const uint16_t instructions[] = { 6, 3, 4, 5, 2, 1 };
    enum of_version version = r->protocol->version;
    size_t n_actions = ARRAY_SIZE(action_types) - (version >= OF15 ? 0 : 2);
    size_t first = version >= OF15;         /* where a meter is an action */
    size_t n_instructions = ARRAY_SIZE(instructions) - first
                            - (t->table == OFPTT_MAX);
    size_t mark = reply_begin_item(r);
    struct buf *buf = r->buf;

    buf_put_u16(buf, 0);
    buf_put_u8(buf, t->table);
    buf_put_zeros(buf, 5);
    wire_text_encode(buf, t->name, sizeof t->name);
    buf_put_u64(buf, UINT64_MAX);
    buf_put_u64(buf, UINT64_MAX);
    buf_put_u32(buf, t->config);
    buf_put_u32(buf, t->max_entries);
    put_ids(buf, FEATURE_INSTRUCTIONS, instructions + first, n_instructions);
    put_next_tables(buf, t->table);
    put_ids(buf, FEATURE_WRITE_ACTIONS, action_types, n_actions);
    put_ids(buf, FEATURE_APPLY_ACTIONS, action_types, n_actions);
    put_fields(buf, version, FEATURE_MATCH, 0, true);
    put_fields(buf, version, FEATURE_WILDCARDS, 0, false);
    put_fields(buf, version, FEATURE_WRITE_SET, FIELD_WRITABLE, false);
    put_fields(buf, version, FEATURE_APPLY_SET, FIELD_WRITABLE, false);
    buf_patch_u16(buf, mark, (uint16_t) (buf->len - mark));
    reply_end_item(r, mark);
}
