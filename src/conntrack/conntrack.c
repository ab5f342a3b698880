#include "conntrack/conntrack.h"

#include <stdlib.h>

#include "conntrack/nat.h"
#include "conntrack/rewrite.h"
#include "lib/str.h"
#include "packet/batch.h"

enum { DEFAULT_MAX = 1000 * 1000, NEW_TRIES = 5 };

struct conntrack *
conntrack_create(const struct ct_config *config)
{
    static const unsigned int seconds[] = {
#define X(ID, NAME, SECONDS, TEXT) SECONDS,
        CT_TIMEOUTS(X)
#undef X
    };
    struct conntrack *ct = xzalloc_aligned(sizeof *ct);
    struct hash_key key = { config->hash_seed };

    ct->config = *config;
    ct->config.n_slots = MAX(config->n_slots, 1u);
    if (!ct->config.max_connections) {
        ct->config.max_connections = DEFAULT_MAX;
    }
    ct->table = ct_table_create(ct->config.max_connections,
                                ct->config.n_slots,
                                config->hash_seed ? key : hash_key_random());
    ct->nat = nat_map_create(ct->config.max_connections,
                             config->outside_zone_min,
                             config->hash_seed ? key : hash_key_random());
    ct->fragments = fragments_create(hash_key_random());
    ct_zones_init(&ct->zones, config->zone_limit);
    ct->slots = xzalloc_aligned(ct->config.n_slots * sizeof *ct->slots);
    for (unsigned int i = 0; i < N_CT_TIMEOUTS; i++) {
        atomic_init(&ct->timeouts[i],
                    config->timeouts[i] ? config->timeouts[i]
                                        : (msec) seconds[i] * 1000);
    }
    return ct;
}

void
conntrack_destroy(struct conntrack *ct)
{
    if (ct) {
        ct_table_destroy(ct->table);
        nat_map_destroy(ct->nat);
        fragments_destroy(ct->fragments);
        ct_zones_fini(&ct->zones);
        free(ct->slots);
        free(ct);
    }
}

/* ---- Life ---- */

void
ct_end(struct conntrack *ct, unsigned int slot, struct ct_conn *conn)
{
    uint16_t zone = conn->zone;
    uint32_t mapping = conn->mapping;

    ct_table_remove(ct->table, slot, conn);
    ct_zones_subtract(&ct->zones, zone);
    if (mapping) {
        nat_map_put(ct->nat, mapping);
    }
}

/* What lies at this tuple: locked, and not over. */
static struct ct_conn *
find(struct conntrack *ct, unsigned int slot, const struct ct_tuple *tuple,
     uint64_t hash, msec now, unsigned int *dir)
{
    struct ct_conn *conn = ct_table_find(ct->table, tuple, hash, dir);

    if (conn && ct_conn_is_over(conn, now)) {
        ct_end(ct, slot, conn);
        CT_COUNT(ct, slot, expired, 1);
        return NULL;
    }
    return conn;
}

static void
keep_for(struct conntrack *ct, struct ct_conn *conn, msec now)
{
    msec timeout = atomic_load_explicit(&ct->timeouts[ct_state_timeout(conn)],
                                        memory_order_relaxed);

    atomic_store_explicit(&conn->expires, now + timeout,
                          memory_order_relaxed);
}

/* ---- One packet ---- */

/* A packet on its way through.  The zone of its tuple is the one that was asked for,
 * or that of its destination's mapping. */
struct job {
    struct packet *pkt;
    struct ct_packet parsed;
    uint64_t hash;
    bool is_parsed;
};

struct call {
    struct packet **released;     /* who waited, and goes on now */
    struct conntrack *ct;
    unsigned int slot;
    const struct ct_request *req;
    msec now;
};

static struct ip6_addr
mapped(const struct ct_tuple *t, const struct ip6_addr *addr)
{
    struct ip6_addr out = *addr;

    if (t->family == 4) {
        memset(out.b, 0, 10);
        memset(out.b + 10, 0xff, 2);
        memcpy(out.b + 12, addr->b, 4);
    }
    return out;
}

static void
write_tuple(struct packet_ct *md, const struct ct_tuple *t)
{
    md->proto = t->proto;
    md->src = mapped(t, &t->src);
    md->dst = mapped(t, &t->dst);
    if (ct_proto_is_icmp(t->proto)) {
        uint16_t type_code = be16toh(t->dst_port);

        md->tp_src = htobe16(type_code >> 8);
        md->tp_dst = htobe16(type_code & 0xff);
    } else {
        md->tp_src = t->src_port;
        md->tp_dst = t->dst_port;
    }
}

