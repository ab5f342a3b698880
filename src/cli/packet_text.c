#include "cli/packet_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "packet/flow.h"

enum {
    TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd,
    TYPE_MPLS = 0x8847,
};

static void
add_eth(const struct eth_addr *mac, struct str *s)
{
    str_addf(s, "%02x:%02x:%02x:%02x:%02x:%02x", mac->b[0], mac->b[1],
             mac->b[2], mac->b[3], mac->b[4], mac->b[5]);
}

static void
add_ip(int family, const void *address, struct str *s)
{
    char text[INET6_ADDRSTRLEN];

    str_add(s, inet_ntop(family, address, text, sizeof text));
}

static void
add_tag(be16 tci, struct str *s)
{
    if (tci) {
        str_addf(s, " vlan %u", ntohs(tci) & 0xfff);
    }
}

static void
add_tcp_flags(unsigned int flags, struct str *s)
{
    static const char *const names[] = {
        "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR",
    };
    char separator = ' ';

    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
        if (flags >> i & 1) {
            str_add_char(s, separator);
            str_add(s, names[i]);
            separator = '+';
        }
    }
}

/* Does the protocol have ports, and does this packet show them? */
static bool
has_ports(const struct flow_key_fields *key)
{
    return (key->nw_proto == IPPROTO_TCP || key->nw_proto == IPPROTO_UDP
            || key->nw_proto == IPPROTO_SCTP)
           && !(key->nw_frag & FLOW_FRAG_LATER) && (key->tp_src || key->tp_dst);
}

static void
add_icmp(const struct flow_key_fields *key, bool is_v6, struct str *s)
{
    static const struct {
        uint8_t v4, v6;
        const char *name;
    } names[] = {
        { 8, 128, "echo request" },
        { 0, 129, "echo reply" },
        { 3, 1, "unreachable" },
        { 11, 3, "time exceeded" },
        { 255, 2, "packet too big" },
        { 255, 133, "router solicitation" },
        { 255, 134, "router advertisement" },
        { 255, 135, "neighbour solicitation" },
        { 255, 136, "neighbour advertisement" },
    };
    unsigned int type = ntohs(key->tp_src);

    str_add(s, is_v6 ? " icmp6" : " icmp");
    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
        if (type == (is_v6 ? names[i].v6 : names[i].v4)) {
            str_addf(s, " %s", names[i].name);
            return;
        }
    }
    str_addf(s, " type %u code %u", type, ntohs(key->tp_dst));
}

static void
add_transport(const struct flow_key_fields *key, struct str *s)
{
    switch (key->nw_proto) {
    case IPPROTO_TCP:
        str_add(s, " tcp");
        add_tcp_flags(ntohs(key->tcp_flags), s);
        break;
    case IPPROTO_UDP:
        str_add(s, " udp");
        break;
    case IPPROTO_SCTP:
        str_add(s, " sctp");
        break;
    case IPPROTO_ICMP:
        add_icmp(key, false, s);
        break;
    case IPPROTO_ICMPV6:
        add_icmp(key, true, s);
        break;
    default:
        str_addf(s, " protocol %u", key->nw_proto);
    }
    if (key->nw_frag & FLOW_FRAG_ANY) {
        str_add(s, key->nw_frag & FLOW_FRAG_LATER ? " later fragment"
                                                  : " first fragment");
    }
}

static void
add_network(const struct flow_key_fields *key, int family, struct str *s)
{
    bool is_v6 = family == AF_INET6;
    bool with_ports = has_ports(key);

    str_add(s, is_v6 ? " IPv6 " : " IPv4 ");
    add_ip(family, is_v6 ? (const void *) &key->ipv6_src : &key->nw_src, s);
    if (with_ports) {
        str_addf(s, ".%u", ntohs(key->tp_src));
    }
    str_add(s, " > ");
    add_ip(family, is_v6 ? (const void *) &key->ipv6_dst : &key->nw_dst, s);
    if (with_ports) {
        str_addf(s, ".%u", ntohs(key->tp_dst));
    }
    add_transport(key, s);
}

static void
add_arp(const struct flow_key_fields *key, struct str *s)
{
    if (key->nw_proto == 1) {
        str_add(s, " ARP who has ");
        add_ip(AF_INET, &key->nw_dst, s);
        str_add(s, ", tell ");
        add_ip(AF_INET, &key->nw_src, s);
    } else if (key->nw_proto == 2) {
        str_add(s, " ARP ");
        add_ip(AF_INET, &key->nw_src, s);
        str_add(s, " is at ");
        add_eth(&key->arp_sha, s);
    } else {
        str_addf(s, " ARP operation %u", key->nw_proto);
    }
}

static void
add_key(const struct flow_key_fields *key, struct str *s)
{
    unsigned int type = ntohs(key->eth_type);

    add_eth(&key->eth_src, s);
    str_add(s, " > ");
    add_eth(&key->eth_dst, s);
    add_tag(key->vlan_tci, s);
    add_tag(key->vlan_inner.tci, s);
    switch (type) {
    case TYPE_IPV4:
        add_network(key, AF_INET, s);
        break;
    case TYPE_IPV6:
        add_network(key, AF_INET6, s);
        break;
    case TYPE_ARP:
        add_arp(key, s);
        break;
    case TYPE_MPLS:
        str_addf(s, " MPLS label %u", ntohl(key->mpls_lse[0]) >> 12);
        break;
    case FLOW_ETH_TYPE_NONE:
        str_add(s, " 802.3");
        break;
    default:
        str_addf(s, " type 0x%04x", type);
    }
}

void
packet_format(const void *frame, uint32_t len, uint32_t wire_len,
              struct str *s)
{
    /* Extraction only reads; the packet is a view of the caller's bytes. */
    struct packet pkt = {
        .data = (uint8_t *) (uintptr_t) frame,
        .len = len,
        .buf = (uint8_t *) (uintptr_t) frame,
        .buf_size = len,
    };
    struct flow_key key;
    struct flow flow;

    if (flow_key_extract(&pkt, &key)) {
        str_addf(s, "cut short, length %u", wire_len);
        return;
    }
    flow_from_key(&flow, &key);
    add_key(&flow.key, s);
    str_addf(s, ", length %u", wire_len);
}
