#include "service/nd.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/nd.h"

enum { ROUTER_SOLICIT = 133, ROUTER_ADVERT = 134, SOLICIT_LEN = 8,
       HOP_LIMIT = 255, GUEST_HOP_LIMIT = 64 };
enum { ADVERT_SOLICITED = 0x40, ADVERT_OVERRIDE = 0x20 };
enum { RA_MANAGED = 0x80, RA_OTHER = 0x40 };
enum { PREFIX_ON_LINK = 0x80, PREFIX_AUTONOMOUS = 0x40 };
enum { OPTION_PREFIX = 3, OPTION_MTU = 5, OPTION_RDNSS = 25,
       OPTION_DNSSL = 31 };
enum { VALID_LIFETIME = 2592000, PREFERRED_LIFETIME = 604800 };

static const char *const names[N_ND_EVENTS] = {
#define X(ID, NAME, TEXT) [ID] = NAME,
    ND_EVENTS(X)
#undef X
};

const char *
nd_event_name(enum nd_event event)
{
    return names[event];
}

/* What a guest asked. */
struct question {
    struct eth_addr mac;
    struct ip6_addr src, dst;
    const uint8_t *icmp;
    size_t icmp_len;
    struct nd_options options;
};

static bool
ip6_eq(const struct ip6_addr *a, const struct ip6_addr *b)
{
    return !memcmp(a, b, sizeof *a);
}

static bool
is_unspecified(const struct ip6_addr *addr)
{
    static const struct ip6_addr none;

    return ip6_eq(addr, &none);
}

/* RFC 4861 sections 6.1.1 and 7.1.1. */
static enum nd_event
read_question(const uint8_t *frame, size_t len, struct question *q)
{
    struct ip6_header ip;
    size_t at = ETH_HEADER_LEN, options_ofs;

    if (len < at || get_be16(frame + 12) != htobe16(ETH_TYPE_IPV6)
        || len < at + sizeof ip) {
        return ND_SHORT;
    }
    memcpy(&ip, frame + at, sizeof ip);
    at += sizeof ip;
    if (!ip6_is_sound((const struct ip6_header *) (const void *)
                      (frame + ETH_HEADER_LEN), len - ETH_HEADER_LEN)
        || ip.next != IP_PROTO_ICMPV6) {
        return ND_SHORT;
    }
    memcpy(&q->mac, frame + 6, sizeof q->mac);
    memcpy(&q->src, ip.src, sizeof q->src);
    memcpy(&q->dst, ip.dst, sizeof q->dst);
    q->icmp = frame + at;
    q->icmp_len = be16toh(ip.payload_len);
    if (q->icmp_len < SOLICIT_LEN) {
        return ND_SHORT;
    }
    if (ip.hop_limit != HOP_LIMIT || q->icmp[1]) {
        return ND_HOP_LIMIT;
    }
    if (checksum_fold(checksum_add(checksum_pseudo6(
            ip.src, ip.dst, IP_PROTO_ICMPV6, (uint32_t) q->icmp_len),
            q->icmp, q->icmp_len))) {
        return ND_CHECKSUM;
    }
    options_ofs = q->icmp[0] == ND_SOLICIT ? ND_HEADER_LEN : SOLICIT_LEN;
    if (q->icmp_len < options_ofs) {
        return ND_SHORT;
    }
    if (!nd_options_decode(&q->options, q->icmp + options_ofs,
                           q->icmp_len - options_ofs)
        || (is_unspecified(&q->src) && q->options.sll)) {
        return ND_OPTIONS;
    }
    return ND_ANSWERED;
}

/* ---- Answers ---- */

/* An ICMPv6 message under construction, behind room for the headers. */
struct message {
    struct nd_reply *reply;
    size_t len;                   /* of the message */
};

enum { MESSAGE_OFS = ETH_HEADER_LEN + sizeof(struct ip6_header) };

static uint8_t *
put(struct message *m, size_t n)
{
    uint8_t *p = m->reply->frame + MESSAGE_OFS + m->len;

    assert(MESSAGE_OFS + m->len + n <= ND_FRAME_MAX);
    memset(p, 0, n);
    m->len += n;
    return p;
}

static void
put_mac(struct message *m, uint8_t option, struct eth_addr mac)
{
    uint8_t *p = put(m, 8);

    p[0] = option;
    p[1] = 1;
    memcpy(p + 2, &mac, sizeof mac);
}

/* Who does not say who it is hears it as everybody does. */
static void
finish(struct message *m, const struct nd_gateway *gateway,
       const struct ip6_addr *src, const struct question *q)
{
    static const struct ip6_addr all_nodes = { { 0xff, 2, [15] = 1 } };
    static const struct eth_addr all = { { 0x33, 0x33, 0, 0, 0, 1 } };
    bool is_for_all = is_unspecified(&q->src);
    uint8_t *frame = m->reply->frame;
    const struct ip6_addr *dst = is_for_all ? &all_nodes : &q->src;
    struct ip6_header ip = {
        .ver_tc_label = htobe32(UINT32_C(6) << 28),
        .payload_len = htobe16((uint16_t) m->len),
        .next = IP_PROTO_ICMPV6, .hop_limit = HOP_LIMIT,
    };
    be16 sum;

    memcpy(ip.src, src, sizeof ip.src);
    memcpy(ip.dst, dst, sizeof ip.dst);
    memcpy(frame, is_for_all ? &all : &q->mac, 6);
    memcpy(frame + 6, &gateway->mac, 6);
    put_be16(frame + 12, htobe16(ETH_TYPE_IPV6));
    memcpy(frame + ETH_HEADER_LEN, &ip, sizeof ip);
    sum = checksum_fold(checksum_add(
        checksum_pseudo6(ip.src, ip.dst, IP_PROTO_ICMPV6, (uint32_t) m->len),
        frame + MESSAGE_OFS, m->len));
    put_be16(frame + MESSAGE_OFS + ICMP_CSUM_OFS, sum);
    m->reply->len = MESSAGE_OFS + m->len;
}

