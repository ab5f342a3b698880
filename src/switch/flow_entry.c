#include "switch/flow_entry.h"

#include <stdlib.h>

#include "lib/str.h"
#include "switch/classifier.h"

/* ---- Groups and meters that actions name ---- */

void
action_list_uses(struct action_list list,
                 void (*use)(void *aux, uint32_t id, bool is_meter), void *aux)
{
    ACTION_FOR_EACH (a, &list) {
        const struct action_number *number = (const void *) a;

        if (a->type == ACTION_GROUP) {
            use(aux, number->number, false);
        } else if (a->type == ACTION_METER) {
            use(aux, number->number, true);
        } else if (a->type == ACTION_CLONE) {
            action_list_uses(action_clone_list((const void *) a), use, aux);
        }
    }
}

void
instructions_uses(const struct instructions *instructions,
                  void (*use)(void *aux, uint32_t id, bool is_meter),
                  void *aux)
{
    action_list_uses(instructions->apply, use, aux);
    action_list_uses(instructions->write, use, aux);
    if (instructions->meter) {
        use(aux, instructions->meter, true);
    }
}

bool
action_list_outputs(struct action_list list, uint32_t port)
{
    ACTION_FOR_EACH (a, &list) {
        const struct action_output *output = (const void *) a;

        if ((a->type == ACTION_OUTPUT && output->port == port) ||
            (a->type == ACTION_CONTROLLER && port == OFPP_CONTROLLER) ||
            (a->type == ACTION_CLONE &&
             action_list_outputs(action_clone_list((const void *) a), port))) {
            return true;
        }
    }
    return false;
}

bool
action_list_groups(struct action_list list, uint32_t group)
{
    ACTION_FOR_EACH (a, &list) {
        const struct action_number *number = (const void *) a;

        if ((a->type == ACTION_GROUP && number->number == group) ||
            (a->type == ACTION_CLONE &&
             action_list_groups(action_clone_list((const void *) a), group))) {
            return true;
        }
    }
    return false;
}

/* ---- The allocation ---- */

static char *
tail_timer(const struct entry *entry)
{
    return (char *) (uintptr_t) &entry->values[entry->tuple->mask->n];
}

static char *
tail_trigger(const struct entry *entry)
{
    return tail_timer(entry)
           + (entry->has_timer ? sizeof(struct entry_timer) : 0);
}

static char *
tail_refs(const struct entry *entry)
{
    return tail_trigger(entry)
           + (entry->has_trigger ? sizeof(struct stat_trigger) : 0);
}

static char *
tail_actions(const struct entry *entry)
{
    return tail_refs(entry) + entry->n_refs * sizeof(struct entry_ref);
}

static void
count_ref(void *n, uint32_t id UNUSED, bool is_meter UNUSED)
{
    ++*(size_t *) n;
}

struct ref_filler {
    struct entry *entry;
    struct entry_ref *next;
};

static void
fill_ref(void *filler_, uint32_t id, bool is_meter)
{
    struct ref_filler *filler = filler_;

    *filler->next++ = (struct entry_ref) {
        .entry = filler->entry, .id = id, .is_meter = is_meter,
    };
}

static struct action_list
copy_actions(char **to, struct action_list from)
{
    struct action_list list = { (const void *) *to, from.len };

    if (from.len) {
        memcpy(*to, from.first, from.len);
        *to += from.len;
    }
    return list;
}

size_t
entry_size(const struct entry *entry)
{
    return (size_t) (tail_actions(entry) - (const char *) entry)
           + entry->e.instructions.apply.len + entry->e.instructions.write.len;
}

struct entry *
entry_create(struct tuple *tuple, const uint64_t *values,
             const struct instructions *instructions, bool has_timer)
{
    struct ref_filler filler;
    struct entry *entry;
    char *actions;
    const struct action_stat_trigger *trigger
        = action_list_trigger(instructions->apply);
    size_t n_refs = 0;
    size_t size;

    instructions_uses(instructions, count_ref, &n_refs);
    assert(n_refs <= UINT16_MAX);
    size = sizeof *entry + tuple->mask->n * sizeof values[0]
           + (has_timer ? sizeof(struct entry_timer) : 0)
           + (trigger ? sizeof(struct stat_trigger) : 0)
           + n_refs * sizeof(struct entry_ref) + instructions->apply.len
           + instructions->write.len;
    entry = xmalloc(size);
    memset(entry, 0, sizeof *entry);
    atomic_init(&entry->remove_version, VERSION_NEVER);
    entry->tuple = tuple;
    entry->n_refs = (uint16_t) n_refs;
    entry->has_timer = has_timer;
    entry->has_trigger = trigger;
    entry->is_clause = action_list_is_clause(instructions->apply);
    entry->is_teacher = action_list_teaches(instructions->apply);
    memcpy(entry->values, values, tuple->mask->n * sizeof values[0]);
    if (has_timer) {
        memset(tail_timer(entry), 0, sizeof(struct entry_timer));
        ((struct entry_timer *) (void *) tail_timer(entry))->entry = entry;
    }
    filler.entry = entry;
    filler.next = entry_refs(entry);
    instructions_uses(instructions, fill_ref, &filler);
    entry->e.instructions = *instructions;
    actions = tail_actions(entry);
    entry->e.instructions.apply = copy_actions(&actions, instructions->apply);
    entry->e.instructions.write = copy_actions(&actions, instructions->write);
    if (trigger) {
        *entry_trigger(entry) = (struct stat_trigger) {
            .entry = entry,
            .action = action_list_trigger(entry->e.instructions.apply),
        };
    }
    return entry;
}

void
entry_destroy(struct entry *entry)
{
    free(entry);
}

struct entry_ref *
entry_refs(struct entry *entry)
{
    return (void *) tail_refs(entry);
}

struct stat_trigger *
entry_trigger(struct entry *entry)
{
    return entry->has_trigger ? (struct stat_trigger *) (void *)
                                    tail_trigger(entry) : NULL;
}

struct timer *
entry_timer(struct entry *entry)
{
    return entry->has_timer
           ? &((struct entry_timer *) (void *) tail_timer(entry))->timer
           : NULL;
}

struct entry *
entry_of_timer(struct timer *timer)
{
    return CONTAINER_OF(timer, struct entry_timer, timer)->entry;
}

_Atomic msec *
entry_refreshed(struct entry *entry)
{
    return &((struct entry_timer *) (void *) tail_timer(entry))->refreshed;
}

/* ---- What it was made from ---- */

void
flow_entry_match(const struct flow_entry *e, struct match *match)
{
    const struct entry *entry = entry_cast(e);
    const struct mask_words *mask = entry->tuple->mask;

    match_init(match);
    for (uint32_t i = 0; i < mask->n; i++) {
        match->mask.bits.w[mask->list[i].word] = mask->list[i].bits;
        match->value.w[mask->list[i].word] = entry->values[i];
    }
}

bool
action_list_teaches(struct action_list list)
{
    ACTION_FOR_EACH (a, &list) {
        const struct action_learn *learn = (const void *) a;

        if (a->type == ACTION_LEARN
            && (learn->flags & LEARN_DELETE_LEARNED || learn->limit)) {
            return true;
        }
        if (a->type == ACTION_CLONE
            && action_list_teaches(action_clone_list((const void *) a))) {
            return true;
        }
    }
    return false;
}
