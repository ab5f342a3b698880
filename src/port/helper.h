/* The device helper: opens what needs privileges, for a main process that has
 * none.
 *
 * The process that the operator started stays as helper and supervisor.  It is
 * single-threaded, parses no packet and no client's bytes, and answers a fixed
 * set of typed, fixed-size requests (helper_proto.h) on a socket pair, handing
 * descriptors back.  It checks each request itself and answers a refused one
 * with an errno and a text.
 *
 *     weftd (root) --- helper_start() forks ---> main (no capabilities)
 *       helper, supervisor  <== SOCK_SEQPACKET ==>  struct helper *
 *
 *   - It keeps a duplicate of every device descriptor: a restarted main which
 *     asks for the same device gets the same descriptors, frames waiting in
 *     them included.  What the new main did not ask for again is released by
 *     helper_settle().
 *   - It starts main again, with back-off, when a signal killed it; it ends
 *     with main's status when main exits.  SIGTERM and SIGINT are passed on.
 *   - SIGHUP restarts main: the old one ends as always, but all that it
 *     releases is held for the new one.
 *   - When main ends for good, everything made here is taken away: devices,
 *     isolation rules, sysctls, sockets.  With keep_devices, taps stay where
 *     they are, for the next start: a container does not lose its NIC; and so
 *     does the host's NAT, without which connections by it would be reset.
 *   - A device follows its namespace: when another one comes under the same
 *     name (a container's restart), the device made in the old one goes, main
 *     sees it go, and opens it again.
 *   - When the helper itself is killed, main sees the end of the socket
 *     (helper_fd) and ends.  What outlives a kill, the next start finds: taps
 *     by the ifalias `weft:INSTANCE:PORT`, isolation by its table's name, the
 *     host's NAT by its table's comment.
 *
 * The client functions are for one thread of main, the control thread. */
#ifndef WEFT_PORT_HELPER_H
#define WEFT_PORT_HELPER_H

#include <sys/types.h>

#include "port/host_nat.h"
#include "port/netlink.h"
#include "port/port.h"
#include "port/tunnel_socket.h"

struct helper;

struct helper_options {
    const char *instance;     /* [A-Za-z0-9._-], up to 31; tells daemons of
                                 one namespace apart */
    const char *run_dir;      /* for listening sockets; NULL: none */
    const char *config_dir;   /* for helper_open_config; NULL: none */
    uid_t uid;                /* main runs as; 0: stays root, without */
    gid_t gid;                /* capabilities */
    bool keep_devices;        /* taps outlive any end, for the next start */
};

/* Forks.  Returns 0 in main, each time one is started, without capabilities;
 * never returns in the helper once main runs, and a negative errno when nothing
 * could be started (with `error`).  To be called before the first thread. */
int helper_start(const struct helper_options *, struct helper **,
                 struct str *error);
/* For tests and tools: the helper is a child of the calling process, which
 * keeps its privileges. */
int helper_spawn(const struct helper_options *, struct helper **,
                 struct str *error);
/* Closes the connection; what this main holds is released by the helper. */
void helper_close(struct helper *);
/* Readable (end of file) when the helper is gone. */
int helper_fd(const struct helper *);
/* How often main was started before: 0 in the first. */
unsigned int helper_generation(const struct helper *);

/* Devices. */

enum helper_kind {
    HELPER_TAP,               /* char device for us, link for a container */
    HELPER_TUN,               /* the same without Ethernet */
    HELPER_NETDEV,            /* packet sockets on a link that exists */
    HELPER_VETH,              /* packet sockets on our end of a new pair */
    HELPER_VM_TAP,            /* packet sockets on a tap whose char device is
                                 the VM manager's */
};

/* What the container's end is given from outside, where no DHCP client runs;
 * several joined by '+', empty: nothing. */
struct helper_inside {
    char addresses[128];      /* "10.0.0.2/24+fd00::2/64" */
    char gateways[96];        /* of the default routes, by family */
    char dns[256];            /* for the resolver (resolver.h) */
    char search[128];
};

