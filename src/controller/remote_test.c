#include "controller/remote.h"

#include <errno.h>

#include "packet/address.h"
#include "unit.h"

enum { H1 = 1001, H2, H3, WEB, DB, BLUE, RED };

static bool
is_host(const void *aux, uint64_t host)
{
    const uint64_t *gone = aux;

    return host != *gone;
}

/* Whether it is news or not. */
static bool
is_taken(int ret)
{
    return ret >= 0;
}

static uint64_t
place(const struct remote *r, uint64_t port)
{
    const uint64_t gone = H3;

    return remote_place(r, port, is_host, &gone);
}

static void
say(struct remote *r, uint64_t host, uint64_t generation)
{
    const struct remote_member members[] = {
        { .network = BLUE, .address = htobe32(0x0a000000 + host) },
        { .network = RED },
    };

    CHECK(is_taken(remote_set_port(r, host, &(struct remote_port) {
        WEB, generation, 2, members })));
}

TEST(the_highest_generation_has_the_port)
{
    struct remote *r = remote_create();

    CHECK(!place(r, WEB));
    say(r, H1, 5);
    CHECK(place(r, WEB) == H1 && !place(r, DB));
    say(r, H2, 6);
    CHECK(place(r, WEB) == H2);
    say(r, H1, 7);
    CHECK(place(r, WEB) == H1);
    remote_remove_port(r, H1, WEB);
    CHECK(place(r, WEB) == H2);
    remote_remove_port(r, H1, WEB);
    say(r, H1, 6);
    /* Of two that say the same, everybody believes the same one. */
    CHECK(place(r, WEB) == H1);
    remote_remove_port(r, H2, WEB);
    remote_remove_port(r, H1, WEB);
    CHECK(!place(r, WEB));
    remote_destroy(r);
}

TEST(what_is_said_again_is_no_news)
{
    const struct remote_member member = { .network = BLUE };
    const struct ip6_addr group = ip6_of_ip4(htobe32(0xef000001));
    const struct remote_port port = { WEB, 5, 1, &member };
    const struct remote_listening nobody = { BLUE, false, 0, NULL };
    const struct remote_listening one = { BLUE, false, 1, &group };
    struct remote *r = remote_create();

    CHECK(remote_set_port(r, H1, &port) == 1);
    CHECK(remote_set_port(r, H1, &port) == 0);
    remote_remove_port(r, H1, WEB);
    CHECK(remote_set_port(r, H1, &port) == 1);
    CHECK(remote_set_listening(r, H1, &nobody) == 1);
    CHECK(remote_set_listening(r, H1, &nobody) == 0);
    CHECK(remote_set_listening(r, H1, &one) == 1);
    CHECK(remote_set_listening(r, H1, &one) == 0);
    CHECK(remote_set_listening(r, H1, &nobody) == 1);
    remote_destroy(r);
}

TEST(an_address_outlives_the_move)
{
    struct remote *r = remote_create();

    CHECK(!remote_generation(r, WEB) && !remote_last_address(r, 0, WEB, BLUE));
    say(r, H1, 5);
    say(r, H2, 4);
    CHECK(remote_generation(r, WEB) == 5);
    CHECK(remote_last_address(r, H3, WEB, BLUE) == htobe32(0x0a000000 + H1));
    CHECK(remote_last_address(r, H1, WEB, BLUE) == htobe32(0x0a000000 + H2));
    remote_remove_port(r, H1, WEB);
    CHECK(!remote_member(r, H1, WEB, BLUE) && place(r, WEB) == H2);
    CHECK(remote_last_address(r, H3, WEB, BLUE) == htobe32(0x0a000000 + H1));
    CHECK(remote_generation(r, WEB) == 5);
    remote_forget_host(r, H1);
    CHECK(remote_generation(r, WEB) == 4);
    CHECK(remote_last_address(r, H3, WEB, BLUE) == htobe32(0x0a000000 + H2));
    remote_destroy(r);
}

TEST(a_host_that_the_file_lacks_is_not_believed)
{
    struct remote *r = remote_create();

    say(r, H1, 5);
    say(r, H3, 9);
    CHECK(place(r, WEB) == H1);
    remote_remove_port(r, H1, WEB);
    CHECK(!place(r, WEB));
    remote_destroy(r);
}

