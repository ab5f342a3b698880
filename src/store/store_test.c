/* What holds for every engine, tried with the one that keeps nothing. */
#include "store/store.h"

#include "store/store_lab.h"
#include "unit.h"

/* Writes what happens into a text, to be compared with a sentence. */
struct story {
    struct lab lab;
    struct str text;
    unsigned int n_done;
    bool all_done;
    struct store_watch *watch;
};

static void
begin(struct story *story)
{
    memset(story, 0, sizeof *story);
    lab_init(&story->lab);
    lab_open_in_memory(&story->lab);
}

static void
end(struct story *story)
{
    lab_fini(&story->lab);
    str_fini(&story->text);
}

static bool
reads(struct story *story, const char *text)
{
    bool same = !strcmp(str_text(&story->text), text);

    if (!same) {
        print_error("it reads: %s\n", str_text(&story->text));
    }
    str_clear(&story->text);
    return same;
}

static void
note_done(const struct store_result *r, void *aux)
{
    struct story *story = aux;

    str_addf(&story->text, "done %d%s%s;", -r->err, r->key ? " " : "",
             r->key ? r->key : "");
    CHECK(!r->err == !r->text);
    story->all_done = !--story->n_done;
}

static void
note_change(const struct store_change *c, void *aux)
{
    struct story *story = aux;

    CHECK(c->version == store_revision(story->lab.store));
    str_addf(&story->text, "%s%s@%d;", c->entry ? "+" : "-", c->key,
             (int) c->version);
    if (c->entry) {
        CHECK(c->entry->version == c->version);
        CHECK(store_get(story->lab.store, c->key) == c->entry);
    }
}

static struct store_txn *
put(const char *key, uint64_t if_version)
{
    struct store_txn *txn = store_txn_create(STORE_PROCESS);

    store_txn_put(txn, key, "v", 1, if_version);
    return txn;
}

static struct store_txn *
delete(const char *key, uint64_t if_version)
{
    struct store_txn *txn = store_txn_create(STORE_PROCESS);

    store_txn_delete(txn, key, if_version);
    return txn;
}

static void
ask(struct story *story, struct store_txn *txn)
{
    story->n_done++;
    story->all_done = false;
    CHECK(!store_commit(story->lab.store, txn, note_done, story));
}

static void
wait_all(struct story *story)
{
    lab_wait(&story->lab, &story->all_done);
}

TEST(what_was_put_is_found_until_it_is_deleted)
{
    struct story s;

    begin(&s);
    CHECK(!store_get(s.lab.store, "a"));
    CHECK(!lab_put(&s.lab, "a", "one", STORE_ANY));
    CHECK(lab_has(&s.lab, "a", "one"));
    CHECK(!lab_put(&s.lab, "a", "", STORE_ANY));
    CHECK(lab_has(&s.lab, "a", ""));
    CHECK(!lab_delete(&s.lab, "a", STORE_ANY));
    CHECK(!store_get(s.lab.store, "a"));
    CHECK(store_get_counters(s.lab.store).n_entries == 0);
    CHECK(store_get_counters(s.lab.store).n_bytes == 0);
    end(&s);
}

TEST(nothing_happens_before_the_loop_turns)
{
    struct story s;

    begin(&s);
    ask(&s, put("a", STORE_ANY));
    CHECK(reads(&s, ""));
    CHECK(!store_get(s.lab.store, "a"));
    wait_all(&s);
    CHECK(reads(&s, "done 0;"));
    CHECK(store_get(s.lab.store, "a"));
    end(&s);
}

TEST(a_list_is_in_order_and_of_its_prefix)
{
    static const char *const keys[] = { "net/b", "net", "net/a", "nets/c",
                                        "net/aa", "a", "net/" };
    struct str list = STR_INIT;
    struct story s;

    begin(&s);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        CHECK(!lab_put(&s.lab, keys[i], "", STORE_ANY));
    }
    STORE_FOR_EACH (e, s.lab.store, "net/") {
        str_addf(&list, "%s ", e->key);
    }
    CHECK(!strcmp(str_text(&list), "net/ net/a net/aa net/b "));
    str_clear(&list);
    STORE_FOR_EACH (e, s.lab.store, "") {
        str_addf(&list, "%s ", e->key);
    }
    CHECK(!strcmp(str_text(&list),
                  "a net net/ net/a net/aa net/b nets/c "));
    CHECK(!store_next(s.lab.store, "x", NULL));
    str_fini(&list);
    end(&s);
}

