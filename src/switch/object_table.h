/* Groups and meters: things with a number, of which readers see a version.
 *
 * Each number has a slot: the versions of the object, newest first, and the
 * flow entries that name it, so that they can go with it.  A slot lasts as long
 * as it has either, or is named by a group.
 *
 * Threads: one writer; object_table_at() under RCU. */
#ifndef WEFT_SWITCH_OBJECT_TABLE_H
#define WEFT_SWITCH_OBJECT_TABLE_H

#include "switch/cell_table.h"
#include "switch/flow_entry.h"

struct object_slot;

/* Begins every version of an object. */
struct object {
    struct rcu_later later;
    uint32_t id;
    uint64_t add_version;
    _Atomic uint64_t remove_version;
    _Atomic(struct object *) older;
    struct object_slot *slot;
};

struct object_slot {
    struct rcu_later later;
    uint32_t id;
    uint64_t mark;                      /* of searches by the writer */
    _Atomic(struct object *) newest;
    struct entry_ref *refs;             /* of entries alive for the writer */
    uint32_t n_entries, n_groups;       /* that name it, alive for the writer */
};

struct object_table {
    struct hash_key key;
    struct cell_table slots;
    uint32_t n;                         /* alive for the writer */
};

void object_table_init(struct object_table *, struct hash_key);
void object_table_fini(struct object_table *);

/* Readers: the one that is visible at that version, or NULL. */
const struct object *object_table_at(const struct object_table *, uint32_t id,
                                     uint64_t version);
/* The writer's newest, or NULL. */
struct object *object_table_newest(const struct object_table *, uint32_t id);
struct object_slot *object_table_slot(const struct object_table *,
                                      uint32_t id);
/* The one alive for the writer in this slot. */
struct object *object_slot_alive(const struct object_slot *);

/* Puts a version in front; its add_version is set. */
void object_table_insert(struct object_table *, struct object *);
/* Takes a version out that no reader needs any more. */
void object_table_unlink(struct object_table *, struct object *);

void object_table_link_ref(struct object_table *, struct entry_ref *);
void object_table_unlink_ref(struct object_table *, struct entry_ref *);
/* A group names it (1), or does not any more (-1).  Of several calls with the
 * same mark, which is a new number, one counts. */
void object_table_count_group(struct object_table *, uint32_t id,
                              uint64_t mark, int n);
/* Writer: how many entries and groups name it. */
uint32_t object_table_n_users(const struct object_table *, uint32_t id);

/* Slots, by rising id; a reader's or the writer's. */
void object_table_visit(const struct object_table *,
                        bool (*visit)(void *aux, struct object_slot *),
                        void *aux);

#endif
