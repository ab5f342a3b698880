/* Scalars with a meaning, and the few macros that every file needs.
 *
 * A `be` type holds a value in network byte order; it is never used in
 * arithmetic.  Times: `nsec`, `usec` and `msec` are durations or readings of
 * the monotonic clock (lib/clock.h) in that unit. */
#ifndef WEFT_LIB_TYPES_H
#define WEFT_LIB_TYPES_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t be16;
typedef uint32_t be32;
typedef uint64_t be64;

typedef int64_t nsec;
typedef int64_t usec;
typedef int64_t msec;

#define ARRAY_SIZE(A) (sizeof(A) / sizeof((A)[0]))
#define CONTAINER_OF(PTR, TYPE, MEMBER) \
    ((TYPE *) (void *) ((char *) (PTR) - offsetof(TYPE, MEMBER)))
#ifndef MIN                     /* <sys/param.h> has the same two */
/* One of the two is evaluated twice: nothing that does something. */
#define MIN(A, B) ((A) < (B) ? (A) : (B))
#define MAX(A, B) ((A) > (B) ? (A) : (B))
#endif

#define LIKELY(X) __builtin_expect(!!(X), 1)
#define UNLIKELY(X) __builtin_expect(!!(X), 0)
#define UNUSED __attribute__((unused))
#define PRINTF_FORMAT(FMT, ARG) __attribute__((format(printf, FMT, ARG)))
#define CACHE_LINE 64

/* Unaligned access to wire bytes. */
static inline be16
get_be16(const void *p)
{
    be16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline be32
get_be32(const void *p)
{
    be32 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline be64
get_be64(const void *p)
{
    be64 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void
put_be16(void *p, be16 v)
{
    memcpy(p, &v, sizeof v);
}

static inline void
put_be32(void *p, be32 v)
{
    memcpy(p, &v, sizeof v);
}

struct eth_addr {
    uint8_t b[6];
};

struct ip6_addr {
    uint8_t b[16];
};

static inline bool
eth_addr_eq(struct eth_addr a, struct eth_addr b)
{
    return !memcmp(a.b, b.b, sizeof a.b);
}

static inline bool
eth_addr_is_group(struct eth_addr a)
{
    return a.b[0] & 1;
}

#endif
