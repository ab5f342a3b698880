#include "controller/serve_dhcp.h"

#include <stdlib.h>
#include <time.h>

#include "controller/dhcp_scope.h"
#include "controller/lease_store.h"
#include "lib/clock.h"
#include "lib/log.h"

enum { SWEEP_INTERVAL = 30000, SWEEP_BUDGET = 4096 };

struct serve_dhcp {
    const struct service_host *host;          /* NULL: we were destroyed, and
                                                 wait for the store */
    struct store *store;                      /* NULL: none */
    struct id_map scopes;                     /* struct dhcp_scope */
    unix_sec epoch;                           /* of the monotonic clock's 0 */
    unsigned int n_pending;
    uv_timer_t *timer;
    uint64_t n_gone[N_DHCP_VERDICTS];         /* of networks that were */
};

/* A reply that waits until its lease is durable. */
struct pending {
    struct serve_dhcp *dhcp;
    uint64_t network, port;
    uint16_t vid;
    struct lease_changes changes;
    size_t len;
    uint8_t frame[];
};

static unix_sec
now_of(const struct serve_dhcp *s)
{
    return s->epoch + clock_msec() / 1000;
}

static void
free_if_done(struct serve_dhcp *s)
{
    if (!s->host && !s->n_pending) {
        free(s);
    }
}

/* ---- Changes that nobody waits for ---- */

struct gathering {
    const struct dhcp_scope *scope;
    struct store_txn *txn;                    /* NULL: nothing yet */
};

static void
gather(const struct lease_change *change, void *aux)
{
    struct gathering *g = aux;

    if (!g->txn) {
        g->txn = store_txn_create(STORE_PROCESS);
    }
    lease_store_add(g->txn, g->scope->name, change);
}

static void
on_gathered(const struct store_result *result, void *aux UNUSED)
{
    if (result->err) {
        log_limited(LOG_LEVEL_ERROR, "dhcp",
                    "the end of leases is not kept: %s", result->text);
    }
}

static void
commit(struct serve_dhcp *s, struct store_txn *txn)
{
    if (!s->store) {
        store_txn_destroy(txn);
    } else if (txn && store_commit(s->store, txn, on_gathered, NULL)) {
        log_limited(LOG_LEVEL_ERROR, "dhcp",
                    "the end of leases is not kept: the store is busy");
    }
}

/* ---- Answers ---- */

static const struct topology_member *
find_member(const struct serve_dhcp *s, const struct pending *p)
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
undo(struct serve_dhcp *s, uint64_t network,
     const struct lease_changes *changes)
{
    struct dhcp_scope *scope = id_map_find(&s->scopes, network);

    for (unsigned int i = changes->n; scope && i-- > 0;) {
        lease_undo(dhcp_scope_leases(scope, changes->at[i].record.addr),
                   &changes->at[i]);
    }
}

/* The network or the port may be gone since. */
static void
on_stored(const struct store_result *result, void *aux)
{
    struct pending *p = aux;
    struct serve_dhcp *s = p->dhcp;
    const struct topology_member *member;

    s->n_pending--;
    if (!s->host) {
        free_if_done(s);
    } else if (result->err) {
        log_limited(LOG_LEVEL_ERROR, "dhcp", "a lease is not given: %s",
                    result->text);
        undo(s, p->network, &p->changes);
    } else if (p->len && (member = find_member(s, p))) {
        service_send(s->host, member, p->frame, p->len);
    }
    free(p);
}

static void
store_then_send(struct serve_dhcp *s, const struct dhcp_scope *scope,
                const struct topology_member *member,
                const struct dhcp_answer *answer)
{
    struct store_txn *txn = store_txn_create(STORE_PROCESS);
    struct pending *p = xmalloc(sizeof *p + answer->len);

    *p = (struct pending) {
        .dhcp = s, .network = scope->id, .port = member->port->id,
        .vid = member->vid, .changes = answer->changes, .len = answer->len,
    };
    memcpy(p->frame, answer->frame, answer->len);
    for (unsigned int i = 0; i < answer->changes.n; i++) {
        lease_store_add(txn, scope->name, &answer->changes.at[i]);
    }
    if (store_commit(s->store, txn, on_stored, p)) {
        log_limited(LOG_LEVEL_ERROR, "dhcp",
                    "a lease is not given: the store is busy");
        undo(s, scope->id, &answer->changes);
        free(p);
        return;
    }
    s->n_pending++;
}

/* Nested guests have names of their own, which we do not know. */
static const char *
hostname_of(const struct packet_in *in)
{
    const struct intent_port *port = in->member->port->intent;
    bool is_own = in->len >= 12
                  && !memcmp(in->frame + 6, port->mac.b, sizeof port->mac.b);

    return is_own ? port->object.name : NULL;
}

static void
on_packet(void *aux, const struct packet_in *in)
{
    struct serve_dhcp *s = aux;
    struct dhcp_scope *scope = id_map_find(&s->scopes, in->network->id);
    const struct dhcp_question question = {
        .frame = in->frame, .len = in->len,
        .port = in->member->port->intent->object.name,
        .hostname = hostname_of(in), .now = now_of(s),
    };
    struct dhcp_answer answer;

    if (!scope) {
        return;
    }
    dhcp_server_handle(scope->server, &question, &answer);
    if (answer.changes.n && s->store) {
        store_then_send(s, scope, in->member, &answer);
    } else if (answer.len) {
        service_send(s->host, in->member, answer.frame, answer.len);
    }
}

/* ---- Networks ---- */

static bool
is_served(const struct intent_network *network)
{
    return network && network->subnet.is_set && !network->dhcp.is_off;
}

