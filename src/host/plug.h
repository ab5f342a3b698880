/* Plugging a port into a switch: ours, or Open vSwitch.
 *
 * Four functions that host.c needs of a switch: plug_switch.c is our own's front
 * door, plug_ovs.c is Open vSwitch's database. */
#ifndef WEFT_HOST_PLUG_H
#define WEFT_HOST_PLUG_H

#include "port/port.h"

struct switch_;

struct plug {
    /* Opens or makes the device and plugs it in as config->name.  -ENODEV: it
     * is not there; nothing is left behind then, nor after other errors. */
    int (*in)(void *aux, const struct port_config *, struct str *error);
    /* Takes it out, and away what was made for it.  -ENOENT: it was not in. */
    int (*out)(void *aux, const char *name);
    /* Whether it is in and its device is open; -ENOENT, -ENODEV (`why` may stay
     * empty: the device is not there). */
    int (*check)(void *aux, const char *name, struct str *why);
    /* Replaces its MTU and what its device is given inside (port_configure()).  -ENOENT: it
     * is not in. */
    int (*configure)(void *aux, const struct port_config *,
                     struct str *error);
    void *aux;
    unsigned int n_workers;       /* that share what a port receives; 0: they are
                                     not ours */
};

/* `sw` outlives it. */
struct plug plug_switch(struct switch_ *sw);

#endif
