/* Packets meet the connection tracker. */
#include "datapath/worker.h"

enum { SWEEP_BUDGET = 256 };

static const enum drop_reason reasons[] = {
    [CT_FULL] = DROP_CT_FULL,
    [CT_ZONE_FULL] = DROP_CT_ZONE_FULL,
    [CT_NAT_NO_PORT] = DROP_NAT_NO_PORT,
    [CT_NAT_FAILED] = DROP_NAT_FAILED,
    [CT_FRAGMENT_BAD] = DROP_CT_FRAGMENT,
    [CT_FRAGMENT_FULL] = DROP_CT_FRAGMENTS_FULL,
};

/* Fragments that had waited go on with the others; their keys, which only a packet-in
 * would show, are the first one's. */
static void
join(struct worker *w, struct run *run, struct packet *waited)
{
    while (waited) {
        struct packet *pkt = waited;

        waited = pkt->next;
        if (run->n && run->n < BATCH_MAX) {
            run->pkts[run->n] = pkt;
            run->keys[run->n] = run->keys[0];
            run->n++;
        } else {
            worker_drop(w, pkt, DROP_CT_FRAGMENTS_FULL);
        }
    }
}

void
act_ct(struct worker *w, struct run *run, const struct dp_action_ct *a)
{
    enum ct_verdict verdicts[BATCH_MAX];
    unsigned int n_kept = 0;
    struct packet *waited;

    waited = conntrack_execute(datapath_conntrack(w->dp), w->index, run->pkts,
                               run->n, &a->request, w->now_ms, verdicts);
    for (unsigned int i = 0; i < run->n; i++) {
        if (LIKELY(verdicts[i] == CT_PASS)) {
            run->pkts[n_kept] = run->pkts[i];
            run->keys[n_kept++] = run->keys[i];
        } else if (verdicts[i] != CT_WAITS) {
            worker_drop(w, run->pkts[i], reasons[verdicts[i]]);
        }
    }
    run->n = n_kept;
    join(w, run, waited);
}

void
act_ct_clear(struct run *run)
{
    for (unsigned int i = 0; i < run->n; i++) {
        run->pkts[i]->ct_state = 0;
    }
}

void
act_ct_sweep(struct worker *w)
{
    struct conntrack *ct = datapath_conntrack(w->dp);
    struct packet *pkt, *next;

    if (w->swept == w->now_ms) {
        return;
    }
    w->swept = w->now_ms;
    conntrack_sweep(ct, w->index, SWEEP_BUDGET, w->now_ms);
    for (pkt = conntrack_give_up(ct, w->now_ms); pkt; pkt = next) {
        next = pkt->next;
        worker_drop(w, pkt, DROP_CT_FRAGMENT_TIME);
    }
}
