#include "packet/cursor.h"
#include "packet/encap.h"

enum { FLAG_VNI = 0x08, VNI_OFS = 4 };

int
vxlan_decode(const uint8_t *p, uint32_t len, struct tunnel_key *key)
{
    if (len < VXLAN_HEADER_LEN) {
        return -ENCAP_SHORT;
    }
    /* Bits that are reserved are ignored. */
    if (!(p[0] & FLAG_VNI)) {
        return -ENCAP_FLAGS;
    }
    key->id = htobe64(be32toh(get_be32(p + VNI_OFS)) >> 8);
    key->flags = htobe16(TUNNEL_F_KEY);
    key->n_options = 0;
    return VXLAN_HEADER_LEN;
}

uint32_t
vxlan_encode(const struct tunnel_key *key, uint8_t *p)
{
    put_be32(p, htobe32((uint32_t) FLAG_VNI << 24));
    put_be32(p + VNI_OFS, htobe32((uint32_t) be64toh(key->id) << 8));
    return VXLAN_HEADER_LEN;
}
