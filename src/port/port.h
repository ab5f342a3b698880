/* Ports: where packets enter and leave.
 *
 * A port is one NIC plugged into the switch.  Its class (port_class) knows how
 * frames get in and out of one kind of device; everything above knows ports only
 * by this header.
 *
 * Life cycle, driven by the control thread (the thread that called
 * port_create):
 *
 *     port_create -> PORT_UP <-> PORT_DOWN -> port_destroy
 *
 *   PORT_UP     the device is open; workers call rx and tx.
 *   PORT_DOWN   the device is gone or closed by the operator; rx and tx are not
 *               called.  port_poll_device() opens it again when it returned.
 *
 * A worker that meets an error which means "the device is gone" calls
 * port_fail(); the port turns DOWN at once and the control thread closes the
 * device when no worker can still be inside it (see datapath.h).
 *
 * Threads: open, close, poll run on the control thread; rx and tx on the worker
 * that owns (port, queue); a queue has one owner for rx, any worker may tx on
 * queue (its own number % n_txq), tx on one queue is never concurrent.
 *
 * Isolation: a frame that enters a port reaches Weft and nothing else (the host
 * stack neither sees nor answers it), for every class. */
#ifndef WEFT_PORT_PORT_H
#define WEFT_PORT_PORT_H

#include <stdatomic.h>

#include "lib/str.h"
#include "packet/batch.h"

struct helper;
struct port;
struct port_registry;

enum {
    PORT_NAME_MAX = 64,       /* with the terminating NUL */
    PORT_MAX_QUEUES = 8,
    PORT_MAX_OPTIONS = 16,
};

/* What a consumer behind this port takes without our help. */
enum port_features {
    PORT_F_CSUM = 1 << 0,     /* frames with a checksum still owed */
    PORT_F_TSO4 = 1 << 1,
    PORT_F_TSO6 = 1 << 2,
    PORT_F_USO = 1 << 3,
    PORT_F_TX_BORROWS = 1 << 4, /* tx is done with the bytes when it returns:
                                   packets may be used again afterwards */
};

enum port_state { PORT_DOWN, PORT_UP };

/* Counters, written by workers with relaxed atomics.  "Packets" are wire
 * packets: a GSO super-frame counts as its segments.  rx_dropped and tx_dropped
 * are totals; the rows under them say why, and add up to them. */
#define PORT_COUNTERS(X)                                                     \
    X(rx_packets) X(rx_bytes) X(tx_packets) X(tx_bytes)                      \
    X(rx_dropped) X(tx_dropped) X(rx_errors) X(tx_errors)                    \
    X(rx_super_frames) X(tx_super_frames) X(tx_dropped_bytes)                \
    X(rx_underlay)      /* a tunnel's, past the kernel: of rx_packets, */     \
    X(tx_underlay)      /* and of tx_packets */                              \
    X(rx_no_buffer)     /* the worker's packet pool was used up */           \
    X(rx_bad_offload)   /* the device's checksum or GSO promise is nonsense */\
    X(rx_bad_length)    /* shorter than Ethernet or longer than any buffer */\
    X(rx_not_ip)        /* of a layer 3 device: neither IPv4 nor IPv6 */     \
    /* Tunnels. */                                                           \
    X(rx_bad_header)    /* wrong flags, or no frame is inside */             \
    X(rx_bad_checksum)  /* GRE's */                                          \
    X(rx_unknown_key)   /* no port has that key and remote */                \
    X(rx_not_ours)      /* sent to an address that is not the tunnel's */    \
    X(rx_fragment)      /* the outer packet came in pieces */                \
    X(rx_nested)        /* the frame inside goes to the tunnel again */      \
    X(rx_congested)     /* marked on the way; its sender knows no marks */   \
    X(rx_out_of_order)  /* its number is not above the last one's */         \
    X(rx_full)          /* the port's reader is too slow */                  \
    X(tx_no_remote)     /* nobody said where to */                           \
    X(tx_nested)        /* the frame goes to the tunnel's end itself */      \
    X(tx_full)          /* the device's queue is full */                     \
    X(tx_link_down)     /* the device is there, but nobody listens */        \
    X(tx_too_long)      /* longer than what the device takes */              \
    X(tx_not_ip)        /* a layer 3 device takes IPv4 and IPv6 only */      \
    X(tx_refused)       /* the device refused for another reason */

