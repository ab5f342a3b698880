/* A capture file, read whole.
 *
 * Replaying reads no file on the data path, and a corrupt file is found out when
 * the port is opened.  libpcap reads both formats (pcap, pcapng). */
#ifndef WEFT_PORT_PCAP_FILE_H
#define WEFT_PORT_PCAP_FILE_H

#include <stdio.h>

#include "lib/str.h"

struct pcap_frame {
    uint64_t ofs;                 /* in bytes[] */
    uint32_t len;
    nsec time;                    /* since the first frame; never negative */
};

struct pcap_file {
    uint8_t *bytes;
    struct pcap_frame *frames;
    size_t n_frames;
    size_t n_skipped;             /* cut short by the capture, or no frame */
};

enum { PCAP_FILE_MAX = 1 << 30 };   /* bytes of frames */

/* Closes the stream.  0, or -EBADMSG, -EPROTONOSUPPORT (not Ethernet), -EFBIG
 * with a sentence in `error`. */
int pcap_file_load(FILE *, struct pcap_file *, struct str *error);
void pcap_file_fini(struct pcap_file *);

#endif
