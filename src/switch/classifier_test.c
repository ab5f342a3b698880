/* The classifier against its naive twin, a scan of all entries.
 *
 * Also the property that caches stand on: whatever packet agrees with the one
 * looked up in all bits marked, finds the same entry. */
#include "switch/classifier.h"

#include "lib/rng.h"
#include "lib/str.h"
#include "switch/steps.h"
#include "unit.h"

enum { MAX_ENTRIES = 600 };

struct twin {
    struct steps steps;
    struct classifier cls;
    struct rng rng;
    unsigned int n;
    struct entry *entries[MAX_ENTRIES];
    struct match matches[MAX_ENTRIES];
    uint64_t newest;              /* version */
    bool ties;                    /* may entries share a priority? */
};

static const enum field_id fields[] = {
    FIELD_IN_PORT, FIELD_METADATA, FIELD_REG0, FIELD_REG5, FIELD_ETH_TYPE,
    FIELD_VLAN_TCI, FIELD_ETH_DST, FIELD_ETH_SRC, FIELD_IP_PROTO,
    FIELD_IPV4_DST, FIELD_IPV4_SRC, FIELD_IPV6_DST, FIELD_IPV6_SRC,
    FIELD_TCP_SRC, FIELD_TCP_DST, FIELD_IP_DSCP, FIELD_TUN_ID, FIELD_CT_STATE,
    FIELD_ARP_SHA, FIELD_PKT_MARK,
};

/* Few values per field, alike in their first bits. */
static u128
random_value(struct rng *rng, const struct field *field)
{
    u128 value = (u128) 0x0a000000 << (field->n_bits > 32
                                       ? field->n_bits - 32 : 0);

    for (unsigned int n = rng_below(rng, 3); n > 0; n--) {
        value ^= (u128) 1 << rng_below(rng, field->n_bits);
    }
    return (value ^ rng_below(rng, 3)) & field_ones(field);
}

static u128
random_mask(struct rng *rng, const struct field *field)
{
    u128 ones = field_ones(field);

    switch (rng_below(rng, 6)) {
    case 0:
    case 1:
        return ones;
    case 2:                       /* any bits */
        return (((u128) rng_u64(rng) << 64) | rng_u64(rng)) & ones;
    default:                      /* a prefix */
        return ones << rng_below(rng, field->n_bits) & ones;
    }
}

static void
random_match(struct rng *rng, struct match *match)
{
    match_init(match);
    for (unsigned int n = rng_below(rng, 5); n > 0; n--) {
        enum field_id id = fields[rng_below(rng, ARRAY_SIZE(fields))];
        const struct field *field = field_by_id(id);

        match_set(match, id, random_value(rng, field),
                  random_mask(rng, field));
    }
}

/* All prefixes of two addresses, nested: 32 x 32 masks. */
static void
nested_match(struct rng *rng, struct match *match)
{
    u128 ones = UINT32_MAX;

    match_init(match);
    match_set(match, FIELD_ETH_TYPE, 0x0800, 0xffff);
    match_set(match, FIELD_IPV4_DST, 0x0a010203, ones << rng_below(rng, 33));
    match_set(match, FIELD_IPV4_SRC, 0x0a030201 ^ rng_below(rng, 2),
              ones << rng_below(rng, 33));
}

static void
random_packet(struct twin *twin, struct flow *flow)
{
    memset(flow, 0, sizeof *flow);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        const struct field *field = field_by_id(fields[i]);

        field_set(field, flow, random_value(&twin->rng, field),
                  field_ones(field));
    }
    /* Mostly one that some entries match. */
    for (unsigned int n = rng_below(&twin->rng, 3); n > 0 && twin->n; n--) {
        const struct match *m = &twin->matches[rng_below(&twin->rng, twin->n)];

        for (unsigned int i = 0; i < FLOW_WORDS; i++) {
            flow->w[i] = (flow->w[i] & ~m->mask.bits.w[i]) | m->value.w[i];
        }
    }
}

static struct twin *
twin_create(uint64_t seed)
{
    struct twin *twin = xzalloc(sizeof *twin);

    twin->rng.state = seed;
    twin->newest = 1;
    steps_init(&twin->steps);
    classifier_init(&twin->cls, &twin->steps,
                    (struct hash_key) { rng_u64(&twin->rng) });
    return twin;
}

static void
twin_remove(struct twin *twin, unsigned int i)
{
    classifier_unlink(&twin->cls, twin->entries[i]);
    entry_destroy(twin->entries[i]);
    twin->n--;
    twin->entries[i] = twin->entries[twin->n];
    twin->matches[i] = twin->matches[twin->n];
}

