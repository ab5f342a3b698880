/* weftd's OpenFlow sockets, on libuv's loop: connections to controllers with
 * back-off, listeners, and the switch's own `<run>/<switch>.mgmt` and `.snoop`.
 * What is said on them is switch/control.h's business. */
#ifndef WEFT_SWITCH_CONNECTIONS_H
#define WEFT_SWITCH_CONNECTIONS_H

#include <uv.h>

#include "openflow/method.h"
#include "port/helper.h"
#include "switch/control.h"

struct connections;

struct connections_config {
    uv_loop_t *loop;
    struct switch_ *sw;
    struct helper *helper;
    uint32_t versions;            /* as in control.h */
    msec probe_interval;
    unsigned int n_controllers, n_listeners;
    const struct connection_method *controllers, *listeners;
    /* Something came: call connections_run() and what belongs to a turn. */
    void (*turn)(void *aux);
    void *aux;
};

struct connection_method {
    const char *text;
    struct of_method method;
};

/* Listens and begins to connect.  0 or negative errno with words. */
int connections_start(const struct connections_config *, struct connections **,
                   struct str *error);
/* The loop runs once more afterwards. */
void connections_stop(struct connections *);

/* One turn, RCU-online; returns when the next is due, `now` for at once. */
msec connections_run(struct connections *, msec now);
/* Ends a turn: watches for what the sessions want now. */
void connections_watch(struct connections *, msec now);

#endif
