/* The frame of multipart replies, for the families that fill them. */
#ifndef WEFT_OPENFLOW_WIRE_MULTIPART_H
#define WEFT_OPENFLOW_WIRE_MULTIPART_H

#include "openflow/wire.h"

/* An item lies between the two; end moves it into a message of its own when the
 * present one would grow past 64 kB. */
size_t reply_begin_item(struct of_reply *);
void reply_end_item(struct of_reply *, size_t mark);

/* What a number on the wire means in a version; false: nothing. */
bool multipart_type_decode(enum of_version, uint16_t wire_type,
                           enum of_multipart_type *);
/* Appends a meter's bands, to the cursor's end. */
enum of_error meter_bands_decode(struct cursor *, struct meter_mod *,
                                 struct str *why);

#endif
