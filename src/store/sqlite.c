/* The engine that keeps everything in one SQLite file.
 *
 * SQLite is the log and the recovery; nothing is read back from it while the
 * store is open.  synchronous = NORMAL gives what survives our death, FULL what
 * survives a power cut: one fsync for a group. */
#include <stdlib.h>
#include <unistd.h>

#include "store/sqlite_file.h"
#include "store/store_class.h"

struct sqlite {
    struct store_engine engine;
    char *path;
    int lock_fd;
    sqlite3 *db;                  /* NULL: it failed us, to be opened again */
    sqlite3_stmt *put, *delete, *total;
    struct sqlite_total kept;     /* after the last commit */
    int durability;               /* of the connection; -1: not set yet */
};

static struct sqlite *
sqlite_cast(struct store_engine *engine)
{
    return CONTAINER_OF(engine, struct sqlite, engine);
}

static void
disconnect(struct sqlite *s)
{
    sqlite3_finalize(s->put);
    sqlite3_finalize(s->delete);
    sqlite3_finalize(s->total);
    s->put = s->delete = s->total = NULL;
    sqlite3_close(s->db);
    s->db = NULL;
    s->durability = -1;
}

static int
prepare(struct sqlite *s, struct str *error)
{
    const struct {
        const char *sql;
        sqlite3_stmt **stmt;
    } statements[] = {
        { "INSERT OR REPLACE INTO entry VALUES(?1, ?2, ?3, ?4)", &s->put },
        { "DELETE FROM entry WHERE key = ?1", &s->delete },
        { "UPDATE total SET revision = ?1, n_entries = ?2, sum = ?3",
          &s->total },
    };

    for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
        int code = sqlite3_prepare_v3(s->db, statements[i].sql, -1,
                                      SQLITE_PREPARE_PERSISTENT,
                                      statements[i].stmt, NULL);

        if (code) {
            str_setf(error, "%s", sqlite3_errmsg(s->db));
            return sqlite_errno(s->db, code);
        }
    }
    return 0;
}

static int
connect_file(struct sqlite *s, struct str *error)
{
    int err = sqlite_file_open(s->path, &s->db, error);

    if (err) {
        s->db = NULL;
        return err;
    }
    err = prepare(s, error);
    if (err) {
        disconnect(s);
    }
    return err;
}

/* The file is of no use: `reason` says why.  A new one gets what the image
 * shows. */
static int
begin_anew(struct sqlite *s, const char *reason, struct str *error)
{
    struct store_engine *e = &s->engine;
    struct str to = STR_INIT;
    int err;

    str_setf(&e->set_aside_reason, "%s", reason);
    disconnect(s);
    err = sqlite_file_set_aside(s->path, &to, error);
    str_setf(&e->set_aside, "%s", str_text(&to));
    str_fini(&to);
    /* Somebody may have removed it; there is nothing to keep then. */
    if (err && err != -ENOENT) {
        return err;
    }
    err = sqlite_file_create(s->path, e->image, &s->kept, error);
    return err ? err : connect_file(s, error);
}

/* --- Opening ------------------------------------------------------------ */

static int
read_file(struct sqlite *s, struct str *error)
{
    int err = connect_file(s, error);

    if (!err) {
        err = sqlite_file_load(s->db, s->engine.image, &s->kept, error);
    }
    if (err) {
        disconnect(s);
        image_fini(s->engine.image);
        s->kept = (struct sqlite_total) { 0 };
    }
    return err;
}

static int
open_file(struct sqlite *s, struct str *error)
{
    struct str reason = STR_INIT;
    int err;

    if (access(s->path, F_OK) && errno == ENOENT) {
        err = sqlite_file_create(s->path, s->engine.image, &s->kept, error);
        return err ? err : connect_file(s, error);
    }
    err = read_file(s, &reason);
    if (err == -EUCLEAN) {
        err = begin_anew(s, str_text(&reason), error);
    } else if (err) {
        str_setf(error, "%s: %s", s->path, str_text(&reason));
    }
    str_fini(&reason);
    return err;
}

static void
free_engine(struct sqlite *s)
{
    disconnect(s);
    if (s->lock_fd >= 0) {
        close(s->lock_fd);
    }
    store_engine_fini(&s->engine);
    free(s->path);
    free(s);
}

static int
sqlite_open(const char *path, struct image *image,
            struct store_engine **result, struct str *error)
{
    struct sqlite *s = xzalloc(sizeof *s);
    int err;

