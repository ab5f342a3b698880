#include "service/dns_zone.h"

#include <arpa/inet.h>

#include "lib/rng.h"
#include "unit.h"

static be32
ip4(const char *text)
{
    be32 addr;

    CHECK(inet_pton(AF_INET, text, &addr) == 1);
    return addr;
}

static struct ip6_addr
ip6(const char *text)
{
    struct ip6_addr addr;

    CHECK(inet_pton(AF_INET6, text, &addr) == 1);
    return addr;
}

static struct dns_zone *
blue(void)
{
    const struct dns_zone_options options = {
        .domain = "blue.weft",
        .subnet = { ip4("10.1.4.0"), 22 },
        .subnet6 = { ip6("fd00:2::"), 62 },
    };
    struct dns_zone *zone;

    CHECK(!dns_zone_create(&options, &zone));
    return zone;
}

static const struct dns_host *
find(const struct dns_zone *zone, const char *name)
{
    return dns_zone_find(zone, (const uint8_t *) name, strlen(name));
}

TEST(a_host_is_found_by_name_in_any_case)
{
    struct dns_host host = { .name = "Web", .n_ip4 = 1,
                             .ip4 = { ip4("10.1.4.5") } };
    struct dns_zone *zone = blue();
    uint32_t serial = dns_zone_serial(zone);

    CHECK(!find(zone, "web"));
    CHECK(!dns_zone_set(zone, &host));
    CHECK(dns_zone_serial(zone) > serial);
    CHECK(find(zone, "WEB")->ip4[0] == host.ip4[0]);
    CHECK(!find(zone, "we") && !find(zone, "webb") && !find(zone, ""));
    host.ip4[0] = ip4("10.1.4.6");
    CHECK(!dns_zone_set(zone, &host));
    CHECK(find(zone, "web")->ip4[0] == host.ip4[0]);
    CHECK(dns_zone_remove(zone, "wEb") && !dns_zone_remove(zone, "web"));
    CHECK(!find(zone, "web"));
    dns_zone_destroy(zone);
    dns_zone_destroy(NULL);
}

TEST(what_is_no_host_is_refused)
{
    struct dns_host host = { .name = "a b" };
    const struct dns_zone_options options = { .domain = "." };
    struct dns_zone *zone = blue(), *none;
    char longest[65];

    CHECK(dns_zone_set(zone, &host) == -EINVAL);
    host.name[0] = '\0';
    CHECK(dns_zone_set(zone, &host) == -EINVAL);
    host = (struct dns_host) { .name = "a", .n_ip4 = DNS_HOST_MAX_ADDRS + 1 };
    CHECK(dns_zone_set(zone, &host) == -EINVAL);
    host = (struct dns_host) { .name = "a", .n_ip6 = DNS_HOST_MAX_ADDRS + 1 };
    CHECK(dns_zone_set(zone, &host) == -EINVAL);
    memset(longest, 'a', sizeof longest - 1);
    longest[64] = '\0';
    CHECK(!dns_zone_remove(zone, longest));
    CHECK(dns_zone_create(&options, &none) == -EINVAL);
    dns_zone_destroy(zone);
}

static void
note(const struct dns_host *host, void *aux)
{
    str_addf(aux, "%s ", host->name);
}

TEST(a_thousand_hosts_come_and_go)
{
    struct dns_zone *zone = blue();
    bool there[1000] = { false };
    struct rng rng = { 5 };

    for (int step = 0; step < 20000; step++) {
        unsigned int i = rng_below(&rng, 1000);
        struct dns_host host = { .n_ip4 = 1, .n_ip6 = 1 };

        snprintf(host.name, sizeof host.name, "h%u", i);
        host.ip4[0] = htobe32(0x0a010400 + i);
        host.ip6[0] = ip6("fd00:2::");
        put_be32(host.ip6[0].b + 12, htobe32(i));
        if (rng_one_in(&rng, 2)) {
            CHECK(!dns_zone_set(zone, &host));
            there[i] = true;
        } else {
            CHECK(dns_zone_remove(zone, host.name) == there[i]);
            there[i] = false;
        }
    }
    for (unsigned int i = 0; i < 1000; i++) {
        struct ip6_addr addr = dns_ip4_mapped(htobe32(0x0a010400 + i));
        struct str found = STR_INIT;
        char name[16];

        snprintf(name, sizeof name, "h%u", i);
        CHECK((find(zone, name) != NULL) == there[i]);
        CHECK(dns_zone_find_addr(zone, &addr, note, &found) == there[i]);
        str_chomp(&found, " ");
        CHECK(!strcmp(str_text(&found), there[i] ? name : ""));
        str_fini(&found);
    }
    dns_zone_destroy(zone);
}

