#include "host/ovs_bridge.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    /* Ports in one transaction: the database answers each before the next. */
    MAX_CHANGES = 256,
};

struct ovs_bridge {
    char *name, *instance;
    json_t *rows;                 /* {table: {uuid: {column: value}}} */
    json_t *uuids;                /* {table: {name: uuid}} */
    json_t *members;              /* {uuid: true}: the bridge's ports */
};

static const char *const tables[] = {
    "Open_vSwitch", "Bridge", "Port", "Interface",
};

json_t *
ovs_bridge_monitored(void)
{
    return json_pack(
        "{s:{s:[s, s]}, s:{s:[s, s, s, s]}, s:{s:[s, s, s]}, "
        "s:{s:[s, s, s, s]}}",
        "Open_vSwitch", "columns", "next_cfg", "cur_cfg",
        "Bridge", "columns", "name", "ports", "fail_mode", "external_ids",
        "Port", "columns", "name", "interfaces", "external_ids",
        "Interface", "columns", "name", "ofport", "error", "options");
}

void
ovs_bridge_clear(struct ovs_bridge *bridge)
{
    json_object_clear(bridge->rows);
    json_object_clear(bridge->uuids);
    json_object_clear(bridge->members);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        json_object_set_new(bridge->rows, tables[i], json_object());
        json_object_set_new(bridge->uuids, tables[i], json_object());
    }
}

struct ovs_bridge *
ovs_bridge_create(const char *name, const char *instance)
{
    struct ovs_bridge *bridge = xzalloc(sizeof *bridge);

    bridge->name = xstrdup(name);
    bridge->instance = xstrdup(instance);
    bridge->rows = json_object();
    bridge->uuids = json_object();
    bridge->members = json_object();
    ovs_bridge_clear(bridge);
    return bridge;
}

void
ovs_bridge_destroy(struct ovs_bridge *bridge)
{
    if (bridge) {
        json_decref(bridge->rows);
        json_decref(bridge->uuids);
        json_decref(bridge->members);
        free(bridge->name);
        free(bridge->instance);
        free(bridge);
    }
}

/* ---- What is there ---- */

static void
update_row(json_t *rows, json_t *uuids, const char *uuid, const json_t *change)
{
    const char *old = json_string_value(
        json_object_get(json_object_get(rows, uuid), "name"));
    json_t *row = json_object_get(change, "new");
    const char *name = json_string_value(json_object_get(row, "name"));

    /* Another row may have the name by now. */
    if (old) {
        const char *owner = json_string_value(json_object_get(uuids, old));

        if (owner && !strcmp(owner, uuid)) {
            json_object_del(uuids, old);
        }
    }
    if (!json_is_object(row)) {
        json_object_del(rows, uuid);
        return;
    }
    if (name) {
        json_object_set_new(uuids, name, json_string(uuid));
    }
    json_object_set(rows, uuid, row);
}

static const json_t *row_of(const struct ovs_bridge *, const char *table,
                            const char *name);

static void
add_member(struct ovs_bridge *bridge, const json_t *uuid)
{
    if (json_is_string(uuid)) {
        json_object_set_new(bridge->members, json_string_value(uuid),
                            json_true());
    }
}

/* Of ["uuid", x], the only element, or ["set", [["uuid", x], ...]]. */
static void
find_members(struct ovs_bridge *bridge)
{
    const json_t *ports = json_object_get(row_of(bridge, "Bridge",
                                                 bridge->name), "ports");
    const char *kind = json_string_value(json_array_get(ports, 0));
    const json_t *element;
    size_t i;

    json_object_clear(bridge->members);
    if (kind && !strcmp(kind, "uuid")) {
        add_member(bridge, json_array_get(ports, 1));
        return;
    }
    json_array_foreach (json_array_get(ports, 1), i, element) {
        add_member(bridge, json_array_get(element, 1));
    }
}

