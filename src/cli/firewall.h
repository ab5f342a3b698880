/* What the host's nft rules (`nft -j list ruleset`) do to a packet that the host
 * forwards: which rule would stop it.
 *
 * Not every match can be decided for a packet of which only addresses and
 * devices are known; then the answer is that it may.  Rules of iptables-nft are
 * there, too, as nft shows them.
 *
 * Pure. */
#ifndef WEFT_CLI_FIREWALL_H
#define WEFT_CLI_FIREWALL_H

#include <jansson.h>

#include "lib/str.h"

/* The first packet of a connection; NULL: unknown. */
struct firewall_packet {
    const char *in, *out;         /* devices */
    const char *from, *to;        /* IPv4 addresses */
    const char *status;           /* conntrack's: "dnat" */
};

enum firewall_verdict { FIREWALL_PASSES, FIREWALL_MAY_STOP, FIREWALL_STOPS };

enum { FIREWALL_OUR_PRIORITY = 90 };      /* in postrouting */

/* Asks all chains of the hook that are not in the table `ours` (of inet).
 * `who`, unless it passes: "ip filter FORWARD (policy drop)". */
enum firewall_verdict firewall_ask(const json_t *ruleset, const char *hook,
                                   const char *ours,
                                   const struct firewall_packet *,
                                   struct str *who);
/* Does a chain other than those of `ours` give it another source, before ours at
 * FIREWALL_OUR_PRIORITY? */
bool firewall_translates(const json_t *ruleset, const char *ours,
                         const struct firewall_packet *, struct str *who);
/* The table is there. */
bool firewall_has_table(const json_t *ruleset, const char *family,
                        const char *name);
/* A chain of this name, in any table. */
bool firewall_has_chain(const json_t *ruleset, const char *name);

#endif
