/* Groups: group-mod, statistics, descriptions, features. */
#include <stdlib.h>

#include "openflow/wire_action.h"
#include "openflow/wire_group.h"
#include "openflow/wire_multipart.h"

/* 1.5 gave buckets numbers and properties. */
enum { PROPERTY_WEIGHT = 0, PROPERTY_WATCH_PORT = 1,
       PROPERTY_WATCH_GROUP = 2 };
#define MAX_BUCKET_ID UINT32_C(0xffffff00)

/* Open vSwitch's command, in all versions. */
enum { WIRE_INSERT_BUCKET = 3, WIRE_REMOVE_BUCKET = 5,
       WIRE_ADD_OR_MODIFY = 0x8000 };

/* ---- Buckets ---- */

static enum of_error
bad_bucket(struct str *why, unsigned int len)
{
    str_setf(why, "a bucket of %u bytes", len);
    return OF_GROUP_MOD_FAILED_BAD_BUCKET;
}

static enum of_error
decode_of13(enum of_version version, struct cursor *c, struct bucket *bucket,
            struct str *why)
{
    bucket->weight = cursor_u16(c);
    bucket->watch_port = cursor_u32(c);
    bucket->watch_group = cursor_u32(c);
    cursor_skip(c, 4);
    return cursor_overrun(c) ? bad_bucket(why, 0)
           : actions_decode(version, c, &bucket->actions, NULL, why);
}

/* Nicira's form for 1.0 is 1.5's with 1.0's actions. */
static enum of_error
decode_of15(enum of_version version, enum group_type type, struct cursor *c,
            struct bucket *bucket, struct str *why)
{
    uint16_t actions_len = cursor_u16(c);
    struct wire_property prop;
    struct cursor actions;
    enum of_error error, bad;

    bucket->id = cursor_u32(c);
    bucket->weight = type == GROUP_SELECT;
    bucket->watch_port = OFPP_ANY;
    bucket->watch_group = OFPG_ANY;
    actions = cursor_sub(c, actions_len);
    if (cursor_overrun(c)) {
        return bad_bucket(why, actions_len);
    }
    if (bucket->id > MAX_BUCKET_ID) {
        str_setf(why, "bucket id 0x%x", bucket->id);
        return OF_GROUP_MOD_FAILED_BAD_BUCKET;
    }
    bad = actions_decode(version, &actions, &bucket->actions, NULL, why);
    while (!bad && wire_next_property(c, &prop, &error)) {
        switch (prop.type) {
        case PROPERTY_WEIGHT:
            bucket->weight = cursor_u16(&prop.body);
            break;
        case PROPERTY_WATCH_PORT:
            bucket->watch_port = cursor_u32(&prop.body);
            break;
        case PROPERTY_WATCH_GROUP:
            bucket->watch_group = cursor_u32(&prop.body);
            break;
        default:
            return wire_unknown_property(&prop, why);
        }
        bad = cursor_overrun(&prop.body) ? OF_BAD_PROPERTY_BAD_LEN : OF_OK;
    }
    return bad ? bad : error;
}

static enum of_error
decode_buckets(enum of_version version, bool is_15, struct cursor *c,
               struct group_mod *gm, struct str *why)
{
    while (cursor_left(c)) {
        uint16_t len = cursor_u16(c);
        struct bucket *bucket;
        struct cursor body;
        enum of_error error;

        if (len < 8 || len % 8 || len - 2u > cursor_left(c)) {
            return bad_bucket(why, len);
        }
        body = cursor_sub(c, len - 2u);
        gm->buckets = xrealloc(gm->buckets,
                               (gm->n_buckets + 1) * sizeof *gm->buckets);
        bucket = &gm->buckets[gm->n_buckets];
        memset(bucket, 0, sizeof *bucket);
        bucket->id = gm->n_buckets++;
        error = is_15 ? decode_of15(version, gm->type, &body, bucket, why)
                : decode_of13(version, &body, bucket, why);
        if (error) {
            return error;
        }
    }
    return OF_OK;
}

