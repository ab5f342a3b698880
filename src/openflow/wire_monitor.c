/* Flow monitors: requests, updates, and that they pause.
 *
 * 1.4+ has them; before, Nicira's form says the same in 1.0, and the ONF's
 * mixture of both in 1.3. */
#include "openflow/wire_action.h"
#include "openflow/wire_match.h"
#include "openflow/wire_multipart.h"

/* Nicira's events: what is there at first counts as added. */
enum { NX_ADDED = 0, NX_DELETED = 1, NX_MODIFIED = 2, NX_ABBREV = 3 };
enum { OF14_ABBREV = 4, OF14_PAUSED = 5, OF14_RESUMED = 6 };

static const unsigned int nx_flags =
    MONITOR_INITIAL | MONITOR_ADDED | MONITOR_REMOVED | MONITOR_MODIFIED
    | MONITOR_INSTRUCTIONS | MONITOR_NO_ABBREV;

static enum of_error
check_flags(unsigned int flags, unsigned int known, struct str *why)
{
    if (flags & ~known) {
        str_setf(why, "flags 0x%x of a flow monitor", flags & ~known);
        return OF_FLOW_MONITOR_FAILED_BAD_FLAGS;
    }
    return OF_OK;
}

static enum of_error
decode_of14(enum of_version version UNUSED, struct cursor *c,
            struct of_flow_monitor *m, struct str *why)
{
    enum of_error error;

    m->id = cursor_u32(c);
    m->out_port = cursor_u32(c);
    m->out_group = cursor_u32(c);
    m->flags = cursor_u16(c);
    m->table = cursor_u8(c);
    m->command = cursor_u8(c);
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    if ((unsigned int) m->command > MONITOR_DELETE) {
        str_setf(why, "command %u of a flow monitor",
                 (unsigned int) m->command);
        return OF_FLOW_MONITOR_FAILED_BAD_COMMAND;
    }
    error = check_flags(m->flags, nx_flags | MONITOR_ONLY_OWN, why);
    if (m->flags & MONITOR_ONLY_OWN && !(m->flags & MONITOR_NO_ABBREV)) {
        m->flags ^= MONITOR_ONLY_OWN | MONITOR_NO_ABBREV;
    }
    return error ? error : match_oxm_decode(c, true, &m->match, why);
}

static enum of_error
decode_nx(enum of_version version, struct cursor *c,
          struct of_flow_monitor *m, struct str *why)
{
    struct match_cookie unused;
    enum of_error error;
    uint16_t match_len;

    m->id = cursor_u32(c);
    m->flags = cursor_u16(c);
    error = check_flags(m->flags, nx_flags, why);
    if (version == OF10) {
        m->out_port = port_number_decode(OF10, c);
        match_len = cursor_u16(c);
    } else {
        match_len = cursor_u16(c);
        m->out_port = cursor_u32(c);
    }
    m->table = cursor_u8(c);
    cursor_skip(c, version == OF10 ? 5 : 3);
    m->out_group = OFPG_ANY;
    if (cursor_overrun(c)) {
        return OF_BAD_REQUEST_BAD_LEN;
    }
    return error ? error
           : version == OF10 ? match_nxm_decode(c, match_len, &m->match,
                                                &unused, why)
           : match_oxm_decode(c, true, &m->match, why);
}

static enum of_error
decode_one(enum of_version version, bool is_nicira, struct cursor *c,
           struct of_flow_monitor *m, struct str *why)
{
    enum of_error error;

    memset(m, 0, sizeof *m);
    error = is_nicira ? decode_nx(version, c, m, why)
            : decode_of14(version, c, m, why);
    return error ? error : cursor_overrun(c) ? OF_BAD_REQUEST_BAD_LEN : OF_OK;
}

enum of_error
monitor_request_decode(enum of_version version, bool is_nicira,
                       struct cursor *c, struct of_bytes *body,
                       struct str *why)
{
    struct cursor check;
    enum of_error error = OF_OK;

    *body = wire_rest(c);
    check = cursor_init(body->data, body->len);
    while (!error && cursor_left(&check)) {
        struct of_flow_monitor unused;

        error = decode_one(version, is_nicira, &check, &unused, why);
    }
    return error;
}

bool
of_flow_monitor_next(const struct of_protocol *p,
                     const struct of_multipart_request *request,
                     struct of_bytes *body, struct of_flow_monitor *m)
{
    struct cursor c = cursor_init(body->data, body->len);

    if (!body->len
        || decode_one(p->version, request->is_nicira, &c, m, NULL)) {
        return false;
    }
    *body = wire_rest(&c);
    return true;
}

static bool
put_nx(struct buf *buf, enum of_version version,
       const struct of_flow_monitor *m)
{
    size_t len_ofs, match_ofs;
    uint16_t port;

    if (m->command != MONITOR_ADD || m->out_group != OFPG_ANY
        || m->flags & MONITOR_ONLY_OWN) {
        return false;
    }
    buf_put_u32(buf, m->id);
    buf_put_u16(buf, (uint16_t) m->flags);
    if (version == OF13) {
        len_ofs = buf->len;
        buf_put_u16(buf, 0);
        buf_put_u32(buf, m->out_port);
        buf_put_u8(buf, m->table);
        buf_put_zeros(buf, 3);
        match_ofs = buf->len;
        if (!match_oxm_encode(buf, version, &m->match)) {
            return false;
        }
        buf_patch_u16(buf, len_ofs,
                      be16toh(get_be16(buf->data + match_ofs + 2)));
        return true;
    }
    if (!port_to_of10(m->out_port, &port)) {
        return false;
    }
    buf_put_u16(buf, port);
    len_ofs = buf->len;
    buf_put_u16(buf, 0);
    buf_put_u8(buf, m->table);
    buf_put_zeros(buf, 5);
    return !match_nxm_encode(buf, len_ofs, &m->match, NULL);
}