struct port_counters {
#define X(NAME) _Atomic uint64_t NAME;
    PORT_COUNTERS(X)
#undef X
};

/* TYPE[:DEVICE][,KEY=VALUE...], as on weftd's --port and `weft port add`:
 *     tap:tap1,netns=web    netdev:veth1    veth:eth0,netns=db    null:
 *     pcap:in=a.pcap,out=b.pcap    impair:peer=p2,loss=1%,seed=7 */
struct port_config {
    char name[PORT_NAME_MAX];       /* in the switch; default: the device */
    char type[16];
    char device[PORT_NAME_MAX];     /* network device or file, as written */
    unsigned int n_options;
    struct port_option {
        char key[24];
        char value[256];
    } options[PORT_MAX_OPTIONS];
};

/* Parses "NAME=TYPE:..." or "TYPE:...".  On failure returns -EINVAL and says in
 * `error` what and where. */
int port_config_parse(const char *text, struct port_config *,
                      struct str *error);
void port_config_format(const struct port_config *, struct str *);
/* The value of `key`, or NULL. */
const char *port_config_get(const struct port_config *, const char *key);

/* By whom a tunnel's packets leave as frames (underlay.h), for one call. */
struct port_carrier {
    const struct port *port;        /* the underlay */
    struct packet_pool *pool;       /* the worker's */
    void (*send)(void *aux, struct packet *);   /* takes it */
    void *aux;
};

struct port_class {
    const char *type;
    const char *const *options;     /* accepted keys, NULL-terminated */

    bool is_tunnel;                 /* what leaves says where to (packet->tun) */
    size_t size;                    /* of the struct that embeds struct port as
                                       its first member */
    /* Opens the device.  On failure nothing is left behind and `error` says
     * why.  -ENODEV: not there (yet); the port stays DOWN and is tried again. */
    int (*open)(struct port *, struct str *error);
    void (*close)(struct port *);
    /* Does as config's MTU and options of the device's inside say now, while it
     * is open (nic.h).  NULL: it has none. */
    int (*configure)(struct port *, struct str *error);

    /* Appends what fits to the batch, with offload filled in and in_port set.
     * Returns how many, 0 when idle, or a negative errno when the device is
     * gone.  May stop early so that a batch stays in the cache. */
    int (*rx)(struct port *, unsigned int queue, struct packet_pool *,
              struct batch *);
    /* Takes every packet (frees them), unless `borrow` (PORT_F_TX_BORROWS):
     * then the caller keeps them.  What does not fit is dropped and counted in
     * tx_dropped.  Offloads beyond port->features were completed before. */
    void (*tx)(struct port *, unsigned int queue, struct batch *, bool borrow);

    /* The same by an underlay, as far as it can.  NULL: tunnels only. */
    void (*tx_by)(struct port *, unsigned int queue, struct batch *,
                  const struct port_carrier *);

    /* A file descriptor that is readable when rx has work, or -1: next_rx
     * tells. */
    int (*rx_fd)(const struct port *, unsigned int queue);
    /* When rx will have work, in usec of the monotonic clock; INT64_MAX: when
     * rx_fd is readable, if ever.  NULL: rx_fd tells.  Asked last before the
     * worker sleeps: who has both promises by it to make rx_fd readable. */
    usec (*next_rx)(const struct port *, unsigned int queue);
    /* Control thread: whether the device went without a word to rx.  NULL: rx
     * is always told. */
    bool (*is_gone)(const struct port *);
    /* Control thread, now and then: whether the other end listens.  NULL: always
     * while it is open. */
    bool (*has_link)(const struct port *);
    /* More about the port, as ", key value" pairs for people.  May be NULL. */
    void (*describe)(const struct port *, struct str *);
};

