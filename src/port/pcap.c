/* `pcap`: replays a capture file, records one, or both.
 *
 *     --port a=pcap:in=a.pcap,rate=1000     --port b=pcap:out=b.pcap
 *
 * Replaying goes as fast as the switch takes it, or by `rate` or `timing`.  What
 * is recorded is what would be on a wire: super-frames segmented, checksums
 * completed; with offload=yes they are recorded as they travel inside.
 *
 *     in=FILE out=FILE
 *     loop=yes       begin again at the end of the file
 *     rate=N         packets per second
 *     timing=yes     with the gaps between the frames in the file
 *     snaplen=N      record at most so many bytes of each
 *     offload=yes */
#include <pcap/pcap.h>
#include <stdio.h>

#include "lib/clock.h"
#include "port/options.h"
#include "port/pcap_file.h"
#include "port/port_class.h"

struct pcap_port {
    struct port port;

    /* Replay. */
    struct pcap_file file;
    bool loop, timing;
    uint64_t rate;                /* 0: not paced by it */
    size_t next;                  /* frame */
    nsec start;                   /* when this pass began; 0: not yet */

    /* Recording; NULL: none. */
    pcap_t *dead;                 /* libpcap's way to say "Ethernet" */
    pcap_dumper_t *dumper;
    uint32_t snaplen;
    atomic_bool broken;           /* the file ends in the middle of a frame */
};

static struct pcap_port *
pcap_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct pcap_port, port);
}

static int
open_in(struct port *port, const char *path, struct str *error)
{
    struct pcap_port *pcap = pcap_cast(port);
    FILE *stream = fopen(path, "re");
    struct str why = STR_INIT;
    int err;

    if (!stream) {
        err = -errno;
        str_setf(error, "port '%s': %s: %s", port->config.name, path,
                 strerror(-err));
        return err == -ENODEV ? -ENOENT : err;
    }
    err = pcap_file_load(stream, &pcap->file, &why);
    if (err) {
        str_setf(error, "port '%s': %s %s", port->config.name, path,
                 str_text(&why));
    }
    str_fini(&why);
    return err;
}

static void
close_out(struct pcap_port *pcap)
{
    if (pcap->dumper) {
        pcap_dump_close(pcap->dumper);
    }
    if (pcap->dead) {
        pcap_close(pcap->dead);
    }
    pcap->dumper = NULL;
    pcap->dead = NULL;
}

static int
open_out(struct port *port, const char *path, struct str *error)
{
    struct pcap_port *pcap = pcap_cast(port);
    FILE *stream = fopen(path, "we");
    int err;

    if (!stream) {
        err = -errno;
        str_setf(error, "port '%s': %s: %s", port->config.name, path,
                 strerror(-err));
        return err == -ENODEV ? -ENOENT : err;
    }
    pcap->dead = pcap_open_dead_with_tstamp_precision(
                     DLT_EN10MB, (int) pcap->snaplen,
                     PCAP_TSTAMP_PRECISION_NANO);
    pcap->dumper = pcap->dead ? pcap_dump_fopen(pcap->dead, stream) : NULL;
    if (!pcap->dumper) {
        fclose(stream);
    } else if (!pcap_dump_flush(pcap->dumper)) {
        return 0;
    }
    err = errno ? -errno : -EIO;
    str_setf(error, "port '%s': %s: %s", port->config.name, path,
             strerror(-err));
    close_out(pcap);
    return err;
}

static int
pcap_port_open(struct port *port, struct str *error)
{
    struct pcap_port *pcap = pcap_cast(port);
    const char *in = port_config_get(&port->config, "in");
    const char *out = port_config_get(&port->config, "out");
    uint64_t snaplen = PACKET_MAX_LEN;
    bool offload = false;
    int err;

    err = option_bool(port, "loop", &pcap->loop, error);
    err = err ? err : option_bool(port, "timing", &pcap->timing, error);
    err = err ? err : option_bool(port, "offload", &offload, error);
    err = err ? err : option_number(port, "rate", 1, 1000000000, &pcap->rate,
                                    error);
    err = err ? err : option_number(port, "snaplen", 14, PACKET_MAX_LEN,
                                    &snaplen, error);
    if (err) {
        return err;
    }
    if ((!in && !out) || (pcap->rate && pcap->timing)) {
        str_setf(error, "port '%s': %s", port->config.name,
                 !in && !out ? "type 'pcap' needs in=FILE or out=FILE"
                 : "rate= and timing=yes exclude each other");
        return -EINVAL;
    }
    pcap->snaplen = (uint32_t) snaplen;
    port->features = PORT_F_TX_BORROWS;
    if (offload) {
        port->features |= PORT_F_CSUM | PORT_F_TSO4 | PORT_F_TSO6
                          | PORT_F_USO;
    }
    err = in ? open_in(port, in, error) : 0;
    if (!err && out) {
        err = open_out(port, out, error);
        if (err) {
            pcap_file_fini(&pcap->file);
        }
    }
    return err;
}