void
ovs_bridge_update(struct ovs_bridge *bridge, const json_t *updates)
{
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        json_t *rows = json_object_get(bridge->rows, tables[i]);
        json_t *uuids = json_object_get(bridge->uuids, tables[i]);
        json_t *change;
        const char *uuid;

        json_object_foreach (json_object_get(updates, tables[i]), uuid,
                             change) {
            update_row(rows, uuids, uuid, change);
        }
    }
    if (json_object_get(updates, "Bridge")) {
        find_members(bridge);
    }
}

static const char *
uuid_of(const struct ovs_bridge *bridge, const char *table, const char *name)
{
    return json_string_value(
        json_object_get(json_object_get(bridge->uuids, table), name));
}

/* NULL: there is none. */
static const json_t *
row_of(const struct ovs_bridge *bridge, const char *table, const char *name)
{
    const char *uuid = uuid_of(bridge, table, name);

    return uuid ? json_object_get(json_object_get(bridge->rows, table), uuid)
                : NULL;
}

/* Of ["map", [[key, value], ...]]. */
static bool
is_marked(const struct ovs_bridge *bridge, const json_t *row)
{
    const json_t *pair;
    size_t i;

    json_array_foreach (json_array_get(json_object_get(row, "external_ids"),
                                       1), i, pair) {
        const char *key = json_string_value(json_array_get(pair, 0));
        const char *value = json_string_value(json_array_get(pair, 1));

        if (key && value && !strcmp(key, "weft")) {
            return !strcmp(value, bridge->instance);
        }
    }
    return false;
}

static bool
is_on_bridge(const struct ovs_bridge *bridge, const char *port)
{
    const char *uuid = uuid_of(bridge, "Port", port);

    return uuid && json_object_get(bridge->members, uuid);
}

bool
ovs_bridge_is_ours(const struct ovs_bridge *bridge)
{
    return is_marked(bridge, row_of(bridge, "Bridge", bridge->name));
}

int
ovs_bridge_port(const struct ovs_bridge *bridge, const char *name,
                struct str *why)
{
    const json_t *row = row_of(bridge, "Interface", name);
    const char *error = json_string_value(json_object_get(row, "error"));

    if (!row || !is_on_bridge(bridge, name)) {
        return -ENOENT;
    }
    if (json_integer_value(json_object_get(row, "ofport")) > 0) {
        return 0;
    }
    str_setf(why, "Open vSwitch: %s", error ? error
                                            : "it has not opened it yet");
    return -ENODEV;
}

/* ---- What is to be changed ---- */

static json_t *
where_uuid(const char *uuid)
{
    return json_pack("[[s, s, [s, s]]]", "_uuid", "==", "uuid", uuid);
}

static json_t *
mark(const struct ovs_bridge *bridge)
{
    return json_pack("[s, [[s, s]]]", "map", "weft", bridge->instance);
}

/* {"key": "flow"} -> ["map", [["key", "flow"]]]; NULL: none. */
static json_t *
map_of(const json_t *options)
{
    json_t *pairs = json_array(), *value;
    const char *key;

    /* Only read; the macro wants one that may be written. */
    json_object_foreach ((json_t *) (uintptr_t) options, key, value) {
        json_array_append_new(pairs, json_pack("[s, O]", key, value));
    }
    return json_pack("[s, o]", "map", pairs);
}

/* Is that what the row's column has, in whatever order? */
static bool
has_options(const json_t *row, const json_t *options)
{
    const json_t *pairs = json_array_get(json_object_get(row, "options"), 1);
    const json_t *pair;
    size_t i;

    json_array_foreach (pairs, i, pair) {
        const char *key = json_string_value(json_array_get(pair, 0));

        if (!key || !json_equal(json_array_get(pair, 1),
                                json_object_get(options, key))) {
            return false;
        }
    }
    return json_array_size(pairs) == json_object_size(options);
}

/* `kind`: "named-uuid" of a row that this transaction inserts, or "uuid". */
static void
mutate_ports(json_t *operations, const char *bridge_uuid, const char *verb,
             const char *kind, const char *uuid)
{
    json_array_append_new(operations, json_pack(
        "{s:s, s:s, s:o, s:[[s, s, [s, [[s, s]]]]]}", "op", "mutate",
        "table", "Bridge", "where", where_uuid(bridge_uuid), "mutations",
        "ports", verb, "set", kind, uuid));
}

