/* Bundles: changes that happen together or not at all (1.4 section 6.8).
 *
 *     OPEN     takes messages       close -> CLOSED, commit or discard -> gone
 *     CLOSED   takes no more        commit or discard -> gone
 *
 * Messages wait as they came, checked but not carried out.  A commit
 * (control_commit.c) stages all of them in one version of the tables; the first
 * that fails undoes the others.  Packets are sent when the changes are visible.
 * A session that ends takes its bundles with it. */
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
    bool has_sequel;              /* packets, or what others are told of */
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

/* ---- Requests ---- */

void
control_bundle_reply(struct session *s,
                     const struct of_bundle_control *request)
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

static void
commit(struct session *s, const struct of_bundle_control *request,
       struct bundle *b)
{
    struct buf messages = b->messages;
    bool has_sequel = b->has_sequel;

    b->messages = (struct buf) BUF_INIT;
    s->bundled -= messages.len;
    free_bundle(s, b);
    control_commit_begin(s, request, &messages, has_sequel);
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
        commit(s, request, b);
        return OF_OK;             /* it is answered when it is done */

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
        control_bundle_reply(s, request);
    }
    return error;
}

static enum of_error
check_message(struct session *s, const struct of_bytes *message,
              enum of_type *type, struct str *why)
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
    *type = m.type;
    of_message_fini(&m);
    return error;
}

enum of_error
control_bundle_add(struct session *s, const struct of_bundle_add *add,
                   struct str *why)
{
    struct bundle *b = find_bundle(s, add->id);
    enum of_type type;
    enum of_error error = check_message(s, &add->message, &type, why);

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
    b->has_sequel |= type != OFT_FLOW_MOD;
    return OF_OK;
}

enum of_error
stats_bundle_features(struct stats_request *r)
{
    of_reply_bundle_features(&r->reply, BUNDLE_ATOMIC | BUNDLE_ORDERED);
    return OF_OK;
}
