#include "host/plug_ovs.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/ovs_bridge.h"
#include "host/ovsdb.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "port/nic.h"
#include "port/options.h"

enum { RETRY_MS = 1000 };         /* after a transaction that was refused */

/* A port that is wanted. */
struct ovs_port {
    struct helper_device_spec spec;
    char ovs_name[IFNAMSIZ];
    enum helper_kind kind;
    bool is_internal;             /* its device is made by ovs-vswitchd */
    const char *tunnel;           /* "vxlan": there is no device; NULL: none */
    json_t *options;              /* a tunnel's, as Open vSwitch calls them */
    uint32_t handle;              /* the helper's; 0: the device is not open */
    bool is_anew;                 /* its row speaks of a device that is gone */
};

struct plug_ovs {
    struct plug_ovs_config config;
    struct ovsdb *db;
    struct ovs_bridge *bridge;
    unsigned int n_ports;
    struct ovs_port **ports;
    struct ovs_wanted *wanted;    /* room for n_ports */
    bool is_settled;
    bool is_dirty;                /* something may differ from what is wanted */
    msec retry_at;
    struct str refusal;           /* why something is not done */
    struct str rejected;          /* what the database said last */
    atomic_bool is_ours;
};

/* ---- The rows ---- */

/* What differs, as one transaction; when it was answered, the next. */
static void
reconcile(struct plug_ovs *ovs)
{
    json_t *operations;

    if (!ovs->is_dirty || !ovsdb_is_ready(ovs->db)
        || ovsdb_is_busy(ovs->db) || clock_msec() < ovs->retry_at) {
        return;
    }
    for (unsigned int i = 0; i < ovs->n_ports; i++) {
        struct ovs_port *port = ovs->ports[i];
        int err = ovs_bridge_port(ovs->bridge, port->ovs_name, NULL);

        port->is_anew = port->is_anew && err != -ENOENT;
        ovs->wanted[i] = (struct ovs_wanted) {
            port->ovs_name,
            port->tunnel ? port->tunnel : port->is_internal ? "internal" : "",
            port->options, port->is_anew,
        };
    }
    operations = ovs_bridge_change(ovs->bridge, ovs->n_ports, ovs->wanted,
                                   ovs->is_settled, &ovs->refusal);
    ovs->is_dirty = operations;
    if (operations) {
        ovsdb_transact(ovs->db, operations);
    }
}

static void
begin(void *ovs_)
{
    struct plug_ovs *ovs = ovs_;

    ovs_bridge_clear(ovs->bridge);
}

static void
update(void *ovs_, const json_t *updates)
{
    struct plug_ovs *ovs = ovs_;

    ovs_bridge_update(ovs->bridge, updates);
    ovs->is_dirty = true;
    atomic_store(&ovs->is_ours, ovs_bridge_is_ours(ovs->bridge));
}

static void
answered(void *ovs_, const char *error)
{
    struct plug_ovs *ovs = ovs_;

    if (error) {
        log_limited(LOG_LEVEL_WARN, "ovsdb", "%s: %s", ovs->config.bridge,
                    error);
        ovs->retry_at = clock_msec() + RETRY_MS;
    }
    str_setf(&ovs->rejected, "%s", error ? error : "");
}

static void
woken(void *ovs_)
{
    struct plug_ovs *ovs = ovs_;

    reconcile(ovs);
    ovs->config.woken(ovs->config.aux);
}

/* ---- The devices ---- */

static struct ovs_port **
find(struct plug_ovs *ovs, const char *name)
{
    for (unsigned int i = 0; i < ovs->n_ports; i++) {
        if (!strcmp(ovs->ports[i]->spec.port, name)) {
            return &ovs->ports[i];
        }
    }
    return NULL;
}

static void
ovs_port_destroy(struct ovs_port *port)
{
    json_decref(port->options);
    free(port);
}

/* Those of ours that it has, too; what it has not are an MTU, which it takes from
 * the route, and groups. */
static void
read_tunnel(const struct port_config *config, const char *type,
            struct ovs_port *port)
{
    static const char *const names[][2] = {
        { "remote", "remote_ip" }, { "local", "local_ip" }, { "key", "key" },
    };

    if (port_config_get(config, "groups")) {
        log_limited(LOG_LEVEL_WARN, "ovs", "%s: Open vSwitch joins no "
                    "multicast groups: what is sent to %s does not arrive "
                    "here", config->name, port_config_get(config, "groups"));
    }
    port->tunnel = type;
    port->options = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = port_config_get(config, names[i][0]);

        if (value) {
            json_object_set_new(port->options, names[i][1],
                                json_string(value));
        }
    }
    snprintf(port->spec.port, sizeof port->spec.port, "%s", config->name);
    snprintf(port->ovs_name, sizeof port->ovs_name, "%.15s", config->name);
}

/* The type, which lives on; NULL: it is none of a tunnel. */
static const char *
tunnel_type(const struct port_config *config)
{
    static const char *const types[] = { "vxlan", "gre", "geneve" };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(config->type, types[i])) {
            return types[i];
        }
    }
    return NULL;
}

