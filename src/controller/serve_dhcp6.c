#include "controller/serve_dhcp6.h"

#include <stdlib.h>
#include <time.h>

#include "controller/dhcp6_scope.h"
#include "controller/lease6_store.h"
#include "controller/udp_frame.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "packet/address.h"

enum { SWEEP_INTERVAL = 30000 };

struct serve_dhcp6 {
    const struct service_host *host;          /* NULL: we were destroyed, and
                                                 wait for the store */
    struct store *store;                      /* NULL: none */
    struct id_map scopes;                     /* struct dhcp6_scope */
    unix_sec epoch;                           /* of the monotonic clock's 0 */
    unsigned int n_pending;
    uv_timer_t *timer;
    uint64_t n_gone[N_DHCP6_VERDICTS];        /* of networks that were */
};

/* A reply that waits until its leases are durable. */
struct pending {
    struct serve_dhcp6 *dhcp6;
    uint64_t network, port;
    uint16_t vid;
    unsigned int n_changes;
    struct lease6_change *changes;
    size_t len;
    uint8_t frame[UDP_FRAME_MAX];
};

static unix_sec
now_of(const struct serve_dhcp6 *s)
{
    return s->epoch + clock_msec() / 1000;
}

static void
free_if_done(struct serve_dhcp6 *s)
{
    if (!s->host && !s->n_pending) {
        free(s);
    }
}

/* ---- What ports may send from ---- */

struct bound {
    const struct topology_member *member;
    unsigned int n;
    struct ip6_addr at[MEMBER_MAX_BOUND];
};

/* The planned one passes anyway, and nested guests are judged by `allow`. */
static void
add_bound(const struct lease6_record *record, void *aux)
{
    struct bound *b = aux;

    if (record->state == LEASE_BOUND && b->n < MEMBER_MAX_BOUND
        && eth_addr_eq(record->mac, b->member->port->intent->mac)
        && !topology_is_planned6(b->member, &record->addr)) {
        b->at[b->n++] = record->addr;
    }
}

static void
bind_member(struct serve_dhcp6 *s, const struct dhcp6_scope *scope,
            const struct topology_member *member)
{
    struct bound b = { .member = member };

    lease6_for_port(scope->leases, member->port->intent->object.name,
                    now_of(s), add_bound, &b);
    service_bind6(s->host, member, BOUND_LEASED, b.at, b.n);
}

/* Only where addresses are leased: elsewhere others say what is bound. */
static void
bind_all(struct serve_dhcp6 *s, const struct dhcp6_scope *scope)
{
    const struct topology_network *network
        = topology_network(s->host->topology, scope->id);

    if (!scope->server.config.is_stateful) {
        return;
    }
    for (unsigned int i = 0; i < network->n_members; i++) {
        bind_member(s, scope, network->members[i]);
    }
}

/* ---- Changes that nobody waits for ---- */

struct gathering {
    const struct dhcp6_scope *scope;
    struct store_txn *txn;                    /* NULL: nothing yet */
};

static void
gather(const struct lease6_change *change, void *aux)
{
    struct gathering *g = aux;

    if (!g->txn) {
        g->txn = store_txn_create(STORE_PROCESS);
    }
    lease6_store_add(g->txn, g->scope->name, change);
}

static void
on_gathered(const struct store_result *result, void *aux UNUSED)
{
    if (result->err) {
        log_limited(LOG_LEVEL_ERROR, "dhcp6",
                    "the end of leases is not kept: %s", result->text);
    }
}

static void
commit(struct serve_dhcp6 *s, struct store_txn *txn)
{
    if (!s->store) {
        store_txn_destroy(txn);
    } else if (txn && store_commit(s->store, txn, on_gathered, NULL)) {
        log_limited(LOG_LEVEL_ERROR, "dhcp6",
                    "the end of leases is not kept: the store is busy");
    }
}

/* ---- Answers ---- */

static const struct topology_member *
find_member(const struct serve_dhcp6 *s, const struct pending *p)
{
    const struct topology_port *port = topology_port(s->host->topology,
                                                     p->port);

    for (unsigned int i = 0; port && i < port->n_members; i++) {
        const struct topology_member *member = &port->members[i];

        if (member->network->id == p->network && member->vid == p->vid) {
            return member;
        }
    }
    return NULL;
}

/* The newest first. */
static void
undo(struct serve_dhcp6 *s, const struct pending *p)
{
    struct dhcp6_scope *scope = id_map_find(&s->scopes, p->network);

    for (unsigned int i = p->n_changes; scope && i-- > 0;) {
        lease6_undo(scope->leases, &p->changes[i]);
    }
}

static void
finish(struct serve_dhcp6 *s, const struct pending *p)
{
    const struct topology_member *member = find_member(s, p);
    const struct dhcp6_scope *scope = id_map_find(&s->scopes, p->network);

    if (!member || !scope) {
        return;
    }
    if (p->n_changes) {
        bind_member(s, scope, member);
    }
    if (p->len) {
        service_send(s->host, member, p->frame, p->len);
    }
}

static void
pending_free(struct pending *p)
{
    free(p->changes);
    free(p);
}

