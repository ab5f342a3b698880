#include "port/mailbox.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/str.h"

struct mailbox {
    /* Constant. */
    uint32_t mask;
    int fd;

    /* Producers: the next cell to claim. */
    _Atomic uint32_t tail __attribute__((aligned(CACHE_LINE)));

    /* Consumer: the next cell to take. */
    _Atomic uint32_t head __attribute__((aligned(CACHE_LINE)));
    /* The consumer may sleep: who resets it writes to fd. */
    atomic_bool armed;
    bool may_be_readable;         /* fd was or will be written */

    /* NULL: claimed but not filled yet, or free. */
    _Atomic(struct packet *) cells[] __attribute__((aligned(CACHE_LINE)));
};

struct mailbox *
mailbox_create(uint32_t size)
{
    uint32_t n = 1;
    struct mailbox *m;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0) {
        return NULL;
    }
    while (n < size) {
        n *= 2;
    }
    m = xzalloc_aligned(sizeof *m + n * sizeof m->cells[0]);
    m->mask = n - 1;
    m->fd = fd;
    return m;
}

void
mailbox_destroy(struct mailbox *m)
{
    struct batch batch = { 0 };

    if (!m) {
        return;
    }
    while (mailbox_pop(m, &batch)) {
        batch_free_all(&batch);
    }
    close(m->fd);
    free(m);
}

static unsigned int
claim(struct mailbox *m, unsigned int n, uint32_t *first)
{
    uint32_t tail = atomic_load_explicit(&m->tail, memory_order_relaxed);
    uint32_t n_free;

    do {
        n_free = m->mask + 1
                 - (tail - atomic_load_explicit(&m->head,
                                                memory_order_acquire));
        n = MIN(n, n_free);
        if (!n) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak_explicit(&m->tail, &tail, tail + n,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed));
    *first = tail;
    return n;
}

unsigned int
mailbox_push(struct mailbox *m, struct packet *const *pkts, unsigned int n)
{
    uint32_t first;
    uint64_t one = 1;

    n = n ? claim(m, n, &first) : 0;
    if (!n) {
        return 0;
    }
    /* The first cell last: it shows the consumer the whole run. */
    for (unsigned int i = n - 1; i > 0; i--) {
        atomic_store_explicit(&m->cells[(first + i) & m->mask], pkts[i],
                              memory_order_release);
    }
    /* In one order with mailbox_next(): either it sees the packet, or we see
     * that it is armed. */
    atomic_store(&m->cells[first & m->mask], pkts[0]);
    if (UNLIKELY(atomic_load(&m->armed)) && atomic_exchange(&m->armed, false)
        && write(m->fd, &one, sizeof one) < 0) {
        abort();              /* one at most is ever unread */
    }
    return n;
}

static void
disarm(struct mailbox *m)
{
    uint64_t value;

    /* When a producer disarmed, its write is done or about to be; until it was
     * read the descriptor must not be forgotten. */
    if (atomic_exchange(&m->armed, false)
        || read(m->fd, &value, sizeof value) > 0) {
        m->may_be_readable = false;
    }
}

unsigned int
mailbox_pop(struct mailbox *m, struct batch *batch)
{
    uint32_t head = atomic_load_explicit(&m->head, memory_order_relaxed);
    unsigned int n = 0;

    if (UNLIKELY(m->may_be_readable)) {
        disarm(m);
    }
    while (!batch_is_full(batch)) {
        _Atomic(struct packet *) *cell = &m->cells[(head + n) & m->mask];
        struct packet *pkt = atomic_load_explicit(cell, memory_order_acquire);

        if (!pkt) {
            break;
        }
        atomic_store_explicit(cell, NULL, memory_order_relaxed);
        batch_add(batch, pkt);
        n++;
    }
    if (n) {
        atomic_store_explicit(&m->head, head + n, memory_order_release);
    }
    return n;
}

static bool
has_packet(struct mailbox *m)
{
    uint32_t head = atomic_load_explicit(&m->head, memory_order_relaxed);

    return atomic_load(&m->cells[head & m->mask]);
}

usec
mailbox_next(struct mailbox *m)
{
    if (has_packet(m)) {
        return 0;
    }
    if (!m->may_be_readable) {
        m->may_be_readable = true;
        atomic_store(&m->armed, true);
        if (has_packet(m)) {
            return 0;
        }
    }
    return INT64_MAX;
}

int
mailbox_fd(const struct mailbox *m)
{
    return m->fd;
}
