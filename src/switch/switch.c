#include "switch/switch.h"

#include <stdlib.h>

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "port/registry.h"
#include "switch/port_hold.h"
#include "switch/switch_impl.h"

enum {
    LINK_CHECK_INTERVAL = 100,    /* msec: did a port fail? */
    PORT_CHECK_INTERVAL = 1000,   /* did a device come back? */
    FDB_CHANGES = 256,            /* taken at once */
    FDB_ROUNDS = 4,               /* so often; beyond, all answers of NORMAL
                                     go */
};

/* ---- Names, for flow text ---- */

static uint32_t
port_called(void *sw, const char *name)
{
    const struct switch_port *port = switch_port_by_name(sw, name);

    return port ? port->number : 0;
}

static const char *
port_name(void *sw, uint32_t number)
{
    const struct switch_port *port = switch_port_by_number(sw, number);

    return port ? port->port->config.name : NULL;
}

/* ---- Publishing ---- */

void
switch_stage(struct switch_ *sw, msec now)
{
    if (!sw->is_staged) {
        sw->is_staged = true;
        sw->staged_since = now;
    }
}

void
switch_drop_answers(struct switch_ *sw)
{
    pipeline_new_epoch(&sw->pipeline);
    datapath_invalidate_all(sw->dp);
}

void
switch_set_unasked(struct switch_ *sw, unsigned int what)
{
    if (atomic_exchange(&sw->pipeline.env.unasked, what) != what) {
        switch_drop_answers(sw);
    }
}

static void
drop_changed_answers(struct switch_ *sw, const struct table_changes *changes)
{
    struct datapath_change *list;

    list = xcalloc(MAX(changes->n, 1u), sizeof *list);
    for (unsigned int i = 0; i < changes->n; i++) {
        const struct table_change *c = &changes->list[i];

        list[i].table = c->table;
        list[i].value = c->match ? &c->match->value : NULL;
        list[i].mask = c->match ? &c->match->mask : NULL;
    }
    pipeline_new_epoch(&sw->pipeline);
    datapath_invalidate(sw->dp, list, changes->n);
    free(list);
}

void
switch_publish(struct switch_ *sw)
{
    struct table_changes changes = { 0 };
    bool all = sw->ports_dirty || sw->meters_changed;

    if (tables_pending(sw->tables)) {
        tables_publish(sw->tables, &changes);
        /* What went still makes the answers to misses narrower, until it is
         * taken out. */
        sw->next_expire = MIN(sw->next_expire, sw->now + SWITCH_PUBLISH_MS);
    }
    if (sw->ports_dirty) {
        switch_publish_ports(sw);
    }
    if (all || changes.everything) {
        switch_drop_answers(sw);
    } else if (changes.n) {
        drop_changed_answers(sw, &changes);
    }
    if (sw->meters_changed) {
        switch_settle_meters(sw);
    }
    sw->is_staged = false;
}

void
switch_barrier(struct switch_ *sw)
{
    switch_publish(sw);
    if (atomic_load(&sw->fdb_changed)) {
        switch_apply_fdb_changes(sw);
    }
    datapath_quiesce(sw->dp);
}

/* ---- The fdb's changes ---- */

static void
fdb_changed(void *sw_)
{
    struct switch_ *sw = sw_;

    if (!atomic_exchange(&sw->fdb_changed, true) && sw->config.wake) {
        sw->config.wake(sw->config.wake_aux);
    }
}

/* Packets for the controllers, or packets that wait for what they teach. */
static void
something_waits(void *sw_)
{
    struct switch_ *sw = sw_;

    if (sw->config.wake) {
        sw->config.wake(sw->config.wake_aux);
    }
}

/* Answers about one station: frames to it, and unless it is new, from it. */
struct station_change {
    struct flow value;
    struct flow_mask mask;
};

static void
add_station_change(struct datapath_change *change, struct station_change *s,
                   struct eth_addr mac, bool is_source)
{
    struct flow_key_fields *value = &s->value.key;
    struct flow_key_fields *mask = &s->mask.bits.key;
    struct eth_addr ones = { { 255, 255, 255, 255, 255, 255 } };

