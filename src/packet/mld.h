/* MLD (RFC 2710, 3810): IPv6 hosts say which groups they hear. */
#ifndef WEFT_PACKET_MLD_H
#define WEFT_PACKET_MLD_H

#include "packet/membership.h"

/* As igmp_decode().  -EXDEV also: without the Router Alert that every message
 * has, or not from a link-local address (RFC 3810, 5; reports may come from
 * none, RFC 3590). */
int mld_decode(const void *frame, size_t len, struct membership_message *);

/* Writes a query as a frame; returns its length. */
size_t mld_encode_query(const struct membership_query *,
                        uint8_t out[MEMBERSHIP_QUERY_MAX]);

#endif
