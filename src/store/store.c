#include "store/store.h"

#include <stdlib.h>

#include "lib/log.h"
#include "store/store_class.h"

enum {
    GROUP_MAX = 8192,             /* transactions; bounds how long one waits */
};

struct store_watch {
    struct store_watch *next;
    struct store *store;
    char *prefix;
    size_t prefix_len;
    store_changed *changed;       /* NULL: ended, to be freed */
    void *aux;
};

/* idle: nothing waits.  due: something waits, the loop's next turn begins a
 * group.  writing: the engine has it.  finishing: results are being told.
 * closing: the engine closes. */
enum phase { IDLE, DUE, WRITING, FINISHING, CLOSING };

struct store {
    struct store_options options;
    enum phase phase;
    struct store_engine *engine;
    struct image image;
    uint64_t revision;            /* of the image; the engine's may be ahead */
    struct store_counters counters;

    struct store_txn *queue;
    struct store_txn **queue_end;
    unsigned int n_pending;       /* queued or in the group */
    size_t n_pending_bytes;

    struct store_group group;
    int group_err;
    uint64_t n_checks;
    uv_idle_t turn;
    uv_work_t work;

    struct store_watch *watches;
    struct store_watch **watches_end;

    bool is_closing;
    void (*closed)(void *aux);
    void *closed_aux;
};

static void on_turn(uv_idle_t *);
static void on_write(uv_work_t *);
static void on_written(uv_work_t *, int status);
static void finish_group(struct store *);
static void begin_closing(struct store *);

/* --- Engines ------------------------------------------------------------ */

void
store_engine_init(struct store_engine *engine,
                  const struct store_class *class, struct image *image)
{
    *engine = (struct store_engine) { .class = class, .image = image };
}

void
store_engine_fini(struct store_engine *engine)
{
    str_fini(&engine->error);
    str_fini(&engine->set_aside);
    str_fini(&engine->set_aside_reason);
}

bool
store_key_is_valid(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++) {
        if (key[i] <= ' ' || key[i] > '~') {
            return false;
        }
    }
    return len && len <= STORE_KEY_MAX;
}

/* Says what the engine had to move out of the way. */
static void
tell_set_aside(struct store *s)
{
    struct store_engine *e = s->engine;

    if (!e->set_aside.len) {
        return;
    }
    s->counters.n_set_aside++;
    log_warn("store", "%s: %s; it was set aside as %s", s->options.path,
             str_text(&e->set_aside_reason), str_text(&e->set_aside));
    if (s->options.set_aside) {
        s->options.set_aside(str_text(&e->set_aside),
                             str_text(&e->set_aside_reason), s->options.aux);
    }
    str_clear(&e->set_aside);
}

int
store_open(const struct store_options *options, struct store **result,
           struct str *error)
{
    struct store *s = xzalloc(sizeof *s);
    const struct store_class *class = options->path ? &store_sqlite
                                                    : &store_memory;
    int err;

    image_init(&s->image);
    err = class->open(options->path, &s->image, &s->engine, error);
    if (err) {
        image_fini(&s->image);
        free(s);
        return err;
    }
    s->options = *options;
    s->options.path = options->path ? xstrdup(options->path) : NULL;
    s->revision = s->engine->revision;
    s->queue_end = &s->queue;
    s->watches_end = &s->watches;
    uv_idle_init(options->loop, &s->turn);
    s->turn.data = s->work.data = s;
    tell_set_aside(s);
    *result = s;
    return 0;
}

/* --- Reading ------------------------------------------------------------ */

const struct store_entry *
store_get(const struct store *s, const char *key)
{
    const struct image_entry *e = image_find(&s->image, key);

    return e && e->shown.version ? &e->shown : NULL;
}

const struct store_entry *
store_next(const struct store *s, const char *prefix,
           const struct store_entry *after)
{
    const struct image_entry *e;

    e = after ? CONTAINER_OF(after, struct image_entry, shown)->next[0]
              : image_seek(&s->image, prefix);
    while (e && !e->shown.version) {
        e = e->next[0];
    }
    return e && !strncmp(e->shown.key, prefix, strlen(prefix)) ? &e->shown
                                                               : NULL;
}

