#include "weftd_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "intent/object.h"
#include "lib/log.h"
#include "openflow/openflow.h"

enum { TUNNEL_PROBE_LEAST = 100, TUNNEL_PROBE_DEFAULT = 10 * 1000 };  /* ms */

typedef int option_set(struct weftd_options *, const char *value,
                       struct str *error);

static int
take_number(const char *value, uint64_t min, uint64_t max, uint64_t *number,
            struct str *error)
{
    char *end;

    errno = 0;
    *number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || *number < min
        || *number > max) {
        str_addf(error, "expected a number from %llu to %llu",
                 (unsigned long long) min, (unsigned long long) max);
        return -EINVAL;
    }
    return 0;
}

#define NUMBER_OPTION(NAME, MEMBER, MIN_VALUE, MAX_VALUE)                    \
    static int set_##NAME(struct weftd_options *options, const char *value,  \
                          struct str *error)                                 \
    {                                                                        \
        uint64_t number;                                                     \
        int err = take_number(value, MIN_VALUE, MAX_VALUE, &number, error);  \
                                                                             \
        if (!err) {                                                          \
            options->MEMBER = (__typeof__(options->MEMBER)) number;          \
        }                                                                    \
        return err;                                                          \
    }

NUMBER_OPTION(workers, sw.datapath.n_workers, 1, DP_MAX_WORKERS)
NUMBER_OPTION(cache_entries, sw.datapath.max_entries, 64, 1 << 24)
NUMBER_OPTION(cache_masks, sw.datapath.max_masks, 1, 65536)
NUMBER_OPTION(max_connections, sw.datapath.ct.max_connections, 1024, 1 << 28)
NUMBER_OPTION(zone_connections, zone_connections, 0, UINT32_MAX - 1)
NUMBER_OPTION(save_connections, save_connections, 0, 86400)
NUMBER_OPTION(port_share, sw.datapath.port_share, 1, 1024)
NUMBER_OPTION(upcalls, sw.datapath.upcalls_per_second, 0, UINT32_MAX)
NUMBER_OPTION(probe_interval, connections.probe_interval, 0, 1000000)
NUMBER_OPTION(auxiliary, connections.n_auxiliary, 0,
              CONNECTIONS_MAX_AUXILIARY)
NUMBER_OPTION(packet_in_rate, connections.packet_in_rate, 0, 100000000)
NUMBER_OPTION(fdb_age, sw.fdb_age, 1, 1000000)
NUMBER_OPTION(fdb_max, sw.fdb_max, 1, 1 << 24)
NUMBER_OPTION(fdb_max_moves, sw.fdb_max_moves, 0, 1000000)
NUMBER_OPTION(fdb_max_per_port, sw.fdb_max_per_port, 1, 1 << 24)

static int
set_switch(struct weftd_options *options, const char *value,
           struct str *error)
{
    /* It names files, and a port of this name is the switch's own. */
    if (!*value || strlen(value) >= sizeof options->sw.name
        || value[strspn(value, "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")]
        || *value == '.') {
        str_addf(error, "expected up to %zu letters, digits, . _ and -",
                 sizeof options->sw.name - 1);
        return -EINVAL;
    }
    strcpy(options->sw.name, value);
    return 0;
}

static int
set_datapath_id(struct weftd_options *options, const char *value,
                struct str *error)
{
    size_t n_digits;

    if (!strncmp(value, "0x", 2)) {
        value += 2;
    }
    n_digits = strspn(value, "0123456789abcdefABCDEF");
    if (!n_digits || n_digits > 16 || value[n_digits]) {
        str_add(error, "expected up to 16 hexadecimal digits");
        return -EINVAL;
    }
    options->sw.datapath_id = strtoull(value, NULL, 16);
    return 0;
}

static int
set_fail_mode(struct weftd_options *options, const char *value,
              struct str *error)
{
    options->has_fail_mode = true;
    if (!strcmp(value, "secure")) {
        options->sw.fail_mode = FAIL_SECURE;
        options->connections.is_standalone = false;
    } else if (!strcmp(value, "standalone")) {
        options->sw.fail_mode = FAIL_STANDALONE;
        options->connections.is_standalone = true;
    } else {
        str_add(error, "expected secure or standalone");
        return -EINVAL;
    }
    return 0;
}

