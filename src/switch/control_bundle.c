/* Bundles: changes that happen together or not at all (1.4 section 6.8).
 *
 *     OPEN     takes messages       close -> CLOSED, commit or discard -> gone
 *     CLOSED   takes no more        commit or discard -> gone
 *
 * Messages wait as they came, checked but not carried out.  A commit stages all
 * of them in one version of the tables; the first that fails undoes the others.
 * Packets are sent when the changes are visible.  A session that ends takes its
 * bundles with it. */
#include <stdlib.h>

#include "switch/control_stats.h"

enum {
    MAX_BUNDLES = 32,             /* of one session */
    MAX_BUNDLED = 256 << 20,      /* bytes, of one session */
};

struct bundle {
    struct bundle *next;
    uint32_t id;
    uint16_t flags;
    bool is_closed;
    struct buf messages;          /* one behind another */
};

static struct bundle *
find_bundle(const struct session *s, uint32_t id)
{
    struct bundle *b = s->bundles;

    while (b && b->id != id) {
        b = b->next;
    }
    return b;
}

static void
free_bundle(struct session *s, struct bundle *bundle)
{
    struct bundle **p = &s->bundles;

    while (*p != bundle) {
        p = &(*p)->next;
    }
    *p = bundle->next;
    s->bundled -= bundle->messages.len;
    buf_fini(&bundle->messages);
    free(bundle);
}

void
control_bundles_free(struct session *s)
{
    while (s->bundles) {
        free_bundle(s, s->bundles);
    }
}

/* Makes the bundle; `bundle` is what is there under its id, if anything. */
static enum of_error
open_bundle(struct session *s, uint32_t id, uint16_t flags,
            struct bundle **bundle)
{
    struct bundle *b;
    unsigned int n = 0;

    if (flags & ~(BUNDLE_ATOMIC | BUNDLE_ORDERED)) {
        return OF_BUNDLE_FAILED_BAD_FLAGS;
    }
    for (b = s->bundles; b; b = b->next) {
        n++;
    }
    if (n == MAX_BUNDLES) {
        return OF_BUNDLE_FAILED_OUT_OF_BUNDLES;
    }
    b = xzalloc(sizeof *b);
    b->id = id;
    b->flags = flags;
    b->next = s->bundles;
    s->bundles = b;
    *bundle = b;
    return OF_OK;
}

/* ---- Commit ---- */

/* Which of the messages a pass is about. */
enum pass { PASS_CHANGES, PASS_PACKETS };

static enum of_error
apply_message(struct session *s, const uint8_t *message, size_t len,
              enum pass pass)
{
    struct of_message m;
    enum of_error error = of_message_decode(session_protocol(s), message, len,
                                            &m, NULL);

    if (error) {
        return error;
    }
    if ((m.type == OFT_PACKET_OUT) == (pass == PASS_PACKETS)) {
        error = control_apply(s, &m, NULL);
    } else if (pass == PASS_PACKETS) {
        control_forward(s, &m);             /* what is done by now */
    }
    of_message_fini(&m);
    return error;
}

/* Answers the message that failed, then the commit. */
static enum of_error
apply_all(struct session *s, const struct bundle *b, enum pass pass)
{
    for (size_t pos = 0; pos < b->messages.len;) {
        const uint8_t *message = b->messages.data + pos;
        size_t len = be16toh(get_be16(message + 2));
        enum of_error error = apply_message(s, message, len, pass);

        if (error) {
            const void *request = s->request;
            size_t request_len = s->request_len;

            s->request = message;
            s->request_len = len;
            session_refuse(s, error);
            s->request = request;
            s->request_len = request_len;
            return OF_BUNDLE_FAILED_MSG_FAILED;
        }
        pos += len;
    }
    return OF_OK;
}

static enum of_error
commit(struct session *s, struct bundle *b)
{
    struct switch_ *sw = s->control->sw;
    enum of_error error;

    tables_begin(switch_tables(sw));
    error = apply_all(s, b, PASS_CHANGES);
    if (error) {
        tables_discard(switch_tables(sw));
    } else {
        tables_commit(switch_tables(sw));
        switch_barrier(sw);
        error = apply_all(s, b, PASS_PACKETS);
    }
    free_bundle(s, b);
    return error;
}

