#include "controller/stage.h"

static const struct stage {
    uint8_t table;
    const char *name;
    stage_function *function;
} stages[] = {
#define X(ID, TABLE, NAME, FUNCTION) { TABLE, NAME, FUNCTION },
    STAGES(X)
#undef X
};

const char *
stage_name(uint8_t table)
{
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (stages[i].table == table) {
            return stages[i].name;
        }
    }
    return NULL;
}

static void
compute(struct writer *w, const struct subject *subject)
{
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        stages[i].function(w, subject);
    }
}

static void
compute_members(struct writer *w, enum subject_kind kind,
                const struct topology *t, const struct topology_port *port)
{
    struct subject subject = { .kind = kind, .topology = t, .port = port };

    for (unsigned int i = 0; i < port->n_members; i++) {
        subject.member = &port->members[i];
        subject.network = subject.member->network;
        compute(w, &subject);
    }
}

/* A port that the switch does not have gets no flows. */
static void
compute_port(struct writer *w, const struct topology *t,
             const struct topology_port *port)
{
    struct subject subject = { .kind = SUBJECT_PORT, .topology = t,
                               .port = port };

    if (!port || !port->number) {
        return;
    }
    compute(w, &subject);
    compute_members(w, SUBJECT_MEMBER, t, port);
}

/* Nor does an overlay that is nothing to us. */
static const struct topology_network *
find_network(const struct topology *t, uint64_t id)
{
    const struct topology_network *network = topology_network(t, id);

    return network && topology_is_overlay(network)
           && !topology_concerns_us(network) ? NULL : network;
}

/* Nor does a group that nobody hears any more. */
static void
compute_group(struct writer *w, const struct topology *t, uint64_t id,
              int chunk)
{
    const struct multicast *multicast = topology_multicast(t);
    struct subject subject = {
        .kind = SUBJECT_GROUP, .topology = t, .chunk = chunk,
        .group = multicast ? multicast_by_id(multicast, id) : NULL,
    };

    if (subject.group) {
        subject.network = topology_network(t, subject.group->network);
    }
    if (subject.network) {
        compute(w, &subject);
    }
}

/* Nor does a station whose MAC is not known. */
static void
compute_next_hop(struct writer *w, const struct topology *t, uint64_t id)
{
    const struct next_hops *hops = topology_next_hops(t);
    struct subject subject = {
        .kind = SUBJECT_NEXT_HOP, .topology = t, .chunk = -1,
        .next_hop = hops ? next_hops_by_id(hops, id) : NULL,
    };

    if (subject.next_hop && next_hop_is_known(subject.next_hop)
        && (topology_network(t, subject.next_hop->place)
            || topology_uplink(t, subject.next_hop->place))) {
        compute(w, &subject);
    }
}

void
stage_compute(const struct topology *t, struct unit unit, struct writer *w)
{
    struct subject subject = { .topology = t, .chunk = -1 };

    switch ((enum unit_kind) unit.kind) {
    case UNIT_BASE:
        subject.kind = SUBJECT_BASE;
        compute(w, &subject);
        return;
    case UNIT_UPLINK:
        subject.kind = SUBJECT_UPLINK;
        subject.uplink = topology_uplink(t, unit.id);
        if (subject.uplink && subject.uplink->n_ports) {
            compute(w, &subject);
        }
        return;
    case UNIT_NETWORK: case UNIT_FLOOD: case UNIT_FLOOD_CHUNK:
        subject.kind = unit.kind == UNIT_NETWORK ? SUBJECT_NETWORK
                                                 : SUBJECT_FLOOD;
        subject.network = find_network(t, unit.id);
        subject.chunk = unit.kind == UNIT_FLOOD_CHUNK ? unit.chunk : -1;
        if (subject.network) {
            compute(w, &subject);
        }
        return;
    case UNIT_HEARERS:
        subject.kind = SUBJECT_HEARERS;
        subject.network = find_network(t, unit.id);
        if (subject.network) {
            compute(w, &subject);
        }
        return;
    case UNIT_GROUP: case UNIT_GROUP_CHUNK:
        compute_group(w, t, unit.id,
                      unit.kind == UNIT_GROUP ? -1 : unit.chunk);
        return;
    case UNIT_PORT:
        compute_port(w, t, topology_port(t, unit.id));
        if (topology_away(t, unit.id)) {
            compute_members(w, SUBJECT_AWAY, t, topology_away(t, unit.id));
        }
        return;
    case UNIT_SECURITY:
        subject.kind = SUBJECT_SECURITY;
        subject.security = topology_security(t, unit.id);
        if (subject.security) {
            compute(w, &subject);
        }
        return;
    case UNIT_FORWARD:
        subject.kind = SUBJECT_FORWARD;
        subject.forward = topology_forward(t, unit.id);
        if (subject.forward && subject.forward->network->nat) {
            compute(w, &subject);
        }
        return;
    case UNIT_NEXT_HOP:
        compute_next_hop(w, t, unit.id);
        return;
    }
}

