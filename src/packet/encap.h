/* Encapsulations: the header between the outer IP or UDP header and the frame
 * that is carried.
 *
 *     vxlan    RFC 7348, section 5
 *     geneve   RFC 8926, section 3.4 and 3.5
 *     gre      RFC 2784 with RFC 2890's key and sequence number; bridged
 *              Ethernet (protocol 0x6558)
 *
 * Pure: bytes in, struct tunnel_key and a length out, and the other way.  Only
 * id, flags and options of the key are touched; addresses, TOS and TTL are the
 * outer header's. */
#ifndef WEFT_PACKET_ENCAP_H
#define WEFT_PACKET_ENCAP_H

#include "packet/tunnel.h"

enum {
    VXLAN_PORT = 4789, VXLAN_HEADER_LEN = 8,
    GENEVE_PORT = 6081, GENEVE_HEADER_LEN = 8,
    GRE_MAX_HEADER_LEN = 16,
    ENCAP_MAX_LEN = GENEVE_HEADER_LEN + TUNNEL_MAX_OPTIONS,
    ENCAP_MAX_VNI = 0xffffff,
};

/* Why a header is refused; decoders return them negative. */
enum encap_fault {
    ENCAP_SHORT = 1,              /* cut off */
    ENCAP_FLAGS,                  /* a version, or flags, that we cannot read */
    ENCAP_PROTOCOL,               /* what it carries is no Ethernet frame */
    ENCAP_CHECKSUM,               /* GRE's is wrong */
    ENCAP_OPTIONS,                /* Geneve's do not fit their length */
};

/* What GRE has beside its key. */
struct encap_gre {
    bool has_csum, has_key, has_seq;
    uint32_t seq;
};

/* The header's length, or an encap_fault. */
int vxlan_decode(const uint8_t *, uint32_t len, struct tunnel_key *);
int geneve_decode(const uint8_t *, uint32_t len, struct tunnel_key *);
/* `len` bytes with the frame, over which the checksum goes. */
int gre_decode(const uint8_t *, uint32_t len, struct tunnel_key *,
               struct encap_gre *);

/* Write the header, for which there is room, and return its length. */
uint32_t vxlan_encode(const struct tunnel_key *, uint8_t *);
uint32_t geneve_encode(const struct tunnel_key *, uint8_t *);
uint32_t gre_encode(const struct tunnel_key *, const struct encap_gre *,
                    uint8_t *);
/* GRE's checksum, when the frame is behind the header. */
void gre_complete(uint8_t *, uint32_t len);

#endif
