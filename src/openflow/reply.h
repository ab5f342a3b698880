/* Multipart replies, as who asked receives them.
 *
 * A message's frame first, then its items one after another, each taken off the
 * body.  Only what a controller asks for: flows, ports, meters; whether there
 * are groups a body that is not empty says. */
#ifndef WEFT_OPENFLOW_REPLY_H
#define WEFT_OPENFLOW_REPLY_H

#include "openflow/message.h"

struct of_multipart_reply {
    uint32_t xid;
    enum of_multipart_type type;
    bool more;                    /* another part follows */
    struct of_bytes body;         /* borrowed */
};

/* Is this whole message such a reply? */
bool of_is_multipart_reply(const struct of_protocol *, const void *data,
                           size_t len);
enum of_error of_multipart_reply_decode(const struct of_protocol *,
                                        const void *data, size_t len,
                                        struct of_multipart_reply *,
                                        struct str *why);

/* The next item; false at the end, or with *error where the body cannot be read
 * any further. */
bool of_next_port(const struct of_protocol *, struct of_bytes *body,
                  struct of_port_desc *, enum of_error *);
bool of_next_meter(const struct of_protocol *, struct of_bytes *body,
                   struct meter_mod *, enum of_error *);
/* The flow as what would add it; flow_mod_fini().  `*is_whole` false: its match
 * is that, but what it does is something that we do not know. */
bool of_next_flow(const struct of_protocol *, struct of_bytes *body,
                  struct flow_mod *, bool *is_whole, enum of_error *);

#endif
