/* IGMP (RFC 1112, 2236, 3376): IPv4 hosts say which groups they hear. */
#ifndef WEFT_PACKET_IGMP_H
#define WEFT_PACKET_IGMP_H

#include "packet/membership.h"

/* Reads an untagged frame.  -EPROTO: something else, a fragment, or a message
 * of a kind that is not known; -EBADMSG: lengths or addresses contradict each
 * other; -EILSEQ: a wrong checksum; -EXDEV: it came by way of a router. */
int igmp_decode(const void *frame, size_t len, struct membership_message *);

/* Writes a query as a frame; returns its length. */
size_t igmp_encode_query(const struct membership_query *,
                         uint8_t out[MEMBERSHIP_QUERY_MAX]);

#endif
