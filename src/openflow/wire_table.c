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

static void
put_desc(struct buf *buf, const struct of_table_mod *tm)
{
    size_t start = buf->len;

    buf_put_u16(buf, 0);
    buf_put_u8(buf, tm->table);
    buf_put_u8(buf, 0);
    buf_put_u32(buf, tm->config);
    put_properties(buf, tm);
    buf_patch_u16(buf, start, (uint16_t) (buf->len - start));
}

void
of_reply_table_desc(struct of_reply *r, const struct of_table_mod *tm)
{
    size_t mark = reply_begin_item(r);

    put_desc(r->buf, tm);
    reply_end_item(r, mark);
}

/* ---- Status ---- */

enum of_error
table_status_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                    struct of_message *msg, struct str *why)
{
    struct of_table_mod *tm = &msg->table_status.desc;
    uint8_t reason = cursor_u8(c);
    struct cursor desc;
    uint16_t len;

    cursor_skip(c, 7);
    len = cursor_u16(c);
    if (cursor_overrun(c) || len < 8 || len - 2u > cursor_left(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if (reason != TABLE_VACANCY_DOWN && reason != TABLE_VACANCY_UP) {
        str_setf(why, "unknown reason %u", reason);
        return OF_BAD_REQUEST_BAD_TYPE;
    }
    msg->table_status.reason = reason;
    desc = cursor_sub(c, len - 2u);
    tm->table = cursor_u8(&desc);
    cursor_skip(&desc, 1);
    tm->config = cursor_u32(&desc);
    return decode_properties(&desc, tm, why);
}

int
table_status_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                    const struct of_message *msg)
{
    buf_put_u8(buf, (uint8_t) msg->table_status.reason);
    buf_put_zeros(buf, 7);
    put_desc(buf, &msg->table_status.desc);
    return 0;
}

/* ---- Features: what every table can do, on its side of egress ---- */

enum {
    FEATURE_INSTRUCTIONS = 0, FEATURE_NEXT_TABLES = 2,
    FEATURE_WRITE_ACTIONS = 4, FEATURE_APPLY_ACTIONS = 6,
    FEATURE_MATCH = 8, FEATURE_WILDCARDS = 10, FEATURE_WRITE_SET = 12,
    FEATURE_APPLY_SET = 14,
};

enum { INSTRUCTION_GOTO = 1, TYPE_OUTPUT = 0, TYPE_GROUP = 22 };

/* Types in 1.3+'s standard; 28 and 29 came with 1.5. */
static const uint16_t action_types[] = { 0, 11, 12, 15, 16, 17, 18, 19, 20,
                                         21, 22, 23, 24, 25, 26, 27, 28,
                                         29 };

static void
put_id(struct buf *buf, uint16_t id)
{
    buf_put_u16(buf, id);
    buf_put_u16(buf, 4);
}

static bool
is_egress(const struct of_table_features *t)
{
    return t->table >= t->first_egress;
}

/* goto_table does not lead beyond. */
static unsigned int
last_table(const struct of_table_features *t)
{
    return is_egress(t) || t->first_egress == OFPTT_ALL
           ? OFPTT_MAX : t->first_egress - 1u;
}

static void
put_instructions(struct buf *buf, enum of_version version,
                 const struct of_table_features *t)
{
    static const uint16_t ids[] = { 3, 4, 5, 2, INSTRUCTION_GOTO };
    size_t mark = wire_begin_property(buf, FEATURE_INSTRUCTIONS);

    /* In 1.5 a meter is an action, and triggers came. */
    put_id(buf, version >= OF15 ? 7 : 6);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        if (ids[i] != INSTRUCTION_GOTO || t->table < last_table(t)) {
            put_id(buf, ids[i]);
        }
    }
    wire_end_property(buf, mark);
}

static void
put_next_tables(struct buf *buf, const struct of_table_features *t)
{
    size_t mark = wire_begin_property(buf, FEATURE_NEXT_TABLES);

    for (unsigned int next = t->table + 1u; next <= last_table(t); next++) {
        buf_put_u8(buf, (uint8_t) next);
    }
    wire_end_property(buf, mark);
}

static void
put_actions(struct buf *buf, enum of_version version, uint16_t property,
            bool with_outputs)
{
    size_t n = ARRAY_SIZE(action_types) - (version >= OF15 ? 0 : 2);
    size_t mark = wire_begin_property(buf, property);

    for (size_t i = 0; i < n; i++) {
        if (with_outputs || (action_types[i] != TYPE_OUTPUT
                             && action_types[i] != TYPE_GROUP)) {
            put_id(buf, action_types[i]);
        }
    }
    wire_end_property(buf, mark);
}

