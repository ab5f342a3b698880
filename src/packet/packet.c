#include "packet/packet.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/str.h"

/* Distance between buffers: a cache line more than a power of two, so that the
 * headers of many packets do not meet in one cache set. */
enum {
    SMALL_STRIDE = PACKET_HEADROOM + PACKET_SMALL_ROOM + CACHE_LINE,
    BIG_STRIDE = (PACKET_HEADROOM + PACKET_MAX_LEN + 4095) / 4096 * 4096
                 + CACHE_LINE * 5,
};

/* Free packets of one size; the most recently used first, being in cache. */
struct free_list {
    struct packet *head;
    unsigned int n_free, n_total;
    struct packet *headers;
    uint8_t *memory;
    size_t memory_size;
};

struct packet_pool {
    struct free_list small, big;
    /* Freed by other threads; the owner takes the whole stack when it runs
     * dry. */
    _Atomic(struct packet *) returned;
    _Atomic(const void *) owner;
};

/* Its address names the calling thread. */
static _Thread_local char thread_marker;

static void
free_list_init(struct free_list *list, struct packet_pool *pool,
               unsigned int n, size_t stride, uint32_t buf_size, bool big)
{
    list->n_total = list->n_free = n;
    list->memory_size = n * stride;
    if (!n) {
        return;
    }
    list->headers = xzalloc_aligned(n * sizeof *list->headers);
    list->memory = mmap(NULL, list->memory_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (list->memory == MAP_FAILED) {
        abort();
    }
    for (unsigned int i = n; i-- > 0;) {
        struct packet *pkt = &list->headers[i];

        pkt->buf = list->memory + i * stride;
        pkt->buf_size = buf_size;
        pkt->big = big;
        pkt->pool = pool;
        pkt->next = list->head;
        list->head = pkt;
    }
}

static void
free_list_fini(struct free_list *list)
{
    if (list->n_total) {
        munmap(list->memory, list->memory_size);
        free(list->headers);
    }
}

struct packet_pool *
packet_pool_create(unsigned int n_small, unsigned int n_big)
{
    struct packet_pool *pool = xzalloc_aligned(sizeof *pool);

    free_list_init(&pool->small, pool, n_small, SMALL_STRIDE,
                   PACKET_HEADROOM + PACKET_SMALL_ROOM, false);
    free_list_init(&pool->big, pool, n_big, BIG_STRIDE,
                   PACKET_HEADROOM + PACKET_MAX_LEN, true);
    packet_pool_adopt(pool);
    return pool;
}

void
packet_pool_adopt(struct packet_pool *pool)
{
    atomic_store(&pool->owner, &thread_marker);
}

static void
put(struct packet_pool *pool, struct packet *pkt)
{
    struct free_list *list = pkt->big ? &pool->big : &pool->small;

    pkt->next = list->head;
    list->head = pkt;
    list->n_free++;
}

static void
take_returned(struct packet_pool *pool)
{
    struct packet *pkt = atomic_exchange_explicit(&pool->returned, NULL,
                                                  memory_order_acquire);

    while (pkt) {
        struct packet *next = pkt->next;

        put(pool, pkt);
        pkt = next;
    }
}

unsigned int
packet_pool_in_use(const struct packet_pool *pool)
{
    unsigned int n = pool->small.n_total - pool->small.n_free
                     + pool->big.n_total - pool->big.n_free;
    const struct packet *pkt = atomic_load(&pool->returned);

    for (; pkt; pkt = pkt->next) {
        n--;
    }
    return n;
}

void
packet_pool_destroy(struct packet_pool *pool)
{
    if (!pool) {
        return;
    }
    take_returned(pool);
    assert(!packet_pool_in_use(pool));
    free_list_fini(&pool->small);
    free_list_fini(&pool->big);
    free(pool);
}

struct packet *
packet_alloc(struct packet_pool *pool, uint32_t room)
{
    struct free_list *list = room <= PACKET_SMALL_ROOM ? &pool->small
                                                       : &pool->big;
    struct packet *pkt;

    if (UNLIKELY(!list->head)) {
        take_returned(pool);
        if (!list->head) {
            list = &pool->big;
        }
        if (!list->head || room > PACKET_MAX_LEN) {
            return NULL;
        }
    }
    pkt = list->head;
    list->head = pkt->next;
    list->n_free--;

    pkt->data = pkt->buf + PACKET_HEADROOM;
    pkt->len = 0;
    pkt->in_port = 0;
    pkt->l2_5_ofs = pkt->l3_ofs = pkt->l4_ofs = PACKET_NO_OFS;
    pkt->pad_len = 0;
    pkt->offload = (struct offload) { 0 };
    pkt->ct_state = 0;
    pkt->tun.family = TUNNEL_NONE;
    pkt->recirc_id = 0;
    pkt->hash = 0;
    pkt->n_trunc = 0;
    pkt->next = NULL;
    return pkt;
}

void
packet_free(struct packet *pkt)
{
    struct packet_pool *pool = pkt->pool;

    if (LIKELY(atomic_load_explicit(&pool->owner, memory_order_relaxed)
               == &thread_marker)) {
        put(pool, pkt);
    } else {
        struct packet *head = atomic_load_explicit(&pool->returned,
                                                   memory_order_relaxed);

        do {
            pkt->next = head;
        } while (!atomic_compare_exchange_weak_explicit(
                     &pool->returned, &head, pkt, memory_order_release,
                     memory_order_relaxed));
    }
}

struct packet *
packet_clone(struct packet_pool *pool, const struct packet *pkt)
{
    struct packet *copy = packet_alloc(pool, pkt->len);

    if (!copy) {
        return NULL;
    }
    memcpy(copy->data, pkt->data, pkt->len);
    copy->len = pkt->len;
    packet_copy_metadata(copy, pkt);
    return copy;
}
