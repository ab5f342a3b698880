/* Egress tables (1.5.1 section 5.1): the tables from a certain one on do not
 * see what comes in, but what is about to leave by a port.
 *
 * There are none until a controller says which is the first; then
 *
 *   - goto_table leads from the tables before it to those before it only, and
 *     packets start in the first egress table once an output port is known;
 *   - an action set begins there as the output to that port, which
 *     write_actions cannot change: neither output nor group.
 *
 * What tables hold always agrees with that: entries are refused that do not,
 * and so is a first egress table that entries forbid. */
#ifndef WEFT_SWITCH_EGRESS_H
#define WEFT_SWITCH_EGRESS_H

#include "switch/tables.h"

/* As the first egress table: there are none. */
enum { NO_EGRESS = N_TABLES };

/* Which table is the first, by version: readers of the one before the change
 * see what was. */
struct egress_first {
    _Atomic uint64_t packed;      /* version << 16 | before << 8 | now */
};

void egress_first_init(struct egress_first *);

/* May the instructions stand in `table` when egress begins at `first`? */
enum of_error egress_check(unsigned int first, uint8_t table,
                           const struct instructions *, struct str *why);

#endif
