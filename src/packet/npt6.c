#include "packet/npt6.h"

#include "packet/address.h"
#include "packet/checksum.h"

enum { SUBNET_LEN = 48, SUBNET_WORD = 3, FIRST_ID_WORD = 4, N_WORDS = 8 };

static uint16_t
word(const struct ip6_addr *address, unsigned int i)
{
    return (uint16_t) (address->b[2 * i] << 8 | address->b[2 * i + 1]);
}

static void
set_word(struct ip6_addr *address, unsigned int i, uint16_t value)
{
    address->b[2 * i] = (uint8_t) (value >> 8);
    address->b[2 * i + 1] = (uint8_t) value;
}

/* The sum of its words, with the carry brought round. */
static uint16_t
sum(const struct ip6_addr *address)
{
    uint32_t partial = 0;

    for (unsigned int i = 0; i < N_WORDS; i++) {
        partial += word(address, i);
    }
    return checksum_reduce(partial);
}

/* Which word takes the difference; N_WORDS: none can. */
static unsigned int
adjusted_word(const struct ip6_addr *address, uint8_t len)
{
    unsigned int i = FIRST_ID_WORD;

    if (len <= SUBNET_LEN) {
        return word(address, SUBNET_WORD) != 0xffff ? SUBNET_WORD : N_WORDS;
    }
    while (i < N_WORDS && word(address, i) == 0xffff) {
        i++;
    }
    return i;
}

static bool
has_identifier(const struct ip6_addr *address)
{
    bool has_any = false;

    for (unsigned int i = FIRST_ID_WORD; i < N_WORDS; i++) {
        has_any |= word(address, i) != 0;
    }
    return has_any;
}

bool
npt6_map(struct ip6_addr inside, struct ip6_addr prefix, uint8_t len,
         struct ip6_addr *outside)
{
    struct ip6_addr was = ip6_masked(inside, len);
    struct ip6_addr is = ip6_masked(prefix, len);
    unsigned int at = adjusted_word(&inside, len);
    uint32_t adjusted;

    if (at == N_WORDS || !has_identifier(&inside)) {
        return false;
    }
    *outside = inside;
    for (unsigned int i = 0; i < sizeof is.b; i++) {
        outside->b[i] = (uint8_t) (inside.b[i] ^ was.b[i] ^ is.b[i]);
    }
    /* Less the new prefix, plus the old one; minus is the complement. */
    adjusted = checksum_reduce((uint32_t) word(outside, at) + sum(&was)
                               + (uint16_t) ~sum(&is));
    /* Of the two zeros, the one that there are checksums of. */
    set_word(outside, at, adjusted == 0xffff ? 0 : (uint16_t) adjusted);
    return true;
}
