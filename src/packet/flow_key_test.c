#include "packet/flow_key.h"

#include "frames.h"
#include "packet/eth.h"
#include "packet/field.h"
#include "unit.h"

#include "scapy_frames.h"

/* What has no row in the table of fields. */
static bool
set_odd_field(struct flow *flow, const char *name, uint16_t value)
{
    if (!strcmp(name, "vlan_tpid")) {
        flow->key.vlan_tpid = htobe16(value);
    } else if (!strcmp(name, "inner_tpid")) {
        flow->key.vlan_inner.tpid = htobe16(value);
    } else if (!strcmp(name, "inner_tci")) {
        flow->key.vlan_inner.tci = htobe16(value);
    } else if (!strcmp(name, "lse1") || !strcmp(name, "lse2")) {
        flow->key.mpls_lse[name[3] - '0'] = htobe32(value);
    } else {
        return false;
    }
    return true;
}

/* "FIELD=VALUE,..." as a flow; everything else is zero. */
static void
read_key(const char *text, struct flow *flow)
{
    char *copy = strdup(text), *save = NULL;

    memset(flow, 0, sizeof *flow);
    for (char *word = strtok_r(copy, ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        char *value_text = strchr(word, '=');
        struct str error = STR_INIT;
        u128 value, mask;

        *value_text++ = '\0';
        if (set_odd_field(flow, word,
                          (uint16_t) strtoul(value_text, NULL, 0))) {
            continue;
        }
        CHECK_MSG(field_by_name(word), "%s", word);
        CHECK_MSG(!field_parse(field_by_name(word), value_text, &value, &mask,
                               &error), "%s", str_text(&error));
        field_set(field_by_name(word), flow, value, mask);
    }
    free(copy);
}

static void
explain(const char *name, const struct flow *is, const struct flow *expected)
{
    for (unsigned int i = 0; i < FLOW_KEY_WORDS; i++) {
        if (is->w[i] != expected->w[i]) {
            print_error("%s: word %u is %016llx, not %016llx\n", name, i,
                        (unsigned long long) be64toh(is->w[i]),
                        (unsigned long long) be64toh(expected->w[i]));
        }
    }
}

static int
ofs_or_none(uint16_t ofs)
{
    return ofs == PACKET_NO_OFS ? -1 : ofs;
}

TEST(frames_of_another_implementation_have_the_keys_they_should)
{
    for (size_t i = 0; i < ARRAY_SIZE(scapy_frames); i++) {
        const struct scapy_frame *f = &scapy_frames[i];
        struct packet pkt = { .data = (uint8_t *) f->bytes,
                              .len = (uint32_t) f->len, .in_port = 9,
                              .recirc_id = 5 };
        struct flow is, expected;
        struct flow_key key;

        memset(&key, 0xff, sizeof key);
        CHECK(!flow_key_extract(&pkt, &key));
        flow_from_key(&is, &key);
        read_key(f->key, &expected);
        expected.key.in_port = htobe32(9);
        expected.key.recirc_id = 5;
        explain(f->name, &is, &expected);
        CHECK(!memcmp(&is, &expected, sizeof is));
        CHECK_MSG(ofs_or_none(pkt.l3_ofs) == f->l3_ofs
                  && ofs_or_none(pkt.l4_ofs) == f->l4_ofs
                  && pkt.pad_len == f->pad_len, "%s: offsets %d %d, pad %u",
                  f->name, ofs_or_none(pkt.l3_ofs), ofs_or_none(pkt.l4_ofs),
                  pkt.pad_len);
    }
}

/* Cut anywhere, a frame's key is that of the whole one or lacks words: nothing
 * is made up, and nothing read behind the end (the tests run under ASan too). */
TEST(a_frame_cut_short_says_nothing_that_is_not_there)
{
    for (size_t i = 0; i < ARRAY_SIZE(scapy_frames); i++) {
        const struct scapy_frame *f = &scapy_frames[i];

        for (uint32_t len = 0; len < f->len; len++) {
            uint8_t *copy = malloc(len ? len : 1);
            struct packet pkt = { .data = copy, .len = len };
            struct flow_key key;
            int err;

            memcpy(copy, f->bytes, len);
            err = flow_key_extract(&pkt, &key);
            CHECK(err == (len < ETH_HEADER_LEN ? -EBADMSG : 0));
            CHECK(pkt.l3_ofs == PACKET_NO_OFS || pkt.l3_ofs <= len);
            CHECK(pkt.l4_ofs == PACKET_NO_OFS || pkt.l4_ofs <= len);
            CHECK(pkt.pad_len <= len);
            if (len < ETH_HEADER_LEN) {
                struct flow flow;

                flow_from_key(&flow, &key);
                CHECK(!flow.w[1] && !flow.w[2]);
            }
            free(copy);
        }
    }
}

TEST(a_chain_of_many_extension_headers_is_given_up)
{
    uint8_t frame[14 + 40 + 200 * 8] = { 0 };

    put_be16(frame + 12, htobe16(ETH_TYPE_IPV6));
    frame[14] = 0x60;
    frame[20] = 60;
    for (unsigned int n = 1; n <= 200; n++) {
        struct packet pkt = { .data = frame, .len = 54 + n * 8 + 8 };
        struct flow_key key;

        if (pkt.len > sizeof frame) {
            break;
        }
        put_be16(frame + 18, htobe16((uint16_t) (n * 8 + 8)));
        memset(frame + 54, 0, n * 8);
        for (unsigned int i = 0; i < n; i++) {
            frame[54 + 8 * i] = i + 1 < n ? 60 : 17;
        }
        CHECK(!flow_key_extract(&pkt, &key));
        CHECK(key.f.nw_proto == (n <= 16 ? 17 : 59));
        CHECK((pkt.l4_ofs == PACKET_NO_OFS) == (n > 16));
    }
}

TEST(random_bytes_make_one_key_whatever_was_in_its_memory)
{
    struct rng rng = { 3 };

    for (int i = 0; i < 200000; i++) {
        struct frame_spec spec = frame_random_spec(&rng);
        uint8_t frame[1500];
        struct packet pkt = {
            .data = frame, .len = (uint32_t) frame_build(frame, &spec, &rng),
        };
        struct flow_key a, b;

        for (uint32_t j = rng_below(&rng, 4); j > 0; j--) {
            frame[rng_below(&rng, pkt.len)] = (uint8_t) rng_u32(&rng);
        }
        memset(&a, 0xff, sizeof a);
        memset(&b, 0, sizeof b);
        CHECK(!flow_key_extract(&pkt, &a));
        CHECK(!flow_key_extract(&pkt, &b));
        CHECK(a.map == b.map);
        for (unsigned int j = 0; j < FLOW_KEY_WORDS; j++) {
            CHECK(flow_key_word(&a, j) == flow_key_word(&b, j));
        }
    }
}

TESTS(
    RUN(frames_of_another_implementation_have_the_keys_they_should),
    RUN(a_frame_cut_short_says_nothing_that_is_not_there),
    RUN(a_chain_of_many_extension_headers_is_given_up),
    RUN(random_bytes_make_one_key_whatever_was_in_its_memory),
)
