/* Frames behind a tunnel, each with two bytes of length in front: whatever they
 * are, what they become is sound, and holds their bytes. */
#include <stdlib.h>

#include "packet/offload.h"
#include "port/coalesce.h"
#include "port/gso.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PACKETS = 64 };

static void
check(struct packet *pkt)
{
    static uint8_t segment[65536 + 200];
    struct gso gso;

    if (pkt->offload.gso_size) {
        if (!offload_validate(pkt) || !gso_begin(&gso, pkt, true)) {
            abort();
        }
        while (gso_n_left(&gso)) {
            gso_write(&gso, segment);
        }
    }
    packet_free(pkt);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct packet_pool *pool;
    struct packet *pkts[MAX_PACKETS];
    struct coalesce c = { .slot = NULL };
    unsigned int n = 0;
    size_t n_bytes = 0, n_left = 0;

    if (!pool) {
        pool = packet_pool_create(2 * MAX_PACKETS, 2 * MAX_PACKETS);
    }
    while (size >= 2 && n < MAX_PACKETS) {
        uint32_t len = (uint32_t) (data[0] << 8 | data[1]);

        data += 2;
        size -= 2;
        len = (uint32_t) MIN(len, size);
        if (len >= 14 && !coalesce_append(&c, pool, data, len)) {
            pkts[n] = packet_alloc(pool, len);
            if (!pkts[n]) {
                abort();
            }
            memcpy(pkts[n]->data, data, len);
            pkts[n]->len = len;
            coalesce_begin(&c, &pkts[n++]);
        }
        n_bytes += len >= 14 ? len : 0;
        data += len;
        size -= len;
    }
    coalesce_end(&c);
    for (unsigned int i = 0; i < n; i++) {
        n_left += packet_wire_bytes(pkts[i]);
        check(pkts[i]);
    }
    if (n_left != n_bytes) {
        abort();
    }
    return 0;
}
