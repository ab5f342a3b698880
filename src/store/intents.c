#include "store/intents.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/time.h>

#include "intent/diag.h"
#include "intent/parse.h"
#include "intent/schema.h"
#include "lib/log.h"

#define IN_FORCE "intent/"
#define BEFORE "before/"
#define DEADLINE "before/deadline"

enum change { CHANGE_APPLY, CHANGE_CONFIRM, CHANGE_ROLL_BACK };

/* What is being written. */
struct pending {
    enum change change;
    const struct intent *next;    /* owned; NULL: the set stays */
    int64_t deadline;             /* 0: for good */
    intents_done *done;
    void *aux;
};

struct intents {
    struct store *store;
    uv_timer_t timer;             /* for the deadline */
    const struct intent *current; /* owned */
    const struct intent *before;  /* to go back to; NULL: nothing waits */
    int64_t deadline;
    uint64_t generation;
    struct pending *pending;
    bool is_dead;                 /* destroyed, but for the loop's sake */
    bool is_closed;               /* the timer is gone */
    void (*changed)(void *aux, const struct intent *);
    void *aux;
};

static int64_t
wall_clock_msec(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return now.tv_sec * INT64_C(1000) + now.tv_usec / 1000;
}

/* ---- What is kept ---- */

static void
key_of(struct str *key, const char *prefix,
       const struct intent_object *object)
{
    str_clear(key);
    str_addf(key, "%s%s/%s", prefix, intent_kind_noun(object->kind),
             object->name);
}

/* False: the key is none of an object's. */
static bool
parse_key(const char *key, enum intent_kind *kind, const char **name)
{
    size_t len = strcspn(key, "/");

    for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
        const char *noun = intent_kind_noun((enum intent_kind) k);

        if (key[len] && strlen(noun) == len && !strncmp(noun, key, len)) {
            *kind = (enum intent_kind) k;
            *name = key + len + 1;
            return true;
        }
    }
    return false;
}

static void
put_object(struct store_txn *txn, const char *prefix,
           const struct intent_object *object)
{
    struct str key = STR_INIT;
    json_t *json = members_format(intent_noun(object->kind)->members,
                                  object, object->given);
    char *text;

    /* A trace ends where the operator wrote it, after a restart as well. */
    json = json_pack("{s:o, s:s*, s:i, s:i}", "members", json, "file",
                     object->place.file, "line", (int) object->place.line,
                     "column", (int) object->place.column);
    text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    key_of(&key, prefix, object);
    store_txn_put(txn, str_text(&key), text, strlen(text), STORE_ANY);
    free(text);
    json_decref(json);
    str_fini(&key);
}

static struct intent_object *
read_object(enum intent_kind kind, const char *name,
            const struct store_entry *entry, struct diagnostics *diag)
{
    json_error_t error;
    json_t *json = json_loadb(entry->value, entry->value_size, 0, &error);
    json_t *members = NULL, *file = NULL;
    int line = 0, column = 0;
    struct intent_object *object = NULL;

    if (!json) {
        diag_add(diag, NULL, entry->key, "is no JSON: %s", error.text);
    } else if (json_unpack_ex(json, &error, 0, "{s:o, s?o, s?i, s?i}",
                              "members", &members, "file", &file, "line",
                              &line, "column", &column)) {
        diag_add(diag, NULL, entry->key, "%s", error.text);
    } else {
        object = intent_parse_object(kind, name, members, diag);
    }
    /* What a command made has no file. */
    if (object && json_is_string(file) && !object->place.file) {
        object->place = (struct place) {
            xstrdup(json_string_value(file)), (uint32_t) line,
            (uint32_t) column,
        };
    }
    json_decref(json);
    return object;
}

static void
log_diagnostics(struct diagnostics *diag)
{
    for (unsigned int i = 0; i < diag->n; i++) {
        log_error("store", "an intent that was kept is left out: %s%s%s",
                  diag->list[i].path ? diag->list[i].path : "",
                  diag->list[i].path ? ": " : "", diag->list[i].what);
    }
}

/* What can be read, as a set to be sealed. */
static struct intent *
read_objects(const struct store *store, const char *prefix)
{
    struct intent *set = intent_create();

    STORE_FOR_EACH (entry, store, prefix) {
        struct diagnostics *diag = diag_create();
        struct intent_object *object;
        enum intent_kind kind;
        const char *name;

        if (parse_key(entry->key + strlen(prefix), &kind, &name)) {
            object = read_object(kind, name, entry, diag);
            if (object) {
                intent_set(set, object);
            }
        }
        log_diagnostics(diag);
        diag_destroy(diag);
    }
    return set;
}

