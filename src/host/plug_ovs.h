/* Ports of Open vSwitch: their devices by the helper, their rows by OVSDB.
 *
 *     plug.in  -> helper: makes, isolates and keeps the device
 *              -> wanted list -> ovs_bridge.c: what is missing
 *                                -> ovsdb.c: one transaction at a time
 *     ovsdb.c: what ovs-vswitchd made of it -> plug.check
 *
 * Nothing waits: in() wants a port, check() says when it is there.  Whatever
 * becomes of Open vSwitch, its database or its rows, the difference is made up
 * for as soon as it answers.
 *
 * The rows call a port like its device, as Open vSwitch does: plug_ovs_name()
 * says how, intent_port_device() is the controller's side of it. */
#ifndef WEFT_HOST_PLUG_OVS_H
#define WEFT_HOST_PLUG_OVS_H

#include <uv.h>

#include "host/plug.h"

struct helper;
struct plug_ovs;

struct plug_ovs_config {
    uv_loop_t *loop;
    struct helper *helper;
    const char *path;             /* of the database's socket */
    const char *bridge;
    const char *instance;         /* marks what is ours */
    /* Something changed there: a turn of host_run() may find work. */
    void (*woken)(void *aux);
    void *aux;
};

/* Texts are borrowed for as long as it lives. */
struct plug_ovs *plug_ovs_create(const struct plug_ovs_config *);
/* Rows and devices stay, for the next start.  Accepts NULL. */
void plug_ovs_destroy(struct plug_ovs *);
struct plug plug_ovs(struct plug_ovs *);

/* All that the last start had was asked for again: what of our rows nobody
 * wants may go from now on. */
void plug_ovs_settle(struct plug_ovs *);

/* The bridge is there and ours: it may be given flow entries.  Any thread. */
bool plug_ovs_is_ours(const struct plug_ovs *);
/* What keeps it from that, "" nothing.  Lives until the next turn. */
const char *plug_ovs_reason(const struct plug_ovs *);

#endif
