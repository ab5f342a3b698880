/* Addresses as people write them: 10.1.0.20, fd00::5, 02:00:00:00:00:01, and
 * networks with a prefix length.
 *
 * Texts are what inet_ntop() writes; a MAC is six pairs of hexadecimal digits
 * with colons. */
#ifndef WEFT_PACKET_ADDRESS_H
#define WEFT_PACKET_ADDRESS_H

#include "lib/types.h"

enum { ADDRESS_TEXT_SIZE = 52 };  /* the longest, with prefix and NUL */

bool ip4_parse(const char *text, be32 *);
bool ip6_parse(const char *text, struct ip6_addr *);
/* Of either family, and set; IPv4 becomes its v4-mapped form. */
bool ip_parse(const char *text, struct ip6_addr *);
bool eth_addr_parse(const char *text, struct eth_addr *);
/* "10.1.0.0/24"; without a prefix it is the address alone, /32 or /128. */
bool ip4_prefix_parse(const char *text, be32 *, uint8_t *len);
bool ip6_prefix_parse(const char *text, struct ip6_addr *, uint8_t *len);

/* All write into `text` and return it. */
const char *ip4_format(be32, char text[ADDRESS_TEXT_SIZE]);
const char *ip6_format(struct ip6_addr, char text[ADDRESS_TEXT_SIZE]);
/* One in v4-mapped form as IPv4. */
const char *ip_format(struct ip6_addr, char text[ADDRESS_TEXT_SIZE]);
const char *eth_addr_format(struct eth_addr, char text[ADDRESS_TEXT_SIZE]);

static inline be32
ip4_mask(uint8_t len)
{
    return len ? htobe32(UINT32_MAX << (32 - len)) : 0;
}

static inline bool
ip4_is_within(be32 addr, be32 network, uint8_t len)
{
    return !((addr ^ network) & ip4_mask(len));
}

struct ip6_addr ip6_masked(struct ip6_addr, uint8_t len);

static inline bool
ip6_addr_eq(struct ip6_addr a, struct ip6_addr b)
{
    return !memcmp(a.b, b.b, sizeof a.b);
}

static inline bool
ip6_is_within(struct ip6_addr addr, struct ip6_addr network, uint8_t len)
{
    return ip6_addr_eq(ip6_masked(addr, len), ip6_masked(network, len));
}

static inline bool
ip6_addr_is_set(struct ip6_addr a)
{
    return !ip6_addr_eq(a, (struct ip6_addr) { { 0 } });
}

/* An IPv4 address where both families are spoken of: ::ffff:a.b.c.d. */
static inline struct ip6_addr
ip6_of_ip4(be32 addr)
{
    struct ip6_addr mapped = { { [10] = 0xff, [11] = 0xff } };

    memcpy(&mapped.b[12], &addr, sizeof addr);
    return mapped;
}

static inline bool
ip6_is_mapped4(const struct ip6_addr *addr)
{
    struct ip6_addr mapped = ip6_of_ip4(get_be32(&addr->b[12]));

    return !memcmp(addr, &mapped, sizeof mapped);
}

/* Multicast, of either family. */
static inline bool
ip6_is_group(const struct ip6_addr *addr)
{
    return ip6_is_mapped4(addr) ? addr->b[12] >> 4 == 0xe
                                : addr->b[0] == 0xff;
}

static inline bool
eth_addr_is_set(struct eth_addr a)
{
    return !eth_addr_eq(a, (struct eth_addr) { { 0 } });
}

#endif
