#include "cli/pcapng.h"

#include "unit.h"

struct seen {
    unsigned int n;
    unsigned int n_wanted;        /* 0: all */
    struct pcapng_frame last;
    uint8_t first_byte;
};

static bool
take(void *aux, const struct pcapng_frame *frame)
{
    struct seen *seen = aux;

    seen->n++;
    seen->last = *frame;
    seen->first_byte = frame->len ? frame->data[0] : 0;
    return seen->n != seen->n_wanted;
}

static void
add_u32(struct str *s, uint32_t value)
{
    str_add_bytes(s, &value, sizeof value);
}

/* A frame of three bytes at 5 s and 7 ns, sent by the port. */
static void
add_frame(struct str *s)
{
    uint64_t time = UINT64_C(5000000007);

    add_u32(s, 6);
    add_u32(s, 48);
    add_u32(s, 0);
    add_u32(s, (uint32_t) (time >> 32));
    add_u32(s, (uint32_t) time);
    add_u32(s, 3);
    add_u32(s, 60);
    str_add_bytes(s, "abc\0", 4);
    add_u32(s, 2 | 4 << 16);
    add_u32(s, 2);
    add_u32(s, 0);
    add_u32(s, 48);
}

static void
add_section(struct str *s)
{
    add_u32(s, 0x0a0d0d0a);
    add_u32(s, 28);
    add_u32(s, 0x1a2b3c4d);
    add_u32(s, 1);
    add_u32(s, UINT32_MAX);
    add_u32(s, UINT32_MAX);
    add_u32(s, 28);
}

static void
add_statistics(struct str *s, uint64_t n_lost)
{
    add_u32(s, 5);
    add_u32(s, 40);
    add_u32(s, 0);
    add_u32(s, 0);
    add_u32(s, 0);
    add_u32(s, 5 | 8 << 16);
    str_add_bytes(s, &n_lost, sizeof n_lost);
    add_u32(s, 0);
    add_u32(s, 40);
}

TEST(frames_are_found_however_the_stream_is_cut)
{
    struct str stream = STR_INIT;

    add_section(&stream);
    add_frame(&stream);
    add_statistics(&stream, 9);
    add_frame(&stream);

    for (size_t piece = 1; piece <= stream.len; piece++) {
        struct seen seen = { 0 };
        struct pcapng ng = { .frame = take, .aux = &seen };

        for (size_t i = 0; i < stream.len; i += piece) {
            CHECK(pcapng_feed(&ng, stream.text + i,
                              MIN(piece, stream.len - i)) == 1);
        }
        CHECK(seen.n == 2);
        CHECK(seen.last.len == 3 && seen.last.wire_len == 60);
        CHECK(seen.last.is_tx);
        CHECK(seen.last.time == 5000000007);
        CHECK(seen.first_byte == 'a');
        CHECK(ng.n_lost == 9);
        pcapng_fini(&ng);
    }
    str_fini(&stream);
}

TEST(enough_is_enough)
{
    struct seen seen = { .n_wanted = 1 };
    struct pcapng ng = { .frame = take, .aux = &seen };
    struct str stream = STR_INIT;

    add_frame(&stream);
    add_frame(&stream);
    CHECK(pcapng_feed(&ng, stream.text, stream.len) == 0);
    CHECK(seen.n == 1);
    str_fini(&stream);
    pcapng_fini(&ng);
}

static void
check_refused(struct str *stream)
{
    struct seen seen = { 0 };
    struct pcapng ng = { .frame = take, .aux = &seen };

    CHECK(pcapng_feed(&ng, stream->text, stream->len) == -EBADMSG);
    CHECK(!seen.n);
    pcapng_fini(&ng);
    str_fini(stream);
}

TEST(lengths_that_lie_are_refused)
{
    struct str s = STR_INIT;

    add_frame(&s);
    s.text[20] = 30;              /* a frame longer than its block */
    check_refused(&s);
    add_frame(&s);
    s.text[4] = 8;                /* a block shorter than its ends */
    check_refused(&s);
    add_frame(&s);
    s.text[6] = 0x40;             /* and one that never ends */
    check_refused(&s);
    add_section(&s);
    s.text[8] = 0;                /* another byte order */
    check_refused(&s);
}

TESTS(
    RUN(frames_are_found_however_the_stream_is_cut),
    RUN(enough_is_enough),
    RUN(lengths_that_lie_are_refused),
)
