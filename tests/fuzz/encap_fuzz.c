/* Tunnel headers from outside: whatever they are, what was read is written
 * again and read the same.  The first byte chooses the encapsulation. */
#include <stdlib.h>

#include "packet/encap.h"
#include "packet/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
decode(unsigned int kind, const uint8_t *p, uint32_t len,
       struct tunnel_key *key, struct encap_gre *gre)
{
    return kind == 0 ? vxlan_decode(p, len, key)
           : kind == 1 ? geneve_decode(p, len, key)
                       : gre_decode(p, len, key, gre);
}

static uint32_t
encode(unsigned int kind, const struct tunnel_key *key,
       const struct encap_gre *gre, uint8_t *p)
{
    return kind == 0 ? vxlan_encode(key, p)
           : kind == 1 ? geneve_encode(key, p) : gre_encode(key, gre, p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tunnel_option_map map = {
        .mapped = 0x3, .options = { { 0x0102, 0x03, 4, 12 },
                                    { 0x0102, 0x84, 16, 16 } },
    };
    struct tunnel_key key = { .family = 4 }, again = { .family = 4 };
    struct encap_gre gre = { 0 }, gre_again = { 0 };
    struct flow_key flow_key = { .map = 7 };
    unsigned int kind;
    uint8_t *copy;
    uint32_t len;
    int n;

    if (size < 1 || size > UINT16_MAX) {
        return 0;
    }
    kind = data[0] % 3;
    n = decode(kind, data + 1, (uint32_t) size - 1, &key, &gre);
    if (n < 0) {
        return 0;
    }
    copy = malloc(ENCAP_MAX_LEN + size);
    len = encode(kind, &key, &gre, copy);
    memcpy(copy + len, data + 1 + n, size - 1 - (size_t) n);
    if (gre.has_csum) {
        gre_complete(copy, len + (uint32_t) size - 1 - (uint32_t) n);
    }
    if ((int) len != n
        || decode(kind, copy, len + (uint32_t) size - 1 - (uint32_t) n,
                  &again, &gre_again) != n
        || again.id != key.id || again.n_options != key.n_options
        || memcmp(again.options, key.options, key.n_options)) {
        abort();
    }
    tunnel_key_extract(&key, &flow_key);
    tunnel_key_extract_options(&key, &map, &flow_key);
    free(copy);
    return 0;
}
