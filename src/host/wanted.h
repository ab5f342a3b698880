/* What should be plugged in here, by the intents.  Pure. */
#ifndef WEFT_HOST_WANTED_H
#define WEFT_HOST_WANTED_H

#include "intent/intent.h"
#include "lib/str.h"

struct wanted_port {
    char *name;                   /* the intent's; an uplink's: "lan/eth1" */
    char switch_name[16];
    char *spec;                   /* "tap:eth0,netns=web", for
                                     port_config_parse(); as long as it is the
                                     same, the port need not be opened again */
};

struct wanted {
    unsigned int n;
    struct wanted_port *list;     /* in order of switch_name */
};

/* Ports whose `host` is this one or empty, and all members of uplinks. */
void wanted_init(struct wanted *, const struct intent *,
                 const char *host_name);
void wanted_fini(struct wanted *);
const struct wanted_port *wanted_find(const struct wanted *,
                                      const char *switch_name);

#endif