TEST(reverse_names_are_read_label_by_label)
{
    static const struct {
        const char *name, *addr;  /* NULL: none */
        unsigned int len;
    } cases[] = {
        { "5.4.1.10.in-addr.arpa", "::ffff:10.1.4.5", 128 },
        { "4.1.10.IN-ADDR.ARPA", "::ffff:10.1.4.0", 120 },
        { "in-addr.arpa", "::ffff:0.0.0.0", 96 },
        { "1.5.4.1.10.in-addr.arpa", NULL, 0 },
        { "05.4.1.10.in-addr.arpa", NULL, 0 },
        { "256.4.1.10.in-addr.arpa", NULL, 0 },
        { "1000.4.1.10.in-addr.arpa", NULL, 0 },
        { "x.4.1.10.in-addr.arpa", NULL, 0 },
        { "2.0.0.0.0.0.0.0.d.F.ip6.arpa", "fd00:0:200::", 40 },
        { "2.0.0.0.0.0.d.f.ip6.arpa", "fd00:2::", 32 },
        { "g.d.f.ip6.arpa", NULL, 0 },
        { "10.d.f.ip6.arpa", NULL, 0 },
        { "ip6.arpa", "::", 0 },
        { "arpa", NULL, 0 },
        { "web.blue.weft", NULL, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct dns_reverse r;
        struct dns_name name;
        struct ip6_addr addr;

        CHECK(!dns_name_parse(cases[i].name, &name));
        CHECK_MSG(dns_reverse_parse(&name, &r) == (cases[i].addr != NULL),
                  "%s", cases[i].name);
        if (!cases[i].addr) {
            continue;
        }
        addr = ip6(cases[i].addr);
        CHECK_MSG(!memcmp(&addr, &r.addr, sizeof addr)
                  && r.len == cases[i].len, "%s", cases[i].name);
    }
}

static bool
has(const struct dns_zone *zone, const char *text)
{
    struct dns_reverse r;
    struct dns_name name;

    CHECK(!dns_name_parse(text, &name) && dns_reverse_parse(&name, &r));
    return dns_zone_has_reverse(zone, &r);
}

TEST(only_what_lies_in_a_subnet_whole_is_the_zone_s)
{
    struct dns_zone_options none = { .domain = "red.weft" };
    struct dns_zone *zone = blue(), *empty;

    CHECK(has(zone, "5.4.1.10.in-addr.arpa"));
    CHECK(has(zone, "255.7.1.10.in-addr.arpa"));
    CHECK(has(zone, "7.1.10.in-addr.arpa"));
    CHECK(!has(zone, "1.10.in-addr.arpa") && !has(zone, "in-addr.arpa"));
    CHECK(!has(zone, "0.8.1.10.in-addr.arpa"));
    CHECK(!has(zone, "255.3.1.10.in-addr.arpa"));
    /* fd00:2::/62 covers the fourth word's 0 to 3. */
    CHECK(has(zone, "3.0.0.0.0.0.0.0.2.0.0.0.0.0.d.f.ip6.arpa"));
    CHECK(!has(zone, "4.0.0.0.0.0.0.0.2.0.0.0.0.0.d.f.ip6.arpa"));
    CHECK(!has(zone, "0.0.0.0.0.0.0.2.0.0.0.0.0.d.f.ip6.arpa"));
    CHECK(!dns_zone_create(&none, &empty));
    CHECK(!has(empty, "5.4.1.10.in-addr.arpa") && !has(empty, "ip6.arpa"));
    dns_zone_destroy(empty);
    dns_zone_destroy(zone);
}

TESTS(
    RUN(a_host_is_found_by_name_in_any_case),
    RUN(what_is_no_host_is_refused),
    RUN(a_thousand_hosts_come_and_go),
    RUN(reverse_names_are_read_label_by_label),
    RUN(only_what_lies_in_a_subnet_whole_is_the_zone_s),
)
