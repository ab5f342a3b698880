#include "lib/huge.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

static size_t
whole_pages(size_t size)
{
    enum { PAGE = 4096 };

    return (size + PAGE - 1) / PAGE * PAGE;
}

static void *
map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        abort();
    }
    return p;
}

void *
huge_zalloc(size_t size)
{
    size_t n = whole_pages(size);
    uintptr_t first, start, end;

    if (n < HUGE_PAGE) {
        return map(n);
    }
    first = (uintptr_t) map(n + HUGE_PAGE);
    start = (first + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    end = first + n + HUGE_PAGE;
    if (start > first) {
        munmap((void *) first, start - first);
    }
    if (end > start + n) {
        munmap((void *) (start + n), end - start - n);
    }
    madvise((void *) start, n, MADV_HUGEPAGE);
    return (void *) start;
}

void
huge_free(void *p, size_t size)
{
    if (p) {
        munmap(p, whole_pages(size));
    }
}
