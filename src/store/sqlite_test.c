/* The file: what it holds outlives us, and nothing that it holds ends us. */
#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/rng.h"
#include "store/store.h"
#include "store/store_lab.h"
#include "unit.h"

/* --- A history that can be told from its length ------------------------- */

enum { N_KEYS = 97, IN_FLIGHT = 64, VALUE_MAX = 1500 };

/* The i-th change puts or deletes a key; its value follows from `i` too. */
struct step {
    char key[16];
    bool is_delete;
    size_t size;
    char value[VALUE_MAX];
};

static void
make_step(uint64_t i, struct step *step)
{
    struct rng rng = { i };

    snprintf(step->key, sizeof step->key, "lease/%u",
             rng_below(&rng, N_KEYS));
    step->is_delete = rng_one_in(&rng, 5);
    step->size = rng_below(&rng, rng_one_in(&rng, 10) ? VALUE_MAX : 100);
    memset(step->value, (int) rng_u32(&rng), step->size);
}

static struct store_txn *
step_txn(uint64_t i, enum store_durability durability)
{
    struct store_txn *txn = store_txn_create(durability);
    struct step step;

    make_step(i, &step);
    if (step.is_delete) {
        store_txn_delete(txn, step.key, STORE_ANY);
    } else {
        store_txn_put(txn, step.key, step.value, step.size, STORE_ANY);
    }
    return txn;
}

/* Is the store exactly what steps 1 to its revision make? */
static bool
is_right(const struct store *store)
{
    uint64_t last[N_KEYS] = { 0 };
    struct step step;
    unsigned int n = 0, n_there = 0;

    for (uint64_t i = 1; i <= store_revision(store); i++) {
        make_step(i, &step);
        last[atoi(step.key + 6)] = step.is_delete ? 0 : i;
    }
    for (unsigned int k = 0; k < N_KEYS; k++) {
        const struct store_entry *e;

        if (last[k]) {
            make_step(last[k], &step);
            e = store_get(store, step.key);
            if (!e || e->version != last[k] || e->value_size != step.size
                || memcmp(e->value, step.value, step.size)) {
                return false;
            }
            n++;
        }
    }
    STORE_FOR_EACH (e, store, "") {
        n_there++;
    }
    return n == n_there;
}

static void
do_steps(struct lab *lab, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i <= to; i++) {
        if (i < to) {
            CHECK(!store_commit(lab->store, step_txn(i, STORE_PROCESS), NULL,
                                NULL));
        } else {
            CHECK(!lab_commit(lab, step_txn(i, STORE_PROCESS)));
        }
    }
}

/* --- Files as bytes ----------------------------------------------------- */

struct bytes {
    uint8_t *data;
    size_t size;
};

static struct bytes
read_bytes(const char *path, const char *suffix)
{
    struct bytes bytes;
    struct stat st;
    char name[128];
    int fd;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    fd = open(name, O_RDONLY);
    CHECK(fd >= 0 && !fstat(fd, &st));
    bytes.size = (size_t) st.st_size;
    bytes.data = xmalloc(bytes.size + 1);
    CHECK(read(fd, bytes.data, bytes.size) == (ssize_t) bytes.size);
    close(fd);
    return bytes;
}

static void
write_bytes(const char *path, const char *suffix, const void *data,
            size_t size)
{
    char name[128];
    int fd;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, data, size) == (ssize_t) size);
    close(fd);
}

static bool
exists(const char *path)
{
    return !access(path, F_OK);
}

/* Changes a closed store behind its back. */
static void
tamper(const struct lab *lab, const char *sql)
{
    sqlite3 *db;

    CHECK(!sqlite3_open(lab->path, &db));
    CHECK_MSG(!sqlite3_exec(db, sql, NULL, NULL, NULL), "%s",
              sqlite3_errmsg(db));
    CHECK(!sqlite3_close(db));
}

/* --- Tests -------------------------------------------------------------- */

