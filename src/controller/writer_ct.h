/* Flow actions of connection tracking, for writer.h:
 *
 *     mark = writer_begin_ct(w, zone, STAGE_NAT_IN_STATE, CT_COMMIT);
 *     writer_nat(w, NAT_SRC, &address, &ports);
 *     writer_set(w, FIELD_CT_MARK, 7);
 *     writer_end_ct(w, mark);
 *
 * What follows in the same list happens to the packet as it was before. */
#ifndef WEFT_CONTROLLER_WRITER_CT_H
#define WEFT_CONTROLLER_WRITER_CT_H

#include "controller/writer.h"

enum writer_ct { CT_LOOK, CT_COMMIT };

struct port_range {
    uint16_t first, last;         /* first 0: any */
};

/* The tracked packet goes on in that table (CT_NO_TABLE: nowhere).  A mark.
 * Until the end, writer_nat() comes first, then what is set. */
uint32_t writer_begin_ct(struct writer *, uint16_t zone, uint8_t table,
                         enum writer_ct);
/* The same in the zone in which the packet was tracked before. */
uint32_t writer_begin_ct_again(struct writer *, uint8_t table,
                               enum writer_ct);
void writer_end_ct(struct writer *, uint32_t mark);
/* As the connection is translated already. */
void writer_nat_again(struct writer *);
/* A new one's source or destination (NAT_SRC, NAT_DST) becomes the address, of
 * IPv4 as ::ffff:a.b.c.d.  `ports` may be NULL. */
void writer_nat(struct writer *, enum nat_flags, const struct ip6_addr *,
                const struct port_range *ports);
void writer_ct_clear(struct writer *);

#endif
