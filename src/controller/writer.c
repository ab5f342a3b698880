#include "controller/writer.h"

#include "packet/eth.h"
#include "packet/ip.h"

void
writer_init(struct writer *w, struct flow_rules *rules)
{
    memset(w, 0, sizeof *w);
    w->rules = rules;
}

void
writer_fini(struct writer *w)
{
    actions_fini(&w->actions);
}

void
writer_begin(struct writer *w, uint8_t table, uint16_t priority,
             uint64_t cookie)
{
    flow_mod_init(&w->mod);
    actions_clear(&w->actions);
    w->mod.table = table;
    w->mod.priority = priority;
    w->mod.cookie = htobe64(cookie);
}

void
writer_end(struct writer *w)
{
    w->mod.instructions.apply = actions_list(&w->actions);
    flow_rules_add(w->rules, flow_rule_create(&w->mod));
}

/* ---- Matches ---- */

static u128
eth_value(struct eth_addr mac)
{
    u128 value = 0;

    for (size_t i = 0; i < sizeof mac.b; i++) {
        value = value << 8 | mac.b[i];
    }
    return value;
}

static u128
prefix_mask(unsigned int len, unsigned int n_bits)
{
    u128 ones = n_bits == 128 ? ~(u128) 0 : ((u128) 1 << n_bits) - 1;

    return len ? ones & ~(len == n_bits ? 0 : ones >> len) : 0;
}

void
writer_match_masked(struct writer *w, enum field_id field, u128 value,
                    u128 mask)
{
    match_set(&w->mod.match, field, value & mask, mask);
}

static void
match_exactly(struct writer *w, enum field_id field, u128 value)
{
    match_set(&w->mod.match, field, value, field_ones(field_by_id(field)));
}

void
writer_match(struct writer *w, enum field_id field, uint64_t value)
{
    match_exactly(w, field, value);
}

void
writer_match_eth(struct writer *w, enum field_id field, struct eth_addr mac)
{
    match_exactly(w, field, eth_value(mac));
}

void
writer_match_ip4(struct writer *w, enum field_id field, be32 addr)
{
    match_exactly(w, field, be32toh(addr));
}

void
writer_match_ip6(struct writer *w, enum field_id field,
                 const struct ip6_addr *addr)
{
    match_exactly(w, field, ip6_value(addr));
}

void
writer_match_subnet4(struct writer *w, enum field_id field,
                     const struct subnet4 *subnet)
{
    writer_match_masked(w, field, be32toh(subnet->addr),
                        prefix_mask(subnet->len, 32));
}

void
writer_match_subnet6(struct writer *w, enum field_id field,
                     const struct subnet6 *subnet)
{
    writer_match_masked(w, field, ip6_value(&subnet->addr),
                        prefix_mask(subnet->len, 128));
}

void
writer_match_arp(struct writer *w, uint8_t op)
{
    writer_match(w, FIELD_ETH_TYPE, ETH_TYPE_ARP);
    if (op) {
        writer_match(w, FIELD_ARP_OP, op);
    }
}

void
writer_match_ip(struct writer *w)
{
    writer_match(w, FIELD_ETH_TYPE, ETH_TYPE_IP);
}

void
writer_match_ipv6(struct writer *w)
{
    writer_match(w, FIELD_ETH_TYPE, ETH_TYPE_IPV6);
}

static void
match_ports(struct writer *w, uint16_t src, uint16_t dst)
{
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_UDP);
    if (src) {
        writer_match(w, FIELD_UDP_SRC, src);
    }
    if (dst) {
        writer_match(w, FIELD_UDP_DST, dst);
    }
}

void
writer_match_udp(struct writer *w, uint16_t src, uint16_t dst)
{
    writer_match_ip(w);
    match_ports(w, src, dst);
}

void
writer_match_udp6(struct writer *w, uint16_t src, uint16_t dst)
{
    writer_match_ipv6(w);
    match_ports(w, src, dst);
}

void
writer_match_icmp(struct writer *w, uint8_t type)
{
    writer_match_ip(w);
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_ICMP);
    writer_match(w, FIELD_ICMPV4_TYPE, type);
    writer_match(w, FIELD_ICMPV4_CODE, 0);
}

void
writer_match_icmp6(struct writer *w, uint8_t type)
{
    writer_match_ipv6(w);
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_ICMPV6);
    writer_match(w, FIELD_ICMPV6_TYPE, type);
    writer_match(w, FIELD_ICMPV6_CODE, 0);
}

/* ---- Actions ---- */

static void
set_value(struct writer *w, enum field_id field, u128 value)
{
    actions_add_set_field(&w->actions, field, value,
                          field_ones(field_by_id(field)));
}

void
writer_set(struct writer *w, enum field_id field, uint64_t value)
{
    set_value(w, field, value);
}

void
writer_set_masked(struct writer *w, enum field_id field, uint64_t value,
                  uint64_t mask)
{
    actions_add_set_field(&w->actions, field, value, mask);
}

void
writer_set_eth(struct writer *w, enum field_id field, struct eth_addr mac)
{
    set_value(w, field, eth_value(mac));
}

void
writer_set_ip4(struct writer *w, enum field_id field, be32 addr)
{
    set_value(w, field, be32toh(addr));
}

void
writer_set_ip6(struct writer *w, enum field_id field,
               const struct ip6_addr *addr)
{
    set_value(w, field, ip6_value(addr));
}

