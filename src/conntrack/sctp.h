/* SCTP associations (RFC 9260), as seen from between the ends.
 *
 * Every packet carries the verification tag that its receiver chose, in the INIT
 * or INIT ACK it sent; one with another tag is none of this association.  Tags of
 * an association that was picked up in the middle are those of its first packets. */
#ifndef WEFT_CONNTRACK_SCTP_H
#define WEFT_CONNTRACK_SCTP_H

#include "conntrack/state.h"

bool sctp_may_begin(const struct ct_packet *, bool no_pickup);
void sctp_begin(struct ct_conn *, const struct ct_packet *);
enum ct_update sctp_update(struct ct_conn *, unsigned int dir,
                           const struct ct_packet *);
enum ct_timeout sctp_timeout(const struct ct_conn *);
bool sctp_is_known(const struct ct_peer *);
const char *sctp_text(const struct ct_conn *);

#endif
