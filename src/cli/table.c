#include "cli/table.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct table {
    struct libscols_table *scols;
    struct libscols_line *line;
    size_t n_columns, n_cells;    /* cells in the current line */
};

static void
check(int err)
{
    /* libsmartcols fails for want of memory only. */
    if (err) {
        fputs("weft: out of memory\n", stderr);
        abort();
    }
}

struct table *
table_create(void)
{
    struct table *table = xzalloc(sizeof *table);

    table->scols = scols_new_table();
    check(!table->scols);
    return table;
}

void
table_destroy(struct table *table)
{
    if (table) {
        scols_unref_table(table->scols);
        free(table);
    }
}

void
table_add_column(struct table *table, const char *head, unsigned int flags)
{
    int scols = (flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0)
                | (flags & COLUMN_CUT ? SCOLS_FL_TRUNC : 0);

    check(!scols_table_new_column(table->scols, head, 0, scols));
    table->n_columns++;
}

void
table_add_text(struct table *table, const char *text)
{
    if (table->n_cells % table->n_columns == 0) {
        table->line = scols_table_new_line(table->scols, NULL);
        check(!table->line);
        table->n_cells = 0;
    }
    check(scols_line_set_data(table->line, table->n_cells++, text));
}

void
table_addf(struct table *table, const char *format, ...)
{
    struct str text = STR_INIT;
    va_list args;

    va_start(args, format);
    str_addv(&text, format, args);
    va_end(args);
    table_add_text(table, str_text(&text));
    str_fini(&text);
}

void
json_format(const json_t *json, struct str *text)
{
    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_STRING:
        str_add(text, json_string_value(json));
        break;
    case JSON_INTEGER:
        str_addf(text, "%lld", (long long) json_integer_value(json));
        break;
    case JSON_REAL:
        str_addf(text, "%.3f", json_real_value(json));
        break;
    case JSON_TRUE:
        str_add(text, "yes");
        break;
    case JSON_FALSE:
        str_add(text, "no");
        break;
    default:
        break;
    }
    if (!text->len) {
        str_add(text, "-");
    }
}

void
table_add_json(struct table *table, const json_t *object, const char *name)
{
    struct str text = STR_INIT;

    json_format(json_object_get(object, name), &text);
    table_add_text(table, str_text(&text));
    str_fini(&text);
}

void
port_number_format(const json_t *number, struct str *text)
{
    if (json_integer_value(number) == CLI_PORT_LOCAL) {
        str_add(text, "LOCAL");
    } else {
        json_format(number, text);
    }
}

void
table_add_port(struct table *table, const json_t *object, const char *name)
{
    struct str text = STR_INIT;

    port_number_format(json_object_get(object, name), &text);
    table_add_text(table, str_text(&text));
    str_fini(&text);
}

void
seconds_format(double seconds, struct str *text)
{
    unsigned long long s = seconds > 0 ? (unsigned long long) seconds : 0;

    if (seconds < 60) {
        str_addf(text, "%.1fs", seconds);
    } else if (s < 3600) {
        str_addf(text, "%llum%02llus", s / 60, s % 60);
    } else if (s < 86400) {
        str_addf(text, "%lluh%02llum", s / 3600, s / 60 % 60);
    } else {
        str_addf(text, "%llud%02lluh", s / 86400, s / 3600 % 24);
    }
}

void
table_add_seconds(struct table *table, double seconds)
{
    struct str text = STR_INIT;

    seconds_format(seconds, &text);
    table_add_text(table, str_text(&text));
    str_fini(&text);
}

static void
embolden_head(struct libscols_table *scols)
{
    struct libscols_iter *iter = scols_new_iter(SCOLS_ITER_FORWARD);
    struct libscols_column *column;

    check(!iter);
    while (!scols_table_next_column(scols, iter, &column)) {
        scols_cell_set_color(scols_column_get_header(column), "bold");
    }
    scols_free_iter(iter);
}

void
table_print(struct table *table)
{
    if (isatty(STDOUT_FILENO)) {
        check(scols_table_enable_colors(table->scols, 1));
        embolden_head(table->scols);
    } else {
        /* A pipe has no width: nothing is cut. */
        check(scols_table_set_termforce(table->scols,
                                        SCOLS_TERMFORCE_NEVER));
    }
    check(scols_print_table(table->scols) < 0);
}