static int
set_port(struct weftd_options *options, const char *value, struct str *error)
{
    struct port_spec spec;
    int err = port_spec_parse(value, &spec, error);

    if (err) {
        return err;
    }
    options->ports = xrealloc(options->ports, (options->n_ports + 1)
                                                  * sizeof *options->ports);
    options->ports[options->n_ports++] = spec;
    return 0;
}

/* Appends to a list of methods of one direction. */
static int
add_method(struct weftd_options *options, const char ***list,
           unsigned int *n, bool is_passive, const char *value,
           struct str *error)
{
    struct of_method method;
    int err = of_method_parse(value, &method, error);

    if (err) {
        return err;
    }
    if (method.is_passive != is_passive) {
        str_add(error, is_passive ? "expected ptcp:, ptls: or punix:"
                                  : "expected tcp:, tls: or unix:");
        return -EINVAL;
    }
    if (method.is_tls) {
        options->tls_method = value;
    }
    *list = xrealloc(*list, (*n + 1) * sizeof **list);
    (*list)[(*n)++] = value;
    return 0;
}

static int
set_controller(struct weftd_options *options, const char *value,
               struct str *error)
{
    return add_method(options, &options->controllers,
                      &options->n_controllers, false, value, error);
}

static int
set_listen(struct weftd_options *options, const char *value,
           struct str *error)
{
    return add_method(options, &options->listeners, &options->n_listeners,
                      true, value, error);
}

static int
set_ovsdb(struct weftd_options *options, const char *value,
          struct str *error)
{
    size_t room = sizeof ((struct sockaddr_un *) 0)->sun_path;

    if (!strcmp(value, "none")) {
        options->ovsdb = NULL;
        return 0;
    }
    if (strncmp(value, "unix:/", 6) || strlen(value + 5) >= room) {
        str_addf(error, "expected none or unix:PATH, a socket's path of up to "
                 "%zu characters", room - 1);
        return -EINVAL;
    }
    options->ovsdb = value + 5;
    return 0;
}

static int
set_drive(struct weftd_options *options, const char *value,
          struct str *error)
{
    struct of_method method;
    int err = of_method_parse(value, &method, error);

    if (!err && (method.is_passive || method.is_tls
                 || strlen(value) >= sizeof options->drives)) {
        str_add(error, "expected tcp:IP[:PORT] or unix:PATH");
        err = -EINVAL;
    }
    if (!err) {
        strcpy(options->drives, value);
    }
    return err;
}

static int
set_openflow(struct weftd_options *options, const char *value,
             struct str *error)
{
    uint32_t versions = 0;

    for (const char *p = value; *p; p += strspn(p, ",")) {
        size_t len = strcspn(p, ",");
        uint32_t bit = 0;

        for (unsigned int v = OF10; v <= OF15; v++) {
            const char *name = of_version_name((enum of_version) v);

            if (strlen(name) == len && !strncmp(name, p, len)) {
                bit = 1u << v;
            }
        }
        if (!bit) {
            str_add(error, "expected a list of OpenFlow10, OpenFlow13, "
                           "OpenFlow14 and OpenFlow15");
            return -EINVAL;
        }
        versions |= bit;
        p += len;
    }
    options->openflow_versions = versions;
    return 0;
}

/* N, TABLE=N or TABLE=N:evict */
static int
set_flow_limit(struct weftd_options *options, const char *value,
               struct str *error)
{
    const char *equals = strchr(value, '=');
    const char *count = equals ? equals + 1 : value;
    const char *colon = equals ? strchr(count, ':') : NULL;
    struct switch_limit limit = { 0 };
    struct str text = STR_INIT;
    uint64_t n, table = 0;
    int err;

    if (equals) {
        str_add_bytes(&text, value, (size_t) (equals - value));
        err = take_number(str_text(&text), 0, OFPTT_MAX, &table, error);
        if (err) {
            goto free_text;
        }
    }
    str_clear(&text);
    limit.policy.evicts = colon && !strcmp(colon, ":evict");
    str_add_bytes(&text, count, limit.policy.evicts ? (size_t) (colon - count)
                                                    : strlen(count));
    err = take_number(str_text(&text), 1, UINT32_MAX, &n, error);
    if (err) {
        goto free_text;
    }
    if (!equals) {
        options->sw.max_flows = (uint32_t) n;
        goto free_text;
    }
    limit.table = (uint8_t) table;
    limit.policy.max_entries = (uint32_t) n;
    options->limits = xrealloc(options->limits, (options->sw.n_limits + 1)
                                                * sizeof limit);
    options->limits[options->sw.n_limits++] = limit;
    options->sw.limits = options->limits;

free_text:
    str_fini(&text);
    return err;
}