static void
pcap_port_close(struct port *port)
{
    struct pcap_port *pcap = pcap_cast(port);

    pcap_file_fini(&pcap->file);
    pcap->next = 0;
    pcap->start = 0;
    pcap->broken = false;
    close_out(pcap);
}

/* When the next frame is due; INT64_MAX: never. */
static nsec
due(const struct pcap_port *pcap)
{
    if (pcap->next == pcap->file.n_frames) {
        return INT64_MAX;
    }
    if (!pcap->start) {
        return 0;                 /* the first one sets the time */
    }
    if (pcap->timing) {
        return pcap->start + pcap->file.frames[pcap->next].time;
    }
    if (pcap->rate) {
        __extension__ typedef unsigned __int128 wide;

        return pcap->start + (nsec) ((wide) pcap->next * 1000000000
                                     / pcap->rate);
    }
    return 0;
}

static void
step(struct pcap_port *pcap)
{
    if (++pcap->next == pcap->file.n_frames && pcap->loop) {
        /* A pass lasts as long as its frames: the next one begins one gap
         * behind the last frame. */
        nsec gap = pcap->rate ? (nsec) (1000000000 / pcap->rate) : 0;
        nsec last;

        pcap->next--;
        last = due(pcap);
        pcap->next = 0;
        pcap->start = MAX(last + gap, 1);
    }
}

static int
pcap_port_rx(struct port *port, unsigned int queue UNUSED,
             struct packet_pool *pool, struct batch *batch)
{
    struct pcap_port *pcap = pcap_cast(port);
    bool paced = pcap->rate || pcap->timing;
    unsigned int first = batch->n;
    nsec now = paced ? clock_nsec() : 1;

    while (!batch_is_full(batch) && due(pcap) <= now) {
        const struct pcap_frame *frame = &pcap->file.frames[pcap->next];
        struct packet *pkt = packet_alloc(pool, frame->len);

        if (!pcap->start) {
            pcap->start = now;
        }
        if (!pkt) {
            port_drop_rx(port, 1, &port->counters.rx_no_buffer);
            step(pcap);
            break;
        }
        memcpy(pkt->data, pcap->file.bytes + frame->ofs, frame->len);
        pkt->len = frame->len;
        pkt->in_port = port->id;
        batch_add(batch, pkt);
        step(pcap);
    }
    return (int) (batch->n - first);
}

static void
record(struct pcap_port *pcap, const struct batch *batch)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    for (unsigned int i = 0; i < batch->n; i++) {
        const struct packet *pkt = batch->pkts[i];
        struct pcap_pkthdr header = {
            .ts = { now.tv_sec, now.tv_nsec },
            .caplen = MIN(pkt->len, pcap->snaplen),
            .len = pkt->len,
        };

        pcap_dump((uint8_t *) pcap->dumper, &header, pkt->data);
    }
    /* Whoever reads the file while we write sees whole batches. */
    pcap->broken = pcap_dump_flush(pcap->dumper)
                   || ferror(pcap_dump_file(pcap->dumper));
}

static void
pcap_port_tx(struct port *port, unsigned int queue UNUSED,
             struct batch *batch, bool borrow)
{
    struct pcap_port *pcap = pcap_cast(port);

    if (pcap->dumper) {
        if (!pcap->broken) {
            record(pcap, batch);
        }
        for (unsigned int i = 0; pcap->broken && i < batch->n; i++) {
            port_drop_tx(port, batch->pkts[i], &port->counters.tx_refused);
        }
    }
    if (!borrow) {
        batch_free_all(batch);
    }
}

static int
pcap_port_rx_fd(const struct port *port UNUSED, unsigned int queue UNUSED)
{
    return -1;
}

static usec
pcap_port_next_rx(const struct port *port, unsigned int queue UNUSED)
{
    nsec next = due(pcap_cast(port));

    return next == INT64_MAX ? INT64_MAX : (next + 999) / 1000;
}

static void
pcap_port_describe(const struct port *port, struct str *s)
{
    const struct pcap_port *pcap = pcap_cast(port);

    if (pcap->file.n_frames || pcap->file.n_skipped) {
        str_addf(s, ", frames %zu, skipped %zu", pcap->file.n_frames,
                 pcap->file.n_skipped);
    }
    if (pcap->broken) {
        str_add(s, ", recording failed");
    }
}

static const char *const pcap_options[] = { "in", "out", "loop", "rate",
                                            "timing", "snaplen", "offload",
                                            NULL };

const struct port_class pcap_class = {
    .type = "pcap",
    .options = pcap_options,
    .size = sizeof(struct pcap_port),
    .open = pcap_port_open,
    .close = pcap_port_close,
    .rx = pcap_port_rx,
    .tx = pcap_port_tx,
    .rx_fd = pcap_port_rx_fd,
    .next_rx = pcap_port_next_rx,
    .describe = pcap_port_describe,
};