static bool
encode_of13(struct buf *buf, enum of_version version,
            const struct bucket *bucket)
{
    size_t mark = buf->len;
    bool all;

    buf_put_u16(buf, 0);
    buf_put_u16(buf, bucket->weight);
    buf_put_u32(buf, bucket->watch_port);
    buf_put_u32(buf, bucket->watch_group);
    buf_put_u32(buf, 0);
    all = actions_encode(buf, version, actions_list(&bucket->actions));
    buf_patch_u16(buf, mark, (uint16_t) (buf->len - mark));
    return all && buf->len - mark <= ACTION_MAX_LEN;
}

static void
put_property_u32(struct buf *buf, uint16_t type, uint32_t value)
{
    size_t mark = wire_begin_property(buf, type);

    buf_put_u32(buf, value);
    wire_end_property(buf, mark);
}

static bool
encode_of15(struct buf *buf, enum of_version version, enum group_type type,
            const struct bucket *bucket)
{
    size_t mark = buf->len, actions_ofs, property;
    bool all;

    buf_put_u32(buf, 0);
    buf_put_u32(buf, bucket->id);
    actions_ofs = buf->len;
    all = actions_encode(buf, version, actions_list(&bucket->actions));
    buf_patch_u16(buf, mark + 2, (uint16_t) (buf->len - actions_ofs));
    if (bucket->weight || type == GROUP_SELECT) {
        property = wire_begin_property(buf, PROPERTY_WEIGHT);
        buf_put_u16(buf, bucket->weight);
        buf_put_u16(buf, 0);
        wire_end_property(buf, property);
    }
    if (bucket->watch_port != OFPP_ANY) {
        put_property_u32(buf, PROPERTY_WATCH_PORT, bucket->watch_port);
    }
    if (bucket->watch_group != OFPG_ANY) {
        put_property_u32(buf, PROPERTY_WATCH_GROUP, bucket->watch_group);
    }
    buf_patch_u16(buf, mark, (uint16_t) (buf->len - mark));
    return all && buf->len - mark <= ACTION_MAX_LEN;
}

static bool
encode_buckets(struct buf *buf, enum of_version version, bool is_15,
               const struct group_mod *gm)
{
    bool all = true;

    for (unsigned int i = 0; i < gm->n_buckets; i++) {
        const struct bucket *bucket = &gm->buckets[i];

        all = (is_15 ? encode_of15(buf, version, gm->type, bucket)
               : encode_of13(buf, version, bucket)) && all;
    }
    return all;
}

/* ---- Group-mod ---- */

static enum of_error
set_command(bool is_15, uint16_t command, struct group_mod *gm,
            struct str *why)
{
    if (command <= GROUP_MOD_DELETE) {
        gm->command = command;
    } else if (command == WIRE_ADD_OR_MODIFY) {
        gm->command = GROUP_MOD_ADD_OR_MODIFY;
    } else if (is_15 && command == WIRE_INSERT_BUCKET) {
        gm->command = GROUP_MOD_INSERT_BUCKET;
    } else if (is_15 && command == WIRE_REMOVE_BUCKET) {
        gm->command = GROUP_MOD_REMOVE_BUCKET;
    } else {
        str_setf(why, "group command %u", command);
        return OF_GROUP_MOD_FAILED_BAD_COMMAND;
    }
    return OF_OK;
}

static enum of_error
decode_buckets_of15(enum of_version version, struct cursor *c, uint16_t len,
                    struct group_mod *gm, struct str *why)
{
    struct cursor buckets = cursor_sub(c, len);
    enum of_error error;

    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    error = decode_buckets(version, true, &buckets, gm, why);
    return error ? error : group_selection_decode(c, gm, why);
}

static bool
has_place(const struct group_mod *gm)
{
    return gm->command == GROUP_MOD_INSERT_BUCKET
           || gm->command == GROUP_MOD_REMOVE_BUCKET;
}