/* "10s", "200ms", 0 */
static int
set_tunnel_probe_interval(struct weftd_options *options, const char *value,
                          struct str *error)
{
    const uint64_t most = 3600 * 1000;
    char *end;
    uint64_t n = strtoull(value, &end, 10);

    n = !strcmp(end, "s") ? (n <= most ? n * 1000 : n) : n;
    if (!isdigit((unsigned char) *value) || n > most
        || (n ? strcmp(end, "s") && strcmp(end, "ms") : *end)
        || (n && n < TUNNEL_PROBE_LEAST)) {
        str_addf(error, "expected a time like 10s or 500ms, from %d ms to an "
                 "hour, or 0", TUNNEL_PROBE_LEAST);
        return -EINVAL;
    }
    options->tunnel_probe_interval = (msec) n;
    return 0;
}

/* NAME=SECONDS */
static int
set_connection_timeout(struct weftd_options *options, const char *value,
                       struct str *error)
{
    const char *equals = strchr(value, '=');
    enum ct_timeout timeout = N_CT_TIMEOUTS;
    struct str name = STR_INIT;
    uint64_t seconds;
    int err;

    if (equals) {
        str_add_bytes(&name, value, (size_t) (equals - value));
        timeout = ct_timeout_by_name(str_text(&name));
        str_fini(&name);
    }
    if (timeout == N_CT_TIMEOUTS) {
        str_add(error, "expected NAME=SECONDS, NAME one of");
        for (unsigned int i = 0; i < N_CT_TIMEOUTS; i++) {
            str_addf(error, " %s", ct_timeout_name((enum ct_timeout) i));
        }
        return -EINVAL;
    }
    err = take_number(equals + 1, 1, 10 * 1000 * 1000, &seconds, error);
    if (!err) {
        options->sw.datapath.ct.timeouts[timeout] = (msec) seconds * 1000;
    }
    return err;
}

#define FLAG_OPTION(NAME, MEMBER)                                            \
    static int set_##NAME(struct weftd_options *options,                     \
                          const char *value UNUSED, struct str *error UNUSED)\
    {                                                                        \
        options->MEMBER = true;                                              \
        return 0;                                                            \
    }

FLAG_OPTION(tls_check_address, tls.checks_address)
FLAG_OPTION(switch_only, is_switch_only)
FLAG_OPTION(controller_only, is_controller_only)
FLAG_OPTION(help, is_help)
FLAG_OPTION(version, is_version)

#define FILE_OPTION(NAME)                                                    \
    static int set_##NAME(struct weftd_options *options, const char *value,  \
                          struct str *error UNUSED)                          \
    {                                                                        \
        options->tls.NAME = value;                                           \
        return 0;                                                            \
    }

FILE_OPTION(private_key)
FILE_OPTION(certificate)
FILE_OPTION(ca_cert)

static int
set_run_dir(struct weftd_options *options, const char *value,
            struct str *error UNUSED)
{
    options->run_dir = value;
    return 0;
}

static int
set_state_dir(struct weftd_options *options, const char *value,
              struct str *error UNUSED)
{
    options->state_dir = value;
    return 0;
}

static int
set_log_level(struct weftd_options *options, const char *value,
              struct str *error)
{
    if (log_set_level_name(value)) {
        str_add(error, "expected error, warn, info or debug");
        return -EINVAL;
    }
    options->log_level = value;
    return 0;
}

static int
set_host(struct weftd_options *options, const char *value, struct str *error)
{
    if (!intent_name_is_valid(value, NULL)) {
        str_add(error, "expected up to 63 of a-z, 0-9 and -");
        return -EINVAL;
    }
    strcpy(options->host, value);
    return 0;
}

