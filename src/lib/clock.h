/* The monotonic clock.
 *
 * Library code never reads it: time is a parameter.  Only event loops, workers
 * and programs call these. */
#ifndef WEFT_LIB_CLOCK_H
#define WEFT_LIB_CLOCK_H

#include <time.h>

#include "lib/types.h"

static inline nsec
clock_nsec(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (nsec) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline usec
clock_usec(void)
{
    return clock_nsec() / 1000;
}

static inline msec
clock_msec(void)
{
    return clock_nsec() / 1000000;
}

/* What the calling thread has had of a processor.  A system call. */
static inline nsec
clock_thread_nsec(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (nsec) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#endif
