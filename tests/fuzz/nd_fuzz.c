/* Solicitations, as guests may send them to their gateway.
 *
 * What is answered is a whole, sound frame.  And what the store may hold of
 * addresses that guests announced.
 *
 * Covers: src/service/nd.c */
#include <stdlib.h>

#include "packet/ip.h"
#include "service/binding.h"
#include "service/nd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is understood is written as it came. */
static void
fuzz_bindings(const uint8_t *data, size_t size)
{
    uint8_t bytes[BINDING_BYTES_MAX];
    struct binding_list list;

    if (!binding_decode(data, size, &list)
        && (binding_encode(&list, bytes) != size
            || memcmp(bytes, data, size))) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nd_gateway gateway = {
        .mac = { { 2, 0, 0, 0, 0, 1 } },
        .link_local = { { 0xfe, 0x80, [15] = 1 } },
        .address = { { 0xfd, [15] = 1 } }, .prefix = { { 0xfd } },
        .prefix_len = 64, .is_slaac = true, .mtu = 1400, .n_servers = 1,
        .servers = { { { 0xfd, [15] = 1 } } }, .domain = "blue.weft",
    };
    struct nd_reply reply;
    struct ip6_addr addr;
    struct eth_addr mac;
    enum nd_event event = nd_answer(&gateway, data, size, &reply);
    bool is_answered = event == ND_ANSWERED || event == ND_ADVERTISED;

    if (is_answered != (reply.len > 0) || reply.len > sizeof reply.frame
        || (is_answered
            && !ip6_is_sound((const void *) (reply.frame + 14),
                             reply.len - 14))) {
        abort();
    }
    fuzz_bindings(data, size);
    if (nd_announced(data, size, &mac, &addr)
        && event != ND_ANSWERED && event != ND_NOT_OURS) {
        abort();
    }
    return 0;
}
