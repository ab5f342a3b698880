/* The store and the list of system calls: what the one needs, the other allows.
 * Here, since the two know nothing of each other. */
#include <sys/wait.h>
#include <unistd.h>

#include "port/confine.h"
#include "store/store.h"
#include "unit.h"

struct scene {
    uv_loop_t loop;
    struct store *store;
    unsigned int n_left;
    int err;
};

static void
on_done(const struct store_result *result, void *aux)
{
    struct scene *scene = aux;

    scene->err = scene->err ? scene->err : result->err;
    scene->n_left--;
}

/* Writes enough that the log goes into the file. */
static int
write_much(struct scene *scene, enum store_durability durability)
{
    static char value[STORE_VALUE_MAX];

    for (int i = 0; i < 40; i++) {
        struct store_txn *txn = store_txn_create(durability);
        char key[16];

        snprintf(key, sizeof key, "k%d", i % 30);
        store_txn_put(txn, key, value, sizeof value, STORE_ANY);
        scene->n_left++;
        if (store_commit(scene->store, txn, on_done, scene)) {
            return 1;
        }
        while (scene->n_left) {
            uv_run(&scene->loop, UV_RUN_ONCE);
        }
    }
    return scene->err;
}

/* Never returns. */
static void
use_store_confined(const char *path)
{
    struct scene scene = { .n_left = 0 };
    const struct store_options options = { .loop = &scene.loop,
                                           .path = path };
    struct str error = STR_INIT;

    uv_loop_init(&scene.loop);
    if (confine_system_calls(CONFINE_KILL, &error)) {
        _exit(77);
    }
    if (store_open(&options, &scene.store, &error)
        || write_much(&scene, STORE_PROCESS)
        || write_much(&scene, STORE_DISK)) {
        _exit(1);
    }
    store_close(scene.store, NULL, NULL);
    uv_run(&scene.loop, UV_RUN_DEFAULT);
    _exit(0);
}

static void
check_confined(const char *path)
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        use_store_confined(path);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_MSG(WIFEXITED(status), "signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) == 77) {
        skip();
    }
    CHECK(!WEXITSTATUS(status));
}

TEST(a_store_lives_with_the_system_calls_that_main_has)
{
    char directory[] = "/tmp/weftd-store-XXXXXX";
    char path[64], command[96];
    FILE *f;

    CHECK(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/store", directory);
    check_confined(path);         /* makes it */
    check_confined(path);         /* reads it */

    f = fopen(path, "r+");        /* sets it aside */
    CHECK(f && fputs("damage", f) >= 0 && !fclose(f));
    check_confined(path);

    snprintf(command, sizeof command, "rm -r %s", directory);
    CHECK(!system(command));
}

TESTS(
    RUN(a_store_lives_with_the_system_calls_that_main_has),
)
