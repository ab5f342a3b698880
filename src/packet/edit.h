/* Editing packets in place: tags, labels, fields.
 *
 * Every edit keeps the packet whole: checksums that are complete stay right
 * (RFC 1624), a checksum that is still owed gets its pseudo-header sum adjusted
 * and nothing else, csum_start, hdr_len and the offsets move with the data.
 * Needs the offsets that flow_key_extract() set; edits keep them right.
 *
 *   - A UDP checksum of zero ("none") stays zero.
 *   - Of a fragmented datagram the checksum lies in the first fragment and is
 *     adjusted there; later fragments have only their addresses changed.
 *   - Behind a routing header with segments left the pseudo-header holds the
 *     final destination (RFC 8200 section 8.1): writing ipv6_dst, which is the
 *     next hop then, leaves the checksum alone.
 *   - SCTP's CRC-32C stays as right or wrong as it was.  Ports in a fragment of
 *     SCTP cannot be set: the sum covers bytes that are elsewhere.
 *   - Fields below an MPLS label stack or an I-TAG are out of reach until it is
 *     popped.
 *
 * All return false, with the packet unchanged, when the packet has not what the
 * edit needs (no tag, no headroom, header cut short). */
#ifndef WEFT_PACKET_EDIT_H
#define WEFT_PACKET_EDIT_H

#include "packet/field.h"

/* Writes the bits of `mask` of a FIELD_WIRE field.  Setting vlan_vid (or
 * vlan_tci, with the present bit) on an untagged packet pushes a tag 0x8100;
 * vlan_tci without the present bit pops it. */
bool packet_set_field(struct packet *, enum field_id, u128 value, u128 mask);

bool packet_vlan_push(struct packet *, uint16_t tpid, uint16_t tci);
bool packet_vlan_pop(struct packet *);

/* RFC 3032.  push: a new outermost label stack entry behind Ethernet and VLAN
 * tags, `lse` as given; the Ethertype becomes `eth_type`.  pop: removes the
 * outermost entry, the Ethertype becomes `eth_type` when it was the last. */
bool packet_mpls_push(struct packet *, uint16_t eth_type, uint32_t lse);
bool packet_mpls_pop(struct packet *, uint16_t eth_type);

/* 802.1ah.  push: the frame becomes the customer's in a backbone frame of the
 * same addresses, whose I-TAG has `tci`.  pop: the customer's frame again, with
 * the VLAN tags that the backbone frame may have. */
bool packet_pbb_push(struct packet *, uint32_t tci);
bool packet_pbb_pop(struct packet *);

/* Decrements the IPv4 TTL or IPv6 hop limit, or the MPLS TTL.  False also when
 * it is 0 or 1 already: the packet must not be forwarded. */
bool packet_dec_ttl(struct packet *);
bool packet_dec_mpls_ttl(struct packet *);
/* Copies the TTL between the two outermost headers that have one (OpenFlow 1.3
 * section 5.12): out = towards the outermost. */
bool packet_copy_ttl_out(struct packet *);
bool packet_copy_ttl_in(struct packet *);

#endif
