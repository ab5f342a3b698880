/* Spreading flows by a hash: the arithmetic of multipath and bundle.
 *
 * Packets of one flow have the same hash as long as the switch runs; nobody
 * outside can tell which (it is keyed). */
#ifndef WEFT_SWITCH_BALANCE_H
#define WEFT_SWITCH_BALANCE_H

#include "lib/hash.h"
#include "switch/flow_view.h"

/* Of the fields that `fields` names, as far as the packet has them. */
uint32_t balance_hash(struct hash_key, enum hash_fields, uint16_t basis,
                      const struct flow_view *, struct flow_looks *);
/* 0 to a->max_link. */
uint32_t balance_link(const struct action_multipath *, uint32_t hash);
/* The port of one live member, OFPP_ANY: none is. */
uint32_t balance_member(const struct action_bundle *, uint32_t hash,
                        bool (*is_live)(const void *aux, uint32_t port),
                        const void *aux);

#endif
