#include "switch/random_fields.h"

#include "switch/random_tunnels.h"

u128
random_u128(struct rng *rng)
{
    return (u128) rng_u64(rng) << 64 | rng_u64(rng);
}

const struct flow *
random_flow(const struct random_rules *r)
{
    return &r->flows[rng_below(r->rng, r->n_flows)];
}

u128
random_value(const struct random_rules *r, const struct field *field)
{
    u128 value;

    if (random_tunnel_value(r->rng, field, &value)) {
        return value;
    }
    if (field->id == FIELD_CT_STATE) {
        return rng_one_in(r->rng, 4)
               ? 0 : FLOW_CT_TRK | (1u << rng_below(r->rng, 5));
    }
    if (field->id == FIELD_ACTSET_OUTPUT && rng_one_in(r->rng, 2)) {
        return OFPP_UNSET;
    }
    if (field->flags & FIELD_PIPELINE) {
        return rng_below(r->rng, 4);
    }
    if (field->id == FIELD_IN_PORT) {
        return random_port_number(rng_below(r->rng, RANDOM_PORTS + 1));
    }
    if (!rng_one_in(r->rng, 8)) {
        for (unsigned int i = 0; i < 8; i++) {
            const struct flow *flow = random_flow(r);

            if (field_prereq_met(field, flow)) {
                return field_get(field, flow);
            }
        }
    }
    return random_u128(r->rng) & field_ones(field);
}

u128
random_mask(const struct random_rules *r, const struct field *field)
{
    u128 ones = field_ones(field);

    switch (rng_below(r->rng, 4)) {
    case 0:
        return random_u128(r->rng) & ones;
    case 1:
        return ones << rng_below(r->rng, field->n_bits) & ones;
    default:
        return ones;
    }
}

const struct field *
random_field(const struct random_rules *r)
{
    static const enum field_id hot[] = {
        FIELD_IP_TTL, FIELD_IP_TTL, FIELD_MPLS_TTL, FIELD_MPLS_LABEL,
        FIELD_IPV4_DST, FIELD_IPV4_SRC, FIELD_IP_PROTO, FIELD_TCP_SRC,
        FIELD_TCP_DST, FIELD_UDP_DST, FIELD_VLAN_TCI, FIELD_ETH_DST,
        FIELD_ETH_SRC, FIELD_REG0, FIELD_METADATA, FIELD_IPV6_DST,
        FIELD_ICMPV6_TYPE, FIELD_ND_TARGET, FIELD_TUN_METADATA0,
        FIELD_ACTSET_OUTPUT, FIELD_CT_STATE, FIELD_CT_MARK, FIELD_TUN_ID,
    };

    return field_by_id(rng_one_in(r->rng, 3)
                       ? (enum field_id) rng_below(r->rng, N_FIELDS)
                       : hot[rng_below(r->rng, ARRAY_SIZE(hot))]);
}
