#include "conntrack/tcp.h"

enum tcp_flag { FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, ACK = 0x10,
                URG = 0x20 };

enum tcp_state { NOTHING, OPENING, ESTABLISHED, CLOSING, CLOSED, RESET };

enum tcp_scale {              /* in ct_peer.scale */
    SCALE_SHIFT = 0x0f,
    SCALE_KNOWN = 0x80,       /* its SYN said so */
    SCALE_UNKNOWN = 0x40,     /* the connection was picked up */
    SCALE_ADRIFT = 0x20,      /* not of the scale: its numbers are old */
    SCALE_MAX = 14,           /* RFC 7323 section 2.3 */
};

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_SCALE = 3 };

/* How far an acknowledgment may lie behind, in packets that overtook each other
 * or that were lost before they came here. */
enum { ACK_SLACK = 0xffff + 1500 };

/* A segment's numbers, as the conditions need them. */
struct segment {
    uint8_t flags;
    uint32_t seq, ack;
    uint32_t end;             /* behind its last byte, SYN, FIN */
    uint32_t window;          /* as it stands there */
};

/* Is a at or behind b, in 32 bits that wrap around? */
static bool
at_least(uint32_t a, uint32_t b)
{
    return (int32_t) (a - b) >= 0;
}

static struct segment
read_segment(const struct ct_packet *p)
{
    uint8_t flags = p->l4[13] & 0x3f;
    uint32_t seq = be32toh(get_be32(p->l4 + 4));

    return (struct segment) {
        .flags = flags,
        .seq = seq,
        .ack = be32toh(get_be32(p->l4 + 8)),
        .end = seq + p->l4_len - (p->l4[12] >> 4) * 4u + !!(flags & SYN)
               + !!(flags & FIN),
        .window = be16toh(get_be16(p->l4 + 14)),
    };
}

/* The combinations that no TCP sends. */
static bool
are_nonsense(uint8_t flags)
{
    if (flags & SYN) {
        if (flags & (RST | FIN)) {
            return true;
        }
    } else if (!(flags & (ACK | RST))) {
        return true;
    }
    return !(flags & ACK) && flags & (FIN | PSH | URG);
}

bool
tcp_may_begin(const struct ct_packet *p, bool no_pickup)
{
    uint8_t flags = p->l4[13] & 0x3f;

    /* The second packet of a handshake whose first was not seen. */
    if (are_nonsense(flags) || (flags & (SYN | ACK)) == (SYN | ACK)) {
        return false;
    }
    return flags & SYN || !no_pickup;
}

/* What the SYN says of the scale of its sender's later windows. */
static uint8_t
read_scale(const struct ct_packet *p)
{
    const uint8_t *option = p->l4 + TCP_HEADER_LEN;
    const uint8_t *end = p->l4 + (p->l4[12] >> 4) * 4;

    while (option < end && *option != OPTION_END) {
        if (*option == OPTION_NOP) {
            option++;
            continue;
        }
        if (end - option < 2 || option[1] < 2 || option[1] > end - option) {
            break;
        }
        if (*option == OPTION_SCALE && option[1] == 3) {
            return (uint8_t) (MIN(option[2], SCALE_MAX) | SCALE_KNOWN);
        }
        option += option[1];
    }
    return 0;
}

/* The window of a SYN is not scaled; kept as if it were, rounded up. */
static uint32_t
unscaled(uint32_t window, uint8_t scale)
{
    unsigned int shift = scale & SCALE_SHIFT;

    return (window + (1u << shift) - 1) >> shift;
}

void
tcp_begin(struct ct_conn *conn, const struct ct_packet *p)
{
    struct ct_peer *src = &conn->peers[0], *dst = &conn->peers[1];
    struct segment s = read_segment(p);

    src->end = s.seq;
    src->limit = s.end;
    src->scale = dst->scale = SCALE_UNKNOWN;
    if (s.flags & SYN) {
        src->scale = read_scale(p);
        dst->scale = 0;
    }
    src->window = (uint16_t) unscaled(MAX(s.window, 1u),
                                      src->scale & SCALE_KNOWN ? src->scale
                                                               : 0);
    dst->window = 1;
    src->state = OPENING;
    dst->state = NOTHING;
}