TEST(what_was_put_is_there_after_a_restart)
{
    struct lab lab;

    lab_init(&lab);
    CHECK(!lab_open(&lab));
    CHECK(store_revision(lab.store) == 0);
    CHECK(!lab_put(&lab, "network/blue", "10.1.0.0/24", STORE_ABSENT));
    CHECK(!lab_put(&lab, "network/red", "", STORE_ABSENT));
    CHECK(!lab_delete(&lab, "network/red", STORE_ANY));
    lab_close(&lab);

    CHECK(!lab_open(&lab));
    CHECK(lab_has(&lab, "network/blue", "10.1.0.0/24"));
    CHECK(!store_get(lab.store, "network/red"));
    CHECK(store_revision(lab.store) == 3);
    CHECK(store_get(lab.store, "network/blue")->version == 1);
    CHECK(!lab_put(&lab, "network/blue", "", 1));
    CHECK(store_revision(lab.store) == 4);
    CHECK(lab.n_set_aside == 0);
    lab_fini(&lab);
}

TEST(the_file_is_for_its_owner_only)
{
    struct stat st;
    struct lab lab;

    lab_init(&lab);
    CHECK(!lab_open(&lab));
    CHECK(!stat(lab.path, &st) && (st.st_mode & 0777) == 0600);
    lab_fini(&lab);
}

TEST(a_store_has_one_user)
{
    struct lab lab, other;

    lab_init(&lab);
    lab_init(&other);
    CHECK(!lab_open(&lab));
    CHECK(!lab_put(&lab, "a", "1", STORE_ANY));

    strcpy(other.path, lab.path);
    CHECK(lab_open(&other) == -EBUSY);
    CHECK(strstr(str_text(&other.error), "another weftd"));
    lab_close(&lab);
    CHECK(!lab_open(&other));
    CHECK(lab_has(&other, "a", "1"));
    CHECK(other.n_set_aside == 0);
    lab_fini(&other);
    lab_fini(&lab);
}

