#include "api/capture_ring.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "lib/str.h"

/* In front of each record.  `state` is 0 while the record is being written: the
 * reader clears what it frees, so that old bytes, which guests chose, are never
 * taken for a state. */
struct header {
    _Atomic uint32_t state;
    uint32_t len;                 /* of the record, without this and padding */
};

enum { WRITING, COMMITTED, SKIP };

struct capture_ring {
    size_t size;
    char *bytes;
    /* Both only grow; the place is modulo size. */
    _Atomic uint64_t head __attribute__((aligned(CACHE_LINE)));
    _Atomic uint64_t tail __attribute__((aligned(CACHE_LINE)));
};

struct capture_ring *
capture_ring_create(size_t size)
{
    struct capture_ring *ring = xzalloc_aligned(sizeof *ring);

    ring->size = size;
    /* Pages that no frame needs are never touched. */
    ring->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring->bytes == MAP_FAILED) {
        free(ring);
        return NULL;
    }
    return ring;
}

void
capture_ring_destroy(struct capture_ring *ring)
{
    if (ring) {
        munmap(ring->bytes, ring->size);
        free(ring);
    }
}

static uint64_t
record_size(uint32_t len)
{
    return (sizeof(struct header) + (uint64_t) len + 7) & ~(uint64_t) 7;
}

static struct header *
header_at(struct capture_ring *ring, uint64_t place)
{
    return (struct header *) (void *) (ring->bytes
                                       + (place & (ring->size - 1)));
}

void *
capture_ring_reserve(struct capture_ring *ring, uint32_t len)
{
    uint64_t need = record_size(len);
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    struct header *header;
    uint64_t skip;

    do {
        uint64_t to_end = ring->size - (head & (ring->size - 1));

        /* A record lies in one piece: what is left at the end is skipped. */
        skip = need > to_end ? to_end : 0;
        if (head + skip + need
                - atomic_load_explicit(&ring->tail, memory_order_acquire)
            > ring->size) {
            return NULL;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &ring->head, &head, head + skip + need, memory_order_relaxed,
        memory_order_relaxed));

    if (skip) {
        header = header_at(ring, head);
        header->len = (uint32_t) (skip - sizeof *header);
        atomic_store_explicit(&header->state, SKIP, memory_order_release);
    }
    header = header_at(ring, head + skip);
    header->len = len;
    return header + 1;
}

void
capture_ring_commit(void *record)
{
    struct header *header = (struct header *) record - 1;

    atomic_store_explicit(&header->state, COMMITTED, memory_order_release);
}

const void *
capture_ring_first(struct capture_ring *ring, uint32_t *len)
{
    for (;;) {
        uint64_t tail = atomic_load_explicit(&ring->tail,
                                             memory_order_relaxed);
        struct header *header = header_at(ring, tail);

        if (tail == atomic_load_explicit(&ring->head, memory_order_acquire)) {
            return NULL;
        }
        switch (atomic_load_explicit(&header->state, memory_order_acquire)) {
        case WRITING:
            return NULL;
        case COMMITTED:
            *len = header->len;
            return header + 1;
        default:
            capture_ring_free_first(ring);
        }
    }
}

void
capture_ring_free_first(struct capture_ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    struct header *header = header_at(ring, tail);
    uint64_t size = record_size(header->len);

    memset(header, 0, size);
    atomic_store_explicit(&ring->tail, tail + size, memory_order_release);
}
