/* Packets that a gateway does not send on, as guests may send them, and answers
 * of neighbours.
 *
 * What is told is a whole, sound frame about what was sent; pieces fit and are
 * sound, and together they are as long as the whole.
 *
 * Covers: src/service/icmp_error.c src/service/ip4_fragment.c
 * Covers: src/service/neighbour.c */
#include <stdlib.h>

#include "packet/ip.h"
#include "service/icmp_error.h"
#include "service/ip4_fragment.h"
#include "service/neighbour.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_ip(const uint8_t *frame, size_t len)
{
    if (len < 14
        || !(frame[12] == 0x08 ? ip4_is_sound((const void *) (frame + 14),
                                              len - 14)
                               : ip6_is_sound((const void *) (frame + 14),
                                              len - 14))) {
        abort();
    }
}

static void
fuzz_error(const uint8_t *data, size_t size)
{
    static const struct icmp_gateway gateway = {
        { { 2, 0, 0, 0, 0, 1 } }, 0x0100000a, { { 0xfd, [15] = 1 } },
    };

    for (unsigned int trouble = 0; trouble < N_ICMP_TROUBLES; trouble++) {
        struct icmp_reply reply;
        enum icmp_verdict verdict = icmp_error_make(
            &gateway, (enum icmp_trouble) trouble, 1300, data, size, &reply);

        if ((verdict == ICMP_TOLD) != (reply.len > 0)
            || reply.len > sizeof reply.frame) {
            abort();
        }
        if (reply.len) {
            check_ip(reply.frame, reply.len);
        }
    }
}

struct pieces {
    size_t total;                 /* of their data */
    uint16_t mtu;
};

static void
on_piece(void *aux, const void *frame, size_t len)
{
    struct pieces *pieces = aux;
    const uint8_t *packet = (const uint8_t *) frame + 14;

    check_ip(frame, len);
    if (len - 14 > pieces->mtu) {
        abort();
    }
    pieces->total += len - 14 - (packet[0] & 15) * 4u;
}

static void
fuzz_fragment(const uint8_t *data, size_t size)
{
    static const uint16_t mtus[] = { 68, 576, 1300 };

    if (!ip4_may_fragment(data, size)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(mtus); i++) {
        struct pieces pieces = { 0, mtus[i] };
        struct ip4_header ip;

        memcpy(&ip, data + 14, sizeof ip);
        ip4_fragment(data, size, mtus[i], on_piece, &pieces);
        if (pieces.total != be16toh(ip.total_len) - ip4_header_len(&ip)) {
            abort();
        }
    }
}

/* Who has told where it is, can be asked again. */
static void
fuzz_neighbour(const uint8_t *data, size_t size)
{
    static const struct neighbour_asker asker = {
        { { 2, 0, 0, 0, 0, 1 } }, 0x0100000a, { { 0xfe, 0x80, [15] = 1 } },
    };
    uint8_t frame[NEIGHBOUR_FRAME_MAX];
    struct ip6_addr who;
    struct eth_addr mac;

    if (!neighbour_told(data, size, &who, &mac)) {
        return;
    }
    if (mac.b[0] & 1
        || neighbour_ask(&asker, &who, NULL, frame) > sizeof frame
        || neighbour_ask(&asker, &who, &mac, frame) > sizeof frame
        || neighbour_told(frame, sizeof frame, &who, &mac)) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_error(data, size);
    fuzz_fragment(data, size);
    fuzz_neighbour(data, size);
    return 0;
}
