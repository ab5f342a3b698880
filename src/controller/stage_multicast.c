/* Multicast: what is for more than one station (RFC 4541).
 *
 *     messages of IGMP and MLD   to router ports, so that no host hears of
 *                                another that it hears the same group
 *     groups that never leave a link, and what is not IP
 *                                to everybody
 *     a group that somebody asked for
 *                                to those, and to who hears all
 *     other groups               to who hears all
 *
 * The LAN counts as a router port: who listens out there is not asked by us.
 * Another host that says who listens there is a listener to those groups, and hears
 * all while it says nothing.  What came by a tunnel is not sent by one: where that
 * makes a difference there are two entries.
 * Router ports, and who hears all, are lists of their own, so that a change of
 * them is not one of each group.  Groups are told apart by their addresses, not
 * by MACs, which they share. */
#include "controller/stage_multicast.h"

#include "controller/stage_tunnel.h"
#include "packet/address.h"
#include "packet/ip.h"

enum { PRIORITY_LIST = 200, PRIORITY_TAGGED = 100, PRIORITY_ALL_HOSTS = 60, PRIORITY_MESSAGE = 50,
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

/* ---- Lists ---- */

static void
to_list(struct writer *w, enum multicast_list list)
{
    writer_set(w, FIELD_REG12, list);
    writer_resubmit(w, STAGE_MULTICAST);
}

/* Calls `visit` with each member of a list, or of a group. */
typedef void member_visit(void *aux, const struct topology_member *);

struct many {
    const struct subject *subject;
    enum multicast_list list;     /* 0: the subject's group */
};

static void
visit_list(const struct many *many, member_visit *visit, void *aux)
{
    const struct subject *subject = many->subject;
    const struct multicast *multicast = topology_multicast(subject->topology);
    struct multicast_hearer hearer;
    unsigned int i = 0;

    while (multicast && multicast_next_hearer(multicast, subject->network->id,
                                              &i, &hearer)) {
        const struct topology_member *member = topology_member_of(
            subject->topology, subject->network->id, hearer.port);

        if (member && (many->list == LIST_HEARERS || hearer.router_until)) {
            visit(aux, member);
        }
    }
}

/* Those who hear all groups have their copy. */
static void
visit_group(const struct subject *subject, member_visit *visit, void *aux)
{
    const struct multicast *multicast = topology_multicast(subject->topology);
    uint64_t network = subject->network->id;

    for (unsigned int i = 0; i < subject->group->n; i++) {
        uint64_t port = subject->group->members[i].port;
        const struct topology_member *member = topology_member_of(
            subject->topology, network, port);

        if (member && !multicast_hears_all(multicast, network, port)) {
            visit(aux, member);
        }
    }
}

static void
visit_many(const struct many *many, member_visit *visit, void *aux)
{
    if (many->list) {
        visit_list(many, visit, aux);
    } else {
        visit_group(many->subject, visit, aux);
    }
}

struct copying {
    struct writer *w;
    int chunk;                    /* -1: all */
};

static void
copy_one(void *aux, const struct topology_member *member)
{
    const struct copying *c = aux;

    if (c->chunk < 0 || (int) topology_chunk(member) == c->chunk) {
        stage_copy_to(c->w, member, false);
    }
}

static void
mark_chunk(void *aux, const struct topology_member *member)
{
    bool *has = aux;

    has[topology_chunk(member)] = true;
}

static void
count_one(void *aux, const struct topology_member *member UNUSED)
{
    (*(unsigned int *) aux)++;
}

static void
to_members(struct writer *w, const struct many *many, int chunk)
{
    struct copying copying = { w, chunk };

    visit_many(many, copy_one, &copying);
}

static void
to_chunks(struct writer *w, const struct many *many)
{
    bool has[FLOOD_N_CHUNKS] = { false };

    visit_many(many, mark_chunk, has);
    for (unsigned int i = 0; i < FLOOD_N_CHUNKS; i++) {
        if (has[i]) {
            to_list(w, many->list + i + 1);
        }
    }
}

/* ---- Other hosts ---- */

/* Where a frame came from, as far as an entry matches it. */
enum origin { FROM_ANYWHERE, FROM_HERE, FROM_HOSTS };

static void
match_origin(struct writer *w, enum origin origin)
{
    if (origin != FROM_ANYWHERE) {
        stage_match_flag(w, FROM_TUNNEL, origin == FROM_HOSTS);
    }
}

/* A copy to each other host that hears all. */
static void
to_hosts(struct writer *w, const struct subject *subject)
{
    const struct topology_network *network = subject->network;
    uint32_t number = tunnel_of(subject->topology, network);

    for (unsigned int i = 0; number && i < network->n_hosts; i++) {
        if (network->hosts[i].hears_all) {
            tunnel_copy_to(w, number, network,
                           &network->hosts[i].host->intent->tunnel);
        }
    }
}

/* The host's row, if the group's member of that number is one, which has not its
 * copy with those that hear all. */
static const struct network_host *
listener(const struct subject *subject, uint64_t port)
{
    const struct network_host *host
        = topology_is_listened(subject->network)
          ? topology_network_host(subject->network, port) : NULL;

    return host && !host->hears_all ? host : NULL;
}

/* A copy to each that listens to the group. */
static void
to_listening_hosts(struct writer *w, const struct subject *subject)
{
    uint32_t number = tunnel_of(subject->topology, subject->network);

    for (unsigned int i = 0; number && i < subject->group->n; i++) {
        const struct network_host *host
            = listener(subject, subject->group->members[i].port);

        if (host) {
            tunnel_copy_to(w, number, subject->network,
                           &host->host->intent->tunnel);
        }
    }
}

static bool
has_listening_hosts(const struct subject *subject)
{
    for (unsigned int i = 0; i < subject->group->n; i++) {
        if (listener(subject, subject->group->members[i].port)) {
            return true;
        }
    }
    return false;
}

/* ---- A network ---- */

static void
begin_list(struct writer *w, const struct subject *subject, unsigned int id,
           enum origin origin)
{
    stage_begin_network(w, STAGE_MULTICAST, PRIORITY_LIST, subject->network);
    writer_match(w, FIELD_REG12, id);
    match_origin(w, origin);
}

static void
list_head(struct writer *w, const struct subject *subject,
          enum multicast_list list, enum origin origin, bool is_chunked)
{
    const struct topology_network *network = subject->network;
    struct many many = { subject, list };

