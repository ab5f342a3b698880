/* Is what a device promises about a frame's offload true of its bytes?
 *
 * A guest writes the virtio-net header of its frames itself.  Unchecked, a
 * checksum "still owed" is a way to change two bytes of the frame after it was
 * classified (csum_start in the IP header), and a GSO size of 1 a way to make
 * 64,000 frames from one.  A port copies the header into packet->offload and
 * calls offload_validate() before anybody else sees the packet.
 *
 * Always true afterwards:
 *   - a checksum that is still owed is that of the TCP or UDP header behind the
 *     outermost IP header; that header is there in full, nothing lies behind
 *     the transport's data, and the packet is not a fragment.  Any other was
 *     completed at once: those of packets inside tunnels, of ICMP, and SCTP's
 *     CRC-32C, which Linux announces in the same way;
 *   - a super-frame owes its checksum, its type fits its headers, hdr_len is
 *     theirs, and it is 2 to OFFLOAD_MAX_SEGMENTS wire packets;
 *   - one whose segments are inside a tunnel is one packet, longer than any wire
 *     takes: who takes it out of the tunnel sees by itself what is owed inside
 *     (offload_find_owed), and nobody else has a use for it. */
#ifndef WEFT_PACKET_OFFLOAD_H
#define WEFT_PACKET_OFFLOAD_H

#include "packet/eth.h"
#include "packet/packet.h"

enum {
    OFFLOAD_MAX_SEGMENTS = 2048,  /* 64 KB at the least MSS that TCPs use */
};

/* Where the IP header lies, behind any number of tags and labels (a flow key
 * stops at labels and at the third tag); 0: there is none before `end`. */
uint32_t offload_l3_ofs_behind_tags(const struct packet *, uint32_t end);

static inline uint32_t
offload_l3_ofs(const struct packet *pkt, uint32_t end)
{
    if (LIKELY(end > ETH_HEADER_LEN)) {
        be16 type = get_be16(pkt->data + ETH_HEADER_LEN - 2);

        if (LIKELY(type == htobe16(ETH_TYPE_IP)
                   || type == htobe16(ETH_TYPE_IPV6))) {
            return ETH_HEADER_LEN;
        }
    }
    return offload_l3_ofs_behind_tags(pkt, end);
}

bool offload_validate_owed(struct packet *);

/* For packets that come without a word about offloads, as from a tunnel whose other
 * end is on this very machine: the kernel leaves what is inside with the sum of
 * the pseudo-header only, for a NIC that the packet never met.  Such a checksum
 * is owed, and TCP's packet beyond `mtu` is a super-frame, with segments of that.
 * (A right checksum that looks the same by chance is completed to itself.) */
void offload_find_owed(struct packet *, uint32_t mtu);

/* False: nonsense, to be dropped; the packet's state is unspecified. */
static inline bool
offload_validate(struct packet *pkt)
{
    struct offload *ol = &pkt->offload;

    if (ol->flags & OFFLOAD_NEEDS_CSUM || ol->gso_type) {
        return offload_validate_owed(pkt);
    }
    *ol = (struct offload) { .flags = ol->flags & OFFLOAD_DATA_VALID };
    return true;
}

#endif
