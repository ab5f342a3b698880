/* Frames of UDP, as guests may send them to services.
 *
 * What is read lies inside of the frame, and can be written and read again.
 *
 * Covers: src/controller/udp_frame.c */
#include <stdlib.h>

#include "controller/udp_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t frame[UDP_FRAME_MAX];
    struct udp_frame f, again;
    size_t len;

    if (!udp_frame_decode(data, size, &f)) {
        return 0;
    }
    if (f.data < data || f.data + f.len > data + size) {
        abort();
    }
    len = udp_frame_encode(&f, frame);
    if (len && (!udp_frame_decode(frame, len, &again) || again.len != f.len
                || memcmp(again.data, f.data, f.len))) {
        abort();
    }
    return 0;
}
