/* Writes flow rules, part by part, as one would say them:
 *
 *     writer_begin(w, table, priority, cookie);
 *     writer_match(w, FIELD_METADATA, network->id);
 *     writer_match_eth(w, FIELD_ETH_DST, mac);
 *     writer_set(w, FIELD_REG15, number);
 *     writer_goto(w, STAGE_OUTPUT);
 *     writer_end(w);
 *
 * A rule with neither actions nor goto drops. */
#ifndef WEFT_CONTROLLER_WRITER_H
#define WEFT_CONTROLLER_WRITER_H

#include "controller/flow_rule.h"
#include "intent/object.h"

struct writer {
    struct flow_rules *rules;     /* where they go; borrowed */
    struct flow_mod mod;
    struct actions actions;
};

void writer_init(struct writer *, struct flow_rules *);
void writer_fini(struct writer *);

void writer_begin(struct writer *, uint8_t table, uint16_t priority,
                  uint64_t cookie);
void writer_end(struct writer *);

void writer_match(struct writer *, enum field_id, uint64_t value);
void writer_match_masked(struct writer *, enum field_id, u128 value,
                         u128 mask);
void writer_match_eth(struct writer *, enum field_id, struct eth_addr);
void writer_match_ip4(struct writer *, enum field_id, be32);
void writer_match_ip6(struct writer *, enum field_id,
                      const struct ip6_addr *);
void writer_match_subnet4(struct writer *, enum field_id,
                          const struct subnet4 *);
void writer_match_subnet6(struct writer *, enum field_id,
                          const struct subnet6 *);
/* The words of flow text: what comes before addresses and ports. */
void writer_match_arp(struct writer *, uint8_t op);         /* 0: any */
void writer_match_ip(struct writer *);
void writer_match_ipv6(struct writer *);
void writer_match_udp(struct writer *, uint16_t src, uint16_t dst);
void writer_match_udp6(struct writer *, uint16_t src, uint16_t dst);
void writer_match_icmp(struct writer *, uint8_t type);      /* code 0 */
void writer_match_icmp6(struct writer *, uint8_t type);

void writer_set(struct writer *, enum field_id, uint64_t value);
void writer_set_eth(struct writer *, enum field_id, struct eth_addr);
void writer_set_ip4(struct writer *, enum field_id, be32);
void writer_set_ip6(struct writer *, enum field_id, const struct ip6_addr *);
/* The bits in `mask` only. */
/* An entry that is learned: of that table, priority and cookie, as long as it is
 * used; what it matches and does is said by the next calls. */
struct writer_learn {
    uint8_t table;
    uint16_t priority, idle_timeout;      /* seconds */
    uint32_t limit;               /* entries of the cookie, there */
    uint64_t cookie;
};
void writer_learn(struct writer *, const struct writer_learn *,
                  const struct learn_spec *, unsigned int n);
/* What is learned: a match on `dst` as `src` is now, or loading that; the same with
 * a constant; an output to the port in `src`. */
struct learn_spec writer_learn_match(enum field_id src, enum field_id dst);
struct learn_spec writer_learn_load(enum field_id src, enum field_id dst);
struct learn_spec writer_learn_constant(enum learn_dst, enum field_id,
                                        uint64_t value);
struct learn_spec writer_learn_output(enum field_id src);
void writer_set_masked(struct writer *, enum field_id, uint64_t value,
                       uint64_t mask);
/* Fields of one width. */
void writer_move(struct writer *, enum field_id from, enum field_id to);
void writer_output(struct writer *, uint32_t port);
/* By one of the ports that have a link. */
void writer_bundle(struct writer *, enum bundle_algorithm,
                   const uint32_t *ports, unsigned int n);
void writer_resubmit(struct writer *, uint8_t table);
/* One less, of a packet that has at least two. */
void writer_dec_ttl(struct writer *);
/* Is it longer than so many bytes, of Ethernet?  The answer is in that bit. */
void writer_check_larger(struct writer *, uint16_t len, enum field_id,
                         uint16_t bit);
/* What is between them happens to a copy of the packet.  A mark. */
uint32_t writer_begin_clone(struct writer *);
void writer_end_clone(struct writer *, uint32_t mark);
/* The first bytes only. */
void writer_output_trunc(struct writer *, uint32_t port, uint32_t max_len);
void writer_push_vlan(struct writer *, uint16_t tpid, uint16_t vid);
void writer_pop_vlan(struct writer *);
void writer_controller(struct writer *, const void *userdata, uint16_t len);

void writer_meter(struct writer *, uint32_t meter);
void writer_metadata(struct writer *, uint64_t value);
void writer_goto(struct writer *, uint8_t table);

#endif
