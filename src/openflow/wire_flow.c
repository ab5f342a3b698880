/* Flow-mods and flow-removed. */
#include "openflow/wire_action.h"
#include "openflow/wire_match.h"

/* ---- Flow-mod ---- */

static bool
is_delete(const struct flow_mod *fm)
{
    return fm->command == FLOW_MOD_DELETE
           || fm->command == FLOW_MOD_DELETE_STRICT;
}

static enum of_error
set_command(struct flow_mod *fm, unsigned int command, struct str *why)
{
    if (command > FLOW_MOD_DELETE_STRICT) {
        str_setf(why, "unknown flow-mod command %u", command);
        return OF_FLOW_MOD_FAILED_BAD_COMMAND;
    }
    fm->command = command;
    return OF_OK;
}

/* Nothing is ever buffered here.  Deletes do not use the buffer. */
static enum of_error
check_buffer(const struct flow_mod *fm, uint32_t buffer_id, struct str *why)
{
    if (buffer_id == OF_NO_BUFFER || is_delete(fm)) {
        return OF_OK;
    }
    str_setf(why, "there is no buffer %u", buffer_id);
    return OF_BAD_REQUEST_BUFFER_UNKNOWN;
}

static enum of_error
check_flags(struct flow_mod *fm, unsigned int flags, unsigned int known,
            struct str *why)
{
    if (flags & ~known) {
        str_setf(why, "unknown flow-mod flags 0x%x", flags & ~known);
        return OF_FLOW_MOD_FAILED_BAD_FLAGS;
    }
    fm->flags = flags;
    return OF_OK;
}

/* Fields that a command does not use are as if they were not there. */
static void
normalize(struct flow_mod *fm)
{
    if (is_delete(fm)) {
        fm->idle_timeout = fm->hard_timeout = fm->importance = 0;
        fm->flags = 0;
        actions_clear(&fm->storage[0]);
        actions_clear(&fm->storage[1]);
        memset(&fm->instructions, 0, sizeof fm->instructions);
    } else {
        fm->out_port = OFPP_ANY;
        fm->out_group = OFPG_ANY;
    }
    flow_mod_seal(fm);
}

/* What follows the match in 1.0 and precedes it in Nicira's form. */
static enum of_error
decode_of10_middle(const struct of_protocol *p, struct cursor *c,
                   struct flow_mod *fm, struct str *why)
{
    enum { OF10_EMERG = 1 << 2 }; /* for while no controller is connected */
    unsigned int known = FLOW_MOD_SEND_FLOW_REM | FLOW_MOD_CHECK_OVERLAP;
    uint16_t command, flags;
    uint32_t buffer_id;
    enum of_error error;

    fm->cookie = htobe64(cursor_u64(c));
    command = cursor_u16(c);
    fm->idle_timeout = cursor_u16(c);
    fm->hard_timeout = cursor_u16(c);
    fm->priority = cursor_u16(c);
    buffer_id = cursor_u32(c);
    fm->out_port = port_from_of10(cursor_u16(c));
    flags = cursor_u16(c);
    error = check_flags(fm, flags, known, why);
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if (flags & OF10_EMERG) {
        str_setf(why, "there is no room for emergency entries");
        return OF_FLOW_MOD_FAILED_TABLE_FULL;
    }
    fm->table = p->flow_mod_table_id ? (uint8_t) (command >> 8) : OFPTT_ALL;
    error = error ? error
            : set_command(fm, p->flow_mod_table_id ? command & 0xff : command,
                          why);
    if (!error && fm->command == FLOW_MOD_ADD && !p->flow_mod_table_id) {
        fm->table = 0;
    }
    return error ? error : check_buffer(fm, buffer_id, why);
}

/* 1.0's modify adds what is not there, and gives what it changes a cookie; all
 * ones: leaves the cookie that it has.  `filter` comes from Nicira's form. */