/* The network or the port may be gone since. */
static void
on_stored(const struct store_result *result, void *aux)
{
    struct pending *p = aux;
    struct serve_dhcp6 *s = p->dhcp6;

    s->n_pending--;
    if (!s->host) {
        free_if_done(s);
    } else if (result->err) {
        log_limited(LOG_LEVEL_ERROR, "dhcp6", "a lease is not given: %s",
                    result->text);
        undo(s, p);
    } else {
        finish(s, p);
    }
    pending_free(p);
}

/* A message may name an IA twice; a transaction has one word for an address. */
static bool
is_last_word(const struct pending *p, unsigned int i)
{
    for (unsigned int j = i + 1; j < p->n_changes; j++) {
        if (ip6_addr_eq(p->changes[j].record.addr,
                        p->changes[i].record.addr)) {
            return false;
        }
    }
    return true;
}

static void
store_then_send(struct serve_dhcp6 *s, const struct dhcp6_scope *scope,
                struct pending *p)
{
    struct store_txn *txn = store_txn_create(STORE_PROCESS);

    for (unsigned int i = 0; i < p->n_changes; i++) {
        if (is_last_word(p, i)) {
            lease6_store_add(txn, scope->name, &p->changes[i]);
        }
    }
    if (store_commit(s->store, txn, on_stored, p)) {
        log_limited(LOG_LEVEL_ERROR, "dhcp6",
                    "a lease is not given: the store is busy");
        undo(s, p);
        pending_free(p);
        return;
    }
    s->n_pending++;
}

/* From the gateway's link-local address, which every network has. */
static size_t
make_frame(const struct packet_in *in, const struct udp_frame *question,
           const struct dhcp6_answer *answer, uint8_t out[UDP_FRAME_MAX])
{
    struct eth_addr mac = in->network->intent->gateway_mac;
    const struct udp_frame f = {
        .eth_src = mac, .eth_dst = question->eth_src, .is_ip6 = true,
        .src = topology_link_local(mac), .dst = question->src,
        .src_port = DHCP6_SERVER_PORT,
        .dst_port = answer->is_relayed ? DHCP6_SERVER_PORT
                                       : DHCP6_CLIENT_PORT,
        .data = answer->data, .len = answer->len,
    };

    return answer->len ? udp_frame_encode(&f, out) : 0;
}

static struct pending *
pending_create(struct serve_dhcp6 *s, const struct packet_in *in,
               const struct lease6_changes *changes)
{
    struct pending *p = xmalloc(sizeof *p);

    p->dhcp6 = s;
    p->network = in->network->id;
    p->port = in->member->port->id;
    p->vid = in->member->vid;
    p->n_changes = changes->n;
    p->changes = changes->n ? xmemdup(changes->at, changes->n
                                                   * sizeof changes->at[0])
                            : NULL;
    p->len = 0;
    return p;
}

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_dhcp6 *s = aux;
    struct dhcp6_scope *scope = id_map_find(&s->scopes, in->network->id);
    const char *port = in->member->port->intent->object.name;
    const struct dhcp6_scope_member *member;
    struct dhcp6_question question;
    struct dhcp6_answer answer;
    struct udp_frame f;
    struct pending *p;

    if (!scope || !udp_frame_decode(in->frame, in->len, &f) || !f.is_ip6) {
        return;
    }
    member = dhcp6_scope_member(scope, port);
    question = (struct dhcp6_question) {
        .data = f.data, .len = f.len, .is_unicast = f.dst.b[0] != 0xff,
        .mac = f.eth_src, .port = port, .now = now_of(s),
    };
    if (member && eth_addr_eq(f.eth_src, in->member->port->intent->mac)) {
        question.planned = member->planned;
    }
    dhcp6_server_handle(&scope->server, &question, &answer);
    if (!answer.len && !answer.changes.n) {
        return;
    }
    p = pending_create(s, in, &answer.changes);
    p->len = make_frame(in, &f, &answer, p->frame);
    if (p->n_changes && s->store) {
        store_then_send(s, scope, p);
    } else {
        finish(s, p);
        pending_free(p);
    }
}

/* ---- Networks ---- */

static bool
is_served(const struct intent_network *network)
{
    return network && network->subnet6.is_set && network->ra != RA_OFF;
}

static void
close_scope(struct serve_dhcp6 *s, struct dhcp6_scope *scope)
{
    if (s->store) {
        struct store_txn *txn = store_txn_create(STORE_PROCESS);

        lease6_store_forget(s->store, txn, scope->name);
        commit(s, txn);
    }
    for (unsigned int i = 0; i < N_DHCP6_VERDICTS; i++) {
        s->n_gone[i] += scope->server.n[i];
    }
    id_map_remove(&s->scopes, scope->id);
    dhcp6_scope_destroy(scope);
}

