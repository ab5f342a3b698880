/* A lease of IPv6 as bytes, for a store.
 *
 *     version 1: u8 | state: u8 | address: 16 | expires: u64 | MAC: 6
 *     | IAID: u32 | length: u8, port | length: u8, hostname | length: u8, DUID
 *
 * in network order.  What is read may be anything. */
#ifndef WEFT_SERVICE_LEASE6_RECORD_H
#define WEFT_SERVICE_LEASE6_RECORD_H

#include "service/lease6.h"

enum {
    LEASE6_RECORD_VERSION = 1,
    LEASE6_RECORD_MAX = 36 + LEASE_PORT_MAX + LEASE_HOSTNAME_MAX + 1
                        + LEASE_CLIENT_MAX,
};

/* Returns how many bytes it became. */
size_t lease6_record_encode(const struct lease6_record *,
                            uint8_t out[LEASE6_RECORD_MAX]);
/* -EPROTO: of a version that we do not know; -EBADMSG: no record. */
int lease6_record_decode(const void *, size_t len, struct lease6_record *);

#endif
