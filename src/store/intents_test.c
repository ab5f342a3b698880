/* Sets come into force, are taken back, and outlive the daemon. */
#include "store/intents.h"

#include "intent/diag.h"
#include "intent/parse.h"
#include "store/store_lab.h"
#include "unit.h"

struct keeper {
    struct lab lab;
    struct intents *intents;
    unsigned int n_changes;       /* sets that the watch saw */
    bool is_done;
    int err;
};

static void
note_change(void *aux, const struct intent *set)
{
    struct keeper *k = aux;

    CHECK(set);
    k->n_changes++;
}

static void
note_done(void *aux, int err, const char *text)
{
    struct keeper *k = aux;

    CHECK(text);
    k->err = err;
    k->is_done = true;
}

static void
begin(struct keeper *k)
{
    CHECK(!lab_open(&k->lab));
    k->intents = intents_create(&k->lab.loop, k->lab.store);
    intents_set_watch(k->intents, note_change, k);
}

static void
end(struct keeper *k)
{
    intents_destroy(k->intents);
    lab_close(&k->lab);
}

static void
keeper_init(struct keeper *k)
{
    *k = (struct keeper) { 0 };
    lab_init(&k->lab);
    begin(k);
}

static void
keeper_fini(struct keeper *k)
{
    end(k);
    lab_fini(&k->lab);
}

static const struct intent *
read_text(const char *text)
{
    struct diagnostics *diag = diag_create();
    struct intent *set = intent_create();

    CHECK(intent_parse(set, "cloud.yaml", text, strlen(text), diag)
          && intent_seal(set, diag));
    diag_destroy(diag);
    return set;
}

static int
apply(struct keeper *k, const char *text, msec confirm)
{
    const struct intent *next = read_text(text);
    int err;

    k->is_done = false;
    err = intents_apply(k->intents, next, confirm, note_done, k);
    intent_unref(next);
    if (!err) {
        lab_wait(&k->lab, &k->is_done);
        err = k->err;
    }
    return err;
}

static const struct intent_object *
network(const struct keeper *k, const char *name)
{
    return intent_find(intents_current(k->intents), INTENT_NETWORK, name);
}

static const char blue[] = "version: 1\n"
                           "networks:\n"
                           "  blue: {subnet: 10.1.0.0/24}\n"
                           "ports:\n"
                           "  web: {network: blue, netns: web}\n";
static const char red[] = "version: 1\n"
                          "networks:\n"
                          "  red: {subnet: 10.1.0.0/24}\n";

TEST(what_was_applied_outlives_the_daemon)
{
    struct keeper k;
    const struct intent_object *object;

    keeper_init(&k);
    CHECK(!apply(&k, blue, 0));
    CHECK(k.n_changes == 1 && network(&k, "blue"));
    end(&k);
    begin(&k);
    object = network(&k, "blue");
    CHECK(object && !strcmp(object->place.file, "cloud.yaml")
          && object->place.line == 3);
    CHECK(intent_find(intents_current(k.intents), INTENT_PORT, "web"));
    CHECK(!apply(&k, red, 0));
    end(&k);
    begin(&k);
    CHECK(!network(&k, "blue") && network(&k, "red"));
    CHECK(!intent_count(intents_current(k.intents), INTENT_PORT));
    keeper_fini(&k);
}

/* As by `weft network create`: it was in no file. */
TEST(what_a_command_made_outlives_the_daemon)
{
    struct keeper k;
    struct diagnostics *diag = diag_create();
    struct intent *next = intent_create();
    json_t *members = json_pack("{s:s}", "subnet", "10.1.0.0/24");
    const struct intent_object *object;

    keeper_init(&k);
    intent_set(next, intent_parse_object(INTENT_NETWORK, "blue", members,
                                         diag));
    CHECK(intent_seal(next, diag));
    CHECK(!intents_apply(k.intents, next, 0, note_done, &k));
    lab_wait(&k.lab, &k.is_done);
    CHECK(!k.err);
    intent_unref(next);
    end(&k);
    begin(&k);
    object = network(&k, "blue");
    CHECK(object && !object->place.file);
    json_decref(members);
    diag_destroy(diag);
    keeper_fini(&k);
}