static void
set_of10_cookie(struct flow_mod *fm, struct match_cookie filter)
{
    bool is_modify = fm->command == FLOW_MOD_MODIFY
                     || fm->command == FLOW_MOD_MODIFY_STRICT;

    if (is_modify) {
        fm->modify_cookie = fm->cookie != UINT64_MAX;
        fm->add_if_absent = fm->modify_cookie && !filter.mask;
        fm->new_cookie = fm->modify_cookie ? fm->cookie : 0;
    }
    if (is_delete(fm) || filter.mask) {
        fm->cookie = filter.cookie & filter.mask;
        fm->cookie_mask = filter.mask;
    }
}

enum of_error
flow_mod_of10_decode(const struct of_protocol *p, struct cursor *c,
                     struct of_message *msg, struct str *why)
{
    struct flow_mod *fm = &msg->flow_mod;
    enum of_error error;

    flow_mod_init(fm);
    error = match_of10_decode(c, &fm->match, why);
    error = error ? error : decode_of10_middle(p, c, fm, why);
    error = error ? error : instructions_decode(OF10, c, fm, why);
    if (!error) {
        set_of10_cookie(fm, (struct match_cookie) { 0, 0 });
        normalize(fm);
    }
    return error;
}

enum of_error
flow_mod_nxm_decode(const struct of_protocol *p, struct cursor *c,
                    struct of_message *msg, struct str *why)
{
    struct flow_mod *fm = &msg->flow_mod;
    struct match_cookie filter = { 0, 0 };
    enum of_error error;
    uint16_t match_len;

    flow_mod_init(fm);
    error = decode_of10_middle(p, c, fm, why);
    match_len = cursor_u16(c);
    cursor_skip(c, 6);
    error = error ? error : match_nxm_decode(c, match_len, &fm->match,
                                             &filter, why);
    error = error ? error : instructions_decode(OF10, c, fm, why);
    if (!error) {
        set_of10_cookie(fm, fm->command == FLOW_MOD_ADD
                                ? (struct match_cookie) { 0, 0 } : filter);
        normalize(fm);
    }
    return error;
}

enum of_error
flow_mod_decode(const struct of_protocol *p, struct cursor *c,
                struct of_message *msg, struct str *why)
{
    struct flow_mod *fm = &msg->flow_mod;
    unsigned int known = FLOW_MOD_SEND_FLOW_REM | FLOW_MOD_CHECK_OVERLAP
                         | FLOW_MOD_RESET_COUNTS | FLOW_MOD_NO_PKT_COUNTS
                         | FLOW_MOD_NO_BYT_COUNTS;
    uint32_t buffer_id;
    enum of_error error;

    flow_mod_init(fm);
    fm->cookie = htobe64(cursor_u64(c));
    fm->cookie_mask = htobe64(cursor_u64(c));
    fm->table = cursor_u8(c);
    error = set_command(fm, cursor_u8(c), why);
    fm->idle_timeout = cursor_u16(c);
    fm->hard_timeout = cursor_u16(c);
    fm->priority = cursor_u16(c);
    buffer_id = cursor_u32(c);
    fm->out_port = cursor_u32(c);
    fm->out_group = cursor_u32(c);
    error = error ? error : check_flags(fm, cursor_u16(c), known, why);
    fm->importance = cursor_u16(c);
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if (!error && fm->table == OFPTT_ALL && !is_delete(fm)) {
        str_setf(why, "all tables: only a deletion may say so");
        error = OF_FLOW_MOD_FAILED_BAD_TABLE_ID;
    }
    fm->importance = p->version >= OF14 ? fm->importance : 0;
    error = error ? error : match_oxm_decode(c, true, &fm->match, why);
    error = error ? error : instructions_decode(p->version, c, fm, why);
    error = error ? error : check_buffer(fm, buffer_id, why);
    if (fm->command == FLOW_MOD_ADD) {
        fm->cookie_mask = 0;
    } else {
        fm->cookie &= fm->cookie_mask;
    }
    normalize(fm);
    return error;
}

/* Nicira's form has the filter elsewhere. */
static be64
of10_cookie(const struct flow_mod *fm)
{
    bool is_modify = fm->command == FLOW_MOD_MODIFY
                     || fm->command == FLOW_MOD_MODIFY_STRICT;

    return is_modify ? fm->modify_cookie ? fm->new_cookie : UINT64_MAX
           : fm->command == FLOW_MOD_ADD ? fm->cookie : 0;
}

