/* How many four-packet exchanges (DISCOVER, OFFER, REQUEST, ACK) a second the
 * DHCP server does, frame in to frame out, without a store.
 *
 *     weft-bench dhcp [--leases=10000] [--rounds=7] [--directory=.]
 *
 * First all clients are new, then each comes again while all leases live.  Only
 * the server's time counts, not that of the clients' frames.  Then the same
 * through packet-in and a store below --directory (bench_dhcp_controller.c). */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_dhcp.h"
#include "service/dhcp_server.h"

enum { NETWORK = 0x0a000000, SERVER = 0x0a000001, NOW = 1000000 };

struct bench {
    unsigned int n_clients;
    struct dhcp_server *server;
    struct lease_table *leases;
    struct bench_dhcp_frame *discovers, *requests;
    bool failed;
};

void
bench_dhcp_frame(struct bench_dhcp_frame *frame, uint32_t client,
                 uint8_t type, be32 addr, be32 server)
{
    static const uint8_t wanted[] = { 1, 3, 6, 12, 15, 26, 28, 42, 51, 121 };
    uint8_t mac[7] = { 1, 2, 0, (uint8_t) (client >> 24),
                       (uint8_t) (client >> 16), (uint8_t) (client >> 8),
                       (uint8_t) client };
    struct dhcp_header h = { .op = DHCP_REQUEST_OP, .htype = 1, .hlen = 6,
                             .xid = client };
    struct udp4 udp = { .ip_dst = UINT32_MAX, .src_port = 68,
                        .dst_port = 67 };
    struct dhcp_item items[] = {
        { DHCP_OPT_TYPE, 1, &type },
        { DHCP_OPT_CLIENT_ID, sizeof mac, mac },
        { DHCP_OPT_PARAMETERS, sizeof wanted, wanted },
        { DHCP_OPT_SERVER_ID, 4, &server },
        { DHCP_OPT_REQUESTED_ADDRESS, 4, &addr },
    };
    unsigned int n_left_out;

    memcpy(h.chaddr, mac + 1, 6);
    memcpy(udp.eth_src.b, mac + 1, 6);
    memset(udp.eth_dst.b, 0xff, 6);
    udp.payload_len = dhcp_encode(&h, items, addr ? 5 : 3,
                                  frame->bytes + UDP4_HEADERS_LEN,
                                  DHCP_MIN_LEN, &n_left_out);
    frame->len = udp4_encode(frame->bytes, &udp);
}

/* Asks for all clients; how long the server took. */
static nsec
ask_all(struct bench *b, const struct bench_dhcp_frame *frames, enum dhcp_verdict right,
        be32 *addrs)
{
    nsec began = bench_cpu_nsec();

    for (unsigned int i = 0; i < b->n_clients; i++) {
        struct dhcp_question q = { frames[i].bytes, frames[i].len, "port",
                                   "name", NOW };
        struct dhcp_answer answer;

        b->failed = b->failed
                    || dhcp_server_handle(b->server, &q, &answer) != right;
        if (addrs) {
            addrs[i] = answer.addr;
        }
    }
    return bench_cpu_nsec() - began;
}

static void
open_server(struct bench *b)
{
    static const be32 dns[] = { 0x0100000a };
    struct lease_options options = { .key = { 1 } };
    struct dhcp_subnet subnet = {
        .network = htobe32(NETWORK), .prefix_len = 8,
        .router = htobe32(SERVER), .dns = dns, .n_dns = 1, .mtu = 1450,
        .domain = "blue.weft",
    };
    struct dhcp_server_config config = {
        .address = htobe32(SERVER), .n_subnets = 1, .subnets = &subnet,
    };

    b->server = dhcp_server_create();
    b->leases = subnet.leases = lease_table_create(&options);
    b->failed = b->failed
                || dhcp_server_configure(b->server, &config, NULL);
}

static void
close_server(struct bench *b)
{
    dhcp_server_destroy(b->server);
    lease_table_destroy(b->leases);
}

static void
run_round(struct bench *b, double *fresh, double *again)
{
    be32 *addrs = xcalloc(b->n_clients, sizeof *addrs);
    nsec took;

    open_server(b);
    took = ask_all(b, b->discovers, DHCP_OFFERED, addrs);
    for (unsigned int i = 0; i < b->n_clients; i++) {
        bench_dhcp_frame(&b->requests[i], i, DHCP_REQUEST, addrs[i],
                         htobe32(SERVER));
    }
    took += ask_all(b, b->requests, DHCP_LEASED, NULL);
    *fresh = (double) b->n_clients * 1e9 / (double) took;
    took = ask_all(b, b->discovers, DHCP_OFFERED, NULL);
    took += ask_all(b, b->requests, DHCP_LEASED, NULL);
    *again = (double) b->n_clients * 1e9 / (double) took;
    b->failed = b->failed
                || lease_table_counts(b->leases).n_bound != b->n_clients;
    close_server(b);
    free(addrs);
}

int
bench_dhcp(int argc, char **argv)
{
    long n_rounds = bench_option(argc, argv, "rounds", 7);
    struct bench b = {
        .n_clients = (unsigned int) bench_option(argc, argv, "leases", 10000),
    };
    double *fresh = xcalloc((size_t) n_rounds, sizeof *fresh);
    double *again = xcalloc((size_t) n_rounds, sizeof *again);

    b.discovers = xcalloc(b.n_clients, sizeof *b.discovers);
    b.requests = xcalloc(b.n_clients, sizeof *b.requests);
    for (unsigned int i = 0; i < b.n_clients; i++) {
        bench_dhcp_frame(&b.discovers[i], i, DHCP_DISCOVER, 0, 0);
    }
    for (long i = 0; i < n_rounds; i++) {
        run_round(&b, &fresh[i], &again[i]);
    }
    printf("RESULT dhcp leases=%u  new %.0f exchanges/s  again %.0f "
           "exchanges/s\n", b.n_clients,
           bench_median(fresh, (unsigned int) n_rounds),
           bench_median(again, (unsigned int) n_rounds));
    for (long i = 0; i < n_rounds && !b.failed; i++) {
        b.failed = !bench_dhcp_controller(
            b.n_clients, bench_option_text(argc, argv, "directory"),
            &fresh[i], &again[i]);
    }
    printf("RESULT dhcp, packet-in to packet-out with the store leases=%u  "
           "new %.0f exchanges/s  again %.0f exchanges/s\n", b.n_clients,
           bench_median(fresh, (unsigned int) n_rounds),
           bench_median(again, (unsigned int) n_rounds));
    free(b.discovers);
    free(b.requests);
    free(fresh);
    free(again);
    if (b.failed) {
        fputs("weft-bench: a client was not answered as it should\n", stderr);
    }
    return b.failed;
}