static enum nd_event
answer_solicit(const struct nd_gateway *gateway, const struct question *q,
               struct nd_reply *reply)
{
    struct message m = { reply, 0 };
    struct ip6_addr target;
    uint8_t *p;

    memcpy(&target, q->icmp + ND_TARGET_OFS, sizeof target);
    if (!ip6_eq(&target, &gateway->address)
        && !ip6_eq(&target, &gateway->link_local)) {
        return ND_NOT_OURS;
    }
    p = put(&m, ND_HEADER_LEN);
    p[0] = ND_ADVERT;
    p[ND_RESERVED_OFS] = (uint8_t) (ADVERT_OVERRIDE
                                    | (is_unspecified(&q->src)
                                       ? 0 : ADVERT_SOLICITED));
    memcpy(p + ND_TARGET_OFS, &target, sizeof target);
    put_mac(&m, ND_OPTION_TLL, gateway->mac);
    finish(&m, gateway, &target, q);
    return ND_ANSWERED;
}

static void
put_prefix(struct message *m, const struct nd_gateway *gateway)
{
    uint8_t *p = put(m, 32);

    p[0] = OPTION_PREFIX;
    p[1] = 4;
    p[2] = gateway->prefix_len;
    p[3] = (uint8_t) (PREFIX_ON_LINK
                      | (gateway->is_slaac ? PREFIX_AUTONOMOUS : 0));
    put_be32(p + 4, htobe32(VALID_LIFETIME));
    put_be32(p + 8, htobe32(PREFERRED_LIFETIME));
    memcpy(p + 16, &gateway->prefix, sizeof gateway->prefix);
}

static void
put_servers(struct message *m, const struct nd_gateway *gateway)
{
    uint8_t *p = put(m, 8 + 16 * (size_t) gateway->n_servers);

    p[0] = OPTION_RDNSS;
    p[1] = (uint8_t) (1 + 2 * gateway->n_servers);
    put_be32(p + 4, htobe32(PREFERRED_LIFETIME));
    memcpy(p + 8, gateway->servers, 16 * (size_t) gateway->n_servers);
}

/* "blue.weft" as labels, filled with zeros to eight bytes; RFC 8106 5.2. */
static void
put_domain(struct message *m, const char *domain)
{
    size_t len = strlen(domain) + 2, room = (8 + len + 7) & ~(size_t) 7;
    uint8_t *p = put(m, room), *at = p + 8;

    p[0] = OPTION_DNSSL;
    p[1] = (uint8_t) (room / 8);
    put_be32(p + 4, htobe32(PREFERRED_LIFETIME));
    while (*domain) {
        size_t n = strcspn(domain, ".");

        *at++ = (uint8_t) n;
        memcpy(at, domain, n);
        at += n;
        domain += n + (domain[n] == '.');
    }
}

static enum nd_event
advertise(const struct nd_gateway *gateway, const struct question *q,
          struct nd_reply *reply)
{
    struct message m = { reply, 0 };
    uint8_t *p = put(&m, 16);

    p[0] = ROUTER_ADVERT;
    p[4] = GUEST_HOP_LIMIT;
    p[5] = (uint8_t) (RA_OTHER | (gateway->is_stateful ? RA_MANAGED : 0));
    put_be16(p + 6, htobe16(gateway->router_lifetime));
    put_mac(&m, ND_OPTION_SLL, gateway->mac);
    p = put(&m, 8);
    p[0] = OPTION_MTU;
    p[1] = 1;
    put_be32(p + 4, htobe32(gateway->mtu));
    put_prefix(&m, gateway);
    if (gateway->n_servers) {
        put_servers(&m, gateway);
    }
    if (gateway->domain && *gateway->domain) {
        put_domain(&m, gateway->domain);
    }
    finish(&m, gateway, &gateway->link_local, q);
    return ND_ADVERTISED;
}

enum nd_event
nd_answer(const struct nd_gateway *gateway, const void *frame, size_t len,
          struct nd_reply *reply)
{
    struct question q;
    enum nd_event event;

    reply->len = 0;
    event = read_question(frame, len, &q);
    if (event != ND_ANSWERED) {
        return event;
    }
    switch (q.icmp[0]) {
    case ND_SOLICIT: return answer_solicit(gateway, &q, reply);
    case ROUTER_SOLICIT: return advertise(gateway, &q, reply);
    default: return ND_NOT_OURS;
    }
}

bool
nd_announced(const void *frame, size_t len, struct eth_addr *mac,
             struct ip6_addr *addr)
{
    struct question q;

    if (read_question(frame, len, &q) != ND_ANSWERED
        || q.icmp[0] != ND_SOLICIT || !is_unspecified(&q.src)) {
        return false;
    }
    *mac = q.mac;
    memcpy(addr, q.icmp + ND_TARGET_OFS, sizeof *addr);
    return true;
}

/* As if somebody had asked who does not say who it is. */
void
nd_advertise(const struct nd_gateway *gateway, struct nd_reply *reply)
{
    static const struct question nobody;

    advertise(gateway, &nobody, reply);
}
