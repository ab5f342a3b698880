/* Packets for the controllers: from the switch's queue to the sessions. */
#include "switch/control_impl.h"

enum {
    PACKET_INS_PER_TURN = 256,
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

/* The connection of a controller that packets of this port go by. */
static struct session *
connection_for(struct session *s, uint32_t in_port)
{
    unsigned int n = 1, chosen;

    for (const struct session *a = s->control->sessions; a; a = a->next) {
        n += a->main == s && session_is_open(a);
    }
    chosen = in_port % n;
    for (struct session *a = s->control->sessions; a && chosen; a = a->next) {
        if (a->main == s && session_is_open(a) && !--chosen) {
            return a;
        }
    }
    return s;
}

static void
send_packet_in(struct session *s, const struct packet_in *pin)
{
    struct session *by = s->n_auxiliary ? connection_for(s, pin->in_port) : s;
    struct of_message m = {
        .version = session_protocol(s)->version,
        .type = OFT_PACKET_IN,
        .packet_in = {
            .buffer_id = OF_NO_BUFFER, .total_len = pin->total_len,
            .reason = pin->reason, .table = pin->table,
            .cookie = pin->cookie, .data = { pin->data, pin->len },
            .userdata = { packet_in_userdata(pin), pin->userdata_len },
            .continuation = { pin->paused_id != 0, pin->paused_id,
                              pin->paused_token },
        },
    };

    if (of_conn_backlog(by->conn) >= PACKET_IN_ROOM) {
        s->control->counters.packet_ins_dropped++;
        by->counters.packet_ins_dropped++;
        return;
    }
    of_packet_in_match(&pin->flow, &m.packet_in.match);
    s->control->counters.packet_ins++;
    by->counters.packet_ins++;
    /* In the form that the main connection asked for. */
    of_message_encode(session_out(by), session_protocol(s), &m);
    session_sent(by);
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
