/* A store's file: made whole, recognised, read with suspicion.
 *
 * A file is one of ours when its header carries our application id, its schema
 * is exactly what this program makes, SQLite's quick_check finds nothing, each
 * row has its checksum and all rows together have the one that the last commit
 * wrote.  Anything else is `damaged`: not an error, but a reason to begin anew.
 *
 * SQLite's messages become errno values here, and nowhere else. */
#ifndef WEFT_STORE_SQLITE_FILE_H
#define WEFT_STORE_SQLITE_FILE_H

#include <sqlite3.h>

#include "lib/str.h"
#include "store/image.h"

/* What the rows add up to; written with each commit. */
struct sqlite_total {
    uint64_t revision;
    uint64_t n_entries;
    uint64_t sum;                 /* of the entries' sums, modulo 2^64 */
};

/* Never 0, which says that there is no row. */
uint64_t sqlite_row_sum(const char *key, const void *value, size_t size,
                        uint64_t version);

/* Of a result code; `db` may be NULL.  -EUCLEAN: the file is damaged. */
int sqlite_errno(sqlite3 *db, int code);
/* A statement that returns no rows, to its end. */
int sqlite_exec(sqlite3 *db, const char *sql, struct str *error);

/* Locks `<path>.lock`, so that no other store has this path.  Returns the
 * descriptor that holds the lock, or -EBUSY. */
int sqlite_file_lock(const char *path, struct str *error);

/* A new file with what `image` shows, in its place in one step. */
int sqlite_file_create(const char *path, struct image *,
                       const struct sqlite_total *, struct str *error);
/* Opens a file that is there, for this process alone.  -EUCLEAN: `error` says
 * why it is none of ours, or no longer. */
int sqlite_file_open(const char *path, sqlite3 **, struct str *error);
/* Fills an empty image. */
int sqlite_file_load(sqlite3 *, struct image *, struct sqlite_total *,
                     struct str *error);
/* Moves the file away, with the log that belongs to it; `to` says where. */
int sqlite_file_set_aside(const char *path, struct str *to,
                          struct str *error);

#endif
