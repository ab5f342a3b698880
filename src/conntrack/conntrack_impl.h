/* Inside of the connection tracker: what its files share. */
#ifndef WEFT_CONNTRACK_CONNTRACK_IMPL_H
#define WEFT_CONNTRACK_CONNTRACK_IMPL_H

#include "conntrack/fragments.h"
#include "conntrack/nat_map.h"
#include "conntrack/state.h"
#include "conntrack/zones.h"

/* Written by its thread, read by all. */
struct ct_slot {
    struct {
#define X(NAME, TEXT) _Atomic uint64_t NAME;
        CT_COUNTERS(X)
#undef X
    } counters;
} __attribute__((aligned(CACHE_LINE)));

struct conntrack {
    struct ct_config config;
    struct ct_table *table;
    struct nat_map *nat;
    struct fragments *fragments;
    struct ct_zones zones;
    _Atomic msec timeouts[N_CT_TIMEOUTS];
    _Atomic uint32_t hand;            /* where the sweep goes on */
    struct ct_slot *slots;
};

#define CT_COUNT(CT, SLOT, NAME, N)                                          \
    atomic_store_explicit(&(CT)->slots[SLOT].counters.NAME,                  \
                          atomic_load_explicit(                              \
                              &(CT)->slots[SLOT].counters.NAME,              \
                              memory_order_relaxed) + (N),                   \
                          memory_order_relaxed)

static inline bool
ct_conn_is_over(const struct ct_conn *conn, msec now)
{
    return atomic_load_explicit(&conn->expires, memory_order_relaxed) <= now;
}

/* list.c: the connection in that place, locked; NULL: none is alive there. */
struct ct_conn *ct_lock_place(struct conntrack *, uint32_t id, msec now);

/* Ends a live connection that is locked, and all that hangs on it. */
void ct_end(struct conntrack *, unsigned int slot, struct ct_conn *);

#endif
