#include "switch/credit.h"

#include <pthread.h>

#include "lib/rcu.h"
#include "unit.h"

/* Tables with one entry, which is credited. */
struct rig {
    struct tables *tables;
    struct fdb *fdb;
    struct recirc *recirc;
    struct credits *credits;
    uint64_t entry;
};

static bool
take_id(void *id, const struct flow_entry *entry)
{
    *(uint64_t *) id = entry->id;
    return false;
}

static void
rig_init(struct rig *rig)
{
    struct tables_config config = { 0 };
    struct table_changes changes;
    struct flow_mod mod;

    rig->tables = tables_create(&config);
    rig->fdb = fdb_create(&(struct fdb_config) { 0 });
    rig->recirc = recirc_create();
    rig->credits = credits_create(rig->tables, rig->fdb, rig->recirc,
                                  NULL);
    flow_mod_init(&mod);
    CHECK(!tables_flow_mod(rig->tables, &mod, 0, NULL));
    flow_mod_fini(&mod);
    tables_publish(rig->tables, &changes);
    tables_visit(rig->tables, OFPTT_ALL, NULL, take_id, &rig->entry);
}

static void
rig_fini(struct rig *rig)
{
    CHECK(credits_count(rig->credits) == 0);
    credits_destroy(rig->credits);
    recirc_destroy(rig->recirc);
    fdb_destroy(rig->fdb);
    tables_destroy(rig->tables);
}

static uint64_t
begin(struct rig *rig, unsigned int worker)
{
    struct credit_list list = { 0 };

    credit_list_add(&list, CREDIT_TABLE_MATCHED, 0, 0);
    credit_list_add(&list, CREDIT_ENTRY, rig->entry, 0);
    return credit_begin(rig->credits, worker, &list);
}

TEST(what_is_pushed_twice_counts_once)
{
    struct flow_entry *entry;
    struct rig rig;
    uint64_t credit;

    rig_init(&rig);
    entry = tables_entry(rig.tables, rig.entry);
    credit = begin(&rig, 0);
    CHECK(credit && credits_count(rig.credits) == 1);
    credit_push(rig.credits, credit, 10, 1000, 5);
    credit_push(rig.credits, credit, 10, 1000, 5);
    credit_push(rig.credits, credit, 7, 700, 9);    /* late, from before */
    CHECK(entry->credit.packets == 10 && entry->credit.bytes == 1000);
    CHECK(entry->credit.used == 5);
    credit_end(rig.credits, credit, 12, 1200, 7);
    CHECK(entry->credit.packets == 12 && entry->credit.used == 7);
    CHECK(tables_stats(rig.tables, 0)->matched == 12);
    rig_fini(&rig);
}

TEST(a_station_is_refreshed_and_a_state_kept_by_what_refers_to_them)
{
    struct fdb_key key = { { { 2, 0, 0, 0, 0, 1 } }, 10 };
    struct credit_list list = { 0 };
    struct rig rig;
    uint64_t credit, bytes = 1;
    uint32_t id;

    rig_init(&rig);
    id = recirc_id(rig.recirc, &bytes, sizeof bytes, 0);
    fdb_learn(rig.fdb, key, 3, 0);
    credit_list_add(&list, CREDIT_RECIRC, id, 0);
    credit_list_add_station(&list, key, 3, fdb_generation(rig.fdb));
    credit = credit_begin(rig.credits, 1, &list);

    credit_push(rig.credits, credit, 1, 64, 299 * 1000);
    fdb_expire(rig.fdb, 301 * 1000);
    CHECK(fdb_lookup(rig.fdb, key) == 3);
    CHECK(recirc_expire(rig.recirc, 301 * 1000) == 0);
    credit_end(rig.credits, credit, 1, 64, 299 * 1000);
    CHECK(recirc_expire(rig.recirc, 400 * 1000) == 1);
    rig_fini(&rig);
}

/* Two threads push the counts of entries that live shortly; each count comes
 * from one place and only grows, as those of the cache do. */
struct pusher {
    struct rig *rig;
    _Atomic uint64_t credit, packets;
    atomic_bool stop;
};

static void *
push_what_is_there(void *aux)
{
    struct pusher *p = aux;

    rcu_thread_begin();
    while (!atomic_load(&p->stop)) {
        uint64_t packets = atomic_load(&p->packets);
        uint64_t credit = atomic_load(&p->credit);

        /* A count of the entry before must not be taken for this one's. */
        if (credit && packets >> 32 == (credit & 0xffffffff)) {
            credit_push(p->rig->credits, credit, packets & 0xffffffff, 0, 1);
        }
        rcu_quiescent();
    }
    rcu_thread_end();
    return NULL;
}

TEST(concurrent_pushes_lose_and_double_nothing)
{
    struct pusher p = { 0 };
    pthread_t threads[2];
    struct rig rig;
    uint64_t total = 0;

    rig_init(&rig);
    p.rig = &rig;
    for (unsigned int i = 0; i < 2; i++) {
        CHECK(!pthread_create(&threads[i], NULL, push_what_is_there, &p));
    }
    for (unsigned int i = 0; i < 2000; i++) {
        uint64_t credit = begin(&rig, 0), n = i % 50;

        atomic_store(&p.packets, (credit & 0xffffffff) << 32);
        atomic_store(&p.credit, credit);
        for (uint64_t k = 1; k <= n; k++) {
            atomic_store(&p.packets, (credit & 0xffffffff) << 32 | k);
        }
        atomic_store(&p.credit, 0);
        credit_end(rig.credits, credit, n, 0, 1);
        total += n;
        rcu_quiescent();
    }
    atomic_store(&p.stop, true);
    rcu_offline();
    for (unsigned int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    rcu_online();
    CHECK(tables_entry(rig.tables, rig.entry)->credit.packets == total);
    rig_fini(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_is_pushed_twice_counts_once),
        RUN(a_station_is_refreshed_and_a_state_kept_by_what_refers_to_them),
        RUN(concurrent_pushes_lose_and_double_nothing),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
