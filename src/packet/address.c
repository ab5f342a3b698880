#include "packet/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

bool
ip4_parse(const char *text, be32 *addr)
{
    return inet_pton(AF_INET, text, addr) == 1;
}

bool
ip6_parse(const char *text, struct ip6_addr *addr)
{
    return inet_pton(AF_INET6, text, addr->b) == 1;
}

static int
hex_digit(char c)
{
    return isdigit((unsigned char) c) ? c - '0'
           : isxdigit((unsigned char) c) ? tolower((unsigned char) c) - 'a' + 10
           : -1;
}

bool
ip_parse(const char *text, struct ip6_addr *addr)
{
    be32 ip4;

    if (ip4_parse(text, &ip4)) {
        *addr = ip6_of_ip4(ip4);
        return ip4;
    }
    return ip6_parse(text, addr) && ip6_addr_is_set(*addr);
}

bool
eth_addr_parse(const char *text, struct eth_addr *addr)
{
    struct eth_addr parsed;

    for (int i = 0; i < 6; i++, text += 3) {
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);

        if (low < 0 || text[2] != (i < 5 ? ':' : '\0')) {
            return false;
        }
        parsed.b[i] = (uint8_t) (high << 4 | low);
    }
    *addr = parsed;
    return true;
}

/* Splits "ADDRESS/LEN"; `len` stays when there is no slash. */
static bool
split_prefix(const char *text, char address[ADDRESS_TEXT_SIZE], uint8_t *len)
{
    const char *slash = strchr(text, '/');
    size_t address_len = slash ? (size_t) (slash - text) : strlen(text);
    unsigned int n = 0;

    if (address_len >= ADDRESS_TEXT_SIZE) {
        return false;
    }
    memcpy(address, text, address_len);
    address[address_len] = '\0';
    if (!slash) {
        return true;
    }
    if (!slash[1] || strlen(slash) > 4 || (slash[1] == '0' && slash[2])) {
        return false;
    }
    for (const char *p = slash + 1; *p; p++) {
        if (!isdigit((unsigned char) *p)) {
            return false;
        }
        n = n * 10 + (unsigned int) (*p - '0');
    }
    if (n > *len) {
        return false;
    }
    *len = (uint8_t) n;
    return true;
}

bool
ip4_prefix_parse(const char *text, be32 *addr, uint8_t *len)
{
    char address[ADDRESS_TEXT_SIZE];
    uint8_t n = 32;

    if (!split_prefix(text, address, &n) || !ip4_parse(address, addr)) {
        return false;
    }
    *len = n;
    return true;
}

bool
ip6_prefix_parse(const char *text, struct ip6_addr *addr, uint8_t *len)
{
    char address[ADDRESS_TEXT_SIZE];
    uint8_t n = 128;

    if (!split_prefix(text, address, &n) || !ip6_parse(address, addr)) {
        return false;
    }
    *len = n;
    return true;
}

const char *
ip4_format(be32 addr, char text[ADDRESS_TEXT_SIZE])
{
    return inet_ntop(AF_INET, &addr, text, ADDRESS_TEXT_SIZE);
}

const char *
ip6_format(struct ip6_addr addr, char text[ADDRESS_TEXT_SIZE])
{
    return inet_ntop(AF_INET6, addr.b, text, ADDRESS_TEXT_SIZE);
}

const char *
ip_format(struct ip6_addr addr, char text[ADDRESS_TEXT_SIZE])
{
    return ip6_is_mapped4(&addr) ? ip4_format(get_be32(&addr.b[12]), text)
                                 : ip6_format(addr, text);
}

const char *
eth_addr_format(struct eth_addr a, char text[ADDRESS_TEXT_SIZE])
{
    snprintf(text, ADDRESS_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x",
             a.b[0], a.b[1], a.b[2], a.b[3], a.b[4], a.b[5]);
    return text;
}

struct ip6_addr
ip6_masked(struct ip6_addr addr, uint8_t len)
{
    for (unsigned int i = 0; i < sizeof addr.b; i++) {
        unsigned int kept = len > i * 8 ? MIN(len - i * 8u, 8u) : 0;

        addr.b[i] &= (uint8_t) (0xff00 >> kept);
    }
    return addr;
}
