/* CRC-32C, the checksum of SCTP (RFC 9260 appendix A). */
#ifndef WEFT_PACKET_CRC32C_H
#define WEFT_PACKET_CRC32C_H

#include "lib/types.h"

/* Goes on from `crc`; begin with CRC32C_INIT, end with crc32c_finish(). */
#define CRC32C_INIT UINT32_MAX
uint32_t crc32c_add(uint32_t crc, const void *, size_t len);
/* The portable twin of crc32c_add(). */
uint32_t crc32c_add_by_table(uint32_t crc, const void *, size_t len);

static inline uint32_t
crc32c_finish(uint32_t crc)
{
    return ~crc;
}

/* The checksum of an SCTP packet of `len` >= 12 bytes, as it stands on the wire
 * at offset 8; what stands there now counts as zero. */
be32 crc32c_sctp(const uint8_t *sctp, size_t len);

#endif
