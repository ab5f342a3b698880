/* The flow under translation, as far as it was looked at.
 *
 * Translation answers for one packet, but its answer is cached for every packet
 * that agrees in the bits which were looked at.  So nobody reads the flow
 * itself: the accessors here mark each bit that they read in the answer's mask.
 *
 * Some bits do not depend on the packet (any more): registers, and what an
 * earlier action wrote.  They are *known*; reading them marks nothing.  A bit
 * that was copied or moved from another place in the packet is marked at that
 * place when it is copied, and known from then on.
 *
 * The TTL is the exception: dec_ttl is carried out by the data path on whatever
 * TTL a packet has, so the value here is *derived* from the packet's, and
 * whoever reads a bit of it depends on all eight.
 *
 * Always true: unless `unparsed`, the flow is what flow_key_extract() would
 * find in the packet after the edits so far.  Popping the last MPLS label (or
 * one of three VLAN tags) uncovers headers that the key does not show; then the
 * view is unparsed, only addresses of Ethernet and what does not lie in the
 * packet can be read and written, and translation goes on in another pass
 * (recirculation).  Popping an I-TAG uncovers other addresses, too. */
#ifndef WEFT_SWITCH_FLOW_VIEW_H
#define WEFT_SWITCH_FLOW_VIEW_H

#include "openflow/action.h"
#include "switch/tables.h"

struct flow_view {
    struct flow flow;             /* read by accessors only */
    struct flow_mask known;       /* bits that do not depend on the packet */
    bool ttl_derived, mpls_ttl_derived;
    bool unparsed;
    bool hides_ports;         /* of fragments from lookups: OpenFlow's "normal"
                                 way with them */
    bool unparsed_addresses;  /* not even Ethernet's are known; unparsed too */
};

/* What an answer depends on; outlives copies of the view (clones). */
struct flow_looks {
    struct flow_mask *mask;       /* of the packet's bits */
    struct flow_mask changed;     /* bits that some lookup saw changed */
};

void flow_view_init(struct flow_view *, const struct flow *,
                    struct flow_looks *);

/* ---- Reading ---- */

u128 flow_view_get_bits(const struct flow_view *, struct flow_looks *,
                        enum field_id, u128 mask);
u128 flow_view_get(const struct flow_view *, struct flow_looks *,
                   enum field_id);
u128 flow_view_get_subfield(const struct flow_view *, struct flow_looks *,
                            const struct subfield *);
uint32_t flow_view_in_port(const struct flow_view *);
/* All that it says of a tunnel: the tun_ fields, and of the options that are
 * mapped (NULL: none) those with a value; which these are. */
uint32_t flow_view_tunnel(const struct flow_view *, struct flow_looks *,
                          const struct tunnel_option_map *,
                          struct flow_key_fields *);
/* Does the packet have the field? */
bool flow_view_has(const struct flow_view *, struct flow_looks *,
                   enum field_id);
/* Looks up as if the packet had come in by `in_port`. */
const struct flow_entry *
flow_view_lookup(const struct flow_view *, struct flow_looks *,
                 const struct tables *, uint8_t table, uint64_t version,
                 uint32_t in_port, struct conjunction *);
/* The same as if it were the first packet of its connection. */
const struct flow_entry *
flow_view_lookup_original(const struct flow_view *, struct flow_looks *,
                          const struct tables *, uint8_t table,
                          uint64_t version, uint32_t in_port,
                          struct conjunction *);
/* Something outside of the tables (the fdb) was asked about the flow. */
void flow_view_asked(const struct flow_view *, struct flow_looks *);
/* The words of the key in which a lookup saw something else than what the packet
 * brought, and whose bits count: for upcall.rewritten. */
uint64_t flow_looks_rewritten(const struct flow_looks *);

/* ---- Writing: the effect on the flow of what the data path does ---- */

/* Can it be read and written now?  (False only while unparsed.) */
bool flow_view_can(const struct flow_view *, enum field_id);
/* Constant bits.  Not for VLAN fields of untagged packets. */
void flow_view_set(struct flow_view *, struct flow_looks *, enum field_id,
                   u128 value, u128 mask);
void flow_view_push_vlan(struct flow_view *, struct flow_looks *,
                         uint16_t tpid, uint16_t tci);
void flow_view_pop_vlan(struct flow_view *, struct flow_looks *);
void flow_view_push_mpls(struct flow_view *, struct flow_looks *,
                         uint16_t eth_type, uint32_t lse);
void flow_view_push_pbb(struct flow_view *, uint32_t tci);
void flow_view_pop_pbb(struct flow_view *);
void flow_view_pop_mpls(struct flow_view *, struct flow_looks *,
                        uint16_t eth_type);
/* As if the packet had never been tracked. */
void flow_view_clear_ct(struct flow_view *);
/* As the tracker will have left it in another pass: nothing is known of that. */
void flow_view_track(struct flow_view *);
void flow_view_dec_ttl(struct flow_view *);
void flow_view_dec_mpls_ttl(struct flow_view *);
void flow_view_copy_ttl_out(struct flow_view *, struct flow_looks *);
void flow_view_copy_ttl_in(struct flow_view *, struct flow_looks *);

/* ---- Another pass ---- */

/* The bits that a new key does not show: pipeline fields, and what was written
 * to in_port, tunnel and mark. */
void flow_view_save(const struct flow_view *, struct flow *value,
                    struct flow_mask *known);
void flow_view_restore(struct flow_view *, const struct flow *value,
                       const struct flow_mask *known);
/* The same where a controller has had the packet: of the pipeline's fields only
 * those that a packet-in does not show come from `value`, and nothing depends on
 * the packet any more: nobody caches the answer. */
void flow_view_resume(struct flow_view *, const struct flow *value);

#endif
