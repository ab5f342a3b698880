#include "switch/port_hold.h"

#include <stdlib.h>

/* What a worker began, on its way to the control thread. */
struct begun {
    struct begun *next;
    struct port_hold hold;
};

/* A port that is held, or was not long ago. */
struct history {
    struct port_hold hold;
    bool is_held;
};

struct port_holds {
    _Atomic uint64_t held[DP_MAX_PORTS / 64];
    _Atomic uint32_t n_held;
    _Atomic(struct begun *) begun;      /* the last one first */

    unsigned int n;
    struct history list[PORT_HOLD_MAX];
};

struct port_holds *
port_holds_create(void)
{
    return xzalloc(sizeof(struct port_holds));
}

static struct begun *
take_begun(struct port_holds *holds)
{
    return atomic_exchange(&holds->begun, NULL);
}

void
port_holds_destroy(struct port_holds *holds)
{
    if (!holds) {
        return;
    }
    for (struct begun *b = take_begun(holds), *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(holds);
}

static uint64_t
bit_of(uint32_t port)
{
    return UINT64_C(1) << (port % 64);
}

bool
port_holds_has(const struct port_holds *holds, uint32_t port)
{
    return atomic_load_explicit(&holds->held[port / 64], memory_order_relaxed)
           & bit_of(port);
}

static void
release(struct port_holds *holds, uint32_t port)
{
    atomic_fetch_and(&holds->held[port / 64], ~bit_of(port));
    atomic_fetch_sub(&holds->n_held, 1);
}

bool
port_holds_begin(struct port_holds *holds, uint32_t port, uint32_t kept,
                 struct fdb_key station)
{
    struct begun *begun;

    assert(port && port < DP_MAX_PORTS);
    if (atomic_fetch_add(&holds->n_held, 1) >= PORT_HOLD_MAX
        || atomic_fetch_or(&holds->held[port / 64], bit_of(port))
               & bit_of(port)) {
        atomic_fetch_sub(&holds->n_held, 1);
        return false;
    }
    begun = xzalloc(sizeof *begun);
    begun->hold = (struct port_hold) {
        .port = port, .kept = kept, .station = station,
    };
    begun->next = atomic_load(&holds->begun);
    while (!atomic_compare_exchange_weak(&holds->begun, &begun->next,
                                         begun)) {
    }
    return true;
}

/* ---- Control thread ---- */

static struct history *
find(struct port_holds *holds, uint32_t port)
{
    for (unsigned int i = 0; i < holds->n; i++) {
        if (holds->list[i].hold.port == port) {
            return &holds->list[i];
        }
    }
    return NULL;
}

static void
forget(struct port_holds *holds, struct history *h)
{
    *h = holds->list[--holds->n];
}

/* As many are held as there are places, so some other is not. */
static struct history *
find_place(struct port_holds *holds)
{
    for (unsigned int i = 0; i < holds->n && holds->n == PORT_HOLD_MAX; i++) {
        if (!holds->list[i].is_held) {
            forget(holds, &holds->list[i]);
        }
    }
    holds->list[holds->n] = (struct history) { 0 };
    return &holds->list[holds->n++];
}

/* NULL: the port was forgotten while the worker said it. */
static const struct port_hold *
take(struct port_holds *holds, const struct port_hold *begun, msec now)
{
    struct history *h = find(holds, begun->port);
    msec length = h ? MIN(2 * h->hold.length, PORT_HOLD_LONGEST_MS)
                    : PORT_HOLD_FIRST_MS;

    if (!port_holds_has(holds, begun->port) || (h && h->is_held)) {
        return NULL;
    }
    h = h ? h : find_place(holds);
    h->hold = *begun;
    h->hold.length = length;
    h->hold.until = now + length;
    h->is_held = true;
    return &h->hold;
}

msec
port_holds_run(struct port_holds *holds, msec now,
               void (*tell)(void *aux, const struct port_hold *), void *aux)
{
    msec next = INT64_MAX;

    for (struct begun *b = take_begun(holds), *after; b; b = after) {
        const struct port_hold *hold = take(holds, &b->hold, now);

        if (hold) {
            tell(aux, hold);
        }
        after = b->next;
        free(b);
    }
    for (unsigned int i = holds->n; i-- > 0;) {
        struct history *h = &holds->list[i];

        if (h->is_held && h->hold.until <= now) {
            struct port_hold over = h->hold;

            over.is_over = true;
            h->is_held = false;
            release(holds, over.port);
            tell(aux, &over);
        } else if (!h->is_held
                   && h->hold.until + PORT_HOLD_QUIET_MS <= now) {
            forget(holds, h);
            continue;
        }
        next = MIN(next, h->hold.until
                             + (h->is_held ? 0 : PORT_HOLD_QUIET_MS));
    }
    return next;
}

const struct port_hold *
port_holds_find(const struct port_holds *holds, uint32_t port)
{
    for (unsigned int i = 0; i < holds->n; i++) {
        if (holds->list[i].hold.port == port && holds->list[i].is_held) {
            return &holds->list[i].hold;
        }
    }
    return NULL;
}

void
port_holds_forget(struct port_holds *holds, uint32_t port)
{
    struct begun *kept = NULL;
    struct history *h;

    for (struct begun *b = take_begun(holds), *next; b; b = next) {
        next = b->next;
        if (b->hold.port == port) {
            free(b);
            continue;
        }
        b->next = kept;
        kept = b;
    }
    /* Workers may have pushed meanwhile: behind those. */
    while (kept) {
        struct begun *b = kept;

        kept = b->next;
        b->next = atomic_load(&holds->begun);
        while (!atomic_compare_exchange_weak(&holds->begun, &b->next, b)) {
        }
    }
    if (port_holds_has(holds, port)) {
        release(holds, port);
    }
    h = find(holds, port);
    if (h) {
        forget(holds, h);
    }
}