static enum of_error
decode_group_mod(enum of_version version, bool is_15, struct cursor *c,
                 struct group_mod *gm, struct str *why)
{
    uint16_t command = cursor_u16(c), buckets_len = 0;
    uint8_t type = cursor_u8(c);
    enum of_error error;

    cursor_skip(c, 1);
    gm->id = cursor_u32(c);
    if (is_15) {
        buckets_len = cursor_u16(c);
        cursor_skip(c, 2);
        gm->command_bucket = cursor_u32(c);
    }
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    error = set_command(is_15, command, gm, why);
    if (!error && type > GROUP_FAST_FAILOVER
        && gm->command != GROUP_MOD_DELETE) {
        str_setf(why, "a group of type %u", type);
        error = OF_GROUP_MOD_FAILED_BAD_TYPE;
    }
    if (error) {
        return error;
    }
    gm->type = gm->command == GROUP_MOD_DELETE ? GROUP_ALL : type;
    if (is_15 && !has_place(gm) && gm->command_bucket != BUCKET_ALL) {
        str_setf(why, "bucket %u: the command is for the whole group",
                 gm->command_bucket);
        return OF_GROUP_MOD_FAILED_BAD_BUCKET;
    }
    if (gm->command == GROUP_MOD_REMOVE_BUCKET && buckets_len) {
        str_setf(why, "a bucket is removed by its id alone");
        return OF_GROUP_MOD_FAILED_BAD_BUCKET;
    }
    if (!has_place(gm)) {
        gm->command_bucket = 0;
    }
    return is_15 ? decode_buckets_of15(version, c, buckets_len, gm, why)
           : decode_buckets(version, false, c, gm, why);
}

enum of_error
group_mod_decode(const struct of_protocol *p, struct cursor *c,
                 struct of_message *msg, struct str *why)
{
    return decode_group_mod(p->version, p->version >= OF15, c,
                            &msg->group_mod, why);
}

enum of_error
group_mod_nx_decode(const struct of_protocol *p, struct cursor *c,
                    struct of_message *msg, struct str *why)
{
    return decode_group_mod(p->version, true, c, &msg->group_mod, why);
}

static int
encode_group_mod(struct buf *buf, enum of_version version, bool is_15,
                 const struct group_mod *gm)
{
    static const uint16_t commands[] = {
        [GROUP_MOD_ADD] = 0, [GROUP_MOD_MODIFY] = 1, [GROUP_MOD_DELETE] = 2,
        [GROUP_MOD_ADD_OR_MODIFY] = WIRE_ADD_OR_MODIFY,
        [GROUP_MOD_INSERT_BUCKET] = WIRE_INSERT_BUCKET,
        [GROUP_MOD_REMOVE_BUCKET] = WIRE_REMOVE_BUCKET,
    };
    size_t len_ofs, buckets_ofs;

    if (!is_15 && (has_place(gm) || gm->selection.method[0])) {
        return -EOPNOTSUPP;
    }
    buf_put_u16(buf, commands[gm->command]);
    buf_put_u8(buf, (uint8_t) gm->type);
    buf_put_u8(buf, 0);
    buf_put_u32(buf, gm->id);
    len_ofs = buf->len;
    if (is_15) {
        buf_put_u32(buf, 0);
        buf_put_u32(buf, has_place(gm) ? gm->command_bucket : BUCKET_ALL);
    }
    buckets_ofs = buf->len;
    if (!encode_buckets(buf, version, is_15, gm)
        || buf->len - buckets_ofs > UINT16_MAX) {
        return -EOPNOTSUPP;
    }
    if (is_15) {
        buf_patch_u16(buf, len_ofs, (uint16_t) (buf->len - buckets_ofs));
        group_selection_encode(buf, version, &gm->selection);
    }
    return 0;
}

int
group_mod_encode(struct buf *buf, const struct of_protocol *p,
                 const struct of_message *msg)
{
    return encode_group_mod(buf, p->version, p->version >= OF15,
                            &msg->group_mod);
}

int
group_mod_nx_encode(struct buf *buf, const struct of_protocol *p,
                    const struct of_message *msg)
{
    return encode_group_mod(buf, p->version, true, &msg->group_mod);
}

