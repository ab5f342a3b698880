/* The DHCPv4 server of one network (RFC 2131), as a function: a frame and what
 * is known go in, a frame and what has changed come out.
 *
 *     dhcp_server_handle(server, question, answer)
 *
 *     frame -> message -> subnet -> who asks -> by type -> lease.c -> reply
 *
 * The server reads no clock and no socket, and stores nothing.  It is the only
 * one for its network: it says NAK to what is wrong there, and stays silent
 * where it knows nothing of the client (INIT-REBOOT; RFC 2131, 4.3.2).
 *
 * The contract of an answer.  `answer.changes` are in the lease table already.
 * The caller makes them durable, then sends the frame; if the store fails it
 * drops the frame and undoes them (lease.h: lease_undo, the newest first).  The
 * client asks again in either case.  An answer without changes (most offers, a
 * NAK, an INFORM) leaves at once.
 *
 * An answer goes out by the port that the question came from, whatever
 * addresses are in it.
 *
 * Several subnets: those behind relays.  The first is the network's own; which
 * one a message is about is said by the relay (its address, or RFC 3527's
 * link), else by the client's own address.
 *
 * One thread, that of the lease tables. */
#ifndef WEFT_SERVICE_DHCP_SERVER_H
#define WEFT_SERVICE_DHCP_SERVER_H

#include "lib/str.h"
#include "packet/dhcp.h"
#include "packet/udp4.h"
#include "service/dhcp_verdict.h"
#include "service/lease.h"

enum {
    DHCP_MAX_SUBNETS = 16,
    DHCP_DEFAULT_TIME = 3600,     /* seconds */
    DHCP_MIN_TIME = 60,
    DHCP_MAX_TIME = 86400,
    DHCP_REPLY_MAX = 1500 - DHCP_IP_OVERHEAD,
    DHCP_FRAME_MAX = UDP4_HEADERS_LEN + DHCP_REPLY_MAX,
};
#define DHCP_TIME_FOREVER UINT32_MAX

struct dhcp_static_route {
    be32 destination;
    uint8_t prefix_len;
    be32 gateway;
};

struct dhcp_subnet {
    be32 network;
    uint8_t prefix_len;
    /* Who gets what.  No ranges: all of the subnet.  Its own address, its
     * broadcast address, the router's and the server's are never given. */
    struct lease_table *leases;
    unsigned int n_ranges, n_exclusions;
    const struct address_span *ranges, *exclusions;
    /* Lease times in seconds, DHCP_TIME_FOREVER too; 0: as above. */
    uint32_t default_time, min_time, max_time;
    bool is_rapid;                /* two messages for who asks (RFC 4039) */
    /* What clients are told; what is 0 or NULL is not. */
    be32 router;
    uint16_t mtu;
    unsigned int n_dns, n_ntp, n_search, n_routes;
    const be32 *dns, *ntp;
    const char *domain;
    const char *const *search;
    const struct dhcp_static_route *routes;
    const char *boot_server, *boot_file;
    unsigned int n_extras;        /* by number; they go before the others */
    const struct dhcp_item *extras;
};

struct dhcp_server_config {
    be32 address;                 /* the server identifier */
    struct eth_addr mac;
    unsigned int n_subnets;
    const struct dhcp_subnet *subnets;
};

struct dhcp_server;

struct dhcp_server *dhcp_server_create(void);
void dhcp_server_destroy(struct dhcp_server *);

/* From now on.  Copies all but the lease tables, whose ranges it sets.
 * -EINVAL, with a text: then all is as it was. */
int dhcp_server_configure(struct dhcp_server *,
                          const struct dhcp_server_config *,
                          struct str *error);

struct dhcp_question {
    const void *frame;            /* without the port's VLAN tag */
    size_t len;
    const char *port;             /* the name that leases are kept under */
    const char *hostname;         /* for who asks its name; NULL: none */
    unix_sec now;
};

struct dhcp_answer {
    size_t len;                   /* of the frame; 0: nothing is to be sent */
    enum dhcp_type type;          /* of the answer, if there is one */
    be32 addr;                    /* that it is about; 0: none */
    struct lease_changes changes;
    uint8_t frame[DHCP_FRAME_MAX];
};

/* Before a configuration was given, everything is DHCP_NOT_DHCP. */
enum dhcp_verdict dhcp_server_handle(struct dhcp_server *,
                                     const struct dhcp_question *,
                                     struct dhcp_answer *);

struct dhcp_server_counters {
    uint64_t n[N_DHCP_VERDICTS];
    uint64_t n_options_left_out;  /* for want of room */
};
const struct dhcp_server_counters *
dhcp_server_counters(const struct dhcp_server *);

#endif
