/* Packets meet the connection tracker. */
#include "datapath/worker.h"

enum { SWEEP_BUDGET = 256 };

static const enum drop_reason reasons[] = {
    [CT_FULL] = DROP_CT_FULL,
    [CT_ZONE_FULL] = DROP_CT_ZONE_FULL,
    [CT_NAT_NO_PORT] = DROP_NAT_NO_PORT,
    [CT_NAT_FAILED] = DROP_NAT_FAILED,
};

void
act_ct(struct worker *w, struct run *run, const struct dp_action_ct *a)
{
    enum ct_verdict verdicts[BATCH_MAX];
    unsigned int n_kept = 0;

    conntrack_execute(datapath_conntrack(w->dp), w->index, run->pkts, run->n,
                      &a->request, w->now_ms, verdicts);
    for (unsigned int i = 0; i < run->n; i++) {
        if (LIKELY(verdicts[i] == CT_PASS)) {
            run->pkts[n_kept] = run->pkts[i];
            run->keys[n_kept++] = run->keys[i];
        } else {
            worker_drop(w, run->pkts[i], reasons[verdicts[i]]);
        }
    }
    run->n = n_kept;
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
    if (w->swept != w->now_ms) {
        w->swept = w->now_ms;
        conntrack_sweep(datapath_conntrack(w->dp), w->index, SWEEP_BUDGET,
                        w->now_ms);
    }
}
