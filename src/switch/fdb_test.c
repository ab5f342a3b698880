#include "switch/fdb.h"

#include <pthread.h>

#include "lib/rcu.h"
#include "unit.h"

static struct fdb_key
station(uint16_t vid, unsigned int i)
{
    return (struct fdb_key) {
        .mac = { { 2, 0, 0, (uint8_t) (i >> 16), (uint8_t) (i >> 8),
                   (uint8_t) i } },
        .vid = vid,
    };
}

static struct fdb *
make(uint32_t max, uint32_t max_per_port)
{
    struct fdb_config config = { .max = max, .max_per_port = max_per_port };

    return fdb_create(&config);
}

static unsigned int
n_changes(struct fdb *fdb)
{
    struct fdb_change changes[3];
    unsigned int n, total = 0;

    while ((n = fdb_changes(fdb, changes, 3))) {
        total += n;
    }
    return total;
}

TEST(a_learned_station_is_found_in_its_vlan_only)
{
    struct fdb *fdb = make(0, 0);

    CHECK(fdb_lookup(fdb, station(10, 1)) == 0);
    CHECK(fdb_learn(fdb, station(10, 1), 3, 0) == FDB_LEARNED);
    CHECK(fdb_learn(fdb, station(10, 1), 3, 5) == FDB_KNOWN);
    CHECK(fdb_lookup(fdb, station(10, 1)) == 3);
    CHECK(fdb_lookup(fdb, station(11, 1)) == 0);
    CHECK(n_changes(fdb) == 1);
    fdb_destroy(fdb);
}

TEST(a_station_moves_and_tells_so)
{
    struct fdb *fdb = make(0, 0);
    struct fdb_counters c;
    struct fdb_change change;

    fdb_learn(fdb, station(0, 7), 1, 0);
    CHECK(n_changes(fdb) == 1);
    CHECK(fdb_learn(fdb, station(0, 7), 2, 1) == FDB_MOVED);
    CHECK(fdb_lookup(fdb, station(0, 7)) == 2);
    CHECK(fdb_changes(fdb, &change, 1) == 1);
    CHECK(eth_addr_eq(change.mac, station(0, 7).mac));
    CHECK(!change.is_new);
    CHECK(fdb_changes(fdb, &change, 1) == 0);
    fdb_read_counters(fdb, &c);
    CHECK(c.moved == 1);
    fdb_destroy(fdb);
}

struct restless {
    unsigned int n;
    uint32_t port, home;
};

static void
note_restless(void *noted_, struct fdb_key key, uint32_t port, uint32_t home)
{
    struct restless *noted = noted_;

    CHECK(key.vid == 3);
    noted->n++;
    noted->port = port;
    noted->home = home;
}

TEST(a_station_that_moves_too_often_is_told_with_the_port_it_came_from)
{
    struct restless noted = { 0 };
    struct fdb_config config = { .max_moves = 5, .restless = note_restless,
                                 .aux = &noted };
    struct fdb *fdb = fdb_create(&config);
    msec now = 0;

    fdb_learn(fdb, station(3, 7), 1, now);
    for (int i = 0; i < 5; i++) {
        CHECK(fdb_learn(fdb, station(3, 7), i % 2 ? 1 : 2, now += 100)
              == FDB_MOVED);
    }
    CHECK(fdb_learn(fdb, station(3, 7), 2, now + FDB_SETTLE_MS - 1)
          == FDB_UNSETTLED);
    CHECK(fdb_learn(fdb, station(3, 7), 2, now + FDB_SETTLE_MS)
          == FDB_KNOWN);
    CHECK(noted.n == 0);
    fdb_learn(fdb, station(3, 7), 1, now += 100);
    CHECK(noted.n == 1 && noted.port == 2 && noted.home == 1);

    /* Counted anew, and only within the window. */
    for (int i = 0; i < 40; i++) {
        fdb_learn(fdb, station(3, 7), i % 2 ? 1 : 2, now += 2100);
    }
    CHECK(noted.n == 1);
    fdb_destroy(fdb);
}

TEST(a_silent_station_ages_and_a_refreshed_one_stays)
{
    struct fdb *fdb = make(0, 0);

    fdb_learn(fdb, station(0, 1), 1, 0);
    fdb_learn(fdb, station(0, 2), 1, 0);
    n_changes(fdb);
    fdb_refresh(fdb, station(0, 2), 1, fdb_generation(fdb), 200 * 1000);
    fdb_expire(fdb, 300 * 1000);
    CHECK(fdb_lookup(fdb, station(0, 1)) == 0);
    CHECK(fdb_lookup(fdb, station(0, 2)) == 1);
    CHECK(fdb_count(fdb) == 1);
    CHECK(n_changes(fdb) == 1);
    fdb_destroy(fdb);
}

