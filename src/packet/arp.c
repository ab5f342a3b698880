#include "packet/arp.h"

enum { HTYPE_ETHERNET = 1, OP_REQUEST = 1, OP_REVERSE_REQUEST = 3 };
enum { SHA = 22, SPA = 28, THA = 32, TPA = 38 };

void
arp_encode_announcement(struct eth_addr mac, be32 address,
                        uint8_t frame[ETH_MIN_LEN])
{
    memset(frame, 0, ETH_MIN_LEN);
    memset(frame, 0xff, sizeof mac.b);
    memcpy(&frame[6], mac.b, sizeof mac.b);
    put_be16(&frame[12], htobe16(address ? ETH_TYPE_ARP : ETH_TYPE_RARP));
    put_be16(&frame[14], htobe16(HTYPE_ETHERNET));
    put_be16(&frame[16], htobe16(ETH_TYPE_IP));
    frame[18] = sizeof mac.b;
    frame[19] = sizeof address;
    frame[21] = address ? OP_REQUEST : OP_REVERSE_REQUEST;
    memcpy(&frame[SHA], mac.b, sizeof mac.b);
    put_be32(&frame[SPA], address);
    if (!address) {
        memcpy(&frame[THA], mac.b, sizeof mac.b);
    }
    put_be32(&frame[TPA], address);
}
