#include "port/nic.h"
#include "port/port_class.h"

#include <ctype.h>
#include <stdlib.h>

static const struct port_class *const classes[] = {
#define X(NAME) &NAME##_class,
    PORT_CLASSES(X)
#undef X
    NULL,
};

const struct port_class *
port_class_find(const char *type)
{
    for (size_t i = 0; classes[i]; i++) {
        if (!strcmp(classes[i]->type, type)) {
            return classes[i];
        }
    }
    return NULL;
}

static const char *const class_names[] = {
#define X(NAME) #NAME,
    PORT_CLASSES(X)
#undef X
    NULL,
};

const char *const *
port_class_names(void)
{
    return class_names;
}

/* Copies [text, text + len) when it fits and holds no byte that would make the
 * text ambiguous when it is written out again. */
static bool
take_word(char *word, size_t size, const char *text, size_t len)
{
    if (len >= size) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isgraph((unsigned char) text[i]) && text[i] != ' ') {
            return false;
        }
    }
    memcpy(word, text, len);
    word[len] = '\0';
    return true;
}

static int
bad(struct str *error, const char *text, const char *at, const char *why)
{
    str_setf(error, "port '%s': %s, at character %d", text, why,
             (int) (at - text) + 1);
    return -EINVAL;
}

static int
parse_option(const char *text, const char *p, size_t len,
             struct port_config *config, struct str *error)
{
    const char *eq = memchr(p, '=', len);
    struct port_option *option;

    if (!eq || eq == p) {
        return bad(error, text, p, "expected KEY=VALUE");
    }
    if (config->n_options == PORT_MAX_OPTIONS) {
        return bad(error, text, p, "too many options");
    }
    option = &config->options[config->n_options];
    if (!take_word(option->key, sizeof option->key, p, (size_t) (eq - p))
        || !take_word(option->value, sizeof option->value, eq + 1,
                      len - (size_t) (eq + 1 - p))) {
        return bad(error, text, p, "option is too long or not printable");
    }
    if (port_config_get(config, option->key)) {
        return bad(error, text, p, "option given twice");
    }
    config->n_options++;
    return 0;
}

int
port_config_parse(const char *text, struct port_config *result,
                  struct str *error)
{
    struct port_config config = { 0 };
    size_t head_len = strcspn(text, ":,");
    const char *eq = memchr(text, '=', head_len);
    const char *p = text;
    bool first = true;

    if (eq) {
        if (eq == text
            || !take_word(config.name, sizeof config.name, text,
                          (size_t) (eq - text))) {
            return bad(error, text, text, "bad or too long port name");
        }
        p = eq + 1;
    }

    head_len = strcspn(p, ":,=");
    if (!head_len || p[head_len] == '='
        || !take_word(config.type, sizeof config.type, p, head_len)) {
        return bad(error, text, p, "expected TYPE[:DEVICE][,KEY=VALUE...]");
    }
    p += head_len;
    first = *p == ':';

    while (*p) {
        size_t len = strcspn(++p, ",");
        bool is_device = first && !memchr(p, '=', len);
        int err;

        first = false;
        if (is_device) {
            if (!take_word(config.device, sizeof config.device, p, len)) {
                return bad(error, text, p, "bad or too long device");
            }
        } else {
            err = parse_option(text, p, len, &config, error);
            if (err) {
                return err;
            }
        }
        p += len;
    }

    if (!config.name[0]) {
        strcpy(config.name, config.device[0] ? config.device : config.type);
    }
    *result = config;
    return 0;
}

void
port_config_format(const struct port_config *config, struct str *s)
{
    str_addf(s, "%s=%s:%s", config->name, config->type, config->device);
    for (unsigned int i = 0; i < config->n_options; i++) {
        const struct port_option *option = &config->options[i];

        /* After "TYPE:" without a device the first option needs no comma. */
        str_addf(s, "%s%s=%s", i || config->device[0] ? "," : "",
                 option->key, option->value);
    }
}