    memset(s, 0, sizeof *s);
    if (is_source) {
        value->eth_src = mac;
        mask->eth_src = ones;
    } else {
        value->eth_dst = mac;
        mask->eth_dst = ones;
    }
    change->table = TABLE_OF_NORMAL;
    change->value = &s->value;
    change->mask = &s->mask;
}

void
switch_apply_fdb_changes(struct switch_ *sw)
{
    struct fdb_change *changes;
    struct datapath_change *list;
    struct station_change *stations;
    unsigned int n, n_list, n_rounds = 0;

    atomic_store(&sw->fdb_changed, false);
    changes = xcalloc(FDB_CHANGES, sizeof *changes);
    list = xcalloc(2 * FDB_CHANGES, sizeof *list);
    stations = xcalloc(2 * FDB_CHANGES, sizeof *stations);
    while ((n = fdb_changes(sw->fdb, changes, FDB_CHANGES))) {
        if (++n_rounds > FDB_ROUNDS) {
            continue;
        }
        n_list = 0;
        for (unsigned int i = 0; i < n; i++) {
            add_station_change(&list[n_list], &stations[n_list],
                               changes[i].mac, false);
            n_list++;
            if (!changes[i].is_new) {
                add_station_change(&list[n_list], &stations[n_list],
                                   changes[i].mac, true);
                n_list++;
            }
        }
        pipeline_new_epoch(&sw->pipeline);
        datapath_invalidate(sw->dp, list, n_list);
    }
    if (n_rounds > FDB_ROUNDS) {
        list[0] = (struct datapath_change) { .table = TABLE_OF_NORMAL };
        pipeline_new_epoch(&sw->pipeline);
        datapath_invalidate(sw->dp, list, 1);
    }
    free(changes);
    free(list);
    free(stations);
}

/* ---- Time ---- */

msec
switch_run(struct switch_ *sw, msec now)
{
    msec next;

    sw->now = now;
    switch_wake_waiters(sw);
    switch_learn(sw, now);
    next = fdb_expire(sw->fdb, now);
    next = MIN(next, switch_run_holds(sw, now));
    if (atomic_load(&sw->fdb_changed)) {
        switch_apply_fdb_changes(sw);
    }
    if (now >= sw->next_link_check) {
        bool devices = now >= sw->next_port_check;

        switch_check_ports(sw, devices);
        sw->next_link_check = now + LINK_CHECK_INTERVAL;
        if (devices) {
            sw->next_port_check = now + PORT_CHECK_INTERVAL;
        }
    }
    if (now >= sw->next_expire) {
        sw->next_expire = tables_expire(sw->tables, now);
        if (tables_pending(sw->tables)) {
            switch_stage(sw, now);
        }
    }
    switch_sweep_connections(sw, now);
    if (sw->is_staged && now - sw->staged_since >= SWITCH_PUBLISH_MS) {
        switch_publish(sw);
    }

    next = MIN(next, tables_look_at_triggers(sw->tables, now));
    next = MIN(next, sw->next_expire);
    next = MIN(next, sw->next_link_check);
    if (sw->is_staged) {
        next = MIN(next, sw->staged_since + SWITCH_PUBLISH_MS);
    }
    return next;
}

/* ---- Requests ---- */

enum of_error
switch_flow_mod(struct switch_ *sw, const struct flow_mod *mod, msec now,
                struct str *why)
{
    enum of_error error = switch_check_options(sw, mod, why);

    error = error ? error : tables_flow_mod(sw->tables, mod, now, why);

    if (tables_pending(sw->tables)) {
        switch_stage(sw, now);
        /* A new timeout may be due before the next look. */
        sw->next_expire = MIN(sw->next_expire, now + 1000);
    }
    return error;
}

enum of_error
switch_group_mod(struct switch_ *sw, const struct group_mod *mod, msec now,
                 struct str *why)
{
    enum of_error error = switch_check_bucket_options(sw, mod, why);

    error = error ? error : tables_group_mod(sw->tables, mod, now, why);

    if (tables_pending(sw->tables)) {
        switch_stage(sw, now);
    }
    return error;
}

/* ---- Egress tables ---- */

