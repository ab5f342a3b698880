/* How frames pass a tap's character device; for tap and internal. */
#ifndef WEFT_PORT_TAP_H
#define WEFT_PORT_TAP_H

#include "port/port.h"

int tap_rx(struct port *, unsigned int queue, struct packet_pool *,
           struct batch *);
void tap_tx(struct port *, unsigned int queue, struct batch *, bool borrow);
bool tap_has_link(const struct port *);

#endif
