#include "store/sqlite_file.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/hash.h"
#include "store/store_class.h"

enum {
    APPLICATION_ID = 0x57656674,  /* "Weft" */
    /* Of SQLite's file header. */
    HEADER_SIZE = 100,
    HEADER_WRITE_VERSION = 18,
    HEADER_READ_VERSION = 19,
    HEADER_USER_VERSION = 60,
    HEADER_APPLICATION_ID = 68,
    LOCK_PATIENCE = 500,          /* msec: somebody looks at it with sqlite3 */
};

/* Step i leads from schema version i to i + 1.  A new file takes all of them, a
 * file from an earlier program those that it lacks, in one transaction; no step
 * ever changes once it was released. */
static const char *const steps[] = {
    "CREATE TABLE entry(key TEXT PRIMARY KEY, version INTEGER NOT NULL,"
    " value BLOB NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE total(id INTEGER PRIMARY KEY, revision INTEGER NOT NULL,"
    " n_entries INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT;"
    "INSERT INTO total VALUES(1, 0, 0, 0);",
};

uint64_t
sqlite_row_sum(const char *key, const void *value, size_t size,
               uint64_t version)
{
    uint64_t of_key = hash_bytes((struct hash_key) { version }, key,
                                 strlen(key));
    uint64_t sum = hash_bytes((struct hash_key) { of_key }, value, size);

    return sum ? sum : 1;
}

int
sqlite_errno(sqlite3 *db, int code)
{
    int system = db ? sqlite3_system_errno(db) : 0;

    if (db) {
        code = sqlite3_extended_errcode(db);
    }
    if (code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS) {
        return -EUCLEAN;
    }
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_IOERR:
        return system > 0 ? -system : -EIO;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return system > 0 ? -system : -EACCES;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    /* A statement of ours does not fit what is in the file. */
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return -EUCLEAN;
    default:
        return -EIO;
    }
}

static int
fail(sqlite3 *db, int code, struct str *error)
{
    str_setf(error, "%s", sqlite3_errmsg(db));
    return sqlite_errno(db, code);
}

static int
damaged(struct str *error, const char *why)
{
    str_setf(error, "%s", why);
    return -EUCLEAN;
}

int
sqlite_exec(sqlite3 *db, const char *sql, struct str *error)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

    return code ? fail(db, code, error) : 0;
}

/* The first column of the statement's only row. */
static int
query_number(sqlite3 *db, const char *sql, int64_t *number,
             struct str *error)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (!code) {
        code = sqlite3_step(stmt);
    }
    if (code == SQLITE_ROW) {
        *number = sqlite3_column_int64(stmt, 0);
        code = SQLITE_OK;
    }
    code = code ? fail(db, code, error) : 0;
    sqlite3_finalize(stmt);
    return code;
}

/* --- Lock --------------------------------------------------------------- */

int
sqlite_file_lock(const char *path, struct str *error)
{
    struct str lock = STR_INIT;
    int err = 0, fd;

    str_addf(&lock, "%s.lock", path);
    fd = open(str_text(&lock), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
              0600);
    if (fd < 0) {
        err = -errno;
        str_setf(error, "%s: %s", str_text(&lock), strerror(-err));
    } else if (flock(fd, LOCK_EX | LOCK_NB)) {
        err = errno == EWOULDBLOCK ? -EBUSY : -errno;
        str_setf(error, err == -EBUSY
                 ? "%s: another weftd has this store open"
                 : "%s: cannot be locked", path);
        close(fd);
    }
    str_fini(&lock);
    return err ? err : fd;
}

/* --- Making ------------------------------------------------------------- */

/* Runs the steps that the file lacks. */
static int
migrate(sqlite3 *db, int64_t from, struct str *error)
{
    int err = 0;

    for (size_t i = (size_t) from; !err && i < ARRAY_SIZE(steps); i++) {
        err = sqlite_exec(db, steps[i], error);
    }
    if (!err && (size_t) from < ARRAY_SIZE(steps)) {
        char sql[64];

        snprintf(sql, sizeof sql, "PRAGMA user_version = %zu",
                 ARRAY_SIZE(steps));
        err = sqlite_exec(db, sql, error);
    }
    return err;
}

