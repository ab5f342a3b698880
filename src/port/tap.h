/* How frames pass a tap's character device; for tap, internal and tun. */
#ifndef WEFT_PORT_TAP_H
#define WEFT_PORT_TAP_H

#include "port/port.h"

/* What is missing between the device's bytes and an Ethernet frame. */
struct tap_framing {
    unsigned int header_len;      /* in front of each packet of the device */
    unsigned int min_len;         /* of such a packet */
    /* Puts the header there.  False: that is no packet. */
    bool (*add)(const struct port *, struct packet *);
    /* The device takes this frame's payload. */
    bool (*fits)(const struct packet *);
};

int tap_rx_framed(struct port *, unsigned int queue, struct packet_pool *,
                  struct batch *, const struct tap_framing *);
void tap_tx_framed(struct port *, unsigned int queue, struct batch *,
                   bool borrow, const struct tap_framing *);

/* The device has whole frames. */
int tap_rx(struct port *, unsigned int queue, struct packet_pool *,
           struct batch *);
void tap_tx(struct port *, unsigned int queue, struct batch *, bool borrow);
bool tap_has_link(const struct port *);

#endif
