/* DHCPv6 on the wire (RFC 8415).
 *
 *     client, server:  type | transaction id, 3 bytes | options
 *     relay:           type | hops | link address | peer address | options
 *
 * Options lie behind each other and within each other: an IA holds addresses,
 * an address holds its status, a relay's message holds the client's.  A decoder
 * checks that the chain it was given ends where it should; what is inside of an
 * option is a chain of its own, read by who knows the option.
 *
 * Codes and numbers are those of IANA's registry. */
#ifndef WEFT_PACKET_DHCP6_H
#define WEFT_PACKET_DHCP6_H

#include "packet/cursor.h"

enum {
    DHCP6_SERVER_PORT = 547,
    DHCP6_CLIENT_PORT = 546,
    DHCP6_HEADER_LEN = 4,
    DHCP6_RELAY_HEADER_LEN = 34,
    DHCP6_OPTION_HEADER_LEN = 4,
    DHCP6_IA_HEADER_LEN = 12,     /* IAID, T1, T2 */
    DHCP6_ADDRESS_HEADER_LEN = 24,        /* address, preferred, valid */
    DHCP6_HOP_LIMIT = 8,          /* of relays (RFC 8415, 7.6) */
    DHCP6_DUID_MIN = 3,           /* a type, and something (11.1) */
    DHCP6_DUID_MAX = 130,
};
#define DHCP6_INFINITY UINT32_MAX

enum dhcp6_type {
    DHCP6_SOLICIT = 1, DHCP6_ADVERTISE, DHCP6_REQUEST, DHCP6_CONFIRM,
    DHCP6_RENEW, DHCP6_REBIND, DHCP6_REPLY, DHCP6_RELEASE, DHCP6_DECLINE,
    DHCP6_RECONFIGURE, DHCP6_INFORMATION_REQUEST, DHCP6_RELAY_FORW,
    DHCP6_RELAY_REPL,
};

enum dhcp6_option_code {
    DHCP6_OPT_CLIENT_ID = 1,
    DHCP6_OPT_SERVER_ID = 2,
    DHCP6_OPT_IA_NA = 3,
    DHCP6_OPT_IA_TA = 4,
    DHCP6_OPT_ADDRESS = 5,
    DHCP6_OPT_ORO = 6,
    DHCP6_OPT_PREFERENCE = 7,
    DHCP6_OPT_RELAY_MSG = 9,
    DHCP6_OPT_STATUS = 13,
    DHCP6_OPT_RAPID_COMMIT = 14,
    DHCP6_OPT_INTERFACE_ID = 18,
    DHCP6_OPT_DNS = 23,
    DHCP6_OPT_DOMAINS = 24,
    DHCP6_OPT_IA_PD = 25,
    DHCP6_OPT_REFRESH_TIME = 32,
    DHCP6_OPT_FQDN = 39,
    DHCP6_OPT_NTP = 56,
    DHCP6_OPT_BOOT_FILE = 59,
};

enum dhcp6_status {
    DHCP6_SUCCESS, DHCP6_UNSPEC_FAIL, DHCP6_NO_ADDRS_AVAIL, DHCP6_NO_BINDING,
    DHCP6_NOT_ON_LINK, DHCP6_USE_MULTICAST, DHCP6_NO_PREFIX_AVAIL,
};

/* --- Reading ------------------------------------------------------------ */

/* Everything points into what was decoded. */
struct dhcp6_options {
    const uint8_t *p;
    size_t len;
};

struct dhcp6_option {
    uint16_t code;
    struct dhcp6_options value;   /* p is NULL: there is none */
};

struct dhcp6_message {
    uint8_t type;
    uint32_t xid;
    struct dhcp6_options options;
};

struct dhcp6_relay {
    uint8_t type;
    uint8_t hops;
    struct ip6_addr link, peer;
    struct dhcp6_options options;
};

/* -EBADMSG: too short, or an option runs past the end.  -EPROTO: a relay's
 * message, or none of one. */
int dhcp6_decode(const void *, size_t len, struct dhcp6_message *);
int dhcp6_relay_decode(const void *, size_t len, struct dhcp6_relay *);

/* Is it a chain of whole options? */
bool dhcp6_options_are_sound(struct dhcp6_options);
/* The next option of a sound chain, which is cut off it; false at the end. */
bool dhcp6_options_next(struct dhcp6_options *, struct dhcp6_option *);
/* The first of that code. */
struct dhcp6_options dhcp6_option_find(struct dhcp6_options, uint16_t code);

/* An identity association: what is inside of IA_NA and IA_PD. */
struct dhcp6_ia {
    uint32_t iaid, t1, t2;
    struct dhcp6_options options;
};

struct dhcp6_address {
    struct ip6_addr addr;
    uint32_t preferred, valid;
    struct dhcp6_options options;
};

/* False: too short, or its options are no chain. */
bool dhcp6_ia_decode(struct dhcp6_options value, struct dhcp6_ia *);
bool dhcp6_address_decode(struct dhcp6_options value,
                          struct dhcp6_address *);
/* Does the list of options that the client wants (ORO) name this one? */
bool dhcp6_is_wanted(struct dhcp6_options oro, uint16_t code);

/* --- Writing ------------------------------------------------------------ */

/* Options are begun and ended, so that they may hold others.  What does not fit
 * is left out whole, up to the outermost option, and remembered. */
struct dhcp6_writer {
    uint8_t *p;
    size_t len, size;
    unsigned int depth;
    size_t outermost;             /* where the outermost open option begins */
    bool is_full;                 /* the one that is open did not fit */
    unsigned int n_left_out;
};

void dhcp6_writer_init(struct dhcp6_writer *, uint8_t *p, size_t size);
void dhcp6_put(struct dhcp6_writer *, const void *, size_t len);
void dhcp6_put_u8(struct dhcp6_writer *, uint8_t);
void dhcp6_put_u16(struct dhcp6_writer *, uint16_t);
void dhcp6_put_u32(struct dhcp6_writer *, uint32_t);
/* Returns where it begins, which dhcp6_end() must be given. */
size_t dhcp6_begin(struct dhcp6_writer *, uint16_t code);
void dhcp6_end(struct dhcp6_writer *, size_t start);
void dhcp6_put_option(struct dhcp6_writer *, uint16_t code, const void *,
                      size_t len);
void dhcp6_put_status(struct dhcp6_writer *, enum dhcp6_status,
                      const char *text);
/* "a.example" as labels in the form of DNS (RFC 1035, 3.1); false: it is no
 * name. */
bool dhcp6_put_name(struct dhcp6_writer *, const char *name);

#endif