/* ---- What several stages write ---- */

void
stage_begin_network(struct writer *w, enum stage_table table,
                    uint16_t priority,
                    const struct topology_network *network)
{
    writer_begin(w, (uint8_t) table, priority, network->id);
    writer_match(w, FIELD_METADATA, network->id);
}

void
stage_begin_from(struct writer *w, enum stage_table table, uint16_t priority,
                 const struct topology_member *member)
{
    writer_begin(w, (uint8_t) table, priority, member->port->id);
    writer_match(w, FIELD_IN_PORT, member->port->number);
    writer_match(w, FIELD_METADATA, member->network->id);
}

void
stage_begin_base(struct writer *w, enum stage_table table, uint16_t priority)
{
    writer_begin(w, (uint8_t) table, priority, STAGE_COOKIE | table);
}

void
stage_to_service(struct writer *w, enum service_id service, uint64_t object)
{
    struct userdata u = { service, object };
    uint8_t bytes[USERDATA_LEN];

    userdata_encode(&u, bytes);
    writer_controller(w, bytes, sizeof bytes);
}

void
stage_else(struct writer *w, enum stage_table table, enum stage_table next)
{
    stage_begin_base(w, table, 0);
    writer_goto(w, (uint8_t) next);
    writer_end(w);
}

void
stage_send_to(struct writer *w, uint32_t number)
{
    writer_set(w, FIELD_REG15, number);
    writer_goto(w, STAGE_OUTPUT);
}

void
stage_send_to_member(struct writer *w, const struct topology_member *member)
{
    writer_set(w, FIELD_REG15, member->port->number);
    writer_goto(w, member->port->security ? STAGE_ACL_IN : STAGE_OUTPUT);
}

void
stage_send_back(struct writer *w)
{
    /* It is ours now, not an isolated port's. */
    writer_set(w, FIELD_REG0, 0);
    writer_move(w, FIELD_REG14, FIELD_REG15);
    /* A switch sends nothing out by the port that it came in by. */
    writer_set(w, FIELD_IN_PORT, 0);
    writer_goto(w, STAGE_OUTPUT);
}

void
stage_flood_to(struct writer *w, enum flood_kind kind)
{
    writer_set(w, FIELD_REG13, kind);
    writer_goto(w, STAGE_FLOOD);
}

static void
by_output(struct writer *w, uint32_t number)
{
    writer_set(w, FIELD_REG15, number);
    writer_resubmit(w, STAGE_OUTPUT);
}

/* The same, through what its security groups say. */
static void
to_member(struct writer *w, const struct topology_port *port)
{
    writer_set(w, FIELD_REG15, port->number);
    writer_resubmit(w, port->security ? STAGE_ACL_IN : STAGE_OUTPUT);
}

/* A meter that drops ends the list that it is in.  In a clone it ends only that;
 * but Open vSwitch makes none where it believes that it can take back what
 * happens inside, and a meter behind a resubmit it does not see.  What it cannot
 * take back is an output of part of a packet: here to the port that it came in
 * by, which is none for that moment. */
static void
by_output_with_meter(struct writer *w, const struct topology_port *port)
{
    enum { ANY_LEN = 64 };
    uint32_t mark = writer_begin_clone(w);

    writer_set(w, FIELD_IN_PORT, 0);
    writer_output_trunc(w, OFPP_IN_PORT, ANY_LEN);
    writer_move(w, FIELD_REG14, FIELD_IN_PORT);
    to_member(w, port);
    writer_end_clone(w, mark);
}

void
stage_copy_to(struct writer *w, const struct topology_member *member,
              bool is_allowed)
{
    const struct topology_port *port = member->port;

    if (!port->number) {
        return;
    }
    if (port->intent->rate_in) {
        by_output_with_meter(w, port);
    } else if (member->vid || port->mirror || port->security
        || (!is_allowed && port->intent->is_isolated)) {
        to_member(w, port);
    } else {
        writer_output(w, port->number);
    }
}

void
stage_copy_to_own_uplink(struct writer *w,
                         const struct topology_network *network)
{
    if (network->uplink && network->uplink->number) {
        by_output(w, network->uplink->number);
    }
    if (topology_host_number(network)) {
        by_output(w, topology_host_number(network));
    }
}

void
stage_copy_to_uplink(struct writer *w, const struct topology_network *network)
{
    stage_copy_to_own_uplink(w, network);
    if (topology_is_overlay(network)) {
        writer_resubmit(w, STAGE_TUNNEL_OUT);
    }
}

void
stage_match_group_address(struct writer *w)
{
    u128 bit = (u128) 1 << 40;

    writer_match_masked(w, FIELD_ETH_DST, bit, bit);
}

void
stage_match_flag(struct writer *w, enum stage_flags flag, bool is_set)
{
    writer_match_masked(w, FIELD_REG0, is_set ? flag : 0, flag);
}
