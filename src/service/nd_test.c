#include "service/nd.h"

#include "packet/checksum.h"
#include "packet/eth.h"
#include "packet/nd.h"
#include "unit.h"

static const struct nd_gateway gateway = {
    .mac = { { 2, 0, 0, 0, 0, 1 } },
    .link_local = { { 0xfe, 0x80, [15] = 1 } },
    .address = { { 0xfd, [15] = 1 } }, .prefix = { { 0xfd } },
    .prefix_len = 64, .is_slaac = true, .mtu = 1400, .n_servers = 1,
    .servers = { { { 0xfd, [15] = 1 } } }, .domain = "blue.weft",
};
static const struct eth_addr guest = { { 2, 0, 0, 0, 0, 9 } };
static const struct ip6_addr guest_address = { { 0xfe, 0x80, [15] = 9 } };
static const struct ip6_addr unspecified;

struct frame {
    size_t len;
    uint8_t bytes[128];
};

/* `body` follows the type, code and checksum. */
static struct frame
make(uint8_t type, const struct ip6_addr *src, const void *body,
     size_t body_len)
{
    struct frame f = { .len = 14 + 40 + 4 + body_len };
    struct ip6_header ip = {
        .ver_tc_label = htobe32(UINT32_C(6) << 28), .next = IP_PROTO_ICMPV6,
        .payload_len = htobe16((uint16_t) (4 + body_len)), .hop_limit = 255,
        .dst = { 0xff, 2, [15] = 2 },
    };
    uint8_t *icmp = f.bytes + 54;

    memcpy(ip.src, src, 16);
    memcpy(f.bytes + 6, &guest, 6);
    put_be16(f.bytes + 12, htobe16(ETH_TYPE_IPV6));
    memcpy(f.bytes + 14, &ip, sizeof ip);
    icmp[0] = type;
    memcpy(icmp + 4, body, body_len);
    put_be16(icmp + 2, checksum_fold(checksum_add(checksum_pseudo6(
        ip.src, ip.dst, IP_PROTO_ICMPV6, (uint32_t) (4 + body_len)), icmp,
        4 + body_len)));
    return f;
}

static struct frame
solicit(const struct ip6_addr *src, const struct ip6_addr *target)
{
    uint8_t body[20] = { 0 };

    memcpy(body + 4, target, 16);
    return make(ND_SOLICIT, src, body, sizeof body);
}

static bool
is_sound(const struct nd_reply *reply)
{
    const uint8_t *ip = reply->frame + 14;
    size_t len = reply->len - 54;

    return ip6_is_sound((const void *) ip, reply->len - 14) && ip[7] == 255
           && !checksum_fold(checksum_add(checksum_pseudo6(
                  ip + 8, ip + 24, IP_PROTO_ICMPV6, (uint32_t) len),
                  reply->frame + 54, len));
}

TEST(the_gateway_says_who_it_is)
{
    struct frame f = solicit(&guest_address, &gateway.address);
    struct nd_reply reply;

    CHECK(nd_answer(&gateway, f.bytes, f.len, &reply) == ND_ANSWERED);
    CHECK(is_sound(&reply) && reply.len == 14 + 40 + 32);
    CHECK(!memcmp(reply.frame, &guest, 6));
    CHECK(!memcmp(reply.frame + 6, &gateway.mac, 6));
    CHECK(!memcmp(reply.frame + 14 + 24, &guest_address, 16));
    CHECK(reply.frame[54] == ND_ADVERT && reply.frame[58] == 0x60);
    CHECK(!memcmp(reply.frame + 62, &gateway.address, 16));
    CHECK(reply.frame[78] == ND_OPTION_TLL
          && !memcmp(reply.frame + 80, &gateway.mac, 6));
}

TEST(who_has_no_address_yet_hears_it_as_all_do)
{
    struct frame f = solicit(&unspecified, &gateway.link_local);
    struct nd_reply reply;

    CHECK(nd_answer(&gateway, f.bytes, f.len, &reply) == ND_ANSWERED);
    CHECK(is_sound(&reply) && reply.frame[0] == 0x33);
    CHECK(reply.frame[58] == 0x20);
}

