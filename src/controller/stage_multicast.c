/* Multicast: what is for more than one station (RFC 4541).
 *
 *     messages of IGMP and MLD   to router ports, so that no host hears of
 *                                another that it hears the same group
 *     groups that never leave a link, and what is not IP
 *                                to everybody
 *     a group that somebody asked for
 *                                to those, and to router ports
 *     other groups               to router ports
 *
 * The LAN counts as a router port: who listens out there is not asked by us.
 * Groups are told apart by their addresses, not by MACs, which they share. */
#include "controller/stage_multicast.h"

#include "controller/stage.h"
#include "packet/address.h"
#include "packet/ip.h"

enum { PRIORITY_TAGGED = 100, PRIORITY_ALL_HOSTS = 60, PRIORITY_MESSAGE = 50,
       PRIORITY_GROUP = 30, PRIORITY_LINK = 20, PRIORITY_OTHER = 10 };

enum { MLD_QUERY = 130, MLD_REPORT = 131, MLD_DONE = 132, MLD2_REPORT = 143 };

/* ---- What holds for all networks ---- */

static void
flood(struct writer *w)
{
    stage_flood_to(w, FLOOD_ALL);
    writer_end(w);
}

/* Of 224.0.0.0/24, and of IPv6 scopes 1 and 2, whatever their flags. */
static void
link_groups(struct writer *w)
{
    struct subnet4 local = { true, 24, htobe32(0xe0000000) };

    stage_begin_base(w, STAGE_MULTICAST, PRIORITY_LINK);
    writer_match_ip(w);
    writer_match_subnet4(w, FIELD_IPV4_DST, &local);
    flood(w);
    for (unsigned int scope = 1; scope <= 2; scope++) {
        stage_begin_base(w, STAGE_MULTICAST, PRIORITY_LINK);
        writer_match_ipv6(w);
        writer_match_masked(w, FIELD_IPV6_DST,
                            (u128) (0xff00 | scope) << 112,
                            (u128) 0xff0f << 112);
        flood(w);
    }
}

static void
base(struct writer *w)
{
    static const struct ip6_addr all_nodes = { { 0xff, 2, [15] = 1 } };

    /* A customer's own frames: nothing of them is looked at. */
    stage_begin_base(w, STAGE_MULTICAST, PRIORITY_TAGGED);
    stage_match_flag(w, WITH_TAG, true);
    flood(w);

    /* Questions to all. */
    stage_begin_base(w, STAGE_MULTICAST, PRIORITY_ALL_HOSTS);
    writer_match_ip(w);
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_IGMP);
    writer_match_ip4(w, FIELD_IPV4_DST, htobe32(0xe0000001));
    flood(w);
    stage_begin_base(w, STAGE_MULTICAST, PRIORITY_ALL_HOSTS);
    writer_match_icmp6(w, MLD_QUERY);
    writer_match_ip6(w, FIELD_IPV6_DST, &all_nodes);
    flood(w);

    link_groups(w);
    stage_begin_base(w, STAGE_MULTICAST, 0);
    flood(w);
}

/* ---- A network's router ports ---- */

static void
to_routers(struct writer *w, const struct subject *subject)
{
    const struct multicast *multicast = topology_multicast(subject->topology);
    unsigned int i = 0;
    uint64_t port;
    msec until;

    stage_copy_to_uplink(w, subject->network);
    while (multicast
           && (port = multicast_next_router(multicast, subject->network->id,
                                            &i, &until)) != 0) {
        const struct topology_member *member = topology_member_of(
            subject->topology, subject->network->id, port);

        if (member) {
            stage_copy_to(w, member, false);
        }
    }
}

static void
network_flows(struct writer *w, const struct subject *subject)
{
    static const uint8_t messages[] = { MLD_QUERY, MLD_REPORT, MLD_DONE,
                                        MLD2_REPORT };
    const struct topology_network *network = subject->network;
    struct subnet4 all_groups = { true, 4, htobe32(0xe0000000) };

    stage_begin_network(w, STAGE_MULTICAST, PRIORITY_MESSAGE, network);
    writer_match_ip(w);
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_IGMP);
    to_routers(w, subject);
    writer_end(w);
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        stage_begin_network(w, STAGE_MULTICAST, PRIORITY_MESSAGE, network);
        writer_match_icmp6(w, messages[i]);
        to_routers(w, subject);
        writer_end(w);
    }

    stage_begin_network(w, STAGE_MULTICAST, PRIORITY_OTHER, network);
    writer_match_ip(w);
    writer_match_subnet4(w, FIELD_IPV4_DST, &all_groups);
    to_routers(w, subject);
    writer_end(w);
    stage_begin_network(w, STAGE_MULTICAST, PRIORITY_OTHER, network);
    writer_match_ipv6(w);
    writer_match_masked(w, FIELD_IPV6_DST, (u128) 0xff << 120,
                        (u128) 0xff << 120);
    to_routers(w, subject);
    writer_end(w);
}