static void
twin_destroy(struct twin *twin)
{
    while (twin->n) {
        twin_remove(twin, twin->n - 1);
    }
    classifier_tidy(&twin->cls);
    CHECK(twin->cls.n_tuples == 0);
    CHECK(twin->cls.prefixes.n_live == 0);
    CHECK(classifier_memory(&twin->cls) < 200);
    classifier_fini(&twin->cls);
    free(twin);
}

static void
twin_insert(struct twin *twin, const struct match *match, uint16_t priority)
{
    struct instructions none = { .meter = 0 };
    struct mask_words mask;
    uint64_t values[FLOW_WORDS];
    struct entry *entry;

    mask_words_init(&mask, &match->mask);
    mask_words_take(&mask, &match->value, values);
    entry = entry_create(classifier_get_tuple(&twin->cls, &mask), values,
                         &none, false);
    entry->priority = entry->e.priority = priority;
    entry->add_version = rng_below(&twin->rng, (uint32_t) twin->newest + 1);
    if (rng_one_in(&twin->rng, 4)) {
        entry->remove_version = entry->add_version
                                + rng_below(&twin->rng, 3);
    }
    classifier_insert(&twin->cls, entry);
    twin->matches[twin->n] = *match;
    twin->entries[twin->n++] = entry;
}

static const struct entry *
naive_lookup(const struct twin *twin, uint64_t version,
             const struct flow *flow)
{
    const struct entry *best = NULL;

    for (unsigned int i = 0; i < twin->n; i++) {
        const struct entry *entry = twin->entries[i];

        if (entry_visible(entry, version) &&
            match_holds(&twin->matches[i], flow) &&
            (!best || entry->priority > best->priority)) {
            best = entry;
        }
    }
    return best;
}

static void
check_same(const struct twin *twin, const struct entry *a,
           const struct entry *b)
{
    CHECK(!a == !b);
    CHECK(!a || a->priority == b->priority);
    CHECK(twin->ties || a == b);
}

static void
check_packet(struct twin *twin)
{
    uint64_t version = rng_below(&twin->rng, (uint32_t) twin->newest + 1);
    const struct entry *found;
    struct flow_mask wc;
    struct flow flow;

    random_packet(twin, &flow);
    memset(&wc, 0, sizeof wc);
    found = classifier_lookup(&twin->cls, version, &flow, &wc);
    check_same(twin, found, naive_lookup(twin, version, &flow));
    CHECK(found == classifier_lookup(&twin->cls, version, &flow, NULL));

    for (unsigned int i = 0; i < 8; i++) {
        struct flow other;
        struct flow_mask ignored;

        random_packet(twin, &other);
        for (unsigned int j = 0; j < FLOW_WORDS; j++) {
            uint64_t marked = wc.bits.w[j];

            other.w[j] = (flow.w[j] & marked) | (other.w[j] & ~marked);
        }
        memset(&ignored, 0, sizeof ignored);
        CHECK(found == classifier_lookup(&twin->cls, version, &other,
                                         &ignored));
        check_same(twin, found, naive_lookup(twin, version, &other));
    }
}

static void
run_twins(unsigned int n_twins, bool ties,
          void (*make_match)(struct rng *, struct match *))
{
    for (uint64_t seed = 1; seed <= n_twins; seed++) {
        struct twin *twin = twin_create(seed * 7919);
        unsigned int n = 1 + rng_below(&twin->rng, seed % 8 ? 100
                                                            : MAX_ENTRIES);

        twin->ties = ties;
        for (unsigned int i = 0; i < n; i++) {
            struct match match;

            make_match(&twin->rng, &match);
            twin->newest = 1 + i / 50;
            twin_insert(twin, &match,
                        (uint16_t) (ties ? rng_below(&twin->rng, 4)
                                         : (i * 7919) & 0xffff));
            if (rng_one_in(&twin->rng, 10)) {
                classifier_tidy(&twin->cls);
            }
            if (rng_one_in(&twin->rng, 8)) {
                twin_remove(twin, rng_below(&twin->rng, twin->n));
            }
        }
        classifier_tidy(&twin->cls);
        for (unsigned int i = 0; i < 150; i++) {
            check_packet(twin);
        }
        while (twin->n > n / 4) {
            twin_remove(twin, rng_below(&twin->rng, twin->n));
        }
        classifier_tidy(&twin->cls);
        for (unsigned int i = 0; i < 30; i++) {
            check_packet(twin);
        }
        twin_destroy(twin);
    }
}

TEST(random_entries_are_found_as_a_scan_finds_them)
{
    run_twins(400, false, random_match);
}