static void
close_scopes(struct serve_dhcp6 *s)
{
    struct dhcp6_scope *scope, **gone = xcalloc(s->scopes.n + 1,
                                                sizeof *gone);
    unsigned int n = 0;

    ID_MAP_FOR_EACH (scope, &s->scopes) {
        const struct topology_network *network
            = topology_network(s->host->topology, scope->id);

        if (!network || !is_served(network->intent)) {
            gone[n++] = scope;
        }
    }
    for (unsigned int i = 0; i < n; i++) {
        close_scope(s, gone[i]);
    }
    free(gone);
}

static void
update_scope(struct serve_dhcp6 *s, const struct topology_network *network)
{
    struct dhcp6_scope *scope = id_map_find(&s->scopes, network->id);
    struct gathering g = { NULL, NULL };

    if (!scope) {
        scope = dhcp6_scope_create(network);
        if (s->store) {
            lease6_store_load(s->store, scope->name, scope->leases);
        }
        id_map_set(&s->scopes, network->id, scope);
    }
    g.scope = scope;
    dhcp6_scope_update(scope, network, gather, &g);
    commit(s, g.txn);
    bind_all(s, scope);
}

void
serve_dhcp6_changed(struct serve_dhcp6 *s)
{
    const struct intent *intent = topology_intent(s->host->topology);

    close_scopes(s);
    if (!intent) {
        return;
    }
    INTENT_FOR_EACH_NETWORK (network, intent) {
        if (is_served(network)) {
            update_scope(s, topology_network(s->host->topology,
                                             network->object.id));
        }
    }
}

static void
on_timer(uv_timer_t *timer)
{
    struct serve_dhcp6 *s = timer->data;
    struct dhcp6_scope *scope;

    ID_MAP_FOR_EACH (scope, &s->scopes) {
        struct gathering g = { scope, NULL };

        lease6_sweep(scope->leases, now_of(s), gather, &g);
        if (g.txn) {
            bind_all(s, scope);
        }
        commit(s, g.txn);
    }
}

/* ---- Looking ---- */

struct list {
    unsigned int n;
    struct lease6_record *records;
};

static void
add_record(const struct lease6_record *record, void *aux)
{
    struct list *list = aux;

    list->records[list->n++] = *record;
}

static int
compare_records(const void *a, const void *b)
{
    const struct lease6_record *x = a, *y = b;

    return memcmp(&x->addr, &y->addr, sizeof x->addr);
}

static int
compare_scopes(const void *a, const void *b)
{
    const struct dhcp6_scope *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static void
visit_scope(const struct dhcp6_scope *scope, unix_sec now,
            lease6_visitor *visit, void *aux)
{
    struct list list = {
        0, xcalloc(lease6_count(scope->leases) + 1, sizeof *list.records),
    };

    lease6_for_each(scope->leases, now, add_record, &list);
    qsort(list.records, list.n, sizeof *list.records, compare_records);
    for (unsigned int i = 0; i < list.n; i++) {
        const struct lease6_record *record = &list.records[i];

        visit(aux, scope->name, record,
              record->expires == LEASE_FOREVER ? INT64_MAX
                                               : record->expires - now);
    }
    free(list.records);
}

void
serve_dhcp6_visit(const struct serve_dhcp6 *s, lease6_visitor *visit,
                  void *aux)
{
    struct dhcp6_scope *scope, **scopes = xcalloc(s->scopes.n + 1,
                                                  sizeof *scopes);
    unsigned int n = 0;

    ID_MAP_FOR_EACH (scope, &s->scopes) {
        scopes[n++] = scope;
    }
    qsort(scopes, n, sizeof *scopes, compare_scopes);
    for (unsigned int i = 0; i < n; i++) {
        visit_scope(scopes[i], now_of(s), visit, aux);
    }
    free(scopes);
}

void
serve_dhcp6_count(const struct serve_dhcp6 *s, uint64_t n[N_DHCP6_VERDICTS])
{
    struct dhcp6_scope *scope;

    memcpy(n, s->n_gone, sizeof s->n_gone);
    ID_MAP_FOR_EACH (scope, &s->scopes) {
        for (unsigned int i = 0; i < N_DHCP6_VERDICTS; i++) {
            n[i] += scope->server.n[i];
        }
    }
}

/* ---- Making and ending ---- */

/* The wall clock is read once: leases do not follow its jumps. */
struct serve_dhcp6 *
serve_dhcp6_create(const struct service_host *host, struct store *store)
{
    struct serve_dhcp6 *s = xzalloc(sizeof *s);

    s->host = host;
    s->store = store;
    s->epoch = time(NULL) - clock_msec() / 1000;
    id_map_init(&s->scopes);
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(host->loop, s->timer);
    uv_timer_start(s->timer, on_timer, SWEEP_INTERVAL, SWEEP_INTERVAL);
    packet_in_serve(host->packet_ins, SERVICE_DHCP6, on_packet, s);
    return s;
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
serve_dhcp6_destroy(struct serve_dhcp6 *s)
{
    struct dhcp6_scope *scope;

    if (!s) {
        return;
    }
    uv_close((uv_handle_t *) s->timer, free_handle);
    ID_MAP_FOR_EACH (scope, &s->scopes) {
        dhcp6_scope_destroy(scope);
    }
    id_map_fini(&s->scopes);
    s->host = NULL;
    free_if_done(s);
}