enum of_error
switch_set_first_egress(struct switch_ *sw, unsigned int table)
{
    enum of_error error;

    switch_publish(sw);
    error = tables_set_first_egress(sw->tables, table);
    if (!error) {
        switch_publish(sw);
    }
    return error;
}

/* ---- Life ---- */

/* The entry of a switch that nobody controls: visible, and anybody may delete
 * it. */
static void
add_default_entry(struct switch_ *sw, msec now)
{
    struct str why = STR_INIT;
    struct flow_mod mod;

    flow_mod_init(&mod);
    mod.priority = 0;
    actions_add_output(&mod.storage[0], OFPP_NORMAL);
    flow_mod_seal(&mod);
    if (switch_flow_mod(sw, &mod, now, &why)) {
        log_error("switch", "%s: no default entry: %s", sw->config.name,
                  str_text(&why));
    }
    flow_mod_fini(&mod);
    str_fini(&why);
}

/* OpenFlow lets an entry name a port that is not there yet (1.3.5 section 6.4);
 * a number that can never be a port's is refused. */
static bool
port_can_exist(void *sw UNUSED, uint32_t port)
{
    return port_number_is_valid(port);
}

static void
entry_removed(void *sw_, const struct flow_entry *entry,
              enum flow_removed_reason reason)
{
    struct switch_ *sw = sw_;

    if (sw->watch.flow_removed) {
        sw->watch.flow_removed(sw->watch.aux, entry, reason);
    }
}

static void
entry_triggered(void *sw_, const struct flow_entry *entry)
{
    struct switch_ *sw = sw_;

    if (sw->watch.triggered) {
        sw->watch.triggered(sw->watch.aux, entry);
    }
}

static void
entry_changed(void *sw_, const struct table_event *event)
{
    struct switch_ *sw = sw_;

    if (sw->watch.entry_changed) {
        sw->watch.entry_changed(sw->watch.aux, event);
    }
}

static void
table_vacancy(void *sw_, uint8_t table, bool is_tight)
{
    struct switch_ *sw = sw_;

    if (sw->watch.vacancy) {
        sw->watch.vacancy(sw->watch.aux, table, is_tight);
    }
}

void
switch_tell_port(struct switch_ *sw, enum switch_port_event event,
                 const struct own_port *port)
{
    if (sw->watch.port_event) {
        sw->watch.port_event(sw->watch.aux, event, &port->public);
    }
}

void
switch_set_watch(struct switch_ *sw, const struct switch_watch *watch)
{
    sw->watch = watch ? *watch : (struct switch_watch) { 0 };
}

static uint64_t
id_from_name(const char *name)
{
    struct hash_key key = { 0x7765667400000000 };

    /* 48 bits, as if it were an address given locally. */
    return (hash_bytes(key, name, strlen(name)) & UINT64_C(0xfcffffffffff))
           | UINT64_C(0x020000000000);
}

static void
create_parts(struct switch_ *sw)
{
    struct tables_config tables = { .removed = entry_removed,
                                    .triggered = entry_triggered,
                                    .changed = entry_changed,
                                    .vacancy = table_vacancy,
                                    .port_exists = port_can_exist,
                                    .max_entries = sw->config.max_flows,
                                    .aux = sw };
    struct fdb_config fdb = {
        .age = sw->config.fdb_age, .max = sw->config.fdb_max,
        .max_per_port = sw->config.fdb_max_per_port,
        .max_moves = sw->config.fdb_max_moves, .restless = switch_hold_port,
        .changed = fdb_changed, .aux = sw,
    };
    struct packet_in_config packet_ins = { .ready = something_waits,
                                           .aux = sw };

    if (!sw->config.registry) {
        sw->own_registry = port_registry_create();
    }
    sw->port_env.helper = sw->config.helper;
    sw->port_env.registry = sw->own_registry ? sw->own_registry
                                             : sw->config.registry;
    sw->tables = tables_create(&tables);
    for (unsigned int i = 0; i < sw->config.n_limits; i++) {
        const struct switch_limit *limit = &sw->config.limits[i];

        tables_set_policy(sw->tables, limit->table, &limit->policy);
    }
    sw->fdb = fdb_create(&fdb);
    sw->holds = port_holds_create();
    sw->recirc = recirc_create();
    sw->learning = learning_create(something_waits, sw);
    port_maps_init(&sw->port_maps);
    meter_map_init(&sw->meters);
    sw->pipeline.env = (struct translate_env) {
        .tables = sw->tables, .learning = sw->learning, .fdb = sw->fdb,
        .holds = sw->holds, .recirc = sw->recirc,
        .ports = &sw->port_maps, .meters = &sw->meters,
        .group_key = hash_key_random(),
    };
    sw->pipeline.credits = credits_create(sw->tables, sw->fdb, sw->recirc,
                                          sw->learning);
    sw->pipeline.learning = sw->learning;
    sw->pipeline.packet_ins = packet_in_queue_create(&packet_ins);
}

