/* weftd: the daemon.
 *
 * The process that was started becomes the device helper and supervisor
 * (port/helper.h) and forks main, which is everything below: a switch, its
 * control thread (this one, on libuv's loop), the API and, unless it is a switch
 * only, the controller on a thread of its own (weftd_controller.h).
 *
 *     SIGTERM, SIGINT      -> the loop ends    \
 *     timer, wake-ups      -> switch_run()      > one loop
 *     intents in force     -> host_run()         |
 *     OpenFlow sockets     -> connections_run()   |
 *     API requests         -> api_dispatch()   /
 *
 * When the helper dies, main gets SIGTERM from the kernel.
 *
 * The control thread is an RCU reader that is online in callbacks only: while
 * it sleeps nobody waits for it. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/capture.h"
#include "api/http.h"
#include "api/snoop.h"
#include "controller/controller.h"
#include "host/host.h"
#include "host/plug_ovs.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "port/confine.h"
#include "port/helper.h"
#include "switch/connections.h"
#include "weftd_connections.h"
#include "weftd_controller.h"
#include "weftd_group.h"
#include "weftd_options.h"
#include "weftd_system.h"

/* The leak sanitizer wants everything given back, and stops all threads when a
 * process exits, in ways that no filter of ours allows. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_LEAK_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_LEAK_CHECKED 1
#endif
#endif
#ifndef IS_LEAK_CHECKED
#define IS_LEAK_CHECKED 0
#endif

enum { EXIT_USAGE = 2 };

/* So long at most frames wait for our controller's flow entries at a start. */
enum { WAIT_FOR_FLOWS = 2000 };

struct weftd {
    const struct weftd_options *options;
    struct helper *helper;
    gid_t gid;                    /* members may use the API */
    struct switch_ *sw;           /* NULL: a controller only */
    struct weftd_connections tracked;
    struct plug_ovs *ovs;         /* then; NULL: ports are somebody else's */
    struct api api;
    struct http *http;
    struct connections *connections;          /* NULL without a switch */
    struct weftd_controller *controller;      /* NULL: a switch only */
    struct host *host;            /* the same */
    _Atomic(struct host_news *) next_news;      /* for host; owned */
    _Atomic bool has_flows;       /* of what the intents want */
    msec forward_at;              /* without these; 0: forwards */
    uv_loop_t loop;
    uv_timer_t timer;             /* when switch_run() is due */
    uv_idle_t more;               /* it is at once: others have a turn first */
    uv_async_t wake;              /* it cannot wait for the timer */
    uv_signal_t on_term, on_int;
};

/* ---- The host ---- */

/* What goes from the controller's thread to the host: a set, and the addresses
 * chosen for ports whose inside we configure. */
struct host_news {
    const struct intent *intent;
    unsigned int n_chosen;
    struct {
        char switch_name[16];
        be32 address;
    } chosen[];
};

/* Accepts NULL. */
static void
host_news_free(struct host_news *news)
{
    if (news) {
        intent_unref(news->intent);
        free(news);
    }
}

static struct host_news *
host_news_create(const struct intent *intent, const struct controller *c)
{
    unsigned int n_ports = intent_count(intent, INTENT_PORT);
    struct host_news *news = xzalloc(sizeof *news
                                     + n_ports * sizeof news->chosen[0]);

    news->intent = intent_ref(intent);
    INTENT_FOR_EACH_PORT (port, intent) {
        if (port->configure && !port->address) {
            unsigned int i = news->n_chosen++;

            strcpy(news->chosen[i].switch_name, port->switch_name);
            news->chosen[i].address
                = controller_port_address(c, port->object.name);
        }
    }
    return news;
}

/* Ports that the intents want; returns when there is more to do. */
static msec
run_host(struct weftd *d, msec now)
{
    struct host_news *news;

    if (!d->host) {
        return INT64_MAX;
    }
    news = atomic_exchange(&d->next_news, NULL);
    if (news) {
        host_set_intent(d->host, news->intent);
        for (unsigned int i = 0; i < news->n_chosen; i++) {
            host_set_address(d->host, news->chosen[i].switch_name,
                             news->chosen[i].address);
        }
        host_news_free(news);
    }
    return host_run(d->host, now);
}

