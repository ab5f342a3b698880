/* The DHCPv6 server of one network (RFC 8415), as a function: a message and
 * what is known go in, a message and what has changed come out.
 *
 *     dhcp6_server_handle(server, question, answer)
 *
 *     bytes -> relays -> message -> by type -> each IA: lease6.c -> reply
 *
 * It is the only server of its network, and says so: its preference is the
 * highest, so that clients need not wait for others, and who asks for rapid
 * commit gets it.  Addresses of IA_NA are those of the plan (lease6.h).
 * Temporary addresses (IA_TA) and prefixes (IA_PD) are not given, and who asks
 * is told so.  In a network whose guests choose their addresses themselves it
 * only informs.
 *
 * The contract of an answer is that of dhcp_server.h: changes are in the table
 * already; the caller stores them, then sends; if the store fails it sends
 * nothing and undoes them, the newest first.
 *
 * One thread, that of the lease table. */
#ifndef WEFT_SERVICE_DHCP6_SERVER_H
#define WEFT_SERVICE_DHCP6_SERVER_H

#include "packet/dhcp6.h"
#include "service/lease6.h"

enum {
    DHCP6_MAX_SERVERS = 4,        /* of one kind */
    DHCP6_MAX_IAS = LEASE6_MAX_CHANGES / LEASE6_CHANGES_PER_CALL,
    DHCP6_REPLY_MAX = 1280 - 48,  /* no fragments, whatever the MTU */
};

struct dhcp6_config {
    struct eth_addr mac;          /* the server's DUID is of it */
    struct ip6_addr prefix;
    uint8_t prefix_len;
    struct ip6_addr gateway;      /* all zero: none */
    bool is_stateful;             /* addresses are given here */
    uint32_t lease_time;          /* seconds: valid; DHCP6_INFINITY */
    uint64_t seed;                /* lease6.h */
    /* What clients are told; what is 0 or NULL is not. */
    unsigned int n_dns, n_ntp;
    struct ip6_addr dns[DHCP6_MAX_SERVERS], ntp[DHCP6_MAX_SERVERS];
    const char *domain, *boot_file;
    uint32_t refresh_time;        /* of what is told without an address */
    struct lease6_table *leases;
    bool (*is_planned)(void *aux, const struct ip6_addr *);
    void *aux;
};

/* X(ID, name, what happened).  From DHCP6_NOT_DHCP on nobody is answered. */
#define DHCP6_VERDICTS(X)                                                    \
    X(DHCP6_ADVERTISED, "advertised", "addresses were offered")              \
    X(DHCP6_LEASED, "leased", "leases were given or renewed")                \
    X(DHCP6_NOTHING_GIVEN, "nothing-given",                                  \
      "the client was told why it gets no address")                          \
    X(DHCP6_CONFIRMED, "confirmed",                                          \
      "the client was told whether its addresses are of this network")       \
    X(DHCP6_INFORMED, "informed", "parameters were given without a lease")   \
    X(DHCP6_RELEASED, "released", "the client gave addresses back")          \
    X(DHCP6_DECLINED, "declined",                                            \
      "the client found its address in use by somebody else")                \
    X(DHCP6_TOLD_MULTICAST, "told-multicast",                                \
      "the client was told to send to everybody")                            \
    X(DHCP6_NOT_DHCP, "not-dhcp", "not a message to a server")               \
    X(DHCP6_MALFORMED, "malformed",                                          \
      "an option runs past its end, or has a length that it cannot have")    \
    X(DHCP6_FROM_SERVER, "from-server",                                      \
      "a server's or a relay's message came from a client's port")           \
    X(DHCP6_UNKNOWN_TYPE, "unknown-type",                                    \
      "a message type that clients do not send")                             \
    X(DHCP6_NO_CLIENT_ID, "no-client-id", "the client does not say who it is")\
    X(DHCP6_OTHER_SERVER, "other-server", "it is meant for another server")  \
    X(DHCP6_INVALID, "invalid",                                              \
      "an option is missing, or is there that may not be")                   \
    X(DHCP6_UNICAST, "unicast", "a message that has to be sent to everybody")\
    X(DHCP6_HOPS, "hops", "it went through too many relays")                 \
    X(DHCP6_UNKNOWN_LINK, "unknown-link",                                    \
      "the relay's link is not of this network")                             \
    X(DHCP6_NOTHING_KNOWN, "nothing-known",                                  \
      "a message about no address at all")

enum dhcp6_verdict {
#define X(ID, NAME, TEXT) ID,
    DHCP6_VERDICTS(X)
#undef X
    N_DHCP6_VERDICTS
};

const char *dhcp6_verdict_name(enum dhcp6_verdict);
const char *dhcp6_verdict_text(enum dhcp6_verdict);

struct dhcp6_server {
    struct dhcp6_config config;
    uint64_t n[N_DHCP6_VERDICTS];
    uint64_t n_options_left_out;  /* for want of room */
};

struct dhcp6_question {
    const void *data;             /* of the datagram */
    size_t len;
    bool is_unicast;              /* it was sent to the server alone */
    struct eth_addr mac;          /* who sent the frame */
    const char *port;             /* the name that leases are kept under */
    struct ip6_addr planned;      /* for it; all zero: none */
    unix_sec now;
};

struct dhcp6_answer {
    size_t len;                   /* 0: nothing is to be sent */
    bool is_relayed;              /* to a relay's port, not to a client's */
    struct lease6_changes changes;
    uint8_t data[DHCP6_REPLY_MAX];
};

/* Borrows the texts and the table. */
void dhcp6_server_init(struct dhcp6_server *, const struct dhcp6_config *);
enum dhcp6_verdict dhcp6_server_handle(struct dhcp6_server *,
                                       const struct dhcp6_question *,
                                       struct dhcp6_answer *);

#endif
