#include "api/snoop.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "api/capture_ring.h"
#include "api/routes.h"

enum { RING_SIZE = 1 << 20 };

struct snoop {
    struct stream stream;         /* first */
    struct capture_ring *ring;
    uint64_t n_lost;              /* lines; the control thread's */
    size_t n_read;                /* of the first record */
};

struct snoops {
    struct connections *connections;
    struct snoop *list[SNOOPS_MAX];
};

/* ---- What is seen ---- */

static bool
put_line(struct snoop *snoop, const char *text, size_t len)
{
    char *record = capture_ring_reserve(snoop->ring, (uint32_t) len);

    if (record) {
        memcpy(record, text, len);
        capture_ring_commit(record);
    }
    return record;
}

static void
tell(struct snoop *snoop, const char *text, size_t len)
{
    if (snoop->n_lost) {
        struct str lost = STR_INIT;

        str_addf(&lost, "{\"lost\":%llu}\n",
                 (unsigned long long) snoop->n_lost);
        if (put_line(snoop, str_text(&lost), lost.len)) {
            snoop->n_lost = 0;
        }
        str_fini(&lost);
    }
    if (snoop->n_lost || !put_line(snoop, text, len)) {
        snoop->n_lost++;
    }
}

static void
see_message(void *snoops_, const struct connection_message *m)
{
    struct snoops *snoops = snoops_;
    struct timespec now;
    json_t *json;
    char *text;
    size_t len;

    clock_gettime(CLOCK_REALTIME, &now);
    json = json_pack("{s:f, s:s, s:s, s:s, s:s, s:I, s:I, s:s}",
                     "time", (double) now.tv_sec + (double) now.tv_nsec / 1e9,
                     "peer", m->peer,
                     "direction", m->is_sent ? "sent" : "received",
                     "version", m->version, "type", m->type,
                     "xid", (json_int_t) m->xid,
                     "length", (json_int_t) m->len, "text", m->text);
    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!text) {
        return;
    }
    len = strlen(text);
    text[len] = '\n';             /* in place of the end */
    for (unsigned int i = 0; i < SNOOPS_MAX; i++) {
        if (snoops->list[i]) {
            tell(snoops->list[i], text, len + 1);
        }
    }
    free(text);
}

/* ---- The reader's side ---- */

static int
snoop_read(struct stream *stream, void *buf, size_t max)
{
    struct snoop *snoop = (struct snoop *) stream;
    size_t n = 0;

    while (n < max) {
        uint32_t len;
        const char *record = capture_ring_first(snoop->ring, &len);
        size_t part;

        if (!record) {
            break;
        }
        part = MIN(len - snoop->n_read, max - n);
        memcpy((char *) buf + n, record + snoop->n_read, part);
        n += part;
        snoop->n_read += part;
        if (snoop->n_read == len) {
            capture_ring_free_first(snoop->ring);
            snoop->n_read = 0;
        }
    }
    return (int) n;
}

static bool
snoop_has_news(struct stream *stream)
{
    uint32_t len;

    return capture_ring_first(((struct snoop *) stream)->ring, &len);
}

static const struct stream_class snoop_class = {
    .read = snoop_read,
    .has_news = snoop_has_news,
};

/* ---- The control thread's side ---- */

struct snoops *
snoops_create(struct connections *connections)
{
    struct snoops *snoops = xzalloc(sizeof *snoops);

    snoops->connections = connections;
    return snoops;
}

void
snoops_destroy(struct snoops *snoops)
{
    if (snoops) {
        snoops_run(snoops, NULL);
        free(snoops);
    }
}

int
snoops_begin(struct snoops *snoops, struct stream **result)
{
    for (unsigned int i = 0; i < SNOOPS_MAX; i++) {
        struct snoop *snoop = snoops->list[i];

        if (snoop) {
            continue;
        }
        snoop = xzalloc(sizeof *snoop);
        stream_init(&snoop->stream, &snoop_class);
        snoop->ring = capture_ring_create(RING_SIZE);
        if (!snoop->ring) {
            free(snoop);
            return -ENOMEM;
        }
        snoops->list[i] = snoop;
        connections_set_watch(snoops->connections, see_message, snoops);
        *result = &snoop->stream;
        return 0;
    }
    return -ENOSPC;
}

void
snoops_end_all(struct snoops *snoops)
{
    for (unsigned int i = 0; i < SNOOPS_MAX; i++) {
        if (snoops->list[i]) {
            stream_end(&snoops->list[i]->stream);
        }
    }
}

bool
snoops_run(struct snoops *snoops, void (*wake)(void *reader))
{
    bool is_any = false;

    for (unsigned int i = 0; i < SNOOPS_MAX; i++) {
        struct snoop *snoop = snoops->list[i];

        if (!snoop) {
            continue;
        }
        if (stream_run(&snoop->stream, wake)) {
            is_any = true;
        } else {
            capture_ring_destroy(snoop->ring);
            free(snoop);
            snoops->list[i] = NULL;
        }
    }
    if (!is_any) {
        connections_set_watch(snoops->connections, NULL, NULL);
    }
    return is_any;
}

/* ---- /v1/snoop ---- */

void
snoop_begin(struct api *api, struct api_request *request UNUSED,
            msec now UNUSED, struct api_reply *reply)
{
    int err;

    if (!api->snoops) {
        api_fail(reply, API_REFUSED, NULL, NULL, "no OpenFlow here");
        return;
    }
    err = snoops_begin(api->snoops, &reply->stream);
    if (err == -ENOSPC) {
        api_fail(reply, API_BUSY, NULL, NULL, "%d snoops run already",
                 SNOOPS_MAX);
    } else if (err) {
        api_fail_errno(reply, err, NULL, "");
    } else {
        reply->status = 200;
        reply->content_type = "application/x-ndjson";
    }
}
