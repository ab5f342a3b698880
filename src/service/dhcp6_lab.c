#include "service/dhcp6_lab.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"
#include "packet/address.h"
#include "unit.h"

struct ip6_addr
ip6(const char *text)
{
    struct ip6_addr addr = { { 0 } };

    CHECK(ip6_parse(text, &addr));
    return addr;
}

/* fd00::2 to fd00::f are planned for somebody. */
static bool
is_planned(void *aux UNUSED, const struct ip6_addr *addr)
{
    struct ip6_addr low = *addr;

    low.b[15] &= 0xf0;
    return ip6_addr_eq(low, ip6("fd00::")) && (addr->b[15] & 0xf) >= 2;
}

struct lab6 *
lab6_open(void)
{
    const struct lease6_options options = {
        .key = { 1 }, .max_per_port = 8, .max_per_station = 4,
    };
    struct lab6 *lab = xzalloc(sizeof *lab);

    lab->now = LAB6_NOW;
    lab->is_planned = true;
    lab->config = (struct dhcp6_config) {
        .mac = { { 2, 0, 0, 0, 0, 0xfe } }, .prefix = ip6("fd00::"),
        .prefix_len = 64, .gateway = ip6("fd00::1"), .is_stateful = true,
        .lease_time = LAB6_LEASE, .seed = 7, .n_dns = 1,
        .dns = { ip6("fd00::1") }, .n_ntp = 2,
        .ntp = { ip6("fd00::a"), ip6("fd00::b") }, .domain = "blue.weft",
        .boot_file = "tftp://[fd00::5]/boot.efi", .refresh_time = 86400,
        .leases = lease6_table_create(&options), .is_planned = is_planned,
    };
    dhcp6_server_init(&lab->server, &lab->config);
    return lab;
}

void
lab6_close(struct lab6 *lab)
{
    lease6_table_destroy(lab->config.leases);
    free(lab);
}

void
lab6_add_client_id(struct lab6 *lab, uint8_t who)
{
    const uint8_t duid[] = { 0, 3, 0, 1, 2, 0, 0, 0, 0, who };

    dhcp6_put_option(&lab->w, DHCP6_OPT_CLIENT_ID, duid, sizeof duid);
}

void
lab6_add_server_id(struct lab6 *lab)
{
    static const uint8_t duid[] = { 0, 3, 0, 1, 2, 0, 0, 0, 0, 0xfe };

    dhcp6_put_option(&lab->w, DHCP6_OPT_SERVER_ID, duid, sizeof duid);
}

void
lab6_begin_bare(struct lab6 *lab, enum dhcp6_type type, uint8_t who)
{
    dhcp6_writer_init(&lab->w, lab->bytes, sizeof lab->bytes);
    dhcp6_put_u32(&lab->w, (uint32_t) type << 24 | 0xabcdef);
    snprintf(lab->port, sizeof lab->port, "p%u", who);
    lab->who = who;
    lab->question = (struct dhcp6_question) {
        .mac = { { 2, 0, 0, 0, 0, who } }, .port = lab->port,
    };
    if (lab->is_planned) {
        lab->question.planned = ip6("fd00::");
        lab->question.planned.b[15] = who;
    }
}

void
lab6_begin(struct lab6 *lab, enum dhcp6_type type, uint8_t who)
{
    lab6_begin_bare(lab, type, who);
    lab6_add_client_id(lab, who);
    if (type == DHCP6_REQUEST || type == DHCP6_RENEW || type == DHCP6_RELEASE
        || type == DHCP6_DECLINE) {
        lab6_add_server_id(lab);
    }
}

void
lab6_add_ia(struct lab6 *lab, uint16_t code, uint32_t iaid,
            const char *const *addresses)
{
    size_t start = dhcp6_begin(&lab->w, code);

    dhcp6_put_u32(&lab->w, iaid);
    if (code != DHCP6_OPT_IA_TA) {
        dhcp6_put_u32(&lab->w, 0);
        dhcp6_put_u32(&lab->w, 0);
    }
    while (addresses && *addresses) {
        struct ip6_addr addr = ip6(*addresses++);
        size_t inner = dhcp6_begin(&lab->w, DHCP6_OPT_ADDRESS);

        dhcp6_put(&lab->w, &addr, sizeof addr);
        dhcp6_put_u32(&lab->w, 0);
        dhcp6_put_u32(&lab->w, 0);
        dhcp6_end(&lab->w, inner);
    }
    dhcp6_end(&lab->w, start);
}

void
lab6_add_oro(struct lab6 *lab, const uint16_t *codes, unsigned int n)
{
    size_t start = dhcp6_begin(&lab->w, DHCP6_OPT_ORO);

    for (unsigned int i = 0; i < n; i++) {
        dhcp6_put_u16(&lab->w, codes[i]);
    }
    dhcp6_end(&lab->w, start);
}

enum dhcp6_verdict
lab6_ask_bytes(struct lab6 *lab, const void *data, size_t len)
{
    lab->question.data = data;
    lab->question.len = len;
    lab->question.now = lab->now;
    lab->verdict = dhcp6_server_handle(&lab->server, &lab->question,
                                       &lab->answer);
    CHECK((lab->answer.len > 0) == (lab->verdict < DHCP6_NOT_DHCP));
    if (lab->answer.len && !lab->answer.is_relayed) {
        CHECK(!dhcp6_decode(lab->answer.data, lab->answer.len, &lab->reply));
        CHECK(lab->reply.xid == 0xabcdef);
        CHECK(dhcp6_option_find(lab->reply.options,
                                DHCP6_OPT_SERVER_ID).len == 10);
    }
    return lab->verdict;
}

enum dhcp6_verdict
lab6_ask(struct lab6 *lab)
{
    return lab6_ask_bytes(lab, lab->bytes, lab->w.len);
}

bool
lab6_ia(const struct lab6 *lab, uint16_t code, unsigned int n,
        struct dhcp6_ia *ia)
{
    struct dhcp6_options left = lab->reply.options;
    struct dhcp6_option option;

    while (dhcp6_options_next(&left, &option)) {
        if (option.code == code && !n--) {
            return dhcp6_ia_decode(option.value, ia);
        }
    }
    return false;
}

struct ip6_addr
lab6_address(const struct lab6 *lab, unsigned int n)
{
    static const struct ip6_addr none;
    struct dhcp6_option option;
    struct dhcp6_address a;
    struct dhcp6_ia ia;

    if (!lab6_ia(lab, DHCP6_OPT_IA_NA, n, &ia)) {
        return none;
    }
    while (dhcp6_options_next(&ia.options, &option)) {
        if (option.code == DHCP6_OPT_ADDRESS
            && dhcp6_address_decode(option.value, &a) && a.valid) {
            return a.addr;
        }
    }
    return none;
}

int
lab6_status(struct dhcp6_options options)
{
    struct dhcp6_options v = dhcp6_option_find(options, DHCP6_OPT_STATUS);

    return v.len < 2 ? -1 : be16toh(get_be16(v.p));
}

struct ip6_addr
lab6_lease(struct lab6 *lab, uint8_t who, uint32_t iaid)
{
    lab6_begin(lab, DHCP6_SOLICIT, who);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, iaid, NULL);
    CHECK(lab6_ask(lab) == DHCP6_ADVERTISED);
    lab6_begin(lab, DHCP6_REQUEST, who);
    lab6_add_ia(lab, DHCP6_OPT_IA_NA, iaid, NULL);
    CHECK(lab6_ask(lab) == DHCP6_LEASED);
    CHECK(lab->reply.type == DHCP6_REPLY);
    return lab6_address(lab, 0);
}
