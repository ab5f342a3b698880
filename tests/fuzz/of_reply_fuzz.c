/* Multipart replies, as a switch may send them to our controller.
 *
 * The first byte says which version (low half), and which items are looked for.
 * What can be read can be asked for again: a flow becomes a flow-mod that our
 * own encoder takes.
 *
 * Covers: src/openflow/wire_reply.c */
#include <stdlib.h>

#include "openflow/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_flows(const struct of_protocol *p, struct of_bytes body)
{
    enum of_error error;
    struct flow_mod mod;
    bool is_whole;

    while (of_next_flow(p, &body, &mod, &is_whole, &error)) {
        struct of_message msg = { .type = OFT_FLOW_MOD };
        struct buf buf = BUF_INIT;

        msg.flow_mod = mod;
        of_message_encode(&buf, p, &msg);
        buf_fini(&buf);
        flow_mod_fini(&mod);
    }
}

static void
read_ports(const struct of_protocol *p, struct of_bytes body)
{
    struct of_port_desc desc;
    enum of_error error;

    while (of_next_port(p, &body, &desc, &error)) {
        if (memchr(desc.name, 0, sizeof desc.name) == NULL) {
            abort();
        }
    }
}

static void
read_meters(const struct of_protocol *p, struct of_bytes body)
{
    struct meter_mod mod;
    enum of_error error;

    while (of_next_meter(p, &body, &mod, &error)) {
        if (mod.n_bands > METER_MAX_BANDS) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum of_version versions[] = { OF10, OF13, OF14, OF15 };
    struct of_protocol p = { .version = versions[size ? data[0] % 4 : 0] };
    struct of_multipart_reply reply;

    if (!size || !of_is_multipart_reply(&p, data + 1, size - 1)
        || of_multipart_reply_decode(&p, data + 1, size - 1, &reply, NULL)) {
        return 0;
    }
    read_flows(&p, reply.body);
    read_ports(&p, reply.body);
    read_meters(&p, reply.body);
    return 0;
}
