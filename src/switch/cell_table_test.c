/* The table of cells against a plain array that says what must be in it. */
#include "switch/cell_table.h"

#include "lib/hash.h"
#include "lib/rng.h"
#include "lib/str.h"
#include "unit.h"

enum { N_KEYS = 60000 };
static const uint64_t TAG_MASK = UINT64_C(0xffff) << 48;

struct keys {
    struct hash_key hash_key;
    bool present[N_KEYS + 1];
    uint32_t n_present;
};

static uint64_t
key_hash(const struct keys *keys, uint64_t n)
{
    return hash_u64(keys->hash_key, n);
}

static uint64_t
key_tag(uint64_t hash)
{
    return (hash | 1) << 48;
}

static uint64_t
hash_of_cell(const void *aux, uint64_t cell)
{
    return key_hash(aux, cell & ~TAG_MASK);
}

static bool
is_key(const void *aux, uint64_t cell)
{
    return (cell & ~TAG_MASK) == *(const uint64_t *) aux;
}

static _Atomic uint64_t *
find(const struct cell_table *table, const struct keys *keys, uint64_t n)
{
    uint64_t hash = key_hash(keys, n);
    _Atomic uint64_t *place;

    return cell_table_find(table, hash, key_tag(hash), is_key, &n, &place)
           ? place : NULL;
}

static bool
count_cell(void *aux, uint64_t cell)
{
    ++*(uint64_t *) aux;
    CHECK(cell & ~TAG_MASK);
    return true;
}

static void
check_all(const struct cell_table *table, const struct keys *keys)
{
    uint64_t n_visited = 0;

    for (uint64_t n = 1; n <= N_KEYS; n++) {
        CHECK(!!find(table, keys, n) == keys->present[n]);
    }
    cell_table_visit(table, count_cell, &n_visited);
    CHECK(n_visited == keys->n_present);
    CHECK(table->n_live == keys->n_present);
}

static void
toggle(struct cell_table *table, struct keys *keys, uint64_t n)
{
    uint64_t hash = key_hash(keys, n);

    if (keys->present[n]) {
        cell_table_remove(table, hash, find(table, keys, n));
        keys->n_present--;
    } else {
        cell_table_insert(table, hash, key_tag(hash) | n);
        keys->n_present++;
    }
    keys->present[n] = !keys->present[n];
}

TEST(what_was_inserted_is_found_and_what_was_removed_is_not)
{
    struct keys *keys = xzalloc(sizeof *keys);
    struct cell_table table;
    struct rng rng = { 1 };

    keys->hash_key.seed = 7;
    cell_table_init(&table, TAG_MASK, hash_of_cell, keys);
    check_all(&table, keys);
    for (unsigned int i = 0; i < 20; i++) {
        for (unsigned int j = 0; j < 20000; j++) {
            toggle(&table, keys, 1 + rng_below(&rng, N_KEYS));
        }
        check_all(&table, keys);
    }
    cell_table_fini(&table);
    free(keys);
}

TEST(an_emptied_table_gives_its_memory_back)
{
    struct keys *keys = xzalloc(sizeof *keys);
    struct cell_table table;

    cell_table_init(&table, TAG_MASK, hash_of_cell, keys);
    for (uint64_t n = 1; n <= N_KEYS; n++) {
        toggle(&table, keys, n);
    }
    CHECK(table.memory < (uint64_t) N_KEYS * 24);
    for (uint64_t n = 1; n <= N_KEYS; n++) {
        toggle(&table, keys, n);
    }
    CHECK(table.memory == 0);
    free(keys);
}

TEST(no_cell_with_the_byte_is_passed_over)
{
    struct rng rng = { 9 };

    for (unsigned int i = 0; i < 100000; i++) {
        uint64_t byte = 2 + rng_below(&rng, 4);
        uint64_t bytes = 0, others;
        bool occurs = false;

        for (unsigned int j = 0; j < 64; j += 8) {
            bytes |= (uint64_t) rng_below(&rng, 6) << j;
        }
        others = cell_bytes_equal(bytes, byte);
        for (unsigned int j = 0; j < 64; j += 8) {
            if ((bytes >> j & 0xff) == byte) {
                CHECK(others >> j & 0x80);
                others &= ~(UINT64_C(0x80) << j);
                occurs = true;
            }
        }
        CHECK(occurs || !others);
        CHECK(!(others & ~(UINT64_C(0x0101010101010101) << 7)));
    }
}

TESTS(
    RUN(no_cell_with_the_byte_is_passed_over),
    RUN(what_was_inserted_is_found_and_what_was_removed_is_not),
    RUN(an_emptied_table_gives_its_memory_back),
)
