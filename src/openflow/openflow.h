/* OpenFlow: how the two halves talk.  The front door.
 *
 * One neutral core, four versions of the wire (1.0, 1.3, 1.4, 1.5), and a text:
 *
 *     flow_mod.h match.h action.h error.h    what is meant, in no version
 *     flow_text.c ...                        as people write it
 *     message.h and wire_*.c                 as it travels
 *
 * Switch and controller work with struct of_message (message.h) and never see a
 * byte of the wire:
 *
 *     bytes -> of_frame_len()         is there a whole message?
 *           -> of_message_decode()    a struct of_message, or the enum of_error
 *                                     to answer with (of_error_encode())
 *     struct of_message -> of_message_encode() -> bytes
 *     many items -> of_reply_begin(), of_reply_*(), of_reply_end()
 *               -> a multipart reply, cut into messages of less than 64 kB
 *
 * What a version cannot say is an answer too: decoding a message type that the
 * version lacks is OF_BAD_REQUEST_BAD_TYPE, an unknown experimenter
 * OF_BAD_REQUEST_BAD_EXPERIMENTER, and so on; encoding such a thing is
 * -EOPNOTSUPP and leaves the buffer as it was.
 *
 * One file per message family, each knowing all versions of its family:
 *
 *     wire_hello.c   hello, error, echo         wire_error.c  types and codes
 *     wire_switch.c  features, config, roles, async, connection settings
 *     wire_port.c    ports: descriptions, status, mod
 *     wire_match.c   ofp_match 1.0, NXM and OXM
 *     wire_action.c wire_action_encode.c  actions and instructions
 *     wire_flow.c    flow-mod
 *     wire_packet.c  packet-in, packet-out, flow-removed
 *     wire_group.c  wire_meter.c  wire_table.c  wire_bundle.c
 *     wire_multipart.c   requests for statistics, and the frame of replies
 *     wire_stats.c wire_oxs.c   the replies' items
 *     wire_reply.c       the same as a controller reads them (reply.h)
 *
 * Every length from outside is checked: all decoders read through
 * packet/cursor.h. */
#ifndef WEFT_OPENFLOW_OPENFLOW_H
#define WEFT_OPENFLOW_OPENFLOW_H

#include "openflow/message.h"

#endif
