/* How many entries a table has of one cookie, where somebody asks: learn's
 * limit.  Counted when the first who asks is added, then kept up.
 *
 * There are two answers: what the writer sees, and what became visible last.
 * The writer calls everything; any RCU reader may call cookie_counts_read(). */
#ifndef WEFT_SWITCH_COOKIE_COUNT_H
#define WEFT_SWITCH_COOKIE_COUNT_H

#include "lib/hash.h"

struct cookie_count;
struct cds_lfht;

struct cookie_counts {
    struct hash_key key;
    _Atomic(struct cds_lfht *) table;       /* NULL: nobody ever asked */
    struct cookie_count *changed;           /* since the last publish */
};

void cookie_counts_init(struct cookie_counts *, struct hash_key);
/* No reader is left. */
void cookie_counts_fini(struct cookie_counts *);

/* One more asks, or one less.  True: it is the first, and is to be told by
 * cookie_counts_set() how many there are. */
bool cookie_counts_ask(struct cookie_counts *, uint8_t table, be64 cookie);
void cookie_counts_set(struct cookie_counts *, uint8_t table, be64 cookie,
                       uint32_t n_newest, uint32_t n_visible);
void cookie_counts_unask(struct cookie_counts *, uint8_t table, be64 cookie);

/* An entry came (1) or went (-1), for the writer. */
void cookie_counts_add(struct cookie_counts *, uint8_t table, be64 cookie,
                       int n);
/* What the writer sees is visible. */
void cookie_counts_publish(struct cookie_counts *);

/* False: it is not counted. */
bool cookie_counts_read(const struct cookie_counts *, uint8_t table,
                        be64 cookie, bool is_newest, uint32_t *n);

#endif