const char *
port_config_get(const struct port_config *config, const char *key)
{
    for (unsigned int i = 0; i < config->n_options; i++) {
        if (!strcmp(config->options[i].key, key)) {
            return config->options[i].value;
        }
    }
    return NULL;
}

static bool
is_one_of(const char *word, const char *const *words)
{
    for (; words && *words; words++) {
        if (!strcmp(*words, word)) {
            return true;
        }
    }
    return false;
}

static void
add_nearest(struct str *error, const char *word, const char *const *words)
{
    const char *nearest = words ? str_nearest(word, words) : NULL;

    if (nearest && error) {
        str_addf(error, "; did you mean '%s'?", nearest);
    }
}

static int
check_config(const struct port_config *config, const struct port_class *class,
             struct str *error)
{
    if (!class) {
        str_setf(error, "port '%s': unknown type '%s'", config->name,
                 config->type);
        add_nearest(error, config->type, class_names);
        return -EINVAL;
    }
    for (unsigned int i = 0; i < config->n_options; i++) {
        const char *key = config->options[i].key;

        if (!is_one_of(key, class->options)) {
            str_setf(error, "port '%s': type '%s' has no option '%s'",
                     config->name, config->type, key);
            add_nearest(error, key, class->options);
            return -EINVAL;
        }
    }
    return 0;
}

static int
open_device(struct port *port, struct str *error)
{
    int err = port->class->open(port, error);

    atomic_store(&port->error, err);
    if (!err) {
        port->is_open = true;
        atomic_store_explicit(&port->state, PORT_UP, memory_order_release);
    }
    return err;
}

int
port_create(const struct port_config *config, uint32_t id,
            const struct port_env *env, struct port **result,
            struct str *error)
{
    const struct port_class *class = port_class_find(config->type);
    struct port *port;
    int err = check_config(config, class, error);

    if (err) {
        return err;
    }

    port = xzalloc_aligned(class->size);
    port->class = class;
    port->config = *config;
    if (env) {
        port->helper = env->helper;
        port->registry = env->registry;
    }
    port->id = id;
    port->n_rxq = port->n_txq = 1;

    err = open_device(port, error);
    if (err && err != -ENODEV) {
        free(port);
        return err;
    }
    *result = port;
    return 0;
}

void
port_close_failed(struct port *port)
{
    if (port->is_open && !port_is_up(port)) {
        port->is_open = false;
        port->class->close(port);
    }
}

/* The options by which both may differ are the class's that can be configured
 * while it is open. */
static bool
is_other_device(const struct port_config *a, const struct port_config *b)
{
    static const char *const changeable[] = { "mtu", "groups",
                                              NIC_INSIDE_OPTIONS, NULL };

    if (strcmp(a->type, b->type) || strcmp(a->device, b->device)
        || strcmp(a->name, b->name)) {
        return true;
    }
    for (unsigned int i = 0; i < a->n_options; i++) {
        const struct port_option *option = &a->options[i];
        const char *other = port_config_get(b, option->key);

        if (!is_one_of(option->key, changeable)
            && (!other || strcmp(option->value, other))) {
            return true;
        }
    }
    return false;
}

int
port_configure(struct port *port, const struct port_config *config,
               struct str *error)
{
    struct port_config old = port->config;
    int err = check_config(config, port->class, error);

    if (err) {
        return err;
    }
    if (!port->class->configure || is_other_device(&old, config)
        || is_other_device(config, &old)) {
        str_setf(error, "port '%s': would be another device", old.name);
        return -EINVAL;
    }
    port->config = *config;
    if (port_is_up(port)) {
        err = port->class->configure(port, error);
    }
    if (err) {
        port->config = old;
    }
    return err;
}

void
port_destroy(struct port *port)
{
    if (!port) {
        return;
    }
    atomic_store(&port->state, PORT_DOWN);
    port_close_failed(port);
    free(port);
}

void
port_check_device(struct port *port)
{
    if (port_is_up(port) && port->class->is_gone
        && port->class->is_gone(port)) {
        port_fail(port, -ENODEV);
    }
}

bool
port_has_link(const struct port *port)
{
    return port_is_up(port)
           && (!port->class->has_link || port->class->has_link(port));
}

