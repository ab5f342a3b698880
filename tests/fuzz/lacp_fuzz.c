/* LACPDUs and markers as a link may bring them: the first byte says how the
 * bond stands, the rest is the frame.
 *
 * Whatever is said, no frame leaves that is not whole, a frame is answered by
 * few, and nothing is sent by a link whose partner does not collect.
 *
 * Covers: src/packet/lacp.c src/service/lacp.c */
#include <stdlib.h>

#include "service/lacp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct eth_addr us = { { 2, 0, 0, 0, 0, 1 } };

static void
on_send(void *aux, unsigned int link, const void *frame, size_t len)
{
    unsigned int *n_sent = aux;
    struct lacp_pdu pdu;
    const uint8_t *bytes = frame;

    if (link > 1 || len != LACP_FRAME_LEN
        || (bytes[14] == 1 && lacp_decode(frame, len, &pdu) != SLOW_LACP)) {
        abort();
    }
    ++*n_sent;
}

static void
check(const struct lacp *l)
{
    struct lacp_link_status status;

    for (unsigned int i = 0; i < 2; i++) {
        lacp_link_status(l, i, &status);
        if (lacp_distributes(l, i)
            && (!lacp_collects(l, i)
                || !(status.partner.state & LACP_COLLECTS)
                || status.receive == LACP_RX_DISABLED)) {
            abort();
        }
        if (!lacp_receive_state_name(status.receive)[0]) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lacp_config config = { us, 7, 2, false, false };
    unsigned int n_sent = 0;
    struct lacp_watch watch = { on_send, &n_sent };
    struct lacp *l;
    msec now = 0;

    if (!size) {
        return 0;
    }
    config.is_fast = data[0] & 1;
    config.is_passive = data[0] & 2;
    l = lacp_create(&config, &watch);
    lacp_set_link(l, 0, true, 5, us, now);
    lacp_set_link(l, 1, data[0] & 4, 6, us, now);
    for (unsigned int i = 0; i < 8; i++) {
        lacp_receive(l, data[0] & 8 ? i % 2 : 0, data + 1, size - 1, now);
        lacp_run(l, now);
        check(l);
        now += 150;
    }
    if (n_sent > 16) {
        abort();
    }
    lacp_set_link(l, 0, data[0] & 16, 5, us, now);
    for (unsigned int i = 0; i < 6; i++) {
        msec next = lacp_run(l, now);

        check(l);
        if (next == INT64_MAX) {
            break;
        }
        if (next <= now) {
            abort();
        }
        now = next;
    }
    lacp_destroy(l);
    return 0;
}
