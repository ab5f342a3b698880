/* What an exchange of DHCP costs the controller, all in: a packet-in message
 * from the switch, the service, the lease in the store (SQLite, as durable as
 * weftd asks for), the packet-out message.
 *
 * Clients ask without waiting for each other's answers, so that the store
 * groups what comes meanwhile.  Real time counts, because the store works
 * beside. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench_dhcp.h"
#include "controller/serve_dhcp.h"
#include "intent/parse.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "openflow/message.h"

enum { PORT_NUMBER = 1, BURST = 64, YIADDR_OFS = UDP4_HEADERS_LEN + 16 };

struct whole {
    unsigned int n_clients;
    uv_loop_t loop;
    struct store *store;
    struct ipam *ipam;
    struct topology *topology;
    struct unit_set dirty;
    struct packet_in_table packet_ins;
    struct service_host host;
    struct serve_dhcp *dhcp;
    struct of_protocol protocol;
    struct buf out;               /* what would go to the switch */
    unsigned int n_answers;
    be32 *addrs;                  /* what was offered, in the order asked */
    bool failed;
};

static bool
take_answer(void *aux, const struct topology_member *member,
            const void *frame, size_t len)
{
    struct whole *w = aux;
    struct of_message msg = { .type = OFT_PACKET_OUT };
    struct actions actions = { NULL, 0, 0 };

    actions_add_output(&actions, member->port->number);
    msg.packet_out = (struct of_packet_out) {
        .buffer_id = OF_NO_BUFFER, .in_port = OFPP_CONTROLLER,
        .actions = actions, .data = { frame, len },
    };
    buf_clear(&w->out);
    w->failed |= of_message_encode(&w->out, &w->protocol, &msg) != 0;
    actions_fini(&actions);
    if (w->n_answers < w->n_clients) {
        w->addrs[w->n_answers] = get_be32((const uint8_t *) frame
                                          + YIADDR_OFS);
    }
    w->n_answers++;
    return true;
}

static void
bind6(void *aux UNUSED, const struct topology_member *member UNUSED,
      enum bound_kind kind UNUSED, const struct ip6_addr *addresses UNUSED,
      unsigned int n UNUSED)
{
}

static const struct intent_network *
only_network(const struct whole *w)
{
    INTENT_FOR_EACH_NETWORK (network, topology_intent(w->topology)) {
        return network;
    }
    return NULL;
}

/* The message that the switch would send. */
static void
encode(const struct whole *w, const struct bench_dhcp_frame *frame,
       struct buf *to)
{
    struct userdata u = { SERVICE_DHCP, only_network(w)->object.id };
    struct of_message msg = { .type = OFT_PACKET_IN };
    uint8_t bytes[USERDATA_LEN];
    struct flow flow = { .metadata = htobe64(u.object) };

    userdata_encode(&u, bytes);
    flow.regs[14] = htobe32(PORT_NUMBER);
    flow.key.in_port = htobe32(PORT_NUMBER);
    msg.packet_in = (struct of_packet_in) {
        .buffer_id = OF_NO_BUFFER, .total_len = (uint32_t) frame->len,
        .data = { frame->bytes, frame->len },
        .userdata = { bytes, sizeof bytes },
    };
    of_packet_in_match(&flow, &msg.packet_in.match);
    buf_clear(to);
    of_message_encode(to, &w->protocol, &msg);
}

static void
receive(struct whole *w, const struct buf *message)
{
    struct of_message msg;

    if (of_message_decode(&w->protocol, message->data, message->len, &msg,
                          NULL)) {
        w->failed = true;
        return;
    }
    packet_in_dispatch(&w->packet_ins, w->topology, &msg.packet_in);
    of_message_fini(&msg);
}

/* Asks for all clients; how long it took until all were answered. */
static nsec
ask_all(struct whole *w, const struct bench_dhcp_frame *frames)
{
    struct buf *messages = xcalloc(w->n_clients, sizeof *messages);
    nsec began;

    for (unsigned int i = 0; i < w->n_clients; i++) {
        encode(w, &frames[i], &messages[i]);
    }
    w->n_answers = 0;
    began = clock_nsec();
    for (unsigned int i = 0; i < w->n_clients; i++) {
        receive(w, &messages[i]);
        if (i % BURST == BURST - 1) {
            uv_run(&w->loop, UV_RUN_NOWAIT);
        }
    }
    while (w->n_answers < w->n_clients && !w->failed) {
        uv_run(&w->loop, UV_RUN_ONCE);
    }
    began = clock_nsec() - began;
    for (unsigned int i = 0; i < w->n_clients; i++) {
        buf_fini(&messages[i]);
    }
    free(messages);
    return began;
}

