#include "controller/explain_security.h"

#include <stdio.h>

#include "controller/acl.h"
#include "intent/schema.h"
#include "intent/security_rule.h"
#include "packet/address.h"

/* ---- Does a rule say so? ---- */

static bool
is_member(const struct topology *t, const struct explain_end *end,
          uint64_t group)
{
    const struct topology_security *class;

    for (unsigned int i = 0; end->port && !end->is_spoofed
                             && (class = topology_security_of(t, group, i));
         i++) {
        if (class == end->port->security) {
            return true;
        }
    }
    return false;
}

static bool
is_peer(const struct topology *t, const struct intent_security_group *group,
        const struct security_rule *rule, const struct explain_end *other)
{
    if (rule->subnet.is_set) {
        return ip4_is_within(other->address, rule->subnet.addr,
                             rule->subnet.len);
    }
    if (rule->subnet6.is_set) {
        return ip6_is_within(other->address6, rule->subnet6.addr,
                             rule->subnet6.len);
    }
    return !rule->peer || is_member(t, other,
                                    group->peers[rule->peer - 1].id);
}

static bool
lets_pass(const struct topology *t, const struct intent_security_group *group,
          const struct security_rule *rule, const struct explain_end *other,
          const struct explain_protocol *asked)
{
    if (!security_rule_is_of(rule, asked->is_v6)
        || (!rule->is_any && rule->protocol != asked->protocol)
        || (rule->has_ports && (asked->port < rule->first_port
                                || asked->port > rule->last_port))
        || (rule->has_type && rule->icmp_type != asked->icmp_type)
        || (rule->has_code && rule->icmp_code)) {
        return false;
    }
    return is_peer(t, group, rule, other);
}

/* ---- In words ---- */

static void
add_groups(const struct topology_security *class, struct str *text)
{
    str_add(text, class->n_groups > 1 ? "security groups " : "security group ");
    for (unsigned int i = 0; i < class->n_groups; i++) {
        str_addf(text, "%s'%s'", i ? ", " : "",
                 class->groups[i]->object.name);
    }
}

static void
say_allowed(struct explain *e, bool is_in,
            const struct intent_security_group *group,
            const struct security_rule *rule)
{
    const struct place *place = &group->object.place;

    str_addf(&e->notes, "security group '%s' lets it %s: ",
             group->object.name, is_in ? "in" : "out");
    security_rule_format(rule, &e->notes);
    if (place->file && rule->place.line) {
        str_addf(&e->notes, " (%s:%u)", place->file, rule->place.line);
    }
    str_add_char(&e->notes, '\n');
}

static void
say_closed(struct explain_closed *closed, bool is_in,
           const struct topology_security *class,
           const struct explain_end *other,
           const struct explain_protocol *asked)
{
    char text[ADDRESS_TEXT_SIZE], name[8];
    const char *address = asked->is_v6 ? ip6_format(other->address6, text)
                                       : ip4_format(other->address, text);
    unsigned int at = 0;

    /* Of those that limit what leaves, if that is it. */
    while (!is_in && at + 1 < class->n_groups
           && !class->groups[at]->out.is_given) {
        at++;
    }
    str_add(&closed->why, "no rule of ");
    add_groups(class, &closed->why);
    str_addf(&closed->why, " lets %s %s %s", asked->what,
             is_in ? "in from" : "out to", address);
    str_addf(&closed->fix, "weft security-group add-rule %s %s protocol=%s",
             class->groups[at]->object.name, is_in ? "in" : "out",
             security_protocol_format(false, asked->protocol, name));
    if (asked->port) {
        str_addf(&closed->fix, " port=%u", asked->port);
    }
    str_addf(&closed->fix, " %s=%s", is_in ? "from" : "to", address);
}

/* ---- One end's groups ---- */

static void
judge(const struct topology *t, const struct explain_end *own,
      const struct explain_end *other, bool is_in,
      const struct explain_protocol *asked, struct explain *e)
{
    const struct topology_security *class = own->port->security;
    struct explain_closed *closed = is_in ? &e->closed_in : &e->closed_out;

    for (unsigned int i = 0; i < class->n_groups; i++) {
        const struct intent_security_group *group = class->groups[i];
        const struct security_rules *rules = is_in ? &group->in : &group->out;

        for (unsigned int k = 0; k < rules->n; k++) {
            if (lets_pass(t, group, &rules->list[k], other, asked)) {
                say_allowed(e, is_in, group, &rules->list[k]);
                return;
            }
        }
    }
    say_closed(closed, is_in, class, other, asked);
    closed->is_closed = !class->is_audit;
    closed->origin = class->groups[0]->object.id;
    if (class->is_audit) {
        str_addf(&e->notes, "%s; it passes, for audit only counts\n",
                 str_text(&closed->why));
    }
}

/* The gateway is always there, and groups of stations hear what they asked
 * for. */
void
explain_security(const struct topology *t, const struct explain_end *from,
                 const struct explain_end *to,
                 const struct explain_protocol *asked, struct explain *e)
{
    static_assert(ACL_LABEL_OURS == 0x40000000, "EXPLAIN_ANSWER");

    if (!asked->protocol || to->is_gateway || from->is_gateway
        || to->is_group) {
        return;
    }
    if (from->port && from->port->security
        && from->port->security->limits_out) {
        judge(t, from, to, false, asked, e);
    }
    if (to->port && to->port->security) {
        judge(t, to, from, true, asked, e);
    }
}
