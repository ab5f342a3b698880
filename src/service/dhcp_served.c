#include "service/dhcp_served.h"

#include <stdlib.h>

int
dhcp_served_init(struct dhcp_served *subnet,
                 const struct dhcp_subnet *from, struct str *error)
{
    size_t file_len = from->boot_file ? strlen(from->boot_file) : 0;
    uint32_t max = from->max_time;

    if (!from->leases || from->prefix_len > 32
        || from->network & ~ip4_mask(from->prefix_len)) {
        str_setf(error, "a subnet needs its own address and leases");
        return -EINVAL;
    }
    *subnet = (struct dhcp_served) {
        .network = from->network,
        .prefix_len = from->prefix_len,
        .is_rapid = from->is_rapid,
        .leases = from->leases,
        .default_time = from->default_time ? from->default_time
                                           : DHCP_DEFAULT_TIME,
        .min_time = from->min_time ? from->min_time : DHCP_MIN_TIME,
    };
    subnet->max_time = MAX(max ? max : DHCP_MAX_TIME, subnet->default_time);
    subnet->min_time = MIN(subnet->min_time, subnet->default_time);
    subnet->max_datagram = (uint16_t) MIN(
        MAX(from->mtu ? from->mtu : 1500, DHCP_MIN_DATAGRAM),
        DHCP_REPLY_MAX + DHCP_IP_OVERHEAD);
    if (file_len < sizeof subnet->boot_file) {
        memcpy(subnet->boot_file, from->boot_file ? from->boot_file : "",
               file_len);
    }
    if (from->boot_server) {
        ip4_parse(from->boot_server, &subnet->boot_server);
    }
    return dhcp_option_set_init(&subnet->options, from, error);
}

static struct address_span
one(be32 addr)
{
    return (struct address_span) { addr, addr };
}

/* Cuts `spans` to the subnet; returns how many are left. */
static unsigned int
cut(struct address_span *spans, const struct address_span *given,
    unsigned int n, be32 network, uint8_t prefix_len)
{
    uint32_t low = be32toh(network);
    uint32_t high = be32toh(network | ~ip4_mask(prefix_len));
    unsigned int n_kept = 0;

    for (unsigned int i = 0; i < n; i++) {
        uint32_t first = MAX(be32toh(given[i].first), low);
        uint32_t last = MIN(be32toh(given[i].last), high);

        if (first <= last) {
            spans[n_kept++] = (struct address_span) { htobe32(first),
                                                      htobe32(last) };
        }
    }
    return n_kept;
}

void
dhcp_served_set_ranges(const struct dhcp_subnet *from, be32 server)
{
    be32 broadcast = from->network | ~ip4_mask(from->prefix_len);
    struct address_span all = { from->network, broadcast };
    unsigned int n_ranges = from->n_ranges, n_holes = from->n_exclusions;
    struct address_span *ranges = xcalloc(n_ranges + 1, sizeof *ranges);
    struct address_span *holes = xcalloc(n_holes + 4, sizeof *holes);

    n_ranges = n_ranges ? cut(ranges, from->ranges, n_ranges, from->network,
                              from->prefix_len)
                        : cut(ranges, &all, 1, from->network,
                              from->prefix_len);
    if (n_holes) {
        memcpy(holes, from->exclusions, n_holes * sizeof *holes);
    }
    if (from->prefix_len < 31) {
        holes[n_holes++] = one(from->network);
        holes[n_holes++] = one(broadcast);
    }
    holes[n_holes++] = one(from->router);
    holes[n_holes++] = one(server);
    lease_set_ranges(from->leases, ranges, n_ranges, holes, n_holes);
    free(ranges);
    free(holes);
}

void
dhcp_served_fini(struct dhcp_served *subnet)
{
    dhcp_option_set_fini(&subnet->options);
}