/* Whole, or without the objects that no longer hold together: of those that a
 * diagnostic is about the last kind goes first, since others mention the first
 * ones. */
static const struct intent *
read_set(const struct store *store, const char *prefix)
{
    struct intent *set = read_objects(store, prefix);

    for (int kind = N_INTENT_KINDS; kind >= 0; kind--) {
        struct diagnostics *diag = diag_create();
        struct intent *copy = intent_copy(set);
        bool is_sealed = intent_seal(copy, diag);

        if (!is_sealed) {
            log_diagnostics(diag);
        }
        diag_destroy(diag);
        if (is_sealed) {
            intent_unref(set);
            return copy;
        }
        intent_unref(copy);
        if (kind > 0) {
            const struct intent_object *o;

            log_error("store", "kept %ss are left out: the intents do not "
                      "hold together",
                      intent_kind_noun((enum intent_kind) (kind - 1)));
            while ((o = intent_next(set, (enum intent_kind) (kind - 1),
                                    NULL))) {
                intent_remove(set, o->kind, o->name);
            }
        }
    }
    return set;
}

/* ---- From one set to the next ---- */

/* What takes the store from `old` to `next`. */
static void
add_difference(struct store_txn *txn, const struct intent *old,
               const struct intent *next)
{
    struct str key = STR_INIT;

    for (unsigned int kind = 0; kind < N_INTENT_KINDS; kind++) {
        const struct intent_object *a, *b;
        unsigned int i = 0, n = 0;

        while (a = intent_at(old, (enum intent_kind) kind, i),
               b = intent_at(next, (enum intent_kind) kind, n), a || b) {
            int order = a == b ? 0 : !a ? 1 : !b ? -1
                        : strcmp(a->name, b->name);

            if (order < 0) {
                key_of(&key, IN_FORCE, a);
                store_txn_delete(txn, str_text(&key), STORE_ANY);
            } else if (a != b) {
                put_object(txn, IN_FORCE, b);
            }
            i += order <= 0;
            n += order >= 0;
        }
    }
    str_fini(&key);
}

static void
keep_before(struct intents *intents, struct store_txn *txn,
            int64_t deadline)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long) deadline);

    for (unsigned int k = 0; k < N_INTENT_KINDS; k++) {
        const struct intent_object *o;

        for (unsigned int i = 0;
             (o = intent_at(intents->current, (enum intent_kind) k, i));
             i++) {
            put_object(txn, BEFORE, o);
        }
    }
    store_txn_put(txn, DEADLINE, text, (size_t) len, STORE_ANY);
}

static void
forget_before(struct intents *intents, struct store_txn *txn)
{
    STORE_FOR_EACH (entry, intents->store, BEFORE) {
        store_txn_delete(txn, entry->key, STORE_ANY);
    }
}

static void on_deadline(uv_timer_t *);

static void
set_deadline(struct intents *intents, int64_t deadline)
{
    int64_t rest = deadline - wall_clock_msec();

    intents->deadline = deadline;
    if (deadline) {
        uv_timer_start(&intents->timer, on_deadline,
                       (uint64_t) MAX(rest, 0), 0);
    } else {
        uv_timer_stop(&intents->timer);
        intent_unref(intents->before);
        intents->before = NULL;
    }
}

static void
put_in_force(struct intents *intents, const struct intent *next)
{
    intent_unref(intents->current);
    intents->current = next;
    intents->generation++;
    if (intents->changed) {
        intents->changed(intents->aux, next);
    }
}

static void
carry_out(struct intents *intents, struct pending *pending)
{
    switch (pending->change) {
    case CHANGE_APPLY:
        if (pending->deadline) {
            intents->before = intent_ref(intents->current);
            set_deadline(intents, pending->deadline);
        }
        break;
    case CHANGE_CONFIRM:
    case CHANGE_ROLL_BACK:
        set_deadline(intents, 0);
        break;
    }
    if (pending->next) {
        put_in_force(intents, pending->next);
        pending->next = NULL;
    }
}

static void
free_if_done(struct intents *intents)
{
    if (intents->is_dead && intents->is_closed && !intents->pending) {
        free(intents);
    }
}

static void
on_written(const struct store_result *result, void *aux)
{
    struct intents *intents = aux;
    struct pending *pending = intents->pending;

    intents->pending = NULL;
    if (!result->err && !intents->is_dead) {
        carry_out(intents, pending);
    }
    if (pending->done) {
        pending->done(pending->aux, result->err,
                      result->err ? result->text : "");
    }
    intent_unref(pending->next);
    free(pending);
    free_if_done(intents);
}

