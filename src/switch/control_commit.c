/* A bundle's commit: a piece in each turn of the loop, and for everybody else
 * all of it at one moment.
 *
 *     STAGING   messages are staged, in a version of the tables that nobody
 *        |      sees yet.  One fails: UNDOING
 *        |      The last is staged: published, then
 *     SENDING   packets are sent and other controllers told
 *
 *     UNDOING   what was staged is taken back
 *
 * and DONE, when it is answered.
 *
 * There is one at a time.  While it lasts its session waits behind it, and so
 * do the others' requests that read or change tables (control_must_wait());
 * the rest of what they ask is answered.  A session that ends meanwhile leaves
 * it behind: what was asked for is done, as with any request. */
#include <stdlib.h>

#include "lib/clock.h"
#include "switch/control_impl.h"

enum {
    /* In one turn: */
    STAGE_TURN = 1024,            /* messages, */
    STAGE_MSEC = 5,               /* or so long, */
    CLOCK_TURN = 32,              /* looked at this often; */
    UNDO_TURN = 4096,             /* changes */
    ROOM_MSEC = 1,                /* until it is asked for again */
};

struct commit {
    struct session *s;
    bool is_left;                 /* the session ended; it is freed with this */
    enum { STAGING, UNDOING, SENDING, DONE } phase;
    struct buf messages;          /* one behind another */
    size_t pos;                   /* of the next one */
    bool has_sequel;              /* something for SENDING */
    enum of_error error;
    struct of_bundle_control what;
    struct buf request;           /* as it came, for its answer */
};

static enum of_error
apply_message(struct session *s, const uint8_t *message, size_t len,
              bool is_sending)
{
    struct of_message m;
    enum of_error error = of_message_decode(session_protocol(s), message, len,
                                            &m, NULL);

    if (error) {
        return error;
    }
    if ((m.type == OFT_PACKET_OUT) == is_sending) {
        error = control_apply(s, &m, NULL);
    } else if (is_sending) {
        control_forward(s, &m);             /* what is done by now */
    }
    of_message_fini(&m);
    return error;
}

/* Answers a message that fails, and notes what that makes of the commit. */
static void
apply_next(struct commit *c)
{
    const uint8_t *message = c->messages.data + c->pos;
    size_t len = be16toh(get_be16(message + 2));
    enum of_error error = apply_message(c->s, message, len,
                                        c->phase == SENDING);

    c->pos += len;
    if (error) {
        c->s->request = message;
        c->s->request_len = len;
        session_refuse(c->s, error);
        c->error = OF_BUNDLE_FAILED_MSG_FAILED;
    }
}

static void
stage_some(struct commit *c)
{
    struct switch_ *sw = c->s->control->sw;
    msec end = clock_msec() + STAGE_MSEC;

    for (unsigned int n = 1; c->pos < c->messages.len && !c->error; n++) {
        apply_next(c);
        if (n == STAGE_TURN || (n % CLOCK_TURN == 0 && clock_msec() >= end)) {
            break;
        }
    }
    if (c->error) {
        c->phase = UNDOING;
    } else if (c->pos == c->messages.len) {
        switch_commit_bundle(sw);
        c->phase = c->has_sequel ? SENDING : DONE;
        c->pos = 0;
    }
}

static void
undo_some(struct commit *c)
{
    if (switch_discard_bundle(c->s->control->sw, UNDO_TURN)) {
        c->phase = DONE;
    }
}

/* The first packet that fails is the last. */
static void
send_some(struct commit *c)
{
    struct switch_ *sw = c->s->control->sw;

    for (unsigned int n = 0; n < STAGE_TURN && c->pos < c->messages.len
                             && !c->error; n++) {
        if (!switch_has_packet_out_room(sw)) {
            return;
        }
        apply_next(c);
    }
    if (c->error || c->pos == c->messages.len) {
        c->phase = DONE;
    }
}

static void
free_commit(struct commit *c)
{
    if (c->is_left) {
        control_free_session(c->s);
    }
    buf_fini(&c->messages);
    buf_fini(&c->request);
    free(c);
}

static void
finish(struct control *control)
{
    struct commit *c = control->commit;
    struct session *s = c->s;

    control->commit = NULL;
    s->request = c->request.data;
    s->request_len = c->request.len;
    s->xid = be32toh(get_be32(c->request.data + 4));
    if (c->error) {
        session_refuse(s, c->error);
    } else {
        control_bundle_reply(s, &c->what);
    }
    s->request = NULL;
    s->request_len = 0;
    free_commit(c);
}

msec
control_commit_run(struct control *control)
{
    struct commit *c = control->commit;

    if (!c) {
        return INT64_MAX;
    }
    if (c->phase == STAGING) {
        stage_some(c);
    }
    if (c->phase == UNDOING) {
        undo_some(c);
    }
    if (c->phase == SENDING) {
        send_some(c);
    }
    if (c->phase == DONE) {
        finish(control);
        control_settle_default_entry(control);
        return INT64_MAX;
    }
    return c->phase == SENDING && !switch_has_packet_out_room(control->sw)
           ? control->now + ROOM_MSEC : control->now;
}

void
control_commit_begin(struct session *s, const struct of_bundle_control *what,
                     struct buf *messages, bool has_sequel)
{
    struct commit *c = xzalloc(sizeof *c);

    assert(!s->control->commit);
    c->s = s;
    c->messages = *messages;
    *messages = (struct buf) BUF_INIT;
    c->has_sequel = has_sequel;
    c->what = *what;
    buf_put(&c->request, s->request, s->request_len);
    s->control->commit = c;
    switch_begin_bundle(s->control->sw);
    /* Most are done with this. */
    control_commit_run(s->control);
}

bool
control_must_wait(struct session *s, const void *message, size_t len)
{
    const struct commit *c = s->control->commit;

    return c && (c->s == s || control_is_on_tables(s, message, len));
}

bool
control_commit_leave(struct session *s)
{
    struct commit *c = s->control->commit;

    if (!c || c->s != s) {
        return false;
    }
    c->is_left = s->is_left = true;
    s->main = NULL;
    return true;
}

void
control_commit_abort(struct control *control)
{
    struct commit *c = control->commit;

    if (!c) {
        return;
    }
    control->commit = NULL;
    if (tables_has_bundle(switch_tables(control->sw))) {
        switch_discard_bundle(control->sw, SIZE_MAX);
    }
    free_commit(c);
}