/* ---- A group ---- */

static void
begin_group(struct writer *w, const struct subject *subject,
            unsigned int chunk)
{
    const struct ip6_addr *address = &subject->group->address;

    stage_begin_network(w, STAGE_MULTICAST, PRIORITY_GROUP, subject->network);
    writer_match(w, FIELD_REG12, chunk);
    if (ip6_is_mapped4(address)) {
        writer_match_ip(w);
        writer_match_ip4(w, FIELD_IPV4_DST, get_be32(&address->b[12]));
    } else {
        writer_match_ipv6(w);
        writer_match_ip6(w, FIELD_IPV6_DST, address);
    }
}

/* NULL: the switch does not have it, or it is a router port, which hears all. */
static const struct topology_member *
listener(const struct subject *subject, unsigned int i)
{
    uint64_t port = subject->group->members[i].port;

    if (multicast_is_router(topology_multicast(subject->topology),
                            subject->network->id, port)) {
        return NULL;
    }
    return topology_member_of(subject->topology, subject->network->id, port);
}

static void
to_listeners(struct writer *w, const struct subject *subject)
{
    for (unsigned int i = 0; i < subject->group->n; i++) {
        const struct topology_member *member = listener(subject, i);

        if (member && (subject->chunk < 0
                       || (int) topology_chunk(member) == subject->chunk)) {
            stage_copy_to(w, member, false);
        }
    }
}

static void
to_chunks(struct writer *w, const struct subject *subject)
{
    bool has[FLOOD_N_CHUNKS] = { false };

    for (unsigned int i = 0; i < subject->group->n; i++) {
        const struct topology_member *member = listener(subject, i);

        if (member) {
            has[topology_chunk(member)] = true;
        }
    }
    for (unsigned int i = 0; i < FLOOD_N_CHUNKS; i++) {
        if (has[i]) {
            writer_set(w, FIELD_REG12, i + 1);
            writer_resubmit(w, STAGE_MULTICAST);
        }
    }
}

static void
group_flows(struct writer *w, const struct subject *subject)
{
    bool is_chunked = topology_group_is_chunked(subject->group->n);

    if (subject->chunk < 0) {
        begin_group(w, subject, 0);
        to_routers(w, subject);
        if (is_chunked) {
            to_chunks(w, subject);
        } else {
            to_listeners(w, subject);
        }
        writer_end(w);
    } else if (is_chunked) {
        begin_group(w, subject, (unsigned int) subject->chunk + 1);
        to_listeners(w, subject);
        if (w->actions.len) {
            writer_end(w);
        }
    }
}

void
stage_multicast(struct writer *w, const struct subject *subject)
{
    if (subject->kind == SUBJECT_BASE) {
        base(w);
    } else if (subject->kind == SUBJECT_NETWORK
               && subject->network->intent->multicast == MULTICAST_SNOOP) {
        network_flows(w, subject);
    } else if (subject->kind == SUBJECT_GROUP) {
        group_flows(w, subject);
    }
}

/* ---- Read back ---- */

bool
stage_multicast_read(const struct flow_rule *rule, struct multicast_rule *out)
{
    struct flow_mod mod;
    uint64_t address4;
    u128 address6;

    if (rule->table != STAGE_MULTICAST
        || (rule->priority != PRIORITY_GROUP
            && rule->priority != PRIORITY_OTHER)) {
        return false;
    }
    flow_rule_to_mod(rule, &mod);
    out->network = (uint64_t) field_get(field_by_id(FIELD_METADATA),
                                        &mod.match.value);
    out->is_group = rule->priority == PRIORITY_GROUP;
    address4 = (uint64_t) field_get(field_by_id(FIELD_IPV4_DST),
                                    &mod.match.value);
    address6 = field_get(field_by_id(FIELD_IPV6_DST), &mod.match.value);
    if (address4) {
        out->group = ip6_of_ip4(htobe32((uint32_t) address4));
        return true;
    }
    for (unsigned int i = 16; i-- > 0; address6 >>= 8) {
        out->group.b[i] = (uint8_t) address6;
    }
    return true;
}

void
stage_multicast_visit_ports(const struct flow_rule *rule,
                            void (*visit)(void *aux, uint32_t number),
                            void *aux)
{
    struct flow_mod mod;

    flow_rule_to_mod(rule, &mod);
    ACTION_FOR_EACH (a, &mod.instructions.apply) {
        const struct action_set_field *set = (const void *) a;

        if (a->type == ACTION_OUTPUT) {
            visit(aux, ((const struct action_output *) (const void *)
                        a)->port);
        } else if (a->type == ACTION_SET_FIELD
                   && set->field == FIELD_REG15) {
            visit(aux, (uint32_t) set->value[0]);
        }
    }
}
