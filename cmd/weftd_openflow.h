/* weftd's OpenFlow sockets, on libuv's loop: connections to controllers with
 * back-off, listeners, and the switch's own `<run>/<switch>.mgmt` and `.snoop`.
 * What is said on them is switch/control.h's business. */
#ifndef WEFT_CMD_WEFTD_OPENFLOW_H
#define WEFT_CMD_WEFTD_OPENFLOW_H

#include <uv.h>

#include "openflow/method.h"
#include "port/helper.h"
#include "switch/control.h"

struct openflow;

struct openflow_config {
    uv_loop_t *loop;
    struct switch_ *sw;
    struct helper *helper;
    uint32_t versions;            /* as in control.h */
    msec probe_interval;
    unsigned int n_controllers, n_listeners;
    const struct openflow_method *controllers, *listeners;
    /* Something came: call openflow_run() and what belongs to a turn. */
    void (*turn)(void *aux);
    void *aux;
};

struct openflow_method {
    const char *text;
    struct of_method method;
};

/* Listens and begins to connect.  0 or negative errno with words. */
int openflow_start(const struct openflow_config *, struct openflow **,
                   struct str *error);
/* The loop runs once more afterwards. */
void openflow_stop(struct openflow *);

/* One turn, RCU-online; returns when the next is due, `now` for at once. */
msec openflow_run(struct openflow *, msec now);
/* Ends a turn: watches for what the sessions want now. */
void openflow_watch(struct openflow *, msec now);

#endif