/* What is kept is plugged in before we say that we forward, and before the
 * helper lets go of what the last main had and this one did not ask for. */
static void
settle_host(struct weftd *d)
{
    msec now = clock_msec();

    while (run_host(d, now) <= now) {
        now = clock_msec();
    }
}

/* A frame that comes before the flow entries do would be dropped: it waits in
 * its device, as it did while nobody ran.  Returns when to be called again. */
static msec
begin_forwarding(struct weftd *d, msec now)
{
    if (d->forward_at
        && (now >= d->forward_at || atomic_load(&d->has_flows))) {
        d->forward_at = 0;
        datapath_resume(switch_datapath(d->sw));
    }
    return d->forward_at ? d->forward_at : INT64_MAX;
}

/* ---- The loop ---- */

static void on_timer(uv_timer_t *);
static void on_more(uv_idle_t *);

static void
run_switch(struct weftd *d)
{
    msec now = clock_msec();
    msec next, at_once, watched;

    rcu_online();
    at_once = d->sw ? connections_run(d->connections, now) : INT64_MAX;
    at_once = MIN(at_once, run_host(d, now));
    next = d->sw ? switch_run(d->sw, now) : INT64_MAX;
    watched = d->sw ? connections_watch(d->connections, now) : INT64_MAX;
    rcu_offline();
    next = MIN(MIN(next, watched), begin_forwarding(d, now));
    if (at_once <= now) {
        /* Not by a timer: one that is due again while it runs is all that the
         * loop runs. */
        uv_idle_start(&d->more, on_more);
        return;
    }
    uv_idle_stop(&d->more);
    next = MAX(MIN(next, at_once), now + 1);
    uv_update_time(&d->loop);
    uv_timer_stop(&d->timer);
    if (next != INT64_MAX) {
        uv_timer_start(&d->timer, on_timer, (uint64_t) (next - now), 0);
    }
}

static void
on_timer(uv_timer_t *timer)
{
    run_switch(timer->data);
}

static void
on_more(uv_idle_t *more)
{
    run_switch(more->data);
}

static void
run_turn(void *aux)
{
    run_switch(aux);
}

static void
on_wake(uv_async_t *wake)
{
    run_switch(wake->data);
}

/* From any thread. */
static void
wake_switch(void *aux)
{
    struct weftd *d = aux;

    uv_async_send(&d->wake);
}

static void
on_signal(uv_signal_t *signal, int signo)
{
    struct weftd *d = signal->data;

    log_info("weftd", "%s: ending", strsignal(signo));
    uv_stop(&d->loop);
}

static void
start_loop(struct weftd *d)
{
    uv_loop_init(&d->loop);
    uv_timer_init(&d->loop, &d->timer);
    d->timer.data = d;
    uv_idle_init(&d->loop, &d->more);
    d->more.data = d;
    uv_async_init(&d->loop, &d->wake, on_wake);
    d->wake.data = d;
    uv_signal_init(&d->loop, &d->on_term);
    d->on_term.data = d;
    uv_signal_start(&d->on_term, on_signal, SIGTERM);
    uv_signal_init(&d->loop, &d->on_int);
    d->on_int.data = d;
    uv_signal_start(&d->on_int, on_signal, SIGINT);
}

static void
stop_loop(struct weftd *d)
{
    uv_close((uv_handle_t *) &d->timer, NULL);
    uv_close((uv_handle_t *) &d->more, NULL);
    uv_close((uv_handle_t *) &d->wake, NULL);
    uv_close((uv_handle_t *) &d->on_term, NULL);
    uv_close((uv_handle_t *) &d->on_int, NULL);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    uv_loop_close(&d->loop);
}

