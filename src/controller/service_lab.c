#include "controller/service_lab.h"

#include <stdlib.h>

#include "intent/parse.h"
#include "lib/str.h"
#include "unit.h"

static bool
take_sent(void *aux, const struct topology_member *member,
          const void *frame, size_t len)
{
    struct service_lab *lab = aux;
    struct lab_sent *sent = &lab->sent[lab->n_sent++];

    CHECK(lab->n_sent <= LAB_MAX_SENT && len <= LAB_FRAME_MAX);
    sent->member = member;
    sent->len = len;
    memcpy(sent->frame, frame, len);
    return true;
}

/* What enters the tables is not followed there. */
static bool
inject(void *aux, const struct packet_in_entry *at, const void *frame,
       size_t len)
{
    struct service_lab *lab = aux;

    lab->last_entry = *at;
    return take_sent(lab, NULL, frame, len);
}

static void
bind6(void *aux, const struct topology_member *member, enum bound_kind kind,
      const struct ip6_addr *addresses, unsigned int n)
{
    struct service_lab *lab = aux;

    topology_set_bound(lab->topology, member, kind, addresses, n,
                       &lab->dirty);
}

static void
touched(void *aux UNUSED)
{
}

void
service_lab_apply(struct service_lab *lab, const char *networks,
                  const char *ports)
{
    struct diagnostics *diagnostics = diag_create();
    struct intent *intent = intent_create();
    struct str text = STR_INIT, said = STR_INIT;
    bool good;

    str_addf(&text, "version: 1\nnetworks:\n%s\nports:\n%s\n", networks,
             ports);
    good = intent_parse(intent, "lab.yaml", str_text(&text), text.len,
                        diagnostics) && intent_seal(intent, diagnostics);
    diag_format(diagnostics, &said);
    CHECK_MSG(good, "%s", str_text(&said));
    topology_set_intent(lab->topology, intent, &lab->dirty);
    INTENT_FOR_EACH_PORT (port, intent) {
        topology_set_switch_port(lab->topology, port->switch_name,
                                 1 + (uint32_t) (port->object.id & 0xffff),
                                 true, &lab->dirty);
    }
    intent_unref(intent);
    diag_destroy(diagnostics);
    str_fini(&text);
    str_fini(&said);
}

struct service_lab *
service_lab_open(const char *networks, const char *ports)
{
    struct service_lab *lab = xzalloc(sizeof *lab);
    struct store_options options = { .loop = &lab->loop };
    struct topology_config config = { .host = "h1" };

    uv_loop_init(&lab->loop);
    CHECK(!store_open(&options, &lab->store, NULL));
    config.ipam = lab->ipam = ipam_create(NULL);
    lab->topology = topology_create(&config);
    lab->host = (struct service_host) {
        .loop = &lab->loop, .topology = lab->topology,
        .packet_ins = &lab->packet_ins, .send = take_sent, .bind6 = bind6,
        .inject = inject, .dirty = &lab->dirty, .touched = touched, .aux = lab,
    };
    service_lab_apply(lab, networks, ports);
    return lab;
}

static void
on_closed(void *is_closed)
{
    *(bool *) is_closed = true;
}

void
service_lab_close(struct service_lab *lab)
{
    bool is_closed = !lab->store;

    if (lab->store) {
        store_close(lab->store, on_closed, &is_closed);
    }
    uv_run(&lab->loop, UV_RUN_DEFAULT);
    CHECK(is_closed && !uv_loop_close(&lab->loop));
    topology_destroy(lab->topology);
    ipam_destroy(lab->ipam);
    unit_set_fini(&lab->dirty);
    free(lab);
}

const struct topology_member *
service_lab_member(const struct service_lab *lab, const char *name)
{
    const struct topology_port *port = topology_port(
        lab->topology, intent_object_id(INTENT_PORT, name));

    CHECK(port && port->n_members);
    return &port->members[0];
}

void
service_lab_receive(struct service_lab *lab, enum service_id service,
                    const char *port, const void *frame, size_t len)
{
    const struct topology_member *member = service_lab_member(lab, port);
    const struct packet_in in = {
        .network = member->network, .member = member, .frame = frame,
        .len = len,
    };

    lab->n_sent = 0;
    CHECK(lab->packet_ins.services[service].function);
    lab->packet_ins.services[service].function(
        lab->packet_ins.services[service].aux, &in);
}

static void
on_settled(const struct store_result *result, void *is_settled)
{
    CHECK(!result->err);
    *(bool *) is_settled = true;
}

/* Transactions are answered in order: the last is ours. */
void
service_lab_settle(struct service_lab *lab)
{
    struct store_txn *txn = store_txn_create(STORE_PROCESS);
    bool is_settled = false;

    store_txn_put(txn, "settle", "", 0, STORE_ANY);
    CHECK(!store_commit(lab->store, txn, on_settled, &is_settled));
    while (!is_settled) {
        uv_run(&lab->loop, UV_RUN_ONCE);
    }
}

unsigned int
service_lab_count(const struct service_lab *lab, const char *prefix)
{
    unsigned int n = 0;

    STORE_FOR_EACH (entry, lab->store, prefix) {
        n++;
    }
    return n;
}
