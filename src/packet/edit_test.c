#include "packet/edit.h"

#include "frames.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"
#include "unit.h"

enum { N_CASES = 300000, MAX_FRAME = 1024 };

/* A packet in memory of its own. */
struct lone_packet {
    struct packet pkt;
    uint8_t buf[PACKET_HEADROOM + MAX_FRAME];
};

static void
lone_packet_init(struct lone_packet *lone, size_t len)
{
    lone->pkt = (struct packet) {
        .data = lone->buf + PACKET_HEADROOM, .len = (uint32_t) len,
        .buf = lone->buf, .buf_size = sizeof lone->buf,
    };
}

static void
lone_packet_build(struct lone_packet *lone, const struct frame_spec *spec,
                  struct rng *rng)
{
    size_t len = frame_build(lone->buf + PACKET_HEADROOM, spec, rng);

    lone_packet_init(lone, len);
}

static void
lone_packet_copy(struct lone_packet *to, const struct lone_packet *from)
{
    *to = *from;
    to->pkt.buf = to->buf;
    to->pkt.data = to->buf + (from->pkt.data - from->buf);
}

static struct flow
flow_of(const struct packet *pkt)
{
    struct packet copy = *pkt;
    struct flow_key key;
    struct flow flow;

    memset(&key, 0xff, sizeof key);
    flow_key_extract(&copy, &key);
    flow_from_key(&flow, &key);
    return flow;
}

static void
extract(struct packet *pkt)
{
    struct flow_key key;

    CHECK(!flow_key_extract(pkt, &key));
}