static void
no_work(uv_work_t *work UNUSED)
{
}

static void
no_work_done(uv_work_t *work, int status UNUSED)
{
    *(bool *) work->data = true;
}

/* The pool's threads start with the first work, which must be before system
 * calls are confined. */
static void
start_pool(struct weftd *d)
{
    uv_work_t work;
    bool is_done = false;

    work.data = &is_done;
    uv_queue_work(&d->loop, &work, no_work, no_work_done);
    while (!is_done) {
        uv_run(&d->loop, UV_RUN_ONCE);
    }
}

/* ---- The switch ---- */

static int
add_port(struct weftd *d, const struct port_spec *spec)
{
    struct str error = STR_INIT;
    struct switch_port *port;
    int err = switch_add_port(d->sw, &spec->config, spec->number, &port,
                              &error);

    if (!err) {
        err = port_settings_apply(d->sw, port, &spec->settings);
    }
    if (err) {
        log_error("weftd", "port %s: %s", spec->config.name,
                  error.len ? str_text(&error) : strerror(-err));
    } else if (!port_is_up(port->port)) {
        log_warn("weftd", "port %s: its device %s is not there yet",
                 spec->config.name, spec->config.device);
    }
    str_fini(&error);
    return err;
}

/* Ports that say their number first: others take the lowest that is free. */
static int
add_ports(struct weftd *d)
{
    for (int pass = 0; pass < 2; pass++) {
        for (unsigned int i = 0; i < d->options->n_ports; i++) {
            const struct port_spec *spec = &d->options->ports[i];

            if (!spec->number == (pass == 1)) {
                int err = add_port(d, spec);

                if (err) {
                    return err;
                }
            }
        }
    }
    switch_barrier(d->sw);
    return 0;
}

static void
delete_ports(struct weftd *d)
{
    struct switch_port *port;

    while ((port = switch_next_port(d->sw, NULL))) {
        switch_delete_port(d->sw, port->number);
    }
}

static int
start_switch(struct weftd *d)
{
    struct switch_config config = d->options->sw;
    int err;

    if (d->options->is_controller_only) {
        return 0;
    }
    weftd_connections_configure(d->options, &config.datapath.ct);
    config.helper = d->helper;
    config.wake = wake_switch;
    config.wake_aux = d;
    d->sw = switch_create(&config, clock_msec());
    if (!d->sw) {
        log_error("weftd", "cannot make the switch: out of memory");
        return -ENOMEM;
    }
    if (!d->options->is_switch_only) {
        datapath_pause(switch_datapath(d->sw));
        d->forward_at = clock_msec() + WAIT_FOR_FLOWS;
    }
    if (!d->options->is_switch_only) {
        weftd_connections_start(&d->tracked, d->options, &d->loop, d->sw);
    }
    err = add_ports(d);
    if (err) {
        weftd_connections_stop(&d->tracked);
        delete_ports(d);
        switch_destroy(d->sw);
    }
    return err;
}

static void
stop_switch(struct weftd *d)
{
    helper_keep(d->helper);
    if (d->sw) {
        /* What comes now is the next start's. */
        datapath_pause(switch_datapath(d->sw));
        weftd_connections_stop(&d->tracked);
        delete_ports(d);
        /* The kernel takes memory back at once; we would wait for several grace
         * periods, and the next start for us. */
        if (IS_LEAK_CHECKED) {
            switch_destroy(d->sw);
        }
    }
}

/* ---- The API ---- */