    store_engine_init(&s->engine, &store_sqlite, image);
    s->path = xstrdup(path);
    s->durability = -1;
    s->lock_fd = sqlite_file_lock(path, error);
    err = s->lock_fd < 0 ? s->lock_fd : open_file(s, error);
    if (err) {
        free_engine(s);
        return err;
    }
    s->engine.revision = s->kept.revision;
    *result = &s->engine;
    return 0;
}

static void
sqlite_close(struct store_engine *engine)
{
    free_engine(sqlite_cast(engine));
}

/* --- Committing --------------------------------------------------------- */

static int
run(sqlite3_stmt *stmt)
{
    sqlite3_step(stmt);
    return sqlite3_reset(stmt);
}

/* Writes one operation; `total` follows. */
static int
write_op(struct sqlite *s, const struct store_op *op, uint64_t version,
         struct sqlite_total *total)
{
    struct image_entry *e = op->entry;

    total->n_entries -= e->sum != 0;
    total->sum -= e->sum;
    if (!op->value) {
        e->sum = 0;
        sqlite3_bind_text(s->delete, 1, op->key, -1, SQLITE_STATIC);
        return run(s->delete);
    }
    e->sum = sqlite_row_sum(op->key, op->value, op->value_size, version);
    total->n_entries++;
    total->sum += e->sum;
    sqlite3_bind_text(s->put, 1, op->key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s->put, 2, (int64_t) version);
    sqlite3_bind_blob(s->put, 3, op->value, (int) op->value_size,
                      SQLITE_STATIC);
    sqlite3_bind_int64(s->put, 4, (int64_t) e->sum);
    return run(s->put);
}

static int
write_group(struct sqlite *s, const struct store_group *group,
            struct sqlite_total *total)
{
    int code = SQLITE_OK;

    STORE_GROUP_FOR_EACH (txn, group) {
        txn->version = ++total->revision;
        for (size_t i = 0; !code && i < txn->n_ops; i++) {
            code = write_op(s, &txn->ops[i], txn->version, total);
        }
    }
    if (!code) {
        sqlite3_bind_int64(s->total, 1, (int64_t) total->revision);
        sqlite3_bind_int64(s->total, 2, (int64_t) total->n_entries);
        sqlite3_bind_int64(s->total, 3, (int64_t) total->sum);
        code = run(s->total);
    }
    return code;
}

/* After a failure: the rows are again those of what the image shows. */
static void
restore_sums(const struct store_group *group)
{
    STORE_GROUP_FOR_EACH (txn, group) {
        for (size_t i = 0; i < txn->n_ops; i++) {
            struct image_entry *e = txn->ops[i].entry;
            const struct store_entry *row = &e->shown;

            e->sum = row->version
                     ? sqlite_row_sum(row->key, row->value, row->value_size,
                                      row->version)
                     : 0;
        }
    }
}

static int
set_durability(struct sqlite *s, enum store_durability durability,
               struct str *error)
{
    int err;

    if (s->durability == (int) durability) {
        return 0;
    }
    err = sqlite_exec(s->db, durability == STORE_DISK
                      ? "PRAGMA synchronous = FULL"
                      : "PRAGMA synchronous = NORMAL", error);
    s->durability = err ? -1 : (int) durability;
    return err;
}

static int
try_commit(struct sqlite *s, const struct store_group *group,
           struct str *error)
{
    struct sqlite_total total = s->kept;
    int code, err;

    err = set_durability(s, group->durability, error);
    err = err ? err : sqlite_exec(s->db, "BEGIN IMMEDIATE", error);
    if (err) {
        return err;
    }
    code = write_group(s, group, &total);
    if (!code) {
        code = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    }
    if (code) {
        str_setf(error, "%s", sqlite3_errmsg(s->db));
        err = sqlite_errno(s->db, code);
        restore_sums(group);
        /* SQLite may have done so itself. */
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        return err;
    }
    s->kept = total;
    s->engine.revision = total.revision;
    return 0;
}

static int
sqlite_commit(struct store_engine *engine, const struct store_group *group)
{
    struct sqlite *s = sqlite_cast(engine);
    struct str reason = STR_INIT;
    int err;

    if (s->db) {
        err = try_commit(s, group, &reason);
    } else {
        str_setf(&reason, "it could not be opened again");
        err = -EUCLEAN;
    }
    if (err == -EUCLEAN) {
        err = begin_anew(s, str_text(&reason), &engine->error);
        err = err ? err : try_commit(s, group, &engine->error);
    } else if (err) {
        str_setf(&engine->error, "%s: %s", s->path, str_text(&reason));
    }
    str_fini(&reason);
    return err;
}

const struct store_class store_sqlite = {
    .open = sqlite_open,
    .commit = sqlite_commit,
    .close = sqlite_close,
};
