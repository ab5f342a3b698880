/* What should be plugged in here, by the intents: the ports and uplinks of this
 * host, and one tunnel port for each kind of overlay that there is, if this
 * host is one of those that they join.  Such a port serves all remotes and all
 * networks: flow entries say where a frame goes, and with which key.  Pure. */
#ifndef WEFT_HOST_WANTED_H
#define WEFT_HOST_WANTED_H

#include "intent/intent.h"
#include "lib/str.h"

/* What a container's NIC is given by `configure: true`. */
struct wanted_inside {
    bool is_wanted;
    uint8_t prefix_len;
    be32 address;                 /* 0: the controller chooses one */
    char *address6;               /* with its prefix's length; owned, as the */
    char *gateways;               /* rest; "": none */
    char *resolver;               /* options dns and search */
};

struct wanted_port {
    char *name;                   /* the intent's; an uplink's: "lan/eth1"; a
                                     tunnel's: "vxlan" */
    char switch_name[16];
    char *spec;                   /* "tap:eth0,netns=web", for
                                     port_config_parse(); as long as it is the
                                     same, the port need not be opened again */
    uint32_t mtu;                 /* changed while it is open; 0: its own */
    char *groups;                 /* so are these, of the underlay, that a tunnel
                                     has joined: "239.1.1.1+239.1.1.2"; NULL:
                                     none */
    char *missing;                /* "namespace 'web' is not there": what is
                                     said while the device is away */
    struct wanted_inside inside;
    /* It is this port's, and while it is the same object, so is all of the
     * above (with what the last set wanted, see wanted_init()).  Not to be
     * looked into: the set may be gone.  NULL: an uplink's, or a tunnel. */
    const struct intent_port *port;
    bool is_optional;             /* may turn out not to be needed */
    bool is_leg;                  /* of the host's NAT, without which it must not
                                     be there */
};

struct wanted {
    unsigned int n;
    struct wanted_port *list;     /* in order of switch_name */
};

/* Ports whose `host` is this one or empty, members of uplinks likewise; tunnels
 * with a queue for each of so many workers.  `last`
 * (may be NULL) is what the last set wanted, whose set is still there: the texts
 * of ports that stayed move from it into the new one. */
void wanted_init(struct wanted *, const struct intent *,
                 const char *host_name, unsigned int n_workers,
                 struct wanted *last);
void wanted_fini(struct wanted *);
/* Appends the options that are changed while it is open: its MTU, its groups, and
 * those of the inside: ",mtu=1500,addr=10.0.0.2/24,gateway=...".  `chosen`
 * is the address when the intent says none; 0: none yet. */
void wanted_add_inside(const struct wanted_port *, be32 chosen,
                       struct str *);
const struct wanted_port *wanted_find(const struct wanted *,
                                      const char *switch_name);

#endif