/* ---- Replies ---- */

void
of_reply_group_stats(struct of_reply *r, const struct of_group_stats *g)
{
    size_t mark = reply_begin_item(r);

    buf_put_u32(r->buf, 0);
    buf_put_u32(r->buf, g->id);
    buf_put_u32(r->buf, g->ref_count);
    buf_put_u32(r->buf, 0);
    buf_put_u64(r->buf, g->total.packets);
    buf_put_u64(r->buf, g->total.bytes);
    buf_put_u32(r->buf, g->duration_sec);
    buf_put_u32(r->buf, g->duration_nsec);
    for (unsigned int i = 0; i < g->n_buckets; i++) {
        buf_put_u64(r->buf, g->buckets[i].packets);
        buf_put_u64(r->buf, g->buckets[i].bytes);
    }
    buf_patch_u16(r->buf, mark, (uint16_t) (r->buf->len - mark));
    reply_end_item(r, mark);
}

void
of_reply_group_desc(struct of_reply *r, const struct group_mod *gm)
{
    enum of_version version = r->protocol->version;
    bool is_15 = version >= OF15 || r->is_nicira;
    size_t mark = reply_begin_item(r), buckets_ofs;

    buf_put_u16(r->buf, 0);
    buf_put_u8(r->buf, (uint8_t) gm->type);
    buf_put_u8(r->buf, 0);
    buf_put_u32(r->buf, gm->id);
    buf_put_zeros(r->buf, is_15 ? 8 : 0);
    buckets_ofs = r->buf->len;
    encode_buckets(r->buf, version, is_15, gm);
    if (is_15) {
        buf_patch_u16(r->buf, mark + 8,
                      (uint16_t) (r->buf->len - buckets_ofs));
        group_selection_encode(r->buf, version, &gm->selection);
    }
    buf_patch_u16(r->buf, mark, (uint16_t) (r->buf->len - mark));
    reply_end_item(r, mark);
}

/* Which bit of 1.3's standard each of our actions is. */
static uint32_t
action_bits(enum of_version version, uint64_t actions)
{
    static const struct {
        enum action_type action;
        uint8_t bit;
    } rows[] = {
        { ACTION_OUTPUT, 0 }, { ACTION_COPY_TTL_OUT, 11 },
        { ACTION_COPY_TTL_IN, 12 }, { ACTION_DEC_MPLS_TTL, 16 },
        { ACTION_PUSH_VLAN, 17 }, { ACTION_POP_VLAN, 18 },
        { ACTION_PUSH_MPLS, 19 }, { ACTION_POP_MPLS, 20 },
        { ACTION_SET_FIELD, 15 }, { ACTION_SET_FIELD, 23 },   /* TTLs */
        { ACTION_SET_QUEUE, 21 }, { ACTION_GROUP, 22 },
        { ACTION_DEC_TTL, 24 }, { ACTION_SET_FIELD, 25 },
        { ACTION_PUSH_PBB, 26 }, { ACTION_POP_PBB, 27 },
        { ACTION_MOVE, 28 }, { ACTION_METER, 29 },
    };
    uint32_t bits = 0;

    if (version == OF10) {
        return OF10_ACTIONS;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (actions >> rows[i].action & 1
            && (version >= OF15 || rows[i].bit < 28)) {
            bits |= UINT32_C(1) << rows[i].bit;
        }
    }
    return bits;
}

void
of_reply_group_features(struct of_reply *r,
                        const struct of_group_features *f)
{
    size_t mark = reply_begin_item(r);

    buf_put_u32(r->buf, f->types);
    buf_put_u32(r->buf, f->capabilities);
    for (unsigned int i = 0; i < 4; i++) {
        buf_put_u32(r->buf, f->max_groups[i]);
    }
    for (unsigned int i = 0; i < 4; i++) {
        buf_put_u32(r->buf, action_bits(r->protocol->version,
                                        f->actions[i]));
    }
    reply_end_item(r, mark);
}