TEST(a_group_s_answers_come_in_the_order_of_the_requests)
{
    struct story s;

    begin(&s);
    store_watch(s.lab.store, "", note_change, &s);
    ask(&s, put("a", STORE_ABSENT));
    ask(&s, put("b", 77));
    ask(&s, put("c", STORE_ANY));
    ask(&s, put("bad key", STORE_ANY));
    ask(&s, delete("a", STORE_ANY));
    wait_all(&s);
    CHECK(reads(&s, "+a@1;done 0;done 116 b;+c@2;done 0;done 22 bad key;"
                "-a@3;done 0;"));
    CHECK(store_get_counters(s.lab.store).n_groups == 1);
    CHECK(store_get_counters(s.lab.store).n_commits == 3);
    CHECK(store_get_counters(s.lab.store).n_conflicts == 1);
    CHECK(store_get_counters(s.lab.store).n_refused == 1);
    end(&s);
}

TEST(a_version_that_is_another_is_a_conflict)
{
    struct story s;

    begin(&s);
    CHECK(!lab_put(&s.lab, "a", "1", STORE_ABSENT));
    CHECK(lab_put(&s.lab, "a", "2", STORE_ABSENT) == -ESTALE);
    CHECK(lab_put(&s.lab, "a", "2", 2) == -ESTALE);
    CHECK(!lab_put(&s.lab, "a", "2", 1));
    CHECK(lab_delete(&s.lab, "a", 1) == -ESTALE);
    CHECK(lab_has(&s.lab, "a", "2"));
    CHECK(!lab_delete(&s.lab, "a", 2));
    CHECK(lab_delete(&s.lab, "a", 2) == -ESTALE);
    CHECK(!lab_delete(&s.lab, "a", STORE_ABSENT));
    CHECK(!lab_put(&s.lab, "a", "3", STORE_ABSENT));
    end(&s);
}

TEST(within_a_group_the_earlier_request_wins)
{
    struct story s;

    begin(&s);
    CHECK(!lab_put(&s.lab, "a", "1", STORE_ABSENT));
    ask(&s, put("a", 1));
    ask(&s, put("a", 1));
    ask(&s, delete("a", 1));
    ask(&s, put("a", STORE_ABSENT));
    ask(&s, delete("a", STORE_ANY));
    ask(&s, put("a", STORE_ABSENT));
    ask(&s, put("a", STORE_ABSENT));
    wait_all(&s);
    CHECK(reads(&s, "done 0;done 116 a;done 116 a;done 116 a;done 0;done 0;"
                "done 116 a;"));
    CHECK(store_get(s.lab.store, "a")->version == 4);
    end(&s);
}

TEST(a_transaction_is_done_whole_or_not_at_all)
{
    struct story s;
    struct store_txn *txn;

    begin(&s);
    store_watch(s.lab.store, "", note_change, &s);
    txn = put("a", STORE_ANY);
    store_txn_put(txn, "b", "v", 1, STORE_ANY);
    store_txn_delete(txn, "c", 5);
    CHECK(lab_commit(&s.lab, txn) == -ESTALE);
    CHECK(!store_get(s.lab.store, "a") && !store_get(s.lab.store, "b"));

    txn = put("a", STORE_ANY);
    store_txn_put(txn, "b", "v", 1, STORE_ANY);
    store_txn_delete(txn, "c", STORE_ANY);
    CHECK(!lab_commit(&s.lab, txn));
    CHECK(reads(&s, "+a@1;+b@1;"));
    end(&s);
}

