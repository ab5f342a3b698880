#include "packet/mld.h"

#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { MLD_QUERY = 130, MLD1_REPORT = 131, MLD1_DONE = 132,
       MLD2_REPORT = 143 };

enum { MLD1_LEN = 24, QUERY2_LEN = 28, REPORT2_LEN = 8, GROUP_OFS = 8 };

static const struct ip6_addr all_nodes = { { 0xff, 2, [15] = 1 } };
static const struct ip6_addr all_routers = { { 0xff, 2, [15] = 2 } };
static const struct ip6_addr all_reports = { { 0xff, 2, [15] = 0x16 } };

/* Hop-by-hop options: Router Alert of MLD (RFC 2711), and padding. */
static const uint8_t router_alert[8] = { IP_PROTO_ICMPV6, 0, 5, 2, 0, 0, 1,
                                         0 };

enum { OPTION_PAD1 = 0, OPTION_ROUTER_ALERT = 5 };

struct mld {
    struct ip6_addr src, dst;
    const uint8_t *icmp;
    size_t len;
};

static bool
has_router_alert(const uint8_t *options, size_t len)
{
    struct cursor c = cursor_init(options, len);

    while (cursor_left(&c)) {
        uint8_t type = cursor_u8(&c), n;

        if (type == OPTION_PAD1) {
            continue;
        }
        n = cursor_u8(&c);
        if (type == OPTION_ROUTER_ALERT && n == 2) {
            return !cursor_u16(&c) && !cursor_overrun(&c);
        }
        cursor_skip(&c, n);
    }
    return false;
}

static bool
is_link_local(const struct ip6_addr *addr)
{
    return addr->b[0] == 0xfe && addr->b[1] >> 6 == 2;
}

static int
read_query(const struct mld *mld, struct membership_message *m)
{
    const uint8_t *p = mld->icmp;

    m->is_query = true;
    m->version = mld->len == MLD1_LEN ? 1 : 2;
    m->max_response = be16toh(get_be16(p + 4));
    if (m->version == 2) {
        if (mld->len < QUERY2_LEN
            || mld->len < QUERY2_LEN
                          + 16 * (size_t) be16toh(get_be16(p + 26))) {
            return -EBADMSG;
        }
        m->max_response = membership_code16(be16toh(get_be16(p + 4)));
        m->robustness = p[24] & 7;
        m->interval = membership_code8(p[25]);
    }
    memcpy(&m->group, p + GROUP_OFS, sizeof m->group);
    if (!is_link_local(&m->src)) {
        return -EXDEV;
    }
    if (ip6_addr_is_set(m->group)) {
        return ip6_is_group(&m->group) && ip6_addr_eq(m->group, mld->dst)
               ? 0 : -EBADMSG;
    }
    return ip6_addr_eq(mld->dst, all_nodes) ? 0 : -EBADMSG;
}

static int
read_one(const struct mld *mld, struct membership_message *m)
{
    bool is_done = mld->icmp[0] == MLD1_DONE;

    m->version = 1;
    m->n_records = 1;
    m->only.kind = is_done ? TO_INCLUDE : IS_EXCLUDE;
    memcpy(&m->only.group, mld->icmp + GROUP_OFS, sizeof m->only.group);
    return mld->len >= MLD1_LEN && ip6_is_group(&m->only.group)
           && (ip6_addr_eq(mld->dst, m->only.group)
               || (is_done && ip6_addr_eq(mld->dst, all_routers)))
           ? 0 : -EBADMSG;
}

static int
read_report(const struct mld *mld, struct membership_message *m)
{
    struct cursor c = cursor_init(mld->icmp, mld->len);

    m->version = 2;
    cursor_skip(&c, REPORT2_LEN);
    return ip6_addr_eq(mld->dst, all_reports)
           && membership_read_records(m, &c,
                                      be16toh(get_be16(mld->icmp + 6)))
           ? 0 : -EBADMSG;
}

static int
read_message(const struct mld *mld, struct membership_message *m)
{
    bool is_report = mld->icmp[0] == MLD2_REPORT;

    m->is_ip6 = true;
    m->src = mld->src;
    if (ip6_addr_is_set(m->src) && !is_link_local(&m->src)) {
        return -EXDEV;
    }
    if (!is_report && mld->len < MLD1_LEN) {
        return -EBADMSG;
    }
    switch (mld->icmp[0]) {
    case MLD_QUERY: return read_query(mld, m);
    case MLD1_REPORT: case MLD1_DONE: return read_one(mld, m);
    case MLD2_REPORT: return read_report(mld, m);
    default: return -EPROTO;
    }
}

