#include "port/helper_nat.h"

#include <stdlib.h>

#include "port/host_nat_keep.h"

struct helper_nat {
    struct host_nat_keep *keep;
    struct host_nat next;         /* what was said so far */
    bool is_set;                  /* by this main */
};

struct helper_nat *
helper_nat_create(const char *instance)
{
    struct helper_nat *nat = xzalloc(sizeof *nat);

    nat->keep = host_nat_keep_create(instance);
    return nat;
}

static void
forget(struct helper_nat *nat)
{
    free(nat->next.forwards);
    nat->next = (struct host_nat) { 0 };
}

void
helper_nat_destroy(struct helper_nat *nat, bool undo)
{
    forget(nat);
    if (undo) {
        host_nat_keep_set(nat->keep, &nat->next, NULL);
    }
    host_nat_keep_destroy(nat->keep);
    free(nat);
}

void
helper_nat_begin(struct helper_nat *nat)
{
    forget(nat);
    nat->is_set = false;
}

static int
add_leg(struct helper_nat *nat, const struct host_nat_leg *leg)
{
    if (nat->next.n_legs == HOST_NAT_MAX_LEGS) {
        return -ENOSPC;
    }
    if (!host_nat_leg_is_valid(leg)) {
        return -EINVAL;
    }
    nat->next.legs[nat->next.n_legs++] = *leg;
    return 0;
}

static int
add_forward(struct helper_nat *nat, const struct host_nat_forward *forward)
{
    unsigned int n = nat->next.n_forwards;

    if (n == HOST_NAT_MAX_FORWARDS) {
        return -ENOSPC;
    }
    if (!host_nat_forward_is_valid(forward, nat->next.n_legs)) {
        return -EINVAL;
    }
    if (!(n & (n - 1))) {
        nat->next.forwards = xrealloc(nat->next.forwards,
                                      MAX(1, 2 * n) * sizeof *forward);
    }
    nat->next.forwards[nat->next.n_forwards++] = *forward;
    return 0;
}

int
helper_nat_add(struct helper_nat *nat, const struct helper_request *request,
               struct str *error)
{
    int err = request->is_forward ? add_forward(nat, &request->forward)
                                  : add_leg(nat, &request->leg);

    if (err) {
        str_setf(error, err == -ENOSPC ? "more than the host's NAT has room "
                                         "for"
                                       : "bad leg or forward");
        forget(nat);
    }
    return err;
}

int
helper_nat_set(struct helper_nat *nat, struct str *error)
{
    int err = host_nat_keep_set(nat->keep, &nat->next, error);

    forget(nat);
    nat->is_set = true;
    return err;
}

void
helper_nat_settle(struct helper_nat *nat)
{
    struct host_nat nothing = { 0 };

    if (!nat->is_set) {
        host_nat_keep_set(nat->keep, &nothing, NULL);
    }
}

int
helper_nat_fd(const struct helper_nat *nat)
{
    return host_nat_keep_fd(nat->keep);
}

msec
helper_nat_run(struct helper_nat *nat, msec now)
{
    return host_nat_keep_run(nat->keep, now);
}
