/* The virtio-net header (virtio 1.2, section 5.1.6) as taps and packet sockets
 * put it in front of a frame, in the machine's byte order. */
#ifndef WEFT_PORT_VNET_H
#define WEFT_PORT_VNET_H

#include "packet/offload.h"

struct vnet_header {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
};
static_assert(sizeof(struct vnet_header) == 10,
              "struct virtio_net_hdr; see device.c, VNET_HEADER_SIZE");

/* Takes over what a device says.  False: nonsense, to be dropped. */
static inline bool
vnet_decode(const struct vnet_header *header, struct packet *pkt)
{
    if (!(header->flags | header->gso_type)) {
        return true;
    }
    pkt->offload = (struct offload) {
        .flags = header->flags,
        .gso_type = header->gso_type,
        .hdr_len = header->hdr_len,
        .gso_size = header->gso_size,
        .csum_start = header->csum_start,
        .csum_offset = header->csum_offset,
    };
    return offload_validate(pkt);
}

static inline void
vnet_encode(const struct packet *pkt, struct vnet_header *header)
{
    const struct offload *ol = &pkt->offload;

    *header = (struct vnet_header) {
        .flags = ol->flags,
        .gso_type = ol->gso_size ? ol->gso_type : GSO_NONE,
        .hdr_len = ol->hdr_len,
        .gso_size = ol->gso_size,
        .csum_start = ol->csum_start,
        .csum_offset = ol->csum_offset,
    };
}

#endif
