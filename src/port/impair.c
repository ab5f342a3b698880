/* `impair`: a patch over a bad line.
 *
 *     --port a=impair:peer=b,delay=10ms,jitter=2ms,loss=1%
 *     --port b=impair:peer=a,delay=10ms
 *
 * A port's options are about what comes in by it, that is, about what its peer
 * was given to send.  Everything travels as wire packets: super-frames are
 * segmented and checksums completed before, so that a loss is one packet and a
 * corrupted one is found out by its checksum.
 *
 *     loss= duplicate= corrupt=  chance of each packet, as "0.5%" (0%)
 *     delay= jitter=             each waits delay +- jitter, as "10ms" (0)
 *     reorder=                   chance to overtake those that wait (0%)
 *     limit=N                    packets that wait at most (1000)
 *     seed=N                     the same seed, the same luck (1) */
#include "lib/clock.h"
#include "port/impairment.h"
#include "port/options.h"
#include "port/pair.h"
#include "port/port_class.h"

/* Batches taken from the mailbox at once: the peer may be faster than we. */
enum { MAX_TURNS = 8 };

struct impair {
    struct port port;
    struct pair_end end;
    struct impairment *line;
};

static struct impair *
impair_cast(const struct port *port)
{
    return CONTAINER_OF(port, struct impair, port);
}

static int
parse_config(const struct port *port, struct impairment_config *config,
             struct str *error)
{
    uint64_t limit = 1000;
    int err = option_percent(port, "loss", &config->loss, error);

    err = err ? err : option_percent(port, "duplicate", &config->duplicate,
                                     error);
    err = err ? err : option_percent(port, "corrupt", &config->corrupt, error);
    err = err ? err : option_percent(port, "reorder", &config->reorder, error);
    err = err ? err : option_time(port, "delay", &config->delay, error);
    err = err ? err : option_time(port, "jitter", &config->jitter, error);
    err = err ? err : option_number(port, "limit", 1, 1 << 20, &limit, error);
    err = err ? err : option_number(port, "seed", 0, UINT64_MAX,
                                    &config->seed, error);
    config->limit = (uint32_t) limit;
    return err;
}

static int
impair_open(struct port *port, struct str *error)
{
    struct impairment_config config = { .seed = 1 };
    int err = parse_config(port, &config, error);

    err = err ? err : pair_join(port, &impair_cast(port)->end, error);
    if (!err) {
        impair_cast(port)->line = impairment_create(&config);
    }
    return err;
}

static void
impair_close(struct port *port)
{
    pair_leave(port->registry, &impair_cast(port)->end);
    impairment_destroy(impair_cast(port)->line);
}

static int
impair_rx(struct port *port, unsigned int queue UNUSED,
          struct packet_pool *pool, struct batch *batch)
{
    struct impair *impair = impair_cast(port);
    unsigned int first = batch->n;
    struct batch arrived = { 0 };
    usec now = clock_usec();

    for (int turn = 0; turn < MAX_TURNS; turn++) {
        if (!mailbox_pop(pair_inbox(&impair->end), &arrived)) {
            break;
        }
        for (unsigned int i = 0; i < arrived.n; i++) {
            impairment_put(impair->line, arrived.pkts[i], pool, now);
        }
        arrived.n = 0;
    }
    impairment_take(impair->line, batch, now);
    for (unsigned int i = first; i < batch->n; i++) {
        packet_arrive(batch->pkts[i], port->id);
    }
    return (int) (batch->n - first);
}

static void
impair_tx(struct port *port, unsigned int queue UNUSED, struct batch *batch,
          bool borrow UNUSED)
{
    pair_tx(port, &impair_cast(port)->end, batch);
}

static int
impair_rx_fd(const struct port *port, unsigned int queue UNUSED)
{
    return mailbox_fd(pair_inbox(&impair_cast(port)->end));
}

static usec
impair_next_rx(const struct port *port, unsigned int queue UNUSED)
{
    struct impair *impair = impair_cast(port);
    usec inbox = mailbox_next(pair_inbox(&impair->end));
    usec line = impairment_next(impair->line);

    return MIN(inbox, line);
}

static void
impair_describe(const struct port *port, struct str *s)
{
    const struct impair *impair = impair_cast(port);
    const struct impairment_counters *counters
        = impairment_read_counters(impair->line);

    pair_describe(port, &impair->end, s);
#define X(NAME) str_addf(s, ", " #NAME " %llu",                              \
                         (unsigned long long) counters->NAME);
    IMPAIRMENT_COUNTERS(X)
#undef X
}

static const char *const impair_options[] = {
    "peer", "loss", "duplicate", "corrupt", "reorder", "delay", "jitter",
    "limit", "seed", NULL,
};

const struct port_class impair_class = {
    .type = "impair",
    .options = impair_options,
    .size = sizeof(struct impair),
    .open = impair_open,
    .close = impair_close,
    .rx = impair_rx,
    .tx = impair_tx,
    .rx_fd = impair_rx_fd,
    .next_rx = impair_next_rx,
    .describe = impair_describe,
};
