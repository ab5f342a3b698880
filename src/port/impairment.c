#include "port/impairment.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "lib/rng.h"
#include "lib/str.h"
#include "packet/checksum.h"

/* pkt->time is when it is due; packets of one time leave in order of arrival. */
struct waiting {
    struct packet *pkt;
    uint64_t seq;
};

struct impairment {
    struct impairment_config config;
    struct impairment_counters counters;
    struct rng rng;
    uint64_t next_seq;
    uint32_t n;
    struct waiting heap[];        /* earliest first: a binary heap */
};

struct impairment *
impairment_create(const struct impairment_config *config)
{
    struct impairment *imp
        = xzalloc(sizeof *imp + config->limit * sizeof imp->heap[0]);

    imp->config = *config;
    imp->rng = (struct rng) { config->seed };
    return imp;
}

void
impairment_destroy(struct impairment *imp)
{
    if (imp) {
        for (uint32_t i = 0; i < imp->n; i++) {
            packet_free(imp->heap[i].pkt);
        }
        free(imp);
    }
}

static bool
is_before(const struct waiting *a, const struct waiting *b)
{
    return a->pkt->time != b->pkt->time ? a->pkt->time < b->pkt->time
                                        : a->seq < b->seq;
}

static void
heap_insert(struct impairment *imp, struct packet *pkt)
{
    struct waiting new = { pkt, imp->next_seq++ };
    uint32_t i = imp->n++;

    while (i && is_before(&new, &imp->heap[(i - 1) / 2])) {
        imp->heap[i] = imp->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    imp->heap[i] = new;
}

static struct packet *
heap_remove_first(struct impairment *imp)
{
    struct packet *first = imp->heap[0].pkt;
    struct waiting last = imp->heap[--imp->n];
    uint32_t i = 0, child;

    for (; (child = 2 * i + 1) < imp->n; i = child) {
        if (child + 1 < imp->n
            && is_before(&imp->heap[child + 1], &imp->heap[child])) {
            child++;
        }
        if (!is_before(&imp->heap[child], &last)) {
            break;
        }
        imp->heap[i] = imp->heap[child];
    }
    imp->heap[i] = last;
    return first;
}

static bool
happens(struct impairment *imp, uint64_t chance, _Atomic uint64_t *counter)
{
    if (!chance || rng_u32(&imp->rng) >= chance) {
        return false;
    }
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    return true;
}

/* One bit somewhere behind the Ethernet addresses. */
static void
corrupt(struct impairment *imp, struct packet *pkt)
{
    /* What is completed later would be right again. */
    packet_complete_checksum(pkt);
    if (pkt->len > 12) {
        uint32_t at = 12 + rng_below(&imp->rng, pkt->len - 12);

        pkt->data[at] ^= (uint8_t) (1 << rng_below(&imp->rng, 8));
    }
}

static usec
draw_delay(struct impairment *imp)
{
    const struct impairment_config *config = &imp->config;
    usec delay = config->delay;

    if (config->jitter) {
        delay += (usec) rng_below(&imp->rng,
                                  (uint32_t) (2 * config->jitter + 1))
                 - config->jitter;
    }
    return MAX(delay, 0);
}

/* One packet on the line: lost, or waiting for its time. */
static void
send_one(struct impairment *imp, struct packet *pkt, usec now)
{
    struct impairment_counters *counters = &imp->counters;
    bool overtakes;

    if (happens(imp, imp->config.loss, &counters->lost)) {
        packet_free(pkt);
        return;
    }
    if (imp->n == imp->config.limit) {
        atomic_fetch_add_explicit(&counters->over_limit, 1,
                                  memory_order_relaxed);
        packet_free(pkt);
        return;
    }
    if (happens(imp, imp->config.corrupt, &counters->corrupted)) {
        corrupt(imp, pkt);
    }
    overtakes = happens(imp, imp->config.reorder, &counters->reordered);
    pkt->time = (uint64_t) (overtakes ? now : now + draw_delay(imp));
    heap_insert(imp, pkt);
}

void
impairment_put(struct impairment *imp, struct packet *pkt,
               struct packet_pool *pool, usec now)
{
    struct packet *copy = NULL;

    if (happens(imp, imp->config.duplicate, &imp->counters.duplicated)) {
        copy = packet_clone(pool, pkt);
    }
    send_one(imp, pkt, now);
    if (copy) {
        send_one(imp, copy, now);
    }
}

unsigned int
impairment_take(struct impairment *imp, struct batch *batch, usec now)
{
    unsigned int n = 0;

    while (!batch_is_full(batch) && impairment_next(imp) <= now) {
        batch_add(batch, heap_remove_first(imp));
        n++;
    }
    return n;
}

usec
impairment_next(const struct impairment *imp)
{
    return imp->n ? (usec) imp->heap[0].pkt->time : INT64_MAX;
}

const struct impairment_counters *
impairment_read_counters(const struct impairment *imp)
{
    return &imp->counters;
}
