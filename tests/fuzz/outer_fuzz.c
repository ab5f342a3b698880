/* Frames that may be a tunnel's, from outside: what is read of one lies within
 * it, and written again it is read the same.
 *
 * Covers: src/packet/outer.c */
#include <stdlib.h>
#include <string.h>

#include "packet/address.h"
#include "packet/outer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void
check_same(const struct outer *a, const struct outer *b)
{
    require(eth_addr_eq(a->eth_dst, b->eth_dst)
            && eth_addr_eq(a->eth_src, b->eth_src)
            && ip6_addr_eq(a->src, b->src) && ip6_addr_eq(a->dst, b->dst)
            && a->proto == b->proto && a->tos == b->tos && a->ttl == b->ttl
            && a->df == b->df && a->id == b->id && a->label == b->label
            && a->src_port == b->src_port && a->dst_port == b->dst_port
            && a->has_csum == b->has_csum && a->len == b->len
            && a->ofs == b->ofs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packet frame = { .len = (uint32_t) size }, again = { .len = 0 };
    struct outer outer, read;
    uint8_t *copy;

    if (size > UINT16_MAX) {
        return 0;
    }
    copy = malloc(size + OUTER_MAX_LEN);
    frame.data = frame.buf = memcpy(malloc(size + 1), data, size);
    if (outer_parse(&frame, &outer)) {
        require(outer.ofs + outer.len <= frame.len
                && outer_len(&outer) == outer.ofs);
        outer_is_intact(&frame, &outer);
        memcpy(copy + OUTER_MAX_LEN, frame.data + outer.ofs, outer.len);
        again.buf = copy;
        again.data = copy + OUTER_MAX_LEN;
        again.len = outer.len;
        outer_push(&outer, &again);
        require(outer_parse(&again, &read)
                && outer_is_intact(&again, &read));
        check_same(&outer, &read);
    }
    free(frame.buf);
    free(copy);
    return 0;
}
