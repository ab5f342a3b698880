/* Frames as a port hands them over: any bytes at all.
 *
 * The frame lies in a buffer of exactly its size, so that one byte read too far
 * is seen.  Beyond not crashing:
 *   - extraction reads nothing it did not write: the same key comes out of a
 *     struct full of ones and of one full of zeros;
 *   - the offsets it leaves lie inside the frame;
 *   - completing a checksum stays inside too, wherever the sender says that it
 *     starts (the first four bytes choose).
 *
 * Covers: src/packet/flow_key.c src/packet/ip6_ext.c src/packet/nd.h */
#include <stdlib.h>

#include "packet/checksum.h"
#include "packet/flow_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct packet
packet_of(uint8_t *frame, size_t size)
{
    return (struct packet) {
        .data = frame,
        .len = (uint32_t) size,
        .buf = frame,
        .buf_size = (uint32_t) size,
        .in_port = 7,
        .l2_5_ofs = PACKET_NO_OFS,
        .l3_ofs = PACKET_NO_OFS,
        .l4_ofs = PACKET_NO_OFS,
    };
}

static void
check_offsets(const struct packet *pkt)
{
    const uint16_t offsets[] = { pkt->l2_5_ofs, pkt->l3_ofs, pkt->l4_ofs };

    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        if (offsets[i] != PACKET_NO_OFS && offsets[i] > pkt->len) {
            abort();
        }
    }
    if (pkt->pad_len > pkt->len) {
        abort();
    }
}

static void
check_extraction(uint8_t *frame, size_t size)
{
    struct packet pkt = packet_of(frame, size);
    struct flow_key ones, zeros;
    int err;

    memset(&ones, 0xff, sizeof ones);
    memset(&zeros, 0, sizeof zeros);
    err = flow_key_extract(&pkt, &ones);
    if (err != flow_key_extract(&pkt, &zeros)) {
        abort();
    }
    if (err) {
        return;
    }
    check_offsets(&pkt);
    for (unsigned int i = 0; i < FLOW_KEY_WORDS; i++) {
        if (flow_key_word(&ones, i) != flow_key_word(&zeros, i)) {
            abort();
        }
    }
}

static void
check_completion(uint8_t *frame, size_t size)
{
    struct packet pkt = packet_of(frame, size);
    uint8_t last;

    if (size < 4) {
        return;
    }
    pkt.offload.flags = OFFLOAD_NEEDS_CSUM;
    pkt.offload.csum_start = (uint16_t) (frame[0] << 8 | frame[1]);
    pkt.offload.csum_offset = (uint16_t) (frame[2] << 8 | frame[3]);
    last = frame[size - 1];
    if (!packet_complete_checksum(&pkt)) {
        if (frame[size - 1] != last
            || pkt.offload.flags != OFFLOAD_NEEDS_CSUM) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *frame;

    if (size > PACKET_MAX_LEN) {
        return 0;
    }
    frame = malloc(size ? size : 1);
    memcpy(frame, data, size);
    check_extraction(frame, size);
    check_completion(frame, size);
    free(frame);
    return 0;
}
