#include "service/dhcp_fqdn.h"

#include "service/dhcp_lab.h"
#include "unit.h"

TEST(who_asks_about_its_name_is_told_that_we_do_it__rfc_4702)
{
    static const uint8_t asked[] = "\4\0\0\3Abc\7example";
    struct lab *lab = lab_open();
    struct dhcp_value v;

    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_FQDN, asked, sizeof asked);
    CHECK(ask(lab) == DHCP_OFFERED);
    v = dhcp_option_find(&lab->reply, DHCP_OPT_FQDN);
    CHECK(v.len > 3 && v.p[0] == (4 | 2 | 1));    /* encoded, ours, by us */
    CHECK(v.p[1] == 255 && v.p[2] == 255);
    CHECK(v.p[3] == 3 && !memcmp(v.p + 4, "web", 3));
    CHECK(!v.p[v.len - 1]);
    /* In the old form to who asks in the old form. */
    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_FQDN, "\1\0\0Abc", 6);
    CHECK(ask(lab) == DHCP_OFFERED);
    v = dhcp_option_find(&lab->reply, DHCP_OPT_FQDN);
    CHECK(v.p[0] == 1 && !memcmp(v.p + 3, "web", 3));
    /* Nobody asked: nothing is said.  Nonsense is not answered. */
    begin(lab, DHCP_DISCOVER, 1);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_FQDN));
    begin(lab, DHCP_DISCOVER, 1);
    add_option(lab, DHCP_OPT_FQDN, "\1\0", 2);
    CHECK(ask(lab) == DHCP_OFFERED);
    CHECK(!dhcp_option_is_there(&lab->reply, DHCP_OPT_FQDN));
    lab_close(lab);
}

TEST(the_name_of_option_81_is_kept_with_the_lease__rfc_4702)
{
    static const uint8_t asked[] = "\4\0\0\3Abc\7example";
    struct lab *lab = lab_open();
    struct lease_record r;
    be32 addr = discover(lab, 1);

    begin_selecting(lab, 1, addr);
    add_option(lab, DHCP_OPT_FQDN, asked, sizeof asked);
    CHECK(ask(lab) == DHCP_LEASED);
    CHECK(lease_lookup(lab->leases, addr, lab->now, &r));
    CHECK(!strcmp(r.hostname, "abc"));
    lab_close(lab);
}

TEST(nested_guests_are_told_that_nothing_is_done__rfc_4702)
{
    struct dhcp_value asked = { (const uint8_t *) "\1\0\0abc", 6 };
    uint8_t out[DHCP_FQDN_MAX];

    CHECK(dhcp_fqdn_answer(asked, NULL, "blue.weft", out) == 6);
    CHECK(out[0] == 8 && !memcmp(out + 3, "abc", 3));
}

TEST(names_that_cannot_be_are_not_read)
{
    struct dhcp_value v = { NULL, 0 };
    char label[4];

    CHECK(!dhcp_fqdn_label(v, label, sizeof label));
    v = (struct dhcp_value) { (const uint8_t *) "\4\0\0\7ab", 6 };
    CHECK(!dhcp_fqdn_label(v, label, sizeof label));
    v = (struct dhcp_value) { (const uint8_t *) "\0\0\0abcd", 7 };
    CHECK(!dhcp_fqdn_label(v, label, sizeof label));
    v.len = 6;
    CHECK(dhcp_fqdn_label(v, label, sizeof label) && !strcmp(label, "abc"));
}

TESTS(
    RUN(who_asks_about_its_name_is_told_that_we_do_it__rfc_4702),
    RUN(the_name_of_option_81_is_kept_with_the_lease__rfc_4702),
    RUN(nested_guests_are_told_that_nothing_is_done__rfc_4702),
    RUN(names_that_cannot_be_are_not_read),
)
