#include "switch/priority_counts.h"

#include <stdlib.h>

#include "lib/str.h"

enum { PAGE_PRIORITIES = 256, N_PAGES = 65536 / PAGE_PRIORITIES };

/* Which of 256 are not zero. */
struct used {
    uint64_t words[4];
};

struct priority_page {
    struct used used;
    uint32_t counts[PAGE_PRIORITIES];
};

struct priority_pages {
    struct used used;
    struct priority_page *pages[N_PAGES];
};

static void
use(struct used *used, unsigned int i)
{
    used->words[i / 64] |= UINT64_C(1) << i % 64;
}

static void
unuse(struct used *used, unsigned int i)
{
    used->words[i / 64] &= ~(UINT64_C(1) << i % 64);
}

/* Or -1. */
static int
last_used(const struct used *used)
{
    for (int i = 3; i >= 0; i--) {
        if (used->words[i]) {
            return i * 64 + 63 - __builtin_clzll(used->words[i]);
        }
    }
    return -1;
}

static void
pages_add(struct priority_counts *counts, uint16_t priority, uint32_t n)
{
    struct priority_pages *pages = counts->pages;
    unsigned int high = priority / PAGE_PRIORITIES;
    unsigned int low = priority % PAGE_PRIORITIES;

    if (!pages->pages[high]) {
        pages->pages[high] = xzalloc(sizeof *pages->pages[high]);
        counts->memory += sizeof *pages->pages[high];
        use(&pages->used, high);
    }
    use(&pages->pages[high]->used, low);
    pages->pages[high]->counts[low] += n;
}

static void
pages_remove(struct priority_counts *counts, uint16_t priority)
{
    struct priority_pages *pages = counts->pages;
    unsigned int high = priority / PAGE_PRIORITIES;
    unsigned int low = priority % PAGE_PRIORITIES;
    struct priority_page *page = pages->pages[high];

    if (--page->counts[low]) {
        return;
    }
    unuse(&page->used, low);
    if (last_used(&page->used) < 0) {
        free(page);
        counts->memory -= sizeof *page;
        pages->pages[high] = NULL;
        unuse(&pages->used, high);
    }
}

void
priority_counts_add(struct priority_counts *counts, uint16_t priority)
{
    if (!counts->n) {
        counts->highest = priority;
    } else if (!counts->pages && priority != counts->highest) {
        counts->pages = xzalloc(sizeof *counts->pages);
        counts->memory += sizeof *counts->pages;
        pages_add(counts, counts->highest, counts->n);
    }
    if (counts->pages) {
        pages_add(counts, priority, 1);
        counts->highest = MAX(counts->highest, priority);
    }
    counts->n++;
}

void
priority_counts_remove(struct priority_counts *counts, uint16_t priority)
{
    int high;

    counts->n--;
    if (!counts->pages) {
        return;
    }
    pages_remove(counts, priority);
    high = last_used(&counts->pages->used);
    if (high >= 0) {
        counts->highest = (uint16_t) (high * PAGE_PRIORITIES
            + last_used(&counts->pages->pages[high]->used));
    } else {
        free(counts->pages);
        counts->pages = NULL;
        counts->memory = 0;
    }
}
