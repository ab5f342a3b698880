#include "conntrack/nat.h"

#include "conntrack/rewrite.h"

/* Does the packet's own port tell apart who of several shares an address?  ICMP's
 * identifier does. */
static bool
has_ports(uint8_t proto)
{
    return proto == IP_PROTO_TCP || proto == IP_PROTO_UDP
           || proto == IP_PROTO_SCTP || ct_proto_is_icmp(proto);
}

static struct nat_inside
source_of(const struct ct_tuple *t)
{
    return (struct nat_inside) {
        .zone = t->zone, .family = t->family, .proto = t->proto,
        .addr = t->src, .port = t->src_port,
    };
}

static struct nat_inside
destination_of(const struct ct_tuple *t)
{
    return (struct nat_inside) {
        .zone = t->zone, .family = t->family, .proto = t->proto,
        .addr = t->dst,
        .port = ct_proto_is_icmp(t->proto) ? t->src_port : t->dst_port,
    };
}

void
ct_nat_prefetch(const struct conntrack *ct, const struct ct_tuple *t)
{
    struct nat_inside in = source_of(t);

    nat_map_prefetch(ct->nat, &in);
}

void
ct_nat_prefetch_mapping(const struct conntrack *ct, const struct ct_tuple *t)
{
    struct nat_inside in = source_of(t);

    nat_map_prefetch_mapping(ct->nat, &in);
}

/* ---- Source ---- */

/* Ports below 1024 are for who had one of these (RFC 4787 section 4.2.2). */
static struct nat_range
range_of(const struct ct_nat *nat, const struct ct_tuple *t)
{
    struct nat_range range = {
        .min = nat->min, .max = nat->max, .port_max = UINT16_MAX,
        .is_port_kept = !nat->is_random,
    };

    if (!has_ports(t->proto)) {
        range.port_max = 0;
        range.is_port_kept = true;
    } else if (ct_proto_is_icmp(t->proto)) {
        range.port_min = 0;
    } else if (nat->has_ports) {
        range.port_min = nat->port_min;
        range.port_max = nat->port_max;
    } else if (t->src_port && be16toh(t->src_port) < 1024) {
        range.port_min = 1;
        range.port_max = 1023;
    } else {
        range.port_min = 1024;
    }
    return range;
}

static bool
plan_source(struct conntrack *ct, unsigned int slot, const struct ct_nat *nat,
            struct ct_tuple *t, struct ct_plan *plan)
{
    struct nat_inside in = source_of(t);
    struct nat_range range = range_of(nat, t);
    uint32_t hint = nat->is_random ? ct_table_random(ct->table, slot)
                                   : slot * 16;
    uint32_t id;

    id = nat_map_get(ct->nat, &in, &range, hint, &t->src, &t->src_port);
    if (!id && range.port_max == 1023 && !nat->has_ports) {
        range.port_min = 1024;
        range.port_max = UINT16_MAX;
        id = nat_map_get(ct->nat, &in, &range, hint, &t->src, &t->src_port);
    }
    if (!id) {
        return false;
    }
    if (plan->mapping) {
        nat_map_put(ct->nat, plan->mapping);
    }
    plan->mapping = id;
    plan->nat |= FLOW_CT_SNAT;
    return true;
}

/* ---- Destination ---- */

static uint64_t
low_part(uint8_t family, const struct ip6_addr *addr)
{
    return family == 4 ? be32toh(get_be32(addr->b))
                       : be64toh(get_be64(addr->b + 8));
}

/* A client meets the same one each time; if that connection is there already, the
 * next one. */
static void
plan_destination(struct conntrack *ct, const struct ct_nat *nat,
                 unsigned int attempt, struct ct_tuple *t,
                 struct ct_plan *plan)
{
    uint64_t n = low_part(t->family, &nat->max)
                 - low_part(t->family, &nat->min) + 1;
    struct ct_tuple client = { .family = t->family, .src = t->src };
    uint64_t hash = ct_table_hash(ct->table, &client) + attempt;
    uint64_t low = low_part(t->family, &nat->min) + (n ? hash % n : hash);

    if (nat->family) {
        t->dst = nat->min;
        if (t->family == 4) {
            put_be32(t->dst.b, htobe32((uint32_t) low));
        } else {
            be64 word = htobe64(low);

            memcpy(t->dst.b + 8, &word, sizeof word);
        }
    }
    if (nat->has_ports && has_ports(t->proto)
        && !ct_proto_is_icmp(t->proto)) {
        uint32_t n_ports = nat->port_max - nat->port_min + 1u;

        t->dst_port = htobe16((uint16_t) (nat->port_min
                                          + hash / 7 % n_ports));
    }
    plan->nat |= FLOW_CT_DNAT;
}

/* ---- A new connection ---- */

/* Was the packet sent on to another destination by ct_nat_stray(), in this
 * zone? */
static bool
was_stray(const struct packet *pkt, uint16_t zone)
{
    return pkt->ct_state & FLOW_CT_DNAT && !pkt->ct.generation
           && pkt->ct.zone == zone && pkt->ct.proto;
}

static struct ip6_addr
unmapped(uint8_t family, const struct ip6_addr *addr)
{
    struct ip6_addr out = *addr;

    if (family == 4) {
        memset(&out, 0, sizeof out);
        memcpy(out.b, addr->b + 12, 4);
    }
    return out;
}