static bool
same_bytes(const struct packet *a, const struct packet *b)
{
    return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* What the edit makes of the flow, by the table of fields alone. */
static void
edit_flow(struct flow *flow, const struct edit *edit)
{
    const struct field *field = field_by_id(edit->field);

    field_set(field, flow, edit->value, edit->mask);
    if (edit->field == FIELD_VLAN_VID) {
        flow->key.vlan_tci |= htobe16(FLOW_VLAN_PRESENT);
    }
    if (field->prereq == PREREQ_NONE && edit->field != FIELD_ETH_DST
        && edit->field != FIELD_ETH_SRC
        && !(flow->key.vlan_tci & htobe16(FLOW_VLAN_PRESENT))) {
        flow->key.vlan_tci = 0;
    }
}

TEST(a_set_field_reads_back_and_changes_nothing_else)
{
    struct rng rng = { 1 };
    unsigned int n_set[N_FIELDS] = { 0 };

    for (int i = 0; i < N_CASES; i++) {
        struct frame_spec spec = frame_random_spec(&rng);
        struct edit edit = edit_random(&rng);
        const struct field *field = field_by_id(edit.field);
        struct lone_packet lone;
        struct flow before, after;
        const char *why;

        lone_packet_build(&lone, &spec, &rng);
        if (rng_one_in(&rng, 6)) {
            extract(&lone.pkt);
            packet_mpls_push(&lone.pkt, ETH_TYPE_MPLS,
                             rng_u32(&rng) | MPLS_BOS);
        } else if (rng_one_in(&rng, 8)) {
            packet_pbb_push(&lone.pkt, rng_u32(&rng));
        }
        extract(&lone.pkt);
        before = flow_of(&lone.pkt);
        edit.kind = EDIT_SET_FIELD;
        if ((field->prereq == PREREQ_NONE && field->n_bits < 48
             && (spec.n_vlans > 1 || edit.value & 1))
            || edit.field == FIELD_ICMPV6_TYPE
            || edit.field == FIELD_ICMPV6_CODE) {
            continue;         /* change what follows: tests of their own */
        }
        if (!edit_apply(&lone.pkt, &edit)) {
            /* ND: the option may be missing. */
            CHECK_MSG(!field_prereq_met(field, &before)
                      || edit.field == FIELD_ND_SLL
                      || edit.field == FIELD_ND_TLL,
                      "case %d: %s refused", i, field->name);
            continue;
        }
        CHECK_MSG(field_prereq_met(field, &before), "case %d: %s", i,
                  field->name);
        n_set[edit.field]++;
        edit_flow(&before, &edit);
        after = flow_of(&lone.pkt);
        if (after.key.vlan_tci && !before.key.vlan_tpid) {
            before.key.vlan_tpid = htobe16(ETH_TYPE_VLAN);
        } else if (!after.key.vlan_tci) {
            before.key.vlan_tpid = 0;
        }
        CHECK_MSG(!memcmp(&before, &after, sizeof before),
                  "case %d: %s reads back wrong", i, field->name);
        CHECK_MSG(frame_is_whole(lone.pkt.data, lone.pkt.len, &why),
                  "case %d: %s: %s is wrong", i, field->name, why);
    }
    for (unsigned int id = 0; id < N_FIELDS; id++) {
        const struct field *field = field_by_id(id);
        bool skipped = id == FIELD_ICMPV6_TYPE || id == FIELD_ICMPV6_CODE;

        CHECK_MSG(!(field->flags & FIELD_WIRE) || skipped
                  || n_set[id] > N_CASES / 20000,
                  "%s: set only %u times", field->name, n_set[id]);
    }
}

TEST(fields_that_are_not_on_the_wire_are_refused)
{
    struct rng rng = { 2 };
    struct frame_spec spec = { .proto = IP_PROTO_TCP };
    struct lone_packet lone, was;

    lone_packet_build(&lone, &spec, &rng);
    extract(&lone.pkt);
    lone_packet_copy(&was, &lone);
    for (unsigned int id = 0; id < N_FIELDS; id++) {
        if (!(field_by_id(id)->flags & FIELD_WIRE)) {
            CHECK(!packet_set_field(&lone.pkt, id, 1, ~(u128) 0));
        }
    }
    CHECK(same_bytes(&lone.pkt, &was.pkt));
}

TEST(random_edits_keep_every_checksum_right)
{
    struct rng rng = { 3 };
    unsigned int n_done[N_EDITS] = { 0 };

    for (int i = 0; i < N_CASES; i++) {
        struct frame_spec spec = frame_random_spec(&rng);
        struct lone_packet lone;

        lone_packet_build(&lone, &spec, &rng);
        extract(&lone.pkt);
        for (int j = 0; j < 3; j++) {
            struct edit edit = edit_random(&rng);
            struct lone_packet was;
            const char *why;

            lone_packet_copy(&was, &lone);
            if (!edit_apply(&lone.pkt, &edit)) {
                CHECK_MSG(same_bytes(&lone.pkt, &was.pkt),
                          "case %d: refused %s changed the packet", i,
                          edit_name(&edit));
                continue;
            }
            n_done[edit.kind]++;
            if (lone.pkt.l3_ofs == PACKET_NO_OFS
                || edit.kind == EDIT_MPLS_POP) {
                break;        /* may name another protocol than it carries */
            }
            CHECK_MSG(frame_is_whole(lone.pkt.data, lone.pkt.len, &why),
                      "case %d: %s: %s is wrong", i, edit_name(&edit), why);
        }
    }
    for (unsigned int kind = 0; kind < N_EDITS; kind++) {
        CHECK_MSG(n_done[kind] > N_CASES / 1000, "edit %u: %u times", kind,
                  n_done[kind]);
    }
}

/* The property that lets an owed checksum travel through any list of edits. */
TEST(rewrite_then_complete_equals_complete_then_rewrite)
{
    struct rng rng = { 4 };
    int n = 0;

    for (int i = 0; i < N_CASES; i++) {
        struct frame_spec spec = frame_random_spec(&rng);
        struct lone_packet owed, whole;
        size_t l4_ofs;

        spec.no_udp_csum = spec.first_fragment = false;
        spec.pad_len = 0;     /* cut when such a packet is received */
        lone_packet_build(&owed, &spec, &rng);
        if (!frame_csum_ofs(owed.pkt.data, owed.pkt.len, &l4_ofs)) {
            continue;
        }
        n++;
        extract(&owed.pkt);
        lone_packet_copy(&whole, &owed);
        frame_owe_checksum(&owed.pkt);
        for (unsigned int j = 1 + rng_below(&rng, 4); j > 0; j--) {
            struct edit edit = edit_random(&rng);
            bool done = edit_apply(&owed.pkt, &edit);

            CHECK_MSG(done == edit_apply(&whole.pkt, &edit),
                      "case %d: %s", i, edit_name(&edit));
            if (edit.kind == EDIT_MPLS_POP && done) {
                break;        /* the type it names need not be the real one */
            }
        }
        CHECK(packet_complete_checksum(&owed.pkt));
        CHECK_MSG(same_bytes(&owed.pkt, &whole.pkt),
                  "case %d: proto %d", i, spec.proto);
    }
    CHECK(n > 100000);
}

TEST(offsets_move_with_the_data)
{
    struct rng rng = { 5 };

    for (int i = 0; i < 20000; i++) {
        struct frame_spec spec = frame_random_spec(&rng);
        struct lone_packet lone, was;

        spec.n_vlans = rng_below(&rng, 2);
        lone_packet_build(&lone, &spec, &rng);
        extract(&lone.pkt);
        lone_packet_copy(&was, &lone);

        CHECK(packet_vlan_push(&lone.pkt, ETH_TYPE_QINQ, 7));
        was.pkt = lone.pkt;
        extract(&lone.pkt);
        CHECK(lone.pkt.l3_ofs == was.pkt.l3_ofs);
        CHECK(lone.pkt.l4_ofs == was.pkt.l4_ofs);

        CHECK(packet_mpls_push(&lone.pkt, ETH_TYPE_MPLS, MPLS_BOS));
        CHECK(lone.pkt.l2_5_ofs == was.pkt.l3_ofs);
        CHECK(packet_mpls_push(&lone.pkt, ETH_TYPE_MPLS, 0));
        CHECK(lone.pkt.l2_5_ofs == was.pkt.l3_ofs);
        CHECK(packet_mpls_pop(&lone.pkt, ETH_TYPE_MPLS));
        CHECK(packet_mpls_pop(&lone.pkt, !spec.proto ? ETH_TYPE_ARP
                              : spec.is_ip6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP));
        CHECK(lone.pkt.l2_5_ofs == PACKET_NO_OFS);
        CHECK(lone.pkt.l3_ofs == was.pkt.l3_ofs);
        CHECK(lone.pkt.l4_ofs == was.pkt.l4_ofs);
        CHECK(lone.pkt.pad_len == was.pkt.pad_len);
    }
}

TEST(setting_a_vid_on_an_untagged_packet_pushes_a_tag)
{
    struct rng rng = { 6 };
    struct frame_spec spec = { .proto = IP_PROTO_UDP };
    struct lone_packet lone;

    lone_packet_build(&lone, &spec, &rng);
    extract(&lone.pkt);
    CHECK(packet_set_field(&lone.pkt, FIELD_VLAN_VID, 0x1005, 0x1fff));
    CHECK(get_be16(lone.pkt.data + 12) == htobe16(ETH_TYPE_VLAN));
    CHECK(get_be16(lone.pkt.data + 14) == htobe16(5));
    CHECK(lone.pkt.l3_ofs == 18);
    CHECK(packet_set_field(&lone.pkt, FIELD_VLAN_PCP, 6, 7));
    CHECK(get_be16(lone.pkt.data + 14) == htobe16(0xc005));
    CHECK(packet_set_field(&lone.pkt, FIELD_VLAN_TCI, 0, 0xffff));
    CHECK(lone.pkt.l3_ofs == 14);
    CHECK(!packet_set_field(&lone.pkt, FIELD_VLAN_PCP, 6, 7));
}

TEST(a_rewritten_tag_keeps_its_drop_eligible_bit)
{
    struct rng rng = { 7 };
    struct frame_spec spec = { .proto = IP_PROTO_UDP, .n_vlans = 1 };
    struct lone_packet lone;

    lone_packet_build(&lone, &spec, &rng);
    put_be16(lone.pkt.data + 14, htobe16(0x1001));
    extract(&lone.pkt);
    CHECK(packet_set_field(&lone.pkt, FIELD_VLAN_VID, 0x1005, 0x1fff));
    CHECK(get_be16(lone.pkt.data + 14) == htobe16(0x1005));
    put_be16(lone.pkt.data + 14, htobe16(0x0001));
    CHECK(packet_set_field(&lone.pkt, FIELD_VLAN_VID, 0x1005, 0x1fff));
    CHECK(get_be16(lone.pkt.data + 14) == htobe16(0x0005));
}

TEST(a_last_ttl_is_not_decremented)
{
    struct rng rng = { 8 };

    for (unsigned int ttl = 0; ttl < 4; ttl++) {
        for (unsigned int ip6 = 0; ip6 < 2; ip6++) {
            struct frame_spec spec = { .proto = IP_PROTO_UDP, .is_ip6 = ip6 };
            struct lone_packet lone;

            lone_packet_build(&lone, &spec, &rng);
            extract(&lone.pkt);
            CHECK(packet_set_field(&lone.pkt, FIELD_IP_TTL, ttl, 0xff));
            CHECK(packet_dec_ttl(&lone.pkt) == (ttl > 1));
            CHECK(flow_of(&lone.pkt).key.nw_ttl
                  == (ttl > 1 ? ttl - 1 : ttl));
        }
    }
}

TEST(ttl_is_copied_between_the_two_outermost_headers)
{
    struct rng rng = { 9 };
    struct frame_spec spec = { .proto = IP_PROTO_TCP };
    struct lone_packet lone;
    uint8_t *lse;

    lone_packet_build(&lone, &spec, &rng);
    extract(&lone.pkt);
    CHECK(packet_set_field(&lone.pkt, FIELD_IP_TTL, 64, 0xff));
    CHECK(!packet_copy_ttl_out(&lone.pkt));
    CHECK(packet_mpls_push(&lone.pkt, ETH_TYPE_MPLS, MPLS_BOS | 9));
    CHECK(packet_copy_ttl_out(&lone.pkt));
    lse = lone.pkt.data + 14;
    CHECK(lse[3] == 64);
    CHECK(packet_dec_mpls_ttl(&lone.pkt));
    CHECK(packet_copy_ttl_in(&lone.pkt));
    CHECK(frame_is_whole(lone.pkt.data, lone.pkt.len, NULL));
    CHECK(packet_mpls_push(&lone.pkt, ETH_TYPE_MPLS, 0));
    CHECK(packet_copy_ttl_out(&lone.pkt));
    CHECK(lone.pkt.data[14 + 3] == 63);
    CHECK(packet_mpls_pop(&lone.pkt, ETH_TYPE_MPLS));
    CHECK(packet_mpls_pop(&lone.pkt, ETH_TYPE_IP));
    CHECK(flow_of(&lone.pkt).key.nw_ttl == 63);
}

TEST(what_lies_below_a_label_stack_is_out_of_reach)
{
    struct rng rng = { 10 };
    struct frame_spec spec = { .proto = IP_PROTO_TCP };
    struct lone_packet lone;

    lone_packet_build(&lone, &spec, &rng);
    extract(&lone.pkt);
    CHECK(packet_mpls_push(&lone.pkt, ETH_TYPE_MPLS, 0x0800 | MPLS_BOS));
    CHECK(!packet_set_field(&lone.pkt, FIELD_IPV4_SRC, 1, ~(u128) 0));
    CHECK(!packet_set_field(&lone.pkt, FIELD_TCP_DST, 1, ~(u128) 0));
    CHECK(!packet_dec_ttl(&lone.pkt));
}

TEST(a_packet_without_headroom_is_not_tagged)
{
    struct rng rng = { 11 };
    struct frame_spec spec = { .proto = IP_PROTO_TCP };
    struct lone_packet lone;

    lone_packet_build(&lone, &spec, &rng);
    extract(&lone.pkt);
    lone.pkt.buf = lone.pkt.data - 3;
    lone.pkt.buf_size = (uint32_t) (sizeof lone.buf - PACKET_HEADROOM + 3);
    CHECK(!packet_vlan_push(&lone.pkt, ETH_TYPE_VLAN, 1));
    CHECK(!packet_mpls_push(&lone.pkt, ETH_TYPE_MPLS, MPLS_BOS));
    CHECK(!packet_set_field(&lone.pkt, FIELD_VLAN_VID, 0x1001, 0x1fff));
}

TEST(a_wrong_sctp_checksum_stays_wrong)
{
    struct rng rng = { 12 };
    struct frame_spec spec = { .proto = IP_PROTO_SCTP, .payload_len = 40 };
    struct lone_packet lone;

    lone_packet_build(&lone, &spec, &rng);
    extract(&lone.pkt);
    lone.pkt.data[lone.pkt.l4_ofs + 20] ^= 1;
    CHECK(packet_set_field(&lone.pkt, FIELD_SCTP_DST, 80, 0xffff));
    CHECK(!frame_is_whole(lone.pkt.data, lone.pkt.len, NULL));
    lone.pkt.data[lone.pkt.l4_ofs + 20] ^= 1;
    CHECK(frame_is_whole(lone.pkt.data, lone.pkt.len, NULL));
}

TESTS(
    RUN(a_set_field_reads_back_and_changes_nothing_else),
    RUN(fields_that_are_not_on_the_wire_are_refused),
    RUN(random_edits_keep_every_checksum_right),
    RUN(rewrite_then_complete_equals_complete_then_rewrite),
    RUN(offsets_move_with_the_data),
    RUN(setting_a_vid_on_an_untagged_packet_pushes_a_tag),
    RUN(a_rewritten_tag_keeps_its_drop_eligible_bit),
    RUN(a_last_ttl_is_not_decremented),
    RUN(ttl_is_copied_between_the_two_outermost_headers),
    RUN(what_lies_below_a_label_stack_is_out_of_reach),
    RUN(a_packet_without_headroom_is_not_tagged),
    RUN(a_wrong_sctp_checksum_stays_wrong),
)
