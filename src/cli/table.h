/* Tables of text for people: aligned columns, a bold head on a terminal, nothing
 * but the columns into a pipe. */
#ifndef WEFT_CLI_TABLE_H
#define WEFT_CLI_TABLE_H

#include <jansson.h>

#include "lib/str.h"

/* The number that OpenFlow gives the switch's own port. */
#define CLI_PORT_LOCAL 0xfffffffe

struct table;

enum column_flags {
    COLUMN_RIGHT = 1,             /* numbers */
    COLUMN_CUT = 2,               /* may be cut short to fit the terminal */
};

struct table *table_create(void);
void table_destroy(struct table *);
void table_add_column(struct table *, const char *head, unsigned int flags);
/* Cells are added from left to right; a row is full when it has one for each
 * column. */
void table_add_text(struct table *, const char *text);
void table_addf(struct table *, const char *format, ...) PRINTF_FORMAT(2, 3);
/* A member of a JSON object as people write it: numbers, texts, yes and no; "-"
 * for null and what is not there. */
void table_add_json(struct table *, const json_t *object, const char *name);
/* The same for a port's OpenFlow number, of which one is called LOCAL. */
void table_add_port(struct table *, const json_t *object, const char *name);
/* Seconds as "1.5s", "3m20s", "2h05m", "4d03h". */
void table_add_seconds(struct table *, double seconds);
/* On standard output. */
void table_print(struct table *);

/* One member as text. */
void json_format(const json_t *, struct str *);
void port_number_format(const json_t *, struct str *);
void seconds_format(double seconds, struct str *);

#endif
