/* What comes back from another host: as bytes, and as what a path makes of it.
 *
 * Whatever is answered, and whichever sizes are lost, the sizes that are asked
 * for next lie within what is wanted, and what is said to pass did.
 *
 * Covers: src/service/path_frame.c src/service/path_probe.c */
#include <stdlib.h>

#include "service/path_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_frame(const uint8_t *data, size_t size)
{
    static uint8_t frame[ETH_HEADER_LEN + PATH_FRAME_MAX];
    struct path_frame f, again;
    size_t len;

    if (path_frame_decode(data, size, &f)) {
        return;
    }
    len = path_frame_encode(&f, frame);
    if (path_frame_decode(frame, len, &again) || again.kind != f.kind
        || again.size != f.size || again.token != f.token
        || again.index != f.index) {
        abort();
    }
}

/* Each bit of a byte pair: was this one answered? */
static void
run(struct path_probe *p, const uint8_t *data, size_t size)
{
    uint16_t sizes[PATH_MAX_ASKED], passed = 0;

    for (size_t at = 0; at + 2 <= size; at += 2) {
        unsigned int answers = data[at] | data[at + 1] << 8;
        unsigned int n = path_probe_begin(p, at, (usec) at * 1000, sizes);
        bool is_whole;

        if (n > PATH_MAX_ASKED) {
            abort();
        }
        for (unsigned int i = 0; i < n; i++) {
            struct path_frame f = { PATH_FRAME_ANSWER, sizes[i], at,
                                    (uint8_t) i };

            if (sizes[i] < PATH_FRAME_MIN || sizes[i] > p->wanted) {
                abort();
            }
            if (answers >> i & 1) {
                if (!path_probe_hear(p, &f, (usec) at * 1000 + 5)) {
                    abort();
                }
                passed = MAX(passed, sizes[i]);
            }
        }
        is_whole = path_probe_is_answered(p);
        path_probe_end(p);
        if (p->mtu > passed || (is_whole && path_probe_is_in_doubt(p))
            || path_probe_loss(p) > 100) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct path_probe p;
    struct path_frame f;

    check_frame(data, size);
    if (size < 2) {
        return 0;
    }
    path_probe_init(&p, (uint16_t) (data[0] << 8 | data[1]));
    if (!path_frame_decode(data, size, &f)) {
        path_probe_hear(&p, &f, 1);
    }
    run(&p, data + 2, size - 2);
    return 0;
}