static int
insert_rows(sqlite3 *db, struct image *image, struct str *error)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(
        db, "INSERT INTO entry VALUES(?1, ?2, ?3, ?4)", -1, &stmt, NULL);

    for (struct image_entry *e = image->head[0]; e && !code; e = e->next[0]) {
        const struct store_entry *row = &e->shown;

        if (!row->version) {
            continue;
        }
        e->sum = sqlite_row_sum(row->key, row->value, row->value_size,
                                row->version);
        sqlite3_bind_text(stmt, 1, row->key, -1, SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 2, (int64_t) row->version);
        sqlite3_bind_blob(stmt, 3, row->value, (int) row->value_size,
                          SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 4, (int64_t) e->sum);
        sqlite3_step(stmt);
        code = sqlite3_reset(stmt);
    }
    code = code ? fail(db, code, error) : 0;
    sqlite3_finalize(stmt);
    return code;
}

static int
fill_new(sqlite3 *db, struct image *image, const struct sqlite_total *total,
         struct str *error)
{
    char sql[160];
    int err;

    snprintf(sql, sizeof sql, "PRAGMA application_id = %d", APPLICATION_ID);
    err = sqlite_exec(db, "PRAGMA synchronous = FULL; BEGIN", error);
    err = err ? err : sqlite_exec(db, sql, error);
    err = err ? err : migrate(db, 0, error);
    err = err ? err : insert_rows(db, image, error);
    snprintf(sql, sizeof sql, "UPDATE total SET revision = %lld,"
             " n_entries = %lld, sum = %lld", (long long) total->revision,
             (long long) total->n_entries, (long long) total->sum);
    err = err ? err : sqlite_exec(db, sql, error);
    return err ? err : sqlite_exec(db, "COMMIT", error);
}

static int
sync_directory(const char *path)
{
    char *copy = xstrdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 || fsync(fd) ? -errno : 0;

    if (fd >= 0) {
        close(fd);
    }
    free(copy);
    return err;
}

static void
unlink_with(const char *path, const char *suffix)
{
    struct str name = STR_INIT;

    str_addf(&name, "%s%s", path, suffix);
    unlink(str_text(&name));
    str_fini(&name);
}

/* Begins the file itself, so that nobody else can ever read it. */
static int
make_empty(const char *path)
{
    int fd;

    unlink(path);
    unlink_with(path, "-journal");
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    close(fd);
    return 0;
}

