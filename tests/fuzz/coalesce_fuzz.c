/* Frames behind a tunnel, each with two bytes of length in front: whatever they
 * are, what they become is sound, and its segments are they, in order.
 *
 * Covers: src/port/coalesce.c */
#include <stdlib.h>

#include "packet/ip.h"
#include "packet/offload.h"
#include "port/coalesce.h"
#include "port/gso.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PACKETS = 64, MAX_FRAMES = 4096 };

struct frame {
    const uint8_t *bytes;
    uint32_t len;
};

/* Clears what a segment may have of its own: checksums (one that was owed is
 * complete now) and the identification that nobody needs. */
static void
forget(uint8_t *segment, const struct offload *ol)
{
    if (ol->gso_type == GSO_TCPV4) {
        uint8_t *ip = segment + ol->csum_start - sizeof(struct ip4_header);

        put_be16(ip + offsetof(struct ip4_header, id), 0);
        put_be16(ip + offsetof(struct ip4_header, csum), 0);
    }
    put_be16(segment + ol->csum_start + TCP_CSUM_OFS, 0);
}

/* Returns the frame after those that the packet is made of. */
static const struct frame *
check_super(const struct packet *pkt, const struct frame *frame)
{
    static uint8_t segment[PACKET_MAX_LEN], was[PACKET_MAX_LEN];
    struct gso gso;

    if (!gso_begin(&gso, pkt, true)) {
        abort();
    }
    for (; gso_n_left(&gso); frame++) {
        uint32_t len = gso_write(&gso, segment);

        /* The first may have lost padding, see check(). */
        if (gso.n_done > 1 ? len != frame->len : len > frame->len) {
            abort();
        }
        memcpy(was, frame->bytes, len);
        forget(was, &pkt->offload);
        forget(segment, &pkt->offload);
        if (memcmp(segment, was, len)) {
            abort();
        }
    }
    return frame;
}

static const struct frame *
check(struct packet *pkt, const struct frame *frame)
{
    if (!offload_validate(pkt)) {
        abort();
    }
    if (pkt->offload.gso_size) {
        return check_super(pkt, frame);
    }
    /* Less padding, where a checksum is owed. */
    if (pkt->len > frame->len || memcmp(pkt->data, frame->bytes, pkt->len)) {
        abort();
    }
    return frame + 1;
}

static struct packet *
make_packet(struct packet_pool *pool, const struct frame *frame)
{
    struct packet *pkt = packet_alloc(pool, frame->len);

    if (!pkt) {
        abort();
    }
    memcpy(pkt->data, frame->bytes, frame->len);
    pkt->len = frame->len;
    offload_find_owed(pkt, UINT16_MAX);
    return pkt;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct packet_pool *pool;
    static struct frame frames[MAX_FRAMES];
    struct packet *pkts[MAX_PACKETS];
    struct coalesce c = { .slot = NULL };
    const struct frame *frame = frames;
    unsigned int n = 0, n_frames = 0;

    if (!pool) {
        pool = packet_pool_create(2 * MAX_PACKETS, 2 * MAX_PACKETS);
    }
    while (size >= 2 && n < MAX_PACKETS && n_frames < MAX_FRAMES) {
        uint32_t len = (uint32_t) (data[0] << 8 | data[1]);
        struct frame *next = &frames[n_frames];

        *next = (struct frame) { data + 2,
                                 (uint32_t) MIN(len, size - 2) };
        data += 2 + next->len;
        size -= 2 + next->len;
        if (next->len < 14) {
            continue;
        }
        n_frames++;
        if (!coalesce_append(&c, pool, next->bytes, next->len)) {
            pkts[n] = make_packet(pool, next);
            coalesce_begin(&c, &pkts[n++]);
        }
    }
    coalesce_end(&c);
    for (unsigned int i = 0; i < n; i++) {
        frame = check(pkts[i], frame);
        packet_free(pkts[i]);
    }
    if (frame != frames + n_frames) {
        abort();
    }
    return 0;
}