    begin_list(w, subject, list, origin);
    if (origin == FROM_ANYWHERE) {
        if (topology_is_overlay(network)) {
            writer_set(w, FIELD_REG13, FLOOD_ALL);
        }
        stage_copy_to_uplink(w, network);
    } else {
        stage_copy_to_own_uplink(w, network);
    }
    if (origin == FROM_HERE) {
        to_hosts(w, subject);
    }
    if (is_chunked) {
        to_chunks(w, &many);
    } else {
        to_members(w, &many, -1);
    }
    writer_end(w);
}

static void
list_flows(struct writer *w, const struct subject *subject,
           enum multicast_list list)
{
    struct many many = { subject, list };
    bool is_chunked;
    unsigned int n = 0;

    visit_many(&many, count_one, &n);
    is_chunked = topology_group_is_chunked(n);
    if (topology_is_listened(subject->network)) {
        list_head(w, subject, list, FROM_HERE, is_chunked);
        list_head(w, subject, list, FROM_HOSTS, is_chunked);
    } else {
        list_head(w, subject, list, FROM_ANYWHERE, is_chunked);
    }
    for (int chunk = 0; is_chunked && chunk < FLOOD_N_CHUNKS; chunk++) {
        begin_list(w, subject, (unsigned int) list + 1
                               + (unsigned int) chunk, FROM_ANYWHERE);
        to_members(w, &many, chunk);
        if (w->actions.len) {
            writer_end(w);
        }
    }
}

static void
hearers_flows(struct writer *w, const struct subject *subject)
{
    list_flows(w, subject, LIST_HEARERS);
    list_flows(w, subject, LIST_ROUTERS);
}

static void
network_flows(struct writer *w, const struct topology_network *network)
{
    static const uint8_t messages[] = { MLD_QUERY, MLD_REPORT, MLD_DONE,
                                        MLD2_REPORT };
    struct subnet4 all_groups = { true, 4, htobe32(0xe0000000) };

    stage_begin_network(w, STAGE_MULTICAST, PRIORITY_MESSAGE, network);
    writer_match_ip(w);
    writer_match(w, FIELD_IP_PROTO, IP_PROTO_IGMP);
    to_list(w, LIST_ROUTERS);
    writer_end(w);
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        stage_begin_network(w, STAGE_MULTICAST, PRIORITY_MESSAGE, network);
        writer_match_icmp6(w, messages[i]);
        to_list(w, LIST_ROUTERS);
        writer_end(w);
    }

