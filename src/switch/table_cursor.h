/* Lists of flow entries, by and by: a list of a million holds nobody up.
 *
 *     collect   looks at so many entries a time, chooses, and keeps what is
 *               needed to bring them into order, until all were looked at
 *     next      hands the chosen out, in order of table, falling priority, then
 *               age
 *
 * An entry that is there from the first collect to its turn is listed once.  One
 * that comes or goes meanwhile may be listed or not; one that is modified is
 * shown as it is at its turn.
 *
 * What is kept is 16 bytes an entry.  The writer's. */
#ifndef WEFT_SWITCH_TABLE_CURSOR_H
#define WEFT_SWITCH_TABLE_CURSOR_H

#include "switch/tables.h"

struct table_cursor;

/* As tables_visit(); `match` (NULL: any) is copied. */
struct table_cursor *table_cursor_create(const struct tables *, uint8_t table,
                                         const struct match *);
void table_cursor_destroy(struct table_cursor *);

/* Looks at up to `budget` entries, and calls `choose` for those of that table
 * that match; it returns whether to keep them for the list.  True: all were
 * looked at. */
bool table_cursor_collect(struct table_cursor *, uint32_t budget,
                          flow_entry_visit *choose, void *aux);

/* The next one chosen, when all is collected.  NULL: the list is at its end, or
 * `*budget`, which counts down, is used up. */
const struct flow_entry *table_cursor_next(struct table_cursor *,
                                           uint32_t *budget);
bool table_cursor_is_done(const struct table_cursor *);

#endif