static int
start_api(struct weftd *d)
{
    struct str error = STR_INIT;
    struct http_config config = {
        .loop = &d->loop,
        .api = &d->api,
        .gid = d->gid,
    };
    int err = 0;

    d->api = (struct api) {
        .sw = d->sw,
        .connections = d->connections,
        .version = WEFT_VERSION,
        .instance = d->options->instance,
        .started = clock_msec(),
        .helper_generation = helper_generation(d->helper),
        .switch_name = d->options->sw.name,
    };
    if (d->sw) {
        d->api.captures = captures_create(switch_datapath(d->sw));
        d->api.snoops = snoops_create(d->connections);
    }
    config.listen_fd = helper_listen_unix(d->helper, "api.sock", 0660,
                                          &error);
    if (config.listen_fd < 0) {
        err = config.listen_fd;
    } else {
        err = http_start(&config, &d->http, &error);
    }
    if (err) {
        log_error("weftd", "API: %s",
                  error.len ? str_text(&error) : strerror(-err));
        captures_destroy(d->api.captures);
        snoops_destroy(d->api.snoops);
    }
    str_fini(&error);
    return err;
}

static void
stop_api(struct weftd *d)
{
    http_stop(d->http);
    /* It ran the loop, and a turn of the switch ends offline. */
    rcu_online();
    captures_destroy(d->api.captures);
    snoops_destroy(d->api.snoops);
}

/* ---- OpenFlow ---- */

static int
start_openflow(struct weftd *d)
{
    struct str error = STR_INIT;
    const struct connections_config config = {
        .loop = &d->loop, .sw = d->sw, .helper = d->helper,
        .versions = d->options->openflow_versions,
        .settings = d->options->connections,
        .tls = d->options->tls,
        .n_controllers = d->options->n_controllers,
        .controllers = d->options->controllers,
        .n_listeners = d->options->n_listeners,
        .listeners = d->options->listeners,
        .turn = run_turn, .aux = d,
    };
    int err = d->sw ? connections_start(&config, &d->connections, &error)
                    : 0;

    if (err) {
        log_error("weftd", "%s",
                  error.len ? str_text(&error) : strerror(-err));
    }
    str_fini(&error);
    return err;
}

/* ---- The controller ---- */

/* On the controller's thread. */
static void
intents_changed(void *aux, const struct intent *intent,
                const struct controller *controller)
{
    struct weftd *d = aux;

    host_news_free(atomic_exchange(&d->next_news,
                                   host_news_create(intent, controller)));
    uv_async_send(&d->wake);
}

/* The same. */
static void
flows_are_there(void *aux, uint64_t generation UNUSED)
{
    struct weftd *d = aux;

    atomic_store(&d->has_flows, true);
    uv_async_send(&d->wake);
}

static bool
may_drive(const void *ovs)
{
    return !ovs || plug_ovs_is_ours(ovs);
}

/* Where ports of the intents are plugged in; false: nowhere. */
static bool
choose_plug(struct weftd *d, struct plug *plug)
{
    const struct plug_ovs_config config = {
        .loop = &d->loop, .helper = d->helper, .path = d->options->ovsdb,
        .bridge = d->options->sw.name, .instance = d->options->instance,
        .woken = run_turn, .aux = d,
    };

    if (!d->options->is_controller_only) {
        *plug = plug_switch(d->sw);
        return true;
    }
    if (!d->options->ovsdb) {
        return false;
    }
    d->ovs = plug_ovs_create(&config);
    *plug = plug_ovs(d->ovs);
    return true;
}

static int
start_controller(struct weftd *d)
{
    struct weftd_controller_config config = {
        .options = d->options, .api = &d->api, .http = d->http,
        .may_connect = may_drive, .changed = intents_changed,
        .synced = flows_are_there, .aux = d,
    };
    struct str error = STR_INIT;
    struct plug plug;
    bool has_ports;
    int err;

    if (d->options->is_switch_only) {
        return 0;
    }
    has_ports = choose_plug(d, &plug);
    config.may_connect_aux = d->ovs;
    err = weftd_controller_start(&config, &d->controller, &error);
    if (err) {
        log_error("weftd", "controller: %s",
                  error.len ? str_text(&error) : strerror(-err));
        plug_ovs_destroy(d->ovs);
        d->ovs = NULL;
    } else if (has_ports) {
        d->host = d->api.host = host_create(&plug, d->options->host,
                                              d->helper);
    }
    str_fini(&error);
    return err;
}