/* The command line on one page. */
static const struct option {
    const char *name;
    const char *value;            /* its name; NULL: takes none */
    option_set *set;
    const char *env;              /* its variable; NULL: none */
    const char *summary;
} table[] = {
    { "--switch-only", NULL, set_switch_only, NULL,
      "a switch without a controller of its own" },
    { "--controller-only", NULL, set_controller_only, NULL,
      "a controller without a switch of its own: it drives Open vSwitch" },
    { "--ovsdb", "unix:PATH", set_ovsdb, NULL,
      "its database (unix:/run/openvswitch/db.sock); none: ports are plugged "
      "in by somebody else" },
    { "--drive", "METHOD", set_drive, NULL,
      "where its bridge listens for OpenFlow (SWITCH.mgmt beside the "
      "database)" },
    { "--host", "NAME", set_host, NULL,
      "what the intents call this host (its name up to the first dot)" },
    { "--switch", "NAME", set_switch, NULL, "the switch's name (br0)" },
    { "--datapath-id", "HEX", set_datapath_id, NULL,
      "16 digits; made from the name when not given" },
    { "--port", "[N=]TYPE:DEVICE,...", set_port, NULL,
      "plug in a port; may be repeated" },
    { "--fail-mode", "MODE", set_fail_mode, NULL,
      "standalone: starts as a learning bridge; secure: starts empty" },
    { "--controller", "METHOD", set_controller, NULL,
      "connect to it: tcp:IP[:PORT], tls:IP[:PORT] or unix:PATH; may be "
      "repeated" },
    { "--listen", "METHOD", set_listen, NULL,
      "for controllers and tools: ptcp:[PORT][:IP], ptls:[PORT][:IP] or "
      "punix:PATH; may be repeated" },
    { "--private-key", "FILE", set_private_key, NULL, "for TLS, PEM" },
    { "--certificate", "FILE", set_certificate, NULL,
      "that belongs to the key" },
    { "--ca-cert", "FILE", set_ca_cert, NULL,
      "of the authority that signed the peers' certificates" },
    { "--tls-check-address", NULL, set_tls_check_address, NULL,
      "a controller's certificate must be for its address" },
    { "--auxiliary", "N", set_auxiliary, NULL,
      "connections to a controller beside its main one (0)" },
    { "--packet-ins-per-second", "N", set_packet_in_rate, NULL,
      "that one port may cause for one reason; 0: any number (0)" },
    { "--openflow", "VERSIONS", set_openflow, NULL,
      "what is spoken (OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15)" },
    { "--probe-interval", "SECONDS", set_probe_interval, NULL,
      "of silence until a controller is probed (5); 0: never" },
    { "--tunnel-probe-interval", "TIME", set_tunnel_probe_interval, NULL,
      "apart, hosts of the file are asked what tunnels to them carry (10s); "
      "0: never" },
    { "--workers", "N", set_workers, NULL, "forwarding threads (1)" },
    { "--run-dir", "DIRECTORY", set_run_dir, "WEFT_RUN_DIR",
      "sockets (/run/weft)" },
    { "--state-dir", "DIRECTORY", set_state_dir, "WEFT_STATE_DIR",
      "what outlives the daemon (/var/lib/weft); a lab switch keeps nothing" },
    { "--log-level", "LEVEL", set_log_level, NULL,
      "error, warn, info (default) or debug" },
    { "--flow-limit", "[TABLE=]N[:evict]", set_flow_limit, NULL,
      "entries of all tables (2000000), or of one; may be repeated" },
    { "--max-connections", "N", set_max_connections, NULL,
      "that are tracked (1000000)" },
    { "--zone-connections", "N", set_zone_connections, NULL,
      "of each zone; 0: any number (a quarter of all; any number with "
      "--switch-only)" },
    { "--save-connections", "SECONDS", set_save_connections, NULL,
      "apart, besides when weftd ends (10); 0: then only" },
    { "--connection-timeout", "NAME=SECONDS", set_connection_timeout, NULL,
      "of a kind of connections, such as udp-new; may be repeated" },
    { "--max-cache-entries", "N", set_cache_entries, NULL,
      "of the switch (262144)" },
    { "--max-cache-masks", "N", set_cache_masks, NULL,
      "of the switch (512)" },
    { "--port-share", "N", set_port_share, NULL,
      "one port may have 1/N of the cache (4)" },
    { "--upcalls-per-second", "N", set_upcalls, NULL,
      "misses that one port may cause (100000); 0: any number" },
    { "--fdb-age", "SECONDS", set_fdb_age, NULL,
      "until a silent station is forgotten (300)" },
    { "--fdb-max", "N", set_fdb_max, NULL, "stations (65536)" },
    { "--fdb-max-per-port", "N", set_fdb_max_per_port, NULL,
      "stations behind one port (a quarter)" },
    { "--fdb-max-moves", "N", set_fdb_max_moves, NULL,
      "of a station in 10 s, until a port is held (5); 0: any number" },
    { "--help", NULL, set_help, NULL, "this list" },
    { "--version", NULL, set_version, NULL, "which Weft this is" },
};