void
writer_move(struct writer *w, enum field_id from, enum field_id to)
{
    struct action_move *move = actions_add(&w->actions, ACTION_MOVE,
                                           sizeof *move);
    uint8_t n_bits = field_by_id(to)->n_bits;

    move->src = (struct subfield) { (uint16_t) from, 0, n_bits };
    move->dst = (struct subfield) { (uint16_t) to, 0, n_bits };
}

/* ---- Learning ---- */

static struct subfield
whole(enum field_id field)
{
    return (struct subfield) { (uint16_t) field, 0,
                               field_by_id(field)->n_bits };
}

struct learn_spec
writer_learn_match(enum field_id src, enum field_id dst)
{
    return (struct learn_spec) { .dst_kind = LEARN_MATCH, .src = whole(src),
                                 .dst = whole(dst) };
}

struct learn_spec
writer_learn_load(enum field_id src, enum field_id dst)
{
    return (struct learn_spec) { .dst_kind = LEARN_LOAD, .src = whole(src),
                                 .dst = whole(dst) };
}

struct learn_spec
writer_learn_constant(enum learn_dst kind, enum field_id field,
                      uint64_t value)
{
    return (struct learn_spec) { .dst_kind = (uint8_t) kind,
                                 .is_immediate = true, .dst = whole(field),
                                 .value = { value } };
}

struct learn_spec
writer_learn_output(enum field_id src)
{
    return (struct learn_spec) { .dst_kind = LEARN_OUTPUT,
                                 .src = whole(src) };
}

void
writer_learn(struct writer *w, const struct writer_learn *said,
             const struct learn_spec *specs, unsigned int n)
{
    struct action_learn *learn = actions_add(&w->actions, ACTION_LEARN,
                                             sizeof *learn
                                             + n * sizeof specs[0]);

    learn->table = said->table;
    learn->priority = said->priority;
    learn->idle_timeout = said->idle_timeout;
    learn->limit = said->limit;
    learn->cookie = htobe64(said->cookie);
    learn->n_specs = n;
    memcpy(learn->specs, specs, n * sizeof specs[0]);
}

void
writer_output(struct writer *w, uint32_t port)
{
    actions_add_output(&w->actions, port);
}

void
writer_bundle(struct writer *w, enum bundle_algorithm algorithm,
              const uint32_t *ports, unsigned int n)
{
    struct action_bundle *bundle = actions_add(&w->actions, ACTION_BUNDLE,
                                               sizeof *bundle
                                               + n * sizeof ports[0]);

    bundle->fields = HASH_SYMMETRIC_L3L4;
    bundle->algorithm = (uint16_t) algorithm;
    bundle->n_members = (uint16_t) n;
    memcpy(bundle->members, ports, n * sizeof ports[0]);
}

void
writer_resubmit(struct writer *w, uint8_t table)
{
    struct action_resubmit *resubmit
        = actions_add(&w->actions, ACTION_RESUBMIT, sizeof *resubmit);

    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table = table;
}

void
writer_dec_ttl(struct writer *w)
{
    actions_add(&w->actions, ACTION_DEC_TTL, sizeof(struct action_plain));
}

void
writer_check_larger(struct writer *w, uint16_t len, enum field_id field,
                    uint16_t bit)
{
    struct action_check_pkt_larger *check
        = actions_add(&w->actions, ACTION_CHECK_PKT_LARGER, sizeof *check);

    check->pkt_len = len;
    check->dst = (struct subfield) { (uint16_t) field, bit, 1 };
}

uint32_t
writer_begin_clone(struct writer *w)
{
    return actions_begin_clone(&w->actions);
}

void
writer_end_clone(struct writer *w, uint32_t mark)
{
    actions_end(&w->actions, mark);
}

void
writer_output_trunc(struct writer *w, uint32_t port, uint32_t max_len)
{
    struct action_output *output = actions_add(&w->actions, ACTION_OUTPUT,
                                               sizeof *output);

    output->port = port;
    output->trunc = max_len;
}

void
writer_push_vlan(struct writer *w, uint16_t tpid, uint16_t vid)
{
    struct action_push *push = actions_add(&w->actions, ACTION_PUSH_VLAN,
                                           sizeof *push);

    push->eth_type = tpid;
    writer_set(w, FIELD_VLAN_VID, FLOW_VLAN_PRESENT | vid);
}

void
writer_pop_vlan(struct writer *w)
{
    actions_add(&w->actions, ACTION_POP_VLAN, sizeof(struct action_plain));
}

void
writer_controller(struct writer *w, const void *userdata, uint16_t len)
{
    struct action_controller *controller
        = actions_add_userdata(&w->actions, userdata, len);

    controller->max_len = OFPCML_NO_BUFFER;
    controller->reason = REASON_APPLY_ACTION;
}

/* ---- Instructions ---- */

void
writer_meter(struct writer *w, uint32_t meter)
{
    w->mod.instructions.meter = meter;
}

void
writer_metadata(struct writer *w, uint64_t value)
{
    w->mod.instructions.metadata = htobe64(value);
    w->mod.instructions.metadata_mask = htobe64(UINT64_MAX);
}

void
writer_goto(struct writer *w, uint8_t table)
{
    w->mod.instructions.has_goto = true;
    w->mod.instructions.goto_table = table;
}