TEST(each_host_says_its_own_addresses)
{
    struct remote *r = remote_create();

    say(r, H1, 5);
    say(r, H2, 5);
    CHECK(remote_member(r, H1, WEB, BLUE)->address
          == htobe32(0x0a000000 + H1));
    CHECK(remote_member(r, H2, WEB, BLUE)->address
          == htobe32(0x0a000000 + H2));
    CHECK(!remote_member(r, H2, WEB, RED)->address);
    CHECK(!remote_member(r, H2, WEB, H1) && !remote_member(r, H2, DB, BLUE));
    CHECK(is_taken(remote_set_port(r, H2, &(struct remote_port) { WEB, 5, 0, NULL })));
    CHECK(!remote_member(r, H2, WEB, BLUE) && remote_member(r, H1, WEB, BLUE));
    remote_destroy(r);
}

TEST(who_has_not_spoken_hears_everything)
{
    struct ip6_addr groups[] = { ip6_of_ip4(htobe32(0xef000002)),
                                 ip6_of_ip4(htobe32(0xef000001)) };
    struct ip6_addr other = ip6_of_ip4(htobe32(0xef000003));
    struct remote *r = remote_create();

    say(r, H1, 5);
    CHECK(remote_hears_all(r, H1, BLUE) && remote_hears_all(r, H2, BLUE));
    CHECK(is_taken(remote_set_listening(r, H1, &(struct remote_listening) {
        BLUE, false, 2, groups })));
    CHECK(!remote_hears_all(r, H1, BLUE) && !remote_hears_all(r, H1, RED));
    CHECK(remote_hears(r, H1, BLUE, &groups[0]));
    CHECK(remote_hears(r, H1, BLUE, &groups[1]));
    CHECK(!remote_hears(r, H1, BLUE, &other));
    CHECK(!remote_hears(r, H1, RED, &groups[0]));
    CHECK(is_taken(remote_set_listening(r, H1, &(struct remote_listening) {
        BLUE, true, 0, NULL })));
    CHECK(remote_hears_all(r, H1, BLUE)
          && !remote_hears(r, H1, BLUE, &groups[0]));
    CHECK(is_taken(remote_set_listening(r, H1, &(struct remote_listening) {
        BLUE, false, 0, NULL })));
    CHECK(!remote_hears_all(r, H1, BLUE) && !remote_listening(r, H1, BLUE));
    remote_destroy(r);
}

TEST(too_much_is_not_remembered)
{
    static struct remote_member member;
    struct remote *r = remote_create();

    member.n_addresses6 = REMOTE_MAX_ADDRESSES6 + 1;
    CHECK(remote_set_port(r, H1, &(struct remote_port) { WEB, 1, 1, &member })
          == -EINVAL);
    CHECK(remote_set_listening(r, H1, &(struct remote_listening) {
        BLUE, false, REMOTE_MAX_GROUPS + 1, NULL }) == -EINVAL);
    for (uint64_t i = 1; i <= REMOTE_MAX_PORTS; i++) {
        CHECK(is_taken(remote_set_port(r, H1, &(struct remote_port) { i, 1, 0,
                                                              NULL })));
    }
    CHECK(remote_set_port(r, H1, &(struct remote_port) {
        REMOTE_MAX_PORTS + 1, 1, 0, NULL }) == -ENOSPC);
    CHECK(is_taken(remote_set_port(r, H1, &(struct remote_port) { 1, 2, 0, NULL })));
    remote_remove_port(r, H1, 1);
    CHECK(is_taken(remote_set_port(r, H1, &(struct remote_port) {
        REMOTE_MAX_PORTS + 1, 1, 0, NULL })));
    remote_destroy(r);
}

TESTS(
    RUN(the_highest_generation_has_the_port),
    RUN(what_is_said_again_is_no_news),
    RUN(an_address_outlives_the_move),
    RUN(a_host_that_the_file_lacks_is_not_believed),
    RUN(each_host_says_its_own_addresses),
    RUN(who_has_not_spoken_hears_everything),
    RUN(too_much_is_not_remembered),
)
