/* Capture files, as an operator may be given them.
 *
 * What loads has frames inside of the bytes that were read, in order of time.
 *
 * Covers: src/port/pcap_file.c */
#include <stdlib.h>

#include "packet/packet.h"
#include "port/pcap_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_file(const struct pcap_file *file, size_t size)
{
    uint64_t end = 0;
    nsec last = 0;

    for (size_t i = 0; i < file->n_frames; i++) {
        const struct pcap_frame *frame = &file->frames[i];

        if (frame->ofs != end || frame->len > PACKET_MAX_LEN
            || frame->time < last) {
            abort();
        }
        end += frame->len;
        last = frame->time;
    }
    if (end > size || (end && !file->bytes)) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str error = STR_INIT;
    struct pcap_file file;
    FILE *stream;

    if (!size) {
        return 0;                 /* fmemopen() wants a byte */
    }
    stream = fmemopen((void *) data, size, "r");
    if (!stream) {
        return 0;
    }
    if (!pcap_file_load(stream, &file, &error)) {
        check_file(&file, size);
        pcap_file_fini(&file);
    } else if (!error.len) {
        abort();                  /* an error without a reason */
    }
    str_fini(&error);
    return 0;
}
