#include "packet/ecn.h"

#include "packet/checksum.h"
#include "unit.h"

enum { FRAME_LEN = 14 + 40 };

static struct packet *
make_frame(struct packet_pool *pool, bool is_ip6, uint8_t tos)
{
    static const uint8_t ip4[] = {
        0x45, 0, 0, 40, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    };
    struct packet *pkt = packet_alloc(pool, FRAME_LEN);
    uint8_t *ip = pkt->data + 14;

    memset(pkt->data, 0, FRAME_LEN);
    pkt->len = FRAME_LEN;
    memcpy(pkt->data + 12, is_ip6 ? "\x86\xdd" : "\x08\x00", 2);
    if (is_ip6) {
        ip[0] = (uint8_t) (0x60 | tos >> 4);
        ip[1] = (uint8_t) (tos << 4 | 0xa);       /* of the flow label */
    } else {
        memcpy(ip, ip4, sizeof ip4);
        ip[1] = tos;
        put_be16(ip + 10, checksum_fold(checksum_add(0, ip, sizeof ip4)));
    }
    return pkt;
}

/* RFC 6040, figure 4: rows are the inner header's bits, columns the outer's, in
 * the order Not-ECT, ECT(1), ECT(0), CE; -1: drop. */
static const int becomes[4][4] = {
    { 0, 0, 0, -1 },
    { 1, 1, 1, 3 },
    { 2, 1, 2, 3 },
    { 3, 3, 3, 3 },
};

TEST(marks_come_out_as_the_standard_says)
{
    struct packet_pool *pool = packet_pool_create(16, 2);

    for (unsigned int i = 0; i < 32; i++) {
        bool is_ip6 = i & 16;
        uint8_t inner = i >> 2 & 3, outer = i & 3;
        struct packet *pkt = make_frame(pool, is_ip6, 0xb8 | inner);
        uint8_t *ip = pkt->data + 14;

        CHECK(packet_ip_tos(pkt) == (0xb8 | inner));
        CHECK(packet_ecn_decapsulate(pkt, 0x20 | outer)
              == (becomes[inner][outer] >= 0));
        if (becomes[inner][outer] >= 0) {
            CHECK(packet_ip_tos(pkt) == (0xb8 | becomes[inner][outer]));
        }
        CHECK(is_ip6 ? (ip[1] & 0xf) == 0xa
                     : !checksum_fold(checksum_add(0, ip, 20)));
        packet_free(pkt);
    }
    packet_pool_destroy(pool);
}

TEST(what_is_no_ip_has_no_marks)
{
    struct packet_pool *pool = packet_pool_create(16, 2);
    struct packet *pkt = make_frame(pool, false, ECN_NOT);

    memcpy(pkt->data + 12, "\x08\x06", 2);
    CHECK(!packet_ip_tos(pkt) && packet_ecn_decapsulate(pkt, ECN_CE));
    memcpy(pkt->data + 12, "\x08\x00", 2);
    pkt->len = 14 + 19;
    CHECK(!packet_ip_tos(pkt) && packet_ecn_decapsulate(pkt, ECN_CE));
    packet_free(pkt);
    packet_pool_destroy(pool);
}

TEST(what_contradicts_its_ethertype_has_no_marks)
{
    struct packet_pool *pool = packet_pool_create(16, 2);

    for (unsigned int i = 0; i < 2; i++) {
        struct packet *pkt = make_frame(pool, i, 0x20 | ECN_ECT0);

        memcpy(pkt->data + 12, i ? "\x08\x00" : "\x86\xdd", 2);
        CHECK(!packet_ip_tos(pkt) && packet_ecn_decapsulate(pkt, ECN_CE));
        memcpy(pkt->data + 12, i ? "\x86\xdd" : "\x08\x00", 2);
        CHECK(packet_ip_tos(pkt) == (0x20 | ECN_ECT0));
        packet_free(pkt);
    }
    packet_pool_destroy(pool);
}

/* Only the version says which it is. */
TEST(marks_behind_a_label_come_out)
{
    struct packet_pool *pool = packet_pool_create(16, 2);

    for (unsigned int i = 0; i < 2; i++) {
        struct packet *pkt = make_frame(pool, i, ECN_ECT0);

        memmove(pkt->data + 18, pkt->data + 14, pkt->len - 14);
        pkt->len += 4;
        memcpy(pkt->data + 12, "\x88\x47\x00\x08\x87\xdd", 6);
        CHECK(packet_ecn_decapsulate(pkt, ECN_CE));
        CHECK(packet_ip_tos(pkt) == ECN_CE);
        packet_free(pkt);
    }
    packet_pool_destroy(pool);
}

TESTS(
    RUN(marks_behind_a_label_come_out),
    RUN(what_contradicts_its_ethertype_has_no_marks),
    RUN(marks_come_out_as_the_standard_says),
    RUN(what_is_no_ip_has_no_marks),
)
