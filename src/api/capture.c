#include "api/capture.h"

#include <stdlib.h>
#include <time.h>

#include "api/capture_ring.h"
#include "api/routes.h"

enum {
    RING_SIZE = 4 << 20,
    BLOCK_MAX = 256,              /* of a block without a frame */
    SNAP_LEN = 262144,
};

struct capture {
    struct stream stream;         /* first */
    struct captures *captures;
    struct port *port;
    enum capture_direction direction;
    struct capture_ring *ring;
    char name[PORT_NAME_MAX];     /* the port may go before the stream */
    nsec to_wall;                 /* monotonic clock to time of day */

    _Atomic uint64_t n_lost;      /* written by workers */
    uint64_t n_lost_told;
    bool is_tapped;

    /* What of the head of the stream, or of the first record, was read. */
    bool is_head_read;
    size_t n_read;
    size_t block_len;
    uint8_t block[BLOCK_MAX];     /* a block that is no frame */
};

struct captures {
    struct datapath *dp;
    struct capture *list[CAPTURES_MAX];
};

/* ---- pcapng (draft-ietf-opsawg-pcapng), in host byte order ---- */

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    LINKTYPE_ETHERNET = 1,
    OPTION_END = 0,
    IF_NAME = 2, IF_TSRESOL = 9,
    EPB_FLAGS = 2, EPB_INBOUND = 1, EPB_OUTBOUND = 2,
    ISB_IFDROP = 5,
};

/* Fixed part, then the frame, its padding, flags option, end, length. */
struct packet_block {
    uint32_t type, len, interface, time_high, time_low, caplen, origlen;
};
enum { PACKET_BLOCK_TAIL = 4 + 4 + 4 + 4 };

static void
put(uint8_t **p, const void *data, size_t len)
{
    memcpy(*p, data, len);
    *p += len;
}

static void
put_u16(uint8_t **p, uint16_t value)
{
    put(p, &value, sizeof value);
}

static void
put_u32(uint8_t **p, uint32_t value)
{
    put(p, &value, sizeof value);
}

static void
put_option(uint8_t **p, uint16_t code, const void *value, uint16_t len)
{
    static const uint8_t zeros[4];

    put_u16(p, code);
    put_u16(p, len);
    put(p, value, len);
    put(p, zeros, -len & 3);
}

/* Sets the length of the block at `start`, in front and behind. */
static void
end_block(uint8_t *start, uint8_t **p)
{
    uint32_t len = (uint32_t) (*p - start) + 4;

    memcpy(start + 4, &len, sizeof len);
    put_u32(p, len);
}

/* Section and interface: the head of the stream. */
static size_t
head_blocks(const struct capture *capture, uint8_t *start)
{
    const uint8_t nanoseconds = 9;
    uint8_t *p = start, *interface;

    put_u32(&p, BLOCK_SECTION);
    put_u32(&p, 0);
    put_u32(&p, BYTE_ORDER_MAGIC);
    put_u16(&p, 1);
    put_u16(&p, 0);
    put_u32(&p, UINT32_MAX);      /* section length unknown, 64 bits */
    put_u32(&p, UINT32_MAX);
    end_block(start, &p);

    interface = p;
    put_u32(&p, BLOCK_INTERFACE);
    put_u32(&p, 0);
    put_u16(&p, LINKTYPE_ETHERNET);
    put_u16(&p, 0);
    put_u32(&p, SNAP_LEN);
    put_option(&p, IF_NAME, capture->name, (uint16_t) strlen(capture->name));
    put_option(&p, IF_TSRESOL, &nanoseconds, 1);
    put_option(&p, OPTION_END, "", 0);
    end_block(interface, &p);
    return (size_t) (p - start);
}

