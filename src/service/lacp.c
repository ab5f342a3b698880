#include "service/lacp.h"

#include <stdlib.h>

#include "lib/str.h"

enum {
    FAST_PERIODIC = 1000, SLOW_PERIODIC = 30000,
    SHORT_TIMEOUT = 3 * FAST_PERIODIC, LONG_TIMEOUT = 3 * SLOW_PERIODIC,
    TX_PER_PERIOD = 3,            /* LACPDUs per second and link (6.4.16) */
    MARKERS_PER_SECOND = 7,
};

enum { SYSTEM_PRIORITY = 0x8000, PORT_PRIORITY = 0x8000 };
enum { NO_LINK = LACP_MAX_LINKS };

enum mux { MUX_DETACHED, MUX_ATTACHED, MUX_COLLECTING, MUX_DISTRIBUTING };

struct link {
    enum lacp_receive_state receive;
    enum mux mux;
    bool is_up;
    bool is_selected;
    bool must_tell;               /* need to transmit */
    struct eth_addr mac;
    struct lacp_info actor, partner;
    msec current_until;
    msec periodic_at;
    msec sent_at[TX_PER_PERIOD];  /* the last ones, as a ring */
    unsigned int next_sent;
    msec markers_since;           /* a second's answers are counted */
    unsigned int n_answers;
    uint64_t n_received, n_sent, n_markers, n_foreign;
};

struct lacp {
    struct lacp_config config;
    struct lacp_watch watch;
    unsigned int leader;          /* a link of the aggregate in use; NO_LINK */
    struct lacp_info aggregate;   /* its partner, when it was chosen */
    struct link links[LACP_MAX_LINKS];
};

static const char *const receive_names[] = {
#define X(ID, NAME) [ID] = NAME,
    LACP_RECEIVE_STATES(X)
#undef X
};

const char *
lacp_receive_state_name(enum lacp_receive_state state)
{
    return receive_names[state];
}

/* Nobody has said anything: a partner that takes what comes. */
static const struct lacp_info no_partner = {
    .state = LACP_SHORT | LACP_SYNC | LACP_COLLECTS | LACP_DISTRIBUTES,
};

static void
init_link(const struct lacp *l, struct link *link)
{
    *link = (struct link) {
        .receive = LACP_RX_DISABLED, .partner = no_partner,
        .periodic_at = INT64_MAX, .current_until = INT64_MAX,
        .actor = {
            .system_priority = SYSTEM_PRIORITY, .system = l->config.system,
            .key = l->config.key, .port_priority = PORT_PRIORITY,
            .state = LACP_AGGREGATES,
        },
    };
    if (!l->config.is_passive) {
        link->actor.state |= LACP_ACTIVE;
    }
    if (l->config.is_fast) {
        link->actor.state |= LACP_SHORT;
    }
    for (unsigned int i = 0; i < TX_PER_PERIOD; i++) {
        link->sent_at[i] = INT64_MIN / 2;
    }
}

struct lacp *
lacp_create(const struct lacp_config *config, const struct lacp_watch *watch)
{
    struct lacp *l = xzalloc(sizeof *l);

    assert(config->n_links <= LACP_MAX_LINKS);
    l->config = *config;
    l->watch = *watch;
    l->leader = NO_LINK;
    for (unsigned int i = 0; i < config->n_links; i++) {
        init_link(l, &l->links[i]);
    }
    return l;
}

void
lacp_destroy(struct lacp *l)
{
    free(l);
}

static bool
same_system(const struct lacp_info *a, const struct lacp_info *b)
{
    return a->system_priority == b->system_priority
           && eth_addr_eq(a->system, b->system) && a->key == b->key;
}

/* Do both speak of the same end?  `state`: the bits that count. */
static bool
same_info(const struct lacp_info *a, const struct lacp_info *b,
          uint8_t state)
{
    return same_system(a, b) && a->port_priority == b->port_priority
           && a->port == b->port && !((a->state ^ b->state) & state);
}

static void
set_bit(struct link *link, uint8_t bit, bool is_set)
{
    link->actor.state = (uint8_t) (is_set ? link->actor.state | bit
                                          : link->actor.state & ~bit);
}