struct port {
    const struct port_class *class;
    struct port_config config;
    struct helper *helper;          /* NULL: devices are opened directly */
    struct port_registry *registry; /* where peers meet (pair.h); NULL: none */
    uint32_t id;                    /* datapath port id: small, dense, > 0 */
    unsigned int n_rxq, n_txq;
    unsigned int features;          /* enum port_features; while UP constant */
    uint32_t mtu;                   /* payload bytes, 0: unlimited */
    uint32_t speed_mbps;            /* 0: unknown */
    struct eth_addr mac;            /* our end's address */
    bool is_open;                   /* the class holds a device; control
                                       thread only */
    _Atomic enum port_state state;
    atomic_int error;               /* why DOWN: negative errno, 0: by config */
    struct port_counters counters __attribute__((aligned(CACHE_LINE)));
};

/* Knows a class by name; NULL.  port_class_names: NULL-terminated. */
const struct port_class *port_class_find(const char *type);
const char *const *port_class_names(void);

/* What ports need of the program around them; outlives them. */
struct port_env {
    struct helper *helper;
    struct port_registry *registry;
};

/* Makes a port and opens it.  -EINVAL (bad option, in `error`), or the error of
 * open().  With -ENODEV from open the port exists, DOWN: returns 0.  `env` NULL:
 * neither helper nor peers. */
int port_create(const struct port_config *, uint32_t id,
                const struct port_env *env, struct port **,
                struct str *error);
/* Replaces the configuration of a port by one that differs in what the device is
 * given inside (address, gateway, resolver); frames go on meanwhile.  -EINVAL: it
 * differs in more.  After an error the old configuration stays. */
int port_configure(struct port *, const struct port_config *,
                   struct str *error);
/* Closes the device when open; no worker may still use the port. */
void port_destroy(struct port *);
/* Control thread, now and then: fails an UP port whose device went while
 * nothing was received or sent. */
void port_check_device(struct port *);
/* Control thread: UP, and there is somebody at the other end. */
bool port_has_link(const struct port *);
/* Control thread: tries to open a DOWN port again.  True: it is UP now. */
bool port_poll_device(struct port *);
/* Control thread: closes the device of a port that failed. */
void port_close_failed(struct port *);

/* Worker: the device is gone. */
void port_fail(struct port *, int error);

static inline bool
port_is_up(const struct port *port)
{
    return atomic_load_explicit(&port->state, memory_order_acquire)
           == PORT_UP;
}

static inline void
port_count(_Atomic uint64_t *counter, uint64_t n)
{
    /* Nearly always one writer: a plain add, never torn. */
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed)
                          + n, memory_order_relaxed);
}

/* Counts a packet that tx cannot send, under tx_dropped and under `reason`, a
 * member of port->counters.  The packet stays the caller's. */
void port_drop_tx(struct port *, const struct packet *,
                  _Atomic uint64_t *reason);
/* The same for `n_wire` of them that are `n_bytes` of a packet. */
void port_drop_tx_part(struct port *, uint32_t n_wire, uint32_t n_bytes,
                       _Atomic uint64_t *reason);
/* The same for `n` received frames that never became packets. */
static inline void
port_drop_rx(struct port *port, uint64_t n, _Atomic uint64_t *reason)
{
    port_count(&port->counters.rx_dropped, n);
    port_count(reason, n);
}

/* Receives and sends with the common counters kept: a class counts only what it
 * drops. */
int port_rx(struct port *, unsigned int queue, struct packet_pool *,
            struct batch *);
void port_tx(struct port *, unsigned int queue, struct batch *, bool borrow);
void port_tx_by(struct port *, unsigned int queue, struct batch *,
                const struct port_carrier *);

#endif
