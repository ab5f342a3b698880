/* The frame of multipart replies, for the families that fill them. */
#ifndef WEFT_OPENFLOW_WIRE_MULTIPART_H
#define WEFT_OPENFLOW_WIRE_MULTIPART_H

#include "openflow/wire.h"

/* An item lies between the two; end moves it into a message of its own when the
 * present one would grow past 64 kB. */
size_t reply_begin_item(struct of_reply *);
void reply_end_item(struct of_reply *, size_t mark);

#endif