TEST(a_file_that_a_tool_holds_is_left_alone)
{
    struct lab lab;
    sqlite3 *db;

    lab_init(&lab);
    CHECK(!lab_open(&lab));
    lab_close(&lab);

    CHECK(!sqlite3_open(lab.path, &db));
    CHECK(!sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    CHECK(lab_open(&lab) == -EBUSY);
    CHECK(strstr(str_text(&lab.error), "another program"));
    CHECK(!sqlite3_close(db));
    CHECK(!lab_open(&lab));
    CHECK(lab.n_set_aside == 0);
    lab_fini(&lab);
}

TEST(no_directory_is_an_error_with_a_text)
{
    struct lab lab;

    lab_init(&lab);
    strcat(lab.path, "/nowhere/store");
    CHECK(lab_open(&lab) == -ENOENT);
    CHECK(lab.error.len);
    lab_fini(&lab);
}

TEST(what_is_no_file_is_left_alone)
{
    struct lab lab;

    lab_init(&lab);
    CHECK(!mkdir(lab.path, 0700));
    CHECK(lab_open(&lab) == -EINVAL);
    CHECK(strstr(str_text(&lab.error), "regular file"));
    CHECK(!rmdir(lab.path));
    lab_fini(&lab);
}

/* Opens what lies there; it must be set aside for `reason`. */
static void
check_set_aside(struct lab *lab, const char *reason)
{
    unsigned int n = lab->n_set_aside;

    CHECK_MSG(!lab_open(lab), "%s", str_text(&lab->error));
    CHECK_MSG(lab->n_set_aside == n + 1, "not set aside: %s", reason);
    CHECK_MSG(strstr(lab->reason, reason), "%s", lab->reason);
    CHECK(!strncmp(lab->set_aside, lab->path, strlen(lab->path)));
    CHECK(strstr(lab->set_aside, ".damaged-"));
    CHECK(exists(lab->set_aside));
    CHECK(!store_next(lab->store, "", NULL));
    CHECK(!lab_put(lab, "new", "life", STORE_ABSENT));
    lab_close(lab);
    CHECK(!lab_open(lab));
    CHECK(lab_has(lab, "new", "life"));
    CHECK(lab->n_set_aside == n + 1);
    lab_close(lab);
}

TEST(what_is_no_store_is_set_aside)
{
    static const char text[] = "Dear Sir or Madam, this is a text of more than"
                               " a hundred bytes, which says nothing about the"
                               " networks.";
    struct bytes was;
    struct lab lab;

    lab_init(&lab);
    write_bytes(lab.path, "", text, sizeof text);
    check_set_aside(&lab, "no SQLite file");
    was = read_bytes(lab.set_aside, "");
    CHECK(was.size == sizeof text && !memcmp(was.data, text, was.size));
    free(was.data);

    write_bytes(lab.path, "", "", 0);
    check_set_aside(&lab, "too short");
    CHECK(!unlink(lab.path));
    tamper(&lab, "CREATE TABLE entry(key)");
    check_set_aside(&lab, "another program");
    lab_fini(&lab);
}

TEST(a_store_that_was_tampered_with_is_set_aside)
{
    static const struct {
        const char *sql, *reason;
    } cases[] = {
        { "PRAGMA user_version = 1000", "newer Weft" },
        { "PRAGMA user_version = 0", "no known version" },
        { "PRAGMA application_id = 1", "another program" },
        { "CREATE TABLE more(x)", "tables" },
        { "CREATE TRIGGER t AFTER INSERT ON entry BEGIN"
          " DELETE FROM total; END", "tables" },
        { "DROP TABLE total", "tables" },
        { "ALTER TABLE entry ADD COLUMN more TEXT", "" },
        { "UPDATE entry SET value = x'00' WHERE key = 'lease/3'", "a row" },
        { "UPDATE entry SET version = version + 1", "a row" },
        { "UPDATE entry SET key = 'lease/x' WHERE key = 'lease/3'", "a row" },
        { "DELETE FROM entry WHERE key = 'lease/3'", "rows" },
        { "UPDATE total SET revision = 1", "rows" },
        { "UPDATE total SET sum = sum + 1", "rows" },
        { "DELETE FROM total", "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lab lab;

        lab_init(&lab);
        CHECK(!lab_open(&lab));
        CHECK(!lab_put(&lab, "lease/3", "vm", STORE_ANY));
        do_steps(&lab, 2, 300);
        CHECK(!lab_put(&lab, "lease/3", "vm", STORE_ANY));
        lab_close(&lab);
        tamper(&lab, cases[i].sql);
        check_set_aside(&lab, cases[i].reason);
        lab_fini(&lab);
    }
}

TEST(a_file_half_made_is_no_obstacle)
{
    struct lab lab;

    lab_init(&lab);
    write_bytes(lab.path, ".new", "half", 4);
    write_bytes(lab.path, ".new-journal", "half", 4);
    CHECK(!lab_open(&lab));
    CHECK(!lab_put(&lab, "a", "1", STORE_ANY));
    CHECK(lab.n_set_aside == 0);
    lab_fini(&lab);
}

/* --- kill -9 ------------------------------------------------------------ */

struct writer {
    struct lab *lab;
    enum store_durability durability;
    uint64_t next;
    int acks;
};

static void
go_on(const struct store_result *result, void *aux)
{
    struct writer *w = aux;

    if (result) {
        if (result->err
            || write(w->acks, &result->version, sizeof result->version) < 0) {
            _exit(1);
        }
    }
    store_commit(w->lab->store, step_txn(w->next, w->durability), go_on, w);
    w->next++;
}

/* Never returns: writes until it is killed. */
static void
write_for_ever(struct lab *lab, enum store_durability durability, int acks)
{
    struct writer w = { .lab = lab, .durability = durability, .acks = acks };

    uv_loop_init(&lab->loop);
    if (lab_open(lab)) {
        _exit(1);
    }
    w.next = store_revision(lab->store) + 1;
    for (int i = 0; i < IN_FLIGHT; i++) {
        go_on(NULL, &w);
    }
    uv_run(&lab->loop, UV_RUN_DEFAULT);
    _exit(1);
}

/* Returns the last change that a writer acknowledged, who was killed after at
 * least `n_acks` more. */
static uint64_t
write_and_kill(struct lab *lab, enum store_durability durability,
               uint64_t n_acks)
{
    uint64_t version, first = 0, last = 0;
    int acks[2], status;
    pid_t pid;

    CHECK(!pipe(acks));
    pid = fork();
    if (!pid) {
        close(acks[0]);
        write_for_ever(lab, durability, acks[1]);
    }
    close(acks[1]);
    while (read(acks[0], &version, sizeof version) == sizeof version) {
        CHECK(!last || version == last + 1);
        first = first ? first : version;
        last = version;
        if (last - first == n_acks) {
            kill(pid, SIGKILL);
        }
    }
    close(acks[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && last - first >= n_acks);
    return last;
}

TEST(what_was_acknowledged_survives_kill_9)
{
    struct rng rng = { 20 };
    struct lab lab;

    lab_init(&lab);
    for (int round = 0; round < 24; round++) {
        uint64_t last = write_and_kill(&lab, round % 2 ? STORE_PROCESS
                                                       : STORE_DISK,
                                       rng_below(&rng, 1500));

        CHECK(!lab_open(&lab));
        CHECK(store_revision(lab.store) >= last);
        CHECK_MSG(is_right(lab.store), "round %d", round);
        CHECK(lab.n_set_aside == 0);
        lab_close(&lab);
    }
    lab_fini(&lab);
}

/* --- Damage ------------------------------------------------------------- */

struct victim {
    struct lab lab;
    struct bytes file, log;
    uint64_t revision;
    unsigned int n_set_aside, n_right;
};

static void
begin_victim(struct victim *v, bool with_log)
{
    memset(v, 0, sizeof *v);
    lab_init(&v->lab);
    CHECK(!lab_open(&v->lab));
    do_steps(&v->lab, 1, 400);
    lab_close(&v->lab);
    CHECK(!lab_open(&v->lab));
    if (with_log) {
        for (uint64_t i = 401; i <= 420; i++) {
            do_steps(&v->lab, i, i);
        }
        v->log = read_bytes(v->lab.path, "-wal");
    }
    v->revision = store_revision(v->lab.store);
    v->file = read_bytes(v->lab.path, "");
    lab_close(&v->lab);
}

static void
end_victim(struct victim *v)
{
    lab_fini(&v->lab);
    free(v->file.data);
    free(v->log.data);
}

/* Opens the file as it lies there: right, or set aside. */
static void
check_victim(struct victim *v, const char *what, size_t where)
{
    struct lab *lab = &v->lab;
    unsigned int n = lab->n_set_aside;

    CHECK_MSG(!lab_open(lab), "%s at %zu: %s", what, where,
              str_text(&lab->error));
    if (lab->n_set_aside > n) {
        CHECK(!store_next(lab->store, "", NULL));
        CHECK(!store_revision(lab->store));
        v->n_set_aside++;
        CHECK(!lab_put(lab, "a", "1", STORE_ABSENT));
        CHECK(lab_has(lab, "a", "1"));
        lab_close(lab);
        unlink(lab->set_aside);
    } else {
        CHECK_MSG(is_right(lab->store), "%s at %zu: it is wrong", what,
                  where);
        CHECK(v->log.data || store_revision(lab->store) == v->revision);
        v->n_right++;
        CHECK(!lab_put(lab, "a", "1", STORE_ABSENT));
        CHECK(lab_has(lab, "a", "1"));
        lab_close(lab);
    }
    CHECK(!lab_open(lab));
    CHECK(lab_has(lab, "a", "1"));
    lab_close(lab);
}

static void
lay(struct victim *v, const struct bytes *file, const struct bytes *log)
{
    write_bytes(v->lab.path, "", file->data, file->size);
    if (log->data) {
        write_bytes(v->lab.path, "-wal", log->data, log->size);
    }
}

TEST(a_page_of_garbage_is_noticed)
{
    struct victim v;
    struct rng rng = { 3 };

    begin_victim(&v, false);
    for (size_t at = 0; at < v.file.size; at += 4096) {
        uint8_t page[4096];

        memcpy(page, v.file.data + at, sizeof page);
        for (size_t i = 0; i < sizeof page; i++) {
            v.file.data[at + i] = (uint8_t) rng_u32(&rng);
        }
        lay(&v, &v.file, &v.log);
        check_victim(&v, "garbage", at);
        memset(v.file.data + at, 0, sizeof page);
        lay(&v, &v.file, &v.log);
        check_victim(&v, "zeros", at);
        memcpy(v.file.data + at, page, sizeof page);
    }
    CHECK(v.n_set_aside > v.n_right);
    end_victim(&v);
}

TEST(a_byte_that_changed_is_noticed_or_no_matter)
{
    struct victim v;
    struct rng rng = { 4 };

    begin_victim(&v, false);
    for (int i = 0; i < 300; i++) {
        /* Every second one in the header or the schema. */
        size_t at = rng_below(&rng, i % 2 ? (uint32_t) v.file.size : 110);
        uint8_t was = v.file.data[at];

        v.file.data[at] ^= (uint8_t) (1 + rng_below(&rng, 255));
        lay(&v, &v.file, &v.log);
        check_victim(&v, "byte", at);
        v.file.data[at] = was;
    }
    CHECK(v.n_set_aside && v.n_right);
    end_victim(&v);
}

TEST(a_file_cut_short_is_noticed)
{
    struct victim v;
    struct rng rng = { 5 };

    begin_victim(&v, false);
    for (int i = 0; i < 40; i++) {
        struct bytes cut = v.file;

        cut.size = rng_below(&rng, (uint32_t) v.file.size);
        lay(&v, &cut, &v.log);
        check_victim(&v, "cut", cut.size);
    }
    CHECK(v.n_set_aside == 40);
    end_victim(&v);
}

TEST(a_damaged_log_is_an_earlier_state)
{
    struct victim v;
    struct rng rng = { 6 };

    begin_victim(&v, true);
    lay(&v, &v.file, &v.log);
    CHECK(!lab_open(&v.lab));
    CHECK(store_revision(v.lab.store) == 420);
    lab_close(&v.lab);
    for (int i = 0; i < 100; i++) {
        struct bytes log = v.log;
        size_t at = rng_below(&rng, (uint32_t) v.log.size);
        uint8_t was = log.data[at];

        if (i % 4) {
            log.data[at] ^= (uint8_t) (1 + rng_below(&rng, 255));
        } else {
            log.size = at;
        }
        lay(&v, &v.file, &log);
        check_victim(&v, "log", at);
        v.log.data[at] = was;
    }
    CHECK(v.n_right == 100);
    end_victim(&v);
}

/* In a process of its own: closing the file here would end our locks. */
static void
overwrite_in_child(const char *path)
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        int fd = open(path, O_WRONLY);
        uint8_t page[4096];

        memset(page, 0xa5, sizeof page);
        for (off_t at = 4096; pwrite(fd, page, sizeof page, at) > 0
             && at < 8 << 20; at += 4096) {
        }
        _exit(fd < 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && !status);
}

TEST(a_file_damaged_while_in_use_is_written_anew_from_memory)
{
    static char value[2000];
    struct lab lab;
    char key[16];
    int i;

    lab_init(&lab);
    CHECK(!lab_open(&lab));
    for (i = 0; i < 3000; i++) {
        struct store_txn *txn = store_txn_create(STORE_PROCESS);

        snprintf(key, sizeof key, "k%04d", i);
        store_txn_put(txn, key, value, sizeof value, STORE_ANY);
        CHECK(!store_commit(lab.store, txn, NULL, NULL));
    }
    CHECK(!lab_put(&lab, "z", "1", STORE_ANY));
    lab_close(&lab);
    CHECK(!lab_open(&lab));
    overwrite_in_child(lab.path);
    for (i = 0; !lab.n_set_aside && i < 3000; i++) {
        snprintf(key, sizeof key, "k%04d", i);
        CHECK(!lab_put(&lab, key, "again", STORE_ANY));
    }
    CHECK(lab.n_set_aside == 1 && exists(lab.set_aside));
    CHECK(store_get_counters(lab.store).n_set_aside == 1);
    lab_close(&lab);

    CHECK(!lab_open(&lab));
    CHECK(lab.n_set_aside == 1);
    CHECK(lab_has(&lab, "z", "1"));
    for (int k = 0; k < 3000; k++) {
        snprintf(key, sizeof key, "k%04d", k);
        CHECK(k < i ? lab_has(&lab, key, "again")
                    : store_get(lab.store, key)->value_size == sizeof value);
    }
    lab_fini(&lab);
}

/* --- No room, no right -------------------------------------------------- */

/* Never returns.  Exits with the line at fault, 0, or 77: no privileges. */
static void
use_small_disk(void)
{
#define EXPECT(COND)                                                         \
    do {                                                                     \
        if (!(COND)) {                                                       \
            print_error("line %d: %s\n", __LINE__, #COND);                   \
            _exit(1);                                                        \
        }                                                                    \
    } while (0)
    static char filler[256 * 1024];
    struct lab lab;
    char name[128], value[2001] = { 0 };
    int i, err = 0;

    lab_init(&lab);
    if (unshare(CLONE_NEWNS)
        || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)
        || mount("small", lab.directory, "tmpfs", 0, "size=1m")) {
        _exit(77);
    }
    write_bytes(lab.directory, "/filler", filler, sizeof filler);
    EXPECT(!lab_open(&lab));
    memset(value, 'v', sizeof value - 1);
    for (i = 0; !err && i < 1000; i++) {
        snprintf(name, sizeof name, "k%d", i);
        err = lab_put(&lab, name, value, STORE_ANY);
    }
    EXPECT(err == -ENOSPC && i > 10);
    EXPECT(!store_get(lab.store, name));
    EXPECT(lab_has(&lab, "k0", value));
    EXPECT(store_get_counters(lab.store).n_failed == 1);
    EXPECT(lab_put(&lab, name, value, STORE_ANY) == -ENOSPC);

    snprintf(name, sizeof name, "%s/filler", lab.directory);
    EXPECT(!unlink(name));
    EXPECT(!lab_put(&lab, "after", "1", STORE_ANY));
    lab_close(&lab);

    EXPECT(!mount(NULL, lab.directory, NULL, MS_REMOUNT | MS_RDONLY, NULL));
    EXPECT(lab_open(&lab) == -EROFS);
    EXPECT(lab.error.len);
    EXPECT(!mount(NULL, lab.directory, NULL, MS_REMOUNT, NULL));

    EXPECT(!lab_open(&lab));
    EXPECT(lab_has(&lab, "after", "1") && lab_has(&lab, "k0", value));
    EXPECT(store_revision(lab.store) == (uint64_t) i);
    EXPECT(!lab.n_set_aside);
    lab_close(&lab);
    umount(lab.directory);
    lab_fini(&lab);
    _exit(0);
#undef EXPECT
}

TEST(a_full_disk_fails_commits_and_nothing_else)
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        use_small_disk();
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        skip();
    }
    CHECK(!WEXITSTATUS(status));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_was_put_is_there_after_a_restart),
        RUN(the_file_is_for_its_owner_only),
        RUN(a_store_has_one_user),
        RUN(a_file_that_a_tool_holds_is_left_alone),
        RUN(no_directory_is_an_error_with_a_text),
        RUN(what_is_no_file_is_left_alone),
        RUN(what_is_no_store_is_set_aside),
        RUN(a_store_that_was_tampered_with_is_set_aside),
        RUN(a_file_half_made_is_no_obstacle),
        RUN(what_was_acknowledged_survives_kill_9),
        RUN(a_page_of_garbage_is_noticed),
        RUN(a_byte_that_changed_is_noticed_or_no_matter),
        RUN(a_file_cut_short_is_noticed),
        RUN(a_damaged_log_is_an_earlier_state),
        RUN(a_file_damaged_while_in_use_is_written_anew_from_memory),
        RUN(a_full_disk_fails_commits_and_nothing_else),
    };

    /* Hundreds of files are set aside here, on purpose. */
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