/* Which kind of device the configuration means, here. */
static int
find_kind(const struct port *as_port, struct ovs_port *port,
          struct str *error)
{
    const char *type = as_port->config.type;
    bool is_vm = false;

    if (!strcmp(type, "netdev")) {
        port->kind = HELPER_NETDEV;
        return option_bool(as_port, "bare", &port->spec.must_be_bare, error);
    }
    if (port->spec.take_over[0]) {
        /* Only wanted where it is possible; without it a device that has the
         * host's addresses is refused. */
        str_setf(error, "port '%s': no port of Open vSwitch stands in for a "
                 "device of the host", as_port->config.name);
        return -EADDRNOTAVAIL;
    }
    if (!strcmp(type, "internal")) {
        port->kind = HELPER_NETDEV;
        port->is_internal = port->spec.is_hosts = true;
        port->spec.mtu = 0;       /* ovs-vswitchd's choice */
        return 0;
    }
    if (strcmp(type, "tap") && strcmp(type, "veth")) {
        str_setf(error, "port '%s': Open vSwitch has no ports of type %s",
                 as_port->config.name, type);
        return -EOPNOTSUPP;
    }
    port->kind = HELPER_VETH;
    if (!option_bool(as_port, "vm", &is_vm, NULL) && is_vm) {
        port->kind = HELPER_VM_TAP;
    }
    return 0;
}

static int
read_config(const struct port_config *config, struct ovs_port *port,
            struct str *error)
{
    struct port as_port = { .config = *config };
    const char *tunnel = tunnel_type(config);
    int err;

    if (tunnel) {
        read_tunnel(config, tunnel, port);
        return 0;
    }
    err = nic_parse(&as_port, &port->spec, error);
    if (!err) {
        err = find_kind(&as_port, port, error);
    }
    if (!err) {
        port->spec.is_lent = true;
        snprintf(port->ovs_name, sizeof port->ovs_name, "%.15s",
                 port->kind == HELPER_VETH ? port->spec.port
                                           : port->spec.device);
    }
    return err;
}

static int
open_device(struct plug_ovs *ovs, struct ovs_port *port, struct str *error)
{
    struct helper_device device;
    int err = helper_open_device(ovs->config.helper, port->kind, &port->spec,
                                 &device, error);

    if (err) {
        return err;
    }
    for (unsigned int i = 0; i < device.n_fds; i++) {
        close(device.fds[i]);     /* the helper's is enough */
    }
    port->handle = device.handle;
    return 0;
}

static int
plug_in(void *ovs_, const struct port_config *config, struct str *error)
{
    struct plug_ovs *ovs = ovs_;
    struct ovs_port *port = xzalloc(sizeof *port);
    int err = read_config(config, port, error);

    /* One of ovs-vswitchd's own is there when it has seen the row. */
    if (!err && !port->is_internal && !port->tunnel) {
        err = open_device(ovs, port, error);
    }
    if (err) {
        ovs_port_destroy(port);
        return err;
    }
    ovs->ports = xrealloc(ovs->ports,
                          (ovs->n_ports + 1) * sizeof *ovs->ports);
    ovs->wanted = xrealloc(ovs->wanted,
                           (ovs->n_ports + 1) * sizeof *ovs->wanted);
    ovs->ports[ovs->n_ports++] = port;
    ovs->is_dirty = true;
    reconcile(ovs);
    return 0;
}

static int
plug_out(void *ovs_, const char *name)
{
    struct plug_ovs *ovs = ovs_;
    struct ovs_port **port = find(ovs, name);

    if (!port) {
        return -ENOENT;
    }
    if ((*port)->handle) {
        helper_release_device(ovs->config.helper, (*port)->handle);
    }
    ovs_port_destroy(*port);
    *port = ovs->ports[--ovs->n_ports];
    ovs->is_dirty = true;
    reconcile(ovs);
    return 0;
}

/* Its container was started again, or its device came back. */
static void
open_again(struct plug_ovs *ovs, struct ovs_port *port)
{
    if (port->handle) {
        helper_release_device(ovs->config.helper, port->handle);
        port->handle = 0;
        port->is_anew = !port->is_internal;
    }
    if (!open_device(ovs, port, NULL)) {
        ovs->is_dirty = true;
        reconcile(ovs);
    }
}

/* A device that went gets its flags back from ovs-vswitchd, by its name: when the
 * next one of that name was there before, that one is set down.  Devices that
 * are not ours are up or down as their owner says. */
static void
keep_up(struct plug_ovs *ovs, const struct ovs_port *port,
        const struct link_info *link)
{
    struct str error = STR_INIT;

    if (link->is_up || port->kind == HELPER_NETDEV) {
        return;
    }
    if (helper_set_link(ovs->config.helper, port->handle, LINK_UP, 0, NULL,
                        &error)) {
        log_limited(LOG_LEVEL_WARN, "ovs", "%s: %s", port->ovs_name,
                    str_text(&error));
    }
    str_fini(&error);
}

