#include "packet/cursor.h"
#include "packet/encap.h"
#include "packet/eth.h"

enum { VERSION_SHIFT = 6, LEN_MASK = 0x3f, FLAG_OAM = 0x80,
       FLAG_CRITICAL = 0x40, PROTOCOL_OFS = 2, VNI_OFS = 4 };

/* Do they fill their room? */
static bool
options_fit(const uint8_t *options, uint32_t len)
{
    uint32_t at = 0;

    while (at + TUNNEL_OPTION_HEADER <= len) {
        at += TUNNEL_OPTION_HEADER
              + 4u * (options[at + 3] & TUNNEL_OPTION_LEN_MASK);
    }
    return at == len;
}

int
geneve_decode(const uint8_t *p, uint32_t len, struct tunnel_key *key)
{
    uint32_t n_options;

    if (len < GENEVE_HEADER_LEN) {
        return -ENCAP_SHORT;
    }
    if (p[0] >> VERSION_SHIFT) {
        return -ENCAP_FLAGS;
    }
    n_options = 4u * (p[0] & LEN_MASK);
    if (len < GENEVE_HEADER_LEN + n_options) {
        return -ENCAP_SHORT;
    }
    if (get_be16(p + PROTOCOL_OFS) != htobe16(ETH_TYPE_TEB)) {
        return -ENCAP_PROTOCOL;
    }
    if (!options_fit(p + GENEVE_HEADER_LEN, n_options)) {
        return -ENCAP_OPTIONS;
    }
    key->id = htobe64(be32toh(get_be32(p + VNI_OFS)) >> 8);
    key->flags = htobe16((uint16_t) (TUNNEL_F_KEY
                                     | (p[1] & FLAG_OAM ? TUNNEL_F_OAM : 0)));
    key->n_options = (uint8_t) n_options;
    memcpy(key->options, p + GENEVE_HEADER_LEN, n_options);
    return (int) (GENEVE_HEADER_LEN + n_options);
}

/* RFC 8926, 3.4: the C bit says that some option is critical. */
static bool
has_critical(const struct tunnel_key *key)
{
    for (uint32_t at = 0; at + TUNNEL_OPTION_HEADER <= key->n_options;
         at += TUNNEL_OPTION_HEADER
               + 4u * (key->options[at + 3] & TUNNEL_OPTION_LEN_MASK)) {
        if (key->options[at + 2] & TUNNEL_OPTION_CRITICAL) {
            return true;
        }
    }
    return false;
}

uint32_t
geneve_encode(const struct tunnel_key *key, uint8_t *p)
{
    p[0] = key->n_options / 4;
    p[1] = (uint8_t) ((key->flags & htobe16(TUNNEL_F_OAM) ? FLAG_OAM : 0)
                      | (has_critical(key) ? FLAG_CRITICAL : 0));
    put_be16(p + PROTOCOL_OFS, htobe16(ETH_TYPE_TEB));
    put_be32(p + VNI_OFS, htobe32((uint32_t) be64toh(key->id) << 8));
    memcpy(p + GENEVE_HEADER_LEN, key->options, key->n_options);
    return GENEVE_HEADER_LEN + key->n_options;
}
