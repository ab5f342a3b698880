/* Snoops: what OpenFlow sessions say, as lines of JSON, live.
 *
 * One line a message; a reader that is too slow loses whole lines, and a line
 * {"lost": N} says how many.  Messages are decoded only while somebody looks. */
#ifndef WEFT_API_SNOOP_H
#define WEFT_API_SNOOP_H

#include "api/stream.h"
#include "switch/switch.h"

enum { SNOOPS_MAX = 8 };

struct snoops;

struct snoops *snoops_create(struct connections *);
/* Every snoop must be closed. */
void snoops_destroy(struct snoops *);

/* -ENOSPC: there are SNOOPS_MAX. */
int snoops_begin(struct snoops *, struct stream **);
void snoops_end_all(struct snoops *);
/* As stream_run(), for all.  False: there is none left. */
bool snoops_run(struct snoops *, void (*wake)(void *reader));

#endif
