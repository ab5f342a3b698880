/* IGMP and MLD, as scapy writes them; and our own queries, read again. */
#include "packet/membership.h"

#include "lib/str.h"
#include "packet/address.h"
#include "packet/igmp.h"
#include "packet/mld.h"
#include "scapy_membership.h"
#include "unit.h"

static void
add_address(struct str *out, const struct ip6_addr *address)
{
    char text[ADDRESS_TEXT_SIZE];

    str_add(out, ip6_is_mapped4(address)
                 ? ip4_format(get_be32(&address->b[12]), text)
                 : ip6_format(*address, text));
}

static void
add_message(struct str *out, struct membership_message *m)
{
    static const char *const kinds[] = {
        [IS_INCLUDE] = "is-include", [IS_EXCLUDE] = "is-exclude",
        [TO_INCLUDE] = "to-include", [TO_EXCLUDE] = "to-exclude",
        [ALLOW_SOURCES] = "allow", [BLOCK_SOURCES] = "block",
    };
    struct membership_record record;
    bool is_first = true;

    str_addf(out, "%s %u from ", m->is_query ? "query" : "report",
             m->version);
    if (ip6_addr_is_set(m->src)) {
        add_address(out, &m->src);
    } else {
        str_add(out, "nobody");
    }
    str_add(out, ":");
    while (membership_next(m, &record)) {
        str_addf(out, "%s %s ", is_first ? "" : ",", kinds[record.kind]);
        add_address(out, &record.group);
        str_addf(out, " %u", record.n_sources);
        is_first = false;
    }
    if (m->is_query) {
        str_add(out, " ");
        if (ip6_addr_is_set(m->group)) {
            add_address(out, &m->group);
        } else {
            str_add(out, "all");
        }
        str_addf(out, " %d ms %u s %u", (int) m->max_response, m->interval,
                 m->robustness);
    }
}

static void
read_frame(const void *frame, size_t len, struct str *out)
{
    struct membership_message m;
    int err = igmp_decode(frame, len, &m);

    if (err == -EPROTO) {
        err = mld_decode(frame, len, &m);
    }
    switch (err) {
    case 0: add_message(out, &m); break;
    case -EBADMSG: str_add(out, "malformed"); break;
    case -EILSEQ: str_add(out, "checksum"); break;
    case -EXDEV: str_add(out, "not-local"); break;
    default: str_add(out, "foreign"); break;
    }
}

TEST(what_scapy_says_is_understood)
{
    for (size_t i = 0; i < ARRAY_SIZE(scapy_memberships); i++) {
        const struct scapy_membership *row = &scapy_memberships[i];
        struct str said = STR_INIT;

        read_frame(row->frame, row->len, &said);
        CHECK_MSG(!strcmp(str_text(&said), row->read), "%s: '%s'", row->name,
                  str_text(&said));
        str_fini(&said);
    }
}

TEST(a_frame_that_ends_early_is_refused)
{
    for (size_t i = 0; i < ARRAY_SIZE(scapy_memberships); i++) {
        const struct scapy_membership *row = &scapy_memberships[i];

        for (size_t len = 0; len < row->len; len++) {
            struct membership_message m;
            char *copy = xmemdup(row->frame, len + 1);

            CHECK_MSG(igmp_decode(copy, len, &m) && mld_decode(copy, len, &m),
                      "%s, %zu bytes", row->name, len);
            free(copy);
        }
    }
}

static void
check_query(const struct membership_query *query, bool is_ip6,
            const char *text)
{
    uint8_t frame[MEMBERSHIP_QUERY_MAX];
    size_t len = is_ip6 ? mld_encode_query(query, frame)
                        : igmp_encode_query(query, frame);
    struct str said = STR_INIT;

    read_frame(frame, len, &said);
    CHECK_MSG(!strcmp(str_text(&said), text), "%s", str_text(&said));
    CHECK(frame[0] & 1 && !memcmp(frame + 6, &query->mac, 6));
    str_fini(&said);
}

TEST(our_queries_are_of_the_newest_version)
{
    struct membership_query query = {
        .mac = { { 2, 0, 0, 0, 0, 1 } },
        .src = ip6_of_ip4(htobe32(0x0a010001)), .group = ip6_of_ip4(0),
        .max_response = 10000, .interval = 125, .robustness = 2,
    };

    check_query(&query, false, "query 3 from 10.1.0.1: all 10000 ms 125 s 2");
    query.src = ip6_of_ip4(0);
    query.group = ip6_of_ip4(htobe32(0xefff0203));
    query.max_response = 1000;
    check_query(&query, false,
                "query 3 from nobody: 239.255.2.3 1000 ms 125 s 2");
    query.src = (struct ip6_addr) { { 0xfe, 0x80, [15] = 1 } };
    query.group = (struct ip6_addr) { { 0 } };
    check_query(&query, true, "query 2 from fe80::1: all 1000 ms 125 s 2");
    query.group = (struct ip6_addr) { { 0xff, 0x15, [15] = 1 } };
    check_query(&query, true, "query 2 from fe80::1: ff15::1 1000 ms 125 s 2");
}

TEST(some_groups_are_everybody_s)
{
    static const struct {
        struct ip6_addr group;
        bool is_for_all;
    } rows[] = {
        { { { 0xff, 2, [15] = 1 } }, true },
        { { { 0xff, 0x12, [15] = 1 } }, true },
        { { { 0xff, 1, [15] = 1 } }, true },
        { { { 0xff, 5, [15] = 1 } }, false },
        { { { 0xff, 0x1e, [15] = 1 } }, false },
    };
    struct ip6_addr mdns = ip6_of_ip4(htobe32(0xe00000fb));
    struct ip6_addr next = ip6_of_ip4(htobe32(0xe0000100));

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(membership_is_for_all(&rows[i].group) == rows[i].is_for_all);
    }
    CHECK(membership_is_for_all(&mdns));
    CHECK(!membership_is_for_all(&next));
}

TESTS(
    RUN(what_scapy_says_is_understood),
    RUN(a_frame_that_ends_early_is_refused),
    RUN(our_queries_are_of_the_newest_version),
    RUN(some_groups_are_everybody_s),
)