uint64_t
store_revision(const struct store *s)
{
    return s->revision;
}

struct store_counters
store_get_counters(const struct store *s)
{
    struct store_counters counters = s->counters;

    counters.n_entries = s->image.n_entries;
    counters.n_bytes = s->image.n_bytes;
    return counters;
}

/* --- Transactions ------------------------------------------------------- */

struct store_txn *
store_txn_create(enum store_durability durability)
{
    struct store_txn *txn = xzalloc(sizeof *txn);

    txn->durability = durability;
    return txn;
}

void
store_txn_destroy(struct store_txn *txn)
{
    if (!txn) {
        return;
    }
    for (size_t i = 0; i < txn->n_ops; i++) {
        free(txn->ops[i].key);
        free(txn->ops[i].value);
    }
    free(txn->ops);
    free(txn);
}

static void
refuse(struct store_txn *txn, int err, const char *text, const char *key)
{
    if (!txn->err) {
        txn->err = err;
        txn->text = text;
        txn->key = key;
    }
}

static struct store_op *
add_op(struct store_txn *txn, const char *key, uint64_t if_version)
{
    struct store_op *op;

    if (txn->n_ops == txn->n_ops_room) {
        txn->n_ops_room = txn->n_ops_room ? 2 * txn->n_ops_room : 2;
        txn->ops = xrealloc(txn->ops, txn->n_ops_room * sizeof *txn->ops);
    }
    op = &txn->ops[txn->n_ops++];
    *op = (struct store_op) { .key = xstrdup(key), .if_version = if_version };
    txn->n_bytes += strlen(key);
    if (!store_key_is_valid(key)) {
        refuse(txn, -EINVAL, "a key is 1 to 255 printable characters",
               op->key);
    } else if (txn->n_ops > STORE_TXN_MAX) {
        refuse(txn, -E2BIG, "too many operations in one transaction", NULL);
    }
    return op;
}

void
store_txn_put(struct store_txn *txn, const char *key, const void *value,
              size_t value_size, uint64_t if_version)
{
    struct store_op *op = add_op(txn, key, if_version);

    if (value_size > STORE_VALUE_MAX) {
        refuse(txn, -E2BIG, "the value is too large", op->key);
        return;
    }
    op->value = xmalloc(value_size + 1);  /* NULL would be a delete */
    if (value_size) {
        memcpy(op->value, value, value_size);
    }
    op->value_size = value_size;
    txn->n_bytes += value_size;
}

void
store_txn_delete(struct store_txn *txn, const char *key, uint64_t if_version)
{
    add_op(txn, key, if_version);
}

static void
wake(struct store *s)
{
    s->phase = DUE;
    uv_idle_start(&s->turn, on_turn);
}

int
store_commit(struct store *s, struct store_txn *txn, store_done *done,
             void *aux)
{
    int err = 0;

    if (s->is_closing) {
        err = -ESHUTDOWN;
    } else if (s->n_pending >= STORE_MAX_PENDING
               || (s->n_pending
                   && s->n_pending_bytes + txn->n_bytes
                      > STORE_MAX_PENDING_BYTES)) {
        err = -ENOBUFS;
    }
    if (err) {
        s->counters.n_refused++;
        store_txn_destroy(txn);
        return err;
    }
    txn->done = done;
    txn->aux = aux;
    *s->queue_end = txn;
    s->queue_end = &txn->next;
    s->n_pending++;
    s->n_pending_bytes += txn->n_bytes;
    if (s->phase == IDLE) {
        wake(s);
    }
    return 0;
}

/* --- Groups ------------------------------------------------------------- */

/* Would the version be right once the group's earlier transactions are done?
 * What they put has a version that nobody can know yet. */
static bool
version_fits(const struct image_entry *e, uint64_t if_version)
{
    if (if_version == STORE_ANY) {
        return true;
    }
    if (e->staged) {
        return e->staged_delete && if_version == STORE_ABSENT;
    }
    return if_version == e->shown.version;
}