TEST(entries_of_equal_priority_give_one_answer_per_cache_entry)
{
    run_twins(150, true, random_match);
}

TEST(nested_prefixes_are_found_as_a_scan_finds_them)
{
    run_twins(150, false, nested_match);
}

/* ---- How wide the answers are ---- */

static unsigned int
bits_of(const struct flow_mask *wc, enum field_id id)
{
    u128 bits = field_get(field_by_id(id), &wc->bits);

    return (unsigned int) (__builtin_popcountll((uint64_t) bits) +
                           __builtin_popcountll((uint64_t) (bits >> 64)));
}

static void
look(struct twin *twin, uint32_t dst, uint16_t port, struct flow_mask *wc)
{
    struct flow flow;

    memset(&flow, 0, sizeof flow);
    field_set(field_by_id(FIELD_ETH_TYPE), &flow, 0x0800, 0xffff);
    field_set(field_by_id(FIELD_IP_PROTO), &flow, 6, 0xff);
    field_set(field_by_id(FIELD_IPV4_DST), &flow, dst, UINT32_MAX);
    field_set(field_by_id(FIELD_TCP_DST), &flow, port, UINT16_MAX);
    memset(wc, 0, sizeof *wc);
    classifier_lookup(&twin->cls, twin->newest, &flow, wc);
}

TEST(a_packet_is_looked_at_no_closer_than_needed)
{
    struct twin *twin = twin_create(1);
    struct flow_mask wc;
    struct match match;

    for (uint32_t i = 0; i < 100; i++) {
        match_init(&match);
        match_set(&match, FIELD_ETH_TYPE, 0x0800, 0xffff);
        match_set(&match, FIELD_IPV4_DST, 0x0a010000 + i, UINT32_MAX);
        if (i & 1) {
            match_set(&match, FIELD_IP_PROTO, 6, 0xff);
            match_set(&match, FIELD_TCP_DST, 80, UINT16_MAX);
        }
        twin_insert(twin, &match, 100);
        twin->entries[i]->remove_version = VERSION_NEVER;
    }
    twin->newest = 5;
    classifier_tidy(&twin->cls);

    /* Another network: its first byte suffices, the port does not matter. */
    look(twin, 0x0b010000, 80, &wc);
    CHECK(bits_of(&wc, FIELD_IPV4_DST) == 8);
    CHECK(bits_of(&wc, FIELD_TCP_DST) == 0);
    /* Another subnet. */
    look(twin, 0x0a020001, 80, &wc);
    CHECK(bits_of(&wc, FIELD_IPV4_DST) == 16);
    CHECK(bits_of(&wc, FIELD_TCP_DST) == 0);
    /* A host with an entry of its own: of the ports only what the entries of
     * the other mask make necessary. */
    look(twin, 0x0a010001, 80, &wc);
    CHECK(bits_of(&wc, FIELD_IPV4_DST) == 32);
    CHECK(bits_of(&wc, FIELD_TCP_DST) == 16);
    CHECK(bits_of(&wc, FIELD_TCP_SRC) == 0);
    twin_destroy(twin);
}

/* A dozen masks of any bits; each has entries that agree with the packet in two
 * bytes of the address. */
TEST(many_masks_do_not_make_reasons_long)
{
    struct twin *twin = twin_create(1);
    struct flow_mask wc;
    struct match match;

    for (uint32_t i = 0; i < 12; i++) {
        uint32_t mask = UINT32_MAX ^ 0x1000000u << i % 8 ^ (i / 8) << 16;

        match_init(&match);
        match_set(&match, FIELD_ETH_TYPE, 0x0800, 0xffff);
        match_set(&match, FIELD_IP_PROTO, 6, 0xff);
        match_set(&match, FIELD_IPV4_DST, 0x0a016300, mask);
        match_set(&match, FIELD_IPV4_SRC, 0x01020304, UINT32_MAX);
        match_set(&match, FIELD_TCP_DST, 80, UINT16_MAX);
        twin_insert(twin, &match, (uint16_t) (100 + i));
        twin->entries[i]->remove_version = VERSION_NEVER;
    }
    twin->newest = 5;
    classifier_tidy(&twin->cls);
    look(twin, 0x0a010203, 80, &wc);
    CHECK(bits_of(&wc, FIELD_IPV4_DST) == 24);
    CHECK(bits_of(&wc, FIELD_IPV4_SRC) == 0);
    CHECK(bits_of(&wc, FIELD_TCP_DST) == 0);
    twin_destroy(twin);
}

