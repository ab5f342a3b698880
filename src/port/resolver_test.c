/* What a resolver's file says about itself, and that it is given back. */
#include "port/resolver.h"

#include "unit.h"

static const char mine[] = "weft:lab:web";
static const char lines[] = "nameserver 10.0.0.1\nsearch blue.weft\n";

static void
check_given_back(const char *before)
{
    struct str text = STR_INIT, again = STR_INIT, back = STR_INIT;

    CHECK(resolver_cover(before, mine, lines, &text));
    CHECK(strstr(str_text(&text), lines));
    /* A second time, as after a restart: other lines, the same way back. */
    CHECK(resolver_cover(str_text(&text), mine, "nameserver ::1\n", &again));
    CHECK(strstr(str_text(&again), "nameserver ::1\n"));
    CHECK(!strstr(str_text(&again), "10.0.0.1"));
    CHECK(resolver_uncover(str_text(&again), mine, &back));
    assert_string_equal(str_text(&back), before);
    str_fini(&text);
    str_fini(&again);
    str_fini(&back);
}

TEST(what_was_there_is_given_back_byte_by_byte)
{
    check_given_back("");
    check_given_back("\n");
    check_given_back("nameserver 8.8.8.8\n");
    check_given_back("# mine\n\nnameserver 8.8.8.8\noptions rotate");
    check_given_back("# was: older\n");
}

TEST(another_ports_file_stays)
{
    struct str text = STR_INIT, other = STR_INIT;

    CHECK(resolver_cover("", mine, lines, &text));
    CHECK(!resolver_cover(str_text(&text), "weft:lab:we", lines, &other));
    CHECK(!resolver_cover(str_text(&text), "weft:lab:web2", lines, &other));
    CHECK(!resolver_uncover(str_text(&text), "weft:lab:we", &other));
    CHECK(!resolver_uncover("nameserver 8.8.8.8\n", mine, &other));
    CHECK(!other.len);
    str_fini(&text);
    str_fini(&other);
}

TESTS(
    RUN(what_was_there_is_given_back_byte_by_byte),
    RUN(another_ports_file_stays),
)