int
sqlite_file_create(const char *path, struct image *image,
                   const struct sqlite_total *total, struct str *error)
{
    struct str new = STR_INIT;
    sqlite3 *db = NULL;
    int code, err;

    str_addf(&new, "%s.new", path);
    err = make_empty(str_text(&new));
    if (err) {
        str_setf(error, "%s: %s", str_text(&new), strerror(-err));
        goto free_name;
    }
    code = sqlite3_open_v2(str_text(&new), &db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    err = code ? fail(db, code, error) : fill_new(db, image, total, error);
    sqlite3_close(db);
    if (!err) {
        /* A log beside it would belong to an earlier file of this name. */
        unlink_with(path, "-wal");
        unlink_with(path, "-journal");
        err = rename(str_text(&new), path) ? -errno : sync_directory(path);
        if (err) {
            str_setf(error, "%s: %s", path, strerror(-err));
        }
    }
    if (err) {
        unlink(str_text(&new));
        unlink_with(str_text(&new), "-journal");
    }
free_name:
    str_fini(&new);
    return err;
}

/* --- Recognising -------------------------------------------------------- */

/* Looks at the first bytes before SQLite does: it would take an empty file for
 * a database, and roll a foreign one's journal back. */
static int
check_header(const char *path, struct str *error)
{
    uint8_t header[HEADER_SIZE];
    struct stat st;
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int err = fd < 0 || fstat(fd, &st) ? -errno : 0;

    if (!err && !S_ISREG(st.st_mode)) {
        err = -EINVAL;
    }
    if (err) {
        str_setf(error, "%s: %s", path, err == -EINVAL
                 ? "is not a regular file" : strerror(-err));
        goto close_fd;
    }
    n = pread(fd, header, sizeof header, 0);
    if (n < 0) {
        err = -errno;
        str_setf(error, "%s: %s", path, strerror(-err));
    } else if (n < (ssize_t) sizeof header) {
        err = damaged(error, "it is too short");
    } else if (memcmp(header, "SQLite format 3", 16)
               || header[HEADER_WRITE_VERSION] > 2
               || header[HEADER_READ_VERSION] > 2) {
        err = damaged(error, "it is no SQLite file");
    } else if (be32toh(get_be32(header + HEADER_APPLICATION_ID))
               != APPLICATION_ID) {
        err = damaged(error, "it was made by another program");
    } else if (be32toh(get_be32(header + HEADER_USER_VERSION))
               > ARRAY_SIZE(steps)) {
        err = damaged(error, "it was made by a newer Weft");
    }
close_fd:
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

/* Every object of the file's schema must read as the steps make it. */
static int
check_schema(sqlite3 *db, struct str *error)
{
    static const char list[] = "SELECT type || ' ' || name || ' ' ||"
                               " coalesce(sql, '') FROM sqlite_schema"
                               " ORDER BY 1";
    sqlite3_stmt *ours = NULL, *theirs = NULL;
    sqlite3 *model = NULL;
    int code, err = 0;

    code = sqlite3_open_v2(":memory:", &model,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL);
    err = code ? fail(model, code, error) : migrate(model, 0, error);
    if (err) {
        goto close_model;
    }
    sqlite3_prepare_v2(model, list, -1, &ours, NULL);
    code = sqlite3_prepare_v2(db, list, -1, &theirs, NULL);
    while (!err && !code) {
        int more_ours = sqlite3_step(ours);

        code = sqlite3_step(theirs);
        if (code == SQLITE_ROW && more_ours == SQLITE_ROW) {
            const char *a = (const char *) sqlite3_column_text(ours, 0);
            const char *b = (const char *) sqlite3_column_text(theirs, 0);

            err = a && b && !strcmp(a, b)
                  ? 0 : damaged(error, "its tables are not a store's");
            code = SQLITE_OK;
        } else if (code == SQLITE_ROW || more_ours == SQLITE_ROW) {
            err = damaged(error, "its tables are not a store's");
        }
    }
    if (!err && code != SQLITE_DONE) {
        err = fail(db, code, error);
    }
    sqlite3_finalize(ours);
    sqlite3_finalize(theirs);
close_model:
    sqlite3_close(model);
    return err;
}

static int
quick_check(sqlite3 *db, struct str *error)
{
    sqlite3_stmt *stmt = NULL;
    int code, err = 0;

    code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    if (!code) {
        code = sqlite3_step(stmt);
    }
    if (code == SQLITE_ROW) {
        const char *text = (const char *) sqlite3_column_text(stmt, 0);

        if (!text || strcmp(text, "ok")) {
            err = damaged(error, text ? text : "it cannot be checked");
            str_chomp(error, "\n");
        }
    } else {
        err = fail(db, code, error);
    }
    sqlite3_finalize(stmt);
    return err;
}

/* Before anything of the file is read: nobody else has it from now on, nothing
 * in it can make SQLite call functions, and no page is believed unseen. */
static int
configure(sqlite3 *db, struct str *error)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_busy_timeout(db, LOCK_PATIENCE);
    return sqlite_exec(db,
                       "PRAGMA cell_size_check = ON;"
                       "PRAGMA temp_store = MEMORY;"
                       /* The log's index is then in our memory. */
                       "PRAGMA locking_mode = EXCLUSIVE;"
                       "PRAGMA journal_mode = WAL;"
                       "PRAGMA journal_size_limit = 67108864;"
                       "BEGIN IMMEDIATE", error);
}

static int
recognise(sqlite3 *db, struct str *error)
{
    int64_t version = 0;
    int err = configure(db, error);

    if (err) {
        return err;
    }
    err = quick_check(db, error);
    if (!err) {
        err = query_number(db, "PRAGMA user_version", &version, error);
    }
    if (!err && (version < 1 || version > (int64_t) ARRAY_SIZE(steps))) {
        err = damaged(error, "its schema is of no known version");
    }
    err = err ? err : migrate(db, version, error);
    err = err ? err : check_schema(db, error);
    return err ? err : sqlite_exec(db, "COMMIT", error);
}

int
sqlite_file_open(const char *path, sqlite3 **result, struct str *error)
{
    sqlite3 *db = NULL;
    int code, err;

    err = check_header(path, error);
    if (err) {
        return err;
    }
    code = sqlite3_open_v2(path, &db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    err = code ? fail(db, code, error) : 0;
    if (!err && sqlite3_db_readonly(db, "main")) {
        str_setf(error, "may not be written to");
        err = access(path, W_OK) ? -errno : -EROFS;
    }
    err = err ? err : recognise(db, error);
    if (err) {
        if (err == -EBUSY) {
            str_setf(error, "another program has it open");
        }
        sqlite3_close(db);
        return err;
    }
    *result = db;
    return 0;
}

/* --- Reading ------------------------------------------------------------ */

static int
load_row(sqlite3_stmt *stmt, struct image *image, struct sqlite_total *found,
         struct str *error)
{
    const char *key = (const char *) sqlite3_column_text(stmt, 0);
    uint64_t version = (uint64_t) sqlite3_column_int64(stmt, 1);
    const void *value = sqlite3_column_blob(stmt, 2);
    int size = sqlite3_column_bytes(stmt, 2);
    uint64_t sum = (uint64_t) sqlite3_column_int64(stmt, 3);
    struct image_entry *e;
    char *copy;

    if (!key || !store_key_is_valid(key) || !version
        || size > STORE_VALUE_MAX || (size && !value)
        || sum != sqlite_row_sum(key, value, (size_t) size, version)) {
        return damaged(error, "a row is not what was written");
    }
    e = image_insert(image, key);
    if (e->shown.version) {
        return damaged(error, "a key is there twice");
    }
    copy = xmalloc((size_t) size + 1);
    if (size) {
        memcpy(copy, value, (size_t) size);
    }
    image_put(image, e, copy, (size_t) size, version);
    e->sum = sum;
    found->revision = MAX(found->revision, version);
    found->n_entries++;
    found->sum += sum;
    return 0;
}

static int
load_rows(sqlite3 *db, struct image *image, struct sqlite_total *found,
          struct str *error)
{
    sqlite3_stmt *stmt = NULL;
    int err = 0;
    int code = sqlite3_prepare_v2(
        db, "SELECT key, version, value, sum FROM entry ORDER BY key", -1,
        &stmt, NULL);

    while (!code && !err) {
        code = sqlite3_step(stmt);
        if (code == SQLITE_ROW) {
            err = load_row(stmt, image, found, error);
            code = SQLITE_OK;
        }
    }
    if (!err && code != SQLITE_DONE) {
        err = fail(db, code, error);
    }
    sqlite3_finalize(stmt);
    return err;
}

int
sqlite_file_load(sqlite3 *db, struct image *image,
                 struct sqlite_total *total, struct str *error)
{
    struct sqlite_total found = { 0 };
    int64_t revision, n_entries, sum;
    int err = load_rows(db, image, &found, error);

    err = err ? err : query_number(db, "SELECT revision FROM total",
                                   &revision, error);
    err = err ? err : query_number(db, "SELECT n_entries FROM total",
                                   &n_entries, error);
    err = err ? err : query_number(db, "SELECT sum FROM total", &sum, error);
    if (err) {
        return err;
    }
    if (found.n_entries != (uint64_t) n_entries
        || found.sum != (uint64_t) sum
        || found.revision > (uint64_t) revision) {
        return damaged(error, "rows are missing or too many");
    }
    *total = (struct sqlite_total) { (uint64_t) revision,
                                     (uint64_t) n_entries, (uint64_t) sum };
    return 0;
}

/* --- Setting aside ------------------------------------------------------ */

/* `name` becomes one that nothing has yet. */
static void
find_name(const char *path, struct str *name)
{
    time_t now = time(NULL);
    struct tm tm;
    char text[32];

    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &tm);
    str_setf(name, "%s.damaged-%s", path, text);
    for (int i = 2; !access(str_text(name), F_OK); i++) {
        str_setf(name, "%s.damaged-%s-%d", path, text, i);
    }
}

int
sqlite_file_set_aside(const char *path, struct str *to, struct str *error)
{
    static const char *const logs[] = { "-wal", "-journal" };
    struct str from = STR_INIT, log = STR_INIT;
    int err = 0;

    find_name(path, to);
    if (rename(path, str_text(to))) {
        err = -errno;
        str_setf(error, "%s: cannot be moved away: %s", path, strerror(-err));
        str_clear(to);
        return err;
    }
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        str_setf(&from, "%s%s", path, logs[i]);
        str_setf(&log, "%s%s", str_text(to), logs[i]);
        if (rename(str_text(&from), str_text(&log)) && errno != ENOENT) {
            err = -errno;
            str_setf(error, "%s: cannot be moved away: %s", str_text(&from),
                     strerror(-err));
        }
    }
    str_fini(&from);
    str_fini(&log);
    return err;
}