/* What the packet has to say of itself afterwards; `conn` is locked, or NULL. */
static void
write_metadata(struct packet *pkt, uint8_t state, uint16_t zone,
               const struct ct_conn *conn, unsigned int dir, bool is_related,
               const struct ct_tuple *tuple)
{
    struct packet_ct *md = &pkt->ct;

    memset(md, 0, sizeof *md);
    pkt->ct_state = state | FLOW_CT_TRK;
    md->zone = zone;
    if (conn) {
        struct ct_tuple original = ct_conn_tuple(conn, 0);

        md->conn = conn->id;
        md->generation = atomic_load_explicit(&conn->generation,
                                              memory_order_relaxed);
        md->is_reply = dir;
        md->is_related = is_related;
        md->mark = conn->mark;
        md->label = conn->label;
        write_tuple(md, &original);
    } else if (tuple) {
        write_tuple(md, tuple);
    }
}

/* Sets what the action asks for, in the connection and so in its packet. */
static void
write_mark(struct ct_conn *conn, struct packet *pkt,
           const struct ct_request *req)
{
    if (req->mark_mask) {
        conn->mark = (conn->mark & ~req->mark_mask)
                     | (req->mark & req->mark_mask);
        pkt->ct.mark = conn->mark;
    }
    for (unsigned int i = 0; i < sizeof req->label.b; i++) {
        uint8_t mask = req->label_mask.b[i];

        conn->label.b[i] = (uint8_t) ((conn->label.b[i] & ~mask)
                                      | (req->label.b[i] & mask));
    }
    pkt->ct.label = conn->label;
}

/* Gives back what a plan holds. */
static void
drop_plan(struct conntrack *ct, const struct ct_plan *plan)
{
    if (plan->mapping) {
        nat_map_put(ct->nat, plan->mapping);
    }
    ct_zones_subtract(&ct->zones, plan->original.zone);
}

/* Puts a planned connection in place.  Locked; NULL: one of its tuples is taken. */
static struct ct_conn *
put_in_place(const struct call *call, const struct job *job,
             const struct ct_plan *plan, enum ct_verdict *verdict)
{
    struct conntrack *ct = call->ct;
    uint64_t hash = plan->nat ? ct_table_hash(ct->table, &plan->original)
                              : job->hash;
    uint64_t reply_hash = ct_table_hash(ct->table, &plan->reply);
    struct ct_conn *conn, *other;
    unsigned int dir;

    ct_table_prefetch(ct->table, reply_hash);
    conn = ct_table_alloc(ct->table, call->slot, &plan->original,
                          &plan->reply);
    if (!conn) {
        CT_COUNT(ct, call->slot, full, 1);
        *verdict = CT_FULL;
        return NULL;
    }
    conn->nat = plan->nat;
    conn->mapping = plan->mapping;
    ct_state_begin(conn, &job->parsed);
    keep_for(ct, conn, call->now);
    if (!ct_table_insert(ct->table, call->slot, conn, hash, reply_hash)) {
        /* Perhaps one is in the way whose time is over. */
        other = find(ct, call->slot, &plan->reply, reply_hash, call->now,
                     &dir);
        if (other) {
            ct_conn_unlock(other);
        }
        return NULL;
    }
    CT_COUNT(ct, call->slot, created, 1);
    return conn;
}

/* A connection of the packet's own.  Locked; NULL with `*verdict`: there is no
 * room, without: try again. */
static struct ct_conn *
commit(const struct call *call, const struct job *job, unsigned int attempt,
       enum ct_verdict *verdict)
{
    struct conntrack *ct = call->ct;
    struct ct_plan plan;
    struct ct_conn *conn;

    if (!ct_zones_add(&ct->zones, job->parsed.tuple.zone)) {
        CT_COUNT(ct, call->slot, zone_full, 1);
        *verdict = CT_ZONE_FULL;
        return NULL;
    }
    if (!ct_nat_plan(ct, call->slot, job->pkt, &job->parsed, call->req,
                     attempt, &plan)) {
        ct_zones_subtract(&ct->zones, job->parsed.tuple.zone);
        CT_COUNT(ct, call->slot, no_port, 1);
        *verdict = CT_NAT_NO_PORT;
        return NULL;
    }
    conn = put_in_place(call, job, &plan, verdict);
    if (!conn) {
        drop_plan(ct, &plan);
    }
    return conn;
}

