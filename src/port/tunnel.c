/* The classes vxlan, geneve and gre: their options, and their life. */
#include "port/tunnel.h"

#include <stdlib.h>

#include "packet/address.h"
#include "port/options.h"
#include "port/port_class.h"
#include "port/tunnel_endpoint.h"

/* ---- Options ---- */

static int
bad(const struct port *port, const char *key, const char *expected,
    struct str *error)
{
    str_setf(error, "port '%s': %s=%s is not %s", port->config.name, key,
             port_config_get(&port->config, key), expected);
    return -EINVAL;
}

static bool
is_word(const struct port *port, const char *key, const char *word)
{
    const char *value = port_config_get(&port->config, key);

    return value && !strcmp(value, word);
}

static int
parse_remote(const struct port *port, struct tunnel_options *o,
             struct str *error)
{
    const char *value = port_config_get(&port->config, "remote");

    if (!value) {
        str_setf(error, "port '%s': remote= is needed: an address, or flow",
                 port->config.name);
        return -EINVAL;
    }
    o->is_remote_by_flow = is_word(port, "remote", "flow");
    return o->is_remote_by_flow || ip_parse(value, &o->remote)
           ? 0 : bad(port, "remote", "an address, or flow", error);
}

/* An endpoint without an address of its own takes both families over UDP, so
 * that those of all its ports are one. */
static int
parse_local(const struct port *port, struct tunnel_options *o,
            struct str *error)
{
    const char *value = port_config_get(&port->config, "local");
    struct tunnel_socket_spec *spec = &o->sockets;

    if (value && (!ip_parse(value, &spec->local)
                  || ip6_is_group(&spec->local))) {
        return bad(port, "local", "an address of this host", error);
    }
    if (value && !o->is_remote_by_flow
        && ip6_is_mapped4(&spec->local) != ip6_is_mapped4(&o->remote)) {
        str_setf(error, "port '%s': local= and remote= are of two families",
                 port->config.name);
        return -EINVAL;
    }
    spec->is_ip6 = value ? !ip6_is_mapped4(&spec->local)
                   : !spec->is_gre || (!o->is_remote_by_flow
                                       && !ip6_is_mapped4(&o->remote));
    return 0;
}

static int
parse_key(const struct port *port, struct tunnel_options *o,
          struct str *error)
{
    uint64_t key = 0;
    int err = 0;

    o->is_key_by_flow = is_word(port, "key", "flow");
    if (!o->is_key_by_flow) {
        err = option_number(port, "key", 0,
                            o->kind == TUNNEL_GRE ? UINT32_MAX
                                                  : ENCAP_MAX_VNI,
                            &key, error);
    }
    o->key = (uint32_t) key;
    o->has_key = o->kind != TUNNEL_GRE
                 || port_config_get(&port->config, "key");
    return err;
}

/* A number, or "flow", or (TOS only) "inherit". */
static int
parse_byte(const struct port *port, const char *key, uint64_t min,
           uint8_t *value, enum tunnel_source *source, struct str *error)
{
    uint64_t number = *value;
    int err = 0;

    *source = is_word(port, key, "flow") ? TUNNEL_BY_FLOW
              : !strcmp(key, "tos") && is_word(port, key, "inherit")
                ? TUNNEL_INHERITED : TUNNEL_FIXED;
    if (*source == TUNNEL_FIXED) {
        err = option_number(port, key, min, UINT8_MAX, &number, error);
    }
    *value = (uint8_t) number;
    return err;
}

static int
parse_header(const struct port *port, struct tunnel_options *o,
             struct str *error)
{
    int err;

    o->ttl = TUNNEL_TTL;
    o->df = true;
    o->has_csum = o->kind != TUNNEL_GRE;
    o->df_source = is_word(port, "df", "flow") ? TUNNEL_BY_FLOW
                                               : TUNNEL_FIXED;
    if ((err = parse_byte(port, "ttl", 1, &o->ttl, &o->ttl_source, error))
        || (err = parse_byte(port, "tos", 0, &o->tos, &o->tos_source, error))
        || (err = option_bool(port, "csum", &o->has_csum, error))) {
        return err;
    }
    return o->df_source == TUNNEL_FIXED
           ? option_bool(port, "df", &o->df, error) : 0;
}

