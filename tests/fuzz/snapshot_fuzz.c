/* What a process left of its connections, by whoever wrote it.
 *
 * The input is records; it gets a header and the right hash.  Whatever is loaded is
 * in order: it can be listed, saved, loaded again, and ended, and nothing is left.
 *
 * Covers: src/conntrack/snapshot.c */
#include <stdlib.h>
#include <xxhash.h>

#include "conntrack/conntrack.h"
#include "lib/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORD = 160 };

static void
require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static int
add_bytes(void *to, const void *bytes, size_t len)
{
    str_add_bytes(to, bytes, len);
    return 0;
}

static bool
count(void *n, const struct ct_info *info)
{
    require(info->state && (info->original.family == 4
                            || info->original.family == 6));
    (*(uint32_t *) n)++;
    return true;
}

static void
frame(struct str *file, const uint8_t *data, size_t size)
{
    static const uint8_t head[16] = "weft-ct\n\0\0\0\1\0\0\0\240";
    static const uint8_t zeros[RECORD];
    be64 hash;

    str_add_bytes(file, head, sizeof head);
    str_add_bytes(file, data, size / RECORD * RECORD);
    str_add_bytes(file, zeros, sizeof zeros);
    hash = htobe64(XXH3_64bits(file->text, file->len));
    str_add_bytes(file, &hash, sizeof hash);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conntrack *ct, *other;      /* takes long to make */
    struct str file = STR_INIT, again = STR_INIT;
    uint32_t n = 0, n_seen = 0, n_again = 0;

    if (!ct) {
        struct ct_config config = { .max_connections = 1024, .hash_seed = 1,
                                    .zone_limit = 100 };

        ct = conntrack_create(&config);
        other = conntrack_create(&config);
    }
    require(conntrack_load(ct, 0, data, size, 0, 1000, &n) == -EBADMSG);
    frame(&file, data, size);
    require(!conntrack_load(ct, 0, file.text, file.len, 0, 1000, &n));
    conntrack_visit(ct, 1000, count, &n_seen);
    require(n == n_seen && n == conntrack_count(ct));
    require(!conntrack_save(ct, size & 1, 1000, add_bytes, &again));
    require(!conntrack_load(other, 0, again.text, again.len, 0, 1000,
                            &n_again));
    require(n == n_again);
    conntrack_flush(ct, 0, 0, NULL, NULL);
    conntrack_flush(other, 0, 0, NULL, NULL);
    require(!conntrack_count(ct) && !conntrack_n_mappings(ct));
    require(!conntrack_count(other) && !conntrack_n_mappings(other));
    str_fini(&file);
    str_fini(&again);
    return 0;
}
