#include "packet/lacp.h"

#include "packet/cursor.h"
#include "packet/eth.h"

enum { SUBTYPE_LACP = 1, SUBTYPE_MARKER = 2 };
enum { TLV_ACTOR = 1, TLV_PARTNER = 2, TLV_COLLECTOR = 3 };
enum { TLV_MARKER = 1, TLV_MARKER_RESPONSE = 2 };
enum { INFO_LEN = 20, COLLECTOR_LEN = 16, MARKER_LEN = 16 };
enum { VERSION = 1, BODY = ETH_HEADER_LEN, MARKER_TLV = BODY + 2 };

const struct eth_addr lacp_group_address = {
    { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x02 },
};

static struct eth_addr
take_address(struct cursor *c)
{
    struct eth_addr addr = { { 0 } };
    const uint8_t *p = cursor_take(c, sizeof addr.b);

    if (p) {
        memcpy(addr.b, p, sizeof addr.b);
    }
    return addr;
}

/* False: not that TLV. */
static bool
take_info(struct cursor *c, uint8_t type, struct lacp_info *info)
{
    bool is_right = cursor_u8(c) == type;

    is_right = cursor_u8(c) == INFO_LEN && is_right;
    info->system_priority = cursor_u16(c);
    info->system = take_address(c);
    info->key = cursor_u16(c);
    info->port_priority = cursor_u16(c);
    info->port = cursor_u16(c);
    info->state = cursor_u8(c);
    cursor_skip(c, 3);
    return is_right;
}

/* What follows the partner is not looked at: 802.1AX 6.4.2.3 leaves room for
 * versions to come. */
static bool
decode_pdu(struct cursor *c, struct lacp_pdu *pdu)
{
    struct lacp_pdu got;
    bool is_right;

    cursor_skip(c, 1);            /* the version: later ones add TLVs */
    is_right = take_info(c, TLV_ACTOR, &got.actor);
    is_right = take_info(c, TLV_PARTNER, &got.partner) && is_right;
    if (!is_right || cursor_overrun(c)) {
        return false;
    }
    *pdu = got;
    return true;
}

static bool
is_marker(struct cursor *c, size_t len)
{
    cursor_skip(c, 1);
    return len >= LACP_FRAME_LEN && cursor_u8(c) == TLV_MARKER
           && cursor_u8(c) == MARKER_LEN;
}

enum slow_frame
lacp_decode(const void *frame, size_t len, struct lacp_pdu *pdu)
{
    struct cursor c = cursor_init(frame, len);
    const uint8_t *dst = cursor_take(&c, sizeof lacp_group_address.b);
    uint8_t subtype;

    if (!dst || memcmp(dst, lacp_group_address.b,
                       sizeof lacp_group_address.b)) {
        return SLOW_FOREIGN;
    }
    cursor_skip(&c, sizeof(struct eth_addr));
    if (cursor_u16(&c) != ETH_TYPE_SLOW) {
        return SLOW_FOREIGN;
    }
    subtype = cursor_u8(&c);
    if (subtype == SUBTYPE_LACP && decode_pdu(&c, pdu)) {
        return SLOW_LACP;
    }
    return subtype == SUBTYPE_MARKER && is_marker(&c, len) ? SLOW_MARKER
                                                           : SLOW_FOREIGN;
}

static uint8_t *
put_u16(uint8_t *p, uint16_t value)
{
    put_be16(p, htobe16(value));
    return p + 2;
}

static uint8_t *
put_address(uint8_t *p, struct eth_addr addr)
{
    memcpy(p, addr.b, sizeof addr.b);
    return p + sizeof addr.b;
}

static uint8_t *
put_info(uint8_t *p, uint8_t type, const struct lacp_info *info)
{
    *p++ = type;
    *p++ = INFO_LEN;
    p = put_u16(p, info->system_priority);
    p = put_address(p, info->system);
    p = put_u16(p, info->key);
    p = put_u16(p, info->port_priority);
    p = put_u16(p, info->port);
    *p++ = info->state;
    return p + 3;
}

void
lacp_encode(const struct lacp_pdu *pdu, struct eth_addr src,
            uint8_t frame[LACP_FRAME_LEN])
{
    uint8_t *p = frame;

    memset(frame, 0, LACP_FRAME_LEN);
    p = put_address(p, lacp_group_address);
    p = put_address(p, src);
    p = put_u16(p, ETH_TYPE_SLOW);
    *p++ = SUBTYPE_LACP;
    *p++ = VERSION;
    p = put_info(p, TLV_ACTOR, &pdu->actor);
    p = put_info(p, TLV_PARTNER, &pdu->partner);
    *p++ = TLV_COLLECTOR;         /* its delay is 0, and then nothing more */
    *p = COLLECTOR_LEN;
}

void
lacp_answer_marker(const void *marker, struct eth_addr src,
                   uint8_t frame[LACP_FRAME_LEN])
{
    memcpy(frame, marker, LACP_FRAME_LEN);
    put_address(frame + sizeof src.b, src);
    frame[MARKER_TLV] = TLV_MARKER_RESPONSE;
}