TEST(a_higher_priority_ends_the_search)
{
    struct twin *twin = twin_create(1);
    struct flow_mask wc;
    struct match match;

    match_init(&match);
    match_set(&match, FIELD_ETH_TYPE, 0x0800, 0xffff);
    twin_insert(twin, &match, 200);
    match_set(&match, FIELD_IPV4_DST, 0x0a010000, UINT32_MAX);
    twin_insert(twin, &match, 100);
    twin->entries[0]->remove_version = VERSION_NEVER;
    twin->entries[1]->remove_version = VERSION_NEVER;
    classifier_tidy(&twin->cls);
    look(twin, 0x0a010000, 80, &wc);
    CHECK(bits_of(&wc, FIELD_ETH_TYPE) == 16);
    CHECK(bits_of(&wc, FIELD_IPV4_DST) == 0);
    twin_destroy(twin);
}

static void
insert_host(struct twin *twin, uint32_t dst, uint16_t priority)
{
    struct match match;

    match_init(&match);
    match_set(&match, FIELD_ETH_TYPE, 0x0800, 0xffff);
    match_set(&match, FIELD_IPV4_DST, dst, UINT32_MAX);
    twin_insert(twin, &match, priority);
    twin->entries[twin->n - 1]->remove_version = VERSION_NEVER;
}

TEST(a_priority_that_went_does_not_count)
{
    struct twin *twin = twin_create(1);
    struct flow_mask wc;
    struct match match;

    match_init(&match);
    match_set(&match, FIELD_ETH_TYPE, 0x0800, 0xffff);
    twin_insert(twin, &match, 500);
    twin->entries[0]->remove_version = VERSION_NEVER;
    for (uint32_t i = 0; i < 100; i++) {
        insert_host(twin, 0x0a010000 + i, 100);
    }
    insert_host(twin, 0x0a020000, 1000);
    twin->newest = 5;
    classifier_tidy(&twin->cls);
    look(twin, 0x0a010001, 80, &wc);
    CHECK(bits_of(&wc, FIELD_IPV4_DST) == 32);

    twin_remove(twin, twin->n - 1);
    classifier_tidy(&twin->cls);
    look(twin, 0x0a010001, 80, &wc);
    CHECK(bits_of(&wc, FIELD_ETH_TYPE) == 16);
    CHECK(bits_of(&wc, FIELD_IPV4_DST) == 0);
    twin_destroy(twin);
}

/* Of packets from always the same seed. */
static void
note_masks(struct twin *twin, struct flow_mask *masks, unsigned int n)
{
    uint64_t state = twin->rng.state;

    twin->rng.state = 5;
    for (unsigned int i = 0; i < n; i++) {
        struct flow flow;

        random_packet(twin, &flow);
        memset(&masks[i], 0, sizeof masks[i]);
        classifier_lookup(&twin->cls, twin->newest, &flow, &masks[i]);
    }
    twin->rng.state = state;
}

TEST(entries_that_went_leave_no_marks)
{
    enum { N_PACKETS = 50 };

    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct flow_mask before[N_PACKETS], after[N_PACKETS];
        struct twin *twin = twin_create(seed);
        unsigned int n = rng_below(&twin->rng, 30);
        struct match match;

        for (unsigned int i = 0; i < n; i++) {
            random_match(&twin->rng, &match);
            twin_insert(twin, &match, (uint16_t) (i * 7919 % 30000));
        }
        classifier_tidy(&twin->cls);
        note_masks(twin, before, N_PACKETS);

        for (unsigned int i = 0; i < 40; i++) {
            if (rng_one_in(&twin->rng, 2) && n) {
                match = twin->matches[rng_below(&twin->rng, n)];
            } else {
                random_match(&twin->rng, &match);
            }
            twin_insert(twin, &match,
                        (uint16_t) rng_below(&twin->rng, 65536));
        }
        classifier_tidy(&twin->cls);
        while (twin->n > n) {
            twin_remove(twin, twin->n - 1);
        }
        classifier_tidy(&twin->cls);
        note_masks(twin, after, N_PACKETS);
        CHECK(!memcmp(before, after, sizeof before));
        twin_destroy(twin);
    }
}

TESTS(
    RUN(random_entries_are_found_as_a_scan_finds_them),
    RUN(entries_of_equal_priority_give_one_answer_per_cache_entry),
    RUN(nested_prefixes_are_found_as_a_scan_finds_them),
    RUN(a_packet_is_looked_at_no_closer_than_needed),
    RUN(many_masks_do_not_make_reasons_long),
    RUN(a_higher_priority_ends_the_search),
    RUN(a_priority_that_went_does_not_count),
    RUN(entries_that_went_leave_no_marks),
)
