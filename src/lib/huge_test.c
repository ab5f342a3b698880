#include "lib/huge.h"

#include <stdbool.h>
#include <string.h>

#include "unit.h"

static bool
are_zeros(const unsigned char *p, size_t n)
{
    return !p[0] && !memcmp(p, p + 1, n - 1);
}

TEST(it_is_zero_aligned_and_given_back_whole)
{
    static const size_t sizes[] = { 1, 4096, 5000, HUGE_PAGE - 1, HUGE_PAGE,
                                    HUGE_PAGE + 1, 5 * HUGE_PAGE + 12345 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *p = huge_zalloc(sizes[i]);

        CHECK((uintptr_t) p % (sizes[i] < HUGE_PAGE ? 4096 : HUGE_PAGE) == 0);
        CHECK(sizes[i] == 1 || are_zeros(p, sizes[i]));
        memset(p, 1, sizes[i]);
        huge_free(p, sizes[i]);
    }
    huge_free(NULL, 1);
}

TESTS(
    RUN(it_is_zero_aligned_and_given_back_whole),
)