static bool
has_partner(const struct link *link)
{
    return !(link->actor.state & LACP_DEFAULTED);
}

static void
enter(struct link *link, enum mux mux)
{
    uint8_t was = link->actor.state;

    link->mux = mux;
    set_bit(link, LACP_SYNC, mux >= MUX_ATTACHED);
    set_bit(link, LACP_COLLECTS, mux >= MUX_COLLECTING);
    set_bit(link, LACP_DISTRIBUTES, mux == MUX_DISTRIBUTING);
    link->must_tell |= link->actor.state != was;
}

/* ---- Receive machine (6.4.12) ---- */

static void
disable(struct link *link)
{
    link->receive = LACP_RX_DISABLED;
    link->partner.state &= (uint8_t) ~LACP_SYNC;
    set_bit(link, LACP_EXPIRED, false);
    link->current_until = INT64_MAX;
    link->periodic_at = INT64_MAX;
}

static void
expire(struct link *link, msec now)
{
    link->receive = LACP_RX_EXPIRED;
    link->partner.state &= (uint8_t) ~LACP_SYNC;
    link->partner.state |= LACP_SHORT;
    set_bit(link, LACP_EXPIRED, true);
    link->current_until = now + SHORT_TIMEOUT;
    link->periodic_at = now;
}

static void
become_default(struct link *link, msec now)
{
    if (!same_info(&link->partner, &no_partner, LACP_AGGREGATES)) {
        enter(link, MUX_DETACHED);
    }
    link->receive = LACP_RX_DEFAULTED;
    link->partner = no_partner;
    set_bit(link, LACP_DEFAULTED, true);
    set_bit(link, LACP_EXPIRED, false);
    link->current_until = INT64_MAX;
    link->periodic_at = MIN(link->periodic_at, now + FAST_PERIODIC);
}

static void
record(struct link *link, const struct lacp_pdu *pdu, msec now)
{
    bool knows_us = same_info(&pdu->partner, &link->actor, LACP_AGGREGATES)
                    || !(pdu->actor.state & LACP_AGGREGATES);
    bool is_spoken = (pdu->actor.state & LACP_ACTIVE)
                     || ((link->actor.state & LACP_ACTIVE)
                         && (pdu->partner.state & LACP_ACTIVE));
    bool was_short = link->partner.state & LACP_SHORT;

    /* What is told of us must be what we are. */
    if (!same_info(&pdu->partner, &link->actor,
                   LACP_ACTIVE | LACP_SHORT | LACP_SYNC | LACP_AGGREGATES)) {
        link->must_tell = true;
    }
    if (!same_info(&pdu->actor, &link->partner, LACP_AGGREGATES)) {
        enter(link, MUX_DETACHED);          /* somebody else is there now */
    }
    link->partner = pdu->actor;
    if (!knows_us || !is_spoken) {
        link->partner.state &= (uint8_t) ~LACP_SYNC;
    }
    link->receive = LACP_RX_CURRENT;
    set_bit(link, LACP_DEFAULTED, false);
    set_bit(link, LACP_EXPIRED, false);
    link->current_until = now + (link->actor.state & LACP_SHORT
                                 ? SHORT_TIMEOUT : LONG_TIMEOUT);
    if (!was_short && (link->partner.state & LACP_SHORT)) {
        link->must_tell = true;   /* it has waited long enough */
        link->periodic_at = now + FAST_PERIODIC;
    }
}

/* ---- Selection (6.4.14) ---- */

static bool
is_candidate(const struct lacp *l, const struct link *link)
{
    return link->receive > LACP_RX_DISABLED
           && !(has_partner(link)
                && eth_addr_eq(link->partner.system, l->config.system));
}

/* Can it be one of several? */
static bool
can_aggregate(const struct link *link)
{
    return has_partner(link) && (link->partner.state & LACP_AGGREGATES);
}

/* An EXPIRED link does not speak for its aggregate: its partner may be gone. */
static unsigned int
count_alike(const struct lacp *l, const struct lacp_info *partner)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < l->config.n_links; i++) {
        const struct link *link = &l->links[i];

        n += is_candidate(l, link) && can_aggregate(link)
             && link->receive == LACP_RX_CURRENT
             && same_system(&link->partner, partner);
    }
    return n;
}

