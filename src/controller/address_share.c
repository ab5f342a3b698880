#include "controller/address_share.h"

/* Do several hosts hand out its addresses? */
static bool
is_shared(const struct intent_network *network)
{
    const struct intent_uplink *uplink = network->segment.uplink;

    return intent_network_is_overlay(network) || (uplink && !*uplink->at);
}

struct address_share
address_share_of(const struct intent *intent,
                 const struct intent_network *network, const char *host)
{
    struct address_share share = { 0 };
    const struct intent_object *own
        = host ? intent_find(intent, INTENT_HOST, host) : NULL;

    if (!own || !is_shared(network)) {
        return share;
    }
    /* They are kept in order of their names. */
    share.n = intent_count(intent, INTENT_HOST);
    while (intent_at(intent, INTENT_HOST, share.index) != own) {
        share.index++;
    }
    return share;
}

static unsigned int
all_pieces(const struct intent_network *network,
           struct address_piece pieces[NETWORK_MAX_RANGES])
{
    unsigned int host_bits = 32u - network->subnet.len;
    uint32_t base = be32toh(network->subnet.addr);

    if (!network->subnet.is_set) {
        return 0;
    }
    if (!network->dhcp.n_ranges) {
        /* Of /31 and /32 every address can be used (RFC 3021). */
        uint32_t ends = host_bits >= 2;

        base &= host_bits >= 32 ? 0 : ~UINT32_C(0) << host_bits;
        pieces[0].first = base + ends;
        pieces[0].n = (uint32_t) ((UINT64_C(1) << host_bits) - 2 * ends);
        return 1;
    }
    for (unsigned int i = 0; i < network->dhcp.n_ranges; i++) {
        const struct address_range *range = &network->dhcp.ranges[i];

        pieces[i].first = be32toh(range->first);
        pieces[i].n = be32toh(range->last) - pieces[i].first + 1;
    }
    return network->dhcp.n_ranges;
}

unsigned int
address_share_pieces(const struct intent_network *network,
                     struct address_share share,
                     struct address_piece pieces[NETWORK_MAX_RANGES])
{
    unsigned int n = all_pieces(network, pieces), n_kept = 0;
    uint64_t total = 0, at = 0, begin, end;

    for (unsigned int i = 0; i < n; i++) {
        total += pieces[i].n;
    }
    begin = share.n ? total * share.index / share.n : 0;
    end = share.n ? total * (share.index + 1) / share.n : total;
    for (unsigned int i = 0; i < n; i++) {
        uint64_t first = MAX(at, begin), last = MIN(at + pieces[i].n, end);
        uint32_t base = pieces[i].first - (uint32_t) at;

        at += pieces[i].n;
        if (first < last) {
            pieces[n_kept++] = (struct address_piece) {
                base + (uint32_t) first, (uint32_t) (last - first)
            };
        }
    }
    return n_kept;
}