static void
count_bytes(struct ct_conn *conn, unsigned int dir, const struct packet *pkt)
{
    conn->bytes[dir] += packet_wire_bytes(pkt);
}

/* The packet of a connection that was found, which is unlocked afterwards.
 * False: it begins another. */
static bool
meet(const struct call *call, struct job *job, struct ct_conn *conn,
     unsigned int dir, enum ct_verdict *verdict)
{
    struct conntrack *ct = call->ct;
    uint8_t state = 0;

    if (job->parsed.is_related) {
        state = FLOW_CT_REL | (dir ? FLOW_CT_RPL : 0);
    } else {
        switch (ct_state_update(conn, dir, &job->parsed)) {
        case CT_UPDATE_VALID:
            state = FLOW_CT_EST | (dir ? FLOW_CT_RPL : 0);
            keep_for(ct, conn, call->now);
            break;
        case CT_UPDATE_STILL_NEW:
            /* The other end's own SYN is an answer (RFC 5382 REQ-2). */
            state = dir ? FLOW_CT_EST | FLOW_CT_RPL : FLOW_CT_NEW;
            keep_for(ct, conn, call->now);
            break;
        case CT_UPDATE_INVALID:
            state = FLOW_CT_INV;
            CT_COUNT(ct, call->slot, invalid, 1);
            break;
        case CT_UPDATE_BEGINS:
            ct_end(ct, call->slot, conn);
            CT_COUNT(ct, call->slot, ended, 1);
            return false;
        }
        count_bytes(conn, dir, job->pkt);
    }
    write_metadata(job->pkt, state, conn->zone, conn, dir,
                   job->parsed.is_related, NULL);
    write_mark(conn, job->pkt, call->req);
    if (conn->nat && call->req->nat.kind
        && !ct_nat_packet(job->pkt, &job->parsed, conn, dir)) {
        *verdict = CT_NAT_FAILED;
    }
    ct_conn_unlock(conn);
    return true;
}

static void
invalid(const struct call *call, const struct job *job)
{
    write_metadata(job->pkt, FLOW_CT_INV,
                   job->is_parsed ? job->parsed.tuple.zone : call->req->zone,
                   NULL, 0, false,
                   job->is_parsed ? &job->parsed.tuple : NULL);
    CT_COUNT(call->ct, call->slot, invalid, 1);
}

/* The packet that a connection begins with.  Its destination may be translated
 * already. */
static bool
translate_first(const struct job *job, const struct ct_conn *conn)
{
    struct ct_tuple reply = ct_conn_tuple(conn, 1);
    struct ct_tuple want = ct_tuple_reverse(&reply);

    job->pkt->ct_state |= conn->nat;
    return ct_rewrite(job->pkt, &job->parsed.tuple, &want);
}

/* The packet of a connection that there is not.  False: there is one now, made by
 * somebody else. */
static bool
begin(const struct call *call, struct job *job, unsigned int attempt,
      enum ct_verdict *verdict)
{
    struct ct_conn *conn = NULL;

    if (job->parsed.is_related
        || !ct_state_may_begin(&job->parsed, call->ct->config.no_pickup)) {
        invalid(call, job);
        return true;
    }
    if (call->req->commit) {
        conn = commit(call, job, attempt, verdict);
        if (!conn && *verdict == CT_PASS) {
            return false;
        }
    }
    write_metadata(job->pkt, FLOW_CT_NEW, job->parsed.tuple.zone, conn, 0,
                   false, &job->parsed.tuple);
    if (conn) {
        count_bytes(conn, 0, job->pkt);
        write_mark(conn, job->pkt, call->req);
        if (conn->nat && !translate_first(job, conn)) {
            *verdict = CT_NAT_FAILED;
        }
        ct_conn_unlock(conn);
    } else if (call->req->nat.kind == CT_NAT_EXISTING) {
        ct_nat_stray(call->ct, job->pkt, &job->parsed);
    }
    return true;
}

/* The connection of the packet's tuple, or, in an outside zone, of that tuple in the
 * zone of its destination's mapping. */
