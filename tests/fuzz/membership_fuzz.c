/* Messages of IGMP and MLD, as guests may send them: the first byte says how
 * the port stands, the rest is the frame.
 *
 * Whatever is said, no limit is passed, and what a port hears it has asked for
 * by a record about that group.
 *
 * Covers: src/packet/igmp.c src/packet/membership.c src/packet/mld.c */
#include <stdlib.h>

#include "packet/address.h"
#include "packet/igmp.h"
#include "packet/mld.h"
#include "service/multicast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NETWORK = 7, PORT = 3, OTHER = 4 };

struct heard {
    unsigned int n_joined;
};

static void
on_group(void *aux, const struct multicast_group *group, uint64_t port)
{
    struct heard *heard = aux;

    heard->n_joined += multicast_hears(group, port);
}

static void
on_hearer(void *aux, uint64_t network, uint64_t port)
{
    (void) aux;
    (void) network;
    (void) port;
}

static void
on_ask(void *aux, uint64_t network, uint64_t port,
       const struct membership_query *query)
{
    uint8_t frame[MEMBERSHIP_QUERY_MAX];
    struct membership_message again;
    int err;

    (void) aux;
    (void) network;
    (void) port;
    err = ip6_is_mapped4(&query->src)
          ? igmp_decode(frame, igmp_encode_query(query, frame), &again)
          : mld_decode(frame, mld_encode_query(query, frame), &again);
    if (err) {
        abort();
    }
}

static void
on_pass(void *aux, const struct multicast_group *group, uint64_t from,
        const void *frame, size_t len)
{
    (void) aux;
    (void) from;
    (void) frame;
    if (!len || !group->n) {
        abort();
    }
}

static unsigned int
count_records(const void *frame, size_t len)
{
    struct membership_message m;
    struct membership_record record;
    unsigned int n = 0;

    if (igmp_decode(frame, len, &m) && mld_decode(frame, len, &m)) {
        return 0;
    }
    while (membership_next(&m, &record)) {
        n++;
    }
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct multicast_limits limits = { 2, 3, 8, 8 };
    struct multicast_origin origin = { .network = NETWORK, .port = PORT };
    struct multicast_network_config network = {
        .id = NETWORK, .mac = { { 2, 0, 0, 0, 0, 1 } },
        .address = htobe32(0x0a010001),
        .link_local = { { 0xfe, 0x80, [15] = 9 } },
    };
    struct heard heard = { 0 };
    struct multicast_watch watch = { on_group, on_hearer, on_ask, on_pass,
                                     &heard };
    struct multicast *m;
    unsigned int n_groups = 0;

    if (!size) {
        return 0;
    }
    origin.is_single = data[0] & 1;
    origin.is_lan = data[0] & 2;
    m = multicast_create(&limits, &watch);
    multicast_set_network(m, &network, 0);
    multicast_hear(m, &origin, data + 1, size - 1, 1000);
    if (heard.n_joined > count_records(data + 1, size - 1)) {
        abort();
    }
    origin.port = OTHER;
    multicast_hear(m, &origin, data + 1, size - 1, 1001);
    for (const struct multicast_group *g = multicast_next(m, NULL); g;
         g = multicast_next(m, g)) {
        n_groups++;
        if (!g->n || membership_is_for_all(&g->address)) {
            abort();
        }
    }
    if (n_groups > limits.per_network
        || (origin.is_lan && heard.n_joined)) {
        abort();
    }
    if (data[0] & 4) {
        multicast_remove_port(m, NETWORK, PORT);
    }
    multicast_run(m, 1002);
    multicast_run(m, 100000000);
    if (multicast_next(m, NULL)) {
        abort();
    }
    multicast_destroy(m);
    return 0;
}
