/* Fragments: together they are what was cut. */
#include "service/ip4_fragment.h"

#include <stdlib.h>

#include "frames.h"
#include "lib/str.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "unit.h"

struct pieces {
    uint16_t mtu;
    unsigned int n;
    size_t header_len;            /* of the first */
    size_t total;                 /* data so far */
    uint16_t first_ofs;           /* of the packet that was cut */
    bool is_last;
    uint8_t data[65536];
};

static void
on_piece(void *aux, const void *frame, size_t len)
{
    const uint8_t *packet = (const uint8_t *) frame + ETH_HEADER_LEN;
    struct pieces *p = aux;
    struct ip4_header ip;
    size_t header_len, data_len;

    memcpy(&ip, packet, sizeof ip);
    header_len = ip4_header_len(&ip);
    CHECK(ip4_is_sound(&ip, len - ETH_HEADER_LEN));
    CHECK(be16toh(ip.total_len) == len - ETH_HEADER_LEN);
    CHECK(len - ETH_HEADER_LEN <= p->mtu);
    CHECK(frame_sum(packet, header_len) == 0xffff);
    CHECK(!p->is_last);
    CHECK((size_t) (be16toh(ip.frag) & IP4_FRAG_OFS) * 8
          == p->total + p->first_ofs * 8u);
    data_len = len - ETH_HEADER_LEN - header_len;
    p->is_last = !(be16toh(ip.frag) & IP4_FRAG_MORE);
    CHECK(p->is_last || !(data_len % 8));
    memcpy(p->data + p->total, packet + header_len, data_len);
    p->total += data_len;
    p->n++;
}

TEST(pieces_fit_and_are_the_whole)
{
    static const uint16_t mtus[] = { 68, 576, 1280, 1400, 1500 };
    struct pieces *p = xzalloc(sizeof *p);

    for (unsigned int i = 0; i < 200; i++) {
        struct rng rng = { i };
        struct frame_spec spec = {
            .proto = IP_PROTO_UDP, .n_options = i % 3,
            .payload_len = 100 + i * 37,
        };
        uint8_t frame[10000];
        size_t len = frame_build(frame, &spec, &rng);
        size_t header_len = (frame[14] & 15) * 4u;

        frame[20] = frame[21] = 0;
        memset(p, 0, sizeof *p);
        p->mtu = mtus[i % ARRAY_SIZE(mtus)];
        CHECK(ip4_may_fragment(frame, len));
        ip4_fragment(frame, len, p->mtu, on_piece, p);
        CHECK(p->is_last && p->n >= 1);
        CHECK(p->total == len - ETH_HEADER_LEN - header_len);
        CHECK(!memcmp(p->data, frame + ETH_HEADER_LEN + header_len,
                      p->total));
    }
    free(p);
}

/* A fragment that is cut again is not the last when it was not. */
TEST(a_fragment_can_be_cut_again)
{
    struct frame_spec spec = { .proto = IP_PROTO_UDP, .payload_len = 792 };
    struct pieces *p = xzalloc(sizeof *p);
    struct rng rng = { 1 };
    uint8_t frame[2000];
    size_t len = frame_build(frame, &spec, &rng);

    frame[20] = 0x20;
    frame[21] = 10;
    p->mtu = 300;
    p->first_ofs = 10;
    ip4_fragment(frame, len, 300, on_piece, p);
    CHECK(!p->is_last && p->n == 3 && p->total == 800);
    free(p);
}

TEST(what_forbids_it_or_is_no_ipv4_is_not_cut)
{
    struct frame_spec spec = { .proto = IP_PROTO_UDP, .payload_len = 100 };
    struct rng rng = { 1 };
    uint8_t frame[2000];
    size_t len = frame_build(frame, &spec, &rng);

    frame[20] = 0x40;
    CHECK(!ip4_may_fragment(frame, len));
    frame[20] = 0;
    CHECK(ip4_may_fragment(frame, len));
    for (size_t n = 0; n < len; n++) {
        uint8_t *cut = xmemdup(frame, n);

        CHECK(!ip4_may_fragment(cut, n));
        free(cut);
    }
    spec.is_ip6 = true;
    len = frame_build(frame, &spec, &rng);
    CHECK(!ip4_may_fragment(frame, len));
}

static unsigned int n_copied, n_once;

static void
on_options(void *aux UNUSED, const void *frame, size_t len UNUSED)
{
    const uint8_t *packet = (const uint8_t *) frame + ETH_HEADER_LEN;
    size_t header_len = (packet[0] & 15) * 4u;

    for (size_t i = 20; i < header_len; i++) {
        n_copied += packet[i] == 0x94;
        n_once += packet[i] == 7;
    }
}

/* Router alert is for all pieces, a recorded route for the first. */
TEST(options_are_copied_that_say_so)
{
    static const uint8_t options[] = { 0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0,
                                       0 };
    struct frame_spec spec = { .proto = IP_PROTO_UDP, .n_options = 3,
                               .payload_len = 400 };
    struct rng rng = { 1 };
    uint8_t frame[2000];
    size_t len = frame_build(frame, &spec, &rng);

    frame[20] = frame[21] = 0;
    memcpy(frame + 34, options, sizeof options);
    frame[38] = 7;
    frame[39] = 7;
    n_copied = n_once = 0;
    ip4_fragment(frame, len, 200, on_options, NULL);
    CHECK(n_copied == 3 && n_once == 2);
}

TESTS(
    RUN(pieces_fit_and_are_the_whole),
    RUN(a_fragment_can_be_cut_again),
    RUN(what_forbids_it_or_is_no_ipv4_is_not_cut),
    RUN(options_are_copied_that_say_so),
)