static nsec
clock_of(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (nsec) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static size_t
statistics_block(const struct capture *capture, uint64_t n_lost,
                 uint8_t *start)
{
    uint64_t now = (uint64_t) (clock_of(CLOCK_MONOTONIC) + capture->to_wall);
    uint8_t *p = start;

    put_u32(&p, BLOCK_STATISTICS);
    put_u32(&p, 0);
    put_u32(&p, 0);
    put_u32(&p, (uint32_t) (now >> 32));
    put_u32(&p, (uint32_t) now);
    put_option(&p, ISB_IFDROP, &n_lost, sizeof n_lost);
    put_option(&p, OPTION_END, "", 0);
    end_block(start, &p);
    return (size_t) (p - start);
}

static uint32_t
packet_block_len(uint32_t caplen)
{
    return (uint32_t) sizeof(struct packet_block) + ((caplen + 3) & ~3u)
           + PACKET_BLOCK_TAIL;
}

/* The tap: runs on workers. */
static void
take_packet(void *aux, const struct packet *pkt, bool is_tx)
{
    struct capture *capture = aux;
    uint64_t now;
    struct packet_block *block;
    uint32_t flags = is_tx ? EPB_OUTBOUND : EPB_INBOUND;
    uint32_t caplen = MIN(pkt->len, (uint32_t) SNAP_LEN);
    uint8_t *p;

    if (capture->direction == (is_tx ? CAPTURE_RX : CAPTURE_TX)) {
        return;
    }
    block = capture_ring_reserve(capture->ring, packet_block_len(caplen));
    if (!block) {
        atomic_fetch_add_explicit(&capture->n_lost, 1, memory_order_relaxed);
        return;
    }
    now = (uint64_t) (clock_of(CLOCK_MONOTONIC) + capture->to_wall);
    *block = (struct packet_block) {
        .type = BLOCK_PACKET,
        .time_high = (uint32_t) (now >> 32),
        .time_low = (uint32_t) now,
        .caplen = caplen,
        .origlen = pkt->len,
    };
    p = (uint8_t *) (block + 1);
    put(&p, pkt->data, caplen);
    p += -caplen & 3;             /* the ring's bytes are zero */
    put_option(&p, EPB_FLAGS, &flags, sizeof flags);
    put_option(&p, OPTION_END, "", 0);
    end_block((uint8_t *) block, &p);
    capture_ring_commit(block);
}

/* ---- The reader's side ---- */

/* Reads on in the bytes of one block; true when it was read to its end. */
static bool
read_block(struct capture *capture, const void *block, size_t len, char **to,
           size_t *room)
{
    size_t n = MIN(len - capture->n_read, *room);

    memcpy(*to, (const char *) block + capture->n_read, n);
    capture->n_read += n;
    *to += n;
    *room -= n;
    if (capture->n_read < len) {
        return false;
    }
    capture->n_read = 0;
    return true;
}

static int
capture_read(struct stream *stream, void *buf, size_t max)
{
    struct capture *capture = (struct capture *) stream;
    char *to = buf;
    size_t room = MIN(max, (size_t) INT32_MAX);

    while (room) {
        const void *record;
        uint64_t n_lost;
        uint32_t len;

        if (!capture->is_head_read) {
            capture->block_len = head_blocks(capture, capture->block);
            capture->is_head_read = true;
        }
        if (capture->block_len) {
            if (read_block(capture, capture->block, capture->block_len, &to,
                           &room)) {
                capture->block_len = 0;
            }
            continue;
        }
        record = capture_ring_first(capture->ring, &len);
        if (record) {
            if (read_block(capture, record, len, &to, &room)) {
                capture_ring_free_first(capture->ring);
            }
            continue;
        }
        n_lost = atomic_load_explicit(&capture->n_lost,
                                      memory_order_relaxed);
        if (n_lost == capture->n_lost_told) {
            break;
        }
        capture->block_len = statistics_block(capture, n_lost,
                                              capture->block);
        capture->n_lost_told = n_lost;
    }
    return (int) (to - (char *) buf);
}

static bool
capture_has_news(struct stream *stream)
{
    struct capture *capture = (struct capture *) stream;
    uint32_t len;

    return !capture->is_head_read
           || atomic_load(&capture->n_lost) != capture->n_lost_told
           || capture_ring_first(capture->ring, &len);
}

static const struct stream_class capture_class = {
    .read = capture_read,
    .has_news = capture_has_news,
};

/* ---- The control thread's side ---- */

struct captures *
captures_create(struct datapath *dp)
{
    struct captures *captures = xzalloc(sizeof *captures);

    captures->dp = dp;
    return captures;
}

void
captures_destroy(struct captures *captures)
{
    if (captures) {
        captures_run(captures, NULL);
        free(captures);
    }
}

int
captures_begin(struct captures *captures, struct port *port,
               enum capture_direction direction, struct stream **result)
{
    struct capture **slot = NULL;
    struct capture *capture;
    int err;

    for (unsigned int i = 0; i < CAPTURES_MAX; i++) {
        capture = captures->list[i];
        if (!capture) {
            slot = &captures->list[i];
        } else if (capture->is_tapped && capture->port == port) {
            return -EBUSY;
        }
    }
    if (!slot) {
        return -ENOSPC;
    }

    capture = xzalloc(sizeof *capture);
    stream_init(&capture->stream, &capture_class);
    capture->captures = captures;
    capture->port = port;
    capture->direction = direction;
    memcpy(capture->name, port->config.name, sizeof capture->name);
    capture->to_wall = clock_of(CLOCK_REALTIME) - clock_of(CLOCK_MONOTONIC);
    capture->ring = capture_ring_create(RING_SIZE);
    if (!capture->ring) {
        err = -ENOMEM;
        goto free_capture;
    }
    err = datapath_set_tap(captures->dp, port, take_packet, capture);
    if (err) {
        goto free_ring;
    }
    capture->is_tapped = true;
    *slot = capture;
    *result = &capture->stream;
    return 0;

free_ring:
    capture_ring_destroy(capture->ring);
free_capture:
    free(capture);
    return err;
}

static void
untap(struct capture *capture)
{
    if (capture->is_tapped) {
        datapath_set_tap(capture->captures->dp, capture->port, NULL, NULL);
        capture->is_tapped = false;
        capture->port = NULL;
    }
}

void
captures_end_port(struct captures *captures, const struct port *port)
{
    for (unsigned int i = 0; i < CAPTURES_MAX; i++) {
        struct capture *capture = captures->list[i];

        if (capture && capture->port == port) {
            untap(capture);
            stream_end(&capture->stream);
        }
    }
}

void
captures_end_all(struct captures *captures)
{
    for (unsigned int i = 0; i < CAPTURES_MAX; i++) {
        if (captures->list[i]) {
            untap(captures->list[i]);
            stream_end(&captures->list[i]->stream);
        }
    }
}

bool
captures_run(struct captures *captures, void (*wake)(void *reader))
{
    bool is_any = false;

    for (unsigned int i = 0; i < CAPTURES_MAX; i++) {
        struct capture *capture = captures->list[i];

        if (!capture) {
            continue;
        }
        if (stream_run(&capture->stream, wake)) {
            is_any = true;
            continue;
        }
        untap(capture);
        capture_ring_destroy(capture->ring);
        free(capture);
        captures->list[i] = NULL;
    }
    return is_any;
}

/* ---- /v1/capture ---- */

static bool
parse_direction(const char *text, enum capture_direction *direction,
                struct api_reply *reply)
{
    static const char *const names[] = {
        [CAPTURE_BOTH] = "both",
        [CAPTURE_RX] = "rx",
        [CAPTURE_TX] = "tx",
    };

    if (!text) {
        return true;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(text, names[i])) {
            *direction = (enum capture_direction) i;
            return true;
        }
    }
    api_fail(reply, API_BAD_REQUEST, "direction", "both, rx or tx",
             "unknown direction '%s'", text);
    return false;
}

void
capture_begin(struct api *api, struct api_request *request, msec now UNUSED,
              struct api_reply *reply)
{
    const char *name = api_request_param(request, "port");
    enum capture_direction direction = CAPTURE_BOTH;
    struct switch_port *sp;
    int err;

    if (!name) {
        api_fail(reply, API_BAD_REQUEST, "port", "weft port list",
                 "which port?");
        return;
    }
    sp = api_find_port(api, name, "port", reply);
    if (!sp
        || !parse_direction(api_request_param(request, "direction"),
                            &direction, reply)) {
        return;
    }
    if (!api->captures) {
        api_fail(reply, API_REFUSED, NULL, NULL, "no captures here");
        return;
    }
    err = captures_begin(api->captures, sp->port, direction,
                         &reply->stream);
    if (err == -EBUSY) {
        api_fail(reply, API_CONFLICT, "port", NULL,
                 "port '%s' is being captured already",
                 sp->port->config.name);
    } else if (err == -ENOSPC) {
        api_fail(reply, API_BUSY, NULL, NULL, "%d captures run already",
                 CAPTURES_MAX);
    } else if (err) {
        api_fail_errno(reply, err, "port", "");
    } else {
        reply->status = 200;
        reply->content_type = "application/x-pcapng";
    }
}
