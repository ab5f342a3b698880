#include "switch/packet_in.h"

#include <stdlib.h>

#include "lib/rcu.h"
#include "openflow/action.h"
#include "packet/checksum.h"

enum { DEFAULT_PER_PORT = 256, DEFAULT_MAX = 8192, N_REASONS = 8 };
static_assert((int) N_REASONS > (int) REASON_PACKET_OUT, "packet_in_put: a rate for each");

struct item {
    struct item *next;
    struct packet_in msg;         /* last: bytes follow */
};

/* A port's packets.  Put: pushed on `arrived`, a stack.  Taken: the stack is
 * taken whole, turned round into `ready`.
 *
 * `listed` says that the port is on the list of ports with packets; who turns it
 * on pushes the port. */
struct port_queue {
    _Atomic(struct item *) arrived;
    struct item *ready;           /* taker */
    _Atomic uint32_t n;
    atomic_bool listed;
    struct port_queue *next;
    _Atomic nsec full_until[N_REASONS];   /* see is_within_rate() */
#define X(NAME, TEXT) _Atomic uint64_t NAME;
    PACKET_IN_COUNTERS(X)
#undef X
};

struct packet_in_queue {
    struct packet_in_config config;
    _Atomic nsec interval;        /* between packets of a rate; 0: none */
    _Atomic uint32_t n;
    _Atomic(struct port_queue *) ports_arrived;
    struct port_queue *ports_head, *ports_tail;   /* taker: in turn */
    struct port_queue ports[DP_MAX_PORTS];
};

struct packet_in_queue *
packet_in_queue_create(const struct packet_in_config *config)
{
    /* Touched as ports use it. */
    struct packet_in_queue *q = xcalloc(1, sizeof *q);

    q->config = *config;
    if (!q->config.max_per_port) {
        q->config.max_per_port = DEFAULT_PER_PORT;
    }
    if (!q->config.max) {
        q->config.max = DEFAULT_MAX;
    }
    return q;
}

void
packet_in_queue_destroy(struct packet_in_queue *q)
{
    struct packet_in *msg;

    if (!q) {
        return;
    }
    while ((msg = packet_in_take(q))) {
        packet_in_free(msg);
    }
    free(q);
}

/* Ports outside of the data path (a packet-out's) share place 0. */
static struct port_queue *
queue_of(struct packet_in_queue *q, uint32_t port)
{
    return &q->ports[port < DP_MAX_PORTS ? port : 0];
}

static bool
reserve(_Atomic uint32_t *n, uint32_t max)
{
    if (atomic_fetch_add(n, 1) < max) {
        return true;
    }
    atomic_fetch_sub(n, 1);
    return false;
}

void
packet_in_set_rate(struct packet_in_queue *q, uint32_t per_second)
{
    atomic_store(&q->interval, per_second ? 1000000000 / per_second : 0);
}

bool
packet_in_has_rate(const struct packet_in_queue *q)
{
    return atomic_load_explicit(&q->interval, memory_order_relaxed);
}

/* A token bucket kept as one number, the time at which it will be full again:
 * each packet moves it on by an interval, and may not move it further ahead of
 * now than the bucket is deep. */