static void
add_counters(const struct dhcp_scope *scope, uint64_t n[N_DHCP_VERDICTS])
{
    const struct dhcp_server_counters *counters
        = dhcp_server_counters(scope->server);

    for (unsigned int i = 0; i < N_DHCP_VERDICTS; i++) {
        n[i] += counters->n[i];
    }
}

static void
close_scope(struct serve_dhcp *s, struct dhcp_scope *scope)
{
    if (s->store) {
        struct store_txn *txn = store_txn_create(STORE_PROCESS);

        lease_store_forget(s->store, txn, scope->name);
        commit(s, txn);
    }
    add_counters(scope, s->n_gone);
    id_map_remove(&s->scopes, scope->id);
    dhcp_scope_destroy(scope);
}

static void
close_scopes(struct serve_dhcp *s)
{
    struct dhcp_scope *scope, **gone = xcalloc(s->scopes.n + 1, sizeof *gone);
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

static struct dhcp_scope *
open_scope(struct serve_dhcp *s, const struct topology_network *network)
{
    struct dhcp_scope *scope = dhcp_scope_create(network);

    if (s->store) {
        lease_store_load(s->store, scope, now_of(s));
    }
    id_map_set(&s->scopes, network->id, scope);
    return scope;
}

static void
update_scope(struct serve_dhcp *s, const struct topology_network *network)
{
    struct dhcp_scope *scope = id_map_find(&s->scopes, network->id);
    struct gathering g = { NULL, NULL };
    struct str error = STR_INIT;

    g.scope = scope = scope ? scope : open_scope(s, network);
    if (dhcp_scope_update(scope, network, gather, &g, &error)) {
        log_error("dhcp", "network '%s': %s", scope->name, str_text(&error));
    }
    commit(s, g.txn);
    str_fini(&error);
}

void
serve_dhcp_changed(struct serve_dhcp *s)
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
    struct serve_dhcp *s = timer->data;
    struct dhcp_scope *scope;

    ID_MAP_FOR_EACH (scope, &s->scopes) {
        struct gathering g = { scope, NULL };

        for (unsigned int i = 0; i < scope->n_subnets; i++) {
            lease_sweep(scope->subnets[i].leases, now_of(s), SWEEP_BUDGET,
                        gather, &g);
        }
        commit(s, g.txn);
    }
}

/* ---- Looking ---- */

struct list {
    unsigned int n, size;
    struct lease_record *records;
};

static void
add_record(const struct lease_record *record, void *aux)
{
    struct list *list = aux;

    if (list->n == list->size) {
        list->size = MAX(64u, list->size * 2);
        list->records = xrealloc(list->records,
                                 list->size * sizeof *list->records);
    }
    list->records[list->n++] = *record;
}

static int
compare_records(const void *a, const void *b)
{
    const struct lease_record *x = a, *y = b;
    uint32_t ax = be32toh(x->addr), ay = be32toh(y->addr);

    return (ax > ay) - (ax < ay);
}

static int
compare_scopes(const void *a, const void *b)
{
    const struct dhcp_scope *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static void
visit_scope(const struct dhcp_scope *scope, unix_sec now,
            lease_visitor *visit, void *aux)
{
    struct list list = { .n = 0 };

    for (unsigned int i = 0; i < scope->n_subnets; i++) {
        lease_for_each(scope->subnets[i].leases, now, add_record, &list);
    }
    if (!list.n) {
        return;
    }
    qsort(list.records, list.n, sizeof *list.records, compare_records);
    for (unsigned int i = 0; i < list.n; i++) {
        const struct lease_record *record = &list.records[i];
        bool is_forever = record->expires == LEASE_FOREVER;

        visit(aux, scope->name, record,
              is_forever ? INT64_MAX : MAX(record->expires - now, 0));
    }
    free(list.records);
}

void
serve_dhcp_visit(const struct serve_dhcp *s, lease_visitor *visit, void *aux)
{
    struct dhcp_scope *scope, **scopes = xcalloc(s->scopes.n + 1,
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
serve_dhcp_count(const struct serve_dhcp *s, uint64_t n[N_DHCP_VERDICTS])
{
    const struct dhcp_scope *scope;

    memcpy(n, s->n_gone, sizeof s->n_gone);
    ID_MAP_FOR_EACH (scope, &s->scopes) {
        add_counters(scope, n);
    }
}

/* ---- Making and ending ---- */

/* The wall clock is read once: leases do not follow its jumps. */
struct serve_dhcp *
serve_dhcp_create(const struct service_host *host, struct store *store)
{
    struct serve_dhcp *s = xzalloc(sizeof *s);

    s->host = host;
    s->store = store;
    s->epoch = time(NULL) - clock_msec() / 1000;
    id_map_init(&s->scopes);
    s->timer = xzalloc(sizeof *s->timer);
    s->timer->data = s;
    uv_timer_init(host->loop, s->timer);
    uv_timer_start(s->timer, on_timer, SWEEP_INTERVAL, SWEEP_INTERVAL);
    packet_in_serve(host->packet_ins, SERVICE_DHCP, on_packet, s);
    return s;
}

static void
free_handle(uv_handle_t *handle)
{
    free(handle);
}

void
serve_dhcp_destroy(struct serve_dhcp *s)
{
    struct dhcp_scope *scope;

    if (!s) {
        return;
    }
    uv_close((uv_handle_t *) s->timer, free_handle);
    ID_MAP_FOR_EACH (scope, &s->scopes) {
        dhcp_scope_destroy(scope);
    }
    id_map_fini(&s->scopes);
    s->host = NULL;
    free_if_done(s);
}
