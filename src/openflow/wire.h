/* Between the codecs of the message families (openflow.h says which they are).
 *
 * A decoder is given a cursor over the body, that is what follows the message's
 * header (and an experimenter's).  It reads first and lets its caller ask: a
 * body that is too short or too long is OF_BAD_REQUEST_BAD_LEN by message.c,
 * which also frees the message when decoding fails. */
#ifndef WEFT_OPENFLOW_WIRE_H
#define WEFT_OPENFLOW_WIRE_H

#include "lib/str.h"
#include "openflow/message.h"
#include "packet/cursor.h"

enum {
    EXPERIMENTER_NICIRA = 0x00002320,
    EXPERIMENTER_ONF = 0x4f4e4600,
};

/* 1.0's features of a switch and of groups: all actions that it knows. */
enum { OF10_ACTIONS = 0xfff };

typedef enum of_error wire_decode(const struct of_protocol *, struct cursor *,
                                  struct of_message *, struct str *why);
/* Appends the body.  0, or -EOPNOTSUPP. */
typedef int wire_encode(struct buf *, const struct of_protocol *,
                        const struct of_message *);

/* wire_hello.c */
wire_decode hello_decode, error_decode, echo_decode;
wire_encode hello_encode, error_encode, echo_encode;

/* wire_switch.c */
wire_decode features_decode, config_decode, role_decode, role_status_decode;
wire_decode requestforward_decode, controller_status_decode;
wire_decode role_nx_decode, async_decode, async_properties_decode;
wire_decode flow_mod_table_id_decode, flow_format_decode;
wire_decode packet_in_format_decode, controller_id_decode;
wire_encode features_encode, config_encode, role_encode, role_status_encode;
wire_encode requestforward_encode, controller_status_encode;
wire_encode role_nx_encode, async_encode, async_properties_encode;
wire_encode flow_mod_table_id_encode, flow_format_encode;
wire_encode packet_in_format_encode, controller_id_encode;

/* wire_tlv.c */
wire_decode tlv_mod_decode, tlv_reply_decode, ct_flush_zone_decode,
            ct_flush_decode;
wire_encode tlv_mod_encode, tlv_reply_encode, ct_flush_zone_encode,
            ct_flush_encode;

/* wire_flow.c: 1.0's, Nicira's for 1.0, and the later ones'. */
wire_decode flow_mod_of10_decode, flow_mod_nxm_decode, flow_mod_decode;
wire_encode flow_mod_of10_encode, flow_mod_nxm_encode, flow_mod_encode;
bool flow_mod_fits_of10(const struct of_protocol *,
                        const struct of_message *);

/* wire_multipart.c */
wire_decode multipart_request_decode;
wire_encode multipart_request_encode;

/* wire_packet.c */
wire_decode packet_in_of10_decode, packet_in_decode, packet_in_nxt_decode;
wire_decode packet_in_nxt2_decode, packet_out_decode;
wire_decode flow_removed_of10_decode, flow_removed_nxm_decode;
wire_decode flow_removed_decode, flow_removed_of15_decode;
wire_encode packet_in_of10_encode, packet_in_encode, packet_in_nxt_encode;
wire_encode packet_in_nxt2_encode, packet_out_encode;
wire_encode flow_removed_of10_encode, flow_removed_nxm_encode;
wire_encode flow_removed_encode, flow_removed_of15_encode;
bool packet_in_wants_nxt(const struct of_protocol *,
                         const struct of_message *);
bool packet_in_wants_nxt2(const struct of_protocol *,
                          const struct of_message *);
bool flow_removed_fits_of10(const struct of_protocol *,
                            const struct of_message *);

/* wire_bundle.c, wire_group.c, wire_meter.c */
wire_decode bundle_control_decode, bundle_add_decode, group_mod_decode;
wire_decode group_mod_nx_decode, meter_mod_decode;
wire_encode bundle_control_encode, bundle_add_encode, group_mod_encode;
wire_encode group_mod_nx_encode, meter_mod_encode;

/* What a request for a bundle's features asks. */
enum of_error bundle_features_decode(struct cursor *, uint32_t *flags,
                                     struct str *why);

/* wire_monitor.c */
wire_decode monitor_cancel_decode;
wire_encode monitor_cancel_encode;
/* Checks a request's body. */
enum of_error monitor_request_decode(enum of_version, bool is_nicira,
                                     struct cursor *, struct of_bytes *body,
                                     struct str *why);

/* wire_table.c */
wire_decode table_mod_decode, table_status_decode;
wire_encode table_mod_encode, table_status_encode;

/* wire_port.c */
wire_decode port_status_decode, port_mod_decode, queue_config_decode;
wire_decode queue_config_reply_decode;
wire_encode port_status_encode, port_mod_encode, queue_config_encode;
wire_encode queue_config_reply_encode;
enum of_error port_desc_decode(enum of_version, struct cursor *,
                               struct of_port_desc *);
void port_desc_encode(struct buf *, enum of_version,
                      const struct of_port_desc *);
/* A port's number: 16 bits wide in 1.0.  Encoding to 1.0 is false for ports
 * that have no such number. */
uint32_t port_number_decode(enum of_version, struct cursor *);
uint32_t port_from_of10(uint16_t);
bool port_to_of10(uint32_t, uint16_t *);

/* ---- Helpers ---- */

/* Copies text of a field of `size` bytes, which need not end with NUL. */
void wire_text_decode(struct cursor *, char *out, size_t size);
void wire_text_encode(struct buf *, const char *text, size_t size);

/* What is left of the body, borrowed. */
static inline struct of_bytes
wire_rest(struct cursor *c)
{
    size_t len = cursor_left(c);

    return (struct of_bytes) { cursor_take(c, len), len };
}

/* A property of 1.4+ (type, length, content), padded to 8 bytes in all.
 * Returns false at the end, or with *error when lengths are wrong. */
struct wire_property {
    uint16_t type;
    struct cursor body;           /* what follows type and length */
};
bool wire_next_property(struct cursor *, struct wire_property *,
                        enum of_error *);
/* The error for a property that a decoder does not know. */
enum of_error wire_unknown_property(const struct wire_property *,
                                    struct str *why);
/* Begins one; the mark goes to the end. */
size_t wire_begin_property(struct buf *, uint16_t type);
void wire_end_property(struct buf *, size_t mark);

#endif
