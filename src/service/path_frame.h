/* What a host asks another through a tunnel, and what that one answers.
 *
 * A frame of the type that IEEE 802 leaves to local experiments, in the overlay
 * that is kept for it (SEGMENT_PROBE_KEY), so that no guest can send or hear
 * one.  Ethernet header, then, in network byte order:
 *
 *     0   4   magic
 *     4   1   version
 *     5   1   kind
 *     6   2   size: bytes behind the Ethernet header, this one's; in an answer
 *             those of the frame that is answered, as they came
 *     8   8   token: the asker's, which the answer repeats
 *     16  1   index: the asker's, too
 *     17      zero, up to the size
 *
 * A frame that is shorter than it says has lost something on the way, and is
 * none.  What is longer was padded by an Ethernet on the way. */
#ifndef WEFT_SERVICE_PATH_FRAME_H
#define WEFT_SERVICE_PATH_FRAME_H

#include "lib/types.h"
#include "packet/eth.h"

#define PATH_FRAME_TYPE 0x88b5

enum {
    /* Behind the Ethernet header: the least that Ethernet carries, and the most
     * that goes into an OpenFlow message. */
    PATH_FRAME_MIN = 46,
    PATH_FRAME_MAX = 60000,
};

enum path_frame_kind { PATH_FRAME_ASK = 1, PATH_FRAME_ANSWER = 2 };

struct path_frame {
    enum path_frame_kind kind;
    uint16_t size;
    uint64_t token;
    uint8_t index;
};

/* 0; -EBADMSG: it is cut; -EPROTO: it is something else. */
int path_frame_decode(const void *frame, size_t len, struct path_frame *);
/* An answer has PATH_FRAME_MIN, whatever it says; room for the Ethernet header
 * and for so many bytes behind it.  Returns the frame's length. */
size_t path_frame_encode(const struct path_frame *, void *frame);

#endif
