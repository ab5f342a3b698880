/* The controller's thread of weftd: its own loop, the store, the intents, the
 * controller, and the API's lane for all these.
 *
 *     main thread                        controller thread
 *     switch, helper, host/      <---    intents (a set that came into force)
 *     <run>/<switch>.mgmt        <==>    controller: OpenFlow
 *
 * The two share nothing but sealed sets of intents, which never change. */
#ifndef WEFT_CMD_WEFTD_CONTROLLER_H
#define WEFT_CMD_WEFTD_CONTROLLER_H

#include "api/http.h"
#include "intent/intent.h"
#include "weftd_options.h"

struct controller;
struct weftd_controller;

struct weftd_controller_config {
    const struct weftd_options *options;
    struct api *api;              /* gets `intents` and `controller` */
    struct http *http;
    /* NULL: always.  May the switch be given flow entries? */
    bool (*may_connect)(const void *aux);
    const void *may_connect_aux;
    /* A set came into force, and the controller has chosen addresses for it:
     * called on the controller's thread; the callee takes its own reference. */
    void (*changed)(void *aux, const struct intent *,
                    const struct controller *);
    /* The switch has the flow entries of all that was set; the same thread. */
    void (*synced)(void *aux, uint64_t generation);
    void *aux;
};

/* Starts the thread and waits until the store is read.  The set that is kept was
 * given to changed() before it returns. */
int weftd_controller_start(const struct weftd_controller_config *,
                           struct weftd_controller **, struct str *error);
/* Ends it and waits.  Accepts NULL. */
void weftd_controller_stop(struct weftd_controller *);

#endif