static int
plug_check(void *ovs_, const char *name, struct str *why)
{
    struct plug_ovs *ovs = ovs_;
    struct ovs_port **port = find(ovs, name);
    struct link_info link;
    int err;

    if (!port) {
        return -ENOENT;
    }
    if ((*port)->tunnel) {
        /* Nothing but its row. */
    } else if (!(*port)->handle
               || helper_get_link(ovs->config.helper, (*port)->handle,
                                  &link)) {
        open_again(ovs, *port);
    } else {
        keep_up(ovs, *port, &link);
    }
    if (!(*port)->handle && !(*port)->is_internal && !(*port)->tunnel) {
        return -ENODEV;
    }
    reconcile(ovs);
    err = ovs_bridge_port(ovs->bridge, (*port)->ovs_name, why);
    if (err == -ENOENT || !ovsdb_is_ready(ovs->db)) {
        str_setf(why, "%s", plug_ovs_reason(ovs));
        if (!why->len) {
            str_setf(why, "Open vSwitch has not got it yet");
        }
        err = -ENODEV;
    }
    return (*port)->handle || (*port)->tunnel ? err : -ENODEV;
}

/* MTU and inside, as they shall be now. */
static int
configure_device(struct plug_ovs *ovs, const struct ovs_port *port,
                 const struct helper_device_spec *spec, struct str *error)
{
    int err = 0;

    if (spec->mtu && spec->mtu != port->spec.mtu) {
        err = helper_set_link(ovs->config.helper, port->handle, LINK_KEEP,
                              spec->mtu, NULL, error);
    }
    /* A VM's inside is its own. */
    return err || (port->kind != HELPER_VETH && !port->is_internal)
           ? err : helper_set_inside(ovs->config.helper, port->handle,
                                     &spec->inside, error);
}

static int
plug_configure(void *ovs_, const struct port_config *config,
               struct str *error)
{
    struct plug_ovs *ovs = ovs_;
    struct ovs_port **port = find(ovs, config->name);
    struct ovs_port wanted = { .tunnel = NULL };
    int err;

    if (!port) {
        return -ENOENT;
    }
    if ((*port)->tunnel) {
        err = read_config(config, &wanted, error);
        json_decref(wanted.options);
        return err;
    }
    err = read_config(config, &wanted, error);
    if (!err && (*port)->handle && wanted.spec.mtu
        && wanted.spec.mtu != (*port)->spec.mtu) {
        err = helper_set_link(ovs->config.helper, (*port)->handle, LINK_KEEP,
                              wanted.spec.mtu, NULL, error);
    }
    if (!err) {
        (*port)->spec.mtu = wanted.spec.mtu;
    }
    if (!err && (*port)->handle) {
        err = configure_device(ovs, *port, &wanted.spec, error);
    }
    if (!err) {
        (*port)->spec.inside = wanted.spec.inside;
        (*port)->spec.mtu = wanted.spec.mtu;
    }
    return err;
}

/* ---- The front ---- */

struct plug_ovs *
plug_ovs_create(const struct plug_ovs_config *config)
{
    struct plug_ovs *ovs = xzalloc(sizeof *ovs);
    json_t *monitored = ovs_bridge_monitored();
    const struct ovsdb_config db = {
        .loop = config->loop, .path = config->path,
        .database = "Open_vSwitch", .monitored = monitored,
        .begin = begin, .update = update, .answered = answered,
        .woken = woken, .aux = ovs,
    };

    ovs->config = *config;
    ovs->bridge = ovs_bridge_create(config->bridge, config->instance);
    ovs->db = ovsdb_create(&db);
    json_decref(monitored);
    return ovs;
}

void
plug_ovs_destroy(struct plug_ovs *ovs)
{
    if (!ovs) {
        return;
    }
    ovsdb_destroy(ovs->db);
    ovs_bridge_destroy(ovs->bridge);
    for (unsigned int i = 0; i < ovs->n_ports; i++) {
        ovs_port_destroy(ovs->ports[i]);
    }
    free(ovs->ports);
    free(ovs->wanted);
    str_fini(&ovs->refusal);
    str_fini(&ovs->rejected);
    free(ovs);
}

struct plug
plug_ovs(struct plug_ovs *ovs)
{
    return (struct plug) { plug_in, plug_out, plug_check, plug_configure,
                           ovs, 0 };
}

void
plug_ovs_settle(struct plug_ovs *ovs)
{
    ovs->is_settled = ovs->is_dirty = true;
    reconcile(ovs);
}

bool
plug_ovs_is_ours(const struct plug_ovs *ovs)
{
    return atomic_load(&ovs->is_ours);
}

const char *
plug_ovs_reason(const struct plug_ovs *ovs)
{
    return !ovsdb_is_ready(ovs->db) ? ovsdb_reason(ovs->db)
           : ovs->refusal.len       ? str_text(&ovs->refusal)
                                    : str_text(&ovs->rejected);
}
