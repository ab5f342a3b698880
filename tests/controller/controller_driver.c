/* A controller and nothing else, for tests.
 *
 *     controller_driver METHOD FILE [RESOLV-CONF]
 *
 * Applies the intents of FILE to the switch at METHOD and keeps them applied.
 * RESOLV-CONF names the resolvers of other names than ours.
 * Says on standard output, a line each, what a test waits for:
 *
 *     synced GENERATION FLOWS FLOW-MODS BUNDLES REFUSED
 *
 * SIGHUP: the file is read again.  SIGTERM: it ends, and leaves the switch as
 * it is. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/controller.h"
#include "intent/parse.h"

struct driver {
    uv_loop_t loop;
    const char *path;
    struct controller *controller;
    uv_signal_t on_hup, on_term;
};

static void
read_file(struct driver *d)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *set = intent_create();
    struct str said = STR_INIT;

    if (intent_parse_file(set, d->path, diagnostics)
        && intent_seal(set, diagnostics)) {
        controller_set_intent(d->controller, set);
    } else {
        diag_format(diagnostics, &said);
        fprintf(stderr, "%s", str_text(&said));
    }
    str_fini(&said);
    intent_unref(set);
    diag_destroy(diagnostics);
}

static void
on_synced(void *aux, uint64_t generation)
{
    struct driver *d = aux;
    struct controller_status status;

    controller_status(d->controller, &status);
    printf("synced %llu %u %llu %llu %u\n", (unsigned long long) generation,
           status.n_flows_installed, (unsigned long long) status.n_flow_mods,
           (unsigned long long) status.n_bundles, status.n_refused);
    fflush(stdout);
}

static void
on_hup(uv_signal_t *signal, int signum)
{
    (void) signum;
    read_file(signal->data);
}

static void
on_term(uv_signal_t *signal, int signum)
{
    struct driver *d = signal->data;

    (void) signum;
    controller_destroy(d->controller);
    uv_close((uv_handle_t *) &d->on_hup, NULL);
    uv_close((uv_handle_t *) &d->on_term, NULL);
}

int
main(int argc, char **argv)
{
    struct driver d = { .path = argc >= 3 ? argv[2] : NULL };
    struct controller_config config = { .loop = &d.loop, .synced = on_synced,
                                        .aux = &d };
    struct str error = STR_INIT;

    if (argc < 3) {
        fprintf(stderr, "usage: controller_driver METHOD FILE [RESOLV-CONF]"
                        "\n");
        return 2;
    }
    config.method = argv[1];
    config.resolv_conf = argc > 3 ? argv[3] : NULL;
    uv_loop_init(&d.loop);
    d.controller = controller_create(&config, &error);
    if (!d.controller) {
        fprintf(stderr, "%s\n", str_text(&error));
        return 1;
    }
    d.on_hup.data = d.on_term.data = &d;
    uv_signal_init(&d.loop, &d.on_hup);
    uv_signal_init(&d.loop, &d.on_term);
    uv_signal_start(&d.on_hup, on_hup, SIGHUP);
    uv_signal_start(&d.on_term, on_term, SIGTERM);
    read_file(&d);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&d.loop) ? 1 : 0;
}