static void
set_defaults(struct weftd_options *options)
{
    memset(options, 0, sizeof *options);
    strcpy(options->sw.name, "br0");
    options->sw.fail_mode = FAIL_STANDALONE;
    options->connections.is_standalone = true;
    options->sw.datapath = (struct datapath_config) {
        .n_workers = 1,
        .max_entries = 1 << 18,
        .max_masks = 512,
        .port_share = 4,
        .upcalls_per_second = 100000,
    };
    options->save_connections = 10;
    options->tunnel_probe_interval = TUNNEL_PROBE_DEFAULT;
    options->zone_connections = UINT32_MAX;
    options->sw.fdb_age = 300;
    options->connections.probe_interval = 5;
    options->sw.fdb_max = 1 << 16;
    options->sw.fdb_max_moves = 5;
    options->run_dir = "/run/weft";
    options->state_dir = "/var/lib/weft";
    options->ovsdb = "/run/openvswitch/db.sock";
}

static const struct option *
find(const char *word)
{
    size_t len = strcspn(word, "=");

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (strlen(table[i].name) == len
            && !strncmp(table[i].name, word, len)) {
            return &table[i];
        }
    }
    return NULL;
}

static int
unknown(const char *word, struct str *error)
{
    const char *names[ARRAY_SIZE(table) + 1] = { 0 };
    struct str bare = STR_INIT;
    const char *near;

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        names[i] = table[i].name;
    }
    str_add_bytes(&bare, word, strcspn(word, "="));
    near = str_nearest(str_text(&bare), names);
    str_addf(error, "unknown option '%s'", str_text(&bare));
    if (near) {
        str_addf(error, "; did you mean '%s'?", near);
    } else {
        str_add(error, "; weftd --help lists them");
    }
    str_fini(&bare);
    return -EINVAL;
}

/* This machine's, as intents may call it; else "here". */
static void
set_default_host(struct weftd_options *options)
{
    char name[sizeof options->host] = "";

    gethostname(name, sizeof name - 1);
    name[strcspn(name, ".")] = '\0';
    for (size_t i = 0; name[i]; i++) {
        name[i] = (char) tolower((unsigned char) name[i]);
    }
    snprintf(options->host, sizeof options->host, "%s",
             intent_name_is_valid(name, NULL) ? name : "here");
}

/* Sets one option; the error gets its name and value in front. */
static int
set(const struct option *option, struct weftd_options *options,
    const char *name, const char *value, struct str *error)
{
    struct str why = STR_INIT;
    int err = option->set(options, value, &why);

    if (err) {
        str_addf(error, "%s %s: %s", name, value, str_text(&why));
    }
    str_fini(&why);
    return err;
}

static_assert(sizeof ((struct weftd_options *) 0)->instance
                  >= sizeof ((struct weftd_options *) 0)->sw.name,
              "an instance is named like its switch: weftd_options_parse");

static int
take_environment(struct weftd_options *options, struct str *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const char *value = table[i].env ? getenv(table[i].env) : NULL;
        int err;

        if (value && *value) {
            err = set(&table[i], options, table[i].env, value, error);
            if (err) {
                return err;
            }
        }
    }
    return 0;
}

static int
take_words(int argc, char **argv, struct weftd_options *options,
           struct str *error)
{
    for (int i = 1; i < argc; i++) {
        const struct option *option = find(argv[i]);
        const char *eq = strchr(argv[i], '=');
        const char *value = eq ? eq + 1 : "";
        int err;

        if (argv[i][0] != '-') {
            str_addf(error, "unexpected word '%s'; weftd --help", argv[i]);
            return -EINVAL;
        }
        if (!option) {
            return unknown(argv[i], error);
        }
        if (!option->value && eq) {
            str_addf(error, "%s takes no value", option->name);
            return -EINVAL;
        }
        if (option->value && !eq) {
            if (i + 1 == argc) {
                str_addf(error, "%s needs a value: %s", option->name,
                         option->value);
                return -EINVAL;
            }
            value = argv[++i];
        }
        err = set(option, options, option->name, value, error);
        if (err) {
            return err;
        }
    }
    return 0;
}