static void
insert_interface(json_t *operations, const char *name, const char *type,
                 const json_t *options, const char *symbol)
{
    json_array_append_new(operations, json_pack(
        "{s:s, s:s, s:{s:s, s:s, s:o}, s:s}", "op", "insert", "table",
        "Interface", "row", "name", name, "type", type, "options",
        map_of(options), "uuid-name", symbol));
}

static void
insert_port(const struct ovs_bridge *bridge, json_t *operations,
            const char *name, const char *interface, const char *symbol)
{
    json_array_append_new(operations, json_pack(
        "{s:s, s:s, s:{s:s, s:[s, s], s:o}, s:s}", "op", "insert", "table",
        "Port", "row", "name", name, "interfaces", "named-uuid", interface,
        "external_ids", mark(bridge), "uuid-name", symbol));
}

static json_t *
protocols(void)
{
    return json_pack("[s, [s, s, s, s]]", "set", "OpenFlow10", "OpenFlow13",
                     "OpenFlow14", "OpenFlow15");
}

/* With its own internal port, as every bridge of Open vSwitch has. */
static void
insert_bridge(const struct ovs_bridge *bridge, json_t *operations)
{
    insert_interface(operations, bridge->name, "internal", NULL,
                     "own_interface");
    insert_port(bridge, operations, bridge->name, "own_interface",
                "own_port");
    json_array_append_new(operations, json_pack(
        "{s:s, s:s, s:{s:s, s:s, s:s, s:o, s:o, s:[s, s]}, s:s}", "op",
        "insert", "table", "Bridge", "row", "name", bridge->name,
        "datapath_type", "netdev", "fail_mode", "secure", "protocols",
        protocols(), "external_ids", mark(bridge), "ports", "named-uuid",
        "own_port", "uuid-name", "own_bridge"));
    json_array_append_new(operations, json_pack(
        "{s:s, s:s, s:[], s:[[s, s, [s, [[s, s]]]]]}", "op", "mutate",
        "table", "Open_vSwitch", "where", "mutations", "bridges", "insert",
        "set", "named-uuid", "own_bridge"));
}

/* One that an operator made and marked: without a controller of its own it must
 * not forward as a learning bridge. */
static void
secure_bridge(const struct ovs_bridge *bridge, json_t *operations)
{
    const json_t *row = row_of(bridge, "Bridge", bridge->name);
    const char *mode = json_string_value(json_object_get(row, "fail_mode"));

    if (mode && !strcmp(mode, "secure")) {
        return;
    }
    json_array_append_new(operations, json_pack(
        "{s:s, s:s, s:o, s:{s:s, s:o}}", "op", "update", "table", "Bridge",
        "where", where_uuid(uuid_of(bridge, "Bridge", bridge->name)), "row",
        "fail_mode", "secure", "protocols", protocols()));
}

/* The names of those that stay. */
static json_t *
names_of(unsigned int n, const struct ovs_wanted *wanted)
{
    json_t *names = json_object();

    for (unsigned int i = 0; i < n; i++) {
        if (!wanted[i].is_anew) {
            json_object_set_new(names, wanted[i].name, json_true());
        }
    }
    return names;
}

/* ovs-vswitchd looks at the database now and then: a port that went and came in
 * between it keeps, with the device that it has open. */
static bool
is_caught_up(const struct ovs_bridge *bridge)
{
    json_t *rows = json_object_get(bridge->rows, "Open_vSwitch");
    const char *uuid;
    json_t *row;

    json_object_foreach (rows, uuid, row) {
        if (json_integer_value(json_object_get(row, "next_cfg"))
            > json_integer_value(json_object_get(row, "cur_cfg"))) {
            return false;
        }
    }
    return true;
}

/* It says when it has seen this (cur_cfg). */
static void
ask_to_catch_up(json_t *operations)
{
    json_array_append_new(operations, json_pack(
        "{s:s, s:s, s:[], s:[[s, s, i]]}", "op", "mutate", "table",
        "Open_vSwitch", "where", "mutations", "next_cfg", "+=", 1));
}

