#include "lib/hmap.h"

#include "lib/rng.h"
#include "lib/str.h"
#include "unit.h"

enum { N_KEYS = 300 };

struct object {
    struct hmap_node node;
    unsigned int key;
};

static struct object *
find(const struct hmap *map, unsigned int key, uint64_t hash)
{
    HMAP_FOR_EACH_WITH_HASH (node, hash, map) {
        struct object *o = CONTAINER_OF(node, struct object, node);

        if (o->key == key) {
            return o;
        }
    }
    return NULL;
}

TEST(an_empty_map_finds_and_frees_nothing)
{
    struct hmap map = HMAP_INIT;

    CHECK(!hmap_first_with_hash(&map, 5));
    CHECK(!hmap_next(&map, NULL));
    hmap_fini(&map);
}

/* Few hashes, so that chains are long and keys collide. */
TEST(it_holds_what_a_plain_array_holds)
{
    struct hmap map = HMAP_INIT;
    struct object *objects[N_KEYS] = { NULL };
    struct rng rng = { 1 };
    size_t n = 0;

    for (unsigned int i = 0; i < 20000; i++) {
        unsigned int key = rng_below(&rng, N_KEYS);
        uint64_t hash = key % 40 * UINT64_C(0x100000001);

        CHECK(find(&map, key, hash) == objects[key]);
        if (objects[key]) {
            hmap_remove(&map, &objects[key]->node);
            free(objects[key]);
            objects[key] = NULL;
            n--;
        } else {
            objects[key] = xzalloc(sizeof *objects[key]);
            objects[key]->key = key;
            hmap_insert(&map, &objects[key]->node, hash);
            n++;
        }
        CHECK(map.n == n);
    }
    HMAP_FOR_EACH_SAFE (node, &map) {
        struct object *o = CONTAINER_OF(node, struct object, node);

        CHECK(objects[o->key] == o);
        hmap_remove(&map, node);
        free(o);
        n--;
    }
    CHECK(!n && !map.n);
    hmap_fini(&map);
}

TESTS(
    RUN(an_empty_map_finds_and_frees_nothing),
    RUN(it_holds_what_a_plain_array_holds),
)