static struct ct_conn *
find_in_zones(const struct call *call, struct job *job, unsigned int *dir)
{
    struct conntrack *ct = call->ct;
    uint16_t min = ct->config.outside_zone_min, zone;
    struct ct_conn *conn = find(ct, call->slot, &job->parsed.tuple, job->hash,
                                call->now, dir);

    if (conn || !min || job->parsed.tuple.zone < min
        || !ct_nat_zone(ct, &job->parsed.tuple, &zone)
        || zone == job->parsed.tuple.zone) {
        return conn;
    }
    job->parsed.tuple.zone = zone;
    job->hash = ct_table_hash(ct->table, &job->parsed.tuple);
    return find(ct, call->slot, &job->parsed.tuple, job->hash, call->now, dir);
}

static enum ct_verdict
track(const struct call *call, struct job *job)
{
    struct conntrack *ct = call->ct;
    enum ct_verdict verdict = CT_PASS;

    for (unsigned int i = 0; i < NEW_TRIES; i++) {
        unsigned int dir = 0;
        struct ct_conn *conn = find_in_zones(call, job, &dir);

        if (conn && call->req->force && dir && !job->parsed.is_related) {
            ct_end(ct, call->slot, conn);
            CT_COUNT(ct, call->slot, ended, 1);
            conn = NULL;
        }
        if ((conn && meet(call, job, conn, dir, &verdict))
            || begin(call, job, i, &verdict)) {
            return verdict;
        }
    }
    invalid(call, job);
    return CT_PASS;
}

/* ---- Fragments ---- */

static const enum ct_verdict verdicts_of[] = {
    [FRAGMENT_FOUND] = CT_PASS,
    [FRAGMENT_WAITS] = CT_WAITS,
    [FRAGMENT_BAD] = CT_FRAGMENT_BAD,
    [FRAGMENT_FULL] = CT_FRAGMENT_FULL,
};

/* Later fragments are of the first one's connection, if it is there still. */
static enum ct_verdict
inherit(const struct call *call, struct packet *pkt,
        const struct ct_packet *p, const struct fragment_verdict *v)
{
    enum ct_verdict verdict = CT_PASS;
    struct ct_conn *conn = v->generation
                           ? ct_table_get(call->ct->table, v->conn,
                                          v->generation) : NULL;
    struct ct_tuple want = p->tuple;

    write_metadata(pkt, v->state & ~(FLOW_CT_SNAT | FLOW_CT_DNAT),
                   v->tuple.zone, conn, v->is_reply, false, &v->tuple);
    if (conn) {
        count_bytes(conn, v->is_reply, pkt);
        write_mark(conn, pkt, call->req);
        if (conn->nat && call->req->nat.kind
            && !ct_nat_packet(pkt, NULL, conn, v->is_reply)) {
            verdict = CT_NAT_FAILED;
        }
        ct_conn_unlock(conn);
    } else if (call->req->nat.kind == CT_NAT_EXISTING
               && v->state & FLOW_CT_DNAT) {
        want.dst = v->dst;
        pkt->ct_state |= FLOW_CT_DNAT;
        verdict = ct_rewrite(pkt, &p->tuple, &want) ? CT_PASS
                                                    : CT_NAT_FAILED;
    }
    return verdict;
}

/* Those that waited for this one get what it got. */
static void
release(const struct call *call, struct packet *list,
        const struct fragment_verdict *v)
{
    while (list) {
        struct packet *pkt = list;
        struct ct_packet parsed;

        list = pkt->next;
        if (!ct_packet_parse(pkt, call->req->zone, &parsed)
            || inherit(call, pkt, &parsed, v) != CT_PASS) {
            write_metadata(pkt, FLOW_CT_INV, call->req->zone, NULL, 0, false,
                           NULL);
        }
        CT_COUNT(call->ct, call->slot, waited, 1);
        pkt->next = *call->released;
        *call->released = pkt;
    }
}

