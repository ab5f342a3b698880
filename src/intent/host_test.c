/* Hosts: what they may say, and what the set of them means. */
#include "intent/intent_lab.h"
#include "unit.h"

#define FINGERPRINT                                                          \
    "sha256:000102030405060708090a0b0c0d0e0f"                                \
    "101112131415161718191a1b1c1d1e1f"

static void
said(const char *rows, const char *expected)
{
    struct str text = STR_INIT;

    str_addf(&text, "version: 1\nhosts:\n%s", rows);
    lab_check_said(str_text(&text), expected);
    str_fini(&text);
}

static const struct intent_host *
host(const struct intent *set, const char *name)
{
    return intent_host_cast(intent_find(set, INTENT_HOST, name));
}

TEST(what_is_not_said_follows_from_the_tunnel)
{
    struct intent *set = lab_sealed("version: 1\nhosts:\n"
        "  a: {tunnel: 192.0.2.1}\n"
        "  b: {tunnel: 192.0.2.2, mtu: 9000, peer: \"[2001:db8::2]:7000\",\n"
        "      certificate: \"" FINGERPRINT "\"}\n"
        "  c: {tunnel: 192.0.2.3, peer: 198.51.100.3}\n");
    const struct intent_host *a = host(set, "a"), *b = host(set, "b");
    struct intent_underlay underlay = intent_underlay(set);
    struct ip6_addr peer;

    CHECK(a->mtu == 1500 && b->mtu == 9000);
    CHECK(ip6_addr_eq(a->peer.address, a->tunnel));
    CHECK(a->peer.port == HOST_PEER_PORT && b->peer.port == 7000);
    CHECK(ip_parse("2001:db8::2", &peer)
          && ip6_addr_eq(b->peer.address, peer));
    CHECK(host(set, "c")->peer.port == HOST_PEER_PORT);
    CHECK(!intent_host_has_certificate(a) && intent_host_has_certificate(b));
    for (unsigned int i = 0; i < HOST_CERTIFICATE_SIZE; i++) {
        CHECK(b->certificate[i] == i);
    }
    CHECK(underlay.n_hosts == 3 && !underlay.is_ip6 && underlay.mtu == 1500);
    intent_unref(set);
}

TEST(a_host_says_who_it_is)
{
    said("  h: {}\n", "t:3:6: h: host 'h' needs 'tunnel'\n");
    said("  a: {tunnel: 192.0.2.1}\n  b: {tunnel: \"fd00::1\"}\n"
         "  c: {tunnel: 192.0.2.1}\n",
         "t:4:15: tunnel: fd00::1 and 192.0.2.1 of host 'a' are of two "
         "families: no tunnel joins them\n"
         "t:5:15: tunnel: tunnel address 192.0.2.1 is already used by host "
         "'a' (line 3)\n");
    said("  c: {tunnel: 224.0.0.1}\n",
         "t:3:15: tunnel: 224.0.0.1 is no station's address\n");
    said("  a: {tunnel: 192.0.2.1, certificate: \"" FINGERPRINT "\"}\n"
         "  b: {tunnel: 192.0.2.2, certificate: \"" FINGERPRINT "\"}\n",
         "t:4:39: certificate: certificate " FINGERPRINT " is already used "
         "by host 'a' (line 3)\n");
    said("  a: {tunnel: 192.0.2.1, peer: 192.0.2.9}\n"
         "  b: {tunnel: 192.0.2.2, peer: \"192.0.2.9:6650\"}\n",
         "t:4:32: peer: peer address 192.0.2.9 port 6650 is already used by "
         "host 'a' (line 3)\n");
}

TEST(certificates_and_peers_have_a_form)
{
    static const char *const fingerprints[] = {
        "sha256:12", "sha1:12", FINGERPRINT "0", "",
    };
    static const char *const peers[] = {
        "192.0.2.2:0", "192.0.2.2:65536", "192.0.2.2:x", "[fd00::1", "h2",
        "[fd00::1]6650", "224.0.0.1", ":6650",
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(fingerprints); i++) {
        struct str rows = STR_INIT, expected = STR_INIT;

        str_addf(&rows, "  a: {tunnel: 192.0.2.1, certificate: \"%s\"}\n",
                 fingerprints[i]);
        str_addf(&expected, "t:3:39: certificate: '%s' is not a fingerprint: "
                 "sha256: and 64 hexadecimal digits\n", fingerprints[i]);
        said(str_text(&rows), str_text(&expected));
        str_fini(&rows);
        str_fini(&expected);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(peers); i++) {
        struct str rows = STR_INIT, expected = STR_INIT;

        str_addf(&rows, "  a: {tunnel: 192.0.2.1, peer: \"%s\"}\n", peers[i]);
        str_addf(&expected, "t:3:32: peer: '%s' is not like 192.0.2.1, "
                 "192.0.2.1:6650 or [2001:db8::1]:6650\n", peers[i]);
        said(str_text(&rows), str_text(&expected));
        str_fini(&rows);
        str_fini(&expected);
    }
}

/* An uplink's or a port's host is free text until there are hosts. */
TEST(others_name_hosts)
{
    lab_check_said("version: 1\nuplinks:\n  lan: {device: eth1, at: hx}\n",
                   "");
    lab_check_said("version: 1\nhosts:\n  h1: {tunnel: 192.0.2.1}\n"
                   "uplinks:\n  lan: {device: eth1, at: hx}\n",
                   "t:5:27: at: there is no host 'hx'; did you mean 'h1'?\n");
}

TESTS(
    RUN(what_is_not_said_follows_from_the_tunnel),
    RUN(a_host_says_who_it_is),
    RUN(certificates_and_peers_have_a_form),
    RUN(others_name_hosts),
)