static void
put_fields(struct buf *buf, enum of_version version, uint16_t property,
           bool with_mask)
{
    size_t mark = wire_begin_property(buf, property);

    for (unsigned int i = 0; i < N_FIELDS; i++) {
        const struct field *field = field_by_id(i);
        size_t at = buf->len;

        if (field_header_encode(buf, version, field) && with_mask
            && field->flags & FIELD_MASKABLE) {
            buf->data[at + 2] |= 1;
            buf->data[at + 3] = (uint8_t) (2 * buf->data[at + 3]);
        }
    }
    wire_end_property(buf, mark);
}

static void
put_set_fields(struct buf *buf, enum of_version version, uint16_t property)
{
    size_t mark = wire_begin_property(buf, property);
    unsigned int n_bytes;

    for (unsigned int i = 0; i < N_FIELDS; i++) {
        const struct field *field = field_by_id(i);

        if (field->flags & FIELD_WRITABLE) {
            (void) set_header_encode(buf, version, field, &n_bytes);
        }
    }
    wire_end_property(buf, mark);
}

static void
put_properties_of(struct buf *buf, enum of_version version,
                  const struct of_table_features *t)
{
    put_instructions(buf, version, t);
    put_next_tables(buf, t);
    put_actions(buf, version, FEATURE_WRITE_ACTIONS, !is_egress(t));
    put_actions(buf, version, FEATURE_APPLY_ACTIONS, true);
    put_fields(buf, version, FEATURE_MATCH, true);
    put_fields(buf, version, FEATURE_WILDCARDS, false);
    put_set_fields(buf, version, FEATURE_WRITE_SET);
    put_set_fields(buf, version, FEATURE_APPLY_SET);
}

void
of_reply_table_features(struct of_reply *r,
                        const struct of_table_features *t)
{
    enum of_version version = r->protocol->version;
    size_t mark = reply_begin_item(r);
    struct buf *buf = r->buf;

    buf_put_u16(buf, 0);
    buf_put_u8(buf, t->table);
    buf_put_u8(buf, 0);
    buf_put_u32(buf, version >= OF15 ? t->features : 0);
    wire_text_encode(buf, t->name, sizeof t->name);
    buf_put_u64(buf, UINT64_MAX);
    buf_put_u64(buf, UINT64_MAX);
    buf_put_u32(buf, version >= OF14 ? t->config : 0);
    buf_put_u32(buf, t->max_entries);
    put_properties_of(buf, version, t);
    buf_patch_u16(buf, mark, (uint16_t) (buf->len - mark));
    reply_end_item(r, mark);
}

/* Properties that are there must be ours, byte by byte. */
static bool
properties_differ(enum of_version version, const struct of_table_features *t,
                  struct of_bytes given)
{
    struct buf ours = BUF_INIT;
    bool differ;

    put_properties_of(&ours, version, t);
    differ = given.len && (given.len != ours.len
                           || memcmp(given.data, ours.data, ours.len));
    buf_fini(&ours);
    return differ;
}

bool
of_table_features_next(const struct of_protocol *p, uint8_t first_egress,
                       struct of_bytes *body, struct of_table_features *t,
                       enum of_error *error)
{
    enum { BEFORE_PROPERTIES = 64 };
    struct cursor c = cursor_init(body->data, body->len), item;
    uint16_t len;

    *error = OF_OK;
    if (!body->len) {
        return false;
    }
    len = cursor_u16(&c);
    if (cursor_overrun(&c) || len < BEFORE_PROPERTIES || len % 8
        || len - 2u > cursor_left(&c)) {
        *error = OF_BAD_REQUEST_BAD_LEN;
        return false;
    }
    item = cursor_sub(&c, len - 2u);
    memset(t, 0, sizeof *t);
    t->first_egress = first_egress;
    t->table = cursor_u8(&item);
    t->command = cursor_u8(&item);
    t->features = cursor_u32(&item);
    wire_text_decode(&item, t->name, sizeof t->name);
    t->metadata_match = cursor_u64(&item);
    t->metadata_write = cursor_u64(&item);
    t->config = cursor_u32(&item);
    t->max_entries = cursor_u32(&item);
    t->has_others = properties_differ(p->version, t, wire_rest(&item));
    *body = wire_rest(&c);
    return true;
}
