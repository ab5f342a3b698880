/* How far a connection is, by protocol.
 *
 * TCP's and SCTP's states are in tcp.h and sctp.h; of every other protocol only
 * counts whether there was an answer.  The connection is the caller's, locked. */
#ifndef WEFT_CONNTRACK_STATE_H
#define WEFT_CONNTRACK_STATE_H

#include "conntrack/table.h"
#include "conntrack/tuple.h"

/* What a packet is to the connection whose tuple it has. */
enum ct_update {
    CT_UPDATE_VALID,
    CT_UPDATE_STILL_NEW,
    CT_UPDATE_INVALID,
    CT_UPDATE_BEGINS,         /* the old one is over: the first of another */
};

/* May a packet that belongs to no connection begin one? */
bool ct_state_may_begin(const struct ct_packet *, bool no_pickup);
void ct_state_begin(struct ct_conn *, const struct ct_packet *);
enum ct_update ct_state_update(struct ct_conn *, unsigned int dir,
                               const struct ct_packet *);

enum ct_timeout ct_state_timeout(const struct ct_conn *);
/* Can a peer be in this state?  (It was read from somewhere.) */
bool ct_state_is_known(uint8_t proto, const struct ct_peer *);
const char *ct_state_text(const struct ct_conn *);

#endif
