#include "port/gso.h"

#include "frames.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "packet/offload.h"
#include "unit.h"

enum { MAX_SEGMENTS = 600 };

static struct packet_pool *
make_pool(void)
{
    return packet_pool_create(4 * MAX_SEGMENTS, 200);
}

/* A super-frame as a guest sends it, at random, validated. */
static struct packet *
make_super(struct packet_pool *pool, struct rng *rng)
{
    struct frame_spec spec = frame_random_super_spec(rng);
    struct packet *super = packet_alloc(pool, PACKET_MAX_LEN);
    size_t size;

    spec.payload_len = 2 + rng_below(rng, rng_one_in(rng, 50) ? 60000 : 3000);
    super->len = (uint32_t) frame_build(super->data, &spec, rng);
    frame_owe_checksum(super);
    size = 1 + spec.payload_len / (2 + rng_below(rng, 40));
    super->offload.gso_size = (uint16_t) MIN(size, spec.payload_len - 1);
    super->offload.gso_type = spec.proto == IP_PROTO_UDP ? GSO_UDP_L4
                              : spec.is_ip6 ? GSO_TCPV6 : GSO_TCPV4;
    CHECK(offload_validate(super));
    CHECK(packet_n_wire(super) > 1);
    return super;
}

struct segments {
    unsigned int n;
    struct packet *pkts[MAX_SEGMENTS];
};

static void
segment(const struct packet *super, bool complete, struct packet_pool *pool,
        struct segments *segs)
{
    struct gso gso;

    segs->n = 0;
    CHECK(gso_begin(&gso, super, complete));
    while (gso_n_left(&gso)) {
        struct batch batch = { 0 };

        CHECK(gso_next(&gso, pool, &batch) > 0);
        for (unsigned int i = 0; i < batch.n; i++) {
            CHECK(segs->n < MAX_SEGMENTS);
            segs->pkts[segs->n++] = batch.pkts[i];
        }
    }
}

static void
segments_free(struct segments *segs)
{
    for (unsigned int i = 0; i < segs->n; i++) {
        packet_free(segs->pkts[i]);
    }
}

TEST(segments_are_whole_and_carry_the_payload_in_order)
{
    struct packet_pool *pool = make_pool();
    struct rng rng = { 1 };

    for (int i = 0; i < 3000; i++) {
        struct packet *super = make_super(pool, &rng);
        const struct offload *ol = &super->offload;
        const uint8_t *payload = super->data + ol->hdr_len;
        bool is_tcp = ol->gso_type != GSO_UDP_L4;
        uint32_t seq = be32toh(get_be32(super->data + ol->csum_start + 4));
        struct segments segs;

        segment(super, true, pool, &segs);
        CHECK(segs.n == packet_n_wire(super));
        for (unsigned int j = 0; j < segs.n; j++) {
            const struct packet *seg = segs.pkts[j];
            uint32_t len = seg->len - ol->hdr_len;
            uint8_t flags = seg->data[ol->csum_start + 13];
            const char *why;

            CHECK(!seg->offload.flags && !seg->offload.gso_size);
            CHECK_MSG(frame_is_whole(seg->data, seg->len, &why),
                      "case %d, segment %u: %s", i, j, why);
            CHECK(len == ol->gso_size || j == segs.n - 1);
            CHECK(!memcmp(seg->data + ol->hdr_len, payload, len));
            payload += len;
            if (is_tcp) {
                uint8_t was = super->data[ol->csum_start + 13];

                CHECK(be32toh(get_be32(seg->data + ol->csum_start + 4))
                      == seq + j * ol->gso_size);
                CHECK((flags & 0x09) == (j == segs.n - 1 ? was & 0x09 : 0));
                CHECK((flags & 0x80) == (j ? 0 : was & 0x80));
                CHECK((flags & 0x76) == (was & 0x76));
            }
        }
        CHECK(payload == super->data + super->len);
        segments_free(&segs);
        packet_free(super);
    }
    CHECK(!packet_pool_in_use(pool));
    packet_pool_destroy(pool);
}

TEST(an_owed_segment_completes_to_the_complete_one)
{
    struct packet_pool *pool = make_pool();
    struct rng rng = { 2 };

    for (int i = 0; i < 2000; i++) {
        struct packet *super = make_super(pool, &rng);
        struct segments owed, whole;

        segment(super, false, pool, &owed);
        segment(super, true, pool, &whole);
        for (unsigned int j = 0; j < owed.n; j++) {
            struct packet *seg = owed.pkts[j];

            CHECK(seg->offload.flags == OFFLOAD_NEEDS_CSUM);
            CHECK(offload_validate(seg));
            CHECK(packet_complete_checksum(seg));
            CHECK(seg->len == whole.pkts[j]->len);
            CHECK(!memcmp(seg->data, whole.pkts[j]->data, seg->len));
        }
        segments_free(&owed);
        segments_free(&whole);
        packet_free(super);
    }
    packet_pool_destroy(pool);
}

/* Edits that a super-frame can meet: all but removing a label that it never
 * had, whose new Ethertype is anybody's guess. */
static struct edit
random_edit(struct rng *rng)
{
    struct edit edit;

    do {
        edit = edit_random(rng);
    } while (edit.kind == EDIT_MPLS_POP);
    return edit;
}

static void
extract(struct packet *pkt)
{
    struct flow_key key;

    CHECK(!flow_key_extract(pkt, &key));
}

