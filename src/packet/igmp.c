#include "packet/igmp.h"

#include "packet/address.h"
#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/ip.h"

enum { IGMP_QUERY = 0x11, IGMP1_REPORT = 0x12, IGMP2_REPORT = 0x16,
       IGMP2_LEAVE = 0x17, IGMP3_REPORT = 0x22 };

enum { HEADER_LEN = 8, QUERY3_LEN = 12, CSUM_OFS = 2, GROUP_OFS = 4 };

/* Of version 1, which does not say it (RFC 3376, 8.3). */
enum { DEFAULT_RESPONSE = 10000 };

enum { ALL_HOSTS = 0xe0000001, ALL_ROUTERS = 0xe0000002,
       ALL_REPORTS = 0xe0000016 };

static bool
is_group(be32 address)
{
    return be32toh(address) >> 28 == 0xe;
}

/* Versions are told apart by length and by what older ones leave 0 (RFC 3376,
 * 7.1).  Who asks about one group asks those who hear it. */
static int
read_query(const uint8_t *igmp, size_t len, be32 dst,
           struct membership_message *m)
{
    be32 group = get_be32(igmp + GROUP_OFS);

    m->is_query = true;
    if (len >= QUERY3_LEN) {
        m->version = 3;
        m->robustness = igmp[8] & 7;
        m->interval = membership_code8(igmp[9]);
        if (len < QUERY3_LEN + 4 * (size_t) be16toh(get_be16(igmp + 10))) {
            return -EBADMSG;
        }
    } else if (len != HEADER_LEN) {
        return -EBADMSG;
    } else {
        m->version = igmp[1] ? 2 : 1;
    }
    m->max_response = 100 * (msec) (m->version == 3
                                    ? membership_code8(igmp[1]) : igmp[1]);
    if (m->version == 1) {
        m->max_response = DEFAULT_RESPONSE;
    }
    if (group && m->version > 1) {
        m->group = ip6_of_ip4(group);
        return is_group(group) && dst == group ? 0 : -EBADMSG;
    }
    return dst == htobe32(ALL_HOSTS) ? 0 : -EBADMSG;
}

static int
read_one(const uint8_t *igmp, size_t len, be32 dst,
         struct membership_message *m)
{
    be32 group = get_be32(igmp + GROUP_OFS);
    bool is_leave = igmp[0] == IGMP2_LEAVE;

    m->version = igmp[0] == IGMP1_REPORT ? 1 : 2;
    m->n_records = 1;
    m->only = (struct membership_record) {
        is_leave ? TO_INCLUDE : IS_EXCLUDE, ip6_of_ip4(group), 0,
    };
    return len == HEADER_LEN && is_group(group)
           && (dst == group || (is_leave && dst == htobe32(ALL_ROUTERS)))
           ? 0 : -EBADMSG;
}

static int
read_report(const uint8_t *igmp, size_t len, be32 dst,
            struct membership_message *m)
{
    struct cursor c = cursor_init(igmp, len);

    m->version = 3;
    cursor_skip(&c, HEADER_LEN);
    return dst == htobe32(ALL_REPORTS)
           && membership_read_records(m, &c, be16toh(get_be16(igmp + 6)))
           ? 0 : -EBADMSG;
}

static int
read_message(const struct ip4_header *ip, const uint8_t *igmp, size_t len,
             struct membership_message *m)
{
    be32 dst = get_be32(ip->dst);

    if (len < HEADER_LEN) {
        return -EBADMSG;
    }
    if (checksum_fold(checksum_add(0, igmp, len))) {
        return -EILSEQ;
    }
    if (ip->ttl != 1) {
        return -EXDEV;
    }
    if (get_be32(ip->src)) {
        m->src = ip6_of_ip4(get_be32(ip->src));
    }
    switch (igmp[0]) {
    case IGMP_QUERY: return read_query(igmp, len, dst, m);
    case IGMP1_REPORT: case IGMP2_REPORT: case IGMP2_LEAVE:
        return read_one(igmp, len, dst, m);
    case IGMP3_REPORT: return read_report(igmp, len, dst, m);
    default: return -EPROTO;
    }
}

int
igmp_decode(const void *frame, size_t len, struct membership_message *m)
{
    const uint8_t *eth = frame, *l3 = eth + ETH_HEADER_LEN;
    const struct ip4_header *ip = (const struct ip4_header *) l3;
    struct membership_message said = { .is_query = false };
    unsigned int ip_len;
    int err;

    if (len < ETH_HEADER_LEN + sizeof *ip
        || get_be16(eth + 12) != htobe16(ETH_TYPE_IP)) {
        return -EPROTO;
    }
    if (!ip4_is_sound(ip, len - ETH_HEADER_LEN)) {
        return -EBADMSG;
    }
    if (ip->proto != IP_PROTO_IGMP
        || ip->frag & htobe16(IP4_FRAG_MORE | IP4_FRAG_OFS)) {
        return -EPROTO;
    }
    ip_len = ip4_header_len(ip);
    if (checksum_fold(checksum_add(0, ip, ip_len))) {
        return -EILSEQ;
    }
    err = read_message(ip, l3 + ip_len,
                       (size_t) be16toh(ip->total_len) - ip_len, &said);
    if (!err) {
        *m = said;
    }
    return err;
}

/* Router Alert (RFC 2113): routers look at what is not for them. */
static const uint8_t router_alert[4] = { 148, 4, 0, 0 };

size_t
igmp_encode_query(const struct membership_query *q,
                  uint8_t out[MEMBERSHIP_QUERY_MAX])
{
    uint8_t *l3 = out + ETH_HEADER_LEN;
    struct ip4_header *ip = (struct ip4_header *) l3;
    uint8_t *options = l3 + sizeof *ip, *igmp = options + sizeof router_alert;
    be32 group = get_be32(&q->group.b[12]);
    be32 dst = group ? group : htobe32(ALL_HOSTS);
    uint8_t mac[6] = { 1, 0, 0x5e };

    memcpy(mac + 3, (const uint8_t *) &dst + 1, 3);
    mac[3] &= 0x7f;
    memcpy(out, mac, sizeof mac);
    memcpy(out + 6, &q->mac, 6);
    put_be16(out + 12, htobe16(ETH_TYPE_IP));

    memcpy(options, router_alert, sizeof router_alert);
    *ip = (struct ip4_header) {
        .ver_ihl = 0x46, .tos = 0xc0, .ttl = 1, .proto = IP_PROTO_IGMP,
        .total_len = htobe16(sizeof *ip + sizeof router_alert + QUERY3_LEN),
    };
    memcpy(ip->src, &q->src.b[12], sizeof ip->src);
    put_be32(ip->dst, dst);
    ip->csum = checksum_fold(checksum_add(0, ip, sizeof *ip
                                                 + sizeof router_alert));

    memset(igmp, 0, QUERY3_LEN);
    igmp[0] = IGMP_QUERY;
    igmp[1] = (uint8_t) MIN(q->max_response / 100, (msec) 0x7f);
    put_be32(igmp + GROUP_OFS, group);
    igmp[8] = q->robustness & 7;
    igmp[9] = (uint8_t) MIN(q->interval, 0x7fu);
    put_be16(igmp + CSUM_OFS, checksum_fold(checksum_add(0, igmp,
                                                         QUERY3_LEN)));
    return ETH_HEADER_LEN + sizeof *ip + sizeof router_alert + QUERY3_LEN;
}
