/* Connections that a controller wants forgotten. */
#include "packet/ip.h"
#include "switch/control_impl.h"

/* In the order of the bits in of_ct_tuple.parts. */
enum { PART_SRC, PART_DST, PART_SRC_PORT, PART_DST_PORT, PART_ICMP_ID,
       PART_ICMP_TYPE, PART_ICMP_CODE };

/* IPv4 addresses come as v4-mapped IPv6 ones. */
static bool
same_address(const struct ct_tuple *t, const struct ip6_addr *have,
             const struct ip6_addr *wanted)
{
    return t->family == 4 ? !memcmp(have->b, wanted->b + 12, 4)
                          : !memcmp(have->b, wanted->b, 16);
}

static bool
same_part(const struct ct_tuple *t, const struct of_ct_tuple *wanted,
          unsigned int part)
{
    uint16_t src_port = be16toh(t->src_port), dst_port = be16toh(t->dst_port);

    switch (part) {
    case PART_SRC: return same_address(t, &t->src, &wanted->src);
    case PART_DST: return same_address(t, &t->dst, &wanted->dst);
    case PART_SRC_PORT: return src_port == wanted->src_port;
    case PART_DST_PORT: return dst_port == wanted->dst_port;
    case PART_ICMP_ID: return src_port == wanted->icmp_id;
    case PART_ICMP_TYPE: return dst_port >> 8 == wanted->icmp_type;
    default: return (dst_port & 0xff) == wanted->icmp_code;
    }
}

static bool
is_wanted(void *flush_, const struct ct_info *info)
{
    const struct of_ct_flush *flush = flush_;
    const struct ct_tuple *tuples[] = { &info->original, &info->reply };

    if ((flush->has_zone && flush->zone != info->original.zone)
        || (flush->ip_proto && flush->ip_proto != info->original.proto)) {
        return false;
    }
    for (unsigned int dir = 0; dir < ARRAY_SIZE(tuples); dir++) {
        const struct of_ct_tuple *wanted = &flush->tuples[dir];

        for (unsigned int part = 0; part <= PART_ICMP_CODE; part++) {
            if (wanted->parts >> part & 1
                && !same_part(tuples[dir], wanted, part)) {
                return false;
            }
        }
    }
    return true;
}

enum of_error
control_ct_flush(struct session *s, const struct of_message *m,
                 struct str *why UNUSED)
{
    struct switch_ *sw = s->control->sw;
    struct of_ct_flush flush = m->ct_flush;

    switch_flush_connections(sw, is_wanted, &flush);
    return OF_OK;
}
