#include "conntrack/sctp.h"

enum chunk {
    CHUNK_INIT = 1, CHUNK_INIT_ACK = 2, CHUNK_ABORT = 6, CHUNK_SHUTDOWN = 7,
    CHUNK_SHUTDOWN_ACK = 8, CHUNK_COOKIE_ECHO = 10, CHUNK_COOKIE_ACK = 11,
    CHUNK_SHUTDOWN_COMPLETE = 14,
};

enum { CHUNK_INIT_LEN = 20, FLAG_REFLECTED = 1 };

/* Of the association; kept with who began it. */
enum sctp_state { OPENING, ESTABLISHED, CLOSING, CLOSED };

struct first_chunk {
    uint8_t type, flags;
    be32 tag;                 /* of the packet */
    be32 own;                 /* INIT, INIT ACK: what the sender wants; 0 */
};

static struct first_chunk
read_first(const struct ct_packet *p)
{
    const uint8_t *chunk = p->l4 + SCTP_HEADER_LEN;
    struct first_chunk first = {
        .type = chunk[0], .flags = chunk[1], .tag = get_be32(p->l4 + 4),
    };

    if ((first.type == CHUNK_INIT || first.type == CHUNK_INIT_ACK)
        && p->l4_len >= SCTP_HEADER_LEN + CHUNK_INIT_LEN) {
        first.own = get_be32(chunk + 4);
    }
    return first;
}

bool
sctp_may_begin(const struct ct_packet *p, bool no_pickup)
{
    struct first_chunk first = read_first(p);

    switch (first.type) {
    case CHUNK_INIT:
        return !first.tag && first.own;
    case CHUNK_INIT_ACK: case CHUNK_ABORT: case CHUNK_SHUTDOWN_ACK:
    case CHUNK_SHUTDOWN_COMPLETE: case CHUNK_COOKIE_ACK:
        return false;             /* answers */
    default:
        return !no_pickup && first.tag;
    }
}

void
sctp_begin(struct ct_conn *conn, const struct ct_packet *p)
{
    struct first_chunk first = read_first(p);

    if (first.type == CHUNK_INIT) {
        conn->peers[0].tag = first.own;
        conn->peers[0].state = OPENING;
    } else {
        conn->peers[1].tag = first.tag;
        conn->peers[0].state = ESTABLISHED;
    }
}

/* A packet to `dst` carries the tag that it chose; some, sent by who has no
 * association, the sender's own (RFC 9260 section 8.5.1). */
static bool
has_right_tag(const struct first_chunk *first, const struct ct_peer *src,
              struct ct_peer *dst)
{
    bool may_reflect = first->type == CHUNK_ABORT
                       || first->type == CHUNK_SHUTDOWN_COMPLETE;

    if (first->type == CHUNK_INIT) {
        return !first->tag && first->own;
    }
    if (may_reflect && first->flags & FLAG_REFLECTED) {
        return !src->tag || first->tag == src->tag;
    }
    if (!dst->tag) {
        dst->tag = first->tag;    /* picked up */
    }
    return first->tag == dst->tag;
}

enum ct_update
sctp_update(struct ct_conn *conn, unsigned int dir, const struct ct_packet *p)
{
    struct ct_peer *src = &conn->peers[dir], *dst = &conn->peers[!dir];
    struct first_chunk first = read_first(p);
    uint8_t *state = &conn->peers[0].state;

    if (!has_right_tag(&first, src, dst)) {
        return CT_UPDATE_INVALID;
    }
    switch (first.type) {
    case CHUNK_INIT:
        if (*state == CLOSED) {
            return CT_UPDATE_BEGINS;
        }
        if (*state == OPENING) {
            src->tag = first.own;
        }
        break;
    case CHUNK_INIT_ACK:
        if (*state == OPENING && first.own) {
            src->tag = first.own;
        }
        break;
    case CHUNK_COOKIE_ACK:
        *state = *state == OPENING ? ESTABLISHED : *state;
        break;
    case CHUNK_SHUTDOWN: case CHUNK_SHUTDOWN_ACK:
        *state = MAX(*state, CLOSING);
        break;
    case CHUNK_ABORT: case CHUNK_SHUTDOWN_COMPLETE:
        *state = CLOSED;
        break;
    default:
        break;
    }
    return dir || conn->is_answered ? CT_UPDATE_VALID : CT_UPDATE_STILL_NEW;
}

enum ct_timeout
sctp_timeout(const struct ct_conn *conn)
{
    switch (conn->peers[0].state) {
    case OPENING: return CT_TIMEOUT_SCTP_OPENING;
    case ESTABLISHED: return CT_TIMEOUT_SCTP_ESTABLISHED;
    default: return CT_TIMEOUT_SCTP_CLOSED;
    }
}

bool
sctp_is_known(const struct ct_peer *peer)
{
    return peer->state <= CLOSED;
}

const char *
sctp_text(const struct ct_conn *conn)
{
    static const char *const texts[] = {
        "opening", "established", "closing", "closed",
    };

    return texts[conn->peers[0].state];
}