static int
put_of10_middle(struct buf *buf, const struct of_protocol *p,
                const struct flow_mod *fm)
{
    bool is_default_table = fm->table == OFPTT_ALL
                            || (!fm->table && fm->command == FLOW_MOD_ADD);
    uint16_t out_port;

    if (fm->flags & ~(FLOW_MOD_SEND_FLOW_REM | FLOW_MOD_CHECK_OVERLAP)
        || fm->importance || fm->out_group != OFPG_ANY
        || !port_to_of10(fm->out_port, &out_port)
        || (!p->flow_mod_table_id && !is_default_table)) {
        return -EOPNOTSUPP;
    }
    buf_put_u64(buf, be64toh(of10_cookie(fm)));
    buf_put_u16(buf, (uint16_t) (fm->command
                                 | (p->flow_mod_table_id ? fm->table << 8
                                                         : 0)));
    buf_put_u16(buf, fm->idle_timeout);
    buf_put_u16(buf, fm->hard_timeout);
    buf_put_u16(buf, fm->priority);
    buf_put_u32(buf, OF_NO_BUFFER);
    buf_put_u16(buf, out_port);
    buf_put_u16(buf, (uint16_t) fm->flags);
    return 0;
}

bool
flow_mod_fits_of10(const struct of_protocol *p UNUSED,
                   const struct of_message *msg)
{
    struct buf buf = BUF_INIT;
    bool fits = !msg->flow_mod.cookie_mask
                && match_of10_encode(&buf, &msg->flow_mod.match);

    buf_fini(&buf);
    return fits;
}

int
flow_mod_of10_encode(struct buf *buf, const struct of_protocol *p,
                     const struct of_message *msg)
{
    const struct flow_mod *fm = &msg->flow_mod;

    if (!match_of10_encode(buf, &fm->match) || put_of10_middle(buf, p, fm)
        || !instructions_encode(buf, OF10, &fm->instructions)) {
        return -EOPNOTSUPP;
    }
    return 0;
}

int
flow_mod_nxm_encode(struct buf *buf, const struct of_protocol *p,
                    const struct of_message *msg)
{
    const struct flow_mod *fm = &msg->flow_mod;
    struct match_cookie filter = { fm->cookie, fm->cookie_mask };
    size_t len_ofs;
    int err;

    if (put_of10_middle(buf, p, fm)) {
        return -EOPNOTSUPP;
    }
    len_ofs = buf->len;
    buf_put_u16(buf, 0);
    buf_put_zeros(buf, 6);
    err = match_nxm_encode(buf, len_ofs, &fm->match, &filter);
    if (err) {
        return err;
    }
    return instructions_encode(buf, OF10, &fm->instructions) ? 0
           : -EOPNOTSUPP;
}

int
flow_mod_encode(struct buf *buf, const struct of_protocol *p,
                const struct of_message *msg)
{
    const struct flow_mod *fm = &msg->flow_mod;

    bool is_add = fm->command == FLOW_MOD_ADD;
    bool is_everywhere = fm->table == OFPTT_ALL && !is_delete(fm);

    if (fm->modify_cookie || fm->add_if_absent || (is_everywhere && !is_add)
        || (fm->importance && p->version < OF14)) {
        return -EOPNOTSUPP;
    }
    buf_put_u64(buf, be64toh(fm->cookie));
    buf_put_u64(buf, be64toh(fm->cookie_mask));
    buf_put_u8(buf, is_everywhere ? 0 : fm->table);
    buf_put_u8(buf, (uint8_t) fm->command);
    buf_put_u16(buf, fm->idle_timeout);
    buf_put_u16(buf, fm->hard_timeout);
    buf_put_u16(buf, fm->priority);
    buf_put_u32(buf, OF_NO_BUFFER);
    buf_put_u32(buf, fm->out_port);
    buf_put_u32(buf, fm->out_group);
    buf_put_u16(buf, (uint16_t) fm->flags);
    buf_put_u16(buf, fm->importance);
    if (!match_oxm_encode(buf, p->version, &fm->match)
        || !instructions_encode(buf, p->version, &fm->instructions)) {
        return -EOPNOTSUPP;
    }
    return 0;
}
