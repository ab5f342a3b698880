/* A lease as bytes, for a store.
 *
 *     version 1: u8 | state: u8 | address: 4 | expires: u64 | MAC: 6
 *     | length: u8, port | length: u8, hostname | length: u8, client
 *
 * in network order.  What is read may be anything. */
#ifndef WEFT_SERVICE_LEASE_RECORD_H
#define WEFT_SERVICE_LEASE_RECORD_H

#include "service/lease.h"

enum {
    LEASE_RECORD_VERSION = 1,
    LEASE_RECORD_MAX = 20 + LEASE_PORT_MAX + LEASE_HOSTNAME_MAX + 1
                       + LEASE_CLIENT_MAX,
};

/* Returns how many bytes it became. */
size_t lease_record_encode(const struct lease_record *,
                           uint8_t out[LEASE_RECORD_MAX]);
/* -EPROTO: of a version that we do not know; -EBADMSG: no record. */
int lease_record_decode(const void *, size_t len, struct lease_record *);

#endif
