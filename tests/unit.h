/* Unit tests in sentences: thin macros over cmocka.
 *
 *     TEST(an_empty_table_finds_nothing)
 *     {
 *         CHECK(!fdb_lookup(...));
 *     }
 *
 *     TESTS(
 *         RUN(an_empty_table_finds_nothing),
 *     )
 */
#ifndef WEFT_TESTS_UNIT_H
#define WEFT_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEST(NAME) static void NAME(void **state __attribute__((unused)))
#define RUN(NAME) cmocka_unit_test(NAME)
#define TESTS(...)                                                           \
    int                                                                      \
    main(void)                                                               \
    {                                                                        \
        const struct CMUnitTest tests[] = { __VA_ARGS__ };                   \
        return cmocka_run_group_tests(tests, NULL, NULL);                    \
    }

#define CHECK(COND) assert_true(COND)
/* With a printf-style explanation, for property tests: seed and case. */
#define CHECK_MSG(COND, ...)                                                 \
    do {                                                                     \
        if (!(COND)) {                                                       \
            print_error(__VA_ARGS__);                                        \
            print_error("\n");                                               \
            fail_msg("%s", #COND);                                           \
        }                                                                    \
    } while (0)

#endif