bool
port_poll_device(struct port *port)
{
    if (port_is_up(port)) {
        return true;
    }
    return !port->is_open && !open_device(port, NULL);
}

void
port_fail(struct port *port, int error)
{
    enum port_state up = PORT_UP;

    /* The first worker's reason is kept. */
    if (atomic_compare_exchange_strong(&port->state, &up, PORT_DOWN)) {
        atomic_store(&port->error, error);
    }
}

int
port_rx(struct port *port, unsigned int queue, struct packet_pool *pool,
        struct batch *batch)
{
    unsigned int first = batch->n;
    uint64_t n_wire = 0, n_bytes = 0, n_super = 0;
    int n = port->class->rx(port, queue, pool, batch);

    if (n <= 0) {
        return n;
    }
    for (unsigned int i = first; i < batch->n; i++) {
        const struct packet *pkt = batch->pkts[i];

        n_wire += packet_n_wire(pkt);
        n_bytes += pkt->len;
        n_super += pkt->offload.gso_size != 0;
    }
    port_count(&port->counters.rx_packets, n_wire);
    port_count(&port->counters.rx_bytes, n_bytes);
    if (n_super) {
        port_count(&port->counters.rx_super_frames, n_super);
    }
    return n;
}

/* Several workers may send on one port, each on its own queue. */
static void
count_tx(const struct port *port, _Atomic uint64_t *counter, uint64_t n)
{
    if (port->n_txq > 1) {
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
    } else {
        port_count(counter, n);
    }
}

void
port_drop_tx_part(struct port *port, uint32_t n_wire, uint32_t n_bytes,
                  _Atomic uint64_t *reason)
{
    count_tx(port, &port->counters.tx_dropped, n_wire);
    count_tx(port, &port->counters.tx_dropped_bytes, n_bytes);
    count_tx(port, reason, n_wire);
}

void
port_drop_tx(struct port *port, const struct packet *pkt,
             _Atomic uint64_t *reason)
{
    port_drop_tx_part(port, packet_n_wire(pkt), pkt->len, reason);
}

static void
send_batch(struct port *port, unsigned int queue, struct batch *batch,
           bool borrow, const struct port_carrier *carrier)
{
    struct port_counters *c = &port->counters;
    uint64_t n_wire = 0, n_bytes = 0, n_super = 0;
    uint64_t n_dropped, n_dropped_bytes;

    for (unsigned int i = 0; i < batch->n; i++) {
        const struct packet *pkt = batch->pkts[i];

        n_wire += packet_n_wire(pkt);
        n_bytes += pkt->len;
        n_super += pkt->offload.gso_size != 0;
    }

    /* Packets are the class's once it has them: what it dropped shows in the
     * counters. */
    n_dropped = atomic_load_explicit(&c->tx_dropped, memory_order_relaxed);
    n_dropped_bytes = atomic_load_explicit(&c->tx_dropped_bytes,
                                           memory_order_relaxed);
    if (carrier) {
        port->class->tx_by(port, queue, batch, carrier);
    } else {
        port->class->tx(port, queue, batch, borrow);
    }
    n_dropped = atomic_load_explicit(&c->tx_dropped, memory_order_relaxed)
                - n_dropped;
    n_dropped_bytes = atomic_load_explicit(&c->tx_dropped_bytes,
                                           memory_order_relaxed)
                      - n_dropped_bytes;

    count_tx(port, &c->tx_packets, n_wire - MIN(n_wire, n_dropped));
    count_tx(port, &c->tx_bytes, n_bytes - MIN(n_bytes, n_dropped_bytes));
    if (n_super) {
        count_tx(port, &c->tx_super_frames, n_super);
    }
}

void
port_tx(struct port *port, unsigned int queue, struct batch *batch,
        bool borrow)
{
    send_batch(port, queue, batch, borrow, NULL);
}

void
port_tx_by(struct port *port, unsigned int queue, struct batch *batch,
           const struct port_carrier *carrier)
{
    send_batch(port, queue, batch, false, carrier);
}