static void
check_versions(struct store *s, struct store_txn *txn)
{
    s->n_checks++;
    for (size_t i = 0; i < txn->n_ops && !txn->err; i++) {
        struct store_op *op = &txn->ops[i];

        op->entry = image_insert(&s->image, op->key);
        if (op->entry->looked_at == s->n_checks) {
            refuse(txn, -EINVAL, "the key occurs twice in one transaction",
                   op->key);
        } else if (!version_fits(op->entry, op->if_version)) {
            refuse(txn, -ESTALE, "it was changed meanwhile", op->key);
        }
        op->entry->looked_at = s->n_checks;
    }
}

/* What was made for the check and is not used goes again.  A key that occurs
 * twice has one entry. */
static void
forget_entries(struct store *s, struct store_txn *txn)
{
    for (size_t i = 0; i < txn->n_ops; i++) {
        struct image_entry *e = image_find(&s->image, txn->ops[i].key);

        if (e) {
            image_tidy(&s->image, e);
        }
    }
}

static void
check(struct store *s, struct store_txn *txn, size_t *n_group_bytes)
{
    if (s->image.n_bytes + *n_group_bytes + txn->n_bytes > STORE_MAX_BYTES) {
        refuse(txn, -ENOSPC, "the store holds as much as it may", NULL);
    }
    check_versions(s, txn);
    if (txn->err) {
        forget_entries(s, txn);
        return;
    }
    *n_group_bytes += txn->n_bytes;
    for (size_t i = 0; i < txn->n_ops; i++) {
        struct store_op *op = &txn->ops[i];

        op->entry->staged = txn;
        op->entry->staged_delete = !op->value;
    }
}

static void
begin_group(struct store *s)
{
    struct store_txn **link = &s->group.first;
    size_t n_bytes = 0;
    bool any = false;

    s->group = (struct store_group) { .first = s->queue };
    for (unsigned int n = 0; *link && n < GROUP_MAX; n++) {
        struct store_txn *txn = *link;

        check(s, txn, &n_bytes);
        if (!txn->err) {
            any = true;
            s->group.durability = MAX(s->group.durability, txn->durability);
        }
        link = &txn->next;
    }
    s->queue = *link;
    *link = NULL;
    if (!s->queue) {
        s->queue_end = &s->queue;
    }

    s->group_err = 0;
    if (any) {
        s->phase = WRITING;
        s->counters.n_groups++;
        uv_queue_work(s->turn.loop, &s->work, on_write, on_written);
    } else {
        finish_group(s);
    }
}

static void
on_turn(uv_idle_t *turn)
{
    uv_idle_stop(turn);
    begin_group(turn->data);
}

static void
on_write(uv_work_t *work)
{
    struct store *s = work->data;

    s->group_err = s->engine->class->commit(s->engine, &s->group);
}

static void
on_written(uv_work_t *work, int status UNUSED)
{
    struct store *s = work->data;

    tell_set_aside(s);
    finish_group(s);
}

/* --- Results ------------------------------------------------------------ */

static void
tell_watches(struct store *s, const struct store_change *change)
{
    for (struct store_watch *w = s->watches; w; w = w->next) {
        if (w->changed && !strncmp(change->key, w->prefix, w->prefix_len)) {
            w->changed(change, w->aux);
        }
    }
}

/* The operation's change becomes visible. */
static void
show_op(struct store *s, struct store_txn *txn, struct store_op *op)
{
    struct image_entry *e = op->entry;

    if (op->value) {
        image_put(&s->image, e, op->value, op->value_size, txn->version);
        op->value = NULL;
    } else if (e->shown.version) {
        image_delete(&s->image, e);
    } else {
        op->entry = NULL;         /* nothing was deleted */
    }
    if (e->staged == txn) {
        e->staged = NULL;
    }
    image_tidy(&s->image, e);
}