/* What is asked for.  Empty texts and zeros leave the kernel's choice. */
struct helper_device_spec {
    char port[PORT_NAME_MAX]; /* for the ifalias */
    char device[IFNAMSIZ];
    char netns[256];          /* as netns.h says */
    struct helper_inside inside;
    char user[32], group[32]; /* who may open a VM's tap */
    struct eth_addr mac;      /* with has_mac */
    bool has_mac;
    bool must_be_bare;        /* refused while it carries addresses */
    bool is_lent;             /* another switch opens it: we make and isolate
                                 it and get no queue, only a descriptor that
                                 hears nothing.  Our end of a pair is called
                                 like the port and is where we are; it outlives
                                 us, as taps do (keep_devices) */
    bool is_hosts;            /* lent, a link that exists: the other switch's
                                 internal port, by which the host's own stack
                                 goes on speaking; it gets `inside` */
    char take_over[IFNAMSIZ]; /* a tap: stands in for this device of the host,
                                 as take_over.h says */
    uint32_t mtu;
    uint32_t n_queues;
    uint32_t tx_queue_len;
};

struct helper_device {
    uint32_t handle;
    uint32_t ifindex;         /* in its namespace */
    uint32_t mtu;
    uint32_t features;        /* enum port_features */
    struct eth_addr mac;
    unsigned int n_fds;       /* one per queue */
    int fds[PORT_MAX_QUEUES];
};

/* -ENODEV: the device or its namespace is not there (yet). */
int helper_open_device(struct helper *, enum helper_kind,
                       const struct helper_device_spec *,
                       struct helper_device *, struct str *error);
/* Undoes it: the helper's descriptors are closed, what it made is deleted, what
 * it changed is put back.  Close your own descriptors afterwards. */
void helper_release_device(struct helper *, uint32_t handle);
/* We are about to end: what is released from now on is kept for the next start
 * (keep_devices). */
void helper_keep(struct helper *);
/* Releases what an earlier main held and this one did not ask for. */
int helper_settle(struct helper *);

/* The link behind a device (a tap's, a veth's far end is not): -ENODEV when it
 * is gone. */
int helper_get_link(struct helper *, uint32_t handle, struct link_info *);
/* Changes mtu, mac (NULL: not) and whether it is up. */
int helper_set_link(struct helper *, uint32_t handle, enum link_admin,
                    uint32_t mtu, const struct eth_addr *mac,
                    struct str *error);

/* Replaces what the container's end of a device is given: what stays the same
 * is not touched. */
int helper_set_inside(struct helper *, uint32_t handle,
                      const struct helper_inside *, struct str *error);

/* A netlink socket that reports links coming and going (RTNLGRP_LINK) in a
 * namespace. */
int helper_open_link_monitor(struct helper *, const char *netns,
                             struct str *error);

/* Tunnels. */

/* The sockets of tunnel_sockets_open(), which the helper keeps over a restart: the
 * same request gets the same ones.  handle, n_fds and fds of the result. */
int helper_open_tunnel(struct helper *, const struct tunnel_socket_spec *,
                       struct helper_device *, struct str *error);
/* Close your own descriptors afterwards. */
void helper_release_tunnel(struct helper *, uint32_t handle);

/* The host's own stack. */

/* Replaces what it translates and lets in for us (host_nat.h), in one step; no
 * legs: nothing.  What stays the same is not touched.  It outlives a restart of
 * main; what a new main has not asked for goes with helper_settle().
 * -EADDRINUSE: it is in force, but for addresses that the host has itself. */
int helper_set_host_nat(struct helper *, const struct host_nat *,
                        struct str *error);

/* Files. */

/* A listening Unix stream socket `name` in the run directory; removed when the
 * helper ends. */
int helper_listen_unix(struct helper *, const char *name, mode_t mode,
                       struct str *error);
/* A file below the config directory, for reading. */
int helper_open_config(struct helper *, const char *path, struct str *error);

#endif
