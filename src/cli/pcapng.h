/* Takes a pcapng stream apart, in whatever pieces it arrives: what weftd's
 * capture sends (one section, one Ethernet interface, nanoseconds). */
#ifndef WEFT_CLI_PCAPNG_H
#define WEFT_CLI_PCAPNG_H

#include "lib/str.h"

struct pcapng_frame {
    nsec time;                    /* since 1970 */
    const uint8_t *data;
    uint32_t len, wire_len;
    bool is_tx;                   /* the port sent it */
};

struct pcapng {
    struct str pending;           /* a block that is not whole yet */
    uint64_t n_lost;              /* frames that the daemon had no room for */
    /* Called for each frame; false: enough. */
    bool (*frame)(void *aux, const struct pcapng_frame *);
    void *aux;
};

/* 1: go on, 0: enough, -EBADMSG: that is no such stream. */
int pcapng_feed(struct pcapng *, const void *data, size_t len);
void pcapng_fini(struct pcapng *);

#endif
