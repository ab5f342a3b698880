/* Matches on the wire: 1.0's fixed struct, and lists of NXM or OXM fields.
 *
 * Each field of a list has a header of 32 bits: class and number (the field
 * table's nxm and oxm), whether a mask follows, length.  The ONF's fields of
 * class 0xffff also carry its id. */
#ifndef WEFT_OPENFLOW_WIRE_MATCH_H
#define WEFT_OPENFLOW_WIRE_MATCH_H

#include "openflow/wire.h"

enum { OF10_MATCH_LEN = 40 };

/* A field's header as it stands on the wire. */
const struct field *field_header_decode(struct cursor *, bool *has_mask,
                                        unsigned int *n_bytes);
/* A field's header alone, as actions name it.  False when no class of 32 bits
 * has the field in that version. */
bool field_header_encode(struct buf *, enum of_version, const struct field *);
/* The same as what set_field writes.  in_port is not the specifications' to
 * set, and has NXM's 16 bits. */
bool set_header_encode(struct buf *, enum of_version, const struct field *,
                       unsigned int *n_bytes);
/* So many are right.  Of a tunnel's option as many as are needed are sent. */
bool field_length_fits(const struct field *, unsigned int n_bytes);
/* tun_metadata32 to 63, which no option can be mapped to? */
bool field_header_is_unmapped(uint32_t header);
/* Bytes of a value on the wire, at most. */
unsigned int field_wire_bytes(const struct field *);
u128 wire_value(struct cursor *, unsigned int n_bytes);
void wire_put_value(struct buf *, u128, unsigned int n_bytes);

/* 1.0's struct, with wildcards. */
enum of_error match_of10_decode(struct cursor *, struct match *,
                                struct str *why);
/* False when it cannot say the match; then nothing is appended. */
bool match_of10_encode(struct buf *, const struct match *);

/* The fields alone, to the cursor's end.  What they require must stand in the
 * match; a packet-in's and a packet-out's fields are not checked (`strict`
 * false). */
enum of_error match_fields_decode(struct cursor *, bool strict,
                                  struct match *, struct str *why);
/* The same, among which may stand Nicira's field for a cookie (1.0). */
struct match_cookie {
    be64 cookie, mask;
};
enum of_error match_nxm_decode(struct cursor *, size_t len, struct match *,
                               struct match_cookie *, struct str *why);
/* Padded to 8; the 16 bits at `len_ofs` get its length without that.  `cookie`
 * may be NULL.  Negative: not possible, nothing is appended and the length
 * is 0. */
int match_nxm_encode(struct buf *, size_t len_ofs, const struct match *,
                     const struct match_cookie *cookie);
/* False when a field has no code. */
bool match_fields_encode(struct buf *, enum of_version,
                         const struct match *);

/* As a struct ofp_match of 1.3+: type, length, fields, padding. */
enum of_error match_oxm_decode(struct cursor *, bool strict, struct match *,
                               struct str *why);
bool match_oxm_encode(struct buf *, enum of_version, const struct match *);

#endif
