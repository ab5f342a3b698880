/* The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * A partial sum is a plain 32-bit accumulation of 16-bit words in the byte
 * order they have in memory; checksum_fold() makes the final, complemented
 * field from it. */
#ifndef WEFT_PACKET_CHECKSUM_H
#define WEFT_PACKET_CHECKSUM_H

#include "packet/packet.h"

/* Adds `len` bytes.  Partial sums may be added in any order as long as all but
 * the last piece have even length. */
uint32_t checksum_add(uint32_t partial, const void *data, size_t len);
/* The same, and copies them: in one pass, for little more than either. */
uint32_t checksum_copy(uint32_t partial, void *to, const void *from,
                       size_t len);

static inline uint16_t
checksum_reduce(uint32_t partial)
{
    partial = (partial & 0xffff) + (partial >> 16);
    return (uint16_t) ((partial & 0xffff) + (partial >> 16));
}

/* The field to put on the wire. */
static inline be16
checksum_fold(uint32_t partial)
{
    return (be16) ~checksum_reduce(partial);
}

/* RFC 1624, equation 3: the checksum after bytes `from` became `to`. */
be16 checksum_update16(be16 checksum, be16 from, be16 to);
be16 checksum_update32(be16 checksum, be32 from, be32 to);
be16 checksum_update_bytes(be16 checksum, const void *from, const void *to,
                           size_t len /* even */);

/* Sums of the pseudo-headers (RFC 768, 9293; RFC 8200 section 8.1). */
static inline uint32_t
checksum_pseudo4(be32 src, be32 dst, uint8_t proto, uint16_t l4_len)
{
    return (src & 0xffff) + (src >> 16) + (dst & 0xffff) + (dst >> 16)
           + htobe16(proto) + htobe16(l4_len);
}
uint32_t checksum_pseudo6(const void *src, const void *dst, uint8_t proto,
                          uint32_t l4_len);

/* Finishes a checksum that is still owed (OFFLOAD_NEEDS_CSUM) in the packet's
 * bytes and clears the flag.  Not for GSO packets: segment them first.
 * False: the offload state points outside of the packet; nothing changed. */
bool packet_complete_checksum(struct packet *);

#endif
