#include "api/stream.h"

void
stream_init(struct stream *stream, const struct stream_class *class)
{
    stream->class = class;
    atomic_init(&stream->is_ended, false);
    atomic_init(&stream->is_closed, false);
    atomic_init(&stream->reader, NULL);
}

int
stream_read(struct stream *stream, void *buf, size_t max)
{
    int n = stream->class->read(stream, buf, max);

    return n || !max || !atomic_load(&stream->is_ended) ? n : -EPIPE;
}

bool
stream_wait(struct stream *stream, void *reader)
{
    atomic_store(&stream->reader, reader);
    return !atomic_load(&stream->is_ended)
           || !atomic_exchange(&stream->reader, NULL);
}

void
stream_end(struct stream *stream)
{
    atomic_store(&stream->is_ended, true);
}

void
stream_close(struct stream *stream)
{
    atomic_store(&stream->is_closed, true);
}

bool
stream_run(struct stream *stream, void (*wake)(void *reader))
{
    void *reader;

    if (atomic_load(&stream->is_closed)) {
        return false;
    }
    /* While the reader waits, its side of the stream is ours. */
    reader = atomic_exchange(&stream->reader, NULL);
    if (reader && (atomic_load(&stream->is_ended)
                   || stream->class->has_news(stream))) {
        wake(reader);
    } else if (reader) {
        atomic_store(&stream->reader, reader);
    }
    return true;
}
