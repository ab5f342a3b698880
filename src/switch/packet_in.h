/* Packets on their way to the controller.
 *
 * Workers put them in, the control thread takes them out.  Each ingress port
 * has a queue of its own, bounded in packets and in bytes, and ports are served
 * in turn, so that a port whose guest floods the controller loses its own
 * packets and nobody else's.  What one port may cause for one reason in a second
 * can be limited as well.  A packet is copied with its checksums complete: the
 * controller may answer it as it is. */
#ifndef WEFT_SWITCH_PACKET_IN_H
#define WEFT_SWITCH_PACKET_IN_H

#include "datapath/datapath.h"

struct packet_in_queue;

/* What goes to the controller without an action that says so. */
enum unasked {
    UNASKED_MISSES = 1 << 0,    /* what no entry matches (1.0 section 3.4) */
    UNASKED_EXPIRED = 1 << 1,   /* whose TTL is used up (1.3.5 section 7.4.1) */
};

struct packet_in {
    uint32_t in_port;
    uint8_t reason;               /* enum packet_in_reason */
    uint8_t table;
    uint16_t controller_id;
    be64 cookie;
    struct flow flow;             /* what is known of it: key, and pipeline
                                     fields when the action froze them */
    uint32_t paused_id;           /* state that a resume names; 0: none */
    uint64_t paused_token;        /* and the proof that it is that one */
    uint16_t userdata_len;
    uint32_t userdata_ofs;        /* in data */
    uint32_t total_len;           /* of the packet */
    uint32_t len;                 /* of it that is to be shown */
    uint8_t data[];               /* the packet, then userdata */
};

/* What a message shows besides the packet. */
struct packet_in_extra {
    const struct flow *value;     /* of bits that are not the packet's own: */
    const struct flow_mask *known;    /* registers, metadata...; NULL: none */
    const void *userdata;
    uint16_t userdata_len;
    uint32_t paused_id;
    uint64_t paused_token;
};

static inline const uint8_t *
packet_in_userdata(const struct packet_in *msg)
{
    return msg->data + msg->userdata_ofs;
}

struct packet_in_config {
    uint32_t max_per_port;        /* packets; 0: 2048 */
    uint32_t max;                 /* in all; 0: 16384 */
    /* The queue was empty and is not any more.  Any thread. */
    void (*ready)(void *aux);
    void *aux;
};

/* X(NAME, text): of what was offered, so many were... */
#define PACKET_IN_COUNTERS(X)                                                \
    X(queued, "put into a port's queue")                                     \
    X(dropped, "dropped: the queue was full")                                \
    X(limited, "dropped: the port's rate for this reason was reached")       \
    X(taken, "taken out for the sessions")

struct packet_in_counters {
#define X(NAME, TEXT) uint64_t NAME;
    PACKET_IN_COUNTERS(X)
#undef X
};

struct packet_in_queue *
packet_in_queue_create(const struct packet_in_config *);
void packet_in_queue_destroy(struct packet_in_queue *);

/* So many a second of one port for one reason, and a tenth of a second's at
 * once; 0: any number. */
void packet_in_set_rate(struct packet_in_queue *, uint32_t per_second);
/* Any thread: packet_in_put() looks at its `now`. */
bool packet_in_has_rate(const struct packet_in_queue *);

/* Any thread.  Copies; false: the port's queue or the whole is full, or its rate
 * is reached, counted. */
bool packet_in_put(struct packet_in_queue *, const struct packet *,
                   const struct flow_key *, const struct packet_in_extra *,
                   const struct dp_action_controller *, nsec now);
/* Control thread: the next packet, ports in turn.  NULL: none. */
struct packet_in *packet_in_take(struct packet_in_queue *);
void packet_in_free(struct packet_in *);

/* Of one port, or of all (port 0). */
void packet_in_read_counters(const struct packet_in_queue *, uint32_t port,
                             struct packet_in_counters *);

#endif
