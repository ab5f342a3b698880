/* A file that keeps connections from one process to the next.
 *
 * It is written aside and renamed, so that it is whole or not there; a file that is
 * read is removed, so that no start reads what an earlier one has read; and one that
 * is damaged is set aside for who wants to see it.  How long nobody tracked is the
 * time since it was written.
 *
 * conntrack_save() and conntrack_load() say which threads may call. */
#ifndef WEFT_SWITCH_CONNECTION_FILE_H
#define WEFT_SWITCH_CONNECTION_FILE_H

#include "conntrack/conntrack.h"

/* `goes_on`: as for conntrack_save().  Stops with -ECANCELED when `*is_over` (may be
 * NULL) comes true.  Returns 0 or a negative errno; the file is the old one then. */
int connection_file_save(struct conntrack *, const char *path, bool goes_on,
                         const _Atomic bool *is_over, msec now);

/* Returns 0 and how many connections were in it that still have time left, -ENOENT:
 * there is no file, -EBADMSG: it is damaged, and now called path.damaged, or another
 * negative errno. */
int connection_file_load(struct conntrack *, unsigned int slot,
                         const char *path, msec now, uint32_t *n);

#endif