TEST(late_counts_of_the_old_port_do_not_pull_a_station_back)
{
    struct fdb *fdb = make(0, 0);

    fdb_learn(fdb, station(0, 1), 1, 0);
    fdb_learn(fdb, station(0, 1), 2, 10);
    fdb_refresh(fdb, station(0, 1), 1, fdb_generation(fdb), 20);
    CHECK(fdb_lookup(fdb, station(0, 1)) == 2);
    fdb_destroy(fdb);
}

TEST(a_flushed_station_is_not_refreshed_by_answers_from_before)
{
    struct fdb *fdb = make(0, 0);
    uint32_t generation = fdb_generation(fdb);

    fdb_learn(fdb, station(0, 1), 1, 0);
    fdb_learn(fdb, station(0, 2), 2, 0);
    CHECK(fdb_flush(fdb, 1, -1, NULL) == 1);
    CHECK(fdb_lookup(fdb, station(0, 2)) == 2);
    fdb_refresh(fdb, station(0, 1), 1, generation, 10);
    CHECK(fdb_lookup(fdb, station(0, 1)) == 0);
    fdb_refresh(fdb, station(0, 1), 1, fdb_generation(fdb), 10);
    CHECK(fdb_lookup(fdb, station(0, 1)) == 1);
    fdb_destroy(fdb);
}

TEST(limits_hold_per_port_and_in_all)
{
    struct fdb *fdb = make(10, 4);
    struct fdb_counters c;
    unsigned int n = 0;

    for (unsigned int i = 0; i < 6; i++) {
        n += fdb_learn(fdb, station(0, i), 1, 0) == FDB_LEARNED;
    }
    CHECK(n == 4);
    for (unsigned int i = 0; i < 12; i++) {
        n += fdb_learn(fdb, station(1, i), 2 + i % 3, 0) == FDB_LEARNED;
    }
    CHECK(n == 10);
    CHECK(fdb_count(fdb) == 10);
    fdb_read_counters(fdb, &c);
    CHECK(c.refused == 8);

    /* Room again behind port 1. */
    CHECK(fdb_flush(fdb, 1, -1, NULL) == 4);
    CHECK(fdb_learn(fdb, station(5, 1), 1, 0) == FDB_LEARNED);
    fdb_destroy(fdb);
}

/* Learners fight over few stations while the control thread removes them. */
struct learner {
    struct fdb *fdb;
    uint32_t port;
    atomic_bool *stop;
};

static void *
learn_all_the_time(void *aux)
{
    struct learner *l = aux;
    unsigned int i = l->port;

    rcu_thread_begin();
    while (!atomic_load(l->stop)) {
        fdb_learn(l->fdb, station(0, i++ % 97), l->port, 1);
        fdb_lookup(l->fdb, station(0, i % 97));
        rcu_quiescent();
    }
    rcu_thread_end();
    return NULL;
}

TEST(learning_moving_and_flushing_at_once_keeps_the_counts)
{
    struct fdb *fdb = make(50, 40);
    pthread_t threads[2];
    struct learner learners[2];
    atomic_bool stop = false;

    for (unsigned int i = 0; i < 2; i++) {
        learners[i] = (struct learner) { fdb, 1 + i, &stop };
        CHECK(!pthread_create(&threads[i], NULL, learn_all_the_time,
                              &learners[i]));
    }
    for (unsigned int i = 0; i < 300; i++) {
        fdb_flush(fdb, i % 3, -1, NULL);
        n_changes(fdb);
        CHECK(fdb_count(fdb) <= 52);
        rcu_quiescent();
    }
    atomic_store(&stop, true);
    rcu_offline();
    for (unsigned int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    rcu_online();
    fdb_flush(fdb, 0, -1, NULL);
    CHECK(fdb_count(fdb) == 0);

    /* No place was lost. */
    for (unsigned int i = 0; i < 40; i++) {
        CHECK(fdb_learn(fdb, station(1, i), 1, 0) == FDB_LEARNED);
    }
    CHECK(fdb_learn(fdb, station(1, 40), 1, 0) == FDB_REFUSED);
    fdb_destroy(fdb);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_learned_station_is_found_in_its_vlan_only),
        RUN(a_station_moves_and_tells_so),
        RUN(a_station_that_moves_too_often_is_told_with_the_port_it_came_from),
        RUN(a_silent_station_ages_and_a_refreshed_one_stays),
        RUN(late_counts_of_the_old_port_do_not_pull_a_station_back),
        RUN(a_flushed_station_is_not_refreshed_by_answers_from_before),
        RUN(limits_hold_per_port_and_in_all),
        RUN(learning_moving_and_flushing_at_once_keeps_the_counts),
    };
    int failed;

    rcu_thread_begin();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_thread_end();
    return failed;
}