    stage_begin_network(w, STAGE_MULTICAST, PRIORITY_OTHER, network);
    writer_match_ip(w);
    writer_match_subnet4(w, FIELD_IPV4_DST, &all_groups);
    to_list(w, LIST_HEARERS);
    writer_end(w);
    stage_begin_network(w, STAGE_MULTICAST, PRIORITY_OTHER, network);
    writer_match_ipv6(w);
    writer_match_masked(w, FIELD_IPV6_DST, (u128) 0xff << 120,
                        (u128) 0xff << 120);
    to_list(w, LIST_HEARERS);
    writer_end(w);
}

/* ---- A group ---- */

static void
begin_group(struct writer *w, const struct subject *subject,
            unsigned int chunk, enum origin origin)
{
    const struct ip6_addr *address = &subject->group->address;

    stage_begin_network(w, STAGE_MULTICAST, PRIORITY_GROUP, subject->network);
    writer_match(w, FIELD_REG12, chunk);
    match_origin(w, origin);
    if (ip6_is_mapped4(address)) {
        writer_match_ip(w);
        writer_match_ip4(w, FIELD_IPV4_DST, get_be32(&address->b[12]));
    } else {
        writer_match_ipv6(w);
        writer_match_ip6(w, FIELD_IPV6_DST, address);
    }
}

static void
group_head(struct writer *w, const struct subject *subject,
           enum origin origin)
{
    struct many many = { subject, 0 };

    begin_group(w, subject, 0, origin);
    to_list(w, LIST_HEARERS);
    if (origin == FROM_HERE) {
        to_listening_hosts(w, subject);
    }
    if (topology_group_is_chunked(subject->group->n)) {
        to_chunks(w, &many);
    } else {
        to_members(w, &many, -1);
    }
    writer_end(w);
}

static void
group_flows(struct writer *w, const struct subject *subject)
{
    struct many many = { subject, 0 };

    if (subject->chunk < 0 && has_listening_hosts(subject)) {
        group_head(w, subject, FROM_HERE);
        group_head(w, subject, FROM_HOSTS);
    } else if (subject->chunk < 0) {
        group_head(w, subject, FROM_ANYWHERE);
    } else if (topology_group_is_chunked(subject->group->n)) {
        begin_group(w, subject, (unsigned int) subject->chunk + 1,
                    FROM_ANYWHERE);
        to_members(w, &many, subject->chunk);
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
        network_flows(w, subject->network);
    } else if (subject->kind == SUBJECT_HEARERS
               && subject->network->intent->multicast == MULTICAST_SNOOP) {
        hearers_flows(w, subject);
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
            && rule->priority != PRIORITY_LIST)) {
        return false;
    }
    flow_rule_to_mod(rule, &mod);
    out->kind = rule->priority == PRIORITY_GROUP ? RULE_GROUP
                : field_get(field_by_id(FIELD_REG12), &mod.match.value)
                  >= LIST_ROUTERS ? RULE_ROUTERS : RULE_HEARERS;
    out->network = (uint64_t) field_get(field_by_id(FIELD_METADATA),
                                        &mod.match.value);
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
