/* Frames with a virtio-net header, as a guest hands them over.
 *
 * The input is that header (little endian, 10 bytes) and the frame, which ends
 * where its memory ends.  Of what offload_validate() lets pass:
 *   - completing the checksum changes nothing of the flow key;
 *   - a super-frame can be segmented, into as many segments as it counts as,
 *     each with nothing owed and of the same flow.
 * What it would not let pass is refused or does no harm when it is segmented all
 * the same.
 *
 * Covers: src/packet/offload.c src/datapath/gso.c */
#include <stdlib.h>

#include "port/gso.h"
#include "packet/checksum.h"
#include "packet/flow.h"
#include "packet/offload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VNET_LEN = 10 };

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct flow
flow_of(const struct packet *pkt)
{
    struct packet copy = *pkt;
    struct flow_key key;
    struct flow flow;

    require(!flow_key_extract(&copy, &key));
    flow_from_key(&flow, &key);
    flow.key.tcp_flags = 0;       /* FIN, PSH and CWR differ by segment */
    return flow;
}

static void
check_segments(const struct packet *super, struct packet_pool *pool)
{
    struct flow flow = flow_of(super);
    uint32_t n = 0, payload = 0;
    struct gso gso;

    require(gso_begin(&gso, super, true));
    while (gso_n_left(&gso)) {
        struct batch batch = { .n = 0 };

        require(gso_next(&gso, pool, &batch) > 0);
        for (unsigned int i = 0; i < batch.n; i++) {
            struct flow segment = flow_of(batch.pkts[i]);

            require(!memcmp(&segment, &flow, sizeof flow));
            require(!batch.pkts[i]->offload.flags);
            payload += batch.pkts[i]->len - super->offload.hdr_len;
        }
        n += batch.n;
        batch_free_all(&batch);
    }
    require(n == packet_n_wire(super));
    require(payload == super->len - super->offload.hdr_len);
}

static void
check_unvalidated(const struct packet *super, struct packet_pool *pool)
{
    struct gso gso;

    if (gso_is_taken(super, 0) || !gso_begin(&gso, super, false)) {
        return;
    }
    while (gso_n_left(&gso)) {
        struct batch batch = { .n = 0 };

        require(gso_next(&gso, pool, &batch) > 0);
        batch_free_all(&batch);
    }
}

static void
check_completion(struct packet *pkt)
{
    struct flow before = flow_of(pkt), after;

    require(packet_complete_checksum(pkt));
    after = flow_of(pkt);
    require(!memcmp(&before, &after, sizeof before));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = size - VNET_LEN;
    struct packet_pool *pool;
    struct packet pkt;
    uint8_t *frame;

    if (size <= VNET_LEN || len > PACKET_MAX_LEN) {
        return 0;
    }
    frame = malloc(len);
    memcpy(frame, data + VNET_LEN, len);
    pkt = (struct packet) {
        .data = frame, .len = (uint32_t) len, .buf = frame,
        .buf_size = (uint32_t) len,
        .offload = {
            .flags = data[0], .gso_type = data[1],
            .hdr_len = (uint16_t) (data[2] | data[3] << 8),
            .gso_size = (uint16_t) (data[4] | data[5] << 8),
            .csum_start = (uint16_t) (data[6] | data[7] << 8),
            .csum_offset = (uint16_t) (data[8] | data[9] << 8),
        },
    };
    pool = packet_pool_create(BATCH_MAX, BATCH_MAX);
    check_unvalidated(&pkt, pool);
    if (offload_validate(&pkt)) {
        require(pkt.len <= len);
        if (pkt.offload.gso_size) {
            check_segments(&pkt, pool);
        } else if (pkt.offload.flags & OFFLOAD_NEEDS_CSUM) {
            check_completion(&pkt);
        }
    }
    packet_pool_destroy(pool);
    free(frame);
    return 0;
}