static struct intent *
read_intent(void)
{
    static const char text[]
        = "version: 1\n"
          "networks:\n"
          "  blue: {subnet: 10.0.0.0/8, dhcp: {per-port: 10000000}}\n"
          "ports:\n"
          "  relay: {network: blue, tap: relay}\n";
    struct diagnostics *diagnostics = diag_create();
    struct intent *intent = intent_create();

    if (!intent_parse(intent, "bench.yaml", text, sizeof text - 1,
                      diagnostics) || !intent_seal(intent, diagnostics)) {
        intent_unref(intent);
        intent = NULL;
    }
    diag_destroy(diagnostics);
    return intent;
}

static bool
open_all(struct whole *w, const char *path)
{
    struct store_options options = { .loop = &w->loop, .path = path };
    struct topology_config config = { .host = NULL };
    struct intent *intent = read_intent();
    struct str error = STR_INIT;

    uv_loop_init(&w->loop);
    if (!intent || store_open(&options, &w->store, &error)) {
        fprintf(stderr, "weft-bench: %s\n", str_text(&error));
        return false;
    }
    w->protocol = (struct of_protocol) { .version = OF15,
                                         .packet_in_format = PACKET_IN_NXT2 };
    config.ipam = w->ipam = ipam_create(NULL);
    w->topology = topology_create(&config);
    topology_set_intent(w->topology, intent, &w->dirty);
    intent_unref(intent);
    topology_set_switch_port(w->topology, "relay", PORT_NUMBER, true,
                             &w->dirty);
    w->host = (struct service_host) {
        .loop = &w->loop, .topology = w->topology,
        .packet_ins = &w->packet_ins, .send = take_answer, .bind6 = bind6,
        .aux = w,
    };
    w->dhcp = serve_dhcp_create(&w->host, w->store);
    serve_dhcp_changed(w->dhcp);
    return true;
}

static void
close_all(struct whole *w)
{
    serve_dhcp_destroy(w->dhcp);
    store_close(w->store, NULL, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
    topology_destroy(w->topology);
    ipam_destroy(w->ipam);
    unit_set_fini(&w->dirty);
    buf_fini(&w->out);
    free(w->addrs);
}

static double
exchanges(const struct whole *w, nsec took)
{
    return (double) w->n_clients * 1e9 / (double) took;
}

static void
run_round(struct whole *w, const struct bench_dhcp_frame *discovers,
          struct bench_dhcp_frame *requests, double *fresh, double *again)
{
    be32 server = only_network(w)->gateway;
    nsec took = ask_all(w, discovers);

    for (unsigned int i = 0; i < w->n_clients; i++) {
        bench_dhcp_frame(&requests[i], i, DHCP_REQUEST, w->addrs[i], server);
    }
    *fresh = exchanges(w, took + ask_all(w, requests));
    took = ask_all(w, discovers);
    *again = exchanges(w, took + ask_all(w, requests));
}

bool
bench_dhcp_controller(unsigned int n_clients, const char *parent,
                      double *fresh, double *again)
{
    struct whole w = { .n_clients = n_clients,
                       .addrs = xcalloc(n_clients, sizeof(be32)) };
    struct bench_dhcp_frame *discovers, *requests;
    char directory[96], path[128], lock[140];

    snprintf(directory, sizeof directory, "%s/weft-bench-XXXXXX",
             parent ? parent : ".");
    if (!mkdtemp(directory)) {
        perror(directory);
        return false;
    }
    snprintf(path, sizeof path, "%s/store", directory);
    snprintf(lock, sizeof lock, "%s.lock", path);
    discovers = xcalloc(n_clients, sizeof *discovers);
    requests = xcalloc(n_clients, sizeof *requests);
    if (open_all(&w, path)) {
        for (unsigned int i = 0; i < n_clients; i++) {
            bench_dhcp_frame(&discovers[i], i, DHCP_DISCOVER, 0, 0);
        }
        run_round(&w, discovers, requests, fresh, again);
        close_all(&w);
    } else {
        w.failed = true;
    }
    free(discovers);
    free(requests);
    unlink(lock);
    unlink(path);
    rmdir(directory);
    return !w.failed;
}
