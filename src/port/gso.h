/* Segmentation in software: what a port's consumer cannot take, done before it.
 *
 * A super-frame of TCP or UDP (packet->offload.gso_size) becomes the wire
 * packets that a NIC would have made of it: headers copied, lengths, IPv4
 * identification, TCP sequence numbers and flags set per segment, checksums
 * completed, or left owed when the consumer completes them itself.
 *
 * Where the headers lie is taken from the offload state (validated at receive,
 * moved by every edit) and the frame, not from the offsets of the last key
 * extraction: tags and labels may have been pushed in the meantime. */
#ifndef WEFT_PORT_GSO_H
#define WEFT_PORT_GSO_H

#include "port/port.h"

struct gso {
    const struct packet *super;
    bool complete;                /* checksums are to be completed */
    bool is_tcp, is_ip6;
    uint32_t l3_ofs;
    uint32_t pos;                 /* payload bytes already cut off */
    uint32_t n_done;              /* segments */
    uint32_t pseudo;              /* partial sum, without the length */
};

/* Does somebody with these features (enum port_features) take it as it is?
 * Nobody takes labels with segments to be made: virtio-net cannot say so, and
 * a kernel without mpls_gso loses the frame. */
bool gso_is_taken(const struct packet *, unsigned int features);

/* Begins to cut up `super`, which is borrowed until the end.  False: headers
 * and offload state do not fit each other (DROP_OFFLOAD). */
bool gso_begin(struct gso *, const struct packet *super,
               bool complete_checksums);
/* Appends segments until the batch is full, the end is reached (gso_n_left() is
 * 0) or the pool is used up (-ENOBUFS).  Returns how many. */
int gso_next(struct gso *, struct packet_pool *, struct batch *);

/* Writes the next segment's bytes, gso_next_len() of them; there is one left. */
uint32_t gso_write(struct gso *, uint8_t *);

static inline uint32_t
gso_next_len(const struct gso *gso)
{
    const struct offload *ol = &gso->super->offload;
    uint32_t left = gso->super->len - ol->hdr_len - gso->pos;

    return ol->hdr_len + MIN(left, ol->gso_size);
}

static inline uint32_t
gso_n_left(const struct gso *gso)
{
    return packet_n_wire(gso->super) - gso->n_done;
}

#endif
