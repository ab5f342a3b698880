#include "service/lease_record.h"

#include "unit.h"

static struct lease_record
sample(void)
{
    return (struct lease_record) {
        .addr = htobe32(0x0a000001),
        .state = LEASE_DECLINED,
        .expires = LEASE_FOREVER,
        .mac = { { 2, 0, 0, 0, 0, 1 } },
        .port = "web",
        .hostname = "h",
        .client = { 3, { 1, 0, 255 } },
    };
}

TEST(a_record_that_was_written_reads_the_same)
{
    struct lease_record r = sample(), again;
    uint8_t bytes[LEASE_RECORD_MAX];
    size_t len = lease_record_encode(&r, bytes);

    CHECK(!lease_record_decode(bytes, len, &again));
    CHECK(again.addr == r.addr && again.state == r.state);
    CHECK(again.expires == r.expires && eth_addr_eq(again.mac, r.mac));
    CHECK(!strcmp(again.port, "web") && !strcmp(again.hostname, "h"));
    CHECK(again.client.len == 3 && again.client.bytes[2] == 255);
}

TEST(the_longest_record_fits)
{
    struct lease_record r = sample();
    uint8_t bytes[LEASE_RECORD_MAX];

    memset(r.port, 'p', sizeof r.port - 1);
    memset(r.hostname, 'h', sizeof r.hostname - 1);
    r.client.len = LEASE_CLIENT_MAX;
    CHECK(lease_record_encode(&r, bytes) == LEASE_RECORD_MAX);
    CHECK(!lease_record_decode(bytes, sizeof bytes, &r));
}

TEST(what_is_cut_or_too_long_or_not_text_is_no_record)
{
    struct lease_record r = sample();
    uint8_t bytes[LEASE_RECORD_MAX + 1] = { 0 };
    size_t len = lease_record_encode(&r, bytes);

    for (size_t cut = 0; cut < len; cut++) {
        CHECK(lease_record_decode(bytes, cut, &r) == -EBADMSG);
    }
    CHECK(lease_record_decode(bytes, len + 1, &r) == -EBADMSG);
    bytes[21] = '\n';
    CHECK(lease_record_decode(bytes, len, &r) == -EBADMSG);
    bytes[21] = 'w';
    bytes[1] = 9;
    CHECK(lease_record_decode(bytes, len, &r) == -EBADMSG);
    bytes[0] = 2;
    CHECK(lease_record_decode(bytes, len, &r) == -EPROTO);
}

TESTS(
    RUN(a_record_that_was_written_reads_the_same),
    RUN(the_longest_record_fits),
    RUN(what_is_cut_or_too_long_or_not_text_is_no_record),
)
