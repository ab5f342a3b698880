#include "host/uplink_nat.h"

#include <stdlib.h>

#include "lib/log.h"
#include "packet/address.h"
#include "port/helper.h"

enum { RETRY_MIN_MS = 250, RETRY_MAX_MS = 30000 };

struct uplink_nat {
    struct helper *helper;
    struct host_nat wanted;
    bool is_due, is_in_force;
    msec retry_at, backoff;
    struct str error;             /* of the last attempt; empty: it went well */
};

/* ---- What is wanted ---- */

bool
uplink_nat_is_used(const struct intent *intent,
                   const struct intent_uplink *uplink)
{
    INTENT_FOR_EACH_NETWORK (network, intent) {
        if (network->nat == uplink) {
            return true;
        }
    }
    return false;
}

bool
uplink_nat_has_ipv6(const struct intent *intent,
                    const struct intent_uplink *uplink)
{
    INTENT_FOR_EACH_NETWORK (network, intent) {
        if (network->nat == uplink && network->subnet6.is_set
            && network->nat6 == NAT6_MASQUERADE) {
            return true;
        }
    }
    return false;
}

static void
add_leg(struct host_nat *nat, const struct intent *intent,
        const struct intent_uplink *uplink)
{
    struct host_nat_leg *leg = &nat->legs[nat->n_legs++];

    *leg = (struct host_nat_leg) { .ours = uplink->transfer.ours };
    if (uplink_nat_has_ipv6(intent, uplink)) {
        leg->ours6 = uplink->transfer.ours6;
    }
    memcpy(leg->device, uplink->transfer.port, sizeof leg->device);
}

static void
add_forward(struct host_nat *nat, uint32_t leg,
            const struct intent_forward *forward)
{
    const struct forward_listen *listen = &forward->listen;
    unsigned int n = nat->n_forwards;
    struct host_nat_forward *f;

    if (!(n & (n - 1))) {
        nat->forwards = xrealloc(nat->forwards, MAX(1, 2 * n) * sizeof *f);
    }
    f = &nat->forwards[nat->n_forwards++];
    memset(f, 0, sizeof *f);      /* they are compared as bytes */
    f->leg = leg;
    f->protocol = listen->protocol;
    f->first = listen->first;
    f->last = listen->last;
    if (ip6_is_mapped4(&listen->address)) {
        f->listen = get_be32(&listen->address.b[12]);
    } else {
        f->listen6 = listen->address;
    }
}

static void
add_forwards(struct host_nat *nat, uint32_t leg, const struct intent *intent,
             const struct intent_uplink *uplink)
{
    INTENT_FOR_EACH_FORWARD (forward, intent) {
        if (intent_forward_uplink(forward) == uplink
            && nat->n_forwards < HOST_NAT_MAX_FORWARDS) {
            add_forward(nat, leg, forward);
        }
    }
}

void
uplink_nat_wanted(const struct intent *intent, const char *host_name,
                  struct host_nat *nat)
{
    *nat = (struct host_nat) { 0 };
    INTENT_FOR_EACH_UPLINK (uplink, intent) {
        if (uplink->is_host && intent_uplink_is_at(uplink, host_name)
            && nat->n_legs < HOST_NAT_MAX_LEGS
            && uplink_nat_is_used(intent, uplink)) {
            add_leg(nat, intent, uplink);
            add_forwards(nat, nat->n_legs - 1, intent, uplink);
        }
    }
}

/* ---- In force ---- */

struct uplink_nat *
uplink_nat_create(struct helper *helper)
{
    struct uplink_nat *nat = xzalloc(sizeof *nat);

    nat->helper = helper;
    nat->backoff = RETRY_MIN_MS;
    return nat;
}

void
uplink_nat_destroy(struct uplink_nat *nat)
{
    if (nat) {
        free(nat->wanted.forwards);
        str_fini(&nat->error);
        free(nat);
    }
}

static bool
is_same(const struct host_nat *a, const struct host_nat *b)
{
    return a->n_legs == b->n_legs && a->n_forwards == b->n_forwards
           && !memcmp(a->legs, b->legs, a->n_legs * sizeof *a->legs)
           && !(a->n_forwards
                && memcmp(a->forwards, b->forwards,
                          a->n_forwards * sizeof *a->forwards));
}

void
uplink_nat_set_intent(struct uplink_nat *nat, const struct intent *intent,
                      const char *host_name)
{
    struct host_nat wanted;

    uplink_nat_wanted(intent, host_name, &wanted);
    if (is_same(&nat->wanted, &wanted)) {
        free(wanted.forwards);
        return;
    }
    free(nat->wanted.forwards);
    nat->wanted = wanted;
    nat->is_due = true;
    nat->is_in_force = false;
    nat->retry_at = 0;
    nat->backoff = RETRY_MIN_MS;
}

msec
uplink_nat_run(struct uplink_nat *nat, msec now)
{
    struct str error = STR_INIT;
    int err;

    if (!nat->is_due || now < nat->retry_at) {
        return nat->is_due ? nat->retry_at : INT64_MAX;
    }
    err = helper_set_host_nat(nat->helper, &nat->wanted, &error);
    str_setf(&nat->error, "%s", !err        ? ""
                                : error.len ? str_text(&error)
                                            : strerror(-err));
    str_fini(&error);
    nat->is_due = err;
    nat->is_in_force = !err || err == -EADDRINUSE;
    if (!err) {
        nat->backoff = RETRY_MIN_MS;
        return INT64_MAX;
    }
    log_limited(LOG_LEVEL_ERROR, "host", "the host's NAT: %s",
                str_text(&nat->error));
    nat->retry_at = now + nat->backoff;
    nat->backoff = MIN(2 * nat->backoff, RETRY_MAX_MS);
    return nat->retry_at;
}

bool
uplink_nat_is_in_force(const struct uplink_nat *nat)
{
    return nat->is_in_force;
}

const struct host_nat *
uplink_nat_state(const struct uplink_nat *nat, const char **error)
{
    *error = str_text(&nat->error);
    return &nat->wanted;
}
