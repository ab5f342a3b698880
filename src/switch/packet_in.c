#include "switch/packet_in.h"

#include <stdlib.h>

#include "lib/rcu.h"
#include "openflow/action.h"
#include "packet/checksum.h"
#include "switch/port_map.h"

enum {
    /* What a port may send while the control thread waits for a processor. */
    DEFAULT_PER_PORT = 2048,
    DEFAULT_MAX = 16384,
    BYTES_PER_PORT = 4 << 20,
    BYTES_MAX = 64 << 20,
    N_REASONS = 8,
};
static_assert((int) N_REASONS > (int) REASON_PACKET_OUT, "packet_in_put: a rate for each");

struct item {
    struct item *next;
    uint32_t size;                /* of all of it */
    struct packet_in msg;         /* last: bytes follow */
};

/* What waits. */
struct backlog {
    _Atomic uint32_t packets, bytes;
};

/* A port's packets.  Put: pushed on `arrived`, a stack.  Taken: the stack is
 * taken whole, turned round into `ready`.
 *
 * `listed` says that the port is on the list of ports with packets; who turns it
 * on pushes the port. */
struct port_queue {
    _Atomic(struct item *) arrived;
    struct item *ready;           /* taker */
    struct backlog backlog;
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
    struct backlog backlog;
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

/* One packet may exceed the bytes. */
static bool
reserve(struct backlog *b, uint32_t size, uint32_t max, uint32_t max_bytes)
{
    if (atomic_fetch_add(&b->packets, 1) < max) {
        if (atomic_fetch_add(&b->bytes, size) < max_bytes) {
            return true;
        }
        atomic_fetch_sub(&b->bytes, size);
    }
    atomic_fetch_sub(&b->packets, 1);
    return false;
}

static void
release(struct backlog *b, uint32_t size)
{
    atomic_fetch_sub(&b->bytes, size);
    atomic_fetch_sub(&b->packets, 1);
}

static bool
reserve_both(struct packet_in_queue *q, struct port_queue *pq, uint32_t size)
{
    if (!reserve(&q->backlog, size, q->config.max, BYTES_MAX)) {
        return false;
    }
    if (!reserve(&pq->backlog, size, q->config.max_per_port,
                 BYTES_PER_PORT)) {
        release(&q->backlog, size);
        return false;
    }
    return true;
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

static bool
needs_checksum(const struct packet *pkt)
{
    return pkt->offload.flags & OFFLOAD_NEEDS_CSUM && !pkt->offload.gso_size;
}

/* The bytes as a packet of their own, to complete the checksum in. */
static void
copy_bytes(struct packet_in *msg, const struct packet *pkt, uint32_t len)
{
    struct packet copy = *pkt;

    memcpy(msg->data, pkt->data, len);
    if (needs_checksum(pkt)) {
        copy.data = copy.buf = msg->data;
        copy.buf_size = pkt->len;
        packet_complete_checksum(&copy);
    }
}

bool
packet_in_put(struct packet_in_queue *q, const struct packet *pkt,
              const struct flow_key *key, const struct packet_in_extra *extra,
              const struct dp_action_controller *action, nsec now)
{
    struct port_queue *pq = queue_of(q, pkt->in_port);
    struct item *item;
    struct packet_in *msg;
    uint32_t len, n_copied, size;

    if (!is_within_rate(q, pq, action->reason, now)) {
        atomic_fetch_add(&pq->limited, 1);
        return false;
    }
    /* What is paused is needed whole. */
    len = action->max_len == OFPCML_NO_BUFFER || extra->paused_id
          ? pkt->len : MIN(pkt->len, action->max_len);
    /* A checksum is over all of it. */
    n_copied = needs_checksum(pkt) ? pkt->len : len;
    size = (uint32_t) sizeof *item + n_copied + extra->userdata_len;
    if (!reserve_both(q, pq, size)) {
        atomic_fetch_add(&pq->dropped, 1);
        return false;
    }

    item = xmalloc(size);
    item->size = size;
    msg = &item->msg;
    msg->in_port = port_number(pkt->in_port);
    msg->reason = action->reason;
    msg->table = action->table;
    msg->controller_id = action->controller_id;
    msg->cookie = action->cookie;
    port_map_flow(&msg->flow, key);
    for (unsigned int i = 0; extra->value && i < FLOW_WORDS; i++) {
        msg->flow.w[i] = (msg->flow.w[i] & ~extra->known->bits.w[i])
                         | extra->value->w[i];
    }
    msg->paused_id = extra->paused_id;
    msg->paused_token = extra->paused_token;
    msg->total_len = pkt->len;
    msg->len = len;
    copy_bytes(msg, pkt, n_copied);
    msg->userdata_ofs = n_copied;
    msg->userdata_len = extra->userdata_len;
    if (extra->userdata_len) {
        memcpy(msg->data + n_copied, extra->userdata, extra->userdata_len);
    }

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
        release(&pq->backlog, item->size);
        release(&q->backlog, item->size);
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
    uint32_t first = port_id(port), end = first + 1;

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
