/* Questions between hosts, on the wire. */
#include "service/path_frame.h"

#include "unit.h"

enum { ROOM = ETH_HEADER_LEN + PATH_FRAME_MAX };

static const struct path_frame question = {
    PATH_FRAME_ASK, 1450, UINT64_C(0x0123456789abcdef), 7,
};

TEST(a_question_is_as_long_as_it_says)
{
    static uint8_t frame[ROOM];
    struct path_frame f;
    size_t len = path_frame_encode(&question, frame);

    CHECK(len == ETH_HEADER_LEN + 1450);
    CHECK(frame[12] == 0x88 && frame[13] == 0xb5);
    CHECK(!path_frame_decode(frame, len, &f));
    CHECK(f.kind == PATH_FRAME_ASK && f.size == 1450 && f.index == 7
          && f.token == question.token);
    /* A tunnel that cuts is no path; one that pads is. */
    CHECK(path_frame_decode(frame, len - 1, &f) == -EBADMSG);
    CHECK(!path_frame_decode(frame, len + 4, &f));
}

TEST(each_of_a_round_is_a_flow_of_its_own)
{
    static uint8_t frame[ROOM], other[ROOM];
    struct path_frame f = question;

    path_frame_encode(&f, frame);
    f.index++;
    path_frame_encode(&f, other);
    CHECK(memcmp(frame, other, 6) && memcmp(frame + 6, other + 6, 6));
}

TEST(an_answer_is_short_whatever_it_says)
{
    static uint8_t frame[ROOM];
    struct path_frame f, answer = question;
    size_t len;

    answer.kind = PATH_FRAME_ANSWER;
    len = path_frame_encode(&answer, frame);
    CHECK(len == ETH_HEADER_LEN + PATH_FRAME_MIN);
    CHECK(!path_frame_decode(frame, len, &f) && f.size == 1450
          && f.kind == PATH_FRAME_ANSWER);
}

TEST(something_else_is_told_from_it)
{
    static uint8_t frame[ROOM];
    static const unsigned int at[] = { 12, 14, 18, 19 };
    struct path_frame f;
    size_t len = path_frame_encode(&question, frame);

    for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
        frame[at[i]] ^= 0x40;
        CHECK(path_frame_decode(frame, len, &f) == -EPROTO);
        frame[at[i]] ^= 0x40;
    }
    /* Sizes that nobody asks for. */
    put_be16(frame + 20, htobe16(PATH_FRAME_MIN - 1));
    CHECK(path_frame_decode(frame, len, &f) == -EPROTO);
    put_be16(frame + 20, htobe16(PATH_FRAME_MAX + 1));
    CHECK(path_frame_decode(frame, len, &f) == -EPROTO);
    for (size_t cut = 0; cut < ETH_HEADER_LEN + 17; cut++) {
        CHECK(path_frame_decode(frame, cut, &f) == -EBADMSG);
    }
}

TESTS(
    RUN(a_question_is_as_long_as_it_says),
    RUN(each_of_a_round_is_a_flow_of_its_own),
    RUN(an_answer_is_short_whatever_it_says),
    RUN(something_else_is_told_from_it),
)