static enum ct_verdict
track_fragment(const struct call *call, struct job *job)
{
    struct fragments *fragments = call->ct->fragments;
    struct packet *pkt = job->pkt;
    struct ct_packet asked = job->parsed;
    bool again = pkt->ct_state && pkt->ct.zone == call->req->zone;
    struct fragment_verdict v;
    enum fragment_fate fate;
    enum ct_verdict verdict;

    if (ct_packet_is_later(&job->parsed)) {
        fate = fragments_later(fragments, &job->parsed, pkt, again, call->now,
                               &v);
        return fate == FRAGMENT_FOUND ? inherit(call, pkt, &job->parsed, &v)
                                      : verdicts_of[fate];
    }
    fate = fragments_first(fragments, &job->parsed, again, call->now);
    if (fate != FRAGMENT_FOUND) {
        return verdicts_of[fate];
    }
    verdict = track(call, job);
    if (verdict == CT_PASS) {
        struct ct_packet after;

        v = (struct fragment_verdict) {
            .state = pkt->ct_state, .is_reply = pkt->ct.is_reply,
            .conn = pkt->ct.conn, .generation = pkt->ct.generation,
            .tuple = job->parsed.tuple, .src = job->parsed.tuple.src,
            .dst = job->parsed.tuple.dst,
        };
        if (ct_packet_parse(pkt, call->req->zone, &after)) {
            v.dst = after.tuple.dst;
        }
        release(call, fragments_decided(fragments, &asked, &v, call->now),
                &v);
    }
    return verdict;
}

/* A packet that was here before, in this zone: it counts once. */
static bool
track_again(const struct call *call, struct packet *pkt,
            enum ct_verdict *verdict)
{
    const struct packet_ct *md = &pkt->ct;
    struct ct_conn *conn;

    if (!pkt->ct_state || md->zone != call->req->zone || !md->generation
        || call->req->force) {
        return false;
    }
    conn = ct_table_get(call->ct->table, md->conn, md->generation);
    if (!conn) {
        return false;
    }
    pkt->ct.mark = conn->mark;
    write_mark(conn, pkt, call->req);
    if (conn->nat && call->req->nat.kind
        && !(pkt->ct_state & (FLOW_CT_SNAT | FLOW_CT_DNAT))
        && !ct_nat_packet(pkt, NULL, conn, md->is_reply)) {
        *verdict = CT_NAT_FAILED;
    }
    ct_conn_unlock(conn);
    return true;
}

/* A batch, in loops: what one packet waits for in memory, the others' work
 * hides. */
static void
execute_some(const struct call *call, struct packet *const *pkts,
             unsigned int n, enum ct_verdict *verdicts)
{
    struct ct_table *table = call->ct->table;
    bool may_map = call->req->commit && call->req->nat.kind == CT_NAT_SRC;
    struct job jobs[BATCH_MAX];

    for (unsigned int i = 0; i < n; i++) {
        struct job *job = &jobs[i];

        job->pkt = pkts[i];
        verdicts[i] = CT_PASS;
        if (track_again(call, job->pkt, &verdicts[i])) {
            job->pkt = NULL;
            continue;
        }
        job->is_parsed = ct_packet_parse(job->pkt, call->req->zone,
                                         &job->parsed);
        if (job->is_parsed) {
            job->hash = ct_table_hash(table, &job->parsed.tuple);
            ct_table_prefetch(table, job->hash);
            if (may_map) {
                ct_nat_prefetch(call->ct, &job->parsed.tuple);
            }
        }
    }
    for (unsigned int i = 0; i < n; i++) {
        if (jobs[i].pkt && jobs[i].is_parsed) {
            ct_table_prefetch_conn(table, jobs[i].hash);
            if (may_map) {
                ct_nat_prefetch_mapping(call->ct, &jobs[i].parsed.tuple);
            }
        }
    }
    for (unsigned int i = 0; i < n; i++) {
        if (!jobs[i].pkt) {
            continue;
        }
        if (!jobs[i].is_parsed
            || (jobs[i].parsed.fragment.is_one
                && call->ct->config.no_fragments)) {
            invalid(call, &jobs[i]);
        } else if (UNLIKELY(jobs[i].parsed.fragment.is_one)) {
            verdicts[i] = track_fragment(call, &jobs[i]);
        } else {
            verdicts[i] = track(call, &jobs[i]);
        }
    }
    CT_COUNT(call->ct, call->slot, packets, n);
}

struct packet *
conntrack_execute(struct conntrack *ct, unsigned int slot,
                  struct packet *const *pkts, unsigned int n,
                  const struct ct_request *req, msec now,
                  enum ct_verdict *verdicts)
{
    struct packet *released = NULL;
    struct call call = { .released = &released, .ct = ct, .slot = slot,
                         .req = req, .now = now };

