/* TCP connections (RFC 9293), as seen from between the ends.
 *
 * Each end has a state of its own, by what it sent and what of that the other
 * end acknowledged:
 *
 *     NOTHING      nothing was seen of it
 *     OPENING      it sent its first packet
 *     ESTABLISHED  and the other end has acknowledged something
 *     CLOSING      it sent FIN
 *     CLOSED       and the other end has acknowledged something since
 *     RESET        one of the ends sent RST
 *
 * A packet belongs to the connection when its sequence and acknowledgment numbers
 * lie where its ends can have them, by the four conditions of "Real Stateful TCP
 * Packet Filtering" (van Rooij, 2000), windows scaled (RFC 7323).  Of a connection
 * that was picked up in the middle the scale is unknown: the largest is assumed.
 * Selective acknowledgments need nothing: they tell of less than the window. */
#ifndef WEFT_CONNTRACK_TCP_H
#define WEFT_CONNTRACK_TCP_H

#include "conntrack/state.h"

bool tcp_may_begin(const struct ct_packet *, bool no_pickup);
void tcp_begin(struct ct_conn *, const struct ct_packet *);
enum ct_update tcp_update(struct ct_conn *, unsigned int dir,
                          const struct ct_packet *);
enum ct_timeout tcp_timeout(const struct ct_conn *);
/* Its numbers are of the past: the next packet says how far both ends are. */
void tcp_cast_adrift(struct ct_conn *);
bool tcp_is_known(const struct ct_peer *);
const char *tcp_text(const struct ct_conn *);

#endif