/* Steps over the headers: IPv6, one with options, ICMPv6's. */
static int
read_headers(const uint8_t *l3, size_t left, struct mld *mld)
{
    const struct ip6_header *ip = (const struct ip6_header *) l3;
    const uint8_t *options = l3 + sizeof *ip;
    size_t payload, options_len;

    if (!ip6_is_sound(ip, left)) {
        return -EBADMSG;
    }
    payload = be16toh(ip->payload_len);
    if (ip->next == IP_PROTO_ICMPV6) {
        return -EXDEV;
    }
    if (ip->next != IP_PROTO_HOPOPTS || payload < sizeof router_alert) {
        return -EPROTO;
    }
    options_len = 8 * ((size_t) options[1] + 1);
    if (options[0] != IP_PROTO_ICMPV6) {
        return -EPROTO;
    }
    if (payload < options_len + 8) {
        return -EBADMSG;
    }
    if (ip->hop_limit != 1 || !has_router_alert(options + 2,
                                                options_len - 2)) {
        return -EXDEV;
    }
    mld->icmp = options + options_len;
    mld->len = payload - options_len;
    memcpy(&mld->src, ip->src, sizeof mld->src);
    memcpy(&mld->dst, ip->dst, sizeof mld->dst);
    if (checksum_fold(checksum_add(checksum_pseudo6(
            ip->src, ip->dst, IP_PROTO_ICMPV6, (uint32_t) mld->len),
            mld->icmp, mld->len))) {
        return -EILSEQ;
    }
    return 0;
}

int
mld_decode(const void *frame, size_t len, struct membership_message *m)
{
    const uint8_t *eth = frame;
    struct membership_message said = { .is_query = false };
    struct mld mld;
    int err;

    if (len < ETH_HEADER_LEN + sizeof(struct ip6_header)
        || get_be16(eth + 12) != htobe16(ETH_TYPE_IPV6)) {
        return -EPROTO;
    }
    err = read_headers(eth + ETH_HEADER_LEN, len - ETH_HEADER_LEN, &mld);
    if (!err) {
        err = read_message(&mld, &said);
    }
    if (!err) {
        *m = said;
    }
    return err;
}

size_t
mld_encode_query(const struct membership_query *q,
                 uint8_t out[MEMBERSHIP_QUERY_MAX])
{
    struct ip6_addr dst = ip6_addr_is_set(q->group) ? q->group : all_nodes;
    uint8_t *options = out + ETH_HEADER_LEN + sizeof(struct ip6_header);
    uint8_t *icmp = options + sizeof router_alert;
    struct ip6_header ip = {
        .ver_tc_label = htobe32(UINT32_C(6) << 28),
        .payload_len = htobe16(sizeof router_alert + QUERY2_LEN),
        .next = IP_PROTO_HOPOPTS, .hop_limit = 1,
    };

    put_be16(out, htobe16(0x3333));
    memcpy(out + 2, &dst.b[12], 4);
    memcpy(out + 6, &q->mac, 6);
    put_be16(out + 12, htobe16(ETH_TYPE_IPV6));
    memcpy(ip.src, &q->src, sizeof ip.src);
    memcpy(ip.dst, &dst, sizeof ip.dst);
    memcpy(out + ETH_HEADER_LEN, &ip, sizeof ip);
    memcpy(options, router_alert, sizeof router_alert);

    memset(icmp, 0, QUERY2_LEN);
    icmp[0] = MLD_QUERY;
    put_be16(icmp + 4, htobe16((uint16_t) MIN(q->max_response,
                                              (msec) 0x7fff)));
    memcpy(icmp + GROUP_OFS, &q->group, sizeof q->group);
    icmp[24] = q->robustness & 7;
    icmp[25] = (uint8_t) MIN(q->interval, 0x7fu);
    put_be16(icmp + ICMP_CSUM_OFS, checksum_fold(checksum_add(
        checksum_pseudo6(ip.src, ip.dst, IP_PROTO_ICMPV6, QUERY2_LEN), icmp,
        QUERY2_LEN)));
    return (size_t) (icmp - out) + QUERY2_LEN;
}
