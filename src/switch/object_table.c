#include "switch/object_table.h"

#include <stdlib.h>

#include "lib/str.h"

static const uint64_t TAG_MASK = UINT64_C(0xffff) << 48;

static uint64_t
id_hash(const struct object_table *table, uint32_t id)
{
    return hash_u64(table->key, id);
}

static uint64_t
tag_of(uint64_t hash)
{
    return (hash | 1) << 48;
}

static struct object_slot *
cell_slot(uint64_t cell)
{
    return (struct object_slot *) (uintptr_t) (cell & ~TAG_MASK);
}

static uint64_t
cell_hash(const void *table, uint64_t cell)
{
    return id_hash(table, cell_slot(cell)->id);
}

static bool
cell_has_id(const void *id, uint64_t cell)
{
    return cell_slot(cell)->id == *(const uint32_t *) id;
}

void
object_table_init(struct object_table *table, struct hash_key key)
{
    table->key = key;
    table->n = 0;
    cell_table_init(&table->slots, TAG_MASK, cell_hash, table);
}

void
object_table_fini(struct object_table *table)
{
    assert(!table->slots.n_live);
    cell_table_fini(&table->slots);
}

static uint64_t
find_cell(const struct object_table *table, uint32_t id,
          _Atomic uint64_t **place)
{
    uint64_t hash = id_hash(table, id);

    return cell_table_find(&table->slots, hash, tag_of(hash), cell_has_id,
                           &id, place);
}

struct object_slot *
object_table_slot(const struct object_table *table, uint32_t id)
{
    return cell_slot(find_cell(table, id, NULL));
}

static struct object *
older(const struct object *object)
{
    return atomic_load_explicit(&object->older, memory_order_acquire);
}

static struct object *
newest(const struct object_slot *slot)
{
    return atomic_load_explicit(&slot->newest, memory_order_acquire);
}

const struct object *
object_table_at(const struct object_table *table, uint32_t id,
                uint64_t version)
{
    const struct object_slot *slot = object_table_slot(table, id);
    const struct object *object = slot ? newest(slot) : NULL;

    while (object &&
           !(object->add_version <= version &&
             version < atomic_load_explicit(&object->remove_version,
                                            memory_order_acquire))) {
        object = older(object);
    }
    return object;
}

struct object *
object_slot_alive(const struct object_slot *slot)
{
    struct object *object = newest(slot);

    while (object && atomic_load_explicit(&object->remove_version,
                                          memory_order_relaxed)
                         != VERSION_NEVER) {
        object = older(object);
    }
    return object;
}

struct object *
object_table_newest(const struct object_table *table, uint32_t id)
{
    const struct object_slot *slot = object_table_slot(table, id);

    return slot ? object_slot_alive(slot) : NULL;
}

static struct object_slot *
get_slot(struct object_table *table, uint32_t id)
{
    struct object_slot *slot = object_table_slot(table, id);

    if (!slot) {
        uint64_t hash = id_hash(table, id);

        slot = xzalloc(sizeof *slot);
        slot->id = id;
        cell_table_insert(&table->slots, hash,
                          tag_of(hash) | (uintptr_t) slot);
    }
    return slot;
}

static void
release_slot(struct object_table *table, struct object_slot *slot)
{
    _Atomic uint64_t *place;

    if (!newest(slot) && !slot->refs && !slot->n_groups) {
        find_cell(table, slot->id, &place);
        cell_table_remove(&table->slots, id_hash(table, slot->id), place);
        rcu_free(&slot->later);
    }
}

void
object_table_insert(struct object_table *table, struct object *object)
{
    struct object_slot *slot = get_slot(table, object->id);

    object->slot = slot;
    atomic_init(&object->remove_version, VERSION_NEVER);
    atomic_init(&object->older, newest(slot));
    atomic_store_explicit(&slot->newest, object, memory_order_release);
}

void
object_table_unlink(struct object_table *table, struct object *object)
{
    struct object_slot *slot = object->slot;
    struct object *newer = newest(slot);

    if (newer == object) {
        atomic_store_explicit(&slot->newest, older(object),
                              memory_order_release);
    } else {
        while (older(newer) != object) {
            newer = older(newer);
        }
        atomic_store_explicit(&newer->older, older(object),
                              memory_order_release);
    }
    release_slot(table, slot);
}

/* References of one entry are linked together, so they stay beside each
 * other. */
static bool
is_beside_its_own(const struct object_slot *slot, const struct entry_ref *ref)
{
    const struct entry_ref *before
        = ref->link == &slot->refs
          ? NULL : CONTAINER_OF(ref->link, struct entry_ref, next);

    return (before && before->entry == ref->entry)
           || (ref->next && ref->next->entry == ref->entry);
}

void
object_table_link_ref(struct object_table *table, struct entry_ref *ref)
{
    struct object_slot *slot = get_slot(table, ref->id);

    ref->next = slot->refs;
    ref->link = &slot->refs;
    if (ref->next) {
        ref->next->link = &ref->next;
    }
    slot->refs = ref;
    slot->n_entries += !is_beside_its_own(slot, ref);
}

void
object_table_unlink_ref(struct object_table *table, struct entry_ref *ref)
{
    struct object_slot *slot = object_table_slot(table, ref->id);

    slot->n_entries -= !is_beside_its_own(slot, ref);
    *ref->link = ref->next;
    if (ref->next) {
        ref->next->link = ref->link;
    }
    ref->link = NULL;
    release_slot(table, slot);
}

void
object_table_count_group(struct object_table *table, uint32_t id,
                         uint64_t mark, int n)
{
    struct object_slot *slot = n > 0 ? get_slot(table, id)
                                     : object_table_slot(table, id);

    if (slot && slot->mark != mark) {
        slot->mark = mark;
        slot->n_groups += (uint32_t) n;
        release_slot(table, slot);
    }
}

uint32_t
object_table_n_users(const struct object_table *table, uint32_t id)
{
    const struct object_slot *slot = object_table_slot(table, id);

    return slot ? slot->n_entries + slot->n_groups : 0;
}

struct slot_list {
    struct object_slot **slots;
    size_t n, size;
};

static bool
collect_slot(void *list_, uint64_t cell)
{
    struct slot_list *list = list_;

    if (list->n == list->size) {
        list->size = list->size ? list->size * 2 : 64;
        list->slots = xrealloc(list->slots,
                               list->size * sizeof *list->slots);
    }
    list->slots[list->n++] = cell_slot(cell);
    return true;
}

static int
compare_slots(const void *a_, const void *b_)
{
    const struct object_slot *a = *(struct object_slot *const *) a_;
    const struct object_slot *b = *(struct object_slot *const *) b_;

    return a->id < b->id ? -1 : a->id > b->id;
}

void
object_table_visit(const struct object_table *table,
                   bool (*visit)(void *aux, struct object_slot *), void *aux)
{
    struct slot_list list = { NULL, 0, 0 };

    cell_table_visit(&table->slots, collect_slot, &list);
    if (list.n) {
        qsort(list.slots, list.n, sizeof list.slots[0], compare_slots);
    }
    for (size_t i = 0; i < list.n && visit(aux, list.slots[i]); i++) {
        continue;
    }
    free(list.slots);
}