TEST(an_unconfirmed_change_is_taken_back)
{
    struct keeper k;

    keeper_init(&k);
    CHECK(!apply(&k, blue, 0));
    CHECK(!apply(&k, red, 1));
    while (k.n_changes < 3) {
        uv_run(&k.lab.loop, UV_RUN_ONCE);
    }
    CHECK(network(&k, "blue") && !network(&k, "red"));
    CHECK(!intents_deadline(k.intents));
    end(&k);
    begin(&k);
    CHECK(network(&k, "blue") && !network(&k, "red"));
    keeper_fini(&k);
}

TEST(a_confirmed_change_stays)
{
    struct keeper k;

    keeper_init(&k);
    CHECK(intents_confirm(k.intents, note_done, &k) == -ENOENT);
    CHECK(!apply(&k, blue, 0));
    CHECK(!apply(&k, red, 3600 * 1000));
    CHECK(network(&k, "red") && intents_deadline(k.intents));
    CHECK(apply(&k, blue, 0) == -EAGAIN);
    k.is_done = false;
    CHECK(!intents_confirm(k.intents, note_done, &k));
    lab_wait(&k.lab, &k.is_done);
    CHECK(!k.err && !intents_deadline(k.intents));
    end(&k);
    begin(&k);
    CHECK(network(&k, "red") && !intents_deadline(k.intents));
    keeper_fini(&k);
}

TEST(a_change_that_waits_still_waits_after_a_restart)
{
    struct keeper k;

    keeper_init(&k);
    CHECK(!apply(&k, blue, 0));
    CHECK(!apply(&k, red, 3600 * 1000));
    end(&k);
    begin(&k);
    CHECK(network(&k, "red") && intents_deadline(k.intents));
    k.is_done = false;
    CHECK(!intents_roll_back(k.intents, note_done, &k));
    lab_wait(&k.lab, &k.is_done);
    CHECK(!k.err && network(&k, "blue"));
    keeper_fini(&k);
}

TEST(a_change_whose_time_passed_while_down_is_taken_back)
{
    struct keeper k;

    keeper_init(&k);
    CHECK(!apply(&k, blue, 0));
    CHECK(!apply(&k, red, 3600 * 1000));
    end(&k);
    CHECK(!lab_open(&k.lab));
    CHECK(!lab_put(&k.lab, "before/deadline", "1", STORE_ANY));
    lab_close(&k.lab);
    begin(&k);
    k.n_changes = 0;
    while (!k.n_changes) {
        uv_run(&k.lab.loop, UV_RUN_ONCE);
    }
    CHECK(network(&k, "blue"));
    keeper_fini(&k);
}

TEST(what_cannot_be_read_costs_only_itself)
{
    struct keeper k;

    keeper_init(&k);
    CHECK(!apply(&k, blue, 0));
    end(&k);
    CHECK(!lab_open(&k.lab));
    CHECK(!lab_put(&k.lab, "intent/port/web", "{\"members\": 7", STORE_ANY));
    CHECK(!lab_put(&k.lab, "intent/port/db", "{\"members\": {\"netns\": "
                   "\"db\", \"network\": \"green\"}}", STORE_ANY));
    lab_close(&k.lab);
    begin(&k);
    CHECK(network(&k, "blue"));
    CHECK(!intent_count(intents_current(k.intents), INTENT_PORT));
    /* The next change makes it right again. */
    CHECK(!apply(&k, blue, 0));
    CHECK(intent_find(intents_current(k.intents), INTENT_PORT, "web"));
    keeper_fini(&k);
}

TEST(a_change_under_way_is_told_about_the_end)
{
    struct keeper k;
    const struct intent *next;

    keeper_init(&k);
    next = read_text(blue);
    CHECK(!intents_apply(k.intents, next, 0, note_done, &k));
    CHECK(intents_apply(k.intents, next, 0, note_done, &k) == -EBUSY);
    intent_unref(next);
    CHECK(!k.is_done);
    end(&k);
    CHECK(k.is_done && k.err == -ECANCELED);
    lab_fini(&k.lab);
}

TESTS(
    RUN(what_was_applied_outlives_the_daemon),
    RUN(what_a_command_made_outlives_the_daemon),
    RUN(an_unconfirmed_change_is_taken_back),
    RUN(a_confirmed_change_stays),
    RUN(a_change_that_waits_still_waits_after_a_restart),
    RUN(a_change_whose_time_passed_while_down_is_taken_back),
    RUN(what_cannot_be_read_costs_only_itself),
    RUN(a_change_under_way_is_told_about_the_end),
)