static bool
is_within_rate(const struct packet_in_queue *q, struct port_queue *pq,
               unsigned int reason, nsec now)
{
    enum { DEPTH = 100000000 };   /* ns */
    nsec interval = atomic_load_explicit(&q->interval, memory_order_relaxed);
    _Atomic nsec *full_until = &pq->full_until[reason % N_REASONS];
    nsec was = atomic_load(full_until), next;

    if (!interval) {
        return true;
    }
    do {
        next = MAX(was, now) + interval;
        if (next > now + MAX(interval, DEPTH)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(full_until, &was, next));
    return true;
}

static void
push_item(struct port_queue *pq, struct item *item)
{
    struct item *first = atomic_load(&pq->arrived);

    do {
        item->next = first;
    } while (!atomic_compare_exchange_weak(&pq->arrived, &first, item));
}

/* Returns whether the list was empty. */
static bool
list_port(struct packet_in_queue *q, struct port_queue *pq)
{
    struct port_queue *first;

    if (atomic_exchange(&pq->listed, true)) {
        return false;
    }
    first = atomic_load(&q->ports_arrived);
    do {
        pq->next = first;
    } while (!atomic_compare_exchange_weak(&q->ports_arrived, &first, pq));
    return !first;
}

/* The bytes as a packet of their own, to complete the checksum in. */
static void
copy_bytes(struct packet_in *msg, const struct packet *pkt)
{
    struct packet copy = *pkt;

    memcpy(msg->data, pkt->data, pkt->len);
    copy.data = copy.buf = msg->data;
    copy.buf_size = pkt->len;
    if (copy.offload.flags & OFFLOAD_NEEDS_CSUM && !copy.offload.gso_size) {
        packet_complete_checksum(&copy);
    }
}

bool
packet_in_put(struct packet_in_queue *q, const struct packet *pkt,
              const struct flow_key *key, const struct flow *pipeline,
              const struct dp_action_controller *action, nsec now)
{
    struct port_queue *pq = queue_of(q, pkt->in_port);
    struct item *item;
    struct packet_in *msg;

    if (!is_within_rate(q, pq, action->reason, now)) {
        atomic_fetch_add(&pq->limited, 1);
        return false;
    }
    if (!reserve(&q->n, q->config.max)) {
        atomic_fetch_add(&pq->dropped, 1);
        return false;
    }
    if (!reserve(&pq->n, q->config.max_per_port)) {
        atomic_fetch_sub(&q->n, 1);
        atomic_fetch_add(&pq->dropped, 1);
        return false;
    }

    item = xmalloc(sizeof *item + pkt->len);
    msg = &item->msg;
    msg->in_port = pkt->in_port;
    msg->reason = action->reason;
    msg->table = action->table;
    msg->controller_id = action->controller_id;
    msg->cookie = action->cookie;
    flow_from_key(&msg->flow, key);
    for (unsigned int i = FLOW_KEY_WORDS; pipeline && i < FLOW_WORDS; i++) {
        msg->flow.w[i] = pipeline->w[i];
    }
    msg->total_len = pkt->len;
    msg->len = action->max_len == OFPCML_NO_BUFFER
               ? pkt->len : MIN(pkt->len, action->max_len);
    copy_bytes(msg, pkt);

    atomic_fetch_add(&pq->queued, 1);
    push_item(pq, item);
    if (list_port(q, pq) && q->config.ready) {
        q->config.ready(q->config.aux);
    }
    return true;
}

/* ---- Taker ---- */

/* Appends the ports that arrived, in the order they came. */
static void
take_ports(struct packet_in_queue *q)
{
    struct port_queue *stack = atomic_exchange(&q->ports_arrived, NULL);
    struct port_queue *first = NULL, *last = stack;

    while (stack) {
        struct port_queue *pq = stack;

        stack = pq->next;
        pq->next = first;
        first = pq;
    }
    if (!first) {
        return;
    }
    if (q->ports_tail) {
        q->ports_tail->next = first;
    } else {
        q->ports_head = first;
    }
    q->ports_tail = last;
}

static struct item *
take_item(struct port_queue *pq)
{
    struct item *item;

    if (!pq->ready) {
        struct item *stack = atomic_exchange(&pq->arrived, NULL);

        while (stack) {
            item = stack;
            stack = item->next;
            item->next = pq->ready;
            pq->ready = item;
        }
    }
    item = pq->ready;
    if (item) {
        pq->ready = item->next;
    }
    return item;
}

static struct port_queue *
next_port(struct packet_in_queue *q)
{
    struct port_queue *pq;

    take_ports(q);
    pq = q->ports_head;
    if (pq) {
        q->ports_head = pq->next;
        if (!q->ports_head) {
            q->ports_tail = NULL;
        }
        pq->next = NULL;
    }
    return pq;
}

static void
append_port(struct packet_in_queue *q, struct port_queue *pq)
{
    if (q->ports_tail) {
        q->ports_tail->next = pq;
    } else {
        q->ports_head = pq;
    }
    q->ports_tail = pq;
}

struct packet_in *
packet_in_take(struct packet_in_queue *q)
{
    struct port_queue *pq;

    while ((pq = next_port(q))) {
        struct item *item = take_item(pq);

        if (!item) {
            /* Unlisted first, then looked at again: what was put in between is
             * either seen here or lists the port itself. */
            atomic_store(&pq->listed, false);
            if (atomic_load(&pq->arrived)) {
                list_port(q, pq);
            }
            continue;
        }
        append_port(q, pq);
        atomic_fetch_sub(&pq->n, 1);
        atomic_fetch_sub(&q->n, 1);
        atomic_fetch_add(&pq->taken, 1);
        return &item->msg;
    }
    return NULL;
}

void
packet_in_free(struct packet_in *msg)
{
    if (msg) {
        free(CONTAINER_OF(msg, struct item, msg));
    }
}

void
packet_in_read_counters(const struct packet_in_queue *q, uint32_t port,
                        struct packet_in_counters *counters)
{
    uint32_t first = port, end = port + 1;

    if (!port) {
        first = 0;
        end = DP_MAX_PORTS;
    }
    memset(counters, 0, sizeof *counters);
    for (uint32_t i = first; i < end; i++) {
#define X(NAME, TEXT) counters->NAME += atomic_load(&q->ports[i].NAME);
        PACKET_IN_COUNTERS(X)
#undef X
    }
}
