#include "switch/port_map.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"

/* Settings as stored: freed a grace period after they were replaced. */
struct stored {
    struct rcu_later later;
    struct port_settings settings;
};

bool
port_vlan_carries(const struct port_vlan *vlan, uint16_t vid)
{
    if (vlan->mode == VLAN_ACCESS) {
        return vid == vlan->vid;
    }
    if (vlan->mode != VLAN_TRUNK && vid == vlan->vid) {
        return true;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(vlan->trunks); i++) {
        if (vlan->trunks[i]) {
            return vlan->trunks[vid / 64] >> (vid % 64) & 1;
        }
    }
    return true;
}

struct port_text
port_number_text(uint32_t number)
{
    struct port_text text = { "LOCAL" };

    if (number != OFPP_LOCAL) {
        snprintf(text.text, sizeof text.text, "%" PRIu32, number);
    }
    return text;
}

const char *
port_map_name(const struct port_map *map, uint32_t number)
{
    const struct port_settings *p = port_map_find(map, number);

    return p ? p->name : "?";
}

static struct port_map *
make_map(uint32_t n)
{
    struct port_map *map = xzalloc(sizeof *map
                                   + n * sizeof map->by_number[0]);

    map->n = n;
    return map;
}

void
port_maps_init(struct port_maps *maps)
{
    atomic_init(&maps->map, make_map(0));
}

static void
free_stored(const struct port_settings *settings)
{
    if (settings) {
        rcu_free(&CONTAINER_OF(settings, struct stored, settings)->later);
    }
}

void
port_maps_fini(struct port_maps *maps)
{
    struct port_map *map = atomic_load(&maps->map);

    for (uint32_t i = 0; i < map->n; i++) {
        free_stored(map->by_number[i]);
    }
    free_stored(map->local);
    rcu_free(&map->later);
}

static void
publish(struct port_maps *maps, struct port_map *map)
{
    struct port_map *old = atomic_load(&maps->map);

    atomic_store_explicit(&maps->map, map, memory_order_release);
    rcu_free(&old->later);
}

static struct port_map *
copy_map(const struct port_map *old, uint32_t n)
{
    struct port_map *map = make_map(MAX(old->n, n));

    for (uint32_t i = 0; i < old->n; i++) {
        map->by_number[i] = old->by_number[i];
    }
    map->local = old->local;
    map->fragments = old->fragments;
    return map;
}

static const struct port_settings *
store(uint32_t number, const struct port_settings *settings)
{
    struct stored *stored;

    if (!settings) {
        return NULL;
    }
    stored = xzalloc(sizeof *stored);
    stored->settings = *settings;
    stored->settings.number = number;
    return &stored->settings;
}

void
port_maps_set(struct port_maps *maps, uint32_t number,
              const struct port_settings *settings)
{
    const struct port_map *old = atomic_load(&maps->map);
    const struct port_settings *replaced = port_map_find(old, number);
    struct port_map *map;

    if (number == OFPP_LOCAL) {
        map = copy_map(old, 0);
        map->local = store(number, settings);
    } else {
        map = copy_map(old, number + 1);
        map->by_number[number] = store(number, settings);
    }
    publish(maps, map);
    free_stored(replaced);
}

void
port_maps_set_fragments(struct port_maps *maps, enum of_frag fragments)
{
    struct port_map *map = copy_map(atomic_load(&maps->map), 0);

    map->fragments = fragments;
    publish(maps, map);
}
