/* Which options of tunnels (Geneve's TLVs: a class and a type) are which of the
 * fields tun_metadata0 to 31.
 *
 * A field has room of its own in the flow key (packet/field.h); an option may be
 * shorter.  What no option is mapped to can be neither matched nor written, so
 * an option that entries speak of cannot be taken away.
 *
 * Owned by the control thread. */
#ifndef WEFT_SWITCH_TLV_MAP_H
#define WEFT_SWITCH_TLV_MAP_H

#include "openflow/message.h"
#include "packet/tunnel.h"

struct tlv_map {
    uint32_t mapped;              /* bit n: tun_metadata<n> */
    struct of_tlv options[32];    /* those */
};

/* `used`: the fields that entries and groups speak of.  All or nothing. */
enum of_error tlv_map_mod(struct tlv_map *, const struct of_tlv_table *,
                          uint32_t used, struct str *why);
void tlv_map_read(const struct tlv_map *, struct of_tlv_table *);
/* As the data path reads it. */
void tlv_map_options(const struct tlv_map *, struct tunnel_option_map *);
/* May entries speak of these fields? */
enum of_error tlv_map_check(const struct tlv_map *, uint32_t fields,
                            struct str *why);

#endif