TEST(edit_then_segment_equals_segment_then_edit)
{
    struct packet_pool *pool = make_pool();
    struct rng rng = { 3 };
    unsigned int n = 0;

    for (int i = 0; i < 20000; i++) {
        struct packet *super = make_super(pool, &rng);
        struct segments first, last;
        unsigned int n_edits = 1 + rng_below(&rng, 4);

        extract(super);
        segment(super, true, pool, &first);
        while (n_edits--) {
            struct edit edit = random_edit(&rng);
            bool done = edit_apply(super, &edit);

            for (unsigned int j = 0; j < first.n; j++) {
                CHECK_MSG(edit_apply(first.pkts[j], &edit) == done,
                          "case %d: %s", i, edit_name(&edit));
            }
        }
        segment(super, true, pool, &last);
        CHECK(first.n == last.n);
        for (unsigned int j = 0; j < first.n; j++) {
            CHECK_MSG(first.pkts[j]->len == last.pkts[j]->len
                      && !memcmp(first.pkts[j]->data, last.pkts[j]->data,
                                 first.pkts[j]->len),
                      "case %d, segment %u", i, j);
            n++;
        }
        segments_free(&first);
        segments_free(&last);
        packet_free(super);
    }
    CHECK(n >= 100000);
    packet_pool_destroy(pool);
}

TEST(an_exhausted_pool_is_reported_and_can_be_retried)
{
    struct packet_pool *pool = packet_pool_create(3, 1);
    struct rng rng = { 4 };
    struct frame_spec spec = { .proto = IP_PROTO_TCP, .payload_len = 5000 };
    struct packet *super = packet_alloc(pool, PACKET_MAX_LEN);
    struct batch batch = { 0 };
    struct gso gso;

    super->len = (uint32_t) frame_build(super->data, &spec, &rng);
    frame_owe_checksum(super);
    super->offload.gso_type = GSO_TCPV4;
    super->offload.gso_size = 1000;
    CHECK(offload_validate(super));
    CHECK(gso_begin(&gso, super, true));
    CHECK(gso_next(&gso, pool, &batch) == 3);
    CHECK(gso_next(&gso, pool, &batch) == -ENOBUFS);
    CHECK(gso_n_left(&gso) == 2);
    batch_free_all(&batch);
    CHECK(gso_next(&gso, pool, &batch) == 2);
    CHECK(gso_n_left(&gso) == 0);
    CHECK(gso_next(&gso, pool, &batch) == 0);
    batch_free_all(&batch);
    packet_free(super);
    packet_pool_destroy(pool);
}

TEST(offload_state_that_does_not_fit_is_refused)
{
    struct packet_pool *pool = make_pool();
    struct rng rng = { 5 };

    for (int i = 0; i < 200; i++) {
        struct packet *super = make_super(pool, &rng);
        struct offload good = super->offload;
        struct gso gso;

        super->offload.flags = 0;
        CHECK(!gso_begin(&gso, super, true));
        super->offload = good;
        super->offload.csum_start = 20;
        CHECK(!gso_begin(&gso, super, true));
        super->offload = good;
        super->offload.hdr_len = super->offload.csum_start;
        CHECK(!gso_begin(&gso, super, true));
        super->offload.hdr_len = (uint16_t) super->len;
        CHECK(!gso_begin(&gso, super, true));
        super->offload = good;
        put_be16(super->data + 12, htobe16(ETH_TYPE_ARP));
        CHECK(!gso_begin(&gso, super, true));
        packet_free(super);
    }
    packet_pool_destroy(pool);
}

TEST(a_consumer_is_asked_for_each_kind)
{
    static const struct {
        struct offload offload;
        unsigned int needs;
    } rows[] = {
        { { 0 }, 0 },
        { { .flags = OFFLOAD_DATA_VALID }, 0 },
        { { .flags = OFFLOAD_NEEDS_CSUM }, PORT_F_CSUM },
        { { .flags = OFFLOAD_NEEDS_CSUM, .gso_type = GSO_TCPV4,
            .gso_size = 9 }, PORT_F_CSUM | PORT_F_TSO4 },
        { { .flags = OFFLOAD_NEEDS_CSUM, .gso_type = GSO_TCPV6 | GSO_ECN,
            .gso_size = 9 }, PORT_F_CSUM | PORT_F_TSO6 },
        { { .flags = OFFLOAD_NEEDS_CSUM, .gso_type = GSO_UDP_L4,
            .gso_size = 9 }, PORT_F_CSUM | PORT_F_USO },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct packet pkt = { .offload = rows[i].offload,
                              .l2_5_ofs = PACKET_NO_OFS };

        for (unsigned int features = 0; features < 16; features++) {
            CHECK(gso_is_taken(&pkt, features)
                  == !(rows[i].needs & ~features));
        }
        pkt.l2_5_ofs = 14;
        CHECK(gso_is_taken(&pkt, 15) == !pkt.offload.gso_size);
    }
}

TESTS(
    RUN(segments_are_whole_and_carry_the_payload_in_order),
    RUN(an_owed_segment_completes_to_the_complete_one),
    RUN(edit_then_segment_equals_segment_then_edit),
    RUN(an_exhausted_pool_is_reported_and_can_be_retried),
    RUN(offload_state_that_does_not_fit_is_refused),
    RUN(a_consumer_is_asked_for_each_kind),
)