/* The first that is seen of the other end: nothing could be said of what it sends
 * until now. */
static void
meet(struct ct_peer *src, struct ct_peer *dst, struct segment *s,
     const struct ct_packet *p, unsigned int *src_shift,
     unsigned int *dst_shift)
{
    uint32_t limit;

    if (s->flags & SYN && dst->scale & SCALE_KNOWN) {
        src->scale = read_scale(p);
        if (src->scale & SCALE_KNOWN) {
            *src_shift = src->scale & SCALE_SHIFT;
            *dst_shift = dst->scale & SCALE_SHIFT;
            s->window = unscaled(s->window, src->scale);
        } else {
            /* Both must say so (RFC 7323 section 2.2): nobody scales. */
            dst->window = (uint16_t) MIN((uint32_t) dst->window
                                         << (dst->scale & SCALE_SHIFT),
                                         UINT16_MAX);
            dst->scale = 0;
        }
    }
    src->end = s->seq;
    src->state = OPENING;
    limit = s->end + MAX(1u, (uint32_t) dst->window << *dst_shift);
    src->limit = limit;
}

/* Condition by condition; all of them hold for a packet of the connection. */
static bool
fits(const struct ct_peer *src, const struct ct_peer *dst,
     const struct segment *s, uint32_t first_seq, unsigned int src_shift,
     unsigned int dst_shift, bool is_met)
{
    int32_t behind = is_met ? (int32_t) (dst->end - s->ack) : 0;

    /* No byte beyond what the other end has room for; */
    return at_least(src->limit, s->end)
           /* none that must have been acknowledged long ago; */
           && at_least(s->seq, src->end
                               - ((uint32_t) dst->window << dst_shift))
           /* nothing acknowledged that was not sent, */
           && behind >= -ACK_SLACK
           /* nor all too old; */
           && behind <= (int32_t) ((uint32_t) ACK_SLACK << src_shift)
           /* and a reset comes exactly where the sender is (RFC 5961). */
           && (!(s->flags & RST) || first_seq == src->end
               || first_seq == src->end + 1 || first_seq + 1 == src->end);
}

/* While only one end is known, or when the connection is over, its numbers may
 * lie somewhat off. */
static bool
nearly_fits(const struct ct_peer *src, const struct ct_peer *dst,
            const struct segment *s)
{
    return (dst->state < OPENING || dst->state >= CLOSED
            || src->state >= CLOSED)
           && at_least(src->limit + ACK_SLACK, s->end)
           && at_least(s->seq, src->end - ACK_SLACK);
}

static void
advance_numbers(struct ct_peer *src, struct ct_peer *dst,
                const struct segment *s, unsigned int src_shift,
                bool is_exact)
{
    uint32_t room = s->window << src_shift;

    src->window = MAX(src->window, (uint16_t) MIN(s->window, UINT16_MAX));
    if (at_least(s->end, src->end)) {
        src->end = s->end;
    }
    if (is_exact && at_least(s->ack + room, dst->limit)) {
        dst->limit = s->ack + MAX(room, 1u);
    }
}

static void
advance_states(struct ct_peer *src, struct ct_peer *dst, uint8_t flags,
               bool is_exact)
{
    if (flags & FIN && src->state < CLOSING) {
        src->state = CLOSING;
    }
    if (is_exact && flags & ACK) {
        if (dst->state == OPENING) {
            dst->state = ESTABLISHED;
        } else if (dst->state == CLOSING) {
            dst->state = CLOSED;
        }
    }
    if (flags & RST) {
        src->state = dst->state = RESET;
    }
}

/* How the windows of each end count now. */
static void
read_shifts(const struct ct_peer *src, const struct ct_peer *dst,
            const struct segment *s, unsigned int *src_shift,
            unsigned int *dst_shift)
{
    *src_shift = *dst_shift = 0;
    if (s->flags & SYN) {
        return;
    }
    if (src->scale & dst->scale & SCALE_KNOWN) {
        *src_shift = src->scale & SCALE_SHIFT;
        *dst_shift = dst->scale & SCALE_SHIFT;
    } else if (src->scale & dst->scale & SCALE_UNKNOWN) {
        *src_shift = *dst_shift = SCALE_MAX;
    }
}