/* Watches are called when the whole transaction is visible. */
static void
show_txn(struct store *s, struct store_txn *txn)
{
    s->revision = txn->version;
    s->counters.n_commits++;
    for (size_t i = 0; i < txn->n_ops; i++) {
        show_op(s, txn, &txn->ops[i]);
    }
    for (size_t i = 0; i < txn->n_ops; i++) {
        struct store_op *op = &txn->ops[i];

        if (op->entry) {
            tell_watches(s, &(struct store_change) {
                .key = op->key,
                .entry = store_get(s, op->key),
                .version = txn->version,
            });
        }
    }
}

static void
abandon_txn(struct store *s, struct store_txn *txn)
{
    for (size_t i = 0; i < txn->n_ops; i++) {
        struct image_entry *e = txn->ops[i].entry;

        if (e->staged == txn) {
            e->staged = NULL;
            image_tidy(&s->image, e);
        }
    }
    refuse(txn, s->group_err, str_text(&s->engine->error), NULL);
    s->counters.n_failed++;
}

static void
finish_txn(struct store *s, struct store_txn *txn)
{
    struct store_result result;

    if (txn->err) {
        s->counters.n_conflicts += txn->err == -ESTALE;
        s->counters.n_refused += txn->err != -ESTALE;
    } else if (s->group_err) {
        abandon_txn(s, txn);
    } else {
        show_txn(s, txn);
    }
    s->n_pending--;
    s->n_pending_bytes -= txn->n_bytes;
    result = (struct store_result) {
        .err = txn->err,
        .text = txn->text,
        .key = txn->key,
        .version = txn->err ? 0 : txn->version,
    };
    if (txn->done) {
        txn->done(&result, txn->aux);
    }
    store_txn_destroy(txn);
}

static void
free_ended_watches(struct store *s)
{
    struct store_watch **link = &s->watches;

    while (*link) {
        struct store_watch *w = *link;

        if (w->changed) {
            link = &w->next;
        } else {
            *link = w->next;
            free(w->prefix);
            free(w);
        }
    }
    s->watches_end = link;
}

static void
finish_group(struct store *s)
{
    s->phase = FINISHING;
    while (s->group.first) {
        struct store_txn *txn = s->group.first;

        s->group.first = txn->next;
        finish_txn(s, txn);
    }
    free_ended_watches(s);
    s->phase = IDLE;
    if (s->queue) {
        wake(s);
    } else if (s->is_closing) {
        begin_closing(s);
    }
}

/* --- Watches ------------------------------------------------------------ */

struct store_watch *
store_watch(struct store *s, const char *prefix, store_changed *changed,
            void *aux)
{
    struct store_watch *w = xzalloc(sizeof *w);

    w->store = s;
    w->prefix = xstrdup(prefix);
    w->prefix_len = strlen(prefix);
    w->changed = changed;
    w->aux = aux;
    *s->watches_end = w;
    s->watches_end = &w->next;
    return w;
}

void
store_unwatch(struct store_watch *w)
{
    if (w) {
        w->changed = NULL;
        /* Somebody may be on the way through the list. */
        if (w->store->phase != FINISHING) {
            free_ended_watches(w->store);
        }
    }
}

/* --- The end ------------------------------------------------------------ */

static void
on_gone(uv_handle_t *turn)
{
    struct store *s = turn->data;

    if (s->closed) {
        s->closed(s->closed_aux);
    }
    free((void *) s->options.path);
    free(s);
}

static void
on_close(uv_work_t *work)
{
    struct store *s = work->data;

    s->engine->class->close(s->engine);
}

static void
on_closed(uv_work_t *work, int status UNUSED)
{
    struct store *s = work->data;

    image_fini(&s->image);
    for (struct store_watch *w = s->watches; w; w = w->next) {
        w->changed = NULL;
    }
    free_ended_watches(s);
    uv_close((uv_handle_t *) &s->turn, on_gone);
}

static void
begin_closing(struct store *s)
{
    s->phase = CLOSING;
    uv_queue_work(s->turn.loop, &s->work, on_close, on_closed);
}

void
store_close(struct store *s, void (*closed)(void *aux), void *aux)
{
    s->is_closing = true;
    s->closed = closed;
    s->closed_aux = aux;
    if (s->phase == IDLE) {
        begin_closing(s);
    }
}