bool
of_flow_monitor_put(struct buf *buf, const struct of_protocol *p,
                    bool is_nicira, const struct of_flow_monitor *m)
{
    if (is_nicira) {
        return put_nx(buf, p->version, m);
    }
    buf_put_u32(buf, m->id);
    buf_put_u32(buf, m->out_port);
    buf_put_u32(buf, m->out_group);
    buf_put_u16(buf, (uint16_t) m->flags);
    buf_put_u8(buf, m->table);
    buf_put_u8(buf, (uint8_t) m->command);
    return match_oxm_encode(buf, p->version, &m->match);
}

/* ---- Cancel, pause, resume ---- */

enum of_error
monitor_cancel_decode(const struct of_protocol *p UNUSED, struct cursor *c,
                      struct of_message *msg, struct str *why UNUSED)
{
    msg->monitor_id = cursor_u32(c);
    return OF_OK;
}

int
monitor_cancel_encode(struct buf *buf, const struct of_protocol *p UNUSED,
                      const struct of_message *msg)
{
    buf_put_u32(buf, msg->monitor_id);
    return 0;
}

static void
put_short(struct of_reply *r, uint16_t event, uint32_t value)
{
    size_t mark = reply_begin_item(r);

    buf_put_u16(r->buf, 8);
    buf_put_u16(r->buf, event);
    buf_put_u32(r->buf, value);
    reply_end_item(r, mark);
}

void
of_monitor_state_encode(struct buf *buf, const struct of_protocol *p,
                        bool is_resumed)
{
    const struct of_multipart_request unasked = {
        .type = MP_FLOW_MONITOR,
    };
    struct of_reply r;

    if (p->version < OF14) {
        of_plain_encode(buf, p, is_resumed ? OFT_FLOW_MONITOR_RESUMED
                                           : OFT_FLOW_MONITOR_PAUSED, 0);
        return;
    }
    of_reply_begin(&r, buf, p, 0, &unasked);
    put_short(&r, is_resumed ? OF14_RESUMED : OF14_PAUSED, 0);
    of_reply_end(&r);
}

/* ---- Updates ---- */

void
of_reply_flow_update_own(struct of_reply *r, uint32_t xid)
{
    put_short(r, r->is_nicira ? NX_ABBREV : OF14_ABBREV, xid);
}

/* What a version's fields cannot say is left out, as in statistics. */
static void
put_match(struct buf *buf, enum of_version version, const struct match *match)
{
    static const struct match any;

    if (!match_oxm_encode(buf, version, match)) {
        match_oxm_encode(buf, version, &any);
    }
}

static void
update_nx(struct buf *buf, enum of_version version,
          const struct of_flow_update *u)
{
    static const uint16_t events[] = {
        [UPDATE_INITIAL] = NX_ADDED, [UPDATE_ADDED] = NX_ADDED,
        [UPDATE_REMOVED] = NX_DELETED, [UPDATE_MODIFIED] = NX_MODIFIED,
    };
    size_t len_ofs;

    buf_put_u16(buf, events[u->event]);
    buf_put_u16(buf, u->reason);
    buf_put_u16(buf, u->priority);
    buf_put_u16(buf, u->idle_timeout);
    buf_put_u16(buf, u->hard_timeout);
    len_ofs = buf->len;
    buf_put_u16(buf, 0);
    buf_put_u8(buf, u->table);
    buf_put_u8(buf, 0);
    buf_put_u64(buf, be64toh(u->cookie));
    if (version == OF10) {
        match_nxm_encode(buf, len_ofs, u->match, NULL);
    } else {
        size_t match_ofs = buf->len;

        put_match(buf, version, u->match);
        buf_patch_u16(buf, len_ofs,
                      be16toh(get_be16(buf->data + match_ofs + 2)));
    }
}

static void
update_of14(struct buf *buf, enum of_version version,
            const struct of_flow_update *u)
{
    buf_put_u16(buf, (uint16_t) u->event);
    buf_put_u8(buf, u->table);
    buf_put_u8(buf, u->reason);
    buf_put_u16(buf, u->idle_timeout);
    buf_put_u16(buf, u->hard_timeout);
    buf_put_u16(buf, u->priority);
    buf_put_u32(buf, 0);
    buf_put_u64(buf, be64toh(u->cookie));
    put_match(buf, version, u->match);
}

void
of_reply_flow_update(struct of_reply *r, const struct of_flow_update *u)
{
    enum of_version version = r->protocol->version;
    size_t mark = reply_begin_item(r);

    buf_put_u16(r->buf, 0);
    if (r->is_nicira) {
        update_nx(r->buf, version, u);
    } else {
        update_of14(r->buf, version, u);
    }
    if (u->instructions) {
        instructions_encode(r->buf, version, u->instructions);
    }
    buf_patch_u16(r->buf, mark, (uint16_t) (r->buf->len - mark));
    reply_end_item(r, mark);
}
