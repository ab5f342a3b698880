#include "switch/meter_map.h"

#include <stdlib.h>

#include "lib/rcu.h"
#include "lib/str.h"

struct meter_slots {
    struct rcu_later later;
    unsigned int n;
    struct meter_slot {
        uint32_t id, slot;
    } list[];                     /* in order of id */
};

static struct meter_slots *
make_slots(unsigned int n)
{
    struct meter_slots *slots = xzalloc(sizeof *slots
                                        + n * sizeof slots->list[0]);

    slots->n = n;
    return slots;
}

void
meter_map_init(struct meter_map *map)
{
    memset(map, 0, sizeof *map);
    atomic_init(&map->slots, make_slots(0));
}

void
meter_map_fini(struct meter_map *map)
{
    rcu_free(&atomic_load(&map->slots)->later);
}

/* The place of `id`, or where it would be. */
static unsigned int
place_of(const struct meter_slots *slots, uint32_t id)
{
    unsigned int low = 0, high = slots->n;

    while (low < high) {
        unsigned int mid = (low + high) / 2;

        if (slots->list[mid].id < id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

uint32_t
meter_map_find(const struct meter_map *map, uint32_t id)
{
    const struct meter_slots *slots
        = atomic_load_explicit(&map->slots, memory_order_acquire);
    unsigned int i = place_of(slots, id);

    return i < slots->n && slots->list[i].id == id ? slots->list[i].slot
                                                   : METER_NO_SLOT;
}

static void
publish(struct meter_map *map, struct meter_slots *slots)
{
    struct meter_slots *old = atomic_load(&map->slots);

    atomic_store_explicit(&map->slots, slots, memory_order_release);
    rcu_free(&old->later);
}

static uint32_t
free_slot(const struct meter_map *map)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(map->used); i++) {
        uint64_t busy = map->used[i] | map->given_up[i];

        if (~busy) {
            return i * 64 + (uint32_t) __builtin_ctzll(~busy);
        }
    }
    return METER_NO_SLOT;
}

uint32_t
meter_map_claim(struct meter_map *map, uint32_t id)
{
    const struct meter_slots *old = atomic_load(&map->slots);
    unsigned int i = place_of(old, id);
    struct meter_slots *slots;
    uint32_t slot;

    if (i < old->n && old->list[i].id == id) {
        return old->list[i].slot;
    }
    slot = free_slot(map);
    if (slot == METER_NO_SLOT) {
        return slot;
    }
    slots = make_slots(old->n + 1);
    memcpy(slots->list, old->list, i * sizeof slots->list[0]);
    slots->list[i] = (struct meter_slot) { id, slot };
    memcpy(&slots->list[i + 1], &old->list[i],
           (old->n - i) * sizeof slots->list[0]);
    map->used[slot / 64] |= UINT64_C(1) << (slot % 64);
    publish(map, slots);
    return slot;
}

uint32_t
meter_map_release(struct meter_map *map, uint32_t id)
{
    const struct meter_slots *old = atomic_load(&map->slots);
    unsigned int i = place_of(old, id);
    struct meter_slots *slots;
    uint32_t slot;

    if (i == old->n || old->list[i].id != id) {
        return METER_NO_SLOT;
    }
    slot = old->list[i].slot;
    slots = make_slots(old->n - 1);
    memcpy(slots->list, old->list, i * sizeof slots->list[0]);
    memcpy(&slots->list[i], &old->list[i + 1],
           (old->n - i - 1) * sizeof slots->list[0]);
    map->used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    map->given_up[slot / 64] |= UINT64_C(1) << (slot % 64);
    publish(map, slots);
    return slot;
}

void
meter_map_settle(struct meter_map *map)
{
    memset(map->given_up, 0, sizeof map->given_up);
}