static int
parse_seq(const struct port *port, struct tunnel_options *o,
          struct str *error)
{
    int err = option_bool(port, "seq", &o->has_seq, error);

    if (!err && o->has_seq && o->is_remote_by_flow) {
        str_setf(error, "port '%s': seq=yes needs one remote=, whose numbers "
                 "are in order", port->config.name);
        err = -EINVAL;
    }
    return err;
}

static int
parse_groups(const struct port *port, struct tunnel_options *o,
             struct str *error)
{
    const char *value = port_config_get(&port->config, "groups");
    char text[sizeof port->config.options[0].value], *rest = text, *one;

    if (!o->is_remote_by_flow && ip6_is_group(&o->remote)) {
        o->groups[o->n_groups++] = o->remote;
    }
    strcpy(text, value ? value : "");
    while (value && (one = strsep(&rest, "+"))) {
        if (o->n_groups == TUNNEL_MAX_GROUPS
            || !ip_parse(one, &o->groups[o->n_groups])
            || !ip6_is_group(&o->groups[o->n_groups])) {
            return bad(port, "groups", "up to 16 multicast addresses, joined "
                       "by +", error);
        }
        o->n_groups++;
    }
    return 0;
}

/* Frames need an address to be from, and a place that is none of a tunnel. */
static int
parse_underlay(const struct port *port, struct tunnel_options *o,
               struct str *error)
{
    o->underlay = port_config_get(&port->config, "underlay");
    if (o->underlay && !ip6_addr_is_set(o->sockets.local)) {
        str_setf(error, "port '%s': underlay=%s needs local=",
                 port->config.name, o->underlay);
        return -EINVAL;
    }
    return !o->underlay || strcmp(o->underlay, port->config.name)
           ? 0 : bad(port, "underlay", "another port", error);
}

static const struct {
    const char *type;
    enum tunnel_kind kind;
    uint16_t port;
} kinds[] = {
    { "vxlan", TUNNEL_VXLAN, VXLAN_PORT },
    { "geneve", TUNNEL_GENEVE, GENEVE_PORT },
    { "gre", TUNNEL_GRE, 0 },
};

int
tunnel_options_parse(const struct port *port, struct tunnel_options *o,
                     struct str *error)
{
    uint64_t dst_port, n_queues = 1, mtu = 0;
    size_t i = 0;
    int err;

    while (strcmp(kinds[i].type, port->config.type)) {
        i++;
    }
    memset(o, 0, sizeof *o);
    o->kind = kinds[i].kind;
    o->sockets.is_gre = o->kind == TUNNEL_GRE;
    dst_port = kinds[i].port;
    if ((err = parse_remote(port, o, error))
        || (err = parse_local(port, o, error))
        || (err = parse_key(port, o, error))
        || (err = parse_header(port, o, error))
        || (err = parse_seq(port, o, error))
        || (err = parse_groups(port, o, error))
        || (err = option_number(port, "dst_port", IPPORT_RESERVED, UINT16_MAX,
                                &dst_port, error))
        || (err = option_number(port, "queues", 1, TUNNEL_MAX_QUEUES,
                                &n_queues, error))
        || (err = option_number(port, "mtu", 576, UINT16_MAX, &mtu,
                                error))) {
        return err;
    }
    o->sockets.port = (uint16_t) dst_port;
    o->sockets.n_queues = (uint16_t) n_queues;
    o->mtu = (uint32_t) mtu;
    return parse_underlay(port, o, error);
}

/* ---- A port's life ---- */