/* ---- Requests ---- */

static void
reply(struct session *s, const struct of_bundle_control *request)
{
    struct of_message m = {
        .version = session_protocol(s)->version,
        .type = OFT_BUNDLE_CONTROL,
        .xid = s->xid,
        .bundle_control = *request,
    };

    m.bundle_control.type++;      /* each reply follows its request */
    session_send(s, &m);
}

/* A bundle that is used wrongly is lost (1.4 section 7.3.9). */
static enum of_error
lose(struct session *s, struct bundle *b, enum of_error error)
{
    free_bundle(s, b);
    return error;
}

enum of_error
control_bundle(struct session *s, const struct of_bundle_control *request,
               struct str *why UNUSED)
{
    struct bundle *b = find_bundle(s, request->id);
    enum of_error error = OF_OK;

    switch (request->type) {
    case BUNDLE_OPEN_REQUEST:
        if (b) {
            return lose(s, b, OF_BUNDLE_FAILED_BUNDLE_EXIST);
        }
        error = open_bundle(s, request->id, request->flags, &b);
        break;

    case BUNDLE_CLOSE_REQUEST:
        if (!b) {
            return OF_BUNDLE_FAILED_BAD_ID;
        }
        if (b->is_closed) {
            return lose(s, b, OF_BUNDLE_FAILED_BUNDLE_CLOSED);
        }
        if (b->flags != request->flags) {
            return lose(s, b, OF_BUNDLE_FAILED_BAD_FLAGS);
        }
        b->is_closed = true;
        break;

    case BUNDLE_COMMIT_REQUEST:
        if (!b) {
            return OF_BUNDLE_FAILED_BAD_ID;
        }
        if (b->flags != request->flags) {
            return lose(s, b, OF_BUNDLE_FAILED_BAD_FLAGS);
        }
        error = commit(s, b);
        break;

    case BUNDLE_DISCARD_REQUEST:
        if (!b) {
            return OF_BUNDLE_FAILED_BAD_ID;
        }
        free_bundle(s, b);
        break;

    default:
        return OF_BUNDLE_FAILED_BAD_TYPE;
    }
    if (!error) {
        reply(s, request);
    }
    return error;
}

static enum of_error
check_message(struct session *s, const struct of_bytes *message,
              struct str *why)
{
    struct of_message m;
    enum of_error error = of_message_decode(session_protocol(s),
                                            message->data, message->len, &m,
                                            why);

    if (error) {
        return error;
    }
    if (!control_may_bundle(m.type)) {
        error = OF_BUNDLE_FAILED_MSG_UNSUP;
    }
    of_message_fini(&m);
    return error;
}

enum of_error
control_bundle_add(struct session *s, const struct of_bundle_add *add,
                   struct str *why)
{
    struct bundle *b = find_bundle(s, add->id);
    enum of_error error = check_message(s, &add->message, why);

    if (error) {
        return error;
    }
    if (!b) {
        /* An add opens the bundle (1.4 section 7.3.9.6). */
        error = open_bundle(s, add->id, add->flags, &b);
        if (error) {
            return error;
        }
    }
    if (b->is_closed) {
        return lose(s, b, OF_BUNDLE_FAILED_BUNDLE_CLOSED);
    }
    if (b->flags != add->flags) {
        return lose(s, b, OF_BUNDLE_FAILED_BAD_FLAGS);
    }
    if (s->bundled + add->message.len > MAX_BUNDLED) {
        return OF_BUNDLE_FAILED_MSG_TOO_MANY;
    }
    buf_put(&b->messages, add->message.data, add->message.len);
    s->bundled += add->message.len;
    return OF_OK;
}

enum of_error
stats_bundle_features(struct stats_request *r)
{
    of_reply_bundle_features(&r->reply, BUNDLE_ATOMIC | BUNDLE_ORDERED);
    return OF_OK;
}
