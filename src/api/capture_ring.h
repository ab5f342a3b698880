/* A ring of byte records from many threads to one, without locks.
 *
 * Writers never wait: a record that does not fit is refused.  The reader frees
 * records in order. */
#ifndef WEFT_API_CAPTURE_RING_H
#define WEFT_API_CAPTURE_RING_H

#include <stdatomic.h>

#include "lib/types.h"

struct capture_ring;

/* `size` is a power of two and multiple of 4096. */
struct capture_ring *capture_ring_create(size_t size);
void capture_ring_destroy(struct capture_ring *);

/* Room for a record of `len` bytes, aligned to 8, or NULL when the ring is
 * full.  Any thread; the record becomes readable with commit. */
void *capture_ring_reserve(struct capture_ring *, uint32_t len);
void capture_ring_commit(void *record);

/* The oldest record, or NULL; it stays until it is freed. */
const void *capture_ring_first(struct capture_ring *, uint32_t *len);
void capture_ring_free_first(struct capture_ring *);

#endif