static void
destroy_queues(struct tunnel *tunnel)
{
    for (unsigned int q = 0; q < tunnel->port.n_txq; q++) {
        tunnel_tx_destroy(tunnel->tx[q]);
        tunnel->tx[q] = NULL;
    }
}

static int
tunnel_open(struct port *port, struct str *error)
{
    struct tunnel *tunnel = tunnel_cast(port);
    int err = tunnel_options_parse(port, &tunnel->options, error);

    if (err) {
        return err;
    }
    if (!port->registry) {
        str_setf(error, "port '%s': tunnels need others to share with",
                 port->config.name);
        return -EINVAL;
    }
    port->features = PORT_F_CSUM | PORT_F_TSO4 | PORT_F_TSO6 | PORT_F_USO;
    port->mtu = tunnel->options.mtu;
    port->n_txq = tunnel->options.sockets.n_queues;
    port->n_rxq = tunnel->options.sockets.is_gre ? 1 : port->n_txq;
    err = tunnel_endpoint_join(tunnel, error);
    for (unsigned int q = 0; !err && q < port->n_txq; q++) {
        tunnel->tx[q] = tunnel_tx_create();
    }
    return err;
}

static void
tunnel_close(struct port *port)
{
    tunnel_endpoint_leave(tunnel_cast(port));
    destroy_queues(tunnel_cast(port));
}

static int
tunnel_configure(struct port *port, struct str *error)
{
    struct tunnel *tunnel = tunnel_cast(port);
    struct tunnel_options now;
    int err = tunnel_options_parse(port, &now, error);

    err = err ? err : tunnel_endpoint_change_groups(tunnel, &now, error);
    if (!err) {
        __atomic_store_n(&port->mtu, now.mtu, __ATOMIC_RELAXED);
    }
    return err;
}

static int
tunnel_rx_fd(const struct port *port, unsigned int queue)
{
    return tunnel_cast(port)->rx_fds[queue];
}

static usec
tunnel_next_rx(const struct port *port, unsigned int queue)
{
    const struct tunnel *tunnel = tunnel_cast(port);
    const struct tunnel_endpoint *endpoint = tunnel->endpoint;
    const struct tunnel_arrivals *arrivals = &endpoint->arrivals[queue];

    if (atomic_load_explicit(&endpoint->reader, memory_order_relaxed)
        == tunnel && arrivals->next < arrivals->n) {
        return 0;
    }
    return queue ? INT64_MAX : mailbox_next(tunnel->inbox);
}

static void
tunnel_describe(const struct port *port, struct str *s)
{
    static const char *const shown[] = { "remote", "local", "key",
                                         "underlay" };

    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        const char *value = port_config_get(&port->config, shown[i]);

        if (value) {
            str_addf(s, ", %s %s", shown[i], value);
        }
    }
}

#define COMMON_OPTIONS                                                       \
    "remote", "local", "key", "ttl", "tos", "df", "csum", "groups", "mtu",    \
    "queues", "underlay"

static const char *const udp_options[] = { COMMON_OPTIONS, "dst_port", NULL };
static const char *const gre_options[] = { COMMON_OPTIONS, "seq", NULL };

#define TUNNEL_CLASS(NAME, OPTIONS)                                          \
    const struct port_class NAME##_class = {                                 \
        .type = #NAME,                                                       \
        .options = OPTIONS,                                                  \
        .is_tunnel = true,                                                   \
        .size = sizeof(struct tunnel),                                       \
        .open = tunnel_open,                                                 \
        .close = tunnel_close,                                               \
        .configure = tunnel_configure,                                       \
        .rx = tunnel_rx,                                                     \
        .tx = tunnel_tx,                                                     \
        .tx_by = tunnel_tx_by,                                               \
        .rx_fd = tunnel_rx_fd,                                               \
        .next_rx = tunnel_next_rx,                                           \
        .describe = tunnel_describe,                                         \
    }

TUNNEL_CLASS(vxlan, udp_options);
TUNNEL_CLASS(geneve, udp_options);
TUNNEL_CLASS(gre, gre_options);