/* Better ones are higher. */
static unsigned int
rank(const struct lacp *l, unsigned int i)
{
    const struct link *link = &l->links[i];

    if (!is_candidate(l, link)) {
        return 0;
    }
    if (!can_aggregate(link)) {
        bool is_current = link->receive == LACP_RX_CURRENT;

        /* One that has not been asked for three seconds is not alone yet. */
        if (link->receive == LACP_RX_EXPIRED) {
            return 0;
        }
        return (is_current ? 4 : 2) + (i == l->leader);
    }
    if (link->receive != LACP_RX_CURRENT) {
        return 1;
    }
    return 8 + count_alike(l, &link->partner)
           + (l->leader != NO_LINK
              && same_system(&link->partner, &l->aggregate)
              ? 2 * LACP_MAX_LINKS : 0);
}

static void
choose_leader(struct lacp *l)
{
    unsigned int best = 0, leader = NO_LINK;

    for (unsigned int i = 0; i < l->config.n_links; i++) {
        unsigned int r = rank(l, i);

        if (r > best) {
            best = r;
            leader = i;
        }
    }
    l->leader = leader;
    if (leader != NO_LINK) {
        l->aggregate = l->links[leader].partner;
    }
}

static void
select_links(struct lacp *l)
{
    const struct link *leader;

    choose_leader(l);
    leader = l->leader == NO_LINK ? NULL : &l->links[l->leader];
    for (unsigned int i = 0; i < l->config.n_links; i++) {
        struct link *link = &l->links[i];

        link->is_selected
            = leader && is_candidate(l, link)
              && (link == leader
                  || (can_aggregate(leader) && can_aggregate(link)
                      && same_system(&link->partner, &leader->partner)));
    }
}

/* ---- Mux machine (6.4.15, independent control) ---- */

/* The standard's WAITING, two seconds in which links gather, is left out: a
 * link more changes nothing for the others. */

/* Where it should go from here; the same: it stays. */
static enum mux
next_mux(const struct link *link)
{
    bool has_sync = link->partner.state & LACP_SYNC;
    bool is_heard = link->partner.state & LACP_COLLECTS;

    switch (link->mux) {
    case MUX_DETACHED:
        return link->is_selected ? MUX_ATTACHED : MUX_DETACHED;
    case MUX_ATTACHED:
        if (!link->is_selected) {
            return MUX_DETACHED;
        }
        return has_sync ? MUX_COLLECTING : MUX_ATTACHED;
    case MUX_COLLECTING:
        if (!link->is_selected || !has_sync) {
            return MUX_ATTACHED;
        }
        return is_heard ? MUX_DISTRIBUTING : MUX_COLLECTING;
    case MUX_DISTRIBUTING:
        return link->is_selected && has_sync && is_heard
               ? MUX_DISTRIBUTING : MUX_COLLECTING;
    }
    return MUX_DETACHED;
}

static void
run_mux(struct link *link)
{
    enum mux next;

    while ((next = next_mux(link)) != link->mux) {
        enter(link, next);
    }
}

/* ---- Periodic and transmit machines (6.4.13, 6.4.16) ---- */

static bool
is_talking(const struct link *link)
{
    return link->is_up && ((link->actor.state | link->partner.state)
                           & LACP_ACTIVE);
}

static void
run_periodic(struct link *link, msec now)
{
    if (!is_talking(link)) {
        link->periodic_at = INT64_MAX;
        return;
    }
    if (link->periodic_at == INT64_MAX || now >= link->periodic_at) {
        link->must_tell = true;
        link->periodic_at = now + (link->partner.state & LACP_SHORT
                                   ? FAST_PERIODIC : SLOW_PERIODIC);
    }
}

/* When one more may be sent. */
static msec
may_send_at(const struct link *link)
{
    return link->sent_at[link->next_sent] + FAST_PERIODIC;
}

