/* Router advertisements: asked, unasked, and when something has changed. */
#include "controller/serve_nd.h"

#include <string.h>

#include "controller/service_lab.h"
#include "packet/eth.h"
#include "unit.h"

enum { ROUTER_ADVERT = 134, ICMP_OFS = 14 + 40, FLAGS_OFS = ICMP_OFS + 5 };

static const char ports[]
    = "  web: {network: blue, tap: web}\n"
      "  db: {network: blue, tap: db}\n"
      "  one: {network: red, tap: one}\n";

static void
run_until_sent(struct service_lab *lab, unsigned int n)
{
    while (lab->n_sent < n) {
        uv_run(&lab->loop, UV_RUN_ONCE);
    }
}

TEST(a_change_is_told_to_all_of_the_networks_ports_and_to_no_others)
{
    struct service_lab *lab = service_lab_open(
        "  blue: {subnet6: 'fd01::/64'}\n  red: {subnet6: 'fd02::/64'}\n",
        ports);
    struct serve_nd nd;

    serve_nd_init(&nd, &lab->host);
    serve_nd_changed(&nd);
    service_lab_settle(lab);
    CHECK(!lab->n_sent);
    service_lab_apply(
        lab, "  blue: {subnet6: 'fd01::/64', mtu: 1400}\n"
             "  red: {subnet6: 'fd02::/64'}\n", ports);
    serve_nd_changed(&nd);
    run_until_sent(lab, 2);
    for (unsigned int i = 0; i < 2; i++) {
        CHECK(lab->sent[i].frame[ICMP_OFS] == ROUTER_ADVERT);
        CHECK(lab->sent[i].frame[0] == 0x33);
        CHECK(!strcmp(lab->sent[i].member->network->intent->object.name,
                      "blue"));
    }
    CHECK(lab->n_sent == 2 && nd.n_unasked == 2);
    serve_nd_fini(&nd);
    service_lab_close(lab);
}

TEST(what_says_the_same_is_not_repeated)
{
    struct service_lab *lab = service_lab_open(
        "  blue: {subnet6: 'fd01::/64'}\n  red: {subnet6: 'fd02::/64'}\n",
        ports);
    struct serve_nd nd;

    serve_nd_init(&nd, &lab->host);
    serve_nd_changed(&nd);
    service_lab_apply(
        lab, "  blue: {subnet6: 'fd01::/64', storm-cap: 100}\n"
             "  red: {subnet6: 'fd02::/64'}\n", ports);
    serve_nd_changed(&nd);
    service_lab_settle(lab);
    CHECK(!lab->n_sent && !nd.n_unasked);
    serve_nd_fini(&nd);
    service_lab_close(lab);
}

TEST(a_network_says_how_its_guests_get_addresses)
{
    struct service_lab *lab = service_lab_open(
        "  blue: {subnet6: 'fd01::/64', ra: off}\n"
        "  red: {subnet6: 'fd02::/64'}\n", ports);
    struct serve_nd nd;

    serve_nd_init(&nd, &lab->host);
    serve_nd_changed(&nd);
    service_lab_apply(
        lab, "  blue: {subnet6: 'fd01::/64', ra: off}\n"
             "  red: {subnet6: 'fd02::/64', ra: stateful}\n", ports);
    serve_nd_changed(&nd);
    run_until_sent(lab, 1);
    /* M and O; and nobody speaks where it is off. */
    CHECK(lab->n_sent == 1 && (lab->sent[0].frame[FLAGS_OFS] & 0xc0) == 0xc0);
    serve_nd_fini(&nd);
    service_lab_close(lab);
}

TEST(nonsense_is_counted_and_not_answered)
{
    struct service_lab *lab = service_lab_open(
        "  blue: {subnet6: 'fd01::/64'}\n  red: {subnet6: 'fd02::/64'}\n",
        ports);
    struct serve_nd nd;

    serve_nd_init(&nd, &lab->host);
    service_lab_receive(lab, SERVICE_RA, "web", "short", 5);
    CHECK(!lab->n_sent && nd.n_events[ND_SHORT] == 1);
    serve_nd_fini(&nd);
    service_lab_close(lab);
}

TESTS(
    RUN(a_change_is_told_to_all_of_the_networks_ports_and_to_no_others),
    RUN(what_says_the_same_is_not_repeated),
    RUN(a_network_says_how_its_guests_get_addresses),
    RUN(nonsense_is_counted_and_not_answered),
)
