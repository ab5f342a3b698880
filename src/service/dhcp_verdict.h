/* What became of a DHCP message: the one table.
 *
 * Each row gives the counter, its name in metrics, and a sentence for people.
 * There is no message that is answered, or not answered, for a reason without a
 * row. */
#ifndef WEFT_SERVICE_DHCP_VERDICT_H
#define WEFT_SERVICE_DHCP_VERDICT_H

/* X(ID, name, what happened).  From DHCP_NOT_DHCP on nobody is answered. */
#define DHCP_VERDICTS(X)                                                     \
    X(DHCP_OFFERED, "offered", "an address was offered")                     \
    X(DHCP_LEASED, "leased", "a lease was given or renewed")                 \
    X(DHCP_REFUSED, "refused",                                               \
      "the client was told that it may not use the address")                 \
    X(DHCP_INFORMED, "informed", "parameters were given without a lease")    \
    X(DHCP_RELEASED, "released", "the client gave its address back")         \
    X(DHCP_DECLINED, "declined",                                             \
      "the client found its address in use by somebody else")                \
    X(DHCP_NOT_DHCP, "not-dhcp", "not a DHCP message to a server's port")    \
    X(DHCP_BAD_CHECKSUM, "bad-checksum", "an IP or UDP checksum is wrong")   \
    X(DHCP_MALFORMED, "malformed",                                           \
      "an option runs past its end, or has a length that it cannot have")    \
    X(DHCP_FROM_SERVER, "from-server",                                       \
      "a server's message came from a client's port")                        \
    X(DHCP_BOOTP, "bootp", "BOOTP without DHCP is not served")               \
    X(DHCP_UNKNOWN_TYPE, "unknown-type",                                     \
      "a message type that clients do not send")                             \
    X(DHCP_HARDWARE, "hardware-type", "the hardware is not Ethernet")        \
    X(DHCP_HOPS, "hops", "it went through too many relays")                  \
    X(DHCP_FOREIGN_CHADDR, "foreign-chaddr",                                 \
      "the client's hardware address is not the sender's")                   \
    X(DHCP_UNKNOWN_RELAY, "unknown-relay",                                   \
      "the relay's address is in no subnet of the network")                  \
    X(DHCP_NO_ADDRESS, "no-address",                                         \
      "the message does not say which address it is about")                  \
    X(DHCP_OTHER_SERVER, "other-server", "it is meant for another server")   \
    X(DHCP_UNKNOWN_CLIENT, "unknown-client",                                 \
      "a client of which nothing is known wants its address back")           \
    X(DHCP_NOT_HOLDER, "not-holder",                                         \
      "the client does not hold the address that it gives up")               \
    X(DHCP_POOL_EMPTY, "pool-empty", "every address is in use")              \
    X(DHCP_PORT_LIMIT, "port-limit",                                         \
      "the port has as many addresses as it may have")

enum dhcp_verdict {
#define X(ID, NAME, TEXT) ID,
    DHCP_VERDICTS(X)
#undef X
    N_DHCP_VERDICTS
};

const char *dhcp_verdict_name(enum dhcp_verdict);
const char *dhcp_verdict_text(enum dhcp_verdict);

#endif