    while (n) {
        unsigned int n_now = MIN(n, (unsigned int) BATCH_MAX);

        execute_some(&call, pkts, n_now, verdicts);
        pkts += n_now;
        verdicts += n_now;
        n -= n_now;
    }
    return released;
}

struct packet *
conntrack_give_up(struct conntrack *ct, msec now)
{
    return fragments_expire(ct->fragments, now);
}

/* ---- Sweep ---- */

unsigned int
conntrack_sweep(struct conntrack *ct, unsigned int slot, unsigned int budget,
                msec now)
{
    uint32_t n = ct_table_n_places(ct->table), at;
    unsigned int n_ended = 0;

    if (!n) {
        return 0;
    }
    budget = MIN(budget, n);
    at = atomic_fetch_add(&ct->hand, budget) % n;
    for (unsigned int i = 0; i < budget; i++, at = at + 1 == n ? 0 : at + 1) {
        struct ct_conn *conn = ct_table_place(ct->table, at);

        if (!conn || !ct_conn_is_over(conn, now)) {
            continue;
        }
        ct_conn_lock(conn);
        if (atomic_load(&conn->life) == CT_ALIVE
            && ct_conn_is_over(conn, now)) {
            ct_end(ct, slot, conn);
            n_ended++;
        } else {
            ct_conn_unlock(conn);
        }
    }
    CT_COUNT(ct, slot, swept, budget);
    CT_COUNT(ct, slot, expired, n_ended);
    return n_ended;
}

/* ---- Settings ---- */

const char *
ct_timeout_name(enum ct_timeout timeout)
{
    static const char *const names[] = {
#define X(ID, NAME, SECONDS, TEXT) NAME,
        CT_TIMEOUTS(X)
#undef X
    };

    return names[timeout];
}

enum ct_timeout
ct_timeout_by_name(const char *name)
{
    unsigned int i = 0;

    while (i < N_CT_TIMEOUTS
           && strcmp(name, ct_timeout_name((enum ct_timeout) i))) {
        i++;
    }
    return (enum ct_timeout) i;
}

void
conntrack_set_timeout(struct conntrack *ct, enum ct_timeout timeout,
                      msec value)
{
    atomic_store(&ct->timeouts[timeout], value);
}

msec
conntrack_timeout(const struct conntrack *ct, enum ct_timeout timeout)
{
    return atomic_load(&ct->timeouts[timeout]);
}

void
conntrack_set_zone_limit(struct conntrack *ct, uint16_t zone, uint32_t limit)
{
    atomic_store(&ct->zones.limits[zone], limit);
}

/* ---- What there is ---- */

void
conntrack_read_counters(const struct conntrack *ct, struct ct_counters *sum)
{
    memset(sum, 0, sizeof *sum);
    for (unsigned int i = 0; i < ct->config.n_slots; i++) {
#define X(NAME, TEXT)                                                        \
        sum->NAME += atomic_load_explicit(&ct->slots[i].counters.NAME,       \
                                          memory_order_relaxed);
        CT_COUNTERS(X)
#undef X
    }
    sum->retries = ct_table_retries(ct->table);
}

uint32_t
conntrack_count(const struct conntrack *ct)
{
    struct ct_counters c;

    conntrack_read_counters(ct, &c);
    return (uint32_t) (c.created - c.expired - c.ended);
}

uint32_t
conntrack_zone_count(const struct conntrack *ct, uint16_t zone)
{
    return atomic_load(&ct->zones.counts[zone]);
}

uint64_t
conntrack_memory(const struct conntrack *ct)
{
    return ct_table_memory(ct->table) + nat_map_memory(ct->nat);
}

uint32_t
conntrack_n_mappings(const struct conntrack *ct)
{
    return nat_map_count(ct->nat);
}

uint32_t
conntrack_max(const struct conntrack *ct)
{
    return ct->config.max_connections;
}

uint32_t
conntrack_zone_limit(const struct conntrack *ct, uint16_t zone)
{
    return ct_zones_limit(&ct->zones, zone);
}

unsigned int
conntrack_crowded(const struct conntrack *ct, uint16_t *zones, unsigned int n)
{
    return ct_zones_raised(&ct->zones, zones, n);
}

unsigned int
conntrack_take_alarms(struct conntrack *ct, uint16_t *zones, unsigned int n)
{
    return ct_zones_take_alarms(&ct->zones, zones, n);
}
