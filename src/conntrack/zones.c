#include "conntrack/zones.h"

#include <stdlib.h>

#include "lib/str.h"

enum { ALARM_PERCENT = 80, CALM_PERCENT = 60 };

void
ct_zones_init(struct ct_zones *z, uint32_t default_limit)
{
    memset(z, 0, sizeof *z);
    z->default_limit = default_limit;
    z->counts = xcalloc(CT_N_ZONES, sizeof *z->counts);
    z->limits = xcalloc(CT_N_ZONES, sizeof *z->limits);
}

void
ct_zones_fini(struct ct_zones *z)
{
    free(z->counts);
    free(z->limits);
}

uint32_t
ct_zones_limit(const struct ct_zones *z, uint16_t zone)
{
    uint32_t limit = atomic_load_explicit(&z->limits[zone],
                                          memory_order_relaxed);

    return limit ? limit : z->default_limit;
}

static uint64_t
bit(uint16_t zone)
{
    return UINT64_C(1) << zone % 64;
}

static bool
is_above(uint32_t count, uint32_t limit, unsigned int percent)
{
    return (uint64_t) count * 100 > (uint64_t) limit * percent;
}

bool
ct_zones_add(struct ct_zones *z, uint16_t zone)
{
    uint32_t limit = ct_zones_limit(z, zone);
    uint32_t count = atomic_fetch_add_explicit(&z->counts[zone], 1,
                                               memory_order_relaxed) + 1;

    if (!limit) {
        return true;
    }
    if (count > limit) {
        atomic_fetch_sub_explicit(&z->counts[zone], 1, memory_order_relaxed);
        return false;
    }
    if (is_above(count, limit, ALARM_PERCENT)
        && !(atomic_load_explicit(&z->raised[zone / 64], memory_order_relaxed)
             & bit(zone))
        && !(atomic_fetch_or(&z->raised[zone / 64], bit(zone)) & bit(zone))) {
        atomic_fetch_or(&z->alarms[zone / 64], bit(zone));
    }
    return true;
}

void
ct_zones_subtract(struct ct_zones *z, uint16_t zone)
{
    uint32_t count = atomic_fetch_sub_explicit(&z->counts[zone], 1,
                                               memory_order_relaxed) - 1;

    if (UNLIKELY(atomic_load_explicit(&z->raised[zone / 64],
                                      memory_order_relaxed) & bit(zone))
        && !is_above(count, ct_zones_limit(z, zone), CALM_PERCENT)) {
        atomic_fetch_and(&z->raised[zone / 64], ~bit(zone));
    }
}

unsigned int
ct_zones_raised(const struct ct_zones *z, uint16_t *zones, unsigned int n)
{
    unsigned int n_found = 0;

    for (unsigned int i = 0; i < CT_N_ZONES / 64; i++) {
        uint64_t word = atomic_load(&z->raised[i]);

        for (; word && n_found < n; word &= word - 1) {
            zones[n_found++] = (uint16_t)
                (i * 64 + (unsigned int) __builtin_ctzll(word));
        }
    }
    return n_found;
}

unsigned int
ct_zones_take_alarms(struct ct_zones *z, uint16_t *zones, unsigned int n)
{
    unsigned int n_taken = 0;

    for (unsigned int i = 0; i < CT_N_ZONES / 64 && n_taken < n; i++) {
        uint64_t word = atomic_load(&z->alarms[i]);

        while (word && n_taken < n) {
            unsigned int b = (unsigned int) __builtin_ctzll(word);

            word &= word - 1;
            atomic_fetch_and(&z->alarms[i], ~(UINT64_C(1) << b));
            zones[n_taken++] = (uint16_t) (i * 64 + b);
        }
    }
    return n_taken;
}