static void
delete_ports(const struct ovs_bridge *bridge, json_t *operations,
             unsigned int n, const struct ovs_wanted *wanted)
{
    const char *bridge_uuid = uuid_of(bridge, "Bridge", bridge->name);
    json_t *ports = json_object_get(bridge->uuids, "Port");
    json_t *stay = names_of(n, wanted);
    bool has_any = false;
    const char *name;
    json_t *uuid;

    json_object_foreach (ports, name, uuid) {
        if (json_array_size(operations) < MAX_CHANGES
            && strcmp(name, bridge->name) && is_on_bridge(bridge, name)
            && is_marked(bridge, row_of(bridge, "Port", name))
            && !json_object_get(stay, name)) {
            mutate_ports(operations, bridge_uuid, "delete", "uuid",
                         json_string_value(uuid));
            has_any = true;
        }
    }
    if (has_any) {
        ask_to_catch_up(operations);
    }
    json_decref(stay);
}

/* Only of ports of ours. */
static void
change_options(const struct ovs_bridge *bridge, json_t *operations,
               unsigned int n, const struct ovs_wanted *wanted)
{
    for (unsigned int i = 0; i < n
         && json_array_size(operations) < MAX_CHANGES; i++) {
        const char *name = wanted[i].name;
        const json_t *row = row_of(bridge, "Interface", name);

        if (wanted[i].options && row && is_on_bridge(bridge, name)
            && is_marked(bridge, row_of(bridge, "Port", name))
            && !has_options(row, wanted[i].options)) {
            json_array_append_new(operations, json_pack(
                "{s:s, s:s, s:o, s:{s:o}}", "op", "update", "table",
                "Interface", "where",
                where_uuid(uuid_of(bridge, "Interface", name)), "row",
                "options", map_of(wanted[i].options)));
        }
    }
}

static void
insert_ports(const struct ovs_bridge *bridge, json_t *operations,
             unsigned int n, const struct ovs_wanted *wanted,
             struct str *refusal)
{
    const char *bridge_uuid = uuid_of(bridge, "Bridge", bridge->name);

    for (unsigned int i = 0; i < n
         && json_array_size(operations) < MAX_CHANGES; i++) {
        const char *name = wanted[i].name;
        char interface[24], port[24];

        if (is_on_bridge(bridge, name)) {
            continue;
        }
        if (uuid_of(bridge, "Port", name)
            || uuid_of(bridge, "Interface", name)) {
            str_setf(refusal, "Open vSwitch has a port '%s' already, on "
                     "another bridge", name);
            continue;
        }
        snprintf(interface, sizeof interface, "interface%u", i);
        snprintf(port, sizeof port, "port%u", i);
        insert_interface(operations, name, wanted[i].type,
                         wanted[i].options, interface);
        insert_port(bridge, operations, name, interface, port);
        mutate_ports(operations, bridge_uuid, "insert", "named-uuid", port);
    }
}

json_t *
ovs_bridge_change(const struct ovs_bridge *bridge, unsigned int n,
                  const struct ovs_wanted *wanted, bool is_whole,
                  struct str *refusal)
{
    json_t *operations = json_array();

    str_clear(refusal);
    if (!row_of(bridge, "Bridge", bridge->name)) {
        insert_bridge(bridge, operations);
    } else if (!ovs_bridge_is_ours(bridge)) {
        str_setf(refusal, "Open vSwitch's bridge %s is not ours; `ovs-vsctl "
                 "br-set-external-id %s weft %s` makes it so (its flow "
                 "entries go), or give weftd another --switch NAME",
                 bridge->name, bridge->name, bridge->instance);
    } else {
        secure_bridge(bridge, operations);
        if (is_whole) {
            delete_ports(bridge, operations, n, wanted);
        }
        change_options(bridge, operations, n, wanted);
        if (is_caught_up(bridge)) {
            insert_ports(bridge, operations, n, wanted, refusal);
        }
    }
    if (!json_array_size(operations)) {
        json_decref(operations);
        return NULL;
    }
    return operations;
}
