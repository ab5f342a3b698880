/* Who wants to hear which multicast group: messages of IGMP (RFC 1112, 2236,
 * 3376) and of MLD (RFC 2710, 3810), which say the same in other words.
 *
 * A query asks about all groups, or about one.  A report says by records what a
 * host hears: the older versions' reports and leaves are read as the record
 * that says as much.  IPv4 addresses are mapped (::ffff:a.b.c.d), so that
 * whoever reads this need not know of two families.
 *
 * Codecs: igmp.c, mld.c. */
#ifndef WEFT_PACKET_MEMBERSHIP_H
#define WEFT_PACKET_MEMBERSHIP_H

#include "packet/cursor.h"

/* Numbers on the wire, in both protocols (RFC 3376, 4.2.12). */
enum membership_kind {
    IS_INCLUDE = 1,               /* hears these sources and no others */
    IS_EXCLUDE,                   /* hears all others */
    TO_INCLUDE,                   /* from now on */
    TO_EXCLUDE,
    ALLOW_SOURCES,                /* these sources, too */
    BLOCK_SOURCES,                /* these not any more */
};

struct membership_record {
    enum membership_kind kind;
    struct ip6_addr group;
    unsigned int n_sources;
};

struct membership_message {
    bool is_query;
    bool is_ip6;
    uint8_t version;              /* IGMP: 1 to 3; MLD: 1 or 2 */
    struct ip6_addr src;          /* all zero: somebody without an address */

    /* A query. */
    struct ip6_addr group;        /* all zero: every group */
    msec max_response;
    unsigned int interval;        /* seconds between queries; 0: not said */
    uint8_t robustness;           /* 0: not said */

    /* A report. */
    unsigned int n_records;
    struct membership_record only;          /* an older version's record */
    struct cursor records;        /* newer ones, checked */
};

/* The report's next record; false: there is none. */
bool membership_next(struct membership_message *,
                     struct membership_record *);

/* A query of ours, of the newest version: older hosts read it as theirs. */
struct membership_query {
    struct eth_addr mac;          /* of the sender */
    struct ip6_addr src;          /* link-local; IPv4: mapped, may be 0.0.0.0 */
    struct ip6_addr group;        /* zero, of the family: every group */
    msec max_response;
    unsigned int interval;        /* seconds */
    uint8_t robustness;
};

enum { MEMBERSHIP_QUERY_MAX = 14 + 40 + 8 + 28 };

/* Do switches hand this group to everybody (RFC 4541, 2.1.2 and 3)?  Those that
 * never leave a link are for protocols that do not always report. */
bool membership_is_for_all(const struct ip6_addr *group);

/* ---- For the codecs ---- */

/* Numbers with an exponent above 127 (RFC 3376, 4.1.1) or above 32767. */
unsigned int membership_code8(uint8_t);
unsigned int membership_code16(uint16_t);
/* Checks all records of a report, which `c` is at.  False: one of them is cut
 * short, or is about no group. */
bool membership_read_records(struct membership_message *, struct cursor *c,
                             unsigned int n);

#endif