void
tcp_cast_adrift(struct ct_conn *conn)
{
    for (unsigned int dir = 0; dir < 2; dir++) {
        struct ct_peer *peer = &conn->peers[dir];

        /* Numbers of who has just begun have not changed. */
        if (MIN(peer->state, conn->peers[!dir].state) >= ESTABLISHED) {
            peer->scale |= SCALE_ADRIFT;
        }
    }
}

/* A segment that tells of both ends where they are.  A reset would have to be exact,
 * and must not profit. */
static void
find_again(struct ct_peer *src, struct ct_peer *dst, const struct segment *s,
           unsigned int src_shift, unsigned int dst_shift)
{
    if ((s->flags & (SYN | RST | ACK)) != ACK) {
        return;
    }
    src->end = s->seq;
    src->limit = s->end + ((uint32_t) dst->window << dst_shift);
    dst->end = s->ack;
    dst->limit = s->ack + MAX(s->window << src_shift, 1u);
    src->scale &= (uint8_t) ~SCALE_ADRIFT;
    dst->scale &= (uint8_t) ~SCALE_ADRIFT;
}

enum ct_update
tcp_update(struct ct_conn *conn, unsigned int dir, const struct ct_packet *p)
{
    struct ct_peer *src = &conn->peers[dir], *dst = &conn->peers[!dir];
    struct segment s = read_segment(p);
    uint32_t first_seq = s.seq;
    unsigned int src_shift, dst_shift;
    bool is_exact, is_met = true;

    if (are_nonsense(s.flags)) {
        return CT_UPDATE_INVALID;
    }
    if ((s.flags & (SYN | ACK)) == SYN) {
        if (src->state >= CLOSED && dst->state >= CLOSED) {
            return CT_UPDATE_BEGINS;
        }
        if (src->state <= OPENING) {
            /* Once more, or from both ends at once. */
            src->state = OPENING;
            return CT_UPDATE_STILL_NEW;
        }
    }
    read_shifts(src, dst, &s, &src_shift, &dst_shift);
    if (UNLIKELY(src->scale & SCALE_ADRIFT)) {
        find_again(src, dst, &s, src_shift, dst_shift);
    }
    if (src->state < OPENING) {
        meet(src, dst, &s, p, &src_shift, &dst_shift);
        is_met = dst->scale != SCALE_UNKNOWN;
    }
    if (!(s.flags & ACK)
        || (!s.ack && (s.flags & (ACK | RST)) == (ACK | RST))) {
        s.ack = dst->end;         /* it says nothing */
    }
    if (s.seq == s.end) {
        s.seq = s.end = src->end; /* and this is no data */
    }
    is_exact = fits(src, dst, &s, first_seq, src_shift, dst_shift, is_met);
    if (!is_exact && !nearly_fits(src, dst, &s)) {
        return CT_UPDATE_INVALID;
    }
    advance_numbers(src, dst, &s, src_shift, is_exact);
    advance_states(src, dst, s.flags, is_exact);
    return CT_UPDATE_VALID;
}

enum ct_timeout
tcp_timeout(const struct ct_conn *conn)
{
    uint8_t less = MIN(conn->peers[0].state, conn->peers[1].state);
    uint8_t more = MAX(conn->peers[0].state, conn->peers[1].state);

    if (less == RESET) {
        return CT_TIMEOUT_TCP_RESET;
    }
    if (less >= CLOSING) {
        return CT_TIMEOUT_TCP_TIME_WAIT;
    }
    if (less < ESTABLISHED) {
        return CT_TIMEOUT_TCP_OPENING;
    }
    return more >= CLOSING ? CT_TIMEOUT_TCP_CLOSING
                           : CT_TIMEOUT_TCP_ESTABLISHED;
}

bool
tcp_is_known(const struct ct_peer *peer)
{
    return peer->state <= RESET && (peer->scale & SCALE_SHIFT) <= SCALE_MAX;
}

const char *
tcp_text(const struct ct_conn *conn)
{
    static const char *const texts[] = {
        "syn-sent", "opening", "established", "closing", "closed", "reset",
    };
    uint8_t less = MIN(conn->peers[0].state, conn->peers[1].state);
    uint8_t more = MAX(conn->peers[0].state, conn->peers[1].state);

    return texts[less >= ESTABLISHED && more == CLOSING ? more : less];
}