/* What a daemon without a switch cannot do. */
static int
check_controller_only(const struct weftd_options *options, struct str *error)
{
    const char *bad = options->is_switch_only  ? "--switch-only"
                      : options->n_ports       ? "--port"
                      : options->n_controllers ? "--controller"
                      : options->n_listeners   ? "--listen"
                                               : NULL;

    if (!options->is_controller_only) {
        if (options->drives[0]) {
            str_add(error, "--drive needs --controller-only");
            return -EINVAL;
        }
        return 0;
    }
    if (bad) {
        str_addf(error, "%s does not go together with --controller-only", bad);
    } else if (!options->ovsdb && !options->drives[0]) {
        str_add(error, "--ovsdb none needs --drive METHOD");
    } else {
        return 0;
    }
    return -EINVAL;
}

static int
check(const struct weftd_options *options, struct str *error)
{
    if (options->is_help || options->is_version) {
        return 0;
    }
    if (!*options->run_dir || !*options->state_dir) {
        str_add(error, "--run-dir and --state-dir cannot be empty");
        return -EINVAL;
    }
    if (check_controller_only(options, error)) {
        return -EINVAL;
    }
    if (!options->tls.private_key != !options->tls.certificate
        || !options->tls.private_key != !options->tls.ca_cert) {
        str_add(error, "--private-key, --certificate and --ca-cert go "
                       "together");
        return -EINVAL;
    }
    if (options->tls.checks_address && !options->tls.private_key) {
        str_add(error, "--tls-check-address needs --private-key, "
                       "--certificate and --ca-cert");
        return -EINVAL;
    }
    if (options->tls_method && !options->tls.private_key) {
        str_addf(error, "%s needs --private-key, --certificate and --ca-cert",
                 options->tls_method);
        return -EINVAL;
    }
    for (unsigned int i = 0; i < options->n_ports; i++) {
        const struct port_spec *a = &options->ports[i];

        for (unsigned int k = 0; k < i; k++) {
            const struct port_spec *b = &options->ports[k];

            if (!strcmp(a->config.name, b->config.name)
                || (a->number && a->number == b->number)) {
                str_addf(error, "--port: '%s' is there twice; names and "
                         "numbers of ports differ", a->config.name);
                return -EINVAL;
            }
        }
    }
    return 0;
}

/* Open vSwitch's bridges listen beside its database. */
static int
complete_drives(struct weftd_options *options, struct str *error)
{
    int n = 0;

    if (options->is_controller_only && !options->drives[0]) {
        n = snprintf(options->drives, sizeof options->drives,
                     "unix:%.*s/%s.mgmt",
                     (int) (strrchr(options->ovsdb, '/') - options->ovsdb),
                     options->ovsdb, options->sw.name);
    }
    if (n >= (int) sizeof options->drives) {
        str_add(error, "--ovsdb: its directory's name is too long");
        return -EINVAL;
    }
    return 0;
}

int
weftd_options_parse(int argc, char **argv, struct weftd_options *options,
                    struct str *error)
{
    int err;

    set_defaults(options);
    err = take_environment(options, error);
    if (!err) {
        err = take_words(argc, argv, options, error);
    }
    if (!err) {
        err = check(options, error);
    }
    if (err) {
        weftd_options_fini(options);
        return err;
    }
    if (!options->host[0]) {
        set_default_host(options);
    }
    err = complete_drives(options, error);
    if (err) {
        weftd_options_fini(options);
        return err;
    }
    /* With a controller of its own a switch keeps the last state. */
    if (!options->is_switch_only && !options->has_fail_mode) {
        options->sw.fail_mode = FAIL_SECURE;
        options->connections.is_standalone = false;
    }
    options->sw.fdb_age *= 1000;
    options->connections.probe_interval *= 1000;
    for (size_t i = 0; options->sw.name[i]; i++) {
        options->instance[i]
            = (char) tolower((unsigned char) options->sw.name[i]);
    }
    return 0;
}

void
weftd_options_fini(struct weftd_options *options)
{
    free(options->ports);
    free(options->controllers);
    free(options->listeners);
    free(options->limits);
    options->limits = NULL;
    options->sw.limits = NULL;
    options->sw.n_limits = 0;
    options->ports = NULL;
    options->n_ports = options->n_controllers = options->n_listeners = 0;
}

void
weftd_options_describe(struct str *out)
{
    str_add(out, "weftd [--switch-only | --controller-only] [OPTION]...\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const char *value = table[i].value ? table[i].value : "";

        str_addf(out, "  %s %-*s  %s\n", table[i].name,
                 (int) (28 - strlen(table[i].name)), value,
                 table[i].summary);
    }
    str_add(out, "\nA port is [NUMBER=][NAME=]TYPE[:DEVICE][,KEY=VALUE...]; "
                 "see weftd(8).\n");
}
