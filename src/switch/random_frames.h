/* Random frames for property tests: every protocol that keys know, few distinct
 * values, so that matches hit; some cut short. */
#ifndef WEFT_SWITCH_RANDOM_FRAMES_H
#define WEFT_SWITCH_RANDOM_FRAMES_H

#include "lib/rng.h"
#include "packet/tunnel.h"

enum { RANDOM_FRAME_MAX = 512 };

struct random_frame {
    uint32_t len;
    uint8_t bytes[RANDOM_FRAME_MAX];
    struct tunnel_key tun;        /* for frames that come by one */
};

void random_frame(struct rng *, struct random_frame *);

/* Makes lengths and the IPv4 checksum right, so that connection tracking takes the
 * frame if its transport's checksum is said to be verified.  Of the key it changes
 * nothing. */
void random_frame_settle(struct random_frame *);

#endif
