/* DHCPv4 on the wire (RFC 2131, 2132).
 *
 *     BOOTP header, 236 bytes | magic cookie | options | pad
 *
 * An option is looked up by number and read whole, however it came: in pieces
 * that lie apart (RFC 3396), or in the header's file and sname fields because
 * the options' own room was too small (option overload, 52).  Unknown options
 * are options like others.
 *
 * What an option's value means is for who asks for it; the accessors only check
 * its length. */
#ifndef WEFT_PACKET_DHCP_H
#define WEFT_PACKET_DHCP_H

#include "lib/types.h"

enum {
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    DHCP_HEADER_LEN = 236,
    DHCP_OPTIONS_OFS = 240,       /* behind the magic cookie */
    DHCP_MIN_LEN = 300,           /* shorter ones some BOOTP relays drop
                                     (RFC 1542, 2.1) */
    DHCP_OPTIONS_MAX = 4096,      /* bytes of values in one message that we
                                     read */
    DHCP_MIN_DATAGRAM = 576,      /* every client takes (RFC 2131, 2) */
    DHCP_IP_OVERHEAD = 28,        /* IPv4 and UDP headers */

    DHCP_REQUEST_OP = 1,          /* BOOTREQUEST, BOOTREPLY */
    DHCP_REPLY_OP = 2,
    DHCP_HTYPE_ETHERNET = 1,
    DHCP_BROADCAST = 0x8000,      /* in flags */
    DHCP_MAX_HOPS = 16,
};

/* Option 53. */
enum dhcp_type {
    DHCP_DISCOVER = 1, DHCP_OFFER, DHCP_REQUEST, DHCP_DECLINE, DHCP_ACK,
    DHCP_NAK, DHCP_RELEASE, DHCP_INFORM,
};

/* Those that the server itself reads or makes; any number is fine. */
enum dhcp_option_code {
    DHCP_OPT_PAD = 0,
    DHCP_OPT_MASK = 1,
    DHCP_OPT_ROUTER = 3,
    DHCP_OPT_DNS = 6,
    DHCP_OPT_HOSTNAME = 12,
    DHCP_OPT_DOMAIN = 15,
    DHCP_OPT_MTU = 26,
    DHCP_OPT_BROADCAST = 28,
    DHCP_OPT_NTP = 42,
    DHCP_OPT_REQUESTED_ADDRESS = 50,
    DHCP_OPT_LEASE_TIME = 51,
    DHCP_OPT_OVERLOAD = 52,
    DHCP_OPT_TYPE = 53,
    DHCP_OPT_SERVER_ID = 54,
    DHCP_OPT_PARAMETERS = 55,
    DHCP_OPT_MESSAGE = 56,
    DHCP_OPT_MAX_SIZE = 57,
    DHCP_OPT_T1 = 58,
    DHCP_OPT_T2 = 59,
    DHCP_OPT_CLIENT_ID = 61,
    DHCP_OPT_BOOT_SERVER = 66,
    DHCP_OPT_BOOT_FILE = 67,
    DHCP_OPT_RAPID_COMMIT = 80,
    DHCP_OPT_FQDN = 81,
    DHCP_OPT_RELAY = 82,
    DHCP_OPT_SEARCH = 119,
    DHCP_OPT_ROUTES = 121,
    DHCP_OPT_TFTP_SERVERS = 150,
    DHCP_OPT_END = 255,

    /* In option 82. */
    DHCP_RELAY_LINK = 5,          /* the client's subnet (RFC 3527) */
    DHCP_RELAY_SERVER_ID = 11,    /* how the server shall be called, so that
                                     renewals come by the relay (RFC 5107) */
};

struct dhcp_header {
    uint8_t op, htype, hlen, hops;
    uint32_t xid;
    uint16_t secs, flags;
    be32 ciaddr, yiaddr, siaddr, giaddr;
    uint8_t chaddr[16];
    uint8_t sname[64];
    uint8_t file[128];
};

/* An option's value: NULL means not there, and length 0 there but empty. */
struct dhcp_value {
    const uint8_t *p;
    size_t len;
};

struct dhcp_options {
    uint64_t present[4];          /* by number */
    struct {
        uint16_t ofs, len;
    } at[256];                    /* in bytes, where present */
    uint8_t bytes[DHCP_OPTIONS_MAX];
};

struct dhcp_message {
    struct dhcp_header header;
    struct dhcp_options options;
};

/* -EPROTO: no DHCP (too short for BOOTP, or another cookie); -EBADMSG: an
 * option runs past its field; -EMSGSIZE: more than DHCP_OPTIONS_MAX of values.
 * A missing end option is no error, nor is anything behind one. */
int dhcp_decode(const void *, size_t len, struct dhcp_message *);

bool dhcp_option_is_there(const struct dhcp_message *, uint8_t code);
struct dhcp_value dhcp_option_find(const struct dhcp_message *,
                                   uint8_t code);
/* False: not there, or of another length. */
bool dhcp_option_u8(const struct dhcp_message *, uint8_t code, uint8_t *);
bool dhcp_option_u16(const struct dhcp_message *, uint8_t code, uint16_t *);
bool dhcp_option_u32(const struct dhcp_message *, uint8_t code, uint32_t *);
bool dhcp_option_ip4(const struct dhcp_message *, uint8_t code, be32 *);
/* The first of the sub-options of that code within an option's value. */
struct dhcp_value dhcp_sub_option_find(struct dhcp_value, uint8_t code);

/* An option to be written.  The first in a list are those that must not be
 * missing. */
struct dhcp_item {
    uint8_t code;
    uint16_t len;
    const void *value;
};

/* Writes the message into at most `max_len` bytes (>= DHCP_MIN_LEN), options in
 * the order of the list, but option 82 as the last (RFC 3046, 2.2).  What does
 * not fit goes into the header's file and sname if those are empty (option
 * overload), and is left out when there is no room either; `*n_left_out` counts
 * those.  Values of more than 255 bytes are split.  Returns the length, at
 * least DHCP_MIN_LEN. */
size_t dhcp_encode(const struct dhcp_header *, const struct dhcp_item *,
                   unsigned int n, uint8_t *out, size_t max_len,
                   unsigned int *n_left_out);

#endif