static void
stop_controller(struct weftd *d)
{
    weftd_controller_stop(d->controller);
    d->api.intents = NULL;
    d->api.controller = NULL;
    d->api.mesh = NULL;
    host_destroy(d->host);
    d->host = d->api.host = NULL;
    plug_ovs_destroy(d->ovs);
    d->ovs = NULL;
    host_news_free(atomic_exchange(&d->next_news, NULL));
}

/* ---- Main ---- */

static int
confine(void)
{
    struct str error = STR_INIT;
    int err = IS_LEAK_CHECKED ? 0
                              : confine_system_calls(CONFINE_KILL, &error);

    if (err) {
        log_error("weftd", "%s", str_text(&error));
    }
    str_fini(&error);
    return err;
}

/* Runs until told to end.  Returns the exit status. */
static int
run(struct weftd *d)
{
    int status = EXIT_FAILURE;

    rcu_thread_begin();
    start_loop(d);
    start_pool(d);
    if (start_switch(d)) {
        goto stop_the_loop;
    }
    if (start_openflow(d)) {
        goto stop_the_switch;
    }
    if (start_api(d)) {
        goto stop_openflow;
    }
    if (start_controller(d)) {
        goto stop_the_api;
    }
    settle_host(d);
    helper_settle(d->helper);
    if (d->ovs) {
        plug_ovs_settle(d->ovs);
    }
    if (confine()) {
        goto stop_the_controller;
    }

    if (d->sw) {
        log_info("weftd", "switch %s forwards: %u ports, %s/api.sock",
                 d->options->sw.name, d->options->n_ports,
                 d->options->run_dir);
    } else {
        log_info("weftd", "drives %s, %s/api.sock", d->options->drives,
                 d->options->run_dir);
    }
    weftd_notify_ready();
    rcu_offline();
    run_switch(d);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    rcu_online();
    status = EXIT_SUCCESS;

stop_the_controller:
    stop_controller(d);
stop_the_api:
    /* Before the others, since it lets the loop turn and a turn needs the others. */
    stop_api(d);
stop_openflow:
    if (d->sw) {
        connections_stop(d->connections);
    }
stop_the_switch:
    stop_switch(d);
stop_the_loop:
    stop_loop(d);
    rcu_thread_end();
    return status;
}

/* Becomes the helper, and in another process main. */
static int
start(const struct weftd_options *options)
{
    struct weftd d = { .options = options, .gid = weftd_group() };
    const struct helper_options helper = {
        .instance = options->instance,
        .run_dir = options->run_dir,
        .gid = d.gid == (gid_t) -1 ? 0 : d.gid,
        .keep_devices = !options->is_switch_only,
    };
    struct str error = STR_INIT;
    int err, status;

    signal(SIGPIPE, SIG_IGN);
    weftd_raise_file_limit();
    if (!weftd_make_directories(options)) {
        return EXIT_FAILURE;
    }
    err = helper_start(&helper, &d.helper, &error);
    if (err) {
        log_error("weftd", "cannot start: %s",
                  error.len ? str_text(&error) : strerror(-err));
        str_fini(&error);
        return EXIT_FAILURE;
    }
    str_fini(&error);
    status = run(&d);
    helper_close(d.helper);
    return status;
}

static int
describe(void)
{
    struct str text = STR_INIT;

    weftd_options_describe(&text);
    fputs(str_text(&text), stdout);
    str_fini(&text);
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    struct weftd_options options;
    struct str error = STR_INIT;
    int status;

    if (weftd_options_parse(argc, argv, &options, &error)) {
        fprintf(stderr, "weftd: %s\n", str_text(&error));
        str_fini(&error);
        return EXIT_USAGE;
    }
    if (options.is_help) {
        status = describe();
    } else if (options.is_version) {
        puts("weftd " WEFT_VERSION);
        status = EXIT_SUCCESS;
    } else {
        status = start(&options);
    }
    weftd_options_fini(&options);
    return status;
}
