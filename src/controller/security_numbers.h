/* What security groups need numbers for: a zone of the connection tracker for
 * each port that has some, and a number for each class of ports that have the
 * same (topology.h).  Both stay over restarts.
 *
 * A zone that a port gets anew may have been another's: it is flushed first. */
#ifndef WEFT_CONTROLLER_SECURITY_NUMBERS_H
#define WEFT_CONTROLLER_SECURITY_NUMBERS_H

#include "controller/numbers.h"
#include "store/store.h"

struct security_numbers;

/* The store is borrowed; NULL: numbers are kept as long as we live. */
struct security_numbers *security_numbers_create(struct store *);
/* Accepts NULL. */
void security_numbers_destroy(struct security_numbers *);

struct numbers *security_numbers_zones(struct security_numbers *);
struct numbers *security_numbers_classes(struct security_numbers *);
/* Writes what changed: after each set of intents. */
void security_numbers_commit(struct security_numbers *);
/* One of the zones to be flushed, each once; 0: no more. */
uint16_t security_numbers_next_fresh(struct security_numbers *);

#endif
