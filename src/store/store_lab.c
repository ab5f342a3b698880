#include "store/store_lab.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void
lab_init(struct lab *lab)
{
    memset(lab, 0, sizeof *lab);
    /* In memory where there is such a place: hundreds of files are synced. */
    snprintf(lab->directory, sizeof lab->directory, "%s/weft-store-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(lab->directory)) {
        abort();
    }
    snprintf(lab->path, sizeof lab->path, "%s/store", lab->directory);
    uv_loop_init(&lab->loop);
}

static void
remove_directory(const char *directory)
{
    DIR *dir = opendir(directory);
    const struct dirent *d;

    while (dir && (d = readdir(dir))) {
        unlinkat(dirfd(dir), d->d_name, 0);
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(directory);
}

void
lab_fini(struct lab *lab)
{
    lab_close(lab);
    uv_loop_close(&lab->loop);
    str_fini(&lab->error);
    remove_directory(lab->directory);
}

static void
on_set_aside(const char *to, const char *reason, void *aux)
{
    struct lab *lab = aux;

    lab->n_set_aside++;
    snprintf(lab->set_aside, sizeof lab->set_aside, "%s", to);
    snprintf(lab->reason, sizeof lab->reason, "%s", reason);
}

static int
open_path(struct lab *lab, const char *path)
{
    const struct store_options options = {
        .loop = &lab->loop,
        .path = path,
        .set_aside = on_set_aside,
        .aux = lab,
    };

    str_clear(&lab->error);
    return store_open(&options, &lab->store, &lab->error);
}

int
lab_open(struct lab *lab)
{
    return open_path(lab, lab->path);
}

void
lab_open_in_memory(struct lab *lab)
{
    if (open_path(lab, NULL)) {
        abort();
    }
}

static void
on_closed(void *flag)
{
    *(bool *) flag = true;
}

void
lab_close(struct lab *lab)
{
    bool closed = false;

    if (lab->store) {
        store_close(lab->store, on_closed, &closed);
        lab_wait(lab, &closed);
        lab->store = NULL;
    }
}

struct answer {
    bool is_there;
    int err;
};

static void
on_done(const struct store_result *result, void *aux)
{
    *(struct answer *) aux = (struct answer) { true, result->err };
}

int
lab_commit(struct lab *lab, struct store_txn *txn)
{
    struct answer answer = { false, 0 };
    int err = store_commit(lab->store, txn, on_done, &answer);

    if (err) {
        return err;
    }
    lab_wait(lab, &answer.is_there);
    return answer.err;
}

int
lab_put(struct lab *lab, const char *key, const char *value,
        uint64_t if_version)
{
    struct store_txn *txn = store_txn_create(STORE_PROCESS);

    store_txn_put(txn, key, value, strlen(value), if_version);
    return lab_commit(lab, txn);
}

int
lab_delete(struct lab *lab, const char *key, uint64_t if_version)
{
    struct store_txn *txn = store_txn_create(STORE_PROCESS);

    store_txn_delete(txn, key, if_version);
    return lab_commit(lab, txn);
}

void
lab_wait(struct lab *lab, const bool *flag)
{
    while (!*flag) {
        uv_run(&lab->loop, UV_RUN_ONCE);
    }
}

bool
lab_has(const struct lab *lab, const char *key, const char *value)
{
    const struct store_entry *e = store_get(lab->store, key);

    return e && e->value_size == strlen(value)
           && !memcmp(e->value, value, e->value_size);
}