TEST(what_cannot_be_kept_is_refused)
{
    static char large[STORE_VALUE_MAX + 1], key[STORE_KEY_MAX + 2];
    struct story s;
    struct store_txn *txn;

    begin(&s);
    txn = store_txn_create(STORE_PROCESS);
    store_txn_put(txn, "a", large, sizeof large, STORE_ANY);
    CHECK(lab_commit(&s.lab, txn) == -E2BIG);
    txn = store_txn_create(STORE_PROCESS);
    store_txn_put(txn, "a", large, sizeof large - 1, STORE_ANY);
    CHECK(!lab_commit(&s.lab, txn));

    memset(key, 'k', sizeof key - 1);
    CHECK(lab_put(&s.lab, key, "", STORE_ANY) == -EINVAL);
    key[STORE_KEY_MAX] = '\0';
    CHECK(!lab_put(&s.lab, key, "", STORE_ANY));
    CHECK(lab_put(&s.lab, "", "", STORE_ANY) == -EINVAL);
    CHECK(lab_put(&s.lab, "\xc3\xa4", "", STORE_ANY) == -EINVAL);

    txn = put("b", STORE_ANY);
    store_txn_delete(txn, "b", STORE_ANY);
    CHECK(lab_commit(&s.lab, txn) == -EINVAL);
    CHECK(!store_get(s.lab.store, "b"));
    end(&s);
}

TEST(a_queue_that_is_too_long_says_so_at_once)
{
    struct story s;

    begin(&s);
    for (unsigned int i = 0; i < STORE_MAX_PENDING; i++) {
        ask(&s, put("a", STORE_ANY));
    }
    CHECK(store_commit(s.lab.store, put("a", STORE_ANY), NULL, NULL)
          == -ENOBUFS);
    wait_all(&s);
    CHECK(!lab_put(&s.lab, "a", "", STORE_MAX_PENDING));
    end(&s);
}

/* A callback that does everything a callback may. */
static void
change_more(const struct store_change *c, void *aux)
{
    struct story *story = aux;

    note_change(c, story);
    store_unwatch(story->watch);
    story->watch = store_watch(story->lab.store, "late", note_change, story);
    ask(story, put("late", STORE_ANY));
}

TEST(a_watch_sees_its_prefix_until_it_ends)
{
    struct story s;

    begin(&s);
    s.watch = store_watch(s.lab.store, "net/", note_change, &s);
    CHECK(!lab_put(&s.lab, "net/a", "", STORE_ANY));
    CHECK(!lab_put(&s.lab, "nets", "", STORE_ANY));
    CHECK(reads(&s, "+net/a@1;"));
    store_unwatch(s.watch);
    store_unwatch(NULL);
    CHECK(!lab_put(&s.lab, "net/a", "", STORE_ANY));
    CHECK(reads(&s, ""));
    end(&s);
}

TEST(a_watch_may_end_itself_begin_another_and_commit)
{
    struct story s;

    begin(&s);
    s.watch = store_watch(s.lab.store, "", change_more, &s);
    ask(&s, put("a", STORE_ANY));
    ask(&s, put("b", STORE_ANY));
    wait_all(&s);
    CHECK(reads(&s, "+a@1;done 0;done 0;+late@3;done 0;"));
    end(&s);
}

TEST(closing_commits_what_waits)
{
    struct story s;

    begin(&s);
    ask(&s, put("a", STORE_ANY));
    ask(&s, put("b", 9));
    store_close(s.lab.store, NULL, NULL);
    CHECK(store_commit(s.lab.store, put("c", STORE_ANY), note_done, &s)
          == -ESHUTDOWN);
    s.lab.store = NULL;
    uv_run(&s.lab.loop, UV_RUN_DEFAULT);
    CHECK(reads(&s, "done 0;done 116 b;"));
    end(&s);
}

TESTS(
    RUN(what_was_put_is_found_until_it_is_deleted),
    RUN(nothing_happens_before_the_loop_turns),
    RUN(a_list_is_in_order_and_of_its_prefix),
    RUN(a_group_s_answers_come_in_the_order_of_the_requests),
    RUN(a_version_that_is_another_is_a_conflict),
    RUN(within_a_group_the_earlier_request_wins),
    RUN(a_transaction_is_done_whole_or_not_at_all),
    RUN(what_cannot_be_kept_is_refused),
    RUN(a_queue_that_is_too_long_says_so_at_once),
    RUN(a_watch_sees_its_prefix_until_it_ends),
    RUN(a_watch_may_end_itself_begin_another_and_commit),
    RUN(closing_commits_what_waits),
)