/* Takes `txn` and `next`. */
static int
begin(struct intents *intents, enum change change, struct store_txn *txn,
      const struct intent *next, int64_t deadline, intents_done *done,
      void *aux)
{
    struct pending *pending = xzalloc(sizeof *pending);
    int err;

    *pending = (struct pending) { change, next, deadline, done, aux };
    intents->pending = pending;
    err = store_commit(intents->store, txn, on_written, intents);
    if (err) {
        intents->pending = NULL;
        intent_unref(next);
        free(pending);
    }
    return err;
}

int
intents_apply(struct intents *intents, const struct intent *next,
              msec confirm, intents_done *done, void *aux)
{
    struct store_txn *txn;
    int64_t deadline = 0;

    if (intents->pending) {
        return -EBUSY;
    }
    if (intents->before) {
        return -EAGAIN;
    }
    txn = store_txn_create(STORE_DISK);
    add_difference(txn, intents->current, next);
    if (confirm) {
        deadline = wall_clock_msec() + confirm;
        keep_before(intents, txn, deadline);
    }
    return begin(intents, CHANGE_APPLY, txn, intent_ref(next), deadline,
                 done, aux);
}

static int
end_waiting(struct intents *intents, enum change change, intents_done *done,
            void *aux)
{
    const struct intent *next = NULL;
    struct store_txn *txn;

    if (intents->pending) {
        return -EBUSY;
    }
    if (!intents->before) {
        return -ENOENT;
    }
    txn = store_txn_create(STORE_DISK);
    if (change == CHANGE_ROLL_BACK) {
        next = intent_ref(intents->before);
        add_difference(txn, intents->current, next);
    }
    forget_before(intents, txn);
    return begin(intents, change, txn, next, 0, done, aux);
}

int
intents_confirm(struct intents *intents, intents_done *done, void *aux)
{
    return end_waiting(intents, CHANGE_CONFIRM, done, aux);
}

int
intents_roll_back(struct intents *intents, intents_done *done, void *aux)
{
    return end_waiting(intents, CHANGE_ROLL_BACK, done, aux);
}

static void
rolled_back(void *aux, int err, const char *text)
{
    struct intents *intents = aux;

    if (!err) {
        log_warn("store", "a change that nobody confirmed was taken back");
    } else if (!intents->is_dead) {
        log_error("store", "a change that nobody confirmed could not be "
                  "taken back: %s; trying again", text);
        uv_timer_start(&intents->timer, on_deadline, 1000, 0);
    }
}

static void
on_deadline(uv_timer_t *timer)
{
    struct intents *intents = timer->data;

    if (intents_roll_back(intents, rolled_back, intents) == -EBUSY) {
        uv_timer_start(timer, on_deadline, 100, 0);
    }
}

/* ---- The module ---- */

static int64_t
kept_deadline(const struct store *store)
{
    const struct store_entry *entry = store_get(store, DEADLINE);
    char text[24] = "";

    if (!entry) {
        return 0;
    }
    memcpy(text, entry->value, MIN(entry->value_size, sizeof text - 1));
    return MAX(strtoll(text, NULL, 10), 1);
}

struct intents *
intents_create(uv_loop_t *loop, struct store *store)
{
    struct intents *intents = xzalloc(sizeof *intents);
    int64_t deadline = kept_deadline(store);

    intents->store = store;
    intents->generation = 1;
    intents->current = read_set(store, IN_FORCE);
    uv_timer_init(loop, &intents->timer);
    intents->timer.data = intents;
    if (deadline) {
        intents->before = read_set(store, BEFORE);
        set_deadline(intents, deadline);
    }
    return intents;
}

static void
timer_closed(uv_handle_t *handle)
{
    struct intents *intents = handle->data;

    intents->is_closed = true;
    free_if_done(intents);
}

void
intents_destroy(struct intents *intents)
{
    struct pending *pending;

    if (!intents) {
        return;
    }
    pending = intents->pending;
    if (pending && pending->done) {
        pending->done(pending->aux, -ECANCELED, "the daemon is ending");
        pending->done = NULL;
    }
    intents->is_dead = true;
    intent_unref(intents->current);
    intent_unref(intents->before);
    uv_close((uv_handle_t *) &intents->timer, timer_closed);
}

const struct intent *
intents_current(const struct intents *intents)
{
    return intents->current;
}

uint64_t
intents_generation(const struct intents *intents)
{
    return intents->generation;
}

int64_t
intents_deadline(const struct intents *intents)
{
    return intents->before ? intents->deadline : 0;
}

void
intents_set_watch(struct intents *intents,
                  void (*changed)(void *aux, const struct intent *),
                  void *aux)
{
    intents->changed = changed;
    intents->aux = aux;
}
