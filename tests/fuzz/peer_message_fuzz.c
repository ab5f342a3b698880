/* Whatever a peer says: decoded or refused, and what was decoded is encoded and
 * means the same again. */
#include <assert.h>

#include "peer/peer_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer_message message, again;
    struct str first = STR_INIT, second = STR_INIT;

    if (peer_message_decode(data, size, &message, NULL)) {
        return 0;
    }
    if (!peer_message_encode(&message, &first)) {
        assert(peer_message_body_size((const uint8_t *) first.text)
               == (int) first.len - PEER_HEADER_SIZE);
        if (message.type != PEER_UNKNOWN) {
            assert(!peer_message_decode(first.text + PEER_HEADER_SIZE,
                                        first.len - PEER_HEADER_SIZE, &again,
                                        NULL));
            assert(!peer_message_encode(&again, &second));
            assert(first.len == second.len
                   && !memcmp(first.text, second.text, first.len));
            peer_message_fini(&again);
        }
    }
    peer_message_fini(&message);
    str_fini(&first);
    str_fini(&second);
    return 0;
}
