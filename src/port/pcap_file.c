#include "port/pcap_file.h"

#include <pcap/pcap.h>
#include <stdlib.h>

#include "packet/eth.h"
#include "packet/packet.h"

/* No capture lasts for 30 years. */
static const nsec LONGEST = INT64_C(1000000000) * 1000000000;

/* What the growing arrays hold so far. */
struct loader {
    struct pcap_file *file;
    size_t bytes_size, n_bytes, frames_size;
    nsec first, last;
};

static int
add_frame(struct loader *l, const struct pcap_pkthdr *header,
          const uint8_t *data, struct str *error)
{
    struct pcap_file *file = l->file;
    uint32_t len = header->caplen;
    nsec time;

    if (len < header->len || len < ETH_HEADER_LEN || len > PACKET_MAX_LEN) {
        file->n_skipped++;
        return 0;
    }
    if (l->n_bytes + len > PCAP_FILE_MAX) {
        str_setf(error, "holds more than %d bytes of frames", PCAP_FILE_MAX);
        return -EFBIG;
    }
    if (l->n_bytes + len > l->bytes_size) {
        l->bytes_size = 2 * l->bytes_size + PACKET_MAX_LEN;
        file->bytes = xrealloc(file->bytes, l->bytes_size);
    }
    if (file->n_frames == l->frames_size) {
        l->frames_size = 2 * l->frames_size + 16;
        file->frames = xrealloc(file->frames,
                                l->frames_size * sizeof *file->frames);
    }
    /* Clocks are set back, and files lie: time goes forward here. */
    time = (nsec) ((uint64_t) header->ts.tv_sec * 1000000000
                   + (uint64_t) header->ts.tv_usec);
    if (!file->n_frames) {
        l->first = time;
    }
    if (!__builtin_sub_overflow(time, l->first, &time)
        && time < LONGEST) {
        l->last = MAX(l->last, time);
    }
    memcpy(file->bytes + l->n_bytes, data, len);
    file->frames[file->n_frames++] = (struct pcap_frame) {
        .ofs = l->n_bytes, .len = len, .time = l->last,
    };
    l->n_bytes += len;
    return 0;
}

static int
read_frames(pcap_t *pcap, struct pcap_file *file, struct str *error)
{
    struct loader loader = { .file = file };
    struct pcap_pkthdr *header;
    const uint8_t *data;
    int n, err;

    if (pcap_datalink(pcap) != DLT_EN10MB) {
        const char *name = pcap_datalink_val_to_name(pcap_datalink(pcap));

        str_setf(error, "is a capture of %s, not of Ethernet",
                 name ? name : "an unknown link type");
        return -EPROTONOSUPPORT;
    }
    while ((n = pcap_next_ex(pcap, &header, &data)) == 1) {
        err = add_frame(&loader, header, data, error);
        if (err) {
            return err;
        }
    }
    if (n != PCAP_ERROR_BREAK) {
        str_setf(error, "is corrupt after %zu frames: %s",
                 file->n_frames + file->n_skipped, pcap_geterr(pcap));
        return -EBADMSG;
    }
    return 0;
}

int
pcap_file_load(FILE *stream, struct pcap_file *result, struct str *error)
{
    struct pcap_file file = { .n_frames = 0 };
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap;
    int err;

    pcap = pcap_fopen_offline_with_tstamp_precision(
               stream, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!pcap) {
        fclose(stream);
        str_setf(error, "is no capture file: %s", why);
        return -EBADMSG;
    }
    err = read_frames(pcap, &file, error);
    pcap_close(pcap);
    if (err) {
        pcap_file_fini(&file);
        return err;
    }
    *result = file;
    return 0;
}

void
pcap_file_fini(struct pcap_file *file)
{
    free(file->bytes);
    free(file->frames);
    *file = (struct pcap_file) { .n_frames = 0 };
}
