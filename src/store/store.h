/* The store: where what was asked for, and what was promised, is kept.
 *
 * Keys are text in a few levels (`network/blue`, `lease/blue/10.1.0.5`), values
 * are bytes that the store does not read.  Each key has a version: the store's
 * revision when it was last written; revisions only grow, over restarts too.
 *
 *     store_get, STORE_FOR_EACH       what is durable, from memory, at once
 *     store_txn_*, store_commit       puts and deletes, all or none, each on
 *                                     condition of a version if one is given
 *     store_watch                     what was changed, in order
 *
 * A commit is slow and a group of commits costs about as much as one, so they
 * are grouped: what is asked for while a group is being written waits for the
 * next one.  Writing happens on libuv's pool:
 *
 *     store_commit -> queue -> group: versions checked, in order
 *                                |         engine, on the pool: one transaction
 *                                v
 *     per transaction, in order: memory changed, watches called, done() called
 *
 * Always true:
 *   - done() is called exactly once for each store_commit() that returned 0,
 *     from the loop, never from within store_commit(), in the order of the
 *     requests; with err 0 only when the change is as durable as was asked.
 *   - What store_get() and the watches show was durable when they showed it.
 *   - A conflict is its own transaction's affair: neighbours in the group do
 *     not notice.  A failed write fails the whole group, and changes nothing.
 *   - Whatever lies at `path`, store_open() does not fail for its content.  A
 *     file that is damaged, half-written, newer than this program or no store
 *     of ours is moved to `<path>.damaged-<time>`, said in the log and to
 *     set_aside(), and a new store begins.  Each row and the whole carry
 *     checksums: what loads is what was written.  (A damaged write-ahead log
 *     reads as the store at an earlier commit, as after a power cut.)
 *   - A file that is found damaged while in use is replaced by one written
 *     from memory: nothing is lost.
 *   - A store that cannot be opened (in use, read-only, no space) is an error
 *     with a text, and the file is left alone.  Whether to go on without is the
 *     caller's decision, who then opens one with no path.  There is no silent
 *     change to memory: while a disk is full, commits fail and reads go on.
 *
 * All of it lives in memory beside the file: some hundred bytes for a lease,
 * and at most STORE_MAX_BYTES.  The directory must exist and be writable for
 * the process that opens the store (main, user weft); the files are its own,
 * mode 0600.  `<path>.lock` is locked while the store is open.
 *
 * One thread, the loop's.  An engine (store_class.h) keeps the bytes: sqlite.c
 * in a file, memory.c nowhere. */
#ifndef WEFT_STORE_STORE_H
#define WEFT_STORE_STORE_H

#include <uv.h>

#include "lib/str.h"
#include "lib/types.h"

enum {
    STORE_KEY_MAX = 255,                  /* bytes; printable ASCII, no blank */
    STORE_VALUE_MAX = 256 * 1024,
    STORE_TXN_MAX = 100000,               /* operations in one transaction */
    STORE_MAX_PENDING = 65536,            /* transactions that wait */
    STORE_MAX_PENDING_BYTES = 64 << 20,
    STORE_MAX_BYTES = 512 << 20,          /* keys and values, all of them */
};

struct store;
struct store_txn;
struct store_watch;

enum store_durability {
    STORE_PROCESS,                /* survives the death of this process */
    STORE_DISK,                   /* ... and of the machine's power */
};

struct store_options {
    uv_loop_t *loop;
    const char *path;             /* NULL: in memory only */
    /* A file was moved to `to`; may be NULL.  From store_open() or the loop. */
    void (*set_aside)(const char *to, const char *reason, void *aux);
    void *aux;
};

/* Reads everything; blocks.  Errors: -EBUSY (in use), -EROFS, -EACCES, -ENOSPC,
 * -EIO, -ENOENT (no directory), ... with a text. */
int store_open(const struct store_options *, struct store **,
               struct str *error);
/* Commits what waits, then closes; `closed` (may be NULL) is called from the
 * loop when the store is gone.  No new transactions or watches from now on. */
void store_close(struct store *, void (*closed)(void *aux), void *aux);

/* What is there.  Good until the caller returns to the loop. */
struct store_entry {
    const char *key;
    const void *value;
    size_t value_size;
    uint64_t version;
};

/* NULL: not there. */
const struct store_entry *store_get(const struct store *, const char *key);
/* Those whose key begins with `prefix`, in order of bytes.  NULL begins. */
const struct store_entry *store_next(const struct store *, const char *prefix,
                                     const struct store_entry *);
#define STORE_FOR_EACH(E, STORE, PREFIX)                                     \
    for (const struct store_entry *E = NULL;                                 \
         (E = store_next(STORE, PREFIX, E));)
/* The newest version there is; 0: nothing was ever written. */
uint64_t store_revision(const struct store *);

/* Changes. */

#define STORE_ANY UINT64_MAX      /* whatever version it has, if any */
#define STORE_ABSENT UINT64_C(0)  /* only if it is not there */

struct store_result {
    int err;                      /* -ESTALE: a version was another;
                                     -EINVAL: a key; -E2BIG: too large */
    const char *text;             /* what went wrong, in words */
    const char *key;              /* ... with which key, or NULL */
    uint64_t version;             /* of all that was put; no err */
};
typedef void store_done(const struct store_result *, void *aux);

struct store_txn *store_txn_create(enum store_durability);
/* Only one that is not committed; accepts NULL. */
void store_txn_destroy(struct store_txn *);
/* Copies.  A key occurs once in a transaction. */
void store_txn_put(struct store_txn *, const char *key, const void *value,
                   size_t value_size, uint64_t if_version);
/* Of a key that is not there: nothing, unless a version is asked for. */
void store_txn_delete(struct store_txn *, const char *key,
                      uint64_t if_version);
/* Takes the transaction, also when it fails.  `done` may be NULL.  -ENOBUFS:
 * too many wait; -ESHUTDOWN: the store is being closed; then done() is not
 * called. */
int store_commit(struct store *, struct store_txn *, store_done *, void *aux);

struct store_change {
    const char *key;
    const struct store_entry *entry;      /* NULL: it was deleted */
    uint64_t version;                     /* of the change */
};
typedef void store_changed(const struct store_change *, void *aux);

/* Calls for each change of a key that begins with `prefix`, in order of
 * versions.  A callback may read, commit, and end any watch. */
struct store_watch *store_watch(struct store *, const char *prefix,
                                store_changed *, void *aux);
void store_unwatch(struct store_watch *);

struct store_counters {
    uint64_t n_commits;           /* transactions that changed something */
    uint64_t n_conflicts;
    uint64_t n_refused;           /* a bad key, too large, too many waiting */
    uint64_t n_failed;            /* could not be written */
    uint64_t n_groups;            /* what the engine was asked to write */
    uint64_t n_set_aside;
    uint64_t n_entries, n_bytes;  /* now */
};
struct store_counters store_get_counters(const struct store *);

#endif