static void
run_transmit(struct lacp *l, unsigned int i, msec now)
{
    struct link *link = &l->links[i];
    struct lacp_pdu pdu = { link->actor, link->partner };
    uint8_t frame[LACP_FRAME_LEN];

    if (!is_talking(link)) {
        link->must_tell = false;
    }
    if (!link->must_tell || now < may_send_at(link)) {
        return;
    }
    lacp_encode(&pdu, link->mac, frame);
    link->must_tell = false;
    link->sent_at[link->next_sent] = now;
    link->next_sent = (link->next_sent + 1) % TX_PER_PERIOD;
    link->n_sent++;
    l->watch.send(l->watch.aux, i, frame, sizeof frame);
}

/* Ten frames a second and link are all that slow protocols may send (802.3
 * 57A.3): markers get what LACPDUs leave. */
static void
answer_marker(struct lacp *l, unsigned int i, const void *marker, msec now)
{
    struct link *link = &l->links[i];
    uint8_t answer[LACP_FRAME_LEN];

    if (now - link->markers_since >= 1000) {
        link->markers_since = now;
        link->n_answers = 0;
    }
    if (link->n_answers++ < MARKERS_PER_SECOND) {
        lacp_answer_marker(marker, link->mac, answer);
        l->watch.send(l->watch.aux, i, answer, sizeof answer);
    }
}

/* ---- The front door ---- */

static void
run_receive(struct link *link, msec now)
{
    if (now < link->current_until) {
        return;
    }
    if (link->receive == LACP_RX_CURRENT) {
        expire(link, now);
    } else if (link->receive == LACP_RX_EXPIRED) {
        become_default(link, now);
    }
}

static msec
next_event(const struct link *link)
{
    msec next;

    if (!link->is_up) {
        return INT64_MAX;
    }
    next = MIN(link->current_until, link->periodic_at);
    return link->must_tell ? MIN(next, may_send_at(link)) : next;
}

msec
lacp_run(struct lacp *l, msec now)
{
    msec next = INT64_MAX;

    for (unsigned int i = 0; i < l->config.n_links; i++) {
        run_receive(&l->links[i], now);
    }
    select_links(l);
    for (unsigned int i = 0; i < l->config.n_links; i++) {
        run_mux(&l->links[i]);
        run_periodic(&l->links[i], now);
        run_transmit(l, i, now);
        next = MIN(next, next_event(&l->links[i]));
    }
    return next;
}

void
lacp_set_link(struct lacp *l, unsigned int i, bool is_up, uint16_t port,
              struct eth_addr mac, msec now)
{
    struct link *link = &l->links[i];

    if (link->is_up && link->actor.port != port) {
        disable(link);            /* another port in its place */
        link->is_up = false;
    }
    link->actor.port = port;
    link->mac = mac;
    if (is_up == link->is_up) {
        return;
    }
    link->is_up = is_up;
    if (is_up) {
        if (!link->n_received) {
            set_bit(link, LACP_DEFAULTED, true);
        }
        expire(link, now);
    } else {
        disable(link);
    }
}

bool
lacp_receive(struct lacp *l, unsigned int i, const void *frame, size_t len,
             msec now)
{
    struct link *link = &l->links[i];
    struct lacp_pdu pdu;

    switch (lacp_decode(frame, len, &pdu)) {
    case SLOW_LACP:
        link->n_received++;
        if (link->is_up) {
            record(link, &pdu, now);
        }
        return true;
    case SLOW_MARKER:
        link->n_markers++;
        if (link->is_up) {
            answer_marker(l, i, frame, now);
        }
        return true;
    case SLOW_FOREIGN:
        break;
    }
    link->n_foreign++;
    return false;
}

bool
lacp_collects(const struct lacp *l, unsigned int i)
{
    return l->links[i].actor.state & LACP_COLLECTS;
}

bool
lacp_distributes(const struct lacp *l, unsigned int i)
{
    return l->links[i].actor.state & LACP_DISTRIBUTES;
}

void
lacp_link_status(const struct lacp *l, unsigned int i,
                 struct lacp_link_status *status)
{
    const struct link *link = &l->links[i];

    *status = (struct lacp_link_status) {
        .receive = link->receive, .actor = link->actor,
        .partner = link->partner, .n_received = link->n_received,
        .n_sent = link->n_sent, .n_markers = link->n_markers,
        .n_foreign = link->n_foreign,
    };
}