TEST(others_answer_for_themselves)
{
    struct frame f = solicit(&guest_address, &guest_address);
    struct nd_reply reply;

    CHECK(nd_answer(&gateway, f.bytes, f.len, &reply) == ND_NOT_OURS);
    CHECK(!reply.len);
}

/* The option of that type in a router advertisement; NULL. */
static const uint8_t *
option(const struct nd_reply *reply, uint8_t type)
{
    for (size_t at = 54 + 16; at < reply->len; at += reply->frame[at + 1] * 8u)
    {
        if (reply->frame[at] == type) {
            return &reply->frame[at];
        }
    }
    return NULL;
}

TEST(a_guest_is_told_about_its_network)
{
    static const uint8_t nothing[4], domain[] = "\4blue\4weft";
    struct frame f = make(133, &guest_address, nothing, sizeof nothing);
    struct nd_gateway stateful = gateway;
    struct nd_reply reply;

    CHECK(nd_answer(&gateway, f.bytes, f.len, &reply) == ND_ADVERTISED);
    CHECK(is_sound(&reply) && reply.frame[54] == 134);
    /* O: what servers there are, DHCPv6 knows too. */
    CHECK(reply.frame[59] == 0x40 && !get_be16(reply.frame + 60));
    CHECK(get_be32(option(&reply, 5) + 4) == htobe32(1400));
    CHECK(option(&reply, 3)[2] == 64 && option(&reply, 3)[3] == 0xc0);
    CHECK(!memcmp(option(&reply, 25) + 8, &gateway.servers[0], 16));
    CHECK(!memcmp(option(&reply, 31) + 8, domain, sizeof domain));
    stateful.is_slaac = false;
    stateful.is_stateful = true;
    stateful.n_servers = 0;
    stateful.domain = NULL;
    CHECK(nd_answer(&stateful, f.bytes, f.len, &reply) == ND_ADVERTISED);
    CHECK(is_sound(&reply) && reply.frame[59] == 0xc0);
    CHECK(option(&reply, 3)[3] == 0x80 && !option(&reply, 25)
          && !option(&reply, 31));
}

TEST(everybody_hears_the_same_unasked)
{
    static const uint8_t nothing[4];
    static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 };
    struct frame f = make(133, &unspecified, nothing, sizeof nothing);
    struct nd_reply asked, unasked;

    CHECK(nd_answer(&gateway, f.bytes, f.len, &asked) == ND_ADVERTISED);
    nd_advertise(&gateway, &unasked);
    CHECK(is_sound(&unasked) && unasked.len == asked.len);
    CHECK(!memcmp(unasked.frame, asked.frame, asked.len));
    CHECK(!memcmp(unasked.frame + 14 + 24, all_nodes, sizeof all_nodes));
}

TEST(what_is_wrong_is_not_answered)
{
    static const uint8_t with_sll[12] = { [4] = 1, 1, 2 };
    struct frame f = solicit(&guest_address, &gateway.address);
    struct nd_reply reply;

    for (size_t len = 0; len < f.len; len++) {
        CHECK(nd_answer(&gateway, f.bytes, len, &reply) != ND_ANSWERED);
    }
    f.bytes[14 + 7] = 254;
    CHECK(nd_answer(&gateway, f.bytes, f.len, &reply) == ND_HOP_LIMIT);
    f.bytes[14 + 7] = 255;
    f.bytes[f.len - 1] ^= 1;
    CHECK(nd_answer(&gateway, f.bytes, f.len, &reply) == ND_CHECKSUM);
    f = make(133, &unspecified, with_sll, sizeof with_sll);
    CHECK(nd_answer(&gateway, f.bytes, f.len, &reply) == ND_OPTIONS);
}

TESTS(
    RUN(the_gateway_says_who_it_is),
    RUN(who_has_no_address_yet_hears_it_as_all_do),
    RUN(others_answer_for_themselves),
    RUN(a_guest_is_told_about_its_network),
    RUN(everybody_hears_the_same_unasked),
    RUN(what_is_wrong_is_not_answered),
)
