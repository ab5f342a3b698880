#include "controller/ipam.h"

#include "lib/rng.h"
#include "unit.h"

static const struct address_share all = { 0 };

static void
network_init(struct intent_network *network, unsigned int len)
{
    *network = (struct intent_network) {
        .object = { .id = 7 },
        .subnet = { true, (uint8_t) len, htobe32(0x0a000000) },
        .gateway = htobe32(0x0a000001),
    };
}

static be32
assign_one(struct ipam *ipam, const struct intent_network *network,
           uint64_t port)
{
    struct ipam_want want = { port, 0 };

    ipam_assign(ipam, network, all, &want, 1);
    return want.address;
}

TEST(a_choice_stays_until_its_port_leaves)
{
    struct ipam *ipam = ipam_create(NULL);
    struct intent_network network;
    struct ipam_want wants[] = { { 1, 0 }, { 2, 0 } };
    be32 first;

    network_init(&network, 24);
    first = assign_one(ipam, &network, 1);
    CHECK(first && ipam_find(ipam, 7, 1) == first);
    ipam_assign(ipam, &network, all, wants, 2);
    CHECK(wants[0].address == first && wants[1].address != first);
    CHECK(assign_one(ipam, &network, 2) == wants[1].address);
    CHECK(!ipam_find(ipam, 7, 1));
    ipam_destroy(ipam);
}

/* Choices that were made before the cuts moved stay where they are. */
TEST(a_host_chooses_of_its_share)
{
    enum { N = 40, HOSTS = 6 };   /* 254 addresses, 42 each and two more */
    struct intent_network network;
    struct ipam_want wants[N];
    bool is_used[256] = { false };

    network_init(&network, 24);
    for (unsigned int host = 0; host < HOSTS; host++) {
        struct ipam *ipam = ipam_create(NULL);

        for (unsigned int i = 0; i < N; i++) {
            wants[i] = (struct ipam_want) { 1000u * host + i + 1, 0 };
        }
        ipam_assign(ipam, &network, (struct address_share) { host, HOSTS },
                    wants, N);
        for (unsigned int i = 0; i < N; i++) {
            uint32_t last = be32toh(wants[i].address) & 255;

            CHECK(wants[i].address && !is_used[last]);
            is_used[last] = true;
        }
        ipam_destroy(ipam);
    }
    CHECK(!is_used[0] && !is_used[1] && !is_used[255]);
}

TEST(a_choice_stays_when_the_share_is_another)
{
    struct ipam *ipam = ipam_create(NULL);
    struct intent_network network;
    struct ipam_want want = { 1, 0 };
    be32 before;

    network_init(&network, 24);
    ipam_assign(ipam, &network, (struct address_share) { 0, 2 }, &want, 1);
    before = want.address;
    CHECK((be32toh(before) & 255) < 128);
    want.address = 0;
    ipam_assign(ipam, &network, (struct address_share) { 1, 2 }, &want, 1);
    CHECK(want.address == before);
    ipam_destroy(ipam);
}

TEST(what_was_kept_is_used_again)
{
    struct ipam *ipam = ipam_create(NULL);
    struct intent_network network;

    network_init(&network, 24);
    ipam_keep(ipam, 7, 1, htobe32(0x0a000055));
    CHECK(assign_one(ipam, &network, 1) == htobe32(0x0a000055));
    /* Unless the subnet is another one now. */
    network.subnet.addr = htobe32(0x0a010000);
    network.gateway = htobe32(0x0a010001);
    CHECK(be32toh(assign_one(ipam, &network, 1)) >> 8 == 0x0a0100);
    ipam_destroy(ipam);
}

TEST(an_address_that_an_intent_gives_is_taken_from_who_had_it)
{
    struct ipam *ipam = ipam_create(NULL);
    struct intent_network network;
    struct ipam_want wants[] = { { 1, 0 }, { 2, 0 } };

    network_init(&network, 24);
    wants[1].address = assign_one(ipam, &network, 1);
    ipam_assign(ipam, &network, all, wants, 2);
    CHECK(wants[0].address && wants[0].address != wants[1].address);
    ipam_destroy(ipam);
}

TEST(ranges_are_kept_and_used_up)
{
    struct ipam *ipam = ipam_create(NULL);
    struct intent_network network;
    struct ipam_want wants[4] = { { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 } };
    unsigned int n = 0;

    network_init(&network, 24);
    network.dhcp.n_ranges = 2;
    network.dhcp.ranges[0] = (struct address_range) {
        htobe32(0x0a000001), htobe32(0x0a000002) };     /* and the gateway */
    network.dhcp.ranges[1] = (struct address_range) {
        htobe32(0x0a000010), htobe32(0x0a000011) };
    ipam_assign(ipam, &network, all, wants, 4);
    for (unsigned int i = 0; i < 4; i++) {
        n += ipam_is_in_range(&network, wants[i].address);
    }
    CHECK(n == 3);
    ipam_destroy(ipam);
}

TEST(nobody_has_anothers_address)
{
    struct rng rng = { 3 };
    struct ipam *ipam = ipam_create(NULL);
    struct intent_network network;

    network_init(&network, 26);
    for (unsigned int round = 0; round < 200; round++) {
        struct ipam_want wants[40];
        unsigned int n = rng_below(&rng, 40);

        for (unsigned int i = 0; i < n; i++) {
            wants[i] = (struct ipam_want) { 100 + i, 0 };
            if (rng_one_in(&rng, 5)) {
                wants[i].address = htobe32(0x0a000002 + i);
            }
        }
        ipam_assign(ipam, &network, all, wants, n);
        for (unsigned int i = 0; i < n; i++) {
            CHECK(ipam_is_in_range(&network, wants[i].address));
            for (unsigned int j = 0; j < i; j++) {
                CHECK_MSG(wants[i].address != wants[j].address,
                          "round %u: %u and %u", round, i, j);
            }
        }
    }
    ipam_destroy(ipam);
}

TESTS(
    RUN(a_choice_stays_until_its_port_leaves),
    RUN(a_host_chooses_of_its_share),
    RUN(a_choice_stays_when_the_share_is_another),
    RUN(what_was_kept_is_used_again),
    RUN(an_address_that_an_intent_gives_is_taken_from_who_had_it),
    RUN(ranges_are_kept_and_used_up),
    RUN(nobody_has_anothers_address),
)