static void
destroy_parts(struct switch_ *sw)
{
    packet_in_queue_destroy(sw->pipeline.packet_ins);
    credits_destroy(sw->pipeline.credits);
    meter_map_fini(&sw->meters);
    port_maps_fini(&sw->port_maps);
    learning_destroy(sw->learning);
    recirc_destroy(sw->recirc);
    port_holds_destroy(sw->holds);
    fdb_destroy(sw->fdb);
    tables_destroy(sw->tables);
    port_registry_destroy(sw->own_registry);
}

struct switch_ *
switch_create(const struct switch_config *config, msec now)
{
    struct switch_ *sw = xzalloc(sizeof *sw);
    struct datapath_calls calls;

    sw->config = *config;
    sw->names = (struct flow_text_names) { port_called, port_name, sw };
    sw->now = now;
    if (!sw->config.datapath_id) {
        sw->config.datapath_id = id_from_name(sw->config.name);
    }
    create_parts(sw);
    if (config->fail_mode != FAIL_SECURE) {
        add_default_entry(sw, now);
    }

    calls = pipeline_calls(&sw->pipeline);
    sw->dp = datapath_create(&config->datapath, &calls);
    sw->pipeline.env.dp = sw->dp;
    if (!sw->dp) {
        goto destroy_parts;
    }
    switch_publish(sw);
    sw->revalidator = revalidator_create(sw->dp, sw->pipeline.credits,
                                         sw->recirc,
                                         !config->datapath.inline_only);
    if (!sw->revalidator) {
        goto destroy_datapath;
    }
    return sw;

destroy_datapath:
    datapath_destroy(sw->dp);
destroy_parts:
    destroy_parts(sw);
    free(sw);
    return NULL;
}

void
switch_destroy(struct switch_ *sw)
{
    struct switch_port *port;

    if (!sw) {
        return;
    }
    while ((port = switch_next_port(sw, NULL))) {
        switch_delete_port(sw, port->number);
    }
    revalidator_destroy(sw->revalidator);
    datapath_destroy(sw->dp);
    destroy_parts(sw);
    rcu_flush();
    free(sw);
}

/* ---- What others ask ---- */

void
switch_set_fail_mode(struct switch_ *sw, enum fail_mode mode)
{
    sw->config.fail_mode = mode;
}

const struct switch_config *
switch_config(const struct switch_ *sw)
{
    return &sw->config;
}

struct tables *
switch_tables(const struct switch_ *sw)
{
    return sw->tables;
}

struct datapath *
switch_datapath(const struct switch_ *sw)
{
    return sw->dp;
}

struct fdb *
switch_fdb(const struct switch_ *sw)
{
    return sw->fdb;
}

struct packet_in_queue *
switch_packet_ins(const struct switch_ *sw)
{
    return sw->pipeline.packet_ins;
}

const struct flow_text_names *
switch_names(const struct switch_ *sw)
{
    return &sw->names;
}

void
switch_refresh_counters(struct switch_ *sw)
{
    bool was_online = rcu_is_online();

    if (!was_online) {
        rcu_online();
    }
    revalidate_push(sw->revalidator);
    if (!was_online) {
        rcu_offline();
    }
}

void
switch_read_revalidator(const struct switch_ *sw,
                        struct revalidate_counters *counters)
{
    revalidate_read_counters(sw->revalidator, counters);
}
