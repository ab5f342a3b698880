/* Packets for the controllers: from the switch's queue to the sessions. */
#include "switch/control_impl.h"

enum {
    PACKET_INS_PER_TURN = 64,
    /* A session with more waiting than this gets no packet-ins: answers to its
     * requests go first. */
    PACKET_IN_ROOM = 64 * 1024,
};

static bool
wants_packet(const struct session *s, const struct packet_in *pin)
{
    unsigned int reason = pin->reason;

    if (reason == REASON_TABLE_MISS && pin->cookie == PACKET_IN_NO_COOKIE) {
        return !pin->controller_id && session_wants_misses(s);
    }
    /* What 1.3 and 1.0 know as output by an action. */
    if (session_protocol(s)->version < OF14 && reason > REASON_INVALID_TTL) {
        reason = REASON_APPLY_ACTION;
    }
    return s->controller_id == pin->controller_id
           && session_wants_async(s, ASYNC_PACKET_IN, reason);
}

static void
send_packet_in(struct session *s, const struct packet_in *pin)
{
    struct of_message m = {
        .version = session_protocol(s)->version,
        .type = OFT_PACKET_IN,
        .packet_in = {
            .buffer_id = OF_NO_BUFFER, .total_len = pin->total_len,
            .reason = pin->reason, .table = pin->table,
            .cookie = pin->cookie, .data = { pin->data, pin->len },
        },
    };

    if (of_conn_backlog(s->conn) >= PACKET_IN_ROOM) {
        s->control->counters.packet_ins_dropped++;
        return;
    }
    of_packet_in_match(&pin->flow, &m.packet_in.match);
    s->control->counters.packet_ins++;
    session_send(s, &m);
}

bool
control_send_packet_ins(struct control *control)
{
    struct packet_in_queue *queue = switch_packet_ins(control->sw);

    for (unsigned int i = 0; i < PACKET_INS_PER_TURN; i++) {
        struct packet_in *pin = packet_in_take(queue);

        if (!pin) {
            return false;
        }
        for (struct session *s = control->sessions; s; s = s->next) {
            if (s->is_open && wants_packet(s, pin)) {
                send_packet_in(s, pin);
            }
        }
        packet_in_free(pin);
    }
    return true;
}
