/* Messages as a peer sends them: any bytes at all.
 *
 * The first byte says what the two ends agreed on, the rest is a message in a
 * buffer of exactly its size (version and length are made to fit, so that the
 * fuzzer gets past them).  What is understood is written again and read again:
 * the second time the bytes must be the same.  What is not is answered by an
 * error that can be read.
 *
 * Covers: src/openflow/message.c src/openflow/wire_action.c
 * Covers: src/openflow/wire_balance.c
 * Covers: src/openflow/wire_bundle.c src/openflow/wire_controller.c
 * Covers: src/openflow/wire_ct.c src/openflow/wire_error.c
 * Covers: src/openflow/wire_flow.c src/openflow/wire_group.c
 * Covers: src/openflow/wire_group_selection.c src/openflow/wire_hello.c
 * Covers: src/openflow/wire_instruction.c src/openflow/wire_learn.c
 * Covers: src/openflow/wire_match.c src/openflow/wire_meter.c
 * Covers: src/openflow/wire_monitor.c src/openflow/wire_multipart.c
 * Covers: src/openflow/wire_nicira.c src/openflow/wire_nicira_encode.c
 * Covers: src/openflow/wire_packet.c src/openflow/wire_port.c
 * Covers: src/openflow/wire_switch.c src/openflow/wire_table.c
 * Covers: src/openflow/wire_tlv.c */
#include <stdlib.h>

#include "lib/str.h"
#include "openflow/openflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct of_protocol
protocol_of(uint8_t byte)
{
    static const enum of_version versions[] = { OF10, OF13, OF14, OF15 };

    return (struct of_protocol) {
        .version = versions[byte & 3],
        .nxm_flows = byte & 4,
        .flow_mod_table_id = byte & 8,
        .packet_in_format = (byte >> 4) % 3,
    };
}

static void
check_again(const struct of_protocol *protocol, const struct of_message *msg)
{
    struct buf once = BUF_INIT, twice = BUF_INIT;
    struct of_message again;

    if (!of_message_encode(&once, protocol, msg)) {
        if (of_message_decode(protocol, once.data, once.len, &again, NULL)
            || of_message_encode(&twice, protocol, &again)
            || once.len != twice.len
            || memcmp(once.data, twice.data, once.len)) {
            abort();
        }
        of_message_fini(&again);
    }
    buf_fini(&once);
    buf_fini(&twice);
}

/* A request's flow monitors, one by one, and each again; and what they say when
 * they pause or go on. */
static void
check_monitors(const struct of_protocol *protocol,
               const struct of_multipart_request *request)
{
    struct of_bytes body = request->body;
    struct of_flow_monitor m, again;
    struct buf state = BUF_INIT;

    of_monitor_state_encode(&state, protocol, request->more);
    if ((size_t) of_frame_len(state.data, state.len) != state.len) {
        abort();
    }
    buf_fini(&state);
    while (of_flow_monitor_next(protocol, request, &body, &m)) {
        struct buf bytes = BUF_INIT;

        if (of_flow_monitor_put(&bytes, protocol, request->is_nicira, &m)) {
            struct of_bytes rest = { bytes.data, bytes.len };

            if (!of_flow_monitor_next(protocol, request, &rest, &again)
                || rest.len || again.id != m.id || again.flags != m.flags
                || !match_equal(&again.match, &m.match)) {
                abort();
            }
        }
        buf_fini(&bytes);
    }
}

/* What is not understood is answered, with its xid, in words of the version. */
static void
check_refusal(const struct of_protocol *protocol, enum of_error error,
              const uint8_t *request, size_t len)
{
    struct buf answer = BUF_INIT;
    struct of_message msg;

    of_error_encode(&answer, protocol->version, error, request, len, NULL);
    if (of_message_decode(protocol, answer.data, answer.len, &msg, NULL)
        || msg.type != OFT_ERROR
        || msg.xid != be32toh(get_be32(request + 4))) {
        abort();
    }
    of_message_fini(&msg);
    buf_fini(&answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct of_protocol protocol;
    struct of_message msg;
    struct str why = STR_INIT;
    enum of_error error;
    uint8_t *bytes;
    size_t len;

    if (size < 1 + OF_HEADER_LEN || size > 1 + OF_MAX_LEN) {
        return 0;
    }
    protocol = protocol_of(data[0]);
    len = size - 1;
    bytes = xmemdup(data + 1, len);
    bytes[0] = (uint8_t) protocol.version;
    put_be16(bytes + 2, htobe16((uint16_t) len));
    if (of_frame_len(bytes, len) != (int) len) {
        abort();
    }
    error = of_message_decode(&protocol, bytes, len, &msg, &why);
    if (!error) {
        check_again(&protocol, &msg);
        if (msg.type == OFT_MULTIPART_REQUEST
            && msg.multipart.type == MP_FLOW_MONITOR) {
            check_monitors(&protocol, &msg.multipart);
        }
        of_message_fini(&msg);
    } else {
        check_refusal(&protocol, error, bytes, len);
    }
    str_fini(&why);
    free(bytes);
    return 0;
}
