#include "packet/checksum.h"
#include "packet/cursor.h"
#include "packet/encap.h"
#include "packet/eth.h"

enum {
    FLAG_CSUM = 0x8000, FLAG_KEY = 0x2000, FLAG_SEQ = 0x1000,
    /* Bits that RFC 2784 says to discard a packet for, and the version. */
    MASK_UNREADABLE = 0x4c07,
    PROTOCOL_OFS = 2, WORDS_OFS = 4, WORD_LEN = 4,
};

int
gre_decode(const uint8_t *p, uint32_t len, struct tunnel_key *key,
           struct encap_gre *gre)
{
    struct cursor c = cursor_init(p, len);
    const uint8_t *head = cursor_take(&c, WORDS_OFS), *word = NULL;
    uint16_t flags;

    if (!head) {
        return -ENCAP_SHORT;
    }
    flags = be16toh(get_be16(head));
    if (flags & MASK_UNREADABLE) {
        return -ENCAP_FLAGS;
    }
    *gre = (struct encap_gre) {
        .has_csum = flags & FLAG_CSUM, .has_key = flags & FLAG_KEY,
        .has_seq = flags & FLAG_SEQ,
    };
    key->id = 0;
    key->n_options = 0;
    if (gre->has_csum && !cursor_take(&c, WORD_LEN)) {
        return -ENCAP_SHORT;
    }
    if (gre->has_key) {
        word = cursor_take(&c, WORD_LEN);
        if (!word) {
            return -ENCAP_SHORT;
        }
        key->id = htobe64(be32toh(get_be32(word)));
    }
    if (gre->has_seq) {
        word = cursor_take(&c, WORD_LEN);
        if (!word) {
            return -ENCAP_SHORT;
        }
        gre->seq = be32toh(get_be32(word));
    }
    if (get_be16(head + PROTOCOL_OFS) != htobe16(ETH_TYPE_TEB)) {
        return -ENCAP_PROTOCOL;
    }
    if (gre->has_csum && checksum_fold(checksum_add(0, p, len))) {
        return -ENCAP_CHECKSUM;
    }
    key->flags = htobe16((uint16_t) ((gre->has_key ? TUNNEL_F_KEY : 0)
                                     | (gre->has_csum ? TUNNEL_F_CSUM : 0)));
    return WORDS_OFS + WORD_LEN * (gre->has_csum + gre->has_key
                                   + gre->has_seq);
}

uint32_t
gre_encode(const struct tunnel_key *key, const struct encap_gre *gre,
           uint8_t *p)
{
    uint32_t at = WORDS_OFS;

    put_be16(p, htobe16((uint16_t) ((gre->has_csum ? FLAG_CSUM : 0)
                                    | (gre->has_key ? FLAG_KEY : 0)
                                    | (gre->has_seq ? FLAG_SEQ : 0))));
    put_be16(p + PROTOCOL_OFS, htobe16(ETH_TYPE_TEB));
    if (gre->has_csum) {
        put_be32(p + at, 0);
        at += WORD_LEN;
    }
    if (gre->has_key) {
        put_be32(p + at, htobe32((uint32_t) be64toh(key->id)));
        at += WORD_LEN;
    }
    if (gre->has_seq) {
        put_be32(p + at, htobe32(gre->seq));
        at += WORD_LEN;
    }
    return at;
}

void
gre_complete(uint8_t *p, uint32_t len)
{
    put_be16(p + WORDS_OFS, checksum_fold(checksum_add(0, p, len)));
}
