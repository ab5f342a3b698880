/* A rule of a security group: who may open a connection, and to what.
 *
 *     {protocol: tcp, port: 443}
 *     {protocol: tcp, port: 8000-8080, from: 10.0.0.0/8, cut: true}
 *     {protocol: icmp, type: 8}
 *     {from: lb}                                   members of that group
 *
 * What a rule does not say may be anything.  `from` is the other end of an `in`
 * rule, `to` that of an `out` rule. */
#ifndef WEFT_INTENT_SECURITY_RULE_H
#define WEFT_INTENT_SECURITY_RULE_H

#include "intent/schema.h"

struct security_rule {
    uint64_t given;
    uint32_t id;                  /* 1..SECURITY_RULE_ID_MAX: of the group's
                                     name, the direction and what the rule
                                     lets pass */
    bool is_any;                  /* protocol: any, or not said */
    uint8_t protocol;             /* else an IP protocol */
    bool has_ports;
    uint16_t first_port, last_port;
    uint8_t icmp_type, icmp_code;
    bool has_type, has_code;
    /* The other end: one of them, or anybody. */
    struct subnet4 subnet;
    struct subnet6 subnet6;
    unsigned int peer;            /* of the group's `peers`, + 1; 0: none */
    char peer_name[INTENT_NAME_MAX];
    bool is_cut;                  /* revoking it ends what it alone allowed */
    struct member_place place;
};

/* Of the IP protocols that rules know by name. */
enum {
    SECURITY_ICMP = 1, SECURITY_TCP = 6, SECURITY_UDP = 17,
    SECURITY_ICMP6 = 58, SECURITY_SCTP = 132,
};

/* The two highest bits of 32 stay free for who keeps more beside it. */
enum { SECURITY_RULE_ID_MAX = 0x3ffffff0 };

/* False: `diagnostics` say why. */
bool security_rule_parse(const struct node *, bool is_in,
                         struct security_rule *, struct diagnostics *);
json_t *security_rule_json(const struct security_rule *);
json_t *security_rule_schema(bool is_in);
/* As a command takes it: "protocol=tcp port=443 from=10.0.0.0/8". */
void security_rule_format(const struct security_rule *, struct str *);
/* "tcp", "icmp6" or a number; "any". */
const char *security_protocol_format(bool is_any, uint8_t protocol,
                                     char text[8]);

/* What the id is made of, besides the rule. */
uint32_t security_rule_id(const struct security_rule *, bool is_in,
                          const char *group);

/* Can the rule mean a packet of that family at all? */
static inline bool
security_rule_is_of(const struct security_rule *rule, bool is_six)
{
    uint8_t other = is_six ? SECURITY_ICMP : SECURITY_ICMP6;

    return (rule->is_any || rule->protocol != other)
           && !(is_six ? rule->subnet.is_set : rule->subnet6.is_set);
}

#endif
