/* Whose packet is it: from bytes to a tuple.
 *
 * A packet is refused (it becomes +inv) when its lengths or checksums are wrong,
 * or its kind can have no connection: neighbour discovery, IGMP, an ICMP type
 * that is neither request, reply nor error.  A checksum that the device has
 * verified, or that is still owed, is not computed.
 *
 * A later fragment has addresses and no ports; of a first one the checksum cannot be
 * looked at.
 *
 * An ICMP error has the tuple of the packet that it is about, turned round: it
 * comes from where that packet went (RFC 792, RFC 4443 section 2.4). */
#ifndef WEFT_CONNTRACK_TUPLE_H
#define WEFT_CONNTRACK_TUPLE_H

#include "conntrack/conntrack.h"
#include "packet/ip.h"

struct ct_packet {
    struct ct_tuple tuple;
    struct {
        bool is_one, is_more;     /* of several; and not the last */
        uint32_t id;
        uint32_t ofs, len;        /* of what it carries of the datagram */
    } fragment;
    bool is_related;          /* an ICMP error about it */
    uint8_t *l4;              /* the packet's own transport header, */
    uint32_t l4_len;          /* to the end of its IP packet */
    uint8_t *inner;           /* of a related one: the IP header inside, */
    uint32_t inner_len;       /* and how much of it there is */
};

bool ct_packet_parse(const struct packet *, uint16_t zone, struct ct_packet *);

/* The tuple of packets the other way. */
struct ct_tuple ct_tuple_reverse(const struct ct_tuple *);

/* Does it ask, so that it may begin a connection? */
bool ct_icmp_is_query(uint8_t proto, uint8_t type);

static inline bool
ct_packet_is_later(const struct ct_packet *p)
{
    return p->fragment.is_one && p->fragment.ofs;
}

static inline bool
ct_proto_is_icmp(uint8_t proto)
{
    return proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6;
}

#endif
