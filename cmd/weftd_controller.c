#include "weftd_controller.h"

#include <semaphore.h>
#include <stdlib.h>

#include "api/explain_far.h"
#include "controller/controller.h"
#include "lib/log.h"
#include "peer/peer_mesh.h"
#include "lib/rcu.h"
#include "store/intents.h"

struct weftd_controller {
    struct weftd_controller_config config;
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t stop;
    struct store *store;
    struct intents *intents;
    struct controller *controller;
    struct peer_certificate *certificate;
    struct peer_mesh *mesh;       /* NULL: no channels to other hosts */
    sem_t started;
    int err;                      /* how the start went */
    struct str error;
};

static void
set_aside(const char *to, const char *reason, void *aux UNUSED)
{
    log_error("store", "it was damaged (%s) and is now %s; beginning anew",
              reason, to);
}

static void
intents_changed(void *aux, const struct intent *intent)
{
    struct weftd_controller *c = aux;

    controller_set_intent(c->controller, intent);
    if (c->mesh) {
        peer_mesh_set_hosts(c->mesh, intent);
    }
    c->config.changed(c->config.aux, intent, c->controller);
}

static void
synced(void *aux, uint64_t generation)
{
    struct weftd_controller *c = aux;

    c->config.synced(c->config.aux, generation);
}

static void
own_changed(void *aux)
{
    struct weftd_controller *c = aux;

    if (c->mesh) {
        peer_mesh_publish(c->mesh);
    }
}

static void
listening_changed(void *aux)
{
    struct weftd_controller *c = aux;

    if (c->mesh) {
        peer_mesh_publish_listening(c->mesh);
    }
}

static int
open_store(struct weftd_controller *c)
{
    struct str path = STR_INIT;
    struct store_options options = {
        .loop = &c->loop, .set_aside = set_aside,
    };
    int err;

    str_addf(&path, "%s/store.db", c->config.options->state_dir);
    options.path = str_text(&path);
    err = store_open(&options, &c->store, &c->error);
    str_fini(&path);
    return err;
}

static int
make_controller(struct weftd_controller *c)
{
    const struct weftd_options *options = c->config.options;
    struct str method = STR_INIT;
    struct controller_config config = {
        .loop = &c->loop, .store = c->store, .host = options->host,
        .resolv_conf = "/etc/resolv.conf",
        .probe_interval = options->tunnel_probe_interval,
        .synced = synced, .own_changed = own_changed,
        .listening_changed = listening_changed, .aux = c,
    };

    if (options->is_controller_only) {
        str_add(&method, options->drives);
        config.names_are_devices = options->ovsdb;
        config.may_connect = c->config.may_connect;
        config.may_connect_aux = c->config.may_connect_aux;
    } else {
        str_addf(&method, "unix:%s/%s.mgmt", options->run_dir,
                 options->sw.name);
    }
    config.method = str_text(&method);
    c->controller = controller_create(&config, &c->error);
    str_fini(&method);
    return c->controller ? 0 : -EIO;
}

/* ---- Other hosts ---- */

static void
heard(void *aux, bool only_listening)
{
    struct weftd_controller *c = aux;

    if (only_listening) {
        controller_heard_listening(c->controller);
    } else {
        controller_heard(c->controller);
    }
}

static void
visit_own(void *aux, void (*visit)(void *, const struct controller_own *),
          void *visit_aux)
{
    struct weftd_controller *c = aux;

    controller_visit_own(c->controller, visit, visit_aux);
}

static void
visit_listening(void *aux,
                void (*visit)(void *, const struct controller_listening *),
                void *visit_aux)
{
    struct weftd_controller *c = aux;

    controller_visit_listening(c->controller, visit, visit_aux);
}

static void
asked(void *aux, const json_t *body, struct peer_question *question)
{
    struct weftd_controller *c = aux;

    explain_answer_far(c->config.http, body, question);
}

/* Without it, networks span hosts all the same: it is no reason not to start. */
static void
make_mesh(struct weftd_controller *c)
{
    struct str path = STR_INIT, error = STR_INIT;
    struct peer_mesh_config config = {
        .loop = &c->loop, .host = c->config.options->host,
        .remote = controller_remote(c->controller), .heard = heard,
        .visit_own = visit_own, .visit_listening = visit_listening, .asked = asked, .aux = c,
    };

    str_addf(&path, "%s/peer.pem", c->config.options->state_dir);
    if (!peer_certificate_open(str_text(&path), config.host, &c->certificate,
                               &error)) {
        config.certificate = c->certificate;
        c->mesh = peer_mesh_create(&config, &error);
    }
    if (!c->mesh) {
        log_error("peer", "no channels to other hosts: %s", str_text(&error));
    }
    c->config.api->mesh = c->mesh;
    str_fini(&path);
    str_fini(&error);
}

static void
on_stop(uv_async_t *stop)
{
    uv_stop(stop->loop);
}

static int
begin(struct weftd_controller *c)
{
    struct api *api = c->config.api;
    int err = open_store(c);

    if (err) {
        return err;
    }
    c->intents = intents_create(&c->loop, c->store);
    err = make_controller(c);
    if (err) {
        return err;
    }
    api->intents = c->intents;
    api->controller = c->controller;
    make_mesh(c);
    err = http_open_lane(c->config.http, API_CONTROLLER, &c->loop);
    if (err) {
        str_setf(&c->error, "cannot make the API's event");
        return err;
    }
    intents_set_watch(c->intents, intents_changed, c);
    intents_changed(c, intents_current(c->intents));
    return 0;
}

static void
end(struct weftd_controller *c)
{
    http_close_lane(c->config.http, API_CONTROLLER);
    peer_mesh_destroy(c->mesh);
    peer_certificate_destroy(c->certificate);
    controller_destroy(c->controller);
    intents_destroy(c->intents);
    if (c->store) {
        store_close(c->store, NULL, NULL);
    }
    uv_close((uv_handle_t *) &c->stop, NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_loop_close(&c->loop);
}

static void *
run_controller(void *aux)
{
    struct weftd_controller *c = aux;
    int err;

    rcu_thread_begin();
    uv_loop_init(&c->loop);
    uv_async_init(&c->loop, &c->stop, on_stop);
    err = c->err = begin(c);
    sem_post(&c->started);
    if (!err) {
        rcu_offline();
        uv_run(&c->loop, UV_RUN_DEFAULT);
        rcu_online();
    }
    end(c);
    rcu_thread_end();
    return NULL;
}

int
weftd_controller_start(const struct weftd_controller_config *config,
                       struct weftd_controller **result, struct str *error)
{
    struct weftd_controller *c = xzalloc(sizeof *c);
    int err;

    c->config = *config;
    sem_init(&c->started, 0, 0);
    err = -pthread_create(&c->thread, NULL, run_controller, c);
    if (err) {
        str_setf(error, "cannot start the controller's thread: %s",
                 strerror(-err));
        goto free_it;
    }
    while (sem_wait(&c->started) && errno == EINTR) {
        continue;
    }
    err = c->err;
    if (err) {
        pthread_join(c->thread, NULL);
        str_setf(error, "%s", c->error.len ? str_text(&c->error)
                                           : strerror(-err));
        goto free_it;
    }
    *result = c;
    return 0;

free_it:
    sem_destroy(&c->started);
    str_fini(&c->error);
    free(c);
    return err;
}

void
weftd_controller_stop(struct weftd_controller *c)
{
    if (!c) {
        return;
    }
    uv_async_send(&c->stop);
    pthread_join(c->thread, NULL);
    sem_destroy(&c->started);
    str_fini(&c->error);
    free(c);
}