/* The tuple that it had before, and the mapping that it met, which must still be
 * there. */
static bool
plan_stray(struct conntrack *ct, const struct packet *pkt,
           struct ct_plan *plan)
{
    struct ct_tuple *t = &plan->original;
    struct ip6_addr addr;
    struct nat_inside out;
    be16 port;

    t->dst = unmapped(t->family, &pkt->ct.dst);
    if (ct_proto_is_icmp(t->proto)) {
        t->src_port = pkt->ct.met_port;
    } else {
        t->dst_port = pkt->ct.met_port;
    }
    out = destination_of(t);
    plan->mapping = nat_map_find(ct->nat, &out, &addr, &port);
    plan->nat |= FLOW_CT_DNAT;
    return plan->mapping;
}

/* Packets from an outside zone find the connection by its external port. */
static bool
hold_port(struct conntrack *ct, const struct ct_tuple *now,
          struct ct_plan *plan)
{
    struct nat_inside in = destination_of(now);
    struct nat_inside out = destination_of(&plan->original);

    plan->mapping = nat_map_hold(ct->nat, &in, &out.addr, out.port);
    return plan->mapping;
}

/* Who a packet for an external address is really for. */
static void
plan_existing(struct conntrack *ct, struct ct_tuple *t, struct ct_plan *plan)
{
    struct nat_inside out = destination_of(t);
    be16 port;

    plan->mapping = nat_map_find(ct->nat, &out, &t->dst, &port);
    if (!plan->mapping) {
        return;
    }
    plan->nat |= FLOW_CT_DNAT;
    if (ct_proto_is_icmp(t->proto)) {
        t->src_port = port;
    } else {
        t->dst_port = port;
    }
}

bool
ct_nat_plan(struct conntrack *ct, unsigned int slot, const struct packet *pkt,
            const struct ct_packet *p, const struct ct_request *req,
            unsigned int attempt, struct ct_plan *plan)
{
    struct ct_tuple now = p->tuple;
    const struct ct_nat *nat = &req->nat;
    /* Addresses of another family are not for this packet. */
    bool fits = !nat->family || nat->family == now.family;

    *plan = (struct ct_plan) { .original = p->tuple };
    if (nat->kind != CT_NAT_NONE && was_stray(pkt, p->tuple.zone)) {
        if (!plan_stray(ct, pkt, plan)) {
            return false;
        }
    } else if (nat->kind == CT_NAT_EXISTING) {
        plan_existing(ct, &now, plan);
    }
    if (nat->kind == CT_NAT_SRC && nat->family && fits
        && !plan_source(ct, slot, nat, &now, plan)) {
        if (plan->mapping) {
            nat_map_put(ct->nat, plan->mapping);
        }
        return false;
    }
    if (nat->kind == CT_NAT_DST && fits && (nat->family || nat->has_ports)) {
        plan_destination(ct, nat, attempt, &now, plan);
        if (now.zone < ct->config.outside_zone_min && !plan->mapping
            && !hold_port(ct, &now, plan)) {
            return false;
        }
    }
    plan->reply = ct_tuple_reverse(&now);
    return true;
}

/* ---- Packets ---- */

/* The other way, it is the other end that changes. */
static uint8_t
bits_of(const struct ct_conn *conn, unsigned int dir)
{
    if (!dir) {
        return conn->nat;
    }
    return (conn->nat & FLOW_CT_SNAT ? FLOW_CT_DNAT : 0)
           | (conn->nat & FLOW_CT_DNAT ? FLOW_CT_SNAT : 0);
}

bool
ct_nat_packet(struct packet *pkt, struct ct_packet *p,
              const struct ct_conn *conn, unsigned int dir)
{
    struct ct_tuple have = ct_conn_tuple(conn, dir);
    struct ct_tuple other = ct_conn_tuple(conn, !dir);
    struct ct_tuple want = ct_tuple_reverse(&other);
    bool done;

    if (pkt->ct.is_related) {
        struct ct_packet parsed;

        if (!p) {
            p = &parsed;
            if (!ct_packet_parse(pkt, conn->zone, p)) {
                return false;
            }
        }
        done = ct_rewrite_error(pkt, p, &have, &want);
    } else {
        done = ct_rewrite(pkt, &have, &want);
    }
    pkt->ct_state |= bits_of(conn, dir);
    return done;
}

bool
ct_nat_zone(struct conntrack *ct, const struct ct_tuple *t, uint16_t *zone)
{
    struct nat_inside out = destination_of(t);

    return nat_map_zone(ct->nat, &out, zone);
}

void
ct_nat_stray(struct conntrack *ct, struct packet *pkt,
             const struct ct_packet *p)
{
    struct nat_inside out = destination_of(&p->tuple);
    struct ct_tuple want = p->tuple;
    be16 port;
    uint32_t id = nat_map_find(ct->nat, &out, &want.dst, &port);

    if (!id) {
        return;
    }
    nat_map_put(ct->nat, id);
    pkt->ct.met_port = out.port;
    if (ct_proto_is_icmp(want.proto)) {
        want.src_port = port;
    } else {
        want.dst_port = port;
    }
    if (ct_rewrite(pkt, &p->tuple, &want)) {
        pkt->ct_state |= FLOW_CT_DNAT;
    }
}
