/* Conjunctive matches: entries that match together.
 *
 * An entry whose action is conjunction(ID,K/N) is clause K of the conjunction
 * ID.  It is found by nobody; but where a packet matches entries of all N
 * clauses at one priority, the lookup is made again with conj_id=ID, among the
 * entries that are no clauses.  So N*M entries say what took N^M.
 *
 * An entry that is no clause and has a priority as high as the clauses' comes
 * first.  If several conjunctions are complete at one priority, that counts
 * which leads to the entry of highest priority, and then the lowest ID. */
#ifndef WEFT_SWITCH_CONJUNCTION_H
#define WEFT_SWITCH_CONJUNCTION_H

#include "switch/classifier.h"

/* As tables_lookup_conjunction() in tables.h. */
const struct entry *conjunction_lookup(const struct classifier *,
                                       uint64_t version, const struct flow *,
                                       struct flow_mask *wc,
                                       struct conjunction *);

#endif
