#include "intent/transfer.h"

#include <stdio.h>

#include "lib/hash.h"

/* What addresses are made of: it never changes. */
static const struct hash_key link_key = { UINT64_C(0x776566742d6c6e6b) };

enum {
    FIRST_BLOCK = 1, N_BLOCKS = 254,      /* 169.254.0 and .255 are reserved */
    METADATA_BLOCK = 169,         /* clouds answer guests at 169.254.169.254 */
    N_LINKS = 64,                 /* of /30 in a block */
};

static be32
choose_network(uint64_t hash)
{
    uint32_t block = FIRST_BLOCK + (uint32_t) (hash % (N_BLOCKS - 1));
    uint32_t link = (uint32_t) (hash >> 32) % N_LINKS;

    block += block >= METADATA_BLOCK;
    return htobe32(UINT32_C(0xa9fe0000) | block << 8 | link << 2);
}

void
transfer_fill(struct transfer *transfer, const struct intent_object *uplink,
              const struct subnet4 *chosen)
{
    uint64_t hash = hash_bytes(link_key, uplink->name, strlen(uplink->name));
    struct ip6_addr network6 = { { 0xfd } };

    if (strlen(uplink->name) + strlen("weft-") < sizeof transfer->port) {
        snprintf(transfer->port, sizeof transfer->port, "weft-%s",
                 uplink->name);
    } else {
        snprintf(transfer->port, sizeof transfer->port, "weft-%08x",
                 (unsigned int) uplink->id);
    }
    transfer->network = chosen->is_set ? chosen->addr : choose_network(hash);
    transfer->host = htobe32(be32toh(transfer->network) + 1);
    transfer->ours = htobe32(be32toh(transfer->network) + 2);
    memcpy(&network6.b[1], &hash, 7);
    transfer->host6 = transfer->ours6 = network6;
    transfer->host6.b[15] = 1;
    transfer->ours6.b[15] = 2;
}
