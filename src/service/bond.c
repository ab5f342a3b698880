#include "service/bond.h"

#include <stdlib.h>

#include "lib/str.h"

struct bond {
    struct bond_config config;
    struct lacp *lacp;            /* NULL: active-backup */
    unsigned int active;          /* of active-backup; BOND_NO_MEMBER */
    struct {
        struct bond_member is;
        msec up_since;            /* when has_link */
    } members[BOND_MAX_MEMBERS];
};

struct bond *
bond_create(const struct bond_config *config, const struct lacp_watch *watch)
{
    struct bond *b = xzalloc(sizeof *b);

    assert(config->n_members <= BOND_MAX_MEMBERS);
    b->config = *config;
    b->active = BOND_NO_MEMBER;
    if (config->is_lacp) {
        b->config.lacp.n_links = config->n_members;
        b->lacp = lacp_create(&b->config.lacp, watch);
    }
    return b;
}

void
bond_destroy(struct bond *b)
{
    if (b) {
        lacp_destroy(b->lacp);
        free(b);
    }
}

static bool
is_there(const struct bond *b, unsigned int i)
{
    return i < b->config.n_members && b->members[i].is.number;
}

static bool
is_up(const struct bond *b, unsigned int i)
{
    return is_there(b, i) && b->members[i].is.has_link;
}

void
bond_set_member(struct bond *b, unsigned int i,
                const struct bond_member *member, msec now)
{
    bool was_up = is_up(b, i);

    b->members[i].is = *member;
    if (!was_up) {
        b->members[i].up_since = now;
    }
    if (b->lacp) {
        lacp_set_link(b->lacp, i, is_up(b, i), (uint16_t) member->number,
                      member->mac, now);
    }
}

void
bond_receive(struct bond *b, unsigned int i, const void *frame, size_t len,
             msec now)
{
    if (b->lacp) {
        lacp_receive(b->lacp, i, frame, len, now);
    }
}

/* ---- Active-backup ---- */

/* With no link anywhere, one that is there: its port may tell no state. */
static unsigned int
best_member(const struct bond *b)
{
    unsigned int there = is_there(b, b->active) ? b->active : BOND_NO_MEMBER;

    if (is_up(b, b->config.primary)) {
        return b->config.primary;
    }
    for (unsigned int i = 0; i < b->config.n_members; i++) {
        if (is_up(b, i)) {
            return i;
        }
        if (there == BOND_NO_MEMBER && is_there(b, i)) {
            there = i;
        }
    }
    return there;
}

static msec
run_backup(struct bond *b, msec now)
{
    unsigned int primary = b->config.primary;
    msec back_at;

    if (!is_up(b, b->active)) {
        b->active = best_member(b);
    }
    if (primary == b->active || !is_up(b, primary)) {
        return INT64_MAX;
    }
    back_at = b->members[primary].up_since + b->config.fail_back;
    if (now < back_at) {
        return back_at;
    }
    b->active = primary;
    return INT64_MAX;
}

msec
bond_run(struct bond *b, msec now)
{
    return b->lacp ? lacp_run(b->lacp, now) : run_backup(b, now);
}

/* ---- Who is used ---- */

static void
backup_state(const struct bond *b, struct bond_state *state)
{
    unsigned int primary = b->config.primary;

    if (b->active == BOND_NO_MEMBER) {
        return;
    }
    state->rx[state->n_rx++] = (uint8_t) b->active;
    state->tx[state->n_tx++] = (uint8_t) b->active;
    if (primary != b->active && is_up(b, primary)) {
        state->tx[state->n_tx++] = (uint8_t) primary;
    }
    for (unsigned int i = 0; i < b->config.n_members; i++) {
        if (i != b->active && i != primary && is_up(b, i)) {
            state->tx[state->n_tx++] = (uint8_t) i;
        }
    }
}

static void
lacp_state(const struct bond *b, struct bond_state *state)
{
    state->is_spread = true;
    for (unsigned int i = 0; i < b->config.n_members; i++) {
        if (lacp_collects(b->lacp, i)) {
            state->rx[state->n_rx++] = (uint8_t) i;
        }
        if (lacp_distributes(b->lacp, i)) {
            state->tx[state->n_tx++] = (uint8_t) i;
        }
    }
}

void
bond_state(const struct bond *b, struct bond_state *state)
{
    *state = (struct bond_state) { 0 };
    if (b->lacp) {
        lacp_state(b, state);
    } else {
        backup_state(b, state);
    }
}

bool
bond_lacp_status(const struct bond *b, unsigned int i,
                 struct lacp_link_status *status)
{
    if (b->lacp) {
        lacp_link_status(b->lacp, i, status);
    }
    return b->lacp != NULL;
}
